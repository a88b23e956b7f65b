/* GEMM without packed blocks: small matrices, skinny ones, and few elements with a long k. */
#include <stdatomic.h>

#include "src/core/memory.h"
#include "src/core/threads.h"
#include "src/gemm/parts.h"

/* Where a block's result goes: C itself, or a scratch matrix of sums. */
struct target {
  tsr_mem c;
  int64_t csc;
  uint64_t flags;
};

/* Rows that do not fill a unit, of an A that lies along k: through panels on scratch as high as a tile, or one by one (a
 * single row is contiguous whatever the stride) when there is no memory. */
static void block_rest(const struct tsr_gemm_job *job, struct tsr_step *step, struct tsr_gemm_piece piece, tsr_mem a,
                       tsr_mem b, tsr_mem c) {
  int64_t mu = job->kernels->gemm.mu, most = job->plan->units * mu;
  int64_t width = tsr_min(tsr_ceil_div(piece.rows, mu) * mu, most);
  struct tsr_gemm_problem contiguous = *job->problem;
  struct tsr_gemm_job with = {&contiguous, job->plan, job->kernels, job->size};
  contiguous.rsa = job->size;
  contiguous.csa = job->size;
  tsr_mem panel = (tsr_mem)tsr_scratch_get(TSR_SCRATCH_A, (size_t)(width * job->plan->kb * job->size));
  if (!panel) {
    for (int64_t i = 0; i < piece.rows; i++)
      tsr_gemm_in_place(&with, step, 1, piece.cols, a + (tsr_mem)(i * job->problem->rsa), b,
                        c + (tsr_mem)(i * job->size));
    return;
  }
  contiguous.csa = width * job->size;
  for (int64_t i = 0; i < piece.rows; i += width) {
    int64_t rows = tsr_min(width, piece.rows - i);
    tsr_gemm_pack(job->kernels, job->size, rows, width, step->k, a + (tsr_mem)(i * job->problem->rsa),
                  job->problem->rsa, job->size, panel);
    tsr_gemm_in_place(&with, step, rows, piece.cols, panel, b, c + (tsr_mem)(i * job->size));
  }
}

/* Columns of the next transposing tile: the most its height allows, evenly shared. */
static int64_t next_at_columns(int64_t left, int most) { return tsr_ceil_div(left, tsr_ceil_div(left, most)); }

/* One block of k of rows that lie along k. */
static void block_along_k(const struct tsr_gemm_job *job, struct tsr_step *step, struct tsr_gemm_piece piece,
                          tsr_mem a, tsr_mem b, tsr_mem c) {
  const struct tsr_tiles *tiles = &job->kernels->gemm_at;
  int64_t units = tiles->mu ? piece.rows / tiles->mu : 0;
  bool near = tsr_gemm_is_near(job->problem, job->size);
  step->rsa = job->problem->rsa;
  if (near) step->flags |= TSR_NEAR;
  while (units > 0) {
    int u = tsr_gemm_at_units(tiles, piece.cols, near);
    while (u > units || !tiles->max_columns[u]) u--;
    int64_t rows = (int64_t)u * tiles->mu;
    step->m = rows * (units / u);
    step->da = rows * step->rsa;
    step->dc = rows * job->size;
    for (int64_t j = 0; j < piece.cols; j += step->n) {
      step->n = next_at_columns(piece.cols - j, tiles->max_columns[u]);
      tiles->tile[u][step->n]->run(step, a, b + (tsr_mem)(j * step->csb), c + (tsr_mem)(j * step->csc));
    }
    a += (tsr_mem)(step->m * step->rsa);
    c += (tsr_mem)(step->m * job->size);
    piece.rows -= step->m;
    units %= u;
  }
  if (piece.rows > 0) block_rest(job, step, piece, a, b, c);
}

static void block(const struct tsr_gemm_job *job, struct tsr_gemm_piece piece, int64_t p0, struct target to) {
  const struct tsr_gemm_problem *pr = job->problem;
  struct tsr_step step = {.rsb = pr->rsb, .csb = pr->csb, .csc = to.csc, .flags = to.flags | pr->flags};
  tsr_mem a = pr->a + (tsr_mem)(piece.i * pr->rsa + p0 * pr->csa);
  tsr_mem b = pr->b + (tsr_mem)(p0 * pr->rsb + piece.j * pr->csb);
  tsr_gemm_set_block(job, &step, p0);
  if (pr->rsa == job->size || piece.rows == 1)
    tsr_gemm_in_place(job, &step, piece.rows, piece.cols, a, b, to.c);
  else
    block_along_k(job, &step, piece, a, b, to.c);
}

/* Rows of the triangle one by one, which needs no transposing: for an A along k when there is no memory. */
static void rows_of_triangle(const struct tsr_gemm_job *job, struct tsr_gemm_piece piece, int64_t p0) {
  const struct tsr_gemm_problem *pr = job->problem;
  bool lower = pr->parts.c & TSR_LOWER;
  for (int64_t i = piece.i; i < piece.i + piece.rows; i++) {
    int64_t j = lower ? piece.j : tsr_max(piece.j, i), end = piece.j + piece.cols;
    struct tsr_gemm_piece row = {i, 1, j, (lower ? tsr_min(end, i + 1) : end) - j};
    if (row.cols > 0) block(job, row, p0, (struct target){pr->c + (tsr_mem)(i * job->size + j * pr->csc), pr->csc, 0});
  }
}

static void piece_into_c(const struct tsr_gemm_job *job, struct tsr_gemm_piece piece, tsr_mem scratch) {
  const struct tsr_gemm_problem *pr = job->problem;
  struct target c = {pr->c + (tsr_mem)(piece.i * job->size + piece.j * pr->csc), pr->csc, 0};
  (void)scratch;
  for (int64_t p0 = 0; p0 < pr->k; p0 += job->plan->kb) {
    if (!pr->parts.c)
      block(job, piece, p0, c);
    else if (pr->rsa == job->size || pr->m == 1)
      tsr_gemm_cut_in_place(job, &piece, p0, tsr_gemm_is_near(pr, job->size));
    else
      rows_of_triangle(job, piece, p0);
  }
}

/* Sums of a piece on scratch, then an update that turns them over. */
static void piece_across(const struct tsr_gemm_job *job, struct tsr_gemm_piece piece, tsr_mem scratch) {
  const struct tsr_gemm_problem *pr = job->problem;
  int64_t pitch = piece.rows * job->size;
  for (int64_t p0 = 0; p0 < pr->k; p0 += job->plan->kb) {
    struct tsr_step update = {.m = piece.rows, .n = piece.cols, .csa = pitch, .csc = pr->csc};
    tsr_gemm_set_block(job, &update, p0);
    block(job, piece, p0, (struct target){scratch, pitch, TSR_STORE_SUM});
    job->kernels->update_t->run(&update, scratch, 0, pr->c + (tsr_mem)(piece.i * pr->csc + piece.j * job->size));
  }
}

/* Sums that a whole team writes lie in the scratch of the calling thread. A caller's own parallel-for may run other
 * work on that thread while it waits for the team; a product among it must leave the sums alone. */
static _Thread_local int teams_on_sums;

static tsr_mem get_sums(int64_t bytes) {
  return teams_on_sums ? 0 : (tsr_mem)tsr_scratch_get(TSR_SCRATCH_SUMS, (size_t)bytes);
}

static void nothing(void *arg, int index) { (void)arg, (void)index; }

static tsr_status no_sums(struct tsr_team *team) {
  if (team) tsr_team_run(team, nothing, NULL);
  return tsr_fail(TSR_OUT_OF_MEMORY, "no scratch memory for sums");
}

static void run_on_sums(struct tsr_team *team, tsr_parallel_body body, void *arg) {
  teams_on_sums++;
  if (team)
    tsr_team_run(team, body, arg);
  else
    body(arg, 0);
  teams_on_sums--;
}

/* Pieces handed out to the threads of a team, first come first served. */
struct shared {
  const struct tsr_gemm_job *job;
  void (*run)(const struct tsr_gemm_job *job, struct tsr_gemm_piece piece, tsr_mem scratch);
  tsr_mem scratch; /* thread number i has scratch + i * scratch_bytes */
  int64_t scratch_bytes, pieces;
  _Atomic int64_t next;
};

static void claim_pieces(void *arg, int index) {
  struct shared *shared = arg;
  if (index >= shared->job->plan->threads) return;
  bool from_last = shared->job->problem->parts.c & TSR_UPPER; /* the longest columns first */
  for (int64_t i; (i = atomic_fetch_add(&shared->next, 1)) < shared->pieces;)
    shared->run(shared->job, tsr_gemm_piece_of(shared->job, from_last ? shared->pieces - 1 - i : i),
                shared->scratch + (tsr_mem)(index * shared->scratch_bytes));
}

void tsr_gemm_direct(const struct tsr_gemm_job *job, struct tsr_team *team) {
  struct shared shared = {.job = job, .run = piece_into_c, .pieces = tsr_gemm_pieces(job)};
  if (team)
    tsr_team_run(team, claim_pieces, &shared);
  else if (shared.pieces == 1)
    piece_into_c(job, tsr_gemm_piece_of(job, 0), 0);
  else
    claim_pieces(&shared, 0);
}

tsr_status tsr_gemm_across(const struct tsr_gemm_job *job, struct tsr_team *team) {
  const struct tsr_gemm_problem *pr = job->problem;
  struct tsr_gemm_problem across = *pr;
  struct tsr_gemm_job turned = {&across, job->plan, job->kernels, job->size};
  struct shared shared = {.job = &turned, .run = piece_across};
  across.m = pr->n;
  across.n = pr->m;
  across.a = pr->b;
  across.b = pr->a;
  across.rsa = pr->csb;
  across.csa = pr->rsb;
  across.rsb = pr->csa;
  across.csb = pr->rsa;
  across.flags = tsr_gemm_turned_flags(pr->flags);
  shared.scratch_bytes = job->plan->mc * job->plan->nc * job->size;
  shared.pieces = tsr_gemm_pieces(&turned);
  shared.scratch = get_sums(shared.scratch_bytes * job->plan->threads);
  if (!shared.scratch) return no_sums(team);
  run_on_sums(team, claim_pieces, &shared);
  return TSR_OK;
}

/* Blocks of k side by side: block number b leaves its sums at sums + b * m * n. */
struct k_split {
  const struct tsr_gemm_job *job;
  tsr_mem sums;
  int64_t blocks, pitch;
  _Atomic int64_t next;
};

static void claim_blocks(void *arg, int index) {
  struct k_split *split = arg;
  const struct tsr_gemm_job *job = split->job;
  struct tsr_gemm_piece all = {0, job->problem->m, 0, job->problem->n};
  if (index >= job->plan->threads) return;
  for (int64_t i; (i = atomic_fetch_add(&split->next, 1)) < split->blocks;)
    block(job, all, i * job->plan->kb,
          (struct target){split->sums + (tsr_mem)(i * split->pitch * all.cols), split->pitch, TSR_STORE_SUM});
}

tsr_status tsr_gemm_k_split(const struct tsr_gemm_job *job, struct tsr_team *team) {
  const struct tsr_gemm_problem *pr = job->problem;
  struct k_split split = {job, 0, tsr_ceil_div(pr->k, job->plan->kb), pr->m * job->size, 0};
  split.sums = get_sums(split.blocks * split.pitch * pr->n);
  if (!split.sums) return no_sums(team);
  run_on_sums(team, claim_blocks, &split);
  for (int64_t b = 0; b < split.blocks; b++) {
    struct tsr_step update = {.m = pr->m, .n = pr->n, .csa = split.pitch, .csc = pr->csc};
    tsr_gemm_set_block(job, &update, b * job->plan->kb);
    tsr_mem sums = split.sums + (tsr_mem)(b * split.pitch * pr->n);
    if (pr->parts.c)
      tsr_gemm_cut_update(job, &update, 0, 0, sums, pr->c);
    else
      job->kernels->update->run(&update, sums, 0, pr->c);
  }
  return TSR_OK;
}
