/* Products of known models, from their public configurations. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shapes.h"

enum { PROMPT = 512, TOKENS = 128 }; /* what is weighed: a prompt, and tokens that follow it one by one */

/* Weights are stored outputs x inputs, but for GPT-2's, which are inputs x outputs. */
enum kind {
  GATED,   /* q, k, v and o; gate, up and down */
  GPT2,    /* q, k and v in one; two layers */
  ENCODER, /* q, k, v and o; two layers; nothing is generated */
};

static const struct model {
  const char *name;
  enum kind kind;
  int layers, hidden, ffn, kv, vocabulary; /* kv: the width of k and v */
} models[] = {
    {"llama-7b", GATED, 32, 4096, 11008, 4096, 32000},
    {"llama-3-8b", GATED, 32, 4096, 14336, 1024, 128256},
    {"llama-3.2-1b", GATED, 16, 2048, 8192, 512, 128256},
    {"mistral-7b", GATED, 32, 4096, 14336, 1024, 32000},
    {"tinyllama-1.1b", GATED, 22, 2048, 5632, 256, 32000},
    {"qwen2.5-0.5b", GATED, 24, 896, 4864, 128, 151936},
    {"gpt2", GPT2, 12, 768, 3072, 768, 50257},
    {"bert-base", ENCODER, 12, 768, 3072, 768, 0},
};
enum { MODELS = sizeof models / sizeof models[0] };

void shapes_print_models(void) {
  for (int i = 0; i < MODELS; i++)
    printf("%-16s %d layers, hidden %d, ffn %d, k and v %d, vocabulary %d\n", models[i].name, models[i].layers,
           models[i].hidden, models[i].ffn, models[i].kv, models[i].vocabulary);
}

/* y = x * W, `calls` times: its weight are seconds at 100 GFLOP/s, or at 20 GB/s for W. */
static bool add_product(struct shapes *s, int64_t m, int64_t outputs, int64_t inputs, bool transposed, double calls) {
  char text[80], why[TSR_WHY_TEXT];
  double w = (double)outputs * (double)inputs, seconds = 2e-11 * (double)m * w, reading = 2e-10 * w;
  snprintf(text, sizeof text, "%lld %lld %lld N %c", (long long)m, (long long)outputs, (long long)inputs,
           transposed ? 'T' : 'N');
  if (shapes_add_text(s, text, calls * (seconds > reading ? seconds : reading), why)) return true;
  fprintf(stderr, "tessera: %s\n", why);
  return false;
}

static bool add_layers(struct shapes *s, const struct model *m, int64_t rows, double times) {
  double calls = m->layers * times;
  bool t = m->kind != GPT2;
  if (m->kind == GPT2) return add_product(s, rows, 3 * m->hidden, m->hidden, t, calls) &&
                              add_product(s, rows, m->hidden, m->hidden, t, calls) &&
                              add_product(s, rows, m->ffn, m->hidden, t, calls) &&
                              add_product(s, rows, m->hidden, m->ffn, t, calls);
  return add_product(s, rows, m->hidden, m->hidden, t, 2 * calls) &&
         add_product(s, rows, m->kv, m->hidden, t, 2 * calls) &&
         add_product(s, rows, m->ffn, m->hidden, t, (m->kind == GATED ? 2 : 1) * calls) &&
         add_product(s, rows, m->hidden, m->ffn, t, calls);
}

static const struct model *find_model(const char *name, size_t length) {
  for (int i = 0; i < MODELS; i++)
    if (strlen(models[i].name) == length && memcmp(models[i].name, name, length) == 0) return &models[i];
  return NULL;
}

bool shapes_add_model(struct shapes *s, const char *command, const char *name) {
  const char *colon = strchr(name, ':');
  const struct model *m = find_model(name, colon ? (size_t)(colon - name) : strlen(name));
  char *end = NULL;
  long batch = colon ? strtol(colon + 1, &end, 10) : 1;
  if (!m) fprintf(stderr, "%s: there is no model \"%s\": --model list prints those that are known\n", command, name);
  else if (colon && (end == colon + 1 || *end || batch < 1 || batch > 1024))
    fprintf(stderr, "%s: --model %s: the batch after the colon is from 1 to 1024\n", command, name);
  else
    return add_layers(s, m, PROMPT * batch, 1) &&
           (m->kind == ENCODER || (add_layers(s, m, batch, TOKENS) &&
                                   add_product(s, batch, m->vocabulary, m->hidden, true, TOKENS)));
  return false;
}
