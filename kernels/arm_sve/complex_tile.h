/* The complex GEMM micro-kernel (TSR_OP_GEMM of kernel.h) for a tile of nv vectors x nr columns, whatever a vector's
 * length.
 *
 *   s[i][j]  = sum over p of A[i,p] * B[p,j], the parts' four sums apart, each one fma chain from +0 in order of p
 *   C[i][j]  = beta * C[i][j] + alpha * s in kernel.h's order      or s itself with TSR_STORE_SUM
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * A's parts lie side by side in a vector as they do in memory, so the loops over k are those of a real tile of nv
 * vectors x 2*nr columns (gemm_tile.h): B's real parts and its imaginary parts are columns of their own, whose sums
 * are (rr, ir) and (ri, ii). FCADD makes (rr - ii, ir + ri) of the two.
 *
 * Live at the loop heads: as in gemm_tile.h, with rows counted in parts:
 *   z(32 - 2*nv*nr) .. z31  (rr, ir) of column 0, (ri, ii) of column 0, (rr, ir) of column 1, ...
 *   z0 .. z(nb-1)           B
 *   z(nb) .. z(nb+na-1)     A
 *   p0  all lanes     p1  parts of the last vector     p2  parts of the last LD1RQ of B */
#include "kernels/arm_sve/gemm_tile.h"

#define STEP_CONJ_A_BIT 8
#define STEP_CONJ_B_BIT 9

/* z<reg> = a part of B at this k, in every lane: column j counts parts. */
.purgem spread
.macro spread reg, j, nr
  .if \j == 0
    LOAD_ONE {z\reg\().T}, p0/z, [B]
  .elseif \j == 1
    LOAD_ONE {z\reg\().T}, p0/z, [B, #SIZE]
    .if \nr > 2
      add BJ, B, CSB
    .endif
  .elseif \j % 2 == 0
    LOAD_ONE {z\reg\().T}, p0/z, [BJ]
  .else
    LOAD_ONE {z\reg\().T}, p0/z, [BJ, #SIZE]
    .if \j + 1 < \nr
      add BJ, BJ, CSB
    .endif
  .endif
.endm

/* s of each pair of sums, left where (rr, ir) was. p3 = imaginary parts. That of two conjugates is negated afterwards,
 * as the contract has it: a sum of zero becomes -0. */
.macro combine_plain re, im
  fcadd z\re\().T, p0/m, z\re\().T, z\im\().T, #90
.endm
.macro combine_conj_a re, im
  fneg z\re\().T, p3/m, z\re\().T
  fneg z\im\().T, p3/m, z\im\().T
  fcadd z\re\().T, p0/m, z\re\().T, z\im\().T, #90
.endm
.macro combine_conj_b re, im
  fcadd z\re\().T, p0/m, z\re\().T, z\im\().T, #270
.endm
.macro combine_conj_both re, im
  fcadd z\re\().T, p0/m, z\re\().T, z\im\().T, #90
  fneg z\re\().T, p3/m, z\re\().T
.endm

.macro each_pair how, nv, nr
  .set at_j, 0
  .rept \nr
    .set at_i, 0
    .rept \nv
      \how %(acc + 2*at_j*\nv + at_i), %(acc + 2*at_j*\nv + \nv + at_i)
      .set at_i, at_i + 1
    .endr
    .set at_j, at_j + 1
  .endr
.endm

.macro combine nv, nr
  ldr TMP, [STEP, STEP_FLAGS]
  pfalse p3.b
  trn1 p3.T, p3.T, p0.T
  tbnz TMP, #STEP_CONJ_A_BIT, .Lconj_a\@
  tbnz TMP, #STEP_CONJ_B_BIT, .Lconj_b\@
  each_pair combine_plain, \nv, \nr
  b .Lcombined\@
.Lconj_b\@:
  each_pair combine_conj_b, \nv, \nr
  b .Lcombined\@
.Lconj_a\@:
  tbnz TMP, #STEP_CONJ_B_BIT, .Lconj_both\@
  each_pair combine_conj_a, \nv, \nr
  b .Lcombined\@
.Lconj_both\@:
  each_pair combine_conj_both, \nv, \nr
.Lcombined\@:
.endm

#include "kernels/arm_sve/complex_finish.h"

/* The three ways of ending a vector of C, under its masks: rows, those if im(alpha) != 0, those if im(beta) != 0. The
 * sums' second register is free by now. */
.macro complex_update s, y, i, rows, alpha, beta
  LOAD {z2.T}, \rows/z, [CJ, #\i, mul vl]
  times_beta \y, 2, \rows, \beta
  add_alpha_times \y, \s, \rows, \alpha
  STORE {z\y\().T}, \rows, [CJ, #\i, mul vl]
.endm
.macro complex_write s, y, i, rows, alpha, beta
  mov z\y\().T, #0
  add_alpha_times \y, \s, \rows, \alpha
  STORE {z\y\().T}, \rows, [CJ, #\i, mul vl]
.endm
.macro complex_sum s, y, i, rows, alpha, beta
  STORE {z\s\().T}, \rows, [CJ, #\i, mul vl]
.endm

/* `how` done to each vector of C and its s, column by column. */
.macro each_complex how, nv, nr
  mov CJ, C
  .set at_j, 0
  .rept \nr
    .set at_s, acc + 2*at_j*\nv
    .set at_i, 0
    .rept \nv
      .if at_i + 1 == \nv
        \how %(at_s), %(at_s + \nv), %(at_i), p1, p5, p6
      .else
        \how %(at_s), %(at_s + \nv), %(at_i), p0, p3, p4
      .endif
      .set at_i, at_i + 1
      .set at_s, at_s + 1
    .endr
    .set at_j, at_j + 1
    .if at_j < \nr
      add CJ, CJ, CSC
    .endif
  .endr
.endm

.macro finish_complex nv, nr
  combine \nv, \nr
  tbnz TMP, #STEP_STORE_SUM_BIT, .Lstore_sum\@
  load_alpha
  load_beta
  and p5.b, p1/z, p3.b, p3.b
  and p6.b, p1/z, p4.b, p4.b
  branch_if_beta_0 .Lno_read\@
  each_complex complex_update, \nv, \nr
  b .Lstored\@
.Lno_read\@:
  each_complex complex_write, \nv, \nr
  b .Lstored\@
.Lstore_sum\@:
  each_complex complex_sum, \nv, \nr
.Lstored\@:
.endm

/* The function's body, from entry to ret. nv <= 8, and nv + 2*nv*nr + 1 <= 32 or, from five vectors, 2*nv*nr + 2*nr + 1;
 * four registers are not sums. */
.macro complex_tile nv, nr
  share_registers \nv, %(2*\nr)
  .if acc < 16
    SAVE_D8_TO_D15
  .endif
  stp A, C, [sp, #-16]!       /* where a column of tiles begins */
  .cfi_adjust_cfa_offset 16
  ldp ROWS, COLUMNS, [STEP, STEP_M]
  lsl ROWS, ROWS, #1
  ldp CSA, RSB, [STEP, STEP_CSA]
  ldp CSB, CSC, [STEP, STEP_CSB]
  mov A_TILE, A
  mov B_BASE, B
  COUNT FULL, all, mul #\nv
  ptrue p0.T
  cntb TMP
  cmp TMP, #64
  csel BESIDE, xzr, CSB, eq
  mov TMP, #(2*\nr - PER_QUAD*(quads - 1))
  whilelt p2.T, xzr, TMP

.Ltile\@:
  COUNT TMP
  sub TMP, FULL, TMP
  whilelt p1.T, TMP, ROWS
  .set at_i, acc
  .rept 2*\nv*\nr
    zero %(at_i)
    .set at_i, at_i + 1
  .endr
  mov A, A_TILE
  mov B, B_BASE
  ldr K, [STEP, STEP_K]
  cmp K, #0
  b.le .Lk_end\@
  cmp BESIDE, #(2*SIZE)
  ccmp ROWS, FULL, #8, eq     /* as if rows were missing where columns of B do not lie side by side */
  b.lt .Lany\@
  k_loop 1, \nv, %(2*\nr)
  b .Lk_end\@
.Lany\@:
  k_loop 0, \nv, %(2*\nr)
.Lk_end\@:
  finish_complex \nv, \nr
  ldp TMP, CJ, [STEP, STEP_DA]
  add A_TILE, A_TILE, TMP
  add C, C, CJ
  subs ROWS, ROWS, FULL
  b.gt .Ltile\@
  subs COLUMNS, COLUMNS, #\nr
  b.le .Lreturn\@
  ldp A_TILE, C, [sp]
  mov TMP, #\nr
  madd C, CSC, TMP, C
  str C, [sp, #8]
  ldr TMP, [STEP, STEP_DB]
  add B_BASE, B_BASE, TMP
  ldr ROWS, [STEP, STEP_M]
  lsl ROWS, ROWS, #1
  b .Ltile\@

.Lreturn\@:
  add sp, sp, #16
  .cfi_adjust_cfa_offset -16
  .if acc < 16
    RESTORE_D8_TO_D15
  .endif
  ret
.endm
