/* Arm SVE of any vector length: Neoverse V1, V2, A64FX, Graviton 3 and 4, Grace. */
#define TSR_KERNELS_DEF "kernels/arm_sve/kernels.def"
#include "kernels/chip_table.h"

#include <stdio.h>
#include <sys/auxv.h>

#ifndef HWCAP_SVE
#define HWCAP_SVE (1 << 22)
#endif

#ifndef HWCAP2_SVEI8MM
#define HWCAP2_SVEI8MM (1 << 9)
#endif

__attribute__((visibility("hidden"))) size_t tsr_vector_bytes_sve(void);

static bool usable(char *why) {
  if (getauxval(AT_HWCAP) & HWCAP_SVE) return true;
  snprintf(why, TSR_WHY, "the CPU or its kernel does not offer SVE");
  return false;
}

/* Products of bytes, one with a sign and one without, came later than SVE: not to A64FX. */
static bool runs(const struct tsr_kernel *kernel) {
  return kernel->ta != TSR_S8 || (getauxval(AT_HWCAP2) & HWCAP2_SVEI8MM);
}

const struct tsr_chip tsr_chip_arm_sve = {"arm_sve", "sve", usable, tsr_vector_bytes_sve, TSR_KERNEL_TABLE, true, runs,
                                           false};
