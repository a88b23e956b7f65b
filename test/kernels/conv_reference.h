/* Convolution's operators written out from kernels/kernel.h. */
#ifndef TEST_CONV_REFERENCE_H
#define TEST_CONV_REFERENCE_H

#include "kernels/kernel.h"

/* One step of CONV or CONV_LANES in f32 or f64 with tiles of mr x nr. Raises the loop's own floating-point exceptions
 * but for those of the comparisons with the limits. Returns whether a NaN met the limits. */
bool reference_conv(enum tsr_op op, tsr_type type, int64_t mr, int64_t nr, const struct tsr_step *step, tsr_mem a,
                    const struct tsr_conv *conv, tsr_mem c);

/* POST by the arithmetic of kernels/post.h. */
void reference_post(tsr_type ta, tsr_type tc, const struct tsr_step *step, tsr_mem a, const struct tsr_post *post,
                    tsr_mem c);

void reference_turn(tsr_type ta, tsr_type tc, const struct tsr_step *step, tsr_mem a, tsr_mem c);

#endif
