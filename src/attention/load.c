/* Operands on their way to the kernels: rows gathered, converted, transposed where the kernels need it. */
#include <math.h>
#include <string.h>

#include "src/attention/attention.h"
#include "src/attention/blocks.h"

void tsr_attention_convert(const struct tsr_attention_worker *w, tsr_type from, tsr_type to, double alpha, int64_t m,
                           int64_t n, tsr_mem a, int64_t csa, tsr_mem c, int64_t csc) {
  struct tsr_step step = {.m = m, .n = n, .csa = csa, .csc = csc, .alpha = alpha};
  if (n > 0) w->kernels[from].convert[to]->run(&step, a, 0, c);
}

void tsr_attention_gather(struct tsr_attention_worker *w, const struct tsr_attention_item *item,
                          const struct tsr_attention_rows *from, double alpha, int64_t r0, int64_t rows, float *to,
                          int64_t ld) {
  int64_t group = w->problem->group;
  for (int64_t r = r0, n; r < r0 + rows; r += n, to += n * ld) {
    n = tsr_min(r0 + rows - r, group == 1 ? rows : group - r % group);
    tsr_attention_convert(w, from->type, TSR_F32, alpha, from->d, n, tsr_attention_row_of(w->problem, item, from, r),
            from->step[group == 1 ? TSR_ROW : TSR_HEAD], (tsr_mem)to, ld * 4);
  }
}

static void gather_q(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t r0, int64_t rows,
                     float *to) {
  const struct tsr_attention_problem *p = w->problem;
  struct tsr_attention_rows q = {p->d.type_q, p->d.d_qk, p->q, p->step_q};
  tsr_attention_gather(w, item, &q, p->q_scale, r0, rows, to, p->d.d_qk);
}

void tsr_attention_transpose(const struct tsr_attention_worker *w, int64_t rows, int64_t width, int64_t k,
                             const float *from, int64_t ld, float *to) {
  const struct tsr_kernels *f32 = &w->kernels[TSR_F32];
  struct tsr_step step = {.m = rows, .n = width, .k = k, .rsa = ld * 4, .csa = 4, .dc = width * k * 4};
  (f32->pack_t[width <= TSR_MAX_WIDTH && f32->pack_t[width] ? width : 0])->run(&step, (tsr_mem)from, 0, (tsr_mem)to);
}

void tsr_attention_load_q(struct tsr_attention_worker *w, const struct tsr_attention_item *item) {
  const struct tsr_attention_way *way = w->way;
  int64_t d = w->problem->d.d_qk, row = item->row;
  if (way->lanes == TSR_LANES_KEYS) {
    gather_q(w, item, row, item->rows, w->q);
    return;
  }
  for (int64_t r = 0; r < item->rows; r += way->width) {
    int64_t rows = tsr_min(way->width, item->rows - r);
    gather_q(w, item, row + r, rows, w->row);
    tsr_attention_transpose(w, rows, way->width, d, w->row, d, w->q + r * d);
  }
}

/* The address of key or value number j of a sequence, and how many follow it without a gap, up to n. */
static tsr_mem row_of(const struct tsr_attention_problem *p, const struct tsr_attention_item *item, tsr_mem base,
                      const int64_t *step, int64_t unit, int64_t j, int64_t *n) {
  const tsr_attention_desc *d = &p->d;
  tsr_mem head = base + (tsr_mem)(item->head * step[TSR_HEAD]);
  if (!d->page_size) {
    if (!d->cu_kv) head += (tsr_mem)(item->seq.b * step[TSR_BATCH]);
    return head + (tsr_mem)((item->seq.first_key + j) / unit * step[TSR_ROW]);
  }
  int32_t page = d->block_table[item->seq.b * d->stride_table + j / d->page_size];
  *n = tsr_min(*n, d->page_size - j % d->page_size);
  return head + (tsr_mem)(page * step[TSR_BATCH] + j % d->page_size / unit * step[TSR_ROW]);
}

static const float *scale_of(const struct tsr_attention_problem *p, const struct tsr_attention_item *item,
                             const float *scales, int64_t j) {
  int64_t step[3], n = 1;
  for (int i = 0; i < 3; i++) step[i] = p->d.stride_scales[i] * 4;
  return (const float *)row_of(p, item, (tsr_mem)scales, step, 1, j, &n);
}

/* Rows j .. j + n of k or v, without a gap, to rows of ld floats. */
static void convert_rows(struct tsr_attention_worker *w, const struct tsr_attention_item *item, tsr_type type,
                         const float *scales, int64_t j, int64_t n, int64_t d, tsr_mem from, int64_t step, float *to,
                         int64_t ld) {
  if (type != TSR_S8) {
    tsr_attention_convert(w, type, TSR_F32, 1, d, n, from, step, (tsr_mem)to, ld * 4);
    return;
  }
  for (int64_t i = 0; i < n; i++, from += (tsr_mem)step, to += ld)
    tsr_attention_decode(d, from, *scale_of(w->problem, item, scales, j + i), to);
}

void tsr_attention_load_rows(struct tsr_attention_worker *w, const struct tsr_attention_item *item, bool keys,
                             int64_t chunk, int64_t n, float *to, int64_t ld) {
  const struct tsr_attention_problem *p = w->problem;
  const int64_t *step = keys ? p->step_k : p->step_v;
  for (int64_t j = 0, run; j < n; j += run) {
    run = n - j;
    tsr_mem from = row_of(p, item, keys ? p->k : p->v, step, 1, chunk + j, &run);
    convert_rows(w, item, keys ? p->d.type_k : p->d.type_v, keys ? p->d.scales_k : p->d.scales_v, chunk + j, run,
                 keys ? p->d.d_qk : p->d.d_v, from, step[TSR_ROW], to + j * ld, ld);
  }
}

/* Whether a chunk lies in one piece and its type is one that GEMM kernels read. */
static bool in_place(const struct tsr_attention_worker *w, tsr_type type, int64_t n, int64_t run) {
  return run == n && w->kernels[type].gemm.mu != 0 && (w->way->lanes == TSR_LANES_KEYS || type == TSR_F32);
}

/* Keys in panels stay panels. */
static void load_panels(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t j, int64_t n,
                        struct tsr_attention_keys *keys) {
  const struct tsr_attention_problem *p = w->problem;
  int64_t run = n, size = tsr_size_of(p->d.type_k), panel = p->d.d_qk * TSR_KV_PANEL;
  tsr_mem at = row_of(p, item, p->k, p->step_k, TSR_KV_PANEL, j, &run);
  *keys = (struct tsr_attention_keys){at, p->d.type_k, TSR_KV_PANEL * size, p->step_k[TSR_ROW], size};
  if (in_place(w, keys->type, n, run)) return;
  for (int64_t i = 0; i < n; i += TSR_KV_PANEL) {
    at = row_of(p, item, p->k, p->step_k, TSR_KV_PANEL, j + i, &run);
    tsr_attention_convert(w, p->d.type_k, TSR_F32, 1, panel, 1, at, 0, (tsr_mem)(w->k + i * p->d.d_qk), 0);
  }
  *keys = (struct tsr_attention_keys){(tsr_mem)w->k, TSR_F32, TSR_KV_PANEL * 4, panel * 4, 4};
}

void tsr_attention_load_k(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk,
                          int64_t n, struct tsr_attention_keys *keys) {
  const struct tsr_attention_problem *p = w->problem;
  int64_t run = n;
  if (p->d.layout_k == TSR_KV_PANELS) {
    load_panels(w, item, chunk, n, keys);
    return;
  }
  *keys = (struct tsr_attention_keys){.type = TSR_F32, .step = 4, .next = p->step_k[TSR_ROW]};
  keys->at = row_of(p, item, p->k, p->step_k, 1, chunk, &run);
  if (in_place(w, p->d.type_k, n, run)) return;
  tsr_attention_load_rows(w, item, true, chunk, n, w->k, w->ld_k);
  keys->at = (tsr_mem)w->k;
  keys->next = w->ld_k * 4;
}

/* A transposed panel of long keys is narrower, or it would fill the first cache; with very few rows chains count more. */
int64_t tsr_attention_panel(const tsr_attention_desc *d, int64_t rows) {
  return d->layout_k == TSR_KV_PANELS || d->d_qk <= 64 || rows <= 2 ? TSR_KV_PANEL : TSR_KV_PANEL / 2;
}

static void fetch(tsr_mem row, int64_t rows, int64_t next, int64_t bytes) {
  for (int64_t i = 0; i < rows; i++, row += (tsr_mem)next)
    for (int64_t byte = 0; byte < bytes; byte += 64) __builtin_prefetch((const void *)(row + (tsr_mem)byte), 0, 2);
}

void tsr_attention_fetch_keys(const struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t j,
                              int64_t n) {
  const struct tsr_attention_problem *p = w->problem;
  int64_t run = tsr_min(n, item->seq.keys - j), bytes = tsr_bytes_of(p->d.type_k, p->d.d_qk);
  if (run <= 0) return;
  if (p->d.layout_k == TSR_KV_PANELS)
    fetch(row_of(p, item, p->k, p->step_k, TSR_KV_PANEL, j, &run), 1, 0, n * bytes);
  else
    fetch(row_of(p, item, p->k, p->step_k, 1, j, &run), run, p->step_k[TSR_ROW], bytes);
}

void tsr_attention_fetch_values(const struct tsr_attention_worker *w, const struct tsr_attention_keys *v, int64_t j,
                                int64_t n) {
  fetch(v->at + (tsr_mem)(j * v->next), n, v->next, tsr_bytes_of(v->type, w->problem->d.d_v));
}

void tsr_attention_load_panel(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t j,
                              int64_t n, struct tsr_attention_keys *keys) {
  const struct tsr_attention_problem *p = w->problem;
  int64_t run = n, size = tsr_size_of(p->d.type_k);
  if (p->d.layout_k == TSR_KV_PANELS) {
    load_panels(w, item, j, n, keys);
    return;
  }
  int64_t panel = tsr_attention_panel(&p->d, item->rows);
  *keys = (struct tsr_attention_keys){(tsr_mem)w->k, TSR_F32, panel * 4, 0, 4};
  tsr_mem at = row_of(p, item, p->k, p->step_k, 1, j, &run);
  const struct tsr_kernel *pack = w->kernels[p->d.type_k].pack_t[0];
  if (run == n && pack) {
    struct tsr_step step = {.m = n, .n = panel, .k = p->d.d_qk, .rsa = p->step_k[TSR_ROW], .csa = size};
    pack->run(&step, at, 0, (tsr_mem)w->k);
    return;
  }
  tsr_attention_load_rows(w, item, true, j, n, w->row, w->ld_k);
  tsr_attention_transpose(w, n, panel, p->d.d_qk, w->row, w->ld_k, w->k);
}

int64_t tsr_attention_rows_of_keys(const struct tsr_attention_worker *w, const struct tsr_attention_item *item,
                                   int64_t j, int64_t n, tsr_mem *at) {
  const struct tsr_attention_problem *p = w->problem;
  *at = row_of(p, item, p->k, p->step_k, 1, j, &n);
  return n;
}

void tsr_attention_load_v(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk,
                          int64_t n, struct tsr_attention_keys *values) {
  const struct tsr_attention_problem *p = w->problem;
  int64_t run = n;
  tsr_mem at = row_of(p, item, p->v, p->step_v, 1, chunk, &run);
  *values = (struct tsr_attention_keys){at, p->d.type_v, tsr_size_of(p->d.type_v), 0, p->step_v[TSR_ROW]};
  if (!w->careful && in_place(w, values->type, n, run)) return;
  tsr_attention_load_rows(w, item, false, chunk, n, w->v, w->ld_v);
  *values = (struct tsr_attention_keys){(tsr_mem)w->v, TSR_F32, 4, 0, w->ld_v * 4};
}
