/* Quantised rows. The rounding of q8_0 and q4_0 is ggml's: what one writes the other reads to the same numbers. */
#include "src/attention/blocks.h"

#include <math.h>
#include <string.h>

#include "kernels/half.h"

enum { BLOCK = 32, Q8_BYTES = 34, Q4_BYTES = 18 };

void tsr_attention_decode(int64_t d, tsr_mem from, float scale, float *to) {
  const int8_t *x = (const int8_t *)from;
  for (int64_t e = 0; e < d; e++) to[e] = scale * (float)x[e];
}

static float largest(const float *x, int64_t n) {
  float most = 0;
  for (int64_t e = 0; e < n; e++)
    if (fabsf(x[e]) > fabsf(most)) most = x[e];
  return most;
}

/* A NaN, which has no integer, becomes the largest. */
static float within_127(float x) { return fmaxf(-127, fminf(127, x)); }

static void put_scale(uint8_t *block, float scale) {
  uint16_t half = tsr_to_f16(scale);
  memcpy(block, &half, sizeof half);
}

static void encode_q8(const float *x, uint8_t *block) {
  float scale = fabsf(largest(x, BLOCK)) / 127, inverse = scale != 0 ? 1 / scale : 0;
  put_scale(block, scale);
  for (int e = 0; e < BLOCK; e++) block[2 + e] = (uint8_t)(int8_t)roundf(within_127(x[e] * inverse));
}

static int nibble(float x) {
  return (int)fmaxf(0, fminf(15, x + 8.5f));
}

static void encode_q4(const float *x, uint8_t *block) {
  float scale = largest(x, BLOCK) / -8, inverse = scale != 0 ? 1 / scale : 0;
  put_scale(block, scale);
  for (int e = 0; e < BLOCK / 2; e++)
    block[2 + e] = (uint8_t)(nibble(x[e] * inverse) | nibble(x[e + BLOCK / 2] * inverse) << 4);
}

void tsr_attention_encode(tsr_type type, int64_t d, const float *from, tsr_mem to, float *scale) {
  uint8_t *block = (uint8_t *)to;
  if (type == TSR_S8) {
    *scale = fabsf(largest(from, d)) / 127;
    float inverse = *scale != 0 ? 1 / *scale : 0;
    for (int64_t e = 0; e < d; e++) block[e] = (uint8_t)(int8_t)rintf(within_127(from[e] * inverse));
    return;
  }
  for (int64_t e = 0; e < d; e += BLOCK, block += type == TSR_Q8_0 ? Q8_BYTES : Q4_BYTES)
    (type == TSR_Q8_0 ? encode_q8 : encode_q4)(from + e, block);
}
