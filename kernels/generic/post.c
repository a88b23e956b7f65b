/* POST (kernel.h) in plain C. */
#include "kernels/post.h"

typedef float loose_f32 __attribute__((aligned(1), may_alias));
typedef double loose_f64 __attribute__((aligned(1), may_alias));
typedef int32_t loose_s32 __attribute__((aligned(1), may_alias));
typedef uint16_t loose_u16 __attribute__((aligned(1), may_alias));

/* y rounded, plus zero, saturated; NaN counts as 0. Beyond 2^24 every type of 8 bits is saturated. */
static int32_t quantise(float y, int32_t zero, int32_t low, int32_t high) {
  if (y != y) y = 0;
  y = y < -0x1p24f ? -0x1p24f : y;
  y = y > 0x1p24f ? 0x1p24f : y;
  int32_t q = (int32_t)rintf(y) + zero;
  return q < low ? low : q > high ? high : q;
}

#define AS_IT_IS(x, post) (x)
#define FROM_S32(x, post) ((float)(x))
#define FROM_F16(x, post) tsr_from_f16(x)
#define FROM_BF16(x, post) tsr_from_bf16(x)
#define TO_F16(x, post) tsr_to_f16(x)
#define TO_BF16(x, post) tsr_to_bf16(x)
#define TO_U8(x, post) ((uint8_t)quantise(x, (post)->zero, 0, 255))
#define TO_S8(x, post) ((int8_t)quantise(x, (post)->zero, -128, 127))

/* name, the type in which it computes, A's and C's, A to REAL, `add` to REAL, REAL to C, the activation */
#define POST(name, REAL, PARAMETER, from, to, convert, widen, narrow, activate)                          \
  void name(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {                                \
    const struct tsr_post *post = (const struct tsr_post *)b;                                            \
    const PARAMETER *bias = (const PARAMETER *)post->bias, *scale = (const PARAMETER *)post->scale;      \
    for (int64_t j = 0; j < st->n; j++)                                                                  \
      for (int64_t i = 0; i < st->m; i++) {                                                              \
        int64_t at = post->across ? j : i;                                                               \
        REAL y = convert(((const from *)(a + (tsr_mem)(j * st->csa)))[i], post);                         \
        if (bias) y = y + bias[at];                                                                      \
        if (scale) y = y * scale[at];                                                                    \
        if (post->add) y = y + (REAL)widen(((const to *)(post->add + (tsr_mem)(j * post->add_ld)))[i], post); \
        y = activate(post, y);                                                                           \
        ((to *)(c + (tsr_mem)(j * st->csc)))[i] = narrow(y, post);                                       \
      }                                                                                                  \
  }

POST(tsr_post_f32_f32_generic, float, loose_f32, loose_f32, loose_f32, AS_IT_IS, AS_IT_IS, AS_IT_IS, tsr_activate_f32)
POST(tsr_post_f64_f64_generic, double, loose_f64, loose_f64, loose_f64, AS_IT_IS, AS_IT_IS, AS_IT_IS, tsr_activate_f64)
POST(tsr_post_f32_f16_generic, float, loose_f32, loose_f32, loose_u16, AS_IT_IS, FROM_F16, TO_F16, tsr_activate_f32)
POST(tsr_post_f32_bf16_generic, float, loose_f32, loose_f32, loose_u16, AS_IT_IS, FROM_BF16, TO_BF16, tsr_activate_f32)
POST(tsr_post_s32_f32_generic, float, loose_f32, loose_s32, loose_f32, FROM_S32, AS_IT_IS, AS_IT_IS, tsr_activate_f32)
POST(tsr_post_s32_u8_generic, float, loose_f32, loose_s32, uint8_t, FROM_S32, AS_IT_IS, TO_U8, tsr_activate_f32)
POST(tsr_post_s32_s8_generic, float, loose_f32, loose_s32, int8_t, FROM_S32, AS_IT_IS, TO_S8, tsr_activate_f32)
