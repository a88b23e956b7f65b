/* The sections of the BLAS: what is measured, and their tables. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/blas.h"
#include "bench/print.h"
#include "bench/team.h"

/* --- Planning ---------------------------------------------------------------------------------------------------- */

static void label(const struct bench_blas *call, char *text, size_t size) {
  char name[32];
  const char *arguments = bench_blas_routines[call->routine].arguments;
  bench_blas_name(call, name, sizeof name);
  int used = snprintf(text, size, "%s%s%s %lld", name, *call->options ? " " : "", call->options, (long long)call->m);
  if (strchr(arguments, '2')) used += snprintf(text + used, size - (size_t)used, "x%lld", (long long)call->n);
  if (strchr(arguments, '3')) snprintf(text + used, size - (size_t)used, "x%lld", (long long)call->k);
}

/* Half of what a routine touches is written, in the ones that change what is large. */
static double written(const struct bench_blas *call) {
  const struct bench_blas_routine *r = &bench_blas_routines[call->routine];
  bool large = *r->written && (*r->written == 'A' || !strpbrk(r->arguments, "AP"));
  if (!large || strpbrk(r->arguments, "BC")) return 0;
  return bench_blas_bytes(call) / (strcmp(r->name, "axpy") == 0 || strcmp(r->name, "axpby") == 0 ? 3 : 2);
}

static int add_case(struct bench_run *run, struct bench_batch *batch, const struct bench_blas *call) {
  struct bench_case c = {.request = {.op = BENCH_OP_BLAS, .type_bytes = batch->type_bytes, .blas = *call,
                                     .callers = 1}};
  label(call, c.label, sizeof c.label);
  if (run->options.filter && !strstr(c.label, run->options.filter)) return 0;
  c.flops = bench_blas_flops(call);
  c.bytes = bench_blas_bytes(call);
  c.written = written(call);
  struct bench_case *grown = realloc(batch->cases, (size_t)(batch->count + 1) * sizeof c);
  if (!grown) return -1;
  batch->cases = grown;
  grown[batch->count++] = c;
  return 0;
}

static int add_batch(struct bench_run *run, const struct bench_section *section, const struct bench_blas_calls *calls,
                     int type_bytes, int threads) {
  const struct bench_options *o = &run->options;
  struct bench_batch *batch = &run->batch[run->batches];
  if ((o->threads && o->threads != threads) || (o->type_bytes && o->type_bytes != type_bytes)) return 0;
  if (run->batches == BENCH_MAX_BATCHES) return -1;
  *batch = (struct bench_batch){.section = section, .type_bytes = type_bytes, .threads = threads, .cores = threads,
                                .share = calls->count};
  snprintf(batch->title, sizeof batch->title, "%s, %s, %d thread%s", section->title, type_bytes == 8 ? "f64" : "f32",
           threads, threads == 1 ? "" : "s");
  for (int i = 0; i < calls->count; i++) {
    bool wide = calls->call[i].letter == BENCH_D || calls->call[i].letter == BENCH_Z;
    if (wide == (type_bytes == 8) && add_case(run, batch, &calls->call[i]) != 0) return -1;
  }
  if (batch->count > 0) run->batches++;
  return 0;
}

static int read_calls(const struct bench_run *run, const char *section, struct bench_blas_calls *calls) {
  char path[512];
  int status = 0;
  for (int i = 0; i < run->options.nshapes && status == 0; i++)
    status = bench_blas_read(calls, run->options.shapes[i], section);
  if (run->options.nshapes) return status;
  snprintf(path, sizeof path, "%s/%s.txt", BENCH_SHAPES, run->options.full ? "blas-full" : "blas");
  return bench_blas_read(calls, path, section);
}

/* One thread, and where calls are long enough to share, two. */
int bench_plan_blas(struct bench_run *run, const struct bench_section *section) {
  struct bench_blas_calls calls = {0};
  int status = read_calls(run, section->name, &calls);
  int many = run->options.threads ? run->options.threads : bench_cpus() < 2 ? 1 : 2;
  bool overhead = strcmp(section->name, "small") == 0;
  for (int type_bytes = 8; type_bytes >= 4 && status == 0; type_bytes -= 4) {
    status = add_batch(run, section, &calls, type_bytes, 1);
    if (status == 0 && many > 1 && !overhead) status = add_batch(run, section, &calls, type_bytes, many);
  }
  free(calls.call);
  return status;
}

/* --- Printing ---------------------------------------------------------------------------------------------------- */

static bool same_routine(const struct bench_case *a, const struct bench_case *b) {
  return a->request.blas.routine == b->request.blas.routine && a->request.blas.letter == b->request.blas.letter;
}

/* Geometric mean over the sizes of a routine, from the case on; peer = -1: the best of each case. */
static double mean_of_routine(const struct bench_run *run, const struct bench_batch *batch, int first, int peer) {
  double sum = 0;
  int count = 0;
  for (int i = first; i < batch->count; i++) {
    const struct bench_case *c = &batch->cases[i];
    if (!same_routine(c, &batch->cases[first])) continue;
    int other = peer >= 0 ? peer : bench_best_peer(run, c);
    double ratio = other > 0 ? bench_ratio(c, other) : 0;
    if (ratio > 0) sum += log(ratio), count++;
  }
  return count ? exp(sum / count) : 0;
}

static void print_ratio(double ratio) {
  if (ratio > 0)
    printf("%*.2f ", BENCH_NAME_WIDTH - 1, ratio);
  else
    printf("%*s ", BENCH_NAME_WIDTH - 1, "-");
}

/* How much faster than each library, routine by routine. */
static void print_ratios(const struct bench_run *run, const struct bench_batch *batch) {
  bench_print_label(batch, "times as fast as");
  for (int p = 1; p < run->peers.count; p++) printf("%*s", BENCH_NAME_WIDTH, run->peers.peer[p].name);
  printf("%*s\n", BENCH_NAME_WIDTH, "the best");
  for (int i = 0; i < batch->count; i++) {
    char name[32];
    bool seen = false;
    for (int j = 0; j < i; j++) seen = seen || same_routine(&batch->cases[j], &batch->cases[i]);
    if (seen) continue;
    bench_blas_name(&batch->cases[i].request.blas, name, sizeof name);
    bench_print_label(batch, name);
    for (int p = 1; p < run->peers.count; p++) print_ratio(mean_of_routine(run, batch, i, p));
    print_ratio(mean_of_routine(run, batch, i, -1));
    printf("\n");
  }
  bench_print_means(run, batch);
}

static void print(const struct bench_run *run, const struct bench_batch *batch, const char *unit, bool by_bytes) {
  bench_print_head(batch);
  bench_print_names(run, batch, unit);
  printf("%10s%9s%8s  %6s  %s\n", "limit", "% limit", "ratio", "spread", "kept");
  for (int i = 0; i < batch->count; i++) {
    const struct bench_case *c = &batch->cases[i];
    double amount = 1e-9 * (by_bytes ? c->bytes : c->flops);
    bench_print_label(batch, c->label);
    for (int p = 0; p < run->peers.count; p++) bench_print_figure(c, p, amount / c->summary[p].median, 1);
    printf("%10.1f", amount / c->limit);
    if (c->summary[0].median > 0)
      printf("%8.0f%%", 100 * c->limit / c->summary[0].median);
    else
      printf("%9s", "-");
    bench_print_ratio(run, c);
    bench_print_kept(run, c);
  }
  print_ratios(run, batch);
}

void bench_print_bytes(const struct bench_run *run, const struct bench_batch *batch) {
  print(run, batch, "GB/s", true);
}

void bench_print_flops(const struct bench_run *run, const struct bench_batch *batch) {
  print(run, batch, "GFLOP/s", false);
}
