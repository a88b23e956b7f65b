/* The faces of gemv, gbmv, symv, hemv, sbmv, hbmv, spmv and hpmv. */
#include "src/blas/level2.h"

/* --- gemv, gbmv --------------------------------------------------------------------------------------------------- */

/* The first bad parameter behind the letter, 0 for none. */
INLINE int bad_gemv(const struct tsr_level2 *p) {
  int band = p->storage == TSR_STORED_BAND ? 2 : 0;
  if (p->m < 0) return 2;
  if (p->n < 0) return 3;
  if (band && p->lower_band < 0) return 4;
  if (band && p->upper_band < 0) return 5;
  if (tsr_bad_storage(p)) return 6 + band;
  if (p->incx == 0) return 8 + band;
  if (p->incy == 0) return 11 + band;
  if (p->m == 0 || p->n == 0) return 0;
  if (!tsr_is_zero(p->alpha) && !p->a) return 5 + band;
  if (!tsr_is_zero(p->alpha) && !p->x) return 7 + band;
  return p->y ? 0 : 10 + band;
}

INLINE void gemv(const struct tsr_level2_call *call, int trans, struct tsr_level2 p) {
  tsr_set_op(&p, trans, call->row_major);
  if (call->row_major) {
    int64_t m = p.m, lower = p.lower_band;
    p.m = p.n, p.n = m;
    p.lower_band = p.upper_band, p.upper_band = lower;
  }
  int bad = bad_gemv(&p);
  if (__builtin_expect(bad != 0, 0)) return tsr_report_level2(call, bad);
  if (p.m == 0 || p.n == 0 || (tsr_is_zero(p.alpha) && tsr_is_one(p.beta))) return;
  tsr_run_level2(call, tsr_gemv, &p);
}

#define GEMV_PROBLEM(type_, storage_, m_, n_, kl_, ku_, alpha_, a_, lda_, x_, incx_, beta_, y_, incy_)                 \
  struct tsr_level2 p = {.type = type_, .storage = storage_, .m = m_, .n = n_, .lower_band = kl_, .upper_band = ku_,   \
                         .a = (tsr_mem)(a_), .x = (tsr_mem)(x_), .y = (tsr_mem)(y_), .lda = lda_, .incx = incx_,       \
                         .incy = incy_};                                                                               \
  tsr_set_scalar(type_, alpha_, p.alpha);                                                                              \
  tsr_set_scalar(type_, beta_, p.beta)

#define FORTRAN_GEMV(routine, name, type, real)                                                                        \
  FORTRAN(void, routine, const char *trans, const blas_int *m, const blas_int *n, const real *alpha, const real *a,    \
          const blas_int *lda, const real *x, const blas_int *incx, const real *beta, real *y, const blas_int *incy) { \
    struct tsr_level2_call call = FORTRAN_CALL(name, routine);                                                         \
    struct tsr_level2_letters l = {0, 0, 0};                                                               \
    if (tsr_read_letters(NULL, trans, NULL, &l)) return tsr_report_level2(&call, 1);                                   \
    GEMV_PROBLEM(type, TSR_STORED_FULL, *m, *n, 0, 0, alpha, a, *lda, x, *incx, beta, y, *incy);                       \
    gemv(&call, l.trans, p);                                                                                           \
  }
FORTRAN_GEMV(sgemv, "SGEMV", TSR_F32, float)
FORTRAN_GEMV(dgemv, "DGEMV", TSR_F64, double)
FORTRAN_GEMV(cgemv, "CGEMV", TSR_C32, float)
FORTRAN_GEMV(zgemv, "ZGEMV", TSR_C64, double)

#define CBLAS_GEMV(routine, name, type, scalar, star, element)                                                         \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, blas_int m, blas_int n, scalar alpha,               \
        const element *a, blas_int lda, const element *x, blas_int incx, scalar beta, element *y, blas_int incy) {     \
    struct tsr_level2_call call = CBLAS_CALL(name, routine, layout);                                                   \
    struct tsr_level2_letters l = {0, 0, 0};                                                                           \
    if (!tsr_read_enums(#routine, (struct tsr_level2_enums){layout, NULL, &trans, NULL}, &l)) return;                  \
    GEMV_PROBLEM(type, TSR_STORED_FULL, m, n, 0, 0, star alpha, a, lda, x, incx, star beta, y, incy);                  \
    gemv(&call, l.trans, p);                                                                                           \
  }
CBLAS_GEMV(cblas_sgemv, "SGEMV", TSR_F32, float, &, float)
CBLAS_GEMV(cblas_dgemv, "DGEMV", TSR_F64, double, &, double)
CBLAS_GEMV(cblas_cgemv, "CGEMV", TSR_C32, const void *, , void)
CBLAS_GEMV(cblas_zgemv, "ZGEMV", TSR_C64, const void *, , void)

#define FORTRAN_GBMV(routine, name, type, real)                                                                        \
  FORTRAN(void, routine, const char *trans, const blas_int *m, const blas_int *n, const blas_int *kl,                  \
          const blas_int *ku, const real *alpha, const real *a, const blas_int *lda, const real *x,                    \
          const blas_int *incx, const real *beta, real *y, const blas_int *incy) {                                     \
    struct tsr_level2_call call = FORTRAN_CALL(name, routine);                                                         \
    struct tsr_level2_letters l = {0, 0, 0};                                                               \
    if (tsr_read_letters(NULL, trans, NULL, &l)) return tsr_report_level2(&call, 1);                                   \
    GEMV_PROBLEM(type, TSR_STORED_BAND, *m, *n, *kl, *ku, alpha, a, *lda, x, *incx, beta, y, *incy);                   \
    gemv(&call, l.trans, p);                                                                                           \
  }
FORTRAN_GBMV(sgbmv, "SGBMV", TSR_F32, float)
FORTRAN_GBMV(dgbmv, "DGBMV", TSR_F64, double)
FORTRAN_GBMV(cgbmv, "CGBMV", TSR_C32, float)
FORTRAN_GBMV(zgbmv, "ZGBMV", TSR_C64, double)

#define CBLAS_GBMV(routine, name, type, scalar, star, element)                                                         \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, blas_int m, blas_int n, blas_int kl, blas_int ku,   \
        scalar alpha, const element *a, blas_int lda, const element *x, blas_int incx, scalar beta, element *y,        \
        blas_int incy) {                                                                                               \
    struct tsr_level2_call call = CBLAS_CALL(name, routine, layout);                                                   \
    struct tsr_level2_letters l = {0, 0, 0};                                                                           \
    if (!tsr_read_enums(#routine, (struct tsr_level2_enums){layout, NULL, &trans, NULL}, &l)) return;                  \
    GEMV_PROBLEM(type, TSR_STORED_BAND, m, n, kl, ku, star alpha, a, lda, x, incx, star beta, y, incy);                \
    gemv(&call, l.trans, p);                                                                                           \
  }
CBLAS_GBMV(cblas_sgbmv, "SGBMV", TSR_F32, float, &, float)
CBLAS_GBMV(cblas_dgbmv, "DGBMV", TSR_F64, double, &, double)
CBLAS_GBMV(cblas_cgbmv, "CGBMV", TSR_C32, const void *, , void)
CBLAS_GBMV(cblas_zgbmv, "ZGBMV", TSR_C64, const void *, , void)

/* --- symv, sbmv, spmv and the Hermitian ones ---------------------------------------------------------------------- */

INLINE int bad_symv(const struct tsr_level2 *p) {
  int shift = p->storage == TSR_STORED_BAND ? 1 : p->storage == TSR_STORED_PACKED ? -1 : 0;
  if (p->n < 0) return 2;
  if (p->storage == TSR_STORED_BAND && p->lower_band + p->upper_band < 0) return 3;
  if (tsr_bad_storage(p)) return 5 + shift;
  if (p->incx == 0) return 7 + shift;
  if (p->incy == 0) return 10 + shift;
  if (p->n == 0) return 0;
  if (!tsr_is_zero(p->alpha) && !p->a) return shift > 0 ? 5 : 4;
  if (!tsr_is_zero(p->alpha) && !p->x) return 6 + shift;
  return p->y ? 0 : 9 + shift;
}

/* A row-major matrix is its transpose: of a Hermitian one the conjugate. */
INLINE void symv(const struct tsr_level2_call *call, int uplo, int64_t k, bool hermitian, struct tsr_level2 p) {
  tsr_set_triangle(&p, uplo, k);
  p.m = p.n;
  p.hermitian = hermitian;
  p.conj = hermitian && call->row_major;
  int bad = bad_symv(&p);
  if (__builtin_expect(bad != 0, 0)) return tsr_report_level2(call, bad);
  if (p.n == 0 || (tsr_is_zero(p.alpha) && tsr_is_one(p.beta))) return;
  tsr_run_level2(call, tsr_symv, &p);
}

#define SYMV_PROBLEM(type_, storage_, n_, alpha_, a_, lda_, x_, incx_, beta_, y_, incy_)                               \
  struct tsr_level2 p = {.type = type_, .storage = storage_, .n = n_, .a = (tsr_mem)(a_), .x = (tsr_mem)(x_),          \
                         .y = (tsr_mem)(y_), .lda = lda_, .incx = incx_, .incy = incy_};                               \
  tsr_set_scalar(type_, alpha_, p.alpha);                                                                              \
  tsr_set_scalar(type_, beta_, p.beta)

#define FORTRAN_SYMV(routine, name, type, real, hermitian)                                                             \
  FORTRAN(void, routine, const char *uplo, const blas_int *n, const real *alpha, const real *a, const blas_int *lda,   \
          const real *x, const blas_int *incx, const real *beta, real *y, const blas_int *incy) {                      \
    struct tsr_level2_call call = FORTRAN_CALL(name, routine);                                                         \
    struct tsr_level2_letters l = {0, 0, 0};                                                               \
    if (tsr_read_letters(uplo, NULL, NULL, &l)) return tsr_report_level2(&call, 1);                                    \
    SYMV_PROBLEM(type, TSR_STORED_FULL, *n, alpha, a, *lda, x, *incx, beta, y, *incy);                                 \
    symv(&call, l.uplo, 0, hermitian, p);                                                                              \
  }
FORTRAN_SYMV(ssymv, "SSYMV", TSR_F32, float, false)
FORTRAN_SYMV(dsymv, "DSYMV", TSR_F64, double, false)
FORTRAN_SYMV(chemv, "CHEMV", TSR_C32, float, true)
FORTRAN_SYMV(zhemv, "ZHEMV", TSR_C64, double, true)

#define CBLAS_SYMV(routine, name, type, scalar, star, element, hermitian)                                              \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_UPLO uplo, blas_int n, scalar alpha, const element *a, blas_int lda, \
        const element *x, blas_int incx, scalar beta, element *y, blas_int incy) {                                     \
    struct tsr_level2_call call = CBLAS_CALL(name, routine, layout);                                                   \
    struct tsr_level2_letters l = {0, 0, 0};                                                                           \
    if (!tsr_read_enums(#routine, (struct tsr_level2_enums){layout, &uplo, NULL, NULL}, &l)) return;                   \
    SYMV_PROBLEM(type, TSR_STORED_FULL, n, star alpha, a, lda, x, incx, star beta, y, incy);                           \
    symv(&call, l.uplo, 0, hermitian, p);                                                                              \
  }
CBLAS_SYMV(cblas_ssymv, "SSYMV", TSR_F32, float, &, float, false)
CBLAS_SYMV(cblas_dsymv, "DSYMV", TSR_F64, double, &, double, false)
CBLAS_SYMV(cblas_chemv, "CHEMV", TSR_C32, const void *, , void, true)
CBLAS_SYMV(cblas_zhemv, "ZHEMV", TSR_C64, const void *, , void, true)

#define FORTRAN_SBMV(routine, name, type, real, hermitian)                                                             \
  FORTRAN(void, routine, const char *uplo, const blas_int *n, const blas_int *k, const real *alpha, const real *a,     \
          const blas_int *lda, const real *x, const blas_int *incx, const real *beta, real *y, const blas_int *incy) { \
    struct tsr_level2_call call = FORTRAN_CALL(name, routine);                                                         \
    struct tsr_level2_letters l = {0, 0, 0};                                                               \
    if (tsr_read_letters(uplo, NULL, NULL, &l)) return tsr_report_level2(&call, 1);                                    \
    SYMV_PROBLEM(type, TSR_STORED_BAND, *n, alpha, a, *lda, x, *incx, beta, y, *incy);                                 \
    symv(&call, l.uplo, *k, hermitian, p);                                                                             \
  }
FORTRAN_SBMV(ssbmv, "SSBMV", TSR_F32, float, false)
FORTRAN_SBMV(dsbmv, "DSBMV", TSR_F64, double, false)
FORTRAN_SBMV(chbmv, "CHBMV", TSR_C32, float, true)
FORTRAN_SBMV(zhbmv, "ZHBMV", TSR_C64, double, true)

#define CBLAS_SBMV(routine, name, type, scalar, star, element, hermitian)                                              \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_UPLO uplo, blas_int n, blas_int k, scalar alpha, const element *a,   \
        blas_int lda, const element *x, blas_int incx, scalar beta, element *y, blas_int incy) {                       \
    struct tsr_level2_call call = CBLAS_CALL(name, routine, layout);                                                   \
    struct tsr_level2_letters l = {0, 0, 0};                                                                           \
    if (!tsr_read_enums(#routine, (struct tsr_level2_enums){layout, &uplo, NULL, NULL}, &l)) return;                   \
    SYMV_PROBLEM(type, TSR_STORED_BAND, n, star alpha, a, lda, x, incx, star beta, y, incy);                           \
    symv(&call, l.uplo, k, hermitian, p);                                                                              \
  }
CBLAS_SBMV(cblas_ssbmv, "SSBMV", TSR_F32, float, &, float, false)
CBLAS_SBMV(cblas_dsbmv, "DSBMV", TSR_F64, double, &, double, false)
CBLAS_SBMV(cblas_chbmv, "CHBMV", TSR_C32, const void *, , void, true)
CBLAS_SBMV(cblas_zhbmv, "ZHBMV", TSR_C64, const void *, , void, true)

#define FORTRAN_SPMV(routine, name, type, real, hermitian)                                                             \
  FORTRAN(void, routine, const char *uplo, const blas_int *n, const real *alpha, const real *a, const real *x,         \
          const blas_int *incx, const real *beta, real *y, const blas_int *incy) {                                     \
    struct tsr_level2_call call = FORTRAN_CALL(name, routine);                                                         \
    struct tsr_level2_letters l = {0, 0, 0};                                                               \
    if (tsr_read_letters(uplo, NULL, NULL, &l)) return tsr_report_level2(&call, 1);                                    \
    SYMV_PROBLEM(type, TSR_STORED_PACKED, *n, alpha, a, 0, x, *incx, beta, y, *incy);                                  \
    symv(&call, l.uplo, 0, hermitian, p);                                                                              \
  }
FORTRAN_SPMV(sspmv, "SSPMV", TSR_F32, float, false)
FORTRAN_SPMV(dspmv, "DSPMV", TSR_F64, double, false)
FORTRAN_SPMV(chpmv, "CHPMV", TSR_C32, float, true)
FORTRAN_SPMV(zhpmv, "ZHPMV", TSR_C64, double, true)

#define CBLAS_SPMV(routine, name, type, scalar, star, element, hermitian)                                              \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_UPLO uplo, blas_int n, scalar alpha, const element *a,               \
        const element *x, blas_int incx, scalar beta, element *y, blas_int incy) {                                     \
    struct tsr_level2_call call = CBLAS_CALL(name, routine, layout);                                                   \
    struct tsr_level2_letters l = {0, 0, 0};                                                                           \
    if (!tsr_read_enums(#routine, (struct tsr_level2_enums){layout, &uplo, NULL, NULL}, &l)) return;                   \
    SYMV_PROBLEM(type, TSR_STORED_PACKED, n, star alpha, a, 0, x, incx, star beta, y, incy);                           \
    symv(&call, l.uplo, 0, hermitian, p);                                                                              \
  }
CBLAS_SPMV(cblas_sspmv, "SSPMV", TSR_F32, float, &, float, false)
CBLAS_SPMV(cblas_dspmv, "DSPMV", TSR_F64, double, &, double, false)
CBLAS_SPMV(cblas_chpmv, "CHPMV", TSR_C32, const void *, , void, true)
CBLAS_SPMV(cblas_zhpmv, "ZHPMV", TSR_C64, const void *, , void, true)
