/* The sections of attention. */
#ifndef BENCH_ATTENTION_H
#define BENCH_ATTENTION_H

#include "bench/sections.h"

int bench_plan_attention(struct bench_run *run, const struct bench_section *section);
int bench_plan_prefill(struct bench_run *run, const struct bench_section *section);
int bench_plan_decode(struct bench_run *run, const struct bench_section *section);
int bench_plan_steps(struct bench_run *run, const struct bench_section *section);
int bench_plan_lengths(struct bench_run *run, const struct bench_section *section);

/* GB/s of keys and values against reads, and how many times the keys a second of such a cache in f16. */
void bench_print_decode(const struct bench_run *run, const struct bench_batch *batch);

/* Microseconds, and each library's largest step: a time over the line between those of one query less and one more. */
void bench_print_steps(const struct bench_run *run, const struct bench_batch *batch);

#endif
