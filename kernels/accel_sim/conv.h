/* How conv.s takes a step: which piece of what lies where. */
#ifndef ACCEL_CONV_H
#define ACCEL_CONV_H

#include "kernels/accel_sim/sim/params.h"
#include "kernels/kernel.h"

/* k counts 32 bytes of taps times channels. Bytes are those of a core's L1, L0A and L0C. */
struct accel_conv {
  int64_t columns, k;           /* of a pixel; of all taps */
  int64_t chains, chain;        /* of fma, and the k of one */
  int64_t chunk, chunks, b_k, a_k, slots;
  int64_t x_pixels, l1_x, x_turn, l1_w, w_slot, l1_bias;
  int64_t tiles, rows_half, half_l0a, half_l0b, half_l0c; /* rows of a tile's first half, which may be all of it */
  bool resident;
};

/* What conv.s does not take at all: TSR_UNSUPPORTED with the field's name. */
tsr_status accel_conv_check(const struct tsr_conv_part *part);
/* False: the chip has no room for it. */
bool accel_conv_lay_out(const struct accel_params *params, const struct tsr_conv_part *part, struct accel_conv *conv);
double accel_conv_cycles(const struct accel_params *params, const struct tsr_conv_part *part,
                         const struct accel_conv *conv);

enum { ACCEL_CONV_ARGS = 32, ACCEL_CONV_SUMS_ARGS = 14 };
/* one: the address of a 1 in f32; sums: of those of the first chain if there are several, `next` bytes from chain to
 * chain, filters of f32 side by side. */
void accel_conv_args(const struct accel_conv *conv, const struct tsr_conv_part *part, const struct tsr_kernel *kernel,
                     tsr_mem one, tsr_mem sums, int64_t next, uint64_t args[ACCEL_CONV_ARGS]);
void accel_conv_sums_args(const struct accel_params *params, const struct accel_conv *conv,
                          const struct tsr_conv_part *part, const struct tsr_kernel *kernel, tsr_mem sums, int64_t next,
                          uint64_t args[ACCEL_CONV_SUMS_ARGS]);

#endif
