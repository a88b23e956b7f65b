/* The faces of trmv, tbmv, tpmv, trsv, tbsv and tpsv. */
#include "src/blas/level2.h"

/* The first bad parameter behind the letters, 0 for none. */
INLINE int bad_triangle(const struct tsr_level2 *p) {
  int shift = p->storage == TSR_STORED_BAND ? 1 : p->storage == TSR_STORED_PACKED ? -1 : 0;
  if (p->n < 0) return 4;
  if (p->storage == TSR_STORED_BAND && p->lower_band + p->upper_band < 0) return 5;
  if (tsr_bad_storage(p)) return 6 + shift;
  if (p->incx == 0) return 8 + shift;
  if (p->n == 0) return 0;
  if (!p->a) return shift > 0 ? 6 : 5;
  return p->x ? 0 : 7 + shift;
}

INLINE void triangle(const struct tsr_level2_call *call, tsr_level2_routine *run, struct tsr_level2_letters l, int64_t k,
                     struct tsr_level2 p) {
  tsr_set_op(&p, l.trans, call->row_major);
  tsr_set_triangle(&p, l.uplo, k);
  p.unit = l.diag == 1;
  p.m = p.n;
  int bad = bad_triangle(&p);
  if (__builtin_expect(bad != 0, 0)) return tsr_report_level2(call, bad);
  if (p.n > 0) tsr_run_level2(call, run, &p);
}

#define TRIANGLE_PROBLEM(type_, storage_, n_, a_, lda_, x_, incx_)                                                     \
  struct tsr_level2 p = {.type = type_, .storage = storage_, .n = n_, .a = (tsr_mem)(a_), .x = (tsr_mem)(x_),          \
                         .lda = lda_, .incx = incx_}

#define FORTRAN_TRIANGLE(routine, name, run, type, real)                                                               \
  FORTRAN(void, routine, const char *uplo, const char *trans, const char *diag, const blas_int *n, const real *a,      \
          const blas_int *lda, real *x, const blas_int *incx) {                                                        \
    struct tsr_level2_call call = FORTRAN_CALL(name, routine);                                                         \
    struct tsr_level2_letters l = {0, 0, 0};                                                                           \
    int bad = tsr_read_letters(uplo, trans, diag, &l);                                                                 \
    if (bad) return tsr_report_level2(&call, bad);                                                                     \
    TRIANGLE_PROBLEM(type, TSR_STORED_FULL, *n, a, *lda, x, *incx);                                                    \
    triangle(&call, run, l, 0, p);                                                                                     \
  }
FORTRAN_TRIANGLE(strmv, "STRMV", tsr_trmv, TSR_F32, float)
FORTRAN_TRIANGLE(dtrmv, "DTRMV", tsr_trmv, TSR_F64, double)
FORTRAN_TRIANGLE(ctrmv, "CTRMV", tsr_trmv, TSR_C32, float)
FORTRAN_TRIANGLE(ztrmv, "ZTRMV", tsr_trmv, TSR_C64, double)
FORTRAN_TRIANGLE(strsv, "STRSV", tsr_trsv, TSR_F32, float)
FORTRAN_TRIANGLE(dtrsv, "DTRSV", tsr_trsv, TSR_F64, double)
FORTRAN_TRIANGLE(ctrsv, "CTRSV", tsr_trsv, TSR_C32, float)
FORTRAN_TRIANGLE(ztrsv, "ZTRSV", tsr_trsv, TSR_C64, double)

#define CBLAS_TRIANGLE(routine, name, run, type, element)                                                              \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag, blas_int n,       \
        const element *a, blas_int lda, element *x, blas_int incx) {                                                   \
    struct tsr_level2_call call = CBLAS_CALL(name, routine, layout);                                                   \
    struct tsr_level2_letters l = {0, 0, 0};                                                                           \
    if (!tsr_read_enums(#routine, (struct tsr_level2_enums){layout, &uplo, &trans, &diag}, &l)) return;                \
    TRIANGLE_PROBLEM(type, TSR_STORED_FULL, n, a, lda, x, incx);                                                       \
    triangle(&call, run, l, 0, p);                                                                                     \
  }
CBLAS_TRIANGLE(cblas_strmv, "STRMV", tsr_trmv, TSR_F32, float)
CBLAS_TRIANGLE(cblas_dtrmv, "DTRMV", tsr_trmv, TSR_F64, double)
CBLAS_TRIANGLE(cblas_ctrmv, "CTRMV", tsr_trmv, TSR_C32, void)
CBLAS_TRIANGLE(cblas_ztrmv, "ZTRMV", tsr_trmv, TSR_C64, void)
CBLAS_TRIANGLE(cblas_strsv, "STRSV", tsr_trsv, TSR_F32, float)
CBLAS_TRIANGLE(cblas_dtrsv, "DTRSV", tsr_trsv, TSR_F64, double)
CBLAS_TRIANGLE(cblas_ctrsv, "CTRSV", tsr_trsv, TSR_C32, void)
CBLAS_TRIANGLE(cblas_ztrsv, "ZTRSV", tsr_trsv, TSR_C64, void)

#define FORTRAN_BAND(routine, name, run, type, real)                                                                   \
  FORTRAN(void, routine, const char *uplo, const char *trans, const char *diag, const blas_int *n, const blas_int *k,  \
          const real *a, const blas_int *lda, real *x, const blas_int *incx) {                                         \
    struct tsr_level2_call call = FORTRAN_CALL(name, routine);                                                         \
    struct tsr_level2_letters l = {0, 0, 0};                                                                           \
    int bad = tsr_read_letters(uplo, trans, diag, &l);                                                                 \
    if (bad) return tsr_report_level2(&call, bad);                                                                     \
    TRIANGLE_PROBLEM(type, TSR_STORED_BAND, *n, a, *lda, x, *incx);                                                    \
    triangle(&call, run, l, *k, p);                                                                                    \
  }
FORTRAN_BAND(stbmv, "STBMV", tsr_trmv, TSR_F32, float)
FORTRAN_BAND(dtbmv, "DTBMV", tsr_trmv, TSR_F64, double)
FORTRAN_BAND(ctbmv, "CTBMV", tsr_trmv, TSR_C32, float)
FORTRAN_BAND(ztbmv, "ZTBMV", tsr_trmv, TSR_C64, double)
FORTRAN_BAND(stbsv, "STBSV", tsr_trsv, TSR_F32, float)
FORTRAN_BAND(dtbsv, "DTBSV", tsr_trsv, TSR_F64, double)
FORTRAN_BAND(ctbsv, "CTBSV", tsr_trsv, TSR_C32, float)
FORTRAN_BAND(ztbsv, "ZTBSV", tsr_trsv, TSR_C64, double)

#define CBLAS_BAND(routine, name, run, type, element)                                                                  \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag, blas_int n,       \
        blas_int k, const element *a, blas_int lda, element *x, blas_int incx) {                                       \
    struct tsr_level2_call call = CBLAS_CALL(name, routine, layout);                                                   \
    struct tsr_level2_letters l = {0, 0, 0};                                                                           \
    if (!tsr_read_enums(#routine, (struct tsr_level2_enums){layout, &uplo, &trans, &diag}, &l)) return;                \
    TRIANGLE_PROBLEM(type, TSR_STORED_BAND, n, a, lda, x, incx);                                                       \
    triangle(&call, run, l, k, p);                                                                                     \
  }
CBLAS_BAND(cblas_stbmv, "STBMV", tsr_trmv, TSR_F32, float)
CBLAS_BAND(cblas_dtbmv, "DTBMV", tsr_trmv, TSR_F64, double)
CBLAS_BAND(cblas_ctbmv, "CTBMV", tsr_trmv, TSR_C32, void)
CBLAS_BAND(cblas_ztbmv, "ZTBMV", tsr_trmv, TSR_C64, void)
CBLAS_BAND(cblas_stbsv, "STBSV", tsr_trsv, TSR_F32, float)
CBLAS_BAND(cblas_dtbsv, "DTBSV", tsr_trsv, TSR_F64, double)
CBLAS_BAND(cblas_ctbsv, "CTBSV", tsr_trsv, TSR_C32, void)
CBLAS_BAND(cblas_ztbsv, "ZTBSV", tsr_trsv, TSR_C64, void)

#define FORTRAN_PACKED(routine, name, run, type, real)                                                                 \
  FORTRAN(void, routine, const char *uplo, const char *trans, const char *diag, const blas_int *n, const real *a,      \
          real *x, const blas_int *incx) {                                                                             \
    struct tsr_level2_call call = FORTRAN_CALL(name, routine);                                                         \
    struct tsr_level2_letters l = {0, 0, 0};                                                                           \
    int bad = tsr_read_letters(uplo, trans, diag, &l);                                                                 \
    if (bad) return tsr_report_level2(&call, bad);                                                                     \
    TRIANGLE_PROBLEM(type, TSR_STORED_PACKED, *n, a, 0, x, *incx);                                                     \
    triangle(&call, run, l, 0, p);                                                                                     \
  }
FORTRAN_PACKED(stpmv, "STPMV", tsr_trmv, TSR_F32, float)
FORTRAN_PACKED(dtpmv, "DTPMV", tsr_trmv, TSR_F64, double)
FORTRAN_PACKED(ctpmv, "CTPMV", tsr_trmv, TSR_C32, float)
FORTRAN_PACKED(ztpmv, "ZTPMV", tsr_trmv, TSR_C64, double)
FORTRAN_PACKED(stpsv, "STPSV", tsr_trsv, TSR_F32, float)
FORTRAN_PACKED(dtpsv, "DTPSV", tsr_trsv, TSR_F64, double)
FORTRAN_PACKED(ctpsv, "CTPSV", tsr_trsv, TSR_C32, float)
FORTRAN_PACKED(ztpsv, "ZTPSV", tsr_trsv, TSR_C64, double)

#define CBLAS_PACKED(routine, name, run, type, element)                                                                \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, CBLAS_DIAG diag, blas_int n,       \
        const element *a, element *x, blas_int incx) {                                                                 \
    struct tsr_level2_call call = CBLAS_CALL(name, routine, layout);                                                   \
    struct tsr_level2_letters l = {0, 0, 0};                                                                           \
    if (!tsr_read_enums(#routine, (struct tsr_level2_enums){layout, &uplo, &trans, &diag}, &l)) return;                \
    TRIANGLE_PROBLEM(type, TSR_STORED_PACKED, n, a, 0, x, incx);                                                       \
    triangle(&call, run, l, 0, p);                                                                                     \
  }
CBLAS_PACKED(cblas_stpmv, "STPMV", tsr_trmv, TSR_F32, float)
CBLAS_PACKED(cblas_dtpmv, "DTPMV", tsr_trmv, TSR_F64, double)
CBLAS_PACKED(cblas_ctpmv, "CTPMV", tsr_trmv, TSR_C32, void)
CBLAS_PACKED(cblas_ztpmv, "ZTPMV", tsr_trmv, TSR_C64, void)
CBLAS_PACKED(cblas_stpsv, "STPSV", tsr_trsv, TSR_F32, float)
CBLAS_PACKED(cblas_dtpsv, "DTPSV", tsr_trsv, TSR_F64, double)
CBLAS_PACKED(cblas_ctpsv, "CTPSV", tsr_trsv, TSR_C32, void)
CBLAS_PACKED(cblas_ztpsv, "ZTPSV", tsr_trsv, TSR_C64, void)
