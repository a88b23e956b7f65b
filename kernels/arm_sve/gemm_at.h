/* The GEMM micro-kernel for A lying along k (TSR_OP_GEMM_AT of kernel.h), for a tile of nv vectors x nr columns.
 *
 *   s[i][j]  = sum over p of A[i,p] * B[p,j], one fma chain from +0 in order of p
 *   C[i][j]  = fma(alpha, s, beta * C[i][j])      or s itself with TSR_STORE_SUM
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * As many k as a vector has lanes are transposed onto the stack (interleave.h), eight rows at a time, and then
 * multiplied from there: a vector of rows for each k, in order.
 *
 * Live at the loop heads:
 *   z(32 - nv*nr) .. z31    s, column by column (nv*nr <= 16)
 *   z0 .. z15               the transposition, or A in z0 .. z3 and B in z4 .. z7
 *   p0  all lanes     p5  lanes before the end of k     p1 .. p4  as interleave.h names them for its stores */
#include "kernels/arm_asm.h"
#include "kernels/arm_sve/element.h"

#define B x2        /* this k, column 0 */
#define C x3        /* column 0 of this tile */
#define RSB x25
#define CSB x26
#define BJ x27      /* this k, the next column */
#define CSC x28
#define B_BASE x30
#define CJ COUNTER

#include "kernels/arm_sve/interleave.h"
#include "kernels/arm_sve/finish.h"

.set out, 8

/* Everything that is kept, with x29 as the frame: the stack below holds the transposed rows. */
.macro open_frame
  stp x29, x30, [sp, #-160]!
  .cfi_adjust_cfa_offset 160
  .cfi_rel_offset x29, 0
  .cfi_rel_offset x30, 8
  mov x29, sp
  .cfi_def_cfa_register x29
  save_pair 19, 20, 16
  save_pair 21, 22, 32
  save_pair 23, 24, 48
  save_pair 25, 26, 64
  save_pair 27, 28, 80
  save_doubles 8, 9, 96
  save_doubles 10, 11, 112
  save_doubles 12, 13, 128
  save_doubles 14, 15, 144
.endm
.macro save_pair one, two, offset
  stp x\one, x\two, [x29, #\offset]
  .cfi_rel_offset x\one, \offset
  .cfi_rel_offset x\two, \offset + 8
.endm
.macro save_doubles one, two, offset
  stp d\one, d\two, [x29, #\offset]
  .cfi_rel_offset 64 + \one, \offset
  .cfi_rel_offset 64 + \two, \offset + 8
.endm
.macro close_frame
  ldp d8, d9, [x29, #96]
  ldp d10, d11, [x29, #112]
  ldp d12, d13, [x29, #128]
  ldp d14, d15, [x29, #144]
  ldp x19, x20, [x29, #16]
  ldp x21, x22, [x29, #32]
  ldp x23, x24, [x29, #48]
  ldp x25, x26, [x29, #64]
  ldp x27, x28, [x29, #80]
  mov sp, x29
  ldp x29, x30, [sp], #160
  .cfi_def_cfa sp, 0
.endm

/* Transposes the rows from I to I + 8 onto the stack. */
.macro transpose_eight
  set_rows
  load_rows p5
  interleave
  mov TO, sp
  add TO, TO, I, lsl #SHIFT
  sub TMP, LANES, #1
  tst LANES, TMP
  b.ne .Lscatter\@
  cmp LANES, #8
  b.gt .Lpairs\@
  b.eq .Lwhole\@
  .if SIZE == 8
    cmp LANES, #4
    b.lt .Lquarters\@
  .endif
  store_parts 2
  b .Ltransposed\@
.Lquarters\@:
  .if SIZE == 8
    store_parts 4
    b .Ltransposed\@
  .endif
.Lwhole\@:
  store_parts 1
  b .Ltransposed\@
.Lpairs\@:
  sub TMP, N, #8
  store_pairs
  b .Ltransposed\@
.Lscatter\@:
  store_scatter
.Ltransposed\@:
.endm

.macro load_vector reg
  LOAD {z\reg\().T}, p0/z, [TO, #\reg, mul vl]
.endm
.macro spread reg, j, nr
  .if \j == 0
    LOAD_ONE {z\reg\().T}, p0/z, [B]
    .if \nr > 1
      add BJ, B, CSB
    .endif
  .else
    LOAD_ONE {z\reg\().T}, p0/z, [BJ]
    .if \j + 1 < \nr
      add BJ, BJ, CSB
    .endif
  .endif
.endm
.macro multiply acc, a, b
  fmla z\acc\().T, p0/m, z\a\().T, z\b\().T
.endm
.macro zero reg
  mov z\reg\().T, #0
.endm

/* One k: TO = its rows on the stack. */
.macro k_step nv, nr
  .set at_i, 0
  .rept \nv
    load_vector %(at_i)
    .set at_i, at_i + 1
  .endr
  .set at_j, 0
  .rept \nr
    spread %(4 + at_j % 4), %(at_j), \nr
    .set at_i, 0
    .rept \nv
      multiply %(acc + at_j*\nv + at_i), %(at_i), %(4 + at_j % 4)
      .set at_i, at_i + 1
    .endr
    .set at_j, at_j + 1
  .endr
  add TO, TO, NEXT_K
  add B, B, RSB
.endm

/* The function's body, from entry to ret. nv <= 4, nv*nr <= 16. */
.macro gemm_at nv, nr
  .set acc, 32 - \nv*\nr
  open_frame
  ldr M, [STEP, STEP_M]
  ldp K, RSA, [STEP, STEP_K]
  ldp RSB, CSB, [STEP, STEP_RSB]
  ldr CSC, [STEP, STEP_CSC]
  mov B_BASE, B
  COUNT LANES
  COUNT N, all, mul #\nv
  cntb NEXT_K, all, mul #\nv
  msub TMP, NEXT_K, LANES, xzr
  add sp, sp, TMP
  ptrue p0.T

.Ltile\@:
  .set at_i, acc
  .rept \nv*\nr
    zero %(at_i)
    .set at_i, at_i + 1
  .endr
  mov B, B_BASE
  mov P, #0
  mov I, #0
  set_rows
  choose_store .Lstart\@, .Lstart\@, .Lstart\@, .Lstart\@, .Lstart\@
.Lstart\@:
  cmp P, K
  b.ge .Lk_end\@
.Lvector_of_k\@:
  mov I, #0
  whilelt p5.T, P, K
.Leight\@:
  transpose_eight
  add I, I, #8
  cmp I, N
  b.lt .Leight\@
  sub COUNTER, K, P
  cmp COUNTER, LANES
  csel COUNTER, COUNTER, LANES, lt
  mov TO, sp
.Lk\@:
  k_step \nv, \nr
  subs COUNTER, COUNTER, #1
  b.gt .Lk\@
  add P, P, LANES
  cmp P, K
  b.lt .Lvector_of_k\@
.Lk_end\@:
  ptrue p1.T
  finish_tile \nv, \nr
  ldp TMP, CJ, [STEP, STEP_DA]
  add A, A, TMP
  add C, C, CJ
  subs M, M, N
  b.gt .Ltile\@

  close_frame
  ret
.endm
