/* How long a plan takes on a device: the walk of one core (walk.h) in numbers. Its steps go through a timeline of its
 * units, one by one, with loads as fast as those of all cores together allow. Of many equal chunks and waves a few are
 * followed, and the rest counted. */
#include "src/gemm/device_space.h"
#include "src/gemm/walk.h"

#define FOLLOWED_CHUNKS 12
/* The part of the shared cache's bandwidth that cores reach together, who do not load all the time. */
#define SHARED 0.95
/* Waves that are followed of so many: the first of them only fill the slots and must not count for the rest. */
static int64_t followed_of(int64_t waves, int64_t chunks) {
  return tsr_min(waves, 3 + 2 * TSR_GEMM_MOST_SLOTS / chunks);
}

/* One plan on one shape. Cycles and bytes. */
struct model {
  const struct tsr_device *device;
  struct tsr_step_costs costs;  /* of a step */
  int slots;
  int64_t kept, chunks;         /* of a block of C in one block of k; `followed` of them */
  int64_t followed;
  int64_t down, across;         /* blocks side by side in a wave, those beyond the edge left out */
  int64_t rows, cols, blocks_k; /* waves; blocks of k in each */
  double a_bytes, b_bytes;      /* of a chunk's panels */
  double c_bytes;               /* of C for each chunk: they pass the shared cache at the same time */
  bool updates;
};

/* When each of a core's units is free, and its latest chunks. */
struct timeline {
  double control, loader, filler, cube, sums, half[2];
  double loaded[TSR_GEMM_MOST_SLOTS], multiplied[TSR_GEMM_MOST_SLOTS];
  int64_t packed, done, due; /* as in tsr_gemm_walker */
  double steady, counted;    /* when the block was under way; the time of chunks that were not followed */
};

static double larger(double x, double y) { return x > y ? x : y; }

static void update(const struct model *m, struct timeline *t) {
  t->control = t->loader = larger(larger(t->loader, t->sums), t->control) + m->costs.update;
  t->due = 0;
}

static void multiply(const struct model *m, struct timeline *t) {
  const struct tsr_step_costs *c = &m->costs;
  int64_t slot = t->done % m->slots, index = t->done % m->followed, steady = m->followed / 3;
  bool last = index == m->followed - 1;
  if (t->due && (t->done >= t->due || last)) update(m, t);
  t->control = larger(t->control, t->loaded[slot]) + c->issue;
  for (int64_t r = 0; r < (int64_t)c->rounds; r++) {
    t->filler = larger(larger(t->control, t->filler), t->half[0]) + c->fill;
    t->cube = larger(larger(t->cube, t->filler), index == 0 && r == 0 ? t->sums : 0) + c->multiply;
    t->half[0] = t->half[1];
    t->half[1] = t->cube;
  }
  t->multiplied[slot] = t->cube;
  t->done++;
  if (index == steady) t->steady = t->cube;
  if (!last) return;
  double chunk = index > steady ? (t->cube - t->steady) / (double)(index - steady) : 0;
  t->counted += chunk * (double)(m->chunks - m->followed);
  t->multiplied[slot] = t->sums = t->cube + c->out;
  if (m->updates) t->due = t->done + 2;
}

/* Cycles of a chunk's loads, of which such shares miss the shared cache: what one core's route, the cache, and memory
 * behind it let through when all cores load. Misses cost the cache twice. */
static double load_cycles(const struct model *m, bool stores, double a_bytes, double a_missing, double b_missing) {
  const struct tsr_device *d = m->device;
  double cores = (double)(m->down * m->across), bytes = a_bytes + m->b_bytes;
  double fills = a_bytes * a_missing + m->b_bytes * b_missing;
  double through = cores * (bytes + fills + (stores ? m->c_bytes : 0)) / (SHARED * d->cached);
  return larger(bytes / d->loaded, larger(through, cores * fills / d->streamed));
}

/* One block of C in one block of k. */
static void follow_block(const struct model *m, struct timeline *t, bool keeps, double a_missing, double b_missing) {
  bool stores = t->packed > 0; /* the block before */
  double load = load_cycles(m, stores, m->a_bytes, a_missing, b_missing);
  double load_b = load_cycles(m, stores, 0, 0, b_missing);
  int64_t kept = keeps ? m->kept : 0;
  for (int64_t i = 0; i < m->followed; i++) {
    bool is_kept = (i + 1) * kept / m->chunks > i * kept / m->chunks;
    if (t->packed - t->done == m->slots - 1) multiply(m, t);
    if (t->packed >= m->slots) t->control = larger(t->control, t->multiplied[t->packed % m->slots]);
    t->control += (is_kept ? 1 : 2) * m->costs.issue_pack;
    t->loader = larger(t->loader, t->control) + (is_kept ? load_b : load);
    t->loaded[t->packed++ % m->slots] = t->loader;
  }
}

static double time_of(const struct timeline *t) { return t->counted + larger(t->cube, t->sums); }

/* Shares that are read from memory: of A in the first wave of a row and later, of B in the first row and later. */
struct missing {
  double a, a_later, b, b_later;
};

/* Cycles of a row of waves. */
static double follow_row(const struct model *m, struct timeline *t, const struct missing *missing, bool first) {
  double begin = time_of(t), before = begin, b = first ? missing->b : missing->b_later;
  int64_t cols = followed_of(m->cols, m->followed * m->blocks_k);
  for (int64_t col = 0; col < cols; col++) {
    before = time_of(t);
    for (int64_t block = 0; block < m->blocks_k; block++)
      follow_block(m, t, col > 0, col > 0 ? missing->a_later : missing->a, b);
  }
  return time_of(t) - begin + (double)(m->cols - cols) * (time_of(t) - before);
}

/* What is still under way after the last wave. */
static double follow_end(const struct model *m, struct timeline *t) {
  double begin = time_of(t);
  while (t->done < t->packed) multiply(m, t);
  if (t->due) update(m, t);
  return larger(time_of(t), t->loader + t->counted) - begin;
}

static double cycles_of(const struct model *m, const struct missing *missing) {
  struct timeline t = {.control = 0};
  double cycles = 0, row = 0;
  int64_t rows = followed_of(m->rows, m->followed * m->blocks_k * m->cols);
  for (int64_t i = 0; i < rows; i++) cycles += row = follow_row(m, &t, missing, i == 0);
  return cycles + (double)(m->rows - rows) * row + follow_end(m, &t);
}

static void set_model(const struct tsr_device *device, const struct tsr_values *shape, const struct tsr_values *plan,
                      struct model *m) {
  const int64_t *s = shape->at, *p = plan->at;
  int64_t size = tsr_size_of((tsr_type)s[TSR_DEVICE_TYPE]), kb = tsr_min(tsr_gemm_kb((tsr_type)s[TSR_DEVICE_TYPE]),
                                                                        s[TSR_DEVICE_K]);
  int64_t mc = tsr_min(p[TSR_DEVICE_MC], s[TSR_DEVICE_M]), nc = tsr_min(p[TSR_DEVICE_NC], s[TSR_DEVICE_N]);
  int64_t blocks_m = tsr_ceil_div(s[TSR_DEVICE_M], mc), blocks_n = tsr_ceil_div(s[TSR_DEVICE_N], nc);
  int64_t across = device->cores / p[TSR_DEVICE_DOWN], kc = tsr_min(p[TSR_DEVICE_KC], s[TSR_DEVICE_K]);
  m->device = device;
  m->slots = (int)p[TSR_DEVICE_SLOTS];
  m->chunks = tsr_ceil_div(kb, kc);
  m->followed = tsr_min(m->chunks, FOLLOWED_CHUNKS);
  m->blocks_k = tsr_ceil_div(s[TSR_DEVICE_K], kb);
  m->kept = (p[TSR_DEVICE_PANELS] - p[TSR_DEVICE_SLOTS]) / m->blocks_k;
  m->down = tsr_min(p[TSR_DEVICE_DOWN], blocks_m);
  m->across = tsr_min(across, blocks_n);
  m->rows = tsr_ceil_div(blocks_m, p[TSR_DEVICE_DOWN]);
  m->cols = tsr_ceil_div(blocks_n, across);
  m->a_bytes = (double)(mc * kc * size);
  m->b_bytes = (double)(nc * kc * size);
  m->c_bytes = (double)(mc * nc * 4) / (double)m->chunks;
  m->updates = s[TSR_DEVICE_SUMS] == 2 || m->blocks_k > 1;
  device->chip->step_costs(device, (tsr_type)s[TSR_DEVICE_TYPE], mc, nc, kc, &m->costs);
}

/* The shared cache holds both operands; or what a wave reads, and then A's part of it serves the waves of its row; or
 * neither. What several cores of a wave read, the first of them fetches. */
double tsr_gemm_device_predict(const struct tsr_device *device, const struct tsr_values *shape,
                               const struct tsr_values *plan) {
  struct model m;
  set_model(device, shape, plan, &m);
  const int64_t *s = shape->at, *p = plan->at;
  double row = (double)s[TSR_DEVICE_K] * (double)tsr_size_of((tsr_type)s[TSR_DEVICE_TYPE]);
  double cache = (double)device->shared.bytes, once = (double)(s[TSR_DEVICE_M] + s[TSR_DEVICE_N]) * row;
  double wave = (double)(m.down * p[TSR_DEVICE_MC] + m.across * p[TSR_DEVICE_NC]) * row;
  struct missing missing = {.a = 1 / (double)m.across, .b = 1 / (double)m.down};
  missing.a_later = wave > 0.75 * cache ? missing.a : 0;
  missing.b_later = once <= cache ? 0 : missing.b;
  return cycles_of(&m, &missing) / device->hertz;
}
