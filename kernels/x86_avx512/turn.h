/* TSR_OP_TURN of kernel.h in blocks of one vector by one vector, for elements of 4 and 8 bytes and for A of 16 bits.
 *
 *   C[j * csc + i * its size] = A[i * rsa + j * its size]
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Blocks go along the rows, so that columns of C are written from end to end; where the last block of a side would be
 * cut short, it moves back over the one before if there is one. Else it is masked. A file's `store` macro writes a
 * column: store zmm, address, mask.
 *
 * Live at the loop head: ROW0 and C the block's places, M and N the rows and columns from it on; then transpose.h's,
 * with zmm16 .. the block. Constants of `store`: zmm4 .. zmm6. k1: rows there are, k4: columns. */
#include "kernels/x86_avx512/transpose.h"

#define STEP rdi
#define C rcx
#define CSC rdx
#define COLUMN rbx
#define M rbp
#define N r14
#define A_LINE r12 /* where this line of blocks began */
#define C_LINE r13

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

/* The function's body. `load` reads a full block in transpose.h's way, elements of C have c_size bytes. */
.macro turn load, store, c_size
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14)
  mov RS, [STEP + STEP_RSA]
  mov CSC, [STEP + STEP_CSC]
  lea RS3, [RS + 2*RS]
  mov N, [STEP + STEP_N]
  mov A_LINE, ROW0
  mov C_LINE, C
  set_masks
.Lline\@:
  cmp N, LANES
  jge .Lrows\@
  cmp qword ptr [STEP + STEP_N], LANES
  jl .Lrows\@
  sub N, LANES                  /* what it moves by */
  lea A_LINE, [A_LINE + A_SIZE*N]
  imul N, CSC
  add C_LINE, N
  mov N, LANES
.Lrows\@:
  mov M, [STEP + STEP_M]
  mov ROW0, A_LINE
  mov C, C_LINE
.Lblock\@:
  cmp M, LANES
  jge .Lplaced\@
  cmp qword ptr [STEP + STEP_M], LANES
  jl .Ledge\@
  sub M, LANES
  lea C, [C + \c_size*M]
  imul M, RS
  add ROW0, M
  mov M, LANES
.Lplaced\@:
  cmp N, LANES
  jl .Ledge\@
  set_lane_rows
  \load
  transpose_piece 16
  transpose_piece %(16 + PIECE)
  store_columns \store
.Lnext\@:
  mov rbx, RS
  shl rbx, UNIT_SHIFT
  add ROW0, rbx
  add C, LANES*\c_size
  sub M, LANES
  jg .Lblock\@
  add A_LINE, LANES*A_SIZE
  mov rbx, CSC
  shl rbx, UNIT_SHIFT
  add C_LINE, rbx
  sub N, LANES
  jg .Lline\@
  vzeroupper
  POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.Ledge\@:
  set_lane_rows
  mask_of k4, N
  lea ROW_LANE3, [ROW_LANE2 + PER*RS]
  load_unit_edge
  transpose_piece 16
  transpose_piece %(16 + PIECE)
  mask_of k1, M
  store_edge \store, .Lnext\@
  jmp .Lnext\@
.endm
