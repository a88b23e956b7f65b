/* Included by a chip.c after TSR_KERNELS_DEF names its list: declares each kernel and builds the table. */
#include "kernels/chip.h"

#define TSR_KERNEL(symbol, op, ta, tb, tc, mr, nr, mu, per_vector) \
  __attribute__((visibility("hidden"))) void symbol(const struct tsr_step *, tsr_mem, tsr_mem, tsr_mem);
#include TSR_KERNELS_DEF
#undef TSR_KERNEL

static const struct tsr_kernel kernels[] = {
#define TSR_KERNEL(symbol, op, ta, tb, tc, mr, nr, mu, per_vector) \
  {#symbol, TSR_OP_##op, TSR_##ta, TSR_##tb, TSR_##tc, mr, nr, mu, per_vector, symbol},
#include TSR_KERNELS_DEF
#undef TSR_KERNEL
};
