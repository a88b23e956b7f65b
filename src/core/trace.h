/* The call trace: TESSERA_TRACE=1 prints one line a call on standard error. */
#ifndef TSR_TRACE_H
#define TSR_TRACE_H

#include "src/core/core.h"

extern int tsr_trace_state; /* -1 = the environment has not been asked, 0 = off, 1 = on */
int tsr_trace_ask(void);

static inline int tsr_tracing(void) {
  int state = __atomic_load_n(&tsr_trace_state, __ATOMIC_RELAXED);
  return __builtin_expect(state < 0, 0) ? tsr_trace_ask() : state;
}

/* What a call says about itself. `routine` as the caller wrote it ("cblas_sgemm"), sizes as text ("NT 5x7x9"). */
struct tsr_trace_call {
  const char *routine, *kernel, *isa;
  char sizes[64];
  tsr_type type;
  int threads;
  double seconds, flops;
};
double tsr_trace_now(void); /* monotonic seconds */
void tsr_trace_print(const struct tsr_trace_call *call);

#endif
