/* Compiled twice: for any CPU, and on x86 for CPUs with FMA, where the loop is a hundred times as fast. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "test/gemm/gemm_test.h"

struct reference {
  int64_t m, n, k, kb, rsa, csa, rsb, csb, rsc, csc;
  double alpha, beta;
};

#define REAL float
#define FMA fmaf
#define NAME gemm_f32
#include "test/gemm/reference.h"

#undef REAL
#undef FMA
#undef NAME
#define REAL double
#define FMA fma
#define NAME gemm_f64
#include "test/gemm/reference.h"

static void strides(const tsr_gemm_desc *d, tsr_trans trans, int64_t ld, int64_t *rs, int64_t *cs) {
  bool rows_contiguous = (d->order == TSR_ROW_MAJOR) == (trans == TSR_NO_TRANS);
  *rs = rows_contiguous ? ld : 1;
  *cs = rows_contiguous ? 1 : ld;
}

void REFERENCE(const tsr_gemm_desc *d, const void *a, const void *b, void *c) {
  struct reference r = {.m = d->m, .n = d->n, .k = d->k, .alpha = d->alpha, .beta = d->beta};
  r.kb = d->type == TSR_F32 ? 384 : 256;
  strides(d, d->trans_a, d->lda, &r.rsa, &r.csa);
  strides(d, d->trans_b, d->ldb, &r.rsb, &r.csb);
  strides(d, TSR_NO_TRANS, d->ldc, &r.rsc, &r.csc);
  if (d->type == TSR_F32)
    gemm_f32(&r, a, b, c);
  else
    gemm_f64(&r, a, b, c);
}
