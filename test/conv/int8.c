/* Convolution of integers against its definition, exactly: sums of (x - zero_x) (w - zero_w) over the taps that count,
 * then what follows them, in f32. x lies before a forbidden page, y between painted bytes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "tessera/tessera.h"

static uint64_t state;
static int64_t pick(int64_t low, int64_t high) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return low + (int64_t)((state >> 33) % (uint64_t)(high - low + 1));
}
static bool once_in(int n) { return pick(1, n) == 1; }

/* Memory whose last byte lies before a forbidden page. */
struct block {
  char *all, *at;
  size_t whole, bytes;
};

static struct block block_of(int64_t bytes) {
  struct block b = {.whole = ((size_t)bytes / 4096 + 2) * 4096, .bytes = (size_t)bytes};
  b.all = mmap(NULL, b.whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(b.all != MAP_FAILED);
  assert_int_equal(mprotect(b.all + b.whole - 4096, 4096, PROT_NONE), 0);
  b.at = b.all + b.whole - 4096 - bytes;
  memset(b.all, 0x5a, b.whole - 4096);
  return b;
}

static struct block random_block(int64_t bytes) {
  struct block b = block_of(bytes);
  bool extreme = once_in(6);
  for (int64_t i = 0; i < bytes; i++) b.at[i] = (char)(extreme ? (once_in(2) ? 0x80 : 0xff) : pick(0, 255));
  return b;
}

static void give_back(struct block *b) {
  for (char *c = b->all; c < b->at; c++) assert_int_equal(*c, 0x5a);
  munmap(b->all, b->whole);
}

struct problem {
  tsr_conv_desc d;
  int64_t pixels_in, pixels_out, taps; /* taps: of the kernel */
  int64_t sizes[6][3]; /* in, out, kernel, stride, dilation, pad, of three dimensions */
  struct block x, w, y, add;
  int32_t *bias, *zero_w;
  float *scale;
};

enum { IN, OUT, KERNEL, STRIDE, DILATION, PAD };

static void choose_sizes(struct problem *p, bool transposed, int most) {
  tsr_conv_desc *d = &p->d;
  d->transposed = transposed;
  d->dims = (int)pick(1, 3);
  d->batch = pick(1, 2);
  d->groups = once_in(3) ? pick(2, 5) : 1;
  int64_t channels = once_in(3) ? 1 : pick(1, most), filters = once_in(3) ? 1 : pick(1, most);
  d->channels = channels * d->groups;
  d->filters = filters * d->groups;
  for (int i = 0; i < d->dims; i++) {
    int64_t reach;
    bool wide = i == d->dims - 1;
    d->kernel[i] = once_in(3) ? 1 : pick(1, wide ? 5 : 3);
    d->stride[i] = once_in(2) ? 1 : pick(1, 3);
    d->dilation[i] = once_in(2) ? 1 : pick(1, 3);
    reach = d->dilation[i] * (d->kernel[i] - 1);
    d->pad_begin[i] = once_in(2) ? 0 : pick(0, reach);
    d->pad_end[i] = once_in(2) ? 0 : pick(0, reach);
    int64_t least = transposed ? (d->pad_begin[i] + d->pad_end[i]) / d->stride[i] + 2 : reach + 1;
    d->in[i] = least + pick(0, wide ? 40 / d->dims : 5);
  }
  assert_int_equal(tsr_conv_set_out(d), TSR_OK);
}

static void choose_types(struct problem *p) {
  static const tsr_type types_y[] = {TSR_S32, TSR_F32, TSR_U8, TSR_S8};
  tsr_conv_desc *d = &p->d;
  d->type_x = once_in(2) ? TSR_U8 : TSR_S8;
  d->type_w = TSR_S8;
  d->type_y = types_y[pick(0, 3)];
  d->layout_x = once_in(2);
  d->layout_w = once_in(2);
  d->layout_y = once_in(2);
  if (once_in(2)) d->zero_x = (int32_t)(d->type_x == TSR_U8 ? pick(0, 255) : pick(-128, 127));
  if (once_in(3)) {
    d->zeros_w = once_in(2) ? 1 : d->filters;
    d->zero_w = p->zero_w;
  }
  if (d->type_y == TSR_S32) return;
  if (once_in(2)) {
    d->post.scale = p->scale;
    d->post.scales = once_in(2) ? 1 : d->filters;
  }
  if (d->type_y == TSR_F32 && once_in(2)) d->post.add = p->add.at;
  if (d->type_y == TSR_U8) d->zero_y = (int32_t)pick(0, 255);
  if (d->type_y == TSR_S8) d->zero_y = (int32_t)pick(-128, 127);
  if (once_in(2)) {
    d->post.activation = (tsr_activation)pick(TSR_RELU, TSR_LEAKY_RELU);
    d->post.low = -3.5;
    d->post.high = 41.25;
    d->post.slope = 0.125;
  }
}

static int64_t size_of(tsr_type type) { return type == TSR_S32 || type == TSR_F32 ? 4 : 1; }

static void make(struct problem *p, bool transposed, int most) {
  *p = (struct problem){.d = TSR_CONV_DESC};
  tsr_conv_desc *d = &p->d;
  choose_sizes(p, transposed, most);
  p->pixels_in = p->pixels_out = p->taps = 1;
  for (int i = 0; i < 3; i++) {
    int at = i - (3 - d->dims);
    const int64_t *from[] = {d->in, d->out, d->kernel, d->stride, d->dilation, d->pad_begin};
    for (int s = 0; s < 6; s++) p->sizes[s][i] = at < 0 ? s != PAD : from[s][at];
    p->pixels_in *= p->sizes[IN][i];
    p->pixels_out *= p->sizes[OUT][i];
    p->taps *= p->sizes[KERNEL][i];
  }
  int64_t elements = d->batch * d->filters * p->pixels_out;
  p->x = random_block(d->batch * d->channels * p->pixels_in);
  p->w = random_block(d->filters * d->channels / d->groups * p->taps);
  p->bias = malloc((size_t)d->filters * 4);
  p->zero_w = malloc((size_t)d->filters * 4);
  p->scale = malloc((size_t)d->filters * 4);
  p->add = block_of(elements * 4);
  for (int64_t i = 0; i < d->filters; i++) {
    p->bias[i] = (int32_t)pick(-100000, 100000);
    p->zero_w[i] = (int32_t)pick(-128, 127);
    p->scale[i] = (float)pick(1, 1000) * 0x1p-18f;
  }
  if (once_in(5)) p->scale[d->filters - 1] = 0.75f;
  for (int64_t i = 0; i < elements; i++) ((float *)(void *)p->add.at)[i] = (float)pick(-999, 999) * 0.25f;
  choose_types(p);
  p->y = block_of(elements * size_of(d->type_y));
}

static void give_all_back(struct problem *p) {
  give_back(&p->x);
  give_back(&p->w);
  give_back(&p->y);
  give_back(&p->add);
  free(p->bias);
  free(p->zero_w);
  free(p->scale);
}

/* x of a channel, less its zero point. */
static int64_t x_at(const struct problem *p, int64_t n, int64_t pixel, int64_t c) {
  const tsr_conv_desc *d = &p->d;
  int64_t at = d->layout_x == TSR_CHANNELS_LAST ? (n * p->pixels_in + pixel) * d->channels + c
                                                : (n * d->channels + c) * p->pixels_in + pixel;
  int x = d->type_x == TSR_U8 ? (unsigned char)p->x.at[at] : (signed char)p->x.at[at];
  return x - d->zero_x;
}

/* w of filter k (of all), tap t, channel c of the group, less its zero point. */
static int64_t w_at(const struct problem *p, int64_t k, int64_t t, int64_t c) {
  const tsr_conv_desc *d = &p->d;
  int64_t cg = d->channels / d->groups, kg = d->filters / d->groups, g = k / kg, outer = k, inner = c, inners = cg;
  if (d->transposed) outer = g * cg + c, inner = k % kg, inners = kg;
  int64_t at = d->layout_w == TSR_CHANNELS_LAST ? (outer * p->taps + t) * inners + inner
                                                : (outer * inners + inner) * p->taps + t;
  return (signed char)p->w.at[at] - (d->zero_w ? p->zero_w[d->zeros_w == 1 ? 0 : k] : 0);
}

/* The input of output o by tap t in dimension i; -1 if that does not count. */
static int64_t input_of(const struct problem *p, int i, int64_t o, int64_t t) {
  int64_t at = t * p->sizes[DILATION][i] - p->sizes[PAD][i], input;
  if (!p->d.transposed) {
    input = o * p->sizes[STRIDE][i] + at;
  } else {
    if ((o - at) % p->sizes[STRIDE][i] != 0) return -1;
    input = (o - at) / p->sizes[STRIDE][i];
  }
  return input < 0 || input >= p->sizes[IN][i] ? -1 : input;
}

static int32_t sum_of(const struct problem *p, int64_t n, int64_t pixel, int64_t k) {
  const tsr_conv_desc *d = &p->d;
  const int64_t *out = p->sizes[OUT], *kernel = p->sizes[KERNEL], *in = p->sizes[IN];
  int64_t cg = d->channels / d->groups, g = k / (d->filters / d->groups), o[3], sum = p->bias ? p->bias[k] : 0;
  o[2] = pixel % out[2], o[1] = pixel / out[2] % out[1], o[0] = pixel / out[2] / out[1];
  for (int64_t t = 0; t < p->taps; t++) {
    int64_t tap[3] = {t / kernel[2] / kernel[1], t / kernel[2] % kernel[1], t % kernel[2]}, at = 0;
    for (int i = 0; i < 3 && at >= 0; i++) {
      int64_t input = input_of(p, i, o[i], tap[i]);
      at = input < 0 ? -1 : at * in[i] + input;
    }
    for (int64_t c = 0; at >= 0 && c < cg; c++) sum += x_at(p, n, at, g * cg + c) * w_at(p, k, t, c);
  }
  return (int32_t)(uint32_t)(uint64_t)sum;
}

static float finish(const struct problem *p, int32_t sum, int64_t k, int64_t at) {
  const tsr_post_ops *post = &p->d.post;
  float y = (float)sum;
  if (post->scale) y = y * p->scale[post->scales == 1 ? 0 : k];
  if (post->add) y = y + ((float *)(void *)p->add.at)[at];
  if (post->activation == TSR_RELU) y = y < 0 ? 0 : y;
  if (post->activation == TSR_CLIP) y = y < -3.5f ? -3.5f : y > 41.25f ? 41.25f : y;
  if (post->activation == TSR_LEAKY_RELU) y = y < 0 ? y * 0.125f : y;
  return y;
}

/* Round, zero point, saturation. */
static int quantised(const struct problem *p, float y) {
  double low = p->d.type_y == TSR_U8 ? 0 : -128, rounded = (double)rintf(y) + p->d.zero_y;
  return (int)(rounded < low ? low : rounded > low + 255 ? low + 255 : rounded);
}

static void check(const struct problem *p) {
  const tsr_conv_desc *d = &p->d;
  for (int64_t n = 0; n < d->batch; n++)
    for (int64_t pixel = 0; pixel < p->pixels_out; pixel++)
      for (int64_t k = 0; k < d->filters; k++) {
        int64_t at = d->layout_y == TSR_CHANNELS_LAST ? (n * p->pixels_out + pixel) * d->filters + k
                                                      : (n * d->filters + k) * p->pixels_out + pixel;
        int32_t sum = sum_of(p, n, pixel, k);
        const char *y = p->y.at + at * size_of(d->type_y);
        if (d->type_y == TSR_S32)
          assert_int_equal(*(const int32_t *)(const void *)y, sum);
        else if (d->type_y == TSR_F32)
          assert_true(*(const float *)(const void *)y == finish(p, sum, k, at));
        else
          assert_int_equal(d->type_y == TSR_U8 ? (unsigned char)*y : (signed char)*y,
                           quantised(p, finish(p, sum, k, at)));
      }
}

/* By a call, and by a plan whose weights are gone. */
static void compute(tsr_context *context, struct problem *p) {
  if (once_in(2)) {
    assert_int_equal(tsr_conv(context, &p->d, p->x.at, p->w.at, p->bias, p->y.at), TSR_OK);
    return;
  }
  tsr_conv_plan *plan;
  void *workspace = NULL;
  assert_int_equal(tsr_conv_plan_create(context, &p->d, p->w.at, p->bias, &plan), TSR_OK);
  mprotect(p->w.all, p->w.whole, PROT_NONE);
  size_t bytes = tsr_conv_plan_workspace(plan);
  if (bytes) assert_int_equal(posix_memalign(&workspace, 64, bytes), 0);
  if (bytes) memset(workspace, 0xa5, bytes);
  assert_int_equal(tsr_conv_run(plan, p->x.at, p->d.post.add ? p->add.at : NULL, p->y.at, workspace), TSR_OK);
  tsr_conv_plan_destroy(plan);
  free(workspace);
  mprotect(p->w.all, p->w.whole - 4096, PROT_READ | PROT_WRITE);
}

static void test_many(const char *isa, bool transposed, int most, int cases) {
  tsr_context *context;
  assert_int_equal(tsr_context_create(isa, &context), TSR_OK);
  for (int i = 0; i < cases; i++) {
    struct problem p;
    state = (uint64_t)i * 7919 + (uint64_t)most + transposed;
    make(&p, transposed, most);
    if (once_in(3)) {
      free(p.bias);
      p.bias = NULL;
    }
    assert_int_equal(tsr_set_num_threads(context, (int)pick(1, 3)), TSR_OK);
    compute(context, &p);
    check(&p);
    give_all_back(&p);
  }
  tsr_context_destroy(context);
}

static int factor = 1;

static void few_channels(void **unused) {
  (void)unused;
  test_many(NULL, false, 9, 500 * factor);
}
static void more_channels(void **unused) {
  (void)unused;
  test_many(NULL, false, 80, 60 * factor);
}
static void transposed(void **unused) {
  (void)unused;
  test_many(NULL, true, 20, 300 * factor);
}
static void plain_c(void **unused) {
  (void)unused;
  test_many("generic", false, 12, 100 * factor);
  test_many("generic", true, 12, 100 * factor);
}

/* So many weights that panels of them take turns, on several threads. */
static void make_large(struct problem *p, int number) {
  tsr_conv_desc *d = &p->d;
  int64_t pad = pick(0, 1), size = pick(3, 7);
  *p = (struct problem){.d = TSR_CONV_DESC, .pixels_in = size * size, .taps = 9};
  d->channels = 509 + number % 4;
  d->filters = 300 + pick(0, 40);
  for (int i = 0; i < 2; i++) d->in[i] = size, d->kernel[i] = 3, d->pad_begin[i] = d->pad_end[i] = pad;
  assert_int_equal(tsr_conv_set_out(d), TSR_OK);
  p->pixels_out = d->out[0] * d->out[1];
  for (int i = 0; i < 3; i++) {
    const int64_t sizes[] = {size, d->out[0], 3, 1, 1, pad};
    for (int s = 0; s < 6; s++) p->sizes[s][i] = i == 0 ? s != PAD : sizes[s];
  }
  p->x = random_block(d->channels * p->pixels_in);
  p->w = random_block(d->filters * d->channels * p->taps);
  p->scale = malloc((size_t)d->filters * 4);
  p->zero_w = malloc((size_t)d->filters * 4);
  for (int64_t k = 0; k < d->filters; k++) p->scale[k] = 0x1p-17f, p->zero_w[k] = (int32_t)pick(-3, 3);
  p->add = block_of(d->filters * p->pixels_out * 4);
  memset(p->add.at, 0, p->add.bytes);
  choose_types(p);
  p->y = block_of(d->filters * p->pixels_out * size_of(d->type_y));
}

static void many_weights(void **unused) {
  tsr_context *context;
  (void)unused;
  assert_int_equal(tsr_context_create(NULL, &context), TSR_OK);
  for (int i = 0; i < 4 * factor; i++) {
    struct problem p;
    state = (uint64_t)i;
    make_large(&p, i);
    assert_int_equal(tsr_set_num_threads(context, 1 + i % 3), TSR_OK);
    compute(context, &p);
    check(&p);
    give_all_back(&p);
  }
  tsr_context_destroy(context);
}

/* Sums that wrap, values far beyond what u8 and s8 hold, ties. */
static void saturation(void **unused) {
  (void)unused;
  enum { CHANNELS = 4 };
  tsr_conv_desc d = TSR_CONV_DESC;
  unsigned char x[CHANNELS] = {255, 255, 255, 255}, y;
  signed char w[CHANNELS] = {127, 127, 127, 127}, z;
  float half = 0.5f;
  int32_t bias = INT32_MAX, sum;
  d.type_x = TSR_U8, d.type_w = TSR_S8, d.type_y = TSR_S32;
  d.channels = CHANNELS, d.filters = 1;
  assert_int_equal(tsr_conv_set_out(&d), TSR_OK);
  assert_int_equal(tsr_conv(NULL, &d, x, w, &bias, &sum), TSR_OK);
  assert_int_equal(sum, (int32_t)((uint32_t)INT32_MAX + 4u * 255 * 127));
  d.type_y = TSR_U8;
  assert_int_equal(tsr_conv(NULL, &d, x, w, NULL, &y), TSR_OK);
  assert_int_equal(y, 255);
  d.type_y = TSR_S8;
  memset(w, -128, sizeof w);
  assert_int_equal(tsr_conv(NULL, &d, x, w, NULL, &z), TSR_OK);
  assert_int_equal(z, -128);
  memset(w, 0, sizeof w);
  d.post.scale = &half, d.post.scales = 1;
  for (bias = -5; bias <= 5; bias++) {
    assert_int_equal(tsr_conv(NULL, &d, x, w, &bias, &z), TSR_OK);
    assert_int_equal(z, (int)rintf((float)bias / 2)); /* to even */
  }
}

/* Products of s8: every order, alpha and beta, a bias, by calls and by plans of more rows. */
static void products(void **unused) {
  (void)unused;
  for (int i = 0; i < 200 * factor; i++) {
    tsr_gemm_desc d = TSR_GEMM_DESC;
    state = (uint64_t)i * 31 + 7;
    d.type = TSR_S8;
    d.order = once_in(2) ? TSR_ROW_MAJOR : TSR_COL_MAJOR;
    d.trans_a = once_in(2) ? TSR_TRANS : TSR_NO_TRANS;
    d.trans_b = once_in(2) ? TSR_TRANS : TSR_NO_TRANS;
    d.m = pick(1, 60), d.n = pick(1, 90), d.k = once_in(9) ? 0 : pick(1, 100);
    bool across_a = (d.order == TSR_ROW_MAJOR) == (d.trans_a == TSR_NO_TRANS);
    bool across_b = (d.order == TSR_ROW_MAJOR) == (d.trans_b == TSR_NO_TRANS), across = d.order == TSR_ROW_MAJOR;
    d.lda = (across_a ? d.k : d.m) + pick(0, 3) + (d.k == 0), d.ldb = (across_b ? d.n : d.k) + pick(0, 3) + (d.k == 0);
    d.ldc = (across ? d.n : d.m) + pick(0, 3);
    if (once_in(2)) d.alpha = (double)pick(-3, 3);
    struct block a = random_block(d.lda * (across_a ? d.m : d.k)), b = random_block(d.ldb * (across_b ? d.k : d.n));
    struct block c = random_block(4 * d.ldc * (across ? d.m : d.n)), bias = random_block(4 * d.n);
    if (once_in(2)) d.bias = bias.at;
    else if (once_in(2)) d.beta = (double)pick(-3, 3);
    char *before = malloc(c.bytes);
    memcpy(before, c.at, c.bytes);
    int64_t rows = d.m;
    if (d.beta == 0 && once_in(2)) {
      tsr_gemm_plan *plan;
      void *workspace = NULL;
      if (across && across_a) d.m += pick(0, 20); /* other leading dimensions would be too short */
      assert_int_equal(tsr_gemm_plan_create(NULL, &d, b.at, &plan), TSR_OK);
      size_t bytes = tsr_gemm_plan_workspace(plan);
      if (bytes) assert_int_equal(posix_memalign(&workspace, 64, bytes), 0);
      assert_int_equal(tsr_gemm_run(plan, rows, a.at, NULL, c.at, workspace), TSR_OK);
      tsr_gemm_plan_destroy(plan);
      free(workspace);
    } else {
      assert_int_equal(tsr_gemm(NULL, &d, a.at, b.at, c.at), TSR_OK);
    }
    for (int64_t r = 0; r < rows; r++)
      for (int64_t j = 0; j < d.n; j++) {
        int64_t at = across ? r * d.ldc + j : j * d.ldc + r;
        uint32_t s = 0, y = d.bias ? ((const uint32_t *)(const void *)bias.at)[j] : 0;
        for (int64_t p = 0; p < d.k; p++)
          s += (uint32_t)((signed char)a.at[across_a ? r * d.lda + p : p * d.lda + r] *
                          (signed char)b.at[across_b ? p * d.ldb + j : j * d.ldb + p]);
        y += (uint32_t)(int64_t)d.alpha * s + (uint32_t)(int64_t)d.beta * ((const uint32_t *)(const void *)before)[at];
        assert_int_equal(((const uint32_t *)(const void *)c.at)[at], y);
      }
    free(before);
    give_back(&a), give_back(&b), give_back(&c), give_back(&bias);
  }
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "slow") == 0) factor = 20;
  const struct CMUnitTest tests[] = {cmocka_unit_test(few_channels), cmocka_unit_test(more_channels),
                                     cmocka_unit_test(transposed),   cmocka_unit_test(plain_c),
                                     cmocka_unit_test(many_weights), cmocka_unit_test(saturation),
                                     cmocka_unit_test(products)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
