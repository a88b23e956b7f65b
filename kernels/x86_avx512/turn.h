/* TSR_OP_TURN of kernel.h in blocks of one vector by one vector, for elements of 4 and 8 bytes and for A of 16 bits.
 *
 *   C[j * csc + i * its size] = A[i * rsa + j * its size]
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Blocks go along the shorter side first, so that the rows of A, or the columns of C, which they touch are finished
 * while they are near. Edges are masked. A file's `store` macro writes a column: store zmm, address, mask.
 *
 * Live at the loop head: ROW0 and C the block's places, INNER and OUTER the elements from it on along the two sides;
 * then transpose.h's, with zmm16 .. the block. Constants of `store`: zmm4 .. zmm6. k1: rows there are, k4: columns. */
#include "kernels/x86_avx512/transpose.h"

#define STEP rdi
#define C rcx
#define CSC rdx
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

/* zmm<reg> = row <row> of the block, t rows below `base`, or 0 if there is no such row. */
.macro edge_row reg, row, t, base
  vpxord zmm\reg, zmm\reg, zmm\reg
  cmp M, \row
  jle .Lnone\@
  .if \t == 0
    load_a(zmm\reg, {k4}{z}, [\base])
  .elseif \t == 1
    load_a(zmm\reg, {k4}{z}, [\base + RS])
  .elseif \t == 2
    load_a(zmm\reg, {k4}{z}, [\base + 2*RS])
  .else
    load_a(zmm\reg, {k4}{z}, [\base + RS3])
  .endif
.Lnone\@:
.endm

.macro halves_of first, second
  vlanes zmm\first, zmm0, zmm1, 0x44
  vlanes zmm\second, zmm0, zmm1, 0xee
.endm
/* load_unit_line_whole for the rows and columns that there are. */
.macro load_unit_edge
  .set at_t, 0
  .rept PER
    edge_row 0, %(at_t), %(at_t), ROW0
    edge_row 1, %(PER + at_t), %(at_t), ROW_LANE1
    halves_of %(16 + at_t), %(16 + PIECE + at_t)
    edge_row 0, %(2*PER + at_t), %(at_t), ROW_LANE2
    edge_row 1, %(3*PER + at_t), %(at_t), ROW_LANE3
    halves_of %(16 + PER + at_t), %(16 + PIECE + PER + at_t)
    .set at_t, at_t + 1
  .endr
.endm

.macro store_column store, reg, mask
  \store \reg, COLUMN, \mask
  add COLUMN, CSC
.endm
.macro store_columns store
  mov COLUMN, C
  .set at_j, 16
  .rept LANES
    store_column \store, %(at_j)
    .set at_j, at_j + 1
  .endr
.endm
.macro store_edge store, next
  mov COLUMN, C
  .set at_j, 16
  .rept LANES
    cmp N, at_j - 16
    jle \next
    store_column \store, %(at_j), {k1}
    .set at_j, at_j + 1
  .endr
.endm

/* `mask` = the lanes below `count`. */
.macro mask_of mask, count
  mov ebx, LANES
  cmp \count, rbx
  cmovl rbx, \count
  mov eax, -1
  bzhi eax, eax, ebx
  kmovw \mask, eax
.endm

.macro enter c_size
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  mov RS, [STEP + STEP_RSA]
  mov CSC, [STEP + STEP_CSC]
  lea RS3, [RS + 2*RS]
  mov INNER, [STEP + STEP_M]
  mov OUTER, [STEP + STEP_N]
  mov rax, RS
  shl rax, UNIT_SHIFT
  mov rbx, CSC
  shl rbx, UNIT_SHIFT
  xor ALONG_N, ALONG_N
  cmp INNER, OUTER
  jg .Lalong_n\@
  mov A_INNER, rax
  mov qword ptr C_INNER, LANES*\c_size
  mov qword ptr A_OUTER, LANES*A_SIZE
  mov C_OUTER, rbx
  jmp .Lentered\@
.Lalong_n\@:
  xchg INNER, OUTER
  inc ALONG_N
  mov A_OUTER, rax
  mov qword ptr C_OUTER, LANES*\c_size
  mov qword ptr A_INNER, LANES*A_SIZE
  mov C_INNER, rbx
.Lentered\@:
  mov INNER_ALL, INNER
  mov A_LINE, ROW0
  mov C_LINE, C
  set_masks
.endm

/* The function's body. `load` reads a full block in transpose.h's way, elements of C have c_size bytes. */
.macro turn load, store, c_size
  enter \c_size
.Lblock\@:
  mov M, INNER
  mov N, OUTER
  test ALONG_N, ALONG_N
  cmovnz M, OUTER
  cmovnz N, INNER
  set_lane_rows
  cmp M, LANES
  jl .Ledge\@
  cmp N, LANES
  jl .Ledge\@
  \load
  transpose_piece 16
  transpose_piece %(16 + PIECE)
  store_columns \store
.Lnext\@:
  add ROW0, A_INNER
  add C, C_INNER
  sub INNER, LANES
  jg .Lblock\@
  mov INNER, INNER_ALL
  mov ROW0, A_LINE
  mov C, C_LINE
  add ROW0, A_OUTER
  add C, C_OUTER
  mov A_LINE, ROW0
  mov C_LINE, C
  sub OUTER, LANES
  jg .Lblock\@
  vzeroupper
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.Ledge\@:
  mask_of k4, N
  lea ROW_LANE3, [ROW_LANE2 + PER*RS]
  load_unit_edge
  transpose_piece 16
  transpose_piece %(16 + PIECE)
  mask_of k1, M
  store_edge \store, .Lnext\@
  jmp .Lnext\@
.endm
