/* How far the activations (kernels/post.h) are from the functions they stand for, by libm in long double. The
 * bounds are those of doc/conv.md. Argument `slow`: every float. */
#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/post.h"

static bool slow;

static long double sigmoid(long double y) { return y < 0 ? expl(y) / (1 + expl(y)) : 1 / (1 + expl(-y)); }
static long double silu(long double y) { return y * sigmoid(y); }
static long double gelu(long double y) { return y * erfcl(-y * sqrtl(0.5L)) / 2; }
static long double gelu_tanh(long double y) {
  return y * sigmoid(2 * sqrtl(2 / acosl(-1)) * (y + 0.044715L * y * y * y));
}

static const struct function {
  const char *name;
  float (*f32)(float);
  double (*f64)(double);
  long double (*exact)(long double);
  bool of_y;       /* errors are counted in halves of an ulp of y, else of the result */
  double f32_most, f64_most; /* such errors */
} functions[] = {
    {"sigmoid", tsr_sigmoid_f32, tsr_sigmoid_f64, sigmoid, false, 3, 3},
    {"silu", tsr_silu_f32, tsr_silu_f64, silu, false, 4, 6},
    {"tanh", tsr_tanh_f32, tsr_tanh_f64, tanhl, false, 4.5, 4.5},
    {"gelu", tsr_gelu_f32, tsr_gelu_f64, gelu, true, 1.5, 3.5},
    {"gelu_tanh", tsr_gelu_tanh_f32, tsr_gelu_tanh_f64, gelu_tanh, true, 2.5, 2.5},
};
enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

/* The error in units of eps times |y| or |exact|. What is below `least` counts as if it were that large. */
static double error_of(const struct function *f, long double y, long double got, double eps, double least) {
  long double exact = f->exact(y), base = fabsl(f->of_y ? y : exact);
  if (base < least) base = least;
  return (double)(fabsl(got - exact) / (base * eps));
}

static void each_float(const struct function *f) {
  double worst = 0;
  float at = 0;
  /* 2^-80 .. 128 of both signs; beyond, the limits are tested below. */
  uint32_t from = (127 - 80) << 23, to = (127 + 7) << 23, stride = slow ? 1 : 997;
  for (uint32_t bits = from; bits < to; bits += stride)
    for (uint32_t sign = 0; sign < 2; sign++) {
      float y = tsr_float_of_bits(bits | sign << 31);
      double error = error_of(f, y, f->f32(y), 0x1p-24, 0x1p-90);
      if (error > worst) worst = error, at = y;
    }
  printf("%s f32: %.2f halves of an ulp of %s at %a\n", f->name, worst, f->of_y ? "y" : "the result", at);
  assert_true(worst <= f->f32_most);
}

static void each_double(const struct function *f) {
  double worst = 0, at = 0, ratio = slow ? 1 + 0x1p-18 : 1 + 0x1p-11;
  for (double y = 0x1p-80; y < 1000; y *= ratio)
    for (int sign = -1; sign < 2; sign += 2) {
      double error = error_of(f, sign * y, f->f64(sign * y), 0x1p-53, 0x1p-960);
      if (error > worst) worst = error, at = sign * y;
    }
  printf("%s f64: %.2f halves of an ulp of %s at %a\n", f->name, worst, f->of_y ? "y" : "the result", at);
  assert_true(worst <= f->f64_most);
}

static void f32_is_close(void **state) {
  (void)state;
  for (int i = 0; i < FUNCTIONS; i++) each_float(&functions[i]);
}

static void f64_is_close(void **state) {
  (void)state;
  for (int i = 0; i < FUNCTIONS; i++) each_double(&functions[i]);
}

/* As gelu uses it: erf(y sqrt(1/2)) = 1 - 2 N(-y). */
static void erf_is_close(void **state) {
  (void)state;
  double worst = 0;
  for (uint32_t bits = 0; bits < (127 + 5) << 23; bits += slow ? 1 : 997) {
    float y = tsr_float_of_bits(bits);
    double error = fabs((double)(erfcl(y * sqrtl(0.5L)) - 2 * (long double)tsr_normal_f32(y)));
    if (error > worst) worst = error;
  }
  printf("erf in gelu of f32: %.2g\n", worst);
  assert_true(worst <= 1e-7);
}

/* At 0, far out, and at NaN; `far` goes on to infinity. */
static void ends_are_the_limits(void **state) {
  (void)state;
  for (int i = 0; i < FUNCTIONS; i++) {
    const struct function *f = &functions[i];
    bool saturates = f->exact == sigmoid || f->exact == tanhl;
    double below = f->exact == tanhl ? -1 : 0;
    for (float far = 1000; far < INFINITY; far *= 3) {
      assert_true(f->f32(far) == (saturates ? 1 : far));
      assert_true(f->f32(-far) == (float)below);
      assert_true(f->f64(far) == (saturates ? 1 : far));
      assert_true(f->f64(-far) == below);
    }
    assert_true(f->f32(INFINITY) == (saturates ? 1 : INFINITY) && f->f64(INFINITY) == (saturates ? 1 : INFINITY));
    assert_true(f->f32(-INFINITY) == (float)below && f->f64(-INFINITY) == below);
    assert_true(isnan(f->f32(NAN)) && isnan(f->f64(NAN)));
    assert_true(f->f32(0) == (float)f->exact(0) && f->f64(0) == (double)f->exact(0));
    if (f->exact != sigmoid) assert_true(signbit(f->f32(-0.0f)) && signbit(f->f64(-0.0)) && !signbit(f->f32(0)));
  }
  assert_true(signbit(tsr_silu_f32(-INFINITY)) && signbit(tsr_gelu_tanh_f32(-INFINITY)));
  assert_false(signbit(tsr_gelu_f32(-INFINITY)));
}

static float activate(tsr_activation activation, float y) {
  struct tsr_post post = {.activation = activation, .low = -1.5, .high = 6, .slope = 0.1};
  float single = tsr_activate_f32(&post, y);
  post.slope = 0.1f;
  double twice = tsr_activate_f64(&post, y);
  assert_true(single != single ? twice != twice : single == (float)twice && !signbit(single) == !signbit(twice));
  return single;
}

static void simple_ones_are_exact(void **state) {
  (void)state;
  const float y[] = {-INFINITY, -7, -1.5f, -0x1p-140f, -0.0f, 0, 0x1p-140f, 3, 6, 7, INFINITY};
  for (size_t i = 0; i < sizeof y / sizeof y[0]; i++) {
    assert_true(activate(TSR_NO_ACTIVATION, y[i]) == y[i]);
    assert_true(activate(TSR_RELU, y[i]) == (y[i] > 0 ? y[i] : 0));
    assert_true(activate(TSR_CLIP, y[i]) == (y[i] < -1.5f ? -1.5f : y[i] > 6 ? 6 : y[i]));
    assert_true(activate(TSR_LEAKY_RELU, y[i]) == (y[i] < 0 ? 0.1f * y[i] : y[i]));
  }
  for (int activation = TSR_NO_ACTIVATION; activation <= TSR_SIGMOID; activation++)
    assert_true(isnan(activate((tsr_activation)activation, NAN)));
}

int main(int argc, char **argv) {
  slow = argc > 1 && !strcmp(argv[1], "slow");
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(f32_is_close), cmocka_unit_test(f64_is_close), cmocka_unit_test(erf_is_close),
      cmocka_unit_test(ends_are_the_limits), cmocka_unit_test(simple_ones_are_exact)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
