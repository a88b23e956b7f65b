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

/* The pixel under a tap, counted from image 0; -1: padding. */
static int64_t pixel_under(const struct accel_map *map, int64_t output, int64_t tap) {
  int64_t image = output / (map->out[0] * map->out[1]), row = output / map->out[1] % map->out[0];
  int64_t h = row * map->stride[0] - map->pad[0] + tap / map->kernel[1] * map->dilation[0];
  int64_t w = output % map->out[1] * map->stride[1] - map->pad[1] + tap % map->kernel[1] * map->dilation[1];
  if (h < 0 || w < 0 || h >= map->in[0] || w >= map->in[1]) return -1;
  return (image * map->in[0] + h) * map->in[1] + w;
}

bool accel_load3d_pixels(const struct accel_map *map, const struct accel_patch *patch, int64_t *low, int64_t *high) {
  *low = INT64_MAX, *high = -1;
  for (int64_t tap = patch->k / map->columns; tap * map->columns < patch->k + patch->cols; tap++)
    for (int64_t i = 0; i < patch->rows; i++) {
      int64_t pixel = pixel_under(map, patch->first + i, tap);
      if (pixel > *high) *high = pixel;
      if (pixel >= 0 && pixel < *low) *low = pixel;
    }
  return *high >= 0;
}

static void fill(unsigned char *to, uint32_t value, int size) {
  for (int i = 0; i < ROW_BYTES; i += size) memcpy(to + i, &value, (size_t)size);
}

void accel_load3d(unsigned char *to, const unsigned char *from, const struct accel_map *map,
                  const struct accel_patch *patch, int size) {
  int64_t high = (patch->rows + ROWS - 1) / ROWS;
  unsigned char padding[ROW_BYTES];
  fill(padding, map->value, size);
  for (int64_t j = 0; j < patch->cols; j++) {
    int64_t tap = (patch->k + j) / map->columns, column = (patch->k + j) % map->columns * map->blocks * FRACTAL;
    for (int64_t i = 0; i < high * ROWS; i++) {
      unsigned char *row = to + (i / ROWS * patch->cols + j) * FRACTAL + i % ROWS * ROW_BYTES;
      int64_t pixel = i < patch->rows ? pixel_under(map, patch->first + i, tap) : -1;
      if (i >= patch->rows)
        memset(row, 0, ROW_BYTES);
      else
        memcpy(row, pixel < 0 ? padding : from + column + (pixel - map->skip) * ROW_BYTES, ROW_BYTES);
    }
  }
}

/* Up to one fractal's row out of L0C. */
static void convert_row(unsigned char *to, const unsigned char *from, int64_t n, unsigned type) {
  float x[L0C_COLUMNS];
  uint16_t half[L0C_COLUMNS];
  memcpy(x, from, sizeof x);
  if (type & ACCEL_RELU)
    for (int i = 0; i < L0C_COLUMNS; i++) x[i] = x[i] < 0 ? 0 : x[i];
  if (type & ACCEL_F16)
    for (int i = 0; i < L0C_COLUMNS; i++) half[i] = accel_narrow_f16(x[i]);
  else
    for (int i = 0; i < L0C_COLUMNS; i++) half[i] = accel_narrow_bf16(x[i]);
  memcpy(to, half, (size_t)n * sizeof half[0]);
}

/* Elements of 4 bytes: s32 and f32 are below 0 where their sign says so, but for -0 and NaN, which stay. */
static void copy_row(unsigned char *to, const unsigned char *from, int64_t n, unsigned type) {
  int32_t bits[L0C_COLUMNS];
  float x[L0C_COLUMNS];
  memcpy(bits, from, sizeof bits);
  memcpy(x, from, sizeof x);
  for (int i = 0; i < L0C_COLUMNS && type & ACCEL_RELU; i++)
    if (type & ACCEL_S32 ? bits[i] < 0 : x[i] < 0) bits[i] = 0;
  memcpy(to, bits, (size_t)n * 4);
}

void accel_fixp(unsigned char *to, const unsigned char *l0c, int64_t rows, int64_t cols, int64_t pitch, int64_t blocks,
                unsigned type) {
  bool halves = type & (ACCEL_F16 | ACCEL_BF16);
  int size = halves ? 2 : 4;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < cols; j += L0C_COLUMNS) {
      const unsigned char *from = l0c + j / L0C_COLUMNS * blocks * L0C_FRACTAL + i * L0C_COLUMNS * 4;
      unsigned char *row = to + i * pitch + j * size;
      int64_t n = least(cols - j, L0C_COLUMNS);
      if (halves)
        convert_row(row, from, n, type);
      else
        copy_row(row, from, n, type);
    }
}
