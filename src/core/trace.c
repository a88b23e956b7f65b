#include "src/core/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int tsr_trace_state = -1;

int tsr_trace_ask(void) {
  const char *value = getenv("TESSERA_TRACE");
  int state = value && *value && *value != '0';
  __atomic_store_n(&tsr_trace_state, state, __ATOMIC_RELAXED);
  return state;
}

double tsr_trace_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void tsr_trace_print(const struct tsr_trace_call *call) {
  fprintf(stderr, "tessera: %s %s %s threads=%d %.3f us %.1f GFLOP/s\n", call->routine, call->sizes, call->kernel,
          call->threads, call->seconds * 1e6, call->flops / call->seconds * 1e-9);
}
