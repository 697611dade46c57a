// attention_cls is attention for only the first token of each sequence, which is all that
// the last layer needs. One query is too few for fragments: a simdgroup computes one head
// of one sequence with vectors. It also computes the query itself, so that the product
// before it need not compute Q for every token.
//
//   x        tokens×WIDTH half, the hidden state
//   w        WIDTH×3·HEADS·D half, then the bias: as in linear, for Q
//   qkv      as in attention; Q is not read
//   starts   the first token of each sequence, and then the number of tokens
//   context  sequences×HEADS·D half

template <int D>
[[kernel]] void attention_cls(
    device const half *x [[buffer(0)]],
    device const half *w [[buffer(1)]],
    device const half *qkv [[buffer(2)]],
    device const uint *starts [[buffer(3)]],
    device half *context [[buffer(4)]],
    uint2 group [[threadgroup_position_in_grid]],
    ushort lane [[thread_index_in_simdgroup]])
{
    constexpr int PARTS = D / 32; // a lane has every 32nd value of the head
    threadgroup float4 q4[D / 4];

    threadgroup float *q = (threadgroup float *)q4;
    const uint start = starts[group.x], length = starts[group.x + 1] - start;
    const uint stride = 3 * HEADS * D, first = group.y * D + lane;
    device const float *bias = (device const float *)(w + ulong(WIDTH) * stride) + first;
    device const half *xc = x + ulong(start) * WIDTH;
    float sum[PARTS];
    UNROLL
    for (int i = 0; i < PARTS; i++)
        sum[i] = bias[i * 32];
    for (uint c = 0; c < WIDTH; c += 4) {
        const float4 v = widen(*(device const half4 *)(xc + c));
        UNROLL
        for (int i = 0; i < PARTS; i++) {
            device const half *at = w + c * stride + first + i * 32;
            sum[i] = fma(v.x, float(at[0]), sum[i]);
            sum[i] = fma(v.y, float(at[stride]), sum[i]);
            sum[i] = fma(v.z, float(at[2 * stride]), sum[i]);
            sum[i] = fma(v.w, float(at[3 * stride]), sum[i]);
        }
    }
    UNROLL
    for (int i = 0; i < PARTS; i++) {
        q[i * 32 + lane] = sum[i];
        sum[i] = 0;
    }
    simdgroup_barrier(mem_flags::mem_threadgroup);

    device const half *k = qkv + ulong(start) * stride + (HEADS + group.y) * D;
    device const half *v = k + HEADS * D + lane;
    float largest = MASK, total = 0;
    for (uint key = 0; key < length; key += 32) {
        float s = MASK; // the score of the lane's key
        if (key + lane < length) {
            device const half *at = k + ulong(key + lane) * stride;
            float4 products = float4(0.0f);
            for (int d = 0; d < D; d += 4)
                products = fma(widen(*(device const half4 *)(at + d)), q4[d / 4], products);
            s = products.x + products.y + (products.z + products.w);
        }
        const float most = max(largest, simd_max(s)), shrink = exp2(largest - most), p = exp2(s - most);
        largest = most;
        total = total * shrink + p;
        UNROLL
        for (int i = 0; i < PARTS; i++)
            sum[i] *= shrink;
        const ushort keys = min(length - key, 32u);
        for (ushort j = 0; j < keys; j++) {
            const float weight = simd_shuffle(p, j);
            UNROLL
            for (int i = 0; i < PARTS; i++)
                sum[i] = fma(weight, float(v[ulong(key + j) * stride + i * 32]), sum[i]);
        }
    }
    total = simd_sum(total);
    UNROLL
    for (int i = 0; i < PARTS; i++)
        context[(group.x * HEADS + group.y) * D + i * 32 + lane] = half(sum[i] / total);
}

template [[host_name("attention_cls_32")]] [[kernel]] decltype(attention_cls<32>) attention_cls<32>;
template [[host_name("attention_cls_64")]] [[kernel]] decltype(attention_cls<64>) attention_cls<64>;
template [[host_name("attention_cls_128")]] [[kernel]] decltype(attention_cls<128>) attention_cls<128>;
