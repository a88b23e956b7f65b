/* Packing weights of integers: panels [step of four taps][filter][4], or [tap][filter] in lanes. What a row of the
 * kernel reads side by side, pixels and channels, is one run of bytes; its last step is filled up with weights of 0. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "src/conv/int8_plan.h"
#include "src/core/memory.h"
#include "src/core/threads.h"

#define UNIT 4
#define NO_MEMORY tsr_fail(TSR_OUT_OF_MEMORY, "no memory for packed weights")

/* Runs of one row of the kernel: how many, and the taps of each. */
struct runs {
  int64_t count, taps, steps;
};

static struct runs runs_of(const struct tsr_conv_int8 *plan, const struct tsr_int8_phase *phase) {
  const struct tsr_int8_axis *width = phase->axis[2];
  if (width->taps == 0 || plan->cg == 0) return (struct runs){0, 0, 0};
  if (plan->lanes) return (struct runs){1, width->taps, width->taps};
  if (plan->groups == 1 && width->apart == 1)
    return (struct runs){1, width->taps, tsr_ceil_div(width->taps * plan->cg, UNIT)};
  return (struct runs){width->taps, 1, tsr_ceil_div(plan->cg, UNIT)};
}

/* Steps of panels of `mr` rows. They serve tiles of any width. */
static void list_taps(const struct tsr_conv_int8 *plan, const struct tsr_int8_phase *phase, int64_t mr,
                      struct tsr_taps *taps) {
  struct runs runs = runs_of(plan, phase);
  int64_t step = mr * (plan->lanes ? 1 : UNIT), at = 0;
  const struct tsr_int8_axis *const *axis = phase->axis;
  for (int64_t t = 0; t < axis[0]->taps; t++)
    for (int64_t r = 0; r < axis[1]->taps; r++)
      for (int64_t run = 0; run < runs.count; run++, at += runs.steps * step) {
        int64_t b = (axis[0]->offset[t] - axis[0]->low) * phase->view[0] +
                    (axis[1]->offset[r] - axis[1]->low) * phase->view[1] +
                    (axis[2]->offset[run] - axis[2]->low) * phase->view[2];
        *taps++ = (struct tsr_taps){at, b, (int32_t)runs.steps, 0, TSR_MAX_COLUMNS};
      }
}

/* One row of the kernel of one filter, to the filter's place in a panel of `mr` rows. Returns the sum of
 * its weights. */
static uint32_t pack_row(const struct tsr_conv_int8 *plan, const struct tsr_int8_phase *phase, const int8_t *w,
                         const struct tsr_conv_weights *strides, int64_t mr, int8_t *to) {
  struct runs runs = runs_of(plan, phase);
  const int64_t *tap = phase->axis[2]->tap;
  uint32_t sum = 0;
  for (int64_t run = 0; run < runs.count; run++) {
    int64_t at = 0;
    for (int64_t i = 0; i < runs.taps; i++)
      for (int64_t c = 0; c < plan->cg; c++, at++) {
        int8_t weight = w[tap[run + i] * strides->kernel + c * strides->channel];
        to[plan->lanes ? at * mr : at / UNIT * UNIT * mr + at % UNIT] = weight;
        sum += (uint32_t)weight;
      }
    to += runs.steps * mr * (plan->lanes ? 1 : UNIT);
  }
  return sum;
}

/* One filter; the sums of its weights for each row of the kernel are added to `sums`. */
static void pack_filter(const struct tsr_conv_int8 *plan, const struct tsr_int8_phase *phase, const int8_t *w,
                        const struct tsr_conv_weights *strides, int64_t mr, int8_t *to, uint32_t *sums) {
  const struct tsr_conv_problem *p = &plan->p;
  struct runs runs = runs_of(plan, phase);
  for (int64_t t = 0; t < phase->axis[0]->taps; t++)
    for (int64_t r = 0; r < phase->axis[1]->taps; r++) {
      int64_t row = (phase->axis[0]->tap[t] * p->dim[1].kernel + phase->axis[1]->tap[r]) * p->dim[2].kernel;
      sums[r] += pack_row(plan, phase, w + row * strides->kernel, strides, mr, to);
      to += runs.count * runs.steps * mr * (plan->lanes ? 1 : UNIT);
    }
}

/* Where filter k of a group lies in the group's panels, and how many rows its panel has. */
static int64_t place_of(const struct tsr_conv_int8 *plan, const struct tsr_int8_phase *phase, int64_t k, int64_t *mr) {
  int64_t rows = (int64_t)plan->units * plan->tiles->mu, element = plan->lanes ? 1 : UNIT, panel = k / rows;
  *mr = panel < plan->whole ? rows : (int64_t)plan->last_units * plan->tiles->mu;
  return panel * rows * phase->units * element + k % rows * element;
}

/* What zero points add for rows of a class. */
static int32_t bias_of(const struct tsr_conv_int8 *plan, const struct tsr_int8_phase *phase, int64_t filter,
                       const struct tsr_int8_class *class, const uint32_t *sums) {
  int64_t taps = phase->axis[0]->taps * (class->end - class->first) * phase->axis[2]->taps * plan->cg;
  uint32_t bias = 0, zero = (uint32_t)plan->zero;
  if (plan->p.bias) memcpy(&bias, (const char *)plan->p.bias + filter * 4, 4);
  for (int64_t r = class->first; r < class->end; r++) bias -= zero * sums[r];
  return (int32_t)(plan->zero_w ? bias + (uint32_t)plan->zero_w[filter] * (uint32_t)taps * zero : bias);
}

/* Lanes: filter after filter. */
static void pack_lanes(const struct tsr_conv_int8 *plan, struct tsr_int8_phase *phase, uint32_t *sums) {
  const struct tsr_conv_problem *p = &plan->p;
  const struct tsr_conv_weights strides = p->w_strides;
  int64_t filters = p->groups * p->kg, mr;
  for (int64_t f = 0; f < filters; f++) {
    const int8_t *w = (const int8_t *)p->w + f / p->kg * strides.group + f % p->kg * strides.filter;
    int64_t at = place_of(plan, phase, f % plan->kg, &mr);
    memset(sums, 0, (size_t)phase->axis[1]->taps * sizeof *sums);
    pack_filter(plan, phase, w, &strides, mr, phase->a + at, sums);
    for (int64_t i = 0; i < phase->classes; i++)
      phase->bias[i * filters + f] = bias_of(plan, phase, f, &phase->class[i], sums);
  }
}

/* Panels of groups, shared among threads. */
struct packing {
  const struct tsr_conv_int8 *plan;
  const struct tsr_int8_phase *phase;
  int64_t panels, at_once, tasks; /* of a group; of a task; of a group */
  size_t scratch;                 /* bytes of each thread */
  char *memory;
  _Atomic int64_t claimed;
};

/* What a thread packs with: a panel's filters one after the other, as x a run of ones, its list of taps, and sums of
 * each row of the kernel, of each filter, and those of one. */
struct packer {
  const struct packing *packing;
  int8_t *filters, *x;
  struct tsr_taps *taps;
  int32_t *sums;
  uint32_t *of_filter;
};

static size_t whole_lines(int64_t bytes) { return (size_t)tsr_round_up(bytes, 64); }

static int64_t row_taps(const struct tsr_int8_phase *phase) { return phase->axis[0]->taps * phase->per_row; }

/* Cuts memory up; returns how many bytes that takes. */
static size_t set_packer(const struct packing *packing, tsr_mem memory, struct packer *to) {
  const struct tsr_int8_phase *phase = packing->phase;
  int64_t mr = (int64_t)packing->plan->units * packing->plan->tiles->mu, steps = runs_of(packing->plan, phase).steps;
  tsr_mem x = memory + whole_lines(mr * tsr_max(phase->units * UNIT, packing->at_once));
  tsr_mem taps = x + whole_lines(steps * UNIT), sums = taps + whole_lines(row_taps(phase) * (int64_t)sizeof *to->taps);
  tsr_mem of_filter = sums + whole_lines(phase->axis[1]->taps * mr * 4);
  *to = (struct packer){packing, (int8_t *)memory, (int8_t *)x, (struct tsr_taps *)taps, (int32_t *)sums,
                        (uint32_t *)of_filter};
  return of_filter + whole_lines(phase->axis[1]->taps * 4) - memory;
}

/* Neighbours in memory are the filters: bytes of four taps and channels are interleaved. */
static bool is_across(const struct tsr_conv_int8 *plan) {
  return plan->p.w_strides.filter == 1 && plan->p.w_strides.channel != 1;
}

static void interleave(const int8_t *const *from, int64_t rows, int8_t *restrict to) {
  const int8_t *a = from[0], *b = from[1], *c = from[2], *d = from[3];
  for (int64_t i = 0; i < rows; i++) {
    to[UNIT * i] = a[i];
    to[UNIT * i + 1] = b[i];
    to[UNIT * i + 2] = c[i];
    to[UNIT * i + 3] = d[i];
  }
}

struct panel {
  int64_t first, rows, mr;
  int8_t *to;
};

static struct panel panel_of(const struct packing *packing, int64_t group, int64_t index) {
  const struct tsr_conv_int8 *plan = packing->plan;
  int64_t whole = (int64_t)plan->units * plan->tiles->mu, mr;
  struct panel panel = {.first = index * whole};
  int64_t at = place_of(plan, packing->phase, panel.first, &mr);
  panel.rows = tsr_min(mr, plan->kg - panel.first);
  panel.mr = mr;
  panel.to = packing->phase->a + group * packing->phase->group_bytes + at;
  return panel;
}

/* Weights of the kernel's row (t, r), from the first filter of a group on. */
static const int8_t *row_of_w(const struct tsr_conv_int8 *plan, const struct tsr_int8_phase *phase, int64_t group,
                              int64_t t, int64_t r) {
  const struct tsr_conv_problem *p = &plan->p;
  int64_t row = (phase->axis[0]->tap[t] * p->dim[1].kernel + phase->axis[1]->tap[r]) * p->dim[2].kernel;
  return (const int8_t *)p->w + group * p->w_strides.group + row * p->w_strides.kernel;
}

/* Where the four bytes of unit `unit` of a row of the kernel lie for the first filter; after the run's end, zeros. */
static void find_unit(const struct packer *packer, const int8_t *w, int64_t unit, const int8_t **from) {
  const struct tsr_conv_int8 *plan = packer->packing->plan;
  const struct tsr_int8_phase *phase = packer->packing->phase;
  const struct tsr_conv_weights *strides = &plan->p.w_strides;
  struct runs runs = runs_of(plan, phase);
  for (int64_t e = 0; e < UNIT; e++) {
    int64_t at = unit % runs.steps * UNIT + e, tap = unit / runs.steps * runs.taps + at / plan->cg;
    from[e] = packer->filters;
    if (at < runs.taps * plan->cg)
      from[e] = w + at % plan->cg * strides->channel + phase->axis[2]->tap[tap] * strides->kernel;
  }
}

/* Some panels at once, so that what lies side by side in memory is read together. */
static void pack_across(const struct packer *packer, int64_t group, const struct panel *panel, int64_t panels) {
  const struct tsr_conv_int8 *plan = packer->packing->plan;
  const struct tsr_int8_phase *phase = packer->packing->phase;
  struct runs runs = runs_of(plan, phase);
  int64_t step = 0;
  memset(packer->filters, 0, (size_t)(panels * panel->mr));
  for (int64_t row = 0; row < phase->axis[0]->taps * phase->axis[1]->taps; row++) {
    const int8_t *w = row_of_w(plan, phase, group, row / phase->axis[1]->taps, row % phase->axis[1]->taps);
    for (int64_t unit = 0; unit < runs.count * runs.steps; unit++, step++) {
      const int8_t *from[UNIT];
      find_unit(packer, w + panel->first, unit, from);
      for (int64_t i = 0; i < panels; i++) {
        interleave(from, panel[i].rows, panel[i].to + step * panel[i].mr * UNIT);
        for (int64_t e = 0; e < UNIT; e++) from[e] += panel[i].rows;
      }
    }
  }
}

/* Taps and channels of one filter side by side, each run filled up to whole steps. */
static void straighten(const struct tsr_conv_int8 *plan, const struct tsr_int8_phase *phase, int64_t group,
                       int64_t filter, int8_t *to) {
  const struct tsr_conv_weights *strides = &plan->p.w_strides;
  struct runs runs = runs_of(plan, phase);
  int64_t left_over = runs.steps * UNIT - runs.taps * plan->cg;
  for (int64_t row = 0; row < phase->axis[0]->taps * phase->axis[1]->taps; row++) {
    const int8_t *w = row_of_w(plan, phase, group, row / phase->axis[1]->taps, row % phase->axis[1]->taps);
    for (int64_t i = 0; i < runs.count * runs.taps; i++) {
      const int8_t *tap = w + filter * strides->filter + phase->axis[2]->tap[i] * strides->kernel;
      if (strides->channel == 1)
        memcpy(to, tap, (size_t)plan->cg);
      else
        for (int64_t c = 0; c < plan->cg; c++) to[c] = tap[c * strides->channel];
      to += plan->cg;
      if ((i + 1) % runs.taps != 0) continue;
      memset(to, 0, (size_t)left_over);
      to += left_over;
    }
  }
}

/* Whether a filter's weights lie in memory as its panel wants them, but perhaps [channel][tap] not [tap][channel]. */
static bool in_order(const struct tsr_conv_int8 *plan, const struct tsr_int8_phase *phase) {
  const struct tsr_conv_weights *strides = &plan->p.w_strides;
  int64_t kernel = plan->p.dim[0].kernel * plan->p.dim[1].kernel * plan->p.dim[2].kernel;
  bool by_channel = strides->channel == 1 && (strides->kernel == plan->cg || kernel == 1);
  bool all = !plan->p.transposed && phase->units * UNIT == kernel * plan->cg;
  return all && (by_channel || (strides->kernel == 1 && strides->channel == kernel));
}

static void pack_panel(const struct packer *packer, int64_t group, const struct panel *panel) {
  const struct tsr_conv_int8 *plan = packer->packing->plan;
  const struct tsr_int8_phase *phase = packer->packing->phase;
  const struct tsr_conv_weights *strides = &plan->p.w_strides;
  const int8_t *w = (const int8_t *)plan->p.w + group * strides->group + panel->first * strides->filter;
  int64_t bytes = phase->units * UNIT, ld = bytes;
  bool ordered = in_order(plan, phase);
  if (ordered && strides->channel == 1) {
    ld = strides->filter;
  } else {
    struct tsr_step step = {.m = plan->cg, .n = bytes / tsr_max(1, plan->cg), .rsa = strides->channel, .csc = plan->cg};
    for (int64_t i = 0; i < panel->rows; i++)
      if (ordered)
        plan->turn_w->run(&step, (tsr_mem)(w + i * strides->filter), 0, (tsr_mem)(packer->filters + i * ld));
      else
        straighten(plan, phase, group, panel->first + i, packer->filters + i * ld);
    w = packer->filters;
  }
  struct tsr_step step = {.m = panel->rows, .n = phase->units, .rsa = ld, .csc = panel->mr * UNIT};
  plan->turn_units->run(&step, (tsr_mem)w, 0, (tsr_mem)panel->to);
}

/* Sums of the weights of a panel's filters: the convolution of ones. */
static void sum_panel(const struct packer *packer, const struct panel *panel) {
  const struct tsr_conv_int8 *plan = packer->packing->plan;
  const struct tsr_int8_phase *phase = packer->packing->phase;
  struct runs runs = runs_of(plan, phase);
  int64_t count = row_taps(phase), unit = panel->mr * UNIT, units = panel->mr / plan->tiles->mu;
  struct tsr_conv conv = {.taps = packer->taps, .count = count, .x = (tsr_mem)packer->x};
  struct tsr_step step = {.m = panel->rows, .n = 1, .csa = unit, .csc = unit, .flags = TSR_FIRST_K | TSR_LAST_K};
  memset(packer->x, plan->p.x.type == TSR_U8 ? 1 : 1 - 128, (size_t)(runs.steps * UNIT));
  for (int64_t r = 0; r < phase->axis[1]->taps; r++) {
    for (int64_t i = 0; i < count; i++) {
      int64_t row = i / runs.count * phase->axis[1]->taps + r, run = row * runs.count + i % runs.count;
      packer->taps[i] = (struct tsr_taps){run * runs.steps * unit, 0, (int32_t)runs.steps, 0, TSR_MAX_COLUMNS};
    }
    plan->tiles->tile[units][1]->run(&step, (tsr_mem)panel->to, (tsr_mem)&conv,
                                     (tsr_mem)(packer->sums + r * panel->rows));
  }
}

static void set_biases(const struct packer *packer, int64_t group, const struct panel *panel) {
  uint32_t *sums = packer->of_filter;
  const struct tsr_conv_int8 *plan = packer->packing->plan;
  const struct tsr_int8_phase *phase = packer->packing->phase;
  for (int64_t i = 0; i < panel->rows; i++) {
    int64_t filter = group * plan->kg + panel->first + i;
    for (int64_t r = 0; r < phase->axis[1]->taps; r++)
      sums[r] = plan->zero ? (uint32_t)packer->sums[r * panel->rows + i] : 0;
    for (int64_t k = 0; k < phase->classes; k++)
      phase->bias[k * plan->p.groups * plan->p.kg + filter] = bias_of(plan, phase, filter, &phase->class[k], sums);
  }
}

/* Lanes of the last panel that stand for no filter. */
static void clear_rest(const struct panel *panel, int64_t units) {
  for (int64_t i = 0; i < units && panel->rows < panel->mr; i++)
    memset(panel->to + (i * panel->mr + panel->rows) * UNIT, 0, (size_t)(panel->mr - panel->rows) * UNIT);
}

#define AT_ONCE 8

static void pack_task(const struct packer *packer, int64_t task) {
  const struct packing *packing = packer->packing;
  const struct tsr_conv_int8 *plan = packing->plan;
  int64_t units = packing->phase->units, group = task / packing->tasks;
  int64_t first = task % packing->tasks * packing->at_once;
  int64_t count = tsr_min(packing->at_once, packing->panels - first);
  struct panel panels[AT_ONCE];
  for (int64_t i = 0; i < count; i++) panels[i] = panel_of(packing, group, first + i);
  if (units > 0 && is_across(plan)) pack_across(packer, group, panels, count);
  for (int64_t i = 0; i < count; i++) {
    if (units > 0 && !is_across(plan)) pack_panel(packer, group, &panels[i]);
    clear_rest(&panels[i], units);
    if (plan->zero) sum_panel(packer, &panels[i]);
    set_biases(packer, group, &panels[i]);
  }
}

static void pack_tasks(void *arg, int index) {
  struct packing *packing = arg;
  struct packer packer;
  set_packer(packing, (tsr_mem)packing->memory + packing->scratch * (size_t)index, &packer);
  int64_t all = packing->plan->groups * packing->tasks;
  for (int64_t task; (task = atomic_fetch_add(&packing->claimed, 1)) < all;) pack_task(&packer, task);
}

#define BYTES_PER_THREAD 65536

static tsr_status pack_panels(const struct tsr_conv_int8 *plan, const tsr_context *context,
                              const struct tsr_int8_phase *phase) {
  struct packing packing = {.plan = plan, .phase = phase, .panels = plan->whole + (plan->last_units > 0), .at_once = 1};
  struct packer packer;
  if (is_across(plan)) packing.at_once = tsr_min(AT_ONCE, tsr_ceil_div(packing.panels, plan->threads));
  packing.tasks = tsr_ceil_div(packing.panels, packing.at_once);
  int64_t most = plan->groups * phase->group_bytes / BYTES_PER_THREAD, all = plan->groups * packing.tasks;
  int threads = (int)tsr_max(1, tsr_min(tsr_min(plan->threads, all), most));
  packing.scratch = set_packer(&packing, 0, &packer);
  void *memory;
  if (posix_memalign(&memory, 64, packing.scratch * (size_t)threads) != 0) return NO_MEMORY;
  packing.memory = memory;
  if (threads == 1) {
    pack_tasks(&packing, 0);
  } else {
    struct tsr_team team;
    tsr_team_reserve(context, threads, &team);
    tsr_team_run(&team, pack_tasks, &packing);
  }
  free(memory);
  return TSR_OK;
}

/* In lanes every filter has a sum of x of its own; else one filter of ones serves a group. */
static void pack_ones(const struct tsr_conv_int8 *plan, struct tsr_int8_phase *phase, uint32_t *sums) {
  static const int8_t one = 1;
  const struct tsr_conv_weights still = {0};
  int64_t mr = plan->tiles->mu, filters = plan->lanes ? plan->kg : 1;
  for (int64_t k = 0; k < filters; k++) {
    int64_t at = plan->lanes ? place_of(plan, phase, k, &mr) : 0;
    pack_filter(plan, phase, &one, &still, mr, phase->ones + at, sums);
  }
}

/* Phases share no scratch memory. */
static char *room_for(const struct tsr_conv_int8 *plan, struct tsr_int8_phase *phase, size_t bytes) {
  char *scratch = NULL;
  if (plan->once && plan->nphases == 1 && bytes <= TSR_SCRATCH_MOST) scratch = tsr_scratch_get(TSR_SCRATCH_B, bytes);
  if (scratch) return scratch;
  return posix_memalign(&phase->owned, 4096, bytes) == 0 ? phase->owned : NULL;
}

tsr_status tsr_conv_int8_pack(struct tsr_conv_int8 *plan, const tsr_context *context, struct tsr_int8_phase *phase) {
  struct runs runs = runs_of(plan, phase);
  int64_t rows = phase->axis[0]->taps * phase->axis[1]->taps, mu = plan->tiles->mu, element = plan->lanes ? 1 : UNIT;
  int64_t all_rows = ((int64_t)plan->units * plan->whole + plan->last_units) * mu;
  char *memory;
  phase->ntaps = rows * runs.count;
  phase->units = phase->ntaps * runs.steps;
  phase->group_bytes = (int64_t)whole_lines(all_rows * phase->units * element);
  size_t a = (size_t)(plan->groups * phase->group_bytes);
  size_t bias = whole_lines(phase->classes * plan->p.groups * plan->p.kg * 4);
  size_t ones = !plan->zero_w ? 0 : plan->lanes ? a : whole_lines(mu * phase->units * UNIT);
  phase->per_row = runs.count;
  phase->taps[0] = malloc((size_t)(3 * phase->ntaps + 1) * sizeof *phase->taps[0]);
  uint32_t *sums = malloc((size_t)(phase->axis[1]->taps + 1) * sizeof *sums);
  if (!phase->taps[0] || !sums || !(memory = room_for(plan, phase, a + ones + bias))) {
    free(sums);
    return NO_MEMORY;
  }
  phase->a = (int8_t *)memory;
  phase->ones = plan->zero_w ? phase->a + a : NULL;
  phase->bias = (int32_t *)(void *)(phase->a + a + ones);
  phase->taps[1] = phase->taps[0] + phase->ntaps;
  phase->ones_taps = phase->taps[1] + phase->ntaps;
  list_taps(plan, phase, (int64_t)plan->units * mu, phase->taps[0]);
  list_taps(plan, phase, (int64_t)plan->last_units * mu, phase->taps[1]);
  list_taps(plan, phase, mu, phase->ones_taps);
  memset(phase->a + (plan->lanes ? 0 : a), 0, plan->lanes ? a + ones : ones);
  if (plan->lanes) pack_lanes(plan, phase, sums);
  if (plan->zero_w) pack_ones(plan, phase, sums);
  free(sums);
  return plan->lanes ? TSR_OK : pack_panels(plan, context, phase);
}
