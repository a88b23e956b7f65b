/* Tuning as an operator sees it: it declares its shapes, its plans and what makes a plan legal; search, database,
 * cost model and commands work for any operator that does. doc/tuning.md explains the whole. */
#ifndef TSR_TUNE_H
#define TSR_TUNE_H

#include "src/core/core.h"

/* A shape, or a plan, as numbers in the order of its operator's fields. 0 in a plan means "not decided". */
#define TSR_MOST_FIELDS 16
struct tsr_values {
  int64_t at[TSR_MOST_FIELDS];
};

/* One field: a number, or one of some words, of which the first has the value 1, or sizes of up to three dimensions. */
struct tsr_field {
  const char *name;         /* as in "mc=192" */
  const char *const *words; /* NULL-terminated; tsr_sizes; NULL for a number */
};

/* The words of a field of sizes, as in "kernel=3x3". As a value they are packed, of each one more than it is, so that
 * sizes of 0 are decided too and their number is known; the first ones lie lowest. */
extern const char *const tsr_sizes[];
#define TSR_MOST_SIZES 3
#define TSR_MOST_SIZE (((int64_t)1 << 20) - 2)

/* Up to three sizes from 0 to TSR_MOST_SIZE; and back: gives how many there are, and sets the others to 0. */
int64_t tsr_sizes_pack(const int64_t *sizes, int n);
int tsr_sizes_unpack(int64_t value, int64_t sizes[TSR_MOST_SIZES]);

/* Room for any shape or plan as text: "path=packed threads=2 mc=192". Fields that are 0 are left out. */
#define TSR_VALUES_TEXT 512
#define TSR_WHY_TEXT 160

struct tsr_costs;

/* What an operator tells the tuner. `context` says where it runs; contexts on a CPU and on a device may have operators
 * of different fields (tsr_operator_of). All functions but the three of the bench may be called from any thread. */
struct tsr_operator {
  const char *name; /* "gemm" */
  const struct tsr_field *shape, *plan;
  int nshape, nplan;
  double weighing; /* seconds that completing and predicting a candidate takes; 0: complete gives the model's best */
  int rule; /* counted up whenever a field, or what the loops make of it, changes its meaning: older rows fall out */

  /* The one checker of hard constraints, for search, database and overrides alike: whether the plan, complete, may be
   * run on the shape. If not, `why` (TSR_WHY_TEXT bytes, or NULL) says which field must be what. */
  bool (*check)(const tsr_context *context, const struct tsr_values *shape, const struct tsr_values *plan, char *why);

  /* Completes a plan whose fields may be partly 0 by the operator's rule of thumb; the result is legal if the fixed
   * fields can be part of a legal plan. With nothing fixed this is the plan that the model's choice starts from. */
  void (*complete)(const tsr_context *context, const struct tsr_values *shape, struct tsr_values *plan);

  /* The pruned space: writes up to `most` different legal plans and gives how many there are. */
  int (*candidates)(const tsr_context *context, const struct tsr_values *shape, struct tsr_values *plans, int most);

  /* Seconds that the model predicts for a legal plan. */
  double (*predict)(const tsr_context *context, const struct tsr_costs *costs, const struct tsr_values *shape,
                    const struct tsr_values *plan);

  /* Plans of one class are alike in what the model may have got wrong (path, packing, tile ...), and so share
   * corrections. `where` gets the shape's place, TSR_PLACE logarithms to the base 2: near shapes behave alike. */
  int (*class_of)(const struct tsr_values *plan);
  void (*place)(const struct tsr_values *shape, double *where);

  /* How many steps apart two plans of an array are, for a search's neighbourhood; NULL: not known. */
  double (*distance)(const void *plans, int i, int j);

  /* A bench: operands for a shape (NULL when there is no memory), one timed run in seconds (0 = it failed), the end. */
  void *(*bench_open)(tsr_context *context, const struct tsr_values *shape);
  double (*bench_run)(void *bench, const struct tsr_values *plan);
  void (*bench_close)(void *bench);
};
#define TSR_PLACE 4

/* The operator of that name on that context's kind of chip, or NULL. */
const struct tsr_operator *tsr_operator_of(const tsr_context *context, const char *name);

/* Values as text and back. Parsing gives false and a sentence in `why` for a field that does not exist, a value that
 * is no number or word of it, and a field given twice. */
void tsr_values_print(const struct tsr_field *fields, int n, const struct tsr_values *values, char *text);
bool tsr_values_parse(const struct tsr_field *fields, int n, const char *text, struct tsr_values *values, char *why);

/* A hash of the first n values, on top of `seed`. */
static inline uint64_t tsr_values_hash(uint64_t seed, const struct tsr_values *values, int n) {
  for (int i = 0; i < n; i++) {
    seed = (seed ^ (uint64_t)values->at[i]) * 0x9e3779b97f4a7c15u;
    seed ^= seed >> 32;
  }
  return seed;
}

/* log2 of a number of 1 or more, between powers of two by a straight line: for places and distances. */
static inline double tsr_octaves(int64_t x) {
  int exponent = 63 - __builtin_clzll((unsigned long long)x);
  return exponent + (double)(x - ((int64_t)1 << exponent)) / (double)((int64_t)1 << exponent);
}

/* Whether every field of the shape is given and none beyond reason; if not, `why` says which. */
bool tsr_shape_is_whole(const struct tsr_operator *op, const struct tsr_values *shape, char *why);

/* What a row of the database belongs to. The machine: vendor, family, model, kernels in use and cache sizes, or the
 * device and its parameters: never a brand name. The kernels: a checksum of their sources and the operator's rule. */
#define TSR_KEY_TEXT 128
void tsr_machine_key(const tsr_context *context, char *text);
void tsr_kernels_key(const tsr_context *context, const struct tsr_operator *op, char *text);

#endif
