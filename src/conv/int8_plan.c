/* Planning of integer convolutions: phases, tiles, blocks, memory. */
#include "src/conv/int8_plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/topology.h"

#define NO_MEMORY tsr_fail(TSR_OUT_OF_MEMORY, "no memory for a plan of an integer convolution")

/* Output o = first + q * every takes tap t from input (o * step_out + pad - t * dilation) where that is whole. */
static bool list_taps(const struct tsr_conv_dim *dim, bool transposed, struct tsr_int8_axis *axis) {
  axis->tap = malloc((size_t)dim->kernel * sizeof *axis->tap);
  axis->offset = malloc((size_t)dim->kernel * sizeof *axis->offset);
  if (!axis->tap || !axis->offset) return false;
  for (int64_t i = 0; i < dim->kernel; i++) {
    int64_t tap = transposed ? dim->kernel - 1 - i : i, at = tap * dim->dilation - dim->pad;
    if (transposed && (axis->first - at) % dim->stride != 0) continue;
    axis->tap[axis->taps] = tap;
    axis->offset[axis->taps++] = transposed ? (axis->first - at) / dim->stride : at;
  }
  if (axis->taps == 0) return true;
  axis->low = axis->offset[0];
  axis->high = axis->offset[axis->taps - 1];
  axis->apart = axis->taps > 1 ? axis->offset[1] - axis->offset[0] : 1;
  return true;
}

static bool make_axes(struct tsr_conv_int8 *plan, int i) {
  const struct tsr_conv_dim *dim = &plan->p.dim[i];
  bool transposed = plan->p.transposed;
  plan->naxes[i] = transposed ? tsr_min(dim->stride, dim->out) : 1;
  plan->axes[i] = calloc((size_t)plan->naxes[i], sizeof *plan->axes[i]);
  if (!plan->axes[i]) return false;
  for (int64_t phase = 0; phase < plan->naxes[i]; phase++) {
    struct tsr_int8_axis *axis = &plan->axes[i][phase];
    axis->first = phase;
    axis->every = transposed ? dim->stride : 1;
    axis->step = transposed ? 1 : dim->stride;
    axis->count = tsr_ceil_div(dim->out - phase, axis->every);
    if (!list_taps(dim, transposed, axis)) return false;
  }
  return true;
}

/* Inputs of one dimension that `count` outputs side by side reach over. */
static int64_t reach(const struct tsr_int8_axis *axis, int64_t count) {
  return (count - 1) * axis->step + axis->high - axis->low + 1;
}

/* In place if nothing is padded, channels lie last and no unit of four bytes reaches over the end of a run of taps. */
static bool reads_in_place(const struct tsr_conv_int8 *plan, const struct tsr_int8_phase *phase) {
  const struct tsr_conv_problem *p = &plan->p;
  if (!p->x_last || plan->pixel != p->groups * p->cg) return false;
  for (int i = 0; i < 3; i++) {
    const struct tsr_int8_axis *axis = phase->axis[i];
    if (i == 1 && phase->skips) continue;
    if (axis->low < 0 || (axis->count - 1) * axis->step + axis->high >= p->dim[i].in) return false;
  }
  int64_t run = phase->axis[2]->apart == 1 && p->groups == 1 ? phase->axis[2]->taps * p->cg : p->cg;
  return plan->lanes || run % 4 == 0;
}

/* How many outputs of `total` make a block of about `want`, evened out. */
static int64_t even(int64_t total, int64_t want) {
  want = tsr_max(1, tsr_min(want, total));
  return tsr_ceil_div(total, tsr_ceil_div(total, want));
}

#define BLOCK_PIXELS 1024
#define PIECES_PER_THREAD 4

/* Blocks of pixels: their band fits a third of L2, and there are some for each thread. */
static void cut_pixels(struct tsr_conv_int8 *plan, struct tsr_int8_phase *phase, int64_t l2) {
  const struct tsr_int8_axis *height = phase->axis[1], *width = phase->axis[2];
  int64_t planes = reach(phase->axis[0], 1), columns = tsr_min(width->count, BLOCK_PIXELS), rows;
  while (columns > 16 && !phase->in_place && planes * reach(height, 1) * reach(width, columns) * plan->pixel > l2 / 3)
    columns = tsr_round_up(columns / 2, 14);
  rows = tsr_max(1, tsr_min(height->count, BLOCK_PIXELS / columns));
  while (rows > 1 && !phase->in_place && planes * reach(height, rows) * reach(width, columns) * plan->pixel > l2 / 3)
    rows--;
  int64_t outer = plan->p.batch * phase->axis[0]->count * plan->nphases * plan->filter_blocks;
  int64_t pieces = plan->threads > 1 ? tsr_ceil_div(PIECES_PER_THREAD * plan->threads, tsr_max(1, outer)) : 1;
  if (height->count > 1)
    rows = tsr_min(rows, tsr_max(1, height->count / pieces));
  else
    columns = tsr_min(columns, tsr_max(28, tsr_round_up(width->count / pieces, 14)));
  phase->rows = even(height->count, rows);
  phase->columns = tsr_min(columns, width->count);
  phase->row_blocks = tsr_ceil_div(height->count, phase->rows);
  phase->column_blocks = tsr_ceil_div(width->count, phase->columns);
  phase->items = plan->p.batch * phase->axis[0]->count * phase->row_blocks * phase->column_blocks * plan->filter_blocks;
}

static void set_view(const struct tsr_conv_int8 *plan, struct tsr_int8_phase *phase) {
  phase->planes = reach(phase->axis[0], 1);
  if (phase->in_place) {
    for (int i = 0; i < 3; i++) phase->view[i] = plan->p.x.dim[i];
    return;
  }
  phase->view[2] = plan->pixel;
  phase->view[1] = reach(phase->axis[2], phase->columns) * plan->pixel;
  phase->view[0] = reach(phase->axis[1], phase->rows) * phase->view[1];
}

#define UNIT 4
static size_t largest(size_t a, size_t b) { return a > b ? a : b; }

static void size_memory(struct tsr_conv_int8 *plan, const struct tsr_int8_phase *phase) {
  const struct tsr_conv_problem *p = &plan->p;
  size_t pixels = (size_t)tsr_min(phase->columns, plan->columns + plan->tiles->max_columns[plan->units]);
  size_t line = pixels * (size_t)plan->filters;
  if (!phase->in_place)
    plan->band_bytes = largest(plan->band_bytes, (size_t)(phase->planes * phase->view[0]) + UNIT);
  if (!plan->direct) plan->tile_bytes = largest(plan->tile_bytes, line * 4);
  if (plan->zero_w) plan->ones_bytes = largest(plan->ones_bytes, (plan->lanes ? line : pixels) * 4);
  if (!p->y_last) plan->turned_bytes = largest(plan->turned_bytes, line * (size_t)(p->add ? 8 : 4));
}

struct tsr_int8_class tsr_int8_class_of(const struct tsr_conv_int8 *plan, const struct tsr_int8_phase *phase,
                                        int64_t row) {
  const struct tsr_int8_axis *height = phase->axis[1];
  struct tsr_int8_class class = {0, height->taps};
  int64_t at = row * height->step, in = plan->p.dim[1].in;
  if (!phase->skips) return class;
  while (class.first < class.end && at + height->offset[class.first] < 0) class.first++;
  while (class.first < class.end && at + height->offset[class.end - 1] >= in) class.end--;
  return class.first < class.end ? class : (struct tsr_int8_class){0, 0};
}

/* The first and the last rows see less of the kernel than those between. */
static bool list_classes(const struct tsr_conv_int8 *plan, struct tsr_int8_phase *phase) {
  phase->class = malloc((size_t)(2 * phase->axis[1]->taps + 2) * sizeof *phase->class);
  if (!phase->class) return false;
  for (int64_t row = 0; row < phase->axis[1]->count; row++) {
    struct tsr_int8_class class = tsr_int8_class_of(plan, phase, row);
    int64_t i = 0;
    while (i < phase->classes && (phase->class[i].first != class.first || phase->class[i].end != class.end)) i++;
    if (i == phase->classes) phase->class[phase->classes++] = class;
  }
  return true;
}

static tsr_status make_phase(struct tsr_conv_int8 *plan, const tsr_context *context, int64_t index, int64_t l2) {
  struct tsr_int8_phase *phase = &plan->phases[index];
  int64_t at[3] = {index / plan->naxes[2] / plan->naxes[1], index / plan->naxes[2] % plan->naxes[1],
                   index % plan->naxes[2]};
  for (int i = 0; i < 3; i++) phase->axis[i] = &plan->axes[i][at[i]];
  phase->skips = phase->axis[0]->taps == 1;
  if (!list_classes(plan, phase)) return NO_MEMORY;
  phase->in_place = reads_in_place(plan, phase);
  cut_pixels(plan, phase, l2);
  set_view(plan, phase);
  size_memory(plan, phase);
  return tsr_conv_int8_pack(plan, context, phase);
}

/* Units of whole panels and of the last one: the chip's tile, of as many rows as there are. */
static void choose_tile(struct tsr_conv_int8 *plan) {
  int64_t units = tsr_ceil_div(plan->kg, plan->tiles->mu);
  plan->units = (int)tsr_min(plan->tiles->units, units);
  while (!plan->tiles->max_columns[plan->units]) plan->units--;
  plan->whole = plan->kg / ((int64_t)plan->units * plan->tiles->mu);
  plan->last_units = (int)(tsr_ceil_div(plan->kg, plan->tiles->mu) - plan->whole * plan->units);
}

/* Sums that are finished while the first cache still has them. */
#define SUMS 4096
#define FILTERS 128

static void choose_order(struct tsr_conv_int8 *plan, int64_t l2) {
  const struct tsr_conv_problem *p = &plan->p;
  int64_t weights = p->taps * plan->kg, pixels = p->dim[0].out * p->dim[1].out * p->dim[2].out;
  int64_t panel = (int64_t)plan->units * plan->tiles->mu, panels = tsr_ceil_div(plan->kg, panel);
  plan->by_panel = !plan->lanes && plan->groups == 1 && weights > l2 / 8 * 5 && panels > 1;
  plan->filters = plan->by_panel ? panel : tsr_min(plan->kg, tsr_max(panel, FILTERS / panel * panel));
  if (plan->groups > 1) plan->filters = plan->groups * plan->kg;
  plan->columns = plan->tiles->max_columns[plan->units];
  plan->columns *= tsr_max(1, SUMS / plan->filters / plan->columns);
  plan->filter_blocks = 1;
  if (!plan->by_panel || plan->threads < 2) return;
  int64_t outer = p->batch * tsr_ceil_div(pixels, BLOCK_PIXELS);
  plan->filter_blocks = tsr_min(panels, tsr_ceil_div(PIECES_PER_THREAD * plan->threads, tsr_max(1, outer)));
}

static void choose_kernels(struct tsr_conv_int8 *plan, const tsr_context *context) {
  const struct tsr_conv_problem *p = &plan->p;
  const struct tsr_kernels *table = context->kernels, *own = &table[TSR_S8];
  bool wide = p->x.type == TSR_U8;
  plan->lanes = p->cg == 1 && p->groups > 1;
  plan->tiles = plan->lanes ? (wide ? &own->conv_lanes_u8 : &own->conv_lanes) : (wide ? &own->conv_u8 : &own->conv);
  plan->post = p->y.type == TSR_S32 ? NULL : table[TSR_S32].post[p->y.type];
  plan->turn_x = table[p->x.type].turn[p->x.type];
  plan->turn_w = own->turn[TSR_S8];
  plan->turn_units = table[TSR_S32].turn[TSR_S32];
  plan->turn_y = table[p->y.type].turn[p->y.type];
  plan->groups = plan->lanes ? 1 : p->groups;
  plan->cg = plan->lanes ? 1 : p->cg;
  plan->kg = plan->lanes ? p->groups * p->kg : p->kg;
  plan->pixel = plan->lanes ? p->groups * p->kg : p->groups * p->cg;
  plan->zero = p->d->zero_x + (wide || plan->lanes ? 0 : 128);
}

/* Scales and zero points, one for each filter. */
static bool copy_filters(struct tsr_conv_int8 *plan) {
  const tsr_conv_desc *d = plan->p.d;
  const tsr_post_ops *post = &d->post;
  bool zeros = false;
  for (int64_t i = 0; d->zero_w && i < d->zeros_w; i++) zeros |= d->zero_w[i] != 0;
  if (post->scale && !(plan->scale = malloc((size_t)d->filters * sizeof *plan->scale))) return false;
  if (zeros && !(plan->zero_w = malloc((size_t)d->filters * sizeof *plan->zero_w))) return false;
  if (plan->p.bias && plan->p.alpha != 1) {
    if (!(plan->bias = malloc((size_t)d->filters * sizeof *plan->bias))) return false;
    memcpy(plan->bias, (const void *)plan->p.bias, (size_t)d->filters * sizeof *plan->bias);
  }
  for (int64_t i = 0; i < d->filters; i++) {
    if (plan->scale) memcpy(&plan->scale[i], (const char *)post->scale + (post->scales == 1 ? 0 : i) * 4, 4);
    if (plan->zero_w) plan->zero_w[i] = d->zero_w[d->zeros_w == 1 ? 0 : i];
  }
  return true;
}

/* A limit of y as kernels see it: a byte. */
static uint8_t byte_of(double limit, int zero) {
  long y = lrintf(fminf(fmaxf((float)limit, -1024), 1024));
  return (uint8_t)tsr_min(tsr_max(y + zero, 0), 255);
}

static void set_narrow(struct tsr_conv_int8 *plan) {
  const tsr_conv_desc *d = plan->p.d;
  bool sign = plan->p.y.type == TSR_S8, clips = d->post.activation == TSR_CLIP;
  int zero = d->zero_y + (sign ? 128 : 0);
  double low = clips ? d->post.low : d->post.activation == TSR_RELU ? 0 : -INFINITY;
  double high = clips ? d->post.high : INFINITY;
  plan->narrow = (struct tsr_narrow){(tsr_mem)plan->scale, (int16_t)zero, byte_of(low, zero), byte_of(high, zero),
                                     sign ? 0x80808080 : 0};
}

/* Whether kernels can make y's 8 bits: a scale follows, limits at most, and no product leaves s32. */
static bool can_narrow(const struct tsr_conv_int8 *plan, const tsr_context *context) {
  const tsr_conv_desc *d = plan->p.d;
  bool plain = d->post.activation == TSR_NO_ACTIVATION || d->post.activation == TSR_RELU ||
               d->post.activation == TSR_CLIP;
  if (plan->p.y.type != TSR_U8 && plan->p.y.type != TSR_S8) return false;
  if (!context->kernels[TSR_S8].chip->narrows || plan->lanes || plan->zero_w) return false;
  if (!plan->scale || plan->p.add || !plain) return false;
  for (int64_t i = 0; i < d->filters; i++)
    if (!(plan->scale[i] >= -0.5f && plan->scale[i] <= 0.5f)) return false;
  return true;
}

static tsr_status fill(struct tsr_conv_int8 *plan, const tsr_context *context) {
  const struct tsr_topology *machine = tsr_topology_get();
  int64_t l2 = (int64_t)machine->level[machine->nlevels > 1].bytes;
  choose_kernels(plan, context);
  if (!copy_filters(plan)) return NO_MEMORY;
  for (int i = 0; i < 3; i++)
    if (!make_axes(plan, i)) return NO_MEMORY;
  plan->nphases = plan->naxes[0] * plan->naxes[1] * plan->naxes[2];
  plan->phases = calloc((size_t)plan->nphases, sizeof *plan->phases);
  if (!plan->phases) return NO_MEMORY;
  choose_tile(plan);
  choose_order(plan, l2);
  plan->narrows = can_narrow(plan, context);
  if (plan->narrows) set_narrow(plan);
  plan->direct = (plan->p.y.type == TSR_S32 || plan->narrows) && plan->p.y_last && !plan->zero_w &&
                 plan->p.alpha == 1 && plan->p.beta == 0;
  for (int64_t i = 0; i < plan->nphases; i++) {
    tsr_status status = make_phase(plan, context, i, l2);
    if (status != TSR_OK) return status;
  }
  return TSR_OK;
}

tsr_status tsr_conv_int8_create(const tsr_context *context, const struct tsr_conv_problem *problem, int threads,
                                bool once, struct tsr_conv_int8 **plan) {
  struct tsr_conv_int8 *made = calloc(1, sizeof *made);
  if (!made) return NO_MEMORY;
  made->p = *problem;
  made->threads = threads;
  made->once = once;
  tsr_status status = fill(made, context);
  if (status == TSR_OK)
    *plan = made;
  else
    tsr_conv_int8_destroy(made);
  return status;
}

void tsr_conv_int8_destroy(struct tsr_conv_int8 *plan) {
  if (!plan) return;
  for (int64_t i = 0; plan->phases && i < plan->nphases; i++) {
    struct tsr_int8_phase *phase = &plan->phases[i];
    free(phase->taps[0]);
    free(phase->owned);
    free(phase->class);
  }
  for (int i = 0; i < 3; i++) {
    for (int64_t k = 0; plan->axes[i] && k < plan->naxes[i]; k++) {
      free(plan->axes[i][k].tap);
      free(plan->axes[i][k].offset);
    }
    free(plan->axes[i]);
  }
  free(plan->phases);
  free(plan->scale);
  free(plan->zero_w);
  free(plan->bias);
  free(plan);
}

static size_t whole_lines(size_t bytes) { return (bytes + 63) / 64 * 64; }

size_t tsr_conv_int8_workspace(const struct tsr_conv_int8 *plan) {
  return (whole_lines(plan->band_bytes) + whole_lines(plan->tile_bytes) + whole_lines(plan->ones_bytes) +
          whole_lines(plan->turned_bytes)) * (size_t)plan->threads;
}

int tsr_conv_int8_describe(const struct tsr_conv_int8 *plan, char *text, size_t size) {
  const struct tsr_int8_phase *phase = &plan->phases[0];
  int columns = tsr_next_columns(phase->columns, plan->tiles->max_columns[plan->units],
                                 plan->tiles->max_columns[plan->units]);
  const struct tsr_kernel *kernel = plan->tiles->tile[plan->units][columns];
  int64_t used = plan->kg, lanes = tsr_round_up(plan->kg, plan->tiles->mu);
  return snprintf(text, size, "%s, %lld of %lld lanes used, x %s, %s", kernel->symbol, (long long)used,
                  (long long)lanes, phase->in_place ? "in place" : "through a band",
                  plan->by_panel ? "a panel for all pixels of a block" : "a few pixels for all panels");
}
