/* POST of kernel.h, computed in f32: what follows a convolution or product.
 *
 *   C[i][j] = to(activation((from(A[i][j]) + bias[at]) * scale[at] + add[i][j])), each operation rounded; `at` is i, or
 *   j if across; columns csa, csc and add_ld apart. Activations are those of kernels/post_type.h, bit for bit.
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c), b = struct tsr_post
 *
 * A vector at a time, column after column, with a loop for each activation; elements narrower than 32 bits lie in lanes
 * of 32. Lanes beyond m hold 0, of which no activation raises a flag.
 *
 * Live at the loop heads:
 *   z0  y       z1 .. z7  what becomes of it     z16  bias, z17  scale of a column, if across
 *   z18  1.5 * 2^23     z19 .. z24  E1 .. E6     z25  1     z26  -125     z27 .. z31  what the activation needs, in
 *   z30, z31 its limits, in z30 its slope        p0  all lanes      p1  rows of the vector      p2, p3 go */
#include "kernels/arm_asm.h"

.arch armv8.2-a+sve

#define STEP x0
#define A x1        /* this column */
#define POST x2
#define C x3
#define M x4
#define N x5
#define CSA x6
#define CSC x7
#define BIAS x8     /* 0: none, as with the two below; if across, this column's */
#define SCALE x9
#define ADD x10     /* this column */
#define ADD_LD x11
#define ACROSS w12
#define I x13       /* this row */
#define CONSTANTS x14
#define LANES x16

#define MAGIC z18.s
#define E1 z19.s
#define E2 z20.s
#define E3 z21.s
#define E4 z22.s
#define E5 z23.s
#define E6 z24.s
#define ONE z25.s
#define LEAST z26.s

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
  .word 0xc2fa0000 /* -125 */
  .word 0x3fb8aa3b /* log2(e), and what f32 leaves out of it */
  .word 0x32a57060
  .word 0x4038aa3b /* 2 log2(e) */
  .word 0x40000000 /* 2 */
  .word 0xc2b00000 /* -88 */
  .word 0x41800000 /* 16 */
  .word 0xc1800000 /* -16 */
  .word 0x40135761 /* GELU_TANH_1, GELU_TANH_3 */
  .word 0x3dd2d3e8
  .word 0x4b800000 /* 2^24, and below 0 */
  .word 0xcb800000
  .word 0xb2f9eb37 /* terms of the normal distribution function */
  .word 0x3568ff21
  .word 0xb739ce22
  .word 0x38a18581
  .word 0xb9934ace
  .word 0x34fa9164
  .word 0x3be3b8fb
  .word 0xbd56d0d6
  .word 0xbeeb1ebe
  .word 0xbf935764
  .word 0xbf800000
.text
#define AT_MAGIC 0
#define AT_E1 4
#define AT_E2 8
#define AT_E3 12
#define AT_E4 16
#define AT_E5 20
#define AT_E6 24
#define AT_ONE 28
#define AT_LEAST 32
#define AT_LOG2E 36
#define AT_LOG2E_LOW 40
#define AT_TWO_LOG2E 44
#define AT_TWO 48
#define AT_SILU_LEAST 52
#define AT_GELU_MOST 56
#define AT_TANH_LEAST 60
#define AT_TANH_1 64
#define AT_TANH_3 68
#define AT_MOST_INTEGER 72
#define AT_LEAST_INTEGER 76
#define AT_NORMAL 80

/* enum tsr_activation */
#define RELU 1
#define CLIP 2
#define LEAKY_RELU 3
#define GELU 4
#define GELU_TANH 5
#define SILU 6
#define TANH 7
#define SIGMOID 8

.altmacro

.macro constant reg, offset
  ld1rw {z\reg\().s}, p0/z, [CONSTANTS, #(\offset)]
.endm

/* z<reg> = elements at I of a column under p1, in f32. */
.macro load_f32 reg, column
  ld1w {z\reg\().s}, p1/z, [\column, I, lsl #2]
.endm
.macro load_f16 reg, column
  ld1h {z\reg\().s}, p1/z, [\column, I, lsl #1]
  fcvt z\reg\().s, p1/m, z\reg\().h
.endm
.macro load_bf16 reg, column
  ld1h {z\reg\().s}, p1/z, [\column, I, lsl #1]
  lsl z\reg\().s, z\reg\().s, #16
.endm
.macro load_s32 reg, column
  ld1w {z\reg\().s}, p1/z, [\column, I, lsl #2]
  scvtf z\reg\().s, p1/m, z\reg\().s
.endm
.macro load_u8 reg, column
  ld1b {z\reg\().s}, p1/z, [\column, I]
  scvtf z\reg\().s, p1/m, z\reg\().s
.endm
.macro load_s8 reg, column
  ld1sb {z\reg\().s}, p1/z, [\column, I]
  scvtf z\reg\().s, p1/m, z\reg\().s
.endm

/* z0 to C at I under p1. */
.macro store_f32
  st1w {z0.s}, p1, [C, I, lsl #2]
.endm
.macro store_f16
  fcvt z0.h, p1/m, z0.s
  st1h {z0.s}, p1, [C, I, lsl #1]
.endm
/* To nearest, ties to even, in integers: half of the last bit less 1, and the last bit, are added. NaN stays NaN. */
.macro store_bf16
  fcmuo p2.s, p1/z, z0.s, z0.s
  mov z1.s, #0x40
  mov z2.s, #0x7fff
  lsr z3.s, z0.s, #16
  orr z1.d, z1.d, z3.d
  and z3.s, z3.s, #1
  add z0.s, z0.s, z2.s
  add z0.s, z0.s, z3.s
  lsr z0.s, z0.s, #16
  sel z0.s, p2, z1.s, z0.s
  st1h {z0.s}, p1, [C, I, lsl #1]
.endm
/* Rounded, plus zero, saturated; NaN counts as 0. Beyond 2^24 all is saturated. */
.macro quantise
  constant 1, AT_MOST_INTEGER
  constant 2, AT_LEAST_INTEGER
  fcmuo p2.s, p1/z, z0.s, z0.s
  mov z0.s, p2/m, #0
  fmin z0.s, p1/m, z0.s, z1.s
  fmax z0.s, p1/m, z0.s, z2.s
  frintn z0.s, p1/m, z0.s
  fcvtzs z0.s, p1/m, z0.s
  ld1rw {z3.s}, p0/z, [POST, #POST_ZERO]
  add z0.s, z0.s, z3.s
.endm
.macro store_u8
  quantise
  mov z1.s, #255
  smax z0.s, z0.s, #0
  smin z0.s, p1/m, z0.s, z1.s
  st1b {z0.s}, p1, [C, I]
.endm
.macro store_s8
  quantise
  smax z0.s, z0.s, #-128
  smin z0.s, z0.s, #127
  st1b {z0.s}, p1, [C, I]
.endm

/* z3 = r(f), f = z2. */
.macro horner
  mov z3.d, z24.d                      /* E6 */
  fmad z3.s, p0/m, z2.s, E5
  fmad z3.s, p0/m, z2.s, E4
  fmad z3.s, p0/m, z2.s, E3
  fmad z3.s, p0/m, z2.s, E2
  fmad z3.s, p0/m, z2.s, E1
.endm
/* z1 = 2^n (1 + f r), f = z2, z4 = n + MAGIC. NaN stays NaN. */
.macro power
  horner
  fmad z3.s, p0/m, z2.s, ONE
  sub z4.s, z4.s, MAGIC
  fscale z3.s, p0/m, z3.s, z4.s
  mov z1.d, z3.d
.endm
/* z1 = exp2(z1); +0 below -125. */
.macro exp2
  fcmgt p2.s, p0/z, LEAST, z1.s
  mov z1.s, p2/m, #0
  fadd z4.s, z1.s, MAGIC
  fsub z2.s, z4.s, MAGIC
  fsub z2.s, z1.s, z2.s
  power
  mov z1.s, p2/m, #0
.endm
/* z<to> = -|z0|. FABS under a mask would wait for the last vector's z<to>. */
.macro minus_absolute to
  mov z\to\().d, z0.d
  orr z\to\().s, z\to\().s, #0x80000000
.endm
/* z1 = e^-|z0|; z27, z28 = log2(e) in two parts. */
.macro exp_of_minus
  minus_absolute 1
  fmul z2.s, z1.s, z27.s
  fcmgt p2.s, p0/z, LEAST, z2.s
  mov z1.s, p2/m, #0
  mov z2.s, p2/m, #0
  fadd z4.s, z2.s, MAGIC
  fsub z2.s, z4.s, MAGIC
  fneg z2.s, p0/m, z2.s
  fmla z2.s, p0/m, z1.s, z27.s
  fmla z2.s, p0/m, z1.s, z28.s
  power
  mov z1.s, p2/m, #0
.endm
/* z0 = (z0 < 0 ? z0 * z1 : z0) / (1 + z1) */
.macro times_sigmoid
  fcmlt p3.s, p0/z, z0.s, #0.0
  fmul z0.s, p3/m, z0.s, z1.s
  fadd z1.s, z1.s, ONE
  fdiv z0.s, p0/m, z0.s, z1.s
.endm

/* The activations of z0, and before each loop what they need. */
.macro need_nothing
.endm
.macro no_activation
.endm
.macro relu
  fcmlt p2.s, p0/z, z0.s, #0.0
  mov z0.s, p2/m, #0
.endm
.macro need reg, field
  ldr d\reg, [POST, \field]
  fcvt s\reg, d\reg
  mov z\reg\().s, z\reg\().s[0]
.endm
.macro need_limits
  need 30, POST_LOW
  need 31, POST_HIGH
.endm
.macro clip
  fcmgt p2.s, p0/z, z30.s, z0.s
  mov z0.s, p2/m, z30.s
  fcmgt p2.s, p0/z, z0.s, z31.s
  mov z0.s, p2/m, z31.s
.endm
.macro need_slope
  need 30, POST_SLOPE
.endm
.macro leaky_relu
  fcmlt p2.s, p0/z, z0.s, #0.0
  fmul z0.s, p2/m, z0.s, z30.s
.endm
.macro need_log2e
  constant 27, AT_LOG2E
  constant 28, AT_LOG2E_LOW
.endm
.macro sigmoid
  exp_of_minus
  fcmlt p3.s, p0/z, z0.s, #0.0
  sel z0.s, p3, z1.s, ONE
  fadd z1.s, z1.s, ONE
  fdiv z0.s, p0/m, z0.s, z1.s
.endm
.macro need_silu
  need_log2e
  constant 29, AT_SILU_LEAST
.endm
.macro silu
  fmax z0.s, p0/m, z0.s, z29.s
  exp_of_minus
  times_sigmoid
.endm
.macro need_gelu_tanh
  constant 27, AT_TANH_3
  constant 28, AT_TANH_1
  constant 29, AT_TANH_LEAST
.endm
.macro gelu_tanh
  fmax z0.s, p0/m, z0.s, z29.s
  fmul z1.s, z0.s, z0.s
  fmad z1.s, p0/m, z27.s, z28.s
  minus_absolute 2
  fmul z1.s, z1.s, z2.s
  exp2
  times_sigmoid
.endm
.macro need_gelu
  constant 29, AT_GELU_MOST
.endm
.macro normal_term i
  constant 6, AT_NORMAL+4*\i
  fmad z1.s, p0/m, z5.s, z6.s
.endm
.macro gelu
  mov z5.d, z0.d
  fabs z5.s, p0/m, z5.s
  fmin z5.s, p0/m, z5.s, z29.s
  constant 1, AT_NORMAL
  .set at_term, 1
  .rept 10
    normal_term %(at_term)
    .set at_term, at_term + 1
  .endr
  exp2
  fcmlt p3.s, p0/z, z0.s, #0.0
  mov z0.s, p3/m, #0
  fmls z0.s, p0/m, z5.s, z1.s
.endm
.macro need_tanh
  constant 27, AT_TWO_LOG2E
  constant 28, AT_TWO
.endm
/* e = 2^n (1 + f r) - 1; -e / (2 + e) with the sign of y. NaN comes back in the end. */
.macro tanh
  fmul z0.s, z0.s, z27.s
  fcmuo p2.s, p0/z, z0.s, z0.s
  minus_absolute 1
  fmax z1.s, p0/m, z1.s, LEAST
  mov z1.s, p2/m, #0
  fadd z4.s, z1.s, MAGIC
  fsub z2.s, z4.s, MAGIC
  fsub z2.s, z1.s, z2.s
  horner
  sub z4.s, z4.s, MAGIC
  mov z5.d, z25.d                      /* 1 */
  fscale z5.s, p0/m, z5.s, z4.s
  fmul z2.s, z2.s, z3.s
  fsub z1.s, z5.s, ONE
  fmla z1.s, p0/m, z5.s, z2.s
  fadd z2.s, z1.s, z28.s
  fdiv z1.s, p0/m, z1.s, z2.s
  and z1.s, z1.s, #0x7fffffff
  mov z3.d, z0.d
  and z3.s, z3.s, #0x80000000
  orr z1.d, z1.d, z3.d
  sel z0.s, p2, z0.s, z1.s
.endm

/* One loop: all elements by one activation. */
.macro all_elements from, to, needs, activation
  \needs
.Lcolumn\@:
  mov I, #0
  whilelt p1.s, xzr, M
  cbz ACROSS, .Lvector\@
  cbz BIAS, .Lno_bias_across\@
  ld1rw {z16.s}, p0/z, [BIAS]
  add BIAS, BIAS, #4
.Lno_bias_across\@:
  cbz SCALE, .Lvector\@
  ld1rw {z17.s}, p0/z, [SCALE]
  add SCALE, SCALE, #4
.Lvector\@:
  load_\from 0, A
  cbz BIAS, .Lbiased\@
  cbnz ACROSS, .Lbias\@
  ld1w {z16.s}, p1/z, [BIAS, I, lsl #2]
.Lbias\@:
  fadd z0.s, p1/m, z0.s, z16.s
.Lbiased\@:
  cbz SCALE, .Lscaled\@
  cbnz ACROSS, .Lscale\@
  ld1w {z17.s}, p1/z, [SCALE, I, lsl #2]
.Lscale\@:
  fmul z0.s, p1/m, z0.s, z17.s
.Lscaled\@:
  cbz ADD, .Ladded\@
  load_\to 1, ADD
  fadd z0.s, p1/m, z0.s, z1.s
.Ladded\@:
  \activation
  store_\to
  add I, I, LANES
  whilelt p1.s, I, M
  b.first .Lvector\@
  add A, A, CSA
  add C, C, CSC
  cbz ADD, .Lnext\@
  add ADD, ADD, ADD_LD
.Lnext\@:
  subs N, N, #1
  b.gt .Lcolumn\@
  ret
.endm

/* The function's body, from entry to the last ret. */
.macro post from, to
  ldp M, N, [STEP, STEP_M]
  ldr CSA, [STEP, STEP_CSA]
  ldr CSC, [STEP, STEP_CSC]
  ldp BIAS, SCALE, [POST, POST_BIAS]
  ldp ADD, ADD_LD, [POST, POST_ADD]
  ldrb ACROSS, [POST, POST_ACROSS]
  ptrue p0.s
  cntw LANES
  adrp CONSTANTS, .Lconstants
  add CONSTANTS, CONSTANTS, :lo12:.Lconstants
  .set at_c, 0
  .rept 9
    constant %(18 + at_c), 4*at_c
    .set at_c, at_c + 1
  .endr
  ldr w15, [POST, POST_ACTIVATION]
  cmp w15, #CLIP
  b.lt .Lnone_or_relu\@
  b.eq .Lclip\@
  cmp w15, #GELU
  b.lt .Lleaky_relu\@
  b.eq .Lgelu\@
  cmp w15, #SILU
  b.lt .Lgelu_tanh\@
  b.eq .Lsilu\@
  cmp w15, #TANH
  b.eq .Ltanh\@
  all_elements \from, \to, need_log2e, sigmoid
.Lnone_or_relu\@:
  cbz w15, .Lnone\@
  all_elements \from, \to, need_nothing, relu
.Lnone\@:
  all_elements \from, \to, need_nothing, no_activation
.Lclip\@:
  all_elements \from, \to, need_limits, clip
.Lleaky_relu\@:
  all_elements \from, \to, need_slope, leaky_relu
.Lgelu\@:
  all_elements \from, \to, need_gelu, gelu
.Lgelu_tanh\@:
  all_elements \from, \to, need_gelu_tanh, gelu_tanh
.Lsilu\@:
  all_elements \from, \to, need_silu, silu
.Ltanh\@:
  all_elements \from, \to, need_tanh, tanh
.endm
