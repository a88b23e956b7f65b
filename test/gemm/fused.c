/* Products with a bias, with what follows, of 16 bits, and with B packed once: the bits of the loop of tessera.h, for
 * every layout, chip and thread count; plans give the same bits, allocate nothing and stay inside their workspace. */
#include <math.h>

#include "kernels/half.h"
#include "test/gemm/gemm_test.h"

#define SIZE 96 /* of a side, at most */

static double get(tsr_type type, const void *at, int64_t i) {
  switch (type) {
    case TSR_F64: return ((const double *)at)[i];
    case TSR_F32: return ((const float *)at)[i];
    case TSR_F16: return tsr_from_f16(((const uint16_t *)at)[i]);
    default: return tsr_from_bf16(((const uint16_t *)at)[i]);
  }
}

static void put(tsr_type type, void *at, int64_t i, double x) {
  switch (type) {
    case TSR_F64: ((double *)at)[i] = x; return;
    case TSR_F32: ((float *)at)[i] = (float)x; return;
    case TSR_F16: ((uint16_t *)at)[i] = tsr_to_f16((float)x); return;
    default: ((uint16_t *)at)[i] = tsr_to_bf16((float)x);
  }
}

/* A random product and its operands. */
struct product {
  tsr_gemm_desc d;
  tsr_post_ops post;
  int64_t bytes_c;
  char *a, *b, *c, *add, *want;
  double bias[SIZE], scale[SIZE]; /* of the type computed in */
  const char *isa;
};

static tsr_type type_of_c(const tsr_gemm_desc *d) { return d->type_c ? d->type_c : d->type; }
static bool down(const tsr_gemm_desc *d, tsr_trans trans) { return (d->order == TSR_COL_MAJOR) == (trans == TSR_NO_TRANS); }

static char *numbers(struct rng *rng, tsr_type type, int64_t n) {
  char *at = calloc((size_t)n + 1, 8);
  for (int64_t i = 0; i < n; i++) put(type, at, i, (double)(rng_below(rng, 2001) - 1000) / 1000);
  return at;
}

static int64_t some(struct rng *rng, int64_t most) {
  return rng_below(rng, 4) ? 1 + rng_below(rng, most) : 1 + rng_below(rng, 3);
}

static void draw_sizes(struct rng *rng, tsr_gemm_desc *d) {
  static const tsr_type types[] = {TSR_F32, TSR_F64, TSR_F16, TSR_BF16};
  *d = (tsr_gemm_desc)TSR_GEMM_DESC;
  d->type = types[rng_below(rng, 4)];
  if (d->type != TSR_F64 && d->type != TSR_F32 && rng_below(rng, 2)) d->type_c = TSR_F32;
  d->m = some(rng, SIZE);
  d->n = some(rng, SIZE);
  d->k = rng_below(rng, 5) ? rng_below(rng, 80) : 250 + rng_below(rng, 600);
  if (rng_below(rng, 40) == 0) d->k = 4090 + rng_below(rng, 20);
  d->order = rng_below(rng, 2) ? TSR_ROW_MAJOR : TSR_COL_MAJOR;
  d->trans_a = rng_below(rng, 2) ? TSR_TRANS : TSR_NO_TRANS;
  d->trans_b = rng_below(rng, 2) ? TSR_TRANS : TSR_NO_TRANS;
  d->lda = (down(d, d->trans_a) ? d->m : d->k) + rng_below(rng, 3) + (d->k == 0);
  d->ldb = (down(d, d->trans_b) ? d->k : d->n) + rng_below(rng, 3) + (d->k == 0);
  d->ldc = (down(d, TSR_NO_TRANS) ? d->m : d->n) + rng_below(rng, 3);
}

static void draw_post(struct rng *rng, struct product *p) {
  tsr_type real = p->d.type == TSR_F64 ? TSR_F64 : TSR_F32;
  int with = (int)rng_below(rng, 8);
  for (int i = 0; i < SIZE; i++) {
    put(real, p->bias, i, (double)(rng_below(rng, 2001) - 1000) / 500);
    put(real, p->scale, i, (double)(rng_below(rng, 2001) - 1000) / 500);
  }
  p->d.alpha = rng_below(rng, 2) ? 1 : (double)(rng_below(rng, 5) - 2) / 2;
  p->d.beta = with & 1 ? 0 : (double)(rng_below(rng, 3) - 1) * 0.75;
  if (with & 1) p->d.bias = p->bias;
  p->post = (tsr_post_ops){.activation = (tsr_activation)rng_below(rng, 4), .low = -0.5, .high = 2, .slope = 0.125};
  if (with & 2) p->post.scale = p->scale, p->post.scales = rng_below(rng, 2) ? p->d.n : 1;
  if (with & 4) p->post.add = p->add;
  if (rng_below(rng, 4) || !p->d.bias) p->d.post = &p->post;
}

/* The loop, and what follows, in f32 (f64 for f64): every operation is rounded to `real`. */
static double rounded(tsr_type real, double x) { return real == TSR_F64 ? x : (float)x; }
static double chain(tsr_type real, double a, double b, double c) {
  return real == TSR_F64 ? fma(a, b, c) : (double)fmaf((float)a, (float)b, (float)c);
}

static double sum(const struct product *p, int64_t i, int64_t j, double y) {
  const tsr_gemm_desc *d = &p->d;
  tsr_type real = d->type == TSR_F64 ? TSR_F64 : TSR_F32;
  int64_t kb = d->type == TSR_F32 ? 384 : d->type == TSR_F64 ? 256 : 4096;
  for (int64_t k = 0; d->alpha != 0 && k < d->k;) {
    double s = 0;
    for (int64_t end = k + kb < d->k ? k + kb : d->k; k < end; k++)
      s = chain(real, get(d->type, p->a, down(d, d->trans_a) ? k * d->lda + i : i * d->lda + k),
                get(d->type, p->b, down(d, d->trans_b) ? j * d->ldb + k : k * d->ldb + j), s);
    y = chain(real, d->alpha, s, y);
  }
  return y;
}

static double after(const struct product *p, int64_t at, int64_t j, double y) {
  const tsr_post_ops *post = p->d.post;
  tsr_type real = p->d.type == TSR_F64 ? TSR_F64 : TSR_F32;
  if (!post) return y;
  if (post->scale) y = rounded(real, y * get(real, p->scale, post->scales == 1 ? 0 : j));
  if (post->add) y = rounded(real, y + get(type_of_c(&p->d), p->add, at));
  if (post->activation == TSR_RELU) y = y < 0 ? 0 : y;
  if (post->activation == TSR_CLIP) y = y < post->low ? post->low : y > post->high ? post->high : y;
  if (post->activation == TSR_LEAKY_RELU) y = y < 0 ? rounded(real, post->slope * y) : y;
  return y;
}

static void expect(struct product *p) {
  const tsr_gemm_desc *d = &p->d;
  tsr_type real = d->type == TSR_F64 ? TSR_F64 : TSR_F32;
  memcpy(p->want, p->c, (size_t)p->bytes_c);
  for (int64_t i = 0; i < d->m; i++)
    for (int64_t j = 0; j < d->n; j++) {
      int64_t at = down(d, TSR_NO_TRANS) ? j * d->ldc + i : i * d->ldc + j;
      double y = d->beta == 0 ? 0 : rounded(real, d->beta * get(type_of_c(d), p->c, at));
      if (d->bias) y = get(real, p->bias, j);
      put(type_of_c(d), p->want, at, after(p, at, j, sum(p, i, j, y)));
    }
}

static void draw(struct rng *rng, struct product *p) {
  memset(p, 0, sizeof *p);
  draw_sizes(rng, &p->d);
  tsr_gemm_desc *d = &p->d;
  int64_t n = d->ldc * (down(d, TSR_NO_TRANS) ? d->n : d->m);
  p->bytes_c = n * tsr_size_of(type_of_c(d));
  p->a = numbers(rng, d->type, d->lda * (down(d, d->trans_a) ? d->k : d->m));
  p->b = numbers(rng, d->type, d->ldb * (down(d, d->trans_b) ? d->n : d->k));
  p->c = numbers(rng, type_of_c(d), n);
  p->add = numbers(rng, type_of_c(d), n);
  p->want = calloc((size_t)n + 1, 8);
  draw_post(rng, p);
  expect(p);
}

static void drop(struct product *p) {
  free(p->a);
  free(p->b);
  free(p->c);
  free(p->add);
  free(p->want);
}

static void compare(const struct product *p, const char *c, const char *how) {
  const tsr_gemm_desc *d = &p->d;
  tsr_type type = type_of_c(d);
  for (int64_t i = 0; i < p->bytes_c / tsr_size_of(type); i++)
    if (memcmp(c + i * tsr_size_of(type), p->want + i * tsr_size_of(type), (size_t)tsr_size_of(type)) != 0)
      fail_msg("%s, %s: type %d to %d, order %d, trans %d %d, %lldx%lldx%lld, alpha %g, beta %g, bias %d, activation %d, "
               "scales %lld, add %d: element %lld is %g, not %g", how, p->isa, d->type, type, d->order, d->trans_a,
               d->trans_b, (long long)d->m, (long long)d->n, (long long)d->k, d->alpha, d->beta, d->bias != NULL,
               d->post ? (int)d->post->activation : -1, d->post && d->post->scale ? (long long)d->post->scales : 0,
               d->post && d->post->add, (long long)i, get(type, c, i), get(type, p->want, i));
}

static void run_call(tsr_context *context, const struct product *p) {
  char *c = malloc((size_t)p->bytes_c);
  memcpy(c, p->c, (size_t)p->bytes_c);
  assert_int_equal(tsr_gemm(context, &p->d, p->a, p->b, c), TSR_OK);
  compare(p, c, "call");
  free(c);
}

/* B, bias and scales may go when the plan is made; what lies behind the workspace stays as it is. */
static void run_plan(tsr_context *context, struct product *p) {
  tsr_gemm_plan *plan;
  tsr_type real = p->d.type == TSR_F64 ? TSR_F64 : TSR_F32;
  char *c = malloc((size_t)p->bytes_c);
  void *workspace = NULL;
  memcpy(c, p->c, (size_t)p->bytes_c);
  assert_int_equal(tsr_gemm_plan_create(context, &p->d, p->b, &plan), TSR_OK);
  memset(p->b, 0x7f, (size_t)(tsr_size_of(p->d.type)));
  for (int i = 0; i < SIZE; i++) put(real, p->bias, i, NAN), put(real, p->scale, i, NAN);
  size_t bytes = tsr_gemm_plan_workspace(plan);
  assert_int_equal(posix_memalign(&workspace, 64, bytes + 64), 0);
  memset((char *)workspace + bytes, 0x5a, 64);
  const void *add = p->d.post && p->d.post->add ? p->add : NULL;
  assert_int_equal(tsr_gemm_run(plan, p->d.m, p->a, add, c, workspace), TSR_OK);
  compare(p, c, "plan");
  for (int i = 0; i < 64; i++) assert_int_equal(((unsigned char *)workspace)[bytes + (size_t)i], 0x5a);
  tsr_gemm_plan_destroy(plan);
  free(workspace);
  free(c);
}

static void on_every_chip(void **state) {
  (void)state;
  static const char *const isas[] = {"generic", "avx2", "avx512", "sve"};
  struct rng rng = {test_seed()};
  for (int k = 0; k < COUNT(isas); k++) {
    tsr_context *context;
    if (tsr_context_create(isas[k], &context) != TSR_OK) continue;
    for (int i = 0; i < 150; i++) {
      struct product p;
      draw(&rng, &p);
      p.isa = isas[k];
      tsr_set_num_threads(context, 1 + i % 4);
      run_call(context, &p);
      run_plan(context, &p);
      drop(&p);
    }
    tsr_context_destroy(context);
  }
}

/* One row, and any number of them, by a plan made for many: the bits of a product of that many rows. */
static void fewer_rows(void **state) {
  (void)state;
  enum { M = 40, N = 70, K = 500 };
  struct rng rng = {test_seed()};
  tsr_gemm_desc d = TSR_GEMM_DESC;
  tsr_gemm_plan *plan;
  void *workspace = NULL;
  float *a = (float *)numbers(&rng, TSR_F32, M * K), *b = (float *)numbers(&rng, TSR_F32, K * N);
  float *all = calloc(M * N, 4), *some = calloc(M * N, 4);
  d.m = M, d.n = d.ldb = d.ldc = N, d.k = d.lda = K;
  assert_int_equal(tsr_gemm(NULL, &d, a, b, all), TSR_OK);
  assert_int_equal(tsr_gemm_plan_create(NULL, &d, b, &plan), TSR_OK);
  assert_int_equal(posix_memalign(&workspace, 64, tsr_gemm_plan_workspace(plan) + 64), 0);
  for (int64_t m = 1; m <= M; m++) {
    memset(some, 0, M * N * 4);
    assert_int_equal(tsr_gemm_run(plan, m, a, NULL, some, workspace), TSR_OK);
    assert_memory_equal(some, all, (size_t)(m * N) * 4);
  }
  assert_int_equal(tsr_gemm_run(plan, M + 1, a, NULL, some, workspace), TSR_INVALID_ARGUMENT);
  assert_non_null(strstr(tsr_last_error(), "m is 41"));
  tsr_gemm_plan_destroy(plan);
  free(workspace);
  free(a);
  free(b);
  free(all);
  free(some);
}

static void refuse(const tsr_gemm_desc *d, const char *field) {
  float a[16] = {0}, b[16] = {0}, c[16];
  tsr_gemm_plan *plan = NULL;
  memset(c, 0x5a, sizeof c);
  assert_int_not_equal(tsr_gemm(NULL, d, a, b, c), TSR_OK);
  if (!strstr(tsr_last_error(), field)) fail_msg("\"%s\" does not name %s", tsr_last_error(), field);
  for (size_t i = 0; i < sizeof c; i++) assert_int_equal(((unsigned char *)c)[i], 0x5a);
  assert_int_not_equal(tsr_gemm_plan_create(NULL, d, b, &plan), TSR_OK);
  assert_null(plan);
}

static void bad_fields(void **state) {
  (void)state;
  static const float numbers_of_4[4] = {1, 2, 3, 4};
  tsr_gemm_desc good = TSR_GEMM_DESC, d;
  tsr_post_ops fine = {0}, post;
  good.m = good.n = good.k = good.lda = good.ldb = good.ldc = 4;
  d = good, d.bias = numbers_of_4, d.beta = 1;
  refuse(&d, "bias");
  d = good, d.post = &post;
  post = fine, post.scale = numbers_of_4, post.scales = 3;
  refuse(&d, "post->scales");
  post = fine, post.activation = (tsr_activation)77;
  refuse(&d, "post->activation");
  post = fine, post.activation = TSR_CLIP, post.low = 1, post.high = -1;
  refuse(&d, "post->low");
  d = good, d.type = TSR_F16, d.type_c = TSR_BF16;
  refuse(&d, "type_c");
}

static void batches(void **state) {
  (void)state;
  struct rng rng = {test_seed()};
  tsr_gemm_desc d = TSR_GEMM_DESC;
  tsr_post_ops relu = {.activation = TSR_RELU};
  d.m = 5, d.n = d.ldb = d.ldc = 33, d.k = d.lda = 20, d.post = &relu;
  float *a = (float *)numbers(&rng, TSR_F32, 3 * 5 * 20), *b = (float *)numbers(&rng, TSR_F32, 20 * 33);
  float *c = calloc(3 * 5 * 33, 4), *want = calloc(3 * 5 * 33, 4);
  for (int i = 0; i < 3; i++) assert_int_equal(tsr_gemm(NULL, &d, a + i * 100, b, want + i * 165), TSR_OK);
  assert_int_equal(tsr_gemm_batch_strided(NULL, &d, 3, a, 100, b, 0, c, 165), TSR_OK);
  assert_memory_equal(c, want, 3 * 5 * 33 * 4);
  free(a);
  free(b);
  free(c);
  free(want);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(on_every_chip), cmocka_unit_test(fewer_rows),
                                     cmocka_unit_test(bad_fields), cmocka_unit_test(batches)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
