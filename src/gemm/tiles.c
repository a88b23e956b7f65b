#include "src/gemm/tiles.h"

#include "src/gemm/parts.h"

int64_t tsr_gemm_pieces(const struct tsr_gemm_job *job) {
  return tsr_ceil_div(job->problem->m, job->plan->mc) * tsr_ceil_div(job->problem->n, job->plan->nc);
}

struct tsr_gemm_piece tsr_gemm_piece_of(const struct tsr_gemm_job *job, int64_t index) {
  int64_t down = tsr_ceil_div(job->problem->m, job->plan->mc);
  struct tsr_gemm_piece piece = {index % down * job->plan->mc, 0, index / down * job->plan->nc, 0};
  piece.rows = tsr_min(job->plan->mc, job->problem->m - piece.i);
  piece.cols = tsr_min(job->plan->nc, job->problem->n - piece.j);
  return piece;
}

void tsr_gemm_set_block(const struct tsr_gemm_job *job, struct tsr_step *step, int64_t p0) {
  const struct tsr_gemm_problem *pr = job->problem;
  step->k = tsr_min(job->plan->kb, pr->k - p0);
  step->alpha = pr->alpha;
  step->beta = p0 == 0 ? pr->beta : 1;
  step->alpha_im = pr->alpha_im;
  step->beta_im = p0 == 0 ? pr->beta_im : 0;
}

int tsr_next_units(const struct tsr_tiles *tiles, int units, int64_t left, int width) {
  int u = left < units ? (int)left : units;
  if (left > units && 2 * left < 3 * units) u = ((int)left + 1) / 2;
  if (!tiles->max_columns[u]) u = (u + 1) / 2;
  while (tiles->max_columns[u] < width) u--;
  return u;
}

static int64_t units_of(const struct tsr_tiles *tiles, int64_t rows) { return tsr_ceil_div(rows, tiles->mu); }

/* The most columns that every tile has which covers `rows` rows, the preferred height being `units`. */
static int most_columns(const struct tsr_tiles *tiles, int units, int64_t rows) {
  int64_t left = units_of(tiles, rows);
  int most = TSR_MAX_COLUMNS;
  if (left > 2 * units) left = 2 * units + left % units;
  for (int u; left > 0; left -= u) {
    u = tsr_next_units(tiles, units, left, 1);
    if (tiles->max_columns[u] < most) most = tiles->max_columns[u];
  }
  return most;
}

int tsr_gemm_at_units(const struct tsr_tiles *at, int64_t cols, bool near) {
  int width = (int)tsr_min(cols, TSR_MAX_COLUMNS), highest = TSR_MAX_UNITS;
  while (!at->units_for[width]) width--;
  while (at->max_columns[highest] < width) highest--;
  return near ? highest : at->units_for[width];
}

/* How many tiles of `u` units follow one another. */
static int64_t run_of(const struct tsr_tiles *tiles, int units, int64_t left, int width, int u) {
  int64_t count = left > 3 * units && u == units ? left / units - 2 : 1;
  while (left - count * u > 0 && tsr_next_units(tiles, units, left - count * u, width) == u) count++;
  return count;
}

void tsr_gemm_column_of_tiles(const struct tsr_gemm_job *job, struct tsr_step *step, int64_t rows, bool panels,
                              tsr_mem a, tsr_mem b, tsr_mem c) {
  const struct tsr_tiles *tiles = &job->kernels->gemm;
  int units = job->plan->units, width = panels ? job->plan->columns : (int)step->n;
  for (int64_t left = units_of(tiles, rows); left > 0;) {
    int u = tsr_next_units(tiles, units, left, width);
    int64_t count = run_of(tiles, units, left, width, u), tile_rows = (int64_t)u * tiles->mu, done = count * tile_rows;
    step->m = tsr_min(rows, done);
    step->dc = tile_rows * job->size;
    step->da = panels ? step->dc * step->k : step->dc;
    step->csa = panels ? step->dc : job->problem->csa;
    tiles->tile[u][step->n]->run(step, a, b, c);
    a += (tsr_mem)(count * step->da);
    c += (tsr_mem)(count * step->dc);
    rows -= done;
    left -= count * u;
  }
}

/* Bytes of a tile's rows that stay near, in L1 or at worst in L2, while the columns pass by. */
#define STAYS_NEAR (80 << 10)
/* Bytes of A that come from beyond L2: a tile fetches the rows of the next. */
#define FAR_AWAY (1 << 20)
/* Columns that make a tile higher than the preferred one worth taking. */
#define ENOUGH_COLUMNS 4

static void rows_of_tiles(const struct tsr_gemm_job *job, struct tsr_step *step, int64_t rows, int64_t cols, tsr_mem a,
                          tsr_mem b, tsr_mem c) {
  const struct tsr_tiles *tiles = &job->kernels->gemm;
  int units = job->plan->units;
  bool fetch_ahead = rows * step->k * job->size > FAR_AWAY;
  for (int64_t left = units_of(tiles, rows), u; left > 0; left -= u) {
    bool one_higher = left > units && left <= TSR_MAX_UNITS && tiles->max_columns[left] >= ENOUGH_COLUMNS;
    u = one_higher ? left : tsr_next_units(tiles, units, left, 1);
    int64_t tile_rows = u * tiles->mu;
    step->da = fetch_ahead ? tile_rows * job->size : 0;
    tsr_gemm_row_of_tiles(tiles, (int)u, step, tsr_min(rows, tile_rows), cols, a, b, c);
    a += (tsr_mem)(tile_rows * job->size);
    c += (tsr_mem)(tile_rows * job->size);
    rows -= tile_rows;
  }
}

/* The widest tile that still takes `cols` columns, if they are few; the preferred one otherwise. */
static int units_for(const struct tsr_tiles *tiles, int preferred, int64_t cols) {
  if (cols > tiles->max_columns[preferred]) return preferred;
  for (int u = TSR_MAX_UNITS; u > preferred; u--)
    if (tiles->max_columns[u] >= cols) return u;
  return preferred;
}

static void columns_of_tiles(const struct tsr_gemm_job *job, struct tsr_step *step, int64_t rows, int64_t cols,
                             tsr_mem a, tsr_mem b, tsr_mem c) {
  const struct tsr_tiles *tiles = &job->kernels->gemm;
  struct tsr_gemm_way plan = *job->plan;
  struct tsr_gemm_job with = {job->problem, &plan, job->kernels, job->size};
  int most = most_columns(tiles, plan.units, rows);
  plan.units = units_for(tiles, plan.units, cols);
  for (int64_t j = 0; j < cols; j += step->n) {
    step->n = tsr_next_columns(cols - j, most, most);
    tsr_gemm_column_of_tiles(&with, step, rows, false, a, b + (tsr_mem)(j * step->csb), c + (tsr_mem)(j * step->csc));
  }
}

int tsr_tile_columns(const struct tsr_tiles *tiles, int units) {
  return units == tiles->units ? tiles->columns : tiles->max_columns[units];
}

enum tsr_gemm_order tsr_gemm_order(const struct tsr_tiles *tiles, int units, int64_t cols, int64_t depth) {
  bool stays = cols > tiles->max_columns[units] && (int64_t)units * tiles->mu * depth <= STAYS_NEAR;
  return stays ? TSR_GEMM_ROWS : TSR_GEMM_COLUMNS;
}

void tsr_gemm_in_place(const struct tsr_gemm_job *job, struct tsr_step *step, int64_t rows, int64_t cols, tsr_mem a,
                       tsr_mem b, tsr_mem c) {
  step->dc = 0;
  step->csa = job->problem->csa;
  if (tsr_gemm_is_near(job->problem, job->size)) step->flags |= TSR_NEAR;
  (job->plan->order == TSR_GEMM_ROWS ? rows_of_tiles : columns_of_tiles)(job, step, rows, cols, a, b, c);
}

void tsr_gemm_multiply(const struct tsr_gemm_job *job, const struct tsr_gemm_piece *piece, int64_t p0, int64_t k,
                       tsr_mem a, tsr_mem b) {
  const struct tsr_gemm_problem *pr = job->problem;
  const struct tsr_gemm_way *plan = job->plan;
  int most = job->kernels->gemm.max_columns[plan->units];
  tsr_mem c = pr->c + (tsr_mem)(piece->i * job->size + piece->j * pr->csc);
  tsr_mem matrix = pr->b + (tsr_mem)(p0 * pr->rsb + piece->j * pr->csb);
  struct tsr_step step = {.rsb = pr->rsb, .csb = pr->csb, .csc = pr->csc, .flags = pr->flags};
  tsr_gemm_set_block(job, &step, p0);
  for (int64_t j = 0; j < piece->cols; j += step.n) {
    step.n = tsr_next_columns(piece->cols - j, plan->columns, most);
    if (b) {
      step.rsb = step.n * job->size;
      step.csb = job->size;
    }
    tsr_mem panel = b ? b + (tsr_mem)(j * k * job->size) : matrix + (tsr_mem)(j * pr->csb);
    tsr_mem column = c + (tsr_mem)(j * pr->csc);
    if (pr->parts.c)
      tsr_gemm_cut_column(job, &step, piece->i, piece->rows, piece->j + j, plan->pack_a, a, panel, column);
    else
      tsr_gemm_column_of_tiles(job, &step, piece->rows, plan->pack_a, a, panel, column);
  }
}

void tsr_gemm_pack(const struct tsr_kernels *kernels, int64_t size, int64_t rows, int64_t width, int64_t k,
                   tsr_mem from, int64_t rs, int64_t cs, tsr_mem to) {
  struct tsr_step step = {.m = rows, .n = width, .k = k, .rsa = rs, .csa = cs, .dc = width * k * size};
  const struct tsr_kernel *const *list = rs == size ? kernels->pack_n : kernels->pack_t;
  const struct tsr_kernel *kernel = list[width] ? list[width] : list[0];
  kernel->run(&step, from, 0, to);
}

void tsr_gemm_pack_a(const struct tsr_gemm_job *job, int64_t i, int64_t rows, int64_t p0, int64_t k, tsr_mem to) {
  const struct tsr_tiles *tiles = &job->kernels->gemm;
  const struct tsr_gemm_problem *pr = job->problem;
  struct tsr_gemm_half half = tsr_gemm_half_a(pr);
  int units = job->plan->units, columns = job->plan->columns;
  tsr_mem from = pr->a + (tsr_mem)(p0 * pr->csa);
  for (int64_t left = units_of(tiles, rows); left > 0;) {
    int u = tsr_next_units(tiles, units, left, columns);
    int64_t count = run_of(tiles, units, left, columns, u), width = (int64_t)u * tiles->mu, done = count * width;
    if (half.part)
      tsr_gemm_pack_half(job->kernels, job->size, &half, i, tsr_min(rows, done), width, p0, k, to);
    else
      tsr_gemm_pack(job->kernels, job->size, tsr_min(rows, done), width, k, from + (tsr_mem)(i * pr->rsa), pr->rsa,
                    pr->csa, to);
    to += (tsr_mem)(done * k * job->size);
    i += done;
    rows -= done;
    left -= count * u;
  }
}

void tsr_gemm_pack_b(const struct tsr_gemm_job *job, int64_t first, int64_t cols, int64_t j0, int64_t j1, int64_t p0,
                     int64_t k, tsr_mem to) {
  const struct tsr_gemm_problem *pr = job->problem;
  struct tsr_gemm_half half = tsr_gemm_half_b(pr);
  int columns = job->plan->columns, most = job->kernels->gemm.max_columns[job->plan->units];
  tsr_mem from = pr->b + (tsr_mem)(p0 * pr->rsb + first * pr->csb);
  /* Tiles of the preferred width follow one another until what is left fits one tile, or is shared by two. */
  int64_t end = cols - (2 * columns > most ? columns : most + 1 - columns);
  for (int64_t j = j0, count, width; j < j1; j += count * width) {
    width = tsr_next_columns(cols - j, columns, most);
    count = width == columns ? (tsr_min(j1, end) - j) / columns : 1;
    if (count < 1) count = 1;
    tsr_mem panel = to + (tsr_mem)(j * k * job->size);
    if (pr->parts.b)
      tsr_gemm_pack_half(job->kernels, job->size, &half, first + j, count * width, width, p0, k, panel);
    else
      tsr_gemm_pack(job->kernels, job->size, count * width, width, k, from + (tsr_mem)(j * pr->csb), pr->csb, pr->rsb,
                    panel);
  }
}
