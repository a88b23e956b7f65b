/* Seeded random numbers for the tests of the pure parts, which link nothing else. */
#ifndef TSR_TEST_TUNE_RANDOM_H
#define TSR_TEST_TUNE_RANDOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

/* splitmix64. Every program prints its seed; TESSERA_TEST_SEED sets it. */
struct rng {
  uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng) {
  uint64_t x = rng->state += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

static inline double uniform(struct rng *rng) { return (double)(rng_next(rng) >> 11) * 0x1p-53; } /* 0 <= u < 1 */

static inline double normal(struct rng *rng) {
  double u = 1 - uniform(rng), v = uniform(rng);
  return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static inline uint64_t test_seed(void) {
  static uint64_t seed;
  const char *text = getenv("TESSERA_TEST_SEED");
  if (seed) return seed;
  seed = text ? strtoull(text, NULL, 0) : 1;
  printf("seed %llu (set TESSERA_TEST_SEED to change it)\n", (unsigned long long)seed);
  return seed;
}

#endif
