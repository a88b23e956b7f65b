/* TSR_OP_UPDATE, TSR_OP_UPDATE_T and TSR_OP_SCALE of kernel.h for complex types.
 *
 *   update:  C[i][j] = beta * C[i][j] + alpha * A[i,j]     A[i,j] at a + j * csa + i * size, sums of a block of k
 *   update_t: the same with C[i][j] at c + i * csc + j * size: a vector of rows at a time is gathered and scattered
 *   scale:   C[i][j] = beta * C[i][j]
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * C is not read when both parts of beta are 0. Live in the loop: zmm0, zmm1 alpha's real part and (-im, im); zmm2, zmm3
 * beta's; zmm4 y, zmm5 s, zmm6 free; k1 the lanes of this vector. */
#include "kernels/x86_asm.h"
#include "kernels/x86_avx512/lanes.h"
#include "kernels/x86_avx512/complex_lanes.h"

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
#define ROWS_OF_VECTOR (LANES/2)

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
  load_scalar(xmm0, STEP_ALPHA)
  load_scalar(xmm2, STEP_BETA)
  vbcast zmm0, xmm0
  vbcast zmm2, xmm2
  load_turn 1, STEP_ALPHA_IM, 6
  load_turn 3, STEP_BETA_IM, 6
  mov COLUMNS, [STEP + STEP_N]
.endm

/* k1 = the lanes of the vector at OFFSET that are rows of the matrix. */
.macro next_lanes
  mov eax, ROWS_OF_VECTOR
  cmp M, rax
  cmovl rax, M
  add eax, eax
  mov r11d, -1
  bzhi r11d, r11d, eax
  kmovw k1, r11d
.endm

/* zmm4 = beta * zmm4. */
.macro scale_y
  vswap zmm6, zmm4, SWAP
  vmulv zmm4{k1}{z}, zmm4, zmm2
  test WHAT, TURN_C
  jz .Lscaled\@
  vfma zmm4{k1}, zmm6, zmm3
.Lscaled\@:
.endm

/* zmm4 = beta * C, or +0. */
.macro load_y
  vxor zmm4, zmm4, zmm4
  test WHAT, READ_C
  jz .Lno_read\@
  vmov zmm4{k1}{z}, [C + OFFSET]
  scale_y
.Lno_read\@:
.endm

/* zmm4 = zmm4 + alpha * zmm5. */
.macro add_s
  vfma zmm4{k1}, zmm5, zmm0
  test WHAT, TURN_S
  jz .Ladded\@
  vswap zmm5, zmm5, SWAP
  vfma zmm4{k1}, zmm5, zmm1
.Ladded\@:
.endm

.macro update
  start
.Lcolumn\@:
  mov M, [STEP + STEP_M]
  xor edx, edx
.Lvector\@:
  next_lanes
  load_y
  vmov zmm5{k1}{z}, [A + OFFSET]
  add_s
  vmov [C + OFFSET]{k1}, zmm4
  add OFFSET, 64
  sub M, ROWS_OF_VECTOR
  jg .Lvector\@
  add A, [STEP + STEP_CSA]
  add C, [STEP + STEP_CSC]
  dec COLUMNS
  jnz .Lcolumn\@
  vzeroupper
  ret
.endm

.macro scale
  start
.Lcolumn\@:
  mov M, [STEP + STEP_M]
  xor edx, edx
.Lvector\@:
  next_lanes
  load_y
  vmov [C + OFFSET]{k1}, zmm4
  add OFFSET, 64
  sub M, ROWS_OF_VECTOR
  jg .Lvector\@
  add C, [STEP + STEP_CSC]
  dec COLUMNS
  jnz .Lcolumn\@
  vzeroupper
  ret
.endm

#define C_COLUMN r11
#define A_COLUMN rsi
#define CSC rbx
#define CSC3 rbp

/* A vector of rows of C, whose first is at C_COLUMN, to and from zmm4. k3: the rows there are, k2 is overwritten. */
#if defined(TSR_ELEMENT_F32)
#define ROW_OFFSETS zmm7
.macro set_row_offsets
  vpbroadcastq ROW_OFFSETS, qword ptr [STEP + STEP_CSC]
  mov rax, 0x0706050403020100
  vmovq xmm5, rax
  vpmovzxbq zmm5, xmm5
  vpmullq ROW_OFFSETS, ROW_OFFSETS, zmm5
.endm
.macro gather_rows
  kmovw k2, k3
  vgatherqpd zmm4{k2}, [C_COLUMN + ROW_OFFSETS]
.endm
.macro scatter_rows
  kmovw k2, k3
  vscatterqpd [C_COLUMN + ROW_OFFSETS]{k2}, zmm4
.endm
#else
.macro set_row_offsets
  mov CSC, [STEP + STEP_CSC]
  lea CSC3, [CSC + 2*CSC]
  mov eax, 0x0c
  kmovw k4, eax
  mov eax, 0x30
  kmovw k5, eax
  mov eax, 0xc0
  kmovw k6, eax
.endm
.macro gather_rows
  vmovupd xmm4, [C_COLUMN]
  cmp M, 2
  jl .Lgathered\@
  vlane zmm4{k4}, [C_COLUMN + CSC]
  je .Lgathered\@
  vlane zmm4{k5}, [C_COLUMN + 2*CSC]
  cmp M, 4
  jl .Lgathered\@
  vlane zmm4{k6}, [C_COLUMN + CSC3]
.Lgathered\@:
.endm
.macro scatter_rows
  vmovupd [C_COLUMN], xmm4
  cmp M, 2
  jl .Lscattered\@
  vextractf64x2 [C_COLUMN + CSC], zmm4, 1
  je .Lscattered\@
  vextractf64x2 [C_COLUMN + 2*CSC], zmm4, 2
  cmp M, 4
  jl .Lscattered\@
  vextractf64x2 [C_COLUMN + CSC3], zmm4, 3
.Lscattered\@:
.endm
#endif

.macro update_t
  PUSH(rbx); PUSH(rbp)
  start
  set_row_offsets
  mov M, [STEP + STEP_M]
  mov rdx, A_COLUMN
.Lrows\@:
  mov eax, ROWS_OF_VECTOR
  cmp M, rax
  cmovl rax, M
  mov r11d, -1
  bzhi r11d, r11d, eax
  kmovw k3, r11d
  next_lanes
  mov COLUMNS, [STEP + STEP_N]
  mov C_COLUMN, C
  mov A_COLUMN, rdx
.Lcolumn\@:
  vxor zmm4, zmm4, zmm4
  test WHAT, READ_C
  jz .Lno_read\@
  gather_rows
  scale_y
.Lno_read\@:
  vmov zmm5{k1}{z}, [A_COLUMN]
  add_s
  scatter_rows
  add A_COLUMN, [STEP + STEP_CSA]
  add C_COLUMN, ROW
  dec COLUMNS
  jnz .Lcolumn\@
  mov rax, [STEP + STEP_CSC]
  imul rax, rax, ROWS_OF_VECTOR
  add C, rax
  add rdx, 64
  sub M, ROWS_OF_VECTOR
  jg .Lrows\@
  vzeroupper
  POP(rbp); POP(rbx)
  ret
.endm
