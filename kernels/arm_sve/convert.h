/* CONVERT of kernel.h for types of at most 32 bits.
 *
 *   C[i][j] = alpha * A[i][j], computed in f32 and rounded once to C's type; columns csa and csc apart
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * A 16-bit element is loaded into and stored from a lane of 32 bits. Four vectors at a time. Live at the loop heads:
 * z16 = alpha, z5 = 0x40 and z6 = 0x7fff for bf16, p0 = all lanes, p1 = rows of the last vectors; z4, z7 and p2 go. */
#include "kernels/arm_asm.h"

.arch armv8.2-a+sve

#define STEP x0
#define A x1
#define C x3
#define M x4
#define N x5
#define CSA x6
#define CSC x7
#define FROM x8
#define TO x9
#define LEFT x10
#define FOUR x11

.altmacro

.macro load_f32 reg, mask, i
  ld1w {z\reg\().s}, \mask/z, [FROM, #\i, mul vl]
.endm
.macro load_f16 reg, mask, i
  ld1h {z\reg\().s}, \mask/z, [FROM, #\i, mul vl]
  fcvt z\reg\().s, p0/m, z\reg\().h
.endm
.macro load_bf16 reg, mask, i
  ld1h {z\reg\().s}, \mask/z, [FROM, #\i, mul vl]
  lsl z\reg\().s, z\reg\().s, #16
.endm

.macro store_f32 reg, mask, i
  st1w {z\reg\().s}, \mask, [TO, #\i, mul vl]
.endm
.macro store_f16 reg, mask, i
  fcvt z\reg\().h, p0/m, z\reg\().s
  st1h {z\reg\().s}, \mask, [TO, #\i, mul vl]
.endm
/* To nearest, ties to even, in integers: half of the last bit less 1, and the last bit, are added. NaN stays NaN. */
.macro store_bf16 reg, mask, i
  fcmuo p2.s, p0/z, z\reg\().s, z\reg\().s
  lsr z4.s, z\reg\().s, #16
  movprfx z7, z4
  orr z7.s, p0/m, z7.s, z5.s
  and z4.s, z4.s, #1
  add z\reg\().s, z\reg\().s, z6.s
  add z\reg\().s, z\reg\().s, z4.s
  lsr z\reg\().s, z\reg\().s, #16
  sel z\reg\().s, p2, z7.s, z\reg\().s
  st1h {z\reg\().s}, \mask, [TO, #\i, mul vl]
.endm

.macro multiply reg, mask
  fmul z\reg\().s, \mask/m, z\reg\().s, z16.s
.endm

/* from, to: f32, f16 or bf16; from_four, to_four: the bytes of four vectors of them, in vector lengths (4 or 2). */
.macro convert from, to, from_four, to_four
  ldp M, N, [STEP, STEP_M]
  ldr CSA, [STEP, STEP_CSA]
  ldr CSC, [STEP, STEP_CSC]
  ldr d16, [STEP, STEP_ALPHA]
  fcvt s16, d16
  mov z16.s, z16.s[0]
  mov z5.s, #0x40
  mov z6.s, #0x7fff
  ptrue p0.s
  cntw FOUR, all, mul #4
.Lcolumn\@:
  mov FROM, A
  mov TO, C
  subs LEFT, M, FOUR
  b.lt .Lrest\@
.Lfour\@:
  .set at_v, 0
  .rept 4
    load_\from %(at_v), p0, %(at_v)
    .set at_v, at_v + 1
  .endr
  .set at_v, 0
  .rept 4
    multiply %(at_v), p0
    store_\to %(at_v), p0, %(at_v)
    .set at_v, at_v + 1
  .endr
  addvl FROM, FROM, #\from_four
  addvl TO, TO, #\to_four
  subs LEFT, LEFT, FOUR
  b.ge .Lfour\@
.Lrest\@:
  add LEFT, LEFT, FOUR
  whilelt p1.s, xzr, LEFT
  b.none .Lnext\@
.Lone\@:
  load_\from 0, p1, 0
  multiply 0, p1
  store_\to 0, p1, 0
  inch FROM, all, mul #(\from_four / 2)
  inch TO, all, mul #(\to_four / 2)
  decw LEFT
  whilelt p1.s, xzr, LEFT
  b.first .Lone\@
.Lnext\@:
  add A, A, CSA
  add C, C, CSC
  subs N, N, #1
  b.gt .Lcolumn\@
  ret
.endm
