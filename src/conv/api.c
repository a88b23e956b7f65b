/* The public face of convolution. */
#include <stdlib.h>

#include "src/conv/conv.h"
#include "src/conv/int8.h"
#include "src/core/memory.h"
#include "src/core/threads.h"
#include "src/core/trace.h"
#include "src/gemm/gemm.h"

#define CHECK(condition, ...) \
  if (!(condition)) return tsr_fail(TSR_INVALID_ARGUMENT, __VA_ARGS__)

static tsr_status start(tsr_context *given, const tsr_conv_desc *d, tsr_context **context) {
  tsr_status status = tsr_context_get(given, context);
  return status == TSR_OK ? tsr_conv_check(*context, d) : status;
}

static int threads_for(const tsr_context *context, const struct tsr_conv_problem *problem) {
  return tsr_gemm_threads_for(tsr_threads_available(context), tsr_conv_work(problem));
}

static tsr_status convolve_integers(const tsr_context *context, const struct tsr_conv_problem *problem) {
  struct tsr_conv_int8 *plan;
  tsr_status status = tsr_conv_int8_create(context, problem, threads_for(context, problem), &plan);
  if (status != TSR_OK) return status;
  void *workspace = tsr_scratch_get(TSR_SCRATCH_A, tsr_conv_int8_workspace(plan) + 64);
  if (workspace)
    tsr_conv_int8_run(plan, context, 0, (const void *)problem->x.at, (const void *)problem->add, (void *)problem->y.at,
                      workspace);
  else
    status = tsr_fail(TSR_OUT_OF_MEMORY, "no scratch memory for a band and tiles");
  tsr_conv_int8_destroy(plan);
  return status;
}

tsr_status tsr_conv(tsr_context *given, const tsr_conv_desc *d, const void *x, const void *w, const void *bias,
                    void *y) {
  tsr_context *context;
  struct tsr_conv_problem problem;
  struct tsr_conv_way way = {0};
  struct tsr_conv_job job;
  tsr_status status = start(given, d, &context);
  if (status == TSR_OK) status = tsr_conv_check_data(d, x, w, bias, y);
  if (status == TSR_OK) status = tsr_conv_check_overlap(d, x, w, bias, d->post.add, y);
  if (status != TSR_OK || d->batch == 0) return status;
  tsr_conv_normalise(d, x, w, bias, d->post.add, y, &problem);
  if (tsr_conv_is_integer(d)) return convolve_integers(context, &problem);
  tsr_conv_complete(context, &problem, tsr_threads_available(context), &way);
  tsr_conv_job_of(context, &problem, &way, &job);
  char *packed = tsr_scratch_get(TSR_SCRATCH_B, (size_t)tsr_conv_packed_bytes(&job));
  void *workspace = tsr_scratch_get(TSR_SCRATCH_A, tsr_conv_workspace_bytes(&job));
  if (!packed || !workspace) return tsr_fail(TSR_OUT_OF_MEMORY, "no scratch memory for packed weights and tiles");
  tsr_conv_pack(context, &job, packed);
  tsr_conv_run_all(context, &job, workspace);
  return TSR_OK;
}

struct tsr_conv_plan {
  tsr_context *context;
  tsr_conv_desc desc;
  struct tsr_conv_problem problem;
  struct tsr_conv_way way;
  struct tsr_conv_job job;
  size_t bytes;
  char *packed;
  struct tsr_conv_int8 *integers; /* NULL: of floating-point numbers */
};

static tsr_status fill_plan(tsr_conv_plan *plan, const void *w, const void *bias) {
  void *packed;
  int64_t images = plan->desc.batch;
  plan->desc.batch = tsr_max(1, images); /* a plan for no image is one like the others that is never run */
  tsr_conv_normalise(&plan->desc, NULL, w, bias, plan->desc.post.add, NULL, &plan->problem);
  plan->desc.batch = images;
  if (tsr_conv_is_integer(&plan->desc)) {
    int threads = threads_for(plan->context, &plan->problem);
    tsr_status status = tsr_conv_int8_create(plan->context, &plan->problem, threads, &plan->integers);
    if (status == TSR_OK) plan->bytes = tsr_conv_int8_workspace(plan->integers);
    return status;
  }
  tsr_conv_complete(plan->context, &plan->problem, tsr_threads_available(plan->context), &plan->way);
  tsr_conv_job_of(plan->context, &plan->problem, &plan->way, &plan->job);
  plan->bytes = plan->desc.batch ? tsr_conv_workspace_bytes(&plan->job) : 0;
  if (posix_memalign(&packed, 4096, (size_t)tsr_conv_packed_bytes(&plan->job)) != 0)
    return tsr_fail(TSR_OUT_OF_MEMORY, "no memory for packed weights");
  plan->packed = packed;
  tsr_conv_pack(plan->context, &plan->job, plan->packed);
  return TSR_OK;
}

tsr_status tsr_conv_plan_create(tsr_context *given, const tsr_conv_desc *d, const void *w, const void *bias,
                                tsr_conv_plan **plan) {
  tsr_context *context;
  CHECK(plan, "plan is NULL: pass the address of a tsr_conv_plan pointer");
  tsr_status status = start(given, d, &context);
  if (status != TSR_OK) return status;
  CHECK(w, "w is NULL");
  if (context->device) return tsr_fail(TSR_UNSUPPORTED, "plans of convolution are for CPU contexts");
  tsr_conv_plan *made = calloc(1, sizeof *made);
  if (!made) return tsr_fail(TSR_OUT_OF_MEMORY, "no memory for a plan");
  made->context = context;
  made->desc = *d;
  made->desc.plan = NULL;
  status = fill_plan(made, w, bias);
  if (status == TSR_OK)
    *plan = made;
  else
    free(made);
  return status;
}

void tsr_conv_plan_destroy(tsr_conv_plan *plan) {
  if (plan) {
    tsr_conv_int8_destroy(plan->integers);
    free(plan->packed);
  }
  free(plan);
}

size_t tsr_conv_plan_workspace(const tsr_conv_plan *plan) { return plan ? plan->bytes : 0; }

tsr_status tsr_conv_run(const tsr_conv_plan *plan, const void *x, const void *add, void *y, void *workspace) {
  CHECK(plan, "plan is NULL: make it with tsr_conv_plan_create");
  const tsr_conv_desc *d = &plan->desc;
  tsr_status status = tsr_conv_check_data(d, x, plan, NULL, y);
  if (status != TSR_OK || d->batch == 0) return status;
  CHECK(!add == !d->post.add, add ? "add is given but the plan's post.add is NULL" : "add is NULL but the plan adds");
  if ((status = tsr_conv_check_overlap(d, x, NULL, NULL, add, y)) != TSR_OK) return status;
  if ((status = tsr_conv_check_workspace(d, x, add, y, workspace, plan->bytes)) != TSR_OK) return status;
  if (plan->integers) {
    tsr_conv_int8_run(plan->integers, plan->context, 0, x, add, y, workspace);
    return TSR_OK;
  }
  struct tsr_conv_problem problem = plan->problem;
  struct tsr_conv_job job = plan->job;
  problem.x.at = (tsr_mem)x;
  problem.y.at = (tsr_mem)y;
  problem.add = (tsr_mem)add;
  job.p = &problem;
  tsr_conv_run_all(plan->context, &job, workspace);
  return TSR_OK;
}
