/* Attention on a device: tiles of queries dealt out to its cores, many to a step. */
#include "src/attention/device.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNSUPPORTED(condition, ...) \
  if (condition) return tsr_fail(TSR_UNSUPPORTED, __VA_ARGS__)

struct call {
  struct tsr_device *device;
  const struct tsr_kernel *kernel;
  const tsr_attention_desc *d;
  struct tsr_attend attend;
  struct tsr_attend_limits limits;
};

static tsr_status check_features(const tsr_attention_desc *d) {
  UNSUPPORTED(d->softcap != 0, "softcap is %g: devices have no soft cap", d->softcap);
  UNSUPPORTED(d->prefix != 0, "prefix is %lld: devices have no prefix", (long long)d->prefix);
  UNSUPPORTED(d->mask_type != 0, "mask_type is %d: devices take no mask", (int)d->mask_type);
  UNSUPPORTED(d->alibi, "alibi is given: devices have no slopes");
  UNSUPPORTED(d->sinks, "sinks are given: devices have none");
  UNSUPPORTED(d->kv_lens, "kv_lens is given: on devices all sequences of a call are equally long");
  UNSUPPORTED(d->cu_q, "cu_q is given: devices take no ragged batches");
  UNSUPPORTED(d->cu_kv, "cu_kv is given: devices take no ragged batches");
  UNSUPPORTED(d->page_size != 0, "page_size is %lld: devices take no pages", (long long)d->page_size);
  UNSUPPORTED(d->layout_k != TSR_KV_ROWS, "layout_k is %d: devices take keys in rows", (int)d->layout_k);
  UNSUPPORTED(d->result != TSR_ATTENTION_WHOLE, "result is %d: devices give whole results only", (int)d->result);
  UNSUPPORTED(d->first_key != 0 || d->all_keys > d->len_kv, "first_key is %lld and all_keys %lld: devices take all "
              "keys at once", (long long)d->first_key, (long long)d->all_keys);
  UNSUPPORTED(d->scale < 0, "scale is %g: devices take only one above 0", d->scale);
  return TSR_OK;
}

static tsr_status find_kernel(const struct tsr_device_chip *chip, const tsr_attention_desc *d,
                              const struct tsr_kernel **kernel) {
  UNSUPPORTED(d->type_k != d->type_q || d->type_v != d->type_q, "type_q, type_k and type_v are %d, %d and %d: on "
              "devices they are the same", (int)d->type_q, (int)d->type_k, (int)d->type_v);
  bool known = false;
  for (int i = 0; i < chip->nkernels; i++) {
    *kernel = &chip->kernel[i];
    if ((*kernel)->op != TSR_OP_ATTEND || (*kernel)->ta != d->type_q) continue;
    known = true;
    if ((*kernel)->tc == d->type_out) return TSR_OK;
  }
  UNSUPPORTED(!known, "type_q is %d: this device has no attention for it (TSR_F16 and TSR_BF16 are usual)",
              (int)d->type_q);
  return tsr_fail(TSR_UNSUPPORTED, "type_out is %d: use TSR_F32 or the type of q", (int)d->type_out);
}

/* The words of a plan: softmax=f32 or softmax=f16; none: what the device prefers, `said` is false. */
static tsr_status read_plan(const char *plan, bool *said, bool *narrow) {
  *said = plan && *plan;
  *narrow = *said && !strcmp(plan, "softmax=f16");
  if (!*said || *narrow || !strcmp(plan, "softmax=f32")) return TSR_OK;
  return tsr_fail(TSR_INVALID_ARGUMENT, "plan is \"%.64s\": on devices use softmax=f32 or softmax=f16", plan);
}

/* From which key on and up to which one a query sees. */
static void set_view(const tsr_attention_desc *d, struct tsr_attend *attend) {
  int64_t right = d->causal != TSR_NOT_CAUSAL ? 0 : d->window_right, lengths = d->len_q + d->len_kv;
  int64_t shift = d->causal == TSR_CAUSAL_TOP_LEFT ? 0 : d->len_kv - d->len_q;
  attend->lower = d->window_left >= 0 && d->window_left < lengths;
  if (right < 0 || right > lengths) right = lengths; /* a diagonal beyond all keys, from which a lower end counts */
  attend->diagonal = shift + right;
  attend->before = d->window_left + right;
  attend->upper = attend->lower || attend->diagonal < d->len_kv - 1;
}

static void set_steps(const int64_t *stride, tsr_type type, int64_t *step) {
  for (int i = 0; i < 3; i++) step[i] = stride[i] * tsr_size_of(type);
}

/* The heads of a single query that share keys are taken as rows of one head if it sees all keys: what a row may not see
 * depends on its number. */
static void join_heads(struct tsr_attend *attend) {
  if (attend->queries > 1 || attend->upper || attend->group == 1) return;
  attend->queries = attend->group;
  attend->heads /= attend->group;
  attend->group = 1;
  attend->step_q[TSR_ROW] = attend->step_q[TSR_HEAD];
  attend->step_q[TSR_HEAD] *= attend->queries;
  attend->step_out[TSR_ROW] = attend->step_out[TSR_HEAD];
  attend->step_out[TSR_HEAD] *= attend->queries;
}

static void set_call(const tsr_attention_desc *d, struct tsr_attend *attend) {
  set_view(d, attend);
  set_steps(d->stride_q, d->type_q, attend->step_q);
  set_steps(d->stride_k, d->type_k, attend->step_k);
  set_steps(d->stride_v, d->type_v, attend->step_v);
  set_steps(d->stride_out, d->type_out, attend->step_out);
  attend->heads = d->heads_q;
  attend->group = d->heads_q / d->heads_kv;
  attend->queries = d->len_q;
  attend->keys = d->len_kv;
  attend->d_qk = d->d_qk;
  attend->d_v = d->d_v;
  attend->scale = (float)(d->scale == 0 ? 1 / sqrt((double)d->d_qk) : d->scale);
  join_heads(attend);
}

/* Tiles of a head are as equal as they can be. */
static tsr_status prepare(const tsr_context *context, const tsr_attention_desc *d, struct call *call) {
  *call = (struct call){.device = context->device, .d = d};
  struct tsr_attend *attend = &call->attend;
  bool said = false;
  tsr_status status = check_features(d);
  if (status == TSR_OK) status = find_kernel(context->device->chip, d, &call->kernel);
  if (status == TSR_OK) status = read_plan(d->plan, &said, &attend->narrow);
  if (status != TSR_OK) return status;
  set_call(d, attend);
  status = context->device->chip->prepare_attend(context->device, call->kernel, attend, &call->limits);
  if (status != TSR_OK) return status;
  if (!said) attend->narrow = call->limits.narrow;
  int64_t tiles = tsr_ceil_div(attend->queries, call->limits.rows);
  attend->rows = tsr_round_up(tsr_ceil_div(attend->queries, tiles), context->device->unit);
  return TSR_OK;
}

/* Operands. */

static size_t extent(const int64_t *step, int64_t batch, int64_t heads, int64_t rows, int64_t row) {
  return (size_t)((batch - 1) * step[TSR_BATCH] + (heads - 1) * step[TSR_HEAD] + (rows - 1) * step[TSR_ROW] + row);
}

static tsr_status check_operand(struct tsr_device *device, const char *name, tsr_mem at, int64_t align, size_t bytes) {
  char why[256];
  if (at % (tsr_mem)align)
    return tsr_fail(TSR_INVALID_ARGUMENT, "%s: %#llx is not a multiple of its elements' %lld bytes", name,
                    (unsigned long long)at, (long long)align);
  tsr_status status = device->chip->check(device, at, bytes);
  if (status == TSR_OK) return TSR_OK;
  snprintf(why, sizeof why, "%s", tsr_last_error());
  return tsr_fail(status, "%s: %s", name, why);
}

static tsr_status check_operands(const struct call *call) {
  const tsr_attention_desc *d = call->d;
  const struct tsr_attend *a = &call->attend;
  int64_t size = tsr_size_of(d->type_q), size_out = tsr_size_of(d->type_out), heads_kv = a->heads / a->group;
  const struct {
    const char *name;
    tsr_mem at;
    int64_t align;
    size_t bytes;
  } operand[] = {
      {"q", a->q, size, extent(a->step_q, d->batch, a->heads, a->queries, d->d_qk * size)},
      {"out", a->out, size_out, extent(a->step_out, d->batch, a->heads, a->queries, d->d_v * size_out)},
      {"lse", a->lse, 4, (size_t)(d->batch * a->heads * a->queries * 4)},
      {"k", a->k, size, extent(a->step_k, d->batch, heads_kv, a->keys, d->d_qk * size)},
      {"v", a->v, size, extent(a->step_v, d->batch, heads_kv, a->keys, d->d_v * size)},
  };
  for (int i = 0; i < (d->len_kv > 0 ? 5 : 3); i++) {
    if (i == 2 && !a->lse) continue;
    tsr_status status = check_operand(call->device, operand[i].name, operand[i].at, operand[i].align, operand[i].bytes);
    if (status != TSR_OK) return status;
  }
  return TSR_OK;
}

/* Tiles are dealt out in turn: cores work on the same head at about the same time, whose keys and values their shared
 * cache then has. Under a diagonal pairs of tiles are dealt, all of about the same work. */
static void deal(const struct call *call) {
  struct tsr_attend step = call->attend;
  int64_t cores = call->device->cores, tiles = tsr_ceil_div(step.queries, step.rows);
  step.pairs = step.upper && !step.lower && tiles > 1;
  int64_t all = call->d->batch * step.heads * (step.pairs ? tsr_ceil_div(tiles, 2) : tiles);
  int64_t most = step.pairs ? call->limits.tiles / 2 : call->limits.tiles;
  static const struct tsr_step none;
  step.stride = cores;
  for (int64_t done = 0; done < all; done += cores * most)
    for (int core = 0; core < cores && done + core < all; core++) {
      step.first = done + core;
      step.count = tsr_min(most, tsr_ceil_div(all - step.first, cores));
      call->device->chip->issue(call->device, core, call->kernel, &none, 0, (tsr_mem)&step, 0, NULL, 0);
    }
}

tsr_status tsr_attention_on_device(const tsr_context *context, const tsr_attention_desc *d, const void *q,
                                   const void *k, const void *v, void *out, float *lse) {
  struct call call;
  tsr_status status = context->device->chip->fence(context->device); /* calls follow one another */
  if (status != TSR_OK || d->batch == 0 || d->len_q == 0) return status;
  status = prepare(context, d, &call);
  if (status != TSR_OK) return status;
  call.attend.q = (tsr_mem)q;
  call.attend.k = (tsr_mem)k;
  call.attend.v = (tsr_mem)v;
  call.attend.out = (tsr_mem)out;
  call.attend.lse = (tsr_mem)lse;
  status = check_operands(&call);
  if (status == TSR_OK) deal(&call);
  return status;
}
