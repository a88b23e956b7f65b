/* Packing of a matrix whose rows are contiguous (TSR_OP_PACK_N of kernel.h), any panel width.
 *
 *   C[panel t][p][i] = A[min(t * n + i, m - 1)][p]      A[i,p] at a + p * csa + i * size
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Panels of up to two vectors go side by side, so that whole neighbouring lines are read. A last vector that is not
 * full is loaded and stored whole: what it writes too much is the start of the next k, which comes after. Only the last
 * k, where nothing comes after, are stored by mask. What is left, the panel that reaches beyond row m and panels of
 * more than two vectors, is copied one vector of rows at a time, every access by mask.
 *
 * Live in every loop:
 *   S    this k of the panel in A    T      this k in the panel
 *   CSA  bytes from k to k in A      PITCH  the same in a panel
 *   K    steps of k left             ymm15  rows that the panel's last vector stores */
#include "kernels/x86_avx2/lanes.h"

#define STEP rdi
#define A rsi        /* this panel's rows */
#define D rcx        /* this panel */
#define S rdx
#define T rax
#define CSA r8
#define K r9
#define PITCH r10
#define DC r11
#define PITCH3 rbx
#define DC3 rbp
#define ROWS r12     /* of the matrix left */
#define WIDTH r13    /* of a panel */
#define EXACT r14    /* how many last k are stored by mask */
#define UNIT r15     /* first row of this vector in its panel */

.macro move_vector reg, panel, offset, exact
  .if \panel == 0
    vmov ymm\reg, [S + \offset]
    vmask_if \exact, [T + \offset], ymm\reg
  .elseif \panel == 1
    vmov ymm\reg, [S + PITCH + \offset]
    vmask_if \exact, [T + DC + \offset], ymm\reg
  .elseif \panel == 2
    vmov ymm\reg, [S + 2*PITCH + \offset]
    vmask_if \exact, [T + 2*DC + \offset], ymm\reg
  .else
    vmov ymm\reg, [S + PITCH3 + \offset]
    vmask_if \exact, [T + DC3 + \offset], ymm\reg
  .endif
.endm
.macro vmask_if exact, to, from
  .if \exact
    vmask \to, ymm15, \from
  .else
    vmov \to, \from
  .endif
.endm

/* One k of some panels side by side. */
.macro move_step panels, vectors, exact
  .set at_t, 0
  .rept \panels
    .set at_i, 0
    .rept \vectors
      move_vector %(at_t*\vectors + at_i), %(at_t), %(32*at_i), %(\exact * (at_i + 1 == \vectors))
      .set at_i, at_i + 1
    .endr
    .set at_t, at_t + 1
  .endr
  add S, CSA
  add T, PITCH
.endm

.macro prefetch_s offset
  prefetcht0 [S + 8*CSA + \offset]
.endm

/* Whole panels, all k. */
.macro move_panels panels, vectors
  mov S, A
  mov T, D
  mov K, [STEP + STEP_K]
  sub K, EXACT
  jle .Llast\@
.Lk_loop\@:
  .set at_i, 0
  .rept (\panels*\vectors + 1)/2
    prefetch_s %(64*at_i)
    .set at_i, at_i + 1
  .endr
  move_step \panels, \vectors, 0
  dec K
  jnz .Lk_loop\@
.Llast\@:
  add K, EXACT
.Llast_loop\@:
  move_step \panels, \vectors, 1
  dec K
  jnz .Llast_loop\@
  .if \panels == 4
    lea A, [A + 4*PITCH]
    lea D, [D + 4*DC]
  .else
    add A, PITCH
    add D, DC
  .endif
  imul T, WIDTH, -\panels
  add ROWS, T
.endm

/* One panel, one vector of its rows after the other. ymm12: the lane each lane takes, ymm13 and ymm14: rows that are
 * loaded and stored. Where a vector has no row of its own the matrix's last row is loaded for it. */
.macro move_panel_by_mask
  xor UNIT, UNIT
.Lunit\@:
  mov K, WIDTH
  sub K, UNIT
  mov eax, LANES
  cmp K, rax
  cmovg K, rax
  mask_lanes 14, K, T
  lea S, [ROWS - 1]
  cmp S, UNIT
  cmovg S, UNIT
  mov K, ROWS
  sub K, S
  mov eax, LANES
  cmp K, rax
  cmovg K, rax
  mask_lanes 13, K, T
  dec K
  vmovq xmm12, K
  clamp_lanes 12
  lea S, [A + SIZE*S]
  lea T, [D + SIZE*UNIT]
  mov K, [STEP + STEP_K]
.Lk_loop\@:
  vmask ymm0, ymm13, [S]
  vpermps ymm0, ymm12, ymm0
  vmask [T], ymm14, ymm0
  add S, CSA
  add T, PITCH
  dec K
  jnz .Lk_loop\@
  add UNIT, LANES
  cmp UNIT, WIDTH
  jl .Lunit\@
  add A, PITCH
  add D, DC
  sub ROWS, WIDTH
.endm

/* ymm15 and EXACT. Panels narrower than half a vector write over more than one k ahead. */
.macro prepare_last
  lea T, [WIDTH - 1]
  and T, LANES - 1
  inc T
  mask_lanes 15, T, S
  mov EXACT, 1
  mov eax, LANES
  cmp WIDTH, LANES/2
  cmovl EXACT, rax
.endm

/* The function's body, from the first push to ret. */
.macro pack_n
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  mov CSA, [STEP + STEP_CSA]
  mov DC, [STEP + STEP_DC]
  mov ROWS, [STEP + STEP_M]
  mov WIDTH, [STEP + STEP_N]
  imul PITCH, WIDTH, SIZE
  lea PITCH3, [PITCH + 2*PITCH]
  lea DC3, [DC + 2*DC]
  prepare_last

.Lpanel:
  cmp WIDTH, LANES
  jg .Ltwo_vectors
  lea rax, [WIDTH + 2*WIDTH + LANES]
  cmp ROWS, rax
  jge .Lfour_panels
  cmp ROWS, LANES
  jl .Lby_mask
  move_panels 1, 1
  jmp .Lnext
.Lfour_panels:
  move_panels 4, 1
  jmp .Lnext
.Ltwo_vectors:
  cmp WIDTH, 2*LANES
  jg .Lby_mask
  lea rax, [WIDTH + 2*WIDTH + 2*LANES]
  cmp ROWS, rax
  jge .Lfour_pairs
  cmp ROWS, 2*LANES
  jl .Lby_mask
  move_panels 1, 2
  jmp .Lnext
.Lfour_pairs:
  move_panels 4, 2
  jmp .Lnext
.Lby_mask:
  move_panel_by_mask
.Lnext:
  test ROWS, ROWS
  jg .Lpanel

  vzeroupper
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm
