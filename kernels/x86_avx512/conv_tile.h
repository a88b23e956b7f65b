/* The convolution micro-kernel (TSR_OP_CONV of kernel.h) for a tile of nv vectors of filters x nr output pixels.
 *
 *   s[i][j]  = sum over taps, in their order, of A[i,p] * B[p,j], one fma chain from +0
 *   C[i][j]  = limits(fma(alpha, s, FIRST_K ? bias[i] or +0 : C[i][j]) + add[i][j]), the last two with LAST_K only
 *   void kernel(const struct tsr_step *step, tsr_mem a, const struct tsr_conv *b, tsr_mem c)
 *
 * Tiles lie one under the other and, where the step has more than nr columns, such columns of tiles side by side.
 * The taps are walked entry by entry of their list. An entry that all columns have goes several steps a round; one that
 * padding cuts short goes step by step through the columns it has: a jump that never changes leads to the first, a
 * compare after each column finds the last. A is padded to whole vectors; the last one's rows in C, bias and add are
 * masked by k1, and so are the operations at the end, so that no lane beyond m raises a flag.
 * Panels and pixels pass by in order, which the cores fetch ahead by themselves. What they cannot foresee is fetched:
 * with TSR_STREAM the next panel, a line a step, and what is to be added to the tile.
 *
 * Live at the loop heads:
 *   zmm(32 - nv*nr) .. zmm31   s, column by column
 *   zmm0 ..                    A as far as registers go, then B, in two registers if there are (nv <= 4)
 *   zmm0 .. zmm(nr-1)          B, then two of A (nv > 4)
 *   zmm0, zmm1; zmm2 .. zmm4   two steps of A; B (nv = 1, nr > 8)
 *   k1                         rows of the last vector */
#include "kernels/x86_asm.h"
#include "kernels/x86_avx512/lanes.h"

#define STEP rdi
#define A rsi      /* this step of this tile */
#define B0 rdx     /* this step, column 0; columns 0..3 are at B0 + {0, 1, 2, 3} * CSB */
#define B4 rax     /* this step, column 4 */
#define B8 r12     /* this step, column 8 */
#define B12 r14    /* this step, column 12 */
#define CSA r8
#define CSA3 r9
#define CSB r10
#define CSB3 r11
#define K rbx
#define FETCH rbp  /* what is fetched now */
#define TAPS r15   /* this entry */
#define COLUMN rcx /* where the code of an entry's first column is */
#define LAST r13d  /* an entry's last column + 1 */
/* After the taps: */
#define C rcx      /* column 0 of this tile */
#define CSC r12
#define AT r13     /* this column of C, or of what is added */

/* Below the stack pointer, which a leaf function may use. */
#define CONV [rsp - 8]
#define TAPS_LAST [rsp - 16]   /* the last entry's end */
#define X [rsp - 24]           /* of this column of tiles */
#define COLUMNS [rsp - 32]     /* from this column of tiles on */
#define ROWS [rsp - 40]        /* from this tile down */
#define A_TILE [rsp - 48]
#define A_BASE [rsp - 56]
#define C_TILE [rsp - 64]
#define C_BASE [rsp - 72]
#define ADD_AHEAD [rsp - 80]   /* from an element of C to what is added to it */
#define FETCH_STEP [rsp - 88]  /* bytes a step, 0 if nothing is to be fetched: FETCH is near the stack then */
#define FETCH_ROUND [rsp - 96] /* bytes a round */

#if defined(TSR_ELEMENT_F32)
#define vaddv vaddps
#define vmaxv vmaxps
#define vminv vminps
#define vbcast_pair vbroadcastsd
#define spread_even vmovsldup
#define spread_odd vmovshdup
#define load_real(reg, at) vcvtsd2ss reg, reg, qword ptr [at]
#else
#define vaddv vaddpd
#define vmaxv vmaxpd
#define vminv vminpd
#define vbcast_pair vbroadcastf64x2
#define spread_even vmovddup
.macro spread_odd to, from
  vunpckhpd \to, \from, \from
.endm
#define load_real(reg, at) vmovsd reg, qword ptr [at]
#endif

/* Register numbers are computed: %expr passes a value to a macro, at_i and at_j are the running vector and column. */
.altmacro

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

/* `how` zmm<reg>, [column j of step u of B] */
.macro with_column_of_four how, reg, group, j, u
  .if \j == 0
    \how zmm\reg, [\group + \u*SIZE]
  .elseif \j == 1
    \how zmm\reg, [\group + CSB + \u*SIZE]
  .elseif \j == 2
    \how zmm\reg, [\group + 2*CSB + \u*SIZE]
  .else
    \how zmm\reg, [\group + CSB3 + \u*SIZE]
  .endif
.endm
.macro with_column how, reg, j, u
  .if \j < 4
    with_column_of_four \how, \reg, B0, \j, \u
  .elseif \j < 8
    with_column_of_four \how, \reg, B4, %(\j - 4), \u
  .elseif \j < 12
    with_column_of_four \how, \reg, B8, %(\j - 8), \u
  .else
    with_column_of_four \how, \reg, B12, %(\j - 12), \u
  .endif
.endm
.macro broadcast reg, j, u
  with_column vbcast, \reg, \j, \u
.endm

.macro load reg, unused, at
  vmov zmm\reg, \at
.endm
.macro multiply acc, b, a
  vfma zmm\acc, zmm\b, zmm\a
.endm
.macro multiply_from acc, b, at
  vfma zmm\acc, zmm\b, \at
.endm

/* How many vectors of A registers can hold beside one of B, none in a tile of many vectors; and how many are left. */
.macro share_registers nv, nr
  .set kept, \nv
  .if \nv > 4
    .set kept, 0
  .elseif \nv*\nr + \nv > 31
    .set kept, 31 - \nv*\nr
  .endif
  .set left, 32 - \nv*\nr - kept
.endm

/* How many steps a round has: a core does not fetch ahead for loads that advance by more than 1 KiB a round (Zen 5). */
.macro share_steps nv
  .set round_steps, 1
  .if \nv <= 4
    .set round_steps, 4
  .elseif \nv <= 8
    .set round_steps, 2
  .endif
.endm

.macro load_kept u
  .set at_i, 0
  .rept kept
    with_row load, %(at_i), 0, \u, %(64*at_i)
    .set at_i, at_i + 1
  .endr
.endm

/* Column j of step u: A is in registers as far as load_kept has brought it there. */
.macro column j, u, nv, nr
  .set at_b, kept
  .if left > 1
    .set at_b, kept + \j % 2
  .endif
  broadcast %(at_b), \j, \u
  .set at_i, 0
  .rept \nv
    .if at_i < kept
      multiply %(32 - \nv*\nr + \j*\nv + at_i), %(at_b), %(at_i)
    .else
      with_row multiply_from, %(32 - \nv*\nr + \j*\nv + at_i), %(at_b), \u, %(64*at_i)
    .endif
    .set at_i, at_i + 1
  .endr
.endm

/* Step u of a tile of up to four vectors: the vectors of A stay, the columns of B pass by. */
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
    .set at_a, \nr + at_i % 2
    with_row load, %(at_a), 0, \u, %(64*at_i)
    .set at_j, 0
    .rept \nr
      multiply %(32 - \nv*\nr + at_j*\nv + at_i), %(at_j), %(at_a)
      .set at_j, at_j + 1
    .endr
    .set at_i, at_i + 1
  .endr
.endm

/* Steps u and u + 1 of a tile of one vector and many columns. A load for each fma is more than the core can do, so that
 * every fifth column is loaded for both steps at once; more would be too much for a core that permutes in one unit. */
.macro column_pair j, u, nr
  .if \j % 5 == 0
    with_column vbcast_pair, 2, \j, \u
    spread_even zmm3, zmm2
    spread_odd zmm4, zmm2
  .else
    broadcast 3, \j, \u
    broadcast 4, \j, %(\u + 1)
  .endif
  multiply %(32 - \nr + \j), 3, 0
  multiply %(32 - \nr + \j), 4, 1
.endm
.macro k_step_pair u, nr
  with_row load, 0, 0, \u, 0
  with_row load, 1, 0, %(\u + 1), 0
  .set at_j, 0
  .rept \nr
    column_pair %(at_j), \u, \nr
    .set at_j, at_j + 1
  .endr
.endm

.macro k_step u, nv, nr
  .if \nv <= 4
    k_step_narrow \u, \nv, \nr
  .else
    k_step_wide \u, \nv, \nr
  .endif
.endm

/* One line a step: of A's next block, which is on its way from memory (TSR_STREAM). */
.macro fetch_line u
  prefetcht1 [FETCH + 64*\u]
.endm

.macro next_columns steps, nr
  add B0, \steps*SIZE
  .if \nr > 4
    add B4, \steps*SIZE
  .endif
  .if \nr > 8
    add B8, \steps*SIZE
  .endif
  .if \nr > 12
    add B12, \steps*SIZE
  .endif
.endm

/* An entry that all columns have: K steps, `steps` a round while there are so many. */
.macro whole_entry steps, nv, nr
  sub K, \steps
  jl .Lrest\@
  .p2align 6
.Lround\@:
  .set at_u, 0
  .rept \steps
    .if \nv > 1 || \nr <= 8
      k_step %(at_u), \nv, \nr
    .elseif at_u % 2 == 0
      k_step_pair %(at_u), \nr
    .endif
    fetch_line %(at_u)
    .set at_u, at_u + 1
  .endr
  lea A, [A + \steps*CSA]
  add FETCH, FETCH_ROUND
  next_columns \steps, \nr
  sub K, \steps
  jge .Lround\@
.Lrest\@:
  .if \steps > 1
    add K, \steps
    jle .Ldone\@
.Lsingle\@:
    k_step 0, \nv, \nr
    add A, CSA
    next_columns 1, \nr
    dec K
    jnz .Lsingle\@
  .endif
.Ldone\@:
.endm

.macro column_label id, j
.Lcolumn_\id\()_\j:
.endm
.macro column_entry id, j
  .long .Lcolumn_\id\()_\j - .Lcolumns_\id
.endm

.macro end_at j, label
  cmp LAST, \j
  je \label
.endm

/* An entry that some columns do not have: columns COLUMN .. LAST - 1 of each of K steps, or none, to label `next`. */
.macro cut_entry id, next, nv, nr
  movsx ecx, word ptr [TAPS + TAPS_FIRST]
  xor r13d, r13d
  test ecx, ecx
  cmovs ecx, r13d
  cmp ecx, \nr
  jge \next
  cmp cx, word ptr [TAPS + TAPS_END]
  jge \next
  test K, K
  jle \next
  lea r13, [rip + .Lcolumns_\id]
  movsxd COLUMN, dword ptr [r13 + 4*rcx]
  add COLUMN, r13
  movsx LAST, word ptr [TAPS + TAPS_END]
.Lcut_\id:
  load_kept 0
  notrack jmp COLUMN
  .set at_c, 0
  .rept \nr
    column_label \id, %(at_c)
    column %(at_c), 0, \nv, \nr
    .set at_c, at_c + 1
    .if at_c < \nr
      end_at %(at_c), .Lcut_step_\id
    .endif
  .endr
.Lcut_step_\id:
  fetch_line 0
  add FETCH, FETCH_STEP
  add A, CSA
  next_columns 1, \nr
  dec K
  jnz .Lcut_\id
  jmp \next
  .section .rodata
  .p2align 2
.Lcolumns_\id:
  .set at_c, 0
  .rept \nr
    column_entry \id, %(at_c)
    .set at_c, at_c + 1
  .endr
  .text
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
    .rept \nv
      fetch_added_line %(64*at_i)
      .set at_i, at_i + 1
    .endr
    add AT, CSC
  .endr
.Lnothing\@:
.endm

/* All taps of a tile: s. */
.macro walk_taps nv, nr
  mov rcx, CONV
  mov TAPS, [rcx + CONV_TAPS]
  cmp TAPS, TAPS_LAST
  je .Lsummed\@
.Lentry\@:
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
  .if \nr > 12
    lea B12, [B8 + 4*CSB]
  .endif
  cmp dword ptr [TAPS + TAPS_FIRST], \nr << 16 /* first is 0, end nr */
  jne .Lcut\@
  whole_entry %(round_steps), \nv, \nr
.Lnext\@:
  add TAPS, TAPS_SIZE
  cmp TAPS, TAPS_LAST
  jne .Lentry\@
  jmp .Lsummed\@
.Lcut\@:
  cut_entry \@, .Lnext\@, \nv, \nr
.Lsummed\@:
.endm

/* The ends of one vector of s. zmm0 is alpha, then a limit; zmm1 bias. */
.macro go_on_vector acc, offset, last
  .if \last
    vfma_end zmm\acc{k1}, zmm0, [AT + \offset]
  .else
    vfma_end zmm\acc, zmm0, [AT + \offset]
  .endif
.endm
.macro begin_vector acc, last
  .if \last
    vfma_end zmm\acc{k1}, zmm0, zmm1
  .else
    vfma_end zmm\acc, zmm0, zmm1
  .endif
.endm
.macro add_vector acc, offset, last
  .if \last
    vaddv zmm\acc{k1}, zmm\acc, [AT + \offset]
  .else
    vaddv zmm\acc, zmm\acc, [AT + \offset]
  .endif
.endm
/* low > s ? low : s. Of two zeros and beside a NaN the instruction takes the operand on the right, s. */
.macro low_vector acc, offset, last
  .if \last
    vmaxv zmm\acc{k1}, zmm0, zmm\acc
  .else
    vmaxv zmm\acc, zmm0, zmm\acc
  .endif
.endm
.macro high_vector acc, offset, last
  .if \last
    vminv zmm\acc{k1}, zmm0, zmm\acc
  .else
    vminv zmm\acc, zmm0, zmm\acc
  .endif
.endm
.macro store_vector acc, offset, last
  .if \last
    vmov [AT + \offset]{k1}, zmm\acc
  .else
    vmov [AT + \offset], zmm\acc
  .endif
.endm

/* Does `how` to every vector; AT walks from column to column if it `walks`. Everything is read before anything is
 * written: a masked store may reach over the next column's rows, and a load would wait for it. */
.macro every_vector how, walks, nv, nr
  .set at_j, 0
  .rept \nr
    .set at_i, 0
    .rept \nv
      \how\()_vector %(32 - \nv*\nr + at_j*\nv + at_i), %(64*at_i), %(at_i + 1 == \nv)
      .set at_i, at_i + 1
    .endr
    .if \walks
      add AT, CSC
    .endif
    .set at_j, at_j + 1
  .endr
.endm

/* Sums begin at bias, at rdx, or at +0 if that is 0: row by row, all columns. */
.macro begin_row i, nv, nr
  test rdx, rdx
  jz .Lno_bias\@
  .if \i + 1 == \nv
    vmov zmm1{k1}{z}, [rdx + 64*\i]
  .else
    vmov zmm1, [rdx + 64*\i]
  .endif
.Lno_bias\@:
  .set at_j, 0
  .rept \nr
    begin_vector %(32 - \nv*\nr + at_j*\nv + \i), %(\i + 1 == \nv)
    .set at_j, at_j + 1
  .endr
.endm
.macro begin nv, nr
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
    begin_row %(at_r), \nv, \nr
    .set at_r, at_r + 1
  .endr
.endm

/* A limit that is infinite, as the double `none` says, is none. */
.macro limit how, field, none, nv, nr
  mov rdx, \none
  cmp rdx, [rax + \field]
  je .Lnone\@
  load_real(xmm0, rax + \field)
  vbcast zmm0, xmm0
  every_vector \how, 0, \nv, \nr
.Lnone\@:
.endm
.macro zero reg
  vpxord zmm\reg, zmm\reg, zmm\reg
.endm

/* From the sums to C. */
.macro end_tile nv, nr
  mov rax, CONV
  mov C, C_TILE
  mov CSC, [STEP + STEP_CSC]
  load_real(xmm0, STEP + STEP_ALPHA)
  vbcast zmm0, xmm0
  test dword ptr [STEP + STEP_FLAGS], STEP_FIRST_K
  jnz .Lbegin_sums\@
  mov AT, C
  every_vector go_on, 1, \nv, \nr
  jmp .Lbegun\@
.Lbegin_sums\@:
  begin \nv, \nr
.Lbegun\@:
  test dword ptr [STEP + STEP_FLAGS], STEP_LAST_K
  jz .Lstore\@
  cmp qword ptr [rax + CONV_ADD], 0
  je .Ladded\@
  mov AT, ADD_AHEAD
  add AT, C
  every_vector add, 1, \nv, \nr
.Ladded\@:
  limit low, CONV_LOW, 0xfff0000000000000, \nv, \nr
  limit high, CONV_HIGH, 0x7ff0000000000000, \nv, \nr
.Lstore\@:
  mov AT, C
  every_vector store, 1, \nv, \nr
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
  mov rax, [rdx + CONV_X]
  mov X, rax
  mov rax, [rdx + CONV_COUNT]
  lea rax, [rax + 2*rax]
  shl rax, 3
  add rax, [rdx + CONV_TAPS]
  mov TAPS_LAST, rax
  mov rax, [STEP + STEP_M]
  mov ROWS, rax
  mov rax, [STEP + STEP_N]
  mov COLUMNS, rax
  lea FETCH, [rsp - 128]
  xor eax, eax
  test dword ptr [STEP + STEP_FLAGS], STEP_STREAM
  jz .Lno_stream\@
  mov FETCH, [STEP + STEP_DA]
  add FETCH, A
  mov eax, 64
.Lno_stream\@:
  mov FETCH_STEP, rax
  imul eax, eax, round_steps
  mov FETCH_ROUND, rax
  mov CSA, [STEP + STEP_CSA]
  mov CSB, [STEP + STEP_CSB]
  lea CSA3, [CSA + 2*CSA]
  lea CSB3, [CSB + 2*CSB]
.endm

/* To label `tile` for the next tile, of this column of tiles or the next one; after the last, the function's end. */
.macro next_tile tile, rows, nr
  mov rax, A_TILE
  add rax, [STEP + STEP_DA]
  mov A_TILE, rax
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
  mov rax, [STEP + STEP_DB]
  add X, rax
  mov rax, A_BASE
  mov A_TILE, rax
  mov rax, [STEP + STEP_M]
  mov ROWS, rax
  jmp \tile
.Lreturn\@:
  vzeroupper
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm

/* The function's body, from the first push to ret. nv*nr <= 28. */
.macro conv_tile nv, nr
  share_registers \nv, \nr
  share_steps \nv
  enter
.Ltile\@:
  mov eax, LANES
  mov rbx, ROWS
  sub rbx, (\nv - 1)*LANES
  cmp rbx, rax
  cmovg rbx, rax
  mov eax, -1
  bzhi eax, eax, ebx
  kmovw k1, eax
  .set at_i, 32 - \nv*\nr
  .rept \nv*\nr
    zero %(at_i)
    .set at_i, at_i + 1
  .endr
  fetch_added \nv, \nr
  walk_taps \nv, \nr
  end_tile \nv, \nr
  next_tile .Ltile\@, \nv*LANES, \nr
.endm
