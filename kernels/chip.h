/* Turns a folder's kernels.def into its struct tsr_chip. Include this, then write:
 *
 *   #define TSR_KERNELS_DEF "kernels/<chip>/kernels.def"
 *   #include "kernels/chip_table.h"          defines the static table `kernels`
 *   const struct tsr_chip tsr_chip_<chip> = {"<chip>", "<isa>", usable, vector_bytes, TSR_KERNEL_TABLE, goes_on, runs,
 *                                              narrows};
 */
#ifndef TSR_CHIP_H
#define TSR_CHIP_H

#include "kernels/kernel.h"

#define TSR_KERNEL_TABLE kernels, (int)(sizeof kernels / sizeof kernels[0])

#endif
