// What the code that is generated after the shaders uses.
#pragma once

namespace metal {
namespace emulator {

// Pointer, Reference and Position become whatever a kernel's parameter asks for.
struct Pointer {
  char *at;
  template <typename T> operator T *() const { return reinterpret_cast<T *>(at); }
};
struct Reference {
  char *at;
  template <typename T> operator T &() const { return *reinterpret_cast<T *>(at); }
};
struct Position {
  uint x, y, z;
  operator uint() const { return x; }
  operator ushort() const { return ushort(x); }
  operator uint2() const { return uint2{x, y}; }
  operator ushort2() const { return ushort2{ushort(x), ushort(y)}; }
  operator uint3() const { return uint3{x, y, z}; }
  operator ushort3() const { return ushort3{ushort(x), ushort(y), ushort(z)}; }
};

template <typename T> struct Ask {
  static constexpr Parameter value() { return {0, 0}; }
};
template <typename T> struct Ask<T *> {
  static constexpr Parameter value() { return {alignof(T), sizeof(T)}; }
};
template <typename T> struct Ask<T &> {
  static constexpr Parameter value() { return {alignof(T), sizeof(T)}; }
};

template <typename... A> const Parameter *describe(void (*)(A...)) {
  static const Parameter all[] = {Ask<A>::value()..., {0, 0}};
  return all;
}

template <typename T, unsigned Number> T &shared() {
  return *static_cast<T *>(shared(Number, sizeof(T), alignof(T)));
}

} // namespace emulator
} // namespace metal
