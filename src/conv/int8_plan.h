/* What an integer convolution is once it is planned: between int8_plan.c, int8_pack.c and int8_run.c. */
#ifndef TSR_CONV_INT8_PLAN_H
#define TSR_CONV_INT8_PLAN_H

#include "src/conv/int8.h"

struct tsr_int8_phase;

/* Outputs first, first + every, ... of one dimension: `count` of them, number q from inputs q * step + offset[i] by the
 * kernel's tap[i]. Offsets ascend by `apart`. A plain convolution has one such phase, a transposed one as many as it
 * has strides, of which each looks like a plain one of stride 1. */
struct tsr_int8_axis {
  int64_t first, every, count, step, apart;
  int64_t taps, *tap, *offset;
  int64_t low, high; /* the least and the largest offset; both 0 without taps */
};

/* Rows of outputs that see the kernel's rows first .. end - 1. */
struct tsr_int8_class {
  int64_t first, end;
};

/* Which rows of the kernel an output row of the phase sees. */
struct tsr_int8_class tsr_int8_class_of(const struct tsr_conv_int8 *plan, const struct tsr_int8_phase *phase,
                                        int64_t row);

/* One phase of all three dimensions. A view is where x is read: element (d, h, w) of the phase's window lies at
 * d * view[0] + h * view[1] + w * view[2] from the first, in place or in a band. */
struct tsr_int8_phase {
  const struct tsr_int8_axis *axis[3];
  struct tsr_taps *taps[2];  /* of whole panels and of the last one; b from the window's corner */
  int64_t ntaps, units;      /* units: steps of A, of four bytes or, in lanes, of one */
  int64_t group_bytes;       /* of A of one group: whole panels, then the last one */
  int8_t *a, *ones;          /* panels of each group; one panel of ones, NULL if no zero_w */
  void *owned;               /* where they are, to be freed; NULL if they lie in scratch memory */
  struct tsr_taps *ones_taps;
  int32_t *bias;             /* of each class of rows, of each filter, with what zero points add */
  bool skips;                /* rows of the kernel that do not lie in x are left out; for kernels of one depth */
  int64_t classes, per_row;  /* rows of outputs differ by those rows of the kernel; taps in the list of one */
  struct tsr_int8_class *class;
  bool in_place;
  int64_t view[3], planes;   /* planes: input depths of a band */
  int64_t rows, columns;     /* of outputs in a block */
  int64_t row_blocks, column_blocks, items;
};

struct tsr_conv_int8 {
  struct tsr_conv_problem p;
  const struct tsr_kernel *post, *turn_x, *turn_y, *turn_w, *turn_units; /* units: of four bytes */
  const struct tsr_tiles *tiles;
  bool lanes;                /* lanes over channels that do not mix: one channel a group */
  int64_t groups, cg, kg;    /* as the kernels see them: with lanes one group */
  int64_t pixel;             /* bytes of a pixel in a band */
  int units;                 /* of whole panels */
  int64_t whole;             /* whole panels of a group */
  int last_units;            /* of the last one; 0: no rows are left over */
  bool by_panel;             /* a panel passes over a block before the next; else all filters over a few pixels */
  bool narrows;              /* kernels make y's 8 bits of sums */
  struct tsr_narrow narrow;  /* how; with the scales of all filters */
  bool direct;               /* what kernels write is y */
  int64_t filters, columns;  /* summed before they are finished: some of the only group, or all of all */
  int64_t filter_blocks;
  int zero;                  /* zero_x as the kernels see it */
  int threads;
  bool once;                 /* packed weights lie in scratch memory, if they can */
  int64_t nphases, naxes[3];
  struct tsr_int8_axis *axes[3];
  struct tsr_int8_phase *phases;
  float *scale;              /* of each filter; NULL: none */
  int32_t *zero_w;           /* of each filter; NULL: all 0 */
  int32_t *bias;             /* of each filter, of products whose alpha is not 1; else NULL */
  size_t band_bytes, tile_bytes, ones_bytes, turned_bytes; /* of each thread */
};

/* Lists of taps, panels, weights of 1 and biases of a phase. */
tsr_status tsr_conv_int8_pack(struct tsr_conv_int8 *plan, const tsr_context *context, struct tsr_int8_phase *phase);

#endif
