// linear: y = x·W + b (Vaswani et al. 2017, arXiv:1706.03762), or gelu of it, or the sum of
// it and the residual stream.
//
//   x         rows×IN half
//   w         IN×STRIDE half, then b: STRIDE float
//   y         rows×STRIDE half; group x of the grid computes BN columns, from FIRST on
//   residual  rows of STRIDE float, with ADD and GATHER: row starts[r] is added to row r
//   starts    as in attention_cls, then zeros up to a whole tile
//   sum       rows×STRIDE float, with ADD; without GATHER the product is added to what is there
//
// A threadgroup computes BM rows by BN columns with SM×SN simdgroups; each computes
// (BM/SM)×(BN/SN). Sums are float: half sums make the error at 384 inputs 14 times as
// large, and Apple's GPUs are not faster with them. The residual stream is float, too: in
// half, it alone would be four fifths of a logit's error.
//
// Groups that are neighbours in x read the same rows of x, which is the larger operand.
// simdgroup_barrier(mem_none) does not order memory accesses. It keeps the simdgroup's
// lanes together, and the compiler's loads (MLX and ggml do the same).

// finish writes a simdgroup's sums, FM×FN fragments starting at a row and a column, after
// adding what must be added. residual and sum may be the same buffer, and a compiler may
// assume that two pointers point to different memory. So it reads only one of them.
template <int FM, int FN>
INLINE void finish(
    thread simdgroup_float8x8 (&sums)[FM][FN], device const half *w, device half *y, device const float *residual,
    device const uint *starts, device float *sum, uint row, uint col, threadgroup float *scratch, ushort lane)
{
    row += fragment_row(lane);
    col += fragment_col(lane);
    device const float *bias = (device const float *)(w + ulong(IN) * STRIDE) + col;
    UNROLL
    for (int i = 0; i < FM; i++) {
        const ulong r = row + i * 8, at = r * STRIDE + col;
        device const float *before = GATHER ? residual + ulong(starts[r]) * STRIDE + col : sum + at;
        UNROLL
        for (int j = 0; j < FN; j++) {
            float2 v = elements(sums[i][j], scratch, lane) + *(device const float2 *)(bias + j * 8);
            if (ADD) {
                *(device float2 *)(sum + at + j * 8) = v + *(device const float2 *)(before + j * 8);
                continue;
            }
            if (GELU)
                v = gelu(v);
            *(device half2 *)(y + at + j * 8) = narrow(v);
        }
    }
}

// multiply adds the product of FM by FN fragments to a simdgroup's sums.
template <int FM, int FN>
INLINE void multiply(thread simdgroup_float8x8 (&sums)[FM][FN], thread simdgroup_half8x8 (&a)[FM], thread simdgroup_half8x8 (&b)[FN]) {
    UNROLL
    for (int i = 0; i < FM; i++) {
        UNROLL
        for (int j = 0; j < FN; j++)
            simdgroup_multiply_accumulate(sums[i][j], a[i], b[j], sums[i][j]);
    }
}

// linear loads tiles of x and w into threadgroup memory, BK inputs at a time. Each row of a
// tile is 16 bytes longer than its content, so that rows begin in different banks.
template <int BM, int BN, int BK, int SM, int SN>
[[kernel]] void linear(
    device const half *x [[buffer(0)]],
    device const half *w [[buffer(1)]],
    device half *y [[buffer(2)]],
    device const float *residual [[buffer(3)]],
    device const uint *starts [[buffer(4)]],
    device float *sum [[buffer(5)]],
    uint2 group [[threadgroup_position_in_grid]],
    ushort simd [[simdgroup_index_in_threadgroup]],
    ushort lane [[thread_index_in_simdgroup]])
{
    constexpr int THREADS = SM * SN * 32;
    constexpr int XS = BK + 8, WS = BN + 8;           // halves in a row of the threadgroup's arrays
    constexpr int FM = BM / SM / 8, FN = BN / SN / 8; // fragments of a simdgroup
    threadgroup uint4 xs8[BM * XS / 8]; // 8 halves in each element, for the alignment
    threadgroup uint4 ws8[BK * WS / 8];
    threadgroup float scratches[SM * SN * 64];

    threadgroup half *xs = (threadgroup half *)xs8, *ws = (threadgroup half *)ws8;
    const int thread_index = simd * 32 + lane;
    const int row = simd / SN * (BM / SM), col = simd % SN * (BN / SN); // of the simdgroup, inside the tile
    const uint rows = group.y * BM, cols = FIRST + group.x * BN;        // of the tile
    device const half *xt = x + ulong(rows) * IN;
    device const half *wt = w + cols;

    simdgroup_float8x8 sums[FM][FN];
    UNROLL
    for (int i = 0; i < FM; i++) {
        UNROLL
        for (int j = 0; j < FN; j++)
            sums[i][j] = make_filled_simdgroup_matrix<float, 8, 8>(0.0f);
    }

    for (uint k = 0; k < IN; k += BK) {
        threadgroup_barrier(mem_flags::mem_threadgroup); // all have read the previous tiles
        for (int i = thread_index; i < BM * BK / 8; i += THREADS) {
            const int r = i / (BK / 8), c = i % (BK / 8) * 8;
            *(threadgroup uint4 *)(xs + r * XS + c) = *(device const uint4 *)(xt + r * IN + k + c);
        }
        for (int i = thread_index; i < BK * BN / 8; i += THREADS) {
            const int r = i / (BN / 8), c = i % (BN / 8) * 8;
            *(threadgroup uint4 *)(ws + r * WS + c) = *(device const uint4 *)(wt + (k + r) * STRIDE + c);
        }
        threadgroup_barrier(mem_flags::mem_threadgroup); // all have written these tiles
        UNROLL
        for (int kk = 0; kk < BK; kk += 8) {
            simdgroup_half8x8 a[FM], b[FN];
            simdgroup_barrier(mem_flags::mem_none);
            UNROLL
            for (int i = 0; i < FM; i++)
                simdgroup_load(a[i], xs + (row + i * 8) * XS + kk, XS);
            simdgroup_barrier(mem_flags::mem_none);
            UNROLL
            for (int j = 0; j < FN; j++)
                simdgroup_load(b[j], ws + kk * WS + col + j * 8, WS);
            simdgroup_barrier(mem_flags::mem_none);
            multiply<FM, FN>(sums, a, b);
        }
    }
    finish<FM, FN>(sums, w, y, residual, starts, sum, rows + row, cols + col, scratches + simd * 64, lane);
}

template [[host_name("linear_64x64x32_2x2")]] [[kernel]] decltype(linear<64, 64, 32, 2, 2>) linear<64, 64, 32, 2, 2>;
template [[host_name("linear_64x64x16_1x2")]] [[kernel]] decltype(linear<64, 64, 16, 1, 2>) linear<64, 64, 16, 1, 2>;
template [[host_name("linear_64x64x16_2x2")]] [[kernel]] decltype(linear<64, 64, 16, 2, 2>) linear<64, 64, 16, 2, 2>;
template [[host_name("linear_64x32x32_2x2")]] [[kernel]] decltype(linear<64, 32, 32, 2, 2>) linear<64, 32, 32, 2, 2>;
template [[host_name("linear_48x48x32_2x2")]] [[kernel]] decltype(linear<48, 48, 32, 2, 2>) linear<48, 48, 32, 2, 2>;
