/* TURN of u8 and s8 (TSR_OP_TURN of kernel.h): blocks of 64 rows by 16 columns.
 *
 *   C[j * csc + i] = A[i * rsa + j]
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Lane l of zmm(16 + t) takes 16 columns of row 16 l + t; four rounds of interleaving inside the lanes then make the
 * columns. Blocks go along the shorter side first, as in turn.h. Edges are masked.
 *
 * Live at the loop head: A and C the block's places, INNER and OUTER the elements from it on along the two sides.
 * k2, k3, k5: lanes 1 to 3; k1: rows there are, k4: columns. */
#include "kernels/x86_asm.h"

#define STEP rdi
#define BITS rdi      /* once the step has been read */
#define A rsi
#define C rcx
#define CSC rdx
#define RS r8
#define ROW1 r9      /* 16, 32 and 48 rows below ROW0 */
#define ROW2 r10
#define ROW3 r11
#define ROW0 rax
#define COLUMN rbx
#define INNER r12
#define OUTER r13
#define M rbp        /* rows from this block on */
#define N r14        /* columns */
#define ALONG_N r15d /* not 0: INNER counts columns */

/* Below the stack pointer, which a leaf function may use. */
#define A_INNER [rsp - 8]   /* bytes from block to block */
#define C_INNER [rsp - 16]
#define A_OUTER [rsp - 24]
#define C_OUTER [rsp - 32]
#define A_LINE [rsp - 40]   /* where this line of blocks began */
#define C_LINE [rsp - 48]
#define INNER_ALL [rsp - 56]
#define INNER_STEP [rsp - 64] /* elements from block to block */
#define OUTER_STEP [rsp - 72]

.altmacro

.macro next_rows
  add ROW0, RS
  add ROW1, RS
  add ROW2, RS
  add ROW3, RS
.endm

.macro load_rows reg
  vmovdqu8 xmm\reg, [ROW0]
  vbroadcasti32x4 zmm\reg{k2}, [ROW1]
  vbroadcasti32x4 zmm\reg{k3}, [ROW2]
  vbroadcasti32x4 zmm\reg{k5}, [ROW3]
  next_rows
.endm

/* The same of the rows and columns that there are. */
.macro edge_row reg, lane, row, at
  cmp M, \row
  jle .Lnone\@
  vmovdqu8 xmm0{k4}{z}, [\at]
  vinserti32x4 zmm\reg, zmm\reg, xmm0, \lane
.Lnone\@:
.endm
.macro edge_rows reg, row
  vpxord zmm\reg, zmm\reg, zmm\reg
  edge_row \reg, 0, \row, ROW0
  edge_row \reg, 1, %(\row + 16), ROW1
  edge_row \reg, 2, %(\row + 32), ROW2
  edge_row \reg, 3, %(\row + 48), ROW3
  next_rows
.endm

/* `mask` = the lanes below `count`, `most` of them. */
.macro mask_of mask, count, most
  mov ebx, \most
  cmp \count, rbx
  cmovl rbx, \count
  mov BITS, -1
  bzhi BITS, BITS, rbx
  kmovq \mask, BITS
.endm

/* One round: from registers r and r + 8 to 2r and 2r + 1, zmm16 .. to zmm0 .. or back. */
.macro interleave_pair to_low, to_high, from_low, from_high
  vpunpcklbw zmm\to_low, zmm\from_low, zmm\from_high
  vpunpckhbw zmm\to_high, zmm\from_low, zmm\from_high
.endm
.macro interleave to, from
  .set at_r, 0
  .rept 8
    interleave_pair %(\to + 2*at_r), %(\to + 2*at_r + 1), %(\from + at_r), %(\from + at_r + 8)
    .set at_r, at_r + 1
  .endr
.endm
/* Four such rounds bring byte j of row t to byte t of register j. */
.macro transpose_block
  interleave 0, 16
  interleave 16, 0
  interleave 0, 16
  interleave 16, 0
.endm

.macro every_column how
  mov COLUMN, C
  .set at_j, 0
  .rept 16
    \how %(16 + at_j), %(at_j)
    add COLUMN, CSC
    .set at_j, at_j + 1
  .endr
.endm
.macro store reg, j
  vmovdqu64 [COLUMN], zmm\reg
.endm
.macro store_edge reg, j
  cmp N, \j
  jle .Lnext
  vmovdqu8 [COLUMN]{k1}, zmm\reg
.endm

FUNCTION(tsr_turn_s8_s8_avx512)
  jmp tsr_turn_u8_u8_avx512
END(tsr_turn_s8_s8_avx512)

FUNCTION(tsr_turn_u8_u8_avx512)
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  mov RS, [STEP + STEP_RSA]
  mov CSC, [STEP + STEP_CSC]
  mov eax, 0xf0
  kmovw k2, eax
  mov eax, 0xf00
  kmovw k3, eax
  mov eax, 0xf000
  kmovw k5, eax
  mov INNER, [STEP + STEP_M]
  mov OUTER, [STEP + STEP_N]
  mov rax, RS
  shl rax, 6
  mov rbx, CSC
  shl rbx, 4
  xor ALONG_N, ALONG_N
  cmp INNER, OUTER
  jg .Lalong_n
  mov A_INNER, rax
  mov qword ptr C_INNER, 64
  mov qword ptr INNER_STEP, 64
  mov qword ptr A_OUTER, 16
  mov C_OUTER, rbx
  mov qword ptr OUTER_STEP, 16
  jmp .Lentered
.Lalong_n:
  xchg INNER, OUTER
  inc ALONG_N
  mov A_OUTER, rax
  mov qword ptr C_OUTER, 64
  mov qword ptr OUTER_STEP, 64
  mov qword ptr A_INNER, 16
  mov C_INNER, rbx
  mov qword ptr INNER_STEP, 16
.Lentered:
  mov INNER_ALL, INNER
  mov A_LINE, A
  mov C_LINE, C
.Lblock:
  mov M, INNER
  mov N, OUTER
  test ALONG_N, ALONG_N
  cmovnz M, OUTER
  cmovnz N, INNER
  mov ROW0, RS
  shl ROW0, 4
  lea ROW1, [A + ROW0]
  lea ROW2, [A + 2*ROW0]
  lea ROW3, [ROW1 + 2*ROW0]
  mov ROW0, A
  cmp M, 64
  jl .Ledge
  cmp N, 16
  jl .Ledge
  .set at_t, 16
  .rept 16
    load_rows %(at_t)
    .set at_t, at_t + 1
  .endr
  transpose_block
  every_column store
.Lnext:
  add A, A_INNER
  add C, C_INNER
  sub INNER, INNER_STEP
  jg .Lblock
  mov INNER, INNER_ALL
  mov A, A_LINE
  mov C, C_LINE
  add A, A_OUTER
  add C, C_OUTER
  mov A_LINE, A
  mov C_LINE, C
  sub OUTER, OUTER_STEP
  jg .Lblock
  vzeroupper
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.Ledge:
  mask_of k1, M, 64
  mask_of k4, N, 16
  .set at_t, 0
  .rept 16
    edge_rows %(16 + at_t), %(at_t)
    .set at_t, at_t + 1
  .endr
  transpose_block
  every_column store_edge
  jmp .Lnext
END(tsr_turn_u8_u8_avx512)
