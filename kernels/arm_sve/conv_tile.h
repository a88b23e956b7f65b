/* The convolution micro-kernel (TSR_OP_CONV of kernel.h) for a tile of nv vectors x nr columns, whatever a vector's
 * length. A column is an output pixel, a lane an output channel.
 *
 *   s[i][j]  = sum over the entries of taps, p < k of A[i, entry a + p] * x[entry b + p, j], one fma chain from +0 in
 *              their order; entries leave out the columns before `first` and from `end` on
 *   C[i][j]  = what conv_end.h makes of s
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c), b = struct tsr_conv
 *
 * Of integers (TSR_DOT) an element is four taps side by side in 4 bytes, s8 in A, and the product is their dot product.
 *
 * A column of B is a pointer in a general register, so that four k of it are loads with four displacements (LD1R) and
 * one addition, through any stride. Where an entry has all columns four k make a round of the loop. Where it lacks
 * some, and for what is left of k, a bit of MASK is tested for each column: a column that is left out is neither read
 * nor multiplied. Panels are filled up, so A is taken in whole vectors. A tile of one vector takes B four columns by a
 * few k (LD1RQ), except on A64FX, the one CPU with vectors of 64 bytes, whose FMLA by element is slow.
 *
 * Live at the loop heads:
 *   z(acc) .. z31       s, column by column; acc = 32 - nv*nr
 *   z0 .. z(na-1)       A of one k or of a few
 *   z(na) .. z(low-1)   B
 *   x4 .. x17, x19, x20 columns of B     p0  all lanes     p1  rows of the last vector (for the end) */
#include "kernels/arm_sve/conv_end.h"

#define ROUND 4 /* k of a round */

/* few: how many k of A registers hold; na for A, nb for B. */
.macro share_rest nv
  .set few, 4 / \nv
  .rept 3
    .if few > 1 && few*\nv + 2 > low
      .set few, few - 1
    .endif
  .endr
  .set na, few*\nv
  .set nb, low - na
.endm

.macro load_vector reg, i
  LOAD {z\reg\().T}, p0/z, [A, #\i, mul vl]
.endm
/* z<reg>, just loaded, is made unsigned where bytes are signed: plus 128. */
.macro as_factor reg
#if defined(TSR_DOT_S8)
  eor z\reg\().b, z\reg\().b, #0x80
#endif
.endm
.macro load_element reg, column, p
  LOAD_ONE {z\reg\().T}, p0/z, [x\column, #(SIZE*\p)]
  as_factor \reg
.endm
.macro advance column, steps
  add x\column, x\column, #(SIZE*\steps)
.endm
.macro multiply acc, a, b
#if defined(TSR_DOT)
  usdot z\acc\().s, z\b\().b, z\a\().b
#else
  fmla z\acc\().T, p0/m, z\a\().T, z\b\().T
#endif
.endm

/* x<to> = x<from> plus CSB << shift */
.macro set_column to, from, shift
  add x\to, x\from, CSB, lsl #\shift
.endm
/* The pointers to the columns, from x4 on. */
.macro set_columns nr
  .set at_j, 1
  .rept \nr - 1
    .if at_j >= 8
      set_column %(4 + at_j + at_j/14), %(4 + at_j - 8), 3
    .elseif at_j >= 4
      set_column %(4 + at_j), %(4 + at_j - 4), 2
    .elseif at_j >= 2
      set_column %(4 + at_j), %(4 + at_j - 2), 1
    .else
      set_column %(4 + at_j), %(4 + at_j - 1), 0
    .endif
    .set at_j, at_j + 1
  .endr
.endm

/* z<at_a> .. = A of the k number p. */
.macro load_k nv, p
  .set at_a, (\p % few)*\nv
  .set at_i, 0
  .rept \nv
    load_vector %(at_a + at_i), %(at_i)
    .set at_i, at_i + 1
  .endr
  add A, A, CSA
.endm
.macro multiply_column nv, j, b
  .set at_i, 0
  .rept \nv
    multiply %(acc + \j*\nv + at_i), %(at_a + at_i), \b
    .set at_i, at_i + 1
  .endr
.endm

.macro round nv, nr
  .set at_p, 0
  .set at_b, 0
  .rept ROUND
    load_k \nv, %(at_p)
    .set at_j, 0
    .rept \nr
      load_element %(na + at_b % nb), %(4 + at_j + at_j/14), %(at_p)
      .if at_p + 1 == ROUND
        advance %(4 + at_j + at_j/14), ROUND
      .endif
      multiply_column \nv, %(at_j), %(na + at_b % nb)
      .set at_b, at_b + 1
      .set at_j, at_j + 1
    .endr
    .set at_p, at_p + 1
  .endr
.endm

/* A round of a tile of one vector, which loads would hold up: LD1RQ brings PER_QUAD k of a column, FMLA picks one. */
.macro load_quad reg, column, p
  LOAD_QUAD {z\reg\().T}, p0/z, [x\column, #(SIZE*\p)]
  as_factor \reg
.endm
.macro multiply_element acc, a, b, e
#if defined(TSR_DOT)
  sudot z\acc\().s, z\a\().b, z\b\().b[\e]
#else
  fmla z\acc\().T, z\a\().T, z\b\().T[\e]
#endif
.endm
/* PER_QUAD k, from number p on, of the columns from j on. */
.macro multiply_quads j, columns, p
  .set at_b, 0
  .rept \columns
    load_quad %(na + at_b), %(4 + \j + at_b + (\j + at_b)/14), \p
    .set at_b, at_b + 1
  .endr
  .set at_e, 0
  .rept PER_QUAD
    .set at_b, 0
    .rept \columns
      multiply_element %(acc + \j + at_b), %(\p + at_e), %(na + at_b), %(at_e)
      .set at_b, at_b + 1
    .endr
    .set at_e, at_e + 1
  .endr
.endm
.macro round_of_quads nr
  .set at_p, 0
  .rept ROUND
    load_k 1, %(at_p)
    .set at_p, at_p + 1
  .endr
  .set at_j, 0
  .rept (\nr + 3) / 4
    .set beside, 4
    .if at_j + 4 > \nr
      .set beside, \nr - at_j
    .endif
    .set at_p, 0
    .rept ROUND / PER_QUAD
      multiply_quads %(at_j), %(beside), %(at_p)
      .set at_p, at_p + PER_QUAD
    .endr
    .rept beside
      advance %(4 + at_j + at_j/14), ROUND
      .set at_j, at_j + 1
    .endr
  .endr
.endm

/* `steps` k of column j, if it has them. */
.macro masked_column nv, j, steps
  tbz MASK, #\j, .Lwithout\@
  .set at_p, 0
  .rept \steps
    .set at_a, at_p*\nv
    load_element %(na + at_b % nb), %(4 + \j + \j/14), %(at_p)
    multiply_column \nv, \j, %(na + at_b % nb)
    .set at_b, at_b + 1
    .set at_p, at_p + 1
  .endr
  advance %(4 + \j + \j/14), \steps
.Lwithout\@:
.endm
.macro masked nv, nr, steps
  .set at_p, 0
  .rept \steps
    load_k \nv, %(at_p)
    .set at_p, at_p + 1
  .endr
  .set at_b, 0
  .set at_j, 0
  .rept \nr
    masked_column \nv, %(at_j), \steps
    .set at_j, at_j + 1
  .endr
.endm

/* The function's body, from entry to ret: nv*nr + nv + 2 <= 32. */
.macro conv_tile nv, nr
  begin_tiles \nv, \nr
  share_rest \nv
.Ltile\@:
  begin_tile \nv, \nr
  cmp TAPS, TAPS_LAST
  b.hs .Lend\@
.Ltaps\@:
  read_taps \nr, .Lnext_taps\@
  set_columns \nr
  b.ne .Lsome\@
  .if \nv == 1
    cntb MASK
    cmp MASK, #64
    mov MASK, #((1 << \nr) - 1)
    b.eq .Lsome\@
  .endif
  subs K, K, #ROUND
  b.lt .Lrounds_done\@
  .p2align 5
.Lround\@:
  .if \nv == 1
    round_of_quads \nr
  .else
    round \nv, \nr
  .endif
  subs K, K, #ROUND
  b.ge .Lround\@
.Lrounds_done\@:
  add K, K, #ROUND
.Lsome\@:
  .if few > 1
    subs K, K, #few
    b.lt .Lfew_done\@
.Lfew\@:
    masked \nv, \nr, few
    subs K, K, #few
    b.ge .Lfew\@
.Lfew_done\@:
    add K, K, #few
  .endif
  cbz K, .Lnext_taps\@
.Lone\@:
  masked \nv, \nr, 1
  subs K, K, #1
  b.gt .Lone\@
.Lnext_taps\@:
  add TAPS, TAPS, #TAPS_SIZE
  cmp TAPS, TAPS_LAST
  b.lo .Ltaps\@
.Lend\@:
  finish_tile \nv, \nr
  next_tile \nv, \nr, 0, .Ltile\@
.endm
