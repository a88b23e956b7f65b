/* Copies between the layouts of the buffers, and changes of type on the way. */
#include "kernels/accel_sim/sim/move.h"

#include <string.h>

#include "kernels/accel_sim/sim/convert.h"
#include "kernels/accel_sim/sim/transpose.h"

enum { ROWS = 16, ROW_BYTES = 32, FRACTAL = ROWS * ROW_BYTES, L0C_COLUMNS = 16, L0C_FRACTAL = ROWS * L0C_COLUMNS * 4 };

float accel_f16_to_f32(uint16_t bits) { return accel_widen_f16(bits); }
float accel_bf16_to_f32(uint16_t bits) { return accel_widen_bf16(bits); }
uint16_t accel_f32_to_f16(float x) { return accel_narrow_f16(x); }
uint16_t accel_f32_to_bf16(float x) { return accel_narrow_bf16(x); }

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* A column of fractals is one run of rows of 32 bytes. */
void accel_rows_to_fractals(unsigned char *to, const unsigned char *from, int64_t rows, int64_t cols, int64_t pitch,
                            int64_t blocks, int size) {
  int64_t bytes = cols * size, padding = (rows + ROWS - 1) / ROWS * ROWS - rows;
  for (int64_t at = 0; at < bytes; at += ROW_BYTES, to += blocks * FRACTAL) {
    int64_t wide = least(bytes - at, ROW_BYTES);
    if (wide == ROW_BYTES)
      for (int64_t i = 0; i < rows; i++) memcpy(to + i * ROW_BYTES, from + i * pitch + at, ROW_BYTES);
    else
      for (int64_t i = 0; i < rows; i++) {
        memset(to + i * ROW_BYTES, 0, ROW_BYTES);
        memcpy(to + i * ROW_BYTES, from + i * pitch + at, (size_t)wide);
      }
    memset(to + rows * ROW_BYTES, 0, (size_t)(padding * ROW_BYTES));
  }
}

/* The result's element (r, c) is the source's (c, r): squares whose rows are 16 bytes, two beside each other in a
 * fractal, trade places. */
static void load_transposed(unsigned char *to, const unsigned char *from, int64_t i, int64_t j, int64_t blocks,
                            int size) {
  int side = 16 / size;
  for (int64_t r = i * ROWS; r < (i + 1) * ROWS; r += side)
    for (int64_t half = 0; half < 2; half++) {
      int64_t row = (2 * j + half) * side, byte = r * size;
      const unsigned char *square = from + byte / ROW_BYTES * blocks * FRACTAL + row * ROW_BYTES + byte % ROW_BYTES;
      accel_transpose(to + r % ROWS * ROW_BYTES + half * 16, ROW_BYTES, square, ROW_BYTES, size);
    }
}

void accel_load2d(unsigned char *to, const unsigned char *from, int64_t rows, int64_t cols, int64_t blocks, bool l0b,
                  bool transpose, int size) {
  for (int64_t j = 0; j < cols; j++)
    for (int64_t i = 0; i < rows; i++) {
      unsigned char *fractal = to + (l0b ? j * rows + i : i * cols + j) * FRACTAL;
      if (transpose)
        load_transposed(fractal, from, i, j, blocks, size);
      else
        memcpy(fractal, from + (j * blocks + i) * FRACTAL, FRACTAL);
    }
}

/* Up to one fractal's row out of L0C. */
static void convert_row(unsigned char *to, const unsigned char *from, int64_t n, unsigned type) {
  float x[L0C_COLUMNS];
  uint16_t half[L0C_COLUMNS];
  memcpy(x, from, sizeof x);
  if (type == ACCEL_F16)
    for (int i = 0; i < L0C_COLUMNS; i++) half[i] = accel_narrow_f16(x[i]);
  else
    for (int i = 0; i < L0C_COLUMNS; i++) half[i] = accel_narrow_bf16(x[i]);
  memcpy(to, half, (size_t)n * sizeof half[0]);
}

void accel_fixp(unsigned char *to, const unsigned char *l0c, int64_t rows, int64_t cols, int64_t pitch, int64_t blocks,
                unsigned type) {
  bool halves = type == ACCEL_F16 || type == ACCEL_BF16;
  int size = halves ? 2 : 4;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < cols; j += L0C_COLUMNS) {
      const unsigned char *from = l0c + j / L0C_COLUMNS * blocks * L0C_FRACTAL + i * L0C_COLUMNS * 4;
      unsigned char *row = to + i * pitch + j * size;
      int64_t n = least(cols - j, L0C_COLUMNS);
      if (halves)
        convert_row(row, from, n, type);
      else
        memcpy(row, from, (size_t)n * 4);
    }
}
