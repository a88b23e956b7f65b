/* For tests of accel_mad: the implementations that this machine can run, the one that is used first. */
#ifndef ACCEL_MAD_H
#define ACCEL_MAD_H

/* From now on accel_mad uses the index-th; its name, or NULL and no change past the last. */
const char *accel_mad_use(int index);

#endif
