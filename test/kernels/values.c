#include "test/kernels/values.h"

#include <math.h>
#include <string.h>

/* splitmix64 (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014). */
uint64_t rng_next(struct rng *rng) {
  uint64_t z = rng->state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

int64_t rng_range(struct rng *rng, int64_t low, int64_t high) {
  return low + (int64_t)(rng_next(rng) % (uint64_t)(high - low + 1));
}

bool rng_chance(struct rng *rng, int percent) { return rng_range(rng, 0, 99) < percent; }

static int mantissa_bits(tsr_type type) {
  return type == TSR_F64 ? 52 : type == TSR_F16 ? 10 : type == TSR_BF16 ? 7 : 23;
}
static int exponent_bits(tsr_type type) { return type == TSR_F64 ? 11 : type == TSR_F16 ? 5 : 8; }
static int64_t exponent_max(tsr_type type) { return (1 << exponent_bits(type)) - 1; } /* of Inf and NaN */

static uint64_t assemble(tsr_type type, uint64_t sign, int64_t exponent, uint64_t fraction) {
  int m = mantissa_bits(type);
  return (sign & 1) << (m + exponent_bits(type)) | (uint64_t)exponent << m | (fraction & ((UINT64_C(1) << m) - 1));
}

uint64_t bits_of_inf(tsr_type type) { return assemble(type, 0, exponent_max(type), 0); }
uint64_t bits_of_quiet_nan(tsr_type type) {
  return assemble(type, 0, exponent_max(type), UINT64_C(1) << (mantissa_bits(type) - 1));
}
uint64_t bits_of_signalling_nan(tsr_type type) { return assemble(type, 0, exponent_max(type), 5); }

bool bits_are_nan(tsr_type type, uint64_t bits) {
  uint64_t without_sign = bits & assemble(type, 0, exponent_max(type), UINT64_MAX);
  return without_sign > bits_of_inf(type);
}

tsr_type part_of(tsr_type type) { return type == TSR_C32 ? TSR_F32 : type == TSR_C64 ? TSR_F64 : type; }

/* Elements are little-endian, as every CPU this runs on. */
static size_t size_of(tsr_type type) { return (size_t)(1 + exponent_bits(type) + mantissa_bits(type)) / 8; }

void put_bits(void *to, tsr_type type, uint64_t bits) { memcpy(to, &bits, size_of(type)); }

uint64_t get_bits(const void *from, tsr_type type) {
  uint64_t bits = 0;
  memcpy(&bits, from, size_of(type));
  return bits;
}

/* The bits of a type as those of f32 or f64 with the same value, or NaN of the same kind. */
static double wider(tsr_type type, uint64_t bits) {
  int m = mantissa_bits(type);
  int64_t top = exponent_max(type), exponent = (int64_t)(bits >> m) & top;
  double fraction = (double)(bits & ((UINT64_C(1) << m) - 1)), size;
  if (exponent == top) {
    uint64_t whole = bits_of_inf(TSR_F64) | (bits & ((UINT64_C(1) << m) - 1)) << (52 - m);
    memcpy(&size, &whole, 8);
  } else {
    size = ldexp(exponent ? fraction + ldexp(1, m) : fraction, (int)((exponent ? exponent : 1) - top / 2 - m));
  }
  return bits >> (m + exponent_bits(type)) & 1 ? -size : size;
}

double value_of_bits(tsr_type type, uint64_t bits) {
  double d;
  float f;
  uint32_t low = (uint32_t)bits;
  memcpy(&d, &bits, 8);
  memcpy(&f, &low, 4);
  return type == TSR_F64 ? d : type == TSR_F32 ? (double)f : wider(type, bits);
}

uint64_t bits_of_float(tsr_type type, float value) {
  int m = mantissa_bits(type), exponent;
  int64_t top = exponent_max(type), least = 1 - top / 2;
  uint64_t sign = signbit(value) != 0;
  if (isnan(value)) return bits_of_quiet_nan(type);
  if (isinf(value)) return assemble(type, sign, top, 0);
  frexp((double)value, &exponent); /* value = [1/2, 1) * 2^exponent */
  exponent = exponent - 1 < least ? (int)least : exponent - 1;
  double fraction = rint(ldexp(fabs((double)value), m - exponent)); /* ties to even; 2^m is 1 */
  if (fraction < ldexp(1, m)) return assemble(type, sign, 0, (uint64_t)fraction);
  if (fraction == ldexp(2, m)) fraction /= 2, exponent++;
  if (exponent > top / 2) return assemble(type, sign, top, 0);
  return assemble(type, sign, exponent + top / 2, (uint64_t)fraction);
}

static uint64_t bits_of_integer(tsr_type type, int64_t value) {
  double d = (double)value;
  uint64_t bits = 0;
  memcpy(&bits, &d, 8);
  return type == TSR_F64 ? bits : bits_of_float(type, (float)value);
}

static uint64_t special(struct rng *rng, tsr_type type) {
  uint64_t sign = rng_next(rng), fraction = rng_next(rng);
  int64_t top = exponent_max(type);
  switch (rng_range(rng, 0, 7)) {
    case 0: return assemble(type, sign, top, 0);                      /* Inf */
    case 1: return assemble(type, sign, top, fraction | 1);           /* NaN of either kind */
    case 2: return assemble(type, sign, 0, 0);                        /* zero */
    case 3: return assemble(type, sign, 0, fraction);                 /* denormal */
    case 4: return assemble(type, sign, 0, 1);                        /* the least */
    case 5: return assemble(type, sign, 1, 0);                        /* the least normal */
    case 6: return assemble(type, sign, top - 1, UINT64_MAX);         /* the greatest */
    default: return assemble(type, sign, top / 2, 0);                 /* one */
  }
}

uint64_t make_value(struct rng *rng, tsr_type type, enum fill fill) {
  uint64_t sign = rng_next(rng), fraction = rng_next(rng);
  int64_t top = exponent_max(type), bias = top / 2;
  switch (fill) {
    case FILL_SMALL: return bits_of_integer(type, rng_range(rng, -4, 4));
    case FILL_POSITIVE: return bits_of_integer(type, rng_range(rng, 1, 7));
    case FILL_WIDE: return assemble(type, sign, rng_range(rng, 0, top - 1), fraction);
    case FILL_HUGE: return assemble(type, sign, top - rng_range(rng, 1, 4), fraction);
    case FILL_TINY: return assemble(type, sign, rng_chance(rng, 70) ? 0 : rng_range(rng, 1, bias), fraction);
    case FILL_ZEROS: return assemble(type, sign, rng_chance(rng, 60) ? 0 : bias, 0);
    case FILL_SPECIAL:
      if (rng_chance(rng, 6)) return special(rng, type);
      /* fall through */
    default: return assemble(type, sign, bias + rng_range(rng, -3, 3), fraction);
  }
}

int64_t block_of(tsr_type type) { return type == TSR_Q8_0 || type == TSR_Q4_0 ? 32 : 1; }

int64_t bytes_of(tsr_type type, int64_t n) {
  if (part_of(type) != type) return 2 * bytes_of(part_of(type), n);
  if (block_of(type) == 1) return n * (int64_t)size_of(type);
  return n / 32 * (type == TSR_Q8_0 ? 34 : 18);
}

void put_block(struct rng *rng, unsigned char *to, tsr_type type, uint64_t scale, bool positive) {
  int64_t bytes = bytes_of(type, 32);
  put_bits(to, TSR_F16, scale);
  for (int64_t at = 2; at < bytes; at++) {
    if (!positive)
      to[at] = (unsigned char)rng_next(rng);
    else if (type == TSR_Q8_0)
      to[at] = (unsigned char)rng_range(rng, 1, 7);
    else
      to[at] = (unsigned char)(rng_range(rng, 9, 15) | rng_range(rng, 9, 15) << 4);
  }
}

static const unsigned char *block_at(const unsigned char *row, tsr_type type, int64_t i) {
  return row + bytes_of(type, i / 32 * 32);
}

uint64_t scale_of_element(const unsigned char *row, tsr_type type, int64_t i) {
  return get_bits(block_at(row, type, i), TSR_F16);
}

int integer_of_element(const unsigned char *row, tsr_type type, int64_t i) {
  const unsigned char *integers = block_at(row, type, i) + 2;
  if (type == TSR_Q8_0) return (signed char)integers[i % 32];
  int two = integers[i % 16];
  return (i % 32 < 16 ? two & 15 : two >> 4) - 8;
}
