/* The core as the operators see it: status, contexts, kernels. */
#ifndef TSR_CORE_H
#define TSR_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/kernel.h"
#include "kernels/level1_table.h"
#include "tessera/tessera.h"

/* Writes the message that tsr_last_error() returns and gives `status` back. */
__attribute__((format(printf, 2, 3))) tsr_status tsr_fail(tsr_status status, const char *format, ...);

/* Kernels of one operator and type, by tile: tile[rows in units of mu][columns]. Not every height has one. */
#define TSR_MAX_UNITS 48
#define TSR_MAX_COLUMNS 16
struct tsr_tiles {
  int mu;                                        /* rows in a unit, in elements; 0 = this chip has no such kernel */
  int units, columns;                            /* of the tile the chip prefers: its first line */
  int units_for[TSR_MAX_COLUMNS + 1];            /* of the first line with so many columns */
  int max_columns[TSR_MAX_UNITS + 1];            /* of tiles of so many units; 0 = no such tile */
  const struct tsr_kernel *tile[TSR_MAX_UNITS + 1][TSR_MAX_COLUMNS + 1];
};

/* Columns of the next tile when `left` columns are to be covered exactly by tiles of `columns`, where `most` is the
 * widest tile there is: whole tiles, then two that share what is left evenly, or one. */
static inline int tsr_next_columns(int64_t left, int columns, int most) {
  if (left <= most) return (int)left;
  if (left >= 2 * columns) return columns;
  return (int)((left + 1) / 2);
}

/* Everything of one chip for one element type of A. All but f32, f64 and the complex ones have GEMM, GEMM_AT, PACK_T and CONVERT to f32
 * only, and not every chip has all of those. */
#define TSR_TYPES 13 /* up to c64 */
#define TSR_MAX_WIDTH 256
struct tsr_kernels {
  const struct tsr_chip *chip;
  struct tsr_tiles gemm, gemm_at, conv, conv_lanes;
  struct tsr_tiles conv_u8, conv_lanes_u8; /* of s8 weights with an x of u8; the two above, with an x of s8 */
  struct tsr_tiles solve, multiply;
  const struct tsr_kernel *pack_n[TSR_MAX_WIDTH + 1], *pack_t[TSR_MAX_WIDTH + 1]; /* by panel width; [0] = any */
  const struct tsr_kernel *level2_gemv_n, *level2_gemv_t, *level2_symv, *level2_ger, *level2_solve;
  const struct tsr_kernel *level2_lu, *level2_cholesky;
  const struct tsr_kernel *update, *update_t, *scale, *softmax, *softmax_t, *merge, *softmax_grad;
  const struct tsr_kernel *convert[TSR_TYPES], *turn[TSR_TYPES], *post[TSR_TYPES]; /* by the type of C */
  union {
    struct tsr_level1_f32 f32;
    struct tsr_level1_f64 f64;
  } level1; /* of f32 and of f64, each with its complex numbers */
};

struct tsr_context {
  const struct tsr_kernels *kernels; /* indexed by tsr_type */
  const char *isa;
  int threads;                       /* 0 = the process-wide number */
  struct tsr_device *device;         /* NULL: the CPU */
  tsr_parallel_for parallel;
  void *parallel_user;
};

/* The context itself, or the default one for NULL. Fails only when TESSERA_ISA is not understood. */
extern tsr_context *tsr_context_ready; /* the default one, once it has been made */
tsr_status tsr_context_get_default(tsr_context **context);

static inline tsr_status tsr_context_get(tsr_context *given, tsr_context **context) {
  *context = given ? given : __atomic_load_n(&tsr_context_ready, __ATOMIC_ACQUIRE);
  return *context ? TSR_OK : tsr_context_get_default(context);
}

/* The chips of this build, strongest first. */
const struct tsr_chip *const *tsr_chips(int *n);

/* What a destroyed context is on: every call fails and says so. */
extern struct tsr_device tsr_closed_device;

/* The kinds of device of this build. */
const struct tsr_device_chip *const *tsr_device_chips(int *n);

static inline int64_t tsr_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t tsr_max(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t tsr_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t tsr_round_up(int64_t x, int64_t to) { return tsr_ceil_div(x, to) * to; }

/* Bytes of an element; 0 for types whose elements come in blocks. */
static inline int64_t tsr_size_of(tsr_type type) {
  static const int8_t bytes[] = {0, 4, 8, 2, 2, 1, 4, 0, 0, 1, 1, 8, 16};
  return bytes[type];
}

/* Operations on real numbers that one multiplication and one addition take. */
static inline double tsr_flops_of(tsr_type type) { return type == TSR_C32 || type == TSR_C64 ? 8 : 2; }

#endif
