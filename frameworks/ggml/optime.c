/* What share of an engine's time attention has, at some depth of the context: the fastest of many batches, so that a
 * machine with other work to do can be used.
 *
 * optime MODEL DEPTH THREADS [KV_TYPE]: a line of TOKENS SECONDS ATTENTION_SECONDS for batches of 512 and of 1. */
#include <ggml-backend.h>
#include <llama.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct times {
  bool on;
  double asked, attention;
};

/* When on, every node is asked for, so that each is computed alone, between its two calls. */
static bool on_node(struct ggml_tensor *node, bool ask, void *arg) {
  struct times *t = arg;
  if (ask)
    t->asked = now();
  else if (node->op == GGML_OP_FLASH_ATTN_EXT)
    t->attention += now() - t->asked;
  return t->on || !ask;
}

static void decode(struct llama_context *context, int tokens) {
  static llama_token token[512];
  for (int i = 0; i < 512; i++) token[i] = 3 + (i * 37) % 250;
  for (int n; tokens > 0; tokens -= n) {
    n = tokens < 512 ? tokens : 512;
    if (llama_decode(context, llama_batch_get_one(token, n)) != 0) {
      fprintf(stderr, "optime: llama_decode failed\n");
      exit(1);
    }
  }
  llama_synchronize(context);
}

/* The fastest of some batches at this depth, each undone, and of the attention in some more; fewer if they take long. */
static void measure(struct llama_context *context, struct times *times, int depth, int tokens, int repeats) {
  double all = 1e9, attention = 1e9, end = now() + 15;
  for (int i = 0; i < 2 || (i < 2 * repeats && now() < end); i++) {
    times->on = i % 2;
    times->attention = 0;
    double start = now();
    decode(context, tokens);
    double seconds = now() - start;
    if (!times->on && seconds < all) all = seconds;
    if (times->on && times->attention < attention) attention = times->attention;
    llama_memory_seq_rm(llama_get_memory(context), 0, depth, -1);
  }
  printf("%d %.6f %.6f\n", tokens, all, attention);
}

static struct llama_context *open_context(struct llama_model *model, struct times *times, char **argv, int argc) {
  struct llama_context_params params = llama_context_default_params();
  int depth = atoi(argv[2]);
  params.n_ctx = (uint32_t)(depth + 1024);
  params.n_batch = params.n_ubatch = 512;
  params.n_threads = params.n_threads_batch = atoi(argv[3]);
  params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
  params.cb_eval = on_node;
  params.cb_eval_user_data = times;
  for (int type = 0; argc > 4 && type < GGML_TYPE_COUNT; type++)
    if (ggml_type_name(type) && strcmp(ggml_type_name(type), argv[4]) == 0) params.type_k = params.type_v = type;
  return llama_init_from_model(model, params);
}

static void silent(enum ggml_log_level level, const char *text, void *user) {
  (void)user;
  if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

int main(int argc, char **argv) {
  struct times times = {0};
  if (argc < 4) {
    fprintf(stderr, "usage: optime MODEL DEPTH THREADS [KV_TYPE]\n");
    return 2;
  }
  int depth = atoi(argv[2]);
  llama_log_set(silent, NULL);
  ggml_backend_load_all();
  struct llama_model *model = llama_model_load_from_file(argv[1], llama_model_default_params());
  struct llama_context *context = model ? open_context(model, &times, argv, argc) : NULL;
  if (!context) return 1;
  decode(context, depth);
  measure(context, &times, depth, 512, 5);
  measure(context, &times, depth, 1, 100);
  llama_free(context);
  llama_model_free(model);
  return 0;
}
