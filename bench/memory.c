#include "bench/memory.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define KEEP ((size_t)64 << 20)

static char *memory;
static size_t have;

char *bench_memory(size_t bytes) {
  if (bytes <= have) return memory;
  if (memory) munmap(memory, have);
  memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  have = memory == MAP_FAILED ? 0 : bytes;
  return have ? memory : (memory = NULL);
}

void bench_memory_release(void) {
  if (have <= KEEP) return;
  munmap(memory, have);
  memory = NULL;
  have = 0;
}

void bench_repeat(char *to, size_t first, size_t bytes) {
  for (size_t at = first, part; at < bytes; at += part) {
    part = bytes - at < at ? bytes - at : at;
    memcpy(to + at, to, part);
  }
}

double bench_random(size_t i) {
  static uint64_t state;
  if (i == 0) state = 88172645463325252u;
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return (double)(state >> 40) * 0x1p-24 - 0.5;
}
