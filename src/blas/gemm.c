/* GEMM's BLAS faces. Each turns its arguments into one column-major call, checks them in the reference's order, and hands
 * the problem to the loops. */
#include "src/blas/face.h"
#include "src/gemm/gemm.h"

/* A call in Fortran's terms: column-major, its parameters numbered as there. */
struct call {
  tsr_type type;
  const char *name, *routine; /* in capitals; as the caller wrote it */
  int ta, tb;                 /* 0 N, 1 T, 2 C */
  int64_t m, n, k, lda, ldb, ldc;
  double alpha, beta, alpha_im, beta_im;
  const void *a, *b;
  void *c;
};

/* The first bad parameter after the transposes, 0 for none: the reference's tests and, since it would crash, NULL. */
INLINE int first_bad(const struct call *g) {
  if (g->m < 0) return 3;
  if (g->n < 0) return 4;
  if (g->k < 0) return 5;
  if (tsr_bad_ld(g->type, g->lda, g->ta ? g->k : g->m, g->ta ? g->m : g->k)) return 8;
  if (tsr_bad_ld(g->type, g->ldb, g->tb ? g->n : g->k, g->tb ? g->k : g->n)) return 10;
  if (tsr_bad_ld(g->type, g->ldc, g->m, g->n)) return 13;
  if (g->m == 0 || g->n == 0) return 0;
  if (g->k > 0 && (g->alpha != 0 || g->alpha_im != 0)) {
    if (!g->a) return 7;
    if (!g->b) return 9;
  }
  return g->c ? 0 : 12;
}

INLINE void compute(const struct call *g) {
  int64_t size = tsr_size_of(g->type);
  struct tsr_gemm_problem problem = { /* every field: else all is cleared first, a tenth of a small product */
      .type = g->type, .type_c = g->type, .m = g->m, .n = g->n, .k = g->k,
      .a = (tsr_mem)g->a, .b = (tsr_mem)g->b, .c = (tsr_mem)g->c,
      .rsa = g->ta ? g->lda * size : size, .csa = g->ta ? size : g->lda * size,
      .rsb = g->tb ? g->ldb * size : size, .csb = g->tb ? size : g->ldb * size, .csc = g->ldc * size,
      .alpha = g->alpha, .beta = g->beta, .turned = false, .plan = NULL,
      .alpha_im = g->alpha_im, .beta_im = g->beta_im,
      .flags = (g->ta == 2 ? TSR_CONJ_A : 0) | (g->tb == 2 ? TSR_CONJ_B : 0), .parts = {0}};
  tsr_context *context;
  if (tsr_context_get(NULL, &context) != TSR_OK || tsr_gemm_compute(context, &problem, g->routine) != TSR_OK)
    tsr_complain(g->routine);
}

INLINE bool is_complex(tsr_type type) { return type == TSR_C32 || type == TSR_C64; }

/* Real matrices have no conjugate. */
INLINE int trans_for(tsr_type type, int trans) { return trans == 2 && !is_complex(type) ? 1 : trans; }

INLINE void fortran(const char *transa, const char *transb, struct call g) {
  int ta = tsr_trans_letter(transa), tb = tsr_trans_letter(transb);
  g.ta = trans_for(g.type, ta);
  g.tb = trans_for(g.type, tb);
  int bad = ta < 0 ? 1 : tb < 0 ? 2 : first_bad(&g);
  if (__builtin_expect(bad != 0, 0)) return tsr_report(g.name, bad);
  compute(&g);
}

/* Row-major C = A B is column-major C' = B' A', where every matrix is read as its transpose. */
INLINE struct call turned(const struct call *g) {
  struct call t = *g;
  t.m = g->n, t.n = g->m;
  t.a = g->b, t.lda = g->ldb, t.ta = g->tb;
  t.b = g->a, t.ldb = g->lda, t.tb = g->ta;
  return t;
}

/* The handlers know that sizes and strides of a row-major call changed places; of pointers they have never heard. */
static __attribute__((cold, noinline)) void report_cblas(const char *name, bool row_major, int parameter) {
  if (row_major && (parameter == 7 || parameter == 9)) parameter = 16 - parameter;
  tsr_report_cblas(name, row_major, parameter);
}

/* The reference counts TransB of a row-major call as 2: it has changed places with TransA. */
INLINE void cblas(const char *face, CBLAS_LAYOUT layout, CBLAS_TRANSPOSE transa, CBLAS_TRANSPOSE transb,
                  struct call g) {
  bool row_major = layout == CblasRowMajor;
  int ta = tsr_trans_enum(transa), tb = tsr_trans_enum(transb);
  if (!row_major && layout != CblasColMajor) return tsr_report_enum(face, false, 1, "layout", layout);
  if (ta < 0) return tsr_report_enum(face, row_major, 2, "TransA", transa);
  if (tb < 0) return tsr_report_enum(face, row_major, row_major ? 2 : 3, "TransB", transb);
  g.ta = trans_for(g.type, ta);
  g.tb = trans_for(g.type, tb);
  if (row_major) g = turned(&g);
  int bad = first_bad(&g);
  if (__builtin_expect(bad != 0, 0)) return report_cblas(g.name, row_major, bad);
  compute(&g);
}

#define FORTRAN_GEMM(routine, name, type, real)                                                                    \
  FORTRAN(void, routine, const char *transa, const char *transb, const blas_int *m, const blas_int *n,             \
          const blas_int *k, const real *alpha, const real *a, const blas_int *lda, const real *b,                 \
          const blas_int *ldb, const real *beta, real *c, const blas_int *ldc) {                                   \
    fortran(transa, transb, (struct call){type, name, FACE_TEXT(FORTRAN_NAME(routine)), 0, 0, *m, *n, *k, *lda,    \
                                          *ldb, *ldc, *alpha, *beta, is_complex(type) ? alpha[1] : 0,              \
                                          is_complex(type) ? beta[1] : 0, a, b, c});                               \
  }

FORTRAN_GEMM(sgemm, "SGEMM", TSR_F32, float)
FORTRAN_GEMM(dgemm, "DGEMM", TSR_F64, double)
FORTRAN_GEMM(cgemm, "CGEMM", TSR_C32, float)
FORTRAN_GEMM(zgemm, "ZGEMM", TSR_C64, double)

#define CBLAS_GEMM(routine, name, type, real)                                                                      \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, blas_int m,          \
        blas_int n, blas_int k, real alpha, const real *a, blas_int lda, const real *b, blas_int ldb, real beta,   \
        real *c, blas_int ldc) {                                                                                   \
    cblas(#routine, layout, trans_a, trans_b,                                                                      \
          (struct call){type, name, FACE_TEXT(CBLAS_NAME(routine)), 0, 0, m, n, k, lda,                            \
                        ldb, ldc, alpha, beta, 0, 0, a, b, c});                                                    \
  }

CBLAS_GEMM(cblas_sgemm, "SGEMM", TSR_F32, float)
CBLAS_GEMM(cblas_dgemm, "DGEMM", TSR_F64, double)

#define CBLAS_GEMM_COMPLEX(routine, name, type, real)                                                              \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, blas_int m,          \
        blas_int n, blas_int k, const void *alpha, const void *a, blas_int lda, const void *b, blas_int ldb,       \
        const void *beta, void *c, blas_int ldc) {                                                                 \
    const real *x = alpha, *y = beta;                                                                              \
    cblas(#routine, layout, trans_a, trans_b,                                                                      \
          (struct call){type, name, FACE_TEXT(CBLAS_NAME(routine)), 0, 0, m, n, k, lda,                            \
                        ldb, ldc, x[0], y[0], x[1], y[1], a, b, c});                                               \
  }

CBLAS_GEMM_COMPLEX(cblas_cgemm, "CGEMM", TSR_C32, float)
CBLAS_GEMM_COMPLEX(cblas_zgemm, "ZGEMM", TSR_C64, double)
