/* TURN of f32 to f32, f16 and bf16, and of s32, whose bits are moved as those of f32. Formula and loops: turn.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx512/turn.h"
#include "kernels/x86_avx512/turn_fours.h"

.macro store_f32 reg, at, mask
  vmovups [\at]\mask, zmm\reg
.endm
.macro store_f16 reg, at, mask
  vcvtps2ph [\at]\mask, zmm\reg, 0 /* to nearest, ties to even */
.endm
.macro store_bf16 reg, at, mask
  vpsrld zmm2, zmm\reg, 16
  vpandd zmm3, zmm2, zmm4
  vpaddd zmm3, zmm3, zmm\reg
  vpaddd zmm3, zmm3, zmm5
  vpsrld zmm3, zmm3, 16
  vcmpps k3, zmm\reg, zmm\reg, 3   /* NaN: the upper half, quiet */
  vpord zmm3{k3}, zmm2, zmm6
  vpmovdw [\at]\mask, zmm3
.endm

FUNCTION(tsr_turn_f32_f32_avx512)
  cmp qword ptr [STEP + STEP_N], 4
  jne .Lnot_from_fours
  cmp qword ptr [STEP + STEP_RSA], 16
  je .Lfrom_fours_here
.Lnot_from_fours:
  cmp qword ptr [STEP + STEP_M], 4
  jne .Lno_fours
  cmp qword ptr [STEP + STEP_CSC], 16
  je .Lto_fours_here
.Lno_fours:
  turn load_unit_line_halves, store_f32, 4
.Lfrom_fours_here:
  fours from_fours_round, STEP_M, STEP_CSC, .Lfirst_two_of_fours, .Llast_two_of_fours
.Lto_fours_here:
  fours to_fours_round, STEP_N, STEP_RSA, .Lfirst_four_columns, .Llast_four_columns
END(tsr_turn_f32_f32_avx512)

FUNCTION(tsr_turn_s32_s32_avx512)
  jmp tsr_turn_f32_f32_avx512
END(tsr_turn_s32_s32_avx512)

FUNCTION(tsr_turn_f32_f16_avx512)
  turn load_unit_line_halves, store_f16, 2
END(tsr_turn_f32_f16_avx512)

FUNCTION(tsr_turn_f32_bf16_avx512)
  mov eax, 1
  vpbroadcastd zmm4, eax
  mov eax, 0x7fff
  vpbroadcastd zmm5, eax
  mov eax, 0x40
  vpbroadcastd zmm6, eax
  turn load_unit_line_halves, store_bf16, 2
END(tsr_turn_f32_bf16_avx512)
