#include "test/kernels/guard.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAINT 0xc3
#define MARGIN 512
#define HANG_SECONDS 120

struct arena arena_create(size_t bytes) {
  unsigned char *all = mmap(NULL, bytes + 2 * GUARD_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED || mprotect(all + GUARD_BYTES, bytes, PROT_READ | PROT_WRITE) != 0) {
    perror("no memory for a guarded operand");
    exit(2);
  }
  return (struct arena){all + GUARD_BYTES, bytes};
}

unsigned char *arena_place(const struct arena *arena, size_t bytes, enum place place, size_t slack) {
  if (bytes + slack > arena->bytes) {
    fprintf(stderr, "a test operand of %zu bytes does not fit its arena of %zu\n", bytes + slack, arena->bytes);
    exit(2);
  }
  return place == PLACE_START ? arena->base + slack : arena->base + arena->bytes - bytes - slack;
}

/* Painted bytes before and after an operand. */
static void margins(const struct arena *arena, const unsigned char *operand, size_t bytes, size_t *before,
                    size_t *after) {
  size_t head = (size_t)(operand - arena->base), tail = arena->bytes - head - bytes;
  *before = head < MARGIN ? head : MARGIN;
  *after = tail < MARGIN ? tail : MARGIN;
}

void margins_paint(const struct arena *arena, const unsigned char *operand, size_t bytes) {
  size_t before, after, start = (size_t)(operand - arena->base);
  margins(arena, operand, bytes, &before, &after);
  memset(arena->base + start - before, PAINT, before);
  memset(arena->base + start + bytes, PAINT, after);
}

int64_t margins_check(const struct arena *arena, const unsigned char *operand, size_t bytes) {
  size_t before, after;
  margins(arena, operand, bytes, &before, &after);
  for (size_t i = 1; i <= before; i++)
    if (*(operand - i) != PAINT) return -(int64_t)i;
  for (size_t i = 0; i < after; i++)
    if (operand[bytes + i] != PAINT) return (int64_t)(bytes + i);
  return 0;
}

static sigjmp_buf back;
static volatile struct fault last;

static void caught(int signal, siginfo_t *info, void *context) {
  (void)context;
  last.signal = signal;
  last.address = (uintptr_t)info->si_addr;
  siglongjmp(back, 1);
}

void guard_install(void) {
  static char stack[1 << 16];
  const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGALRM};
  stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  sigaltstack(&other, NULL);
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) sigaction(signals[i], &action, NULL);
}

struct fault guarded_call(tsr_run *run, const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c,
                          struct probe *probe) {
  last.signal = 0;
  alarm(HANG_SECONDS);
  if (sigsetjmp(back, 0) == 0) call_kernel(run, step, a, b, c, probe);
  alarm(0);
  return (struct fault){last.signal, last.address};
}
