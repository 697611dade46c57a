// LayerNorm (Ba et al. 2016, arXiv:1607.06450), with statistics in float. embed_norm starts
// the residual stream with x = LN(word + position + type) (Devlin et al. 2018,
// arXiv:1810.04805, fig. 2). norm ends each block with x = LN(x), after linear has added
// the block's product to x.
//
//   tokens  for each row {id, position + type·2¹⁶}
//   word, position, type  rows of WIDTH half
//   gain    WIDTH float, then the bias, WIDTH float
//   x       rows×WIDTH float, the residual stream
//   xh      x rounded to half, which products read
// 
// A simdgroup computes one row, in registers. A threadgroup has ROWS rows.

constant constexpr uint ROWS = 4;
constant constexpr int QUADS = 8; // groups of four channels that a lane has of the widest row: 1024 channels

// write_norm writes LN(v). Each lane has every 32nd group of four channels.
INLINE void write_norm(thread float4 *v, device const float *gain, device float *x, device half *xh, ushort lane) {
    float sum = 0;
    UNROLL
    for (int i = 0; i < QUADS; i++)
        if (uint(i * 128 + lane * 4) < WIDTH)
            sum += v[i].x + v[i].y + v[i].z + v[i].w;
    const float mean = simd_sum(sum) / HIDDEN;
    sum = 0;
    UNROLL
    for (int i = 0; i < QUADS; i++) {
        const uint c = i * 128 + lane * 4;
        if (c >= WIDTH)
            continue;
        v[i] -= float4(mean);
        // Padding does not count for the variance.
        if (c + 0 >= HIDDEN) v[i].x = 0;
        if (c + 1 >= HIDDEN) v[i].y = 0;
        if (c + 2 >= HIDDEN) v[i].z = 0;
        if (c + 3 >= HIDDEN) v[i].w = 0;
        sum += v[i].x * v[i].x + v[i].y * v[i].y + v[i].z * v[i].z + v[i].w * v[i].w;
    }
    const float scale = rsqrt(simd_sum(sum) / HIDDEN + EPS);
    UNROLL
    for (int i = 0; i < QUADS; i++) {
        const uint c = i * 128 + lane * 4;
        if (c >= WIDTH)
            continue;
        const float4 out = fma(v[i] * scale, *(device const float4 *)(gain + c), *(device const float4 *)(gain + WIDTH + c));
        *(device float4 *)(x + c) = out;
        *(device half4 *)(xh + c) = narrow(out);
    }
}

[[kernel]] void embed_norm(
    device const uint2 *tokens [[buffer(0)]],
    device const half *word [[buffer(1)]],
    device const half *position [[buffer(2)]],
    device const half *type [[buffer(3)]],
    device const float *gain [[buffer(4)]],
    device float *x [[buffer(5)]],
    device half *xh [[buffer(6)]],
    uint group [[threadgroup_position_in_grid]],
    ushort simd [[simdgroup_index_in_threadgroup]],
    ushort lane [[thread_index_in_simdgroup]])
{
    const ulong row = group * ROWS + simd;
    const uint2 token = tokens[row];
    device const half *w = word + ulong(token.x) * WIDTH;
    device const half *p = position + ulong(token.y & 0xffff) * WIDTH;
    device const half *t = type + ulong(token.y >> 16) * WIDTH;
    float4 v[QUADS];
    UNROLL
    for (int i = 0; i < QUADS; i++) {
        const uint c = i * 128 + lane * 4;
        if (c < WIDTH)
            v[i] = widen(*(device const half4 *)(w + c)) + widen(*(device const half4 *)(p + c)) + widen(*(device const half4 *)(t + c));
    }
    write_norm(v, gain, x + row * WIDTH, xh + row * WIDTH, lane);
}

[[kernel]] void norm(
    device float *x [[buffer(0)]],
    device const float *gain [[buffer(1)]],
    device half *xh [[buffer(2)]],
    uint group [[threadgroup_position_in_grid]],
    ushort simd [[simdgroup_index_in_threadgroup]],
    ushort lane [[thread_index_in_simdgroup]])
{
    const ulong row = group * ROWS + simd;
    float4 v[QUADS];
    UNROLL
    for (int i = 0; i < QUADS; i++) {
        const uint c = i * 128 + lane * 4;
        if (c < WIDTH)
            v[i] = *(device const float4 *)(x + row * WIDTH + c);
    }
    write_norm(v, gain, x + row * WIDTH, xh + row * WIDTH, lane);
}
