// Buffers: files that the parent maps too, each between pages that fault, and as
// near to the upper ones as alignment allows.
#include "machine.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

namespace metal {
namespace emulator {

struct Buffer {
  char *low;            // the first byte that does not fault
  size_t before, bytes; // slack before the buffer, and the buffer
  size_t mapped;
};

const unsigned most = 4096;
static Buffer buffers[most];

const char *mapBuffer(unsigned id, size_t bytes, const char *path) {
  if (id >= most)
    return "too many buffers";
  int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0)
    return strerror(errno);
  Buffer b = {};
  b.bytes = bytes;
  size_t aligned = (bytes + 15) & ~size_t(15);
  b.mapped = (aligned + page - 1) & ~(page - 1);
  b.before = b.mapped - aligned;
  void *all = mmap(nullptr, b.mapped + 2 * apart, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (all == MAP_FAILED)
    return strerror(errno);
  b.low = static_cast<char *>(all) + apart;
  void *at = mmap(b.low, b.mapped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0);
  close(file);
  if (at == MAP_FAILED)
    return strerror(errno);
  memset(b.low, slack, b.before);
  memset(b.low + b.before, poison, bytes);
  memset(b.low + b.before + bytes, slack, aligned - bytes);
  buffers[id] = b;
  return nullptr;
}

void freeBuffer(unsigned id) {
  Buffer &b = buffers[id];
  munmap(b.low - apart, b.mapped + 2 * apart);
  b = Buffer();
}

char *bufferAt(unsigned id) { return id < most && buffers[id].low ? buffers[id].low + buffers[id].before : nullptr; }

void checkSlack() {
  for (const Buffer &b : buffers) {
    const unsigned char *low = reinterpret_cast<unsigned char *>(b.low);
    for (size_t i = 0; i < b.before; i++)
      if (low[i] != slack)
        die("write %zu bytes before a buffer of %zu bytes", b.before - i, b.bytes);
    for (size_t i = b.before + b.bytes; i < b.mapped; i++)
      if (low[i] != slack)
        die("write %zu bytes past the end of a buffer of %zu bytes", i - b.before - b.bytes, b.bytes);
  }
}

void describe(const char *address, char *text, size_t size) {
  for (const Buffer &b : buffers) {
    if (!b.low || address < b.low - apart || address >= b.low + b.mapped + apart)
      continue;
    const char *begin = b.low + b.before, *end = begin + b.bytes;
    if (address < begin)
      snprintf(text, size, "%zd bytes before a buffer of %zu bytes", begin - address, b.bytes);
    else
      snprintf(text, size, "%zd bytes past the end of a buffer of %zu bytes", address - end, b.bytes);
    return;
  }
  snprintf(text, size, "at %p", static_cast<const void *>(address));
}

} // namespace emulator
} // namespace metal
