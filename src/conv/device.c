/* Convolution on a device: output pixels, counted over the batch, and filters are dealt out to its cores. */
#include "src/conv/device.h"

#include <math.h>
#include <stdio.h>

#define UNSUPPORTED(condition, ...) \
  if (condition) return tsr_fail(TSR_UNSUPPORTED, __VA_ARGS__)

struct call {
  struct tsr_device *device;
  const struct tsr_kernel *kernel;
  const tsr_conv_desc *d;
  struct tsr_conv_part all; /* of a group */
  int64_t pixels, size, size_y;
};

/* Cores are a grid: `down` of them share out the pixels, `across` the filters. Each takes its filters in `turns`, and
 * its pixels `rows` at a time. */
struct grid {
  int64_t down, across, turns, rows;
  int64_t pixels, filters; /* of a core; of a turn */
};

static int64_t product(const int64_t *sizes, int dims) {
  int64_t n = 1;
  for (int i = 0; i < dims; i++) n *= sizes[i];
  return n;
}

static tsr_status check_post(const tsr_conv_desc *d) {
  const tsr_post_ops *post = &d->post;
  UNSUPPORTED(post->scale, "post.scale is given: devices have none");
  UNSUPPORTED(post->add, "post.add is given: devices have none");
  bool relu = post->activation == TSR_RELU ||
              (post->activation == TSR_CLIP && post->low == 0 && post->high == (double)INFINITY);
  UNSUPPORTED(post->activation != TSR_NO_ACTIVATION && !relu, "post.activation is %d: devices have TSR_RELU",
              (int)post->activation);
  return TSR_OK;
}

/* Layouts are the same where one of what they order is 1. */
static tsr_status check_layouts(const tsr_conv_desc *d) {
  UNSUPPORTED(d->layout_x != TSR_CHANNELS_LAST && d->channels > 1 && product(d->in, d->dims) > 1,
              "layout_x is %d: devices take TSR_CHANNELS_LAST", (int)d->layout_x);
  UNSUPPORTED(d->layout_w != TSR_CHANNELS_LAST && d->channels / d->groups > 1 && product(d->kernel, d->dims) > 1,
              "layout_w is %d: devices take TSR_CHANNELS_LAST", (int)d->layout_w);
  UNSUPPORTED(d->layout_y != TSR_CHANNELS_LAST && d->filters > 1 && product(d->out, d->dims) > 1,
              "layout_y is %d: devices take TSR_CHANNELS_LAST", (int)d->layout_y);
  return TSR_OK;
}

static tsr_status check_features(const tsr_conv_desc *d) {
  UNSUPPORTED(d->dims > 2, "dims is %d: devices take 1 and 2", d->dims);
  UNSUPPORTED(d->transposed, "transposed is 1: devices have no transposed convolution");
  UNSUPPORTED(d->plan && *d->plan, "plan is \"%.64s\": devices take none", d->plan);
  tsr_status status = check_layouts(d);
  return status == TSR_OK ? check_post(d) : status;
}

static tsr_status find_kernel(const struct tsr_device_chip *chip, const tsr_conv_desc *d,
                              const struct tsr_kernel **kernel) {
  tsr_type type_y = d->type_y ? d->type_y : d->type_x;
  for (int i = 0; i < chip->nkernels; i++) {
    *kernel = &chip->kernel[i];
    if ((*kernel)->op == TSR_OP_CONV && (*kernel)->ta == d->type_x && (*kernel)->tc == type_y) return TSR_OK;
  }
  return tsr_fail(TSR_UNSUPPORTED, "type_x is %d and type_y %d: this device has no convolution for them (TSR_F16 and "
                  "TSR_BF16 are usual, with y the same or TSR_F32)", (int)d->type_x, (int)type_y);
}

/* One dimension is a picture of height 1. */
static void set_sizes(const tsr_conv_desc *d, struct tsr_conv_part *all) {
  for (int i = 0; i < 2; i++) {
    int from = i - (2 - d->dims);
    all->in[i] = from < 0 ? 1 : d->in[from];
    all->out[i] = from < 0 ? 1 : d->out[from];
    all->kernel[i] = from < 0 ? 1 : d->kernel[from];
    all->stride[i] = from < 0 ? 1 : d->stride[from];
    all->dilation[i] = from < 0 ? 1 : d->dilation[from];
    all->pad[i] = from < 0 ? 0 : d->pad_begin[from];
  }
}

static tsr_status prepare(const tsr_context *context, const tsr_conv_desc *d, struct call *call) {
  *call = (struct call){.device = context->device, .d = d};
  struct tsr_conv_part *all = &call->all;
  tsr_status status = check_features(d);
  if (status == TSR_OK) status = find_kernel(context->device->chip, d, &call->kernel);
  if (status != TSR_OK) return status;
  set_sizes(d, all);
  call->size = tsr_size_of(d->type_x);
  call->size_y = tsr_size_of(call->kernel->tc);
  call->pixels = d->batch * all->out[0] * all->out[1];
  all->batch = d->batch;
  all->channels = d->channels / d->groups;
  all->filters = d->filters / d->groups;
  all->all = d->filters;
  all->step_x = d->channels * call->size;
  all->step_w = all->channels * product(d->kernel, d->dims) * call->size;
  all->step_y = d->filters * call->size_y;
  all->kb = 4096;
  all->relu = d->post.activation != TSR_NO_ACTIVATION;
  all->end = call->pixels;
  return TSR_OK;
}

/* Choice of a grid: all are tried on the chip's model. */

/* The pixels of a row of the grid, cut as evenly as whole units allow. */
static void cut_pixels(const struct call *call, const struct grid *grid, int64_t i, struct tsr_conv_part *part) {
  int64_t unit = call->device->unit, blocks = tsr_ceil_div(call->pixels, unit);
  part->begin = i * blocks / grid->down * unit;
  part->end = tsr_min((i + 1) * blocks / grid->down * unit, call->pixels);
  part->rows = grid->rows;
}

/* Of the core whose part takes longest, which needs a look at each only where `best` is beaten. */
static double cycles_of(const struct call *call, const struct grid *grid, double best) {
  struct tsr_conv_part part = call->all;
  double most = 0;
  part.filters = tsr_min(grid->filters, part.filters);
  for (int64_t i = 0; i < grid->down && most < best; i++) {
    cut_pixels(call, grid, i, &part);
    if (part.begin >= part.end) continue;
    double cycles = call->device->chip->conv_cycles(call->device, call->kernel, &part);
    most = fmax(most, cycles < 0 ? HUGE_VAL : (double)grid->turns * cycles);
  }
  return most;
}

/* Tiles of a core's pixels: as few as fit and some more, all about alike. */
static void try_rows(const struct call *call, struct grid *grid, struct grid *best, double *least) {
  enum { MORE = 12 };
  int64_t unit = call->device->unit, blocks = tsr_ceil_div(grid->pixels, unit), last = 0;
  int fitted = 0;
  for (int64_t tiles = 1; tiles <= blocks && fitted < MORE; tiles++) {
    int64_t rows = tsr_ceil_div(blocks, tiles);
    if (rows == last || rows > call->device->most / unit) continue;
    last = rows;
    grid->rows = rows * unit;
    double cycles = cycles_of(call, grid, *least);
    fitted += cycles < HUGE_VAL;
    if (cycles < *least) *least = cycles, *best = *grid;
  }
}

static bool choose_grid(const struct call *call, struct grid *best) {
  int64_t unit = call->device->unit, cores = call->device->cores, blocks = tsr_ceil_div(call->all.filters, unit);
  double least = HUGE_VAL;
  for (int64_t across = 1; across <= tsr_min(cores, blocks); across++) {
    struct grid grid = {.down = cores / across, .across = across};
    grid.pixels = tsr_ceil_div(tsr_ceil_div(call->pixels, unit), grid.down) * unit;
    int64_t mine = tsr_ceil_div(blocks, across), last = 0;
    for (grid.turns = 1; grid.turns <= mine; grid.turns++) {
      grid.filters = tsr_ceil_div(mine, grid.turns) * unit;
      if (grid.filters == last || grid.filters > call->device->most) continue;
      last = grid.filters;
      try_rows(call, &grid, best, &least);
      if (grid.turns * grid.filters > mine * unit && grid.filters == unit) break;
    }
  }
  return least < HUGE_VAL;
}

/* The parts of one group. */
static void deal(const struct call *call, const struct grid *grid, int64_t group) {
  const struct tsr_conv_part *all = &call->all;
  static const struct tsr_step none;
  for (int64_t turn = 0; turn < grid->turns; turn++)
    for (int core = 0; core < grid->down * grid->across; core++) {
      struct tsr_conv_part part = *all;
      int64_t filter = (core / grid->down * grid->turns + turn) * grid->filters;
      cut_pixels(call, grid, core % grid->down, &part);
      part.filters = tsr_min(grid->filters, all->filters - filter);
      if (part.begin >= part.end || part.filters <= 0) continue;
      part.first = group * all->filters + filter;
      part.x += (tsr_mem)(group * all->channels * call->size);
      part.w += (tsr_mem)(part.first * all->step_w);
      part.y += (tsr_mem)(part.first * call->size_y);
      if (part.bias) part.bias += (tsr_mem)(part.first * 4);
      call->device->chip->issue(call->device, core, call->kernel, &none, 0, (tsr_mem)&part, 0, NULL, 0);
    }
}

/* Operands. */

static tsr_status check_operand(struct tsr_device *device, const char *name, tsr_mem at, int64_t align, int64_t bytes) {
  char why[256];
  if (at % (tsr_mem)align)
    return tsr_fail(TSR_INVALID_ARGUMENT, "%s: %#llx is not a multiple of its elements' %lld bytes", name,
                    (unsigned long long)at, (long long)align);
  tsr_status status = device->chip->check(device, at, (size_t)bytes);
  if (status == TSR_OK) return TSR_OK;
  snprintf(why, sizeof why, "%s", tsr_last_error());
  return tsr_fail(status, "%s: %s", name, why);
}

static tsr_status check_operands(const struct call *call) {
  const tsr_conv_desc *d = call->d;
  const struct tsr_conv_part *all = &call->all;
  int64_t x = d->batch * product(d->in, d->dims) * all->step_x;
  tsr_status status = check_operand(call->device, "x", all->x, call->size, x);
  if (status == TSR_OK) status = check_operand(call->device, "w", all->w, call->size, d->filters * all->step_w);
  if (status == TSR_OK && all->bias) status = check_operand(call->device, "bias", all->bias, 4, d->filters * 4);
  if (status == TSR_OK) status = check_operand(call->device, "y", all->y, call->size_y, call->pixels * all->step_y);
  return status;
}

tsr_status tsr_conv_on_device(const tsr_context *context, const tsr_conv_desc *d, const void *x, const void *w,
                              const void *bias, void *y) {
  struct call call;
  struct grid grid = {0};
  tsr_status status = context->device->chip->fence(context->device); /* calls follow one another */
  if (status != TSR_OK || d->batch == 0) return status;
  status = prepare(context, d, &call);
  if (status != TSR_OK) return status;
  call.all.x = (tsr_mem)x;
  call.all.w = (tsr_mem)w;
  call.all.bias = (tsr_mem)bias;
  call.all.y = (tsr_mem)y;
  status = context->device->chip->prepare_conv(context->device, call.kernel, &call.all);
  if (status == TSR_OK) status = check_operands(&call);
  if (status != TSR_OK) return status;
  UNSUPPORTED(!choose_grid(&call, &grid), "channels is %lld and in is %lld wide: the device's cores have no room for "
              "the rows of x that some pixels of y need", (long long)d->channels, (long long)call.all.in[1]);
  for (int64_t group = 0; group < d->groups; group++) deal(&call, &grid, group);
  return TSR_OK;
}
