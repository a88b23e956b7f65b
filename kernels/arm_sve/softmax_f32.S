/* SOFTMAX of kernel.h for f32: rows (queries) along the lanes, the score of row i and key j at c + j*csc + i*4.
 *
 *   p[j] = exp2(x[j] - largest x) in place of s[j];  lane t sums the p of j = t, t + 16, ...; then the rows' states
 *   void tsr_softmax_f32_sve(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * A vector of rows at a time, all keys of it: z16 .. z31 are the sixteen lanes of its sums. Arithmetic and registers:
 * softmax.h. Rows beyond m are neither read nor written. */
#include "kernels/arm_sve/softmax.h"

/* One key's weight by `how`, in one of two sets of registers. */
.macro weigh how, set, lane
  ld1w {z\set\().s}, p1/z, [X]
  fsub z\set\().s, z\set\().s, BASE
  \how \set, %(\set + 1), %(\set + 2)
  weighed %(\set + 2), \lane
  add X, X, CSC
.endm
.macro weighed reg, lane
  fadd z\lane\().s, z\lane\().s, z\reg\().s
  st1w {z\reg\().s}, p1, [X]
.endm

/* All keys, sixteen a round. */
.macro weigh_all how
  zero_lanes 16
  add X, C, I, lsl #2
  mov J, KEYS
.Lround\@:
  .set at_t, 0
  .rept 16
    weigh \how, %(at_t % 2 * 3), %(16 + at_t)
    .set at_t, at_t + 1
    .if at_t < 16
      cmp J, #at_t
      b.eq .Lweighed\@
    .endif
  .endr
  subs J, J, #16
  b.gt .Lround\@
.Lweighed\@:
.endm

.macro add_lanes half
  .set at_t, 16
  .rept \half
    add_lane %(at_t), %(at_t + \half)
    .set at_t, at_t + 1
  .endr
.endm
.macro add_lane t, other
  fadd z\t\().s, z\t\().s, z\other\().s
.endm

.macro load_rows reg, pointer
  ld1w {z\reg\().s}, p1/z, [\pointer, I, lsl #2]
.endm

#define ONE_ON x1   /* distances of the next keys, in elements */
#define TWO_ON x0
#define THREE_ON x10

.macro look largest, smallest, address:vararg
  ld1w {z0.s}, p1/z, \address
  note \largest, \smallest, 0, p0
.endm

FUNCTION(tsr_softmax_f32_sve)
  begin
  asr ONE_ON, CSC, #2
  lsl TWO_ON, ONE_ON, #1
  whilelt p1.s, I, M
.Lrows:
  cbnz EDGES, .Lgeneral
  begin_notes
  add X, C, I, lsl #2
  add THREE_ON, TWO_ON, ONE_ON
  subs J, KEYS, #4
  b.lt .Lrest
.Lfour:
  look 20, 24, [X]
  look 21, 25, [X, ONE_ON, lsl #2]
  look 22, 26, [X, TWO_ON, lsl #2]
  look 23, 27, [X, THREE_ON, lsl #2]
  add X, X, CSC, lsl #2
  subs J, J, #4
  b.ge .Lfour
.Lrest:
  adds J, J, #4
  b.eq .Lseen
.Lone:
  look 20, 24, [X]
  add X, X, CSC
  subs J, J, #1
  b.gt .Lone
.Lseen:
  end_notes
  set_base p1, .Lgeneral
.Lnear:
  constant 15, AT_FACTOR
  weigh_all exp2_near
  b .Lsum

.Lgeneral:
  begin_edges load_rows
  mov NUMBERS.s, #0
  add X, C, I, lsl #2
  mov J, KEYS
.Lkey:
  ld1w {z0.s}, p1/z, [X]
  cbz BIAS, .Lno_bias
  ld1w {ADDED.s}, p1/z, [BIAS]
  add BIAS, BIAS, BIAS_LD
.Lno_bias:
  edges
  note_robustly p1
  st1w {z0.s}, p1, [X]
  add X, X, CSC
  add NUMBERS.s, NUMBERS.s, #1
  subs J, J, #1
  b.gt .Lkey
  cbz BIAS, .Lbias_done
  msub BIAS, KEYS, BIAS_LD, BIAS
  addvl BIAS, BIAS, #1        /* on to the next rows */
.Lbias_done:
  set_base p1, .Lfar
  b .Lnear
.Lfar:
  weigh_all exp2_any

.Lsum:
  add_lanes 8
  add_lanes 4
  add_lanes 2
  add_lanes 1
  join
  incw I
  whilelt p1.s, I, M
  b.first .Lrows
  RESTORE_D8_TO_D15
  ret
END(tsr_softmax_f32_sve)
