/* The gradients of attention inside the library: one pass over tiles of S, as FlashAttention-2's algorithm 2.
 *
 * A unit of work is a chunk of keys of one head of k against all rows of that head. It sums dk and dv by itself, and
 * adds to dq, tile of rows by tile of rows, in the order of the chunks: whoever comes too early waits. So no sum
 * depends on the number of threads. Units are claimed in an order in which those that are waited for come first, and
 * rows are walked from the last to the first, where the chunks of causal calls begin together. */
#ifndef TSR_ATTENTION_BACKWARD_H
#define TSR_ATTENTION_BACKWARD_H

#include <stdatomic.h>

#include "src/attention/attention.h"

/* A checked call. */
struct tsr_backward_problem {
  struct tsr_attention_problem forward;
  struct tsr_attention_rows q, out, dout, dq;
  tsr_mem dk, dv;
  double scale;
  int64_t heads;              /* of k, in all sequences */
  int64_t rows, tiles;        /* of a head, at most; tiles of rows */
  int64_t chunks;             /* of keys, at most; at least 1 */
  int64_t part;               /* rows of a tile that not all see the same keys, dealt with at a time */
};

/* What a head's units share. Few heads are at work at the same time: each takes the slot of one that is done. */
struct tsr_backward_slot {
  _Atomic int64_t free_for, ready_for; /* numbers of heads */
  _Atomic int64_t left;                /* chunks not done */
  _Atomic int64_t *turn;               /* of each tile: the chunk that may add to dq */
  uint8_t *special;                    /* of each tile: see below */
  float *lse, *delta;                  /* of each row: LSE times log2(e), inf where it is -inf; dout . out */
  float *dq;                           /* [row][d_qk], unless dq itself is f32 */
};

/* Parts of a tile, at most. */
#define TSR_BACKWARD_PARTS 8

/* What of a tile holds NaN or Inf, which must not count where a weight is 0. */
enum { TSR_SPECIAL_Q = 1, TSR_SPECIAL_DOUT = 2 };

/* What one thread works with. `w` has the chunk of k and v, S in w.s, and what the mask takes. */
struct tsr_backward_worker {
  struct tsr_attention_worker w;
  const struct tsr_backward_problem *problem;
  float *q, *dout;     /* rows of a tile: ld_k and ld_v apart */
  float *q_t, *dout_t; /* the same as panels of width, q scaled */
  float *dp;           /* as S */
  float *dk, *dv;      /* sums of the chunk, laid out as w.k and w.v */
  bool special_k;
};

size_t tsr_backward_worker_bytes(const struct tsr_backward_problem *problem, const struct tsr_attention_way *way);
void tsr_backward_worker_init(struct tsr_backward_worker *worker, const tsr_context *context,
                              const struct tsr_backward_problem *problem, const struct tsr_attention_way *way,
                              void *memory);

/* Before a head's units: lse, delta, special and dq = 0, of an item that is tile number `tile`. */
void tsr_backward_prepare(struct tsr_backward_worker *b, const struct tsr_attention_item *item,
                          struct tsr_backward_slot *slot, int64_t tile);
/* The keys and values of a chunk, and sums of 0 for `rows` of them. */
void tsr_backward_begin(struct tsr_backward_worker *b, const struct tsr_attention_item *item, int64_t chunk, int64_t n,
                        int64_t rows);
/* A tile of rows against the chunk; waits for its turn before it adds to dq. */
void tsr_backward_tile(struct tsr_backward_worker *b, const struct tsr_attention_item *item,
                       struct tsr_backward_slot *slot, int64_t tile, int64_t chunk, int64_t n);
/* Writes `rows` rows of dk and dv. */
void tsr_backward_end(struct tsr_backward_worker *b, const struct tsr_attention_item *item, int64_t chunk,
                      int64_t rows);
/* Writes a tile's dq, which is not f32. */
void tsr_backward_finish(struct tsr_backward_worker *b, const struct tsr_attention_item *item,
                         const struct tsr_backward_slot *slot);

/* Waits until another thread stores the value. */
void tsr_backward_wait(_Atomic int64_t *at, int64_t value);

#endif
