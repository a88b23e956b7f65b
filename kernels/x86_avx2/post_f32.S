/* TSR_OP_POST of kernel.h, f32 to f32: bias, scale, `add` and activation, column by column, two vectors of rows at a
 * time.
 *
 *   C[i][j] = post(A[i][j])
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * The last rows of a column, fewer than two vectors, are loaded and stored by masks; lanes beyond them compute zeros.
 * Bias and scale of `across` are repeated in two vectors of the frame, so that they are read like those by row, but at
 * an offset that stays 0. The activation is called, by address; it works in the registers (activations.h).
 *
 * Live at the loop head: A_ROW, C_ROW, ADD_ROW the places, OFFSET those of bias and scale, LEFT the rows left. */
#define STEP rdi
#define A_COLUMN rsi
#define C_COLUMN rcx
#define POST rdx
#define A_ROW rax
#define C_ROW r8
#define ADD_ROW r9
#define OFFSET r10
#define LEFT r11
#define COLUMNS rbx
#define ACTIVATION rbp
#define FRAME r12
#define ADD r13      /* its column; 0: none */
#define BIAS r14     /* 0: none */
#define SCALE r15
#include "kernels/x86_avx2/activations.h"

/* The frame, behind LOW, HIGH and SLOPE. */
#define MASKS 96            /* of the last rows, two vectors */
#define BIAS_OF_COLUMN 160  /* of `across`, two vectors */
#define SCALE_OF_COLUMN 224
#define ACROSS_BIAS [FRAME + 288]  /* this column's; 0: none */
#define ACROSS_SCALE [FRAME + 296]
#define OFFSET_STEP [FRAME + 304]
#define FRAME_BYTES 312

.macro load_rows to, base, edge
  .if \edge
    vmovups ymm2, [FRAME + MASKS]
    vmovups ymm3, [FRAME + MASKS + 32]
    vmaskmovps ymm\to, ymm2, [\base]
    load_second %(\to + 1), <\base>
  .else
    vmovups ymm\to, [\base]
    load_whole_second %(\to + 1), <\base>
  .endif
.endm
.macro load_second to, base
  vmaskmovps ymm\to, ymm3, [\base + 32]
.endm
.macro load_whole_second to, base
  vmovups ymm\to, [\base + 32]
.endm

/* Two vectors of rows. */
.macro rows edge
  load_rows 0, A_ROW, \edge
  test BIAS, BIAS
  jz .Lno_bias\@
  load_rows 4, <BIAS + OFFSET>, \edge
  vaddps ymm0, ymm0, ymm4
  vaddps ymm1, ymm1, ymm5
.Lno_bias\@:
  test SCALE, SCALE
  jz .Lno_scale\@
  load_rows 4, <SCALE + OFFSET>, \edge
  vmulps ymm0, ymm0, ymm4
  vmulps ymm1, ymm1, ymm5
.Lno_scale\@:
  test ADD, ADD
  jz .Lno_add\@
  load_rows 4, ADD_ROW, \edge
  vaddps ymm0, ymm0, ymm4
  vaddps ymm1, ymm1, ymm5
.Lno_add\@:
  call ACTIVATION
  .if \edge
    vmovups ymm2, [FRAME + MASKS]
    vmovups ymm3, [FRAME + MASKS + 32]
    vmaskmovps [C_ROW], ymm2, ymm0
    vmaskmovps [C_ROW + 32], ymm3, ymm1
  .else
    vmovups [C_ROW], ymm0
    vmovups [C_ROW + 32], ymm1
  .endif
.endm

/* FRAME + at = struct tsr_post's field in every lane */
.macro load_field at, field
  vcvtsd2ss xmm0, xmm0, qword ptr [POST + \field]
  vbroadcastss ymm0, xmm0
  vmovups [FRAME + \at], ymm0
.endm
/* FRAME + at = the mask of \rows rows, 0 .. 8, of one vector; \rows is lost. */
.macro keep_mask at, rows
  lea rax, [rip + lane_mask + 32]
  shl \rows, 2
  sub rax, \rows
  vmovups ymm0, [rax]
  vmovups [FRAME + \at], ymm0
.endm
.macro next_across from, to
  mov rax, \from
  test rax, rax
  jz .Lnone\@
  vbroadcastss ymm0, dword ptr [rax]
  vmovups [FRAME + \to], ymm0
  vmovups [FRAME + \to + 32], ymm0
  add rax, 4
  mov \from, rax
.Lnone\@:
.endm

/* `factor`, by row, becomes one of `across`: where it lies is kept, and it is read from the frame. */
.macro read_across factor, kept, at
  mov \kept, \factor
  test \factor, \factor
  jz .Lnone\@
  lea \factor, [FRAME + \at]
.Lnone\@:
.endm

FUNCTION(tsr_post_f32_f32_avx2)
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  sub rsp, FRAME_BYTES
  .cfi_adjust_cfa_offset FRAME_BYTES
  mov FRAME, rsp
  load_field 0, POST_LOW
  load_field 32, POST_HIGH
  load_field 64, POST_SLOPE
  mov r10, [STEP + STEP_M]
  and r10, 15
  mov r11, r10
  sub r11, 8
  mov r9, 0
  cmovl r11, r9
  sub r10, r11
  keep_mask MASKS, r10
  keep_mask (MASKS + 32), r11
  mov eax, [POST + POST_ACTIVATION]
  lea rbx, [rip + .Lactivations]
  movsxd ACTIVATION, dword ptr [rbx + 4*rax]
  add ACTIVATION, rbx
  mov BIAS, [POST + POST_BIAS]
  mov SCALE, [POST + POST_SCALE]
  mov ADD, [POST + POST_ADD]
  xor eax, eax
  mov ACROSS_BIAS, rax
  mov ACROSS_SCALE, rax
  cmp byte ptr [POST + POST_ACROSS], 0
  mov eax, 64
  je .Lby_row
  read_across BIAS, ACROSS_BIAS, BIAS_OF_COLUMN
  read_across SCALE, ACROSS_SCALE, SCALE_OF_COLUMN
  xor eax, eax
.Lby_row:
  mov OFFSET_STEP, rax
  mov COLUMNS, [STEP + STEP_N]
.Lcolumn:
  next_across ACROSS_BIAS, BIAS_OF_COLUMN
  next_across ACROSS_SCALE, SCALE_OF_COLUMN
  mov A_ROW, A_COLUMN
  mov C_ROW, C_COLUMN
  mov ADD_ROW, ADD
  xor OFFSET, OFFSET
  mov LEFT, [STEP + STEP_M]
  sub LEFT, 16
  jl .Llast
.Lrows:
  rows 0
  add A_ROW, 64
  add C_ROW, 64
  add ADD_ROW, 64
  add OFFSET, OFFSET_STEP
  sub LEFT, 16
  jge .Lrows
.Llast:
  add LEFT, 16
  jz .Lnext
  rows 1
.Lnext:
  add A_COLUMN, [STEP + STEP_CSA]
  add C_COLUMN, [STEP + STEP_CSC]
  test ADD, ADD
  jz .Lno_more
  add ADD, [POST + POST_ADD_LD]
.Lno_more:
  dec COLUMNS
  jnz .Lcolumn
  vzeroupper
  add rsp, FRAME_BYTES
  .cfi_adjust_cfa_offset -FRAME_BYTES
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
END(tsr_post_f32_f32_avx2)

/* The activations, in the order of enum tsr_activation, and their table. They are called from this file only. */
.macro activation name
  .p2align 5
.Lactivate_\name:
  endbr64
  activate_\name
  ret
.endm
.irp name, none, relu, clip, leaky_relu, gelu, gelu_tanh, silu, tanh, sigmoid
  activation \name
.endr
.section .rodata
.p2align 2
.Lactivations:
.irp name, none, relu, clip, leaky_relu, gelu, gelu_tanh, silu, tanh, sigmoid
  .long .Lactivate_\name - .Lactivations
.endr
.text
