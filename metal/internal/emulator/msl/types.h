#pragma once

typedef _Float16 half;
typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
typedef signed char int8_t;
typedef uchar uint8_t;
typedef short int16_t;
typedef ushort uint16_t;
typedef int int32_t;
typedef uint uint32_t;
typedef long int64_t;
typedef ulong uint64_t;
typedef ulong size_t;
typedef long ptrdiff_t;

namespace metal {

template <typename T, int N> using vec = T __attribute__((ext_vector_type(N)));

#define EMULATOR_VECTORS(T)                                                    \
  typedef vec<T, 2> T##2;                                                      \
  typedef vec<T, 3> T##3;                                                      \
  typedef vec<T, 4> T##4;
EMULATOR_VECTORS(half)
EMULATOR_VECTORS(float)
EMULATOR_VECTORS(char)
EMULATOR_VECTORS(uchar)
EMULATOR_VECTORS(short)
EMULATOR_VECTORS(ushort)
EMULATOR_VECTORS(int)
EMULATOR_VECTORS(uint)
EMULATOR_VECTORS(long)
EMULATOR_VECTORS(ulong)
#undef EMULATOR_VECTORS

template <typename T, typename U> T as_type(U x) { return __builtin_bit_cast(T, x); }

enum class mem_flags { mem_none = 0, mem_device = 1, mem_threadgroup = 2 };
inline mem_flags operator|(mem_flags a, mem_flags b) { return mem_flags(int(a) | int(b)); }

} // namespace metal
