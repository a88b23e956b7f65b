/* Running the plan, the rule's, and the model's next best, one after another and again: whatever slows the machine down
 * meanwhile slows all of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conv.h"
#include "explain.h"
#include "src/core/trace.h"

enum { LEAST_ROUNDS = 3, MOST_ROUNDS = 500 };
#define LEAST_SECONDS 0.5 /* in all */
#define MOST_SECONDS 8    /* after which a round is the last, however few there were */

struct run {
  double seconds[MOST_ROUNDS];
  int n;
};

static int ascending(const void *x, const void *y) {
  double a = *(const double *)x, b = *(const double *)y;
  return (a > b) - (a < b);
}

static void sum_up(struct run *run, struct explain_times *times) {
  if (run->n == 0) return;
  qsort(run->seconds, (size_t)run->n, sizeof run->seconds[0], ascending);
  times->best = run->seconds[0];
  times->median = run->n % 2 ? run->seconds[run->n / 2] : (run->seconds[run->n / 2 - 1] + run->seconds[run->n / 2]) / 2;
  times->runs = run->n;
}

static void add(struct explain *e, const char *name, const struct tsr_values *plan) {
  for (int i = 0; i < e->ntimes; i++)
    if (plan && e->times[i].plan && memcmp(plan, e->times[i].plan, sizeof *plan) == 0) return;
  e->times[e->ntimes++] = (struct explain_times){.name = name, .plan = plan};
}

/* On a device one run tells all: its time is the same always. */
static bool run_plans(struct explain *e, void *bench, struct run *runs) {
  double start = tsr_trace_now(), spent = 0;
  int least = e->context->device ? 1 : LEAST_ROUNDS, most = e->context->device ? 1 : MOST_ROUNDS;
  for (int round = 0; round < most && (round < least || spent < LEAST_SECONDS) && spent < MOST_SECONDS; round++) {
    for (int i = 0; i < e->ntimes; i++) {
      double seconds = e->op->bench_run(bench, e->times[i].plan);
      if (seconds > 0) runs[i].seconds[runs[i].n++] = seconds;
    }
    spent = tsr_trace_now() - start;
  }
  return runs[0].n > 0;
}

static bool measure_plans(struct explain *e, struct run *runs) {
  void *bench = e->op->bench_open(e->context, &e->shape);
  if (!bench) {
    fprintf(stderr, "tessera explain: no memory for matrices of this size\n");
    return false;
  }
  add(e, "the plan", &e->plan.values);
  add(e, "the rule's plan", &e->rule.values);
  if (e->nnext > 0) add(e, "the model's next", &e->next[0].values);
  bool ran = run_plans(e, bench, runs);
  e->op->bench_close(bench);
  if (!ran) fprintf(stderr, "tessera explain: the plan could not be run: %s\n", tsr_last_error());
  return ran;
}

/* The call itself, on operands of its own: so many times that the clock can tell. */
static bool measure_small(struct explain *e, struct run *run) {
  enum { CALLS = 100, LEAST_SAMPLES = 5 };
  struct tsr_gemm_problem p = e->p;
  int64_t size = tsr_size_of(p.type);
  int64_t a = p.rsa == size ? p.csa * p.k : p.rsa * p.m, b = p.rsb == size ? p.csb * p.n : p.rsb * p.k, c = p.csc * p.n;
  char *memory = calloc(1, (size_t)(a + b + c));
  if (!memory) {
    fprintf(stderr, "tessera explain: no memory for matrices of this size\n");
    return false;
  }
  p.a = (tsr_mem)memory;
  p.b = p.a + (tsr_mem)a;
  p.c = p.b + (tsr_mem)b;
  add(e, "the call", NULL);
  double start, begin = tsr_trace_now();
  while (run->n < MOST_ROUNDS && (run->n < LEAST_SAMPLES || tsr_trace_now() - begin < LEAST_SECONDS)) {
    start = tsr_trace_now();
    for (int call = 0; call < CALLS; call++) tsr_gemm_compute(e->context, &p, "tsr_gemm");
    run->seconds[run->n++] = (tsr_trace_now() - start) / CALLS;
  }
  free(memory);
  return true;
}

/* A convolution of integers, with weights packed once. */
static bool run_integers(struct explain *e, tsr_conv_plan *plan, char *x, char *y, struct run *run) {
  size_t bytes = tsr_conv_plan_workspace(plan);
  void *workspace = NULL;
  if (posix_memalign(&workspace, 64, bytes + 64) != 0) return false;
  double begin = tsr_trace_now();
  tsr_status status = tsr_conv_run(plan, x, NULL, y, workspace);
  while (status == TSR_OK && run->n < MOST_ROUNDS &&
         (run->n < LEAST_ROUNDS || tsr_trace_now() - begin < LEAST_SECONDS)) {
    double start = tsr_trace_now();
    status = tsr_conv_run(plan, x, NULL, y, workspace);
    run->seconds[run->n++] = tsr_trace_now() - start;
  }
  add(e, "the call", NULL);
  free(workspace);
  return status == TSR_OK;
}

static bool measure_integers(struct explain *e, struct run *run) {
  const tsr_conv_desc *d = &e->conv_desc;
  tsr_conv_plan *plan = NULL;
  char *x = calloc(1, (size_t)tsr_conv_elements_of_x(d)), *w = calloc(1, (size_t)tsr_conv_elements_of_w(d));
  char *y = calloc(1, (size_t)(tsr_conv_elements_of_y(d) * tsr_size_of(tsr_conv_type_of_y(d))));
  bool done = x && w && y && tsr_conv_plan_create(e->context, d, w, NULL, &plan) == TSR_OK &&
              run_integers(e, plan, x, y, run);
  if (!done) fprintf(stderr, "tessera explain: the convolution could not be run: %s\n", tsr_last_error());
  tsr_conv_plan_destroy(plan);
  free(x);
  free(w);
  free(y);
  return done;
}

static bool measure_call(struct explain *e, struct run *run) {
  return is_conv(e->op) ? measure_integers(e, run) : measure_small(e, run);
}

bool explain_measure(struct explain *e) {
  struct run *runs = calloc(MEASURED, sizeof *runs);
  bool done = runs && (e->small ? measure_call(e, &runs[0]) : measure_plans(e, runs));
  for (int i = 0; done && i < e->ntimes; i++) sum_up(&runs[i], &e->times[i]);
  free(runs);
  return done;
}
