/* Operands stored by half, and a C of which one triangle is computed. */
#include "src/gemm/parts.h"

#include <string.h>

#define BUFFER (32 << 10)     /* bytes on the stack for copies */
#define TILE_BYTES (16 << 10) /* more than the sums of any tile: those of a chip's registers */
#define SMALL 64              /* rows and columns of a C that needs no plan */
#define FEW_ROWS 1            /* beyond a corner, that are added with it */

struct tsr_gemm_half tsr_gemm_half_a(const struct tsr_gemm_problem *p) {
  return (struct tsr_gemm_half){p->a, p->rsa, p->csa, p->parts.a};
}

struct tsr_gemm_half tsr_gemm_half_b(const struct tsr_gemm_problem *p) {
  uint8_t other = p->parts.b & TSR_LOWER ? TSR_UPPER : TSR_LOWER;
  return (struct tsr_gemm_half){p->b, p->csb, p->rsb, (uint8_t)(other | (p->parts.b & TSR_HERMITIAN))};
}

/* The imaginary parts of `count` complex numbers change their signs. */
static void conjugate(int64_t size, tsr_mem at, int64_t count) {
  if (size == 8)
    for (float *x = (float *)at, *end = x + 2 * count; x < end; x += 2) x[1] = -x[1];
  else
    for (double *x = (double *)at, *end = x + 2 * count; x < end; x += 2) x[1] = -x[1];
}

static void make_real(int64_t size, tsr_mem at) { memset((void *)(at + (tsr_mem)(size / 2)), 0, (size_t)size / 2); }

/* One panel with all steps from p0 on as they are stored, or all from their mirror image. */
static void pack_from(const struct tsr_kernels *kernels, int64_t size, const struct tsr_gemm_half *half, bool stored,
                      int64_t i, int64_t rows, int64_t width, int64_t p0, int64_t k, tsr_mem to) {
  int64_t rs = stored ? half->rs : half->cs, cs = stored ? half->cs : half->rs;
  tsr_gemm_pack(kernels, size, rows, width, k, half->at + (tsr_mem)(i * rs + p0 * cs), rs, cs, to);
  if (!stored && (half->part & TSR_HERMITIAN)) conjugate(size, to, width * k);
}

/* Steps that cross the diagonal: rows above it come from the other side. They are packed aside and laid over. */
static void lay_over(const struct tsr_kernels *kernels, int64_t size, const struct tsr_gemm_half *half, bool stored,
                     int64_t i, int64_t rows, int64_t width, int64_t p0, int64_t k, tsr_mem to) {
  _Alignas(64) char buffer[BUFFER];
  int64_t most = BUFFER / (width * size);
  for (int64_t p = p0; p < p0 + k; p += most) {
    int64_t steps = tsr_min(most, p0 + k - p);
    pack_from(kernels, size, half, stored, i, rows, width, p, steps, (tsr_mem)buffer);
    for (int64_t s = 0; s < steps; s++)
      memcpy((void *)(to + (tsr_mem)((p - p0 + s) * width * size)), buffer + s * width * size,
             (size_t)((p + s - i) * size));
  }
}

/* Rows at or below the diagonal in steps up to the last row, rows above it beyond. */
static void pack_half_panel(const struct tsr_kernels *kernels, int64_t size, const struct tsr_gemm_half *half,
                            int64_t i, int64_t rows, int64_t width, int64_t p0, int64_t k, tsr_mem to) {
  bool lower = half->part & TSR_LOWER;
  int64_t end = p0 + k, crosses = tsr_min(tsr_max(i + 1, p0), end), above = tsr_min(tsr_max(i + rows, p0), end);
  int64_t step = width * size;
  if (above > p0) pack_from(kernels, size, half, lower, i, rows, width, p0, above - p0, to);
  if (above > crosses)
    lay_over(kernels, size, half, !lower, i, rows, width, crosses, above - crosses,
             to + (tsr_mem)((crosses - p0) * step));
  if (end > above)
    pack_from(kernels, size, half, !lower, i, rows, width, above, end - above, to + (tsr_mem)((above - p0) * step));
  if (!(half->part & TSR_HERMITIAN)) return;
  for (int64_t p = tsr_max(i, p0); p < above; p++) {
    int64_t row = p - i, last = p == i + rows - 1 ? width : row + 1; /* the last row fills the panel up */
    for (; row < last; row++) make_real(size, to + (tsr_mem)((p - p0) * step + row * size));
  }
}

void tsr_gemm_pack_half(const struct tsr_kernels *kernels, int64_t size, const struct tsr_gemm_half *half, int64_t i,
                        int64_t rows, int64_t width, int64_t p0, int64_t k, tsr_mem to) {
  for (int64_t r = 0; r < rows; r += width, to += (tsr_mem)(width * k * size))
    pack_half_panel(kernels, size, half, i + r, tsr_min(width, rows - r), width, p0, k, to);
}

typedef float loose_float __attribute__((aligned(1), may_alias));
typedef double loose_double __attribute__((aligned(1), may_alias));

/* y = fma(alpha, s, beta * c) of so many elements where alpha is 1 or -1 and beta 1 or 0: one addition, the same bits.
 * The columns of a triangle's corner are too short for a kernel's call. */
#define ADD(name, real)                                                                                        \
  static void name(bool negative, bool keep, int64_t count, tsr_mem sums, tsr_mem c) {                         \
    const real *s = (const real *)sums;                                                                        \
    real *y = (real *)c;                                                                                       \
    for (int64_t i = 0; i < count; i++) y[i] = (keep ? y[i] : 0) + (negative ? -s[i] : s[i]);                  \
  }
ADD(add_f32, loose_float)
ADD(add_f64, loose_double)

static bool only_adds(const struct tsr_step *step) {
  return (step->alpha == 1 || step->alpha == -1) && (step->beta == 1 || step->beta == 0) && step->alpha_im == 0 &&
         step->beta_im == 0;
}

/* The columns of a corner that the diagonal cuts, one by one: their rows from `begin`, or up to `end`. */
static void update_corner(const struct tsr_gemm_job *job, struct tsr_step *step, int64_t diagonal, int64_t begin,
                          int64_t end, int64_t cols, tsr_mem sums, tsr_mem c) {
  const struct tsr_gemm_problem *pr = job->problem;
  bool lower = pr->parts.c & TSR_LOWER, single = pr->type == TSR_F32 || pr->type == TSR_C32;
  int64_t size = job->size, parts = size / (single ? 4 : 8);
  bool adds = only_adds(step);
  for (int64_t col = 0; col < cols; col++, sums += (tsr_mem)step->csa, c += (tsr_mem)step->csc) {
    int64_t first = lower ? tsr_max(diagonal + col, 0) : begin, last = lower ? end : tsr_min(diagonal + col + 1, end);
    tsr_mem offset = (tsr_mem)(first * size);
    if (last <= first) continue;
    if (adds) {
      (single ? add_f32 : add_f64)(step->alpha < 0, step->beta != 0, (last - first) * parts, sums + offset, c + offset);
      continue;
    }
    step->m = last - first;
    job->kernels->update->run(step, sums + offset, 0, c + offset);
  }
}

void tsr_gemm_cut_update(const struct tsr_gemm_job *job, struct tsr_step *step, int64_t i, int64_t j, tsr_mem sums,
                         tsr_mem c) {
  bool lower = job->problem->parts.c & TSR_LOWER;
  int64_t rows = step->m, cols = step->n, diagonal = j - i;
  /* Where rows begin, or end, that lie in the triangle in every column. */
  int64_t whole = tsr_min(tsr_max(lower ? diagonal + cols - 1 : diagonal + 1, 0), rows);
  if ((lower ? rows - whole : whole) <= FEW_ROWS && only_adds(step)) whole = lower ? rows : 0;
  tsr_mem offset = (tsr_mem)((lower ? whole : 0) * job->size);
  step->m = lower ? rows - whole : whole;
  if (step->m > 0) job->kernels->update->run(step, sums + offset, 0, c + offset);
  step->n = 1;
  update_corner(job, step, diagonal, whole, lower ? whole : rows, cols, sums, c);
}

/* A tile of `units`, `rows` of whose rows from i are real, that the diagonal crosses: units of rows outside the
 * triangle are left out, the sums of the others go to scratch and from there into the triangle. */
static void cut_tile(const struct tsr_gemm_job *job, const struct tsr_step *step, int64_t units, int64_t i,
                     int64_t rows, int64_t j, tsr_mem a, tsr_mem b, tsr_mem c) {
  _Alignas(64) char sums[TILE_BYTES];
  const struct tsr_tiles *tiles = &job->kernels->gemm;
  bool lower = job->problem->parts.c & TSR_LOWER;
  int64_t height = units, skipped = 0;
  struct tsr_step cut = *step;
  cut.m = rows;
  if (lower && j > i) {
    height -= (j - i) / tiles->mu;
    while (tiles->max_columns[height] < step->n) height++;
    skipped = (units - height) * tiles->mu;
    cut.m -= skipped;
  } else if (!lower && rows > j + step->n - i) {
    height = tsr_ceil_div(j + step->n - i, tiles->mu);
    while (tiles->max_columns[height] < step->n) height++;
    cut.m = tsr_min(rows, height * tiles->mu);
  }
  cut.csc = height * tiles->mu * job->size;
  cut.flags |= TSR_STORE_SUM;
  tsr_mem offset = (tsr_mem)(skipped * job->size);
  tiles->tile[height][step->n]->run(&cut, a + offset, b, (tsr_mem)sums);
  cut.csa = cut.csc;
  cut.csc = step->csc;
  cut.flags = 0;
  tsr_gemm_cut_update(job, &cut, i + skipped, j, (tsr_mem)sums, c + offset);
}

/* How many tiles of `units`, of `left` units, follow one another that end at `end` at the latest, counted in rows from
 * the first tile's. */
static int64_t whole_tiles(const struct tsr_gemm_job *job, int units, int64_t left, int64_t rows, int64_t end,
                           int width) {
  const struct tsr_tiles *tiles = &job->kernels->gemm;
  int64_t count = 0, tile_rows = (int64_t)units * tiles->mu;
  for (; left > 0 && tsr_next_units(tiles, job->plan->units, left, width) == units; count++, left -= units)
    if (tsr_min((count + 1) * tile_rows, rows) > end) break;
  return count;
}

void tsr_gemm_cut_column(const struct tsr_gemm_job *job, struct tsr_step *step, int64_t i, int64_t rows, int64_t j,
                         bool panels, tsr_mem a, tsr_mem b, tsr_mem c) {
  const struct tsr_tiles *tiles = &job->kernels->gemm;
  bool lower = job->problem->parts.c & TSR_LOWER;
  int width = panels ? job->plan->columns : (int)step->n;
  int u;
  int64_t diagonal = j - i, size = job->size;
  int64_t begin = lower ? diagonal : 0, end = lower ? rows : tsr_min(rows, diagonal + step->n); /* what C needs */
  int64_t whole = lower ? diagonal + step->n - 1 : 0, whole_end = lower ? rows : diagonal + 1;
  if (begin >= rows) return;
  for (int64_t r = 0, left = tsr_ceil_div(rows, tiles->mu), count; r < end; left -= count * u) {
    u = tsr_next_units(tiles, job->plan->units, left, width);
    int64_t tile_rows = (int64_t)u * tiles->mu, tile_end = tsr_min(rows, r + tile_rows);
    step->dc = tile_rows * size;
    step->da = panels ? step->dc * step->k : step->dc;
    step->csa = panels ? step->dc : job->problem->csa;
    count = r >= whole ? whole_tiles(job, u, left, rows - r, whole_end - r, width) : 0;
    if (count > 0) {
      step->m = tsr_min(rows - r, count * tile_rows);
      tiles->tile[u][step->n]->run(step, a, b, c + (tsr_mem)(r * size));
    } else {
      count = 1;
      if (tile_end > begin) cut_tile(job, step, u, i + r, tile_end - r, j, a, b, c + (tsr_mem)(r * size));
    }
    a += (tsr_mem)(count * step->da);
    r += count * tile_rows;
  }
}

bool tsr_gemm_shares_panels(const struct tsr_gemm_job *job) {
  const struct tsr_gemm_problem *pr = job->problem;
  const struct tsr_gemm_way *plan = job->plan;
  if (!pr->parts.c || pr->a != pr->b || pr->rsa != pr->csb || pr->csa != pr->rsb || !plan->pack_a || !plan->pack_b)
    return false;
  int64_t rows = (int64_t)plan->units * job->kernels->gemm.mu;
  return rows % plan->columns == 0 && plan->grain % rows == 0 && (plan->nc >= pr->n || plan->nc % rows == 0);
}

void tsr_gemm_multiply_shared(const struct tsr_gemm_job *job, const struct tsr_gemm_piece *piece, int64_t p0, int64_t k,
                              tsr_mem a, tsr_mem b) {
  const struct tsr_gemm_problem *pr = job->problem;
  const struct tsr_tiles *tiles = &job->kernels->gemm;
  int units = job->plan->units, columns = job->plan->columns;
  struct tsr_step step = {.csb = job->size, .csc = pr->csc, .flags = pr->flags};
  tsr_mem c = pr->c + (tsr_mem)(piece->i * job->size + piece->j * pr->csc);
  tsr_gemm_set_block(job, &step, p0);
  for (int64_t j = 0, width; j < piece->cols; j += width, b += (tsr_mem)(width * k * job->size)) {
    width = (int64_t)tsr_next_units(tiles, units, tsr_ceil_div(piece->cols - j, tiles->mu), columns) * tiles->mu;
    int64_t end = tsr_min(width, piece->cols - j);
    step.rsb = width * job->size;
    for (int64_t col = 0; col < end; col += step.n) {
      step.n = tsr_next_columns(end - col, columns, tiles->max_columns[units]);
      tsr_gemm_cut_column(job, &step, piece->i, piece->rows, piece->j + j + col, true, a,
                          b + (tsr_mem)(col * job->size), c + (tsr_mem)((j + col) * pr->csc));
    }
  }
}

void tsr_gemm_cut_in_place(const struct tsr_gemm_job *job, const struct tsr_gemm_piece *piece, int64_t p0, bool near) {
  const struct tsr_gemm_problem *pr = job->problem;
  struct tsr_step step = {.rsb = pr->rsb, .csb = pr->csb, .csc = pr->csc, .flags = pr->flags | (near ? TSR_NEAR : 0)};
  bool lower = pr->parts.c & TSR_LOWER;
  int most = job->kernels->gemm.max_columns[job->plan->units];
  tsr_gemm_set_block(job, &step, p0);
  for (int64_t j = piece->j, end = piece->j + piece->cols; j < end; j += step.n) {
    step.n = tsr_next_columns(end - j, job->plan->columns, most);
    int64_t i = lower ? tsr_max(piece->i, j) : piece->i;
    tsr_gemm_cut_column(job, &step, i, piece->i + piece->rows - i, j, false,
                        pr->a + (tsr_mem)(i * job->size + p0 * pr->csa), pr->b + (tsr_mem)(p0 * pr->rsb + j * pr->csb),
                        pr->c + (tsr_mem)(i * job->size + j * pr->csc));
  }
}

void tsr_gemm_cut_scale(const struct tsr_gemm_job *job) {
  const struct tsr_gemm_problem *pr = job->problem;
  bool lower = pr->parts.c & TSR_LOWER;
  struct tsr_step step = {.n = 1, .csc = pr->csc, .beta = pr->beta, .beta_im = pr->beta_im};
  for (int64_t j = 0; j < pr->n; j++) {
    int64_t first = lower ? j : 0;
    step.m = lower ? pr->m - j : tsr_min(j + 1, pr->m);
    if (step.m > 0) job->kernels->scale->run(&step, 0, 0, pr->c + (tsr_mem)(first * job->size + j * pr->csc));
  }
}

void tsr_gemm_make_diagonal_real(const struct tsr_gemm_problem *pr) {
  int64_t size = tsr_size_of(pr->type);
  for (int64_t j = 0; j < pr->n; j++) make_real(size, pr->c + (tsr_mem)(j * (pr->csc + size)));
}

static void small_in_place(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *p) {
  struct tsr_gemm_way plan = {.units = kernels->gemm.units, .columns = kernels->gemm.columns, .kb = p->k};
  struct tsr_gemm_job job = {p, &plan, kernels, tsr_size_of(p->type)};
  struct tsr_gemm_piece all = {0, p->m, 0, p->n};
  tsr_gemm_cut_in_place(&job, &all, 0, true);
}

/* A along k goes through a panel on the stack. */
static bool small_along_k(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *p) {
  _Alignas(64) char panel[BUFFER];
  int64_t size = tsr_size_of(p->type), width = tsr_round_up(p->m, kernels->gemm.mu);
  if (width * p->k * size > BUFFER) return false;
  struct tsr_gemm_problem in_place = *p;
  tsr_gemm_pack(kernels, size, p->m, width, p->k, p->a, p->rsa, size, (tsr_mem)panel);
  in_place.a = (tsr_mem)panel, in_place.rsa = size, in_place.csa = width * size;
  small_in_place(kernels, &in_place);
  return true;
}

static bool small_c(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *p) {
  if (p->k > tsr_gemm_kb(p->type)) return false;
  if (p->rsa != tsr_size_of(p->type) && p->m > 1) return small_along_k(kernels, p);
  small_in_place(kernels, p);
  return true;
}

/* A symmetric operand is copied to the stack as a whole. */
static bool small_symmetric(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *p) {
  _Alignas(64) char copy[BUFFER];
  int64_t size = tsr_size_of(p->type), rows = p->k, width = tsr_round_up(rows, kernels->gemm.mu);
  if ((p->parts.a && p->parts.b) || width * rows * size > BUFFER) return false;
  struct tsr_gemm_half b = {p->b, p->rsb, p->csb, p->parts.b}, half = p->parts.a ? tsr_gemm_half_a(p) : b;
  struct tsr_gemm_problem whole = *p;
  tsr_gemm_pack_half(kernels, size, &half, 0, rows, width, 0, rows, (tsr_mem)copy);
  if (p->parts.a) {
    whole.a = (tsr_mem)copy, whole.rsa = size, whole.csa = width * size;
  } else {
    whole.b = (tsr_mem)copy, whole.rsb = size, whole.csb = width * size;
  }
  whole.parts = (struct tsr_gemm_parts){0};
  return tsr_gemm_small(kernels, &whole);
}

bool tsr_gemm_small_part(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *p) {
  if (p->m > SMALL || p->n > SMALL) return false;
  if (!p->parts.c) return small_symmetric(kernels, p);
  return !(p->parts.a | p->parts.b) && small_c(kernels, p);
}

static void copy_element(int64_t size, const struct tsr_gemm_half *half, int64_t i, int64_t p, tsr_mem to) {
  bool stored = half->part & TSR_LOWER ? i >= p : i <= p;
  int64_t row = stored ? i : p, col = stored ? p : i;
  memcpy((void *)to, (const void *)(half->at + (tsr_mem)(row * half->rs + col * half->cs)), (size_t)size);
  if (!(half->part & TSR_HERMITIAN)) return;
  if (i == p) make_real(size, to);
  if (!stored) conjugate(size, to, 1);
}

/* One piece: `rows` rows of A, or columns of B, from i on and one block of k, copied to `copy`. */
static void one_piece(const struct tsr_gemm_job *job, const struct tsr_gemm_half *half, bool of_a, int64_t i,
                      int64_t rows, int64_t p0, tsr_mem copy) {
  struct tsr_gemm_problem pr = *job->problem;
  struct tsr_gemm_way plan = {.path = TSR_GEMM_DIRECT, .threads = 1};
  struct tsr_gemm_job piece = {&pr, &plan, job->kernels, job->size};
  int64_t size = job->size;
  pr.k = tsr_min(job->plan->kb, pr.k - p0);
  for (int64_t p = 0; p < pr.k; p++)
    for (int64_t r = 0; r < rows; r++) copy_element(size, half, i + r, p0 + p, copy + (tsr_mem)((p * rows + r) * size));
  if (of_a) {
    pr.m = rows, pr.a = copy, pr.rsa = size, pr.csa = rows * size;
    pr.b += (tsr_mem)(p0 * pr.rsb), pr.c += (tsr_mem)(i * size);
  } else {
    pr.n = rows, pr.b = copy, pr.rsb = rows * size, pr.csb = size;
    pr.a += (tsr_mem)(p0 * pr.csa), pr.c += (tsr_mem)(i * pr.csc);
  }
  if (p0 > 0) pr.beta = 1, pr.beta_im = 0;
  pr.parts = (struct tsr_gemm_parts){0};
  tsr_gemm_complete(job->kernels, &pr, 1, &plan);
  tsr_gemm_direct(&piece, NULL);
}

void tsr_gemm_by_pieces(const struct tsr_gemm_job *job) {
  const struct tsr_gemm_problem *pr = job->problem;
  _Alignas(64) char copy[BUFFER];
  bool of_a = pr->parts.a != TSR_FULL;
  struct tsr_gemm_half half = of_a ? tsr_gemm_half_a(pr) : tsr_gemm_half_b(pr);
  int64_t kb = job->plan->kb, most = BUFFER / (tsr_min(kb, pr->k) * job->size), all = of_a ? pr->m : pr->n;
  for (int64_t p0 = 0; p0 < pr->k; p0 += kb)
    for (int64_t i = 0; i < all; i += most) one_piece(job, &half, of_a, i, tsr_min(most, all - i), p0, (tsr_mem)copy);
}
