/* The GEMM micro-kernel (TSR_OP_GEMM of kernel.h) for a tile of nv vectors x nr columns.
 *
 *   s[i][j]  = sum over p of A[i,p] * B[p,j], one fma chain from +0 in order of p
 *   C[i][j]  = fma(alpha, s, beta * C[i][j])      or s itself with TSR_STORE_SUM
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Tiles lie one under the other and, where the step has more than nr columns, such columns of tiles side by side.
 * Every vector of A is used nr times and every broadcast of B nv times. A tile whose last vector is not full takes a
 * loop of its own: AVX2 has no masked FMA, so the lanes beyond m repeat the last real row, of A and of C. They compute
 * what that row computes, raise no flag of their own, and are not stored.
 *
 * Live at the loop head:
 *   ymm(16 - nv*nr) .. ymm15   s, column by column
 *   ymm0 .. ymm(nv-1)          A (nv <= 3), or ymm0 .. ymm(nr-1) B and ymm(nr) .. ymm(nr+1) A (nv > 3)
 *   ymm(nv) .. ymm(nv+1)       B (nv <= 3; one register when the tile leaves only one)
 *   MASK, SOURCE               of a last vector that is not full: its rows, and the lane each lane takes */
#define STEP rdi
#define A rsi     /* this k of this tile */
#define B0 rdx    /* this k, column 0; columns 0..3 are at B0 + {0, 1, 2, 3} * CSB */
#define B4 rax    /* this k, column 4 */
#define B8 r12    /* this k, column 8 */
#define C rcx     /* column 0 of this tile */
#define CSA r8
#define RSB r9
#define CSB r10
#define CSB3 r11
#define K rbx
#define B_BASE rbp
#define A_TILE r13
#define CSC r14
#define ROWS r15  /* rows from this tile down */
#include "kernels/x86_avx2/end_tile.h"

/* Below the stack pointer, beneath what end_tile.h keeps there. */
#define COLUMNS [rsp - 72] /* from this column of tiles on */
#define A_BASE [rsp - 80]
#define C_BASE [rsp - 88]  /* of this column of tiles */

/* Register numbers are computed: %expr passes a value to a macro, at_i and at_j are the running vector and column. */

/* ymm<reg> = column j of B at this k, in every lane. */
.macro broadcast reg, j
  .if \j == 0
    vbcast ymm\reg, [B0]
  .elseif \j == 1
    vbcast ymm\reg, [B0 + CSB]
  .elseif \j == 2
    vbcast ymm\reg, [B0 + 2*CSB]
  .elseif \j == 3
    vbcast ymm\reg, [B0 + CSB3]
  .elseif \j == 4
    vbcast ymm\reg, [B4]
  .elseif \j == 5
    vbcast ymm\reg, [B4 + CSB]
  .elseif \j == 6
    vbcast ymm\reg, [B4 + 2*CSB]
  .elseif \j == 7
    vbcast ymm\reg, [B4 + CSB3]
  .elseif \j == 8
    vbcast ymm\reg, [B8]
  .elseif \j == 9
    vbcast ymm\reg, [B8 + CSB]
  .elseif \j == 10
    vbcast ymm\reg, [B8 + 2*CSB]
  .else
    vbcast ymm\reg, [B8 + CSB3]
  .endif
.endm

.macro multiply acc, a, b
  vfma ymm\acc, ymm\a, ymm\b
.endm
.macro multiply_memory acc, offset, b
  vfma ymm\acc, ymm\b, [A + \offset]
.endm
.macro load_vector reg, offset
  vmov ymm\reg, [A + \offset]
.endm

/* The same where the columns of B are neighbours, as in a packed panel. */
.macro broadcast_adjacent reg, j
  vbcast ymm\reg, [B0 + SIZE*\j]
.endm

/* One k of a tile of up to three vectors: the vectors of A stay, the columns of B pass by. */
.macro k_step_narrow nv, nr, edge, column_of_b
  .set at_i, 0
  .rept \nv - \edge
    load_vector %(at_i), %(32*at_i)
    .set at_i, at_i + 1
  .endr
  .if \edge
    load_edge %(\nv - 1), A, %(32*(\nv - 1)), \nv
  .endif
  .set at_j, 0
  .rept \nr
    .set at_b, \nv
    .if \nv*\nr + \nv < 15
      .set at_b, \nv + at_j % 2
    .endif
    \column_of_b %(at_b), %(at_j)
    .set at_i, 0
    .rept \nv
      multiply %(16 - \nv*\nr + at_j*\nv + at_i), %(at_i), %(at_b)
      .set at_i, at_i + 1
    .endr
    .set at_j, at_j + 1
  .endr
.endm

/* One k of a tile of many vectors: the columns of B stay, the vectors of A pass by, a part-filled last one first. */
.macro k_step_wide nv, nr, edge
  .if \edge
    load_edge \nr, A, %(32*(\nv - 1)), 0
  .endif
  .set at_j, 0
  .rept \nr
    broadcast %(at_j), %(at_j)
    .set at_j, at_j + 1
  .endr
  .if \edge
    multiply_column %(\nv - 1), \nr, \nv, \nr
  .endif
  .set at_i, 0
  .rept \nv - \edge
    .if \nr == 1
      multiply_memory %(16 - \nv + at_i), %(32*at_i), 0
    .else
      .set at_a, \nr
      .if \nv*\nr + \nr < 15
        .set at_a, \nr + at_i % 2
      .endif
      load_vector %(at_a), %(32*at_i)
      multiply_column %(at_i), %(at_a), \nv, \nr
    .endif
    .set at_i, at_i + 1
  .endr
.endm

/* Vector i of A, in ymm<a>, times every column of B. */
.macro multiply_column i, a, nv, nr
  .set at_j, 0
  .rept \nr
    multiply %(16 - \nv*\nr + at_j*\nv + \i), \a, %(at_j)
    .set at_j, at_j + 1
  .endr
.endm

.macro zero reg
  vxorps xmm\reg, xmm\reg, xmm\reg
.endm
.macro prefetch_a offset
  prefetcht0 [A + 8*CSA + \offset]
.endm

/* A tile of nv vectors fills nv/2 lines of a packed panel. */
.macro next_k nv
  .set at_i, 0
  .rept (\nv + 1)/2
    prefetch_a %(64*at_i)
    .set at_i, at_i + 1
  .endr
  add A, CSA
  add B0, RSB
.endm

/* The loop over k where the columns of B are neighbours, two k at a time: few enough instructions for a CPU that
 * issues four a cycle. */
.macro k_loop_adjacent nv, nr
  test K, 1
  jz .Lpairs\@
  k_step_narrow \nv, \nr, 0, broadcast_adjacent
  next_k \nv
  dec K
  jz .Lk_end\@
  .p2align 5
.Lpairs\@:
  .rept 2
    k_step_narrow \nv, \nr, 0, broadcast_adjacent
    next_k \nv
  .endr
  sub K, 2
  jnz .Lpairs\@
.Lk_end\@:
.endm

/* The loop over k. */
.macro k_loop nv, nr, edge
  .p2align 5
.Lk_loop\@:
  .if \nv <= 3
    k_step_narrow \nv, \nr, \edge, broadcast
  .else
    k_step_wide \nv, \nr, \edge
  .endif
  next_k \nv
  .if \nr > 4
    add B4, RSB
  .endif
  .if \nr > 8
    add B8, RSB
  .endif
  dec K
  jnz .Lk_loop\@
.endm

/* The function's body, from the first push to ret. Narrow tiles: nv*nr + nv + 1 <= 16, wide ones: nv*nr + nr + 1. */
.macro gemm_tile nv, nr
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  mov CSA, [STEP + STEP_CSA]
  mov RSB, [STEP + STEP_RSB]
  mov CSB, [STEP + STEP_CSB]
  mov CSC, [STEP + STEP_CSC]
  mov ROWS, [STEP + STEP_M]
  lea CSB3, [CSB + 2*CSB]
  mov rax, [STEP + STEP_N]
  mov COLUMNS, rax
  mov A_BASE, A
  mov C_BASE, C
  mov B_BASE, B0
  mov A_TILE, A

.Ltile\@:
  cmp ROWS, \nv*LANES
  jge .Lzero\@
  lea K, [ROWS - (\nv - 1)*LANES]
  prepare_edge K
.Lzero\@:
  .set at_i, 16 - \nv*\nr
  .rept \nv*\nr
    zero %(at_i)
    .set at_i, at_i + 1
  .endr
  mov A, A_TILE
  mov B0, B_BASE
  .if \nr > 4
    lea B4, [B0 + 4*CSB]
  .endif
  .if \nr > 8
    lea B8, [B4 + 4*CSB]
  .endif
  mov K, [STEP + STEP_K]
  cmp ROWS, \nv*LANES
  jl .Ledge\@
  test K, K
  jle .Lend\@
  .if \nv*\nr == 12 && \nv <= 3
    cmp CSB, SIZE
    jne .Lapart\@
    k_loop_adjacent \nv, \nr
    jmp .Lend\@
.Lapart\@:
  .endif
  k_loop \nv, \nr, 0
.Lend\@:
  mov K, C
  end_tile \nv, \nr, 0
  mov C, K
  add A_TILE, [STEP + STEP_DA]
  add C, [STEP + STEP_DC]
  sub ROWS, \nv*LANES
  jg .Ltile\@
.Lnext_column\@:
  sub qword ptr COLUMNS, \nr
  jle .Lreturn\@
  imul C, CSC, \nr
  add C, C_BASE
  mov C_BASE, C
  add B_BASE, [STEP + STEP_DB]
  mov A_TILE, A_BASE
  mov ROWS, [STEP + STEP_M]
  jmp .Ltile\@

.Ledge\@:
  test K, K
  jle .Ledge_end\@
  k_loop \nv, \nr, 1
.Ledge_end\@:
  end_tile \nv, \nr, 1
  jmp .Lnext_column\@

.Lreturn\@:
  vzeroupper
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm
