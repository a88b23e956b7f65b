/* Shape files, with # comments. Of GEMM: lines `m n k transA transB` (row-major). Of attention: lines
 * `batch heads_q heads_kv len_q len_kv d_qk d_v causal kv_type [layout]`, causal 0 or 1 (the last query sees all keys),
 * kv_type f32, f16, bf16, q8_0 or q4_0, layout rows, heads or panels (enum bench_layout). */
#ifndef BENCH_SHAPES_H
#define BENCH_SHAPES_H

#include <stdint.h>

#include "bench/worker.h"

struct bench_shape {
  int64_t m, n, k;
  int trans_a, trans_b;
};

struct bench_shapes {
  struct bench_shape *shape;
  int count;
};

struct bench_attentions {
  struct bench_attention *shape;
  int count;
};

/* Append a file's shapes. On failure they say on stderr which file and line, and return -1. */
int bench_shapes_read(struct bench_shapes *shapes, const char *path);
int bench_attentions_read(struct bench_attentions *shapes, const char *path);

#endif
