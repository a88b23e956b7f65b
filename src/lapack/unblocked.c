/* The ends of the recursions for each type: unblocked_body.h in terms of ELEMENT, its parts PART, and arithmetic. */
#include "src/lapack/unblocked.h"

#define INLINE static inline __attribute__((always_inline))

/* Real arithmetic. */
INLINE float minus_f32(float a, float x, float y) { return a - x * y; }
INLINE float plus_f32(float a, float x, float y) { return a + x * y; }
INLINE float times_f32(float x, float y) { return x * y; }
INLINE float over_f32(float x, float y) { return x / y; }
INLINE float conj_f32(float x) { return x; }
INLINE float real_f32(float x) { return x; }
INLINE float of_real_f32(float x) { return x; }
INLINE float size_f32(float x) { return __builtin_fabsf(x); }

INLINE double minus_f64(double a, double x, double y) { return a - x * y; }
INLINE double plus_f64(double a, double x, double y) { return a + x * y; }
INLINE double times_f64(double x, double y) { return x * y; }
INLINE double over_f64(double x, double y) { return x / y; }
INLINE double conj_f64(double x) { return x; }
INLINE double real_f64(double x) { return x; }
INLINE double of_real_f64(double x) { return x; }
INLINE double size_f64(double x) { return __builtin_fabs(x); }

/* Complex arithmetic: products as (re re - im im, re im + im re), added part by part; quotients after Smith. */
typedef struct {
  float re, im;
} c32;
typedef struct {
  double re, im;
} c64;
INLINE c32 times_c32(c32 x, c32 y) { return (c32){x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re}; }
INLINE c32 minus_c32(c32 a, c32 x, c32 y) {
  c32 p = times_c32(x, y);
  return (c32){a.re - p.re, a.im - p.im};
}
INLINE c32 plus_c32(c32 a, c32 x, c32 y) {
  c32 p = times_c32(x, y);
  return (c32){a.re + p.re, a.im + p.im};
}
INLINE c32 over_c32(c32 x, c32 y) {
  if (__builtin_fabsf(y.re) >= __builtin_fabsf(y.im)) {
    float r = y.im / y.re, d = y.re + y.im * r;
    return (c32){(x.re + x.im * r) / d, (x.im - x.re * r) / d};
  }
  float r = y.re / y.im, d = y.im + y.re * r;
  return (c32){(x.re * r + x.im) / d, (x.im * r - x.re) / d};
}
INLINE c32 conj_c32(c32 x) { return (c32){x.re, -x.im}; }
INLINE float real_c32(c32 x) { return x.re; }
INLINE c32 of_real_c32(float x) { return (c32){x, 0}; }
INLINE float size_c32(c32 x) { return __builtin_fabsf(x.re) + __builtin_fabsf(x.im); }

INLINE c64 times_c64(c64 x, c64 y) { return (c64){x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re}; }
INLINE c64 minus_c64(c64 a, c64 x, c64 y) {
  c64 p = times_c64(x, y);
  return (c64){a.re - p.re, a.im - p.im};
}
INLINE c64 plus_c64(c64 a, c64 x, c64 y) {
  c64 p = times_c64(x, y);
  return (c64){a.re + p.re, a.im + p.im};
}
INLINE c64 over_c64(c64 x, c64 y) {
  if (__builtin_fabs(y.re) >= __builtin_fabs(y.im)) {
    double r = y.im / y.re, d = y.re + y.im * r;
    return (c64){(x.re + x.im * r) / d, (x.im - x.re * r) / d};
  }
  double r = y.re / y.im, d = y.im + y.re * r;
  return (c64){(x.re * r + x.im) / d, (x.im * r - x.re) / d};
}
INLINE c64 conj_c64(c64 x) { return (c64){x.re, -x.im}; }
INLINE double real_c64(c64 x) { return x.re; }
INLINE c64 of_real_c64(double x) { return (c64){x, 0}; }
INLINE double size_c64(c64 x) { return __builtin_fabs(x.re) + __builtin_fabs(x.im); }

#define ELEMENT float
#define PART float
#define MINUS minus_f32
#define PLUS plus_f32
#define TIMES times_f32
#define OVER over_f32
#define CONJ conj_f32
#define REAL real_f32
#define OF_REAL of_real_f32
#define MAGNITUDE size_f32
#define LOAD load_f32
#define STORE store_f32
#define POTRF potrf_f32
#define TRTRI trtri_f32
#define LAUUM lauum_f32
#define FIRST_ZERO first_zero_f32
#include "src/lapack/unblocked_body.h"

#undef ELEMENT
#undef PART
#undef MINUS
#undef PLUS
#undef TIMES
#undef OVER
#undef CONJ
#undef REAL
#undef OF_REAL
#undef MAGNITUDE
#undef LOAD
#undef STORE
#undef POTRF
#undef TRTRI
#undef LAUUM
#undef FIRST_ZERO

#define ELEMENT double
#define PART double
#define MINUS minus_f64
#define PLUS plus_f64
#define TIMES times_f64
#define OVER over_f64
#define CONJ conj_f64
#define REAL real_f64
#define OF_REAL of_real_f64
#define MAGNITUDE size_f64
#define LOAD load_f64
#define STORE store_f64
#define POTRF potrf_f64
#define TRTRI trtri_f64
#define LAUUM lauum_f64
#define FIRST_ZERO first_zero_f64
#include "src/lapack/unblocked_body.h"

#undef ELEMENT
#undef PART
#undef MINUS
#undef PLUS
#undef TIMES
#undef OVER
#undef CONJ
#undef REAL
#undef OF_REAL
#undef MAGNITUDE
#undef LOAD
#undef STORE
#undef POTRF
#undef TRTRI
#undef LAUUM
#undef FIRST_ZERO

#define ELEMENT c32
#define PART float
#define MINUS minus_c32
#define PLUS plus_c32
#define TIMES times_c32
#define OVER over_c32
#define CONJ conj_c32
#define REAL real_c32
#define OF_REAL of_real_c32
#define MAGNITUDE size_c32
#define LOAD load_c32
#define STORE store_c32
#define POTRF potrf_c32
#define TRTRI trtri_c32
#define LAUUM lauum_c32
#define FIRST_ZERO first_zero_c32
#include "src/lapack/unblocked_body.h"

#undef ELEMENT
#undef PART
#undef MINUS
#undef PLUS
#undef TIMES
#undef OVER
#undef CONJ
#undef REAL
#undef OF_REAL
#undef MAGNITUDE
#undef LOAD
#undef STORE
#undef POTRF
#undef TRTRI
#undef LAUUM
#undef FIRST_ZERO

#define ELEMENT c64
#define PART double
#define MINUS minus_c64
#define PLUS plus_c64
#define TIMES times_c64
#define OVER over_c64
#define CONJ conj_c64
#define REAL real_c64
#define OF_REAL of_real_c64
#define MAGNITUDE size_c64
#define LOAD load_c64
#define STORE store_c64
#define POTRF potrf_c64
#define TRTRI trtri_c64
#define LAUUM lauum_c64
#define FIRST_ZERO first_zero_c64
#include "src/lapack/unblocked_body.h"

const struct tsr_unblocked *tsr_unblocked_of(tsr_type type) {
  static const struct tsr_unblocked f32 = {potrf_f32, trtri_f32, lauum_f32, first_zero_f32},
                                    f64 = {potrf_f64, trtri_f64, lauum_f64, first_zero_f64},
                                    c32 = {potrf_c32, trtri_c32, lauum_c32, first_zero_c32},
                                    c64 = {potrf_c64, trtri_c64, lauum_c64, first_zero_c64};
  return type == TSR_F32 ? &f32 : type == TSR_F64 ? &f64 : type == TSR_C32 ? &c32 : &c64;
}
