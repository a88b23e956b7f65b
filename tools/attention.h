/* Shapes of attention as people write them. */
#ifndef TESSERA_ATTENTION_TEXT_H
#define TESSERA_ATTENTION_TEXT_H

#include "src/tune/tune.h"

/* The operator for attention on CPUs? */
bool is_attention(const struct tsr_operator *op);

/* One of: a line of numbers, "batch heads_q heads_kv len_q len_kv d_qk d_v causal(0|1) type [panels]"; sizes, "[f16]
 * 1x32/8x1024x1024x128 [causal|top-left] [mask] [panels]" (batch, heads / those of k and v, queries, keys, size of a
 * head / that of v); the tuner's words, "heads=32 q=1024 kv=1024 d=128", where what is missing is chosen: type f16,
 * batch 1, kv_heads and dv those of heads and d, no mask, keys in rows, all threads. False, with a sentence in `why`
 * (TSR_WHY_TEXT bytes), if the text is no shape. */
bool attention_shape_of_text(const tsr_context *context, const char *text, struct tsr_values *shape, char *why);

/* Operations of a call, and bytes of its operands. */
double attention_flops(const struct tsr_values *shape);
double attention_bytes(const struct tsr_values *shape);

/* Whether calls of the shape take the rule's plan without looking further. */
bool attention_is_small(const struct tsr_values *shape);

#endif
