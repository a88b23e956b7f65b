/* The assembly reads struct tsr_step by offset (kernels/x86_asm.h, kernels/arm_asm.h); the compiler checks here. */
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
