/* Products by convolution's loops: with a bias and what follows, in 16 bits, and with weights packed once. */
#ifndef TSR_GEMM_FUSED_H
#define TSR_GEMM_FUSED_H

#include "src/gemm/gemm.h"

/* Whether a valid product on a CPU goes this way. */
static inline bool tsr_gemm_is_fused(const tsr_gemm_desc *d) {
  return d->bias || d->post || d->type == TSR_F16 || d->type == TSR_BF16 || d->type == TSR_S8;
}

/* Checks bias and post. */
tsr_status tsr_gemm_check_fused(const tsr_gemm_desc *d);

/* Computes a valid product. */
tsr_status tsr_gemm_fused(const tsr_context *context, const tsr_gemm_desc *d, const void *a, const void *b, void *c);

#endif
