/* gemmt's faces, which the reference's testers do not know: both layouts, both sizes of integers, Fortran, and the
 * numbers of bad parameters; and what the others check beyond the reference. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cblas.h"

void dgemmt_(const char *uplo, const char *transa, const char *transb, const int *n, const int *k, const double *alpha,
             const double *a, const int *lda, const double *b, const int *ldb, const double *beta, double *c,
             const int *ldc);
void zgemmt_64_(const char *uplo, const char *transa, const char *transb, const int64_t *n, const int64_t *k,
                const double *alpha, const double *a, const int64_t *lda, const double *b, const int64_t *ldb,
                const double *beta, double *c, const int64_t *ldc);
void zherk_(const char *uplo, const char *trans, const int *n, const int *k, const double *alpha, const double *a,
            const int *lda, const double *beta, double *c, const int *ldc);

/* These take the place of the library's own. */
static int reported;
static char reporter[32];
__attribute__((visibility("default"))) void xerbla_(const char *name, const int *info, size_t length) {
  reported = *info;
  memcpy(reporter, name, length < sizeof reporter ? length : sizeof reporter - 1);
}
__attribute__((visibility("default"))) void cblas_xerbla(int parameter, const char *routine, const char *format, ...) {
  (void)format;
  reported = parameter;
  strncpy(reporter, routine, sizeof reporter - 1);
}

enum { N = 37, K = 23, LD = 41 };
static double a[2 * LD * LD], b[2 * LD * LD], c[2 * LD * LD], expected[2 * LD * LD], was[2 * LD * LD];

static void fill(void) {
  uint64_t state = 1;
  double *const all[] = {a, b, was};
  for (int m = 0; m < 3; m++)
    for (int i = 0; i < 2 * LD * LD; i++) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      all[m][i] = (double)(int64_t)state * 0x1p-63;
    }
  memcpy(c, was, sizeof c);
  memcpy(expected, was, sizeof expected);
  reported = 0;
}

/* The triangle has gemm's bits, and nothing else has changed. `parts`: numbers of an element. */
static void compare(bool row_major, bool lower, int parts) {
  for (int line = 0; line < LD; line++)
    for (int at = 0; at < LD; at++) {
      int i = row_major ? line : at, j = row_major ? at : line, e = parts * (line * LD + at);
      bool inside = i < N && j < N && (lower ? i >= j : i <= j);
      assert_memory_equal(&c[e], inside ? &expected[e] : &was[e], (size_t)parts * sizeof c[0]);
    }
  assert_int_equal(reported, 0);
}

static const CBLAS_TRANSPOSE trans[] = {CblasNoTrans, CblasTrans, CblasConjTrans};

static void gemmt_is_gemm(void **state) {
  (void)state;
  const double alpha[2] = {0.5, -0.75}, beta[2] = {-1, 0.25};
  for (int letters = 0; letters < 36; letters++) {
    CBLAS_LAYOUT layout = letters % 2 ? CblasRowMajor : CblasColMajor;
    CBLAS_UPLO uplo = letters / 2 % 2 ? CblasLower : CblasUpper;
    CBLAS_TRANSPOSE ta = trans[letters / 4 % 3], tb = trans[letters / 12];
    fill();
    cblas_dgemm(layout, ta, tb, N, N, K, 0.3, a, LD, b, LD, 1, expected, LD);
    cblas_dgemmt(layout, uplo, ta, tb, N, K, 0.3, a, LD, b, LD, 1, c, LD);
    compare(letters % 2, uplo == CblasLower, 1);
    memcpy(c, was, sizeof c);
    cblas_dgemmt64_(layout, uplo, ta, tb, N, K, 0.3, a, LD, b, LD, 1, c, LD);
    compare(letters % 2, uplo == CblasLower, 1);
    fill();
    cblas_zgemm(layout, ta, tb, N, N, K, alpha, a, LD, b, LD, beta, expected, LD);
    cblas_zgemmt(layout, uplo, ta, tb, N, K, alpha, a, LD, b, LD, beta, c, LD);
    compare(letters % 2, uplo == CblasLower, 2);
    if (letters % 2) continue;
    const int64_t n = N, k = K, ld = LD;
    const char *letter = "NTC";
    memcpy(c, was, sizeof c);
    zgemmt_64_(uplo == CblasLower ? "l" : "U", letter + letters / 4 % 3, letter + letters / 12, &n, &k, alpha, a, &ld, b,
               &ld, beta, c, &ld);
    compare(false, uplo == CblasLower, 2);
  }
}

static void bad(const char *uplo, const char *ta, const char *tb, int n, int k, int lda, int ldb, int ldc, int number) {
  const double one = 1;
  reported = 0;
  dgemmt_(uplo, ta, tb, &n, &k, &one, a, &lda, b, &ldb, &one, c, &ldc);
  assert_int_equal(reported, number);
  assert_memory_equal(reporter, "DGEMMT", 6);
}

static void bad_row_major(int n, int k, int lda, int ldb, int ldc, int number) {
  reported = 0;
  cblas_dgemmt(CblasRowMajor, CblasUpper, CblasNoTrans, CblasNoTrans, n, k, 1, a, lda, b, ldb, 1, c, ldc);
  assert_int_equal(reported, number);
}

static void bad_parameters(void **state) {
  (void)state;
  fill();
  bad("x", "n", "n", 2, 2, 2, 2, 2, 1);
  bad("u", "x", "n", 2, 2, 2, 2, 2, 2);
  bad("l", "n", "x", 2, 2, 2, 2, 2, 3);
  bad("u", "n", "n", -1, 2, 2, 2, 2, 4);
  bad("u", "n", "n", 2, -1, 2, 2, 2, 5);
  bad("u", "n", "n", 3, 2, 2, 2, 3, 8);
  bad("u", "t", "n", 2, 3, 2, 3, 2, 8);
  bad("u", "n", "n", 2, 3, 2, 2, 2, 10);
  bad("u", "n", "t", 3, 2, 3, 2, 3, 10);
  bad("u", "n", "n", 3, 2, 3, 2, 2, 13);
  bad_row_major(2, 3, 2, 2, 2, 10); /* of the Fortran call that is made: its B is A */
  assert_memory_equal(c, was, sizeof c);
}

/* Symmetric products take no conjugates, Hermitian ones no plain transposes. */
static void transposes(void **state) {
  (void)state;
  const int two = 2;
  const double one[2] = {1, 0};
  fill();
  zherk_("U", "T", &two, &two, one, a, &two, one, c, &two);
  assert_int_equal(reported, 2);
  cblas_zsyrk(CblasColMajor, CblasUpper, CblasConjTrans, 2, 2, one, a, 2, one, c, 2);
  assert_int_equal(reported, 3);
  assert_memory_equal(c, was, sizeof c);
  reported = 0;
  cblas_dsyrk(CblasColMajor, CblasUpper, CblasConjTrans, 2, 2, 1, a, 2, 1, c, 2);
  assert_int_equal(reported, 0);
}

/* Null pointers are reported where they would be followed. */
static void null_pointers(void **state) {
  (void)state;
  fill();
  cblas_dsymm(CblasColMajor, CblasLeft, CblasUpper, 2, 2, 1, NULL, 2, b, 2, 1, c, 2);
  assert_int_equal(reported, 6);
  cblas_dsyrk(CblasColMajor, CblasUpper, CblasNoTrans, 2, 2, 1, a, 2, 1, NULL, 2);
  assert_int_equal(reported, 9);
  reported = 0;
  cblas_dsyr2k(CblasColMajor, CblasUpper, CblasNoTrans, 2, 2, 0, NULL, 2, NULL, 2, 1, c, 2);
  cblas_dsyrk(CblasColMajor, CblasUpper, CblasNoTrans, 0, 2, 1, NULL, 1, 1, NULL, 1);
  assert_int_equal(reported, 0);
  assert_memory_equal(c, was, sizeof c);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(gemmt_is_gemm), cmocka_unit_test(bad_parameters),
                                     cmocka_unit_test(transposes), cmocka_unit_test(null_pointers)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
