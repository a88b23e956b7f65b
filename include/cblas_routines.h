/* The routines of cblas.h, which includes this once for each size of integers: not to be included by itself. Pointers
 * to complex numbers, and complex scalars, are void pointers to a real part followed by an imaginary one. */

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
