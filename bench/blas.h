/* The sections of the BLAS: all routines, and their tables. */
#ifndef BENCH_BLAS_H
#define BENCH_BLAS_H

#include "bench/sections.h"

int bench_plan_blas(struct bench_run *run, const struct bench_section *section);
/* GB/s of operands touched, or GFLOP/s, against the limit; then the ratios of each routine, mean over its sizes. */
void bench_print_bytes(const struct bench_run *run, const struct bench_batch *batch);
void bench_print_flops(const struct bench_run *run, const struct bench_batch *batch);

#endif
