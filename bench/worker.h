/* A worker: one process that has loaded one library and measures it, one sample a request. The driver starts the same
 * executable as `tessera-bench --worker FD LIBRARY`, with the library's thread settings in the environment. */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/blas_routines.h"
#include "bench/gauge.h"

/* How the elements of keys and values are stored, and where: rows [batch][len][heads][d] as most engines keep them,
 * the rows of a head together [batch][heads][len][d], or these with keys in Tessera's panels. */
enum bench_kv { BENCH_KV_F32, BENCH_KV_F16, BENCH_KV_BF16, BENCH_KV_Q8_0, BENCH_KV_Q4_0, BENCH_KV_TYPES };
enum bench_layout { BENCH_ROWS, BENCH_HEADS, BENCH_PANELS, BENCH_LAYOUTS };
extern const char *const bench_kv_names[BENCH_KV_TYPES], *const bench_layout_names[BENCH_LAYOUTS];

struct bench_attention {
  int64_t batch, heads_q, heads_kv, len_q, len_kv, d_qk, d_v;
  int causal; /* 1: the last query sees all keys */
  enum bench_kv kv;
  enum bench_layout layout;
};

/* A convolution, in the words of tessera/conv.h. u8: u8 by s8 to u8, with a scale for each filter. */
enum bench_conv_type { BENCH_CONV_F32, BENCH_CONV_F16, BENCH_CONV_BF16, BENCH_CONV_U8, BENCH_CONV_TYPES };
extern const char *const bench_conv_types[BENCH_CONV_TYPES];

struct bench_conv {
  enum bench_conv_type type;
  int dims, transposed;
  int64_t batch, channels, filters, groups;
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3], pad_begin[3], pad_end[3];
};

/* How images lie in memory; any: as the library likes it best. A worker is told by BENCH_FORMAT in its environment. */
enum bench_format { BENCH_NHWC, BENCH_NCHW, BENCH_ANY, BENCH_FORMATS };
#define BENCH_FORMAT "TESSERA_BENCH_FORMAT"
extern const char *const bench_formats[BENCH_FORMATS];
enum bench_format bench_worker_format(enum bench_format otherwise);

/* One sample asked for: `calls` calls of `op` by each of `callers` threads at once. */
struct bench_request {
  int op;         /* index in bench_ops */
  int type_bytes; /* 4: f32, 8: f64, 1: u8 */
  int64_t m, n, k;
  int trans_a, trans_b;
  struct bench_attention attention;
  struct bench_conv conv;
  struct bench_blas blas;
  int net; /* enum bench_net_name */
  int64_t images;
  int threads; /* that the library may use */
  int callers, cores;   /* cores: how many the gauges must watch */
  int64_t calls;        /* 0: as many as make about `seconds` */
  double seconds;
  bool cold;            /* no call before the timed ones: they are long enough to warm their own caches */
  bool check;           /* compare some results with a plain loop */
};

/* Missing: the library has no such function; unfit: it does not take such operands; plain loop: it has nothing but a
 * reference loop, which would take minutes. */
enum bench_answer { BENCH_OK, BENCH_MISSING, BENCH_WRONG, BENCH_NO_MEMORY, BENCH_UNFIT, BENCH_PLAIN_LOOP };

struct bench_reply {
  int answer; /* enum bench_answer */
  int64_t calls;
  double seconds; /* of all the calls */
  double waited;  /* of these, how long threads stood in a run queue because another program had their CPU */
  struct bench_quiet before, after;
  double sum, scale; /* of a checked BLAS call: what it left, and that of absolute values; libraries must agree */
};

/* The first thing a worker says: what the library calls itself, or why it could not be loaded. */
struct bench_hello {
  bool loaded;
  char text[200];
};

int bench_worker_main(int fd, const char *library);

/* An operation a worker can measure. Later operators add theirs to bench_ops. */
struct bench_op {
  const char *name;
  bool (*find)(void *library);                         /* looks the functions up; false if there is none */
  enum bench_answer (*has)(const struct bench_request *request);
  enum bench_answer (*prepare)(const struct bench_request *request); /* operands for every caller */
  void (*call)(const struct bench_request *request, int caller, int64_t calls);
  bool (*right)(const struct bench_request *request);   /* the result of the last call */
  void (*release)(void);                                /* gives large operands back */
  double (*elapsed)(void);                              /* seconds of the last call by its own clock; 0, NULL: none */
};
extern const struct bench_op bench_op_gemm, bench_op_attention, bench_op_conv, bench_op_net, bench_op_blas;
void bench_blas_sum(double *sum, double *scale); /* of the last call that was checked */

enum { BENCH_OP_GEMM, BENCH_OP_ATTENTION, BENCH_OP_CONV, BENCH_OP_NET, BENCH_OP_BLAS, BENCH_OPS };
extern const struct bench_op *const bench_ops[BENCH_OPS];

#endif
