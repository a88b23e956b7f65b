#include "src/attention/log.h"

#include <math.h>

/* ln(x) = e ln(2) + 2 atanh(z), z = (f - 1) / (f + 1), f in [sqrt(1/2), sqrt(2)): |z| < 0.172, so that 12 terms of the
 * series reach f64's precision. */
static double logarithm(double x) {
  int e;
  double f = frexp(x, &e);
  if (f < 0.70710678118654752) f *= 2, e--;
  static const double term[] = {1. / 23, 1. / 21, 1. / 19, 1. / 17, 1. / 15, 1. / 13,
                                1. / 11, 1. / 9,  1. / 7,  1. / 5,  1. / 3,  1.};
  double z = (f - 1) / (f + 1), z2 = z * z, series = 0;
  for (int i = 0; i < 12; i++) series = series * z2 + term[i];
  return e * 0.69314718055994531 + 2 * z * series;
}

float tsr_attention_lse(float max, float sum) {
  if (sum == 0) return -INFINITY;
  if (sum - sum != 0) return sum;
  return (float)(max * 0.69314718055994531 + logarithm(sum));
}
