/* TSR_OP_CONVERT of kernel.h between f32, f16 and bf16.
 *
 *   C[i][j] = alpha * A[i,j]      A[i,j] at a + j * csa + i * its size, rounded to f32 and then to C's type
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Live in the loop: zmm0 alpha, k1 the lanes of this vector, zmm4 .. zmm6 constants of the rounding to bf16. */
#include "kernels/x86_asm.h"

#define STEP rdi
#define A rsi
#define C rcx
#define M r8          /* rows left in the column */
#define COLUMNS r9
#define A_ROW rax
#define C_ROW rdx

/* zmm1 = 16 rows of A in f32. */
.macro load_f32
  vmovups zmm1{k1}{z}, [A_ROW]
  add A_ROW, 64
.endm
.macro load_f16
  vcvtph2ps zmm1{k1}{z}, [A_ROW]
  add A_ROW, 32
.endm
.macro load_bf16
  vpmovzxwd zmm1{k1}{z}, [A_ROW]
  vpslld zmm1, zmm1, 16
  add A_ROW, 32
.endm

/* 16 rows of C = zmm1. */
.macro store_f32
  vmovups [C_ROW]{k1}, zmm1
  add C_ROW, 64
.endm
.macro store_f16
  vcvtps2ph [C_ROW]{k1}, zmm1, 0      /* to nearest, ties to even */
  add C_ROW, 32
.endm
.macro store_bf16
  vpsrld zmm2, zmm1, 16
  vpandd zmm3, zmm2, zmm4
  vpaddd zmm3, zmm3, zmm1
  vpaddd zmm3, zmm3, zmm5
  vpsrld zmm3, zmm3, 16
  vcmpps k2, zmm1, zmm1, 3            /* NaN: the upper half, quiet */
  vpord zmm3{k2}, zmm2, zmm6
  vpmovdw [C_ROW]{k1}, zmm3
  add C_ROW, 32
.endm

.macro convert load, store
  vcvtsd2ss xmm0, xmm0, qword ptr [STEP + STEP_ALPHA]
  vbroadcastss zmm0, xmm0
  mov eax, 1
  vpbroadcastd zmm4, eax
  mov eax, 0x7fff
  vpbroadcastd zmm5, eax
  mov eax, 0x40
  vpbroadcastd zmm6, eax
  mov COLUMNS, [STEP + STEP_N]
.Lcolumn\@:
  mov A_ROW, A
  mov C_ROW, C
  mov M, [STEP + STEP_M]
  kxnorw k1, k1, k1
  sub M, 16
  jl .Llast\@
.Lrows\@:
  \load
  vmulps zmm1{k1}{z}, zmm1, zmm0
  \store
  sub M, 16
  jge .Lrows\@
.Llast\@:
  add M, 16
  jz .Lnext\@
  mov r10d, -1
  bzhi r10d, r10d, r8d
  kmovw k1, r10d
  \load
  vmulps zmm1{k1}{z}, zmm1, zmm0
  \store
.Lnext\@:
  add A, [STEP + STEP_CSA]
  add C, [STEP + STEP_CSC]
  dec COLUMNS
  jnz .Lcolumn\@
  vzeroupper
  ret
.endm

FUNCTION(tsr_convert_f32_f32_avx512)
  convert load_f32, store_f32
END(tsr_convert_f32_f32_avx512)

FUNCTION(tsr_convert_f16_f32_avx512)
  convert load_f16, store_f32
END(tsr_convert_f16_f32_avx512)

FUNCTION(tsr_convert_bf16_f32_avx512)
  convert load_bf16, store_f32
END(tsr_convert_bf16_f32_avx512)

FUNCTION(tsr_convert_f32_f16_avx512)
  convert load_f32, store_f16
END(tsr_convert_f32_f16_avx512)

FUNCTION(tsr_convert_f32_bf16_avx512)
  convert load_f32, store_bf16
END(tsr_convert_f32_bf16_avx512)
