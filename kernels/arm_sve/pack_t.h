/* PACK_T of kernel.h: m rows that lie along k, into panels of any width n.
 *
 *   C[t*dc + (p*n + i)*size] = A[t*n + i, p]; in the last panel rows from m on repeat row m - 1
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Eight rows at a time, each read a whole vector along k: three rounds of ZIP1 and ZIP2 make of eight vectors the
 * stream k0: rows 0..7, k1: rows 0..7, ... whatever a vector's length. A panel eight rows wide is this stream; in others
 * the eight rows of each k are stored apart: parts of a vector where it holds two or more k, several vectors where a k
 * takes them. What is left of k, and vector lengths that are no power of two, go element by element (scatter).
 *
 * Live at a loop head: ROW0 .. ROW7 = the rows, P = this k, TO = this k of the eight rows in the panel, p0 = all lanes,
 * and the predicates named with each way of storing. */
#include "kernels/arm_asm.h"
#include "kernels/arm_sve/element.h"

#define STEP x0
#define A x1        /* this panel's first row */
#define C x3        /* this panel */
#define M x4        /* rows from this panel on */
#define N x5        /* width of a panel */
#define I x6        /* first of the eight rows */
#define RSA x7
#define ROW0 x8
#define ROW1 x9
#define ROW2 x10
#define ROW3 x11
#define ROW4 x12
#define ROW5 x13
#define ROW6 x14
#define ROW7 x15
#define P x16
#define TO x17
#define K x19
#define CSC x20     /* from step to step in the panel */
#define G x21       /* how many of the eight rows the panel has */
#define LANES x22
#define TMP x23
#define PAIRS x24   /* pairs of k in a vector of 16 or more lanes */

.macro load_rows mask
  LOAD {z0.T}, \mask/z, [ROW0, P, lsl #SHIFT]
  LOAD {z1.T}, \mask/z, [ROW1, P, lsl #SHIFT]
  LOAD {z2.T}, \mask/z, [ROW2, P, lsl #SHIFT]
  LOAD {z3.T}, \mask/z, [ROW3, P, lsl #SHIFT]
  LOAD {z4.T}, \mask/z, [ROW4, P, lsl #SHIFT]
  LOAD {z5.T}, \mask/z, [ROW5, P, lsl #SHIFT]
  LOAD {z6.T}, \mask/z, [ROW6, P, lsl #SHIFT]
  LOAD {z7.T}, \mask/z, [ROW7, P, lsl #SHIFT]
.endm

.macro zip lo, hi, even, odd
  zip1 z\lo\().T, z\even\().T, z\odd\().T
  zip2 z\hi\().T, z\even\().T, z\odd\().T
.endm

/* z0 .. z7 = rows 0 .. 7 to z16 .. z23 = the stream. */
.macro interleave
  zip 16, 17, 0, 4
  zip 18, 19, 2, 6
  zip 20, 21, 1, 5
  zip 22, 23, 3, 7
  zip 0, 1, 16, 18            /* rows 0 2 4 6 */
  zip 2, 3, 17, 19
  zip 4, 5, 20, 22            /* rows 1 3 5 7 */
  zip 6, 7, 21, 23
  zip 16, 17, 0, 4
  zip 18, 19, 1, 5
  zip 20, 21, 2, 6
  zip 22, 23, 3, 7
.endm

.altmacro
.macro store_next reg, i
  STORE {z\reg\().T}, p0, [TO, #\i, mul vl]
.endm
.macro store_part reg, part
  .if \part == 0
    STORE {z\reg\().T}, p1, [TO]
  .elseif \part == 1
    STORE {z\reg\().T}, p2, [TO, #1, mul vl]
  .elseif \part == 2
    STORE {z\reg\().T}, p3, [TO, #2, mul vl]
  .else
    STORE {z\reg\().T}, p4, [TO, #3, mul vl]
  .endif
.endm

/* A panel of eight rows: the stream as it is. */
.macro store_stream
  .set at_v, 0
  .rept 8
    store_next %(16 + at_v), %(at_v)
    .set at_v, at_v + 1
  .endr
  addvl TO, TO, #8
.endm

/* 8 / parts lanes: every k takes `parts` vectors. p1 .. p4 = rows of part 0 .. 3. */
.macro store_parts parts
  .set at_v, 0
  .rept 8
    store_part %(16 + at_v), %(at_v % \parts)
    .set at_v, at_v + 1
    .if at_v % \parts == 0
      add TO, TO, CSC
    .endif
  .endr
.endm

/* 16 lanes or more: a vector holds two or more k. p1 = rows of the first k, p2 = of the second, TMP = n - 8. */
.macro store_pairs_of reg
  mov PAIRS, LANES
.Lpair\@:
  STORE {z\reg\().T}, p1, [TO]
  STORE {z\reg\().T}, p2, [TO, TMP, lsl #SHIFT]
  add TO, TO, CSC, lsl #1
  subs PAIRS, PAIRS, #16
  b.le .Lpairs_done\@
  ext z\reg\().b, z\reg\().b, z\reg\().b, #(16*SIZE)
  b .Lpair\@
.Lpairs_done\@:
.endm
.macro store_pairs
  .set at_v, 0
  .rept 8
    store_pairs_of %(16 + at_v)
    .set at_v, at_v + 1
  .endr
.endm

/* One vector by scatter. z24 = place in the stream, z28 = places before the end of k, z29 = G, z30 = n. */
.macro scatter reg
  lsr z25.T, z24.T, #3
  mov z26.d, z24.d
  and z26.T, z26.T, #7
  cmplt p1.T, p0/z, z24.T, z28.T
  cmplt p1.T, p1/z, z26.T, z29.T
  mla z26.T, p0/m, z25.T, z30.T
  STORE {z\reg\().T}, p1, [TO, z26.T, SCATTER]
  add z24.T, z24.T, z31.T
.endm
.macro store_scatter
  sub TMP, K, P
  lsl TMP, TMP, #3
  mov z28.T, GPR(23)
  index z24.T, #0, #1
  .set at_v, 0
  .rept 8
    scatter %(16 + at_v)
    .set at_v, at_v + 1
  .endr
  madd TO, LANES, CSC, TO
.endm

/* Whole vectors along k while there are any, stored by `how`. */
.macro blocks how, parts
  sub PAIRS, K, LANES
  cmp P, PAIRS
  b.gt .Lblocks_done\@
.Lblock\@:
  load_rows p0
  interleave
  \how \parts
  add P, P, LANES
  sub PAIRS, K, LANES
  cmp P, PAIRS
  b.le .Lblock\@
.Lblocks_done\@:
.endm

/* The row after `row`, or the same where it is the last there is. TMP counts rows. */
.macro next_row row, after
  add TMP, TMP, #1
  add \after, \row, RSA
  cmp TMP, M
  csel \after, \after, \row, lt
.endm

.macro set_rows
  sub TMP, M, #1
  cmp I, TMP
  csel TMP, I, TMP, lt
  madd ROW0, TMP, RSA, A
  next_row ROW0, ROW1
  next_row ROW1, ROW2
  next_row ROW2, ROW3
  next_row ROW3, ROW4
  next_row ROW4, ROW5
  next_row ROW5, ROW6
  next_row ROW6, ROW7
  sub G, N, I
  cmp G, #8
  mov TMP, #8
  csel G, G, TMP, lt
.endm

/* p1 .. p4 = rows of a k that lie in vector 0 .. 3 of it. */
.macro set_parts
  whilelt p1.T, xzr, G
  mov TMP, LANES
  whilelt p2.T, TMP, G
  add TMP, TMP, LANES
  whilelt p3.T, TMP, G
  add TMP, TMP, LANES
  whilelt p4.T, TMP, G
.endm

.macro set_pairs
  mov TMP, #8
  whilelt p3.T, xzr, TMP
  add TMP, TMP, G
  whilelt p2.T, xzr, TMP
  bic p2.b, p0/z, p2.b, p3.b
  whilelt p1.T, xzr, G
  sub TMP, N, #8
.endm

.macro eight_rows
  set_rows
  add TO, C, I, lsl #SHIFT
  mov P, #0
  cmp N, #8
  b.eq .Lstream\@
  sub TMP, LANES, #1
  tst LANES, TMP
  b.ne .Lrest\@
  cmp LANES, #8
  b.gt .Lpairs\@
  set_parts
  cmp LANES, #8
  b.eq .Lwhole\@
  .if SIZE == 8
    cmp LANES, #4
    b.lt .Lquarters\@
  .endif
  blocks store_parts, 2
  b .Lrest\@
  .if SIZE == 8
.Lquarters\@:
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
  set_pairs
  blocks store_pairs
.Lrest\@:
  cmp P, K
  b.ge .Leight_done\@
  mov z29.T, GPR(21)
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
  lsl CSC, N, #SHIFT
  COUNT LANES
  ptrue p0.T
  mov z30.T, GPR(5)
  mov z31.T, GPR(22)
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
