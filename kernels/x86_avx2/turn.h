/* TSR_OP_TURN of kernel.h between equal types, in blocks of one vector by one vector.
 *
 *   C[j * csc + i * SIZE] = A[i * rsa + j * SIZE]
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Blocks go along the rows, so that columns of C are written from end to end; where the last block of a side would be
 * cut short, it moves back over the one before. Steps without a whole block go element by element.
 *
 * Live at the loop head: ROW0 and C the block's places, M and N the rows and columns from it on. */
#define STEP rdi
#define ROW0 rsi
#define RS r8
#define RS3 r9
#define ROW1 ROW0 + RS
#define ROW2 ROW0 + 2*RS
#define ROW3 ROW0 + RS3
#define ROW4 r10
#define ROW5 ROW4 + RS
#define ROW6 ROW4 + 2*RS
#define ROW7 ROW4 + RS3
#define C rcx
#define CSC rdx
#define COLUMN rbx
#define M rbp
#define N r14
#define A_LINE r12 /* where this line of blocks began */
#define C_LINE r13
#include "kernels/x86_avx2/transpose.h"

#if SIZE == 4
#define ELEMENT eax
#define NEXT_ROWS ROW4 + 4*RS
#else
#define ELEMENT rax
#define NEXT_ROWS ROW4
#endif

.macro store_column reg
  vmov [COLUMN], ymm\reg
  add COLUMN, CSC
.endm
.macro turn_block
  lea ROW4, [ROW0 + 4*RS]
  mov COLUMN, C
  .rept LANES/PER
    load_piece
    transpose_piece
    .set at_j, 0
    .rept PER
      store_column %(at_j)
      .set at_j, at_j + 1
    .endr
    add ROW0, PIECE_BYTES
    add ROW4, PIECE_BYTES
  .endr
.endm

/* N columns element by element; A_LINE and C_LINE move along. */
.macro turn_elements
.Lelement_column\@:
  mov ROW0, A_LINE
  xor M, M
.Lelement\@:
  mov ELEMENT, [ROW0]
  mov [C_LINE + SIZE*M], ELEMENT
  add ROW0, RS
  inc M
  cmp M, [STEP + STEP_M]
  jl .Lelement\@
  add A_LINE, SIZE
  add C_LINE, CSC
  dec N
  jg .Lelement_column\@
.endm

/* The function's body. */
.macro turn
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14)
  mov RS, [STEP + STEP_RSA]
  mov CSC, [STEP + STEP_CSC]
  lea RS3, [RS + 2*RS]
  mov N, [STEP + STEP_N]
  mov A_LINE, ROW0
  mov C_LINE, C
  cmp N, LANES
  jl .Lelements
  cmp qword ptr [STEP + STEP_M], LANES
  jl .Lelements
.Lline:
  mov M, [STEP + STEP_M]
  mov ROW0, A_LINE
  mov C, C_LINE
.Lblock:
  turn_block
  sub M, LANES
  jle .Lline_end
  lea ROW0, [NEXT_ROWS - SIZE*LANES]
  add C, LANES*SIZE
  cmp M, LANES
  jge .Lblock
  lea rax, [M - LANES]          /* what it moves by, below 0 */
  lea C, [C + SIZE*rax]
  imul rax, RS
  add ROW0, rax
  mov M, LANES
  jmp .Lblock
.Lline_end:
  sub N, LANES
  jle .Lreturn
  add A_LINE, LANES*SIZE
  imul rax, CSC, LANES
  add C_LINE, rax
  cmp N, LANES
  jge .Lline
  lea rax, [N - LANES]
  lea A_LINE, [A_LINE + SIZE*rax]
  imul rax, CSC
  add C_LINE, rax
  mov N, LANES
  jmp .Lline
.Lelements:
  turn_elements
.Lreturn:
  vzeroupper
  POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm
