/* The loops of integer convolutions: blocks of outputs claimed by threads; in a block a few pixels of a row for all
 * filters, or for one panel of them after the other. */
#include <stdatomic.h>
#include <string.h>

#include "src/conv/int8_plan.h"
#include "src/core/threads.h"

struct call {
  const struct tsr_conv_int8 *plan;
  tsr_mem x, add, y;
  char *workspace;
  int64_t items, most;
  _Atomic int64_t claimed;
};

/* A block, or a part of one row of it, and what a thread computes it with. */
struct block {
  const struct call *call;
  const struct tsr_conv_int8 *plan;
  const struct tsr_int8_phase *phase;
  char *band;
  tsr_mem tile, ones, turned;
  int64_t image, depth, row, rows, column, columns; /* outputs of the phase */
  int64_t filter, filters;
  tsr_mem x; /* the block's first output's window */
};

/* A list of taps, of which a row takes those of its class. */
static void set_taps(const struct block *b, int64_t row, const struct tsr_taps *taps, struct tsr_conv *conv) {
  const struct tsr_int8_phase *phase = b->phase;
  struct tsr_int8_class class = tsr_int8_class_of(b->plan, phase, row);
  conv->taps = taps + class.first * phase->per_row;
  conv->count = phase->skips ? (class.end - class.first) * phase->per_row : phase->ntaps;
}

static const int32_t *bias_of(const struct block *b, int64_t row) {
  const struct tsr_int8_phase *phase = b->phase;
  struct tsr_int8_class class = tsr_int8_class_of(b->plan, phase, row);
  int64_t i = 0;
  while (phase->class[i].first != class.first || phase->class[i].end != class.end) i++;
  return phase->bias + i * b->plan->p.groups * b->plan->p.kg;
}

/* Tiles of one width side by side, of one height one under the other. */
static void run_tiles(const struct block *b, int units, struct tsr_step *step, tsr_mem a, struct tsr_conv *conv,
                      tsr_mem c) {
  const struct tsr_tiles *tiles = b->plan->tiles;
  int most = tiles->max_columns[units];
  int64_t left = b->columns;
  while (left > 0) {
    int columns = tsr_next_columns(left, most, most);
    int64_t n = columns;
    while (left - n >= columns && tsr_next_columns(left - n, most, most) == columns) n += columns;
    step->n = n;
    step->db = columns * step->csb;
    tiles->tile[units][columns]->run(step, a, (tsr_mem)conv, c);
    conv->x += (tsr_mem)(n * step->csb);
    c += (tsr_mem)(n * step->csc);
    left -= n;
  }
}

/* Where a row of the block reads x. */
static tsr_mem row_of_x(const struct block *b, int64_t row) {
  return b->x + (tsr_mem)((row - b->row) * b->phase->axis[1]->step * b->phase->view[1]);
}

/* Bytes of an element that kernels write. */
static int64_t written(const struct tsr_conv_int8 *plan) { return plan->narrows ? 1 : 4; }

static struct tsr_step step_of(const struct block *b, int units, int64_t pitch) {
  const struct tsr_int8_phase *phase = b->phase;
  int64_t mr = (int64_t)units * b->plan->tiles->mu, step = mr * (b->plan->lanes ? 1 : 4);
  return (struct tsr_step){.csa = step, .csb = phase->axis[2]->step * phase->view[2], .csc = pitch,
                           .rsb = phase->axis[2]->apart * phase->view[2], .da = step * phase->units,
                           .dc = mr * written(b->plan), .flags = TSR_FIRST_K | TSR_LAST_K};
}

/* Sums of a row of pixels and filters [first, first + filters) of a group, whole panels and the last one, to c. */
static void sum_row(const struct block *b, int64_t row, int64_t group, int64_t first, int64_t filters, const int8_t *a,
                    const int32_t *bias, tsr_mem c, int64_t pitch) {
  const struct tsr_conv_int8 *plan = b->plan;
  const struct tsr_int8_phase *phase = b->phase;
  int64_t mr = (int64_t)plan->units * plan->tiles->mu, whole = tsr_min(plan->whole, (first + filters) / mr);
  tsr_mem x = row_of_x(b, row) + (tsr_mem)(plan->lanes ? first : group * plan->cg);
  int64_t panels = whole - first / mr;
  struct tsr_conv conv = {.x = x, .bias = (tsr_mem)bias, .dx = mr};
  struct tsr_narrow narrow = plan->narrow;
  narrow.scale += (tsr_mem)((group * plan->kg + first) * 4);
  if (plan->narrows) conv.narrow = &narrow;
  struct tsr_step step = step_of(b, plan->units, pitch);
  a += first / mr * step.da;
  step.m = panels * mr;
  set_taps(b, row, phase->taps[0], &conv);
  if (panels > 0) run_tiles(b, plan->units, &step, (tsr_mem)a, &conv, c);
  if (filters <= panels * mr) return;
  set_taps(b, row, phase->taps[1], &conv);
  conv.x = x + (tsr_mem)(plan->lanes ? panels * mr : 0);
  conv.bias = bias ? (tsr_mem)(bias + panels * mr) : 0;
  narrow.scale += (tsr_mem)(panels * mr * 4);
  a += panels * step.da;
  step = step_of(b, plan->last_units, pitch);
  step.m = filters - panels * mr;
  run_tiles(b, plan->last_units, &step, (tsr_mem)a, &conv, c + (tsr_mem)(panels * mr * written(plan)));
}

/* What weights' zero points take off: zero_w times the sum of x. */
static void take_zeros(const struct block *b, int64_t row, int64_t group, int64_t first, int64_t filters, tsr_mem c,
                       int64_t pitch) {
  const struct tsr_conv_int8 *plan = b->plan;
  const struct tsr_int8_phase *phase = b->phase;
  const int32_t *zero = plan->zero_w + group * plan->kg + first;
  int64_t sums = plan->lanes ? filters : 1;
  if (plan->lanes) {
    sum_row(b, row, group, first, filters, phase->ones, NULL, b->ones, filters * 4);
  } else {
    struct tsr_conv conv = {.x = row_of_x(b, row) + (tsr_mem)(group * plan->cg)};
    set_taps(b, row, phase->ones_taps, &conv);
    struct tsr_step step = step_of(b, 1, 4);
    step.m = 1;
    run_tiles(b, 1, &step, (tsr_mem)phase->ones, &conv, b->ones);
  }
  for (int64_t j = 0; j < b->columns; j++) {
    const uint32_t *sum = (const uint32_t *)b->ones + j * sums;
    uint32_t *y = (uint32_t *)(c + (tsr_mem)(j * pitch));
    for (int64_t i = 0; i < filters; i++) y[i] -= (uint32_t)zero[i] * sum[plan->lanes ? i : 0];
  }
}

/* The corner of a row of y (or of what is added): the block's first pixel and filter. */
static int64_t corner(const struct block *b, int64_t row) {
  const struct tsr_conv_tensor *y = &b->plan->p.y;
  const struct tsr_int8_axis *const *axis = b->phase->axis;
  return b->image * y->image + (axis[0]->first + b->depth * axis[0]->every) * y->dim[0] +
         (axis[1]->first + row * axis[1]->every) * y->dim[1] +
         (axis[2]->first + b->column * axis[2]->every) * y->dim[2] + b->filter * y->channel;
}

static struct tsr_post post_of(const struct block *b) {
  const tsr_conv_desc *d = b->plan->p.d;
  struct tsr_post post = {.activation = d->post.activation, .low = d->post.low, .high = d->post.high,
                          .slope = d->post.slope, .zero = d->zero_y};
  if (b->plan->scale) post.scale = (tsr_mem)(b->plan->scale + b->filter);
  return post;
}

/* Rows of filters of 1 or 4 bytes to planes of y, whose pixels lie `apart` bytes from each other. */
static void to_planes(const struct block *b, tsr_mem from, int64_t pitch, tsr_mem to, int64_t apart) {
  const struct tsr_conv_tensor *y = &b->plan->p.y;
  int64_t size = tsr_size_of(y->type);
  if (apart == size) {
    struct tsr_step step = {.m = b->columns, .n = b->filters, .rsa = pitch, .csc = y->channel};
    b->plan->turn_y->run(&step, from, 0, to);
    return;
  }
  for (int64_t i = 0; i < b->filters; i++)
    for (int64_t j = 0; j < b->columns; j++)
      memcpy((char *)to + i * y->channel + j * apart, (const char *)from + j * pitch + i * size, (size_t)size);
}

/* What is added, from planes to rows of filters. */
static void add_to_pixels(const struct block *b, tsr_mem from, int64_t apart, tsr_mem to) {
  const struct tsr_conv_tensor *y = &b->plan->p.y;
  if (apart == 4) {
    struct tsr_step step = {.m = b->filters, .n = b->columns, .rsa = y->channel, .csc = b->filters * 4};
    b->plan->turn_y->run(&step, from, 0, to);
    return;
  }
  for (int64_t j = 0; j < b->columns; j++)
    for (int64_t i = 0; i < b->filters; i++)
      memcpy((char *)to + (j * b->filters + i) * 4, (const char *)from + i * y->channel + j * apart, 4);
}

/* Products: alpha * sums + bias + beta * y, modulo 2^32. The sums began with the bias. */
static void scale_sums(const struct block *b, tsr_mem sums, tsr_mem y, int64_t apart) {
  const struct tsr_conv_problem *p = &b->plan->p;
  uint32_t alpha = (uint32_t)(int64_t)p->alpha, beta = (uint32_t)(int64_t)p->beta;
  for (int64_t j = 0; j < b->columns; j++)
    for (int64_t i = 0; i < b->filters; i++) {
      uint32_t *s = (uint32_t *)sums + j * b->filters + i, old = 0;
      uint32_t bias = b->plan->bias ? (uint32_t)b->plan->bias[b->filter + i] : 0;
      if (beta) memcpy(&old, (const char *)y + j * apart + i * p->y.channel, 4);
      *s = alpha * (*s - bias) + bias + beta * old;
    }
}

/* From sums in the tile to y. */
static void finish_row(const struct block *b, int64_t row) {
  const struct tsr_conv_int8 *plan = b->plan;
  const struct tsr_conv_tensor *y = &plan->p.y;
  int64_t at = corner(b, row), apart = b->phase->axis[2]->every * y->dim[2], pitch = b->filters * 4;
  tsr_mem from = b->tile, to = b->call->y + (tsr_mem)at;
  struct tsr_step step = {.m = b->filters, .n = b->columns, .csa = pitch, .csc = apart};
  struct tsr_post post = post_of(b);
  if (b->call->add) post.add = b->call->add + (tsr_mem)at, post.add_ld = apart;
  if (plan->p.alpha != 1 || plan->p.beta != 0) scale_sums(b, from, to, apart);
  if (plan->p.y_last) {
    if (plan->post)
      plan->post->run(&step, from, (tsr_mem)&post, to);
    else
      for (int64_t j = 0; j < b->columns; j++)
        memcpy((char *)to + j * apart, (const char *)from + j * pitch, (size_t)pitch);
    return;
  }
  if (plan->narrows) {
    pitch = b->filters;
  } else if (plan->post) {
    step.csc = b->filters * tsr_size_of(y->type);
    if (b->call->add) {
      post.add = b->turned + (tsr_mem)(pitch * b->columns);
      post.add_ld = pitch;
      add_to_pixels(b, b->call->add + (tsr_mem)at, apart, post.add);
    }
    plan->post->run(&step, from, (tsr_mem)&post, b->turned);
    from = b->turned;
    pitch = step.csc;
  }
  to_planes(b, from, pitch, to, apart);
}

/* A part of one row. */
static void run_part(const struct block *b, int64_t row) {
  const struct tsr_conv_int8 *plan = b->plan;
  const struct tsr_int8_phase *phase = b->phase;
  const int32_t *bias = bias_of(b, row);
  int64_t pitch = b->filters * written(plan);
  tsr_mem c = b->tile;
  if (plan->direct) {
    c = b->call->y + (tsr_mem)corner(b, row);
    pitch = phase->axis[2]->every * plan->p.y.dim[2];
  }
  for (int64_t group = 0; group < plan->groups; group++) {
    int64_t first = plan->groups > 1 ? 0 : b->filter, filters = tsr_min(b->filters, plan->kg);
    tsr_mem at = c + (tsr_mem)(group * plan->kg * written(plan));
    sum_row(b, row, group, first, filters, phase->a + group * phase->group_bytes,
            bias + group * plan->kg + first, at, pitch);
    if (plan->zero_w) take_zeros(b, row, group, first, filters, at, pitch);
  }
  if (!plan->direct) finish_row(b, row);
}

/* One row of pixels of x to the band; lanes repeat each channel for its filters. */
static void load_pixels(const struct block *b, tsr_mem from, int64_t pixels, char *to) {
  const struct tsr_conv_int8 *plan = b->plan;
  const struct tsr_conv_problem *p = &plan->p;
  int64_t channels = p->groups * p->cg;
  if (plan->pixel != channels) {
    for (int64_t j = 0; j < pixels; j++)
      for (int64_t c = 0; c < channels; c++)
        memset(to + j * plan->pixel + c * p->kg, ((const char *)from)[j * p->x.dim[2] + c * p->x.channel],
               (size_t)p->kg);
  } else if (p->x_last && p->x.dim[2] == channels) {
    memcpy(to, (const char *)from, (size_t)(pixels * channels));
  } else if (p->x_last) {
    for (int64_t j = 0; j < pixels; j++)
      memcpy(to + j * channels, (const char *)from + j * p->x.dim[2], (size_t)channels);
  } else {
    struct tsr_step step = {.m = channels, .n = pixels, .rsa = p->x.channel, .csc = channels};
    plan->turn_x->run(&step, from, 0, (tsr_mem)to);
  }
}

/* Inputs [least, least + count) of a row that exist, in a band whose rest is what stands for 0. */
static void load_row(const struct block *b, tsr_mem row, int64_t least, int64_t count, char *to) {
  const struct tsr_conv_int8 *plan = b->plan;
  int64_t in = plan->p.dim[2].in, zero = plan->p.d->zero_x, pixel = plan->pixel;
  int64_t from = tsr_min(tsr_max(least, 0), in), end = tsr_max(from, tsr_min(least + count, in));
  if (!row || from == end) {
    memset(to, (int)zero, (size_t)(count * pixel));
    return;
  }
  memset(to, (int)zero, (size_t)((from - least) * pixel));
  load_pixels(b, row + (tsr_mem)(from * plan->p.x.dim[2]), end - from, to + (from - least) * pixel);
  memset(to + (end - least) * pixel, (int)zero, (size_t)((least + count - end) * pixel));
}

/* Finds the block's first window in x, or copies what the block reads to the band. */
static void load_x(struct block *b) {
  const struct tsr_conv_int8 *plan = b->plan;
  const struct tsr_conv_problem *p = &plan->p;
  const struct tsr_int8_phase *phase = b->phase;
  const struct tsr_int8_axis *const *axis = phase->axis;
  int64_t depth = b->depth * axis[0]->step + axis[0]->low, height = b->row * axis[1]->step + axis[1]->low;
  int64_t width = b->column * axis[2]->step + axis[2]->low;
  tsr_mem image = b->call->x + (tsr_mem)(b->image * p->x.image);
  if (phase->in_place) {
    b->x = image + (tsr_mem)(depth * p->x.dim[0] + height * p->x.dim[1] + width * p->x.dim[2]);
    return;
  }
  int64_t rows = (b->rows - 1) * axis[1]->step + axis[1]->high - axis[1]->low + 1;
  int64_t count = (b->columns - 1) * axis[2]->step + axis[2]->high - axis[2]->low + 1;
  b->x = (tsr_mem)b->band;
  for (int64_t d = 0; d < phase->planes; d++)
    for (int64_t h = 0; h < rows; h++) {
      bool row_there = height + h >= 0 && height + h < p->dim[1].in;
      bool there = row_there && depth + d >= 0 && depth + d < p->dim[0].in;
      if (!row_there && phase->skips) continue;
      tsr_mem row = there ? image + (tsr_mem)((depth + d) * p->x.dim[0] + (height + h) * p->x.dim[1]) : 0;
      load_row(b, row, width, count, b->band + d * phase->view[0] + h * phase->view[1]);
    }
}

/* Filters up to `end` for some pixels after the others of a row. A few pixels that would be left join the last ones. */
static void run_row(const struct block *b, int64_t row, int64_t end) {
  const struct tsr_int8_axis *width = b->phase->axis[2];
  int64_t step = b->plan->columns, most = b->plan->tiles->max_columns[b->plan->units];
  struct block part = *b;
  for (int64_t left = b->columns; left > 0; left -= part.columns) {
    part.columns = left < step + most ? left : step;
    for (part.filter = b->filter; part.filter < end; part.filter += part.filters) {
      part.filters = tsr_min(b->plan->filters, end - part.filter);
      run_part(&part, row);
    }
    part.column += part.columns;
    part.x += (tsr_mem)(part.columns * width->step * b->phase->view[2]);
  }
}

static void run_block(struct block *b, int64_t filter, int64_t end) {
  int64_t step = b->plan->by_panel ? b->plan->filters : end - filter;
  for (b->filter = filter; b->filter < end; b->filter += step)
    for (int64_t row = b->row; row < b->row + b->rows; row++) run_row(b, row, tsr_min(end, b->filter + step));
}

/* Item `index` of a phase: filters are the outermost, so that neighbours in time share weights. */
static void run_item(struct block *b, int64_t index) {
  const struct tsr_conv_int8 *plan = b->plan;
  const struct tsr_int8_phase *phase = b->phase;
  int64_t column = index % phase->column_blocks, rest = index / phase->column_blocks;
  int64_t row = rest % phase->row_blocks, all = plan->p.groups * plan->p.kg;
  rest /= phase->row_blocks;
  b->depth = rest % phase->axis[0]->count;
  rest /= phase->axis[0]->count;
  b->image = rest % plan->p.batch;
  int64_t share = rest / plan->p.batch, panels = tsr_ceil_div(all, plan->filters);
  b->row = row * phase->rows;
  b->rows = tsr_min(phase->rows, phase->axis[1]->count - b->row);
  b->column = column * phase->columns;
  b->columns = tsr_min(phase->columns, tsr_min(phase->axis[2]->count, b->call->most) - b->column);
  if (b->rows <= 0 || b->columns <= 0) return;
  load_x(b);
  run_block(b, panels * share / plan->filter_blocks * plan->filters,
            tsr_min(all, panels * (share + 1) / plan->filter_blocks * plan->filters));
}

static size_t whole_lines(size_t bytes) { return (bytes + 63) / 64 * 64; }

static void work(void *arg, int index) {
  struct call *call = arg;
  const struct tsr_conv_int8 *plan = call->plan;
  char *memory = call->workspace + tsr_conv_int8_workspace(plan) / (size_t)plan->threads * (size_t)index;
  struct block b = {.call = call, .plan = plan, .band = memory};
  b.tile = (tsr_mem)memory + whole_lines(plan->band_bytes);
  b.ones = b.tile + whole_lines(plan->tile_bytes);
  b.turned = b.ones + whole_lines(plan->ones_bytes);
  for (int64_t item; (item = atomic_fetch_add(&call->claimed, 1)) < call->items;) {
    b.phase = plan->phases;
    while (item >= b.phase->items) item -= b.phase++->items;
    run_item(&b, item);
  }
}

void tsr_conv_int8_run(const struct tsr_conv_int8 *plan, const tsr_context *context, int64_t most, const void *x,
                       const void *add, void *y, void *workspace) {
  struct call call = {.plan = plan, .most = most ? most : INT64_MAX, .x = (tsr_mem)x, .add = (tsr_mem)add,
                      .y = (tsr_mem)y, .workspace = workspace};
  for (int64_t i = 0; i < plan->nphases; i++) call.items += plan->phases[i].items;
  int64_t threads = tsr_min(plan->threads, call.items);
  if (threads <= 1) {
    work(&call, 0);
    return;
  }
  struct tsr_team team;
  tsr_team_reserve(context, (int)threads, &team);
  tsr_team_run(&team, work, &call);
}
