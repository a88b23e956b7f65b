/* What the tools see of an opened simulated device. */
#ifndef ACCEL_DEVICE_H
#define ACCEL_DEVICE_H

#include "kernels/accel_sim/sim/machine.h"
#include "kernels/kernel.h"

/* The machine behind a device that `tsr_device_accel_sim` opened. */
struct accel_machine *accel_device_machine(struct tsr_device *device);

#endif
