/* Level 1 of f64 and of complex numbers of f64. */
#define REAL double
#define TABLE struct tsr_level1_f64
#define TYPE TSR_F64
#define REAL_ABS fabs

#define COPY tsr_copy_f64
#define COPY_COMPLEX tsr_copy_c64
#define SWAP tsr_swap_f64
#define SWAP_COMPLEX tsr_swap_c64
#define SCAL tsr_scal_f64
#define SCAL_COMPLEX tsr_scal_c64
#define SCAL_PARTS tsr_scal_parts_c64
#define AXPY tsr_axpy_f64
#define AXPY_COMPLEX tsr_axpy_c64
#define AXPBY tsr_axpby_f64
#define AXPBY_COMPLEX tsr_axpby_c64
#define ROT tsr_rot_f64
#define ROT_COMPLEX tsr_rot_c64
#define ROTM tsr_rotm_f64
#define DOT tsr_dot_f64
#define DOT_COMPLEX tsr_dot_c64
#define ASUM tsr_asum_f64
#define ASUM_COMPLEX tsr_asum_c64
#define IAMAX tsr_iamax_f64
#define IAMAX_COMPLEX tsr_iamax_c64
#define NRM2 tsr_nrm2_f64
#define NRM2_COMPLEX tsr_nrm2_c64
#include "src/level1/vectors.h"
