/* The complex GEMM micro-kernel (TSR_OP_GEMM of kernel.h) for a tile of nv vectors x nr columns.
 *
 *   rr, ir = sums over p of (re, im)(A[i,p]) * re(B[p,j]),  ri, ii = the same with im(B[p,j]), chains from +0 in order
 *   s[i][j] = (rr - ii, ri + ir), or what CONJ_A and CONJ_B make of it;  C[i][j] = beta * C[i][j] + alpha * s, as
 *   kernel.h says, or s itself with TSR_STORE_SUM
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * With the parts of A side by side along the lanes this is the real kernel on twice the columns: of each column of B
 * the real and the imaginary part are broadcast in turn. Only the end differs: two sums become one, and alpha and beta
 * turn the parts into each other. Registers, tiles and what a tile with a part-filled last vector does are those of
 * gemm_tile.h.
 *
 * Live at the loop head:
 *   ymm(16 - 2*nv*nr) .. ymm15   sums: of each column nv vectors (rr, ir), then nv vectors (ri, ii)
 *   ymm0 .. ymm(nv-1)            A (nv <= 3), or ymm0, ymm1 B and ymm2, ymm3 A (nv > 3, one column)
 *   ymm(nv) .. ymm(nv+1)         B (nv <= 3; one register when the tile leaves only one)
 *   MASK, SOURCE                 of a last vector that is not full: its lanes, and the lane each lane takes
 * At the end ymm0 .. ymm3 are free: 16 - 2*nv*nr >= 4. */
#include "kernels/x86_avx2/gemm_tile.h"
#include "kernels/x86_avx2/complex_lanes.h"

/* ymm<reg> = the part at `offset` of column j of B at this k, in every lane. */
.macro broadcast_part reg, j, offset
  .if \j == 0
    vbcast ymm\reg, [B0 + \offset]
  .elseif \j == 1
    vbcast ymm\reg, [B0 + CSB + \offset]
  .elseif \j == 2
    vbcast ymm\reg, [B0 + 2*CSB + \offset]
  .elseif \j == 3
    vbcast ymm\reg, [B0 + CSB3 + \offset]
  .elseif \j == 4
    vbcast ymm\reg, [B4 + \offset]
  .else
    vbcast ymm\reg, [B4 + CSB + \offset]
  .endif
.endm

/* The same where the columns of B are neighbours, as in a packed panel. */
.macro broadcast_part_adjacent reg, j, offset
  vbcast ymm\reg, [B0 + 2*SIZE*\j + \offset]
.endm

/* One k of a tile of up to three vectors: the vectors of A stay, the parts of B pass by. */
.macro complex_step_narrow nv, nr, edge, part_of_b
  .set at_i, 0
  .rept \nv - \edge
    load_vector %(at_i), %(32*at_i)
    .set at_i, at_i + 1
  .endr
  .if \edge
    load_edge %(\nv - 1), A, %(32*(\nv - 1)), \nv
  .endif
  .set at_j, 0
  .rept 2*\nr
    .set at_b, \nv
    .if 2*\nv*\nr + \nv < 15
      .set at_b, \nv + at_j % 2
    .endif
    \part_of_b %(at_b), %(at_j / 2), %(SIZE*(at_j % 2))
    .set at_i, 0
    .rept \nv
      multiply %(16 - 2*\nv*\nr + at_j*\nv + at_i), %(at_i), %(at_b)
      .set at_i, at_i + 1
    .endr
    .set at_j, at_j + 1
  .endr
.endm

/* One k of a tile of many vectors and one column: its parts stay, the vectors of A pass by. */
.macro complex_step_wide nv, edge
  vbcast ymm0, [B0]
  vbcast ymm1, [B0 + SIZE]
  .set at_i, 0
  .rept \nv
    .set at_a, 2 + at_i % 2
    .if \edge * (at_i + 1 == \nv)
      load_edge %(at_a), A, %(32*at_i), %(5 - at_a)
    .else
      load_vector %(at_a), %(32*at_i)
    .endif
    multiply %(16 - 2*\nv + at_i), %(at_a), 0
    multiply %(16 - \nv + at_i), %(at_a), 1
    .set at_i, at_i + 1
  .endr
.endm

/* The loop over k where the columns of B are neighbours, two k at a time: few enough instructions for a CPU that
 * issues four a cycle. */
.macro complex_loop_adjacent nv, nr
  test K, 1
  jz .Lpairs\@
  complex_step_narrow \nv, \nr, 0, broadcast_part_adjacent
  next_k \nv
  dec K
  jz .Lk_end\@
  .p2align 5
.Lpairs\@:
  .rept 2
    complex_step_narrow \nv, \nr, 0, broadcast_part_adjacent
    next_k \nv
  .endr
  sub K, 2
  jnz .Lpairs\@
.Lk_end\@:
.endm

.macro complex_loop nv, nr, edge
  .p2align 5
.Lk_loop\@:
  .if \nv <= 3
    complex_step_narrow \nv, \nr, \edge, broadcast_part
  .else
    complex_step_wide \nv, \edge
  .endif
  next_k \nv
  .if \nr > 4
    add B4, RSB
  .endif
  dec K
  jnz .Lk_loop\@
.endm

/* The passes of the end. `s` is the register of (rr, ir) and then of s, `t` that of (ri, ii) and then of C. */
.macro subtract_sums s, t, offset, edge
  vswap(ymm\t, ymm\t)
  vaddsub ymm\s, ymm\s, ymm\t
.endm
.macro conjugate_a_sums s, t, offset, edge
  vswap(ymm\t, ymm\t)
  vsubadd_from ymm\s, ymm0, ymm\t
.endm
.macro conjugate_b_sums s, t, offset, edge
  vswap(ymm\t, ymm\t)
  vsubadd ymm\s, ymm0, ymm\t
.endm
.macro flip_sums s, t, offset, edge
  vxor ymm\s, ymm\s, ymm1
.endm
.macro zero_sums s, t, offset, edge
  zero \t
.endm
.macro copy_sums s, t, offset, edge
  vmov ymm\t, ymm\s
.endm
.macro load_sums s, t, offset, edge
  .if \edge
    load_edge \t, C, \offset, 3
  .else
    vmov ymm\t, [C + \offset]
  .endif
.endm
.macro scale_sums s, t, offset, edge
  load_sums \s, \t, \offset, \edge
  vmulv ymm\t, ymm\t, ymm0
.endm
.macro turn_sums s, t, offset, edge
  load_sums \s, \t, \offset, \edge
  vswap(ymm2, ymm\t)
  vmulv ymm\t, ymm\t, ymm0
  vfma ymm\t, ymm2, ymm1
.endm
.macro add_sums s, t, offset, edge
  vfma ymm\t, ymm\s, ymm0
.endm
.macro add_turned_sums s, t, offset, edge
  vswap(ymm\s, ymm\s)
  vfma ymm\t, ymm\s, ymm1
.endm
.macro store_sums s, t, offset, edge
  .if \edge
    vmovdqu ymm3, MASK
    vmask [C + \offset], ymm3, ymm\t
  .else
    vmov [C + \offset], ymm\t
  .endif
.endm

/* Does `how` to every vector of C; `walk`: C goes from column to column meanwhile. */
.macro every_sum how, nv, nr, edges, walk
  .set at_j, 0
  .rept \nr
    .set at_i, 0
    .rept \nv
      .set at_s, 16 - 2*\nv*\nr + 2*at_j*\nv + at_i
      \how\()_sums %(at_s), %(at_s + \nv), %(32*at_i), %(\edges * (at_i + 1 == \nv))
      .set at_i, at_i + 1
    .endr
    .if \walk
      add C, CSC
    .endif
    .set at_j, at_j + 1
  .endr
  .if \walk
    mov C, K
  .endif
.endm

/* s = the two sums of each vector in one. */
.macro combine_sums nv, nr
  vmov ymm0, [rip + ones]
  mov eax, [STEP + STEP_FLAGS]
  and eax, STEP_CONJ_A | STEP_CONJ_B
  jz .Lno_conjugate\@
  cmp eax, STEP_CONJ_A
  je .Lconjugate_a\@
  cmp eax, STEP_CONJ_B
  je .Lconjugate_b\@
  every_sum subtract, \nv, \nr, 0, 0
  vmov ymm1, [rip + odd_signs]
  every_sum flip, \nv, \nr, 0, 0
  jmp .Lcombined\@
.Lconjugate_a\@:
  every_sum conjugate_a, \nv, \nr, 0, 0
  jmp .Lcombined\@
.Lconjugate_b\@:
  every_sum conjugate_b, \nv, \nr, 0, 0
  jmp .Lcombined\@
.Lno_conjugate\@:
  every_sum subtract, \nv, \nr, 0, 0
.Lcombined\@:
.endm

/* From the sums to C. */
.macro end_complex nv, nr, edges
  mov K, C
  combine_sums \nv, \nr
  test dword ptr [STEP + STEP_FLAGS], STEP_STORE_SUM
  jnz .Lstore_sum\@
  load_scalar 0, STEP_BETA
  mov rax, [STEP + STEP_BETA_IM]
  add rax, rax                /* +0 and -0 become 0 */
  jnz .Lturn_c\@
  mov rax, [STEP + STEP_BETA]
  add rax, rax
  jz .Lno_read\@
  every_sum scale, \nv, \nr, \edges, 1
  jmp .Ladd\@
.Lturn_c\@:
  load_turn 1, STEP_BETA_IM
  every_sum turn, \nv, \nr, \edges, 1
  jmp .Ladd\@
.Lno_read\@:
  every_sum zero, \nv, \nr, 0, 0
.Ladd\@:
  load_scalar 0, STEP_ALPHA
  every_sum add, \nv, \nr, 0, 0
  mov rax, [STEP + STEP_ALPHA_IM]
  add rax, rax
  jz .Lstore\@
  load_turn 1, STEP_ALPHA_IM
  every_sum add_turned, \nv, \nr, 0, 0
  jmp .Lstore\@
.Lstore_sum\@:
  every_sum copy, \nv, \nr, 0, 0
.Lstore\@:
  every_sum store, \nv, \nr, \edges, 1
.endm

/* MASK and SOURCE of a last vector of \rows rows (a register that is lost). */
.macro prepare_complex_edge rows
  clamp_rows 0, \rows
  vmovdqu SOURCE, ymm0
  add \rows, \rows
  mask_lanes 0, \rows, rax
  vmovdqu MASK, ymm0
.endm

/* The function's body, from the first push to ret. 2*nv*nr <= 12; nr = 1 if nv > 3. */
.macro complex_tile nv, nr
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
  cmp ROWS, \nv*ROWS_OF_VECTOR
  jge .Lzero\@
  lea K, [ROWS - (\nv - 1)*ROWS_OF_VECTOR]
  prepare_complex_edge K
.Lzero\@:
  .set at_i, 16 - 2*\nv*\nr
  .rept 2*\nv*\nr
    zero %(at_i)
    .set at_i, at_i + 1
  .endr
  mov A, A_TILE
  mov B0, B_BASE
  .if \nr > 4
    lea B4, [B0 + 4*CSB]
  .endif
  mov K, [STEP + STEP_K]
  cmp ROWS, \nv*ROWS_OF_VECTOR
  jl .Ledge\@
  test K, K
  jle .Lend\@
  .if \nv*\nr == 6 && \nv <= 3
    cmp CSB, 2*SIZE
    jne .Lapart\@
    complex_loop_adjacent \nv, \nr
    jmp .Lend\@
.Lapart\@:
  .endif
  complex_loop \nv, \nr, 0
.Lend\@:
  end_complex \nv, \nr, 0
  add A_TILE, [STEP + STEP_DA]
  add C, [STEP + STEP_DC]
  sub ROWS, \nv*ROWS_OF_VECTOR
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
  complex_loop \nv, \nr, 1
.Ledge_end\@:
  end_complex \nv, \nr, 1
  jmp .Lnext_column\@

.Lreturn\@:
  vzeroupper
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm
