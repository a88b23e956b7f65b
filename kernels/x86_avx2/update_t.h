/* TSR_OP_UPDATE_T of kernel.h: C lies across the sums.
 *
 *   C[i][j] = fma(alpha, A[i,j], beta * C[i][j])
 *   A[i,j] at a + j * csa + i * size, C[i][j] at c + i * csc + j * size
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Blocks of one vector of rows x four columns are transposed in registers (transpose.h); the rows and columns that fill
 * no block go one element at a time. C is not read when beta == 0. Live in the loops:
 *   S, T   this block in A and C     I, J   rows and columns left     ymm14 alpha   ymm15 beta */
#define STEP rdi
#define A rsi        /* the sums of these columns */
#define C rcx        /* row 0 of these columns */
#define S rax
#define T rdx
#define T4 rbp       /* row 4 of the block */
#define CSA r8
#define CSA3 r9
#define CSC r10
#define CSC3 r11
#define I rbx
#define J r12
#define BETA_BITS r13
#define COLUMNS r14  /* and rows left of an area that fills no block */
#define ROW r15
#include "kernels/x86_avx2/transpose.h"

#if defined(TSR_ELEMENT_F32)
#define vmov_one vmovss
#define vmul_one vmulss
#define vfma_one vfmadd231ss
#define COLUMN0 ymm0
#define COLUMN1 ymm1
#define COLUMN2 ymm2
#define COLUMN3 ymm3
#else
#define vmov_one vmovsd
#define vmul_one vmulsd
#define vfma_one vfmadd231sd
#define COLUMN0 ymm4
#define COLUMN1 ymm5
#define COLUMN2 ymm6
#define COLUMN3 ymm7
#endif

/* The 16 bytes of C at \low and at \high from the sums in ymm<reg>. */
#define END_PAIR(reg, low, high) \
  vxorps xmm8, xmm8, xmm8; \
  test BETA_BITS, BETA_BITS; \
  jz 1f; \
  vmov xmm8, [low]; \
  vinsertf128 ymm8, ymm8, xmmword ptr [high], 1; \
  vmulv ymm8, ymm8, ymm15; \
1:vfma ymm8, ymm##reg, ymm14; \
  vmov [low], xmm8; \
  vextractf128 xmmword ptr [high], ymm8, 1

.macro end_block
#if defined(TSR_ELEMENT_F32)
  lea T4, [T + 4*CSC]
  END_PAIR(0, T, T4)
  END_PAIR(1, T + CSC, T4 + CSC)
  END_PAIR(2, T + 2*CSC, T4 + 2*CSC)
  END_PAIR(3, T + CSC3, T4 + CSC3)
#else
  END_PAIR(0, T, T + 2*CSC)
  END_PAIR(1, T + CSC, T + CSC3)
  END_PAIR(2, T + 16, T + 2*CSC + 16)
  END_PAIR(3, T + CSC + 16, T + CSC3 + 16)
#endif
.endm

/* I rows x COLUMNS columns at S and T, which move, one element at a time. */
.macro update_elements
.Lcolumn\@:
  mov ROW, I
.Lrow\@:
  vxorps xmm8, xmm8, xmm8
  test BETA_BITS, BETA_BITS
  jz .Lno_read\@
  vmov_one xmm8, [T]
  vmul_one xmm8, xmm8, xmm15
.Lno_read\@:
  vmov_one xmm9, [S]
  vfma_one xmm8, xmm9, xmm14
  vmov_one [T], xmm8
  add S, SIZE
  add T, CSC
  dec ROW
  jnz .Lrow\@
  mov T4, I                   /* back to the first row, one column on */
  neg T4
  lea S, [S + SIZE*T4]
  add S, CSA
  imul T4, CSC
  lea T, [T + T4 + SIZE]
  dec COLUMNS
  jnz .Lcolumn\@
.endm

/* All rows of four columns. */
.macro update_columns
  mov I, [STEP + STEP_M]
  mov S, A
  mov T, C
  sub I, LANES
  jl .Lrest\@
.Lblock\@:
  vmov COLUMN0, [S]
  vmov COLUMN1, [S + CSA]
  vmov COLUMN2, [S + 2*CSA]
  vmov COLUMN3, [S + CSA3]
  transpose_piece
  end_block
  add S, 32
  lea T, [T + LANES*CSC]
  sub I, LANES
  jge .Lblock\@
.Lrest\@:
  add I, LANES
  jz .Ldone\@
  mov COLUMNS, 4
  update_elements
.Ldone\@:
.endm

/* The function's body, from the first push to ret. */
.macro update_t
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  mov CSA, [STEP + STEP_CSA]
  mov CSC, [STEP + STEP_CSC]
  mov J, [STEP + STEP_N]
  mov BETA_BITS, [STEP + STEP_BETA]
  add BETA_BITS, BETA_BITS    /* +0 and -0 become 0 */
  lea CSA3, [CSA + 2*CSA]
  lea CSC3, [CSC + 2*CSC]
  load_scalar 14, STEP_ALPHA
  load_scalar 15, STEP_BETA
  sub J, 4
  jl .Lrest
.Lcolumns:
  update_columns
  lea A, [A + 4*CSA]
  add C, 4*SIZE
  sub J, 4
  jge .Lcolumns
.Lrest:
  add J, 4
  jz .Lreturn
  mov I, [STEP + STEP_M]
  mov S, A
  mov T, C
  mov COLUMNS, J
  update_elements
.Lreturn:
  vzeroupper
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm
