/* What every 64-bit Arm kernel shares: function entry and exit, and the fields of struct tsr_step and of struct
 * tsr_softmax (kernel.h) by offset. A file that includes this names its own .arch. */
#ifndef TSR_ARM_ASM_H
#define TSR_ARM_ASM_H

/* Calls follow the AAPCS64: x0 = step, x1 = a, x2 = b, x3 = c; d8 to d15 are kept, x18 is not touched.
 * hint #34 is BTI C, which older CPUs take as a no-op. */
#define FUNCTION(name) \
  .text; .p2align 6; .globl name; .hidden name; .type name, @function; name: .cfi_startproc; hint #34
#define END(name) .cfi_endproc; .size name, . - name

/* DWARF numbers d8 to d15 as 72 to 79. */
#define SAVE_D8_TO_D15 \
  stp d8, d9, [sp, #-64]!; .cfi_adjust_cfa_offset 64; .cfi_rel_offset 72, 0; .cfi_rel_offset 73, 8; \
  stp d10, d11, [sp, #16]; .cfi_rel_offset 74, 16; .cfi_rel_offset 75, 24; \
  stp d12, d13, [sp, #32]; .cfi_rel_offset 76, 32; .cfi_rel_offset 77, 40; \
  stp d14, d15, [sp, #48]; .cfi_rel_offset 78, 48; .cfi_rel_offset 79, 56
#define RESTORE_D8_TO_D15 \
  ldp d10, d11, [sp, #16]; .cfi_restore 74; .cfi_restore 75; \
  ldp d12, d13, [sp, #32]; .cfi_restore 76; .cfi_restore 77; \
  ldp d14, d15, [sp, #48]; .cfi_restore 78; .cfi_restore 79; \
  ldp d8, d9, [sp], #64; .cfi_adjust_cfa_offset -64; .cfi_restore 72; .cfi_restore 73

#define SAVE_X19_TO_X24 \
  stp x19, x20, [sp, #-48]!; .cfi_adjust_cfa_offset 48; .cfi_rel_offset x19, 0; .cfi_rel_offset x20, 8; \
  stp x21, x22, [sp, #16]; .cfi_rel_offset x21, 16; .cfi_rel_offset x22, 24; \
  stp x23, x24, [sp, #32]; .cfi_rel_offset x23, 32; .cfi_rel_offset x24, 40
#define RESTORE_X19_TO_X24 \
  ldp x21, x22, [sp, #16]; .cfi_restore x21; .cfi_restore x22; \
  ldp x23, x24, [sp, #32]; .cfi_restore x23; .cfi_restore x24; \
  ldp x19, x20, [sp], #48; .cfi_adjust_cfa_offset -48; .cfi_restore x19; .cfi_restore x20

/* src/core/step_layout.c asserts these. */
#define STEP_M 0
#define STEP_N 8
#define STEP_K 16
#define STEP_RSA 24
#define STEP_CSA 32
#define STEP_RSB 40
#define STEP_CSB 48
#define STEP_CSC 56
#define STEP_DB 64
#define STEP_DA 72
#define STEP_DC 80
#define STEP_ALPHA 88
#define STEP_BETA 96
#define STEP_FLAGS 104

#define STEP_STORE_SUM_BIT 0
#define STEP_GO_ON_BIT 3
#define STEP_FIRST_K_BIT 5
#define STEP_LAST_K_BIT 6
#define STEP_REPEAT_BIT 7

/* struct tsr_softmax, asserted there too. */
#define SOFTMAX_MAX 0
#define SOFTMAX_SUM 8
#define SOFTMAX_KEEP 16
#define SOFTMAX_ADD 24
#define SOFTMAX_FROM 32
#define SOFTMAX_TO 40
#define SOFTMAX_AT 48
#define SOFTMAX_SLOPE 56
#define SOFTMAX_BIAS 64
#define SOFTMAX_BIAS_LD 72
#define SOFTMAX_CAP 80
#define SOFTMAX_PREFIX 84

/* struct tsr_taps, struct tsr_conv and struct tsr_post, asserted there too. */
#define TAPS_A 0
#define TAPS_B 8
#define TAPS_K 16
#define TAPS_FIRST 20
#define TAPS_END 22
#define TAPS_SIZE 24
#define CONV_TAPS 0
#define CONV_COUNT 8
#define CONV_X 16
#define CONV_BIAS 24
#define CONV_ADD 32
#define CONV_DX 40
#define CONV_LOW 48
#define CONV_HIGH 56
#define POST_BIAS 0
#define POST_SCALE 8
#define POST_ADD 16
#define POST_ADD_LD 24
#define POST_ACROSS 32
#define POST_ACTIVATION 36
#define POST_LOW 40
#define POST_HIGH 48
#define POST_SLOPE 56
#define POST_ZERO 64

/* GNU property note: every entry has its landing pad and no return address is kept in memory (BTI and PAC). */
.section .note.gnu.property, "a", @note
.p2align 3
.word 4, 16, 5
.asciz "GNU"
.word 0xc0000000, 4, 3, 0

.section .note.GNU-stack, "", @progbits
.text

#endif
