/* Lanes over neighbours: the loops. */
#include "src/conv/near.h"

#include <stdatomic.h>

#include "src/core/threads.h"

struct call {
  const struct tsr_conv_job *job;
  char *workspace;
  size_t worker_bytes;
  int threads, regions;
  struct tsr_near_region region[TSR_NEAR_REGIONS];
  int64_t planes, pieces; /* of all; pieces of a plane */
  _Atomic int64_t claimed;
};

struct worker {
  const struct tsr_conv_job *job;
  struct tsr_near_piece piece;
  struct tsr_near_lists lists;
  struct tsr_near_band band;
  struct tsr_near_tiles tile[TSR_NEAR_TILES];
  int tiles;
  int64_t pitch; /* of the stage: bytes from column to column */
  tsr_mem stage, turned;
  double low, high;
};

/* --- memory ------------------------------------------------------------------------------------------------------- */

/* Outputs of a line's places in the stage, at most. */
static int64_t pitch_of(const struct tsr_conv_job *job, int64_t count) {
  int64_t tile = (int64_t)job->way->units * job->tiles->mu;
  return tsr_round_up((count + tile) * job->size, 64) + 64;
}

/* The widest piece of all regions. */
static int64_t most_outputs(const struct tsr_conv_job *job) {
  int64_t most = tsr_max(job->p->dim[1].out, job->p->dim[2].out);
  return tsr_min(most, job->way->cols);
}

static int64_t stage_bytes(const struct tsr_conv_job *job) {
  return (tsr_near_streams(job->way) ? 2 * TSR_NEAR_PLACES : 1) * job->p->kg * pitch_of(job, most_outputs(job));
}

static int64_t turned_bytes(const struct tsr_conv_job *job) {
  return tsr_round_up(job->p->kg * most_outputs(job) * job->size, 64);
}

static int64_t band_bytes(const struct tsr_conv_job *job) {
  struct tsr_near_region region[TSR_NEAR_REGIONS];
  int64_t most = 0, along, across;
  int n = tsr_near_regions(job, region);
  for (int i = 0; i < n; i++) {
    struct tsr_near_piece piece = {.job = job, .at = region[i]};
    tsr_near_pieces(job, &region[i], &along, &across);
    piece.at.count = tsr_ceil_div(piece.at.count, along);
    tsr_near_lay_out(&piece);
    most = tsr_max(most, tsr_near_band_bytes(&piece));
  }
  return tsr_round_up(most, 64) + 64;
}

static size_t worker_bytes(const struct tsr_conv_job *job) {
  int64_t bytes = tsr_near_lists_bytes(job) + band_bytes(job) + stage_bytes(job) + turned_bytes(job);
  return (size_t)tsr_round_up(bytes, 4096) + 64;
}

size_t tsr_near_workspace_bytes(const struct tsr_conv_job *job) {
  return worker_bytes(job) * (size_t)job->way->threads;
}

static void lay_out(struct worker *w, char *memory) {
  const struct tsr_conv_job *job = w->job;
  tsr_near_lists_init(job, &w->lists, memory);
  memory += tsr_near_lists_bytes(job);
  w->band.memory = memory;
  memory += band_bytes(job);
  w->stage = (tsr_mem)memory;
  w->turned = w->stage + (tsr_mem)stage_bytes(job);
}

/* --- a piece ------------------------------------------------------------------------------------------------------ */

/* Puts the bias of all filters of the group into all places of the stage. */
static void start(struct worker *w) {
  const struct tsr_conv_job *job = w->job;
  const struct tsr_near_tiles *last = &w->tile[w->tiles - 1];
  int64_t places = last->slot + last->number * last->units * job->tiles->mu;
  tsr_mem bias = job->bias + (tsr_mem)(w->piece.group * job->p->kg * job->size);
  struct tsr_step step = {.m = places, .n = job->p->kg, .csc = w->pitch};
  if (job->bias) job->table[job->p->type].turn[job->p->type]->run(&step, bias, 0, w->stage);
}

static void multiply(struct worker *w, int64_t line) {
  const struct tsr_conv_job *job = w->job;
  const struct tsr_conv_problem *p = job->p;
  const struct tsr_conv_dim *across = &p->dim[w->piece.at.across];
  int64_t filter = p->taps * job->size;
  int64_t from = (line * across->stride - across->pad - w->band.origin) * w->piece.input;
  struct tsr_step step = {.csa = w->piece.channel, .csb = filter, .csc = w->pitch, .n = p->kg, .alpha = 1};
  struct tsr_conv conv = {.low = w->low, .high = w->high};
  conv.x = (tsr_mem)job->packed + (tsr_mem)(w->piece.group * p->kg * filter);
  for (int i = 0; i < w->tiles; i++) {
    const struct tsr_near_tiles *tile = &w->tile[i];
    int64_t height = (int64_t)tile->units * job->tiles->mu;
    step.m = tile->number * height;
    step.da = step.dc = height * job->size;
    for (int64_t b = 0; b < tsr_conv_blocks(p); b++) {
      step.flags = (b == 0 && !job->bias ? TSR_FIRST_K : 0) | (b + 1 == tsr_conv_blocks(p) ? TSR_LAST_K : 0);
      conv.taps = w->lists.blocks[b].taps;
      conv.count = w->lists.blocks[b].count;
      tsr_mem a = (tsr_mem)w->band.memory + (tsr_mem)(from + tile->lane * job->size);
      job->tiles->tile[tile->units][p->kg]->run(&step, a, (tsr_mem)&conv, w->stage + (tsr_mem)(tile->slot * job->size));
    }
  }
}

/* Of each tile those outputs that the ones before it have not computed. */
static void finish(struct worker *w, int64_t line) {
  const struct tsr_conv_job *job = w->job;
  if (w->piece.at.single) {
    tsr_near_finish(&w->piece, 0, job->p->kg, line, 0, 1, w->stage, w->pitch, w->turned);
    return;
  }
  for (int64_t i = 0, done = 0, end; i < w->tiles; i++, done = end) {
    const struct tsr_near_tiles *tile = &w->tile[i];
    end = tile->lane + tile->number * tile->units * job->tiles->mu;
    tsr_mem sums = w->stage + (tsr_mem)((tile->slot + done - tile->lane) * job->size);
    tsr_near_finish(&w->piece, 0, job->p->kg, line, done, end - done, sums, w->pitch, w->turned);
  }
}

static void run_line(struct worker *w, int64_t line) {
  int64_t least, most;
  tsr_conv_inputs(w->job->p, w->piece.at.across, line, 1, &least, &most);
  if (least <= most) tsr_near_load(&w->piece, &w->band, least, most);
  tsr_near_list(&w->piece, &w->lists, line);
  start(w);
  multiply(w, line);
  finish(w, line);
}

static void run_piece(struct worker *w) {
  const struct tsr_near_region *at = &w->piece.at;
  const struct tsr_conv_job *job = w->job;
  tsr_near_lay_out(&w->piece);
  w->band.origin = w->band.end = 0;
  w->lists.made_for[0] = -1;
  w->pitch = pitch_of(job, at->single ? job->tiles->mu : at->count);
  if (tsr_near_streams(job->way) && at->across == 1 && !at->single) {
    tsr_near_stream(&w->piece, &w->band, w->stage, w->pitch, w->turned);
    return;
  }
  w->tiles = tsr_near_cut(job->tiles, at->single ? 1 : job->way->units, (int)job->p->kg,
                          at->single ? job->tiles->mu : at->count, w->tile);
  for (int64_t line = at->line; line < at->line + at->lines; line++) run_line(w, line);
}

/* --- all ---------------------------------------------------------------------------------------------------------- */

/* Part number `index` of `parts` of much the same size. */
static void cut(int64_t all, int64_t parts, int64_t index, int64_t *first, int64_t *count) {
  int64_t begin = all * index / parts, end = all * (index + 1) / parts;
  *first += begin;
  *count = end - begin;
}

/* Piece number `index` of a plane's regions. */
static struct tsr_near_region part_of(const struct call *call, int64_t index) {
  for (const struct tsr_near_region *region = call->region;; region++) {
    int64_t along, across;
    tsr_near_pieces(call->job, region, &along, &across);
    if (index >= along * across) {
      index -= along * across;
      continue;
    }
    struct tsr_near_region part = *region;
    cut(region->count, along, index % along, &part.first, &part.count);
    int64_t rows = across > 1 ? call->job->way->rows : region->lines, from = index / along * rows;
    part.line += from;
    part.lines = tsr_min(rows, region->lines - from);
    return part;
  }
}

static void run_index(struct worker *w, const struct call *call, int64_t index) {
  const struct tsr_conv_problem *p = w->job->p;
  struct tsr_near_region part = part_of(call, index % call->pieces);
  int64_t plane = index / call->pieces;
  w->piece = (struct tsr_near_piece){.job = w->job, .at = part};
  w->piece.depth = plane % p->dim[0].out;
  plane /= p->dim[0].out;
  w->piece.group = plane % p->groups;
  w->piece.image = plane / p->groups;
  if (!part.single) {
    run_piece(w);
    return;
  }
  w->piece.at.count = 1;
  for (int64_t i = 0; i < part.count; i++) {
    w->piece.at.first = part.first + i;
    run_piece(w);
  }
}

static void body(void *arg, int index) {
  struct call *call = arg;
  struct worker w = {.job = call->job};
  if (index >= call->threads) return;
  lay_out(&w, call->workspace + (size_t)index * call->worker_bytes);
  tsr_conv_limits(call->job->p, true, &w.low, &w.high);
  for (int64_t i; (i = atomic_fetch_add(&call->claimed, 1)) < call->planes * call->pieces;) run_index(&w, call, i);
}

void tsr_near_run(const tsr_context *context, const struct tsr_conv_job *job, void *workspace) {
  const struct tsr_conv_problem *p = job->p;
  struct call call = {.job = job, .workspace = workspace, .worker_bytes = worker_bytes(job)};
  call.threads = job->way->threads;
  call.regions = tsr_near_regions(job, call.region);
  call.planes = p->batch * p->groups * p->dim[0].out;
  for (int i = 0; i < call.regions; i++) {
    int64_t along, across;
    tsr_near_pieces(job, &call.region[i], &along, &across);
    call.pieces += along * across;
  }
  if (call.threads < 2) {
    body(&call, 0);
    return;
  }
  struct tsr_team team;
  tsr_team_reserve(context, call.threads, &team);
  call.threads = team.n;
  tsr_team_run(&team, body, &call);
}
