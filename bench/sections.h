/* The sections of a run. A section plans batches of cases and prints them; measuring is the same for all. A new
 * operator adds an operation (worker.h) and a line to bench_sections. */
#ifndef BENCH_SECTIONS_H
#define BENCH_SECTIONS_H

#include <stdbool.h>

#include "bench/measure.h"

#define BENCH_MAX_BATCHES 32
#define BENCH_MAX_FILES 16

struct bench_options {
  int threads;                        /* 0: 1, and in some sections a few */
  int type_bytes;                     /* 0: both */
  const char *shapes[BENCH_MAX_FILES]; /* instead of the sections' own */
  int nshapes;
  const char *suite, *section, *filter;
  int64_t images;                     /* of convolutions: in a batch; 0: 1, and 8 */
  unsigned formats, seed;             /* of convolutions: layouts (peers.h); of the corpus, 0: 1 */
  bool full, chosen;                  /* everything; threads or type were chosen */
  int rounds;
  double seconds;                     /* of the whole run */
};

struct bench_run {
  struct bench_options options;
  struct bench_peers peers;
  struct bench_batch batch[BENCH_MAX_BATCHES];
  int batches;
};

struct bench_section {
  const char *suite, *name, *title; /* suite: sections measured together, with the same libraries */
  int (*plan)(struct bench_run *run, const struct bench_section *section); /* -1: said on stderr why not */
  void (*print)(const struct bench_run *run, const struct bench_batch *batch);
};
extern const struct bench_section bench_sections[];
extern const int bench_section_count;

/* What Tessera's [0] speed is to another library's on a case; 0 = one of them has none. */
double bench_ratio(const struct bench_case *c, int peer);
/* The fastest other library of a case, or -1. */
int bench_best_peer(const struct bench_run *run, const struct bench_case *c);
/* Geometric mean of bench_ratio over a batch, and its least value's case. peer = -1: against the best of each case. */
double bench_mean_ratio(const struct bench_run *run, const struct bench_batch *batch, int peer,
                        const struct bench_case **worst);

#endif
