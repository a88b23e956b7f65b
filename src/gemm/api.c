/* The public face of GEMM: checks, and the turn that makes every problem one whose rows of C are contiguous. */
#include "src/gemm/fused.h"

#define CHECK(condition, ...) \
  if (!(condition)) return tsr_fail(TSR_INVALID_ARGUMENT, __VA_ARGS__)

static tsr_status check_ld(const char *name, int64_t ld, int64_t least, int64_t outer, int64_t size) {
  int64_t bytes;
  CHECK(ld >= least, "%s is %lld but a row or column holds %lld elements: pass at least that", name, (long long)ld,
        (long long)least);
  CHECK(!__builtin_mul_overflow(ld, outer, &bytes) && !__builtin_mul_overflow(bytes, size, &bytes),
        "%s is %lld: the matrix would not fit the address space", name, (long long)ld);
  return TSR_OK;
}

tsr_type tsr_gemm_type_of_c(const tsr_gemm_desc *d) {
  if (d->type_c) return d->type_c;
  return d->type == TSR_S8 ? TSR_S32 : d->type;
}

static tsr_status check_device_types(const tsr_gemm_desc *d) {
  tsr_type c = tsr_gemm_type_of_c(d);
  CHECK(d->type == TSR_F16 || d->type == TSR_BF16 || d->type == TSR_S8,
        "type is %d: on a device use TSR_F16, TSR_BF16 or TSR_S8", (int)d->type);
  if (d->type == TSR_S8) {
    CHECK(c == TSR_S32, "type_c is %d: with TSR_S8 use TSR_S32", (int)c);
    CHECK(d->alpha == (double)(int32_t)d->alpha && d->beta == (double)(int32_t)d->beta,
          "alpha is %g and beta %g: with TSR_S8 both must be integers of 32 bits", d->alpha, d->beta);
    return TSR_OK;
  }
  CHECK(c == TSR_F32 || c == d->type, "type_c is %d: use TSR_F32 or the type of A and B", (int)c);
  return TSR_OK;
}

/* On a CPU what follows may turn the sums into other types. */
static tsr_status check_integers(const tsr_gemm_desc *d, tsr_type c) {
  bool sums = c == TSR_S32, whole = d->alpha == (double)(int32_t)d->alpha && d->beta == (double)(int32_t)d->beta;
  CHECK(sums || c == TSR_F32 || c == TSR_S8 || c == TSR_U8,
        "type_c is %d: with TSR_S8 use TSR_S32, TSR_F32, TSR_S8 or TSR_U8", (int)c);
  CHECK(whole, "alpha is %g and beta %g: with TSR_S8 both must be integers of 32 bits", d->alpha, d->beta);
  CHECK(sums || (d->alpha == 1 && d->beta == 0), "alpha is %g and beta %g: with a type_c other than TSR_S32 use 1 and 0",
        d->alpha, d->beta);
  CHECK(!sums || !d->post, "post is given but C is s32: use a type_c of TSR_F32, TSR_S8 or TSR_U8");
  CHECK(!d->post || !d->post->add || c == TSR_F32, "post->add is given but C is s8 or u8");
  return TSR_OK;
}

static bool is_complex(const tsr_gemm_desc *d) { return d->type == TSR_C32 || d->type == TSR_C64; }

static tsr_status check_types(const tsr_context *context, const tsr_gemm_desc *d) {
  if (context->device) return check_device_types(d);
  bool half = d->type == TSR_F16 || d->type == TSR_BF16;
  tsr_type c = tsr_gemm_type_of_c(d);
  if (d->type == TSR_S8) return check_integers(d, c);
  CHECK(d->type == TSR_F32 || d->type == TSR_F64 || half || is_complex(d),
        "type is %d: use TSR_F32, TSR_F64, TSR_F16, TSR_BF16, TSR_S8, TSR_C32 or TSR_C64", (int)d->type);
  CHECK(c == d->type || (half && c == TSR_F32), "type_c is %d: use that of A and B%s", (int)d->type_c,
        half ? " or TSR_F32" : "");
  return TSR_OK;
}

static bool is_trans(tsr_trans t) { return t == TSR_NO_TRANS || t == TSR_TRANS || t == TSR_CONJ_TRANS; }

static tsr_status check_sizes(const tsr_context *context, const tsr_gemm_desc *d) {
  CHECK(d, "desc is NULL: pass a tsr_gemm_desc initialised by TSR_GEMM_DESC");
  CHECK(d->size == sizeof *d, "desc->size is %zu: initialise the descriptor with TSR_GEMM_DESC", d->size);
  tsr_status types = check_types(context, d);
  if (types != TSR_OK) return types;
  CHECK(d->order == TSR_ROW_MAJOR || d->order == TSR_COL_MAJOR, "order is %d: use TSR_ROW_MAJOR or TSR_COL_MAJOR",
        (int)d->order);
  CHECK(is_trans(d->trans_a), "trans_a is %d: use TSR_NO_TRANS, TSR_TRANS or TSR_CONJ_TRANS", (int)d->trans_a);
  CHECK(is_trans(d->trans_b), "trans_b is %d: use TSR_NO_TRANS, TSR_TRANS or TSR_CONJ_TRANS", (int)d->trans_b);
  CHECK(is_complex(d) || d->alpha_im == 0, "alpha_im is %g, but the matrices are real", d->alpha_im);
  CHECK(is_complex(d) || d->beta_im == 0, "beta_im is %g, but the matrices are real", d->beta_im);
  CHECK(d->m >= 0, "m is %lld: sizes cannot be negative", (long long)d->m);
  CHECK(d->n >= 0, "n is %lld: sizes cannot be negative", (long long)d->n);
  CHECK(d->k >= 0, "k is %lld: sizes cannot be negative", (long long)d->k);
  return TSR_OK;
}

/* A matrix as stored is `least` long in the direction that is contiguous and has `outer` such rows or columns. */
static tsr_status check_matrix(const tsr_gemm_desc *d, const char *name, tsr_trans trans, int64_t rows, int64_t cols,
                               int64_t ld, tsr_type type) {
  bool down = (d->order == TSR_COL_MAJOR) == (trans == TSR_NO_TRANS);
  int64_t least = down ? rows : cols, outer = down ? cols : rows;
  return check_ld(name, ld, least > 1 ? least : 1, outer, tsr_size_of(type));
}

static tsr_status check_strides(const tsr_gemm_desc *d) {
  tsr_status status = check_matrix(d, "lda", d->trans_a, d->m, d->k, d->lda, d->type);
  if (status == TSR_OK) status = check_matrix(d, "ldb", d->trans_b, d->k, d->n, d->ldb, d->type);
  if (status == TSR_OK) status = check_matrix(d, "ldc", TSR_NO_TRANS, d->m, d->n, d->ldc, tsr_gemm_type_of_c(d));
  return status;
}

/* Volatile: gcc 12 drops the rounding of two neighbouring scalars when it vectorises them. */
double tsr_gemm_scalar(tsr_type type, double x) {
  if (type == TSR_F64 || type == TSR_S8 || type == TSR_C64) return x;
  volatile float rounded = (float)x;
  return rounded;
}

/* One operand's strides in bytes when its first index runs over rows of the turned or unturned problem. */
static void strides(tsr_trans trans, int64_t ld, int64_t size, int64_t *rs, int64_t *cs) {
  *rs = trans == TSR_NO_TRANS ? size : ld * size;
  *cs = trans == TSR_NO_TRANS ? ld * size : size;
}

/* Row-major C = A B is column-major C' = B' A', where every matrix is read as its transpose. */
void tsr_gemm_normalise(const tsr_gemm_desc *d, const void *a, const void *b, void *c, struct tsr_gemm_problem *pr) {
  bool turned = d->order == TSR_ROW_MAJOR;
  int64_t size = tsr_size_of(d->type);
  pr->type = d->type;
  pr->type_c = tsr_gemm_type_of_c(d);
  pr->m = turned ? d->n : d->m;
  pr->n = turned ? d->m : d->n;
  pr->k = d->k;
  pr->a = (tsr_mem)(turned ? b : a);
  pr->b = (tsr_mem)(turned ? a : b);
  pr->c = (tsr_mem)c;
  strides(turned ? d->trans_b : d->trans_a, turned ? d->ldb : d->lda, size, &pr->rsa, &pr->csa);
  strides(turned ? d->trans_a : d->trans_b, turned ? d->lda : d->ldb, size, &pr->rsb, &pr->csb);
  pr->csc = d->ldc * tsr_size_of(pr->type_c);
  pr->turned = turned;
  pr->plan = d->plan;
  pr->alpha = tsr_gemm_scalar(d->type, d->alpha);
  pr->beta = tsr_gemm_scalar(d->type, d->beta);
  pr->alpha_im = tsr_gemm_scalar(d->type, d->alpha_im);
  pr->beta_im = tsr_gemm_scalar(d->type, d->beta_im);
  pr->flags = (d->trans_a == TSR_CONJ_TRANS ? TSR_CONJ_A : 0) | (d->trans_b == TSR_CONJ_TRANS ? TSR_CONJ_B : 0);
  if (!is_complex(d)) pr->flags = 0;
  if (turned) pr->flags = tsr_gemm_turned_flags(pr->flags);
  pr->parts = (struct tsr_gemm_parts){TSR_FULL, TSR_FULL, TSR_FULL};
}

tsr_status tsr_gemm_check(const tsr_context *context, const tsr_gemm_desc *d) {
  tsr_status status = check_sizes(context, d);
  if (status == TSR_OK) status = check_strides(d);
  if (status != TSR_OK || (!d->bias && !d->post)) return status;
  if (context->device) return tsr_fail(TSR_UNSUPPORTED, "bias and post are for CPU contexts");
  return tsr_gemm_check_fused(d);
}

bool tsr_gemm_reads_operands(const tsr_gemm_desc *d) {
  return d->k > 0 && (tsr_gemm_scalar(d->type, d->alpha) != 0 || tsr_gemm_scalar(d->type, d->alpha_im) != 0);
}

tsr_status tsr_gemm(tsr_context *given, const tsr_gemm_desc *d, const void *a, const void *b, void *c) {
  tsr_context *context;
  struct tsr_gemm_problem problem;
  tsr_status status = tsr_context_get(given, &context);
  if (status == TSR_OK) status = tsr_gemm_check(context, d);
  if (status != TSR_OK || d->m == 0 || d->n == 0) return status;
  CHECK(c, "c is NULL but m and n are not 0");
  if (tsr_gemm_reads_operands(d)) {
    CHECK(a, "a is NULL but m and k are not 0");
    CHECK(b, "b is NULL but k and n are not 0");
  }
  if (!context->device && tsr_gemm_is_fused(d)) return tsr_gemm_fused(context, d, a, b, c);
  tsr_gemm_normalise(d, a, b, c, &problem);
  if (problem.plan && (status = tsr_gemm_check_plan(context, &problem)) != TSR_OK) return status;
  if (context->device) return tsr_gemm_on_device(context, &problem);
  return tsr_gemm_compute(context, &problem, "tsr_gemm");
}
