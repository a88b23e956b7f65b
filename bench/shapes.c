#include "bench/shapes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST (1 << 24) /* of one size: beyond it a line is more likely a mistake than a wish */

static int append(struct bench_shapes *shapes, struct bench_shape shape) {
  struct bench_shape *grown = realloc(shapes->shape, (size_t)(shapes->count + 1) * sizeof shape);
  if (!grown) return -1;
  shapes->shape = grown;
  shapes->shape[shapes->count++] = shape;
  return 0;
}

static int is_trans(const char *letter) { return letter[0] == 'T' && !letter[1]; }
static int is_letter(const char *letter) { return is_trans(letter) || (letter[0] == 'N' && !letter[1]); }

/* 1: a shape, 0: nothing but space or a comment, -1: not understood. */
static int parse(char *line, struct bench_shape *s) {
  char ta[8], tb[8], more[2];
  char *comment = strchr(line, '#');
  if (comment) *comment = 0;
  if (line[strspn(line, " \t\r\n")] == 0) return 0;
  long long m, n, k;
  if (sscanf(line, "%lld %lld %lld %7s %7s %1s", &m, &n, &k, ta, tb, more) != 5) return -1;
  if (m < 1 || n < 1 || k < 1 || m > LARGEST || n > LARGEST || k > LARGEST) return -1;
  if (!is_letter(ta) || !is_letter(tb)) return -1;
  *s = (struct bench_shape){m, n, k, is_trans(ta), is_trans(tb)};
  return 1;
}

static int append_attention(struct bench_attentions *shapes, const struct bench_attention *shape) {
  struct bench_attention *grown = realloc(shapes->shape, (size_t)(shapes->count + 1) * sizeof *shape);
  if (!grown) return -1;
  shapes->shape = grown;
  shapes->shape[shapes->count++] = *shape;
  return 0;
}

const char *const bench_kv_names[BENCH_KV_TYPES] = {"f32", "f16", "bf16", "q8_0", "q4_0"};
const char *const bench_layout_names[BENCH_LAYOUTS] = {"rows", "heads", "panels"};

static int index_of(const char *word, const char *const *names, int count) {
  int i = 0;
  while (i < count && strcmp(word, names[i]) != 0) i++;
  return i;
}

static int is_attention(const struct bench_attention *s) {
  int64_t sizes[] = {s->batch, s->heads_q, s->heads_kv, s->len_q, s->len_kv, s->d_qk, s->d_v};
  for (int i = 0; i < 7; i++)
    if (sizes[i] < 1 || sizes[i] > (i < 5 ? LARGEST : 1024)) return 0;
  bool blocks = s->kv == BENCH_KV_Q8_0 || s->kv == BENCH_KV_Q4_0;
  if (blocks && (s->d_qk % 32 || s->d_v % 32 || s->layout == BENCH_PANELS)) return 0;
  return s->heads_q % s->heads_kv == 0 && (s->causal == 0 || s->causal == 1);
}

static int parse_attention(char *line, struct bench_attention *s) {
  char kv[8], layout[8] = "rows", more[2];
  char *comment = strchr(line, '#');
  if (comment) *comment = 0;
  if (line[strspn(line, " \t\r\n")] == 0) return 0;
  long long n[7];
  int words = sscanf(line, "%lld %lld %lld %lld %lld %lld %lld %d %7s %7s %1s", &n[0], &n[1], &n[2], &n[3], &n[4],
                     &n[5], &n[6], &s->causal, kv, layout, more);
  if (words != 9 && words != 10) return -1;
  s->batch = n[0], s->heads_q = n[1], s->heads_kv = n[2];
  s->len_q = n[3], s->len_kv = n[4], s->d_qk = n[5], s->d_v = n[6];
  int type = index_of(kv, bench_kv_names, BENCH_KV_TYPES), at = index_of(layout, bench_layout_names, BENCH_LAYOUTS);
  s->kv = (enum bench_kv)type;
  s->layout = (enum bench_layout)at;
  return type < BENCH_KV_TYPES && at < BENCH_LAYOUTS && is_attention(s) ? 1 : -1;
}

static FILE *open_shapes(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) fprintf(stderr, "tessera-bench: cannot read shapes from %s: %s\n", path, strerror(errno));
  return file;
}

int bench_shapes_read(struct bench_shapes *shapes, const char *path) {
  char line[256];
  FILE *file = open_shapes(path);
  int status = file ? 0 : -1;
  for (int number = 1; status == 0 && fgets(line, sizeof line, file); number++) {
    struct bench_shape shape;
    int found = parse(line, &shape);
    if (found > 0) status = append(shapes, shape);
    if (found < 0) {
      fprintf(stderr, "tessera-bench: %s:%d: expected `m n k N|T N|T`, sizes from 1 to %d\n", path, number, LARGEST);
      status = -1;
    }
  }
  if (file) fclose(file);
  return status;
}

int bench_attentions_read(struct bench_attentions *shapes, const char *path) {
  char line[256];
  FILE *file = open_shapes(path);
  int status = file ? 0 : -1;
  for (int number = 1; status == 0 && fgets(line, sizeof line, file); number++) {
    struct bench_attention shape = {0};
    int found = parse_attention(line, &shape);
    if (found > 0) status = append_attention(shapes, &shape);
    if (found < 0) {
      fprintf(stderr,
              "tessera-bench: %s:%d: expected `batch heads_q heads_kv len_q len_kv d_qk d_v 0|1 type [layout]`: heads_kv "
              "divides heads_q, types are f32, f16, bf16, q8_0, q4_0, layouts rows, heads, panels\n", path, number);
      status = -1;
    }
  }
  if (file) fclose(file);
  return status;
}
