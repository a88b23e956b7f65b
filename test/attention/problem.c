/* Random problems, and how a descriptor is read: element by element, from the comments of tessera/attention.h. */
#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels/half.h"
#include "test/attention/attention_test.h"

void guarded_open(struct guarded *g, size_t bytes, enum place place, int shift) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), inner = (bytes + (size_t)shift + page) / page * page;
  g->pages_bytes = inner + 2 * page;
  g->pages = mmap(NULL, g->pages_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(g->pages != MAP_FAILED);
  assert_int_equal(mprotect(g->pages + page, inner, PROT_READ | PROT_WRITE), 0);
  g->bytes = bytes;
  g->data = g->pages + page + (place == PLACE_END ? inner - bytes : place == PLACE_START ? 0 : (size_t)shift);
}

void guarded_close(struct guarded *g) { munmap(g->pages, g->pages_bytes); }

size_t bytes_of(tsr_type type, int64_t n) {
  switch (type) {
    case TSR_F32: return (size_t)n * 4;
    case TSR_F16:
    case TSR_BF16: return (size_t)n * 2;
    case TSR_Q8_0: return (size_t)n / 32 * 34;
    case TSR_Q4_0: return (size_t)n / 32 * 18;
    default: return (size_t)n;
  }
}

void store(tsr_type type, char *to, float x) {
  uint16_t half = type == TSR_F16 ? tsr_to_f16(x) : tsr_to_bf16(x);
  if (type == TSR_F32)
    memcpy(to, &x, 4);
  else
    memcpy(to, &half, 2);
}

float load(tsr_type type, const char *from) {
  float x;
  uint16_t half;
  memcpy(&half, from, 2);
  if (type == TSR_F16) return tsr_from_f16(half);
  if (type == TSR_BF16) return tsr_from_bf16(half);
  memcpy(&x, from, 4);
  return x;
}

/* Element e of a row of blocks or bytes, bytes without their scale. */
static float load_integer(tsr_type type, const char *row, int64_t e) {
  const char *block = row + bytes_of(type, e / 32 * 32);
  int at = (int)(e % 32);
  if (type == TSR_S8) return (float)(int8_t)row[e];
  if (type == TSR_Q8_0) return load(TSR_F16, block) * (float)(int8_t)block[2 + at];
  int nibbles = (unsigned char)block[2 + at % 16];
  return load(TSR_F16, block) * (float)((at < 16 ? nibbles % 16 : nibbles / 16) - 8);
}

static bool is_float(tsr_type type) { return type == TSR_F32 || type == TSR_F16 || type == TSR_BF16; }

int64_t q_rows(const tsr_attention_desc *d, int64_t b) { return d->cu_q ? d->cu_q[b + 1] - d->cu_q[b] : d->len_q; }

int64_t kv_rows(const tsr_attention_desc *d, int64_t b) {
  int64_t rows = d->cu_kv ? d->cu_kv[b + 1] - d->cu_kv[b] : d->len_kv;
  return d->kv_lens && d->kv_lens[b] < rows ? d->kv_lens[b] : rows;
}

int64_t position_of(const tsr_attention_desc *d, int64_t b, int64_t i) {
  int64_t all = d->all_keys ? d->all_keys : d->first_key + kv_rows(d, b);
  return d->causal == TSR_CAUSAL_TOP_LEFT ? i : i + all - q_rows(d, b);
}

static const char *mask_at(const tsr_attention_desc *d, int64_t b, int64_t h, int64_t i, int64_t j) {
  int64_t at = b * d->stride_mask[0] + h * d->stride_mask[1] + i * d->stride_mask[2] + j;
  return (const char *)d->mask + bytes_of(d->mask_type, at);
}

float mask_of(const tsr_attention_desc *d, int64_t b, int64_t h, int64_t i, int64_t j) {
  const char *at = mask_at(d, b, h, i, j);
  if (d->mask_type == TSR_BOOL) return *at ? 0 : -INFINITY;
  return load(d->mask_type, at);
}

bool sees(const tsr_attention_desc *d, int64_t b, int64_t h, int64_t i, int64_t j) {
  int64_t key = d->first_key + j, at = position_of(d, b, i);
  if (d->mask_type && mask_of(d, b, h, i, j) == -INFINITY) return false;
  if (key < d->prefix) return true;
  if (d->window_left >= 0 && at - key > d->window_left) return false;
  int64_t right = d->causal != TSR_NOT_CAUSAL ? 0 : d->window_right;
  return right < 0 || key - at <= right;
}

int64_t row_of(const tsr_attention_desc *d, int64_t b, int64_t h, int64_t i) {
  return (b * d->heads_q + h) * d->len_q + i;
}
int64_t rows_of(const tsr_attention_desc *d) { return d->batch * d->heads_q * d->len_q; }

static int64_t q_at(const tsr_attention_desc *d, const int64_t *stride, int64_t b, int64_t h, int64_t i) {
  int64_t row = d->cu_q ? d->cu_q[b] + i : i, sequence = d->cu_q ? 0 : b;
  return h * stride[TSR_HEAD] + sequence * stride[TSR_BATCH] + row * stride[TSR_ROW];
}

int64_t kv_at(const tsr_attention_desc *d, const int64_t *stride, int64_t unit, int64_t b, int64_t hkv, int64_t j) {
  int64_t at = hkv * stride[TSR_HEAD];
  if (d->page_size) {
    int64_t page = d->block_table[b * d->stride_table + j / d->page_size];
    return at + page * stride[TSR_BATCH] + j % d->page_size / unit * stride[TSR_ROW];
  }
  if (d->cu_kv) return at + (d->cu_kv[b] + j) / unit * stride[TSR_ROW];
  return at + b * stride[TSR_BATCH] + j / unit * stride[TSR_ROW];
}

float load_q(const tsr_attention_desc *d, const void *q, int64_t b, int64_t h, int64_t i, int64_t e) {
  return load(d->type_q, (const char *)q + bytes_of(d->type_q, q_at(d, d->stride_q, b, h, i) + e));
}

int64_t k_element(const tsr_attention_desc *d, int64_t b, int64_t hkv, int64_t j, int64_t e) {
  if (d->layout_k == TSR_KV_ROWS) return kv_at(d, d->stride_k, 1, b, hkv, j) + e;
  return kv_at(d, d->stride_k, TSR_KV_PANEL, b, hkv, j) + e * TSR_KV_PANEL + j % TSR_KV_PANEL;
}

float load_k(const tsr_attention_desc *d, const void *k, int64_t b, int64_t hkv, int64_t j, int64_t e) {
  if (is_float(d->type_k)) return load(d->type_k, (const char *)k + bytes_of(d->type_k, k_element(d, b, hkv, j, e)));
  const char *row = (const char *)k + bytes_of(d->type_k, kv_at(d, d->stride_k, 1, b, hkv, j));
  float x = load_integer(d->type_k, row, e);
  return d->type_k == TSR_S8 ? d->scales_k[kv_at(d, d->stride_scales, 1, b, hkv, j)] * x : x;
}

float load_v(const tsr_attention_desc *d, const void *v, int64_t b, int64_t hkv, int64_t j, int64_t e) {
  const char *row = (const char *)v + bytes_of(d->type_v, kv_at(d, d->stride_v, 1, b, hkv, j));
  if (is_float(d->type_v)) return load(d->type_v, row + bytes_of(d->type_v, e));
  float x = load_integer(d->type_v, row, e);
  return d->type_v == TSR_S8 ? d->scales_v[kv_at(d, d->stride_scales, 1, b, hkv, j)] * x : x;
}

/* Drawing. */

static int64_t pick(struct rng *rng, const int64_t *from, int n) { return from[rng_below(rng, n)]; }
#define PICK(rng, ...) \
  pick(rng, (const int64_t[]){__VA_ARGS__}, (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))
static double uniform(struct rng *rng) { return (double)(int64_t)rng_next(rng) * 0x1p-63; }
static bool one_in(struct rng *rng, int64_t n) { return rng_below(rng, n) == 0; }

static double work_of(const tsr_attention_desc *d) {
  return (double)(d->batch * d->heads_q * d->len_q) * (double)(d->len_kv + 8) * (double)(d->d_qk + d->d_v);
}

static void draw_sizes(tsr_attention_desc *d, struct rng *rng, unsigned features, double work) {
  d->batch = PICK(rng, 1, 1, 2, 3);
  d->heads_kv = PICK(rng, 1, 1, 2, 3);
  d->heads_q = d->heads_kv * PICK(rng, 1, 1, 2, 3, 4, 5, 8, 12);
  d->d_qk = PICK(rng, 1, 3, 8, 16, 31, 33, 40, 64, 64, 80, 112, 128, 128, 192, 256, 576);
  d->d_v = one_in(rng, 2) ? d->d_qk : PICK(rng, 1, 2, 8, 15, 32, 48, 64, 96, 128, 256, 512);
  d->len_kv = PICK(rng, 0, 1, 2, 15, 17, 63, 64, 65, 100, 255, 256, 257, 300, 511, 513, 600, 769, 1100, 2000);
  d->len_q = PICK(rng, 0, 1, 1, 1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 48, 63, 64, 65, 100, 130, 200, 257);
  if (features & F_QUANTISED && one_in(rng, 2)) d->type_k = (tsr_type)PICK(rng, TSR_Q8_0, TSR_Q4_0, TSR_S8);
  if (features & F_QUANTISED && one_in(rng, 2)) d->type_v = (tsr_type)PICK(rng, TSR_Q8_0, TSR_Q4_0, TSR_S8);
  if (d->type_k == TSR_Q8_0 || d->type_k == TSR_Q4_0) d->d_qk = (d->d_qk + 31) / 32 * 32;
  if (d->type_v == TSR_Q8_0 || d->type_v == TSR_Q4_0) d->d_v = (d->d_v + 31) / 32 * 32;
  while (work_of(d) > work) {
    int which = (int)rng_below(rng, 4);
    if (which == 0 && d->batch > 1) d->batch--;
    if (which == 1 && d->len_q > 1) d->len_q = d->len_q * 3 / 4;
    if (which == 2 && d->len_kv > 300) d->len_kv = d->len_kv * 7 / 8;
    if (which == 3 && d->heads_kv > 1) d->heads_q -= d->heads_q / d->heads_kv--;
    if (d->batch == 1 && d->len_q <= 1 && d->len_kv <= 300 && d->heads_kv == 1) break;
  }
}

static tsr_type float_type(struct rng *rng) { return (tsr_type)PICK(rng, TSR_F32, TSR_F16, TSR_BF16); }

static void draw_types(tsr_attention_desc *d, struct rng *rng) {
  d->type_q = float_type(rng);
  d->type_out = float_type(rng);
  if (is_float(d->type_k)) d->type_k = float_type(rng);
  if (is_float(d->type_v)) d->type_v = one_in(rng, 2) && is_float(d->type_k) ? d->type_k : float_type(rng);
}

static void draw_positions(tsr_attention_desc *d, struct rng *rng) {
  d->causal = (tsr_causal)PICK(rng, TSR_NOT_CAUSAL, TSR_CAUSAL_TOP_LEFT, TSR_CAUSAL_BOTTOM_RIGHT,
                               TSR_CAUSAL_BOTTOM_RIGHT);
  if (one_in(rng, 3)) d->window_left = PICK(rng, 0, 1, 5, 63, 64, 200, 256, 300, 5000, INT64_MAX);
  if (one_in(rng, 3)) d->window_right = d->causal ? 0 : PICK(rng, 0, 1, 7, 64, 255, 600, INT64_MAX);
  if (one_in(rng, 4)) d->prefix = PICK(rng, 1, 3, 64, 255, 256, 257, 400, 5000, INT64_MAX);
}

static void draw_bias(struct problem *p, struct rng *rng) {
  tsr_attention_desc *d = &p->d;
  static const float set;
  if (one_in(rng, 2)) d->softcap = (double)PICK(rng, 1, 5, 30, 50);
  if (one_in(rng, 2)) d->alibi = &set; /* to be made by problem_fill */
  if (one_in(rng, 2)) d->sinks = &set;
  if (d->alibi && d->mask_type) d->alibi_scales_mask = one_in(rng, 2);
}

static void draw_mask(tsr_attention_desc *d, struct rng *rng) {
  if (one_in(rng, 4)) return;
  d->mask_type = (tsr_type)PICK(rng, TSR_F32, TSR_F16, TSR_BF16, TSR_BOOL);
}

/* Wants are marked here and made by problem_fill, which knows the sizes. */
static const int32_t wanted;

static void draw_lengths(tsr_attention_desc *d, struct rng *rng) {
  if (one_in(rng, 2)) d->cu_q = &wanted;
  if (one_in(rng, 2)) d->kv_lens = &wanted;
  if (one_in(rng, 2) && !d->page_size && d->layout_k == TSR_KV_ROWS) d->cu_kv = &wanted;
}

static void draw_storage(tsr_attention_desc *d, struct rng *rng, unsigned features) {
  if (features & F_PANELS && is_float(d->type_k) && one_in(rng, 2)) d->layout_k = TSR_KV_PANELS;
  if (!(features & F_PAGED) || one_in(rng, 2)) return;
  if (d->layout_k == TSR_KV_PANELS)
    d->page_size = PICK(rng, 64, 64, 128, 192, 256);
  else
    d->page_size = PICK(rng, 1, 8, 16, 16, 32, 48, 64, 256, 300);
  d->kv_lens = &wanted;
}

void problem_draw(struct problem *p, uint64_t seed, unsigned features, double work) {
  struct rng rng = {seed * 7919 + 13};
  memset(p, 0, sizeof *p);
  p->d = (tsr_attention_desc)TSR_ATTENTION_DESC;
  p->seed = seed;
  p->fill = (enum fill)PICK(&rng, FILL_RANDOM, FILL_RANDOM, FILL_INTEGERS, FILL_WIDE, FILL_SPECIAL);
  p->place = (enum place)rng_below(&rng, PLACE_COUNT);
  p->shift = (int)rng_below(&rng, 16) * 4;
  p->sharpness = (double)PICK(&rng, 1, 1, 4, 16, 64);
  draw_sizes(&p->d, &rng, features, work);
  if (features & F_TYPES) draw_types(&p->d, &rng);
  if (features & F_CAUSAL) draw_positions(&p->d, &rng);
  if (features & F_MASK) draw_mask(&p->d, &rng);
  if (features & F_BIAS) draw_bias(p, &rng);
  draw_storage(&p->d, &rng, features);
  if (features & F_LENGTHS) draw_lengths(&p->d, &rng);
  if (one_in(&rng, 3)) p->d.scale = (double)PICK(&rng, 1, 2, 5) / 16;
  if (features & F_PART && one_in(&rng, 3)) {
    p->d.first_key = 256 * PICK(&rng, 1, 2, 9);
    p->d.all_keys = one_in(&rng, 2) ? 0 : p->d.first_key + p->d.len_kv + PICK(&rng, 0, 1, 77, 500);
  }
  problem_fill(p);
  problem_expect(p);
}

static struct guarded *operand(struct problem *p, size_t bytes, int poison) {
  struct guarded *g = &p->operand[p->operands++];
  assert_true(p->operands <= OPERANDS);
  guarded_open(g, bytes, p->place, p->shift);
  memset(g->data, poison, bytes);
  return g;
}

/* Random strides of a tensor of rows of `unit` elements: any order of the indices, gaps, and where it may be shared, an
 * index that does not matter. Returns how many elements it takes. */
static int64_t draw_strides(struct rng *rng, int64_t *stride, const int64_t *count, int64_t unit, int64_t gap,
                            bool shared) {
  int order[3] = {TSR_ROW, TSR_HEAD, TSR_BATCH};
  int64_t next = unit, extent = unit;
  for (int i = 2; i > 0; i--) {
    int j = (int)rng_below(rng, i + 1), t = order[i];
    order[i] = order[j];
    order[j] = t;
  }
  for (int i = 0; i < 3; i++) {
    int which = order[i];
    next += rng_below(rng, 3) * gap;
    stride[which] = next;
    if (shared && one_in(rng, 8)) stride[which] = 0;
    if (count[which] > 0) next = stride[which] ? next * count[which] : next;
  }
  for (int i = 0; i < 3; i++) extent = count[i] <= 0 ? 0 : extent ? extent + (count[i] - 1) * stride[i] : 0;
  return extent;
}

static float draw_number(struct rng *rng, enum fill fill, int64_t rare) {
  static const float special[] = {NAN, INFINITY, -INFINITY};
  double x = uniform(rng);
  if (fill == FILL_SPECIAL && one_in(rng, rare)) return special[rng_below(rng, 3)];
  if (fill == FILL_INTEGERS) return (float)(rng_below(rng, 5) - 2);
  if (fill == FILL_WIDE) return one_in(rng, 9) ? (float)copysign(0, x) : (float)ldexp(x, (int)rng_below(rng, 16) - 12);
  return (float)x;
}

static void fill_row(struct rng *rng, const struct problem *p, tsr_type type, char *row, int64_t n, int64_t rare) {
  for (int64_t e = 0; is_float(type) && e < n; e++)
    store(type, row + bytes_of(type, e), draw_number(rng, p->fill, rare));
  if (is_float(type)) return;
  for (size_t i = 0; i < bytes_of(type, n); i++) row[i] = (char)rng_next(rng);
  float step = type == TSR_Q8_0 ? 0x1p-7f : 0x1p-3f;
  for (int64_t e = 0; e < n && type != TSR_S8; e += 32)
    store(TSR_F16, row + bytes_of(type, e), step * (float)(1 + uniform(rng) / 2));
}

static void fill_q(struct problem *p, struct rng *rng) {
  tsr_attention_desc *d = &p->d;
  int64_t count[] = {d->cu_q ? 1 : d->batch, d->heads_q, d->cu_q ? d->cu_q[d->batch] : d->len_q};
  int64_t n = draw_strides(rng, d->stride_q, count, d->d_qk, 1, true);
  char *q = operand(p, bytes_of(d->type_q, n), 0xff)->data;
  draw_strides(rng, d->stride_out, count, d->d_v, 1, false);
  for (int64_t b = 0; b < d->batch; b++)
    for (int64_t h = 0; h < d->heads_q; h++)
      for (int64_t i = 0; i < q_rows(d, b); i++)
        for (int64_t e = 0; e < d->d_qk; e++)
          store(d->type_q, q + bytes_of(d->type_q, q_at(d, d->stride_q, b, h, i) + e),
                (float)p->sharpness * draw_number(rng, p->fill, d->d_qk * 20 + 1));
  p->q = q;
}

static int64_t stored_rows(const tsr_attention_desc *d) {
  return d->page_size ? d->page_size : d->cu_kv ? d->cu_kv[d->batch] : d->len_kv;
}

static void fill_k(struct problem *p, struct rng *rng) {
  tsr_attention_desc *d = &p->d;
  bool panels = d->layout_k == TSR_KV_PANELS;
  int64_t rows = stored_rows(d), rare = d->d_qk * (d->len_kv + 1) / 2 + 1;
  int64_t count[] = {d->page_size ? d->pages : d->cu_kv ? 1 : d->batch, d->heads_kv, panels ? (rows + 63) / 64 : rows};
  int64_t gap = is_float(d->type_k) || d->type_k == TSR_S8 ? 1 : 32;
  int64_t n = draw_strides(rng, d->stride_k, count, d->d_qk * (panels ? 64 : 1), gap, !panels);
  char *k = operand(p, bytes_of(d->type_k, n), 0xff)->data;
  for (int64_t b = 0; b < d->batch; b++)
    for (int64_t h = 0; h < d->heads_kv; h++)
      for (int64_t j = 0; j < kv_rows(d, b); j++) {
        if (!panels)
          fill_row(rng, p, d->type_k, k + bytes_of(d->type_k, kv_at(d, d->stride_k, 1, b, h, j)), d->d_qk, rare);
        for (int64_t e = 0; panels && e < d->d_qk; e++)
          store(d->type_k, k + bytes_of(d->type_k, k_element(d, b, h, j, e)), draw_number(rng, p->fill, rare));
      }
  p->k = k;
}

static void fill_v(struct problem *p, struct rng *rng) {
  tsr_attention_desc *d = &p->d;
  int64_t rare = d->d_v * (d->len_kv + 1) / 2 + 1, gap = is_float(d->type_v) || d->type_v == TSR_S8 ? 1 : 32;
  int64_t count[] = {d->page_size ? d->pages : d->cu_kv ? 1 : d->batch, d->heads_kv, stored_rows(d)};
  int64_t n = draw_strides(rng, d->stride_v, count, d->d_v, gap, true);
  char *v = operand(p, bytes_of(d->type_v, n), 0xff)->data;
  for (int64_t b = 0; b < d->batch; b++)
    for (int64_t h = 0; h < d->heads_kv; h++)
      for (int64_t j = 0; j < kv_rows(d, b); j++)
        fill_row(rng, p, d->type_v, v + bytes_of(d->type_v, kv_at(d, d->stride_v, 1, b, h, j)), d->d_v, rare);
  p->v = v;
}

static void fill_scales(struct problem *p, struct rng *rng) {
  tsr_attention_desc *d = &p->d;
  int64_t count[] = {d->page_size ? d->pages : d->cu_kv ? 1 : d->batch, d->heads_kv, stored_rows(d)};
  if (d->type_k != TSR_S8 && d->type_v != TSR_S8) return;
  int64_t n = draw_strides(rng, d->stride_scales, count, 1, 1, true);
  float *scales[2] = {(float *)operand(p, (size_t)n * 4, 0xff)->data, (float *)operand(p, (size_t)n * 4, 0xff)->data};
  for (int64_t b = 0; b < d->batch; b++)
    for (int64_t h = 0; h < d->heads_kv; h++)
      for (int64_t j = 0; j < 2 * kv_rows(d, b); j++)
        scales[j % 2][kv_at(d, d->stride_scales, 1, b, h, j / 2)] = (float)(0.01 + 0.005 * uniform(rng));
  if (d->type_k == TSR_S8) d->scales_k = scales[0];
  if (d->type_v == TSR_S8) d->scales_v = scales[1];
}

static void put_mask(struct problem *p, struct rng *rng, char *at, bool none) {
  bool seen = !none && !one_in(rng, 5);
  if (p->d.mask_type == TSR_BOOL)
    *at = seen ? (char)(1 + rng_below(rng, 255)) : 0;
  else
    store(p->d.mask_type, at, seen ? (float)(2 * uniform(rng)) : -INFINITY);
}

/* Whole runs of keys masked, whole rows masked, and single keys. */
static void fill_mask(struct problem *p, struct rng *rng) {
  tsr_attention_desc *d = &p->d;
  int64_t count[] = {d->batch, d->heads_q, d->len_q}, n;
  if (d->mask_type == 0) return;
  n = draw_strides(rng, d->stride_mask, count, d->len_kv, 1, true);
  for (int i = 0; i < 3; i++)
    if (one_in(rng, 3)) d->stride_mask[i] = 0;
  d->mask = operand(p, bytes_of(d->mask_type, n), 0xff)->data;
  for (int64_t b = 0; b < d->batch; b++)
    for (int64_t h = 0; h < d->heads_q; h++)
      for (int64_t i = 0; i < q_rows(d, b); i++) {
        bool row = one_in(rng, 9), run = false;
        for (int64_t j = 0; j < kv_rows(d, b); j++) {
          if (one_in(rng, 150)) run = !run;
          put_mask(p, rng, (char *)mask_at(d, b, h, i, j), row || run);
        }
      }
}

static const int32_t *draw_cu(struct problem *p, struct rng *rng, int64_t most) {
  int32_t *cu = (int32_t *)operand(p, (size_t)(p->d.batch + 1) * 4, 0)->data;
  for (int64_t b = 0; b < p->d.batch; b++)
    cu[b + 1] = cu[b] + (int32_t)(one_in(rng, 3) ? most : rng_below(rng, most + 1));
  return cu;
}

static void fill_lengths(struct problem *p, struct rng *rng) {
  tsr_attention_desc *d = &p->d;
  if (d->cu_q) d->cu_q = draw_cu(p, rng, d->len_q);
  if (d->cu_kv) d->cu_kv = draw_cu(p, rng, d->len_kv);
  if (d->kv_lens) {
    int32_t *lens = (int32_t *)operand(p, (size_t)d->batch * 4, 0)->data;
    for (int64_t b = 0; b < d->batch; b++)
      lens[b] = (int32_t)(one_in(rng, 3) ? d->len_kv : rng_below(rng, d->len_kv + 1));
    d->kv_lens = lens;
  }
}

/* A table of pages in random order, no page twice, with nonsense where no page is needed. */
static void fill_pages(struct problem *p, struct rng *rng) {
  tsr_attention_desc *d = &p->d;
  if (!d->page_size) return;
  int64_t most = (d->len_kv + d->page_size - 1) / d->page_size, next = 0;
  d->pages = d->batch * most + rng_below(rng, 3);
  d->stride_table = most + rng_below(rng, 3);
  int64_t entries = d->batch > 0 ? (d->batch - 1) * d->stride_table + most : 0;
  int32_t *table = (int32_t *)operand(p, (size_t)entries * 4, 0xff)->data, *order = malloc((size_t)d->pages * 4 + 4);
  for (int64_t i = 0; i < d->pages; i++) {
    int64_t j = rng_below(rng, i + 1);
    order[i] = order[j];
    order[j] = (int32_t)i;
  }
  for (int64_t b = 0; b < d->batch; b++)
    for (int64_t i = 0; i < (kv_rows(d, b) + d->page_size - 1) / d->page_size; i++)
      table[b * d->stride_table + i] = order[next++];
  d->block_table = table;
  free(order);
}

static const float *fill_heads(struct problem *p, struct rng *rng, double from, double to) {
  float *x = (float *)operand(p, (size_t)p->d.heads_q * 4, 0)->data;
  for (int64_t h = 0; h < p->d.heads_q; h++)
    x[h] = one_in(rng, 8) ? 0 : (float)(from + (to - from) * (0.5 + uniform(rng) / 2));
  return x;
}

void problem_fill(struct problem *p) {
  struct rng rng = {p->seed ^ 0x5851f42d4c957f2d};
  fill_lengths(p, &rng);
  fill_pages(p, &rng);
  fill_q(p, &rng);
  fill_k(p, &rng);
  fill_v(p, &rng);
  fill_scales(p, &rng);
  fill_mask(p, &rng);
  if (p->d.alibi) p->d.alibi = fill_heads(p, &rng, -0.1, 0.5);
  if (p->d.sinks) p->d.sinks = fill_heads(p, &rng, -2, 6);
}

#if defined(__x86_64__)
#define FASTEST (__builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2") ? references_fma : references_any)
#else
#define FASTEST references_any
#endif

void problem_expect(struct problem *p) {
  size_t rows = (size_t)rows_of(&p->d), all = rows * (size_t)p->d.d_v + 1;
  p->out = calloc(all, sizeof *p->out);
  p->lse = calloc(rows + 1, sizeof *p->lse);
  p->exact = calloc(all, sizeof *p->exact);
  p->bound = calloc(all, sizeof *p->bound);
  p->exact_lse = calloc(rows + 1, sizeof *p->exact_lse);
  p->bound_lse = calloc(rows + 1, sizeof *p->bound_lse);
  FASTEST(p);
}

void problem_close(struct problem *p) {
  void *all[] = {p->out, p->lse, p->exact, p->bound, p->exact_lse, p->bound_lse};
  for (int i = 0; i < COUNT(all); i++) free(all[i]);
  for (int i = 0; i < p->operands; i++) guarded_close(&p->operand[i]);
}

static int append(char *text, size_t size, int used, const char *format, ...) {
  va_list args;
  if (used < 0 || (size_t)used >= size) return used;
  va_start(args, format);
  used += vsnprintf(text + used, size - (size_t)used, format, args);
  va_end(args);
  return used;
}

void problem_text(const struct problem *p, char *text, size_t size) {
  static const char *const types[] = {"-", "f32", "f64", "f16", "bf16", "s8", "s32", "q8_0", "q4_0", "bool"};
  static const char *const fills[] = {"random", "integers", "wide", "special"};
  const tsr_attention_desc *d = &p->d;
  int n = append(text, size, 0, "seed %llu: b%lld h%lld/%lld q%lld kv%lld d%lld/%lld %s %s %s %s, %s x %g",
                 (unsigned long long)p->seed, (long long)d->batch, (long long)d->heads_q, (long long)d->heads_kv,
                 (long long)d->len_q, (long long)d->len_kv, (long long)d->d_qk, (long long)d->d_v, types[d->type_q],
                 types[d->type_k], types[d->type_v], types[d->type_out], fills[p->fill], p->sharpness);
  if (d->scale != 0) n = append(text, size, n, " scale %g", d->scale);
  if (d->softcap != 0) n = append(text, size, n, " softcap %g", d->softcap);
  if (d->causal) n = append(text, size, n, d->causal == TSR_CAUSAL_TOP_LEFT ? " top-left" : " bottom-right");
  if (d->window_left >= 0) n = append(text, size, n, " left %lld", (long long)d->window_left);
  if (d->window_right >= 0) n = append(text, size, n, " right %lld", (long long)d->window_right);
  if (d->prefix) n = append(text, size, n, " prefix %lld", (long long)d->prefix);
  if (d->mask_type)
    n = append(text, size, n, " mask %s by %lld %lld %lld", types[d->mask_type], (long long)d->stride_mask[0],
               (long long)d->stride_mask[1], (long long)d->stride_mask[2]);
  if (d->alibi) n = append(text, size, n, d->alibi_scales_mask ? " alibi of mask" : " alibi");
  if (d->sinks) n = append(text, size, n, " sinks");
  if (d->cu_q) n = append(text, size, n, " cu_q");
  if (d->cu_kv) n = append(text, size, n, " cu_kv");
  if (d->kv_lens) n = append(text, size, n, " kv_lens");
  if (d->page_size) n = append(text, size, n, " pages of %lld", (long long)d->page_size);
  if (d->layout_k) n = append(text, size, n, " panels");
  if (d->first_key) n = append(text, size, n, " from key %lld", (long long)d->first_key);
  if (d->all_keys) append(text, size, n, " of %lld", (long long)d->all_keys);
}
