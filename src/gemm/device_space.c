/* The parameter space of GEMM on a device. What is no parameter: the blocks of the innermost buffers. They belong to
 * the chip's own program, which takes a step's rows and columns as they come and k in rounds of a fixed length. */
#include "src/gemm/device_space.h"

#include <fenv.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/gemm/walk.h"
#include "src/tune/choose.h"

/* What tsr_operator calls its rule. */
#define RULE 1

/* Grids whose least possible time is longer than the least of all by more than this share are not in the pruned space;
 * and this share is halved until there are no more plans than so many. */
#define MARGIN 0.25
#define MOST_CANDIDATES 4096

static const char *const types[] = {"f32", "f64", "f16", "bf16", "s8", "s32", NULL};
static const char *const layouts[] = {"n", "t", NULL};
static const char *const sums[] = {"direct", "updated", NULL};
static const struct tsr_field shape_fields[] = {{"type", types}, {"to", types}, {"m", NULL}, {"n", NULL}, {"k", NULL},
                                                {"a", layouts},  {"b", layouts}, {"sums", sums}};
static const struct tsr_field plan_fields[] = {{"down", NULL}, {"mc", NULL},    {"nc", NULL},
                                               {"kc", NULL},   {"slots", NULL}, {"panels", NULL}};

void tsr_gemm_device_shape(const struct tsr_gemm_problem *pr, struct tsr_values *shape) {
  int64_t size = tsr_size_of(pr->type);
  *shape = (struct tsr_values){{(int64_t)pr->type, (int64_t)pr->type_c, pr->m, pr->n, pr->k, pr->rsa == size ? 1 : 2,
                                pr->rsb == size ? 1 : 2, pr->alpha == 1 && pr->beta == 0 ? 1 : 2}};
}

const struct tsr_kernel *tsr_device_kernel(const struct tsr_device_chip *chip, enum tsr_op op, tsr_type ta, tsr_type tb,
                                           tsr_type tc) {
  for (int i = 0; i < chip->nkernels; i++) {
    const struct tsr_kernel *k = &chip->kernel[i];
    if (k->op == op && k->ta == ta && k->tb == tb && k->tc == tc) return k;
  }
  return NULL;
}

static tsr_type type_of(const struct tsr_values *shape) { return (tsr_type)shape->at[TSR_DEVICE_TYPE]; }
/* What limits the plans of one shape. */
struct space {
  const struct tsr_device *device;
  const struct tsr_values *shape;
  int64_t m, n, k, kb, size, most_m, most_n;
};

/* False: there are no plans. */
static bool set_space(const struct tsr_device *device, const struct tsr_values *shape, struct space *s) {
  tsr_type type = type_of(shape), result = type == TSR_S8 ? TSR_S32 : TSR_F32;
  const struct tsr_kernel *gemm = tsr_device_kernel(device->chip, TSR_OP_GEMM, type, type, result);
  tsr_type to = (tsr_type)shape->at[TSR_DEVICE_TO];
  if (!gemm || !tsr_device_kernel(device->chip, TSR_OP_GEMM, type, type, to)) return false;
  *s = (struct space){device, shape, shape->at[TSR_DEVICE_M], shape->at[TSR_DEVICE_N], shape->at[TSR_DEVICE_K],
                      tsr_gemm_kb(type), tsr_size_of(type), tsr_min(gemm->mr, device->most),
                      tsr_min(gemm->nr, device->most)};
  return s->m > 0 && s->n > 0 && s->k > 0 && s->most_m >= device->unit && s->most_n >= device->unit;
}

static int64_t panel_a(const struct space *s, const struct tsr_values *plan) {
  return tsr_device_panel_bytes(s->device, plan->at[TSR_DEVICE_MC], plan->at[TSR_DEVICE_KC], s->size);
}

static int64_t panel_b(const struct space *s, const struct tsr_values *plan) {
  return tsr_device_panel_bytes(s->device, plan->at[TSR_DEVICE_NC], plan->at[TSR_DEVICE_KC], s->size);
}

/* The most panels of A beside `slots` of B. A kept panel may be copied anew only when the step that read it last was
 * queued: chunks that are copied ahead must be no more than those of a block. */
static int64_t most_panels(const struct space *s, const struct tsr_values *plan) {
  int64_t slots = plan->at[TSR_DEVICE_SLOTS], chunks = tsr_ceil_div(s->k, plan->at[TSR_DEVICE_KC]);
  int64_t room = (int64_t)s->device->panels.bytes - slots * panel_b(s, plan);
  int64_t fit = room < 0 ? 0 : room / panel_a(s, plan);
  if (chunks < slots) return tsr_min(fit, slots);
  return tsr_min(fit, slots + tsr_min(chunks, TSR_GEMM_MOST_KEPT));
}

/* The checker. */

static bool wrong(char *why, const char *field, int64_t is, const char *must, int64_t most) {
  char end[48] = "";
  if (most) snprintf(end, sizeof end, " %lld", (long long)most);
  if (why) snprintf(why, TSR_WHY_TEXT, "%s is %lld but must be %s%s", field, (long long)is, must, end);
  return false;
}

static bool check_blocks(const struct space *s, const struct tsr_values *plan, char *why) {
  int64_t down = plan->at[TSR_DEVICE_DOWN], mc = plan->at[TSR_DEVICE_MC], nc = plan->at[TSR_DEVICE_NC];
  int64_t unit = s->device->unit, room = (int64_t)s->device->sums.bytes;
  if (down < 1 || down > s->device->cores || s->device->cores % down != 0)
    return wrong(why, "down", down, "a divisor of the number of cores, which is", s->device->cores);
  if (mc < 1 || mc % unit != 0) return wrong(why, "mc", mc, "a multiple of", unit);
  if (nc < 1 || nc % unit != 0) return wrong(why, "nc", nc, "a multiple of", unit);
  if (mc > s->most_m) return wrong(why, "mc", mc, "at most", s->most_m);
  if (nc > s->most_n) return wrong(why, "nc", nc, "at most", s->most_n);
  if (mc * nc * 4 > room) return wrong(why, "mc * nc", mc * nc, "at most, so that a core can hold the sums,", room / 4);
  return true;
}

static bool check_chunks(const struct space *s, const struct tsr_values *plan, char *why) {
  int64_t kc = plan->at[TSR_DEVICE_KC], slots = plan->at[TSR_DEVICE_SLOTS], panels = plan->at[TSR_DEVICE_PANELS];
  int64_t square = 2 * s->device->unit, room = (int64_t)s->device->panels.bytes;
  if (kc < 1 || kc % square != 0) return wrong(why, "kc", kc, "a multiple of", square);
  if (kc > room) return wrong(why, "kc", kc, "at most", room);
  if (s->k > s->kb && s->kb % kc != 0) return wrong(why, "kc", kc, "a divisor of the block of k,", s->kb);
  if (slots < 2 || slots > TSR_GEMM_MOST_SLOTS) return wrong(why, "slots", slots, "from 2 to", TSR_GEMM_MOST_SLOTS);
  if (panels < slots) return wrong(why, "panels", panels, "at least slots,", slots);
  int64_t most = most_panels(s, plan);
  if (most < slots) return wrong(why, "slots", slots, "fewer: panels of mc and nc by kc exceed a core's bytes,", room);
  return panels <= most || wrong(why, "panels", panels, "at most", most);
}

static bool check(const tsr_context *context, const struct tsr_values *shape, const struct tsr_values *plan,
                  char *why) {
  struct space s;
  if (!set_space(context->device, shape, &s)) {
    if (why)
      snprintf(why, TSR_WHY_TEXT, "a size is 0, or the device has no kernels or buffers for the types");
    return false;
  }
  return check_blocks(&s, plan, why) && check_chunks(&s, plan, why);
}

/* The values that a field may take. Each begins at 0 and gives the next one, or 0 after the last. */

static int64_t next_divisor(int64_t number, int64_t x) {
  while (++x <= number)
    if (number % x == 0) return x;
  return 0;
}

/* Splits a side of C into one block more than x does, evenly: the next smaller size. */
static int64_t next_even(int64_t length, int64_t most, int64_t unit, int64_t x) {
  int64_t blocks = x ? tsr_ceil_div(length, x) + 1 : tsr_ceil_div(length, most);
  if (x == unit) return 0;
  int64_t next = tsr_round_up(tsr_ceil_div(length, blocks), unit);
  while (x && next >= x) next = tsr_round_up(tsr_ceil_div(length, ++blocks), unit);
  return next;
}

/* Powers of two times the least, and the whole of a short k. */
static int64_t next_chunk(const struct space *s, const struct tsr_values *plan, int64_t x) {
  int64_t least = 2 * s->device->unit, whole = tsr_round_up(s->k, least), room = (int64_t)s->device->panels.bytes;
  int64_t next = x ? 2 * x : least;
  if (x >= whole || (s->k > s->kb && next > s->kb)) return 0;
  if (next > whole) next = whole;
  struct tsr_values larger = *plan;
  larger.at[TSR_DEVICE_KC] = next;
  return 2 * (panel_a(s, &larger) + panel_b(s, &larger)) <= room ? next : 0;
}

/* A grid that has as many cores beside one another as there are blocks of C needs no more. */
static bool grid_has_idle_cores(const struct space *s, const struct tsr_values *plan) {
  int64_t cores = s->device->cores, down = plan->at[TSR_DEVICE_DOWN], fewer = 0;
  int64_t blocks_m = tsr_ceil_div(s->m, plan->at[TSR_DEVICE_MC]);
  int64_t blocks_n = tsr_ceil_div(s->n, plan->at[TSR_DEVICE_NC]);
  for (int64_t d = next_divisor(cores, 0); d && d < down; d = next_divisor(cores, d)) fewer = d;
  if (fewer && fewer >= blocks_m && cores / down < blocks_n) return true;
  int64_t more = next_divisor(cores, down);
  return more && cores / more >= blocks_n && down < blocks_m;
}

typedef void visit_plan(void *arg, const struct space *s, struct tsr_values *plan);

static void each_block(const struct space *s, const struct tsr_values *fixed, struct tsr_values *plan,
                       visit_plan *visit, void *arg) {
  int64_t unit = s->device->unit, room = (int64_t)s->device->sums.bytes / 4;
  int64_t first_m = fixed->at[TSR_DEVICE_MC], first_n = fixed->at[TSR_DEVICE_NC];
  for (int64_t mc = first_m ? first_m : next_even(s->m, s->most_m, unit, 0); mc;
       mc = first_m ? 0 : next_even(s->m, s->most_m, unit, mc))
    for (int64_t nc = first_n ? first_n : next_even(s->n, s->most_n, unit, 0); nc;
         nc = first_n ? 0 : next_even(s->n, s->most_n, unit, nc)) {
      plan->at[TSR_DEVICE_MC] = mc;
      plan->at[TSR_DEVICE_NC] = nc;
      if (mc <= s->most_m && nc <= s->most_n && mc * nc <= room) visit(arg, s, plan);
    }
}

/* Calls `visit` for each grid: down, mc and nc, those that are not 0 in `fixed` as they are there. */
static void each_grid(const struct space *s, const struct tsr_values *fixed, visit_plan *visit, void *arg) {
  struct tsr_values plan = *fixed;
  int64_t first = fixed->at[TSR_DEVICE_DOWN];
  for (int64_t down = first ? first : 1; down; down = first ? 0 : next_divisor(s->device->cores, down)) {
    plan.at[TSR_DEVICE_DOWN] = down;
    each_block(s, fixed, &plan, visit, arg);
  }
}

/* Calls `visit` for each choice of chunk, slots and panels on the grid in `plan`: none kept, or as many as fit. */
static void each_inner(const struct space *s, const struct tsr_values *fixed, struct tsr_values *plan,
                       visit_plan *visit, void *arg) {
  int64_t kc0 = fixed->at[TSR_DEVICE_KC], slots0 = fixed->at[TSR_DEVICE_SLOTS], panels0 = fixed->at[TSR_DEVICE_PANELS];
  bool several = s->n > s->device->cores / plan->at[TSR_DEVICE_DOWN] * plan->at[TSR_DEVICE_NC];
  for (int64_t kc = kc0 ? kc0 : next_chunk(s, plan, 0); kc; kc = kc0 ? 0 : next_chunk(s, plan, kc))
    for (int64_t slots = slots0 ? slots0 : 2; slots <= (slots0 ? slots0 : TSR_GEMM_MOST_SLOTS); slots++) {
      plan->at[TSR_DEVICE_KC] = kc;
      plan->at[TSR_DEVICE_SLOTS] = slots;
      int64_t most = most_panels(s, plan);
      if (most < slots) break;
      if (panels0 && (panels0 < slots || panels0 > most)) continue;
      plan->at[TSR_DEVICE_PANELS] = panels0 ? panels0 : slots;
      visit(arg, s, plan);
      plan->at[TSR_DEVICE_PANELS] = most;
      if (!panels0 && several && most > slots) visit(arg, s, plan);
    }
}

/* Cycles that no plan with this grid can do without: the cubes', and what all cores load. */
static double least_cycles(const struct space *s, const struct tsr_values *plan) {
  const struct tsr_device *device = s->device;
  struct tsr_step_costs costs;
  int64_t mc = plan->at[TSR_DEVICE_MC], nc = plan->at[TSR_DEVICE_NC], down = plan->at[TSR_DEVICE_DOWN];
  int64_t rows = tsr_ceil_div(tsr_ceil_div(s->m, mc), down);
  int64_t cols = tsr_ceil_div(tsr_ceil_div(s->n, nc), device->cores / down);
  device->chip->step_costs(device, type_of(s->shape), tsr_min(mc, s->m), tsr_min(nc, s->n), s->k, &costs);
  double round = costs.multiply > costs.fill ? costs.multiply : costs.fill;
  double own = (double)(rows * cols) * (costs.rounds * round + costs.out);
  double loads = (double)(rows * tsr_min(mc, s->m) + rows * cols * tsr_min(nc, s->n)) * (double)(s->k * s->size);
  double shared = (double)(s->m + s->n) * (double)(s->k * s->size) / device->streamed;
  own = own > loads / device->loaded ? own : loads / device->loaded;
  return own > shared ? own : shared;
}

/* Listing the pruned space. */

struct list {
  struct tsr_values *plans;
  int n, most;
  double least, limit;
};

static void note_least(void *arg, const struct space *s, struct tsr_values *plan) {
  struct list *list = arg;
  if (grid_has_idle_cores(s, plan)) return;
  double cycles = least_cycles(s, plan);
  if (list->least == 0 || cycles < list->least) list->least = cycles;
}

static void add_plan(void *arg, const struct space *s, struct tsr_values *plan) {
  struct list *list = arg;
  (void)s;
  if (list->n < list->most) list->plans[list->n] = *plan;
  list->n++;
}

static void add_grid(void *arg, const struct space *s, struct tsr_values *plan) {
  static const struct tsr_values nothing;
  struct list *list = arg;
  if (grid_has_idle_cores(s, plan) || least_cycles(s, plan) > list->limit) return;
  each_inner(s, &nothing, plan, add_plan, list);
}

static int candidates(const tsr_context *context, const struct tsr_values *shape, struct tsr_values *plans, int most) {
  static const struct tsr_values nothing;
  struct space s;
  struct list list = {.plans = plans, .most = most};
  if (!set_space(context->device, shape, &s)) return 0;
  each_grid(&s, &nothing, note_least, &list);
  double margin = MARGIN;
  do {
    list.n = 0;
    list.limit = (1 + margin) * list.least;
    each_grid(&s, &nothing, add_grid, &list);
    margin /= 2;
  } while (list.n > MOST_CANDIDATES && margin > 0.01);
  return list.n;
}

/* Completing a plan: the grid first, with chunks by a rule, then chunks, slots and panels on it. */

struct best {
  const struct tsr_values *fixed;
  struct tsr_values plan;
  double seconds, least;
};

static void take_if_better(void *arg, const struct space *s, struct tsr_values *plan) {
  struct best *best = arg;
  double seconds = tsr_gemm_device_predict(s->device, s->shape, plan);
  if (best->seconds > 0 && seconds >= best->seconds) return;
  best->seconds = seconds;
  best->plan = *plan;
}

static void try_grid(void *arg, const struct space *s, struct tsr_values *plan) {
  struct best *best = arg;
  if (!best->fixed->at[TSR_DEVICE_DOWN] && grid_has_idle_cores(s, plan)) return;
  if (best->seconds > 0 && least_cycles(s, plan) / s->device->hertz >= best->seconds) return;
  each_inner(s, best->fixed, plan, take_if_better, best);
}

static void complete(const tsr_context *context, const struct tsr_values *shape, struct tsr_values *plan) {
  struct space s;
  struct tsr_values fixed = *plan;
  struct best best = {.fixed = &fixed, .plan = *plan};
  if (!set_space(context->device, shape, &s)) return;
  each_grid(&s, &fixed, try_grid, &best);
  *plan = best.plan;
}

bool tsr_gemm_device_plan(const tsr_context *context, const struct tsr_gemm_problem *pr, struct tsr_values *plan) {
  struct tsr_values shape;
  tsr_gemm_device_shape(pr, &shape);
  if (pr->plan) return tsr_gemm_device_plan_of_words(context, &shape, pr->plan, plan, NULL);
  tsr_choose(&tsr_gemm_device_operator, context, &shape, plan, NULL);
  return check(context, &shape, plan, NULL);
}

bool tsr_gemm_device_plan_of_words(const tsr_context *context, const struct tsr_values *shape, const char *words,
                                   struct tsr_values *plan, char *why) {
  fenv_t flags;
  if (!tsr_values_parse(plan_fields, TSR_DEVICE_PLAN_FIELDS, words, plan, why)) return false;
  fegetenv(&flags);
  fesetenv(FE_DFL_ENV); /* the caller may trap exceptions */
  complete(context, shape, plan);
  fesetenv(&flags);
  return check(context, shape, plan, why);
}

static double predict(const tsr_context *context, const struct tsr_costs *costs, const struct tsr_values *shape,
                      const struct tsr_values *plan) {
  (void)costs; /* the parameters of a device are its own */
  return tsr_gemm_device_predict(context->device, shape, plan);
}

/* What the model may get wrong alike: how deep panels are fetched ahead, and whether some are kept. */
static int class_of(const struct tsr_values *plan) {
  bool keeps = plan->at[TSR_DEVICE_PANELS] > plan->at[TSR_DEVICE_SLOTS];
  return (int)plan->at[TSR_DEVICE_SLOTS] * 2 + keeps;
}

/* Octaves, summed over the fields. */
static double distance(const void *plans, int i, int j) {
  const struct tsr_values *x = (const struct tsr_values *)plans + i, *y = (const struct tsr_values *)plans + j;
  double sum = 0;
  for (int f = 0; f < TSR_DEVICE_PLAN_FIELDS; f++) sum += fabs(tsr_octaves(x->at[f]) - tsr_octaves(y->at[f]));
  return sum;
}

static void place(const struct tsr_values *shape, double *where) {
  for (int i = 0; i < 3; i++) where[i] = tsr_octaves(shape->at[TSR_DEVICE_M + i]);
  where[3] = (double)shape->at[TSR_DEVICE_TYPE] * 8 + (double)shape->at[TSR_DEVICE_SUMS] * 4;
}

/* The bench: each run on a device of its own, at rest and with empty caches, so that it gives the same time always. */

struct bench {
  const struct tsr_device *like;
  struct tsr_gemm_problem problem;
  int64_t a_bytes, b_bytes, c_bytes;
};

static void *bench_open(tsr_context *context, const struct tsr_values *shape) {
  const int64_t *s = shape->at;
  struct space space;
  struct bench *bench = set_space(context->device, shape, &space) ? calloc(1, sizeof *bench) : NULL;
  if (!bench) return NULL;
  int64_t m = s[TSR_DEVICE_M], n = s[TSR_DEVICE_N], k = s[TSR_DEVICE_K], size = space.size;
  tsr_type to = (tsr_type)s[TSR_DEVICE_TO];
  bool a_along_k = s[TSR_DEVICE_A] == 2, b_along_k = s[TSR_DEVICE_B] == 1, direct = s[TSR_DEVICE_SUMS] == 1;
  bench->like = context->device;
  bench->problem = (struct tsr_gemm_problem){
      .type = type_of(shape), .type_c = to, .m = m, .n = n, .k = k, .alpha = 1, .beta = direct ? 0 : 1,
      .rsa = a_along_k ? k * size : size, .csa = a_along_k ? size : m * size, .rsb = b_along_k ? size : n * size,
      .csb = b_along_k ? k * size : size, .csc = m * tsr_size_of(to)};
  bench->a_bytes = m * k * size;
  bench->b_bytes = k * n * size;
  bench->c_bytes = m * n * tsr_size_of(to);
  return bench;
}

static tsr_status run_on(tsr_context *context, const struct bench *bench, const struct tsr_values *plan,
                         double *seconds) {
  struct tsr_device *device = context->device;
  struct tsr_gemm_problem pr = bench->problem;
  tsr_status status = device->chip->alloc(device, (size_t)bench->a_bytes, &pr.a);
  if (status == TSR_OK) status = device->chip->alloc(device, (size_t)bench->b_bytes, &pr.b);
  if (status == TSR_OK) status = device->chip->alloc(device, (size_t)bench->c_bytes, &pr.c);
  if (status != TSR_OK) return status;
  int64_t from = device->chip->mark(device);
  status = tsr_gemm_on_device_by(context, &pr, plan);
  if (status == TSR_OK) status = device->chip->fence(device);
  int64_t to = device->chip->mark(device);
  if (status == TSR_OK) status = device->chip->drain(device);
  if (status == TSR_OK) *seconds = device->chip->reached(device, to) - device->chip->reached(device, from);
  return status;
}

static double bench_run(void *opened, const struct tsr_values *plan) {
  const struct bench *bench = opened;
  tsr_context context = {.isa = "", .device = NULL};
  double seconds = 0;
  if (bench->like->chip->twin(bench->like, &context.device) != TSR_OK) return 0;
  tsr_status status = run_on(&context, bench, plan, &seconds);
  context.device->chip->close(context.device);
  return status == TSR_OK ? seconds : 0;
}

static void bench_close(void *bench) { free(bench); }

const struct tsr_operator tsr_gemm_device_operator = {
    .name = "gemm", .shape = shape_fields, .plan = plan_fields, .nshape = TSR_DEVICE_SHAPE_FIELDS,
    .nplan = TSR_DEVICE_PLAN_FIELDS, .rule = RULE, .check = check, .complete = complete, .candidates = candidates,
    .predict = predict, .class_of = class_of, .place = place, .distance = distance,
    .bench_open = bench_open, .bench_run = bench_run, .bench_close = bench_close};
