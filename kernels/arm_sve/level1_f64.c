/* Vectors of f64 and of complex numbers of f64. */
#include "kernels/arm_sve/simd.h"

#define LEVEL1_BITS 64
#define LEVEL1_TABLE tsr_level1_f64_sve
#include "kernels/level1.h"
