/* One thread's memory. */
#include "src/attention/attention.h"

/* Rows of 16-bit keys and values lie apart by a line more than their length: lengths that are powers of two would
 * compete for the same lines of the first cache. */
static int64_t padded(int64_t d) { return tsr_round_up(d, 16) + 16; }

static int64_t padded_rows(const struct tsr_attention_way *way) {
  return tsr_round_up(way->rows, way->width) + TSR_SOFTMAX_PAD;
}

/* Gives `floats` floats of the memory, and how far it is used up. */
static float *take(tsr_mem memory, size_t *used, int64_t floats) {
  float *at = (float *)(memory + *used);
  *used += (size_t)tsr_round_up(floats * 4, 64);
  return at;
}

static size_t lay_out(struct tsr_attention_worker *w, tsr_mem memory) {
  const tsr_attention_desc *d = &w->problem->d;
  const struct tsr_attention_way *way = w->way;
  bool keys = way->lanes == TSR_LANES_KEYS;
  int64_t rows = padded_rows(way), tile = tsr_round_up(way->width, TSR_SOFTMAX_PAD), widest = tsr_max(d->d_qk, d->d_v);
  int64_t heads = tsr_max(1, way->heads);
  size_t used = 0;
  w->ld_k = padded(d->d_qk);
  w->ld_v = padded(d->d_v);
  w->ld_s = TSR_CHUNK + 16;
  w->q = take(memory, &used, heads * rows * d->d_qk);
  w->o = take(memory, &used, heads * rows * d->d_v);
  w->s = take(memory, &used, keys ? rows * w->ld_s : TSR_CHUNK * way->width + TSR_SOFTMAX_PAD);
  w->sums = take(memory, &used, way->width * d->d_v + TSR_SOFTMAX_PAD);
  w->k = take(memory, &used, TSR_CHUNK * (keys ? d->d_qk : w->ld_k));
  w->v = take(memory, &used, TSR_CHUNK * w->ld_v);
  w->clean = take(memory, &used, TSR_CHUNK * w->ld_v);
  w->row = take(memory, &used, keys ? TSR_CHUNK * w->ld_k : way->width * widest);
  w->bias = take(memory, &used, d->mask_type ? way->width * TSR_CHUNK : 0);
  w->bias_t = take(memory, &used, d->mask_type && !keys ? TSR_CHUNK * way->width + TSR_SOFTMAX_PAD : 0);
  float **states[] = {&w->max, &w->sum, &w->keep, &w->add};
  for (int i = 0; i < 4; i++) *states[i] = take(memory, &used, heads * rows);
  w->slope = take(memory, &used, tile);
  w->from = (int32_t *)take(memory, &used, tile);
  w->to = (int32_t *)take(memory, &used, tile);
  w->at = (int32_t *)take(memory, &used, tile);
  return used;
}

size_t tsr_attention_worker_bytes(const struct tsr_attention_problem *problem, const struct tsr_attention_way *way) {
  struct tsr_attention_worker w = {.problem = problem, .way = way};
  return (lay_out(&w, 0) + 4095) / 4096 * 4096 + 64;
}

void tsr_attention_worker_init(struct tsr_attention_worker *w, const tsr_context *context,
                               const struct tsr_attention_problem *problem, const struct tsr_attention_way *way,
                               void *memory) {
  *w = (struct tsr_attention_worker){.problem = problem, .way = way, .kernels = context->kernels};
  lay_out(w, (tsr_mem)memory);
}

void tsr_attention_worker_of_head(const struct tsr_attention_worker *w, int64_t h, struct tsr_attention_worker *one) {
  int64_t rows = padded_rows(w->way);
  *one = *w;
  one->q += h * rows * w->problem->d.d_qk;
  one->o += h * rows * w->problem->d.d_v;
  one->max += h * rows;
  one->sum += h * rows;
  one->keep += h * rows;
  one->add += h * rows;
}
