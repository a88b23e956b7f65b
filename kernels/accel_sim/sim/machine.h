/* The simulated chip: cores with seven in-order pipes each, their buffers, and memory that all share. One run gives
 * data and time; either can be left out. Not thread-safe: one thread at a time uses a machine. */
#ifndef ACCEL_MACHINE_H
#define ACCEL_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/accel_sim/sim/isa.h"
#include "kernels/accel_sim/sim/params.h"

struct accel_machine;

struct accel_options {
  bool no_data;         /* time only: buffers are not moved, mad computes nothing */
  bool races;           /* watch every access (accel_race.h) */
  bool trace;           /* keep one event an instruction */
  uint64_t shuffle;     /* not 0: not the timed order but a random legal one, from this seed; time stands still */
  uint64_t cycle_limit; /* of one accel_machine_run (shuffled: of steps); 0 = 1e12 */
};

enum accel_fault_kind {
  ACCEL_NO_FAULT, ACCEL_MISALIGNED, ACCEL_OUT_OF_RANGE, ACCEL_BAD_OPERAND, ACCEL_DIVIDE_BY_ZERO, ACCEL_BAD_FLAG,
  ACCEL_DEADLOCK, ACCEL_CYCLE_LIMIT, ACCEL_RACE, ACCEL_RAN_OFF, ACCEL_UNSUPPORTED,
};

/* What went wrong, for a person: which core and pipe, file:line, operand, value, and what would be right. core is -1
 * where no single one is at fault. */
struct accel_fault {
  enum accel_fault_kind kind;
  int core;
  char text[512];
};

/* Why a pipe did nothing, in cycles; with `busy` the reasons sum to the run's cycles times the cores for each pipe. */
enum accel_stall {
  ACCEL_STALL_EMPTY,   /* its queue was empty and the scalar unit was at other work */
  ACCEL_STALL_FLAG,    /* in wait_flag; the cycles of set_flag in a pipe's queue too: busy is work alone */
  ACCEL_STALL_BARRIER, /* scalar: in pipe_barrier; pipes: empty meanwhile */
  ACCEL_STALL_QUEUE,   /* scalar only: the target pipe's queue was full */
  ACCEL_STALL_TOKEN,   /* scalar only: a command waited for others */
  ACCEL_STALL_IDLE,    /* no command left on this core */
  ACCEL_STALLS
};

struct accel_stats {
  double cycles;                                      /* of the run, in the kernels */
  double busy[ACCEL_PIPES];                           /* summed over cores */
  double stall[ACCEL_PIPES][ACCEL_STALLS];
  double contended; /* part of MTE2/FIX/MTE3 busy time that only waiting for shared memory caused */
  uint64_t bytes_read[ACCEL_BUFFERS], bytes_written[ACCEL_BUFFERS], l2_bytes, l2_written, hbm_bytes;
  uint64_t instructions[ACCEL_OPCODES], macs[4], vector_elements;
  uint64_t bank_conflicts[ACCEL_BUFFERS]; /* L1, UB: an instruction began on a bank that another pipe was using */
  double energy_pj[ACCEL_BUFFERS + 4];    /* each buffer (GM: what crossed HBM), then L2, cube, vector, scalar */
};

struct accel_event {
  double start, end; /* cycles */
  const struct accel_program *program;
  int index, core;
  enum accel_pipe pipe;
  bool stall;        /* a wait_flag or barrier that waited */
};

struct accel_machine *accel_machine_create(const struct accel_params *params, const struct accel_options *options,
                                           char *error, int error_size);
void accel_machine_destroy(struct accel_machine *machine);
const struct accel_params *accel_machine_params(const struct accel_machine *machine);

/* Global memory, first fit. Addresses begin at ACCEL_GM_BASE and mean nothing to the host. 0: exhausted. */
#define ACCEL_GM_BASE ((uint64_t)1 << 44)
uint64_t accel_gm_alloc(struct accel_machine *machine, size_t bytes);
bool accel_gm_free(struct accel_machine *machine, uint64_t address); /* false: not an allocation */
/* The host's view of [address, address + bytes), or NULL if it is not inside one living allocation. */
void *accel_gm_view(struct accel_machine *machine, uint64_t address, size_t bytes);

/* Queues a command on a core: the program runs after the core's earlier commands were dispatched and after every token
 * of `after`. The program and nothing else of the arguments must outlive the run. Returns its token; 0: no such core,
 * too many arguments, or no memory. */
uint64_t accel_machine_launch(struct accel_machine *machine, int core, const struct accel_program *program,
                              const uint64_t *args, int nargs, const uint64_t *after, int nafter);

/* Remembers when the queued command of `token` ends. Returns a number to ask by, or -1: no such command, no memory. */
int accel_machine_watch(struct accel_machine *machine, uint64_t token);
/* That time in cycles since the machine was made, or below 0: not reached. */
double accel_machine_watched(const struct accel_machine *machine, int number);
double accel_machine_now(const struct accel_machine *machine);

/* Runs until every queued command has ended, or a fault: then the queues are emptied and *fault says why. Time goes on
 * from run to run. */
int accel_machine_run(struct accel_machine *machine, struct accel_fault *fault);

/* Of all runs since creation or reset. */
void accel_machine_stats(const struct accel_machine *machine, struct accel_stats *stats);
void accel_machine_reset_stats(struct accel_machine *machine);
const struct accel_event *accel_machine_events(const struct accel_machine *machine, int64_t *count);

#endif
