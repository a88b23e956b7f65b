/* The CBLAS interface (Basic Linear Algebra Subprograms Technical Forum Standard, 2001, appendix B), as far as Tessera
 * provides it. Plain names take 32-bit integers; names ending in 64_ take 64-bit integers. All calls are thread-safe.
 * Bad arguments end in cblas_xerbla / xerbla_ with the reference library's parameter number and change nothing. */
#ifndef CBLAS_H
#define CBLAS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum CBLAS_LAYOUT { CblasRowMajor = 101, CblasColMajor = 102 } CBLAS_LAYOUT;
typedef enum CBLAS_TRANSPOSE { CblasNoTrans = 111, CblasTrans = 112, CblasConjTrans = 113 } CBLAS_TRANSPOSE;
typedef CBLAS_LAYOUT CBLAS_ORDER;

/* C = alpha * op(A) * op(B) + beta * C; op(A) is m x k, op(B) is k x n. See tsr_gemm for the numeric contract. */
void cblas_sgemm(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, int m, int n, int k,
                 float alpha, const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);
void cblas_dgemm(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, int m, int n, int k,
                 double alpha, const double *a, int lda, const double *b, int ldb, double beta, double *c, int ldc);
void cblas_sgemm64_(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, int64_t m, int64_t n,
                    int64_t k, float alpha, const float *a, int64_t lda, const float *b, int64_t ldb, float beta,
                    float *c, int64_t ldc);
void cblas_dgemm64_(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, int64_t m, int64_t n,
                    int64_t k, double alpha, const double *a, int64_t lda, const double *b, int64_t ldb, double beta,
                    double *c, int64_t ldc);

/* Called on a bad argument: parameter number (1-based, layout counted), routine's name, a printf message. Prints and
 * ends the process as the reference does; define your own of this name to replace it. */
void cblas_xerbla(int parameter, const char *routine, const char *format, ...);

#ifdef __cplusplus
}
#endif
#endif
