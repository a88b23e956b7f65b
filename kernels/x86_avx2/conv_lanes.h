/* The micro-kernel of convolution whose channels do not mix (TSR_OP_CONV_LANES of kernel.h), for a tile of nv vectors
 * of channels x nr output pixels.
 *
 *   s[i][j]  = sum over taps, in their order, of A[i,p] * B[i,p,j], one fma chain from +0
 *   C[i][j]  = what conv_tile.h makes of it
 *   void kernel(const struct tsr_step *step, tsr_mem a, const struct tsr_conv *b, tsr_mem c)
 *
 * Pixels are operands in memory: a step of k takes nv loads of A and nv*nr FMAs. A last vector that is not full walks
 * the taps by itself, after the others, and masks A and B: lanes beyond the last row multiply zeros. Entries
 * that padding cuts short, loops over tiles, and the end of a tile: conv_tile.h.
 *
 * Live at the loop heads:
 *   ymm(16 - nv*nr) .. ymm15   s, column by column
 *   ymm0 .. ymm(nv-1)          A
 *   ymm0, ymm1                 of a last vector that is not full: A and a pixel */
#include "kernels/x86_avx2/conv_tile.h"

#define RSB r9 /* where conv_tile.h has CSA3 */
#define TAPS_MASK [rsp - 104] /* MASK while the taps are walked */

/* `how` x, y, [column j of B, `offset` bytes down] */
.macro with_pixel_of_four how, x, y, group, j, offset
  .if \j == 0
    \how \x, \y, <[\group + \offset]>
  .elseif \j == 1
    \how \x, \y, <[\group + CSB + \offset]>
  .elseif \j == 2
    \how \x, \y, <[\group + 2*CSB + \offset]>
  .else
    \how \x, \y, <[\group + CSB3 + \offset]>
  .endif
.endm
.macro with_pixel how, x, y, j, offset
  .if \j < 4
    with_pixel_of_four \how, \x, \y, B0, \j, \offset
  .elseif \j < 8
    with_pixel_of_four \how, \x, \y, B4, %(\j - 4), \offset
  .else
    with_pixel_of_four \how, \x, \y, B8, %(\j - 8), \offset
  .endif
.endm
.macro load_edge_row reg, unused, at
  vmovdqu ymm\reg, TAPS_MASK
  vmask ymm\reg, ymm\reg, \at
.endm
.macro multiply_edge acc, a, at
  load_edge_row 1, 0, <\at>
  vfma ymm\acc, ymm\a, ymm1
.endm

/* A walk works on so many vectors of the tile from number from_i on; masks: that is a last one that is not full. */
.macro share_vectors from, count, edge
  .set from_i, \from
  .set vectors, \count
  .set masks, \edge
.endm
.macro load_taps nv
  .set at_i, 0
  .rept vectors
    .if masks
      with_row load_edge_row, 0, 0, 0, %(32*from_i)
    .else
      with_row load, %(at_i), 0, 0, %(32*at_i)
    .endif
    .set at_i, at_i + 1
  .endr
.endm
.macro lanes_column j, nv, nr
  .set at_i, 0
  .rept vectors
    .if masks
      with_pixel multiply_edge, %(16 - \nv*\nr + \j*\nv + from_i), 0, \j, %(32*from_i)
    .else
      with_pixel multiply_from, %(16 - \nv*\nr + \j*\nv + at_i), %(at_i), \j, %(32*at_i)
    .endif
    .set at_i, at_i + 1
  .endr
.endm
.macro next_taps nr
  add A, CSA
  add B0, RSB
  .if \nr > 4
    add B4, RSB
  .endif
  .if \nr > 8
    add B8, RSB
  .endif
.endm

.macro walk_lanes nv, nr
  mov rcx, CONV
  mov TAPS, [rcx + CONV_TAPS]
  cmp TAPS, TAPS_LAST
  je .Lsummed\@
.Lentry\@:
  enter_entry \nr
  cmp dword ptr [TAPS + TAPS_FIRST], \nr << 16 /* first is 0, end nr */
  jne .Lcut\@
  test K, K
  jle .Lnext\@
.Lstep\@:
  load_taps \nv
  .set at_c, 0
  .rept \nr
    lanes_column %(at_c), \nv, \nr
    .set at_c, at_c + 1
  .endr
  next_taps \nr
  dec K
  jnz .Lstep\@
.Lnext\@:
  add TAPS, TAPS_SIZE
  cmp TAPS, TAPS_LAST
  jne .Lentry\@
  jmp .Lsummed\@
.Lcut\@:
  cut_entry \@, .Lnext\@, load_taps, lanes_column, next_taps, \nv, \nr
.Lsummed\@:
.endm

/* The function's body, from the first push to ret. nv <= 2 and nv*nr <= 14. */
.macro lanes_tile nv, nr
  enter
  mov RSB, [STEP + STEP_RSB]
.Ltile\@:
  zero_sums \nv, \nr
  fetch_added \nv, \nr
  mov rbx, ROWS
  sub rbx, \nv*LANES
  jl .Ledge\@
  share_vectors 0, \nv, 0
  walk_lanes \nv, \nr
  jmp .Lwalked\@
.Ledge\@:
  add rbx, LANES
  mask_rows rbx
  vmovdqu ymm0, MASK
  vmovdqu TAPS_MASK, ymm0
  .if \nv > 1
    share_vectors 0, %(\nv - 1), 0
    walk_lanes \nv, \nr
  .endif
  share_vectors %(\nv - 1), 1, 1
  walk_lanes \nv, \nr
.Lwalked\@:
  end_tile 0, \nv, \nr
  next_tile .Ltile\@, 1, \nv*LANES, \nr
.endm
