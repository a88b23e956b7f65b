/* Convolution of pixels that do not mix (1x1, stride 1) with channels first on both sides: lanes run along the planes of x
 * and y as they lie, and weights are what is broadcast. A tile of pixels of all channels is packed and takes all filters;
 * y is written where it belongs. */
#ifndef TSR_CONV_PLANES_H
#define TSR_CONV_PLANES_H

#include "src/conv/conv.h"

/* Whether planes can be taken so; whether the rule of thumb takes them so; completing a way that does. */
bool tsr_conv_planes_serves(const struct tsr_kernels *kernels, const struct tsr_conv_problem *p);
bool tsr_conv_planes_pays(const struct tsr_kernels *kernels, const struct tsr_conv_problem *p);
void tsr_conv_planes_complete(const struct tsr_kernels *kernels, const struct tsr_conv_problem *p,
                              struct tsr_conv_way *way);

/* A job's sizes; packing filter number `index` of all, with its bias in all lanes; memory of a run, and the run. */
void tsr_conv_planes_job(struct tsr_conv_job *job);
void tsr_conv_planes_pack(const struct tsr_conv_job *job, int64_t index, char *to);
size_t tsr_conv_planes_bytes(const struct tsr_conv_job *job);
void tsr_conv_planes_run(const tsr_context *context, const struct tsr_conv_job *job, void *workspace);

#endif
