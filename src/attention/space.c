/* The parameter space of attention on a CPU: its fields, its hard constraints, its pruned candidates. */
#include "src/attention/space.h"

#include <stdio.h>
#include <string.h>

#include "src/core/threads.h"

static const char *const types[] = {"f32", "f16", "bf16", "q8_0", "q4_0", "s8", NULL};
static const tsr_type type_of_word[] = {0, TSR_F32, TSR_F16, TSR_BF16, TSR_Q8_0, TSR_Q4_0, TSR_S8};
enum { TYPES = sizeof type_of_word / sizeof type_of_word[0] - 1 };
static const char *const corners[] = {"no", "top-left", "bottom-right", NULL};
static const char *const no_yes[] = {"no", "yes", NULL};
static const char *const layouts[] = {"rows", "panels", NULL};
static const char *const lanes[] = {"queries", "keys", NULL};

static const struct tsr_field shape_fields[TSR_ATTENTION_SHAPE_FIELDS] = {
    {"type", types}, {"batch", NULL}, {"heads", NULL},     {"kv_heads", NULL}, {"q", NULL},       {"kv", NULL},
    {"d", NULL},     {"dv", NULL},    {"causal", corners}, {"mask", no_yes},   {"keys", layouts}, {"threads", NULL}};

static const struct tsr_field plan_fields[TSR_ATTENTION_PLAN_FIELDS] = {
    {"lanes", lanes}, {"threads", NULL}, {"rows", NULL}, {"width", NULL}, {"split", no_yes}};

#define MOST_LENGTH ((int64_t)1 << 24)
#define MOST_HEADS (1 << 16)
#define MOST_ROWS (1 << 16)
/* Of a tile: scores of a chunk for so many rows are 256 KiB. */
#define MOST_WIDTH 256
/* Scratch that one thread may take for the rows of an item. */
#define MOST_ITEM_BYTES (8 << 20)
/* Multiplications below which a call is over before it could be looked up without being felt. */
#define TOO_SMALL (2 << 20)

/* --- shapes -------------------------------------------------------------------------------------------------------- */

/* Caches grow token by token: lengths that are nearly alike share their plans. */
int64_t tsr_attention_round_length(int64_t length) {
  if (length <= 64) return length;
  return tsr_round_up(length, (int64_t)1 << (60 - __builtin_clzll((unsigned long long)length)));
}

static int word_of_type(tsr_type type) {
  int word = TYPES;
  while (word > 1 && type_of_word[word] != type) word--;
  return word;
}

void tsr_attention_shape_of(const struct tsr_attention_problem *p, int threads, struct tsr_values *shape) {
  const tsr_attention_desc *d = &p->d;
  int64_t *at = shape->at;
  at[TSR_ATTENTION_TYPE] = word_of_type(d->type_k);
  at[TSR_ATTENTION_BATCH] = d->batch;
  at[TSR_ATTENTION_HEADS] = d->heads_q;
  at[TSR_ATTENTION_KV_HEADS] = d->heads_kv;
  at[TSR_ATTENTION_Q] = tsr_attention_round_length(d->len_q);
  at[TSR_ATTENTION_KV] = tsr_attention_round_length(d->len_kv);
  at[TSR_ATTENTION_D] = d->d_qk;
  at[TSR_ATTENTION_DV] = d->d_v;
  at[TSR_ATTENTION_CAUSAL] = 1 + d->causal;
  at[TSR_ATTENTION_MASK] = 1 + (d->mask_type != 0);
  at[TSR_ATTENTION_KEYS] = 1 + d->layout_k;
  at[TSR_ATTENTION_THREADS] = threads;
}

void tsr_attention_desc_of(const struct tsr_values *shape, tsr_attention_desc *d) {
  const int64_t *at = shape->at;
  *d = (tsr_attention_desc)TSR_ATTENTION_DESC;
  d->type_k = d->type_v = type_of_word[at[TSR_ATTENTION_TYPE]];
  d->causal = (tsr_causal)(at[TSR_ATTENTION_CAUSAL] - 1);
  d->layout_k = (tsr_kv_layout)(at[TSR_ATTENTION_KEYS] - 1);
  tsr_attention_set_sizes(d, at[TSR_ATTENTION_BATCH], at[TSR_ATTENTION_HEADS], at[TSR_ATTENTION_KV_HEADS],
                          at[TSR_ATTENTION_Q], at[TSR_ATTENTION_KV], at[TSR_ATTENTION_D], at[TSR_ATTENTION_DV]);
  if (at[TSR_ATTENTION_MASK] == 2) {
    d->mask_type = TSR_F16;
    d->stride_mask[TSR_ROW] = d->len_kv;
  }
  d->stride_scales[TSR_ROW] = 1;
  d->stride_scales[TSR_HEAD] = d->len_kv;
  d->stride_scales[TSR_BATCH] = d->len_kv * d->heads_kv;
  if (d->layout_k != TSR_KV_PANELS) return;
  int64_t panel = d->d_qk * TSR_KV_PANEL, panels = tsr_ceil_div(d->len_kv, TSR_KV_PANEL);
  d->stride_k[TSR_ROW] = panel;
  d->stride_k[TSR_HEAD] = panels * panel;
  d->stride_k[TSR_BATCH] = d->heads_kv * panels * panel;
}

static void problem_of(const struct tsr_values *shape, struct tsr_attention_problem *p) {
  tsr_attention_desc d;
  tsr_attention_desc_of(shape, &d);
  tsr_attention_normalise(&d, NULL, NULL, NULL, NULL, NULL, p);
}

bool tsr_attention_is_looked_up(const struct tsr_attention_problem *p) {
  const tsr_attention_desc *d = &p->d;
  bool plain = d->window_left < 0 && (d->window_right < 0 || d->causal) && d->prefix == 0 && !d->cu_q && !d->cu_kv &&
               d->page_size == 0 && d->first_key == 0 && d->all_keys == 0 && d->result == TSR_ATTENTION_WHOLE;
  return plain && tsr_attention_multiplications(d) > TOO_SMALL && d->len_q <= MOST_LENGTH && d->len_kv <= MOST_LENGTH &&
         d->heads_q <= MOST_HEADS && d->batch <= MOST_HEADS;
}

/* --- plans --------------------------------------------------------------------------------------------------------- */

void tsr_attention_values_of(const struct tsr_attention_way *way, struct tsr_values *values) {
  int64_t *at = values->at;
  at[TSR_ATTENTION_LANES] = way->lanes;
  at[TSR_ATTENTION_PLAN_THREADS] = way->threads;
  at[TSR_ATTENTION_ROWS] = way->rows;
  at[TSR_ATTENTION_WIDTH] = way->width;
  at[TSR_ATTENTION_SPLIT] = 1 + (way->split != 0);
}

void tsr_attention_way_of(const tsr_context *context, const struct tsr_attention_problem *p, int threads,
                          const struct tsr_values *values, struct tsr_attention_way *way) {
  const int64_t *at = values->at;
  *way = (struct tsr_attention_way){.lanes = (enum tsr_attention_lanes)at[TSR_ATTENTION_LANES],
                                    .threads = (int)at[TSR_ATTENTION_PLAN_THREADS], .rows = at[TSR_ATTENTION_ROWS],
                                    .width = at[TSR_ATTENTION_WIDTH]};
  tsr_attention_complete(context, p, threads, way);
  if (at[TSR_ATTENTION_SPLIT]) way->split = at[TSR_ATTENTION_SPLIT] == 2;
}

/* --- what is legal ------------------------------------------------------------------------------------------------- */

#define NEED(condition, ...)                           \
  if (!(condition)) {                                  \
    if (why) snprintf(why, TSR_WHY_TEXT, __VA_ARGS__); \
    return false;                                      \
  }

bool tsr_attention_shape_in_range(const struct tsr_values *shape, char *why) {
  static const int64_t limits[TSR_ATTENTION_SHAPE_FIELDS] = {
      TYPES, MOST_HEADS, MOST_HEADS, MOST_HEADS, MOST_LENGTH, MOST_LENGTH, TSR_MOST_HEAD_SIZE, TSR_MOST_HEAD_SIZE,
      3,     2,          2,          TSR_MAX_THREADS};
  const int64_t *at = shape->at;
  for (int i = 0; i < TSR_ATTENTION_SHAPE_FIELDS; i++)
    NEED(at[i] >= 1 && at[i] <= limits[i], "%s is %lld: it is from 1 to %lld", shape_fields[i].name, (long long)at[i],
         (long long)limits[i]);
  tsr_type type = type_of_word[at[TSR_ATTENTION_TYPE]];
  bool blocks = type == TSR_Q8_0 || type == TSR_Q4_0;
  NEED(at[TSR_ATTENTION_HEADS] % at[TSR_ATTENTION_KV_HEADS] == 0, "heads is %lld, which kv_heads, %lld, does not divide",
       (long long)at[TSR_ATTENTION_HEADS], (long long)at[TSR_ATTENTION_KV_HEADS]);
  NEED(!blocks || (at[TSR_ATTENTION_D] % 32 == 0 && at[TSR_ATTENTION_DV] % 32 == 0),
       "d is %lld and dv %lld: elements in blocks need multiples of 32", (long long)at[TSR_ATTENTION_D],
       (long long)at[TSR_ATTENTION_DV]);
  NEED(at[TSR_ATTENTION_KEYS] == 1 || (!blocks && type != TSR_S8), "keys in panels are f32, f16 or bf16");
  return true;
}

bool tsr_attention_values_in_range(const struct tsr_values *values, char *why) {
  static const int64_t limits[TSR_ATTENTION_PLAN_FIELDS] = {2, TSR_MAX_THREADS, MOST_ROWS, MOST_WIDTH, 2};
  for (int i = 0; i < TSR_ATTENTION_PLAN_FIELDS; i++) {
    /* Over keys the width is that of the rows. */
    int64_t most = i == TSR_ATTENTION_WIDTH && values->at[TSR_ATTENTION_LANES] == TSR_LANES_KEYS ? MOST_ROWS : limits[i];
    NEED(values->at[i] >= 0 && values->at[i] <= most, "%s is %lld: it can be at most %lld", plan_fields[i].name,
         (long long)values->at[i], (long long)most);
  }
  return true;
}

/* Rows that tiles and vectors have in common: a tile's width is made of so many. */
static int64_t width_unit(const tsr_context *context) {
  const struct tsr_kernels *f32 = &context->kernels[TSR_F32];
  int64_t vector = tsr_max(1, (int64_t)f32->chip->vector_bytes() / 4), unit = vector;
  while (unit % f32->gemm.mu) unit += vector;
  return unit;
}

/* Bytes that a row of an item takes: q, its sums, the merged ones, and with lanes over keys its scores. */
static int64_t row_bytes(const struct tsr_attention_problem *p, const struct tsr_attention_way *way) {
  return 4 * (p->d.d_qk + 2 * p->d.d_v + (way->lanes == TSR_LANES_KEYS ? TSR_CHUNK : 0));
}

static bool keys_are_legal(const struct tsr_attention_problem *p, const struct tsr_attention_way *way, char *why) {
  NEED(way->width == way->rows, "width is %lld: with lanes over keys it is that of rows, %lld", (long long)way->width,
       (long long)way->rows);
  NEED(!way->split || p->d.result == TSR_ATTENTION_WHOLE, "split cannot be yes for partial results");
  NEED(!way->split || way->threads > 1, "split cannot be yes for one thread");
  if (!way->split) return true;
  double bytes = tsr_attention_state_bytes(p, way);
  NEED(bytes <= TSR_MOST_STATE_BYTES, "split cannot be yes: the items' states would take %.0f MiB of at most %d",
       bytes / (1 << 20), TSR_MOST_STATE_BYTES >> 20);
  return true;
}

static bool queries_are_legal(const tsr_context *context, const struct tsr_attention_problem *p,
                              const struct tsr_attention_way *way, char *why) {
  int64_t unit = width_unit(context);
  NEED(p->d.result == TSR_ATTENTION_WHOLE, "lanes must be keys for partial results");
  NEED(way->width <= MOST_WIDTH && way->width % unit == 0, "width is %lld: it must be a multiple of %lld, at most %d",
       (long long)way->width, (long long)unit, MOST_WIDTH);
  NEED(way->rows % way->width == 0, "rows is %lld: it must be a multiple of width, %lld", (long long)way->rows,
       (long long)way->width);
  NEED(!way->split, "split goes with lanes over keys");
  return true;
}

bool tsr_attention_way_is_legal(const tsr_context *context, const struct tsr_attention_problem *p, int threads,
                                const struct tsr_attention_way *way, char *why) {
  NEED(way->threads >= 1 && way->threads <= threads, "threads is %d: it must be 1 to %d", way->threads, threads);
  NEED(way->lanes == TSR_LANES_QUERIES || way->lanes == TSR_LANES_KEYS, "lanes is undecided");
  NEED(way->rows >= 1 && way->width >= 1, "rows is %lld and width %lld: both must be positive", (long long)way->rows,
       (long long)way->width);
  NEED(way->rows <= MOST_ROWS && (way->rows * row_bytes(p, way) <= MOST_ITEM_BYTES || way->rows <= MOST_WIDTH),
       "rows is %lld: what is kept of them takes %lld KiB of at most %d", (long long)way->rows,
       (long long)(way->rows * row_bytes(p, way) >> 10), MOST_ITEM_BYTES >> 10);
  if (way->lanes == TSR_LANES_KEYS) return keys_are_legal(p, way, why);
  return queries_are_legal(context, p, way, why);
}

static int threads_of(const struct tsr_values *shape) {
  return (int)tsr_min(shape->at[TSR_ATTENTION_THREADS], TSR_MAX_THREADS);
}

/* A field that is not decided is not legal, though the rule could decide it. */
static bool is_whole(const struct tsr_values *values, char *why) {
  for (int i = 0; i < TSR_ATTENTION_PLAN_FIELDS; i++)
    NEED(values->at[i] != 0, "%s is undecided", plan_fields[i].name);
  return true;
}

static bool check(const tsr_context *context, const struct tsr_values *shape, const struct tsr_values *values,
                  char *why) {
  struct tsr_attention_problem p;
  struct tsr_attention_way way;
  if (!tsr_attention_shape_in_range(shape, why) || !tsr_attention_values_in_range(values, why)) return false;
  if (!is_whole(values, why)) return false;
  problem_of(shape, &p);
  tsr_attention_way_of(context, &p, threads_of(shape), values, &way);
  return tsr_attention_way_is_legal(context, &p, threads_of(shape), &way, why);
}

static void complete(const tsr_context *context, const struct tsr_values *shape, struct tsr_values *values) {
  struct tsr_attention_problem p;
  struct tsr_attention_way way;
  problem_of(shape, &p);
  tsr_attention_way_of(context, &p, threads_of(shape), values, &way);
  tsr_attention_values_of(&way, values);
}

/* --- the pruned space ---------------------------------------------------------------------------------------------- */

struct list {
  const tsr_context *context;
  const struct tsr_attention_problem *p;
  struct tsr_values *plans;
  int n, most, threads;
};

/* Completes, checks and notes a way unless it is there already. */
static void note(struct list *list, struct tsr_attention_way way) {
  struct tsr_values values = {{0}};
  bool split = way.split;
  if (list->n == list->most) return;
  tsr_attention_complete(list->context, list->p, list->threads, &way);
  way.split = split;
  if (!tsr_attention_way_is_legal(list->context, list->p, list->threads, &way, NULL)) return;
  tsr_attention_values_of(&way, &values);
  for (int i = 0; i < list->n; i++)
    if (memcmp(&list->plans[i], &values, sizeof values) == 0) return;
  list->plans[list->n++] = values;
}

static const int pieces[] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64};
enum { PIECES = sizeof pieces / sizeof pieces[0] };

/* So many rows a head, cut into a few pieces or many. */
static void note_queries(struct list *list, int threads, int64_t width) {
  int64_t rows = list->p->d.len_q * list->p->group;
  for (int i = 0; i < PIECES && (i == 0 || tsr_ceil_div(rows, pieces[i]) >= width / 2); i++)
    note(list, (struct tsr_attention_way){.lanes = TSR_LANES_QUERIES, .threads = threads, .width = width,
                                          .rows = tsr_round_up(tsr_ceil_div(rows, pieces[i]), width)});
}

static void note_keys(struct list *list, int threads) {
  enum { FEWEST = 8, MOST = 256 }; /* rows, unless there are fewer; beyond, lanes over queries waste little */
  int64_t rows = list->p->d.len_q * list->p->group;
  for (int i = 0; i < PIECES; i++) {
    int64_t each = tsr_ceil_div(rows, pieces[i]);
    if (each > MOST) continue;
    if (i > 0 && each < FEWEST) break;
    for (int split = 0; split <= (threads > 1); split++)
      note(list, (struct tsr_attention_way){.lanes = TSR_LANES_KEYS, .threads = threads, .rows = each, .width = each,
                                            .split = split});
  }
}

/* Widths of tiles: the preferred tile's height, two of them, and others that the chip has. */
static int widths(const tsr_context *context, int64_t *width) {
  const struct tsr_tiles *tiles = &context->kernels[TSR_F32].gemm;
  int64_t unit = width_unit(context), tile = tsr_round_up((int64_t)tiles->units * tiles->mu, unit);
  int64_t all[] = {tile, 2 * tile, 64, 32, 128, 3 * tile, unit, 192, 256};
  int n = 0;
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
    bool there = all[i] % unit != 0 || all[i] > MOST_WIDTH;
    for (int j = 0; j < n; j++) there = there || width[j] == all[i];
    if (!there) width[n++] = all[i];
  }
  return n;
}

/* The coarse decisions come first: a short list has one of each kind. */
static int candidates(const tsr_context *context, const struct tsr_values *shape, struct tsr_values *plans, int most) {
  struct tsr_attention_problem p;
  struct list list = {context, &p, plans, 0, most, threads_of(shape)};
  int64_t width[9], rows;
  if (!tsr_attention_shape_in_range(shape, NULL)) return 0;
  problem_of(shape, &p);
  rows = p.d.len_q * p.group;
  note(&list, (struct tsr_attention_way){0});
  int n = widths(context, width);
  for (int threads = list.threads; threads >= 1; threads /= 2) {
    note_keys(&list, threads);
    for (int i = 0; i < n; i++)
      if (2 * rows >= width[i] || i == 0) note_queries(&list, threads, width[i]);
  }
  return list.n;
}

/* What the model may get wrong alike: lanes, the tile, whether threads share the work, and how. */
static int class_of(const struct tsr_values *plan) {
  const int64_t *at = plan->at;
  int how = (int)(at[TSR_ATTENTION_LANES] * 4 + at[TSR_ATTENTION_SPLIT] * 2 + (at[TSR_ATTENTION_PLAN_THREADS] > 1));
  return how * 64 + (int)tsr_min(at[TSR_ATTENTION_WIDTH] / 8, 63);
}

/* Types, layouts and masks are far apart from one another. */
static void place(const struct tsr_values *shape, double *where) {
  const int64_t *at = shape->at;
  where[0] = tsr_octaves(at[TSR_ATTENTION_Q]) + tsr_octaves(at[TSR_ATTENTION_HEADS] / at[TSR_ATTENTION_KV_HEADS]);
  where[1] = tsr_octaves(at[TSR_ATTENTION_KV]);
  where[2] = tsr_octaves(at[TSR_ATTENTION_D] + at[TSR_ATTENTION_DV]);
  where[3] = 64 * (double)at[TSR_ATTENTION_TYPE] + 32 * (double)at[TSR_ATTENTION_KEYS] +
             8 * (double)at[TSR_ATTENTION_CAUSAL] + 4 * (double)at[TSR_ATTENTION_MASK] +
             (tsr_octaves(at[TSR_ATTENTION_BATCH]) + tsr_octaves(at[TSR_ATTENTION_KV_HEADS])) / 4;
}

static double predict(const tsr_context *context, const struct tsr_costs *costs, const struct tsr_values *shape,
                      const struct tsr_values *values) {
  struct tsr_attention_problem p;
  struct tsr_attention_way way;
  problem_of(shape, &p);
  tsr_attention_way_of(context, &p, threads_of(shape), values, &way);
  return tsr_attention_predict(context, costs, &p, &way);
}

const struct tsr_operator tsr_attention_operator = {
    .name = "attention", .shape = shape_fields, .plan = plan_fields, .nshape = TSR_ATTENTION_SHAPE_FIELDS,
    .nplan = TSR_ATTENTION_PLAN_FIELDS, .rule = 1, .weighing = 300e-9,
    .check = check, .complete = complete, .candidates = candidates, .predict = predict, .class_of = class_of,
    .place = place,
    .bench_open = tsr_attention_bench_open, .bench_run = tsr_attention_bench_run,
    .bench_close = tsr_attention_bench_close};
