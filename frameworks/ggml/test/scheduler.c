/* Between the CPU backend's nodes, as an engine's scheduler deals them out: ours is computed by us, on the tensors
 * themselves, and the rest is left where it was. */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml-cpu.h>

enum { D = 64, HEADS = 4, QUERIES = 40, KEYS = 300, EMBED = D * HEADS, THREADS = 2 };

struct model {
  struct ggml_context *weights, *nodes;
  struct ggml_tensor *x, *wq, *k, *v, *mask, *wo, *attention, *out;
  struct ggml_tensor *sources[4];
};

static void make(struct model *m) {
  struct ggml_init_params params = {.mem_size = 64 * ggml_tensor_overhead() + ggml_graph_overhead(), .no_alloc = true};
  m->weights = ggml_init(params);
  m->nodes = ggml_init(params);
  m->x = ggml_new_tensor_2d(m->weights, GGML_TYPE_F32, EMBED, QUERIES);
  m->wq = ggml_new_tensor_2d(m->weights, GGML_TYPE_F32, EMBED, EMBED);
  m->wo = ggml_new_tensor_2d(m->weights, GGML_TYPE_F32, EMBED, EMBED);
  m->k = ggml_new_tensor_3d(m->weights, GGML_TYPE_F16, D, HEADS, KEYS);
  m->v = ggml_new_tensor_3d(m->weights, GGML_TYPE_F16, D, HEADS, KEYS);
  m->mask = ggml_new_tensor_2d(m->weights, GGML_TYPE_F16, KEYS, QUERIES);
  struct ggml_context *c = m->nodes;
  struct ggml_tensor *q = ggml_reshape_3d(c, ggml_mul_mat(c, m->wq, m->x), D, HEADS, QUERIES);
  m->sources[0] = ggml_permute(c, q, 0, 2, 1, 3);
  m->sources[1] = ggml_permute(c, m->k, 0, 2, 1, 3);
  m->sources[2] = ggml_permute(c, m->v, 0, 2, 1, 3);
  m->sources[3] = m->mask;
  m->attention = ggml_flash_attn_ext(c, m->sources[0], m->sources[1], m->sources[2], m->mask, 0.125f, 0, 0);
  m->out = ggml_mul_mat(c, m->wo, ggml_reshape_2d(c, m->attention, EMBED, QUERIES));
  ggml_set_output(m->out);
}

static void fill(struct ggml_tensor *t, float scale) {
  for (int64_t i = 0; i < ggml_nelements(t); i++) {
    float value = scale * sinf((float)i * 0.7f + (float)t->ne[1]);
    if (t->type == GGML_TYPE_F32)
      ((float *)t->data)[i] = value;
    else
      ((ggml_fp16_t *)t->data)[i] = ggml_fp32_to_fp16(value);
  }
}

/* The graph's result by a scheduler of these backends; checks where attention ran. */
static void run(ggml_backend_t *backends, int count, ggml_backend_t expected, float *out) {
  struct model m;
  make(&m);
  ggml_backend_buffer_t buffer = ggml_backend_alloc_ctx_tensors_from_buft(m.weights, ggml_backend_cpu_buffer_type());
  fill(m.x, 1), fill(m.wq, 0.1f), fill(m.wo, 0.1f), fill(m.k, 1), fill(m.v, 1), fill(m.mask, 1);
  struct ggml_cgraph *graph = ggml_new_graph(m.nodes);
  ggml_build_forward_expand(graph, m.out);
  ggml_backend_sched_t sched = ggml_backend_sched_new(backends, NULL, count, 64, false, false);
  assert_true(ggml_backend_sched_alloc_graph(sched, graph));
  assert_int_equal(ggml_backend_sched_graph_compute(sched, graph), GGML_STATUS_SUCCESS);
  assert_ptr_equal(ggml_backend_sched_get_tensor_backend(sched, m.attention), expected);
  assert_ptr_equal(ggml_backend_sched_get_tensor_backend(sched, m.out), backends[count - 1]);
  /* A scheduler that copies a source puts the copy in its place. */
  for (int i = 0; i < 4; i++) assert_ptr_equal(m.attention->src[i], m.sources[i]);
  memcpy(out, m.out->data, ggml_nbytes(m.out));
  ggml_backend_sched_free(sched);
  ggml_backend_buffer_free(buffer);
  ggml_free(m.weights), ggml_free(m.nodes);
}

static void *function_of(ggml_backend_dev_t device, const char *name) {
  return ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(device), name);
}

static void set_threads(ggml_backend_t backend) {
  ggml_backend_set_n_threads_t set =
    (ggml_backend_set_n_threads_t)function_of(ggml_backend_get_device(backend), "ggml_backend_set_n_threads");
  assert_non_null(set);
  set(backend, THREADS);
}

static bool has_openmp(void) {
  ggml_backend_dev_t cpu = ggml_backend_dev_by_name("CPU");
  ggml_backend_get_features_t features = (ggml_backend_get_features_t)function_of(cpu, "ggml_backend_get_features");
  for (const struct ggml_backend_feature *f = features(ggml_backend_dev_backend_reg(cpu)); f->name; f++)
    if (strcmp(f->name, "OPENMP") == 0) return true;
  return false;
}

/* Of this process. */
static int count_threads(void) {
  DIR *tasks = opendir("/proc/self/task");
  int count = -2; /* "." and ".." */
  assert_non_null(tasks);
  while (readdir(tasks)) count++;
  closedir(tasks);
  return count;
}

/* On the threads of the CPU backend too, unless OpenMP might give fewer of them than it is asked for. */
static void takes_attention_and_copies_nothing(void **state) {
  (void)state;
  /* Values are up to 3; the CPU backend accumulates them in f16. */
  static float with[EMBED * QUERIES], without[EMBED * QUERIES];
  ggml_backend_t cpu = ggml_backend_init_by_name("CPU", NULL), tessera = ggml_backend_init_by_name("Tessera", NULL);
  assert_non_null(cpu);
  assert_non_null(tessera);
  set_threads(cpu), set_threads(tessera);
  run((ggml_backend_t[]){tessera, cpu}, 2, tessera, with);
  int threads = count_threads();
  run((ggml_backend_t[]){cpu}, 1, cpu, without);
  for (int i = 0; i < EMBED * QUERIES; i++)
    if (!(fabsf(with[i] - without[i]) <= 0.02f)) fail_msg("%g instead of %g at %d", with[i], without[i], i);
  ggml_backend_free(tessera);
  ggml_backend_free(cpu);
  if (has_openmp() && !getenv("OMP_DYNAMIC")) assert_int_equal(threads, THREADS);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(takes_attention_and_copies_nothing)};
  if (argc < 3) return 2;
  /* As an engine's users load it. */
  setenv("GGML_BACKEND_PATH", argv[1], 1);
  ggml_backend_load(argv[2]);
  ggml_backend_load_all_from_path("/nonexistent");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
