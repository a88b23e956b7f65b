/* Calibration: what it gives is usable whatever the kernels and threads, it is quick, and nobody reaches it unasked. */
#include <fenv.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "src/core/trace.h"
#include "src/tune/costs.h"
#include "src/tune/tune.h"

static const char *archive;

enum { MEASURED = 9, FITTED = 20 };
_Static_assert(sizeof(struct tsr_costs) == (MEASURED + FITTED) * sizeof(double), "the measured ones come first");

/* Far from any machine's figures, so that what is left as it was shows. */
static void set_odd(struct tsr_costs *costs) {
  double odd[MEASURED + FITTED];
  for (int i = 0; i < MEASURED + FITTED; i++) odd[i] = 1000 + i;
  memcpy(costs, odd, sizeof odd);
}

static tsr_context *open_context(const char *isa, int threads) {
  tsr_context *context = NULL;
  if (tsr_context_create(isa, &context) != TSR_OK) return NULL;
  tsr_set_num_threads(context, threads);
  return context;
}

static struct tsr_costs family_of(const tsr_context *context) {
  char machine[TSR_KEY_TEXT];
  struct tsr_costs family;
  tsr_machine_key(context, machine);
  tsr_costs_of_family(machine, &family);
  return family;
}

static void is_near(const char *name, double measured, double family) {
  if (!(measured >= family / 5.0001 && measured <= family * 5.0001))
    fail_msg("%s is %g, more than 5 times away from %g", name, measured, family);
}

static void check_costs(const struct tsr_costs *c, const struct tsr_costs *family, int threads) {
  double values[MEASURED + FITTED];
  char text[4096];
  struct tsr_costs again;
  memcpy(values, c, sizeof values);
  for (int i = 0; i < MEASURED + FITTED; i++) assert_true(isfinite(values[i]) && values[i] > 0);
  for (int i = MEASURED; i < MEASURED + FITTED; i++) assert_true(values[i] == 1000 + i);
  is_near("read_l2", c->read_l2, family->read_l2);
  is_near("read_l3", c->read_l3, family->read_l3);
  is_near("read_memory", c->read_memory, family->read_memory);
  assert_true(c->read_l2 <= c->read_l3 && c->read_l3 <= c->read_memory);
  assert_true(c->flop_f32 < 1e-6 && c->flop_f64 < 1e-6 && c->chain < 1e-5 && c->load < 1e-5);
  assert_true(c->load < 2 * c->chain);
  if (threads == 1) {
    assert_true(c->share_memory == 1007 && c->start == 1008);
  } else {
    is_near("share_memory", c->share_memory, family->share_memory);
    is_near("start", c->start, family->start);
  }
  tsr_costs_print(c, text, sizeof text);
  assert_true(tsr_costs_parse(text, &again));
}

/* The best of three, in processor time: others use the machine too. */
static double processor_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void calibrate(const char *isa, int threads) {
  tsr_context *context = open_context(isa, threads);
  double least = 1e9;
  if (!context) return; /* not on this machine */
  struct tsr_costs costs, family = family_of(context);
  for (int i = 0; i < 3; i++) {
    set_odd(&costs);
    double start = processor_seconds();
    feclearexcept(FE_ALL_EXCEPT);
    tsr_calibrate(context, &costs);
    assert_int_equal(fetestexcept(FE_ALL_EXCEPT), 0);
    double seconds = processor_seconds() - start;
    check_costs(&costs, &family, threads);
    if (seconds < least) least = seconds;
  }
  if (least > 0.3 * threads) fail_msg("%s, %d threads: %.0f ms", isa, threads, 1e3 * least);
  tsr_context_destroy(context);
}

static void any_kernels(void **state) {
  (void)state;
  static const char *const isas[] = {"generic", "avx2", "avx512", "sve"};
  for (int i = 0; i < 4; i++) calibrate(isas[i], 2);
}

static void any_threads(void **state) {
  (void)state;
  calibrate(NULL, 1);
  calibrate(NULL, 3);
}

/* A core's speed is the same by two ways of asking, give or take a busy neighbour. */
static void agrees_with_peak(void **state) {
  (void)state;
  tsr_context *context = open_context(NULL, 1);
  struct tsr_costs costs;
  assert_non_null(context);
  set_odd(&costs);
  tsr_calibrate(context, &costs);
  double peak = tsr_peak_flops(&context->kernels[TSR_F32], TSR_F32);
  assert_true(costs.flop_f32 * peak > 0.5 && costs.flop_f32 * peak < 1.001);
  /* Half the lanes, or fewer where f64 has narrower tiles. */
  assert_true(costs.flop_f64 > 0.9 * costs.flop_f32 && costs.flop_f64 < 8 * costs.flop_f32);
  /* A chain has one fma in flight, a tile many. */
  assert_true(costs.chain > 2 * costs.flop_f32);
  tsr_context_destroy(context);
}

static void devices_are_left_alone(void **state) {
  (void)state;
  tsr_context *context = open_context("accel:910b", 0);
  struct tsr_costs costs, before;
  if (!context) skip();
  set_odd(&costs);
  before = costs;
  tsr_calibrate(context, &costs);
  assert_memory_equal(&costs, &before, sizeof costs);
  tsr_context_destroy(context);
}

/* No object of the library calls it: only tools do. */
static void nobody_calls_it(void **state) {
  (void)state;
  char command[1200], line[512];
  int found = 0, defined = 0;
  snprintf(command, sizeof command, "nm -A '%s' 2>/dev/null", archive);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  while (fgets(line, sizeof line, pipe)) {
    found += strstr(line, " U tsr_calibrate\n") != NULL;
    defined += strstr(line, " T tsr_calibrate\n") != NULL;
  }
  pclose(pipe);
  if (!defined) skip(); /* no nm here */
  assert_int_equal(found, 0);
}

int main(int argc, char **argv) {
  archive = argc > 1 ? argv[1] : "";
  const struct CMUnitTest tests[] = {cmocka_unit_test(any_kernels), cmocka_unit_test(any_threads),
                                     cmocka_unit_test(agrees_with_peak), cmocka_unit_test(devices_are_left_alone),
                                     cmocka_unit_test(nobody_calls_it)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
