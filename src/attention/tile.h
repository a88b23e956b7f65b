/* Between the files that compute an item: tiles, states, and the two ways of the lanes. */
#ifndef TSR_ATTENTION_TILE_H
#define TSR_ATTENTION_TILE_H

#include "src/attention/attention.h"

/* Units of the next tile of rows, of `left`, for so many columns. */
int tsr_attention_units(const struct tsr_tiles *tiles, int64_t left, int64_t cols);

/* The states from a row on, and the arrays that say what rows see. */
struct tsr_softmax tsr_attention_state(struct tsr_attention_worker *w, int64_t row);

/* Strides, in floats, of what PV reads and writes. */
struct tsr_attention_layout {
  const float *s;
  float *sums;
  int64_t s_row, s_key, sums_row, sums_d;
};

/* step's product P V into the layout's sums. Values that are not finite count as 0 in it; then elements that one of
 * weight > 0 reaches are done again. One operand is given, the other is the values (w->v), cleaned. */
void tsr_attention_multiply_carefully(struct tsr_attention_worker *w, const struct tsr_attention_view *view,
                                      const struct tsr_attention_layout *at, struct tsr_step *step, tsr_mem a,
                                      tsr_mem b, bool values_are_a, float *values);

/* All tiles of an item against one chunk, merged, with lanes over queries. */
void tsr_attention_attend_tiles(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk);

#endif
