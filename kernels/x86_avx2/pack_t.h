/* Packing of a matrix that lies along k (TSR_OP_PACK_T of kernel.h), any panel width.
 *
 *   C[panel t][p][i] = A[min(t * n + i, m - 1)][p]      A[i,p] at a + i * rsa + p * size
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * One vector of a panel's rows is transposed for all k, four k at a time (transpose.h), the panel's last vector first:
 * where it is not full it is stored whole, over the start of the next k, which comes after. Only the last k, where
 * nothing comes after, are stored by mask. Beyond the panel and beyond row m the row pointers repeat the last row.
 *
 * Live in the loop:
 *   r8 .. r15  the rows of this vector      P  bytes along k
 *   T          this k in the panel          PITCH  bytes from k to k in the panel
 *   K          steps of k left              ymm15  rows that are stored */
#define STEP rdi
#define P rax
#define T rdx
#define K rbx
#define PITCH rbp
#define COUNT rcx
#define SCRATCH rsi
#define D [rsp - 8]      /* this panel */
#define A [rsp - 16]     /* its rows */
#define ROWS [rsp - 24]  /* of the matrix left */
#define PART [rsp - 64]
#define UNIT [rsp - 72]  /* first row of this vector in its panel */
#define TAIL [rsp - 80]  /* how many last k are stored by mask */
#define ROW0 r8 + P
#define ROW1 r9 + P
#define ROW2 r10 + P
#define ROW3 r11 + P
#define ROW4 r12 + P
#define ROW5 r13 + P
#define ROW6 r14 + P
#define ROW7 r15 + P
#include "kernels/x86_avx2/transpose.h"

.macro store_whole reg
  vmov [T], ymm\reg
  add T, PITCH
.endm
.macro store_by_mask reg
  vmask [T], ymm15, ymm\reg
  add T, PITCH
.endm

/* r8 .. r15 = rows UNIT + i of the panel, none beyond the panel's last row in the matrix. */
.macro point_to_rows
  mov T, [STEP + STEP_N]
  cmp T, ROWS
  cmovg T, ROWS
  dec T
  mov r8, UNIT
  cmp r8, T
  cmovg r8, T
  sub T, r8                   /* rows after this one */
  imul r8, [STEP + STEP_RSA]
  add r8, A
  .set at_i, 9
  .rept LANES - 1
    point_to_row %(at_i), %(at_i - 1)
    .set at_i, at_i + 1
  .endr
.endm
.macro point_to_row row, before
  mov r\row, r\before
  dec T
  js .Lrepeat\@
  add r\row, [STEP + STEP_RSA]
.Lrepeat\@:
.endm

/* ymm15 and T: how this vector is stored, and where its k = 0 goes. */
.macro point_to_unit
  mov COUNT, [STEP + STEP_N]
  sub COUNT, UNIT
  mov eax, LANES
  cmp COUNT, rax
  cmovg COUNT, rax
  mask_lanes 15, COUNT, SCRATCH
  mov T, UNIT
  imul T, T, SIZE
  add T, D
.endm

/* All k of one vector. */
.macro transpose_unit
  xor P, P
  mov K, [STEP + STEP_K]
  sub K, TAIL
  jle .Ltail\@
.Lpiece\@:
  load_piece
  transpose_piece
  store_whole 0
  store_whole 1
  store_whole 2
  store_whole 3
  add P, PIECE_BYTES
  sub K, PER
  jg .Lpiece\@
.Ltail\@:
  add K, TAIL
.Lpart\@:
  mov COUNT, PER
  cmp K, COUNT
  cmovl COUNT, K
  mask_lanes 0, COUNT, SCRATCH
  vmovdqu PART, ymm0
  load_part
  transpose_piece
  store_by_mask 0
  cmp COUNT, 2
  jl .Lnext_part\@
  store_by_mask 1
  cmp COUNT, 3
  jl .Lnext_part\@
  store_by_mask 2
  cmp COUNT, 4
  jl .Lnext_part\@
  store_by_mask 3
.Lnext_part\@:
  add P, PIECE_BYTES
  sub K, PER
  jg .Lpart\@
.endm

/* The function's body, from the first push to ret. */
.macro pack_t
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  mov D, rcx
  mov A, rsi
  mov rax, [STEP + STEP_M]
  mov ROWS, rax
  mov COUNT, [STEP + STEP_N]
  imul PITCH, COUNT, SIZE
  mov eax, PER
  mov SCRATCH, PER + LANES    /* less than half a vector writes over more than one k ahead */
  cmp COUNT, LANES/2
  cmovl rax, SCRATCH
  mov TAIL, rax

.Lpanel:
  mov rax, [STEP + STEP_N]
  dec rax
  and rax, -LANES
.Lunit:
  mov UNIT, rax
  point_to_rows
  point_to_unit
  transpose_unit
  mov rax, UNIT
  sub rax, LANES
  jge .Lunit

  mov rcx, [STEP + STEP_N]
  mov rax, rcx
  imul rax, [STEP + STEP_RSA]
  add A, rax
  mov rax, [STEP + STEP_DC]
  add D, rax
  sub ROWS, rcx
  jg .Lpanel

  vzeroupper
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm
