/* What the GEMM tests share: random problems between guard pages, the loop of tessera.h as the reference, comparison
 * bit for bit, and plans forced to small blocks so that small matrices reach every edge of the loops. */
#ifndef TSR_GEMM_TEST_H
#define TSR_GEMM_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/core/core.h"
#include "src/gemm/gemm.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

#if defined(__has_feature)
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
#define UNDER_ASAN 1
#else
#define UNDER_ASAN 0
#endif
#if defined(__SANITIZE_THREAD__) || HAS_FEATURE(thread_sanitizer)
#define UNDER_TSAN 1
#else
#define UNDER_TSAN 0
#endif

/* Random numbers: splitmix64. Every program prints its seed; TESSERA_TEST_SEED sets it. */
struct rng {
  uint64_t state;
};
uint64_t rng_next(struct rng *rng);
int64_t rng_below(struct rng *rng, int64_t n); /* 0 .. n - 1 */
uint64_t test_seed(void);

enum fill {
  FILL_RANDOM,   /* -1 .. 1 */
  FILL_INTEGERS, /* -2 .. 2: sums are exact and raise no flag */
  FILL_WIDE,     /* exponents over half the range, zeros of both signs, denormals */
  FILL_SPECIAL,  /* random with NaN, Inf, the largest, the smallest and -0 here and there */
  FILL_COUNT
};

/* Where operands lie: flush to a guard page at either end, or between neighbours that poison what reads them. */
enum place { PLACE_END, PLACE_START, PLACE_MIDDLE, PLACE_COUNT };

struct gemm_case {
  tsr_context *context;
  tsr_gemm_desc d;
  enum fill fill;
  enum place place;
  int shift; /* PLACE_MIDDLE: bytes beyond a multiple of 64 */
  uint64_t seed;
};

/* Sets order and transposes from 0 .. 7, and the smallest leading dimensions plus `gap`. */
enum { LAYOUTS = 8 };
void case_layout(struct gemm_case *g, int layout, int gap);
void case_sizes(struct gemm_case *g, int64_t m, int64_t n, int64_t k);
void case_text(const struct gemm_case *g, char *text, size_t size);

/* Three operands of a case in guarded memory, C as it was and what it must become. */
struct operand {
  char *region, *data;
  size_t region_bytes;
  int64_t elements; /* from the first to the last one used, gaps included */
};
struct stage {
  struct operand a, b, c;
  char *original, *expected;
  size_t copy_bytes;
};
void stage_open(struct stage *s, size_t bytes); /* the most that one operand takes */
void stage_close(struct stage *s);
void stage_fill(struct stage *s, const struct gemm_case *g);
void stage_expect(struct stage *s, const struct gemm_case *g); /* runs the reference */
void stage_restore(struct stage *s, const struct gemm_case *g);

/* Whether C is what it was before except for the elements of the matrix, which are `expected`'s (NaN = NaN). If not,
 * says why. stage_untouched: whether C is as stage_fill left it. */
enum { WHY = 640 };
bool stage_compare(const struct stage *s, const struct gemm_case *g, char *why);
bool stage_untouched(const struct stage *s, const struct gemm_case *g);

/* stage_holds restores C, runs tsr_gemm and compares; case_holds fills the stage and runs the reference first. The
 * last two fail the test with the case and the element. */
bool stage_holds(struct stage *s, const struct gemm_case *g, char *why);
bool case_holds(struct stage *s, const struct gemm_case *g, char *why);
void check_stage(struct stage *s, const struct gemm_case *g);
void check_case(struct stage *s, const struct gemm_case *g);

void reference_gemm(const tsr_gemm_desc *d, const void *a, const void *b, void *c);

/* Elements that must be equal, NaN = NaN. */
bool same_element(tsr_type type, const void *x, const void *y);

/* The contexts of every chip of this build that the machine can run; the others are named on standard output. */
enum { MAX_CONTEXTS = 8 };
extern tsr_context *contexts[MAX_CONTEXTS];
extern int ncontexts;
int open_contexts(void **state);
int close_contexts(void **state);

/* A test that finds contexts and plans as they were at the start, whatever a failed one left behind. */
int reset_contexts(void **state);
#define gemm_unit_test(f) cmocka_unit_test_setup(f, reset_contexts)
bool is_generic(const tsr_context *context); /* slow: tests give it fewer and smaller cases */

/* Plans of one path (0: the library's choice, 1 ..: each that has a plan) and of blocks so many tiles high and wide
 * (0: the library's choice), so that small matrices reach every edge of the loops. */
enum { PATHS = 5, PATH_PACKED = 3 };
void force_plan(const struct gemm_case *g, int path, int mc_tiles, int nc_tiles);
void force_nothing(void);

/* Calls `body` with a case of every context, type, layout and of a dozen shapes, one for each class that the plan
 * knows; the generic kernels get the small ones. */
typedef void case_body(struct stage *s, struct gemm_case *g);
void each_shape(case_body *body);

enum { THREAD_COUNTS = 4 };
extern const int thread_counts[THREAD_COUNTS];

#endif
