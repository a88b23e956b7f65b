#include "bench/sections.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* --- Comparing --------------------------------------------------------------------------------------------------- */

double bench_ratio(const struct bench_case *c, int peer) {
  double own = c->summary[0].median, other = c->summary[peer].median;
  return own > 0 && other > 0 ? other / own : 0;
}

int bench_best_peer(const struct bench_run *run, const struct bench_case *c) {
  int best = -1;
  for (int p = 1; p < run->peers.count; p++)
    if (c->summary[p].median > 0 && (best < 0 || c->summary[p].median < c->summary[best].median)) best = p;
  return best;
}

double bench_mean_ratio(const struct bench_run *run, const struct bench_batch *batch, int peer,
                        const struct bench_case **worst) {
  double sum = 0, least = INFINITY;
  int count = 0;
  *worst = NULL;
  for (int i = 0; i < batch->count; i++) {
    const struct bench_case *c = &batch->cases[i];
    int other = peer >= 0 ? peer : bench_best_peer(run, c);
    double ratio = other >= 0 ? bench_ratio(c, other) : 0;
    if (ratio <= 0) continue;
    sum += log(ratio);
    count++;
    if (ratio < least) least = ratio, *worst = c;
  }
  return count ? exp(sum / count) : 0;
}

/* --- Printing ---------------------------------------------------------------------------------------------------- */

#define LABEL_WIDTH 20
#define NAME_WIDTH 13

static void print_names(const struct bench_run *run, const char *first) {
  printf("%-*s", LABEL_WIDTH, first);
  for (int p = 0; p < run->peers.count; p++) printf("%*s", NAME_WIDTH, run->peers.peer[p].name);
}

/* One library's figure, or why there is none. `*`: too few quiet samples. */
static void print_figure(const struct bench_case *c, int peer, double figure, int decimals) {
  const struct bench_summary *s = &c->summary[peer];
  if (s->median > 0)
    printf("%*.*f%c", NAME_WIDTH - 1, decimals, figure, s->marked ? '*' : ' ');
  else
    printf("%*s ", NAME_WIDTH - 1, c->series[peer].fault ? c->series[peer].fault : "-");
}

/* Half the distance between the quartiles, in % of the median: the widest of the libraries. */
static double spread(const struct bench_run *run, const struct bench_case *c) {
  double widest = 0;
  for (int p = 0; p < run->peers.count; p++) {
    const struct bench_summary *s = &c->summary[p];
    if (s->median > 0) widest = fmax(widest, 50 * (s->q3 - s->q1) / s->median);
  }
  return widest;
}

static int fewest_kept(const struct bench_run *run, const struct bench_case *c) {
  int fewest = -1;
  for (int p = 0; p < run->peers.count; p++)
    if (c->summary[p].median > 0 && (fewest < 0 || c->summary[p].kept < fewest)) fewest = c->summary[p].kept;
  return fewest < 0 ? 0 : fewest;
}

static int most_taken(const struct bench_run *run, const struct bench_case *c) {
  int most = 0;
  for (int p = 0; p < run->peers.count; p++)
    if (c->summary[p].taken > most) most = c->summary[p].taken;
  return most;
}

static void print_ratio(const struct bench_run *run, const struct bench_case *c) {
  int best = bench_best_peer(run, c);
  if (best >= 0 && c->summary[0].median > 0)
    printf("%8.2f  ", bench_ratio(c, best));
  else
    printf("%8s  ", "-");
}

static void print_means(const struct bench_run *run, const struct bench_batch *batch) {
  const struct bench_case *worst;
  for (int p = 1; p < run->peers.count; p++) {
    double mean = bench_mean_ratio(run, batch, p, &worst);
    if (mean > 0)
      printf("  against %-14s geometric mean %.2f, worst %.2f (%s)\n", run->peers.peer[p].name, mean,
             bench_ratio(worst, p), worst->label);
  }
  double mean = bench_mean_ratio(run, batch, -1, &worst);
  if (mean > 0)
    printf("  against the %-10s geometric mean %.2f, worst %.2f (%s)\n", "best", mean,
           bench_ratio(worst, bench_best_peer(run, worst)), worst->label);
}

static void print_head(const struct bench_batch *batch) {
  const struct bench_limits *l = &batch->limits;
  printf("\n%s\n", batch->title);
  printf("  FMA peak %.1f GFLOP/s, reads from memory %.1f GB/s (%d core%s); %d round%s\n",
         l->peak[batch->type_bytes == 8] * 1e-9, l->bandwidth[l->sizes - 1] * 1e-9, batch->cores,
         batch->cores == 1 ? "" : "s", batch->passes, batch->passes == 1 ? "" : "s");
}

static void print_kept(const struct bench_run *run, const struct bench_case *c) {
  printf("%5.1f%%  %3d/%d\n", spread(run, c), fewest_kept(run, c), most_taken(run, c));
}

static void print_gemm(const struct bench_run *run, const struct bench_batch *batch) {
  print_head(batch);
  print_names(run, "  GFLOP/s");
  printf("%10s%9s%8s  %6s  %s\n", "limit", "% limit", "ratio", "spread", "kept");
  for (int i = 0; i < batch->count; i++) {
    const struct bench_case *c = &batch->cases[i];
    printf("  %-*s", LABEL_WIDTH - 2, c->label);
    for (int p = 0; p < run->peers.count; p++) print_figure(c, p, c->flops / c->summary[p].median * 1e-9, 1);
    printf("%10.1f%8.0f%%", c->flops / c->limit * 1e-9, 100 * c->limit / c->summary[0].median);
    print_ratio(run, c);
    print_kept(run, c);
  }
  print_means(run, batch);
}

static void print_skinny(const struct bench_run *run, const struct bench_batch *batch) {
  print_head(batch);
  print_names(run, "  GB/s");
  printf("%10s%9s%8s  %6s  %s\n", "reads", "% reads", "ratio", "spread", "kept");
  for (int i = 0; i < batch->count; i++) {
    const struct bench_case *c = &batch->cases[i];
    double reads = bench_bandwidth_of(&batch->limits, c->bytes), own = c->summary[0].median;
    printf("  %-*s", LABEL_WIDTH - 2, c->label);
    for (int p = 0; p < run->peers.count; p++) print_figure(c, p, c->bytes / c->summary[p].median * 1e-9, 2);
    printf("%10.2f%8.0f%%", reads * 1e-9, 100 * c->bytes / own / reads);
    print_ratio(run, c);
    print_kept(run, c);
  }
  print_means(run, batch);
}

/* The cases lie in pairs: one caller, then several. */
static void print_callers(const struct bench_run *run, const struct bench_batch *batch) {
  print_head(batch);
  print_names(run, "  GFLOP/s");
  printf("  %6s  %s\n", "spread", "kept");
  for (int i = 0; i < batch->count; i++) {
    const struct bench_case *c = &batch->cases[i], *one = i > 0 ? c - 1 : c;
    printf("  %-*s", LABEL_WIDTH - 2, c->label);
    for (int p = 0; p < run->peers.count; p++) print_figure(c, p, c->flops / c->summary[p].median * 1e-9, 1);
    printf("  ");
    print_kept(run, c);
    if (c->request.callers == 1 || one->request.callers != 1) continue;
    printf("  %-*s", LABEL_WIDTH - 2, "  times one caller");
    for (int p = 0; p < run->peers.count; p++)
      print_figure(c, p, c->flops / c->summary[p].median / (one->flops / one->summary[p].median), 2);
    printf("\n");
  }
}

static void print_overhead(const struct bench_run *run, const struct bench_batch *batch) {
  print_head(batch);
  print_names(run, "  ns a call");
  printf("%8s  %6s  %s\n", "ratio", "spread", "kept");
  for (int i = 0; i < batch->count; i++) {
    const struct bench_case *c = &batch->cases[i];
    printf("  %-*s", LABEL_WIDTH - 2, c->label);
    for (int p = 0; p < run->peers.count; p++) print_figure(c, p, c->summary[p].median * 1e9, 1);
    print_ratio(run, c);
    print_kept(run, c);
  }
}

const struct bench_section bench_sections[] = {
    {"gemm", "GEMM", plan_gemm, print_gemm},
    {"skinny", "Skinny GEMM beyond the caches", plan_skinny, print_skinny},
    {"callers", "Callers at once", plan_callers, print_callers},
    {"overhead", "Call overhead", plan_overhead, print_overhead},
};
const int bench_section_count = sizeof bench_sections / sizeof bench_sections[0];
