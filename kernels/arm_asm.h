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

#include "kernels/offsets.h"

#define STEP_STORE_SUM_BIT 0
#define STEP_GO_ON_BIT 3
#define STEP_FIRST_K_BIT 5
#define STEP_LAST_K_BIT 6
#define STEP_REPEAT_BIT 7

/* GNU property note: every entry has its landing pad and no return address is kept in memory (BTI and PAC). */
.section .note.gnu.property, "a", @note
.p2align 3
.word 4, 16, 5
.asciz "GNU"
.word 0xc0000000, 4, 3, 0

.section .note.GNU-stack, "", @progbits
.text

#endif
