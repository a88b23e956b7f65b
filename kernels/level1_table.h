/* Vectors (level 1 of the BLAS): what a chip's LEVEL1_TABLE kernel of f32 or f64 fills in. Functions instead of steps, as
 * a short vector takes less time than a step takes to write.
 *
 * n is at least 1. x and y point to element 0; element i lies i * incx elements further (complex ones count as one), and
 * increments may be 0 or negative. Elementwise functions with an increment of 0 go through the elements one after another;
 * x and y may be the same vector but do not overlap otherwise. Results are the same bits on every chip:
 *
 *   copy      y = x                       swap   x, y = y, x
 *   copy_far  y = x side by side, both far larger than the caches
 *   scale     x = alpha * x               copy_scaled   y = alpha * x
 *   axpy      y = fma(alpha, x, y)        axpby  y = fma(alpha, x, beta * y)
 *   rot       x, y = fma(h[2], y, h[0] * x), fma(h[3], y, h[1] * x) with the old x and y: h is a matrix by columns
 *   fill      y = alpha
 * _complex: elements are pairs of a real and an imaginary part. With alpha and beta complex:
 *   scale, copy_scaled   re = fma(-im(alpha), im(x), re(alpha) * re(x)), im = fma(im(alpha), re(x), re(alpha) * im(x))
 *   axpy      re(y) = fma(-im(alpha), im(x), fma(re(alpha), re(x), re(y))),
 *             im(y) = fma(im(alpha), re(x), fma(re(alpha), im(x), im(y)))
 *   axpby     y scaled by beta as above, then axpy
 * copy, swap, rot and scale_parts (real factors) treat both parts alike.
 *
 * Sums run in TSR_LEVEL1_LANES lanes (256 bytes of the type that is summed): lane t begins as +0 and adds what it is given
 * of elements t, t + LANES, t + 2 LANES, ... in order; then halves are added to halves, t and t + LANES / 2 first, last
 * 0 and 1, and +0 is added: no sum is -0. No call gets more than TSR_LEVEL1_BLOCK reals; longer vectors are sums of blocks, added in order.
 *   dot       fma(x, y, lane)
 *   dot_f64   of f32: fma((double)x, (double)y, lane), lanes of f64
 *   dot_complex   four sums, of which each has as many lanes as there are complex numbers in 256 bytes: out =
 *             sum of re(x) re(y), im(x) im(y), re(x) im(y), im(x) re(y)
 *   asum      lane + |x|; _complex: of the parts, side by side, like a real vector of twice the length
 *   squares   fma(x, x, lane), of f32 in lanes of f64; _complex likewise
 *   scaled_squares   of f64: fma(s, s, lane) with s = factor * x
 *   iamax     the first index of a largest |x|, from 0; a NaN counts as the largest. *most becomes that |x|. _complex:
 *             of |re(x)| + |im(x)| */
#ifndef TSR_LEVEL1_TABLE_H
#define TSR_LEVEL1_TABLE_H

#include <stdint.h>

enum {
  TSR_LEVEL1_LANES_F32 = 64,
  TSR_LEVEL1_LANES_F64 = 32,
  TSR_LEVEL1_BLOCK = 32768 /* a multiple of all lanes; complex numbers count twice */
};

#define TSR_LEVEL1_FUNCTIONS(real)                                                                               \
  void (*copy)(int64_t n, const real *x, int64_t incx, real *y, int64_t incy);                                   \
  void (*copy_complex)(int64_t n, const real *x, int64_t incx, real *y, int64_t incy);                           \
  void (*copy_far)(int64_t n, const real *x, real *y);                                                           \
  void (*swap)(int64_t n, real *x, int64_t incx, real *y, int64_t incy);                                         \
  void (*swap_complex)(int64_t n, real *x, int64_t incx, real *y, int64_t incy);                                 \
  void (*fill)(int64_t n, real alpha, real *y, int64_t incy);                                                    \
  void (*fill_complex)(int64_t n, const real alpha[2], real *y, int64_t incy);                                   \
  void (*scale)(int64_t n, real alpha, real *x, int64_t incx);                                                   \
  void (*scale_parts)(int64_t n, real alpha, real *x, int64_t incx);                                             \
  void (*scale_complex)(int64_t n, const real alpha[2], real *x, int64_t incx);                                  \
  void (*copy_scaled)(int64_t n, real alpha, const real *x, int64_t incx, real *y, int64_t incy);                \
  void (*copy_scaled_complex)(int64_t n, const real alpha[2], const real *x, int64_t incx, real *y, int64_t incy); \
  void (*axpy)(int64_t n, real alpha, const real *x, int64_t incx, real *y, int64_t incy);                       \
  void (*axpy_complex)(int64_t n, const real alpha[2], const real *x, int64_t incx, real *y, int64_t incy);      \
  void (*axpby)(int64_t n, real alpha, const real *x, int64_t incx, real beta, real *y, int64_t incy);           \
  void (*axpby_complex)(int64_t n, const real alpha[2], const real *x, int64_t incx, const real beta[2], real *y, \
                        int64_t incy);                                                                           \
  void (*rot)(int64_t n, real *x, int64_t incx, real *y, int64_t incy, const real h[4]);                         \
  void (*rot_complex)(int64_t n, real *x, int64_t incx, real *y, int64_t incy, const real h[4]);                 \
  real (*dot)(int64_t n, const real *x, int64_t incx, const real *y, int64_t incy);                              \
  void (*dot_complex)(int64_t n, const real *x, int64_t incx, const real *y, int64_t incy, real out[4]);         \
  real (*asum)(int64_t n, const real *x, int64_t incx);                                                          \
  real (*asum_complex)(int64_t n, const real *x, int64_t incx);                                                  \
  double (*squares)(int64_t n, const real *x, int64_t incx);                                                     \
  double (*squares_complex)(int64_t n, const real *x, int64_t incx);                                             \
  int64_t (*iamax)(int64_t n, const real *x, int64_t incx, real *most);                                          \
  int64_t (*iamax_complex)(int64_t n, const real *x, int64_t incx, real *most);

struct tsr_level1_f32 {
  TSR_LEVEL1_FUNCTIONS(float)
  double (*dot_f64)(int64_t n, const float *x, int64_t incx, const float *y, int64_t incy);
};

struct tsr_level1_f64 {
  TSR_LEVEL1_FUNCTIONS(double)
  double (*scaled_squares)(int64_t n, const double *x, int64_t incx, double factor);
  double (*scaled_squares_complex)(int64_t n, const double *x, int64_t incx, double factor);
};

#endif
