/* The micro-kernel of convolution whose channels do not mix (TSR_OP_CONV_LANES of kernel.h), for a tile of nv vectors
 * of channels x nr output pixels.
 *
 *   s[i][j]  = sum over taps, in their order, of A[i,p] * B[i,p,j], one fma chain from +0
 *   C[i][j]  = what conv_tile.h makes of it
 *   void kernel(const struct tsr_step *step, tsr_mem a, const struct tsr_conv *b, tsr_mem c)
 *
 * Pixels are operands in memory: a step of k takes nv loads of A and nv*nr FMAs. A tile whose last vector is not full
 * walks its taps in code of its own, which masks that vector of A and B: lanes beyond the last row multiply zeros and
 * raise no flag, until the end repeats the last row in them. An entry that padding cuts short on the left is entered at
 * its first column, on the right at its last one and walked backwards, so that neither needs a compare. Loops over
 * tiles, and the end of a tile: conv_tile.h.
 *
 * Live at the loop heads:
 *   ymm(16 - nv*nr) .. ymm15   s, column by column
 *   ymm0 .. ymm(nv-1)          A
 *   ymm2, ymm3                 in a tile whose last vector is not full: a pixel and the mask of the rows there are */
#include "kernels/x86_avx2/conv_tile.h"

#define RSB r9 /* where conv_tile.h has CSA3 */

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
  vmask ymm\reg, ymm3, \at
.endm
.macro multiply_edge acc, a, at
  vmask ymm2, ymm3, \at
  vfma ymm\acc, ymm\a, ymm2
.endm
.macro repeat_vector acc, offset, edge
  .if \edge
    vpermps ymm\acc, ymm3, ymm\acc
  .endif
.endm

.macro load_taps nv, edge
  .set at_i, 0
  .rept \nv
    .if at_i + 1 == \nv*\edge
      with_row load_edge_row, %(at_i), 0, 0, %(32*at_i)
    .else
      with_row load, %(at_i), 0, 0, %(32*at_i)
    .endif
    .set at_i, at_i + 1
  .endr
.endm
.macro lanes_column j, nv, nr, edge
  .set at_i, 0
  .rept \nv
    .if at_i + 1 == \nv*\edge
      with_pixel multiply_edge, %(16 - \nv*\nr + \j*\nv + at_i), %(at_i), \j, %(32*at_i)
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

.macro lanes_label id, side, j
.L\side\()_\id\()_\j:
.endm
.macro lanes_entry id, side, j
  .long .L\side\()_\id\()_\j - .Llanes_\id
.endm

/* K steps of the columns from where COLUMN leads: to the last one, or backwards to the first. */
.macro lanes_steps id, side, nv, nr, edge
.L\side\()_\id:
  load_taps \nv, \edge
  notrack jmp COLUMN
  .set at_c, 0
  .rept \nr
    .ifc \side, left
      .set at_l, at_c
    .else
      .set at_l, \nr - 1 - at_c
    .endif
    lanes_label \id, \side, %(at_l)
    lanes_column %(at_l), \nv, \nr, \edge
    .set at_c, at_c + 1
  .endr
  next_taps \nr
  dec K
  jnz .L\side\()_\id
.endm

/* Padding on both sides of so few columns is rare. */
.macro lanes_between j, nv, nr, edge
  cmp ecx, \j
  jg .Lnot_this\@
  cmp LAST, \j
  jle .Lnot_this\@
  lanes_column \j, \nv, \nr, \edge
.Lnot_this\@:
.endm

/* An entry whose columns are COLUMN's number, in ecx, up to LAST, or none; to label `next`. K is at least 1. */
.macro lanes_cut id, next, nv, nr, edge
  movsx ecx, word ptr [TAPS + TAPS_FIRST]
  movsx LAST, word ptr [TAPS + TAPS_END]
  test ecx, ecx
  jns .Lfirst_\id
  xor ecx, ecx
.Lfirst_\id:
  cmp LAST, \nr
  jle .Llast_\id
  mov LAST, \nr
.Llast_\id:
  cmp ecx, LAST
  jge \next
  cmp LAST, \nr
  jne .Lnot_left_\id
  lea r13, [rip + .Llanes_\id]
  movsxd COLUMN, dword ptr [r13 + 4*rcx]
  add COLUMN, r13
  lanes_steps \id, left, \nv, \nr, \edge
  jmp \next
.Lnot_left_\id:
  test ecx, ecx
  jnz .Lboth_\id
  lea rcx, [rip + .Llanes_\id]
  movsxd r13, dword ptr [rcx + 4*r13 + 4*\nr - 4]
  add COLUMN, r13
  lanes_steps \id, right, \nv, \nr, \edge
  jmp \next
.Lboth_\id:
  load_taps \nv, \edge
  .set at_c, 0
  .rept \nr
    lanes_between %(at_c), \nv, \nr, \edge
    .set at_c, at_c + 1
  .endr
  next_taps \nr
  dec K
  jnz .Lboth_\id
  jmp \next
  .section .rodata
  .p2align 2
.Llanes_\id:
  .set at_c, 0
  .rept \nr
    lanes_entry \id, left, %(at_c)
    .set at_c, at_c + 1
  .endr
  .set at_c, 0
  .rept \nr
    lanes_entry \id, right, %(at_c)
    .set at_c, at_c + 1
  .endr
  .text
.endm

.macro walk_lanes nv, nr, edge
  mov rcx, CONV
  mov TAPS, [rcx + CONV_TAPS]
  cmp TAPS, TAPS_LAST
  je .Lsummed\@
.Lentry\@:
  enter_entry \nr
  test K, K
  jle .Lnext\@
  cmp dword ptr [TAPS + TAPS_FIRST], \nr << 16 /* first is 0, end nr */
  jne .Lcut\@
.Lstep\@:
  load_taps \nv, \edge
  .set at_c, 0
  .rept \nr
    lanes_column %(at_c), \nv, \nr, \edge
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
  lanes_cut \@, .Lnext\@, \nv, \nr, \edge
.Lsummed\@:
.endm

/* The function's body, from the first push to ret. nv <= 2 and nv*nr <= 12. */
.macro lanes_tile nv, nr
  enter
  mov RSB, [STEP + STEP_RSB]
.Ltile\@:
  zero_sums \nv, \nr
  fetch_added \nv, \nr
  mov rbx, ROWS
  sub rbx, \nv*LANES
  jl .Ledge\@
  walk_lanes \nv, \nr, 0
  jmp .Lwalked\@
.Ledge\@:
  add rbx, LANES
  mask_lanes 3, rbx, rax
  walk_lanes \nv, \nr, 1
.Lwalked\@:
  end_tile \nv, \nr, repeat
  next_tile .Ltile\@, 1, \nv*LANES, \nr
.endm
