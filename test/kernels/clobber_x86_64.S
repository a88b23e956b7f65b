/* Kernels that break the ABI, for the self-test (clobber.h). */
#include "test/kernels/clobber.h"

.intel_syntax noprefix
.text

.macro clobber reg
.globl selftest_clobber_\reg
.type selftest_clobber_\reg, @function
selftest_clobber_\reg:
  mov \reg, 1
  jmp selftest_gemm
.size selftest_clobber_\reg, . - selftest_clobber_\reg
.endm

#define X(reg) clobber reg;
CLOBBERED_REGISTERS(X)
#undef X

.globl selftest_clobber_direction
selftest_clobber_direction:
  sub rsp, 8
  call selftest_gemm
  add rsp, 8
  std
  ret

.globl selftest_clobber_control /* denormals become zero */
selftest_clobber_control:
  sub rsp, 8
  call selftest_gemm
  stmxcsr [rsp]
  or dword ptr [rsp], 0x8000
  ldmxcsr [rsp]
  add rsp, 8
  ret

.globl selftest_clobber_stack
selftest_clobber_stack:
  mov qword ptr [rsp + 16], 1
  jmp selftest_gemm

.globl selftest_clobber_pointer
selftest_clobber_pointer:
  sub rsp, 8
  call selftest_gemm
  add rsp, 8
  ret 8

.globl selftest_clobber_upper
selftest_clobber_upper:
  sub rsp, 8
  call selftest_gemm
  add rsp, 8
  vcmpps ymm13, ymm13, ymm13, 15 /* always true: all ones */
  ret

.section .note.GNU-stack, "", @progbits
