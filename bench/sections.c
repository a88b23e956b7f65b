#include "bench/sections.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/attention.h"
#include "bench/blas.h"
#include "bench/conv.h"
#include "bench/print.h"
#include "bench/shapes.h"
#include "bench/team.h"

/* --- Planning ---------------------------------------------------------------------------------------------------- */

/* What a batch is made of: the section's own files, or those of the command line. */
struct wish {
  int type_bytes, threads, callers[2]; /* callers: each shape with the first, and with the second if it is not 0 */
  double share;
  const char *files[4];
};

static void label(struct bench_case *c) {
  const struct bench_request *r = &c->request;
  int used = snprintf(c->label, sizeof c->label, "%lldx%lldx%lld %c%c", (long long)r->m, (long long)r->n,
                      (long long)r->k, r->trans_a ? 'T' : 'N', r->trans_b ? 'T' : 'N');
  if (r->callers > 1) snprintf(c->label + used, sizeof c->label - (size_t)used, " by %d", r->callers);
}

static bool wanted(const struct bench_run *run, const struct bench_case *c) {
  return !run->options.filter || strstr(c->label, run->options.filter);
}

static int add_case(struct bench_run *run, struct bench_batch *batch, const struct bench_shape *s, int callers) {
  struct bench_case c = {.request = {.op = BENCH_OP_GEMM, .type_bytes = batch->type_bytes, .m = s->m, .n = s->n,
                                     .k = s->k, .trans_a = s->trans_a, .trans_b = s->trans_b, .callers = callers}};
  label(&c);
  if (!wanted(run, &c)) return 0;
  c.flops = 2.0 * (double)s->m * (double)s->n * (double)s->k * callers;
  c.bytes = ((double)s->m * (double)s->k + (double)s->k * (double)s->n + (double)s->m * (double)s->n) *
            batch->type_bytes * callers;
  struct bench_case *grown = realloc(batch->cases, (size_t)(batch->count + 1) * sizeof c);
  if (!grown) return -1;
  batch->cases = grown;
  grown[batch->count++] = c;
  return 0;
}

static int read_wish(const struct bench_run *run, const struct wish *wish, struct bench_shapes *shapes) {
  char path[512];
  int status = 0;
  for (int i = 0; i < run->options.nshapes && status == 0; i++)
    status = bench_shapes_read(shapes, run->options.shapes[i]);
  for (int i = 0; run->options.nshapes == 0 && i < 4 && wish->files[i] && status == 0; i++) {
    snprintf(path, sizeof path, "%s/%s.txt", BENCH_SHAPES, wish->files[i]);
    status = bench_shapes_read(shapes, path);
  }
  return status;
}

static bool asked(const struct bench_options *o, const struct wish *wish) {
  return (!o->type_bytes || o->type_bytes == wish->type_bytes) && (!o->threads || o->threads == wish->threads);
}

static int add_batch(struct bench_run *run, const struct bench_section *section, const struct wish *wish) {
  struct bench_shapes shapes = {0};
  if (!asked(&run->options, wish)) return 0;
  if (run->batches == BENCH_MAX_BATCHES || read_wish(run, wish, &shapes) != 0) return -1;
  struct bench_batch *batch = &run->batch[run->batches];
  *batch = (struct bench_batch){.section = section, .type_bytes = wish->type_bytes, .threads = wish->threads,
                                .cores = wish->threads, .share = wish->share};
  for (int i = 0; i < 2; i++)
    if (wish->callers[i] > batch->cores) batch->cores = wish->callers[i];
  snprintf(batch->title, sizeof batch->title, "%s, %s, %d thread%s", section->title,
           wish->type_bytes == 8 ? "f64" : "f32", wish->threads, wish->threads == 1 ? "" : "s");
  for (int i = 0; i < shapes.count; i++)
    for (int j = 0; j < 2; j++)
      if (wish->callers[j] && add_case(run, batch, &shapes.shape[i], wish->callers[j]) != 0) return -1;
  free(shapes.shape);
  if (batch->count > 0) run->batches++;
  return 0;
}

/* Threads of the parts of a run that use several: what was asked for, or two. */
static int several(const struct bench_run *run) {
  int cpus = bench_cpus();
  if (run->options.threads > 0) return run->options.threads;
  return cpus < 2 ? 1 : 2;
}

/* A default run is short; what is asked for by type or threads is measured on the whole list, --full on all lists. */
static int plan_gemm(struct bench_run *run, const struct bench_section *section) {
  const struct bench_options *o = &run->options;
  int many = several(run);
  bool whole = o->full || o->chosen;
  const char *list = whole ? "gemm" : "gemm-few";
  const char *squares = o->full ? "squares" : whole ? "squares-few" : NULL;
  struct wish wishes[] = {
      {4, 1, {1}, 62, {"gemm", o->full ? "squares" : "squares-few"}},
      {8, 1, {1}, 25, {list, squares}},
      {4, many, {1}, 20, {list, squares}},
      {8, many, {1}, whole ? 20 : 8, {list, squares}},
  };
  for (int i = 0; i < (many == 1 ? 2 : 4); i++)
    if (add_batch(run, section, &wishes[i]) != 0) return -1;
  return 0;
}

static int plan_skinny(struct bench_run *run, const struct bench_section *section) {
  int many = several(run), count = run->options.full || run->options.chosen ? 3 : 1;
  const char *file = run->options.full ? "skinny" : "skinny-few";
  struct wish wishes[] = {{4, 1, {1}, 14, {file}}, {8, 1, {1}, 6, {file}}, {4, many, {1}, 6, {file}}};
  if (count == 3 && many == 1) count = 2;
  for (int i = 0; i < count; i++)
    if (add_batch(run, section, &wishes[i]) != 0) return -1;
  return 0;
}

static int plan_callers(struct bench_run *run, const struct bench_section *section) {
  int most = bench_cpus() < 2 ? 0 : 2;
  struct wish wishes[] = {{4, 1, {1, most}, 10, {"callers"}}, {8, 1, {1, most}, 6, {"callers"}}};
  for (int i = 0; i < (run->options.full || run->options.chosen ? 2 : 1); i++)
    if (most && add_batch(run, section, &wishes[i]) != 0) return -1;
  return 0;
}

static int plan_overhead(struct bench_run *run, const struct bench_section *section) {
  struct wish wishes[] = {{4, 1, {1}, 3, {"overhead"}}, {8, 1, {1}, 3, {"overhead"}}};
  for (int i = 0; i < 2; i++)
    if (add_batch(run, section, &wishes[i]) != 0) return -1;
  return 0;
}

const struct bench_section bench_sections[] = {
    {"gemm", "gemm", "GEMM", plan_gemm, bench_print_rates},
    {"gemm", "skinny", "Skinny GEMM beyond the caches", plan_skinny, bench_print_reads},
    {"gemm", "callers", "Callers at once", plan_callers, bench_print_callers},
    {"gemm", "overhead", "Call overhead", plan_overhead, bench_print_times},
    {"blas", "level1", "BLAS level 1", bench_plan_blas, bench_print_bytes},
    {"blas", "small", "BLAS, call overhead", bench_plan_blas, bench_print_times},
    {"blas", "level2", "BLAS level 2", bench_plan_blas, bench_print_bytes},
    {"blas", "level3", "BLAS level 3", bench_plan_blas, bench_print_flops},
    {"blas", "lapack", "LAPACK", bench_plan_blas, bench_print_flops},
    {"attention", "attention", "Attention", bench_plan_attention, bench_print_rates},
    {"attention", "prefill", "Attention, prefill", bench_plan_prefill, bench_print_rates},
    {"attention", "decode", "Attention, decode beyond the caches", bench_plan_decode, bench_print_decode},
    {"attention", "steps", "Attention, queries one by one", bench_plan_steps, bench_print_steps},
    {"attention", "lengths", "Attention, cost against length", bench_plan_lengths, bench_print_steps},
    {"conv", "resnet", "Convolution, ResNet-50", bench_plan_conv, bench_print_conv},
    {"conv", "mobilenet", "Convolution, MobileNet v1", bench_plan_conv, bench_print_conv},
    {"conv", "yolo", "Convolution, Yolo9000", bench_plan_conv, bench_print_conv},
    {"conv", "odd", "Convolution, odd cases", bench_plan_conv, bench_print_conv},
    {"conv", "int8", "Convolution of u8 by s8, ResNet-50", bench_plan_int8, bench_print_conv},
    {"conv", "nets", "Whole nets, 224 x 224", bench_plan_nets, bench_print_nets},
    {"conv", "corpus", "Convolution, drawn at random", bench_plan_corpus, bench_print_corpus},
};
const int bench_section_count = sizeof bench_sections / sizeof bench_sections[0];
