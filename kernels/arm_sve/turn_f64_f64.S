/* TURN of f64. Loops and registers: turn.h. */
#define TSR_ELEMENT_F64
#include "kernels/arm_sve/turn.h"

.macro converted reg
.endm

FUNCTION(tsr_turn_f64_f64_sve)
  turn ld1d, st1d
END(tsr_turn_f64_f64_sve)
