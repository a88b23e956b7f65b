/* The loops: pieces of output claimed by threads; in a piece tiles of pixels and panels of weights. */
#include <stdatomic.h>

#include "src/conv/conv.h"
#include "src/conv/near.h"
#include "src/conv/planes.h"
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

size_t tsr_conv_workspace_bytes(const struct tsr_conv_job *job) {
  if (job->way->lanes == TSR_CONV_NEIGHBOURS) return tsr_near_workspace_bytes(job);
  if (job->way->lanes == TSR_CONV_PLANES) return tsr_conv_planes_bytes(job);
  return worker_bytes(job) * (size_t)job->way->threads;
}

/* What all strips of some panels and a block of taps have in common. Panels are of one height. */
struct task {
  struct tsr_step step;
  struct tsr_conv conv;
  const struct tsr_kernel *const *tile; /* by columns */
  tsr_mem weights, x, y, add;           /* of pixel 0 of the piece's first row */
  int64_t pixel, row, lists;            /* bytes from pixel to pixel and row to row of y; first of a strip's blocks */
  int64_t block;
  bool begins;                          /* y begins with bias or +0 in the first block, not with what it is */
};

static void set_target(const struct worker *w, struct task *task, int64_t first, int64_t at) {
  const struct tsr_conv_piece *piece = w->piece;
  const struct tsr_conv_job *job = w->job;
  const struct tsr_conv_tensor *y = &job->p->y;
  if (job->way->staged) {
    task->pixel = job->stage_pixel;
    task->row = job->way->order == TSR_CONV_PANELS ? piece->cols * job->stage_pixel : 0;
    task->y = w->stage + (tsr_mem)(at * job->size - piece->col * job->stage_pixel);
    return;
  }
  tsr_mem offset = (tsr_mem)(piece->image * y->image + piece->depth * y->dim[0] + piece->row * y->dim[1] +
                             (piece->group * job->lanes + first) * y->channel);
  task->pixel = y->dim[2];
  task->row = y->dim[1];
  task->y = y->at + offset;
  if (job->p->add && !tsr_conv_needs_post(job->p, false)) task->add = job->p->add + offset;
}

/* `rows` rows of panels of one height from `panel` on; `at`: their place in the stage's pixels. */
static struct task task_of(const struct worker *w, const struct tsr_conv_panel *panel, int64_t rows, int64_t inner,
                           int64_t block, int64_t at) {
  const struct tsr_conv_job *job = w->job;
  const struct tsr_conv_problem *p = job->p;
  bool filters = job->way->lanes == TSR_CONV_FILTERS;
  int64_t mr = (int64_t)panel->units * job->tiles->mu, set = job->groups > 1 ? w->piece->group : inner;
  int64_t lane = filters ? w->piece->group * p->cg : panel->first;
  if (job->way->band) lane = filters ? 0 : panel->first - tsr_conv_panel_of(job, w->piece->panel).first;
  struct task task = {.tile = job->tiles->tile[panel->units], .lists = panel->height * tsr_conv_blocks(p) + block,
                      .block = block, .begins = p->beta == 0};
  set_target(w, &task, panel->first, at);
  task.step = (struct tsr_step){.m = rows, .csa = mr * job->size, .rsb = job->size, .csb = w->view.dim[2],
                                .csc = job->phases[2] * task.pixel, .da = p->taps * mr * job->size,
                                .dc = mr * job->size, .alpha = p->alpha};
  if (!p->transposed) task.step.csb *= p->dim[2].stride;
  if (!filters && p->cg > 1) task.step.rsb = w->view.lanes * job->size;
  if (!filters && p->cg == 1) task.step.rsb = (p->transposed ? 1 : p->dim[2].dilation) * w->view.dim[2];
  task.conv = (struct tsr_conv){.dx = mr * job->size, .low = w->low, .high = w->high};
  if (job->bias) task.conv.bias = job->bias + (tsr_mem)((set * job->lanes + panel->first) * job->size);
  task.x = w->view.at + (tsr_mem)(lane * job->size);
  task.weights = (tsr_mem)job->packed + (tsr_mem)(set * job->weights + panel->at);
  return task;
}

/* A block of which a strip has no taps is left out. */
static bool has_block(const struct tsr_conv_strip *strip, int64_t block) {
  return strip->blocks[block].count > 0 || block == strip->first;
}

/* Row number i of the piece. */
static void run_strip(struct task *task, const struct tsr_conv_row *row, const struct tsr_conv_strip *strip,
                      int64_t i) {
  const struct tsr_conv_list *list = &strip->blocks[task->lists];
  if (!has_block(strip, task->block)) return;
  task->step.flags &= ~(uint64_t)(TSR_FIRST_K | TSR_LAST_K);
  if (task->block == strip->first && task->begins) task->step.flags |= TSR_FIRST_K;
  if (task->block == strip->last) task->step.flags |= TSR_LAST_K;
  tsr_mem at = (tsr_mem)(i * task->row + strip->pixel * task->pixel);
  task->step.n = (int64_t)strip->columns * strip->tiles;
  task->step.db = strip->columns * task->step.csb;
  task->conv.taps = list->taps;
  task->conv.count = list->count;
  task->conv.x = task->x + (tsr_mem)(row->origin + strip->x);
  if (task->add) task->conv.add = task->add + at;
  task->tile[strip->columns]->run(&task->step, task->weights, (tsr_mem)&task->conv, task->y + at);
}

/* All blocks and panels for one strip after the other. */
static void run_row_of_pixels(struct worker *w, int64_t i) {
  const struct tsr_conv_job *job = w->job;
  const struct tsr_conv_piece *piece = w->piece;
  const struct tsr_conv_row *row = &w->lists.rows[0];
  struct tsr_conv_span span = tsr_conv_lanes_of(job, piece);
  int64_t end = piece->panel + piece->panels;
  if (job->p->beta != 0) tsr_conv_start(job, piece, piece->row + i, span.first, span.count, w->stage);
  tsr_conv_list_row(job, piece, &w->view, &w->lists, piece->row + i, 0, true);
  for (int64_t s = 0; s < row->count; s++)
    for (int64_t block = 0; block < tsr_conv_blocks(job->p); block++)
      for (int64_t inner = 0; inner < job->inner && has_block(&row->strips[s], block); inner++)
        for (int64_t k = piece->panel, n; k < end; k += n) {
          struct tsr_conv_panel panel = tsr_conv_panel_of(job, k);
          n = k < job->whole ? tsr_min(job->whole, end) - k : 1;
          int64_t at = inner * span.count + panel.first - span.first;
          struct task task = task_of(w, &panel, n * panel.rows, inner, block, at);
          run_strip(&task, row, &row->strips[s], i);
        }
  if (job->way->staged)
    tsr_conv_finish(job, piece, piece->row + i, span.first, span.count, w->stage, w->turned);
  else if (tsr_conv_needs_post(job->p, false))
    tsr_conv_post_in_place(job, piece, piece->row + i, span.first, span.count);
}

static void run_pixels(struct worker *w) {
  tsr_conv_lists_clear(&w->lists);
  for (int64_t i = 0; i < w->piece->rows; i++) run_row_of_pixels(w, i);
}

/* Rows from number i on that see the same taps: lanes over groups take them as tiles one under the other, for which the
 * panel must have no lanes to spare. */
static int64_t rows_alike(const struct worker *w, const struct tsr_conv_panel *panel, int64_t i) {
  const struct tsr_conv_row *row = w->lists.rows;
  int64_t n = 1;
  if (w->job->way->lanes != TSR_CONV_GROUPS || panel->rows % (panel->units * w->job->tiles->mu) != 0) return 1;
  while (i + n < w->piece->rows && row[i + n].strips == row[i].strips) n++;
  return n;
}

/* The next block of weights comes from far away: while pixels pass by this one, each strip fetches a part of it, a line
 * for each step of k. `done` counts the bytes. */
static void fetch_ahead(const struct worker *w, struct task *task, const struct tsr_conv_strip *strip, int64_t block,
                        int64_t *done) {
  const struct tsr_conv_problem *p = w->job->p;
  int64_t end = tsr_min(p->taps, (block + 1) * p->kb), next = tsr_min(p->kb, end < p->taps ? p->taps - end : p->taps);
  if (w->job->way->lanes != TSR_CONV_FILTERS) return;
  task->step.flags &= ~(uint64_t)TSR_STREAM;
  if (*done >= next * task->step.csa) return;
  task->step.flags |= TSR_STREAM;
  task->step.da = end * task->step.csa + *done;
  *done += 64 * strip->tiles * tsr_min(p->kb, p->taps - block * p->kb);
}

/* One block of one panel for all pixels of the piece. */
static void run_block(struct worker *w, const struct tsr_conv_panel *panel, int64_t inner, int64_t block) {
  const struct tsr_conv_row *row = w->lists.rows;
  struct task task = task_of(w, panel, panel->rows, inner, block, inner * panel->rows);
  int64_t fetched = 0;
  for (int64_t i = 0, n; i < w->piece->rows; i += n) {
    n = rows_alike(w, panel, i);
    if (n > 1) {
      task.step.m = n * panel->rows;
      task.step.flags |= TSR_REPEAT;
      task.step.da = 0;
      task.step.dc = task.row;
      task.conv.dx = row[i + 1].origin - row[i].origin;
    } else {
      task.step.m = panel->rows;
    }
    for (int64_t s = 0; s < row[i].count; s++) {
      fetch_ahead(w, &task, &row[i].strips[s], block, &fetched);
      run_strip(&task, &row[i], &row[i].strips[s], i);
    }
  }
}

static tsr_mem stage_of(const struct worker *w, int64_t i) {
  return w->stage + (tsr_mem)(i * w->piece->cols * w->job->stage_pixel);
}

static void run_panel(struct worker *w, const struct tsr_conv_panel *panel) {
  const struct tsr_conv_job *job = w->job;
  const struct tsr_conv_piece *piece = w->piece;
  for (int64_t i = 0; job->p->beta != 0 && i < piece->rows; i++)
    tsr_conv_start(job, piece, piece->row + i, panel->first, panel->rows, stage_of(w, i));
  for (int64_t inner = 0; inner < job->inner; inner++)
    for (int64_t block = 0; block < tsr_conv_blocks(job->p); block++) run_block(w, panel, inner, block);
  for (int64_t i = 0; i < piece->rows; i++) {
    if (job->way->staged)
      tsr_conv_finish(job, piece, piece->row + i, panel->first, panel->rows, stage_of(w, i), w->turned);
    else if (tsr_conv_needs_post(job->p, false))
      tsr_conv_post_in_place(job, piece, piece->row + i, panel->first, panel->rows);
  }
}

static void run_panels(struct worker *w) {
  const struct tsr_conv_piece *piece = w->piece;
  tsr_conv_list_rows(w->job, piece, &w->view, &w->lists);
  for (int64_t index = piece->panel; index < piece->panel + piece->panels; index++) {
    struct tsr_conv_panel panel = tsr_conv_panel_of(w->job, index);
    run_panel(w, &panel);
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

static void lay_out(struct worker *w, char *memory) {
  const struct tsr_conv_job *job = w->job;
  tsr_conv_lists_init(job, &w->lists, memory);
  tsr_conv_lists_clear(&w->lists);
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
  tsr_conv_limits(p, w.job->way->staged, &w.low, &w.high);
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
  if (way->lanes == TSR_CONV_NEIGHBOURS) {
    tsr_near_run(context, job, workspace);
    return;
  }
  if (way->lanes == TSR_CONV_PLANES) {
    tsr_conv_planes_run(context, job, workspace);
    return;
  }
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
