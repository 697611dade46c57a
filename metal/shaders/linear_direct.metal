// linear_direct is linear with fragments that are loaded directly from device memory,
// through the cache. It needs no threadgroup memory for tiles and no barriers, but the
// simdgroups of a threadgroup load some fragments more than once. Its operands are those of
// linear.
//
// IN is a multiple of DIRECT_STEP. The loop over DIRECT_STEP inputs is unrolled, so that
// the next fragments can be loaded before the products of these are done.

constant constexpr uint DIRECT_STEP = 32;

template <int BM, int BN, int SM, int SN>
[[kernel]] void linear_direct(
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
    constexpr int FM = BM / SM / 8, FN = BN / SN / 8;
    threadgroup float scratches[SM * SN * 64];

    const uint row = group.y * BM + simd / SN * (BM / SM), col = FIRST + group.x * BN + simd % SN * (BN / SN);
    device const half *xt = x + ulong(row) * IN;
    device const half *wt = w + col;

    simdgroup_float8x8 sums[FM][FN];
    UNROLL
    for (int i = 0; i < FM; i++) {
        UNROLL
        for (int j = 0; j < FN; j++)
            sums[i][j] = make_filled_simdgroup_matrix<float, 8, 8>(0.0f);
    }

    for (uint step = 0; step < IN; step += DIRECT_STEP) {
        UNROLL
        for (uint k = step; k < step + DIRECT_STEP; k += 8) {
            simdgroup_half8x8 a[FM], b[FN];
            simdgroup_barrier(mem_flags::mem_none);
            UNROLL
            for (int i = 0; i < FM; i++)
                simdgroup_load(a[i], xt + i * 8 * IN + k, IN);
            simdgroup_barrier(mem_flags::mem_none);
            UNROLL
            for (int j = 0; j < FN; j++)
                simdgroup_load(b[j], wt + k * STRIDE + j * 8, STRIDE);
            simdgroup_barrier(mem_flags::mem_none);
            multiply<FM, FN>(sums, a, b);
        }
    }
    finish<FM, FN>(sums, w, y, residual, starts, sum, row, col, scratches + simd * 64, lane);
}

template [[host_name("linear_32x32_1x1")]] [[kernel]] decltype(linear_direct<32, 32, 1, 1>) linear_direct<32, 32, 1, 1>;
