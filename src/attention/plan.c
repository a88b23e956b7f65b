/* Which way a call goes: the rule of thumb. */
#include "src/attention/attention.h"

/* Rows below which lanes over keys waste less than lanes over queries, which come a vector at a time. */
#define FEW_ROWS 64
/* Floats of q and o that an item keeps in the second cache beside a chunk of keys and values. */
#define ITEM_FLOATS (56 << 10)
/* Multiplications, and bytes of keys and values, worth a thread. */
#define WORTH_A_THREAD 400000.0

static int threads_for(const struct tsr_attention_problem *p, int most) {
  const tsr_attention_desc *d = &p->d;
  double work = (double)d->batch * (double)d->heads_q * (double)d->len_q * (double)d->len_kv * (double)(d->d_qk + d->d_v);
  if (d->causal) work /= 2;
  double threads = work / WORTH_A_THREAD;
  return threads < 1 ? 1 : threads < most ? (int)threads : most;
}

void tsr_attention_choose(const tsr_context *context, const struct tsr_attention_problem *p, int threads,
                          struct tsr_attention_way *way) {
  const tsr_attention_desc *d = &p->d;
  const struct tsr_tiles *tiles = &context->kernels[TSR_F32].gemm;
  int64_t rows = d->len_q * p->group, heads = d->batch * d->heads_kv;
  *way = (struct tsr_attention_way){.threads = threads_for(p, threads)};
  if (rows < FEW_ROWS || d->result == TSR_ATTENTION_PARTIAL) {
    way->lanes = TSR_LANES_KEYS;
    way->rows = way->width = tsr_min(tsr_max(rows, 1), FEW_ROWS);
    way->split = way->threads > 1 && heads * tsr_ceil_div(rows, way->rows) < 2 * way->threads && d->result == TSR_ATTENTION_WHOLE;
    return;
  }
  way->lanes = TSR_LANES_QUERIES;
  way->width = (int64_t)tiles->units * tiles->mu;
  while (way->width < 32) way->width *= 2;
  int64_t most = tsr_max(1, ITEM_FLOATS / (d->d_qk + d->d_v) / way->width);
  int64_t tiles_of = tsr_ceil_div(rows, way->width), share = tsr_ceil_div(heads * tiles_of, 2 * way->threads);
  int64_t each = tsr_max(1, tsr_min(tsr_min(most, share), tiles_of));
  way->rows = tsr_ceil_div(tiles_of, tsr_ceil_div(tiles_of, each)) * way->width;
}
