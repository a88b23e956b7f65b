/* The micro-kernel of convolution whose channels do not mix (TSR_OP_CONV_LANES of kernel.h), for a tile of nv vectors
 * of channels x nr output pixels.
 *
 *   s[i][j]  = sum over taps, in their order, of A[i,p] * B[i,p,j], one fma chain from +0
 *   C[i][j]  = what conv_tile.h makes of it
 *   void kernel(const struct tsr_step *step, tsr_mem a, const struct tsr_conv *b, tsr_mem c)
 *
 * Pixels are operands in memory: a step of k takes one load of A and nr FMAs. Three steps at the distance of columns,
 * as in a row of a 3 x 3 kernel of stride 1, slide: each of the row's nr + 2 pixels is loaded once and serves three
 * columns. An entry that padding cuts short on the left is entered at its first column, on the right at its last one
 * and walked backwards, so that neither needs a compare. The last vector's rows are masked by k1 in everything but A.
 * Loops over tiles, and the end of a tile: conv_tile.h.
 *
 * Live at the loop heads:
 *   zmm(32 - nv*nr) .. zmm31   s, column by column
 *   zmm0 .. zmm(nv-1)          A; or zmm0 .. zmm2 three steps of one vector of A, and zmm3 a pixel
 *   k1                         rows of the last vector */
#include "kernels/x86_avx512/conv_tile.h"

#define RSB rbp               /* where conv_tile.h has FETCH */
#define X_TILE [rsp - 104]    /* of this tile of this column of tiles */
#define SLIDES [rsp - 112]    /* bit e: at entry e of the list a row begins that slides */
#define ROWS_AHEAD r9         /* such bits from this entry on */
#define LEFT ecx              /* not 0: a sliding row's first pixel is padding */
#define RIGHT r13d            /* its last one */

/* `how` x, y, mask, [column j of B, `offset` bytes down]; \last: the last vector */
.macro with_pixel_of_four how, x, y, group, j, offset, last
  .if \j == 0
    \how \x, \y, <[\group + \offset]>, \last
  .elseif \j == 1
    \how \x, \y, <[\group + CSB + \offset]>, \last
  .elseif \j == 2
    \how \x, \y, <[\group + 2*CSB + \offset]>, \last
  .else
    \how \x, \y, <[\group + CSB3 + \offset]>, \last
  .endif
.endm
.macro with_pixel how, x, y, j, offset, last
  .if \j < 4
    with_pixel_of_four \how, \x, \y, B0, \j, \offset, \last
  .elseif \j < 8
    with_pixel_of_four \how, \x, \y, B4, %(\j - 4), \offset, \last
  .elseif \j < 12
    with_pixel_of_four \how, \x, \y, B8, %(\j - 8), \offset, \last
  .else
    with_pixel_of_four \how, \x, \y, B12, %(\j - 12), \offset, \last
  .endif
.endm
.macro multiply_pixel acc, a, at, last
  .if \last
    vfma zmm\acc{k1}, zmm\a, \at
  .else
    vfma zmm\acc, zmm\a, \at
  .endif
.endm
.macro load_pixel reg, unused, at, last
  .if \last
    vmov zmm\reg{k1}{z}, \at
  .else
    vmov zmm\reg, \at
  .endif
.endm
.macro multiply_loaded acc, a, last
  .if \last
    vfma zmm\acc{k1}, zmm\a, zmm3
  .else
    vfma zmm\acc, zmm\a, zmm3
  .endif
.endm

.macro load_taps nv
  .set at_i, 0
  .rept \nv
    with_row load, %(at_i), 0, 0, %(64*at_i)
    .set at_i, at_i + 1
  .endr
.endm
.macro lanes_column j, nv, nr
  .set at_i, 0
  .rept \nv
    with_pixel multiply_pixel, %(32 - \nv*\nr + \j*\nv + at_i), %(at_i), \j, %(64*at_i), %(at_i + 1 == \nv)
    .set at_i, at_i + 1
  .endr
.endm
.macro next_taps nr
  add A, CSA
  add B0, RSB
  .if \nr > 4
    add B4, RSB
  .endif
  .if \nr > 8
    add B8, RSB
  .endif
  .if \nr > 12
    add B12, RSB
  .endif
.endm

/* Three steps of vector i of a row of pixels. Pixel q is step 0 of column q, step 1 of q - 1 and step 2 of q - 2. */
.macro slide_pixel q, i, nv, nr
  with_pixel load_pixel, 3, 0, \q, %(64*\i), %(\i + 1 == \nv)
  .set at_s, 0
  .rept 3
    .if \q - at_s >= 0 && \q - at_s < \nr
      multiply_loaded %(32 - \nv*\nr + (\q - at_s)*\nv + \i), %(at_s), %(\i + 1 == \nv)
    .endif
    .set at_s, at_s + 1
  .endr
.endm
.macro slide_vector i, nv, nr
  with_row load, 0, 0, 0, %(64*\i)
  with_row load, 1, 0, 1, %(64*\i)
  with_row load, 2, 0, 2, %(64*\i)
  test LEFT, LEFT
  jnz .Lfirst_is_padding\@
  slide_pixel 0, \i, \nv, \nr
.Lfirst_is_padding\@:
  .set at_q, 1
  .rept \nr
    slide_pixel %(at_q), \i, \nv, \nr
    .set at_q, at_q + 1
  .endr
  test RIGHT, RIGHT
  jnz .Llast_is_padding\@
  slide_pixel %(\nr + 1), \i, \nv, \nr
.Llast_is_padding\@:
.endm
.macro slide_three nv, nr
  .set at_v, 0
  .rept \nv
    slide_vector %(at_v), \nv, \nr
    .set at_v, at_v + 1
  .endr
.endm

/* To label `else` unless entry e lies `by` further than the one before. */
.macro entry_follows e, field, by, else
  mov rbx, [TAPS + \e*TAPS_SIZE + \field]
  sub rbx, [TAPS + (\e - 1)*TAPS_SIZE + \field]
  cmp rbx, \by
  jne \else
.endm
/* Sets SLIDES: bits of the first 64 entries that are three steps of all columns, or three entries of one step each, of
 * which only the first one's first column and the last one's last column may be padding. Uses rax, rbx, rcx, r13,
 * ROWS_AHEAD and TAPS. */
.macro find_sliding_rows nr
  xor ROWS_AHEAD, ROWS_AHEAD
  cmp RSB, CSB
  jne .Lfound\@
  mov rax, CONV
  mov TAPS, [rax + CONV_TAPS]
  xor ecx, ecx                    /* the entry's number */
  mov r13, 1 | \nr << 48         /* one step of all columns */
.Lfind\@:
  cmp TAPS, TAPS_LAST
  jae .Lfound\@
  mov rax, [TAPS + TAPS_K]
  lea rbx, [r13 + 2]
  cmp rax, rbx
  je .Lone\@
  btr rax, 32                     /* first may be 1 */
  cmp rax, r13
  jne .Lnone\@
  lea rax, [TAPS + 3*TAPS_SIZE]
  cmp rax, TAPS_LAST
  ja .Lnone\@
  cmp r13, [TAPS + TAPS_SIZE + TAPS_K]
  jne .Lnone\@
  mov rax, r13
  sub rax, [TAPS + 2*TAPS_SIZE + TAPS_K]
  ror rax, 48                     /* end may be 1 less */
  cmp rax, 1
  ja .Lnone\@
  entry_follows 1, TAPS_A, CSA, .Lnone\@
  entry_follows 2, TAPS_A, CSA, .Lnone\@
  entry_follows 1, TAPS_B, RSB, .Lnone\@
  entry_follows 2, TAPS_B, RSB, .Lnone\@
  bts ROWS_AHEAD, rcx
  add ecx, 2
  add TAPS, 2*TAPS_SIZE
  jmp .Lnone\@
.Lone\@:
  bts ROWS_AHEAD, rcx
.Lnone\@:
  add TAPS, TAPS_SIZE
  inc ecx
  cmp ecx, 64
  jb .Lfind\@
.Lfound\@:
  mov SLIDES, ROWS_AHEAD
.endm

.macro lanes_label id, side, j
.L\side\()_\id\()_\j:
.endm
.macro lanes_entry id, side, j
  .long .L\side\()_\id\()_\j - .Llanes_\id
.endm

/* K steps of the columns from where COLUMN leads; each step ends with a jump back. */
.macro lanes_steps id, side, nv, nr
.L\side\()_\id:
  load_taps \nv
  notrack jmp COLUMN
  .set at_c, 0
  .rept \nr
    .ifc \side, left
      .set at_l, at_c
    .else
      .set at_l, \nr - 1 - at_c
    .endif
    lanes_label \id, \side, %(at_l)
    lanes_column %(at_l), \nv, \nr
    .set at_c, at_c + 1
  .endr
  next_taps \nr
  dec K
  jnz .L\side\()_\id
.endm

/* An entry whose columns are COLUMN's number, in rcx, up to LAST; to label `next`. */
.macro lanes_cut id, next, nv, nr
  movsx ecx, word ptr [TAPS + TAPS_FIRST]
  movsx LAST, word ptr [TAPS + TAPS_END]
  xor ebx, ebx
  test ecx, ecx
  cmovs ecx, ebx
  mov ebx, \nr
  cmp LAST, ebx
  cmovg LAST, ebx
  cmp ecx, LAST
  jge \next
  movsxd K, dword ptr [TAPS + TAPS_K]
  test K, K
  jle \next
  cmp LAST, \nr
  jne .Lnot_left_\id
  lea r13, [rip + .Llanes_\id]
  movsxd COLUMN, dword ptr [r13 + 4*rcx]
  add COLUMN, r13
  lanes_steps \id, left, \nv, \nr
  jmp \next
.Lnot_left_\id:
  test ecx, ecx
  jnz .Lboth_\id
  lea rcx, [rip + .Llanes_\id]
  movsxd r13, dword ptr [rcx + 4*r13 + 4*\nr - 4]
  add COLUMN, r13
  lanes_steps \id, right, \nv, \nr
  jmp \next
.Lboth_\id:
  load_taps \nv
  .set at_c, 0
  .rept \nr
    lanes_between %(at_c), \nv, \nr
    .set at_c, at_c + 1
  .endr
  next_taps \nr
  dec K
  jnz .Lboth_\id
  jmp \next
  .section .rodata
  .p2align 2
.Llanes_\id:
  .set at_c, 0
  .rept \nr
    lanes_entry \id, left, %(at_c)
    .set at_c, at_c + 1
  .endr
  .set at_c, 0
  .rept \nr
    lanes_entry \id, right, %(at_c)
    .set at_c, at_c + 1
  .endr
  .text
.endm
/* Padding on both sides of so few columns is rare. */
.macro lanes_between j, nv, nr
  cmp ecx, \j
  jg .Lnot_this\@
  cmp LAST, \j
  jle .Lnot_this\@
  lanes_column \j, \nv, \nr
.Lnot_this\@:
.endm

.macro walk_lanes nv, nr
  mov ROWS_AHEAD, SLIDES
  mov rcx, CONV
  mov TAPS, [rcx + CONV_TAPS]
  cmp TAPS, TAPS_LAST
  je .Lsummed\@
.Lentry\@:
  mov A, [TAPS + TAPS_A]
  mov B0, [TAPS + TAPS_B]
  add A, A_TILE
  add B0, X_TILE
  .if \nr > 2
    lea B4, [B0 + 4*CSB]
  .endif
  .if \nr > 6
    lea B8, [B4 + 4*CSB]
  .endif
  .if \nr > 10
    lea B12, [B8 + 4*CSB]
  .endif
  test ROWS_AHEAD\()b, 1
  jnz .Lslide\@
  shr ROWS_AHEAD
  cmp dword ptr [TAPS + TAPS_FIRST], \nr << 16 /* first is 0, end nr */
  jne .Lcut\@
  movsxd K, dword ptr [TAPS + TAPS_K]
  jmp .Lsteps\@
.Lslide\@:
  xor LEFT, LEFT
  xor RIGHT, RIGHT
  cmp dword ptr [TAPS + TAPS_K], 3
  je .Lwhole_row\@
  movsx LEFT, word ptr [TAPS + TAPS_FIRST]
  add TAPS, 2*TAPS_SIZE
  movsx RIGHT, word ptr [TAPS + TAPS_END]
  sub RIGHT, \nr
  shr ROWS_AHEAD, 2
.Lwhole_row\@:
  shr ROWS_AHEAD
  slide_three \nv, \nr
.Lnext\@:
  add TAPS, TAPS_SIZE
  cmp TAPS, TAPS_LAST
  jne .Lentry\@
  jmp .Lsummed\@
.Lsteps\@:
  test K, K
  jle .Lnext\@
.Lstep\@:
  load_taps \nv
  .set at_c, 0
  .rept \nr
    lanes_column %(at_c), \nv, \nr
    .set at_c, at_c + 1
  .endr
  next_taps \nr
  dec K
  jnz .Lstep\@
  jmp .Lnext\@
.Lcut\@:
  lanes_cut \@, .Lnext\@, \nv, \nr
.Lsummed\@:
.endm

/* To label `tile` for the next tile, of this column of tiles or the next one; after the last, the function's end. */
.macro next_lanes_tile tile, rows, nr
  mov rax, A_TILE
  add rax, [STEP + STEP_DA]
  mov A_TILE, rax
  mov rdx, CONV
  mov rax, X_TILE
  add rax, [rdx + CONV_DX]
  mov X_TILE, rax
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
  mov rax, X
  add rax, [STEP + STEP_DB]
  mov X, rax
  mov X_TILE, rax
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
.macro lanes_tile nv, nr
  share_steps \nv
  enter
  mov RSB, [STEP + STEP_RSB]
  mov rax, X
  mov X_TILE, rax
  find_sliding_rows \nr
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
  walk_lanes \nv, \nr
  end_tile \nv, \nr
  next_lanes_tile .Ltile\@, \nv*LANES, \nr
.endm
