/* Corrections of the model from nearby measurements, in log space: kernel regression (Nadaraya and Watson) with a
 * compact kernel and shrinkage. All samples of a class at one place are one cell; a class's error near a place is the
 * weighted mean of its cells, and what the classes there have in common is the mean of theirs, each counting once
 * however often it was measured. The two are shrunk separately, so that a machine that is slower than the model
 * believes says nothing for or against a class. How far classes are believed is what would have served best where each
 * place was predicted from the others (cross-validation): scatter that follows no class is not mistaken for one. */
#include "src/tune/learn.h"

#include <fenv.h>
#include <math.h>
#include <stdlib.h>

/* Octaves at which a sample says nothing any more. The kernel (1 - (d / REACH)^2)^3 has a standard deviation of one
 * octave along each axis. */
static const float REACH = 3;
/* Samples that weigh as much as the belief that the model is right: about what all classes share, where samples are so
 * many classes, and about a class against the others, of which cross-validation takes one. */
static const double COMMON_PRIOR = 0.2, CLASS_PRIORS[] = {1, 2, 4, 8, 16, 64};
enum { PRIORS = sizeof CLASS_PRIORS / sizeof CLASS_PRIORS[0] };
/* Places that it looks at, at most, and fewer than which say too little. */
enum { MOST_VALIDATED = 500, FEWEST_VALIDATED = 4 };
/* An error counts up to this; a cell weighs as much as this many samples at most. */
static const double MOST_ERROR = 0.6931471805599453, MOST_WEIGHT = 2;

enum { BLOCK = 64 }; /* places whose weights are found at once, by vector instructions */

struct cell {
  int class; /* index into classes */
  float weight, error;
};

/* Places in order of their first coordinate, coordinate by coordinate; cells of place i: first[i] .. first[i + 1]. */
struct tsr_learned {
  int nplaces, nclasses;
  int *first;
  float *where[TSR_PLACE];
  struct cell *cell;
  int class[TSR_LEARN_CLASSES]; /* ascending */
  double class_prior;
};

static double error_of(const struct tsr_lesson *s) {
  double error = log(s->measured / s->predicted);
  return error < -MOST_ERROR ? -MOST_ERROR : error > MOST_ERROR ? MOST_ERROR : error;
}

static bool is_sound(const struct tsr_lesson *s) {
  if (!(s->measured > 0 && s->measured < HUGE_VAL && s->predicted > 0 && s->predicted < HUGE_VAL)) return false;
  for (int d = 0; d < TSR_PLACE; d++)
    if (!(fabs(s->where[d]) < 1e6)) return false;
  return true;
}

static int compare_samples(const void *a, const void *b) {
  const struct tsr_lesson *x = a, *y = b;
  for (int d = 0; d < TSR_PLACE; d++)
    if (x->where[d] != y->where[d]) return x->where[d] < y->where[d] ? -1 : 1;
  return (x->class > y->class) - (x->class < y->class);
}

static bool same_place(const struct tsr_lesson *x, const struct tsr_lesson *y) {
  for (int d = 0; d < TSR_PLACE; d++)
    if (x->where[d] != y->where[d]) return false;
  return true;
}

/* Index of a class, or -1. */
static int find_class(const struct tsr_learned *l, int class) {
  int low = 0, high = l->nclasses;
  while (low < high) {
    int middle = (low + high) / 2;
    if (l->class[middle] < class)
      low = middle + 1;
    else
      high = middle;
  }
  return low < l->nclasses && l->class[low] == class ? low : -1;
}

static void collect_classes(struct tsr_learned *l, const struct tsr_lesson *samples, int n) {
  for (int i = 0; i < n && l->nclasses < TSR_LEARN_CLASSES; i++) {
    if (!is_sound(&samples[i]) || find_class(l, samples[i].class) >= 0) continue;
    int at = l->nclasses++;
    for (; at > 0 && l->class[at - 1] > samples[i].class; at--) l->class[at] = l->class[at - 1];
    l->class[at] = samples[i].class;
  }
}

/* Sorted samples become places and cells. */
static void fill(struct tsr_learned *l, const struct tsr_lesson *sorted, int n) {
  int ncells = 0;
  for (int i = 0, next; i < n; i = next) {
    double sum = 0;
    int class = find_class(l, sorted[i].class);
    for (next = i; next < n && compare_samples(&sorted[i], &sorted[next]) == 0; next++) sum += error_of(&sorted[next]);
    if (!i || !same_place(&sorted[i], &sorted[i - 1])) {
      l->first[l->nplaces] = ncells;
      for (int d = 0; d < TSR_PLACE; d++) l->where[d][l->nplaces] = (float)sorted[i].where[d];
      l->nplaces++;
    }
    double weight = next - i < MOST_WEIGHT ? next - i : MOST_WEIGHT;
    l->cell[ncells++] = (struct cell){class, (float)weight, (float)(sum / (next - i))};
  }
  l->first[l->nplaces] = ncells;
}

/* The first place whose first coordinate is not below. */
static int first_from(const struct tsr_learned *l, float coordinate) {
  int low = 0, high = l->nplaces;
  while (low < high) {
    int middle = (low + high) / 2;
    if (l->where[0][middle] < coordinate)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void weigh(const struct tsr_learned *l, const float *where, int from, int n, float *weight) {
  const float *x = l->where[0] + from, *y = l->where[1] + from, *z = l->where[2] + from, *w = l->where[3] + from;
  for (int i = 0; i < n; i++) {
    float a = x[i] - where[0], b = y[i] - where[1], c = z[i] - where[2], d = w[i] - where[3];
    float left = 1 - (a * a + b * b + c * c + d * d) * (1 / (REACH * REACH));
    left = left > 0 ? left : 0;
    weight[i] = left * left * left;
  }
}

/* What is known at a place, without the place `left_out`. */
static void look_up(const struct tsr_learned *l, const float *where, int left_out, struct tsr_correction *correction) {
  int from = first_from(l, where[0] - REACH), end = first_from(l, where[0] + REACH);
  float weight[BLOCK], *weights = correction->weight, *errors = correction->error;
  double sum = 0, total = 0;
  for (int c = 0; c < l->nclasses; c++) weights[c] = errors[c] = 0;
  for (; from < end; from += BLOCK) {
    int n = end - from < BLOCK ? end - from : BLOCK;
    weigh(l, where, from, n, weight);
    for (int i = 0; i < n; i++) {
      if (!(weight[i] > 0) || from + i == left_out) continue;
      for (const struct cell *cell = &l->cell[l->first[from + i]]; cell < &l->cell[l->first[from + i + 1]]; cell++) {
        weights[cell->class] += weight[i] * cell->weight;
        errors[cell->class] += weight[i] * cell->weight * cell->error;
      }
    }
  }
  for (int c = 0; c < l->nclasses; c++) {
    if (!(weights[c] > 0)) continue;
    double trust = weights[c] / (weights[c] + 1);
    sum += trust * (errors[c] / weights[c]);
    total += trust;
  }
  correction->common = sum / (total + COMMON_PRIOR);
}

/* The logarithm of a factor. */
static double error_at(const struct tsr_correction *correction, int c, double class_prior) {
  double error = correction->common, weight = c >= 0 ? correction->weight[c] : 0;
  if (weight > 0) error += (correction->error[c] - weight * correction->common) / (weight + class_prior);
  return error;
}

/* How far the differences between the classes of a place are from those predicted, squared. */
static double misjudged(const struct tsr_learned *l, int place, const struct tsr_correction *correction, double prior) {
  int n = l->first[place + 1] - l->first[place];
  double sum = 0, squares = 0;
  for (int i = l->first[place]; i < l->first[place + 1]; i++) {
    double off = l->cell[i].error - error_at(correction, l->cell[i].class, prior);
    sum += off;
    squares += off * off;
  }
  return squares - sum * sum / n;
}

static double cross_validate(const struct tsr_learned *l) {
  struct tsr_correction correction;
  double squares[PRIORS] = {0};
  int best = 0;
  if (l->nplaces < FEWEST_VALIDATED) return CLASS_PRIORS[0];
  for (int place = 0; place < l->nplaces; place += 1 + l->nplaces / MOST_VALIDATED) {
    float where[TSR_PLACE];
    for (int d = 0; d < TSR_PLACE; d++) where[d] = l->where[d][place];
    look_up(l, where, place, &correction);
    for (int i = 0; i < PRIORS; i++) squares[i] += misjudged(l, place, &correction, CLASS_PRIORS[i]);
  }
  for (int i = 1; i < PRIORS; i++)
    if (squares[i] < squares[best]) best = i;
  return CLASS_PRIORS[best];
}

static struct tsr_learned *learn(const struct tsr_lesson *samples, int n) {
  struct tsr_learned *l = calloc(1, sizeof *l);
  size_t room = (size_t)n + 1;
  struct tsr_lesson *sorted = malloc(room * sizeof *sorted);
  if (l) {
    l->first = malloc(room * sizeof *l->first);
    l->cell = malloc(room * sizeof *l->cell);
    l->where[0] = malloc(TSR_PLACE * room * sizeof *l->where[0]);
  }
  if (!l || !sorted || !l->first || !l->cell || !l->where[0]) {
    free(sorted);
    tsr_learned_free(l);
    return NULL;
  }
  for (int d = 1; d < TSR_PLACE; d++) l->where[d] = l->where[0] + (size_t)d * room;
  collect_classes(l, samples, n);
  int sound = 0;
  for (int i = 0; i < n; i++)
    if (is_sound(&samples[i]) && find_class(l, samples[i].class) >= 0) sorted[sound++] = samples[i];
  qsort(sorted, (size_t)sound, sizeof *sorted, compare_samples);
  fill(l, sorted, sound);
  free(sorted);
  l->class_prior = cross_validate(l);
  return l;
}

struct tsr_learned *tsr_learn(const struct tsr_lesson *samples, int n) {
  fenv_t environment;
  feholdexcept(&environment);
  struct tsr_learned *learned = learn(samples, n > 0 ? n : 0);
  fesetenv(&environment);
  if (!learned) tsr_fail(TSR_OUT_OF_MEMORY, "learning: no memory for %d samples", n);
  return learned;
}

void tsr_learned_free(struct tsr_learned *learned) {
  if (!learned) return;
  free(learned->first);
  free(learned->cell);
  free(learned->where[0]);
  free(learned);
}

void tsr_learned_at(const struct tsr_learned *learned, const double *where, struct tsr_correction *correction) {
  fenv_t environment;
  float place[TSR_PLACE];
  correction->learned = NULL;
  correction->common = 0;
  if (!learned || !learned->nplaces) return;
  feholdexcept(&environment);
  bool sound = true;
  for (int d = 0; d < TSR_PLACE; d++) place[d] = (float)where[d], sound = sound && fabs(where[d]) < 1e6;
  if (sound) look_up(learned, place, -1, correction);
  fesetenv(&environment);
  if (sound) correction->learned = learned;
}

double tsr_correction_factor(const struct tsr_correction *correction, int class) {
  if (!correction->learned) return 1;
  fenv_t environment;
  feholdexcept(&environment);
  const struct tsr_learned *learned = correction->learned;
  double error = error_at(correction, find_class(learned, class), learned->class_prior);
  volatile double factor = error == 0 ? 1 : exp(error); /* volatile: done before the flags are put back */
  fesetenv(&environment);
  return factor;
}
