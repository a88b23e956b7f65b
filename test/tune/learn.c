/* Learning on a family of shapes whose times are known: the model errs by class, smoothly over the place. */
#include "src/tune/learn.h"

#include <fenv.h>
#include <time.h>

#include "test/tune/random.h"

enum { CLASSES = 6, PLANS = 40, TUNED = 100, MEASURED = 12, FAMILIES = 20, UNSEEN = 100 };

/* The model's error for a class: a wave over the octaves, on top of what all classes share. */
struct family {
  struct rng rng;
  double height[CLASSES], slope[CLASSES][3], phase[CLASSES], common, own;
};

struct shape {
  double where[TSR_PLACE];
  int class[PLANS];
  double time[PLANS], predicted[PLANS];
};

static void make_family(struct family *f, uint64_t seed, double steep, double height, double own) {
  f->rng.state = seed;
  f->common = 0.2;
  f->own = own;
  for (int c = 0; c < CLASSES; c++) {
    f->height[c] = height * (0.5 + uniform(&f->rng));
    f->phase[c] = 6.28 * uniform(&f->rng);
    for (int d = 0; d < 3; d++) f->slope[c][d] = steep * (2 * uniform(&f->rng) - 1);
  }
}

static void make_shape(struct family *f, struct shape *s) {
  s->where[3] = 0;
  for (int p = 0; p < PLANS; p++) {
    int c = s->class[p] = p % CLASSES;
    double wave = f->phase[c];
    for (int d = 0; d < 3; d++) wave += f->slope[c][d] * s->where[d];
    s->predicted[p] = 1e-3 * exp(0.5 * uniform(&f->rng) * uniform(&f->rng));
    s->time[p] = s->predicted[p] * exp(f->common + f->height[c] * sin(wave) + f->own * normal(&f->rng));
  }
}

/* How far the plan that the corrected model likes best is behind the best. */
static double gap(const struct tsr_learned *learned, const struct shape *s) {
  struct tsr_correction correction;
  double best = HUGE_VAL, least = HUGE_VAL, chosen = 0;
  tsr_learned_at(learned, s->where, &correction);
  for (int p = 0; p < PLANS; p++) {
    double expected = s->predicted[p] * tsr_correction_factor(&correction, s->class[p]);
    best = fmin(best, s->time[p]);
    if (expected < least) least = expected, chosen = s->time[p];
  }
  return chosen / best - 1;
}

/* Measures what a search would: the plans that the model likes best. */
static int measure(struct family *f, const struct shape *s, struct tsr_lesson *samples) {
  bool taken[PLANS] = {false};
  for (int i = 0; i < MEASURED; i++) {
    int next = -1;
    for (int p = 0; p < PLANS; p++)
      if (!taken[p] && (next < 0 || s->predicted[p] < s->predicted[next])) next = p;
    taken[next] = true;
    samples[i] = (struct tsr_lesson){.class = s->class[next], .predicted = s->predicted[next],
                                     .measured = s->time[next] * exp(0.02 * normal(&f->rng))};
    memcpy(samples[i].where, s->where, sizeof s->where);
  }
  return MEASURED;
}

struct gaps {
  double before, after;
};

/* Families whose classes' errors have waves of so many octaves and the given height; each tuned on some shapes, then
 * asked for others within an octave of one of those. */
static struct gaps gaps_of(int tuned_shapes, double octaves, double height, double own) {
  static struct tsr_lesson samples[TUNED * MEASURED];
  static struct shape tuned[TUNED], unseen;
  struct gaps gaps = {0, 0};
  for (int family = 0; family < FAMILIES; family++) {
    struct family f;
    int n = 0;
    make_family(&f, test_seed() * 31 + (uint64_t)family, 6.28 / octaves, height, own);
    for (int i = 0; i < tuned_shapes; i++) {
      for (int d = 0; d < 3; d++) tuned[i].where[d] = 5 + 8 * uniform(&f.rng);
      make_shape(&f, &tuned[i]);
      n += measure(&f, &tuned[i], samples + n);
    }
    struct tsr_learned *learned = tsr_learn(samples, n);
    assert_non_null(learned);
    for (int i = 0; i < UNSEEN; i++) {
      for (int d = 0; d < 3; d++) unseen.where[d] = tuned[i % tuned_shapes].where[d] + 2 * uniform(&f.rng) - 1;
      make_shape(&f, &unseen);
      gaps.before += gap(NULL, &unseen) / (FAMILIES * UNSEEN);
      gaps.after += gap(learned, &unseen) / (FAMILIES * UNSEEN);
    }
    tsr_learned_free(learned);
  }
  printf("%3d shapes tuned, classes off %2.0f %% in waves of %.0f octaves, plans %.0f %%: unseen shapes were %.2f %% "
         "behind, now %.2f %%\n", tuned_shapes, 100 * height, octaves, 100 * own, 100 * gaps.before, 100 * gaps.after);
  return gaps;
}

static void half_of_the_gap_is_closed_nearby(void **state) {
  (void)state;
  struct gaps many = gaps_of(100, 13, 0.1, 0.01), few = gaps_of(10, 13, 0.1, 0.01);
  struct gaps rough = gaps_of(100, 13, 0.05, 0.02);
  assert_true(many.after < 0.5 * many.before);
  assert_true(few.after < 0.5 * few.before);
  assert_true(rough.after < 0.5 * rough.before);
}

/* Where errors follow no class, there is nothing to learn, and believing it must not cost. */
static void nothing_to_learn_costs_nothing(void **state) {
  (void)state;
  struct gaps gaps = gaps_of(10, 13, 0, 0.05);
  assert_true(gaps.after < 1.07 * gaps.before);
}

static double factor_at(const struct tsr_learned *learned, const double *where, int class) {
  struct tsr_correction correction;
  tsr_learned_at(learned, where, &correction);
  return tsr_correction_factor(&correction, class);
}

static struct tsr_lesson sample(double m, int class, double ratio) {
  return (struct tsr_lesson){.where = {m, 8, 8, 0}, .class = class, .measured = ratio * 1e-3, .predicted = 1e-3};
}

static void far_away_nothing_changes(void **state) {
  (void)state;
  struct tsr_lesson samples[] = {sample(8, 1, 1.3), sample(8, 2, 0.8), sample(8.5, 1, 1.3)};
  struct tsr_learned *learned = tsr_learn(samples, 3);
  double near[] = {8, 8, 8, 0}, far[] = {8, 8, 11.1, 0}, other[] = {8, 8, 8, 10}, between[] = {8, 8, 9.5, 0};
  assert_true(factor_at(learned, near, 1) > 1.1);
  assert_true(factor_at(learned, near, 2) < 0.95);
  assert_true(factor_at(learned, between, 1) > 1.02 && factor_at(learned, between, 1) < factor_at(learned, near, 1));
  for (int d = 0; d < 3; d++) { /* alike along all axes, and in both directions */
    double up[] = {8, 8, 8, 0}, down[] = {8, 8, 8, 0};
    up[d] += 1.5, down[d] -= 1.5;
    assert_true(factor_at(learned, up, 2) < 0.99 && factor_at(learned, down, 2) < 0.99);
    up[d] += 2.1, down[d] -= 1.6;
    assert_true(factor_at(learned, up, 2) == 1 && factor_at(learned, down, 2) == 1);
  }
  for (int class = 0; class < 4; class++) {
    assert_true(factor_at(learned, far, class) == 1);
    assert_true(factor_at(learned, other, class) == 1);
    assert_true(factor_at(NULL, near, class) == 1);
  }
  tsr_learned_free(learned);
}

/* A machine that is slower than the model believes says nothing about one class against another. */
static void what_all_share_does_not_rank(void **state) {
  (void)state;
  struct tsr_lesson samples[12];
  double near[] = {8, 8, 8, 0};
  for (int i = 0; i < 12; i++) samples[i] = sample(7.5 + 0.1 * i, i % 4, 1.5);
  struct tsr_learned *learned = tsr_learn(samples, 12);
  double known = factor_at(learned, near, 1), unknown = factor_at(learned, near, 9);
  assert_true(known > 1.35 && known <= 1.5);
  assert_true(unknown > 1.25 && unknown <= known);
  tsr_learned_free(learned);
}

/* It is taken for the machine rather than for the class, and for a factor of 2 at most. */
static void one_wild_sample_is_bounded(void **state) {
  (void)state;
  struct tsr_lesson samples[21];
  double near[] = {8, 8, 8, 0};
  samples[0] = sample(8, 1, 1e6);
  struct tsr_learned *learned = tsr_learn(samples, 1);
  double alone = factor_at(learned, near, 1), other = factor_at(learned, near, 2);
  tsr_learned_free(learned);
  for (int i = 1; i < 21; i++) samples[i] = sample(7.5 + 0.1 * (i / 2), 1 + i % 2, 1.02);
  learned = tsr_learn(samples, 21);
  double among = factor_at(learned, near, 1), beside = factor_at(learned, near, 2);
  tsr_learned_free(learned);
  printf("a sample a million times too slow: alone %.3f, for another class %.3f; among ten at 1.02 %.3f and %.3f\n",
         alone, other, among, beside);
  assert_true(alone <= 2 && alone < 1.2 * other);
  assert_true(among < 1.08 * beside && among < 1.1);
}

static void bad_samples_are_skipped(void **state) {
  (void)state;
  double bad[] = {0, -1, NAN, HUGE_VAL}, near[] = {8, 8, 8, 0}, nowhere[] = {NAN, 8, 8, 0}, beyond[] = {1e300, 0, 0, 0};
  struct tsr_lesson samples[16];
  int n = 0;
  for (int i = 0; i < 4; i++) {
    samples[n] = sample(8, 1, 1);
    samples[n++].measured = bad[i];
    samples[n] = sample(8, 1, 2);
    samples[n++].predicted = bad[i];
  }
  samples[n++] = sample(NAN, 1, 2);
  samples[n++] = sample(HUGE_VAL, 1, 2);
  struct tsr_learned *learned = tsr_learn(samples, n);
  assert_non_null(learned);
  assert_true(factor_at(learned, near, 1) == 1);
  tsr_learned_free(learned);
  samples[n++] = sample(8, 1, 1.5);
  learned = tsr_learn(samples, n);
  assert_true(factor_at(learned, near, 1) > 1.2);
  assert_true(factor_at(learned, nowhere, 1) == 1);
  assert_true(factor_at(learned, beyond, 1) == 1);
  tsr_learned_free(learned);
  learned = tsr_learn(NULL, 0);
  assert_true(factor_at(learned, near, 1) == 1);
  tsr_learned_free(learned);
}

/* More classes than are told apart: the first count, and nothing is written beyond. */
static void many_classes(void **state) {
  (void)state;
  static struct tsr_lesson samples[3 * TSR_LEARN_CLASSES];
  double near[] = {8, 8, 8, 0};
  for (int i = 0; i < 3 * TSR_LEARN_CLASSES; i++) samples[i] = sample(8, 1000 - i, i % 2 ? 1.4 : 0.7);
  struct tsr_learned *learned = tsr_learn(samples, 3 * TSR_LEARN_CLASSES);
  double common = factor_at(learned, near, -7);
  assert_true(factor_at(learned, near, 999) > 1.1 && factor_at(learned, near, 1000) < 0.9);
  assert_true(factor_at(learned, near, 1000 - TSR_LEARN_CLASSES) == common);
  tsr_learned_free(learned);
}

static void queries_are_quick_and_raise_no_flags(void **state) {
  (void)state;
  enum { SAMPLES = 1000, QUERIES = 2000 };
  static struct tsr_lesson samples[SAMPLES];
  struct rng rng = {test_seed()};
  struct timespec start, end;
  struct tsr_correction correction;
  double least = HUGE_VAL, sum = 0;
  for (int i = 0; i < SAMPLES; i++) {
    samples[i] = sample(0, (int)(CLASSES * uniform(&rng)), exp(0.1 * normal(&rng)));
    for (int d = 0; d < 3; d++) samples[i].where[d] = i % MEASURED ? samples[i - 1].where[d] : 5 + 8 * uniform(&rng);
  }
  feclearexcept(FE_ALL_EXCEPT);
  struct tsr_learned *learned = tsr_learn(samples, SAMPLES);
  double where[] = {9.1, 9.3, 9.7, 0};
  tsr_learned_at(learned, where, &correction);
  double factor = tsr_correction_factor(&correction, 1);
  assert_int_equal(fetestexcept(FE_ALL_EXCEPT), 0);
  assert_true(factor != 1);
  for (int round = 0; round < 5; round++) {
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < QUERIES; i++) {
      where[0] = 5 + 8.0 * i / QUERIES;
      tsr_learned_at(learned, where, &correction);
      sum += tsr_correction_factor(&correction, 1);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    least = fmin(least, (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec));
  }
  printf("%.0f ns to look a place and a class up among %d samples\n", 1e9 * least / QUERIES, SAMPLES);
  assert_true(sum > 0);
  assert_true(least / QUERIES < 20e-6); /* ten times what it takes: sanitizers, other machines */
  tsr_learned_free(learned);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(half_of_the_gap_is_closed_nearby), cmocka_unit_test(far_away_nothing_changes),
    cmocka_unit_test(nothing_to_learn_costs_nothing),
    cmocka_unit_test(what_all_share_does_not_rank),     cmocka_unit_test(one_wild_sample_is_bounded),
    cmocka_unit_test(bad_samples_are_skipped),          cmocka_unit_test(many_classes),
    cmocka_unit_test(queries_are_quick_and_raise_no_flags),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
