/* The routines of cblas.h, which includes this once for each size of integers: not to be included by itself. Pointers to
 * complex numbers, and complex scalars, are void pointers to a real part followed by an imaginary one. */

/* Level 3. C = alpha * op(A) * op(B) + beta * C; op(A) is m x k, op(B) is k x n. See tsr_gemm for the numeric contract;
 * a complex product keeps the four sums of real products apart, each a chain like that of a real one. */
void CBLAS_ROUTINE(cblas_sgemm)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, CBLAS_INT m,
                                CBLAS_INT n, CBLAS_INT k, float alpha, const float *a, CBLAS_INT lda, const float *b,
                                CBLAS_INT ldb, float beta, float *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_dgemm)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, CBLAS_INT m,
                                CBLAS_INT n, CBLAS_INT k, double alpha, const double *a, CBLAS_INT lda,
                                const double *b, CBLAS_INT ldb, double beta, double *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_cgemm)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, CBLAS_INT m,
                                CBLAS_INT n, CBLAS_INT k, const void *alpha, const void *a, CBLAS_INT lda,
                                const void *b, CBLAS_INT ldb, const void *beta, void *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_zgemm)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, CBLAS_INT m,
                                CBLAS_INT n, CBLAS_INT k, const void *alpha, const void *a, CBLAS_INT lda,
                                const void *b, CBLAS_INT ldb, const void *beta, void *c, CBLAS_INT ldc);
