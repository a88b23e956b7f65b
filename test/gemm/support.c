#include <pthread.h>
#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test/gemm/gemm_test.h"

uint64_t rng_next(struct rng *rng) {
  uint64_t z = rng->state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

int64_t rng_below(struct rng *rng, int64_t n) { return (int64_t)(rng_next(rng) >> 1) % n; }

uint64_t test_seed(void) {
  static uint64_t seed;
  static bool known;
  if (!known) {
    const char *text = getenv("TESSERA_TEST_SEED");
    seed = text ? strtoull(text, NULL, 0) : 1;
    known = true;
    printf("seed %llu (set TESSERA_TEST_SEED to change it)\n", (unsigned long long)seed);
  }
  return seed;
}

static double uniform(struct rng *rng) { return (double)(int64_t)rng_next(rng) * 0x1p-63; }

static const uint32_t special_f32[] = {0x7fc00000, 0x7fa00000, 0x7f800000, 0xff800000, 0x7f7fffff,
                                       0xff7fffff, 0x00000001, 0x80000001, 0x80000000, 0x00800000};
static const uint64_t special_f64[] = {0x7ff8000000000000, 0x7ff4000000000000, 0x7ff0000000000000, 0xfff0000000000000,
                                       0x7fefffffffffffff, 0xffefffffffffffff, 0x0000000000000001, 0x8000000000000001,
                                       0x8000000000000000, 0x0010000000000000};

static void put_special(tsr_type type, void *to, struct rng *rng) {
  if (type == TSR_F32)
    memcpy(to, &special_f32[rng_below(rng, COUNT(special_f32))], 4);
  else
    memcpy(to, &special_f64[rng_below(rng, COUNT(special_f64))], 8);
}

static void put_number(tsr_type type, void *to, double x) {
  float f = (float)x;
  if (type == TSR_F32)
    memcpy(to, &f, 4);
  else
    memcpy(to, &x, 8);
}

static void put_wide(tsr_type type, void *to, struct rng *rng) {
  int half = type == TSR_F32 ? 60 : 500, kind = (int)rng_below(rng, 16);
  double x = uniform(rng), tiny = type == TSR_F32 ? 0x1p-127 : 0x1p-1023;
  if (kind == 0)
    x = copysign(0, x);
  else
    x = kind == 1 ? x * tiny : ldexp(x, (int)rng_below(rng, 2 * half + 1) - half);
  put_number(type, to, x);
}

/* One element. Specials come so seldom that about half of the sums of k products meet none. */
static void put_element(tsr_type type, void *to, enum fill fill, int64_t k, struct rng *rng) {
  if (fill == FILL_SPECIAL && rng_below(rng, 3 * k + 1) == 0)
    put_special(type, to, rng);
  else if (fill == FILL_WIDE)
    put_wide(type, to, rng);
  else
    put_number(type, to, fill == FILL_INTEGERS ? (double)(rng_below(rng, 5) - 2) : uniform(rng));
}

void case_sizes(struct gemm_case *g, int64_t m, int64_t n, int64_t k) {
  g->d.m = m;
  g->d.n = n;
  g->d.k = k;
}

/* Length of a stored line of a rows x cols matrix, and how many lines there are. */
static int64_t line_of(const tsr_gemm_desc *d, tsr_trans trans, int64_t rows, int64_t cols) {
  return (d->order == TSR_ROW_MAJOR) == (trans == TSR_NO_TRANS) ? cols : rows;
}

static int64_t at_least_1(int64_t x) { return x > 1 ? x : 1; }

void case_layout(struct gemm_case *g, int layout, int gap) {
  tsr_gemm_desc *d = &g->d;
  d->order = layout & 4 ? TSR_COL_MAJOR : TSR_ROW_MAJOR;
  d->trans_a = layout & 1 ? TSR_TRANS : TSR_NO_TRANS;
  d->trans_b = layout & 2 ? TSR_TRANS : TSR_NO_TRANS;
  d->lda = at_least_1(line_of(d, d->trans_a, d->m, d->k)) + gap;
  d->ldb = at_least_1(line_of(d, d->trans_b, d->k, d->n)) + gap;
  d->ldc = at_least_1(line_of(d, TSR_NO_TRANS, d->m, d->n)) + gap;
}

void case_text(const struct gemm_case *g, char *text, size_t size) {
  static const char *const fills[] = {"random", "integers", "wide", "special"};
  static const char *const places[] = {"end", "start", "middle"};
  const tsr_gemm_desc *d = &g->d;
  const struct tsr_gemm_way *f = &tsr_gemm_forced;
  int used = snprintf(text, size,
                      "%s %s %s-major %c%c m=%lld n=%lld k=%lld lda=%lld ldb=%lld ldc=%lld alpha=%g beta=%g",
                      tsr_context_isa(g->context), d->type == TSR_F32 ? "f32" : "f64",
                      d->order == TSR_ROW_MAJOR ? "row" : "column", d->trans_a == TSR_TRANS ? 'T' : 'N',
                      d->trans_b == TSR_TRANS ? 'T' : 'N', (long long)d->m, (long long)d->n, (long long)d->k,
                      (long long)d->lda, (long long)d->ldb, (long long)d->ldc, d->alpha, d->beta);
  if (used < 0 || (size_t)used >= size) return;
  snprintf(text + used, size - (size_t)used,
           ", %s data at the %s+%d, seed %llu, forced path %d mc %lld nc %lld threads %d groups %d", fills[g->fill],
           places[g->place], g->shift, (unsigned long long)g->seed, f->path, (long long)f->mc, (long long)f->nc,
           f->threads, f->groups);
}

/* Neighbours of the operands: whatever uses them shows, in the result or in the floating-point flags. */
enum { NEIGHBOURS = 2048 };
static uint8_t neighbours[TSR_F64 + 1][NEIGHBOURS];
static pthread_once_t neighbours_once = PTHREAD_ONCE_INIT;

static void make_neighbours(void) {
  for (int i = 0; i < NEIGHBOURS / 4; i++) memcpy(&neighbours[TSR_F32][4 * i], &special_f32[1 + i % 7], 4);
  for (int i = 0; i < NEIGHBOURS / 8; i++) memcpy(&neighbours[TSR_F64][8 * i], &special_f64[1 + i % 7], 8);
}

static void operand_open(struct operand *o, size_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  o->region_bytes = (bytes + 4 * NEIGHBOURS + page - 1) / page * page;
  char *base = mmap(NULL, o->region_bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert_true(base != MAP_FAILED);
  o->region = base + page;
  assert_int_equal(mprotect(o->region, o->region_bytes, PROT_READ | PROT_WRITE), 0);
}

void stage_open(struct stage *s, size_t bytes) {
  memset(s, 0, sizeof *s);
  s->copy_bytes = 1;
  s->original = malloc(1);
  s->expected = malloc(1);
  pthread_once(&neighbours_once, make_neighbours);
  operand_open(&s->a, bytes);
  operand_open(&s->b, bytes);
  operand_open(&s->c, bytes);
}

static void operand_close(struct operand *o) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  munmap(o->region - page, o->region_bytes + 2 * page);
}

void stage_close(struct stage *s) {
  operand_close(&s->a);
  operand_close(&s->b);
  operand_close(&s->c);
  free(s->original);
  free(s->expected);
}

static size_t before(const struct operand *o) {
  size_t room = (size_t)(o->data - o->region);
  return room < NEIGHBOURS ? room : NEIGHBOURS;
}

static size_t after(const struct operand *o, int64_t size) {
  size_t room = (size_t)(o->region + o->region_bytes - o->data) - (size_t)(o->elements * size);
  return room < NEIGHBOURS ? room : NEIGHBOURS;
}

static void operand_place(struct operand *o, const struct gemm_case *g, int64_t lines, int64_t line, int64_t ld) {
  int64_t size = tsr_size_of(g->d.type);
  o->elements = lines > 0 && line > 0 ? (lines - 1) * ld + line : 0;
  size_t bytes = (size_t)(o->elements * size);
  if (bytes + 2 * NEIGHBOURS + 64 > o->region_bytes)
    fail_msg("an operand of %zu bytes is larger than the stage", bytes);
  o->data = o->region;
  if (g->place == PLACE_END) o->data += o->region_bytes - bytes;
  if (g->place == PLACE_MIDDLE) o->data += NEIGHBOURS + g->shift;
  memcpy(o->data - before(o), neighbours[g->d.type], before(o));
  memcpy(o->data + bytes, neighbours[g->d.type], after(o, size));
}

static void operand_fill(struct operand *o, const struct gemm_case *g, tsr_trans trans, int64_t rows, int64_t cols,
                         int64_t ld, struct rng *rng) {
  int64_t size = tsr_size_of(g->d.type), line = line_of(&g->d, trans, rows, cols);
  int64_t lines = line == rows ? cols : rows;
  operand_place(o, g, lines, line, ld);
  for (int64_t i = 0; i < lines && line > 0; i++) {
    char *at = o->data + i * ld * size;
    for (int64_t j = 0; j < line; j++) put_element(g->d.type, at + j * size, g->fill, g->d.k, rng);
    for (int64_t j = line; j < ld && i < lines - 1; j++)
      memcpy(at + j * size, &neighbours[g->d.type][(j - line) * size % NEIGHBOURS], (size_t)size);
  }
}

void stage_fill(struct stage *s, const struct gemm_case *g) {
  const tsr_gemm_desc *d = &g->d;
  struct rng rng = {g->seed};
  operand_fill(&s->a, g, d->trans_a, d->m, d->k, d->lda, &rng);
  operand_fill(&s->b, g, d->trans_b, d->k, d->n, d->ldb, &rng);
  operand_fill(&s->c, g, TSR_NO_TRANS, d->m, d->n, d->ldc, &rng);
  size_t bytes = (size_t)(s->c.elements * tsr_size_of(d->type));
  if (bytes > s->copy_bytes) {
    s->original = realloc(s->original, bytes);
    s->expected = realloc(s->expected, bytes);
    s->copy_bytes = bytes;
  }
  memcpy(s->original, s->c.data, bytes);
}

void stage_expect(struct stage *s, const struct gemm_case *g) {
  memcpy(s->expected, s->original, (size_t)(s->c.elements * tsr_size_of(g->d.type)));
  reference_gemm(&g->d, s->a.data, s->b.data, s->expected);
}

void stage_restore(struct stage *s, const struct gemm_case *g) {
  memcpy(s->c.data, s->original, (size_t)(s->c.elements * tsr_size_of(g->d.type)));
}

bool same_element(tsr_type type, const void *x, const void *y) {
  if (memcmp(x, y, (size_t)tsr_size_of(type)) == 0) return true;
  uint32_t u, v;
  uint64_t p, q;
  if (type == TSR_F32) {
    memcpy(&u, x, 4);
    memcpy(&v, y, 4);
    return (u & 0x7fffffff) > 0x7f800000 && (v & 0x7fffffff) > 0x7f800000;
  }
  memcpy(&p, x, 8);
  memcpy(&q, y, 8);
  return (p & INT64_MAX) > special_f64[2] && (q & INT64_MAX) > special_f64[2];
}

static double value_of(tsr_type type, const void *at) {
  float f;
  double x;
  memcpy(&f, at, 4);
  if (type == TSR_F32) return f;
  memcpy(&x, at, 8);
  return x;
}

static bool neighbours_hold(const struct stage *s, const struct gemm_case *g) {
  int64_t size = tsr_size_of(g->d.type);
  return memcmp(s->c.data - before(&s->c), neighbours[g->d.type], before(&s->c)) == 0 &&
         memcmp(s->c.data + s->c.elements * size, neighbours[g->d.type], after(&s->c, size)) == 0;
}

bool stage_compare(const struct stage *s, const struct gemm_case *g, char *why) {
  const tsr_gemm_desc *d = &g->d;
  int64_t size = tsr_size_of(d->type), line = line_of(d, TSR_NO_TRANS, d->m, d->n);
  char text[WHY - 160];
  case_text(g, text, sizeof text);
  if (!neighbours_hold(s, g)) {
    snprintf(why, WHY, "%s: bytes beside C were written", text);
    return false;
  }
  if (memcmp(s->expected, s->c.data, (size_t)(s->c.elements * size)) == 0) return true;
  for (int64_t e = 0; e < s->c.elements; e++) {
    const char *got = s->c.data + e * size, *want = s->expected + e * size;
    bool gap = e % d->ldc >= line;
    if (gap ? memcmp(got, want, (size_t)size) == 0 : same_element(d->type, got, want)) continue;
    snprintf(why, WHY, "%s: %s %lld of line %lld is %a, not %a", text, gap ? "gap element" : "element",
             (long long)(e % d->ldc), (long long)(e / d->ldc), value_of(d->type, got), value_of(d->type, want));
    return false;
  }
  return true;
}

bool stage_untouched(const struct stage *s, const struct gemm_case *g) {
  return neighbours_hold(s, g) && memcmp(s->original, s->c.data, (size_t)(s->c.elements * tsr_size_of(g->d.type))) == 0;
}

bool stage_holds(struct stage *s, const struct gemm_case *g, char *why) {
  char text[WHY - 160];
  stage_restore(s, g);
  tsr_status status = tsr_gemm(g->context, &g->d, s->a.data, s->b.data, s->c.data);
  if (status == TSR_OK) return stage_compare(s, g, why);
  case_text(g, text, sizeof text);
  snprintf(why, WHY, "%s: %s: %s", text, tsr_status_string(status), tsr_last_error());
  return false;
}

bool case_holds(struct stage *s, const struct gemm_case *g, char *why) {
  stage_fill(s, g);
  stage_expect(s, g);
  return stage_holds(s, g, why);
}

void check_stage(struct stage *s, const struct gemm_case *g) {
  char why[WHY];
  if (!stage_holds(s, g, why)) fail_msg("%s", why);
}

void check_case(struct stage *s, const struct gemm_case *g) {
  stage_fill(s, g);
  stage_expect(s, g);
  check_stage(s, g);
}

void reference_any(const tsr_gemm_desc *d, const void *a, const void *b, void *c);
#if defined(__x86_64__)
void reference_fma(const tsr_gemm_desc *d, const void *a, const void *b, void *c);
#define FASTEST (__builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2") ? reference_fma : reference_any)
#else
#define FASTEST reference_any
#endif

void reference_gemm(const tsr_gemm_desc *d, const void *a, const void *b, void *c) { FASTEST(d, a, b, c); }

tsr_context *contexts[MAX_CONTEXTS];
int ncontexts;

int open_contexts(void **state) {
  (void)state;
  int n;
  const struct tsr_chip *const *chips = tsr_chips(&n);
  test_seed();
  for (int i = 0; i < n; i++) {
    tsr_status status = tsr_context_create(chips[i]->isa, &contexts[ncontexts]);
    if (status == TSR_OK)
      ncontexts++;
    else
      printf("not tested: %s\n", tsr_last_error());
    if (status != TSR_OK && status != TSR_UNSUPPORTED) return -1;
  }
  return ncontexts > 0 ? 0 : -1;
}

int close_contexts(void **state) {
  (void)state;
  while (ncontexts > 0) tsr_context_destroy(contexts[--ncontexts]);
  tsr_release();
  return 0;
}

int reset_contexts(void **state) {
  (void)state;
  force_nothing();
  for (int i = -1; i < ncontexts; i++) {
    tsr_set_parallel_for(i < 0 ? NULL : contexts[i], NULL, NULL);
    tsr_set_num_threads(i < 0 ? NULL : contexts[i], 0);
  }
  return 0;
}

bool is_generic(const tsr_context *context) { return strcmp(tsr_context_isa(context), "generic") == 0; }

void force_plan(const struct gemm_case *g, int path, int mc_tiles, int nc_tiles) {
  const struct tsr_tiles *tiles = &g->context->kernels[g->d.type].gemm;
  static const enum tsr_gemm_path paths[PATHS] = {0, TSR_GEMM_DIRECT, TSR_GEMM_ACROSS, [PATH_PACKED] = TSR_GEMM_PACKED,
                                   TSR_GEMM_K_SPLIT};
  force_nothing();
  tsr_gemm_forced.path = paths[path];
  if (path == PATH_PACKED) tsr_gemm_forced.pack = TSR_GEMM_PACK_AB;
  tsr_gemm_forced.mc = (int64_t)mc_tiles * tiles->units * tiles->mu;
  tsr_gemm_forced.nc = (int64_t)nc_tiles * tiles->columns;
}

void force_nothing(void) { memset(&tsr_gemm_forced, 0, sizeof tsr_gemm_forced); }

const int thread_counts[THREAD_COUNTS] = {1, 2, 3, 7};

static const int64_t shapes[][3] = {
    {1, 1, 1},       {5, 7, 3},       {64, 64, 64},   {1, 700, 900},   {700, 1, 900},  {3, 900, 400},
    {257, 131, 5},   {200, 300, 400}, {16, 16, 5000}, {2, 3, 12345},   {129, 1000, 65}, {300, 290, 770},
};

void each_shape(case_body *body) {
  struct stage s;
  struct gemm_case g = {.d = TSR_GEMM_DESC, .seed = test_seed()};
  stage_open(&s, 1 << 23);
  for (int i = 0; i < ncontexts * COUNT(shapes) * 2; i++) {
    const int64_t *shape = shapes[i / 2 % COUNT(shapes)];
    g.context = contexts[i / 2 / COUNT(shapes)];
    g.d.type = i % 2 ? TSR_F64 : TSR_F32;
    if (is_generic(g.context) && shape[0] * shape[1] * shape[2] > 300000) continue;
    for (int layout = 0; layout < LAYOUTS; layout++) {
      g.seed++;
      g.fill = (enum fill)(g.seed % FILL_COUNT);
      g.place = (enum place)(g.seed % PLACE_COUNT);
      g.d.alpha = layout % 3 ? 1 : -0.75;
      g.d.beta = layout % 2 ? 0.5 : 0;
      case_sizes(&g, shape[0], shape[1], shape[2]);
      case_layout(&g, layout, layout % 2 ? 5 : 0);
      body(&s, &g);
    }
  }
  stage_close(&s);
}
