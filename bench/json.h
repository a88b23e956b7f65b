/* A run as JSON. */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include "bench/sections.h"

/* Writes the run to a file; says on stderr why it could not and returns -1. */
int bench_json_write(const struct bench_run *run, const char *path);

/* What the CPU calls itself. */
void bench_cpu_name(char *text, size_t size);

#endif
