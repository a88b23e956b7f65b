/* Convolution of integers in plain C: s8 weights, u8 or s8 x, exact sums modulo 2^32 (kernel.h). */
#include <math.h>

#include "kernels/kernel.h"

typedef int32_t loose_s32 __attribute__((aligned(1), may_alias));
typedef float loose_f32 __attribute__((aligned(1), may_alias));

#define ROWS 4
#define UNIT 4

/* A column of up to ROWS rows from i0 on. `flip` is xored to x, a byte, to make it u8; with `lanes` each row has an x
 * of its own, of which `sign` is the sign bit, or 0. */
struct column {
  const struct tsr_step *st;
  const struct tsr_conv *cv;
  tsr_mem a, x, c;
  int64_t i0, j, rows;
};

static inline __attribute__((always_inline)) uint32_t dot(const struct column *at, const struct tsr_taps *taps,
                                                          int64_t i, unsigned flip) {
  const uint8_t *x = (const uint8_t *)(at->x + (tsr_mem)(taps->b + at->j * at->st->csb));
  uint32_t s = 0;
  for (int64_t p = 0; p < taps->k; p++) {
    const int8_t *w = (const int8_t *)(at->a + (tsr_mem)(taps->a + p * at->st->csa + i * UNIT));
    for (int64_t e = 0; e < UNIT; e++) s += (uint32_t)(w[e] * (int)(x[p * UNIT + e] ^ flip));
  }
  return s;
}

static inline __attribute__((always_inline)) uint32_t dot_lane(const struct column *at, const struct tsr_taps *taps,
                                                               int64_t i, int sign) {
  const uint8_t *x = (const uint8_t *)(at->x + (tsr_mem)(taps->b + at->j * at->st->csb + i));
  const int8_t *w = (const int8_t *)(at->a + (tsr_mem)(taps->a + i));
  uint32_t s = 0;
  for (int64_t p = 0; p < taps->k; p++)
    s += (uint32_t)(w[p * at->st->csa] * ((x[p * at->st->rsb] ^ sign) - sign));
  return s;
}

static long clamp(long v, long low, long high) { return v < low ? low : v > high ? high : v; }

static uint8_t narrow(const struct tsr_narrow *to, int64_t i, int32_t y) {
  long v = lrintf((float)y * ((const loose_f32 *)to->scale)[i]);
  v = clamp(clamp(v, INT16_MIN, INT16_MAX) + to->zero, to->least, to->most);
  return (uint8_t)(v ^ to->flip);
}

static inline __attribute__((always_inline)) void column(const struct column *at, int flip, bool lanes) {
  const struct tsr_conv *cv = at->cv;
  const loose_s32 *bias = (const loose_s32 *)cv->bias;
  loose_s32 *y = (loose_s32 *)at->c;
  for (int64_t i = 0; i < at->rows; i++) {
    uint32_t s = (uint32_t)(!(at->st->flags & TSR_FIRST_K) ? y[i] : bias ? bias[at->i0 + i] : 0);
    for (int64_t t = 0; t < cv->count; t++) {
      if (at->j < cv->taps[t].first || at->j >= cv->taps[t].end) continue;
      s += lanes ? dot_lane(at, &cv->taps[t], i, flip) : dot(at, &cv->taps[t], i, (unsigned)flip);
    }
    if (cv->narrow)
      ((uint8_t *)at->c)[i] = narrow(cv->narrow, at->i0 + i, (int32_t)s);
    else
      y[i] = (int32_t)s;
  }
}

static inline __attribute__((always_inline)) void tiles(const struct tsr_step *st, int64_t nr, tsr_mem a, tsr_mem b,
                                                        tsr_mem c, int flip, bool lanes) {
  struct column at = {.st = st, .cv = (const struct tsr_conv *)b};
  for (int64_t j0 = 0, u = 0; j0 < st->n; j0 += nr, u++)
    for (int64_t t = 0; t * ROWS < st->m; t++) {
      at.i0 = t * ROWS;
      at.rows = st->m - at.i0 < ROWS ? st->m - at.i0 : ROWS;
      at.a = a + (tsr_mem)(t * st->da);
      at.x = at.cv->x + (tsr_mem)(u * st->db + (lanes ? t * at.cv->dx : 0));
      for (at.j = 0; at.j < nr; at.j++) {
        at.c = c + (tsr_mem)(t * st->dc + (j0 + at.j) * st->csc);
        column(&at, flip, lanes);
      }
    }
}

#define SIGN 0x80
#define INTEGERS(name, nr, flip, lanes) \
  void name(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) { tiles(st, nr, a, b, c, flip, lanes); }
INTEGERS(tsr_conv_u8_4x1_generic, 1, 0, false)
INTEGERS(tsr_conv_u8_4x2_generic, 2, 0, false)
INTEGERS(tsr_conv_u8_4x3_generic, 3, 0, false)
INTEGERS(tsr_conv_u8_4x4_generic, 4, 0, false)
INTEGERS(tsr_conv_s8_4x1_generic, 1, SIGN, false)
INTEGERS(tsr_conv_s8_4x2_generic, 2, SIGN, false)
INTEGERS(tsr_conv_s8_4x3_generic, 3, SIGN, false)
INTEGERS(tsr_conv_s8_4x4_generic, 4, SIGN, false)
INTEGERS(tsr_conv_lanes_u8_4x1_generic, 1, 0, true)
INTEGERS(tsr_conv_lanes_u8_4x2_generic, 2, 0, true)
INTEGERS(tsr_conv_lanes_u8_4x3_generic, 3, 0, true)
INTEGERS(tsr_conv_lanes_u8_4x4_generic, 4, 0, true)
INTEGERS(tsr_conv_lanes_s8_4x1_generic, 1, SIGN, true)
INTEGERS(tsr_conv_lanes_s8_4x2_generic, 2, SIGN, true)
INTEGERS(tsr_conv_lanes_s8_4x3_generic, 3, SIGN, true)
INTEGERS(tsr_conv_lanes_s8_4x4_generic, 4, SIGN, true)
