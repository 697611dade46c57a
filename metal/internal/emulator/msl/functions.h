// Functions of numbers. They are overloads rather than templates, so that mixed
// arguments are as ambiguous as in Metal.
#pragma once

namespace metal {

#define EMULATOR_VECTOR1(T, N, NAME)                                           \
  inline vec<T, N> NAME(vec<T, N> x) {                                         \
    for (int i = 0; i < N; i++)                                                \
      x[i] = NAME(T(x[i]));                                                    \
    return x;                                                                  \
  }
#define EMULATOR_VECTOR2(T, N, NAME)                                           \
  inline vec<T, N> NAME(vec<T, N> x, vec<T, N> y) {                            \
    for (int i = 0; i < N; i++)                                                \
      x[i] = NAME(T(x[i]), T(y[i]));                                           \
    return x;                                                                  \
  }
#define EMULATOR_VECTOR3(T, N, NAME)                                           \
  inline vec<T, N> NAME(vec<T, N> x, vec<T, N> y, vec<T, N> z) {               \
    for (int i = 0; i < N; i++)                                                \
      x[i] = NAME(T(x[i]), T(y[i]), T(z[i]));                                  \
    return x;                                                                  \
  }
#define EMULATOR_ALL(VECTOR, T, NAME) VECTOR(T, 2, NAME) VECTOR(T, 3, NAME) VECTOR(T, 4, NAME)

// Of one float; halves go by way of float and are rounded once.
#define EMULATOR_UNARY(NAME, EXPRESSION)                                       \
  inline float NAME(float x) { return EXPRESSION; }                            \
  inline half NAME(half x) { return half(NAME(float(x))); }                    \
  EMULATOR_ALL(EMULATOR_VECTOR1, float, NAME)                                  \
  EMULATOR_ALL(EMULATOR_VECTOR1, half, NAME)
EMULATOR_UNARY(exp, __builtin_expf(x))
EMULATOR_UNARY(exp2, __builtin_exp2f(x))
EMULATOR_UNARY(log, __builtin_logf(x))
EMULATOR_UNARY(log2, __builtin_log2f(x))
EMULATOR_UNARY(sqrt, __builtin_sqrtf(x))
EMULATOR_UNARY(rsqrt, 1.0f / __builtin_sqrtf(x))
EMULATOR_UNARY(sin, __builtin_sinf(x))
EMULATOR_UNARY(cos, __builtin_cosf(x))
// Metal's fast tanh, which is tanh if fast math is on: (t-1)/(t+1), t = exp(2x).
EMULATOR_UNARY(tanh, (__builtin_expf(2 * x) - 1) / (__builtin_expf(2 * x) + 1))
namespace precise { EMULATOR_UNARY(tanh, __builtin_tanhf(x)) }
EMULATOR_UNARY(fabs, __builtin_fabsf(x))
EMULATOR_UNARY(abs, __builtin_fabsf(x))
EMULATOR_UNARY(floor, __builtin_floorf(x))
EMULATOR_UNARY(ceil, __builtin_ceilf(x))
EMULATOR_UNARY(trunc, __builtin_truncf(x))
EMULATOR_UNARY(rint, __builtin_rintf(x))
EMULATOR_UNARY(round, __builtin_roundf(x))
#undef EMULATOR_UNARY
inline int abs(int x) { return x < 0 ? -x : x; }

#define EMULATOR_BINARY(NAME, EXPRESSION)                                      \
  inline float NAME(float x, float y) { return EXPRESSION; }                   \
  inline half NAME(half x, half y) { return half(NAME(float(x), float(y))); }  \
  EMULATOR_ALL(EMULATOR_VECTOR2, float, NAME)                                  \
  EMULATOR_ALL(EMULATOR_VECTOR2, half, NAME)
EMULATOR_BINARY(copysign, __builtin_copysignf(x, y))
EMULATOR_BINARY(pow, __builtin_powf(x, y))
EMULATOR_BINARY(fmin, __builtin_fminf(x, y))
EMULATOR_BINARY(fmax, __builtin_fmaxf(x, y))
EMULATOR_BINARY(min, __builtin_fminf(x, y))
EMULATOR_BINARY(max, __builtin_fmaxf(x, y))
#undef EMULATOR_BINARY

inline float fma(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
inline half fma(half x, half y, half z) { return half(fma(float(x), float(y), float(z))); }
EMULATOR_ALL(EMULATOR_VECTOR3, float, fma)
EMULATOR_ALL(EMULATOR_VECTOR3, half, fma)

#define EMULATOR_INTEGER(T)                                                    \
  inline T min(T x, T y) { return y < x ? y : x; }                             \
  inline T max(T x, T y) { return x < y ? y : x; }                             \
  EMULATOR_ALL(EMULATOR_VECTOR2, T, min)                                       \
  EMULATOR_ALL(EMULATOR_VECTOR2, T, max)
EMULATOR_INTEGER(short)
EMULATOR_INTEGER(ushort)
EMULATOR_INTEGER(int)
EMULATOR_INTEGER(uint)
EMULATOR_INTEGER(long)
EMULATOR_INTEGER(ulong)
#undef EMULATOR_INTEGER

#define EMULATOR_CHOICE(T)                                                     \
  inline T clamp(T x, T low, T high) { return min(max(x, low), high); }        \
  EMULATOR_ALL(EMULATOR_VECTOR3, T, clamp)                                     \
  inline T select(T x, T y, bool c) { return c ? y : x; }
EMULATOR_CHOICE(half)
EMULATOR_CHOICE(float)
EMULATOR_CHOICE(short)
EMULATOR_CHOICE(ushort)
EMULATOR_CHOICE(int)
EMULATOR_CHOICE(uint)
EMULATOR_CHOICE(long)
EMULATOR_CHOICE(ulong)
#undef EMULATOR_CHOICE

inline bool isnan(float x) { return __builtin_isnan(x); }
inline bool isnan(half x) { return isnan(float(x)); }
inline bool isinf(float x) { return __builtin_isinf(x); }
inline bool isinf(half x) { return isinf(float(x)); }

template <typename T> T dot(vec<T, 2> x, vec<T, 2> y) { return x[0] * y[0] + x[1] * y[1]; }
template <typename T> T dot(vec<T, 3> x, vec<T, 3> y) { return x[0] * y[0] + x[1] * y[1] + x[2] * y[2]; }
template <typename T> T dot(vec<T, 4> x, vec<T, 4> y) {
  return x[0] * y[0] + x[1] * y[1] + x[2] * y[2] + x[3] * y[3];
}

#undef EMULATOR_ALL
#undef EMULATOR_VECTOR1
#undef EMULATOR_VECTOR2
#undef EMULATOR_VECTOR3

#define EMULATOR_AGAIN                                                         \
  using metal::exp; using metal::exp2; using metal::log; using metal::log2;    \
  using metal::sqrt; using metal::rsqrt; using metal::sin; using metal::cos;   \
  using metal::pow;
namespace fast { EMULATOR_AGAIN using metal::tanh; }
namespace precise { EMULATOR_AGAIN }
#undef EMULATOR_AGAIN

} // namespace metal
