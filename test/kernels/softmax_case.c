#include "test/kernels/softmax_case.h"

#include <fenv.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/kernels/softmax_reference.h"

#define MOST_ROWS 100
#define MOST_KEYS 300
#define MOST_WORDS ((size_t)(MOST_ROWS + 2 * TSR_SOFTMAX_PAD) * (MOST_KEYS + 2 * TSR_SOFTMAX_PAD))
#define UNUSED ((int64_t)0x5a5a5a5a5a5a5a58)

static const char *const names[] = {"c", "a", "bias", "max", "sum", "keep", "add", "from", "to", "at", "slope"};

enum theme {
  THEME_NORMAL, THEME_FAR, THEME_INTEGERS, THEME_MASKED, THEME_EQUAL, THEME_SPECIAL, THEME_WIDE, THEME_COUNT
};
static const char *const theme_names[] = {"normal", "far apart", "integers", "partly masked", "equal", "special",
                                          "wide"};

/* The case under construction. */
struct maker {
  struct softmax_case *sc;
  struct rng rng;
  enum theme theme;
  int64_t m, n;
};

static int64_t round_up(int64_t x, int64_t to) { return (x + to - 1) / to * to; }

static float uniform(struct rng *rng, float low, float high) {
  return low + (high - low) * (float)rng_range(rng, 0, 1 << 20) / (1 << 20);
}

static float of_bits(uint64_t bits) {
  uint32_t low = (uint32_t)bits;
  float value;
  memcpy(&value, &low, sizeof value);
  return value;
}

static float number(struct maker *mk) {
  struct rng *rng = &mk->rng;
  switch (mk->theme) {
    case THEME_FAR: return uniform(rng, -300, 300);
    case THEME_INTEGERS: return (float)rng_range(rng, -130, 5);
    case THEME_MASKED: return rng_chance(rng, 40) ? -INFINITY : uniform(rng, -20, 20);
    case THEME_EQUAL: return 3.25f;
    case THEME_SPECIAL:
      if (rng_chance(rng, 90)) return uniform(rng, -9, 9);
      return of_bits(make_value(rng, TSR_F32, FILL_SPECIAL));
    case THEME_WIDE: return of_bits(make_value(rng, TSR_F32, rng_chance(rng, 50) ? FILL_WIDE : FILL_SPECIAL));
    default: return uniform(rng, -20, 20);
  }
}

static bool wild(const struct maker *mk) { return mk->theme == THEME_SPECIAL || mk->theme == THEME_WIDE; }

/* An array of so many words, kept as they are, which hold what no result depends on. */
static struct softmax_array *start(struct maker *mk, enum softmax_operand which, int64_t words) {
  struct softmax_array *array = &mk->sc->array[which];
  array->words = words;
  for (int64_t i = 0; i < words; i++) array->before[i] = uniform(&mk->rng, 1, 2);
  memset(array->kind, WORD_KEPT, (size_t)words);
  return array;
}

/* Rows x columns of words `ld` apart, each row padded to `pad` words of the kind `padding`. */
static void fill_block(struct maker *mk, struct softmax_array *array, int64_t outer, int64_t inner, int64_t pad,
                       int64_t ld, enum word kind, enum word padding) {
  bool same = mk->theme == THEME_MASKED && rng_chance(&mk->rng, 10);
  for (int64_t o = 0; o < outer; o++)
    for (int64_t i = 0; i < pad; i++) {
      if (i < inner) array->before[o * ld + i] = same ? -INFINITY : number(mk);
      array->kind[o * ld + i] = (unsigned char)(i < inner ? kind : padding);
    }
}

static int64_t gap(struct maker *mk) { return rng_chance(&mk->rng, 50) ? 0 : rng_range(&mk->rng, 1, 20); }

/* Scores, their like, and biases: rows along the lanes, or keys. */
static int64_t block(struct maker *mk, enum softmax_operand which, bool keys_along, enum word kind, enum word padding) {
  int64_t outer = keys_along ? mk->m : mk->n, inner = keys_along ? mk->n : mk->m;
  int64_t pad = round_up(inner, keys_along ? 16 : TSR_SOFTMAX_PAD), ld;
  if (which == OPERAND_BIAS && keys_along) pad = inner;
  ld = pad + gap(mk);
  fill_block(mk, start(mk, which, (outer - 1) * ld + pad), outer, inner, pad, ld, kind, padding);
  return ld * 4;
}

static struct softmax_array *rows(struct maker *mk, enum softmax_operand which, enum word kind) {
  int64_t padded = round_up(mk->m, TSR_SOFTMAX_PAD);
  struct softmax_array *array = start(mk, which, padded);
  memset(array->kind, kind, (size_t)mk->m);
  if (kind != WORD_KEPT) memset(array->kind + mk->m, WORD_FREE, (size_t)(padded - mk->m));
  return array;
}

static void put_int(struct softmax_array *array, int64_t i, int64_t value) {
  int32_t word = (int32_t)value;
  memcpy(&array->before[i], &word, sizeof word);
}

static void make_states(struct maker *mk) {
  struct softmax_array *max = rows(mk, OPERAND_MAX, WORD_RESULT), *sum = rows(mk, OPERAND_SUM, WORD_RESULT);
  rows(mk, OPERAND_KEEP, WORD_RESULT);
  rows(mk, OPERAND_ADD, WORD_RESULT);
  for (int64_t i = 0; i < mk->m; i++) {
    bool first = rng_chance(&mk->rng, 30);
    max->before[i] = first ? -INFINITY : wild(mk) ? number(mk) : uniform(&mk->rng, -30, 30);
    if (isnan(max->before[i])) max->before[i] = INFINITY; /* what a row with a NaN has had since */
    sum->before[i] = first ? 0 : wild(mk) ? number(mk) : uniform(&mk->rng, 1, 300);
  }
}

static void make_mask(struct maker *mk) {
  struct softmax_array *from = rows(mk, OPERAND_FROM, WORD_KEPT), *to = rows(mk, OPERAND_TO, WORD_KEPT);
  for (int64_t i = 0; i < from->words; i++) {
    int64_t first = rng_range(&mk->rng, -5, mk->n + 5), past = first + rng_range(&mk->rng, -5, mk->n);
    put_int(from, i, rng_chance(&mk->rng, 10) ? INT_MIN : rng_chance(&mk->rng, 5) ? INT_MAX : first);
    put_int(to, i, rng_chance(&mk->rng, 10) ? INT_MAX : rng_chance(&mk->rng, 5) ? INT_MIN : past);
  }
}

static void make_slope(struct maker *mk) {
  struct softmax_array *slope = rows(mk, OPERAND_SLOPE, WORD_KEPT), *at = rows(mk, OPERAND_AT, WORD_KEPT);
  for (int64_t i = 0; i < at->words; i++) {
    put_int(at, i, rng_range(&mk->rng, -300, 100000));
    slope->before[i] = uniform(&mk->rng, -1, 1);
  }
}

static void make_softmax(struct maker *mk) {
  static const float caps[] = {0.5f, 1, 3, 30, 50, 1e-3f, -2};
  struct softmax_case *sc = mk->sc;
  bool along = sc->op == TSR_OP_SOFTMAX_T, plain = rng_chance(&mk->rng, 40);
  sc->step.csc = block(mk, OPERAND_C, along, WORD_RESULT, along ? WORD_RESULT : WORD_FREE);
  make_states(mk);
  if (sc->op == TSR_OP_SOFTMAX_GRAD) {
    sc->step.csa = block(mk, OPERAND_A, false, WORD_RESULT, WORD_FREE);
    memset(sc->array[OPERAND_MAX].kind, WORD_KEPT, (size_t)sc->array[OPERAND_MAX].words);
    memset(sc->array[OPERAND_SUM].kind, WORD_KEPT, (size_t)sc->array[OPERAND_SUM].words);
    sc->array[OPERAND_KEEP].words = sc->array[OPERAND_ADD].words = 0;
  }
  sc->softmax.cap = rng_chance(&mk->rng, 20) ? -0.0f : 0;
  if (plain) return;
  if (rng_chance(&mk->rng, 40)) sc->softmax.cap = caps[rng_range(&mk->rng, 0, 6)];
  if (rng_chance(&mk->rng, 40)) make_mask(mk);
  if (rng_chance(&mk->rng, 30)) make_slope(mk);
  if (rng_chance(&mk->rng, 30)) sc->softmax.bias_ld = block(mk, OPERAND_BIAS, along, WORD_KEPT, WORD_KEPT);
  if (rng_chance(&mk->rng, 40)) sc->softmax.prefix = (int32_t)rng_range(&mk->rng, -2, mk->n + 2);
}

/* Rows that keep nothing may hold anything. */
static void make_merge(struct maker *mk) {
  struct softmax_case *sc = mk->sc;
  sc->step.csc = block(mk, OPERAND_C, false, WORD_RESULT, WORD_FREE);
  sc->step.csa = block(mk, OPERAND_A, false, WORD_KEPT, WORD_KEPT);
  struct softmax_array *keep = rows(mk, OPERAND_KEEP, WORD_KEPT), *add = rows(mk, OPERAND_ADD, WORD_KEPT);
  for (int64_t i = 0; i < mk->m; i++) {
    keep->before[i] = rng_chance(&mk->rng, 30) ? 0 : wild(mk) ? number(mk) : uniform(&mk->rng, 0, 1);
    add->before[i] = rng_chance(&mk->rng, 20) ? -0.0f : rng_chance(&mk->rng, 30) ? 1 : uniform(&mk->rng, 0, 1);
    for (int64_t j = 0; j < mk->n && keep->before[i] == 0; j++)
      sc->array[OPERAND_C].before[j * sc->step.csc / 4 + i] = NAN;
  }
}

static void point(struct tsr_softmax *sm, void *const *at) {
  sm->max = at[OPERAND_MAX];
  sm->sum = at[OPERAND_SUM];
  sm->keep = at[OPERAND_KEEP];
  sm->add = at[OPERAND_ADD];
  sm->from = at[OPERAND_FROM];
  sm->to = at[OPERAND_TO];
  sm->at = at[OPERAND_AT];
  sm->slope = at[OPERAND_SLOPE];
  sm->bias = (tsr_mem)at[OPERAND_BIAS];
}

static void expect(struct softmax_case *sc) {
  void *at[OPERAND_COUNT];
  for (int i = 0; i < OPERAND_COUNT; i++) {
    struct softmax_array *array = &sc->array[i];
    memcpy(array->expected, array->before, (size_t)array->words * 4);
    at[i] = array->words ? array->expected : NULL;
  }
  struct tsr_softmax sm = sc->softmax;
  point(&sm, at);
  reference_softmax(sc->op, &sc->step, at[OPERAND_A], &sm, at[OPERAND_C]);
}

void softmax_case_create(struct softmax_case *sc) {
  memset(sc, 0, sizeof *sc);
  for (int i = 0; i < OPERAND_COUNT; i++) {
    sc->array[i].before = malloc(MOST_WORDS * 4);
    sc->array[i].expected = malloc(MOST_WORDS * 4);
    sc->array[i].kind = malloc(MOST_WORDS);
    if (sc->array[i].before && sc->array[i].expected && sc->array[i].kind) continue;
    fprintf(stderr, "no memory for test operands\n");
    exit(2);
  }
}

void softmax_case_free(struct softmax_case *sc) {
  for (int i = 0; i < OPERAND_COUNT; i++) {
    free(sc->array[i].before);
    free(sc->array[i].expected);
    free(sc->array[i].kind);
  }
}

static void describe(const struct maker *mk) {
  const struct softmax_case *sc = mk->sc;
  snprintf(mk->sc->text, sizeof mk->sc->text, "%s, m %lld n %lld csc %lld, cap %g%s%s%s prefix %d",
           theme_names[mk->theme], (long long)mk->m, (long long)mk->n, (long long)sc->step.csc / 4,
           (double)sc->softmax.cap, sc->array[OPERAND_FROM].words ? ", masked" : "",
           sc->array[OPERAND_SLOPE].words ? ", slopes" : "", sc->array[OPERAND_BIAS].words ? ", biases" : "",
           sc->softmax.prefix);
}

void softmax_case_make(struct softmax_case *sc, const struct tsr_kernel *kernel, uint64_t seed, int index) {
  struct maker mk = {.sc = sc, .rng = {seed + (uint64_t)kernel->op * 1000003 + (uint64_t)index * 7919}};
  mk.theme = rng_chance(&mk.rng, 30) ? THEME_NORMAL : (enum theme)rng_range(&mk.rng, 0, THEME_COUNT - 1);
  mk.m = index < MOST_ROWS ? index + 1 : rng_range(&mk.rng, 1, rng_chance(&mk.rng, 50) ? 20 : MOST_ROWS);
  mk.n = rng_chance(&mk.rng, 20) ? 256 : rng_range(&mk.rng, 1, rng_chance(&mk.rng, 60) ? 40 : MOST_KEYS);
  sc->op = kernel->op;
  sc->run = kernel->run;
  sc->step = (struct tsr_step){mk.m,   mk.n,   UNUSED, UNUSED, UNUSED,    UNUSED,    UNUSED, UNUSED,
                               UNUSED, UNUSED, UNUSED, 0.0 / 0.0, 0.0 / 0.0, 0, 0.0 / 0.0, 0.0 / 0.0};
  sc->softmax = (struct tsr_softmax){0};
  sc->tame = !wild(&mk) && sc->op != TSR_OP_MERGE && sc->op != TSR_OP_SOFTMAX_GRAD;
  for (int i = 0; i < OPERAND_COUNT; i++) sc->array[i].words = 0;
  if (sc->op == TSR_OP_MERGE)
    make_merge(&mk);
  else
    make_softmax(&mk);
  expect(sc);
  describe(&mk);
}

void softmax_bench_create(struct softmax_bench *bench) {
  memset(bench, 0, sizeof *bench);
  for (int i = 0; i < OPERAND_COUNT; i++) bench->arena[i] = arena_create((size_t)1 << 20);
  bench->step = arena_create(1 << 16);
  bench->softmax = arena_create(1 << 16);
#if defined(__x86_64__)
  bench->has_avx = __builtin_cpu_supports("avx");
#endif
}

#define SAY(...) snprintf(bench->what, sizeof bench->what, __VA_ARGS__)

/* Where a case's operands lie for one call. */
struct placed {
  void *at[OPERAND_COUNT];
  struct tsr_step *step;
  struct tsr_softmax *softmax, before;
};

static void place(struct softmax_bench *bench, const struct softmax_case *sc, enum place where, struct placed *pl) {
  unsigned char *forbidden = bench->step.base - GUARD_BYTES / 2;
  for (int i = 0; i < OPERAND_COUNT; i++) {
    const struct softmax_array *array = &sc->array[i];
    bool optional = i == OPERAND_BIAS || i == OPERAND_FROM || i == OPERAND_SLOPE;
    size_t bytes = (size_t)array->words * 4;
    pl->at[i] = optional ? NULL : forbidden;
    if (!bytes) continue;
    pl->at[i] = arena_place(&bench->arena[i], bytes, where, where == PLACE_START ? 4 * (bytes % 5) : 0);
    margins_paint(&bench->arena[i], pl->at[i], bytes);
    memcpy(pl->at[i], array->before, bytes);
  }
  pl->step = (struct tsr_step *)arena_place(&bench->step, sizeof *pl->step, where, 0);
  memcpy(pl->step, &sc->step, sizeof *pl->step);
  pl->softmax = (struct tsr_softmax *)arena_place(&bench->softmax, sizeof *pl->softmax, where, 0);
  pl->before = sc->softmax;
  point(&pl->before, pl->at);
  memcpy(pl->softmax, &pl->before, sizeof pl->before);
}

static bool right_word(struct softmax_bench *bench, const char *name, const struct softmax_array *array, int64_t i,
                       float was) {
  const float *want = array->kind[i] == WORD_KEPT ? &array->before[i] : &array->expected[i];
  if (array->kind[i] == WORD_FREE || memcmp(&was, want, 4) == 0) return true;
  if (array->kind[i] == WORD_RESULT && isnan(was) && isnan(*want)) return true;
  SAY("word %lld of %s is %a (%g), %s %a (%g)", (long long)i, name, (double)was, (double)was,
      array->kind[i] == WORD_KEPT ? "which it had no business to change from" : "the definition gives", (double)*want,
      (double)*want);
  return false;
}

static bool right_array(struct softmax_bench *bench, const struct softmax_case *sc, int which, const float *at) {
  const struct softmax_array *array = &sc->array[which];
  if (!array->words) return true;
  int64_t stray = margins_check(&bench->arena[which], (const unsigned char *)at, (size_t)array->words * 4);
  if (stray)
    SAY("wrote at byte %lld of %s, which has %lld", (long long)stray, names[which], (long long)array->words * 4);
  for (int64_t i = 0; i < array->words && !stray; i++)
    if (!right_word(bench, names[which], array, i, at[i])) return false;
  return !stray;
}

static bool right_registers(struct softmax_bench *bench, const struct probe *probe) {
  static const char *const registers[] = PROBE_NAMES;
  for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++) {
    if ((bench->plain_c && strcmp(registers[i], "x18") == 0) || probe->in[i] == probe->out[i]) continue;
    SAY("did not preserve %s", registers[i]);
    return false;
  }
  return true;
}

static bool right_flags(struct softmax_bench *bench, const struct softmax_case *sc, int flags) {
  if (!sc->tame || !(flags & (FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW))) return true;
  SAY("raised %s", flags & FE_INVALID ? "invalid" : flags & FE_OVERFLOW ? "overflow" : "division by zero");
  return false;
}

static bool faulted(struct softmax_bench *bench, const struct placed *pl, const struct softmax_case *sc,
                    struct fault fault) {
  if (!fault.signal) return false;
  SAY("signal %d at address %#llx", fault.signal, (unsigned long long)fault.address);
  for (int i = 0; i < OPERAND_COUNT; i++) {
    uintptr_t start = (uintptr_t)pl->at[i], end = start + (uintptr_t)sc->array[i].words * 4;
    if (!sc->array[i].words || fault.address + GUARD_BYTES < start || fault.address >= end + GUARD_BYTES) continue;
    SAY("touched memory at byte %lld of %s, which has %lld", (long long)(fault.address - start), names[i],
        (long long)(end - start));
  }
  return true;
}

static bool check_placed(struct softmax_bench *bench, const struct softmax_case *sc, enum place where) {
  struct placed pl;
  struct probe probe = {.check_upper = bench->has_avx && !bench->plain_c};
  for (int i = 0; i < PROBE_REGISTERS; i++) probe.in[i] = UINT64_C(0xdeadbeef00000000) + (uint64_t)(i + 1) * 0x01010101;
  place(bench, sc, where, &pl);
  feclearexcept(FE_ALL_EXCEPT);
  struct fault fault = guarded_call(sc->run, pl.step, (tsr_mem)pl.at[OPERAND_A], (tsr_mem)pl.softmax,
                                    (tsr_mem)pl.at[OPERAND_C], &probe);
  int flags = fetestexcept(FE_ALL_EXCEPT);
  bool right = !faulted(bench, &pl, sc, fault) && right_registers(bench, &probe);
  if (!right) fesetenv(FE_DFL_ENV);
  for (int i = 0; i < OPERAND_COUNT && right; i++) right = right_array(bench, sc, i, pl.at[i]);
  if (right && memcmp(pl.softmax, &pl.before, sizeof pl.before) != 0) SAY("changed struct tsr_softmax"), right = false;
  if (right && memcmp(pl.step, &sc->step, sizeof sc->step) != 0) SAY("changed the step"), right = false;
  return right && right_flags(bench, sc, flags);
}

bool softmax_check(struct softmax_bench *bench, const struct softmax_case *sc) {
  bench->what[0] = 0;
  for (int where = 0; where < PLACE_COUNT; where++)
    if (!check_placed(bench, sc, (enum place)where)) return false;
  return true;
}
