/* Conversions between the chips' element types, for loops that a compiler vectorises: selections and no branches. They
 * stay exact on a thread that flushes denormals; rounding is that of the thread, to nearest even by default. */
#ifndef ACCEL_CONVERT_H
#define ACCEL_CONVERT_H

#include <stdint.h>
#include <string.h>

static inline uint32_t accel_bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline float accel_float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline float accel_widen_f16(uint16_t bits) {
  uint32_t sign = (uint32_t)(bits & 0x8000) << 16, rest = bits & 0x7fff;
  uint32_t normal = (rest << 13) + (112u << 23), denormal = accel_bits_of((float)(int32_t)rest * 0x1p-24f);
  uint32_t finite = rest < 0x400 ? denormal : normal;
  return accel_float_of(sign | (rest < 0x7c00 ? finite : rest << 13 | 0x7f800000));
}

static inline float accel_widen_bf16(uint16_t bits) { return accel_float_of((uint32_t)bits << 16); }

/* Below 2^-14 one unit in the last place is 2^-24, which is that of 0.5: adding 0.5 rounds. From 65520 on, halfway
 * between the greatest f16 and 2^16, it is Inf. */
static inline uint16_t accel_narrow_f16(float x) {
  uint32_t bits = accel_bits_of(x), sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
  uint32_t normal = (rest - (112u << 23) + 0xfff + (rest >> 13 & 1)) >> 13;
  uint32_t denormal = accel_bits_of(accel_float_of(rest) + 0.5f) - accel_bits_of(0.5f);
  uint32_t finite = rest < 0x38800000 ? denormal : normal;
  uint32_t large = rest > 0x7f800000 ? 0x7e00 | (rest >> 13 & 0x3ff) : 0x7c00;
  return (uint16_t)(sign | (rest < 0x477ff000 ? finite : large));
}

static inline uint16_t accel_narrow_bf16(float x) {
  uint32_t bits = accel_bits_of(x), rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? bits >> 16 | 0x40 : rounded);
}

#endif
