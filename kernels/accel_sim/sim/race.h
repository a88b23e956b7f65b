/* Finds accesses to on-chip buffers and global memory that no flag, barrier, token or launch puts in order: a
 * happens-before relation kept in vector clocks, one component for each pipe of each core. It does not depend on the
 * order the machine happened to run in: a race is found whichever of the two accesses came first. */
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

/* A 2-D piece of a buffer: `rows` runs of `bytes`, `pitch` apart. For GM, address is the chip's. The caller has checked
 * that it is inside. */
struct accel_range {
  enum accel_buffer buffer;
  uint64_t address;
  int64_t rows, bytes, pitch;
};

struct accel_race *accel_race_create(int cores); /* NULL: no memory */
void accel_race_destroy(struct accel_race *race);

/* accel_machine_run begins: the host has seen all earlier commands end, so what comes is after all that was. Forgets
 * the reports of earlier runs. */
void accel_race_start_run(struct accel_race *race);

/* An instruction (not a flag) begins on its pipe: it happens after all earlier ones of that pipe. Call in an order that
 * the machine could execute; its reads and writes follow before anything else of that pipe. */
void accel_race_begin(struct accel_race *race, const struct accel_site *site);
void accel_race_read(struct accel_race *race, const struct accel_site *site, const struct accel_range *range);
void accel_race_write(struct accel_race *race, const struct accel_site *site, const struct accel_range *range);

/* set_flag as executed by its pipe; wait_flag as passed by its pipe. */
void accel_race_set(struct accel_race *race, int core, enum accel_pipe from, enum accel_pipe to, int flag);
void accel_race_wait(struct accel_race *race, int core, enum accel_pipe from, enum accel_pipe to, int flag);

/* `set` has raised the flag that `wait`, on the other pipe, took down last. If nothing orders them, the set may come
 * first elsewhere and find the flag still up: that is reported like a race. Call behind accel_race_set. */
void accel_race_reuse(struct accel_race *race, const struct accel_site *wait, const struct accel_site *set, int flag);

/* The scalar unit hands an instruction or a flag to a pipe's queue: it happens after what the scalar unit has seen. The
 * begin, set or wait of that pipe takes it out again, in order. What the scalar unit does itself, pipe_barrier too, is
 * not dispatched. */
void accel_race_dispatch(struct accel_race *race, int core, enum accel_pipe to);

/* pipe_barrier: what was dispatched to `pipe` (or all) before happens before what is dispatched after.
 * Call when the scalar unit passes it: the pipe is drained. */
void accel_race_barrier(struct accel_race *race, int core, enum accel_pipe pipe);

/* A command of a core ended: all its instructions and those of the core's earlier commands are done, whose clocks join
 * into a token; commands of a core end in their order. start_command: the scalar unit takes up the next command, after
 * the tokens; call it for each command, with or without tokens. 0 is no token. */
uint64_t accel_race_end_command(struct accel_race *race, int core);
void accel_race_start_command(struct accel_race *race, int core, const uint64_t *tokens, int ntokens);

/* The first ACCEL_RACES races of this run, one a pair of instructions, in words: both with file:line and what was
 * accessed. NULL past the last. Without memory to go on, a report says that the rest was not watched. */
#define ACCEL_RACES 16
const char *accel_race_report(const struct accel_race *race, int index);
int accel_race_count(const struct accel_race *race);

#endif
