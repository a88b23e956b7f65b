/* Scratch memory: one arena a thread, grown on demand, kept until tsr_release() or the thread's end. */
#ifndef TSR_MEMORY_H
#define TSR_MEMORY_H

#include <stddef.h>

enum tsr_scratch { TSR_SCRATCH_A, TSR_SCRATCH_B, TSR_SCRATCH_SUMS, TSR_SCRATCH_COUNT };

/* The most a slot holds: a plan that asks for more is wrong, and the caller takes a path that needs less. */
#define TSR_SCRATCH_MOST ((size_t)1 << 30)

/* At least `bytes` of the calling thread's memory, aligned to 4096 bytes; the contents are whatever they are. Valid
 * until the same thread asks for the same slot again. NULL when the memory cannot be had. */
void *tsr_scratch_get(enum tsr_scratch slot, size_t bytes);

/* Gives the calling thread's memory back. */
void tsr_scratch_release_thread(void);

/* For tests: tsr_scratch_get fails after `n` more calls, in any thread; n < 0 ends that. */
void tsr_scratch_fail_after(int n);

#endif
