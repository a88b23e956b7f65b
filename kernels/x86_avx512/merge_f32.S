/* TSR_OP_MERGE of kernel.h: a chunk's sums into the rows so far.
 *
 *   C[i][j] = fma(add[i], A[i,j], keep[i] == 0 ? +0 : keep[i] * C[i][j])      A[i,j] at a + j * csa + i * 4
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)      b: struct tsr_softmax
 *
 * Up to four vectors of rows at a time, column by column. Live in the loop: zmm0 .. zmm3 keep, zmm4 .. zmm7 add,
 * k1 .. k4 the rows with a keep. */
#include "kernels/x86_asm.h"

#define STEP rdi
#define A rsi
#define SM rdx
#define C rcx
#define CSA r8
#define CSC r9
#define ROWS r10    /* rows left */
#define OFFSET r11  /* of the rows at hand, in bytes */
#define COLUMNS rax
#define KEEP rdx    /* of the rows at hand, where SM was */
#define ADD rdi

.altmacro

.macro load_row reg, add_reg, mask, offset
  vmovups zmm\reg, [KEEP + OFFSET + \offset]
  vmovups zmm\add_reg, [ADD + OFFSET + \offset]
  vcmpps k\mask, zmm\reg, zmm9, 4 /* not equal */
.endm
.macro merge_row reg, add_reg, mask, offset
  vmulps zmm8{k\mask}{z}, zmm\reg, [C + OFFSET + \offset]
  vfmadd231ps zmm8, zmm\add_reg, [A + OFFSET + \offset]
  vmovups [C + OFFSET + \offset], zmm8
.endm

/* All columns of `count` vectors of rows. */
.macro merge_rows count
  .set at_v, 0
  .rept \count
    load_row %(at_v), %(4 + at_v), %(1 + at_v), %(64*at_v)
    .set at_v, at_v + 1
  .endr
.Lcolumn\@:
  .set at_v, 0
  .rept \count
    merge_row %(at_v), %(4 + at_v), %(1 + at_v), %(64*at_v)
    .set at_v, at_v + 1
  .endr
  add A, CSA
  add C, CSC
  dec COLUMNS
  jnz .Lcolumn\@
.endm

FUNCTION(tsr_merge_f32_avx512)
  PUSH(rbx); PUSH(rbp); PUSH(r12)
  mov CSA, [STEP + STEP_CSA]
  mov CSC, [STEP + STEP_CSC]
  mov ROWS, [STEP + STEP_M]
  mov rbx, [STEP + STEP_N]
  mov rbp, A
  mov r12, C
  mov ADD, [SM + SOFTMAX_ADD]
  mov KEEP, [SM + SOFTMAX_KEEP]
  xor OFFSET, OFFSET
  vpxord zmm9, zmm9, zmm9
.Lrows:
  mov COLUMNS, rbx
  mov A, rbp
  mov C, r12
  cmp ROWS, 16
  jle .Lone
  cmp ROWS, 32
  jle .Ltwo
  cmp ROWS, 48
  jle .Lthree
  merge_rows 4
  add OFFSET, 256
  sub ROWS, 64
  jg .Lrows
.Lreturn:
  vzeroupper
  POP(r12); POP(rbp); POP(rbx)
  ret
.Lone:
  merge_rows 1
  jmp .Lreturn
.Ltwo:
  merge_rows 2
  jmp .Lreturn
.Lthree:
  merge_rows 3
  jmp .Lreturn
END(tsr_merge_f32_avx512)
