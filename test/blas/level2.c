/* Level 2 through its CBLAS faces, both layouts, all types: random problems against sums in long double, within bounds of
 * rounding errors. What a routine must not read is NaN, what it must not touch stays as it was, and operands end or begin
 * at pages that cannot be touched. And the bits: the same on one thread and on two, and from every chip's kernels, which
 * runs of this program under TESSERA_ISA (with the argument "bits") print. */
#include <complex.h>
#include <math.h>
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

#include "cblas.h"
#include "src/core/memory.h"
#include "tessera/tessera.h"

typedef long double complex wide;

static uint64_t state = 1;
static uint32_t next(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33);
}
static int below(int n) { return (int)(next() % (uint32_t)n); }
static long double unit(void) { return (long double)((int)(next() >> 8) - (1 << 22)) / (1 << 22); }

/* --- Types and operands ------------------------------------------------------------------------------------------- */

static char type; /* s, d, c, z */
static bool is_complex(void) { return type == 'c' || type == 'z'; }
static bool is_narrow(void) { return type == 's' || type == 'c'; }
static int64_t size(void) { return (is_narrow() ? 4 : 8) * (is_complex() ? 2 : 1); }
static long double epsilon(void) { return is_narrow() ? 0x1p-24L : 0x1p-53L; }

/* What CMPLXL does, which not every compiler has. */
static wide wide_of(double re, double im) {
  long double parts[2] = {re, im};
  wide z;
  memcpy(&z, parts, sizeof z);
  return z;
}

static wide get(const void *p, int64_t i) {
  const float *f = p;
  const double *d = p;
  if (type == 's') return f[i];
  if (type == 'd') return d[i];
  if (type == 'c') return wide_of(f[2 * i], f[2 * i + 1]);
  return wide_of(d[2 * i], d[2 * i + 1]);
}
static void set(void *p, int64_t i, wide x) {
  float *f = p;
  double *d = p;
  if (type == 's') f[i] = (float)creall(x);
  if (type == 'd') d[i] = (double)creall(x);
  if (type == 'c') f[2 * i] = (float)creall(x), f[2 * i + 1] = (float)cimagl(x);
  if (type == 'z') d[2 * i] = (double)creall(x), d[2 * i + 1] = (double)cimagl(x);
}
/* A number that the type can tell. */
static wide random_number(void) {
  double store[2] = {0, 0};
  set(store, 0, unit() + I * (is_complex() ? unit() : 0));
  return get(store, 0);
}

/* Memory between pages that cannot be touched, all of it NaN at first. */
struct operand {
  char *map, *pages, *at;
  size_t map_bytes, page_bytes, bytes;
};

static struct operand new_operand(int64_t elements) {
  struct operand o;
  size_t page = 4096;
  o.bytes = (size_t)(elements * size());
  o.page_bytes = (o.bytes + page - 1) / page * page;
  o.map_bytes = o.page_bytes + 2 * page;
  o.map = mmap(NULL, o.map_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(o.map != MAP_FAILED);
  o.pages = o.map + page;
  if (o.page_bytes > 0) assert_int_equal(mprotect(o.pages, o.page_bytes, PROT_READ | PROT_WRITE), 0);
  memset(o.pages, 0xff, o.page_bytes);
  o.at = below(2) ? o.pages : o.pages + o.page_bytes - o.bytes;
  return o;
}
static void forget(struct operand *o) { munmap(o->map, o->map_bytes); }
static void read_only(struct operand *o) {
  if (o->page_bytes > 0) assert_int_equal(mprotect(o->pages, o->page_bytes, PROT_READ), 0);
}
/* Elements that have been looked at are made what they were; then all must be. */
static void looked_at(struct operand *o, int64_t i) { memset(o->at + i * size(), 0xff, (size_t)size()); }
static void assert_untouched(const struct operand *o) {
  for (size_t i = 0; i < o->page_bytes; i++) assert_int_equal((unsigned char)o->pages[i], 0xff);
}

static uint64_t bits = 14695981039346656037u;
static void add_bits(const void *p, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) bits = (bits ^ ((const unsigned char *)p)[i]) * 1099511628211u;
}

/* --- A problem ---------------------------------------------------------------------------------------------------- */

enum storage { FULL, BAND, PACKED };

struct problem {
  int m, n, lda, kl, ku, incx, incy;
  enum storage storage;
  bool row_major, triangle, hermitian;
  CBLAS_UPLO uplo;
  CBLAS_TRANSPOSE trans;
  CBLAS_DIAG diag;
  wide alpha, beta;
  wide *dense; /* m x n by columns: what A stands for, 0 where it has nothing */
  struct operand a, x, y;
};

static bool stored(const struct problem *p, int i, int j) {
  if (p->triangle && (p->uplo == CblasUpper ? i > j : i < j)) return false;
  return p->storage != BAND || (i - j <= p->kl && j - i <= p->ku);
}

static int64_t place(const struct problem *p, int i, int j) {
  int64_t row = i, column = j;
  bool upper = p->uplo == CblasUpper;
  int ku = p->ku;
  if (p->row_major) row = j, column = i, upper = !upper, ku = p->kl;
  if (p->storage == FULL) return row + column * p->lda;
  if (p->storage == BAND) return ku + row - column + column * p->lda;
  return upper ? row + column * (column + 1) / 2 : row + column * (2 * (int64_t)p->n - column - 1) / 2;
}

static int64_t elements_of(const struct problem *p) {
  int rows = p->row_major ? p->n : p->m, columns = p->row_major ? p->m : p->n;
  if (p->storage == PACKED) return (int64_t)p->n * (p->n + 1) / 2;
  return (int64_t)(columns - 1) * p->lda + (p->storage == BAND ? p->kl + p->ku + 1 : rows);
}

static int64_t element_of(int n, int inc, int i) { return (int64_t)(inc > 0 ? i : i - n + 1) * inc; }

static struct operand new_vector(int n, int inc, bool is_nan) {
  struct operand o = new_operand(1 + (int64_t)(n - 1) * abs(inc));
  for (int i = 0; i < n && !is_nan; i++) set(o.at, element_of(n, inc, i), random_number());
  return o;
}
static wide *copy_of(const struct operand *o, int n, int inc) {
  wide *copy = malloc(sizeof *copy * (size_t)n);
  for (int i = 0; i < n; i++) copy[i] = get(o->at, element_of(n, inc, i));
  return copy;
}

static int random_inc(void) {
  static const int incs[] = {1, 1, 1, 2, 3, -1, -2, -3};
  return incs[below(8)];
}
static wide random_scalar(void) { return below(4) == 0 ? 0 : below(3) == 0 ? 1 : random_number(); }

/* A with a diagonal that triangular systems can bear. */
static void fill_matrix(struct problem *p, bool to_solve) {
  p->a = new_operand(elements_of(p));
  p->dense = calloc((size_t)p->m * (size_t)p->n, sizeof *p->dense);
  for (int j = 0; j < p->n; j++)
    for (int i = 0; i < p->m; i++) {
      if (!stored(p, i, j)) continue;
      bool skipped = p->diag == CblasUnit && p->triangle && i == j;
      wide v = random_number();
      if (to_solve) v = i == j ? 2 + v / 2 : v / (is_narrow() ? 512 : 4096);
      double store[2] = {0, 0};
      set(store, 0, v);
      v = get(store, 0);
      if (p->hermitian && i == j) v = creall(v);
      p->dense[i + (int64_t)j * p->m] = skipped ? 1 : v;
      if (!skipped) set(p->a.at, place(p, i, j), v);
      if (p->hermitian && i == j && is_complex()) memset(p->a.at + place(p, i, j) * size() + size() / 2, 0xff, (size_t)size() / 2);
    }
}

/* The half that is not stored. */
static void reflect(struct problem *p) {
  for (int j = 0; j < p->n; j++)
    for (int i = 0; i < p->n; i++)
      if (!stored(p, i, j) && stored(p, j, i))
        p->dense[i + (int64_t)j * p->n] =
            p->hermitian ? conjl(p->dense[j + (int64_t)i * p->n]) : p->dense[j + (int64_t)i * p->n];
}

static wide op(const struct problem *p, int i, int j) {
  if (p->trans == CblasNoTrans) return p->dense[i + (int64_t)j * p->m];
  wide v = p->dense[j + (int64_t)i * p->m];
  return p->trans == CblasTrans || !is_complex() ? v : conjl(v);
}

static void random_problem(struct problem *p, int most, enum storage storage, bool triangle) {
  memset(p, 0, sizeof *p);
  int edge = below(6);
  p->m = 1 + below(most), p->n = edge == 0 ? 8 * (1 + below(1 + most / 8)) : 1 + below(most);
  if (edge == 1 && most > 64) p->m = most;
  if (triangle) p->m = p->n;
  p->storage = storage, p->triangle = triangle;
  p->row_major = below(2);
  p->uplo = below(2) ? CblasUpper : CblasLower;
  p->trans = below(3) == 0 ? CblasNoTrans : below(2) ? CblasTrans : CblasConjTrans;
  p->diag = CblasNonUnit;
  p->kl = below(2) ? below(6) : below(p->m + 3), p->ku = below(2) ? below(6) : below(p->n + 3);
  if (triangle) *(p->uplo == CblasUpper ? &p->kl : &p->ku) = 0;
  int rows = p->row_major ? p->n : p->m;
  p->lda = (storage == BAND ? p->kl + p->ku + 1 : rows) + (below(2) ? below(9) : 0);
  p->incx = random_inc(), p->incy = random_inc();
  p->alpha = random_scalar(), p->beta = random_scalar();
}

static void free_problem(struct problem *p) {
  free(p->dense);
  forget(&p->a);
  forget(&p->x);
  if (p->y.map) forget(&p->y);
}

/* A scalar as CBLAS takes it. */
static float f32_of(wide x) { return (float)creall(x); }
static double f64_of(wide x) { return (double)creall(x); }
struct scalar {
  double parts[2];
};
static struct scalar scalar_of(wide x) {
  struct scalar s = {{0, 0}};
  set(s.parts, 0, x);
  return s;
}

#define LAYOUT (p->row_major ? CblasRowMajor : CblasColMajor)

static void check(long double error, long double bound) {
  if (!(error <= bound)) fail_msg("an error of %Lg, allowed are %Lg (type %c)", error, bound, type);
}

/* --- Products ----------------------------------------------------------------------------------------------------- */

static void call_gemv(struct problem *p) {
  float fa = f32_of(p->alpha), fb = f32_of(p->beta);
  double da = f64_of(p->alpha), db = f64_of(p->beta);
  struct scalar a = scalar_of(p->alpha), b = scalar_of(p->beta);
  void *A = p->a.at, *x = p->x.at, *y = p->y.at;
  if (p->storage == FULL) switch (type) {
      case 's': cblas_sgemv(LAYOUT, p->trans, p->m, p->n, fa, A, p->lda, x, p->incx, fb, y, p->incy); break;
      case 'd': cblas_dgemv(LAYOUT, p->trans, p->m, p->n, da, A, p->lda, x, p->incx, db, y, p->incy); break;
      case 'c': cblas_cgemv(LAYOUT, p->trans, p->m, p->n, &a, A, p->lda, x, p->incx, &b, y, p->incy); break;
      default: cblas_zgemv(LAYOUT, p->trans, p->m, p->n, &a, A, p->lda, x, p->incx, &b, y, p->incy);
    }
  else switch (type) {
      case 's': cblas_sgbmv(LAYOUT, p->trans, p->m, p->n, p->kl, p->ku, fa, A, p->lda, x, p->incx, fb, y, p->incy); break;
      case 'd': cblas_dgbmv(LAYOUT, p->trans, p->m, p->n, p->kl, p->ku, da, A, p->lda, x, p->incx, db, y, p->incy); break;
      case 'c': cblas_cgbmv(LAYOUT, p->trans, p->m, p->n, p->kl, p->ku, &a, A, p->lda, x, p->incx, &b, y, p->incy); break;
      default: cblas_zgbmv(LAYOUT, p->trans, p->m, p->n, p->kl, p->ku, &a, A, p->lda, x, p->incx, &b, y, p->incy);
    }
}

static void call_symv(struct problem *p) {
  float fa = f32_of(p->alpha), fb = f32_of(p->beta);
  double da = f64_of(p->alpha), db = f64_of(p->beta);
  struct scalar a = scalar_of(p->alpha), b = scalar_of(p->beta);
  void *A = p->a.at, *x = p->x.at, *y = p->y.at;
  int k = p->kl + p->ku;
  if (p->storage == FULL) switch (type) {
      case 's': cblas_ssymv(LAYOUT, p->uplo, p->n, fa, A, p->lda, x, p->incx, fb, y, p->incy); break;
      case 'd': cblas_dsymv(LAYOUT, p->uplo, p->n, da, A, p->lda, x, p->incx, db, y, p->incy); break;
      case 'c': cblas_chemv(LAYOUT, p->uplo, p->n, &a, A, p->lda, x, p->incx, &b, y, p->incy); break;
      default: cblas_zhemv(LAYOUT, p->uplo, p->n, &a, A, p->lda, x, p->incx, &b, y, p->incy);
    }
  else if (p->storage == BAND) switch (type) {
      case 's': cblas_ssbmv(LAYOUT, p->uplo, p->n, k, fa, A, p->lda, x, p->incx, fb, y, p->incy); break;
      case 'd': cblas_dsbmv(LAYOUT, p->uplo, p->n, k, da, A, p->lda, x, p->incx, db, y, p->incy); break;
      case 'c': cblas_chbmv(LAYOUT, p->uplo, p->n, k, &a, A, p->lda, x, p->incx, &b, y, p->incy); break;
      default: cblas_zhbmv(LAYOUT, p->uplo, p->n, k, &a, A, p->lda, x, p->incx, &b, y, p->incy);
    }
  else switch (type) {
      case 's': cblas_sspmv(LAYOUT, p->uplo, p->n, fa, A, x, p->incx, fb, y, p->incy); break;
      case 'd': cblas_dspmv(LAYOUT, p->uplo, p->n, da, A, x, p->incx, db, y, p->incy); break;
      case 'c': cblas_chpmv(LAYOUT, p->uplo, p->n, &a, A, x, p->incx, &b, y, p->incy); break;
      default: cblas_zhpmv(LAYOUT, p->uplo, p->n, &a, A, x, p->incx, &b, y, p->incy);
    }
}

/* y of a product once more on two threads: the same bits. */
static void again_on_two(struct problem *p, void (*call)(struct problem *), const struct operand *target, const char *before) {
  char *once = malloc(target->bytes);
  memcpy(once, target->at, target->bytes);
  memcpy(target->at, before, target->bytes);
  tsr_set_num_threads(NULL, 2);
  call(p);
  tsr_set_num_threads(NULL, 1);
  assert_memory_equal(once, target->at, target->bytes);
  free(once);
}

/* And once more where memory ends after a few requests. */
static void again_without_memory(struct problem *p, void (*call)(struct problem *), const struct operand *target,
                                 const char *before) {
  char *once = malloc(target->bytes);
  memcpy(once, target->at, target->bytes);
  for (int requests = 0; requests < 3; requests++) {
    memcpy(target->at, before, target->bytes);
    tsr_scratch_fail_after(requests);
    call(p);
    tsr_scratch_fail_after(-1);
    assert_memory_equal(once, target->at, target->bytes);
  }
  free(once);
}

static bool without_memory;

static void compute(struct problem *p, void (*call)(struct problem *), const struct operand *target) {
  char *before = malloc(target->bytes + 1);
  memcpy(before, target->at, target->bytes);
  call(p);
  add_bits(target->at, target->bytes);
  if (elements_of(p) * size() > 600000 || below(4) == 0) again_on_two(p, call, target, before);
  if (without_memory) again_without_memory(p, call, target, before);
  free(before);
}

static void check_product(struct problem *p, void (*call)(struct problem *), bool symmetric) {
  bool across = !symmetric && p->trans != CblasNoTrans;
  int nx = across ? p->m : p->n, ny = across ? p->n : p->m;
  if (symmetric) p->trans = CblasNoTrans, p->hermitian = is_complex();
  fill_matrix(p, false);
  if (symmetric) reflect(p);
  p->x = new_vector(nx, p->incx, p->alpha == 0);
  p->y = new_vector(ny, p->incy, p->beta == 0);
  if (p->alpha == 0) memset(p->a.at, 0xff, p->a.bytes);
  wide *x = copy_of(&p->x, nx, p->incx), *y = copy_of(&p->y, ny, p->incy);
  read_only(&p->a);
  read_only(&p->x);
  compute(p, call, &p->y);
  for (int i = 0; i < ny; i++) {
    wide sum = 0;
    long double bound = 0;
    for (int j = 0; j < nx && p->alpha != 0; j++) {
      wide a = op(p, i, j);
      sum += a * x[j];
      bound += cabsl(a) * cabsl(x[j]);
    }
    wide expected = (p->alpha == 0 ? 0 : p->alpha * sum) + (p->beta == 0 ? 0 : p->beta * y[i]);
    bound = cabsl(p->alpha) * bound + (p->beta == 0 ? 0 : cabsl(p->beta) * cabsl(y[i]));
    int64_t at = element_of(ny, p->incy, i);
    check(cabsl(get(p->y.at, at) - expected), 2 * (nx + 10) * epsilon() * bound);
    looked_at(&p->y, at);
  }
  assert_untouched(&p->y);
  free(x);
  free(y);
  free_problem(p);
}

/* --- Triangles ---------------------------------------------------------------------------------------------------- */

static void call_trmv(struct problem *p) {
  void *A = p->a.at, *x = p->x.at;
  int k = p->kl + p->ku;
  if (p->storage == FULL) switch (type) {
      case 's': cblas_strmv(LAYOUT, p->uplo, p->trans, p->diag, p->n, A, p->lda, x, p->incx); break;
      case 'd': cblas_dtrmv(LAYOUT, p->uplo, p->trans, p->diag, p->n, A, p->lda, x, p->incx); break;
      case 'c': cblas_ctrmv(LAYOUT, p->uplo, p->trans, p->diag, p->n, A, p->lda, x, p->incx); break;
      default: cblas_ztrmv(LAYOUT, p->uplo, p->trans, p->diag, p->n, A, p->lda, x, p->incx);
    }
  else if (p->storage == BAND) switch (type) {
      case 's': cblas_stbmv(LAYOUT, p->uplo, p->trans, p->diag, p->n, k, A, p->lda, x, p->incx); break;
      case 'd': cblas_dtbmv(LAYOUT, p->uplo, p->trans, p->diag, p->n, k, A, p->lda, x, p->incx); break;
      case 'c': cblas_ctbmv(LAYOUT, p->uplo, p->trans, p->diag, p->n, k, A, p->lda, x, p->incx); break;
      default: cblas_ztbmv(LAYOUT, p->uplo, p->trans, p->diag, p->n, k, A, p->lda, x, p->incx);
    }
  else switch (type) {
      case 's': cblas_stpmv(LAYOUT, p->uplo, p->trans, p->diag, p->n, A, x, p->incx); break;
      case 'd': cblas_dtpmv(LAYOUT, p->uplo, p->trans, p->diag, p->n, A, x, p->incx); break;
      case 'c': cblas_ctpmv(LAYOUT, p->uplo, p->trans, p->diag, p->n, A, x, p->incx); break;
      default: cblas_ztpmv(LAYOUT, p->uplo, p->trans, p->diag, p->n, A, x, p->incx);
    }
}

static void call_trsv(struct problem *p) {
  void *A = p->a.at, *x = p->x.at;
  int k = p->kl + p->ku;
  if (p->storage == FULL) switch (type) {
      case 's': cblas_strsv(LAYOUT, p->uplo, p->trans, p->diag, p->n, A, p->lda, x, p->incx); break;
      case 'd': cblas_dtrsv(LAYOUT, p->uplo, p->trans, p->diag, p->n, A, p->lda, x, p->incx); break;
      case 'c': cblas_ctrsv(LAYOUT, p->uplo, p->trans, p->diag, p->n, A, p->lda, x, p->incx); break;
      default: cblas_ztrsv(LAYOUT, p->uplo, p->trans, p->diag, p->n, A, p->lda, x, p->incx);
    }
  else if (p->storage == BAND) switch (type) {
      case 's': cblas_stbsv(LAYOUT, p->uplo, p->trans, p->diag, p->n, k, A, p->lda, x, p->incx); break;
      case 'd': cblas_dtbsv(LAYOUT, p->uplo, p->trans, p->diag, p->n, k, A, p->lda, x, p->incx); break;
      case 'c': cblas_ctbsv(LAYOUT, p->uplo, p->trans, p->diag, p->n, k, A, p->lda, x, p->incx); break;
      default: cblas_ztbsv(LAYOUT, p->uplo, p->trans, p->diag, p->n, k, A, p->lda, x, p->incx);
    }
  else switch (type) {
      case 's': cblas_stpsv(LAYOUT, p->uplo, p->trans, p->diag, p->n, A, x, p->incx); break;
      case 'd': cblas_dtpsv(LAYOUT, p->uplo, p->trans, p->diag, p->n, A, x, p->incx); break;
      case 'c': cblas_ctpsv(LAYOUT, p->uplo, p->trans, p->diag, p->n, A, x, p->incx); break;
      default: cblas_ztpsv(LAYOUT, p->uplo, p->trans, p->diag, p->n, A, x, p->incx);
    }
}

/* Of a product the error, of a system the residual. */
static void check_triangle(struct problem *p, bool solve) {
  p->diag = below(2) ? CblasUnit : CblasNonUnit;
  fill_matrix(p, solve);
  p->x = new_vector(p->n, p->incx, false);
  wide *before = copy_of(&p->x, p->n, p->incx);
  read_only(&p->a);
  compute(p, solve ? call_trsv : call_trmv, &p->x);
  wide *after = copy_of(&p->x, p->n, p->incx), *from = solve ? after : before, *to = solve ? before : after;
  for (int i = 0; i < p->n; i++) {
    wide sum = 0;
    long double bound = cabsl(to[i]);
    for (int j = 0; j < p->n; j++) {
      wide a = op(p, i, j);
      sum += a * from[j];
      bound += cabsl(a) * cabsl(from[j]);
    }
    check(cabsl(sum - to[i]), 4 * (p->n + 10) * epsilon() * bound);
    looked_at(&p->x, element_of(p->n, p->incx, i));
  }
  assert_untouched(&p->x);
  free(before);
  free(after);
  free_problem(p);
}

/* --- Updates ------------------------------------------------------------------------------------------------------ */

static bool conjugate; /* gerc */

static void call_ger(struct problem *p) {
  struct scalar a = scalar_of(p->alpha);
  void *A = p->a.at, *x = p->x.at, *y = p->y.at;
  switch (type) {
    case 's': cblas_sger(LAYOUT, p->m, p->n, f32_of(p->alpha), x, p->incx, y, p->incy, A, p->lda); break;
    case 'd': cblas_dger(LAYOUT, p->m, p->n, f64_of(p->alpha), x, p->incx, y, p->incy, A, p->lda); break;
    case 'c': (conjugate ? cblas_cgerc : cblas_cgeru)(LAYOUT, p->m, p->n, &a, x, p->incx, y, p->incy, A, p->lda); break;
    default: (conjugate ? cblas_zgerc : cblas_zgeru)(LAYOUT, p->m, p->n, &a, x, p->incx, y, p->incy, A, p->lda);
  }
}

static void call_syr(struct problem *p) {
  float fa = f32_of(p->alpha);
  double da = f64_of(p->alpha);
  void *A = p->a.at, *x = p->x.at;
  if (p->storage == FULL) switch (type) {
      case 's': cblas_ssyr(LAYOUT, p->uplo, p->n, fa, x, p->incx, A, p->lda); break;
      case 'd': cblas_dsyr(LAYOUT, p->uplo, p->n, da, x, p->incx, A, p->lda); break;
      case 'c': cblas_cher(LAYOUT, p->uplo, p->n, fa, x, p->incx, A, p->lda); break;
      default: cblas_zher(LAYOUT, p->uplo, p->n, da, x, p->incx, A, p->lda);
    }
  else switch (type) {
      case 's': cblas_sspr(LAYOUT, p->uplo, p->n, fa, x, p->incx, A); break;
      case 'd': cblas_dspr(LAYOUT, p->uplo, p->n, da, x, p->incx, A); break;
      case 'c': cblas_chpr(LAYOUT, p->uplo, p->n, fa, x, p->incx, A); break;
      default: cblas_zhpr(LAYOUT, p->uplo, p->n, da, x, p->incx, A);
    }
}

static void call_syr2(struct problem *p) {
  float fa = f32_of(p->alpha);
  double da = f64_of(p->alpha);
  struct scalar a = scalar_of(p->alpha);
  void *A = p->a.at, *x = p->x.at, *y = p->y.at;
  if (p->storage == FULL) switch (type) {
      case 's': cblas_ssyr2(LAYOUT, p->uplo, p->n, fa, x, p->incx, y, p->incy, A, p->lda); break;
      case 'd': cblas_dsyr2(LAYOUT, p->uplo, p->n, da, x, p->incx, y, p->incy, A, p->lda); break;
      case 'c': cblas_cher2(LAYOUT, p->uplo, p->n, &a, x, p->incx, y, p->incy, A, p->lda); break;
      default: cblas_zher2(LAYOUT, p->uplo, p->n, &a, x, p->incx, y, p->incy, A, p->lda);
    }
  else switch (type) {
      case 's': cblas_sspr2(LAYOUT, p->uplo, p->n, fa, x, p->incx, y, p->incy, A); break;
      case 'd': cblas_dspr2(LAYOUT, p->uplo, p->n, da, x, p->incx, y, p->incy, A); break;
      case 'c': cblas_chpr2(LAYOUT, p->uplo, p->n, &a, x, p->incx, y, p->incy, A); break;
      default: cblas_zhpr2(LAYOUT, p->uplo, p->n, &a, x, p->incx, y, p->incy, A);
    }
}

/* vectors = 0: ger. */
static void check_update(struct problem *p, int vectors) {
  void (*const calls[])(struct problem *) = {call_ger, call_syr, call_syr2};
  conjugate = vectors == 0 ? below(2) && is_complex() : is_complex();
  p->hermitian = vectors > 0 && is_complex();
  if (vectors == 1 && is_complex()) p->alpha = creall(p->alpha);
  fill_matrix(p, false);
  p->x = new_vector(p->m, p->incx, p->alpha == 0);
  if (vectors != 1) p->y = new_vector(p->n, p->incy, p->alpha == 0);
  wide *x = copy_of(&p->x, p->m, p->incx), *y = vectors == 1 ? x : copy_of(&p->y, p->n, p->incy);
  read_only(&p->x);
  compute(p, calls[vectors], &p->a);
  for (int j = 0; j < p->n; j++)
    for (int i = 0; i < p->m; i++) {
      if (!stored(p, i, j)) continue;
      wide expected = p->dense[i + (int64_t)j * p->m];
      int64_t at = place(p, i, j);
      long double bound = cabsl(expected);
      if (p->alpha != 0) {
        wide yj = conjugate ? conjl(y[j]) : y[j], add = p->alpha * x[i] * yj;
        bound += cabsl(add);
        if (vectors == 2) {
          wide xj = conjugate ? conjl(x[j]) : x[j], also = (conjugate ? conjl(p->alpha) : p->alpha) * y[i] * xj;
          bound += cabsl(also);
          add += also;
        }
        expected += add;
      }
      wide found = get(p->a.at, at);
      if (p->hermitian && i == j && p->alpha != 0) assert_true(cimagl(found) == 0);
      if (p->hermitian && i == j) found = creall(found), expected = creall(expected);
      check(cabsl(found - expected), 8 * epsilon() * bound);
      looked_at(&p->a, at);
    }
  assert_untouched(&p->a);
  if (y != x) free(y);
  free(x);
  free_problem(p);
}

/* --- The tests ---------------------------------------------------------------------------------------------------- */

static const char types[] = "sdcz";

static int most_of(int round) { return round % 40 == 0 ? 300 : round % 3 ? 20 : 70; }

static void products(int rounds) {
  struct problem p;
  for (int round = 0; round < rounds; round++)
    for (int t = 0; t < 4; t++) {
      type = types[t];
      random_problem(&p, most_of(round), below(2) ? FULL : BAND, false);
      check_product(&p, call_gemv, false);
      random_problem(&p, most_of(round), (enum storage)below(3), true);
      check_product(&p, call_symv, true);
    }
}

static void triangles(int rounds) {
  struct problem p;
  for (int round = 0; round < rounds; round++)
    for (int t = 0; t < 4; t++)
      for (int solve = 0; solve < 2; solve++) {
        type = types[t];
        random_problem(&p, most_of(round), (enum storage)below(3), true);
        check_triangle(&p, solve);
      }
}

static void updates(int rounds) {
  struct problem p;
  for (int round = 0; round < rounds; round++)
    for (int t = 0; t < 4; t++)
      for (int vectors = 0; vectors < 3; vectors++) {
        type = types[t];
        random_problem(&p, most_of(round), vectors == 0 || below(2) ? FULL : PACKED, vectors > 0);
        check_update(&p, vectors);
      }
}

/* Matrices beyond the caches near a core, and long vectors: pieces for threads, blocks of sums, strips. */
static void large_sizes(void) {
  static const int sizes[][2] = {{5000, 37}, {41, 5000}, {700, 650}, {1100, 1100}};
  struct problem p;
  for (int t = 0; t < 4; t++)
    for (int s = 0; s < 4; s++) {
      type = types[t];
      for (int trans = 0; trans < 2; trans++) {
        random_problem(&p, 9, FULL, false);
        p.m = sizes[s][0], p.n = sizes[s][1], p.trans = trans ? CblasConjTrans : CblasNoTrans;
        p.lda = (p.row_major ? p.n : p.m) + below(9);
        check_product(&p, call_gemv, false);
      }
      random_problem(&p, 9, FULL, false);
      p.m = sizes[s][0], p.n = sizes[s][1], p.lda = (p.row_major ? p.n : p.m) + 1;
      check_update(&p, 0);
      if (s < 2) continue;
      for (int storage = 0; storage < 3; storage++) {
        if (t != s && storage == 1) continue;
        random_problem(&p, 9, (enum storage)storage, true);
        p.m = p.n = sizes[s][0];
        *(p.uplo == CblasUpper ? &p.ku : &p.kl) = 300;
        p.lda = storage == BAND ? 301 : p.n;
        struct problem q = p;
        check_product(&p, call_symv, true);
        p = q;
        check_triangle(&p, false);
        p = q;
        check_triangle(&p, true);
        p = q;
        if (storage != BAND) check_update(&p, 2);
      }
    }
}

/* A problem with vectors too long for the stack, just above or well above. */
static void long_problem(struct problem *p, enum storage storage, bool triangle, int most) {
  int rows;
  random_problem(p, 9, storage, triangle);
  p->m = p->n = (int)(4096 / size()) + 1 + below(most);
  if (!triangle) *(below(2) ? &p->m : &p->n) = 1 + below(40);
  rows = p->row_major ? p->n : p->m;
  int *band = p->uplo == CblasUpper ? &p->ku : &p->kl;
  if (storage == BAND && below(2)) *band = p->n - 1 - below(p->n);
  if (storage == BAND && !triangle) p->kl = below(p->m), p->ku = below(p->n);
  p->lda = storage == BAND ? p->kl + p->ku + 1 + below(3) : rows + below(3);
  if (p->incx == 1 && below(2)) p->incx = -1;
  if (p->incy == 1 && below(2)) p->incy = 2;
}

static void long_problems(int rounds, int most) {
  struct problem p;
  for (int round = 0; round < rounds; round++)
    for (int t = 0; t < 4; t++) {
      type = types[t];
      long_problem(&p, below(2) ? FULL : BAND, false, most);
      check_product(&p, call_gemv, false);
      long_problem(&p, (enum storage)below(3), true, 60);
      check_product(&p, call_symv, true);
      for (int solve = 0; solve < 2; solve++) {
        long_problem(&p, (enum storage)below(3), true, 60);
        check_triangle(&p, solve);
      }
      long_problem(&p, FULL, false, most);
      check_update(&p, 0);
      for (int vectors = 1; vectors < 3; vectors++) {
        long_problem(&p, below(2) ? FULL : PACKED, true, 60);
        check_update(&p, vectors);
      }
    }
}

/* Bands and triangles of more rows than a block of sums has, across. */
static void wide_problems(void) {
  struct problem p;
  for (int t = 0; t < 8; t++) {
    type = types[t % 4];
    random_problem(&p, 9, BAND, false);
    p.row_major = false, p.trans = CblasConjTrans;
    p.m = 2500 + below(500), p.n = 30, p.kl = 2100 + below(300), p.ku = below(20), p.incx = -2;
    p.lda = p.kl + p.ku + 1;
    p.alpha = t < 4 ? random_number() : 1;
    check_product(&p, call_gemv, false);
  }
  type = 'd';
  for (int uplo = 0; uplo < 2; uplo++) {
    random_problem(&p, 9, FULL, true);
    p.m = p.n = p.lda = 2300, p.incx = 3, p.alpha = 1, p.trans = CblasTrans;
    p.uplo = uplo ? CblasUpper : CblasLower;
    struct problem q = p;
    check_triangle(&p, false);
    check_product(&q, call_symv, true);
  }
}

static void test_without_memory(void **unused) {
  (void)unused;
  without_memory = true;
  long_problems(5, 300);
  wide_problems();
  without_memory = false;
}

static void test_products(void **unused) {
  (void)unused;
  products(160);
}
static void test_triangles(void **unused) {
  (void)unused;
  triangles(160);
}
static void test_updates(void **unused) {
  (void)unused;
  updates(100);
}
static void test_large(void **unused) {
  (void)unused;
  large_sizes();
}

/* NaN and Inf go where arithmetic takes them: no zero in x hides them (arXiv 2207.09281). */
static void test_nan_is_kept(void **unused) {
  (void)unused;
  double a[9 * 9], x[9], y[9];
  for (int bad = 0; bad < 2; bad++)
    for (int row = 0; row < 9; row++) {
      for (int i = 0; i < 81; i++) a[i] = i % 10 == 0 ? 1 : 0.125;
      for (int i = 0; i < 9; i++) x[i] = 0, y[i] = 0;
      a[row] = bad ? NAN : INFINITY;
      cblas_dgemv(CblasColMajor, CblasNoTrans, 9, 9, 1, a, 9, x, 1, 0, y, 1);
      assert_true(isnan(y[row]));
      cblas_dtrmv(CblasColMajor, CblasLower, CblasNoTrans, CblasNonUnit, 9, a, 9, x, 1);
      assert_true(isnan(x[row]));
      for (int i = 0; i < 9; i++) x[i] = 0;
      if (row == 0) continue;
      cblas_dtrsv(CblasColMajor, CblasLower, CblasNoTrans, CblasNonUnit, 9, a, 9, x, 1);
      assert_true(isnan(x[row]));
    }
}

/* What one run of the whole test computes, under other kernels. */
static uint64_t bits_of(const char *self, const char *isa) {
  char command[4300], line[64] = "";
  snprintf(command, sizeof command, "TESSERA_ISA=%s '%s' bits 2>/dev/null", isa, self);
  FILE *run = popen(command, "r");
  if (run && !fgets(line, sizeof line, run)) line[0] = 0;
  if (run) pclose(run);
  return strtoull(line, NULL, 16);
}

static void print_bits(void) {
  state = 7;
  tsr_set_num_threads(NULL, 1);
  products(40);
  triangles(40);
  updates(20);
  struct problem p;
  type = 'd';
  random_problem(&p, 9, FULL, true);
  p.m = p.n = p.lda = 1100;
  check_product(&p, call_symv, true);
  printf("%016llx\n", (unsigned long long)bits);
}

static void test_chips_agree(void **unused) {
  (void)unused;
  static const char *const isas[] = {"avx512", "avx2", "sve"};
  char self[4096] = "";
  if (readlink("/proc/self/exe", self, sizeof self - 1) <= 0) skip();
  uint64_t expected = bits_of(self, "generic");
  assert_true(expected != 0);
  for (int i = 0; i < 3; i++) {
    tsr_context *context;
    if (tsr_context_create(isas[i], &context) != TSR_OK) continue;
    tsr_context_destroy(context);
    assert_true(bits_of(self, isas[i]) == expected);
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_products), cmocka_unit_test(test_triangles), cmocka_unit_test(test_updates),
      cmocka_unit_test(test_large), cmocka_unit_test(test_without_memory), cmocka_unit_test(test_nan_is_kept), cmocka_unit_test(test_chips_agree)};
  if (argc > 1 && strcmp(argv[1], "bits") == 0) return print_bits(), 0;
  tsr_set_num_threads(NULL, 1);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
