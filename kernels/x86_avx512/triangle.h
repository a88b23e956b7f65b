/* SOLVE and MULTIPLY (kernels/kernel.h) for panels of nv vectors and groups of 8 columns.
 *
 *   solve      y = C[j];  y = fma(-x[p], T(p, j), y) for the columns x before it, then those of its own group, from registers;
 *              C[j] = y * T(j, j)
 *   multiply   y = fma(C[j], T(j, j), +0), or C[j];  y = fma(C[q], T(q, j), y) for the columns behind it;  C[j] = y
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * The columns that others contribute to a group are one loop over k as in GEMM. Complex numbers lie as they are, re beside
 * im: x is multiplied by re(T) in all lanes, and x with its halves swapped by (im(T), -im(T)). Groups are the outer loop, so
 * that one of T stays in L1 while the panels pass by. In a narrow group the columns that are missing repeat the last one,
 * which is loaded for them: nothing is computed that is not computed for a column in it.
 *
 * Live at the loop head:
 *   zmm(32 - 8*nv) .. zmm31    y, column by column
 *   zmm0 .. zmm(nv-1)          x          zmm3 .. zmm5  x with halves swapped (complex)
 *   zmm3 .. zmm6               T (real)   zmm6, zmm7    T (complex) */
#include "kernels/x86_asm.h"

#define STEP rdi
#define A rsi       /* this k of the columns beside C, of this panel */
#define B rdx       /* this k of this group of T */
#define C rcx       /* this column */
#define CSA r8
#define RSB r9
#define CSC r10
#define K r11
#define WIDTH rbx   /* of this group */
#define COLUMNS rbp /* left, from this group on */
#define B_GROUP r12
#define C_PANEL r13 /* first column of this group and panel */
#define A_PANEL r14
#define ROWS r15    /* left, from this panel on */

/* Below the stack pointer, which a leaf function may use. */
#define K_ALL [rsp - 8]     /* columns that contribute to this group */
#define C_GROUP [rsp - 16]
#define A_BASE [rsp - 24]

#define NR 8
#define STEP_MORE_K 4
#define STEP_UNIT 1024

#if defined(TSR_ELEMENT_F32) || defined(TSR_ELEMENT_C32)
#define PART 4
#define OP(name) name##ps
#define SPREAD vbroadcastss
#define SPREAD_PAIR vbroadcastsd
#define SWAP 0xB1
#define SWAPPED vpermilps
#else
#define PART 8
#define OP(name) name##pd
#define SPREAD vbroadcastsd
#define SPREAD_PAIR vbroadcastf64x2
#define SWAP 0x55
#define SWAPPED vpermilpd
#endif
#if defined(TSR_ELEMENT_C32) || defined(TSR_ELEMENT_C64)
#define IS_COMPLEX 1
#define LANES (32/PART)
#else
#define IS_COMPLEX 0
#define LANES (64/PART)
#endif

/* Register numbers are computed: %expr passes a value to a macro, at_i and at_j are the running vector and column. */
.altmacro

.macro load_x reg, offset
  OP(vmovu) zmm\reg, [A + \offset]
.endm
.macro swap_x reg, from
  SWAPPED zmm\reg, zmm\from, SWAP
.endm

/* zmm<reg> = T(this k, j), its real part; zmm7 = (im, -im). */
.macro spread reg, j
  SPREAD zmm\reg, [B + PART*\j]
.endm
.macro spread_pair j
  SPREAD_PAIR zmm7, [B + PART*(NR + 2*\j)]
.endm

.macro add_real sign, acc, x, t
  .if \sign > 0
    OP(vfmadd231) zmm\acc, zmm\x, zmm\t
  .else
    OP(vfnmadd231) zmm\acc, zmm\x, zmm\t
  .endif
.endm

/* Column j: y + sign * x * T(this k, j), x from zmm<x>. */
.macro add_column sign, nv, j, x
#if IS_COMPLEX
  spread 6, \j
  spread_pair \j
  .set at_i, 0
  .rept \nv
    add_real \sign, %(32 - NR*\nv + \j*\nv + at_i), %(\x + at_i), 6
    .set at_i, at_i + 1
  .endr
  .set at_i, 0
  .rept \nv
    add_real %(0 - \sign), %(32 - NR*\nv + \j*\nv + at_i), %(3 + at_i), 7
    .set at_i, at_i + 1
  .endr
#else
  .set at_t, 3 + \j % 4
  spread %(at_t), \j
  .set at_i, 0
  .rept \nv
    add_real \sign, %(32 - NR*\nv + \j*\nv + at_i), %(\x + at_i), %(at_t)
    .set at_i, at_i + 1
  .endr
#endif
.endm

/* x = the vectors at A. */
.macro load_all nv
  .set at_i, 0
  .rept \nv
    load_x %(at_i), %(64*at_i)
    .set at_i, at_i + 1
  .endr
#if IS_COMPLEX
  swap_all \nv
#endif
.endm
.macro swap_all nv
  .set at_i, 0
  .rept \nv
    swap_x %(3 + at_i), %(at_i)
    .set at_i, at_i + 1
  .endr
.endm

/* zmm3 .. = column q of y with halves swapped. */
.macro swap_column nv, q
  .set at_i, 0
  .rept \nv
    swap_x %(3 + at_i), %(32 - NR*\nv + \q*\nv + at_i)
    .set at_i, at_i + 1
  .endr
.endm

/* K steps; none if K is 0. The next group's T comes from far, that of this group has come. */
.macro k_loop sign, nv
  test K, K
  jle .Lk_end\@
  mov rax, [STEP + STEP_DB]
  .p2align 6
.Lk_loop\@:
  load_all \nv
  .set at_i, 0
  .rept \nv
    prefetch_x %(64*at_i)
    .set at_i, at_i + 1
  .endr
  .set at_i, 0
  .rept (NR*PART*(1 + 2*IS_COMPLEX) + 63)/64
    prefetch_t %(64*at_i)
    .set at_i, at_i + 1
  .endr
  .set at_j, 0
  .rept NR
    add_column \sign, \nv, %(at_j), 0
    .set at_j, at_j + 1
  .endr
  add A, CSA
  add B, RSB
  dec K
  jnz .Lk_loop\@
.Lk_end\@:
.endm
.macro prefetch_x offset
  prefetcht0 [A + 8*CSA + \offset]
.endm

.macro prefetch_t offset
  prefetcht1 [B + rax + \offset]
.endm

/* y = C; the missing columns of a narrow group repeat the last one. */
.macro load_y reg, offset
  OP(vmovu) zmm\reg, [C + \offset]
  prefetcht1 [C + 8*CSC + \offset]   /* of the next group: C may lie far away */
.endm
.macro load_columns nv
  mov C, C_PANEL
  .set at_j, 0
  .rept NR
    .set at_i, 0
    .rept \nv
      load_y %(32 - NR*\nv + at_j*\nv + at_i), %(64*at_i)
      .set at_i, at_i + 1
    .endr
    lea rax, [C + CSC]
    cmp WIDTH, at_j + 1
    cmova C, rax
    .set at_j, at_j + 1
  .endr
.endm
.macro zero_columns nv
  .set at_i, 32 - NR*\nv
  .rept NR*\nv
    zero %(at_i)
    .set at_i, at_i + 1
  .endr
.endm
.macro zero reg
  vpxord zmm\reg, zmm\reg, zmm\reg
.endm

.macro store_y reg, offset
  OP(vmovu) [C + \offset], zmm\reg
.endm
.macro store_columns nv
  mov C, C_PANEL
  .set at_j, 0
  .rept NR
    .set at_i, 0
    .rept \nv
      store_y %(32 - NR*\nv + at_j*\nv + at_i), %(64*at_i)
      .set at_i, at_i + 1
    .endr
    cmp WIDTH, at_j + 1
    je .Lstored\@
    add C, CSC
    .set at_j, at_j + 1
  .endr
.Lstored\@:
.endm

/* y of column q times T(q, q), the reciprocal. */
.macro times_real acc, t
  OP(vmul) zmm\acc, zmm\acc, zmm\t
.endm
.macro times_diagonal nv, q
#if IS_COMPLEX
  swap_column \nv, \q
  spread_pair \q
#endif
  spread 6, \q
  .set at_i, 0
  .rept \nv
    times_real %(32 - NR*\nv + \q*\nv + at_i), 6
    .set at_i, at_i + 1
  .endr
#if IS_COMPLEX
  .set at_i, 0
  .rept \nv
    add_real -1, %(32 - NR*\nv + \q*\nv + at_i), %(3 + at_i), 7
    .set at_i, at_i + 1
  .endr
#endif
.endm

/* The group's own triangle: B is at its first row. */
.macro solve_triangle nv, unit
  .set at_q, 0
  .rept NR
    .if \unit == 0
      times_diagonal \nv, %(at_q)
    .endif
    .if at_q + 1 < NR
      cmp WIDTH, at_q + 1
      je .Lsolved\@
#if IS_COMPLEX
      swap_column \nv, %(at_q)
#endif
      .set at_j, at_q + 1
      .rept NR - 1 - at_q
        add_column -1, \nv, %(at_j), %(32 - NR*\nv + at_q*\nv)
        .set at_j, at_j + 1
      .endr
      add B, RSB
    .endif
    .set at_q, at_q + 1
  .endr
.Lsolved\@:
.endm

/* The group's own triangle: A is at its first column, and ends behind its last, B at its first row. */
.macro multiply_triangle nv, unit
  .set at_q, 0
  .rept NR
    load_all \nv
    .set at_j, 0
    .rept at_q + 1 - \unit
      add_column 1, \nv, %(at_j), 0
      .set at_j, at_j + 1
    .endr
    add A, CSC
    add B, RSB
    .if at_q + 1 < NR
      cmp WIDTH, at_q + 1
      je .Lmultiplied\@
    .endif
    .set at_q, at_q + 1
  .endr
.Lmultiplied\@:
.endm

.macro enter
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  mov CSA, [STEP + STEP_CSA]
  mov RSB, [STEP + STEP_RSB]
  mov CSC, [STEP + STEP_CSC]
  mov COLUMNS, [STEP + STEP_N]
  mov rax, [STEP + STEP_K]
  mov K_ALL, rax
  mov A_BASE, A
  mov C_GROUP, C
  mov B_GROUP, B
.endm

/* To the panels of the group at B_GROUP and C_GROUP. */
.macro enter_group
  mov eax, NR
  mov WIDTH, COLUMNS
  cmp WIDTH, rax
  cmova WIDTH, rax
  mov ROWS, [STEP + STEP_M]
  mov C_PANEL, C_GROUP
  mov A_PANEL, A_BASE
.endm

.macro next_panel panel, nv
  add A_PANEL, [STEP + STEP_DA]
  add C_PANEL, [STEP + STEP_DC]
  sub ROWS, \nv*LANES
  jg \panel
.endm
.macro next_group group
  lea rax, [8*CSC]
  add C_GROUP, rax
  add B_GROUP, [STEP + STEP_DB]
  sub COLUMNS, NR
  jg \group
.endm
.macro leave_function
  vzeroupper
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm

/* The functions' bodies, from the first push to ret. */
.macro solve nv
  enter
.Lgroup\@:
  enter_group
.Lpanel\@:
  load_columns \nv
  mov A, A_PANEL
  mov B, B_GROUP
  mov K, K_ALL
  k_loop -1, \nv
  mov eax, [STEP + STEP_FLAGS]
  test eax, STEP_MORE_K
  jnz .Lstore\@
  test eax, STEP_UNIT
  jnz .Lunit\@
  solve_triangle \nv, 0
.Lstore\@:
  store_columns \nv
  next_panel .Lpanel\@, \nv
  test dword ptr [STEP + STEP_FLAGS], STEP_MORE_K
  jnz .Lnext\@
  add qword ptr K_ALL, NR
.Lnext\@:
  next_group .Lgroup\@
  .cfi_remember_state
  leave_function
.Lunit\@:
  .cfi_restore_state
  solve_triangle \nv, 1
  jmp .Lstore\@
.endm

.macro multiply nv
  enter
.Lgroup\@:
  enter_group
.Lpanel\@:
  mov B, B_GROUP
  mov eax, [STEP + STEP_FLAGS]
  test eax, STEP_GO_ON | STEP_UNIT
  jnz .Lfrom_c\@
  zero_columns \nv
  mov A, C_PANEL
  multiply_triangle \nv, 0
.Lothers\@:
  mov K, COLUMNS
  sub K, WIDTH
  add K, K_ALL
.Lloop\@:
  k_loop 1, \nv
  store_columns \nv
  next_panel .Lpanel\@, \nv
  test dword ptr [STEP + STEP_FLAGS], STEP_GO_ON
  jnz .Lnext\@
  lea rax, [8*RSB]
  add B_GROUP, rax
.Lnext\@:
  next_group .Lgroup\@
  .cfi_remember_state
  leave_function
.Lfrom_c\@:
  .cfi_restore_state
  load_columns \nv
  mov A, A_PANEL
  mov K, K_ALL
  test dword ptr [STEP + STEP_FLAGS], STEP_GO_ON
  jnz .Lloop\@
  mov A, C_PANEL
  multiply_triangle \nv, 1
  jmp .Lothers\@
.endm
