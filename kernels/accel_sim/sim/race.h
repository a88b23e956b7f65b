/* Finds accesses to on-chip buffers and global memory that no flag, barrier, token or launch puts in order: a
 * happens-before relation kept in vector clocks, one component for each pipe of each core and one for the host. */
#ifndef ACCEL_RACE_H
#define ACCEL_RACE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/accel_sim/sim/isa.h"
#include "kernels/accel_sim/sim/params.h"

struct accel_race; /* the detector of one machine */

/* Where an access comes from, for the report. */
struct accel_site {
  const struct accel_program *program;
  int index; /* of the instruction */
  int core;
  enum accel_pipe pipe;
};

/* A 2-D piece of a buffer: `rows` runs of `bytes`, `pitch` apart. For GM, address is the chip's. */
struct accel_range {
  enum accel_buffer buffer;
  uint64_t address;
  int64_t rows, bytes, pitch;
};

struct accel_race *accel_race_create(int cores);
void accel_race_destroy(struct accel_race *race);

/* An instruction begins on its pipe: it happens after all earlier ones of that pipe. Call in an order that the machine
 * could execute. */
void accel_race_begin(struct accel_race *race, const struct accel_site *site);
void accel_race_read(struct accel_race *race, const struct accel_site *site, const struct accel_range *range);
void accel_race_write(struct accel_race *race, const struct accel_site *site, const struct accel_range *range);

/* set_flag as executed by its pipe; wait_flag as passed by its pipe. */
void accel_race_set(struct accel_race *race, int core, enum accel_pipe from, enum accel_pipe to, int flag);
void accel_race_wait(struct accel_race *race, int core, enum accel_pipe from, enum accel_pipe to, int flag);

/* The scalar unit hands an instruction to a pipe: it happens after what the scalar unit has seen. */
void accel_race_dispatch(struct accel_race *race, int core, enum accel_pipe to);

/* pipe_barrier: what was dispatched to `pipe` (or all) before happens before what is dispatched after. */
void accel_race_barrier(struct accel_race *race, int core, enum accel_pipe pipe);

/* A command of a core ended (all its instructions): joins all its pipes' clocks into a token. A command that waits for
 * tokens starts after them. 0 is no token. */
uint64_t accel_race_end_command(struct accel_race *race, int core);
void accel_race_start_command(struct accel_race *race, int core, const uint64_t *tokens, int ntokens);

/* The first races found, in words: both instructions with file:line and what was accessed. NULL past the last. */
const char *accel_race_report(const struct accel_race *race, int index);
int accel_race_count(const struct accel_race *race);

#endif
