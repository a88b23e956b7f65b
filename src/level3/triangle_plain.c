/* Triangles in plain C: the whole problem where there is no memory, and the packing of T. */
#include <math.h>

#include "src/level3/triangle.h"

/* Operands may lie at any address. */
typedef float loose_f32 __attribute__((aligned(1), may_alias));
typedef double loose_f64 __attribute__((aligned(1), may_alias));

#define REAL float
#define LOOSE loose_f32
#define FMA fmaf
#define PARTS 1
#define ELEMENT element_f32
#define RECIPROCAL reciprocal_f32
#define ADD add_f32
#define TIMES times_f32
#define BY_ALPHA by_alpha_f32
#define AT at_f32
#define SOLVE_ELEMENT solve_element_f32
#define MULTIPLY_ELEMENT multiply_element_f32
#define PLAIN plain_f32
#define PUT put_f32
#define PACK_DIAGONAL pack_diagonal_f32
#define PACK_KNOWN pack_known_f32
#define PACK_ROWS pack_rows_f32
#include "src/level3/triangle_plain.h"

#undef REAL
#undef LOOSE
#undef FMA
#undef PARTS
#undef ELEMENT
#undef RECIPROCAL
#undef ADD
#undef TIMES
#undef BY_ALPHA
#undef AT
#undef SOLVE_ELEMENT
#undef MULTIPLY_ELEMENT
#undef PLAIN
#undef PUT
#undef PACK_DIAGONAL
#undef PACK_KNOWN
#undef PACK_ROWS

#define REAL double
#define LOOSE loose_f64
#define FMA fma
#define PARTS 1
#define ELEMENT element_f64
#define RECIPROCAL reciprocal_f64
#define ADD add_f64
#define TIMES times_f64
#define BY_ALPHA by_alpha_f64
#define AT at_f64
#define SOLVE_ELEMENT solve_element_f64
#define MULTIPLY_ELEMENT multiply_element_f64
#define PLAIN plain_f64
#define PUT put_f64
#define PACK_DIAGONAL pack_diagonal_f64
#define PACK_KNOWN pack_known_f64
#define PACK_ROWS pack_rows_f64
#include "src/level3/triangle_plain.h"

#undef REAL
#undef LOOSE
#undef FMA
#undef PARTS
#undef ELEMENT
#undef RECIPROCAL
#undef ADD
#undef TIMES
#undef BY_ALPHA
#undef AT
#undef SOLVE_ELEMENT
#undef MULTIPLY_ELEMENT
#undef PLAIN
#undef PUT
#undef PACK_DIAGONAL
#undef PACK_KNOWN
#undef PACK_ROWS

#define REAL float
#define LOOSE loose_f32
#define FMA fmaf
#define PARTS 2
#define ELEMENT element_c32
#define RECIPROCAL reciprocal_c32
#define ADD add_c32
#define TIMES times_c32
#define BY_ALPHA by_alpha_c32
#define AT at_c32
#define SOLVE_ELEMENT solve_element_c32
#define MULTIPLY_ELEMENT multiply_element_c32
#define PLAIN plain_c32
#define PUT put_c32
#define PACK_DIAGONAL pack_diagonal_c32
#define PACK_KNOWN pack_known_c32
#define PACK_ROWS pack_rows_c32
#include "src/level3/triangle_plain.h"

#undef REAL
#undef LOOSE
#undef FMA
#undef PARTS
#undef ELEMENT
#undef RECIPROCAL
#undef ADD
#undef TIMES
#undef BY_ALPHA
#undef AT
#undef SOLVE_ELEMENT
#undef MULTIPLY_ELEMENT
#undef PLAIN
#undef PUT
#undef PACK_DIAGONAL
#undef PACK_KNOWN
#undef PACK_ROWS

#define REAL double
#define LOOSE loose_f64
#define FMA fma
#define PARTS 2
#define ELEMENT element_c64
#define RECIPROCAL reciprocal_c64
#define ADD add_c64
#define TIMES times_c64
#define BY_ALPHA by_alpha_c64
#define AT at_c64
#define SOLVE_ELEMENT solve_element_c64
#define MULTIPLY_ELEMENT multiply_element_c64
#define PLAIN plain_c64
#define PUT put_c64
#define PACK_DIAGONAL pack_diagonal_c64
#define PACK_KNOWN pack_known_c64
#define PACK_ROWS pack_rows_c64
#include "src/level3/triangle_plain.h"

void tsr_triangle_plain(const struct tsr_triangle *tri) {
  switch (tri->type) {
    case TSR_F32: plain_f32(tri); break;
    case TSR_F64: plain_f64(tri); break;
    case TSR_C32: plain_c32(tri); break;
    default: plain_c64(tri); break;
  }
}

void tsr_triangle_pack_diagonal(const struct tsr_triangle *tri, int64_t j0, int64_t width, tsr_mem to, int64_t rsb) {
  switch (tri->type) {
    case TSR_F32: pack_diagonal_f32(tri, j0, width, to, rsb); break;
    case TSR_F64: pack_diagonal_f64(tri, j0, width, to, rsb); break;
    case TSR_C32: pack_diagonal_c32(tri, j0, width, to, rsb); break;
    default: pack_diagonal_c64(tri, j0, width, to, rsb); break;
  }
}

void tsr_triangle_pack_rows(const struct tsr_triangle *tri, int64_t p, int64_t count, int64_t j0, int64_t width,
                            tsr_mem to, int64_t rsb) {
  switch (tri->type) {
    case TSR_F32: pack_rows_f32(tri, p, count, j0, width, to, rsb); break;
    case TSR_F64: pack_rows_f64(tri, p, count, j0, width, to, rsb); break;
    case TSR_C32: pack_rows_c32(tri, p, count, j0, width, to, rsb); break;
    default: pack_rows_c64(tri, p, count, j0, width, to, rsb); break;
  }
}
