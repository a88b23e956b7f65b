#include "bench/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench/team.h"

void bench_cpu_name(char *text, size_t size) {
  char line[256];
  FILE *file = fopen("/proc/cpuinfo", "r");
  snprintf(text, size, "unknown CPU");
  while (file && fgets(line, sizeof line, file)) {
    char *colon = strchr(line, ':');
    if (strncmp(line, "model name", 10) != 0 || !colon) continue;
    snprintf(text, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
    break;
  }
  if (file) fclose(file);
}

static void string(FILE *f, const char *name, const char *text) {
  fprintf(f, "\"%s\": \"", name);
  for (; *text; text++) {
    if (*text == '"' || *text == '\\') fputc('\\', f);
    if ((unsigned char)*text >= ' ') fputc(*text, f);
  }
  fputs("\"", f);
}

static void machine(FILE *f) {
  char name[128], when[64];
  time_t now = time(NULL);
  bench_cpu_name(name, sizeof name);
  strftime(when, sizeof when, "%Y-%m-%d %H:%M UTC", gmtime(&now));
  fputs("  \"machine\": {", f);
  string(f, "cpu", name);
  fputs(", ", f);
  string(f, "gauges", bench_gauge_isa());
  fprintf(f, ", \"cpus\": %d, \"l1\": %zu, \"l2\": %zu, \"l3\": %zu},\n", bench_cpus(), bench_cache(1), bench_cache(2),
          bench_cache(3));
  fputs("  ", f);
  string(f, "date", when);
  fputs(",\n", f);
}

static void peers(FILE *f, const struct bench_peers *list) {
  fputs("  \"libraries\": [", f);
  for (int i = 0; i < list->count; i++) {
    fputs(i ? ",\n    {" : "\n    {", f);
    string(f, "name", list->peer[i].name);
    fputs(", ", f);
    string(f, "about", list->peer[i].about);
    fprintf(f, ", \"usable\": %s}", list->peer[i].usable ? "true" : "false");
  }
  fputs("\n  ],\n", f);
}

static void result(FILE *f, const struct bench_summary *s, const struct bench_series *series) {
  if (s->median <= 0) {
    fputs("{", f);
    string(f, "fault", series->fault ? series->fault : "not measured");
    fputs("}", f);
    return;
  }
  fprintf(f, "{\"median\": %.6e, \"q1\": %.6e, \"q3\": %.6e, \"min\": %.6e, \"max\": %.6e, ", s->median, s->q1, s->q3,
          s->least, s->most);
  fprintf(f, "\"kept\": %d, \"taken\": %d, \"quiet\": %s}", s->kept, s->taken, s->marked ? "false" : "true");
}

static void attention(FILE *f, const struct bench_attention *a) {
  fprintf(f, "\"batch\": %lld, \"heads_q\": %lld, \"heads_kv\": %lld, \"len_q\": %lld, \"len_kv\": %lld, "
             "\"d_qk\": %lld, \"d_v\": %lld, \"causal\": %d, \"kv\": \"%s\", \"layout\": \"%s\", ",
          (long long)a->batch, (long long)a->heads_q, (long long)a->heads_kv, (long long)a->len_q, (long long)a->len_kv,
          (long long)a->d_qk, (long long)a->d_v, a->causal, bench_kv_names[a->kv], bench_layout_names[a->layout]);
}

static void sizes(FILE *f, const char *name, const int64_t *values, int count) {
  fprintf(f, "\"%s\": [", name);
  for (int i = 0; i < count; i++) fprintf(f, i ? ", %lld" : "%lld", (long long)values[i]);
  fputs("], ", f);
}

static void conv(FILE *f, const struct bench_conv *c) {
  fprintf(f, "\"batch\": %lld, \"channels\": %lld, \"filters\": %lld, \"groups\": %lld, \"transposed\": %d, "
             "\"elements\": \"%s\", ",
          (long long)c->batch, (long long)c->channels, (long long)c->filters, (long long)c->groups, c->transposed,
          bench_conv_types[c->type]);
  sizes(f, "in", c->in, c->dims);
  sizes(f, "out", c->out, c->dims);
  sizes(f, "kernel", c->kernel, c->dims);
  sizes(f, "stride", c->stride, c->dims);
  sizes(f, "dilation", c->dilation, c->dims);
  sizes(f, "pad_begin", c->pad_begin, c->dims);
  sizes(f, "pad_end", c->pad_end, c->dims);
}

static void gemm(FILE *f, const struct bench_request *r) {
  fprintf(f, "\"m\": %lld, \"n\": %lld, \"k\": %lld, \"trans_a\": %d, \"trans_b\": %d, \"callers\": %d, ",
          (long long)r->m, (long long)r->n, (long long)r->k, r->trans_a, r->trans_b, r->callers);
}

static void blas(FILE *f, const struct bench_blas *c) {
  char name[32];
  bench_blas_name(c, name, sizeof name);
  fprintf(f, "\"routine\": \"%s\", \"options\": \"%s\", \"m\": %lld, \"n\": %lld, \"k\": %lld, ", name, c->options,
          (long long)c->m, (long long)c->n, (long long)c->k);
}

static void one_case(FILE *f, const struct bench_batch *b, const struct bench_peers *list, const struct bench_case *c) {
  const struct bench_request *r = &c->request;
  fputs("{", f);
  string(f, "label", c->label);
  fputs(", ", f);
  if (r->op == BENCH_OP_ATTENTION) attention(f, &r->attention);
  else if (r->op == BENCH_OP_CONV) conv(f, &r->conv);
  else if (r->op == BENCH_OP_GEMM) gemm(f, r);
  else if (r->op == BENCH_OP_BLAS) blas(f, &r->blas);
  else fprintf(f, "\"images\": %lld, ", (long long)r->images);
  fprintf(f, "\"flops\": %.17g, \"bytes\": %.17g, \"written\": %.17g, \"limit_seconds\": %.6e, ", c->flops, c->bytes,
          c->written, c->limit);
  fprintf(f, "\"flops_seconds\": %.6e, \"bytes_seconds\": %.6e,\n       \"seconds\": {", bench_flops_bound(b, c),
          bench_bytes_bound(b, c));
  for (int p = 0; p < list->count; p++) {
    fprintf(f, "%s\"%s\": ", p ? ",\n         " : "\n         ", list->peer[p].name);
    result(f, &c->summary[p], &c->series[p]);
  }
  fputs("}}", f);
}

static void limits(FILE *f, const struct bench_limits *l) {
  for (int i = 0; i < BENCH_TYPES; i++) fprintf(f, "\"peak_%s\": %.6e, ", bench_types[i], l->peak[i]);
  fputs("\"bandwidth\": [", f);
  for (int i = 0; i < l->sizes; i++) fprintf(f, "%s[%zu, %.6e]", i ? ", " : "", l->bytes[i], l->bandwidth[i]);
  fputs("], \"copies\": [", f);
  for (int i = 0; i < l->sizes && l->copies[0] > 0; i++)
    fprintf(f, "%s[%zu, %.6e]", i ? ", " : "", l->bytes[i], l->copies[i]);
  fputs("]", f);
}

static void batch(FILE *f, const struct bench_run *run, const struct bench_batch *b) {
  fputs("    {", f);
  string(f, "section", b->section->name);
  fputs(", ", f);
  string(f, "title", b->title);
  fprintf(f, ", \"type\": \"%s\", \"threads\": %d, \"cores\": %d, \"rounds\": %d,\n     ",
          bench_types[bench_type(b->type_bytes)], b->threads, b->cores, b->passes);
  limits(f, &b->limits);
  fputs(",\n     \"cases\": [", f);
  for (int i = 0; i < b->count; i++) {
    fputs(i ? ",\n      " : "\n      ", f);
    one_case(f, b, &run->peers, &b->cases[i]);
  }
  fputs("]}", f);
}

int bench_json_write(const struct bench_run *run, const char *path) {
  FILE *f = fopen(path, "w");
  if (!f) {
    fprintf(stderr, "tessera-bench: cannot write %s: %s\n", path, strerror(errno));
    return -1;
  }
  fputs("{\n", f);
  machine(f);
  peers(f, &run->peers);
  fputs("  \"batches\": [\n", f);
  for (int i = 0; i < run->batches; i++) {
    if (i) fputs(",\n", f);
    batch(f, run, &run->batch[i]);
  }
  fputs("\n  ]\n}\n", f);
  if (fclose(f) == 0) return 0;
  fprintf(stderr, "tessera-bench: cannot write %s: %s\n", path, strerror(errno));
  return -1;
}
