/* GEMM on packed blocks: the five loops of Goto and Van de Geijn around the micro-kernel.
 *
 * The threads of a team form groups side by side in n. A group shares one packed block of B at a time: its threads
 * pack slivers of it, wait for one another once, and then claim blocks of rows, each with a packed A of its own. B has
 * two buffers, so that the next block is packed while a slower thread still reads this one. */
#include <stdatomic.h>

#include "src/core/memory.h"
#include "src/core/threads.h"
#include "src/gemm/parts.h"
#include "src/gemm/walk.h"

#define SLIVER_TILES 8 /* tiles of B that a thread packs at a time */
#define SHARED_TILES 2 /* tiles of A that are B as well */

struct group {
  struct tsr_barrier barrier;
  int64_t j0, j1;   /* columns */
  tsr_mem b[2];
  _Atomic int64_t sliver[2], rows[2]; /* next to be claimed, by parity of the phase */
};

struct packed {
  const struct tsr_gemm_job *job;
  int threads;
  struct tsr_barrier start;
  _Atomic int failed;
  struct group group[TSR_GEMM_MOST_GROUPS];
};

/* One block of k of `cols` columns from j, which a group works on together. */
struct phase {
  int64_t j, cols, p0, k;
  int parity;
  bool shared; /* the panels of B are panels of A, too */
  tsr_mem b;
};

/* Bytes of one row or column of panels. */
static int64_t depth(const struct tsr_gemm_job *job) { return tsr_min(job->problem->k, job->plan->kb) * job->size; }

static int64_t bytes_of_a(const struct tsr_gemm_job *job) {
  int64_t spare = (int64_t)job->plan->units * job->kernels->gemm.mu;
  return (job->plan->mc + spare) * depth(job);
}

static int64_t bytes_of_b(const struct tsr_gemm_job *job) {
  int64_t spare = job->problem->parts.c ? (int64_t)job->plan->units * job->kernels->gemm.mu : 0; /* as panels of A */
  return (job->plan->nc + spare) * depth(job);
}

/* Columns of B that are rows of A, into panels that serve as either. */
static void pack_shared(const struct tsr_gemm_job *job, struct group *group, const struct phase *phase) {
  int64_t sliver = SHARED_TILES * job->plan->units * job->kernels->gemm.mu;
  int64_t count = phase->cols / sliver > 0 ? phase->cols / sliver : 1;
  for (int64_t s; (s = atomic_fetch_add(&group->sliver[phase->parity], 1)) < count;)
    tsr_gemm_pack_a(job, phase->j + s * sliver, s + 1 == count ? phase->cols - s * sliver : sliver, phase->p0, phase->k,
                    phase->b + (tsr_mem)(s * sliver * phase->k * job->size));
}

static void pack_slivers(const struct tsr_gemm_job *job, struct group *group, const struct phase *phase) {
  int64_t sliver = SLIVER_TILES * job->plan->columns; /* at least the widest tile, which may be the last */
  if (sliver < TSR_MAX_COLUMNS) sliver = TSR_MAX_COLUMNS;
  int64_t count = phase->cols / sliver > 0 ? phase->cols / sliver : 1;
  for (int64_t s; (s = atomic_fetch_add(&group->sliver[phase->parity], 1)) < count;)
    tsr_gemm_pack_b(job, phase->j, phase->cols, s * sliver, s + 1 == count ? phase->cols : (s + 1) * sliver, phase->p0,
                    phase->k, phase->b);
}

static int64_t row_blocks(const struct tsr_gemm_job *job) { return tsr_ceil_div(job->problem->m, job->plan->mc); }

/* The first row of a block: all blocks are of one size, give or take a grain. */
static int64_t row_of_block(const struct tsr_gemm_job *job, int64_t block) {
  int64_t grain = job->plan->grain, grains = tsr_ceil_div(job->problem->m, grain);
  return tsr_min(job->problem->m, grains * block / row_blocks(job) * grain);
}

/* Whether a panel of those that are shared begins at row i, or the last one ends there: the last tiles may share what
 * is little more than a tile (tsr_next_units). */
static bool begins_panel(const struct tsr_gemm_job *job, const struct phase *phase, int64_t i) {
  int64_t left = phase->j + phase->cols - i, units = tsr_ceil_div(left, job->kernels->gemm.mu);
  return i >= phase->j && left >= 0 && (left == 0 || 2 * units >= job->plan->units);
}

static void multiply_block(const struct tsr_gemm_job *job, const struct phase *phase, int64_t block, tsr_mem scratch) {
  const struct tsr_gemm_problem *pr = job->problem;
  int64_t i = row_of_block(job, block);
  struct tsr_gemm_piece piece = {i, row_of_block(job, block + 1) - i, phase->j, phase->cols};
  tsr_mem a = pr->a + (tsr_mem)(piece.i * pr->rsa + phase->p0 * pr->csa);
  if (tsr_gemm_is_outside(pr, &piece)) return;
  if (phase->shared && begins_panel(job, phase, i) && begins_panel(job, phase, i + piece.rows)) {
    a = phase->b + (tsr_mem)((i - phase->j) * phase->k * job->size);
  } else if (job->plan->pack_a) {
    tsr_gemm_pack_a(job, piece.i, piece.rows, phase->p0, phase->k, scratch);
    a = scratch;
  }
  (phase->shared ? tsr_gemm_multiply_shared : tsr_gemm_multiply)(job, &piece, phase->p0, phase->k, a, phase->b);
}

/* A counter is set back while nobody uses it: between two barriers only the counters of one parity are in use before
 * the multiplication, those of the other after it. */
static void run_phase(const struct tsr_gemm_job *job, struct group *group, const struct phase *phase, bool leader,
                      tsr_mem scratch) {
  int64_t blocks = row_blocks(job);
  bool from_last = job->problem->parts.c & TSR_LOWER; /* the longest rows first */
  (phase->shared ? pack_shared : pack_slivers)(job, group, phase);
  if (leader) atomic_store(&group->sliver[!phase->parity], 0);
  if (group->barrier.n > 1) tsr_barrier_wait(&group->barrier);
  if (leader) atomic_store(&group->rows[!phase->parity], 0);
  for (int64_t block; (block = atomic_fetch_add(&group->rows[phase->parity], 1)) < blocks;)
    multiply_block(job, phase, from_last ? blocks - 1 - block : block, scratch);
}

/* Without a shared B nobody waits for anybody: a thread takes a block of rows through all of k. */
static void run_rows(const struct tsr_gemm_job *job, struct group *group, tsr_mem scratch) {
  struct tsr_gemm_walker walker = {.job = job, .a = {{.at = scratch}}};
  struct tsr_gemm_piece piece = {.j = group->j0, .cols = group->j1 - group->j0};
  int64_t blocks = row_blocks(job);
  for (int64_t block; piece.cols > 0 && (block = atomic_fetch_add(&group->rows[0], 1)) < blocks;) {
    int64_t number = job->problem->parts.c & TSR_LOWER ? blocks - 1 - block : block; /* the longest rows first */
    piece.i = row_of_block(job, number);
    piece.rows = row_of_block(job, number + 1) - piece.i;
    tsr_walk_block(&walker, &piece, false);
  }
}

static void run_group(const struct tsr_gemm_job *job, struct group *group, bool leader, tsr_mem scratch) {
  const struct tsr_gemm_way *plan = job->plan;
  struct phase phase = {.parity = 0, .shared = tsr_gemm_shares_panels(job)};
  for (phase.j = group->j0; phase.j < group->j1; phase.j += plan->nc) {
    phase.cols = tsr_min(plan->nc, group->j1 - phase.j);
    for (phase.p0 = 0; phase.p0 < job->problem->k; phase.p0 += plan->kb, phase.parity = !phase.parity) {
      phase.k = tsr_min(plan->kb, job->problem->k - phase.p0);
      phase.b = group->b[phase.parity];
      run_phase(job, group, &phase, leader, scratch);
    }
  }
}

/* All memory is had before anything is written. */
static bool reserve(struct packed *packed, struct group *group, bool leader, tsr_mem *a) {
  const struct tsr_gemm_job *job = packed->job;
  *a = job->plan->pack_a ? (tsr_mem)tsr_scratch_get(TSR_SCRATCH_A, (size_t)bytes_of_a(job)) : 0;
  bool had = *a || !job->plan->pack_a;
  if (leader && job->plan->pack_b) {
    int64_t bytes = bytes_of_b(job);
    bool two = group->barrier.n > 1;
    group->b[0] = (tsr_mem)tsr_scratch_get(TSR_SCRATCH_B, (size_t)(two ? 2 * bytes : bytes));
    group->b[1] = group->b[0] + (tsr_mem)(two ? bytes : 0);
    had = had && group->b[0];
  }
  if (!had) atomic_store(&packed->failed, 1);
  if (packed->threads > 1) tsr_barrier_wait(&packed->start);
  return !atomic_load(&packed->failed);
}

static void body(void *arg, int index) {
  struct packed *packed = arg;
  const struct tsr_gemm_way *plan = packed->job->plan;
  struct group *group = &packed->group[index % plan->groups];
  bool leader = index < plan->groups;
  tsr_mem a;
  if (index >= packed->threads) return;
  if (reserve(packed, group, leader, &a)) {
    if (plan->pack_b)
      run_group(packed->job, group, leader, a);
    else
      run_rows(packed->job, group, a);
  }
  /* A leader's scratch ends with its thread, which may be the caller's own and short-lived. */
  if (packed->threads > 1) tsr_barrier_wait(&packed->start);
}

/* Columns are shared out in whole tiles. */
static void make_groups(struct packed *packed) {
  const struct tsr_gemm_way *plan = packed->job->plan;
  int64_t n = packed->job->problem->n, tiles = tsr_ceil_div(n, plan->columns);
  for (int g = 0; g < plan->groups; g++) {
    struct group *group = &packed->group[g];
    group->j0 = tsr_min(n, tiles * g / plan->groups * plan->columns);
    group->j1 = tsr_min(n, tiles * (g + 1) / plan->groups * plan->columns);
    group->sliver[0] = group->sliver[1] = group->rows[0] = group->rows[1] = 0;
    tsr_barrier_init(&group->barrier, (packed->threads - g + plan->groups - 1) / plan->groups);
  }
}

tsr_status tsr_gemm_packed(const struct tsr_gemm_job *job, struct tsr_team *team) {
  struct packed packed;
  packed.job = job;
  packed.threads = job->plan->threads;
  packed.failed = 0;
  tsr_barrier_init(&packed.start, packed.threads);
  make_groups(&packed);
  if (team)
    tsr_team_run(team, body, &packed);
  else
    body(&packed, 0);
  return packed.failed ? tsr_fail(TSR_OUT_OF_MEMORY, "no scratch memory for packed blocks") : TSR_OK;
}
