/* What the structured products share: how a problem of level 3 becomes one of the GEMM loops. */
#ifndef TSR_STRUCTURED_H
#define TSR_STRUCTURED_H

#include "src/gemm/gemm.h"
#include "src/level3/level3.h"

/* op(X) of a column-major X: its strides, and whether its conjugate is meant. */
struct tsr_op_strides {
  int64_t rs, cs;
  bool conjugate;
};

static inline struct tsr_op_strides tsr_strides_of(tsr_type type, enum tsr_op_of op, int64_t ld) {
  int64_t size = tsr_size_of(type);
  bool complex = type == TSR_C32 || type == TSR_C64;
  return op == TSR_OP_N ? (struct tsr_op_strides){size, ld * size, false}
                        : (struct tsr_op_strides){ld * size, size, complex && op == TSR_OP_C};
}

/* The triangle's part of C. */
static inline uint8_t tsr_part_of(enum tsr_uplo uplo, bool hermitian) {
  return (uint8_t)((uplo == TSR_UPLO_LOWER ? TSR_LOWER : TSR_UPPER) | (hermitian ? TSR_HERMITIAN : 0));
}

#endif
