/* Structures of kernel.h as the assembly of CPUs reads them: by offset. src/core/step_layout.c asserts these. */
#ifndef TSR_OFFSETS_H
#define TSR_OFFSETS_H

#define STEP_M 0
#define STEP_N 8
#define STEP_K 16
#define STEP_RSA 24
#define STEP_CSA 32
#define STEP_RSB 40
#define STEP_CSB 48
#define STEP_CSC 56
#define STEP_DB 64
#define STEP_DA 72
#define STEP_DC 80
#define STEP_ALPHA 88
#define STEP_BETA 96
#define STEP_FLAGS 104
#define STEP_ALPHA_IM 112
#define STEP_BETA_IM 120

/* struct tsr_softmax */
#define SOFTMAX_MAX 0
#define SOFTMAX_SUM 8
#define SOFTMAX_KEEP 16
#define SOFTMAX_ADD 24
#define SOFTMAX_FROM 32
#define SOFTMAX_TO 40
#define SOFTMAX_AT 48
#define SOFTMAX_SLOPE 56
#define SOFTMAX_BIAS 64
#define SOFTMAX_BIAS_LD 72
#define SOFTMAX_CAP 80
#define SOFTMAX_PREFIX 84

/* struct tsr_taps, struct tsr_conv, struct tsr_post */
#define TAPS_A 0
#define TAPS_B 8
#define TAPS_K 16
#define TAPS_FIRST 20
#define TAPS_END 22
#define TAPS_SIZE 24
#define CONV_TAPS 0
#define CONV_COUNT 8
#define CONV_X 16
#define CONV_BIAS 24
#define CONV_ADD 32
#define CONV_DX 40
#define CONV_LOW 48
#define CONV_HIGH 56
#define CONV_NARROW 64

#define NARROW_SCALE 0
#define NARROW_ZERO 8
#define NARROW_LEAST 10
#define NARROW_MOST 11
#define NARROW_FLIP 12
#define POST_BIAS 0
#define POST_SCALE 8
#define POST_ADD 16
#define POST_ADD_LD 24
#define POST_ACROSS 32
#define POST_ACTIVATION 36
#define POST_LOW 40
#define POST_HIGH 48
#define POST_SLOPE 56
#define POST_ZERO 64

#endif
