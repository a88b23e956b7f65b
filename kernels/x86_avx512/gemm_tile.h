/* The GEMM micro-kernel (TSR_OP_GEMM of kernel.h) for a tile of nv vectors x nr columns.
 *
 *   s[i][j]  = sum over p of A[i,p] * B[p,j], one fma chain from +0, or from C[i][j] with TSR_GO_ON, in order of p
 *   C[i][j]  = fma(alpha, s, beta * C[i][j])      or s itself with TSR_STORE_SUM
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Tiles lie one under the other and, where the step has more than nr columns, such columns of tiles side by side.
 * Every vector of A is used nr times and every broadcast of B nv times. The last vector of the tile is masked by k1
 * in loads, FMAs and stores, so rows beyond m are neither touched nor computed and raise no flag.
 *
 * Live at the loop head:
 *   zmm(32 - nv*nr) .. zmm31   s, column by column
 *   zmm0 .. zmm(nv-1)          A (nv <= 4), or zmm0 .. zmm(nr-1) B and zmm(nr) .. zmm(nr+1) A (nv > 4)
 *   zmm(nv) .. zmm(nv+1)       B (nv <= 4; one register when the tile leaves only one)
 *   k1                         rows of the last vector */
#include "kernels/x86_asm.h"
#include "kernels/x86_avx512/lanes.h"

#define STEP rdi
#define A rsi     /* this k of this tile */
#define B0 rdx    /* this k, column 0; columns 0..3 are at B0 + {0, 1, 2, 3} * CSB */
#define B4 rax    /* this k, column 4 */
#define B8 r12    /* this k, column 8 */
#define B12 r14   /* this k, column 12 */
#define C rcx     /* column 0 of this tile */
#define CSA r8
#define RSB r9
#define CSB r10
#define CSB3 r11
#define K rbx
#define AHEAD rbp  /* bytes from this k of A to what is fetched now */
#define A_TILE r13
#define ROWS r15  /* rows from this tile down */
#define CSC r14   /* after the k loop, where B12 was */
#define TINY_K 16  /* so short that C is not worth an instruction each line */
#define AHEAD_BYTES 8192
#define LATE 128   /* steps of k that cover the way of C from memory; A streams through L1 meanwhile */

/* Below the stack pointer, which a leaf function may use. */
#define ALPHA [rsp - 8]
#define BETA [rsp - 16]
#define B_BASE [rsp - 24]  /* of this column of tiles */
#define K_LATE [rsp - 32]
#define COLUMNS [rsp - 40] /* from this column of tiles on */
#define A_BASE [rsp - 48]
#define C_BASE [rsp - 56]

/* Register numbers are computed: %expr passes a value to a macro, at_i and at_j are the running vector and column. */
.altmacro

#if defined(A_BLOCK)
/* A block has two vectors. */
.macro load_vector reg, offset, last
  .if (\offset) % A_BLOCK == 0
    load_block \reg, %(\reg + 1), <A + \offset>
  .endif
.endm
#else
.macro load_vector reg, offset, last
  .if \last
    load_a(zmm\reg, {k1}{z}, [A + \offset])
  .else
    load_a(zmm\reg, , [A + \offset])
  .endif
.endm
#endif

/* `how` x, y, [column j of B at this k] */
.macro with_column j, how, x, y
  .if \j == 0
    \how \x, \y, <[B0]>
  .elseif \j == 1
    \how \x, \y, <[B0 + CSB]>
  .elseif \j == 2
    \how \x, \y, <[B0 + 2*CSB]>
  .elseif \j == 3
    \how \x, \y, <[B0 + CSB3]>
  .elseif \j == 4
    \how \x, \y, <[B4]>
  .elseif \j == 5
    \how \x, \y, <[B4 + CSB]>
  .elseif \j == 6
    \how \x, \y, <[B4 + 2*CSB]>
  .elseif \j == 7
    \how \x, \y, <[B4 + CSB3]>
  .elseif \j == 8
    \how \x, \y, <[B8]>
  .elseif \j == 9
    \how \x, \y, <[B8 + CSB]>
  .elseif \j == 10
    \how \x, \y, <[B8 + 2*CSB]>
  .elseif \j == 11
    \how \x, \y, <[B8 + CSB3]>
  .elseif \j == 12
    \how \x, \y, <[B12]>
  .elseif \j == 13
    \how \x, \y, <[B12 + CSB]>
  .elseif \j == 14
    \how \x, \y, <[B12 + 2*CSB]>
  .else
    \how \x, \y, <[B12 + CSB3]>
  .endif
.endm

/* zmm<reg> = column j of B at this k, in every lane. */
.macro spread reg, unused, column
  vbcast zmm\reg, \column
.endm
.macro broadcast reg, j
  with_column \j, spread, \reg, 0
.endm

.macro multiply acc, a, b, last
  .if \last
    vfma zmm\acc{k1}, zmm\a, zmm\b
  .else
    vfma zmm\acc, zmm\a, zmm\b
  .endif
.endm

/* One k of a tile of up to four vectors: the vectors of A stay, the columns of B pass by. */
.macro k_step_narrow nv, nr
  .set at_i, 0
  .rept \nv
    load_vector %(at_i), %(A_VECTOR*at_i), %(at_i + 1 == \nv)
    .set at_i, at_i + 1
  .endr
  .set at_j, 0
  .rept \nr
    .set at_b, \nv
    .if \nv*\nr + \nv < 31
      .set at_b, \nv + at_j % 2
    .endif
    broadcast %(at_b), %(at_j)
    .set at_i, 0
    .rept \nv
      multiply %(32 - \nv*\nr + at_j*\nv + at_i), %(at_i), %(at_b), %(at_i + 1 == \nv)
      .set at_i, at_i + 1
    .endr
    .set at_j, at_j + 1
  .endr
.endm

/* One k of a tile of many vectors: the columns of B stay, the vectors of A pass by. */
.macro k_step_wide nv, nr
  .set at_j, 0
  .rept \nr
    broadcast %(at_j), %(at_j)
    .set at_j, at_j + 1
  .endr
  .set at_i, 0
  .rept \nv
    .set at_a, \nr + at_i % 2
    load_vector %(at_a), %(A_VECTOR*at_i), %(at_i + 1 == \nv)
    .set at_j, 0
    .rept \nr
      multiply %(32 - \nv*\nr + at_j*\nv + at_i), %(at_a), %(at_j), %(at_i + 1 == \nv)
      .set at_j, at_j + 1
    .endr
    .set at_i, at_i + 1
  .endr
.endm

.macro zero reg
  vpxord zmm\reg, zmm\reg, zmm\reg
.endm
.macro prefetch_a offset
#if A_SIZE == SIZE
  prefetcht0 [A + AHEAD + \offset]
#else
  prefetcht1 [A + AHEAD + \offset]
#endif
.endm

/* C is needed after the last k: it is fetched for writing a little before, or A's stream would push it out again. */
.macro prefetch_column offset
  prefetchw [K + \offset]
.endm
.macro prefetch_tile nv, nr
  mov K, C
  mov CSC, [STEP + STEP_CSC]
  .rept \nr
    .set at_i, 0
    .rept \nv
      prefetch_column %(64*at_i)
      .set at_i, at_i + 1
    .endr
    add K, CSC
  .endr
  .if \nr > 12
    lea B12, [B8 + 4*CSB]
  .endif
.endm

.macro next_k nr
  add A, CSA
  add B0, RSB
  .if \nr > 4
    add B4, RSB
  .endif
  .if \nr > 8
    add B8, RSB
  .endif
  .if \nr > 12
    add B12, RSB
  .endif
.endm

/* All steps of k of a tile whose columns are `lines` lines of C; `columns` are those whose addresses k_step uses. Far
 * operands are fetched on the way, near ones are spared that. */
.macro k_loop k_step, lines, nv, nr, columns
  mov K, [STEP + STEP_K]
  test dword ptr [STEP + STEP_FLAGS], STEP_NEAR
  jz .Lfar\@
  test K, K
  jz .Lk_end\@
  .p2align 6
.Lnear\@:
  \k_step \nv, \nr
  next_k \columns
  dec K
  jnz .Lnear\@
  jmp .Lk_end\@
.Lfar\@:
  mov qword ptr K_LATE, 0
  sub K, LATE
  jle .Llate\@               /* a short k: fetch C at once */
  mov qword ptr K_LATE, LATE
.Lk_loop\@:
  \k_step \nv, \nr
  .set at_i, 0
  .rept (\lines*A_VECTOR + 63)/64
    prefetch_a %(64*at_i)
    .set at_i, at_i + 1
  .endr
  next_k \columns
  dec K
  jnz .Lk_loop\@
  cmp qword ptr K_LATE, 0
  je .Lk_end\@
.Llate\@:
  cmp qword ptr [STEP + STEP_K], TINY_K
  jbe .Lfetched\@
  prefetch_tile \lines, \nr
.Lfetched\@:
  mov K, K_LATE
  mov qword ptr K_LATE, 0
  test K, K
  jnz .Lk_loop\@
  mov K, [STEP + STEP_K]
  test K, K
  jnz .Lk_loop\@
.Lk_end\@:
.endm

/* The ends of a column: s = fma(alpha, s, beta * C) or fma(alpha, s, +0), then C = s. */
.macro update_vector acc, offset, last
  .if \last
    vmov zmm2{k1}{z}, [C + \offset]
    vmulv zmm2{k1}{z}, zmm2, zmm1
    vfma_end zmm\acc{k1}, zmm0, zmm2
  .else
    vmulv zmm2, zmm1, [C + \offset]
    vfma_end zmm\acc, zmm0, zmm2
  .endif
.endm
.macro write_vector acc, offset, last
  .if \last
    vfma_end zmm\acc{k1}, zmm0, zmm2
  .else
    vfma_end zmm\acc, zmm0, zmm2
  .endif
.endm
.macro store_vector acc, offset, last
  .if \last
    vmov [C + \offset]{k1}, zmm\acc
  .else
    vmov [C + \offset], zmm\acc
  .endif
.endm

/* Does `how` to every column, walking C from column to column. Everything is read before anything is written: a masked
 * store may reach over the next column's rows, and a load would wait for it. */
.macro every_vector how, nv, nr
  .set at_j, 0
  .rept \nr
    .set at_i, 0
    .rept \nv
      \how\()_vector %(32 - \nv*\nr + at_j*\nv + at_i), %(64*at_i), %(at_i + 1 == \nv)
      .set at_i, at_i + 1
    .endr
    add C, CSC
    .set at_j, at_j + 1
  .endr
  mov C, K
.endm

/* From the sums to C: `columns` does update, write or store to every column. */
.macro end_tile columns, nv, nr
  mov CSC, [STEP + STEP_CSC]
  mov K, C
  test dword ptr [STEP + STEP_FLAGS], STEP_STORE_SUM
  jnz .Lstore_sum\@
  vbcast zmm0, ALPHA
  vbcast zmm1, BETA
  mov rax, [STEP + STEP_BETA]
  add rax, rax                /* +0 and -0 become 0 */
  jz .Lno_read\@
  \columns update, \nv, \nr
  jmp .Lstore_sum\@
.Lno_read\@:
  zero 2
  \columns write, \nv, \nr
.Lstore_sum\@:
  \columns store, \nv, \nr
.endm

.macro set_ahead panel
  mov rax, [STEP + STEP_FLAGS]
  lea AHEAD, [8*CSA]          /* a panel: eight k further */
  cmp CSA, \panel
  cmovne AHEAD, [STEP + STEP_DA] /* a matrix: the next tile, whose rows follow in memory */
  test eax, STEP_STREAM
  cmovnz AHEAD, [STEP + STEP_DA]
.endm

/* A function's entry. `panel`: bytes of a k in a packed panel of such tiles. */
.macro enter panel
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  mov CSA, [STEP + STEP_CSA]
  mov RSB, [STEP + STEP_RSB]
  mov CSB, [STEP + STEP_CSB]
  mov ROWS, [STEP + STEP_M]
  set_ahead \panel
  mov rax, [STEP + STEP_N]
  mov COLUMNS, rax
  lea CSB3, [CSB + 2*CSB]
  mov A_TILE, A
  mov A_BASE, A
  mov B_BASE, B0
  mov C_BASE, C
  load_scalar(xmm0, STEP_ALPHA)
  load_scalar(xmm1, STEP_BETA)
  vmov_scalar ALPHA, xmm0
  vmov_scalar BETA, xmm1
.endm

/* Sums go on from C: rax takes its stride and K its columns, before they are what they are in the loop. */
.macro take_vector acc, offset, last
  .if \last
    vmov zmm\acc{k1}, [K + \offset]
  .else
    vmov zmm\acc, [K + \offset]
  .endif
.endm
.macro take_column column, nv, nr
  .set at_i, 0
  .rept \nv
    take_vector %(32 - \nv*\nr + \column*\nv + at_i), %(64*at_i), %(at_i + 1 == \nv)
    .set at_i, at_i + 1
  .endr
.endm

/* Sums from zmm<first> up are 0, or C by `take`, A and B at the tile's first k. */
.macro start_tile first, take, nv, nr
  .set at_i, \first
  .rept 32 - \first
    zero %(at_i)
    .set at_i, at_i + 1
  .endr
  test dword ptr [STEP + STEP_FLAGS], STEP_GO_ON
  jz .Lstart\@
  mov K, C
  mov rax, [STEP + STEP_CSC]
  .set at_j, 0
  .rept \nr
    \take %(at_j), \nv, \nr
    add K, rax
    .set at_j, at_j + 1
  .endr
.Lstart\@:
  mov A, A_TILE
  mov B0, B_BASE
  .if \nr > 4
    lea B4, [B0 + 4*CSB]
  .endif
  .if \nr > 8
    lea B8, [B4 + 4*CSB]
  .endif
  .if \nr > 12
    lea B12, [B8 + 4*CSB]
  .endif
.endm

/* To label `tile` for the next tile, of this column of tiles or the next one; after the last, the function's end. */
.macro next_tile tile, rows, nr
  add A_TILE, [STEP + STEP_DA]
  add C, [STEP + STEP_DC]
  sub ROWS, \rows
  jg \tile
  sub qword ptr COLUMNS, \nr
  jle .Lreturn\@
  imul C, CSC, \nr
  add C, C_BASE
  mov C_BASE, C
  mov rax, [STEP + STEP_DB]
  add B_BASE, rax
  mov A_TILE, A_BASE
  mov ROWS, [STEP + STEP_M]
  jmp \tile
.Lreturn\@:
  vzeroupper
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm

/* The function's body, from the first push to ret. nv + nv*nr + 1 <= 32. */
.macro gemm_tile nv, nr
  enter \nv*A_VECTOR
.Ltile\@:
  mov eax, LANES
  lea rbx, [ROWS - (\nv - 1)*LANES]
  cmp rbx, rax
  cmovg rbx, rax
  mov eax, -1
  bzhi eax, eax, ebx
  kmovw k1, eax
  start_tile %(32 - \nv*\nr), take_column, \nv, \nr
  .if \nv <= 4
    k_loop k_step_narrow, \nv, \nv, \nr, \nr
  .else
    k_loop k_step_wide, \nv, \nv, \nr, \nr
  .endif
  end_tile every_vector, \nv, \nr
  next_tile .Ltile\@, \nv*LANES, \nr
.endm
