/* The parameter space of GEMM on a CPU: its fields, its hard constraints, its pruned candidates. */
#include "src/gemm/space.h"

#include <stdio.h>
#include <string.h>

#include "src/core/threads.h"
#include "src/core/topology.h"
#include "src/gemm/model.h"
#include "src/gemm/tiles.h"

static const char *const types[] = {"f32", "f64", "c32", "c64", NULL};
static const char *const layouts[] = {"n", "t", NULL};
static const char *const paths[] = {"direct", "across", "packed", "k-split", NULL};
static const char *const orders[] = {"rows", "columns", NULL};
static const char *const packs[] = {"none", "a", "b", "ab", NULL};

static const struct tsr_field shape_fields[TSR_SHAPE_FIELDS] = {
    {"type", types}, {"m", NULL},       {"n", NULL},     {"k", NULL},
    {"a", layouts},  {"b", layouts},    {"pages", NULL}, {"threads", NULL}};

static const struct tsr_field plan_fields[TSR_PLAN_FIELDS] = {
    {"path", paths}, {"threads", NULL}, {"units", NULL}, {"columns", NULL}, {"order", orders},
    {"mc", NULL},    {"nc", NULL},      {"pack", packs}, {"groups", NULL}};

#define PAGE 4096
#define MOST_SIZE ((int64_t)1 << 41) /* of a block: any size there is, rounded up to tiles */
/* Scratch that one thread may take for a block of A, and a group for its blocks of B; for the sums of a k split, and
 * for those of one thread that wait to be turned over. */
#define MOST_A_BYTES (4 << 20)
#define MOST_B_BYTES (16 << 20)
#define MOST_SUM_BYTES (4 << 20)
#define MOST_THREAD_SUM_BYTES (2 << 20)

void tsr_gemm_shape_of(const struct tsr_gemm_problem *p, int threads, struct tsr_values *shape) {
  int64_t size = tsr_size_of(p->type), lda = p->rsa == size ? p->csa : p->rsa, ldb = p->rsb == size ? p->csb : p->rsb;
  int pages = (lda % PAGE == 0) + 2 * (ldb % PAGE == 0) + 4 * (p->csc % PAGE == 0);
  int64_t *at = shape->at;
  at[TSR_SHAPE_TYPE] = p->type >= TSR_C32 ? p->type - TSR_C32 + 3 : p->type;
  at[TSR_SHAPE_M] = p->m;
  at[TSR_SHAPE_N] = p->n;
  at[TSR_SHAPE_K] = p->k;
  at[TSR_SHAPE_A] = p->rsa == size ? 1 : 2;
  at[TSR_SHAPE_B] = p->rsb == size ? 1 : 2;
  at[TSR_SHAPE_PAGES] = 1 + pages;
  at[TSR_SHAPE_THREADS] = threads;
}

/* Bytes from line to line for lines of so many bytes: whole pages, or not. */
static int64_t stride_for(int64_t bytes, bool whole_pages) {
  if (whole_pages) return (bytes + PAGE - 1) / PAGE * PAGE;
  return bytes % PAGE == 0 ? bytes + 64 : bytes;
}

void tsr_gemm_problem_of(const struct tsr_values *shape, struct tsr_gemm_problem *p) {
  const int64_t *at = shape->at;
  tsr_type type = tsr_gemm_type_at(shape);
  int64_t size = tsr_size_of(type), pages = at[TSR_SHAPE_PAGES] - 1;
  bool a_by_rows = at[TSR_SHAPE_A] == 1, b_by_k = at[TSR_SHAPE_B] == 1;
  int64_t m = at[TSR_SHAPE_M], n = at[TSR_SHAPE_N], k = at[TSR_SHAPE_K];
  /* Lines of one element are told from columns by a stride that is not the element's. */
  int64_t along_k = k > 1 ? k : 2, along_n = n > 1 ? n : 2;
  int64_t lda = stride_for((a_by_rows ? m : along_k) * size, pages & 1);
  int64_t ldb = stride_for((b_by_k ? k : along_n) * size, pages & 2);
  *p = (struct tsr_gemm_problem){.type = type, .type_c = type, .m = m, .n = n, .k = k, .alpha = 1, .csc = stride_for(m * size, pages & 4)};
  p->rsa = a_by_rows ? size : lda;
  p->csa = a_by_rows ? lda : size;
  p->rsb = b_by_k ? size : ldb;
  p->csb = b_by_k ? ldb : size;
}

void tsr_gemm_values_of(const struct tsr_gemm_way *plan, struct tsr_values *values) {
  int64_t *at = values->at;
  at[TSR_PLAN_PATH] = plan->path;
  at[TSR_PLAN_THREADS] = plan->threads;
  at[TSR_PLAN_UNITS] = plan->units;
  at[TSR_PLAN_COLUMNS] = plan->columns;
  at[TSR_PLAN_ORDER] = plan->order;
  at[TSR_PLAN_MC] = plan->mc;
  at[TSR_PLAN_NC] = plan->nc;
  at[TSR_PLAN_PACK] = plan->pack;
  at[TSR_PLAN_GROUPS] = plan->groups;
}

static void set_fields(const struct tsr_values *values, struct tsr_gemm_way *plan) {
  const int64_t *at = values->at;
  *plan = (struct tsr_gemm_way){
      .path = (enum tsr_gemm_path)at[TSR_PLAN_PATH], .threads = (int)at[TSR_PLAN_THREADS],
      .units = (int)at[TSR_PLAN_UNITS], .columns = (int)at[TSR_PLAN_COLUMNS],
      .order = (enum tsr_gemm_order)at[TSR_PLAN_ORDER], .mc = at[TSR_PLAN_MC], .nc = at[TSR_PLAN_NC],
      .pack = (enum tsr_gemm_pack)at[TSR_PLAN_PACK], .groups = (int)at[TSR_PLAN_GROUPS]};
}

void tsr_gemm_plan_of(const tsr_context *context, const struct tsr_gemm_problem *p, int threads,
                      const struct tsr_values *values, struct tsr_gemm_way *plan) {
  const struct tsr_tiles *tiles = &context->kernels[p->type].gemm;
  set_fields(values, plan);
  /* The rule divides by columns. A tile that does not exist is the checker's to name. */
  if (plan->units && !plan->columns && !tiles->max_columns[plan->units]) plan->columns = 1;
  tsr_gemm_complete(&context->kernels[p->type], p, threads, plan);
}

/* --- what is legal ------------------------------------------------------------------------------------------------- */

#define NEED(condition, ...)                                \
  if (!(condition)) {                                       \
    if (why) snprintf(why, TSR_WHY_TEXT, __VA_ARGS__);      \
    return false;                                           \
  }

static bool tile_is_legal(const struct tsr_tiles *tiles, const struct tsr_gemm_way *plan, char *why) {
  NEED(plan->units >= 1 && plan->units <= TSR_MAX_UNITS && tiles->max_columns[plan->units] > 0,
       "units is %d: these kernels have no tile of so many units of %d rows", plan->units, tiles->mu);
  NEED(plan->columns >= 1 && plan->columns <= tiles->max_columns[plan->units],
       "columns is %d: tiles of %d units have 1 to %d", plan->columns, plan->units, tiles->max_columns[plan->units]);
  return true;
}

static bool packed_is_legal(const struct tsr_tiles *tiles, const struct tsr_gemm_problem *p,
                            const struct tsr_gemm_way *plan, char *why) {
  int64_t column = tsr_min(p->k, plan->kb) * tsr_size_of(p->type), tile_rows = (int64_t)plan->units * tiles->mu;
  bool a = tsr_gemm_packs(plan->pack, TSR_GEMM_PACK_A), b = tsr_gemm_packs(plan->pack, TSR_GEMM_PACK_B);
  NEED(plan->pack >= TSR_GEMM_PACK_NONE && plan->pack <= TSR_GEMM_PACK_AB, "pack is undecided");
  NEED(a || p->rsa == tsr_size_of(p->type), "pack must take in a: A lies along k");
  NEED(!a || tile_rows <= TSR_MAX_WIDTH, "units is %d: panels of A have at most %d rows, so at most %d", plan->units,
       TSR_MAX_WIDTH, TSR_MAX_WIDTH / tiles->mu);
  NEED(plan->columns <= tiles->max_columns[1], "columns is %d: panels need every height of tile, so at most %d",
       plan->columns, tiles->max_columns[1]);
  NEED(plan->mc % tiles->mu == 0 && (plan->mc + tile_rows) * column <= MOST_A_BYTES,
       "mc is %lld: it must be a multiple of %d and its panels at most %d KiB", (long long)plan->mc, tiles->mu,
       MOST_A_BYTES >> 10);
  NEED(b || plan->nc >= p->n, "nc is %lld: without a packed B it is all %lld columns", (long long)plan->nc,
       (long long)p->n);
  NEED(!b || (plan->nc % plan->columns == 0 && plan->nc * column <= MOST_B_BYTES),
       "nc is %lld: it must be a multiple of %d columns and its panels at most %d KiB", (long long)plan->nc,
       plan->columns, MOST_B_BYTES >> 10);
  NEED(plan->groups >= 1 && plan->groups <= plan->threads && plan->groups <= TSR_GEMM_MOST_GROUPS,
       "groups is %d: it must be 1 to %d", plan->groups, (int)tsr_min(plan->threads, TSR_GEMM_MOST_GROUPS));
  return true;
}

static bool direct_is_legal(const struct tsr_tiles *tiles, const struct tsr_gemm_problem *p,
                            const struct tsr_gemm_way *plan, char *why) {
  int64_t size = tsr_size_of(p->type), blocks = tsr_ceil_div(p->k, plan->kb);
  bool across = plan->path == TSR_GEMM_ACROSS;
  NEED(plan->order == TSR_GEMM_ROWS || plan->order == TSR_GEMM_COLUMNS, "order is undecided");
  NEED(plan->mc % tiles->mu == 0 || plan->mc >= (across ? p->n : p->m), "mc is %lld: it must be a multiple of %d",
       (long long)plan->mc, tiles->mu);
  NEED(!across || tsr_saturating(tsr_saturating(plan->mc, plan->nc), size) <= MOST_THREAD_SUM_BYTES,
       "mc x nc is %lld x %lld: the sums of a thread must fit %d KiB", (long long)plan->mc, (long long)plan->nc,
       MOST_THREAD_SUM_BYTES >> 10);
  NEED(plan->path != TSR_GEMM_K_SPLIT ||
           (blocks > 1 && tsr_saturating(tsr_saturating(p->m, p->n), blocks * size) <= MOST_SUM_BYTES),
       "path cannot be k-split: k must exceed %lld and the sums of its blocks fit %d KiB", (long long)plan->kb,
       MOST_SUM_BYTES >> 10);
  return true;
}

bool tsr_gemm_plan_is_legal(const tsr_context *context, const struct tsr_gemm_problem *p, int threads,
                            const struct tsr_gemm_way *plan, char *why) {
  const struct tsr_tiles *tiles = &context->kernels[p->type].gemm;
  NEED(plan->threads >= 1 && plan->threads <= threads, "threads is %d: it must be 1 to %d", plan->threads, threads);
  NEED(plan->mc >= 1 && plan->nc >= 1, "mc is %lld and nc %lld: both must be positive", (long long)plan->mc,
       (long long)plan->nc);
  NEED(plan->path >= TSR_GEMM_DIRECT && plan->path <= TSR_GEMM_K_SPLIT, "path is undecided");
  if (!tile_is_legal(tiles, plan, why)) return false;
  return plan->path == TSR_GEMM_PACKED ? packed_is_legal(tiles, p, plan, why) : direct_is_legal(tiles, p, plan, why);
}

bool tsr_gemm_values_in_range(const struct tsr_values *values, char *why) {
  for (int i = 0; i < TSR_PLAN_FIELDS; i++) {
    static const int64_t limits[TSR_PLAN_FIELDS] = {
        [TSR_PLAN_THREADS] = TSR_MAX_THREADS, [TSR_PLAN_UNITS] = TSR_MAX_UNITS, [TSR_PLAN_COLUMNS] = TSR_MAX_COLUMNS,
        [TSR_PLAN_MC] = MOST_SIZE, [TSR_PLAN_NC] = MOST_SIZE};
    int64_t most = limits[i] ? limits[i] : INT32_MAX;
    NEED(values->at[i] >= 0 && values->at[i] <= most, "%s is %lld: it can be at most %lld", plan_fields[i].name,
         (long long)values->at[i], (long long)most);
  }
  return true;
}

/* Shapes come from files and callers too. */
static bool shape_in_range(const struct tsr_values *shape, char *why) {
  static const int64_t limits[TSR_SHAPE_FIELDS] = {
      [TSR_SHAPE_TYPE] = 4, [TSR_SHAPE_A] = 2, [TSR_SHAPE_B] = 2, [TSR_SHAPE_PAGES] = 8,
      [TSR_SHAPE_THREADS] = TSR_MAX_THREADS};
  for (int i = 0; i < TSR_SHAPE_FIELDS; i++)
    NEED(shape->at[i] >= 1 && (!limits[i] || shape->at[i] <= limits[i]), "%s is %lld: it can be at most %lld",
         shape_fields[i].name, (long long)shape->at[i], (long long)limits[i]);
  return true;
}

static int threads_of(const struct tsr_values *shape) {
  return (int)tsr_min(shape->at[TSR_SHAPE_THREADS], TSR_MAX_THREADS);
}

static bool check(const tsr_context *context, const struct tsr_values *shape, const struct tsr_values *values,
                  char *why) {
  struct tsr_gemm_problem p;
  struct tsr_gemm_way plan;
  if (!shape_in_range(shape, why) || !tsr_gemm_values_in_range(values, why)) return false;
  tsr_gemm_problem_of(shape, &p);
  set_fields(values, &plan);
  plan.kb = tsr_gemm_kb(p.type);
  return tsr_gemm_plan_is_legal(context, &p, threads_of(shape), &plan, why);
}

static void complete(const tsr_context *context, const struct tsr_values *shape, struct tsr_values *values) {
  struct tsr_gemm_problem p;
  struct tsr_gemm_way plan;
  tsr_gemm_problem_of(shape, &p);
  tsr_gemm_plan_of(context, &p, threads_of(shape), values, &plan);
  tsr_gemm_values_of(&plan, values);
}

/* --- the pruned space ---------------------------------------------------------------------------------------------- */

enum { SEEN = 4096 };

struct list {
  const tsr_context *context;
  const struct tsr_values *shape;
  struct tsr_gemm_problem p;
  struct tsr_values *plans;
  int n, most, units[4], heights;
  int16_t seen[SEEN]; /* a hash table of plans, by number + 1 */
};

/* Whether the plan is new; then it has its place in the table. */
static bool is_new(struct list *list, const struct tsr_values *values) {
  int i = (int)(tsr_values_hash(0, values, TSR_PLAN_FIELDS) % SEEN);
  for (; list->seen[i]; i = (i + 1) % SEEN)
    if (memcmp(&list->plans[list->seen[i] - 1], values, sizeof *values) == 0) return false;
  list->seen[i] = (int16_t)(list->n + 1);
  return true;
}

/* Completes, checks and notes a plan unless it is there already. */
static void note(struct list *list, const struct tsr_gemm_way *decided) {
  struct tsr_gemm_way plan = *decided;
  struct tsr_values values = {{0}};
  int threads = threads_of(list->shape);
  if (list->n == list->most || list->n == SEEN - 1) return;
  tsr_gemm_complete(&list->context->kernels[list->p.type], &list->p, threads, &plan);
  if (!tsr_gemm_plan_is_legal(list->context, &list->p, threads, &plan, NULL)) return;
  tsr_gemm_values_of(&plan, &values);
  if (is_new(list, &values)) list->plans[list->n++] = values;
}

/* Heights whose widest tile keeps most registers busy. */
static int tile_heights(const struct tsr_tiles *tiles, int *units) {
  int n = 0, busy = tiles->units * tiles->columns;
  units[n++] = tiles->units;
  for (int u = 1; u <= TSR_MAX_UNITS && n < 4; u++)
    if (u != tiles->units && tiles->max_columns[u] >= 4 && 8 * u * tiles->max_columns[u] >= 7 * busy) units[n++] = u;
  return n;
}

/* A packed plan whose blocks of A fill so many quarters of L2, and those of B so many MiB. */
static void note_blocks(struct list *list, struct tsr_gemm_way plan, int64_t quarters, int64_t mib) {
  const struct tsr_topology *machine = tsr_topology_get();
  const struct tsr_tiles *tiles = &list->context->kernels[list->p.type].gemm;
  int64_t size = tsr_size_of(list->p.type), column = tsr_gemm_kb(list->p.type) * size;
  int64_t row = tsr_min(list->p.k, tsr_gemm_kb(list->p.type)) * size;
  int64_t l2 = (int64_t)machine->level[machine->nlevels > 1].bytes, tile_rows = (int64_t)plan.units * tiles->mu;
  int64_t in_group = tsr_ceil_div(plan.threads, plan.groups);
  int64_t blocks = tsr_ceil_div(tsr_ceil_div(list->p.m * row * 4, l2 * quarters), in_group) * in_group;
  bool b = tsr_gemm_packs(plan.pack, TSR_GEMM_PACK_B);
  plan.mc = tsr_round_up(tsr_ceil_div(list->p.m, blocks), quarters == 4 ? tiles->mu : tile_rows);
  int64_t slices = tsr_ceil_div(list->p.n * column, mib << 20);
  plan.nc = b ? tsr_round_up(tsr_ceil_div(list->p.n, slices), plan.columns) : list->p.n;
  note(list, &plan);
}

/* Packed: what is packed and by how many groups, with the rule's blocks; in detail, with others. */
static void note_packed(struct list *list, struct tsr_gemm_way plan, bool in_detail) {
  plan.path = TSR_GEMM_PACKED;
  for (plan.groups = 1; plan.groups <= tsr_min(plan.threads, TSR_GEMM_MOST_GROUPS); plan.groups *= 2)
    for (int pack = TSR_GEMM_PACK_A; pack <= TSR_GEMM_PACK_AB; pack++) {
      plan.pack = (enum tsr_gemm_pack)pack;
      if (pack != TSR_GEMM_PACK_A && list->p.n <= 2 * plan.columns) continue; /* a B that is used once or twice */
      if (!in_detail) note(list, &plan);
      for (int64_t quarters = 1; in_detail && quarters <= 4; quarters++)
        for (int64_t mib = 1; mib <= 6; mib += mib == 1 ? 2 : 3) note_blocks(list, plan, quarters, mib);
    }
}

/* Operands in place: both orders, in one piece a thread; in detail, in several, down or across. */
static void note_direct(struct list *list, struct tsr_gemm_way plan, bool in_detail) {
  const struct tsr_tiles *tiles = &list->context->kernels[list->p.type].gemm;
  bool along_k = list->p.rsa != tsr_size_of(list->p.type);
  int64_t unit = along_k ? tiles->mu : (int64_t)plan.units * tiles->mu;
  /* Transposing in registers again and again pays for few columns, and only if rows do not compete for lines of L1. */
  int64_t most = list->p.rsa % PAGE == 0 ? TSR_MAX_COLUMNS : 3 * TSR_MAX_COLUMNS;
  if (along_k && list->p.n > most) return;
  plan.path = TSR_GEMM_DIRECT;
  for (int order = TSR_GEMM_ROWS; order <= TSR_GEMM_COLUMNS; order++)
    for (int64_t cuts = in_detail ? 2 : 1; cuts <= (in_detail ? 8 : 1); cuts *= 2) {
      plan.order = (enum tsr_gemm_order)order;
      plan.mc = tsr_round_up(tsr_ceil_div(list->p.m, cuts * plan.threads), unit);
      plan.nc = list->p.n;
      note(list, &plan);
      if (along_k) continue; /* each piece would transpose all of A again */
      plan.mc = list->p.m;
      plan.nc = tsr_round_up(tsr_ceil_div(list->p.n, cuts * plan.threads), plan.columns);
      note(list, &plan);
    }
}

/* Across, and k split. */
static void note_others(struct list *list, struct tsr_gemm_way plan, bool in_detail) {
  const struct tsr_tiles *tiles = &list->context->kernels[list->p.type].gemm;
  struct tsr_gemm_way one = plan;
  one.path = TSR_GEMM_K_SPLIT;
  if (!in_detail) note(list, &one);
  one.path = TSR_GEMM_ACROSS;
  if (list->p.m > 2 * TSR_MAX_COLUMNS) return;
  if (!in_detail) note(list, &one);
  for (int64_t rows = 1024; in_detail && rows <= 4096; rows *= 2) {
    one.mc = tsr_round_up(tsr_min(rows, tsr_ceil_div(list->p.n, plan.threads)), tiles->mu * tiles->units);
    note(list, &one);
  }
}

/* The coarse decisions come first: a short list has one of each kind. */
static int candidates(const tsr_context *context, const struct tsr_values *shape, struct tsr_values *plans, int most) {
  struct list list = {.context = context, .shape = shape, .plans = plans, .most = most};
  int threads = threads_of(shape);
  tsr_gemm_problem_of(shape, &list.p);
  const struct tsr_tiles *tiles = &context->kernels[list.p.type].gemm;
  list.heights = tile_heights(tiles, list.units);
  note(&list, &(struct tsr_gemm_way){0});
  for (int in_detail = 0; in_detail <= 1; in_detail++)
    for (int t = threads; t >= 1; t /= 2)
      for (int h = 0; h < list.heights; h++) {
        int units = list.units[h];
        struct tsr_gemm_way plan = {.threads = t, .units = units, .columns = tsr_tile_columns(tiles, units)};
        note_packed(&list, plan, in_detail);
        note_direct(&list, plan, in_detail);
        note_others(&list, plan, in_detail);
      }
  return list.n;
}

/* What the model may get wrong alike: path, packing or order, tile, whether threads share the work. */
static int class_of(const struct tsr_values *plan) {
  const int64_t *at = plan->at;
  int64_t how = at[TSR_PLAN_PATH] * 8 + (at[TSR_PLAN_PATH] == TSR_GEMM_PACKED ? at[TSR_PLAN_PACK] : at[TSR_PLAN_ORDER]);
  return (int)((how * 2 + (at[TSR_PLAN_THREADS] > 1)) * (TSR_MAX_UNITS + 1) + at[TSR_PLAN_UNITS]);
}

/* Types and layouts are far apart from one another. */
static void place(const struct tsr_values *shape, double *where) {
  const int64_t *at = shape->at;
  for (int i = 0; i < 3; i++) where[i] = tsr_octaves(at[TSR_SHAPE_M + i]);
  where[3] = 16 * (double)at[TSR_SHAPE_TYPE] + 8 * (double)at[TSR_SHAPE_A] + 4 * (double)at[TSR_SHAPE_B];
}

static double predict(const tsr_context *context, const struct tsr_costs *costs, const struct tsr_values *shape,
                      const struct tsr_values *values) {
  struct tsr_gemm_problem p;
  struct tsr_gemm_way plan;
  tsr_gemm_problem_of(shape, &p);
  tsr_gemm_plan_of(context, &p, threads_of(shape), values, &plan);
  return tsr_gemm_predict(&context->kernels[p.type], costs, &p, &plan);
}

const struct tsr_operator tsr_gemm_operator = {
    .name = "gemm", .shape = shape_fields, .plan = plan_fields, .nshape = TSR_SHAPE_FIELDS, .nplan = TSR_PLAN_FIELDS,
    .rule = 1, .weighing = 400e-9,
    .check = check, .complete = complete, .candidates = candidates, .predict = predict, .class_of = class_of,
    .place = place,
    .bench_open = tsr_gemm_bench_open, .bench_run = tsr_gemm_bench_run, .bench_close = tsr_gemm_bench_close};
