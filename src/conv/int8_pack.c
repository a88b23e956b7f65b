/* Packing weights of integers: panels [step of four taps][filter][4], or [tap][filter] in lanes. What a row of the
 * kernel reads side by side, pixels and channels, is one run of bytes; its last step is filled up with weights of 0. */
#include <stdlib.h>
#include <string.h>

#include "src/conv/int8_plan.h"

#define UNIT 4

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

static void pack_all(const struct tsr_conv_int8 *plan, struct tsr_int8_phase *phase, uint32_t *sums) {
  const struct tsr_conv_problem *p = &plan->p;
  const struct tsr_conv_weights strides = p->w_strides;
  int64_t filters = p->groups * p->kg, mr;
  for (int64_t f = 0; f < filters; f++) {
    const int8_t *w = (const int8_t *)p->w + f / p->kg * strides.group + f % p->kg * strides.filter;
    int64_t at = place_of(plan, phase, f % plan->kg, &mr);
    memset(sums, 0, (size_t)phase->axis[1]->taps * sizeof *sums);
    pack_filter(plan, phase, w, &strides, mr, phase->a + f / plan->kg * phase->group_bytes + at, sums);
    for (int64_t i = 0; i < phase->classes; i++)
      phase->bias[i * filters + f] = bias_of(plan, phase, f, &phase->class[i], sums);
  }
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

static size_t whole_lines(int64_t bytes) { return (size_t)tsr_round_up(bytes, 64); }

tsr_status tsr_conv_int8_pack(struct tsr_conv_int8 *plan, struct tsr_int8_phase *phase) {
  struct runs runs = runs_of(plan, phase);
  int64_t rows = phase->axis[0]->taps * phase->axis[1]->taps, mu = plan->tiles->mu, element = plan->lanes ? 1 : UNIT;
  int64_t all_rows = ((int64_t)plan->units * plan->whole + plan->last_units) * mu;
  void *memory;
  phase->ntaps = rows * runs.count;
  phase->units = phase->ntaps * runs.steps;
  phase->group_bytes = (int64_t)whole_lines(all_rows * phase->units * element);
  size_t a = (size_t)(plan->groups * phase->group_bytes);
  size_t bias = whole_lines(phase->classes * plan->p.groups * plan->p.kg * 4);
  size_t ones = !plan->zero_w ? 0 : plan->lanes ? a : whole_lines(mu * phase->units * UNIT);
  phase->per_row = runs.count;
  phase->taps[0] = malloc((size_t)(3 * phase->ntaps + 1) * sizeof *phase->taps[0]);
  uint32_t *sums = malloc((size_t)(phase->axis[1]->taps + 1) * sizeof *sums);
  if (!phase->taps[0] || !sums || posix_memalign(&memory, 4096, a + ones + bias) != 0) {
    free(sums);
    return tsr_fail(TSR_OUT_OF_MEMORY, "no memory for packed weights");
  }
  memset(memory, 0, a + ones);
  phase->a = memory;
  phase->ones = plan->zero_w ? phase->a + a : NULL;
  phase->bias = (int32_t *)(void *)(phase->a + a + ones);
  phase->taps[1] = phase->taps[0] + phase->ntaps;
  phase->ones_taps = phase->taps[1] + phase->ntaps;
  list_taps(plan, phase, (int64_t)plan->units * mu, phase->taps[0]);
  list_taps(plan, phase, (int64_t)plan->last_units * mu, phase->taps[1]);
  list_taps(plan, phase, mu, phase->ones_taps);
  pack_all(plan, phase, sums);
  if (plan->zero_w) pack_ones(plan, phase, sums);
  free(sums);
  return TSR_OK;
}
