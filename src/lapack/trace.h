/* How the faces of LAPACK print the call trace (src/core/trace.h). */
#ifndef TSR_LAPACK_TRACE_H
#define TSR_LAPACK_TRACE_H

#include "src/core/trace.h"
#include "src/lapack/lapack.h"

/* When the call began, 0 without a trace. */
static inline double tsr_lapack_trace_begin(void) { return tsr_tracing() ? tsr_trace_now() : 0; }

/* Prints the line; flops are those of a real matrix. */
void tsr_lapack_trace_end(const struct tsr_lapack *call, double start, int64_t m, int64_t n, double flops);

#endif
