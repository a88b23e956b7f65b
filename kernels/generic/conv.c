/* Convolution in plain C, for f32 and f64. */
#include <math.h>

#include "kernels/half.h"
#include "kernels/kernel.h"

typedef float loose_f32 __attribute__((aligned(1), may_alias));
typedef double loose_f64 __attribute__((aligned(1), may_alias));
typedef int32_t loose_s32 __attribute__((aligned(1), may_alias));
typedef uint16_t loose_u16 __attribute__((aligned(1), may_alias));

#define ROWS 4

#define REAL float
#define LOOSE loose_f32
#define FMA fmaf
#define FINISH finish_f32
#define COLUMN column_f32
#define TILES tiles_f32
#include "kernels/generic/conv.h"
CONV(tsr_conv_f32_4x1_generic, 1)
CONV(tsr_conv_f32_4x2_generic, 2)
CONV(tsr_conv_f32_4x3_generic, 3)
CONV(tsr_conv_f32_4x4_generic, 4)
LANES(tsr_conv_lanes_f32_4x1_generic, 1)
LANES(tsr_conv_lanes_f32_4x2_generic, 2)
LANES(tsr_conv_lanes_f32_4x3_generic, 3)
LANES(tsr_conv_lanes_f32_4x4_generic, 4)

#undef REAL
#undef LOOSE
#undef FMA
#undef FINISH
#undef COLUMN
#undef TILES
#undef SIZE
#undef AT
#undef PUT
#undef CONV
#undef LANES

#define REAL double
#define LOOSE loose_f64
#define FMA fma
#define FINISH finish_f64
#define COLUMN column_f64
#define TILES tiles_f64
#include "kernels/generic/conv.h"
CONV(tsr_conv_f64_4x1_generic, 1)
CONV(tsr_conv_f64_4x2_generic, 2)
CONV(tsr_conv_f64_4x3_generic, 3)
CONV(tsr_conv_f64_4x4_generic, 4)
LANES(tsr_conv_lanes_f64_4x1_generic, 1)
LANES(tsr_conv_lanes_f64_4x2_generic, 2)
LANES(tsr_conv_lanes_f64_4x3_generic, 3)
LANES(tsr_conv_lanes_f64_4x4_generic, 4)

#define TURN(name, from, to, convert)                                                                    \
  void name(const struct tsr_step *st, tsr_mem a, tsr_mem b, tsr_mem c) {                                \
    (void)b;                                                                                             \
    for (int64_t i = 0; i < st->m; i++)                                                                  \
      for (int64_t j = 0; j < st->n; j++)                                                                \
        ((to *)(c + (tsr_mem)(j * st->csc)))[i] = convert(((const from *)(a + (tsr_mem)(i * st->rsa)))[j]); \
  }
#define AS_IT_IS(x) (x)
TURN(tsr_turn_f32_f32_generic, loose_f32, loose_f32, AS_IT_IS)
TURN(tsr_turn_f64_f64_generic, loose_f64, loose_f64, AS_IT_IS)
TURN(tsr_turn_f16_f32_generic, loose_u16, loose_f32, tsr_from_f16)
TURN(tsr_turn_bf16_f32_generic, loose_u16, loose_f32, tsr_from_bf16)
TURN(tsr_turn_f32_f16_generic, loose_f32, loose_u16, tsr_to_f16)
TURN(tsr_turn_f32_bf16_generic, loose_f32, loose_u16, tsr_to_bf16)
TURN(tsr_turn_u8_u8_generic, uint8_t, uint8_t, AS_IT_IS)
TURN(tsr_turn_s8_s8_generic, uint8_t, uint8_t, AS_IT_IS)
TURN(tsr_turn_s32_s32_generic, loose_s32, loose_s32, AS_IT_IS)
