#include "test/kernels/conv_reference.h"

#include <math.h>
#include <string.h>

#include "kernels/post.h"
#include "src/core/core.h"
#include "test/kernels/values.h"

/* Numbers of f32 travel as f64, which holds them exactly; what is computed is rounded to the type each time. */
static double get(tsr_type type, tsr_mem at) {
  float f;
  double d;
  if (type == TSR_F64) {
    memcpy(&d, (const void *)at, sizeof d);
    return d;
  }
  memcpy(&f, (const void *)at, sizeof f);
  return (double)f;
}

static void put(tsr_type type, tsr_mem at, double value) {
  float f = (float)value;
  if (type == TSR_F64)
    memcpy((void *)at, &value, sizeof value);
  else
    memcpy((void *)at, &f, sizeof f);
}

static double fused(tsr_type type, double x, double y, double z) {
  return type == TSR_F64 ? fma(x, y, z) : (double)fmaf((float)x, (float)y, (float)z);
}

static double sum(tsr_type type, double x, double y) {
  return type == TSR_F64 ? x + y : (double)((float)x + (float)y);
}

/* The chain over all taps of row i of the tile at `a` and column j of that at `x`. */
static double chain(enum tsr_op op, tsr_type type, const struct tsr_step *st, const struct tsr_conv *cv, tsr_mem a,
                    tsr_mem x, int64_t i, int64_t j) {
  int64_t size = tsr_size_of(type), step_x = op == TSR_OP_CONV ? size : st->rsb;
  double s = 0;
  for (const struct tsr_taps *taps = cv->taps; taps < cv->taps + cv->count; taps++)
    for (int64_t p = 0; p < taps->k && j >= taps->first && j < taps->end; p++) {
      tsr_mem weight = a + (tsr_mem)(taps->a + p * st->csa + i * size);
      tsr_mem pixel = x + (tsr_mem)(taps->b + p * step_x + j * st->csb + (op == TSR_OP_CONV ? 0 : i * size));
      s = fused(type, get(type, weight), get(type, pixel), s);
    }
  return s;
}

static double finish(tsr_type type, const struct tsr_step *st, const struct tsr_conv *cv, double s, int64_t row,
                     tsr_mem c, int64_t at, bool *nan) {
  double y = 0;
  if (!(st->flags & TSR_FIRST_K))
    y = get(type, c + (tsr_mem)at);
  else if (cv->bias)
    y = get(type, cv->bias + (tsr_mem)(row * tsr_size_of(type)));
  y = fused(type, st->alpha, s, y);
  if (!(st->flags & TSR_LAST_K)) return y;
  if (cv->add) y = sum(type, y, get(type, cv->add + (tsr_mem)at));
  if (isnan(y)) *nan = true;
  if (isless(y, cv->low)) y = cv->low;
  if (isgreater(y, cv->high)) y = cv->high;
  return y;
}

bool reference_conv(enum tsr_op op, tsr_type type, int64_t mr, int64_t nr, const struct tsr_step *st, tsr_mem a,
                    const struct tsr_conv *cv, tsr_mem c) {
  bool nan = isnan(cv->low) || isnan(cv->high);
  for (int64_t row = 0; row < st->m; row++)
    for (int64_t column = 0; column < st->n; column++) {
      int64_t tile = row / mr, side = column / nr, i = row % mr;
      int64_t at = tile * st->dc + i * tsr_size_of(type) + column * st->csc;
      tsr_mem x = cv->x + (tsr_mem)(side * st->db + (op == TSR_OP_CONV ? 0 : tile * cv->dx));
      double s = chain(op, type, st, cv, a + (tsr_mem)(tile * st->da), x, i, column % nr);
      int64_t bias = st->flags & TSR_REPEAT ? i : row;
      put(type, c + (tsr_mem)at, finish(type, st, cv, s, bias, c, at, &nan));
    }
  return nan;
}

/* An element of any type but f64 as f32; a NaN becomes any NaN. */
static float wide(tsr_type type, tsr_mem at) {
  int32_t integer;
  float f;
  switch (type) {
    case TSR_F32: memcpy(&f, (const void *)at, sizeof f); return f;
    case TSR_S32: memcpy(&integer, (const void *)at, sizeof integer); return (float)integer;
    case TSR_U8: return (float)*(const uint8_t *)at;
    case TSR_S8: return (float)*(const int8_t *)at;
    default: return (float)value_of_bits(type, get_bits((const void *)at, type));
  }
}

static int64_t saturated(float y, int64_t zero, int64_t low, int64_t high) {
  if (isnan(y)) y = 0;
  double rounded = nearbyint((double)y) + (double)zero;
  return rounded < (double)low ? low : rounded > (double)high ? high : (int64_t)rounded;
}

static void put_narrow(tsr_type type, tsr_mem at, float y, int64_t zero) {
  if (type == TSR_U8)
    *(uint8_t *)at = (uint8_t)saturated(y, zero, 0, 255);
  else if (type == TSR_S8)
    *(int8_t *)at = (int8_t)saturated(y, zero, -128, 127);
  else if (type == TSR_F32)
    memcpy((void *)at, &y, sizeof y);
  else
    put_bits((void *)at, type, bits_of_float(type, y));
}

static void post_f32(tsr_type ta, tsr_type tc, const struct tsr_post *post, int64_t at, tsr_mem a, tsr_mem add,
                     tsr_mem c) {
  float y = wide(ta, a);
  if (post->bias) y = y + wide(TSR_F32, post->bias + (tsr_mem)(at * 4));
  if (post->scale) y = y * wide(TSR_F32, post->scale + (tsr_mem)(at * 4));
  if (add) y = y + wide(tc, add);
  put_narrow(tc, c, tsr_activate_f32(post, y), post->zero);
}

static void post_f64(const struct tsr_post *post, int64_t at, tsr_mem a, tsr_mem add, tsr_mem c) {
  double y = get(TSR_F64, a);
  if (post->bias) y = y + get(TSR_F64, post->bias + (tsr_mem)(at * 8));
  if (post->scale) y = y * get(TSR_F64, post->scale + (tsr_mem)(at * 8));
  if (add) y = y + get(TSR_F64, add);
  put(TSR_F64, c, tsr_activate_f64(post, y));
}

void reference_post(tsr_type ta, tsr_type tc, const struct tsr_step *st, tsr_mem a, const struct tsr_post *post,
                    tsr_mem c) {
  for (int64_t i = 0; i < st->m; i++)
    for (int64_t j = 0; j < st->n; j++) {
      int64_t at = post->across ? j : i;
      tsr_mem from = a + (tsr_mem)(j * st->csa + i * tsr_size_of(ta));
      tsr_mem to = c + (tsr_mem)(j * st->csc + i * tsr_size_of(tc));
      tsr_mem add = post->add ? post->add + (tsr_mem)(j * post->add_ld + i * tsr_size_of(tc)) : 0;
      if (tc == TSR_F64)
        post_f64(post, at, from, add, to);
      else
        post_f32(ta, tc, post, at, from, add, to);
    }
}

static uint64_t convert(tsr_type ta, tsr_type tc, uint64_t bits) {
  if (ta == tc) return bits;
  if (bits_are_nan(ta, bits)) return bits_of_quiet_nan(tc);
  return bits_of_float(tc, (float)value_of_bits(ta, bits));
}

void reference_turn(tsr_type ta, tsr_type tc, const struct tsr_step *st, tsr_mem a, tsr_mem c) {
  int64_t from = tsr_size_of(ta), to = tsr_size_of(tc);
  for (int64_t i = 0; i < st->m; i++)
    for (int64_t j = 0; j < st->n; j++) {
      uint64_t bits = 0;
      memcpy(&bits, (const void *)(a + (tsr_mem)(i * st->rsa + j * from)), (size_t)from);
      bits = convert(ta, tc, bits);
      memcpy((void *)(c + (tsr_mem)(j * st->csc + i * to)), &bits, (size_t)to);
    }
}
