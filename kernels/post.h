/* The arithmetic of POST (kernel.h) for one number, for f32 and f64: tsr_activate_f32, tsr_activate_f64 and what they
 * are made of. doc/conv.md, "Activations", says how far each is from the function it stands for. */
#ifndef TSR_POST_H
#define TSR_POST_H

#include <math.h>

#include "kernels/softmax.h"
#include "kernels/kernel.h"

/* exp2 and tanh2 of f64: those of f32 (softmax.h) with more terms. */
static inline double tsr_power_of_2_f64(double n) {
  uint64_t bits = (uint64_t)(1023 + (int64_t)n) << 52;
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline double tsr_exp2_r_f64(double f) {
  static const double term[] = {
      0x1.e9d3fe3952179p-32, 0x1.e6063f7217bc6p-28, 0x1.b524fae627834p-24, 0x1.62bfd47773353p-20,
      0x1.ffcbfc670dcd4p-17, 0x1.430913096fd9fp-13, 0x1.5d87fe78a5276p-10, 0x1.3b2ab6fba1ddap-7,
      0x1.c6b08d704a0c2p-5,  0x1.ebfbdff82c598p-3,  0x1.62e42fefa39efp-1};
  double r = term[0];
  for (int i = 1; i < 11; i++) r = fma(f, r, term[i]);
  return r;
}

#define TSR_EXP2_LEAST_F64 -1020.0

static inline double tsr_exp2_f64(double y) {
  if (y < TSR_EXP2_LEAST_F64) return 0;
  if (y != y) return y;
  double n = rint(y), f = y - n;
  return tsr_power_of_2_f64(n) * fma(f, tsr_exp2_r_f64(f), 1);
}

static inline double tsr_tanh2_f64(double y) {
  if (y != y) return y;
  double low = -fabs(y);
  if (low < TSR_EXP2_LEAST_F64) low = TSR_EXP2_LEAST_F64;
  double n = rint(low), f = low - n, power = tsr_power_of_2_f64(n);
  double e = fma(power, f * tsr_exp2_r_f64(f), power - 1);
  return copysign(-e / (2 + e), y);
}

/* The normal distribution function of -a, a >= 0. In f32 its logarithm (base 2) is a polynomial, fitted on [0, 6] and
 * falling beyond; in f64 it is 2^(-a^2 log2(e) / 2) times a polynomial of s = (a - 5) / (a + 5). */
static inline float tsr_normal_f32(float a) {
  static const float term[] = {-0x1.f3d66ep-26f, 0x1.d1fe42p-21f,  -0x1.739c44p-17f, 0x1.430b02p-14f,
                               -0x1.26959cp-12f, 0x1.f522c8p-22f,  0x1.c771f6p-8f,   -0x1.ada1acp-5f,
                               -0x1.d63d7cp-2f,  -0x1.26aec8p+0f,  -1.0f};
  float p = term[0];
  for (int i = 1; i < 11; i++) p = fmaf(a, p, term[i]);
  return tsr_exp2(p);
}

static inline double tsr_normal_f64(double a) {
  static const double term[] = {
      0x1.1a835a795940ap-34,  -0x1.13f2bf7c87b8dp-33, -0x1.b4ddd594730a0p-31, 0x1.839e529cac40ep-30,
      0x1.9e9bee99ac760p-28,  -0x1.612a0fab7d2acp-27, -0x1.530c0fe0bcb8fp-25, 0x1.481bfbbe9fb24p-24,
      0x1.05790c22049d5p-22,  -0x1.6a3035b16f264p-21, -0x1.54f3432645ccdp-20, 0x1.bde316d0fd8dap-18,
      0x1.020d8c54ec364p-20,  -0x1.fae6ec52c2f19p-15, 0x1.1999547224015p-13,  0x1.cc6e666de8f07p-13,
      -0x1.37ccc56cfd30cp-9,  0x1.26a1153b7cb40p-7,   -0x1.7f9d043775461p-6,  0x1.8807f29ff6c44p-5,
      -0x1.4b4ce479f839bp-4,  0x1.db6af8722ce8ep-4,   -0x1.25cd1321c8cb6p-3,  0x1.3b0fbcb4c77bep-4};
  double s = (a - 5) / (a + 5), p = term[0];
  for (int i = 1; i < 24; i++) p = fma(s, p, term[i]);
  return p * tsr_exp2_f64(a * a * -0x1.71547652b82fep-1);
}

#define tsr_abs_f32 fabsf
#define tsr_fma_f32 fmaf
#define tsr_rint_f32 rintf
#define tsr_exp2_f32 tsr_exp2
#define tsr_exp2_r_f32 tsr_exp2_r
#define tsr_tanh2_f32 tsr_tanh2
#define tsr_power_of_2_f32 tsr_power_of_2
#define tsr_abs_f64 fabs
#define tsr_fma_f64 fma
#define tsr_rint_f64 rint

#define REAL float
#define NAME(x) tsr_##x##_f32
#define EXP2_LEAST TSR_EXP2_LEAST
#define LOG2E 0x1.715476p+0f
#define LOG2E_LOW 0x1.4ae0cp-26f
#define SILU_LEAST -88.0f
#define GELU_MOST 16.0f
#define GELU_TANH_LEAST -16.0f
#define GELU_TANH_1 0x1.26aec2p+1f /* 2 sqrt(2/pi) log2(e) */
#define GELU_TANH_3 0x1.a5a7dp-4f  /* times 0.044715 */
#include "kernels/post_type.h"
#undef REAL
#undef NAME
#undef EXP2_LEAST
#undef LOG2E
#undef LOG2E_LOW
#undef SILU_LEAST
#undef GELU_MOST
#undef GELU_TANH_LEAST
#undef GELU_TANH_1
#undef GELU_TANH_3

#define REAL double
#define NAME(x) tsr_##x##_f64
#define EXP2_LEAST TSR_EXP2_LEAST_F64
#define LOG2E 0x1.71547652b82fep+0
#define LOG2E_LOW 0x1.777d0ffda0d24p-56
#define SILU_LEAST -710.0
#define GELU_MOST 40.0
#define GELU_TANH_LEAST -40.0
#define GELU_TANH_1 0x1.26aec21bce759p+1
#define GELU_TANH_3 0x1.a5a7cf7572a98p-4
#include "kernels/post_type.h"
#undef REAL
#undef NAME
#undef EXP2_LEAST
#undef LOG2E
#undef LOG2E_LOW
#undef SILU_LEAST
#undef GELU_MOST
#undef GELU_TANH_LEAST
#undef GELU_TANH_1
#undef GELU_TANH_3

#endif
