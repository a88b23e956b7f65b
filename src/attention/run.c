/* A call on its threads: items claimed one by one, or the chunks of each item shared out and merged in order. */
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "src/attention/attention.h"
#include "src/core/cpu.h"
#include "src/core/threads.h"

/* A chunk's state that waits for those before it: rows times largest score, sum, and d_v sums. */
enum waiting { FREE, READY, EMPTY };

/* An item whose chunks several threads compute. */
struct shared {
  _Atomic int lock;
  _Atomic int64_t next; /* the chunk, by number, to merge next */
};

struct call {
  const tsr_context *context;
  const struct tsr_attention_problem *problem;
  const struct tsr_attention_way *way;
  char *workspace;
  size_t worker_bytes;
  int64_t items, chunks, slots; /* split: chunks of each item, places for waiting ones */
  struct shared *shared;
  uint8_t *waiting; /* [item][slot] */
  float *states;    /* [item][slot][rows][d_v + 2] */
  _Atomic int64_t claimed;
};

static int64_t chunks_of(const struct tsr_attention_problem *p) { return tsr_max(1, tsr_ceil_div(p->d.len_kv, TSR_CHUNK)); }
static int64_t slots_of(const struct tsr_attention_way *way) { return 2 * way->threads; }
static int64_t state_floats(const struct tsr_attention_problem *p, const struct tsr_attention_way *way) {
  return way->rows * (p->d.d_v + 2);
}

static size_t round_bytes(int64_t bytes) { return (size_t)tsr_round_up(bytes, 64); }

size_t tsr_attention_workspace_bytes(const struct tsr_attention_problem *p, const struct tsr_attention_way *way) {
  size_t bytes = tsr_attention_worker_bytes(p, way) * (size_t)way->threads;
  if (!way->split) return bytes;
  int64_t items = tsr_attention_items(p, way);
  return bytes + round_bytes(items * (int64_t)sizeof(struct shared)) + round_bytes(items * slots_of(way)) +
         (size_t)(items * (slots_of(way) + 1)) * round_bytes(state_floats(p, way) * 4);
}

static float *state_at(const struct call *call, int64_t item, int64_t slot) {
  size_t floats = round_bytes(state_floats(call->problem, call->way) * 4) / sizeof(float);
  return call->states + (size_t)(item * (call->slots + 1) + slot) * floats;
}

/* Puts a row's part of the merged state back into the worker or away. Items may have fewer rows than states have. */
static void swap_in(struct tsr_attention_worker *w, const float *state, int64_t rows) {
  int64_t d_v = w->problem->d.d_v, most = w->way->rows;
  memcpy(w->max, state, (size_t)rows * 4);
  memcpy(w->sum, state + most, (size_t)rows * 4);
  memcpy(w->o, state + 2 * most, (size_t)(rows * d_v) * 4);
}

static void swap_out(const struct tsr_attention_worker *w, const float *sums, float *state, int64_t rows) {
  int64_t d_v = w->problem->d.d_v, most = w->way->rows;
  memcpy(state, w->max, (size_t)rows * 4);
  memcpy(state + most, w->sum, (size_t)rows * 4);
  memcpy(state + 2 * most, sums, (size_t)(rows * d_v) * 4);
}

/* Merges one chunk's state into the worker's. */
static void merge_state(struct tsr_attention_worker *w, const float *state, int64_t rows) {
  int64_t d_v = w->problem->d.d_v, most = w->way->rows;
  for (int64_t r = 0; r < rows; r++)
    tsr_attention_join(w, r, state[r], state[most + r], d_v, state + 2 * most + r * d_v, w->o + r * d_v);
}

static void lock(struct shared *shared) {
  while (atomic_exchange_explicit(&shared->lock, 1, memory_order_acquire)) tsr_cpu_relax();
}
static void unlock(struct shared *shared) { atomic_store_explicit(&shared->lock, 0, memory_order_release); }

/* Merges all chunks that are ready in their order; whoever merges the last one finishes the item. */
static void merge_ready(struct call *call, struct tsr_attention_worker *w, const struct tsr_attention_item *item,
                        int64_t index) {
  struct shared *shared = &call->shared[index];
  uint8_t *waiting = call->waiting + index * call->slots;
  float *merged = state_at(call, index, call->slots);
  int64_t next = shared->next;
  if (waiting[next % call->slots] == FREE) return;
  swap_in(w, merged, item->rows);
  for (; next < call->chunks && waiting[next % call->slots] != FREE; next++) {
    uint8_t *slot = &waiting[next % call->slots];
    if (*slot == READY) merge_state(w, state_at(call, index, next % call->slots), item->rows);
    *slot = FREE;
  }
  if (next < call->chunks)
    swap_out(w, w->o, merged, item->rows);
  else
    tsr_attention_end(w, item);
  atomic_store(&shared->next, next);
}

/* One chunk of a shared item. Places are few: who is far ahead waits for those behind. */
static void run_shared(struct call *call, struct tsr_attention_worker *w, const struct tsr_attention_item *item,
                       int64_t index, int64_t chunk) {
  struct shared *shared = &call->shared[index];
  w->careful = false;
  bool seen = tsr_attention_compute_chunk(w, item, chunk * TSR_CHUNK);
  while (chunk >= atomic_load(&shared->next) + call->slots) tsr_cpu_relax();
  if (seen) swap_out(w, w->sums, state_at(call, index, chunk % call->slots), item->rows);
  lock(shared);
  call->waiting[index * call->slots + chunk % call->slots] = seen ? READY : EMPTY;
  merge_ready(call, w, item, index);
  unlock(shared);
}

static void share_items(struct call *call, struct tsr_attention_worker *w) {
  struct tsr_attention_item item;
  int64_t loaded = -1;
  for (int64_t unit; (unit = atomic_fetch_add(&call->claimed, 1)) < call->items * call->chunks;) {
    int64_t index = unit / call->chunks, chunk = unit % call->chunks;
    tsr_attention_item_of(call->problem, call->way, index, &item);
    if (item.rows == 0) continue;
    if (loaded != index) tsr_attention_load_q(w, &item);
    loaded = index;
    run_shared(call, w, &item, index, chunk);
  }
}

static void claim_items(struct call *call, struct tsr_attention_worker *w) {
  struct tsr_attention_item item;
  for (int64_t index; (index = atomic_fetch_add(&call->claimed, 1)) < call->items;) {
    tsr_attention_item_of(call->problem, call->way, index, &item);
    if (item.rows == 0) continue;
    if (call->problem->d.result == TSR_ATTENTION_PARTIAL)
      tsr_attention_compute_partial(w, &item);
    else
      tsr_attention_compute(w, &item);
  }
}

/* Items of one block of queries and several heads of k, each with its place in the worker's memory. */
struct heads {
  int64_t n, first, end; /* chunks that one of them sees */
  struct tsr_attention_item item[TSR_MOST_HEADS];
  struct tsr_attention_worker worker[TSR_MOST_HEADS];
};

/* Unit number `unit`: heads side by side of a block; false where there are no rows. */
static bool take_heads(const struct call *call, const struct tsr_attention_worker *w, int64_t unit,
                       struct heads *heads) {
  const tsr_attention_desc *d = &call->problem->d;
  int64_t most = call->way->heads, groups = tsr_ceil_div(d->heads_kv, most), blocks = call->items / d->batch / d->heads_kv;
  int64_t b = unit / blocks / groups, head = unit / blocks % groups * most, chunk, end;
  heads->n = tsr_min(most, d->heads_kv - head);
  heads->first = INT64_MAX;
  heads->end = 0;
  for (int64_t h = 0; h < heads->n; h++) {
    struct tsr_attention_item *item = &heads->item[h];
    tsr_attention_item_of(call->problem, call->way, (b * d->heads_kv + head + h) * blocks + unit % blocks, item);
    if (item->rows == 0) return false;
    tsr_attention_range_of(call->problem, item, &chunk, &end);
    heads->first = tsr_min(heads->first, chunk);
    heads->end = tsr_max(heads->end, end);
    tsr_attention_worker_of_head(w, h, &heads->worker[h]);
    tsr_attention_load_q(&heads->worker[h], item);
    tsr_attention_start(&heads->worker[h], item->rows);
  }
  return true;
}

/* Keys whose heads lie side by side: all heads take a chunk before the next one is fetched. */
static void claim_heads(struct call *call, struct tsr_attention_worker *w) {
  struct heads heads;
  int64_t units = call->items / call->problem->d.heads_kv * tsr_ceil_div(call->problem->d.heads_kv, call->way->heads);
  for (int64_t unit; (unit = atomic_fetch_add(&call->claimed, 1)) < units;) {
    if (!take_heads(call, w, unit, &heads)) continue;
    for (int64_t chunk = heads.first; chunk < heads.end; chunk += TSR_CHUNK)
      for (int64_t h = 0; h < heads.n; h++) {
        heads.worker[h].next = &heads.item[(h + 1) % heads.n];
        heads.worker[h].next_key = h + 1 < heads.n ? chunk : chunk + TSR_CHUNK;
        tsr_attention_advance(&heads.worker[h], &heads.item[h], chunk);
      }
    for (int64_t h = 0; h < heads.n; h++) tsr_attention_end(&heads.worker[h], &heads.item[h]);
  }
}

/* Floating-point flags say nothing of a result that is defined with masked keys; they stay as they were. */
static void body(void *arg, int index) {
  struct call *call = arg;
  struct tsr_attention_worker w;
  if (index >= call->way->threads) return;
  struct tsr_fp before = tsr_fp_get();
  tsr_attention_worker_init(&w, call->context, call->problem, call->way,
                            call->workspace + (size_t)index * call->worker_bytes);
  if (call->way->split)
    share_items(call, &w);
  else if (call->way->heads > 1)
    claim_heads(call, &w);
  else
    claim_items(call, &w);
  tsr_fp_set(before);
}

static void prepare_shared(struct call *call) {
  char *at = call->workspace + call->worker_bytes * (size_t)call->way->threads;
  call->chunks = chunks_of(call->problem);
  call->slots = slots_of(call->way);
  call->shared = (struct shared *)at;
  at += round_bytes(call->items * (int64_t)sizeof(struct shared));
  call->waiting = (uint8_t *)at;
  at += round_bytes(call->items * call->slots);
  call->states = (float *)at;
  memset(call->shared, 0, (size_t)call->items * sizeof *call->shared);
  memset(call->waiting, FREE, (size_t)(call->items * call->slots));
  for (int64_t i = 0; i < call->items; i++) {
    float *state = state_at(call, i, call->slots);
    for (int64_t r = 0; r < call->way->rows; r++) state[r] = -INFINITY, state[call->way->rows + r] = 0;
  }
}

void tsr_attention_run_all(const tsr_context *context, const struct tsr_attention_problem *problem,
                           const struct tsr_attention_way *given, void *workspace) {
  struct tsr_attention_way way = *given;
  struct tsr_team team;
  if (way.threads > 1) {
    tsr_team_reserve(context, way.threads, &team);
    way.threads = team.n;
  }
  struct call call = {.context = context, .problem = problem, .way = &way, .workspace = workspace};
  call.worker_bytes = tsr_attention_worker_bytes(problem, &way);
  call.items = tsr_attention_items(problem, &way);
  if (way.split) prepare_shared(&call);
  if (given->threads > 1)
    tsr_team_run(&team, body, &call);
  else
    body(&call, 0);
}
