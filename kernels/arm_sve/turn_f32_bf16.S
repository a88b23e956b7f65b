/* TURN of f32 into bf16. Loops and registers: turn.h. */
#define TSR_ELEMENT_F32
#define TSR_C_16
#include "kernels/arm_sve/turn.h"

/* To nearest, ties to even, in integers: half of the last bit less 1, and the last bit, are added. NaN stays NaN. */
.macro converted reg
  mov z0.s, #0x40
  mov z1.s, #0x7fff
  lsr z2.s, z\reg\().s, #16
  orr z0.d, z0.d, z2.d
  and z2.s, z2.s, #1
  fcmuo p7.s, p0/z, z\reg\().s, z\reg\().s
  add z\reg\().s, z\reg\().s, z1.s
  add z\reg\().s, z\reg\().s, z2.s
  lsr z\reg\().s, z\reg\().s, #16
  sel z\reg\().s, p7, z0.s, z\reg\().s
.endm

FUNCTION(tsr_turn_f32_bf16_sve)
  turn ld1w, st1h
END(tsr_turn_f32_bf16_sve)
