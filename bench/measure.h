/* Cases, the samples of each library on them, and which of those were quiet. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/peers.h"

struct bench_sample {
  double seconds; /* of one call; with several callers, of one call of each */
  double waited;  /* the share of the time in which another program had a CPU of the sample */
  struct bench_quiet before, after;
};

/* A library's samples on one case. */
struct bench_series {
  struct bench_sample *sample;
  int count;
  int64_t calls;
  double sum, scale; /* what the first call of a BLAS routine left (worker.h) */
  const char *fault; /* why it gave up: "missing", "wrong", "memory", "died"; NULL = none */
};

/* What is said about them: seconds of the kept samples. */
struct bench_summary {
  double median, q1, q3, least, most;
  int kept, taken; /* quiet samples, all samples */
  bool marked; /* too few were quiet: the fastest were taken */
};

struct bench_case {
  char label[96];
  struct bench_request request;
  double flops, bytes; /* of one call: of all callers together, operands touched once */
  double written;      /* of these bytes; 0: not looked at */
  double limit;        /* seconds that no library can beat; 0 = not known */
  struct bench_series series[BENCH_MAX_PEERS];
  struct bench_summary summary[BENCH_MAX_PEERS];
};

#define BENCH_BANDWIDTHS 24
#define BENCH_PEAKS 64
enum { BENCH_F32, BENCH_F64, BENCH_U8, BENCH_TYPES };
extern const char *const bench_types[BENCH_TYPES];
int bench_type(int type_bytes); /* which of them */

/* The limits of the machine with so many threads, measured between the samples. */
struct bench_limits {
  double peak[BENCH_TYPES]; /* flop/s: nearly the most of what was seen, since single runs overshoot; 0: not known */
  double seen[BENCH_TYPES][BENCH_PEAKS];
  int peaks;
  size_t bytes[BENCH_BANDWIDTHS];
  double bandwidth[BENCH_BANDWIDTHS]; /* bytes/s when so many bytes are read again and again */
  double copies[BENCH_BANDWIDTHS];    /* bytes/s, read and written, when one half is copied onto the other; 0: not known */
  int sizes;
};

/* Cases measured together, of one section, type and number of threads. */
struct bench_section;
struct bench_batch {
  const struct bench_section *section;
  char title[80];
  int type_bytes, threads, cores; /* of the library; busy in the largest case */
  double share;                   /* of the run's time */
  struct bench_case *cases;
  int count, passes;
  struct bench_limits limits;
  struct bench_quiet best; /* the level of the gauges on a free machine */
};

struct bench_rules {
  double seconds;  /* for the batch; ignored when rounds > 0 */
  int rounds;      /* exactly so many passes */
  int enough;      /* quiet samples after which a case is left alone */
  double sample;   /* seconds of one sample */
};

void bench_measure(struct bench_batch *batch, struct bench_peers *peers, const struct bench_rules *rules);

/* Bytes/s when `bytes` are read again and again. */
double bench_bandwidth_of(const struct bench_limits *limits, double bytes);
double bench_copies_of(const struct bench_limits *limits, double bytes);

/* The two bounds of which the larger is a case's limit, in seconds: flops at the FMA peak, and one reading of what is
 * read and one writing of what is written. Where it is known what is written, as many bytes as can count as copied and
 * the rest as read, or written at a copy's speed. */
double bench_flops_bound(const struct bench_batch *batch, const struct bench_case *c);
double bench_bytes_bound(const struct bench_batch *batch, const struct bench_case *c);

#endif
