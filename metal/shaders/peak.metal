// peak only multiplies fragments in registers. What a chip reaches with it is the peak, of
// which FLOP/s are given as a share. Each simdgroup has SUMS sums, which do not wait for
// each other, and adds PEAK_STEPS products to each.
//
//   found  a float for each threadgroup: the value of a sum, which is PEAK_STEPS

constant constexpr int SUMS = 16;
constant constexpr int PEAK_STEPS = 64;

[[kernel]] void peak(
    device float *found [[buffer(0)]],
    uint group [[threadgroup_position_in_grid]],
    ushort simd [[simdgroup_index_in_threadgroup]],
    ushort lane [[thread_index_in_simdgroup]])
{
    threadgroup float results[4 * 64];
    simdgroup_half8x8 a = make_filled_simdgroup_matrix<half, 8, 8>(half(1.0f));
    simdgroup_half8x8 b = make_filled_simdgroup_matrix<half, 8, 8>(half(0.125f));
    simdgroup_float8x8 sums[SUMS];
    UNROLL
    for (int i = 0; i < SUMS; i++)
        sums[i] = make_filled_simdgroup_matrix<float, 8, 8>(0.0f);
    for (int step = 0; step < PEAK_STEPS; step++) {
        UNROLL
        for (int i = 0; i < SUMS; i++)
            simdgroup_multiply_accumulate(sums[i], a, b, sums[i]);
    }
    // Every sum is part of the result, so that the compiler removes none.
    float total = 0;
    UNROLL
    for (int i = 0; i < SUMS; i++) {
        simdgroup_barrier(mem_flags::mem_threadgroup);
        simdgroup_store(sums[i], results + simd * 64, 8);
        simdgroup_barrier(mem_flags::mem_threadgroup);
        total += results[simd * 64 + lane] / SUMS;
    }
    if (simd == 0 && lane == 0)
        found[group] = total;
}
