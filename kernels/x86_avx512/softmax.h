/* What SOFTMAX and SOFTMAX_T share (kernel.h): constants, exp2, the way from s to x, and the update of rows' states.
 *
 * Live throughout: zmm0 .. zmm4 E1 .. E5, zmm6 1. A pass over scores first turns them into x and finds the largest; a
 * second one takes exp2 and sums. Masked lanes (x = -inf) are left out of what would raise a flag that the definition
 * does not raise. */
#include "kernels/x86_asm.h"

#define STEP rdi
#define LEFT rsi      /* keys left */
#define SM rdx        /* struct tsr_softmax */
#define C rcx
#define CSC r8
#define CSC3 r9
#define ROWS r10      /* rows left */
#define OFFSET r11    /* of the rows at hand in the arrays of SM */
#define P rax         /* this key, or keys, of the rows at hand */
#define BIAS rbx      /* beside P */
#define BIAS_NEXT r12 /* bytes to the next one */
#define EDGES ebp     /* not 0: s is not yet x */
#define FIELD r13

#define E1 zmm0
#define E2 zmm1
#define E3 zmm2
#define E4 zmm3
#define E5 zmm4
#define ONE zmm6
#define MINUS_BASE zmm7

/* Predicates of vcmpps and vpcmpd. */
#define NOT_LESS 0x15 /* NaN passes, quietly */
#define UNORDERED 3
#define NOT_EQUAL 4
#define NOT_BELOW 5
#define TO_NEAREST 8  /* of vrndscaleps: ties to even, no flag */

.section .rodata
.p2align 2
.Lconstants:
  .long 0x3f317218 /* E1 .. E6 of kernel.h */
  .long 0x3e75fdee
  .long 0x3d6357be
  .long 0x3c1d96f0
  .long 0x3aaf8417
  .long 0x3920b5a9
  .long 0x3f800000 /* 1 */
  .long 0xc2fa0000 /* -125 */
  .long 0xff800000 /* -inf */
  .long 0x80000000 /* -0 */
  .long 0x40000000 /* 2 */
  .long 0x7f800000 /* inf */
.Lkeys:
  .long 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
.text

#define E6 dword ptr [rip + .Lconstants + 20]
#define LEAST dword ptr [rip + .Lconstants + 28]
#define MINUS_INF dword ptr [rip + .Lconstants + 32]
#define MINUS_ZERO dword ptr [rip + .Lconstants + 36]
#define TWO dword ptr [rip + .Lconstants + 40]
#define PLUS_INF dword ptr [rip + .Lconstants + 44]

.altmacro

.macro load_constants
  vbroadcastss E1, dword ptr [rip + .Lconstants]
  vbroadcastss E2, dword ptr [rip + .Lconstants + 4]
  vbroadcastss E3, dword ptr [rip + .Lconstants + 8]
  vbroadcastss E4, dword ptr [rip + .Lconstants + 12]
  vbroadcastss E5, dword ptr [rip + .Lconstants + 16]
  vbroadcastss ONE, dword ptr [rip + .Lconstants + 24]
.endm

.macro enter
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13)
  load_constants
  mov CSC, [STEP + STEP_CSC]
  mov ROWS, [STEP + STEP_M]
  xor OFFSET, OFFSET
  mov EDGES, [SM + SOFTMAX_CAP]
  add EDGES, EDGES              /* +0 and -0 become 0 */
  mov P, [SM + SOFTMAX_SLOPE]
  or P, [SM + SOFTMAX_BIAS]
  or P, [SM + SOFTMAX_FROM]
  setnz al
  movzx eax, al
  or EDGES, eax
.endm

.macro leave_function
  vzeroupper
  POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm

/* r of 2^f = 1 + f r. */
.macro exp2_r r, f
  vbroadcastss \r, E6
  vfmadd213ps \r, \f, E5
  vfmadd213ps \r, \f, E4
  vfmadd213ps \r, \f, E3
  vfmadd213ps \r, \f, E2
  vfmadd213ps \r, \f, E1
.endm

/* exp2(y) for y <= 0 or NaN in two halves, for others to stand between: y becomes f, mask and n go on to exp2_tail. */
.macro exp2_head y, n, mask
  vcmpps \mask, \y, LEAST{1to16}, NOT_LESS
  vrndscaleps \n, \y, TO_NEAREST
  vsubps \y{\mask}{z}, \y, \n
.endm
.macro exp2_tail r, f, n, mask
  exp2_r \r, \f
  vfmadd213ps \r, \f, ONE
  vscalefps \r{\mask}{z}, \r, \n
.endm
.macro exp2 r, y, n, mask
  exp2_head \y, \n, \mask
  exp2_tail \r, \y, \n, \mask
.endm

/* From s in X to x. The lanes are rows or keys; k3 tells those that exist. */
#define X zmm9
#define J zmm16      /* the lane's key */
#define FROM zmm17   /* of the lane's row, and so on */
#define VISIBLE zmm18 /* keys from FROM on, unsigned */
#define AT zmm19
#define SLOPE zmm20
#define PREFIX zmm21
#define CAP zmm22
#define STEP_J zmm23 /* what J grows by */

/* cap * tanh2(x). */
.macro cap_score
  vorps zmm10, X, MINUS_ZERO{1to16}
  vbroadcastss zmm11, LEAST
  vmaxps zmm10, zmm11, zmm10      /* NaN stays */
  vrndscaleps zmm11, zmm10, TO_NEAREST
  vsubps zmm10, zmm10, zmm11
  exp2_r zmm12, zmm10
  vscalefps zmm11, ONE, zmm11     /* 2^n */
  vmulps zmm10, zmm10, zmm12
  vsubps zmm12, zmm11, ONE
  vfmadd231ps zmm12, zmm11, zmm10 /* e */
  vaddps zmm10, zmm12, TWO{1to16}
  vdivps zmm10, zmm12, zmm10
  vpternlogd zmm10, X, MINUS_ZERO{1to16}, 0xd8 /* with the sign of X */
  vmulps X, zmm10, CAP
.endm

.macro slope_score
  vpsubd zmm10, J, AT
  vcvtdq2ps zmm10, zmm10
  vfmadd231ps X, SLOPE, zmm10
.endm

.macro bias_score
  vmovups zmm10{k3}{z}, [BIAS]
  vcmpps k1, zmm10, MINUS_INF{1to16}, NOT_EQUAL
  vaddps X{k1}, X, zmm10
  vblendmps X{k1}, zmm10, X
.endm

/* -inf where the key is neither in [from, to) nor one of the prefix. */
.macro mask_score
  vpsubd zmm10, J, FROM
  vpcmpud k1, zmm10, VISIBLE, NOT_BELOW
  cmp dword ptr [SM + SOFTMAX_PREFIX], 0
  jle .Lno_prefix\@
  vpcmpd k1{k1}, J, PREFIX, NOT_BELOW
.Lno_prefix\@:
  vbroadcastss X{k1}, MINUS_INF
.endm

/* VISIBLE from TO in the same register. */
.macro set_visible
  vpmaxsd VISIBLE, VISIBLE, FROM
  vpsubd VISIBLE, VISIBLE, FROM
.endm

.macro score
  mov FIELD, [SM + SOFTMAX_CAP]
  add FIELD\()d, FIELD\()d
  jz .Lno_cap\@
  cap_score
.Lno_cap\@:
  cmp qword ptr [SM + SOFTMAX_SLOPE], 0
  je .Lno_slope\@
  slope_score
.Lno_slope\@:
  cmp qword ptr [SM + SOFTMAX_BIAS], 0
  je .Lno_bias\@
  bias_score
  add BIAS, BIAS_NEXT
.Lno_bias\@:
  cmp qword ptr [SM + SOFTMAX_FROM], 0
  je .Lno_mask\@
  mask_score
.Lno_mask\@:
  vpaddd J, J, STEP_J
.endm

.macro row_field to, field
  mov FIELD, [SM + \field]
  vmovups \to, [FIELD + OFFSET]
.endm

/* The rows' own values for `score`. */
.macro load_rows
  mov eax, 16
  cmp ROWS, rax
  cmovl rax, ROWS
  mov esi, -1
  bzhi esi, esi, eax
  kmovw k3, esi
  vbroadcastss CAP, dword ptr [SM + SOFTMAX_CAP]
  vpbroadcastd PREFIX, dword ptr [SM + SOFTMAX_PREFIX]
  vpxord J, J, J
  vpternlogd STEP_J, STEP_J, STEP_J, 0xff
  vpsrld STEP_J, STEP_J, 31
  cmp qword ptr [SM + SOFTMAX_SLOPE], 0
  je .Lno_slope\@
  row_field SLOPE, SOFTMAX_SLOPE
  row_field AT, SOFTMAX_AT
.Lno_slope\@:
  cmp qword ptr [SM + SOFTMAX_FROM], 0
  je .Lno_mask\@
  row_field FROM, SOFTMAX_FROM
  row_field VISIBLE, SOFTMAX_TO
  set_visible
.Lno_mask\@:
  mov BIAS, [SM + SOFTMAX_BIAS]
  add BIAS, OFFSET
  mov BIAS_NEXT, [SM + SOFTMAX_BIAS_LD]
.endm

/* MINUS_BASE = -mc, or 0 where mc is -inf. */
.macro set_base mc
  vcmpps k1, \mc, MINUS_INF{1to16}, NOT_EQUAL
  vpxord MINUS_BASE, MINUS_BASE, MINUS_BASE
  vsubps MINUS_BASE{k1}, MINUS_BASE, \mc
.endm

/* The states of the 16 rows at hand take up a chunk with the largest scores mc and the sums lc. Overwrites zmm9 ..
 * zmm14. */
.macro join mc, lc
  mov FIELD, [SM + SOFTMAX_MAX]
  vmovups zmm9, [FIELD + OFFSET]
  vmaxps zmm14, zmm9, \mc
  vcmpps k1, \lc, \lc, UNORDERED
  vbroadcastss zmm14{k1}, PLUS_INF
  vmovups [FIELD + OFFSET], zmm14
  vcmpps k2, zmm9, MINUS_INF{1to16}, NOT_EQUAL
  vsubps zmm9{k2}{z}, zmm9, zmm14
  exp2 zmm10, zmm9, zmm11, k1
  vmovaps zmm10{k2}{z}, zmm10     /* keep */
  vcmpps k2, \mc, MINUS_INF{1to16}, NOT_EQUAL
  vsubps zmm9{k2}{z}, \mc, zmm14
  exp2 zmm12, zmm9, zmm11, k1
  vbroadcastss zmm13, MINUS_ZERO
  vmovaps zmm13{k2}, zmm12        /* add */
  mov FIELD, [SM + SOFTMAX_KEEP]
  vmovups [FIELD + OFFSET], zmm10
  mov FIELD, [SM + SOFTMAX_ADD]
  vmovups [FIELD + OFFSET], zmm13
  mov FIELD, [SM + SOFTMAX_SUM]
  vptestmd k1, zmm10, zmm10       /* keep is +0 or above, or NaN */
  vmulps zmm9{k1}{z}, zmm10, [FIELD + OFFSET]
  vfmadd231ps zmm9, zmm13, \lc
  vmovups [FIELD + OFFSET], zmm9
.endm
