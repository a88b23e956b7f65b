/* The call trace. TESSERA_TRACE=1 prints one line a call on standard error, TESSERA_TRACE=./file (whatever has a slash)
 * appends it to a file, 0 or nothing is off. A line reads
 *
 *   tessera: cblas_sgemm 512x512x512 avx512 packed/48x8 threads=2 612.3 us 438.4 GFLOP/s 89.3 % {gemm type=f32 m=512 ...}
 *
 * In braces stands the shape as `tessera tune --from-trace` reads it, for routines that can be tuned.
 * The last figure is the share of what the call's threads could reach if each ran the chip's preferred tile from its L1
 * cache without a pause, at the speed measured once when the first line is printed (tsr_peak_flops). */
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
  const char *routine, *kernel;
  const tsr_context *context; /* whose peak counts; NULL = the default one */
  char sizes[64];
  char shape[528]; /* operator and shape in the tuner's words, or "" */
  tsr_type type;
  int threads;
  double seconds, flops;
};
double tsr_trace_now(void); /* monotonic seconds */
void tsr_trace_print(const struct tsr_trace_call *call);

/* Operations a second of one thread running the preferred tile of these kernels from L1; measured at the first call
 * (about a millisecond), 0 if the chip has no GEMM of this type. */
double tsr_peak_flops(const struct tsr_kernels *kernels, tsr_type type);

#endif
