/* The kernels of clobber_<cpu family>.S: each does GEMM right (selftest_gemm) and breaks one promise of the ABI.
 * selftest_clobber_<register> for each register of this list, and the ones after it. */
#ifndef TEST_CLOBBER_H
#define TEST_CLOBBER_H

#if defined(__x86_64__)
#define CLOBBERED_REGISTERS(X) X(rbx) X(rbp) X(r12) X(r13) X(r14) X(r15)
#define CLOBBERED_STATE(X) X(direction) X(control) X(stack) X(pointer)
#elif defined(__aarch64__)
#define CLOBBERED_REGISTERS(X)                                                                              \
  X(x18) X(x19) X(x20) X(x21) X(x22) X(x23) X(x24) X(x25) X(x26) X(x27) X(x28) X(x29) X(d8) X(d9) X(d10) X(d11) \
  X(d12) X(d13) X(d14) X(d15)
#define CLOBBERED_STATE(X) X(control) X(stack) X(pointer)
#endif

#endif
