/* mad against the plain triple loop with fmaf, bit for bit, in every implementation that this machine can run. */
#include "kernels/accel_sim/sim/mad.h"
#include "test/accel/bytes.h"

static const unsigned types[] = {ACCEL_F16, ACCEL_BF16, ACCEL_F32, ACCEL_S8};

struct problem {
  int64_t m, k, n, mb, kb, nb, unit; /* counts; of fractals; k of one */
  unsigned type;
  bool init;
  struct block a, b, c;
};

static unsigned char *at_a(const struct problem *p, int64_t i, int64_t q) {
  return p->a.bytes + (i / 16 * p->kb + q / p->unit) * 512 + i % 16 * 32 + q % p->unit * size_of(p->type);
}

static unsigned char *at_b(const struct problem *p, int64_t q, int64_t j) {
  return p->b.bytes + (q / p->unit * p->nb + j / 16) * 512 + j % 16 * 32 + q % p->unit * size_of(p->type);
}

static unsigned char *at_c(const struct problem *p, const struct block *c, int64_t i, int64_t j) {
  return c->bytes + (j / 16 * p->mb + i / 16) * 1024 + i % 16 * 64 + j % 16 * 4;
}

/* What must not enter: NaN, and where the type has none, anything. */
static void spoil(unsigned char *at, unsigned type) {
  if (type != ACCEL_S8) put_f32(at, NAN, type);
}

static struct problem make_problem(int64_t m, int64_t k, int64_t n, unsigned type, bool init, int kind) {
  struct problem p = {m, k, n, (m + 15) / 16, 0, (n + 15) / 16, 32 / size_of(type), type, init, {0}, {0}, {0}};
  p.kb = (k + p.unit - 1) / p.unit;
  p.a = make_block(p.mb * p.kb * 512), p.b = make_block(p.kb * p.nb * 512), p.c = make_block(p.mb * p.nb * 1024);
  fill_random(&p.a, type, kind), fill_random(&p.b, type, kind);
  fill_random(&p.c, type == ACCEL_S8 ? ACCEL_S32 : ACCEL_F32, kind);
  for (int64_t q = k; q < p.kb * p.unit; q++) {
    for (int64_t i = 0; i < p.mb * 16; i++) spoil(at_a(&p, i, q), type);
    for (int64_t j = 0; j < p.nb * 16; j++) spoil(at_b(&p, q, j), type);
  }
  return p;
}

static void free_problem(struct problem *p) { free_block(&p->a), free_block(&p->b), free_block(&p->c); }

static void put_expected_f32(const struct problem *p, unsigned char *c, const float *row, const float *column) {
  float s;
  memcpy(&s, c, 4);
  if (p->init) s = 0;
  for (int64_t q = 0; q < p->k; q++) s = fmaf(row[q], column[q], s);
  memcpy(c, &s, 4);
}

static void put_expected_s8(const struct problem *p, unsigned char *c, const float *row, const float *column) {
  uint32_t s;
  memcpy(&s, c, 4);
  if (p->init) s = 0;
  for (int64_t q = 0; q < p->k; q++) s += (uint32_t)((int)row[q] * (int)column[q]);
  memcpy(c, &s, 4);
}

static void compute_expected(const struct problem *p, const struct block *c) {
  float *a = malloc((size_t)(p->m * p->k) * sizeof *a), *b = malloc((size_t)(p->k * p->n) * sizeof *b);
  assert_true(a && b);
  for (int64_t q = 0; q < p->k; q++) {
    for (int64_t i = 0; i < p->m; i++) a[i * p->k + q] = get_f32(at_a(p, i, q), p->type);
    for (int64_t j = 0; j < p->n; j++) b[j * p->k + q] = get_f32(at_b(p, q, j), p->type);
  }
  for (int64_t i = 0; i < p->m; i++)
    for (int64_t j = 0; j < p->n; j++)
      (p->type == ACCEL_S8 ? put_expected_s8 : put_expected_f32)(p, at_c(p, c, i, j), a + i * p->k, b + j * p->k);
  free(a), free(b);
}

static void check_against(struct problem *p, const struct block *expected, const char *host) {
  unsigned type_c = p->type == ACCEL_S8 ? ACCEL_S32 : ACCEL_F32;
  accel_mad(p->c.bytes, p->a.bytes, p->b.bytes, p->m, p->k, p->n, p->type, p->init);
  for (int64_t i = 0; i < p->m; i++)
    for (int64_t j = 0; j < p->n; j++)
      if (!same_element(at_c(p, &p->c, i, j), at_c(p, expected, i, j), type_c))
        fail_msg("%s: mad.%s%s %d x %d x %d: C(%d, %d) is %a, not %a", host, name_of(p->type), p->init ? ".init" : "",
                 (int)p->m, (int)p->k, (int)p->n, (int)i, (int)j, (double)get_f32(at_c(p, &p->c, i, j), ACCEL_F32),
                 (double)get_f32(at_c(p, expected, i, j), ACCEL_F32));
}

/* Every implementation, each from the same L0C. */
static void check(int64_t m, int64_t k, int64_t n, unsigned type, bool init, int kind) {
  struct problem p = make_problem(m, k, n, type, init, kind);
  struct block before = copy_block(&p.c), expected = copy_block(&p.c);
  const char *host;
  compute_expected(&p, &expected);
  for (int h = 0; (host = accel_mad_use(h)); h++) {
    memcpy(p.c.bytes, before.bytes, before.size);
    check_against(&p, &expected, host);
  }
  assert_non_null(accel_mad_use(0));
  free_problem(&p);
  free_block(&before), free_block(&expected);
}

/* Before any test has chosen one. */
static void unchosen(void **state) {
  (void)state;
  struct problem p = make_problem(20, 20, 20, ACCEL_F16, false, ORDINARY);
  struct block expected = copy_block(&p.c);
  compute_expected(&p, &expected);
  check_against(&p, &expected, "unchosen");
  free_problem(&p), free_block(&expected);
}

static void implementations(void **state) {
  (void)state;
  const char *host, *last = NULL;
  for (int h = 0; (host = accel_mad_use(h)); h++) printf("mad: %s\n", last = host);
  assert_non_null(last);
  assert_string_equal(last, "portable");
}

static void ragged(void **state) {
  (void)state;
  for (int i = 0; i < 250; i++)
    for (int t = 0; t < COUNT(types); t++)
      check(between(1, 40), between(1, 40), between(1, 40), types[t], between(0, 1), (int)between(0, KINDS - 1));
}

/* Around the edges of fractals, and of one to seven of them in n: the tiles' widths. */
static void edges(void **state) {
  (void)state;
  const int64_t ks[] = {1, 7, 8, 9, 15, 16, 17, 31, 32, 33};
  for (int64_t n = 15; n <= 113; n += n % 16 == 1 ? 14 : 1)
    for (int i = 0; i < COUNT(ks); i++)
      for (int t = 0; t < COUNT(types); t++) check(between(15, 17), ks[i], n, types[t], between(0, 1), EXTREME);
}

/* More than one panel of k, and more rows than one panel of A takes. */
static void large(void **state) {
  (void)state;
  const int64_t sizes[][3] = {{192, 128, 48}, {193, 129, 49}, {208, 127, 17},
                              {17, 400, 80},  {1, 1100, 1},   {400, 33, 20}};
  for (int i = 0; i < COUNT(sizes); i++)
    for (int t = 0; t < COUNT(types); t++)
      for (int init = 0; init < 2; init++)
        check(sizes[i][0], sizes[i][1], sizes[i][2], types[t], init, i & 1 ? ANY_BITS : ORDINARY);
}

/* Every product the same: sums beyond what f32 holds exactly, and beyond 32 bits. */
static void check_same_s8(int x) {
  struct problem p = make_problem(16, 2048, 16, ACCEL_S8, false, ORDINARY);
  for (int h = 0; accel_mad_use(h); h++) {
    memset(p.a.bytes, x, p.a.size), memset(p.b.bytes, x, p.b.size);
    for (size_t i = 0; i < p.c.size; i += 4) memcpy(p.c.bytes + i, &(int32_t){INT32_MAX - 5}, 4);
    accel_mad(p.c.bytes, p.a.bytes, p.b.bytes, p.m, p.k, p.n, p.type, p.init);
    for (size_t i = 0; i < p.c.size; i += 4) {
      uint32_t got;
      memcpy(&got, p.c.bytes + i, 4);
      assert_int_equal(got, (uint32_t)INT32_MAX - 5 + (uint32_t)(2048 * x * x));
    }
  }
  accel_mad_use(0);
  free_problem(&p);
}

static void extreme_s8(void **state) {
  (void)state;
  for (int i = 0; i < 20; i++) check(between(1, 20), between(500, 1500), between(1, 20), ACCEL_S8, i & 1, EXTREME);
  check_same_s8(127);
  check_same_s8(-128);
}

/* Adding up in another order, or rounding the product, would give other bits than these. */
static void one_chain(void **state) {
  (void)state;
  struct problem p = make_problem(1, 3, 1, ACCEL_F32, true, ORDINARY);
  const float a[] = {0x1p24f, 1, -0x1p24f}, close[] = {1 + 0x1p-12f, -1, 0};
  float c;
  for (int h = 0; accel_mad_use(h); h++) {
    for (int q = 0; q < 3; q++) put_f32(at_a(&p, 0, q), a[q], ACCEL_F32), put_f32(at_b(&p, q, 0), 1, ACCEL_F32);
    accel_mad(p.c.bytes, p.a.bytes, p.b.bytes, 1, 3, 1, ACCEL_F32, true);
    memcpy(&c, p.c.bytes, 4);
    assert_true(c == 0);
    for (int q = 0; q < 3; q++) put_f32(at_a(&p, 0, q), close[q], ACCEL_F32);
    put_f32(at_b(&p, 0, 0), 1 - 0x1p-12f, ACCEL_F32);
    accel_mad(p.c.bytes, p.a.bytes, p.b.bytes, 1, 3, 1, ACCEL_F32, true);
    memcpy(&c, p.c.bytes, 4);
    assert_true(c == -0x1p-24f);
  }
  accel_mad_use(0);
  free_problem(&p);
}

static void nothing(void **state) {
  (void)state;
  struct block block = make_block(0);
  for (int t = 0; t < COUNT(types); t++)
    for (int zero = 0; zero < 3; zero++)
      accel_mad(block.bytes, block.bytes, block.bytes, zero != 0, zero != 1, zero != 2, types[t], true);
  free_block(&block);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unchosen), cmocka_unit_test(implementations), cmocka_unit_test(ragged),
      cmocka_unit_test(edges),    cmocka_unit_test(large),           cmocka_unit_test(extreme_s8),
      cmocka_unit_test(one_chain), cmocka_unit_test(nothing)};
  start_random();
  return cmocka_run_group_tests_name("mad", tests, NULL, NULL);
}
