/* The GEMM micro-kernel for A lying along k (TSR_OP_GEMM_AT of kernel.h), a tile of nv vectors of rows x nr columns.
 *
 *   s[i][j]  = sum over p of A[i,p] * B[p,j], one fma chain from +0 in order of p, A[i,p] at a + i * rsa + p * size
 *   C[i][j]  = fma(alpha, s, beta * C[i][j])      or s itself with TSR_STORE_SUM
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * A is read by whole cache lines along k, one vector of rows after the other, so that a line is used up while it is
 * near even where the rows share a cache set; four k at a time are transposed in registers (transpose.h).
 *
 * Live at the head of the loop over lines:
 *   ymm(16 - nv*nr) .. ymm15   s, column by column; nv*nr <= 8
 *   A_LINE, B_LINE             A and B at this k          K  steps left
 * and of the loop over pieces:
 *   R, R4                      rows 0 and 4 of this vector at this k
 *   B, B4                      columns 0 and 4 at this k  N  pieces left in the line
 *   ymm0 .. ymm3               A at four k                ymm4 .. ymm7  B */
#define STEP rdi
#define R rsi
#define R4 rbx
#define RS r8
#define RS3 r9
#define B rdx
#define B4 rbp
#define RSB r10
#define CSB r11
#define CSB3 r12
#define K r13
#define N r14
#define CSC r14      /* after the k loop */
#define A_LINE r15
#define B_LINE rax
#define C rcx
#define PART [rsp - 32]
#define A_TILE [rsp - 40]
#define B_BASE [rsp - 48]
#define ROWS [rsp - 56]
#define LINE_STEP [rsp - 64]  /* from A_LINE past the last vector to the first one's next line */
#define ROW0 R
#define ROW1 R + RS
#define ROW2 R + 2*RS
#define ROW3 R + RS3
#define ROW4 R4
#define ROW5 R4 + RS
#define ROW6 R4 + 2*RS
#define ROW7 R4 + RS3
#include "kernels/x86_avx2/end_tile.h"
#include "kernels/x86_avx2/transpose.h"

/* ymm<reg> = column j of B at this k, in every lane. */
.macro broadcast reg, j
  .if \j == 0
    vbcast ymm\reg, [B]
  .elseif \j == 1
    vbcast ymm\reg, [B + CSB]
  .elseif \j == 2
    vbcast ymm\reg, [B + 2*CSB]
  .elseif \j == 3
    vbcast ymm\reg, [B + CSB3]
  .elseif \j == 4
    vbcast ymm\reg, [B4]
  .elseif \j == 5
    vbcast ymm\reg, [B4 + CSB]
  .elseif \j == 6
    vbcast ymm\reg, [B4 + 2*CSB]
  .else
    vbcast ymm\reg, [B4 + CSB3]
  .endif
.endm

.macro multiply acc, a, b
  vfma ymm\acc, ymm\a, ymm\b
.endm

/* One k of vector v, in ymm<a>. */
.macro k_step a, v, nv, nr
  .set at_j, 0
  .rept \nr
    broadcast %(4 + at_j % 4), %(at_j)
    multiply %(16 - \nv*\nr + at_j*\nv + \v), \a, %(4 + at_j % 4)
    .set at_j, at_j + 1
  .endr
  add B, RSB
  .if \nr > 4
    add B4, RSB
  .endif
.endm

/* R, B: the first k of this line, of the vector at A_LINE, which moves to the next vector. */
.macro start_unit nr
  mov R, A_LINE
  lea A_LINE, [A_LINE + LANES*RS]
  lea R4, [R + 4*RS]
  mov B, B_LINE
  .if \nr > 4
    lea B4, [B + 4*CSB]
  .endif
.endm

/* N pieces of vector v. */
.macro unit_pieces v, nv, nr
.Lpiece\@:
  load_piece
  transpose_piece
  .set at_p, 0
  .rept PER
    k_step %(at_p), \v, \nv, \nr
    .set at_p, at_p + 1
  .endr
  add R, PIECE_BYTES
  add R4, PIECE_BYTES
  dec N
  jnz .Lpiece\@
.endm

/* Two lines ahead: farther costs more than it gains, whether A comes from L2 or from memory. */
#define AHEAD 128
.macro prefetch_unit
  prefetcht0 [ROW0 + AHEAD]
  prefetcht0 [ROW1 + AHEAD]
  prefetcht0 [ROW2 + AHEAD]
  prefetcht0 [ROW3 + AHEAD]
#if LANES == 8
  prefetcht0 [ROW4 + AHEAD]
  prefetcht0 [ROW5 + AHEAD]
  prefetcht0 [ROW6 + AHEAD]
  prefetcht0 [ROW7 + AHEAD]
#endif
.endm

/* A whole line of every vector. */
.macro line nv, nr
  .set at_v, 0
  .rept \nv
    start_unit \nr
    prefetch_unit
    mov N, LINE_PIECES
    unit_pieces %(at_v), \nv, \nr
    .set at_v, at_v + 1
  .endr
  add A_LINE, LINE_STEP
  mov B_LINE, B
.endm

/* The last K k of vector v, less than a line. */
.macro unit_rest v, nv, nr
  start_unit \nr
  mov N, K
  shr N, 2
  jz .Lpart\@
  unit_pieces \v, \nv, \nr
.Lpart\@:
  mov N, K
  and N, PER - 1
  jz .Ldone\@
  load_part
  transpose_piece
  k_step 0, \v, \nv, \nr
  cmp N, 2
  jb .Ldone\@
  k_step 1, \v, \nv, \nr
  cmp N, 3
  jb .Ldone\@
  k_step 2, \v, \nv, \nr
.Ldone\@:
.endm

.macro rest nv, nr
  mov N, K
  and N, PER - 1
  mask_lanes 0, N, R
  vmovdqu PART, ymm0
  .set at_v, 0
  .rept \nv
    unit_rest %(at_v), \nv, \nr
    .set at_v, at_v + 1
  .endr
.endm

.macro zero reg
  vxorps xmm\reg, xmm\reg, xmm\reg
.endm

/* The function's body, from the first push to ret. Every tile is whole. */
.macro gemm_at nv, nr
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  mov RS, [STEP + STEP_RSA]
  mov RSB, [STEP + STEP_RSB]
  mov CSB, [STEP + STEP_CSB]
  mov rax, [STEP + STEP_M]
  lea RS3, [RS + 2*RS]
  lea CSB3, [CSB + 2*CSB]
  mov A_TILE, rsi
  mov B_BASE, rdx
  mov ROWS, rax
  imul rax, RS, -\nv*LANES
  add rax, 64
  mov LINE_STEP, rax

.Ltile\@:
  .set at_i, 16 - \nv*\nr
  .rept \nv*\nr
    zero %(at_i)
    .set at_i, at_i + 1
  .endr
  mov A_LINE, A_TILE
  mov B_LINE, B_BASE
  mov K, [STEP + STEP_K]
  sub K, 64/SIZE
  jl .Lrest\@
.Lline\@:
  line \nv, \nr
  sub K, 64/SIZE
  jge .Lline\@
.Lrest\@:
  add K, 64/SIZE
  jle .Lend\@
  rest \nv, \nr
.Lend\@:
  mov CSC, [STEP + STEP_CSC]
  mov K, C
  end_tile \nv, \nr, 0
  mov C, K
  mov rax, [STEP + STEP_DA]
  add A_TILE, rax
  add C, [STEP + STEP_DC]
  sub qword ptr ROWS, \nv*LANES
  jg .Ltile\@

  vzeroupper
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm
