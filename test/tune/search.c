/* The search on machines made of numbers: what is fastest is known, and so is the noise. */
#include "src/tune/search.h"

#include <fenv.h>

#include "tessera/tessera.h"
#include "test/tune/random.h"

enum { CLASSES = 5, MOST = 1000 };

/* Times, what a model believes of them, and what a run shows. */
struct machine {
  struct rng rng;
  int n, default_index, class[MOST];
  double time[MOST], predicted[MOST];
  double noise, drift, walk, spikes; /* of one run, between neighbours in time, so far, share of runs */
  double bursts;                     /* how often somebody takes half the machine for about five runs */
  bool broken[MOST], busy;
};

static void add_noise(struct machine *m) {
  m->noise = 0.03;
  m->drift = 0.0134; /* a slow walk: 30 % */
  m->walk = 0.3 * normal(&m->rng);
  m->spikes = 0.05;
}

static double run(struct machine *m, int i) {
  if (m->broken[i]) return 0;
  m->walk = 0.999 * m->walk + m->drift * normal(&m->rng);
  double log_time = m->noise * normal(&m->rng) + m->walk;
  m->busy = uniform(&m->rng) < (m->busy ? 0.8 : m->bursts);
  if (m->busy) log_time += log(2);
  if (uniform(&m->rng) < m->spikes) log_time += log(2 + uniform(&m->rng) * 2);
  return m->time[i] * exp(log_time);
}

/* Plans whose times spread over a factor of two or so; the model errs by class and by plan; the default is what the
 * model likes best. */
static void make(struct machine *m, uint64_t seed, int n, double spread, double class_error, double plan_error) {
  double error[CLASSES];
  memset(m, 0, sizeof *m);
  m->rng.state = seed;
  m->n = n;
  for (int c = 0; c < CLASSES; c++) error[c] = class_error * normal(&m->rng);
  for (int i = 0; i < n; i++) {
    m->class[i] = (int)(uniform(&m->rng) * CLASSES);
    m->time[i] = 1e-3 * exp(spread * uniform(&m->rng));
    m->predicted[i] = m->time[i] * exp(error[m->class[i]] + plan_error * normal(&m->rng));
    if (m->predicted[i] < m->predicted[m->default_index]) m->default_index = i;
  }
}

static double best_of(const struct machine *m) {
  double best = HUGE_VAL;
  for (int i = 0; i < m->n; i++)
    if (!m->broken[i]) best = fmin(best, m->time[i]);
  return best;
}

static struct tsr_search_space space_of(const struct machine *m) {
  return (struct tsr_search_space){.n = m->n, .default_index = m->default_index, .predicted = m->predicted,
                                   .classes = m->class, .user = m};
}

static struct tsr_search_result search_space(struct machine *m, const struct tsr_search_space *space,
                                             const struct tsr_search_options *options) {
  struct tsr_search_result result;
  struct tsr_search *search = tsr_search_start(space, options);
  assert_non_null(search);
  double spent = 0;
  for (int i; (i = tsr_search_next(search)) >= 0;) {
    double seconds = run(m, i);
    spent += seconds;
    assert_int_equal(tsr_search_next(search), i);
    assert_true(tsr_search_tell(search, i, seconds));
  }
  tsr_search_result(search, &result);
  assert_true(fabs(result.spent - spent) <= 1e-9 * spent);
  tsr_search_end(search);
  return result;
}

static struct tsr_search_result search(struct machine *m, const struct tsr_search_options *options) {
  struct tsr_search_space space = space_of(m);
  return search_space(m, &space, options);
}

struct tally {
  int searches, wins, wrong;
  double regret, before, runs, measured;
};

static void count_result(struct tally *t, const struct machine *m, const struct tsr_search_result *r) {
  double best = best_of(m), standard = m->time[m->default_index], won = m->time[r->winner];
  t->searches++;
  t->wins += r->significant;
  t->wrong += won > 1.01 * standard;
  t->regret += won / best - 1;
  t->before += standard / best - 1;
  t->runs += r->runs;
  t->measured += r->measured;
}

static void print_tally(const char *what, const struct tally *t) {
  double n = t->searches;
  printf("%-34s default %5.2f %% behind the best, after the search %5.2f %%; wins %.1f %%, wrong %.2f %%; %.1f plans, "
         "%.1f runs\n", what, 100 * t->before / n, 100 * t->regret / n, 100 * t->wins / n, 100 * t->wrong / n,
         t->measured / n, t->runs / n);
}

enum weather { QUIET, NOISY, BURSTS };

static struct tally many(const char *what, int searches, int n, double spread, double class_error, double plan_error,
                         enum weather weather) {
  struct tally tally = {0};
  static struct machine m;
  for (int i = 0; i < searches; i++) {
    make(&m, test_seed() * 1000003 + (uint64_t)i, n, spread, class_error, plan_error);
    if (weather != QUIET) add_noise(&m);
    if (weather == BURSTS) m.bursts = 0.02;
    struct tsr_search_result r = search(&m, NULL);
    assert_in_range(r.measured, 1, 12);
    assert_in_range(r.runs, 1, 84);
    count_result(&tally, &m, &r);
  }
  print_tally(what, &tally);
  return tally;
}

static void finds_the_best_in_noise(void **state) {
  (void)state;
  struct tally tallies[] = {
    many("off 8 % by class, 3 % by plan", 400, 60, 0.7, 0.08, 0.03, NOISY),
    many("off 15 % and 5 %", 400, 60, 0.7, 0.15, 0.05, NOISY),
    many("off 3 % and 5 %", 400, 200, 0.7, 0.03, 0.05, NOISY),
    many("off 8 % and 3 %, bursts", 400, 60, 0.7, 0.08, 0.03, BURSTS),
    many("off 8 % and 3 %, quiet", 400, 60, 0.7, 0.08, 0.03, QUIET),
  };
  for (int i = 0; i < 5; i++) {
    struct tally *t = &tallies[i];
    assert_true(t->regret < (i == 0 ? 0.015 : i == 4 ? 0.002 : 0.02) * t->searches);
    assert_true(t->regret < 0.7 * t->before);
    assert_true(t->wrong <= 0.025 * t->searches);
  }
}

static void keeps_the_default_among_equals(void **state) {
  (void)state;
  for (int weather = QUIET; weather <= BURSTS; weather++) {
    struct tally t = many("all equal", 1000, 60, 0, 0.08, 0.03, (enum weather)weather);
    assert_true(t.wins <= 0.03 * t.searches);
  }
}

/* A space of 10 x 10 x 10 plans: one time in the middle of a bowl, with a class that is chosen by the first two
 * numbers, and a model whose error has a part by class, a smooth part and a part of each plan's own. */
enum { SIDE = 10 };

static void make_grid(struct machine *m, uint64_t seed, double by_class, double smooth, double own) {
  double centre[3], width[3], slope[3], bend[3], error[4];
  memset(m, 0, sizeof *m);
  m->rng.state = seed;
  m->n = SIDE * SIDE * SIDE;
  for (int d = 0; d < 3; d++) {
    centre[d] = (SIDE - 1) * uniform(&m->rng);
    width[d] = 0.005 + 0.02 * uniform(&m->rng);
    slope[d] = normal(&m->rng);
    bend[d] = 6.28 * uniform(&m->rng);
  }
  for (int c = 0; c < 4; c++) error[c] = by_class * normal(&m->rng);
  for (int i = 0; i < m->n; i++) {
    double at[3] = {i % SIDE, i / SIDE % SIDE, (double)(i / SIDE / SIDE)}, log_time = 0, wave = 0;
    for (int d = 0; d < 3; d++) {
      log_time += width[d] * (at[d] - centre[d]) * (at[d] - centre[d]);
      wave += slope[d] * sin(0.6 * at[d] + bend[d]);
    }
    m->class[i] = (at[0] >= SIDE / 2) + 2 * (at[1] >= SIDE / 2);
    m->time[i] = 1e-3 * exp(log_time + 0.03 * fabs(normal(&m->rng)));
    m->predicted[i] = m->time[i] * exp(error[m->class[i]] + smooth * 0.8 * wave + own * normal(&m->rng));
    if (m->predicted[i] < m->predicted[m->default_index]) m->default_index = i;
  }
}

static double steps_apart(const void *user, int i, int j) {
  (void)user;
  double a = i % SIDE - j % SIDE, b = i / SIDE % SIDE - j / SIDE % SIDE, c = i / SIDE / SIDE - j / SIDE / SIDE;
  return sqrt(a * a + b * b + c * c);
}

static double best_at_random(struct machine *m, int runs) {
  double best = m->time[m->default_index];
  for (int i = 1; i < runs; i++) best = fmin(best, m->time[(int)(uniform(&m->rng) * m->n)]);
  return best;
}

static double best_predicted(const struct machine *m, int runs) {
  double best = HUGE_VAL, after = 0;
  for (int i = 0; i < runs; i++) {
    int next = -1;
    for (int j = 0; j < m->n; j++)
      if (m->predicted[j] > after && (next < 0 || m->predicted[j] < m->predicted[next])) next = j;
    after = m->predicted[next];
    best = fmin(best, m->time[next]);
  }
  return best;
}

static void grids(const char *what, double by_class, double smooth, double own) {
  struct tally tally = {0};
  static struct machine m;
  double random = 0, ranked = 0, worst = 0;
  int within = 0;
  for (int i = 0; i < 200; i++) {
    make_grid(&m, test_seed() * 7000003 + (uint64_t)i, by_class, smooth, own);
    struct tsr_search_space space = space_of(&m);
    struct tsr_search_options options = {.most_measured = m.n / 20, .exact = true};
    space.distance = steps_apart;
    struct tsr_search_result r = search_space(&m, &space, &options);
    assert_in_range(r.measured, 1, m.n / 20);
    assert_int_equal(r.runs, r.measured);
    count_result(&tally, &m, &r);
    double best = best_of(&m), regret = m.time[r.winner] / best - 1;
    within += regret <= 0.03;
    worst = fmax(worst, regret);
    random += best_at_random(&m, r.runs) / best - 1;
    ranked += best_predicted(&m, r.runs) / best - 1;
  }
  print_tally(what, &tally);
  printf("  in 3 %%: %d of 200, worst %.2f %%; as many at random: %.2f %%; by prediction alone: %.2f %%\n", within,
         100 * worst, 100 * random / 200, 100 * ranked / 200);
  assert_true(tally.regret < 0.03 * tally.searches);
  assert_true(tally.regret < 0.5 * random);
  assert_true(tally.regret < 0.8 * ranked);
}

static void exact_runs_find_the_best(void **state) {
  (void)state;
  grids("exact, off 10 % class 8 % smooth 8 %", 0.10, 0.08, 0.08);
  grids("exact, off 15 % class", 0.15, 0, 0.02);
  grids("exact, off 15 % smooth", 0, 0.15, 0.02);
  grids("exact, off 15 % own", 0, 0, 0.15);
}

static void a_failed_candidate_never_wins(void **state) {
  (void)state;
  static struct machine m;
  for (int i = 0; i < 200; i++) {
    make(&m, test_seed() * 31 + (uint64_t)i, 40, 0.7, 0.1, 0.03);
    if (i % 2) add_noise(&m);
    for (int j = 0; j < m.n; j++) m.broken[j] = j != m.default_index && (j % 3 == 0 || m.time[j] == best_of(&m));
    struct tsr_search_options options = {.exact = i % 2 == 0};
    struct tsr_search_result r = search(&m, &options);
    assert_false(m.broken[r.winner] || m.broken[r.contender]);
    m.broken[m.default_index] = true;
    r = search(&m, &options);
    assert_int_equal(r.winner, m.default_index);
    assert_false(r.significant);
    assert_int_equal(r.runs, 1);
  }
}

/* Whoever was far ahead and then fails loses, whenever it was. */
static void failing_late_is_failing(void **state) {
  (void)state;
  for (int when = 0; when < 60; when++) {
    double predicted[] = {1, 1, 1, 1, 1, 1, 1, 1};
    struct tsr_search_space space = {.n = 8, .predicted = predicted};
    struct tsr_search *search = tsr_search_start(&space, NULL);
    struct tsr_search_result result;
    bool failed = false;
    int runs = 0;
    for (int i; (i = tsr_search_next(search)) >= 0; runs++) {
      bool fails = i == 3 && runs >= when;
      failed = failed || fails;
      assert_true(tsr_search_tell(search, i, fails ? NAN : i == 3 ? 0.5 : i == 4 ? 0.8 : 1));
    }
    tsr_search_result(search, &result);
    if (!failed)
      assert_int_equal(result.winner, 3);
    else if (when < 8)
      assert_int_equal(result.winner, 4);
    else
      assert_int_not_equal(result.winner, 3);
    tsr_search_end(search);
  }
}

/* The default fails when all the others are clearly faster: there is nothing left that they could be compared with. */
static void without_a_default_there_is_no_verdict(void **state) {
  (void)state;
  for (int when = 0; when < 20; when++) {
    double predicted[] = {1, 1, 1, 1, 1, 1};
    struct tsr_search_space space = {.n = 6, .predicted = predicted, .default_index = 5};
    struct tsr_search_options options = {.exact = when == 0};
    struct tsr_search *search = tsr_search_start(&space, &options);
    struct tsr_search_result result;
    int runs = 0;
    for (int i; (i = tsr_search_next(search)) >= 0;)
      assert_true(tsr_search_tell(search, i, i != 5 ? 0.5 - 0.05 * i : runs++ >= when ? 0 : 1));
    tsr_search_result(search, &result);
    assert_int_equal(result.winner, runs > when ? 5 : 4);
    assert_int_equal(result.significant, runs <= when);
    tsr_search_end(search);
  }
}

/* The machine halves its speed while the last candidates are run for the first time, and the best is one of them. */
static void what_all_share_is_taken_out(void **state) {
  (void)state;
  double predicted[12];
  for (int i = 0; i < 12; i++) predicted[i] = 1 + 0.001 * i;
  struct tsr_search_space space = {.n = 12, .predicted = predicted};
  struct tsr_search *search = tsr_search_start(&space, NULL);
  struct tsr_search_result result;
  struct tsr_search_point point;
  int runs = 0;
  for (int i; (i = tsr_search_next(search)) >= 0; runs++)
    tsr_search_tell(search, i, (i == 11 ? 0.7 : predicted[i]) * (runs < 8 ? 1 : 2));
  tsr_search_result(search, &result);
  assert_int_equal(result.winner, 11);
  assert_true(fabs(result.ratio - 0.7) < 1e-6);
  for (int i = 0; i < result.measured; i++) {
    tsr_search_history(search, i, &point);
    double expected = point.candidate == 11 ? 1.4 : 2 * predicted[point.candidate];
    assert_true(fabs(point.seconds - expected) < 0.02 * expected);
  }
  tsr_search_end(search);
}

/* A little behind in each final round: five of those are enough. */
static void hopeless_finalists_are_dropped(void **state) {
  (void)state;
  double predicted[] = {1, 1};
  struct tsr_search_space space = {.n = 2, .predicted = predicted};
  struct tsr_search *search = tsr_search_start(&space, NULL);
  struct tsr_search_result result;
  for (int i; (i = tsr_search_next(search)) >= 0;) tsr_search_tell(search, i, i ? 1.01 : 1);
  tsr_search_result(search, &result);
  assert_int_equal(result.winner, 0);
  assert_int_equal(result.runs, 10);
  tsr_search_end(search);
}

static void budgets_are_kept(void **state) {
  (void)state;
  static struct machine m;
  for (int i = 0; i < 400; i++) {
    make(&m, test_seed() * 37 + (uint64_t)i, 1 + i % 50, 0.7, 0.1, 0.03);
    add_noise(&m);
    struct tsr_search_options options = {.exact = i % 5 == 0};
    options.most_measured = 1 + i % 20;
    options.most_runs = 1 + i * 7 % 150;
    if (i % 3 == 0) options.most_seconds = 1e-3 * (i % 90);
    struct tsr_search_result r = search(&m, &options);
    assert_true(r.measured <= options.most_measured);
    assert_true(r.runs <= options.most_runs);
    /* The last run may be one that was disturbed, and the machine slower than when it was last asked. */
    if (options.most_seconds > 0) assert_true(r.spent < options.most_seconds + 10 * m.time[r.winner] * exp(m.walk));
  }
  make(&m, 1, 50, 0.7, 0.1, 0.03);
  for (int ms = 12; ms < 200; ms++) { /* a budget that allows a few final rounds is used for them */
    struct tsr_search_options options = {.most_seconds = 1e-3 * ms};
    struct tsr_search_result r = search(&m, &options);
    assert_true(r.spent <= options.most_seconds);
    if (ms >= 40) assert_true(r.rounds >= 6);
  }
}

/* Runs on a quiet machine: each figure of the verdict is known. */
static void the_verdict_says_what_was_measured(void **state) {
  (void)state;
  double predicted[] = {2, 2, 2, 2, 2}, time[] = {2, 1.8, 1, 1.5, 4};
  int classes[] = {7, 7, 3, 3, -1};
  struct tsr_search_space space = {.n = 5, .default_index = 1, .predicted = predicted, .classes = classes};
  for (int exact = 0; exact < 2; exact++) {
    struct tsr_search_options options = {.exact = exact};
    struct tsr_search *search = tsr_search_start(&space, &options);
    struct tsr_search_result result;
    struct tsr_search_point point;
    double best = HUGE_VAL;
    for (int i; (i = tsr_search_next(search)) >= 0;) tsr_search_tell(search, i, time[i]);
    tsr_search_result(search, &result);
    assert_int_equal(result.winner, 2);
    assert_int_equal(result.contender, 2);
    assert_true(result.significant);
    assert_int_equal(result.measured, 5);
    assert_int_equal(result.rounds, exact ? 0 : 8); /* clear at the first look */
    assert_true(fabs(result.seconds - 1) < 1e-9 && fabs(result.default_seconds - 1.8) < 1e-9);
    assert_true(result.spread < 1e-9 && result.default_spread < 1e-9);
    assert_true(fabs(result.ratio - 1 / 1.8) < 1e-9 && result.ratio_low <= result.ratio);
    for (int i = 0; i < result.measured; i++) {
      tsr_search_history(search, i, &point);
      best = fmin(best, time[point.candidate]);
      assert_true(fabs(point.seconds - time[point.candidate]) < 1e-9 && fabs(point.best - best) < 1e-9);
    }
    tsr_search_history(search, result.measured, &point);
    assert_int_equal(point.candidate, -1);
    tsr_search_end(search);
  }
}

/* The bound is that of Wilcoxon's signed ranks. One candidate against the default has all of 0.025 for itself, half of
 * it at the first look, after 8 rounds. One loss, the least difference of all, has rank 1; two have 1 and 2. The sums
 * 1 and 3 have P(sum <= 1) = 2 / 256 and P(sum <= 3) = 5 / 256, and only the former is below 0.0125. */
static void a_lead_must_be_steady(void **state) {
  (void)state;
  for (int bad = 0; bad < 3; bad++) {
    double predicted[] = {1, 1};
    struct tsr_search_space space = {.n = 2, .predicted = predicted};
    struct tsr_search *search = tsr_search_start(&space, NULL);
    struct tsr_search_result result;
    int runs[2] = {0, 0};
    for (int i; (i = tsr_search_next(search)) >= 0 && runs[i] < 8; runs[i]++)
      tsr_search_tell(search, i, i == 0 ? 1 : runs[i] < bad ? 1.001 : 0.9 - 0.001 * runs[i]);
    tsr_search_result(search, &result);
    assert_int_equal(result.rounds, 8);
    assert_int_equal(result.significant, bad < 2);
    tsr_search_end(search);
  }
}

static void only_what_was_asked_for_counts(void **state) {
  (void)state;
  double predicted[] = {1, 1, 1};
  struct tsr_search_space space = {.n = 3, .predicted = predicted};
  struct tsr_search *search = tsr_search_start(&space, NULL);
  struct tsr_search_result result;
  int asked = tsr_search_next(search);
  for (int i = -2; i < 5; i++)
    if (i != asked) assert_false(tsr_search_tell(search, i, 1));
  tsr_search_result(search, &result);
  assert_int_equal(result.runs, 0);
  assert_int_equal(result.winner, 0);
  assert_true(tsr_search_tell(search, asked, 1));
  assert_true(tsr_search_next(search) != asked);
  tsr_search_end(search);
  tsr_search_end(NULL);
}

static void bad_input_is_refused_or_ranks_last(void **state) {
  (void)state;
  double predicted[20];
  struct tsr_search_space good = {.n = 20, .predicted = predicted}, bad;
  struct tsr_search_result result;
  const double useless[] = {NAN, 0, -1, HUGE_VAL};
  for (int i = 0; i < 20; i++) predicted[i] = i < 4 ? 1 : useless[i % 4];
  bad = good, bad.n = 0;
  assert_null(tsr_search_start(&bad, NULL));
  assert_non_null(strstr(tsr_last_error(), "at least one"));
  bad = good, bad.default_index = 20;
  assert_null(tsr_search_start(&bad, NULL));
  bad = good, bad.predicted = NULL;
  assert_null(tsr_search_start(&bad, NULL));
  assert_null(tsr_search_start(&good, &(struct tsr_search_options){.most_runs = -1}));
  assert_null(tsr_search_start(&good, &(struct tsr_search_options){.most_seconds = NAN}));
  assert_null(tsr_search_start(&good, &(struct tsr_search_options){.most_measured = 65}));
  for (int d = 0; d < 20; d += 5)
    for (int exact = 0; exact < 2; exact++) {
      struct tsr_search_options options = {.exact = exact, .most_measured = 5, .most_seconds = 1e6};
      good.default_index = d;
      struct tsr_search *search = tsr_search_start(&good, &options);
      for (int i; (i = tsr_search_next(search)) >= 0;) tsr_search_tell(search, i, i == 2 ? 0.5 : 1e-320);
      tsr_search_result(search, &result);
      assert_true(result.measured >= 4 && result.runs >= result.measured);
      tsr_search_end(search);
    }
}

static void no_flags_are_raised(void **state) {
  (void)state;
  static struct machine m;
  struct tsr_search_result result;
  struct tsr_search_point point;
  for (int exact = 0; exact < 2; exact++) {
    make(&m, 5, 50, 0.7, 0.1, 0.03);
    struct tsr_search_space space = space_of(&m);
    struct tsr_search_options options = {.exact = exact};
    feclearexcept(FE_ALL_EXCEPT);
    struct tsr_search *search = tsr_search_start(&space, &options);
    for (int i; (i = tsr_search_next(search)) >= 0;) tsr_search_tell(search, i, m.time[i]);
    tsr_search_result(search, &result);
    tsr_search_history(search, result.measured - 1, &point);
    assert_int_equal(fetestexcept(FE_ALL_EXCEPT), 0);
    tsr_search_end(search);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(finds_the_best_in_noise),
    cmocka_unit_test(keeps_the_default_among_equals),
    cmocka_unit_test(exact_runs_find_the_best),
    cmocka_unit_test(a_failed_candidate_never_wins),
    cmocka_unit_test(failing_late_is_failing),
    cmocka_unit_test(without_a_default_there_is_no_verdict),
    cmocka_unit_test(what_all_share_is_taken_out),
    cmocka_unit_test(hopeless_finalists_are_dropped),
    cmocka_unit_test(budgets_are_kept),
    cmocka_unit_test(the_verdict_says_what_was_measured),
    cmocka_unit_test(a_lead_must_be_steady),
    cmocka_unit_test(only_what_was_asked_for_counts),
    cmocka_unit_test(bad_input_is_refused_or_ranks_last),
    cmocka_unit_test(no_flags_are_raised),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
