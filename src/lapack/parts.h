/* What the recursions share: parts of a matrix, splits, and calls of level 3 in a line each. Names that the trace prints
 * say which routine a product belongs to. */
#ifndef TSR_LAPACK_PARTS_H
#define TSR_LAPACK_PARTS_H

#include "src/gemm/gemm.h"
#include "src/lapack/lapack.h"

static inline struct tsr_matrix tsr_part(const struct tsr_lapack *call, struct tsr_matrix a, int64_t i, int64_t j) {
  return (struct tsr_matrix){a.at + (tsr_mem)((i + j * a.ld) * tsr_size_of(call->type)), a.ld};
}

static inline bool tsr_is_complex(tsr_type type) { return type == TSR_C32 || type == TSR_C64; }

/* Whether a matrix begins with a zero. */
static inline bool tsr_is_zero(tsr_type type, struct tsr_matrix a) {
  if (type == TSR_F32 || type == TSR_C32)
    return ((const float *)a.at)[0] == 0 && (type == TSR_F32 || ((const float *)a.at)[1] == 0);
  return ((const double *)a.at)[0] == 0 && (type == TSR_F64 || ((const double *)a.at)[1] == 0);
}

/* The first part of n, which is more than `least`: about half, a multiple of what level 3 cuts its operands into. */
static inline int64_t tsr_split(int64_t n, int64_t least) {
  int64_t unit = n >= 1024 ? 256 : n >= 256 ? 64 : n >= 64 ? 16 : 8;
  if (unit < least && least < n) unit = n >= 2 * least ? least : 8;
  int64_t half = (n / 2 + unit / 2) / unit * unit;
  return half > 0 && half < n ? half : (n + 1) / 2;
}

/* C -= A B; C is m x n. */
static inline int64_t tsr_minus_product(const struct tsr_lapack *call, int64_t m, int64_t n, int64_t k,
                                        struct tsr_matrix a, struct tsr_matrix b, struct tsr_matrix c,
                                        const char *name) {
  int64_t size = tsr_size_of(call->type);
  struct tsr_gemm_problem problem = {.type = call->type, .type_c = call->type, .m = m, .n = n, .k = k,
                                     .a = a.at, .b = b.at, .c = c.at, .rsa = size, .csa = a.ld * size,
                                     .rsb = size, .csb = b.ld * size, .csc = c.ld * size, .alpha = -1, .beta = 1};
  return tsr_gemm_compute(call->context, &problem, name) == TSR_OK ? 0 : TSR_LAPACK_NO_MEMORY;
}

/* B = alpha times the inverse of op(A) times B, or that from the right; B is m x n. */
static inline int64_t tsr_solve(const struct tsr_lapack *call, enum tsr_side side, enum tsr_uplo uplo,
                                enum tsr_op_of op, bool unit, int64_t m, int64_t n, double alpha, struct tsr_matrix a,
                                struct tsr_matrix b, const char *name) {
  if (m == 0 || n == 0) return 0;
  struct tsr_level3 p = {.type = call->type, .side = side, .uplo = uplo, .op_a = op, .unit = unit, .m = m, .n = n,
                         .alpha = {alpha, 0}, .a = a.at, .lda = a.ld, .b = b.at, .ldb = b.ld};
  return tsr_trsm(call->context, &p, name) == TSR_OK ? 0 : TSR_LAPACK_NO_MEMORY;
}

/* B = alpha op(A) B, or alpha B op(A); B is m x n. */
static inline int64_t tsr_multiply(const struct tsr_lapack *call, enum tsr_side side, enum tsr_uplo uplo,
                                   enum tsr_op_of op, bool unit, int64_t m, int64_t n, double alpha,
                                   struct tsr_matrix a, struct tsr_matrix b, const char *name) {
  if (m == 0 || n == 0) return 0;
  struct tsr_level3 p = {.type = call->type, .side = side, .uplo = uplo, .op_a = op, .unit = unit, .m = m, .n = n,
                         .alpha = {alpha, 0}, .a = a.at, .lda = a.ld, .b = b.at, .ldb = b.ld};
  return tsr_trmm(call->context, &p, name) == TSR_OK ? 0 : TSR_LAPACK_NO_MEMORY;
}

/* C += alpha op(A) op(A)' of a triangle of C, n x n; op(A) is n x k. */
static inline int64_t tsr_add_square(const struct tsr_lapack *call, enum tsr_uplo uplo, enum tsr_op_of op, int64_t n,
                                     int64_t k, double alpha, struct tsr_matrix a, struct tsr_matrix c,
                                     const char *name) {
  if (n == 0) return 0;
  struct tsr_level3 p = {.type = call->type, .uplo = uplo, .op_a = op, .hermitian = tsr_is_complex(call->type),
                         .n = n, .k = k, .alpha = {alpha, 0}, .beta = {1, 0}, .a = a.at, .lda = a.ld,
                         .c = c.at, .ldc = c.ld};
  return tsr_syrk(call->context, &p, name) == TSR_OK ? 0 : TSR_LAPACK_NO_MEMORY;
}

#endif
