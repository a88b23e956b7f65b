/* BLAS faces of symmetric and Hermitian products and of triangles of products. Each turns its arguments into one
 * column-major call, checks them in the reference's order, and hands the problem to level 3. */
#include "src/blas/face.h"
#include "src/level3/level3.h"

/* A routine: what it is called, and which of its type's cases it is. */
struct face {
  tsr_type type;
  bool hermitian;
  const char *name, *routine; /* in capitals; as the caller wrote it */
};

typedef tsr_status tsr_compute(const tsr_context *context, const struct tsr_level3 *p, const char *routine);

INLINE bool is_complex(tsr_type type) { return type == TSR_C32 || type == TSR_C64; }

INLINE bool is_zero(const double scalar[2]) { return scalar[0] == 0 && scalar[1] == 0; }

INLINE void run(tsr_compute *compute, const struct tsr_level3 *p, const char *routine) {
  tsr_context *context;
  if (tsr_context_get(NULL, &context) != TSR_OK || compute(context, p, routine) != TSR_OK) tsr_complain(routine);
}

/* The first bad parameter of a Fortran call after its letters, 0 for none: the reference's tests and, since it would
 * crash, NULL. */
INLINE int bad_symm(const struct tsr_level3 *p) {
  int64_t order = p->side == TSR_LEFT ? p->m : p->n;
  if (p->m < 0) return 3;
  if (p->n < 0) return 4;
  if (tsr_bad_ld(p->type, p->lda, order, order)) return 7;
  if (tsr_bad_ld(p->type, p->ldb, p->m, p->n)) return 9;
  if (tsr_bad_ld(p->type, p->ldc, p->m, p->n)) return 12;
  if (p->m == 0 || p->n == 0) return 0;
  if (!is_zero(p->alpha) && !p->a) return 6;
  if (!is_zero(p->alpha) && !p->b) return 8;
  return p->c ? 0 : 11;
}

/* With one operand (syrk) or two (syr2k). */
INLINE int bad_rank(const struct tsr_level3 *p, bool two) {
  int64_t rows = p->op_a == TSR_OP_N ? p->n : p->k, cols = p->op_a == TSR_OP_N ? p->k : p->n;
  if (p->n < 0) return 3;
  if (p->k < 0) return 4;
  if (tsr_bad_ld(p->type, p->lda, rows, cols)) return 7;
  if (two && tsr_bad_ld(p->type, p->ldb, rows, cols)) return 9;
  if (tsr_bad_ld(p->type, p->ldc, p->n, p->n)) return two ? 12 : 10;
  if (p->n == 0) return 0;
  bool reads = p->k > 0 && !is_zero(p->alpha);
  if (reads && !p->a) return 6;
  if (reads && two && !p->b) return 8;
  return p->c ? 0 : two ? 11 : 9;
}

INLINE int bad_gemmt(const struct tsr_level3 *p) {
  bool ta = p->op_a != TSR_OP_N, tb = p->op_b != TSR_OP_N;
  if (p->n < 0) return 4;
  if (p->k < 0) return 5;
  if (tsr_bad_ld(p->type, p->lda, ta ? p->k : p->n, ta ? p->n : p->k)) return 8;
  if (tsr_bad_ld(p->type, p->ldb, tb ? p->n : p->k, tb ? p->k : p->n)) return 10;
  if (tsr_bad_ld(p->type, p->ldc, p->n, p->n)) return 13;
  if (p->n == 0) return 0;
  if (p->k > 0 && !is_zero(p->alpha)) {
    if (!p->a) return 7;
    if (!p->b) return 9;
  }
  return p->c ? 0 : 12;
}

/* Whether syrk and its kin take this transpose: real ones all, complex ones their own. */
INLINE bool takes_trans(const struct face *f, int trans) {
  return trans == 0 || (trans > 0 && (!is_complex(f->type) || trans == (f->hermitian ? 2 : 1)));
}

INLINE void fortran_symm(struct face f, const char *side, const char *uplo, struct tsr_level3 p) {
  int s = tsr_side_letter(side), u = tsr_uplo_letter(uplo);
  p.side = s == 1 ? TSR_RIGHT : TSR_LEFT;
  p.uplo = u == 1 ? TSR_UPLO_LOWER : TSR_UPLO_UPPER;
  int bad = s < 0 ? 1 : u < 0 ? 2 : bad_symm(&p);
  if (__builtin_expect(bad != 0, 0)) return tsr_report(f.name, bad);
  run(tsr_symm, &p, f.routine);
}

INLINE void fortran_rank(struct face f, bool two, const char *uplo, const char *trans, struct tsr_level3 p) {
  int u = tsr_uplo_letter(uplo), t = tsr_trans_letter(trans);
  p.uplo = u == 1 ? TSR_UPLO_LOWER : TSR_UPLO_UPPER;
  p.op_a = (enum tsr_op_of)(t > 0 ? t : 0);
  int bad = u < 0 ? 1 : !takes_trans(&f, t) ? 2 : bad_rank(&p, two);
  if (__builtin_expect(bad != 0, 0)) return tsr_report(f.name, bad);
  run(two ? tsr_syr2k : tsr_syrk, &p, f.routine);
}

INLINE void fortran_gemmt(struct face f, const char *uplo, const char *transa, const char *transb,
                          struct tsr_level3 p) {
  int u = tsr_uplo_letter(uplo), ta = tsr_trans_letter(transa), tb = tsr_trans_letter(transb);
  p.uplo = u == 1 ? TSR_UPLO_LOWER : TSR_UPLO_UPPER;
  p.op_a = (enum tsr_op_of)(ta > 0 ? ta : 0);
  p.op_b = (enum tsr_op_of)(tb > 0 ? tb : 0);
  int bad = u < 0 ? 1 : ta < 0 ? 2 : tb < 0 ? 3 : bad_gemmt(&p);
  if (__builtin_expect(bad != 0, 0)) return tsr_report(f.name, bad);
  run(tsr_gemmt, &p, f.routine);
}

/* A row-major matrix is the transpose of a column-major one: its lower triangle is the upper one there. */
INLINE enum tsr_uplo uplo_for(bool row_major, int uplo) {
  return (uplo == 1) != row_major ? TSR_UPLO_LOWER : TSR_UPLO_UPPER;
}

/* `face` is "cblas_dsymm" and so on, whatever the size of integers. */
INLINE void cblas_symm(struct face f, const char *face, CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo,
                       struct tsr_level3 p) {
  bool row_major = layout == CblasRowMajor;
  int s = tsr_side_enum(side), u = tsr_uplo_enum(uplo);
  if (!row_major && layout != CblasColMajor) return tsr_report_enum(face, false, 1, "layout", layout);
  if (s < 0) return tsr_report_enum(face, row_major, 2, "Side", side);
  if (u < 0) return tsr_report_enum(face, row_major, 3, "Uplo", uplo);
  p.side = (s == 1) != row_major ? TSR_RIGHT : TSR_LEFT;
  p.uplo = uplo_for(row_major, u);
  if (row_major) {
    int64_t m = p.m;
    p.m = p.n, p.n = m;
  }
  int bad = bad_symm(&p);
  if (__builtin_expect(bad != 0, 0)) return tsr_report_cblas(f.name, row_major, bad);
  run(tsr_symm, &p, f.routine);
}

INLINE void cblas_rank(struct face f, const char *face, bool two, CBLAS_LAYOUT layout, CBLAS_UPLO uplo,
                       CBLAS_TRANSPOSE trans, struct tsr_level3 p) {
  bool row_major = layout == CblasRowMajor;
  int u = tsr_uplo_enum(uplo), t = tsr_trans_enum(trans);
  if (!row_major && layout != CblasColMajor) return tsr_report_enum(face, false, 1, "layout", layout);
  if (u < 0) return tsr_report_enum(face, row_major, 2, "Uplo", uplo);
  if (!takes_trans(&f, t)) return tsr_report_enum(face, row_major, 3, "Trans", trans);
  p.uplo = uplo_for(row_major, u);
  p.op_a = (t == 0) == row_major ? (f.hermitian ? TSR_OP_C : TSR_OP_T) : TSR_OP_N;
  if (row_major && f.hermitian) p.alpha[1] = -p.alpha[1];
  int bad = bad_rank(&p, two);
  if (__builtin_expect(bad != 0, 0)) return tsr_report_cblas(f.name, row_major, bad);
  run(two ? tsr_syr2k : tsr_syrk, &p, f.routine);
}

INLINE void cblas_gemmt(struct face f, const char *face, CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE transa,
                        CBLAS_TRANSPOSE transb, struct tsr_level3 p) {
  bool row_major = layout == CblasRowMajor;
  int u = tsr_uplo_enum(uplo), ta = tsr_trans_enum(transa), tb = tsr_trans_enum(transb);
  if (!row_major && layout != CblasColMajor) return tsr_report_enum(face, false, 1, "layout", layout);
  if (u < 0) return tsr_report_enum(face, row_major, 2, "Uplo", uplo);
  if (ta < 0) return tsr_report_enum(face, row_major, 3, "TransA", transa);
  if (tb < 0) return tsr_report_enum(face, row_major, 4, "TransB", transb);
  p.uplo = uplo_for(row_major, u);
  p.op_a = (enum tsr_op_of)(row_major ? tb : ta);
  p.op_b = (enum tsr_op_of)(row_major ? ta : tb);
  if (row_major) {
    tsr_mem a = p.a;
    int64_t lda = p.lda;
    p.a = p.b, p.lda = p.ldb;
    p.b = a, p.ldb = lda;
  }
  int bad = bad_gemmt(&p);
  if (row_major && (bad == 7 || bad == 9)) bad = 16 - bad; /* the handler knows of leading dimensions only */
  if (__builtin_expect(bad != 0, 0)) return tsr_report_cblas(f.name, row_major, bad);
  run(tsr_gemmt, &p, f.routine);
}

#define FACE(routine, name, type, hermitian) ((struct face){type, hermitian, name, FACE_TEXT(routine)})
#define SCALAR(pointer, type) {(pointer)[0], is_complex(type) ? (pointer)[1] : 0}

/* Fortran. */
#define FORTRAN_SYMM(routine, NAME, TYPE, HERMITIAN, real)                                                             \
  FORTRAN(void, routine, const char *side, const char *uplo, const blas_int *m, const blas_int *n, const real *alpha,  \
          const real *a, const blas_int *lda, const real *b, const blas_int *ldb, const real *beta, real *c,           \
          const blas_int *ldc) {                                                                                       \
    fortran_symm(FACE(FORTRAN_NAME(routine), NAME, TYPE, HERMITIAN), side, uplo,                                       \
                 (struct tsr_level3){.type = TYPE, .hermitian = HERMITIAN, .m = *m, .n = *n,                           \
                                     .alpha = SCALAR(alpha, TYPE), .beta = SCALAR(beta, TYPE), .a = (tsr_mem)a,        \
                                     .b = (tsr_mem)b, .c = (tsr_mem)c, .lda = *lda, .ldb = *ldb, .ldc = *ldc});        \
  }
FORTRAN_SYMM(ssymm, "SSYMM", TSR_F32, false, float)
FORTRAN_SYMM(dsymm, "DSYMM", TSR_F64, false, double)
FORTRAN_SYMM(csymm, "CSYMM", TSR_C32, false, float)
FORTRAN_SYMM(zsymm, "ZSYMM", TSR_C64, false, double)
FORTRAN_SYMM(chemm, "CHEMM", TSR_C32, true, float)
FORTRAN_SYMM(zhemm, "ZHEMM", TSR_C64, true, double)

#define FORTRAN_SYRK(routine, NAME, TYPE, HERMITIAN, real)                                                             \
  FORTRAN(void, routine, const char *uplo, const char *trans, const blas_int *n, const blas_int *k, const real *alpha, \
          const real *a, const blas_int *lda, const real *beta, real *c, const blas_int *ldc) {                        \
    bool parts = is_complex(TYPE) && !HERMITIAN;                                                                       \
    fortran_rank(FACE(FORTRAN_NAME(routine), NAME, TYPE, HERMITIAN), false, uplo, trans,                               \
                 (struct tsr_level3){.type = TYPE, .hermitian = HERMITIAN, .n = *n, .k = *k,                           \
                                     .alpha = {alpha[0], parts ? alpha[1] : 0},                                        \
                                     .beta = {beta[0], parts ? beta[1] : 0}, .a = (tsr_mem)a, .c = (tsr_mem)c,         \
                                     .lda = *lda, .ldc = *ldc});                                                       \
  }
FORTRAN_SYRK(ssyrk, "SSYRK", TSR_F32, false, float)
FORTRAN_SYRK(dsyrk, "DSYRK", TSR_F64, false, double)
FORTRAN_SYRK(csyrk, "CSYRK", TSR_C32, false, float)
FORTRAN_SYRK(zsyrk, "ZSYRK", TSR_C64, false, double)
FORTRAN_SYRK(cherk, "CHERK", TSR_C32, true, float)
FORTRAN_SYRK(zherk, "ZHERK", TSR_C64, true, double)

#define FORTRAN_SYR2K(routine, NAME, TYPE, HERMITIAN, real)                                                            \
  FORTRAN(void, routine, const char *uplo, const char *trans, const blas_int *n, const blas_int *k, const real *alpha, \
          const real *a, const blas_int *lda, const real *b, const blas_int *ldb, const real *beta, real *c,           \
          const blas_int *ldc) {                                                                                       \
    bool parts = is_complex(TYPE) && !HERMITIAN;                                                                       \
    fortran_rank(FACE(FORTRAN_NAME(routine), NAME, TYPE, HERMITIAN), true, uplo, trans,                                \
                 (struct tsr_level3){.type = TYPE, .hermitian = HERMITIAN, .n = *n, .k = *k,                           \
                                     .alpha = SCALAR(alpha, TYPE), .beta = {beta[0], parts ? beta[1] : 0},             \
                                     .a = (tsr_mem)a, .b = (tsr_mem)b, .c = (tsr_mem)c, .lda = *lda, .ldb = *ldb,      \
                                     .ldc = *ldc});                                                                    \
  }
FORTRAN_SYR2K(ssyr2k, "SSYR2K", TSR_F32, false, float)
FORTRAN_SYR2K(dsyr2k, "DSYR2K", TSR_F64, false, double)
FORTRAN_SYR2K(csyr2k, "CSYR2K", TSR_C32, false, float)
FORTRAN_SYR2K(zsyr2k, "ZSYR2K", TSR_C64, false, double)
FORTRAN_SYR2K(cher2k, "CHER2K", TSR_C32, true, float)
FORTRAN_SYR2K(zher2k, "ZHER2K", TSR_C64, true, double)

#define FORTRAN_GEMMT(routine, NAME, TYPE, real)                                                                       \
  FORTRAN(void, routine, const char *uplo, const char *transa, const char *transb, const blas_int *n,                  \
          const blas_int *k, const real *alpha, const real *a, const blas_int *lda, const real *b,                     \
          const blas_int *ldb, const real *beta, real *c, const blas_int *ldc) {                                       \
    fortran_gemmt(FACE(FORTRAN_NAME(routine), NAME, TYPE, false), uplo, transa, transb,                                \
                  (struct tsr_level3){.type = TYPE, .n = *n, .k = *k, .alpha = SCALAR(alpha, TYPE),                    \
                                      .beta = SCALAR(beta, TYPE), .a = (tsr_mem)a, .b = (tsr_mem)b, .c = (tsr_mem)c,   \
                                      .lda = *lda, .ldb = *ldb, .ldc = *ldc});                                         \
  }
FORTRAN_GEMMT(sgemmt, "SGEMMT", TSR_F32, float)
FORTRAN_GEMMT(dgemmt, "DGEMMT", TSR_F64, double)
FORTRAN_GEMMT(cgemmt, "CGEMMT", TSR_C32, float)
FORTRAN_GEMMT(zgemmt, "ZGEMMT", TSR_C64, double)

/* CBLAS: real scalars come by value, complex ones by address (x is alpha, y beta). */
#define SCALARS(x0, x1, y0, y1) .alpha = {x0, x1}, .beta = {y0, y1}
#define MATRICES .a = (tsr_mem)a, .b = (tsr_mem)b, .c = (tsr_mem)c, .lda = lda, .ldb = ldb, .ldc = ldc

#define CBLAS_SYMM(routine, NAME, TYPE, real)                                                                          \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, blas_int m, blas_int n, real alpha,      \
        const real *a, blas_int lda, const real *b, blas_int ldb, real beta, real *c, blas_int ldc) {                  \
    cblas_symm(FACE(CBLAS_NAME(routine), NAME, TYPE, false), #routine, layout, side, uplo,                             \
               (struct tsr_level3){.type = TYPE, .m = m, .n = n, SCALARS(alpha, 0, beta, 0), MATRICES});               \
  }
CBLAS_SYMM(cblas_ssymm, "SSYMM", TSR_F32, float)
CBLAS_SYMM(cblas_dsymm, "DSYMM", TSR_F64, double)

#define CBLAS_SYMM_COMPLEX(routine, NAME, TYPE, HERMITIAN, real)                                                       \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_SIDE side, CBLAS_UPLO uplo, blas_int m, blas_int n,                  \
        const void *alpha, const void *a, blas_int lda, const void *b, blas_int ldb, const void *beta, void *c,        \
        blas_int ldc) {                                                                                                \
    const real *x = alpha, *y = beta;                                                                                  \
    cblas_symm(FACE(CBLAS_NAME(routine), NAME, TYPE, HERMITIAN), #routine, layout, side, uplo,                         \
               (struct tsr_level3){.type = TYPE, .hermitian = HERMITIAN, .m = m, .n = n,                               \
                                   SCALARS(x[0], x[1], y[0], y[1]), MATRICES});                                        \
  }
CBLAS_SYMM_COMPLEX(cblas_csymm, "CSYMM", TSR_C32, false, float)
CBLAS_SYMM_COMPLEX(cblas_zsymm, "ZSYMM", TSR_C64, false, double)
CBLAS_SYMM_COMPLEX(cblas_chemm, "CHEMM", TSR_C32, true, float)
CBLAS_SYMM_COMPLEX(cblas_zhemm, "ZHEMM", TSR_C64, true, double)

/* Real alpha and beta: of real types and of Hermitian products. */
#define CBLAS_SYRK(routine, NAME, TYPE, HERMITIAN, real, element)                                                      \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, blas_int n, blas_int k,            \
        real alpha, const element *a, blas_int lda, real beta, element *c, blas_int ldc) {                             \
    cblas_rank(FACE(CBLAS_NAME(routine), NAME, TYPE, HERMITIAN), #routine, false, layout, uplo, trans,                 \
               (struct tsr_level3){.type = TYPE, .hermitian = HERMITIAN, .n = n, .k = k, SCALARS(alpha, 0, beta, 0),   \
                                   .a = (tsr_mem)a, .c = (tsr_mem)c, .lda = lda, .ldc = ldc});                         \
  }
CBLAS_SYRK(cblas_ssyrk, "SSYRK", TSR_F32, false, float, float)
CBLAS_SYRK(cblas_dsyrk, "DSYRK", TSR_F64, false, double, double)
CBLAS_SYRK(cblas_cherk, "CHERK", TSR_C32, true, float, void)
CBLAS_SYRK(cblas_zherk, "ZHERK", TSR_C64, true, double, void)

#define CBLAS_SYRK_COMPLEX(routine, NAME, TYPE, real)                                                                  \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, blas_int n, blas_int k,            \
        const void *alpha, const void *a, blas_int lda, const void *beta, void *c, blas_int ldc) {                     \
    const real *x = alpha, *y = beta;                                                                                  \
    cblas_rank(FACE(CBLAS_NAME(routine), NAME, TYPE, false), #routine, false, layout, uplo, trans,                     \
               (struct tsr_level3){.type = TYPE, .n = n, .k = k, SCALARS(x[0], x[1], y[0], y[1]), .a = (tsr_mem)a,     \
                                   .c = (tsr_mem)c, .lda = lda, .ldc = ldc});                                          \
  }
CBLAS_SYRK_COMPLEX(cblas_csyrk, "CSYRK", TSR_C32, float)
CBLAS_SYRK_COMPLEX(cblas_zsyrk, "ZSYRK", TSR_C64, double)

#define CBLAS_SYR2K(routine, NAME, TYPE, real)                                                                         \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, blas_int n, blas_int k,            \
        real alpha, const real *a, blas_int lda, const real *b, blas_int ldb, real beta, real *c, blas_int ldc) {      \
    cblas_rank(FACE(CBLAS_NAME(routine), NAME, TYPE, false), #routine, true, layout, uplo, trans,                      \
               (struct tsr_level3){.type = TYPE, .n = n, .k = k, SCALARS(alpha, 0, beta, 0), MATRICES});               \
  }
CBLAS_SYR2K(cblas_ssyr2k, "SSYR2K", TSR_F32, float)
CBLAS_SYR2K(cblas_dsyr2k, "DSYR2K", TSR_F64, double)

#define CBLAS_SYR2K_COMPLEX(routine, NAME, TYPE, real)                                                                 \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, blas_int n, blas_int k,            \
        const void *alpha, const void *a, blas_int lda, const void *b, blas_int ldb, const void *beta, void *c,        \
        blas_int ldc) {                                                                                                \
    const real *x = alpha, *y = beta;                                                                                  \
    cblas_rank(FACE(CBLAS_NAME(routine), NAME, TYPE, false), #routine, true, layout, uplo, trans,                      \
               (struct tsr_level3){.type = TYPE, .n = n, .k = k, SCALARS(x[0], x[1], y[0], y[1]), MATRICES});          \
  }
CBLAS_SYR2K_COMPLEX(cblas_csyr2k, "CSYR2K", TSR_C32, float)
CBLAS_SYR2K_COMPLEX(cblas_zsyr2k, "ZSYR2K", TSR_C64, double)

#define CBLAS_HER2K(routine, NAME, TYPE, real)                                                                         \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans, blas_int n, blas_int k,            \
        const void *alpha, const void *a, blas_int lda, const void *b, blas_int ldb, real beta, void *c,               \
        blas_int ldc) {                                                                                                \
    const real *x = alpha;                                                                                             \
    cblas_rank(FACE(CBLAS_NAME(routine), NAME, TYPE, true), #routine, true, layout, uplo, trans,                       \
               (struct tsr_level3){.type = TYPE, .hermitian = true, .n = n, .k = k, SCALARS(x[0], x[1], beta, 0),      \
                                   MATRICES});                                                                         \
  }
CBLAS_HER2K(cblas_cher2k, "CHER2K", TSR_C32, float)
CBLAS_HER2K(cblas_zher2k, "ZHER2K", TSR_C64, double)

#define CBLAS_GEMMT(routine, NAME, TYPE, real)                                                                         \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b,         \
        blas_int n, blas_int k, real alpha, const real *a, blas_int lda, const real *b, blas_int ldb, real beta,       \
        real *c, blas_int ldc) {                                                                                       \
    cblas_gemmt(FACE(CBLAS_NAME(routine), NAME, TYPE, false), #routine, layout, uplo, trans_a, trans_b,                \
                (struct tsr_level3){.type = TYPE, .n = n, .k = k, SCALARS(alpha, 0, beta, 0), MATRICES});              \
  }
CBLAS_GEMMT(cblas_sgemmt, "SGEMMT", TSR_F32, float)
CBLAS_GEMMT(cblas_dgemmt, "DGEMMT", TSR_F64, double)

#define CBLAS_GEMMT_COMPLEX(routine, NAME, TYPE, real)                                                                 \
  CBLAS(void, routine, CBLAS_LAYOUT layout, CBLAS_UPLO uplo, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b,         \
        blas_int n, blas_int k, const void *alpha, const void *a, blas_int lda, const void *b, blas_int ldb,           \
        const void *beta, void *c, blas_int ldc) {                                                                     \
    const real *x = alpha, *y = beta;                                                                                  \
    cblas_gemmt(FACE(CBLAS_NAME(routine), NAME, TYPE, false), #routine, layout, uplo, trans_a, trans_b,                \
                (struct tsr_level3){.type = TYPE, .n = n, .k = k, SCALARS(x[0], x[1], y[0], y[1]), MATRICES});         \
  }
CBLAS_GEMMT_COMPLEX(cblas_cgemmt, "CGEMMT", TSR_C32, float)
CBLAS_GEMMT_COMPLEX(cblas_zgemmt, "ZGEMMT", TSR_C64, double)
