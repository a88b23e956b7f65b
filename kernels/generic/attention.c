/* Attention's operators in plain C (kernel.h). */
#include "kernels/softmax.h"

typedef float loose_f32 __attribute__((aligned(1), may_alias));
typedef uint16_t loose_u16 __attribute__((aligned(1), may_alias));

static inline loose_f32 *f32_at(tsr_mem base, int64_t offset) { return (loose_f32 *)(base + (tsr_mem)offset); }
static inline loose_u16 *u16_at(tsr_mem base, int64_t offset) { return (loose_u16 *)(base + (tsr_mem)offset); }

/* One row of scores, `next` bytes from key to key. */
static void softmax_row(const struct tsr_softmax *sm, int64_t i, int64_t keys, tsr_mem row, int64_t next, tsr_mem bias,
                        int64_t next_bias) {
  float largest = -INFINITY, lane[16] = {0};
  for (int64_t j = 0; j < keys; j++) {
    loose_f32 *x = f32_at(row, j * next);
    float added = bias ? *f32_at(bias, j * next_bias) : 0;
    *x = tsr_score(sm, i, j, *x, bias ? &added : NULL);
    if (*x > largest) largest = *x;
  }
  float base = largest == -INFINITY ? 0 : largest + 0.0f;
  for (int64_t j = 0; j < keys; j++) {
    loose_f32 *x = f32_at(row, j * next);
    *x = tsr_exp2(*x - base);
    lane[j % 16] += *x;
  }
  tsr_softmax_join(sm, i, largest + 0.0f, lane);
}

void tsr_softmax_f32_generic(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)a;
  const struct tsr_softmax *sm = (const struct tsr_softmax *)b;
  for (int64_t i = 0; i < st->m; i++)
    softmax_row(sm, i, st->n, c + (tsr_mem)(i * 4), st->csc, sm->bias ? sm->bias + (tsr_mem)(i * 4) : 0, sm->bias_ld);
}

void tsr_softmax_t_f32_generic(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)a;
  const struct tsr_softmax *sm = (const struct tsr_softmax *)b;
  for (int64_t i = 0; i < st->m; i++) {
    tsr_mem row = c + (tsr_mem)(i * st->csc);
    softmax_row(sm, i, st->n, row, 4, sm->bias ? sm->bias + (tsr_mem)(i * sm->bias_ld) : 0, 4);
    for (int64_t j = st->n; j % 16 != 0; j++) *f32_at(row, j * 4) = 0;
  }
}

void tsr_merge_f32_generic(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  const struct tsr_softmax *sm = (const struct tsr_softmax *)b;
  for (int64_t j = 0; j < st->n; j++)
    for (int64_t i = 0; i < st->m; i++) {
      loose_f32 *to = f32_at(c, j * st->csc + i * 4);
      *to = fmaf(sm->add[i], *f32_at(a, j * st->csa + i * 4), sm->keep[i] == 0 ? 0 : sm->keep[i] * *to);
    }
}

static void softmax_grad(const struct tsr_softmax *sm, int64_t i, int64_t j, float added, loose_f32 *s, loose_f32 *dp) {
  float x = tsr_score(sm, i, j, *s, sm->bias ? &added : NULL), y = x - sm->max[i];
  float p = x == -INFINITY ? 0 : tsr_exp2(y > 127 ? 127 : y);
  float ds = p == 0 ? 0 : p * (*dp - sm->sum[i]);
  if (sm->cap != 0 && p != 0) {
    float t = tsr_tanh2(*s);
    ds *= fmaf(-t, t, 1);
  }
  *s = p;
  *dp = ds;
}

void tsr_softmax_grad_f32_generic(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  const struct tsr_softmax *sm = (const struct tsr_softmax *)b;
  for (int64_t j = 0; j < st->n; j++)
    for (int64_t i = 0; i < st->m; i++) {
      float added = sm->bias ? *f32_at(sm->bias, j * sm->bias_ld + i * 4) : 0;
      softmax_grad(sm, i, j, added, f32_at(c, j * st->csc + i * 4), f32_at(a, j * st->csa + i * 4));
    }
}

static inline float load_f32(tsr_mem at, int64_t i) { return *f32_at(at, i * 4); }
static inline float load_f16(tsr_mem at, int64_t i) { return tsr_from_f16(*u16_at(at, i * 2)); }
static inline float load_bf16(tsr_mem at, int64_t i) { return tsr_from_bf16(*u16_at(at, i * 2)); }
static inline void store_f32(tsr_mem at, int64_t i, float x) { *f32_at(at, i * 4) = x; }
static inline void store_f16(tsr_mem at, int64_t i, float x) { *u16_at(at, i * 2) = tsr_to_f16(x); }
static inline void store_bf16(tsr_mem at, int64_t i, float x) { *u16_at(at, i * 2) = tsr_to_bf16(x); }

static inline __attribute__((always_inline)) void convert(const struct tsr_step *st, tsr_mem a, tsr_mem c,
                                                          float (*load)(tsr_mem, int64_t),
                                                          void (*store)(tsr_mem, int64_t, float)) {
  float alpha = (float)st->alpha;
  for (int64_t j = 0; j < st->n; j++)
    for (int64_t i = 0; i < st->m; i++)
      store(c + (tsr_mem)(j * st->csc), i, alpha * load(a + (tsr_mem)(j * st->csa), i));
}

void tsr_convert_f32_f32_generic(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)b;
  convert(st, a, c, load_f32, store_f32);
}
void tsr_convert_f16_f32_generic(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)b;
  convert(st, a, c, load_f16, store_f32);
}
void tsr_convert_bf16_f32_generic(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)b;
  convert(st, a, c, load_bf16, store_f32);
}
void tsr_convert_f32_f16_generic(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)b;
  convert(st, a, c, load_f32, store_f16);
}
void tsr_convert_f32_bf16_generic(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)b;
  convert(st, a, c, load_f32, store_bf16);
}

/* Rows of blocks: `bytes` each, an f16 scale before the integers. */
static inline __attribute__((always_inline)) void convert_blocks(const struct tsr_step *st, tsr_mem a, tsr_mem c,
                                                                 int64_t bytes, float (*load)(tsr_mem, int64_t)) {
  float alpha = (float)st->alpha;
  for (int64_t j = 0; j < st->n; j++)
    for (int64_t i = 0; i < st->m; i++) {
      tsr_mem block = a + (tsr_mem)(j * st->csa + i / 32 * bytes);
      store_f32(c + (tsr_mem)(j * st->csc), i, alpha * (load_f16(block, 0) * load(block + 2, i % 32)));
    }
}

static inline float load_s8(tsr_mem at, int64_t i) { return (float)((const int8_t *)at)[i]; }
static inline float load_nibble(tsr_mem at, int64_t i) {
  uint8_t byte = ((const uint8_t *)at)[i % 16];
  return (float)((i < 16 ? byte & 15 : byte >> 4) - 8);
}

void tsr_convert_q8_0_f32_generic(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)b;
  convert_blocks(st, a, c, 34, load_s8);
}
void tsr_convert_q4_0_f32_generic(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {
  (void)b;
  convert_blocks(st, a, c, 18, load_nibble);
}
