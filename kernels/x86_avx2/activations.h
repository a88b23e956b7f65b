/* The activations of kernels/post.h on two vectors of f32, ymm0 and ymm1, in place. FRAME points to LOW, HIGH
 * and SLOPE of struct tsr_post, a vector each. Overwritten: ymm2 .. ymm15. Each group of registers below has one for
 * each vector. Lanes that a condition rules out are given operands that raise no flag. */
#define TSR_ELEMENT_F32
#include "kernels/x86_avx2/lanes.h"

#define LOW [FRAME]
#define HIGH [FRAME + 32]
#define SLOPE [FRAME + 64]
#define Y 0
#define A 2
#define N 4
#define F 6
#define R 8
#define S 10
#define M 12     /* a condition: all bits of its lanes */
#define TERM ymm14
#define TEMP ymm15

#define LESS 0x11     /* predicates of vcmpps, without a flag for quiet NaN */
#define NOT_LESS 0x15
#define TO_NEAREST 8  /* of vroundps: ties to even */

.macro constant name, bits:vararg
\name:
  .irp word, \bits
    .fill 8, 4, \word
  .endr
.endm
.section .rodata
.p2align 5
constant .Lzero, 0
constant .Lone, 0x3f800000
constant .Ltwo, 0x40000000
constant .Lminus_zero, 0x80000000
constant .Lexp2_least, 0xc2fa0000      /* -125 */
constant .Lpower, 0x4b40007f           /* 1.5 * 2^23 + 127: what is added to it stands in the lowest bits */
constant .Llog2e, 0x3fb8aa3b
constant .Llog2e_low, 0x32a57060
constant .Ltwo_log2e, 0x4038aa3b
constant .Lsilu_least, 0xc2b00000      /* -88 */
constant .Lgelu_most, 0x41800000       /* 16 */
constant .Lgelu_tanh_least, 0xc1800000 /* -16 */
constant .Lgelu_tanh_1, 0x40135761
constant .Lgelu_tanh_3, 0x3dd2d3e8
#define EXP2_TERMS 6
constant .Lexp2_terms, 0x3920b5a9, 0x3aaf8417, 0x3c1d96f0, 0x3d6357be, 0x3e75fdee, 0x3f317218
#define NORMAL_TERMS 11
constant .Lnormal_terms, 0xb2f9eb37, 0x3568ff21, 0xb739ce22, 0x38a18581, 0xb9934ace, 0x34fa9164, 0x3be3b8fb, \
  0xbd56d0d6, 0xbeeb1ebe, 0xbf935764, 0xbf800000
.text

/* `how` d, a, b for both vectors' registers of these groups; b may be an address. */
.macro both how, d, a, b
  \how \d, \a, \b
  \how %(\d + 1), %(\a + 1), \b, 1
.endm

/* Operations on one vector's registers. `at` is a constant; group b's register is b + second. */
.macro do_load d, a, at, second
  vmovaps ymm\d, [rip + \at]
.endm
.macro do_add d, a, at, second
  vaddps ymm\d, ymm\a, [rip + \at]
.endm
.macro do_sub d, a, at, second
  vsubps ymm\d, ymm\a, [rip + \at]
.endm
.macro do_mul d, a, at, second
  vmulps ymm\d, ymm\a, [rip + \at]
.endm
.macro do_or d, a, at, second
  vorps ymm\d, ymm\a, [rip + \at]
.endm
.macro do_less d, a, at, second
  vcmpps ymm\d, ymm\a, [rip + \at], LESS
.endm
.macro do_not_less d, a, at, second
  vcmpps ymm\d, ymm\a, [rip + \at], NOT_LESS
.endm
.macro do_horner d, a, at, second
  vfmadd213ps ymm\d, ymm\a, [rip + \at]   /* d = d * a + term */
.endm
.macro do_add_times d, a, at, second
  vfmadd231ps ymm\d, ymm\a, [rip + \at]
.endm
/* TERM is a limit: NaN stays, and is flagged as by < */
.macro do_max_term d, a, b, second
  vmaxps ymm\d, TERM, ymm\a
.endm
.macro do_min_term d, a, b, second
  vminps ymm\d, TERM, ymm\a
.endm
.macro do_abs d, a, b, second
  vandnps ymm\d, TERM, ymm\a              /* TERM is -0 */
.endm
.macro do_round d, a, b, second
  vroundps ymm\d, ymm\a, TO_NEAREST
.endm
.macro do_shift d, a, bits, second
  vpslld ymm\d, ymm\a, \bits
.endm
.macro with_second how, d, a, b, second
  .ifb \second
    \how ymm\d, ymm\a, ymm\b
  .else
    with_number \how, \d, \a, %(\b + 1)
  .endif
.endm
.macro with_number how, d, a, b
  \how ymm\d, ymm\a, ymm\b
.endm
.macro do_and d, a, b, second
  with_second vandps, \d, \a, \b, \second
.endm
.macro do_sub_group d, a, b, second
  with_second vsubps, \d, \a, \b, \second
.endm
.macro do_mul_group d, a, b, second
  with_second vmulps, \d, \a, \b, \second
.endm
.macro do_div_group d, a, b, second
  with_second vdivps, \d, \a, \b, \second
.endm
.macro do_add_product d, a, b, second
  with_second vfmadd231ps, \d, \a, \b, \second
.endm
.macro do_take_product d, a, b, second
  with_second vfnmadd231ps, \d, \a, \b, \second
.endm
.macro do_times_less d, a, b, second
  with_second vfmsub213ps, \d, \a, \b, \second /* d = d * a - b */
.endm
.macro choose to, no, yes
  choose_by \to, \no, \yes, M
  choose_by %(\to + 1), \no, %(\yes + 1), %(M + 1)
.endm
.macro choose_by to, no, yes, by
  vblendvps ymm\to, \no, ymm\yes, ymm\by
.endm

/* r = the polynomial of f whose terms, the highest first, are at `table`. */
.macro polynomial r, f, table, terms
  both do_load, \r, 0, \table
  .set at_c, 1
  .rept \terms - 1
    both do_horner, \r, \f, <\table + 32*at_c>
    .set at_c, at_c + 1
  .endr
.endm
/* N = 2^N; whatever of NaN. */
.macro power_of_2
  both do_add, N, N, .Lpower
  both do_shift, N, N, 23
.endm
/* R = 2^N (1 + F r(F)), 0 outside M. */
.macro exp2_tail
  polynomial R, F, .Lexp2_terms, EXP2_TERMS
  both do_horner, R, F, .Lone
  power_of_2
  both do_mul_group, R, R, N
  both do_and, R, R, M
.endm
/* R = exp2(S), S <= 0. */
.macro exp2
  both do_not_less, M, S, .Lexp2_least
  both do_and, S, S, M
  both do_round, N, S, 0
  both do_sub_group, F, S, N
  exp2_tail
.endm
/* R = exp(A), A <= 0. */
.macro exp
  both do_mul, S, A, .Llog2e
  both do_not_less, M, S, .Lexp2_least
  both do_and, S, S, M
  both do_and, A, A, M
  both do_round, N, S, 0
  both do_load, F, 0, .Llog2e
  both do_times_less, F, A, N
  both do_add_times, F, A, .Llog2e_low
  exp2_tail
.endm
/* Y = (Y < 0 ? Y e : Y) / (1 + e), e in R. */
.macro times_sigmoid
  both do_less, M, Y, .Lzero
  vmovaps TERM, [rip + .Lone]
  choose S, TERM, R
  both do_mul_group, Y, Y, S
  both do_add, S, R, .Lone
  both do_div_group, Y, Y, S
.endm

.macro activate_none
.endm
.macro activate_relu
  vxorps TERM, TERM, TERM
  both do_max_term, Y, Y, 0
.endm
.macro activate_clip
  vmovups TERM, LOW
  both do_max_term, Y, Y, 0
  vmovups TERM, HIGH
  both do_min_term, Y, Y, 0
.endm
.macro leaky y, s, m
  vandps TERM, ymm\m, SLOPE
  vandps TEMP, ymm\m, ymm\y
  vmulps ymm\s, TERM, TEMP
  vblendvps ymm\y, ymm\y, ymm\s, ymm\m
.endm
.macro activate_leaky_relu
  both do_less, M, Y, .Lzero
  leaky 0, 10, 12
  leaky 1, 11, 13
.endm
.macro activate_sigmoid
  both do_or, A, Y, .Lminus_zero
  exp
  both do_less, M, Y, .Lzero
  vmovaps TERM, [rip + .Lone]
  choose Y, TERM, R
  both do_add, S, R, .Lone
  both do_div_group, Y, Y, S
.endm
.macro activate_silu
  vmovaps TERM, [rip + .Lsilu_least]
  both do_max_term, Y, Y, 0
  both do_or, A, Y, .Lminus_zero
  exp
  times_sigmoid
.endm
.macro tanh_sign s, y
  vandnps ymm\s, TERM, ymm\s
  vandps ymm\y, TERM, ymm\y
  vorps ymm\y, ymm\y, ymm\s
.endm
.macro tanh_least a, m
  vblendvps ymm\a, ymm\a, TERM, ymm\m
.endm
.macro activate_tanh
  both do_mul, A, Y, .Ltwo_log2e
  both do_or, A, A, .Lminus_zero
  both do_less, M, A, .Lexp2_least
  vmovaps TERM, [rip + .Lexp2_least]
  tanh_least 2, 12
  tanh_least 3, 13
  both do_round, N, A, 0
  both do_sub_group, F, A, N
  polynomial R, F, .Lexp2_terms, EXP2_TERMS
  both do_mul_group, F, F, R
  power_of_2
  both do_sub, S, N, .Lone
  both do_add_product, S, N, F
  both do_add, R, S, .Ltwo
  both do_div_group, S, S, R
  vmovaps TERM, [rip + .Lminus_zero]
  tanh_sign 10, 0
  tanh_sign 11, 1
.endm
.macro activate_gelu
  vmovaps TERM, [rip + .Lminus_zero]
  both do_abs, A, Y, 0
  vmovaps TERM, [rip + .Lgelu_most]
  both do_min_term, A, A, 0
  vxorps TERM, TERM, TERM
  both do_max_term, Y, Y, 0
  polynomial S, A, .Lnormal_terms, NORMAL_TERMS
  exp2
  both do_take_product, Y, A, R
.endm
.macro activate_gelu_tanh
  vmovaps TERM, [rip + .Lgelu_tanh_least]
  both do_max_term, Y, Y, 0
  both do_load, S, 0, .Lgelu_tanh_1
  both do_mul_group, R, Y, Y
  both do_add_times, S, R, .Lgelu_tanh_3
  both do_or, A, Y, .Lminus_zero
  both do_mul_group, S, A, S
  exp2
  times_sigmoid
.endm
