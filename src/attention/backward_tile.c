/* One thread's part of the gradients: a chunk of keys against tiles of rows. S, P, dP and dS are [key][row]; q, dout, k
 * and v lie as rows, which is how the products that sum gradients read them, and q and dout transposed for S and dP. */
#include <math.h>
#include <string.h>

#include "src/attention/backward.h"

static float *take(tsr_mem memory, size_t *used, int64_t floats) {
  float *at = (float *)(memory + *used);
  *used += (size_t)tsr_round_up(floats * 4, 64);
  return at;
}

static size_t lay_out(struct tsr_backward_worker *b, tsr_mem memory) {
  const tsr_attention_desc *d = &b->problem->forward.d;
  struct tsr_attention_worker *w = &b->w;
  int64_t width = w->way->width, scores = TSR_CHUNK * width + TSR_SOFTMAX_PAD;
  size_t used = 0;
  w->ld_k = tsr_round_up(d->d_qk, 16) + 16;
  w->ld_v = tsr_round_up(d->d_v, 16) + 16;
  w->k = take(memory, &used, TSR_CHUNK * w->ld_k);
  w->v = take(memory, &used, TSR_CHUNK * w->ld_v);
  b->dk = take(memory, &used, TSR_CHUNK * w->ld_k);
  b->dv = take(memory, &used, TSR_CHUNK * w->ld_v);
  w->s = take(memory, &used, scores);
  b->dp = take(memory, &used, scores);
  b->q = take(memory, &used, width * w->ld_k);
  b->dout = take(memory, &used, width * w->ld_v);
  b->q_t = take(memory, &used, width * d->d_qk);
  b->dout_t = take(memory, &used, width * d->d_v);
  w->row = take(memory, &used, width * tsr_max(w->ld_k, w->ld_v));
  w->clean = take(memory, &used, tsr_max(TSR_CHUNK, width) * tsr_max(w->ld_k, w->ld_v));
  w->bias = take(memory, &used, d->mask_type ? width * TSR_CHUNK : 0);
  w->bias_t = take(memory, &used, d->mask_type ? scores : 0);
  w->slope = take(memory, &used, width + TSR_SOFTMAX_PAD);
  w->from = (int32_t *)take(memory, &used, width + TSR_SOFTMAX_PAD);
  w->to = (int32_t *)take(memory, &used, width + TSR_SOFTMAX_PAD);
  w->at = (int32_t *)take(memory, &used, width + TSR_SOFTMAX_PAD);
  return used;
}

size_t tsr_backward_worker_bytes(const struct tsr_backward_problem *problem, const struct tsr_attention_way *way) {
  struct tsr_backward_worker b = {.w.way = way, .problem = problem};
  return (size_t)tsr_round_up((int64_t)lay_out(&b, 0), 4096) + 64;
}

void tsr_backward_worker_init(struct tsr_backward_worker *b, const tsr_context *context,
                              const struct tsr_backward_problem *problem, const struct tsr_attention_way *way,
                              void *memory) {
  *b = (struct tsr_backward_worker){.problem = problem};
  b->w = (struct tsr_attention_worker){.problem = &problem->forward, .way = way, .kernels = context->kernels};
  lay_out(b, (tsr_mem)memory);
}

static void convert(const struct tsr_attention_worker *w, tsr_type to, double alpha, int64_t m, int64_t n,
                    const float *a, int64_t ld, tsr_mem c, int64_t csc) {
  struct tsr_step step = {.m = m, .n = n, .csa = ld * 4, .csc = csc, .alpha = alpha};
  w->kernels[TSR_F32].convert[to]->run(&step, (tsr_mem)a, 0, c);
}

/* Loops over long arrays, which compilers turn into vectors: x - x is NaN for what is not finite. */
static bool is_special(const float *x, int64_t rows, int64_t d, int64_t ld) {
  float found[TSR_MOST_HEAD_SIZE] = {0}, any = 0;
  for (int64_t r = 0; r < rows; r++, x += ld)
    for (int64_t e = 0; e < d; e++) found[e] += x[e] - x[e];
  for (int64_t e = 0; e < d; e++) any += found[e];
  return any != 0;
}

/* The products, halves added to halves. */
static float dot(const float *x, const float *y, int64_t d) {
  float sum[TSR_MOST_HEAD_SIZE];
  for (int64_t e = 0; e < d; e++) sum[e] = x[e] * y[e];
  for (int64_t half; d > 1; d = half) {
    half = (d + 1) / 2;
    for (int64_t e = 0; e < d - half; e++) sum[e] += sum[half + e];
  }
  return sum[0];
}

/* Where row r of a head's dq is summed, and the bytes from query to query. */
static tsr_mem dq_of(const struct tsr_backward_worker *b, const struct tsr_attention_item *item,
                     const struct tsr_backward_slot *slot, int64_t r, int64_t *next) {
  const struct tsr_backward_problem *p = b->problem;
  *next = slot->dq ? p->forward.group * p->q.d * 4 : p->dq.step[TSR_ROW];
  return slot->dq ? (tsr_mem)(slot->dq + r * p->q.d) : tsr_attention_row_of(&p->forward, item, &p->dq, r);
}

void tsr_backward_prepare(struct tsr_backward_worker *b, const struct tsr_attention_item *item,
                          struct tsr_backward_slot *slot, int64_t tile) {
  const struct tsr_backward_problem *p = b->problem;
  struct tsr_attention_worker *w = &b->w;
  int64_t ld_v = w->ld_v, next;
  tsr_attention_gather(w, item, &p->q, 1, item->row, item->rows, b->q, w->ld_k);
  tsr_attention_gather(w, item, &p->dout, 1, item->row, item->rows, b->dout, ld_v);
  tsr_attention_gather(w, item, &p->out, 1, item->row, item->rows, w->row, ld_v);
  for (int64_t r = 0; r < item->rows; r++) {
    float lse = *tsr_attention_lse_of(&p->forward, item, item->row + r);
    slot->lse[item->row + r] = lse == -INFINITY ? INFINITY : (float)(lse * TSR_LOG2_E);
    slot->delta[item->row + r] = dot(b->dout + r * ld_v, w->row + r * ld_v, p->out.d);
    memset((void *)dq_of(b, item, slot, item->row + r, &next), 0, (size_t)p->q.d * 4);
  }
  slot->special[tile] = (uint8_t)((is_special(b->q, item->rows, p->q.d, w->ld_k) ? TSR_SPECIAL_Q : 0) |
                                  (is_special(b->dout, item->rows, p->out.d, ld_v) ? TSR_SPECIAL_DOUT : 0));
}

void tsr_backward_begin(struct tsr_backward_worker *b, const struct tsr_attention_item *item, int64_t chunk, int64_t n,
                        int64_t rows) {
  struct tsr_attention_worker *w = &b->w;
  memset(b->dk, 0, (size_t)(rows * w->ld_k) * sizeof(float));
  memset(b->dv, 0, (size_t)(rows * w->ld_v) * sizeof(float));
  if (n <= 0) return;
  tsr_attention_load_rows(w, item, true, chunk, n, w->k, w->ld_k);
  tsr_attention_load_rows(w, item, false, chunk, n, w->v, w->ld_v);
  b->special_k = is_special(w->k, n, b->problem->q.d, w->ld_k);
}

static void write_rows(struct tsr_backward_worker *b, const struct tsr_attention_item *item, tsr_mem to,
                       const int64_t *step, tsr_type type, double alpha, int64_t d, int64_t chunk, int64_t rows,
                       const float *from, int64_t ld) {
  to += (tsr_mem)(item->head * step[TSR_HEAD] + (item->seq.first_key + chunk) * step[TSR_ROW]);
  if (!b->problem->forward.d.cu_kv) to += (tsr_mem)(item->seq.b * step[TSR_BATCH]);
  if (rows > 0) convert(&b->w, type, alpha, d, rows, from, ld, to, step[TSR_ROW]);
}

void tsr_backward_end(struct tsr_backward_worker *b, const struct tsr_attention_item *item, int64_t chunk,
                      int64_t rows) {
  const struct tsr_attention_problem *p = &b->problem->forward;
  write_rows(b, item, b->problem->dk, p->step_k, p->d.type_k, b->problem->scale, p->d.d_qk, chunk, rows, b->dk,
             b->w.ld_k);
  write_rows(b, item, b->problem->dv, p->step_v, p->d.type_v, 1, p->d.d_v, chunk, rows, b->dv, b->w.ld_v);
}

void tsr_backward_finish(struct tsr_backward_worker *b, const struct tsr_attention_item *item,
                         const struct tsr_backward_slot *slot) {
  const struct tsr_attention_rows *dq = &b->problem->dq;
  int64_t d = dq->d;
  for (int64_t r = item->row; r < item->row + item->rows; r++)
    convert(&b->w, dq->type, 1, d, 1, slot->dq + r * d, d,
            tsr_attention_row_of(&b->problem->forward, item, dq, r), 0);
}

/* Adds the rows of A that are not finite to where their weight is not 0; the rest has been added without them. */
static void add_special(const struct tsr_step *step, int64_t m, int64_t n, tsr_mem a, tsr_mem b, tsr_mem c) {
  float alpha = (float)step->alpha;
  for (int64_t p = 0; p < step->k; p++)
    for (int64_t i = 0; i < m; i++) {
      float x = *(const float *)(a + (tsr_mem)(p * step->csa + i * 4));
      for (int64_t j = 0; x - x != 0 && j < n; j++) {
        float weight = *(const float *)(b + (tsr_mem)(p * step->rsb + j * step->csb));
        if (weight != 0) *(float *)(c + (tsr_mem)(j * step->csc + i * 4)) += alpha * weight * x;
      }
    }
}

/* C += alpha A B, where A may hold what must not count with a weight of 0 in B. */
static void add_product(struct tsr_backward_worker *b, struct tsr_step *step, bool special, int64_t m, int64_t n,
                        tsr_mem a, tsr_mem weights, tsr_mem c) {
  const struct tsr_kernels *kernels = b->w.kernels;
  step->beta = 1;
  step->flags = TSR_NEAR;
  if (!special) {
    tsr_attention_multiply(kernels, TSR_F32, step, m, n, a, weights, c);
    return;
  }
  float *clean = b->w.clean;
  for (int64_t p = 0; p < step->k; p++)
    for (int64_t i = 0; i < m; i++) {
      float x = *(const float *)(a + (tsr_mem)(p * step->csa + i * 4));
      *(float *)((tsr_mem)clean + (tsr_mem)(p * step->csa + i * 4)) = x - x != 0 ? 0 : x;
    }
  tsr_attention_multiply(kernels, TSR_F32, step, m, n, (tsr_mem)clean, weights, c);
  add_special(step, m, n, a, weights, c);
}

static void load_tile(struct tsr_backward_worker *b, const struct tsr_attention_item *item) {
  const struct tsr_backward_problem *p = b->problem;
  struct tsr_attention_worker *w = &b->w;
  int64_t width = w->way->width;
  tsr_attention_gather(w, item, &p->q, 1, item->row, item->rows, b->q, w->ld_k);
  convert(w, TSR_F32, p->forward.q_scale, p->q.d, item->rows, b->q, w->ld_k, (tsr_mem)w->row, w->ld_k * 4);
  tsr_attention_transpose(w, item->rows, width, p->q.d, w->row, w->ld_k, b->q_t);
  tsr_attention_gather(w, item, &p->dout, 1, item->row, item->rows, b->dout, w->ld_v);
  tsr_attention_transpose(w, item->rows, width, p->out.d, b->dout, w->ld_v, b->dout_t);
}

/* Where P and dS of a row and key lie. */
static int64_t place(const struct tsr_backward_worker *b, int64_t row, int64_t key) {
  return key * b->w.way->width + row;
}

/* P in w.s and dS in dp, for the rows and keys of a view. */
static void weigh(struct tsr_backward_worker *b, const struct tsr_attention_item *item,
                  const struct tsr_backward_slot *slot, int64_t chunk, const struct tsr_attention_view *view) {
  struct tsr_attention_worker *w = &b->w;
  const struct tsr_kernels *f32 = &w->kernels[TSR_F32];
  int64_t n = view->end - view->base, next = w->way->width * 4, row = item->row + view->row;
  int64_t at = place(b, view->row, view->base);
  tsr_mem s = (tsr_mem)(w->s + at), dp = (tsr_mem)(b->dp + at);
  struct tsr_step qk = {.k = b->problem->q.d, .csa = next, .rsb = 4, .csb = w->ld_k * 4, .csc = next,
                        .flags = TSR_STORE_SUM | TSR_NEAR};
  struct tsr_step dov = {.k = b->problem->out.d, .csa = next, .rsb = 4, .csb = w->ld_v * 4, .csc = next,
                         .flags = TSR_STORE_SUM | TSR_NEAR};
  tsr_attention_multiply(w->kernels, TSR_F32, &qk, view->rows, n, (tsr_mem)(b->q_t + view->row),
                         (tsr_mem)(w->k + view->base * w->ld_k), s);
  tsr_attention_multiply(w->kernels, TSR_F32, &dov, view->rows, n, (tsr_mem)(b->dout_t + view->row),
                         (tsr_mem)(w->v + view->base * w->ld_v), dp);
  struct tsr_softmax sm = {.max = slot->lse + row, .sum = slot->delta + row, .to = w->to, .at = w->at};
  tsr_attention_describe_rows(w, item, chunk, view, &sm);
  tsr_attention_turn_bias(w, view, &sm);
  struct tsr_step step = {.m = view->rows, .n = n, .csa = next, .csc = next};
  f32->softmax_grad->run(&step, dp, (tsr_mem)&sm, s);
}

/* Adds what rows r0 .. r0 + rows of a tile do to the gradients of keys from .. to. */
static void add_to_keys(struct tsr_backward_worker *b, int special, int64_t r0, int64_t rows, int64_t from,
                        int64_t to) {
  struct tsr_attention_worker *w = &b->w;
  int64_t next = w->way->width * 4, at = place(b, r0, from);
  struct tsr_step dv = {.k = rows, .csa = w->ld_v * 4, .rsb = 4, .csb = next, .csc = w->ld_v * 4, .alpha = 1};
  struct tsr_step dk = {.k = rows, .csa = w->ld_k * 4, .rsb = 4, .csb = next, .csc = w->ld_k * 4, .alpha = 1};
  add_product(b, &dv, special & TSR_SPECIAL_DOUT, b->problem->out.d, to - from, (tsr_mem)(b->dout + r0 * w->ld_v),
              (tsr_mem)(w->s + at), (tsr_mem)(b->dv + from * w->ld_v));
  add_product(b, &dk, special & TSR_SPECIAL_Q, b->problem->q.d, to - from, (tsr_mem)(b->q + r0 * w->ld_k),
              (tsr_mem)(b->dp + at), (tsr_mem)(b->dk + from * w->ld_k));
}

/* One head of the group at a time: its rows lie evenly. */
static void add_to_dq(struct tsr_backward_worker *b, const struct tsr_attention_item *item,
                      const struct tsr_backward_slot *slot, const struct tsr_attention_view *view) {
  struct tsr_attention_worker *w = &b->w;
  int64_t group = b->problem->forward.group, next;
  for (int64_t g = 0; g < tsr_min(group, view->rows); g++) {
    tsr_mem c = dq_of(b, item, slot, item->row + view->row + g, &next);
    struct tsr_step step = {.k = view->end - view->base, .csa = w->ld_k * 4, .rsb = w->way->width * 4,
                            .csb = group * 4, .csc = next, .alpha = b->problem->scale};
    const float *ds = b->dp + place(b, view->row + g, view->base);
    add_product(b, &step, b->special_k, b->problem->q.d, tsr_ceil_div(view->rows - g, group),
                (tsr_mem)(w->k + view->base * w->ld_k), (tsr_mem)ds, c);
  }
}

/* Whether all rows of an item see all keys of a chunk, as far as positions go. */
static bool is_inside(const struct tsr_attention_problem *p, const struct tsr_attention_item *item, int64_t chunk,
                      int64_t n) {
  int64_t from, to, ignored;
  tsr_attention_sees(p, &item->seq, (item->row + item->rows - 1) / p->group, &from, &ignored);
  tsr_attention_sees(p, &item->seq, item->row / p->group, &ignored, &to);
  return from <= chunk && to >= chunk + n;
}

/* The next key behind `key` where a part of the tile begins or ends to be computed. */
static int64_t next_break(const struct tsr_attention_view *view, int parts, int64_t key) {
  int64_t next = INT64_MAX;
  for (int i = 0; i < parts; i++) {
    if (view[i].base > key) next = tsr_min(next, view[i].base);
    if (view[i].end > key) next = tsr_min(next, view[i].end);
  }
  return next;
}

/* Keys that the same parts have weights for, at a time; of these, parts that lie together. */
static void add_parts(struct tsr_backward_worker *b, int special, const struct tsr_attention_view *view, int parts) {
  for (int64_t from = 0, to; (to = next_break(view, parts, from)) < INT64_MAX; from = to)
    for (int i = 0; i < parts; i++) {
      int64_t rows = 0, r0 = view[i].row;
      for (; i < parts && view[i].base <= from && view[i].end >= to && view[i].row == r0 + rows; i++)
        rows += view[i].rows;
      if (rows == 0) continue;
      add_to_keys(b, special, r0, rows, from, to);
      i--;
    }
}

void tsr_backward_tile(struct tsr_backward_worker *b, const struct tsr_attention_item *item,
                       struct tsr_backward_slot *slot, int64_t tile, int64_t chunk, int64_t n) {
  struct tsr_attention_view view[TSR_BACKWARD_PARTS];
  int64_t part = is_inside(b->w.problem, item, chunk, n) ? item->rows : b->problem->part;
  int parts = 0;
  for (int64_t row = 0; row < item->rows; row += part) {
    view[parts] = (struct tsr_attention_view){.row = row, .rows = tsr_min(part, item->rows - row)};
    if (!tsr_attention_look(&b->w, item, chunk, n, &view[parts])) continue;
    if (parts == 0) load_tile(b, item);
    weigh(b, item, slot, chunk, &view[parts++]);
  }
  if (parts == 0) return;
  add_parts(b, slot->special[tile], view, parts);
  tsr_backward_wait(&slot->turn[tile], chunk / TSR_CHUNK);
  for (int i = 0; i < parts; i++) add_to_dq(b, item, slot, &view[i]);
}
