#include "src/core/threads.h"

#include <stdatomic.h>

int tsr_threads_available(const tsr_context *context) {
  (void)context;
  return 1;
}

tsr_status tsr_set_num_threads(tsr_context *context, int n) {
  (void)context;
  return n < 0 ? tsr_fail(TSR_INVALID_ARGUMENT, "n is %d: pass a number of threads, or 0 for the default", n) : TSR_OK;
}

int tsr_get_num_threads(const tsr_context *context) { return tsr_threads_available(context); }

void tsr_team_reserve(const tsr_context *context, int want, struct tsr_team *team) {
  (void)want;
  team->context = context;
  team->n = 1;
}

void tsr_team_run(struct tsr_team *team, tsr_parallel_body body, void *arg) {
  for (int i = 0; i < team->n; i++) body(arg, i);
}

void tsr_barrier_init(struct tsr_barrier *barrier, int n) {
  barrier->n = n;
  barrier->arrived = 0;
  barrier->phase = 0;
}

void tsr_barrier_wait(struct tsr_barrier *barrier) {
  int phase = atomic_load(&barrier->phase);
  if (atomic_fetch_add(&barrier->arrived, 1) + 1 == barrier->n) {
    atomic_store(&barrier->arrived, 0);
    atomic_store(&barrier->phase, phase + 1);
  } else
    while (atomic_load(&barrier->phase) == phase) {
    }
}
