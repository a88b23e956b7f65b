/* Numbers for the tests: a seeded generator, and elements of a type by the trouble they make. Elements travel as bits,
 * so that nothing here raises a floating-point flag or quiets a signalling NaN. */
#ifndef TEST_VALUES_H
#define TEST_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "tessera/tessera.h"

struct rng {
  uint64_t state;
};

uint64_t rng_next(struct rng *rng);
int64_t rng_range(struct rng *rng, int64_t low, int64_t high); /* both ends included */
bool rng_chance(struct rng *rng, int percent);

enum fill {
  FILL_SMALL,    /* integers -4..4: every sum is exact, so a stray flag shows */
  FILL_POSITIVE, /* integers 1..7: not even a cancellation */
  FILL_NORMAL,   /* full mantissas of like size */
  FILL_WIDE,     /* any exponent */
  FILL_HUGE,     /* near overflow */
  FILL_TINY,     /* denormals and their neighbours */
  FILL_ZEROS,    /* +-0 and +-1 */
  FILL_SPECIAL,  /* normal ones with NaN, Inf, zeros, denormals and the extremes among them */
  FILL_COUNT
};

/* The type of a complex number's two parts, whose bits are what the functions below take; any other type itself. */
tsr_type part_of(tsr_type type);

uint64_t make_value(struct rng *rng, tsr_type type, enum fill fill);

uint64_t bits_of_inf(tsr_type type);
uint64_t bits_of_quiet_nan(tsr_type type);
uint64_t bits_of_signalling_nan(tsr_type type);
bool bits_are_nan(tsr_type type, uint64_t bits);

void put_bits(void *to, tsr_type type, uint64_t bits);
uint64_t get_bits(const void *from, tsr_type type);
double value_of_bits(tsr_type type, uint64_t bits);
uint64_t bits_of_float(tsr_type type, float value); /* rounded to nearest, ties to even */

/* Elements that lie in one block with a scale of their own (tessera.h), 1 for the other types, and the bytes of n
 * elements, whole blocks. */
int64_t block_of(tsr_type type);
int64_t bytes_of(tsr_type type, int64_t n);
/* A block whose scale, of f16, has the bits given: any integers, or such as are above 0. */
void put_block(struct rng *rng, unsigned char *to, tsr_type type, uint64_t scale, bool positive);
/* Element i of a row of blocks: the bits of its scale, and its integer. */
uint64_t scale_of_element(const unsigned char *row, tsr_type type, int64_t i);
int integer_of_element(const unsigned char *row, tsr_type type, int64_t i);

#endif
