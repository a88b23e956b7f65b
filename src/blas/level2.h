/* What the faces of level 2 share: each turns its arguments into one column-major problem and checks it in the reference's
 * order. */
#ifndef TSR_BLAS_LEVEL2_H
#define TSR_BLAS_LEVEL2_H

#include "src/blas/face.h"
#include "src/level2/level2.h"

typedef tsr_status tsr_level2_routine(const tsr_context *, const struct tsr_level2 *);

/* A call: its routine's name in capitals, as the caller wrote it, and which face it came through. */
struct tsr_level2_call {
  const char *name, *routine;
  bool cblas, row_major;
};
#define FORTRAN_CALL(name, routine) {name, FACE_TEXT(FORTRAN_NAME(routine)), false, false}
#define CBLAS_CALL(name, routine, layout) {name, FACE_TEXT(CBLAS_NAME(routine)), true, (layout) == CblasRowMajor}

INLINE void tsr_set_real(tsr_type type, const void *from, double to[2]) {
  to[0] = type == TSR_F32 || type == TSR_C32 ? (double)*(const float *)from : *(const double *)from;
}
INLINE void tsr_set_scalar(tsr_type type, const void *from, double to[2]) {
  tsr_set_real(type, from, to);
  if (type == TSR_C32) to[1] = ((const float *)from)[1];
  if (type == TSR_C64) to[1] = ((const double *)from)[1];
}
INLINE bool tsr_is_zero(const double x[2]) { return x[0] == 0 && x[1] == 0; }
INLINE bool tsr_is_one(const double x[2]) { return x[0] == 1 && x[1] == 0; }

/* Whether A cannot be stored so: of a band matrix the diagonals are the least leading dimension. */
INLINE bool tsr_bad_storage(const struct tsr_level2 *p) {
  if (p->storage == TSR_STORED_BAND) return p->lda < p->lower_band + p->upper_band + 1 || tsr_too_large(p->type, p->lda, p->n);
  return p->storage == TSR_STORED_FULL && tsr_bad_ld(p->type, p->lda, p->m, p->n);
}

static __attribute__((cold, noinline, unused)) void tsr_report_level2(const struct tsr_level2_call *call, int bad) {
  if (call->cblas)
    tsr_report_cblas(call->name, call->row_major, bad);
  else
    tsr_report(call->name, bad);
}

INLINE void tsr_run_level2(const struct tsr_level2_call *call, tsr_level2_routine *run, const struct tsr_level2 *p) {
  tsr_context *context;
  if (tsr_context_get(NULL, &context) != TSR_OK || run(context, p) != TSR_OK) tsr_complain(call->routine);
}

/* The enums of a CBLAS call in the order of its parameters; `uplo`, `trans` and `diag` are NULL where there is none. */
struct tsr_level2_enums {
  CBLAS_LAYOUT layout;
  const CBLAS_UPLO *uplo;
  const CBLAS_TRANSPOSE *trans;
  const CBLAS_DIAG *diag;
};

/* Letters as numbers (face.h). */
struct tsr_level2_letters {
  int uplo, trans, diag;
};

static __attribute__((cold, noinline, unused)) void tsr_report_level2_enum(const char *face, bool row_major, int parameter,
                                                                           const char *what, int value) {
  tsr_report_enum(face, row_major, parameter, what, value);
}

/* Reads them; false: one was bad and has been reported. */
INLINE bool tsr_read_enums(const char *face, struct tsr_level2_enums e, struct tsr_level2_letters *l) {
  int parameter = 1;
  bool row_major = e.layout == CblasRowMajor;
  if (!row_major && e.layout != CblasColMajor)
    return tsr_report_level2_enum(face, false, parameter, "layout", e.layout), false;
  if (e.uplo) {
    parameter++;
    if ((l->uplo = tsr_uplo_enum(*e.uplo)) < 0)
      return tsr_report_level2_enum(face, row_major, parameter, "Uplo", *e.uplo), false;
    if (row_major) l->uplo = !l->uplo;
  }
  if (e.trans) {
    parameter++;
    if ((l->trans = tsr_trans_enum(*e.trans)) < 0)
      return tsr_report_level2_enum(face, row_major, parameter, "TransA", *e.trans), false;
  }
  if (e.diag) {
    parameter++;
    if ((l->diag = tsr_diag_enum(*e.diag)) < 0)
      return tsr_report_level2_enum(face, row_major, parameter, "Diag", *e.diag), false;
  }
  return true;
}

/* The same of Fortran's letters: the number of the first bad one, or 0. */
INLINE int tsr_read_letters(const char *uplo, const char *trans, const char *diag, struct tsr_level2_letters *l) {
  int parameter = 0;
  if (uplo) {
    parameter++;
    if ((l->uplo = tsr_uplo_letter(uplo)) < 0) return parameter;
  }
  if (trans) {
    parameter++;
    if ((l->trans = tsr_trans_letter(trans)) < 0) return parameter;
  }
  if (diag) {
    parameter++;
    if ((l->diag = tsr_diag_letter(diag)) < 0) return parameter;
  }
  return 0;
}

/* op(A) of the matrix as it lies, by columns: a row-major A is the transpose of that. */
INLINE void tsr_set_op(struct tsr_level2 *p, int trans, bool row_major) {
  p->trans = row_major ? trans == 0 : trans != 0;
  p->conj = trans == 2 && (p->type == TSR_C32 || p->type == TSR_C64);
}

/* A triangle's diagonals: k beside the main one where it is a band. */
INLINE void tsr_set_triangle(struct tsr_level2 *p, int uplo, int64_t k) {
  p->upper = uplo == 0;
  p->upper_band = p->upper ? k : 0;
  p->lower_band = p->upper ? 0 : k;
}

#endif
