/* Pixels that do not mix, channels first: planes.h. */
#include "src/conv/planes.h"

#include <stdatomic.h>
#include <string.h>

#include "src/core/threads.h"
#include "src/core/topology.h"

/* Pieces for a thread to claim. */
#define PIECES_PER_THREAD 4
/* Of the lanes so many percent must be pixels. */
#define LEAST_FULL 97

bool tsr_conv_planes_serves(const struct tsr_kernels *kernels, const struct tsr_conv_problem *p) {
  bool alone = p->taps == p->cg && p->dim[2].in == p->dim[2].out && p->dim[2].stride == 1 && p->dim[0].out == 1 &&
               p->dim[1].out == 1 && p->dim[0].in == 1 && p->dim[1].in == 1;
  bool plain = p->taps > 0 && p->alpha == 1 && p->beta == 0 && p->type == TSR_F32 && p->x.type == p->type &&
               p->y.type == p->type;
  return kernels->conv.mu && kernels->pack_n[0] && alone && plain && !p->x_last && !p->y_last;
}

bool tsr_conv_planes_pays(const struct tsr_kernels *kernels, const struct tsr_conv_problem *p) {
  if (!tsr_conv_planes_serves(kernels, p)) return false;
  int64_t pixels = p->dim[2].out, lanes = tsr_round_up(pixels, kernels->conv.mu);
  return 100 * pixels >= LEAST_FULL * lanes && p->kg >= kernels->conv.mu / 2;
}

/* Rough cycles of a step of k for all filters, in tenths: two fma, or two loads, a cycle, and the latency of an fma. */
static int64_t step_cycles(int64_t filters, int units, int columns) {
  int64_t cycles = 0;
  for (int64_t j = 0, c; j < filters; j += c) {
    c = tsr_next_columns(filters - j, columns, columns);
    cycles += tsr_max(tsr_max(5 * units * c, 5 * (units + c)), 40) + 2;
  }
  return cycles;
}

void tsr_conv_planes_complete(const struct tsr_kernels *kernels, const struct tsr_conv_problem *p,
                              struct tsr_conv_way *way) {
  const struct tsr_tiles *tiles = &kernels->conv;
  int given = way->units;
  way->units = 0;
  int64_t best = 0; /* in integers: a plan must raise no floating-point flag */
  for (int u = 1; u <= TSR_MAX_UNITS; u++)
    for (int c = tiles->max_columns[u]; c > 0 && (!given || given == u); c--) {
      int64_t cycles = step_cycles(p->kg, u, c);
      if (u * tiles->mu > p->dim[2].out || (best && cycles * way->units >= best * u)) continue;
      best = cycles;
      way->units = u;
      way->columns = c;
    }
  if (!way->units) way->units = way->columns = 1;
  way->order = TSR_CONV_PIXELS;
  way->band = true;
  way->staged = false;
  way->rows = 1;
  /* A piece's pixels stay in L2 while all filters pass by; the more there are, the longer the runs of y. */
  int64_t rows = (int64_t)way->units * tiles->mu, deep = tsr_min(p->taps, p->kb) * tsr_size_of(p->type);
  const struct tsr_topology *machine = tsr_topology_get();
  int64_t most = tsr_max(1, (int64_t)machine->level[machine->nlevels > 1].bytes / 3 / (rows * deep));
  int64_t tiles_of_plane = p->dim[2].out / rows;
  int64_t wanted = way->threads > 1 ? PIECES_PER_THREAD * way->threads : 1;
  int64_t pieces = tsr_max(tsr_ceil_div(tiles_of_plane, most), tsr_ceil_div(wanted, p->batch * p->groups));
  way->cols = tsr_max(1, tsr_ceil_div(tiles_of_plane, pieces)) * rows;
  way->panels = p->kg;
}

/* Filters lie apart by a line more where they would compete for the same lines of the first cache. */
static int64_t filter_bytes(const struct tsr_conv_job *job) {
  int64_t bytes = job->p->taps * job->size;
  return tsr_conv_apart(bytes);
}

/* A tile's rows; bias is repeated for so many. */
static int64_t rows_of(const struct tsr_conv_job *job) { return (int64_t)job->way->units * job->tiles->mu; }
static int64_t bias_bytes(const struct tsr_conv_job *job) { return job->p->bias ? rows_of(job) * job->size : 0; }

void tsr_conv_planes_job(struct tsr_conv_job *job) {
  job->panels = job->p->kg;
  job->weights = job->p->kg * (filter_bytes(job) + bias_bytes(job));
}

/* A group's weights, then its bias. */
static char *bias_of(const struct tsr_conv_job *job, char *group) { return group + job->p->kg * filter_bytes(job); }

void tsr_conv_planes_pack(const struct tsr_conv_job *job, int64_t index, char *to) {
  const struct tsr_conv_problem *p = job->p;
  int64_t filter = index % p->kg, size = job->size;
  char *group = to + index / p->kg * job->weights, *row = group + filter * filter_bytes(job);
  const char *from = (const char *)p->w + (index / p->kg * p->w_strides.group + filter * p->w_strides.filter) * size;
  for (int64_t c = 0; c < p->cg; c++) memcpy(row + c * size, from + c * p->w_strides.channel * size, (size_t)size);
  float bias = p->bias ? ((const float *)p->bias)[index] + 0.0f : 0;
  for (int64_t i = 0; p->bias && i < rows_of(job); i++)
    memcpy(bias_of(job, group) + (filter * rows_of(job) + i) * size, &bias, (size_t)size);
}

struct call {
  const struct tsr_conv_job *job;
  char *workspace;
  size_t worker_bytes;
  int threads;
  int64_t tiles, all;
  _Atomic int64_t claimed;
};

static size_t worker_bytes(const struct tsr_conv_job *job) {
  int64_t rows = job->way->cols;
  return (size_t)tsr_round_up(tsr_min(job->p->taps, job->p->kb) * rows * job->size, 4096) + 64;
}

size_t tsr_conv_planes_bytes(const struct tsr_conv_job *job) { return worker_bytes(job) * (size_t)job->way->threads; }

/* Tiles of one height: pixels of all filters of a group. */
struct tile {
  int64_t pixels, filter;
  int units;
  tsr_mem x, y, add;
  char *weights;
};

/* Taps k0 .. k0 + k - 1 of all filters, on pixels that are packed. */
static void multiply(const struct tsr_conv_job *job, const struct tile *tile, int64_t k0, int64_t k, tsr_mem panel) {
  const struct tsr_conv_problem *p = job->p;
  int most = (int)tsr_min(job->way->columns, job->tiles->max_columns[tile->units]);
  bool limits = !tsr_conv_needs_post(p, false);
  struct tsr_taps taps = {0, k0 * job->size, (int32_t)k, 0, 0};
  struct tsr_conv conv = {.taps = &taps, .count = 1};
  int64_t row = tile->units * job->tiles->mu * job->size;
  struct tsr_step step = {.m = tile->pixels, .csa = row, .csb = filter_bytes(job), .csc = p->y.channel, .da = k * row,
                          .dc = row, .alpha = 1};
  if (k0 == 0 && !p->bias) step.flags |= TSR_FIRST_K;
  if (k0 + k == p->taps) step.flags |= TSR_LAST_K;
  tsr_conv_limits(p, false, &conv.low, &conv.high);
  for (int64_t j = 0; j < p->kg; j += step.n) {
    int columns = tsr_next_columns(p->kg - j, most, most);
    taps.end = (int16_t)columns;
    step.n = columns;
    step.db = columns * step.csb;
    while (tsr_next_columns(p->kg - j - step.n, most, most) == columns && j + step.n < p->kg) step.n += columns;
    conv.x = (tsr_mem)tile->weights + (tsr_mem)(j * step.csb);
    if (tile->add && limits) conv.add = tile->add + (tsr_mem)(j * p->y.channel);
    job->tiles->tile[tile->units][columns]->run(&step, panel, (tsr_mem)&conv, tile->y + (tsr_mem)(j * p->y.channel));
  }
}

static void begin_with_bias(const struct tsr_conv_job *job, const struct tile *tile) {
  struct tsr_step step = {.n = job->p->kg, .csa = bias_bytes(job), .csc = job->p->y.channel, .alpha = 1};
  const struct tsr_kernels *kernels = &job->table[job->p->type];
  for (int64_t i = 0; i < tile->pixels; i += rows_of(job)) {
    step.m = tsr_min(rows_of(job), tile->pixels - i);
    kernels->convert[job->p->type]->run(&step, (tsr_mem)bias_of(job, tile->weights), 0,
                                         tile->y + (tsr_mem)(i * job->size));
  }
}

static void run_tile(const struct tsr_conv_job *job, const struct tile *tile, tsr_mem panel) {
  const struct tsr_conv_problem *p = job->p;
  const struct tsr_kernels *kernels = &job->table[p->type];
  int64_t mr = (int64_t)tile->units * job->tiles->mu;
  if (p->bias) begin_with_bias(job, tile);
  for (int64_t k0 = 0; k0 < p->taps; k0 += p->kb) {
    int64_t k = tsr_min(p->kb, p->taps - k0);
    struct tsr_step pack = {.m = tile->pixels, .n = mr, .k = k, .csa = p->x.channel, .dc = k * mr * job->size};
    kernels->pack_n[0]->run(&pack, tile->x + (tsr_mem)(k0 * p->x.channel), 0, panel);
    multiply(job, tile, k0, k, panel);
  }
  if (!tsr_conv_needs_post(p, false)) return;
  struct tsr_post post = tsr_conv_post_of(job, tile->filter, (int64_t)(tile->y - p->y.at), p->y.channel);
  struct tsr_step step = {.m = tile->pixels, .n = p->kg, .csa = p->y.channel, .csc = p->y.channel};
  post.across = true;
  kernels->post[p->type]->run(&step, tile->y, (tsr_mem)&post, tile->y);
}

/* The last tile of a plane takes the lowest kernel that covers what is left. */
static int units_for(const struct tsr_conv_job *job, int64_t pixels) {
  int units = job->way->units;
  for (int u = units; u > 0; u--)
    if (job->tiles->max_columns[u] && (int64_t)u * job->tiles->mu >= pixels) units = u;
  return units;
}

/* Whole tiles, then what is left. */
static void run_piece(const struct tsr_conv_job *job, struct tile *tile, tsr_mem panel) {
  int64_t all = tile->pixels, whole = all / rows_of(job) * rows_of(job);
  tsr_mem moved = (tsr_mem)(whole * job->size);
  tile->units = job->way->units;
  tile->pixels = whole;
  if (whole > 0) run_tile(job, tile, panel);
  if (whole == all) return;
  tile->pixels = all - whole;
  tile->units = units_for(job, tile->pixels);
  tile->x += moved;
  tile->y += moved;
  if (tile->add) tile->add += moved;
  run_tile(job, tile, panel);
}

static void body(void *arg, int index) {
  struct call *call = arg;
  const struct tsr_conv_job *job = call->job;
  const struct tsr_conv_problem *p = job->p;
  if (index >= call->threads) return;
  tsr_mem panel = (tsr_mem)call->workspace + (tsr_mem)((size_t)index * call->worker_bytes);
  for (int64_t i; (i = atomic_fetch_add(&call->claimed, 1)) < call->all;) {
    int64_t first = i % call->tiles * job->way->cols, group = i / call->tiles % p->groups;
    int64_t image = i / call->tiles / p->groups;
    int64_t at = image * p->y.image + group * p->kg * p->y.channel + first * p->y.dim[2];
    struct tile tile = {.pixels = tsr_min(job->way->cols, p->dim[2].out - first), .filter = group * p->kg,
                        .y = p->y.at + (tsr_mem)at, .add = p->add ? p->add + (tsr_mem)at : 0,
                        .weights = (char *)job->packed + group * job->weights};
    tile.x = p->x.at + (tsr_mem)(image * p->x.image + group * p->cg * p->x.channel + first * p->x.dim[2]);
    run_piece(job, &tile, panel);
  }
}

void tsr_conv_planes_run(const tsr_context *context, const struct tsr_conv_job *job, void *workspace) {
  const struct tsr_conv_problem *p = job->p;
  struct call call = {.job = job, .workspace = workspace, .worker_bytes = worker_bytes(job),
                      .threads = job->way->threads, .tiles = tsr_ceil_div(p->dim[2].out, job->way->cols)};
  call.all = call.tiles * p->groups * p->batch;
  if (call.threads < 2) {
    body(&call, 0);
    return;
  }
  struct tsr_team team;
  tsr_team_reserve(context, call.threads, &team);
  call.threads = team.n;
  tsr_team_run(&team, body, &call);
}
