/* Blocks of C that are taken through all of k one after the other: the loops that CPUs and devices share.
 *
 * `async` is a constant of each instance. On a CPU a step is a call, and tokens vanish. On a device a step is queued on
 * a core: the copies of the next chunk of k run while this one is multiplied, ordered by tokens alone. */
#ifndef TSR_GEMM_WALK_H
#define TSR_GEMM_WALK_H

#include "src/gemm/tiles.h"

/* Panels of each operand that a device's core holds: one in use, one ready, two on the way. */
#define TSR_GEMM_MOST_SLOTS 4
#define TSR_GEMM_MOST_KEPT 64

/* A place for a panel: where, what it holds, and the step that read it last. */
struct tsr_gemm_slot {
  tsr_mem at;
  int64_t holds; /* kept panels of A: 1 + the first row */
  tsr_token used;
};

/* One chunk of k of a block, from the copies on. */
struct tsr_gemm_chunk {
  struct tsr_gemm_piece piece;
  int64_t p0, k;
  bool first, last; /* of a block of KB, in which the sums are one chain */
  struct tsr_gemm_slot *a, *b;
  tsr_token packed_a, packed_b;
};

/* What one thread, or one core of a device, needs while it walks. */
struct tsr_gemm_walker {
  const struct tsr_gemm_job *job;
  struct tsr_gemm_slot a[TSR_GEMM_MOST_SLOTS], b[TSR_GEMM_MOST_SLOTS], kept[TSR_GEMM_MOST_KEPT];
  struct tsr_gemm_chunk chunk[TSR_GEMM_MOST_SLOTS]; /* those whose panels are on the way, by turns */
  int64_t packed, multiplied;                       /* chunks so far */
  struct tsr_gemm_chunk update;                     /* whose sums still wait to be added to C, if due is not 0 */
  int64_t due;                                      /* the count of multiplications at which they are */
  struct tsr_device *device;
  const struct tsr_device_kernels *kernels;
  int core;
  tsr_mem sums, y;   /* device memory for sums that an update turns into C, and for a C not yet rounded; or 0 */
  int64_t sums_csc;  /* of both */
  tsr_token last;    /* the step that wrote C last */
};

/* The kernels of a device for one pair of types. */
struct tsr_device_kernels {
  const struct tsr_kernel *pack_n, *pack_t, *gemm, *gemm_to_c, *scale;
  const struct tsr_kernel *update[2][2]; /* [goes on from C][writes C]: else it is y, kept apart in f32 */
};

#define TSR_WALK static inline __attribute__((always_inline))

TSR_WALK tsr_token tsr_walk_issue(struct tsr_gemm_walker *w, const struct tsr_kernel *kernel,
                                  const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c, tsr_token after1,
                                  tsr_token after2, tsr_token after3) {
  tsr_token after[3];
  int n = 0;
  if (after1) after[n++] = after1;
  if (after2) after[n++] = after2;
  if (after3) after[n++] = after3;
  return w->device->chip->issue(w->device, w->core, kernel, step, a, b, c, after, n);
}

/* Panels of A for the chunk. */
TSR_WALK void tsr_walk_pack_a(struct tsr_gemm_walker *w, struct tsr_gemm_chunk *chunk, bool async) {
  const struct tsr_gemm_problem *pr = w->job->problem;
  const struct tsr_gemm_way *plan = w->job->plan;
  tsr_mem from = pr->a + (tsr_mem)(chunk->piece.i * pr->rsa + chunk->p0 * pr->csa);
  chunk->a = &w->a[w->packed % plan->slots];
  chunk->packed_a = 0;
  if (!async) {
    tsr_gemm_pack_a(w->job, chunk->piece.i, chunk->piece.rows, chunk->p0, chunk->k, chunk->a->at);
    return;
  }
  int64_t chunks = tsr_ceil_div(pr->k, plan->kc), number = chunk->p0 / plan->kc, kept = number * plan->kept / chunks;
  if ((number + 1) * plan->kept / chunks > kept) {
    chunk->a = &w->kept[kept];
    if (chunk->a->holds == chunk->piece.i + 1) return;
    chunk->a->holds = chunk->piece.i + 1;
  }
  struct tsr_step step = {.m = chunk->piece.rows, .k = chunk->k, .rsa = pr->rsa, .csa = pr->csa};
  bool along_k = pr->rsa != w->job->size;
  chunk->packed_a = tsr_walk_issue(w, along_k ? w->kernels->pack_t : w->kernels->pack_n, &step, from, 0, chunk->a->at,
                                   chunk->a->used, 0, 0);
}

/* The same of B, on devices; CPUs that walk read B as it lies. */
TSR_WALK void tsr_walk_pack_b(struct tsr_gemm_walker *w, struct tsr_gemm_chunk *chunk) {
  const struct tsr_gemm_problem *pr = w->job->problem;
  tsr_mem from = pr->b + (tsr_mem)(chunk->p0 * pr->rsb + chunk->piece.j * pr->csb);
  chunk->b = &w->b[w->packed % w->job->plan->slots];
  struct tsr_step step = {.m = chunk->piece.cols, .k = chunk->k, .rsa = pr->csb, .csa = pr->rsb};
  bool along_k = pr->rsb == w->job->size;
  chunk->packed_b = tsr_walk_issue(w, along_k ? w->kernels->pack_t : w->kernels->pack_n, &step, from, 0, chunk->b->at,
                                   chunk->b->used, 0, 0);
}

TSR_WALK tsr_mem tsr_walk_c(const struct tsr_gemm_walker *w, const struct tsr_gemm_chunk *chunk) {
  const struct tsr_gemm_problem *pr = w->job->problem;
  return pr->c + (tsr_mem)(chunk->piece.i * tsr_size_of(pr->type_c) + chunk->piece.j * pr->csc);
}

/* y = fma(alpha, s, y) for the sums of a block of k, as a step of its own. y is C unless C would round it too early. */
TSR_WALK void tsr_walk_update(struct tsr_gemm_walker *w) {
  const struct tsr_gemm_problem *pr = w->job->problem;
  const struct tsr_gemm_chunk *chunk = &w->update;
  struct tsr_step step = {.m = chunk->piece.rows, .n = chunk->piece.cols, .csa = w->sums_csc};
  int64_t kb = w->job->plan->kb, first = chunk->p0 / kb * kb;
  bool from_c = first == 0 || !w->y, to_c = chunk->p0 + chunk->k == pr->k || !w->y;
  tsr_mem offset = (tsr_mem)(chunk->piece.i * 4 + chunk->piece.j * w->sums_csc), c = tsr_walk_c(w, chunk);
  tsr_gemm_set_block(w->job, &step, first);
  step.rsb = from_c ? pr->csc : w->sums_csc;
  step.csc = to_c ? pr->csc : w->sums_csc;
  w->due = 0;
  w->last = tsr_walk_issue(w, w->kernels->update[from_c][to_c], &step, w->sums + offset, from_c ? c : w->y + offset,
                           to_c ? c : w->y + offset, w->last, 0, 0);
}

/* Whether the sums of the chunk's block of k are C itself: nothing multiplies or rounds them, nothing is added. */
TSR_WALK bool tsr_walk_is_direct(const struct tsr_gemm_walker *w, const struct tsr_gemm_chunk *chunk) {
  const struct tsr_gemm_problem *pr = w->job->problem;
  if (!w->sums) return true;
  return pr->alpha == 1 && pr->beta == 0 && !w->y && chunk->p0 < w->job->plan->kb;
}

/* The block of C times the chunk: on a device one step, which may leave its sums in the core. An update waits until two
 * more steps are queued: a core takes its steps in order, and would wait for the sums with nothing else to do. */
TSR_WALK void tsr_walk_multiply(struct tsr_gemm_walker *w, struct tsr_gemm_chunk *chunk) {
  const struct tsr_gemm_problem *pr = w->job->problem;
  const struct tsr_gemm_piece *piece = &chunk->piece;
  bool direct = tsr_walk_is_direct(w, chunk);
  tsr_mem sums = w->sums + (tsr_mem)(piece->i * 4 + piece->j * w->sums_csc);
  struct tsr_step step = {.m = piece->rows, .n = piece->cols, .k = chunk->k, .rsa = pr->rsa, .csa = pr->csa,
                          .rsb = pr->rsb, .csb = pr->csb, .csc = direct ? pr->csc : w->sums_csc};
  step.flags = TSR_STORE_SUM | (chunk->first ? 0 : TSR_GO_ON) | (chunk->last ? 0 : TSR_MORE_K);
  if (w->due && (w->multiplied >= w->due || chunk->last)) tsr_walk_update(w);
  /* Sums of an earlier block of k at the same place must have been used before they are overwritten. */
  tsr_token updated = chunk->last && chunk->p0 >= w->job->plan->kb ? w->last : 0;
  const struct tsr_kernel *kernel = direct ? w->kernels->gemm_to_c : w->kernels->gemm;
  tsr_token done = tsr_walk_issue(w, kernel, &step, chunk->a->at, chunk->b->at, direct ? tsr_walk_c(w, chunk) : sums,
                                  chunk->packed_a, chunk->packed_b, updated);
  chunk->a->used = chunk->b->used = done;
  w->multiplied++;
  if (!chunk->last) return;
  w->last = done;
  if (direct) return;
  w->update = *chunk;
  w->due = w->multiplied + 2;
}

/* One block of C through all of k. On a device panels are copied ahead: before a copy must wait for the multiplication
 * that uses its slot, the next multiplication is queued, or the core would have nothing to do meanwhile. */
TSR_WALK void tsr_walk_block(struct tsr_gemm_walker *w, const struct tsr_gemm_piece *piece, bool async) {
  const struct tsr_gemm_way *plan = w->job->plan;
  const struct tsr_gemm_problem *pr = w->job->problem;
  for (int64_t p0 = 0; p0 < pr->k; p0 += plan->kc) {
    struct tsr_gemm_chunk *chunk = &w->chunk[w->packed % plan->slots];
    if (async && w->packed - w->multiplied == plan->slots - 1)
      tsr_walk_multiply(w, &w->chunk[w->multiplied % plan->slots]);
    chunk->piece = *piece;
    chunk->p0 = p0;
    chunk->k = tsr_min(plan->kc, pr->k - p0);
    chunk->first = p0 % plan->kb == 0;
    chunk->last = (p0 + chunk->k) % plan->kb == 0 || p0 + chunk->k == pr->k;
    if (plan->pack_a) tsr_walk_pack_a(w, chunk, async);
    if (!async) {
      tsr_mem matrix = pr->a + (tsr_mem)(piece->i * pr->rsa + p0 * pr->csa);
      tsr_gemm_multiply(w->job, piece, p0, chunk->k, plan->pack_a ? chunk->a->at : matrix, 0);
      continue;
    }
    tsr_walk_pack_b(w, chunk);
    w->packed++;
  }
}

/* On a device: what was copied ahead, and the last sums. */
TSR_WALK void tsr_walk_finish(struct tsr_gemm_walker *w) {
  while (w->multiplied < w->packed) tsr_walk_multiply(w, &w->chunk[w->multiplied % w->job->plan->slots]);
  if (w->due) tsr_walk_update(w);
}

#endif
