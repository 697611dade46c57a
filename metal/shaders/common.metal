// What all shaders share. Operands of products are half; sums, the residual stream,
// statistics, softmax and GELU are float.
//
// Every size is a function constant. So the compiler can unroll loops and compute strides,
// and sizes need not be bound as arguments. Buffers have room for whole tiles. The rows
// beyond the live tokens are computed too, but what they contain is never read into a
// result. Channels are padded to whole tiles with zeros.

#include <metal_stdlib>
#include <metal_simdgroup_matrix>
using namespace metal;

// An array of fragments stays in registers only if every index is known to the compiler. So
// loops over such arrays are unrolled, and functions that take them are always inlined.
#define UNROLL _Pragma("clang loop unroll(full)")
#define INLINE inline __attribute__((always_inline))

constant uint HIDDEN [[function_constant(0)]]; // channels of the model
constant uint WIDTH [[function_constant(1)]];  // the same, padded
constant uint HEADS [[function_constant(2)]];
constant float EPS [[function_constant(3)]];   // of LayerNorm
constant bool MAPPED [[function_constant(4)]]; // thread_elements() are where fragment_row and fragment_col say
// Each of these is used by the kernels that it names:
constant uint IN [[function_constant(5)]];     // linear: inputs, padded
constant uint STRIDE [[function_constant(6)]]; // linear: outputs in a row of W and of y, padded
constant uint FIRST [[function_constant(7)]];  // linear: the first output to compute
constant bool GELU [[function_constant(8)]];   // linear: y = gelu(x·W + b)
constant bool ADD [[function_constant(9)]];    // linear: sum = residual + x·W + b
constant bool GATHER [[function_constant(10)]]; // linear, pool: starts says which rows of the residual stream are read
constant uint KIND [[function_constant(11)]];   // pool: what it makes of a sequence's rows

// The place of a lane's two elements in an 8×8 fragment: the row of both, and the column of
// the first; the second is right of it. Apple does not document where thread_elements()
// are. They have been here on every chip so far, and probe.metal checks it.
INLINE ushort fragment_row(ushort lane) { return lane / 16 * 4 + lane / 2 % 4; }
INLINE ushort fragment_col(ushort lane) { return lane / 8 % 2 * 4 + lane % 2 * 2; }

// The lanes that hold the other elements of the same row differ in these bits of the lane
// number.
constant constexpr ushort ROW_MATES[2] = {1, 8};

// elements returns a lane's two elements of a fragment. If thread_elements() are elsewhere,
// it goes through the simdgroup's 64 floats of scratch memory.
INLINE float2 elements(simdgroup_float8x8 m, threadgroup float *scratch, ushort lane) {
    float2 v;
    if (MAPPED) {
        v.x = m.thread_elements()[0];
        v.y = m.thread_elements()[1];
        return v;
    }
    simdgroup_barrier(mem_flags::mem_threadgroup); // other lanes may still be reading the previous contents
    simdgroup_store(m, scratch, 8);
    simdgroup_barrier(mem_flags::mem_threadgroup);
    threadgroup const float *at = scratch + fragment_row(lane) * 8 + fragment_col(lane);
    v.x = at[0];
    v.y = at[1];
    return v;
}

// as_fragment is the reverse of elements, for half.
INLINE simdgroup_half8x8 as_fragment(float2 v, threadgroup float *scratch, ushort lane) {
    simdgroup_half8x8 m;
    if (MAPPED) {
        m.thread_elements()[0] = half(v.x);
        m.thread_elements()[1] = half(v.y);
        return m;
    }
    threadgroup half *halves = (threadgroup half *)scratch;
    simdgroup_barrier(mem_flags::mem_threadgroup);
    threadgroup half *at = halves + fragment_row(lane) * 8 + fragment_col(lane);
    at[0] = half(v.x);
    at[1] = half(v.y);
    simdgroup_barrier(mem_flags::mem_threadgroup);
    simdgroup_load(m, halves, 8);
    return m;
}

// Vectors are converted component by component, because Metal and the compilers of our
// tests agree on no other way.
INLINE float4 widen(half4 h) {
    float4 f;
    f.x = h.x, f.y = h.y, f.z = h.z, f.w = h.w;
    return f;
}

INLINE half4 narrow(float4 f) {
    half4 h;
    h.x = half(f.x), h.y = half(f.y), h.z = half(f.z), h.w = half(f.w);
    return h;
}

INLINE half2 narrow(float2 f) {
    half2 h;
    h.x = half(f.x), h.y = half(f.y);
    return h;
}

// gelu is x·Φ(x) = x/2·(1 + erf(x/√2)) (Hendrycks and Gimpel 2016, arXiv:1606.08415). Its
// error is at most 2.5·2⁻²⁴·|x|. For |x| ≤ 5.5, Φ(x) = 1/2 + x·P(s) with s = 2x²/5.5² - 1;
// beyond, Φ is 0 or 1. The polynomial P is that of the CPU's kernels. Unlike the usual
// forms of erf it needs no division and no exponential.
INLINE float2 gelu(float2 x) {
    const float2 near = clamp(x, float2(-5.5f), float2(5.5f));
    const float2 s = fma(near * near, float2(0.06611569970846176f), float2(-1.0f));
    float2 p = float2(-0.00021709657448809594f);
    p = fma(p, s, float2(0.0006267166463658214f));
    p = fma(p, s, float2(-0.0005967837059870362f));
    p = fma(p, s, float2(0.0007358465227298439f));
    p = fma(p, s, float2(-0.002324376255273819f));
    p = fma(p, s, float2(0.004601799417287111f));
    p = fma(p, s, float2(-0.006886421237140894f));
    p = fma(p, s, float2(0.01024031825363636f));
    p = fma(p, s, float2(-0.014974120073020458f));
    p = fma(p, s, float2(0.020360590890049934f));
    p = fma(p, s, float2(-0.02605302818119526f));
    p = fma(p, s, float2(0.03207085654139519f));
    p = fma(p, s, float2(-0.038792386651039124f));
    p = fma(p, s, float2(0.047737594693899155f));
    p = fma(p, s, float2(-0.06417234987020493f));
    p = fma(p, s, float2(0.1285519301891327f));
    return x * fma(near, p, float2(0.5f));
}
