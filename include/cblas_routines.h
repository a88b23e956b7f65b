/* The routines of cblas.h, which includes this once for each size of integers: not to be included by itself. Pointers
 * to complex numbers, and complex scalars, are void pointers to a real part followed by an imaginary one. */

/* Level 1. Vectors have n elements, inc apart; of a negative inc element 0 comes last in memory. n <= 0 does nothing (sums
 * are 0). Sums do not depend on threads, alignment or chip (doc/blas-numbers.md).
 *
 * copy y = x; swap; scal x = alpha x; axpy y = alpha x + y; axpby y = alpha x + beta y; rot x, y = c x + s y, c y - s x. */
void CBLAS_ROUTINE(cblas_scopy)(CBLAS_INT n, const float *x, CBLAS_INT incx, float *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_dcopy)(CBLAS_INT n, const double *x, CBLAS_INT incx, double *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_ccopy)(CBLAS_INT n, const void *x, CBLAS_INT incx, void *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_zcopy)(CBLAS_INT n, const void *x, CBLAS_INT incx, void *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_sswap)(CBLAS_INT n, float *x, CBLAS_INT incx, float *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_dswap)(CBLAS_INT n, double *x, CBLAS_INT incx, double *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_cswap)(CBLAS_INT n, void *x, CBLAS_INT incx, void *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_zswap)(CBLAS_INT n, void *x, CBLAS_INT incx, void *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_sscal)(CBLAS_INT n, float alpha, float *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_dscal)(CBLAS_INT n, double alpha, double *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_cscal)(CBLAS_INT n, const void *alpha, void *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_zscal)(CBLAS_INT n, const void *alpha, void *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_csscal)(CBLAS_INT n, float alpha, void *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_zdscal)(CBLAS_INT n, double alpha, void *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_saxpy)(CBLAS_INT n, float alpha, const float *x, CBLAS_INT incx, float *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_daxpy)(CBLAS_INT n, double alpha, const double *x, CBLAS_INT incx, double *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_caxpy)(CBLAS_INT n, const void *alpha, const void *x, CBLAS_INT incx, void *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_zaxpy)(CBLAS_INT n, const void *alpha, const void *x, CBLAS_INT incx, void *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_saxpby)(CBLAS_INT n, float alpha, const float *x, CBLAS_INT incx, float beta, float *y,
                                 CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_daxpby)(CBLAS_INT n, double alpha, const double *x, CBLAS_INT incx, double beta, double *y,
                                 CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_caxpby)(CBLAS_INT n, const void *alpha, const void *x, CBLAS_INT incx, const void *beta,
                                 void *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_zaxpby)(CBLAS_INT n, const void *alpha, const void *x, CBLAS_INT incx, const void *beta,
                                 void *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_srot)(CBLAS_INT n, float *x, CBLAS_INT incx, float *y, CBLAS_INT incy, float c, float s);
void CBLAS_ROUTINE(cblas_drot)(CBLAS_INT n, double *x, CBLAS_INT incx, double *y, CBLAS_INT incy, double c, double s);
void CBLAS_ROUTINE(cblas_csrot)(CBLAS_INT n, void *x, CBLAS_INT incx, void *y, CBLAS_INT incy, float c, float s);
void CBLAS_ROUTINE(cblas_zdrot)(CBLAS_INT n, void *x, CBLAS_INT incx, void *y, CBLAS_INT incy, double c, double s);
void CBLAS_ROUTINE(cblas_srotm)(CBLAS_INT n, float *x, CBLAS_INT incx, float *y, CBLAS_INT incy, const float *param);
void CBLAS_ROUTINE(cblas_drotm)(CBLAS_INT n, double *x, CBLAS_INT incx, double *y, CBLAS_INT incy, const double *param);
/* The rotation that makes (a, b) into (r, 0): a becomes r, a real b z. The modified one that makes the second component of
 * (sqrt(d1) x1, sqrt(d2) y1) zero: param has 5 elements. */
void CBLAS_ROUTINE(cblas_srotg)(float *a, float *b, float *c, float *s);
void CBLAS_ROUTINE(cblas_drotg)(double *a, double *b, double *c, double *s);
void CBLAS_ROUTINE(cblas_crotg)(void *a, void *b, float *c, void *s);
void CBLAS_ROUTINE(cblas_zrotg)(void *a, void *b, double *c, void *s);
void CBLAS_ROUTINE(cblas_srotmg)(float *d1, float *d2, float *x1, float y1, float *param);
void CBLAS_ROUTINE(cblas_drotmg)(double *d1, double *d2, double *x1, double y1, double *param);
/* dot: the sum of x y, dotc of conj(x) y; dsdot in double throughout, sdsdot plus b and then rounded. nrm2: the Euclidean
 * norm without overflow; asum: of |x|, or |re| + |im|; iamax: the first index, from 0, of the largest of those (a NaN
 * counts as the largest). */
float CBLAS_ROUTINE(cblas_sdot)(CBLAS_INT n, const float *x, CBLAS_INT incx, const float *y, CBLAS_INT incy);
double CBLAS_ROUTINE(cblas_ddot)(CBLAS_INT n, const double *x, CBLAS_INT incx, const double *y, CBLAS_INT incy);
double CBLAS_ROUTINE(cblas_dsdot)(CBLAS_INT n, const float *x, CBLAS_INT incx, const float *y, CBLAS_INT incy);
float CBLAS_ROUTINE(cblas_sdsdot)(CBLAS_INT n, float b, const float *x, CBLAS_INT incx, const float *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_cdotu_sub)(CBLAS_INT n, const void *x, CBLAS_INT incx, const void *y, CBLAS_INT incy,
                                    void *out);
void CBLAS_ROUTINE(cblas_cdotc_sub)(CBLAS_INT n, const void *x, CBLAS_INT incx, const void *y, CBLAS_INT incy,
                                    void *out);
void CBLAS_ROUTINE(cblas_zdotu_sub)(CBLAS_INT n, const void *x, CBLAS_INT incx, const void *y, CBLAS_INT incy,
                                    void *out);
void CBLAS_ROUTINE(cblas_zdotc_sub)(CBLAS_INT n, const void *x, CBLAS_INT incx, const void *y, CBLAS_INT incy,
                                    void *out);
float CBLAS_ROUTINE(cblas_snrm2)(CBLAS_INT n, const float *x, CBLAS_INT incx);
double CBLAS_ROUTINE(cblas_dnrm2)(CBLAS_INT n, const double *x, CBLAS_INT incx);
float CBLAS_ROUTINE(cblas_scnrm2)(CBLAS_INT n, const void *x, CBLAS_INT incx);
double CBLAS_ROUTINE(cblas_dznrm2)(CBLAS_INT n, const void *x, CBLAS_INT incx);
float CBLAS_ROUTINE(cblas_sasum)(CBLAS_INT n, const float *x, CBLAS_INT incx);
double CBLAS_ROUTINE(cblas_dasum)(CBLAS_INT n, const double *x, CBLAS_INT incx);
float CBLAS_ROUTINE(cblas_scasum)(CBLAS_INT n, const void *x, CBLAS_INT incx);
double CBLAS_ROUTINE(cblas_dzasum)(CBLAS_INT n, const void *x, CBLAS_INT incx);
CBLAS_INDEX CBLAS_ROUTINE(cblas_isamax)(CBLAS_INT n, const float *x, CBLAS_INT incx);
CBLAS_INDEX CBLAS_ROUTINE(cblas_idamax)(CBLAS_INT n, const double *x, CBLAS_INT incx);
CBLAS_INDEX CBLAS_ROUTINE(cblas_icamax)(CBLAS_INT n, const void *x, CBLAS_INT incx);
CBLAS_INDEX CBLAS_ROUTINE(cblas_izamax)(CBLAS_INT n, const void *x, CBLAS_INT incx);
float CBLAS_ROUTINE(cblas_scabs1)(const void *z);
double CBLAS_ROUTINE(cblas_dcabs1)(const void *z);

/* Level 2. Matrices lie as the layout says, band and packed ones as in the reference BLAS; op(A) is A, its transpose or its
 * conjugate transpose. Increments may be negative, as of level 1, but not 0. Sums run in an order that depends on nothing
 * but the sizes (doc/blas-numbers.md); y is not read where beta is 0, A and x not where alpha is 0. */
/* y = alpha * op(A) * x + beta * y; A is m x n. */
void CBLAS_ROUTINE(cblas_sgemv)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, CBLAS_INT m, CBLAS_INT n, float alpha,
                                const float *a, CBLAS_INT lda, const float *x, CBLAS_INT incx, float beta, float *y,
                                CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_dgemv)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, CBLAS_INT m, CBLAS_INT n, double alpha,
                                const double *a, CBLAS_INT lda, const double *x, CBLAS_INT incx, double beta, double *y,
                                CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_cgemv)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, CBLAS_INT m, CBLAS_INT n, const void *alpha,
                                const void *a, CBLAS_INT lda, const void *x, CBLAS_INT incx, const void *beta, void *y,
                                CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_zgemv)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, CBLAS_INT m, CBLAS_INT n, const void *alpha,
                                const void *a, CBLAS_INT lda, const void *x, CBLAS_INT incx, const void *beta, void *y,
                                CBLAS_INT incy);
/* The same of a band of kl diagonals below the main one and ku above. */
void CBLAS_ROUTINE(cblas_sgbmv)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, CBLAS_INT m, CBLAS_INT n, CBLAS_INT kl,
                                CBLAS_INT ku, float alpha, const float *a, CBLAS_INT lda, const float *x,
                                CBLAS_INT incx, float beta, float *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_dgbmv)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, CBLAS_INT m, CBLAS_INT n, CBLAS_INT kl,
                                CBLAS_INT ku, double alpha, const double *a, CBLAS_INT lda, const double *x,
                                CBLAS_INT incx, double beta, double *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_cgbmv)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, CBLAS_INT m, CBLAS_INT n, CBLAS_INT kl,
                                CBLAS_INT ku, const void *alpha, const void *a, CBLAS_INT lda, const void *x,
                                CBLAS_INT incx, const void *beta, void *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_zgbmv)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, CBLAS_INT m, CBLAS_INT n, CBLAS_INT kl,
                                CBLAS_INT ku, const void *alpha, const void *a, CBLAS_INT lda, const void *x,
                                CBLAS_INT incx, const void *beta, void *y, CBLAS_INT incy);
/* y = alpha * A * x + beta * y; A, n x n, is symmetric or Hermitian, its triangle uplo stored: full, banded, packed. */
void CBLAS_ROUTINE(cblas_ssymv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, float alpha, const float *a,
                                CBLAS_INT lda, const float *x, CBLAS_INT incx, float beta, float *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_dsymv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, double alpha, const double *a,
                                CBLAS_INT lda, const double *x, CBLAS_INT incx, double beta, double *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_chemv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, const void *alpha, const void *a,
                                CBLAS_INT lda, const void *x, CBLAS_INT incx, const void *beta, void *y,
                                CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_zhemv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, const void *alpha, const void *a,
                                CBLAS_INT lda, const void *x, CBLAS_INT incx, const void *beta, void *y,
                                CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_ssbmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, CBLAS_INT k, float alpha,
                                const float *a, CBLAS_INT lda, const float *x, CBLAS_INT incx, float beta, float *y,
                                CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_dsbmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, CBLAS_INT k, double alpha,
                                const double *a, CBLAS_INT lda, const double *x, CBLAS_INT incx, double beta, double *y,
                                CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_chbmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, CBLAS_INT k, const void *alpha,
                                const void *a, CBLAS_INT lda, const void *x, CBLAS_INT incx, const void *beta, void *y,
                                CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_zhbmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, CBLAS_INT k, const void *alpha,
                                const void *a, CBLAS_INT lda, const void *x, CBLAS_INT incx, const void *beta, void *y,
                                CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_sspmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, float alpha, const float *a,
                                const float *x, CBLAS_INT incx, float beta, float *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_dspmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, double alpha, const double *a,
                                const double *x, CBLAS_INT incx, double beta, double *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_chpmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, const void *alpha, const void *a,
                                const void *x, CBLAS_INT incx, const void *beta, void *y, CBLAS_INT incy);
void CBLAS_ROUTINE(cblas_zhpmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, const void *alpha, const void *a,
                                const void *x, CBLAS_INT incx, const void *beta, void *y, CBLAS_INT incy);
/* x = op(A) * x; A is a triangle, n x n. */
void CBLAS_ROUTINE(cblas_strmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, const float *a, CBLAS_INT lda, float *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_dtrmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, const double *a, CBLAS_INT lda, double *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_ctrmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, const void *a, CBLAS_INT lda, void *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_ztrmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, const void *a, CBLAS_INT lda, void *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_stbmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, CBLAS_INT k, const float *a, CBLAS_INT lda, float *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_dtbmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, CBLAS_INT k, const double *a, CBLAS_INT lda, double *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_ctbmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, CBLAS_INT k, const void *a, CBLAS_INT lda, void *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_ztbmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, CBLAS_INT k, const void *a, CBLAS_INT lda, void *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_stpmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, const float *a, float *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_dtpmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, const double *a, double *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_ctpmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, const void *a, void *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_ztpmv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, const void *a, void *x, CBLAS_INT incx);
/* The x of op(A) * x = b, which is x before the call. Whether A is singular is not looked at. */
void CBLAS_ROUTINE(cblas_strsv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, const float *a, CBLAS_INT lda, float *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_dtrsv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, const double *a, CBLAS_INT lda, double *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_ctrsv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, const void *a, CBLAS_INT lda, void *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_ztrsv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, const void *a, CBLAS_INT lda, void *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_stbsv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, CBLAS_INT k, const float *a, CBLAS_INT lda, float *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_dtbsv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, CBLAS_INT k, const double *a, CBLAS_INT lda, double *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_ctbsv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, CBLAS_INT k, const void *a, CBLAS_INT lda, void *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_ztbsv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, CBLAS_INT k, const void *a, CBLAS_INT lda, void *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_stpsv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, const float *a, float *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_dtpsv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, const double *a, double *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_ctpsv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, const void *a, void *x, CBLAS_INT incx);
void CBLAS_ROUTINE(cblas_ztpsv)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag,
                                CBLAS_INT n, const void *a, void *x, CBLAS_INT incx);
/* A = alpha * x * y' + A; A is m x n, y' the transpose or, of gerc, the conjugate transpose. */
void CBLAS_ROUTINE(cblas_sger)(CBLAS_LAYOUT layout, CBLAS_INT m, CBLAS_INT n, float alpha, const float *x,
                               CBLAS_INT incx, const float *y, CBLAS_INT incy, float *a, CBLAS_INT lda);
void CBLAS_ROUTINE(cblas_dger)(CBLAS_LAYOUT layout, CBLAS_INT m, CBLAS_INT n, double alpha, const double *x,
                               CBLAS_INT incx, const double *y, CBLAS_INT incy, double *a, CBLAS_INT lda);
void CBLAS_ROUTINE(cblas_cgeru)(CBLAS_LAYOUT layout, CBLAS_INT m, CBLAS_INT n, const void *alpha, const void *x,
                                CBLAS_INT incx, const void *y, CBLAS_INT incy, void *a, CBLAS_INT lda);
void CBLAS_ROUTINE(cblas_zgeru)(CBLAS_LAYOUT layout, CBLAS_INT m, CBLAS_INT n, const void *alpha, const void *x,
                                CBLAS_INT incx, const void *y, CBLAS_INT incy, void *a, CBLAS_INT lda);
void CBLAS_ROUTINE(cblas_cgerc)(CBLAS_LAYOUT layout, CBLAS_INT m, CBLAS_INT n, const void *alpha, const void *x,
                                CBLAS_INT incx, const void *y, CBLAS_INT incy, void *a, CBLAS_INT lda);
void CBLAS_ROUTINE(cblas_zgerc)(CBLAS_LAYOUT layout, CBLAS_INT m, CBLAS_INT n, const void *alpha, const void *x,
                                CBLAS_INT incx, const void *y, CBLAS_INT incy, void *a, CBLAS_INT lda);
/* A = alpha * x * x' + A, of the triangle uplo. */
void CBLAS_ROUTINE(cblas_ssyr)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, float alpha, const float *x,
                               CBLAS_INT incx, float *a, CBLAS_INT lda);
void CBLAS_ROUTINE(cblas_dsyr)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, double alpha, const double *x,
                               CBLAS_INT incx, double *a, CBLAS_INT lda);
void CBLAS_ROUTINE(cblas_cher)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, float alpha, const void *x,
                               CBLAS_INT incx, void *a, CBLAS_INT lda);
void CBLAS_ROUTINE(cblas_zher)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, double alpha, const void *x,
                               CBLAS_INT incx, void *a, CBLAS_INT lda);
void CBLAS_ROUTINE(cblas_sspr)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, float alpha, const float *x,
                               CBLAS_INT incx, float *a);
void CBLAS_ROUTINE(cblas_dspr)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, double alpha, const double *x,
                               CBLAS_INT incx, double *a);
void CBLAS_ROUTINE(cblas_chpr)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, float alpha, const void *x,
                               CBLAS_INT incx, void *a);
void CBLAS_ROUTINE(cblas_zhpr)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, double alpha, const void *x,
                               CBLAS_INT incx, void *a);
/* A = alpha * x * y' + alpha * y * x' + A, the second alpha conjugate if A is Hermitian. */
void CBLAS_ROUTINE(cblas_ssyr2)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, float alpha, const float *x,
                                CBLAS_INT incx, const float *y, CBLAS_INT incy, float *a, CBLAS_INT lda);
void CBLAS_ROUTINE(cblas_dsyr2)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, double alpha, const double *x,
                                CBLAS_INT incx, const double *y, CBLAS_INT incy, double *a, CBLAS_INT lda);
void CBLAS_ROUTINE(cblas_cher2)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, const void *alpha, const void *x,
                                CBLAS_INT incx, const void *y, CBLAS_INT incy, void *a, CBLAS_INT lda);
void CBLAS_ROUTINE(cblas_zher2)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, const void *alpha, const void *x,
                                CBLAS_INT incx, const void *y, CBLAS_INT incy, void *a, CBLAS_INT lda);
void CBLAS_ROUTINE(cblas_sspr2)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, float alpha, const float *x,
                                CBLAS_INT incx, const float *y, CBLAS_INT incy, float *a);
void CBLAS_ROUTINE(cblas_dspr2)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, double alpha, const double *x,
                                CBLAS_INT incx, const double *y, CBLAS_INT incy, double *a);
void CBLAS_ROUTINE(cblas_chpr2)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, const void *alpha, const void *x,
                                CBLAS_INT incx, const void *y, CBLAS_INT incy, void *a);
void CBLAS_ROUTINE(cblas_zhpr2)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_INT n, const void *alpha, const void *x,
                                CBLAS_INT incx, const void *y, CBLAS_INT incy, void *a);

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

/* C = alpha * A * B + beta * C (side left) or alpha * B * A + beta * C: A is symmetric, or Hermitian (hemm: its
 * diagonal's imaginary parts are not read), and only its triangle `uplo` is read. B and C are m x n. The bits are those
 * of gemm with the whole A. */
void CBLAS_ROUTINE(cblas_ssymm)(CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, CBLAS_INT m, CBLAS_INT n,
                                float alpha, const float *a, CBLAS_INT lda, const float *b, CBLAS_INT ldb, float beta,
                                float *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_dsymm)(CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, CBLAS_INT m, CBLAS_INT n,
                                double alpha, const double *a, CBLAS_INT lda, const double *b, CBLAS_INT ldb,
                                double beta, double *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_csymm)(CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, CBLAS_INT m, CBLAS_INT n,
                                const void *alpha, const void *a, CBLAS_INT lda, const void *b, CBLAS_INT ldb,
                                const void *beta, void *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_zsymm)(CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, CBLAS_INT m, CBLAS_INT n,
                                const void *alpha, const void *a, CBLAS_INT lda, const void *b, CBLAS_INT ldb,
                                const void *beta, void *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_chemm)(CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, CBLAS_INT m, CBLAS_INT n,
                                const void *alpha, const void *a, CBLAS_INT lda, const void *b, CBLAS_INT ldb,
                                const void *beta, void *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_zhemm)(CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, CBLAS_INT m, CBLAS_INT n,
                                const void *alpha, const void *a, CBLAS_INT lda, const void *b, CBLAS_INT ldb,
                                const void *beta, void *c, CBLAS_INT ldc);
/* The triangle `uplo` of C = alpha * op(A) * op(A)' + beta * C: op(A) is n x k, ' the transpose or (herk) the conjugate
 * one. Of C's other triangle nothing is read or written; herk makes the diagonal real. */
void CBLAS_ROUTINE(cblas_ssyrk)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_INT n, CBLAS_INT k,
                                float alpha, const float *a, CBLAS_INT lda, float beta, float *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_dsyrk)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_INT n, CBLAS_INT k,
                                double alpha, const double *a, CBLAS_INT lda, double beta, double *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_csyrk)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_INT n, CBLAS_INT k,
                                const void *alpha, const void *a, CBLAS_INT lda, const void *beta, void *c,
                                CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_zsyrk)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_INT n, CBLAS_INT k,
                                const void *alpha, const void *a, CBLAS_INT lda, const void *beta, void *c,
                                CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_cherk)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_INT n, CBLAS_INT k,
                                float alpha, const void *a, CBLAS_INT lda, float beta, void *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_zherk)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_INT n, CBLAS_INT k,
                                double alpha, const void *a, CBLAS_INT lda, double beta, void *c, CBLAS_INT ldc);
/* The same of alpha * op(A) * op(B)' + alpha * op(B) * op(A)' + beta * C; her2k takes the second alpha conjugate. */
void CBLAS_ROUTINE(cblas_ssyr2k)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_INT n, CBLAS_INT k,
                                 float alpha, const float *a, CBLAS_INT lda, const float *b, CBLAS_INT ldb, float beta,
                                 float *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_dsyr2k)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_INT n, CBLAS_INT k,
                                 double alpha, const double *a, CBLAS_INT lda, const double *b, CBLAS_INT ldb,
                                 double beta, double *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_csyr2k)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_INT n, CBLAS_INT k,
                                 const void *alpha, const void *a, CBLAS_INT lda, const void *b, CBLAS_INT ldb,
                                 const void *beta, void *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_zsyr2k)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_INT n, CBLAS_INT k,
                                 const void *alpha, const void *a, CBLAS_INT lda, const void *b, CBLAS_INT ldb,
                                 const void *beta, void *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_cher2k)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_INT n, CBLAS_INT k,
                                 const void *alpha, const void *a, CBLAS_INT lda, const void *b, CBLAS_INT ldb,
                                 float beta, void *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_zher2k)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_INT n, CBLAS_INT k,
                                 const void *alpha, const void *a, CBLAS_INT lda, const void *b, CBLAS_INT ldb,
                                 double beta, void *c, CBLAS_INT ldc);
/* The triangle `uplo` of C = alpha * op(A) * op(B) + beta * C: op(A) is n x k, op(B) k x n. */
void CBLAS_ROUTINE(cblas_sgemmt)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b,
                                 CBLAS_INT n, CBLAS_INT k, float alpha, const float *a, CBLAS_INT lda, const float *b,
                                 CBLAS_INT ldb, float beta, float *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_dgemmt)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b,
                                 CBLAS_INT n, CBLAS_INT k, double alpha, const double *a, CBLAS_INT lda,
                                 const double *b, CBLAS_INT ldb, double beta, double *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_cgemmt)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b,
                                 CBLAS_INT n, CBLAS_INT k, const void *alpha, const void *a, CBLAS_INT lda,
                                 const void *b, CBLAS_INT ldb, const void *beta, void *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_zgemmt)(CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b,
                                 CBLAS_INT n, CBLAS_INT k, const void *alpha, const void *a, CBLAS_INT lda,
                                 const void *b, CBLAS_INT ldb, const void *beta, void *c, CBLAS_INT ldc);

/* Extensions, with the arguments of MKL and OpenBLAS. gemm3m: gemm, with gemm's own accuracy. */
void CBLAS_ROUTINE(cblas_cgemm3m)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, CBLAS_INT m,
                                  CBLAS_INT n, CBLAS_INT k, const void *alpha, const void *a, CBLAS_INT lda,
                                  const void *b, CBLAS_INT ldb, const void *beta, void *c, CBLAS_INT ldc);
void CBLAS_ROUTINE(cblas_zgemm3m)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, CBLAS_INT m,
                                  CBLAS_INT n, CBLAS_INT k, const void *alpha, const void *a, CBLAS_INT lda,
                                  const void *b, CBLAS_INT ldb, const void *beta, void *c, CBLAS_INT ldc);

/* Many products in groups: group g has group_size[g] products of one shape, transposes, leading dimensions and scalars
 * (arrays with an element a group); a, b and c have a pointer for each product, the groups one after the other. The C
 * must not overlap. Each product has the bits of gemm. */
void CBLAS_ROUTINE(cblas_sgemm_batch)(CBLAS_LAYOUT layout, const CBLAS_TRANSPOSE *trans_a,
                                      const CBLAS_TRANSPOSE *trans_b, const CBLAS_INT *m, const CBLAS_INT *n,
                                      const CBLAS_INT *k, const float *alpha, const float *const *a,
                                      const CBLAS_INT *lda, const float *const *b, const CBLAS_INT *ldb,
                                      const float *beta, float *const *c, const CBLAS_INT *ldc, CBLAS_INT group_count,
                                      const CBLAS_INT *group_size);
void CBLAS_ROUTINE(cblas_dgemm_batch)(CBLAS_LAYOUT layout, const CBLAS_TRANSPOSE *trans_a,
                                      const CBLAS_TRANSPOSE *trans_b, const CBLAS_INT *m, const CBLAS_INT *n,
                                      const CBLAS_INT *k, const double *alpha, const double *const *a,
                                      const CBLAS_INT *lda, const double *const *b, const CBLAS_INT *ldb,
                                      const double *beta, double *const *c, const CBLAS_INT *ldc, CBLAS_INT group_count,
                                      const CBLAS_INT *group_size);
void CBLAS_ROUTINE(cblas_cgemm_batch)(CBLAS_LAYOUT layout, const CBLAS_TRANSPOSE *trans_a,
                                      const CBLAS_TRANSPOSE *trans_b, const CBLAS_INT *m, const CBLAS_INT *n,
                                      const CBLAS_INT *k, const void *alpha, const void *const *a, const CBLAS_INT *lda,
                                      const void *const *b, const CBLAS_INT *ldb, const void *beta, void *const *c,
                                      const CBLAS_INT *ldc, CBLAS_INT group_count, const CBLAS_INT *group_size);
void CBLAS_ROUTINE(cblas_zgemm_batch)(CBLAS_LAYOUT layout, const CBLAS_TRANSPOSE *trans_a,
                                      const CBLAS_TRANSPOSE *trans_b, const CBLAS_INT *m, const CBLAS_INT *n,
                                      const CBLAS_INT *k, const void *alpha, const void *const *a, const CBLAS_INT *lda,
                                      const void *const *b, const CBLAS_INT *ldb, const void *beta, void *const *c,
                                      const CBLAS_INT *ldc, CBLAS_INT group_count, const CBLAS_INT *group_size);

/* Many products of one shape, whose matrices lie stride elements apart; that of C keeps its matrices apart. */
void CBLAS_ROUTINE(cblas_sgemm_batch_strided)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b,
                                              CBLAS_INT m, CBLAS_INT n, CBLAS_INT k, float alpha, const float *a,
                                              CBLAS_INT lda, CBLAS_INT stride_a, const float *b, CBLAS_INT ldb,
                                              CBLAS_INT stride_b, float beta, float *c, CBLAS_INT ldc,
                                              CBLAS_INT stride_c, CBLAS_INT batch_size);
void CBLAS_ROUTINE(cblas_dgemm_batch_strided)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b,
                                              CBLAS_INT m, CBLAS_INT n, CBLAS_INT k, double alpha, const double *a,
                                              CBLAS_INT lda, CBLAS_INT stride_a, const double *b, CBLAS_INT ldb,
                                              CBLAS_INT stride_b, double beta, double *c, CBLAS_INT ldc,
                                              CBLAS_INT stride_c, CBLAS_INT batch_size);
void CBLAS_ROUTINE(cblas_cgemm_batch_strided)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b,
                                              CBLAS_INT m, CBLAS_INT n, CBLAS_INT k, const void *alpha, const void *a,
                                              CBLAS_INT lda, CBLAS_INT stride_a, const void *b, CBLAS_INT ldb,
                                              CBLAS_INT stride_b, const void *beta, void *c, CBLAS_INT ldc,
                                              CBLAS_INT stride_c, CBLAS_INT batch_size);
void CBLAS_ROUTINE(cblas_zgemm_batch_strided)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b,
                                              CBLAS_INT m, CBLAS_INT n, CBLAS_INT k, const void *alpha, const void *a,
                                              CBLAS_INT lda, CBLAS_INT stride_a, const void *b, CBLAS_INT ldb,
                                              CBLAS_INT stride_b, const void *beta, void *c, CBLAS_INT ldc,
                                              CBLAS_INT stride_c, CBLAS_INT batch_size);

/* An operand of many products laid out once: `dest` has as many bytes as get_size says, may be copied and freed, and
 * holds alpha * op(X), where X is A (m x k after op) or B (k x n). compute takes it in the place of that operand, with
 * CblasPacked for its transpose (its leading dimension is not used): C = op(A) * op(B) + beta * C, the bits of gemm. */
size_t CBLAS_ROUTINE(cblas_sgemm_pack_get_size)(CBLAS_IDENTIFIER identifier, CBLAS_INT m, CBLAS_INT n, CBLAS_INT k);
void CBLAS_ROUTINE(cblas_sgemm_pack)(CBLAS_LAYOUT layout, CBLAS_IDENTIFIER identifier, CBLAS_TRANSPOSE trans,
                                     CBLAS_INT m, CBLAS_INT n, CBLAS_INT k, float alpha, const float *src, CBLAS_INT ld,
                                     float *dest);
void CBLAS_ROUTINE(cblas_sgemm_compute)(CBLAS_LAYOUT layout, CBLAS_INT trans_a, CBLAS_INT trans_b, CBLAS_INT m,
                                        CBLAS_INT n, CBLAS_INT k, const float *a, CBLAS_INT lda, const float *b,
                                        CBLAS_INT ldb, float beta, float *c, CBLAS_INT ldc);
size_t CBLAS_ROUTINE(cblas_dgemm_pack_get_size)(CBLAS_IDENTIFIER identifier, CBLAS_INT m, CBLAS_INT n, CBLAS_INT k);
void CBLAS_ROUTINE(cblas_dgemm_pack)(CBLAS_LAYOUT layout, CBLAS_IDENTIFIER identifier, CBLAS_TRANSPOSE trans,
                                     CBLAS_INT m, CBLAS_INT n, CBLAS_INT k, double alpha, const double *src,
                                     CBLAS_INT ld, double *dest);
void CBLAS_ROUTINE(cblas_dgemm_compute)(CBLAS_LAYOUT layout, CBLAS_INT trans_a, CBLAS_INT trans_b, CBLAS_INT m,
                                        CBLAS_INT n, CBLAS_INT k, const double *a, CBLAS_INT lda, const double *b,
                                        CBLAS_INT ldb, double beta, double *c, CBLAS_INT ldc);

/* B = alpha * op(A), A being rows x columns: op transposes, conjugates, both or neither. imatcopy leaves B where A was,
 * with leading dimension ldb. omatcopy: A and B must not overlap. */
void CBLAS_ROUTINE(cblas_somatcopy)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, CBLAS_INT rows, CBLAS_INT columns,
                                    float alpha, const float *a, CBLAS_INT lda, float *b, CBLAS_INT ldb);
void CBLAS_ROUTINE(cblas_simatcopy)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, CBLAS_INT rows, CBLAS_INT columns,
                                    float alpha, float *a, CBLAS_INT lda, CBLAS_INT ldb);
void CBLAS_ROUTINE(cblas_domatcopy)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, CBLAS_INT rows, CBLAS_INT columns,
                                    double alpha, const double *a, CBLAS_INT lda, double *b, CBLAS_INT ldb);
void CBLAS_ROUTINE(cblas_dimatcopy)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, CBLAS_INT rows, CBLAS_INT columns,
                                    double alpha, double *a, CBLAS_INT lda, CBLAS_INT ldb);
void CBLAS_ROUTINE(cblas_comatcopy)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, CBLAS_INT rows, CBLAS_INT columns,
                                    const void *alpha, const void *a, CBLAS_INT lda, void *b, CBLAS_INT ldb);
void CBLAS_ROUTINE(cblas_cimatcopy)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, CBLAS_INT rows, CBLAS_INT columns,
                                    const void *alpha, void *a, CBLAS_INT lda, CBLAS_INT ldb);
void CBLAS_ROUTINE(cblas_zomatcopy)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, CBLAS_INT rows, CBLAS_INT columns,
                                    const void *alpha, const void *a, CBLAS_INT lda, void *b, CBLAS_INT ldb);
void CBLAS_ROUTINE(cblas_zimatcopy)(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, CBLAS_INT rows, CBLAS_INT columns,
                                    const void *alpha, void *a, CBLAS_INT lda, CBLAS_INT ldb);

/* B = alpha * op(A) * B, or alpha * B * op(A) from the right, where A is a triangle; B is m x n. trsm: the X of
 * op(A) * X = alpha * B, or X * op(A) = alpha * B, overwrites B. The other triangle of A is not read, nor its diagonal if
 * that is unit. doc/blas-numbers.md says in which order sums run. */
void CBLAS_ROUTINE(cblas_strmm)(CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans_a,
                                CBLAS_DIAG diag, CBLAS_INT m, CBLAS_INT n, float alpha, const float *a, CBLAS_INT lda,
                                float *b, CBLAS_INT ldb);
void CBLAS_ROUTINE(cblas_dtrmm)(CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans_a,
                                CBLAS_DIAG diag, CBLAS_INT m, CBLAS_INT n, double alpha, const double *a,
                                CBLAS_INT lda, double *b, CBLAS_INT ldb);
void CBLAS_ROUTINE(cblas_ctrmm)(CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans_a,
                                CBLAS_DIAG diag, CBLAS_INT m, CBLAS_INT n, const void *alpha, const void *a,
                                CBLAS_INT lda, void *b, CBLAS_INT ldb);
void CBLAS_ROUTINE(cblas_ztrmm)(CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans_a,
                                CBLAS_DIAG diag, CBLAS_INT m, CBLAS_INT n, const void *alpha, const void *a,
                                CBLAS_INT lda, void *b, CBLAS_INT ldb);
void CBLAS_ROUTINE(cblas_strsm)(CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans_a,
                                CBLAS_DIAG diag, CBLAS_INT m, CBLAS_INT n, float alpha, const float *a, CBLAS_INT lda,
                                float *b, CBLAS_INT ldb);
void CBLAS_ROUTINE(cblas_dtrsm)(CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans_a,
                                CBLAS_DIAG diag, CBLAS_INT m, CBLAS_INT n, double alpha, const double *a,
                                CBLAS_INT lda, double *b, CBLAS_INT ldb);
void CBLAS_ROUTINE(cblas_ctrsm)(CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans_a,
                                CBLAS_DIAG diag, CBLAS_INT m, CBLAS_INT n, const void *alpha, const void *a,
                                CBLAS_INT lda, void *b, CBLAS_INT ldb);
void CBLAS_ROUTINE(cblas_ztrsm)(CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans_a,
                                CBLAS_DIAG diag, CBLAS_INT m, CBLAS_INT n, const void *alpha, const void *a,
                                CBLAS_INT lda, void *b, CBLAS_INT ldb);
