/* From the caller's descriptor to sequences, items and visible keys. */
#include "src/attention/attention.h"

#include <math.h>
#include <string.h>

static void in_bytes(const int64_t *stride, tsr_type type, int64_t *bytes) {
  for (int i = 0; i < 3; i++) bytes[i] = tsr_bytes_of(type, stride[i]);
}

void tsr_attention_normalise(const tsr_attention_desc *d, const void *q, const void *k, const void *v, void *out,
                             float *lse, struct tsr_attention_problem *p) {
  double scale = d->scale != 0 ? d->scale : 1 / sqrt((double)d->d_qk);
  p->d = *d;
  p->q = (tsr_mem)q;
  p->k = (tsr_mem)k;
  p->v = (tsr_mem)v;
  p->out = (tsr_mem)out;
  p->lse = lse;
  p->group = d->heads_q / d->heads_kv;
  in_bytes(d->stride_q, d->type_q, p->step_q);
  in_bytes(d->stride_k, d->type_k, p->step_k);
  in_bytes(d->stride_v, d->type_v, p->step_v);
  in_bytes(d->stride_out, d->type_out, p->step_out);
  in_bytes(d->stride_mask, d->mask_type ? d->mask_type : TSR_F32, p->step_mask);
  p->q_scale = (float)(d->softcap > 0 ? scale * 2 * TSR_LOG2_E / d->softcap : scale * TSR_LOG2_E);
  p->cap = (float)(d->softcap * TSR_LOG2_E);
}

void tsr_attention_sequence_of(const struct tsr_attention_problem *p, int64_t b, struct tsr_attention_sequence *seq) {
  const tsr_attention_desc *d = &p->d;
  seq->b = b;
  seq->first_query = d->cu_q ? d->cu_q[b] : 0;
  seq->queries = d->cu_q ? d->cu_q[b + 1] - d->cu_q[b] : d->len_q;
  seq->first_key = d->cu_kv ? d->cu_kv[b] : 0;
  seq->keys = d->cu_kv ? d->cu_kv[b + 1] - d->cu_kv[b] : d->len_kv;
  if (d->kv_lens) seq->keys = tsr_min(seq->keys, d->kv_lens[b]);
  int64_t all = d->all_keys ? d->all_keys : d->first_key + seq->keys;
  seq->shift = (d->causal == TSR_CAUSAL_TOP_LEFT ? 0 : all - seq->queries) - d->first_key;
}

static int64_t blocks_of(const struct tsr_attention_problem *p, const struct tsr_attention_way *way) {
  return tsr_ceil_div(p->d.len_q * p->group, way->rows);
}

int64_t tsr_attention_items(const struct tsr_attention_problem *p, const struct tsr_attention_way *way) {
  return p->d.batch * p->d.heads_kv * blocks_of(p, way);
}

/* Later blocks first: with causal masks they take longest. */
void tsr_attention_item_of(const struct tsr_attention_problem *p, const struct tsr_attention_way *way, int64_t index,
                           struct tsr_attention_item *item) {
  int64_t blocks = blocks_of(p, way);
  tsr_attention_sequence_of(p, index / blocks / p->d.heads_kv, &item->seq);
  item->head = index / blocks % p->d.heads_kv;
  item->row = (blocks - 1 - index % blocks) * way->rows;
  item->rows = tsr_max(0, tsr_min(way->rows, item->seq.queries * p->group - item->row));
}

tsr_mem tsr_attention_row_of(const struct tsr_attention_problem *p, const struct tsr_attention_item *item,
                             const struct tsr_attention_rows *rows, int64_t r) {
  int64_t i = r / p->group, head = item->head * p->group + r % p->group, batch = p->d.cu_q ? 0 : item->seq.b;
  return rows->at + (tsr_mem)(batch * rows->step[TSR_BATCH] + (item->seq.first_query + i) * rows->step[TSR_ROW] +
                              head * rows->step[TSR_HEAD]);
}

void tsr_attention_sees(const struct tsr_attention_problem *p, const struct tsr_attention_sequence *seq, int64_t i,
                        int64_t *from, int64_t *to) {
  const tsr_attention_desc *d = &p->d;
  int64_t at = i + seq->shift;
  *from = d->window_left < 0 ? 0 : tsr_max(0, at - tsr_min(d->window_left, INT32_MAX));
  *to = seq->keys;
  if (d->causal != TSR_NOT_CAUSAL)
    *to = tsr_min(*to, at + 1);
  else if (d->window_right >= 0)
    *to = tsr_min(*to, at + tsr_min(d->window_right, INT32_MAX) + 1);
  *from = tsr_min(*from, seq->keys);
  *to = tsr_max(*to, *from);
}

int64_t tsr_attention_prefix(const struct tsr_attention_problem *p, const struct tsr_attention_sequence *seq) {
  return tsr_max(0, tsr_min(p->d.prefix - p->d.first_key, seq->keys));
}
