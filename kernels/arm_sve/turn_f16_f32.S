/* TURN of f16 into f32. Loops and registers: turn.h. */
#define TSR_ELEMENT_F32
#define TSR_A_F16
#include "kernels/arm_sve/turn.h"

.macro converted reg
.endm

FUNCTION(tsr_turn_f16_f32_sve)
  turn ld1h, st1w
END(tsr_turn_f16_f32_sve)
