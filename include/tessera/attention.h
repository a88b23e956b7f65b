/* Tessera: fused attention. Included by tessera/tessera.h.
 *
 * Copyright (c) 2026 The Tessera authors. SPDX-License-Identifier: BSD-3-Clause
 *
 *   out[b][i][h] = sum over visible keys j of softmax_j(x[i][j]) * v[b][j][h / group]
 *   x[i][j]      = cap(scale * q[b][i][h] . k[b][j][h / group]) + slope[h] * (j - position(i)) + mask[b][h][i][j]
 *
 * group = heads_q / heads_kv, cap(t) = softcap * tanh(t / softcap), or t where softcap is 0. The scores are never stored
 * as a whole. A row that sees no key is 0 with an LSE of -inf; what a masked key or its value holds (NaN, Inf) does not
 * reach the row.
 *
 * On a CPU results are defined bit for bit (doc/attention.md): one query alone, a long prefill, a batch, any number of
 * threads, any split of the keys and any kernels give the same bits.
 * Method: T. Dao, "FlashAttention-2", ICLR 2024; M. Milakov and N. Gimelshein, "Online normalizer calculation for
 * softmax", arXiv:1805.02867. */
#ifndef TESSERA_ATTENTION_H
#define TESSERA_ATTENTION_H

#ifdef __cplusplus
extern "C" {
#endif

/* Which keys a query sees by its position. Query i stands at position i (top left: the first query sees the first key
 * only) or at i + kv - q, q and kv being the lengths of its sequence (bottom right: the last query sees all keys).
 * With TSR_NOT_CAUSAL windows and slopes count positions from the bottom right too. */
typedef enum tsr_causal { TSR_NOT_CAUSAL = 0, TSR_CAUSAL_TOP_LEFT = 1, TSR_CAUSAL_BOTTOM_RIGHT = 2 } tsr_causal;

/* How keys lie: each with its d_qk elements side by side, or in panels of TSR_KV_PANEL keys as the kernels for decoding
 * read them: element p of key j of a panel at p * TSR_KV_PANEL + j (tsr_kv_append writes them). */
typedef enum tsr_kv_layout { TSR_KV_ROWS = 0, TSR_KV_PANELS = 1 } tsr_kv_layout;
#define TSR_KV_PANEL 64

/* What the call writes. TSR_ATTENTION_PARTIAL: instead of out and lse one state for each chunk of 256 keys, which
 * tsr_attention_merge turns into what a call with all the keys would have written, to the bit. */
typedef enum tsr_attention_result { TSR_ATTENTION_WHOLE = 0, TSR_ATTENTION_PARTIAL = 1 } tsr_attention_result;

/* Index of a stride. All are in elements of the tensor's type (of whole blocks for TSR_Q8_0 and TSR_Q4_0, so multiples
 * of 32); elements of one head of one row lie side by side. */
enum { TSR_BATCH = 0, TSR_HEAD = 1, TSR_ROW = 2 };

typedef struct tsr_attention_desc {
  size_t size; /* sizeof(tsr_attention_desc): set by TSR_ATTENTION_DESC */

  /* f32, f16 or bf16, each on its own; k and v also q8_0, q4_0 (blocks of 32 elements as in ggml) and s8 with scales. */
  tsr_type type_q, type_k, type_v, type_out;
  /* Sizes: heads_kv divides heads_q. d_qk and d_v are 1 to 1024. Lengths of 0 are allowed. */
  int64_t batch, heads_q, heads_kv, len_q, len_kv, d_qk, d_v;
  /* Strides, by TSR_BATCH, TSR_HEAD, TSR_ROW. None may be negative; those of out keep its rows apart. With keys in
   * panels stride_k[TSR_ROW] is that of a panel, at least d_qk * TSR_KV_PANEL. */
  int64_t stride_q[3], stride_k[3], stride_v[3], stride_out[3];

  double scale;          /* 0: 1 / sqrt(d_qk) */
  double softcap;        /* 0: none */
  tsr_causal causal;
  int64_t window_left;   /* a query sees so many keys before its position, and itself; -1: all */
  int64_t window_right;  /* and so many behind it; -1: all. With `causal` 0 is meant. */
  int64_t prefix;        /* the first keys of a sequence that all its queries see, whatever their position */

  /* An additive mask (f32, f16, bf16) or one of bytes (TSR_BOOL: 0 is masked), [batch][heads_q][len_q][len_kv] by its
   * strides, 0 where it is the same for all; keys lie side by side. -inf masks. mask_type 0: none. */
  tsr_type mask_type;
  const void *mask;
  int64_t stride_mask[3];

  const float *alibi;    /* heads_q slopes, or NULL */
  int alibi_scales_mask; /* not 0: slopes multiply the mask, as in ggml, instead of j - position(i) */
  const float *sinks;    /* heads_q scores of a key without a value, one for each head; or NULL */

  /* Lengths of each sequence. kv_lens: batch visible lengths of at most len_kv, or NULL. Ragged batches: cu_q[b] is the
   * first row of sequence b in q and out and cu_q[batch] how many there are (strides [TSR_BATCH] are not used), len_q at
   * least the longest; cu_kv the same for k and v. */
  const int32_t *kv_lens, *cu_q, *cu_kv;

  /* Paged keys and values: page p at p * stride[TSR_BATCH], page_size rows each; the pages of sequence b are
   * block_table[b * stride_table + 0, 1, ...], of `pages` in all. kv_lens is needed. page_size 0: not paged. */
  const int32_t *block_table;
  int64_t stride_table, page_size, pages;

  tsr_kv_layout layout_k;
  /* Scales of s8 keys and values, one for each row and head: [batch][heads_kv][rows] by these strides. */
  const float *scales_k, *scales_v;
  int64_t stride_scales[3];

  tsr_attention_result result;
  /* When k and v are a part of a longer sequence: how many keys come before them (a multiple of 256) and how many there
   * are in all (0: no more than these). Positions count in the whole sequence; mask, kv_lens and cu_kv in the part. */
  int64_t first_key, all_keys;
  const char *plan; /* NULL, or how to compute, in words (doc/tuning.md): never changes a bit */
} tsr_attention_desc;

#define TSR_ATTENTION_DESC                                                                                       \
  { .size = sizeof(tsr_attention_desc), .type_q = TSR_F32, .type_k = TSR_F32, .type_v = TSR_F32,                 \
    .type_out = TSR_F32, .window_left = -1, .window_right = -1 }

/* Fills sizes and the strides of tensors [batch][len][heads][d] without gaps, as most engines keep them; for others set
 * the strides after it. Types must have been set. */
TSR_API void tsr_attention_set_sizes(tsr_attention_desc *desc, int64_t batch, int64_t heads_q, int64_t heads_kv,
                                     int64_t len_q, int64_t len_kv, int64_t d_qk, int64_t d_v);

/* Computes attention. lse is NULL or gets log(sum of exp(x)) of every row, f32, [batch][heads_q][len_q] without gaps;
 * with cu_q [heads_q][cu_q[batch]]. out must not overlap the inputs. Scratch memory is the library's own. On a device
 * the call is queued and pointers, those of the descriptor too, are addresses there. Errors: TSR_INVALID_ARGUMENT with
 * the field in tsr_last_error(), TSR_UNSUPPORTED for a combination that no kernel serves, TSR_OUT_OF_MEMORY; nothing
 * has been written then. Page ids and cu_* are read and checked in every call. */
TSR_API tsr_status tsr_attention(tsr_context *context, const tsr_attention_desc *desc, const void *q, const void *k,
                                 const void *v, void *out, float *lse);

/* Plan once, run many times: no run allocates memory. `desc` tells the largest call: later ones may have other pointers
 * and any lengths up to its own (len_q, len_kv), everything else as planned. A plan is made for a number of threads
 * and may be used by several callers at once if each brings a workspace. */
typedef struct tsr_attention_plan tsr_attention_plan;
TSR_API tsr_status tsr_attention_plan_create(tsr_context *context, const tsr_attention_desc *desc,
                                             tsr_attention_plan **plan);
TSR_API void tsr_attention_plan_destroy(tsr_attention_plan *plan);
/* Bytes that a run needs, aligned to 64 by the caller. */
TSR_API size_t tsr_attention_plan_workspace(const tsr_attention_plan *plan);
TSR_API tsr_status tsr_attention_run(const tsr_attention_plan *plan, const tsr_attention_desc *desc, const void *q,
                                     const void *k, const void *v, void *out, float *lse, void *workspace);

/* Partial results (split KV, sequence parallelism): with TSR_ATTENTION_PARTIAL `out` gets f32 states
 * [chunk][row][d_v + 2], one for each chunk of 256 of the call's keys and each row (batch, head, query: as lse): the
 * largest score times log2(e), the sum, the unnormalised row. Merging the chunks of all parts in the order of the keys
 * gives the bits of one whole call. sinks are left to the merge's caller. tsr_attention_partial_size gives the bytes. */
TSR_API size_t tsr_attention_partial_size(const tsr_attention_desc *desc);

/* Merges `chunks` states of each of `rows` rows (state c of row r at states + (c * rows + r) * (d_v + 2)) into normalised
 * rows `out` of type_out, `stride_out` elements apart, and lse (or NULL). */
TSR_API tsr_status tsr_attention_merge(tsr_context *context, int64_t chunks, int64_t rows, int64_t d_v,
                                       const float *states, tsr_type type_out, void *out, int64_t stride_out, float *lse);

/* Merges `parts` normalised results: row r of part p is out[p] + r * stride with lse[p][r], all f32. For ring and
 * sequence parallelism, where parts come in any order. Agrees with one whole call within 2^-21 of the largest
 * contribution for each part. result may be one of the parts. */
TSR_API tsr_status tsr_attention_merge_normalised(tsr_context *context, int parts, int64_t rows, int64_t d_v,
                                                  const float *const *out, int64_t stride, const float *const *lse,
                                                  float *result, int64_t stride_result, float *result_lse);

/* Stores `rows` new keys and values behind the first `at` of a cache, converting or quantising them. The cache is
 * described by `desc` as for tsr_attention (type_k, type_v, stride_k, stride_v, layout_k, heads_kv, d_qk, d_v, scales);
 * len_kv is its capacity in rows. The new rows have the type `type` and strides of their own. One sequence a call, of
 * which k_cache and v_cache (and, for TSR_S8, desc->scales_*) point to the beginning; for paged caches
 * desc->block_table points to its pages. */
typedef struct tsr_kv_rows {
  tsr_type type;                    /* f32, f16 or bf16 */
  const void *k, *v;
  int64_t stride_k[3], stride_v[3]; /* TSR_HEAD and TSR_ROW are used */
  int64_t rows;
} tsr_kv_rows;
TSR_API tsr_status tsr_kv_append(tsr_context *context, const tsr_attention_desc *desc, void *k_cache, void *v_cache,
                                 int64_t at, const tsr_kv_rows *rows);

/* The gradients of a scalar with regard to q, k and v, from that with regard to out (dout). out and lse are what
 * tsr_attention wrote for the same descriptor. f32, f16 or bf16, each on its own (dq as q, dk as k, dv as v, dout as
 * out); gradients have the strides of their tensors, whose rows must not overlap then, dout has those of out. Every row
 * of a gradient is written, with 0 where nothing was seen. Masks, slopes, soft caps and sinks count as in tsr_attention
 * and get no gradients. The bits do not depend on the number of threads. Errors as for tsr_attention, and
 * TSR_UNSUPPORTED for partial results, pages, panels, types in blocks, s8 and devices. Scratch memory beside a few
 * tiles a thread: unless q is f32, dq in f32 for as many heads of k as there are threads, and two more.
 * Method: T. Dao, "FlashAttention-2", algorithm 2. */
TSR_API tsr_status tsr_attention_backward(tsr_context *context, const tsr_attention_desc *desc, const void *q,
                                          const void *k, const void *v, const void *out, const float *lse,
                                          const void *dout, void *dq, void *dk, void *dv);

#ifdef __cplusplus
}
#endif
#endif
