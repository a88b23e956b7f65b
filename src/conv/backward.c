/* The public face of convolution's gradients. */
#include "src/conv/backward.h"

#include <stdatomic.h>
#include <string.h>

#include "src/core/memory.h"
#include "src/core/threads.h"
#include "src/gemm/gemm.h"

#define CHECK(condition, ...) \
  if (!(condition)) return tsr_fail(TSR_INVALID_ARGUMENT, __VA_ARGS__)

/* A copy of the descriptor without what gradients do not look at, checked. */
static tsr_status start(tsr_context *given, const tsr_conv_desc *desc, tsr_context **context, tsr_conv_desc *d) {
  tsr_status status = tsr_context_get(given, context);
  if (status != TSR_OK) return status;
  if (!desc || desc->size != sizeof *desc) return tsr_conv_check(*context, desc);
  *d = *desc;
  d->post = (tsr_post_ops){.scale = NULL};
  d->plan = NULL;
  if (tsr_conv_is_integer(d)) return tsr_fail(TSR_UNSUPPORTED, "type_w is s8: integers have no gradients");
  if ((*context)->device) return tsr_fail(TSR_UNSUPPORTED, "gradients of convolution are for CPU contexts");
  return tsr_conv_check(*context, d);
}

static bool overlap(const void *a, int64_t bytes_a, const void *b, int64_t bytes_b) {
  uintptr_t from_a = (uintptr_t)a, from_b = (uintptr_t)b;
  return a && b && from_a < from_b + (uintptr_t)bytes_b && from_b < from_a + (uintptr_t)bytes_a;
}

static int64_t bytes_of_x(const tsr_conv_desc *d) { return tsr_conv_elements_of_x(d) * tsr_size_of(d->type_x); }
static int64_t bytes_of_w(const tsr_conv_desc *d) { return tsr_conv_elements_of_w(d) * tsr_size_of(d->type_w); }
static int64_t bytes_of_y(const tsr_conv_desc *d) {
  return tsr_conv_elements_of_y(d) * tsr_size_of(tsr_conv_type_of_y(d));
}

/* --- with regard to x: a convolution of dy by the same weights, the other way round ------------------------------ */

static tsr_conv_desc turned(const tsr_conv_desc *d) {
  tsr_conv_desc t = *d;
  t.type_x = tsr_conv_type_of_y(d);
  t.type_y = d->type_x;
  t.layout_x = d->layout_y;
  t.layout_y = d->layout_x;
  t.transposed = !d->transposed;
  t.channels = d->filters;
  t.filters = d->channels;
  memcpy(t.in, d->out, sizeof t.in);
  memcpy(t.out, d->in, sizeof t.out);
  return t;
}

/* Computes a problem with up to so many threads; false: there is no memory for that. */
static bool convolve(const tsr_context *context, const struct tsr_conv_problem *problem, int threads) {
  struct tsr_conv_way way = {0};
  struct tsr_conv_job job;
  tsr_conv_complete(context, problem, threads, &way);
  tsr_conv_job_of(context, problem, &way, &job);
  char *packed = tsr_scratch_get(TSR_SCRATCH_B, (size_t)tsr_conv_packed_bytes(&job));
  void *workspace = tsr_scratch_get(TSR_SCRATCH_A, tsr_conv_workspace_bytes(&job));
  if (!packed || !workspace) return false;
  tsr_conv_pack(context, &job, packed);
  tsr_conv_run_all(context, &job, workspace);
  return true;
}

tsr_status tsr_conv_backward_data(tsr_context *given, const tsr_conv_desc *desc, const void *dy, const void *w,
                                  void *dx) {
  tsr_context *context;
  tsr_conv_desc d, t;
  struct tsr_conv_problem problem;
  tsr_status status = start(given, desc, &context, &d);
  if (status != TSR_OK) return status;
  CHECK(w, "w is NULL");
  if (d.batch == 0) return TSR_OK;
  CHECK(dy, "dy is NULL");
  CHECK(dx, "dx is NULL");
  CHECK(!overlap(dx, bytes_of_x(&d), dy, bytes_of_y(&d)), "dx overlaps dy");
  CHECK(!overlap(dx, bytes_of_x(&d), w, bytes_of_w(&d)), "dx overlaps w");
  t = turned(&d);
  tsr_conv_normalise(&t, dy, w, NULL, NULL, dx, &problem);
  problem.kb = tsr_gemm_kb(d.type_w);
  if (convolve(context, &problem, tsr_threads_available(context)) || convolve(context, &problem, 1)) return TSR_OK;
  return tsr_fail(TSR_OUT_OF_MEMORY, "no scratch memory for packed weights and tiles");
}

/* --- with regard to w and bias ----------------------------------------------------------------------------------- */

static struct tsr_dw_side side_of(tsr_type type, tsr_layout layout, const void *at, int64_t channels, int64_t groups,
                                  const int64_t *size) {
  int64_t bytes = tsr_size_of(type), pixels = size[0] * size[1] * size[2];
  struct tsr_dw_side side = {.channels = channels / groups, .last = layout == TSR_CHANNELS_LAST || channels == 1};
  memcpy(side.size, size, sizeof side.size);
  side.t.type = type;
  side.t.at = (tsr_mem)at;
  side.t.dim[2] = side.last ? channels * bytes : bytes;
  side.t.dim[1] = side.t.dim[2] * size[2];
  side.t.dim[0] = side.t.dim[1] * size[1];
  side.t.channel = side.last ? bytes : pixels * bytes;
  side.t.image = pixels * channels * bytes;
  return side;
}

static void describe(const tsr_context *context, const tsr_conv_desc *d, const void *x, const void *dy, void *dw,
                     void *dbias, struct tsr_dw *w, struct tsr_dbias *b) {
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1};
  *w = (struct tsr_dw){.d = d, .table = context->kernels, .batch = d->batch, .groups = d->groups, .taps = 1,
                       .kb = tsr_gemm_kb(d->type_w), .type = d->type_w == TSR_F64 ? TSR_F64 : TSR_F32,
                       .dw = (tsr_mem)dw};
  w->size = tsr_size_of(w->type);
  for (int i = 0; i < 3; i++) {
    int at = i - (3 - d->dims);
    w->dim[i] = (struct tsr_conv_dim){1, 1, 1, 1, 1, 0};
    if (at < 0) continue;
    in[i] = d->in[at];
    out[i] = d->out[at];
    w->dim[i] = (struct tsr_conv_dim){in[i], out[i], d->kernel[at], d->stride[at], d->dilation[at], d->pad_begin[at]};
    w->taps *= d->kernel[at];
  }
  struct tsr_dw_side side_x = side_of(d->type_x, d->layout_x, x, d->channels, d->groups, in);
  struct tsr_dw_side side_y = side_of(tsr_conv_type_of_y(d), d->layout_y, dy, d->filters, d->groups, out);
  w->wide = d->transposed ? side_y : side_x;
  w->dense = d->transposed ? side_x : side_y;
  for (int i = 0; i < 3; i++) {
    w->dim[i].in = w->wide.size[i];
    w->dim[i].out = w->dense.size[i];
  }
  w->last = d->layout_w == TSR_CHANNELS_LAST || w->taps == 1;
  w->numbers = d->batch * w->dense.size[0] * w->dense.size[1] * w->dense.size[2];
  *b = (struct tsr_dbias){.table = w->table, .type = w->type, .size = w->size, .kb = w->kb, .batch = d->batch,
                          .numbers = d->batch * out[0] * out[1] * out[2], .filters = d->filters, .side = side_y,
                          .dbias = (tsr_mem)dbias};
}

struct call {
  const struct tsr_dw *w;    /* NULL: not wanted */
  const struct tsr_dbias *b;
  int64_t items, panels;
  char *memory;
  size_t worker_bytes;
  _Atomic int64_t claimed;
};

static void body(void *arg, int index) {
  struct call *call = arg;
  char *memory = call->memory + (size_t)index * call->worker_bytes;
  for (int64_t i; (i = atomic_fetch_add(&call->claimed, 1)) < call->items + call->panels;)
    if (i < call->items)
      tsr_dw_item(call->w, i, memory);
    else
      tsr_dbias_panel(call->b, i - call->items, memory);
}

/* With up to so many threads; false: there is no memory for that. */
static bool compute(const tsr_context *context, struct tsr_dw *w, struct tsr_dbias *b, int most) {
  struct call call = {.w = w, .b = b};
  int threads = 1;
  if (w->dw) {
    tsr_dw_plan(context, w, most, &threads);
    call.items = tsr_dw_items(w);
    call.worker_bytes = tsr_dw_worker_bytes(w);
  }
  if (b->dbias) {
    if (!w->dw) threads = tsr_gemm_threads_for(most, b->numbers * b->filters);
    tsr_dbias_plan(b, threads);
    call.panels = b->panels;
    call.worker_bytes = (size_t)tsr_max((int64_t)call.worker_bytes, (int64_t)tsr_dbias_worker_bytes(b));
  }
  call.memory = tsr_scratch_get(TSR_SCRATCH_A, (size_t)threads * call.worker_bytes);
  if (!call.memory) return false;
  if (threads < 2) {
    body(&call, 0);
    return true;
  }
  struct tsr_team team;
  tsr_team_reserve(context, threads, &team);
  tsr_team_run(&team, body, &call);
  return true;
}

tsr_status tsr_conv_backward_weights(tsr_context *given, const tsr_conv_desc *desc, const void *x, const void *dy,
                                     void *dw, void *dbias) {
  tsr_context *context;
  tsr_conv_desc d;
  struct tsr_dw w;
  struct tsr_dbias b;
  tsr_status status = start(given, desc, &context, &d);
  if (status != TSR_OK || (!dw && !dbias)) return status;
  int64_t bytes_bias = d.filters * (d.type_w == TSR_F64 ? 8 : 4);
  CHECK(!overlap(dw, bytes_of_w(&d), dbias, bytes_bias), "dw overlaps dbias");
  if (d.batch == 0) {
    if (dw) memset(dw, 0, (size_t)bytes_of_w(&d));
    if (dbias) memset(dbias, 0, (size_t)bytes_bias);
    return TSR_OK;
  }
  CHECK(x || !dw, "x is NULL");
  CHECK(dy, "dy is NULL");
  CHECK(!overlap(dw, bytes_of_w(&d), x, bytes_of_x(&d)), "dw overlaps x");
  CHECK(!overlap(dw, bytes_of_w(&d), dy, bytes_of_y(&d)), "dw overlaps dy");
  CHECK(!overlap(dbias, bytes_bias, x, bytes_of_x(&d)), "dbias overlaps x");
  CHECK(!overlap(dbias, bytes_bias, dy, bytes_of_y(&d)), "dbias overlaps dy");
  describe(context, &d, x, dy, dw, dbias, &w, &b);
  if (compute(context, &w, &b, tsr_threads_available(context)) || compute(context, &w, &b, 1)) return TSR_OK;
  return tsr_fail(TSR_OUT_OF_MEMORY, "no scratch memory for pixels and sums");
}
