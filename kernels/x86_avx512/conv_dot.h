/* The integer convolution kernels (TSR_OP_CONV of kernel.h with s8 weights; with CONV_LANES TSR_OP_CONV_LANES) for a
 * tile of nv vectors x nr columns.
 *
 *   y[i][j] = (bias[i] or C[i][j]) + sum over the taps' units p of A[i][p][0:4] . B[p][j][0:4]      modulo 2^32
 *   lanes:                           sum over the taps p of A[i][p] * B[i][p][j]
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * B's bytes are u8, or with CONV_X_S8 s8, whose sign bits are flipped but in lanes, which adds 128. A file may define
 * CONV_WORDS for CPUs without VNNI: bytes 0 and 2, and 1 and 3, of a unit are then widened to words and multiplied in
 * pairs. In lanes every byte becomes 32 bits, of which one factor's upper half is 0.
 * With conv->narrow (not in lanes) sums become bytes in the registers. Tiles and masks are those of gemm_tile.h. Columns that do not have a tap take 0 for it, which adds nothing.
 *
 * Live at the loop head:
 *   zmm(32 - nv*nr) .. zmm31    y, column by column
 *   zmm0 .. zmm(nv-1)           A; with CONV_WORDS zmm0 .. zmm(2*nv-1), the even and the odd bytes of each vector
 *   the next                    B; with CONV_WORDS B's even bytes, its odd ones, a product, and 0x00ff00ff
 *                               (in lanes B, then a product)
 *   then, with CONV_X_S8        0x80808080 (in lanes 0x0000ffff)
 *   k1                          rows of the last vector */
#include "kernels/x86_asm.h"

#define STEP rdi
#define A rsi     /* this unit of this tile */
#define B0 rdx    /* this unit, column 0; columns 0..3 are at B0 + {0, 1, 2, 3} * CSB */
#define B4 rax    /* this unit, column 4 */
#define B8 r12    /* this unit, column 8 */
#define B12 r14   /* this unit, column 12 */
#define C rcx     /* column 0 of this tile */
#define RSB rcx   /* lanes: during the taps */
#define CSA r8
#define TAPS r9
#define CSB r10
#define CSB3 r11
#define K rbx
#define X rbp     /* B of this column of tiles */
#define A_TILE r13
#define ROWS r15  /* rows from this tile down */
#define CSC r14   /* before and after the taps, where B12 is */

/* Below the stack pointer, which a leaf function may use. */
#define CONV [rsp - 8]
#define COUNT [rsp - 16]   /* taps from these on */
#define COLUMNS [rsp - 24] /* from this column of tiles on */
#define A_BASE [rsp - 32]
#define C_BASE [rsp - 40]
#define BIAS [rsp - 48]    /* of this tile; 0: none */
#if defined(CONV_LANES)
#define X_BASE [rsp - 56]  /* of the first tile of rows */
#define C_TILE [rsp - 64]  /* where C is during the taps */
#else
#define SCALES [rsp - 56]  /* of this tile, where there is a NARROW */
#define NARROW [rsp - 64]  /* 0: C is y */
#endif
#define MASKS rsp - 128    /* of each column, 4 bytes: whether it has these taps */

#define LANES 16
#define UNIT 4


/* Register numbers are computed: %expr passes a value to a macro, at_i and at_j are the running vector and column. */
.altmacro

/* zmm<reg> = B's unit at `at` in every lane; `mask` is empty or {k2}{z}. */
#if defined(CONV_X_S8)
.macro spread reg, flip, at, mask
  vpxord zmm\reg\mask, zmm\flip, dword ptr [\at]{1to16}
.endm
#else
.macro spread reg, flip, at, mask
  vpbroadcastd zmm\reg\mask, dword ptr [\at]
.endm
#endif

/* `how` x, y, column j of B at this unit, mask */
.macro with_column j, how, x, y, mask
  .if \j == 0
    \how \x, \y, <B0>, \mask
  .elseif \j == 1
    \how \x, \y, <B0 + CSB>, \mask
  .elseif \j == 2
    \how \x, \y, <B0 + 2*CSB>, \mask
  .elseif \j == 3
    \how \x, \y, <B0 + CSB3>, \mask
  .elseif \j == 4
    \how \x, \y, <B4>, \mask
  .elseif \j == 5
    \how \x, \y, <B4 + CSB>, \mask
  .elseif \j == 6
    \how \x, \y, <B4 + 2*CSB>, \mask
  .elseif \j == 7
    \how \x, \y, <B4 + CSB3>, \mask
  .elseif \j == 8
    \how \x, \y, <B8>, \mask
  .elseif \j == 9
    \how \x, \y, <B8 + CSB>, \mask
  .elseif \j == 10
    \how \x, \y, <B8 + 2*CSB>, \mask
  .elseif \j == 11
    \how \x, \y, <B8 + CSB3>, \mask
  .elseif \j == 12
    \how \x, \y, <B12>, \mask
  .elseif \j == 13
    \how \x, \y, <B12 + CSB>, \mask
  .elseif \j == 14
    \how \x, \y, <B12 + 2*CSB>, \mask
  .else
    \how \x, \y, <B12 + CSB3>, \mask
  .endif
.endm

#if defined(CONV_LANES)
#define A_REGS 1
#if defined(CONV_WORDS)
#define OTHERS 2 /* B, a product */
#else
#define OTHERS 1
#endif
#define A_VECTOR LANES
#if defined(CONV_X_S8)
#define widen vpmovsxbd
#else
#define widen vpmovzxbd
#endif
.macro load_vector reg, offset, keep
  vpmovsxbd zmm\reg, xmmword ptr [A + \offset]
#if defined(CONV_X_S8)
  vpandd zmm\reg, zmm\reg, zmm\keep
#endif
.endm
/* Vector `i` of a column; k3 is k1 and the column's mask. */
.macro lanes_of reg, i, at, mask
  widen zmm\reg\mask, xmmword ptr [\at + \i*LANES]
.endm
#if defined(CONV_WORDS)
.macro dot acc, a, b
  multiply_add \acc, \a, \b, %(\b + 1)
.endm
.macro multiply_add acc, a, b, product
  vpmaddwd zmm\product, zmm\b, zmm\a
  vpaddd zmm\acc, zmm\acc, zmm\product
.endm
#else
.macro dot acc, a, b
  vpdpwssd zmm\acc, zmm\b, zmm\a
.endm
#endif
#elif defined(CONV_WORDS)
#define A_VECTOR 64
#define A_REGS 2
#define OTHERS 4 /* what follows A: B's even and odd bytes, a product, the mask of even bytes */
.macro load_vector reg, offset, keep
  load_words \reg, %(\reg + 1), \offset
.endm
.macro load_words even, odd, offset
  vmovdqu32 zmm\odd, [A + \offset]
  vpsllw zmm\even, zmm\odd, 8
  vpsraw zmm\even, zmm\even, 8
  vpsraw zmm\odd, zmm\odd, 8
.endm
.macro split_words even, odd, keep
  vpsrlw zmm\odd, zmm\even, 8
  vpandd zmm\even, zmm\even, zmm\keep
.endm
.macro after_spread b
  split_words \b, %(\b + 1), %(\b + 3)
.endm
.macro dot_words acc, a0, a1, b0, b1, product
  vpmaddwd zmm\product, zmm\b0, zmm\a0
  vpaddd zmm\acc, zmm\acc, zmm\product
  vpmaddwd zmm\product, zmm\b1, zmm\a1
  vpaddd zmm\acc, zmm\acc, zmm\product
.endm
.macro dot acc, a, b
  dot_words \acc, \a, %(\a + 1), \b, %(\b + 1), %(\b + 2)
.endm
#else
#define A_VECTOR 64
#define A_REGS 1
#define OTHERS 1
.macro load_vector reg, offset, keep
  vmovdqu32 zmm\reg, [A + \offset]
.endm
.macro after_spread b
.endm
.macro dot acc, a, b
  vpdpbusd zmm\acc, zmm\b, zmm\a
.endm
#endif

.macro load_mask j
  kmovw k2, [MASKS + 4*\j]
.endm

/* Column j for all vectors of A. */
.macro column j, nv, nr, mask
#if defined(CONV_LANES)
  .set at_i, 0
  .rept \nv
    .ifnb \mask
      .if at_i + 1 == \nv
        kandw k2, k2, k1
      .endif
      with_column \j, lanes_of, %(\nv), %(at_i), \mask
    .elseif at_i + 1 == \nv
      with_column \j, lanes_of, %(\nv), %(at_i), {k1}{z}
    .else
      with_column \j, lanes_of, %(\nv), %(at_i)
    .endif
    dot %(32 - \nv*\nr + \j*\nv + at_i), %(at_i), %(\nv)
    .set at_i, at_i + 1
  .endr
#else
  with_column \j, spread, %(A_REGS*\nv), %(A_REGS*\nv + OTHERS), \mask
  after_spread %(A_REGS*\nv)
  .set at_i, 0
  .rept \nv
    dot %(32 - \nv*\nr + \j*\nv + at_i), %(A_REGS*at_i), %(A_REGS*\nv)
    .set at_i, at_i + 1
  .endr
#endif
.endm

/* One unit of a tile; the vectors of A stay, the columns of B pass by. `mask` is empty, or {k2}{z} to leave out
 * columns that do not have it. */
.macro unit nv, nr, mask
  .set at_i, 0
  .rept \nv
    load_vector %(A_REGS*at_i), %(A_VECTOR*at_i), %(A_REGS*\nv + OTHERS)
    .set at_i, at_i + 1
  .endr
  .set at_j, 0
  .rept \nr
    .ifnb \mask
      load_mask %(at_j)
    .endif
    column %(at_j), \nv, \nr, \mask
    .set at_j, at_j + 1
  .endr
.endm

#if defined(CONV_LANES)
#define NEXT_B RSB
#else
#define NEXT_B UNIT
#endif
.macro next_unit nr
  add A, CSA
  add B0, NEXT_B
  .if \nr > 4
    add B4, NEXT_B
  .endif
  .if \nr > 8
    add B8, NEXT_B
  .endif
  .if \nr > 12
    add B12, NEXT_B
  .endif
.endm

/* MASKS of the columns that have these taps. */
.macro set_masks
  vpbroadcastd zmm0, dword ptr [TAPS + TAPS_FIRST] /* and end above it */
  vpsrad zmm1, zmm0, 16
  vpslld zmm0, zmm0, 16
  vpsrad zmm0, zmm0, 16
  vpcmpd k2, zmm0, [rip + .Lcolumns], 2        /* first <= j */
  vpcmpd k2{k2}, zmm1, [rip + .Lcolumns], 6    /* end > j */
  vpmovm2d zmm0, k2
  vmovdqu32 [MASKS], zmm0
.endm

/* All taps of a tile. */
.macro walk nv, nr
  mov rax, CONV
  mov TAPS, [rax + CONV_TAPS]
  mov rax, [rax + CONV_COUNT]
  mov COUNT, rax
  test rax, rax
  jz .Lend\@
.Ltaps\@:
  mov A, [TAPS + TAPS_A]
  mov B0, [TAPS + TAPS_B]
  add A, A_TILE
  add B0, X
  .if \nr > 4
    lea B4, [B0 + 4*CSB]
  .endif
  .if \nr > 8
    lea B8, [B4 + 4*CSB]
  .endif
  .if \nr > 12
    lea B12, [B8 + 4*CSB]
  .endif
  movsxd K, dword ptr [TAPS + TAPS_K]
  cmp word ptr [TAPS + TAPS_FIRST], 0
  jg .Lsome\@
  cmp word ptr [TAPS + TAPS_END], \nr
  jl .Lsome\@
  .p2align 6
.Lunit\@:
  unit \nv, \nr
  next_unit \nr
  dec K
  jnz .Lunit\@
.Lnext\@:
  add TAPS, TAPS_SIZE
  dec qword ptr COUNT
  jnz .Ltaps\@
  jmp .Lend\@
.Lsome\@:
  set_masks
.Lsome_unit\@:
  unit \nv, \nr, {k2}{z}
  next_unit \nr
  dec K
  jnz .Lsome_unit\@
  jmp .Lnext\@
.Lend\@:
.endm

.macro load_y reg, offset, last, from
  .if \last
    vmovdqu32 zmm\reg{k1}{z}, [\from + \offset]
  .else
    vmovdqu32 zmm\reg, [\from + \offset]
  .endif
.endm
.macro store_y reg, offset, last, to
  .if \last
    vmovdqu32 [\to + \offset]{k1}, zmm\reg
  .else
    vmovdqu32 [\to + \offset], zmm\reg
  .endif
.endm
.macro zero reg
  vpxord zmm\reg, zmm\reg, zmm\reg
.endm
.macro copy to, from
  vmovdqa64 zmm\to, zmm\from
.endm

/* Loads or stores every column of C. */
.macro every_vector how, nv, nr
  mov CSC, [STEP + STEP_CSC]
  mov K, C
  .set at_j, 0
  .rept \nr
    .set at_i, 0
    .rept \nv
      \how %(32 - \nv*\nr + at_j*\nv + at_i), %(64*at_i), %(at_i + 1 == \nv), K
      .set at_i, at_i + 1
    .endr
    .set at_j, at_j + 1
    .if at_j < \nr
      add K, CSC
    .endif
  .endr
.endm

/* What the sums start from: the bias in every column, or C. */
.macro start_tile nv, nr
  test dword ptr [STEP + STEP_FLAGS], STEP_FIRST_K
  jz .Lgo_on\@
  mov K, BIAS
  .set at_i, 0
  .rept \nv
    zero %(at_i)
    .set at_i, at_i + 1
  .endr
  test K, K
  jz .Lspread\@
  .set at_i, 0
  .rept \nv
    load_y %(at_i), %(64*at_i), %(at_i + 1 == \nv), K
    .set at_i, at_i + 1
  .endr
  add K, \nv*64
  mov BIAS, K
.Lspread\@:
  .set at_j, 0
  .rept \nr
    .set at_i, 0
    .rept \nv
      copy %(32 - \nv*\nr + at_j*\nv + at_i), %(at_i)
      .set at_i, at_i + 1
    .endr
    .set at_j, at_j + 1
  .endr
  jmp .Lstarted\@
.Lgo_on\@:
  every_vector load_y, \nv, \nr
.Lstarted\@:
.endm

#if !defined(CONV_LANES)
/* zmm<reg> = y in f32, times the scale of its row, rounded to integers. */
.macro scale_y reg, scale
  vcvtdq2ps zmm\reg, zmm\reg
  vmulps zmm\reg, zmm\reg, zmm\scale
  vcvtps2dq zmm\reg, zmm\reg
.endm
/* zmm<a> = the bytes of up to four vectors a, b, c, d, one after the other; the last ones are repeated. By: zmm0 their
 * order, zmm1 .. zmm3 zero, least and most; rax is NARROW. Those do nothing if it is `plain`. */
.macro to_bytes plain, count, a, b, c, d
  vpackssdw zmm\a, zmm\a, zmm\b /* in each quarter: four rows of each of two vectors, then of four */
  .if !\plain
    vpaddsw zmm\a, zmm\a, zmm1
  .endif
  .if \count > 2
    vpackssdw zmm\c, zmm\c, zmm\d
    .if !\plain
      vpaddsw zmm\c, zmm\c, zmm1
    .endif
    vpackuswb zmm\a, zmm\a, zmm\c
  .else
    vpackuswb zmm\a, zmm\a, zmm\a
  .endif
  .if !\plain
    vpmaxub zmm\a, zmm\a, zmm2
    vpminub zmm\a, zmm\a, zmm3
    vpxord zmm\a, zmm\a, dword ptr [rax + NARROW_FLIP]{1to16}
  .endif
  vpermd zmm\a, zmm0, zmm\a
.endm
.macro to_bytes_at plain, count, a
  .if \count == 1
    to_bytes \plain, 1, \a, \a, \a, \a
  .elseif \count == 2
    to_bytes \plain, 2, \a, %(\a + 1), \a, \a
  .elseif \count == 3
    to_bytes \plain, 3, \a, %(\a + 1), %(\a + 2), %(\a + 2)
  .else
    to_bytes \plain, 4, \a, %(\a + 1), %(\a + 2), %(\a + 3)
  .endif
.endm
/* Bytes of a column to K: `nv` quarters of zmm<reg> from number `quarter` on. `mask` is empty or {k2}. */
.macro store_bytes reg, quarter, nv, mask
  .if \nv > 2
    vmovdqu8 [K]\mask, zmm\reg
  .elseif \nv == 2
    .if \quarter
      vextracti64x4 ymm\reg, zmm\reg, 1
    .endif
    vmovdqu8 [K]\mask, ymm\reg
  .else
    .if \quarter
      vextracti32x4 xmm4, zmm\reg, \quarter
      vmovdqu8 [K]\mask, xmm4
    .else
      vmovdqu8 [K]\mask, xmm\reg
    .endif
  .endif
.endm
/* A group is the vectors that one register of bytes holds: of one column or of several. */
.macro store_columns nv, nr, mask
  mov CSC, [STEP + STEP_CSC]
  mov K, C
  .set at_j, 0
  .rept \nr
    .if \nv == 3
      store_bytes %(32 - 3*\nr + 3*at_j), 0, 3, \mask
    .else
      store_bytes %(32 - \nv*\nr + at_j*\nv/4*4), %(at_j*\nv - at_j*\nv/4*4), \nv, \mask
    .endif
    .set at_j, at_j + 1
    .if at_j < \nr
      add K, CSC
    .endif
  .endr
.endm
.macro all_to_bytes plain, nv, nr
  .set at_v, 0
  .if \nv == 3
    .rept \nr
      to_bytes_at \plain, 3, %(32 - 3*\nr + at_v)
      .set at_v, at_v + 3
    .endr
  .else
    .rept (\nv*\nr + 3)/4
      .if \nv*\nr - at_v >= 4
        to_bytes_at \plain, 4, %(32 - \nv*\nr + at_v)
      .else
        to_bytes_at \plain, %(\nv*\nr - at_v), %(32 - \nv*\nr + at_v)
      .endif
      .set at_v, at_v + 4
    .endr
  .endif
.endm
/* A tile's sums to bytes of C; ends with a jump to `next`. */
.macro narrow_tile nv, nr, next
  mov K, SCALES
  .set at_i, 0
  .rept \nv
    load_y %(at_i), %(64*at_i), %(at_i + 1 == \nv), K
    .set at_i, at_i + 1
  .endr
  add K, \nv*64
  mov SCALES, K
  .set at_j, 0
  .rept \nr
    .set at_i, 0
    .rept \nv
      scale_y %(32 - \nv*\nr + at_j*\nv + at_i), %(at_i)
      .set at_i, at_i + 1
    .endr
    .set at_j, at_j + 1
  .endr
  vmovdqa32 zmm0, [rip + .Lby_vector]
  mov ebx, 0xff000000 /* zero, least and flip are 0, most is 255 */
  cmp rbx, [rax + NARROW_ZERO]
  je .Lplain\@
  vpbroadcastw zmm1, word ptr [rax + NARROW_ZERO]
  vpbroadcastb zmm2, byte ptr [rax + NARROW_LEAST]
  vpbroadcastb zmm3, byte ptr [rax + NARROW_MOST]
  all_to_bytes 0, \nv, \nr
.Lbytes\@:
#if defined(CONV_X_S8)
  constant %(A_REGS*\nv + OTHERS), 0x80808080
#endif
  .if \nv != 3
    cmp ROWS, \nv*LANES
    jl .Lsome_rows\@
    store_columns \nv, \nr
    jmp \next
.Lsome_rows\@:
  .endif
  mov rax, -1
  mov K, \nv*LANES
  cmp K, ROWS
  cmovg K, ROWS
  bzhi rax, rax, K
  kmovq k2, rax
  store_columns \nv, \nr, {k2}
  jmp \next
.Lplain\@:
  all_to_bytes 1, \nv, \nr
  jmp .Lbytes\@
.endm
#endif

.macro constant reg, value
  mov eax, \value
  vpbroadcastd zmm\reg, eax
.endm

#if !defined(CONV_LANES)
/* SCALES of the first tile of rows; rax is NARROW. */
.macro first_scales
  test rax, rax
  jz .Lnone\@
  mov rax, [rax + NARROW_SCALE]
  mov SCALES, rax
.Lnone\@:
.endm
#endif

/* A function's entry. */
.macro enter nv
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  mov CONV, rdx
  mov CSA, [STEP + STEP_CSA]
  mov CSB, [STEP + STEP_CSB]
  mov X, [rdx + CONV_X]
  mov rax, [rdx + CONV_BIAS]
  mov BIAS, rax
  mov rax, [STEP + STEP_N]
  mov COLUMNS, rax
  mov ROWS, [STEP + STEP_M]
  lea CSB3, [CSB + 2*CSB]
  mov A_TILE, A
  mov A_BASE, A
  mov C_BASE, C
#if defined(CONV_WORDS) && !defined(CONV_LANES)
  constant %(A_REGS*\nv + 3), 0x00ff00ff
#endif
#if defined(CONV_X_S8) && defined(CONV_LANES)
  constant %(A_REGS*\nv + OTHERS), 0x0000ffff
#elif defined(CONV_X_S8)
  constant %(A_REGS*\nv + OTHERS), 0x80808080
#endif
#if defined(CONV_LANES)
  mov X_BASE, X
#else
  mov rax, [rdx + CONV_NARROW]
  mov NARROW, rax
  first_scales
#endif
.endm

/* To label `tile` for the next tile, of this column of tiles or the next one; after the last, the function's end. */
.macro next_tile tile, rows, nr
#if defined(CONV_LANES)
  mov rax, CONV
  add X, [rax + CONV_DX]
#endif
  add A_TILE, [STEP + STEP_DA]
  add C, [STEP + STEP_DC]
  sub ROWS, \rows
  jg \tile
  sub qword ptr COLUMNS, \nr
  jle .Lreturn\@
  imul C, [STEP + STEP_CSC], \nr
  add C, C_BASE
  mov C_BASE, C
#if defined(CONV_LANES)
  mov X, X_BASE
  add X, [STEP + STEP_DB]
  mov X_BASE, X
#else
  add X, [STEP + STEP_DB]
#endif
  mov A_TILE, A_BASE
  mov rax, CONV
  mov rax, [rax + CONV_BIAS]
  mov BIAS, rax
#if !defined(CONV_LANES)
  mov rax, NARROW
  first_scales
#endif
  mov ROWS, [STEP + STEP_M]
  jmp \tile
.Lreturn\@:
  vzeroupper
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm

/* The function's body, from the first push to ret. A_REGS*nv + OTHERS + nv*nr <= 32, less one with CONV_X_S8. */
.macro conv_dot nv, nr
  enter \nv
.Ltile\@:
  mov eax, LANES
  lea rbx, [ROWS - (\nv - 1)*LANES]
  cmp rbx, rax
  cmovg rbx, rax
  mov eax, -1
  bzhi eax, eax, ebx
  kmovw k1, eax
  start_tile \nv, \nr
#if defined(CONV_LANES)
  mov C_TILE, C
  mov RSB, [STEP + STEP_RSB]
#endif
  walk \nv, \nr
#if defined(CONV_LANES)
  mov C, C_TILE
#endif
#if !defined(CONV_LANES)
  mov rax, NARROW
  test rax, rax
  jnz .Lnarrow\@
#endif
  every_vector store_y, \nv, \nr
.Lnext\@:
  next_tile .Ltile\@, \nv*LANES, \nr
#if !defined(CONV_LANES)
.Lnarrow\@:
  narrow_tile \nv, \nr, .Lnext\@
#endif
.endm

  .section .rodata
  .p2align 6
.Lcolumns:
  .long 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
.Lby_vector:
  .long 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15
  .text
