/* Attention of one item: chunk by chunk and, within a chunk, S = Q K', softmax, P V, merge. */
#include <math.h>

#include "src/attention/tile.h"

void tsr_attention_start(struct tsr_attention_worker *w, int64_t rows) {
  for (int64_t r = 0; r < rows; r++) w->max[r] = -INFINITY, w->sum[r] = 0;
}

void tsr_attention_range_of(const struct tsr_attention_problem *p, const struct tsr_attention_item *item,
                            int64_t *first, int64_t *end) {
  int64_t group = p->group, from, to, ignored;
  tsr_attention_sees(p, &item->seq, item->row / group, &from, &ignored);
  tsr_attention_sees(p, &item->seq, (item->row + item->rows - 1) / group, &ignored, &to);
  int64_t prefix = tsr_attention_prefix(p, &item->seq);
  if (prefix > 0) from = 0, to = tsr_max(to, prefix);
  *first = from / TSR_CHUNK * TSR_CHUNK;
  *end = to;
}

static void run_chunks(struct tsr_attention_worker *w, const struct tsr_attention_item *item) {
  int64_t chunk, end;
  tsr_attention_start(w, item->rows);
  tsr_attention_range_of(w->problem, item, &chunk, &end);
  w->next = item;
  for (; chunk < end; chunk += TSR_CHUNK) {
    w->next_key = chunk + TSR_CHUNK;
    (w->way->lanes == TSR_LANES_QUERIES ? tsr_attention_attend_tiles : tsr_attention_advance)(w, item, chunk);
  }
}

void tsr_attention_end(struct tsr_attention_worker *w, const struct tsr_attention_item *item) {
  if (tsr_attention_is_spoilt(w, item, w->o)) {
    w->careful = true;
    run_chunks(w, item);
  }
  tsr_attention_finish(w, item);
}

void tsr_attention_compute(struct tsr_attention_worker *w, const struct tsr_attention_item *item) {
  tsr_attention_load_q(w, item);
  w->careful = false;
  run_chunks(w, item);
  tsr_attention_end(w, item);
}
