#include "bench/gauge.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "bench/team.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#include <sys/prctl.h>
#endif

typedef void fma_loop(int64_t iterations);
typedef void read_loop(int64_t bytes, const void *p);

/* One instruction set: its loops and the f32 flops of one iteration (f64: half as many, bytes: four times). */
struct loops {
  const char *isa;
  fma_loop *f32, *f64;
  read_loop *read;
  double flops;
  fma_loop *u8; /* NULL: there is none */
};

#if defined(__x86_64__)
fma_loop bench_dot_u8_avx512, bench_fma_f32_avx512, bench_fma_f64_avx512, bench_fma_f32_avx2, bench_fma_f64_avx2,
    bench_fma_f32_sse2, bench_fma_f64_sse2;
read_loop bench_read_avx512, bench_read_avx2, bench_read_sse2;

static struct loops find_loops(void) {
  if (__builtin_cpu_supports("avx512f"))
    return (struct loops){"avx512", bench_fma_f32_avx512, bench_fma_f64_avx512, bench_read_avx512, 24 * 32,
                          __builtin_cpu_supports("avx512vnni") ? bench_dot_u8_avx512 : NULL};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return (struct loops){"avx2", bench_fma_f32_avx2, bench_fma_f64_avx2, bench_read_avx2, 12 * 16, NULL};
  return (struct loops){"sse2", bench_fma_f32_sse2, bench_fma_f64_sse2, bench_read_sse2, 14 * 4, NULL};
}

#elif defined(__aarch64__)
fma_loop bench_fma_f32_sve, bench_fma_f64_sve, bench_fma_f32_neon, bench_fma_f64_neon;
read_loop bench_read_neon;

static struct loops find_loops(void) {
  if (getauxval(AT_HWCAP) & HWCAP_SVE) {
    int bytes = prctl(PR_SVE_GET_VL) & PR_SVE_VL_LEN_MASK;
    return (struct loops){"sve", bench_fma_f32_sve, bench_fma_f64_sve, bench_read_neon, 24 * 2 * bytes / 4.0, NULL};
  }
  return (struct loops){"neon", bench_fma_f32_neon, bench_fma_f64_neon, bench_read_neon, 24 * 8, NULL};
}

#else
static void fma_f32_c(int64_t iterations) {
  volatile float keep;
  float s[16];
  for (int i = 0; i < 16; i++) s[i] = 1;
  for (; iterations > 0; iterations--)
    for (int i = 0; i < 16; i++) s[i] = s[i] * 0.5f + 1;
  for (int i = 0; i < 16; i++) keep = s[i];
  (void)keep;
}

static void fma_f64_c(int64_t iterations) {
  volatile double keep;
  double s[8];
  for (int i = 0; i < 8; i++) s[i] = 1;
  for (; iterations > 0; iterations--)
    for (int i = 0; i < 8; i++) s[i] = s[i] * 0.5 + 1;
  for (int i = 0; i < 8; i++) keep = s[i];
  (void)keep;
}

static void read_c(int64_t bytes, const void *p) {
  volatile uint64_t keep;
  uint64_t s = 0;
  for (const uint64_t *q = p; bytes > 0; bytes -= 64, q += 8)
    s += q[0] + q[1] + q[2] + q[3] + q[4] + q[5] + q[6] + q[7];
  keep = s;
  (void)keep;
}

static struct loops find_loops(void) { return (struct loops){"c", fma_f32_c, fma_f64_c, read_c, 32, NULL}; }
#endif

static struct loops loops;
static pthread_once_t loops_once = PTHREAD_ONCE_INIT;
static void set_loops(void) { loops = find_loops(); }

static const struct loops *get_loops(void) {
  pthread_once(&loops_once, set_loops);
  return &loops;
}

double bench_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

const char *bench_gauge_isa(void) { return get_loops()->isa; }

double bench_fma_rate(int type_bytes, double seconds) {
  const struct loops *l = get_loops();
  fma_loop *loop = type_bytes == 8 ? l->f64 : type_bytes == 1 ? l->u8 : l->f32;
  double flops = l->flops * (type_bytes == 8 ? 0.5 : type_bytes == 1 ? 4 : 1);
  if (!loop) return 0;
  int64_t iterations = 400; /* first a few microseconds to wake wide units and to see how many fit */
  loop(iterations);
  double start = bench_now();
  loop(iterations);
  double rate = (double)iterations / (bench_now() - start);
  iterations = (int64_t)(rate * seconds) + 1;
  start = bench_now();
  loop(iterations);
  return flops * (double)iterations / (bench_now() - start);
}

double bench_read_rate(const void *p, size_t bytes, double seconds) {
  read_loop *loop = get_loops()->read;
  int64_t passes = 0;
  loop((int64_t)bytes, p);
  double start = bench_now(), now;
  do {
    loop((int64_t)bytes, p);
    passes++;
    now = bench_now();
  } while (now - start < seconds);
  return (double)passes * (double)bytes / (now - start);
}

double bench_copy_rate(void *p, size_t bytes, double seconds) {
  size_t half = bytes / 2;
  int64_t passes = 0;
  memcpy((char *)p + half, p, half);
  double start = bench_now(), now;
  do {
    memcpy((char *)p + half, p, half);
    __asm__ volatile("" : : "r"(p) : "memory");
    passes++;
    now = bench_now();
  } while (now - start < seconds);
  return (double)passes * (double)bytes / (now - start);
}

/* A number from the kernel's description of a cache; sizes are in KiB. */
static size_t cache_attribute(int index, const char *name) {
  char path[96];
  size_t number = 0;
  snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", index, name);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  if (fscanf(file, "%zu", &number) != 1) number = 0;
  fclose(file);
  return number;
}

/* The largest cache of a level that one core can use, as the kernel's list has it: what sysconf says is the
 * sum over a whole processor on some machines. */
size_t bench_cache(int level) {
  size_t found = 0;
  for (int i = 0; i < 8; i++) {
    size_t bytes = cache_attribute(i, "size") << 10;
    if (cache_attribute(i, "level") == (size_t)level && bytes > found) found = bytes;
  }
  if (found) return found;
  return level == 1 ? 32 << 10 : level == 2 ? 512 << 10 : 0;
}

size_t bench_last_cache(void) {
  size_t l2 = bench_cache(2), l3 = bench_cache(3);
  return l3 > l2 ? l3 : l2;
}

/* What the threads of one measurement share. */
struct team_gauge {
  int type_bytes;
  double seconds;
  char *base;
  size_t part;
  bool copy;
  struct bench_quiet *rates;
};

static void both(void *arg, int thread) {
  struct team_gauge *g = arg;
  if (g->type_bytes) g->rates[thread].fma = bench_fma_rate(g->type_bytes, g->seconds);
  if (!g->part) return;
  char *at = g->base + (size_t)thread * g->part;
  g->rates[thread].read = g->copy ? bench_copy_rate(at, g->part, g->seconds) : bench_read_rate(at, g->part, g->seconds);
}

/* Memory of its own for the gauges, written once so that every page is there. */
static char *gauge_memory(size_t bytes) {
  static char *memory;
  static size_t have;
  if (bytes <= have) return memory;
  if (memory) munmap(memory, have);
  memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  have = memory == MAP_FAILED ? 0 : bytes;
  if (!have) return memory = NULL;
  memset(memory, 1, bytes);
  return memory;
}

struct bench_quiet bench_gauge(int threads) {
  struct bench_quiet rates[BENCH_MAX_THREADS] = {0}, slowest;
  size_t part = bench_cache(2) / 4 & ~(size_t)511;
  struct team_gauge g = {4, 30e-6, gauge_memory(part * (size_t)threads), part, false, rates};
  if (!g.base) g.part = 0;
  bench_team(threads, both, &g);
  slowest = rates[0];
  for (int i = 1; i < threads; i++) {
    if (rates[i].fma < slowest.fma) slowest.fma = rates[i].fma;
    if (rates[i].read < slowest.read) slowest.read = rates[i].read;
  }
  return slowest;
}

struct bench_quiet bench_gauge_on(int cpu) {
  cpu_set_t before;
  sched_getaffinity(0, sizeof before, &before);
  bench_pin(cpu);
  struct bench_quiet seen = bench_gauge(1);
  sched_setaffinity(0, sizeof before, &before);
  return seen;
}

double bench_peak(int type_bytes, int threads) {
  double best = 0;
  for (int attempt = 0; attempt < 10; attempt++) {
    struct bench_quiet rates[BENCH_MAX_THREADS] = {0};
    struct team_gauge g = {type_bytes, 200e-6, NULL, 0, false, rates};
    double sum = 0;
    bench_team(threads, both, &g);
    for (int i = 0; i < threads; i++) sum += rates[i].fma;
    if (sum > best) best = sum;
  }
  return best;
}

static double best_sum(size_t bytes, int threads, bool copy) {
  struct bench_quiet rates[BENCH_MAX_THREADS] = {0};
  size_t part = bytes / (size_t)threads & ~(size_t)511;
  struct team_gauge g = {0, 1e-3, gauge_memory(bytes), part, copy, rates};
  double best = 0;
  if (!g.base || !part) return 0;
  for (int attempt = 0; attempt < 3; attempt++) {
    double sum = 0;
    bench_team(threads, both, &g);
    for (int i = 0; i < threads; i++) sum += rates[i].read;
    if (sum > best) best = sum;
  }
  return best;
}

double bench_bandwidth(size_t bytes, int threads) { return best_sum(bytes, threads, false); }
double bench_copies(size_t bytes, int threads) { return best_sum(bytes, threads, true); }
