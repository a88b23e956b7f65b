/* The convolution micro-kernel (TSR_OP_CONV of kernel.h) for a tile of nv vectors of filters x nr output pixels.
 *
 *   s[i][j]  = sum over taps, in their order, of A[i,p] * B[p,j], one fma chain from +0
 *   C[i][j]  = limits(fma(alpha, s, FIRST_K ? bias[i] or +0 : C[i][j]) + add[i][j]), the last two with LAST_K only
 *   void kernel(const struct tsr_step *step, tsr_mem a, const struct tsr_conv *b, tsr_mem c)
 *
 * Tiles lie one under the other and, where the step has more than nr columns, such columns of tiles side by side. The
 * taps are walked entry by entry of their list. An entry that all columns have goes several steps a round. One that
 * padding cuts short on the left is entered at its first column, by a jump that never changes, on the right at its
 * last one and walked backwards, so that neither needs a compare. A is filled up to whole vectors by its last row.
 * AVX2 has no masked arithmetic: at the end of a tile whose last vector is not full, all operands of the lanes beyond
 * the last row are made zeros, alpha too, so that they raise no flag, and what they become is not stored.
 *
 * Live at the loop heads:
 *   ymm(16 - nv*nr) .. ymm15   s, column by column
 *   ymm0 ..                    A, then B, in two registers if there are (nv <= 3)
 *   ymm0 .. ymm(nr-1)          B, then A, in two registers if there are (nv > 3) */
#include "kernels/x86_avx2/lanes.h"

#define STEP rdi
#define A rsi      /* this step of this tile */
#define B0 rdx     /* this step, column 0; columns 0..3 are at B0 + {0, 1, 2, 3} * CSB */
#define B4 rax     /* this step, column 4 */
#define B8 r12     /* this step, column 8 */
#define CSA r8
#define CSA3 r9
#define CSB r10
#define CSB3 r11
#define K rbx
#define X rbp      /* of this tile */
#define A_TILE r14
#define TAPS r15   /* this entry */
#define COLUMN rcx /* where the code of a cut entry's first column is, or its last one's */
#define LAST r13d  /* an entry's last column + 1 */
/* After the taps: */
#define C rcx      /* column 0 of this tile */
#define CSC r12
#define AT r13     /* this column of C, or of what is added */
#define MASK [rsi] /* the rows of a last vector that is not full */

/* Below the stack pointer, which a leaf function may use. */
#define CONV [rsp - 8]
#define TAPS_LAST [rsp - 16] /* the last entry's end */
#define COLUMNS [rsp - 24]   /* from this column of tiles on */
#define ROWS [rsp - 32]      /* from this tile down */
#define A_BASE [rsp - 40]
#define C_TILE [rsp - 48]
#define C_BASE [rsp - 56]
#define ADD_AHEAD [rsp - 64] /* from an element of C to what is added to it */
#define X_BASE [rsp - 72]    /* of this column of tiles */
#define ALPHA_EDGE [rsp - 104] /* at the end: alpha, 0 beyond the last row */

#if defined(TSR_ELEMENT_F32)
#define SIZE_SHIFT 2
#define vfma_end vfmadd213ps
#define vfma_edge vfmadd132ps
#define vaddv vaddps
#define vmaxv vmaxps
#define vminv vminps
#define load_real(at) vcvtsd2ss xmm0, xmm0, qword ptr [at]; vbcast ymm0, xmm0
#else
#define SIZE_SHIFT 3
#define vfma_end vfmadd213pd
#define vfma_edge vfmadd132pd
#define vaddv vaddpd
#define vmaxv vmaxpd
#define vminv vminpd
#define load_real(at) vbcast ymm0, qword ptr [at]
#endif

/* Register numbers are computed: %expr passes a value to a macro, at_i and at_j are the running vector and column. */

/* `how` x, y, [row `offset` bytes down of step u of A] */
.macro with_row how, x, y, u, offset
  .if \u == 0
    \how \x, \y, <[A + \offset]>
  .elseif \u == 1
    \how \x, \y, <[A + CSA + \offset]>
  .elseif \u == 2
    \how \x, \y, <[A + 2*CSA + \offset]>
  .else
    \how \x, \y, <[A + CSA3 + \offset]>
  .endif
.endm

/* ymm<reg> = [column j of step u of B], in every lane */
.macro broadcast_of_four reg, group, j, u
  .if \j == 0
    vbcast ymm\reg, [\group + \u*SIZE]
  .elseif \j == 1
    vbcast ymm\reg, [\group + CSB + \u*SIZE]
  .elseif \j == 2
    vbcast ymm\reg, [\group + 2*CSB + \u*SIZE]
  .else
    vbcast ymm\reg, [\group + CSB3 + \u*SIZE]
  .endif
.endm
.macro broadcast reg, j, u
  .if \j < 4
    broadcast_of_four \reg, B0, \j, \u
  .elseif \j < 8
    broadcast_of_four \reg, B4, %(\j - 4), \u
  .else
    broadcast_of_four \reg, B8, %(\j - 8), \u
  .endif
.endm

.macro load reg, unused, at
  vmov ymm\reg, \at
.endm
.macro multiply acc, b, a
  vfma ymm\acc, ymm\b, ymm\a
.endm
.macro multiply_from acc, b, at
  vfma ymm\acc, ymm\b, \at
.endm
.macro zero reg
  vxorps xmm\reg, xmm\reg, xmm\reg
.endm
.macro zero_sums nv, nr
  .set at_i, 16 - \nv*\nr
  .rept \nv*\nr
    zero %(at_i)
    .set at_i, at_i + 1
  .endr
.endm

/* How many vectors of A registers hold while the columns of B pass by, and how many steps a round has: a core does not
 * fetch ahead for loads that advance by more than 1 KiB a round (Zen 5). */
.macro share nv
  .set kept, \nv
  .if \nv > 3
    .set kept, 0
  .endif
  .set round_steps, 4
  .if \nv > 6
    .set round_steps, 2
  .endif
.endm

.macro load_kept u
  .set at_i, 0
  .rept kept
    with_row load, %(at_i), 0, \u, %(32*at_i)
    .set at_i, at_i + 1
  .endr
.endm

/* Column j of step u: A is in registers if load_kept has brought it there. */
.macro column j, u, nv, nr
  .set at_b, kept
  .if 16 - \nv*\nr - kept > 1
    .set at_b, kept + \j % 2
  .endif
  broadcast %(at_b), \j, \u
  .set at_i, 0
  .rept \nv
    .if kept
      multiply %(16 - \nv*\nr + \j*\nv + at_i), %(at_b), %(at_i)
    .else
      with_row multiply_from, %(16 - \nv*\nr + \j*\nv + at_i), %(at_b), \u, %(32*at_i)
    .endif
    .set at_i, at_i + 1
  .endr
.endm

/* Step u of a tile of up to three vectors: the vectors of A stay, the columns of B pass by. */
.macro k_step_narrow u, nv, nr
  load_kept \u
  .set at_j, 0
  .rept \nr
    column %(at_j), \u, \nv, \nr
    .set at_j, at_j + 1
  .endr
.endm

/* Step u of a tile of many vectors: the columns of B stay, the vectors of A pass by. */
.macro k_step_wide u, nv, nr
  .set at_j, 0
  .rept \nr
    broadcast %(at_j), %(at_j), \u
    .set at_j, at_j + 1
  .endr
  .set at_i, 0
  .rept \nv
    .if \nr == 1
      with_row multiply_from, %(16 - \nv + at_i), 0, \u, %(32*at_i)
    .else
      .set at_a, \nr
      .if 16 - \nv*\nr - \nr > 1
        .set at_a, \nr + at_i % 2
      .endif
      with_row load, %(at_a), 0, \u, %(32*at_i)
      .set at_j, 0
      .rept \nr
        multiply %(16 - \nv*\nr + at_j*\nv + at_i), %(at_j), %(at_a)
        .set at_j, at_j + 1
      .endr
    .endif
    .set at_i, at_i + 1
  .endr
.endm

.macro k_step u, nv, nr
  .if \nv <= 3
    k_step_narrow \u, \nv, \nr
  .else
    k_step_wide \u, \nv, \nr
  .endif
.endm

.macro next_columns steps, nr
  add B0, \steps*SIZE
  .if \nr > 4
    add B4, \steps*SIZE
  .endif
  .if \nr > 8
    add B8, \steps*SIZE
  .endif
.endm

/* An entry that all columns have: K steps, `steps` a round while there are so many. */
.macro whole_entry steps, nv, nr
  sub K, \steps
  jl .Lrest\@
  .p2align 5
.Lround\@:
  .set at_u, 0
  .rept \steps
    k_step %(at_u), \nv, \nr
    .set at_u, at_u + 1
  .endr
  lea A, [A + \steps*CSA]
  next_columns \steps, \nr
  sub K, \steps
  jge .Lround\@
.Lrest\@:
  add K, \steps
  jle .Ldone\@
.Lsingle\@:
  k_step 0, \nv, \nr
  add A, CSA
  next_columns 1, \nr
  dec K
  jnz .Lsingle\@
.Ldone\@:
.endm

/* Columns of K steps from where COLUMN leads: to the last one (side `left`), or backwards to the first. What a step is
 * made of is given by macros: `load` nv, `one` j, nv, nr and `advance` nr. */
.macro column_label id, side, j
.L\side\()_\id\()_\j:
.endm
.macro column_entry id, side, j
  .long .L\side\()_\id\()_\j - .Lcolumns_\id
.endm
.macro cut_steps id, side, load, one, advance, nv, nr
.L\side\()_\id:
  \load \nv
  notrack jmp COLUMN
  .set at_c, 0
  .rept \nr
    .ifc \side, left
      .set at_l, at_c
    .else
      .set at_l, \nr - 1 - at_c
    .endif
    column_label \id, \side, %(at_l)
    \one %(at_l), \nv, \nr
    .set at_c, at_c + 1
  .endr
  \advance \nr
  dec K
  jnz .L\side\()_\id
.endm
/* A column of an entry that lacks some on both sides: of so few columns that is rare. */
.macro column_between one, j, nv, nr
  cmp ecx, \j
  jg .Lnot_this\@
  cmp LAST, \j
  jle .Lnot_this\@
  \one \j, \nv, \nr
.Lnot_this\@:
.endm

/* An entry that some columns do not have: columns first .. end - 1 of each of K steps, or none, to label `next`. */
.macro cut_entry id, next, load, one, advance, nv, nr
  movsx ecx, word ptr [TAPS + TAPS_FIRST]
  movsx LAST, word ptr [TAPS + TAPS_END]
  test K, K
  jle \next
  test ecx, ecx
  jns .Lfirst_\id
  xor ecx, ecx
.Lfirst_\id:
  cmp LAST, \nr
  jle .Llast_\id
  mov LAST, \nr
.Llast_\id:
  cmp ecx, LAST
  jge \next
  cmp LAST, \nr
  jne .Lnot_left_\id
  lea r13, [rip + .Lcolumns_\id]
  movsxd COLUMN, dword ptr [r13 + 4*rcx]
  add COLUMN, r13
  cut_steps \id, left, \load, \one, \advance, \nv, \nr
  jmp \next
.Lnot_left_\id:
  test ecx, ecx
  jnz .Lboth_\id
  lea rcx, [rip + .Lcolumns_\id]
  movsxd r13, dword ptr [rcx + 4*r13 + 4*\nr - 4]
  add COLUMN, r13
  cut_steps \id, right, \load, \one, \advance, \nv, \nr
  jmp \next
.Lboth_\id:
  \load \nv
  .set at_c, 0
  .rept \nr
    column_between \one, %(at_c), \nv, \nr
    .set at_c, at_c + 1
  .endr
  \advance \nr
  dec K
  jnz .Lboth_\id
  jmp \next
  .section .rodata
  .p2align 2
.Lcolumns_\id:
  .set at_c, 0
  .rept \nr
    column_entry \id, left, %(at_c)
    .set at_c, at_c + 1
  .endr
  .set at_c, 0
  .rept \nr
    column_entry \id, right, %(at_c)
    .set at_c, at_c + 1
  .endr
  .text
.endm

/* What a step of such an entry is made of. */
.macro load_cut nv
  load_kept 0
.endm
.macro cut_column j, nv, nr
  column \j, 0, \nv, \nr
.endm
.macro advance_cut nr
  add A, CSA
  next_columns 1, \nr
.endm

/* What is added may lie in memory: it is fetched while the taps are walked. C itself is not read, or still near. */
.macro fetch_added_line offset
  prefetcht0 [AT + \offset]
.endm
.macro fetch_added nv, nr
  test dword ptr [STEP + STEP_FLAGS], STEP_LAST_K
  jz .Lnothing\@
  mov rax, CONV
  cmp qword ptr [rax + CONV_ADD], 0
  je .Lnothing\@
  mov AT, ADD_AHEAD
  add AT, C_TILE
  mov CSC, [STEP + STEP_CSC]
  .rept \nr
    .set at_i, 0
    .rept (\nv + 1)/2
      fetch_added_line %(64*at_i)
      .set at_i, at_i + 1
    .endr
    add AT, CSC
  .endr
.Lnothing\@:
.endm

/* The places of an entry: A, B0 and on, K. */
.macro enter_entry nr
  mov A, [TAPS + TAPS_A]
  mov B0, [TAPS + TAPS_B]
  add A, A_TILE
  add B0, X
  movsxd K, dword ptr [TAPS + TAPS_K]
  .if \nr > 4
    lea B4, [B0 + 4*CSB]
  .endif
  .if \nr > 8
    lea B8, [B4 + 4*CSB]
  .endif
.endm

/* All taps of a tile: s. */
.macro walk_taps nv, nr
  mov rcx, CONV
  mov TAPS, [rcx + CONV_TAPS]
  cmp TAPS, TAPS_LAST
  je .Lsummed\@
.Lentry\@:
  enter_entry \nr
  cmp dword ptr [TAPS + TAPS_FIRST], \nr << 16 /* first is 0, end nr */
  jne .Lcut\@
  whole_entry %(round_steps), \nv, \nr
.Lnext\@:
  add TAPS, TAPS_SIZE
  cmp TAPS, TAPS_LAST
  jne .Lentry\@
  jmp .Lsummed\@
.Lcut\@:
  cut_entry \@, .Lnext\@, load_cut, cut_column, advance_cut, \nv, \nr
.Lsummed\@:
.endm

/* The ends of one vector of s; `edge`: it is a last one that is not full. ymm0 is alpha, then a limit; ymm1 bias, or
 * an edge's vector of C or of what is added. */
.macro load_edge base, offset
  vmovdqu ymm1, MASK
  vmask ymm1, ymm1, [\base + \offset]
.endm
.macro clear_vector acc, offset, edge
  .if \edge
    vandps ymm\acc, ymm\acc, MASK
  .endif
.endm
.macro go_on_vector acc, offset, edge
  .if \edge
    load_edge AT, \offset
    vfma_edge ymm\acc, ymm1, ALPHA_EDGE
  .else
    vfma_end ymm\acc, ymm0, [AT + \offset]
  .endif
.endm
.macro begin_vector acc, edge
  .if \edge
    vfma_edge ymm\acc, ymm1, ALPHA_EDGE
  .else
    vfma_end ymm\acc, ymm0, ymm1
  .endif
.endm
.macro add_vector acc, offset, edge
  .if \edge
    load_edge AT, \offset
    vaddv ymm\acc, ymm\acc, ymm1
  .else
    vaddv ymm\acc, ymm\acc, [AT + \offset]
  .endif
.endm
/* low > s ? low : s. Of two zeros and beside a NaN the instruction takes the operand on the right, s. */
.macro low_vector acc, offset, edge
  vmaxv ymm\acc, ymm0, ymm\acc
.endm
.macro high_vector acc, offset, edge
  vminv ymm\acc, ymm0, ymm\acc
.endm
.macro store_vector acc, offset, edge
  .if \edge
    vmovdqu ymm1, MASK
    vmask [AT + \offset], ymm1, ymm\acc
  .else
    vmov [AT + \offset], ymm\acc
  .endif
.endm

/* Does `how` to every vector; AT walks from column to column if it `walks`. Everything is read before anything is
 * written: a masked store may reach over the next column's rows, and a load would wait for it. */
.macro every_vector how, walks, nv, nr, edge
  .set at_j, 0
  .rept \nr
    .set at_i, 0
    .rept \nv
      \how\()_vector %(16 - \nv*\nr + at_j*\nv + at_i), %(32*at_i), %(at_i + 1 == \nv*\edge)
      .set at_i, at_i + 1
    .endr
    .if \walks
      add AT, CSC
    .endif
    .set at_j, at_j + 1
  .endr
.endm

/* Sums begin at bias, at rdx, or at +0 if that is 0: row by row, all columns. */
.macro begin_row i, nv, nr, edge
  test rdx, rdx
  jz .Lno_bias\@
  .if \edge
    load_edge rdx, %(32*\i)
  .else
    vmov ymm1, [rdx + 32*\i]
  .endif
.Lno_bias\@:
  .set at_j, 0
  .rept \nr
    begin_vector %(16 - \nv*\nr + at_j*\nv + \i), \edge
    .set at_j, at_j + 1
  .endr
.endm
.macro begin nv, nr, edge
  mov rdx, [rax + CONV_BIAS]
  zero 1
  test rdx, rdx
  jz .Lbegin\@
  test dword ptr [STEP + STEP_FLAGS], STEP_REPEAT
  jnz .Lbegin\@
  mov rbx, [STEP + STEP_M]
  sub rbx, ROWS
  lea rdx, [rdx + SIZE*rbx]
.Lbegin\@:
  .set at_r, 0
  .rept \nv
    begin_row %(at_r), \nv, \nr, %(at_r + 1 == \nv*\edge)
    .set at_r, at_r + 1
  .endr
.endm

/* A limit that is infinite, as the double `none` says, is none. */
.macro limit how, field, none, nv, nr
  mov rdx, \none
  cmp rdx, [rax + \field]
  je .Lnone\@
  load_real(rax + \field)
  every_vector \how, 0, \nv, \nr, 0
.Lnone\@:
.endm

/* From the sums to C; rax is CONV. */
.macro end_rows nv, nr, edge
  load_real(STEP + STEP_ALPHA)
  .if \edge
    vandps ymm1, ymm0, MASK
    vmovups ALPHA_EDGE, ymm1
  .endif
  test dword ptr [STEP + STEP_FLAGS], STEP_FIRST_K
  jnz .Lbegin_sums\@
  mov AT, C
  every_vector go_on, 1, \nv, \nr, \edge
  jmp .Lbegun\@
.Lbegin_sums\@:
  begin \nv, \nr, \edge
.Lbegun\@:
  test dword ptr [STEP + STEP_FLAGS], STEP_LAST_K
  jz .Lstore\@
  cmp qword ptr [rax + CONV_ADD], 0
  je .Ladded\@
  mov AT, ADD_AHEAD
  add AT, C
  every_vector add, 1, \nv, \nr, \edge
.Ladded\@:
  limit low, CONV_LOW, 0xfff0000000000000, \nv, \nr
  limit high, CONV_HIGH, 0x7ff0000000000000, \nv, \nr
.Lstore\@:
  mov AT, C
  every_vector store, 1, \nv, \nr, \edge
.endm

/* MASK = the first `rows` lanes, a register that is lost. */
.macro mask_rows rows
  lea rsi, [rip + lane_mask + 32]
  shl \rows, SIZE_SHIFT
  sub rsi, \rows
.endm

/* `clears`: sums in lanes beyond the last row are not zeros. */
.macro end_tile clears, nv, nr
  mov C, C_TILE
  mov CSC, [STEP + STEP_CSC]
  mov rbx, ROWS
  sub rbx, \nv*LANES
  jl .Ledge\@
  mov rax, CONV
  end_rows \nv, \nr, 0
  jmp .Lended\@
.Ledge\@:
  add rbx, LANES
  mask_rows rbx
  .if \clears
    every_vector clear, 0, \nv, \nr, 1
  .endif
  mov rax, CONV
  end_rows \nv, \nr, 1
.Lended\@:
.endm

/* A function's entry. */
.macro enter
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  mov CONV, rdx
  mov A_TILE, rsi
  mov A_BASE, rsi
  mov C_TILE, rcx
  mov C_BASE, rcx
  mov rax, [rdx + CONV_ADD]
  sub rax, rcx
  mov ADD_AHEAD, rax
  mov X, [rdx + CONV_X]
  mov X_BASE, X
  mov rax, [rdx + CONV_COUNT]
  lea rax, [rax + 2*rax]
  shl rax, 3
  add rax, [rdx + CONV_TAPS]
  mov TAPS_LAST, rax
  mov rax, [STEP + STEP_M]
  mov ROWS, rax
  mov rax, [STEP + STEP_N]
  mov COLUMNS, rax
  mov CSA, [STEP + STEP_CSA]
  mov CSB, [STEP + STEP_CSB]
  lea CSA3, [CSA + 2*CSA]
  lea CSB3, [CSB + 2*CSB]
.endm

/* To label `tile` for the next tile, of this column of tiles or the next one; after the last, the function's end. The
 * tile below reads X bytes further if X `moves`, by CONV_DX. */
.macro next_tile tile, moves, rows, nr
  .if \moves
    mov rax, CONV
    add X, [rax + CONV_DX]
  .endif
  add A_TILE, [STEP + STEP_DA]
  add C, [STEP + STEP_DC]
  mov C_TILE, C
  sub qword ptr ROWS, \rows
  jg \tile
  sub qword ptr COLUMNS, \nr
  jle .Lreturn\@
  imul C, CSC, \nr
  add C, C_BASE
  mov C_BASE, C
  mov C_TILE, C
  mov X, X_BASE
  add X, [STEP + STEP_DB]
  mov X_BASE, X
  mov A_TILE, A_BASE
  mov rax, [STEP + STEP_M]
  mov ROWS, rax
  jmp \tile
.Lreturn\@:
  vzeroupper
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm

/* The function's body, from the first push to ret. nv*nr <= 12. */
.macro conv_tile nv, nr
  share \nv
  enter
.Ltile\@:
  zero_sums \nv, \nr
  fetch_added \nv, \nr
  walk_taps \nv, \nr
  end_tile 1, \nv, \nr
  next_tile .Ltile\@, 0, \nv*LANES, \nr
.endm
