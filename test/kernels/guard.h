/* Memory with forbidden pages on both sides, and calls that survive touching them. */
#ifndef TEST_GUARD_H
#define TEST_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "test/kernels/call.h"

#define GUARD_BYTES ((size_t)1 << 20)

struct arena {
  unsigned char *base;
  size_t bytes;
};

enum place { PLACE_END, PLACE_START, PLACE_COUNT };

/* Exits with a message when there is no memory. */
struct arena arena_create(size_t bytes);

/* Where an operand of `bytes` lies when it touches the forbidden page after (before) it, `slack` bytes off it. */
unsigned char *arena_place(const struct arena *arena, size_t bytes, enum place place, size_t slack);

/* Paints what lies around an operand inside its arena, and finds the first painted byte that changed: its distance
 * from the operand's start, or 0 if none did (an operand starts at 0 and is not painted, so 0 is free). */
void margins_paint(const struct arena *arena, const unsigned char *operand, size_t bytes);
int64_t margins_check(const struct arena *arena, const unsigned char *operand, size_t bytes);

/* What became of a call. */
struct fault {
  int signal;         /* 0 = returned */
  uintptr_t address;  /* of SIGSEGV and SIGBUS */
};

void guard_install(void); /* signal handlers, once */
struct fault guarded_call(tsr_run *run, const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c,
                          struct probe *probe);

#endif
