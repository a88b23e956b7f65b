/* A symmetric or Hermitian matrix, stored by half, times another. */
#include "src/level3/structured.h"

tsr_status tsr_symm(const tsr_context *context, const struct tsr_level3 *p, const char *routine) {
  int64_t size = tsr_size_of(p->type);
  bool left = p->side == TSR_LEFT;
  uint8_t part = tsr_part_of(p->uplo, p->hermitian);
  struct tsr_gemm_problem problem = {
      .type = p->type, .type_c = p->type, .m = p->m, .n = p->n, .k = left ? p->m : p->n,
      .a = left ? p->a : p->b, .b = left ? p->b : p->a, .c = p->c,
      .rsa = size, .csa = (left ? p->lda : p->ldb) * size, .rsb = size, .csb = (left ? p->ldb : p->lda) * size,
      .csc = p->ldc * size, .alpha = p->alpha[0], .alpha_im = p->alpha[1], .beta = p->beta[0], .beta_im = p->beta[1],
      .parts = {.a = left ? part : TSR_FULL, .b = left ? TSR_FULL : part}};
  return tsr_gemm_compute(context, &problem, routine);
}
