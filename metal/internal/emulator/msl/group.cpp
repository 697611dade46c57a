// How a threadgroup runs: each thread is a coroutine; a simdgroup runs until all
// its lanes wait at a barrier or have ended, and then the next one does.
#include "machine.h"
#include <string.h>
#include <sys/mman.h>

namespace metal {
namespace emulator {

__thread Lane *running;
__thread Worker *worker;

const size_t stackBytes = 128 << 10, arenaBytes = 64 << 10, gap = 256;

extern "C" void emulatorSwitch(void **from, void *to);
// It ends with a jump rather than a return, which the CPU would foretell wrongly.
asm(R"(
.text
.globl emulatorSwitch
emulatorSwitch:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  pop %rcx
  jmp *%rcx
)");

static void leave(State why) {
  Lane *lane = running;
  lane->state = why;
  emulatorSwitch(&lane->stack, worker->scheduler);
}

void meet(Action action) {
  running->action = action;
  leave(Meeting);
}

void wait(int barrier, int line) {
  running->barrier = barrier;
  running->line = line;
  leave(Barrier);
}

static void body() {
  const Group &g = *running->group;
  const Dispatch &d = *g.dispatch;
  Place place = {d.buffers, {d.groups[0], d.groups[1]}, {g.at[0], g.at[1]}, d.threads, running->index};
  d.kernel->call(place);
  leave(Ended);
  __builtin_trap();
}

static char *reserve(size_t bytes) {
  void *p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED)
    die("no memory for the emulator's stacks");
  return static_cast<char *>(p);
}

void prepareWorker(Worker &w) {
  w.stacks = reserve(maxThreads * stackBytes);
  char *arena = reserve(arenaBytes + 2 * page);
  mprotect(arena, page, PROT_NONE);
  mprotect(arena + page + arenaBytes, page, PROT_NONE);
  w.group.memory = arena + page;
}

// prepareLane puts a thread at its beginning.
static void prepareLane(Worker &w, unsigned i) {
  char *low = w.stacks + i * stackBytes;
  for (; w.prepared <= i; w.prepared++)
    mprotect(w.stacks + w.prepared * stackBytes, page, PROT_NONE);
  Lane &lane = w.lanes[i];
  lane = Lane();
  lane.group = &w.group;
  lane.index = i;
  lane.simd = i / 32;
  lane.lane = i % 32;
  lane.leader = lane.busy = i % 32 == 0;
  // Stacks that all begin at the same cache set would push each other out.
  void **top = reinterpret_cast<void **>(low + stackBytes - 64 - i % 64 * 320);
  *--top = nullptr; // body has no caller
  *--top = reinterpret_cast<void *>(body);
  for (int n = 0; n < 6; n++)
    *--top = nullptr;
  lane.stack = top;
}

static unsigned long draw(Worker &w, unsigned below) {
  w.random ^= w.random << 13;
  w.random ^= w.random >> 7;
  w.random ^= w.random << 17;
  return (w.random >> 11) % below;
}

// arrange says in which order n simdgroups or lanes run.
static void arrange(Worker &w, unsigned char *order, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    order[i] = options.order == 'r' ? n - 1 - i : i;
  if (options.order != 's')
    return;
  for (unsigned i = n - 1; i > 0; i--) {
    unsigned j = draw(w, i + 1);
    unsigned char other = order[i];
    order[i] = order[j];
    order[j] = other;
  }
}

static void runSimd(Worker &w, Lane *lanes) {
  unsigned char order[32];
  for (;;) {
    arrange(w, order, 32);
    for (int i = 0; i < 32; i++) {
      running = &lanes[order[i]];
      emulatorSwitch(&w.scheduler, running->stack);
    }
    for (int i = 1; i < 32; i++) {
      const Lane &a = lanes[0], &b = lanes[i];
      bool alike = a.state == b.state || (a.state != Meeting && b.state != Meeting);
      running = &lanes[i];
      if (!alike || a.operations != b.operations || (a.state == Meeting && a.action != b.action))
        die("divergent simdgroup operation: lane 0 %s after %u operations on matrices, lane %d %s after %u",
            a.state == Meeting ? "waits for its simdgroup" : "does not", a.operations, i,
            b.state == Meeting ? "waits for it" : "does not", b.operations);
    }
    if (lanes[0].state != Meeting)
      return;
    running = &lanes[0];
    lanes[0].action(lanes);
  }
}

// ended says whether all threads have ended, and dies where they wait at
// different barriers.
static bool ended(Worker &w, unsigned threads) {
  const Lane &a = w.lanes[0];
  for (unsigned i = 1; i < threads; i++) {
    const Lane &b = w.lanes[i];
    running = &w.lanes[i];
    if (a.state != b.state)
      die("divergent barrier: thread %u waits at line %d, thread %u has ended", a.state == Barrier ? 0 : i,
          a.state == Barrier ? a.line : b.line, a.state == Barrier ? i : 0);
    if (a.state == Barrier && a.barrier != b.barrier)
      die("divergent barrier: thread 0 waits at line %d, thread %u at line %d", a.line, i, b.line);
  }
  return a.state == Ended;
}

void *shared(unsigned number, size_t bytes, size_t align) {
  Group &g = *running->group;
  Array &a = g.arrays[number];
  if (a.at)
    return a.at;
  size_t rounded = (bytes + 15) & ~size_t(15);
  if (align > 16)
    die("threadgroup memory aligned to %zu bytes", align);
  g.bytes += rounded;
  if (g.bytes > 32768)
    die("%zu bytes of threadgroup memory, where 32768 are the most", g.bytes);
  a.at = g.memory + g.used;
  a.bytes = bytes;
  memset(a.at, poison, bytes);
  memset(a.at + bytes, slack, rounded - bytes + gap);
  g.used += rounded + gap;
  return a.at;
}

static void checkGaps(const Group &g) {
  const unsigned char *low = reinterpret_cast<unsigned char *>(g.memory);
  for (size_t i = 0; i < gap; i++)
    if (low[i] != slack)
      die("write before a threadgroup array");
  for (const Array &a : g.arrays) {
    const unsigned char *end = reinterpret_cast<unsigned char *>(a.at) + a.bytes;
    for (size_t i = 0; a.at && i < gap; i++)
      if (end[i] != slack)
        die("write %zu bytes past the end of a threadgroup array of %zu bytes, or before the next", i, a.bytes);
  }
}

void runGroup(Worker &w, const Dispatch &d, unsigned x, unsigned y) {
  Group &g = w.group;
  g.dispatch = &d;
  g.at[0] = x;
  g.at[1] = y;
  g.used = gap;
  g.bytes = 0;
  memset(g.memory, slack, gap);
  memset(g.arrays, 0, sizeof g.arrays);
  w.random = (options.seed + 1) * 0x9e3779b97f4a7c15 + (size_t(y) * d.groups[0] + x) * 0xd1342543de82ef95;
  w.random |= 1;
  for (unsigned i = 0; i < d.threads; i++)
    prepareLane(w, i);
  unsigned char order[maxThreads / 32];
  do {
    arrange(w, order, d.threads / 32);
    for (unsigned i = 0; i < d.threads / 32; i++)
      runSimd(w, w.lanes + order[i] * 32);
  } while (!ended(w, d.threads));
  checkGaps(g);
  running = nullptr;
}

} // namespace emulator
} // namespace metal
