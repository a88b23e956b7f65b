/* Which candidate is fastest, from few and noisy runs.
 *
 * Candidates enter by their predicted time, corrected by what the runs so far say of their class and neighbours. All
 * times are logarithms, so that a model or a machine that is off by a factor is off by a constant.
 *
 * Noisy runs go in rounds: each candidate that is still in is run once a round, the default among them, in an order
 * that turns from round to round. What a round's runs have in common (a clock frequency, a neighbour on the same
 * machine) is estimated by Tukey's median polish and taken out. The field is halved from round to round (successive
 * halving: Karnin, Koren and Somekh, ICML 2013). The best of many noisy figures flatters itself, so the last two are
 * run afresh, against the default in every round, and these rounds alone decide. Of the differences d of their
 * logarithms the Hodges-Lehmann estimate (the median of all (d_i + d_j) / 2, i <= j) is the gain, and the exact
 * distribution of Wilcoxon's signed ranks gives its bound: Hollander, Wolfe and Chicken, "Nonparametric Statistical
 * Methods", 3.1 to 3.3. It asks only that a difference of two equals be as likely d as -d, which turning the order
 * gives; a run that somebody disturbed weighs no more than its rank, however long it took.
 *
 * Exact runs are one a candidate; after a first batch each goes to the candidate that the corrected model likes best,
 * until it predicts nothing that could still win. */
#include "src/tune/search.h"

#include <fenv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/core.h"

enum {
  MOST_MEASURED = 12,
  SCREEN_ROUNDS = 3,
  FINALISTS = 2,
  FINAL_ROUNDS = 16,
  FIRST_LOOK = 8,    /* final rounds after which a clear winner ends the search */
  TWO_LOOKS = 10,    /* with fewer final rounds there is no first look */
  FEWEST_ROUNDS = 6, /* with fewer no outcome would be significant */
  FUTILE_ROUNDS = 5, /* a finalist behind in each of so many is dropped */
  MOST_SLOTS = 64,   /* candidates of a noisy search */
  FINAL_RUNS = FINAL_ROUNDS * (FINALISTS + 1),
  ROUNDS = SCREEN_ROUNDS + FINAL_ROUNDS,
  POLISHES = 4
};

/* A verdict for the contender is wrong this often at most, when nothing is better than the default. */
static const double ERROR_RATE = 0.025;
/* Each further candidate of a class must be predicted so much faster than the next one of another class. */
static const double SAME_CLASS = 0.02;
/* What the first of a class is forgiven, because the model may be wrong about the whole class. Exact runs are cheap. */
static const double NEW_CLASS = 0.05, NEW_CLASS_EXACT = 0.3;
/* Runs of a class, and of near neighbours, that weigh as much as the belief that they are like all others. */
static const double CLASS_PRIOR = 1, NEAR_PRIOR = 0.5;
/* The model's error while nothing is known of it, and the multiple of it at which a candidate is hopeless. */
static const double MODEL_ERROR = 0.15, HOPELESS = 2.5;
/* Screening drops whoever is so far behind the best, even when there is room. */
static const double FAR_BEHIND = 0.10;
/* Who is not ahead by so much at the first look is not run on. */
static const double WORTHLESS = 0.0025;

struct candidate {
  double predicted;        /* logarithm */
  double near, near_error; /* weights of measured neighbours of its class; weighted sum of their errors */
  int class, slot;         /* slot: -1 = never run */
};

struct class {
  double count, error; /* measured candidates; sum of log(measured / predicted) */
  int chosen;
};

struct slot {
  int candidate;
  bool ran, failed, in; /* in: not dropped */
  double time[ROUNDS];  /* logarithm; NAN: not run in that round */
  double effect;        /* its time with the rounds' effects taken out; predicted while there is none */
};

struct tsr_search {
  struct tsr_search_space space;
  struct tsr_search_options options;
  struct candidate *candidate;
  struct class *class;
  struct slot *slot; /* of the default: 0 */
  int nslots, nclasses;
  int *order, norder, at; /* slots of this round, and the next of them */
  int *ran, nran;         /* slots in the order of their first runs */
  int round, final;       /* complete rounds; how many of them came before the final ones, -1 while screening */
  int finalists, final_rounds;
  int runs;
  double spent;
  double surprise; /* sum of squares of what exact runs were off the corrected model */
  double noise;    /* of one run */
  bool done;
};

/* ---- Small statistics ---- */

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile(double *values, int n, double q) {
  qsort(values, (size_t)n, sizeof *values, compare);
  double at = q * (n - 1);
  int i = (int)at;
  return i + 1 < n ? values[i] + (at - i) * (values[i + 1] - values[i]) : values[n - 1];
}

/* The largest t with P(sum of the positive signed ranks of n <= t) <= level; -1 if there is none. ways[s] counts the
 * subsets of 1 .. n that add up to s. */
static int signed_rank_bound(int n, double level) {
  double ways[FINAL_ROUNDS * (FINAL_ROUNDS + 1) / 2 + 1] = {1}, below = 0;
  int t = 0;
  for (int rank = 1; rank <= n; rank++)
    for (int sum = n * (n + 1) / 2; sum >= rank; sum--) ways[sum] += ways[sum - rank];
  while ((below += ways[t]) <= ldexp(level, n)) t++;
  return t - 1;
}

struct shift {
  double estimate, low, high;
};

static struct shift hodges_lehmann(const double *difference, int n, double level) {
  double mean[FINAL_ROUNDS * (FINAL_ROUNDS + 1) / 2];
  struct shift shift = {0, -HUGE_VAL, HUGE_VAL};
  int count = 0, bound = signed_rank_bound(n, level);
  if (!n) return shift;
  for (int i = 0; i < n; i++)
    for (int j = i; j < n; j++) mean[count++] = (difference[i] + difference[j]) / 2;
  shift.estimate = quantile(mean, count, 0.5);
  if (bound >= 0) shift.low = mean[bound], shift.high = mean[count - 1 - bound];
  return shift;
}

/* ---- The corrected model ---- */

static double common_error(const struct tsr_search *s) {
  double sum = 0, weights = 0;
  for (int c = 0; c < s->nclasses; c++) {
    const struct class *class = &s->class[c];
    if (!class->count) continue;
    double weight = class->count / (class->count + CLASS_PRIOR);
    sum += weight * class->error / class->count;
    weights += weight;
  }
  return weights ? sum / weights : 0;
}

static double corrected(const struct tsr_search *s, const struct candidate *c, double common) {
  const struct class *class = &s->class[c->class];
  double error = (class->error + CLASS_PRIOR * common) / (class->count + CLASS_PRIOR);
  return c->predicted + error + (c->near_error - error * c->near) / (c->near + NEAR_PRIOR);
}

/* The slot's first time is known: its class and its neighbours learn from it. */
static void learn(struct tsr_search *s, int i, double time) {
  struct candidate *c = &s->candidate[i];
  double error = time - c->predicted;
  if (!(fabs(error) < HUGE_VAL)) return;
  s->class[c->class].count += 1;
  s->class[c->class].error += error;
  for (int j = 0; s->space.distance && j < s->space.n; j++) {
    struct candidate *other = &s->candidate[j];
    if (other->slot >= 0 || other->class != c->class) continue;
    double distance = s->space.distance(s->space.user, i, j), weight = exp(-0.5 * distance * distance);
    if (!(weight > 1e-3)) continue;
    other->near += weight;
    other->near_error += weight * error;
  }
}

/* The most promising candidate that was never run, or -1; `variety`: prefer classes that few were chosen from. */
static int most_promising(const struct tsr_search *s, bool variety, double *time) {
  double common = common_error(s), best = HUGE_VAL, unknown = s->options.exact ? NEW_CLASS_EXACT : NEW_CLASS;
  int found = -1;
  for (int i = 0; i < s->space.n; i++) {
    const struct candidate *c = &s->candidate[i];
    if (c->slot >= 0) continue;
    double value = corrected(s, c, common);
    if (variety) value += s->class[c->class].chosen ? SAME_CLASS * s->class[c->class].chosen : -unknown;
    if (found >= 0 && value >= best) continue;
    best = value, found = i;
  }
  *time = best;
  return found;
}

static void enter(struct tsr_search *s, int i) {
  struct slot *slot = &s->slot[s->nslots];
  *slot = (struct slot){.candidate = i, .in = true, .effect = corrected(s, &s->candidate[i], common_error(s))};
  for (int round = 0; round < ROUNDS; round++) slot->time[round] = NAN;
  s->class[s->candidate[i].class].chosen++;
  s->candidate[i].slot = s->nslots++;
}

static void enter_promising(struct tsr_search *s, int total) {
  double time;
  int i;
  while (s->nslots < total && (i = most_promising(s, true, &time)) >= 0) enter(s, i);
}

/* ---- Rounds of noisy runs ---- */

static int count_in(const struct tsr_search *s) {
  int n = 0;
  for (int i = 0; i < s->nslots; i++) n += s->slot[i].in;
  return n;
}

/* Runs that the budget still allows, if they take as long as those so far. */
static int runs_left(const struct tsr_search *s) {
  double left = s->options.most_runs - s->runs, each = s->runs ? s->spent / s->runs : exp(s->slot[0].effect);
  if (s->options.most_seconds > 0 && each < HUGE_VAL) left = fmin(left, (s->options.most_seconds - s->spent) / each);
  return (int)fmax(left, 0);
}

/* Who is in, in an order that turns from round to round and runs backwards every other time. */
static void begin_round(struct tsr_search *s) {
  int n = count_in(s), found = 0, start = s->round / 2 % n;
  for (int i = 0; i < s->nslots; i++) {
    if (!s->slot[i].in) continue;
    int at = (found++ + start) % n;
    s->order[s->round % 2 ? n - 1 - at : at] = i;
  }
  s->norder = n;
  s->at = 0;
}

static double round_effect(const struct tsr_search *s, int round) {
  double left[MOST_SLOTS];
  int n = 0;
  for (int i = 0; i < s->nslots && n < MOST_SLOTS; i++)
    if (!isnan(s->slot[i].time[round])) left[n++] = s->slot[i].time[round] - s->slot[i].effect;
  return n ? quantile(left, n, 0.5) : 0;
}

/* What a slot's times have in common. Of one or two the lesser: what disturbs a run makes it slower. */
static double slot_effect(const struct slot *slot, const double *effect, int rounds) {
  double left[ROUNDS];
  int n = 0;
  for (int round = 0; round < rounds; round++)
    if (!isnan(slot->time[round])) left[n++] = slot->time[round] - effect[round];
  return n ? quantile(left, n, n > 2 ? 0.5 : 0) : slot->effect;
}

static void polish(struct tsr_search *s) {
  double effect[ROUNDS], left[MOST_SLOTS * ROUNDS];
  int n = 0;
  for (int i = 0; i < s->nslots; i++) {
    static const double none[ROUNDS];
    s->slot[i].effect = slot_effect(&s->slot[i], none, s->round);
  }
  for (int i = 0; i < POLISHES; i++) {
    for (int round = 0; round < s->round; round++) effect[round] = round_effect(s, round);
    for (int j = 0; j < s->nslots; j++) s->slot[j].effect = slot_effect(&s->slot[j], effect, s->round);
  }
  for (int i = 0; i < s->nslots; i++)
    for (int round = 0; round < s->round && n < MOST_SLOTS * ROUNDS; round++)
      if (!isnan(s->slot[i].time[round])) left[n++] = fabs(s->slot[i].time[round] - effect[round] - s->slot[i].effect);
  s->noise = quantile(left, n, 0.5) / 0.6745; /* of a normal distribution, this is its standard deviation */
}

/* The n-th best of those in, without the default; they are few. */
static int ranked(const struct tsr_search *s, int n) {
  for (int i = 1; i < s->nslots; i++) {
    int ahead = 0;
    if (!s->slot[i].in) continue;
    for (int j = 1; j < s->nslots; j++) {
      double difference = s->slot[j].effect - s->slot[i].effect;
      ahead += s->slot[j].in && (difference < 0 || (difference == 0 && j < i));
    }
    if (ahead == n) return i;
  }
  return -1;
}

/* Keeps the best `most`, of which those more than `margin` slower than the reference go as well. */
static void keep(struct tsr_search *s, int most, double reference, double margin) {
  int kept = 0, slot;
  while (kept < most && (slot = ranked(s, kept)) >= 0 && !(s->slot[slot].effect > reference + margin)) kept++;
  while ((slot = ranked(s, kept)) >= 0) s->slot[slot].in = false;
}

static void begin_finals(struct tsr_search *s) {
  int left = runs_left(s), finalists = FINALISTS;
  /* Nobody wins in the finals who is behind the default by more than screening could be wrong. */
  keep(s, finalists, s->slot[0].effect, s->round ? 0.01 + 2 * s->noise : HUGE_VAL);
  if (finalists > count_in(s) - 1) finalists = count_in(s) - 1;
  while (finalists > 1 && left / (finalists + 1) < FIRST_LOOK) finalists--;
  keep(s, finalists, 0, HUGE_VAL);
  s->finalists = finalists;
  s->final_rounds = left / (finalists + 1) < FINAL_ROUNDS ? left / (finalists + 1) : FINAL_ROUNDS;
  s->final = s->round;
  s->done = !finalists || s->final_rounds < FEWEST_ROUNDS;
}

static void begin_screening(struct tsr_search *s) {
  int left = runs_left(s), most = s->options.most_measured;
  int finals = FIRST_LOOK * 2, affordable = left > finals ? (left - finals) / 2 : 0;
  if (most > 2 && most > affordable) most = affordable > 2 ? affordable : 2;
  s->options.most_measured = most;
  enter_promising(s, most > 8 ? most * 2 / 3 : most);
  if (s->nslots <= FINALISTS + 1) begin_finals(s);
  if (!s->done) begin_round(s);
}

static void end_screening_round(struct tsr_search *s) {
  if (s->round == 1) {
    for (int i = 0; i < s->nslots; i++)
      if (s->slot[i].in) learn(s, s->slot[i].candidate, s->slot[i].time[0]);
    enter_promising(s, s->options.most_measured);
  }
  polish(s);
  if (s->round > 1) {
    int best = ranked(s, 0), most = s->round == 2 ? s->nslots * 2 / 3 : s->nslots / 2;
    double reference = best < 0 ? 0 : fmin(s->slot[best].effect, s->slot[0].effect);
    keep(s, most - 1, reference, FAR_BEHIND + 3 * s->noise);
  }
  if (s->round == SCREEN_ROUNDS || count_in(s) <= FINALISTS + 1 ||
      runs_left(s) < count_in(s) + FIRST_LOOK * (FINALISTS + 1))
    begin_finals(s);
}

/* ---- The final rounds ---- */

/* In the complete final rounds that the slot ran in. */
static struct shift against_default(const struct tsr_search *s, const struct slot *slot) {
  double difference[FINAL_ROUNDS];
  int n = 0, looks = s->final_rounds < TWO_LOOKS ? 1 : 2;
  for (int round = s->final; round < s->round; round++)
    if (!isnan(slot->time[round])) difference[n++] = slot->time[round] - s->slot[0].time[round];
  return hodges_lehmann(difference, n, ERROR_RATE / (s->finalists * looks));
}

/* The best finalist; 0, the default, when none is left. */
static int contender(const struct tsr_search *s, struct shift *shift) {
  int best = 0;
  *shift = (struct shift){0, -HUGE_VAL, HUGE_VAL};
  for (int i = 1; s->final >= 0 && s->round > s->final && i < s->nslots; i++) {
    if (!s->slot[i].in) continue;
    struct shift other = against_default(s, &s->slot[i]);
    if (best && other.estimate >= shift->estimate) continue;
    best = i, *shift = other;
  }
  return best;
}

static bool always_behind(const struct tsr_search *s, const struct slot *slot, const struct slot *best) {
  for (int round = s->final; round < s->round; round++)
    if (slot->time[round] <= best->time[round]) return false;
  return true;
}

static void end_final_round(struct tsr_search *s) {
  struct shift shift;
  int rounds = s->round - s->final, best = contender(s, &shift);
  bool look = rounds == FIRST_LOOK && s->final_rounds >= TWO_LOOKS;
  if (rounds >= s->final_rounds || (look && (shift.high < 0 || shift.estimate > -WORTHLESS))) {
    s->done = true;
    return;
  }
  if (rounds < FUTILE_ROUNDS) return;
  if (shift.estimate > 0) best = 0;
  for (int i = 1; i < s->nslots; i++)
    if (i != best && s->slot[i].in && always_behind(s, &s->slot[i], &s->slot[best])) s->slot[i].in = false;
  if (count_in(s) == 1) s->done = true;
}

/* ---- Exact runs ---- */

static double best_time(const struct tsr_search *s) {
  double best = HUGE_VAL;
  for (int i = 0; i < s->nslots; i++)
    if (s->slot[i].time[0] < best) best = s->slot[i].time[0];
  return best;
}

static void begin_exact(struct tsr_search *s) {
  double time, error = sqrt((s->surprise + 4 * MODEL_ERROR * MODEL_ERROR) / (s->runs + 4));
  int before = s->nslots, most = s->options.most_measured;
  if (!s->nran) {
    enter_promising(s, most < 8 ? most : most / 4 > 8 ? most / 4 : 8);
  } else {
    int i = before < most ? most_promising(s, false, &time) : -1;
    if (i >= 0 && time <= best_time(s) + HOPELESS * error) enter(s, i);
  }
  s->norder = s->at = 0;
  for (int i = s->nran; i < s->nslots; i++) s->order[s->norder++] = i;
  s->done = !s->norder;
}

/* ---- The search ---- */

static void end_round(struct tsr_search *s) {
  s->round++;
  if (s->options.exact) {
    begin_exact(s);
    return;
  }
  if (s->final < 0)
    end_screening_round(s);
  else
    end_final_round(s);
  if (!s->done) begin_round(s);
}

static bool affordable(const struct tsr_search *s, const struct slot *slot) {
  double expected = slot->effect < HUGE_VAL ? exp(slot->effect) : 0, most = s->options.most_seconds;
  return s->runs < s->options.most_runs && (!(most > 0) || (s->spent < most && s->spent + expected <= most));
}

static int next(struct tsr_search *s) {
  while (!s->done) {
    if (s->at >= s->norder) {
      end_round(s);
    } else if (!s->slot[s->order[s->at]].in) {
      s->at++;
    } else if (!affordable(s, &s->slot[s->order[s->at]])) {
      s->done = true;
    } else {
      return s->slot[s->order[s->at]].candidate;
    }
  }
  return -1;
}

int tsr_search_next(struct tsr_search *search) {
  fenv_t environment;
  feholdexcept(&environment);
  int candidate = next(search);
  fesetenv(&environment);
  return candidate;
}

static void tell(struct tsr_search *s, struct slot *slot, double seconds) {
  s->runs++;
  s->at++;
  if (!slot->ran) s->ran[s->nran++] = (int)(slot - s->slot);
  slot->ran = true;
  if (!(seconds > 0 && seconds < HUGE_VAL)) {
    slot->failed = true;
    slot->in = false;
    if (slot == s->slot) s->done = true;
    return;
  }
  double time = log(seconds);
  s->spent += seconds;
  slot->time[s->options.exact ? 0 : s->round] = time;
  if (!s->options.exact) return;
  struct candidate *c = &s->candidate[slot->candidate];
  double surprise = time - corrected(s, c, common_error(s));
  if (fabs(surprise) < HUGE_VAL) s->surprise += surprise * surprise;
  slot->effect = time;
  learn(s, slot->candidate, time);
}

bool tsr_search_tell(struct tsr_search *search, int candidate, double seconds) {
  fenv_t environment;
  feholdexcept(&environment);
  bool asked = next(search) == candidate && candidate >= 0;
  if (asked) tell(search, &search->slot[search->candidate[candidate].slot], seconds);
  fesetenv(&environment);
  return asked;
}

/* ---- Verdict and history ---- */

static double median_seconds(const struct tsr_search *s, const struct slot *slot, double *spread) {
  double seconds[ROUNDS];
  int first = s->final >= 0 && s->round > s->final ? s->final : 0, n = 0;
  for (int round = first; round < ROUNDS; round++)
    if (!isnan(slot->time[round])) seconds[n++] = exp(slot->time[round]);
  *spread = 0;
  if (!n) return 0;
  *spread = quantile(seconds, n, 0.75) - quantile(seconds, n, 0.25);
  return quantile(seconds, n, 0.5);
}

static void exact_verdict(const struct tsr_search *s, struct tsr_search_result *result) {
  int best = 0;
  for (int i = 1; i < s->nslots; i++)
    if (!s->slot[i].failed && s->slot[i].time[0] < (best ? s->slot[best].time[0] : HUGE_VAL)) best = i;
  if (best && !isnan(s->slot[0].time[0])) {
    result->ratio = exp(s->slot[best].time[0] - s->slot[0].time[0]);
    result->ratio_low = result->ratio_high = result->ratio;
  }
  result->contender = best;
}

static void verdict(const struct tsr_search *s, struct tsr_search_result *result) {
  struct shift shift;
  *result = (struct tsr_search_result){.ratio = 1, .ratio_high = HUGE_VAL, .runs = s->runs, .spent = s->spent};
  if (s->options.exact) {
    exact_verdict(s, result);
  } else if ((result->contender = contender(s, &shift)) > 0) {
    result->ratio = exp(shift.estimate);
    result->ratio_low = exp(shift.low);
    result->ratio_high = exp(shift.high);
    result->rounds = s->round - s->final;
  }
  /* A default that failed leaves nothing to beat, and so no verdict. */
  result->significant = result->ratio_high < 1 && !s->slot[0].failed;
  result->winner = result->significant ? result->contender : 0;
  result->seconds = median_seconds(s, &s->slot[result->winner], &result->spread);
  result->default_seconds = median_seconds(s, &s->slot[0], &result->default_spread);
  result->measured = s->nran;
  result->winner = s->slot[result->winner].candidate;
  result->contender = s->slot[result->contender].candidate;
}

void tsr_search_result(struct tsr_search *search, struct tsr_search_result *result) {
  fenv_t environment;
  feholdexcept(&environment);
  verdict(search, result);
  fesetenv(&environment);
}

static bool ran_in(const struct slot *slot, int from, int to) {
  for (int round = from; round < to; round++)
    if (!isnan(slot->time[round])) return true;
  return false;
}

/* Of noisy runs, the default's time by how far the slot is from it, in the final rounds or else in those before. */
static double comparable_seconds(const struct tsr_search *s, const struct slot *slot) {
  int final = s->final >= 0 ? s->final : s->round;
  double spread, standard = median_seconds(s, s->slot, &spread);
  if (slot->failed) return 0;
  if (s->options.exact || !ran_in(slot, 0, s->round)) return median_seconds(s, slot, &spread);
  if (ran_in(slot, final, s->round)) return standard * exp(against_default(s, slot).estimate);
  return standard * exp(slot->effect - s->slot[0].effect);
}

static void history(const struct tsr_search *s, int i, struct tsr_search_point *point) {
  double seconds = 0, best = HUGE_VAL;
  for (int j = 0; j <= i; j++) {
    seconds = comparable_seconds(s, &s->slot[s->ran[j]]);
    if (seconds > 0 && seconds < best) best = seconds;
  }
  const struct slot *slot = &s->slot[s->ran[i]];
  for (int round = 0; round < ROUNDS; round++) point->runs += !isnan(slot->time[round]);
  point->candidate = slot->candidate;
  point->failed = slot->failed;
  point->seconds = seconds;
  point->best = best < HUGE_VAL ? best : 0;
}

void tsr_search_history(struct tsr_search *search, int i, struct tsr_search_point *point) {
  fenv_t environment;
  feholdexcept(&environment);
  *point = (struct tsr_search_point){.candidate = -1, .failed = true};
  if (i >= 0 && i < search->nran) history(search, i, point);
  fesetenv(&environment);
}

/* ---- Start and end ---- */

static tsr_status check(const struct tsr_search_space *space, const struct tsr_search_options *o) {
  if (space->n < 1)
    return tsr_fail(TSR_INVALID_ARGUMENT, "search: there are %d candidates; give at least one", space->n);
  if (space->default_index < 0 || space->default_index >= space->n)
    return tsr_fail(TSR_INVALID_ARGUMENT, "search: default_index is %d; it must be one of the %d candidates",
                    space->default_index, space->n);
  if (!space->predicted) return tsr_fail(TSR_INVALID_ARGUMENT, "search: predicted is NULL; give the model's seconds");
  if (o->most_measured < 0 || o->most_runs < 0 || !(o->most_seconds >= 0))
    return tsr_fail(TSR_INVALID_ARGUMENT, "search: a budget is negative; give 0 for the usual one");
  if (!o->exact && o->most_measured > MOST_SLOTS)
    return tsr_fail(TSR_INVALID_ARGUMENT, "search: most_measured is %d; of candidates whose runs are noisy, at most %d "
                    "can be told apart", o->most_measured, MOST_SLOTS);
  return TSR_OK;
}

static void set_options(struct tsr_search *s, const struct tsr_search_options *given) {
  struct tsr_search_options *o = &s->options;
  *o = *given;
  if (!o->most_measured) o->most_measured = MOST_MEASURED;
  if (o->most_measured > s->space.n) o->most_measured = s->space.n;
  if (!o->most_runs) o->most_runs = o->exact ? o->most_measured : SCREEN_ROUNDS * o->most_measured + FINAL_RUNS;
}

static int compare_ints(const void *a, const void *b) {
  int x = *(const int *)a, y = *(const int *)b;
  return (x > y) - (x < y);
}

/* Classes by their places in the sorted list of those there are. `sorted` has room for all candidates. */
static void number_classes(struct tsr_search *s, int *sorted) {
  int n = s->space.n, different = 0;
  const int *classes = s->space.classes;
  s->nclasses = 1;
  if (!classes) return;
  memcpy(sorted, classes, (size_t)n * sizeof *sorted);
  qsort(sorted, (size_t)n, sizeof *sorted, compare_ints);
  for (int i = 0; i < n; i++)
    if (!i || sorted[i] != sorted[different - 1]) sorted[different++] = sorted[i];
  s->nclasses = different;
  for (int i = 0; i < n; i++) {
    int *found = bsearch(&classes[i], sorted, (size_t)different, sizeof *sorted, compare_ints);
    s->candidate[i].class = (int)(found - sorted);
  }
}

static struct tsr_search *start(const struct tsr_search_space *space, const struct tsr_search_options *options) {
  struct tsr_search *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->space = *space;
  set_options(s, options);
  size_t n = (size_t)space->n, slots = (size_t)s->options.most_measured;
  s->candidate = calloc(n, sizeof *s->candidate);
  s->class = calloc(n, sizeof *s->class);
  s->slot = calloc(slots, sizeof *s->slot);
  s->order = calloc(2 * slots + n, sizeof *s->order); /* n: also where classes are sorted, before there is an order */
  if (!s->candidate || !s->class || !s->slot || !s->order) {
    tsr_search_end(s);
    return NULL;
  }
  s->ran = s->order + slots + n;
  number_classes(s, s->order);
  for (int i = 0; i < space->n; i++) {
    double seconds = space->predicted[i];
    s->candidate[i].predicted = seconds > 0 && seconds < HUGE_VAL ? log(seconds) : HUGE_VAL;
    s->candidate[i].slot = -1;
  }
  s->space.predicted = NULL;
  s->space.classes = NULL;
  s->final = -1;
  enter(s, space->default_index);
  if (s->options.exact)
    begin_exact(s);
  else
    begin_screening(s);
  return s;
}

struct tsr_search *tsr_search_start(const struct tsr_search_space *space, const struct tsr_search_options *options) {
  static const struct tsr_search_options usual;
  fenv_t environment;
  if (!options) options = &usual;
  if (check(space, options) != TSR_OK) return NULL;
  feholdexcept(&environment);
  struct tsr_search *search = start(space, options);
  fesetenv(&environment);
  if (!search) tsr_fail(TSR_OUT_OF_MEMORY, "search: no memory for %d candidates", space->n);
  return search;
}

void tsr_search_end(struct tsr_search *search) {
  if (!search) return;
  free(search->candidate);
  free(search->class);
  free(search->slot);
  free(search->order);
  free(search);
}
