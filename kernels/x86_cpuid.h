/* Which x86 instruction sets this CPU has and the operating system (XGETBV) lets programs use. */
#ifndef TSR_X86_CPUID_H
#define TSR_X86_CPUID_H

#include <stdbool.h>

#define TSR_X86_AVX2 1u
#define TSR_X86_FMA 2u
#define TSR_X86_BMI2 4u
#define TSR_X86_AVX512F 8u
#define TSR_X86_AVX512VL 16u
#define TSR_X86_AVX512BW 32u
#define TSR_X86_AVX512DQ 64u
#define TSR_X86_AVX512VNNI 128u

/* True if all features of the mask are usable; otherwise names the first that is missing in `why` (TSR_WHY bytes). */
__attribute__((visibility("hidden"))) bool tsr_x86_has(char *why, unsigned features);

#endif
