/* What the attention tests share: random problems over all that tsr_attention_desc can say, two references written
 * from the formulas of tessera/attention.h and kernels/kernel.h (one in f64, one that gives the bits), and views:
 * other calls that must give the same rows. Random numbers and contexts are those of the GEMM tests. */
#ifndef TSR_ATTENTION_TEST_H
#define TSR_ATTENTION_TEST_H

#include "test/gemm/gemm_test.h"

/* Memory with a page on both sides that cannot be touched. */
struct guarded {
  char *pages, *data;
  size_t pages_bytes, bytes;
};
void guarded_open(struct guarded *g, size_t bytes, enum place place, int shift);
void guarded_close(struct guarded *g);

enum { OPERANDS = 16 };

/* A problem with its operands. d's pointers, q, k and v point into `operand`. */
struct problem {
  tsr_attention_desc d;
  uint64_t seed;
  enum fill fill;
  enum place place; /* of operands in their pages */
  int shift;
  double sharpness; /* q is multiplied by it */
  const void *q, *k, *v;
  struct guarded operand[OPERANDS];
  int operands;
  /* What must come out, by row (row_of) and before it is rounded to type_out; and in f64 with bounds of the error. */
  float *out, *lse;
  double *exact, *exact_lse, *bound, *bound_lse;
};

/* Features that a random problem may have. */
enum {
  F_TYPES = 1,      /* f16 and bf16 */
  F_CAUSAL = 2,     /* causal, windows, prefix */
  F_MASK = 4,
  F_BIAS = 8,       /* ALiBi, softcap, sinks */
  F_LENGTHS = 16,   /* kv_lens, ragged */
  F_PAGED = 32,
  F_PANELS = 64,
  F_QUANTISED = 128,
  F_PART = 256,     /* first_key, all_keys */
  F_ALL = 511
};

/* Draws a problem of at most `work` multiply-adds, makes its operands and computes both references. */
void problem_draw(struct problem *p, uint64_t seed, unsigned features, double work);
/* The same for sizes and features that have been set in p->d; strides are drawn, those of masks included. */
void problem_fill(struct problem *p);
void problem_expect(struct problem *p);
void problem_close(struct problem *p);
void problem_text(const struct problem *p, char *text, size_t size);

/* The tests' own reading of a descriptor. */
int64_t q_rows(const tsr_attention_desc *d, int64_t b);
int64_t kv_rows(const tsr_attention_desc *d, int64_t b);
int64_t position_of(const tsr_attention_desc *d, int64_t b, int64_t i);
bool sees(const tsr_attention_desc *d, int64_t b, int64_t h, int64_t i, int64_t j);
float mask_of(const tsr_attention_desc *d, int64_t b, int64_t h, int64_t i, int64_t j); /* -inf: masked */
int64_t row_of(const tsr_attention_desc *d, int64_t b, int64_t h, int64_t i); /* a dense number */
int64_t rows_of(const tsr_attention_desc *d);
float load_q(const tsr_attention_desc *d, const void *q, int64_t b, int64_t h, int64_t i, int64_t e);
float load_k(const tsr_attention_desc *d, const void *k, int64_t b, int64_t hkv, int64_t j, int64_t e);
float load_v(const tsr_attention_desc *d, const void *v, int64_t b, int64_t hkv, int64_t j, int64_t e);
/* Where a row of keys, values (`unit` rows to a stride) or scales begins, and an element of a key, in elements. */
int64_t kv_at(const tsr_attention_desc *d, const int64_t *stride, int64_t unit, int64_t b, int64_t hkv, int64_t j);
int64_t k_element(const tsr_attention_desc *d, int64_t b, int64_t hkv, int64_t j, int64_t e);
size_t bytes_of(tsr_type type, int64_t elements);
void store(tsr_type type, char *to, float x);
float load(tsr_type type, const char *from);

/* The references (reference.c, compiled twice). */
void references_any(struct problem *p);
void references_fma(struct problem *p);

/* A call that must give rows of a problem: those of `nb` sequences, heads and queries from b0, h0 and i0 on. */
struct view {
  const struct problem *p;
  tsr_context *context;
  int threads;
  tsr_attention_desc d;
  const void *q, *k, *v;
  int64_t b0, h0, i0;
  int32_t one_length; /* what d.kv_lens points to in effect, where it is not -1 */
  char words[64];     /* a plan; "" is the library's choice */
};
struct view view_whole(const struct problem *p, tsr_context *context, int threads);
/* Narrows a view; false when a descriptor cannot say it. */
bool view_sequence(struct view *v, int64_t b);
bool view_heads(struct view *v, int64_t h, int64_t heads);
bool view_queries(struct view *v, int64_t i, int64_t queries);

/* How a view is computed. */
typedef tsr_status compute(const struct view *v, void *out, float *lse);
compute plain_call, planned_call, in_parts;

/* The descriptor that a view stands for; its kv_lens and plan may point into the view. */
tsr_attention_desc view_desc(const struct view *v);
/* Elements from the first to the last of out; floats of lse; where row i of head h of sequence b lies in both. */
int64_t out_extent(const tsr_attention_desc *d);
int64_t lse_extent(const tsr_attention_desc *d);
int64_t out_at(const tsr_attention_desc *d, int64_t b, int64_t h, int64_t i);
int64_t lse_at(const tsr_attention_desc *d, int64_t b, int64_t h, int64_t i);

/* Computes a view into guarded memory and compares with the problem's rows, bit for bit, and all else with what was
 * there before. TSR_UNSUPPORTED, and a plan in words that is not possible, are refusals: nothing was written. */
bool view_holds(const struct view *v, compute *how, bool with_lse, char *why);
void check_view(const struct view *v, compute *how);
extern int refused, accepted, impossible_plans;

#endif
