/* Tables of a batch's figures: one line a case, one column a library. */
#ifndef BENCH_PRINT_H
#define BENCH_PRINT_H

#include "bench/sections.h"

#define BENCH_NAME_WIDTH 13

/* Whole tables: GFLOP/s against the limit; GB/s against reads; one caller and several; nanoseconds a call. */
void bench_print_rates(const struct bench_run *run, const struct bench_batch *batch);
void bench_print_reads(const struct bench_run *run, const struct bench_batch *batch);
void bench_print_callers(const struct bench_run *run, const struct bench_batch *batch);
void bench_print_times(const struct bench_run *run, const struct bench_batch *batch);

/* What they are made of. The title and the machine's limits; the columns' names behind `first`; a case's label; one
 * library's figure, or why there is none (`*`: too few quiet samples); how much faster than the best other library;
 * scatter and number of samples, which end a line; geometric means. */
void bench_print_head(const struct bench_batch *batch);
void bench_print_names(const struct bench_run *run, const struct bench_batch *batch, const char *first);
void bench_print_label(const struct bench_batch *batch, const char *label);
void bench_print_figure(const struct bench_case *c, int peer, double figure, int decimals);
void bench_print_ratio(const struct bench_run *run, const struct bench_case *c);
void bench_print_kept(const struct bench_run *run, const struct bench_case *c);
void bench_print_means(const struct bench_run *run, const struct bench_batch *batch);

#endif
