/* The activations of kernels/post.h on `count` vectors zmm16 .. (1 or 4), in place. A file defines
 * TSR_ELEMENT_F32 or TSR_ELEMENT_F64 first; the formulas' constants are here.
 *
 * Registers: LOW, HIGH and SLOPE of struct tsr_post in every lane. Overwritten: zmm5 .. zmm15, zmm20 .. zmm31,
 * k2 .. k5. Each group of registers below has one for each vector. */
#include "kernels/x86_asm.h"
#include "kernels/x86_avx512/lanes.h"

#define LOW zmm2
#define HIGH zmm3
#define SLOPE zmm4
#define TERM zmm7 /* a constant in every lane */
#define Y 16
#define A 20
#define N 24
#define F 28
#define R 8
#define S 12

#define LESS 0x11     /* predicates of vcmp, without a flag for quiet NaN */
#define NOT_LESS 0x15
#define ORDERED 7
#define TO_NEAREST 8  /* of vrndscale: ties to even */
#define WITH_SIGN 0xd8 /* of vpternlog: the sign of b on the rest of a, by c */

#if defined(TSR_ELEMENT_F32)
#define vadd vaddps
#define vsub vsubps
#define vmul vmulps
#define vdiv vdivps
#define vmax vmaxps
#define vmin vminps
#define vor vorps
#define vandn vandnps
#define vcmp vcmpps
#define vblendm vblendmps
#define vscalef vscalefps
#define vrndscale vrndscaleps
#define vmadd213 vfmadd213ps
#define vmsub213 vfmsub213ps
#define vmadd231 vfmadd231ps
#define vnmadd231 vfnmadd231ps
#define vternlog vpternlogd
#else
#define vadd vaddpd
#define vsub vsubpd
#define vmul vmulpd
#define vdiv vdivpd
#define vmax vmaxpd
#define vmin vminpd
#define vor vorpd
#define vandn vandnpd
#define vcmp vcmppd
#define vblendm vblendmpd
#define vscalef vscalefpd
#define vrndscale vrndscalepd
#define vmadd213 vfmadd213pd
#define vmsub213 vfmsub213pd
#define vmadd231 vfmadd231pd
#define vnmadd231 vfnmadd231pd
#define vternlog vpternlogq
#endif

.section .rodata
.p2align 3
#if defined(TSR_ELEMENT_F32)
.Lone: .long 0x3f800000
.Ltwo: .long 0x40000000
.Lminus_zero: .long 0x80000000
.Lexp2_least: .long 0xc2fa0000      /* -125 */
.Llog2e: .long 0x3fb8aa3b
.Llog2e_low: .long 0x32a57060
.Ltwo_log2e: .long 0x4038aa3b
.Lsilu_least: .long 0xc2b00000      /* -88 */
.Lgelu_most: .long 0x41800000       /* 16 */
.Lgelu_tanh_least: .long 0xc1800000 /* -16 */
.Lgelu_tanh_1: .long 0x40135761
.Lgelu_tanh_3: .long 0x3dd2d3e8
#define EXP2_TERMS 6
.Lexp2_terms: .long 0x3920b5a9, 0x3aaf8417, 0x3c1d96f0, 0x3d6357be, 0x3e75fdee, 0x3f317218
#define NORMAL_TERMS 11
.Lnormal_terms:
  .long 0xb2f9eb37, 0x3568ff21, 0xb739ce22, 0x38a18581, 0xb9934ace, 0x34fa9164, 0x3be3b8fb, 0xbd56d0d6
  .long 0xbeeb1ebe, 0xbf935764, 0xbf800000
#else
.Lone: .quad 0x3ff0000000000000
.Ltwo: .quad 0x4000000000000000
.Lminus_zero: .quad 0x8000000000000000
.Lexp2_least: .double -1020
.Llog2e: .quad 0x3ff71547652b82fe
.Llog2e_low: .quad 0x3c7777d0ffda0d24
.Ltwo_log2e: .quad 0x40071547652b82fe
.Lminus_half_log2e: .quad 0xbfe71547652b82fe
.Lsilu_least: .double -710
.Lgelu_most: .double 40
.Lgelu_tanh_least: .double -40
.Lgelu_tanh_1: .quad 0x40026aec21bce759
.Lgelu_tanh_3: .quad 0x3fba5a7cf7572a98
.Lfive: .double 5
#define EXP2_TERMS 11
.Lexp2_terms:
  .quad 0x3dfe9d3fe3952179, 0x3e3e6063f7217bc6, 0x3e7b524fae627834, 0x3eb62bfd47773353, 0x3eeffcbfc670dcd4
  .quad 0x3f2430913096fd9f, 0x3f55d87fe78a5276, 0x3f83b2ab6fba1dda, 0x3fac6b08d704a0c2, 0x3fcebfbdff82c598
  .quad 0x3fe62e42fefa39ef
#define NORMAL_TERMS 24
.Lnormal_terms:
  .quad 0x3dd1a835a795940a, 0xbde13f2bf7c87b8d, 0xbe0b4ddd594730a0, 0x3e1839e529cac40e, 0x3e39e9bee99ac760
  .quad 0xbe4612a0fab7d2ac, 0xbe6530c0fe0bcb8f, 0x3e7481bfbbe9fb24, 0x3e905790c22049d5, 0xbea6a3035b16f264
  .quad 0xbeb54f3432645ccd, 0x3edbde316d0fd8da, 0x3eb020d8c54ec364, 0xbf0fae6ec52c2f19, 0x3f21999547224015
  .quad 0x3f2cc6e666de8f07, 0xbf637ccc56cfd30c, 0x3f826a1153b7cb40, 0xbf97f9d043775461, 0x3fa8807f29ff6c44
  .quad 0xbfb4b4ce479f839b, 0x3fbdb6af8722ce8e, 0xbfc25cd1321c8cb6, 0x3fb3b0fbcb4c77be
#endif
.text

.altmacro

/* `how` d, a, b for each vector's registers of these groups. */
.macro on_each count, how, d, a, b
  .set at_u, 0
  .rept \count
    \how %(\d + at_u), %(\a + at_u), %(\b + at_u), %(2 + at_u)
    .set at_u, at_u + 1
  .endr
.endm
.macro term name
  vbcast TERM, ELEMENT ptr [rip + \name]
.endm

/* Operations on one vector's registers d, a and b, the number of its mask, and TERM. */
.macro do_add_term d, a, b, mask
  vadd zmm\d, zmm\a, TERM
.endm
.macro do_sub_term d, a, b, mask
  vsub zmm\d, zmm\a, TERM
.endm
.macro do_mul_term d, a, b, mask
  vmul zmm\d, zmm\a, TERM
.endm
.macro do_max_term d, a, b, mask
  vmax zmm\d, TERM, zmm\a         /* NaN stays, and is flagged as by < */
.endm
.macro do_min_term d, a, b, mask
  vmin zmm\d, TERM, zmm\a
.endm
.macro do_sub_where d, a, b, mask
  vsub zmm\d{k\mask}{z}, zmm\a, zmm\b
.endm
.macro do_sub d, a, b, mask
  vsub zmm\d, zmm\a, zmm\b
.endm
.macro do_mul d, a, b, mask
  vmul zmm\d, zmm\a, zmm\b
.endm
.macro do_div d, a, b, mask
  vdiv zmm\d, zmm\a, zmm\b
.endm
.macro do_round d, a, b, mask
  vrndscale zmm\d, zmm\a, TO_NEAREST
.endm
.macro do_minus_abs d, a, b, mask
  vor zmm\d, zmm\a, TERM          /* TERM is -0 */
.endm
.macro do_abs d, a, b, mask
  vandn zmm\d, TERM, zmm\a
.endm
.macro do_with_sign d, a, b, mask
  vternlog zmm\d, zmm\a, TERM, WITH_SIGN
.endm
.macro do_set_term d, a, b, mask
  vmovaps zmm\d, TERM
.endm
.macro do_set_term_where d, a, b, mask
  vmov zmm\d{k\mask}, TERM
.endm
.macro do_horner d, a, b, mask
  vmadd213 zmm\d, zmm\a, TERM     /* d = d * a + term */
.endm
.macro do_is_not_least d, a, b, mask
  vcmp k\mask, zmm\d, TERM, NOT_LESS
.endm
.macro do_is_less d, a, b, mask
  vcmp k\mask, zmm\d, TERM, LESS
.endm
.macro do_scale d, a, b, mask
  vscalef zmm\d{k\mask}{z}, zmm\a, zmm\b
.endm
.macro do_power d, a, b, mask
  vscalef zmm\d, TERM, zmm\a      /* TERM is 1 */
.endm
.macro do_times_term_less d, a, b, mask
  vmovaps zmm\d, zmm\a
  vmsub213 zmm\d{k\mask}{z}, TERM, zmm\b
.endm
.macro do_add_times_term_where d, a, b, mask
  vmadd231 zmm\d{k\mask}, zmm\a, TERM
.endm
.macro do_add_times_term d, a, b, mask
  vmadd231 zmm\d, zmm\a, TERM
.endm
.macro do_add_product d, a, b, mask
  vmadd231 zmm\d, zmm\a, zmm\b
.endm
.macro do_take_product d, a, b, mask
  vnmadd231 zmm\d, zmm\a, zmm\b
.endm
.macro do_mul_where d, a, b, mask
  vmul zmm\d{k\mask}, zmm\a, zmm\b
.endm
.macro do_or_one d, a, b, mask
  vblendm zmm\d{k\mask}, TERM, zmm\a
.endm

.macro do_move d, a, b, mask
  vmovaps zmm\d, zmm\a
.endm

/* r = the polynomial of f whose terms, the highest first, are at `table`. */
.macro polynomial count, r, f, table, terms
  term \table
  on_each \count, do_set_term, \r, 0, 0
  .set at_c, 1
  .rept \terms - 1
    term <\table + SIZE*at_c>
    on_each \count, do_horner, \r, \f, 0
    .set at_c, at_c + 1
  .endr
.endm

/* R = 2^N (1 + F r(F)), 0 where the mask says so. */
.macro exp2_tail count
  polynomial \count, R, F, .Lexp2_terms, EXP2_TERMS
  term .Lone
  on_each \count, do_horner, R, F, 0
  on_each \count, do_scale, R, R, N
.endm
/* R = exp2(`from`), from <= 0. */
.macro exp2 count, from
  term .Lexp2_least
  on_each \count, do_is_not_least, \from, 0, 0
  on_each \count, do_round, N, \from, 0
  on_each \count, do_sub_where, F, \from, N
  exp2_tail \count
.endm
/* R = exp(A), A <= 0. */
.macro exp count
  term .Llog2e
  on_each \count, do_mul_term, R, A, 0
  term .Lexp2_least
  on_each \count, do_is_not_least, R, 0, 0
  on_each \count, do_round, N, R, 0
  term .Llog2e
  on_each \count, do_times_term_less, F, A, N
  term .Llog2e_low
  on_each \count, do_add_times_term_where, F, A, 0
  exp2_tail \count
.endm

/* Y = (Y < 0 ? Y e : Y) / (1 + e), e in R. */
.macro times_sigmoid count
  term .Lminus_zero
  on_each \count, do_is_less, Y, 0, 0
  on_each \count, do_mul_where, Y, Y, R
  term .Lone
  on_each \count, do_add_term, S, R, 0
  on_each \count, do_div, Y, Y, S
.endm

.macro activate_none count
.endm
.macro activate_relu count
  vpxord TERM, TERM, TERM
  on_each \count, do_max_term, Y, Y, 0
.endm
.macro activate_clip count
  vmovaps TERM, LOW
  on_each \count, do_max_term, Y, Y, 0
  vmovaps TERM, HIGH
  on_each \count, do_min_term, Y, Y, 0
.endm
.macro activate_leaky_relu count
  term .Lminus_zero
  on_each \count, do_is_less, Y, 0, 0
  vmovaps TERM, SLOPE
  on_each \count, do_set_term, S, 0, 0
  on_each \count, do_mul_where, Y, Y, S
.endm
.macro activate_sigmoid count
  term .Lminus_zero
  on_each \count, do_minus_abs, A, Y, 0
  exp \count
  term .Lminus_zero
  on_each \count, do_is_less, Y, 0, 0
  term .Lone
  on_each \count, do_or_one, Y, R, 0
  on_each \count, do_add_term, S, R, 0
  on_each \count, do_div, Y, Y, S
.endm
.macro activate_silu count
  term .Lsilu_least
  on_each \count, do_max_term, Y, Y, 0
  term .Lminus_zero
  on_each \count, do_minus_abs, A, Y, 0
  exp \count
  times_sigmoid \count
.endm
.macro activate_tanh count
  term .Ltwo_log2e
  on_each \count, do_mul_term, A, Y, 0
  term .Lminus_zero
  on_each \count, do_minus_abs, A, A, 0
  term .Lexp2_least
  on_each \count, do_is_less, A, 0, 0
  on_each \count, do_set_term_where, A, 0, 0
  on_each \count, do_round, N, A, 0
  on_each \count, do_sub, F, A, N
  polynomial \count, R, F, .Lexp2_terms, EXP2_TERMS
  on_each \count, do_mul, F, F, R
  term .Lone
  on_each \count, do_power, A, N, 0
  on_each \count, do_sub_term, S, A, 0
  on_each \count, do_add_product, S, A, F
  term .Ltwo
  on_each \count, do_add_term, R, S, 0
  on_each \count, do_div, S, S, R
  term .Lminus_zero
  on_each \count, do_with_sign, S, Y, 0
  on_each \count, do_move, Y, S, 0
.endm

/* R = the normal distribution function of -A, A stays. */
#if defined(TSR_ELEMENT_F32)
.macro normal count
  polynomial \count, R, A, .Lnormal_terms, NORMAL_TERMS
  exp2 \count, R
.endm
#else
.macro normal count
  on_each \count, do_mul, R, A, A
  term .Lminus_half_log2e
  on_each \count, do_mul_term, R, R, 0
  exp2 \count, R
  term .Lfive
  on_each \count, do_sub_term, F, A, 0
  on_each \count, do_add_term, N, A, 0
  on_each \count, do_div, F, F, N
  polynomial \count, N, F, .Lnormal_terms, NORMAL_TERMS
  on_each \count, do_mul, R, N, R
.endm
#endif
.macro activate_gelu count
  term .Lminus_zero
  on_each \count, do_abs, A, Y, 0
  term .Lgelu_most
  on_each \count, do_min_term, A, A, 0
  vpxord TERM, TERM, TERM
  on_each \count, do_max_term, Y, Y, 0
  normal \count
  on_each \count, do_take_product, Y, A, R
.endm
.macro activate_gelu_tanh count
  term .Lgelu_tanh_least
  on_each \count, do_max_term, Y, Y, 0
  term .Lgelu_tanh_1
  on_each \count, do_set_term, S, 0, 0
  on_each \count, do_mul, R, Y, Y
  term .Lgelu_tanh_3
  on_each \count, do_add_times_term, S, R, 0
  term .Lminus_zero
  on_each \count, do_minus_abs, A, Y, 0
  on_each \count, do_mul, A, A, S
  exp2 \count, A
  times_sigmoid \count
.endm
