/* Numbers in blocks and bytes with scales, as caches hold them. */
#ifndef TSR_ATTENTION_BLOCKS_H
#define TSR_ATTENTION_BLOCKS_H

#include "src/core/core.h"

/* One row of d elements of s8, times `scale`, each product rounded once. */
void tsr_attention_decode(int64_t d, tsr_mem from, float scale, float *to);

/* The other way, to nearest, for s8, q8_0 and q4_0; s8 writes the row's scale. */
void tsr_attention_encode(tsr_type type, int64_t d, const float *from, tsr_mem to, float *scale);

#endif
