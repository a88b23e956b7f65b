/* tsr_attention_backward: its checks, its units of work and who does them. */
#include "src/attention/backward.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>

#include "src/core/cpu.h"
#include "src/core/memory.h"
#include "src/core/threads.h"
#include "src/core/trace.h"

#define CHECK(condition, ...) \
  if (!(condition)) return tsr_fail(TSR_INVALID_ARGUMENT, __VA_ARGS__)
#define SERVES(condition, ...) \
  if (!(condition)) return tsr_fail(TSR_UNSUPPORTED, __VA_ARGS__)

/* Rows of a tile: as many as keep S and dP of a chunk in the second cache beside the chunk itself. And of its parts,
 * where rows see different keys. */
#define TILE_ROWS 96
#define PART_ROWS 32
/* Multiplications worth a thread. */
#define WORTH_A_THREAD 400000.0

struct call {
  const tsr_context *context;
  const struct tsr_backward_problem *problem;
  const struct tsr_attention_way *way;
  struct tsr_backward_slot *slot;
  int64_t slots;
  char *workers;
  size_t worker_bytes;
  _Atomic int64_t claimed;
};

void tsr_backward_wait(_Atomic int64_t *at, int64_t value) {
  for (int spins = 0; atomic_load_explicit(at, memory_order_acquire) != value; spins++)
    if (spins < 1000)
      tsr_cpu_relax();
    else
      sched_yield();
}

/* Tile number `tile` of a head; false: it has no rows. */
static bool tile_of(const struct call *call, int64_t head, int64_t tile, struct tsr_attention_item *item) {
  const struct tsr_attention_problem *p = &call->problem->forward;
  tsr_attention_sequence_of(p, head / p->d.heads_kv, &item->seq);
  item->head = head % p->d.heads_kv;
  item->row = tile * call->way->width;
  item->rows = tsr_min(call->way->width, item->seq.queries * p->group - item->row);
  return item->rows > 0;
}

/* The chunks, by number, that add to a tile's dq. */
static void chunks_of(const struct call *call, const struct tsr_attention_item *item, int64_t *first, int64_t *end) {
  tsr_attention_range_of(&call->problem->forward, item, first, end);
  *first /= TSR_CHUNK;
  *end = tsr_ceil_div(*end, TSR_CHUNK);
}

static void prepare(struct call *call, struct tsr_backward_worker *b, int64_t head) {
  struct tsr_backward_slot *slot = &call->slot[head % call->slots];
  struct tsr_attention_item item;
  int64_t first, end;
  tsr_backward_wait(&slot->free_for, head);
  for (int64_t tile = 0; tile < call->problem->tiles && tile_of(call, head, tile, &item); tile++) {
    tsr_backward_prepare(b, &item, slot, tile);
    chunks_of(call, &item, &first, &end);
    atomic_store_explicit(&slot->turn[tile], first, memory_order_relaxed);
  }
  atomic_store_explicit(&slot->left, call->problem->chunks, memory_order_relaxed);
  atomic_store_explicit(&slot->ready_for, head, memory_order_release);
}

/* After the last chunk of a head. */
static void finish(struct call *call, struct tsr_backward_worker *b, int64_t head) {
  struct tsr_backward_slot *slot = &call->slot[head % call->slots];
  struct tsr_attention_item item;
  for (int64_t tile = 0; slot->dq && tile < call->problem->tiles && tile_of(call, head, tile, &item); tile++)
    tsr_backward_finish(b, &item, slot);
  atomic_store_explicit(&slot->free_for, head + call->slots, memory_order_release);
}

static void run_chunk(struct call *call, struct tsr_backward_worker *b, int64_t head, int64_t number) {
  const tsr_attention_desc *d = &call->problem->forward.d;
  struct tsr_backward_slot *slot = &call->slot[head % call->slots];
  struct tsr_attention_item item;
  int64_t chunk = number * TSR_CHUNK, first, end;
  tile_of(call, head, 0, &item);
  int64_t all = d->cu_kv ? d->cu_kv[item.seq.b + 1] - d->cu_kv[item.seq.b] : d->len_kv;
  int64_t rows = tsr_max(0, tsr_min(TSR_CHUNK, all - chunk)), n = tsr_min(TSR_CHUNK, item.seq.keys - chunk);
  tsr_backward_begin(b, &item, chunk, n, rows);
  tsr_backward_wait(&slot->ready_for, head);
  for (int64_t tile = call->problem->tiles - 1; tile >= 0; tile--) {
    if (!tile_of(call, head, tile, &item)) continue;
    chunks_of(call, &item, &first, &end);
    if (number < first || number >= end) continue;
    tsr_backward_tile(b, &item, slot, tile, chunk, n);
    tsr_backward_wait(&slot->turn[tile], number);
    atomic_store_explicit(&slot->turn[tile], number + 1, memory_order_release);
  }
  tsr_backward_end(b, &item, chunk, rows);
  if (atomic_fetch_sub(&slot->left, 1) == 1) finish(call, b, head);
}

/* Units in the order they are claimed: a head is prepared before the chunks of the one before it. */
static void run_units(struct call *call, struct tsr_backward_worker *b) {
  const struct tsr_backward_problem *p = call->problem;
  int64_t each = 1 + p->chunks;
  for (int64_t unit; (unit = atomic_fetch_add(&call->claimed, 1)) <= p->heads * each;) {
    int64_t head = (unit - 1) / each, part = (unit - 1) % each;
    if (unit == 0)
      prepare(call, b, 0);
    else if (part > 0)
      run_chunk(call, b, head, part - 1);
    else if (head + 1 < p->heads)
      prepare(call, b, head + 1);
  }
}

/* Floating-point flags say nothing of a result that is defined with masked keys; they stay as they were. */
static void body(void *arg, int index) {
  struct call *call = arg;
  struct tsr_backward_worker b;
  if (index >= call->way->threads) return;
  struct tsr_fp before = tsr_fp_get();
  tsr_backward_worker_init(&b, call->context, call->problem, call->way,
                           call->workers + (size_t)index * call->worker_bytes);
  run_units(call, &b);
  tsr_fp_set(before);
}

/* Gives `bytes` of the memory, and how far it is used up. */
static void *take(char *memory, size_t *used, size_t bytes) {
  void *at = memory ? memory + *used : NULL;
  *used += (bytes + 63) / 64 * 64;
  return at;
}

static size_t lay_out_slot(const struct tsr_backward_problem *p, struct tsr_backward_slot *slot, char *memory) {
  size_t used = 0, rows = (size_t)p->rows + TSR_SOFTMAX_PAD, tiles = (size_t)p->tiles;
  slot->turn = take(memory, &used, tiles * sizeof *slot->turn);
  slot->special = take(memory, &used, tiles);
  slot->lse = take(memory, &used, rows * sizeof(float));
  slot->delta = take(memory, &used, rows * sizeof(float));
  slot->dq = p->q.type == TSR_F32 ? NULL : take(memory, &used, (size_t)(p->rows * p->q.d) * sizeof(float));
  return used;
}

/* Memory for so many threads; false: there is none. A head is prepared ahead, so one thread needs two slots. */
static bool get_memory(struct call *call, int threads) {
  struct tsr_backward_slot one;
  size_t each = sizeof one + lay_out_slot(call->problem, &one, NULL), used = 0;
  call->slots = tsr_min(threads + 2, call->problem->heads);
  call->worker_bytes = tsr_backward_worker_bytes(call->problem, call->way);
  call->workers = tsr_scratch_get(TSR_SCRATCH_A, call->worker_bytes * (size_t)threads);
  if (each > TSR_SCRATCH_MOST / (size_t)call->slots || !call->workers) return false;
  char *memory = tsr_scratch_get(TSR_SCRATCH_B, each * (size_t)call->slots + 64);
  if (!memory) return false;
  call->slot = take(memory, &used, (size_t)call->slots * sizeof *call->slot);
  for (int64_t i = 0; i < call->slots; i++) {
    struct tsr_backward_slot *slot = &call->slot[i];
    used += lay_out_slot(call->problem, slot, memory + used);
    atomic_init(&slot->free_for, i);
    atomic_init(&slot->ready_for, -1);
    atomic_init(&slot->left, 0);
  }
  return true;
}

static int threads_for(const struct tsr_backward_problem *p, int most) {
  const tsr_attention_desc *d = &p->forward.d;
  double scores = (double)d->batch * (double)d->heads_q * (double)d->len_q * (double)d->len_kv;
  double work = 2.5 * scores * (double)(d->d_qk + d->d_v);
  double threads = tsr_min(p->heads * p->chunks, most);
  if (work / WORTH_A_THREAD < threads) threads = work / WORTH_A_THREAD;
  return threads < 1 ? 1 : (int)threads;
}

/* Whole tiles of the chip's GEMM, in parts of whole vectors. */
static void choose_tiles(const tsr_context *context, struct tsr_backward_problem *p, struct tsr_attention_way *way) {
  const struct tsr_kernels *f32 = &context->kernels[TSR_F32];
  int64_t tallest = (int64_t)f32->gemm.units * f32->gemm.mu, lanes = (int64_t)f32->chip->vector_bytes() / 4;
  way->rows = way->width = tallest * tsr_max(1, TILE_ROWS / tallest);
  p->part = tsr_max(PART_ROWS, tsr_ceil_div(way->width, TSR_BACKWARD_PARTS));
  p->part = tsr_round_up(p->part, tsr_max(lanes, 1));
  p->tiles = tsr_ceil_div(p->rows, way->width);
}

/* Five products, where the forward pass has two. */
static void trace(const struct call *done, double seconds) {
  char kernel[32];
  struct tsr_trace_call call = {.routine = "tsr_attention_backward", .kernel = kernel, .context = done->context,
                                .threads = done->way->threads, .seconds = seconds};
  tsr_attention_describe(&done->problem->forward.d, &call);
  call.flops *= 2.5;
  snprintf(kernel, sizeof kernel, "gradients/%lldx%d", (long long)done->way->width, TSR_CHUNK);
  tsr_trace_print(&call);
}

static void run_all(struct call *call, struct tsr_attention_way *way) {
  struct tsr_team team;
  if (way->threads == 1) {
    body(call, 0);
    return;
  }
  tsr_team_reserve(call->context, way->threads, &team);
  way->threads = team.n;
  tsr_team_run(&team, body, call);
}

static tsr_status run(const tsr_context *context, struct tsr_backward_problem *p) {
  struct tsr_attention_way way = {.lanes = TSR_LANES_QUERIES};
  struct call call = {.context = context, .problem = p, .way = &way};
  way.threads = threads_for(p, tsr_threads_available(context));
  choose_tiles(context, p, &way);
  if (!get_memory(&call, way.threads)) {
    way.threads = 1;
    if (!get_memory(&call, 1)) return tsr_fail(TSR_OUT_OF_MEMORY, "no scratch memory for the gradients of attention");
  }
  double start = tsr_tracing() ? tsr_trace_now() : 0;
  run_all(&call, &way);
  if (tsr_tracing()) trace(&call, tsr_trace_now() - start);
  return TSR_OK;
}

static tsr_status check_served(const tsr_context *context, const tsr_attention_desc *d) {
  SERVES(!context->device, "the gradients of attention are for CPU contexts");
  SERVES(d->result == TSR_ATTENTION_WHOLE, "result is TSR_ATTENTION_PARTIAL: gradients need the whole result");
  SERVES(d->page_size == 0, "page_size is %lld: gradients of pages are not computed", (long long)d->page_size);
  SERVES(d->layout_k == TSR_KV_ROWS, "layout_k is TSR_KV_PANELS: gradients need keys in rows");
  SERVES(d->type_k <= TSR_BF16, "type_k is %d: gradients need TSR_F32, TSR_F16 or TSR_BF16", (int)d->type_k);
  SERVES(d->type_v <= TSR_BF16, "type_v is %d: gradients need TSR_F32, TSR_F16 or TSR_BF16", (int)d->type_v);
  return TSR_OK;
}

/* Gradients have the strides of their tensors, whose rows must not be shared then. */
static tsr_status check_strides(const tsr_attention_desc *d) {
  int64_t batch_q = d->cu_q ? 1 : d->batch, rows_q = d->cu_q ? d->cu_q[d->batch] : d->len_q;
  int64_t batch_kv = d->cu_kv ? 1 : d->batch, rows_kv = d->cu_kv ? d->cu_kv[d->batch] : d->len_kv;
  tsr_status status = tsr_attention_check_apart("q", d->stride_q, batch_q, d->heads_q, rows_q, d->d_qk);
  if (status == TSR_OK)
    status = tsr_attention_check_apart("k", d->stride_k, batch_kv, d->heads_kv, rows_kv, d->d_qk);
  if (status == TSR_OK)
    status = tsr_attention_check_apart("v", d->stride_v, batch_kv, d->heads_kv, rows_kv, d->d_v);
  return status;
}

static tsr_status check_data(const tsr_attention_desc *d, const void *k, const void *v, const float *lse,
                             const void *dout, const void *dq, const void *dk, const void *dv) {
  bool queries = d->cu_q ? d->cu_q[d->batch] > d->cu_q[0] : d->len_q > 0;
  bool keys = d->cu_kv ? d->cu_kv[d->batch] > d->cu_kv[0] : d->len_kv > 0;
  CHECK(k || !keys, "k is NULL but there are keys");
  CHECK(v || !keys, "v is NULL but there are keys");
  CHECK(lse || !queries, "lse is NULL: it must be what tsr_attention wrote");
  CHECK(dout || !queries, "dout is NULL but there are queries");
  CHECK(dq || !queries, "dq is NULL but there are queries");
  CHECK(dk || !keys, "dk is NULL but there are keys");
  CHECK(dv || !keys, "dv is NULL but there are keys");
  return TSR_OK;
}

tsr_status tsr_attention_backward(tsr_context *given, const tsr_attention_desc *d, const void *q, const void *k,
                                  const void *v, const void *out, const float *lse, const void *dout, void *dq,
                                  void *dk, void *dv) {
  tsr_context *context;
  struct tsr_backward_problem p;
  tsr_status status = tsr_context_get(given, &context);
  if (status == TSR_OK) status = tsr_attention_check(context, d);
  if (status == TSR_OK) status = check_served(context, d);
  if (status == TSR_OK) status = check_strides(d);
  if (status != TSR_OK || d->batch == 0) return status;
  if ((status = tsr_attention_check_data(d, q, k, v, out, lse)) != TSR_OK) return status;
  if ((status = check_data(d, k, v, lse, dout, dq, dk, dv)) != TSR_OK) return status;
  struct tsr_attention_problem *f = &p.forward;
  tsr_attention_normalise(d, q, k, v, (void *)out, (float *)lse, f);
  p.q = (struct tsr_attention_rows){d->type_q, d->d_qk, f->q, f->step_q};
  p.dq = (struct tsr_attention_rows){d->type_q, d->d_qk, (tsr_mem)dq, f->step_q};
  p.out = (struct tsr_attention_rows){d->type_out, d->d_v, f->out, f->step_out};
  p.dout = (struct tsr_attention_rows){d->type_out, d->d_v, (tsr_mem)dout, f->step_out};
  p.dk = (tsr_mem)dk;
  p.dv = (tsr_mem)dv;
  p.scale = d->scale != 0 ? d->scale : 1 / sqrt((double)d->d_qk);
  p.heads = d->batch * d->heads_kv;
  p.rows = d->len_q * f->group;
  p.chunks = tsr_max(1, tsr_ceil_div(d->len_kv, TSR_CHUNK));
  return run(context, &p);
}
