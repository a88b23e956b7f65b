/* Convolution as a worker measures it: a plan or primitive is made once, with its weights packed, and run many times;
 * through tsr_conv_plan, or oneDNN's primitives. Every filter has a bias; u8 also a scale. */
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/conv_shapes.h"
#include "bench/memory.h"
#include "bench/onednn.h"
#include "bench/program.h"
#include "tessera/tessera.h"

static __typeof__(tsr_conv_plan_create) *plan_create;
static __typeof__(tsr_conv_plan_destroy) *plan_destroy;
static __typeof__(tsr_conv_plan_workspace) *plan_workspace;
static __typeof__(tsr_conv_run) *run;
static bool has_dnn;

static bool find(void *library) {
  plan_create = (__typeof__(plan_create))dlsym(library, "tsr_conv_plan_create");
  plan_destroy = (__typeof__(plan_destroy))dlsym(library, "tsr_conv_plan_destroy");
  plan_workspace = (__typeof__(plan_workspace))dlsym(library, "tsr_conv_plan_workspace");
  run = (__typeof__(run))dlsym(library, "tsr_conv_run");
  has_dnn = bench_dnn_find(library);
  return (plan_create && plan_destroy && plan_workspace && run) || has_dnn;
}

static enum bench_answer has(const struct bench_request *r) {
  if (bench_program_pid()) return BENCH_UNFIT;
  if (plan_create && run) return BENCH_OK;
  if (!has_dnn) return BENCH_MISSING;
  return r->conv.dims + 2 + (r->conv.groups > 1) > 6 ? BENCH_UNFIT : BENCH_OK;
}

/* --- Operands ---------------------------------------------------------------------------------------------------- */

enum { DRAWN = 65521 };

static struct operands {
  char *x, *w, *y;
  void *bias; /* f32; for u8 s32 */
  float *scale, *scaled_bias; /* of u8: the bias times the scale, as oneDNN wants it */
  void *workspace;
} operands;
static tsr_conv_plan *plan;
static struct bench_dnn *program;
static struct bench_dnn_tensor result; /* of oneDNN, in its layout */

static enum bench_format format(void) { return bench_worker_format(has_dnn ? BENCH_ANY : BENCH_NHWC); }

/* Plain operands of oneDNN's own layout lie as NCHW. */
static enum bench_format plain_format(void) { return format() == BENCH_NHWC ? BENCH_NHWC : BENCH_NCHW; }

static int bytes_of(const struct bench_conv *c) {
  return c->type == BENCH_CONV_F32 ? 4 : c->type == BENCH_CONV_U8 ? 1 : 2;
}

static size_t rounded(double bytes) { return ((size_t)bytes + 4095) / 4096 * 4096 + 64; }

/* A place in the one block of memory; with base NULL only counts. */
static void *place(char *base, size_t *at, double bytes) {
  void *here = base ? base + *at : NULL;
  *at += rounded(bytes); /* operands are not to share the same lines of caches */
  return here;
}

static size_t place_all(const struct bench_conv *c, char *base) {
  size_t at = 0;
  double filters = 4.0 * (double)c->filters;
  operands.x = place(base, &at, bench_conv_x(c) * bytes_of(c));
  operands.w = place(base, &at, bench_conv_w(c) * bytes_of(c));
  operands.y = place(base, &at, bench_conv_y(c) * bytes_of(c));
  operands.bias = place(base, &at, filters);
  operands.scale = place(base, &at, filters);
  operands.scaled_bias = place(base, &at, filters);
  return at;
}

/* Cut, not rounded. */
static uint16_t to_half(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return fabsf(x) < 0x1p-14f ? 0 : (uint16_t)((bits >> 16 & 0x8000) | (((bits >> 13) - (112 << 10)) & 0x7fff));
}

static void put(const struct bench_conv *c, char *to, size_t i, double x) {
  float f = (float)x;
  uint32_t bits;
  memcpy(&bits, &f, sizeof bits);
  switch (c->type) {
    case BENCH_CONV_F32: ((float *)to)[i] = f; break;
    case BENCH_CONV_F16: ((uint16_t *)to)[i] = to_half(f); break;
    case BENCH_CONV_BF16: ((uint16_t *)to)[i] = (uint16_t)(bits >> 16); break;
    default: to[i] = (char)(int)floor(256 * x); break; /* as u8 or s8 */
  }
}

static void fill(const struct bench_conv *c, char *to, double elements) {
  size_t count = (size_t)elements, first = count < DRAWN ? count : DRAWN, bytes = (size_t)bytes_of(c);
  for (size_t i = 0; i < first; i++) put(c, to, i, bench_random(i));
  bench_repeat(to, first * bytes, count * bytes);
}

/* Scales that bring most sums into the range of u8. */
static void fill_filters(const struct bench_conv *c) {
  double taps = bench_conv_w(c) / (double)c->filters;
  for (int64_t k = 0; k < c->filters; k++) {
    double bias = bench_random((size_t)k);
    operands.scale[k] = (float)((1 + 0.5 * bias) / (128 * sqrt(taps)));
    if (c->type == BENCH_CONV_U8) ((int32_t *)operands.bias)[k] = (int32_t)(bias * 128 * sqrt(taps));
    else ((float *)operands.bias)[k] = (float)bias;
    if (c->type == BENCH_CONV_U8) operands.scaled_bias[k] = operands.scale[k] * (float)((int32_t *)operands.bias)[k];
  }
}

/* --- Tessera ----------------------------------------------------------------------------------------------------- */

static void describe(const struct bench_conv *c, enum bench_format layout, tsr_conv_desc *desc) {
  static const tsr_type types[] = {TSR_F32, TSR_F16, TSR_BF16, TSR_U8};
  *desc = (tsr_conv_desc)TSR_CONV_DESC;
  desc->type_x = desc->type_y = types[c->type];
  desc->type_w = c->type == BENCH_CONV_U8 ? TSR_S8 : types[c->type];
  desc->layout_x = desc->layout_y = layout == BENCH_NCHW ? TSR_CHANNELS_FIRST : TSR_CHANNELS_LAST;
  desc->layout_w = TSR_CHANNELS_FIRST;
  desc->dims = c->dims, desc->transposed = c->transposed;
  desc->batch = c->batch, desc->channels = c->channels, desc->filters = c->filters, desc->groups = c->groups;
  for (int i = 0; i < c->dims; i++) {
    desc->in[i] = c->in[i], desc->out[i] = c->out[i], desc->kernel[i] = c->kernel[i];
    desc->stride[i] = c->stride[i], desc->dilation[i] = c->dilation[i];
    desc->pad_begin[i] = c->pad_begin[i], desc->pad_end[i] = c->pad_end[i];
  }
}

static enum bench_answer prepare_tessera(const struct bench_conv *c) {
  tsr_conv_desc desc;
  describe(c, plain_format(), &desc);
  if (c->type == BENCH_CONV_U8) desc.post.scale = operands.scale, desc.post.scales = c->filters;
  tsr_status status = plan_create(NULL, &desc, operands.w, operands.bias, &plan);
  if (status != TSR_OK) return status == TSR_OUT_OF_MEMORY ? BENCH_NO_MEMORY : BENCH_MISSING;
  size_t bytes = (plan_workspace(plan) + 63) / 64 * 64;
  operands.workspace = bytes ? aligned_alloc(64, bytes) : NULL;
  return bytes && !operands.workspace ? BENCH_NO_MEMORY : BENCH_OK;
}

/* --- oneDNN ------------------------------------------------------------------------------------------------------ */

static enum bench_answer prepare_dnn(const struct bench_conv *c) {
  bool integers = c->type == BENCH_CONV_U8;
  program = bench_dnn_new();
  if (!program) return BENCH_NO_MEMORY;
  struct bench_dnn_tensor x = bench_dnn_image(program, c, false, plain_format(), operands.x);
  struct bench_dnn_conv conv = {.conv = c, .format = format(), .x_once = true};
  conv.w = bench_dnn_weights(program, c, operands.w);
  conv.bias = bench_dnn_tensor(program, BENCH_DNN_F32, 1, &c->filters, NULL,
                               integers ? operands.scaled_bias : operands.bias);
  if (integers) conv.scale = bench_dnn_tensor(program, BENCH_DNN_F32, 1, &c->filters, NULL, operands.scale);
  result = bench_dnn_conv(program, &conv, x);
  if (!bench_dnn_ok(program)) return BENCH_MISSING;
  return bench_dnn_is_reference(program) && bench_conv_flops(c) > 2e7 ? BENCH_PLAIN_LOOP : BENCH_OK;
}

/* --- The operation ----------------------------------------------------------------------------------------------- */

static void release(void) {
  if (plan) plan_destroy(plan);
  plan = NULL;
  free(operands.workspace);
  operands.workspace = NULL;
  bench_dnn_free(program);
  program = NULL;
  bench_memory_release();
}

static enum bench_answer prepare(const struct bench_request *r) {
  const struct bench_conv *c = &r->conv;
  char *base = bench_memory(place_all(c, NULL));
  if (!base) return BENCH_NO_MEMORY;
  place_all(c, base);
  fill(c, operands.x, bench_conv_x(c));
  fill(c, operands.w, bench_conv_w(c));
  fill_filters(c);
  memset(operands.y, 0, (size_t)bench_conv_y(c) * (size_t)bytes_of(c));
  enum bench_answer answer = has_dnn ? prepare_dnn(c) : prepare_tessera(c);
  if (answer != BENCH_OK) release();
  return answer;
}

static void call(const struct bench_request *r, int caller, int64_t calls) {
  (void)r, (void)caller;
  for (; calls > 0; calls--)
    if (has_dnn) bench_dnn_run(program);
    else run(plan, operands.x, NULL, operands.y, operands.workspace);
}

/* --- Checking ---------------------------------------------------------------------------------------------------- */

static double element(const struct bench_conv *c, const char *p, int64_t i, bool is_signed) {
  float x = 0;
  uint32_t bits = 0;
  switch (c->type) {
    case BENCH_CONV_F32: return ((const float *)p)[i];
    case BENCH_CONV_F16:
      bits = ((const uint16_t *)p)[i];
      bits = (bits & 0x8000) << 16 | (bits & 0x7fff ? ((bits & 0x7fff) + (112 << 10)) << 13 : 0);
      break;
    case BENCH_CONV_BF16: bits = (uint32_t)((const uint16_t *)p)[i] << 16; break;
    default: return is_signed ? ((const signed char *)p)[i] : ((const unsigned char *)p)[i];
  }
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* Where a pixel's channel lies in an image of so many channels and that size. */
static int64_t at(const struct bench_conv *c, int64_t n, int64_t channel, int64_t channels, const int64_t *size,
                  const int64_t *pixel) {
  int64_t place = 0, pixels = 1;
  for (int i = 0; i < c->dims; i++) place = place * size[i] + pixel[i], pixels *= size[i];
  return plain_format() == BENCH_NHWC ? (n * pixels + place) * channels + channel
                                      : (n * channels + channel) * pixels + place;
}

/* The pixel of x that a tap of an output pixel falls on; false: padding. */
static bool tap_falls(const struct bench_conv *c, const int64_t *out, const int64_t *tap, int64_t *in) {
  for (int i = 0; i < c->dims; i++) {
    int64_t reach = tap[i] * c->dilation[i];
    in[i] = c->transposed ? out[i] + c->pad_begin[i] - reach : out[i] * c->stride[i] - c->pad_begin[i] + reach;
    if (c->transposed && in[i] % c->stride[i]) return false;
    if (c->transposed) in[i] /= c->stride[i];
    if (in[i] < 0 || in[i] >= c->in[i]) return false;
  }
  return true;
}

/* The sum of one element of y in double, and that of its products' magnitudes. */
static double plain_sum(const struct bench_conv *c, int64_t n, int64_t k, const int64_t *out, double *magnitude) {
  int64_t group = k / (c->filters / c->groups), channels = c->channels / c->groups, filters = c->filters / c->groups;
  int64_t taps = 1, in[3], tap[3];
  double sum = *magnitude = 0;
  for (int i = 0; i < c->dims; i++) taps *= c->kernel[i];
  for (int64_t t = 0; t < taps; t++) {
    int64_t rest = t;
    for (int i = c->dims - 1; i >= 0; i--) tap[i] = rest % c->kernel[i], rest /= c->kernel[i];
    if (!tap_falls(c, out, tap, in)) continue;
    for (int64_t j = 0; j < channels; j++) {
      int64_t channel = group * channels + j;
      int64_t w = c->transposed ? (channel * filters + k % filters) * taps + t : (k * channels + j) * taps + t;
      double p = element(c, operands.x, at(c, n, channel, c->channels, c->in, in), false) *
                 element(c, operands.w, w, true);
      sum += p, *magnitude += fabs(p);
    }
  }
  return sum;
}

static bool element_is_right(const struct bench_conv *c, int64_t n, int64_t k, const int64_t *out) {
  static const double relative[] = {1e-5, 2e-3, 2e-2}; /* of y's type */
  double magnitude, sum = plain_sum(c, n, k, out, &magnitude);
  double got = element(c, operands.y, at(c, n, k, c->filters, c->out, out), false);
  if (c->type != BENCH_CONV_U8) {
    double bias = ((const float *)operands.bias)[k];
    return fabs(got - (sum + bias)) <= relative[c->type] * (magnitude + fabs(bias));
  }
  double y = (sum + ((const int32_t *)operands.bias)[k]) * operands.scale[k];
  return fabs(got - fmin(255, fmax(0, y))) <= 1.01;
}

/* Corners, middles and what lies between them. */
static bool right(const struct bench_request *r) {
  const struct bench_conv *c = &r->conv;
  if (has_dnn) bench_dnn_copy(program, result, bench_dnn_image(program, c, true, plain_format(), operands.y));
  for (int64_t i = 0; i < 81; i++) {
    int64_t out[3] = {0}, rest = i, k = i * 7919 % c->filters;
    for (int d = 0; d < c->dims; d++, rest /= 3) out[d] = (c->out[d] - 1) * (rest % 3) / 2;
    if (i < 9) k = i % 3 * (c->filters - 1) / 2;
    if (i % 2) out[c->dims - 1] = i * 31 % c->out[c->dims - 1];
    if (!element_is_right(c, i % c->batch, k, out)) return false;
  }
  return true;
}

const struct bench_op bench_op_conv = {"conv", find, has, prepare, call, right, release, NULL};
