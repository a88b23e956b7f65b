/* Whether a chip's kernels.def makes sense before any of its kernels runs. */
#ifndef TEST_LISTS_H
#define TEST_LISTS_H

#include <stdio.h>

#include "kernels/kernel.h"

/* What is wrong with one line, in words; NULL if nothing is. `lanes`: elements of 4 bytes in a vector. */
const char *list_wrong_line(const struct tsr_kernel *kernel, int64_t lanes);

/* Pairs of lines that have one symbol, or are one chip's for the same job, of which the registry would forget one.
 * Writes a line for each to `to`, if that is not NULL, and gives their number. */
int list_count_clashes(const struct tsr_chip *const *chips, int n, FILE *to);

#endif
