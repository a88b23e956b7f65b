/* sgemm_pack, sgemm_compute and the like, as MKL declares them: an operand of many products is laid out once. What the
 * memory holds is a private matter: here a head and the operand, untransposed for its role, its columns or rows side by
 * side, aligned. alpha is kept and takes part when the product is computed, so the bits are those of gemm. */
#include <string.h>

#include "src/blas/gemm_call.h"
#include "src/level3/matcopy.h"

#define MAGIC 0x54455353504b4d31u
#define ALIGN 64

struct head {
  uint64_t magic;
  int64_t rows, columns; /* of op(A) or op(B) of the call */
  int64_t ld;            /* in elements, column-major */
  bool trans;            /* stored as its transpose */
  double alpha;
};

static char *data_of(const void *memory) {
  return (char *)(((uintptr_t)memory + sizeof(struct head) + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1));
}

/* Columns begin at multiples of a line, but not of a page's half: those would share the same lines of L1. */
static int64_t ld_for(int64_t rows, int64_t size) {
  int64_t bytes = tsr_round_up(rows * size, ALIGN);
  return (bytes % 2048 == 0 ? bytes + ALIGN : bytes) / size;
}

static size_t bytes_for(tsr_type type, bool is_a, int64_t m, int64_t n, int64_t k) {
  int64_t size = tsr_size_of(type), rows = is_a ? m : k, columns = is_a ? k : n;
  if (m < 0 || n < 0 || k < 0) return 0;
  int64_t either = tsr_max(ld_for(rows, size) * columns, ld_for(columns, size) * rows); /* of both orders */
  return sizeof(struct head) + ALIGN + (size_t)(either * size);
}

struct pack {
  tsr_type type;
  const char *name, *face;
  int which, trans; /* 0 A, 1 B */
  bool row_major;
  int64_t m, n, k, ld;
  double alpha;
  const void *from;
  void *to;
};

/* Rows of A lie side by side where A is the left factor of the column-major product, k where it is the right one. */
static void pack(const struct pack *p) {
  tsr_context *context;
  int64_t rows = p->which == 0 ? p->m : p->k, columns = p->which == 0 ? p->k : p->n, size = tsr_size_of(p->type);
  bool across = p->row_major != (p->trans > 0); /* consecutive elements of op(X) as it is are of one row */
  bool by_rows = p->row_major;                  /* ... and as it is wanted: see tsr_turned_call */
  struct head head = {MAGIC, rows, columns, ld_for(by_rows ? columns : rows, size), by_rows, p->alpha};
  struct tsr_matcopy copy = {.type = p->type, .trans = across != by_rows, .rows = across ? columns : rows,
                             .columns = across ? rows : columns, .lda = p->ld, .ldb = head.ld, .alpha = {1, 0},
                             .a = (tsr_mem)p->from, .b = (tsr_mem)data_of(p->to)};
  if (tsr_context_get(NULL, &context) != TSR_OK) return tsr_complain(p->face);
  memcpy(p->to, &head, sizeof head);
  tsr_matcopy(context, &copy);
}

static int bad_of_pack(const struct pack *p) {
  int64_t rows = p->which == 0 ? p->m : p->k, columns = p->which == 0 ? p->k : p->n;
  bool across = p->row_major != (p->trans > 0);
  if (p->which < 0) return 1;
  if (p->trans < 0) return 2;
  if (p->m < 0) return 3;
  if (p->n < 0) return 4;
  if (p->k < 0) return 5;
  if (!p->from && rows > 0 && columns > 0) return 7;
  if (tsr_bad_ld(p->type, p->ld, across ? columns : rows, across ? rows : columns)) return 8;
  return p->to ? 0 : 9;
}

INLINE int which_letter(const char *letter) {
  int lower = tsr_letter(letter);
  return lower == 'a' ? 0 : lower == 'b' ? 1 : -1;
}
INLINE int which_enum(CBLAS_IDENTIFIER i) { return i == CblasAMatrix ? 0 : i == CblasBMatrix ? 1 : -1; }

static void fortran_pack(struct pack p) {
  int bad = bad_of_pack(&p);
  if (bad) return tsr_report(p.name, bad);
  pack(&p);
}

static void cblas_pack(CBLAS_LAYOUT layout, struct pack p) {
  if (layout != CblasRowMajor && layout != CblasColMajor) return tsr_report_enum(p.face, false, 1, "layout", layout);
  p.row_major = layout == CblasRowMajor;
  int bad = bad_of_pack(&p);
  if (bad) return tsr_report_cblas(p.name, false, bad);
  pack(&p);
}

#define PACKED 3 /* a transpose that says so */
INLINE int trans_or_packed_letter(const char *letter) {
  return tsr_letter(letter) == 'p' ? PACKED : tsr_trans_for(TSR_F64, tsr_trans_letter(letter));
}
INLINE int trans_or_packed_enum(int value) {
  return value == CblasPacked ? PACKED : tsr_trans_for(TSR_F64, tsr_trans_enum((CBLAS_TRANSPOSE)value));
}

/* Puts what was packed in the place of an operand; false: it was not packed, or for another size. */
static bool unfold(const void **operand, int *trans, int64_t *ld, double *alpha, int64_t rows, int64_t columns,
                   bool row_major) {
  struct head head;
  if (*trans != PACKED) return true;
  if (!*operand) return false;
  memcpy(&head, *operand, sizeof head);
  if (head.magic != MAGIC || head.rows != rows || head.columns != columns) return false;
  *operand = data_of(*operand);
  *trans = head.trans != row_major;
  *ld = head.ld;
  *alpha *= head.alpha;
  return true;
}

/* The call with what was packed in its place, or the number of the first bad parameter: gemm's without alpha. */
static int prepare(struct gemm_call *g, bool row_major) {
  if (g->ta < 0) return 1;
  if (g->tb < 0) return 2;
  if (g->m < 0) return 3;
  if (g->n < 0) return 4;
  if (g->k < 0) return 5;
  if (!unfold(&g->a, &g->ta, &g->lda, &g->alpha, g->m, g->k, row_major)) return 6;
  if (!unfold(&g->b, &g->tb, &g->ldb, &g->alpha, g->k, g->n, row_major)) return 8;
  if (row_major) *g = tsr_turned_call(g);
  int bad = tsr_first_bad(g);
  return bad > 6 ? bad - 1 : bad;
}

static void compute(struct gemm_call *g, bool fortran, bool row_major) {
  struct tsr_gemm_problem problem;
  tsr_context *context;
  int bad = prepare(g, row_major);
  if (bad && fortran) return tsr_report(g->name, bad);
  if (bad) return tsr_report_cblas(g->name, false, bad);
  tsr_problem_of_call(g, &problem);
  if (tsr_context_get(NULL, &context) != TSR_OK || tsr_gemm_compute(context, &problem, g->routine) != TSR_OK)
    tsr_complain(g->routine);
}

#define FORTRAN_PACK(pack_face, compute_face, get_size, name_pack, name_compute, type, real)                       \
  FORTRAN(size_t, get_size, const char *identifier, const blas_int *m, const blas_int *n, const blas_int *k) {     \
    return bytes_for(type, which_letter(identifier) == 0, *m, *n, *k);                                             \
  }                                                                                                                \
  FORTRAN(void, pack_face, const char *identifier, const char *trans, const blas_int *m, const blas_int *n,        \
          const blas_int *k, const real *alpha, const real *src, const blas_int *ld, real *dest) {                 \
    fortran_pack((struct pack){type, name_pack, #pack_face, which_letter(identifier),                              \
                               tsr_trans_for(type, tsr_trans_letter(trans)), false, *m, *n, *k, *ld, *alpha, src,  \
                               dest});                                                                             \
  }                                                                                                                \
  FORTRAN(void, compute_face, const char *transa, const char *transb, const blas_int *m, const blas_int *n,        \
          const blas_int *k, const real *a, const blas_int *lda, const real *b, const blas_int *ldb,               \
          const real *beta, real *c, const blas_int *ldc) {                                                        \
    compute(&(struct gemm_call){type, name_compute, #compute_face, trans_or_packed_letter(transa),                 \
                                trans_or_packed_letter(transb), *m, *n, *k, *lda, *ldb, *ldc, 1, *beta, 0, 0, a, b, \
                                c}, true, false);                                                                  \
  }
FORTRAN_PACK(sgemm_pack, sgemm_compute, sgemm_pack_get_size, "SGEMM_PACK", "SGEMM_COMPUTE", TSR_F32, float)
FORTRAN_PACK(dgemm_pack, dgemm_compute, dgemm_pack_get_size, "DGEMM_PACK", "DGEMM_COMPUTE", TSR_F64, double)

#define CBLAS_PACK(pack_face, compute_face, get_size, name_pack, name_compute, type, real)                         \
  CBLAS(size_t, get_size, CBLAS_IDENTIFIER identifier, blas_int m, blas_int n, blas_int k) {                       \
    return bytes_for(type, which_enum(identifier) == 0, m, n, k);                                                  \
  }                                                                                                                \
  CBLAS(void, pack_face, CBLAS_LAYOUT layout, CBLAS_IDENTIFIER identifier, CBLAS_TRANSPOSE trans, blas_int m,      \
        blas_int n, blas_int k, real alpha, const real *src, blas_int ld, real *dest) {                            \
    cblas_pack(layout, (struct pack){type, name_pack, #pack_face, which_enum(identifier),                          \
                                     tsr_trans_for(type, tsr_trans_enum(trans)), false, m, n, k, ld, alpha, src,   \
                                     dest});                                                                       \
  }                                                                                                                \
  CBLAS(void, compute_face, CBLAS_LAYOUT layout, blas_int trans_a, blas_int trans_b, blas_int m, blas_int n,       \
        blas_int k, const real *a, blas_int lda, const real *b, blas_int ldb, real beta, real *c, blas_int ldc) {  \
    if (layout != CblasRowMajor && layout != CblasColMajor)                                                        \
      return tsr_report_enum(#compute_face, false, 1, "layout", layout);                                           \
    compute(&(struct gemm_call){type, name_compute, #compute_face, trans_or_packed_enum((int)trans_a),             \
                                trans_or_packed_enum((int)trans_b), m, n, k, lda, ldb, ldc, 1, beta, 0, 0, a, b, c}, \
            false, layout == CblasRowMajor);                                                                       \
  }
CBLAS_PACK(cblas_sgemm_pack, cblas_sgemm_compute, cblas_sgemm_pack_get_size, "SGEMM_PACK", "SGEMM_COMPUTE", TSR_F32,
           float)
CBLAS_PACK(cblas_dgemm_pack, cblas_dgemm_compute, cblas_dgemm_pack_get_size, "DGEMM_PACK", "DGEMM_COMPUTE", TSR_F64,
           double)
