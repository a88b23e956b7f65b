/* Operands in a worker: one block of memory, filled with numbers that are the same in every worker. */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

#include <stddef.h>

/* At least so many bytes, those of the last call if they are enough; NULL: there are none. */
char *bench_memory(size_t bytes);

/* Gives a large block back: the other libraries have theirs too. */
void bench_memory_release(void);

/* Fills the bytes that come after the first `first` with copies of these. */
void bench_repeat(char *to, size_t first, size_t bytes);

/* The i-th of a row of numbers in [-0.5, 0.5), to be asked for from 0 on. */
double bench_random(size_t i);

#endif
