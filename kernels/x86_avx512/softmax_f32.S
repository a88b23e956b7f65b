/* TSR_OP_SOFTMAX and TSR_OP_SOFTMAX_T of kernel.h: scores to weights, and the rows' states.
 *
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)      b: struct tsr_softmax
 *
 * Constants and the arithmetic: softmax.h. */
#include "kernels/x86_avx512/softmax.h"

/* SOFTMAX: 16 rows at a time down the keys. Live in the first pass: zmm24 .. zmm27 the largest x of every fourth key.
 * In the second: zmm7 -base, zmm16 .. zmm31 sums of the keys t, t + 16, ..., and four keys in zmm8 .. zmm15, k1 .. k4:
 * exp2 of a key begins three keys ahead of its sum, so that its chain of FMAs does not hold up those behind. */
#define LAST r12  /* the last key, in the second pass */
#define Q r13     /* the key whose weight is summed */
#define MOST_ROWS [rsp - 64]
.macro greatest acc, column
  vmovups X, \column
  vmaxps zmm\acc, X, zmm\acc      /* of a NaN and a number the latter */
.endm

/* exp2 begins for the key at P, which stays at the last one. */
.macro head slot
  begin_weight %(8 + 2*((\slot) % 4)), %(9 + 2*((\slot) % 4)), %(1 + (\slot) % 4)
  add P, CSC
  cmp P, LAST
  cmova P, LAST
.endm
.macro begin_weight f, n, mask
  vaddps zmm\f, MINUS_BASE, [P]
  exp2_head zmm\f, zmm\n, k\mask
.endm

/* exp2 ends for the key at Q. */
.macro tail acc
  end_weight %(16 + \acc), %(8 + 2*((\acc) % 4)), %(9 + 2*((\acc) % 4)), %(1 + (\acc) % 4)
  add Q, CSC
.endm
.macro end_weight acc, f, n, mask
  exp2_tail zmm5, zmm\f, zmm\n, k\mask
  vmovups [Q], zmm5
  vaddps zmm\acc, zmm\acc, zmm5
.endm

.macro add_sums half
  .set at_t, 16
  .rept \half
    add_sum %(at_t), %(at_t + \half)
    .set at_t, at_t + 1
  .endr
.endm
.macro add_sum to, from
  vaddps zmm\to, zmm\to, zmm\from
.endm

.macro zero reg
  vpxord zmm\reg, zmm\reg, zmm\reg
.endm

FUNCTION(tsr_softmax_f32_avx512)
  enter
  lea CSC3, [CSC + 2*CSC]
.Lrows:
  vbroadcastss zmm24, MINUS_INF
  test EDGES, EDGES
  jz .Lplain
  load_rows
  mov P, C
  mov LEFT, [STEP + STEP_N]
.Lscore:
  vmovups X, [P]
  score
  vmovups [P], X
  vmaxps zmm24, X, zmm24
  add P, CSC
  dec LEFT
  jnz .Lscore
  jmp .Lgreatest

.Lplain:
  vmovaps zmm25, zmm24
  vmovaps zmm26, zmm24
  vmovaps zmm27, zmm24
  mov P, C
  mov LEFT, [STEP + STEP_N]
  sub LEFT, 4
  jl .Lplain_rest
.Lplain_four:
  greatest 24, [P]
  greatest 25, [P + CSC]
  greatest 26, [P + 2*CSC]
  greatest 27, [P + CSC3]
  lea P, [P + 4*CSC]
  sub LEFT, 4
  jge .Lplain_four
.Lplain_rest:
  add LEFT, 4
  jz .Lplain_done
.Lplain_one:
  greatest 24, [P]
  add P, CSC
  dec LEFT
  jnz .Lplain_one
.Lplain_done:
  vmaxps zmm24, zmm24, zmm25
  vmaxps zmm26, zmm26, zmm27
  vmaxps zmm24, zmm24, zmm26
.Lgreatest:
  zero 15
  vaddps zmm15, zmm15, zmm24
  vmovups MOST_ROWS, zmm15
  set_base zmm15
  .set at_t, 16
  .rept 16
    zero %(at_t)
    .set at_t, at_t + 1
  .endr
  mov LEFT, [STEP + STEP_N]
  lea LAST, [LEFT - 1]
  imul LAST, CSC
  add LAST, C
  mov P, C
  mov Q, C
  .set at_t, 0
  .rept 3
    head %(at_t)
    .set at_t, at_t + 1
  .endr
.Lweights:
  .set at_t, 0
  .rept 16
    head %(at_t + 3)
    tail %(at_t)
    dec LEFT
    jz .Lsums
    .set at_t, at_t + 1
  .endr
  jmp .Lweights
.Lsums:
  add_sums 8
  add_sums 4
  add_sums 2
  add_sums 1
  vmovups zmm15, MOST_ROWS
  join zmm15, zmm16
  add C, 64
  add OFFSET, 64
  sub ROWS, 16
  jg .Lrows
  leave_function
END(tsr_softmax_f32_avx512)

/* SOFTMAX_T: 16 keys at a time along a row, the first pass over 16 rows and then the second. */
#define LANE r14            /* of the row in MOST, SUMS and BASES */
#define LAST_LANE r15
#define MOST rsp
#define SUMS rsp + 64
#define BASES rsp + 128
#define BIAS_ROW qword ptr [rsp + 192]
#define FIRST_ROW qword ptr [rsp + 200]
#define FRAME 216

.macro spread_field to, field
  mov FIELD, [SM + \field]
  add FIELD, OFFSET
  vpbroadcastd \to, dword ptr [FIELD + LANE]
.endm

/* The row's own values for `score`. */
.macro load_row
  vbroadcastss CAP, dword ptr [SM + SOFTMAX_CAP]
  vpbroadcastd PREFIX, dword ptr [SM + SOFTMAX_PREFIX]
  vmovdqu32 J, [rip + .Lkeys]
  mov eax, 16
  vpbroadcastd STEP_J, eax
  cmp qword ptr [SM + SOFTMAX_SLOPE], 0
  je .Lno_slope\@
  spread_field SLOPE, SOFTMAX_SLOPE
  spread_field AT, SOFTMAX_AT
.Lno_slope\@:
  cmp qword ptr [SM + SOFTMAX_FROM], 0
  je .Lno_mask\@
  spread_field FROM, SOFTMAX_FROM
  spread_field VISIBLE, SOFTMAX_TO
  set_visible
.Lno_mask\@:
  mov BIAS, BIAS_ROW
  mov BIAS_NEXT, [SM + SOFTMAX_BIAS_LD]
  add BIAS_NEXT, BIAS
  mov BIAS_ROW, BIAS_NEXT
  mov BIAS_NEXT, 64
.endm

/* k3 = the LEFT keys of a last vector. */
.macro set_last_keys
  mov r9d, -1
  bzhi r9d, r9d, esi
  kmovw k3, r9d
.endm

/* Both halves of a vector, then of the halves, and so on: xmm<reg>[0] = the result. */
.macro fold how, reg
  vextractf64x4 ymm10, zmm\reg, 1
  \how ymm\reg, ymm\reg, ymm10
  vextractf32x4 xmm10, ymm\reg, 1
  \how xmm\reg, xmm\reg, xmm10
  vmovhlps xmm10, xmm\reg, xmm\reg
  \how xmm\reg, xmm\reg, xmm10
  vmovshdup xmm10, xmm\reg
  \how xmm\reg, xmm\reg, xmm10
.endm

FUNCTION(tsr_softmax_t_f32_avx512)
  enter
  PUSH(r14); PUSH(r15)
  sub rsp, FRAME
  .cfi_adjust_cfa_offset FRAME
  mov P, [SM + SOFTMAX_BIAS]
  mov BIAS_ROW, P
.Lt_rows:
  vbroadcastss X, MINUS_INF       /* rows that are not there */
  vmovups [MOST], X
  zero 10
  vmovups [SUMS], zmm10
  mov LAST_LANE, ROWS
  shl LAST_LANE, 2
  mov eax, 64
  cmp LAST_LANE, rax
  cmovg LAST_LANE, rax
  sub LAST_LANE, 4
  mov FIRST_ROW, C
  xor LANE, LANE
.Lt_row:
  vbroadcastss zmm24, MINUS_INF
  vmovaps zmm25, zmm24
  test EDGES, EDGES
  jz .Lt_plain
  load_row
  mov P, C
  mov LEFT, [STEP + STEP_N]
  kxnorw k3, k3, k3
  sub LEFT, 16
  jl .Lt_score_last
.Lt_score:
  vmovups X, [P]
  score
  vmovups [P], X
  vmaxps zmm24, X, zmm24
  add P, 64
  sub LEFT, 16
  jge .Lt_score
.Lt_score_last:
  add LEFT, 16
  jz .Lt_greatest
  set_last_keys
  vmovups X{k3}{z}, [P]
  score
  jmp .Lt_pad

.Lt_plain:
  mov P, C
  mov LEFT, [STEP + STEP_N]
  sub LEFT, 32
  jl .Lt_plain_rest
.Lt_plain_two:
  greatest 24, [P]
  greatest 25, [P + 64]
  add P, 128
  sub LEFT, 32
  jge .Lt_plain_two
.Lt_plain_rest:
  add LEFT, 16
  jl .Lt_plain_last
  greatest 24, [P]
  add P, 64
  sub LEFT, 16
.Lt_plain_last:
  add LEFT, 16
  jz .Lt_greatest
  set_last_keys
  vmovups X{k3}{z}, [P]
.Lt_pad:                          /* keys that are not there are masked */
  vbroadcastss zmm10, MINUS_INF
  vblendmps X{k3}, zmm10, X
  vmovups [P], X
  vmaxps zmm24, X, zmm24
.Lt_greatest:
  vmaxps zmm24, zmm24, zmm25
  fold vmaxps, 24
  vmovss dword ptr [MOST + LANE], xmm24
  add C, CSC
  add LANE, 4
  cmp LANE, LAST_LANE
  jle .Lt_row

  zero 15
  vaddps zmm15, zmm15, [MOST]
  vmovups [MOST], zmm15
  set_base zmm15
  vmovups [BASES], MINUS_BASE
  mov C, FIRST_ROW
  xor LANE, LANE
.Lt_row_weights:
  vbroadcastss MINUS_BASE, dword ptr [BASES + LANE]
  zero 16
  mov P, C
  mov LEFT, [STEP + STEP_N]
.Lt_weights:
  vaddps zmm9, MINUS_BASE, [P]
  exp2 zmm11, zmm9, zmm10, k1
  vmovups [P], zmm11
  vaddps zmm16, zmm16, zmm11
  add P, 64
  sub LEFT, 16
  jg .Lt_weights
  fold vaddps, 16
  vmovss dword ptr [SUMS + LANE], xmm16
  add C, CSC
  add LANE, 4
  cmp LANE, LAST_LANE
  jle .Lt_row_weights

  vmovups zmm15, [MOST]
  vmovups zmm16, [SUMS]
  join zmm15, zmm16
  add OFFSET, 64
  sub ROWS, 16
  jg .Lt_rows
  add rsp, FRAME
  .cfi_adjust_cfa_offset -FRAME
  POP(r15); POP(r14)
  leave_function
END(tsr_softmax_t_f32_avx512)
