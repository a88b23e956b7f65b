/* Level 1 as programs call it: through the faces, Fortran's and C's, with both sizes of integers. The kernels' bits are
 * tested by level1_kernels; here blocks and threads, increments, special values and rotations. */
#include <complex.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cblas.h"
#include "kernels/level1_table.h"
#include "tessera/tessera.h"

#undef CMPLX /* not every compiler's library has them */
#undef CMPLXF
#define CMPLX(re, im) __builtin_complex((double)(re), (double)(im))
#define CMPLXF(re, im) __builtin_complex((float)(re), (float)(im))

/* Fortran's faces as gfortran calls them. */
double ddot_(const int *, const double *, const int *, const double *, const int *);
double ddot_64_(const int64_t *, const double *, const int64_t *, const double *, const int64_t *);
float sdot_(const int *, const float *, const int *, const float *, const int *);
float sdsdot_(const int *, const float *, const float *, const int *, const float *, const int *);
float _Complex cdotu_(const int *, const void *, const int *, const void *, const int *);
float _Complex cdotc_(const int *, const void *, const int *, const void *, const int *);
double _Complex zdotu_(const int *, const void *, const int *, const void *, const int *);
double _Complex zdotc_64_(const int64_t *, const void *, const int64_t *, const void *, const int64_t *);
float scnrm2_(const int *, const void *, const int *);
float scabs1_(const void *);
int idamax_(const int *, const double *, const int *);
int64_t idamax_64_(const int64_t *, const double *, const int64_t *);
int icamax_(const int *, const void *, const int *);

enum { MOST = 3000000 };
static double *x, *y, *z, *w;

static void fill(double *to, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = drand48() - 0.5;
}

static int set_up(void **state) {
  (void)state;
  double **all[] = {&x, &y, &z, &w};
  for (int i = 0; i < 4; i++) {
    *all[i] = malloc(MOST * sizeof(double));
    if (!*all[i]) return 1;
    fill(*all[i], MOST);
  }
  return 0;
}

/* --- Sums of long vectors: lanes, blocks, threads ------------------------------------------------------------------- */

static double block_dot(int64_t n, const double *a, const double *b, int step, int first_a, int first_b) {
  double lanes[TSR_LEVEL1_LANES_F64] = {0};
  for (int64_t i = 0; i < n; i++) {
    int lane = (int)(i % (TSR_LEVEL1_LANES_F64 / step));
    lanes[lane] = fma(a[i * step + first_a], b[i * step + first_b], lanes[lane]);
  }
  for (int half = TSR_LEVEL1_LANES_F64 / step / 2; half; half /= 2)
    for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
  return lanes[0];
}

/* Of elements `step` reals wide: the products of part first_a of a and part first_b of b. */
static double blocks_dot(int64_t n, const double *a, const double *b, int step, int first_a, int first_b) {
  int64_t block = TSR_LEVEL1_BLOCK / step;
  double sum = 0;
  for (int64_t at = 0; at < n; at += block) {
    double s = block_dot(n - at < block ? n - at : block, a + at * step, b + at * step, step, first_a, first_b);
    sum = at == 0 ? s : sum + s;
  }
  return sum;
}

static const int long_sizes[] = {1, 33, 32767, 32768, 32769, 140000, 300001, 1200007, 2999999};

static void long_dots(void **state) {
  (void)state;
  int one = 1;
  for (size_t i = 0; i < sizeof long_sizes / sizeof long_sizes[0]; i++)
    for (int threads = 1; threads <= 2; threads++) {
      int n = long_sizes[i], half = n / 2;
      int64_t n64 = half, one64 = 1;
      tsr_set_num_threads(NULL, threads);
      double want = blocks_dot(n, x, y, 1, 0, 0), got = ddot_(&n, x, &one, y, &one);
      assert_memory_equal(&got, &want, sizeof got);
      got = cblas_ddot64_(n, x, 1, y, 1);
      assert_memory_equal(&got, &want, sizeof got);
      double rr = blocks_dot(half, x, y, 2, 0, 0), ii = blocks_dot(half, x, y, 2, 1, 1);
      double ri = blocks_dot(half, x, y, 2, 0, 1), ir = blocks_dot(half, x, y, 2, 1, 0);
      double _Complex u = zdotu_(&half, x, &one, y, &one), c = zdotc_64_(&n64, x, &one64, y, &one64);
      assert_true(creal(u) == rr - ii && cimag(u) == ri + ir);
      assert_true(creal(c) == rr + ii && cimag(c) == ri - ir);
      double sub[2];
      cblas_zdotc_sub(half, x, 1, y, 1, sub);
      assert_true(sub[0] == creal(c) && sub[1] == cimag(c));
      got = cblas_dnrm2(n, x, 1), want = sqrt(blocks_dot(n, x, x, 1, 0, 0));
      assert_memory_equal(&got, &want, sizeof got);
    }
}

/* Everything else that is cut into pieces: threads change nothing. */
static void threads_agree(void **state) {
  (void)state;
  enum { N = 2500003 };
  for (int inc = 1; inc >= -1; inc -= 2) {
    double sums[2][4], alpha[2] = {1.25, -0.5};
    size_t at[2][2];
    for (int t = 0; t < 2; t++) {
      double *to = t ? w : z;
      tsr_set_num_threads(NULL, t + 1);
      memcpy(to, y, N * sizeof(double));
      cblas_daxpy(N, 0.3, x, inc, to, 1);
      cblas_zaxpy(N / 2, alpha, x, inc, to, 1);
      cblas_dscal(N, 1.0000001, to, 1);
      cblas_zscal(N / 2, alpha, to, 1);
      cblas_daxpby(N, 0.7, x, 1, 0.9, to, inc);
      cblas_drot(N / 2, to, 1, to + N / 2, inc, 0.8, 0.6);
      cblas_dswap(N / 3, to, inc, to + N / 2, 1);
      cblas_dcopy(N / 3, to, 1, to + N / 2, inc);
      sums[t][0] = cblas_dasum(N, to, 1);
      sums[t][1] = cblas_dzasum(N / 2, to, 1);
      sums[t][2] = cblas_dznrm2(N / 2, to, inc);
      sums[t][3] = cblas_dsdot(N, (float *)x, 1, (float *)y, inc);
      at[t][0] = cblas_idamax(N, to, 1);
      at[t][1] = cblas_izamax(N / 2, to, 1);
    }
    assert_memory_equal(z, w, N * sizeof(double));
    assert_memory_equal(sums[0], sums[1], sizeof sums[0]);
    assert_memory_equal(at[0], at[1], sizeof at[0]);
    size_t largest = 0;
    for (size_t i = 1; i < N; i++)
      if (fabs(z[i]) > fabs(z[largest])) largest = i;
    assert_int_equal(at[0][0], largest);
  }
}

/* --- Increments and lengths ----------------------------------------------------------------------------------------- */

static void increments(void **state) {
  (void)state;
  double a[8] = {1, 2, 3, 4, 5, 6, 7, 8}, b[8] = {0}, c[4] = {1, 10, 100, 1000};
  cblas_dcopy(4, a, -2, b, 1); /* a[6], a[4], a[2], a[0] */
  assert_true(b[0] == 7 && b[1] == 5 && b[2] == 3 && b[3] == 1 && b[4] == 0);
  cblas_dcopy(3, a, 1, b, -1);
  assert_true(b[0] == 3 && b[1] == 2 && b[2] == 1 && b[3] == 1);
  assert_true(cblas_ddot(4, a, -1, c, 1) == 4 + 30 + 200 + 1000);
  assert_true(cblas_ddot(4, a, 0, c, 1) == 1111);
  double sum = 0;
  cblas_daxpy(4, 1, a, 1, &sum, 0);
  assert_true(sum == 10);
  cblas_dscal(4, 2, a, -1), cblas_dscal(4, 2, a, 0), cblas_dscal(0, 2, a, 1), cblas_dscal(-1, 2, a, 1);
  assert_true(a[0] == 1 && a[3] == 4);
  assert_true(cblas_dasum(4, a, -1) == 0 && cblas_dasum(4, a, 0) == 0 && cblas_dasum(-4, a, 1) == 0);
  assert_true(cblas_dnrm2(2, a + 2, -1) == 5 && cblas_dnrm2(4, a, 0) == 2 && cblas_dnrm2(0, a, 1) == 0);
  int n = 4, zero = 0, minus = -1, one = 1;
  assert_int_equal(idamax_(&n, a, &one), 4);
  assert_int_equal(idamax_(&n, a, &zero), 0);
  assert_int_equal(idamax_(&n, a, &minus), 0);
  assert_int_equal(idamax_(&zero, a, &one), 0);
  assert_int_equal(cblas_idamax(0, a, 1), 0);
  assert_int_equal(cblas_idamax(4, a, 1), 3);
  int64_t n64 = 4, one64 = 1;
  assert_true(idamax_64_(&n64, a, &one64) == 4);
  assert_true(ddot_64_(&n64, a, &one64, c, &one64) == 4321);
  assert_true(cblas_ddot(-1, a, 1, c, 1) == 0);
  cblas_dswap(0, a, 1, c, 1), cblas_daxpy(-3, 1, a, 1, c, 1), cblas_drot(-1, a, 1, c, 1, 0, 1);
  assert_true(a[0] == 1 && c[0] == 1);
}

/* Complex numbers come back in registers, and the sum of sdsdot is rounded once. */
static void results(void **state) {
  (void)state;
  float a[4] = {1, 2, 3, 4}, b[4] = {5, 6, 7, 8}, shift = 0x1p-24f, big[2] = {1, 0x1p-30f}, ones[2] = {1, 1};
  int n = 2, one = 1;
  assert_true(cdotu_(&n, a, &one, b, &one) == CMPLXF(5 - 12 + 21 - 32, 6 + 10 + 24 + 28));
  assert_true(cdotc_(&n, a, &one, b, &one) == CMPLXF(5 + 12 + 21 + 32, 6 - 10 + 24 - 28));
  assert_true(sdsdot_(&n, &shift, big, &one, ones, &one) == 1 + 0x1p-23f);
  assert_true(cblas_dsdot(2, big, 1, ones, 1) == 1 + 0x1p-30);
  assert_true(sdot_(&n, big, &one, ones, &one) == 1);
  assert_true(scabs1_(a) == 3 && cblas_scabs1(a + 2) == 7);
  assert_true(scnrm2_(&n, a, &one) == sqrtf(30));
  assert_true(cblas_snrm2(2, a + 2, -1) == 5 && cblas_snrm2(2, a, -3) == sqrtf(17));
}

/* --- Special values (J. Demmel and others, "Proposed Consistent Exception Handling for the BLAS and LAPACK",
 * arXiv 2207.09281) --------------------------------------------------------------------------------------------------- */

static void largest(void **state) {
  (void)state;
  double a[6] = {1, -INFINITY, NAN, INFINITY, NAN, 2}, zeros[3] = {0, -0.0, 0}, tie[4] = {1, -3, 3, 3};
  assert_int_equal(cblas_idamax(6, a, 1), 2);
  assert_int_equal(cblas_idamax(2, a, 1), 1);
  assert_int_equal(cblas_idamax(1, a + 2, 1), 0);
  assert_int_equal(cblas_idamax(3, zeros, 1), 0);
  assert_int_equal(cblas_idamax(4, tie, 1), 1);
  a[0] = NAN;
  assert_int_equal(cblas_idamax(6, a, 1), 0);
  for (int at = 0; at < 5000; at += 97) { /* in any chunk, also behind an Inf */
    for (int i = 0; i < 5000; i++) x[i] = i < at && i % 3 == 0 ? INFINITY : -1;
    x[at] = x[4999] = NAN;
    assert_int_equal(cblas_idamax(5000, x, 1), at);
  }
  fill(x, 5000);
  float c[8] = {FLT_MAX, FLT_MAX, 1, INFINITY, FLT_MAX, -FLT_MAX, 0, 1};
  int n = 4, one = 1;
  assert_int_equal(icamax_(&n, c, &one), 2);
  c[3] = FLT_MAX;
  assert_int_equal(icamax_(&n, c, &one), 1);
  c[0] = c[1] = FLT_MAX / 1.5f;
  assert_int_equal(icamax_(&n, c, &one), 3);
  c[6] = NAN;
  assert_int_equal(icamax_(&n, c, &one), 4);
}

static void norms(void **state) {
  (void)state;
  double big[3] = {DBL_MAX / 2, DBL_MAX / 4, -DBL_MAX / 4}, tiny[4] = {3e-320, 0, 0, 4e-320}, mixed[3] = {1e-300, 1, 1e-200};
  assert_true(fabs(cblas_dnrm2(3, big, 1) / (DBL_MAX / 4) - sqrt(6)) < 1e-15);
  assert_true(cblas_dnrm2(2, tiny, 3) == 5e-320 && cblas_dznrm2(2, tiny, 1) == 5e-320);
  assert_true(cblas_dnrm2(3, mixed, 1) == 1);
  double all = DBL_MAX, both[2] = {DBL_MAX, DBL_MAX}, least = 0x1p-1074;
  assert_true(cblas_dnrm2(1, &all, 1) == DBL_MAX && isinf(cblas_dnrm2(2, both, 1)) && cblas_dnrm2(1, &least, 1) == least);
  double inf[3] = {1, -INFINITY, 2}, nan[3] = {INFINITY, NAN, -INFINITY}, zero[2] = {0, -0.0};
  assert_true(cblas_dnrm2(3, inf, 1) == INFINITY && isnan(cblas_dnrm2(3, nan, 1)) && isnan(cblas_dnrm2(3, nan, -1)));
  assert_true(cblas_dnrm2(2, zero, 1) == 0 && !signbit(cblas_dnrm2(2, zero, 1)));
  float f[4] = {3e38f, 3e-45f, 2e38f, 0}, small[2] = {0x1p-149f, 0x1p-149f};
  assert_true(isinf(cblas_snrm2(4, f, 1)));
  f[0] = 1e38f;
  assert_true(fabsf(cblas_snrm2(4, f, 1) / 2.236068e38f - 1) < 1e-6f && cblas_snrm2(2, small, 1) == 0x1p-149f);
  for (int i = 0; i < 100000; i++) z[i] = 1e-170;
  assert_true(fabs(cblas_dnrm2(100000, z, 1) / (1e-170 * sqrt(1e5)) - 1) < 1e-14);
  assert_true(fabs(cblas_dznrm2(25000, z, 2) / (1e-170 * sqrt(5e4)) - 1) < 1e-14);
  z[77777] = NAN;
  assert_true(isnan(cblas_dnrm2(100000, z, 1)));
}

static void nan_and_zero_factors(void **state) {
  (void)state;
  double a[2] = {NAN, INFINITY}, b[2] = {1, 2}, c[2] = {NAN, NAN};
  cblas_dscal(2, 0, a, 1); /* 0 * NaN, 0 * Inf */
  assert_true(isnan(a[0]) && isnan(a[1]));
  cblas_daxpy(2, 0, a, 1, b, 1);
  assert_true(b[0] == 1 && b[1] == 2);
  cblas_daxpby(2, 3, b, 1, 0, c, 1); /* y is not read */
  assert_true(c[0] == 3 && c[1] == 6);
  cblas_daxpby(2, 0, a, 1, 2, c, 1); /* x is not read */
  assert_true(c[0] == 6 && c[1] == 12);
  cblas_daxpby(2, 0, a, 1, 0, c, 1);
  assert_true(c[0] == 0 && c[1] == 0);
  const double none[2] = {0, 0};
  double pair[4] = {NAN, NAN, NAN, 1}, ones[4] = {1, 2, 3, 4}, i[2] = {0, 1};
  cblas_zaxpby(2, i, ones, 1, none, pair, 1);
  assert_true(pair[0] == -2 && pair[1] == 1 && pair[2] == -4 && pair[3] == 3);
  cblas_zaxpby(2, none, ones, 1, none, pair, 1);
  assert_true(pair[0] == 0 && pair[3] == 0);
  double u[2] = {INFINITY, 1}, v[2] = {1, NAN};
  cblas_drot(2, u, 1, v, 1, 0, 1); /* 0 * Inf + 1 * 1 */
  assert_true(isnan(u[0]) && isnan(u[1]) && v[0] == -INFINITY && isnan(v[1]));
}

/* --- Rotations ------------------------------------------------------------------------------------------------------ */

static void check_rotg(double a, double b) {
  double r = a, q = b, c, s;
  cblas_drotg(&r, &q, &c, &s);
  assert_true(fabs(c * c + s * s - 1) < 1e-15);
  double unit = fmax(fabs(a), fabs(b));
  if (unit == 0) return assert_true(c == 1 && s == 0 && r == 0 && q == 0);
  int e = ilogb(unit);
  a = ldexp(a, -e), b = ldexp(b, -e), r = ldexp(r, -e);
  assert_true(isinf(r) || fabs(c * a + s * b - r) < 1e-15 * fabs(r) + ldexp(1, -1074 - e)); /* r may be subnormal */
  assert_true(fabs(c * b - s * a) < 1e-15);
  double c2 = q == 1 ? 0 : fabs(q) < 1 ? sqrt(1 - q * q) : 1 / q, s2 = q == 1 ? 1 : fabs(q) < 1 ? q : sqrt(1 - c2 * c2);
  assert_true(fabs(c2 - c) < 1e-14 && fabs(fabs(s2) - fabs(s)) < 1e-7);
}

static void rotations(void **state) {
  (void)state;
  static const double values[] = {0, 1, -2, 3e-310, -4e-308, 1e300, -DBL_MAX / 2, 1e-160, 1e160, 0.6};
  for (int i = 0; i < 10; i++)
    for (int j = 0; j < 10; j++) check_rotg(values[i], values[j]);
  float a = -3, b = 4, c, s, big = 3e38f, same = 1e38f;
  cblas_srotg(&a, &b, &c, &s);
  assert_true(a == 5 && c == -0.6f && s == 0.8f && b == (float)(1 / -0.6));
  cblas_srotg(&big, &same, &c, &s);
  assert_true(fabsf(big / 3.1622777e38f - 1) < 1e-6f && fabsf(c * c + s * s - 1) < 1e-6f);
  double nan = NAN, one = 1, dc, ds;
  cblas_drotg(&nan, &one, &dc, &ds);
  assert_true(isnan(nan) && isnan(dc) && isnan(ds));
}

/* conj(s) turns f into 0: [c s; -conj(s) c] (f, g) = (r, 0). */
static void check_complex_rotg(double _Complex f, double _Complex g) {
  double _Complex r = f, s;
  double c;
  cblas_zrotg(&r, &g, &c, &s);
  int e = f == 0 && g == 0 ? 0 : -ilogb(fmax(fmax(fabs(creal(f)), fabs(cimag(f))), fmax(fabs(creal(g)), fabs(cimag(g)))));
  double _Complex fs = CMPLX(ldexp(creal(f), e), ldexp(cimag(f), e)), gs = CMPLX(ldexp(creal(g), e), ldexp(cimag(g), e));
  double _Complex rs = CMPLX(ldexp(creal(r), e), ldexp(cimag(r), e));
  assert_true(fabs(c * c + creal(s) * creal(s) + cimag(s) * cimag(s) - 1) < 4e-15);
  assert_true(cabs(c * fs + s * gs - rs) < 1e-14 + ldexp(2, -1074 + e)); /* r may be subnormal */
  assert_true(cabs(c * gs - conj(s) * fs) < 1e-14);
}

static void complex_rotations(void **state) {
  (void)state;
  static const double values[] = {0, 1, -2, 3e-310, 1e300, -1e-160, 5e160};
  for (int i = 0; i < 7 * 7 * 7 * 7; i++)
    check_complex_rotg(CMPLX(values[i % 7], values[i / 7 % 7]), CMPLX(values[i / 49 % 7], values[i / 343]));
  float _Complex f = CMPLXF(3e38f, 0), g = CMPLXF(0, 1e-30f), s;
  float c;
  cblas_crotg(&f, &g, &c, &s);
  assert_true(c == 1 && crealf(f) == 3e38f);
}

/* H (sqrt(d1) x1, sqrt(d2) y1) has no second component, whatever the flag, and the weights stay in range. */
static void check_rotmg(double d1, double d2, double x1, double y1) {
  double e1 = d1, e2 = d2, to = x1, param[5] = {0}, u[1] = {x1}, v[1] = {y1};
  cblas_drotmg(&e1, &e2, &to, y1, param);
  cblas_drotm(1, u, 1, v, 1, param);
  double before = d1 * x1 * x1 + d2 * y1 * y1, after = e1 * u[0] * u[0];
  assert_true(fabs(v[0]) <= 1e-13 * (fabs(u[0]) + 1) && fabs(u[0] - to) <= 1e-13 * fabs(to));
  assert_true(param[0] == -2 || fabs(before - after) <= 1e-12 * fabs(before));
  if (param[0] != -2)
    assert_true((e1 == 0 || (e1 > 0x1p-24 && e1 < 0x1p24)) && (e2 == 0 || (fabs(e2) > 0x1p-24 && fabs(e2) < 0x1p24)));
}

static void modified_rotations(void **state) {
  (void)state;
  for (int i = 0; i < 2000; i++)
    check_rotmg(exp(40 * (drand48() - 0.5)), exp(40 * (drand48() - 0.5)), drand48() - 0.5, drand48() - 0.5);
  check_rotmg(2, 3, 1, 0);
  double d1 = -1, d2 = 1, x1 = 1, param[5] = {9, 9, 9, 9, 9};
  cblas_drotmg(&d1, &d2, &x1, 1, param);
  assert_true(param[0] == -1 && d1 == 0 && d2 == 0 && x1 == 0 && param[1] == 0 && param[4] == 0);
  d1 = INFINITY, d2 = 1, x1 = 1;
  cblas_drotmg(&d1, &d2, &x1, 1, param); /* ends */
  double full[5] = {-1, 2, 3, 4, 5}, off[5] = {0, 9, 3, 4, 9}, on[5] = {1, 2, 9, 9, 5}, same[5] = {-2}, a = 7, b = 11;
  cblas_drotm(1, &a, 1, &b, 1, full);
  assert_true(a == 2 * 7 + 4 * 11 && b == 3 * 7 + 5 * 11);
  a = 7, b = 11, cblas_drotm(1, &a, 1, &b, 1, off);
  assert_true(a == 7 + 4 * 11 && b == 3 * 7 + 11);
  a = 7, b = 11, cblas_drotm(1, &a, 1, &b, 1, on);
  assert_true(a == 2 * 7 + 11 && b == -7 + 5 * 11);
  a = 7, b = 11, cblas_drotm(1, &a, 1, &b, 1, same);
  assert_true(a == 7 && b == 11);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(long_dots), cmocka_unit_test(threads_agree), cmocka_unit_test(increments),
      cmocka_unit_test(results), cmocka_unit_test(largest), cmocka_unit_test(norms),
      cmocka_unit_test(nan_and_zero_factors), cmocka_unit_test(rotations), cmocka_unit_test(complex_rotations),
      cmocka_unit_test(modified_rotations)};
  return cmocka_run_group_tests(tests, set_up, NULL);
}
