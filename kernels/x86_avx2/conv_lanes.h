/* The micro-kernel of convolution whose channels do not mix (TSR_OP_CONV_LANES of kernel.h), for a tile of nv vectors
 * of channels x nr output pixels.
 *
 *   s[i][j]  = sum over taps, in their order, of A[i,p] * B[i,p,j], one fma chain from +0
 *   C[i][j]  = what conv_tile.h makes of it
 *   void kernel(const struct tsr_step *step, tsr_mem a, const struct tsr_conv *b, tsr_mem c)
 *
 * Pixels are operands in memory: a step of k takes nv loads of A and nv*nr FMAs. A last vector that is not full walks
 * the taps by itself, after the others, and masks A and B: lanes beyond the last row multiply zeros. An entry that padding cuts short on the left is entered at
 * its first column, on the right at its last one and walked backwards, so that neither needs a compare. Loops over
 * tiles, and the end of a tile: conv_tile.h.
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

/* Which vectors of the tile of nv a walk works on: `part` is all of them, those before the last, or the last one, that
 * is not full. */
.macro share_vectors part, nv
  .set from_i, 0
  .set vectors, \nv
  .ifc \part, before
    .set vectors, \nv - 1
  .endif
  .ifc \part, edge
    .set from_i, \nv - 1
    .set vectors, 1
  .endif
.endm
.macro load_taps part
  .set at_i, 0
  .rept vectors
    .ifc \part, edge
      with_row load_edge_row, 0, 0, 0, %(32*from_i)
    .else
      with_row load, %(at_i), 0, 0, %(32*at_i)
    .endif
    .set at_i, at_i + 1
  .endr
.endm
.macro lanes_column part, j, nv, nr
  .set at_i, 0
  .rept vectors
    .ifc \part, edge
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

.macro lanes_label id, side, j
.L\side\()_\id\()_\j:
.endm
.macro lanes_entry id, side, j
  .long .L\side\()_\id\()_\j - .Llanes_\id
.endm

/* K steps of the columns from where COLUMN leads: to the last one, or backwards to the first. */
.macro lanes_steps part, id, side, nv, nr
.L\side\()_\id:
  load_taps \part
  notrack jmp COLUMN
  .set at_c, 0
  .rept \nr
    .ifc \side, left
      .set at_l, at_c
    .else
      .set at_l, \nr - 1 - at_c
    .endif
    lanes_label \id, \side, %(at_l)
    lanes_column \part, %(at_l), \nv, \nr
    .set at_c, at_c + 1
  .endr
  next_taps \nr
  dec K
  jnz .L\side\()_\id
.endm

/* Padding on both sides of so few columns is rare. */
.macro lanes_between part, j, nv, nr
  cmp ecx, \j
  jg .Lnot_this\@
  cmp LAST, \j
  jle .Lnot_this\@
  lanes_column \part, \j, \nv, \nr
.Lnot_this\@:
.endm

/* An entry whose columns are COLUMN's number, in ecx, up to LAST, or none; to label `next`. K is at least 1. */
.macro lanes_cut part, id, next, nv, nr
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
  lanes_steps \part, \id, left, \nv, \nr
  jmp \next
.Lnot_left_\id:
  test ecx, ecx
  jnz .Lboth_\id
  lea rcx, [rip + .Llanes_\id]
  movsxd r13, dword ptr [rcx + 4*r13 + 4*\nr - 4]
  add COLUMN, r13
  lanes_steps \part, \id, right, \nv, \nr
  jmp \next
.Lboth_\id:
  load_taps \part
  .set at_c, 0
  .rept \nr
    lanes_between \part, %(at_c), \nv, \nr
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

.macro walk_lanes part, nv, nr
  share_vectors \part, \nv
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
  load_taps \part
  .set at_c, 0
  .rept \nr
    lanes_column \part, %(at_c), \nv, \nr
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
  lanes_cut \part, \@, .Lnext\@, \nv, \nr
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
  walk_lanes all, \nv, \nr
  jmp .Lwalked\@
.Ledge\@:
  add rbx, LANES
  mask_rows rbx
  vmovdqu ymm0, MASK
  vmovdqu TAPS_MASK, ymm0
  .if \nv > 1
    walk_lanes before, \nv, \nr
  .endif
  walk_lanes edge, \nv, \nr
.Lwalked\@:
  end_tile 0, \nv, \nr
  next_tile .Ltile\@, 1, \nv*LANES, \nr
.endm
