#include "test/kernels/values.h"

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

static int mantissa_bits(tsr_type type) { return type == TSR_F64 ? 52 : 23; }
static int exponent_bits(tsr_type type) { return type == TSR_F64 ? 11 : 8; }
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

void put_bits(void *to, tsr_type type, uint64_t bits) {
  uint32_t low = (uint32_t)bits;
  if (type == TSR_F64)
    memcpy(to, &bits, 8);
  else
    memcpy(to, &low, 4);
}

uint64_t get_bits(const void *from, tsr_type type) {
  uint64_t bits = 0;
  uint32_t low;
  if (type == TSR_F64) {
    memcpy(&bits, from, 8);
    return bits;
  }
  memcpy(&low, from, 4);
  return low;
}

double value_of_bits(tsr_type type, uint64_t bits) {
  double d;
  float f;
  uint32_t low = (uint32_t)bits;
  memcpy(&d, &bits, 8);
  memcpy(&f, &low, 4);
  return type == TSR_F64 ? d : (double)f;
}

static uint64_t bits_of_integer(tsr_type type, int64_t value) {
  double d = (double)value;
  float f = (float)value;
  uint64_t bits = 0;
  uint32_t low;
  memcpy(&bits, &d, 8);
  memcpy(&low, &f, 4);
  return type == TSR_F64 ? bits : low;
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
