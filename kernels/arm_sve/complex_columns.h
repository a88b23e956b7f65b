/* UPDATE, UPDATE_T and SCALE of kernel.h for complex types, on any m and n.
 *
 *   UPDATE:    C[i][j] = beta * C[i][j] + alpha * s[i][j], s at a + j * csa; with TSR_STORE_SUM C = s
 *   UPDATE_T:  the same with C across
 *   SCALE:     C[i][j] = beta * C[i][j]
 *   C is not read when both parts of beta are 0, and +0 stands for beta * C.
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Lanes are parts. Live at the loop head: what complex_finish.h keeps; p1 = this vector's lanes, p5 and p6 = of these
 * those of p3 and p4. */
#include "kernels/arm_asm.h"
#include "kernels/arm_sve/element.h"

#define STEP x0
#define S x1        /* this column of the sums */
#define C x3        /* this column of C */
#define CSA x4
#define CSC x5
#define M x6        /* in parts (UPDATE_T: rows) */
#define N x7        /* (UPDATE_T: in parts) */
#define I x8        /* this row */
#define J x9        /* this column (UPDATE_T: in parts) */
#define TMP x10

.altmacro
#include "kernels/arm_sve/complex_finish.h"

/* p1, p5, p6 = the lanes from `at` up to `end`. */
.macro mask at, end
  whilelt p1.T, \at, \end
  and p5.b, p1/z, p3.b, p3.b
  and p6.b, p1/z, p4.b, p4.b
.endm

/* Each computes the vector of C into z5; z4 is s. */
.macro load_sum
  LOAD {z4.T}, p1/z, [S, I, lsl #SHIFT]
.endm
.macro load_sum_t             /* c32: lanes of 64 bits, for which p1 says what it says for the real part */
  ld1d {z4.d}, p1/z, [S, z6.d]
.endm
.macro keep_sum at, load
  \load
  mov z5.d, z4.d
.endm
.macro add_to_c at, load
  \load
  LOAD {z2.T}, p1/z, [C, \at, lsl #SHIFT]
  times_beta 5, 2, p1, p6
  add_alpha_times 5, 4, p1, p5
.endm
.macro write_product at, load
  \load
  mov z5.T, #0
  add_alpha_times 5, 4, p1, p5
.endm
.macro scale_c at, load
  LOAD {z2.T}, p1/z, [C, \at, lsl #SHIFT]
  times_beta 5, 2, p1, p6
.endm
.macro clear at, load
  mov z5.T, #0
.endm

/* Every vector of every column: C = what `how` leaves in z5. */
.macro each_vector how
.Lcolumn\@:
  mov I, #0
.Lrow\@:
  mask I, M
  \how I, load_sum
  STORE {z5.T}, p1, [C, I, lsl #SHIFT]
  INCREMENT I
  cmp I, M
  b.lt .Lrow\@
  add S, S, CSA
  add C, C, CSC
  subs N, N, #1
  b.gt .Lcolumn\@
  ret
.endm

/* The same with C across, every row of every vector of columns. z6 = the distances of a vector's elements in the sums,
 * of c64 those of their parts. */
.macro each_vector_t how
  index z6.d, xzr, CSA
#if defined(TSR_ELEMENT_F64)
  mov z7.d, z6.d
  add z7.d, z7.d, #8
  zip1 z6.d, z6.d, z7.d
#endif
  mov J, #0
.Lcolumns\@:
  mask J, N
  mov I, M
.Lrow\@:
  \how J, load_sum_t
  STORE {z5.T}, p1, [C, J, lsl #SHIFT]
  add S, S, #(2*SIZE)
  add C, C, CSC
  subs I, I, #1
  b.gt .Lrow\@
  msub C, M, CSC, C           /* back to row 0, on to the next columns */
  sub S, S, M, lsl #(SHIFT + 1)
  COUNT TMP
  lsr TMP, TMP, #1
  madd S, TMP, CSA, S
  INCREMENT J
  cmp J, N
  b.lt .Lcolumns\@
  ret
.endm

/* Reads the step; returns at once when there is nothing to do. */
.macro begin
  ldp M, N, [STEP, STEP_M]
  ldr CSA, [STEP, STEP_CSA]
  ldr CSC, [STEP, STEP_CSC]
  cmp M, #0
  ccmp N, #0, #4, gt          /* as if n were 0 where m is */
  b.gt .Lwork\@
  ret
.Lwork\@:
  ptrue p0.T
  ldr TMP, [STEP, STEP_FLAGS]
.endm

.macro update
  begin
  lsl M, M, #1
  tbnz TMP, #STEP_STORE_SUM_BIT, .Lkeep\@
  load_alpha
  load_beta
  branch_if_beta_0 .Lcleared\@
  each_vector add_to_c
.Lcleared\@:
  each_vector write_product
.Lkeep\@:
  each_vector keep_sum
.endm

.macro update_t
  begin
  lsl N, N, #1
  tbnz TMP, #STEP_STORE_SUM_BIT, .Lkeep\@
  load_alpha
  load_beta
  branch_if_beta_0 .Lcleared\@
  each_vector_t add_to_c
.Lcleared\@:
  each_vector_t write_product
.Lkeep\@:
  each_vector_t keep_sum
.endm

.macro scale
  begin
  lsl M, M, #1
  load_beta
  branch_if_beta_0 .Lcleared\@
  each_vector scale_c
.Lcleared\@:
  each_vector clear
.endm
