/* tsr_gemm against the loop of tessera.h, bit for bit: every layout, every tile and block edge, any data. */
#include <math.h>

#include "test/gemm/gemm_test.h"

static void each_context_and_type(size_t bytes, case_body *body) {
  struct stage s;
  stage_open(&s, bytes);
  for (int i = 0; i < ncontexts; i++)
    for (int t = TSR_F32; t <= TSR_F64; t++) {
      struct gemm_case g = {.context = contexts[i], .d = TSR_GEMM_DESC, .seed = test_seed()};
      g.d.type = (tsr_type)t;
      body(&s, &g);
    }
  stage_close(&s);
}

/* Makes the next case another one in all that a sweep does not set itself. */
static void vary(struct gemm_case *g) {
  static const double scalars[] = {1, 0, -1, 0.5, 0.1, 1, 0, 1};
  g->seed++;
  struct rng rng = {g->seed ^ 0x5eed};
  g->fill = (enum fill)rng_below(&rng, FILL_COUNT);
  g->place = (enum place)rng_below(&rng, PLACE_COUNT);
  g->shift = rng_below(&rng, 2) ? 0 : (int)rng_below(&rng, 64);
  g->d.alpha = scalars[rng_below(&rng, COUNT(scalars))];
  g->d.beta = scalars[rng_below(&rng, COUNT(scalars))];
  if (g->d.alpha == 0) g->d.alpha = -2.5;
}

static int odd_gap(const struct gemm_case *g) { return g->seed % 3 ? (int)(g->seed % 7) * 2 + 1 : 0; }

/* Sizes as the loops see them: rows run along the lanes whatever the order. */
static void check_turned(struct stage *s, struct gemm_case *g, int layout, int64_t rows, int64_t cols, int64_t k) {
  vary(g);
  bool turned = !(layout & 4);
  case_sizes(g, turned ? cols : rows, turned ? rows : cols, k);
  case_layout(g, layout, odd_gap(g));
  check_case(s, g);
}

/* The reference works on rows side by side; here is the loop as it is written, element by element. */
static float loop_f32(const struct gemm_case *g, const float *a, const float *b, float c, int64_t i, int64_t j) {
  const tsr_gemm_desc *d = &g->d;
  bool a_rows = (d->order == TSR_ROW_MAJOR) == (d->trans_a == TSR_NO_TRANS);
  bool b_rows = (d->order == TSR_ROW_MAJOR) == (d->trans_b == TSR_NO_TRANS);
  float y = d->beta == 0 ? 0 : (float)d->beta * c;
  for (int64_t p0 = 0; p0 < d->k; p0 += 384) {
    float sum = 0;
    for (int64_t p = p0; p < p0 + 384 && p < d->k; p++)
      sum = fmaf(a_rows ? a[i * d->lda + p] : a[p * d->lda + i], b_rows ? b[p * d->ldb + j] : b[j * d->ldb + p], sum);
    y = fmaf((float)d->alpha, sum, y);
  }
  return y;
}

static void reference_is_the_loop(void **state) {
  (void)state;
  struct stage s;
  struct gemm_case g = {.context = contexts[0], .d = TSR_GEMM_DESC, .seed = test_seed()};
  stage_open(&s, 1 << 20);
  for (int layout = 0; layout < LAYOUTS; layout++) {
    vary(&g);
    g.shift = 0;
    case_sizes(&g, 7, 9, 384 * (layout % 2) + 390);
    case_layout(&g, layout, 3);
    stage_fill(&s, &g);
    stage_expect(&s, &g);
    for (int64_t i = 0; i < g.d.m; i++)
      for (int64_t j = 0; j < g.d.n; j++) {
        int64_t at = g.d.order == TSR_ROW_MAJOR ? i * g.d.ldc + j : j * g.d.ldc + i;
        float want = loop_f32(&g, (float *)s.a.data, (float *)s.b.data, ((float *)s.c.data)[at], i, j);
        assert_true(same_element(TSR_F32, &want, s.expected + 4 * at));
      }
  }
  stage_close(&s);
}

static void scalars_sweep(struct stage *s, struct gemm_case *g) {
  double denormal = g->d.type == TSR_F32 ? 0x1p-140 : 0x1p-1060;
  const double scalars[] = {0, 1, -1, 0.5, denormal, NAN, INFINITY, -0.0, 0x1p-200}; /* the last is 0 in f32 */
  for (int i = 0; i < COUNT(scalars); i++)
    for (int j = 0; j < COUNT(scalars); j++) {
      g->d.alpha = scalars[i];
      g->d.beta = scalars[j];
      g->seed++;
      check_case(s, g);
    }
}

static void small_sizes_sweep(struct stage *s, struct gemm_case *g) {
  for (int size = 0; size < 6 * 6 * 6; size++)
    for (int layout = 0; layout < LAYOUTS; layout++) {
      vary(g);
      case_sizes(g, size / 36, size / 6 % 6, size % 6);
      case_layout(g, layout, odd_gap(g));
      scalars_sweep(s, g);
    }
}

static void small_sizes(void **state) {
  (void)state;
  each_context_and_type(1 << 16, small_sizes_sweep);
}

/* One element under, at and over an edge. */
struct edges {
  int n;
  int64_t at[96];
};

static void edge(struct edges *e, int64_t at) {
  for (int64_t x = at - 1; x <= at + 1; x++) {
    int i = 0;
    while (i < e->n && e->at[i] != x) i++;
    if (i == e->n && x >= 1 && e->n < COUNT(e->at)) e->at[e->n++] = x;
  }
}

static void tile_edges_of(const struct gemm_case *g, struct edges *rows, struct edges *cols) {
  const struct tsr_tiles *tiles = &g->context->kernels[g->d.type].gemm;
  rows->n = cols->n = 0;
  for (int u = 1; u <= TSR_MAX_UNITS; u++) {
    if (!tiles->max_columns[u]) continue;
    edge(rows, (int64_t)u * tiles->mu);
    edge(cols, tiles->max_columns[u]);
  }
  edge(rows, 2 * (int64_t)tiles->units * tiles->mu);
  edge(rows, (int64_t)(tiles->units + 1) * tiles->mu);
  edge(cols, tiles->columns);
  edge(cols, 2 * tiles->columns);
}

static void tile_edges_sweep(struct stage *s, struct gemm_case *g) {
  static const int64_t ks[] = {1, 2, 7};
  struct edges rows, cols;
  tile_edges_of(g, &rows, &cols);
  for (int path = 0; path < PATHS; path++) {
    force_plan(g, path, 0, 0);
    for (int i = 0; i < rows.n; i++)
      for (int j = 0; j < cols.n; j++)
        for (int layout = 0; layout < LAYOUTS; layout++)
          check_turned(s, g, layout, rows.at[i], cols.at[j], ks[(i + j + layout) % COUNT(ks)]);
  }
  force_nothing();
}

static void tile_edges(void **state) {
  (void)state;
  each_context_and_type(1 << 20, tile_edges_sweep);
}

static void kb_edges_sweep(struct stage *s, struct gemm_case *g) {
  const struct tsr_tiles *tiles = &g->context->kernels[g->d.type].gemm;
  const int64_t tile_rows = (int64_t)tiles->units * tiles->mu, kb = tsr_gemm_kb(g->d.type);
  const int64_t rows[] = {1, tiles->mu + 1, tile_rows, tile_rows + 1}, cols[] = {1, 2, tiles->columns + 1};
  struct edges ks = {0};
  edge(&ks, kb);
  edge(&ks, 2 * kb);
  for (int path = 0; path < PATHS; path++) {
    force_plan(g, path, 0, 0);
    for (int i = 0; i < COUNT(rows) * COUNT(cols) * LAYOUTS; i++)
      for (int p = 0; p < ks.n; p++)
        check_turned(s, g, i % LAYOUTS, rows[i / LAYOUTS % COUNT(rows)], cols[i / LAYOUTS / COUNT(rows)], ks.at[p]);
  }
  force_nothing();
}

static void kb_edges(void **state) {
  (void)state;
  each_context_and_type(1 << 20, kb_edges_sweep);
}

/* Blocks of one and two tiles, so that matrices of a few tiles have several blocks. */
static void block_edges_of(struct stage *s, struct gemm_case *g, int path, int mc_tiles, int nc_tiles) {
  const struct tsr_tiles *tiles = &g->context->kernels[g->d.type].gemm;
  const int64_t kb = tsr_gemm_kb(g->d.type), ks[] = {3, kb + 1, 3, 2 * kb + 1, 3, 3, kb};
  struct edges rows = {0}, cols = {0};
  for (int blocks = 1; blocks <= 3; blocks++) {
    edge(&rows, (int64_t)blocks * mc_tiles * tiles->units * tiles->mu);
    edge(&cols, (int64_t)blocks * nc_tiles * tiles->columns);
  }
  force_plan(g, path, mc_tiles, nc_tiles);
  for (int i = 0; i < rows.n * cols.n; i++)
    check_turned(s, g, (i + i / LAYOUTS) % LAYOUTS, rows.at[i % rows.n], cols.at[i / rows.n], ks[i % COUNT(ks)]);
}

static void block_edges_sweep(struct stage *s, struct gemm_case *g) {
  for (int path = 0; path < PATHS; path++)
    for (int i = 0; i < 4; i++) block_edges_of(s, g, path, 1 + i % 2, 1 + i / 2);
  force_nothing();
}

static void block_edges(void **state) {
  (void)state;
  each_context_and_type(1 << 21, block_edges_sweep);
}

/* The library's own MC and NC. */
static void own_blocks_of(const struct gemm_case *g, int64_t *mc, int64_t *nc) {
  int64_t size = tsr_size_of(g->d.type);
  struct tsr_gemm_problem big = {.type = g->d.type, .m = 1 << 14, .n = 1 << 14, .k = 1 << 14, .alpha = 1};
  struct tsr_gemm_way plan;
  big.rsa = big.rsb = size;
  big.csa = big.csb = big.csc = size << 14;
  tsr_gemm_choose(g->context, &big, 0, &plan);
  *mc = plan.mc;
  *nc = plan.nc;
}

static void own_blocks_sweep(struct stage *s, struct gemm_case *g, int layouts, bool all) {
  int64_t mc, nc, kb = tsr_gemm_kb(g->d.type);
  own_blocks_of(g, &mc, &nc);
  for (int layout = 0; layout < layouts; layout++) {
    check_turned(s, g, (layout + 4) % LAYOUTS, mc + 1, nc + 1, kb + 1);
    if (!all) continue;
    check_turned(s, g, layout, mc - 1, nc - 1, kb - 1);
    check_turned(s, g, layout, 2 * mc + 1, nc, kb);
    check_turned(s, g, layout, mc, 2 * nc + 1, 2 * kb + 1);
  }
}

static void own_blocks_quick(struct stage *s, struct gemm_case *g) {
  if (!is_generic(g->context)) own_blocks_sweep(s, g, UNDER_TSAN ? 1 : LAYOUTS, false);
}

static void own_blocks_slow(struct stage *s, struct gemm_case *g) {
  own_blocks_sweep(s, g, is_generic(g->context) ? 1 : LAYOUTS, true);
}

static void own_blocks(void **state) {
  (void)state;
  each_context_and_type(64 << 20, own_blocks_quick);
}

static void own_blocks_all(void **state) {
  (void)state;
  each_context_and_type(64 << 20, own_blocks_slow);
}

/* The shape classes that have a path of their own: skinny, tall, long k. */
static void shapes_sweep(struct stage *s, struct gemm_case *g) {
  int64_t big = is_generic(g->context) ? 67 : 531, long_k = is_generic(g->context) ? 1025 : 4099;
  for (int layout = 0; layout < LAYOUTS; layout++) {
    for (int64_t few = 1; few <= 17; few++) {
      check_turned(s, g, layout, few, big, big);
      check_turned(s, g, layout, big, few, big);
    }
    for (int64_t few = 1; few <= 33; few += 4) {
      check_turned(s, g, layout, few, 34 - few, long_k);
      check_turned(s, g, layout, few, few, long_k);
    }
    check_turned(s, g, layout, big, big, 1);
    check_turned(s, g, layout, big, big, 5);
  }
}

static void shapes(void **state) {
  (void)state;
  each_context_and_type(1 << 23, shapes_sweep);
}

static void random_case(struct stage *s, struct gemm_case *g, struct rng *rng, int64_t most) {
  static const double scalars[] = {0, 1, -1, 0.1, INFINITY, -1.75};
  vary(g);
  int64_t size[3];
  for (int i = 0; i < 3; i++) size[i] = rng_below(rng, rng_below(rng, 4) ? 40 : most);
  case_sizes(g, size[0], size[1], size[2]);
  case_layout(g, (int)rng_below(rng, LAYOUTS), 0);
  g->d.lda += rng_below(rng, 2) * rng_below(rng, 20);
  g->d.ldb += rng_below(rng, 2) * rng_below(rng, 20);
  g->d.ldc += rng_below(rng, 2) * rng_below(rng, 20);
  g->d.alpha = scalars[rng_below(rng, COUNT(scalars))];
  g->d.beta = scalars[rng_below(rng, COUNT(scalars))];
  force_plan(g, (int)rng_below(rng, PATHS), (int)rng_below(rng, 4), (int)rng_below(rng, 4));
  tsr_gemm_forced.threads = (int)rng_below(rng, 5);
  tsr_gemm_forced.groups = (int)rng_below(rng, 4);
  tsr_set_num_threads(g->context, tsr_gemm_forced.threads);
  check_case(s, g);
  tsr_set_num_threads(g->context, 0);
  force_nothing();
}

static void random_quick(struct stage *s, struct gemm_case *g) {
  struct rng rng = {g->seed};
  for (int i = 0; i < 400; i++) random_case(s, g, &rng, is_generic(g->context) ? 80 : 400);
}

static void random_slow(struct stage *s, struct gemm_case *g) {
  struct rng rng = {g->seed + 1};
  for (int i = 0; i < 6000; i++) random_case(s, g, &rng, is_generic(g->context) ? 200 : 900);
}

static void random_cases(void **state) {
  (void)state;
  each_context_and_type(1 << 23, random_quick);
}

static void random_cases_many(void **state) {
  (void)state;
  each_context_and_type(1 << 24, random_slow);
}

int main(int argc, char **argv) {
  const struct CMUnitTest quick[] = {
      gemm_unit_test(reference_is_the_loop), gemm_unit_test(small_sizes), gemm_unit_test(tile_edges),
      gemm_unit_test(kb_edges),              gemm_unit_test(block_edges), gemm_unit_test(own_blocks),
      gemm_unit_test(shapes),                gemm_unit_test(random_cases),
  };
  const struct CMUnitTest slow[] = {gemm_unit_test(own_blocks_all), gemm_unit_test(random_cases_many)};
  if (argc > 1 && strcmp(argv[1], "slow") == 0) return cmocka_run_group_tests(slow, open_contexts, close_contexts);
  return cmocka_run_group_tests(quick, open_contexts, close_contexts);
}
