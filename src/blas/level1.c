/* The faces of level 1. None has errors to report: each hands its arguments on. */
#include "src/blas/face.h"
#include "src/level1/level1.h"

/* --- copy, swap --------------------------------------------------------------------------------------------------- */

#define FORTRAN_COPY(routine, real, compute)                                                                      \
  FORTRAN(void, routine, const blas_int *n, const real *x, const blas_int *incx, real *y, const blas_int *incy) { \
    compute(*n, x, *incx, y, *incy);                                                                              \
  }
FORTRAN_COPY(scopy, float, tsr_copy_f32)
FORTRAN_COPY(dcopy, double, tsr_copy_f64)
FORTRAN_COPY(ccopy, float, tsr_copy_c32)
FORTRAN_COPY(zcopy, double, tsr_copy_c64)

#define CBLAS_COPY(routine, number, real, compute)                                                           \
  CBLAS(void, routine, blas_int n, const number *x, blas_int incx, number *y, blas_int incy) {               \
    compute(n, (const real *)x, incx, (real *)y, incy);                                                      \
  }
CBLAS_COPY(cblas_scopy, float, float, tsr_copy_f32)
CBLAS_COPY(cblas_dcopy, double, double, tsr_copy_f64)
CBLAS_COPY(cblas_ccopy, void, float, tsr_copy_c32)
CBLAS_COPY(cblas_zcopy, void, double, tsr_copy_c64)

#define FORTRAN_SWAP(routine, real, compute)                                                                \
  FORTRAN(void, routine, const blas_int *n, real *x, const blas_int *incx, real *y, const blas_int *incy) { \
    compute(*n, x, *incx, y, *incy);                                                                        \
  }
FORTRAN_SWAP(sswap, float, tsr_swap_f32)
FORTRAN_SWAP(dswap, double, tsr_swap_f64)
FORTRAN_SWAP(cswap, float, tsr_swap_c32)
FORTRAN_SWAP(zswap, double, tsr_swap_c64)

#define CBLAS_SWAP(routine, number, real, compute)                                            \
  CBLAS(void, routine, blas_int n, number *x, blas_int incx, number *y, blas_int incy) {      \
    compute(n, (real *)x, incx, (real *)y, incy);                                             \
  }
CBLAS_SWAP(cblas_sswap, float, float, tsr_swap_f32)
CBLAS_SWAP(cblas_dswap, double, double, tsr_swap_f64)
CBLAS_SWAP(cblas_cswap, void, float, tsr_swap_c32)
CBLAS_SWAP(cblas_zswap, void, double, tsr_swap_c64)

/* --- scal --------------------------------------------------------------------------------------------------------- */

#define FORTRAN_SCAL(routine, real, compute)                                                            \
  FORTRAN(void, routine, const blas_int *n, const real *alpha, real *x, const blas_int *incx) {         \
    compute(*n, *alpha, x, *incx);                                                                      \
  }
FORTRAN_SCAL(sscal, float, tsr_scal_f32)
FORTRAN_SCAL(dscal, double, tsr_scal_f64)
FORTRAN_SCAL(csscal, float, tsr_scal_parts_c32)
FORTRAN_SCAL(zdscal, double, tsr_scal_parts_c64)

#define FORTRAN_SCAL_COMPLEX(routine, real, compute)                                                    \
  FORTRAN(void, routine, const blas_int *n, const real *alpha, real *x, const blas_int *incx) {         \
    compute(*n, alpha, x, *incx);                                                                       \
  }
FORTRAN_SCAL_COMPLEX(cscal, float, tsr_scal_c32)
FORTRAN_SCAL_COMPLEX(zscal, double, tsr_scal_c64)

#define CBLAS_SCAL(routine, number, real, compute) \
  CBLAS(void, routine, blas_int n, real alpha, number *x, blas_int incx) { compute(n, alpha, (real *)x, incx); }
CBLAS_SCAL(cblas_sscal, float, float, tsr_scal_f32)
CBLAS_SCAL(cblas_dscal, double, double, tsr_scal_f64)
CBLAS_SCAL(cblas_csscal, void, float, tsr_scal_parts_c32)
CBLAS_SCAL(cblas_zdscal, void, double, tsr_scal_parts_c64)

#define CBLAS_SCAL_COMPLEX(routine, real, compute)                                                      \
  CBLAS(void, routine, blas_int n, const void *alpha, void *x, blas_int incx) {                         \
    compute(n, (const real *)alpha, (real *)x, incx);                                                   \
  }
CBLAS_SCAL_COMPLEX(cblas_cscal, float, tsr_scal_c32)
CBLAS_SCAL_COMPLEX(cblas_zscal, double, tsr_scal_c64)

/* --- axpy, axpby -------------------------------------------------------------------------------------------------- */

#define FORTRAN_AXPY(routine, real, star, compute)                                                                \
  FORTRAN(void, routine, const blas_int *n, const real *alpha, const real *x, const blas_int *incx, real *y,      \
          const blas_int *incy) {                                                                                 \
    compute(*n, star alpha, x, *incx, y, *incy);                                                                  \
  }
FORTRAN_AXPY(saxpy, float, *, tsr_axpy_f32)
FORTRAN_AXPY(daxpy, double, *, tsr_axpy_f64)
FORTRAN_AXPY(caxpy, float, , tsr_axpy_c32)
FORTRAN_AXPY(zaxpy, double, , tsr_axpy_c64)

#define CBLAS_AXPY(routine, real, compute)                                                                        \
  CBLAS(void, routine, blas_int n, real alpha, const real *x, blas_int incx, real *y, blas_int incy) {            \
    compute(n, alpha, x, incx, y, incy);                                                                          \
  }
CBLAS_AXPY(cblas_saxpy, float, tsr_axpy_f32)
CBLAS_AXPY(cblas_daxpy, double, tsr_axpy_f64)

#define CBLAS_AXPY_COMPLEX(routine, real, compute)                                                                \
  CBLAS(void, routine, blas_int n, const void *alpha, const void *x, blas_int incx, void *y, blas_int incy) {     \
    compute(n, (const real *)alpha, (const real *)x, incx, (real *)y, incy);                                      \
  }
CBLAS_AXPY_COMPLEX(cblas_caxpy, float, tsr_axpy_c32)
CBLAS_AXPY_COMPLEX(cblas_zaxpy, double, tsr_axpy_c64)

#define FORTRAN_AXPBY(routine, real, star, compute)                                                               \
  FORTRAN(void, routine, const blas_int *n, const real *alpha, const real *x, const blas_int *incx,               \
          const real *beta, real *y, const blas_int *incy) {                                                      \
    compute(*n, star alpha, x, *incx, star beta, y, *incy);                                                       \
  }
FORTRAN_AXPBY(saxpby, float, *, tsr_axpby_f32)
FORTRAN_AXPBY(daxpby, double, *, tsr_axpby_f64)
FORTRAN_AXPBY(caxpby, float, , tsr_axpby_c32)
FORTRAN_AXPBY(zaxpby, double, , tsr_axpby_c64)

#define CBLAS_AXPBY(routine, real, compute)                                                                       \
  CBLAS(void, routine, blas_int n, real alpha, const real *x, blas_int incx, real beta, real *y, blas_int incy) { \
    compute(n, alpha, x, incx, beta, y, incy);                                                                    \
  }
CBLAS_AXPBY(cblas_saxpby, float, tsr_axpby_f32)
CBLAS_AXPBY(cblas_daxpby, double, tsr_axpby_f64)

#define CBLAS_AXPBY_COMPLEX(routine, real, compute)                                                               \
  CBLAS(void, routine, blas_int n, const void *alpha, const void *x, blas_int incx, const void *beta, void *y,    \
        blas_int incy) {                                                                                          \
    compute(n, (const real *)alpha, (const real *)x, incx, (const real *)beta, (real *)y, incy);                  \
  }
CBLAS_AXPBY_COMPLEX(cblas_caxpby, float, tsr_axpby_c32)
CBLAS_AXPBY_COMPLEX(cblas_zaxpby, double, tsr_axpby_c64)

/* --- Rotations ---------------------------------------------------------------------------------------------------- */

#define FORTRAN_ROT(routine, real, compute)                                                                       \
  FORTRAN(void, routine, const blas_int *n, real *x, const blas_int *incx, real *y, const blas_int *incy,         \
          const real *c, const real *s) {                                                                         \
    compute(*n, x, *incx, y, *incy, *c, *s);                                                                      \
  }
FORTRAN_ROT(srot, float, tsr_rot_f32)
FORTRAN_ROT(drot, double, tsr_rot_f64)
FORTRAN_ROT(csrot, float, tsr_rot_c32)
FORTRAN_ROT(zdrot, double, tsr_rot_c64)

#define CBLAS_ROT(routine, number, real, compute)                                                                 \
  CBLAS(void, routine, blas_int n, number *x, blas_int incx, number *y, blas_int incy, real c, real s) {          \
    compute(n, (real *)x, incx, (real *)y, incy, c, s);                                                           \
  }
CBLAS_ROT(cblas_srot, float, float, tsr_rot_f32)
CBLAS_ROT(cblas_drot, double, double, tsr_rot_f64)
CBLAS_ROT(cblas_csrot, void, float, tsr_rot_c32)
CBLAS_ROT(cblas_zdrot, void, double, tsr_rot_c64)

#define FORTRAN_ROTM(routine, real, compute)                                                                      \
  FORTRAN(void, routine, const blas_int *n, real *x, const blas_int *incx, real *y, const blas_int *incy,         \
          const real *param) {                                                                                    \
    compute(*n, x, *incx, y, *incy, param);                                                                       \
  }
FORTRAN_ROTM(srotm, float, tsr_rotm_f32)
FORTRAN_ROTM(drotm, double, tsr_rotm_f64)

#define CBLAS_ROTM(routine, real, compute)                                                                        \
  CBLAS(void, routine, blas_int n, real *x, blas_int incx, real *y, blas_int incy, const real *param) {           \
    compute(n, x, incx, y, incy, param);                                                                          \
  }
CBLAS_ROTM(cblas_srotm, float, tsr_rotm_f32)
CBLAS_ROTM(cblas_drotm, double, tsr_rotm_f64)

FORTRAN(void, srotg, float *a, float *b, float *c, float *s) { tsr_rotg_f32(a, b, c, s); }
FORTRAN(void, drotg, double *a, double *b, double *c, double *s) { tsr_rotg_f64(a, b, c, s); }
FORTRAN(void, crotg, float *a, const float *b, float *c, float *s) { tsr_rotg_c32(a, b, c, s); }
FORTRAN(void, zrotg, double *a, const double *b, double *c, double *s) { tsr_rotg_c64(a, b, c, s); }
CBLAS(void, cblas_srotg, float *a, float *b, float *c, float *s) { tsr_rotg_f32(a, b, c, s); }
CBLAS(void, cblas_drotg, double *a, double *b, double *c, double *s) { tsr_rotg_f64(a, b, c, s); }
CBLAS(void, cblas_crotg, void *a, void *b, float *c, void *s) { tsr_rotg_c32(a, b, c, s); }
CBLAS(void, cblas_zrotg, void *a, void *b, double *c, void *s) { tsr_rotg_c64(a, b, c, s); }

FORTRAN(void, srotmg, float *d1, float *d2, float *x1, const float *y1, float *param) {
  tsr_rotmg_f32(d1, d2, x1, *y1, param);
}
FORTRAN(void, drotmg, double *d1, double *d2, double *x1, const double *y1, double *param) {
  tsr_rotmg_f64(d1, d2, x1, *y1, param);
}
CBLAS(void, cblas_srotmg, float *d1, float *d2, float *x1, float y1, float *param) {
  tsr_rotmg_f32(d1, d2, x1, y1, param);
}
CBLAS(void, cblas_drotmg, double *d1, double *d2, double *x1, double y1, double *param) {
  tsr_rotmg_f64(d1, d2, x1, y1, param);
}
