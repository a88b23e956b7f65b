/* TURN of f32 to f32. Formula and loops: turn.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx2/turn.h"

FUNCTION(tsr_turn_f32_f32_avx2)
  turn
END(tsr_turn_f32_f32_avx2)
