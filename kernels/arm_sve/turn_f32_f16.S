/* TURN of f32 into f16. Loops and registers: turn.h. */
#define TSR_ELEMENT_F32
#define TSR_C_16
#include "kernels/arm_sve/turn.h"

.macro converted reg
  fcvt z\reg\().h, p0/m, z\reg\().s
.endm

FUNCTION(tsr_turn_f32_f16_sve)
  turn ld1w, st1h
END(tsr_turn_f32_f16_sve)
