/* MERGE of kernel.h for f32: a chunk's sums join those of the chunks before it.
 *
 *   C[i][j] = fma(add[i], s[i][j], keep[i] == 0 ? +0 : keep[i] * C[i][j]), s at a + j*csa; where keep is 0, C is unread
 *   void tsr_merge_f32_sve(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * In strips of four vectors, each along all columns. Live at a strip's loop head: z16 .. z19 = keep, z20 .. z23 = add,
 * p2 .. p5 = rows whose keep is not 0, p0 = all lanes, p1 = rows of a strip of one vector. */
#include "kernels/arm_asm.h"

.arch armv8.2-a+sve

#define STEP x0
#define S x1
#define SM x2
#define C x3
#define M x4
#define N x5
#define CSA x6
#define CSC x7
#define I x8
#define J x9
#define FROM x10  /* this column of the strip */
#define TO x11
#define KEEP x12
#define ADD x13
#define LEFT x14
#define FOUR x15  /* rows of four vectors */

.altmacro

.macro load_factors reg, other, rows_kept, mask, i
  ld1w {z\reg\().s}, \mask/z, [KEEP, #\i, mul vl]
  ld1w {z\other\().s}, \mask/z, [ADD, #\i, mul vl]
  fcmne \rows_kept\().s, \mask/z, z\reg\().s, #0.0
.endm

.macro load_both reg, other, rows_kept, mask, i
  ld1w {z\reg\().s}, \rows_kept/z, [TO, #\i, mul vl]
  ld1w {z\other\().s}, \mask/z, [FROM, #\i, mul vl]
.endm

/* A whole vector's fma raises no flag for rows that are not there: they are 0. */
.macro join reg, other, keep, add, rows_kept, mask, i
  fmul z\reg\().s, \rows_kept/m, z\reg\().s, z\keep\().s
  fmla z\reg\().s, p0/m, z\other\().s, z\add\().s
  st1w {z\reg\().s}, \mask, [TO, #\i, mul vl]
.endm

.macro begin_strip
  add FROM, S, I, lsl #2
  add TO, C, I, lsl #2
  add KEEP, x16, I, lsl #2
  add ADD, x17, I, lsl #2
  mov J, N
.endm
.macro next_column
  add FROM, FROM, CSA
  add TO, TO, CSC
  subs J, J, #1
.endm

FUNCTION(tsr_merge_f32_sve)
  ldp M, N, [STEP, STEP_M]
  ldr CSA, [STEP, STEP_CSA]
  ldr CSC, [STEP, STEP_CSC]
  ldp x16, x17, [SM, #SOFTMAX_KEEP] /* keep and add */
  ptrue p0.s
  cntw FOUR, all, mul #4
  mov I, #0
  subs LEFT, M, FOUR
  b.lt .Lnarrow
.Lfour:
  begin_strip
  load_factors 16, 20, p2, p0, 0
  load_factors 17, 21, p3, p0, 1
  load_factors 18, 22, p4, p0, 2
  load_factors 19, 23, p5, p0, 3
.Lcolumn_of_four:
  load_both 0, 4, p2, p0, 0
  load_both 1, 5, p3, p0, 1
  load_both 2, 6, p4, p0, 2
  load_both 3, 7, p5, p0, 3
  join 0, 4, 16, 20, p2, p0, 0
  join 1, 5, 17, 21, p3, p0, 1
  join 2, 6, 18, 22, p4, p0, 2
  join 3, 7, 19, 23, p5, p0, 3
  next_column
  b.gt .Lcolumn_of_four
  add I, I, FOUR
  subs LEFT, LEFT, FOUR
  b.ge .Lfour
.Lnarrow:
  whilelt p1.s, I, M
  b.none .Ldone
.Lone:
  begin_strip
  load_factors 16, 20, p2, p1, 0
.Lcolumn:
  load_both 0, 4, p2, p1, 0
  join 0, 4, 16, 20, p2, p1, 0
  next_column
  b.gt .Lcolumn
  incw I
  whilelt p1.s, I, M
  b.first .Lone
.Ldone:
  ret
END(tsr_merge_f32_sve)
