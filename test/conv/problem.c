#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels/half.h"
#include "test/conv/conv_test.h"

enum { CANARY = 0xa7 };

void guarded_open(struct guarded *g, size_t bytes, enum place place, int shift) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), inner = (bytes + (size_t)shift + page) / page * page;
  g->pages_bytes = inner + 2 * page;
  g->pages = mmap(NULL, g->pages_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(g->pages != MAP_FAILED);
  assert_int_equal(mprotect(g->pages + page, inner, PROT_READ | PROT_WRITE), 0);
  memset(g->pages + page, CANARY, inner);
  g->bytes = bytes;
  g->data = g->pages + page + (place == PLACE_END ? inner - bytes : place == PLACE_START ? 0 : (size_t)shift);
}

void guarded_protect(struct guarded *g, int protection) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  assert_int_equal(mprotect(g->pages + page, g->pages_bytes - 2 * page, protection), 0);
}

void guarded_close(struct guarded *g) { munmap(g->pages, g->pages_bytes); }

/* Whether what lies beside the data is as guarded_open left it. */
static bool margins_hold(const struct guarded *g) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const char *end = g->pages + g->pages_bytes - page;
  for (const char *at = g->pages + page; at < g->data; at++)
    if (*at != (char)CANARY) return false;
  for (const char *at = g->data + g->bytes; at < end; at++)
    if (*at != (char)CANARY) return false;
  return true;
}

bool whole_numbers(const tsr_conv_desc *d) { return d->type_x == TSR_U8 || d->type_x == TSR_S8; }

tsr_conv_desc full_desc(const tsr_conv_desc *given) {
  tsr_conv_desc d = *given;
  if (!d.type_y) d.type_y = whole_numbers(&d) ? TSR_S32 : d.type_x;
  int shift = 3 - d.dims;
  int64_t *const sizes[] = {d.in, d.out, d.kernel, d.stride, d.dilation, d.pad_begin, d.pad_end};
  for (int s = 0; s < COUNT(sizes); s++) {
    for (int a = 2; a >= shift; a--) sizes[s][a] = sizes[s][a - shift];
    for (int a = 0; a < shift; a++) sizes[s][a] = s < 5;
  }
  d.dims = 3;
  return d;
}

int64_t pixels_of(const int64_t *size) { return size[0] * size[1] * size[2]; }

static int64_t pixel_at(const int64_t *size, const int64_t *at) { return (at[0] * size[1] + at[1]) * size[2] + at[2]; }

static int64_t tensor_at(tsr_layout layout, const int64_t *size, int64_t channels, int64_t n, int64_t c,
                         const int64_t *at) {
  if (layout == TSR_CHANNELS_LAST) return (n * pixels_of(size) + pixel_at(size, at)) * channels + c;
  return (n * channels + c) * pixels_of(size) + pixel_at(size, at);
}

int64_t x_at(const tsr_conv_desc *d, int64_t n, int64_t c, const int64_t *at) {
  return tensor_at(d->layout_x, d->in, d->channels, n, c, at);
}

int64_t y_at(const tsr_conv_desc *d, int64_t n, int64_t k, const int64_t *at) {
  return tensor_at(d->layout_y, d->out, d->filters, n, k, at);
}

int64_t w_at(const tsr_conv_desc *d, int64_t k, int64_t c, const int64_t *at) {
  int64_t channels = d->channels / d->groups, filters = d->filters / d->groups, group = k / filters;
  if (d->transposed) return tensor_at(d->layout_w, d->kernel, filters, group * channels + c, k % filters, at);
  return tensor_at(d->layout_w, d->kernel, channels, k, c, at);
}

static int64_t size_of(tsr_type type) { return tsr_size_of(type); }

size_t x_bytes(const tsr_conv_desc *given) {
  tsr_conv_desc d = full_desc(given);
  return (size_t)(d.batch * d.channels * pixels_of(d.in) * size_of(d.type_x));
}

size_t w_bytes(const tsr_conv_desc *given) {
  tsr_conv_desc d = full_desc(given);
  return (size_t)(d.filters * (d.channels / d.groups) * pixels_of(d.kernel) * size_of(d.type_w));
}

size_t y_bytes(const tsr_conv_desc *given) {
  tsr_conv_desc d = full_desc(given);
  return (size_t)(d.batch * d.filters * pixels_of(d.out) * size_of(d.type_y));
}

double work_of(const tsr_conv_desc *given) {
  tsr_conv_desc d = full_desc(given);
  double taps = (double)pixels_of(d.kernel) * (double)(d.channels / d.groups);
  return (double)(d.batch > 0 ? d.batch : 1) * (double)pixels_of(d.out) * (double)d.filters * taps;
}

static bool one_in(struct rng *rng, int64_t n) { return rng_below(rng, n) == 0; }

#define PICK(rng, array) (array)[rng_below(rng, COUNT(array))]

static void draw_types(struct rng *rng, tsr_conv_desc *d, unsigned features) {
  static const tsr_type reals[][2] = {{TSR_F32, 0},           {TSR_F64, 0},           {TSR_F16, 0}, {TSR_BF16, 0},
                                      {TSR_F16, TSR_F32},     {TSR_BF16, TSR_F32},    {TSR_F32, TSR_F32},
                                      {TSR_F64, TSR_F64},     {TSR_F16, TSR_F16},     {TSR_BF16, TSR_BF16}};
  static const tsr_type from[] = {TSR_U8, TSR_S8}, to[] = {0, TSR_S32, TSR_F32, TSR_U8, TSR_S8};
  if (features & F_TYPES) {
    int which = (int)rng_below(rng, COUNT(reals));
    d->type_x = d->type_w = reals[which][0], d->type_y = reals[which][1];
  }
  if (features & F_INTEGERS)
    d->type_x = PICK(rng, from), d->type_w = TSR_S8, d->type_y = PICK(rng, to);
}

static void draw_channels(struct rng *rng, tsr_conv_desc *d, unsigned features) {
  static const int64_t any[] = {1,  1,  2,  3,  3,  4,  5,  7,  8,  13, 15, 16, 17,
                                24, 31, 32, 33, 47, 48, 49, 63, 64, 65, 96, 130};
  static const int64_t few[] = {1, 2, 3, 4, 5, 8, 9, 16, 17}, groups[] = {2, 3, 4, 5, 8, 16, 17, 32};
  d->channels = PICK(rng, any), d->filters = PICK(rng, any);
  if (features & F_GROUPS && one_in(rng, 2)) {
    d->groups = PICK(rng, groups);
    d->channels = d->groups * PICK(rng, few), d->filters = d->groups * PICK(rng, few);
  } else if (features & F_DEPTHWISE && one_in(rng, 2)) {
    d->groups = d->channels;
    d->filters = d->channels * (one_in(rng, 3) ? 1 + rng_below(rng, 4) : 1);
  }
  if (features & F_DEEP) d->groups = 1, d->channels = 100 + rng_below(rng, 300), d->filters = 100 + rng_below(rng, 300);
  if (features & F_FEW) {
    if (d->groups > 3) d->groups = 1 + rng_below(rng, 3);
    d->channels = d->groups * (30 + rng_below(rng, 150));
    d->filters = d->groups * (1 + rng_below(rng, 9));
  } else if (features & F_WIDE) {
    d->channels = d->groups * (1 + rng_below(rng, 6));
    d->filters = d->groups * (1 + rng_below(rng, 6));
  } else if (one_in(rng, 25)) { /* more than one block of taps */
    d->channels = d->groups * (390 + rng_below(rng, 20));
  }
}

static void draw_axis(struct rng *rng, tsr_conv_desc *d, int a, unsigned features) {
  static const int64_t kernels[] = {1, 1, 2, 3, 3, 3, 4, 5, 7};
  bool strides = features & F_STRIDES;
  d->kernel[a] = d->dims == 1 && one_in(rng, 6) ? 31 : PICK(rng, kernels);
  d->stride[a] = strides && one_in(rng, 2) ? 2 + rng_below(rng, 3) : 1;
  d->dilation[a] = strides && one_in(rng, 4) ? 2 + rng_below(rng, 3) : 1;
  if (d->kernel[a] == 1 && strides) d->dilation[a] = 1 + rng_below(rng, 3); /* which adds outputs to transposed ones */
  int64_t reach = d->dilation[a] * (d->kernel[a] - 1), extra = 0;
  bool symmetric = one_in(rng, 2);
  d->pad_begin[a] = symmetric ? reach / 2 : rng_below(rng, reach + 1);
  d->pad_end[a] = symmetric ? reach / 2 : rng_below(rng, reach + 1);
  d->in[a] = 1 + rng_below(rng, d->dims == 3 ? 8 : d->dims == 2 ? 24 : 60);
  if (features & F_DEEP) d->in[a] = 1 + rng_below(rng, d->dims == 1 ? 12 : 4);
  if (features & F_FEW) d->in[a] = d->dims == 3 && a < 2 ? 1 + rng_below(rng, 5) : 12 + rng_below(rng, 40);
  if (features & F_WIDE) d->in[a] = 1 + rng_below(rng, d->dims == 3 ? 16 : d->dims == 2 ? 100 : 5000);
  int64_t most = d->stride[a] > d->dilation[a] ? d->stride[a] : d->dilation[a], pads = d->pad_begin[a] + d->pad_end[a];
  if (d->transposed) {
    if (d->kernel[a] == 1 || one_in(rng, 3)) extra = rng_below(rng, most);
    d->out[a] = (d->in[a] - 1) * d->stride[a] - pads + reach + 1 + extra;
  } else {
    d->out[a] = d->in[a] + pads < reach + 1 ? 0 : (d->in[a] + pads - reach - 1) / d->stride[a] + 1;
  }
  if (d->out[a] < 1) draw_axis(rng, d, a, features);
}

/* Pointers here say only that there is such an operand. */
static void draw_post(struct rng *rng, tsr_conv_desc *d) {
  static const double lows[] = {0, -0.5, -1, -INFINITY}, highs[] = {6, 1, 0.25, INFINITY};
  tsr_conv_desc full = full_desc(d);
  if (full.type_y == TSR_S32) return;
  d->post.activation = (tsr_activation)rng_below(rng, one_in(rng, 2) ? TSR_CLIP + 1 : TSR_SIGMOID + 1);
  d->post.low = PICK(rng, lows), d->post.high = PICK(rng, highs);
  d->post.slope = 0.125;
  if (one_in(rng, 3)) d->post.scale = "", d->post.scales = one_in(rng, 3) ? 1 : d->filters;
  if (full.type_y != TSR_U8 && full.type_y != TSR_S8 && one_in(rng, 2)) d->post.add = "";
}

static void draw_integers(struct rng *rng, tsr_conv_desc *d) {
  int32_t low = d->type_x == TSR_U8 ? 0 : -128;
  if (one_in(rng, 2)) d->zero_x = low + (int32_t)rng_below(rng, 256);
  if (one_in(rng, 2)) d->zero_w = (const int32_t *)"", d->zeros_w = one_in(rng, 2) ? 1 : d->filters;
  if (d->type_y == TSR_U8) d->zero_y = (int32_t)rng_below(rng, 256);
  if (d->type_y == TSR_S8) d->zero_y = (int32_t)rng_below(rng, 256) - 128;
}

static bool draw_desc(struct rng *rng, tsr_conv_desc *d, unsigned features, double work) {
  *d = (tsr_conv_desc)TSR_CONV_DESC;
  draw_types(rng, d, features);
  draw_channels(rng, d, features);
  d->dims = features & F_DIMS ? 1 + (int)rng_below(rng, 3) : 2;
  d->transposed = features & F_TRANSPOSED && one_in(rng, features == F_TRANSPOSED ? 1 : 3);
  if (features & F_LAYOUTS) {
    d->layout_x = (tsr_layout)rng_below(rng, 2), d->layout_y = (tsr_layout)rng_below(rng, 2);
    d->layout_w = (tsr_layout)rng_below(rng, 2);
  }
  for (int a = 0; a < d->dims; a++) draw_axis(rng, d, a, features);
  if (d->dims == 2 && one_in(rng, 6)) { /* 5x1 and the like */
    int a = (int)rng_below(rng, 2);
    d->kernel[a] = d->stride[a] = d->dilation[a] = 1;
    d->pad_begin[a] = d->pad_end[a] = 0;
    d->out[a] = d->in[a];
  }
  d->batch = one_in(rng, 12) ? 0 : one_in(rng, 2) ? 1 : 2 + rng_below(rng, 2);
  if (features & F_POST) draw_post(rng, d);
  if (whole_numbers(d)) draw_integers(rng, d);
  return work_of(d) <= work;
}

static void put(struct problem *p, struct rng *rng, tsr_type type, char *to, double size) {
  double x = (double)(int64_t)rng_next(rng) * 0x1p-63 * size;
  int64_t whole = rng_below(rng, 256);
  static const float specials[] = {NAN, INFINITY, -INFINITY, -0.0f, 0x1p-149f, 0x1.fffffep127f, -0x1p-126f, 0};
  if (p->fill == FILL_INTEGERS) x = (double)(rng_below(rng, 5) - 2);
  if (p->fill == FILL_WIDE) x = one_in(rng, 16) ? copysign(0, x) : ldexp(x, (int)rng_below(rng, 120) - 60);
  if (p->fill == FILL_SPECIAL && one_in(rng, 60)) x = (double)PICK(rng, specials);
  float f = (float)x;
  int32_t s32 = (int32_t)(one_in(rng, 4) ? (int64_t)rng_next(rng) : rng_below(rng, 20001) - 10000);
  if (one_in(rng, 4)) whole = whole & 1 ? 255 : 128; /* the most that products can be */
  switch (type) {
    case TSR_F64: memcpy(to, &x, 8); break;
    case TSR_F32: memcpy(to, &f, 4); break;
    case TSR_F16: memcpy(to, &(uint16_t){tsr_to_f16(f)}, 2); break;
    case TSR_BF16: memcpy(to, &(uint16_t){tsr_to_bf16(f)}, 2); break;
    case TSR_S32: memcpy(to, &s32, 4); break;
    default: *to = (char)whole;
  }
}

static const void *make(struct problem *p, struct rng *rng, tsr_type type, size_t bytes, double size) {
  struct guarded *g = &p->operand[p->operands++];
  guarded_open(g, bytes, p->place, p->shift);
  for (size_t at = 0; at < bytes; at += (size_t)size_of(type)) put(p, rng, type, g->data + at, size);
  guarded_protect(g, PROT_READ);
  return g->data;
}

static const int32_t *make_zeros(struct problem *p, struct rng *rng, int64_t n) {
  struct guarded *g = &p->operand[p->operands++];
  guarded_open(g, (size_t)n * 4, p->place, 0);
  for (int64_t i = 0; i < n; i++) ((int32_t *)g->data)[i] = (int32_t)rng_below(rng, 256) - 128;
  guarded_protect(g, PROT_READ);
  return (const int32_t *)g->data;
}

static void references(struct problem *p) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2")) {
    references_fma(p);
    return;
  }
#endif
  references_any(p);
}

void problem_inputs(struct problem *p, bool bias) {
  struct rng rng = {p->seed * 77 + 5};
  tsr_conv_desc *d = &p->d, full = full_desc(d);
  bool whole = whole_numbers(d);
  tsr_type exact = d->type_x == TSR_F64 ? TSR_F64 : TSR_F32, of_bias = whole ? TSR_S32 : exact;
  p->operands = 0;
  p->x = make(p, &rng, d->type_x, x_bytes(d), 1);
  p->w = make(p, &rng, d->type_w, w_bytes(d), 1);
  p->bias = bias ? make(p, &rng, of_bias, (size_t)(d->filters * size_of(of_bias)), 1) : NULL;
  if (d->post.scale)
    d->post.scale = make(p, &rng, exact, (size_t)(d->post.scales * size_of(exact)), whole ? 0x1p-9 : 2);
  if (d->post.add) d->post.add = make(p, &rng, full.type_y, y_bytes(d), 1);
  if (d->zero_w) d->zero_w = make_zeros(p, &rng, d->zeros_w);
}

void problem_fill(struct problem *p, bool bias) {
  problem_inputs(p, bias);
  p->expected = malloc(y_bytes(&p->d) + 8);
  memset(p->expected, 0, y_bytes(&p->d) + 8);
  references(p);
}

bool problem_sketch(struct problem *p, uint64_t seed, unsigned features, double work) {
  struct rng rng = {seed};
  memset(p, 0, sizeof *p);
  p->seed = seed;
  while (!draw_desc(&rng, &p->d, features, work)) {
  }
  p->fill = one_in(&rng, 2) ? FILL_RANDOM : (enum fill)rng_below(&rng, FILL_COUNT);
  p->place = (enum place)rng_below(&rng, PLACE_COUNT);
  p->shift = (int)(8 * rng_below(&rng, 8));
  return one_in(&rng, 2);
}

void problem_draw(struct problem *p, uint64_t seed, unsigned features, double work) {
  bool bias = problem_sketch(p, seed, features, work);
  problem_fill(p, bias);
}

void problem_close(struct problem *p) {
  for (int i = 0; i < p->operands; i++) guarded_close(&p->operand[i]);
  free(p->expected);
}

static const char *type_name(tsr_type type) {
  static const char *const names[] = {"-", "f32", "f64", "f16", "bf16", "s8", "s32", "q8_0", "q4_0", "bool", "u8"};
  return names[type];
}

static int say_sizes(char *to, size_t size, const char *name, const int64_t *v, int dims) {
  int used = snprintf(to, size, " %s", name);
  for (int a = 0; a < dims; a++)
    used += snprintf(to + used, size - (size_t)used, "%s%lld", a ? "x" : "=", (long long)v[a]);
  return used;
}

void problem_text(const struct problem *p, char *text, size_t size) {
  static const char *const fills[] = {"random", "integers", "wide", "special"};
  const tsr_conv_desc *d = &p->d;
  const struct {
    const char *name;
    const int64_t *v;
  } sizes[] = {{"in", d->in},         {"out", d->out},           {"kernel", d->kernel},  {"stride", d->stride},
               {"dilation", d->dilation}, {"pads", d->pad_begin}, {"and", d->pad_end}};
  int used = snprintf(text, size, "%s%s %s %s %s%s%s N=%lld C=%lld K=%lld G=%lld", d->transposed ? "transposed " : "",
                      type_name(d->type_x), type_name(d->type_w), type_name(d->type_y),
                      d->layout_x ? "nchw>" : "nhwc>", d->layout_y ? "nchw" : "nhwc", d->layout_w ? " w first" : "",
                      (long long)d->batch, (long long)d->channels, (long long)d->filters, (long long)d->groups);
  for (int s = 0; s < COUNT(sizes); s++)
    used += say_sizes(text + used, size - (size_t)used, sizes[s].name, sizes[s].v, d->dims);
  snprintf(text + used, size - (size_t)used, "%s%s%s activation %d zeros %d %s %d, %s data, place %d, seed %llu",
           p->bias ? " bias" : "", d->post.scale ? d->post.scales > 1 ? " scales" : " scale" : "",
           d->post.add ? " add" : "", d->post.activation, d->zero_x, d->zero_w ? d->zeros_w > 1 ? "ws" : "w" : "-",
           d->zero_y, fills[p->fill], p->place, (unsigned long long)p->seed);
}

tsr_status plain_call(tsr_context *context, const struct problem *p, void *y) {
  return tsr_conv(context, &p->d, p->x, p->w, p->bias, y);
}

tsr_status planned_call(tsr_context *context, const struct problem *p, void *y) {
  tsr_conv_plan *plan;
  struct guarded space;
  tsr_status status = tsr_conv_plan_create(context, &p->d, p->w, p->bias, &plan);
  if (status != TSR_OK) return status;
  size_t bytes = tsr_conv_plan_workspace(plan);
  guarded_open(&space, (bytes + 63) / 64 * 64, PLACE_END, 0);
  space.bytes = bytes; /* what rounding up has added must stay */
  status = tsr_conv_run(plan, p->x, p->d.post.add, y, space.data);
  if (!margins_hold(&space)) fail_msg("a run writes beyond its workspace of %zu bytes", bytes);
  guarded_close(&space);
  tsr_conv_plan_destroy(plan);
  return status;
}

static bool is_nan(tsr_type type, const char *at) {
  float f;
  double x;
  uint16_t h;
  memcpy(&h, at, 2);
  if (type == TSR_F16) return (h & 0x7fff) > 0x7c00;
  if (type == TSR_BF16) return (h & 0x7fff) > 0x7f80;
  if (type == TSR_F32) return memcpy(&f, at, 4), isnan(f);
  if (type == TSR_F64) return memcpy(&x, at, 8), isnan(x);
  return false;
}

bool same_bits(tsr_type type, const char *x, const char *y, int64_t elements, int64_t *where) {
  int64_t size = size_of(type);
  if (memcmp(x, y, (size_t)(elements * size)) == 0) return true;
  for (int64_t i = 0; i < elements; i++) {
    if (memcmp(x + i * size, y + i * size, (size_t)size) == 0) continue;
    if (size > 1 && is_nan(type, x + i * size) && is_nan(type, y + i * size)) continue;
    *where = i;
    return false;
  }
  return true;
}

static double number_at(tsr_type type, const char *at) {
  float f;
  double x;
  int32_t s;
  uint16_t h = 0;
  memcpy(&h, at, size_of(type) > 1 ? 2 : 1);
  switch (type) {
    case TSR_F64: return memcpy(&x, at, 8), x;
    case TSR_F32: return memcpy(&f, at, 4), (double)f;
    case TSR_S32: return memcpy(&s, at, 4), (double)s;
    case TSR_F16: return (double)tsr_from_f16(h);
    case TSR_BF16: return (double)tsr_from_bf16(h);
    case TSR_U8: return (double)*(const uint8_t *)at;
    default: return (double)*(const int8_t *)at;
  }
}

int refused, accepted;

static void compare(tsr_context *context, int threads, const struct problem *p, const struct guarded *y) {
  char text[WHY];
  tsr_type type = full_desc(&p->d).type_y;
  int64_t size = size_of(type), elements = (int64_t)y->bytes / size, at = 0;
  problem_text(p, text, sizeof text);
  if (!margins_hold(y))
    fail_msg("%s, %d threads: %s: bytes beside y were written", tsr_context_isa(context), threads, text);
  if (same_bits(type, y->data, p->expected, elements, &at)) return;
  fail_msg("%s, %d threads: %s: element %lld of y is %a, not %a", tsr_context_isa(context), threads, text,
           (long long)at, number_at(type, y->data + at * size), number_at(type, p->expected + at * size));
}

void check_problem(tsr_context *context, int threads, const struct problem *p, compute *how) {
  char text[WHY];
  struct guarded y;
  guarded_open(&y, y_bytes(&p->d), p->place, p->shift);
  memset(y.data, CANARY, y.bytes);
  tsr_set_num_threads(context, threads);
  tsr_status status = how(context, p, y.data);
  tsr_set_num_threads(context, 0);
  if (status == TSR_OK) {
    accepted++;
    compare(context, threads, p, &y);
  } else {
    refused++;
    problem_text(p, text, sizeof text);
    if (status != TSR_UNSUPPORTED)
      fail_msg("%s: %s: %s: %s", tsr_context_isa(context), text, tsr_status_string(status), tsr_last_error());
    y.bytes = 0; /* all must be as it was */
    if (!margins_hold(&y)) fail_msg("%s: y was written by a call that failed", text);
  }
  guarded_close(&y);
}
