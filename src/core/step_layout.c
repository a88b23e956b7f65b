/* The assembly reads struct tsr_step and struct tsr_softmax by offset (kernels/x86_asm.h, kernels/arm_asm.h); the
 * compiler checks here. */
#include "kernels/kernel.h"

#define AT(field, offset) _Static_assert(offsetof(struct tsr_step, field) == (offset), #field)
AT(m, 0);
AT(n, 8);
AT(k, 16);
AT(rsa, 24);
AT(csa, 32);
AT(rsb, 40);
AT(csb, 48);
AT(csc, 56);
AT(db, 64);
AT(da, 72);
AT(dc, 80);
AT(alpha, 88);
AT(beta, 96);
AT(flags, 104);

#define SOFTMAX_AT(field, offset) _Static_assert(offsetof(struct tsr_softmax, field) == (offset), #field)
SOFTMAX_AT(max, 0);
SOFTMAX_AT(sum, 8);
SOFTMAX_AT(keep, 16);
SOFTMAX_AT(add, 24);
SOFTMAX_AT(from, 32);
SOFTMAX_AT(to, 40);
SOFTMAX_AT(at, 48);
SOFTMAX_AT(slope, 56);
SOFTMAX_AT(bias, 64);
SOFTMAX_AT(bias_ld, 72);
SOFTMAX_AT(cap, 80);
SOFTMAX_AT(prefix, 84);
