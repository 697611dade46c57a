// The runtime's own side: workers that run threadgroups, and memory.
#pragma once
#include "runtime.h"
#include <stddef.h>

namespace metal {
namespace emulator {

const unsigned maxThreads = 1024, maxArrays = 64, maxBuffers = 31;

// Options as the command line has them.
struct Options {
  char order;         // 'f', 'r' or 's'
  unsigned long seed; // of 's'
  bool otherLanes;
  int workers;
};

// Dispatch is one run of a kernel.
struct Dispatch {
  const Kernel *kernel;
  unsigned threads, groups[2];
  char *buffers[maxBuffers];
  unsigned constants[64];
};

// Array is one of a threadgroup's.
struct Array {
  char *at;
  size_t bytes;
};

// Group is the threadgroup that a worker runs.
struct Group {
  const Dispatch *dispatch;
  unsigned at[2];
  char *memory;  // of its arrays, with gaps
  size_t used;   // of memory, gaps included
  size_t bytes;  // of the arrays
  Array arrays[maxArrays]; // by number
};

// Worker runs threadgroups, one at a time.
struct Worker {
  Group group;
  Lane lanes[maxThreads];
  char *stacks;
  unsigned prepared; // stacks that have their guard page
  void *scheduler;   // its stack pointer while a lane runs
  unsigned long random;
};

extern Options options;
extern __thread Worker *worker;

void prepareWorker(Worker &);
void runGroup(Worker &, const Dispatch &, unsigned x, unsigned y);

// run runs a dispatch on all workers.
void startWorkers();
void run(const Dispatch &);

// die reports what a kernel did and ends the process.
[[noreturn]] void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
void catchFaults();       // of this thread
extern int dispatchRunning;       // number of the dispatch that runs, in its command buffer

// Memory that the parent maps too.
const size_t page = 4096, apart = 16 << 20;
const unsigned char slack = 0xfd, poison = 0xff;
const char *mapBuffer(unsigned id, size_t bytes, const char *path); // returns an error or null
void freeBuffer(unsigned id);
char *bufferAt(unsigned id);
void checkSlack();
// describe says where an address is, seen from the nearest buffer.
void describe(const char *address, char *text, size_t size);

} // namespace emulator
} // namespace metal
