/* GEMM's BLAS faces. Each turns its arguments into one column-major call, checks them in the reference's order, and
 * hands the problem to the loops. gemm3m, which elsewhere saves a quarter of the multiplications and loses digits, is
 * gemm. */
#include "src/blas/gemm_call.h"

INLINE void compute(const struct gemm_call *g) {
  struct tsr_gemm_problem problem;
  tsr_context *context;
  tsr_problem_of_call(g, &problem);
  if (tsr_context_get(NULL, &context) != TSR_OK || tsr_gemm_compute(context, &problem, g->routine) != TSR_OK)
    tsr_complain(g->routine);
}

INLINE void fortran(const char *transa, const char *transb, struct gemm_call g) {
  int ta = tsr_trans_letter(transa), tb = tsr_trans_letter(transb);
  g.ta = tsr_trans_for(g.type, ta);
  g.tb = tsr_trans_for(g.type, tb);
  int bad = ta < 0 ? 1 : tb < 0 ? 2 : tsr_first_bad(&g);
  if (__builtin_expect(bad != 0, 0)) return tsr_report(g.name, bad);
  compute(&g);
}

/* The handlers know that sizes and strides of a row-major call changed places; of pointers they have never heard. */
static __attribute__((cold, noinline)) void report_cblas(const char *name, bool row_major, int parameter) {
  if (row_major && (parameter == 7 || parameter == 9)) parameter = 16 - parameter;
  tsr_report_cblas(name, row_major, parameter);
}

/* The reference counts TransB of a row-major call as 2: it has changed places with TransA. */
INLINE void cblas(const char *face, CBLAS_LAYOUT layout, CBLAS_TRANSPOSE transa, CBLAS_TRANSPOSE transb,
                  struct gemm_call g) {
  bool row_major = layout == CblasRowMajor;
  int ta = tsr_trans_enum(transa), tb = tsr_trans_enum(transb);
  if (!row_major && layout != CblasColMajor) return tsr_report_enum(face, false, 1, "layout", layout);
  if (ta < 0) return tsr_report_enum(face, row_major, 2, "TransA", transa);
  if (tb < 0) return tsr_report_enum(face, row_major, row_major ? 2 : 3, "TransB", transb);
  g.ta = tsr_trans_for(g.type, ta);
  g.tb = tsr_trans_for(g.type, tb);
  if (row_major) g = tsr_turned_call(&g);
  int bad = tsr_first_bad(&g);
  if (__builtin_expect(bad != 0, 0)) return report_cblas(g.name, row_major, bad);
  compute(&g);
}

#define FORTRAN_GEMM(routine, name, type, real)                                                                    \
  FORTRAN(void, routine, const char *transa, const char *transb, const blas_int *m, const blas_int *n,             \
          const blas_int *k, const real *alpha, const real *a, const blas_int *lda, const real *b,                 \
          const blas_int *ldb, const real *beta, real *c, const blas_int *ldc) {                                   \
    fortran(transa, transb, (struct gemm_call){type, name, FACE_TEXT(FORTRAN_NAME(routine)), 0, 0, *m, *n, *k, *lda, \
                                          *ldb, *ldc, *alpha, *beta, tsr_is_complex(type) ? alpha[1] : 0,          \
                                          tsr_is_complex(type) ? beta[1] : 0, a, b, c});                           \
  }

FORTRAN_GEMM(sgemm, "SGEMM", TSR_F32, float)
FORTRAN_GEMM(dgemm, "DGEMM", TSR_F64, double)
FORTRAN_GEMM(cgemm, "CGEMM", TSR_C32, float)
FORTRAN_GEMM(zgemm, "ZGEMM", TSR_C64, double)
FORTRAN_GEMM(cgemm3m, "CGEMM3M", TSR_C32, float)
FORTRAN_GEMM(zgemm3m, "ZGEMM3M", TSR_C64, double)

#define CBLAS_GEMM(routine, name, type, real)                                                                      \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, blas_int m,          \
        blas_int n, blas_int k, real alpha, const real *a, blas_int lda, const real *b, blas_int ldb, real beta,   \
        real *c, blas_int ldc) {                                                                                   \
    cblas(#routine, layout, trans_a, trans_b,                                                                      \
          (struct gemm_call){type, name, FACE_TEXT(CBLAS_NAME(routine)), 0, 0, m, n, k, lda,                       \
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
          (struct gemm_call){type, name, FACE_TEXT(CBLAS_NAME(routine)), 0, 0, m, n, k, lda,                       \
                        ldb, ldc, x[0], y[0], x[1], y[1], a, b, c});                                               \
  }

CBLAS_GEMM_COMPLEX(cblas_cgemm, "CGEMM", TSR_C32, float)
CBLAS_GEMM_COMPLEX(cblas_zgemm, "ZGEMM", TSR_C64, double)
CBLAS_GEMM_COMPLEX(cblas_cgemm3m, "CGEMM3M", TSR_C32, float)
CBLAS_GEMM_COMPLEX(cblas_zgemm3m, "ZGEMM3M", TSR_C64, double)
