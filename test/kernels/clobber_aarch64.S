/* Kernels that break the ABI, for the self-test (clobber.h). */
#include "test/kernels/clobber.h"

.text

.macro clobber reg
.globl selftest_clobber_\reg
.type selftest_clobber_\reg, %function
selftest_clobber_\reg:
  ldr \reg, =0x123456789abcdef0
  b selftest_gemm
.size selftest_clobber_\reg, . - selftest_clobber_\reg
.endm

#define X(reg) clobber reg;
CLOBBERED_REGISTERS(X)
#undef X

/* After the call, in a function that has kept x30 on the stack. */
.macro enter
  str x30, [sp, #-16]!
  bl selftest_gemm
  ldr x30, [sp], #16
.endm

.globl selftest_clobber_control
selftest_clobber_control:
  enter
  mrs x9, fpcr
  orr x9, x9, #(1 << 24) /* FZ: denormals become zero */
  msr fpcr, x9
  ret

.globl selftest_clobber_stack
selftest_clobber_stack:
  str xzr, [sp, #16]
  b selftest_gemm

.globl selftest_clobber_pointer
selftest_clobber_pointer:
  enter
  add sp, sp, #16
  ret

.section .note.GNU-stack, "", %progbits
