/* TURN of bf16 to f32. Formula and loops: turn.h. */
#define TSR_ELEMENT_F32
#define TSR_A_BF16
#include "kernels/x86_avx512/turn.h"

.macro store_f32 reg, at, mask
  vmovups [\at]\mask, zmm\reg
.endm

FUNCTION(tsr_turn_bf16_f32_avx512)
  turn load_unit_line_whole, store_f32, 4
END(tsr_turn_bf16_f32_avx512)
