/* The BLAS faces of trmm and trsm. Each turns its arguments into one column-major problem, checked in the reference's
 * order. */
#include "src/blas/face.h"
#include "src/level3/level3.h"

typedef tsr_status triangle_routine(const tsr_context *, const struct tsr_level3 *, const char *);

/* A call in Fortran's terms, its letters and enums as numbers (face.h). */
struct call {
  triangle_routine *compute;
  tsr_type type;
  const char *name, *routine; /* in capitals; as the caller wrote it */
  int64_t m, n, lda, ldb;
  const void *alpha, *a;
  void *b;
  int side, uplo, trans, diag;
};

/* The first bad parameter after the letters, 0 for none: the reference's tests and, since it would crash, NULL. */
INLINE int first_bad(const struct call *t, bool reads_a) {
  int64_t order = t->side ? t->n : t->m;
  if (t->m < 0) return 5;
  if (t->n < 0) return 6;
  if (tsr_bad_ld(t->type, t->lda, order, order)) return 9;
  if (tsr_bad_ld(t->type, t->ldb, t->m, t->n)) return 11;
  if (t->m == 0 || t->n == 0) return 0;
  if (reads_a && !t->a) return 8;
  return t->b ? 0 : 10;
}

INLINE void set_alpha(const struct call *t, struct tsr_level3 *p) {
  const float *f32 = t->alpha;
  const double *f64 = t->alpha;
  bool narrow = t->type == TSR_F32 || t->type == TSR_C32, is_complex = t->type == TSR_C32 || t->type == TSR_C64;
  p->alpha[0] = narrow ? (double)f32[0] : f64[0];
  if (is_complex) p->alpha[1] = narrow ? (double)f32[1] : f64[1];
}

static struct tsr_level3 problem_of(const struct call *t) {
  struct tsr_level3 p = {.type = t->type, .side = t->side ? TSR_RIGHT : TSR_LEFT,
                         .uplo = t->uplo ? TSR_UPLO_LOWER : TSR_UPLO_UPPER, .op_a = (enum tsr_op_of)t->trans,
                         .unit = t->diag, .m = t->m, .n = t->n, .a = (tsr_mem)t->a, .b = (tsr_mem)t->b, .lda = t->lda,
                         .ldb = t->ldb};
  set_alpha(t, &p);
  return p;
}

static bool is_zero(const struct tsr_level3 *p) { return p->alpha[0] == 0 && p->alpha[1] == 0; }

/* Computes the problem, or gives the number of its first bad parameter. */
static int compute(const struct call *t) {
  struct tsr_level3 p = problem_of(t);
  tsr_context *context;
  int bad = first_bad(t, !is_zero(&p));
  if (bad || p.m == 0 || p.n == 0) return bad;
  if (tsr_context_get(NULL, &context) != TSR_OK || t->compute(context, &p, t->routine) != TSR_OK)
    tsr_complain(t->routine);
  return 0;
}

static void fortran(const char *side, const char *uplo, const char *trans, const char *diag, struct call t) {
  t.side = tsr_side_letter(side);
  t.uplo = tsr_uplo_letter(uplo);
  t.trans = tsr_trans_letter(trans);
  t.diag = tsr_diag_letter(diag);
  int bad = t.side < 0 ? 1 : t.uplo < 0 ? 2 : t.trans < 0 ? 3 : t.diag < 0 ? 4 : compute(&t);
  if (__builtin_expect(bad != 0, 0)) tsr_report(t.name, bad);
}

/* A row-major matrix is the transpose of a column-major one: left and right, upper and lower, m and n change places. */
static void cblas(const char *face, CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans,
                  CBLAS_DIAG diag, struct call t) {
  bool row_major = layout == CblasRowMajor;
  t.side = tsr_side_enum(side);
  t.uplo = tsr_uplo_enum(uplo);
  t.trans = tsr_trans_enum(trans);
  t.diag = tsr_diag_enum(diag);
  if (!row_major && layout != CblasColMajor) return tsr_report_enum(face, false, 1, "layout", layout);
  if (t.side < 0) return tsr_report_enum(face, row_major, 2, "Side", side);
  if (t.uplo < 0) return tsr_report_enum(face, row_major, 3, "Uplo", uplo);
  if (t.trans < 0) return tsr_report_enum(face, row_major, 4, "TransA", trans);
  if (t.diag < 0) return tsr_report_enum(face, row_major, 5, "Diag", diag);
  if (row_major) {
    int64_t m = t.m;
    t.m = t.n;
    t.n = m;
    t.side = !t.side;
    t.uplo = !t.uplo;
  }
  int bad = compute(&t);
  if (__builtin_expect(bad != 0, 0)) tsr_report_cblas(t.name, row_major, bad);
}

#define FORTRAN_TRIANGLE(routine, name, type, real, compute)                                                       \
  FORTRAN(void, routine, const char *side, const char *uplo, const char *transa, const char *diag,                 \
          const blas_int *m, const blas_int *n, const real *alpha, const real *a, const blas_int *lda, real *b,    \
          const blas_int *ldb) {                                                                                   \
    fortran(side, uplo, transa, diag, (struct call){compute, type, name, FACE_TEXT(FORTRAN_NAME(routine)), *m, *n, \
                                                    *lda, *ldb, alpha, a, b, 0, 0, 0, 0});                         \
  }

FORTRAN_TRIANGLE(strmm, "STRMM", TSR_F32, float, tsr_trmm)
FORTRAN_TRIANGLE(dtrmm, "DTRMM", TSR_F64, double, tsr_trmm)
FORTRAN_TRIANGLE(ctrmm, "CTRMM", TSR_C32, float, tsr_trmm)
FORTRAN_TRIANGLE(ztrmm, "ZTRMM", TSR_C64, double, tsr_trmm)
FORTRAN_TRIANGLE(strsm, "STRSM", TSR_F32, float, tsr_trsm)
FORTRAN_TRIANGLE(dtrsm, "DTRSM", TSR_F64, double, tsr_trsm)
FORTRAN_TRIANGLE(ctrsm, "CTRSM", TSR_C32, float, tsr_trsm)
FORTRAN_TRIANGLE(ztrsm, "ZTRSM", TSR_C64, double, tsr_trsm)

#define CBLAS_TRIANGLE(routine, name, type, real, compute)                                                         \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans_a,             \
        CBLAS_DIAG diag, blas_int m, blas_int n, real alpha, const real *a, blas_int lda, real *b, blas_int ldb) { \
    cblas(#routine, layout, side, uplo, trans_a, diag,                                                             \
          (struct call){compute, type, name, FACE_TEXT(CBLAS_NAME(routine)), m, n, lda, ldb, &alpha, a, b, 0, 0,   \
                        0, 0});                                                                                    \
  }

CBLAS_TRIANGLE(cblas_strmm, "STRMM", TSR_F32, float, tsr_trmm)
CBLAS_TRIANGLE(cblas_dtrmm, "DTRMM", TSR_F64, double, tsr_trmm)
CBLAS_TRIANGLE(cblas_strsm, "STRSM", TSR_F32, float, tsr_trsm)
CBLAS_TRIANGLE(cblas_dtrsm, "DTRSM", TSR_F64, double, tsr_trsm)

#define CBLAS_TRIANGLE_COMPLEX(routine, name, type, compute)                                                       \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans_a,             \
        CBLAS_DIAG diag, blas_int m, blas_int n, const void *alpha, const void *a, blas_int lda, void *b,          \
        blas_int ldb) {                                                                                            \
    cblas(#routine, layout, side, uplo, trans_a, diag,                                                             \
          (struct call){compute, type, name, FACE_TEXT(CBLAS_NAME(routine)), m, n, lda, ldb, alpha, a, b, 0, 0, 0, \
                        0});                                                                                       \
  }

CBLAS_TRIANGLE_COMPLEX(cblas_ctrmm, "CTRMM", TSR_C32, tsr_trmm)
CBLAS_TRIANGLE_COMPLEX(cblas_ztrmm, "ZTRMM", TSR_C64, tsr_trmm)
CBLAS_TRIANGLE_COMPLEX(cblas_ctrsm, "CTRSM", TSR_C32, tsr_trsm)
CBLAS_TRIANGLE_COMPLEX(cblas_ztrsm, "ZTRSM", TSR_C64, tsr_trsm)
