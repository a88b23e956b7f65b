/* AVX-512 as of Skylake-X and Zen 4: F, VL, BW, DQ, with BMI2 and FMA beside it. */
#include <string.h>

#define TSR_KERNELS_DEF "kernels/x86_avx512/kernels.def"
#include "kernels/chip_table.h"
#include "kernels/x86_cpuid.h"

static bool usable(char *why) {
  return tsr_x86_has(why, TSR_X86_AVX512F | TSR_X86_AVX512VL | TSR_X86_AVX512BW | TSR_X86_AVX512DQ | TSR_X86_BMI2);
}

static size_t vector_bytes(void) { return 64; }

/* A symbol that ends in _vnni says what else the kernel needs. */
static bool runs(const struct tsr_kernel *kernel) {
  char why[TSR_WHY];
  size_t length = strlen(kernel->symbol);
  if (length < 5 || strcmp(kernel->symbol + length - 5, "_vnni") != 0) return true;
  return tsr_x86_has(why, TSR_X86_AVX512VNNI);
}

const struct tsr_chip tsr_chip_x86_avx512 = {"x86_avx512", "avx512", usable, vector_bytes, TSR_KERNEL_TABLE, true,
                                              runs, true};
