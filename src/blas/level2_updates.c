/* The faces of ger, geru, gerc, syr, her, spr, hpr, syr2, her2, spr2 and hpr2. */
#include "src/blas/level2.h"

/* --- ger ---------------------------------------------------------------------------------------------------------- */

/* The first bad parameter, 0 for none. */
INLINE int bad_ger(const struct tsr_level2 *p) {
  if (p->m < 0) return 1;
  if (p->n < 0) return 2;
  if (p->incx == 0) return 5;
  if (p->incy == 0) return 7;
  if (tsr_bad_storage(p)) return 9;
  if (p->m == 0 || p->n == 0 || tsr_is_zero(p->alpha)) return 0;
  if (!p->x) return 4;
  if (!p->y) return 6;
  return p->a ? 0 : 8;
}

/* Row-major, the transpose of A is updated: by conj(y) x' of gerc. */
INLINE void ger(const struct tsr_level2_call *call, bool conjugate, struct tsr_level2 p) {
  if (call->row_major) {
    struct tsr_level2 t = p;
    p.m = t.n, p.n = t.m;
    p.x = t.y, p.incx = t.incy;
    p.y = t.x, p.incy = t.incx;
    p.conj_x = conjugate;
  } else {
    p.conj_y = conjugate;
  }
  int bad = bad_ger(&p);
  if (__builtin_expect(bad != 0, 0)) return tsr_report_level2(call, bad);
  if (p.m > 0 && p.n > 0 && !tsr_is_zero(p.alpha)) tsr_run_level2(call, tsr_ger, &p);
}

#define GER_PROBLEM(type_, m_, n_, alpha_, x_, incx_, y_, incy_, a_, lda_)                                             \
  struct tsr_level2 p = {.type = type_, .storage = TSR_STORED_FULL, .m = m_, .n = n_, .a = (tsr_mem)(a_),              \
                         .x = (tsr_mem)(x_), .y = (tsr_mem)(y_), .lda = lda_, .incx = incx_, .incy = incy_};           \
  tsr_set_scalar(type_, alpha_, p.alpha)

#define FORTRAN_GER(routine, name, type, real, conjugate)                                                              \
  FORTRAN(void, routine, const blas_int *m, const blas_int *n, const real *alpha, const real *x, const blas_int *incx, \
          const real *y, const blas_int *incy, real *a, const blas_int *lda) {                                         \
    struct tsr_level2_call call = FORTRAN_CALL(name, routine);                                                         \
    GER_PROBLEM(type, *m, *n, alpha, x, *incx, y, *incy, a, *lda);                                                     \
    ger(&call, conjugate, p);                                                                                          \
  }
FORTRAN_GER(sger, "SGER", TSR_F32, float, false)
FORTRAN_GER(dger, "DGER", TSR_F64, double, false)
FORTRAN_GER(cgeru, "CGERU", TSR_C32, float, false)
FORTRAN_GER(zgeru, "ZGERU", TSR_C64, double, false)
FORTRAN_GER(cgerc, "CGERC", TSR_C32, float, true)
FORTRAN_GER(zgerc, "ZGERC", TSR_C64, double, true)

#define CBLAS_GER(routine, name, type, scalar, star, element, conjugate)                                               \
  CBLAS(void, routine, CBLAS_LAYOUT layout, blas_int m, blas_int n, scalar alpha, const element *x, blas_int incx,     \
        const element *y, blas_int incy, element *a, blas_int lda) {                                                   \
    struct tsr_level2_call call = CBLAS_CALL(name, routine, layout);                                                   \
    struct tsr_level2_letters l = {0, 0, 0};                                                                           \
    if (!tsr_read_enums(#routine, (struct tsr_level2_enums){layout, NULL, NULL, NULL}, &l)) return;                    \
    GER_PROBLEM(type, m, n, star alpha, x, incx, y, incy, a, lda);                                                     \
    ger(&call, conjugate, p);                                                                                          \
  }
CBLAS_GER(cblas_sger, "SGER", TSR_F32, float, &, float, false)
CBLAS_GER(cblas_dger, "DGER", TSR_F64, double, &, double, false)
CBLAS_GER(cblas_cgeru, "CGERU", TSR_C32, const void *, , void, false)
CBLAS_GER(cblas_zgeru, "ZGERU", TSR_C64, const void *, , void, false)
CBLAS_GER(cblas_cgerc, "CGERC", TSR_C32, const void *, , void, true)
CBLAS_GER(cblas_zgerc, "ZGERC", TSR_C64, const void *, , void, true)

/* --- syr, her, spr, hpr and with two vectors ---------------------------------------------------------------------- */

INLINE int bad_syr(const struct tsr_level2 *p, bool two) {
  if (p->n < 0) return 2;
  if (p->incx == 0) return 5;
  if (two && p->incy == 0) return 7;
  if (tsr_bad_storage(p)) return two ? 9 : 7;
  if (p->n == 0 || tsr_is_zero(p->alpha)) return 0;
  if (!p->x) return 4;
  if (two && !p->y) return 6;
  return p->a ? 0 : two ? 8 : 6;
}

/* Row-major, the transpose of A is updated: of a Hermitian one by conjugates, which change places. */
INLINE void syr(const struct tsr_level2_call *call, int uplo, bool hermitian, bool two, struct tsr_level2 p) {
  tsr_set_triangle(&p, uplo, 0);
  p.m = p.n;
  p.hermitian = hermitian;
  if (hermitian && call->row_major) {
    p.conj_x = true;
    if (two) {
      struct tsr_level2 t = p;
      p.x = t.y, p.incx = t.incy;
      p.y = t.x, p.incy = t.incx;
    }
  }
  int bad = bad_syr(&p, two);
  if (__builtin_expect(bad != 0, 0)) return tsr_report_level2(call, bad);
  if (p.n > 0 && !tsr_is_zero(p.alpha)) tsr_run_level2(call, tsr_syr, &p);
}

#define SYR_PROBLEM(type_, storage_, n_, x_, incx_, y_, incy_, a_, lda_)                                               \
  struct tsr_level2 p = {.type = type_, .storage = storage_, .n = n_, .a = (tsr_mem)(a_), .x = (tsr_mem)(x_),          \
                         .y = (tsr_mem)(y_), .lda = lda_, .incx = incx_, .incy = incy_}

/* The alpha of her and hpr is real. */
#define FORTRAN_SYR(routine, name, type, real, hermitian)                                                              \
  FORTRAN(void, routine, const char *uplo, const blas_int *n, const real *alpha, const real *x, const blas_int *incx,  \
          real *a, const blas_int *lda) {                                                                              \
    struct tsr_level2_call call = FORTRAN_CALL(name, routine);                                                         \
    struct tsr_level2_letters l = {0, 0, 0};                                                               \
    if (tsr_read_letters(uplo, NULL, NULL, &l)) return tsr_report_level2(&call, 1);                                    \
    SYR_PROBLEM(type, TSR_STORED_FULL, *n, x, *incx, NULL, 0, a, *lda);                                                \
    tsr_set_real(type, alpha, p.alpha);                                                                                \
    syr(&call, l.uplo, hermitian, false, p);                                                                           \
  }
FORTRAN_SYR(ssyr, "SSYR", TSR_F32, float, false)
FORTRAN_SYR(dsyr, "DSYR", TSR_F64, double, false)
FORTRAN_SYR(cher, "CHER", TSR_C32, float, true)
FORTRAN_SYR(zher, "ZHER", TSR_C64, double, true)

#define CBLAS_SYR(routine, name, type, real, element, hermitian)                                                       \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_UPLO uplo, blas_int n, real alpha, const element *x, blas_int incx,  \
        element *a, blas_int lda) {                                                                                    \
    struct tsr_level2_call call = CBLAS_CALL(name, routine, layout);                                                   \
    struct tsr_level2_letters l = {0, 0, 0};                                                                           \
    if (!tsr_read_enums(#routine, (struct tsr_level2_enums){layout, &uplo, NULL, NULL}, &l)) return;                   \
    SYR_PROBLEM(type, TSR_STORED_FULL, n, x, incx, NULL, 0, a, lda);                                                   \
    p.alpha[0] = alpha;                                                                                                \
    syr(&call, l.uplo, hermitian, false, p);                                                                           \
  }
CBLAS_SYR(cblas_ssyr, "SSYR", TSR_F32, float, float, false)
CBLAS_SYR(cblas_dsyr, "DSYR", TSR_F64, double, double, false)
CBLAS_SYR(cblas_cher, "CHER", TSR_C32, float, void, true)
CBLAS_SYR(cblas_zher, "ZHER", TSR_C64, double, void, true)

#define FORTRAN_SPR(routine, name, type, real, hermitian)                                                              \
  FORTRAN(void, routine, const char *uplo, const blas_int *n, const real *alpha, const real *x, const blas_int *incx,  \
          real *a) {                                                                                                   \
    struct tsr_level2_call call = FORTRAN_CALL(name, routine);                                                         \
    struct tsr_level2_letters l = {0, 0, 0};                                                               \
    if (tsr_read_letters(uplo, NULL, NULL, &l)) return tsr_report_level2(&call, 1);                                    \
    SYR_PROBLEM(type, TSR_STORED_PACKED, *n, x, *incx, NULL, 0, a, 0);                                                 \
    tsr_set_real(type, alpha, p.alpha);                                                                                \
    syr(&call, l.uplo, hermitian, false, p);                                                                           \
  }
FORTRAN_SPR(sspr, "SSPR", TSR_F32, float, false)
FORTRAN_SPR(dspr, "DSPR", TSR_F64, double, false)
FORTRAN_SPR(chpr, "CHPR", TSR_C32, float, true)
FORTRAN_SPR(zhpr, "ZHPR", TSR_C64, double, true)

#define CBLAS_SPR(routine, name, type, real, element, hermitian)                                                       \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_UPLO uplo, blas_int n, real alpha, const element *x, blas_int incx,  \
        element *a) {                                                                                                  \
    struct tsr_level2_call call = CBLAS_CALL(name, routine, layout);                                                   \
    struct tsr_level2_letters l = {0, 0, 0};                                                                           \
    if (!tsr_read_enums(#routine, (struct tsr_level2_enums){layout, &uplo, NULL, NULL}, &l)) return;                   \
    SYR_PROBLEM(type, TSR_STORED_PACKED, n, x, incx, NULL, 0, a, 0);                                                   \
    p.alpha[0] = alpha;                                                                                                \
    syr(&call, l.uplo, hermitian, false, p);                                                                           \
  }
CBLAS_SPR(cblas_sspr, "SSPR", TSR_F32, float, float, false)
CBLAS_SPR(cblas_dspr, "DSPR", TSR_F64, double, double, false)
CBLAS_SPR(cblas_chpr, "CHPR", TSR_C32, float, void, true)
CBLAS_SPR(cblas_zhpr, "ZHPR", TSR_C64, double, void, true)

#define FORTRAN_SYR2(routine, name, type, real, hermitian)                                                             \
  FORTRAN(void, routine, const char *uplo, const blas_int *n, const real *alpha, const real *x, const blas_int *incx,  \
          const real *y, const blas_int *incy, real *a, const blas_int *lda) {                                         \
    struct tsr_level2_call call = FORTRAN_CALL(name, routine);                                                         \
    struct tsr_level2_letters l = {0, 0, 0};                                                               \
    if (tsr_read_letters(uplo, NULL, NULL, &l)) return tsr_report_level2(&call, 1);                                    \
    SYR_PROBLEM(type, TSR_STORED_FULL, *n, x, *incx, y, *incy, a, *lda);                                               \
    tsr_set_scalar(type, alpha, p.alpha);                                                                              \
    syr(&call, l.uplo, hermitian, true, p);                                                                            \
  }
FORTRAN_SYR2(ssyr2, "SSYR2", TSR_F32, float, false)
FORTRAN_SYR2(dsyr2, "DSYR2", TSR_F64, double, false)
FORTRAN_SYR2(cher2, "CHER2", TSR_C32, float, true)
FORTRAN_SYR2(zher2, "ZHER2", TSR_C64, double, true)

#define CBLAS_SYR2(routine, name, type, scalar, star, element, hermitian)                                              \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_UPLO uplo, blas_int n, scalar alpha, const element *x,               \
        blas_int incx, const element *y, blas_int incy, element *a, blas_int lda) {                                    \
    struct tsr_level2_call call = CBLAS_CALL(name, routine, layout);                                                   \
    struct tsr_level2_letters l = {0, 0, 0};                                                                           \
    if (!tsr_read_enums(#routine, (struct tsr_level2_enums){layout, &uplo, NULL, NULL}, &l)) return;                   \
    SYR_PROBLEM(type, TSR_STORED_FULL, n, x, incx, y, incy, a, lda);                                                   \
    tsr_set_scalar(type, star alpha, p.alpha);                                                                         \
    syr(&call, l.uplo, hermitian, true, p);                                                                            \
  }
CBLAS_SYR2(cblas_ssyr2, "SSYR2", TSR_F32, float, &, float, false)
CBLAS_SYR2(cblas_dsyr2, "DSYR2", TSR_F64, double, &, double, false)
CBLAS_SYR2(cblas_cher2, "CHER2", TSR_C32, const void *, , void, true)
CBLAS_SYR2(cblas_zher2, "ZHER2", TSR_C64, const void *, , void, true)

#define FORTRAN_SPR2(routine, name, type, real, hermitian)                                                             \
  FORTRAN(void, routine, const char *uplo, const blas_int *n, const real *alpha, const real *x, const blas_int *incx,  \
          const real *y, const blas_int *incy, real *a) {                                                              \
    struct tsr_level2_call call = FORTRAN_CALL(name, routine);                                                         \
    struct tsr_level2_letters l = {0, 0, 0};                                                               \
    if (tsr_read_letters(uplo, NULL, NULL, &l)) return tsr_report_level2(&call, 1);                                    \
    SYR_PROBLEM(type, TSR_STORED_PACKED, *n, x, *incx, y, *incy, a, 0);                                                \
    tsr_set_scalar(type, alpha, p.alpha);                                                                              \
    syr(&call, l.uplo, hermitian, true, p);                                                                            \
  }
FORTRAN_SPR2(sspr2, "SSPR2", TSR_F32, float, false)
FORTRAN_SPR2(dspr2, "DSPR2", TSR_F64, double, false)
FORTRAN_SPR2(chpr2, "CHPR2", TSR_C32, float, true)
FORTRAN_SPR2(zhpr2, "ZHPR2", TSR_C64, double, true)

#define CBLAS_SPR2(routine, name, type, scalar, star, element, hermitian)                                              \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_UPLO uplo, blas_int n, scalar alpha, const element *x,               \
        blas_int incx, const element *y, blas_int incy, element *a) {                                                  \
    struct tsr_level2_call call = CBLAS_CALL(name, routine, layout);                                                   \
    struct tsr_level2_letters l = {0, 0, 0};                                                                           \
    if (!tsr_read_enums(#routine, (struct tsr_level2_enums){layout, &uplo, NULL, NULL}, &l)) return;                   \
    SYR_PROBLEM(type, TSR_STORED_PACKED, n, x, incx, y, incy, a, 0);                                                   \
    tsr_set_scalar(type, star alpha, p.alpha);                                                                         \
    syr(&call, l.uplo, hermitian, true, p);                                                                            \
  }
CBLAS_SPR2(cblas_sspr2, "SSPR2", TSR_F32, float, &, float, false)
CBLAS_SPR2(cblas_dspr2, "DSPR2", TSR_F64, double, &, double, false)
CBLAS_SPR2(cblas_chpr2, "CHPR2", TSR_C32, const void *, , void, true)
CBLAS_SPR2(cblas_zhpr2, "ZHPR2", TSR_C64, const void *, , void, true)
