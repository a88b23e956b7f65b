/* Packing of a matrix in blocks that lie along k (TSR_OP_PACK_T of kernel.h; the blocks: blocks.h) into panels of f32.
 *
 *   C[panel t][p][i] = A[min(t * n + i, m - 1)][p]      the blocks of row i from a + i * rsa on; k is a multiple of 32
 *   void kernel(const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c)
 *
 * A unit of 16 rows goes block by block. 16 bytes of 16 rows are transposed as 4 x 4 elements of four bytes, so that a
 * register holds four bytes of every row; shifts pick them one after the other. The scales are collected in a table one
 * block ahead: a vector that is loaded from small stores waits until they have left for the cache. A unit with fewer
 * rows in the matrix or in the panel goes by way of a buffer in which the last row repeats.
 *
 * Live in every loop:
 *   ROW0    this block of the unit's first row   RS, RS3, ROW_LANE1 .. ROW_LANE3  from row to row (transpose.h)
 *   K       steps of k left     D     where the next step goes     PITCH  bytes from k to k in the panel
 *   A_UNIT  row 0 of the unit   SLOT  which half of the table holds this block's scales
 *   k1      rows stored         zmm6  scales of the rows           zmm7   the integers of q4_0
 *   zmm16 .. zmm19  four bytes of every row each */
#include "kernels/x86_avx512/transpose.h"

#define STEP rdi
#define D rdx
#define D_HIGH r14
#define PITCH rbp
#define K rbx
#define A_UNIT r13
#define SLOT r12
#define D_UNIT [rsp]
#define D_PANEL [rsp + 8]
#define ROWS [rsp + 16]      /* of the matrix left */
#define LEFT [rsp + 24]      /* rows of the panel left */
#define SCALES rsp + 32
#define OTHER_SCALES 32
#define BUFFER rsp + 96
#define BUFFER_ROW 48
#define FRAME (96 + 16*BUFFER_ROW)
#define UNIT 16

/* `how` x, [byte `offset` of row 4 * lane + t] */
.macro with_row lane, t, offset, how, x
  .if \t == 0
    \how \x, <\lane + \offset>
  .elseif \t == 1
    \how \x, <\lane + RS + \offset>
  .elseif \t == 2
    \how \x, <\lane + 2*RS + \offset>
  .else
    \how \x, <\lane + RS3 + \offset>
  .endif
.endm
.macro take_lane0 reg, at
  vmovups xmm\reg, [\at]
.endm
.macro take_lane1 reg, at
  vinserti32x4 ymm\reg, ymm\reg, [\at], 1
.endm
.macro take_lane2 reg, at
  vinserti32x4 zmm\reg, zmm\reg, [\at], 2
.endm
.macro take_lane3 reg, at
  vinserti32x4 zmm\reg, zmm\reg, [\at], 3
.endm

/* zmm16 .. zmm19 = bytes 0 .. 3, 4 .. 7, 8 .. 11, 12 .. 15 from byte `offset` on of every row. */
.macro load_bytes offset
  .set at_t, 0
  .rept 4
    with_row ROW0, %(at_t), \offset, take_lane0, %(16 + at_t)
    with_row ROW_LANE1, %(at_t), \offset, take_lane1, %(16 + at_t)
    with_row ROW_LANE2, %(at_t), \offset, take_lane2, %(16 + at_t)
    with_row ROW_LANE3, %(at_t), \offset, take_lane3, %(16 + at_t)
    .set at_t, at_t + 1
  .endr
  transpose_lanes 16, 17, 18, 19
.endm

.macro store_all reg, to
  vmovups [\to], zmm\reg
  add \to, PITCH
.endm
.macro store_some reg, to
  vmovups [\to]{k1}, zmm\reg
  add \to, PITCH
.endm

/* The steps of k in byte `byte` of zmm<reg>. */
#if defined(TSR_A_Q8_0)
.macro store_byte reg, byte, store
  .if \byte < 3
    vpslld zmm2, zmm\reg, 24 - 8*\byte
    vpsrad zmm2, zmm2, 24
  .else
    vpsrad zmm2, zmm\reg, 24
  .endif
  vcvtdq2ps zmm2, zmm2
  vmulps zmm2, zmm2, zmm6
  \store 2, D
.endm
#else
.macro store_byte reg, byte, store
  .if \byte == 0
    vpermps zmm2, zmm\reg, zmm7
  .else
    vpsrld zmm2, zmm\reg, 8*\byte
    vpermps zmm2, zmm2, zmm7
  .endif
  vpsrld zmm3, zmm\reg, 8*\byte + 4
  vpermps zmm3, zmm3, zmm7
  vmulps zmm2, zmm2, zmm6
  vmulps zmm3, zmm3, zmm6
  \store 2, D
  \store 3, D_HIGH
.endm
#endif

.macro store_bytes store
  .set at_c, 16
  .rept 4
    .set at_b, 0
    .rept 4
      store_byte %(at_c), %(at_b), \store
      .set at_b, at_b + 1
    .endr
    .set at_c, at_c + 1
  .endr
.endm

/* The 32 steps of k of a block whose scales are in the table. */
.macro transpose_block store
  vcvtph2ps zmm6, [SCALES + SLOT]
#if defined(TSR_A_Q8_0)
  load_bytes 2
  store_bytes \store
  load_bytes 18
  store_bytes \store
#else
  mov D_HIGH, PITCH
  shl D_HIGH, 4
  add D_HIGH, D
  load_bytes 2
  store_bytes \store
  mov D, D_HIGH
#endif
.endm

.macro take_scale to, at
  movzx ecx, word ptr [\at]
  mov [SCALES + SLOT + \to], cx
.endm
/* The scales of the blocks `offset` bytes further go where SLOT says. */
.macro collect_scales offset
  .set at_t, 0
  .rept 4
    with_row ROW0, %(at_t), \offset, take_scale, %(2*at_t)
    with_row ROW_LANE1, %(at_t), \offset, take_scale, %(8 + 2*at_t)
    with_row ROW_LANE2, %(at_t), \offset, take_scale, %(16 + 2*at_t)
    with_row ROW_LANE3, %(at_t), \offset, take_scale, %(24 + 2*at_t)
    .set at_t, at_t + 1
  .endr
.endm

/* Fetches the next unit's blocks into L2: its rows lie too far apart for the hardware to see them coming. */
.macro prefetch_next_unit
  mov rcx, RS
  shl rcx, UNIT_SHIFT
  add rcx, ROW0
  .rept UNIT/4
    prefetcht1 [rcx]
    prefetcht1 [rcx + RS]
    prefetcht1 [rcx + 2*RS]
    prefetcht1 [rcx + RS3]
    lea rcx, [rcx + 4*RS]
  .endr
.endm

/* A unit whose rows are all there. */
.macro transpose_unit
  mov ROW0, A_UNIT
  mov RS, [STEP + STEP_RSA]
  lea RS3, [RS + 2*RS]
  xor SLOT, SLOT
  set_lane_rows
  collect_scales 0
.Lblock\@:
  prefetch_next_unit
  sub K, 32
  jz .Llast\@
  xor SLOT, OTHER_SCALES
  collect_scales A_BLOCK
  xor SLOT, OTHER_SCALES
.Llast\@:
  transpose_block store_all
  xor SLOT, OTHER_SCALES
  add ROW0, A_BLOCK
  set_lane_rows
  test K, K
  jnz .Lblock\@
.endm

/* Copies the blocks at ROW0 into the buffer, the last row's again and again until there are 16. */
.macro buffer_block
  mov rcx, ROW0
  mov r15, ROWS
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
    cmp r15, at_t + 1
    cmovg rcx, rax
    .set at_t, at_t + 1
  .endr
.endm

.macro transpose_buffered
  xor SLOT, SLOT
  mov r14, A_UNIT
.Lblock\@:
  mov ROW0, r14
  mov RS, [STEP + STEP_RSA]
  buffer_block
  lea ROW0, [BUFFER]
  mov RS, BUFFER_ROW
  lea RS3, [RS + 2*RS]
  set_lane_rows
  collect_scales 0
  mov r15, r14                /* D_HIGH may be in r14 */
  transpose_block store_some
  lea r14, [r15 + A_BLOCK]
  sub K, 32
  jnz .Lblock\@
.endm

/* The function's body, from the first push to ret. */
.macro pack_t
  PUSH(rbx); PUSH(rbp); PUSH(r12); PUSH(r13); PUSH(r14); PUSH(r15)
  sub rsp, FRAME
  .cfi_adjust_cfa_offset FRAME
  mov D_PANEL, rcx
  mov A_UNIT, rsi
  mov rax, [STEP + STEP_M]
  mov ROWS, rax
  mov PITCH, [STEP + STEP_N]
  shl PITCH, 2
  load_integers
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
  POP(r15); POP(r14); POP(r13); POP(r12); POP(rbp); POP(rbx)
  ret
.endm
