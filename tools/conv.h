/* Shapes of convolution as people write them. */
#ifndef TESSERA_CONV_TEXT_H
#define TESSERA_CONV_TEXT_H

#include "src/tune/tune.h"

/* The operator for convolution on CPUs? */
bool is_conv(const struct tsr_operator *op);

/* One of: words as in bench/shapes/conv.txt, "64->128@56 3x3/2 [p1[:2]] [d2] [g32] [T] [N8] [f16[:f32]] [nchw[:nhwc]]"
 * (channels, filters, size, kernel and stride, padding, dilation, groups, transposed, batch, types of x and y, layouts
 * of x and y) in any order; the tuner's words, "channels=64 filters=128 in=56x56 kernel=3x3 stride=2". One size stands
 * for all dimensions. What is missing is chosen: padding that keeps the size at a stride of 1, y of the type of x and
 * of u8 for integers, all threads, else 1. False, with a sentence in `why` (TSR_WHY_TEXT bytes), if the text is no
 * shape. */
bool conv_shape_of_text(const tsr_context *context, const char *text, struct tsr_values *shape, char *why);

/* Operations of a call, taps in the padding included; bytes of its operands. */
double conv_flops(const struct tsr_values *shape);
double conv_bytes(const struct tsr_values *shape);

/* Whether calls of the shape have no plan to choose: integers; whether they take the rule's without looking further. */
bool conv_is_integer(const struct tsr_values *shape);
bool conv_is_small(const struct tsr_values *shape);

#endif
