// Matrices of a simdgroup. The leader, lane 0, holds all 64 elements and
// computes; the other lanes pass over. A lane has two elements of its own only
// between a call of thread_elements and the next operation on the matrix.
#pragma once

namespace metal {

template <typename T, int Columns, int Rows> class simdgroup_matrix;

namespace emulator {

template <typename T> using Matrix = simdgroup_matrix<T, 8, 8>;

// next counts an operation, and says whether this lane has a part in it. Most
// have not, 31 of 32 times: what comes before this is what the emulator's speed
// depends on.
inline __attribute__((always_inline)) bool next() {
  self()->operations++;
  return __builtin_expect(self()->busy, false);
}

} // namespace emulator

template <typename T> class simdgroup_matrix<T, 8, 8> {
public:
  typedef vec<T, 2> storage;

  simdgroup_matrix() : exposed(false) {
    if (emulator::self()->leader)
      emulator::fill(rows, __builtin_nanf(""), false);
  }
  explicit simdgroup_matrix(T diagonal) : exposed(false) {
    if (emulator::next() && emulator::self()->leader)
      emulator::fill(rows, float(diagonal), true);
  }
  simdgroup_matrix(const simdgroup_matrix &m) : exposed(false) { *this = m; }
  ~simdgroup_matrix() {
    if (emulator::self()->busy)
      hide();
  }
  simdgroup_matrix &operator=(const simdgroup_matrix &m) {
    if (!emulator::self()->busy)
      return *this; // neither has elements of this lane's
    if (!m.exposed) {
      hide();
      if (emulator::self()->leader)
        for (int i = 0; i < 8; i++)
          rows[i] = m.rows[i];
      return *this;
    }
    elements = m.elements;
    expose();
    return *this;
  }

  // thread_elements returns this lane's two elements. The reference is good until
  // the next operation on the matrix: it finds poison after that.
  thread storage &thread_elements() {
    emulator::next();
    if (!exposed) {
      emulator::self()->give.object = this;
      emulator::meet(scatter);
      expose();
    }
    return elements;
  }

  // read returns the leader's rows, with what lanes did to their elements.
  const emulator::Row *read() {
    if (exposed) {
      emulator::self()->give.object = this;
      emulator::meet(gather);
      elements = storage(T(__builtin_nanf("")));
      hide();
    }
    return rows;
  }

  // write returns the leader's rows to be overwritten.
  emulator::Row *write() {
    hide();
    return rows;
  }

private:
  void expose() { show(true); }
  void hide() { show(false); }
  void show(bool now) {
    emulator::Lane &lane = *emulator::self();
    lane.exposed += now - exposed;
    lane.busy = lane.leader || lane.exposed > 0;
    exposed = now;
  }
  static simdgroup_matrix &of(emulator::Lane &lane) {
    return *static_cast<simdgroup_matrix *>(lane.give.object);
  }
  static void scatter(emulator::Lane *lanes) {
    const float *all = reinterpret_cast<const float *>(of(lanes[0]).rows);
    for (int i = 0; i < 64; i++)
      of(lanes[i / 2]).elements[i % 2] = T(all[emulator::place[i]]);
  }
  static void gather(emulator::Lane *lanes) {
    float *all = reinterpret_cast<float *>(of(lanes[0]).rows);
    for (int i = 0; i < 64; i++)
      all[emulator::place[i]] = float(of(lanes[i / 2]).elements[i % 2]);
  }

  emulator::Row rows[8]; // in the leader only
  storage elements;      // while exposed
  bool exposed;
};

typedef simdgroup_matrix<float, 8, 8> simdgroup_float8x8;
typedef simdgroup_matrix<half, 8, 8> simdgroup_half8x8;

template <typename T, int Columns, int Rows, typename U>
simdgroup_matrix<T, Columns, Rows> make_filled_simdgroup_matrix(U value) {
  simdgroup_matrix<T, Columns, Rows> m;
  if (emulator::next() && emulator::self()->leader)
    emulator::fill(m.write(), float(T(value)), false);
  return m;
}

#ifdef STRICT
#define EMULATOR_BODY(...) ;
#else
#define EMULATOR_BODY(...) { __VA_ARGS__ }
#endif

// Transposed, row and column change places after the origin was gone to.
#define EMULATOR_MEMORY(SPACE)                                                 \
  template <typename T>                                                        \
  inline __attribute__((always_inline)) void                                   \
  simdgroup_load(thread emulator::Matrix<T> &m, const SPACE T *from, ulong stride = 8, \
                      ulong2 origin = ulong2(0ul), bool transpose = false) EMULATOR_BODY(   \
      if (!emulator::next())                                                   \
        return;                                                                \
      emulator::Row *d = m.write();                                            \
      if (emulator::self()->leader)                                              \
        emulator::load(d, from + origin.y * stride + origin.x, stride, transpose); \
  )                                                                            \
  template <typename T>                                                        \
  inline __attribute__((always_inline)) void                                   \
  simdgroup_store(thread emulator::Matrix<T> &m, SPACE T *to, ulong stride = 8, \
                       ulong2 origin = ulong2(0ul), bool transpose = false) EMULATOR_BODY(  \
      if (!emulator::next())                                                   \
        return;                                                                \
      const emulator::Row *s = m.read();                                       \
      if (emulator::self()->leader)                                              \
        emulator::store(s, to + origin.y * stride + origin.x, stride, transpose); \
  )
EMULATOR_MEMORY(device)
#ifdef STRICT
EMULATOR_MEMORY(threadgroup)
#endif
#undef EMULATOR_MEMORY
#undef EMULATOR_BODY

inline void emulator_multiply(emulator::Matrix<float> &, emulator::Row *d, const emulator::Row *a,
                              const emulator::Row *b, const emulator::Row *c) {
  emulator::multiply(d, a, b, c);
}
inline void emulator_multiply(emulator::Matrix<half> &, emulator::Row *d, const emulator::Row *a,
                              const emulator::Row *b, const emulator::Row *c) {
  emulator::multiplyHalf(d, a, b, c);
}

template <typename T, typename A, typename B>
__attribute__((noinline)) void emulator_multiply(emulator::Matrix<T> &d, emulator::Matrix<A> &a,
                                                 emulator::Matrix<B> &b, emulator::Matrix<T> &c) {
  const emulator::Row *ra = a.read(), *rb = b.read(), *rc = c.read();
  emulator::Row *rd = d.write();
  if (emulator::self()->leader)
    emulator_multiply(d, rd, ra, rb, rc);
}

template <typename T, typename A, typename B>
inline __attribute__((always_inline)) void
simdgroup_multiply_accumulate(thread emulator::Matrix<T> &d, thread emulator::Matrix<A> &a,
                              thread emulator::Matrix<B> &b, thread emulator::Matrix<T> &c) {
  if (emulator::next())
    emulator_multiply(d, a, b, c);
}

template <typename T, typename A, typename B>
void simdgroup_multiply(thread emulator::Matrix<T> &d, thread emulator::Matrix<A> &a,
                        thread emulator::Matrix<B> &b) {
  emulator::Matrix<T> zero = make_filled_simdgroup_matrix<T, 8, 8>(0.0f);
  simdgroup_multiply_accumulate(d, a, b, zero);
}

} // namespace metal
