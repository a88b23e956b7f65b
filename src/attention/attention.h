/* Attention inside the library: the normalised problem, how it is computed, and the pieces of src/attention. */
#ifndef TSR_ATTENTION_H
#define TSR_ATTENTION_H

#include "src/core/core.h"

/* Keys of a chunk, counted from the sequence's first key: part of the numeric contract, never tuned. */
#define TSR_CHUNK 256
/* Heads of k that take turns at a chunk. */
#define TSR_MOST_HEADS 16
#define TSR_LOG2_E 1.4426950408889634
#define TSR_MOST_HEAD_SIZE 1024

/* A checked call. Strides are in bytes. */
struct tsr_attention_problem {
  tsr_attention_desc d;
  tsr_mem q, k, v, out;
  float *lse;
  int64_t group;                               /* heads of q to one of k */
  int64_t step_q[3], step_k[3], step_v[3], step_out[3], step_mask[3];
  float q_scale, cap;                          /* q is multiplied by it; of struct tsr_softmax */
};

/* Which way the lanes of a vector run: over queries, or over keys (and the elements of a value), where queries are few.
 * Both give the same bits. */
enum tsr_attention_lanes { TSR_LANES_QUERIES = 1, TSR_LANES_KEYS };

/* How a call is computed; what the tuner decides. */
struct tsr_attention_way {
  enum tsr_attention_lanes lanes;
  int threads;
  int64_t rows;  /* of an item: so many rows (queries times heads of a group) share each chunk of keys */
  int64_t width; /* lanes over queries: rows of a tile; over keys: the same as rows */
  int split;     /* not 0: threads share the chunks of an item */
  int64_t heads; /* over keys: so many heads of k side by side take each chunk in turn; 0: 1 */
};

/* One sequence of the batch. Keys count from the first of k and v. */
struct tsr_attention_sequence {
  int64_t b, queries, keys;
  int64_t first_query, first_key; /* rows before it in q and out, in k and v */
  int64_t shift;                  /* query i stands at i + shift */
};

/* The rows that one thread works on at a time: row r is head r % group of query r / group. */
struct tsr_attention_item {
  struct tsr_attention_sequence seq;
  int64_t head; /* of k and v */
  int64_t row, rows;
};

/* Checks a descriptor without and with the pointers, and fills the problem. */
tsr_status tsr_attention_check(const tsr_context *context, const tsr_attention_desc *desc);
tsr_status tsr_attention_check_cache(const tsr_attention_desc *desc); /* what tsr_kv_append uses of it */
tsr_status tsr_attention_check_data(const tsr_attention_desc *desc, const void *q, const void *k, const void *v,
                                    const void *out, const void *lse);
void tsr_attention_normalise(const tsr_attention_desc *desc, const void *q, const void *k, const void *v, void *out,
                             float *lse, struct tsr_attention_problem *problem);

static inline bool tsr_is_block(tsr_type type) { return type == TSR_Q8_0 || type == TSR_Q4_0; }
/* Elements of a type in bytes; for block types a multiple of 32. */
static inline int64_t tsr_bytes_of(tsr_type type, int64_t elements) {
  return type == TSR_Q8_0 ? elements / 32 * 34 : type == TSR_Q4_0 ? elements / 32 * 18 : elements * tsr_size_of(type);
}

/* Multiplications of both products, masks not counted. */
static inline double tsr_attention_multiplications(const tsr_attention_desc *d) {
  return (double)d->batch * (double)d->heads_q * (double)d->len_q * (double)d->len_kv * (double)(d->d_qk + d->d_v);
}

void tsr_attention_sequence_of(const struct tsr_attention_problem *problem, int64_t b,
                               struct tsr_attention_sequence *seq);

/* Items of a call, some of which may be empty (rows 0). */
int64_t tsr_attention_items(const struct tsr_attention_problem *problem, const struct tsr_attention_way *way);
void tsr_attention_item_of(const struct tsr_attention_problem *problem, const struct tsr_attention_way *way,
                           int64_t index, struct tsr_attention_item *item);

/* A tensor with a row for each query and head of q: q and out, and their gradients. Steps are in bytes. */
struct tsr_attention_rows {
  tsr_type type;
  int64_t d;
  tsr_mem at;
  const int64_t *step;
};

/* The address of row r of the item's head, and of its LSE. Rows count from the sequence's first, as item->row does. */
tsr_mem tsr_attention_row_of(const struct tsr_attention_problem *problem, const struct tsr_attention_item *item,
                             const struct tsr_attention_rows *rows, int64_t r);
float *tsr_attention_lse_of(const struct tsr_attention_problem *problem, const struct tsr_attention_item *item,
                            int64_t r);

/* The first key that query i sees by its position, and the one behind the last; the prefix not counted. */
void tsr_attention_sees(const struct tsr_attention_problem *problem, const struct tsr_attention_sequence *seq, int64_t i,
                        int64_t *from, int64_t *to);
/* How many of the first keys every query sees. */
int64_t tsr_attention_prefix(const struct tsr_attention_problem *problem, const struct tsr_attention_sequence *seq);

/* The keys that some row of an item may see: from the first one's chunk on, to behind the last. */
void tsr_attention_range_of(const struct tsr_attention_problem *problem, const struct tsr_attention_item *item,
                            int64_t *first, int64_t *end);

/* Whether the rows of a tensor share no elements. */
tsr_status tsr_attention_check_apart(const char *tensor, const int64_t *stride, int64_t batch, int64_t heads,
                                     int64_t rows, int64_t row);

/* Bytes that the states of shared items would take, and the most they may. */
double tsr_attention_state_bytes(const struct tsr_attention_problem *problem, const struct tsr_attention_way *way);
#define TSR_MOST_STATE_BYTES (32 << 20)

/* Sizes and operations (of the forward pass) of a call, for its line in the trace. */
struct tsr_trace_call;
void tsr_attention_describe(const tsr_attention_desc *desc, struct tsr_trace_call *call);

/* The rule of thumb, for at most so many threads: fills in what is 0 in the way; split follows from the rest. */
void tsr_attention_complete(const tsr_context *context, const struct tsr_attention_problem *problem, int threads,
                            struct tsr_attention_way *way);

/* Decides how many heads take turns: only strides and the rest of the way tell, so it is not tuned. */
void tsr_attention_pair_heads(const struct tsr_attention_problem *problem, struct tsr_attention_way *way);

/* The way of a call: the one in its own words, which have been checked; else one that was tuned, shipped or predicted;
 * for small calls the rule's. */
void tsr_attention_choose(const tsr_context *context, const struct tsr_attention_problem *problem, int threads,
                          struct tsr_attention_way *way);

/* What one thread works with; all of it lies in its part of the workspace. */
struct tsr_attention_worker {
  const struct tsr_attention_problem *problem;
  const struct tsr_attention_way *way;
  const struct tsr_kernels *kernels; /* by type */
  bool careful;                      /* keys of weight 0 must not count, whatever their values hold */
  int64_t ld_k, ld_v, ld_s;          /* of k, v and (lanes over keys) s, in elements */
  float *q, *s, *sums, *o, *k, *v, *clean, *bias, *bias_t, *row;
  float *max, *sum, *keep, *add, *slope;
  int32_t *from, *to, *at;
  const struct tsr_attention_item *next; /* over keys: whose keys come after the chunk at hand, or NULL; from which on */
  int64_t next_key;
};

/* Bytes of one worker's part, a multiple of 64, and the worker laid out there. */
size_t tsr_attention_worker_bytes(const struct tsr_attention_problem *problem, const struct tsr_attention_way *way);
void tsr_attention_worker_init(struct tsr_attention_worker *worker, const tsr_context *context,
                               const struct tsr_attention_problem *problem, const struct tsr_attention_way *way,
                               void *memory);

/* The same worker with the places of head h of way->heads for what it keeps of an item. */
void tsr_attention_worker_of_head(const struct tsr_attention_worker *worker, int64_t h, struct tsr_attention_worker *one);

/* Keys or values of one chunk as the kernels take them. */
struct tsr_attention_keys {
  tsr_mem at;          /* key 0 of the chunk */
  tsr_type type;
  int64_t step, panel; /* bytes from element to element of a key (rows: its size), and from panel to panel (0: rows) */
  int64_t next;        /* bytes from key to key */
};

/* Rows r0 .. r0 + rows of a sequence, times alpha, to rows of ld floats. */
void tsr_attention_gather(struct tsr_attention_worker *w, const struct tsr_attention_item *item,
                          const struct tsr_attention_rows *from, double alpha, int64_t r0, int64_t rows, float *to,
                          int64_t ld);
/* Turns columns x rows over: `to` gets width floats for each of k steps, width >= rows of them filled up. */
void tsr_attention_transpose(const struct tsr_attention_worker *w, int64_t rows, int64_t width, int64_t k,
                             const float *from, int64_t ld, float *to);
/* A chunk of k or v as rows of ld floats, from one piece or from pages. */
void tsr_attention_load_rows(struct tsr_attention_worker *w, const struct tsr_attention_item *item, bool keys,
                             int64_t chunk, int64_t n, float *to, int64_t ld);

/* Loading: converted where the kernels need it, in place where they do not. */
void tsr_attention_load_q(struct tsr_attention_worker *w, const struct tsr_attention_item *item);
void tsr_attention_load_k(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk,
                          int64_t n, struct tsr_attention_keys *keys);
/* Lanes over keys: keys j .. j + n of the sequence, in one panel, whose width tsr_attention_panel tells; j is a multiple
 * of it, n at most that. */
int64_t tsr_attention_panel(const tsr_attention_desc *desc, int64_t rows);
/* Have keys j .. j + n of the sequence (those beyond the last are left out), and values of the chunk, brought near that
 * are needed next. */
void tsr_attention_fetch_keys(const struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t j,
                              int64_t n);
void tsr_attention_fetch_values(const struct tsr_attention_worker *w, const struct tsr_attention_keys *values, int64_t j,
                                int64_t n);
void tsr_attention_load_panel(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t j,
                              int64_t n, struct tsr_attention_keys *keys);
/* How many of keys j .. j + n of the sequence lie in rows without a gap from `at` on. */
int64_t tsr_attention_rows_of_keys(const struct tsr_attention_worker *w, const struct tsr_attention_item *item,
                                   int64_t j, int64_t n, tsr_mem *at);
void tsr_attention_load_v(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk,
                          int64_t n, struct tsr_attention_keys *values);
/* m elements of each of n columns from one type to another, times alpha, as TSR_OP_CONVERT does it. */
void tsr_attention_convert(const struct tsr_attention_worker *w, tsr_type from, tsr_type to, double alpha, int64_t m,
                           int64_t n, tsr_mem a, int64_t csa, tsr_mem c, int64_t csc);

/* The mask of rows r0 .. r0 + rows and keys from .. to of the sequence: it hides all of them, none (and adds nothing), or
 * is written to w->bias (rows of TSR_CHUNK), the keys narrowed to those that some row sees. */
enum tsr_attention_mask { TSR_MASK_HIDES, TSR_MASK_SHOWS, TSR_MASK_LOADED };
enum tsr_attention_mask tsr_attention_load_mask(struct tsr_attention_worker *w, const struct tsr_attention_item *item,
                                                int64_t r0, int64_t rows, int64_t *from, int64_t *to);

/* What is visible of a chunk to a tile. Keys count from the chunk's first. */
struct tsr_attention_view {
  int64_t row, rows;      /* of the item */
  int64_t base, end;      /* keys computed: from a multiple of 16 to the last visible one */
  bool edge;              /* not every row sees all of them */
  const float *bias;
};

/* Fills the rest of a view of row and rows with the n keys of the chunk that some row sees; false: none. */
bool tsr_attention_look(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk, int64_t n,
                        struct tsr_attention_view *view);
/* What SOFTMAX needs to know of the tile's rows beside their scores and the mask. */
void tsr_attention_describe_rows(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk,
                                 const struct tsr_attention_view *view, struct tsr_softmax *sm);
/* The mask of a view, if there is one, as lanes over queries take it. */
void tsr_attention_turn_bias(struct tsr_attention_worker *w, const struct tsr_attention_view *view,
                             struct tsr_softmax *sm);

/* Sets the state of so many rows to that of no keys. */
void tsr_attention_start(struct tsr_attention_worker *w, int64_t rows);

/* One more chunk with lanes over keys, into the state and o. */
void tsr_attention_advance(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk);

/* Writes out an item whose chunks are all merged; computes it again if a key of weight 0 spoilt it. */
void tsr_attention_end(struct tsr_attention_worker *w, const struct tsr_attention_item *item);

/* A whole item, written out. */
void tsr_attention_compute(struct tsr_attention_worker *w, const struct tsr_attention_item *item);

/* One chunk of an item alone, with lanes over keys: its state is left in w->max, w->sum and w->sums; false: no row sees
 * any of it, and w->sums is not set. q must have been loaded. */
bool tsr_attention_compute_chunk(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t chunk);

/* Whether a row of o (or sums) holds a NaN that its sum does not explain: a key of weight 0 may have brought it. */
bool tsr_attention_is_spoilt(const struct tsr_attention_worker *w, const struct tsr_attention_item *item, const float *o);

/* Computes the states of an item's chunks and writes them to out (TSR_ATTENTION_PARTIAL). */
void tsr_attention_compute_partial(struct tsr_attention_worker *w, const struct tsr_attention_item *item);

/* Joins a chunk's state (largest score, sum, d_v sums of values) to that of row r, whose values are in o. */
void tsr_attention_join(struct tsr_attention_worker *w, int64_t r, float max, float sum, int64_t d_v, const float *sums,
                        float *o);

/* Takes in the sinks, divides, and writes out and lse. */
void tsr_attention_finish(struct tsr_attention_worker *w, const struct tsr_attention_item *item);

/* The work on a call by `threads` bodies at the same time, on memory of workspace_bytes. */
size_t tsr_attention_workspace_bytes(const struct tsr_attention_problem *problem, const struct tsr_attention_way *way);
void tsr_attention_run_all(const tsr_context *context, const struct tsr_attention_problem *problem,
                           const struct tsr_attention_way *way, void *workspace);

/* rows x cols of C = A B, A of `type`, one block of k, with what step says; few columns take the tallest tiles. */
void tsr_attention_multiply(const struct tsr_kernels *kernels, tsr_type type, struct tsr_step *step, int64_t rows,
                            int64_t cols, tsr_mem a, tsr_mem b, tsr_mem c);

#endif
