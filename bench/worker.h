/* A worker: one process that has loaded one library and measures it, one sample a request. The driver starts the same
 * executable as `tessera-bench --worker FD LIBRARY`, with the library's thread settings in the environment. */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/gauge.h"

/* One sample asked for: `calls` calls of `op` by each of `callers` threads at once. */
struct bench_request {
  int op;         /* index in bench_ops */
  int type_bytes; /* 4: f32, 8: f64 */
  int64_t m, n, k;
  int trans_a, trans_b;
  int callers, cores;   /* cores: how many the gauges must watch */
  int64_t calls;        /* 0: as many as make about `seconds` */
  double seconds;
  bool cold;            /* no call before the timed ones: they are long enough to warm their own caches */
  bool check;           /* compare some results with a plain loop */
};

enum bench_answer { BENCH_OK, BENCH_MISSING, BENCH_WRONG, BENCH_NO_MEMORY };

struct bench_reply {
  int answer; /* enum bench_answer */
  int64_t calls;
  double seconds; /* of all the calls */
  double waited;  /* of these, how long threads stood in a run queue because another program had their CPU */
  struct bench_quiet before, after;
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
  bool (*has)(int type_bytes);
  bool (*prepare)(const struct bench_request *request); /* operands for every caller; false: out of memory */
  void (*call)(const struct bench_request *request, int caller, int64_t calls);
  bool (*right)(const struct bench_request *request);   /* the result of the last call */
  void (*release)(void);                                /* gives large operands back */
};
extern const struct bench_op bench_op_gemm;

enum { BENCH_OP_GEMM, BENCH_OPS };
extern const struct bench_op *const bench_ops[BENCH_OPS];

#endif
