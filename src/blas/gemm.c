/* GEMM's BLAS faces: {s,d} x {Fortran, CBLAS} x {32, 64-bit integers}. Each turns its arguments into one column-major
 * call, checks them in the reference's order, and hands the problem to the loops. */
#include "src/gemm/gemm.h"

#include <stdio.h>

#include "src/blas/xerbla.h"

/* A call in Fortran's terms: column-major, its parameters numbered as there. */
struct call {
  tsr_type type;
  const char *routine; /* as the caller wrote it */
  bool ta, tb;
  int64_t m, n, k, lda, ldb, ldc;
  double alpha, beta;
  const void *a, *b;
  void *c;
};

#define INLINE static inline __attribute__((always_inline))

/* Whether a matrix of `columns` columns reaches further than an address can tell. */
INLINE bool too_large(tsr_type type, int64_t ld, int64_t columns) {
  int64_t elements, bytes;
  return __builtin_mul_overflow(ld, columns, &elements) || __builtin_mul_overflow(elements, tsr_size_of(type), &bytes);
}

INLINE bool bad_ld(tsr_type type, int64_t ld, int64_t rows, int64_t columns) {
  return ld < (rows > 1 ? rows : 1) || too_large(type, ld, columns);
}

/* The first bad parameter after the transposes, 0 for none: the reference's tests and, since it would crash, NULL. */
INLINE int first_bad(const struct call *g) {
  if (g->m < 0) return 3;
  if (g->n < 0) return 4;
  if (g->k < 0) return 5;
  if (bad_ld(g->type, g->lda, g->ta ? g->k : g->m, g->ta ? g->m : g->k)) return 8;
  if (bad_ld(g->type, g->ldb, g->tb ? g->n : g->k, g->tb ? g->k : g->n)) return 10;
  if (bad_ld(g->type, g->ldc, g->m, g->n)) return 13;
  if (g->m == 0 || g->n == 0) return 0;
  if (g->k > 0 && g->alpha != 0) {
    if (!g->a) return 7;
    if (!g->b) return 9;
  }
  return g->c ? 0 : 12;
}

/* A call that gives no result must say so: a BLAS routine has no other way. */
static __attribute__((cold, noinline)) void complain(const char *routine) {
  fprintf(stderr, "tessera: %s computed nothing: %s\n", routine, tsr_last_error());
}

INLINE void compute(const struct call *g) {
  int64_t size = tsr_size_of(g->type);
  struct tsr_gemm_problem problem = { /* every field: else all is cleared first, a tenth of a small product */
      .type = g->type, .type_c = g->type, .m = g->m, .n = g->n, .k = g->k,
      .a = (tsr_mem)g->a, .b = (tsr_mem)g->b, .c = (tsr_mem)g->c,
      .rsa = g->ta ? g->lda * size : size, .csa = g->ta ? size : g->lda * size,
      .rsb = g->tb ? g->ldb * size : size, .csb = g->tb ? size : g->ldb * size, .csc = g->ldc * size,
      .alpha = g->alpha, .beta = g->beta, .turned = false, .plan = NULL};
  tsr_context *context;
  if (tsr_context_get(NULL, &context) != TSR_OK || tsr_gemm_compute(context, &problem, g->routine) != TSR_OK)
    complain(g->routine);
}

static __attribute__((cold, noinline)) void report(tsr_type type, int parameter) {
  xerbla_(type == TSR_F32 ? "SGEMM " : "DGEMM ", &parameter, 6);
}

/* 0 for N, 1 for T and C (the same for real matrices), -1 for anything else. */
INLINE int transpose_of(const char *letter) {
  int lower = *letter | 0x20;
  return lower == 'n' ? 0 : lower == 't' || lower == 'c' ? 1 : -1;
}

INLINE void fortran(const char *transa, const char *transb, struct call g) {
  int ta = transpose_of(transa), tb = transpose_of(transb);
  g.ta = ta == 1;
  g.tb = tb == 1;
  int bad = ta < 0 ? 1 : tb < 0 ? 2 : first_bad(&g);
  if (__builtin_expect(bad != 0, 0)) return report(g.type, bad);
  compute(&g);
}

/* A size, stride or pointer is bad: goes through xerbla_, as in the reference, where CBLAS calls Fortran. The handlers
 * know that sizes and strides of a row-major call changed places; of pointers they have never heard. */
static __attribute__((cold, noinline)) void report_cblas(tsr_type type, bool row_major, int parameter) {
  if (row_major && (parameter == 7 || parameter == 9)) parameter = 16 - parameter;
  CBLAS_CallFromC = 1;
  RowMajorStrg = row_major;
  report(type, parameter);
  CBLAS_CallFromC = RowMajorStrg = 0;
}

/* An enum is bad. The reference counts TransB of a row-major call as 2: it has changed places with TransA. */
static __attribute__((cold, noinline)) void report_enum(tsr_type type, bool row_major, int parameter, const char *what,
                                                        int value) {
  if (row_major && parameter == 3) parameter = 2;
  CBLAS_CallFromC = 1;
  RowMajorStrg = row_major;
  cblas_xerbla(parameter, type == TSR_F32 ? "cblas_sgemm" : "cblas_dgemm", "Illegal %s setting, %d\n", what, value);
  CBLAS_CallFromC = RowMajorStrg = 0;
}

INLINE bool is_transpose(CBLAS_TRANSPOSE t) { return t == CblasNoTrans || t == CblasTrans || t == CblasConjTrans; }

/* Row-major C = A B is column-major C' = B' A', where every matrix is read as its transpose. */
INLINE struct call turned(const struct call *g) {
  struct call t = *g;
  t.m = g->n, t.n = g->m;
  t.a = g->b, t.lda = g->ldb, t.ta = g->tb;
  t.b = g->a, t.ldb = g->lda, t.tb = g->ta;
  return t;
}

INLINE void cblas(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE transa, CBLAS_TRANSPOSE transb, struct call g) {
  bool row_major = layout == CblasRowMajor;
  if (!row_major && layout != CblasColMajor) return report_enum(g.type, false, 1, "layout", layout);
  if (!is_transpose(transa)) return report_enum(g.type, row_major, 2, "TransA", transa);
  if (!is_transpose(transb)) return report_enum(g.type, row_major, 3, "TransB", transb);
  g.ta = transa != CblasNoTrans;
  g.tb = transb != CblasNoTrans;
  if (row_major) g = turned(&g);
  int bad = first_bad(&g);
  if (__builtin_expect(bad != 0, 0)) return report_cblas(g.type, row_major, bad);
  compute(&g);
}

/* Fortran's arguments come by reference; the hidden lengths of the letters come last and are not needed. */
#define FORTRAN_CALL(type, routine) \
  (struct call){type, routine, false, false, *m, *n, *k, *lda, *ldb, *ldc, *alpha, *beta, a, b, c}
#define CBLAS_CALL(type, routine) \
  (struct call){type, routine, false, false, m, n, k, lda, ldb, ldc, alpha, beta, a, b, c}

TSR_API void sgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k,
                    const float *alpha, const float *a, const int *lda, const float *b, const int *ldb,
                    const float *beta, float *c, const int *ldc) {
  fortran(transa, transb, FORTRAN_CALL(TSR_F32, "sgemm_"));
}

TSR_API void dgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k,
                    const double *alpha, const double *a, const int *lda, const double *b, const int *ldb,
                    const double *beta, double *c, const int *ldc) {
  fortran(transa, transb, FORTRAN_CALL(TSR_F64, "dgemm_"));
}

TSR_API void sgemm_64_(const char *transa, const char *transb, const int64_t *m, const int64_t *n, const int64_t *k,
                       const float *alpha, const float *a, const int64_t *lda, const float *b, const int64_t *ldb,
                       const float *beta, float *c, const int64_t *ldc) {
  fortran(transa, transb, FORTRAN_CALL(TSR_F32, "sgemm_64_"));
}

TSR_API void dgemm_64_(const char *transa, const char *transb, const int64_t *m, const int64_t *n, const int64_t *k,
                       const double *alpha, const double *a, const int64_t *lda, const double *b, const int64_t *ldb,
                       const double *beta, double *c, const int64_t *ldc) {
  fortran(transa, transb, FORTRAN_CALL(TSR_F64, "dgemm_64_"));
}

TSR_API void cblas_sgemm(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, int m, int n, int k,
                         float alpha, const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc) {
  cblas(layout, trans_a, trans_b, CBLAS_CALL(TSR_F32, "cblas_sgemm"));
}

TSR_API void cblas_dgemm(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, int m, int n, int k,
                         double alpha, const double *a, int lda, const double *b, int ldb, double beta, double *c,
                         int ldc) {
  cblas(layout, trans_a, trans_b, CBLAS_CALL(TSR_F64, "cblas_dgemm"));
}

TSR_API void cblas_sgemm64_(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, int64_t m, int64_t n,
                            int64_t k, float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                            float beta, float *c, int64_t ldc) {
  cblas(layout, trans_a, trans_b, CBLAS_CALL(TSR_F32, "cblas_sgemm64_"));
}

TSR_API void cblas_dgemm64_(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, int64_t m, int64_t n,
                            int64_t k, double alpha, const double *a, int64_t lda, const double *b, int64_t ldb,
                            double beta, double *c, int64_t ldc) {
  cblas(layout, trans_a, trans_b, CBLAS_CALL(TSR_F64, "cblas_dgemm64_"));
}

#define TSR_NAME_GEMM(name, face) extern TSR_API __typeof__(face) name __attribute__((alias(#face)));
#include "src/blas/names.def"
