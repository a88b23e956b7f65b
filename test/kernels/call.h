/* Calls a kernel with known values in every register it must preserve, and tells what came back. One assembly file an
 * architecture (call_<cpu family>.S) knows the registers; everything else sees pairs of what went in and came out. */
#ifndef TEST_CALL_H
#define TEST_CALL_H

#include "kernels/kernel.h"

/* The assembly knows these offsets. `in` holds any values for registers and 0 for the rest. */
#define PROBE_MAX 24
struct probe {
  uint64_t in[PROBE_MAX], out[PROBE_MAX];
  uint64_t check_upper; /* x86: this machine has AVX, so upper halves of vector registers can be looked at */
};

#if defined(__x86_64__)
#define PROBE_NAMES                                                                                             \
  {"rbx", "rbp", "r12", "r13", "r14", "r15", "MXCSR's control bits", "the direction flag", "the stack pointer", \
   "the caller's stack frame", "the upper halves of vector registers (vzeroupper)"}
#define PROBE_REGISTERS 6
#elif defined(__aarch64__)
#define PROBE_NAMES                                                                                                  \
  {"x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "d8", "d9", "d10", "d11",     \
   "d12", "d13", "d14", "d15", "FPCR", "the stack pointer", "the caller's stack frame"}
#define PROBE_REGISTERS 20
#endif

void call_kernel(tsr_run *run, const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c, struct probe *probe);

#endif
