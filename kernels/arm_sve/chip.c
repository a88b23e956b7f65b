/* Arm SVE of any vector length: Neoverse V1, V2, A64FX, Graviton 3 and 4, Grace. */
#define TSR_KERNELS_DEF "kernels/arm_sve/kernels.def"
#include "kernels/chip_table.h"

#include <stdio.h>
#include <sys/auxv.h>

#ifndef HWCAP_SVE
#define HWCAP_SVE (1 << 22)
#endif

__attribute__((visibility("hidden"))) size_t tsr_vector_bytes_sve(void);

static bool usable(char *why) {
  if (getauxval(AT_HWCAP) & HWCAP_SVE) return true;
  snprintf(why, TSR_WHY, "the CPU or its kernel does not offer SVE");
  return false;
}

const struct tsr_chip tsr_chip_arm_sve = {"arm_sve", "sve", usable, tsr_vector_bytes_sve, TSR_KERNEL_TABLE, true, NULL};
