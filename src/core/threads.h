/* Teams of threads. A call that wants more than one thread reserves a team, plans for the number it got, and runs. */
#ifndef TSR_THREADS_H
#define TSR_THREADS_H

#include "src/core/core.h"

#define TSR_MAX_THREADS 512

/* The most threads a call on this context may use now: 1 inside a caller's OpenMP region or a team, else
 * tsr_get_num_threads(). Never less than 1. Cheap: no system call once warm. */
int tsr_threads_available(const tsr_context *context);

/* A member of the pool is one bit. */
struct tsr_team {
  const tsr_context *context;
  int n;        /* threads of this team, the caller's included; body runs with index 0 .. n - 1 */
  bool counted; /* among the pool's busy threads */
  uint64_t workers[TSR_MAX_THREADS / 64];
};

/* Reserves up to `want` threads, the caller included; team->n says how many were free (1 at least, never fails).
 * Callers at the same time share the CPUs: none gets workers that would compete with another's team.
 * A reserved team must be run exactly once: that gives it back. */
void tsr_team_reserve(const tsr_context *context, int want, struct tsr_team *team);

/* Reserves the caller and every worker that is idle now. */
void tsr_team_reserve_idle(struct tsr_team *team);

/* Runs body(arg, index) on every thread of the team at the same time and waits for all. Index 0 is the caller.
 * Workers get the caller's MXCSR / FPCR, and floating-point flags they raise are raised in the caller. */
void tsr_team_run(struct tsr_team *team, tsr_parallel_body body, void *arg);

/* A barrier for the threads of a team. Spins briefly, then sleeps. Reusable. */
struct tsr_barrier {
  int n;
  _Alignas(64) _Atomic uint32_t arrived;
  _Alignas(64) _Atomic uint32_t phase;
  _Atomic uint32_t sleepers;
};
void tsr_barrier_init(struct tsr_barrier *barrier, int n);
void tsr_barrier_wait(struct tsr_barrier *barrier);

/* Between threads.c and team.c: whether this thread runs a body; the pool may try again to start threads. */
extern _Thread_local bool tsr_in_team;
void tsr_pool_retry(void);

/* For tests: starting a thread fails after `n` more have started; n < 0 ends that. */
void tsr_pool_fail_after(int n);

#endif
