/* Batches, packed operands and scaled copies against gemm and plain loops. */
#include <complex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cblas.h"
#include "tessera/tessera.h"

enum { SIDE = 96, PRODUCTS = 24 };

static long below(long n) { return lrand48() % n; }

static void fill(double *to, size_t n) {
  for (size_t i = 0; i < n; i++) to[i] = (double)(below(2001) - 1000) / 512;
}

/* Operands of all products, twice as large as real ones need. */
static double a[PRODUCTS][2 * SIDE * SIDE], b[PRODUCTS][2 * SIDE * SIDE], c[PRODUCTS][2 * SIDE * SIDE],
    want[PRODUCTS][2 * SIDE * SIDE];

static void fill_all(void) {
  fill(&a[0][0], sizeof a / sizeof(double));
  fill(&b[0][0], sizeof b / sizeof(double));
  fill(&c[0][0], sizeof c / sizeof(double));
  memcpy(want, c, sizeof c);
}

static void assert_same(void) { assert_memory_equal(c, want, sizeof c); }

/* Groups of several sizes, one of them empty, against single calls. */
static void groups(void **state) {
  (void)state;
  for (int round = 0; round < 20; round++) {
    enum { GROUPS = 5 };
    CBLAS_LAYOUT layout = below(2) ? CblasRowMajor : CblasColMajor;
    CBLAS_TRANSPOSE ta[GROUPS], tb[GROUPS];
    int m[GROUPS], n[GROUPS], k[GROUPS], ld[GROUPS], size[GROUPS] = {3, 0, 11, 1, 9}, at = 0;
    double alpha[2 * GROUPS], beta[2 * GROUPS];
    const void *pa[PRODUCTS], *pb[PRODUCTS];
    void *pc[PRODUCTS];
    bool is_complex = round & 1;
    fill_all();
    fill(alpha, 2 * GROUPS);
    fill(beta, 2 * GROUPS);
    for (int i = 0; i < PRODUCTS; i++) pa[i] = a[i], pb[i] = b[i], pc[i] = c[i];
    for (int g = 0; g < GROUPS; g++) {
      ta[g] = CblasNoTrans + (int)below(3), tb[g] = CblasNoTrans + (int)below(3);
      m[g] = (int)below(SIDE), n[g] = (int)below(SIDE), k[g] = (int)below(SIDE), ld[g] = SIDE;
      for (int i = 0; i < size[g]; i++, at++)
        if (is_complex)
          cblas_zgemm(layout, ta[g], tb[g], m[g], n[g], k[g], alpha + 2 * g, a[at], SIDE, b[at], SIDE, beta + 2 * g,
                      want[at], SIDE);
        else
          cblas_dgemm(layout, ta[g], tb[g], m[g], n[g], k[g], alpha[g], a[at], SIDE, b[at], SIDE, beta[g], want[at],
                      SIDE);
    }
    assert_int_equal(at, PRODUCTS);
    if (is_complex)
      cblas_zgemm_batch(layout, ta, tb, m, n, k, alpha, pa, ld, pb, ld, beta, pc, ld, GROUPS, size);
    else
      cblas_dgemm_batch(layout, ta, tb, m, n, k, alpha, (const double *const *)pa, ld, (const double *const *)pb, ld,
                        beta, (double *const *)pc, ld, GROUPS, size);
    assert_same();
  }
}

static void strided(void **state) {
  (void)state;
  for (int round = 0; round < 20; round++) {
    CBLAS_LAYOUT layout = below(2) ? CblasRowMajor : CblasColMajor;
    CBLAS_TRANSPOSE ta = CblasNoTrans + (int)below(3), tb = CblasNoTrans + (int)below(3);
    int m = (int)below(SIDE), n = (int)below(SIDE), k = (int)below(SIDE), count = (int)below(PRODUCTS);
    int stride = below(2) ? 2 * SIDE * SIDE : 0; /* of B: one for all */
    double alpha[2], beta[2];
    bool is_complex = round & 1;
    int unit = is_complex ? 2 : 1;
    fill_all();
    fill(alpha, 2);
    fill(beta, 2);
    for (int i = 0; i < count; i++)
      if (is_complex)
        cblas_zgemm(layout, ta, tb, m, n, k, alpha, a[i], SIDE, b[0] + i * stride, SIDE, beta, want[i], SIDE);
      else
        cblas_dgemm(layout, ta, tb, m, n, k, alpha[0], a[i], SIDE, b[0] + i * stride, SIDE, beta[0], want[i], SIDE);
    if (is_complex)
      cblas_zgemm_batch_strided(layout, ta, tb, m, n, k, alpha, a, SIDE, 2 * SIDE * SIDE / unit, b, SIDE,
                                stride / unit, beta, c, SIDE, 2 * SIDE * SIDE / unit, count);
    else
      cblas_dgemm_batch_strided(layout, ta, tb, m, n, k, alpha[0], a[0], SIDE, 2 * SIDE * SIDE, b[0], SIDE, stride,
                                beta[0], c[0], SIDE, 2 * SIDE * SIDE, count);
    assert_same();
  }
}

/* gemm's bits with A, B, both or neither laid out before. */
static void packed(void **state) {
  (void)state;
  for (int round = 0; round < 60; round++) {
    CBLAS_LAYOUT layout = below(2) ? CblasRowMajor : CblasColMajor;
    CBLAS_TRANSPOSE ta = CblasNoTrans + (int)below(3), tb = CblasNoTrans + (int)below(3);
    int m = 1 + (int)below(SIDE - 1), n = 1 + (int)below(SIDE - 1), k = 1 + (int)below(SIDE - 1);
    int packs_a = (int)below(2), packs_b = (int)below(2);
    double alpha = packs_a || packs_b ? 1.5 : 1, beta = (double)below(3) / 2;
    fill_all();
    cblas_dgemm(layout, ta, tb, m, n, k, alpha, a[0], SIDE, b[0], SIDE, beta, want[0], SIDE);
    size_t bytes_a = cblas_dgemm_pack_get_size(CblasAMatrix, m, n, k);
    size_t bytes_b = cblas_dgemm_pack_get_size(CblasBMatrix, m, n, k);
    double *pa = malloc(bytes_a), *pb = malloc(bytes_b);
    if (packs_a) cblas_dgemm_pack(layout, CblasAMatrix, ta, m, n, k, alpha, a[0], SIDE, pa);
    if (packs_b) cblas_dgemm_pack(layout, CblasBMatrix, tb, m, n, k, packs_a ? 1 : alpha, b[0], SIDE, pb);
    cblas_dgemm_compute(layout, packs_a ? CblasPacked : (int)ta, packs_b ? CblasPacked : (int)tb, m, n, k,
                        packs_a ? pa : a[0], SIDE, packs_b ? pb : b[0], SIDE, beta, c[0], SIDE);
    assert_same();
    free(pa);
    free(pb);
  }
}

/* tsr_gemm of complex numbers is cblas_zgemm. */
static void complex_products(void **state) {
  (void)state;
  for (int round = 0; round < 60; round++) {
    CBLAS_LAYOUT layout = below(2) ? CblasRowMajor : CblasColMajor;
    CBLAS_TRANSPOSE ta = CblasNoTrans + (int)below(3), tb = CblasNoTrans + (int)below(3);
    tsr_gemm_desc d = TSR_GEMM_DESC;
    double alpha[2] = {(double)below(3), (double)below(3)}, beta[2] = {(double)below(3), (double)below(3)};
    d.type = TSR_C64;
    d.order = (tsr_order)layout, d.trans_a = (tsr_trans)ta, d.trans_b = (tsr_trans)tb;
    d.m = below(SIDE), d.n = below(SIDE), d.k = below(SIDE), d.lda = d.ldb = d.ldc = SIDE;
    d.alpha = alpha[0], d.alpha_im = alpha[1], d.beta = beta[0], d.beta_im = beta[1];
    fill_all();
    cblas_zgemm(layout, ta, tb, (int)d.m, (int)d.n, (int)d.k, alpha, a, SIDE, b, SIDE, beta, want, SIDE);
    assert_int_equal(tsr_gemm(NULL, &d, a, b, c), TSR_OK);
    assert_same();
  }
}

/* What CMPLX does, which not every compiler has. */
static double complex complex_of(double re, double im) {
  double parts[2] = {re, im};
  double complex z;
  memcpy(&z, parts, sizeof z);
  return z;
}

/* Element (i, j) of a matrix of complex numbers, or of real ones. */
static double complex element(const double *x, bool is_complex, CBLAS_LAYOUT layout, int ld, int i, int j) {
  int at = layout == CblasColMajor ? i + j * ld : i * ld + j;
  return is_complex ? complex_of(x[2 * at], x[2 * at + 1]) : x[at];
}

static void copies(void **state) {
  (void)state;
  for (int round = 0; round < 200; round++) {
    CBLAS_LAYOUT layout = below(2) ? CblasRowMajor : CblasColMajor;
    CBLAS_TRANSPOSE trans = CblasNoTrans + (int)below(4);
    bool is_complex = round & 1, in_place = round & 2, turned = trans == CblasTrans || trans == CblasConjTrans;
    int rows = (int)below(SIDE), columns = (int)below(SIDE);
    int least = layout == CblasColMajor ? rows : columns, other = layout == CblasColMajor ? columns : rows;
    int lda = least + 1 + (int)below(SIDE - least), ldb = (turned ? other : least) + 1;
    double alpha[2] = {(double)below(3), is_complex ? (double)below(3) : 0};
    fill_all();
    memcpy(c[1], a[0], sizeof c[1]);
    double *from = in_place ? c[1] : a[0], *to = in_place ? c[1] : c[2];
    if (in_place && is_complex) cblas_zimatcopy(layout, trans, rows, columns, alpha, to, lda, ldb);
    if (in_place && !is_complex) cblas_dimatcopy(layout, trans, rows, columns, alpha[0], to, lda, ldb);
    if (!in_place && is_complex) cblas_zomatcopy(layout, trans, rows, columns, alpha, from, lda, to, ldb);
    if (!in_place && !is_complex) cblas_domatcopy(layout, trans, rows, columns, alpha[0], from, lda, to, ldb);
    for (int i = 0; i < rows; i++)
      for (int j = 0; j < columns; j++) {
        double complex x = element(a[0], is_complex, layout, lda, i, j);
        double complex y = element(to, is_complex, layout, ldb, turned ? j : i, turned ? i : j);
        if (trans >= CblasConjTrans && is_complex) x = conj(x);
        x *= complex_of(alpha[0], alpha[1]);
        assert_true(creal(x) == creal(y) && cimag(x) == cimag(y));
      }
    if (in_place) continue; /* what lies between the columns of a smaller matrix is lost */
    for (int i = 0; i < 2 * SIDE * SIDE; i++) {
      int at = is_complex ? i / 2 : i, inner = at % ldb, outer = at / ldb;
      bool inside = inner < (turned ? other : least) && outer < (turned ? least : other);
      assert_true(inside || c[2][i] == want[2][i]);
    }
  }
}

static int reported;
#define REPLACES __attribute__((visibility("default")))
REPLACES void cblas_xerbla(int parameter, const char *routine, const char *format, ...) {
  (void)routine, (void)format;
  reported = parameter;
}
REPLACES void xerbla_(const char *name, const int *info, size_t length);
void xerbla_(const char *name, const int *info, size_t length) {
  (void)name, (void)length;
  reported = *info;
}

/* What is wrong is named by its number, and nothing is written. */
static void bad_arguments(void **state) {
  (void)state;
  CBLAS_TRANSPOSE no[2] = {CblasNoTrans, CblasNoTrans}, wrong[2] = {CblasNoTrans, 7};
  int four[2] = {4, 4}, bad[2] = {4, -1}, size[2] = {1, 1};
  double one[2] = {1, 1};
  const double *pa[2] = {a[0], a[1]}, *pb[2] = {b[0], b[1]};
  double *pc[2] = {c[0], c[1]};
  fill_all();
#define EXPECT(number, call) reported = -1; call; assert_int_equal(reported, number); assert_same()
  EXPECT(3, cblas_dgemm_batch(CblasColMajor, no, no, bad, four, four, one, pa, four, pb, four, one, pc, four, 2, size));
  EXPECT(1, cblas_dgemm_batch(CblasColMajor, wrong, no, four, four, four, one, pa, four, pb, four, one, pc, four, 2,
                              size));
  EXPECT(14, cblas_dgemm_batch(CblasColMajor, no, no, four, four, four, one, pa, four, pb, four, one, pc, four, -1,
                               size));
  EXPECT(16, cblas_dgemm_batch_strided(CblasColMajor, CblasNoTrans, CblasNoTrans, 4, 4, 4, 1, a[0], 4, 16, b[0], 4, 16,
                                       1, c[0], 4, 15, 2));
  EXPECT(7, cblas_domatcopy(CblasColMajor, CblasNoTrans, 4, 4, 1, a[0], 3, c[0], 4));
  EXPECT(9, cblas_domatcopy(CblasColMajor, CblasTrans, 4, 5, 1, a[0], 4, c[0], 4));
  EXPECT(6, cblas_dgemm_compute(CblasColMajor, CblasPacked, CblasNoTrans, 4, 4, 4, a[0], 4, b[0], 4, 1, c[0], 4));
}

int main(void) {
  srand48(8);
  const struct CMUnitTest tests[] = {cmocka_unit_test(groups), cmocka_unit_test(strided), cmocka_unit_test(packed),
                                     cmocka_unit_test(complex_products),
                                     cmocka_unit_test(copies), cmocka_unit_test(bad_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
