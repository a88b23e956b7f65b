/* Gauges: how fast this core is right now. A run of FMAs in registers and a run of reads from its own cache, each some
 * tens of microseconds, tell whether a hidden neighbour, an interrupt or a low clock spoils the samples around them. */
#ifndef BENCH_GAUGE_H
#define BENCH_GAUGE_H

#include <stddef.h>
#include <stdint.h>

/* What the gauges say: flop/s of f32 and bytes/s, per thread (the slowest one's, where several are asked). */
struct bench_quiet {
  double fma, read;
};

double bench_now(void); /* monotonic seconds */

/* The instructions the loops below use: "avx512", "avx2", "sse2", "sve", "neon", "c". */
const char *bench_gauge_isa(void);

/* Flop/s of this thread over about `seconds`; type_bytes is 4 or 8, or 1 for products of bytes summed in 32 bits: 0
 * where the CPU has no instruction for these. */
double bench_fma_rate(int type_bytes, double seconds);

/* Bytes/s of this thread reading `bytes` (a multiple of 512) again and again for at least `seconds`. */
double bench_read_rate(const void *p, size_t bytes, double seconds);

/* Bytes/s, read and written, of this thread copying one half of `bytes` onto the other by memcpy. */
double bench_copy_rate(void *p, size_t bytes, double seconds);

/* Both gauges in `threads` threads at once. */
struct bench_quiet bench_gauge(int threads);
/* The same on one CPU. */
struct bench_quiet bench_gauge_on(int cpu);

/* The same loops as limits: flop/s of `threads` threads together, and bytes/s when each reads its part of `bytes`, or
 * copies one half of it. */
double bench_peak(int type_bytes, int threads);
double bench_bandwidth(size_t bytes, int threads);
double bench_copies(size_t bytes, int threads);

/* Bytes of the cache of a level that a core can use (a guess for levels 1 and 2 if the system does not say, otherwise
 * 0), and of the largest one. */
size_t bench_cache(int level);
size_t bench_last_cache(void);

#endif
