/* What the tests of LAPACK's routines share: the four types behind one table, matrices in guarded memory, and
 * arithmetic in long double to weigh residuals with. */
#ifndef LAPACK_CASE_H
#define LAPACK_CASE_H

#include <complex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

typedef double complex number;
#ifndef CMPLX /* C library headers that take clang for an old compiler */
#define CMPLX(re, im) __builtin_complex((double)(re), (double)(im))
#endif

#define LAPACK_PROTOTYPES(s, suffix, integer)                                                                      \
  void s##potrf##suffix(const char *, const integer *, void *, const integer *, integer *, ...);                   \
  void s##getrf##suffix(const integer *, const integer *, void *, const integer *, integer *, integer *);          \
  void s##trtri##suffix(const char *, const char *, const integer *, void *, const integer *, integer *, ...);     \
  void s##lauum##suffix(const char *, const integer *, void *, const integer *, integer *, ...);                   \
  void s##potri##suffix(const char *, const integer *, void *, const integer *, integer *, ...);                   \
  void s##potrs##suffix(const char *, const integer *, const integer *, const void *, const integer *, void *,     \
                        const integer *, integer *, ...);                                                          \
  void s##getrs##suffix(const char *, const integer *, const integer *, const void *, const integer *,             \
                        const integer *, void *, const integer *, integer *, ...);                                 \
  void s##gesv##suffix(const integer *, const integer *, void *, const integer *, integer *, void *,               \
                       const integer *, integer *);                                                                \
  void s##laswp##suffix(const integer *, void *, const integer *, const integer *, const integer *,                \
                        const integer *, const integer *);
LAPACK_PROTOTYPES(s, _, int)
LAPACK_PROTOTYPES(d, _, int)
LAPACK_PROTOTYPES(c, _, int)
LAPACK_PROTOTYPES(z, _, int)
LAPACK_PROTOTYPES(d, _64_, int64_t)
LAPACK_PROTOTYPES(z, _64_, int64_t)

struct kind {
  const char *name;
  size_t size;
  bool is_complex, is_single;
  double eps;
  __typeof__(dpotrf_) *potrf;
  __typeof__(dgetrf_) *getrf;
  __typeof__(dtrtri_) *trtri;
  __typeof__(dlauum_) *lauum, *potri;
  __typeof__(dpotrs_) *potrs;
  __typeof__(dgetrs_) *getrs;
  __typeof__(dgesv_) *gesv;
  __typeof__(dlaswp_) *laswp;
};
static const struct kind kinds[4] = {
    {"s", 4, false, true, 6e-8, spotrf_, sgetrf_, strtri_, slauum_, spotri_, spotrs_, sgetrs_, sgesv_, slaswp_},
    {"d", 8, false, false, 1.2e-16, dpotrf_, dgetrf_, dtrtri_, dlauum_, dpotri_, dpotrs_, dgetrs_, dgesv_, dlaswp_},
    {"c", 8, true, true, 6e-8, cpotrf_, cgetrf_, ctrtri_, clauum_, cpotri_, cpotrs_, cgetrs_, cgesv_, claswp_},
    {"z", 16, true, false, 1.2e-16, zpotrf_, zgetrf_, ztrtri_, zlauum_, zpotri_, zpotrs_, zgetrs_, zgesv_, zlaswp_}};

static uint64_t random_state = 1;
static inline double random_number(void) { /* -1 to 1 */
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (double)(int64_t)(random_state ^ random_state >> 29) / 9223372036854775808.0;
}

/* m x n elements between two guard pages, flush to the one behind (or, with `front`, to the one before). What lies
 * between columns is poison, which must be there still when the matrix is freed. */
struct matrix {
  const struct kind *kind;
  int m, n, ld;
  char *at, *pages;
  size_t bytes, mapped;
};

static inline struct matrix matrix_new(const struct kind *kind, int m, int n, int ld, bool front) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  struct matrix a = {.kind = kind, .m = m, .n = n, .ld = ld};
  a.bytes = n > 0 ? ((size_t)ld * (size_t)(n - 1) + (size_t)m) * kind->size : 0;
  size_t inner = (a.bytes + page - 1) / page * page;
  a.mapped = inner + 2 * page;
  a.pages = mmap(NULL, a.mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(a.pages != MAP_FAILED);
  if (inner > 0) assert_int_equal(mprotect(a.pages + page, inner, PROT_READ | PROT_WRITE), 0);
  a.at = a.pages + page + (front ? 0 : inner - a.bytes);
  memset(a.at, 0xa5, a.bytes);
  return a;
}
static inline void matrix_free(struct matrix *a) {
  for (int j = 0; j + 1 < a->n; j++)
    for (size_t i = (size_t)a->m * a->kind->size; i < (size_t)a->ld * a->kind->size; i++)
      assert_int_equal((unsigned char)a->at[(size_t)j * (size_t)a->ld * a->kind->size + i], 0xa5);
  munmap(a->pages, a->mapped);
}

static inline char *matrix_at(const struct matrix *a, int i, int j) {
  return a->at + ((size_t)i + (size_t)j * (size_t)a->ld) * a->kind->size;
}
static inline number get(const struct matrix *a, int i, int j) {
  const char *p = matrix_at(a, i, j);
  if (a->kind->is_single) {
    const float *x = (const float *)p;
    return a->kind->is_complex ? CMPLX(x[0], x[1]) : x[0];
  }
  const double *x = (const double *)p;
  return a->kind->is_complex ? CMPLX(x[0], x[1]) : x[0];
}
static inline void put(const struct matrix *a, int i, int j, number value) {
  char *p = matrix_at(a, i, j);
  double parts[2] = {creal(value), cimag(value)};
  for (int part = 0; part <= a->kind->is_complex; part++)
    if (a->kind->is_single)
      ((float *)p)[part] = (float)parts[part];
    else
      ((double *)p)[part] = parts[part];
}
static inline number random_element(const struct kind *kind) {
  double re = random_number();
  return kind->is_complex ? CMPLX(re, random_number()) : re;
}
static inline void fill_random(const struct matrix *a) {
  for (int j = 0; j < a->n; j++)
    for (int i = 0; i < a->m; i++) put(a, i, j, random_element(a->kind));
}
static inline struct matrix copy_of(const struct matrix *a) {
  struct matrix b = matrix_new(a->kind, a->m, a->n, a->ld, false);
  if (a->bytes > 0) memcpy(b.at, a->at, a->bytes);
  return b;
}

/* Which elements an operand means: of a triangle its half, with ones on the diagonal if it is unit; conjugated and
 * transposed if asked. */
enum view { WHOLE, LOWER, UPPER, UNIT_LOWER, UNIT_UPPER };
struct operand {
  const struct matrix *a;
  enum view view;
  char op; /* N, T or C */
};
static inline number element(struct operand x, int i, int j) {
  if (x.op != 'N') {
    int kept = i;
    i = j;
    j = kept;
  }
  bool lower = x.view == LOWER || x.view == UNIT_LOWER, unit = x.view == UNIT_LOWER || x.view == UNIT_UPPER;
  if (unit && i == j) return 1;
  if (x.view != WHOLE && (lower ? i < j : i > j)) return 0;
  number value = get(x.a, i, j);
  return x.op == 'C' ? conj(value) : value;
}

/* y = X v for a whole vector; sizes = sum of |X| |v|. Rows and columns are those of op(X). */
static inline void multiply(struct operand x, int m, int n, const number *v, const double *v_size, number *y,
                            double *y_size) {
  for (int i = 0; i < m; i++) {
    long double re = 0, im = 0;
    double size = 0;
    for (int j = 0; j < n; j++) {
      number e = element(x, i, j);
      if (e == 0) continue;
      re += (long double)creal(e) * creal(v[j]) - (long double)cimag(e) * cimag(v[j]);
      im += (long double)creal(e) * cimag(v[j]) + (long double)cimag(e) * creal(v[j]);
      size += cabs(e) * v_size[j];
    }
    y[i] = CMPLX((double)re, (double)im);
    y_size[i] = size;
  }
}

#endif
