/* Complex GEMM micro-kernels of two f64: 1 vector x 1 to 8 columns, 2 x 1 to 7, 3 x 1 to 4, 4 x 1 to 3 and 8 x 1. Formula,
 * registers and loops: complex_tile.h. */
#define TSR_ELEMENT_F64
#include "kernels/arm_sve/complex_tile.h"

FUNCTION(tsr_gemm_c64_1vx1_sve)
  complex_tile 1, 1
END(tsr_gemm_c64_1vx1_sve)

FUNCTION(tsr_gemm_c64_1vx2_sve)
  complex_tile 1, 2
END(tsr_gemm_c64_1vx2_sve)

FUNCTION(tsr_gemm_c64_1vx3_sve)
  complex_tile 1, 3
END(tsr_gemm_c64_1vx3_sve)

FUNCTION(tsr_gemm_c64_1vx4_sve)
  complex_tile 1, 4
END(tsr_gemm_c64_1vx4_sve)

FUNCTION(tsr_gemm_c64_1vx5_sve)
  complex_tile 1, 5
END(tsr_gemm_c64_1vx5_sve)

FUNCTION(tsr_gemm_c64_1vx6_sve)
  complex_tile 1, 6
END(tsr_gemm_c64_1vx6_sve)

FUNCTION(tsr_gemm_c64_1vx7_sve)
  complex_tile 1, 7
END(tsr_gemm_c64_1vx7_sve)

FUNCTION(tsr_gemm_c64_1vx8_sve)
  complex_tile 1, 8
END(tsr_gemm_c64_1vx8_sve)

FUNCTION(tsr_gemm_c64_2vx1_sve)
  complex_tile 2, 1
END(tsr_gemm_c64_2vx1_sve)

FUNCTION(tsr_gemm_c64_2vx2_sve)
  complex_tile 2, 2
END(tsr_gemm_c64_2vx2_sve)

FUNCTION(tsr_gemm_c64_2vx3_sve)
  complex_tile 2, 3
END(tsr_gemm_c64_2vx3_sve)

FUNCTION(tsr_gemm_c64_2vx4_sve)
  complex_tile 2, 4
END(tsr_gemm_c64_2vx4_sve)

FUNCTION(tsr_gemm_c64_2vx5_sve)
  complex_tile 2, 5
END(tsr_gemm_c64_2vx5_sve)

FUNCTION(tsr_gemm_c64_2vx6_sve)
  complex_tile 2, 6
END(tsr_gemm_c64_2vx6_sve)

FUNCTION(tsr_gemm_c64_2vx7_sve)
  complex_tile 2, 7
END(tsr_gemm_c64_2vx7_sve)

FUNCTION(tsr_gemm_c64_3vx1_sve)
  complex_tile 3, 1
END(tsr_gemm_c64_3vx1_sve)

FUNCTION(tsr_gemm_c64_3vx2_sve)
  complex_tile 3, 2
END(tsr_gemm_c64_3vx2_sve)

FUNCTION(tsr_gemm_c64_3vx3_sve)
  complex_tile 3, 3
END(tsr_gemm_c64_3vx3_sve)

FUNCTION(tsr_gemm_c64_3vx4_sve)
  complex_tile 3, 4
END(tsr_gemm_c64_3vx4_sve)

FUNCTION(tsr_gemm_c64_4vx1_sve)
  complex_tile 4, 1
END(tsr_gemm_c64_4vx1_sve)

FUNCTION(tsr_gemm_c64_4vx2_sve)
  complex_tile 4, 2
END(tsr_gemm_c64_4vx2_sve)

FUNCTION(tsr_gemm_c64_4vx3_sve)
  complex_tile 4, 3
END(tsr_gemm_c64_4vx3_sve)

FUNCTION(tsr_gemm_c64_8vx1_sve)
  complex_tile 8, 1
END(tsr_gemm_c64_8vx1_sve)
