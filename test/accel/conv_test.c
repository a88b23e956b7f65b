/* Convolution on simulated devices: bit for bit the loop of tessera/conv.h, under a race detector and in random legal
 * orders; what happens to calls that cannot be served; and which share of the cubes' peak layers reach. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/accel_sim/device.h"
#include "kernels/accel_sim/sim/move.h"
#include "src/conv/device.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define assert_ok(call)                                            \
  do {                                                             \
    if ((call) != TSR_OK) fail_msg(#call ": %s", tsr_last_error()); \
  } while (0)

enum { KB = 4096, GUARD = 4096, PATTERN = 0x7b };

static uint64_t state = 1;

static double uniform(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return ((double)(state >> 11) + 0.5) / 9007199254740992.0;
}

static float get(const void *at, int64_t i, tsr_type type) {
  uint16_t half = ((const uint16_t *)at)[i];
  if (type == TSR_F32) return ((const float *)at)[i];
  return type == TSR_F16 ? accel_f16_to_f32(half) : accel_bf16_to_f32(half);
}

static void put(void *at, int64_t i, tsr_type type, float value) {
  ((uint16_t *)at)[i] = type == TSR_F16 ? accel_f32_to_f16(value) : accel_f32_to_bf16(value);
}

static float rounded(tsr_type type, float value) {
  if (type == TSR_F32) return value;
  return type == TSR_F16 ? accel_f16_to_f32(accel_f32_to_f16(value)) : accel_bf16_to_f32(accel_f32_to_bf16(value));
}

/* A layer with two dimensions, its tensors with channels last, and bias. */
struct layer {
  int64_t batch, channels, filters, in[2], kernel[2], stride[2], dilation[2], before[2], after[2], groups;
};

static tsr_conv_desc desc_of(const struct layer *l, tsr_type type, tsr_type type_y) {
  tsr_conv_desc d = TSR_CONV_DESC;
  d.type_x = d.type_w = type;
  d.type_y = type_y;
  d.batch = l->batch, d.channels = l->channels, d.filters = l->filters, d.groups = l->groups ? l->groups : 1;
  for (int i = 0; i < 2; i++) {
    d.in[i] = l->in[i], d.kernel[i] = l->kernel[i];
    d.stride[i] = l->stride[i] ? l->stride[i] : 1;
    d.dilation[i] = l->dilation[i] ? l->dilation[i] : 1;
    d.pad_begin[i] = l->before[i], d.pad_end[i] = l->after[i];
  }
  assert_ok(tsr_conv_set_out(&d));
  return d;
}

struct tensors {
  int64_t nx, nw, ny;
  void *x, *w;
  unsigned char *y; /* with guards */
  float *bias;
};

static void *random_tensor(int64_t n, tsr_type type) {
  uint16_t *at = malloc((size_t)n * 2);
  for (int64_t i = 0; i < n; i++) put(at, i, type, (float)(2 * uniform() - 1));
  return at;
}

static struct tensors make(const tsr_conv_desc *d) {
  struct tensors t = {.nx = d->batch * d->in[0] * d->in[1] * d->channels,
                      .nw = d->filters * d->kernel[0] * d->kernel[1] * d->channels / d->groups,
                      .ny = d->batch * d->out[0] * d->out[1] * d->filters};
  t.x = random_tensor(t.nx, d->type_x);
  t.w = random_tensor(t.nw, d->type_x);
  t.y = malloc((size_t)t.ny * 4 + 2 * GUARD);
  t.bias = malloc((size_t)d->filters * 4);
  for (int64_t i = 0; i < d->filters; i++) t.bias[i] = (float)(4 * uniform() - 2);
  return t;
}

static void drop(struct tensors *t) {
  free(t->x);
  free(t->w);
  free(t->y);
  free(t->bias);
}

static int64_t size_of_y(const tsr_conv_desc *d) { return d->type_y == TSR_F32 ? 4 : 2; }

static tsr_context *open_device(const char *name) {
  tsr_context *context = NULL;
  assert_ok(tsr_context_create(name, &context));
  return context;
}

static void *upload(tsr_context *context, const void *from, int64_t bytes) {
  void *at = NULL;
  assert_ok(tsr_device_alloc(context, (size_t)bytes, &at));
  assert_ok(tsr_copy_to_device(context, at, from, (size_t)bytes));
  return at;
}

/* Each operand is an allocation of its own, beyond which nothing can be read. */
static void compute(tsr_context *context, const tsr_conv_desc *d, struct tensors *t, bool biased) {
  int64_t bytes = t->ny * size_of_y(d) + 2 * GUARD;
  memset(t->y, PATTERN, (size_t)bytes);
  void *x = upload(context, t->x, t->nx * 2), *w = upload(context, t->w, t->nw * 2), *y = upload(context, t->y, bytes);
  void *bias = biased ? upload(context, t->bias, d->filters * 4) : NULL;
  assert_ok(tsr_conv_on_device(context, d, x, w, bias, (char *)y + GUARD));
  assert_ok(tsr_copy_from_device(context, t->y, y, (size_t)bytes));
  assert_ok(tsr_device_free(context, x));
  assert_ok(tsr_device_free(context, w));
  assert_ok(tsr_device_free(context, y));
  assert_ok(tsr_device_free(context, bias));
}

/* The loop. */
static float element(const tsr_conv_desc *d, const struct tensors *t, bool biased, int64_t n, int64_t oh, int64_t ow,
                     int64_t k) {
  int64_t c_all = d->channels / d->groups, group = k / (d->filters / d->groups), number = 0;
  float y = biased ? t->bias[k] : 0, s = 0;
  for (int64_t r = 0; r < d->kernel[0]; r++)
    for (int64_t q = 0; q < d->kernel[1]; q++)
      for (int64_t c = 0; c < c_all; c++) {
        int64_t h = oh * d->stride[0] - d->pad_begin[0] + r * d->dilation[0];
        int64_t w = ow * d->stride[1] - d->pad_begin[1] + q * d->dilation[1];
        if (number && number % KB == 0) y += s, s = 0;
        if (h >= 0 && h < d->in[0] && w >= 0 && w < d->in[1])
          s = fmaf(get(t->w, ((k * d->kernel[0] + r) * d->kernel[1] + q) * c_all + c, d->type_x),
                   get(t->x, ((n * d->in[0] + h) * d->in[1] + w) * d->channels + group * c_all + c, d->type_x), s);
        number++;
      }
  y += s;
  return d->post.activation == TSR_RELU && y < 0 ? 0 : y;
}

static bool same(float a, float b) { return a == b || (isnan(a) && isnan(b)); }

/* Every `step`-th element, and the guards. */
static void compare(const tsr_conv_desc *d, const struct tensors *t, bool biased, int64_t step, const char *what) {
  const unsigned char *y = t->y + GUARD;
  int64_t size = size_of_y(d);
  for (int64_t i = 0; i < t->ny; i += step) {
    int64_t pixel = i / d->filters, plane = d->out[0] * d->out[1];
    float expected = element(d, t, biased, pixel / plane, pixel % plane / d->out[1], pixel % d->out[1], i % d->filters);
    float got = get(y, i, d->type_y);
    expected = rounded(d->type_y, expected);
    if (!same(got, expected))
      fail_msg("%s: %lldx%lldx%lldx%lld to %lld by %lldx%lld: pixel %lld, filter %lld is %a, not %a", what,
               (long long)d->batch, (long long)d->in[0], (long long)d->in[1], (long long)d->channels,
               (long long)d->filters, (long long)d->kernel[0], (long long)d->kernel[1], (long long)pixel,
               (long long)(i % d->filters), (double)got, (double)expected);
  }
  for (int64_t i = 0; i < GUARD; i++)
    if (t->y[i] != PATTERN || y[t->ny * size + i] != PATTERN) fail_msg("%s: written %lld beside y", what, (long long)i);
}

static void check(const char *device, tsr_conv_desc d, bool biased, int64_t step) {
  struct tensors t = make(&d);
  tsr_context *context = open_device(device);
  compute(context, &d, &t, biased);
  tsr_context_destroy(context);
  compare(&d, &t, biased, step, device);
  drop(&t);
}

static const char *const models[] = {"accel:910b,races", "accel:310p,races"};

static void layers(void **unused) {
  (void)unused;
  static const struct layer cases[] = {
      {1, 16, 16, {4, 4}, {1, 1}, {0}, {0}, {0}, {0}, 0},
      {1, 16, 16, {7, 7}, {3, 3}, {0}, {0}, {1, 1}, {1, 1}, 0},
      {2, 64, 64, {14, 14}, {3, 3}, {0}, {0}, {1, 1}, {1, 1}, 0},
      {3, 3, 24, {21, 19}, {7, 7}, {2, 2}, {0}, {3, 3}, {3, 3}, 0},
      {1, 3, 1, {9, 9}, {9, 9}, {0}, {0}, {4, 4}, {4, 4}, 0},
      {2, 20, 33, {9, 13}, {3, 5}, {2, 1}, {0}, {1, 2}, {0, 1}, 0},
      {1, 32, 40, {17, 15}, {3, 3}, {0}, {4, 4}, {4, 4}, {4, 4}, 0},
      {2, 17, 50, {12, 10}, {3, 2}, {3, 2}, {2, 3}, {4, 0}, {1, 3}, 0},
      {8, 32, 32, {7, 7}, {3, 3}, {0}, {0}, {1, 1}, {1, 1}, 0},
      {5, 48, 16, {5, 3}, {5, 1}, {0}, {0}, {2, 0}, {2, 0}, 0},
      {1, 16, 16, {1, 200}, {1, 31}, {0}, {0}, {0, 15}, {0, 15}, 0},
      {2, 32, 64, {16, 16}, {1, 1}, {2, 2}, {0}, {0}, {0}, 0},
      {1, 1, 1, {1, 1}, {1, 1}, {0}, {0}, {0}, {0}, 0},
      {2, 32, 96, {9, 9}, {3, 3}, {0}, {0}, {1, 1}, {1, 1}, 2},
      {1, 24, 48, {9, 9}, {3, 3}, {2, 2}, {0}, {1, 1}, {1, 1}, 24}};
  for (size_t m = 0; m < COUNT(models); m++)
    for (size_t c = 0; c < COUNT(cases); c++)
      for (int way = 0; way < 2; way++) {
        tsr_conv_desc d = desc_of(&cases[c], TSR_F16, way ? TSR_F32 : TSR_F16);
        if (c % 2) d.post.activation = TSR_RELU;
        check(models[m], d, (c + (size_t)way) % 3 != 0, 1);
      }
}

/* More taps than one chain of fma has. */
static void several_chains(void **unused) {
  (void)unused;
  static const struct layer cases[] = {{2, 512, 48, {7, 7}, {3, 3}, {0}, {0}, {1, 1}, {1, 1}, 0},
                                       {1, 4112, 20, {5, 5}, {1, 1}, {0}, {0}, {0}, {0}, 0},
                                       {1, 1024, 16, {4, 4}, {3, 3}, {0}, {0}, {1, 1}, {1, 1}, 0},
                                       {1, 8208, 300, {1, 3}, {1, 3}, {0}, {0}, {0, 1}, {0, 1}, 0},
                                       {1, 1152, 64, {5, 4}, {2, 2}, {0}, {0}, {1, 1}, {1, 1}, 2}};
  for (size_t m = 0; m < COUNT(models); m++)
    for (size_t c = 0; c < COUNT(cases); c++)
      for (int way = 0; way < 2; way++) {
        tsr_conv_desc d = desc_of(&cases[c], c == 2 ? TSR_BF16 : TSR_F16, way ? TSR_F32 : c == 2 ? TSR_BF16 : TSR_F16);
        if (way) d.post.activation = TSR_RELU;
        check(models[m], d, way == 0, 1);
      }
}

static void types(void **unused) {
  (void)unused;
  static const struct layer layer = {2, 32, 40, {11, 12}, {3, 3}, {0}, {0}, {1, 1}, {1, 1}, 0};
  for (size_t m = 0; m < COUNT(models); m++)
    for (int way = 0; way < 4; way++) {
      tsr_conv_desc d = desc_of(&layer, TSR_BF16, way & 1 ? TSR_F32 : TSR_BF16);
      if (way & 2) d.post.activation = TSR_RELU;
      check(models[m], d, true, 1);
    }
}

/* Large enough for many tiles a core, weights that stay and weights that pass by. */
static void large(void **unused) {
  (void)unused;
  static const struct layer cases[] = {{2, 64, 64, {56, 56}, {3, 3}, {0}, {0}, {1, 1}, {1, 1}, 0},
                                       {1, 128, 512, {28, 28}, {1, 1}, {0}, {0}, {0}, {0}, 0},
                                       {2, 256, 256, {14, 14}, {3, 3}, {0}, {0}, {1, 1}, {1, 1}, 0},
                                       {1, 16, 16, {100, 300}, {9, 9}, {0}, {0}, {4, 4}, {4, 4}, 0}};
  for (size_t m = 0; m < COUNT(models); m++)
    for (size_t c = 0; c < COUNT(cases); c++)
      check(models[m], desc_of(&cases[c], TSR_F16, TSR_F16), c % 2, 37);
}

/* In any legal order, and on either chip, the same bits. */
static void orders(void **unused) {
  (void)unused;
  static const struct layer cases[] = {{2, 64, 96, {12, 12}, {3, 3}, {0}, {0}, {1, 1}, {1, 1}, 0},
                                       {1, 512, 40, {7, 7}, {3, 3}, {0}, {0}, {1, 1}, {1, 1}, 0}};
  for (size_t c = 0; c < COUNT(cases); c++)
    for (int i = 0; i < 6; i++) {
      char name[64];
      snprintf(name, sizeof name, "accel:%s,races,shuffle=%d", i % 2 ? "310p" : "910b", 1 + i / 2);
      check(name, desc_of(&cases[c], TSR_F16, TSR_F16), true, 1);
    }
}

/* What a NaN and an infinity reach: the outputs under whose taps they are. (In w, where there is padding, also those
 * whose tap is padding, 0 times the weight: doc/conv-devices.md.) */
static void values_that_are_not_finite(void **unused) {
  (void)unused;
  static const struct layer layer = {1, 16, 32, {9, 9}, {3, 3}, {0}, {0}, {0}, {0}, 0};
  tsr_conv_desc d = desc_of(&layer, TSR_F16, TSR_F16);
  struct tensors t = make(&d);
  put(t.x, 100, TSR_F16, INFINITY);
  put(t.x, 700, TSR_F16, NAN);
  put(t.w, 40, TSR_F16, -INFINITY);
  tsr_context *context = open_device(models[0]);
  compute(context, &d, &t, true);
  tsr_context_destroy(context);
  compare(&d, &t, true, 1, "not finite");
  drop(&t);
}

/* Calls follow one another, of different shapes and operators, on the same cores. */
static void calls_follow_one_another(void **unused) {
  (void)unused;
  enum { N = 32, BYTES = N * N * 2 };
  for (size_t m = 0; m < COUNT(models); m++) {
    static const struct layer layer = {1, N, N, {1, N}, {1, 1}, {0}, {0}, {0}, {0}, 0};
    tsr_conv_desc d = desc_of(&layer, TSR_F16, TSR_F16);
    tsr_gemm_desc g = TSR_GEMM_DESC;
    tsr_context *context = open_device(models[m]);
    struct tensors t = make(&d);
    uint16_t unit[N * N] = {0}, got[N * N], straight[N * N];
    for (int i = 0; i < N; i++) put(unit, i * N + i, TSR_F16, 1);
    g.type = g.type_c = TSR_F16;
    g.m = g.n = g.k = g.lda = g.ldb = g.ldc = N;
    void *x = upload(context, t.x, BYTES), *w = upload(context, t.w, BYTES), *one = upload(context, unit, BYTES);
    void *a = upload(context, unit, BYTES), *b = upload(context, unit, BYTES);
    assert_ok(tsr_gemm(context, &g, x, one, a));
    assert_ok(tsr_conv_on_device(context, &d, a, w, NULL, b));
    assert_ok(tsr_gemm(context, &g, b, one, a));
    assert_ok(tsr_conv_on_device(context, &d, x, w, NULL, b));
    assert_ok(tsr_copy_from_device(context, got, a, BYTES));
    assert_ok(tsr_copy_from_device(context, straight, b, BYTES));
    assert_memory_equal(got, straight, BYTES);
    drop(&t);
    tsr_context_destroy(context);
  }
}

static void expect(tsr_status expected, const char *field, tsr_context *context, const tsr_conv_desc *d, void *x) {
  tsr_status status = tsr_conv_on_device(context, d, x, x, NULL, x);
  if (status != expected) fail_msg("%s: status %d", field, status);
  if (!strstr(tsr_last_error(), field)) fail_msg("%s is not in: %s", field, tsr_last_error());
}

static void what_is_not_served(void **unused) {
  (void)unused;
  static const struct layer layer = {1, 16, 16, {8, 8}, {3, 3}, {0}, {0}, {1, 1}, {1, 1}, 0};
  tsr_context *context = open_device("accel:910b");
  const tsr_conv_desc good = desc_of(&layer, TSR_F16, TSR_F16);
  float factor = 1;
  void *x = NULL;
  assert_ok(tsr_device_alloc(context, 1 << 16, &x));
  tsr_conv_desc d;
#define EXPECT(field, change) d = good, change, expect(TSR_UNSUPPORTED, field, context, &d, x)
  EXPECT("dims", d.dims = 3);
  EXPECT("transposed", d.transposed = 1);
  EXPECT("layout_x", d.layout_x = TSR_CHANNELS_FIRST);
  EXPECT("layout_w", d.layout_w = TSR_CHANNELS_FIRST);
  EXPECT("layout_y", d.layout_y = TSR_CHANNELS_FIRST);
  EXPECT("type_x", d.type_x = d.type_w = d.type_y = TSR_F32);
  EXPECT("type_y", d.type_y = TSR_BF16);
  EXPECT("plan", d.plan = "something");
  EXPECT("post.scale", d.post.scale = &factor);
  EXPECT("post.add", d.post.add = x);
  EXPECT("post.activation", d.post.activation = TSR_GELU);
  EXPECT("kernel", d.kernel[0] = 256);
  EXPECT("stride", d.stride[1] = 256);
  EXPECT("dilation", d.dilation[0] = 300);
  EXPECT("pad_begin", d.pad_begin[0] = 256);
  EXPECT("channels", (d.channels = 20, d.kernel[0] = d.kernel[1] = 15));
#undef EXPECT
  d = good;
  expect(TSR_INVALID_ARGUMENT, "x: ", context, &d, (char *)x + 1);
  expect(TSR_INVALID_ARGUMENT, "x: ", context, &d, &d);
  d.batch = 0;
  assert_ok(tsr_conv_on_device(context, &d, NULL, NULL, NULL, NULL));
  tsr_context_destroy(context);
}

/* `warm`: called for the second time, when what L2 has room for is there. */
static double share_of(const char *device, const struct layer *layer, bool warm) {
  tsr_context *context = open_device(device);
  tsr_conv_desc d = desc_of(layer, TSR_F16, TSR_F16);
  tsr_event *from = NULL, *to = NULL;
  void *x = NULL, *w = NULL, *y = NULL;
  double seconds, macs = (double)(d.filters * d.channels * d.kernel[0] * d.kernel[1]);
  assert_ok(tsr_device_alloc(context, (size_t)(d.batch * d.in[0] * d.in[1] * d.channels * 2), &x));
  assert_ok(tsr_device_alloc(context, (size_t)macs * 2, &w));
  assert_ok(tsr_device_alloc(context, (size_t)(d.batch * d.out[0] * d.out[1] * d.filters * 2), &y));
  assert_ok(tsr_event_create(context, &from));
  assert_ok(tsr_event_create(context, &to));
  if (warm) assert_ok(tsr_conv_on_device(context, &d, x, w, NULL, y));
  assert_ok(tsr_event_record(from));
  assert_ok(tsr_conv_on_device(context, &d, x, w, NULL, y));
  assert_ok(tsr_event_record(to));
  assert_ok(tsr_synchronize(context));
  assert_ok(tsr_event_seconds(from, to, &seconds));
  const struct accel_params *p = accel_machine_params(accel_device_machine(context->device));
  double share = 2 * macs * (double)(d.batch * d.out[0] * d.out[1]) / seconds / (p->cores * p->ghz * 8192e9);
  tsr_event_destroy(from);
  tsr_event_destroy(to);
  tsr_context_destroy(context);
  return share;
}

static void shares_of_the_peak(void **unused) {
  (void)unused;
  static const struct layer cases[] = {{8, 64, 64, {56, 56}, {3, 3}, {0}, {0}, {1, 1}, {1, 1}, 0},
                                       {8, 128, 128, {28, 28}, {3, 3}, {0}, {0}, {1, 1}, {1, 1}, 0},
                                       {8, 256, 256, {14, 14}, {3, 3}, {0}, {0}, {1, 1}, {1, 1}, 0},
                                       {8, 512, 512, {7, 7}, {3, 3}, {0}, {0}, {1, 1}, {1, 1}, 0}};
  static const char *const devices[] = {"accel:910b,time-only", "accel:310p,time-only"};
  static const double least[][4] = {{0.66, 0.59, 0.64, 0.48}, {0.64, 0.81, 0.71, 0.61}};
  for (size_t m = 0; m < COUNT(devices); m++)
    for (size_t c = 0; c < COUNT(cases); c++) {
      double share = share_of(devices[m], &cases[c], false), warm = share_of(devices[m], &cases[c], true);
      printf("%.10s 3x3, %lld channels @ %lld, batch 8: %.1f %% of the cubes' peak, from L2 %.1f %%\n", devices[m],
             (long long)cases[c].channels, (long long)cases[c].in[0], 100 * share, 100 * warm);
      assert_true(share >= least[m][c] && share < warm && warm < 1);
    }
}

int main(void) {
  const char *seed = getenv("TESSERA_TEST_SEED");
  if (seed) state = strtoull(seed, NULL, 0) | 1;
  printf("seed %llu (set TESSERA_TEST_SEED to change it)\n", (unsigned long long)state);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(layers), cmocka_unit_test(several_chains), cmocka_unit_test(types), cmocka_unit_test(large),
      cmocka_unit_test(orders), cmocka_unit_test(values_that_are_not_finite),
      cmocka_unit_test(calls_follow_one_another), cmocka_unit_test(what_is_not_served),
      cmocka_unit_test(shares_of_the_peak)};
  return cmocka_run_group_tests_name("convolution on devices", tests, NULL, NULL);
}
