/* Threads that start together. */
#ifndef BENCH_TEAM_H
#define BENCH_TEAM_H

#define BENCH_MAX_THREADS 256

/* Runs body(arg, 0) .. body(arg, n - 1), each on a thread of its own (0 on the caller's), released at one moment. Where
 * n is the number of CPUs there are, each thread keeps to one of them. */
void bench_team(int n, void (*body)(void *arg, int thread), void *arg);

/* CPUs this process may use. */
int bench_cpus(void);

/* Keeps the process to one CPU. */
void bench_pin(int cpu);

/* The CPU number of the i-th CPU this process may use. */
int bench_cpu(int i);

#endif
