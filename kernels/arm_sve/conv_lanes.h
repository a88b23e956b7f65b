/* The micro-kernel for channels that do not mix (TSR_OP_CONV_LANES of kernel.h: depthwise convolution), for a tile of
 * nv vectors x nr columns, whatever a vector's length. A column is an output pixel, a lane a channel.
 *
 *   s[i][j]  = sum over the entries of taps, p < k of A[i, entry a + p] * x[i, entry b + p, j], one fma chain from +0
 *              in their order; entries leave out the columns before `first` and from `end` on
 *   C[i][j]  = what conv_end.h makes of s
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c), b = struct tsr_conv
 *
 * Loads hold this up, one for each FMLA. So where taps lie as far apart as columns or half as far (a stride of 1 or 2)
 * and an entry has all columns, three taps slide over the row: a vector of x is loaded once and multiplied for each
 * column that it belongs to, which comes to one load for two or three FMLA. Where an entry lacks columns, a bit of MASK
 * is tested for each: a column that is left out is neither read nor multiplied. Nor is any row beyond m.
 *
 * Live at the loop heads:
 *   z(acc) .. z31      s, column by column; acc = 32 - nv*nr
 *   z0 .. z(nv-1)      A of one tap, or z0 .. z(3*nv-1) of three
 *   from there on      x
 *   p0  all lanes      p1  rows of the last vector */
#include "kernels/arm_sve/conv_end.h"

#define B x4        /* this tap, column 0 */
#define BJ x5       /* this tap, the next column */
#define RSB x9
#define SLIDES x10  /* columns are so many taps apart: 1 or 2, else 0 */

#define WINDOW 3    /* taps that slide together */

.macro load_weight reg, i
  LOAD {z\reg\().T}, p0/z, [A, #\i, mul vl]
.endm
.macro load_x reg, i, mask
  LOAD {z\reg\().T}, \mask/z, [BJ, #\i, mul vl]
.endm
.macro multiply acc, a, b, mask
  fmla z\acc\().T, \mask/m, z\a\().T, z\b\().T
.endm

/* A of one tap from z<to> on, and on to the next tap. */
.macro load_weights nv, to
  .set at_i, 0
  .rept \nv
    load_weight %(\to + at_i), %(at_i)
    .set at_i, at_i + 1
  .endr
  add A, A, CSA
.endm
/* The vectors of x at BJ into the next registers from z(at_x) on. */
.macro load_pixel nv, first
  .if at_x + \nv > low
    .set at_x, \first
  .endif
  .set at_i, 0
  .rept \nv
    .if at_i + 1 == \nv
      load_x %(at_x + at_i), %(at_i), p1
    .else
      load_x %(at_x + at_i), %(at_i), p0
    .endif
    .set at_i, at_i + 1
  .endr
.endm
/* Column j takes that pixel by the weights from z<w> on. */
.macro multiply_pixel nv, j, w
  .set at_i, 0
  .rept \nv
    .if at_i + 1 == \nv
      multiply %(acc + \j*\nv + at_i), %(\w + at_i), %(at_x + at_i), p1
    .else
      multiply %(acc + \j*\nv + at_i), %(\w + at_i), %(at_x + at_i), p0
    .endif
    .set at_i, at_i + 1
  .endr
.endm

/* Three taps of all columns, which are `stride` taps apart. */
.macro slide nv, nr, stride
  .set at_p, 0
  .rept WINDOW
    load_weights \nv, %(at_p*\nv)
    .set at_p, at_p + 1
  .endr
  mov BJ, B
  .set at_x, WINDOW*\nv
  .set at_t, 0
  .rept (\nr - 1)*\stride + WINDOW
    load_pixel \nv, WINDOW*\nv
    add BJ, BJ, RSB
    .set at_p, 0
    .rept WINDOW
      .set at_j, (at_t - at_p) / \stride
      .if at_t - at_p == at_j*\stride
        .if at_t >= at_p
          .if at_j + 1 <= \nr
            multiply_pixel \nv, %(at_j), %(at_p*\nv)
          .endif
        .endif
      .endif
      .set at_p, at_p + 1
    .endr
    .set at_x, at_x + \nv
    .set at_t, at_t + 1
  .endr
  add B, B, RSB, lsl #1
  add B, B, RSB
.endm
.macro slide_loop nv, nr, stride
.Lslide\@:
  slide \nv, \nr, \stride
  sub K, K, #WINDOW
  cmp K, #WINDOW
  b.ge .Lslide\@
.endm

.macro column masked, nv, j
  .if \masked
    tbz MASK, #\j, .Lwithout\@
  .endif
  load_pixel \nv, \nv
  multiply_pixel \nv, \j, 0
.Lwithout\@:
  add BJ, BJ, CSB
.endm
/* One tap of all columns, or of those that MASK has. */
.macro tap_loop masked, nv, nr
.Ltap\@:
  load_weights \nv, 0
  mov BJ, B
  .set at_x, \nv
  .set at_j, 0
  .rept \nr
    column \masked, \nv, %(at_j)
    .set at_x, at_x + \nv
    .set at_j, at_j + 1
  .endr
  add B, B, RSB
  subs K, K, #1
  b.gt .Ltap\@
.endm

/* The function's body, from entry to ret: nv*nr <= 24 and, with nr > 1, nv <= 2. */
.macro conv_lanes nv, nr
  begin_tiles \nv, \nr
  ldr RSB, [STEP, STEP_RSB]
  cmp CSB, RSB
  cset SLIDES, eq
  cmp CSB, RSB, lsl #1
  cinc SLIDES, SLIDES, eq
  cinc SLIDES, SLIDES, eq     /* both where they are 0 */
.Ltile\@:
  begin_tile \nv, \nr
  cmp TAPS, TAPS_LAST
  b.hs .Lend\@
.Ltaps\@:
  read_taps \nr, .Lnext_taps\@
  cbz K, .Lnext_taps\@
  b.ne .Lsome\@
  .if \nr > 1
    cmp K, #WINDOW
    b.lt .Ltaps_left\@
    tbnz SLIDES, #0, .Lbeside\@
    tbz SLIDES, #1, .Lapart\@
    slide_loop \nv, \nr, 2
    b .Ltaps_left\@
.Lbeside\@:
    slide_loop \nv, \nr, 1
.Ltaps_left\@:
    cbz K, .Lnext_taps\@
  .endif
.Lapart\@:
  tap_loop 0, \nv, \nr
  b .Lnext_taps\@
.Lsome\@:
  tap_loop 1, \nv, \nr
.Lnext_taps\@:
  add TAPS, TAPS, #TAPS_SIZE
  cmp TAPS, TAPS_LAST
  b.lo .Ltaps\@
.Lend\@:
  finish_tile \nv, \nr
  next_tile \nv, \nr, 1, .Ltile\@
.endm
