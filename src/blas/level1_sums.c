/* The faces of level 1 that give a number. Complex ones are returned as gfortran does: in registers. */
#include <math.h>

#include "src/blas/face.h"
#include "src/level1/level1.h"

/* --- dot ---------------------------------------------------------------------------------------------------------- */

#define FORTRAN_DOT(routine, result, real, compute)                                                                \
  FORTRAN(result, routine, const blas_int *n, const real *x, const blas_int *incx, const real *y,                  \
          const blas_int *incy) {                                                                                  \
    return compute(*n, x, *incx, y, *incy);                                                                        \
  }
FORTRAN_DOT(sdot, float, float, tsr_dot_f32)
FORTRAN_DOT(ddot, double, double, tsr_dot_f64)
FORTRAN_DOT(dsdot, double, float, tsr_dot_f32_f64)

#define CBLAS_DOT(routine, result, real, compute)                                                                  \
  CBLAS(result, routine, blas_int n, const real *x, blas_int incx, const real *y, blas_int incy) {                 \
    return compute(n, x, incx, y, incy);                                                                           \
  }
CBLAS_DOT(cblas_sdot, float, float, tsr_dot_f32)
CBLAS_DOT(cblas_ddot, double, double, tsr_dot_f64)
CBLAS_DOT(cblas_dsdot, double, float, tsr_dot_f32_f64)

/* The sum and b added in f64, rounded once. */
FORTRAN(float, sdsdot, const blas_int *n, const float *b, const float *x, const blas_int *incx, const float *y,
        const blas_int *incy) {
  return (float)(*b + tsr_dot_f32_f64(*n, x, *incx, y, *incy));
}
CBLAS(float, cblas_sdsdot, blas_int n, float b, const float *x, blas_int incx, const float *y, blas_int incy) {
  return (float)(b + tsr_dot_f32_f64(n, x, incx, y, incy));
}

#define FORTRAN_DOT_COMPLEX(routine, real, compute, conjugate)                                                     \
  FORTRAN(real _Complex, routine, const blas_int *n, const real *x, const blas_int *incx, const real *y,           \
          const blas_int *incy) {                                                                                  \
    real out[2];                                                                                                   \
    compute(*n, conjugate, x, *incx, y, *incy, out);                                                               \
    return __builtin_complex(out[0], out[1]);                                                                      \
  }
FORTRAN_DOT_COMPLEX(cdotu, float, tsr_dot_c32, false)
FORTRAN_DOT_COMPLEX(cdotc, float, tsr_dot_c32, true)
FORTRAN_DOT_COMPLEX(zdotu, double, tsr_dot_c64, false)
FORTRAN_DOT_COMPLEX(zdotc, double, tsr_dot_c64, true)

#define CBLAS_DOT_COMPLEX(routine, real, compute, conjugate)                                                       \
  CBLAS(void, routine, blas_int n, const void *x, blas_int incx, const void *y, blas_int incy, void *out) {        \
    compute(n, conjugate, (const real *)x, incx, (const real *)y, incy, (real *)out);                              \
  }
CBLAS_DOT_COMPLEX(cblas_cdotu_sub, float, tsr_dot_c32, false)
CBLAS_DOT_COMPLEX(cblas_cdotc_sub, float, tsr_dot_c32, true)
CBLAS_DOT_COMPLEX(cblas_zdotu_sub, double, tsr_dot_c64, false)
CBLAS_DOT_COMPLEX(cblas_zdotc_sub, double, tsr_dot_c64, true)

/* --- nrm2, asum --------------------------------------------------------------------------------------------------- */

#define FORTRAN_SUM(routine, real, compute) \
  FORTRAN(real, routine, const blas_int *n, const real *x, const blas_int *incx) { return compute(*n, x, *incx); }
FORTRAN_SUM(snrm2, float, tsr_nrm2_f32)
FORTRAN_SUM(dnrm2, double, tsr_nrm2_f64)
FORTRAN_SUM(scnrm2, float, tsr_nrm2_c32)
FORTRAN_SUM(dznrm2, double, tsr_nrm2_c64)
FORTRAN_SUM(sasum, float, tsr_asum_f32)
FORTRAN_SUM(dasum, double, tsr_asum_f64)
FORTRAN_SUM(scasum, float, tsr_asum_c32)
FORTRAN_SUM(dzasum, double, tsr_asum_c64)

#define CBLAS_SUM(routine, number, real, compute) \
  CBLAS(real, routine, blas_int n, const number *x, blas_int incx) { return compute(n, (const real *)x, incx); }
CBLAS_SUM(cblas_snrm2, float, float, tsr_nrm2_f32)
CBLAS_SUM(cblas_dnrm2, double, double, tsr_nrm2_f64)
CBLAS_SUM(cblas_scnrm2, void, float, tsr_nrm2_c32)
CBLAS_SUM(cblas_dznrm2, void, double, tsr_nrm2_c64)
CBLAS_SUM(cblas_sasum, float, float, tsr_asum_f32)
CBLAS_SUM(cblas_dasum, double, double, tsr_asum_f64)
CBLAS_SUM(cblas_scasum, void, float, tsr_asum_c32)
CBLAS_SUM(cblas_dzasum, void, double, tsr_asum_c64)

/* --- iamax: from 1 in Fortran, 0 for an empty vector; from 0 in CBLAS, where 0 is all it can say of one ------------- */

#define FORTRAN_IAMAX(routine, real, compute)                                                         \
  FORTRAN(blas_int, routine, const blas_int *n, const real *x, const blas_int *incx) {                \
    return (blas_int)(compute(*n, x, *incx) + 1);                                                     \
  }
FORTRAN_IAMAX(isamax, float, tsr_iamax_f32)
FORTRAN_IAMAX(idamax, double, tsr_iamax_f64)
FORTRAN_IAMAX(icamax, float, tsr_iamax_c32)
FORTRAN_IAMAX(izamax, double, tsr_iamax_c64)

#define CBLAS_IAMAX(routine, number, real, compute)                                                   \
  CBLAS(CBLAS_INDEX, routine, blas_int n, const number *x, blas_int incx) {                           \
    int64_t at = compute(n, (const real *)x, incx);                                                   \
    return at < 0 ? 0 : (CBLAS_INDEX)at;                                                              \
  }
CBLAS_IAMAX(cblas_isamax, float, float, tsr_iamax_f32)
CBLAS_IAMAX(cblas_idamax, double, double, tsr_iamax_f64)
CBLAS_IAMAX(cblas_icamax, void, float, tsr_iamax_c32)
CBLAS_IAMAX(cblas_izamax, void, double, tsr_iamax_c64)

/* --- |re| + |im| -------------------------------------------------------------------------------------------------- */

FORTRAN(float, scabs1, const float *z) { return fabsf(z[0]) + fabsf(z[1]); }
FORTRAN(double, dcabs1, const double *z) { return fabs(z[0]) + fabs(z[1]); }
CBLAS(float, cblas_scabs1, const void *z) { return fabsf(((const float *)z)[0]) + fabsf(((const float *)z)[1]); }
CBLAS(double, cblas_dcabs1, const void *z) { return fabs(((const double *)z)[0]) + fabs(((const double *)z)[1]); }
