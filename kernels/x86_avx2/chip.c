/* AVX2 with FMA: Haswell, Zen and later. */
#define TSR_KERNELS_DEF "kernels/x86_avx2/kernels.def"
#include "kernels/chip_table.h"
#include "kernels/x86_cpuid.h"

static bool usable(char *why) { return tsr_x86_has(why, TSR_X86_AVX2 | TSR_X86_FMA); }

static size_t vector_bytes(void) { return 32; }

const struct tsr_chip tsr_chip_x86_avx2 = {"x86_avx2", "avx2", usable, vector_bytes, TSR_KERNEL_TABLE, false, NULL,
                                            false};
