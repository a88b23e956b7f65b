/* TSR_OP_POST of kernel.h: bias, scale, `add` and activation, column by column, four vectors of rows at a time.
 *
 *   C[i][j] = post(A[i][j])
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * A file defines TSR_ELEMENT_F32 or TSR_ELEMENT_F64, in which it computes, and then, for each pair of types, macros
 * that load zmm<reg> from A, add to it from `add` and store it to C. Their arguments are the register, the vector's
 * number and its mask: nothing, or {k1} ({k1}{z} for the load). The activation is called, by address; it works in the
 * registers (activations.h).
 *
 * Live at the loop head: zmm0 and zmm1 the column's bias and scale if those of `across` are given; zmm2 .. zmm4 LOW,
 * HIGH, SLOPE; zmm5, zmm6 are the stores'. k1: the last vector's rows. */
#include "kernels/x86_avx512/activations.h"

#define STEP rdi
#define A_COLUMN rsi
#define C_COLUMN rcx
#define POST rdx
#define A_ROW rax    /* the rows at hand */
#define C_ROW r8
#define ADD_ROW r9
#define OFFSET r10   /* of those rows in BIAS and SCALE */
#define M r11        /* rows left */
#define COLUMNS rbx
#define ACT4 rbp     /* the activation of four vectors and of one */
#define ACT1 r12
#define ADD r13      /* its column; 0: none */
#define BIAS r14     /* by row; 0: not */
#define SCALE r15
#define ACROSS_BIAS qword ptr [rsp]      /* this column's; 0: none */
#define ACROSS_SCALE qword ptr [rsp + 8]

.macro add_bias reg, u, mask
  vadd zmm\reg\mask, zmm\reg, [BIAS + OFFSET + 64*\u]
.endm
.macro add_same_bias reg, u, mask
  vadd zmm\reg\mask, zmm\reg, zmm0
.endm
.macro mul_scale reg, u, mask
  vmul zmm\reg\mask, zmm\reg, [SCALE + OFFSET + 64*\u]
.endm
.macro mul_same_scale reg, u, mask
  vmul zmm\reg\mask, zmm\reg, zmm1
.endm
.macro every count, how, mask
  .set at_v, 0
  .rept \count
    \how %(16 + at_v), %(at_v), \mask
    .set at_v, at_v + 1
  .endr
.endm

/* `count` vectors of rows. For the last one `load_mask` is {k1}{z} and `mask` {k1}. */
.macro rows count, load, add_more, store, a_size, c_size, load_mask, mask, activation
  every \count, \load, \load_mask
  test BIAS, BIAS
  jz .Lsame_bias\@
  every \count, add_bias, \mask
  jmp .Lbias\@
.Lsame_bias\@:
  cmp ACROSS_BIAS, 0
  je .Lbias\@
  every \count, add_same_bias, \mask
.Lbias\@:
  test SCALE, SCALE
  jz .Lsame_scale\@
  every \count, mul_scale, \mask
  jmp .Lscale\@
.Lsame_scale\@:
  cmp ACROSS_SCALE, 0
  je .Lscale\@
  every \count, mul_same_scale, \mask
.Lscale\@:
  test ADD, ADD
  jz .Lno_add\@
  every \count, \add_more, \mask
  add ADD_ROW, \count*LANES*\c_size
.Lno_add\@:
  call \activation
  every \count, \store, \mask
  add A_ROW, \count*LANES*\a_size
  add C_ROW, \count*LANES*\c_size
  add OFFSET, \count*64
.endm

.macro load_field reg, field
#if defined(TSR_ELEMENT_F32)
  vcvtsd2ss xmm5, xmm5, qword ptr [POST + \field]
  vbroadcastss \reg, xmm5
#else
  vbroadcastsd \reg, qword ptr [POST + \field]
#endif
.endm

.macro enter
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  sub rsp, 16
  .cfi_adjust_cfa_offset 16
  load_field LOW, POST_LOW
  load_field HIGH, POST_HIGH
  load_field SLOPE, POST_SLOPE
  mov eax, [POST + POST_ACTIVATION]
  shl rax, 3
  lea ACT4, [rip + .Lactivations]
  add rax, ACT4
  movsxd ACT4, dword ptr [rax]
  movsxd ACT1, dword ptr [rax + 4]
  lea rax, [rip + .Lactivations]
  add ACT4, rax
  add ACT1, rax
  mov BIAS, [POST + POST_BIAS]
  mov SCALE, [POST + POST_SCALE]
  xor eax, eax
  mov ACROSS_BIAS, rax
  mov ACROSS_SCALE, rax
  cmp byte ptr [POST + POST_ACROSS], 0
  je .Lby_row\@
  mov ACROSS_BIAS, BIAS
  mov ACROSS_SCALE, SCALE
  xor BIAS, BIAS
  xor SCALE, SCALE
.Lby_row\@:
  mov rbx, [STEP + STEP_M]
  and ebx, LANES - 1
  mov eax, -1
  bzhi eax, eax, ebx
  kmovw k1, eax
  mov ADD, [POST + POST_ADD]
  mov COLUMNS, [STEP + STEP_N]
.endm

.macro next_across field, to
  mov rax, \field
  test rax, rax
  jz .Lnone\@
  vbcast \to, ELEMENT ptr [rax]
  add rax, SIZE
  mov \field, rax
.Lnone\@:
.endm

.macro post load, add_more, store, a_size, c_size
  enter
.Lcolumn\@:
  next_across <ACROSS_BIAS>, zmm0
  next_across <ACROSS_SCALE>, zmm1
  mov A_ROW, A_COLUMN
  mov C_ROW, C_COLUMN
  mov ADD_ROW, ADD
  xor OFFSET, OFFSET
  mov M, [STEP + STEP_M]
  sub M, 4*LANES
  jl .Lfew\@
.Lrows\@:
  rows 4, \load, \add_more, \store, \a_size, \c_size, , , ACT4
  sub M, 4*LANES
  jge .Lrows\@
.Lfew\@:
  add M, 4*LANES
  jz .Lnext\@
.Lone_by_one\@:
  cmp M, LANES
  jl .Llast\@
  rows 1, \load, \add_more, \store, \a_size, \c_size, , , ACT1
  sub M, LANES
  jnz .Lone_by_one\@
  jmp .Lnext\@
.Llast\@:
  rows 1, \load, \add_more, \store, \a_size, \c_size, {k1}{z}, {k1}, ACT1
.Lnext\@:
  add A_COLUMN, [STEP + STEP_CSA]
  add C_COLUMN, [STEP + STEP_CSC]
  test ADD, ADD
  jz .Lno_add\@
  add ADD, [POST + POST_ADD_LD]
.Lno_add\@:
  dec COLUMNS
  jnz .Lcolumn\@
  vzeroupper
  add rsp, 16
  .cfi_adjust_cfa_offset -16
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm

/* The activations, in the order of enum tsr_activation, and their table. They are called from this file only. */
.macro activation name
  .p2align 5
.Lactivate_\name\()_4:
  endbr64
  activate_\name 4
  ret
.Lactivate_\name\()_1:
  endbr64
  activate_\name 1
  ret
.endm
.macro activation_line name
  .long .Lactivate_\name\()_4 - .Lactivations, .Lactivate_\name\()_1 - .Lactivations
.endm
.irp name, none, relu, clip, leaky_relu, gelu, gelu_tanh, silu, tanh, sigmoid
  activation \name
.endr
.section .rodata
.p2align 2
.Lactivations:
.irp name, none, relu, clip, leaky_relu, gelu, gelu_tanh, silu, tanh, sigmoid
  activation_line \name
.endr
.text
