/* A gemm as its BLAS faces see it: what gemm and the faces of batches share. */
#ifndef TSR_BLAS_GEMM_CALL_H
#define TSR_BLAS_GEMM_CALL_H

#include "src/blas/face.h"
#include "src/gemm/gemm.h"

/* A call in Fortran's terms: column-major, its parameters numbered as there. */
struct gemm_call {
  tsr_type type;
  const char *name, *routine; /* in capitals; as the caller wrote it */
  int ta, tb;                 /* 0 N, 1 T, 2 C */
  int64_t m, n, k, lda, ldb, ldc;
  double alpha, beta, alpha_im, beta_im;
  const void *a, *b;
  void *c;
};

/* The first bad parameter after the transposes, 0 for none: the reference's tests and, since it would crash, NULL. */
INLINE int tsr_first_bad(const struct gemm_call *g) {
  if (g->m < 0) return 3;
  if (g->n < 0) return 4;
  if (g->k < 0) return 5;
  if (tsr_bad_ld(g->type, g->lda, g->ta ? g->k : g->m, g->ta ? g->m : g->k)) return 8;
  if (tsr_bad_ld(g->type, g->ldb, g->tb ? g->n : g->k, g->tb ? g->k : g->n)) return 10;
  if (tsr_bad_ld(g->type, g->ldc, g->m, g->n)) return 13;
  if (g->m == 0 || g->n == 0) return 0;
  if (g->k > 0 && (g->alpha != 0 || g->alpha_im != 0)) {
    if (!g->a) return 7;
    if (!g->b) return 9;
  }
  return g->c ? 0 : 12;
}

/* Every field is given: else all is cleared first, a tenth of a small product. */
INLINE void tsr_problem_of_call(const struct gemm_call *g, struct tsr_gemm_problem *problem) {
  int64_t size = tsr_size_of(g->type);
  *problem = (struct tsr_gemm_problem){
      .type = g->type, .type_c = g->type, .m = g->m, .n = g->n, .k = g->k,
      .a = (tsr_mem)g->a, .b = (tsr_mem)g->b, .c = (tsr_mem)g->c,
      .rsa = g->ta ? g->lda * size : size, .csa = g->ta ? size : g->lda * size,
      .rsb = g->tb ? g->ldb * size : size, .csb = g->tb ? size : g->ldb * size, .csc = g->ldc * size,
      .alpha = g->alpha, .beta = g->beta, .turned = false, .plan = NULL,
      .alpha_im = g->alpha_im, .beta_im = g->beta_im,
      .flags = (g->ta == 2 ? TSR_CONJ_A : 0) | (g->tb == 2 ? TSR_CONJ_B : 0), .parts = {0}};
}

/* Row-major C = A B is column-major C' = B' A', where every matrix is read as its transpose. */
INLINE struct gemm_call tsr_turned_call(const struct gemm_call *g) {
  struct gemm_call t = *g;
  t.m = g->n, t.n = g->m;
  t.a = g->b, t.lda = g->ldb, t.ta = g->tb;
  t.b = g->a, t.ldb = g->lda, t.tb = g->ta;
  return t;
}

INLINE bool tsr_is_complex(tsr_type type) { return type == TSR_C32 || type == TSR_C64; }

/* Real matrices have no conjugate. */
INLINE int tsr_trans_for(tsr_type type, int trans) { return trans == 2 && !tsr_is_complex(type) ? 1 : trans; }

#endif
