/* The assembly reads struct tsr_step, struct tsr_softmax and those of convolution by offset (kernels/offsets.h); the
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
AT(alpha_im, 112);
AT(beta_im, 120);

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

_Static_assert(sizeof(struct tsr_taps) == 24, "tsr_taps");
#define TAPS_AT(field, offset) _Static_assert(offsetof(struct tsr_taps, field) == (offset), #field)
TAPS_AT(a, 0);
TAPS_AT(b, 8);
TAPS_AT(k, 16);
TAPS_AT(first, 20);
TAPS_AT(end, 22);

#define CONV_AT(field, offset) _Static_assert(offsetof(struct tsr_conv, field) == (offset), #field)
CONV_AT(taps, 0);
CONV_AT(count, 8);
CONV_AT(x, 16);
CONV_AT(bias, 24);
CONV_AT(add, 32);
CONV_AT(dx, 40);
CONV_AT(low, 48);
CONV_AT(high, 56);
CONV_AT(narrow, 64);

#define NARROW_AT(field, offset) _Static_assert(offsetof(struct tsr_narrow, field) == (offset), #field)
NARROW_AT(scale, 0);
NARROW_AT(zero, 8);
NARROW_AT(least, 10);
NARROW_AT(most, 11);
NARROW_AT(flip, 12);

#define POST_AT(field, offset) _Static_assert(offsetof(struct tsr_post, field) == (offset), #field)
POST_AT(bias, 0);
POST_AT(scale, 8);
POST_AT(add, 16);
POST_AT(add_ld, 24);
POST_AT(across, 32);
POST_AT(activation, 36);
POST_AT(low, 40);
POST_AT(high, 48);
POST_AT(slope, 56);
POST_AT(zero, 64);
