/* One GEMM: plan, team, path, trace. */
#include "src/gemm/gemm.h"

#include <fenv.h>
#include <stdio.h>

#include "src/core/threads.h"
#include "src/core/trace.h"
#include "src/gemm/parts.h"
#include "src/gemm/space.h"
#include "src/tune/table.h"
#include "src/tune/use.h"

static void scale(const struct tsr_gemm_job *job) {
  const struct tsr_gemm_problem *pr = job->problem;
  struct tsr_step step = {.m = pr->m, .n = pr->n, .csc = pr->csc, .beta = pr->beta, .beta_im = pr->beta_im};
  if (pr->beta == 1 && pr->beta_im == 0) return;
  if (pr->parts.c)
    tsr_gemm_cut_scale(job);
  else
    job->kernels->scale->run(&step, 0, 0, pr->c);
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
static void without_memory(const struct tsr_gemm_job *job, struct tsr_gemm_way *plan) {
  if (job->problem->parts.a | job->problem->parts.b) {
    tsr_gemm_by_pieces(job);
    return;
  }
  plan->path = TSR_GEMM_DIRECT;
  plan->threads = 1;
  plan->mc = job->problem->m;
  plan->nc = job->problem->n;
  tsr_gemm_direct(job, NULL);
}

/* No block of k counts: A and B are not read. */
static bool only_scales(const struct tsr_gemm_problem *pr) { return pr->k == 0 || (pr->alpha == 0 && pr->alpha_im == 0); }

/* Most calls of small sizes end here, before anything but the problem has been written down. */
static inline bool at_once(const tsr_context *context, const struct tsr_gemm_problem *pr) {
  const struct tsr_kernels *kernels = &context->kernels[pr->type];
  if (tsr_gemm_forced.path || pr->plan || only_scales(pr)) return false;
  if (!tsr_gemm_has_parts(pr)) return tsr_gemm_small(kernels, pr);
  return !(pr->parts.c & TSR_HERMITIAN) && tsr_gemm_small_part(kernels, pr);
}

static void run(const struct tsr_gemm_job *job, struct tsr_gemm_way *plan, struct tsr_team *team) {
  if (take_path(job, team) != TSR_OK) without_memory(job, plan);
}

/* Fewer threads than the plan was made for: each does more. */
static void shrink(struct tsr_gemm_way *plan, int threads) {
  if (plan->threads > threads) plan->threads = threads;
  if (plan->groups > plan->threads) plan->groups = plan->threads;
}

/* Where others use the threads that the plan wants, it is made anew for those that are free. A team may be larger than
 * its plan: the rest of it has nothing to do. */
static void run_on_team(const tsr_context *context, const struct tsr_gemm_job *job, struct tsr_gemm_way *plan,
                        bool choose_again) {
  struct tsr_team team;
  tsr_team_reserve(context, plan->threads, &team);
  if (team.n < plan->threads) {
    if (choose_again) tsr_gemm_choose(context, job->problem, team.n, plan);
    shrink(plan, team.n);
  }
  run(job, plan, &team);
}

/* With TESSERA_TUNE=write a call may try a plan of the tuner's and be its measurement. */
static bool tried(const tsr_context *context, const struct tsr_gemm_job *job, struct tsr_gemm_way *plan) {
  const struct tsr_gemm_problem *pr = job->problem;
  struct tsr_values shape, values;
  struct tsr_trial trial;
  int threads = tsr_threads_available(context);
  if (pr->plan || !tsr_gemm_is_looked_up(pr)) return false;
  tsr_gemm_shape_of(pr, threads, &shape);
  if (!tsr_use_begin(&tsr_gemm_operator, context, &shape, &values, &trial)) return false;
  tsr_gemm_plan_of(context, pr, threads, &values, plan);
  int wanted = plan->threads;
  double start = tsr_trace_now();
  if (wanted > 1)
    run_on_team(context, job, plan, false);
  else
    run(job, plan, NULL);
  tsr_use_end(&trial, plan->threads == wanted ? tsr_trace_now() - start : 0);
  return true;
}

static void compute_by_plan(const tsr_context *context, const struct tsr_gemm_job *job, int most_threads,
                            struct tsr_gemm_way *plan) {
  if (most_threads == 0 && tsr_tune_writes() && tried(context, job, plan)) return;
  tsr_gemm_choose(context, job->problem, most_threads, plan);
  if (plan->threads > 1)
    run_on_team(context, job, plan, true);
  else
    run(job, plan, NULL);
}

/* `most_threads` = 1 keeps the call on its thread, 0 leaves it to the plan. The diagonal of a Hermitian C is real
 * before, since its imaginary parts are not read, and after. */
static void compute(const tsr_context *context, const struct tsr_gemm_job *job, int most_threads,
                    struct tsr_gemm_way *plan) {
  const struct tsr_gemm_problem *pr = job->problem;
  bool hermitian = pr->parts.c & TSR_HERMITIAN;
  plan->threads = 1;
  plan->path = TSR_GEMM_SMALL;
  if (only_scales(pr)) {
    scale(job);
    if (hermitian && pr->beta != 1) tsr_gemm_make_diagonal_real(pr);
    return;
  }
  if (hermitian) tsr_gemm_make_diagonal_real(pr);
  if (!hermitian || tsr_gemm_is_forced() || !tsr_gemm_small_part(job->kernels, pr))
    compute_by_plan(context, job, most_threads, plan);
  if (hermitian) tsr_gemm_make_diagonal_real(pr);
}

void tsr_gemm_compute_as(const tsr_context *context, const struct tsr_gemm_problem *problem,
                         const struct tsr_gemm_way *given) {
  struct tsr_gemm_way plan = *given;
  struct tsr_gemm_job job = {problem, &plan, &context->kernels[problem->type], tsr_size_of(problem->type)};
  if (plan.threads > 1)
    run_on_team(context, &job, &plan, false);
  else
    run(&job, &plan, NULL);
}

void tsr_gemm_compute_alone(const tsr_context *context, const struct tsr_gemm_problem *problem) {
  struct tsr_gemm_way plan;
  struct tsr_gemm_job job = {problem, &plan, &context->kernels[problem->type], tsr_size_of(problem->type)};
  if (problem->m > 0 && problem->n > 0 && !at_once(context, problem)) compute(context, &job, 1, &plan);
}

/* The path and, where a plan was made, its tile. */
static void name_kernel(const struct tsr_gemm_job *job, char *text, size_t size) {
  static const char *const paths[] = {"small", "direct", "across", "packed", "k-split"};
  const struct tsr_gemm_way *plan = job->plan;
  if (only_scales(job->problem))
    snprintf(text, size, "scale");
  else if (plan->path == TSR_GEMM_SMALL)
    snprintf(text, size, "%s", paths[plan->path]);
  else
    snprintf(text, size, "%s/%dx%d", paths[plan->path], plan->units * job->kernels->gemm.mu, plan->columns);
}

static void trace(const tsr_context *context, const struct tsr_gemm_job *job, const char *routine, double seconds) {
  const struct tsr_gemm_problem *pr = job->problem;
  char kernel[32];
  struct tsr_trace_call call = {.routine = routine, .kernel = kernel, .context = context,
                                .type = pr->type, .threads = job->plan->threads, .seconds = seconds,
                                .flops = tsr_flops_of(pr->type) * (double)pr->m * (double)pr->n * (double)pr->k};
  name_kernel(job, kernel, sizeof kernel);
  snprintf(call.sizes, sizeof call.sizes, "%lldx%lldx%lld", (long long)pr->m, (long long)pr->n, (long long)pr->k);
  if (job->plan->path != TSR_GEMM_SMALL && !only_scales(pr)) {
    int used = snprintf(call.shape, sizeof call.shape, "gemm ");
    tsr_gemm_words(context, pr, call.shape + used);
  }
  tsr_trace_print(&call);
}

/* Printing must not leave floating-point flags behind. */
static void compute_traced(const tsr_context *context, const struct tsr_gemm_job *job, struct tsr_gemm_way *plan,
                           const char *routine) {
  fenv_t flags;
  double start = tsr_trace_now();
  plan->path = TSR_GEMM_SMALL;
  plan->threads = 1;
  if (!at_once(context, job->problem)) compute(context, job, 0, plan);
  fegetenv(&flags);
  trace(context, job, routine, tsr_trace_now() - start);
  fesetenv(&flags);
}

static __attribute__((noinline)) void compute_planned(const tsr_context *context,
                                                      const struct tsr_gemm_problem *problem, const char *routine) {
  struct tsr_gemm_way plan;
  struct tsr_gemm_job job = {problem, &plan, &context->kernels[problem->type], tsr_size_of(problem->type)};
  if (tsr_tracing())
    compute_traced(context, &job, &plan, routine);
  else
    compute(context, &job, 0, &plan);
}

tsr_status tsr_gemm_compute(const tsr_context *context, const struct tsr_gemm_problem *problem, const char *routine) {
  if (problem->m == 0 || problem->n == 0) return TSR_OK;
  if (tsr_tracing() || !at_once(context, problem)) compute_planned(context, problem, routine);
  return TSR_OK;
}
