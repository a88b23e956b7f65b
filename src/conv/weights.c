/* Packing weights into panels: [taps in order][filters of the panel]. */
#include <string.h>

#include "src/conv/conv.h"
#include "src/conv/planes.h"
#include "src/core/threads.h"

/* The highest tile of at most so many units; a chip has one of a single unit. */
static int tile_below(const struct tsr_tiles *tiles, int64_t units) {
  int u = (int)tsr_min(units, TSR_MAX_UNITS);
  while (u > 1 && !tiles->max_columns[u]) u--;
  return u;
}

static int64_t panel_bytes(const struct tsr_conv_job *job, int units) {
  return job->p->taps * units * job->tiles->mu * job->size;
}

/* Whole panels first, then what is left by the highest tiles that fit. */
struct tsr_conv_panel tsr_conv_panel_of(const struct tsr_conv_job *job, int64_t index) {
  if (index >= job->whole) return job->tail[index - job->whole];
  int64_t rows = (int64_t)job->way->units * job->tiles->mu;
  return (struct tsr_conv_panel){.units = job->way->units, .first = index * rows, .rows = rows,
                                 .at = index * panel_bytes(job, job->way->units)};
}

struct tsr_conv_span tsr_conv_lanes_of(const struct tsr_conv_job *job, const struct tsr_conv_piece *piece) {
  struct tsr_conv_panel last = tsr_conv_panel_of(job, piece->panel + piece->panels - 1);
  int64_t first = tsr_conv_panel_of(job, piece->panel).first;
  return (struct tsr_conv_span){first, last.first + last.rows - first};
}

static int height_of(struct tsr_conv_job *job, int units) {
  for (int i = 0; i < job->heights; i++)
    if (job->height[i] == units) return i;
  job->height[job->heights] = units;
  return job->heights++;
}

static void cut_panels(struct tsr_conv_job *job) {
  int mu = job->tiles->mu, units = job->way->units;
  job->whole = job->lanes / ((int64_t)units * mu);
  if (job->whole) height_of(job, units);
  int64_t first = job->whole * units * mu, at = job->whole * panel_bytes(job, units);
  job->panels = job->whole;
  for (struct tsr_conv_panel *tail = job->tail; first < job->lanes; tail++, job->panels++) {
    int u = tile_below(job->tiles, tsr_min(units, tsr_ceil_div(job->lanes - first, mu)));
    *tail = (struct tsr_conv_panel){.units = u, .first = first, .rows = tsr_min(job->lanes - first, (int64_t)u * mu),
                                    .at = at, .height = height_of(job, u)};
    first += tail->rows;
    at += panel_bytes(job, u);
  }
  job->weights = at;
}

void tsr_conv_job_of(const tsr_context *context, const struct tsr_conv_problem *p, const struct tsr_conv_way *way,
                     struct tsr_conv_job *job) {
  bool filters = way->lanes != TSR_CONV_GROUPS;
  const struct tsr_kernels *kernels = &context->kernels[p->type];
  *job = (struct tsr_conv_job){.p = p, .way = way, .table = context->kernels, .size = tsr_size_of(p->type)};
  job->tiles = filters ? &kernels->conv : &kernels->conv_lanes;
  job->groups = filters ? p->groups : 1;
  job->inner = filters ? 1 : p->kg;
  job->lanes = filters ? p->kg : p->groups;
  for (int i = 0; i < 3; i++) job->phases[i] = p->transposed ? p->dim[i].stride : 1;
  if (way->lanes == TSR_CONV_PLANES) {
    tsr_conv_planes_job(job);
    return;
  }
  if (way->lanes == TSR_CONV_NEIGHBOURS) {
    job->panels = p->kg;
    job->weights = p->kg * p->taps * job->size;
    return;
  }
  cut_panels(job);
  int64_t rows = (int64_t)way->units * job->tiles->mu;
  int64_t most = tsr_min(way->panels * rows, job->lanes), staged = way->order == TSR_CONV_PANELS ? rows : most;
  job->band_pixel = tsr_conv_apart((filters ? p->cg : p->cg * most) * job->size);
  job->stage_pixel = tsr_conv_apart(job->inner * tsr_min(staged, job->lanes) * job->size);
}

static int64_t weight_bytes(const struct tsr_conv_job *job) {
  return tsr_round_up(job->groups * job->inner * job->weights, 64);
}
static int64_t filter_bytes(const struct tsr_conv_job *job) {
  return tsr_round_up(job->groups * job->inner * job->lanes * job->size, 64);
}

int64_t tsr_conv_packed_bytes(const struct tsr_conv_job *job) {
  return weight_bytes(job) + (job->p->bias ? filter_bytes(job) : 0) + (job->p->d->post.scale ? filter_bytes(job) : 0);
}

void tsr_conv_use_packed(struct tsr_conv_job *job, const char *packed) {
  tsr_mem after = (tsr_mem)packed + (tsr_mem)weight_bytes(job);
  job->packed = packed;
  job->bias = job->p->bias ? after : 0;
  job->scale = job->p->d->post.scale ? after + (tsr_mem)(job->bias ? filter_bytes(job) : 0) : 0;
}

/* The order of panels: filter i of a set's lanes. */
static int64_t filter_of(const struct tsr_conv_job *job, int64_t set, int64_t i) {
  return job->inner > 1 ? i * job->inner + set : set * job->lanes + i;
}

/* A bias of -0 counts as +0: then no y is -0 before its activation, and blocks without taps, which would add +0, can be
 * left out. */
static void take_bias(tsr_type type, const char *from, char *to) {
  float x;
  double wide;
  if (type == TSR_F64) {
    memcpy(&wide, from, sizeof wide);
    wide += 0.0;
    memcpy(to, &wide, sizeof wide);
  } else {
    memcpy(&x, from, sizeof x);
    x += 0.0f;
    memcpy(to, &x, sizeof x);
  }
}

static void pack_filters(const struct tsr_conv_job *job) {
  const tsr_post_ops *post = &job->p->d->post;
  int64_t size = job->size, filters = job->groups * job->inner * job->lanes;
  for (int64_t i = 0; job->bias && i < filters; i++)
    take_bias(job->p->type, (const char *)job->p->bias + filter_of(job, i / job->lanes, i % job->lanes) * size,
              (char *)job->bias + i * size);
  for (int64_t i = 0; job->scale && i < filters; i++)
    memcpy((char *)job->scale + i * size, (const char *)post->scale + (post->scales == 1 ? 0 : i) * size, (size_t)size);
}

/* Rows x `n` neighbours along k from w, `next` bytes apart in the panel. */
static void turn(const struct tsr_conv_job *job, int64_t rows, int64_t n, int64_t from, int64_t row_stride, char *to,
                 int64_t next) {
  tsr_type type = job->p->d->type_w;
  int64_t size = tsr_size_of(type);
  struct tsr_step step = {.m = rows, .n = n, .rsa = row_stride * size, .csc = next};
  job->table[type].turn[job->p->type]->run(&step, job->p->w + (tsr_mem)(from * size), 0, (tsr_mem)to);
}

/* Rows that lie side by side already, n taps `channel` elements apart. */
static void copy(const struct tsr_conv_job *job, int64_t rows, int64_t n, int64_t mr, int64_t from, int64_t channel,
                 char *to) {
  const struct tsr_conv_problem *p = job->p;
  tsr_type type = p->d->type_w;
  int64_t size = tsr_size_of(type);
  struct tsr_step step = {.m = rows, .n = n, .csa = channel * size, .csc = mr * job->size, .alpha = 1};
  tsr_mem w = p->w + (tsr_mem)(from * size);
  if (type != p->type) {
    job->table[type].convert[p->type]->run(&step, w, 0, (tsr_mem)to);
    return;
  }
  step.n = mr;
  step.k = n;
  job->table[type].pack_n[0]->run(&step, w, 0, (tsr_mem)to);
}

static void repeat_last(char *to, int64_t taps, int64_t rows, int64_t mr, int64_t size) {
  for (int64_t t = 0; rows < mr && t < taps; t++)
    for (int64_t i = rows; i < mr; i++) memcpy(to + (t * mr + i) * size, to + (t * mr + rows - 1) * size, (size_t)size);
}

static void pack_panel(const struct tsr_conv_job *job, const struct tsr_conv_panel *panel, int64_t group,
                       int64_t inner, char *to) {
  const struct tsr_conv_problem *p = job->p;
  struct tsr_conv_weights s = p->w_strides;
  bool filters = job->way->lanes == TSR_CONV_FILTERS;
  int64_t kernel = p->cg ? p->taps / p->cg : 0, mr = (int64_t)panel->units * job->tiles->mu, tap = mr * job->size;
  int64_t row = filters ? s.filter : s.group;
  int64_t from = filters ? group * s.group + panel->first * s.filter : panel->first * s.group + inner * s.filter;
  if (p->taps == 0) return;
  if (row == 1)
    for (int64_t k = 0; k < kernel; k++)
      copy(job, panel->rows, p->cg, mr, from + k * s.kernel, s.channel, to + k * p->cg * tap);
  else if (s.channel == 1 && (s.kernel == p->cg || kernel == 1))
    turn(job, panel->rows, p->taps, from, row, to, tap);
  else
    for (int64_t c = 0; c < p->cg; c++) {
      int64_t at = from + c * s.channel;
      if (s.kernel == 1)
        turn(job, panel->rows, kernel, at, row, to + c * tap, p->cg * tap);
      else
        for (int64_t k = 0; k < kernel; k++)
          turn(job, panel->rows, 1, at + k * s.kernel, row, to + (k * p->cg + c) * tap, tap);
    }
  repeat_last(to, p->taps, panel->rows, mr, job->size);
}

/* One filter's taps side by side, for lanes over neighbours. */
static void pack_filter(const struct tsr_conv_job *job, int64_t group, int64_t filter, char *to) {
  const struct tsr_conv_problem *p = job->p;
  struct tsr_conv_weights s = p->w_strides;
  int64_t from = group * s.group + filter * s.filter;
  if (s.channel == 1)
    turn(job, 1, p->taps, from, 0, to, job->size);
  else
    for (int64_t c = 0; c < p->cg; c++)
      turn(job, 1, p->taps / p->cg, from + c * s.channel, 0, to + c * job->size, p->cg * job->size);
}

struct packing {
  const struct tsr_conv_job *job;
  char *to;
  int threads;
};

static void pack_share(void *arg, int index) {
  struct packing *packing = arg;
  const struct tsr_conv_job *job = packing->job;
  const struct tsr_conv_problem *p = job->p;
  int64_t all = job->groups * job->inner * job->panels;
  for (int64_t i = index; i < all; i += packing->threads) {
    if (job->way->lanes == TSR_CONV_PLANES) {
      tsr_conv_planes_pack(job, i, packing->to);
      continue;
    }
    if (job->way->lanes == TSR_CONV_NEIGHBOURS) {
      pack_filter(job, i / p->kg, i % p->kg, packing->to + i * p->taps * job->size);
      continue;
    }
    struct tsr_conv_panel panel = tsr_conv_panel_of(job, i % job->panels);
    int64_t set = i / job->panels;
    pack_panel(job, &panel, set / job->inner, set % job->inner, packing->to + set * job->weights + panel.at);
  }
}

void tsr_conv_pack(const tsr_context *context, struct tsr_conv_job *job, char *to) {
  tsr_conv_use_packed(job, to);
  pack_filters(job);
  struct packing packing = {.job = job, .to = to, .threads = job->way->threads};
  if (packing.threads < 2) {
    packing.threads = 1;
    pack_share(&packing, 0);
    return;
  }
  struct tsr_team team;
  tsr_team_reserve(context, packing.threads, &team);
  packing.threads = team.n;
  tsr_team_run(&team, pack_share, &packing);
}
