/* The GEMM micro-kernel (TSR_OP_GEMM of kernel.h) for a tile of nv vectors x nr columns, whatever a vector's length.
 *
 *   s[i][j]  = sum over p of A[i,p] * B[p,j], one fma chain from +0, or from C[i][j] with TSR_GO_ON, in order of p;
 *              A of f16 or bf16 is made f32 first
 *   C[i][j]  = fma(alpha, s, beta * C[i][j])      or s itself with TSR_STORE_SUM
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Tiles lie one under the other and, where the step has more than nr columns, such columns of tiles side by side.
 *
 * Two loops over k. Where the tile has all its rows and the columns of B lie side by side, LD1RQ brings 16 bytes of B
 * at once (the last load takes no column beyond nr) and FMLA picks its element: 24 FMLA for 5 loads at 3 x 8 of f32.
 * The one CPU with vectors of 64 bytes, A64FX, does such FMLA at half speed and is spared them.
 * Otherwise each element of B is spread by LD1R, and the last vector of A is loaded and multiplied under p1, so that
 * rows beyond m are neither read nor computed and raise no flag.
 *
 * Live at the loop heads:
 *   z(32 - nv*nr) .. z31    s, column by column
 *   z0 .. z(nb-1)           B
 *   z(nb) .. z(nb+na-1)     A
 *   p0  all lanes     p1  rows of the last vector     p2  columns of the last LD1RQ */
#include "kernels/arm_asm.h"
#include "kernels/arm_sve/element.h"

#define STEP x0
#define A x1        /* this k of this tile */
#define B x2        /* this k, column 0 */
#define C x3        /* column 0 of this tile */
#define CSA x4
#define RSB x5
#define CSB x6
#define K x7
#define A_TILE x8
#define B_BASE x9
#define ROWS x10    /* rows from this tile down */
#define FULL x11    /* rows of a whole tile */
#define BJ x12      /* this k, the next column */
#define CJ x13      /* the column being stored */
#define CSC x14
#define TMP x15
#define BESIDE x16  /* CSB, or 0 where FMLA by element is slow */
#define COLUMNS x17 /* from this column of tiles on */

#include "kernels/arm_sve/finish.h"

/* Register numbers are computed: %expr passes a value to a macro; at_i, at_j are the running vector and column. */
.altmacro

/* How the registers below the sums are shared: nb for B, na for A. Small tiles leave z8 to z15 to the caller. */
.macro share_registers nv, nr
  .set acc, 32 - \nv*\nr
  .set quads, (\nr + PER_QUAD - 1) / PER_QUAD
  .set low, acc
  .if acc >= 16
    .set low, 8
  .endif
  .set na, \nv
  .set nb, low - \nv
  .if \nv > 4
    .set nb, \nr
    .set na, low - \nr
  .endif
  .if nb > LAST_INDEXED + 1
    .set nb, LAST_INDEXED + 1
  .endif
.endm

.macro load_vector reg, i, last
  .if \last
    load_a \reg, p1, [A, #\i, mul vl]
  .else
    load_a \reg, p0, [A, #\i, mul vl]
  .endif
.endm

.macro load_quad reg, q, last
  .if \last
    LOAD_QUAD {z\reg\().T}, p2/z, [B, #16*\q]
  .else
    LOAD_QUAD {z\reg\().T}, p0/z, [B, #16*\q]
  .endif
.endm

/* z<reg> = column j of B at this k, in every lane. */
.macro spread reg, j, nr
  .if \j == 0
    LOAD_ONE {z\reg\().T}, p0/z, [B]
    .if \nr > 1
      add BJ, B, CSB
    .endif
  .else
    LOAD_ONE {z\reg\().T}, p0/z, [BJ]
    .if \j + 1 < \nr
      add BJ, BJ, CSB
    .endif
  .endif
.endm

.macro multiply_element acc, a, b, e
  fmla z\acc\().T, z\a\().T, z\b\().T[\e]
.endm
.macro multiply acc, a, b, last
  .if \last
    fmla z\acc\().T, p1/m, z\a\().T, z\b\().T
  .else
    fmla z\acc\().T, p0/m, z\a\().T, z\b\().T
  .endif
.endm

/* One k of up to four vectors: the vectors of A stay, the columns of B pass by. */
.macro k_step_narrow indexed, nv, nr
  .set at_i, 0
  .rept \nv
    load_vector %(nb + at_i), %(at_i), %(\indexed == 0 && at_i + 1 == \nv)
    .set at_i, at_i + 1
  .endr
  .set at_j, 0
  .rept \nr
    .if \indexed
      .set at_q, at_j / PER_QUAD
      .if at_j % PER_QUAD == 0
        load_quad %(at_q % nb), %(at_q), %(at_q + 1 == quads)
      .endif
    .else
      spread %(at_j % nb), %(at_j), \nr
    .endif
    .set at_i, 0
    .rept \nv
      .if \indexed
        multiply_element %(acc + at_j*\nv + at_i), %(nb + at_i), %(at_q % nb), %(at_j % PER_QUAD)
      .else
        multiply %(acc + at_j*\nv + at_i), %(nb + at_i), %(at_j % nb), %(at_i + 1 == \nv)
      .endif
      .set at_i, at_i + 1
    .endr
    .set at_j, at_j + 1
  .endr
.endm

/* One k of a taller tile: the columns of B stay, the vectors of A pass by. */
.macro k_step_wide indexed, nv, nr
  .set at_j, 0
  .if \indexed
    .rept quads
      load_quad %(at_j), %(at_j), %(at_j + 1 == quads)
      .set at_j, at_j + 1
    .endr
  .else
    .rept \nr
      spread %(at_j), %(at_j), \nr
      .set at_j, at_j + 1
    .endr
  .endif
  .set at_i, 0
  .rept \nv
    .set at_a, nb + at_i % na
    load_vector %(at_a), %(at_i), %(\indexed == 0 && at_i + 1 == \nv)
    .set at_j, 0
    .rept \nr
      .if \indexed
        multiply_element %(acc + at_j*\nv + at_i), %(at_a), %(at_j / PER_QUAD), %(at_j % PER_QUAD)
      .else
        multiply %(acc + at_j*\nv + at_i), %(at_a), %(at_j), %(at_i + 1 == \nv)
      .endif
      .set at_j, at_j + 1
    .endr
    .set at_i, at_i + 1
  .endr
.endm

.macro k_loop indexed, nv, nr
  .p2align 5
.Lk\@:
  .if \nv <= 4
    k_step_narrow \indexed, \nv, \nr
  .else
    k_step_wide \indexed, \nv, \nr
  .endif
  add A, A, CSA
  add B, B, RSB
  subs K, K, #1
  b.gt .Lk\@
.endm

.macro zero reg
  mov z\reg\().T, #0
.endm
.macro go_on acc, i, mask
  LOAD {z\acc\().T}, \mask/z, [CJ, #\i, mul vl]
.endm

/* The function's body, from entry to ret. nv <= 8, and nv + nv*nr + 1 <= 32 or, from five vectors, nv*nr + nr + 1. */
.macro gemm_tile nv, nr
  share_registers \nv, \nr
  .if acc < 16
    SAVE_D8_TO_D15
  .endif
  stp A, C, [sp, #-16]!       /* where a column of tiles begins */
  .cfi_adjust_cfa_offset 16
  ldp ROWS, COLUMNS, [STEP, STEP_M]
  ldp CSA, RSB, [STEP, STEP_CSA]
  ldp CSB, CSC, [STEP, STEP_CSB]
  mov A_TILE, A
  mov B_BASE, B
  COUNT FULL, all, mul #\nv
  ptrue p0.T
  cntb TMP
  cmp TMP, #64
  csel BESIDE, xzr, CSB, eq
  mov TMP, #(\nr - PER_QUAD*(quads - 1))
  whilelt p2.T, xzr, TMP

.Ltile\@:
  COUNT TMP
  sub TMP, FULL, TMP
  whilelt p1.T, TMP, ROWS
  ldr K, [STEP, STEP_FLAGS]
  tbnz K, #STEP_GO_ON_BIT, .Lgo_on\@
  .set at_i, acc
  .rept \nv*\nr
    zero %(at_i)
    .set at_i, at_i + 1
  .endr
.Lbegin\@:
  mov A, A_TILE
  mov B, B_BASE
  ldr K, [STEP, STEP_K]
  cmp K, #0
  b.le .Lk_end\@
  cmp BESIDE, #SIZE
  ccmp ROWS, FULL, #8, eq     /* as if rows were missing where columns of B do not lie side by side */
  b.lt .Lany\@
  k_loop 1, \nv, \nr
  b .Lk_end\@
.Lany\@:
  k_loop 0, \nv, \nr
.Lk_end\@:
  finish_tile \nv, \nr
  ldp TMP, CJ, [STEP, STEP_DA]
  add A_TILE, A_TILE, TMP
  add C, C, CJ
  subs ROWS, ROWS, FULL
  b.gt .Ltile\@
  subs COLUMNS, COLUMNS, #\nr
  b.le .Lreturn\@
  ldp A_TILE, C, [sp]
  mov TMP, #\nr
  madd C, CSC, TMP, C
  str C, [sp, #8]
  ldr TMP, [STEP, STEP_DB]
  add B_BASE, B_BASE, TMP
  ldr ROWS, [STEP, STEP_M]
  b .Ltile\@

.Lgo_on\@:
  each_vector go_on, \nv, \nr
  b .Lbegin\@

.Lreturn\@:
  add sp, sp, #16
  .cfi_adjust_cfa_offset -16
  .if acc < 16
    RESTORE_D8_TO_D15
  .endif
  ret
.endm
