/* Blocks of C that are taken through all of k one after the other: the loops that CPUs and devices share.
 *
 * `async` is a constant of each instance. On a CPU a step is a call, and tokens vanish. On a device a step is queued on
 * a core: the copies of the next chunk of k run while this one is multiplied, ordered by tokens alone. */
#ifndef TSR_GEMM_WALK_H
#define TSR_GEMM_WALK_H

#include "src/gemm/tiles.h"

#define TSR_GEMM_MOST_SLOTS 4
#define TSR_GEMM_MOST_KEPT 64

/* A place for a panel: where, what it holds, and the step that read it last. */
struct tsr_gemm_slot {
  tsr_mem at;
  int64_t holds; /* kept panels of A: 1 + the first row */
  tsr_token used;
};

/* What one thread, or one core of a device, needs while it walks. */
struct tsr_gemm_walker {
  const struct tsr_gemm_job *job;
  struct tsr_gemm_slot a[TSR_GEMM_MOST_SLOTS], b[TSR_GEMM_MOST_SLOTS], kept[TSR_GEMM_MOST_KEPT];
  int64_t turn; /* chunks so far */
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

/* One chunk of k of a block: what its steps share. */
struct tsr_gemm_chunk {
  const struct tsr_gemm_piece *piece;
  int64_t p0, k;
  bool first, last; /* of a block of KB, in which the sums are one chain */
};

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

/* Panels of A for the chunk; *at is where. */
TSR_WALK tsr_token tsr_walk_pack_a(struct tsr_gemm_walker *w, const struct tsr_gemm_chunk *chunk, bool async,
                                   struct tsr_gemm_slot **slot) {
  const struct tsr_gemm_problem *pr = w->job->problem;
  const struct tsr_gemm_plan *plan = w->job->plan;
  tsr_mem from = pr->a + (tsr_mem)(chunk->piece->i * pr->rsa + chunk->p0 * pr->csa);
  *slot = &w->a[w->turn % plan->slots];
  if (!async) {
    tsr_gemm_pack_a(w->job, chunk->piece->rows, chunk->k, from, (*slot)->at);
    return 0;
  }
  int64_t number = chunk->p0 / plan->kc;
  if (plan->keep && number % plan->keep == 0 && number / plan->keep < TSR_GEMM_MOST_KEPT) {
    *slot = &w->kept[number / plan->keep];
    if ((*slot)->holds == chunk->piece->i + 1) return 0;
    (*slot)->holds = chunk->piece->i + 1;
  }
  struct tsr_step step = {.m = chunk->piece->rows, .k = chunk->k, .rsa = pr->rsa, .csa = pr->csa};
  bool along_k = pr->rsa != w->job->size;
  return tsr_walk_issue(w, along_k ? w->kernels->pack_t : w->kernels->pack_n, &step, from, 0, (*slot)->at,
                        (*slot)->used, 0, 0);
}

/* The same of B, on devices; CPUs that walk read B as it lies. */
TSR_WALK tsr_token tsr_walk_pack_b(struct tsr_gemm_walker *w, const struct tsr_gemm_chunk *chunk,
                                   struct tsr_gemm_slot **slot) {
  const struct tsr_gemm_problem *pr = w->job->problem;
  tsr_mem from = pr->b + (tsr_mem)(chunk->p0 * pr->rsb + chunk->piece->j * pr->csb);
  *slot = &w->b[w->turn % w->job->plan->slots];
  struct tsr_step step = {.m = chunk->piece->cols, .k = chunk->k, .rsa = pr->csb, .csa = pr->rsb};
  bool along_k = pr->rsb == w->job->size;
  return tsr_walk_issue(w, along_k ? w->kernels->pack_t : w->kernels->pack_n, &step, from, 0, (*slot)->at,
                        (*slot)->used, 0, 0);
}

/* y = fma(alpha, s, y) for the sums of a block of k, as a step of its own. y is C unless C would round it too early. */
TSR_WALK void tsr_walk_update(struct tsr_gemm_walker *w, const struct tsr_gemm_chunk *chunk, tsr_mem sums, tsr_mem y,
                              tsr_mem c) {
  const struct tsr_gemm_problem *pr = w->job->problem;
  struct tsr_step step = {.m = chunk->piece->rows, .n = chunk->piece->cols, .csa = w->sums_csc};
  int64_t kb = w->job->plan->kb, first = (chunk->p0 / kb) * kb;
  bool from_c = first == 0 || !w->y, to_c = chunk->p0 + chunk->k == pr->k || !w->y;
  tsr_gemm_set_block(w->job, &step, first);
  step.rsb = from_c ? pr->csc : w->sums_csc;
  step.csc = to_c ? pr->csc : w->sums_csc;
  w->last = tsr_walk_issue(w, w->kernels->update[from_c][to_c], &step, sums, from_c ? c : y, to_c ? c : y, w->last, 0, 0);
}

/* The block of C times the chunk: on a device one step, which may leave its sums in the core. */
TSR_WALK tsr_token tsr_walk_multiply(struct tsr_gemm_walker *w, const struct tsr_gemm_chunk *chunk, tsr_mem a,
                                     tsr_mem b, tsr_token packed_a, tsr_token packed_b) {
  const struct tsr_gemm_problem *pr = w->job->problem;
  const struct tsr_gemm_piece *piece = chunk->piece;
  int64_t size_c = tsr_size_of(pr->type_c);
  tsr_mem c = pr->c + (tsr_mem)(piece->i * size_c + piece->j * pr->csc);
  tsr_mem offset = (tsr_mem)(piece->i * 4 + piece->j * w->sums_csc), sums = w->sums + offset;
  struct tsr_step step = {.m = piece->rows, .n = piece->cols, .k = chunk->k, .rsa = pr->rsa, .csa = pr->csa,
                          .rsb = pr->rsb, .csb = pr->csb, .csc = w->sums ? w->sums_csc : pr->csc};
  step.flags = TSR_STORE_SUM | (chunk->first ? 0 : TSR_GO_ON) | (chunk->last ? 0 : TSR_MORE_K);
  const struct tsr_kernel *kernel = w->sums ? w->kernels->gemm : w->kernels->gemm_to_c;
  /* Sums of an earlier block of k at the same place must have been used before they are overwritten. */
  tsr_token updated = chunk->last && chunk->p0 >= w->job->plan->kb ? w->last : 0;
  tsr_token done = tsr_walk_issue(w, kernel, &step, a, b, w->sums ? sums : c, packed_a, packed_b, updated);
  if (!chunk->last) return done;
  w->last = done;
  if (w->sums) tsr_walk_update(w, chunk, sums, w->y + offset, c);
  return done;
}

/* One block of C through all of k. */
TSR_WALK void tsr_walk_block(struct tsr_gemm_walker *w, const struct tsr_gemm_piece *piece, bool async) {
  const struct tsr_gemm_plan *plan = w->job->plan;
  int64_t k = w->job->problem->k;
  struct tsr_gemm_chunk chunk = {.piece = piece};
  for (; chunk.p0 < k; chunk.p0 += chunk.k, w->turn++) {
    struct tsr_gemm_slot *a = NULL, *b = NULL;
    chunk.k = tsr_min(plan->kc, k - chunk.p0);
    chunk.first = chunk.p0 % plan->kb == 0;
    chunk.last = (chunk.p0 + chunk.k) % plan->kb == 0 || chunk.p0 + chunk.k == k;
    tsr_token packed_a = plan->pack_a ? tsr_walk_pack_a(w, &chunk, async, &a) : 0;
    if (!async) {
      tsr_mem matrix = w->job->problem->a + (tsr_mem)(piece->i * w->job->problem->rsa + chunk.p0 * w->job->problem->csa);
      tsr_gemm_multiply(w->job, piece, chunk.p0, chunk.k, a ? a->at : matrix, 0);
      continue;
    }
    tsr_token packed_b = tsr_walk_pack_b(w, &chunk, &b);
    a->used = b->used = tsr_walk_multiply(w, &chunk, a->at, b->at, packed_a, packed_b);
  }
}

#endif
