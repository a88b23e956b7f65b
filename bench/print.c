#include "bench/print.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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

#define LEAST_LABEL 18

static int label_width(const struct bench_batch *batch) {
  int width = LEAST_LABEL;
  for (int i = 0; i < batch->count; i++) {
    int length = (int)strlen(batch->cases[i].label);
    if (length > width) width = length;
  }
  return width;
}

void bench_print_label(const struct bench_batch *batch, const char *label) {
  printf("  %-*s", label_width(batch), label);
}

void bench_print_names(const struct bench_run *run, const struct bench_batch *batch, const char *first) {
  bench_print_label(batch, first);
  for (int p = 0; p < run->peers.count; p++) printf("%*s", BENCH_NAME_WIDTH, run->peers.peer[p].name);
}

void bench_print_figure(const struct bench_case *c, int peer, double figure, int decimals) {
  const struct bench_summary *s = &c->summary[peer];
  if (s->median > 0)
    printf("%*.*f%c", BENCH_NAME_WIDTH - 1, decimals, figure, s->marked ? '*' : ' ');
  else
    printf("%*s ", BENCH_NAME_WIDTH - 1, c->series[peer].fault ? c->series[peer].fault : "-");
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

void bench_print_ratio(const struct bench_run *run, const struct bench_case *c) {
  int best = bench_best_peer(run, c);
  if (best >= 0 && c->summary[0].median > 0)
    printf("%8.2f  ", bench_ratio(c, best));
  else
    printf("%8s  ", "-");
}

void bench_print_means(const struct bench_run *run, const struct bench_batch *batch) {
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

void bench_print_head(const struct bench_batch *batch) {
  const struct bench_limits *l = &batch->limits;
  printf("\n%s\n", batch->title);
  printf("  FMA peak %.1f GFLOP/s, reads from memory %.1f GB/s (%d core%s); %d round%s\n",
         l->peak[bench_type(batch->type_bytes)] * 1e-9, l->bandwidth[l->sizes - 1] * 1e-9, batch->cores,
         batch->cores == 1 ? "" : "s", batch->passes, batch->passes == 1 ? "" : "s");
}

void bench_print_kept(const struct bench_run *run, const struct bench_case *c) {
  printf("%5.1f%%  %3d/%d\n", spread(run, c), fewest_kept(run, c), most_taken(run, c));
}

void bench_print_rates(const struct bench_run *run, const struct bench_batch *batch) {
  bench_print_head(batch);
  bench_print_names(run, batch, "GFLOP/s");
  printf("%10s%9s%8s  %6s  %s\n", "limit", "% limit", "ratio", "spread", "kept");
  for (int i = 0; i < batch->count; i++) {
    const struct bench_case *c = &batch->cases[i];
    bench_print_label(batch, c->label);
    for (int p = 0; p < run->peers.count; p++) bench_print_figure(c, p, c->flops / c->summary[p].median * 1e-9, 1);
    printf("%10.1f%8.0f%%", c->flops / c->limit * 1e-9, 100 * c->limit / c->summary[0].median);
    bench_print_ratio(run, c);
    bench_print_kept(run, c);
  }
  bench_print_means(run, batch);
}

void bench_print_reads(const struct bench_run *run, const struct bench_batch *batch) {
  bench_print_head(batch);
  bench_print_names(run, batch, "GB/s");
  printf("%10s%9s%8s  %6s  %s\n", "reads", "% reads", "ratio", "spread", "kept");
  for (int i = 0; i < batch->count; i++) {
    const struct bench_case *c = &batch->cases[i];
    double reads = bench_bandwidth_of(&batch->limits, c->bytes), own = c->summary[0].median;
    bench_print_label(batch, c->label);
    for (int p = 0; p < run->peers.count; p++) bench_print_figure(c, p, c->bytes / c->summary[p].median * 1e-9, 2);
    printf("%10.2f%8.0f%%", reads * 1e-9, 100 * c->bytes / own / reads);
    bench_print_ratio(run, c);
    bench_print_kept(run, c);
  }
  bench_print_means(run, batch);
}

/* The cases lie in pairs: one caller, then several. */
void bench_print_callers(const struct bench_run *run, const struct bench_batch *batch) {
  bench_print_head(batch);
  bench_print_names(run, batch, "GFLOP/s");
  printf("  %6s  %s\n", "spread", "kept");
  for (int i = 0; i < batch->count; i++) {
    const struct bench_case *c = &batch->cases[i], *one = i > 0 ? c - 1 : c;
    bench_print_label(batch, c->label);
    for (int p = 0; p < run->peers.count; p++) bench_print_figure(c, p, c->flops / c->summary[p].median * 1e-9, 1);
    printf("  ");
    bench_print_kept(run, c);
    if (c->request.callers == 1 || one->request.callers != 1) continue;
    bench_print_label(batch, "  times one caller");
    for (int p = 0; p < run->peers.count; p++)
      bench_print_figure(c, p, c->flops / c->summary[p].median / (one->flops / one->summary[p].median), 2);
    printf("\n");
  }
}

void bench_print_times(const struct bench_run *run, const struct bench_batch *batch) {
  bench_print_head(batch);
  bench_print_names(run, batch, "ns a call");
  printf("%8s  %6s  %s\n", "ratio", "spread", "kept");
  for (int i = 0; i < batch->count; i++) {
    const struct bench_case *c = &batch->cases[i];
    bench_print_label(batch, c->label);
    for (int p = 0; p < run->peers.count; p++) bench_print_figure(c, p, c->summary[p].median * 1e9, 1);
    bench_print_ratio(run, c);
    bench_print_kept(run, c);
  }
}
