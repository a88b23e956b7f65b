/* The chip every machine has: plain C. It is the reference of the tests and the last fallback. */
#define TSR_KERNELS_DEF "kernels/generic/kernels.def"
#include "kernels/chip_table.h"

static bool usable(char *why) {
  (void)why;
  return true;
}

/* One element at a time, whatever its type. */
static size_t vector_bytes(void) { return 1; }

const struct tsr_chip tsr_chip_generic = {"generic", "generic", usable, vector_bytes, TSR_KERNEL_TABLE, true, NULL,
                                           true};
