/* Vectors of f32 and of complex numbers of f32. */
#include "kernels/x86_avx2/simd.h"
#include "kernels/level1_x86.h"

#define LEVEL1_KEEP(v) __asm__("" : "+x"(v))
#define LEVEL1_HALF(name) f32x4_##name
#define LEVEL1_BITS 32
#define LEVEL1_TABLE tsr_level1_f32_avx2
#include "kernels/level1.h"
