/* UPDATE, UPDATE_T and SCALE of kernel.h, on any m and n.
 *
 *   UPDATE:    C[i][j] = fma(alpha, s[i][j], beta * C[i][j]), s at a + j * csa; with TSR_STORE_SUM C = s
 *   UPDATE_T:  the same with C across
 *   SCALE:     C[i][j] = beta * C[i][j]
 *   C is not read when beta == 0 and +0 stands for beta * C.
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Live at the loop head: z0 = alpha, z1 = beta, p1 = rows (UPDATE_T: columns) of this vector. */
#include "kernels/arm_asm.h"
#include "kernels/arm_sve/element.h"

#define STEP x0
#define S x1        /* this column of the sums */
#define C x3        /* this column of C */
#define CSA x4
#define CSC x5
#define M x6
#define N x7
#define I x8        /* this row */
#define J x9        /* this column */
#define TMP x10

/* Each computes the vector of C at row I into z2. */
.macro keep_sum
  LOAD {z2.T}, p1/z, [S, I, lsl #SHIFT]
.endm
.macro add_sum
  LOAD {z3.T}, p1/z, [S, I, lsl #SHIFT]
  fmla z2.T, p1/m, z3.T, z0.T
.endm
.macro scaled_c
  LOAD {z2.T}, p1/z, [C, I, lsl #SHIFT]
  fmul z2.T, p1/m, z2.T, z1.T
.endm
.macro nothing
.endm
.macro cleared
  mov z2.T, #0
.endm

/* Every vector of every column: C = what `first` and then `second` leave in z2. */
.macro each_vector first, second
.Lcolumn\@:
  mov I, #0
  whilelt p1.T, I, M
.Lrow\@:
  \first
  \second
  STORE {z2.T}, p1, [C, I, lsl #SHIFT]
  INCREMENT I
  whilelt p1.T, I, M
  b.first .Lrow\@
  add S, S, CSA
  add C, C, CSC
  subs N, N, #1
  b.gt .Lcolumn\@
  ret
.endm

/* Reads the step; returns at once when there is nothing to do. */
.macro begin
  ldp M, N, [STEP, STEP_M]
  ldr CSA, [STEP, STEP_CSA]
  ldr CSC, [STEP, STEP_CSC]
  load_scalar(1, STEP_BETA)
  cmp M, #0
  ccmp N, #0, #4, gt          /* as if n were 0 where m is */
  b.gt .Lwork\@
  ret
.Lwork\@:
  fcmp SCALAR1, #0.0
  mov z1.T, z1.T[0]
.endm

.macro update
  begin
  ldr TMP, [STEP, STEP_FLAGS]
  tbnz TMP, #STEP_STORE_SUM_BIT, .Lkeep\@
  load_scalar(0, STEP_ALPHA)
  mov z0.T, z0.T[0]
  b.eq .Lcleared\@
  each_vector scaled_c, add_sum
.Lcleared\@:
  each_vector cleared, add_sum
.Lkeep\@:
  each_vector keep_sum, nothing
.endm

/* The same for a vector of columns: z4 = their distances in the sums, C = this row. A lane is 64 bits wide, as a
 * distance is; of f32 the lower half of each is used. */
.macro keep_sum_t
  LOAD {z2.d}, p1/z, [S, z4.d]
.endm
.macro add_sum_t
  LOAD {z3.d}, p1/z, [S, z4.d]
  fmla z2.T, p1/m, z3.T, z0.T
.endm
.macro scaled_c_t
  LOAD {z2.d}, p1/z, [C, J, lsl #SHIFT]
  fmul z2.T, p1/m, z2.T, z1.T
.endm

/* Every row of every vector of columns. */
.macro each_vector_t first, second
  index z4.d, xzr, CSA
  mov J, #0
  whilelt p1.d, J, N
.Lcolumns\@:
  mov I, M
.Lrow\@:
  \first
  \second
  STORE {z2.d}, p1, [C, J, lsl #SHIFT]
  add S, S, #SIZE
  add C, C, CSC
  subs I, I, #1
  b.gt .Lrow\@
  msub C, M, CSC, C           /* back to row 0, on to the next columns */
  sub S, S, M, lsl #SHIFT
  cntd TMP
  madd S, TMP, CSA, S
  incd J
  whilelt p1.d, J, N
  b.first .Lcolumns\@
  ret
.endm

.macro update_t
  begin
  ldr TMP, [STEP, STEP_FLAGS]
  tbnz TMP, #STEP_STORE_SUM_BIT, .Lkeep\@
  load_scalar(0, STEP_ALPHA)
  mov z0.T, z0.T[0]
  b.eq .Lcleared\@
  each_vector_t scaled_c_t, add_sum_t
.Lcleared\@:
  each_vector_t cleared, add_sum_t
.Lkeep\@:
  each_vector_t keep_sum_t, nothing
.endm

.macro scale
  begin
  b.eq .Lcleared\@
  each_vector scaled_c, nothing
.Lcleared\@:
  each_vector cleared, nothing
.endm
