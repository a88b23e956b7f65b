/* tsr_gemm on simulated devices: equal bits with the loop that defines it, under a race detector and in random legal
 * orders, and what happens to calls that cannot be served. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/accel_sim/sim/move.h"
#include "tessera/tessera.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static uint64_t state = 1;

static uint64_t next_random(void) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static int64_t size_of(tsr_type type) {
  return type == TSR_F16 || type == TSR_BF16 ? 2 : type == TSR_S8 ? 1 : 4;
}

/* Elements as doubles would not do: s32 and f32 as they are, the rest widened exactly. */
static float get_float(const unsigned char *at, tsr_type type) {
  uint16_t half;
  float value;
  if (type == TSR_F32) return memcpy(&value, at, 4), value;
  memcpy(&half, at, 2);
  return type == TSR_F16 ? accel_f16_to_f32(half) : accel_bf16_to_f32(half);
}

static void put_float(unsigned char *at, tsr_type type, float value) {
  uint16_t half;
  if (type == TSR_F32) {
    memcpy(at, &value, 4);
    return;
  }
  half = type == TSR_F16 ? accel_f32_to_f16(value) : accel_f32_to_bf16(value);
  memcpy(at, &half, 2);
}

static void fill(unsigned char *at, int64_t n, tsr_type type) {
  for (int64_t i = 0; i < n; i++) {
    uint64_t r = next_random();
    if (type == TSR_S8)
      at[i] = (unsigned char)r;
    else if (type == TSR_S32)
      memcpy(at + 4 * i, &r, 4);
    else
      put_float(at + i * size_of(type), type, (float)((int64_t)(r % 4001) - 2000) / 512.0f);
  }
}

struct problem {
  tsr_gemm_desc d;
  int64_t a_elements, b_elements, c_elements;
  unsigned char *a, *b, *c, *expected;
};

static int64_t offset(const tsr_gemm_desc *d, tsr_trans trans, int64_t ld, int64_t i, int64_t j) {
  bool by_rows = (d->order == TSR_ROW_MAJOR) == (trans == TSR_NO_TRANS);
  return by_rows ? i * ld + j : j * ld + i;
}

static int64_t elements(const tsr_gemm_desc *d, tsr_trans trans, int64_t rows, int64_t cols, int64_t *ld) {
  bool by_rows = (d->order == TSR_ROW_MAJOR) == (trans == TSR_NO_TRANS);
  int64_t inner = by_rows ? cols : rows, outer = by_rows ? rows : cols;
  *ld = (inner > 0 ? inner : 1) + (int64_t)(next_random() % 5);
  return *ld * (outer > 0 ? outer : 1);
}

static void expect_floats(struct problem *p) {
  const tsr_gemm_desc *d = &p->d;
  float alpha = (float)d->alpha, beta = (float)d->beta;
  int64_t size = size_of(d->type), size_c = size_of(d->type_c);
  for (int64_t i = 0; i < d->m; i++)
    for (int64_t j = 0; j < d->n; j++) {
      unsigned char *c = p->expected + offset(d, TSR_NO_TRANS, d->ldc, i, j) * size_c;
      float y = beta == 0 ? 0 : beta * get_float(c, d->type_c);
      for (int64_t p0 = 0; alpha != 0 && p0 < d->k; p0 += 4096) {
        float s = 0;
        for (int64_t q = p0; q < d->k && q < p0 + 4096; q++)
          s = fmaf(get_float(p->a + offset(d, d->trans_a, d->lda, i, q) * size, d->type),
                   get_float(p->b + offset(d, d->trans_b, d->ldb, q, j) * size, d->type), s);
        y = fmaf(alpha, s, y);
      }
      put_float(c, d->type_c, y);
    }
}

static void expect_integers(struct problem *p) {
  const tsr_gemm_desc *d = &p->d;
  for (int64_t i = 0; i < d->m; i++)
    for (int64_t j = 0; j < d->n; j++) {
      unsigned char *c = p->expected + 4 * offset(d, TSR_NO_TRANS, d->ldc, i, j);
      uint32_t old, sum = 0;
      memcpy(&old, c, 4);
      for (int64_t q = 0; q < d->k; q++)
        sum += (uint32_t)((signed char)p->a[offset(d, d->trans_a, d->lda, i, q)] *
                          (signed char)p->b[offset(d, d->trans_b, d->ldb, q, j)]);
      sum = (uint32_t)(int32_t)d->alpha * sum + (d->beta == 0 ? 0 : (uint32_t)(int32_t)d->beta * old);
      memcpy(c, &sum, 4);
    }
}

static void make(struct problem *p) {
  tsr_gemm_desc *d = &p->d;
  p->a_elements = elements(d, d->trans_a, d->m, d->k, &d->lda);
  p->b_elements = elements(d, d->trans_b, d->k, d->n, &d->ldb);
  p->c_elements = elements(d, TSR_NO_TRANS, d->m, d->n, &d->ldc);
  p->a = malloc((size_t)(p->a_elements * size_of(d->type)));
  p->b = malloc((size_t)(p->b_elements * size_of(d->type)));
  p->c = malloc((size_t)(p->c_elements * size_of(d->type_c)));
  p->expected = malloc((size_t)(p->c_elements * size_of(d->type_c)));
  fill(p->a, p->a_elements, d->type);
  fill(p->b, p->b_elements, d->type);
  fill(p->c, p->c_elements, d->type_c);
  memcpy(p->expected, p->c, (size_t)(p->c_elements * size_of(d->type_c)));
  d->type == TSR_S8 ? expect_integers(p) : expect_floats(p);
}

static void drop(struct problem *p) {
  free(p->a);
  free(p->b);
  free(p->c);
  free(p->expected);
}

static void *on_device(tsr_context *context, const void *from, int64_t bytes) {
  void *address = NULL;
  assert_int_equal(tsr_device_alloc(context, (size_t)bytes, &address), TSR_OK);
  assert_int_equal(tsr_copy_to_device(context, address, from, (size_t)bytes), TSR_OK);
  return address;
}

#define assert_ok(call)                                            \
  do {                                                             \
    if ((call) != TSR_OK) fail_msg(#call ": %s", tsr_last_error()); \
  } while (0)

/* Whether the device gives the loop's bits, rows and gaps of C included. */
static void check(tsr_context *context, struct problem *p, const char *what) {
  const tsr_gemm_desc *d = &p->d;
  int64_t size = size_of(d->type), bytes = p->c_elements * size_of(d->type_c);
  void *a = on_device(context, p->a, p->a_elements * size), *b = on_device(context, p->b, p->b_elements * size);
  void *c = on_device(context, p->c, bytes);
  assert_ok(tsr_gemm(context, d, a, b, c));
  assert_ok(tsr_copy_from_device(context, p->c, c, (size_t)bytes));
  if (memcmp(p->c, p->expected, (size_t)bytes) != 0) {
    int64_t at = 0;
    while (p->c[at] == p->expected[at]) at++;
    at /= size_of(d->type_c);
    fail_msg("%s: %lldx%lldx%lld type %d to %d trans %d %d order %d alpha %g beta %g: element %lld (ldc %lld) differs",
             what, (long long)d->m, (long long)d->n, (long long)d->k, d->type, d->type_c, d->trans_a, d->trans_b,
             d->order, d->alpha, d->beta, (long long)at, (long long)d->ldc);
  }
  assert_ok(tsr_device_free(context, a));
  assert_ok(tsr_device_free(context, b));
  assert_ok(tsr_device_free(context, c));
}

static void check_one(tsr_context *context, const char *what, tsr_type type, tsr_type type_c, int64_t m, int64_t n,
                      int64_t k, int layout, double alpha, double beta) {
  struct problem p = {.d = TSR_GEMM_DESC};
  p.d.type = type;
  p.d.type_c = type_c;
  p.d.m = m, p.d.n = n, p.d.k = k;
  p.d.trans_a = layout & 1 ? TSR_TRANS : TSR_NO_TRANS;
  p.d.trans_b = layout & 2 ? TSR_TRANS : TSR_NO_TRANS;
  p.d.order = layout & 4 ? TSR_COL_MAJOR : TSR_ROW_MAJOR;
  p.d.alpha = alpha;
  p.d.beta = beta;
  make(&p);
  check(context, &p, what);
  drop(&p);
}

static const struct {
  tsr_type type, type_c;
} pairs[] = {{TSR_F16, TSR_F32}, {TSR_F16, TSR_F16}, {TSR_BF16, TSR_F32}, {TSR_BF16, TSR_BF16}, {TSR_S8, TSR_S32}};

static tsr_context *open_device(const char *name) {
  tsr_context *context = NULL;
  assert_ok(tsr_context_create(name, &context));
  return context;
}

static const char *const models[] = {"accel:910b,races", "accel:310p,races"};

static void all_types_and_layouts(void **unused) {
  (void)unused;
  static const int64_t sizes[][3] = {{1, 1, 1}, {16, 16, 16}, {17, 33, 65}, {40, 7, 130}, {130, 300, 70}};
  for (size_t model = 0; model < COUNT(models); model++) {
    tsr_context *context = open_device(models[model]);
    for (size_t pair = 0; pair < COUNT(pairs); pair++)
      for (int layout = 0; layout < 8; layout++)
        for (size_t s = 0; s < COUNT(sizes); s++)
          check_one(context, models[model], pairs[pair].type, pairs[pair].type_c, sizes[s][0], sizes[s][1], sizes[s][2],
                    layout, 1, 0);
    tsr_context_destroy(context);
  }
}

static void alpha_and_beta(void **unused) {
  (void)unused;
  static const double scalars[][2] = {{1, 1}, {2, 0}, {-3, 2}, {0, 2}, {0, 0}, {1, 0}};
  for (size_t model = 0; model < COUNT(models); model++) {
    tsr_context *context = open_device(models[model]);
    for (size_t pair = 0; pair < COUNT(pairs); pair++)
      for (size_t s = 0; s < COUNT(scalars); s++) {
        int layout = (int)(next_random() % 8);
        check_one(context, models[model], pairs[pair].type, pairs[pair].type_c, 35, 50, 90, layout, scalars[s][0],
                  scalars[s][1]);
        check_one(context, models[model], pairs[pair].type, pairs[pair].type_c, 35, 50, 0, layout, scalars[s][0],
                  scalars[s][1]);
      }
    tsr_context_destroy(context);
  }
}

/* More than one block of KB: C is rounded once all the same. */
static void long_k(void **unused) {
  (void)unused;
  tsr_context *context = open_device("accel:910b,races");
  for (size_t pair = 0; pair < COUNT(pairs); pair++)
    for (int64_t k = 4095; k < 8300; k += 2049)
      check_one(context, "long k", pairs[pair].type, pairs[pair].type_c, 18, 20, k, (int)(next_random() % 8), 2, 3);
  tsr_context_destroy(context);
}

static void random_sizes_in_random_orders(void **unused) {
  (void)unused;
  for (int i = 0; i < 40; i++) {
    char name[64];
    size_t pair = next_random() % COUNT(pairs);
    snprintf(name, sizeof name, "accel:%s,races,shuffle=%d", i % 2 ? "310p" : "910b", i + 1);
    tsr_context *context = open_device(name);
    check_one(context, name, pairs[pair].type, pairs[pair].type_c, 1 + (int64_t)(next_random() % 400),
              1 + (int64_t)(next_random() % 400), 1 + (int64_t)(next_random() % 700), (int)(next_random() % 8), 1,
              (double)(next_random() % 2));
    tsr_context_destroy(context);
  }
}

/* A second call reads what the first wrote, although both were only queued. */
static void calls_follow_one_another(void **unused) {
  (void)unused;
  enum { N = 96 };
  tsr_context *context = open_device("accel:910b,races");
  struct problem p = {.d = TSR_GEMM_DESC};
  p.d.type = p.d.type_c = TSR_F16;
  p.d.m = p.d.n = p.d.k = N;
  make(&p);
  p.d.lda = p.d.ldb = p.d.ldc = N;
  void *a = on_device(context, p.a, N * N * 2), *b = on_device(context, p.b, N * N * 2);
  void *c = on_device(context, p.c, N * N * 2), *e = on_device(context, p.c, N * N * 2);
  assert_ok(tsr_gemm(context, &p.d, a, b, c));
  assert_ok(tsr_gemm(context, &p.d, c, b, e));
  expect_floats(&p); /* expected = A B */
  unsigned char *first = malloc(N * N * 2), *old = p.a;
  memcpy(first, p.expected, N * N * 2);
  p.a = first;
  expect_floats(&p); /* expected = (A B) B */
  p.a = old;
  free(first);
  assert_ok(tsr_copy_from_device(context, p.c, e, N * N * 2));
  assert_memory_equal(p.c, p.expected, N * N * 2);
  drop(&p);
  tsr_context_destroy(context);
}

static void batches(void **unused) {
  (void)unused;
  enum { BATCH = 5, M = 20, N = 30, K = 40 };
  tsr_context *context = open_device("accel:910b,races");
  unsigned char *a = malloc(BATCH * M * K * 2), *b = malloc(K * N * 2), *c = malloc(BATCH * M * N * 4);
  fill(a, BATCH * M * K, TSR_BF16);
  fill(b, K * N, TSR_BF16);
  void *da = on_device(context, a, BATCH * M * K * 2), *db = on_device(context, b, K * N * 2);
  void *dc = on_device(context, c, BATCH * M * N * 4);
  tsr_gemm_desc d = TSR_GEMM_DESC;
  d.type = TSR_BF16, d.type_c = TSR_F32;
  d.m = M, d.n = N, d.k = K, d.lda = K, d.ldb = N, d.ldc = N;
  assert_ok(tsr_gemm_batch_strided(context, &d, BATCH, da, M * K, db, 0, dc, M * N));
  assert_ok(tsr_copy_from_device(context, c, dc, BATCH * M * N * 4));
  for (int i = 0; i < BATCH; i++) {
    struct problem p = {.d = d, .a = a + i * M * K * 2, .b = b, .expected = calloc(M * N, 4)};
    expect_floats(&p);
    assert_memory_equal(c + i * M * N * 4, p.expected, M * N * 4);
    free(p.expected);
  }
  free(a);
  free(b);
  free(c);
  tsr_context_destroy(context);
}

static void assert_said(tsr_status got, tsr_status want, const char *word) {
  assert_int_equal(got, want);
  if (!strstr(tsr_last_error(), word)) fail_msg("\"%s\" does not say \"%s\"", tsr_last_error(), word);
}

static void bad_requests(void **unused) {
  (void)unused;
  tsr_context *context = NULL;
  assert_said(tsr_context_create("accel:911x", &context), TSR_INVALID_ARGUMENT, "910b");
  assert_said(tsr_context_create("gpu:1", &context), TSR_INVALID_ARGUMENT, "accel");
  assert_said(tsr_context_create("accel:910b,fast", &context), TSR_INVALID_ARGUMENT, "races");
  assert_said(tsr_context_create("accel:./missing.chip", &context), TSR_INVALID_ARGUMENT, "missing.chip");
  context = open_device("accel:910b");
  void *address = NULL;
  char host[16] = {0};
  assert_said(tsr_device_alloc(context, (size_t)1 << 50, &address), TSR_OUT_OF_MEMORY, "bytes");
  assert_ok(tsr_device_alloc(context, 16, &address));
  assert_said(tsr_copy_to_device(context, (char *)address + 8, host, 16), TSR_INVALID_ARGUMENT, "allocation");
  assert_ok(tsr_device_free(context, address));
  assert_said(tsr_device_free(context, address), TSR_INVALID_ARGUMENT, "freed");
  assert_said(tsr_copy_from_device(context, host, address, 16), TSR_INVALID_ARGUMENT, "allocation");
  tsr_gemm_desc d = TSR_GEMM_DESC;
  d.m = d.n = d.k = d.lda = d.ldb = d.ldc = 1;
  assert_said(tsr_gemm(context, &d, address, address, address), TSR_INVALID_ARGUMENT, "TSR_F16");
  assert_said(tsr_device_alloc(NULL, 16, &address), TSR_UNSUPPORTED, "tsr_context_create");
  d.type = TSR_F16;
  assert_said(tsr_gemm(context, &d, address, address, address), TSR_INVALID_ARGUMENT, "allocation");
  assert_ok(tsr_device_alloc(context, 64, &address));
  d.m = d.n = d.k = d.lda = d.ldb = d.ldc = (int64_t)1 << 28;
  assert_said(tsr_gemm(context, &d, address, address, address), TSR_INVALID_ARGUMENT, "c: ");
  d.m = d.n = d.k = d.lda = d.ldb = d.ldc = 4;
  assert_said(tsr_gemm(context, &d, host, address, address), TSR_INVALID_ARGUMENT, "a: ");
  assert_said(tsr_gemm(context, &d, address, host, address), TSR_INVALID_ARGUMENT, "b: ");
  tsr_context_destroy(context);
}

static void use_after_destroy(void **unused) {
  (void)unused;
  tsr_context *context = open_device("accel:910b");
  tsr_gemm_desc d = TSR_GEMM_DESC;
  void *a = NULL;
  char host[8];
  d.type = TSR_F16;
  d.m = d.n = d.k = d.lda = d.ldb = d.ldc = 2;
  assert_ok(tsr_device_alloc(context, 8, &a));
  tsr_context_destroy(context);
  assert_said(tsr_gemm(context, &d, a, a, a), TSR_INVALID_ARGUMENT, "destroyed");
  assert_said(tsr_device_alloc(context, 8, &a), TSR_INVALID_ARGUMENT, "destroyed");
  assert_said(tsr_device_free(context, a), TSR_INVALID_ARGUMENT, "destroyed");
  assert_said(tsr_copy_from_device(context, host, a, 8), TSR_INVALID_ARGUMENT, "destroyed");
  assert_said(tsr_synchronize(context), TSR_INVALID_ARGUMENT, "destroyed");
  tsr_context_destroy(context);
}

/* A device that stops while it runs says so, and stays stopped. */
static void faults_surface(void **unused) {
  (void)unused;
  tsr_context *context = open_device("accel:910b,cycles=100");
  void *a = NULL;
  tsr_gemm_desc d = TSR_GEMM_DESC;
  d.type = TSR_F16, d.type_c = TSR_F32;
  d.m = d.n = d.k = d.lda = d.ldb = d.ldc = 64;
  assert_ok(tsr_device_alloc(context, 64 * 64 * 4, &a));
  assert_ok(tsr_gemm(context, &d, a, a, a));
  assert_said(tsr_synchronize(context), TSR_DEVICE_FAULT, "cycle");
  assert_said(tsr_gemm(context, &d, a, a, a), TSR_DEVICE_FAULT, "stopped");
  tsr_context_destroy(context);
}

static void events_tell_time(void **unused) {
  (void)unused;
  tsr_context *context = open_device("accel:910b,time-only");
  tsr_event *from = NULL, *to = NULL;
  tsr_gemm_desc d = TSR_GEMM_DESC;
  void *a = NULL;
  double seconds = 0;
  d.type = TSR_F16, d.type_c = TSR_F32;
  d.m = d.n = d.k = d.lda = d.ldb = d.ldc = 1024;
  assert_ok(tsr_device_alloc(context, 1024 * 1024 * 4, &a));
  assert_ok(tsr_event_create(context, &from));
  assert_ok(tsr_event_create(context, &to));
  assert_said(tsr_event_seconds(from, to, &seconds), TSR_INVALID_ARGUMENT, "never recorded");
  assert_ok(tsr_event_record(from));
  assert_ok(tsr_gemm(context, &d, a, a, a));
  assert_ok(tsr_event_record(to));
  assert_said(tsr_event_seconds(from, to, &seconds), TSR_INVALID_ARGUMENT, "tsr_synchronize");
  assert_ok(tsr_synchronize(context));
  assert_ok(tsr_event_seconds(from, to, &seconds));
  assert_true(seconds > 2.0 * 1024 * 1024 * 1024 / 364e12); /* no faster than the cubes */
  assert_true(seconds < 1e-3);
  tsr_event_destroy(from);
  tsr_event_destroy(to);
  tsr_context_destroy(context);
}

int main(void) {
  const char *seed = getenv("TESSERA_TEST_SEED");
  if (seed) state = strtoull(seed, NULL, 0) | 1;
  printf("seed %llu (set TESSERA_TEST_SEED to change it)\n", (unsigned long long)state);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_types_and_layouts), cmocka_unit_test(alpha_and_beta),
      cmocka_unit_test(long_k),                cmocka_unit_test(random_sizes_in_random_orders),
      cmocka_unit_test(calls_follow_one_another), cmocka_unit_test(batches),
      cmocka_unit_test(bad_requests),          cmocka_unit_test(faults_surface),
      cmocka_unit_test(events_tell_time),      cmocka_unit_test(use_after_destroy),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
