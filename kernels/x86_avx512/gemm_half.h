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
 * at the end. Elsewhere each column has a half register of its own until the sums are joined at the end.
 *
 * Live at the loop head:
 *   zmm(32 - nv*nr) .. zmm31     s of the whole vectors, column by column
 *   zmm(FIRST_HALF) ..           s of the half rows, pair by pair, below those
 *   zmm0 .. zmm(nv)              A, the half rows last
 *   zmm(nv+1), zmm(nv+2)         B
 *   zmm3                         indices that double the rows (nv = 0)
 *   ymm(COLUMN) ..               s column by column (nv = 0, columns apart)
 *   k1, k3, k4                   half rows: in both halves, in the lower, in the upper
 *   k2                           the upper half
 *   k5                           half rows where columns alternate from lane to lane (nv = 0) */
#include "kernels/x86_avx512/gemm_tile.h"

#define HALF (LANES/2)
#define PANEL(nv) ((nv)*64 + 32) /* bytes of a k in a packed panel */
#define COLUMN 4
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

/* One k of a tile without whole vectors whose columns of B lie apart. */
.macro multiply_element acc, unused, column
  vfma ymm\acc{k3}, ymm0, ELEMENT ptr \column{HALF_LANES}
.endm
.macro k_step_apart nv, nr
  vmov ymm0{k3}{z}, [A]
  .set at_j, 0
  .rept \nr
    with_column %(at_j), multiply_element, %(COLUMN + at_j), 0
    .set at_j, at_j + 1
  .endr
.endm

.macro join sum, even, odd
  vinsertf64x4 zmm\sum, zmm\even, ymm\odd, 1
.endm
.macro join_columns nr
  .set at_j, 0
  .rept (\nr + 1)/2
    .if 2*at_j + 1 < \nr
      join %(FIRST_HALF(0, \nr) + at_j), %(COLUMN + 2*at_j), %(COLUMN + 2*at_j + 1)
    .else
      join %(FIRST_HALF(0, \nr) + at_j), %(COLUMN + 2*at_j), %(COLUMN + 2*at_j)
    .endif
    .set at_j, at_j + 1
  .endr
.endm

/* Half rows go on from C, for start_tile: a pair of columns in a register. */
.macro take_half_column column, nv, nr
  .set at_i, 0
  .rept \nv
    vmov_column %(32 - \nv*\nr + \column*\nv + at_i), %(64*at_i)
    .set at_i, at_i + 1
  .endr
  .if \nv > 0
    take_half %(FIRST_HALF(\nv, \nr) + \column/2), %(64*\nv), %(\column % 2), %(\column + 1 == \nr)
  .endif
.endm
.macro vmov_column acc, offset
  vmov zmm\acc, [K + \offset]
.endm
.macro take_half acc, offset, odd, final
  .if \odd
    vhalf zmm\acc{k4}, [K + \offset]
  .elseif \final
    vhalf zmm\acc{k1}{z}, [K + \offset]
  .else
    vmov ymm\acc{k3}{z}, [K + \offset]
  .endif
.endm

/* The sums of columns apart: 0, or C. */
.macro start_apart nr
  .set at_j, 0
  .rept \nr
    zero %(COLUMN + at_j)
    .set at_j, at_j + 1
  .endr
  test dword ptr [STEP + STEP_FLAGS], STEP_GO_ON
  jz .Lapart\@
  mov K, C
  .set at_j, 0
  .rept \nr
    take_apart %(COLUMN + at_j)
    .set at_j, at_j + 1
  .endr
.Lapart\@:
.endm
.macro take_apart acc
  vmov ymm\acc{k3}{z}, [K]
  add K, [STEP + STEP_CSC]
.endm

/* A tile without whole vectors, either way. */
.macro k_loop_half_alone nr
  .if \nr > 1
    test dword ptr [STEP + STEP_FLAGS], STEP_GO_ON
    jnz .Lapart\@
    cmp CSB, SIZE
    jne .Lapart\@
    vindices(zmm3, .Ltwice)
    k_loop k_step_pairs, 1, 0, \nr, 1
    sort_sums \nr
    jmp .Lsummed\@
  .endif
.Lapart\@:
  start_apart \nr
  k_loop k_step_apart, 1, 0, \nr, \nr
  join_columns \nr
.Lsummed\@:
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
  enter PANEL(\nv)
  mov eax, UPPER_HALF
  kmovw k2, eax
.Ltile\@:
  set_half_masks \nv
  start_tile %(FIRST_HALF(\nv, \nr)), take_half_column, \nv, \nr
  .if \nv == 0
    k_loop_half_alone \nr
  .else
    k_loop k_step_half, %(\nv + 1), \nv, \nr, \nr
  .endif
  end_tile each_column, \nv, \nr
  next_tile .Ltile\@, \nv*LANES + HALF, \nr
.endm
