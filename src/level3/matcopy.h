/* Scaled copies and transpositions of matrices in f32, f64, c32 and c64, column-major. */
#ifndef TSR_MATCOPY_H
#define TSR_MATCOPY_H

#include "src/core/core.h"

/* B = alpha * op(A), rows x columns being the size of A; lda and ldb in elements. `trans`: B is columns x rows; `conj`:
 * of conjugates. A is not read if alpha is 0. A and B must not overlap. */
struct tsr_matcopy {
  tsr_type type;
  bool trans, conj;
  int64_t rows, columns, lda, ldb;
  double alpha[2];
  tsr_mem a, b;
};
void tsr_matcopy(const tsr_context *context, const struct tsr_matcopy *copy);

/* The same with B on top of A: `b` is not used. TSR_OUT_OF_MEMORY, with nothing changed, if there is no memory for a
 * copy of a matrix that is turned over. */
tsr_status tsr_matcopy_in_place(const tsr_context *context, const struct tsr_matcopy *copy);

#endif
