/* The public face of devices: memory, copies, waiting, events. */
#include <stdlib.h>

#include "src/core/core.h"

struct tsr_event {
  tsr_context *context;
  int64_t mark; /* -1: not recorded */
};

static tsr_status destroyed(void) {
  return tsr_fail(TSR_INVALID_ARGUMENT, "the context was destroyed: nothing can be done on it any more");
}

static tsr_status closed(struct tsr_device *device) { return (void)device, destroyed(); }
static tsr_status closed_alloc(struct tsr_device *device, size_t bytes, tsr_mem *address) {
  return (void)device, (void)bytes, (void)address, destroyed();
}
static tsr_status closed_release(struct tsr_device *device, tsr_mem address) {
  return (void)device, (void)address, destroyed();
}

static const struct tsr_device_chip closed_chip = {
    .name = "none", .isa = "none", .alloc = closed_alloc, .release = closed_release, .fence = closed, .drain = closed};
struct tsr_device tsr_closed_device = {.chip = &closed_chip};

static tsr_status need_device(const tsr_context *context) {
  if (context && context->device) return TSR_OK;
  return tsr_fail(TSR_UNSUPPORTED,
                  "the context is not on a device: make one with tsr_context_create(\"accel:910b\", ...)");
}

tsr_status tsr_device_alloc(tsr_context *context, size_t bytes, void **address) {
  tsr_mem found = 0;
  tsr_status status = need_device(context);
  if (status != TSR_OK) return status;
  if (!address) return tsr_fail(TSR_INVALID_ARGUMENT, "address is NULL: pass where the address is to be written");
  status = context->device->chip->alloc(context->device, bytes, &found);
  if (status == TSR_OK) *address = (void *)found;
  return status;
}

tsr_status tsr_device_free(tsr_context *context, void *address) {
  tsr_status status = need_device(context);
  if (status == TSR_OK) status = tsr_synchronize(context);
  if (status != TSR_OK || !address) return status;
  return context->device->chip->release(context->device, (tsr_mem)address);
}

tsr_status tsr_copy_to_device(tsr_context *context, void *to, const void *from, size_t bytes) {
  tsr_status status = need_device(context);
  if (status == TSR_OK) status = tsr_synchronize(context);
  if (status != TSR_OK || bytes == 0) return status;
  if (!from) return tsr_fail(TSR_INVALID_ARGUMENT, "from is NULL but bytes is %zu", bytes);
  return context->device->chip->copy_in(context->device, (tsr_mem)to, from, bytes);
}

tsr_status tsr_copy_from_device(tsr_context *context, void *to, const void *from, size_t bytes) {
  tsr_status status = need_device(context);
  if (status == TSR_OK) status = tsr_synchronize(context);
  if (status != TSR_OK || bytes == 0) return status;
  if (!to) return tsr_fail(TSR_INVALID_ARGUMENT, "to is NULL but bytes is %zu", bytes);
  return context->device->chip->copy_out(context->device, to, (tsr_mem)from, bytes);
}

tsr_status tsr_synchronize(tsr_context *context) {
  tsr_status status = need_device(context);
  return status == TSR_OK ? context->device->chip->drain(context->device) : status;
}

tsr_status tsr_event_create(tsr_context *context, tsr_event **event) {
  tsr_status status = need_device(context);
  if (status != TSR_OK) return status;
  if (!event) return tsr_fail(TSR_INVALID_ARGUMENT, "event is NULL: pass the address of a tsr_event pointer");
  *event = malloc(sizeof **event);
  if (!*event) return tsr_fail(TSR_OUT_OF_MEMORY, "no memory for an event");
  **event = (tsr_event){context, -1};
  return TSR_OK;
}

void tsr_event_destroy(tsr_event *event) { free(event); }

tsr_status tsr_event_record(tsr_event *event) {
  if (!event) return tsr_fail(TSR_INVALID_ARGUMENT, "event is NULL");
  struct tsr_device *device = event->context->device;
  tsr_status status = device->chip->fence(device); /* says what is wrong with a device that cannot go on */
  if (status != TSR_OK) return status;
  event->mark = device->chip->mark(device);
  return event->mark < 0 ? tsr_fail(TSR_OUT_OF_MEMORY, "no memory to record an event") : TSR_OK;
}

tsr_status tsr_event_seconds(const tsr_event *from, const tsr_event *to, double *seconds) {
  if (!from || !to || !seconds) return tsr_fail(TSR_INVALID_ARGUMENT, "an event or the address of the result is NULL");
  if (from->mark < 0 || to->mark < 0) return tsr_fail(TSR_INVALID_ARGUMENT, "an event was never recorded");
  if (from->context != to->context) return tsr_fail(TSR_INVALID_ARGUMENT, "the events belong to two devices");
  struct tsr_device *device = from->context->device;
  tsr_status status = device->chip->fence(device);
  if (status != TSR_OK) return status;
  double begin = device->chip->reached(device, from->mark), end = device->chip->reached(device, to->mark);
  if (begin < 0 || end < 0)
    return tsr_fail(TSR_INVALID_ARGUMENT, "an event was not reached yet: call tsr_synchronize first");
  *seconds = end - begin;
  return TSR_OK;
}
