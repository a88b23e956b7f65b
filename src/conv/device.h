/* Convolution on a device. */
#ifndef TSR_CONV_DEVICE_H
#define TSR_CONV_DEVICE_H

#include "src/core/core.h"

/* Queues a call whose descriptor was checked for what is wrong everywhere. Pointers are addresses on the context's
 * device; bias may be NULL. TSR_UNSUPPORTED, with the field's name, for what devices do not serve: see
 * doc/conv-devices.md. */
tsr_status tsr_conv_on_device(const tsr_context *context, const tsr_conv_desc *desc, const void *x, const void *w,
                              const void *bias, void *y);

#endif
