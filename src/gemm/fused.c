/* C = post(alpha A B + bias) is a convolution: rows of A are pixels of k channels, columns of B are filters. */
#include "src/gemm/fused.h"

#include <stdlib.h>
#include <string.h>

#include "src/conv/int8.h"
#include "src/core/memory.h"
#include "src/core/threads.h"

#define CHECK(condition, ...) \
  if (!(condition)) return tsr_fail(TSR_INVALID_ARGUMENT, __VA_ARGS__)

typedef float loose_f32 __attribute__((aligned(1), may_alias));
typedef double loose_f64 __attribute__((aligned(1), may_alias));

struct product {
  tsr_conv_desc desc;
  struct tsr_conv_problem problem;
  struct tsr_conv_way way;
  struct tsr_conv_job job;
};

tsr_status tsr_gemm_check_fused(const tsr_gemm_desc *d) {
  const tsr_post_ops *post = d->post;
  if (d->type == TSR_C32 || d->type == TSR_C64)
    return tsr_fail(TSR_UNSUPPORTED, "type is complex: a bias or post goes with real matrices only");
  CHECK(!d->bias || tsr_gemm_scalar(d->type, d->beta) == 0,
        "bias is given and beta is %g: a bias replaces beta * C, add another matrix by post->add", d->beta);
  if (!post) return TSR_OK;
  CHECK((int)post->activation >= TSR_NO_ACTIVATION && (int)post->activation <= TSR_SIGMOID, "post->activation is %d",
        (int)post->activation);
  CHECK(!post->scale || post->scales == 1 || post->scales == d->n, "post->scales is %lld: give 1 or n, %lld",
        (long long)post->scales, (long long)d->n);
  CHECK(post->activation != TSR_CLIP || post->low <= post->high, "post->low is above post->high");
  return TSR_OK;
}

/* Bytes from row to row, and from column to column. */
static void strides(tsr_order order, tsr_trans trans, int64_t ld, int64_t size, int64_t *row, int64_t *col) {
  bool across = (order == TSR_ROW_MAJOR) == (trans == TSR_NO_TRANS);
  *row = across ? ld * size : size;
  *col = across ? size : ld * size;
}

static void describe(const tsr_gemm_desc *d, tsr_conv_desc *conv) {
  *conv = (tsr_conv_desc)TSR_CONV_DESC;
  conv->type_x = conv->type_w = d->type;
  conv->type_y = tsr_gemm_type_of_c(d);
  conv->dims = 1;
  conv->channels = d->k;
  conv->filters = d->n;
  conv->in[0] = conv->out[0] = d->m;
  if (d->post) conv->post = *d->post;
}

static void make_problem(const tsr_gemm_desc *d, const void *a, const void *b, const void *add, void *c,
                         struct product *product) {
  struct tsr_conv_problem *p = &product->problem;
  const struct tsr_conv_dim one = {1, 1, 1, 1, 1, 0};
  bool reads = tsr_gemm_reads_operands(d);
  int64_t row, col;
  describe(d, &product->desc);
  *p = (struct tsr_conv_problem){.d = &product->desc, .batch = 1, .groups = 1, .kg = d->n, .dim = {one, one, one},
                                 .w = (tsr_mem)b, .bias = (tsr_mem)d->bias, .add = (tsr_mem)add};
  p->type = d->type == TSR_F64 || d->type == TSR_S8 ? d->type : TSR_F32;
  p->dim[2].in = p->dim[2].out = d->m;
  p->cg = p->taps = reads ? d->k : 0;
  p->kb = tsr_gemm_kb(d->type);
  p->alpha = reads ? tsr_gemm_scalar(d->type, d->alpha) : -0.0; /* y - 0 * 0 is y, -0 too */
  p->beta = tsr_gemm_scalar(d->type, d->beta);
  p->x = (struct tsr_conv_tensor){.type = d->type, .at = (tsr_mem)a};
  p->y = (struct tsr_conv_tensor){.type = tsr_gemm_type_of_c(d), .at = (tsr_mem)c};
  strides(d->order, d->trans_a, d->lda, tsr_size_of(d->type), &p->x.dim[2], &p->x.channel);
  strides(d->order, TSR_NO_TRANS, d->ldc, tsr_size_of(p->y.type), &p->y.dim[2], &p->y.channel);
  strides(d->order, d->trans_b, d->ldb, 1, &row, &col);
  p->w_strides = (struct tsr_conv_weights){0, col, row, 1};
  p->x_last = p->x.channel == tsr_size_of(d->type);
  p->y_last = p->y.channel == tsr_size_of(p->y.type);
}

static void make_job(const tsr_context *context, struct product *product) {
  tsr_conv_complete(context, &product->problem, tsr_threads_available(context), &product->way);
  tsr_conv_job_of(context, &product->problem, &product->way, &product->job);
}

static tsr_status plan_integers(const tsr_context *context, struct product *product, bool once,
                                struct tsr_conv_int8 **plan) {
  int threads = tsr_gemm_threads_for(tsr_threads_available(context), tsr_conv_work(&product->problem));
  return tsr_conv_int8_create(context, &product->problem, threads, once, plan);
}

static tsr_status multiply_integers(const tsr_context *context, struct product *product) {
  const struct tsr_conv_problem *p = &product->problem;
  struct tsr_conv_int8 *plan;
  tsr_status status = plan_integers(context, product, true, &plan);
  if (status != TSR_OK) return status;
  void *workspace = tsr_scratch_get(TSR_SCRATCH_A, tsr_conv_int8_workspace(plan) + 64);
  if (workspace)
    tsr_conv_int8_run(plan, context, 0, (const void *)p->x.at, (const void *)p->add, (void *)p->y.at, workspace);
  else
    status = tsr_fail(TSR_OUT_OF_MEMORY, "no scratch memory for tiles");
  tsr_conv_int8_destroy(plan);
  return status;
}

/* So few rows of C use a packed B hardly once: GEMM reads it as it lies. */
#define FEW_ROWS 64

static bool is_few(const tsr_gemm_desc *d) { return d->m <= FEW_ROWS && (d->type == TSR_F32 || d->type == TSR_F64); }

/* C as a step of POST sees it. */
static struct tsr_step whole_c(const tsr_gemm_desc *d) {
  bool across = d->order == TSR_COL_MAJOR;
  int64_t ld = d->ldc * tsr_size_of(d->type);
  return (struct tsr_step){.m = across ? d->m : d->n, .n = across ? d->n : d->m, .csa = ld, .csc = ld};
}

/* Like packed ones: -0 counts as +0. */
static void fill_with_bias(const tsr_gemm_desc *d, char *c) {
  int64_t size = tsr_size_of(d->type), row, col;
  strides(d->order, TSR_NO_TRANS, d->ldc, size, &row, &col);
  for (int64_t i = 0; i < d->m; i++)
    for (int64_t j = 0; j < d->n; j++)
      if (d->type == TSR_F64)
        *(loose_f64 *)(c + i * row + j * col) = ((const loose_f64 *)d->bias)[j] + 0.0;
      else
        *(loose_f32 *)(c + i * row + j * col) = ((const loose_f32 *)d->bias)[j] + 0.0f;
}

static bool spreads_scale(const tsr_gemm_desc *d) { return d->post && d->post->scale && d->post->scales == 1; }

static void after(const tsr_context *context, const tsr_gemm_desc *d, tsr_mem c) {
  const tsr_post_ops *ops = d->post;
  int64_t size = tsr_size_of(d->type);
  struct tsr_step step = whole_c(d);
  struct tsr_post post = {.scale = (tsr_mem)ops->scale, .add = (tsr_mem)ops->add, .add_ld = step.csc,
                          .across = d->order == TSR_COL_MAJOR, .activation = ops->activation, .low = ops->low,
                          .high = ops->high, .slope = ops->slope};
  if (spreads_scale(d)) {
    char *scales = tsr_scratch_get(TSR_SCRATCH_SUMS, (size_t)(d->n * size)); /* few_rows had it once */
    for (int64_t j = 0; j < d->n; j++) memcpy(scales + j * size, ops->scale, (size_t)size);
    post.scale = (tsr_mem)scales;
  }
  context->kernels[d->type].post[d->type]->run(&step, c, (tsr_mem)&post, c);
}

static tsr_status few_rows(const tsr_context *context, const tsr_gemm_desc *given, const void *a, const void *b,
                           void *c) {
  struct tsr_gemm_problem problem;
  tsr_gemm_desc d = *given;
  if (spreads_scale(&d) && !tsr_scratch_get(TSR_SCRATCH_SUMS, (size_t)(d.n * tsr_size_of(d.type))))
    return tsr_fail(TSR_OUT_OF_MEMORY, "no scratch memory for scales");
  if (d.bias) d.beta = 1;
  tsr_gemm_normalise(&d, a, b, c, &problem);
  if (d.bias) fill_with_bias(&d, c);
  tsr_status status = tsr_gemm_compute(context, &problem, "tsr_gemm");
  if (status == TSR_OK && d.post) after(context, &d, (tsr_mem)c);
  return status;
}

tsr_status tsr_gemm_fused(const tsr_context *context, const tsr_gemm_desc *d, const void *a, const void *b, void *c) {
  if (is_few(d)) return few_rows(context, d, a, b, c);
  struct product product = {.way = {0}};
  make_problem(d, a, b, d->post ? d->post->add : NULL, c, &product);
  if (d->type == TSR_S8) return multiply_integers(context, &product);
  make_job(context, &product);
  char *packed = tsr_scratch_get(TSR_SCRATCH_B, (size_t)tsr_conv_packed_bytes(&product.job));
  void *workspace = tsr_scratch_get(TSR_SCRATCH_A, tsr_conv_workspace_bytes(&product.job));
  if (!packed || !workspace) return tsr_fail(TSR_OUT_OF_MEMORY, "no scratch memory for packed blocks");
  tsr_conv_pack(context, &product.job, packed);
  tsr_conv_run_all(context, &product.job, workspace);
  return TSR_OK;
}

struct tsr_gemm_plan {
  const tsr_context *context;
  tsr_gemm_desc desc;
  struct product product;
  size_t bytes;
  void *packed;
  struct tsr_conv_int8 *integers; /* NULL: of floating-point numbers */
};

static tsr_status pack(tsr_gemm_plan *plan) {
  struct tsr_conv_job *job = &plan->product.job;
  if (plan->desc.type == TSR_S8) {
    tsr_status status = plan_integers(plan->context, &plan->product, false, &plan->integers);
    if (status == TSR_OK) plan->bytes = tsr_conv_int8_workspace(plan->integers);
    return status;
  }
  make_job(plan->context, &plan->product);
  plan->bytes = tsr_conv_workspace_bytes(job);
  if (posix_memalign(&plan->packed, 4096, (size_t)tsr_conv_packed_bytes(job)) != 0)
    return tsr_fail(TSR_OUT_OF_MEMORY, "no memory for packed weights");
  tsr_conv_pack(plan->context, job, plan->packed);
  return TSR_OK;
}

tsr_status tsr_gemm_plan_create(tsr_context *given, const tsr_gemm_desc *d, const void *b, tsr_gemm_plan **plan) {
  tsr_context *context;
  CHECK(plan, "plan is NULL: pass the address of a tsr_gemm_plan pointer");
  tsr_status status = tsr_context_get(given, &context);
  if (status == TSR_OK) status = tsr_gemm_check(context, d);
  if (status != TSR_OK) return status;
  if (context->device) return tsr_fail(TSR_UNSUPPORTED, "plans of products are for CPU contexts");
  if (d->type == TSR_C32 || d->type == TSR_C64) return tsr_fail(TSR_UNSUPPORTED, "plans are for real products");
  CHECK(b || !tsr_gemm_reads_operands(d) || d->n == 0, "b is NULL but k and n are not 0");
  tsr_gemm_plan *made = calloc(1, sizeof *made);
  if (!made) return tsr_fail(TSR_OUT_OF_MEMORY, "no memory for a plan");
  made->context = context;
  made->desc = *d;
  make_problem(d, NULL, b, d->post ? d->post->add : NULL, NULL, &made->product);
  if (d->m > 0 && d->n > 0) status = pack(made);
  if (status == TSR_OK)
    *plan = made;
  else
    free(made);
  return status;
}

void tsr_gemm_plan_destroy(tsr_gemm_plan *plan) {
  if (plan) {
    tsr_conv_int8_destroy(plan->integers);
    free(plan->packed);
  }
  free(plan);
}

size_t tsr_gemm_plan_workspace(const tsr_gemm_plan *plan) { return plan ? plan->bytes : 0; }

tsr_status tsr_gemm_run(const tsr_gemm_plan *plan, int64_t m, const void *a, const void *add, void *c,
                        void *workspace) {
  CHECK(plan, "plan is NULL: make it with tsr_gemm_plan_create");
  CHECK(m >= 0 && m <= plan->desc.m, "m is %lld: the plan was made for up to %lld rows", (long long)m,
        (long long)plan->desc.m);
  if (m == 0 || plan->desc.n == 0) return TSR_OK;
  struct product product = plan->product;
  CHECK(c, "c is NULL but m and n are not 0");
  CHECK(a || product.problem.taps == 0, "a is NULL but m and k are not 0");
  CHECK(!add == !product.problem.add,
        add ? "add is given but the plan's post->add is NULL" : "add is NULL but the plan adds");
  CHECK(workspace || !plan->bytes, "workspace is NULL: tsr_gemm_plan_workspace says how many bytes it needs");
  CHECK((uintptr_t)workspace % 64 == 0, "workspace is not aligned to 64 bytes");
  if (plan->integers) {
    tsr_conv_int8_run(plan->integers, plan->context, m, a, add, c, workspace);
    return TSR_OK;
  }
  struct tsr_conv_problem *p = &product.problem;
  p->dim[2].in = p->dim[2].out = m;
  p->x.at = (tsr_mem)a;
  p->y.at = (tsr_mem)c;
  p->add = (tsr_mem)add;
  p->d = &plan->product.desc;
  product.job.p = p;
  product.job.way = &plan->product.way;
  tsr_conv_run_all(plan->context, &product.job, workspace);
  return TSR_OK;
}
