/* The simulated chips against what is known of such chips from outside: published times of a 910B, and the shares of
 * their limits that the library's products reach. Simulated time is the same on every host. SCALE-Sim:
 * systolic_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kernels/accel_sim/device.h"
#include "src/core/core.h"

/* What one product took. */
struct run {
  double seconds, launch, tflops, cube, hbm; /* in the kernels; before them; speed; shares of the two limits */
};

static void *alloc(tsr_context *context, int64_t bytes) {
  void *address = NULL;
  assert_int_equal(tsr_device_alloc(context, (size_t)bytes, &address), TSR_OK);
  return address;
}

/* C = A B, or A B' with `turned`, f16 to f32, on a device of its own. */
static struct run run(const char *device, int64_t m, int64_t n, int64_t k, bool turned) {
  tsr_context *context = NULL;
  tsr_event *from = NULL, *to = NULL;
  tsr_gemm_desc d = TSR_GEMM_DESC;
  struct run r = {0};
  assert_int_equal(tsr_context_create(device, &context), TSR_OK);
  d.type = TSR_F16, d.type_c = TSR_F32;
  d.m = m, d.n = n, d.k = k;
  d.lda = k, d.ldb = turned ? k : n, d.ldc = n;
  if (turned) d.trans_b = TSR_TRANS;
  void *a = alloc(context, m * k * 2), *b = alloc(context, n * k * 2), *c = alloc(context, m * n * 4);
  assert_int_equal(tsr_event_create(context, &from), TSR_OK);
  assert_int_equal(tsr_event_create(context, &to), TSR_OK);
  assert_int_equal(tsr_event_record(from), TSR_OK);
  assert_int_equal(tsr_gemm(context, &d, a, b, c), TSR_OK);
  assert_int_equal(tsr_event_record(to), TSR_OK);
  assert_int_equal(tsr_synchronize(context), TSR_OK);
  assert_int_equal(tsr_event_seconds(from, to, &r.seconds), TSR_OK);
  const struct accel_params *p = accel_machine_params(accel_device_machine(context->device));
  double flops = 2.0 * (double)m * (double)n * (double)k, bytes = 2.0 * (double)(m * k + n * k) + 4.0 * (double)(m * n);
  r.launch = p->launch_seconds;
  r.tflops = flops / r.seconds * 1e-12;
  r.cube = flops / r.seconds / (p->cores * p->ghz * 8192e9);
  r.hbm = bytes / r.seconds / p->hbm_rate;
  tsr_event_destroy(from);
  tsr_event_destroy(to);
  tsr_context_destroy(context);
  return r;
}

/* Published f16 GEMM of a 910B, 24 cores, launch included. */
static void published_times(void **unused) {
  (void)unused;
  static const struct {
    int64_t n;
    double tflops;
  } points[] = {{1536, 187}, {3072, 281}, {6144, 308}, {7680, 286}};
  for (int i = 0; i < 4; i++) {
    struct run r = run("accel:910b,time-only", points[i].n, points[i].n, points[i].n, false);
    double tflops = r.tflops * r.seconds / (r.seconds + r.launch), ratio = tflops / points[i].tflops;
    printf("910b %lld^3: %.0f TFLOP/s, published %.0f: %+.1f %%\n", (long long)points[i].n, tflops, points[i].tflops,
           100 * (ratio - 1));
    assert_true(ratio > 0.85 && ratio < 1.15);
  }
}

static void shares_of_the_limits(void **unused) {
  (void)unused;
  static const struct {
    const char *device;
    int64_t m, n, k;
    bool turned, memory;
    double least;
  } cases[] = {
      {"accel:910b,time-only", 4096, 4096, 4096, false, false, 0.85},
      {"accel:910b,time-only", 1024, 1024, 1024, false, false, 0.60},
      {"accel:910b,time-only", 1, 4096, 4096, true, true, 0.85},
      {"accel:910b,time-only", 16, 4096, 4096, true, true, 0.85},
      {"accel:910b,time-only", 4, 4096, 4096, false, true, 0.85},
      {"accel:310p,time-only", 4096, 4096, 4096, false, false, 0.85},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct run r = run(cases[i].device, cases[i].m, cases[i].n, cases[i].k, cases[i].turned);
    double share = cases[i].memory ? r.hbm : r.cube;
    printf("%.10s %lldx%lldx%lld %s: %.1f TFLOP/s, %.1f %% of %s\n", cases[i].device, (long long)cases[i].m,
           (long long)cases[i].n, (long long)cases[i].k, cases[i].turned ? "NT" : "NN", r.tflops, 100 * share,
           cases[i].memory ? "the memory's bandwidth" : "the cubes' peak");
    assert_true(share >= cases[i].least && share <= 1);
  }
}

/* Nothing may be faster than its limits, small and odd shapes included. */
static void never_beyond_the_limits(void **unused) {
  (void)unused;
  static const int64_t sizes[][3] = {{1, 1, 1}, {16, 16, 16}, {100, 200, 300}, {5, 3000, 64}, {2048, 16, 2048}};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    struct run r = run("accel:910b,time-only", sizes[i][0], sizes[i][1], sizes[i][2], false);
    assert_true(r.cube < 1 && r.hbm < 1 && r.seconds > 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(published_times), cmocka_unit_test(shares_of_the_limits),
                                     cmocka_unit_test(never_beyond_the_limits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
