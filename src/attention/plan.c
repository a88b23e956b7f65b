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
  double work = tsr_attention_multiplications(d);
  if (d->causal) work /= 2;
  double threads = work / WORTH_A_THREAD;
  return threads < 1 ? 1 : threads < most ? (int)threads : most;
}

double tsr_attention_state_bytes(const struct tsr_attention_problem *p, const struct tsr_attention_way *way) {
  double items = (double)p->d.batch * (double)p->d.heads_kv * (double)tsr_ceil_div(p->d.len_q * p->group, way->rows);
  return items * (2 * way->threads + 1) * 4.0 * (double)way->rows * (double)(p->d.d_v + 2);
}

static void complete_over_keys(const struct tsr_attention_problem *p, int64_t rows, struct tsr_attention_way *way) {
  int64_t heads = p->d.batch * p->d.heads_kv;
  if (!way->rows) way->rows = way->width ? way->width : tsr_min(tsr_max(rows, 1), FEW_ROWS);
  if (!way->width) way->width = way->rows;
  way->split = way->threads > 1 && p->d.result == TSR_ATTENTION_WHOLE &&
               heads * tsr_ceil_div(rows, way->rows) < 2 * way->threads &&
               tsr_attention_state_bytes(p, way) <= TSR_MOST_STATE_BYTES;
}

static void complete_over_queries(const tsr_context *context, const struct tsr_attention_problem *p, int64_t rows,
                                  struct tsr_attention_way *way) {
  const struct tsr_tiles *tiles = &context->kernels[TSR_F32].gemm;
  int64_t heads = p->d.batch * p->d.heads_kv;
  if (!way->width) {
    way->width = (int64_t)tiles->units * tiles->mu;
    while (way->width < 32) way->width *= 2;
  }
  if (way->rows) return;
  int64_t most = tsr_max(1, ITEM_FLOATS / (p->d.d_qk + p->d.d_v) / way->width);
  int64_t tiles_of = tsr_ceil_div(rows, way->width), share = tsr_ceil_div(heads * tiles_of, 2 * way->threads);
  int64_t each = tsr_max(1, tsr_min(tsr_min(most, share), tiles_of));
  way->rows = tsr_ceil_div(tiles_of, tsr_ceil_div(tiles_of, each)) * way->width;
}

void tsr_attention_complete(const tsr_context *context, const struct tsr_attention_problem *p, int threads,
                            struct tsr_attention_way *way) {
  int64_t rows = p->d.len_q * p->group;
  if (!way->threads) way->threads = threads_for(p, threads);
  if (!way->lanes)
    way->lanes = rows < FEW_ROWS || p->d.result == TSR_ATTENTION_PARTIAL ? TSR_LANES_KEYS : TSR_LANES_QUERIES;
  if (way->lanes == TSR_LANES_KEYS)
    complete_over_keys(p, rows, way);
  else
    complete_over_queries(context, p, rows, way);
}

/* Bytes of q and o that a thread keeps for the heads of a unit. */
#define HEADS_BYTES (256 << 10)

void tsr_attention_pair_heads(const struct tsr_attention_problem *p, struct tsr_attention_way *way) {
  const tsr_attention_desc *d = &p->d;
  int64_t key = tsr_bytes_of(d->type_k, d->d_qk), value = tsr_bytes_of(d->type_v, d->d_v);
  bool beside = p->step_k[TSR_HEAD] < p->step_k[TSR_ROW] || p->step_v[TSR_HEAD] < p->step_v[TSR_ROW];
  bool near = d->layout_k == TSR_KV_ROWS && p->step_k[TSR_HEAD] <= 2 * key && p->step_v[TSR_HEAD] <= 2 * value;
  way->heads = 1;
  if (way->lanes != TSR_LANES_KEYS || way->split || d->result != TSR_ATTENTION_WHOLE || !beside || !near) return;
  int64_t blocks = d->batch * tsr_ceil_div(d->len_q * p->group, way->rows), row = (d->d_qk + d->d_v) * 4;
  int64_t most = tsr_min(TSR_MOST_HEADS, tsr_max(1, HEADS_BYTES / (row * (way->rows + TSR_SOFTMAX_PAD))));
  for (int64_t heads = tsr_min(most, d->heads_kv); heads > 1 && way->heads == 1; heads--) {
    int64_t units = blocks * tsr_ceil_div(d->heads_kv, heads);
    if (units % way->threads == 0 || units >= 8 * way->threads) way->heads = heads;
  }
}
