/* TURN of f32. Loops and registers: turn.h. */
#define TSR_ELEMENT_F32
#include "kernels/arm_sve/turn.h"

.macro converted reg
.endm

FUNCTION(tsr_turn_f32_f32_sve)
  turn ld1w, st1w
END(tsr_turn_f32_f32_sve)
