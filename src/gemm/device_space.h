/* GEMM on a device as the tuner sees it: shapes, plans, and what makes a plan legal. */
#ifndef TSR_GEMM_DEVICE_SPACE_H
#define TSR_GEMM_DEVICE_SPACE_H

#include "src/gemm/tiles.h"
#include "src/tune/tune.h"

/* Where a shape's fields are: those of the normalised problem (rows of C contiguous). */
enum tsr_gemm_device_shape {
  TSR_DEVICE_TYPE, TSR_DEVICE_TO, /* enum tsr_type of A and B, and of C */
  TSR_DEVICE_M, TSR_DEVICE_N, TSR_DEVICE_K,
  TSR_DEVICE_A, TSR_DEVICE_B,     /* as BLAS says it: 1: n, rows of A are contiguous, B lies along k; 2: t */
  TSR_DEVICE_SUMS,                /* 1: alpha is 1 and beta 0, so that sums are C; 2: an UPDATE follows */
  TSR_DEVICE_SHAPE_FIELDS
};

/* Where a plan's fields are. `panels` are A's in a core: `slots` of them by turns, the others kept for the blocks that
 * follow in the same rows. */
enum tsr_gemm_device_field {
  TSR_DEVICE_DOWN, TSR_DEVICE_MC, TSR_DEVICE_NC, TSR_DEVICE_KC, TSR_DEVICE_SLOTS, TSR_DEVICE_PANELS,
  TSR_DEVICE_PLAN_FIELDS
};

extern const struct tsr_operator tsr_gemm_device_operator;

/* The shape of a problem of which no size is 0. */
void tsr_gemm_device_shape(const struct tsr_gemm_problem *problem, struct tsr_values *shape);

/* The plan that a call takes. False: the device is too small for any. */
bool tsr_gemm_device_plan(const tsr_context *context, const struct tsr_gemm_problem *problem, struct tsr_values *plan);

/* The plan that words say, completed; false, with a sentence in `why` unless that is NULL, if they cannot be followed. */
bool tsr_gemm_device_plan_of_words(const tsr_context *context, const struct tsr_values *shape, const char *words,
                                   struct tsr_values *plan, char *why);

/* Queues a valid problem by a plan of one's own; one that is not legal gives TSR_INVALID_ARGUMENT. */
tsr_status tsr_gemm_on_device_by(const tsr_context *context, const struct tsr_gemm_problem *problem,
                                 const struct tsr_values *plan);

/* Bytes of a panel of so many rows and steps of k, whichever way it lies. */
static inline int64_t tsr_device_panel_bytes(const struct tsr_device *device, int64_t rows, int64_t k, int64_t size) {
  int64_t square = 2 * device->unit;
  return tsr_ceil_div(rows, square) * square * tsr_ceil_div(k, square) * square * size;
}

/* The device's kernel for an operator and types, or NULL. */
const struct tsr_kernel *tsr_device_kernel(const struct tsr_device_chip *chip, enum tsr_op op, tsr_type ta, tsr_type tb,
                                           tsr_type tc);

/* The model, device_model.c: seconds for a legal plan. */
double tsr_gemm_device_predict(const struct tsr_device *device, const struct tsr_values *shape,
                               const struct tsr_values *plan);

#endif
