/* What every x86 kernel shares: function entry and exit, and the fields of struct tsr_step (kernel.h) by offset. */
#ifndef TSR_X86_ASM_H
#define TSR_X86_ASM_H

.intel_syntax noprefix

/* Calls follow the System V ABI: rdi = step, rsi = a, rdx = b, rcx = c. */
#define FUNCTION(name) \
  .text; .p2align 6; .globl name; .hidden name; .type name, @function; name: .cfi_startproc; endbr64
#define END(name) .cfi_endproc; .size name, . - name

#define PUSH(reg) push reg; .cfi_adjust_cfa_offset 8; .cfi_rel_offset reg, 0
#define POP(reg) pop reg; .cfi_adjust_cfa_offset -8; .cfi_restore reg

#include "kernels/offsets.h"

#define STEP_STORE_SUM 1
#define STEP_NEAR 2
#define STEP_STREAM 16
#define STEP_GO_ON 8
#define STEP_FIRST_K 32
#define STEP_LAST_K 64
#define STEP_REPEAT 128

.section .note.GNU-stack, "", @progbits
.text

#endif
