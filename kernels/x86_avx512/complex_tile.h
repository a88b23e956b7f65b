/* The complex GEMM micro-kernel (TSR_OP_GEMM of kernel.h) for a tile of nv vectors x nr columns.
 *
 *   rr, ir = sums over p of (re, im)(A[i,p]) * re(B[p,j]),  ri, ii = the same with im(B[p,j]), chains from +0 in order
 *   s[i][j] = (rr - ii, ri + ir), or what CONJ_A and CONJ_B make of it;  C[i][j] = beta * C[i][j] + alpha * s, as
 *   kernel.h says, or s itself with TSR_STORE_SUM
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * With the parts of A side by side along the lanes this is the real kernel on twice the columns: of each column of B
 * the real and the imaginary part are broadcast in turn, and the loop, its tiles and what it fetches are those of
 * gemm_tile.h. Only the end differs: two sums become one, and alpha and beta turn the parts into each other.
 *
 * Live at the loop head:
 *   zmm(32 - 2*nv*nr) .. zmm31   sums: of each column nv vectors (rr, ir), then nv vectors (ri, ii)
 *   zmm0 .. zmm(nv-1)            A (nv <= 4), or zmm0 .. zmm(2*nr-1) B and the next two A (nv > 4)
 *   zmm(nv) .. zmm(nv+1)         B (nv <= 4)
 *   k1                           lanes of the last vector's rows
 * At the end zmm0 .. zmm2 hold scalars: 32 - 2*nv*nr >= 4. */
#include "kernels/x86_avx512/gemm_tile.h"
#include "kernels/x86_avx512/complex_lanes.h"

/* zmm<reg> = the part at `offset` of column j of B at this k, in every lane. */
.macro broadcast_part reg, j, offset
  .if \j == 0
    vbcast zmm\reg, [B0 + \offset]
  .elseif \j == 1
    vbcast zmm\reg, [B0 + CSB + \offset]
  .elseif \j == 2
    vbcast zmm\reg, [B0 + 2*CSB + \offset]
  .elseif \j == 3
    vbcast zmm\reg, [B0 + CSB3 + \offset]
  .elseif \j == 4
    vbcast zmm\reg, [B4 + \offset]
  .elseif \j == 5
    vbcast zmm\reg, [B4 + CSB + \offset]
  .elseif \j == 6
    vbcast zmm\reg, [B4 + 2*CSB + \offset]
  .elseif \j == 7
    vbcast zmm\reg, [B4 + CSB3 + \offset]
  .elseif \j == 8
    vbcast zmm\reg, [B8 + \offset]
  .elseif \j == 9
    vbcast zmm\reg, [B8 + CSB + \offset]
  .elseif \j == 10
    vbcast zmm\reg, [B8 + 2*CSB + \offset]
  .elseif \j == 11
    vbcast zmm\reg, [B8 + CSB3 + \offset]
  .elseif \j == 12
    vbcast zmm\reg, [B12 + \offset]
  .else
    vbcast zmm\reg, [B12 + CSB + \offset]
  .endif
.endm

/* One k of a tile of up to four vectors: the vectors of A stay, the parts of B pass by. */
.macro complex_step_narrow nv, nr
  .set at_i, 0
  .rept \nv
    load_vector %(at_i), %(64*at_i), %(at_i + 1 == \nv)
    .set at_i, at_i + 1
  .endr
  .set at_j, 0
  .rept 2*\nr
    .set at_b, \nv + at_j % 2
    broadcast_part %(at_b), %(at_j / 2), %(SIZE*(at_j % 2))
    .set at_i, 0
    .rept \nv
      multiply %(32 - 2*\nv*\nr + at_j*\nv + at_i), %(at_i), %(at_b), %(at_i + 1 == \nv)
      .set at_i, at_i + 1
    .endr
    .set at_j, at_j + 1
  .endr
.endm

/* One k of a tile of many vectors: the parts of B stay, the vectors of A pass by. */
.macro complex_step_wide nv, nr
  .set at_j, 0
  .rept 2*\nr
    broadcast_part %(at_j), %(at_j / 2), %(SIZE*(at_j % 2))
    .set at_j, at_j + 1
  .endr
  .set at_i, 0
  .rept \nv
    .set at_a, 2*\nr + at_i % 2
    load_vector %(at_a), %(64*at_i), %(at_i + 1 == \nv)
    .set at_j, 0
    .rept 2*\nr
      multiply %(32 - 2*\nv*\nr + at_j*\nv + at_i), %(at_a), %(at_j), %(at_i + 1 == \nv)
      .set at_j, at_j + 1
    .endr
    .set at_i, at_i + 1
  .endr
.endm

/* Sums never go on from C. */
.macro take_nothing column, nv, nr
.endm

/* The passes of the end. `s` is the register of (rr, ir) and then of s, `t` that of (ri, ii) and then of C. */
.macro subtract_sums s, t, offset, last
  vswap zmm\t, zmm\t, SWAP
  vaddsub zmm\s, zmm0, zmm\t
.endm
.macro conjugate_a_sums s, t, offset, last
  vswap zmm\t, zmm\t, SWAP
  vsubadd_from zmm\s, zmm0, zmm\t
.endm
.macro conjugate_b_sums s, t, offset, last
  vswap zmm\t, zmm\t, SWAP
  vsubadd zmm\s, zmm0, zmm\t
.endm
.macro flip_sums s, t, offset, last
  vxor zmm\s, zmm\s, zmm1
.endm
.macro zero_sums s, t, offset, last
  zero \t
.endm
.macro copy_sums s, t, offset, last
  vmov zmm\t, zmm\s
.endm
.macro scale_sums s, t, offset, last
  .if \last
    vmov zmm\t{k1}{z}, [C + \offset]
    vmulv zmm\t{k1}{z}, zmm\t, zmm0
  .else
    vmulv zmm\t, zmm0, [C + \offset]
  .endif
.endm
.macro turn_sums s, t, offset, last
  .if \last
    vmov zmm\t{k1}{z}, [C + \offset]
    vswap zmm2, zmm\t, SWAP
    vmulv zmm\t{k1}{z}, zmm\t, zmm0
    vfma zmm\t{k1}, zmm2, zmm1
  .else
    vmov zmm\t, [C + \offset]
    vswap zmm2, zmm\t, SWAP
    vmulv zmm\t, zmm\t, zmm0
    vfma zmm\t, zmm2, zmm1
  .endif
.endm
.macro add_sums s, t, offset, last
  .if \last
    vfma zmm\t{k1}, zmm\s, zmm0
  .else
    vfma zmm\t, zmm\s, zmm0
  .endif
.endm
.macro add_turned_sums s, t, offset, last
  vswap zmm\s, zmm\s, SWAP
  .if \last
    vfma zmm\t{k1}, zmm\s, zmm1
  .else
    vfma zmm\t, zmm\s, zmm1
  .endif
.endm
.macro store_sums s, t, offset, last
  .if \last
    vmov [C + \offset]{k1}, zmm\t
  .else
    vmov [C + \offset], zmm\t
  .endif
.endm

/* Does `how` to every vector of C; `walk`: C goes from column to column meanwhile. */
.macro every_sum how, nv, nr, walk
  .set at_j, 0
  .rept \nr
    .set at_i, 0
    .rept \nv
      .set at_s, 32 - 2*\nv*\nr + 2*at_j*\nv + at_i
      \how\()_sums %(at_s), %(at_s + \nv), %(64*at_i), %(at_i + 1 == \nv)
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
  vbcast zmm0, [rip + .Lone]
  mov eax, [STEP + STEP_FLAGS]
  and eax, STEP_CONJ_A | STEP_CONJ_B
  jz .Lno_conjugate\@
  cmp eax, STEP_CONJ_A
  je .Lconjugate_a\@
  cmp eax, STEP_CONJ_B
  je .Lconjugate_b\@
  every_sum subtract, \nv, \nr, 0
  vbroadcast_pair zmm1, [rip + .Lodd_signs]
  every_sum flip, \nv, \nr, 0
  jmp .Lcombined\@
.Lconjugate_a\@:
  every_sum conjugate_a, \nv, \nr, 0
  jmp .Lcombined\@
.Lconjugate_b\@:
  every_sum conjugate_b, \nv, \nr, 0
  jmp .Lcombined\@
.Lno_conjugate\@:
  every_sum subtract, \nv, \nr, 0
.Lcombined\@:
.endm

/* From the sums to C. Everything is read before anything is written: a masked store may reach over the next column's
 * rows, and a load would wait for it. */
.macro end_complex nv, nr
  mov CSC, [STEP + STEP_CSC]
  mov K, C
  combine_sums \nv, \nr
  test dword ptr [STEP + STEP_FLAGS], STEP_STORE_SUM
  jnz .Lstore_sum\@
  mov rax, [STEP + STEP_BETA_IM]
  add rax, rax                /* +0 and -0 become 0 */
  jnz .Lturn_c\@
  mov rax, [STEP + STEP_BETA]
  add rax, rax
  jz .Lno_read\@
  vbcast zmm0, BETA
  every_sum scale, \nv, \nr, 1
  jmp .Ladd\@
.Lturn_c\@:
  vbcast zmm0, BETA
  load_turn 1, STEP_BETA_IM, 2
  every_sum turn, \nv, \nr, 1
  jmp .Ladd\@
.Lno_read\@:
  every_sum zero, \nv, \nr, 0
.Ladd\@:
  vbcast zmm0, ALPHA
  every_sum add, \nv, \nr, 0
  mov rax, [STEP + STEP_ALPHA_IM]
  add rax, rax
  jz .Lstore\@
  load_turn 1, STEP_ALPHA_IM, 2
  every_sum add_turned, \nv, \nr, 0
  jmp .Lstore\@
.Lstore_sum\@:
  every_sum copy, \nv, \nr, 0
.Lstore\@:
  every_sum store, \nv, \nr, 1
.endm

/* The function's body, from the first push to ret. 32 - 2*nv*nr >= 4, nv + 1 <= that if nv <= 4, else 2*nr + 2. */
.macro complex_tile nv, nr
  enter \nv*64
.Ltile\@:
  mov eax, LANES
  lea rbx, [2*ROWS - (\nv - 1)*LANES]
  cmp rbx, rax
  cmovg rbx, rax
  mov eax, -1
  bzhi eax, eax, ebx
  kmovw k1, eax
  start_tile %(32 - 2*\nv*\nr), take_nothing, \nv, \nr
  .if \nv <= 4
    k_loop complex_step_narrow, \nv, \nv, \nr, \nr
  .else
    k_loop complex_step_wide, \nv, \nv, \nr, \nr
  .endif
  end_complex \nv, \nr
  next_tile .Ltile\@, \nv*LANES/2, \nr
.endm
