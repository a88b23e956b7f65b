/* Copies between layouts and changes of type, each against its definition, one element at a time. */
#include "test/accel/bytes.h"

enum { CASES = 400 };

static int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

static void widening(void **state) {
  (void)state;
  for (int i = 0; i < 65536; i++) {
    uint16_t bits = (uint16_t)i;
    float f16 = accel_f16_to_f32(bits), bf16 = accel_bf16_to_f32(bits);
    if (!same_float(f16, expect_f16_to_f32(bits))) fail_msg("f16 %#x is %a", i, (double)f16);
    if (!same_float(bf16, expect_bf16_to_f32(bits))) fail_msg("bf16 %#x is %a", i, (double)bf16);
  }
}

static void check_narrowing(float x) {
  uint16_t f16 = accel_f32_to_f16(x), bf16 = accel_f32_to_bf16(x);
  if (!same_16(f16, expect_to_16(x, ACCEL_F16), ACCEL_F16)) fail_msg("%a to f16: %#x", (double)x, f16);
  if (!same_16(bf16, expect_to_16(x, ACCEL_BF16), ACCEL_BF16)) fail_msg("%a to bf16: %#x", (double)x, bf16);
}

/* Each value of each type, each midpoint, and their neighbours; then any f32. */
static void narrowing(void **state) {
  (void)state;
  for (int i = 0; i < 65536; i++) {
    uint16_t bits = (uint16_t)i, next = (uint16_t)(i + 1);
    float near[] = {expect_f16_to_f32(bits), (expect_f16_to_f32(bits) + expect_f16_to_f32(next)) / 2,
                    expect_bf16_to_f32(bits), float_of((uint32_t)i << 16 | 0x8000)};
    for (int n = 0; n < COUNT(near); n++)
      for (int step = -1; step <= 1; step++) check_narrowing(float_of(bits_of(near[n]) + (uint32_t)step));
  }
  for (int i = 0; i < 1000000; i++) check_narrowing(random_f32(ANY_BITS));
  for (int i = 0; i < 1000; i++) check_narrowing(random_f32(EXTREME));
}

/* A NaN is still one when its only bits are those that are cut off. */
static void narrow_nan(void **state) {
  (void)state;
  const uint32_t nans[] = {0x7f800001, 0xff800001, 0x7fffffff, 0xffffffff, 0x7f801fff, 0x7f80ffff, 0x7fc00000};
  for (int i = 0; i < COUNT(nans); i++) {
    assert_true(is_nan_16(accel_f32_to_f16(float_of(nans[i])), ACCEL_F16));
    assert_true(is_nan_16(accel_f32_to_bf16(float_of(nans[i])), ACCEL_BF16));
  }
}

/* Where element (r, c) of a matrix of NZ fractals lies. */
static int64_t nz(int64_t r, int64_t c, int64_t blocks, int size) {
  int64_t wide = 32 / size;
  return (c / wide * blocks + r / 16) * 512 + r % 16 * 32 + c % wide * size;
}

static void check_rows_to_fractals(int64_t rows, int64_t cols, int size) {
  int64_t high = divide_up(rows, 16), wide = divide_up(cols * size, 32), blocks = high + between(0, 3);
  int64_t pitch = (cols + between(0, 5)) * size;
  struct block from = make_block((rows - 1) * pitch + cols * size), to = make_block(((wide - 1) * blocks + high) * 512);
  struct block expected = copy_block(&to);
  for (int64_t r = 0; r < high * 16; r++)
    for (int64_t c = 0; c < wide * 32 / size; c++) {
      unsigned char *at = expected.bytes + nz(r, c, blocks, size);
      memset(at, 0, (size_t)size);
      if (r < rows && c < cols) memcpy(at, from.bytes + r * pitch + c * size, (size_t)size);
    }
  accel_rows_to_fractals(to.bytes, from.bytes, rows, cols, pitch, blocks, size);
  char what[80];
  snprintf(what, sizeof what, "%d x %d of %d bytes", (int)rows, (int)cols, size);
  assert_same_bytes(&to, &expected, what);
  free_block(&from), free_block(&to), free_block(&expected);
}

static void rows_to_fractals(void **state) {
  (void)state;
  for (int i = 0; i < CASES; i++) check_rows_to_fractals(between(1, 40), between(1, 70), 1 << between(0, 2));
  const int64_t edges[] = {1, 7, 8, 9, 15, 16, 17, 31, 32, 33};
  for (int r = 0; r < COUNT(edges); r++)
    for (int c = 0; c < COUNT(edges); c++)
      for (int size = 1; size <= 4; size *= 2) check_rows_to_fractals(edges[r], edges[c], size);
}

/* The source holds no fractal that the result does not need. */
static void check_load2d(int64_t rows, int64_t cols, bool l0b, bool transpose, int size) {
  int64_t wide = 32 / size, high = transpose ? divide_up(cols * wide, 16) : rows;
  int64_t across = transpose ? divide_up(rows * 16, wide) : cols, blocks = high + between(0, 3);
  struct block from = make_block(((across - 1) * blocks + high) * 512), to = make_block(rows * cols * 512);
  struct block expected = copy_block(&to);
  for (int64_t r = 0; r < rows * 16; r++)
    for (int64_t c = 0; c < cols * wide; c++) {
      int64_t i = r / 16, j = c / wide, fractal = l0b ? j * rows + i : i * cols + j;
      memcpy(expected.bytes + fractal * 512 + r % 16 * 32 + c % wide * size,
             from.bytes + (transpose ? nz(c, r, blocks, size) : nz(r, c, blocks, size)), (size_t)size);
    }
  accel_load2d(to.bytes, from.bytes, rows, cols, blocks, l0b, transpose, size);
  char what[80];
  snprintf(what, sizeof what, "%d x %d fractals of %d bytes, l0b %d, transposed %d", (int)rows, (int)cols, size, l0b,
           transpose);
  assert_same_bytes(&to, &expected, what);
  free_block(&from), free_block(&to), free_block(&expected);
}

static void load2d(void **state) {
  (void)state;
  for (int64_t rows = 1; rows <= 6; rows++)
    for (int64_t cols = 1; cols <= 6; cols++)
      for (int way = 0; way < 4; way++)
        for (int size = 1; size <= 4; size *= 2) check_load2d(rows, cols, way & 1, way & 2, size);
}

/* The pixel that output `o`, counted over images, has under a tap, counted from image 0; -1: padding. */
static int64_t pixel_of(const struct accel_map *map, int64_t o, int64_t r, int64_t s) {
  int64_t plane = map->out[0] * map->out[1], image = o / plane, oh = o % plane / map->out[1], ow = o % map->out[1];
  int64_t h = oh * map->stride[0] + r * map->dilation[0] - map->pad[0];
  int64_t w = ow * map->stride[1] + s * map->dilation[1] - map->pad[1];
  bool inside = h >= 0 && h < map->in[0] && w >= 0 && w < map->in[1];
  return inside ? image * map->in[0] * map->in[1] + h * map->in[1] + w : -1;
}

/* A map whose pixels in L1 are just those that are needed. */
static void check_load3d(int size) {
  struct accel_map map = {.columns = between(1, 3), .value = (uint32_t)next_random()};
  struct accel_patch patch = {between(0, 60), between(1, 50), 0, 0};
  for (int i = 0; i < 2; i++) {
    map.in[i] = between(1, 9), map.out[i] = between(1, 9), map.kernel[i] = between(1, 4);
    map.stride[i] = between(1, 3), map.dilation[i] = between(1, 3), map.pad[i] = between(0, 4);
  }
  int64_t all = map.kernel[0] * map.kernel[1] * map.columns, low = INT64_MAX, high = -1, got_low, got_high;
  patch.k = between(0, all - 1), patch.cols = between(1, all - patch.k < 9 ? all - patch.k : 9);
  for (int64_t i = 0; i < patch.rows; i++)
    for (int64_t j = 0; j < patch.cols; j++) {
      int64_t tap = (patch.k + j) / map.columns;
      int64_t pixel = pixel_of(&map, patch.first + i, tap / map.kernel[1], tap % map.kernel[1]);
      if (pixel >= 0 && pixel < low) low = pixel;
      if (pixel > high) high = pixel;
    }
  assert_int_equal(accel_load3d_pixels(&map, &patch, &got_low, &got_high), high >= 0);
  if (high >= 0) assert_true(got_low == low && got_high == high);
  map.skip = high >= 0 ? low : 0, map.pixels = high >= 0 ? high - low + 1 : 0;
  map.blocks = divide_up(map.pixels, 16) + between(0, 2);
  struct block from = make_block(map.pixels ? (map.columns - 1) * map.blocks * 512 + map.pixels * 32 : 0);
  struct block to = make_block(divide_up(patch.rows, 16) * patch.cols * 512), expected = copy_block(&to);
  for (int64_t i = 0; i < divide_up(patch.rows, 16) * 16; i++)
    for (int64_t j = 0; j < patch.cols; j++)
      for (int64_t b = 0; b < 32; b++) {
        int64_t tap = (patch.k + j) / map.columns, column = (patch.k + j) % map.columns;
        int64_t pixel = pixel_of(&map, patch.first + i, tap / map.kernel[1], tap % map.kernel[1]);
        unsigned char *at = expected.bytes + (i / 16 * patch.cols + j) * 512 + i % 16 * 32 + b;
        *at = 0;
        if (i < patch.rows)
          *at = pixel < 0 ? (unsigned char)(map.value >> 8 * (b % size))
                          : from.bytes[column * map.blocks * 512 + (pixel - map.skip) * 32 + b];
      }
  accel_load3d(to.bytes, from.bytes, &map, &patch, size);
  char what[80];
  snprintf(what, sizeof what, "%d rows from %d, %d columns from %d, of %d bytes", (int)patch.rows, (int)patch.first,
           (int)patch.cols, (int)patch.k, size);
  assert_same_bytes(&to, &expected, what);
  free_block(&from), free_block(&to), free_block(&expected);
}

static void load3d(void **state) {
  (void)state;
  for (int i = 0; i < 5 * CASES; i++) check_load3d(1 << between(0, 2));
}

/* With .relu: of f32 by value, so that -0 and NaN stay; of s32 by sign. */
static void relu(void **state) {
  (void)state;
  const float in[] = {-1, 1, -0.0f, 0, NAN, -INFINITY, INFINITY, -1e-40f};
  const float out[] = {0, 1, -0.0f, 0, NAN, 0, INFINITY, 0};
  float l0c[256] = {0}, got[8];
  uint16_t half[8];
  int32_t whole[256] = {-5, 7, INT32_MIN, INT32_MAX, (int32_t)0xffc00000}, got_whole[5];
  memcpy(l0c, in, sizeof in);
  accel_fixp((unsigned char *)got, (unsigned char *)l0c, 1, 8, 32, 1, ACCEL_F32 | ACCEL_RELU);
  for (int i = 0; i < 8; i++) assert_true(isnan(out[i]) ? isnan(got[i]) : bits_of(got[i]) == bits_of(out[i]));
  accel_fixp((unsigned char *)half, (unsigned char *)l0c, 1, 8, 16, 1, ACCEL_F16 | ACCEL_RELU);
  for (int i = 0; i < 8; i++) assert_true(same_16(half[i], expect_to_16(out[i], ACCEL_F16), ACCEL_F16));
  accel_fixp((unsigned char *)got_whole, (unsigned char *)whole, 1, 5, 20, 1, ACCEL_S32 | ACCEL_RELU);
  const int32_t expected[] = {0, 7, 0, INT32_MAX, 0};
  assert_memory_equal(got_whole, expected, sizeof expected);
}

static void check_fixp(int64_t rows, int64_t cols, unsigned type, int kind) {
  int size = size_of(type);
  int64_t high = divide_up(rows, 16), blocks = high + between(0, 2), pitch = (cols + between(0, 5)) * size;
  struct block from = make_block(((divide_up(cols, 16) - 1) * blocks + high) * 1024);
  struct block to = make_block((rows - 1) * pitch + cols * size), expected = copy_block(&to);
  fill_random(&from, ACCEL_F32, kind);
  accel_fixp(to.bytes, from.bytes, rows, cols, pitch, blocks, type);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < cols; c++) {
      const unsigned char *in = from.bytes + (c / 16 * blocks + r / 16) * 1024 + r % 16 * 64 + c % 16 * 4;
      unsigned char *got = to.bytes + r * pitch + c * size, *want = expected.bytes + r * pitch + c * size;
      if (size == 4)
        memcpy(want, in, 4);
      else
        put_f32(want, get_f32(in, ACCEL_F32), type);
      if (size == 2 && same_element(got, want, type)) memcpy(want, got, 2);
    }
  char what[80];
  snprintf(what, sizeof what, "%d x %d to %s", (int)rows, (int)cols, name_of(type));
  assert_same_bytes(&to, &expected, what);
  free_block(&from), free_block(&to), free_block(&expected);
}

static void fixp(void **state) {
  (void)state;
  const unsigned types[] = {ACCEL_F32, ACCEL_F16, ACCEL_BF16, ACCEL_S32};
  for (int i = 0; i < CASES; i++)
    for (int t = 0; t < COUNT(types); t++)
      check_fixp(between(1, 40), between(1, 40), types[t], (int)between(0, KINDS - 1));
}

/* Counts of 0 touch nothing. */
static void nothing(void **state) {
  (void)state;
  struct block block = make_block(0);
  accel_rows_to_fractals(block.bytes, block.bytes, 0, 0, 0, 0, 2);
  accel_rows_to_fractals(block.bytes, block.bytes, 5, 0, 64, 1, 2);
  accel_rows_to_fractals(block.bytes, block.bytes, 0, 5, 64, 1, 2);
  accel_load2d(block.bytes, block.bytes, 0, 3, 1, false, true, 2);
  accel_load2d(block.bytes, block.bytes, 3, 0, 1, true, false, 2);
  accel_fixp(block.bytes, block.bytes, 0, 4, 64, 1, ACCEL_F16);
  accel_fixp(block.bytes, block.bytes, 4, 0, 64, 1, ACCEL_F32);
  free_block(&block);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(widening), cmocka_unit_test(narrowing), cmocka_unit_test(narrow_nan),
      cmocka_unit_test(rows_to_fractals), cmocka_unit_test(load2d), cmocka_unit_test(load3d),
      cmocka_unit_test(fixp), cmocka_unit_test(relu), cmocka_unit_test(nothing)};
  start_random();
  return cmocka_run_group_tests_name("copies", tests, NULL, NULL);
}
