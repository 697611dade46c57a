// What the shaders' side and the runtime share. It includes nothing, so that a
// shader sees no name of C's library.
#pragma once

namespace metal {
namespace emulator {

struct Lane;
struct Group;

// Action is what one rendezvous of a simdgroup does, once, for its 32 lanes.
typedef void (*Action)(Lane *lanes);

// Slot is room for what a lane gives to, or takes from, its simdgroup.
union Slot {
  unsigned long bits;
  void *object;
};

enum State : unsigned char { Running, Meeting, Barrier, Ended };

// Lane is a GPU thread: a coroutine of the worker that runs its threadgroup.
struct Lane {
  void *stack; // its stack pointer while it does not run
  Group *group;
  Action action;    // of the rendezvous it waits for
  Slot give, take;  // take is written by actions only
  unsigned operations; // on matrices, so far; the same in all lanes
  int exposed;         // matrices whose elements the lanes have; likewise
  int barrier, line;        // where it waits
  unsigned short index, simd, lane; // index in the threadgroup
  State state;
  bool leader; // holds the simdgroup's matrices
  bool busy;   // leader, or exposed: has something to do at an operation
};

// running is the lane that this OS thread runs.
extern __thread Lane *running asm("emulatorRunning") __attribute__((tls_model("local-exec")));

// self is running as a lane sees it, where it never changes: so the compiler may
// keep it, and with it what it points to, which matters for speed.
inline Lane *self() {
  Lane *lane;
  asm("mov %%fs:emulatorRunning@tpoff, %0" : "=r"(lane));
  return lane;
}

// meet waits for the other lanes of the simdgroup; action then runs once.
void meet(Action action);
// wait waits for the other threads of the threadgroup.
void wait(int barrier, int line);
// shared returns the threadgroup's array with this number.
void *shared(unsigned number, unsigned long bytes, unsigned long align);

typedef float Row __attribute__((ext_vector_type(8)));

// What a leader does with its matrices, rows of 8 floats, whatever their type.
void fill(Row *d, float value, bool diagonal);
void multiply(Row *d, const Row *a, const Row *b, const Row *c);
void multiplyHalf(Row *d, const Row *a, const Row *b, const Row *c); // rounds to half at each step
void load(Row *d, const float *from, unsigned long stride, bool transpose);
void load(Row *d, const _Float16 *from, unsigned long stride, bool transpose);
void store(const Row *s, float *to, unsigned long stride, bool transpose);
void store(const Row *s, _Float16 *to, unsigned long stride, bool transpose);

// place[2*lane + i] is 8*row + column of that lane's element i.
extern unsigned char place[64];

// Place is where a thread is, and what it was given.
struct Place {
  char *const *buffers;
  unsigned groups[2], group[2], threads, index;
};

// Parameter is what a kernel's parameter asks of the buffer bound to it.
struct Parameter {
  unsigned align, bytes; // 0, 0: not a buffer's
};

struct Kernel {
  const char *name;
  void (*call)(const Place &);
  const Parameter *parameters;
  const signed char *index; // of each parameter's buffer, or -1
  int count;
};

// These are in what is generated after the shaders.
extern const Kernel kernels[];
extern const int kernelCount;
void setConstants(const unsigned *values);

} // namespace emulator
} // namespace metal
