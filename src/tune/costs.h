/* What a machine's steps cost: the coefficients of the cost models. They come from calibration, or from the table of
 * CPU families in costs.def. */
#ifndef TSR_COSTS_H
#define TSR_COSTS_H

#include "src/core/core.h"

/* The lists: the struct, its text form and the table of families all come from them. Times in seconds, sizes in bytes.
 * What calibration measures: */
#define TSR_COSTS_MEASURED(F)                                                                             \
  F(flop_f32)     /* one operation of one core that runs the preferred tile from L1 */                    \
  F(flop_f64)                                                                                             \
  F(chain)        /* one step of k at least: the latency of an fma */                                     \
  F(load)         /* one load of a vector or broadcast */                                                 \
  F(read_l2)      /* a byte read in a stream, by one core */                                              \
  F(read_l3)                                                                                              \
  F(read_memory)                                                                                          \
  F(share_memory) /* the same when all cores read at once, a byte of all of them together */              \
  F(start)        /* calling a team together and sending it home */

/* Fitted to measurements of whole products; times, which grow with those of a slower core: */
#define TSR_COSTS_TIMES(F)                                                                                \
  F(barrier)      /* a meeting of the threads of a group, and what they wait for one another */           \
  F(tile)         /* a tile beyond its fma: entry, edges of the pipeline, its part of C */                \
  F(step)         /* a call of a kernel */                                                                \
  F(pack)         /* a byte copied into panels that comes from rows, beyond reading it */                 \
  F(transpose)    /* the same from a matrix along k */                                                    \
  F(along_k)      /* a byte of A transposed in registers each time it is read */                          \
  F(turn)         /* a byte of sums turned over or added up */                                            \
  F(cold)         /* a byte of A in place that nothing fetched ahead, from beyond L2 */                   \
  F(stall)        /* the same of B */                                                                     \
  F(line)         /* a line of C that two threads write */

/* and the rest, which have no unit of time: */
#define TSR_COSTS_RATIOS(F)                                                                               \
  F(update)       /* writing a byte of C against reading one */                                           \
  F(crowd)        /* how much longer transposing takes for lines whole pages apart */                     \
  F(overlap)      /* the share of the shorter of computing and reading that does not hide */              \
  F(in_place)     /* reading a matrix in place against reading panels */                                  \
  F(conflict)     /* how much smaller caches are for lines whole pages apart */                           \
  F(streams)      /* what each eight columns of B in place, beyond eight, add to computing */             \
  F(jump)         /* beginning to read away from the last place, in bytes read meanwhile */               \
  F(scatter)      /* the same for a run of C that is written */                                           \
  F(soft)         /* the share of a cache from which on it begins to spill */                             \
  F(last_level)   /* the share of the last level that one program has to itself */

#define TSR_COSTS(F) TSR_COSTS_MEASURED(F) TSR_COSTS_TIMES(F) TSR_COSTS_RATIOS(F)

struct tsr_costs {
#define F(name) double name;
  TSR_COSTS(F)
#undef F
};

/* Which share of `bytes` that are read round and round does not stay in a cache: some from below its size on, all from
 * a third above it. */
static inline double tsr_costs_spills(double bytes, double cache, double from) {
  double x = (bytes / cache - from) / (1.33 - from);
  return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* Seconds to read one byte of a stream of which `bytes` pass before it comes again; cache: bytes of the levels that the
 * model counts, innermost first. */
static inline double tsr_costs_reading(const struct tsr_costs *c, const double cache[3], int threads, double bytes) {
  double shared = c->share_memory * threads, memory = c->read_memory > shared ? c->read_memory : shared;
  double l1 = tsr_costs_spills(bytes, cache[0], 0.8), l2 = tsr_costs_spills(bytes, cache[1], c->soft);
  double l3 = tsr_costs_spills(bytes, cache[2], c->soft), from_l2 = l1 < l2 ? 0 : l1 - l2, from_l3 = l2 < l3 ? 0 : l2 - l3;
  return from_l2 * c->read_l2 + from_l3 * c->read_l3 + l3 * memory;
}

/* "flop_f32=4.1e-12 ...": every coefficient once, positive. False, and nothing written, for any other text. */
bool tsr_costs_parse(const char *text, struct tsr_costs *costs);
void tsr_costs_print(const struct tsr_costs *costs, char *text, size_t size);

/* The costs shipped for the family of a machine (by its key); gives the family, or "defaults" for one not known. */
const char *tsr_costs_of_family(const char *machine, struct tsr_costs *costs);

/* Makes the fitted times longer by a factor: for a core that is slower than the one they were fitted on. */
void tsr_costs_scale_times(struct tsr_costs *costs, double factor);

/* Measures this machine, about a quarter of a second: kernels from L1, each level's reads, teams. What a
 * measurement cannot tell is taken from `costs`, which gets the result. */
void tsr_calibrate(tsr_context *context, struct tsr_costs *costs);

#endif
