/* What instructions do to bytes, without time: plain functions on buffers, called by the machine once an instruction's
 * operands have been checked. Layouts (doc/accel-isa.md): a fractal is 16 rows x 32 bytes, row by row, 512 bytes;
 * a matrix in L1 is fractals down the rows first ("NZ"); L0A is fractals along k first (m by m block); L0B holds
 * n x k fractals, those along n first (k by k block); L0C is 16 x 16 x 4 bytes, 1024 bytes a fractal, down m first. */
#ifndef ACCEL_MOVE_H
#define ACCEL_MOVE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/accel_sim/sim/isa.h"

/* ld.gm.l1: rows x cols elements of `size` bytes, rows `pitch` bytes apart, into NZ fractals whose columns of fractals
 * are `blocks` fractals (of 512 bytes) apart. What the last fractals hold beyond rows and cols becomes 0. */
void accel_rows_to_fractals(unsigned char *to, const unsigned char *from, int64_t rows, int64_t cols, int64_t pitch,
                            int64_t blocks, int size);

/* load2d: rows x cols fractals (of the result) out of an L1 matrix whose columns of fractals are `blocks` apart. The
 * result's fractal (i, j) comes from (i, j); with `transpose` the result's element (r, c) is the source's (c, r), in
 * squares of 16 x 16 elements of 2 bytes, 32 x 32 of 1 byte, 8 x 8 of 4 bytes: an odd number of fractals takes part of
 * the last square. l0b: false: (i, j) goes to i * cols + j; true: to j * rows + i. */
void accel_load2d(unsigned char *to, const unsigned char *from, int64_t rows, int64_t cols, int64_t blocks, bool l0b,
                  bool transpose, int size);

/* load3d: the map of set.map, whose pixels are 32 bytes in each column of fractals, and which part of the matrix that a
 * convolution makes of it is wanted. Pairs: height, width. */
struct accel_map {
  int64_t in[2], columns, blocks;
  int64_t kernel[2], stride[2], dilation[2], pad[2], out[2];
  int64_t skip, pixels; /* L1 holds pixels skip .. skip + pixels - 1, counted from image 0 */
  uint32_t value;       /* of padding: the bits of an element */
};
struct accel_patch {
  int64_t first, rows; /* output pixels, counted over images from image 0 */
  int64_t k, cols;     /* 32 bytes each, of taps by kernel row and column, then of the columns of a pixel */
};

/* The first and the last pixel that are read; false: all is padding. */
bool accel_load3d_pixels(const struct accel_map *map, const struct accel_patch *patch, int64_t *low, int64_t *high);
/* from: pixel `skip`. What the last fractals hold beyond the rows becomes 0. */
void accel_load3d(unsigned char *to, const unsigned char *from, const struct accel_map *map,
                  const struct accel_patch *patch, int size);

/* mad: C[m x n] (+)= A[m x k] * B[k x n], one chain of fma in f32 an element, in order of k (s8: exact in 32 bits,
 * wrapping). type: ACCEL_F16, _BF16, _F32, _S8. Only k elements count, whatever the fractals hold beyond. */
void accel_mad(unsigned char *l0c, const unsigned char *l0a, const unsigned char *l0b, int64_t m, int64_t k, int64_t n,
               unsigned type, bool init);

/* fixp: rows x cols out of L0C, whose columns of fractals are `blocks` fractals (of 1024 bytes) apart, rounded to
 * nearest even, to rows `pitch` bytes apart. type: may have ACCEL_RELU, then what is below 0 becomes 0 first. */
void accel_fixp(unsigned char *to, const unsigned char *l0c, int64_t rows, int64_t cols, int64_t pitch, int64_t blocks,
                unsigned type);

/* v.*: `n` elements. b: the second vector, NULL where a scalar (bits of the element type in `scalar`) or nothing is.
 * What NaN, signed zeros, order of summation and d == a give: vector.c. */
void accel_vector(enum accel_opcode op, unsigned type, unsigned char *d, const unsigned char *a, const unsigned char *b,
                  uint64_t scalar, int64_t n);

/* Conversions that the library's other parts need too. To nearest even; f16 overflow is Inf, NaN stays NaN. */
float accel_f16_to_f32(uint16_t bits);
float accel_bf16_to_f32(uint16_t bits);
uint16_t accel_f32_to_f16(float x);
uint16_t accel_f32_to_bf16(float x);

#endif
