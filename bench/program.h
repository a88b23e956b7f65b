/* A library that only another program can call (PyTorch, through Python): the worker keeps that program as a child and
 * exchanges lines with it. Gauges, waiting and checks stay the worker's. */
#ifndef BENCH_PROGRAM_H
#define BENCH_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Whether the path names such a library: an interpreter of Python, which runs bench/peers_sdpa.py, or, where images
 * have a format (worker.h), bench/peers_nets.py. */
bool bench_program_is(const char *path);

/* Starts it; `text` gets what it says of itself, or why it could not be started. */
bool bench_program_start(const char *python, char *text, size_t size);

/* The process, which shares the affinity of this one from the next request on; 0: there is none. */
pid_t bench_program_pid(void);

/* Sends a line and reads the answer. A program that has ended takes the worker with it. */
__attribute__((format(printf, 3, 4))) void bench_program_ask(char *answer, size_t size, const char *format, ...);

#endif
