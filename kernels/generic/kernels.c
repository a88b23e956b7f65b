/* Every operator in plain C, for f32 and f64. */
#include <math.h>

#include "kernels/kernel.h"

/* Operands may lie at any address. */
typedef float loose_f32 __attribute__((aligned(1), may_alias));
typedef double loose_f64 __attribute__((aligned(1), may_alias));

#define REAL float
#define LOOSE loose_f32
#define FMA fmaf
#define FINISH finish_f32
#define TILE tile_f32
#define TILES tiles_f32
#define PACK pack_f32
#define GEMM_4X1 tsr_gemm_f32_4x1_generic
#define GEMM_4X2 tsr_gemm_f32_4x2_generic
#define GEMM_4X3 tsr_gemm_f32_4x3_generic
#define GEMM_4X4 tsr_gemm_f32_4x4_generic
#define PACK_N tsr_pack_n_f32_generic
#define PACK_T tsr_pack_t_f32_generic
#define UPDATE tsr_update_f32_generic
#define UPDATE_T tsr_update_t_f32_generic
#define SCALE tsr_scale_f32_generic
#include "kernels/generic/kernels.h"

#undef REAL
#undef LOOSE
#undef FMA
#undef FINISH
#undef TILE
#undef TILES
#undef PACK
#undef GEMM_4X1
#undef GEMM_4X2
#undef GEMM_4X3
#undef GEMM_4X4
#undef PACK_N
#undef PACK_T
#undef UPDATE
#undef UPDATE_T
#undef SCALE
#undef AT
#undef PUT

#define REAL double
#define LOOSE loose_f64
#define FMA fma
#define FINISH finish_f64
#define TILE tile_f64
#define TILES tiles_f64
#define PACK pack_f64
#define GEMM_4X1 tsr_gemm_f64_4x1_generic
#define GEMM_4X2 tsr_gemm_f64_4x2_generic
#define GEMM_4X3 tsr_gemm_f64_4x3_generic
#define GEMM_4X4 tsr_gemm_f64_4x4_generic
#define PACK_N tsr_pack_n_f64_generic
#define PACK_T tsr_pack_t_f64_generic
#define UPDATE tsr_update_f64_generic
#define UPDATE_T tsr_update_t_f64_generic
#define SCALE tsr_scale_f64_generic
#include "kernels/generic/kernels.h"
