/* What a way costs, for a search to rank candidates by: fma of tiles, weights and pixels read again from where they
 * lie, copies, steps, and pieces that threads share. Calls do not ask it (space.c). */
#include "src/conv/near.h"
#include "src/conv/space.h"
#include "src/core/topology.h"
#include "src/tune/costs.h"

struct model {
  const struct tsr_conv_job *job;
  const struct tsr_costs *costs;
  double cache[3]; /* bytes of the levels */
  double fma;      /* seconds of one fma of a lane */
  double vector;   /* vectors in a unit */
};

static double least(double a, double b) { return a < b ? a : b; }
static double most(double a, double b) { return a > b ? a : b; }

static double reading(const struct model *md, double bytes) {
  return tsr_costs_reading(md->costs, md->cache, md->job->way->threads, bytes);
}

static double together(const struct model *md, double computes, double reads) {
  return most(computes, reads) + md->costs->overlap * least(computes, reads);
}

/* Taps that count of one output, about: those of a transposed convolution are shared by its phases. */
static double taps_of(const struct tsr_conv_problem *p) {
  double taps = (double)p->taps;
  for (int i = 0; i < 3 && p->transposed; i++)
    taps /= (double)tsr_min(p->dim[i].kernel, p->dim[i].stride);
  return taps;
}

/* One panel of u units times `width` outputs of a row: all of its tiles. */
static double row_of_tiles(const struct model *md, int u, int64_t width) {
  const struct tsr_conv_way *way = md->job->way;
  const struct tsr_costs *c = md->costs;
  const struct tsr_conv_problem *p = md->job->p;
  bool groups = way->lanes == TSR_CONV_GROUPS;
  double seconds = 0, taps = taps_of(p), vectors = u * md->vector;
  double blocks = (double)tsr_conv_blocks(p);
  int64_t mu = md->job->tiles->mu;
  for (int64_t j = 0, n; j < width; j += n) {
    int columns = tsr_next_columns(width - j, way->columns, way->columns);
    int64_t alike = columns == way->columns ? tsr_max(1, (width - j) / columns - 1) : 1;
    double loads = groups ? vectors * (columns + 1) : vectors + columns;
    double tap = most(most((double)(u * mu * columns) * md->fma, loads * c->load), c->chain);
    seconds += (double)alike * (taps * tap + blocks * c->tile);
    n = alike * columns;
  }
  return seconds;
}

/* What one piece is made of. */
struct piece {
  double rows, cols, pixels, lanes, panels;
  double weights;   /* bytes of its panels */
  double x, reads;  /* bytes of x that it covers; rows of x that a row of outputs reads */
  double y;         /* bytes of its sums */
};

static struct piece piece_of(const struct model *md) {
  const struct tsr_conv_job *job = md->job;
  const struct tsr_conv_problem *p = job->p;
  const struct tsr_conv_way *way = job->way;
  bool groups = way->lanes == TSR_CONV_GROUPS;
  /* even pieces: the last ones may be smaller */
  double rows = (double)p->dim[1].out / (double)tsr_ceil_div(p->dim[1].out, way->rows);
  double cols = (double)p->dim[2].out / (double)tsr_ceil_div(p->dim[2].out, way->cols);
  double panels = (double)job->panels / (double)tsr_ceil_div(job->panels, way->panels);
  struct piece piece = {.rows = rows, .cols = cols, .pixels = rows * cols, .panels = panels,
                        .lanes = (double)job->lanes * panels / (double)job->panels};
  double stride = p->transposed ? 1.0 / (double)p->dim[2].stride : (double)p->dim[2].stride;
  double down = p->transposed ? 1.0 / (double)p->dim[1].stride : (double)p->dim[1].stride;
  double pixel = (groups ? piece.lanes : 1) * (double)p->cg * (double)job->size;
  double reach = (double)((p->dim[1].kernel - 1) * p->dim[1].dilation) + 1;
  double width = least((double)p->dim[2].in, cols * stride + (double)((p->dim[2].kernel - 1) * p->dim[2].dilation));
  piece.weights = piece.lanes * (double)job->inner * (double)p->taps * (double)job->size;
  piece.x = least((double)p->dim[1].in, rows * down + reach - 1) * width * pixel * (double)p->dim[0].kernel;
  piece.reads = (double)p->dim[1].kernel * width * pixel * (double)p->dim[0].kernel;
  piece.y = piece.pixels * piece.lanes * (double)job->inner * (double)job->size;
  return piece;
}

static double computing(const struct model *md, const struct piece *piece) {
  const struct tsr_conv_job *job = md->job;
  double row = (double)job->whole * row_of_tiles(md, job->way->units, (int64_t)(piece->cols + 0.5));
  for (int64_t i = job->whole; i < job->panels; i++)
    row += row_of_tiles(md, job->tail[i - job->whole].units, (int64_t)(piece->cols + 0.5));
  return row * piece->rows * (double)job->inner * piece->panels / (double)job->panels;
}

/* Calls of kernels: an inner strip and those at the edges; lanes over groups take all rows of a panel at once. */
static double calls(const struct model *md, const struct piece *piece) {
  const struct tsr_conv_job *job = md->job;
  const struct tsr_conv_problem *p = job->p;
  double strips = p->dim[2].kernel > 1 ? 3 : 1, blocks = (double)tsr_conv_blocks(p);
  double panels = job->way->order == TSR_CONV_PIXELS ? (double)job->heights : piece->panels;
  double rows = job->way->lanes == TSR_CONV_GROUPS && job->way->order == TSR_CONV_PANELS ? 1 : piece->rows;
  return rows * strips * (double)job->phases[2] * blocks * panels * (double)job->inner;
}

/* Weights pass once for each tile's columns, pixels once for each panel; a block of weights, or the pixels of a row,
 * stay near meanwhile. */
static double passing(const struct model *md, const struct piece *piece) {
  const struct tsr_conv_job *job = md->job;
  const struct tsr_conv_problem *p = job->p;
  double panel = (double)(job->way->units * job->tiles->mu) * (double)job->size;
  double block = (double)tsr_min(p->taps, p->kb) * panel, blocks = (double)tsr_conv_blocks(p);
  double tiles = piece->pixels / (double)job->way->columns, seconds;
  if (job->way->order == TSR_CONV_PANELS) {
    seconds = tiles * piece->weights * reading(md, block + piece->reads);
    seconds += piece->panels * (double)job->inner * piece->x * reading(md, piece->x + block);
    return seconds + (blocks > 1 ? 2 * blocks * piece->y * reading(md, piece->y / piece->panels + block) : 0);
  }
  seconds = tiles * piece->weights * reading(md, piece->weights + piece->reads);
  seconds += piece->panels * piece->rows * piece->reads * reading(md, piece->reads + block);
  return seconds + (blocks > 1 ? 2 * blocks * piece->y * reading(md, piece->y / piece->rows + block) : 0);
}

/* The band, and the stage's way to y. */
static double copying(const struct model *md, const struct piece *piece) {
  const struct tsr_conv_problem *p = md->job->p;
  double seconds = 0;
  if (md->job->way->band) seconds += piece->x * (p->x_last ? md->costs->pack : md->costs->transpose);
  if (md->job->way->staged) seconds += piece->y * (p->y_last ? md->costs->pack : md->costs->transpose);
  return seconds;
}

static double pieces_of(const struct tsr_conv_job *job) {
  const struct tsr_conv_problem *p = job->p;
  const struct tsr_conv_way *way = job->way;
  return (double)(p->batch * job->groups) * (double)p->dim[0].out *
         (double)(tsr_ceil_div(p->dim[1].out, way->rows) * tsr_ceil_div(p->dim[2].out, way->cols)) *
         (double)tsr_ceil_div(job->panels, way->panels);
}

/* Lanes over neighbours or planes: tiles of pixels, whose columns are filters or rows, and x turned or packed. */
static double over_pixels(const struct model *md, double bytes_x, double bytes) {
  const struct tsr_conv_job *job = md->job;
  const struct tsr_conv_problem *p = job->p;
  const struct tsr_conv_way *way = job->way;
  const struct tsr_costs *c = md->costs;
  double vectors = way->units * md->vector, lanes = (double)(way->units * job->tiles->mu);
  bool planes = way->lanes == TSR_CONV_PLANES;
  double columns = tsr_near_streams(way) && !planes ? (double)tsr_ceil_div(p->dim[1].kernel, p->dim[1].stride)
                                                    : (double)way->columns;
  double loads = planes ? vectors + columns : 2 * vectors + columns; /* which are cut by the ends of lines */
  double tap = most(most(lanes * columns * md->fma, loads * c->load), c->chain);
  double outputs = (double)p->dim[0].out * (double)p->dim[1].out * (double)p->kg * (double)(p->batch * p->groups);
  double tiles = outputs / columns * (double)tsr_ceil_div(p->dim[2].out, (int64_t)lanes);
  double one = tiles * ((double)p->taps * tap + (double)tsr_conv_blocks(p) * c->tile + c->step);
  double all = together(md, one, bytes * reading(md, bytes)) + bytes_x * (p->x_last ? c->transpose : c->pack);
  double pieces = (double)(p->batch * p->groups) * (double)p->dim[0].out *
                  (double)tsr_ceil_div(p->dim[1].out, way->rows) * (double)tsr_ceil_div(p->dim[2].out, way->cols);
  return all / least(pieces, way->threads) + (way->threads > 1 ? c->start + c->barrier : 0);
}

double tsr_conv_predict(const tsr_context *context, const struct tsr_costs *costs,
                        const struct tsr_conv_problem *p, const struct tsr_conv_way *way) {
  const struct tsr_topology *machine = tsr_topology_get();
  struct tsr_conv_job job;
  struct tsr_conv_amount amount;
  tsr_conv_job_of(context, p, way, &job);
  tsr_conv_amount_of(p->d, &amount);
  struct model md = {.job = &job, .costs = costs};
  md.fma = 2 * (p->type == TSR_F64 ? costs->flop_f64 : costs->flop_f32);
  md.vector = (double)(job.tiles->mu * job.size) / (double)context->kernels->chip->vector_bytes();
  md.cache[0] = (double)machine->level[0].bytes;
  md.cache[1] = (double)machine->level[machine->nlevels > 1].bytes;
  md.cache[2] = (double)machine->level[machine->nlevels - 1].bytes * costs->last_level;
  double all = amount.bytes_x + amount.bytes_w + amount.bytes_y;
  if (way->lanes > TSR_CONV_GROUPS) return over_pixels(&md, amount.bytes_x, all);
  struct piece piece = piece_of(&md);
  double pieces = pieces_of(&job);
  double again = way->panels < job.panels ? (double)tsr_ceil_div(job.panels, way->panels) : 1;
  double once = amount.bytes_x * again + amount.bytes_w + costs->update * amount.bytes_y;
  double first = once * reading(&md, all) / pieces;
  double one = together(&md, computing(&md, &piece), passing(&md, &piece) + first) + copying(&md, &piece) +
               calls(&md, &piece) * costs->step;
  double rounds = (double)tsr_ceil_div((int64_t)pieces, way->threads);
  /* pieces are claimed: the last round of many is seldom a whole one */
  if (pieces > 8.0 * way->threads) rounds = pieces / way->threads + 0.5;
  return rounds * one + (way->threads > 1 ? costs->start + costs->barrier : 0);
}
