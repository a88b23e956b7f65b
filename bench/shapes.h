/* Shape files: lines `m n k transA transB` (row-major), # comments. */
#ifndef BENCH_SHAPES_H
#define BENCH_SHAPES_H

#include <stdint.h>

struct bench_shape {
  int64_t m, n, k;
  int trans_a, trans_b;
};

struct bench_shapes {
  struct bench_shape *shape;
  int count;
};

/* Appends a file's shapes. On failure says on stderr which file and line, and returns -1. */
int bench_shapes_read(struct bench_shapes *shapes, const char *path);

#endif
