// Barriers, and functions of a simdgroup's lanes.
#pragma once

namespace metal {
namespace emulator {

// barrier is a macro's target, to know where in the source a thread waits.
inline void barrier(mem_flags, int number, int line) { wait(number, line); }

template <typename T> void put(Slot &s, T x) {
  static_assert(sizeof(T) <= sizeof(Slot), "more than a slot holds");
  __builtin_memcpy(&s, &x, sizeof(T));
}

template <typename T> T get(const Slot &s) {
  T x;
  __builtin_memcpy(&x, &s, sizeof(T));
  return x;
}

// exchange gives x to the simdgroup and returns what the action makes of it.
template <typename T> T exchange(T x, Action action) {
  put(self()->give, x);
  meet(action);
  return get<T>(self()->take);
}

inline void pass(Lane *lanes) {
  for (int i = 0; i < 32; i++)
    lanes[i].take = lanes[i].give;
}

// Shuffle is what a lane gives to be shuffled: a value, and whose it wants.
template <typename T> struct Shuffle {
  T value;
  ushort from;
};

// shuffle: a lane past the last is as undefined as in Metal; here it is poison.
template <typename T> void shuffle(Lane *lanes) {
  for (int i = 0; i < 32; i++) {
    lanes[i].take.bits = ~0ul;
    ushort from = get<Shuffle<T>>(lanes[i].give).from;
    if (from < 32)
      put(lanes[i].take, get<Shuffle<T>>(lanes[from].give).value);
  }
}

template <typename T> T shuffled(T x, ushort from) {
  Shuffle<T> s = {x, from};
  put(self()->give, s);
  meet(shuffle<T>);
  return get<T>(self()->take);
}

// fold reduces in the order of the lanes. Apple does not say which it is; this one
// other emulators have too, so that scores can be compared bit for bit.
template <typename T, T (*F)(T, T)> void fold(Lane *lanes) {
  T x = get<T>(lanes[0].give);
  for (int i = 1; i < 32; i++)
    x = F(x, get<T>(lanes[i].give));
  for (int i = 0; i < 32; i++)
    put(lanes[i].take, x);
}

template <typename T> T add(T x, T y) { return x + y; }

} // namespace emulator

#define threadgroup_barrier(flags) emulator::barrier(flags, __COUNTER__, __LINE__)

// simdgroup_barrier with mem_none orders no memory, so lanes do not wait here: what
// relies on it is found.
inline void simdgroup_barrier(mem_flags flags) {
  if (flags != mem_flags::mem_none)
    emulator::meet(emulator::pass);
}

#define EMULATOR_SIMD(T)                                                       \
  inline T simd_sum(T x) { return emulator::exchange(x, emulator::fold<T, emulator::add<T>>); } \
  inline T simd_max(T x) { return emulator::exchange(x, emulator::fold<T, metal::max>); } \
  inline T simd_min(T x) { return emulator::exchange(x, emulator::fold<T, metal::min>); } \
  inline T simd_shuffle(T x, ushort lane) { return emulator::shuffled(x, lane); } \
  inline T simd_shuffle_xor(T x, ushort mask) { return emulator::shuffled(x, ushort(emulator::self()->lane ^ mask)); } \
  inline T simd_shuffle_down(T x, ushort n) { return emulator::shuffled(x, ushort(emulator::self()->lane + n)); } \
  inline T simd_shuffle_up(T x, ushort n) { return emulator::shuffled(x, ushort(emulator::self()->lane - n)); } \
  inline T simd_broadcast(T x, ushort lane) { return emulator::shuffled(x, lane); } \
  inline T simd_broadcast_first(T x) { return emulator::shuffled(x, ushort(0)); }
EMULATOR_SIMD(half)
EMULATOR_SIMD(float)
EMULATOR_SIMD(short)
EMULATOR_SIMD(ushort)
EMULATOR_SIMD(int)
EMULATOR_SIMD(uint)
#undef EMULATOR_SIMD

} // namespace metal
