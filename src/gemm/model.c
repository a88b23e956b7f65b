/* The cost model of GEMM on a CPU: what a plan computes, and what it moves between the levels of memory meanwhile.
 *
 * Each block of work is a few loops over tiles. Its computing time follows from the tiles that cover it: each takes
 * k steps of at least the latency of an fma. Its reading time follows from how many bytes of an operand pass before it
 * is used again, hence from which level it comes. The longer of the two counts, and a share of the shorter. Coefficients
 * (src/tune/costs.h) are the machine's. In the manner of T. Low, F. Igual, T. Smith and E. Quintana-Orti, "Analytical
 * Modeling Is Enough for High-Performance BLIS", ACM TOMS 43 (2016). */
#include "src/gemm/model.h"

#include "src/core/topology.h"
#include "src/gemm/tiles.h"
#include "src/tune/costs.h"

#define PAGE 4096

struct model {
  const struct tsr_kernels *kernels;
  const struct tsr_costs *costs;
  const struct tsr_gemm_problem *p;
  const struct tsr_gemm_way *plan;
  double size;
  double home;      /* bytes of all operands: from where a first reading comes */
  double cache[3];  /* bytes of the levels */
};

static double least(double a, double b) { return a < b ? a : b; }
static double most(double a, double b) { return a > b ? a : b; }

static double reading(const struct model *md, double bytes) {
  return tsr_costs_reading(md->costs, md->cache, md->plan->threads, bytes);
}

/* Tiles that cover a length: so many of each of some sizes. */
struct cover {
  int kinds, size[4];
  double count[4];
};

static void cover_more(struct cover *cover, int size) {
  if (cover->kinds > 0 && (cover->size[cover->kinds - 1] == size || cover->kinds == 4))
    cover->count[cover->kinds - 1]++;
  else
    cover->size[cover->kinds] = size, cover->count[cover->kinds++] = 1;
}

static struct cover cover_rows(const struct tsr_tiles *tiles, int units, int64_t rows, int width) {
  struct cover cover = {0};
  int64_t left = tsr_ceil_div(rows, tiles->mu), whole = left / units - 2;
  if (whole > 0) {
    cover = (struct cover){1, {units}, {(double)whole}};
    left -= whole * units;
  }
  for (int u; left > 0; left -= u) cover_more(&cover, u = tsr_next_units(tiles, units, left, width));
  return cover;
}

static struct cover cover_columns(int64_t cols, int columns, int widest) {
  struct cover cover = {0};
  int64_t left = cols, whole = left / columns - 2;
  if (whole > 0) {
    cover = (struct cover){1, {columns}, {(double)whole}};
    left -= whole * columns;
  }
  for (int w; left > 0; left -= w) cover_more(&cover, w = tsr_next_columns(left, columns, widest));
  return cover;
}

static double count_of(const struct cover *cover) {
  double n = 0;
  for (int i = 0; i < cover->kinds; i++) n += cover->count[i];
  return n;
}

static double flop(const struct model *md) {
  switch (md->p->type) {
    case TSR_F32: return md->costs->flop_f32;
    case TSR_C32: return 4 * md->costs->flop_f32;
    case TSR_C64: return 4 * md->costs->flop_f64;
    default: return md->costs->flop_f64;
  }
}

/* Seconds of the tiles of a block whose operands are at hand, k deep. */
static double computing(const struct model *md, const struct cover *rows, const struct cover *cols, double k) {
  const struct tsr_costs *c = md->costs;
  double unit = 2 * md->kernels->gemm.mu * flop(md), seconds = 0;
  double vector = md->kernels->gemm.mu * md->size / (double)md->kernels->chip->vector_bytes();
  for (int i = 0; i < rows->kinds; i++)
    for (int j = 0; j < cols->kinds; j++) {
      double loads = (vector * rows->size[i] + cols->size[j]) * c->load;
      double step = most(most(rows->size[i] * cols->size[j] * unit, loads), c->chain);
      seconds += rows->count[i] * cols->count[j] * (k * step + c->tile);
    }
  return seconds;
}

/* What computes and what reads at the same time. */
static double together(const struct model *md, double computes, double reads) {
  return most(computes, reads) + md->costs->overlap * least(computes, reads);
}

static double stride_of(int64_t rs, int64_t cs, double size) { return (double)rs == size ? (double)cs : (double)rs; }

static bool in_whole_pages(double stride) { return (int64_t)stride % PAGE == 0; }

/* Bytes of a matrix as far as caches are concerned: lines whole pages apart share few sets. */
static double crowded(const struct model *md, double bytes, double stride) {
  return in_whole_pages(stride) ? bytes * md->costs->conflict : bytes;
}

/* Seconds for runs of bytes that lie apart, when `bytes` pass before they come again. Each begins with a wait that is
 * not all hidden, as if it were so many bytes longer. */
static double jumping(const struct model *md, double runs, double bytes) {
  return runs * md->costs->jump * reading(md, bytes);
}

/* Seconds to write a block R x N of C, whose columns are touched so many times, while `other` bytes pass by. */
static double updating(const struct model *md, double R, double N, double touches, double other) {
  double bytes = R * N * md->size;
  return (bytes * md->costs->update + touches * N * md->costs->scatter) * reading(md, bytes + other);
}

/* How much longer tiles take whose columns of B are as many streams of their own. */
static double streams_of_b(const struct model *md, int columns) {
  double few = 8;
  return 1 + md->costs->streams * most(0, columns - few) / few;
}

/* Seconds that a B in place costs beyond its bytes: nothing fetches it ahead, and where its rows are contiguous each k
 * is a run of its own. Its tiles are read anew `times` times, while `bytes` pass. */
static double fetching_b(const struct model *md, double k, double N, double tiles, double times, double bytes) {
  bool along_k = (double)md->p->rsb == md->size;
  double runs = along_k ? tiles : k * tiles;
  double cold = md->home > md->cache[1] ? k * N * md->size * md->costs->stall : 0;
  return cold + jumping(md, runs, md->home) + (times - 1) * jumping(md, runs, bytes);
}

/* Seconds of a piece R x N, operands as they lie, through all of k. */
static double piece_in_place(const struct model *md, double R, double N) {
  const struct tsr_gemm_problem *p = md->p;
  const struct tsr_gemm_way *plan = md->plan;
  const struct tsr_tiles *tiles = &md->kernels->gemm;
  double lda = stride_of(p->rsa, p->csa, md->size), ldb = stride_of(p->rsb, p->csb, md->size);
  double k = least((double)p->k, (double)plan->kb), blocks = (double)p->k / k, reads;
  int widest = tiles->max_columns[plan->units];
  bool by_rows = plan->order == TSR_GEMM_ROWS;
  struct cover rows = cover_rows(tiles, plan->units, (int64_t)R, 1), cols = cover_columns((int64_t)N, widest, widest);
  double a = R * k * md->size, b = N * k * md->size;
  double passes_b = count_of(&rows), passes_a = count_of(&cols), tile_a = a / passes_b, tile_b = b / passes_a;
  double in_place = md->costs->in_place, first = reading(md, md->home) * in_place;
  if (by_rows)
    reads = (a + b) * first + b * (passes_b - 1) * reading(md, crowded(md, b, ldb) + tile_a) +
            a * (passes_a - 1) * reading(md, crowded(md, tile_a, lda) + tile_b);
  else
    reads = (a + b) * first + a * (passes_a - 1) * reading(md, crowded(md, a, lda) + tile_b) * in_place +
            b * (passes_b - 1) * reading(md, tile_a + tile_b);
  reads += updating(md, R, N, by_rows ? passes_b : 1, p->k > plan->kb ? md->home : a + b);
  reads += jumping(md, passes_b * k, md->home) + (by_rows ? 0 : jumping(md, passes_b * k * (passes_a - 1), a));
  reads += fetching_b(md, k, N, passes_a, by_rows ? passes_b : 1, crowded(md, b, ldb) + tile_a);
  if (md->home > md->cache[1]) reads += tile_a * md->costs->cold;
  double steps = (by_rows ? passes_b * cols.kinds : passes_a * rows.kinds) * md->costs->step;
  return blocks * (together(md, computing(md, &rows, &cols, k) * streams_of_b(md, cols.size[0]), reads) + steps);
}

/* The same for an A along k that is transposed in registers, and what is left of its rows through a panel. */
static double piece_along_k(const struct model *md, double R, double N) {
  const struct tsr_tiles *at = &md->kernels->gemm_at;
  double k = (double)md->p->k, blocks = (double)tsr_ceil_div(md->p->k, md->plan->kb), seconds = 0, a = R * k * md->size;
  double lda = stride_of(md->p->rsa, md->p->csa, md->size), in_tiles = 0, passes = 1;
  if (at->mu) {
    int units = tsr_gemm_at_units(at, (int64_t)N, tsr_gemm_is_near(md->p, (int64_t)md->size));
    double columns, height = (double)(units * at->mu);
    in_tiles = (double)((int64_t)R / at->mu * at->mu);
    passes = (double)tsr_ceil_div((int64_t)N, at->max_columns[units]);
    columns = N / passes;
    double step = most(2 * height * columns * flop(md), md->costs->chain) + height * md->size * md->costs->along_k;
    seconds = tsr_ceil_div((int64_t)in_tiles, (int64_t)height) * passes * (k * step + blocks * md->costs->tile);
  }
  if (in_tiles < R) {
    struct cover rows = cover_rows(&md->kernels->gemm, md->plan->units, (int64_t)(R - in_tiles), 1);
    struct cover cols = cover_columns((int64_t)N, md->plan->columns, md->plan->columns);
    seconds += computing(md, &rows, &cols, k) + (R - in_tiles) * k * md->size * md->costs->transpose;
    seconds += blocks * (2 + count_of(&cols)) * md->costs->step;
  }
  double strip = a * most(1, (double)at->mu) / R;
  double reads = a * reading(md, md->home) * md->costs->in_place;
  reads += a * (passes - 1) * reading(md, crowded(md, strip, lda));
  reads += jumping(md, R > 4 * at->mu ? R * blocks : R, md->home); /* a strip is read to the end of k */
  return together(md, seconds, reads) + 2 * blocks * md->costs->step;
}

static double piece_direct(const struct model *md, double R, double N) {
  if ((double)md->p->rsa != md->size && md->p->m > 1) return piece_along_k(md, R, N);
  return piece_in_place(md, R, N);
}

/* Pieces that threads claim one by one: so many of `one` second each, then smaller ones of `rest`. */
struct pieces {
  double n, one, n_rest, rest;
};

static double shared_out(const struct pieces *p, int threads) {
  double rounds = (double)(((int64_t)p->n + threads - 1) / threads), free = rounds * threads - p->n;
  double seconds = rounds * p->one, even = (p->n * p->one + p->n_rest * p->rest) / threads;
  if (p->n_rest > free) seconds += (double)(((int64_t)(p->n_rest - free) + threads - 1) / threads) * p->rest;
  return most(seconds, even);
}

/* Two threads that write parts of one line of C send it to and fro. */
static double lines_shared(const struct model *md, double rows, double cuts) {
  bool apart = (int64_t)(rows * md->size) % 64 == 0 && md->p->csc % 64 == 0;
  double blocks = (double)tsr_ceil_div(md->p->k, md->plan->kb);
  return apart || md->plan->threads == 1 ? 0 : cuts * (double)md->p->n * blocks * md->costs->line;
}

static double direct(const struct model *md) {
  const struct tsr_gemm_problem *p = md->p;
  double mc = least((double)md->plan->mc, (double)p->m), nc = least((double)md->plan->nc, (double)p->n);
  double down = (double)(p->m / (int64_t)mc), across = (double)(p->n / (int64_t)nc);
  double rest_m = (double)p->m - down * mc, rest_n = (double)p->n - across * nc;
  struct pieces pieces = {.n = down * across, .one = piece_direct(md, mc, nc)};
  if (rest_m > 0) pieces.n_rest = across, pieces.rest = piece_direct(md, rest_m, nc);
  if (rest_n > 0) {
    double all = pieces.n_rest * pieces.rest + down * piece_direct(md, mc, rest_n);
    pieces.n_rest += down;
    pieces.rest = all / pieces.n_rest;
  }
  return shared_out(&pieces, md->plan->threads) +
         lines_shared(md, mc, down - (rest_m > 0 ? 0 : 1)) / md->plan->threads;
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
  turned.csc = turned.m * (int64_t)md->size;
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
  return shared_out(&(struct pieces){.n = blocks, .one = one}, md->plan->threads) + sums * (md->costs->turn + reading(md, sums));
}

/* Seconds to copy bytes that come at `from` seconds a byte into panels. */
static double packing(const struct model *md, double bytes, bool along_k, double stride, double from) {
  double work = along_k ? md->costs->transpose : md->costs->pack;
  return bytes * (from + work * (along_k && in_whole_pages(stride) ? md->costs->crowd : 1));
}

/* One block of rows R x N of a phase: A packed, and multiplied by a B that is in panels or in place. */
static double packed_rows(const struct model *md, double R, double N, double k) {
  const struct tsr_gemm_problem *p = md->p;
  const struct tsr_gemm_way *plan = md->plan;
  const struct tsr_tiles *tiles = &md->kernels->gemm;
  struct cover rows = cover_rows(tiles, plan->units, (int64_t)R, plan->columns);
  struct cover cols = cover_columns((int64_t)N, plan->columns, tiles->max_columns[plan->units]);
  double a = R * k * md->size, b = N * k * md->size, passes_a = count_of(&cols), passes_b = count_of(&rows);
  double tile_a = a / passes_b, tile_b = b / passes_a, in_place = md->costs->in_place;
  double lda = stride_of(p->rsa, p->csa, md->size), ldb = stride_of(p->rsb, p->csb, md->size);
  double first = reading(md, md->home), seconds = 0, reads;
  if (plan->pack_a)
    reads = a * (passes_a - 1) * reading(md, a + tile_b);
  else
    reads = a * in_place * (first + (passes_a - 1) * reading(md, crowded(md, a, lda) + tile_b)) +
            jumping(md, passes_b * k * passes_a, a + b);
  reads += b * (plan->pack_b ? reading(md, b + a) : in_place * reading(md, most(crowded(md, b, ldb), b + a)));
  reads += b * (passes_b - 1) * reading(md, tile_a + tile_b) + updating(md, R, N, 1, md->home);
  if (!plan->pack_b) reads += fetching_b(md, k, N, passes_a, 1, b);
  double computes = computing(md, &rows, &cols, k) * (plan->pack_b ? 1 : streams_of_b(md, plan->columns));
  if (plan->pack_a) {
    bool along_k = (double)p->rsa != md->size;
    seconds = packing(md, a, along_k, lda, first) + (along_k ? 0 : jumping(md, passes_b * k, md->home));
  }
  return seconds + together(md, computes, reads) + passes_a * rows.kinds * md->costs->step;
}

static double packed(const struct model *md) {
  const struct tsr_gemm_problem *p = md->p;
  const struct tsr_gemm_way *plan = md->plan;
  int threads = (int)tsr_ceil_div(plan->threads, plan->groups);
  int64_t tiles = tsr_ceil_div(tsr_ceil_div(p->n, plan->columns), plan->groups); /* of the widest group */
  double n = least((double)p->n, (double)(tiles * plan->columns)), k = least((double)p->k, (double)plan->kb);
  double down = (double)tsr_ceil_div(p->m, plan->mc), slices = (double)tsr_ceil_div((int64_t)n, plan->nc);
  double one = packed_rows(md, (double)p->m / down, n / slices, k), phases = (double)p->k / k * slices;
  double seconds = shared_out(&(struct pieces){.n = down, .one = one}, threads);
  if (plan->pack_b) {
    double ldb = stride_of(p->rsb, p->csb, md->size), bytes = n / slices * k * md->size;
    seconds += packing(md, bytes, (double)p->rsb == md->size, ldb, reading(md, md->home)) / threads;
    if (threads > 1) seconds += md->costs->barrier;
  }
  return seconds * phases + lines_shared(md, (double)plan->mc, (down - 1) / plan->threads);
}

double tsr_gemm_predict(const struct tsr_kernels *kernels, const struct tsr_costs *costs,
                        const struct tsr_gemm_problem *p, const struct tsr_gemm_way *plan) {
  const struct tsr_topology *machine = tsr_topology_get();
  struct model md = {.kernels = kernels, .costs = costs, .p = p, .plan = plan, .size = (double)tsr_size_of(p->type)};
  double m = (double)p->m, n = (double)p->n, k = (double)p->k, seconds = 0;
  md.home = (m * k + k * n + m * n) * md.size;
  md.cache[0] = (double)machine->level[0].bytes;
  md.cache[1] = (double)machine->level[machine->nlevels > 1].bytes;
  md.cache[2] = (double)machine->level[machine->nlevels - 1].bytes * costs->last_level;
  switch (plan->path) {
    case TSR_GEMM_ACROSS: seconds = across(&md); break;
    case TSR_GEMM_PACKED: seconds = packed(&md); break;
    case TSR_GEMM_K_SPLIT: seconds = k_split(&md); break;
    case TSR_GEMM_SMALL:
    case TSR_GEMM_DIRECT: seconds = direct(&md); break;
  }
  return seconds + (plan->threads > 1 ? costs->start : 0);
}
