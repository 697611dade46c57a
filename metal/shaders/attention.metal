// attention: softmax(QKᵀ/√d)·V of every head (Vaswani et al. 2017, arXiv:1706.03762). The
// softmax is that of Milakov and Gimelshein 2018 (arXiv:1805.02867), which does not need
// all scores of a row at once. For each query it keeps the largest score so far, the sum of
// the weights and the weighted sum of V, and scales both sums down when a larger score
// comes.
//
//   qkv      tokens×3·HEADS·D half: Q, K, V of a token side by side. Wq and bq contain
//            the factor log2(e)/√d of the scores, so that exp2 replaces exp
//   items    for each threadgroup in x: the first token and the length of a sequence, and
//            the first of the 32 queries to compute
//   context  tokens×HEADS·D half
//
// A threadgroup computes one head. Each of its 4 simdgroups has 8 queries, in registers. K
// and V are loaded 32 keys at a time, with zeros beyond the sequence's end, because a
// weight of 0 does not make NaN harmless. A query beyond the end is computed if the
// simdgroup has a live one, but it is not written.

constant constexpr float MASK = -1e30f; // large, but finite: the compiler may assume that there is no infinity

template <int D>
[[kernel]] void attention(
    device const half *qkv [[buffer(0)]],
    device const uint4 *items [[buffer(1)]],
    device half *context [[buffer(2)]],
    uint2 group [[threadgroup_position_in_grid]],
    ushort simd [[simdgroup_index_in_threadgroup]],
    ushort lane [[thread_index_in_simdgroup]])
{
    constexpr int KEYS = 32, TS = D + 8; // halves in a row of the threadgroup's arrays
    threadgroup uint4 ks8[KEYS * TS / 8]; // 8 halves in each element, for the alignment
    threadgroup uint4 vs8[KEYS * TS / 8];
    threadgroup float scratches[4 * 64];

    threadgroup half *ks = (threadgroup half *)ks8, *vs = (threadgroup half *)vs8;
    threadgroup float *scratch = scratches + simd * 64;
    const uint4 item = items[group.x];
    const uint length = item.y, query = item.z + simd * 8;
    const uint stride = 3 * HEADS * D;
    device const half *q = qkv + ulong(item.x + query) * stride + group.y * D;
    device const half *k = qkv + ulong(item.x) * stride + (HEADS + group.y) * D;
    device const half *v = k + HEADS * D;
    const bool live = query < length; // true if the simdgroup has a live query

    simdgroup_half8x8 qs[D / 8];
    if (live) {
        UNROLL
        for (int d = 0; d < D / 8; d++)
            simdgroup_load(qs[d], q + d * 8, stride);
    }

    float largest = MASK, total = 0; // largest: of the lane's row; total: of the lane's columns in it
    float2 sum[D / 8];
    UNROLL
    for (int d = 0; d < D / 8; d++)
        sum[d] = float2(0.0f);

    for (uint key = 0; key < length; key += KEYS) {
        threadgroup_barrier(mem_flags::mem_threadgroup); // all have read the previous tiles
        for (int i = simd * 32 + lane; i < KEYS * D / 8; i += 128) {
            const int r = i / (D / 8), c = i % (D / 8) * 8;
            uint4 kv = uint4(0u), vv = uint4(0u);
            if (key + r < length) {
                kv = *(device const uint4 *)(k + ulong(key + r) * stride + c);
                vv = *(device const uint4 *)(v + ulong(key + r) * stride + c);
            }
            *(threadgroup uint4 *)(ks + r * TS + c) = kv;
            *(threadgroup uint4 *)(vs + r * TS + c) = vv;
        }
        threadgroup_barrier(mem_flags::mem_threadgroup); // all have written these tiles
        if (!live)
            continue;

        float2 s[KEYS / 8];
        float most = largest;
        UNROLL
        for (int j = 0; j < KEYS / 8; j++) {
            simdgroup_float8x8 scores = make_filled_simdgroup_matrix<float, 8, 8>(0.0f);
            UNROLL
            for (int d = 0; d < D / 8; d++) {
                simdgroup_half8x8 kt;
                simdgroup_load(kt, ks + j * 8 * TS + d * 8, TS, ulong2(0ul), true);
                simdgroup_multiply_accumulate(scores, qs[d], kt, scores);
            }
            s[j] = elements(scores, scratch, lane);
            const uint col = key + j * 8 + fragment_col(lane);
            if (col >= length)
                s[j].x = MASK;
            if (col + 1 >= length)
                s[j].y = MASK;
            most = max(most, max(s[j].x, s[j].y));
        }
        UNROLL
        for (int i = 0; i < 2; i++)
            most = max(most, simd_shuffle_xor(most, ROW_MATES[i]));

        const float shrink = exp2(largest - most);
        largest = most;
        total *= shrink;
        simdgroup_half8x8 weights[KEYS / 8];
        UNROLL
        for (int j = 0; j < KEYS / 8; j++) {
            const float2 p = exp2(s[j] - float2(most));
            total += p.x + p.y;
            weights[j] = as_fragment(p, scratch, lane);
        }
        UNROLL
        for (int d = 0; d < D / 8; d++) {
            simdgroup_float8x8 part = make_filled_simdgroup_matrix<float, 8, 8>(0.0f);
            UNROLL
            for (int j = 0; j < KEYS / 8; j++) {
                simdgroup_half8x8 vt;
                simdgroup_load(vt, vs + j * 8 * TS + d * 8, TS);
                simdgroup_multiply_accumulate(part, weights[j], vt, part);
            }
            sum[d] = sum[d] * shrink + elements(part, scratch, lane);
        }
    }
    UNROLL
    for (int i = 0; i < 2; i++)
        total += simd_shuffle_xor(total, ROW_MATES[i]);

    const uint at = query + fragment_row(lane);
    if (at >= length)
        return;
    device half *out = context + ulong(item.x + at) * HEADS * D + group.y * D + fragment_col(lane);
    UNROLL
    for (int d = 0; d < D / 8; d++)
        *(device half2 *)(out + d * 8) = narrow(sum[d] / total);
}

template [[host_name("attention_32")]] [[kernel]] decltype(attention<32>) attention<32>;
template [[host_name("attention_64")]] [[kernel]] decltype(attention<64>) attention<64>;
template [[host_name("attention_128")]] [[kernel]] decltype(attention<128>) attention<128>;
