/* TURN of f64. Formula and loops: turn.h. */
#define TSR_ELEMENT_F64
#include "kernels/x86_avx512/turn.h"

.macro store_f64 reg, at, mask
  vmovupd [\at]\mask, zmm\reg
.endm

FUNCTION(tsr_turn_f64_f64_avx512)
  turn load_unit_line_halves, store_f64, 8
END(tsr_turn_f64_f64_avx512)
