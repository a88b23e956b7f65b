/* Complex GEMM and what goes with it in plain C. */
#include <math.h>

#include "kernels/kernel.h"

/* Operands may lie at any address. */
typedef float loose_f32 __attribute__((aligned(1), may_alias));
typedef double loose_f64 __attribute__((aligned(1), may_alias));

#define REAL float
#define LOOSE loose_f32
#define FMA fmaf
#define FIRST first_c32
#define FINISH finish_c32
#define COMBINE combine_c32
#define TILE tile_c32
#define TILES tiles_c32
#define PACK pack_c32
#define END end_c32
#define GEMM_4X1 tsr_gemm_c32_4x1_generic
#define GEMM_4X2 tsr_gemm_c32_4x2_generic
#define GEMM_4X3 tsr_gemm_c32_4x3_generic
#define GEMM_4X4 tsr_gemm_c32_4x4_generic
#define PACK_N tsr_pack_n_c32_generic
#define PACK_T tsr_pack_t_c32_generic
#define UPDATE tsr_update_c32_generic
#define UPDATE_T tsr_update_t_c32_generic
#define SCALE tsr_scale_c32_generic
#include "kernels/generic/complex.h"

#undef REAL
#undef LOOSE
#undef FMA
#undef FIRST
#undef FINISH
#undef COMBINE
#undef TILE
#undef TILES
#undef PACK
#undef END
#undef GEMM_4X1
#undef GEMM_4X2
#undef GEMM_4X3
#undef GEMM_4X4
#undef PACK_N
#undef PACK_T
#undef UPDATE
#undef UPDATE_T
#undef SCALE
#undef SIZE
#undef AT
#undef PUT

#define REAL double
#define LOOSE loose_f64
#define FMA fma
#define FIRST first_c64
#define FINISH finish_c64
#define COMBINE combine_c64
#define TILE tile_c64
#define TILES tiles_c64
#define PACK pack_c64
#define END end_c64
#define GEMM_4X1 tsr_gemm_c64_4x1_generic
#define GEMM_4X2 tsr_gemm_c64_4x2_generic
#define GEMM_4X3 tsr_gemm_c64_4x3_generic
#define GEMM_4X4 tsr_gemm_c64_4x4_generic
#define PACK_N tsr_pack_n_c64_generic
#define PACK_T tsr_pack_t_c64_generic
#define UPDATE tsr_update_c64_generic
#define UPDATE_T tsr_update_t_c64_generic
#define SCALE tsr_scale_c64_generic
#include "kernels/generic/complex.h"
