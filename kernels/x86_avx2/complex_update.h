/* TSR_OP_UPDATE, TSR_OP_UPDATE_T and TSR_OP_SCALE of kernel.h for complex types.
 *
 *   update:  C[i][j] = beta * C[i][j] + alpha * A[i,j]     A[i,j] at a + j * csa + i * size, sums of a block of k
 *   update_t: the same with C[i][j] at c + i * csc + j * size, one element at a time
 *   scale:   C[i][j] = beta * C[i][j]
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * C is not read when both parts of beta are 0. Live in the loops: ymm0, ymm1 alpha's real part and (-im, im);
 * ymm2, ymm3 beta's; ymm4 y, ymm5 s, ymm6 free; ymm12 and ymm13 the last vector's mask and the lane each of its lanes takes. */
#include "kernels/x86_avx2/lanes.h"
#include "kernels/x86_avx2/complex_lanes.h"

#define STEP rdi
#define A rsi
#define C rcx
#define OFFSET rdx  /* of this vector in its column */
#define M r8        /* rows left in the column */
#define COLUMNS r9
#define WHAT r10    /* what is to be done, of: */
#define READ_C 1
#define TURN_C 2
#define TURN_S 4
#define ROW (2*SIZE)

/* WHAT gets `bit` if the scalar is not 0. */
.macro if_scalar field, bit
  mov rax, [STEP + \field]
  add rax, rax                /* +0 and -0 become 0 */
  jz .Lzero\@
  or WHAT, \bit
.Lzero\@:
.endm

.macro start
  xor r10d, r10d
  if_scalar STEP_ALPHA_IM, TURN_S
  if_scalar STEP_BETA, READ_C
  if_scalar STEP_BETA_IM, READ_C | TURN_C
  load_scalar 0, STEP_ALPHA
  load_scalar 2, STEP_BETA
  load_turn 1, STEP_ALPHA_IM
  load_turn 3, STEP_BETA_IM
  mov COLUMNS, [STEP + STEP_N]
.endm

/* y = beta * y and y = y + alpha * s, in registers of either size. */
#define SCALE_Y(y, free, re, im) \
  vswap(free, y); \
  vmulv y, y, re; \
  test WHAT, TURN_C; \
  jz 1f; \
  vfma y, free, im; \
1:
#define ADD_S(y, s, re, im) \
  vfma y, s, re; \
  test WHAT, TURN_S; \
  jz 2f; \
  vswap(s, s); \
  vfma y, s, im; \
2:

/* ymm<reg> = the vector at \base + OFFSET, whole or the last. */
.macro load_whole reg, base
  vmov ymm\reg, [\base + OFFSET]
.endm
.macro load_last reg, base
  vmask ymm\reg, ymm12, [\base + OFFSET]
  vpermps ymm\reg, ymm13, ymm\reg
.endm

.macro load_y load
  vxor ymm4, ymm4, ymm4
  test WHAT, READ_C
  jz .Lno_read\@
  \load 4, C
  SCALE_Y(ymm4, ymm6, ymm2, ymm3)
.Lno_read\@:
.endm
.macro update_vector load
  load_y \load
  \load 5, A
  ADD_S(ymm4, ymm5, ymm0, ymm1)
.endm
.macro scale_vector load
  load_y \load
.endm

/* Every vector of every column by \vector. */
.macro for_columns vector
  start
  mov M, [STEP + STEP_M]
  and M, ROWS_OF_VECTOR - 1
  clamp_rows 13, M
  add M, M
  mask_lanes 12, M, rax
.Lcolumn\@:
  mov M, [STEP + STEP_M]
  xor edx, edx
  sub M, ROWS_OF_VECTOR
  jl .Llast\@
.Lwhole\@:
  \vector load_whole
  vmov [C + OFFSET], ymm4
  add OFFSET, 32
  sub M, ROWS_OF_VECTOR
  jge .Lwhole\@
.Llast\@:
  add M, ROWS_OF_VECTOR
  jz .Lnext\@
  \vector load_last
  vmask [C + OFFSET], ymm12, ymm4
.Lnext\@:
  add A, [STEP + STEP_CSA]
  add C, [STEP + STEP_CSC]
  dec COLUMNS
  jnz .Lcolumn\@
  vzeroupper
  ret
.endm

/* One element, in both halves of a register if that is twice as large: no lane computes with what is not there. */
#if defined(TSR_ELEMENT_F32)
#define load_one vmovddup
#define store_one vmovlps
#else
#define load_one vmovupd
#define store_one vmovupd
#endif

.macro update_t
  start
  mov M, [STEP + STEP_M]
.Lrow\@:
  mov COLUMNS, [STEP + STEP_N]
  mov rax, A                  /* this column of the row, of A and of C */
  mov rdx, C
.Lelement\@:
  vxor xmm4, xmm4, xmm4
  test WHAT, READ_C
  jz .Lno_read\@
  load_one xmm4, [rdx]
  SCALE_Y(xmm4, xmm6, xmm2, xmm3)
.Lno_read\@:
  load_one xmm5, [rax]
  ADD_S(xmm4, xmm5, xmm0, xmm1)
  store_one [rdx], xmm4
  add rax, [STEP + STEP_CSA]
  add rdx, ROW
  dec COLUMNS
  jnz .Lelement\@
  add A, ROW
  add C, [STEP + STEP_CSC]
  dec M
  jnz .Lrow\@
  vzeroupper
  ret
.endm
