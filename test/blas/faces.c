/* Every BLAS face of GEMM: equal bits, 64-bit integers, and the reference's parameter number for every bad argument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "faces.h"
#include "tessera/tessera.h"

extern int RowMajorStrg, CBLAS_CallFromC;

/* --- this program's own error handlers: they must win over the library's ----------------------------------------- */

static struct {
  int calls, parameter;
  char routine[16];
  int row_major, from_c;
} report;

static void record(int parameter, const char *routine, int length) {
  report.calls++;
  report.parameter = parameter;
  report.row_major = RowMajorStrg;
  report.from_c = CBLAS_CallFromC;
  snprintf(report.routine, sizeof report.routine, "%.*s", length, routine);
}

TSR_API void xerbla_(const char *routine, const int *parameter, size_t length) { record(*parameter, routine, (int)length); }

TSR_API void cblas_xerbla(int parameter, const char *routine, const char *format, ...) {
  assert_non_null(strstr(format, "Illegal"));
  record(parameter, routine, 15);
}

/* --- one call through any face ------------------------------------------------------------------------------------ */

enum { FORTRAN, CBLAS, FORTRAN_64, CBLAS_64, FAMILIES };

struct args {
  tsr_type type;
  int layout, ta, tb; /* CBLAS's numbers */
  int64_t m, n, k, lda, ldb, ldc;
  double alpha, beta;
  const void *a, *b;
  void *c;
};

static char letter(int transpose, bool lower) {
  char upper = transpose == CblasNoTrans ? 'N' : transpose == CblasTrans ? 'T' : transpose == CblasConjTrans ? 'C' : 'X';
  return (char)(lower ? upper + 32 : upper);
}

#define CALL_FORTRAN(name, type, integer)                                                               \
  do {                                                                                                  \
    type alpha = (type)g->alpha, beta = (type)g->beta;                                                  \
    integer m = (integer)g->m, n = (integer)g->n, k = (integer)g->k;                                    \
    integer lda = (integer)g->lda, ldb = (integer)g->ldb, ldc = (integer)g->ldc;                        \
    name(&ta, &tb, &m, &n, &k, &alpha, g->a, &lda, g->b, &ldb, &beta, g->c, &ldc, 1, 1);                \
  } while (0)

#define CALL_CBLAS(name, type, integer)                                                                 \
  name((CBLAS_LAYOUT)g->layout, (CBLAS_TRANSPOSE)g->ta, (CBLAS_TRANSPOSE)g->tb, (integer)g->m,          \
       (integer)g->n, (integer)g->k, (type)g->alpha, g->a, (integer)g->lda, g->b, (integer)g->ldb,      \
       (type)g->beta, g->c, (integer)g->ldc)

static void call(int family, const struct args *g) {
  char ta = letter(g->ta, g->m & 1), tb = letter(g->tb, g->n & 1);
  bool f32 = g->type == TSR_F32;
  memset(&report, 0, sizeof report);
  switch (family) {
    case FORTRAN: if (f32) CALL_FORTRAN(sgemm_, float, int); else CALL_FORTRAN(dgemm_, double, int); break;
    case CBLAS: if (f32) CALL_CBLAS(cblas_sgemm, float, int); else CALL_CBLAS(cblas_dgemm, double, int); break;
    case FORTRAN_64:
      if (f32) CALL_FORTRAN(sgemm_64_, float, int64_t); else CALL_FORTRAN(dgemm_64_, double, int64_t);
      break;
    case CBLAS_64:
      if (f32) CALL_CBLAS(cblas_sgemm64_, float, int64_t); else CALL_CBLAS(cblas_dgemm64_, double, int64_t);
      break;
  }
}

static bool is_cblas(int family) { return family == CBLAS || family == CBLAS_64; }

/* --- data --------------------------------------------------------------------------------------------------------- */

enum { MOST = 64 * 64 };
static double a_data[MOST], b_data[MOST], c_start[MOST], c_data[MOST], c_expected[MOST];

static int64_t below(int64_t n) { return (int64_t)(lrand48() % n); }

static void fill(tsr_type type, void *to) {
  for (int i = 0; i < MOST; i++) {
    double x = drand48() - 0.5;
    if (type == TSR_F32) ((float *)to)[i] = (float)x;
    else ((double *)to)[i] = x;
  }
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

static void expect(const struct args *g) {
  tsr_gemm_desc d = {sizeof d, g->type, (tsr_order)g->layout, g->ta == CblasNoTrans ? TSR_NO_TRANS : TSR_TRANS,
                     g->tb == CblasNoTrans ? TSR_NO_TRANS : TSR_TRANS, g->m, g->n, g->k, g->lda, g->ldb, g->ldc,
                     g->alpha, g->beta, g->type, NULL, NULL, NULL, 0, 0};
  memcpy(c_expected, c_start, sizeof c_start);
  assert_int_equal(tsr_gemm(NULL, &d, g->a, g->b, c_expected), TSR_OK);
}

static struct args random_call(tsr_type type) {
  struct args g = {type, below(2) ? CblasRowMajor : CblasColMajor, CblasNoTrans + (int)below(3),
                   CblasNoTrans + (int)below(3), 1 + below(40), 1 + below(40), below(40), 40 + below(24),
                   40 + below(24), 40 + below(24), (double)below(3) / 2, (double)below(3) / 2, a_data, b_data, c_data};
  return g;
}

/* The faces, under all their names, give the bits of tsr_gemm. */
static void faces_agree(void **state) {
  (void)state;
  for (int i = 0; i < 600; i++) {
    struct args g = random_call(i & 1 ? TSR_F32 : TSR_F64);
    fill(g.type, a_data), fill(g.type, b_data), fill(g.type, c_start);
    for (int family = 0; family < FAMILIES; family++) {
      if (!is_cblas(family)) g.layout = CblasColMajor;
      expect(&g);
      memcpy(c_data, c_start, sizeof c_data);
      call(family, &g);
      assert_int_equal(report.calls, 0);
      assert_memory_equal(c_data, c_expected, sizeof c_data);
    }
  }
}

/* What the reference reports: Fortran's first bad parameter in its order. */
static int reference_check(const struct args *g, int ta, int tb) {
  int64_t rows_a = ta == CblasNoTrans ? g->m : g->k, rows_b = tb == CblasNoTrans ? g->k : g->n;
  if (letter(ta, false) == 'X') return 1;
  if (letter(tb, false) == 'X') return 2;
  if (g->m < 0) return 3;
  if (g->n < 0) return 4;
  if (g->k < 0) return 5;
  if (g->lda < (rows_a > 1 ? rows_a : 1)) return 8;
  if (g->ldb < (rows_b > 1 ? rows_b : 1)) return 10;
  return g->ldc < (g->m > 1 ? g->m : 1) ? 13 : 0;
}

/* Reference CBLAS tests the enums itself and leaves the rest to Fortran, with the operands exchanged if row-major. */
static void reference_report(const struct args *g, bool cblas, int *parameter, bool *by_cblas) {
  struct args f = *g;
  *by_cblas = cblas;
  bool row = cblas && g->layout == CblasRowMajor;
  if (cblas && !row && g->layout != CblasColMajor) *parameter = 1;
  else if (cblas && letter(g->ta, false) == 'X') *parameter = 2;
  else if (cblas && letter(g->tb, false) == 'X') *parameter = row ? 2 : 3;
  else {
    if (row) f.m = g->n, f.n = g->m, f.lda = g->ldb, f.ldb = g->lda;
    *parameter = reference_check(&f, row ? g->tb : g->ta, row ? g->ta : g->tb);
    *by_cblas = false;
  }
}

static struct args random_bad_call(tsr_type type) {
  static const int layouts[] = {101, 102, 101, 102, 101, 102, 0}, trans[] = {111, 112, 113, 111, 112, 113, 112, 7};
  struct args g = {type, layouts[below(7)], trans[below(8)], trans[below(8)], below(10) - 1, below(10) - 1,
                   below(10) - 1, below(14), below(14), below(14), 1, 0, a_data, b_data, c_data};
  return g;
}

static void check_report(const struct args *g, int family) {
  int parameter;
  bool by_cblas, row = is_cblas(family) && g->layout == CblasRowMajor;
  reference_report(g, is_cblas(family), &parameter, &by_cblas);
  assert_int_equal(report.calls, parameter != 0);
  assert_int_equal(report.parameter, parameter);
  if (!parameter) return;
  assert_memory_equal(c_data, c_start, sizeof c_data);
  assert_string_equal(report.routine, by_cblas ? (g->type == TSR_F32 ? "cblas_sgemm" : "cblas_dgemm")
                                               : (g->type == TSR_F32 ? "SGEMM " : "DGEMM "));
  assert_int_equal(report.row_major, row);
  assert_int_equal(report.from_c, is_cblas(family));
  assert_int_equal(RowMajorStrg, 0);
  assert_int_equal(CBLAS_CallFromC, 0);
}

static void bad_arguments(void **state) {
  (void)state;
  int seen[14] = {0};
  for (int i = 0; i < 20000; i++) {
    struct args g = random_bad_call(i & 1 ? TSR_F32 : TSR_F64);
    int family = (int)below(FAMILIES);
    memcpy(c_data, c_start, sizeof c_data);
    call(family, &g);
    check_report(&g, family);
    seen[report.parameter]++;
  }
  for (int p = 0; p < 14; p++) assert_true(seen[p] > 0 || p == 6 || p == 7 || p == 9 || p == 11 || p == 12);
}

/* NULL where elements would be read or written is parameter 7, 9 or 12; where none would be, it is nobody's concern. */
static void null_pointers(void **state) {
  (void)state;
  for (int family = 0; family < FAMILIES; family++)
    for (int layout = CblasRowMajor; layout <= CblasColMajor; layout++) {
      const struct args good = {TSR_F32, layout, CblasNoTrans, CblasNoTrans, 3, 3, 3, 3, 3, 3, 1, 1, a_data, b_data, c_data};
      struct args g = good;
      g.a = NULL;
      call(family, &g);
      assert_int_equal(report.parameter, 7);
      g = good, g.b = NULL;
      call(family, &g);
      assert_int_equal(report.parameter, 9);
      g = good, g.c = NULL;
      call(family, &g);
      assert_int_equal(report.parameter, 12);
      g = good, g.a = g.b = NULL, g.alpha = 0;
      call(family, &g);
      assert_int_equal(report.calls, 0);
      g = good, g.a = g.b = NULL, g.c = NULL, g.m = 0;
      call(family, &g);
      assert_int_equal(report.calls, 0);
    }
}

/* Sizes that only 64 bits can hold must not be cut to 32. */
static void wide_integers(void **state) {
  (void)state;
  const int64_t wide = (int64_t)1 << 32;
  for (int family = FORTRAN_64; family < FAMILIES; family++) {
    struct args g = {TSR_F32, CblasColMajor, CblasNoTrans, CblasNoTrans, 3, 1, 1, wide + 1, wide + 1, wide + 1, 1, 0,
                     a_data, b_data, c_data};
    call(family, &g);
    assert_int_equal(report.calls, 0);
    g.m = -wide;
    call(family, &g);
    assert_int_equal(report.parameter, 3);
    g.m = 3, g.n = 4, g.ldb = INT64_MAX;
    call(family, &g);
    assert_int_equal(report.parameter, 10);
    g.m = wide, g.n = 0, g.lda = wide, g.ldb = 1, g.ldc = wide;
    call(family, &g);
    assert_int_equal(report.calls, 0);
  }
}

/* Columns 8 GiB apart: what lies between is reserved, never touched. */
static void far_columns(void **state) {
  (void)state;
  for (int family = 0; family < FAMILIES; family++) {
    int64_t ld = family < FORTRAN_64 ? 0x7fffffff : ((int64_t)1 << 31) + 5;
    size_t bytes = (size_t)(ld + 8) * sizeof(float);
    float *far = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (far == MAP_FAILED) skip();
    float b[2] = {1, 10}, c[2] = {0, 0};
    far[0] = 1, far[1] = 2, far[ld] = 3, far[ld + 1] = 4;
    struct args g = {TSR_F32, CblasColMajor, CblasNoTrans, CblasNoTrans, 2, 1, 2, ld, 2, 2, 1, 0, far, b, c};
    call(family, &g);
    assert_int_equal(report.calls, 0);
    assert_true(c[0] == 31 && c[1] == 42);
    munmap(far, bytes);
  }
}

int main(void) {
  srand48(1);
  const struct CMUnitTest tests[] = {cmocka_unit_test(faces_agree), cmocka_unit_test(bad_arguments),
                                     cmocka_unit_test(null_pointers),
                                     cmocka_unit_test(wide_integers), cmocka_unit_test(far_columns)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
