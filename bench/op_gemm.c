/* GEMM as a worker measures it: row-major C = op(A) op(B), alpha 1, beta 0, through whatever face a library has. */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/memory.h"
#include "bench/worker.h"

enum { ROW_MAJOR = 101, NO_TRANS = 111, TRANS = 112 };

/* The faces a function can have: CBLAS or Fortran, integers of 32 or 64 bits. */
struct face {
  const char *format;
  bool cblas, wide;
};
static const struct face faces[] = {
    {"cblas_%cgemm", true, false},      {"scipy_cblas_%cgemm", true, false}, {"cblas_%cgemm64_", true, true},
    {"scipy_cblas_%cgemm64_", true, true}, {"%cgemm_", false, false},        {"scipy_%cgemm_", false, false},
    {"%cgemm_64_", false, true},        {"scipy_%cgemm_64_", false, true},
};

struct function {
  const struct face *face;
  void *symbol;
};
static struct function functions[2]; /* f32, f64 */

static struct function *function_of(int type_bytes) { return &functions[type_bytes == 8]; }

static bool find(void *library) {
  bool any = false;
  for (int type = 0; type < 2; type++) {
    for (size_t i = 0; i < sizeof faces / sizeof faces[0] && !functions[type].symbol; i++) {
      char name[64];
      snprintf(name, sizeof name, faces[i].format, "sd"[type]);
      functions[type].symbol = dlsym(library, name);
      functions[type].face = &faces[i];
    }
    any = any || functions[type].symbol;
  }
  return any;
}

static enum bench_answer has(const struct bench_request *r) {
  return function_of(r->type_bytes)->symbol ? BENCH_OK : BENCH_MISSING;
}

/* --- Operands: one block of memory, cut into A, B and C of each caller ---------------------------------------- */

static char *memory;

#define ALIGN 64

static size_t rounded(int64_t elements, int type_bytes) {
  return ((size_t)elements * (size_t)type_bytes + ALIGN - 1) / ALIGN * ALIGN + 2 * ALIGN;
}

struct operands {
  char *a, *b, *c;
};

static size_t caller_bytes(const struct bench_request *r) {
  return rounded(r->m * r->k, r->type_bytes) + rounded(r->k * r->n, r->type_bytes) +
         rounded(r->m * r->n, r->type_bytes);
}

static struct operands operands_of(const struct bench_request *r, int caller) {
  struct operands o;
  o.a = memory + (size_t)caller * caller_bytes(r);
  o.b = o.a + rounded(r->m * r->k, r->type_bytes);
  o.c = o.b + rounded(r->k * r->n, r->type_bytes);
  return o;
}

/* The first block drawn, then copied on. Its odd length keeps rows apart. */
static void fill(char *to, size_t bytes, int type_bytes) {
  size_t block = 65521 * (size_t)type_bytes, first = bytes < block ? bytes : block;
  for (size_t i = 0; i < first / (size_t)type_bytes; i++) {
    double value = bench_random(i);
    if (type_bytes == 8)
      ((double *)to)[i] = value;
    else
      ((float *)to)[i] = (float)value;
  }
  bench_repeat(to, first, bytes);
}

static enum bench_answer prepare(const struct bench_request *r) {
  size_t bytes = caller_bytes(r) * (size_t)r->callers;
  memory = bench_memory(bytes);
  if (memory) fill(memory, bytes, r->type_bytes);
  return memory ? BENCH_OK : BENCH_NO_MEMORY;
}

/* --- Calls ------------------------------------------------------------------------------------------------------- */

/* One function's signatures for a type and an integer; CBLAS takes values, Fortran pointers. */
#define CALLS(real, integer, name)                                                                                    \
  typedef void name##_cblas(int, int, int, integer, integer, integer, real, const real *, integer, const real *,      \
                            integer, real, real *, integer);                                                          \
  typedef void name##_fortran(const char *, const char *, const integer *, const integer *, const integer *,          \
                              const real *, const real *, const integer *, const real *, const integer *,             \
                              const real *, real *, const integer *, size_t, size_t);                                 \
  static void name(const struct function *f, const struct bench_request *r, struct operands o, int64_t calls) {       \
    integer m = (integer)r->m, n = (integer)r->n, k = (integer)r->k;                                                  \
    integer lda = r->trans_a ? m : k, ldb = r->trans_b ? k : n;                                                       \
    const real *a = (const real *)o.a, *b = (const real *)o.b;                                                        \
    real *c = (real *)o.c, one = 1, zero = 0;                                                                         \
    if (f->face->cblas) {                                                                                             \
      name##_cblas *run = (name##_cblas *)f->symbol;                                                                  \
      int ta = r->trans_a ? TRANS : NO_TRANS, tb = r->trans_b ? TRANS : NO_TRANS;                                     \
      for (; calls > 0; calls--) run(ROW_MAJOR, ta, tb, m, n, k, one, a, lda, b, ldb, zero, c, n);                    \
    } else { /* row-major C = A B is column-major C' = B' A' */                                                       \
      name##_fortran *run = (name##_fortran *)f->symbol;                                                              \
      const char *ta = r->trans_a ? "T" : "N", *tb = r->trans_b ? "T" : "N";                                          \
      for (; calls > 0; calls--) run(tb, ta, &n, &m, &k, &one, b, &ldb, a, &lda, &zero, c, &n, 1, 1);                 \
    }                                                                                                                 \
  }

CALLS(float, int, call_f32)
CALLS(float, int64_t, call_f32_wide)
CALLS(double, int, call_f64)
CALLS(double, int64_t, call_f64_wide)

static void call(const struct bench_request *r, int caller, int64_t calls) {
  const struct function *f = function_of(r->type_bytes);
  struct operands o = operands_of(r, caller);
  if (r->type_bytes == 4)
    (f->face->wide ? call_f32_wide : call_f32)(f, r, o, calls);
  else
    (f->face->wide ? call_f64_wide : call_f64)(f, r, o, calls);
}

static double element(const char *p, int64_t i, int type_bytes) {
  return type_bytes == 8 ? ((const double *)p)[i] : ((const float *)p)[i];
}

/* A few elements of C against a plain sum in double; the bound is generous, a wrong call misses it by far. */
static bool right(const struct bench_request *r) {
  struct operands o = operands_of(r, 0);
  double bound = (r->type_bytes == 8 ? 1e-13 : 1e-5) * (double)(r->k + 8);
  for (int i = 0; i < 8; i++) {
    int64_t row = i * (r->m - 1) / 7, col = (i * 5 % 8) * (r->n - 1) / 7;
    double sum = 0;
    for (int64_t p = 0; p < r->k; p++)
      sum += element(o.a, r->trans_a ? p * r->m + row : row * r->k + p, r->type_bytes) *
             element(o.b, r->trans_b ? col * r->k + p : p * r->n + col, r->type_bytes);
    if (!(fabs(element(o.c, row * r->n + col, r->type_bytes) - sum) <= bound)) return false;
  }
  return true;
}

const struct bench_op bench_op_gemm = {"gemm", find, has, prepare, call, right, bench_memory_release, NULL};
