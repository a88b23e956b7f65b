/* GEMM of a few tiles in one block of k: no plan, a handful of steps. */
#include "src/core/memory.h"
#include "src/gemm/tiles.h"

#define MOST_ROWS 64
#define MOST_COLUMNS 64
#define FEW_ROWS 4 /* so few that turning the sums over costs less than the lanes they would leave idle */

/* A lies along k: its rows go through one panel on scratch. */
static tsr_mem panel_of_a(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *p, int64_t width,
                          int64_t size) {
  tsr_mem panel = (tsr_mem)tsr_scratch_get(TSR_SCRATCH_A, (size_t)(width * p->k * size));
  if (panel) tsr_gemm_pack(kernels, size, p->m, width, p->k, p->a, p->rsa, size, panel);
  return panel;
}

/* The tile that is high enough for all rows; 0 if there is none. */
static int one_tile(const struct tsr_tiles *tiles, int64_t m) {
  int u = 1;
  while (u * tiles->mu < m) u++;
  return u <= tiles->units && tiles->max_columns[u] ? u : 0;
}

static void several_tiles(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *p, struct tsr_step *step,
                          tsr_mem a) {
  struct tsr_gemm_problem contiguous = *p;
  struct tsr_gemm_way plan = {.units = kernels->gemm.units, .columns = kernels->gemm.columns};
  struct tsr_gemm_job job = {&contiguous, &plan, kernels, tsr_size_of(p->type)};
  plan.order = tsr_gemm_order(&kernels->gemm, plan.units, p->n, p->k * job.size);
  contiguous.csa = step->csa;
  tsr_gemm_in_place(&job, step, p->m, p->n, a, p->b, p->c);
}

bool tsr_gemm_small(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *p) {
  const struct tsr_tiles *tiles = &kernels->gemm;
  int64_t size = tsr_size_of(p->type);
  if (p->m > MOST_ROWS || p->n > MOST_COLUMNS || p->k > tsr_gemm_kb(p->type)) return false;
  if (p->m <= FEW_ROWS && tsr_gemm_is_across(kernels, p)) return false;
  struct tsr_step step; /* filled field by field: clearing it first would take as long as a small product */
  step.k = p->k;
  step.csa = p->csa;
  step.rsb = p->rsb;
  step.csb = p->csb;
  step.csc = p->csc;
  step.da = step.dc = 0;
  step.alpha = p->alpha;
  step.beta = p->beta;
  step.alpha_im = p->alpha_im;
  step.beta_im = p->beta_im;
  step.flags = TSR_NEAR | p->flags;
  tsr_mem a = p->a;
  if (p->rsa != size && p->m > 1) {
    int64_t width = tsr_ceil_div(p->m, tiles->mu) * tiles->mu;
    if (p->n < tiles->columns && p->m >= tiles->mu) return false;
    step.csa = width * size;
    a = panel_of_a(kernels, p, width, size);
    if (!a) return false;
  }
  int u = one_tile(tiles, p->m);
  if (u)
    tsr_gemm_row_of_tiles(tiles, u, &step, p->m, p->n, a, p->b, p->c);
  else
    several_tiles(kernels, p, &step, a);
  return true;
}
