/* TSR_OP_UPDATE and TSR_OP_SCALE of kernel.h, column by column.
 *
 *   update:  C[i][j] = fma(alpha, A[i,j], beta * C[i][j])      A[i,j] at a + j * csa + i * size, sums of a block of k
 *   scale:   C[i][j] = beta * C[i][j]
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * C is not read when beta == 0. Live in the loop: ymm0 alpha, ymm1 beta, ymm12 and ymm13 the last vector's mask and the
 * lane each of its lanes takes, whose last row repeats (end_tile.h says why). */
#include "kernels/x86_avx2/lanes.h"

#define STEP rdi
#define A rsi
#define C rcx
#define OFFSET rdx  /* of this vector in its column */
#define M r8        /* rows left in the column */
#define COLUMNS r9
#define BETA_BITS r10

.macro start
  load_scalar 0, STEP_ALPHA
  load_scalar 1, STEP_BETA
  mov BETA_BITS, [STEP + STEP_BETA]
  add BETA_BITS, BETA_BITS    /* +0 and -0 become 0 */
  mov COLUMNS, [STEP + STEP_N]
  mov M, [STEP + STEP_M]
  and M, LANES - 1
  mask_lanes 12, M, rax
  dec M
  vmovq xmm13, M
  clamp_lanes 13
.endm

/* ymm<reg> = the vector at \base + OFFSET, whole or the last. */
.macro load_whole reg, base
  vmov ymm\reg, [\base + OFFSET]
.endm
.macro load_last reg, base
  vmask ymm\reg, ymm12, [\base + OFFSET]
  vpermps ymm\reg, ymm13, ymm\reg
.endm

/* ymm2 = beta * C, or +0. */
.macro load_y load
  vxorps xmm2, xmm2, xmm2
  test BETA_BITS, BETA_BITS
  jz .Lno_read\@
  \load 2, C
  vmulv ymm2, ymm2, ymm1
.Lno_read\@:
.endm

.macro update_vector load
  load_y \load
  \load 3, A
  vfma ymm2, ymm3, ymm0
.endm
.macro scale_vector load
  load_y \load
.endm

/* Every vector of every column by \vector. */
.macro for_columns vector
  start
.Lcolumn\@:
  mov M, [STEP + STEP_M]
  xor OFFSET, OFFSET
  sub M, LANES
  jl .Llast\@
.Lwhole\@:
  \vector load_whole
  vmov [C + OFFSET], ymm2
  add OFFSET, 32
  sub M, LANES
  jge .Lwhole\@
.Llast\@:
  add M, LANES
  jz .Lnext\@
  \vector load_last
  vmask [C + OFFSET], ymm12, ymm2
.Lnext\@:
  add A, [STEP + STEP_CSA]
  add C, [STEP + STEP_CSC]
  dec COLUMNS
  jnz .Lcolumn\@
  vzeroupper
  ret
.endm
