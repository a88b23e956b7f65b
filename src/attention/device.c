/* Attention on a device: tiles of queries dealt out to its cores, each core's in few steps of many tiles. */
#include "src/attention/device.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNSUPPORTED(condition, ...) \
  if (condition) return tsr_fail(TSR_UNSUPPORTED, __VA_ARGS__)

/* A call. Steps are in bytes, by TSR_BATCH, TSR_HEAD, TSR_ROW. */
struct call {
  struct tsr_device *device;
  const struct tsr_kernel *kernel;
  const tsr_attention_desc *d;
  struct tsr_attend base; /* what all steps have in common, from the first tile's addresses on */
  struct tsr_attend_limits limits;
  int64_t heads, group, rows; /* of q and out: heads, those that share keys, rows of each */
  int64_t q[3], k[3], v[3], out[3];
};

/* The tiles that a core has not been given yet. */
struct pending {
  struct tsr_attend step;
  struct tsr_attend last; /* of them, the last alone */
};

struct dealer {
  const struct call *call;
  struct pending *core;
  int64_t dealt;
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
  UNSUPPORTED(d->first_key != 0 || d->all_keys > d->len_kv, "first_key is %lld and all_keys %lld: devices take all keys "
              "at once", (long long)d->first_key, (long long)d->all_keys);
  UNSUPPORTED(d->scale < 0, "scale is %g: devices take only one above 0", d->scale);
  return TSR_OK;
}

static tsr_status find_kernel(const struct tsr_device_chip *chip, const tsr_attention_desc *d,
                              const struct tsr_kernel **kernel) {
  UNSUPPORTED(d->type_k != d->type_q || d->type_v != d->type_q, "type_q, type_k and type_v are %d, %d and %d: on devices "
              "they are the same", (int)d->type_q, (int)d->type_k, (int)d->type_v);
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

/* The words of a plan: softmax=f32 or softmax=f16. */
static tsr_status read_plan(const char *plan, bool *narrow) {
  *narrow = false;
  if (!plan || !*plan || !strcmp(plan, "softmax=f32")) return TSR_OK;
  *narrow = !strcmp(plan, "softmax=f16");
  if (*narrow) return TSR_OK;
  return tsr_fail(TSR_INVALID_ARGUMENT, "plan is \"%.64s\": on devices use softmax=f32 or softmax=f16", plan);
}

/* From which key on and up to which one a row sees, seen from its position. */
static void set_view(const tsr_attention_desc *d, struct call *call) {
  int64_t right = d->causal != TSR_NOT_CAUSAL ? 0 : d->window_right;
  int64_t shift = d->causal == TSR_CAUSAL_TOP_LEFT ? 0 : d->len_kv - d->len_q;
  call->base.upper = right >= 0 && right < d->len_q + d->len_kv;
  call->base.lower = d->window_left >= 0 && d->window_left < d->len_q + d->len_kv;
  int64_t behind = call->base.upper ? right : d->len_q + d->len_kv; /* a window alone hangs on a diagonal beyond all */
  call->base.diagonal = shift + behind;
  call->base.before = d->window_left + behind;
  call->base.upper |= call->base.lower;
  if (!call->base.lower && call->base.diagonal >= d->len_kv - 1) call->base.upper = false;
}

static void set_steps(const int64_t *stride, tsr_type type, int64_t *step) {
  for (int i = 0; i < 3; i++) step[i] = stride[i] * tsr_size_of(type);
}

/* A single query's heads that share keys are taken as rows of one head if it sees all keys: what it may not see depends
 * on a row's number. */
static void set_rows(const tsr_attention_desc *d, struct call *call) {
  set_steps(d->stride_q, d->type_q, call->q);
  set_steps(d->stride_k, d->type_k, call->k);
  set_steps(d->stride_v, d->type_v, call->v);
  set_steps(d->stride_out, d->type_out, call->out);
  call->heads = d->heads_q;
  call->group = d->heads_q / d->heads_kv;
  call->rows = d->len_q;
  if (d->len_q > 1 || call->base.upper || call->group == 1) return;
  call->rows = call->group;
  call->heads = d->heads_kv;
  call->group = 1;
  call->q[TSR_ROW] = call->q[TSR_HEAD];
  call->q[TSR_HEAD] *= call->rows;
  call->out[TSR_ROW] = call->out[TSR_HEAD];
  call->out[TSR_HEAD] *= call->rows;
}

static tsr_status prepare(const tsr_context *context, const tsr_attention_desc *d, struct call *call) {
  *call = (struct call){.device = context->device, .d = d};
  tsr_status status = check_features(d);
  if (status == TSR_OK) status = find_kernel(context->device->chip, d, &call->kernel);
  if (status == TSR_OK) status = read_plan(d->plan, &call->base.narrow);
  if (status != TSR_OK) return status;
  set_view(d, call);
  set_rows(d, call);
  call->base.scale = (float)(d->scale == 0 ? 1 / sqrt((double)d->d_qk) : d->scale);
  call->base.d_qk = d->d_qk;
  call->base.d_v = d->d_v;
  call->base.keys = d->len_kv;
  call->base.row_q = call->q[TSR_ROW];
  call->base.row_k = call->k[TSR_ROW];
  call->base.row_v = call->v[TSR_ROW];
  call->base.row_out = call->out[TSR_ROW];
  return context->device->chip->prepare_attend(context->device, call->kernel, &call->base, &call->limits);
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
  int64_t heads = call->heads, rows = call->rows;
  const struct tsr_attend *base = &call->base;
  int64_t size = tsr_size_of(d->type_q), size_out = tsr_size_of(d->type_out);
  const struct {
    const char *name;
    tsr_mem at;
    int64_t align;
    size_t bytes;
  } operand[] = {
      {"q", base->q, size, extent(call->q, d->batch, heads, rows, d->d_qk * size)},
      {"out", base->out, size_out, extent(call->out, d->batch, heads, rows, d->d_v * size_out)},
      {"lse", base->lse, 4, (size_t)(d->batch * d->heads_q * d->len_q * 4)},
      {"k", base->k, size, extent(call->k, d->batch, d->heads_kv, d->len_kv, d->d_qk * size)},
      {"v", base->v, size, extent(call->v, d->batch, d->heads_kv, d->len_kv, d->d_v * size)},
  };
  for (int i = 0; i < (d->len_kv > 0 ? 5 : 3); i++) {
    if (i == 2 && !base->lse) continue;
    tsr_status status =
        check_operand(call->device, operand[i].name, operand[i].at, operand[i].align, operand[i].bytes);
    if (status != TSR_OK) return status;
  }
  return TSR_OK;
}

/* Tiles. */

static void issue(const struct dealer *dealer, int core) {
  const struct call *call = dealer->call;
  struct tsr_attend *step = &dealer->core[core].step;
  static const struct tsr_step none;
  if (step->tiles > 0)
    call->device->chip->issue(call->device, core, call->kernel, &none, 0, (tsr_mem)step, 0, NULL, 0);
  step->tiles = 0;
}

/* A tile as a step of its own. */
static struct tsr_attend tile_of(const struct call *call, int64_t b, int64_t head, int64_t index) {
  struct tsr_attend t = call->base;
  int64_t row = index * call->limits.rows, kv = head / call->group;
  t.rows = tsr_min(call->limits.rows, call->rows - row);
  t.tiles = 1;
  t.q += (tsr_mem)(b * call->q[TSR_BATCH] + head * call->q[TSR_HEAD] + row * t.row_q);
  t.k += (tsr_mem)(b * call->k[TSR_BATCH] + kv * call->k[TSR_HEAD]);
  t.v += (tsr_mem)(b * call->v[TSR_BATCH] + kv * call->v[TSR_HEAD]);
  t.out += (tsr_mem)(b * call->out[TSR_BATCH] + head * call->out[TSR_HEAD] + row * t.row_out);
  if (t.lse) t.lse += (tsr_mem)(((b * call->heads + head) * call->rows + row) * 4);
  t.diagonal += row;
  return t;
}

/* How much further than the tile `from` the tile `to` is. */
static void set_distance(struct tsr_attend *step, const struct tsr_attend *from, const struct tsr_attend *to) {
  step->next_q = (int64_t)(to->q - from->q);
  step->next_k = (int64_t)(to->k - from->k);
  step->next_v = (int64_t)(to->v - from->v);
  step->next_out = (int64_t)(to->out - from->out);
  step->next_lse = (int64_t)(to->lse - from->lse);
  step->next_diagonal = to->diagonal - from->diagonal;
}

static bool follows(const struct tsr_attend *step, const struct tsr_attend *last, const struct tsr_attend *t) {
  return step->tiles == 1 ||
         (step->next_q == (int64_t)(t->q - last->q) && step->next_k == (int64_t)(t->k - last->k) &&
          step->next_v == (int64_t)(t->v - last->v) && step->next_out == (int64_t)(t->out - last->out) &&
          step->next_lse == (int64_t)(t->lse - last->lse) && step->next_diagonal == t->diagonal - last->diagonal);
}

/* Gives a core one more tile: one more of its step, if all distances are those of the tiles before. */
static void give(struct dealer *dealer, int core, const struct tsr_attend *t) {
  struct pending *p = &dealer->core[core];
  bool joins = p->step.tiles > 0 && p->step.tiles < dealer->call->limits.tiles && p->step.rows == t->rows &&
               follows(&p->step, &p->last, t);
  if (!joins) issue(dealer, core);
  if (p->step.tiles == 0)
    p->step = *t;
  else {
    if (p->step.tiles == 1) set_distance(&p->step, &p->last, t);
    p->step.tiles++;
  }
  p->last = *t;
}

/* The tiles of one head, in turn from the core on where the head before ended: cores work on the same keys at about the
 * same time, which their shared cache then has. Under a diagonal the first tile and the last are a pair, and so on, all
 * of about the same work; a core is given pairs. */
static void deal_head(struct dealer *dealer, int64_t b, int64_t head) {
  const struct call *call = dealer->call;
  int64_t tiles = tsr_ceil_div(call->rows, call->limits.rows), cores = call->device->cores;
  bool pairs = call->base.upper;
  int64_t half = pairs ? tsr_ceil_div(tiles, 2) : tiles;
  for (int64_t i = 0; i < tiles; i++) {
    int64_t pair = i < half ? i : i - half, index = i < half ? i : tiles - 1 - pair;
    struct tsr_attend t = tile_of(call, b, head, index);
    give(dealer, (int)((dealer->dealt + pair) % cores), &t);
  }
  dealer->dealt += half;
}

static tsr_status deal(const struct call *call) {
  struct dealer dealer = {call, calloc((size_t)call->device->cores, sizeof *dealer.core), 0};
  if (!dealer.core) return tsr_fail(TSR_OUT_OF_MEMORY, "no memory for the tiles of attention");
  for (int64_t b = 0; b < call->d->batch; b++)
    for (int64_t head = 0; head < call->heads; head++) deal_head(&dealer, b, head);
  for (int core = 0; core < call->device->cores; core++) issue(&dealer, core);
  free(dealer.core);
  return TSR_OK;
}

tsr_status tsr_attention_on_device(const tsr_context *context, const tsr_attention_desc *d, const void *q,
                                   const void *k, const void *v, void *out, float *lse) {
  struct call call;
  tsr_status status = context->device->chip->fence(context->device); /* calls follow one another */
  if (status == TSR_OK) status = prepare(context, d, &call);
  if (status != TSR_OK || d->batch == 0 || d->len_q == 0) return status;
  call.base.q = (tsr_mem)q;
  call.base.k = (tsr_mem)k;
  call.base.v = (tsr_mem)v;
  call.base.out = (tsr_mem)out;
  call.base.lse = (tsr_mem)lse;
  status = check_operands(&call);
  return status == TSR_OK ? deal(&call) : status;
}
