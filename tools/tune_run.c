/* tessera tune: the sessions. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attention.h"
#include "conv.h"
#include "src/gemm/space.h"
#include "src/gemm/tiles.h"
#include "tune.h"

static volatile sig_atomic_t interrupted;
static void interrupt(int signal) { interrupted = signal; }
int tune_interrupted(void) { return interrupted; }

void tune_catch_signals(void) {
  struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

double tune_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- shapes that are passed over ---------------------------------------------------------------------------------- */

/* Bytes this process may still take: the machine's, or the cgroup's. */
static double memory_left(void) {
  char line[128];
  double left = 1e18;
  long long kib, limit, used;
  FILE *file = fopen("/proc/meminfo", "re");
  while (file && fgets(line, sizeof line, file))
    if (sscanf(line, "MemAvailable: %lld", &kib) == 1) left = 1024.0 * (double)kib;
  if (file) fclose(file);
  FILE *most = fopen("/sys/fs/cgroup/memory.max", "re"), *now = fopen("/sys/fs/cgroup/memory.current", "re");
  if (most && now && fscanf(most, "%lld", &limit) == 1 && fscanf(now, "%lld", &used) == 1)
    left = fmin(left, (double)(limit - used));
  if (most) fclose(most);
  if (now) fclose(now);
  return left;
}

static double operand_bytes(const struct tune *t, const struct tsr_values *shape) {
  if (is_attention(t->op)) return attention_bytes(shape);
  if (is_conv(t->op)) return conv_bytes(shape);
  double m = (double)shape_field(t->op, shape, "m"), n = (double)shape_field(t->op, shape, "n");
  double k = (double)shape_field(t->op, shape, "k");
  return (m * k + k * n + m * n) * (double)tsr_size_of((tsr_type)shape_field(t->op, shape, "type"));
}

/* Whether calls of the shape are computed before a plan is looked for; found out by one. */
static bool takes_no_plan(const struct tune *t, const struct tsr_values *shape) {
  struct tsr_gemm_problem p;
  if (is_attention(t->op)) return attention_is_small(shape);
  if (is_conv(t->op)) return conv_is_small(shape);
  if (t->context->device || operand_bytes(t, shape) > 4e6) return false;
  tsr_gemm_problem_of(shape, &p);
  size_t size = 2 * (size_t)operand_bytes(t, shape) + 3 * 4096 * (size_t)(p.m + p.n + p.k);
  char *memory = calloc(3, size);
  if (!memory) return false;
  p.a = (tsr_mem)memory, p.b = p.a + (tsr_mem)size, p.c = p.b + (tsr_mem)size;
  bool small = tsr_gemm_small(&t->context->kernels[p.type], &p);
  free(memory);
  return small;
}

static bool may_tune(const struct tune *t, struct tuned *one) {
  double bytes = operand_bytes(t, &one->shape), left = t->context->device ? 1e18 : 0.8 * memory_left();
  if (bytes > left)
    snprintf(one->why_not, sizeof one->why_not, "its operands take %.1f GiB, and %.1f GiB are free", bytes / (1 << 30),
             left / (1 << 30));
  else if (is_conv(t->op) && conv_is_integer(&one->shape))
    snprintf(one->why_not, sizeof one->why_not, "convolutions of integers have no plans to choose from");
  else if (takes_no_plan(t, &one->shape))
    snprintf(one->why_not, sizeof one->why_not, "so small a %s",
             is_attention(t->op) || is_conv(t->op) ? "call takes the rule's plan" : "product is computed without a plan");
  return !one->why_not[0];
}

/* --- sessions ----------------------------------------------------------------------------------------------------- */

static bool go_on(void *user, int runs, double spent, double best) {
  (void)spent;
  tune_progress_show(user, runs, best);
  return !interrupted;
}

static bool run_session(const struct tune *t, struct tuned *one, struct tune_progress *progress, double most_seconds,
                        bool exhaustive, struct tsr_session *session) {
  struct tsr_session_options options = {.most_measured = t->measurements, .most_seconds = most_seconds,
                                        .exhaustive = exhaustive, .progress = go_on, .user = progress};
  progress->doing = exhaustive ? "all plans" : "";
  if (tsr_session_run(t->context, t->op, &one->shape, &options, session) == TSR_OK) return true;
  snprintf(one->why_not, sizeof one->why_not, "%.*s", TSR_WHY_TEXT - 1, tsr_last_error());
  return false;
}

/* A search that was cut short before its verdict: a row of it would keep others from trying again. */
static bool was_cut_short(const struct tuned *one, double most_seconds) {
  const struct tsr_session *s = &one->session;
  return !s->improved && !isfinite(s->ratio_high) && (interrupted || (most_seconds > 0 && s->spent >= most_seconds));
}

static void store(struct tune *t, struct tuned *one) {
  if (t->dry_run || t->exhaustive || one->why_not[0]) return;
  if (tsr_session_store(t->context, t->op, &one->session, 1) == TSR_OK) return;
  if (!t->unwritable) {
    tune_progress_clear();
    fprintf(stderr, "tessera tune: nothing is recorded: %s\n", tsr_last_error());
  }
  t->unwritable = true;
}

/* --- the budget --------------------------------------------------------------------------------------------------- */

/* Seconds that a session may need: its runs, each with one that warms up. How long a device's simulation takes is not
 * known. */
enum { RUNS = 84 };
#define MARGIN 1.5
static double need_of(const struct tune *t, double predicted) {
  return t->context->device ? HUGE_VAL : MARGIN * RUNS * (2 * predicted + 100e-6);
}

/* The most that each shape from `first` on may have so that all get as much as they need or the same: what small ones
 * leave goes to large ones. */
static double fair_share(const struct tune *t, int first, double left) {
  double share = 0, content = 0;
  for (int round = first; round < t->n; round++) {
    double used = 0;
    int want = 0;
    for (int i = first; i < t->n; i++) {
      if (t->done[i].need <= content) used += t->done[i].need;
      else want++;
    }
    if (want == 0) return left;
    share = (left - used) / want;
    if (share <= content) break;
    content = share;
  }
  return share;
}

/* --- all shapes --------------------------------------------------------------------------------------------------- */

static double flops_of(const struct tune *t, const struct tsr_values *shape) {
  if (is_attention(t->op)) return attention_flops(shape);
  if (is_conv(t->op)) return conv_flops(shape);
  tsr_type type = t->context->device ? TSR_F32 : tsr_gemm_type_at(shape);
  return tsr_flops_of(type) * (double)shape_field(t->op, shape, "m") * (double)shape_field(t->op, shape, "n") *
         (double)shape_field(t->op, shape, "k");
}

static void begin(const struct tune *t, const struct shape *shape, struct tuned *one) {
  struct tsr_choice about;
  struct tsr_values plan;
  one->shape = shape->values;
  one->weight = shape->weight;
  one->flops = flops_of(t, &one->shape);
  if (!may_tune(t, one)) return;
  tsr_choose_without_user(t->op, t->context, &one->shape, &plan, &about);
  one->source = about.source;
  one->need = need_of(t, about.predicted);
}

static void tune_one(struct tune *t, struct tuned *one, struct tune_progress *progress, double most_seconds) {
  tune_progress_show(progress, 0, 0);
  if (!run_session(t, one, progress, most_seconds, false, &one->session)) return;
  if (was_cut_short(one, most_seconds))
    snprintf(one->why_not, sizeof one->why_not, "%s",
             interrupted ? "interrupted" : "no verdict within its share of the budget");
  store(t, one);
  if (!t->exhaustive || interrupted || !run_session(t, one, progress, 0, true, &one->all)) return;
  if (t->context->device) tune_search_few(t, one);
}

static void tune_in_time(struct tune *t, int i, double start) {
  struct tuned *one = &t->done[i];
  struct tune_progress progress = {.tune = t, .now = one, .index = i, .start = start};
  double left = t->budget - (tune_now() - start);
  const char *over = interrupted ? "interrupted" : t->budget > 0 && left <= 0 ? "the budget was used up" : NULL;
  if (!one->why_not[0] && over)
    snprintf(one->why_not, sizeof one->why_not, "%s", over);
  else if (!one->why_not[0])
    tune_one(t, one, &progress, t->budget > 0 ? fair_share(t, i, left) : 0);
  tune_progress_clear();
  tune_progress_done(&progress);
}

bool tune_run(struct tune *t) {
  t->done = calloc((size_t)t->shapes.n + 1, sizeof *t->done);
  if (!t->done) return false;
  for (; t->n < t->shapes.n; t->n++) begin(t, &t->shapes.shape[t->n], &t->done[t->n]);
  double start = tune_now();
  for (int i = 0; i < t->n; i++) tune_in_time(t, i, start);
  if (t->exhaustive) tune_compare(t);
  return true;
}
