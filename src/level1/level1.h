/* Level 1 inside the library: vectors of f32, f64 and of complex numbers (c32, c64: pairs of reals, real part first).
 *
 * x and y are given as in the BLAS: element i is x[i * incx], of a negative increment x[(i - n + 1) * incx]; increments of
 * complex vectors count complex numbers. n <= 0 does nothing and sums to 0. All run on the default context's kernels and,
 * where vectors are longer than the caches near a core, on its threads; the bits depend on neither (doc/blas-numbers.md).
 * What a result is, to the bit: kernels/level1_table.h. */
#ifndef TSR_LEVEL1_H
#define TSR_LEVEL1_H

#include <stdbool.h>
#include <stdint.h>

/* y = x */
void tsr_copy_f32(int64_t n, const float *x, int64_t incx, float *y, int64_t incy);
void tsr_copy_f64(int64_t n, const double *x, int64_t incx, double *y, int64_t incy);
void tsr_copy_c32(int64_t n, const float *x, int64_t incx, float *y, int64_t incy);
void tsr_copy_c64(int64_t n, const double *x, int64_t incx, double *y, int64_t incy);
/* x and y change places. */
void tsr_swap_f32(int64_t n, float *x, int64_t incx, float *y, int64_t incy);
void tsr_swap_f64(int64_t n, double *x, int64_t incx, double *y, int64_t incy);
void tsr_swap_c32(int64_t n, float *x, int64_t incx, float *y, int64_t incy);
void tsr_swap_c64(int64_t n, double *x, int64_t incx, double *y, int64_t incy);
/* x = alpha x, also for alpha = 0: NaN stays. incx <= 0: nothing, as in the reference. _parts: alpha is real. */
void tsr_scal_f32(int64_t n, float alpha, float *x, int64_t incx);
void tsr_scal_f64(int64_t n, double alpha, double *x, int64_t incx);
void tsr_scal_c32(int64_t n, const float alpha[2], float *x, int64_t incx);
void tsr_scal_c64(int64_t n, const double alpha[2], double *x, int64_t incx);
void tsr_scal_parts_c32(int64_t n, float alpha, float *x, int64_t incx);
void tsr_scal_parts_c64(int64_t n, double alpha, double *x, int64_t incx);
/* y = alpha x + y; alpha = 0: x is not read. */
void tsr_axpy_f32(int64_t n, float alpha, const float *x, int64_t incx, float *y, int64_t incy);
void tsr_axpy_f64(int64_t n, double alpha, const double *x, int64_t incx, double *y, int64_t incy);
void tsr_axpy_c32(int64_t n, const float alpha[2], const float *x, int64_t incx, float *y, int64_t incy);
void tsr_axpy_c64(int64_t n, const double alpha[2], const double *x, int64_t incx, double *y, int64_t incy);
/* y = alpha x + beta y; alpha = 0: x is not read; beta = 0: y is not read. */
void tsr_axpby_f32(int64_t n, float alpha, const float *x, int64_t incx, float beta, float *y, int64_t incy);
void tsr_axpby_f64(int64_t n, double alpha, const double *x, int64_t incx, double beta, double *y, int64_t incy);
void tsr_axpby_c32(int64_t n, const float alpha[2], const float *x, int64_t incx, const float beta[2], float *y,
                   int64_t incy);
void tsr_axpby_c64(int64_t n, const double alpha[2], const double *x, int64_t incx, const double beta[2], double *y,
                   int64_t incy);
/* x, y = c x + s y, c y - s x */
void tsr_rot_f32(int64_t n, float *x, int64_t incx, float *y, int64_t incy, float c, float s);
void tsr_rot_f64(int64_t n, double *x, int64_t incx, double *y, int64_t incy, double c, double s);
void tsr_rot_c32(int64_t n, float *x, int64_t incx, float *y, int64_t incy, float c, float s);
void tsr_rot_c64(int64_t n, double *x, int64_t incx, double *y, int64_t incy, double c, double s);
/* The modified rotation that param[0 .. 4] describes, as rotmg makes it. */
void tsr_rotm_f32(int64_t n, float *x, int64_t incx, float *y, int64_t incy, const float *param);
void tsr_rotm_f64(int64_t n, double *x, int64_t incx, double *y, int64_t incy, const double *param);

/* The sum of x y, of complex numbers of x y or, with `conjugate`, conj(x) y. dot_f32_f64: in f64 throughout. */
float tsr_dot_f32(int64_t n, const float *x, int64_t incx, const float *y, int64_t incy);
double tsr_dot_f64(int64_t n, const double *x, int64_t incx, const double *y, int64_t incy);
double tsr_dot_f32_f64(int64_t n, const float *x, int64_t incx, const float *y, int64_t incy);
void tsr_dot_c32(int64_t n, bool conjugate, const float *x, int64_t incx, const float *y, int64_t incy, float out[2]);
void tsr_dot_c64(int64_t n, bool conjugate, const double *x, int64_t incx, const double *y, int64_t incy,
                 double out[2]);
/* The sum of |x|, of complex numbers of |re| + |im|; incx <= 0: 0. */
float tsr_asum_f32(int64_t n, const float *x, int64_t incx);
double tsr_asum_f64(int64_t n, const double *x, int64_t incx);
float tsr_asum_c32(int64_t n, const float *x, int64_t incx);
double tsr_asum_c64(int64_t n, const double *x, int64_t incx);
/* The Euclidean norm, without overflow or underflow on the way. */
float tsr_nrm2_f32(int64_t n, const float *x, int64_t incx);
double tsr_nrm2_f64(int64_t n, const double *x, int64_t incx);
float tsr_nrm2_c32(int64_t n, const float *x, int64_t incx);
double tsr_nrm2_c64(int64_t n, const double *x, int64_t incx);
/* The first index, from 0, of the largest |x| (|re| + |im|); a NaN counts as the largest, of complex numbers then Inf.
 * -1: n or incx <= 0. */
int64_t tsr_iamax_f32(int64_t n, const float *x, int64_t incx);
int64_t tsr_iamax_f64(int64_t n, const double *x, int64_t incx);
int64_t tsr_iamax_c32(int64_t n, const float *x, int64_t incx);
int64_t tsr_iamax_c64(int64_t n, const double *x, int64_t incx);

/* Rotations that make (a, b) into (r, 0), as the reference BLAS defines them: a becomes r; of real ones b becomes z. */
void tsr_rotg_f32(float *a, float *b, float *c, float *s);
void tsr_rotg_f64(double *a, double *b, double *c, double *s);
void tsr_rotg_c32(float *a, const float *b, float *c, float *s);
void tsr_rotg_c64(double *a, const double *b, double *c, double *s);
void tsr_rotmg_f32(float *d1, float *d2, float *x1, float y1, float *param);
void tsr_rotmg_f64(double *d1, double *d2, double *x1, double y1, double *param);

#endif
