/* The call trace's line of a LAPACK routine; lines of the products inside it come before. */
#include "src/lapack/trace.h"

#include <fenv.h>
#include <stdio.h>

#include "src/core/threads.h"

/* Printing must not leave floating-point flags behind. */
void tsr_lapack_trace_end(const struct tsr_lapack *call, double start, int64_t m, int64_t n, double flops) {
  fenv_t flags;
  struct tsr_trace_call line = {.routine = call->routine, .kernel = "recursive", .context = call->context,
                                .type = call->type, .threads = tsr_threads_available(call->context),
                                .seconds = tsr_trace_now() - start,
                                .flops = call->type == TSR_C32 || call->type == TSR_C64 ? 4 * flops : flops};
  fegetenv(&flags);
  snprintf(line.sizes, sizeof line.sizes, "%lldx%lld", (long long)m, (long long)n);
  tsr_trace_print(&line);
  fesetenv(&flags);
}
