/* PACK_T of kernel.h: m rows that lie along k, into panels of any width n.
 *
 *   C[t*dc + (p*n + i)*size] = A[t*n + i, p]; in the last panel rows from m on repeat row m - 1
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Eight rows at a time along all of k, each read a whole vector at a time and transposed by interleave.h. A panel
 * eight rows wide is the transposed stream itself; what is left of k in the end goes by scatter.
 *
 * Live at a loop head: ROW0 .. ROW7 = the rows, P = this k, TO = this k of the eight rows in the panel, p0 = all lanes,
 * z16 .. z23 = the stream, and the predicates named with each way of storing. */
#include "kernels/arm_asm.h"
#include "kernels/arm_sve/element.h"

#define C x3        /* this panel */

#include "kernels/arm_sve/interleave.h"

.set out, 16

.macro store_next reg, i
  STORE {z\reg\().T}, p0, [TO, #\i, mul vl]
.endm
/* A panel of eight rows: the stream as it is. */
.macro store_stream
  .set at_v, 0
  .rept 8
    store_next %(out + at_v), %(at_v)
    .set at_v, at_v + 1
  .endr
  addvl TO, TO, #8
.endm

/* Whole vectors along k while there are any, stored by `how`. */
.macro blocks how, parts
  sub COUNTER, K, LANES
  cmp P, COUNTER
  b.gt .Lblocks_done\@
.Lblock\@:
  load_rows p0
  interleave
  \how \parts
  add P, P, LANES
  sub COUNTER, K, LANES
  cmp P, COUNTER
  b.le .Lblock\@
.Lblocks_done\@:
.endm

.macro eight_rows
  set_rows
  add TO, C, I, lsl #SHIFT
  mov P, #0
  cmp N, #8
  b.eq .Lstream\@
  choose_store .Lwhole\@, .Lhalves\@, .Lquarters\@, .Lpairs\@, .Lrest\@
.Lhalves\@:
  blocks store_parts, 2
  b .Lrest\@
.Lquarters\@:
  .if SIZE == 8
    blocks store_parts, 4
    b .Lrest\@
  .endif
.Lwhole\@:
  blocks store_parts, 1
  b .Lrest\@
.Lstream\@:
  blocks store_stream
  b .Lrest\@
.Lpairs\@:
  blocks store_pairs
.Lrest\@:
  cmp P, K
  b.ge .Leight_done\@
.Lrest_loop\@:
  whilelt p1.T, P, K
  load_rows p1
  interleave
  store_scatter
  add P, P, LANES
  cmp P, K
  b.lt .Lrest_loop\@
.Leight_done\@:
.endm

.macro pack_t
  SAVE_X19_TO_X24
  ldp M, N, [STEP, STEP_M]
  ldp K, RSA, [STEP, STEP_K]
  cmp K, #0
  ccmp M, #0, #4, gt          /* as if m were 0 where k is */
  b.le .Ldone\@
  lsl NEXT_K, N, #SHIFT
  COUNT LANES
  ptrue p0.T
.Lpanel\@:
  mov I, #0
.Leight\@:
  eight_rows
  add I, I, #8
  cmp I, N
  b.lt .Leight\@
  ldr TMP, [STEP, STEP_DC]
  madd A, N, RSA, A
  add C, C, TMP
  subs M, M, N
  b.gt .Lpanel\@
.Ldone\@:
  RESTORE_X19_TO_X24
  ret
.endm
