/* GEMM on a device: blocks of C shared out among its cores, each walked like a CPU's (walk.h), every step queued. */
#include "src/gemm/device_space.h"
#include "src/gemm/walk.h"

#include <stdio.h>
#include <stdlib.h>

static bool find_kernels(const struct tsr_device_chip *chip, const struct tsr_gemm_problem *pr,
                         struct tsr_device_kernels *found) {
  tsr_type sums = pr->type == TSR_S8 ? TSR_S32 : TSR_F32;
  found->pack_n = tsr_device_kernel(chip, TSR_OP_PACK_N, pr->type, pr->type, pr->type);
  found->pack_t = tsr_device_kernel(chip, TSR_OP_PACK_T, pr->type, pr->type, pr->type);
  found->gemm = tsr_device_kernel(chip, TSR_OP_GEMM, pr->type, pr->type, sums);
  found->gemm_to_c = tsr_device_kernel(chip, TSR_OP_GEMM, pr->type, pr->type, pr->type_c);
  found->scale = tsr_device_kernel(chip, TSR_OP_SCALE, pr->type_c, pr->type_c, pr->type_c);
  for (int i = 0; i < 4; i++) {
    tsr_type from = i / 2 ? pr->type_c : sums, to = i % 2 ? pr->type_c : sums;
    found->update[i / 2][i % 2] = tsr_device_kernel(chip, TSR_OP_UPDATE, sums, from, to);
  }
  return found->pack_n && found->pack_t && found->gemm && found->gemm_to_c && found->scale && found->update[1][1];
}

/* Blocks of C are computed in waves of one block a core, `down` x `across` of them side by side, so that cores share
 * what they read. */
struct grid {
  int64_t mc, nc, down, across;
};

static struct grid set_plan(const struct tsr_device *device, const struct tsr_gemm_problem *pr,
                            const struct tsr_values *values, struct tsr_gemm_way *plan) {
  const int64_t *v = values->at;
  *plan = (struct tsr_gemm_way){.path = TSR_GEMM_PACKED, .kb = tsr_gemm_kb(pr->type), .mc = v[TSR_DEVICE_MC],
                                 .nc = v[TSR_DEVICE_NC], .kc = v[TSR_DEVICE_KC], .slots = (int)v[TSR_DEVICE_SLOTS],
                                 .kept = (int)(v[TSR_DEVICE_PANELS] - v[TSR_DEVICE_SLOTS]), .pack_a = true,
                                 .pack_b = true};
  return (struct grid){plan->mc, plan->nc, v[TSR_DEVICE_DOWN], device->cores / v[TSR_DEVICE_DOWN]};
}

static void place_panels(const struct tsr_device *device, struct tsr_gemm_walker *w) {
  const struct tsr_gemm_way *plan = w->job->plan;
  int64_t a = tsr_device_panel_bytes(device, plan->mc, plan->kc, w->job->size);
  int64_t b = tsr_device_panel_bytes(device, plan->nc, plan->kc, w->job->size), at = 0;
  for (int s = 0; s < plan->slots; s++, at += a) w->a[s] = (struct tsr_gemm_slot){.at = (tsr_mem)at};
  for (int s = 0; s < plan->slots; s++, at += b) w->b[s] = (struct tsr_gemm_slot){.at = (tsr_mem)at};
  for (int s = 0; s < plan->kept; s++, at += a)
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
  w->sums_csc = tsr_ceil_div(pr->m * 4, 64) * 64;
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

/* What does not depend on the plan: whether there is anything to multiply is told by `multiplies`. */
static tsr_status begin(const tsr_context *context, const struct tsr_gemm_problem *pr,
                        struct tsr_device_kernels *kernels, bool *multiplies) {
  struct tsr_device *device = context->device;
  *multiplies = false;
  if (pr->m == 0 || pr->n == 0) return TSR_OK;
  tsr_status status = device->chip->fence(device); /* calls follow one another */
  if (status != TSR_OK) return status;
  if (!find_kernels(device->chip, pr, kernels))
    return tsr_fail(TSR_UNSUPPORTED, "this device has no kernels for these types");
  status = check_operands(device, pr);
  if (status != TSR_OK) return status;
  *multiplies = pr->k > 0 && pr->alpha != 0;
  if (!*multiplies) scale(pr, device, kernels->scale);
  return TSR_OK;
}

static tsr_status walk_plan(const tsr_context *context, const struct tsr_gemm_problem *pr,
                            const struct tsr_device_kernels *kernels, const struct tsr_values *values) {
  struct tsr_device *device = context->device;
  struct tsr_gemm_way plan;
  struct tsr_gemm_job job = {pr, &plan, NULL, tsr_size_of(pr->type)};
  struct tsr_gemm_walker memory = {.sums = 0};
  struct grid grid = set_plan(device, pr, values, &plan);
  bool several = pr->k > plan.kb;
  tsr_status status = TSR_OK;
  if (several || pr->alpha != 1 || pr->beta != 0)
    status = get_sums(device, pr, several && pr->type_c != TSR_F32 && pr->type_c != TSR_S32, &memory);
  return status == TSR_OK ? walk_all(device, &job, kernels, &memory, &grid) : status;
}

tsr_status tsr_gemm_on_device(const tsr_context *context, const struct tsr_gemm_problem *pr) {
  struct tsr_device_kernels kernels;
  struct tsr_values plan;
  bool multiplies;
  tsr_status status = begin(context, pr, &kernels, &multiplies);
  if (status != TSR_OK || !multiplies) return status;
  if (!tsr_gemm_device_plan(context, pr, &plan))
    return tsr_fail(TSR_UNSUPPORTED, "this device has too little memory in its cores for a product of these types");
  return walk_plan(context, pr, &kernels, &plan);
}

tsr_status tsr_gemm_on_device_by(const tsr_context *context, const struct tsr_gemm_problem *pr,
                                 const struct tsr_values *plan) {
  struct tsr_device_kernels kernels;
  struct tsr_values shape;
  char why[TSR_WHY_TEXT];
  bool multiplies;
  tsr_status status = begin(context, pr, &kernels, &multiplies);
  if (status != TSR_OK || !multiplies) return status;
  tsr_gemm_device_shape(pr, &shape);
  if (!tsr_gemm_device_operator.check(context, &shape, plan, why))
    return tsr_fail(TSR_INVALID_ARGUMENT, "the plan cannot be used: %s", why);
  return walk_plan(context, pr, &kernels, plan);
}
