// The threads that run threadgroups side by side, and how the process ends when a
// kernel does what it must not.
#include "machine.h"
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace metal {
namespace emulator {

int dispatchRunning;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t begin = PTHREAD_COND_INITIALIZER, done = PTHREAD_COND_INITIALIZER;
static const Dispatch *current;
static unsigned generation;  // of current
static int busy;             // workers that are not done with it
static unsigned long taken;  // threadgroups of current

void die(const char *format, ...) {
  static int dying;
  while (__atomic_exchange_n(&dying, 1, __ATOMIC_SEQ_CST))
    pause(); // another thread has begun to
  char what[512], line[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  int n = 0;
  if (worker && worker->group.dispatch) {
    const Group &g = worker->group;
    n = snprintf(line, sizeof line, "die %d threadgroup (%u, %u)", dispatchRunning, g.at[0], g.at[1]);
    if (running)
      n += snprintf(line + n, sizeof line - n, ", thread %u", running->index);
    n += snprintf(line + n, sizeof line - n, ": %s\n", what);
  } else {
    n = snprintf(line, sizeof line, "die %d %s\n", dispatchRunning, what);
  }
  if (write(1, line, n) != n)
    _exit(2);
  _exit(1);
}

static void fault(int signal, siginfo_t *info, void *) {
  if (signal == SIGFPE)
    die("integer division by zero");
  if (signal == SIGILL)
    die("trap");
  char where[200];
  describe(static_cast<char *>(info->si_addr), where, sizeof where);
  die("fault: read or write %s", info->si_addr ? where : "of null or not aligned");
}

void catchFaults() {
  stack_t stack = {};
  stack.ss_size = 64 << 10;
  stack.ss_sp = malloc(stack.ss_size);
  sigaltstack(&stack, nullptr);
  struct sigaction action = {};
  action.sa_sigaction = fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
  for (int s : signals)
    sigaction(s, &action, nullptr);
}

static Worker *newWorker() {
  Worker *w = static_cast<Worker *>(calloc(1, sizeof(Worker)));
  if (!w)
    die("no memory for a worker");
  prepareWorker(*w);
  catchFaults();
  return w;
}

static void work(const Dispatch &d) {
  unsigned long groups = (unsigned long)d.groups[0] * d.groups[1];
  for (;;) {
    unsigned long i = __atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED);
    if (i >= groups)
      break;
    runGroup(*worker, d, i % d.groups[0], i / d.groups[0]);
  }
  worker->group.dispatch = nullptr;
}

static void *loop(void *) {
  worker = newWorker();
  unsigned seen = 0;
  for (;;) {
    pthread_mutex_lock(&lock);
    while (generation == seen)
      pthread_cond_wait(&begin, &lock);
    seen = generation;
    const Dispatch *d = current;
    pthread_mutex_unlock(&lock);
    work(*d);
    pthread_mutex_lock(&lock);
    if (--busy == 0)
      pthread_cond_signal(&done);
    pthread_mutex_unlock(&lock);
  }
}

void startWorkers() {
  worker = newWorker(); // the main thread is one too
  for (int i = 1; i < options.workers; i++) {
    pthread_t thread;
    if (pthread_create(&thread, nullptr, loop, nullptr))
      die("no thread for a worker");
  }
}

void run(const Dispatch &d) {
  taken = 0;
  pthread_mutex_lock(&lock);
  current = &d;
  busy = options.workers - 1;
  generation++;
  pthread_cond_broadcast(&begin);
  pthread_mutex_unlock(&lock);
  work(d);
  pthread_mutex_lock(&lock);
  while (busy)
    pthread_cond_wait(&done, &lock);
  pthread_mutex_unlock(&lock);
}

} // namespace emulator
} // namespace metal
