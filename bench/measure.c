#include "bench/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/team.h"

/* A sample is quiet when both gauges around it ran at nearly the best speed of the batch and no other program took
 * CPU time from it. Reads from L2 scatter by themselves (180 to 240 GB/s on one core of a quiet machine); a neighbour
 * on the same core halves them. */
#define QUIET_FMA 0.95
#define QUIET_READ 0.70
#define QUIET_WAITED 0.02
#define FEWEST 3 /* quiet samples that make a median */

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile(const double *sorted, int count, double q) {
  double at = q * (count - 1);
  int i = (int)at;
  return i + 1 < count ? sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]) : sorted[i];
}

/* --- Limits ------------------------------------------------------------------------------------------------------ */

static void raise(double *best, double seen) {
  if (seen > *best) *best = seen;
}

/* Reads from a buffer of each power of two, from L1 to far beyond the last cache. */
static void measure_bandwidth(struct bench_limits *limits, int threads, bool copies) {
  size_t largest = 4 * bench_last_cache();
  if (largest < (size_t)128 << 20) largest = (size_t)128 << 20;
  if (largest > (size_t)1 << 30) largest = (size_t)1 << 30;
  limits->sizes = 0;
  for (int i = BENCH_BANDWIDTHS - 1; i >= 0; i--) {
    size_t bytes = (size_t)16384 << i;
    if (bytes >= 2 * largest) continue;
    if (limits->sizes == 0) limits->sizes = i + 1;
    limits->bytes[i] = bytes;
    raise(&limits->bandwidth[i], bench_bandwidth(bytes, threads));
    if (copies) raise(&limits->copies[i], bench_copies(bytes, threads));
  }
}

const char *const bench_types[BENCH_TYPES] = {"f32", "f64", "u8"};
static const int type_bytes[BENCH_TYPES] = {4, 8, 1};

int bench_type(int bytes) { return bytes == 8 ? BENCH_F64 : bytes == 1 ? BENCH_U8 : BENCH_F32; }

/* Beside the samples: the machine may change its speed during a run. */
static void measure_limits(struct bench_limits *limits, int threads, int pass, bool copies) {
  if (pass % 4 == 0) measure_bandwidth(limits, threads, copies);
  if (limits->peaks == BENCH_PEAKS) return;
  for (int type = 0; type < BENCH_TYPES; type++)
    limits->seen[type][limits->peaks] = bench_peak(type_bytes[type], threads);
  limits->peaks++;
}

static void conclude_peaks(struct bench_limits *limits) {
  for (int type = 0; type < BENCH_TYPES; type++) {
    qsort(limits->seen[type], (size_t)limits->peaks, sizeof(double), by_value);
    limits->peak[type] = quantile(limits->seen[type], limits->peaks, 0.75);
  }
}

/* Between the sizes measured along straight lines of logarithms. */
static double speed_of(const struct bench_limits *limits, const double *speed, double bytes) {
  int i = 0;
  while (i + 1 < limits->sizes && (double)limits->bytes[i + 1] <= bytes) i++;
  if (i + 1 >= limits->sizes || bytes <= (double)limits->bytes[i]) return speed[i];
  double part = log2(bytes / (double)limits->bytes[i]);
  return speed[i] * pow(speed[i + 1] / speed[i], part);
}

double bench_bandwidth_of(const struct bench_limits *limits, double bytes) {
  return speed_of(limits, limits->bandwidth, bytes);
}

double bench_copies_of(const struct bench_limits *limits, double bytes) {
  return speed_of(limits, limits->copies, bytes);
}

double bench_flops_bound(const struct bench_batch *batch, const struct bench_case *c) {
  double busy = (double)(c->request.callers * batch->threads) / batch->cores; /* the share of the cores that compute */
  double peak = batch->limits.peak[bench_type(batch->type_bytes)];
  return peak > 0 ? c->flops / (peak * busy) : 0;
}

double bench_bytes_bound(const struct bench_batch *batch, const struct bench_case *c) {
  double reads = bench_bandwidth_of(&batch->limits, c->bytes), copies = bench_copies_of(&batch->limits, c->bytes);
  if (c->written <= 0 || copies <= 0) return c->bytes / reads;
  double more = c->bytes - 2 * c->written; /* is read than written */
  return more > 0 ? 2 * c->written / copies + more / reads : c->bytes / copies;
}

/* No library is faster than the FMA units, nor than one pass over its operands at the speed of a buffer that large. */
static double limit_of(const struct bench_batch *batch, const struct bench_case *c) {
  return fmax(bench_flops_bound(batch, c), bench_bytes_bound(batch, c));
}

/* --- Quiet samples ----------------------------------------------------------------------------------------------- */

/* How quiet a sample was: at least 1 = quiet. */
static double quietness(const struct bench_batch *batch, const struct bench_sample *s) {
  double fma = fmin(s->before.fma, s->after.fma) / batch->best.fma / QUIET_FMA;
  double read = fmin(s->before.read, s->after.read) / batch->best.read / QUIET_READ;
  double free = (1 - s->waited) / (1 - QUIET_WAITED);
  return fmin(free, fmin(fma, read));
}

static int count_quiet(const struct bench_batch *batch, const struct bench_series *series) {
  int quiet = 0;
  for (int i = 0; i < series->count; i++) quiet += quietness(batch, &series->sample[i]) >= 1;
  return quiet;
}

/* What the gauges show on a free machine: nearly the most of what they showed, since single runs overshoot. */
static void find_best(struct bench_batch *batch, const struct bench_peers *peers) {
  int count = 0, most = 0;
  for (int i = 0; i < batch->count; i++)
    for (int p = 0; p < peers->count; p++) most += batch->cases[i].series[p].count;
  double *fma = malloc(2 * ((size_t)most + 1) * sizeof *fma), *read = fma + most;
  for (int i = 0; fma && i < batch->count; i++)
    for (int p = 0; p < peers->count; p++)
      for (int j = 0; j < batch->cases[i].series[p].count; j++, count++) {
        fma[count] = batch->cases[i].series[p].sample[j].after.fma;
        read[count] = batch->cases[i].series[p].sample[j].after.read;
      }
  if (count > 0) {
    qsort(fma, (size_t)count, sizeof *fma, by_value);
    qsort(read, (size_t)count, sizeof *read, by_value);
    batch->best = (struct bench_quiet){quantile(fma, count, 0.95), quantile(read, count, 0.95)};
  }
  free(fma);
}

/* Seconds of the quiet samples, in order. */
static int take_quiet(const struct bench_batch *batch, const struct bench_series *series, double *kept) {
  int count = 0;
  for (int i = 0; i < series->count; i++)
    if (quietness(batch, &series->sample[i]) >= 1) kept[count++] = series->sample[i].seconds;
  qsort(kept, (size_t)count, sizeof *kept, by_value);
  return count;
}

/* Without enough quiet ones the fastest samples are the least disturbed. */
static int take_fastest(const struct bench_series *series, double *kept) {
  for (int i = 0; i < series->count; i++) kept[i] = series->sample[i].seconds;
  qsort(kept, (size_t)series->count, sizeof *kept, by_value);
  return series->count < FEWEST ? series->count : FEWEST;
}

static void summarise(const struct bench_batch *batch, const struct bench_series *series, struct bench_summary *out) {
  memset(out, 0, sizeof *out);
  out->taken = series->count;
  double *kept = malloc(((size_t)series->count + 1) * sizeof *kept);
  if (!kept || series->count == 0 || series->fault) return free(kept);
  int used = out->kept = take_quiet(batch, series, kept);
  out->marked = out->kept < FEWEST;
  if (out->marked) used = take_fastest(series, kept);
  out->least = kept[0];
  out->q1 = quantile(kept, used, 0.25);
  out->median = quantile(kept, used, 0.5);
  out->q3 = quantile(kept, used, 0.75);
  out->most = kept[used - 1];
  free(kept);
}

/* --- Passes ------------------------------------------------------------------------------------------------------ */

static const char *const faults[] = {[BENCH_OK] = NULL, [BENCH_MISSING] = "missing", [BENCH_WRONG] = "wrong",
                                     [BENCH_NO_MEMORY] = "memory", [BENCH_UNFIT] = "-",
                                     [BENCH_PLAIN_LOOP] = "plain loop"};

/* Adds a sample. One that was much too short (its calls were counted in a busy moment) lengthens the next ones. */
static void keep(struct bench_series *series, const struct bench_reply *reply, double wanted) {
  struct bench_sample *grown = realloc(series->sample, (size_t)(series->count + 1) * sizeof *grown);
  if (!grown) return;
  series->sample = grown;
  grown[series->count++] = (struct bench_sample){reply->seconds / (double)reply->calls, reply->waited / reply->seconds,
                                                 reply->before, reply->after};
  series->calls = reply->calls;
  if (reply->seconds < wanted / 2) series->calls = (int64_t)((double)reply->calls * wanted / reply->seconds);
}

#define LONG_CALL 0.02 /* seconds: a call that long warms its own caches */

#define REST_US 10000

static void sample(const struct bench_batch *batch, struct bench_case *c, struct bench_peer *peer,
                   struct bench_series *series, double seconds) {
  struct bench_reply reply;
  struct bench_request request = c->request;
  if (!peer->pid || series->fault) return;
  request.threads = batch->threads;
  request.cores = batch->cores;
  request.calls = series->calls;
  request.seconds = seconds;
  request.check = series->count == 0;
  request.cold = series->count > 0 && series->sample[0].seconds > LONG_CALL;
  /* Threads of the library before may still spin for its next region. */
  usleep(REST_US);
  if (!bench_peer_ask(peer, &request, &reply)) {
    series->fault = "died";
    return;
  }
  series->fault = faults[reply.answer];
  if (request.check) series->sum = reply.sum, series->scale = reply.scale;
  if (reply.answer == BENCH_OK) keep(series, &reply, seconds);
}

/* Whether every library has its quiet samples of a case. */
static bool is_enough(const struct bench_batch *batch, const struct bench_case *c, const struct bench_peers *peers,
                      int enough) {
  for (int p = 0; p < peers->count; p++)
    if (peers->peer[p].pid && !c->series[p].fault && count_quiet(batch, &c->series[p]) < enough) return false;
  return true;
}

static void progress(const struct bench_batch *batch, int at, double elapsed, const struct bench_rules *rules) {
  static int tty = -1;
  if (tty < 0) tty = isatty(STDERR_FILENO);
  if (!tty) return;
  if (at < 0)
    fprintf(stderr, "\r\033[K");
  else if (rules->rounds)
    fprintf(stderr, "\r\033[K%s: round %d of %d, shape %d of %d", batch->title, batch->passes + 1, rules->rounds,
            at + 1, batch->count);
  else
    fprintf(stderr, "\r\033[K%s: round %d, shape %d of %d, %.0f of at most %.0f s", batch->title, batch->passes + 1,
            at + 1, batch->count, elapsed, rules->seconds);
}

/* The CPU that computes fastest now; all libraries are measured on it in the coming round. */
static int quietest_cpu(void) {
  int best = bench_cpu(0), count = bench_cpus();
  double most = 0;
  for (int i = 0; i < count && i < 16; i++) {
    double seen = bench_gauge_on(bench_cpu(i)).fma;
    if (seen > most) most = seen, best = bench_cpu(i);
  }
  return best;
}

/* Whether the speed of copies is a limit of any case. */
static bool writes(const struct bench_batch *batch) {
  for (int i = 0; i < batch->count; i++)
    if (batch->cases[i].written > 0) return true;
  return false;
}

/* One round over all cases that still need samples, the libraries taking turns to be first. False: nothing was left
 * to do, or the time is up. */
static bool pass(struct bench_batch *batch, struct bench_peers *peers, const struct bench_rules *rules, double start) {
  bool any = false;
  measure_limits(&batch->limits, batch->cores, batch->passes, writes(batch));
  find_best(batch, peers);
  if (batch->cores == 1) bench_peers_pin(peers, quietest_cpu());
  for (int i = 0; i < batch->count; i++) {
    struct bench_case *c = &batch->cases[i];
    double elapsed = bench_now() - start;
    if (!rules->rounds && batch->passes > 0 && elapsed > rules->seconds) return false;
    if (!rules->rounds && is_enough(batch, c, peers, rules->enough)) continue;
    progress(batch, i, elapsed, rules);
    for (int p = 0; p < peers->count; p++) {
      int turn = (p + batch->passes) % peers->count;
      sample(batch, c, &peers->peer[turn], &c->series[turn], rules->sample);
    }
    any = true;
  }
  batch->passes++;
  return any && (!rules->rounds || batch->passes < rules->rounds);
}

static bool agree(const struct bench_series *a, const struct bench_series *b, int type_bytes) {
  return fabs(a->sum - b->sum) <= (type_bytes == 4 ? 1e-4 : 1e-10) * (a->scale + b->scale);
}

/* A library whose result is not that of half of the others is wrong, or was called wrongly. */
static void compare(const struct bench_batch *batch, struct bench_case *c, const struct bench_peers *peers) {
  bool differs[BENCH_MAX_PEERS] = {false};
  for (int p = 0; p < peers->count; p++) {
    int others = 0, agreeing = 0;
    for (int q = 0; q < peers->count; q++) {
      if (q == p || c->series[q].count == 0) continue;
      others++;
      agreeing += agree(&c->series[p], &c->series[q], batch->type_bytes);
    }
    differs[p] = c->series[p].count > 0 && 2 * agreeing < others;
  }
  for (int p = 0; p < peers->count; p++)
    if (differs[p]) c->series[p].fault = "differs";
}

static void conclude(struct bench_batch *batch, const struct bench_peers *peers) {
  find_best(batch, peers);
  conclude_peaks(&batch->limits);
  for (int i = 0; i < batch->count; i++) {
    struct bench_case *c = &batch->cases[i];
    c->limit = limit_of(batch, c);
    if (c->request.op == BENCH_OP_BLAS) compare(batch, c, peers);
    for (int p = 0; p < peers->count; p++) summarise(batch, &c->series[p], &c->summary[p]);
  }
}

void bench_measure(struct bench_batch *batch, struct bench_peers *peers, const struct bench_rules *rules) {
  double start = bench_now();
  progress(batch, 0, 0, rules);
  bench_peers_start(peers, batch->threads, batch->cases[0].request.op == BENCH_OP_NET);
  while (pass(batch, peers, rules, start)) continue;
  bench_peers_stop(peers);
  conclude(batch, peers);
  progress(batch, -1, 0, rules);
}
