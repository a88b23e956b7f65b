/* TURN of kernel.h: a transposition, with a change of type between 16 bits and f32.
 *
 *   C[i + j*csc] = A[i*rsa + j], i < m, j < n
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Eight rows at a time along all of n, each read a whole vector at a time and transposed by interleave.h, the last
 * vector back from the end of the rows, so that it overlaps the one before it. Rows shorter than a vector, and vector
 * lengths that are no power of two, are gathered: a vector of rows of each column.
 *
 * Live at a loop head: ROW0 .. ROW7 = the rows, P = this column, TO = where it goes, p0 = all lanes, z16 .. z23 = the
 * stream, and the predicates of interleave.h. The file that includes this has a macro `converted` REG that makes z<REG>
 * what is stored; z0 .. z7 and p7 are free to it. */
#include "kernels/arm_asm.h"
#include "kernels/arm_sve/element.h"

#define C x3        /* column 0 of these eight rows */

#include "kernels/arm_sve/interleave.h"

.set out, 16

.macro convert_stream
  .set at_v, 0
  .rept 8
    converted %(out + at_v)
    .set at_v, at_v + 1
  .endr
.endm

/* As store_pairs of interleave.h, columns any distance apart. */
.macro store_two_of reg
  mov COUNTER, LANES
.Lpair\@:
  add TMP, TO, NEXT_K
  STORE {z\reg\().T}, p1, [TO]
  add TO, TMP, NEXT_K
  sub TMP, TMP, #(8 << C_SHIFT)
  STORE {z\reg\().T}, p2, [TMP]
  subs COUNTER, COUNTER, #16
  b.le .Lpairs_done\@
  ext z\reg\().b, z\reg\().b, z\reg\().b, #(16*SIZE)
  b .Lpair\@
.Lpairs_done\@:
.endm
.macro store_twos
  .set at_v, 0
  .rept 8
    store_two_of %(out + at_v)
    .set at_v, at_v + 1
  .endr
.endm

/* All columns of eight rows, stored by `how`. */
.macro turn_eight how, parts
.Lvector\@:
  madd TO, P, NEXT_K, C
  load_rows p0
  interleave
  convert_stream
  \how \parts
  add P, P, LANES
  cmp P, K
  b.ge .Lturned\@
  sub COUNTER, K, LANES
  cmp P, COUNTER
  csel P, P, COUNTER, lt
  b .Lvector\@
.Lturned\@:
.endm

/* Row by row in lanes of 64 bits, as wide as their distances in z24; p1 = rows of the vector. `load` and `store` take
 * the bytes of an element. */
.macro gather_all load, store
  ptrue p0.d
  index z24.d, xzr, RSA
  mov I, #0
  whilelt p1.d, xzr, M
.Lrows\@:
  mov ROW0, A
  mov TO, C
  mov P, K
.Lcolumn\@:
  \load {z16.d}, p1/z, [ROW0, z24.d]
  from_gathered
  converted 16
  \store {z16.d}, p1, [TO]
  add ROW0, ROW0, #(1 << A_SHIFT)
  add TO, TO, NEXT_K
  subs P, P, #1
  b.gt .Lcolumn\@
  cntd TMP
  madd A, TMP, RSA, A
  add C, C, TMP, lsl #C_SHIFT
  incd I
  whilelt p1.d, I, M
  b.first .Lrows\@
.endm

/* z16 = what load_a makes of elements. */
.macro from_gathered
#if defined(TSR_A_F16)
  fcvt z16.s, p0/m, z16.h
#elif defined(TSR_A_BF16)
  lsl z16.d, z16.d, #16
#endif
.endm

.macro turn gather, scatter
  SAVE_X19_TO_X24
  ldp M, K, [STEP, STEP_M]
  ldr RSA, [STEP, STEP_RSA]
  ldr NEXT_K, [STEP, STEP_CSC]
  mov N, M
  COUNT LANES
  ptrue p0.T
  sub TMP, LANES, #1
  tst LANES, TMP
  b.ne .Lgather\@
  cmp K, LANES
  b.lt .Lgather\@
  mov I, #0
.Leight\@:
  set_rows
  mov P, #0
  choose_store .Lwhole\@, .Lhalves\@, .Lquarters\@, .Lpairs\@, .Lgather\@
.Lhalves\@:
  turn_eight store_parts, 2
  b .Lnext\@
.Lquarters\@:
  .if SIZE == 8
    turn_eight store_parts, 4
    b .Lnext\@
  .endif
.Lwhole\@:
  turn_eight store_parts, 1
  b .Lnext\@
.Lpairs\@:
  turn_eight store_twos
.Lnext\@:
  add C, C, #(8 << C_SHIFT)
  add I, I, #8
  cmp I, M
  b.lt .Leight\@
  b .Ldone\@
.Lgather\@:
  gather_all \gather, \scatter
.Ldone\@:
  RESTORE_X19_TO_X24
  ret
.endm
