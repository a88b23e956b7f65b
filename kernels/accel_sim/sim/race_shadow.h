/* What the race detector remembers of every byte: who wrote it last, and who read it since. */
#ifndef ACCEL_RACE_SHADOW_H
#define ACCEL_RACE_SHADOW_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/accel_sim/sim/race.h"

/* One access of a pipe: `when` is the pipe's own clock. */
struct accel_access {
  const struct accel_program *program;
  int index;
  uint32_t when;
  int16_t core;
  uint8_t pipe;
  bool write;
};

/* How far the accessing pipe has heard of pipes: own[pipe] in its core, others[core * ACCEL_PIPES + pipe] elsewhere. */
struct accel_heard {
  const uint32_t *own, *others;
};

/* An earlier access that nothing orders before the present one, and the bytes from first to last that both touch. */
struct accel_clash {
  struct accel_access earlier;
  uint64_t first, last;
};
#define ACCEL_CLASHES 16

struct accel_shadow;
struct accel_shadow *accel_shadow_create(void); /* NULL: no memory */
void accel_shadow_destroy(struct accel_shadow *shadow);

/* Remembers an access and returns the number of clashes, the first few, one an instruction. -1: no memory, then only
 * destroying it makes sense. */
int accel_shadow_access(struct accel_shadow *shadow, const struct accel_access *access, const struct accel_heard *heard,
                        const struct accel_range *range, struct accel_clash clashes[ACCEL_CLASHES]);

#endif
