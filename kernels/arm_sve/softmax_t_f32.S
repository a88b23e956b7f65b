/* SOFTMAX_T of kernel.h for f32: keys along the lanes, the score of row i and key j at c + i*csc + j*4.
 *
 *   p[j] = exp2(x[j] - largest x) in place of s[j];  lane t sums the p of j = t, t + 16, ...; then the rows' states
 *   void tsr_softmax_t_f32_sve(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * A row at a time. The sixteen lanes of its sum lie in four vectors of 4, two of 8 or one of 16: the most that the
 * vector length holds, p6 being their mask (z16 is the first vector). A row's largest x and its sum wait in keep and
 * add, and the rows' states follow in the end, a vector of rows at a time. Arithmetic and registers: softmax.h. */
#include "kernels/arm_sve/softmax.h"

/* A vector of `width` keys. */
.macro weigh set, lane, width
  ld1w {z\set\().s}, p6/z, [X]
  fsub z\set\().s, z\set\().s, BASE
  exp2_near \set, %(\set + 1), %(\set + 2)
  weighed %(\set + 2), \lane, \width
.endm
/* The same where there may be fewer, J being the first, and where a weight may be 0. */
.macro weigh_carefully set, lane, width
  whilelt p1.s, J, KEYS
  constant %(\set + 1), AT_MINUS_INF
  ld1w {z\set\().s}, p1/z, [X]
  and p1.b, p6/z, p1.b, p1.b
  keep_keys \set, %(\set + 1)
  fsub z\set\().s, z\set\().s, BASE
  exp2_any \set, %(\set + 1), %(\set + 2)
  weighed %(\set + 2), \lane, \width
  add J, J, #\width
.endm
.macro keep_keys reg, other
  sel z\reg\().s, p1, z\reg\().s, z\other\().s
.endm
.macro weighed reg, lane, width
  fadd z\lane\().s, p6/m, z\lane\().s, z\reg\().s
  st1w {z\reg\().s}, p6, [X]
  add X, X, #(4*\width)
.endm

.macro round how, width
  .set at_v, 0
  .rept 16 / \width
    \how %(at_v % 2 * 3), %(16 + at_v), \width
    .set at_v, at_v + 1
  .endr
.endm

/* The row's weights: as far as LIMIT whole rounds of which no weight is 0 or NaN, then the rest. z16 = their sum. */
.macro weigh_row width
  zero_lanes 16 / \width
  mov J, #0
  cbz LIMIT, .Lcarefully\@
  constant 15, AT_FACTOR
.Lround\@:
  round weigh, \width
  add J, J, #16
  cmp J, LIMIT
  b.lt .Lround\@
  constant 15, AT_LEAST
.Lcarefully\@:
  cmp J, KEYS
  b.ge .Lweighed\@
  round weigh_carefully, \width
  b .Lcarefully\@
.Lweighed\@:
.endm

.macro fold bytes
  mov z17.d, z16.d
  ext z17.b, z17.b, z17.b, #\bytes
  fadd z16.s, z16.s, z17.s
.endm

.macro load_row reg, pointer
  add TMP, \pointer, I, lsl #2
  ld1rw {z\reg\().s}, p0/z, [TMP]
.endm

.macro across
  fmaxnmv s29, p0, LARGEST.s
  fminv s30, p0, SMALLEST.s
  mov LARGEST.s, LARGEST.s[0]
  mov SMALLEST.s, SMALLEST.s[0]
.endm

.macro look largest, smallest, i
  ld1w {z0.s}, p0/z, [X, #\i, mul vl]
  note \largest, \smallest, 0, p0
.endm

FUNCTION(tsr_softmax_t_f32_sve)
  begin
.Lrow:
  madd X, I, CSC, C
  cbnz EDGES, .Lgeneral
  begin_notes
  cntw LIMIT, all, mul #4
  subs J, KEYS, LIMIT
  b.lt .Lrest
.Lfour:
  look 20, 24, 0
  look 21, 25, 1
  look 22, 26, 2
  look 23, 27, 3
  addvl X, X, #4
  subs J, J, LIMIT
  b.ge .Lfour
.Lrest:
  add TMP, J, LIMIT
  mov J, #0
  whilelt p1.s, J, TMP
  b.none .Lseen
.Lone:
  ld1w {z0.s}, p1/z, [X, J, lsl #2]
  note 20, 24, 0, p1
  incw J
  whilelt p1.s, J, TMP
  b.first .Lone
.Lseen:
  end_notes
  across
  set_base p0, .Lgeneral
  b .Lnear

.Lgeneral:
  begin_edges load_row
  madd X, I, CSC, C
  index NUMBERS.s, #0, #1
  mov J, #0
  whilelt p1.s, J, KEYS
.Lkeys:
  ld1w {z0.s}, p1/z, [X, J, lsl #2]
  cbz BIAS, .Lno_bias
  ld1w {ADDED.s}, p1/z, [BIAS, J, lsl #2]
.Lno_bias:
  edges
  note_robustly p1
  st1w {z0.s}, p1, [X, J, lsl #2]
  incw NUMBERS.s
  incw J
  whilelt p1.s, J, KEYS
  b.first .Lkeys
  cbz BIAS, .Lbias_done
  add BIAS, BIAS, BIAS_LD
.Lbias_done:
  across
  mov LIMIT, #0
  set_base p0, .Lweigh
.Lnear:
  and LIMIT, KEYS, #-16
.Lweigh:
  madd X, I, CSC, C
  cntw TMP
  cmp TMP, #8
  b.lt .Lfours
  cmp TMP, #16
  b.lt .Leights
  ptrue p6.s, vl16
  weigh_row 16
  fold 32
  b .Lfold_eight
.Leights:
  ptrue p6.s, vl8
  weigh_row 8
  fadd z16.s, z16.s, z17.s
.Lfold_eight:
  fold 16
  b .Lfold_four
.Lfours:
  ptrue p6.s, vl4
  weigh_row 4
  fadd z16.s, z16.s, z18.s
  fadd z17.s, z17.s, z19.s
  fadd z16.s, z16.s, z17.s
.Lfold_four:
  fold 8
  fold 4
  ldr TMP, [SM, #SOFTMAX_KEEP]
  str s6, [TMP, I, lsl #2]
  ldr TMP, [SM, #SOFTMAX_ADD]
  str s16, [TMP, I, lsl #2]
  add I, I, #1
  cmp I, M
  b.lt .Lrow

  mov I, #0
  whilelt p1.s, I, M
.Lstates:
  ldr TMP, [SM, #SOFTMAX_KEEP]
  ld1w {z6.s}, p1/z, [TMP, I, lsl #2]
  ldr TMP, [SM, #SOFTMAX_ADD]
  ld1w {z16.s}, p1/z, [TMP, I, lsl #2]
  join
  incw I
  whilelt p1.s, I, M
  b.first .Lstates
  RESTORE_D8_TO_D15
  ret
END(tsr_softmax_t_f32_sve)
