/* What measured shapes say of unmeasured ones: factors by which the model's seconds are to be multiplied, near the
 * shapes that were measured and for the same class of plan. Never a plan: the model, corrected, still chooses.
 *
 * Far from all samples every factor is exactly 1. A single sample moves a factor little, however wild it is: errors
 * count up to a factor of 2, and samples weigh against a prior that believes the model. */
#ifndef TSR_LEARN_H
#define TSR_LEARN_H

#include "src/tune/tune.h"

struct tsr_learned;

/* One plan that was measured on one shape. */
struct tsr_lesson {
  double where[TSR_PLACE]; /* the shape's place, in logarithms to the base 2: 1 = an octave */
  int class;
  double measured, predicted; /* seconds; the prediction is the model's own, without corrections */
};

/* Classes that are told apart. Of more, those count that come first in the samples. */
#define TSR_LEARN_CLASSES 128

/* The corrections at one place, for as many classes as one likes. */
struct tsr_correction {
  const struct tsr_learned *learned;
  double common;
  float weight[TSR_LEARN_CLASSES], error[TSR_LEARN_CLASSES];
};

/* Learns from samples; those with times that are no positive numbers, or with no place, are skipped. NULL, and
 * tsr_last_error says so, if there is no memory. What it gives is never changed again, so any thread may read it. */
struct tsr_learned *tsr_learn(const struct tsr_lesson *samples, int n);
void tsr_learned_free(struct tsr_learned *learned); /* NULL is allowed */

/* Looks a place up: no allocation, no floating-point flags, about a microsecond for a thousand samples. With NULL
 * every factor is 1. */
void tsr_learned_at(const struct tsr_learned *learned, const double *where, struct tsr_correction *correction);

/* What the model's seconds for plans of a class are to be multiplied by there. Of it, `common` is the same for all
 * classes: the machine's, rather than the plan's. */
double tsr_correction_factor(const struct tsr_correction *correction, int class);

#endif
