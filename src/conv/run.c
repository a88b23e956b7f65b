/* The loops: pieces of output claimed by threads; in a piece tiles of pixels and panels of weights. */
#include <math.h>
#include <stdatomic.h>

#include "src/conv/conv.h"
#include "src/core/threads.h"

struct call {
  const struct tsr_conv_job *job;
  char *workspace;
  size_t worker_bytes;
  int threads;
  int64_t count[7]; /* pieces along image, group, depth, rows, columns, panels; all */
  _Atomic int64_t claimed;
};

/* What a worker has at hand in a piece. */
struct worker {
  const struct tsr_conv_job *job;
  const struct tsr_conv_piece *piece;
  struct tsr_conv_lists lists;
  struct tsr_conv_view view;
  char *band;
  tsr_mem stage, turned;
  double low, high;
};

static int64_t stage_bytes(const struct tsr_conv_job *job) {
  const struct tsr_conv_way *way = job->way;
  int64_t rows = way->order == TSR_CONV_PANELS ? way->rows : 1;
  return way->staged ? tsr_round_up(rows * way->cols * job->stage_pixel, 64) + 64 : 0;
}

/* One row of pixels is turned at a time. */
static int64_t turned_bytes(const struct tsr_conv_job *job) {
  bool turns = job->inner > 1 || (!job->p->y_last && tsr_conv_needs_post(job->p, true));
  return job->way->staged && turns ? tsr_round_up(job->way->cols * job->stage_pixel, 64) + 64 : 0;
}

static size_t worker_bytes(const struct tsr_conv_job *job) {
  int64_t bytes = tsr_conv_band_bytes(job) + stage_bytes(job) + turned_bytes(job);
  return (size_t)tsr_round_up(bytes + (int64_t)tsr_conv_lists_bytes(job), 4096) + 64;
}

size_t tsr_conv_workspace_bytes(const struct tsr_conv_job *job) { return worker_bytes(job) * (size_t)job->way->threads; }

/* Where sums of a row go: the pixel number 0 and its filter number 0. */
struct target {
  tsr_mem at, add;
  int64_t pixel;
};

/* Filters [first, ..) of the inner filter `inner`, of `all` such that the stage holds. */
static struct target target_of(const struct worker *w, int64_t row, int64_t first, int64_t inner, int64_t all) {
  const struct tsr_conv_piece *piece = w->piece;
  const struct tsr_conv_job *job = w->job;
  const struct tsr_conv_tensor *y = &job->p->y;
  if (job->way->staged) {
    int64_t line = job->way->order == TSR_CONV_PANELS ? row - piece->row : 0;
    int64_t at = (line * piece->cols - piece->col) * job->stage_pixel + inner * all * job->size;
    return (struct target){w->stage + (tsr_mem)at, 0, job->stage_pixel};
  }
  tsr_mem at = (tsr_mem)(piece->image * y->image + piece->depth * y->dim[0] + row * y->dim[1] +
                         (piece->group * job->lanes + first) * y->channel);
  bool adds = job->p->add && !tsr_conv_needs_post(job->p, false);
  return (struct target){y->at + at, adds ? job->p->add + at : 0, y->dim[2]};
}

/* Panels of one height from `panel` on: how many, of those up to `end`. */
static int64_t same_height(const struct tsr_conv_job *job, const struct tsr_conv_panel *panel, int64_t index,
                           int64_t end) {
  int64_t whole = job->lanes / ((int64_t)job->way->units * job->tiles->mu);
  return panel->units == job->way->units && index < whole ? tsr_min(whole, end) - index : 1;
}

/* One strip, one block of taps, panels of one height. */
static void run_strip(const struct worker *w, const struct tsr_conv_row *row, const struct tsr_conv_strip *strip,
                      int64_t block, const struct tsr_conv_panel *panel, int64_t rows, int64_t inner,
                      const struct target *target) {
  const struct tsr_conv_job *job = w->job;
  const struct tsr_conv_problem *p = job->p;
  int64_t blocks = tsr_conv_blocks(p), mr = (int64_t)panel->units * job->tiles->mu;
  int64_t set = job->groups > 1 ? w->piece->group : inner, pixels = p->transposed ? 1 : p->dim[2].stride;
  const struct tsr_conv_list *list = &strip->blocks[tsr_conv_height_index(job, panel->units) * blocks + block];
  bool filters = job->way->lanes == TSR_CONV_FILTERS;
  int64_t at = strip->pixel * target->pixel;
  struct tsr_step step = {.m = rows, .n = (int64_t)strip->columns * strip->tiles, .csa = mr * job->size,
                          .csb = pixels * w->view.dim[2], .csc = job->phases[2] * target->pixel,
                          .da = p->taps * mr * job->size, .dc = mr * job->size, .alpha = p->alpha};
  step.db = strip->columns * step.csb;
  if (!filters) step.rsb = p->cg == 1 ? (p->transposed ? 1 : p->dim[2].dilation) * w->view.dim[2] : p->groups * job->size;
  if (block == 0 && p->beta == 0) step.flags |= TSR_FIRST_K;
  if (block + 1 == blocks) step.flags |= TSR_LAST_K;
  tsr_mem lane = filters ? (tsr_mem)(w->piece->group * p->cg * job->size) : (tsr_mem)(panel->first * job->size);
  struct tsr_conv conv = {.taps = list->taps, .count = list->count,
                          .x = w->view.at + (tsr_mem)(row->origin + strip->x) + lane,
                          .add = target->add ? target->add + (tsr_mem)at : 0, .dx = mr * job->size,
                          .low = w->low, .high = w->high};
  if (job->bias) conv.bias = job->bias + (tsr_mem)((set * job->lanes + panel->first) * job->size);
  const char *weights = job->packed + set * job->weights + panel->at;
  job->tiles->tile[panel->units][strip->columns]->run(&step, (tsr_mem)weights, (tsr_mem)&conv,
                                                      target->at + (tsr_mem)at);
}

/* All blocks and panels for one strip after the other. */
static void run_row_of_pixels(struct worker *w, int64_t row) {
  const struct tsr_conv_job *job = w->job;
  const struct tsr_conv_piece *piece = w->piece;
  const struct tsr_conv_row *listed = &w->lists.rows[0];
  int64_t first = tsr_conv_panel_of(job, piece->panel).first, end = piece->panel + piece->panels;
  struct tsr_conv_panel last = tsr_conv_panel_of(job, end - 1);
  int64_t all = last.first + last.rows - first;
  if (job->p->beta != 0) tsr_conv_start(job, piece, row, first, all, w->stage);
  tsr_conv_list_row(job, piece, &w->view, &w->lists, row, 0, true);
  for (int64_t s = 0; s < listed->count; s++)
    for (int64_t block = 0; block < tsr_conv_blocks(job->p); block++)
      for (int64_t inner = 0; inner < job->inner; inner++)
        for (int64_t i = piece->panel, n; i < end; i += n) {
          struct tsr_conv_panel panel = tsr_conv_panel_of(job, i);
          n = same_height(job, &panel, i, end);
          int64_t rows = tsr_min((n - 1) * panel.units * job->tiles->mu + panel.rows, job->lanes - panel.first);
          struct target target = target_of(w, row, panel.first, inner, all);
          if (job->way->staged) target.at += (tsr_mem)((panel.first - first) * job->size);
          run_strip(w, listed, &listed->strips[s], block, &panel, rows, inner, &target);
        }
  if (job->way->staged)
    tsr_conv_finish(job, piece, row, first, all, w->stage, w->turned);
  else if (tsr_conv_needs_post(job->p, false))
    tsr_conv_post_in_place(job, piece, row, first, all);
}

static void run_pixels(struct worker *w) {
  tsr_conv_lists_clear(&w->lists);
  for (int64_t i = 0; i < w->piece->rows; i++) run_row_of_pixels(w, w->piece->row + i);
}

/* One block of one panel for all pixels of the piece. */
static void run_block(struct worker *w, const struct tsr_conv_panel *panel, int64_t inner, int64_t block) {
  for (int64_t i = 0; i < w->piece->rows; i++) {
    const struct tsr_conv_row *row = &w->lists.rows[i];
    struct target target = target_of(w, w->piece->row + i, panel->first, inner, panel->rows);
    for (int64_t s = 0; s < row->count; s++)
      run_strip(w, row, &row->strips[s], block, panel, panel->rows, inner, &target);
  }
}

static tsr_mem stage_of(const struct worker *w, int64_t i) {
  return w->stage + (tsr_mem)(i * w->piece->cols * w->job->stage_pixel);
}

static void start_rows(const struct worker *w, const struct tsr_conv_panel *panel) {
  for (int64_t i = 0; w->job->p->beta != 0 && i < w->piece->rows; i++)
    tsr_conv_start(w->job, w->piece, w->piece->row + i, panel->first, panel->rows, stage_of(w, i));
}

static void run_panels(struct worker *w) {
  const struct tsr_conv_job *job = w->job;
  const struct tsr_conv_piece *piece = w->piece;
  tsr_conv_lists_clear(&w->lists);
  for (int64_t i = 0; i < piece->rows; i++)
    tsr_conv_list_row(job, piece, &w->view, &w->lists, piece->row + i, i, false);
  for (int64_t index = piece->panel; index < piece->panel + piece->panels; index++) {
    struct tsr_conv_panel panel = tsr_conv_panel_of(job, index);
    start_rows(w, &panel);
    for (int64_t inner = 0; inner < job->inner; inner++)
      for (int64_t block = 0; block < tsr_conv_blocks(job->p); block++) run_block(w, &panel, inner, block);
    for (int64_t i = 0; i < piece->rows; i++) {
      if (job->way->staged)
        tsr_conv_finish(job, piece, piece->row + i, panel.first, panel.rows, stage_of(w, i), w->turned);
      else if (tsr_conv_needs_post(job->p, false))
        tsr_conv_post_in_place(job, piece, piece->row + i, panel.first, panel.rows);
    }
  }
}

static void cut(int64_t all, int64_t most, int64_t index, int64_t *first, int64_t *count) {
  *first = index * most;
  *count = tsr_min(most, all - *first);
}

/* Piece number `index`: panels change slowest within an image, so that threads side by side share them. */
static struct tsr_conv_piece piece_of(const struct call *call, int64_t index) {
  const struct tsr_conv_problem *p = call->job->p;
  const struct tsr_conv_way *way = call->job->way;
  struct tsr_conv_piece piece;
  cut(p->dim[2].out, way->cols, index % call->count[4], &piece.col, &piece.cols);
  index /= call->count[4];
  cut(p->dim[1].out, way->rows, index % call->count[3], &piece.row, &piece.rows);
  index /= call->count[3];
  piece.depth = index % call->count[2];
  index /= call->count[2];
  cut(call->job->panels, way->panels, index % call->count[5], &piece.panel, &piece.panels);
  index /= call->count[5];
  piece.group = index % call->count[1];
  piece.image = index / call->count[1];
  return piece;
}

static void set_limits(struct worker *w) {
  const tsr_post_ops *post = &w->job->p->d->post;
  bool here = !tsr_conv_needs_post(w->job->p, w->job->way->staged);
  w->low = here && post->activation == TSR_CLIP ? post->low : here && post->activation == TSR_RELU ? 0 : -INFINITY;
  w->high = here && post->activation == TSR_CLIP ? post->high : INFINITY;
}

static void lay_out(struct worker *w, char *memory) {
  const struct tsr_conv_job *job = w->job;
  tsr_conv_lists_init(job, &w->lists, memory);
  memory += tsr_conv_lists_bytes(job);
  w->band = memory;
  w->stage = (tsr_mem)memory + (tsr_mem)tsr_conv_band_bytes(job);
  w->turned = w->stage + (tsr_mem)stage_bytes(job);
}

static void body(void *arg, int index) {
  struct call *call = arg;
  const struct tsr_conv_problem *p = call->job->p;
  struct worker w = {.job = call->job};
  if (index >= call->threads) return;
  lay_out(&w, call->workspace + (size_t)index * call->worker_bytes);
  set_limits(&w);
  for (int64_t i; (i = atomic_fetch_add(&call->claimed, 1)) < call->count[6];) {
    struct tsr_conv_piece piece = piece_of(call, i);
    w.piece = &piece;
    w.view.at = p->x.at + (tsr_mem)(piece.image * p->x.image);
    for (int k = 0; k < 3; k++) w.view.dim[k] = p->x.dim[k];
    if (w.job->way->band && p->taps > 0) tsr_conv_load_band(w.job, &piece, w.band, &w.view);
    if (w.job->way->order == TSR_CONV_PANELS)
      run_panels(&w);
    else
      run_pixels(&w);
  }
}

void tsr_conv_run_all(const tsr_context *context, const struct tsr_conv_job *job, void *workspace) {
  const struct tsr_conv_problem *p = job->p;
  const struct tsr_conv_way *way = job->way;
  struct call call = {.job = job, .workspace = workspace, .worker_bytes = worker_bytes(job), .threads = way->threads};
  int64_t count[6] = {p->batch, job->groups, p->dim[0].out, tsr_ceil_div(p->dim[1].out, way->rows),
                      tsr_ceil_div(p->dim[2].out, way->cols), tsr_ceil_div(job->panels, way->panels)};
  call.count[6] = 1;
  for (int i = 0; i < 6; i++) call.count[6] *= call.count[i] = count[i];
  if (way->threads < 2) {
    body(&call, 0);
    return;
  }
  struct tsr_team team;
  tsr_team_reserve(context, way->threads, &team);
  call.threads = team.n;
  tsr_team_run(&team, body, &call);
}
