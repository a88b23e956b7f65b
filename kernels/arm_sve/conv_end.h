/* What CONV and CONV_LANES of kernel.h share: registers, the way from tile to tile, reading an entry of the list of
 * taps, and the end of a tile, whose sums z(acc) .. z31 lie column by column.
 *
 *   y = FIRST_K ? (bias ? bias[i] : +0) : C[i][j];  y = fma(alpha, s, y)
 *   LAST_K: if add: y = y + add[i][j];  y = y < low ? low : y;  y = y > high ? high : y
 *   of integers, for which a file defines TSR_DOT_U8 or TSR_DOT_S8 beside TSR_ELEMENT_F32, only y = y + s
 *
 * Live between tiles: STEP, CONV, C, CSA, CSB, X, A_TILE, and on the stack what LOCAL_... names. */
#include "kernels/arm_asm.h"
#include "kernels/arm_sve/element.h"

#if defined(TSR_DOT_U8) || defined(TSR_DOT_S8)
#define TSR_DOT
.arch armv8.2-a+sve+i8mm
#endif

#define STEP x0
#define A x1        /* this k of this tile */
#define CONV x2
#define C x3        /* column 0 of this tile */
                    /* x4 .. x17, x19, x20: columns of B, or free */
#define CSA x21
#define K x22
#define MASK x23    /* a bit for each column that this entry has */
#define CSB x24
#define TAPS x25    /* this entry */
#define TAPS_LAST x26 /* behind the last one */
#define X x27       /* B of this tile */
#define A_TILE x28

#define LOCAL_A 0        /* where a column of tiles begins */
#define LOCAL_C 8
#define LOCAL_ROWS 16    /* from this tile down */
#define LOCAL_COLUMNS 24 /* from this column of tiles on */
#define LOCAL_WHOLE_C 32 /* where the step's C begins */
#define LOCAL_X 40       /* CONV_LANES: B of this column of tiles from the first one on */
#define LOCALS 48

#define SAVE_X25_TO_X28 \
  stp x25, x26, [sp, #-32]!; .cfi_adjust_cfa_offset 32; .cfi_rel_offset x25, 0; .cfi_rel_offset x26, 8; \
  stp x27, x28, [sp, #16]; .cfi_rel_offset x27, 16; .cfi_rel_offset x28, 24
#define RESTORE_X25_TO_X28 \
  ldp x27, x28, [sp, #16]; .cfi_restore x27; .cfi_restore x28; \
  ldp x25, x26, [sp], #32; .cfi_adjust_cfa_offset -32; .cfi_restore x25; .cfi_restore x26

/* Register numbers are computed: %expr passes a value to a macro; at_i, at_j are the running vector and column. */
.altmacro

/* acc, and low: from z(low) on registers are the sums' or the caller's. */
.macro share_registers nv, nr
  .set acc, 32 - \nv*\nr
  .set low, acc
  .if acc >= 16
    .set low, 8
  .endif
.endm

.macro zero reg
  mov z\reg\().T, #0
.endm

.macro begin_tiles nv, nr
  share_registers \nv, \nr
  .if acc < 16
    SAVE_D8_TO_D15
  .endif
  SAVE_X19_TO_X24
  SAVE_X25_TO_X28
  sub sp, sp, #LOCALS
  .cfi_adjust_cfa_offset LOCALS
  stp A, C, [sp, #LOCAL_A]
  stp C, xzr, [sp, #LOCAL_WHOLE_C]         /* and LOCAL_X */
  ldp x4, x5, [STEP, STEP_M]
  stp x4, x5, [sp, #LOCAL_ROWS]
  ldr CSA, [STEP, STEP_CSA]
  ldr CSB, [STEP, STEP_CSB]
  ldr X, [CONV, CONV_X]
  mov A_TILE, A
  ptrue p0.T
.endm

/* p1 = rows of the tile's last vector; x4, x5 go. */
.macro set_rows nv
  ldr x4, [sp, #LOCAL_ROWS]
  COUNT x5, all, mul #(\nv - 1)
  whilelt p1.T, x5, x4
.endm
.macro begin_tile nv, nr
  .if \nv > 1
    set_rows \nv
  .else
    ldr x4, [sp, #LOCAL_ROWS]
    whilelt p1.T, xzr, x4
  .endif
  .set at_i, acc
  .rept \nv*\nr
    zero %(at_i)
    .set at_i, at_i + 1
  .endr
  ldp TAPS, TAPS_LAST, [CONV, CONV_TAPS]
  add TAPS_LAST, TAPS_LAST, TAPS_LAST, lsl #1
  add TAPS_LAST, TAPS, TAPS_LAST, lsl #3   /* TAPS_SIZE is 24 */
.endm

/* MASK of the entry at TAPS, A, K and x4 = its B; goes to `none` where it has no column. Flags: eq if it has all. */
.macro read_taps nr, none
  ldrsh x23, [TAPS, TAPS_FIRST]
  ldrsh x22, [TAPS, TAPS_END]
  mov x1, #\nr
  cmp x22, #\nr
  csel x22, x22, x1, lt
  cmp x23, #0
  csel x23, x23, xzr, gt
  subs x1, x22, x23
  b.le \none
  mov x22, #-1
  lsl x22, x22, x1
  mvn x22, x22
  lsl MASK, x22, x23
  cmp x1, #\nr
  ldp A, x4, [TAPS, TAPS_A]
  ldrsw K, [TAPS, TAPS_K]
  add A, A, A_TILE
  add x4, x4, X
.endm

/* Each does something to the sum z<acc> of the vector `i` of a column; x6 = that column of C or of what is added, z0 =
 * alpha, z1 = what is compared with or begun from. */
.macro end_from acc, mask, begun
#if defined(TSR_DOT)
  add z\acc\().T, z\acc\().T, \begun\().T
#else
  fmad z\acc\().T, \mask/m, z0.T, \begun\().T
#endif
.endm
.macro end_from_c acc, i, mask
  LOAD {z2.T}, \mask/z, [x6, #\i, mul vl]
  end_from \acc, \mask, z2
.endm
.macro end_from_z1 acc, i, mask
  end_from \acc, \mask, z1
.endm
.macro end_add acc, i, mask
  LOAD {z2.T}, \mask/z, [x6, #\i, mul vl]
  fadd z\acc\().T, \mask/m, z\acc\().T, z2.T
.endm
.macro end_low acc, i, mask
  fcmgt p2.T, \mask/z, z1.T, z\acc\().T
  mov z\acc\().T, p2/m, z1.T
.endm
.macro end_high acc, i, mask
  fcmgt p2.T, \mask/z, z\acc\().T, z1.T
  mov z\acc\().T, p2/m, z1.T
.endm
.macro end_store acc, i, mask
  STORE {z\acc\().T}, \mask, [x6, #\i, mul vl]
.endm

.macro end_vector how, nv, i, j
  .if \i + 1 == \nv
    \how %(acc + \j*\nv + \i), %(\i), p1
  .else
    \how %(acc + \j*\nv + \i), %(\i), p0
  .endif
.endm
/* Column after column, x6 = the first. */
.macro end_each how, nv, nr
  .set at_j, 0
  .rept \nr
    .set at_i, 0
    .rept \nv
      end_vector \how, \nv, %(at_i), %(at_j)
      .set at_i, at_i + 1
    .endr
    .set at_j, at_j + 1
    .if at_j < \nr
      add x6, x6, x5
    .endif
  .endr
.endm
.macro load_bias i, mask
  LOAD {z1.T}, \mask/z, [x6, #\i, mul vl]
.endm
/* Row of vectors after row of vectors, x6 = bias. */
.macro end_from_bias nv, nr
  .set at_i, 0
  .rept \nv
    .if at_i + 1 == \nv
      load_bias %(at_i), p1
    .else
      load_bias %(at_i), p0
    .endif
    .set at_j, 0
    .rept \nr
      end_vector end_from_z1, \nv, %(at_i), %(at_j)
      .set at_j, at_j + 1
    .endr
    .set at_i, at_i + 1
  .endr
.endm

/* z1 = the limit at `offset` of CONV in all lanes, or on to `none` where it is the infinity whose bits begin so. */
.macro load_limit offset, infinity, none
  ldr x7, [CONV, \offset]
  mov x8, #(\infinity << 48)
  cmp x7, x8
  b.eq \none
  fmov d1, x7
  .if SIZE == 4
    fcvt s1, d1
  .endif
  mov z1.T, z1.T[0]
.endm

.macro finish_tile nv, nr
  ldr x4, [STEP, STEP_FLAGS]
  ldr x5, [STEP, STEP_CSC]
#if !defined(TSR_DOT)
  load_scalar(0, STEP_ALPHA)
  mov z0.T, z0.T[0]
#endif
  tbz x4, #STEP_FIRST_K_BIT, .Lfrom_c\@
  ldr x6, [CONV, CONV_BIAS]
  cbz x6, .Lfrom_zero\@
  tbnz x4, #STEP_REPEAT_BIT, .Lbias\@
  ldr x7, [STEP, STEP_M]
  ldr x8, [sp, #LOCAL_ROWS]
  sub x7, x7, x8
  add x6, x6, x7, lsl #SHIFT
.Lbias\@:
  end_from_bias \nv, \nr
  b .Lbegun\@
.Lfrom_zero\@:
  mov z1.T, #0
  end_each end_from_z1, \nv, \nr
  b .Lbegun\@
.Lfrom_c\@:
  mov x6, C
  end_each end_from_c, \nv, \nr
.Lbegun\@:
#if !defined(TSR_DOT)
  tbz x4, #STEP_LAST_K_BIT, .Lstore\@
  ldr x6, [CONV, CONV_ADD]
  cbz x6, .Ladded\@
  ldr x7, [sp, #LOCAL_WHOLE_C]
  sub x7, C, x7
  add x6, x6, x7
  end_each end_add, \nv, \nr
.Ladded\@:
  load_limit CONV_LOW, 0xfff0, .Lraised\@
  end_each end_low, \nv, \nr
.Lraised\@:
  load_limit CONV_HIGH, 0x7ff0, .Lstore\@
  end_each end_high, \nv, \nr
.Lstore\@:
#endif
  mov x6, C
  end_each end_store, \nv, \nr
.endm

/* On to the tile below, at `tile`, or to the next column of tiles there; `lanes`: B has rows too. Else returns. */
.macro next_tile nv, nr, lanes, tile
  ldp x4, x5, [STEP, STEP_DA]
  add A_TILE, A_TILE, x4
  add C, C, x5
  .if \lanes
    ldr x6, [CONV, CONV_DX]
    add X, X, x6
  .endif
  ldr x7, [sp, #LOCAL_ROWS]
  COUNT x8, all, mul #\nv
  subs x7, x7, x8
  str x7, [sp, #LOCAL_ROWS]
  b.gt \tile
  ldr x7, [sp, #LOCAL_COLUMNS]
  subs x7, x7, #\nr
  b.le .Lreturn\@
  str x7, [sp, #LOCAL_COLUMNS]
  ldp A_TILE, C, [sp, #LOCAL_A]
  ldp x4, x5, [STEP, STEP_CSC]             /* and db */
  mov x6, #\nr
  madd C, x4, x6, C
  str C, [sp, #LOCAL_C]
  .if \lanes
    ldr X, [CONV, CONV_X]
    ldr x6, [sp, #LOCAL_X]
    add x5, x5, x6
    str x5, [sp, #LOCAL_X]
  .endif
  add X, X, x5
  ldr x4, [STEP, STEP_M]
  str x4, [sp, #LOCAL_ROWS]
  b \tile
.Lreturn\@:
  add sp, sp, #LOCALS
  .cfi_adjust_cfa_offset -LOCALS
  RESTORE_X25_TO_X28
  RESTORE_X19_TO_X24
  .if acc < 16
    RESTORE_D8_TO_D15
  .endif
  ret
.endm
