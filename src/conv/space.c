/* The parameter space of convolution on a CPU: its fields, its hard constraints, its pruned candidates. */
#include "src/conv/space.h"

#include <stdio.h>
#include <string.h>

#include "src/conv/near.h"
#include "src/conv/planes.h"
#include "src/core/threads.h"
#include "src/gemm/gemm.h"

static const char *const types[] = {"f32", "f64", "f16", "bf16", "u8", "s8", "s32", NULL};
static const tsr_type type_of_word[] = {0, TSR_F32, TSR_F64, TSR_F16, TSR_BF16, TSR_U8, TSR_S8, TSR_S32};
enum { TYPES = sizeof type_of_word / sizeof type_of_word[0] - 1 };
static const char *const layouts[] = {"last", "first", NULL};
static const char *const no_yes[] = {"no", "yes", NULL};
static const char *const lanes[] = {"filters", "groups", "neighbours", "planes", NULL};
static const char *const orders[] = {"pixels", "panels", NULL};

static const struct tsr_field shape_fields[TSR_CONV_SHAPE_FIELDS] = {
    {"type", types},    {"to", types},       {"x", layouts},       {"y", layouts},         {"batch", NULL},
    {"channels", NULL}, {"filters", NULL},   {"groups", NULL},     {"in", tsr_sizes},      {"out", tsr_sizes},
    {"kernel", tsr_sizes}, {"stride", tsr_sizes}, {"dilation", tsr_sizes}, {"pad", tsr_sizes}, {"transposed", no_yes},
    {"threads", NULL}};

static const struct tsr_field plan_fields[TSR_CONV_PLAN_FIELDS] = {
    {"lanes", lanes}, {"order", orders}, {"threads", NULL}, {"units", NULL}, {"columns", NULL},
    {"rows", NULL},   {"cols", NULL},    {"panels", NULL},  {"band", no_yes}};

/* Multiplications below which a call is over before it could be looked up without being felt. */
#define TOO_SMALL (1 << 18)
/* Scratch of one thread, unless the rule's plan takes more. */
#define MOST_WORKER_BYTES ((size_t)64 << 20)

/* --- shapes -------------------------------------------------------------------------------------------------------- */

static int word_of_type(tsr_type type) {
  int word = TYPES;
  while (word > 1 && type_of_word[word] != type) word--;
  return word;
}

void tsr_conv_shape_of(const tsr_conv_desc *d, int threads, struct tsr_values *shape) {
  int64_t *at = shape->at;
  at[TSR_CONV_TYPE] = word_of_type(d->type_x);
  at[TSR_CONV_TO] = word_of_type(tsr_conv_type_of_y(d));
  at[TSR_CONV_X] = 1 + d->layout_x;
  at[TSR_CONV_Y] = 1 + d->layout_y;
  at[TSR_CONV_BATCH] = d->batch;
  at[TSR_CONV_CHANNELS] = d->channels;
  at[TSR_CONV_FILTER_COUNT] = d->filters;
  at[TSR_CONV_GROUP_COUNT] = d->groups;
  at[TSR_CONV_IN] = tsr_sizes_pack(d->in, d->dims);
  at[TSR_CONV_OUT] = tsr_sizes_pack(d->out, d->dims);
  at[TSR_CONV_KERNEL] = tsr_sizes_pack(d->kernel, d->dims);
  at[TSR_CONV_STRIDE] = tsr_sizes_pack(d->stride, d->dims);
  at[TSR_CONV_DILATION] = tsr_sizes_pack(d->dilation, d->dims);
  at[TSR_CONV_PAD] = tsr_sizes_pack(d->pad_begin, d->dims);
  at[TSR_CONV_TRANSPOSED] = 1 + d->transposed;
  at[TSR_CONV_THREADS] = threads;
}

/* Padding at the end never shows but in `out`: the least that gives it. */
static int64_t pad_end_of(const tsr_conv_desc *d, int i) {
  int64_t reach = d->dilation[i] * (d->kernel[i] - 1);
  int64_t lacks = d->transposed ? (d->in[i] - 1) * d->stride[i] + reach + 1 - d->pad_begin[i] - d->out[i]
                                : (d->out[i] - 1) * d->stride[i] + reach + 1 - d->in[i] - d->pad_begin[i];
  return tsr_max(0, lacks);
}

void tsr_conv_desc_of(const struct tsr_values *shape, tsr_conv_desc *d) {
  const int64_t *at = shape->at;
  *d = (tsr_conv_desc)TSR_CONV_DESC;
  d->type_x = type_of_word[at[TSR_CONV_TYPE]];
  d->type_y = type_of_word[at[TSR_CONV_TO]];
  d->type_w = d->type_x == TSR_U8 ? TSR_S8 : d->type_x;
  d->layout_x = (tsr_layout)(at[TSR_CONV_X] - 1);
  d->layout_y = (tsr_layout)(at[TSR_CONV_Y] - 1);
  d->batch = at[TSR_CONV_BATCH];
  d->channels = at[TSR_CONV_CHANNELS];
  d->filters = at[TSR_CONV_FILTER_COUNT];
  d->groups = at[TSR_CONV_GROUP_COUNT];
  d->dims = tsr_sizes_unpack(at[TSR_CONV_IN], d->in);
  tsr_sizes_unpack(at[TSR_CONV_OUT], d->out);
  tsr_sizes_unpack(at[TSR_CONV_KERNEL], d->kernel);
  tsr_sizes_unpack(at[TSR_CONV_STRIDE], d->stride);
  tsr_sizes_unpack(at[TSR_CONV_DILATION], d->dilation);
  tsr_sizes_unpack(at[TSR_CONV_PAD], d->pad_begin);
  d->transposed = at[TSR_CONV_TRANSPOSED] == 2;
  for (int i = 0; i < d->dims; i++) d->pad_end[i] = pad_end_of(d, i);
}

static void problem_of(const struct tsr_values *shape, tsr_conv_desc *d, struct tsr_conv_problem *p) {
  tsr_conv_desc_of(shape, d);
  tsr_conv_normalise(d, NULL, NULL, NULL, NULL, NULL, p);
}

static bool sizes_fit(const tsr_conv_desc *d) {
  const int64_t *const sizes[] = {d->in, d->out, d->kernel, d->stride, d->dilation, d->pad_begin};
  for (int k = 0; k < 6; k++)
    for (int i = 0; i < d->dims; i++)
      if (sizes[k][i] > TSR_MOST_SIZE) return false;
  return true;
}

bool tsr_conv_is_looked_up(const struct tsr_conv_problem *p) {
  return tsr_conv_work(p) > TOO_SMALL && !tsr_conv_is_integer(p->d) && sizes_fit(p->d);
}

/* In doubles, which no sizes overflow. */
void tsr_conv_amount_of(const tsr_conv_desc *d, struct tsr_conv_amount *amount) {
  double in = 1, out = 1, taps = (double)(d->channels / d->groups);
  for (int i = 0; i < d->dims; i++) {
    in *= (double)d->in[i];
    out *= (double)d->out[i];
    taps *= (double)d->kernel[i];
  }
  amount->bytes_x = (double)d->batch * (double)d->channels * in * (double)tsr_size_of(d->type_x);
  amount->bytes_w = (double)d->filters * taps * (double)tsr_size_of(d->type_w);
  amount->bytes_y = (double)d->batch * (double)d->filters * out * (double)tsr_size_of(tsr_conv_type_of_y(d));
  amount->flops = 2 * (double)d->batch * (double)d->filters * taps * (d->transposed ? in : out);
}

/* --- plans --------------------------------------------------------------------------------------------------------- */

void tsr_conv_values_of(const struct tsr_conv_way *way, struct tsr_values *values) {
  int64_t *at = values->at;
  at[TSR_CONV_LANES] = way->lanes;
  at[TSR_CONV_ORDER] = way->order;
  at[TSR_CONV_PLAN_THREADS] = way->threads;
  at[TSR_CONV_UNITS] = way->units;
  at[TSR_CONV_COLUMNS] = way->columns;
  at[TSR_CONV_ROWS] = way->rows;
  at[TSR_CONV_COLS] = way->cols;
  at[TSR_CONV_PANEL_COUNT] = way->panels;
  at[TSR_CONV_BAND] = 1 + way->band;
}

void tsr_conv_way_of(const tsr_context *context, const struct tsr_conv_problem *p, int threads,
                     const struct tsr_values *values, struct tsr_conv_way *way) {
  const int64_t *at = values->at;
  *way = (struct tsr_conv_way){.lanes = (enum tsr_conv_lanes)at[TSR_CONV_LANES],
                               .order = (enum tsr_conv_order)at[TSR_CONV_ORDER],
                               .threads = (int)at[TSR_CONV_PLAN_THREADS], .units = (int)at[TSR_CONV_UNITS],
                               .columns = (int)at[TSR_CONV_COLUMNS], .rows = at[TSR_CONV_ROWS],
                               .cols = at[TSR_CONV_COLS], .panels = at[TSR_CONV_PANEL_COUNT],
                               .band = at[TSR_CONV_BAND] == 2, .in_place = at[TSR_CONV_BAND] == 1};
  tsr_conv_complete(context, p, threads, way);
}

/* --- what is legal ------------------------------------------------------------------------------------------------- */

#define NEED(condition, ...)                           \
  if (!(condition)) {                                  \
    if (why) snprintf(why, TSR_WHY_TEXT, __VA_ARGS__); \
    return false;                                      \
  }

static bool words_in_range(const struct tsr_values *shape, char *why) {
  static const int64_t most = (int64_t)1 << 31;
  static const int64_t limits[TSR_CONV_SHAPE_FIELDS] = {
      TYPES, TYPES, 2, 2, most, most, most, most, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, 2,
      TSR_MAX_THREADS};
  int dims = 0;
  for (int i = 0; i < TSR_CONV_SHAPE_FIELDS; i++) {
    const struct tsr_field *field = &shape_fields[i];
    int64_t value = shape->at[i], sizes[TSR_MOST_SIZES];
    bool several = field->words == tsr_sizes;
    NEED(several || (value >= 1 && value <= limits[i]), "%s is %lld: it is from 1 to %lld", field->name,
         (long long)value, (long long)limits[i]);
    if (!several) continue;
    int n = tsr_sizes_unpack(value, sizes);
    NEED(n >= 1 && tsr_sizes_pack(sizes, n) == value, "%s is not made of one to three sizes", field->name);
    if (i == TSR_CONV_IN) dims = n;
    NEED(n == dims, "%s has %d size%s, but in has %d", field->name, n, n > 1 ? "s" : "", dims);
  }
  return true;
}

bool tsr_conv_shape_in_range(const tsr_context *context, const struct tsr_values *shape, char *why) {
  tsr_conv_desc d;
  if (!words_in_range(shape, why)) return false;
  tsr_conv_desc_of(shape, &d);
  NEED(tsr_conv_check(context, &d) == TSR_OK, "%.*s", TSR_WHY_TEXT - 1, tsr_last_error());
  return true;
}

/* Integers are planned by themselves. */
static bool may_be_tuned(const tsr_context *context, const struct tsr_values *shape, char *why) {
  if (!tsr_conv_shape_in_range(context, shape, why)) return false;
  NEED(shape->at[TSR_CONV_TYPE] <= 4, "type is %s: convolutions of integers are not tuned",
       types[shape->at[TSR_CONV_TYPE] - 1]);
  return true;
}

bool tsr_conv_values_in_range(const struct tsr_values *values, char *why) {
  static const int64_t most = (int64_t)1 << 40;
  static const int64_t limits[TSR_CONV_PLAN_FIELDS] = {4,    2,    TSR_MAX_THREADS, TSR_MAX_UNITS, TSR_MAX_COLUMNS,
                                                       most, most, most,            2};
  for (int i = 0; i < TSR_CONV_PLAN_FIELDS; i++)
    NEED(values->at[i] >= 0 && values->at[i] <= limits[i], "%s is %lld: it can be at most %lld", plan_fields[i].name,
         (long long)values->at[i], (long long)limits[i]);
  return true;
}

/* Heights that there are, as text: "1, 2, 3, 4 or 6". */
static void list_units(const struct tsr_tiles *tiles, int64_t vectors, char *text, size_t size) {
  size_t used = 0;
  text[0] = 0;
  for (int u = 1; u <= TSR_MAX_UNITS && used < size; u++)
    if (tiles->max_columns[u] && (u == 1 || u <= vectors))
      used += (size_t)snprintf(text + used, size - used, "%s%d", used ? ", " : "", u);
}

static bool tile_is_legal(const tsr_context *context, const struct tsr_conv_problem *p, const struct tsr_values *values,
                          const struct tsr_conv_way *way, char *why) {
  const struct tsr_kernels *kernels = &context->kernels[p->type];
  bool groups = way->lanes == TSR_CONV_GROUPS;
  const struct tsr_tiles *tiles = groups ? &kernels->conv_lanes : &kernels->conv;
  int64_t units = values->at[TSR_CONV_UNITS], columns = values->at[TSR_CONV_COLUMNS];
  char list[80];
  list_units(tiles, tsr_ceil_div(groups ? p->groups : p->kg, tiles->mu), list, sizeof list);
  NEED(!units || units == way->units, "units is %lld: tiles for so many %s here are %s high", (long long)units,
       groups ? "groups" : "filters", list);
  NEED(!columns || columns == way->columns, "columns is %lld: tiles %d high are at most %d wide", (long long)columns,
       way->units, tiles->max_columns[way->units]);
  return true;
}

static bool pieces_are_legal(const tsr_context *context, const struct tsr_conv_problem *p,
                             const struct tsr_values *values, const struct tsr_conv_way *way, char *why) {
  const int64_t *at = values->at;
  struct tsr_conv_job job;
  tsr_conv_job_of(context, p, way, &job);
  NEED(!at[TSR_CONV_ROWS] || at[TSR_CONV_ROWS] == way->rows, "rows is %lld: y has %lld", (long long)at[TSR_CONV_ROWS],
       (long long)p->dim[1].out);
  NEED(!at[TSR_CONV_COLS] || at[TSR_CONV_COLS] == way->cols, "cols is %lld: a row of y has %lld",
       (long long)at[TSR_CONV_COLS], (long long)p->dim[2].out);
  NEED(!at[TSR_CONV_PANEL_COUNT] || at[TSR_CONV_PANEL_COUNT] == way->panels, "panels is %lld: there are %lld",
       (long long)at[TSR_CONV_PANEL_COUNT], (long long)job.panels);
  NEED(at[TSR_CONV_BAND] != 1 || !way->band,
       "band cannot be no: kernels cannot read an x of this type, layout or number of channels");
  return true;
}

/* Lanes over neighbours and planes: tile, pieces and band follow from one another. */
static bool pixels_are_legal(const struct tsr_values *values, const struct tsr_conv_way *way, char *why) {
  struct tsr_values taken = {{0}};
  char is[TSR_VALUES_TEXT], takes[TSR_VALUES_TEXT];
  tsr_conv_values_of(way, &taken);
  for (int i = 0; i < TSR_CONV_PLAN_FIELDS; i++) {
    struct tsr_values one = {{0}}, other = {{0}};
    if (!values->at[i] || values->at[i] == taken.at[i]) continue;
    one.at[i] = values->at[i];
    other.at[i] = taken.at[i];
    tsr_values_print(plan_fields, TSR_CONV_PLAN_FIELDS, &one, is);
    tsr_values_print(plan_fields, TSR_CONV_PLAN_FIELDS, &other, takes);
    NEED(false, "%.60s cannot be followed: lanes over %s take %.40s here", is, lanes[way->lanes - 1], takes);
  }
  return true;
}

static size_t worker_bytes(const tsr_context *context, const struct tsr_conv_problem *p,
                           const struct tsr_conv_way *way) {
  struct tsr_conv_job job;
  tsr_conv_job_of(context, p, way, &job);
  return tsr_conv_workspace_bytes(&job) / (size_t)way->threads;
}

bool tsr_conv_plan_is_legal(const tsr_context *context, const struct tsr_conv_problem *p, int threads,
                            const struct tsr_values *values, const struct tsr_conv_way *way, char *why) {
  int64_t wanted = values->at[TSR_CONV_LANES];
  struct tsr_conv_way rule = {0};
  NEED(way->threads >= 1 && way->threads <= threads, "threads is %d: it must be 1 to %d", way->threads, threads);
  NEED(!wanted || wanted == (int64_t)way->lanes, "lanes cannot be %s: %s", lanes[wanted - 1],
       wanted == TSR_CONV_NEIGHBOURS ? "that is for few filters, kernels of several taps and rows that are long enough"
       : wanted == TSR_CONV_PLANES   ? "that is for f32 with channels first, one tap and a stride of 1"
       : p->groups > 1               ? "this CPU has no kernels for that"
                                     : "there is one group");
  bool good = way->lanes > TSR_CONV_GROUPS ? pixels_are_legal(values, way, why)
                                           : tile_is_legal(context, p, values, way, why) &&
                                                 pieces_are_legal(context, p, values, way, why);
  if (!good) return false;
  size_t bytes = worker_bytes(context, p, way);
  if (bytes <= MOST_WORKER_BYTES) return true;
  tsr_conv_complete(context, p, threads, &rule);
  NEED(bytes <= worker_bytes(context, p, &rule),
       "rows is %lld, cols %lld: scratch of a thread would take %zu MiB of %zu", (long long)way->rows,
       (long long)way->cols, bytes >> 20, MOST_WORKER_BYTES >> 20);
  return true;
}

static int threads_of(const struct tsr_values *shape) {
  return (int)tsr_min(shape->at[TSR_CONV_THREADS], TSR_MAX_THREADS);
}

/* A field that is not decided is not legal, though the rule could decide it. */
static bool check(const tsr_context *context, const struct tsr_values *shape, const struct tsr_values *values,
                  char *why) {
  struct tsr_conv_problem p;
  struct tsr_conv_way way;
  tsr_conv_desc d;
  if (!may_be_tuned(context, shape, why) || !tsr_conv_values_in_range(values, why)) return false;
  for (int i = 0; i < TSR_CONV_PLAN_FIELDS; i++) NEED(values->at[i] != 0, "%s is undecided", plan_fields[i].name);
  problem_of(shape, &d, &p);
  tsr_conv_way_of(context, &p, threads_of(shape), values, &way);
  return tsr_conv_plan_is_legal(context, &p, threads_of(shape), values, &way, why);
}

/* Fields that cannot be followed stay as they are, for `check` to name. */
static void complete(const tsr_context *context, const struct tsr_values *shape, struct tsr_values *values) {
  struct tsr_conv_problem p;
  struct tsr_conv_way way;
  struct tsr_values whole = {{0}};
  tsr_conv_desc d;
  problem_of(shape, &d, &p);
  tsr_conv_way_of(context, &p, threads_of(shape), values, &way);
  tsr_conv_values_of(&way, &whole);
  for (int i = 0; i < TSR_CONV_PLAN_FIELDS; i++)
    if (!values->at[i]) values->at[i] = whole.at[i];
}

/* --- the pruned space ---------------------------------------------------------------------------------------------- */

struct list {
  const tsr_context *context;
  const struct tsr_conv_problem *p;
  struct tsr_values *plans;
  int n, most, threads;
};

/* Completes, checks and notes a way unless it is there already. */
static void note(struct list *list, struct tsr_conv_way way) {
  struct tsr_values values = {{0}};
  if (list->n == list->most) return;
  tsr_conv_complete(list->context, list->p, list->threads, &way);
  tsr_conv_values_of(&way, &values);
  if (!tsr_conv_plan_is_legal(list->context, list->p, list->threads, &values, &way, NULL)) return;
  for (int i = 0; i < list->n; i++)
    if (memcmp(&list->plans[i], &values, sizeof values) == 0) return;
  list->plans[list->n++] = values;
}

/* Pieces around those of the rule: fewer or more rows, pixels of a row, panels; and x copied or not. */
static void note_pieces(struct list *list, struct tsr_conv_way way) {
  struct tsr_conv_way rule = way;
  tsr_conv_complete(list->context, list->p, list->threads, &rule);
  int64_t height = list->p->dim[1].out, width = list->p->dim[2].out;
  int64_t rows[] = {0, 2 * rule.rows, rule.rows / 2, height, 4 * rule.rows, rule.rows / 4};
  int64_t cols[] = {0, rule.cols / 2, 2 * rule.cols, width, rule.cols / 4};
  int64_t panels[] = {0, rule.panels / 2, 2 * rule.panels, 1};
  way.units = rule.units;
  way.columns = rule.columns;
  for (int band = 0; band < 2; band++, way.band = !rule.band, way.in_place = rule.band) {
    for (int i = 0; i < 6; i++) {
      way.rows = tsr_min(rows[i], height);
      way.cols = way.panels = 0;
      for (int k = 0; k < 4; k++) {
        way.panels = panels[k];
        note(list, way);
      }
    }
    way.rows = 0;
    for (int i = 0; i < 5; i++) {
      way.cols = tsr_min(cols[i], width);
      way.panels = 0;
      note(list, way);
    }
    way.cols = 0;
  }
}

/* Every height of tiles, as wide as the rule has it and as there are, and narrower. */
static void note_tiles(struct list *list, struct tsr_conv_way way) {
  const struct tsr_kernels *kernels = &list->context->kernels[list->p->type];
  const struct tsr_tiles *tiles = way.lanes == TSR_CONV_GROUPS ? &kernels->conv_lanes : &kernels->conv;
  int64_t vectors = way.lanes == TSR_CONV_GROUPS ? list->p->groups : list->p->kg;
  vectors = tsr_ceil_div(vectors, tiles->mu);
  for (int u = TSR_MAX_UNITS; u >= 1; u--) {
    int most = tiles->max_columns[u];
    if (!most || (u > 1 && u > vectors)) continue;
    int columns[] = {0, most, most - most / 4, most / 2};
    way.units = u;
    for (int i = 0; i < 4; i++) {
      way.columns = columns[i];
      note(list, way);
    }
  }
}

/* Lanes over neighbours or planes: every height of tiles, and more or fewer rows. */
static void note_pixels(struct list *list, enum tsr_conv_lanes over, int threads) {
  struct tsr_conv_way rule = {.lanes = over, .threads = threads}, way = rule;
  tsr_conv_complete(list->context, list->p, list->threads, &rule);
  const int64_t rows[] = {0, rule.rows / 2, 2 * rule.rows, list->p->dim[1].out};
  for (int u = TSR_MAX_UNITS; u >= 0; u--)
    for (int i = 0; i < 4; i++) {
      way.units = u;
      way.rows = rows[i];
      note(list, way);
    }
}

/* The coarse decisions come first: a short list has one of each kind. */
static int candidates(const tsr_context *context, const struct tsr_values *shape, struct tsr_values *plans, int most) {
  struct tsr_conv_problem p;
  tsr_conv_desc d;
  struct list list = {context, &p, plans, 0, most, threads_of(shape)};
  if (!may_be_tuned(context, shape, NULL)) return 0;
  problem_of(shape, &d, &p);
  note(&list, (struct tsr_conv_way){0});
  bool groups = p.groups > 1 && context->kernels[p.type].conv_lanes.mu;
  enum { KINDS = 4 };
  struct tsr_conv_way kinds[KINDS] = {{.lanes = TSR_CONV_FILTERS, .order = TSR_CONV_PIXELS},
                                      {.lanes = TSR_CONV_FILTERS, .order = TSR_CONV_PANELS},
                                      {.lanes = TSR_CONV_GROUPS, .order = TSR_CONV_PIXELS},
                                      {.lanes = TSR_CONV_GROUPS, .order = TSR_CONV_PANELS}};
  for (int threads = list.threads; threads >= 1; threads /= 2) {
    for (int i = 0; i < KINDS; i++) kinds[i].threads = threads;
    for (int i = 0; i < (groups ? KINDS : 2); i++) note(&list, kinds[i]);
    if (tsr_conv_near_serves(&context->kernels[p.type], &p)) note_pixels(&list, TSR_CONV_NEIGHBOURS, threads);
    if (tsr_conv_planes_serves(&context->kernels[p.type], &p)) note_pixels(&list, TSR_CONV_PLANES, threads);
    for (int i = 0; i < (groups ? KINDS : 2); i++) {
      note_tiles(&list, kinds[i]);
      note_pieces(&list, kinds[i]);
    }
  }
  return list.n;
}

/* What the model may get wrong alike: lanes, order, band, the tile's height, whether threads share the work. */
static int class_of(const struct tsr_values *plan) {
  const int64_t *at = plan->at;
  int how = (int)(at[TSR_CONV_LANES] * 8 + at[TSR_CONV_ORDER] * 4 + at[TSR_CONV_BAND] * 2 +
                  (at[TSR_CONV_PLAN_THREADS] > 1));
  return how * 64 + (int)tsr_min(at[TSR_CONV_UNITS], 63);
}

/* Types and layouts are far apart from one another. */
static void place(const struct tsr_values *shape, double *where) {
  const int64_t *at = shape->at;
  tsr_conv_desc d;
  int64_t pixels = 1, taps;
  tsr_conv_desc_of(shape, &d);
  taps = d.channels / d.groups;
  for (int i = 0; i < d.dims; i++) {
    pixels = tsr_saturating(pixels, d.out[i]);
    taps = tsr_saturating(taps, d.kernel[i]);
  }
  where[0] = tsr_octaves(tsr_saturating(pixels, d.batch));
  where[1] = tsr_octaves(taps) + tsr_octaves(d.stride[d.dims - 1]);
  where[2] = tsr_octaves(d.filters / d.groups) + tsr_octaves(d.groups);
  where[3] = 64 * (double)(8 * at[TSR_CONV_TYPE] + at[TSR_CONV_TO]) + 32 * (double)at[TSR_CONV_X] +
             16 * (double)at[TSR_CONV_Y] + 128 * (double)at[TSR_CONV_TRANSPOSED] + 16 * (d.groups > 1);
}

static double predict(const tsr_context *context, const struct tsr_costs *costs, const struct tsr_values *shape,
                      const struct tsr_values *values) {
  struct tsr_conv_problem p;
  struct tsr_conv_way way;
  tsr_conv_desc d;
  problem_of(shape, &d, &p);
  tsr_conv_way_of(context, &p, threads_of(shape), values, &way);
  return tsr_conv_predict(context, costs, &p, &way);
}

/* No weighing: a call takes the rule's plan unless there is a row, since the model does not know more than the rule. */
const struct tsr_operator tsr_conv_operator = {
    .name = "conv", .shape = shape_fields, .plan = plan_fields, .nshape = TSR_CONV_SHAPE_FIELDS,
    .nplan = TSR_CONV_PLAN_FIELDS, .rule = 1, .weighing = 0,
    .check = check, .complete = complete, .candidates = candidates, .predict = predict, .class_of = class_of,
    .place = place,
    .bench_open = tsr_conv_bench_open, .bench_run = tsr_conv_bench_run, .bench_close = tsr_conv_bench_close};
