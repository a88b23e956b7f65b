/* GEMM of a few tiles in one block of k: no plan, no division, a handful of steps. */
#include "src/core/memory.h"
#include "src/gemm/tiles.h"

#define MOST_UNITS 4
#define MOST_COLUMNS 64

/* The tile that is high enough for all rows, or half as high and wider where that makes fewer steps. */
static int units_for(const struct tsr_tiles *tiles, int64_t m) {
  int u = 1;
  while (u * tiles->mu < m) u++;
  return u == MOST_UNITS && tiles->max_columns[u / 2] > tiles->max_columns[u] ? u / 2 : u;
}

/* A lies along k: its rows go through one panel on scratch. */
static tsr_mem panel_of_a(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *p, int64_t width,
                          int64_t size) {
  tsr_mem panel = (tsr_mem)tsr_scratch_get(TSR_SCRATCH_A, (size_t)(width * p->k * size));
  struct tsr_step copy = {.m = p->m, .n = width, .k = p->k, .rsa = p->rsa, .csa = size};
  const struct tsr_kernel *kernel = kernels->pack_t[width] ? kernels->pack_t[width] : kernels->pack_t[0];
  if (panel) kernel->run(&copy, p->a, 0, panel);
  return panel;
}

bool tsr_gemm_small(const struct tsr_kernels *kernels, const struct tsr_gemm_problem *p) {
  const struct tsr_tiles *tiles = &kernels->gemm;
  int64_t size = tsr_size_of(p->type);
  if (p->m > MOST_UNITS * tiles->mu || p->n > MOST_COLUMNS || p->k > tsr_gemm_kb(p->type)) return false;
  int u = units_for(tiles, p->m);
  bool along_k = p->rsa != size && p->m > 1;
  if (!tiles->max_columns[u] || (along_k && p->n < tiles->columns && p->m >= tiles->mu)) return false;
  struct tsr_step step = {.m = p->m, .k = p->k, .csa = p->csa, .rsb = p->rsb, .csb = p->csb, .csc = p->csc,
                          .da = u * tiles->mu * size, .dc = u * tiles->mu * size, .alpha = p->alpha, .beta = p->beta};
  tsr_mem a = p->a;
  if (along_k) {
    step.csa = tsr_ceil_div(p->m, tiles->mu) * tiles->mu * size;
    a = panel_of_a(kernels, p, step.csa / size, size);
    if (!a) return false;
  }
  int most = tiles->max_columns[u];
  for (int64_t j = 0; j < p->n; j += step.n) {
    step.n = tsr_next_columns(p->n - j, most, most);
    tiles->tile[u][step.n]->run(&step, a, p->b + (tsr_mem)(j * p->csb), p->c + (tsr_mem)(j * p->csc));
  }
  return true;
}
