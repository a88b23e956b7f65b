/* Squares of 16 x 16 bytes, 8 x 8 elements of 2 bytes or 4 x 4 of 4 bytes, transposed in registers. */
#ifndef ACCEL_TRANSPOSE_H
#define ACCEL_TRANSPOSE_H

#include <stdint.h>
#include <string.h>

typedef uint8_t accel_u8x16 __attribute__((vector_size(16)));
typedef uint16_t accel_u16x8 __attribute__((vector_size(16)));
typedef uint32_t accel_u32x4 __attribute__((vector_size(16)));

/* A shuffle of N vectors as of two packs of cards, log2(N) times: element (i, j) gets to (j, i). */
static inline void accel_transpose_b8(unsigned char *to, int64_t to_pitch, const unsigned char *from, int64_t pitch) {
  accel_u8x16 x[2][16];
  for (int i = 0; i < 16; i++) memcpy(&x[0][i], from + i * pitch, 16);
#pragma GCC unroll 4
  for (int step = 0; step < 4; step++)
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
      accel_u8x16 *in = x[step & 1], *out = x[~step & 1];
      out[2 * i] = __builtin_shufflevector(in[i], in[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      out[2 * i + 1] =
          __builtin_shufflevector(in[i], in[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
  for (int i = 0; i < 16; i++) memcpy(to + i * to_pitch, &x[0][i], 16);
}

static inline void accel_transpose_b16(unsigned char *to, int64_t to_pitch, const unsigned char *from, int64_t pitch) {
  accel_u16x8 x[2][8];
  for (int i = 0; i < 8; i++) memcpy(&x[0][i], from + i * pitch, 16);
#pragma GCC unroll 3
  for (int step = 0; step < 3; step++)
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      accel_u16x8 *in = x[step & 1], *out = x[~step & 1];
      out[2 * i] = __builtin_shufflevector(in[i], in[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
      out[2 * i + 1] = __builtin_shufflevector(in[i], in[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
    }
  for (int i = 0; i < 8; i++) memcpy(to + i * to_pitch, &x[1][i], 16);
}

static inline void accel_transpose_b32(unsigned char *to, int64_t to_pitch, const unsigned char *from, int64_t pitch) {
  accel_u32x4 x[2][4];
  for (int i = 0; i < 4; i++) memcpy(&x[0][i], from + i * pitch, 16);
#pragma GCC unroll 2
  for (int step = 0; step < 2; step++)
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
      accel_u32x4 *in = x[step & 1], *out = x[~step & 1];
      out[2 * i] = __builtin_shufflevector(in[i], in[i + 2], 0, 4, 1, 5);
      out[2 * i + 1] = __builtin_shufflevector(in[i], in[i + 2], 2, 6, 3, 7);
    }
  for (int i = 0; i < 4; i++) memcpy(to + i * to_pitch, &x[0][i], 16);
}

/* One square of elements of `size` bytes; pitches in bytes. */
static inline void accel_transpose(unsigned char *to, int64_t to_pitch, const unsigned char *from, int64_t pitch,
                                   int size) {
  if (size == 1)
    accel_transpose_b8(to, to_pitch, from, pitch);
  else if (size == 2)
    accel_transpose_b16(to, to_pitch, from, pitch);
  else
    accel_transpose_b32(to, to_pitch, from, pitch);
}

#endif
