/* Which path, how many threads, which tile and block sizes a GEMM takes. */
#include "src/core/threads.h"
#include "src/core/topology.h"
#include "src/gemm/tiles.h"



/* Multiplications that pay for waking one more thread. */
#define PRODUCT_PER_THREAD 1000000
/* Multiplications up to which operands are read as they lie: all of them, and B alone. B's tiles are read best when
 * its columns lie along k, eight streams side by side; a row of B a line apart from the next costs more. */
#define DIRECT_PRODUCT (400L * 400 * 400)
#define DIRECT_PRODUCT_ROWS (200L * 200 * 200)
#define B_PRODUCT (1200L * 1200 * 1200)
#define B_PRODUCT_ROWS (600L * 600 * 600)
/* A copy of A into panels is worth its while when more columns than these use it, over a longer k than this. */
#define FEW_COLUMNS 192
#define SHORT_K 64
/* Columns up to which this holds even for an A along k, which must be transposed each time it is read. */
#define SKINNY_COLUMNS 8
/* Rows up to which a product is computed across to save transposing. */
#define FEW_ROWS 32
/* Bytes between addresses that compete for the same lines of L1 on every CPU with pages of 4 KiB. */
#define L1_WAY 4096
/* Bytes of A that fit any L2 beside what else is there: nobody needs to ask how large it is. */
#define SURE_BLOCK (256 << 10)
/* Columns for which a group of threads may pack A by itself. */
#define GROUP_COLUMNS 512
/* Rows whose sums wait in scratch to be turned over. */
#define MOST_ROWS_ACROSS 4096
/* Scratch for a block of A, however large L2 is. */
#define MOST_BLOCK_BYTES (3 << 20)
/* Blocks of rows, or columns, of a triangle for each thread: they are of unequal length. */
#define BLOCKS_OF_TRIANGLE 4
/* Scratch for the sums of a k split. */
#define MOST_SUM_BYTES (1 << 20)

static int64_t product(const struct tsr_gemm_problem *p) {
  return tsr_saturating(tsr_saturating(p->m, p->n), p->k) / (p->parts.c ? 2 : 1);
}

static bool is_complex(const struct tsr_gemm_problem *p) { return p->type == TSR_C32 || p->type == TSR_C64; }

/* The same for limits on operands that are read as they lie: complex ones are as large as so many more real ones. */
static int64_t weighed_product(const struct tsr_gemm_problem *p) {
  return is_complex(p) ? tsr_saturating(product(p), tsr_size_of(p->type) / 4) : product(p);
}

/* Multiplications of real numbers. */
static int64_t multiplications(const struct tsr_gemm_problem *p) {
  return is_complex(p) ? tsr_saturating(product(p), 4) : product(p);
}

bool tsr_gemm_is_across(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *p) {
  int lanes = kernels->gemm_at.mu ? kernels->gemm_at.mu : kernels->gemm.mu;
  return p->m <= SKINNY_COLUMNS && p->m < lanes && p->n >= 4 * lanes && p->k >= lanes;
}

/* A B whose rows are contiguous is a good A across: it needs no transposing, which an A along k does. */
static bool saves_transposing(const struct tsr_gemm_problem *p) {
  int64_t size = tsr_size_of(p->type);
  return p->csb == size && p->rsa != size && p->m <= FEW_ROWS && p->n >= 16;
}

/* Whether most rows of an A along k fill units of the transposing tiles. */
static bool fills_units(const struct tsr_tiles *at, const struct tsr_gemm_problem *p) {
  return p->m == 1 || 3 * (p->m % at->mu) <= p->m;
}

/* Whether an A along k is better transposed each time it is read than copied into panels: for as many columns as one
 * tile takes, or two unless the rows are so far apart that they share the same lines of L1. */
static bool transposes_in_place(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *p) {
  const struct tsr_tiles *at = &kernels->gemm_at;
  int widest = TSR_MAX_COLUMNS;
  if (!at->mu) return p->n <= SKINNY_COLUMNS;
  if (!fills_units(at, p)) return false;
  if (p->n <= SKINNY_COLUMNS) return true;
  while (!at->units_for[widest]) widest--;
  return p->n <= widest || (p->n <= 2 * widest && p->rsa % L1_WAY != 0);
}

static enum tsr_gemm_path choose_path(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *p,
                                      int threads) {
  const struct tsr_tiles *tiles = &kernels->gemm;
  bool along_k = p->rsa != tsr_size_of(p->type);
  int64_t tiles_of_c =
      tsr_saturating(tsr_ceil_div(p->m, tiles->units * tiles->mu), tsr_ceil_div(p->n, tiles->columns));
  int64_t blocks = tsr_ceil_div(p->k, tsr_gemm_kb(p->type));
  if (p->parts.a | p->parts.b) return TSR_GEMM_PACKED;
  if (!p->parts.c && (tsr_gemm_is_across(kernels, p) || saves_transposing(p))) return TSR_GEMM_ACROSS;
  if (threads > 1 && tiles_of_c < 2 * threads && blocks >= 2 * threads &&
      tsr_saturating(tsr_saturating(p->m, p->n), blocks * tsr_size_of(p->type)) <= MOST_SUM_BYTES)
    return TSR_GEMM_K_SPLIT;
  if (along_k && p->m > 1) return !p->parts.c && transposes_in_place(kernels, p) ? TSR_GEMM_DIRECT : TSR_GEMM_PACKED;
  if (p->n <= SKINNY_COLUMNS) return TSR_GEMM_DIRECT;
  int64_t most = p->rsb == tsr_size_of(p->type) ? DIRECT_PRODUCT : DIRECT_PRODUCT_ROWS;
  bool in_place = weighed_product(p) <= most || p->n <= FEW_COLUMNS || p->k <= SHORT_K;
  return in_place ? TSR_GEMM_DIRECT : TSR_GEMM_PACKED;
}

int tsr_gemm_threads_for(int most_threads, int64_t multiplications) {
  if (multiplications < 2 * PRODUCT_PER_THREAD) return 1;
  return (int)tsr_min(multiplications / PRODUCT_PER_THREAD, most_threads);
}

/* `total` cut into pieces of at most `most` that are as even as the unit allows, their number a multiple of `share`. */
static int64_t even(int64_t total, int64_t most, int64_t unit, int64_t share) {
  int64_t pieces = tsr_ceil_div(tsr_ceil_div(total, most), share) * share;
  return tsr_ceil_div(tsr_ceil_div(total, pieces), unit) * unit;
}

/* Rows of A whose block of k fills half of L2. */
static int64_t rows_in_l2(const struct tsr_gemm_problem *p, const struct tsr_gemm_way *plan, int64_t tile_rows) {
  int64_t row = tsr_min(p->k, plan->kb) * tsr_size_of(p->type);
  if (tsr_saturating(p->m, row) <= SURE_BLOCK) return p->m;
  const struct tsr_topology *machine = tsr_topology_get();
  int64_t rows = tsr_min((int64_t)machine->level[machine->nlevels > 1].bytes / 2, MOST_BLOCK_BYTES) / row;
  return rows > tile_rows ? rows : tile_rows;
}

/* Percent of the threads' time that is work when `parts` tiles are shared out among them. */
static int64_t balance(int64_t parts, int64_t threads) {
  return 100 * parts / (tsr_ceil_div(parts, threads) * threads);
}

/* Groups do not wait for one another but each packs all of A: as many as have columns enough to pay for that. With
 * fewer columns one group divides the rows, unless dividing the columns leaves its threads less idle. */
static int choose_groups(const struct tsr_tiles *tiles, const struct tsr_gemm_problem *p,
                         const struct tsr_gemm_way *plan) {
  int most = (int)tsr_min(tsr_min(plan->threads, TSR_GEMM_MOST_GROUPS), p->n / GROUP_COLUMNS);
  if (p->parts.c) return 1; /* whose blocks of rows are claimed by all: groups would have unequal shares */
  for (int groups = most; groups > 1; groups--)
    if (plan->threads % groups == 0) return groups;
  int64_t by_rows = balance(tsr_ceil_div(p->m, tiles->mu), plan->threads);
  int64_t by_columns = balance(tsr_ceil_div(p->n, plan->columns), plan->threads);
  return plan->threads <= TSR_GEMM_MOST_GROUPS && by_rows + 3 < by_columns ? plan->threads : 1;
}

/* Whether B is A turned over: panels of one can serve as those of the other. */
static bool is_own_transpose(const struct tsr_gemm_problem *p) {
  return p->parts.c && p->a == p->b && p->rsa == p->csb && p->csa == p->rsb;
}

static enum tsr_gemm_pack choose_packing(const struct tsr_gemm_problem *p) {
  if (is_own_transpose(p)) return TSR_GEMM_PACK_AB;
  int64_t most = p->rsb == tsr_size_of(p->type) ? B_PRODUCT : B_PRODUCT_ROWS;
  return weighed_product(p) > most ? TSR_GEMM_PACK_AB : TSR_GEMM_PACK_A;
}

static int64_t rows_of_block(const struct tsr_tiles *tiles, const struct tsr_gemm_problem *p,
                             const struct tsr_gemm_way *plan) {
  int64_t tile_rows = (int64_t)plan->units * tiles->mu, in_group = tsr_ceil_div(plan->threads, plan->groups);
  int64_t rows = rows_in_l2(p, plan, tile_rows);
  if (in_group > 1) rows = tsr_min(rows, tsr_ceil_div(p->m, in_group));
  if (in_group > 1 && p->parts.c)
    rows = tsr_min(rows, tsr_max(tile_rows, p->m / (BLOCKS_OF_TRIANGLE * in_group)));
  if (in_group > 1 && !plan->pack_b && p->m >= 4 * in_group * tile_rows) rows = tsr_min(rows, p->m / (2 * in_group));
  bool whole_tiles = in_group == 1 || p->m >= 4 * in_group * rows;
  return even(p->m, rows, whole_tiles ? tile_rows : tiles->mu, in_group);
}

static void packed_blocks(const struct tsr_tiles *tiles, const struct tsr_gemm_problem *p, struct tsr_gemm_way *plan) {
  const struct tsr_topology *machine = tsr_topology_get();
  int64_t unit = is_own_transpose(p) ? (int64_t)plan->units * tiles->mu : plan->columns;
  int64_t column = plan->kb * tsr_size_of(p->type), tile_rows = (int64_t)plan->units * tiles->mu;
  int64_t l3 = (int64_t)machine->level[machine->nlevels - 1].bytes, most_columns = tsr_min(3 << 20, l3 / 2) / column;
  if (!plan->groups) plan->groups = choose_groups(tiles, p, plan);
  plan->groups = (int)tsr_min(plan->groups, tsr_min(plan->threads, TSR_GEMM_MOST_GROUPS));
  if (!plan->mc) plan->mc = rows_of_block(tiles, p, plan);
  if (is_own_transpose(p)) plan->mc = tsr_round_up(plan->mc, tile_rows);
  plan->grain = plan->mc % tile_rows == 0 ? tile_rows : tiles->mu;
  if (!plan->nc)
    plan->nc = plan->pack_b ? even(p->n, tsr_max(most_columns, unit), unit, 1) : p->n;
}

/* Pieces for threads to claim, a few for each, in whole tiles; one thread takes all in one piece. A skinny matrix along
 * k goes in strips of one tile, each read to the end of k, as it lies in memory. Sums that are turned over wait in
 * scratch, which bounds their piece. */
static void direct_pieces(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *p,
                          struct tsr_gemm_way *plan) {
  const struct tsr_tiles *tiles = &kernels->gemm, *at = &kernels->gemm_at;
  bool across = plan->path == TSR_GEMM_ACROSS;
  int64_t m = across ? p->n : p->m, n = across ? p->m : p->n, tile_rows = (int64_t)plan->units * tiles->mu;
  int64_t pieces = plan->threads > 1 ? 2 * plan->threads : 1, mc, nc = n;
  bool along_k = (across ? p->csb : p->rsa) != tsr_size_of(p->type);
  if (!plan->order)
    plan->order = tsr_gemm_order(tiles, plan->units, n, tsr_min(p->k, plan->kb) * tsr_size_of(p->type));
  bool streams = n <= SKINNY_COLUMNS || plan->order == TSR_GEMM_ROWS;
  int64_t most_rows = across ? MOST_ROWS_ACROSS : streams ? m : rows_in_l2(p, plan, tile_rows);
  bool cut_rows = !p->parts.c && (n <= SKINNY_COLUMNS || m / tile_rows >= n / plan->columns);
  if (p->parts.c && pieces > 1) pieces = BLOCKS_OF_TRIANGLE * plan->threads, most_rows = m;
  if (along_k && at->mu && n <= 2 * TSR_MAX_COLUMNS && !p->parts.c) {
    bool near = tsr_gemm_is_near(p, tsr_size_of(p->type));
    mc = near || p->k <= 2 * plan->kb ? m : (int64_t)tsr_gemm_at_units(at, n, false) * at->mu;
    if (plan->threads > 1) mc = tsr_min(mc, even(m, tsr_ceil_div(m, pieces), at->mu, 1));
    if (across) mc = tsr_min(mc, MOST_ROWS_ACROSS);
  } else {
    mc = even(m, tsr_min(most_rows, cut_rows ? tsr_ceil_div(m, pieces) : m), tile_rows, 1);
    if (!cut_rows) nc = even(n, tsr_ceil_div(n, pieces), plan->columns, 1);
  }
  if (!plan->mc) plan->mc = mc;
  if (!plan->nc) plan->nc = nc;
}

/* The preferred tile; for few columns of a large A one that reads it in fewer passes. */
static int choose_units(const struct tsr_tiles *tiles, const struct tsr_gemm_problem *p, enum tsr_gemm_path path) {
  int units = tiles->units;
  bool across = path == TSR_GEMM_ACROSS, in_place = across || path == TSR_GEMM_DIRECT;
  int64_t n = across ? p->m : p->n, passes = tsr_ceil_div(n, tiles->max_columns[units]);
  bool skinny = in_place && n > tiles->max_columns[units] && n <= 2 * TSR_MAX_COLUMNS;
  if (!skinny || tsr_gemm_is_near(p, tsr_size_of(p->type))) return units;
  for (int u = units - 1; u >= units / 2 && u > 0; u--)
    if (tiles->max_columns[u] && tsr_ceil_div(n, tiles->max_columns[u]) < passes)
      units = u, passes = tsr_ceil_div(n, tiles->max_columns[u]);
  return units;
}

/* What a path cannot do of a problem in parts another does. */
static enum tsr_gemm_path path_for_parts(const struct tsr_gemm_problem *p, enum tsr_gemm_path path) {
  if (p->parts.a | p->parts.b) return TSR_GEMM_PACKED;
  return p->parts.c && path == TSR_GEMM_ACROSS ? TSR_GEMM_DIRECT : path;
}

void tsr_gemm_complete(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *p, int most_threads,
                       struct tsr_gemm_way *plan) {
  const struct tsr_tiles *tiles = &kernels->gemm;
  plan->kb = plan->kc = tsr_gemm_kb(p->type);
  plan->slots = 1;
  if (!plan->threads) {
    plan->threads = tsr_gemm_threads_for(most_threads, multiplications(p));
    if (plan->threads < plan->groups) plan->threads = (int)tsr_min(plan->groups, most_threads);
  }
  if (!plan->path) plan->path = choose_path(kernels, p, plan->threads);
  if (tsr_gemm_has_parts(p)) plan->path = path_for_parts(p, plan->path);
  if (!plan->units && plan->columns) plan->units = tiles->units_for[plan->columns];
  if (!plan->units) plan->units = choose_units(tiles, p, plan->path);
  if (!plan->columns) plan->columns = tsr_tile_columns(tiles, plan->units);
  if (plan->path != TSR_GEMM_PACKED) {
    direct_pieces(kernels, p, plan);
    return;
  }
  if (!plan->pack) plan->pack = plan->nc && plan->nc < p->n ? TSR_GEMM_PACK_AB : choose_packing(p);
  plan->pack_a = tsr_gemm_packs(plan->pack, TSR_GEMM_PACK_A) || p->rsa != tsr_size_of(p->type) || p->parts.a;
  plan->pack_b = tsr_gemm_packs(plan->pack, TSR_GEMM_PACK_B) || p->parts.b;
  packed_blocks(tiles, p, plan);
}
