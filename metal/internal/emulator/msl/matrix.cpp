// What a leader does with its simdgroup's matrices.
#include "runtime.h"

namespace metal {
namespace emulator {

unsigned char place[64];

typedef _Float16 HalfRow __attribute__((ext_vector_type(8)));

void fill(Row *d, float value, bool diagonal) {
  for (int i = 0; i < 8; i++) {
    d[i] = diagonal ? Row(0.0f) : Row(value);
    if (diagonal)
      d[i][i] = value;
  }
}

static inline Row fused(float a, Row b, Row c) {
#pragma clang fp contract(fast)
  return a * b + c;
}

// multiply: d = a*b + c, 8×8, in the order of k from 0 to 7, fused, in float.
void multiply(Row *d, const Row *a, const Row *b, const Row *c) {
  Row sum[8];
#pragma unroll
  for (int i = 0; i < 8; i++)
    sum[i] = c[i];
#pragma unroll
  for (int k = 0; k < 8; k++)
#pragma unroll
    for (int i = 0; i < 8; i++)
      sum[i] = fused(reinterpret_cast<const float *>(a)[8 * i + k], b[k], sum[i]);
#pragma unroll
  for (int i = 0; i < 8; i++)
    d[i] = sum[i];
}

static inline Row rounded(Row x) {
  return __builtin_convertvector(__builtin_convertvector(x, HalfRow), Row);
}

void multiplyHalf(Row *d, const Row *a, const Row *b, const Row *c) {
  Row sum[8];
  for (int i = 0; i < 8; i++)
    sum[i] = c[i];
  for (int k = 0; k < 8; k++)
    for (int i = 0; i < 8; i++)
      sum[i] = rounded(fused(reinterpret_cast<const float *>(a)[8 * i + k], b[k], sum[i]));
  for (int i = 0; i < 8; i++)
    d[i] = sum[i];
}

template <typename T> static inline void loadAny(Row *d, const T *from, unsigned long stride, bool transpose) {
  typedef T Memory __attribute__((ext_vector_type(8)));
  for (int i = 0; i < 8; i++, from += stride) {
    Memory m;
    __builtin_memcpy(&m, from, sizeof m);
    Row row = __builtin_convertvector(m, Row);
    if (!transpose)
      d[i] = row;
    else
      for (int j = 0; j < 8; j++)
        reinterpret_cast<float *>(d)[8 * j + i] = row[j];
  }
}

template <typename T> static inline void storeAny(const Row *s, T *to, unsigned long stride, bool transpose) {
  typedef T Memory __attribute__((ext_vector_type(8)));
  for (int i = 0; i < 8; i++, to += stride) {
    Row row = s[i];
    if (transpose)
      for (int j = 0; j < 8; j++)
        row[j] = reinterpret_cast<const float *>(s)[8 * j + i];
    Memory m = __builtin_convertvector(row, Memory);
    __builtin_memcpy(to, &m, sizeof m);
  }
}

void load(Row *d, const float *from, unsigned long stride, bool transpose) { loadAny(d, from, stride, transpose); }
void load(Row *d, const _Float16 *from, unsigned long stride, bool transpose) { loadAny(d, from, stride, transpose); }
void store(const Row *s, float *to, unsigned long stride, bool transpose) { storeAny(s, to, stride, transpose); }
void store(const Row *s, _Float16 *to, unsigned long stride, bool transpose) { storeAny(s, to, stride, transpose); }

} // namespace emulator
} // namespace metal
