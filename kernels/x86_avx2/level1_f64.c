/* Vectors of f64 and of complex numbers of f64. */
#include "kernels/x86_avx2/simd.h"

#define LEVEL1_KEEP(v) __asm__("" : "+x"(v))
#define LEVEL1_BITS 64
#define LEVEL1_TABLE tsr_level1_f64_avx2
#include "kernels/level1.h"
