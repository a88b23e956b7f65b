/* What attention's operators SOFTMAX, SOFTMAX_T, MERGE and SOFTMAX_GRAD (kernels/kernel.h) must compute, written from
 * its text and from nothing else. */
#ifndef TEST_SOFTMAX_REFERENCE_H
#define TEST_SOFTMAX_REFERENCE_H

#include "kernels/kernel.h"

/* Does the step's work on c, on what `softmax` points to and, for SOFTMAX_GRAD, on a. */
void reference_softmax(enum tsr_op op, const struct tsr_step *step, void *a, const struct tsr_softmax *softmax, void *c);

#endif
