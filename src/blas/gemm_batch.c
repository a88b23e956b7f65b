/* gemm_batch and gemm_batch_strided: many products in one call, as MKL and OpenBLAS declare them. Every product has the
 * bits that gemm alone would give. A bad argument of any product is reported before the first one is computed. */
#include <stdlib.h>

#include "src/blas/gemm_call.h"

/* Products in groups of one shape: their arguments are arrays with an element a group, pointers have one a product. */
struct groups {
  tsr_type type;
  const char *name, *routine;
  bool letters, row_major; /* transposes are letters (Fortran) or enums */
  const void *trans_a, *trans_b;
  const blas_int *m, *n, *k, *lda, *ldb, *ldc, *size;
  const void *alpha, *beta; /* of the type */
  const void *const *a, *const *b;
  void *const *c;
  int64_t count;
  int64_t *first; /* of each group: the number of its first product; one more says where the last ends */
};

static int trans_of(const struct groups *g, const void *list, int64_t group) {
  int trans = g->letters ? tsr_trans_letter((const char *)list + group)
                         : tsr_trans_enum(((const CBLAS_TRANSPOSE *)list)[group]);
  return tsr_trans_for(g->type, trans);
}

/* Part 0 or 1 of a scalar of any type. */
static double part(tsr_type type, const void *scalars, int64_t i, int which) {
  int parts = tsr_is_complex(type) ? 2 : 1;
  if (which >= parts) return 0;
  bool wide = type == TSR_F64 || type == TSR_C64;
  return wide ? ((const double *)scalars)[parts * i + which] : ((const float *)scalars)[parts * i + which];
}

/* Product number `at` of a group, as the column-major call it is. */
static struct gemm_call call_of(const struct groups *g, int64_t group, int64_t at) {
  struct gemm_call call = {g->type, g->name, g->routine, trans_of(g, g->trans_a, group), trans_of(g, g->trans_b, group),
                           g->m[group], g->n[group], g->k[group], g->lda[group], g->ldb[group], g->ldc[group],
                           part(g->type, g->alpha, group, 0), part(g->type, g->beta, group, 0),
                           part(g->type, g->alpha, group, 1), part(g->type, g->beta, group, 1),
                           g->a[at], g->b[at], g->c[at]};
  return g->row_major ? tsr_turned_call(&call) : call;
}

static void problem_of(const void *user, int64_t i, struct tsr_gemm_problem *problem) {
  const struct groups *g = user;
  int64_t low = 0, high = g->count;
  while (high - low > 1) {
    int64_t middle = (low + high) / 2;
    if (g->first[middle] <= i)
      low = middle;
    else
      high = middle;
  }
  struct gemm_call call = call_of(g, low, i);
  tsr_problem_of_call(&call, problem);
}

/* The first bad parameter of any product, by gemm's numbers, of which the order is the first in CBLAS; and how many
 * multiplications all products have together. */
static int check(struct groups *g, int64_t *products, int64_t *multiplications) {
  *products = *multiplications = 0;
  for (int64_t group = 0; group < g->count; group++) {
    if (trans_of(g, g->trans_a, group) < 0) return 1;
    if (trans_of(g, g->trans_b, group) < 0) return 2;
    if (g->size[group] < 0) return 15;
    g->first[group] = *products;
    for (int64_t i = 0; i < g->size[group]; i++) {
      struct gemm_call call = call_of(g, group, *products + i);
      int bad = tsr_first_bad(&call);
      if (bad) return bad;
    }
    *products += g->size[group];
    int64_t one = tsr_saturating(tsr_saturating(g->m[group], g->n[group]), g->k[group]);
    if (__builtin_add_overflow(*multiplications, tsr_saturating(one, g->size[group]), multiplications))
      *multiplications = INT64_MAX;
  }
  g->first[g->count] = *products;
  return 0;
}

static void report(const struct groups *g, int bad) {
  if (g->letters)
    tsr_report(g->name, bad);
  else
    tsr_report_cblas(g->name, g->row_major, bad);
}

static void compute(struct groups *g) {
  tsr_context *context;
  int64_t products, multiplications;
  if (g->count < 0) return report(g, 14);
  g->first = malloc((size_t)(g->count + 1) * sizeof *g->first);
  if (!g->first || tsr_context_get(NULL, &context) != TSR_OK) {
    if (!g->first) tsr_fail(TSR_OUT_OF_MEMORY, "no memory for %lld groups", (long long)g->count);
    free(g->first);
    return tsr_complain(g->routine);
  }
  int bad = check(g, &products, &multiplications);
  if (bad) {
    report(g, bad);
  } else if (products > 0) {
    struct tsr_gemm_many many = {.context = context, .problem = problem_of, .user = g, .count = products,
                                 .product = multiplications / products, .type = g->type, .routine = g->routine,
                                 .sizes = "products"};
    tsr_gemm_compute_many(&many);
  }
  free(g->first);
}

#define FORTRAN_BATCH(routine, name, type, real)                                                                   \
  FORTRAN(void, routine, const char *transa, const char *transb, const blas_int *m, const blas_int *n,             \
          const blas_int *k, const real *alpha, const real *const *a, const blas_int *lda, const real *const *b,   \
          const blas_int *ldb, const real *beta, real *const *c, const blas_int *ldc, const blas_int *group_count, \
          const blas_int *group_size) {                                                                            \
    compute(&(struct groups){type, name, FACE_TEXT(FORTRAN_NAME(routine)), true, false, transa, transb, m, n, k,   \
                             lda, ldb, ldc, group_size, alpha, beta, (const void *const *)a,                       \
                             (const void *const *)b, (void *const *)c, *group_count, NULL});                       \
  }
FORTRAN_BATCH(sgemm_batch, "SGEMM_BATCH", TSR_F32, float)
FORTRAN_BATCH(dgemm_batch, "DGEMM_BATCH", TSR_F64, double)
FORTRAN_BATCH(cgemm_batch, "CGEMM_BATCH", TSR_C32, float)
FORTRAN_BATCH(zgemm_batch, "ZGEMM_BATCH", TSR_C64, double)

#define CBLAS_BATCH(routine, name, type, real, pointer)                                                            \
  CBLAS(void, routine, CBLAS_LAYOUT layout, const CBLAS_TRANSPOSE *trans_a, const CBLAS_TRANSPOSE *trans_b,        \
        const blas_int *m, const blas_int *n, const blas_int *k, const real *alpha, const pointer *const *a,       \
        const blas_int *lda, const pointer *const *b, const blas_int *ldb, const real *beta, pointer *const *c,    \
        const blas_int *ldc, blas_int group_count, const blas_int *group_size) {                                   \
    if (layout != CblasRowMajor && layout != CblasColMajor)                                                        \
      return tsr_report_enum(#routine, false, 1, "layout", layout);                                                \
    compute(&(struct groups){type, name, FACE_TEXT(CBLAS_NAME(routine)), false, layout == CblasRowMajor, trans_a,  \
                             trans_b, m, n, k, lda, ldb, ldc, group_size, alpha, beta, (const void *const *)a,     \
                             (const void *const *)b, (void *const *)c, group_count, NULL});                        \
  }
CBLAS_BATCH(cblas_sgemm_batch, "SGEMM_BATCH", TSR_F32, float, float)
CBLAS_BATCH(cblas_dgemm_batch, "DGEMM_BATCH", TSR_F64, double, double)
CBLAS_BATCH(cblas_cgemm_batch, "CGEMM_BATCH", TSR_C32, void, void)
CBLAS_BATCH(cblas_zgemm_batch, "ZGEMM_BATCH", TSR_C64, void, void)

/* One shape, matrices at regular distances. */
struct strided {
  struct gemm_call call;
  int64_t stride_a, stride_b, stride_c, count; /* in elements */
};

static void problem_at(const void *user, int64_t i, struct tsr_gemm_problem *problem) {
  const struct strided *s = user;
  int64_t size = tsr_size_of(s->call.type);
  tsr_problem_of_call(&s->call, problem);
  problem->a += (tsr_mem)(i * s->stride_a * size);
  problem->b += (tsr_mem)(i * s->stride_b * size);
  problem->c += (tsr_mem)(i * s->stride_c * size);
}

/* 0, or the number of a bad stride or count behind gemm's arguments: strides of C must keep its matrices apart. */
static int bad_strides(const struct strided *s) {
  int64_t extent = (s->call.n - 1) * s->call.ldc + s->call.m, last, size = tsr_size_of(s->call.type);
  int64_t strides[] = {s->stride_a, s->stride_b, s->stride_c};
  if (s->count < 0) return 17;
  for (int i = 0; i < 3; i++)
    if (__builtin_mul_overflow(strides[i], s->count, &last) || __builtin_mul_overflow(last, size, &last))
      return 9 + 3 * i + (i == 2);
  return s->count > 1 && s->stride_c < extent && s->stride_c > -extent ? 16 : 0;
}

/* Gemm's parameter numbers move behind each stride. */
static int moved(int parameter) { return parameter > 10 ? parameter + 2 : parameter > 8 ? parameter + 1 : parameter; }

static void compute_strided(const struct strided *s, bool fortran, bool row_major) {
  tsr_context *context;
  int bad = s->call.ta < 0 ? 1 : s->call.tb < 0 ? 2 : moved(tsr_first_bad(&s->call));
  if (!bad && s->call.m > 0 && s->call.n > 0) bad = bad_strides(s);
  if (bad && fortran) return tsr_report(s->call.name, bad);
  if (bad) return tsr_report_cblas(s->call.name, row_major, bad);
  if (s->count == 0 || s->call.m == 0 || s->call.n == 0) return;
  if (tsr_context_get(NULL, &context) != TSR_OK) return tsr_complain(s->call.routine);
  tsr_gemm_compute_many(&(struct tsr_gemm_many){
      .context = context, .problem = problem_at, .user = s, .count = s->count,
      .product = tsr_saturating(tsr_saturating(s->call.m, s->call.n), s->call.k), .type = s->call.type,
      .routine = s->call.routine, .sizes = "products"});
}

#define FORTRAN_STRIDED(routine, name, type, real)                                                                 \
  FORTRAN(void, routine, const char *transa, const char *transb, const blas_int *m, const blas_int *n,             \
          const blas_int *k, const real *alpha, const real *a, const blas_int *lda, const blas_int *stridea,       \
          const real *b, const blas_int *ldb, const blas_int *strideb, const real *beta, real *c,                  \
          const blas_int *ldc, const blas_int *stridec, const blas_int *batch_size) {                              \
    compute_strided(&(struct strided){{type, name, FACE_TEXT(FORTRAN_NAME(routine)),                               \
                                       tsr_trans_for(type, tsr_trans_letter(transa)),                              \
                                       tsr_trans_for(type, tsr_trans_letter(transb)), *m, *n, *k, *lda, *ldb, *ldc, \
                                       alpha[0], beta[0], tsr_is_complex(type) ? alpha[1] : 0,                     \
                                       tsr_is_complex(type) ? beta[1] : 0, a, b, c},                               \
                                      *stridea, *strideb, *stridec, *batch_size}, true, false);                    \
  }
FORTRAN_STRIDED(sgemm_batch_strided, "SGEMM_BATCH_STRIDED", TSR_F32, float)
FORTRAN_STRIDED(dgemm_batch_strided, "DGEMM_BATCH_STRIDED", TSR_F64, double)
FORTRAN_STRIDED(cgemm_batch_strided, "CGEMM_BATCH_STRIDED", TSR_C32, float)
FORTRAN_STRIDED(zgemm_batch_strided, "ZGEMM_BATCH_STRIDED", TSR_C64, double)

static void cblas_strided(const char *face, CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b,
                          struct strided s) {
  bool row_major = layout == CblasRowMajor;
  if (!row_major && layout != CblasColMajor) return tsr_report_enum(face, false, 1, "layout", layout);
  if (tsr_trans_enum(trans_a) < 0) return tsr_report_enum(face, row_major, 2, "TransA", trans_a);
  if (tsr_trans_enum(trans_b) < 0) return tsr_report_enum(face, row_major, 3, "TransB", trans_b);
  s.call.ta = tsr_trans_for(s.call.type, tsr_trans_enum(trans_a));
  s.call.tb = tsr_trans_for(s.call.type, tsr_trans_enum(trans_b));
  if (row_major) {
    int64_t stride_a = s.stride_a;
    s.call = tsr_turned_call(&s.call);
    s.stride_a = s.stride_b;
    s.stride_b = stride_a;
  }
  compute_strided(&s, false, row_major);
}

#define CBLAS_STRIDED(routine, name, type, real)                                                                   \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, blas_int m,          \
        blas_int n, blas_int k, real alpha, const real *a, blas_int lda, blas_int stridea, const real *b,          \
        blas_int ldb, blas_int strideb, real beta, real *c, blas_int ldc, blas_int stridec, blas_int batch_size) { \
    cblas_strided(#routine, layout, trans_a, trans_b,                                                              \
                  (struct strided){{type, name, FACE_TEXT(CBLAS_NAME(routine)), 0, 0, m, n, k, lda, ldb, ldc, alpha, \
                                    beta, 0, 0, a, b, c}, stridea, strideb, stridec, batch_size});                 \
  }
CBLAS_STRIDED(cblas_sgemm_batch_strided, "SGEMM_BATCH_STRIDED", TSR_F32, float)
CBLAS_STRIDED(cblas_dgemm_batch_strided, "DGEMM_BATCH_STRIDED", TSR_F64, double)

#define CBLAS_STRIDED_COMPLEX(routine, name, type, real)                                                           \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, blas_int m,          \
        blas_int n, blas_int k, const void *alpha, const void *a, blas_int lda, blas_int stridea, const void *b,   \
        blas_int ldb, blas_int strideb, const void *beta, void *c, blas_int ldc, blas_int stridec,                 \
        blas_int batch_size) {                                                                                     \
    const real *x = alpha, *y = beta;                                                                              \
    cblas_strided(#routine, layout, trans_a, trans_b,                                                              \
                  (struct strided){{type, name, FACE_TEXT(CBLAS_NAME(routine)), 0, 0, m, n, k, lda, ldb, ldc, x[0], \
                                    y[0], x[1], y[1], a, b, c}, stridea, strideb, stridec, batch_size});           \
  }
CBLAS_STRIDED_COMPLEX(cblas_cgemm_batch_strided, "CGEMM_BATCH_STRIDED", TSR_C32, float)
CBLAS_STRIDED_COMPLEX(cblas_zgemm_batch_strided, "ZGEMM_BATCH_STRIDED", TSR_C64, double)
