/* The sections of attention: what is measured, and the tables that GEMM has not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/attention.h"
#include "bench/op_attention.h"
#include "bench/print.h"
#include "bench/shapes.h"
#include "bench/team.h"

/* --- Planning ---------------------------------------------------------------------------------------------------- */

/* "1x32/8x1024x4096x128 causal f16": batch, heads, queries, keys, size of a head. */
static void label(struct bench_case *c) {
  const struct bench_attention *a = &c->request.attention;
  char heads[24], size[24];
  snprintf(heads, sizeof heads, a->heads_q == a->heads_kv ? "%d" : "%d/%d", (int)a->heads_q, (int)a->heads_kv);
  snprintf(size, sizeof size, a->d_qk == a->d_v ? "%d" : "%d/%d", (int)a->d_qk, (int)a->d_v);
  snprintf(c->label, sizeof c->label, "%dx%sx%dx%dx%s %s%s%s%s", (int)a->batch, heads, (int)a->len_q, (int)a->len_kv,
           size, a->causal && a->len_q > 1 ? "causal " : "", bench_kv_names[a->kv],
           a->layout == BENCH_ROWS ? "" : " ", a->layout == BENCH_ROWS ? "" : bench_layout_names[a->layout]);
}

/* Pairs of a query and a key that it sees. */
static double pairs(const struct bench_attention *a) {
  double q = (double)a->len_q, kv = (double)a->len_kv, hidden = 0;
  if (a->causal && q <= kv) hidden = q * (q - 1) / 2;
  else if (a->causal) hidden = q * kv - kv * (kv + 1) / 2;
  return (q * kv - hidden) * (double)(a->batch * a->heads_q);
}

static double bytes_of(const struct bench_attention *a) {
  int64_t rows = a->batch * a->heads_kv * a->len_kv;
  return (double)bench_kv_bytes(a->kv, rows * (a->d_qk + a->d_v)) +
         4.0 * (double)(a->batch * a->heads_q * a->len_q * (a->d_qk + a->d_v));
}

static int add_case(struct bench_run *run, struct bench_batch *batch, const struct bench_attention *a) {
  struct bench_case c = {.request = {.op = BENCH_OP_ATTENTION, .type_bytes = 4, .attention = *a, .callers = 1}};
  label(&c);
  if (run->options.filter && !strstr(c.label, run->options.filter)) return 0;
  c.flops = 2 * pairs(a) * (double)(a->d_qk + a->d_v);
  c.bytes = bytes_of(a);
  struct bench_case *grown = realloc(batch->cases, (size_t)(batch->count + 1) * sizeof c);
  if (!grown) return -1;
  batch->cases = grown;
  grown[batch->count++] = c;
  return 0;
}

static int read_shapes(const struct bench_run *run, const char *name, struct bench_attentions *shapes) {
  char path[512];
  int status = 0;
  for (int i = 0; i < run->options.nshapes && status == 0; i++)
    status = bench_attentions_read(shapes, run->options.shapes[i]);
  if (run->options.nshapes) return status;
  snprintf(path, sizeof path, "%s/%s.txt", BENCH_SHAPES, name);
  return bench_attentions_read(shapes, path);
}

static int add_batch(struct bench_run *run, const struct bench_section *section, const char *file, int threads,
                     double share) {
  struct bench_attentions shapes = {0};
  if (run->options.threads && run->options.threads != threads) return 0;
  if (run->batches == BENCH_MAX_BATCHES || read_shapes(run, file, &shapes) != 0) return -1;
  struct bench_batch *batch = &run->batch[run->batches];
  *batch = (struct bench_batch){.section = section, .type_bytes = 4, .threads = threads, .cores = threads,
                                .share = share};
  snprintf(batch->title, sizeof batch->title, "%s, %d thread%s", section->title, threads, threads == 1 ? "" : "s");
  for (int i = 0; i < shapes.count; i++)
    if (add_case(run, batch, &shapes.shape[i]) != 0) return -1;
  free(shapes.shape);
  if (batch->count > 0) run->batches++;
  return 0;
}

/* With one thread, and with what was asked for, or two. */
static int with_threads(struct bench_run *run, const struct bench_section *section, const char *file, double one,
                        double more) {
  int many = run->options.threads ? run->options.threads : bench_cpus() < 2 ? 1 : 2;
  if (add_batch(run, section, file, 1, one) != 0) return -1;
  return many > 1 && more > 0 ? add_batch(run, section, file, many, more) : 0;
}

int bench_plan_attention(struct bench_run *run, const struct bench_section *section) {
  return with_threads(run, section, "attention", 30, 20);
}

int bench_plan_prefill(struct bench_run *run, const struct bench_section *section) {
  return with_threads(run, section, run->options.full ? "attention-prefill" : "attention-prefill-few", 20, 10);
}

int bench_plan_decode(struct bench_run *run, const struct bench_section *section) {
  return with_threads(run, section, run->options.full ? "attention-decode" : "attention-decode-few", 12, 6);
}

int bench_plan_steps(struct bench_run *run, const struct bench_section *section) {
  return with_threads(run, section, run->options.full ? "attention-steps" : "attention-steps-few", 12,
                      run->options.full ? 6 : 0);
}

int bench_plan_lengths(struct bench_run *run, const struct bench_section *section) {
  return with_threads(run, section, "attention-lengths", 8, run->options.full ? 4 : 0);
}

/* --- Printing ---------------------------------------------------------------------------------------------------- */

/* Alike in everything but their lengths of keys. */
static bool same(const struct bench_attention *a, const struct bench_attention *b) {
  return a->batch == b->batch && a->heads_q == b->heads_q && a->heads_kv == b->heads_kv && a->len_q == b->len_q &&
         a->d_qk == b->d_qk && a->d_v == b->d_v && a->causal == b->causal && a->kv == b->kv &&
         a->layout == b->layout;
}

/* Keys a second, as so many times those of the case whose cache is f16 and lies in rows; 0: there is none. */
static double times_f16(const struct bench_batch *batch, const struct bench_case *c) {
  struct bench_attention wanted = c->request.attention;
  wanted.kv = BENCH_KV_F16;
  wanted.layout = BENCH_ROWS;
  for (int i = 0; i < batch->count; i++) {
    const struct bench_case *f16 = &batch->cases[i];
    double keys = (double)c->request.attention.len_kv / (double)f16->request.attention.len_kv;
    if (same(&f16->request.attention, &wanted) && c->summary[0].median > 0)
      return keys * f16->summary[0].median / c->summary[0].median;
  }
  return 0;
}

void bench_print_decode(const struct bench_run *run, const struct bench_batch *batch) {
  bench_print_head(batch);
  bench_print_names(run, batch, "GB/s");
  printf("%10s%9s%9s%7s%8s  %6s  %s\n", "reads", "% reads", "% limit", "x f16", "ratio", "spread", "kept");
  for (int i = 0; i < batch->count; i++) {
    const struct bench_case *c = &batch->cases[i];
    double reads = bench_bandwidth_of(&batch->limits, c->bytes), own = c->summary[0].median, f16 = times_f16(batch, c);
    bench_print_label(batch, c->label);
    for (int p = 0; p < run->peers.count; p++) bench_print_figure(c, p, c->bytes / c->summary[p].median * 1e-9, 2);
    printf("%10.2f%8.0f%%%8.0f%%", reads * 1e-9, 100 * c->bytes / own / reads, 100 * c->limit / own);
    if (f16 > 0) printf("%7.2f", f16);
    else printf("%7s", "-");
    bench_print_ratio(run, c);
    bench_print_kept(run, c);
  }
  bench_print_means(run, batch);
}

/* Whether the three cases differ in the number of queries alone, in ascending order. */
static bool is_row(const struct bench_case *c) {
  struct bench_attention before = c[-1].request.attention, after = c[1].request.attention;
  const struct bench_attention *at = &c->request.attention;
  if (!(before.len_q < at->len_q && at->len_q < after.len_q)) return false;
  before.len_q = after.len_q = at->len_q;
  return same(&before, at) && same(&after, at) && before.len_kv == at->len_kv && after.len_kv == at->len_kv;
}

/* A case's time over the straight line between its neighbours'; 0: not known. */
static double step_of(const struct bench_case *c, int peer) {
  double before = c[-1].summary[peer].median, at = c->summary[peer].median, after = c[1].summary[peer].median;
  double x0 = (double)c[-1].request.attention.len_q, x = (double)c->request.attention.len_q;
  double x1 = (double)c[1].request.attention.len_q;
  if (before <= 0 || at <= 0 || after <= 0) return 0;
  return at / (before + (after - before) * (x - x0) / (x1 - x0));
}

static void print_largest_step(const struct bench_run *run, const struct bench_batch *batch, int peer) {
  const struct bench_case *worst = NULL;
  double largest = 0;
  for (int i = 1; i + 1 < batch->count; i++) {
    const struct bench_case *c = &batch->cases[i];
    double step = is_row(c) ? step_of(c, peer) : 0;
    if (step > largest) largest = step, worst = c;
  }
  if (worst)
    printf("  %-13s largest step %.2f x the line between neighbours (%s)\n", run->peers.peer[peer].name, largest,
           worst->label);
}

void bench_print_steps(const struct bench_run *run, const struct bench_batch *batch) {
  bench_print_head(batch);
  bench_print_names(run, batch, "us a call");
  printf("%9s%8s  %6s  %s\n", "% limit", "ratio", "spread", "kept");
  for (int i = 0; i < batch->count; i++) {
    const struct bench_case *c = &batch->cases[i];
    bench_print_label(batch, c->label);
    for (int p = 0; p < run->peers.count; p++) bench_print_figure(c, p, c->summary[p].median * 1e6, 1);
    printf("%8.0f%%", 100 * c->limit / c->summary[0].median);
    bench_print_ratio(run, c);
    bench_print_kept(run, c);
  }
  for (int p = 0; p < run->peers.count; p++) print_largest_step(run, batch, p);
}
