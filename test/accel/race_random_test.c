/* Random legal schedules on few bytes, as the detector sees them and as a graph of all events whose transitive closure
 * is the happens-before relation. The detector must say "race" exactly when two accesses of a byte are unordered,
 * report only such pairs, and name a pair for each such byte (it may leave out pairs once a byte has one). */
#include "kernels/accel_sim/sim/race.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CORES = 3, PIPES = 5, FLAGS = 2, QUEUE = 6, NODES = 256, SCHEDULES = 20000 };
enum { S = ACCEL_S, NONE = -1, WORDS = NODES / 64, SPAN = 512, BASE = 4096 - SPAN / 2 };
enum kind { ACCESS, SET, WAIT };

static uint64_t rng_state;

static int pick(int below) {
  rng_state ^= rng_state << 13, rng_state ^= rng_state >> 7, rng_state ^= rng_state << 17;
  return (int)((rng_state >> 11) % (uint64_t)below);
}

/* The graph: before[n] are all nodes that happen before n. Nodes come in the order of execution. */
struct node {
  int core, command;
  uint64_t before[WORDS];
};
static struct node node[NODES];
static int nodes;

struct touch {
  int node, core, pipe;
  enum accel_buffer buffer;
  bool write;
  uint64_t bytes[SPAN / 64];
};
static struct touch touch[NODES];
static int touches;

/* The machine. */
struct item {
  enum kind kind;
  int pipe, flag, dispatched, command; /* pipe: at the other end of the flag */
};
struct core {
  struct item queue[PIPES][QUEUE];
  int queued[PIPES];
  int last[PIPES]; /* node */
  int raised[PIPES][PIPES][FLAGS]; /* node + 1 */
  int started, ended, from, flag;  /* from: the scalar unit waits for this pipe's flag */
};
static struct core cores[CORES];
static struct { uint64_t token; int node; } ends[NODES];
static int nends, accesses_left, sync_weight;

static struct accel_word code[NODES];
static struct accel_line lines[NODES];
static char *files[] = {"t.s"};
static const struct accel_program program = {"t", code, lines, NULL, files, NODES, 0, 1};
static struct accel_race *race;

static bool happens_before(int earlier, int later) { return node[later].before[earlier / 64] >> earlier % 64 & 1; }

static void add_edge(int earlier, int later) {
  if (earlier == NONE) return;
  for (int w = 0; w < WORDS; w++) node[later].before[w] |= node[earlier].before[w];
  node[later].before[earlier / 64] |= (uint64_t)1 << earlier % 64;
}

static int add_node(int core, int command) {
  node[nodes] = (struct node){.core = core, .command = command};
  return nodes++;
}

static int add_on_pipe(int core, int pipe, int command) {
  int n = add_node(core, command);
  add_edge(cores[core].last[pipe], n);
  return cores[core].last[pipe] = n;
}

static int on_scalar(int core) { return add_on_pipe(core, S, cores[core].started); }

/* Half of the ranges are plain, half have rows that may interleave with others'. */
static struct accel_range random_range(void) {
  struct accel_range range = {pick(2) ? ACCEL_GM : ACCEL_L1, 0, 1, 1 + pick(pick(2) ? 8 : 130), 0};
  int64_t first = pick(SPAN - (int)range.bytes), last;
  range.address = (uint64_t)(BASE + first);
  if (pick(2)) return range;
  range.pitch = pick(140) - 40;
  range.rows = pick(5);
  last = first + (range.rows - 1) * range.pitch;
  if (last < 0 || last + range.bytes > SPAN) range.rows = 1;
  return range;
}

static void touch_range(int n, int core, int pipe, const struct accel_range *range, bool write) {
  struct touch *t = &touch[touches++];
  *t = (struct touch){n, core, pipe, range->buffer, write, {0}};
  for (int64_t row = 0; row < range->rows; row++)
    for (int64_t i = 0; i < range->bytes; i++) {
      int64_t at = (int64_t)range->address - BASE + row * range->pitch + i;
      t->bytes[at / 64] |= (uint64_t)1 << at % 64;
    }
}

static void run_access(int core, int pipe, int n) {
  struct accel_site site = {&program, n, core, (enum accel_pipe)pipe};
  accel_race_begin(race, &site);
  for (int i = pick(3); i >= 0 && touches < NODES; i--) {
    struct accel_range range = random_range();
    bool write = pick(2);
    touch_range(n, core, pipe, &range, write);
    (write ? accel_race_write : accel_race_read)(race, &site, &range);
  }
}

static void raise_flag(int core, int from, int to, int flag, int n) {
  cores[core].raised[from][to][flag] = n + 1;
  accel_race_set(race, core, (enum accel_pipe)from, (enum accel_pipe)to, flag);
}

static void take_flag(int core, int from, int to, int flag, int n) {
  add_edge(cores[core].raised[from][to][flag] - 1, n);
  cores[core].raised[from][to][flag] = 0;
  accel_race_wait(race, core, (enum accel_pipe)from, (enum accel_pipe)to, flag);
}

static void run_head(int c, int pipe) {
  struct core *core = &cores[c];
  if (!core->queued[pipe]) return;
  struct item item = core->queue[pipe][0];
  if (item.kind == SET && core->raised[pipe][item.pipe][item.flag]) return;
  if (item.kind == WAIT && !core->raised[item.pipe][pipe][item.flag]) return;
  memmove(core->queue[pipe], core->queue[pipe] + 1, (size_t)--core->queued[pipe] * sizeof item);
  int n = add_on_pipe(c, pipe, item.command);
  add_edge(item.dispatched, n);
  if (item.kind == ACCESS) run_access(c, pipe, n);
  if (item.kind == SET) raise_flag(c, pipe, item.pipe, item.flag, n);
  if (item.kind == WAIT) take_flag(c, item.pipe, pipe, item.flag, n);
}

static void dispatch(int c, int pipe, enum kind kind, int other, int flag) {
  struct core *core = &cores[c];
  core->queue[pipe][core->queued[pipe]++] = (struct item){kind, other, flag, on_scalar(c), core->started};
  accel_race_dispatch(race, c, (enum accel_pipe)pipe);
}

/* set_flag and wait_flag in succession, so that no schedule deadlocks; either end may be the scalar unit. */
static void synchronise(int c) {
  struct core *core = &cores[c];
  int from = pick(PIPES), to = pick(PIPES), flag = pick(FLAGS);
  if (from == to || (from != S && core->queued[from] == QUEUE) || (to != S && core->queued[to] == QUEUE)) return;
  if (from == S && core->raised[S][to][flag]) return;
  if (from == S) raise_flag(c, S, to, flag, on_scalar(c));
  else dispatch(c, from, SET, to, flag);
  if (to == S) core->from = from, core->flag = flag;
  else dispatch(c, to, WAIT, from, flag);
}

static void pass_barrier(int c) {
  int pipe = pick(PIPES);
  bool all = pick(3) == 0;
  for (int p = 0; p < PIPES; p++)
    if ((all || p == pipe) && cores[c].queued[p]) return;
  int n = on_scalar(c);
  for (int p = 0; p < PIPES; p++)
    if (all || p == pipe) add_edge(cores[c].last[p], n);
  cores[c].last[S] = n;
  accel_race_barrier(race, c, all ? ACCEL_ALL : (enum accel_pipe)pipe);
}

static void start_command(int c) {
  uint64_t tokens[3];
  int ntokens = nends ? pick(4) : 0;
  cores[c].started++;
  int n = on_scalar(c);
  for (int i = 0; i < ntokens; i++) {
    int end = pick(2) ? nends - 1 : pick(nends);
    add_edge(ends[end].node, n);
    tokens[i] = ends[end].token;
  }
  accel_race_start_command(race, c, tokens, ntokens);
}

/* All of the core's oldest command is done; if it was the last, the scalar unit starts another before it goes on. */
static bool can_end(const struct core *core) {
  int command = core->ended + 1;
  if (core->started < command || (core->started == command && core->from != NONE)) return false;
  for (int p = 0; p < PIPES; p++)
    if (core->queued[p] && core->queue[p][0].command <= command) return false;
  return true;
}

static void end_command(int c) {
  if (!can_end(&cores[c])) return;
  int n = add_node(c, ++cores[c].ended);
  for (int i = 0; i < n; i++)
    if (node[i].core == c && node[i].command <= cores[c].ended) add_edge(i, n);
  ends[nends].node = n;
  ends[nends++].token = accel_race_end_command(race, c);
}

static void act(int c) {
  struct core *core = &cores[c];
  if (core->from != NONE) {
    if (!core->raised[core->from][S][core->flag]) return;
    take_flag(c, core->from, S, core->flag, on_scalar(c));
    core->from = NONE;
  } else if (core->started == core->ended || pick(30) == 0) {
    start_command(c);
  } else if (pick(10) < sync_weight) {
    if (pick(6)) synchronise(c);
    else pass_barrier(c);
  } else if (accesses_left) {
    int pipe = 1 + pick(PIPES - 1);
    if (core->queued[pipe] == QUEUE) return;
    dispatch(c, pipe, ACCESS, NONE, 0);
    accesses_left--;
  }
}

static void intersect(const struct touch *a, const struct touch *b, uint64_t both[SPAN / 64]) {
  for (int w = 0; w < SPAN / 64; w++) both[w] = a->bytes[w] & b->bytes[w];
}

/* `both`: the bytes that both touch and nothing orders. */
static bool is_race(const struct touch *a, const struct touch *b, uint64_t both[SPAN / 64]) {
  memset(both, 0, SPAN / 8);
  if (a->buffer != b->buffer || (a->buffer != ACCEL_GM && a->core != b->core) || !(a->write || b->write)) return false;
  if (a->node == b->node || happens_before(a->node, b->node) || happens_before(b->node, a->node)) return false;
  intersect(a, b, both);
  for (int w = 0; w < SPAN / 64; w++)
    if (both[w]) return true;
  return false;
}

static struct { int node[2]; uint64_t end[2]; bool real[2]; } reported[ACCEL_RACES];

static void parse_reports(void) {
  for (int i = 0; i < accel_race_count(race); i++) {
    const char *text = accel_race_report(race, i), *bytes = strstr(text, "0x"), *one = strstr(text, "by t.s:");
    const char *two = strstr(one + 1, "by t.s:");
    reported[i].end[0] = strtoull(bytes, NULL, 0) - BASE;
    reported[i].end[1] = strtoull(strstr(bytes, "..") + 2, NULL, 0) - BASE;
    reported[i].node[0] = atoi(one + 7) - 1;
    reported[i].node[1] = atoi(two + 7) - 1;
    reported[i].real[0] = reported[i].real[1] = false;
  }
}

static bool has_byte(const uint64_t *bytes, uint64_t at) { return at < SPAN && bytes[at / 64] >> at % 64 & 1; }

/* Notes what is true in the reports on this pair of accesses, and the bytes that have a report. */
static void confirm(const struct touch *a, const struct touch *b, const uint64_t *both, uint64_t *named) {
  for (int i = 0; i < accel_race_count(race); i++) {
    if (reported[i].node[0] != a->node || reported[i].node[1] != b->node) continue;
    for (int end = 0; end < 2; end++) reported[i].real[end] |= has_byte(both, reported[i].end[end]);
    for (int w = 0; w < SPAN / 64; w++) named[w] |= both[w];
  }
}

/* 0: no races, 1: races and both agree, -1: they do not. */
static int judge(void) {
  static uint64_t racy[CORES + 1][SPAN / 64], named[CORES + 1][SPAN / 64];
  uint64_t both[SPAN / 64];
  bool any = false;
  memset(racy, 0, sizeof racy);
  memset(named, 0, sizeof named);
  parse_reports();
  for (int j = 0; j < touches; j++)
    for (int i = 0; i < touches; i++) {
      int place = touch[j].buffer == ACCEL_GM ? CORES : touch[j].core;
      if (touch[i].node > touch[j].node || !is_race(&touch[i], &touch[j], both)) continue;
      any = true;
      for (int w = 0; w < SPAN / 64; w++) racy[place][w] |= both[w];
      confirm(&touch[i], &touch[j], both, named[place]);
    }
  int count = accel_race_count(race);
  for (int i = 0; i < count; i++)
    if (!reported[i].real[0] || !reported[i].real[1]) return -1;
  if (any != (count > 0) || (count < ACCEL_RACES && memcmp(racy, named, sizeof racy) != 0)) return -1;
  return any;
}

static int races_seen, clean_seen;

static bool agrees(void) {
  int verdict = judge();
  races_seen += verdict == 1;
  clean_seen += verdict == 0 && touches > 3;
  touches = 0;
  accel_race_start_run(race);
  return verdict >= 0;
}

/* All is done and the host looks; then another run. */
static bool next_run(void) {
  for (int c = 0; c < CORES; c++) {
    if (cores[c].started != cores[c].ended) return true;
    for (int p = 0; p < PIPES; p++)
      if (cores[c].queued[p]) return true;
  }
  int n = add_node(NONE, 0);
  for (int i = 0; i < n; i++) add_edge(i, n);
  for (int c = 0; c < CORES; c++) {
    cores[c].started = cores[c].ended = 0;
    for (int p = 0; p < PIPES; p++) cores[c].last[p] = n;
  }
  return agrees();
}

static void reset(uint64_t seed) {
  rng_state = seed * 0x9e3779b97f4a7c15u + 1;
  for (int i = 0; i < 8; i++) pick(2);
  memset(cores, 0, sizeof cores);
  for (int c = 0; c < CORES; c++) {
    cores[c].from = NONE;
    for (int p = 0; p < PIPES; p++) cores[c].last[p] = NONE;
  }
  nodes = touches = nends = 0;
  sync_weight = pick(10);
  accesses_left = 2 + pick(16);
}

static bool run_schedule(uint64_t seed) {
  bool good = true;
  reset(seed);
  int ncores = 1 + pick(CORES);
  for (int step = 0; step < 2000 && good && nodes < NODES - 4; step++) {
    int c = pick(ncores), what = pick(12);
    if (what < 4) act(c);
    else if (what < 10) run_head(c, 1 + pick(PIPES - 1));
    else if (what < 11) end_command(c);
    else good = next_run();
  }
  return agrees() && good;
}

static void schedules_agree_with_the_closure(void **state) {
  (void)state;
  const char *text = getenv("TESSERA_TEST_SEED");
  uint64_t seed = text ? strtoull(text, NULL, 0) : 1;
  printf("seed %llu (set TESSERA_TEST_SEED to change it)\n", (unsigned long long)seed);
  for (uint64_t i = 0; i < SCHEDULES; i++)
    if (!run_schedule(seed + i)) fail_msg("the schedule of seed %llu", (unsigned long long)(seed + i));
  printf("%d runs with races, %d without\n", races_seen, clean_seen);
  assert_true(races_seen > SCHEDULES / 10);
  assert_true(clean_seen > SCHEDULES / 10);
}

int main(void) {
  for (int i = 0; i < NODES; i++) lines[i].line = i + 1;
  race = accel_race_create(CORES);
  const struct CMUnitTest tests[] = {cmocka_unit_test(schedules_agree_with_the_closure)};
  int failed = cmocka_run_group_tests_name("random schedules", tests, NULL, NULL);
  accel_race_destroy(race);
  return failed;
}
