/* Vectors of f32 and of complex numbers of f32. */
#include "kernels/generic/simd.h"

#define LEVEL1_PLAIN
#define LEVEL1_BITS 32
#define LEVEL1_TABLE tsr_level1_f32_generic
#include "kernels/level1.h"
