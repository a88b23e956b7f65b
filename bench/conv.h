/* The sections of convolution. */
#ifndef BENCH_CONV_H
#define BENCH_CONV_H

#include "bench/sections.h"

int bench_plan_conv(struct bench_run *run, const struct bench_section *section);   /* lines of shapes/conv.txt */
int bench_plan_int8(struct bench_run *run, const struct bench_section *section);   /* ResNet-50's, u8 by s8 */
int bench_plan_corpus(struct bench_run *run, const struct bench_section *section); /* drawn from a seed */
int bench_plan_nets(struct bench_run *run, const struct bench_section *section);   /* ResNet-50 and MobileNet */

/* Every case: GFLOP/s in each layout, % of the limit, how many times oneDNN; means, and by name what is far from its
 * limit. */
void bench_print_conv(const struct bench_run *run, const struct bench_batch *batch);
/* Only the cases that are far from their limit or slower than oneDNN, and how many are how near. */
void bench_print_corpus(const struct bench_run *run, const struct bench_batch *batch);
/* Images a second. */
void bench_print_nets(const struct bench_run *run, const struct bench_batch *batch);

#endif
