// The only C++ of the project: Google Benchmark behind the C face of shim.h.
#include "bench/shim.h"

#include <benchmark/benchmark.h>

namespace {
benchmark::State &of(bench_state *state) { return *reinterpret_cast<benchmark::State *>(state); }
}

bool bench_initialize(int *argc, char **argv) {
  benchmark::Initialize(argc, argv);
  return !benchmark::ReportUnrecognizedArguments(*argc, argv);
}

void bench_register(const char *name, bench_function *function, void *arg) {
  benchmark::RegisterBenchmark(
      name, [=](benchmark::State &state) { function(reinterpret_cast<bench_state *>(&state), arg); });
}

void bench_run_all(void) {
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}

bool bench_next(bench_state *state, int64_t batch) { return of(state).KeepRunningBatch(batch); }
int64_t bench_iterations(bench_state *state) { return of(state).iterations(); }

void bench_value(bench_state *state, const char *name, double value) { of(state).counters[name] = value; }

void bench_fail(bench_state *state, const char *why) { of(state).SkipWithError(why); }
