/* The GEMM micro-kernel for an A that lies along k (TSR_OP_GEMM_AT of kernel.h), nu units of rows x nr columns.
 *
 *   s[i][j]  = sum over p of A[i,p] * B[p,j], one fma chain from +0 in order of p
 *   C[i][j]  = fma(alpha, s, beta * C[i][j])      or s itself with TSR_STORE_SUM
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * For few columns, where copying A into panels would cost more than it saves: each cache line of A is read once,
 * transposed in registers (transpose.h) and used nr times. Only whole tiles.
 *
 * Live at the loop head:
 *   zmm(16 - nu*nr) .. zmm15   s, unit by unit, column by column
 *   zmm16 .. zmm31             a unit of A by 64 bytes of k
 *   zmm0, zmm1                 for the transpose
 *   k2, k5                     halves of a register (transpose.h) */
#include "kernels/x86_avx512/transpose.h"

#define STEP rdi
#define B0 rdx      /* this k, column 0 */
#define B3 rcx      /* this k, column 3 */
#define B9 rbp      /* this k, column 9 */
#define CSB r12
#define RSB r14
#define A_K r13     /* the chunk of k, row 0 of the tile */
#define B6 rbx      /* this k, column 6 */
#define K qword ptr [rsp + 32]
#define A_TILE [rsp]
#define C_TILE [rsp + 8]
#define ROWS [rsp + 16]
#define B_TILE [rsp + 24]
#define B_K [rsp + 40] /* the chunk of k that all units read */
#define FRAME 56

.macro multiply_column acc, t, j, offset
  .if \j == 0
    vfma zmm\acc, zmm\t, ELEMENT ptr [B0 + \offset]{ALL_LANES}
  .elseif \j == 1
    vfma zmm\acc, zmm\t, ELEMENT ptr [B0 + CSB + \offset]{ALL_LANES}
  .elseif \j == 2
    vfma zmm\acc, zmm\t, ELEMENT ptr [B0 + 2*CSB + \offset]{ALL_LANES}
  .elseif \j == 3
    vfma zmm\acc, zmm\t, ELEMENT ptr [B3 + \offset]{ALL_LANES}
  .elseif \j == 4
    vfma zmm\acc, zmm\t, ELEMENT ptr [B3 + CSB + \offset]{ALL_LANES}
  .elseif \j == 5
    vfma zmm\acc, zmm\t, ELEMENT ptr [B3 + 2*CSB + \offset]{ALL_LANES}
  .elseif \j == 6
    vfma zmm\acc, zmm\t, ELEMENT ptr [B6 + \offset]{ALL_LANES}
  .elseif \j == 7
    vfma zmm\acc, zmm\t, ELEMENT ptr [B6 + CSB + \offset]{ALL_LANES}
  .elseif \j == 8
    vfma zmm\acc, zmm\t, ELEMENT ptr [B6 + 2*CSB + \offset]{ALL_LANES}
  .elseif \j == 9
    vfma zmm\acc, zmm\t, ELEMENT ptr [B9 + \offset]{ALL_LANES}
  .elseif \j == 10
    vfma zmm\acc, zmm\t, ELEMENT ptr [B9 + CSB + \offset]{ALL_LANES}
  .else
    vfma zmm\acc, zmm\t, ELEMENT ptr [B9 + 2*CSB + \offset]{ALL_LANES}
  .endif
.endm

/* Step p of one unit: register t holds its rows. `beside`: the steps of B lie side by side. */
.macro multiply_k nr, acc, t, p, beside
  .set at_j, 0
  .rept \nr
    multiply_column %(\acc + at_j), \t, %(at_j), %(\beside*SIZE*\p)
    .set at_j, at_j + 1
  .endr
  .if \beside == 0
    add B0, RSB
    .if \nr > 3
      add B3, RSB
    .endif
    .if \nr > 6
      add B6, RSB
    .endif
    .if \nr > 9
      add B9, RSB
    .endif
  .endif
.endm

.macro reset_b nr
  mov B0, B_K
  .if \nr > 3
    lea B3, [CSB + 2*CSB]
    add B3, B0
  .endif
  .if \nr > 6
    lea B6, [B3 + 2*CSB]
    add B6, CSB
  .endif
  .if \nr > 9
    lea B9, [B6 + 2*CSB]
    add B9, CSB
  .endif
.endm

#if A_SIZE == SIZE
/* Fetches the line that follows after `distance` bytes, of every row of the unit. */
.macro prefetch_rows distance
  .irp row, ROW0, ROW_LANE1, ROW_LANE2, ROW_LANE3
    prefetcht0 [\row + \distance]
    prefetcht0 [\row + RS + \distance]
#if PER == 4
    prefetcht0 [\row + 2*RS + \distance]
    prefetcht0 [\row + RS3 + \distance]
#endif
  .endr
.endm
#else
/* Rows of keys are short: fetches the next tile's. */
.macro prefetch_rows distance
  mov PART, [STEP + STEP_DA]
  add PART, ROW0
  .rept LANES/4
    prefetcht1 [PART]
    prefetcht1 [PART + RS]
    prefetcht1 [PART + 2*RS]
    prefetcht1 [PART + RS3]
    lea PART, [PART + 4*RS]
  .endr
.endm
#endif

/* One unit by 64 bytes of k. */
.macro unit_line nr, acc, beside
  set_lane_rows
  test dword ptr [STEP + STEP_FLAGS], STEP_NEAR
  jnz .Lnear\@
  prefetch_rows 512
.Lnear\@:
  load_unit_line_whole
  .if \beside == 0
    reset_b \nr
  .endif
  transpose_piece 16
  transpose_piece %(16 + PIECE)
  .set at_p, 0
  .rept LANES
    multiply_k \nr, \acc, %(16 + at_p), %(at_p), \beside
    .set at_p, at_p + 1
  .endr
.endm

/* The next PART steps. */
.macro unit_part nr, acc, beside
  set_lane_rows
  load_unit_part
  reset_b \nr
  transpose_piece 16
  .set at_p, 0
  .rept PIECE
    .if at_p > 0
      cmp PART, at_p
      je .Lpart_done\@
    .endif
    multiply_k \nr, \acc, %(16 + at_p), %(at_p), 0
    .set at_p, at_p + 1
  .endr
.Lpart_done\@:
.endm

/* Does `how` for every unit of the tile at the current k. */
.macro every_unit how, nu, nr, beside
  mov ROW0, A_K
  .set at_u, 0
  .rept \nu
    \how \nr, %(16 - \nu*\nr + at_u*\nr), \beside
    .set at_u, at_u + 1
    .if at_u < \nu
      mov ROW_LANE1, RS
      shl ROW_LANE1, UNIT_SHIFT
      add ROW0, ROW_LANE1
    .endif
  .endr
.endm

#define C rcx
#define CSC rbx
.macro update_unit acc, offset
  vmulv zmm16, zmm1, [C + \offset]
  vfma zmm16, zmm\acc, zmm0
  vmov [C + \offset], zmm16
.endm
.macro write_unit acc, offset
  vpxord zmm16, zmm16, zmm16
  vfma zmm16, zmm\acc, zmm0
  vmov [C + \offset], zmm16
.endm
.macro sum_unit acc, offset
  vmov [C + \offset], zmm\acc
.endm
.macro store_units how, nu, nr
  .set at_j, 0
  .rept \nr
    .set at_u, 0
    .rept \nu
      \how %(16 - \nu*\nr + at_u*\nr + at_j), %(64*at_u)
      .set at_u, at_u + 1
    .endr
    add C, CSC
    .set at_j, at_j + 1
  .endr
.endm

.macro clear reg
  vpxord zmm\reg, zmm\reg, zmm\reg
.endm

/* The function's body, from the first push to ret. nu*nr <= 14, nr <= 12. */
.macro gemm_at nu, nr
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  sub rsp, FRAME
  .cfi_adjust_cfa_offset FRAME
  mov A_TILE, rsi
  mov C_TILE, rcx
  mov B_TILE, rdx
  mov RS, [STEP + STEP_RSA]
  mov RSB, [STEP + STEP_RSB]
  mov CSB, [STEP + STEP_CSB]
  mov rax, [STEP + STEP_M]
  mov ROWS, rax
  lea RS3, [RS + 2*RS]

.Ltile\@:
  set_masks
  mov A_K, A_TILE
  mov rax, B_TILE
  mov B_K, rax
  mov rax, [STEP + STEP_K]
  mov K, rax
  .set at_u, 16 - \nu*\nr
  .rept \nu*\nr
    clear %(at_u)
    .set at_u, at_u + 1
  .endr
  sub K, LANES
  jl .Lparts\@
  cmp RSB, SIZE
  jne .Lline\@
.Lline_beside\@:
  reset_b \nr
  every_unit unit_line, \nu, \nr, 1
  add A_K, A_VECTOR
  add qword ptr B_K, 64
  sub K, LANES
  jge .Lline_beside\@
  jmp .Lparts\@
.Lline\@:
  every_unit unit_line, \nu, \nr, 0
  add A_K, A_VECTOR
  mov B_K, B0
  sub K, LANES
  jge .Lline\@
.Lparts\@:
  add K, LANES
  jz .Lsummed\@
.Lpart\@:
  mov PARTd, PIECE
  cmp PART, K
  cmovg PART, K
  set_part_masks
  every_unit unit_part, \nu, \nr, 0
  add A_K, PIECE*A_SIZE
  mov B_K, B0
  sub K, PART
  jnz .Lpart\@
.Lsummed\@:
  mov C, C_TILE
  mov CSC, [STEP + STEP_CSC]
  test dword ptr [STEP + STEP_FLAGS], STEP_STORE_SUM
  jnz .Lstore_sum\@
  load_scalar(xmm0, STEP_ALPHA)
  load_scalar(xmm1, STEP_BETA)
  vbcast zmm0, xmm0
  vbcast zmm1, xmm1
  mov rax, [STEP + STEP_BETA]
  add rax, rax                /* +0 and -0 become 0 */
  jz .Lno_read\@
  store_units update_unit, \nu, \nr
  jmp .Lstored\@
.Lno_read\@:
  store_units write_unit, \nu, \nr
  jmp .Lstored\@
.Lstore_sum\@:
  store_units sum_unit, \nu, \nr
.Lstored\@:
  mov rax, [STEP + STEP_DA]
  add A_TILE, rax
  mov rax, [STEP + STEP_DC]
  add C_TILE, rax
  sub qword ptr ROWS, \nu*LANES
  jg .Ltile\@

  vzeroupper
  add rsp, FRAME
  .cfi_adjust_cfa_offset -FRAME
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm
