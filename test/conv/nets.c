/* ResNet-50 and MobileNet built from plans (bench/nets.c): every result of every layer against the plain formula on what
 * the layer got, in both layouts, within what rounding may do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/nets.h"

static const struct bench_net_calls calls = {tsr_conv_plan_create, tsr_conv_plan_destroy, tsr_conv_plan_workspace,
                                             tsr_conv_run};

/* Sizes that are no powers of two leave edges in every layer. */
static void check(enum bench_net_name name, int64_t images, int64_t size, enum bench_format format) {
  struct bench_net net;
  assert_true(bench_net_make(&net, name, images, size, format, false));
  assert_int_equal(bench_net_plan(&net, &calls), TSR_OK);
  for (int i = 0; i < net.count; i++) {
    assert_int_equal(bench_net_layer(&net, &calls, i), TSR_OK);
    double error = bench_net_error(&net, i, 20000);
    if (!(error <= 1))
      fail_msg("%s, %s, layer %d: %g times the bound", bench_net_names[name], bench_formats[format], i, error);
  }
  bench_net_free(&net, &calls);
}

static void test_resnet(void **unused) {
  (void)unused;
  check(BENCH_RESNET50, 1, 72, BENCH_NHWC);
  check(BENCH_RESNET50, 2, 40, BENCH_NCHW);
}

static void test_mobilenet(void **unused) {
  (void)unused;
  check(BENCH_MOBILENET, 2, 40, BENCH_NHWC);
  check(BENCH_MOBILENET, 1, 72, BENCH_NCHW);
}

/* The same bits in both layouts, image by image or together: the contract's, through a whole net. */
static void test_same_bits(void **unused) {
  struct bench_net last, first;
  (void)unused;
  assert_true(bench_net_make(&last, BENCH_RESNET50, 1, 40, BENCH_NHWC, false));
  assert_true(bench_net_make(&first, BENCH_RESNET50, 1, 40, BENCH_NCHW, false));
  for (int64_t i = 0; i < 40 * 40; i++)
    for (int c = 0; c < 3; c++) first.x[c * 40 * 40 + i] = last.x[i * 3 + c];
  assert_int_equal(bench_net_plan(&last, &calls), TSR_OK);
  assert_int_equal(bench_net_plan(&first, &calls), TSR_OK);
  for (int i = 0; i + 2 < last.count; i++) { /* up to the mean, whose order is the layout's */
    assert_int_equal(bench_net_layer(&last, &calls, i), TSR_OK);
    assert_int_equal(bench_net_layer(&first, &calls, i), TSR_OK);
    const struct bench_conv *c = &last.layer[i].conv;
    const float *a = bench_net_tensor(&last, i + 1), *b = bench_net_tensor(&first, i + 1);
    for (int64_t p = 0; p < c->out[0] * c->out[1]; p++)
      for (int64_t k = 0; k < c->filters; k++)
        if (a[p * c->filters + k] != b[k * c->out[0] * c->out[1] + p]) fail_msg("layer %d differs between layouts", i);
  }
  bench_net_free(&last, &calls);
  bench_net_free(&first, &calls);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_resnet), cmocka_unit_test(test_mobilenet),
                                     cmocka_unit_test(test_same_bits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
