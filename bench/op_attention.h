/* Attention in a worker: the operands of a request, and what calls a library with them. */
#ifndef BENCH_OP_ATTENTION_H
#define BENCH_OP_ATTENTION_H

#include "bench/worker.h"

/* q and out are f32 [batch][len_q][heads_q][d]; k and v as the request says. */
struct bench_attention_operands {
  char *q, *k, *v, *out;
};

/* Bytes of so many elements of keys or values. */
size_t bench_kv_bytes(enum bench_kv kv, int64_t elements);

/* ggml's CPU backend, whose tensors have memory of their own. prepare is false when there is none; it gives the
 * operands, to be filled. */
bool bench_ggml_find(void *library);
bool bench_ggml_prepare(const struct bench_request *request, struct bench_attention_operands *operands);
void bench_ggml_call(int64_t calls);
void bench_ggml_release(void);

#endif
