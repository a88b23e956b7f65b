/* POST of f32 and s32 to f32, f16, bf16, u8 and s8. Formula, registers and loop: post.h. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx512/post.h"

.section .rodata
.p2align 2
.Lbf16_odd: .long 1
.Lbf16_half: .long 0x7fff
.Lbf16_quiet: .long 0x40
.Lbeyond: .long 0x4b800000       /* 2^24: beyond it 8 bits are saturated, and below it cvt does not overflow */
.Lminus_beyond: .long 0xcb800000
.text

.macro load_f32 reg, u, mask
  vmovups zmm\reg\mask, [A_ROW + 64*\u]
.endm
.macro load_s32 reg, u, mask
  vcvtdq2ps zmm\reg\mask, [A_ROW + 64*\u]
.endm

.macro add_f32 reg, u, mask
  vaddps zmm\reg\mask, zmm\reg, [ADD_ROW + 64*\u]
.endm
.macro add_f16 reg, u, mask
  vcvtph2ps zmm5\mask, [ADD_ROW + 32*\u]
  vaddps zmm\reg\mask, zmm\reg, zmm5
.endm
.macro add_bf16 reg, u, mask
  vpmovzxwd zmm5\mask, [ADD_ROW + 32*\u]
  vpslld zmm5, zmm5, 16
  vaddps zmm\reg\mask, zmm\reg, zmm5
.endm
.macro add_u8 reg, u, mask
  vpmovzxbd zmm5\mask, [ADD_ROW + 16*\u]
  vcvtdq2ps zmm5, zmm5
  vaddps zmm\reg\mask, zmm\reg, zmm5
.endm
.macro add_s8 reg, u, mask
  vpmovsxbd zmm5\mask, [ADD_ROW + 16*\u]
  vcvtdq2ps zmm5, zmm5
  vaddps zmm\reg\mask, zmm\reg, zmm5
.endm

.macro store_f32 reg, u, mask
  vmovups [C_ROW + 64*\u]\mask, zmm\reg
.endm
.macro store_f16 reg, u, mask
  vcvtps2ph [C_ROW + 32*\u]\mask, zmm\reg, 0 /* to nearest, ties to even */
.endm
.macro store_bf16 reg, u, mask
  vpsrld zmm5, zmm\reg, 16
  vpandd zmm6, zmm5, dword ptr [rip + .Lbf16_odd]{1to16}
  vpaddd zmm6, zmm6, zmm\reg
  vpaddd zmm6, zmm6, dword ptr [rip + .Lbf16_half]{1to16}
  vpsrld zmm6, zmm6, 16
  vcmpps k2, zmm\reg, zmm\reg, 3  /* NaN: the upper half, quiet */
  vpord zmm6{k2}, zmm5, dword ptr [rip + .Lbf16_quiet]{1to16}
  vpmovdw [C_ROW + 32*\u]\mask, zmm6
.endm

/* zmm5 = the integer, zero point added. */
.macro quantise reg
  vcmpps k2, zmm\reg, zmm\reg, ORDERED
  vmovaps zmm5{k2}{z}, zmm\reg
  vmaxps zmm5, zmm5, dword ptr [rip + .Lminus_beyond]{1to16}
  vminps zmm5, zmm5, dword ptr [rip + .Lbeyond]{1to16}
  vcvtps2dq zmm5, zmm5
  vpaddd zmm5, zmm5, dword ptr [POST + POST_ZERO]{1to16}
.endm
.macro store_u8 reg, u, mask
  quantise \reg
  vpxord zmm6, zmm6, zmm6
  vpmaxsd zmm5, zmm5, zmm6
  vpmovusdb [C_ROW + 16*\u]\mask, zmm5
.endm
.macro store_s8 reg, u, mask
  quantise \reg
  vpmovsdb [C_ROW + 16*\u]\mask, zmm5
.endm

FUNCTION(tsr_post_f32_f32_avx512)
  post load_f32, add_f32, store_f32, 4, 4
END(tsr_post_f32_f32_avx512)

FUNCTION(tsr_post_f32_f16_avx512)
  post load_f32, add_f16, store_f16, 4, 2
END(tsr_post_f32_f16_avx512)

FUNCTION(tsr_post_f32_bf16_avx512)
  post load_f32, add_bf16, store_bf16, 4, 2
END(tsr_post_f32_bf16_avx512)

FUNCTION(tsr_post_s32_f32_avx512)
  post load_s32, add_f32, store_f32, 4, 4
END(tsr_post_s32_f32_avx512)

FUNCTION(tsr_post_s32_u8_avx512)
  post load_s32, add_u8, store_u8, 4, 1
END(tsr_post_s32_u8_avx512)

FUNCTION(tsr_post_s32_s8_avx512)
  post load_s32, add_s8, store_s8, 4, 1
END(tsr_post_s32_s8_avx512)
