/* Tuning a product on a CPU: the bench it is measured on; and the public face for a descriptor, on any chip. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/core/threads.h"
#include "src/core/trace.h"
#include "src/gemm/device_space.h"
#include "src/gemm/fused.h"
#include "src/gemm/space.h"
#include "src/gemm/tiles.h"

/* A run is repeated for so long: the clock and the pauses of a busy machine weigh less. */
#define LEAST_SECONDS 100e-6

struct bench {
  tsr_context *context;
  struct tsr_gemm_problem p;
  int threads;
  void *memory;
};

void tsr_gemm_bench_close(void *given) {
  struct bench *bench = given;
  free(bench->memory);
  free(bench);
}

static void fill(tsr_type type, void *to, int64_t bytes) {
  bool narrow = type == TSR_F32 || type == TSR_C32;
  for (int64_t i = 0; i < bytes / (narrow ? 4 : 8); i++) {
    double x = (double)(i % 1013) / 1013 - 0.5;
    if (narrow) ((float *)to)[i] = (float)x;
    else ((double *)to)[i] = x;
  }
}

/* More would be taken from other programs, or thrash. */
static bool fits_memory(int64_t bytes) {
  return bytes / sysconf(_SC_PAGESIZE) < sysconf(_SC_PHYS_PAGES) / 2;
}

/* Bytes for rows x cols, in whole pages and a line more: operands are not to compete for the same lines. -1: too
 * many. */
static int64_t operand_bytes(const struct tsr_gemm_problem *p, int64_t rows, int64_t cols, int64_t rs, int64_t cs) {
  int64_t most = (int64_t)1 << 44, bytes = tsr_saturating(rows, rs), more = tsr_saturating(cols, cs);
  if (bytes > most || more > most) return -1;
  return tsr_round_up(bytes + more + tsr_size_of(p->type), 4096) + 64;
}

void *tsr_gemm_bench_open(tsr_context *context, const struct tsr_values *shape) {
  struct bench *bench = calloc(1, sizeof *bench);
  if (!bench) return NULL;
  bench->context = context;
  bench->threads = (int)shape->at[TSR_SHAPE_THREADS];
  tsr_gemm_problem_of(shape, &bench->p);
  struct tsr_gemm_problem *p = &bench->p;
  int64_t a = operand_bytes(p, p->m, p->k, p->rsa, p->csa), b = operand_bytes(p, p->k, p->n, p->rsb, p->csb);
  int64_t c = operand_bytes(p, 1, p->n, 0, p->csc), all = a + b + c;
  if (a < 0 || b < 0 || c < 0 || !fits_memory(all) || posix_memalign(&bench->memory, 4096, (size_t)all) != 0) {
    free(bench);
    return NULL;
  }
  fill(p->type, bench->memory, all);
  p->a = (tsr_mem)bench->memory;
  p->b = p->a + (tsr_mem)a;
  p->c = p->b + (tsr_mem)b;
  return bench;
}

double tsr_gemm_bench_run(void *given, const struct tsr_values *values) {
  struct bench *bench = given;
  struct tsr_gemm_way plan;
  tsr_gemm_plan_of(bench->context, &bench->p, bench->threads, values, &plan);
  tsr_gemm_compute_as(bench->context, &bench->p, &plan);
  double start = tsr_trace_now(), seconds;
  int runs = 0;
  do {
    tsr_gemm_compute_as(bench->context, &bench->p, &plan);
    runs++;
  } while ((seconds = tsr_trace_now() - start) < LEAST_SECONDS);
  return seconds / runs;
}

void tsr_gemm_words(const tsr_context *context, const struct tsr_gemm_problem *problem, char *text) {
  const struct tsr_operator *op = tsr_operator_of(context, "gemm");
  struct tsr_values shape = {{0}};
  if (context->device)
    tsr_gemm_device_shape(problem, &shape);
  else
    tsr_gemm_shape_of(problem, tsr_threads_available(context), &shape);
  tsr_values_print(op->shape, op->nshape, &shape, text);
}

tsr_status tsr_gemm_tune(tsr_context *given, const tsr_gemm_desc *d, const tsr_tune_options *options,
                         tsr_tune_result *result) {
  tsr_context *context;
  struct tsr_gemm_problem problem;
  char text[TSR_VALUES_TEXT];
  tsr_status status = tsr_context_get(given, &context);
  if (status == TSR_OK) status = tsr_gemm_check(context, d);
  if (status != TSR_OK) return status;
  if (d->m == 0 || d->n == 0 || d->k == 0)
    return tsr_fail(TSR_INVALID_ARGUMENT, "m, n and k are %lld, %lld and %lld: an empty product cannot be tuned",
                    (long long)d->m, (long long)d->n, (long long)d->k);
  if (!context->device && tsr_gemm_is_fused(d))
    return tsr_fail(TSR_UNSUPPORTED, "products with a bias, post or 16-bit matrices have no plans to tune");
  tsr_gemm_normalise(d, NULL, NULL, NULL, &problem);
  tsr_gemm_words(context, &problem, text);
  return tsr_tune(context, "gemm", text, options, result);
}
