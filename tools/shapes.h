/* Shapes of products, of attention or of convolutions, to tune or explain: from the command line, files, call traces
 * and known models. */
#ifndef TESSERA_SHAPES_H
#define TESSERA_SHAPES_H

#include "src/tune/tune.h"

struct shape {
  struct tsr_values values;
  double weight; /* seconds that calls of it took or may take; 0: not known */
  int order;     /* which it was before sorting */
};

/* Set context, op and types (tsr_type, ended by 0) before the first shape is added; the rest begins as 0. */
struct shapes {
  tsr_context *context;
  const struct tsr_operator *op;
  int types[3];
  struct shape *shape;
  int n, room, *slot, slots; /* slot: a hash table of numbers + 1 */
};

/* Adds a product as text, for each of the types: "m n k" or "m n k N T" (row-major, as tsr_gemm's sizes), or the
 * tuner's words, "m=512 n=512 k=512 b=t", where missing words are chosen as for a call with strides as short as can be.
 * Of attention and convolution: see attention.h and conv.h; types are part of their shapes.
 * Its weight is added if the shape is there already. False, with a sentence in `why` (TSR_WHY_TEXT bytes), if the text
 * is no shape, and with nothing added. */
bool shapes_add_text(struct shapes *shapes, const char *text, double weight, char *why);

/* A file of such lines, with # comments and [titles]. False after a message "COMMAND: FILE:LINE: ...". */
bool shapes_add_file(struct shapes *shapes, const char *command, const char *path);

/* The shapes of calls in a log of TESSERA_TRACE, with the time they took; gives the calls and the lines that tell no
 * shape of this operator. False after a message. */
struct shapes_traced {
  long calls, others;
};
bool shapes_add_trace(struct shapes *shapes, const char *command, const char *path, struct shapes_traced *traced);

/* The products of "NAME" or "NAME:BATCH": a prompt of 512 tokens and the tokens after it. False after a message. */
bool shapes_add_model(struct shapes *shapes, const char *command, const char *name);
void shapes_print_models(void);

/* Those of the greatest weight first; others stay in their order. */
void shapes_sort(struct shapes *shapes);
void shapes_free(struct shapes *shapes);

/* A shape's field by name; 0 if there is none. */
int64_t shape_field(const struct tsr_operator *op, const struct tsr_values *shape, const char *name);

#endif
