/* The sections of convolution: what is measured, and their tables. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/conv.h"
#include "bench/conv_shapes.h"
#include "bench/nets.h"
#include "bench/print.h"
#include "bench/team.h"

/* --- Planning ---------------------------------------------------------------------------------------------------- */

static int type_bytes(enum bench_conv_type type) { return type == BENCH_CONV_U8 ? 1 : 4; /* of what it is summed in */ }

static int add_case(struct bench_run *run, struct bench_batch *batch, const struct bench_conv *conv) {
  struct bench_case c = {.request = {.op = BENCH_OP_CONV, .type_bytes = batch->type_bytes, .conv = *conv,
                                     .callers = 1}};
  double each = conv->type == BENCH_CONV_F32 ? 4 : conv->type == BENCH_CONV_U8 ? 1 : 2;
  bench_conv_label(conv, c.label, sizeof c.label);
  if (run->options.filter && !strstr(c.label, run->options.filter)) return 0;
  c.flops = bench_conv_flops(conv);
  c.written = each * bench_conv_y(conv);
  c.bytes = each * (bench_conv_x(conv) + bench_conv_w(conv)) + c.written;
  struct bench_case *grown = realloc(batch->cases, (size_t)(batch->count + 1) * sizeof c);
  if (!grown) return -1;
  batch->cases = grown;
  grown[batch->count++] = c;
  return 0;
}

/* What a batch is made of. */
struct wish {
  const struct bench_convs *shapes;
  int threads;
  int64_t images; /* in a batch, where a shape names none */
  enum bench_conv_type type;
  double share;
};

static int add_batch(struct bench_run *run, const struct bench_section *section, const struct wish *wish) {
  const struct bench_options *o = &run->options;
  struct bench_batch *batch = &run->batch[run->batches];
  if (o->threads && o->threads != wish->threads) return 0;
  if (run->batches == BENCH_MAX_BATCHES) return -1;
  *batch = (struct bench_batch){.section = section, .type_bytes = type_bytes(wish->type), .threads = wish->threads,
                                .cores = wish->threads, .share = wish->share};
  snprintf(batch->title, sizeof batch->title, "%s, N = %d, %d thread%s", section->title, (int)wish->images,
           wish->threads, wish->threads == 1 ? "" : "s");
  for (int i = 0; i < wish->shapes->count; i++) {
    struct bench_conv conv = wish->shapes->shape[i];
    if (conv.batch && conv.batch != wish->images && wish->images > 1) continue; /* measured with the first batch */
    if (!conv.batch) conv.batch = wish->images;
    if (wish->type) conv.type = wish->type;
    if (add_case(run, batch, &conv) != 0) return -1;
  }
  if (batch->count > 0) run->batches++;
  return 0;
}

/* One image with one thread; with --full or where that is asked for all of 1 and 8 images, one thread and several;
 * otherwise one image with several threads and eight with one. */
static int add_batches(struct bench_run *run, const struct bench_section *section, const struct bench_convs *shapes,
                       enum bench_conv_type type, double share) {
  const struct bench_options *o = &run->options;
  int many = o->threads ? o->threads : bench_cpus() < 2 ? 1 : 2;
  for (int i = 0; i < 4; i++) {
    int threads = i & 1 ? many : 1;
    int64_t images = o->images ? o->images : i < 2 ? 1 : 8;
    if ((i & 1 && many == 1) || (i >= 2 && o->images)) continue;
    if (i == 3 && !o->full && !o->threads) continue;
    struct wish wish = {shapes, threads, images, type, share * (i < 2 ? 1 : 2)};
    if (add_batch(run, section, &wish) != 0) return -1;
  }
  return 0;
}

static int read_shapes(const struct bench_run *run, const char *section, struct bench_convs *shapes) {
  char path[512];
  int status = 0;
  for (int i = 0; i < run->options.nshapes && status == 0; i++)
    status = bench_convs_read(shapes, run->options.shapes[i], NULL);
  if (run->options.nshapes) return status;
  snprintf(path, sizeof path, "%s/conv.txt", BENCH_SHAPES);
  return bench_convs_read(shapes, path, section);
}

static int plan(struct bench_run *run, const struct bench_section *section, const char *lines,
                enum bench_conv_type type, double share) {
  struct bench_convs shapes = {0};
  int status = read_shapes(run, lines, &shapes);
  if (status == 0) status = add_batches(run, section, &shapes, type, share);
  free(shapes.shape);
  return status;
}

int bench_plan_conv(struct bench_run *run, const struct bench_section *section) {
  return plan(run, section, section->name, BENCH_CONV_F32, 20);
}

int bench_plan_int8(struct bench_run *run, const struct bench_section *section) {
  return plan(run, section, "resnet", BENCH_CONV_U8, 12);
}

int bench_plan_corpus(struct bench_run *run, const struct bench_section *section) {
  struct bench_convs shapes = {0};
  int status = bench_convs_draw(&shapes, run->options.full ? 480 : 96, run->options.seed ? run->options.seed : 1);
  int threads = run->options.threads ? run->options.threads : 1;
  struct wish wish = {&shapes, threads, 1, BENCH_CONV_F32, 30};
  if (status == 0) status = add_batch(run, section, &wish);
  free(shapes.shape);
  return status;
}

static int add_net(struct bench_run *run, struct bench_batch *batch, enum bench_net_name name, int64_t images) {
  struct bench_case c = {.request = {.op = BENCH_OP_NET, .type_bytes = 4, .net = (int)name, .images = images,
                                     .callers = 1}};
  struct bench_net net;
  snprintf(c.label, sizeof c.label, "%s N%d", bench_net_names[name], (int)images);
  if (run->options.filter && !strstr(c.label, run->options.filter)) return 0;
  if (!bench_net_make(&net, name, images, 224, BENCH_NHWC, false)) return -1;
  c.flops = bench_net_flops(&net);
  for (int i = 0; i < net.count; i++) c.bytes += 4 * (net.layer[i].w ? bench_conv_w(&net.layer[i].conv) : 0);
  bench_net_free(&net, NULL);
  struct bench_case *grown = realloc(batch->cases, (size_t)(batch->count + 1) * sizeof c);
  if (!grown) return -1;
  batch->cases = grown;
  grown[batch->count++] = c;
  return 0;
}

int bench_plan_nets(struct bench_run *run, const struct bench_section *section) {
  const struct bench_options *o = &run->options;
  int several = o->threads ? o->threads : bench_cpus() < 2 ? 1 : 2;
  for (int threads = 1; threads <= several; threads += several > 1 ? several - 1 : 1) {
    struct bench_batch *batch = &run->batch[run->batches];
    if (o->threads && o->threads != threads) continue;
    if (run->batches == BENCH_MAX_BATCHES) return -1;
    *batch = (struct bench_batch){.section = section, .type_bytes = 4, .threads = threads, .cores = threads,
                                  .share = 40};
    snprintf(batch->title, sizeof batch->title, "%s, %d thread%s", section->title, threads, threads == 1 ? "" : "s");
    for (int name = 0; name < BENCH_NETS; name++)
      for (int64_t images = 1; images <= 8; images += 7)
        if ((!o->images || images == 1) &&
            add_net(run, batch, (enum bench_net_name)name, o->images ? o->images : images) != 0)
          return -1;
    if (batch->count > 0) run->batches++;
  }
  return 0;
}

/* --- Comparing --------------------------------------------------------------------------------------------------- */

/* Tessera's column and oneDNN's that it is set against. */
struct pair {
  int own, other;
  char head[16];
};
enum { PAIRS = 5 };

static int column(const struct bench_run *run, const char *name) {
  for (int p = 0; p < run->peers.count; p++)
    if (strcmp(run->peers.peer[p].name, name) == 0) return p;
  return -1;
}

static int find_pairs(const struct bench_run *run, bool nets, struct pair *pairs) {
  static const char *const names[PAIRS][3] = {
      {"tessera", "onednn", "x any"}, {"tessera", "onednn-nhwc", "x nhwc"}, {"tessera-nchw", "onednn-nchw", "x nchw"},
      {"tessera", "torch-nhwc", "x torch"}, {"tessera-nchw", "torch-nchw", "x torch"}};
  int count = 0;
  for (int i = 0; i < (nets ? PAIRS : 3); i++) {
    struct pair pair = {column(run, names[i][0]), column(run, names[i][1]), ""};
    if (i == 0 && pair.own < 0) pair.own = column(run, "tessera-nchw");
    snprintf(pair.head, sizeof pair.head, "%s", names[i][2]);
    if (pair.own >= 0 && pair.other >= 0) pairs[count++] = pair;
  }
  return count;
}

static double ratio(const struct bench_case *c, int own, int other) {
  double a = c->summary[own].median, b = c->summary[other].median;
  return a > 0 && b > 0 ? b / a : 0;
}

static double share_of_limit(const struct bench_case *c, int peer) {
  return c->summary[peer].median > 0 ? c->limit / c->summary[peer].median : 0;
}

static double share_of_peak(const struct bench_batch *batch, const struct bench_case *c, int peer) {
  return c->summary[peer].median > 0 ? bench_flops_bound(batch, c) / c->summary[peer].median : 0;
}

static bool is_own(const struct bench_run *run, int peer) {
  return strncmp(run->peers.peer[peer].name, "tessera", 7) == 0;
}

/* --- Printing ---------------------------------------------------------------------------------------------------- */

static void print_share(double share) {
  if (share > 0) printf("%7.0f%%", 100 * share);
  else printf("%8s", "-");
}

static void print_ratios(const struct bench_case *c, const struct pair *pairs, int count) {
  for (int i = 0; i < count; i++) {
    double r = ratio(c, pairs[i].own, pairs[i].other);
    if (r > 0) printf("%8.2f", r);
    else printf("%8s", "-");
  }
}

static void print_columns(const struct bench_run *run, const struct bench_batch *batch, const struct pair *pairs,
                          int count) {
  bench_print_label(batch, "GFLOP/s");
  for (int p = 0; p < run->peers.count; p++)
    if (!run->peers.peer[p].nets_only) printf("%*s", BENCH_NAME_WIDTH, run->peers.peer[p].name);
  printf("%10s%8s%8s", "limit", "% FMA", "% limit");
  for (int i = 0; i < count; i++) printf("%8s", pairs[i].head);
  printf("  %6s  %s\n", "spread", "kept");
}

/* The limit carries an m where memory, or the caches, set it. */
static void print_case(const struct bench_run *run, const struct bench_batch *batch, const struct bench_case *c,
                       const struct pair *pairs, int count) {
  bench_print_label(batch, c->label);
  for (int p = 0; p < run->peers.count; p++)
    if (!run->peers.peer[p].nets_only) bench_print_figure(c, p, c->flops / c->summary[p].median * 1e-9, 1);
  printf("%9.1f%c", c->flops / c->limit * 1e-9, bench_bytes_bound(batch, c) > bench_flops_bound(batch, c) ? 'm' : ' ');
  print_share(share_of_peak(batch, c, 0));
  print_share(share_of_limit(c, 0));
  print_ratios(c, pairs, count);
  bench_print_kept(run, c);
}

static void print_means(const struct bench_run *run, const struct bench_batch *batch, const struct pair *pair) {
  double sum = 0, least = INFINITY;
  const struct bench_case *worst = NULL;
  int count = 0;
  for (int i = 0; i < batch->count; i++) {
    double r = ratio(&batch->cases[i], pair->own, pair->other);
    if (r <= 0) continue;
    sum += log(r), count++;
    if (r < least) least = r, worst = &batch->cases[i];
  }
  if (count)
    printf("  %-13s against %-12s geometric mean %.2f, worst %.2f (%s)\n", run->peers.peer[pair->own].name,
           run->peers.peer[pair->other].name, exp(sum / count), least, worst->label);
}

static void print_shares(const struct bench_run *run, const struct bench_batch *batch) {
  for (int p = 0; p < run->peers.count; p++) {
    double peak = 0, limit = 0;
    int count = 0;
    for (int i = 0; i < batch->count; i++) {
      const struct bench_case *c = &batch->cases[i];
      if (share_of_peak(batch, c, p) <= 0) continue;
      peak += log(share_of_peak(batch, c, p)), limit += log(share_of_limit(c, p)), count++;
    }
    if (count)
      printf("  %-13s geometric mean %.0f %% of the FMA peak, %.0f %% of the limit\n", run->peers.peer[p].name,
             100 * exp(peak / count), 100 * exp(limit / count));
  }
}

/* NCHW against NHWC where it matters most that turning is cheap. */
static void print_turning(const struct bench_run *run, const struct bench_batch *batch) {
  int last = column(run, "tessera"), first = column(run, "tessera-nchw");
  double sum = 0, least = INFINITY;
  int count = 0;
  for (int i = 0; i < batch->count && last >= 0 && first >= 0; i++) {
    const struct bench_conv *conv = &batch->cases[i].request.conv;
    double r = ratio(&batch->cases[i], first, last);
    if (r <= 0 || conv->kernel[0] != 3 || conv->groups > 1) continue;
    sum += log(r), count++, least = fmin(least, r);
  }
  if (count) printf("  NCHW against NHWC, 3x3: geometric mean %.2f, worst %.2f\n", exp(sum / count), least);
}

#define FAR 0.4 /* of the limit: a case below it is named */

static bool is_far(const struct bench_case *c, int peer) {
  return c->summary[peer].median > 0 && share_of_limit(c, peer) < FAR;
}

/* By name, with what share of the limit each of Tessera's columns reaches. */
static void print_far(const struct bench_run *run, const struct bench_batch *batch) {
  int count = 0;
  for (int i = 0; i < batch->count; i++) {
    const struct bench_case *c = &batch->cases[i];
    bool far = false;
    for (int p = 0; p < run->peers.count; p++) far |= is_own(run, p) && is_far(c, p);
    if (!far) continue;
    if (count++ == 0) printf("  below %.0f %% of the limit:\n", 100 * FAR);
    printf("    %-36s", c->label);
    for (int p = 0; p < run->peers.count; p++)
      if (is_own(run, p) && c->summary[p].median > 0)
        printf("  %s %.0f %%%s", run->peers.peer[p].name, 100 * share_of_limit(c, p), c->summary[p].marked ? "*" : "");
    printf("\n");
  }
  if (count == 0) printf("  no case is below %.0f %% of the limit\n", 100 * FAR);
}

static void print_sums(const struct bench_run *run, const struct bench_batch *batch, const struct pair *pairs,
                       int count) {
  for (int i = 0; i < count; i++) print_means(run, batch, &pairs[i]);
  print_shares(run, batch);
  print_turning(run, batch);
  print_far(run, batch);
}

static void print_head(const struct bench_batch *batch) {
  const struct bench_limits *l = &batch->limits;
  double l2 = (double)bench_cache(2) / 2 * batch->cores, l3 = (double)bench_cache(3) / 4;
  bench_print_head(batch);
  printf("  copies in L2 %.0f, in L3 %.0f, in memory %.0f GB/s, read and written\n", bench_copies_of(l, l2) * 1e-9,
         bench_copies_of(l, l3) * 1e-9, l->copies[l->sizes - 1] * 1e-9);
}

void bench_print_conv(const struct bench_run *run, const struct bench_batch *batch) {
  struct pair pairs[PAIRS];
  int count = find_pairs(run, false, pairs);
  print_head(batch);
  print_columns(run, batch, pairs, count);
  for (int i = 0; i < batch->count; i++) print_case(run, batch, &batch->cases[i], pairs, count);
  print_sums(run, batch, pairs, count);
}

static bool is_noteworthy(const struct bench_run *run, const struct bench_case *c, const struct pair *pairs,
                          int count) {
  for (int p = 0; p < run->peers.count; p++)
    if (is_own(run, p) && is_far(c, p)) return true;
  for (int i = 0; i < count; i++)
    if (ratio(c, pairs[i].own, pairs[i].other) > 0 && ratio(c, pairs[i].own, pairs[i].other) < 1) return true;
  return false;
}

void bench_print_corpus(const struct bench_run *run, const struct bench_batch *batch) {
  struct pair pairs[PAIRS];
  int count = find_pairs(run, false, pairs), tenths[11] = {0};
  print_head(batch);
  print_columns(run, batch, pairs, count);
  for (int i = 0; i < batch->count; i++) {
    const struct bench_case *c = &batch->cases[i];
    double share = share_of_limit(c, 0);
    if (share > 0) tenths[share >= 1 ? 10 : (int)(share * 10)]++;
    if (is_noteworthy(run, c, pairs, count)) print_case(run, batch, c, pairs, count);
  }
  printf("  of %d cases (those below the limit's %.0f %% or slower than oneDNN are shown), by tenths of the limit:",
         batch->count, 100 * FAR);
  for (int i = 0; i < 11; i++) printf(" %d", tenths[i]);
  printf("\n");
  print_sums(run, batch, pairs, count);
}

void bench_print_nets(const struct bench_run *run, const struct bench_batch *batch) {
  struct pair pairs[PAIRS];
  int count = find_pairs(run, true, pairs);
  bench_print_head(batch);
  bench_print_names(run, batch, "images/s");
  printf("%8s", "% FMA");
  for (int i = 0; i < count; i++) printf("%8s", pairs[i].head);
  printf("  %6s  %s\n", "spread", "kept");
  for (int i = 0; i < batch->count; i++) {
    const struct bench_case *c = &batch->cases[i];
    bench_print_label(batch, c->label);
    for (int p = 0; p < run->peers.count; p++)
      bench_print_figure(c, p, (double)c->request.images / c->summary[p].median, 2);
    print_share(share_of_peak(batch, c, 0));
    print_ratios(c, pairs, count);
    bench_print_kept(run, c);
  }
}
