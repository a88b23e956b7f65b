/* AVX-512 as of Skylake-X and Zen 4: F, VL, BW, DQ, with BMI2 and FMA beside it. */
#define TSR_KERNELS_DEF "kernels/x86_avx512/kernels.def"
#include "kernels/chip_table.h"
#include "kernels/x86_cpuid.h"

static bool usable(char *why) {
  return tsr_x86_has(why, TSR_X86_AVX512F | TSR_X86_AVX512VL | TSR_X86_AVX512BW | TSR_X86_AVX512DQ | TSR_X86_BMI2);
}

static size_t vector_bytes(void) { return 64; }

const struct tsr_chip tsr_chip_x86_avx512 = {"x86_avx512", "avx512", usable, vector_bytes, TSR_KERNEL_TABLE, true};
