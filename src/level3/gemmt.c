/* One triangle of a product. */
#include "src/level3/structured.h"

tsr_status tsr_gemmt(const tsr_context *context, const struct tsr_level3 *p, const char *routine) {
  struct tsr_op_strides a = tsr_strides_of(p->type, p->op_a, p->lda), b = tsr_strides_of(p->type, p->op_b, p->ldb);
  struct tsr_gemm_problem problem = {
      .type = p->type, .type_c = p->type, .m = p->n, .n = p->n, .k = p->k, .a = p->a, .b = p->b, .c = p->c,
      .rsa = a.rs, .csa = a.cs, .rsb = b.rs, .csb = b.cs, .csc = p->ldc * tsr_size_of(p->type),
      .alpha = p->alpha[0], .alpha_im = p->alpha[1], .beta = p->beta[0], .beta_im = p->beta[1],
      .flags = (a.conjugate ? TSR_CONJ_A : 0) | (b.conjugate ? TSR_CONJ_B : 0),
      .parts = {.c = tsr_part_of(p->uplo, p->hermitian)}};
  return tsr_gemm_compute(context, &problem, routine);
}
