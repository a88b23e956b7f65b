/* PACK_T of kernel.h for c64: m rows that lie along k, into panels of any width n. A number is 16 bytes, so that NEON
 * registers do: rows go in fours (what is left in ones) along all of k, two steps at a time.
 *
 *   C[t*dc + (p*n + i)*16] = A[t*n + i, p]; in the last panel rows from m on repeat row m - 1
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Live at the loop heads: ROW0 .. ROW3 = the rows at this k, TO = this k of theirs in the panel, P = steps left. */
#include "kernels/arm_asm.h"

#define STEP x0
#define A x1        /* row 0 of the panel */
#define C x3        /* this panel */
#define M x4        /* rows from there on */
#define N x5        /* rows of a panel */
#define RSA x6
#define I x7        /* this row */
#define ROW0 x8
#define ROW1 x9
#define ROW2 x10
#define ROW3 x11
#define TO x12
#define NEXT_K x13  /* bytes from step to step in the panel */
#define K x14
#define P x15
#define TMP x16
#define LAST x17    /* row m - 1 of the panel's */

/* The address of row I + by, or of the last row there is. TMP is used. */
.macro row reg, by
  add TMP, I, #\by
  cmp TMP, LAST
  csel TMP, TMP, LAST, lt
  madd \reg, TMP, RSA, A
.endm

.macro four_rows
  row ROW0, 0
  row ROW1, 1
  row ROW2, 2
  row ROW3, 3
  add TO, C, I, lsl #4
  mov P, K
  tbz P, #0, .Leven\@
  ldr q0, [ROW0], #16
  ldr q1, [ROW1], #16
  ldr q2, [ROW2], #16
  ldr q3, [ROW3], #16
  stp q0, q1, [TO]
  stp q2, q3, [TO, #32]
  add TO, TO, NEXT_K
  subs P, P, #1
  b.eq .Lfour_done\@
.Leven\@:
  ldp q0, q4, [ROW0], #32
  ldp q1, q5, [ROW1], #32
  ldp q2, q6, [ROW2], #32
  ldp q3, q7, [ROW3], #32
  stp q0, q1, [TO]
  stp q2, q3, [TO, #32]
  add TO, TO, NEXT_K
  stp q4, q5, [TO]
  stp q6, q7, [TO, #32]
  add TO, TO, NEXT_K
  subs P, P, #2
  b.gt .Leven\@
.Lfour_done\@:
  add I, I, #4
.endm

.macro one_row
  row ROW0, 0
  add TO, C, I, lsl #4
  mov P, K
.Lone\@:
  ldr q0, [ROW0], #16
  str q0, [TO]
  add TO, TO, NEXT_K
  subs P, P, #1
  b.gt .Lone\@
  add I, I, #1
.endm

FUNCTION(tsr_pack_t_c64_sve)
  ldp M, N, [STEP, STEP_M]
  ldp K, RSA, [STEP, STEP_K]
  cmp K, #0
  ccmp M, #0, #4, gt          /* as if m were 0 where k is */
  b.le .Ldone
  lsl NEXT_K, N, #4
.Lpanel:
  mov I, #0
  sub LAST, M, #1
.Lnext:
  sub TMP, N, I
  cmp TMP, #4
  b.lt .Lsingle
  four_rows
  b .Lrows_done
.Lsingle:
  one_row
.Lrows_done:
  cmp I, N
  b.lt .Lnext
  ldr TMP, [STEP, STEP_DC]
  madd A, N, RSA, A
  add C, C, TMP
  subs M, M, N
  b.gt .Lpanel
.Ldone:
  ret
END(tsr_pack_t_c64_sve)
