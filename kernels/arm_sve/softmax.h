/* What SOFTMAX and SOFTMAX_T of kernel.h share: exp2, the way from s to x, and the join of a chunk to the rows' states.
 *
 * Scores take two passes. The first finds the largest x of each row, and the smallest: where no x is NaN or lies so far
 * below that its weight is 0 the second pass need not look at that. Otherwise, and where there is more to x than s, a
 * general pass turns s into x in place, and the second compares and clears.
 *
 *   exp2(y):  t = y + 1.5 * 2^23, whose lowest bits are n;  f = y - (t - 1.5 * 2^23);  p = 1 + f r(f), Horner's way;
 *             p * 2^n is n added to the exponent of p, by one integer MLA: 2^-126 < p * 2^n, so it is exact.
 *
 * Live throughout:
 *   z6  largest x plus 0     z7  base     z8  1.5 * 2^23     z9 .. z13  E1 .. E5     z14  1     z15  FACTOR or LEAST
 *   z0 .. z5  a key or two on their way     z16 .. z31  lanes of the sums; before, what the first pass needs
 *   p0  all lanes     p1  rows of the vector (SOFTMAX), keys of the vector (SOFTMAX_T) */
#include "kernels/arm_asm.h"

.arch armv8.2-a+sve

#define STEP x0
#define LIMIT x1    /* keys that come in whole groups */
#define SM x2       /* struct tsr_softmax */
#define C x3
#define M x4        /* rows */
#define KEYS x5
#define CSC x6
#define I x7        /* this row */
#define X x8        /* scores of this key and these rows */
#define J x9        /* this key, or keys left */
#define TMP x10
#define CONSTANTS x11
#define SLOPE x12   /* fields of struct tsr_softmax, 0: none */
#define FROM x13
#define BIAS x14    /* beside X */
#define BIAS_LD x15
#define CAP w16     /* its bits without the sign */
#define EDGES x17   /* 0: x = s; else 1, and a bit for a prefix */
#define PREFIX_BIT 1

#define BASE z7.s
#define MAGIC z8.s
#define E1 z9.s
#define E2 z10.s
#define E3 z11.s
#define E4 z12.s
#define E5 z13.s
#define ONE z14.s
#define FACTOR z15.s /* 2^23 as an integer, while nothing need be looked at */
#define LEAST z15.s  /* -125, at all other times */

/* Of the general pass: the rows' values, and p2, p3. */
#define SLOPES z16
#define AT z17
#define FROMS z18
#define VISIBLE z19 /* how many keys from there on */
#define PREFIX z20
#define MINUS_INF z21
#define ADDED z22    /* bias */
#define CAPS z23
#define NUMBERS z28  /* of the keys */
#define LARGEST z29
#define SMALLEST z30

.section .rodata
.p2align 2
.Lconstants:
  .word 0x4b400000 /* 1.5 * 2^23 */
  .word 0x3f317218 /* E1 .. E6 of kernel.h */
  .word 0x3e75fdee
  .word 0x3d6357be
  .word 0x3c1d96f0
  .word 0x3aaf8417
  .word 0x3920b5a9
  .word 0x3f800000 /* 1 */
  .word 0x00800000 /* 2^23, an integer */
  .word 0xc2fa0000 /* -125 */
  .word 0xff800000 /* -inf */
  .word 0x7f800000 /* inf */
  .word 0x40000000 /* 2 */
.text
#define AT_E6 24
#define AT_FACTOR 32
#define AT_LEAST 36
#define AT_MINUS_INF 40
#define AT_INF 44
#define AT_TWO 48

.altmacro

.macro constant reg, offset
  ld1rw {z\reg\().s}, p0/z, [CONSTANTS, #\offset]
.endm

/* Reads the step and what is the same for all rows. */
.macro begin
  SAVE_D8_TO_D15
  ldp M, KEYS, [STEP, STEP_M]
  ldr CSC, [STEP, STEP_CSC]
  ldr FROM, [SM, #SOFTMAX_FROM]
  ldr SLOPE, [SM, #SOFTMAX_SLOPE]
  ldp BIAS, BIAS_LD, [SM, #SOFTMAX_BIAS]
  ldr CAP, [SM, #SOFTMAX_CAP]
  lsl CAP, CAP, #1
  orr EDGES, FROM, SLOPE
  orr EDGES, EDGES, BIAS
  orr EDGES, EDGES, x16       /* CAP */
  cmp EDGES, #0
  cset EDGES, ne
  ldrsw TMP, [SM, #SOFTMAX_PREFIX]
  cmp TMP, #0
  ccmp FROM, #0, #4, gt       /* as if there were no `from` where there is no prefix */
  cset TMP, ne
  orr EDGES, EDGES, TMP, lsl #PREFIX_BIT
  adrp CONSTANTS, .Lconstants
  add CONSTANTS, CONSTANTS, :lo12:.Lconstants
  ptrue p0.s
  .set at_c, 0
  .rept 6
    constant %(8 + at_c), %(4*at_c)
    .set at_c, at_c + 1
  .endr
  constant 14, 28
  constant 15, AT_LEAST
  mov I, #0
.endm

/* z<r> = the coefficients' polynomial of z<f>; E6 comes by the load ports, which have little to do. */
.macro horner f, r
  constant \r, AT_E6
  fmad z\r\().s, p0/m, z\f\().s, E5
  fmad z\r\().s, p0/m, z\f\().s, E4
  fmad z\r\().s, p0/m, z\f\().s, E3
  fmad z\r\().s, p0/m, z\f\().s, E2
  fmad z\r\().s, p0/m, z\f\().s, E1
.endm

/* z<t> = z<y> plus MAGIC, z<y> = f. */
.macro reduce y, t, r
  fadd z\t\().s, z\y\().s, MAGIC
  fsub z\r\().s, z\t\().s, MAGIC
  fsub z\y\().s, z\y\().s, z\r\().s
.endm

/* z<r> = exp2(z<y>) for -125 <= y <= 0. Needs FACTOR. */
.macro exp2_near y, t, r
  reduce \y, \t, \r
  horner \y, \r
  fmad z\r\().s, p0/m, z\y\().s, ONE
  mla z\r\().s, p0/m, z\t\().s, FACTOR
.endm

/* The same for any y <= 0 and NaN. Needs LEAST; p4 goes. */
.macro exp2_any y, t, r
  fcmgt p4.s, p0/z, LEAST, z\y\().s
  fmax z\y\().s, p0/m, z\y\().s, LEAST
  reduce \y, \t, \r
  horner \y, \r
  fmad z\r\().s, p0/m, z\y\().s, ONE
  sub z\t\().s, z\t\().s, MAGIC
  fscale z\r\().s, p0/m, z\r\().s, z\t\().s
  mov z\r\().s, p4/m, #0
.endm

/* z0 = cap * tanh2(z0). z1 .. z5 and z24 go. */
.macro cap_scores
  fcmuo p2.s, p0/z, z0.s, z0.s
  fabs z1.s, p0/m, z0.s
  fneg z1.s, p0/m, z1.s
  fmax z1.s, p0/m, z1.s, LEAST
  mov z1.s, p2/m, #0                   /* NaN comes back in the end */
  reduce 1, 2, 3
  horner 1, 3
  sub z2.s, z2.s, MAGIC
  mov z4.d, z14.d                      /* 1 */
  fscale z4.s, p0/m, z4.s, z2.s
  fmul z1.s, z1.s, z3.s
  fsub z5.s, z4.s, ONE
  fmla z5.s, p0/m, z4.s, z1.s          /* e */
  constant 24, AT_TWO
  fadd z24.s, z24.s, z5.s
  fdiv z5.s, p0/m, z5.s, z24.s
  fabs z5.s, p0/m, z5.s
  mov z1.d, z0.d
  and z1.s, z1.s, #0x80000000
  orr z5.d, z5.d, z1.d
  sel z0.s, p2, z0.s, z5.s
  fmul z0.s, z0.s, CAPS.s
.endm

/* z0: from s to x. ADDED is the bias where there is one, NUMBERS the keys' numbers. */
.macro edges
  cbz CAP, .Luncapped\@
  cap_scores
.Luncapped\@:
  cbz SLOPE, .Llevel\@
  sub z1.s, NUMBERS.s, AT.s
  scvtf z1.s, p0/m, z1.s
  fmla z0.s, p0/m, z1.s, SLOPES.s
.Llevel\@:
  cbz BIAS, .Lunbiased\@
  fcmne p2.s, p0/z, ADDED.s, MINUS_INF.s
  sel z0.s, p2, z0.s, MINUS_INF.s
  fadd z0.s, p2/m, z0.s, ADDED.s
.Lunbiased\@:
  cbz FROM, .Lvisible\@
  sub z1.s, NUMBERS.s, FROMS.s
  cmphi p2.s, p0/z, VISIBLE.s, z1.s
  tbz EDGES, #PREFIX_BIT, .Lno_prefix\@
  cmpgt p3.s, p0/z, PREFIX.s, NUMBERS.s
  orr p2.b, p0/z, p2.b, p3.b
.Lno_prefix\@:
  sel z0.s, p2, z0.s, MINUS_INF.s
.Lvisible\@:
.endm

/* Brings the rows' values for the general pass: `load` REG, POINTER. */
.macro begin_edges load
  constant 21, AT_MINUS_INF
  ld1rw {CAPS.s}, p0/z, [SM, #SOFTMAX_CAP]
  ld1rw {PREFIX.s}, p0/z, [SM, #SOFTMAX_PREFIX]
  cbz SLOPE, .Llevel\@
  \load 16, SLOPE
  ldr TMP, [SM, #SOFTMAX_AT]
  \load 17, TMP
.Llevel\@:
  cbz FROM, .Lvisible\@
  \load 18, FROM
  ldr TMP, [SM, #SOFTMAX_TO]
  \load 19, TMP
  cmpgt p2.s, p0/z, VISIBLE.s, FROMS.s
  sub VISIBLE.s, VISIBLE.s, FROMS.s    /* below 2^32, as a number without sign */
  mov z0.s, #0
  sel VISIBLE.s, p2, VISIBLE.s, z0.s
.Lvisible\@:
  constant 29, AT_MINUS_INF
  constant 30, AT_INF
.endm

/* The largest and smallest so far under a mask, NaN being no largest but the smallest. p2 goes. */
.macro note_robustly mask
  fcmgt p2.s, \mask/z, z0.s, LARGEST.s
  sel LARGEST.s, p2, z0.s, LARGEST.s
  fmin SMALLEST.s, \mask/m, SMALLEST.s, z0.s
.endm
/* The same where it is certain that no NaN signals: NaN makes the smallest NaN. */
.macro note largest, smallest, reg, mask
  fmaxnm z\largest\().s, \mask/m, z\largest\().s, z\reg\().s
  fmin z\smallest\().s, \mask/m, z\smallest\().s, z\reg\().s
.endm

/* z20 .. z27, four of each, for a pass with short chains, and their end. */
.macro begin_notes
  .set at_c, 0
  .rept 4
    constant %(20 + at_c), AT_MINUS_INF
    constant %(24 + at_c), AT_INF
    .set at_c, at_c + 1
  .endr
.endm
.macro end_notes
  fmaxnm z20.s, p0/m, z20.s, z21.s
  fmaxnm z22.s, p0/m, z22.s, z23.s
  fmin z24.s, p0/m, z24.s, z25.s
  fmin z26.s, p0/m, z26.s, z27.s
  fmaxnm z20.s, p0/m, z20.s, z22.s
  fmin z24.s, p0/m, z24.s, z26.s
  mov LARGEST.d, z20.d
  mov SMALLEST.d, z24.d
.endm

/* z6 and BASE. Goes to `far` if a weight is 0 or NaN. z0, z1, p2, p3 go. */
.macro set_base mask, far
  mov z0.s, #0
  constant 1, AT_MINUS_INF
  fadd z6.s, LARGEST.s, z0.s
  fcmeq p2.s, p0/z, z6.s, z1.s
  sel BASE, p2, z0.s, z6.s
  fsub z0.s, SMALLEST.s, BASE
  fcmge p2.s, \mask/z, z0.s, LEAST
  bics p2.b, \mask/z, \mask\().b, p2.b
  b.ne \far
.endm

.macro zero reg
  mov z\reg\().s, #0
.endm
.macro zero_lanes count
  .set at_c, 0
  .rept \count
    zero %(16 + at_c)
    .set at_c, at_c + 1
  .endr
.endm

/* The rows' states at I under p1: z6 = largest x of the chunk plus 0, z16 = sum of its weights. z0 .. z5, z17 .. z21
 * and p2 .. p4 go. */
.macro join
  constant 15, AT_LEAST
  constant 21, AT_MINUS_INF
  ldr TMP, [SM, #SOFTMAX_MAX]
  ld1w {z17.s}, p1/z, [TMP, I, lsl #2]
  mov z18.d, z6.d
  fmaxnm z18.s, p0/m, z18.s, z17.s
  constant 19, AT_INF
  fcmuo p2.s, p0/z, z16.s, z16.s
  sel z18.s, p2, z19.s, z18.s
  constant 0, AT_INF
  fcmuo p2.s, p0/z, z16.s, z16.s
  sel z18.s, p2, z0.s, z18.s
  fcmne p2.s, p0/z, z17.s, MINUS_INF.s
  fsub z17.s, p2/m, z17.s, z18.s
  exp2_any 17, 19, 20                  /* keep; of -inf +0 */
  st1w {z18.s}, p1, [TMP, I, lsl #2]
  fcmne p2.s, p0/z, z6.s, MINUS_INF.s
  mov z0.d, z6.d
  fsub z0.s, p2/m, z0.s, z18.s
  exp2_any 0, 1, 2                     /* add */
  not p2.b, p0/z, p2.b
  fneg z2.s, p2/m, z2.s
  ldr TMP, [SM, #SOFTMAX_KEEP]
  st1w {z20.s}, p1, [TMP, I, lsl #2]
  ldr TMP, [SM, #SOFTMAX_ADD]
  st1w {z2.s}, p1, [TMP, I, lsl #2]
  ldr TMP, [SM, #SOFTMAX_SUM]
  ld1w {z3.s}, p1/z, [TMP, I, lsl #2]
  fcmne p2.s, p0/z, z20.s, #0.0
  movprfx z4.s, p2/z, z20.s
  fmul z4.s, p2/m, z4.s, z3.s
  fmla z4.s, p0/m, z2.s, z16.s
  st1w {z4.s}, p1, [TMP, I, lsl #2]
.endm
