/* The public face of attention on a CPU. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/attention/device.h"
#include "src/attention/space.h"
#include "src/core/memory.h"
#include "src/core/threads.h"
#include "src/core/trace.h"

#define CHECK(condition, ...) \
  if (!(condition)) return tsr_fail(TSR_INVALID_ARGUMENT, __VA_ARGS__)

void tsr_attention_set_sizes(tsr_attention_desc *d, int64_t batch, int64_t heads_q, int64_t heads_kv, int64_t len_q,
                             int64_t len_kv, int64_t d_qk, int64_t d_v) {
  d->batch = batch;
  d->heads_q = heads_q;
  d->heads_kv = heads_kv;
  d->len_q = len_q;
  d->len_kv = len_kv;
  d->d_qk = d_qk;
  d->d_v = d_v;
  struct {
    int64_t *stride, heads, rows, row;
  } tensor[] = {{d->stride_q, heads_q, len_q, d_qk},
                {d->stride_k, heads_kv, len_kv, d_qk},
                {d->stride_v, heads_kv, len_kv, d_v},
                {d->stride_out, heads_q, len_q, d_v}};
  for (int i = 0; i < 4; i++) {
    tensor[i].stride[TSR_HEAD] = tensor[i].row;
    tensor[i].stride[TSR_ROW] = tensor[i].heads * tensor[i].row;
    tensor[i].stride[TSR_BATCH] = tensor[i].rows * tensor[i].heads * tensor[i].row;
  }
}

void tsr_attention_describe(const tsr_attention_desc *d, struct tsr_trace_call *call) {
  call->type = TSR_F32;
  call->flops = 2.0 * (double)d->batch * (double)d->heads_q * (double)d->len_q * (double)d->len_kv *
                (double)(d->d_qk + d->d_v);
  snprintf(call->sizes, sizeof call->sizes, "%lldx%lld/%lldx%lldx%lldx%lld/%lld", (long long)d->batch,
           (long long)d->heads_q, (long long)d->heads_kv, (long long)d->len_q, (long long)d->len_kv, (long long)d->d_qk,
           (long long)d->d_v);
}

static void trace(const tsr_context *context, const struct tsr_attention_problem *p, const struct tsr_attention_way *way,
                  double seconds) {
  char kernel[32];
  struct tsr_trace_call call = {.routine = "tsr_attention", .kernel = kernel, .context = context,
                                .threads = way->threads, .seconds = seconds};
  tsr_attention_describe(&p->d, &call);
  snprintf(kernel, sizeof kernel, "%s/%lldx%lld%s", way->lanes == TSR_LANES_KEYS ? "keys" : "queries",
           (long long)way->rows, (long long)way->width, way->split ? "/split" : "");
  if (tsr_attention_is_looked_up(p)) {
    int used = snprintf(call.shape, sizeof call.shape, "attention ");
    tsr_attention_words(context, p, call.shape + used);
  }
  tsr_trace_print(&call);
}

static void run(const tsr_context *context, const struct tsr_attention_problem *p, const struct tsr_attention_way *way,
                void *workspace) {
  double start = tsr_tracing() ? tsr_trace_now() : 0;
  tsr_attention_run_all(context, p, way, workspace);
  if (tsr_tracing()) trace(context, p, way, tsr_trace_now() - start);
}

static tsr_status check_plan(const tsr_context *context, const struct tsr_attention_problem *p) {
  return p->d.plan ? tsr_attention_check_plan(context, p) : TSR_OK;
}

static bool is_empty(const tsr_attention_desc *d) { return d->batch == 0 || d->len_q == 0; }

tsr_status tsr_attention(tsr_context *given, const tsr_attention_desc *d, const void *q, const void *k, const void *v,
                         void *out, float *lse) {
  tsr_context *context;
  struct tsr_attention_problem problem;
  struct tsr_attention_way way;
  struct tsr_trial trial;
  tsr_status status = tsr_context_get(given, &context);
  if (status == TSR_OK) status = tsr_attention_check(context, d);
  if (status != TSR_OK || is_empty(d)) return status;
  if (context->device) return tsr_attention_on_device(context, d, q, k, v, out, lse);
  if ((status = tsr_attention_check_data(d, q, k, v, out, lse)) != TSR_OK) return status;
  tsr_attention_normalise(d, q, k, v, out, lse, &problem);
  if ((status = check_plan(context, &problem)) != TSR_OK) return status;
  bool tries = tsr_tune_writes() && tsr_attention_tries(context, &problem, &way, &trial);
  if (!tries) tsr_attention_choose(context, &problem, tsr_threads_available(context), &way);
  void *workspace = tsr_scratch_get(TSR_SCRATCH_A, tsr_attention_workspace_bytes(&problem, &way));
  if (!workspace && (tries || way.threads > 1)) {
    if (tries) tsr_use_end(&trial, 0);
    tries = false;
    tsr_attention_choose(context, &problem, 1, &way);
    workspace = tsr_scratch_get(TSR_SCRATCH_A, tsr_attention_workspace_bytes(&problem, &way));
  }
  if (!workspace) return tsr_fail(TSR_OUT_OF_MEMORY, "no scratch memory for attention");
  double start = tries ? tsr_trace_now() : 0;
  run(context, &problem, &way, workspace);
  if (tries) tsr_use_end(&trial, tsr_trace_now() - start);
  return TSR_OK;
}

struct tsr_attention_plan {
  tsr_context *context;
  tsr_attention_desc desc;
  struct tsr_attention_way way;
  size_t bytes;
};

tsr_status tsr_attention_plan_create(tsr_context *given, const tsr_attention_desc *d, tsr_attention_plan **plan) {
  tsr_context *context;
  struct tsr_attention_problem problem;
  CHECK(plan, "plan is NULL: pass the address of a tsr_attention_plan pointer");
  tsr_status status = tsr_context_get(given, &context);
  if (status == TSR_OK) status = tsr_attention_check(context, d);
  if (status != TSR_OK) return status;
  if (context->device) return tsr_fail(TSR_UNSUPPORTED, "plans of attention are for CPU contexts");
  tsr_attention_normalise(d, NULL, NULL, NULL, NULL, NULL, &problem);
  if ((status = check_plan(context, &problem)) != TSR_OK) return status;
  tsr_attention_plan *made = malloc(sizeof *made);
  if (!made) return tsr_fail(TSR_OUT_OF_MEMORY, "no memory for a plan");
  made->context = context;
  made->desc = *d;
  tsr_attention_choose(context, &problem, tsr_threads_available(context), &made->way);
  made->bytes = is_empty(d) ? 0 : tsr_attention_workspace_bytes(&problem, &made->way);
  *plan = made;
  return TSR_OK;
}

void tsr_attention_plan_destroy(tsr_attention_plan *plan) { free(plan); }

size_t tsr_attention_plan_workspace(const tsr_attention_plan *plan) { return plan ? plan->bytes : 0; }

/* What a run may not change: everything that memory was measured for. */
static tsr_status check_like_plan(const tsr_attention_desc *made, const tsr_attention_desc *d) {
  CHECK(d->batch <= made->batch && d->len_q <= made->len_q && d->len_kv <= made->len_kv,
        "batch %lld, len_q %lld or len_kv %lld is more than the plan was made for", (long long)d->batch,
        (long long)d->len_q, (long long)d->len_kv);
  CHECK(d->heads_q == made->heads_q && d->heads_kv == made->heads_kv, "heads_q or heads_kv is not the plan's");
  CHECK(d->d_qk == made->d_qk && d->d_v == made->d_v, "d_qk or d_v is not the plan's");
  CHECK(d->type_q == made->type_q && d->type_k == made->type_k && d->type_v == made->type_v &&
            d->type_out == made->type_out,
        "type_q, type_k, type_v or type_out is not the plan's");
  CHECK(!d->mask_type == !made->mask_type, "mask_type is not the plan's");
  CHECK(d->result == made->result && d->layout_k == made->layout_k, "result or layout_k is not the plan's");
  return TSR_OK;
}

tsr_status tsr_attention_run(const tsr_attention_plan *plan, const tsr_attention_desc *d, const void *q, const void *k,
                             const void *v, void *out, float *lse, void *workspace) {
  struct tsr_attention_problem problem;
  CHECK(plan, "plan is NULL: make it with tsr_attention_plan_create");
  tsr_status status = tsr_attention_check(plan->context, d);
  if (status == TSR_OK) status = check_like_plan(&plan->desc, d);
  if (status != TSR_OK || is_empty(d)) return status;
  if ((status = tsr_attention_check_data(d, q, k, v, out, lse)) != TSR_OK) return status;
  CHECK(workspace, "workspace is NULL: tsr_attention_plan_workspace says how many bytes it needs");
  CHECK((uintptr_t)workspace % 64 == 0, "workspace is not aligned to 64 bytes");
  tsr_attention_normalise(d, q, k, v, out, lse, &problem);
  run(plan->context, &problem, &plan->way, workspace);
  return TSR_OK;
}
