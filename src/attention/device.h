/* Attention on a device. */
#ifndef TSR_ATTENTION_DEVICE_H
#define TSR_ATTENTION_DEVICE_H

#include "src/core/core.h"

/* Queues a call whose descriptor was checked for what is wrong everywhere. Pointers are addresses on the context's
 * device. TSR_UNSUPPORTED, with the field's name, for what devices do not serve: see doc/attention-devices.md. */
tsr_status tsr_attention_on_device(const tsr_context *context, const tsr_attention_desc *desc, const void *q,
                                   const void *k, const void *v, void *out, float *lse);

#endif
