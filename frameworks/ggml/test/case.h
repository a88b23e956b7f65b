/* One FLASH_ATTN_EXT node with random tensors, computed by any backend and, in f64, here. */
#ifndef TSR_GGML_CASE_H
#define TSR_GGML_CASE_H

#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml-cpu.h>
#include <ggml.h>
#include <stdbool.h>
#include <stdint.h>

/* How q, k and v lie: as llama.cpp makes them (heads side by side in a row, seen through a permuted view of a longer
 * cache), or each head's rows together; v the first DV elements of k, as with multi-head latent attention. */
enum layout { ENGINE, PLAIN, VALUES_IN_KEYS, LAYOUTS };
enum mask { NO_MASK, CAUSAL, WINDOW, RANDOM, EMPTY_ROWS, MASKS };

struct shape {
  enum ggml_type type_k, type_v;
  int dk, dv, heads, heads_kv, queries, keys, batch;
  enum layout layout;
  enum mask mask;
  bool mask_heads, mask_batch; /* one for each */
  float max_bias, softcap;
  bool sinks;
  uint64_t seed;
};

struct node {
  struct shape shape;
  struct ggml_context *context;
  ggml_backend_buffer_t buffer;
  struct ggml_tensor *q, *k, *v, *mask, *sinks, *out;
  struct ggml_cgraph *graph;
};

uint64_t next_random(uint64_t *state);
void node_open(struct node *node, const struct shape *shape);
void node_close(struct node *node);
int64_t node_elements(const struct node *node);

/* Writes what the node is, in f64. */
void node_reference(const struct node *node, double *out);

/* "q8_0/f16 dk 64 dv 64 ..." */
void describe_shape(const struct shape *shape, char *text, size_t size);

#endif
