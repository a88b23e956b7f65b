/* Nodes of a wide grid: Tessera beside ggml's CPU backend, and both beside f64. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "case.h"

/* Against f64, over the largest |v|: accumulating and exp. And against ggml's CPU backend, as normalised mean square:
 * llama.cpp's own bound for this operator; it rounds q to k's type and accumulates f16 values in f16. */
#define MOST_ERROR 4e-6
#define MOST_NMSE 5e-4

static ggml_backend_t cpu, tessera;
static bool slow;

static void set_threads(ggml_backend_t backend, int n) {
  ggml_backend_reg_t reg = ggml_backend_dev_backend_reg(ggml_backend_get_device(backend));
  ggml_backend_set_n_threads_t set =
    (ggml_backend_set_n_threads_t)ggml_backend_reg_get_proc_address(reg, "ggml_backend_set_n_threads");
  assert_non_null(set);
  set(backend, n);
}

static float *compute(struct node *node, ggml_backend_t backend, int threads) {
  size_t bytes = (size_t)node_elements(node) * sizeof(float);
  float *out = malloc(bytes);
  memset(node->out->data, 0xff, bytes); /* NaN */
  set_threads(backend, threads);
  assert_int_equal(ggml_backend_graph_compute(backend, node->graph), GGML_STATUS_SUCCESS);
  memcpy(out, node->out->data, bytes);
  return out;
}

static double worst_error(const float *out, const double *exact, int64_t n) {
  double worst = 0;
  for (int64_t i = 0; i < n; i++) {
    double error = fabs((double)out[i] - exact[i]);
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

static double square_error(const float *out, const float *other, int64_t n) {
  double difference = 0, all = 0;
  for (int64_t i = 0; i < n; i++) {
    difference += ((double)out[i] - (double)other[i]) * ((double)out[i] - (double)other[i]);
    all += (double)other[i] * (double)other[i];
  }
  return all == 0 ? difference : difference / all;
}

static struct {
  double error, nmse, theirs;
} worst;

static void note(double *most, double value) {
  if (value > *most) *most = value;
}

static void check(const struct shape *shape) {
  struct node node;
  char text[256];
  describe_shape(shape, text, sizeof text);
  node_open(&node, shape);
  int64_t n = node_elements(&node);
  if (!ggml_backend_supports_op(tessera, node.out)) fail_msg("not offered: %s", text);
  double *exact = malloc((size_t)n * sizeof *exact);
  node_reference(&node, exact);
  float *theirs = compute(&node, cpu, 2), *one = compute(&node, tessera, 1), *three = compute(&node, tessera, 3);
  double error = worst_error(one, exact, n), nmse = square_error(one, theirs, n);
  if (!(error <= MOST_ERROR)) fail_msg("off by %.3g: %s", error, text);
  if (!(nmse <= MOST_NMSE)) fail_msg("%.3g away from the CPU backend: %s", nmse, text);
  if (memcmp(one, three, (size_t)n * sizeof *one) != 0) fail_msg("other bits with 3 threads: %s", text);
  note(&worst.error, error), note(&worst.nmse, nmse), note(&worst.theirs, worst_error(theirs, exact, n));
  free(exact), free(theirs), free(one), free(three);
  node_close(&node);
}

static int pick(uint64_t *random, const int *from, int count) { return from[next_random(random) % (uint64_t)count]; }
#define PICK(random, ...) \
  pick(random, (const int[]){__VA_ARGS__}, (int)(sizeof((const int[]){__VA_ARGS__}) / sizeof(int)))

static bool in_blocks(enum ggml_type type) { return ggml_blck_size(type) > 1; }

static void pick_sizes(struct shape *s, uint64_t *random) {
  static const int sizes[][2] = {{40, 40}, {64, 64}, {72, 72}, {80, 80}, {96, 96}, {112, 112}, {128, 128}, {192, 128},
                                 {192, 192}, {256, 256}, {512, 512}, {576, 512}};
  do {
    const int *size = sizes[next_random(random) % 12];
    s->dk = size[0], s->dv = size[1];
  } while ((in_blocks(s->type_k) && s->dk % 32) || (in_blocks(s->type_v) && s->dv % 32));
  s->heads_kv = PICK(random, 1, 1, 2, 3, 4);
  s->heads = s->heads_kv * PICK(random, 1, 2, 3, 4, 8);
  s->batch = PICK(random, 1, 1, 1, 2, 3);
  s->queries = PICK(random, 1, 1, 2, 5, 8, 16, 31, 32, 63, 64, 65, 128, 200, 512);
  s->keys = PICK(random, 1, 7, 32, 255, 256, 257, 300, 512, 1000, 1024, 2048);
}

static double work(const struct shape *s) { return (double)s->batch * s->heads * s->queries * s->keys * (s->dk + s->dv); }

static void pick_shape(struct shape *s, enum ggml_type k, enum ggml_type v, uint64_t seed) {
  uint64_t random = seed;
  *s = (struct shape){.type_k = k, .type_v = v, .seed = seed};
  do pick_sizes(s, &random);
  while (work(s) > (slow ? 3e8 : 2e7));
  s->layout = (enum layout)PICK(&random, ENGINE, ENGINE, PLAIN);
  if (k == v && s->dv <= s->dk && next_random(&random) % 8 == 0) s->layout = VALUES_IN_KEYS;
  s->mask = (enum mask)(next_random(&random) % MASKS);
  s->mask_heads = next_random(&random) % 4 == 0;
  s->mask_batch = next_random(&random) % 4 == 0;
  if (s->mask != NO_MASK && next_random(&random) % 3 == 0) s->max_bias = 8;
  if (next_random(&random) % 3 == 0) s->softcap = 10;
  s->sinks = next_random(&random) % 3 == 0;
}

static void grid(enum ggml_type k, enum ggml_type v) {
  struct shape shape;
  memset(&worst, 0, sizeof worst);
  for (uint64_t i = 0; i < (slow ? 1000 : 60); i++) {
    pick_shape(&shape, k, v, 1000 * i + 100 * k + v);
    check(&shape);
  }
  printf("%s/%s: off by at most %.2g, the CPU backend by %.2g; between them %.2g\n", ggml_type_name(k),
         ggml_type_name(v), worst.error, worst.theirs, worst.nmse);
}

static void f32_nodes(void **state) {
  (void)state;
  grid(GGML_TYPE_F32, GGML_TYPE_F32);
}
static void f16_nodes(void **state) {
  (void)state;
  grid(GGML_TYPE_F16, GGML_TYPE_F16);
}
static void bf16_nodes(void **state) {
  (void)state;
  grid(GGML_TYPE_BF16, GGML_TYPE_BF16);
}
static void q8_0_nodes(void **state) {
  (void)state;
  grid(GGML_TYPE_Q8_0, GGML_TYPE_Q8_0);
}
static void q4_0_nodes(void **state) {
  (void)state;
  grid(GGML_TYPE_Q4_0, GGML_TYPE_Q4_0);
}
static void mixed_nodes(void **state) {
  (void)state;
  grid(GGML_TYPE_Q8_0, GGML_TYPE_Q4_0);
  grid(GGML_TYPE_F16, GGML_TYPE_Q8_0);
  grid(GGML_TYPE_F16, GGML_TYPE_F32);
}

/* Types and forms that are the CPU backend's: they are left to it. */
static void leaves_the_rest(void **state) {
  (void)state;
  struct shape shape = {.type_k = GGML_TYPE_F16, .type_v = GGML_TYPE_F16, .dk = 64, .dv = 64, .heads = 4, .heads_kv = 4,
                        .queries = 3, .keys = 20, .batch = 1, .mask = CAUSAL, .seed = 1};
  struct node node;
  node_open(&node, &shape);
  assert_true(ggml_backend_supports_op(tessera, node.out));
  node.out->op = GGML_OP_MUL_MAT;
  assert_false(ggml_backend_supports_op(tessera, node.out));
  node.out->op = GGML_OP_FLASH_ATTN_EXT;
  node.k->type = GGML_TYPE_Q5_1;
  assert_false(ggml_backend_supports_op(tessera, node.out));
  node.k->type = GGML_TYPE_F16;
  node.mask->ne[2] = 2; /* each for two heads */
  assert_false(ggml_backend_supports_op(tessera, node.out));
  node.mask->ne[2] = 1;
  node.mask->ne[1] = 2; /* fewer rows than queries */
  assert_false(ggml_backend_supports_op(tessera, node.out));
  node.mask->ne[1] = 3;
  node.v->ne[2] = 2; /* other heads than k's */
  assert_false(ggml_backend_supports_op(tessera, node.out));
  node.v->ne[2] = 4;
  memset(node.out->op_params, 0, sizeof(float)); /* a scale of 0 */
  assert_false(ggml_backend_supports_op(tessera, node.out));
  node_close(&node);
}

static void tells_what_it_is(void **state) {
  (void)state;
  ggml_backend_dev_t device = ggml_backend_dev_by_name("Tessera");
  struct ggml_backend_dev_props props;
  assert_non_null(device);
  ggml_backend_dev_get_props(device, &props);
  assert_string_equal(ggml_backend_name(tessera), "Tessera");
  assert_int_equal(props.type, GGML_BACKEND_DEVICE_TYPE_ACCEL);
  assert_non_null(strstr(props.description, "kernels"));
  assert_ptr_equal(ggml_backend_dev_buffer_type(device), ggml_backend_cpu_buffer_type());
  assert_true(ggml_backend_dev_supports_buft(device, ggml_backend_cpu_buffer_type()));
}

static int open_backends(void **state) {
  (void)state;
  cpu = ggml_backend_init_by_name("CPU", NULL);
  tessera = ggml_backend_init_by_name("Tessera", NULL);
  return cpu && tessera ? 0 : -1;
}

static int close_backends(void **state) {
  (void)state;
  ggml_backend_free(tessera);
  ggml_backend_free(cpu);
  return 0;
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(tells_what_it_is), cmocka_unit_test(leaves_the_rest),
                                     cmocka_unit_test(f32_nodes), cmocka_unit_test(f16_nodes),
                                     cmocka_unit_test(bf16_nodes), cmocka_unit_test(q8_0_nodes),
                                     cmocka_unit_test(q4_0_nodes), cmocka_unit_test(mixed_nodes)};
  if (argc < 3 || !ggml_backend_load(argv[2]) || !ggml_backend_load(argv[1])) {
    fprintf(stderr, "usage: nodes libggml-tessera.so libggml-cpu.so [slow]\n");
    return 2;
  }
  slow = argc > 3 && strcmp(argv[3], "slow") == 0;
  return cmocka_run_group_tests(tests, open_backends, close_backends);
}
