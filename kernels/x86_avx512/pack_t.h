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
 *   k1      rows stored              k2, k3, k4  lanes */
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
#if defined(TSR_ELEMENT_F32)
#define ELEMENT_REG eax
#else
#define ELEMENT_REG rax
#endif

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

.macro store_piece first, how
  TRANSPOSE(\first, 0, 1)
  .set at_p, 0
  .rept PER
    \how %(\first + at_p)
    .set at_p, at_p + 1
  .endr
.endm

/* All k of a unit whose rows are all there. */
.macro transpose_unit how
  mov ROW0, A_UNIT
  mov K, [STEP + STEP_K]
  sub K, LANES
  jl .Lpieces\@
.Lline\@:
  set_lane_rows
  load_unit_line
  .set at_q, 0
  .rept 4
    store_piece %(16 + PER*at_q), \how
    .set at_q, at_q + 1
  .endr
  add ROW0, 64
  sub K, LANES
  jge .Lline\@
.Lpieces\@:
  add K, LANES - PER
  jl .Lpart\@
.Lpiece\@:
  set_lane_rows
  load_unit_piece
  store_piece 16, \how
  add ROW0, 16
  sub K, PER
  jge .Lpiece\@
.Lpart\@:
  add K, PER
  jz .Ldone\@
  mov r15, K
  set_part_masks
  set_lane_rows
  load_unit_part
  TRANSPOSE(16, 0, 1)
  \how 16
#if PER == 4
  cmp K, 2
  jb .Lrestore\@
  \how 17
  cmp K, 3
  jb .Lrestore\@
  \how 18
.Lrestore\@:
#endif
  set_lane_masks
.Ldone\@:
.endm

/* Piece t from the table of row pointers, at byte r15 of each row. */
.macro load_table_piece reg, t
  mov rax, [TABLE + 8*(\t)]
  vmovups xmm\reg, [rax + r15]
  mov rax, [TABLE + 8*(PER + \t)]
  vlane zmm\reg{k2}, [rax + r15]
  mov rax, [TABLE + 8*(2*PER + \t)]
  vlane zmm\reg{k3}, [rax + r15]
  mov rax, [TABLE + 8*(3*PER + \t)]
  vlane zmm\reg{k4}, [rax + r15]
.endm

/* Element r15 of every row of the table: one step of k, row by row. */
.macro load_table_step
  .set at_t, 0
  .rept LANES
    mov rax, [TABLE + 8*at_t]
    mov ELEMENT_REG, [rax + r15]
    mov [rsp - 64 + at_t*SIZE], ELEMENT_REG
    .set at_t, at_t + 1
  .endr
  vmov zmm16, [rsp - 64]
.endm

.macro transpose_table
  xor r15d, r15d
  mov K, [STEP + STEP_K]
  sub K, PER
  jl .Lsteps\@
.Lpiece\@:
  .set at_t, 0
  .rept PER
    load_table_piece %(16 + at_t), %(at_t)
    .set at_t, at_t + 1
  .endr
  store_piece 16, store_row
  add r15, 16
  sub K, PER
  jge .Lpiece\@
.Lsteps\@:
  add K, PER
  jz .Ldone\@
.Lstep\@:
  load_table_step
  store_row 16
  add r15, SIZE
  dec K
  jnz .Lstep\@
.Ldone\@:
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
  set_lane_masks

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
