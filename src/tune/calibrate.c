/* Measuring a machine for the cost models: its kernels on operands in L1, streams from each level, teams.
 *
 * Everything is timed by what the loops themselves do: tiles of the context's kernels, the pool's own teams. A figure
 * is the best of several short samples, since whatever disturbs one makes it longer. Operands are zeros, so that
 * nothing is rounded and no floating-point flag is raised. */
#include <fenv.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>

#include "src/core/threads.h"
#include "src/core/topology.h"
#include "src/core/trace.h"
#include "src/tune/costs.h"
#include "src/tune/tune.h"

enum { SAMPLES = 8, DEPTH = 2048, PASSES = 4 };
#define SAMPLE 150e-6       /* seconds of one sample */
#define MOST_SECONDS 0.2    /* after which no sample is taken a second time */
#define STREAM_SECONDS 8e-3 /* of one pass through memory at most: emulators are slow */
#define CHUNK (1 << 20)
#define MOST_MEMORY ((size_t)512 << 20)
#define LEAST_MEMORY ((size_t)4 << 20)
/* How far from a family's figure a measured one is believed to lie. */
#define FAR 5

static double smaller(double a, double b) { return a < b ? a : b; }
static size_t larger_size(size_t a, size_t b) { return a > b ? a : b; }

/* What is measured with: `bytes` of zeros that are there, a machine's levels, the tile that streams best. */
struct gauge {
  tsr_context *context;
  char *memory;
  size_t bytes, l2, l3; /* l3: the last level, as much of it as there is */
  int threads;
  const struct tsr_kernel *reader; /* NULL: the chip has none */
  int64_t reader_row;              /* bytes that it reads in a step of k */
  double end;                      /* when one sample of each must do: the machine is busy, or emulated */
};

/* Seconds of work(arg), which is called once to warm up. */
static double seconds_of(const struct gauge *g, void (*work)(void *arg), void *arg) {
  double best = 0;
  work(arg);
  for (int sample = 0; sample < SAMPLES && (sample == 0 || tsr_trace_now() < g->end); sample++) {
    double start = tsr_trace_now(), seconds;
    int runs = 0;
    do {
      work(arg);
      runs++;
    } while ((seconds = tsr_trace_now() - start) < SAMPLE);
    if (best == 0 || seconds / runs < best) best = seconds / runs;
  }
  return best;
}

/* --- kernels ------------------------------------------------------------------------------------------------------ */

struct call {
  const struct tsr_kernel *kernel;
  struct tsr_step step;
  tsr_mem a, b, c;
};

static void run_call(void *arg) {
  const struct call *call = arg;
  call->kernel->run(&call->step, call->a, call->b, call->c);
}

/* Seconds of one step of k of a tile whose every step reads the same row and column. */
static double step_of_tile(const struct gauge *g, tsr_type type, int units, int columns) {
  const struct tsr_tiles *tiles = &g->context->kernels[type].gemm;
  int64_t size = tsr_size_of(type), rows = (int64_t)units * tiles->mu;
  struct call call = {.kernel = tiles->tile[units][columns], .a = (tsr_mem)g->memory};
  call.step = (struct tsr_step){.m = rows, .n = columns, .k = DEPTH, .rsa = size, .csb = size, .csc = rows * size,
                                .alpha = 1, .flags = TSR_NEAR};
  call.b = call.a + (64 << 10);
  call.c = call.b + (64 << 10);
  return seconds_of(g, run_call, &call) / DEPTH;
}

static int lowest_with(const struct tsr_tiles *tiles, int columns) {
  int units = 1;
  while (units <= TSR_MAX_UNITS && !tiles->tile[units][columns]) units++;
  return units <= TSR_MAX_UNITS ? units : 0;
}

static int highest_with(const struct tsr_tiles *tiles, int columns) {
  int units = TSR_MAX_UNITS;
  while (units > 0 && !tiles->tile[units][columns]) units--;
  return units;
}

/* Seconds of an operation of the preferred tile: the better of two measurements, since that of the trace's peak is made
 * once a process. */
static double measure_flop(const struct gauge *g, tsr_type type) {
  const struct tsr_tiles *tiles = &g->context->kernels[type].gemm;
  double peak = tsr_peak_flops(&g->context->kernels[type], type);
  double flops = 2.0 * tiles->units * tiles->mu * tiles->columns;
  if (!(peak > 0)) return 0;
  return smaller(1 / peak, step_of_tile(g, type, tiles->units, tiles->columns) / flops);
}

/* A tile of one accumulator waits for its own last fma in each step. */
static double measure_chain(const struct gauge *g) {
  const struct tsr_tiles *tiles = &g->context->kernels[TSR_F32].gemm;
  int units = lowest_with(tiles, 1);
  return units ? step_of_tile(g, TSR_F32, units, 1) : 0;
}

/* Tiles that load more than they multiply: many rows by one column, and one vector of rows by many columns. What a load
 * takes is the least that either leaves for it. */
static double measure_load(const struct gauge *g) {
  const struct tsr_kernels *kernels = &g->context->kernels[TSR_F32];
  const struct tsr_tiles *tiles = &kernels->gemm;
  double vectors = tiles->mu * 4.0 / (double)kernels->chip->vector_bytes();
  int high = highest_with(tiles, 1), wide = TSR_MAX_COLUMNS, flat = (int)ceil(1 / vectors);
  double load = high ? step_of_tile(g, TSR_F32, high, 1) / (vectors * high + 1) : 0;
  if (flat > TSR_MAX_UNITS) return load;
  while (wide > 0 && !tiles->tile[flat][wide]) wide--;
  return wide ? smaller(load, step_of_tile(g, TSR_F32, flat, wide) / (vectors * flat + wide)) : load;
}

/* --- streams ------------------------------------------------------------------------------------------------------ */

/* A panel of the highest tile of one column: next to nothing but loads, in order of address. */
static void find_reader(struct gauge *g) {
  const struct tsr_tiles *tiles = &g->context->kernels[TSR_F32].gemm;
  int units = highest_with(tiles, 1);
  if (!units) return;
  g->reader = tiles->tile[units][1];
  g->reader_row = (int64_t)units * tiles->mu * 4;
}

/* A result on the caller's stack: teams stream too. Some SVE tiles have 2048 rows. */
static void read_with_kernel(const struct gauge *g, const char *from, size_t bytes) {
  static const float b[1];
  float c[TSR_MAX_UNITS * 64];
  int64_t row = g->reader_row;
  struct tsr_step step = {.m = row / 4, .n = 1, .k = (int64_t)bytes / row, .rsa = 4, .csa = row, .csc = row,
                          .alpha = 1};
  if (row <= (int64_t)sizeof c && step.k > 0) g->reader->run(&step, (tsr_mem)from, (tsr_mem)b, (tsr_mem)c);
}

/* The same in plain C, for chips whose kernels compute more slowly than memory reads. Vectors of 16 bytes suit all. */
static void read_plainly(const struct gauge *g, const char *from, size_t bytes) {
  typedef uint64_t vector __attribute__((vector_size(16), may_alias));
  vector a = {0}, b = {0}, c = {0}, d = {0};
  volatile uint64_t keep;
  (void)g;
  for (const vector *at = (const vector *)from, *end = at + bytes / 64 * 4; at < end; at += 4)
    a |= at[0], b |= at[1], c |= at[2], d |= at[3];
  a |= b | c | d;
  keep = a[0] | a[1];
  (void)keep;
}

typedef void read_stream(const struct gauge *g, const char *from, size_t bytes);

struct pass {
  const struct gauge *g;
  read_stream *read;
  size_t bytes; /* of each thread */
  _Atomic int64_t done;
};

static void run_pass(void *arg) {
  const struct pass *pass = arg;
  pass->read(pass->g, pass->g->memory, pass->bytes);
}

/* Seconds for a byte of a stream that is read round and round, from the level that holds it. */
static double measure_level(const struct gauge *g, size_t bytes) {
  struct pass pass = {.g = g, .read = read_plainly, .bytes = bytes < g->bytes ? bytes : g->bytes};
  double plain = seconds_of(g, run_pass, &pass);
  pass.read = read_with_kernel;
  return (g->reader ? smaller(plain, seconds_of(g, run_pass, &pass)) : plain) / (double)pass.bytes;
}

/* Each thread reads a part of its own, chunk by chunk until time is up. */
static void stream_part(void *arg, int index) {
  struct pass *pass = arg;
  const char *from = pass->g->memory + (size_t)index * pass->bytes;
  double end = tsr_trace_now() + STREAM_SECONDS;
  size_t done = 0;
  for (; done + CHUNK <= pass->bytes && tsr_trace_now() < end; done += CHUNK) pass->read(pass->g, from + done, CHUNK);
  pass->done += (int64_t)done;
}

static double stream_once(const struct gauge *g, read_stream *read, int threads) {
  struct pass pass = {.g = g, .read = read, .bytes = g->bytes / (size_t)threads / CHUNK * CHUNK};
  struct tsr_team team;
  double start = tsr_trace_now();
  if (threads == 1) {
    stream_part(&pass, 0);
  } else {
    tsr_team_reserve(g->context, threads, &team);
    tsr_team_run(&team, stream_part, &pass);
    if (team.n < threads) return 0; /* others use them */
  }
  double seconds = tsr_trace_now() - start;
  return pass.done ? seconds / (double)pass.done : 0;
}

/* Seconds for a byte of all threads together, from memory. */
static double measure_memory(const struct gauge *g, int threads) {
  double best = 0;
  for (int pass = 0; pass < PASSES && (pass == 0 || tsr_trace_now() < g->end); pass++) {
    double plain = stream_once(g, read_plainly, threads);
    double wide = g->reader ? stream_once(g, read_with_kernel, threads) : 0;
    if (plain > 0 && (best == 0 || plain < best)) best = plain;
    if (wide > 0 && (best == 0 || wide < best)) best = wide;
  }
  return best;
}

/* --- teams -------------------------------------------------------------------------------------------------------- */

static void nothing(void *arg, int index) { (void)arg, (void)index; }

static void start_team(void *arg) {
  const struct gauge *g = arg;
  struct tsr_team team;
  tsr_team_reserve(g->context, g->threads, &team);
  tsr_team_run(&team, nothing, NULL);
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

static void touch_part(void *arg, int index) {
  const struct gauge *g = arg;
  size_t part = g->bytes / (size_t)g->threads;
  memset(g->memory + (size_t)index * part, 0, index + 1 == g->threads ? g->bytes - (size_t)index * part : part);
}

/* Memory that is not in anybody's caches: twice what the levels of all threads hold. Each thread touches its part, so
 * that it lies near. */
static bool get_memory(struct gauge *g) {
  const struct tsr_topology *machine = tsr_topology_get();
  const struct tsr_level *last = &machine->level[machine->nlevels - 1];
  int sharing = last->cores_sharing > 0 ? last->cores_sharing : 1;
  g->l2 = machine->level[machine->nlevels > 1].bytes;
  g->l3 = last->bytes;
  size_t all = (size_t)g->threads * (g->l2 + g->l3 / (size_t)sharing);
  g->bytes = larger_size(2 * larger_size(all, g->l2 + g->l3), LEAST_MEMORY);
  if (g->bytes > MOST_MEMORY) g->bytes = MOST_MEMORY;
  g->memory = mmap(NULL, g->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (g->memory == MAP_FAILED) return false;
  struct tsr_team team;
  tsr_team_reserve(g->context, g->threads, &team);
  g->threads = team.n;
  tsr_team_run(&team, touch_part, g);
  return true;
}

/* Takes what was measured: nothing if it is no time, and no nearer to the family's figure than it is, but never farther
 * than FAR times. */
static void take_near(double *cost, double measured, double family) {
  if (!(measured > 0 && measured < 1)) return;
  *cost = measured < family / FAR ? family / FAR : measured > family * FAR ? family * FAR : measured;
}

/* The same, at any distance, for what belongs to the kernels: a family's figures are those of its best kernels, and say
 * nothing of others. */
static void take(double *cost, double measured) {
  if (measured > 1e-15 && measured < 1e-3) *cost = measured;
}

static void measure_kernels(const struct gauge *g, struct tsr_costs *costs) {
  take(&costs->flop_f32, measure_flop(g, TSR_F32));
  take(&costs->flop_f64, measure_flop(g, TSR_F64));
  take(&costs->chain, measure_chain(g));
  take(&costs->load, measure_load(g));
}

/* A stream of half of L2 comes from there; one of four times L2, but no more than half of the last level, from that. */
static void measure_streams(const struct gauge *g, struct tsr_costs *costs, const struct tsr_costs *family) {
  size_t far = g->l3 / 2 < 4 * g->l2 ? g->l3 / 2 : 4 * g->l2;
  take_near(&costs->read_memory, measure_memory(g, 1), family->read_memory);
  if (g->threads > 1) take_near(&costs->share_memory, measure_memory(g, g->threads), family->share_memory);
  take_near(&costs->read_l2, measure_level(g, g->l2 / 2), family->read_l2);
  if (far > g->l2) take_near(&costs->read_l3, measure_level(g, far), family->read_l3);
  /* A level is no faster than one nearer by: noise. */
  if (costs->read_l3 < costs->read_l2) costs->read_l3 = costs->read_l2;
  if (costs->read_memory < costs->read_l3) costs->read_memory = costs->read_l3;
}

void tsr_calibrate(tsr_context *context, struct tsr_costs *costs) {
  struct gauge g = {.context = context, .threads = tsr_threads_available(context)};
  struct tsr_costs family;
  char machine[TSR_KEY_TEXT];
  fenv_t flags;
  if (context->device) return;
  fegetenv(&flags);
  g.end = tsr_trace_now() + MOST_SECONDS;
  tsr_machine_key(context, machine);
  bool known = *tsr_costs_of_family(machine, &family) != 'd'; /* not the defaults */
  find_reader(&g);
  if (get_memory(&g)) {
    measure_kernels(&g, costs);
    measure_streams(&g, costs, &family);
    if (g.threads > 1) take_near(&costs->start, seconds_of(&g, start_team, &g), family.start);
    munmap(g.memory, g.bytes);
    if (!known) tsr_costs_scale_times(costs, costs->chain / family.chain);
  }
  fesetenv(&flags);
}
