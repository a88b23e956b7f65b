/* Activations of one element type (post.h), for one number, as every chip does them in its lanes: each line below is a
 * rounded operation or an fma, in this order. post.h defines REAL, NAME(x) and the constants, and includes this for
 * each type. NaN stays NaN. */

/* e^y for y <= 0. The product with log2(e) is taken in two parts, or its rounding would count as often as y is large.
 * */
static inline REAL NAME(exp)(REAL y) {
  REAL z = y * LOG2E;
  if (z < EXP2_LEAST) return 0;
  if (z != z) return z;
  REAL n = NAME(rint)(z), f = NAME(fma)(y, LOG2E_LOW, NAME(fma)(y, LOG2E, -n));
  return NAME(power_of_2)(n) * NAME(fma)(f, NAME(exp2_r)(f), 1);
}

static inline REAL NAME(sigmoid)(REAL y) {
  REAL e = NAME(exp)(-NAME(abs)(y));
  return (y < 0 ? e : 1) / (1 + e);
}

/* y * sigmoid(y); -0 from y = SILU_LEAST down. */
static inline REAL NAME(silu)(REAL y) {
  y = y < SILU_LEAST ? SILU_LEAST : y;
  REAL e = NAME(exp)(-NAME(abs)(y));
  return (y < 0 ? y * e : y) / (1 + e);
}

static inline REAL NAME(tanh)(REAL y) { return NAME(tanh2)(y * (2 * LOG2E)); }

/* The larger of y and 0, less |y| times the normal distribution function of -|y|. Far below 0 it is +0. */
static inline REAL NAME(gelu)(REAL y) {
  REAL a = NAME(abs)(y);
  a = a > GELU_MOST ? GELU_MOST : a;
  return NAME(fma)(-a, NAME(normal)(a), y < 0 ? 0 : y);
}

/* y * sigmoid(2 u) with u = sqrt(2/pi) (y + 0.044715 y^3); -0 from y = GELU_TANH_LEAST down. */
static inline REAL NAME(gelu_tanh)(REAL y) {
  y = y < GELU_TANH_LEAST ? GELU_TANH_LEAST : y;
  REAL t = NAME(fma)(y * y, GELU_TANH_3, GELU_TANH_1);
  REAL e = NAME(exp2)(-(NAME(abs)(y) * t));
  return (y < 0 ? y * e : y) / (1 + e);
}

static inline REAL NAME(activate)(const struct tsr_post *post, REAL y) {
  REAL low = (REAL)post->low, high = (REAL)post->high;
  switch (post->activation) {
    case TSR_RELU: return y < 0 ? 0 : y;
    case TSR_CLIP: y = y < low ? low : y; return y > high ? high : y;
    case TSR_LEAKY_RELU: return y < 0 ? (REAL)post->slope * y : y;
    case TSR_GELU: return NAME(gelu)(y);
    case TSR_GELU_TANH: return NAME(gelu_tanh)(y);
    case TSR_SILU: return NAME(silu)(y);
    case TSR_TANH: return NAME(tanh)(y);
    case TSR_SIGMOID: return NAME(sigmoid)(y);
    default: return y;
  }
}
