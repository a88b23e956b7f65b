/* The GEMM micro-kernel for an A in blocks (blocks.h) that lie along k (TSR_OP_GEMM_AT of kernel.h), nu units of
 * 16 rows x nr columns. Formula and use: gemm_at.h. k is a multiple of 32.
 *
 * A unit's FMAs wait for those of its last step of k, so with few columns ng units take turns.
 *
 * Live at the loop head:
 *   zmm(32 - nu*nr) .. zmm31   s, unit by unit, column by column
 *   zmm2 ..                    four bytes of every row of a unit each, four registers a unit (transpose_blocks.h)
 *   behind them                the scales of each unit's rows, then the integers of q4_0 */
#include "kernels/x86_avx512/transpose_blocks.h"

#define STEP rdi
#define B0 rdx      /* this k, column 0 */
#define B3 rcx      /* this k, column 3 */
#define B6 rbp      /* this k, column 6 */
#define CSB r12
#define RSB r14
#define A_GROUP r13 /* this block, the first of the units that take turns */
#define A_TILE [rsp]
#define C_TILE [rsp + 8]
#define ROWS [rsp + 16]
#define B_TILE [rsp + 24]
#define B_K [rsp + 32] /* the steps of k that all units read */
#define K qword ptr [rsp + 40]
#define A_K [rsp + 48] /* this block, row 0 of the tile */
#define AHEAD [rsp + 56]     /* bytes from this block to what is fetched meanwhile */
#define AHEAD_LATER [rsp + 64] /* in a row's later blocks */
#define FRAME 72
#define SCALES(ng) (2 + 4*(ng))
#define INTEGERS(ng) (2 + 5*(ng))

.macro multiply_column acc, reg, j
  .if \j == 0
    vfma zmm\acc, zmm\reg, dword ptr [B0]{1to16}
  .elseif \j == 1
    vfma zmm\acc, zmm\reg, dword ptr [B0 + CSB]{1to16}
  .elseif \j == 2
    vfma zmm\acc, zmm\reg, dword ptr [B0 + 2*CSB]{1to16}
  .elseif \j == 3
    vfma zmm\acc, zmm\reg, dword ptr [B3]{1to16}
  .elseif \j == 4
    vfma zmm\acc, zmm\reg, dword ptr [B3 + CSB]{1to16}
  .elseif \j == 5
    vfma zmm\acc, zmm\reg, dword ptr [B3 + 2*CSB]{1to16}
  .elseif \j == 6
    vfma zmm\acc, zmm\reg, dword ptr [B6]{1to16}
  .else
    vfma zmm\acc, zmm\reg, dword ptr [B6 + CSB]{1to16}
  .endif
.endm

/* A unit's step of k in zmm<reg>, times nr columns. */
.macro multiply_k nr, acc, reg
  .set at_j, 0
  .rept \nr
    multiply_column %(\acc + at_j), \reg, %(at_j)
    .set at_j, at_j + 1
  .endr
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
.endm

/* Fetches some rows of the next tile, so that those of all ng units are under way after 32 steps: rows lie too far
 * apart for the hardware to see them coming, and too many at once would hold up what is wanted now. */
.macro fetch_rows ng, step
  .if \ng > 1 || \step % 2 == 0
    prefetcht1 [PART]
  .endif
  .if \ng == 4
    prefetcht1 [PART + RS]
    lea PART, [PART + 2*RS]
  .elseif \ng == 2 || \step % 2 == 0
    add PART, RS
  .endif
.endm

/* One step of k of ng units, from byte `byte` of register number `c` of each. */
.macro multiply_step ng, nr, acc, c, byte, half
  fetch_rows \ng, \byte
  .set at_u, 0
  .rept \ng
    step_of_byte %(at_u % 2), %(2 + 4*at_u + \c), \byte, \half, %(SCALES(\ng) + at_u), %(INTEGERS(\ng))
    multiply_k \nr, %(\acc + at_u*\nr), %(at_u % 2)
    .set at_u, at_u + 1
  .endr
  add B0, RSB
  .if \nr > 3
    add B3, RSB
  .endif
  .if \nr > 6
    add B6, RSB
  .endif
.endm

/* The 16 steps of k of the units' bytes. */
.macro multiply_bytes ng, nr, acc, half
  .set at_c, 0
  .rept 4
    .set at_b, 0
    .rept 4
      multiply_step \ng, \nr, \acc, %(at_c), %(at_b), \half
      .set at_b, at_b + 1
    .endr
    .set at_c, at_c + 1
  .endr
.endm

/* Does `how` for ng units from row 0 at `from` on; ROW0 is where the next unit begins. */
.macro every_unit ng, from, how, x
  mov ROW0, \from
  .set at_u, 0
  .rept \ng
    set_lane_rows
    \how %(at_u), \x
    lea ROW0, [ROW_LANE3 + 4*RS]
    .set at_u, at_u + 1
  .endr
.endm
.macro unit_scales u, ng
  load_scales %(SCALES(\ng) + \u)
.endm
.macro unit_bytes u, offset
  load_bytes %(2 + 4*\u), \offset
.endm

/* A_GROUP becomes unit `u` of this block, whose end A_K already is. */
.macro next_group u
  imul rbx, RS, 16*\u
  mov A_GROUP, A_K
  lea A_GROUP, [A_GROUP + rbx - A_BLOCK]
.endm

/* A block of ng units from A_GROUP on. */
.macro multiply_block ng, nr, acc
  mov PART, AHEAD
  add PART, A_GROUP
  every_unit \ng, A_GROUP, unit_scales, \ng
  reset_b \nr
#if defined(TSR_A_Q8_0)
  mov ebx, 2
.Lbytes\@:
  add A_GROUP, 2
  every_unit \ng, A_GROUP, unit_bytes, 0
  multiply_bytes \ng, \nr, \acc, 0
  add A_GROUP, 14
  dec ebx
  jnz .Lbytes\@
#else
  every_unit \ng, A_GROUP, unit_bytes, 2
  multiply_bytes \ng, \nr, \acc, 0
  multiply_bytes \ng, \nr, \acc, 4
#endif
.endm

#define C rcx
#define CSC rdx
.macro update_unit acc, offset
  vmulps zmm2, zmm1, [C + \offset]
  vfma zmm2, zmm\acc, zmm0
  vmovups [C + \offset], zmm2
.endm
.macro write_unit acc, offset
  vpxord zmm2, zmm2, zmm2
  vfma zmm2, zmm\acc, zmm0
  vmovups [C + \offset], zmm2
.endm
.macro sum_unit acc, offset
  vmovups [C + \offset], zmm\acc
.endm
.macro store_units how, nu, nr
  .set at_j, 0
  .rept \nr
    .set at_u, 0
    .rept \nu
      \how %(32 - \nu*\nr + at_u*\nr + at_j), %(64*at_u)
      .set at_u, at_u + 1
    .endr
    add C, CSC
    .set at_j, at_j + 1
  .endr
.endm

.macro clear reg
  vpxord zmm\reg, zmm\reg, zmm\reg
.endm

/* The function's body, from the first push to ret. ng divides nu; nu*nr + 5*ng <= 29, nr <= 8. */
.macro gemm_at ng, nu, nr
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
  load_integers %(INTEGERS(\ng))
  xor eax, eax
  test dword ptr [STEP + STEP_FLAGS], STEP_NEAR
  cmovz rax, [STEP + STEP_DA]
  mov AHEAD, rax
  add rax, A_BLOCK - 1        /* a row's first byte, then the last one of each block: all its lines */
  mov AHEAD_LATER, rax

.Ltile\@:
  mov rax, A_TILE
  mov A_K, rax
  mov rax, B_TILE
  mov B_K, rax
  .set at_u, 32 - \nu*\nr
  .rept \nu*\nr
    clear %(at_u)
    .set at_u, at_u + 1
  .endr
  mov rax, [STEP + STEP_K]
  mov K, rax
  test rax, rax
  jz .Lsummed\@
.Lblock\@:
  mov A_GROUP, A_K
  add qword ptr A_K, A_BLOCK
  multiply_block \ng, \nr, %(32 - \nu*\nr)
  .set at_g, \ng
  .rept (\nu - \ng)/\ng
    next_group %(at_g)
    multiply_block \ng, \nr, %(32 - \nu*\nr + at_g*\nr)
    .set at_g, at_g + \ng
  .endr
  mov B_K, B0
  mov rax, AHEAD_LATER
  mov AHEAD, rax
  sub K, 32
  jnz .Lblock\@
  sub qword ptr AHEAD, A_BLOCK - 1
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
