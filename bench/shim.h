/* Google Benchmark as C sees it. */
#ifndef BENCH_SHIM_H
#define BENCH_SHIM_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bench_state;
typedef void bench_function(struct bench_state *state, void *arg);

/* Takes Google Benchmark's own options out of argv; false when one is left that nobody knows (it has been named). */
bool bench_initialize(int *argc, char **argv);
void bench_register(const char *name, bench_function *function, void *arg);
void bench_run_all(void);

/* True while another `batch` iterations are to be done and timed. */
bool bench_next(struct bench_state *state, int64_t batch);
int64_t bench_iterations(struct bench_state *state);

/* A column of the output. */
void bench_value(struct bench_state *state, const char *name, double value);
void bench_fail(struct bench_state *state, const char *why);

#ifdef __cplusplus
}
#endif
#endif
