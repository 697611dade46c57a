// head: wc·tanh(Wp·x_cls + bp) + bc, the pooler and the classifier of Devlin et al. 2018
// (arXiv:1810.04805), in float throughout.
//
//   x       rows×WIDTH float; with GATHER, sequence s has row starts[s]
//   w       Wp: WIDTH×WIDTH (inputs × outputs), bp: WIDTH, wc: WIDTH, bc, all float
//   starts  as in attention_cls
//   scores  a float for each sequence
// 
// A threadgroup computes one sequence.

constant constexpr uint HEAD_THREADS = 256;

[[kernel]] void head(
    device const float *x [[buffer(0)]],
    device const float *w [[buffer(1)]],
    device const uint *starts [[buffer(2)]],
    device float *scores [[buffer(3)]],
    uint group [[threadgroup_position_in_grid]],
    ushort simd [[simdgroup_index_in_threadgroup]],
    ushort lane [[thread_index_in_simdgroup]])
{
    threadgroup float row[QUADS * 128];
    threadgroup float parts[HEAD_THREADS / 32];

    const uint thread_index = simd * 32 + lane;
    device const float *from = x + ulong(GATHER ? starts[group] : group) * WIDTH;
    for (uint c = thread_index; c < WIDTH; c += HEAD_THREADS)
        row[c] = from[c];
    threadgroup_barrier(mem_flags::mem_threadgroup);

    device const float *bp = w + WIDTH * WIDTH, *wc = bp + WIDTH, *bc = wc + WIDTH;
    float logit = 0;
    for (uint o = thread_index; o < WIDTH; o += HEAD_THREADS) {
        float sum = bp[o];
        for (uint c = 0; c < WIDTH; c++)
            sum = fma(row[c], w[c * WIDTH + o], sum);
        logit = fma(wc[o], precise::tanh(sum), logit);
    }
    logit = simd_sum(logit);
    if (lane == 0)
        parts[simd] = logit;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    if (thread_index == 0) {
        logit = *bc;
        for (uint i = 0; i < HEAD_THREADS / 32; i++)
            logit += parts[i];
        scores[group] = logit;
    }
}
