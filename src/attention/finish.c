/* The end of an item: sinks, division, out and lse; and the joining of states. */
#include <math.h>
#include <string.h>

#include "src/attention/attention.h"
#include "src/attention/log.h"

static bool has_nan(const float *x, int64_t n, int64_t next) {
  bool found = false;
  for (int64_t i = 0; i < n; i++) found |= x[i * next] != x[i * next];
  return found;
}

/* Most calls end with the first look, which runs along the memory. */
bool tsr_attention_is_spoilt(const struct tsr_attention_worker *w, const struct tsr_attention_item *item,
                             const float *o) {
  int64_t d_v = w->problem->d.d_v, width = w->way->width;
  bool across = w->way->lanes == TSR_LANES_QUERIES;
  if (!has_nan(o, (across ? tsr_round_up(item->rows, width) : item->rows) * d_v, 1)) return false;
  for (int64_t r = 0; r < item->rows; r++) {
    const float *row = across ? o + r / width * width * d_v + r % width : o + r * d_v;
    if (w->sum[r] > 0 && has_nan(row, d_v, across ? width : 1)) return true;
  }
  return false;
}

/* The state of one key with the score `max` does to a row what any chunk with that maximum does, but for the sum. The
 * kernel works on whole vectors of rows, so it gets arrays of its own. */
void tsr_attention_join(struct tsr_attention_worker *w, int64_t r, float max, float sum, int64_t d_v,
                        const float *sums, float *o) {
  float score[16] = {max}, largest[TSR_SOFTMAX_PAD], ignored[TSR_SOFTMAX_PAD], keep[TSR_SOFTMAX_PAD],
        add[TSR_SOFTMAX_PAD];
  struct tsr_softmax sm = {.max = largest, .sum = ignored, .keep = keep, .add = add};
  struct tsr_step step = {.m = 1, .n = 1, .csc = sizeof score};
  largest[0] = w->max[r];
  ignored[0] = 0;
  w->kernels[TSR_F32].softmax_t->run(&step, 0, (tsr_mem)&sm, (tsr_mem)score);
  w->max[r] = largest[0];
  w->sum[r] = fmaf(add[0], sum, keep[0] == 0 ? 0 : keep[0] * w->sum[r]);
  struct tsr_step merge = {.m = d_v, .n = 1, .alpha = add[0], .beta = keep[0]};
  w->kernels[TSR_F32].update->run(&merge, (tsr_mem)sums, 0, (tsr_mem)o);
}

float *tsr_attention_lse_of(const struct tsr_attention_problem *p, const struct tsr_attention_item *item, int64_t r) {
  int64_t i = r / p->group, head = item->head * p->group + r % p->group;
  if (p->d.cu_q) return p->lse + head * p->d.cu_q[p->d.batch] + item->seq.first_query + i;
  return p->lse + (item->seq.b * p->d.heads_q + head) * p->d.len_q + i;
}

/* The sink joins as a chunk of one key without a value would, so that merging such a chunk gives the same bits. */
static void join_sink(struct tsr_attention_worker *w, int64_t r, float sink, float *o) {
  static const float nothing[TSR_MOST_HEAD_SIZE];
  tsr_attention_join(w, r, (float)(sink * TSR_LOG2_E), 1, w->problem->d.d_v, nothing, o);
}

/* One row: o / sum, rounded to the type of out. */
static void write_row(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t r, float *o) {
  const struct tsr_attention_problem *p = w->problem;
  struct tsr_attention_rows out = {p->d.type_out, p->d.d_v, p->out, p->step_out};
  if (w->sum[r] == 0) memset(o, 0, (size_t)p->d.d_v * sizeof *o);
  if (p->d.sinks) join_sink(w, r, p->d.sinks[item->head * p->group + (item->row + r) % p->group], o);
  struct tsr_step step = {.m = p->d.d_v, .n = 1, .alpha = w->sum[r] == 0 ? 1 : 1 / w->sum[r]};
  w->kernels[TSR_F32].convert[p->d.type_out]->run(&step, (tsr_mem)o, 0,
                                                  tsr_attention_row_of(p, item, &out, item->row + r));
  if (p->lse) *tsr_attention_lse_of(p, item, item->row + r) = tsr_attention_lse(w->max[r], w->sum[r]);
}

void tsr_attention_finish(struct tsr_attention_worker *w, const struct tsr_attention_item *item) {
  int64_t d_v = w->problem->d.d_v, width = w->way->width;
  if (w->way->lanes == TSR_LANES_KEYS) {
    for (int64_t r = 0; r < item->rows; r++) write_row(w, item, r, w->o + r * d_v);
    return;
  }
  const struct tsr_kernel *turn = w->kernels[TSR_F32].pack_t[0];
  for (int64_t r0 = 0; r0 < item->rows; r0 += width) {
    int64_t rows = tsr_min(width, item->rows - r0);
    struct tsr_step step = {.m = d_v, .n = d_v, .k = rows, .rsa = width * 4, .csa = 4};
    turn->run(&step, (tsr_mem)(w->o + r0 * d_v), 0, (tsr_mem)w->row);
    for (int64_t r = 0; r < rows; r++) write_row(w, item, r0 + r, w->row + r * d_v);
  }
}
