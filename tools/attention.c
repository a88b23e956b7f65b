#include "attention.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/attention/space.h"
#include "src/core/threads.h"

bool is_attention(const struct tsr_operator *op) { return op == &tsr_attention_operator; }

static bool wrong(char *why, const char *text, const char *expected) {
  snprintf(why, TSR_WHY_TEXT, "\"%.48s\" is no shape: expected %s", text, expected);
  return false;
}

/* The value of a word of a field; 0: there is no such word. */
static int64_t word_of(int field, const char *word) {
  const char *const *words = tsr_attention_operator.shape[field].words;
  for (int64_t i = 0; words[i]; i++)
    if (strcmp(words[i], word) == 0) return i + 1;
  return 0;
}

static const char *const line_of_numbers = "batch heads_q heads_kv len_q len_kv d_qk d_v 0|1 type [panels]";

static bool shape_of_numbers(const char *text, struct tsr_values *shape, char *why) {
  int64_t *at = shape->at;
  long long n[7];
  int causal;
  char type[8], keys[8] = "rows", more[2];
  int got = sscanf(text, "%lld %lld %lld %lld %lld %lld %lld %d %7s %7s %1s", &n[0], &n[1], &n[2], &n[3], &n[4], &n[5],
                   &n[6], &causal, type, keys, more);
  if (got != 9 && got != 10) return wrong(why, text, line_of_numbers);
  for (int i = 0; i < 7; i++) at[TSR_ATTENTION_BATCH + i] = n[i];
  at[TSR_ATTENTION_TYPE] = word_of(TSR_ATTENTION_TYPE, type);
  at[TSR_ATTENTION_KEYS] = strcmp(keys, "heads") == 0 ? 1 : word_of(TSR_ATTENTION_KEYS, keys);
  at[TSR_ATTENTION_CAUSAL] = causal ? 3 : 1;
  bool good = at[TSR_ATTENTION_TYPE] && at[TSR_ATTENTION_KEYS] && (causal == 0 || causal == 1);
  return good || wrong(why, text, line_of_numbers);
}

static const char *const sizes_text = "[f16] 1x32/8x1024x1024x128 [causal] [mask] [panels]";

/* "32/8": a second number that is the first where it is left away. */
static const char *read_pair(const char *text, int64_t *first, int64_t *second) {
  char *end;
  *first = *second = strtoll(text, &end, 10);
  if (end == text) return NULL;
  if (*end != '/') return end;
  text = end + 1;
  *second = strtoll(text, &end, 10);
  return end == text ? NULL : end;
}

static bool read_sizes(const char *text, int64_t *at) {
  int64_t same;
  const struct {
    int64_t *first, *second;
  } fields[] = {{&at[TSR_ATTENTION_BATCH], &same}, {&at[TSR_ATTENTION_HEADS], &at[TSR_ATTENTION_KV_HEADS]},
                {&at[TSR_ATTENTION_Q], &same},     {&at[TSR_ATTENTION_KV], &same},
                {&at[TSR_ATTENTION_D], &at[TSR_ATTENTION_DV]}};
  for (int i = 0; i < 5; i++) {
    bool may_be_two = fields[i].second != &same;
    text = read_pair(text, fields[i].first, fields[i].second);
    if (!text || (!may_be_two && same != *fields[i].first)) return false;
    if (*text != (i < 4 ? 'x' : 0)) return false;
    text++;
  }
  return true;
}

static bool take_option(const char *word, int64_t *at) {
  int64_t type = word_of(TSR_ATTENTION_TYPE, word), keys = word_of(TSR_ATTENTION_KEYS, word);
  if (type) at[TSR_ATTENTION_TYPE] = type;
  else if (keys) at[TSR_ATTENTION_KEYS] = keys;
  else if (strcmp(word, "causal") == 0) at[TSR_ATTENTION_CAUSAL] = 3;
  else if (strcmp(word, "top-left") == 0) at[TSR_ATTENTION_CAUSAL] = 2;
  else if (strcmp(word, "mask") == 0) at[TSR_ATTENTION_MASK] = 2;
  else return false;
  return true;
}

static bool shape_of_sizes(const char *text, struct tsr_values *shape, char *why) {
  char copy[TSR_VALUES_TEXT], *rest = NULL;
  bool sized = false;
  snprintf(copy, sizeof copy, "%s", text);
  for (char *word = strtok_r(copy, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
    bool is_sizes = strchr(word, 'x') && word[0] >= '0' && word[0] <= '9';
    bool read = is_sizes ? !sized && read_sizes(word, shape->at) : take_option(word, shape->at);
    if (!read) return wrong(why, text, sizes_text);
    sized = sized || is_sizes;
  }
  return sized || wrong(why, text, sizes_text);
}

static void complete(const tsr_context *context, int64_t *at) {
  if (!at[TSR_ATTENTION_TYPE]) at[TSR_ATTENTION_TYPE] = word_of(TSR_ATTENTION_TYPE, "f16");
  if (!at[TSR_ATTENTION_BATCH]) at[TSR_ATTENTION_BATCH] = 1;
  if (!at[TSR_ATTENTION_KV_HEADS]) at[TSR_ATTENTION_KV_HEADS] = at[TSR_ATTENTION_HEADS];
  if (!at[TSR_ATTENTION_DV]) at[TSR_ATTENTION_DV] = at[TSR_ATTENTION_D];
  if (!at[TSR_ATTENTION_THREADS]) at[TSR_ATTENTION_THREADS] = tsr_threads_available(context);
  for (int i = TSR_ATTENTION_CAUSAL; i <= TSR_ATTENTION_KEYS; i++)
    if (!at[i]) at[i] = 1;
}

static bool is_line_of_numbers(const char *text) {
  size_t first = strspn(text, " \t"), digits = strspn(text + first, "0123456789");
  return digits > 0 && strchr(" \t", text[first + digits]) && text[first + digits];
}

bool attention_shape_of_text(const tsr_context *context, const char *text, struct tsr_values *shape, char *why) {
  const struct tsr_operator *op = &tsr_attention_operator;
  *shape = (struct tsr_values){{0}};
  bool read = strchr(text, '=')          ? tsr_values_parse(op->shape, op->nshape, text, shape, why)
              : is_line_of_numbers(text) ? shape_of_numbers(text, shape, why)
                                         : shape_of_sizes(text, shape, why);
  if (!read) return false;
  complete(context, shape->at);
  if (!tsr_shape_is_whole(op, shape, why) || !tsr_attention_shape_in_range(shape, why)) return false;
  shape->at[TSR_ATTENTION_Q] = tsr_attention_round_length(shape->at[TSR_ATTENTION_Q]);
  shape->at[TSR_ATTENTION_KV] = tsr_attention_round_length(shape->at[TSR_ATTENTION_KV]);
  return true;
}

static struct tsr_attention_problem problem_of(const struct tsr_values *shape) {
  tsr_attention_desc d;
  struct tsr_attention_problem p;
  tsr_attention_desc_of(shape, &d);
  tsr_attention_normalise(&d, NULL, NULL, NULL, NULL, NULL, &p);
  return p;
}

static struct tsr_attention_work work_of(const struct tsr_values *shape) {
  struct tsr_attention_problem p = problem_of(shape);
  struct tsr_attention_work work;
  tsr_attention_work_of(&p, &work);
  return work;
}

double attention_flops(const struct tsr_values *shape) { return work_of(shape).flops; }
double attention_bytes(const struct tsr_values *shape) { return work_of(shape).bytes; }

bool attention_is_small(const struct tsr_values *shape) {
  struct tsr_attention_problem p = problem_of(shape);
  return !tsr_attention_is_looked_up(&p);
}
