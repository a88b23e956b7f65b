/* Kernels of convolution with one fault each. */
#ifndef TEST_CONV_SELFTEST_H
#define TEST_CONV_SELFTEST_H

#include "test/kernels/conv_case.h"

/* How many were not found, or were found though they are right. */
int conv_selftest(struct conv_bench *bench, struct conv_case *cc);

#endif
