/* What each operator of kernels/kernel.h must compute, written from its text and from nothing else. */
#ifndef TEST_REFERENCE_H
#define TEST_REFERENCE_H

#include "kernels/kernel.h"

/* Does the step's work on `c`, for operators before SOFTMAX. ta and tc are the types of A and C. `mr` and `nr` are the
 * tile in elements; GEMM and GEMM_AT need them to find their tiles. */
void reference_step(enum tsr_op op, tsr_type ta, tsr_type tc, const struct tsr_step *step, int64_t mr, int64_t nr,
                    const void *a, const void *b, void *c);

/* tsr_gemm's own loop for column-major operands without padding: C is m x n, A m x k, B k x n, blocks of kb. */
void reference_gemm(tsr_type type, int64_t m, int64_t n, int64_t k, int64_t kb, double alpha, const void *a,
                    const void *b, double beta, void *c);

/* The same for complex types. flags: TSR_CONJ_A, TSR_CONJ_B; scalars are their real and imaginary parts. */
void reference_gemm_complex(tsr_type type, int64_t m, int64_t n, int64_t k, int64_t kb, uint64_t flags,
                            const double alpha[2], const void *a, const void *b, const double beta[2], void *c);

#endif
