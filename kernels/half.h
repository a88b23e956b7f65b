/* Conversions between f32 and the 16-bit types in plain C: exact one way, to nearest with ties to even the other. */
#ifndef TSR_HALF_H
#define TSR_HALF_H

#include <stdint.h>
#include <string.h>

static inline float tsr_float_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline uint32_t tsr_bits_of_float(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline float tsr_from_bf16(uint16_t h) { return tsr_float_of_bits((uint32_t)h << 16); }

static inline uint16_t tsr_to_bf16(float x) {
  uint32_t bits = tsr_bits_of_float(x);
  if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float tsr_from_f16(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, rest = h & 0x7fff;
  if (rest >= 0x7c00) return tsr_float_of_bits(sign | 0x7f800000 | (rest & 0x3ff) << 13);
  if (rest >= 0x400) return tsr_float_of_bits(sign | ((rest << 13) + (112u << 23)));
  float denormal = (float)rest * 0x1p-24f;
  return sign ? -denormal : denormal;
}

static inline uint16_t tsr_to_f16(float x) {
  uint32_t bits = tsr_bits_of_float(x), sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
  if (rest > 0x7f800000) return (uint16_t)(sign | 0x7e00 | (rest >> 13 & 0x3ff));
  if (rest >= 0x477ff000) return (uint16_t)(sign | 0x7c00);
  if (rest >= 0x38800000) return (uint16_t)(sign | ((rest + 0xfff + (rest >> 13 & 1) - (112u << 23)) >> 13));
  /* Adding 2^-1 aligns a denormal's last bit with f32's and rounds. */
  return (uint16_t)(sign | (tsr_bits_of_float(tsr_float_of_bits(rest) + 0.5f) - 0x3f000000));
}

#endif
