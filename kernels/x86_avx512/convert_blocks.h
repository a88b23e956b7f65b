/* The body of TSR_OP_CONVERT from blocks (blocks.h) to f32.
 *
 * Live in the loop: zmm0 alpha, rax the block, rdx where it goes, r8 rows left in the column, r9 columns left. */
#include "kernels/x86_asm.h"
#include "kernels/x86_avx512/blocks.h"

#define STEP rdi
#define A rsi
#define C rcx

.macro convert_blocks
  vcvtsd2ss xmm0, xmm0, qword ptr [STEP + STEP_ALPHA]
  vbroadcastss zmm0, xmm0
  load_integers 7
  mov r9, [STEP + STEP_N]
.Lcolumn:
  mov rax, A
  mov rdx, C
  mov r8, [STEP + STEP_M]
.Lblock:
  load_block 1, 2, rax
  vmulps zmm1, zmm1, zmm0
  vmulps zmm2, zmm2, zmm0
  vmovups [rdx], zmm1
  vmovups [rdx + 64], zmm2
  add rax, A_BLOCK
  add rdx, 128
  sub r8, 32
  jg .Lblock
  add A, [STEP + STEP_CSA]
  add C, [STEP + STEP_CSC]
  dec r9
  jnz .Lcolumn
  vzeroupper
  ret
.endm
