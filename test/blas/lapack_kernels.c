/* Every line of every chip's list that ends a factorisation (LEVEL2_LU and LEVEL2_CHOLESKY, kernels/kernel.h) against
 * the loop that it stands for: equal bits, whatever the size, and nothing touched outside. */
#include "lapack_case.h"

#include <float.h>
#include <math.h>

#include "src/core/core.h"
#include "src/core/memory.h"

/* --- Arithmetic as the contract has it; f32 is kept in doubles, which hold it exactly --- */

struct value {
  double re, im;
};

static bool single, complex_type; /* of the kernel at hand */

static double rounded_fma(double a, double b, double c) {
  return single ? (double)fmaf((float)a, (float)b, (float)c) : fma(a, b, c);
}
static double rounded(double x) {
  volatile float f = (float)x;
  return single ? (double)f : x;
}
static double quotient(double a, double b) {
  volatile float f = (float)a / (float)b;
  return single ? (double)f : a / b;
}
static struct value minus(struct value x, struct value l, struct value u) {
  x.re = rounded_fma(-l.re, u.re, x.re);
  if (!complex_type) return x;
  x.im = rounded_fma(-l.im, u.re, x.im);
  return (struct value){rounded_fma(l.im, u.im, x.re), rounded_fma(-l.re, u.im, x.im)};
}
static struct value times(struct value x, struct value s) {
  if (!complex_type) return (struct value){rounded(x.re * s.re), 0};
  return (struct value){rounded_fma(-x.im, s.im, rounded(x.re * s.re)), rounded_fma(x.re, s.im, rounded(x.im * s.re))};
}
static struct value over(struct value x, struct value y) {
  if (!complex_type) return (struct value){quotient(x.re, y.re), 0};
  if (fabs(y.re) >= fabs(y.im)) {
    double r = quotient(y.im, y.re), d = rounded_fma(y.im, r, y.re);
    return (struct value){quotient(rounded_fma(x.im, r, x.re), d), quotient(rounded_fma(-x.re, r, x.im), d)};
  }
  double r = quotient(y.re, y.im), d = rounded_fma(y.re, r, y.im);
  return (struct value){quotient(rounded_fma(x.re, r, x.im), d), quotient(rounded_fma(x.im, r, -x.re), d)};
}
static double magnitude(struct value x) { return complex_type ? rounded(fabs(x.re) + fabs(x.im)) : fabs(x.re); }

static struct value at(const struct matrix *a, int i, int j) {
  number x = get(a, i, j);
  return (struct value){creal(x), cimag(x)};
}
static void set(const struct matrix *a, int i, int j, struct value x) { put(a, i, j, CMPLX(x.re, x.im)); }

/* --- The loops --- */

static void lu(const struct matrix *a, int64_t *pivots) {
  double least = single ? FLT_MIN : DBL_MIN;
  for (int j = 0; j < a->n; j++) {
    for (int i = 0; i < a->m; i++) {
      struct value x = at(a, i, j);
      for (int p = 0; p < (i < j ? i : j); p++) x = minus(x, at(a, i, p), at(a, p, j));
      set(a, i, j, x);
    }
    int row = j;
    for (int i = j; i < a->m; i++) {
      double size = magnitude(at(a, i, j)), most = magnitude(at(a, row, j));
      if (!isnan(most) && (isnan(size) || size > most)) row = i;
    }
    pivots[j] = row;
    for (int k = 0; k < a->n; k++) {
      struct value kept = at(a, j, k);
      set(a, j, k, at(a, row, k));
      set(a, row, k, kept);
    }
    struct value pivot = at(a, j, j);
    if (pivot.re == 0 && pivot.im == 0) continue;
    bool tiny = fabs(pivot.re) < least && fabs(pivot.im) < least;
    struct value inverse = over((struct value){1, 0}, pivot);
    for (int i = j + 1; i < a->m; i++) set(a, i, j, tiny ? over(at(a, i, j), pivot) : times(at(a, i, j), inverse));
  }
}

static int64_t cholesky(const struct matrix *a) {
  for (int j = 0; j < a->n; j++) {
    for (int i = j; i < a->n; i++) {
      struct value x = at(a, i, j);
      if (i == j) x.im = 0;
      for (int p = 0; p < j; p++) {
        struct value u = at(a, j, p);
        u.im = -u.im;
        x = minus(x, at(a, i, p), u);
      }
      set(a, i, j, x);
    }
    double diagonal = at(a, j, j).re;
    if (!(diagonal > 0)) return j + 1;
    double root = single ? (double)sqrtf((float)diagonal) : sqrt(diagonal), inverse = quotient(1, root);
    set(a, j, j, (struct value){root, 0});
    for (int i = j + 1; i < a->n; i++) {
      struct value x = at(a, i, j);
      set(a, i, j, (struct value){rounded(x.re * inverse), rounded(x.im * inverse)});
    }
  }
  return 0;
}

/* --- Cases --- */

static int pick(int low, int high) { return low + (int)((random_number() + 1) / 2 * (high - low + 1)) % (high - low + 1); }

static bool same(double x, double y) { return isnan(x) ? isnan(y) : x == y && signbit(x) == signbit(y); }

static void expect_same(const struct matrix *got, const struct matrix *want, const char *symbol, bool lower) {
  for (int j = 0; j < got->n; j++)
    for (int i = lower ? j : 0; i < got->m; i++) {
      struct value x = at(got, i, j), y = at(want, i, j);
      if (!same(x.re, y.re) || !same(x.im, y.im))
        fail_msg("%s, %d x %d: (%d, %d) is %a %a, not %a %a", symbol, got->m, got->n, i, j, x.re, x.im, y.re, y.im);
    }
}

/* Numbers of which many are alike, so that the first of them must be found; random ones; and unwelcome ones. */
static void fill(const struct matrix *a, int theme) {
  static const double odd[] = {0, -0.0, INFINITY, -INFINITY, NAN, 1e-310, 1e-40, -1e-42, 1e38};
  for (int j = 0; j < a->n; j++)
    for (int i = 0; i < a->m; i++) {
      double parts[2];
      for (int p = 0; p < 2; p++) {
        parts[p] = theme == 0 ? pick(-2, 2) : random_number();
        if (theme == 2 && pick(0, 9) == 0) parts[p] = odd[pick(0, 8)];
        if (theme == 3) parts[p] *= single ? 1e-41 : 1e-311;
      }
      put(a, i, j, CMPLX(parts[0], parts[1]));
    }
}

static void check_lu(const struct tsr_kernel *kernel, const struct kind *kind, int m, int n, int theme) {
  struct matrix a = matrix_new(kind, m, n, m + pick(0, 9), theme % 2);
  int64_t pivots[TSR_LU_COLUMNS + 1] = {0}, expected[TSR_LU_COLUMNS + 1] = {0};
  fill(&a, theme);
  struct matrix want = copy_of(&a);
  struct tsr_step step = {.m = m, .n = n, .k = 1, .csc = a.ld * (int64_t)kind->size};
  lu(&want, expected);
  kernel->run(&step, 0, (tsr_mem)pivots, (tsr_mem)a.at);
  for (int j = 0; j <= n && j < TSR_LU_COLUMNS; j++)
    if (pivots[j] != expected[j])
      fail_msg("%s, %d x %d: pivot %d is %d, not %d", kernel->symbol, m, n, j, (int)pivots[j], (int)expected[j]);
  expect_same(&a, &want, kernel->symbol, false);
  matrix_free(&a);
  matrix_free(&want);
}

static void check_cholesky(const struct tsr_kernel *kernel, const struct kind *kind, int n, int theme) {
  struct matrix a = matrix_new(kind, n, n, n + pick(0, 9), theme % 2);
  int64_t info = -1;
  fill(&a, theme);
  for (int i = 0; i < n; i++)
    if (theme < 3 || i != n / 2) put(&a, i, i, CMPLX(fabs(creal(get(&a, i, i))) + 2 * n, NAN)); /* never looked at */
  struct matrix want = copy_of(&a);
  for (int j = 1; j < n; j++)
    for (int i = 0; i < j; i++) put(&a, i, j, CMPLX(NAN, NAN));
  struct tsr_step step = {.m = n, .n = n, .k = 1, .csc = a.ld * (int64_t)kind->size};
  int64_t expected = cholesky(&want);
  kernel->run(&step, 0, (tsr_mem)&info, (tsr_mem)a.at);
  assert_int_equal(info, expected);
  int done = expected ? (int)expected - 1 : n; /* columns behind it are not promised */
  struct matrix got_part = a, want_part = want;
  got_part.n = want_part.n = done;
  expect_same(&got_part, &want_part, kernel->symbol, true);
  for (int j = 1; j < n; j++)
    for (int i = 0; i < j; i++) assert_true(isnan(creal(get(&a, i, j))));
  matrix_free(&a);
  matrix_free(&want);
}

static const struct kind *kind_of(const struct tsr_kernel *kernel) {
  int type = kernel->tc;
  const struct kind *kind = &kinds[type == TSR_F32 ? 0 : type == TSR_F64 ? 1 : type == TSR_C32 ? 2 : 3];
  single = kind->is_single;
  complex_type = kind->is_complex;
  return kind;
}

static void check(const struct tsr_kernel *kernel) {
  const struct kind *kind = kind_of(kernel);
  for (int theme = 0; theme < 4; theme++) {
    if (kernel->op == TSR_OP_LEVEL2_CHOLESKY) {
      for (int n = 1; n <= TSR_CHOLESKY_ROWS; n++) check_cholesky(kernel, kind, n, theme);
      continue;
    }
    for (int n = 1; n <= TSR_LU_COLUMNS; n++)
      for (int m = n; m < 120; m += m < 40 ? 1 : 13) check_lu(kernel, kind, m, n, theme);
    check_lu(kernel, kind, 1000, TSR_LU_COLUMNS, theme);
  }
}

/* Each chip that this machine runs has all eight, and all are right. */
static void lines(void **state) {
  (void)state;
  int chips;
  char why[256];
  const struct tsr_chip *const *chip = tsr_chips(&chips);
  for (int c = 0; c < chips; c++) {
    int found = 0;
    if (!chip[c]->usable(why)) continue;
    for (int i = 0; i < chip[c]->nkernels; i++) {
      const struct tsr_kernel *kernel = &chip[c]->kernel[i];
      if (kernel->op != TSR_OP_LEVEL2_LU && kernel->op != TSR_OP_LEVEL2_CHOLESKY) continue;
      check(kernel);
      found++;
    }
    assert_int_equal(found, 8);
  }
}

/* Whenever memory runs out, a routine gives the same bits by another way, or says that it gave up. */
static void no_memory(void **state) {
  (void)state;
  const struct kind *kind = &kinds[1];
  int n = 300, pivots[300], info;
  char *done[3] = {NULL};
  struct matrix a = matrix_new(kind, n, n, n, false), b = matrix_new(kind, n, n, n, false);
  fill(&a, 1);
  for (int i = 0; i < n; i++) put(&a, i, i, n);
  fill(&b, 1);
  for (int after = -1; after < 40; after = after < 3 ? after + 1 : after * 3) {
    struct matrix f[3] = {copy_of(&a), copy_of(&a), copy_of(&b)};
    int infos[3];
    if (after >= 0) tsr_scratch_fail_after(after);
    dgetrf_(&n, &n, f[0].at, &n, pivots, &infos[0]);
    dpotrf_("L", &n, f[1].at, &n, &infos[1], (size_t)1);
    dpotri_("L", &n, f[1].at, &n, &info, (size_t)1);
    dgesv_(&n, &n, f[2].at, &n, pivots, f[0].at, &n, &infos[2]);
    tsr_scratch_fail_after(-1);
    for (int i = 0; i < 3; i++) {
      assert_true(infos[i] == 0 || (after >= 0 && infos[i] == -1010));
      if (!done[i]) memcpy(done[i] = malloc(f[i].bytes), f[i].at, f[i].bytes);
      if (infos[0] == 0 && infos[1] == 0 && info == 0 && infos[2] == 0)
        assert_memory_equal(f[i].at, done[i], f[i].bytes);
      matrix_free(&f[i]);
    }
  }
  for (int i = 0; i < 3; i++) free(done[i]);
  matrix_free(&a);
  matrix_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(lines), cmocka_unit_test(no_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
