/* Packing of c64, any panel width (TSR_OP_PACK_N and TSR_OP_PACK_T of kernel.h). Complex f32 go the way of f64.
 *
 *   C[panel t][p][i] = A[min(t * n + i, m - 1)][p]
 *     tsr_pack_n_c64_avx2: A[i,p] at a + p * csa + i * 16     tsr_pack_t_c64_avx2: at a + i * rsa + p * 16
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * Units of two rows, a vector, are copied for all k, the second of them the last row of the matrix again if there is no
 * other; a panel's odd row goes alone.
 *
 * Live in every loop:
 *   R0, R1   this k of the two rows       S     bytes from k to k in A       K  steps of k left
 *   D        where this k of them goes    PITCH the same in the panel */
#include "kernels/x86_asm.h"

#define STEP rdi
#define D rdx
#define D_PANEL rcx
#define PITCH r15
#define K rbx
#define ROWS r12     /* of the matrix left */
#define A_UNIT r13
#define LEFT r14     /* rows of the panel left */
#define D_UNIT rbp
#define R0 rsi
#define R1 r8
#define S r9
#define NEXT r10     /* bytes from row to row in A */
#define ROW 16

.altmacro

/* One row, all k. */
.macro copy_one
.Lone\@:
  vmovupd xmm0, [R0]
  vmovupd [D], xmm0
  add R0, S
  add D, PITCH
  dec K
  jnz .Lone\@
.endm

/* Two rows, all k. */
.macro copy_two
.Ltwo\@:
  vmovupd xmm0, [R0]
  vinsertf128 ymm0, ymm0, [R1], 1
  vmovupd [D], ymm0
  add R0, S
  add R1, S
  add D, PITCH
  dec K
  jnz .Ltwo\@
.endm

/* The function's body: A's row i at A + i * next, the next step of k s bytes further. */
.macro pack next, s
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  mov A_UNIT, rsi
  mov ROWS, [STEP + STEP_M]
  mov PITCH, [STEP + STEP_N]
  shl PITCH, 4
  mov NEXT, \next
  mov S, \s
.Lpanel\@:
  mov LEFT, [STEP + STEP_N]
  mov D_UNIT, D_PANEL
.Lunit\@:
  mov R0, A_UNIT
  mov D, D_UNIT
  mov K, [STEP + STEP_K]
  cmp LEFT, 1
  je .Lalone\@
  lea R1, [R0 + NEXT]
  cmp ROWS, 1
  cmovle R1, R0
  copy_two
  mov eax, 2
  cmp rax, ROWS
  cmovg rax, ROWS
  sub LEFT, 2
  jmp .Lnext\@
.Lalone\@:
  copy_one
  mov eax, 1
  dec LEFT
.Lnext\@:                     /* rax rows of the matrix are done */
  sub ROWS, rax
  imul rax, NEXT
  add A_UNIT, rax
  add D_UNIT, 2*ROW
  test LEFT, LEFT
  jz .Lpanel_done\@
  test ROWS, ROWS
  jnz .Lunit\@
  mov ROWS, 1                 /* nothing but padding left in this panel */
  sub A_UNIT, NEXT
  jmp .Lunit\@
.Lpanel_done\@:
  add D_PANEL, [STEP + STEP_DC]
  test ROWS, ROWS
  jnz .Lpanel\@
  vzeroupper
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm

FUNCTION(tsr_pack_n_c64_avx2)
  pack ROW, <[STEP + STEP_CSA]>
END(tsr_pack_n_c64_avx2)

FUNCTION(tsr_pack_t_c64_avx2)
  pack <[STEP + STEP_RSA]>, ROW
END(tsr_pack_t_c64_avx2)
