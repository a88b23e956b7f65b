/* Convolutions to measure: read from lists, drawn from a seed, and their labels. bench/shapes/conv.txt describes the
 * lines, which are also the labels:  32->64@56x48 3x3/2 p1 d1 g1 T N8 u8  */
#ifndef BENCH_CONV_SHAPES_H
#define BENCH_CONV_SHAPES_H

#include <stddef.h>

#include "bench/worker.h"

struct bench_convs {
  struct bench_conv *shape;
  int count;
};

/* Appends the shapes of a file; with a section, those below its [section] only. batch is 0 where a line names none. On
 * failure it says on stderr which file and line, and returns -1. */
int bench_convs_read(struct bench_convs *shapes, const char *path, const char *section);

/* Appends `count` shapes of many kinds that follow from the seed; -1: no memory. */
int bench_convs_draw(struct bench_convs *shapes, int count, unsigned seed);

/* The line that stands for a shape; a batch of 1, f32, groups of 1 and what else is usual is left out. */
void bench_conv_label(const struct bench_conv *conv, char *text, size_t size);

/* Elements of x, w and y; operations, multiplications and additions, of all taps, also those that fall into padding. */
double bench_conv_x(const struct bench_conv *conv);
double bench_conv_w(const struct bench_conv *conv);
double bench_conv_y(const struct bench_conv *conv);
double bench_conv_flops(const struct bench_conv *conv);

#endif
