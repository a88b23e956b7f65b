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
.Labsolute: .long 0x7fffffff
.Llargest: .long 0x3f000000      /* 0.5 */
.p2align 6
.Lby_vector: .long 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15
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

/* The plain way from s32 to 8 bits: a scale by row of at most 0.5, so that no product is beyond s32, and relu at most;
 * 64 rows become one line. All else is left for the general way. Uses no register that must be saved.
 *   zmm16 .. zmm19  the rows at hand    zmm0  the least value of 16 bits    zmm2  zero    zmm3  the order
 *   k2 .. k5        the last rows' vectors, k6 all of them in bytes */
#define SCALES r9
#define ROW r10      /* rows done of this column */
#define WHOLE r11    /* rows in whole lines */
.macro eight_bits pack
  mov eax, [POST + POST_ACTIVATION]
  mov SCALES, [POST + POST_SCALE]
  cmp eax, 1                  /* none, relu */
  ja .Lgeneral\@
  test SCALES, SCALES
  jz .Lgeneral\@
  mov r10, [POST + POST_BIAS]
  or r10, [POST + POST_ADD]
  movzx r11d, byte ptr [POST + POST_ACROSS]
  or r10, r11
  jnz .Lgeneral\@
  sub eax, 1
  shl eax, 15
  vpbroadcastw zmm0, eax      /* none: -32768 */
  vpbroadcastd zmm4, dword ptr [rip + .Labsolute]
  vpbroadcastd zmm5, dword ptr [rip + .Llargest]
  mov r11, [STEP + STEP_M]
  xor r10d, r10d
.Lscales\@:
  mov rax, r11
  sub rax, r10
  mov r8d, 16
  cmp rax, r8
  cmova rax, r8
  mov r8d, -1
  bzhi r8d, r8d, eax
  kmovw k2, r8d
  vpandd zmm6{k2}{z}, zmm4, [SCALES + 4*r10]
  vpcmpgtd k2, zmm6, zmm5     /* as integers, NaN is above all */
  kortestw k2, k2
  jnz .Lgeneral\@
  add r10, 16
  cmp r10, r11
  jb .Lscales\@
  vpbroadcastw zmm2, word ptr [POST + POST_ZERO]
  vmovdqa32 zmm3, [rip + .Lby_vector]
  mov eax, r11d               /* m */
  and eax, 63
  mov r10, -1
  bzhi r10, r10, rax
  kmovq k2, r10
  kmovq k6, r10
  kshiftrq k3, k2, 16
  kshiftrq k4, k2, 32
  kshiftrq k5, k2, 48
  and WHOLE, -64
  mov r8, [STEP + STEP_N]
.Lcolumn\@:
  xor ROW, ROW
  test WHOLE, WHOLE
  jz .Lrest\@
.Lline\@:
  line_of_bytes \pack
  vmovdqu32 [C_COLUMN + ROW], zmm16
  add ROW, 64
  cmp ROW, WHOLE
  jb .Lline\@
.Lrest\@:
  cmp ROW, [STEP + STEP_M]
  je .Lnext\@
  line_of_bytes \pack, {k2}{z}, {k3}{z}, {k4}{z}, {k5}{z}
  vmovdqu8 [C_COLUMN + ROW]{k6}, zmm16
.Lnext\@:
  add A_COLUMN, [STEP + STEP_CSA]
  add C_COLUMN, [STEP + STEP_CSC]
  dec r8
  jnz .Lcolumn\@
  vzeroupper
  ret
.Lgeneral\@:
.endm

/* zmm16 = 64 rows in bytes. */
.macro line_of_bytes pack, mask0, mask1, mask2, mask3
  vcvtdq2ps zmm16\mask0, [A_COLUMN + 4*ROW]
  vcvtdq2ps zmm17\mask1, [A_COLUMN + 4*ROW + 64]
  vcvtdq2ps zmm18\mask2, [A_COLUMN + 4*ROW + 128]
  vcvtdq2ps zmm19\mask3, [A_COLUMN + 4*ROW + 192]
  vmulps zmm16\mask0, zmm16, [SCALES + 4*ROW]
  vmulps zmm17\mask1, zmm17, [SCALES + 4*ROW + 64]
  vmulps zmm18\mask2, zmm18, [SCALES + 4*ROW + 128]
  vmulps zmm19\mask3, zmm19, [SCALES + 4*ROW + 192]
  .irp reg, 16, 17, 18, 19
    vcvtps2dq zmm\reg, zmm\reg
  .endr
  vpackssdw zmm16, zmm16, zmm17 /* in each quarter: four rows of each of two vectors, then of four */
  vpackssdw zmm18, zmm18, zmm19
  vpmaxsw zmm16, zmm16, zmm0
  vpmaxsw zmm18, zmm18, zmm0
  vpaddsw zmm16, zmm16, zmm2
  vpaddsw zmm18, zmm18, zmm2
  \pack zmm16, zmm16, zmm18
  vpermd zmm16, zmm3, zmm16
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
  eight_bits vpackuswb
  post load_s32, add_u8, store_u8, 4, 1
END(tsr_post_s32_u8_avx512)

FUNCTION(tsr_post_s32_s8_avx512)
  eight_bits vpacksswb
  post load_s32, add_s8, store_s8, 4, 1
END(tsr_post_s32_s8_avx512)
