/* Tessera: convolution. Included by tessera/tessera.h.
 *
 * Copyright (c) 2026 The Tessera authors. SPDX-License-Identifier: BSD-3-Clause
 *
 *   y[n][o][k] = post(bias[k] + sum over taps (t, r, s) and channels c of w[k][t][r][s][c] * x[n][o * stride - pad_begin +
 *                (t, r, s) * dilation][c])
 *
 * in one, two or three dimensions, in groups (channels and filters are cut into `groups` parts that do not mix; depthwise
 * is groups == channels, with filters / channels filters each), and transposed (every input pixel is spread over the
 * outputs i * stride - pad_begin + (t, r, s) * dilation). Taps that fall into the padding, or between the pixels of a
 * transposed convolution, do not count: w is not multiplied by 0 there.
 *
 * The result is defined bit for bit (doc/conv.md), whatever the layouts, threads, batch, tiles and kernels (KB = 384 for
 * f32, 256 for f64, 4096 for f16 and bf16, which are converted to f32 exactly and whose y is rounded once, at the end):
 *     y = bias ? bias[k] + 0 : +0
 *     the taps of one y are numbered ((t * R + r) * S + s) * C / groups + c, also those that do not count;
 *     for each block of KB consecutive numbers:  s = +0;  s = fma(w, x, s) for those that count, in order;  y = y + s
 *     y = y * scale[k];  y = y + add;  y = activation(y)          as far as they are given
 * Integers (u8 or s8 by s8) are summed exactly modulo 2^32, x less zero_x and w less zero_w.
 * Method: direct convolution by GEMM micro-kernels that walk the taps: E. Georganas et al., "Anatomy of High-Performance
 * Deep Learning Convolutions on SIMD Architectures", SC 2018. */
#ifndef TESSERA_CONV_H
#define TESSERA_CONV_H

#ifdef __cplusplus
extern "C" {
#endif

/* How x and y lie: [batch][...in or out][channels], or [batch][channels][...in or out]. Weights: [filters][...kernel]
 * [channels / groups] or [filters][channels / groups][...kernel]; those of a transposed convolution, as PyTorch and ONNX
 * keep them, with channels and filters exchanged: [channels][...kernel][filters / groups] or
 * [channels][filters / groups][...kernel]. */
typedef enum tsr_layout { TSR_CHANNELS_LAST = 0, TSR_CHANNELS_FIRST = 1 } tsr_layout;

/* What follows the sums. In this order: y * scale[k], y + add, the activation, for u8 and s8 the rounding. */
typedef struct tsr_post_ops {
  const void *scale;   /* of each filter, or one for all; f32, f64 for f64. NULL: none */
  int64_t scales;      /* how many: the number of filters, or 1 */
  const void *add;     /* a tensor like y, of its type and layout, which is added; NULL: none. Must not overlap y. */
  tsr_activation activation;
  double low, high;    /* TSR_CLIP: y below `low` becomes low, above `high` high. TSR_RELU is a clip at 0 */
  double slope;        /* TSR_LEAKY_RELU: of negative y */
} tsr_post_ops;

typedef struct tsr_conv_desc {
  size_t size; /* sizeof(tsr_conv_desc): set by TSR_CONV_DESC */

  /* x and w: both f32, f64, f16 or bf16, and y the same or f32; or x u8 or s8 and w s8, and y s32, f32, u8 or s8.
   * bias is f32 (f64 for f64, s32 for integers). type_y 0: as x, s32 for integers. */
  tsr_type type_x, type_w, type_y;
  tsr_layout layout_x, layout_w, layout_y;
  int dims;       /* 1, 2 or 3; the first `dims` of each size below count, in the order depth, height, width */
  int transposed; /* 0 or 1 */
  int64_t batch, channels, filters, groups; /* channels of x, filters: channels of y; batch may be 0 */
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3];
  int64_t pad_begin[3], pad_end[3]; /* at most dilation * (kernel - 1) */
  tsr_post_ops post;

  /* Integers only. zero_x, zero_y: what stands for 0 in x, and in a y of u8 or s8; zero_w: in w, `zeros_w` of them (the
   * number of filters, or 1), NULL: 0. With y u8 or s8: round(y) + zero_y, ties to even, saturated. post is for y other
   * than s32. */
  int32_t zero_x, zero_y;
  const int32_t *zero_w;
  int64_t zeros_w;

  const char *plan; /* NULL, or how to compute, in words (doc/tuning.md): never changes a bit */
} tsr_conv_desc;

#define TSR_CONV_DESC                                                                                              \
  { .size = sizeof(tsr_conv_desc), .type_x = TSR_F32, .type_w = TSR_F32, .dims = 2, .batch = 1, .groups = 1,       \
    .in = {1, 1, 1}, .kernel = {1, 1, 1}, .stride = {1, 1, 1}, .dilation = {1, 1, 1} }

/* Sets `out` from the other sizes: (in + pads - dilation * (kernel - 1) - 1) / stride + 1, rounded down; transposed
 * (in - 1) * stride - pads + dilation * (kernel - 1) + 1, to which up to stride - 1 (or dilation - 1) may be added. */
TSR_API tsr_status tsr_conv_set_out(tsr_conv_desc *desc);

/* Computes a convolution. bias is NULL or an element for each filter. y must not overlap anything else. Weights are
 * packed in every call: a plan saves that. On a device the call is queued and pointers are addresses there. Errors:
 * TSR_INVALID_ARGUMENT with the field in tsr_last_error(), TSR_UNSUPPORTED for a combination that no kernel serves,
 * TSR_OUT_OF_MEMORY; y has not been touched then. */
TSR_API tsr_status tsr_conv(tsr_context *context, const tsr_conv_desc *desc, const void *x, const void *w,
                            const void *bias, void *y);

/* Plan once, run many times: weights and bias are packed into the plan's own memory and may go; no run allocates
 * memory. post.scale and zero_w are copied too, post.add only says by not being NULL that runs bring one. A plan is
 * made for a number of threads and may be used by several callers at once if each brings a workspace. */
typedef struct tsr_conv_plan tsr_conv_plan;
TSR_API tsr_status tsr_conv_plan_create(tsr_context *context, const tsr_conv_desc *desc, const void *w,
                                        const void *bias, tsr_conv_plan **plan);
TSR_API void tsr_conv_plan_destroy(tsr_conv_plan *plan);
/* Bytes that a run needs, aligned to 64 by the caller. May be 0. */
TSR_API size_t tsr_conv_plan_workspace(const tsr_conv_plan *plan);
TSR_API tsr_status tsr_conv_run(const tsr_conv_plan *plan, const void *x, const void *add, void *y, void *workspace);

/* The gradient of a scalar with regard to x, from that with regard to y before `post`; and with regard to w and bias
 * (either may be NULL). f32, f64, f16 and bf16 on a CPU: dy is of type_y, dx of type_x, dw in type_w and its layout, dbias
 * f32 (f64 for f64). The descriptor is the forward one's; post is not looked at. Nothing may overlap what is written.
 *   dx     a transposed convolution of dy (or, of a transposed one, a plain one) in the sense of this page, whose taps are
 *          numbered by (t, r, s) and then filters
 *   dw     for each weight the products x * dy, numbered by (n, o), also those whose x is padding and does not count; of a
 *          transposed convolution by (n, i), the pixels of x: for each block of KB numbers s = +0; s = fma(x, dy, s) for
 *          those that count, in order; y = y + s from y = +0, rounded once at the end
 *   dbias  the same with 1 for x, always by (n, o)
 * KB is that of type_w. The bits do not depend on threads. TSR_UNSUPPORTED for integers and on devices. */
TSR_API tsr_status tsr_conv_backward_data(tsr_context *context, const tsr_conv_desc *desc, const void *dy,
                                          const void *w, void *dx);
TSR_API tsr_status tsr_conv_backward_weights(tsr_context *context, const tsr_conv_desc *desc, const void *x,
                                             const void *dy, void *dw, void *dbias);

#ifdef __cplusplus
}
#endif
#endif
