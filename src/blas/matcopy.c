/* omatcopy and imatcopy: extensions with the arguments that OpenBLAS gives them. */
#include "src/blas/face.h"
#include "src/level3/matcopy.h"

/* A call in Fortran's terms; `order` and `trans` as numbers, -1 where they are none. */
struct call {
  tsr_type type;
  const char *name, *face;
  int order, trans; /* 0 column-major, 1 row-major; 0 N, 1 T, 2 C, 3 conjugated only */
  int64_t rows, columns, lda, ldb;
  double re, im;
  const void *a;
  void *b;
};

INLINE int order_letter(const char *letter) {
  int lower = tsr_letter(letter);
  return lower == 'c' ? 0 : lower == 'r' ? 1 : -1;
}
INLINE int trans_letter(const char *letter) { return tsr_letter(letter) == 'r' ? 3 : tsr_trans_letter(letter); }
INLINE int order_enum(CBLAS_LAYOUT layout) { return layout == CblasColMajor ? 0 : layout == CblasRowMajor ? 1 : -1; }
INLINE int trans_enum(CBLAS_TRANSPOSE t) { return t == CblasConjNoTrans ? 3 : tsr_trans_enum(t); }

/* The first bad parameter; the number of ldb, which depends on the routine, is given. */
static int first_bad(const struct call *c, int number_of_ldb) {
  bool turned = c->trans == 1 || c->trans == 2;
  int64_t down = c->order ? c->columns : c->rows, across = c->order ? c->rows : c->columns;
  if (c->order < 0) return 1;
  if (c->trans < 0) return 2;
  if (c->rows < 0) return 3;
  if (c->columns < 0) return 4;
  if (tsr_bad_ld(c->type, c->lda, down, across)) return 7;
  if (tsr_bad_ld(c->type, c->ldb, turned ? across : down, turned ? down : across)) return number_of_ldb;
  return 0;
}

/* A row-major matrix is a column-major one turned over. */
static struct tsr_matcopy copy_of(const struct call *c) {
  return (struct tsr_matcopy){.type = c->type, .trans = c->trans == 1 || c->trans == 2,
                              .conj = c->trans >= 2 && (c->type == TSR_C32 || c->type == TSR_C64),
                              .rows = c->order ? c->columns : c->rows, .columns = c->order ? c->rows : c->columns,
                              .lda = c->lda, .ldb = c->ldb, .alpha = {c->re, c->im}, .a = (tsr_mem)c->a,
                              .b = (tsr_mem)c->b};
}

static void out_of_place(struct call c) {
  int bad = first_bad(&c, 9);
  struct tsr_matcopy copy = copy_of(&c);
  tsr_context *context;
  if (bad) return tsr_report(c.name, bad);
  if (tsr_context_get(NULL, &context) != TSR_OK) return tsr_complain(c.face);
  tsr_matcopy(context, &copy);
}

static void in_place(struct call c) {
  int bad = first_bad(&c, 8);
  struct tsr_matcopy copy = copy_of(&c);
  tsr_context *context;
  if (bad) return tsr_report(c.name, bad);
  if (tsr_context_get(NULL, &context) != TSR_OK || tsr_matcopy_in_place(context, &copy) != TSR_OK)
    tsr_complain(c.face);
}

#define OMATCOPY(routine, name, type, real, is_complex)                                                            \
  FORTRAN(void, routine, const char *order, const char *trans, const blas_int *rows, const blas_int *columns,      \
          const real *alpha, const real *a, const blas_int *lda, real *b, const blas_int *ldb) {                   \
    out_of_place((struct call){type, name, #routine, order_letter(order), trans_letter(trans), *rows, *columns,    \
                               *lda, *ldb, alpha[0], is_complex ? alpha[is_complex] : 0, a, b});                   \
  }
OMATCOPY(somatcopy, "SOMATCOPY", TSR_F32, float, 0)
OMATCOPY(domatcopy, "DOMATCOPY", TSR_F64, double, 0)
OMATCOPY(comatcopy, "COMATCOPY", TSR_C32, float, 1)
OMATCOPY(zomatcopy, "ZOMATCOPY", TSR_C64, double, 1)

#define IMATCOPY(routine, name, type, real, is_complex)                                                            \
  FORTRAN(void, routine, const char *order, const char *trans, const blas_int *rows, const blas_int *columns,      \
          const real *alpha, real *a, const blas_int *lda, const blas_int *ldb) {                                  \
    in_place((struct call){type, name, #routine, order_letter(order), trans_letter(trans), *rows, *columns, *lda,  \
                           *ldb, alpha[0], is_complex ? alpha[is_complex] : 0, a, a});                             \
  }
IMATCOPY(simatcopy, "SIMATCOPY", TSR_F32, float, 0)
IMATCOPY(dimatcopy, "DIMATCOPY", TSR_F64, double, 0)
IMATCOPY(cimatcopy, "CIMATCOPY", TSR_C32, float, 1)
IMATCOPY(zimatcopy, "ZIMATCOPY", TSR_C64, double, 1)

#define CBLAS_MATCOPY(out, in, name_out, name_in, type, real)                                                      \
  CBLAS(void, out, CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, blas_int rows, blas_int columns, real alpha,        \
        const real *a, blas_int lda, real *b, blas_int ldb) {                                                      \
    out_of_place((struct call){type, name_out, #out, order_enum(layout), trans_enum(trans), rows, columns, lda,    \
                               ldb, alpha, 0, a, b});                                                              \
  }                                                                                                                \
  CBLAS(void, in, CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, blas_int rows, blas_int columns, real alpha, real *a, \
        blas_int lda, blas_int ldb) {                                                                              \
    in_place((struct call){type, name_in, #in, order_enum(layout), trans_enum(trans), rows, columns, lda, ldb,     \
                           alpha, 0, a, a});                                                                       \
  }
CBLAS_MATCOPY(cblas_somatcopy, cblas_simatcopy, "SOMATCOPY", "SIMATCOPY", TSR_F32, float)
CBLAS_MATCOPY(cblas_domatcopy, cblas_dimatcopy, "DOMATCOPY", "DIMATCOPY", TSR_F64, double)

#define CBLAS_MATCOPY_COMPLEX(out, in, name_out, name_in, type, real)                                              \
  CBLAS(void, out, CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, blas_int rows, blas_int columns, const void *alpha, \
        const void *a, blas_int lda, void *b, blas_int ldb) {                                                      \
    const real *x = alpha;                                                                                         \
    out_of_place((struct call){type, name_out, #out, order_enum(layout), trans_enum(trans), rows, columns, lda,    \
                               ldb, x[0], x[1], a, b});                                                            \
  }                                                                                                                \
  CBLAS(void, in, CBLAS_LAYOUT layout, CBLAS_TRANSPOSE trans, blas_int rows, blas_int columns, const void *alpha,  \
        void *a, blas_int lda, blas_int ldb) {                                                                     \
    const real *x = alpha;                                                                                         \
    in_place((struct call){type, name_in, #in, order_enum(layout), trans_enum(trans), rows, columns, lda, ldb,     \
                           x[0], x[1], a, a});                                                                     \
  }
CBLAS_MATCOPY_COMPLEX(cblas_comatcopy, cblas_cimatcopy, "COMATCOPY", "CIMATCOPY", TSR_C32, float)
CBLAS_MATCOPY_COMPLEX(cblas_zomatcopy, cblas_zimatcopy, "ZOMATCOPY", "ZIMATCOPY", TSR_C64, double)
