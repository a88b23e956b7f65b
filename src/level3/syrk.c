/* A matrix times its own transpose, and two matrices times each other's: triangles of products. */
#include "src/level3/level3.h"

/* op(A) is n x k; the factor on the right is op(B) turned over: k x n. */
static enum tsr_op_of turned(const struct tsr_level3 *p) {
  enum tsr_op_of other = p->hermitian ? TSR_OP_C : TSR_OP_T;
  return p->op_a == TSR_OP_N ? other : TSR_OP_N;
}

tsr_status tsr_syrk(const tsr_context *context, const struct tsr_level3 *p, const char *routine) {
  struct tsr_level3 product = *p;
  product.op_b = turned(p);
  product.b = p->a;
  product.ldb = p->lda;
  return tsr_gemmt(context, &product, routine);
}

tsr_status tsr_syr2k(const tsr_context *context, const struct tsr_level3 *p, const char *routine) {
  struct tsr_level3 product = *p;
  product.op_b = turned(p);
  tsr_status status = tsr_gemmt(context, &product, routine);
  if (status != TSR_OK || p->k == 0 || (p->alpha[0] == 0 && p->alpha[1] == 0)) return status;
  product.a = p->b, product.lda = p->ldb;
  product.b = p->a, product.ldb = p->lda;
  if (p->hermitian) product.alpha[1] = -p->alpha[1];
  product.beta[0] = 1, product.beta[1] = 0;
  return tsr_gemmt(context, &product, routine);
}
