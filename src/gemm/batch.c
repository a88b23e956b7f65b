/* Many products of one shape. Small ones go to the threads whole, large ones use all threads one after another; the
 * bits are those of single calls either way. */
#include <stdatomic.h>
#include <stdio.h>

#include "src/core/threads.h"
#include "src/core/trace.h"
#include "src/gemm/fused.h"

struct batch {
  const tsr_context *context;
  const tsr_gemm_desc *desc;
  int64_t count;
  const char *a, *b; /* strided: the first matrices and the bytes between */
  char *c;
  int64_t stride_a, stride_b, stride_c;
  const void *const *list_a, *const *list_b; /* or arrays of pointers */
  void *const *list_c;
};

static void problem_of(const void *user, int64_t i, struct tsr_gemm_problem *problem) {
  const struct batch *batch = user;
  if (batch->list_c)
    tsr_gemm_normalise(batch->desc, batch->list_a ? batch->list_a[i] : NULL, batch->list_b ? batch->list_b[i] : NULL,
                       batch->list_c[i], problem);
  else
    tsr_gemm_normalise(batch->desc, (const void *)((uintptr_t)batch->a + (uintptr_t)(i * batch->stride_a)),
                       (const void *)((uintptr_t)batch->b + (uintptr_t)(i * batch->stride_b)),
                       batch->c + i * batch->stride_c, problem);
}

struct claims {
  const struct tsr_gemm_many *many;
  _Atomic int64_t next;
};

static void claim(void *arg, int index) {
  struct claims *claims = arg;
  struct tsr_gemm_problem problem;
  (void)index;
  for (int64_t i; (i = atomic_fetch_add(&claims->next, 1)) < claims->many->count;) {
    claims->many->problem(claims->many->user, i, &problem);
    tsr_gemm_compute_alone(claims->many->context, &problem);
  }
}

static void one_by_one(const struct tsr_gemm_many *many) {
  struct tsr_gemm_problem problem;
  for (int64_t i = 0; i < many->count; i++) {
    many->problem(many->user, i, &problem);
    tsr_gemm_compute(many->context, &problem, many->routine);
  }
}

static void print(const struct tsr_gemm_many *many, int threads, double seconds) {
  struct tsr_trace_call call = {.routine = many->routine, .kernel = "batch", .context = many->context,
                                .type = many->type, .threads = threads, .seconds = seconds,
                                .flops = tsr_flops_of(many->type) * (double)many->product * (double)many->count};
  snprintf(call.sizes, sizeof call.sizes, "%lld %s", (long long)many->count, many->sizes);
  tsr_trace_print(&call);
}

void tsr_gemm_compute_many(const struct tsr_gemm_many *many) {
  struct tsr_team team;
  struct claims claims = {many, 0};
  int most = tsr_threads_available(many->context);
  int threads = tsr_gemm_threads_for(most, tsr_saturating(many->product, many->count));
  if (threads > 1 && (many->count < threads || tsr_gemm_threads_for(most, many->product / 8) >= threads)) {
    one_by_one(many);
    return;
  }
  double start = tsr_tracing() ? tsr_trace_now() : 0;
  if (threads > 1) {
    tsr_team_reserve(many->context, threads, &team);
    threads = team.n;
    tsr_team_run(&team, claim, &claims);
  } else {
    claim(&claims, 0);
  }
  if (tsr_tracing()) print(many, threads, tsr_trace_now() - start);
}

static tsr_status run_on_device(const struct batch *batch) {
  tsr_status status = TSR_OK;
  for (int64_t i = 0; i < batch->count && status == TSR_OK; i++) {
    struct tsr_gemm_problem problem;
    problem_of(batch, i, &problem);
    status = tsr_gemm_on_device(batch->context, &problem);
  }
  return status;
}

static tsr_status run_fused(const struct batch *batch) {
  tsr_status status = TSR_OK;
  for (int64_t i = 0; i < batch->count && status == TSR_OK; i++) {
    struct tsr_gemm_problem p;
    problem_of(batch, i, &p);
    status = tsr_gemm_fused(batch->context, batch->desc, (const void *)(p.turned ? p.b : p.a),
                            (const void *)(p.turned ? p.a : p.b), (void *)p.c);
  }
  return status;
}

static tsr_status run(const struct batch *batch) {
  const tsr_gemm_desc *d = batch->desc;
  if (batch->context->device) return run_on_device(batch);
  if (tsr_gemm_is_fused(d)) return run_fused(batch);
  struct tsr_gemm_many many = {.context = batch->context, .problem = problem_of, .user = batch, .count = batch->count,
                               .product = tsr_saturating(tsr_saturating(d->m, d->n), d->k), .type = d->type,
                               .routine = "tsr_gemm_batch"};
  if (tsr_tracing())
    snprintf(many.sizes, sizeof many.sizes, "x %lldx%lldx%lld", (long long)d->m, (long long)d->n, (long long)d->k);
  tsr_gemm_compute_many(&many);
  return TSR_OK;
}

#define CHECK(condition, ...) \
  if (!(condition)) return tsr_fail(TSR_INVALID_ARGUMENT, __VA_ARGS__)

/* Elements from the first to the last of C. */
static int64_t extent_of_c(const tsr_gemm_desc *d) {
  int64_t row = d->order == TSR_ROW_MAJOR ? d->n : d->m, rows = d->order == TSR_ROW_MAJOR ? d->m : d->n;
  return (rows - 1) * d->ldc + row;
}

static tsr_status check_strides(const struct batch *batch, int64_t size) {
  const tsr_gemm_desc *d = batch->desc;
  int64_t last;
  CHECK(batch->c, "c is NULL but m and n are not 0");
  CHECK(!tsr_gemm_reads_operands(d) || batch->a, "a is NULL but m and k are not 0");
  CHECK(!tsr_gemm_reads_operands(d) || batch->b, "b is NULL but k and n are not 0");
  CHECK(batch->count == 1 || batch->stride_c >= extent_of_c(d) || batch->stride_c <= -extent_of_c(d),
        "stride_c is %lld but a matrix takes %lld elements: the results would overlap", (long long)batch->stride_c,
        (long long)extent_of_c(d));
  const int64_t strides[] = {batch->stride_a, batch->stride_b, batch->stride_c};
  for (int i = 0; i < 3; i++)
    CHECK(!__builtin_mul_overflow(strides[i], batch->count, &last) && !__builtin_mul_overflow(last, size, &last),
          "stride_%c is %lld: the batch would not fit the address space", "abc"[i], (long long)strides[i]);
  return TSR_OK;
}

static tsr_status check_lists(const struct batch *batch) {
  bool reads = tsr_gemm_reads_operands(batch->desc);
  CHECK(batch->list_c, "c is NULL: pass an array of %lld pointers", (long long)batch->count);
  CHECK(!reads || batch->list_a, "a is NULL: pass an array of %lld pointers", (long long)batch->count);
  CHECK(!reads || batch->list_b, "b is NULL: pass an array of %lld pointers", (long long)batch->count);
  for (int64_t i = 0; i < batch->count; i++) {
    CHECK(batch->list_c[i], "c[%lld] is NULL", (long long)i);
    CHECK(!reads || batch->list_a[i], "a[%lld] is NULL", (long long)i);
    CHECK(!reads || batch->list_b[i], "b[%lld] is NULL", (long long)i);
  }
  return TSR_OK;
}

/* What both forms check first. *empty tells that nothing is to be computed. */
static tsr_status begin(struct batch *batch, tsr_context *given, bool *empty) {
  tsr_context *context;
  tsr_status status = tsr_context_get(given, &context);
  if (status == TSR_OK) status = tsr_gemm_check(context, batch->desc);
  if (status != TSR_OK) return status;
  CHECK(batch->count >= 0, "batch is %lld: a count cannot be negative", (long long)batch->count);
  batch->context = context;
  *empty = batch->count == 0 || batch->desc->m == 0 || batch->desc->n == 0;
  if (*empty || !batch->desc->plan) return TSR_OK;
  struct tsr_gemm_problem problem;
  tsr_gemm_normalise(batch->desc, NULL, NULL, NULL, &problem);
  return tsr_gemm_check_plan(context, &problem);
}

tsr_status tsr_gemm_batch_strided(tsr_context *context, const tsr_gemm_desc *desc, int64_t count, const void *a,
                                  int64_t stride_a, const void *b, int64_t stride_b, void *c, int64_t stride_c) {
  struct batch batch = {.desc = desc, .count = count, .a = a, .b = b, .c = c,
                        .stride_a = stride_a, .stride_b = stride_b, .stride_c = stride_c};
  bool empty = false;
  tsr_status status = begin(&batch, context, &empty);
  if (status != TSR_OK || empty) return status;
  int64_t size = tsr_size_of(desc->type), size_c = tsr_size_of(tsr_gemm_type_of_c(desc));
  status = check_strides(&batch, size_c > size ? size_c : size);
  if (status != TSR_OK) return status;
  batch.stride_a *= size;
  batch.stride_b *= size;
  batch.stride_c *= size_c;
  return run(&batch);
}

tsr_status tsr_gemm_batch(tsr_context *context, const tsr_gemm_desc *desc, int64_t count, const void *const *a,
                          const void *const *b, void *const *c) {
  struct batch batch = {.desc = desc, .count = count, .list_a = a, .list_b = b, .list_c = c};
  bool empty = false;
  tsr_status status = begin(&batch, context, &empty);
  if (status != TSR_OK || empty) return status;
  status = check_lists(&batch);
  if (status != TSR_OK) return status;
  return run(&batch);
}
