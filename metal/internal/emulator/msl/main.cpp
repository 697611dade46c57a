// The emulator's process: it reads commands, a line each, and answers them.
//
//	map ID BYTES PATH     ok, or no REASON
//	free ID               ok
//	dispatch KERNEL THREADS X Y CONSTANTS VALUE... BUFFERS (ID OFFSET)...
//	                      no answer; ID -1 is no buffer
//	run                   ok ALL EACH..., in nanoseconds, or die DISPATCH REASON
//
// It says first what the kernels' parameters ask for, and then that it is ready.
#include "machine.h"
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <vector>

namespace metal {
namespace emulator {

Options options;

static long now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

// watch ends the process with its parent, also while a kernel runs for ever.
static void *watch(void *) {
  pollfd in = {0, 0, 0};
  while (poll(&in, 1, -1) < 1 || !(in.revents & (POLLHUP | POLLERR)))
    ;
  _exit(0);
}

static void setLanes() {
  for (int i = 0; i < 64; i++) {
    int lane = i / 2;
    int row = (lane >> 4 & 1) * 4 + (lane >> 1 & 3), column = (lane >> 3 & 1) * 4 + (lane & 1) * 2 + i % 2;
    place[i] = options.otherLanes ? (i * 37 + 11) % 64 : row * 8 + column;
  }
}

static Dispatch parse(const char *line) {
  char *at = const_cast<char *>(line);
  auto number = [&] { return strtoul(at, &at, 10); };
  Dispatch d = {};
  d.kernel = &kernels[number()];
  d.threads = number();
  d.groups[0] = number();
  d.groups[1] = number();
  for (unsigned long i = 0, n = number(); i < n; i++)
    d.constants[i] = number();
  for (unsigned long i = 0, n = number(); i < n; i++) {
    char *base = bufferAt(number());
    unsigned long offset = number();
    d.buffers[i] = base ? base + offset : nullptr;
  }
  return d;
}

static void runAll(const std::vector<Dispatch> &work) {
  std::vector<long> each;
  long begin = now();
  for (const Dispatch &d : work) {
    dispatchRunning = each.size();
    long start = now();
    setConstants(d.constants);
    run(d);
    checkSlack();
    each.push_back(now() - start);
  }
  printf("ok %ld", now() - begin);
  for (long t : each)
    printf(" %ld", t);
  printf("\n");
}

static void introduce() {
  for (int i = 0; i < kernelCount; i++) {
    const Kernel &k = kernels[i];
    printf("kernel");
    for (int p = 0; p < k.count; p++)
      if (k.index[p] >= 0)
        printf(" %d %u %u", k.index[p], k.parameters[p].align, k.parameters[p].bytes);
    printf("\n");
  }
  printf("ready\n");
}

static int serve() {
  char line[4096], path[1024];
  unsigned id;
  size_t bytes;
  std::vector<Dispatch> work;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "map %u %zu %1023s", &id, &bytes, path) == 3) {
      const char *reason = mapBuffer(id, bytes, path);
      reason ? printf("no %s\n", reason) : printf("ok\n");
    } else if (sscanf(line, "free %u", &id) == 1) {
      freeBuffer(id);
      printf("ok\n");
    } else if (!strncmp(line, "dispatch ", 9)) {
      work.push_back(parse(line + 9));
      continue;
    } else if (!strcmp(line, "run\n")) {
      runAll(work);
      work.clear();
    } else {
      printf("no such command: %s", line);
    }
    fflush(stdout);
  }
  return 0;
}

} // namespace emulator
} // namespace metal

// main's arguments: ORDER SEED OTHERLANES WORKERS.
int main(int count, char **arguments) {
  using namespace metal::emulator;
  if (count != 5)
    return 2;
  options.order = arguments[1][0];
  options.seed = strtoul(arguments[2], nullptr, 10);
  options.otherLanes = atoi(arguments[3]);
  options.workers = atoi(arguments[4]);
  setLanes();
  pthread_t watcher;
  if (pthread_create(&watcher, nullptr, watch, nullptr))
    return 2;
  startWorkers();
  introduce();
  fflush(stdout);
  return serve();
}
