/* GEMM on a device: blocks of C shared out among its cores, each walked like a CPU's (walk.h), every step queued. */
#include "src/gemm/walk.h"

#include <stdlib.h>

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

/* Cycles that all blocks take if each is mc x nc: the cores in rounds, in each the slower of arithmetic and loads, then
 * the sums on their way out. */
static double cycles_of(const struct tsr_device *device, const struct tsr_gemm_problem *pr, int64_t mc, int64_t nc) {
  int64_t rounds = tsr_ceil_div(tsr_ceil_div(pr->m, mc) * tsr_ceil_div(pr->n, nc), device->cores);
  int64_t size = tsr_size_of(pr->type);
  double area = (double)round_up(mc, device->unit) * (double)round_up(nc, device->unit);
  double multiply = area * (double)pr->k * (double)size / 2 / device->macs;
  double load = (double)(mc + nc) * (double)pr->k * (double)size / device->loaded;
  return (double)rounds * ((multiply > load ? multiply : load) + (double)(mc * nc) / device->stored);
}

/* The chunk of k: as long as two panels of each operand fit, and at most what makes a step worth its issue. */
static void choose_chunk(const struct tsr_device *device, const struct tsr_gemm_problem *pr,
                         struct tsr_gemm_plan *plan) {
  int64_t size = tsr_size_of(pr->type), room = (int64_t)device->panels.bytes, most = round_up(pr->k, 2 * device->unit);
  plan->slots = 2;
  plan->kc = 2 * device->unit;
  while (plan->kc * 2 <= 1024 / size && plan->kc < most &&
         2 * (panel_bytes(device, plan->mc, 2 * plan->kc, size) + panel_bytes(device, plan->nc, 2 * plan->kc, size)) <= room)
    plan->kc *= 2;
}

/* What is left of the panel memory keeps some of A for the blocks that follow in the same rows. */
static void choose_kept(const struct tsr_device *device, const struct tsr_gemm_problem *pr, struct tsr_gemm_plan *plan) {
  int64_t size = tsr_size_of(pr->type), chunks = tsr_ceil_div(pr->k, plan->kc);
  int64_t a = panel_bytes(device, plan->mc, plan->kc, size), b = panel_bytes(device, plan->nc, plan->kc, size);
  int64_t kept = ((int64_t)device->panels.bytes - plan->slots * (a + b)) / a;
  kept = tsr_min(tsr_min(kept, TSR_GEMM_MOST_KEPT), chunks);
  plan->keep = kept > 0 && pr->n > plan->nc ? (int)tsr_ceil_div(chunks, kept) : 0;
}

static void choose_blocks(const struct tsr_device *device, const struct tsr_kernel *gemm,
                          const struct tsr_gemm_problem *pr, struct tsr_gemm_plan *plan) {
  int64_t unit = device->unit, most_m = tsr_min(gemm->mr, round_up(pr->m, unit));
  int64_t most_n = tsr_min(gemm->nr, round_up(pr->n, unit));
  double best = 0;
  plan->kb = tsr_gemm_kb(pr->type);
  plan->pack_a = plan->pack_b = true;
  for (int64_t mc = unit; mc <= most_m; mc += unit)
    for (int64_t nc = unit; nc <= most_n; nc += unit) {
      if (mc * nc * 4 > (int64_t)device->sums.bytes) break;
      double cycles = cycles_of(device, pr, mc, nc);
      if (best > 0 && cycles >= best) continue;
      best = cycles;
      plan->mc = mc;
      plan->nc = nc;
    }
  choose_chunk(device, pr, plan);
  choose_kept(device, pr, plan);
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

/* A core takes neighbouring blocks, down the columns of its rows, so that kept panels of A serve again. */
static void walk_core(struct tsr_gemm_walker *w, int cores) {
  const struct tsr_gemm_problem *pr = w->job->problem;
  const struct tsr_gemm_plan *plan = w->job->plan;
  int64_t across = tsr_ceil_div(pr->n, plan->nc), blocks = across * tsr_ceil_div(pr->m, plan->mc);
  for (int64_t block = blocks * w->core / cores; block < blocks * (w->core + 1) / cores; block++) {
    struct tsr_gemm_piece piece = {.i = block / across * plan->mc, .j = block % across * plan->nc};
    piece.rows = tsr_min(plan->mc, pr->m - piece.i);
    piece.cols = tsr_min(plan->nc, pr->n - piece.j);
    tsr_walk_block(w, &piece, true);
  }
}

/* Device memory for sums, and for a C that may be rounded only at the end. It is had before anything is queued and
 * goes when what uses it has run. */
static tsr_status get_sums(struct tsr_device *device, const struct tsr_gemm_problem *pr, bool apart,
                           struct tsr_gemm_walker *w) {
  w->sums_csc = round_up(pr->m * 4, 64);
  tsr_status status = device->chip->alloc(device, (size_t)(w->sums_csc * pr->n), &w->sums);
  if (status != TSR_OK || !apart) return status;
  status = device->chip->alloc(device, (size_t)(w->sums_csc * pr->n), &w->y);
  if (status != TSR_OK) device->chip->release(device, w->sums);
  return status;
}

static tsr_status give_sums_back(struct tsr_device *device, struct tsr_gemm_walker *w) {
  if (!w->sums) return TSR_OK;
  tsr_status status = device->chip->drain(device);
  device->chip->release(device, w->sums);
  if (w->y) device->chip->release(device, w->y);
  return status;
}

static void scale(const struct tsr_gemm_problem *pr, struct tsr_device *device, const struct tsr_kernel *kernel) {
  struct tsr_step step = {.m = pr->m, .n = pr->n, .csc = pr->csc, .beta = pr->beta};
  if (pr->beta != 1) device->chip->issue(device, 0, kernel, &step, 0, 0, pr->c, NULL, 0);
}

/* Calls follow one another: nothing of this one starts before the last steps of the one before have ended. */
static tsr_status walk_all(struct tsr_device *device, const struct tsr_gemm_job *job,
                           const struct tsr_device_kernels *kernels, const struct tsr_gemm_walker *memory) {
  struct tsr_gemm_walker *w = malloc(sizeof *w);
  if (!w) return tsr_fail(TSR_OUT_OF_MEMORY, "no memory for a plan");
  for (int core = 0; core < device->cores; core++) {
    *w = *memory;
    w->job = job;
    w->device = device;
    w->kernels = kernels;
    w->core = core;
    place_panels(device, w);
    walk_core(w, device->cores);
  }
  free(w);
  return TSR_OK;
}

tsr_status tsr_gemm_on_device(const tsr_context *context, const struct tsr_gemm_problem *pr) {
  struct tsr_device *device = context->device;
  struct tsr_device_kernels kernels;
  struct tsr_gemm_plan plan = {.path = TSR_GEMM_PACKED};
  struct tsr_gemm_job job = {pr, &plan, NULL, tsr_size_of(pr->type)};
  struct tsr_gemm_walker memory = {.sums = 0};
  if (pr->m == 0 || pr->n == 0) return TSR_OK;
  if (!find_kernels(device->chip, pr, &kernels)) return tsr_fail(TSR_UNSUPPORTED, "this device has no kernels for these types");
  tsr_status status = device->chip->fence(device);
  if (status != TSR_OK) return status;
  if (pr->k == 0 || pr->alpha == 0) {
    scale(pr, device, kernels.scale);
    return TSR_OK;
  }
  choose_blocks(device, kernels.gemm, pr, &plan);
  bool several = pr->k > plan.kb;
  if (several || pr->alpha != 1 || pr->beta != 0)
    status = get_sums(device, pr, several && pr->type_c != TSR_F32 && pr->type_c != TSR_S32, &memory);
  if (status != TSR_OK) return status;
  status = walk_all(device, &job, &kernels, &memory);
  tsr_status given_back = give_sums_back(device, &memory);
  return status != TSR_OK ? status : given_back;
}
