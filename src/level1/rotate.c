/* Plane rotations. What they are to be: the reference BLAS 3.10 and E. Anderson, "Algorithm 978: Safe Scaling in the Level 1
 * BLAS", ACM TOMS 44(1), 2017. f32 is computed in f64, where no square of an f32 overflows or underflows. */
#include <float.h>
#include <math.h>
#include <stddef.h>

#include "src/level1/level1.h"

#define SAFE_MIN DBL_MIN          /* its reciprocal is finite */
#define SAFE_MAX (1 / DBL_MIN)

static double within(double x) { return x < SAFE_MIN ? SAFE_MIN : x > SAFE_MAX ? SAFE_MAX : x; }

/* c, s, r, and z, which tells c and s again: s if |s| < c, 1 / c otherwise, 1 if c is 0. */
struct rotation {
  double c, s, r, z;
};

static struct rotation rotation_of(double a, double b) {
  double size_a = fabs(a), size_b = fabs(b);
  if (b == 0) return (struct rotation){1, 0, a, 0};
  if (a == 0) return (struct rotation){0, 1, b, 1};
  bool a_leads = size_a > size_b;
  double unit = within(a_leads ? size_a : size_b), x = a / unit, y = b / unit;
  double root = copysign(sqrt(x * x + y * y), a_leads ? a : b);
  struct rotation q = {.c = x / root, .s = y / root, .r = unit * root};
  q.z = a_leads ? q.s : q.c != 0 ? 1 / q.c : 1;
  return q;
}

void tsr_rotg_f64(double *a, double *b, double *c, double *s) {
  struct rotation q = rotation_of(*a, *b);
  *c = q.c, *s = q.s, *a = q.r, *b = q.z;
}

void tsr_rotg_f32(float *a, float *b, float *c, float *s) {
  struct rotation q = rotation_of(*a, *b);
  *c = (float)q.c, *s = (float)q.s, *a = (float)q.r, *b = (float)q.z;
}

struct complex {
  double re, im;
};
struct complex_rotation {
  double c;
  struct complex s, r;
};

static double larger_part(struct complex z) {
  double re = fabs(z.re), im = fabs(z.im);
  return re > im || isnan(re) ? re : im;
}
static double square(struct complex z) { return z.re * z.re + z.im * z.im; }
static struct complex times(struct complex z, double by) { return (struct complex){z.re * by, z.im * by}; }
static struct complex over(struct complex z, double by) { return (struct complex){z.re / by, z.im / by}; }
static struct complex conjugate_times(struct complex g, struct complex f) {
  return (struct complex){g.re * f.re + g.im * f.im, g.re * f.im - g.im * f.re};
}

/* Of f and g with |f|^2 = f2 and the sum of both squares h2; f2, h2, their quotient and their product are normal numbers. */
static struct complex_rotation from_squares(struct complex f, struct complex g, double f2, double h2) {
  struct complex_rotation q = {.c = sqrt(f2 / h2)};
  q.r = over(f, q.c);
  q.s = conjugate_times(g, over(f, sqrt(f2 * h2)));
  return q;
}

static struct complex_rotation from_zero(struct complex g) {
  double size = larger_part(g);
  struct complex_rotation q = {0, {0, 0}, {0, 0}};
  if (g.re == 0 || g.im == 0) {
    q.r.re = size;
    q.s = (struct complex){g.re / size, -g.im / size};
    return q;
  }
  double unit = within(size);
  struct complex scaled = over(g, unit);
  double root = sqrt(square(scaled));
  q.s = (struct complex){scaled.re / root, -scaled.im / root};
  q.r.re = root * unit;
  return q;
}

/* Squares of what lies between these, their products and their quotients are normal numbers. */
static bool in_middle(double x) { return x > 0x1p-250 && x < 0x1p250; }

static struct complex_rotation complex_rotation_of(struct complex f, struct complex g) {
  if (g.re == 0 && g.im == 0) return (struct complex_rotation){1, {0, 0}, f};
  if (f.re == 0 && f.im == 0) return from_zero(g);
  double size_f = larger_part(f), size_g = larger_part(g);
  if (in_middle(size_f) && in_middle(size_g)) return from_squares(f, g, square(f), square(f) + square(g));

  double unit = within(size_f > size_g || isnan(size_f) ? size_f : size_g), unit_f = unit, ratio = 1;
  if (size_f / unit < 0x1p-250) { /* f has a unit of its own, or its square is lost */
    unit_f = within(size_f);
    ratio = unit_f / unit;
  }
  struct complex fs = over(f, unit_f), gs = over(g, unit);
  double f2 = square(fs);
  struct complex_rotation q = from_squares(fs, gs, f2, f2 * ratio * ratio + square(gs));
  q.c *= ratio;
  q.r = times(q.r, unit);
  return q;
}

void tsr_rotg_c64(double *a, const double *b, double *c, double *s) {
  struct complex_rotation q = complex_rotation_of((struct complex){a[0], a[1]}, (struct complex){b[0], b[1]});
  *c = q.c;
  s[0] = q.s.re, s[1] = q.s.im;
  a[0] = q.r.re, a[1] = q.r.im;
}

void tsr_rotg_c32(float *a, const float *b, float *c, float *s) {
  struct complex_rotation q = complex_rotation_of((struct complex){a[0], a[1]}, (struct complex){b[0], b[1]});
  *c = (float)q.c;
  s[0] = (float)q.s.re, s[1] = (float)q.s.im;
  a[0] = (float)q.r.re, a[1] = (float)q.r.im;
}

/* --- Modified rotations ------------------------------------------------------------------------------------------- */

#define REAL double
#define ABS fabs
#define MATRIX matrix_f64
#define GIVE_ALL give_all_f64
#define RESCALE rescale_f64
#define ROTMG tsr_rotmg_f64
#include "src/level1/rotmg.h"
#undef REAL
#undef ABS
#undef MATRIX
#undef GIVE_ALL
#undef RESCALE
#undef ROTMG

#define REAL float
#define ABS fabsf
#define MATRIX matrix_f32
#define GIVE_ALL give_all_f32
#define RESCALE rescale_f32
#define ROTMG tsr_rotmg_f32
#include "src/level1/rotmg.h"
