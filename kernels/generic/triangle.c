/* Triangles in plain C. */
#include <math.h>

#include "kernels/kernel.h"

/* Operands may lie at any address. */
typedef float loose_f32 __attribute__((aligned(1), may_alias));
typedef double loose_f64 __attribute__((aligned(1), may_alias));

#define REAL float
#define LOOSE loose_f32
#define FMA fmaf
#define PARTS 1
#define AT at_f32
#define ADD add_f32
#define BY_DIAGONAL by_diagonal_f32
#define ELEMENT element_f32
#define ADD_OTHERS add_others_f32
#define SOLVE_ELEMENT solve_element_f32
#define MULTIPLY_ELEMENT multiply_element_f32
#define SOLVE tsr_solve_f32_generic
#define MULTIPLY tsr_multiply_f32_generic
#include "kernels/generic/triangle.h"

#undef REAL
#undef LOOSE
#undef FMA
#undef PARTS
#undef AT
#undef ADD
#undef BY_DIAGONAL
#undef ELEMENT
#undef ADD_OTHERS
#undef SOLVE_ELEMENT
#undef MULTIPLY_ELEMENT
#undef SOLVE
#undef MULTIPLY

#define REAL double
#define LOOSE loose_f64
#define FMA fma
#define PARTS 1
#define AT at_f64
#define ADD add_f64
#define BY_DIAGONAL by_diagonal_f64
#define ELEMENT element_f64
#define ADD_OTHERS add_others_f64
#define SOLVE_ELEMENT solve_element_f64
#define MULTIPLY_ELEMENT multiply_element_f64
#define SOLVE tsr_solve_f64_generic
#define MULTIPLY tsr_multiply_f64_generic
#include "kernels/generic/triangle.h"

#undef REAL
#undef LOOSE
#undef FMA
#undef PARTS
#undef AT
#undef ADD
#undef BY_DIAGONAL
#undef ELEMENT
#undef ADD_OTHERS
#undef SOLVE_ELEMENT
#undef MULTIPLY_ELEMENT
#undef SOLVE
#undef MULTIPLY

#define REAL float
#define LOOSE loose_f32
#define FMA fmaf
#define PARTS 2
#define AT at_c32
#define ADD add_c32
#define BY_DIAGONAL by_diagonal_c32
#define ELEMENT element_c32
#define ADD_OTHERS add_others_c32
#define SOLVE_ELEMENT solve_element_c32
#define MULTIPLY_ELEMENT multiply_element_c32
#define SOLVE tsr_solve_c32_generic
#define MULTIPLY tsr_multiply_c32_generic
#include "kernels/generic/triangle.h"

#undef REAL
#undef LOOSE
#undef FMA
#undef PARTS
#undef AT
#undef ADD
#undef BY_DIAGONAL
#undef ELEMENT
#undef ADD_OTHERS
#undef SOLVE_ELEMENT
#undef MULTIPLY_ELEMENT
#undef SOLVE
#undef MULTIPLY

#define REAL double
#define LOOSE loose_f64
#define FMA fma
#define PARTS 2
#define AT at_c64
#define ADD add_c64
#define BY_DIAGONAL by_diagonal_c64
#define ELEMENT element_c64
#define ADD_OTHERS add_others_c64
#define SOLVE_ELEMENT solve_element_c64
#define MULTIPLY_ELEMENT multiply_element_c64
#define SOLVE tsr_solve_c64_generic
#define MULTIPLY tsr_multiply_c64_generic
#include "kernels/generic/triangle.h"
