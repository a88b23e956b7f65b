/* Teams of threads. A call that wants more than one thread acquires a team, plans for the number it got, and runs. */
#ifndef TSR_THREADS_H
#define TSR_THREADS_H

#include "src/core/core.h"

/* The most threads a call on this context may use now: 1 inside a caller's parallel region or a pool thread, else
 * the setter's, the environment's or the machine's number. Never less than 1. Cheap: no system call once warm. */
int tsr_threads_available(const tsr_context *context);

struct tsr_team {
  const tsr_context *context;
  int n;                 /* threads of this team, the caller's included; body runs with index 0 .. n - 1 */
  int first_worker;      /* pool bookkeeping */
  uint64_t workers;
};

/* Reserves up to `want` threads, the caller included; *team.n says how many were free (1 at least, never fails).
 * A reserved team must be run exactly once: that gives it back. */
void tsr_team_reserve(const tsr_context *context, int want, struct tsr_team *team);

/* Runs body(arg, index) on every thread of the team at the same time and waits for all. Index 0 is the caller.
 * Workers get the caller's MXCSR / FPCR, and floating-point flags they raise are raised in the caller. */
void tsr_team_run(struct tsr_team *team, tsr_parallel_body body, void *arg);

/* A barrier for the threads of a team. Spins briefly, then sleeps. Reusable. */
struct tsr_barrier {
  int n;
  _Atomic int arrived;
  _Atomic int phase;
};
void tsr_barrier_init(struct tsr_barrier *barrier, int n);
void tsr_barrier_wait(struct tsr_barrier *barrier);

#endif
