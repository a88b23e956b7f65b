/* SOLVE and MULTIPLY (kernels/kernel.h) for panels of nv vectors and groups of 8 columns, whatever a vector's length.
 *
 *   solve      y = C[j];  y = fma(-x[p], T(p, j), y) for the columns x before it, then those of its own group, from
 *              registers;  C[j] = y * T(j, j)
 *   multiply   y = fma(C[j], T(j, j), +0), or C[j];  y = fma(C[q], T(q, j), y) for the columns behind it;  C[j] = y
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * What other columns contribute to a group is one loop over k as in GEMM: in real types LD1RQ brings 16 bytes of T and
 * FMLA picks an element, except on CPUs with vectors of 64 bytes (gemm_tile.h). Complex numbers lie as they are, re
 * beside im: x is multiplied by re(T) in all lanes, then by the pair (im(T), -im(T)) with FCMLA, which multiplies both
 * parts of x by the pair's second element: #270 takes the product im(T) * (-im(x), re(x)), #90 its negative. Groups are
 * the outer loop, so that one of T stays in L1 while the panels pass by. In a narrow group the columns that are missing
 * repeat the last one.
 *
 * Live at the loop head:
 *   z(32 - 8*nv) .. z31     y, column by column
 *   z0 .. z3                T
 *   z4 .. z(3+nv)           x
 *   p0  all lanes */
#include "kernels/arm_asm.h"
#include "kernels/arm_sve/element.h"

#define STEP x0
#define A x1         /* this k of the columns beside C, of this panel */
#define B x2         /* this k of this group of T */
#define C x3         /* this column */
#define CSA x4
#define RSB x5
#define CSC x6
#define K x7
#define WIDTH x8     /* of this group */
#define COLUMNS x9   /* left, from this group on */
#define B_GROUP x10
#define C_PANEL x11  /* first column of this group and panel */
#define A_PANEL x12
#define ROWS x13     /* left, from this panel on, in lanes */
#define K_ALL x14    /* columns that contribute to this group */
#define C_GROUP x15
#define A_BASE x16
#define TMP x17
#define PAIRS x17    /* of this row of T */

#define NR 8
#define X 4
#define STEP_MORE_K_BIT 2
#define STEP_UNIT_BIT 10

/* Register numbers are computed: %expr passes a value to a macro; at_i, at_j and at_q are the running vector and columns. */
.altmacro

.macro load_x_vector reg, i
  LOAD {z\reg\().T}, p0/z, [A, #\i, mul vl]
.endm
.macro load_x nv
  .set at_i, 0
  .rept \nv
    load_x_vector %(X + at_i), %(at_i)
    .set at_i, at_i + 1
  .endr
.endm

/* Once for each row of T that B comes to. */
.macro begin_row
#ifdef TSR_COMPLEX
  add PAIRS, B, #(NR*SIZE)
#endif
.endm

/* z<reg> = T(this k, j), its real part, in all lanes; or (im, -im) in all pairs of lanes. */
.macro spread reg, j
  LOAD_ONE {z\reg\().T}, p0/z, [B, #SIZE*\j]
.endm
.macro spread_pair reg, j
  .if SIZE == 4
    ld1rd {z\reg\().d}, p0/z, [PAIRS, #8*\j]
  .else
    ld1rqd {z\reg\().d}, p0/z, [PAIRS, #16*\j]
  .endif
.endm

.macro add_product sign, acc, x, t
  .if \sign > 0
    fmla z\acc\().T, p0/m, z\x\().T, z\t\().T
  .else
    fmls z\acc\().T, p0/m, z\x\().T, z\t\().T
  .endif
.endm
.macro add_crossed sign, acc, x, pair
  .if \sign > 0
    fcmla z\acc\().T, p0/m, z\pair\().T, z\x\().T, #270
  .else
    fcmla z\acc\().T, p0/m, z\pair\().T, z\x\().T, #90
  .endif
.endm
.macro add_element sign, acc, x, t, e
  .if \sign > 0
    fmla z\acc\().T, z\x\().T, z\t\().T[\e]
  .else
    fmls z\acc\().T, z\x\().T, z\t\().T[\e]
  .endif
.endm

/* Column j: y + sign * x * T(this k, j), x from z<x>. */
.macro add_column sign, nv, j, x
  .set at_y, 32 - NR*\nv + \j*\nv
  .set at_i, 0
#ifdef TSR_COMPLEX
  .set at_t, \j % 2 * 2
  spread %(at_t), \j
  spread_pair %(at_t + 1), \j
  .rept \nv
    add_product \sign, %(at_y + at_i), %(\x + at_i), %(at_t)
    .set at_i, at_i + 1
  .endr
  .set at_i, 0
  .rept \nv
    add_crossed \sign, %(at_y + at_i), %(\x + at_i), %(at_t + 1)
    .set at_i, at_i + 1
  .endr
#else
  spread %(\j % 4), \j
  .rept \nv
    add_product \sign, %(at_y + at_i), %(\x + at_i), %(\j % 4)
    .set at_i, at_i + 1
  .endr
#endif
.endm

.macro load_quad reg, q
  LOAD_QUAD {z\reg\().T}, p0/z, [B, #16*\q]
.endm

.macro k_loop indexed, sign, nv
  .p2align 5
.Lk\@:
  load_x \nv
  begin_row
  .set at_j, 0
  .rept NR
    .if \indexed
      .if at_j % PER_QUAD == 0
        load_quad %(at_j / PER_QUAD), %(at_j / PER_QUAD)
      .endif
      .set at_i, 0
      .rept \nv
        add_element \sign, %(32 - NR*\nv + at_j*\nv + at_i), %(X + at_i), %(at_j / PER_QUAD), %(at_j % PER_QUAD)
        .set at_i, at_i + 1
      .endr
    .else
      add_column \sign, \nv, %(at_j), X
    .endif
    .set at_j, at_j + 1
  .endr
  add A, A, CSA
  add B, B, RSB
  subs K, K, #1
  b.gt .Lk\@
.endm

/* K steps; none if K is 0. */
.macro add_others sign, nv
  cmp K, #0
  b.le .Lothers_end\@
#ifndef TSR_COMPLEX
  cntb TMP
  cmp TMP, #64
  b.eq .Lspread\@
  k_loop 1, \sign, \nv
  b .Lothers_end\@
.Lspread\@:
#endif
  k_loop 0, \sign, \nv
.Lothers_end\@:
.endm

/* y = C; the missing columns of a narrow group repeat the last one. */
.macro load_y reg, i
  LOAD {z\reg\().T}, p0/z, [C, #\i, mul vl]
.endm
.macro load_columns nv
  mov C, C_PANEL
  .set at_j, 0
  .rept NR
    .set at_i, 0
    .rept \nv
      load_y %(32 - NR*\nv + at_j*\nv + at_i), %(at_i)
      .set at_i, at_i + 1
    .endr
    .set at_j, at_j + 1
    .if at_j < NR
      add TMP, C, CSC
      cmp WIDTH, #at_j
      csel C, TMP, C, gt
    .endif
  .endr
.endm
.macro zero reg
  mov z\reg\().T, #0
.endm
.macro zero_columns nv
  .set at_i, 32 - NR*\nv
  .rept NR*\nv
    zero %(at_i)
    .set at_i, at_i + 1
  .endr
.endm

.macro store_y reg, i
  STORE {z\reg\().T}, p0, [C, #\i, mul vl]
.endm
.macro store_columns nv
  mov C, C_PANEL
  .set at_j, 0
  .rept NR
    .set at_i, 0
    .rept \nv
      store_y %(32 - NR*\nv + at_j*\nv + at_i), %(at_i)
      .set at_i, at_i + 1
    .endr
    .set at_j, at_j + 1
    .if at_j < NR
      cmp WIDTH, #at_j
      b.eq .Lstored\@
      add C, C, CSC
    .endif
  .endr
.Lstored\@:
.endm

/* y of column q times T(q, q), the reciprocal, in z0 and, of complex numbers, z1. */
.macro times_reciprocal y
#ifdef TSR_COMPLEX
  mov z4.d, z\y\().d
  fmul z\y\().T, z4.T, z0.T
  add_crossed 1, \y, 4, 1
#else
  fmul z\y\().T, z\y\().T, z0.T
#endif
.endm
.macro times_diagonal nv, q
  spread 0, \q
#ifdef TSR_COMPLEX
  spread_pair 1, \q
#endif
  .set at_i, 0
  .rept \nv
    times_reciprocal %(32 - NR*\nv + \q*\nv + at_i)
    .set at_i, at_i + 1
  .endr
.endm

/* The group's own triangle: B is at its first row. */
.macro solve_triangle nv, unit
  .set at_q, 0
  .rept NR
    begin_row
    .if \unit == 0
      times_diagonal \nv, %(at_q)
    .endif
    .if at_q + 1 < NR
      cmp WIDTH, #(at_q + 1)
      b.eq .Lsolved\@
      .set at_j, at_q + 1
      .rept NR - 1 - at_q
        add_column -1, \nv, %(at_j), %(32 - NR*\nv + at_q*\nv)
        .set at_j, at_j + 1
      .endr
      add B, B, RSB
    .endif
    .set at_q, at_q + 1
  .endr
.Lsolved\@:
.endm

/* The group's own triangle: A is at its first column, and ends behind its last, B at its first row. */
.macro multiply_triangle nv, unit
  .set at_q, 0
  .rept NR
    load_x \nv
    begin_row
    .set at_j, 0
    .rept at_q + 1 - \unit
      add_column 1, \nv, %(at_j), X
      .set at_j, at_j + 1
    .endr
    add A, A, CSC
    add B, B, RSB
    .set at_q, at_q + 1
    .if at_q < NR
      cmp WIDTH, #at_q
      b.eq .Lmultiplied\@
    .endif
  .endr
.Lmultiplied\@:
.endm

.macro enter nv
  .if \nv > 2
    SAVE_D8_TO_D15
  .endif
  ldp COLUMNS, K_ALL, [STEP, STEP_N]
  ldp CSA, RSB, [STEP, STEP_CSA]
  ldr CSC, [STEP, STEP_CSC]
  mov A_BASE, A
  mov C_GROUP, C
  mov B_GROUP, B
  ptrue p0.T
.endm
.macro leave_function nv
  .if \nv > 2
    RESTORE_D8_TO_D15
  .endif
  ret
.endm

/* To the panels of the group at B_GROUP and C_GROUP. */
.macro enter_group
  mov WIDTH, #NR
  cmp COLUMNS, WIDTH
  csel WIDTH, COLUMNS, WIDTH, lt
  ldr ROWS, [STEP, STEP_M]
#ifdef TSR_COMPLEX
  lsl ROWS, ROWS, #1
#endif
  mov C_PANEL, C_GROUP
  mov A_PANEL, A_BASE
.endm
.macro next_panel panel, nv
  ldp TMP, C, [STEP, STEP_DA]
  add A_PANEL, A_PANEL, TMP
  add C_PANEL, C_PANEL, C
  COUNT TMP, all, mul #\nv
  subs ROWS, ROWS, TMP
  b.gt \panel
.endm
.macro next_group group
  ldr TMP, [STEP, STEP_DB]
  add B_GROUP, B_GROUP, TMP
  add C_GROUP, C_GROUP, CSC, lsl #3
  subs COLUMNS, COLUMNS, #NR
  b.gt \group
.endm

/* The functions' bodies, from entry to ret. nv <= 3. */
.macro solve nv
  enter \nv
.Lgroup\@:
  enter_group
.Lpanel\@:
  load_columns \nv
  mov A, A_PANEL
  mov B, B_GROUP
  mov K, K_ALL
  add_others -1, \nv
  ldr TMP, [STEP, STEP_FLAGS]
  tbnz TMP, #STEP_MORE_K_BIT, .Lstore\@
  tbnz TMP, #STEP_UNIT_BIT, .Lunit\@
  solve_triangle \nv, 0
  b .Lstore\@
.Lunit\@:
  solve_triangle \nv, 1
.Lstore\@:
  store_columns \nv
  next_panel .Lpanel\@, \nv
  ldr TMP, [STEP, STEP_FLAGS]
  tbnz TMP, #STEP_MORE_K_BIT, .Lnext\@
  add K_ALL, K_ALL, #NR
.Lnext\@:
  next_group .Lgroup\@
  leave_function \nv
.endm

.macro multiply nv
  enter \nv
.Lgroup\@:
  enter_group
.Lpanel\@:
  mov B, B_GROUP
  mov A, C_PANEL
  ldr TMP, [STEP, STEP_FLAGS]
  tbnz TMP, #STEP_GO_ON_BIT, .Lgo_on\@
  tbnz TMP, #STEP_UNIT_BIT, .Lunit\@
  zero_columns \nv
  multiply_triangle \nv, 0
  b .Lbehind\@
.Lunit\@:
  load_columns \nv
  multiply_triangle \nv, 1
.Lbehind\@:
  sub K, COLUMNS, WIDTH
  add K, K, K_ALL
  b .Lothers\@
.Lgo_on\@:
  load_columns \nv
  mov A, A_PANEL
  mov K, K_ALL
.Lothers\@:
  add_others 1, \nv
  store_columns \nv
  next_panel .Lpanel\@, \nv
  ldr TMP, [STEP, STEP_FLAGS]
  tbnz TMP, #STEP_GO_ON_BIT, .Lnext\@
  add B_GROUP, B_GROUP, RSB, lsl #3
.Lnext\@:
  next_group .Lgroup\@
  leave_function \nv
.endm
