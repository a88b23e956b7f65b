/* The public face of convolution. */
#include <stdio.h>
#include <stdlib.h>

#include "src/conv/device.h"
#include "src/conv/int8.h"
#include "src/conv/space.h"
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

/* --- the trace ----------------------------------------------------------------------------------------------------- */

static size_t put_sizes(char *text, size_t size, size_t used, char before, const int64_t *sizes, int n) {
  for (int i = 0; i < n && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%c%lld", i ? 'x' : before, (long long)sizes[i]);
  return used;
}

/* "8:64->128/1@56x56 3x3/1x1": batch, channels, filters, groups, sizes, kernel, strides. */
static void describe(const tsr_conv_desc *d, struct tsr_trace_call *call) {
  struct tsr_conv_amount amount;
  tsr_conv_amount_of(d, &amount);
  call->flops = amount.flops;
  call->type = tsr_conv_is_integer(d) ? TSR_S8 : d->type_x == TSR_F64 ? TSR_F64 : TSR_F32;
  size_t size = sizeof call->sizes;
  size_t used = (size_t)snprintf(call->sizes, size, "%lld:%lld->%lld/%lld", (long long)d->batch, (long long)d->channels,
                                 (long long)d->filters, (long long)d->groups);
  used = put_sizes(call->sizes, size, used, '@', d->in, d->dims);
  used = put_sizes(call->sizes, size, used, ' ', d->kernel, d->dims);
  put_sizes(call->sizes, size, used, '/', d->stride, d->dims);
}

/* `way`: NULL for integers. */
static void trace(const tsr_context *context, const struct tsr_conv_problem *p, const struct tsr_conv_way *way,
                  const char *routine, int threads, double seconds) {
  char kernel[64];
  struct tsr_trace_call call = {.routine = routine, .kernel = way ? kernel : "integers", .context = context,
                                .threads = threads, .seconds = seconds};
  describe(p->d, &call);
  if (way) {
    bool groups = way->lanes == TSR_CONV_GROUPS;
    const struct tsr_kernels *kernels = &context->kernels[p->type];
    snprintf(kernel, sizeof kernel, "%s/%dx%d/%s%s", tsr_conv_operator.plan[TSR_CONV_LANES].words[way->lanes - 1],
             way->units * (groups ? &kernels->conv_lanes : &kernels->conv)->mu, way->columns,
             way->order == TSR_CONV_PIXELS ? "pixels" : "panels", way->band ? "/band" : "");
  }
  if (tsr_conv_is_looked_up(p)) {
    int used = snprintf(call.shape, sizeof call.shape, "%s ", tsr_conv_operator.name);
    tsr_conv_words(context, p->d, call.shape + used);
  }
  tsr_trace_print(&call);
}

/* --- calls --------------------------------------------------------------------------------------------------------- */

static tsr_status convolve_integers(const tsr_context *context, const struct tsr_conv_problem *problem) {
  struct tsr_conv_int8 *plan;
  double begin = tsr_tracing() ? tsr_trace_now() : 0;
  tsr_status status = tsr_conv_int8_create(context, problem, threads_for(context, problem), true, &plan);
  if (status != TSR_OK) return status;
  void *workspace = tsr_scratch_get(TSR_SCRATCH_A, tsr_conv_int8_workspace(plan) + 64);
  if (workspace)
    tsr_conv_int8_run(plan, context, 0, (const void *)problem->x.at, (const void *)problem->add, (void *)problem->y.at,
                      workspace);
  else
    status = tsr_fail(TSR_OUT_OF_MEMORY, "no scratch memory for a band and tiles");
  tsr_conv_int8_destroy(plan);
  if (tsr_tracing() && status == TSR_OK)
    trace(context, problem, NULL, "tsr_conv", threads_for(context, problem), tsr_trace_now() - begin);
  return status;
}

/* What a call needs beside its operands. */
struct room {
  struct tsr_conv_job job;
  char *packed;
  void *workspace;
};

static bool get_room(const tsr_context *context, const struct tsr_conv_problem *p, const struct tsr_conv_way *way,
                     struct room *room) {
  tsr_conv_job_of(context, p, way, &room->job);
  room->packed = tsr_scratch_get(TSR_SCRATCH_B, (size_t)tsr_conv_packed_bytes(&room->job));
  room->workspace = tsr_scratch_get(TSR_SCRATCH_A, tsr_conv_workspace_bytes(&room->job));
  return room->packed && room->workspace;
}

static tsr_status convolve(const tsr_context *context, const struct tsr_conv_problem *p) {
  struct tsr_conv_way way;
  struct tsr_trial trial;
  struct room room;
  bool tries = tsr_tune_writes() && tsr_conv_tries(context, p, &way, &trial);
  if (!tries) tsr_conv_choose(context, p, tsr_threads_available(context), &way);
  bool ready = get_room(context, p, &way, &room);
  if (!ready && (tries || way.threads > 1)) {
    if (tries) tsr_use_end(&trial, 0);
    tries = false;
    tsr_conv_choose(context, p, 1, &way);
    ready = get_room(context, p, &way, &room);
  }
  if (!ready) return tsr_fail(TSR_OUT_OF_MEMORY, "no scratch memory for packed weights and tiles");
  double begin = tries || tsr_tracing() ? tsr_trace_now() : 0;
  tsr_conv_pack(context, &room.job, room.packed);
  tsr_conv_run_all(context, &room.job, room.workspace);
  double seconds = tries || tsr_tracing() ? tsr_trace_now() - begin : 0;
  if (tries) tsr_use_end(&trial, seconds);
  if (tsr_tracing()) trace(context, p, &way, "tsr_conv", way.threads, seconds);
  return TSR_OK;
}

tsr_status tsr_conv(tsr_context *given, const tsr_conv_desc *d, const void *x, const void *w, const void *bias,
                    void *y) {
  tsr_context *context;
  struct tsr_conv_problem problem;
  tsr_status status = start(given, d, &context);
  if (status == TSR_OK && context->device) return tsr_conv_on_device(context, d, x, w, bias, y);
  if (status == TSR_OK) status = tsr_conv_check_data(d, x, w, bias, y);
  if (status == TSR_OK) status = tsr_conv_check_overlap(d, x, w, bias, d->post.add, y);
  if (status != TSR_OK || d->batch == 0) return status;
  tsr_conv_normalise(d, x, w, bias, d->post.add, y, &problem);
  if ((status = tsr_conv_check_plan(context, &problem)) != TSR_OK) return status;
  return tsr_conv_is_integer(d) ? convolve_integers(context, &problem) : convolve(context, &problem);
}

/* --- plans --------------------------------------------------------------------------------------------------------- */

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
  tsr_status status = tsr_conv_check_plan(plan->context, &plan->problem);
  if (status == TSR_OK && !tsr_conv_is_integer(&plan->desc))
    tsr_conv_choose(plan->context, &plan->problem, tsr_threads_available(plan->context), &plan->way);
  plan->desc.batch = images;
  plan->desc.plan = NULL; /* its text may go */
  if (status != TSR_OK) return status;
  if (tsr_conv_is_integer(&plan->desc)) {
    int threads = threads_for(plan->context, &plan->problem);
    status = tsr_conv_int8_create(plan->context, &plan->problem, threads, false, &plan->integers);
    if (status == TSR_OK) plan->bytes = tsr_conv_int8_workspace(plan->integers);
    return status;
  }
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
  double begin = tsr_tracing() ? tsr_trace_now() : 0;
  if (plan->integers) {
    tsr_conv_int8_run(plan->integers, plan->context, 0, x, add, y, workspace);
    if (tsr_tracing()) {
      int threads = threads_for(plan->context, &plan->problem);
      trace(plan->context, &plan->problem, NULL, "tsr_conv_run", threads, tsr_trace_now() - begin);
    }
    return TSR_OK;
  }
  struct tsr_conv_problem problem = plan->problem;
  struct tsr_conv_job job = plan->job;
  problem.x.at = (tsr_mem)x;
  problem.y.at = (tsr_mem)y;
  problem.add = (tsr_mem)add;
  job.p = &problem;
  tsr_conv_run_all(plan->context, &job, workspace);
  if (tsr_tracing())
    trace(plan->context, &problem, &plan->way, "tsr_conv_run", plan->way.threads, tsr_trace_now() - begin);
  return TSR_OK;
}
