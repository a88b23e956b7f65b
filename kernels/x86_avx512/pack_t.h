/* Packing of a matrix that lies along k (TSR_OP_PACK_T of kernel.h), any panel width.
 *
 *   C[panel t][p][i] = A[min(t * n + i, m - 1)][p]      A[i,p] at a + i * rsa + p * size
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * A unit of rows (one vector of the panel) is transposed by whole cache lines along k (transpose.h). A unit that has
 * fewer rows in the matrix goes through a table of row pointers in which the last row repeats.
 *
 * Live in every loop:
 *   K       steps of k left          D     where this k of the unit goes     PITCH  bytes from k to k in the panel
 *   A_UNIT  row 0 of the unit        LEFT  rows of the panel left            ROWS   rows of the matrix left
 *   k1      rows stored              k2, k5  halves of a register */
#include "kernels/x86_avx512/transpose.h"

#define STEP rdi
#define D rdx
#define PITCH rbp
#define K rbx
#define ROWS r12
#define A_UNIT r13
#define LEFT r14
#define D_UNIT [rsp]
#define D_PANEL [rsp + 8]
#define TABLE rsp + 16
#define FRAME (16 + 8*LANES)

.macro store_row reg
  vmov [D]{k1}, zmm\reg
  add D, PITCH
.endm

/* Two neighbouring panels of half a vector at once. */
.macro store_two reg
  vmovups [D], ymm\reg
  vextractf64x4 [D + rcx], zmm\reg, 1
  add D, PITCH
.endm

/* Stores `count` steps from zmm<first> up. */
.macro store_steps first, count, how
  .set at_p, 0
  .rept \count
    \how %(\first + at_p)
    .set at_p, at_p + 1
  .endr
.endm

/* Stores the PART steps in zmm16 .. */
.macro store_part how
  .set at_p, 0
  .rept PIECE
    .if at_p > 0
      cmp PART, at_p
      je .Lpart_stored\@
    .endif
    \how %(16 + at_p)
    .set at_p, at_p + 1
  .endr
.Lpart_stored\@:
.endm

.macro next_part
  mov PARTd, PIECE
  cmp PART, K
  cmovg PART, K
  set_part_masks
.endm

/* PART = bytes to the rows whose lines are fetched now: the next unit's. Rows of 16 bits are gone sooner: those some
 * 8 KiB ahead. */
.macro set_rows_ahead
  mov PART, RS
  shl PART, UNIT_SHIFT
#if A_SIZE != SIZE
  cmp qword ptr [STEP + STEP_K], 128
  jg .Lahead\@
  add PART, PART
  cmp qword ptr [STEP + STEP_K], 64
  jg .Lahead\@
  add PART, PART
.Lahead\@:
#endif
.endm

/* Fetches lines of rows further down into L2: they lie too far apart for the hardware to see them coming. */
.macro prefetch_rows
  set_rows_ahead
  add PART, ROW0
  .rept LANES/4
    prefetcht1 [PART]
    prefetcht1 [PART + RS]
    prefetcht1 [PART + 2*RS]
    prefetcht1 [PART + RS3]
    lea PART, [PART + 4*RS]
  .endr
.endm

/* All k of a unit whose rows are all there. */
.macro transpose_unit how
  mov ROW0, A_UNIT
  mov K, [STEP + STEP_K]
  set_masks
  sub K, LANES
  jl .Lparts\@
.Lline\@:
  set_lane_rows
  prefetch_rows
#if A_SIZE == SIZE
  load_unit_line_halves
#else
  load_unit_line_whole
#endif
  transpose_piece 16
  store_steps 16, PIECE, \how
  transpose_piece %(16 + PIECE)
  store_steps %(16 + PIECE), PIECE, \how
  add ROW0, A_VECTOR
  sub K, LANES
  jge .Lline\@
.Lparts\@:
  add K, LANES
  jz .Ldone\@
.Lpart\@:
  next_part
  set_lane_rows
  load_unit_part
  transpose_piece 16
  store_part \how
  add ROW0, PIECE*A_SIZE
  sub K, PART
  jnz .Lpart\@
.Ldone\@:
.endm

/* PART steps of rows `low` and `high` of the table, at byte ROW0 of each. */
.macro load_table_halves reg, low, high
  mov ROW_LANE1, [TABLE + 8*(\low)]
  mov ROW_LANE2, [TABLE + 8*(\high)]
  load_a_halves(\reg, ROW_LANE1 + ROW0, ROW_LANE2 + ROW0)
.endm

/* All k of a unit through the table of row pointers. */
.macro transpose_table
  xor ROW0, ROW0
  mov K, [STEP + STEP_K]
.Lpart\@:
  next_part
  .set at_t, 0
  .rept PER
    load_table_halves %(16 + at_t), %(at_t), %(PER + at_t)
    load_table_halves %(16 + PER + at_t), %(2*PER + at_t), %(3*PER + at_t)
    .set at_t, at_t + 1
  .endr
  transpose_piece 16
  store_part store_row
  add ROW0, PIECE*A_SIZE
  sub K, PART
  jnz .Lpart\@
.endm

/* The function's body, from the first push to ret. */
.macro pack_t
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  sub rsp, FRAME
  .cfi_adjust_cfa_offset FRAME
  mov D_PANEL, rcx
  mov A_UNIT, rsi
  mov RS, [STEP + STEP_RSA]
  mov ROWS, [STEP + STEP_M]
  mov PITCH, [STEP + STEP_N]
  lea RS3, [RS + 2*RS]
  imul PITCH, PITCH, SIZE

.Lpanel:
  mov rax, D_PANEL
  mov D_UNIT, rax
  mov LEFT, [STEP + STEP_N]
#if defined(TSR_ELEMENT_F32)
  cmp LEFT, LANES/2
  jne .Lunit
  cmp ROWS, LANES
  jge .Ltwo_panels
#endif
.Lunit:
  mov D, D_UNIT
  mov eax, LANES
  cmp LEFT, rax
  cmovl rax, LEFT
  mov ecx, -1
  bzhi ecx, ecx, eax
  kmovw k1, ecx
  cmp ROWS, LANES
  jl .Ltable
  transpose_unit store_row
.Lunit_done:
  mov eax, LANES              /* rows of the matrix this unit took */
  cmp rax, LEFT
  cmovg rax, LEFT
  cmp rax, ROWS
  cmovg rax, ROWS
  sub ROWS, rax
  imul rax, RS
  add A_UNIT, rax
  add qword ptr D_UNIT, 64
  sub LEFT, LANES
  jle .Lpanel_done
  test ROWS, ROWS
  jnz .Lunit
  mov ROWS, 1                 /* nothing but padding left in this panel */
  sub A_UNIT, RS
  jmp .Lunit
.Lpanel_done:
  mov rax, [STEP + STEP_DC]
  add D_PANEL, rax
  test ROWS, ROWS
  jnz .Lpanel
  jmp .Lreturn

.Ltable:
  mov rax, A_UNIT
  mov r15, ROWS
  .set at_t, 0
  .rept LANES
    mov [TABLE + 8*at_t], rax
    lea rcx, [rax + RS]
    cmp r15, at_t + 1
    cmovg rax, rcx
    .set at_t, at_t + 1
  .endr
  transpose_table
  jmp .Lunit_done

#if defined(TSR_ELEMENT_F32)
.Ltwo_panels:
  mov D, D_UNIT
  mov rcx, [STEP + STEP_DC]
  transpose_unit store_two
  mov rax, RS
  shl rax, 4
  add A_UNIT, rax
  mov rcx, [STEP + STEP_DC]
  add D_PANEL, rcx
  sub ROWS, LANES
  jmp .Lpanel_done
#endif

.Lreturn:
  vzeroupper
  add rsp, FRAME
  .cfi_adjust_cfa_offset -FRAME
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm
