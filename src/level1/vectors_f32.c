/* Level 1 of f32 and of complex numbers of f32. */
#define REAL float
#define TABLE struct tsr_level1_f32
#define TYPE TSR_F32
#define REAL_ABS fabsf
#define NARROW /* sums of squares are of f64 */

#define COPY tsr_copy_f32
#define COPY_COMPLEX tsr_copy_c32
#define SWAP tsr_swap_f32
#define SWAP_COMPLEX tsr_swap_c32
#define SCAL tsr_scal_f32
#define SCAL_COMPLEX tsr_scal_c32
#define SCAL_PARTS tsr_scal_parts_c32
#define AXPY tsr_axpy_f32
#define AXPY_COMPLEX tsr_axpy_c32
#define AXPBY tsr_axpby_f32
#define AXPBY_COMPLEX tsr_axpby_c32
#define ROT tsr_rot_f32
#define ROT_COMPLEX tsr_rot_c32
#define ROTM tsr_rotm_f32
#define DOT tsr_dot_f32
#define DOT_COMPLEX tsr_dot_c32
#define DOT_F64 tsr_dot_f32_f64
#define ASUM tsr_asum_f32
#define ASUM_COMPLEX tsr_asum_c32
#define IAMAX tsr_iamax_f32
#define IAMAX_COMPLEX tsr_iamax_c32
#define NRM2 tsr_nrm2_f32
#define NRM2_COMPLEX tsr_nrm2_c32
#include "src/level1/vectors.h"
