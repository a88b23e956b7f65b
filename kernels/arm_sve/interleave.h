/* Eight rows that lie along k, transposed: three rounds of ZIP1 and ZIP2 make of a vector of each the stream
 * k0: rows 0..7, k1: rows 0..7, ... whatever a vector's length. The eight rows of each k are then stored apart, at TO,
 * TO + CSC, ...: parts of a vector where it holds two or more k, several vectors where a k takes them; or element by
 * element (scatter), which also ends k anywhere and serves vector lengths that are no power of two.
 *
 * The file that includes this has set `out` = the first of eight vector registers from z8 on that are free beside z0
 * to z7, and p0 = all lanes. */

#define STEP x0
#define A x1        /* row 0 of the panel */
#define M x4        /* rows from there on */
#define N x5        /* rows of a panel */
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
#define P x16       /* this k */
#define TO x17      /* where the eight rows of this k go */
#define K x19
#define NEXT_K x20  /* bytes from step to step in the panel */
#define G x21       /* how many of the eight rows the panel has */
#define LANES x22
#define TMP x23
#define COUNTER x24

.altmacro

.macro load_rows mask
  load_a 0, \mask, [ROW0, P, lsl #A_SHIFT]
  load_a 1, \mask, [ROW1, P, lsl #A_SHIFT]
  load_a 2, \mask, [ROW2, P, lsl #A_SHIFT]
  load_a 3, \mask, [ROW3, P, lsl #A_SHIFT]
  load_a 4, \mask, [ROW4, P, lsl #A_SHIFT]
  load_a 5, \mask, [ROW5, P, lsl #A_SHIFT]
  load_a 6, \mask, [ROW6, P, lsl #A_SHIFT]
  load_a 7, \mask, [ROW7, P, lsl #A_SHIFT]
.endm

.macro zip lo, hi, even, odd
  zip1 z\lo\().T, z\even\().T, z\odd\().T
  zip2 z\hi\().T, z\even\().T, z\odd\().T
.endm

/* z0 .. z7 = rows 0 .. 7 to z(out) .. z(out + 7) = the stream. */
.macro interleave
  zip %(out), %(out + 1), 0, 4
  zip %(out + 2), %(out + 3), 2, 6
  zip %(out + 4), %(out + 5), 1, 5
  zip %(out + 6), %(out + 7), 3, 7
  zip 0, 1, %(out), %(out + 2)          /* rows 0 2 4 6 */
  zip 2, 3, %(out + 1), %(out + 3)
  zip 4, 5, %(out + 4), %(out + 6)      /* rows 1 3 5 7 */
  zip 6, 7, %(out + 5), %(out + 7)
  zip %(out), %(out + 1), 0, 4
  zip %(out + 2), %(out + 3), 1, 5
  zip %(out + 4), %(out + 5), 2, 6
  zip %(out + 6), %(out + 7), 3, 7
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

/* 8 / parts lanes: every k takes `parts` vectors. p1 .. p4 = rows of part 0 .. 3. */
.macro store_parts parts
  .set at_v, 0
  .rept 8
    store_part %(out + at_v), %(at_v % \parts)
    .set at_v, at_v + 1
    .if at_v % \parts == 0
      add TO, TO, NEXT_K
    .endif
  .endr
.endm

/* 16 lanes or more: a vector holds two or more k. p1 = rows of the first k, p2 = of the second, TMP = n - 8. */
.macro store_pairs_of reg
  mov COUNTER, LANES
.Lpair\@:
  STORE {z\reg\().T}, p1, [TO]
  STORE {z\reg\().T}, p2, [TO, TMP, lsl #SHIFT]
  add TO, TO, NEXT_K, lsl #1
  subs COUNTER, COUNTER, #16
  b.le .Lpairs_done\@
  ext z\reg\().b, z\reg\().b, z\reg\().b, #(16*SIZE)
  b .Lpair\@
.Lpairs_done\@:
.endm
.macro store_pairs
  .set at_v, 0
  .rept 8
    store_pairs_of %(out + at_v)
    .set at_v, at_v + 1
  .endr
.endm

/* One vector by scatter. z0 = place in the stream, z1 = places before the end of k, z2 = G, z3 = n, z4 = lanes. */
.macro scatter reg
  lsr z5.T, z0.T, #3
  mov z6.d, z0.d
  and z6.T, z6.T, #7
  cmplt p1.T, p0/z, z0.T, z1.T
  cmplt p1.T, p1/z, z6.T, z2.T
  mla z6.T, p0/m, z5.T, z3.T
  STORE {z\reg\().T}, p1, [TO, z6.T, SCATTER]
  add z0.T, z0.T, z4.T
.endm
.macro store_scatter
  sub TMP, K, P
  lsl TMP, TMP, #3
  index z0.T, #0, #1
  mov z1.T, GPR(23)           /* TMP */
  mov z2.T, GPR(21)           /* G */
  mov z3.T, GPR(5)            /* N */
  mov z4.T, GPR(22)           /* LANES */
  .set at_v, 0
  .rept 8
    scatter %(out + at_v)
    .set at_v, at_v + 1
  .endr
  madd TO, LANES, NEXT_K, TO
.endm

/* The row after `row`, or the same where it is the last there is. TMP counts rows. */
.macro next_row row, after
  add TMP, TMP, #1
  add \after, \row, RSA
  cmp TMP, M
  csel \after, \after, \row, lt
.endm

/* ROW0 .. ROW7 = the rows from I on, the last there is repeated; G. */
.macro set_rows
  sub G, N, I
  mov TMP, #8
  cmp G, #8
  csel G, G, TMP, lt
  add TMP, I, #8
  cmp TMP, M
  b.gt .Llast_rows\@
  madd ROW0, I, RSA, A
  add ROW1, ROW0, RSA
  add ROW2, ROW0, RSA, lsl #1
  add ROW3, ROW1, RSA, lsl #1
  add ROW4, ROW0, RSA, lsl #2
  add ROW5, ROW1, RSA, lsl #2
  add ROW6, ROW2, RSA, lsl #2
  add ROW7, ROW3, RSA, lsl #2
  b .Lrows_set\@
.Llast_rows\@:
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
.Lrows_set\@:
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

/* Goes to one of the labels, having set what its way of storing needs: parts of 1, 2 or 4 vectors, pairs, or rest for
 * scatter. */
.macro choose_store whole, halves, quarters, pairs, rest
  sub TMP, LANES, #1
  tst LANES, TMP
  b.ne \rest
  cmp LANES, #8
  b.gt .Lmany\@
  set_parts
  cmp LANES, #8
  b.eq \whole
  .if SIZE == 8
    cmp LANES, #4
    b.lt \quarters
  .endif
  b \halves
.Lmany\@:
  set_pairs
  b \pairs
.endm
