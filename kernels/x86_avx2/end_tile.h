/* How a kernel writes C: the three endings of a tile, for full vectors and for a last vector that is not full.
 *
 *   C[i][j] = fma(alpha, s, beta * C[i][j]),   fma(alpha, s, +0) when beta == 0,   s with TSR_STORE_SUM
 *
 * The includer defines STEP, C (column 0 of the tile) and CSC (bytes to the next column). Scratch: rax, ymm0 .. ymm3.
 * AVX2 has no masked arithmetic: lanes beyond the last row are given that row's operands, so that they compute what it
 * computes and raise no flag of their own, and are not stored. */
#include "kernels/x86_avx2/lanes.h"

#define MASK [rsp - 32]    /* the rows of a last vector that is not full */
#define SOURCE [rsp - 64]  /* the lane that each of its lanes takes */

/* MASK and SOURCE of a last vector of \rows rows (a register that is lost). */
.macro prepare_edge rows
  mask_lanes 0, \rows, rax
  vmovdqu MASK, ymm0
  dec \rows
  vmovq xmm0, \rows
  clamp_lanes 0
  vmovdqu SOURCE, ymm0
.endm

/* ymm<reg> = the rows of memory's last vector, the last one repeated; ymm<scratch> is lost. */
.macro load_edge reg, base, offset, scratch
  vmovdqu ymm\reg, MASK
  vmovdqu ymm\scratch, SOURCE
  vmask ymm\reg, ymm\reg, [\base + \offset]
  vpermps ymm\reg, ymm\scratch, ymm\reg
.endm

/* One vector, full or not, each of the three ways. ymm0 = alpha, ymm1 = beta. */
.macro update_full acc, offset
  vmulv ymm2, ymm1, [C + \offset]
  vfma ymm2, ymm\acc, ymm0
  vmov [C + \offset], ymm2
.endm
.macro update_edge acc, offset
  load_edge 2, C, \offset, 3
  vmovdqu ymm3, MASK
  vmulv ymm2, ymm2, ymm1
  vfma ymm2, ymm\acc, ymm0
  vmask [C + \offset], ymm3, ymm2
.endm
.macro write_full acc, offset
  vxorps xmm2, xmm2, xmm2
  vfma ymm2, ymm\acc, ymm0
  vmov [C + \offset], ymm2
.endm
.macro write_edge acc, offset
  vmovdqu ymm3, MASK
  vxorps xmm2, xmm2, xmm2
  vfma ymm2, ymm\acc, ymm0
  vmask [C + \offset], ymm3, ymm2
.endm
.macro sum_full acc, offset
  vmov [C + \offset], ymm\acc
.endm
.macro sum_edge acc, offset
  vmovdqu ymm3, MASK
  vmask [C + \offset], ymm3, ymm\acc
.endm

/* Ends every column, walking C from column to column: full vectors one way, a last one that is not full the other. */
.macro end_columns full, edge, nv, nr, edges
  .set at_j, 0
  .rept \nr
    .set at_i, 0
    .rept \nv - \edges
      \full %(16 - \nv*\nr + at_j*\nv + at_i), %(32*at_i)
      .set at_i, at_i + 1
    .endr
    .if \edges
      \edge %(16 - \nv*\nr + at_j*\nv + \nv - 1), %(32*(\nv - 1))
    .endif
    add C, CSC
    .set at_j, at_j + 1
  .endr
.endm

/* From the sums to C, which moves to the end of the last column. */
.macro end_tile nv, nr, edges
  test dword ptr [STEP + STEP_FLAGS], STEP_STORE_SUM
  jnz .Lstore_sum\@
  load_scalar 0, STEP_ALPHA
  mov rax, [STEP + STEP_BETA]
  add rax, rax                /* +0 and -0 become 0 */
  jz .Lno_read\@
  load_scalar 1, STEP_BETA
  end_columns update_full, update_edge, \nv, \nr, \edges
  jmp .Lstored\@
.Lno_read\@:
  end_columns write_full, write_edge, \nv, \nr, \edges
  jmp .Lstored\@
.Lstore_sum\@:
  end_columns sum_full, sum_edge, \nv, \nr, \edges
.Lstored\@:
.endm
