/* Bad arguments: the status, a message that names the argument, and C as it was. */
#include <limits.h>
#include <math.h>

#include "test/gemm/gemm_test.h"

/* A valid 3 x 4 x 5 product to be spoilt. */
enum { M = 3, N = 4, K = 5 };
static float a[K * K], b[K * K], c[K * K], before[K * K];

static tsr_gemm_desc valid(int layout) {
  struct gemm_case g = {.d = TSR_GEMM_DESC};
  case_sizes(&g, M, N, K);
  case_layout(&g, layout, 0);
  return g.d;
}

static int prepare(void **state) {
  (void)state;
  for (int i = 0; i < K * K; i++) {
    a[i] = b[i] = (float)i;
    c[i] = before[i] = NAN;
  }
  return 0;
}

static void expect_refusal(const tsr_gemm_desc *d, const void *pa, const void *pb, void *pc, const char *named) {
  for (int i = -1; i < ncontexts; i++) {
    tsr_status status = tsr_gemm(i < 0 ? NULL : contexts[i], d, pa, pb, pc);
    if (status != TSR_INVALID_ARGUMENT) fail_msg("a bad %s gives \"%s\"", named, tsr_status_string(status));
    if (strncmp(tsr_last_error(), named, strlen(named)) != 0)
      fail_msg("\"%s\" does not begin with the argument %s", tsr_last_error(), named);
    assert_memory_equal(c, before, sizeof c);
  }
}

#define EXPECT_BAD(field, value)                 \
  do {                                           \
    tsr_gemm_desc d = valid(layout);             \
    d.field = value;                             \
    expect_refusal(&d, a, b, c, #field);         \
  } while (0)

static void bad_sizes(void **state) {
  (void)state;
  for (int layout = 0; layout < LAYOUTS; layout++) {
    EXPECT_BAD(m, -1);
    EXPECT_BAD(n, -1);
    EXPECT_BAD(k, -1);
    EXPECT_BAD(m, INT64_MIN);
    EXPECT_BAD(n, INT64_MIN);
    EXPECT_BAD(k, INT64_MIN);
    EXPECT_BAD(alpha_im, 1);
    EXPECT_BAD(beta_im, 1);
  }
}

static void bad_enums(void **state) {
  (void)state;
  static const int values[] = {0, -1, 7, 99, 103, 110, 114, INT_MAX, INT_MIN};
  for (int layout = 0; layout < LAYOUTS; layout++)
    for (int i = 0; i < COUNT(values); i++) {
      EXPECT_BAD(type, (tsr_type)values[i]);
      EXPECT_BAD(order, (tsr_order)values[i]);
      EXPECT_BAD(trans_a, (tsr_trans)values[i]);
      EXPECT_BAD(trans_b, (tsr_trans)values[i]);
    }
}

static void short_strides(void **state) {
  (void)state;
  for (int layout = 0; layout < LAYOUTS; layout++) {
    tsr_gemm_desc good = valid(layout);
    EXPECT_BAD(lda, good.lda - 1);
    EXPECT_BAD(ldb, good.ldb - 1);
    EXPECT_BAD(ldc, good.ldc - 1);
    EXPECT_BAD(lda, 0);
    EXPECT_BAD(ldb, -7);
    EXPECT_BAD(ldc, INT64_MIN);
  }
}

/* A stride of 0 is too short even for an empty matrix. */
static void short_strides_of_empty_matrices(void **state) {
  (void)state;
  for (int layout = 0; layout < LAYOUTS; layout++) {
    struct gemm_case g = {.d = TSR_GEMM_DESC};
    case_layout(&g, layout, 0);
    assert_int_equal(tsr_gemm(NULL, &g.d, NULL, NULL, NULL), TSR_OK);
    g.d.lda = 0;
    expect_refusal(&g.d, NULL, NULL, NULL, "lda");
    g.d.lda = 1;
    g.d.ldb = 0;
    expect_refusal(&g.d, NULL, NULL, NULL, "ldb");
    g.d.ldb = 1;
    g.d.ldc = 0;
    expect_refusal(&g.d, NULL, NULL, NULL, "ldc");
  }
}

/* Sizes and strides whose products overflow, for bytes as for elements: refused before anything is touched. */
static void overflowing_sizes(void **state) {
  (void)state;
  static const int64_t huge[] = {INT64_MAX, INT64_MAX / 2, INT64_MAX / 4, (int64_t)1 << 62, (int64_t)1 << 61};
  for (int layout = 0; layout < LAYOUTS; layout++)
    for (int i = 0; i < COUNT(huge); i++) {
      EXPECT_BAD(lda, huge[i]);
      EXPECT_BAD(ldb, huge[i]);
      EXPECT_BAD(ldc, huge[i]);
      for (int two = 0; two < 3; two++) {
        struct gemm_case g = {.d = TSR_GEMM_DESC};
        case_sizes(&g, two == 0 ? K : huge[i], two == 1 ? K : huge[i], two == 2 ? K : huge[i]);
        case_layout(&g, layout, 0);
        expect_refusal(&g.d, a, b, c, "ld");
      }
    }
}

static void null_pointers(void **state) {
  (void)state;
  for (int layout = 0; layout < LAYOUTS; layout++) {
    tsr_gemm_desc d = valid(layout);
    expect_refusal(&d, NULL, b, c, "a ");
    expect_refusal(&d, a, NULL, c, "b ");
    expect_refusal(&d, a, b, NULL, "c ");
    d.beta = 1;
    expect_refusal(&d, NULL, b, c, "a ");
    d.alpha = 0;
    expect_refusal(&d, NULL, NULL, NULL, "c ");
  }
}

static void bad_descriptors(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, sizeof(tsr_gemm_desc) - 1, sizeof(tsr_gemm_desc) + 1, SIZE_MAX};
  int layout = 0;
  expect_refusal(NULL, a, b, c, "desc");
  for (int i = 0; i < COUNT(sizes); i++) {
    tsr_gemm_desc d = valid(layout);
    d.size = sizes[i];
    expect_refusal(&d, a, b, c, "desc");
  }
}

/* A and B may be NULL when they are not read. */
static void null_pointers_that_are_not_read(void **state) {
  (void)state;
  for (int i = 0; i < ncontexts * LAYOUTS; i++) {
    tsr_gemm_desc d = valid(i % LAYOUTS);
    float ones[M * N], twos[M * N];
    for (int j = 0; j < M * N; j++) ones[j] = 1, twos[j] = 2;
    d.alpha = 0;
    d.beta = 2;
    assert_int_equal(tsr_gemm(contexts[i / LAYOUTS], &d, NULL, NULL, ones), TSR_OK);
    assert_memory_equal(ones, twos, sizeof ones);
    d.alpha = 1;
    d.beta = 1;
    d.k = 0;
    assert_int_equal(tsr_gemm(contexts[i / LAYOUTS], &d, NULL, NULL, ones), TSR_OK);
    assert_memory_equal(ones, twos, sizeof ones);
  }
}

static void error_texts(void **state) {
  (void)state;
  for (int status = -1; status < 9; status++) {
    assert_non_null(tsr_status_string((tsr_status)status));
    assert_true(strlen(tsr_status_string((tsr_status)status)) > 3);
  }
  assert_int_equal(tsr_gemm(NULL, NULL, a, b, c), TSR_INVALID_ARGUMENT);
  char first[256];
  snprintf(first, sizeof first, "%s", tsr_last_error());
  tsr_gemm_desc d = valid(0);
  float sink[K * K];
  assert_int_equal(tsr_gemm(NULL, &d, a, b, sink), TSR_OK);
  assert_string_equal(tsr_last_error(), first);
}

static void bad_contexts(void **state) {
  (void)state;
  tsr_context *context = NULL;
  assert_int_equal(tsr_context_create("pentium", &context), TSR_INVALID_ARGUMENT);
  assert_null(context);
  assert_non_null(strstr(tsr_last_error(), "pentium"));
  for (int i = 0; i < ncontexts; i++) assert_non_null(strstr(tsr_last_error(), tsr_context_isa(contexts[i])));
  assert_int_equal(tsr_context_create("", &context), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_context_create("generic", NULL), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_set_num_threads(contexts[0], -1), TSR_INVALID_ARGUMENT);
  assert_int_equal(tsr_set_num_threads(NULL, INT_MIN), TSR_INVALID_ARGUMENT);
  tsr_context_destroy(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(bad_sizes, prepare),
      cmocka_unit_test_setup(bad_enums, prepare),
      cmocka_unit_test_setup(short_strides, prepare),
      cmocka_unit_test_setup(short_strides_of_empty_matrices, prepare),
      cmocka_unit_test_setup(overflowing_sizes, prepare),
      cmocka_unit_test_setup(null_pointers, prepare),
      cmocka_unit_test_setup(bad_descriptors, prepare),
      cmocka_unit_test_setup(null_pointers_that_are_not_read, prepare),
      cmocka_unit_test_setup(error_texts, prepare),
      cmocka_unit_test_setup(bad_contexts, prepare),
  };
  return cmocka_run_group_tests(tests, open_contexts, close_contexts);
}
