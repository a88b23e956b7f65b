/* The Fortran faces of LAPACK's routines that factor, invert and solve: info says -i for a bad parameter i, which xerbla
 * has been told of, and src/lapack/lapack.h's numbers otherwise. */
#include "src/blas/face.h"
#include "src/lapack/trace.h"

static const bool wide = sizeof(blas_int) == 8;

struct call {
  tsr_type type;
  const char *name, *routine; /* in capitals; as the caller wrote it */
};

/* What every face does last: a parameter was bad, or the computation ran out of memory, or all is well. */
static __attribute__((cold, noinline)) void bad_parameter(const struct call *f, int parameter, blas_int *info) {
  *info = -parameter;
  tsr_report(f->name, parameter);
}
static bool begin(const struct call *f, struct tsr_lapack *call, double *start) {
  tsr_context *context;
  if (tsr_context_get(NULL, &context) != TSR_OK) return false;
  *call = (struct tsr_lapack){context, f->type, f->routine};
  *start = tsr_lapack_trace_begin();
  return true;
}
static blas_int result(const struct call *f, int64_t info) {
  if (__builtin_expect(info < 0, 0)) tsr_complain(f->routine);
  return (blas_int)info;
}

INLINE struct tsr_matrix matrix(const void *a, const blas_int *lda) { return (struct tsr_matrix){(tsr_mem)a, *lda}; }
INLINE double cube(int64_t n) { return (double)n * (double)n * (double)n; }

static void potrf(struct call f, const char *uplo, int64_t n, struct tsr_matrix a, blas_int *info) {
  struct tsr_lapack call;
  double start;
  int letter = tsr_uplo_letter(uplo);
  int bad = letter < 0 ? 1 : n < 0 ? 2 : tsr_bad_ld(f.type, a.ld, n, n) ? 4 : n > 0 && !a.at ? 3 : 0;
  if (bad) return bad_parameter(&f, bad, info);
  if (!begin(&f, &call, &start)) return (void)(*info = result(&f, TSR_LAPACK_NO_MEMORY));
  *info = result(&f, tsr_potrf(&call, (enum tsr_uplo)letter, n, a));
  if (start) tsr_lapack_trace_end(&call, start, n, n, cube(n) / 3);
}

static void getrf(struct call f, int64_t m, int64_t n, struct tsr_matrix a, blas_int *pivots, blas_int *info) {
  struct tsr_lapack call;
  double start;
  bool any = m > 0 && n > 0;
  int bad = m < 0 ? 1 : n < 0 ? 2 : tsr_bad_ld(f.type, a.ld, m, n) ? 4 : any && !a.at ? 3 : any && !pivots ? 5 : 0;
  if (bad) return bad_parameter(&f, bad, info);
  if (!begin(&f, &call, &start)) return (void)(*info = result(&f, TSR_LAPACK_NO_MEMORY));
  *info = result(&f, tsr_getrf(&call, m, n, a, (struct tsr_pivots){pivots, wide}));
  double least = (double)tsr_min(m, n), most = (double)tsr_max(m, n);
  if (start) tsr_lapack_trace_end(&call, start, m, n, least * least * (most - least / 3));
}

static void trtri(struct call f, const char *uplo, const char *diag, int64_t n, struct tsr_matrix a, blas_int *info) {
  struct tsr_lapack call;
  double start;
  int half = tsr_uplo_letter(uplo), unit = tsr_diag_letter(diag);
  int bad = half < 0 ? 1 : unit < 0 ? 2 : n < 0 ? 3 : tsr_bad_ld(f.type, a.ld, n, n) ? 5 : n > 0 && !a.at ? 4 : 0;
  if (bad) return bad_parameter(&f, bad, info);
  if (!begin(&f, &call, &start)) return (void)(*info = result(&f, TSR_LAPACK_NO_MEMORY));
  *info = result(&f, tsr_trtri(&call, (enum tsr_uplo)half, unit, n, a));
  if (start) tsr_lapack_trace_end(&call, start, n, n, cube(n) / 3);
}

/* lauum and potri. */
static void of_triangle(struct call f, int64_t (*compute)(const struct tsr_lapack *, enum tsr_uplo, int64_t,
                                                          struct tsr_matrix),
                        double thirds, const char *uplo, int64_t n, struct tsr_matrix a, blas_int *info) {
  struct tsr_lapack call;
  double start;
  int half = tsr_uplo_letter(uplo);
  int bad = half < 0 ? 1 : n < 0 ? 2 : tsr_bad_ld(f.type, a.ld, n, n) ? 4 : n > 0 && !a.at ? 3 : 0;
  if (bad) return bad_parameter(&f, bad, info);
  if (!begin(&f, &call, &start)) return (void)(*info = result(&f, TSR_LAPACK_NO_MEMORY));
  *info = result(&f, compute(&call, (enum tsr_uplo)half, n, a));
  if (start) tsr_lapack_trace_end(&call, start, n, n, thirds * cube(n) / 3);
}

static void potrs(struct call f, const char *uplo, int64_t n, int64_t columns, struct tsr_matrix a,
                  struct tsr_matrix b, blas_int *info) {
  struct tsr_lapack call;
  double start;
  int half = tsr_uplo_letter(uplo);
  bool any = n > 0 && columns > 0;
  int bad = half < 0 ? 1 : n < 0 ? 2 : columns < 0 ? 3 : tsr_bad_ld(f.type, a.ld, n, n) ? 5
          : tsr_bad_ld(f.type, b.ld, n, columns) ? 7 : any && !a.at ? 4 : any && !b.at ? 6 : 0;
  if (bad) return bad_parameter(&f, bad, info);
  if (!begin(&f, &call, &start)) return (void)(*info = result(&f, TSR_LAPACK_NO_MEMORY));
  *info = result(&f, tsr_potrs(&call, (enum tsr_uplo)half, n, columns, a, b));
  if (start) tsr_lapack_trace_end(&call, start, n, columns, 2 * (double)n * (double)n * (double)columns);
}

static void getrs(struct call f, const char *trans, int64_t n, int64_t columns, struct tsr_matrix a,
                  const blas_int *pivots, struct tsr_matrix b, blas_int *info) {
  struct tsr_lapack call;
  double start;
  int op = tsr_trans_letter(trans);
  bool any = n > 0 && columns > 0;
  int bad = op < 0 ? 1 : n < 0 ? 2 : columns < 0 ? 3 : tsr_bad_ld(f.type, a.ld, n, n) ? 5
          : tsr_bad_ld(f.type, b.ld, n, columns) ? 8 : any && !a.at ? 4 : any && !pivots ? 6 : any && !b.at ? 7 : 0;
  if (bad) return bad_parameter(&f, bad, info);
  if (!begin(&f, &call, &start)) return (void)(*info = result(&f, TSR_LAPACK_NO_MEMORY));
  *info = result(&f, tsr_getrs(&call, (enum tsr_op_of)op, n, columns, a, (struct tsr_pivots){(void *)pivots, wide}, b));
  if (start) tsr_lapack_trace_end(&call, start, n, columns, 2 * (double)n * (double)n * (double)columns);
}

static void gesv(struct call f, int64_t n, int64_t columns, struct tsr_matrix a, blas_int *pivots,
                 struct tsr_matrix b, blas_int *info) {
  struct tsr_lapack call;
  double start;
  int bad = n < 0 ? 1 : columns < 0 ? 2 : tsr_bad_ld(f.type, a.ld, n, n) ? 4
          : tsr_bad_ld(f.type, b.ld, n, columns) ? 7 : n > 0 && !a.at ? 3 : n > 0 && !pivots ? 5
          : n > 0 && columns > 0 && !b.at ? 6 : 0;
  if (bad) return bad_parameter(&f, bad, info);
  if (!begin(&f, &call, &start)) return (void)(*info = result(&f, TSR_LAPACK_NO_MEMORY));
  *info = result(&f, tsr_gesv(&call, n, columns, a, (struct tsr_pivots){pivots, wide}, b));
  if (start) tsr_lapack_trace_end(&call, start, n, columns, 2 * cube(n) / 3 + 2 * (double)n * (double)n * (double)columns);
}

static void laswp(struct call f, int64_t columns, struct tsr_matrix a, int64_t first, int64_t last,
                  const blas_int *pivots, int64_t increment) {
  struct tsr_lapack call;
  double start;
  if (!begin(&f, &call, &start)) return tsr_complain(f.routine);
  tsr_laswp(&call, columns, a, first, last, (struct tsr_pivots){(void *)pivots, wide}, increment);
  if (start) tsr_lapack_trace_end(&call, start, last - first + 1, columns, 0);
}

#define CALL(routine, name, type) ((struct call){type, name, FACE_TEXT(FORTRAN_NAME(routine))})

#define FORTRAN_POTRF(routine, name, type, real)                                                                   \
  FORTRAN(void, routine, const char *uplo, const blas_int *n, real *a, const blas_int *lda, blas_int *info) {      \
    potrf(CALL(routine, name, type), uplo, *n, matrix(a, lda), info);                                              \
  }
FORTRAN_POTRF(spotrf, "SPOTRF", TSR_F32, float)
FORTRAN_POTRF(dpotrf, "DPOTRF", TSR_F64, double)
FORTRAN_POTRF(cpotrf, "CPOTRF", TSR_C32, float)
FORTRAN_POTRF(zpotrf, "ZPOTRF", TSR_C64, double)

#define FORTRAN_GETRF(routine, name, type, real)                                                                   \
  FORTRAN(void, routine, const blas_int *m, const blas_int *n, real *a, const blas_int *lda, blas_int *ipiv,       \
          blas_int *info) {                                                                                        \
    getrf(CALL(routine, name, type), *m, *n, matrix(a, lda), ipiv, info);                                          \
  }
FORTRAN_GETRF(sgetrf, "SGETRF", TSR_F32, float)
FORTRAN_GETRF(dgetrf, "DGETRF", TSR_F64, double)
FORTRAN_GETRF(cgetrf, "CGETRF", TSR_C32, float)
FORTRAN_GETRF(zgetrf, "ZGETRF", TSR_C64, double)

#define FORTRAN_TRTRI(routine, name, type, real)                                                                   \
  FORTRAN(void, routine, const char *uplo, const char *diag, const blas_int *n, real *a, const blas_int *lda,      \
          blas_int *info) {                                                                                        \
    trtri(CALL(routine, name, type), uplo, diag, *n, matrix(a, lda), info);                                        \
  }
FORTRAN_TRTRI(strtri, "STRTRI", TSR_F32, float)
FORTRAN_TRTRI(dtrtri, "DTRTRI", TSR_F64, double)
FORTRAN_TRTRI(ctrtri, "CTRTRI", TSR_C32, float)
FORTRAN_TRTRI(ztrtri, "ZTRTRI", TSR_C64, double)

#define FORTRAN_LAUUM(routine, name, type, real)                                                                   \
  FORTRAN(void, routine, const char *uplo, const blas_int *n, real *a, const blas_int *lda, blas_int *info) {      \
    of_triangle(CALL(routine, name, type), tsr_lauum, 1, uplo, *n, matrix(a, lda), info);                          \
  }
FORTRAN_LAUUM(slauum, "SLAUUM", TSR_F32, float)
FORTRAN_LAUUM(dlauum, "DLAUUM", TSR_F64, double)
FORTRAN_LAUUM(clauum, "CLAUUM", TSR_C32, float)
FORTRAN_LAUUM(zlauum, "ZLAUUM", TSR_C64, double)

#define FORTRAN_POTRI(routine, name, type, real)                                                                   \
  FORTRAN(void, routine, const char *uplo, const blas_int *n, real *a, const blas_int *lda, blas_int *info) {      \
    of_triangle(CALL(routine, name, type), tsr_potri, 2, uplo, *n, matrix(a, lda), info);                          \
  }
FORTRAN_POTRI(spotri, "SPOTRI", TSR_F32, float)
FORTRAN_POTRI(dpotri, "DPOTRI", TSR_F64, double)
FORTRAN_POTRI(cpotri, "CPOTRI", TSR_C32, float)
FORTRAN_POTRI(zpotri, "ZPOTRI", TSR_C64, double)

#define FORTRAN_POTRS(routine, name, type, real)                                                                   \
  FORTRAN(void, routine, const char *uplo, const blas_int *n, const blas_int *nrhs, const real *a,                 \
          const blas_int *lda, real *b, const blas_int *ldb, blas_int *info) {                                     \
    potrs(CALL(routine, name, type), uplo, *n, *nrhs, matrix(a, lda), matrix(b, ldb), info);                       \
  }
FORTRAN_POTRS(spotrs, "SPOTRS", TSR_F32, float)
FORTRAN_POTRS(dpotrs, "DPOTRS", TSR_F64, double)
FORTRAN_POTRS(cpotrs, "CPOTRS", TSR_C32, float)
FORTRAN_POTRS(zpotrs, "ZPOTRS", TSR_C64, double)

#define FORTRAN_GETRS(routine, name, type, real)                                                                   \
  FORTRAN(void, routine, const char *trans, const blas_int *n, const blas_int *nrhs, const real *a,                \
          const blas_int *lda, const blas_int *ipiv, real *b, const blas_int *ldb, blas_int *info) {               \
    getrs(CALL(routine, name, type), trans, *n, *nrhs, matrix(a, lda), ipiv, matrix(b, ldb), info);                \
  }
FORTRAN_GETRS(sgetrs, "SGETRS", TSR_F32, float)
FORTRAN_GETRS(dgetrs, "DGETRS", TSR_F64, double)
FORTRAN_GETRS(cgetrs, "CGETRS", TSR_C32, float)
FORTRAN_GETRS(zgetrs, "ZGETRS", TSR_C64, double)

#define FORTRAN_GESV(routine, name, type, real)                                                                    \
  FORTRAN(void, routine, const blas_int *n, const blas_int *nrhs, real *a, const blas_int *lda, blas_int *ipiv,    \
          real *b, const blas_int *ldb, blas_int *info) {                                                          \
    gesv(CALL(routine, name, type), *n, *nrhs, matrix(a, lda), ipiv, matrix(b, ldb), info);                        \
  }
FORTRAN_GESV(sgesv, "SGESV ", TSR_F32, float)
FORTRAN_GESV(dgesv, "DGESV ", TSR_F64, double)
FORTRAN_GESV(cgesv, "CGESV ", TSR_C32, float)
FORTRAN_GESV(zgesv, "ZGESV ", TSR_C64, double)

#define FORTRAN_LASWP(routine, name, type, real)                                                                   \
  FORTRAN(void, routine, const blas_int *n, real *a, const blas_int *lda, const blas_int *k1, const blas_int *k2,  \
          const blas_int *ipiv, const blas_int *incx) {                                                            \
    laswp(CALL(routine, name, type), *n, matrix(a, lda), *k1, *k2, ipiv, *incx);                                   \
  }
FORTRAN_LASWP(slaswp, "SLASWP", TSR_F32, float)
FORTRAN_LASWP(dlaswp, "DLASWP", TSR_F64, double)
FORTRAN_LASWP(claswp, "CLASWP", TSR_C32, float)
FORTRAN_LASWP(zlaswp, "ZLASWP", TSR_C64, double)
