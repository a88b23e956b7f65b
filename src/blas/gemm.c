/* GEMM's BLAS faces, first thin version: CBLAS with 32-bit integers. */
#include "cblas.h"
#include "tessera/tessera.h"

static void run(tsr_type type, CBLAS_LAYOUT layout, CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int64_t m, int64_t n,
                int64_t k, double alpha, const void *a, int64_t lda, const void *b, int64_t ldb, double beta, void *c,
                int64_t ldc) {
  tsr_gemm_desc d = {sizeof d, type, (tsr_order)layout, ta == CblasNoTrans ? TSR_NO_TRANS : TSR_TRANS,
                     tb == CblasNoTrans ? TSR_NO_TRANS : TSR_TRANS, m, n, k, lda, ldb, ldc, alpha, beta};
  tsr_gemm(0, &d, a, b, c);
}

TSR_API void cblas_sgemm(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, int m, int n, int k,
                         float alpha, const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc) {
  run(TSR_F32, layout, trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

TSR_API void cblas_dgemm(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, int m, int n, int k,
                         double alpha, const double *a, int lda, const double *b, int ldb, double beta, double *c,
                         int ldc) {
  run(TSR_F64, layout, trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
