/* The array of chip C against SCALE-Sim (weight stationary, 128 x 128): a program that issues one mad a fold takes
 * ceil(K / R) * ceil(N / C) * (2 R + C + M - 2) cycles; SCALE-Sim prints one less, the index of the last cycle, as it
 * counts them from 0. */
#include "test/accel/machine_support.h"

#include <math.h>

#include "kernels/accel_sim/sim/move.h"

static char *read_source(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) fail_msg("cannot open %s", path);
  char *text = calloc(1, 65536);
  size_t length = fread(text, 1, 65535, file);
  fclose(file);
  assert_in_range(length, 1, 65534);
  return text;
}

static struct accel_program systolic_gemm(void) {
  char *text = read_source(SOURCE_ROOT "/kernels/accel_sim/asm/systolic_gemm.s");
  struct accel_program program = assembled(text);
  free(text);
  return program;
}

static struct accel_machine *chip_c(struct accel_options options) {
  struct accel_params params = chip("systolic");
  assert_int_equal(params.systolic_rows, 128);
  assert_int_equal(params.systolic_columns, 128);
  return machine_of(&params, options);
}

/* From the first mad's first cycle to the last one's last, nothing between them. */
static double span_of_mads(const struct accel_machine *m, int64_t *mads) {
  int64_t count;
  const struct accel_event *events = accel_machine_events(m, &count);
  double first = INFINITY, last = 0;
  *mads = 0;
  for (int64_t i = 0; i < count; i++) {
    if (events[i].pipe != ACCEL_M) continue;
    if (events[i].start < first) first = events[i].start;
    if (events[i].end > last) last = events[i].end;
    ++*mads;
  }
  return last - first;
}

static void cycles_of_scale_sim(void **state) {
  (void)state;
  static const struct {
    uint64_t m, n, k;
    int64_t folds;
    double cycles;
  } published[] = {{1, 3, 3, 1, 382}, {69, 4844, 174, 76, 34275}, {257, 4027, 4187, 1056, 674783},
                   {4913, 4631, 5573, 1628, 8620259}};
  struct accel_program program = systolic_gemm();
  for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
    struct accel_machine *m = chip_c((struct accel_options){.no_data = true, .trace = true});
    uint64_t M = published[i].m, N = published[i].n, K = published[i].k;
    uint64_t args[6] = {M, N, K, accel_gm_alloc(m, M * K * 2), accel_gm_alloc(m, K * N * 2), accel_gm_alloc(m,
                                                                                                            M * N * 4)};
    accel_machine_launch(m, 0, &program, args, 6, NULL, 0);
    run(m);
    int64_t mads;
    double span = span_of_mads(m, &mads);
    assert_int_equal(mads, published[i].folds);
    assert_true(stats_of(m).busy[ACCEL_M] - 1 == published[i].cycles);
    assert_true(span - 1 == published[i].cycles);
    accel_machine_destroy(m);
  }
  accel_program_free(&program);
}

/* The program that is timed computes: the bits of the chain of fma. */
static void products(void **state) {
  (void)state;
  static const uint64_t shapes[][3] = {{1, 3, 3}, {5, 7, 129}, {19, 200, 300}, {33, 129, 128}, {16, 128, 256}};
  struct accel_program program = systolic_gemm();
  uint64_t seed = 5;
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    struct accel_machine *m = chip_c((struct accel_options){.races = true});
    uint64_t M = shapes[i][0], N = shapes[i][1], K = shapes[i][2];
    uint64_t args[6] = {M, N, K, accel_gm_alloc(m, M * K * 2), accel_gm_alloc(m, K * N * 2), accel_gm_alloc(m,
                                                                                                            M * N * 4)};
    uint16_t *a = accel_gm_view(m, args[3], M * K * 2), *b = accel_gm_view(m, args[4], K * N * 2);
    float *c = accel_gm_view(m, args[5], M * N * 4);
    for (uint64_t j = 0; j < M * K; j++) a[j] = accel_f32_to_f16((float)(next_random(&seed) % 2001) / 1000 - 1);
    for (uint64_t j = 0; j < K * N; j++) b[j] = accel_f32_to_f16((float)(next_random(&seed) % 2001) / 1000 - 1);
    accel_machine_launch(m, 0, &program, args, 6, NULL, 0);
    run(m);
    for (uint64_t row = 0; row < M; row++)
      for (uint64_t col = 0; col < N; col++) {
        float sum = 0;
        for (uint64_t k = 0; k < K; k++)
          sum = fmaf(accel_f16_to_f32(a[row * K + k]), accel_f16_to_f32(b[k * N + col]), sum);
        assert_memory_equal(&sum, &c[row * N + col], 4);
      }
    accel_machine_destroy(m);
  }
  accel_program_free(&program);
}

static void a_mad_is_one_fold(void **state) {
  (void)state;
  struct accel_machine *m = chip_c((struct accel_options){0});
  struct accel_fault fault;
  struct accel_program wide = assembled("li r1, 128\nli r2, 129\nmad.f16 r0, r0, r0, r1, r1, r2\nhalt\n");
  struct accel_program deep = assembled("li r1, 128\nli r2, 129\nmad.f16 r0, r0, r0, r1, r2, r1\nhalt\n");
  for (int i = 0; i < 2; i++) {
    launch(m, 0, i ? &wide : &deep, 0);
    assert_int_equal(accel_machine_run(m, &fault), -1);
    assert_int_equal(fault.kind, ACCEL_BAD_OPERAND);
    assert_non_null(strstr(fault.text, "the array is 128 x 128"));
  }
  accel_program_free(&wide);
  accel_program_free(&deep);
  accel_machine_destroy(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(cycles_of_scale_sim), cmocka_unit_test(products),
                                     cmocka_unit_test(a_mad_is_one_fold)};
  return cmocka_run_group_tests_name("systolic array", tests, NULL, NULL);
}
