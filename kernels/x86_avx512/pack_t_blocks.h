/* Packing of a matrix in blocks that lie along k (TSR_OP_PACK_T of kernel.h; the blocks: blocks.h) into panels of f32.
 *
 *   C[panel t][p][i] = A[min(t * n + i, m - 1)][p]      the blocks of row i from a + i * rsa on; k is a multiple of 32
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * A unit of 16 rows goes block by block (transpose_blocks.h). A unit with fewer rows in the matrix or in the panel goes
 * by way of a buffer in which the last row repeats.
 *
 * Live in every loop:
 *   ROW0    this block of the unit's first row   RS, RS3, ROW_LANE1 .. ROW_LANE3  from row to row (transpose.h)
 *   K       steps of k left     D     where the next step goes     PITCH  bytes from k to k in the panel
 *   A_UNIT  row 0 of the unit   k1    rows stored                  zmm2 .. zmm5  four bytes of every row each
 *   zmm6    the rows' scales    zmm7  the integers of q4_0 */
#include "kernels/x86_avx512/transpose_blocks.h"

#define STEP rdi
#define D rdx
#define PITCH rbp
#define K rbx
#define A_UNIT r13
#define D_UNIT [rsp]
#define D_PANEL [rsp + 8]
#define ROWS [rsp + 16]      /* of the matrix left */
#define LEFT [rsp + 24]      /* rows of the panel left */
#define BUFFER rsp + 32
#define BUFFER_ROW 48
#define FRAME (32 + 16*BUFFER_ROW)
#define UNIT 16

/* A step of the unit. */
.macro store_all reg
  vmovups [D], zmm\reg
  add D, PITCH
.endm
.macro store_some reg
  vmovups [D]{k1}, zmm\reg
  add D, PITCH
.endm

/* 16 steps of the bytes in zmm2 .. zmm5. */
.macro store_steps half, store
  .set at_c, 0
  .rept 4
    .set at_b, 0
    .rept 4
      step_of_byte 0, %(2 + at_c), %(at_b), \half, 6, 7
      \store 0
      .set at_b, at_b + 1
    .endr
    .set at_c, at_c + 1
  .endr
.endm

/* The 32 steps of k of a block. */
.macro transpose_block store
  load_scales 6
  load_bytes 2, 2
  store_steps 0, \store
#if defined(TSR_A_Q8_0)
  load_bytes 2, 18
  store_steps 0, \store
#else
  store_steps 4, \store
#endif
.endm

/* A unit whose rows are all there. */
.macro transpose_unit
  mov ROW0, A_UNIT
  mov RS, [STEP + STEP_RSA]
  lea RS3, [RS + 2*RS]
.Lblock\@:
  set_lane_rows
  mov rcx, RS
  shl rcx, UNIT_SHIFT
  prefetch_unit rcx
  transpose_block store_all
  add ROW0, A_BLOCK
  sub K, 32
  jnz .Lblock\@
.endm

/* Copies the blocks at ROW0 into the buffer, the last row's again and again until there are 16. */
.macro buffer_block
  mov rcx, ROW0
  mov PART, ROWS
  .set at_t, 0
  .rept UNIT
#if defined(TSR_A_Q8_0)
    vmovdqu ymm2, [rcx + 2]
    vmovdqu [BUFFER + BUFFER_ROW*at_t + 2], ymm2
#else
    vmovdqu xmm2, [rcx + 2]
    vmovdqu [BUFFER + BUFFER_ROW*at_t + 2], xmm2
#endif
    movzx eax, word ptr [rcx]
    mov [BUFFER + BUFFER_ROW*at_t], ax
    lea rax, [rcx + RS]
    cmp PART, at_t + 1
    cmovg rcx, rax
    .set at_t, at_t + 1
  .endr
.endm

.macro transpose_buffered
  mov r14, A_UNIT
.Lblock\@:
  mov ROW0, r14
  mov RS, [STEP + STEP_RSA]
  buffer_block
  lea ROW0, [BUFFER]
  mov RS, BUFFER_ROW
  lea RS3, [RS + 2*RS]
  set_lane_rows
  transpose_block store_some
  add r14, A_BLOCK
  sub K, 32
  jnz .Lblock\@
.endm

/* The function's body, from the first push to ret. */
.macro pack_t
  PUSH(rbx); PUSH(rbp); PUSH(r13); PUSH(r14); PUSH(r15)
  sub rsp, FRAME
  .cfi_adjust_cfa_offset FRAME
  mov D_PANEL, rcx
  mov A_UNIT, rsi
  mov rax, [STEP + STEP_M]
  mov ROWS, rax
  mov PITCH, [STEP + STEP_N]
  shl PITCH, 2
  load_integers 7
.Lpanel:
  mov rax, D_PANEL
  mov D_UNIT, rax
  mov rax, [STEP + STEP_N]
  mov LEFT, rax
.Lunit:
  mov D, D_UNIT
  mov K, [STEP + STEP_K]
  mov eax, UNIT
  cmp LEFT, rax
  cmovl rax, LEFT
  mov ecx, -1
  bzhi ecx, ecx, eax
  kmovw k1, ecx
  cmp rax, UNIT
  jl .Lbuffered
  cmp qword ptr ROWS, UNIT
  jl .Lbuffered
  transpose_unit
.Lunit_done:
  mov eax, UNIT               /* rows of the matrix this unit took */
  cmp rax, LEFT
  cmovg rax, LEFT
  cmp rax, ROWS
  cmovg rax, ROWS
  sub ROWS, rax
  mov RS, [STEP + STEP_RSA]
  imul rax, RS
  add A_UNIT, rax
  add qword ptr D_UNIT, 64
  sub qword ptr LEFT, UNIT
  jle .Lpanel_done
  cmp qword ptr ROWS, 0
  jne .Lunit
  mov qword ptr ROWS, 1       /* nothing but padding left in this panel */
  sub A_UNIT, RS
  jmp .Lunit
.Lpanel_done:
  mov rax, [STEP + STEP_DC]
  add D_PANEL, rax
  cmp qword ptr ROWS, 0
  jne .Lpanel
  jmp .Lreturn

.Lbuffered:
  transpose_buffered
  jmp .Lunit_done

.Lreturn:
  vzeroupper
  add rsp, FRAME
  .cfi_adjust_cfa_offset -FRAME
  POP(r15); POP(r14); POP(r13); POP(rbp); POP(rbx)
  ret
.endm
