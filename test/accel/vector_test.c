/* The vector unit, one element at a time and by other means: f64 where that is exact, a wider exp, IEEE's own rules. */
#include "test/accel/bytes.h"

enum { MOST = 600 };

struct shape {
  enum accel_opcode op;
  unsigned types;
  int vectors; /* that are read beside d: a, b */
  bool scalar;
};

#define ALL (ACCEL_F32 | ACCEL_F16 | ACCEL_S32)
static const struct shape shapes[] = {
    {ACCEL_V_ADD, ALL, 2, false},
    {ACCEL_V_SUB, ALL, 2, false},
    {ACCEL_V_MUL, ALL, 2, false},
    {ACCEL_V_DIV, ACCEL_F32 | ACCEL_F16, 2, false},
    {ACCEL_V_MAX, ALL, 2, false},
    {ACCEL_V_MIN, ALL, 2, false},
    {ACCEL_V_FMA, ACCEL_F32, 2, false},
    {ACCEL_V_ADDS, ALL, 1, true},
    {ACCEL_V_MULS, ALL, 1, true},
    {ACCEL_V_FMAS, ACCEL_F32, 1, true},
    {ACCEL_V_DUP, ALL, 0, true},
    {ACCEL_V_EXP, ACCEL_F32 | ACCEL_F16, 1, false},
    {ACCEL_V_SQRT, ACCEL_F32 | ACCEL_F16, 1, false},
};

static const char *const names[ACCEL_OPCODES] = {
#define ACCEL_OP(name, mnemonic, pipe, operands, types) [ACCEL_##name] = mnemonic,
#include "kernels/accel_sim/sim/isa.def"
#undef ACCEL_OP
};

static float greater(float a, float b) {
  if (isnan(a) || isnan(b)) return NAN;
  return a > b || (a == b && signbit(b)) ? a : b;
}

/* f32 from f64 where that rounds as if once; x * y + z exactly so is fmaf's. */
static float expect_f32(enum accel_opcode op, float x, float y, float z) {
  switch (op) {
    case ACCEL_V_ADD:
    case ACCEL_V_ADDS: return (float)((double)x + (double)y);
    case ACCEL_V_SUB: return (float)((double)x - (double)y);
    case ACCEL_V_MUL:
    case ACCEL_V_MULS: return (float)((double)x * (double)y);
    case ACCEL_V_DIV: return (float)((double)x / (double)y);
    case ACCEL_V_MAX: return greater(x, y);
    case ACCEL_V_MIN: return -greater(-x, -y);
    case ACCEL_V_FMA:
    case ACCEL_V_FMAS: return fmaf(x, y, z);
    case ACCEL_V_EXP: return (float)expl((long double)x);
    case ACCEL_V_SQRT: return (float)sqrt((double)x);
    case ACCEL_V_DUP: return y;
    default: fail(); return 0;
  }
}

static int64_t expect_s32(enum accel_opcode op, int64_t x, int64_t y) {
  switch (op) {
    case ACCEL_V_ADD:
    case ACCEL_V_ADDS: return x + y;
    case ACCEL_V_SUB: return x - y;
    case ACCEL_V_MUL:
    case ACCEL_V_MULS: return x * y;
    case ACCEL_V_MAX: return x > y ? x : y;
    case ACCEL_V_MIN: return x < y ? x : y;
    case ACCEL_V_DUP: return y;
    default: fail(); return 0;
  }
}

/* An element of d before and after. a and b may be NULL. */
static void expect_element(enum accel_opcode op, unsigned type, unsigned char *d, const unsigned char *a,
                           const unsigned char *b) {
  if (type == ACCEL_S32) {
    int32_t x = 0, y = 0;
    if (a) memcpy(&x, a, 4);
    if (b) memcpy(&y, b, 4);
    memcpy(d, &(uint32_t){(uint32_t)expect_s32(op, x, y)}, 4);
  } else {
    put_f32(d, expect_f32(op, a ? get_f32(a, type) : 0, b ? get_f32(b, type) : 0, get_f32(d, type)), type);
  }
}

static void assert_same_elements(const struct block *got, const struct block *expected, unsigned type,
                                 enum accel_opcode op, int64_t n) {
  for (size_t i = 0; i < got->size; i += (size_t)size_of(type))
    if (!same_element(got->bytes + i, expected->bytes + i, type)) {
      uint32_t is = 0, wanted = 0;
      memcpy(&is, got->bytes + i, (size_t)size_of(type)), memcpy(&wanted, expected->bytes + i, (size_t)size_of(type));
      fail_msg("%s with %s, %d elements: number %d is %#x, not %#x", names[op], name_of(type), (int)n,
               (int)i / size_of(type), is, wanted);
    }
}

/* alias: 0: three vectors; 1: d is a; 2: d is b; 3: all are one. What fills the scalar's register beyond the element
 * does not count. */
static void check_elementwise(const struct shape *s, unsigned type, int64_t n, int kind, int alias) {
  int size = size_of(type);
  struct block d = make_block(n * size), a = make_block(n * size), b = make_block(n * size), expected;
  uint64_t scalar = next_random();
  unsigned char element[4];
  put_random(element, type, kind);
  memcpy(&scalar, element, (size_t)size);
  fill_random(&d, type, kind), fill_random(&a, type, kind), fill_random(&b, type, kind);
  const struct block *first = alias & 1 ? &d : &a, *second = alias & 2 ? &d : &b;
  expected = copy_block(&d);
  for (int64_t i = 0; i < n; i++) {
    const unsigned char *y = s->scalar ? element : s->vectors == 2 ? second->bytes + i * size : NULL;
    expect_element(s->op, type, expected.bytes + i * size, s->vectors ? first->bytes + i * size : NULL, y);
  }
  accel_vector(s->op, type, d.bytes, s->vectors ? first->bytes : NULL, s->vectors == 2 ? second->bytes : NULL, scalar,
               n);
  assert_same_elements(&d, &expected, type, s->op, n);
  free_block(&d), free_block(&a), free_block(&b), free_block(&expected);
}

static void elementwise(void **state) {
  (void)state;
  const int64_t sizes[] = {0, 1, 2, 63, 64, 65, 127, 128, 129, 256, 257};
  for (int s = 0; s < COUNT(shapes); s++)
    for (unsigned type = 1; type <= ACCEL_S32; type *= 2)
      for (int i = 0; i < 40 && type & shapes[s].types; i++)
        check_elementwise(&shapes[s], type, i < COUNT(sizes) ? sizes[i] : between(1, MOST), i % KINDS, i / 3 % 4);
}

/* Every f16 there is. */
static void every_f16(void **state) {
  (void)state;
  struct block a = make_block(65536 * 2), d = make_block(65536 * 2), expected = make_block(65536 * 2);
  for (int i = 0; i < 65536; i++) memcpy(a.bytes + 2 * i, &(uint16_t){(uint16_t)i}, 2);
  const enum accel_opcode ops[] = {ACCEL_V_EXP, ACCEL_V_SQRT};
  for (int o = 0; o < COUNT(ops); o++) {
    for (int i = 0; i < 65536; i++) expect_element(ops[o], ACCEL_F16, expected.bytes + 2 * i, a.bytes + 2 * i, NULL);
    accel_vector(ops[o], ACCEL_F16, d.bytes, a.bytes, NULL, 0, 65536);
    assert_same_elements(&d, &expected, ACCEL_F16, ops[o], 65536);
  }
  free_block(&a), free_block(&d), free_block(&expected);
}

/* Where e^x is neither 0 nor Inf, about where it begins to be, and about 1. */
static void exponentials(void **state) {
  (void)state;
  const float around[] = {88.72284f, -103.97208f, -87.33655f, 0,           -0.0f,
                          0x1p-24f,  -0x1p-25f,   1,          0.34657359f, -0.34657359f};
  enum { N = 200000 };
  struct block a = make_block(N * 4), expected = make_block(N * 4);
  for (int i = 0; i < N; i++) {
    float x = (float)between(-(1 << 24), 1 << 24) * (110 * 0x1p-24f);
    if (i % 4 == 0) x = float_of(bits_of(around[i / 4 % COUNT(around)]) + (uint32_t)between(-2000, 2000));
    put_f32(a.bytes + i * 4, x, ACCEL_F32);
    expect_element(ACCEL_V_EXP, ACCEL_F32, expected.bytes + i * 4, a.bytes + i * 4, NULL);
  }
  accel_vector(ACCEL_V_EXP, ACCEL_F32, a.bytes, a.bytes, NULL, 0, N);
  assert_same_elements(&a, &expected, ACCEL_F32, ACCEL_V_EXP, N);
  free_block(&a), free_block(&expected);
}

/* Without a fused fma this is 0. */
static void fused(void **state) {
  (void)state;
  float d[65], a[65];
  for (int i = 0; i < 65; i++) d[i] = -1, a[i] = 1 + 0x1p-12f;
  uint64_t scalar = bits_of(1 - 0x1p-12f);
  accel_vector(ACCEL_V_FMAS, ACCEL_F32, (unsigned char *)d, (unsigned char *)a, NULL, scalar, 65);
  for (int i = 0; i < 65; i++) assert_true(d[i] == -0x1p-24f);
}

static void put_reduced(unsigned char *d, bool sum, const unsigned char *a, int64_t n, unsigned type) {
  float s = get_f32(a, type);
  for (int64_t i = 1; i < n; i++) {
    float x = get_f32(a + i * size_of(type), type);
    s = sum ? (float)((double)s + (double)x) : greater(s, x);
  }
  put_f32(d, s, type);
}

/* group: elements that become one. */
static void check_reduction(enum accel_opcode op, unsigned type, int64_t n, int64_t group, int kind) {
  int size = size_of(type);
  struct block a = make_block(n * size), d = make_block((n + group - 1) / group * size), expected = copy_block(&d);
  fill_random(&a, type, kind);
  bool sum = op == ACCEL_V_GADD || op == ACCEL_V_RADD;
  for (int64_t at = 0; at < n; at += group)
    put_reduced(expected.bytes + at / group * size, sum, a.bytes + at * size, n - at < group ? n - at : group, type);
  accel_vector(op, type, d.bytes, a.bytes, NULL, 0, n);
  assert_same_elements(&d, &expected, type, op, n);
  free_block(&a), free_block(&d), free_block(&expected);
}

static void reductions(void **state) {
  (void)state;
  const unsigned types[] = {ACCEL_F32, ACCEL_F16};
  for (int i = 0; i < 120; i++)
    for (int t = 0; t < 2; t++) {
      int64_t n = i < 70 ? i : between(70, MOST), whole = n ? n : 1, group = 32 / size_of(types[t]);
      check_reduction(ACCEL_V_GMAX, types[t], n, group, i % KINDS);
      check_reduction(ACCEL_V_GADD, types[t], n, group, i % KINDS);
      check_reduction(ACCEL_V_RMAX, types[t], n, whole, i % KINDS);
      check_reduction(ACCEL_V_RADD, types[t], n, whole, i % KINDS);
    }
}

/* Random values have few runs without a NaN: zeros of both signs, and one NaN anywhere. */
static void zeros_and_one_nan(void **state) {
  (void)state;
  for (int i = 0; i < 200; i++) {
    float a[100], d;
    int n = (int)between(1, 100);
    bool minus = true;
    for (int j = 0; j < n; j++) minus &= signbit(a[j] = between(0, n) ? -0.0f : 0.0f) != 0;
    accel_vector(ACCEL_V_RMAX, ACCEL_F32, (unsigned char *)&d, (unsigned char *)a, NULL, 0, n);
    assert_true(d == 0 && (signbit(d) != 0) == minus);
    accel_vector(ACCEL_V_RADD, ACCEL_F32, (unsigned char *)&d, (unsigned char *)a, NULL, 0, n);
    assert_true(d == 0 && (signbit(d) != 0) == minus);
    a[between(0, n - 1)] = NAN;
    accel_vector(ACCEL_V_RMAX, ACCEL_F32, (unsigned char *)&d, (unsigned char *)a, NULL, 0, n);
    assert_true(isnan(d));
  }
}

static void check_to_f32(unsigned type, int64_t n, int kind) {
  struct block a = make_block(n * size_of(type)), d = make_block(n * 4), expected = copy_block(&d);
  fill_random(&a, type, kind);
  for (int64_t i = 0; i < n; i++) {
    int32_t integer;
    const unsigned char *at = a.bytes + i * size_of(type);
    if (type == ACCEL_S32) memcpy(&integer, at, 4);
    put_f32(expected.bytes + i * 4, type == ACCEL_S32 ? (float)(double)integer : get_f32(at, type), ACCEL_F32);
  }
  accel_vector(ACCEL_V_TO_F32, type, d.bytes, a.bytes, NULL, 0, n);
  assert_same_elements(&d, &expected, ACCEL_F32, ACCEL_V_TO_F32, n);
  free_block(&a), free_block(&d), free_block(&expected);
}

static int32_t expect_to_s32(float x) {
  double nearest = floor((double)x + 0.5), back = nearest - x;
  if (back == 0.5 && fmod(nearest, 2) != 0) nearest -= 1;
  return isnan(x) ? 0 : nearest > INT32_MAX ? INT32_MAX : nearest < INT32_MIN ? INT32_MIN : (int32_t)nearest;
}

/* in_place: the wider elements' room takes the narrower ones. */
static void check_from_f32(unsigned type, int64_t n, int kind, bool in_place) {
  int size = size_of(type);
  struct block a = make_block(n * 4), d = make_block(n * size), expected = copy_block(&d);
  fill_random(&a, ACCEL_F32, kind);
  for (int64_t i = 0; i < n; i++) {
    float x = get_f32(a.bytes + i * 4, ACCEL_F32) * (type == ACCEL_S32 && i & 1 ? 4 : 1);
    int32_t integer = expect_to_s32(x);
    put_f32(a.bytes + i * 4, x, ACCEL_F32);
    if (type == ACCEL_S32)
      memcpy(expected.bytes + i * 4, &integer, 4);
    else
      put_f32(expected.bytes + i * size, x, type);
  }
  accel_vector(ACCEL_V_FROM_F32, type, in_place ? a.bytes : d.bytes, a.bytes, NULL, 0, n);
  if (in_place) memcpy(d.bytes, a.bytes, d.size);
  assert_same_elements(&d, &expected, type, ACCEL_V_FROM_F32, n);
  free_block(&a), free_block(&d), free_block(&expected);
}

static void conversions(void **state) {
  (void)state;
  const unsigned types[] = {ACCEL_F16, ACCEL_BF16, ACCEL_S32};
  for (int i = 0; i < 150; i++)
    for (int t = 0; t < COUNT(types); t++) {
      check_to_f32(types[t], i < 70 ? i : between(70, MOST), i % KINDS);
      check_from_f32(types[t], i < 70 ? i : between(70, MOST), i % KINDS, i & 1);
    }
}

static void to_s32(void **state) {
  (void)state;
  const struct { float from; int32_t to; } known[] = {
      {0.5f, 0},
      {1.5f, 2},
      {2.5f, 2},
      {-0.5f, 0},
      {-1.5f, -2},
      {-2.5f, -2},
      {-0.0f, 0},
      {0x1p31f, INT32_MAX},
      {-0x1p31f, INT32_MIN},
      {0x1.fffffep30f, 2147483520},
      {1e30f, INT32_MAX},
      {INFINITY, INT32_MAX},
      {-INFINITY, INT32_MIN},
      {NAN, 0},
      {-NAN, 0},
  };
  for (int i = 0; i < COUNT(known); i++) {
    int32_t got;
    accel_vector(ACCEL_V_FROM_F32, ACCEL_S32, (unsigned char *)&got, (const unsigned char *)&known[i].from, NULL, 0, 1);
    assert_int_equal(got, known[i].to);
  }
}

static void broadcasts(void **state) {
  (void)state;
  const unsigned types[] = {ACCEL_F32, ACCEL_F16};
  for (int t = 0; t < COUNT(types); t++)
    for (int n = 0; n < 70; n++) {
      int size = size_of(types[t]);
      struct block a = make_block(n * size), d = make_block(n * 32), expected = copy_block(&d);
      fill_random(&a, types[t], n % KINDS);
      for (int i = 0; i < n * 32 / size; i++)
        memcpy(expected.bytes + i * size, a.bytes + i * size / 32 * size, (size_t)size);
      accel_vector(ACCEL_V_BCAST, types[t], d.bytes, a.bytes, NULL, 0, n);
      assert_same_elements(&d, &expected, types[t], ACCEL_V_BCAST, n * 32 / size);
      free_block(&a), free_block(&d), free_block(&expected);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(elementwise),       cmocka_unit_test(every_f16),   cmocka_unit_test(exponentials),
      cmocka_unit_test(fused),             cmocka_unit_test(reductions),  cmocka_unit_test(zeros_and_one_nan),
      cmocka_unit_test(conversions),       cmocka_unit_test(to_s32),
      cmocka_unit_test(broadcasts)};
  start_random();
  return cmocka_run_group_tests_name("vector", tests, NULL, NULL);
}
