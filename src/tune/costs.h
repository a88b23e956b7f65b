/* What a machine's steps cost: the coefficients of the cost models. They come from calibration, or from the table of
 * CPU families in costs.def. */
#ifndef TSR_COSTS_H
#define TSR_COSTS_H

#include "src/core/core.h"

/* One list: the struct, its text form and the table of families all come from it. Times in seconds, sizes in bytes. */
#define TSR_COSTS(F)                                                                                      \
  /* measured by calibration */                                                                           \
  F(flop_f32)     /* one operation of one core that runs the preferred tile from L1 */                    \
  F(flop_f64)                                                                                             \
  F(chain)        /* one step of k at least: the latency of an fma */                                     \
  F(read_l2)      /* a byte read in a stream, by one core */                                              \
  F(read_l3)                                                                                              \
  F(read_memory)                                                                                          \
  F(share_memory) /* the same when all cores read at once, a byte of all of them together */              \
  F(start)        /* calling a team together and sending it home */                                       \
  F(barrier)                                                                                              \
  /* fitted to measurements of whole products */                                                          \
  F(tile)         /* a tile beyond its fma: entry, edges of the pipeline */                               \
  F(update)       /* a byte of C updated */                                                               \
  F(step)         /* a call of a kernel */                                                                \
  F(pack)         /* a byte copied into panels that comes from rows, beyond reading it */                 \
  F(transpose)    /* the same from a matrix along k */                                                    \
  F(along_k)      /* a byte of A transposed in registers each time it is read */                          \
  F(turn)         /* a byte of sums turned over */                                                        \
  F(overlap)      /* the share of the shorter of computing and reading that does not hide */              \
  F(in_place)     /* reading a matrix in place against reading panels */                                  \
  F(conflict)     /* how much smaller caches are for lines whole pages apart */

struct tsr_costs {
#define F(name) double name;
  TSR_COSTS(F)
#undef F
};
#endif
