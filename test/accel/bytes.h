/* What the tests of the instructions' data share: a seed, pathological values, memory with guards, and conversions that
 * are written another way than the simulator's. */
#ifndef ACCEL_TEST_BYTES_H
#define ACCEL_TEST_BYTES_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "kernels/accel_sim/sim/move.h"

#define COUNT(a) (int)(sizeof(a) / sizeof(a)[0])

static uint64_t random_state;

static inline uint64_t next_random(void) {
  uint64_t z = random_state += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

static inline int64_t between(int64_t low, int64_t high) {
  return low + (int64_t)(next_random() % (uint64_t)(high - low + 1));
}

/* Seeds and prints it; main calls this first. */
static inline void start_random(void) {
  const char *text = getenv("TESSERA_TEST_SEED");
  random_state = text ? strtoull(text, NULL, 0) : 1;
  printf("seed %llu (set TESSERA_TEST_SEED to change it)\n", (unsigned long long)random_state);
}

/* Bytes at random, whose end is a page that cannot be touched; what is before them is `GUARD` bytes of one value. */
enum { PAGE = 65536, GUARD = 1024, GUARD_BYTE = 0xa5 };
struct block {
  unsigned char *bytes, *map;
  size_t size, mapped;
};

static inline struct block make_block(int64_t bytes) {
  size_t size = (size_t)bytes, body = (size + GUARD + PAGE - 1) / PAGE * PAGE;
  struct block block = {.size = size, .mapped = body + PAGE};
  block.map = mmap(NULL, block.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(block.map != MAP_FAILED);
  assert_int_equal(mprotect(block.map + body, PAGE, PROT_NONE), 0);
  block.bytes = block.map + body - size;
  memset(block.bytes - GUARD, GUARD_BYTE, GUARD);
  for (size_t i = 0; i < size; i++) block.bytes[i] = (unsigned char)next_random();
  return block;
}

static inline void free_block(struct block *block) {
  for (int i = 1; i <= GUARD; i++) assert_int_equal(block->bytes[-i], GUARD_BYTE);
  munmap(block->map, block->mapped);
}

/* A second block with the same bytes, for what is expected. */
static inline struct block copy_block(const struct block *from) {
  struct block block = make_block((int64_t)from->size);
  memcpy(block.bytes, from->bytes, from->size);
  return block;
}

static inline void assert_same_bytes(const struct block *got, const struct block *expected, const char *what) {
  assert_int_equal(got->size, expected->size);
  for (size_t i = 0; i < got->size; i++)
    if (got->bytes[i] != expected->bytes[i])
      fail_msg("%s: byte %zu is %#x, not %#x", what, i, got->bytes[i], expected->bytes[i]);
}

static inline int size_of(unsigned type) {
  return type & (ACCEL_S8 | ACCEL_B8) ? 1 : type & (ACCEL_F16 | ACCEL_BF16 | ACCEL_B16) ? 2 : 4;
}

static inline const char *name_of(unsigned type) {
  switch (type) {
    case ACCEL_F16: return "f16";
    case ACCEL_BF16: return "bf16";
    case ACCEL_F32: return "f32";
    case ACCEL_S8: return "s8";
    default: return "s32";
  }
}

static inline float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline bool same_float(float a, float b) { return bits_of(a) == bits_of(b) || (isnan(a) && isnan(b)); }

/* f16 as its definition has it: sign, 5 bits of exponent, 10 of fraction. */
static inline float expect_f16_to_f32(uint16_t bits) {
  int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double value = exponent == 31  ? (fraction ? NAN : INFINITY)
                 : exponent == 0 ? ldexp(fraction, -24)
                                 : ldexp(1024 + fraction, exponent - 25);
  return (float)(bits & 0x8000 ? -value : value);
}

static inline float expect_bf16_to_f32(uint16_t bits) { return float_of((uint32_t)bits << 16); }

/* The nearest of a 16-bit type by halving: its positive values grow with their bits, `infinity` stands for the power of
 * two that would come next, and midpoints are exact in f64. */
static inline uint16_t nearest_bits(double x, float (*value)(uint16_t), uint16_t infinity, double beyond) {
  int low = 0, high = infinity;
  while (high - low > 1) {
    int middle = (low + high) / 2;
    *(value(middle) <= x ? &low : &high) = middle;
  }
  double above = high == infinity ? beyond : value((uint16_t)high), halfway = (value((uint16_t)low) + above) / 2;
  return (uint16_t)(x > halfway || (x == halfway && low & 1) ? high : low);
}

static inline uint16_t expect_to_16(float x, unsigned type) {
  bool f16 = type == ACCEL_F16;
  uint16_t sign = signbit(x) ? 0x8000 : 0, infinity = f16 ? 0x7c00 : 0x7f80;
  if (isnan(x)) return infinity | 1;
  if (isinf(x)) return sign | infinity;
  double beyond = f16 ? 0x1p16 : 0x1p128;
  return sign | nearest_bits(fabs(x), f16 ? expect_f16_to_f32 : expect_bf16_to_f32, infinity, beyond);
}

static inline bool is_nan_16(uint16_t bits, unsigned type) {
  return isnan(type == ACCEL_F16 ? expect_f16_to_f32(bits) : expect_bf16_to_f32(bits));
}

static inline bool same_16(uint16_t a, uint16_t b, unsigned type) {
  return a == b || (is_nan_16(a, type) && is_nan_16(b, type));
}

/* Values that break things, or ordinary ones, or any bits. */
enum { ORDINARY, ANY_BITS, EXTREME, KINDS };

static inline float random_f32(int kind) {
  static const float extreme[] = {
      0.0f,       -0.0f,  1,          -1,       INFINITY,        -INFINITY,        NAN,
      0x1p-149f,  -1e-45f, 0x1p-126f, 0x1p-24f, 0x1.fffffep127f, -0x1.fffffep127f, 0x1.fffffcp-127f,
      0x1.8p-25f, 65504,  65520,      0x1p-25f, 65519.996f,      0x1.004p-14f,     0x1p-14f,
      -65536,     88.7f,  -87.4f,     -104,     -0x1p31f,        0x1p-127f,        2.5f,
  };
  if (kind == ANY_BITS) return float_of((uint32_t)next_random());
  if (kind == EXTREME && between(0, 3)) return extreme[between(0, COUNT(extreme) - 1)];
  return (float)between(-4000, 4000) / 1024;
}

static inline void put_random(unsigned char *at, unsigned type, int kind) {
  float x = random_f32(kind);
  uint16_t half = kind == ANY_BITS ? (uint16_t)next_random() : expect_to_16(x, type);
  static const uint32_t extreme[] = {0, 1, 0xffffffff, 0x7fffffff, 0x80000000, 0x7ffffffe, 0x01000001, 0x46000};
  uint32_t integer = kind == EXTREME ? extreme[between(0, COUNT(extreme) - 1)] : (uint32_t)next_random();
  if (type == ACCEL_S8)
    *at = kind == EXTREME ? (unsigned char)(between(0, 1) ? 0x80 : 0x7f) : (unsigned char)next_random();
  else if (type == ACCEL_F32)
    memcpy(at, &x, 4);
  else if (type == ACCEL_S32)
    memcpy(at, &integer, 4);
  else
    memcpy(at, &half, 2);
}

static inline void fill_random(struct block *block, unsigned type, int kind) {
  for (size_t i = 0; i < block->size; i += (size_t)size_of(type)) put_random(block->bytes + i, type, kind);
}

/* The element as f32. */
static inline float get_f32(const unsigned char *at, unsigned type) {
  float x;
  uint16_t half;
  if (type == ACCEL_S8) return (float)(int8_t)*at;
  if (type == ACCEL_F32) return memcpy(&x, at, 4), x;
  memcpy(&half, at, 2);
  return type == ACCEL_F16 ? expect_f16_to_f32(half) : expect_bf16_to_f32(half);
}

static inline void put_f32(unsigned char *at, float x, unsigned type) {
  if (type == ACCEL_F32)
    memcpy(at, &x, 4);
  else
    memcpy(at, &(uint16_t){expect_to_16(x, type)}, 2);
}

/* Equal bits, or a NaN for a NaN. */
static inline bool same_element(const unsigned char *a, const unsigned char *b, unsigned type) {
  if (memcmp(a, b, (size_t)size_of(type)) == 0) return true;
  return !(type & (ACCEL_S8 | ACCEL_S32)) && isnan(get_f32(a, type)) && isnan(get_f32(b, type));
}

#endif
