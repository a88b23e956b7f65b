/* The GEMM micro-kernel (TSR_OP_GEMM of kernel.h) for a tile of nv vectors and a half x nr columns.
 *
 *   s[i][j]  = sum over p of A[i,p] * B[p,j], one fma chain from +0 in order of p
 *   C[i][j]  = fma(alpha, s, beta * C[i][j])      or s itself with TSR_STORE_SUM
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * The rows below the whole vectors (the half rows, HALF at most) would leave half the lanes of a vector idle: columns
 * j and j + 1 (j even) share one, column j in the lower half and j + 1 in the upper. A's half rows are loaded into both
 * halves, and B's two broadcasts, which the whole vectors need anyway, are blended. Where an odd last column is alone,
 * both halves compute it. Masks keep the lanes of rows beyond m out of loads, FMAs and stores.
 *
 * A tile without whole vectors would be bound by two loads of B an FMA. Where the columns of B are neighbours in memory
 * one load brings a pair to every lane pair, so there the columns alternate from lane to lane until the sums are sorted
 * at the end.
 *
 * Live at the loop head:
 *   zmm(32 - nv*nr) .. zmm31     s of the whole vectors, column by column
 *   zmm(FIRST_HALF) ..           s of the half rows, pair by pair, below those
 *   zmm0 .. zmm(nv)              A, the half rows last
 *   zmm(nv+1), zmm(nv+2)         B
 *   zmm3                         indices that double the rows (nv = 0)
 *   k1, k3, k4                   half rows: in both halves, in the lower, in the upper
 *   k2                           the upper half
 *   k5                           half rows where columns alternate from lane to lane (nv = 0) */
#include "kernels/x86_avx512/gemm_tile.h"

#define HALF (LANES/2)
#define PANEL(nv) ((nv)*64 + 32) /* bytes of a k in a packed panel */
#define FIRST_HALF(nv, nr) (32 - (nv)*(nr) - ((nr) + 1)/2)

#if defined(TSR_ELEMENT_F32)
#define vblend vblendmps
#define vperm vpermps
#define vpair vbroadcastsd
#define vupper vextractf32x8
#define vindices(reg, bytes) vpmovzxbd reg, xmmword ptr [rip + bytes]
#else
#define vblend vblendmpd
#define vperm vpermpd
#define vpair vlane
#define vupper vextractf64x4
#define vindices(reg, bytes) vpmovzxbq reg, qword ptr [rip + bytes]
#endif

.section .rodata
.Ltwice: /* A's rows for columns that alternate from lane to lane */
#if defined(TSR_ELEMENT_F32)
  .byte 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7
#else
  .byte 0, 0, 1, 1, 2, 2, 3, 3
#endif
.Lsort:  /* from there, even columns into the lower half, odd ones into the upper */
#if defined(TSR_ELEMENT_F32)
  .byte 0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15
#else
  .byte 0, 2, 4, 6, 1, 3, 5, 7
#endif
.text

.macro load_half reg, offset
  vhalf zmm\reg{k1}{z}, [A + \offset]
.endm
.macro blend reg, upper
  vblend zmm\reg{k2}, zmm\reg, zmm\upper
.endm
.macro multiply_half acc, a, b
  vfma zmm\acc{k1}, zmm\a, zmm\b
.endm

/* One k: the vectors of A stay, the columns of B pass by in pairs. */
.macro k_step_half nv, nr
  .set at_i, 0
  .rept \nv
    load_vector %(at_i), %(64*at_i), 0
    .set at_i, at_i + 1
  .endr
  load_half %(\nv), %(64*\nv)
  .set at_j, 0
  .rept \nr
    .set at_b, \nv + 1 + at_j % 2
    broadcast %(at_b), %(at_j)
    .set at_i, 0
    .rept \nv
      multiply %(32 - \nv*\nr + at_j*\nv + at_i), %(at_i), %(at_b), 0
      .set at_i, at_i + 1
    .endr
    .if at_j % 2
      blend %(\nv + 1), %(\nv + 2)
    .endif
    .if at_j % 2 || at_j + 1 == \nr
      multiply_half %(FIRST_HALF(\nv, \nr) + at_j/2), %(\nv), %(\nv + 1)
    .endif
    .set at_j, at_j + 1
  .endr
.endm

.macro load_twice
  vmov ymm0{k3}{z}, [A]
  vperm zmm0, zmm3, zmm0
.endm
.macro multiply_pair acc, b, offset
  vpair zmm\b, [B0 + \offset]
  vfma zmm\acc{k5}, zmm0, zmm\b
.endm
.macro multiply_alone acc, b, offset
  vbcast zmm\b, [B0 + \offset]
  vfma zmm\acc{k5}, zmm0, zmm\b
.endm

/* One k of a tile without whole vectors whose columns of B are neighbours in memory. */
.macro k_step_pairs nv, nr
  load_twice
  .set at_j, 0
  .rept \nr/2
    multiply_pair %(FIRST_HALF(0, \nr) + at_j), %(1 + at_j % 2), %(2*SIZE*at_j)
    .set at_j, at_j + 1
  .endr
  .if \nr % 2
    multiply_alone %(FIRST_HALF(0, \nr) + at_j), %(1 + at_j % 2), %(2*SIZE*at_j)
  .endif
.endm

.macro sort_sum acc
  vperm zmm\acc, zmm0, zmm\acc
.endm
.macro sort_sums nr
  vindices(zmm0, .Lsort)
  .set at_j, FIRST_HALF(0, \nr)
  .rept (\nr + 1)/2
    sort_sum %(at_j)
    .set at_j, at_j + 1
  .endr
.endm

/* All steps of k of a tile, with C fetched on the way; `columns` are those whose addresses k_step uses. */
.macro k_loop k_step, nv, nr, columns
  mov K, [STEP + STEP_K]
  mov qword ptr K_LATE, 0
  sub K, LATE
  jle .Llate\@               /* a short k: fetch C at once */
  mov qword ptr K_LATE, LATE
.Lk_loop\@:
  \k_step \nv, \nr
  .set at_i, 0
  .rept \nv + 1
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
  prefetch_tile %(\nv + 1), \nr
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

/* The ends of a column: s = fma(alpha, s, beta * C) or fma(alpha, s, +0), then C = s. Half rows end pair by pair. */
.macro update_whole acc, offset
  vmulv zmm2, zmm1, [C + \offset]
  vfma_end zmm\acc, zmm0, zmm2
.endm
.macro update_halves acc, offset, alone
  .if \alone
    vhalf zmm2{k1}{z}, [C + \offset]
  .else
    vmov ymm2{k3}{z}, [C + \offset]
    vhalf zmm2{k4}, [C + CSC + \offset]
  .endif
  vmulv zmm2{k1}{z}, zmm2, zmm1
  vfma_end zmm\acc{k1}, zmm0, zmm2
.endm
.macro write_whole acc, offset
  vfma_end zmm\acc, zmm0, zmm2
.endm
.macro write_halves acc, offset, alone
  vfma_end zmm\acc{k1}, zmm0, zmm2
.endm
.macro store_whole acc, offset
  vmov [C + \offset], zmm\acc
.endm
.macro store_halves acc, offset, alone
  vmov [C + \offset]{k3}, ymm\acc
  .if \alone == 0
    vupper ymm2, zmm\acc, 1
    vmov [C + CSC + \offset]{k3}, ymm2
  .endif
.endm

/* Does `how` to every column, walking C from column to column. Everything is read before anything is written: a masked
 * store may reach over the next column's rows, and a load would wait for it. */
.macro each_column how, nv, nr
  .set at_j, 0
  .rept \nr
    .set at_i, 0
    .rept \nv
      \how\()_whole %(32 - \nv*\nr + at_j*\nv + at_i), %(64*at_i)
      .set at_i, at_i + 1
    .endr
    .if at_j % 2 == 0
      \how\()_halves %(FIRST_HALF(\nv, \nr) + at_j/2), %(64*\nv), %(at_j + 1 == \nr)
    .endif
    add C, CSC
    .set at_j, at_j + 1
  .endr
  mov C, K
.endm

/* The masks of the half rows in this tile. */
.macro set_half_masks nv
  mov eax, HALF
  lea rbx, [ROWS - \nv*LANES]
  cmp rbx, rax
  cmovg rbx, rax
  mov eax, -1
  bzhi eax, eax, ebx
  kmovw k3, eax
  mov edx, eax
  shl edx, HALF
  kmovw k4, edx
  or eax, edx
  kmovw k1, eax
  .if \nv == 0
    add ebx, ebx
    mov eax, -1
    bzhi eax, eax, ebx
    kmovw k5, eax
  .endif
.endm

/* The function's body, from the first push to ret. nv + 3 registers beside the sums: FIRST_HALF(nv, nr) >= nv + 3. */
.macro gemm_half nv, nr
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  mov CSA, [STEP + STEP_CSA]
  mov RSB, [STEP + STEP_RSB]
  mov CSB, [STEP + STEP_CSB]
  mov ROWS, [STEP + STEP_M]
  lea CSB3, [CSB + 2*CSB]
  mov B_BASE, B0
  lea AHEAD, [8*CSA]          /* a panel: eight k further */
  cmp CSA, PANEL(\nv)
  cmovne AHEAD, [STEP + STEP_DA] /* a matrix: the next tile, whose rows follow in memory */
  mov A_TILE, A
  load_scalar(xmm0, STEP_ALPHA)
  load_scalar(xmm1, STEP_BETA)
  vmov_scalar ALPHA, xmm0
  vmov_scalar BETA, xmm1
  mov eax, UPPER_HALF
  kmovw k2, eax

.Ltile\@:
  set_half_masks \nv
  .set at_i, FIRST_HALF(\nv, \nr)
  .rept 32 - FIRST_HALF(\nv, \nr)
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
  .if \nr > 12
    lea B12, [B8 + 4*CSB]
  .endif
  .if \nv == 0 && \nr > 1
    cmp CSB, SIZE
    jne .Lapart\@
    vindices(zmm3, .Ltwice)
    k_loop k_step_pairs, \nv, \nr, 1
    sort_sums \nr
    jmp .Lk_end\@
  .endif
.Lapart\@:
  k_loop k_step_half, \nv, \nr, \nr
.Lk_end\@:
  mov CSC, [STEP + STEP_CSC]
  mov K, C
  test dword ptr [STEP + STEP_FLAGS], STEP_STORE_SUM
  jnz .Lstore_sum\@
  vbcast zmm0, ALPHA
  vbcast zmm1, BETA
  mov rax, [STEP + STEP_BETA]
  add rax, rax                /* +0 and -0 become 0 */
  jz .Lno_read\@
  each_column update, \nv, \nr
  jmp .Lstore_sum\@
.Lno_read\@:
  zero 2
  each_column write, \nv, \nr
.Lstore_sum\@:
  each_column store, \nv, \nr
  add A_TILE, [STEP + STEP_DA]
  add C, [STEP + STEP_DC]
  sub ROWS, \nv*LANES + HALF
  jg .Ltile\@

  vzeroupper
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm
