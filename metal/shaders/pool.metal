// pool makes one row of each sequence's rows, which is what heads read. It is float
// throughout, and rows are added up in their order.
//
//   x        rows×WIDTH float, the residual stream; without GATHER one row a sequence, [CLS]
//   starts   the first row of each sequence, and then the number of rows
//   weights  a float for each row; for the sum, and for the largest of some rows: those
//            whose weight is not 0
//   pooled   sequences×WIDTH float
//
// A simdgroup computes 32 channels of one sequence.

// KIND is one of these.
constant constexpr uint POOL_FIRST = 0;
constant constexpr uint POOL_LAST = 1;
constant constexpr uint POOL_MAX = 2;
constant constexpr uint POOL_SUM = 3;
constant constexpr uint POOL_MAX_OF = 4;

constant constexpr float LOWEST = -3.402823466e38f; // of all finite floats

[[kernel]] void pool(
    device const float *x [[buffer(0)]],
    device const uint *starts [[buffer(1)]],
    device const float *weights [[buffer(2)]],
    device float *pooled [[buffer(3)]],
    uint2 group [[threadgroup_position_in_grid]],
    ushort lane [[thread_index_in_simdgroup]])
{
    const uint first = GATHER ? starts[group.x] : group.x;
    const uint end = GATHER ? starts[group.x + 1] : group.x + 1;
    const uint c = group.y * 32 + lane;
    float v = 0;
    if (KIND == POOL_FIRST || KIND == POOL_MAX)
        v = x[ulong(first) * WIDTH + c];
    else if (KIND == POOL_LAST)
        v = x[ulong(end - 1) * WIDTH + c];
    else if (KIND == POOL_MAX_OF)
        v = LOWEST; // which is left where no row counts
    if (KIND == POOL_MAX) {
        for (uint row = first + 1; row < end; row++)
            v = max(v, x[ulong(row) * WIDTH + c]);
    } else if (KIND == POOL_MAX_OF) {
        for (uint row = first; row < end; row++)
            v = weights[row] == 0 ? v : max(v, x[ulong(row) * WIDTH + c]);
    } else if (KIND == POOL_SUM) {
        for (uint row = first; row < end; row++)
            v = fma(weights[row], x[ulong(row) * WIDTH + c], v);
    }
    pooled[ulong(group.x) * WIDTH + c] = v;
}
