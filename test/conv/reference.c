/* The loop of tessera/conv.h. Compiled for any CPU, and on x86 for CPUs with FMA. */
#include <math.h>

#include "kernels/post.h"
#include "test/conv/conv_test.h"

/* Operands without their layouts: x[n][pixel][c], w[k][tap][c], in f32 (16-bit types too), f64 or as integers. */
struct loop {
  const struct problem *p;
  tsr_conv_desc d;
  int64_t channels, filters, taps; /* of a group; of the kernel */
  int64_t kb;
  double *x, *w;
  float *x_f32, *w_f32;
};

static int64_t block_of(tsr_type type) { return type == TSR_F64 ? 256 : type == TSR_F32 ? 384 : 4096; }

static double load(tsr_type type, const void *from, int64_t i) {
  switch (type) {
    case TSR_F64: return ((const double *)from)[i];
    case TSR_F32: return (double)((const float *)from)[i];
    case TSR_F16: return (double)tsr_from_f16(((const uint16_t *)from)[i]);
    case TSR_BF16: return (double)tsr_from_bf16(((const uint16_t *)from)[i]);
    case TSR_S32: return (double)((const int32_t *)from)[i];
    case TSR_U8: return (double)((const uint8_t *)from)[i];
    default: return (double)((const int8_t *)from)[i];
  }
}

static void point_of(const int64_t *size, int64_t number, int64_t *at) {
  for (int a = 2; a >= 0; a--) at[a] = number % size[a], number /= size[a];
}

static void unfold_x(struct loop *l) {
  const tsr_conv_desc *d = &l->d;
  int64_t pixels = pixels_of(d->in), at[3];
  for (int64_t n = 0; n < d->batch; n++)
    for (int64_t i = 0; i < pixels; i++)
      for (int64_t c = 0; c < d->channels; c++) {
        point_of(d->in, i, at);
        l->x[(n * pixels + i) * d->channels + c] = load(d->type_x, l->p->x, x_at(d, n, c, at));
      }
}

static void unfold_w(struct loop *l) {
  const tsr_conv_desc *d = &l->d;
  int64_t at[3];
  for (int64_t k = 0; k < d->filters; k++)
    for (int64_t t = 0; t < l->taps; t++)
      for (int64_t c = 0; c < l->channels; c++) {
        point_of(d->kernel, t, at);
        l->w[(k * l->taps + t) * l->channels + c] = load(d->type_w, l->p->w, w_at(d, k, c, at));
      }
}

/* The input pixel that tap t of the output at `out` meets, or -1. */
static int64_t met(const tsr_conv_desc *d, const int64_t *out, int64_t t) {
  int64_t tap[3], pixel = 0;
  point_of(d->kernel, t, tap);
  for (int a = 0; a < 3; a++) {
    int64_t i = out[a] * d->stride[a] - d->pad_begin[a] + tap[a] * d->dilation[a];
    if (d->transposed) {
      i = out[a] + d->pad_begin[a] - tap[a] * d->dilation[a];
      if (i % d->stride[a]) return -1;
      i /= d->stride[a];
    }
    if (i < 0 || i >= d->in[a]) return -1;
    pixel = pixel * d->in[a] + i;
  }
  return pixel;
}

#define CHAIN(name, REAL, FMA, X, W)                                                                   \
  static REAL name(const struct loop *l, int64_t n, int64_t k, const int64_t *meets, REAL y) {         \
    int64_t pixels = pixels_of(l->d.in), group = k / l->filters, number = 0;                           \
    REAL s = 0;                                                                                        \
    for (int64_t t = 0; t < l->taps; t++) {                                                            \
      const REAL *w = W + (k * l->taps + t) * l->channels;                                             \
      const REAL *x = X + (n * pixels + (meets[t] < 0 ? 0 : meets[t])) * l->d.channels + group * l->channels; \
      for (int64_t c = 0; c < l->channels; c++) {                                                      \
        if (meets[t] >= 0) s = FMA(w[c], x[c], s);                                                     \
        if (++number % l->kb == 0) y = y + s, s = 0;                                                   \
      }                                                                                                \
    }                                                                                                  \
    return number % l->kb ? y + s : y;                                                                 \
  }
CHAIN(chain_f64, double, fma, l->x, l->w)
CHAIN(chain_f32, float, fmaf, l->x_f32, l->w_f32)

static int32_t sum_integers(const struct loop *l, int64_t n, int64_t k, const int64_t *meets) {
  const tsr_conv_desc *d = &l->d;
  int64_t pixels = pixels_of(d->in), group = k / l->filters, zero_w = d->zero_w ? d->zero_w[d->zeros_w > 1 ? k : 0] : 0;
  uint32_t s = l->p->bias ? (uint32_t)((const int32_t *)l->p->bias)[k] : 0;
  for (int64_t t = 0; t < l->taps; t++)
    for (int64_t c = 0; c < l->channels && meets[t] >= 0; c++) {
      int64_t w = (int64_t)l->w[(k * l->taps + t) * l->channels + c] - zero_w;
      int64_t x = (int64_t)l->x[(n * pixels + meets[t]) * d->channels + group * l->channels + c] - d->zero_x;
      s += (uint32_t)(w * x);
    }
  return (int32_t)s;
}

static void put_quantised(const tsr_conv_desc *d, char *y, int64_t at, float value) {
  double rounded = (value != value ? 0 : nearbyint((double)value)) + (double)d->zero_y;
  double low = d->type_y == TSR_U8 ? 0 : -128, high = low + 255;
  rounded = rounded < low ? low : rounded > high ? high : rounded;
  y[at] = d->type_y == TSR_U8 ? (char)(uint8_t)rounded : (char)(int8_t)rounded;
}

static void finish_f32(const struct loop *l, int64_t k, int64_t at, float y) {
  const tsr_conv_desc *d = &l->d;
  char *to = l->p->expected;
  struct tsr_post post = {.activation = d->post.activation, .low = d->post.low, .high = d->post.high,
                          .slope = d->post.slope};
  if (d->post.scale) y = y * ((const float *)d->post.scale)[d->post.scales > 1 ? k : 0];
  if (d->post.add) y = y + (float)load(d->type_y, d->post.add, at);
  y = tsr_activate_f32(&post, y);
  switch (d->type_y) {
    case TSR_F32: ((float *)to)[at] = y; break;
    case TSR_F16: ((uint16_t *)to)[at] = tsr_to_f16(y); break;
    case TSR_BF16: ((uint16_t *)to)[at] = tsr_to_bf16(y); break;
    default: put_quantised(d, to, at, y);
  }
}

static void one_f64(const struct loop *l, int64_t n, int64_t k, const int64_t *meets, int64_t at) {
  const tsr_conv_desc *d = &l->d;
  struct tsr_post post = {.activation = d->post.activation, .low = d->post.low, .high = d->post.high,
                          .slope = d->post.slope};
  double y = chain_f64(l, n, k, meets, l->p->bias ? ((const double *)l->p->bias)[k] + 0.0 : 0);
  if (d->post.scale) y = y * ((const double *)d->post.scale)[d->post.scales > 1 ? k : 0];
  if (d->post.add) y = y + ((const double *)d->post.add)[at];
  ((double *)l->p->expected)[at] = tsr_activate_f64(&post, y);
}

static void one_integer(const struct loop *l, int64_t n, int64_t k, const int64_t *meets, int64_t at) {
  int32_t y = sum_integers(l, n, k, meets);
  if (l->d.type_y == TSR_S32)
    ((int32_t *)l->p->expected)[at] = y;
  else
    finish_f32(l, k, at, (float)y);
}

static void one(const struct loop *l, int64_t n, int64_t k, const int64_t *meets, int64_t at) {
  const float *bias = l->p->bias;
  if (whole_numbers(&l->d))
    one_integer(l, n, k, meets, at);
  else if (l->d.type_x == TSR_F64)
    one_f64(l, n, k, meets, at);
  else
    finish_f32(l, k, at, chain_f32(l, n, k, meets, bias ? bias[k] + 0.0f : 0));
}

static void run(struct loop *l) {
  const tsr_conv_desc *d = &l->d;
  int64_t *meets = malloc((size_t)l->taps * sizeof *meets), out[3];
  for (int64_t o = 0; o < pixels_of(d->out); o++) {
    point_of(d->out, o, out);
    for (int64_t t = 0; t < l->taps; t++) meets[t] = met(d, out, t);
    for (int64_t n = 0; n < d->batch; n++)
      for (int64_t k = 0; k < d->filters; k++) one(l, n, k, meets, y_at(d, n, k, out));
  }
  free(meets);
}

static float *narrow(const double *from, int64_t n) {
  float *to = malloc((size_t)n * sizeof *to + 1);
  for (int64_t i = 0; i < n; i++) to[i] = (float)from[i];
  return to;
}

void REFERENCES(struct problem *p) {
  struct loop l = {.p = p, .d = full_desc(&p->d)};
  const tsr_conv_desc *d = &l.d;
  l.channels = d->channels / d->groups, l.filters = d->filters / d->groups, l.taps = pixels_of(d->kernel);
  l.kb = block_of(d->type_x);
  int64_t nx = d->batch * pixels_of(d->in) * d->channels, nw = d->filters * l.taps * l.channels;
  l.x = malloc((size_t)nx * sizeof *l.x + 1), l.w = malloc((size_t)nw * sizeof *l.w + 1);
  unfold_x(&l);
  unfold_w(&l);
  l.x_f32 = narrow(l.x, nx), l.w_f32 = narrow(l.w, nw);
  run(&l);
  free(l.x), free(l.w), free(l.x_f32), free(l.w_f32);
}
