/* Batches: each product has the bits that tsr_gemm alone gives, for any thread count; bad arguments write nothing. */
#include "test/gemm/gemm_test.h"

/* A batch in one buffer: matrix i of each operand `stride` elements after the one before, C with poison between. */
struct batch {
  int64_t count, stride_a, stride_b, stride_c;
  char *a, *b, *c, *want;
  int64_t c_bytes;
};

static void batch_open(struct batch *batch, struct stage *s, struct gemm_case *g, int64_t count) {
  int64_t size = tsr_size_of(g->d.type), seed = (int64_t)g->seed;
  stage_fill(s, g);
  *batch = (struct batch){count, g->seed % 3 == 1 ? 0 : s->a.elements + 3, g->seed % 3 == 2 ? 0 : s->b.elements + 1,
                          s->c.elements + 2, NULL, NULL, NULL, NULL, 0};
  batch->c_bytes = (count * batch->stride_c + 1) * size;
  batch->a = calloc((size_t)(count * (s->a.elements + 3) + 1), (size_t)size);
  batch->b = calloc((size_t)(count * (s->b.elements + 1) + 1), (size_t)size);
  batch->c = calloc((size_t)batch->c_bytes, 1);
  batch->want = calloc((size_t)batch->c_bytes, 1);
  for (int64_t i = 0; i < count; i++) {
    g->seed = (uint64_t)(seed + 3 * i);
    stage_fill(s, g);
    memcpy(batch->a + i * batch->stride_a * size, s->a.data, (size_t)(s->a.elements * size));
    memcpy(batch->b + i * batch->stride_b * size, s->b.data, (size_t)(s->b.elements * size));
    memcpy(batch->c + i * batch->stride_c * size, s->c.data, (size_t)(s->c.elements * size));
  }
  memcpy(batch->want, batch->c, (size_t)batch->c_bytes);
  for (int64_t i = 0; i < count; i++)
    reference_gemm(&g->d, batch->a + i * batch->stride_a * size, batch->b + i * batch->stride_b * size,
                   batch->want + i * batch->stride_c * size);
}

static void batch_close(struct batch *batch) {
  free(batch->a);
  free(batch->b);
  free(batch->c);
  free(batch->want);
}

static void batch_compare(const struct batch *batch, const struct gemm_case *g, const char *how) {
  int64_t size = tsr_size_of(g->d.type);
  char text[WHY];
  case_text(g, text, sizeof text);
  for (int64_t e = 0; e < batch->c_bytes; e += size)
    if (!same_element(g->d.type, batch->c + e, batch->want + e))
      fail_msg("%s batch of %lld: element %lld of matrix %lld differs: %s", how, (long long)batch->count,
               (long long)(e / size % batch->stride_c), (long long)(e / size / batch->stride_c), text);
}

/* Half of the batches are run through from the end, by negative strides. */
static void run_strided(struct batch *batch, const struct gemm_case *g) {
  int64_t size = tsr_size_of(g->d.type), sign = g->seed / 4 % 2 ? -1 : 1;
  int64_t last = sign < 0 ? batch->count - 1 : 0;
  assert_int_equal(
      tsr_gemm_batch_strided(g->context, &g->d, batch->count, batch->a + last * batch->stride_a * size,
                             sign * batch->stride_a, batch->b + last * batch->stride_b * size, sign * batch->stride_b,
                             batch->c + last * batch->stride_c * size, sign * batch->stride_c), TSR_OK);
  batch_compare(batch, g, "strided");
}

/* The pointer array lists the matrices from last to first. */
static void run_pointers(struct batch *batch, const struct gemm_case *g) {
  int64_t size = tsr_size_of(g->d.type), n = batch->count;
  const void **a = malloc((size_t)n * sizeof *a), **b = malloc((size_t)n * sizeof *b);
  void **c = malloc((size_t)n * sizeof *c);
  for (int64_t i = 0; i < n; i++) {
    a[n - 1 - i] = batch->a + i * batch->stride_a * size;
    b[n - 1 - i] = batch->b + i * batch->stride_b * size;
    c[n - 1 - i] = batch->c + i * batch->stride_c * size;
  }
  assert_int_equal(tsr_gemm_batch(g->context, &g->d, n, a, b, c), TSR_OK);
  batch_compare(batch, g, "pointer");
  free(a);
  free(b);
  free(c);
}

static void batch_equals_calls(struct stage *s, struct gemm_case *g) {
  static const int64_t counts[] = {1, 2, 5, 33};
  int64_t work = g->d.m * g->d.n * g->d.k, count = counts[g->seed % COUNT(counts)];
  if (work > 500000) count = 2 + count % 2;
  uint64_t seed = g->seed;
  for (int i = (int)(seed / 2 % 2); i < THREAD_COUNTS; i += 2) {
    struct batch batch;
    tsr_set_num_threads(g->context, thread_counts[i]);
    g->seed = seed;
    batch_open(&batch, s, g, count);
    if (seed % 2)
      run_strided(&batch, g);
    else
      run_pointers(&batch, g);
    batch_close(&batch);
  }
  tsr_set_num_threads(g->context, 0);
  g->seed = seed;
}

static void batches(void **state) {
  (void)state;
  each_shape(batch_equals_calls);
}

/* A batch of valid 3 x 3 products with one argument wrong. */
struct bad_batch {
  int64_t count, stride_a, stride_b, stride_c;
  const char *named;
};

static void bad_strided_arguments(void **state) {
  (void)state;
  static const struct bad_batch bad[] = {
      {-1, 9, 9, 9, "batch"},
      {2, 9, 9, 8, "stride_c"},
      {2, 9, 9, 0, "stride_c"},
      {2, 9, 9, -8, "stride_c"},
      {2, INT64_MAX, 9, 9, "stride_a"},
      {2, 9, INT64_MIN, 9, "stride_b"},
      {2, 9, 9, INT64_MAX / 2, "stride_c"},
      {INT64_MAX / 4, 0, 0, 9, "stride_c"},
  };
  float a[18], b[18], c[18], before[18];
  tsr_gemm_desc d = TSR_GEMM_DESC;
  d.m = d.n = d.k = d.lda = d.ldb = d.ldc = 3;
  for (int i = 0; i < 18; i++) a[i] = b[i] = c[i] = before[i] = (float)i;
  for (int i = 0; i < COUNT(bad); i++) {
    const struct bad_batch *x = &bad[i];
    assert_int_equal(tsr_gemm_batch_strided(NULL, &d, x->count, a, x->stride_a, b, x->stride_b, c, x->stride_c),
                     TSR_INVALID_ARGUMENT);
    if (!strstr(tsr_last_error(), x->named)) fail_msg("\"%s\" does not name %s", tsr_last_error(), x->named);
    assert_memory_equal(c, before, sizeof c);
  }
}

static void bad_strided_pointers(void **state) {
  (void)state;
  float a[9] = {0}, c[9] = {1}, before[9] = {1};
  tsr_gemm_desc d = TSR_GEMM_DESC;
  d.m = d.n = d.k = d.lda = d.ldb = d.ldc = 3;
  assert_int_equal(tsr_gemm_batch_strided(NULL, &d, 1, NULL, 9, a, 9, c, 9), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_gemm_batch_strided(NULL, &d, 1, a, 9, NULL, 9, c, 9), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_gemm_batch_strided(NULL, &d, 1, a, 9, a, 9, NULL, 9), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_gemm_batch_strided(NULL, NULL, 1, a, 9, a, 9, c, 9), TSR_INVALID_ARGUMENT);
  d.ldb = 2;
  assert_int_equal(tsr_gemm_batch_strided(NULL, &d, 1, a, 9, a, 9, c, 9), TSR_INVALID_ARGUMENT);
  assert_memory_equal(c, before, sizeof c);
  d.ldb = 3;
  d.alpha = 0;
  d.beta = 1;
  assert_int_equal(tsr_gemm_batch_strided(NULL, &d, 1, NULL, 9, NULL, 9, c, 9), TSR_OK);
  assert_memory_equal(c, before, sizeof c);
}

static void bad_pointer_arrays(void **state) {
  (void)state;
  float a[9] = {0}, b[9] = {0}, c[9], before[9];
  const void *good_a[2] = {a, a}, *good_b[2] = {b, b}, *bad[2] = {a, NULL};
  void *good_c[2] = {c, c + 9}, *bad_c[2] = {c, NULL};
  tsr_gemm_desc d = TSR_GEMM_DESC;
  d.m = d.n = d.k = d.lda = d.ldb = d.ldc = 3;
  for (int i = 0; i < 9; i++) c[i] = before[i] = (float)i;
  assert_int_equal(tsr_gemm_batch(NULL, &d, -1, good_a, good_b, good_c), TSR_INVALID_ARGUMENT);
  assert_non_null(strstr(tsr_last_error(), "batch"));
  assert_int_equal(tsr_gemm_batch(NULL, &d, 2, NULL, good_b, good_c), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_gemm_batch(NULL, &d, 2, good_a, NULL, good_c), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_gemm_batch(NULL, &d, 2, good_a, good_b, NULL), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_gemm_batch(NULL, &d, 2, bad, good_b, good_c), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_gemm_batch(NULL, &d, 2, good_a, bad, good_c), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_gemm_batch(NULL, &d, 2, good_a, good_b, bad_c), TSR_INVALID_ARGUMENT);
  assert_memory_equal(c, before, sizeof c);
}

static void empty_batches(void **state) {
  (void)state;
  tsr_gemm_desc d = TSR_GEMM_DESC;
  d.m = d.n = d.k = d.lda = d.ldb = d.ldc = 3;
  assert_int_equal(tsr_gemm_batch(NULL, &d, 0, NULL, NULL, NULL), TSR_OK);
  assert_int_equal(tsr_gemm_batch_strided(NULL, &d, 0, NULL, 9, NULL, 9, NULL, 9), TSR_OK);
  d.m = 0;
  assert_int_equal(tsr_gemm_batch_strided(NULL, &d, 4, NULL, 9, NULL, 9, NULL, 9), TSR_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      gemm_unit_test(batches), gemm_unit_test(bad_strided_arguments), gemm_unit_test(bad_strided_pointers),
      gemm_unit_test(bad_pointer_arrays),
      gemm_unit_test(empty_batches),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
