/* One GEMM: plan, team, path, trace. */
#include "src/gemm/gemm.h"

#include <fenv.h>
#include <stdio.h>

#include "src/core/threads.h"
#include "src/core/trace.h"
#include "src/gemm/tiles.h"

/* No block of k counts: C is only scaled. */
static void scale(const struct tsr_gemm_job *job) {
  const struct tsr_gemm_problem *pr = job->problem;
  struct tsr_step step = {.m = pr->m, .n = pr->n, .csc = pr->csc, .beta = pr->beta};
  if (pr->beta != 1) job->kernels->scale->run(&step, 0, 0, pr->c);
}

static tsr_status take_path(const struct tsr_gemm_job *job, struct tsr_team *team) {
  switch (job->plan->path) {
    case TSR_GEMM_ACROSS: return tsr_gemm_across(job, team);
    case TSR_GEMM_PACKED: return tsr_gemm_packed(job, team);
    case TSR_GEMM_K_SPLIT: return tsr_gemm_k_split(job, team);
    case TSR_GEMM_SMALL:
    case TSR_GEMM_DIRECT: tsr_gemm_direct(job, team);
  }
  return TSR_OK;
}

/* Without scratch memory: the direct path, on this thread. It is slower and gives the same bits. */
static void without_memory(const struct tsr_gemm_job *job, struct tsr_gemm_plan *plan) {
  plan->path = TSR_GEMM_DIRECT;
  plan->threads = 1;
  plan->mc = job->problem->m;
  plan->nc = job->problem->n;
  tsr_gemm_direct(job, NULL);
}

/* `most_threads` = 1 keeps the call on its thread, 0 leaves it to the plan. */
static void compute(const tsr_context *context, const struct tsr_gemm_job *job, int most_threads,
                    struct tsr_gemm_plan *plan) {
  struct tsr_team team;
  bool alone = true;
  plan->threads = 1;
  if (job->problem->k == 0 || job->problem->alpha == 0) {
    scale(job);
    return;
  }
  plan->path = TSR_GEMM_SMALL;
  if (!tsr_gemm_forced.path && tsr_gemm_small(job->kernels, job->problem)) return;
  tsr_gemm_choose_path(context, job->problem, most_threads, plan);
  if (plan->threads > 1) {
    tsr_team_reserve(context, plan->threads, &team);
    plan->threads = team.n;
    alone = false;
  }
  tsr_gemm_choose_blocks(context, job->problem, plan);
  if (take_path(job, alone ? NULL : &team) != TSR_OK) without_memory(job, plan);
}

void tsr_gemm_compute_alone(const tsr_context *context, const struct tsr_gemm_problem *problem) {
  struct tsr_gemm_plan plan;
  struct tsr_gemm_job job = {problem, &plan, &context->kernels[problem->type], tsr_size_of(problem->type)};
  if (problem->m > 0 && problem->n > 0) compute(context, &job, 1, &plan);
}

/* The path and, where a plan was made, its tile. */
static void name_kernel(const struct tsr_gemm_job *job, char *text, size_t size) {
  static const char *const paths[] = {"small", "direct", "across", "packed", "k-split"};
  const struct tsr_gemm_plan *plan = job->plan;
  if (job->problem->k == 0 || job->problem->alpha == 0)
    snprintf(text, size, "scale");
  else if (plan->path == TSR_GEMM_SMALL)
    snprintf(text, size, "%s", paths[plan->path]);
  else
    snprintf(text, size, "%s/%dx%d", paths[plan->path], plan->units * job->kernels->gemm.mu, plan->columns);
}

static void trace(const tsr_context *context, const struct tsr_gemm_job *job, const char *routine, double seconds) {
  const struct tsr_gemm_problem *pr = job->problem;
  char kernel[32];
  struct tsr_trace_call call = {.routine = routine, .kernel = kernel, .isa = context->isa, .context = context,
                                .type = pr->type, .threads = job->plan->threads, .seconds = seconds,
                                .flops = 2.0 * (double)pr->m * (double)pr->n * (double)pr->k};
  name_kernel(job, kernel, sizeof kernel);
  snprintf(call.sizes, sizeof call.sizes, "%lldx%lldx%lld", (long long)pr->m, (long long)pr->n, (long long)pr->k);
  tsr_trace_print(&call);
}

tsr_status tsr_gemm_compute(const tsr_context *context, const struct tsr_gemm_problem *problem, const char *routine) {
  struct tsr_gemm_plan plan;
  struct tsr_gemm_job job = {problem, &plan, &context->kernels[problem->type], tsr_size_of(problem->type)};
  if (problem->m == 0 || problem->n == 0) return TSR_OK;
  if (__builtin_expect(!tsr_tracing(), 1)) {
    compute(context, &job, 0, &plan);
    return TSR_OK;
  }
  fenv_t flags;
  double start = tsr_trace_now();
  compute(context, &job, 0, &plan);
  fegetenv(&flags);
  trace(context, &job, routine, tsr_trace_now() - start);
  fesetenv(&flags);
  return TSR_OK;
}
