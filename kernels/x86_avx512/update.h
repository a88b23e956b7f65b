/* TSR_OP_UPDATE, TSR_OP_UPDATE_T and TSR_OP_SCALE of kernel.h.
 *
 *   update:  C[i][j] = fma(alpha, A[i,j], beta * C[i][j])      A[i,j] at a + j * csa + i * size, sums of a block of k
 *   update_t: the same with C[i][j] at c + i * csc + j * size: eight rows at a time are gathered and scattered
 *   scale:   C[i][j] = beta * C[i][j]
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * C is not read when beta == 0. Live in the loop: zmm0 alpha, zmm1 beta, k1 the lanes of this vector. */
#include "kernels/x86_asm.h"
#include "kernels/x86_avx512/lanes.h"

#define STEP rdi
#define A rsi
#define C rcx
#define OFFSET rdx  /* of this vector in its column */
#define M r8        /* rows left in the column */
#define COLUMNS r9
#define BETA_BITS r10

.macro start
  load_scalar(xmm0, STEP_ALPHA)
  load_scalar(xmm1, STEP_BETA)
  vbcast zmm0, xmm0
  vbcast zmm1, xmm1
  mov BETA_BITS, [STEP + STEP_BETA]
  add BETA_BITS, BETA_BITS    /* +0 and -0 become 0 */
  mov COLUMNS, [STEP + STEP_N]
.endm

/* k1 = the lanes of the vector at OFFSET that are rows of the matrix. */
.macro next_lanes
  mov eax, LANES
  cmp M, rax
  cmovl rax, M
  mov r11d, -1
  bzhi r11d, r11d, eax
  kmovw k1, r11d
.endm

/* zmm2 = beta * C, or +0. */
.macro load_y
  vpxord zmm2, zmm2, zmm2
  test BETA_BITS, BETA_BITS
  jz .Lno_read\@
  vmov zmm2{k1}{z}, [C + OFFSET]
  vmulv zmm2{k1}{z}, zmm2, zmm1
.Lno_read\@:
.endm

.macro update
  start
.Lcolumn\@:
  mov M, [STEP + STEP_M]
  xor OFFSET, OFFSET
.Lvector\@:
  next_lanes
  load_y
  vmov zmm3{k1}{z}, [A + OFFSET]
  vfma zmm2{k1}, zmm3, zmm0
  vmov [C + OFFSET]{k1}, zmm2
  add OFFSET, 64
  sub M, LANES
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
  xor OFFSET, OFFSET
.Lvector\@:
  next_lanes
  load_y
  vmov [C + OFFSET]{k1}, zmm2
  add OFFSET, 64
  sub M, LANES
  jg .Lvector\@
  add C, [STEP + STEP_CSC]
  dec COLUMNS
  jnz .Lcolumn\@
  vzeroupper
  ret
.endm

#define ROW_OFFSETS zmm4 /* of eight rows of C */
#define C_COLUMN r11
#define A_COLUMN rsi

/* Eight values of the type, whatever register that takes. */
#if defined(TSR_ELEMENT_F32)
#define EIGHT(n) ymm##n
#define vgather vgatherqps
#define vscatter vscatterqps
#else
#define EIGHT(n) zmm##n
#define vgather vgatherqpd
#define vscatter vscatterqpd
#endif

/* ROW_OFFSETS = {0 .. 7} * csc. */
.macro set_row_offsets
  vpbroadcastq ROW_OFFSETS, qword ptr [STEP + STEP_CSC]
  mov rax, 0x0706050403020100
  vmovq xmm5, rax
  vpmovzxbq zmm5, xmm5
  vpmullq ROW_OFFSETS, ROW_OFFSETS, zmm5
.endm

.macro update_t
  PUSH(rbx)
  start
  set_row_offsets
  mov M, [STEP + STEP_M]
  mov rdx, A_COLUMN
.Lrows\@:
  mov eax, 8
  cmp M, rax
  cmovl rax, M
  mov ebx, -1
  bzhi ebx, ebx, eax
  kmovw k1, ebx
  mov COLUMNS, [STEP + STEP_N]
  mov C_COLUMN, C
  mov A_COLUMN, rdx
.Lcolumn\@:
  vpxord zmm2, zmm2, zmm2
  test BETA_BITS, BETA_BITS
  jz .Lno_read\@
  kmovw k2, k1
  vgather EIGHT(2){k2}, [C_COLUMN + ROW_OFFSETS]
  vmulv EIGHT(2){k1}{z}, EIGHT(2), EIGHT(1)
.Lno_read\@:
  vmov EIGHT(3){k1}{z}, [A_COLUMN]
  vfma EIGHT(2){k1}, EIGHT(3), EIGHT(0)
  kmovw k2, k1
  vscatter [C_COLUMN + ROW_OFFSETS]{k2}, EIGHT(2)
  add A_COLUMN, [STEP + STEP_CSA]
  add C_COLUMN, SIZE
  dec COLUMNS
  jnz .Lcolumn\@
  mov rax, [STEP + STEP_CSC]
  lea C, [C + 8*rax]
  add rdx, 8*SIZE
  sub M, 8
  jg .Lrows\@
  vzeroupper
  POP(rbx)
  ret
.endm
