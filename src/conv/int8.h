/* Convolution of integers: x of u8 or s8, w of s8, exact sums modulo 2^32. Plan once, run many times.
 *
 * Zero points: sum (x - zx) (w - zw) = sum x w - zx sum w - zw (sum x - N zx) over all N taps, those in the padding
 * included, where x is zx. So padding is written out in a band of x, the second term goes into the bias, and the third,
 * where there is a zw, takes sum x, which is a convolution with weights of 1. */
#ifndef TSR_CONV_INT8_H
#define TSR_CONV_INT8_H

#include "src/conv/conv.h"

struct tsr_conv_int8;

/* The problem comes from a checked descriptor; its weights, bias, scales and zero points are copied, the descriptor
 * must stay where it is. `once`: weights go to this thread's TSR_SCRATCH_B if they can, for one run.
 * TSR_OUT_OF_MEMORY. */
tsr_status tsr_conv_int8_create(const tsr_context *context, const struct tsr_conv_problem *problem, int threads,
                                bool once, struct tsr_conv_int8 **plan);
void tsr_conv_int8_destroy(struct tsr_conv_int8 *plan);

/* Bytes that a run needs, aligned to 64. */
size_t tsr_conv_int8_workspace(const struct tsr_conv_int8 *plan);

/* Uses up to the plan's number of threads. Allocates nothing and cannot fail. `most`: so many outputs of the last
 * dimension, of a plan whose dimensions do not mix pixels; 0: all. */
void tsr_conv_int8_run(const struct tsr_conv_int8 *plan, const tsr_context *context, int64_t most, const void *x,
                       const void *add, void *y, void *workspace);

/* For people: the kernel, how x is read, the order of the loops. Like snprintf. */
int tsr_conv_int8_describe(const struct tsr_conv_int8 *plan, char *text, size_t size);

#endif
