/* GEMM on a device: blocks of C shared out among its cores, each walked like a CPU's (walk.h), every step queued. */
#include "src/gemm/walk.h"

#include <stdio.h>
#include <stdlib.h>

/* Bytes of k in a chunk: short ones leave more room for panels that are kept. */
#define CHUNK_BYTES 128

static const struct tsr_kernel *find(const struct tsr_device_chip *chip, enum tsr_op op, tsr_type ta, tsr_type tb,
                                     tsr_type tc) {
  for (int i = 0; i < chip->nkernels; i++) {
    const struct tsr_kernel *k = &chip->kernel[i];
    if (k->op == op && k->ta == ta && k->tb == tb && k->tc == tc) return k;
  }
  return NULL;
}

static bool find_kernels(const struct tsr_device_chip *chip, const struct tsr_gemm_problem *pr,
                         struct tsr_device_kernels *found) {
  tsr_type sums = pr->type == TSR_S8 ? TSR_S32 : TSR_F32;
  found->pack_n = find(chip, TSR_OP_PACK_N, pr->type, pr->type, pr->type);
  found->pack_t = find(chip, TSR_OP_PACK_T, pr->type, pr->type, pr->type);
  found->gemm = find(chip, TSR_OP_GEMM, pr->type, pr->type, sums);
  found->gemm_to_c = find(chip, TSR_OP_GEMM, pr->type, pr->type, pr->type_c);
  found->scale = find(chip, TSR_OP_SCALE, pr->type_c, pr->type_c, pr->type_c);
  for (int i = 0; i < 4; i++)
    found->update[i / 2][i % 2] = find(chip, TSR_OP_UPDATE, sums, i / 2 ? pr->type_c : sums, i % 2 ? pr->type_c : sums);
  return found->pack_n && found->pack_t && found->gemm && found->gemm_to_c && found->scale && found->update[1][1];
}

static int64_t round_up(int64_t x, int64_t to) { return tsr_ceil_div(x, to) * to; }

/* Bytes of a panel of so many rows and steps of k, whichever way it lies. */
static int64_t panel_bytes(const struct tsr_device *device, int64_t rows, int64_t k, int64_t size) {
  return round_up(rows, 2 * device->unit) * round_up(k, 2 * device->unit) * size;
}

/* Blocks of C are computed in waves of one block a core, `down` x `across` of them side by side, so that cores share
 * what they read. */
struct grid {
  int64_t mc, nc, down, across;
};

static int64_t waves(const struct tsr_gemm_problem *pr, const struct grid *g) {
  return tsr_ceil_div(tsr_ceil_div(pr->m, g->mc), g->down) * tsr_ceil_div(tsr_ceil_div(pr->n, g->nc), g->across);
}

/* The share of A's panels that a core keeps from block to block of its rows. */
static double kept_share(const struct tsr_device *device, const struct tsr_gemm_problem *pr, const struct grid *g) {
  int64_t size = tsr_size_of(pr->type), columns = tsr_ceil_div(tsr_ceil_div(pr->n, g->nc), g->across);
  int64_t room = (int64_t)device->panels.bytes -
                 TSR_GEMM_MOST_SLOTS * (panel_bytes(device, g->mc, CHUNK_BYTES / size, size) +
                                        panel_bytes(device, g->nc, CHUNK_BYTES / size, size));
  double share = (double)room / (double)panel_bytes(device, g->mc, pr->k, size);
  return columns < 2 || room <= 0 ? 0 : (share < 1 ? share : 1) * (double)(columns - 1) / (double)columns;
}

/* What all waves together read from memory. The shared cache holds both operands; or what a wave reads, and then A's
 * part of it serves the next waves along the rows; or neither. */
static double bytes_from_memory(const struct tsr_device *device, const struct tsr_gemm_problem *pr,
                                const struct grid *g) {
  double row = (double)pr->k * (double)tsr_size_of(pr->type), cache = (double)device->shared.bytes;
  double wave = (double)(g->down * g->mc + g->across * g->nc) * row, once = (double)(pr->m + pr->n) * row;
  if (once <= cache) return once;
  if (wave > 0.75 * cache) return (double)waves(pr, g) * wave;
  return ((double)pr->m + (double)pr->n * (double)tsr_ceil_div(tsr_ceil_div(pr->m, g->mc), g->down)) * row;
}

/* What runs at the same time takes as long as the slower, and a little of the other: overlap is not perfect. */
static double overlapped(double x, double y) { return x > y ? x + y / 10 : y + x / 10; }

/* Cycles of all waves: in each the slower of a core's own work and its loads, and all what they read from memory. */
static double cycles_of(const struct tsr_device *device, const struct tsr_gemm_problem *pr, const struct grid *g) {
  double row = (double)pr->k * (double)tsr_size_of(pr->type), count = (double)waves(pr, g);
  double slowest = device->chip->core_cycles(device, pr->type, g->mc, g->nc, pr->k);
  double load = ((double)g->mc * (1 - kept_share(device, pr, g)) + (double)g->nc) * row / device->loaded;
  double streamed = bytes_from_memory(device, pr, g) / device->streamed;
  double waves_take = count * overlapped(slowest, load);
  return overlapped(waves_take, streamed);
}

/* The chunk of k: as long as the panels of each operand fit. */
static void choose_chunk(const struct tsr_device *device, const struct tsr_gemm_problem *pr,
                         struct tsr_gemm_plan *plan) {
  int64_t size = tsr_size_of(pr->type), room = (int64_t)device->panels.bytes, most = round_up(pr->k, 2 * device->unit);
  plan->slots = TSR_GEMM_MOST_SLOTS;
  plan->kc = 2 * device->unit;
  while (plan->kc * 2 <= CHUNK_BYTES / size && plan->kc < most &&
         plan->slots * (panel_bytes(device, plan->mc, 2 * plan->kc, size) +
                        panel_bytes(device, plan->nc, 2 * plan->kc, size)) <= room)
    plan->kc *= 2;
}

/* What is left of the panel memory keeps some of A for the blocks that follow in the same rows, evenly spread over k.
 * A panel may be copied anew only when the step that read it last was queued: chunks that are copied ahead are fewer
 * than those of a block. */
static void choose_kept(const struct tsr_device *device, const struct tsr_gemm_problem *pr,
                        struct tsr_gemm_plan *plan) {
  int64_t size = tsr_size_of(pr->type), chunks = tsr_ceil_div(pr->k, plan->kc);
  int64_t a = panel_bytes(device, plan->mc, plan->kc, size), b = panel_bytes(device, plan->nc, plan->kc, size);
  int64_t kept = ((int64_t)device->panels.bytes - plan->slots * (a + b)) / a;
  kept = tsr_min(tsr_min(kept, TSR_GEMM_MOST_KEPT), chunks);
  plan->kept = kept > 0 && pr->n > plan->nc && chunks > plan->slots ? (int)kept : 0;
}

static struct grid choose_grid(const struct tsr_device *device, const struct tsr_kernel *gemm,
                               const struct tsr_gemm_problem *pr) {
  int64_t unit = device->unit, most_m = tsr_min(gemm->mr, round_up(pr->m, unit));
  int64_t most_n = tsr_min(gemm->nr, round_up(pr->n, unit));
  struct grid best = {0};
  double least = 0;
  for (struct grid g = {.down = 1}; g.down <= device->cores; g.down++) {
    if (device->cores % g.down != 0) continue;
    g.across = device->cores / g.down;
    for (g.mc = unit; g.mc <= most_m; g.mc += unit)
      for (g.nc = unit; g.nc <= most_n && g.mc * g.nc * 4 <= (int64_t)device->sums.bytes; g.nc += unit) {
        double cycles = cycles_of(device, pr, &g);
        if (least > 0 && cycles >= least) continue;
        least = cycles;
        best = g;
      }
  }
  return best;
}

static struct grid choose_blocks(const struct tsr_device *device, const struct tsr_kernel *gemm,
                                 const struct tsr_gemm_problem *pr, struct tsr_gemm_plan *plan) {
  struct grid grid = choose_grid(device, gemm, pr);
  plan->kb = tsr_gemm_kb(pr->type);
  plan->pack_a = plan->pack_b = true;
  plan->mc = grid.mc;
  plan->nc = grid.nc;
  choose_chunk(device, pr, plan);
  choose_kept(device, pr, plan);
  return grid;
}

static void place_panels(const struct tsr_device *device, struct tsr_gemm_walker *w) {
  const struct tsr_gemm_plan *plan = w->job->plan;
  int64_t a = panel_bytes(device, plan->mc, plan->kc, w->job->size);
  int64_t b = panel_bytes(device, plan->nc, plan->kc, w->job->size), at = 0;
  for (int s = 0; s < plan->slots; s++, at += a) w->a[s] = (struct tsr_gemm_slot){.at = (tsr_mem)at};
  for (int s = 0; s < plan->slots; s++, at += b) w->b[s] = (struct tsr_gemm_slot){.at = (tsr_mem)at};
  for (int s = 0; s < TSR_GEMM_MOST_KEPT && at + a <= (int64_t)device->panels.bytes; s++, at += a)
    w->kept[s] = (struct tsr_gemm_slot){.at = (tsr_mem)at};
}

/* The blocks of all cores, wave by wave, along the columns first: kept panels of A serve again. */
static void walk_waves(struct tsr_gemm_walker *walkers, int cores, const struct grid *grid) {
  const struct tsr_gemm_problem *pr = walkers[0].job->problem;
  for (int64_t i0 = 0; i0 < pr->m; i0 += grid->down * grid->mc)
    for (int64_t j0 = 0; j0 < pr->n; j0 += grid->across * grid->nc)
      for (int core = 0; core < cores; core++) {
        int64_t i = i0 + core % grid->down * grid->mc, j = j0 + core / grid->down * grid->nc;
        struct tsr_gemm_piece piece = {i, tsr_min(grid->mc, pr->m - i), j, tsr_min(grid->nc, pr->n - j)};
        if (piece.rows > 0 && piece.cols > 0) tsr_walk_block(&walkers[core], &piece, true);
      }
  for (int core = 0; core < cores; core++) tsr_walk_finish(&walkers[core]);
}

/* Device memory that stays from call to call: calls follow one another, so one may use what the last one used. */
static tsr_status get_scratch(struct tsr_device *device, struct tsr_device_scratch *scratch, size_t bytes,
                              tsr_mem *at) {
  if (scratch->bytes < bytes) {
    tsr_status status = scratch->bytes ? device->chip->drain(device) : TSR_OK;
    if (status == TSR_OK && scratch->bytes) status = device->chip->release(device, scratch->at);
    scratch->bytes = 0;
    if (status == TSR_OK) status = device->chip->alloc(device, bytes, &scratch->at);
    if (status != TSR_OK) return status;
    scratch->bytes = bytes;
  }
  *at = scratch->at;
  return TSR_OK;
}

/* Memory for sums, and for a C that may be rounded only at the end, had before anything is queued. */
static tsr_status get_sums(struct tsr_device *device, const struct tsr_gemm_problem *pr, bool apart,
                           struct tsr_gemm_walker *w) {
  w->sums_csc = round_up(pr->m * 4, 64);
  size_t bytes = (size_t)(w->sums_csc * pr->n);
  tsr_status status = get_scratch(device, &device->scratch[0], bytes, &w->sums);
  return status == TSR_OK && apart ? get_scratch(device, &device->scratch[1], bytes, &w->y) : status;
}

static void scale(const struct tsr_gemm_problem *pr, struct tsr_device *device, const struct tsr_kernel *kernel) {
  struct tsr_step step = {.m = pr->m, .n = pr->n, .csc = pr->csc, .beta = pr->beta};
  if (pr->beta != 1) device->chip->issue(device, 0, kernel, &step, 0, 0, pr->c, NULL, 0);
}

static tsr_status walk_all(struct tsr_device *device, const struct tsr_gemm_job *job,
                           const struct tsr_device_kernels *kernels, const struct tsr_gemm_walker *memory,
                           const struct grid *grid) {
  struct tsr_gemm_walker *walkers = malloc((size_t)device->cores * sizeof *walkers);
  if (!walkers) return tsr_fail(TSR_OUT_OF_MEMORY, "no memory for a plan");
  for (int core = 0; core < device->cores; core++) {
    struct tsr_gemm_walker *w = &walkers[core];
    *w = *memory;
    w->job = job;
    w->device = device;
    w->kernels = kernels;
    w->core = core;
    place_panels(device, w);
  }
  walk_waves(walkers, device->cores, grid);
  free(walkers);
  return TSR_OK;
}

/* Bytes from the first to the last element of a matrix. */
static size_t extent(int64_t rows, int64_t cols, int64_t rs, int64_t cs, int64_t size) {
  return (size_t)((rows - 1) * rs + (cols - 1) * cs + size);
}

static tsr_status check_operand(struct tsr_device *device, const char *name, tsr_mem at, size_t bytes) {
  char why[256];
  tsr_status status = device->chip->check(device, at, bytes);
  if (status == TSR_OK) return TSR_OK;
  snprintf(why, sizeof why, "%s", tsr_last_error());
  return tsr_fail(status, "%s: %s", name, why);
}

static tsr_status check_operands(struct tsr_device *device, const struct tsr_gemm_problem *pr) {
  int64_t size = tsr_size_of(pr->type), size_c = tsr_size_of(pr->type_c);
  tsr_status status = check_operand(device, "c", pr->c, extent(pr->m, pr->n, size_c, pr->csc, size_c));
  if (status != TSR_OK || pr->k == 0 || pr->alpha == 0) return status;
  status = check_operand(device, pr->turned ? "b" : "a", pr->a, extent(pr->m, pr->k, pr->rsa, pr->csa, size));
  if (status != TSR_OK) return status;
  return check_operand(device, pr->turned ? "a" : "b", pr->b, extent(pr->k, pr->n, pr->rsb, pr->csb, size));
}

tsr_status tsr_gemm_on_device(const tsr_context *context, const struct tsr_gemm_problem *pr) {
  struct tsr_device *device = context->device;
  struct tsr_device_kernels kernels;
  struct tsr_gemm_plan plan = {.path = TSR_GEMM_PACKED};
  struct tsr_gemm_job job = {pr, &plan, NULL, tsr_size_of(pr->type)};
  struct tsr_gemm_walker memory = {.sums = 0};
  if (pr->m == 0 || pr->n == 0) return TSR_OK;
  tsr_status status = device->chip->fence(device); /* calls follow one another */
  if (status != TSR_OK) return status;
  if (!find_kernels(device->chip, pr, &kernels))
    return tsr_fail(TSR_UNSUPPORTED, "this device has no kernels for these types");
  status = check_operands(device, pr);
  if (status != TSR_OK) return status;
  if (pr->k == 0 || pr->alpha == 0) {
    scale(pr, device, kernels.scale);
    return TSR_OK;
  }
  struct grid grid = choose_blocks(device, kernels.gemm, pr, &plan);
  bool several = pr->k > plan.kb;
  if (several || pr->alpha != 1 || pr->beta != 0)
    status = get_sums(device, pr, several && pr->type_c != TSR_F32 && pr->type_c != TSR_S32, &memory);
  if (status != TSR_OK) return status;
  return walk_all(device, &job, &kernels, &memory, &grid);
}
