/* TURN of f64 to f64. Formula and loops: turn.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx2/turn.h"

FUNCTION(tsr_turn_f64_f64_avx2)
  turn
END(tsr_turn_f64_f64_avx2)
