/* Gradients of convolution: bit for bit what the loops of tessera/conv.h give, over random descriptors, in memory that
 * ends at a page that cannot be touched; the same bits from any number of threads; <dy, y> = <dx, x> = <dw, w>; and
 * wrong calls, which leave everything untouched.
 *
 *   conv_backward [slow] [SEED]   SEED: that problem alone, said */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernels/half.h"
#include "src/core/memory.h"
#include "tessera/tessera.h"

static bool slow;
static uint64_t only;

/* --- random numbers ---------------------------------------------------------------------------------------------- */

static uint64_t state;
static uint64_t next_random(void) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}
static int64_t draw(int64_t least, int64_t most) {
  return least + (int64_t)(next_random() % (uint64_t)(most - least + 1));
}
static bool chance(int in) { return draw(1, in) == 1; }

/* --- operands ---------------------------------------------------------------------------------------------------- */

struct operand {
  char *pages, *data;
  size_t bytes, mapped;
  tsr_type type;
  int64_t n;
};

static int64_t size_of(tsr_type type) { return type == TSR_F64 ? 8 : type == TSR_F32 ? 4 : 2; }

static void make(struct operand *o, tsr_type type, int64_t n) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  o->type = type;
  o->n = n;
  o->bytes = (size_t)(n * size_of(type));
  o->mapped = (o->bytes + page - 1) / page * page + 2 * page;
  o->pages = mmap(NULL, o->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(o->pages != MAP_FAILED);
  assert_int_equal(mprotect(o->pages, page, PROT_NONE) | mprotect(o->pages + o->mapped - page, page, PROT_NONE), 0);
  o->data = o->pages + o->mapped - page - o->bytes;
}

static void drop(struct operand *o) { munmap(o->pages, o->mapped); }

static double get(const struct operand *o, int64_t i) {
  switch (o->type) {
    case TSR_F64: return ((double *)o->data)[i];
    case TSR_F32: return ((float *)o->data)[i];
    case TSR_F16: return tsr_from_f16(((uint16_t *)o->data)[i]);
    default: return tsr_from_bf16(((uint16_t *)o->data)[i]);
  }
}

static void put(struct operand *o, int64_t i, double x) {
  switch (o->type) {
    case TSR_F64: ((double *)o->data)[i] = x; break;
    case TSR_F32: ((float *)o->data)[i] = (float)x; break;
    case TSR_F16: ((uint16_t *)o->data)[i] = tsr_to_f16((float)x); break;
    default: ((uint16_t *)o->data)[i] = tsr_to_bf16((float)x); break;
  }
}

static void fill(struct operand *o, bool special) {
  for (int64_t i = 0; i < o->n; i++) {
    double x = (double)(int64_t)(next_random() >> 32) / 4294967296.0 - 0.5;
    if (special && chance(30)) x = chance(3) ? NAN : chance(2) ? INFINITY : chance(2) ? -INFINITY : -0.0;
    put(o, i, x);
  }
}

static void expect_same(const struct operand *got, const struct operand *expected, const char *what, const char *text) {
  for (int64_t i = 0; i < got->n; i++) {
    double a = get(got, i), b = get(expected, i);
    int64_t size = size_of(got->type);
    bool same = memcmp(got->data + i * size, expected->data + i * size, (size_t)size) == 0;
    if (!same && !(isnan(a) && isnan(b)))
      fail_msg("%s[%lld] is %a, not %a: %s", what, (long long)i, a, b, text);
  }
}

/* --- the definition ---------------------------------------------------------------------------------------------- */

struct sums {
  tsr_type type; /* of the chain */
  int64_t kb, number;
  double s, y;
};

static void add(struct sums *sum, int64_t number, double a, double b) {
  if (number / sum->kb != sum->number) {
    sum->y = sum->type == TSR_F64 ? sum->y + sum->s : (float)sum->y + (float)sum->s;
    sum->s = 0;
    sum->number = number / sum->kb;
  }
  sum->s = sum->type == TSR_F64 ? fma(a, b, sum->s) : fmaf((float)a, (float)b, (float)sum->s);
}
static double end(struct sums *sum) { return sum->type == TSR_F64 ? sum->y + sum->s : (float)sum->y + (float)sum->s; }

struct problem {
  tsr_conv_desc d;
  struct operand x, w, y, dy, dx, dw, dbias;
  char text[512];
};

static tsr_type type_y(const tsr_conv_desc *d) { return d->type_y ? d->type_y : d->type_x; }
static struct sums chain(const tsr_conv_desc *d) {
  return (struct sums){.type = d->type_w == TSR_F64 ? TSR_F64 : TSR_F32,
                       .kb = d->type_w == TSR_F64 ? 256 : d->type_w == TSR_F32 ? 384 : 4096};
}

static int64_t pixels(const int64_t *size, int dims) {
  int64_t n = 1;
  for (int i = 0; i < dims; i++) n *= size[i];
  return n;
}
static void unravel(int64_t at, const int64_t *size, int dims, int64_t *to) {
  for (int i = dims - 1; i >= 0; i--, at /= size[i + 1]) to[i] = at % size[i];
}

/* Element (image, channel, pixel) of x or y; weight (channel of y, channel of x, both of the group; tap). */
static int64_t tensor_at(tsr_layout layout, int64_t channels, int64_t all, int64_t n, int64_t c, int64_t p) {
  return layout == TSR_CHANNELS_LAST ? (n * all + p) * channels + c : (n * channels + c) * all + p;
}
static int64_t weight_at(const tsr_conv_desc *d, int64_t g, int64_t k, int64_t c, int64_t tap) {
  int64_t kg = d->filters / d->groups, cg = d->channels / d->groups, taps = pixels(d->kernel, d->dims);
  int64_t outer = d->transposed ? g * cg + c : g * kg + k, inner = d->transposed ? k : c, n = d->transposed ? kg : cg;
  return d->layout_w == TSR_CHANNELS_LAST ? (outer * taps + tap) * n + inner : (outer * n + inner) * taps + tap;
}

/* The wide side's pixel that dense pixel o reads by a tap, or -1. */
static int64_t wide_of(const tsr_conv_desc *d, int64_t o, int64_t tap) {
  const int64_t *dense = d->transposed ? d->in : d->out, *wide = d->transposed ? d->out : d->in;
  int64_t at[3], t[3], i = 0;
  unravel(o, dense, d->dims, at);
  unravel(tap, d->kernel, d->dims, t);
  for (int k = 0; k < d->dims; k++) {
    int64_t p = at[k] * d->stride[k] - d->pad_begin[k] + t[k] * d->dilation[k];
    if (p < 0 || p >= wide[k]) return -1;
    i = i * wide[k] + p;
  }
  return i;
}

static void define_dw(const struct problem *p, struct operand *dw, struct operand *dbias) {
  const tsr_conv_desc *d = &p->d;
  int64_t kg = d->filters / d->groups, cg = d->channels / d->groups, taps = pixels(d->kernel, d->dims);
  int64_t in = pixels(d->in, d->dims), out = pixels(d->out, d->dims), dense = d->transposed ? in : out;
  for (int64_t g = 0; g < d->groups; g++)
    for (int64_t k = 0; k < kg; k++)
      for (int64_t c = 0; c < cg; c++)
        for (int64_t tap = 0; tap < taps; tap++) {
          struct sums sum = chain(d);
          for (int64_t n = 0; n < d->batch; n++)
            for (int64_t o = 0; o < dense; o++) {
              int64_t other = wide_of(d, o, tap), i = d->transposed ? o : other, q = d->transposed ? other : o;
              if (other < 0) continue;
              add(&sum, n * dense + o, get(&p->x, tensor_at(d->layout_x, d->channels, in, n, g * cg + c, i)),
                  get(&p->dy, tensor_at(d->layout_y, d->filters, out, n, g * kg + k, q)));
            }
          put(dw, weight_at(d, g, k, c, tap), end(&sum));
        }
  for (int64_t k = 0; k < d->filters; k++) {
    struct sums sum = chain(d);
    for (int64_t n = 0; n < d->batch; n++)
      for (int64_t o = 0; o < out; o++)
        add(&sum, n * out + o, 1, get(&p->dy, tensor_at(d->layout_y, d->filters, out, n, k, o)));
    put(dbias, k, end(&sum));
  }
}

/* The pixel of y that x's pixel i reaches by a tap, or -1. */
static int64_t reached(const tsr_conv_desc *d, int64_t i, int64_t tap) {
  int64_t at[3], t[3], o = 0;
  if (d->transposed) return wide_of(d, i, tap);
  unravel(i, d->in, d->dims, at);
  unravel(tap, d->kernel, d->dims, t);
  for (int k = 0; k < d->dims; k++) {
    int64_t p = at[k] + d->pad_begin[k] - t[k] * d->dilation[k];
    if (p < 0 || p % d->stride[k] != 0 || p / d->stride[k] >= d->out[k]) return -1;
    o = o * d->out[k] + p / d->stride[k];
  }
  return o;
}

static void define_dx(const struct problem *p, struct operand *dx) {
  const tsr_conv_desc *d = &p->d;
  int64_t kg = d->filters / d->groups, cg = d->channels / d->groups, taps = pixels(d->kernel, d->dims);
  int64_t in = pixels(d->in, d->dims), out = pixels(d->out, d->dims);
  for (int64_t n = 0; n < d->batch; n++)
    for (int64_t i = 0; i < in; i++)
      for (int64_t c = 0; c < d->channels; c++) {
        struct sums sum = chain(d);
        for (int64_t tap = 0; tap < taps; tap++) {
          int64_t o = reached(d, i, tap), g = c / cg;
          for (int64_t k = 0; o >= 0 && k < kg; k++)
            add(&sum, tap * kg + k, get(&p->dy, tensor_at(d->layout_y, d->filters, out, n, g * kg + k, o)),
                get(&p->w, weight_at(d, g, k, c % cg, tap)));
        }
        put(dx, tensor_at(d->layout_x, d->channels, in, n, c, i), end(&sum));
      }
}

/* --- problems ---------------------------------------------------------------------------------------------------- */

static void draw_channels(tsr_conv_desc *d) {
  int kind = (int)draw(0, 5);
  d->groups = kind < 2 ? 1 : draw(1, kind == 2 ? 40 : 5);
  d->channels = d->groups * draw(1, kind == 0 ? 3 : kind == 1 ? 70 : 4);
  d->filters = d->groups * draw(1, kind == 0 ? 70 : kind == 1 ? 40 : 4);
}

static bool draw_sizes(tsr_conv_desc *d) {
  d->dims = (int)draw(1, 3);
  for (int i = 0; i < d->dims; i++) {
    int64_t most = d->dims == 1 ? 900 : d->dims == 2 ? 30 : 9;
    d->in[i] = chance(4) ? draw(1, most) : draw(1, most < 12 ? most : 12);
    d->kernel[i] = chance(8) ? draw(1, 9) : draw(1, 3);
    d->stride[i] = chance(3) ? draw(1, 6) : 1;
    d->dilation[i] = chance(4) ? draw(1, 4) : 1;
    d->pad_begin[i] = draw(0, d->dilation[i] * (d->kernel[i] - 1));
    d->pad_end[i] = draw(0, d->dilation[i] * (d->kernel[i] - 1));
  }
  if (tsr_conv_set_out(d) != TSR_OK) return false;
  for (int i = 0; d->transposed && i < d->dims; i++)
    d->out[i] += draw(0, (d->stride[i] > d->dilation[i] ? d->stride[i] : d->dilation[i]) - 1);
  return true;
}

static double work_of(const tsr_conv_desc *d) {
  return (double)d->batch * (double)d->filters * (double)(d->channels / d->groups) *
         (double)pixels(d->transposed ? d->in : d->out, d->dims) * (double)pixels(d->kernel, d->dims);
}

static void draw_desc(tsr_conv_desc *d, double work) {
  static const tsr_type types[] = {TSR_F32, TSR_F32, TSR_F32, TSR_BF16, TSR_F16, TSR_F64};
  do {
    *d = (tsr_conv_desc)TSR_CONV_DESC;
    d->type_x = d->type_w = types[draw(0, 5)];
    d->type_y = d->type_x == TSR_F64 || chance(2) ? 0 : chance(2) ? d->type_x : TSR_F32;
    d->layout_x = (tsr_layout)draw(0, 1);
    d->layout_w = (tsr_layout)draw(0, 1);
    d->layout_y = (tsr_layout)draw(0, 1);
    d->transposed = chance(3);
    d->batch = chance(8) ? draw(1, 500) : draw(1, 4);
    draw_channels(d);
  } while (!draw_sizes(d) || work_of(d) > work);
}

static void say(struct problem *p, uint64_t seed) {
  const tsr_conv_desc *d = &p->d;
  int n = snprintf(p->text, sizeof p->text,
                   "seed %llu: types %d %d %d layouts %d%d%d transposed %d batch %lld c %lld k %lld g %lld",
                   (unsigned long long)seed, d->type_x, d->type_w, d->type_y, d->layout_x, d->layout_w, d->layout_y,
                   d->transposed, (long long)d->batch, (long long)d->channels, (long long)d->filters,
                   (long long)d->groups);
  for (int i = 0; i < d->dims; i++)
    n += snprintf(p->text + n, sizeof p->text - (size_t)n, " | %lld->%lld k %lld s %lld d %lld p %lld %lld",
                  (long long)d->in[i], (long long)d->out[i], (long long)d->kernel[i], (long long)d->stride[i],
                  (long long)d->dilation[i], (long long)d->pad_begin[i], (long long)d->pad_end[i]);
}

static void open_problem(struct problem *p, uint64_t seed, bool special) {
  const tsr_conv_desc *d = &p->d;
  int64_t x = d->batch * d->channels * pixels(d->in, d->dims), y = d->batch * d->filters * pixels(d->out, d->dims);
  int64_t w = d->filters * (d->channels / d->groups) * pixels(d->kernel, d->dims);
  say(p, seed);
  make(&p->x, d->type_x, x);
  make(&p->dx, d->type_x, x);
  make(&p->w, d->type_w, w);
  make(&p->dw, d->type_w, w);
  make(&p->y, type_y(d), y);
  make(&p->dy, type_y(d), y);
  make(&p->dbias, d->type_w == TSR_F64 ? TSR_F64 : TSR_F32, d->filters);
  fill(&p->x, special);
  fill(&p->w, special);
  fill(&p->dy, special);
}

static void close_problem(struct problem *p) {
  struct operand *all[] = {&p->x, &p->dx, &p->w, &p->dw, &p->y, &p->dy, &p->dbias};
  for (int i = 0; i < 7; i++) drop(all[i]);
}

static void run(tsr_context *context, struct problem *p) {
  memset(p->dx.data, 0x5a, p->dx.bytes);
  memset(p->dw.data, 0x5a, p->dw.bytes);
  memset(p->dbias.data, 0x5a, p->dbias.bytes);
  if (tsr_conv_backward_data(context, &p->d, p->dy.data, p->w.data, p->dx.data) != TSR_OK ||
      tsr_conv_backward_weights(context, &p->d, p->x.data, p->dy.data, p->dw.data, p->dbias.data) != TSR_OK)
    fail_msg("%s: %s", tsr_last_error(), p->text);
}

static double dot(const struct operand *a, const struct operand *b, double *size) {
  double sum = 0;
  for (int64_t i = 0; i < a->n; i++) {
    sum += get(a, i) * get(b, i);
    *size += fabs(get(a, i) * get(b, i));
  }
  return sum;
}

/* The gradients of <dy, y> along x and w are <dy, y> itself: y is linear in both. */
static void check_sums(struct problem *p) {
  double size = 0, eps = p->d.type_w == TSR_F64 ? 1e-12 : p->d.type_w == TSR_F32 ? 1e-5 : 0.02;
  assert_int_equal(tsr_conv(NULL, &p->d, p->x.data, p->w.data, NULL, p->y.data), TSR_OK);
  double y = dot(&p->dy, &p->y, &size), x = dot(&p->dx, &p->x, &size), w = dot(&p->dw, &p->w, &size);
  if (!(fabs(y - x) <= eps * (size + 1) && fabs(y - w) <= eps * (size + 1)))
    fail_msg("<dy, y> %g <dx, x> %g <dw, w> %g: %s", y, x, w, p->text);
}

static void check(tsr_context *context, uint64_t seed) {
  struct problem p;
  struct operand dx, dw, dbias;
  state = seed;
  draw_desc(&p.d, slow ? 1000000 : 150000);
  bool special = chance(3);
  open_problem(&p, seed, special);
  make(&dx, p.dx.type, p.dx.n);
  make(&dw, p.dw.type, p.dw.n);
  make(&dbias, p.dbias.type, p.dbias.n);
  run(context, &p);
  define_dx(&p, &dx);
  define_dw(&p, &dw, &dbias);
  expect_same(&p.dx, &dx, "dx", p.text);
  expect_same(&p.dw, &dw, "dw", p.text);
  expect_same(&p.dbias, &dbias, "dbias", p.text);
  if (!special) check_sums(&p);
  drop(&dx);
  drop(&dw);
  drop(&dbias);
  close_problem(&p);
}

static void test_contract(void **unused) {
  (void)unused;
  tsr_context *context, *generic;
  assert_int_equal(tsr_context_create(NULL, &context), TSR_OK);
  assert_int_equal(tsr_context_create("generic", &generic), TSR_OK);
  int n = slow ? 5000 : 1000;
  for (int i = 1; i <= n && !only; i++) check(i % 10 == 0 ? generic : context, (uint64_t)i * 7919);
  if (only) check(context, only);
  tsr_context_destroy(context);
  tsr_context_destroy(generic);
}

/* Large enough for several threads and items: against one thread, and that against the definition at some places. */
static void compare_threads(tsr_context *context, tsr_conv_desc d) {
  struct problem p = {.d = d}, alone = {.d = d};
  assert_int_equal(tsr_conv_set_out(&p.d), TSR_OK);
  alone.d = p.d;
  state = 1;
  open_problem(&p, 0, false);
  state = 1;
  open_problem(&alone, 0, false);
  assert_int_equal(tsr_set_num_threads(context, 1), TSR_OK);
  run(context, &alone);
  for (int threads = 2; threads <= 5; threads += 3) {
    assert_int_equal(tsr_set_num_threads(context, threads), TSR_OK);
    run(context, &p);
    expect_same(&p.dx, &alone.dx, "dx", p.text);
    expect_same(&p.dw, &alone.dw, "dw", p.text);
    expect_same(&p.dbias, &alone.dbias, "dbias", p.text);
  }
  check_sums(&p);
  close_problem(&p);
  close_problem(&alone);
}

static tsr_conv_desc desc_2d(int64_t batch, int64_t c, int64_t k, int64_t g, int64_t in, int64_t kernel,
                             int64_t stride) {
  tsr_conv_desc d = TSR_CONV_DESC;
  d.batch = batch, d.channels = c, d.filters = k, d.groups = g;
  for (int i = 0; i < 2; i++) {
    d.in[i] = in, d.kernel[i] = kernel, d.stride[i] = stride;
    d.pad_begin[i] = d.pad_end[i] = (kernel - 1) / 2;
  }
  return d;
}

static void test_threads(void **unused) {
  (void)unused;
  tsr_context *context;
  assert_int_equal(tsr_context_create(NULL, &context), TSR_OK);
  for (int last = 0; last < 2; last++) {
    tsr_conv_desc all[] = {desc_2d(2, 64, 80, 1, 28, 3, 1),    desc_2d(3, 3, 64, 1, 60, 7, 2),
                           desc_2d(2, 256, 512, 1, 14, 1, 2),  desc_2d(2, 96, 96, 96, 40, 3, 1),
                           desc_2d(2, 128, 64, 32, 30, 3, 2), desc_2d(5, 64, 8, 1, 28, 3, 2)};
    all[5].transposed = 1;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
      all[i].layout_x = all[i].layout_y = all[i].layout_w = last ? TSR_CHANNELS_LAST : TSR_CHANNELS_FIRST;
      if (last && i % 2) all[i].type_x = all[i].type_w = TSR_BF16;
      compare_threads(context, all[i]);
    }
  }
  tsr_context_destroy(context);
}

/* 2^24, then ones, then -2^24: what is left tells where blocks end. Those of 16-bit weights have 4096 numbers. */
static void check_block(tsr_type type, int64_t filters, int64_t width, float expected) {
  struct problem p = {.d = desc_2d(1, 1, filters, 1, 1, 1, 1)};
  p.d.type_x = p.d.type_w = type;
  p.d.type_y = TSR_F32;
  p.d.in[1] = width;
  assert_int_equal(tsr_conv_set_out(&p.d), TSR_OK);
  open_problem(&p, 0, false);
  int64_t n = p.dy.n;
  for (int64_t i = 0; i < n; i++) put(&p.dy, i, i == 0 ? 0x1p24 : i == n - 1 ? -0x1p24 : i >= 384 ? 1 : 0);
  for (int64_t i = 0; i < p.w.n; i++) put(&p.w, i, 1);
  for (int64_t i = 0; i < p.x.n; i++) put(&p.x, i, 1);
  run(NULL, &p);
  double got = filters > 1 ? get(&p.dx, 0) : get(&p.dw, 0);
  if (got != expected || (width > 1 && get(&p.dbias, 0) != expected))
    fail_msg("%g, not %g: %s", got, (double)expected, p.text);
  close_problem(&p);
}

static void test_blocks(void **unused) {
  (void)unused;
  for (int last = 0; last < 2; last++) {
    check_block(TSR_F32, last ? 513 : 1, last ? 1 : 513, 128);
    check_block(TSR_BF16, last ? 513 : 1, last ? 1 : 513, 0);
    check_block(TSR_F16, last ? 513 : 1, last ? 1 : 513, 0);
  }
}

/* --- wrong calls ------------------------------------------------------------------------------------------------- */

#define REFUSED(status, word, call)                                         \
  do {                                                                      \
    assert_int_equal(call, status);                                         \
    if (!strstr(tsr_last_error(), word)) fail_msg("\"%s\" is not about %s", tsr_last_error(), word); \
  } while (0)

static void test_errors(void **unused) {
  (void)unused;
  float x[64], w[64], dy[64], out[64], bias[8];
  for (int i = 0; i < 64; i++) x[i] = w[i] = dy[i] = 1, out[i] = 7;
  for (int i = 0; i < 8; i++) bias[i] = 7;
  tsr_conv_desc d = desc_2d(1, 2, 2, 1, 4, 3, 1), wrong;
  assert_int_equal(tsr_conv_set_out(&d), TSR_OK);
  REFUSED(TSR_INVALID_ARGUMENT, "desc", tsr_conv_backward_data(NULL, NULL, dy, w, out));
  REFUSED(TSR_INVALID_ARGUMENT, "desc", tsr_conv_backward_weights(NULL, NULL, x, dy, out, bias));
  REFUSED(TSR_INVALID_ARGUMENT, "dy is NULL", tsr_conv_backward_data(NULL, &d, NULL, w, out));
  REFUSED(TSR_INVALID_ARGUMENT, "w is NULL", tsr_conv_backward_data(NULL, &d, dy, NULL, out));
  REFUSED(TSR_INVALID_ARGUMENT, "dx is NULL", tsr_conv_backward_data(NULL, &d, dy, w, NULL));
  REFUSED(TSR_INVALID_ARGUMENT, "dx overlaps dy", tsr_conv_backward_data(NULL, &d, out, w, out + 3));
  REFUSED(TSR_INVALID_ARGUMENT, "dx overlaps w", tsr_conv_backward_data(NULL, &d, dy, out, out + 30));
  REFUSED(TSR_INVALID_ARGUMENT, "x is NULL", tsr_conv_backward_weights(NULL, &d, NULL, dy, out, bias));
  REFUSED(TSR_INVALID_ARGUMENT, "dy is NULL", tsr_conv_backward_weights(NULL, &d, x, NULL, out, bias));
  REFUSED(TSR_INVALID_ARGUMENT, "dw overlaps x", tsr_conv_backward_weights(NULL, &d, out, dy, out, bias));
  REFUSED(TSR_INVALID_ARGUMENT, "dw overlaps dy", tsr_conv_backward_weights(NULL, &d, x, out, out, bias));
  REFUSED(TSR_INVALID_ARGUMENT, "dbias overlaps dy", tsr_conv_backward_weights(NULL, &d, x, bias, out, bias));
  REFUSED(TSR_INVALID_ARGUMENT, "dw overlaps dbias", tsr_conv_backward_weights(NULL, &d, x, dy, out, out + 3));
  wrong = d, wrong.out[1]++;
  REFUSED(TSR_INVALID_ARGUMENT, "out[1]", tsr_conv_backward_data(NULL, &wrong, dy, w, out));
  REFUSED(TSR_INVALID_ARGUMENT, "out[1]", tsr_conv_backward_weights(NULL, &wrong, x, dy, out, bias));
  wrong = d, wrong.type_x = TSR_U8, wrong.type_w = TSR_S8;
  REFUSED(TSR_UNSUPPORTED, "integers", tsr_conv_backward_data(NULL, &wrong, dy, w, out));
  REFUSED(TSR_UNSUPPORTED, "integers", tsr_conv_backward_weights(NULL, &wrong, x, dy, out, bias));
  for (int i = 0; i < 64; i++) assert_true(out[i] == 7);
  for (int i = 0; i < 8; i++) assert_true(bias[i] == 7);
  /* Nothing is looked at that is for the forward direction only, nor written if nothing is asked for. */
  wrong = d, wrong.post.activation = (tsr_activation)99;
  assert_int_equal(tsr_conv_backward_weights(NULL, &wrong, NULL, NULL, NULL, NULL), TSR_OK);
  wrong.batch = 0;
  assert_int_equal(tsr_conv_backward_data(NULL, &wrong, NULL, w, NULL), TSR_OK);
  assert_int_equal(tsr_conv_backward_weights(NULL, &wrong, NULL, NULL, out, bias), TSR_OK);
  for (int i = 0; i < 64; i++) assert_true(out[i] == (i < 36 ? 0 : 7));
  for (int i = 0; i < 8; i++) assert_true(bias[i] == (i < 2 ? 0 : 7));
}

/* Without scratch memory nothing is written. */
static void test_memory(void **unused) {
  (void)unused;
  struct problem p = {.d = desc_2d(2, 64, 64, 1, 28, 3, 1)};
  tsr_context *context;
  assert_int_equal(tsr_context_create(NULL, &context), TSR_OK);
  assert_int_equal(tsr_set_num_threads(context, 4), TSR_OK);
  assert_int_equal(tsr_conv_set_out(&p.d), TSR_OK);
  open_problem(&p, 0, false);
  memset(p.dx.data, 0x5a, p.dx.bytes);
  memset(p.dw.data, 0x5a, p.dw.bytes);
  tsr_scratch_fail_after(0);
  REFUSED(TSR_OUT_OF_MEMORY, "memory", tsr_conv_backward_data(context, &p.d, p.dy.data, p.w.data, p.dx.data));
  REFUSED(TSR_OUT_OF_MEMORY, "memory", tsr_conv_backward_weights(context, &p.d, p.x.data, p.dy.data, p.dw.data, NULL));
  tsr_scratch_fail_after(-1);
  for (size_t i = 0; i < p.dx.bytes; i++) assert_true(p.dx.data[i] == 0x5a);
  for (size_t i = 0; i < p.dw.bytes; i++) assert_true(p.dw.data[i] == 0x5a);
  run(context, &p);
  check_sums(&p);
  close_problem(&p);
  tsr_context_destroy(context);
}

int main(int argc, char **argv) {
  slow = argc > 1 && strcmp(argv[1], "slow") == 0;
  if (argc > 1 + slow) only = strtoull(argv[1 + slow], NULL, 10);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_contract), cmocka_unit_test(test_threads),
                                     cmocka_unit_test(test_blocks), cmocka_unit_test(test_errors),
                                     cmocka_unit_test(test_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
