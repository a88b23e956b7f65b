/* The GEMM loops. They know tiles, blocks and threads; what a step does is the chip's business (kernels/kernel.h). */
#include "src/gemm/gemm.h"

#include <string.h>

#include "src/core/memory.h"
#include "src/core/threads.h"
#include "src/core/trace.h"

/* One problem with what its loops need at hand. */
struct job {
  const struct tsr_gemm_problem *problem;
  const struct tsr_gemm_plan *plan;
  const struct tsr_kernels *kernels;
  int64_t size;
};

/* Rows of the next tile, in units: whole preferred tiles, and what is left in the fewest, fullest tiles. A lone last
 * unit would make half-empty work, so the last preferred tile shares with it. */
static int next_units(const struct tsr_tiles *tiles, int units, int64_t left, int width) {
  if (left == units + 1 && units > 2) return (units + 2) / 2;
  int u = left < units ? (int)left : units;
  while (tiles->max_columns[u] < width) u--;
  return u;
}

static int64_t units_of(const struct tsr_tiles *tiles, int64_t rows) { return (rows + tiles->mu - 1) / tiles->mu; }

/* How many tiles of `u` units come next in a run. */
static int64_t run_of(const struct tsr_tiles *tiles, int units, int64_t left, int width, int u) {
  int64_t count = 1;
  while (left - count * u > 0 && next_units(tiles, units, left - count * u, width) == u) count++;
  return count;
}

/* Sums one column of tiles: `rows` rows, `width` columns, over one block of k. A is direct or a row of panels. */
static void column_of_tiles(const struct job *job, struct tsr_step *step, int64_t rows, int width, bool packed,
                            tsr_mem a, tsr_mem b, tsr_mem c) {
  const struct tsr_tiles *tiles = &job->kernels->gemm;
  int units = job->plan->units;
  step->n = width;
  for (int64_t left = units_of(tiles, rows); left > 0;) {
    int u = next_units(tiles, units, left, packed ? job->plan->columns : width);
    int64_t count = run_of(tiles, units, left, packed ? job->plan->columns : width, u);
    int64_t tile_rows = (int64_t)u * tiles->mu, done = count * tile_rows;
    step->m = rows < done ? rows : done;
    step->da = tile_rows * job->size * (packed ? step->k : 1);
    step->csa = packed ? tile_rows * job->size : job->problem->csa;
    step->dc = tile_rows * job->size;
    tiles->tile[u][width]->run(step, a, b, c);
    a += (tsr_mem)(count * step->da);
    c += (tsr_mem)(done * job->size);
    rows -= done;
    left -= count * u;
  }
}

static void set_block(const struct job *job, struct tsr_step *step, int64_t p0) {
  const struct tsr_gemm_problem *pr = job->problem;
  step->k = pr->k - p0 < job->plan->kb ? pr->k - p0 : job->plan->kb;
  step->alpha = pr->alpha;
  step->beta = p0 == 0 ? pr->beta : 1;
  step->csc = pr->csc;
  step->flags = 0;
  step->next_b = 0;
}

static void direct(const struct job *job) {
  const struct tsr_gemm_problem *pr = job->problem;
  const struct tsr_tiles *tiles = &job->kernels->gemm;
  struct tsr_step step = {0};
  step.rsa = pr->rsa;
  step.rsb = pr->rsb;
  step.csb = pr->csb;
  int64_t units = units_of(tiles, pr->m);
  int u = units < job->plan->units ? (int)units : job->plan->units, columns = tiles->max_columns[u];
  for (int64_t p0 = 0; p0 < pr->k; p0 += job->plan->kb) {
    set_block(job, &step, p0);
    for (int64_t j = 0, width; j < pr->n; j += width) {
      width = tsr_next_columns(pr->n - j, columns, columns);
      column_of_tiles(job, &step, pr->m, (int)width, false, pr->a + (tsr_mem)(p0 * pr->csa),
                      pr->b + (tsr_mem)(p0 * pr->rsb + j * pr->csb), pr->c + (tsr_mem)(j * pr->csc));
    }
  }
}

/* Copies `rows` lanes x k of an operand into panels of `width`. */
static void pack(const struct job *job, int64_t rows, int width, int64_t k, tsr_mem from, int64_t rs, int64_t cs,
                 tsr_mem to) {
  struct tsr_step step = {0};
  step.m = rows;
  step.n = width;
  step.k = k;
  step.rsa = rs;
  step.csa = cs;
  step.dc = width * k * job->size;
  const struct tsr_kernel *const *list = rs == job->size ? job->kernels->pack_n : job->kernels->pack_t;
  const struct tsr_kernel *kernel = list[width] ? list[width] : list[0];
  kernel->run(&step, from, 0, to);
}

static void pack_a(const struct job *job, int64_t rows, int64_t k, tsr_mem from, tsr_mem to) {
  const struct tsr_tiles *tiles = &job->kernels->gemm;
  int units = job->plan->units, columns = job->plan->columns;
  for (int64_t left = units_of(tiles, rows); left > 0;) {
    int u = next_units(tiles, units, left, columns);
    int64_t count = run_of(tiles, units, left, columns, u), done = count * u * tiles->mu;
    pack(job, rows < done ? rows : done, u * tiles->mu, k, from, job->problem->rsa, job->problem->csa, to);
    from += (tsr_mem)(done * job->problem->rsa);
    to += (tsr_mem)(done * k * job->size);
    rows -= done;
    left -= count * u;
  }
}

static void pack_b(const struct job *job, int64_t cols, int64_t k, tsr_mem from, tsr_mem to) {
  int columns = job->plan->columns, most = job->kernels->gemm.max_columns[job->plan->units];
  for (int64_t j = 0, count, width; j < cols; j += count * width) {
    width = tsr_next_columns(cols - j, columns, most);
    count = 1;
    while (cols - j > count * width && tsr_next_columns(cols - j - count * width, columns, most) == width) count++;
    pack(job, count * width, (int)width, k, from + (tsr_mem)(j * job->problem->csb), job->problem->csb, job->problem->rsb,
         to + (tsr_mem)(j * k * job->size));
  }
}

static void block(const struct job *job, struct tsr_step *step, int64_t rows, int64_t cols, tsr_mem a, tsr_mem b,
                  tsr_mem c) {
  int columns = job->plan->columns, most = job->kernels->gemm.max_columns[job->plan->units];
  step->csb = job->size;
  for (int64_t j = 0, width; j < cols; j += width) {
    width = tsr_next_columns(cols - j, columns, most);
    step->rsb = width * job->size;
    column_of_tiles(job, step, rows, (int)width, true, a, b + (tsr_mem)(j * step->k * job->size),
                    c + (tsr_mem)(j * job->problem->csc));
  }
}

static tsr_status packed(const struct job *job) {
  const struct tsr_gemm_problem *pr = job->problem;
  const struct tsr_gemm_plan *plan = job->plan;
  tsr_mem a = (tsr_mem)tsr_scratch_get(TSR_SCRATCH_A, (size_t)((plan->mc + plan->units * job->kernels->gemm.mu) * plan->kb * job->size));
  tsr_mem b = (tsr_mem)tsr_scratch_get(TSR_SCRATCH_B, (size_t)(plan->nc * plan->kb * job->size));
  if (!a || !b) return tsr_fail(TSR_OUT_OF_MEMORY, "no scratch memory for packed blocks");
  struct tsr_step step = {0};
  for (int64_t j = 0; j < pr->n; j += plan->nc) {
    int64_t cols = pr->n - j < plan->nc ? pr->n - j : plan->nc;
    for (int64_t p0 = 0; p0 < pr->k; p0 += plan->kb) {
      set_block(job, &step, p0);
      pack_b(job, cols, step.k, pr->b + (tsr_mem)(p0 * pr->rsb + j * pr->csb), b);
      for (int64_t i = 0; i < pr->m; i += plan->mc) {
        int64_t rows = pr->m - i < plan->mc ? pr->m - i : plan->mc;
        pack_a(job, rows, step.k, pr->a + (tsr_mem)(i * pr->rsa + p0 * pr->csa), a);
        block(job, &step, rows, cols, a, b, pr->c + (tsr_mem)(i * job->size + j * pr->csc));
      }
    }
  }
  return TSR_OK;
}

static void scale(const struct job *job) {
  const struct tsr_gemm_problem *pr = job->problem;
  struct tsr_step step = {.m = pr->m, .n = pr->n, .csc = pr->csc, .beta = pr->beta};
  job->kernels->scale->run(&step, 0, 0, pr->c);
}

tsr_status tsr_gemm_compute(const tsr_context *context, const struct tsr_gemm_problem *pr, const char *routine) {
  (void)routine;
  struct tsr_gemm_plan plan;
  struct job job = {pr, &plan, &context->kernels[pr->type], tsr_size_of(pr->type)};
  if (pr->m == 0 || pr->n == 0) return TSR_OK;
  if (pr->k == 0 || pr->alpha == 0) {
    if (pr->beta != 1) scale(&job);
    return TSR_OK;
  }
  tsr_gemm_make_plan(context, pr, 1, &plan);
  if (plan.path == TSR_GEMM_PACKED) return packed(&job);
  direct(&job);
  return TSR_OK;
}

/* Length of a row (or column) of op(X) as stored: what ld must at least be. */
static int64_t least_ld(tsr_order order, tsr_trans trans, int64_t rows, int64_t cols) {
  int64_t least = (order == TSR_COL_MAJOR) == (trans == TSR_NO_TRANS) ? rows : cols;
  return least > 1 ? least : 1;
}

#define CHECK(condition, ...) \
  if (!(condition)) return tsr_fail(TSR_INVALID_ARGUMENT, __VA_ARGS__)

static tsr_status check_ld(const char *name, int64_t ld, int64_t least, int64_t outer, int64_t size) {
  int64_t bytes;
  CHECK(ld >= least, "%s is %lld but a row or column holds %lld elements: pass at least that", name, (long long)ld,
        (long long)least);
  CHECK(!__builtin_mul_overflow(ld, outer, &bytes) && !__builtin_mul_overflow(bytes, size, &bytes),
        "%s is %lld: the matrix would not fit the address space", name, (long long)ld);
  return TSR_OK;
}

static tsr_status check(const tsr_gemm_desc *d) {
  CHECK(d, "desc is NULL: pass a tsr_gemm_desc initialised by TSR_GEMM_DESC");
  CHECK(d->size == sizeof *d, "desc->size is %zu: initialise the descriptor with TSR_GEMM_DESC", d->size);
  CHECK(d->type == TSR_F32 || d->type == TSR_F64, "type is %d: use TSR_F32 or TSR_F64", (int)d->type);
  CHECK(d->order == TSR_ROW_MAJOR || d->order == TSR_COL_MAJOR, "order is %d: use TSR_ROW_MAJOR or TSR_COL_MAJOR",
        (int)d->order);
  CHECK(d->trans_a == TSR_NO_TRANS || d->trans_a == TSR_TRANS, "trans_a is %d: use TSR_NO_TRANS or TSR_TRANS",
        (int)d->trans_a);
  CHECK(d->trans_b == TSR_NO_TRANS || d->trans_b == TSR_TRANS, "trans_b is %d: use TSR_NO_TRANS or TSR_TRANS",
        (int)d->trans_b);
  CHECK(d->m >= 0, "m is %lld: sizes cannot be negative", (long long)d->m);
  CHECK(d->n >= 0, "n is %lld: sizes cannot be negative", (long long)d->n);
  CHECK(d->k >= 0, "k is %lld: sizes cannot be negative", (long long)d->k);
  return TSR_OK;
}

static tsr_status check_matrix(const tsr_gemm_desc *d, const char *name, tsr_trans trans, int64_t rows, int64_t cols,
                               int64_t ld) {
  int64_t least = least_ld(d->order, trans, rows, cols);
  return check_ld(name, ld, least, rows + cols - least, tsr_size_of(d->type));
}

static tsr_status check_strides(const tsr_gemm_desc *d) {
  tsr_status status = check_matrix(d, "lda", d->trans_a, d->m, d->k, d->lda);
  if (status == TSR_OK) status = check_matrix(d, "ldb", d->trans_b, d->k, d->n, d->ldb);
  if (status == TSR_OK) status = check_matrix(d, "ldc", TSR_NO_TRANS, d->m, d->n, d->ldc);
  return status;
}

/* One operand's strides in bytes when its first index runs over rows of the turned or unturned problem. */
static void strides(tsr_trans trans, int64_t ld, int64_t size, int64_t *rs, int64_t *cs) {
  *rs = trans == TSR_NO_TRANS ? size : ld * size;
  *cs = trans == TSR_NO_TRANS ? ld * size : size;
}

/* Row-major C = A B is column-major C' = B' A', where every matrix is read as its transpose. */
static void normalise(const tsr_gemm_desc *d, const void *a, const void *b, void *c, struct tsr_gemm_problem *pr) {
  bool turned = d->order == TSR_ROW_MAJOR;
  int64_t size = tsr_size_of(d->type);
  pr->type = d->type;
  pr->m = turned ? d->n : d->m;
  pr->n = turned ? d->m : d->n;
  pr->k = d->k;
  pr->a = (tsr_mem)(turned ? b : a);
  pr->b = (tsr_mem)(turned ? a : b);
  pr->c = (tsr_mem)c;
  strides(turned ? d->trans_b : d->trans_a, turned ? d->ldb : d->lda, size, &pr->rsa, &pr->csa);
  strides(turned ? d->trans_a : d->trans_b, turned ? d->lda : d->ldb, size, &pr->rsb, &pr->csb);
  pr->csc = d->ldc * size;
  pr->alpha = d->type == TSR_F32 ? (double)(float)d->alpha : d->alpha;
  pr->beta = d->type == TSR_F32 ? (double)(float)d->beta : d->beta;
}

tsr_status tsr_gemm(tsr_context *given, const tsr_gemm_desc *d, const void *a, const void *b, void *c) {
  tsr_context *context;
  struct tsr_gemm_problem problem;
  tsr_status status = tsr_context_get(given, &context);
  if (status == TSR_OK) status = check(d);
  if (status == TSR_OK) status = check_strides(d);
  if (status != TSR_OK) return status;
  if (d->m == 0 || d->n == 0) return TSR_OK;
  CHECK(c, "c is NULL but m and n are not 0");
  if (d->k > 0 && d->alpha != 0) {
    CHECK(a, "a is NULL but m and k are not 0");
    CHECK(b, "b is NULL but k and n are not 0");
  }
  normalise(d, a, b, c, &problem);
  return tsr_gemm_compute(context, &problem, "tsr_gemm");
}
