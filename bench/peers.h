/* The libraries under test: where they are, how their threads are set, and the worker process of each. */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include <stdbool.h>
#include <sys/types.h>

#include "bench/worker.h"

#define BENCH_MAX_PEERS 12

struct bench_peer {
  char name[32];
  char path[512];         /* what dlopen gets */
  char how[160];          /* how to get it, when it is not there */
  const char *setting;    /* one more NAME=value for its environment, or NULL */
  bool nets_only;         /* measured on whole nets only */
  const char *format;     /* of convolutions: what BENCH_FORMAT says in its environment, or NULL */
  char libraries[256];    /* a folder where it finds libraries that it needs; "": none */
  bool only_if_avx512_idle; /* a second OpenBLAS, told to use AVX-512 where it would not by itself */
  char about[200];        /* what it calls itself */
  bool usable;
  pid_t pid;              /* of its worker, 0 when none runs */
  int fd;
};

struct bench_peers {
  struct bench_peer peer[BENCH_MAX_PEERS]; /* [0] is Tessera */
  int count;
};

/* Fills the list: Tessera at `library` (NULL: beside the executable), the known peers unless `none`. `venv` holds
 * peers from Python packages. */
void bench_peers_find(struct bench_peers *peers, const char *library, const char *venv, bool none, bool all);
/* The same for attention: PyTorch in `venv`, ggml's CPU backend as `./dev build ggml` builds it beside the library. */
void bench_peers_find_attention(struct bench_peers *peers, const char *library, const char *venv, bool none);
/* The same for convolution: oneDNN of `venv`, or of the system, and PyTorch of `venv`. Each layout of `formats` (bits
 * 1 << enum bench_format) makes a column, oneDNN's own is always there. */
void bench_peers_find_conv(struct bench_peers *peers, const char *library, const char *venv, bool none,
                           unsigned formats);
/* Adds NAME=PATH of the command line; false when it is not of that form or the list is full. */
bool bench_peers_add(struct bench_peers *peers, const char *name_and_path);

/* Loads each library once, to learn what it is; leaves unusable ones marked. `report` names those on stderr. */
void bench_peers_probe(struct bench_peers *peers);

/* Starts a worker for each usable peer with the library at `threads` threads; for whole nets also those of nets only. */
void bench_peers_start(struct bench_peers *peers, int threads, bool nets);
/* Keeps the workers to one CPU. */
void bench_peers_pin(const struct bench_peers *peers, int cpu);
void bench_peers_stop(struct bench_peers *peers);

/* Asks a worker for a sample. False when it died or did not answer in time: its worker is then gone. */
bool bench_peer_ask(struct bench_peer *peer, const struct bench_request *request, struct bench_reply *reply);

#endif
