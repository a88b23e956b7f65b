/* The cost model of GEMM on a CPU: what a plan computes and what it moves, level by level. */
#include "src/gemm/model.h"

#include "src/core/topology.h"
#include "src/gemm/tiles.h"
#include "src/tune/costs.h"

struct model {
  const struct tsr_kernels *kernels;
  const struct tsr_costs *costs;
  const struct tsr_gemm_problem *p;
  const struct tsr_gemm_plan *plan;
  double size;
  double home;      /* bytes of all operands: from where a first reading comes */
  double l1, l2, l3;
};

static double least(double a, double b) { return a < b ? a : b; }
static double most(double a, double b) { return a > b ? a : b; }

/* Which share of `bytes` that are read round and round does not stay in a cache: none up to four fifths of it, all
 * from five quarters on. */
static double spills(double bytes, double cache) {
  double x = (bytes / cache - 0.8) / (1.25 - 0.8);
  return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* Seconds to read one byte of a stream of which `bytes` pass before it comes again. */
static double reading(const struct model *md, double bytes) {
  const struct tsr_costs *c = md->costs;
  double from_memory = most(c->read_memory, c->share_memory * md->plan->threads);
  double beyond_l1 = spills(bytes, md->l1), beyond_l2 = spills(bytes, md->l2), beyond_l3 = spills(bytes, md->l3);
  return (beyond_l1 - beyond_l2) * c->read_l2 + (beyond_l2 - beyond_l3) * c->read_l3 + beyond_l3 * from_memory;
}

/* Tiles that cover a length: so many of each of some sizes. */
struct cover {
  int kinds, size[4];
  double count[4];
};

static struct cover cover_rows(const struct tsr_tiles *tiles, int units, int64_t rows) {
  struct cover cover = {0};
  int64_t left = tsr_ceil_div(rows, tiles->mu);
  if (left > 2 * units) {
    cover.size[0] = units;
    cover.count[0] = (double)(left / units - 1);
    cover.kinds = 1;
    left -= (left / units - 1) * units;
  }
  for (; left > 0 && cover.kinds < 4; cover.kinds++) {
    int u = left < units ? (int)left : units;
    while (!tiles->max_columns[u]) u--;
    cover.size[cover.kinds] = u;
    cover.count[cover.kinds] = cover.kinds == 3 ? (double)left / u : 1;
    left -= u;
  }
  return cover;
}

static struct cover cover_columns(int64_t cols, int columns, int widest) {
  struct cover cover = {0};
  int64_t left = cols;
  if (left > 3 * columns) {
    cover.size[0] = columns;
    cover.count[0] = (double)(left / columns - 2);
    cover.kinds = 1;
    left -= (left / columns - 2) * columns;
  }
  for (; left > 0 && cover.kinds < 4; cover.kinds++) {
    int w = tsr_next_columns(left, columns, widest);
    cover.size[cover.kinds] = w;
    cover.count[cover.kinds] = 1;
    left -= w;
  }
  return cover;
}

static double count_of(const struct cover *cover) {
  double n = 0;
  for (int i = 0; i < cover->kinds; i++) n += cover->count[i];
  return n;
}

/* Seconds of the tiles of a block whose operands are at hand, k deep. */
static double computing(const struct model *md, const struct cover *rows, const struct cover *cols, double k) {
  const struct tsr_costs *c = md->costs;
  double unit = 2 * md->kernels->gemm.mu * (md->p->type == TSR_F32 ? c->flop_f32 : c->flop_f64), seconds = 0;
  for (int i = 0; i < rows->kinds; i++)
    for (int j = 0; j < cols->kinds; j++) {
      double area = rows->size[i] * cols->size[j], step = most(area * unit, c->chain);
      seconds += rows->count[i] * cols->count[j] *
                 (k * step + c->tile + area * md->kernels->gemm.mu * md->size * c->update);
    }
  return seconds;
}

/* What computes and what reads at the same time. */
static double together(const struct model *md, double computes, double reads) {
  return most(computes, reads) + md->costs->overlap * least(computes, reads);
}

/* Bytes of a matrix as far as caches are concerned: lines whole pages apart share few sets. */
static double crowded(const struct model *md, double bytes, int64_t stride) {
  return stride % 4096 == 0 && stride > 0 ? bytes * md->costs->conflict : bytes;
}

static double lead(int64_t rs, int64_t cs, double size) { return (double)rs == size ? (double)cs : (double)rs; }

/* Seconds of a piece R x N, operands as they lie, through all of k. */
static double piece_in_place(const struct model *md, double R, double N) {
  const struct tsr_gemm_problem *p = md->p;
  const struct tsr_gemm_plan *plan = md->plan;
  const struct tsr_tiles *tiles = &md->kernels->gemm;
  int64_t lda = (int64_t)lead(p->rsa, p->csa, md->size), ldb = (int64_t)lead(p->rsb, p->csb, md->size);
  double k = least((double)p->k, (double)plan->kb), blocks = (double)p->k / k, reads;
  int widest = tiles->max_columns[plan->units];
  struct cover rows = cover_rows(tiles, plan->units, (int64_t)R), cols = cover_columns((int64_t)N, widest, widest);
  double a = R * k * md->size, b = N * k * md->size, c = R * N * md->size;
  double passes_b = count_of(&rows), passes_a = count_of(&cols), tile_a = a / passes_b, tile_b = b / passes_a;
  double first = reading(md, md->home) * md->costs->in_place;
  if (plan->order == TSR_GEMM_ROWS)
    reads = a * first + b * (first + (passes_b - 1) * reading(md, crowded(md, b, ldb) + tile_a)) +
            a * (passes_a - 1) * reading(md, crowded(md, tile_a, lda) + tile_b);
  else
    reads = b * first + a * (first + (passes_a - 1) * reading(md, crowded(md, a, lda) + tile_b) * md->costs->in_place) +
            b * (passes_b - 1) * reading(md, tile_a + tile_b);
  double update = c * reading(md, most(c + a + b, p->k > plan->kb ? md->home : 0)) * 2;
  double steps = (plan->order == TSR_GEMM_ROWS ? passes_b : passes_a) * 2 * md->costs->step;
  return blocks * (together(md, computing(md, &rows, &cols, k), reads + update) + steps);
}

/* The same for an A along k that is transposed in registers. */
static double piece_along_k(const struct model *md, double R, double N) {
  const struct tsr_tiles *at = &md->kernels->gemm_at;
  double k = (double)md->p->k, a = R * k * md->size, passes = 1;
  struct cover rows = cover_rows(&md->kernels->gemm, md->plan->units, (int64_t)R);
  if (at->mu) {
    bool near = tsr_gemm_is_near(md->p, (int64_t)md->size);
    int widest = at->max_columns[tsr_gemm_at_units(at, (int64_t)N, near)];
    passes = (double)tsr_ceil_div((int64_t)N, widest);
  }
  struct cover cols = cover_columns((int64_t)N, (int)least(N, 8), (int)least(N, 8));
  int64_t lda = (int64_t)lead(md->p->rsa, md->p->csa, md->size);
  double strip = a / most(1, R / 16);
  double reads = a * (reading(md, md->home) * md->costs->in_place + (passes - 1) * reading(md, crowded(md, strip, lda)));
  return together(md, computing(md, &rows, &cols, k) + passes * a * md->costs->along_k, reads);
}

static double piece_direct(const struct model *md, double R, double N) {
  if ((double)md->p->rsa != md->size && md->p->m > 1) return piece_along_k(md, R, N);
  return piece_in_place(md, R, N);
}

static double shared_out(double pieces, int threads, double seconds) {
  return threads == 1 ? pieces * seconds : (double)tsr_ceil_div((int64_t)pieces, threads) * seconds;
}

static double direct(const struct model *md) {
  const struct tsr_gemm_problem *p = md->p;
  double down = (double)tsr_ceil_div(p->m, md->plan->mc), across = (double)tsr_ceil_div(p->n, md->plan->nc);
  double seconds = piece_direct(md, (double)p->m / down, (double)p->n / across);
  return shared_out(down * across, md->plan->threads, seconds);
}

static double across(const struct model *md) {
  struct tsr_gemm_problem turned = *md->p;
  struct model with = *md;
  turned.m = md->p->n;
  turned.n = md->p->m;
  turned.rsa = md->p->csb;
  turned.csa = md->p->rsb;
  turned.rsb = md->p->csa;
  turned.csb = md->p->rsa;
  with.p = &turned;
  double blocks = (double)tsr_ceil_div(turned.k, md->plan->kb);
  double turning = (double)turned.m * (double)turned.n * md->size * blocks * md->costs->turn;
  return direct(&with) + turning / md->plan->threads;
}

static double k_split(const struct model *md) {
  struct tsr_gemm_problem block = *md->p;
  struct model with = *md;
  double blocks = (double)tsr_ceil_div(md->p->k, md->plan->kb);
  with.p = &block;
  block.k = md->plan->kb;
  double sums = (double)block.m * (double)block.n * md->size * blocks;
  double one = piece_direct(&with, (double)block.m, (double)block.n);
  return shared_out(blocks, md->plan->threads, one) + sums * (md->costs->update + reading(md, sums));
}

static double packing(const struct model *md, double bytes, bool from_rows, double from) {
  return bytes * (from + (from_rows ? md->costs->pack : md->costs->transpose));
}

static double packed(const struct model *md) {
  const struct tsr_gemm_problem *p = md->p;
  const struct tsr_gemm_plan *plan = md->plan;
  const struct tsr_tiles *tiles = &md->kernels->gemm;
  double threads = (double)tsr_ceil_div(plan->threads, plan->groups);
  double n_group = (double)p->n / plan->groups, k = least((double)p->k, (double)plan->kb), phases = (double)p->k / k;
  double down = (double)tsr_ceil_div(p->m, plan->mc), slices = (double)tsr_ceil_div((int64_t)n_group, plan->nc);
  double R = (double)p->m / down, N = n_group / slices;
  double a = R * k * md->size, b = N * k * md->size, c = R * N * md->size;
  struct cover rows = cover_rows(tiles, plan->units, (int64_t)R);
  struct cover cols = cover_columns((int64_t)N, plan->columns, tiles->max_columns[plan->units]);
  double passes_a = count_of(&cols), passes_b = count_of(&rows), tile_a = a / passes_b, tile_b = b / passes_a;
  int64_t lda = (int64_t)lead(p->rsa, p->csa, md->size), ldb = (int64_t)lead(p->rsb, p->csb, md->size);
  double first = reading(md, md->home), seconds = 0, block = 0;
  double in_place = md->costs->in_place;
  double a_in = plan->pack_a ? a : crowded(md, a, lda), b_in = plan->pack_b ? b : crowded(md, b, ldb);
  if (plan->pack_a) block += packing(md, a, (double)p->rsa == md->size, first);
  double reads = a * (passes_a - 1) * reading(md, a_in + tile_b) * (plan->pack_a ? 1 : in_place) +
                 b * reading(md, plan->pack_b ? b_in : md->home) * (plan->pack_b ? 1 : in_place) +
                 b * (passes_b - 1) * reading(md, tile_a + tile_b);
  if (!plan->pack_a) reads += a * first * in_place;
  reads += 2 * c * reading(md, md->home);
  block += together(md, computing(md, &rows, &cols, k), reads) + passes_a * md->costs->step;
  seconds = shared_out(down, (int)threads, block);
  if (plan->pack_b) seconds += packing(md, b, (double)p->rsb != md->size, first) / threads + (threads > 1 ? md->costs->barrier : 0);
  return seconds * phases * slices;
}

double tsr_gemm_predict(const struct tsr_kernels *kernels, const struct tsr_costs *costs,
                        const struct tsr_gemm_problem *p, const struct tsr_gemm_plan *plan) {
  const struct tsr_topology *machine = tsr_topology_get();
  struct model md = {kernels, costs, p, plan, (double)tsr_size_of(p->type), 0, 0, 0, 0};
  double m = (double)p->m, n = (double)p->n, k = (double)p->k, seconds = 0;
  md.home = (m * k + k * n + m * n) * md.size;
  md.l1 = (double)machine->level[0].bytes;
  md.l2 = (double)machine->level[machine->nlevels > 1].bytes;
  md.l3 = (double)machine->level[machine->nlevels - 1].bytes;
  switch (plan->path) {
    case TSR_GEMM_ACROSS: seconds = across(&md); break;
    case TSR_GEMM_PACKED: seconds = packed(&md); break;
    case TSR_GEMM_K_SPLIT: seconds = k_split(&md); break;
    case TSR_GEMM_SMALL:
    case TSR_GEMM_DIRECT: seconds = direct(&md); break;
  }
  return seconds + (plan->threads > 1 ? costs->start : 0);
}
