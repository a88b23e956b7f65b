#include "bench/blas_routines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COST(name, expression)                       \
  static double name(const struct bench_blas *c) {   \
    double m = (double)c->m, n = (double)c->n, k = (double)c->k; \
    (void)m, (void)n, (void)k;                       \
    return expression;                               \
  }

COST(zero, 0)
COST(one_each, m)
COST(two_each, 2 * m)
COST(three_each, 3 * m)
COST(four_each, 4 * m)
COST(six_each, 6 * m)
COST(product_of_two, 2 * m * n)
COST(matrix_read, m *n + m + n)
COST(matrix_changed, 2 * m * n)
COST(square_twice, 2 * m * m)
COST(square_once, m *m)
COST(half_read, m *m / 2 + 2 * m)
COST(half_changed, m *m)
COST(band_general, 2 * m * (2 * k + 1))
COST(band_general_read, m *(2 * k + 1))
COST(band_symmetric, 2 * m * (2 * n + 1))
COST(band_read, m *(n + 1))
COST(band_triangle, 2 * m * (n + 1))
COST(gemm_flops, 2 * m * n * k)
COST(gemm_touched, m *k + k * n + 2 * m * n)
static double order_of(const struct bench_blas *c) { return (double)(c->options[0] == 'L' ? c->m : c->n); }
COST(symm_flops, 2 * m * n * order_of(c))
COST(symm_touched, order_of(c) * order_of(c) / 2 + 3 * m * n)
COST(triangle_flops, m *n *order_of(c))
COST(triangle_touched, order_of(c) * order_of(c) / 2 + 2 * m * n)
COST(syrk_flops, m *m *n)
COST(syrk_touched, m *n + m * m)
COST(syr2k_flops, 2 * m * m * n)
COST(syr2k_touched, 2 * m * n + m * m)
COST(gemmt_flops, m *m *n)
COST(gemmt_touched, 2 * m * n + m * m)
COST(third_flops, m *m *m / 3)
COST(lu_flops, m *n *(m < n ? m : n) - (m + n) * (m < n ? m * m : n * n) / 2 + (m < n ? m * m * m : n * n * n) / 3)
static double lu_twice(const struct bench_blas *c) { return 2 * lu_flops(c); }

#define SAME {NULL, NULL, NULL, NULL}
const struct bench_blas_routine bench_blas_routines[] = {
    {"dot", {NULL, NULL, "cdotu", "zdotu"}, "1XY", "", "", two_each, two_each, false},
    {"dotc", SAME, "1XY", "", "", two_each, two_each, false},
    {"axpy", SAME, "1aXY", "", "Y", two_each, three_each, false},
    {"axpby", SAME, "1aXbY", "", "Y", three_each, three_each, false},
    {"scal", SAME, "1aX", "", "X", one_each, two_each, false},
    {"rscal", {NULL, NULL, "csscal", "zdscal"}, "1aX", "", "X", one_each, two_each, false},
    {"copy", SAME, "1XY", "", "Y", zero, two_each, false},
    {"swap", SAME, "1XY", "", "XY", zero, four_each, false},
    {"asum", {NULL, NULL, "scasum", "dzasum"}, "1X", "", "", one_each, one_each, false},
    {"nrm2", {NULL, NULL, "scnrm2", "dznrm2"}, "1X", "", "", two_each, one_each, false},
    {"amax", {"isamax", "idamax", "icamax", "izamax"}, "1X", "", "", one_each, one_each, false},
    {"rot", {NULL, NULL, "csrot", "zdrot"}, "1XYcs", "", "XY", six_each, four_each, false},
    {"rotm", SAME, "1XYp", "", "XY", six_each, four_each, false},
    {"gemv", SAME, "o12aAXbY", "12", "Y", product_of_two, matrix_read, false},
    {"gbmv", SAME, "o1233aAXbY", "b1", "Y", band_general, band_general_read, false},
    {"symv", {NULL, NULL, "chemv", "zhemv"}, "o1aAXbY", "11", "Y", square_twice, half_read, false},
    {"sbmv", {NULL, NULL, "chbmv", "zhbmv"}, "o12aAXbY", "d1", "Y", band_symmetric, band_read, false},
    {"spmv", {NULL, NULL, "chpmv", "zhpmv"}, "o1aPXbY", "11", "Y", square_twice, half_read, false},
    {"trmv", SAME, "ooo1AX", "11", "X", square_once, half_read, false},
    {"trsv", SAME, "ooo1AX", "11", "X", square_once, half_read, false},
    {"tbmv", SAME, "ooo12AX", "d1", "X", band_triangle, band_read, false},
    {"tbsv", SAME, "ooo12AX", "d1", "X", band_triangle, band_read, false},
    {"tpmv", SAME, "ooo1PX", "11", "X", square_once, half_read, false},
    {"tpsv", SAME, "ooo1PX", "11", "X", square_once, half_read, false},
    {"ger", {NULL, NULL, "cgerc", "zgerc"}, "12aXYA", "12", "A", product_of_two, matrix_changed, false},
    {"syr", {NULL, NULL, "cher", "zher"}, "o1aXA", "11", "A", square_once, half_changed, false},
    {"spr", {NULL, NULL, "chpr", "zhpr"}, "o1aXP", "11", "A", square_once, half_changed, false},
    {"syr2", {NULL, NULL, "cher2", "zher2"}, "o1aXYA", "11", "A", square_twice, half_changed, false},
    {"spr2", {NULL, NULL, "chpr2", "zhpr2"}, "o1aXYP", "11", "A", square_twice, half_changed, false},
    {"gemm", SAME, "oo123aABbC", "132312", "C", gemm_flops, gemm_touched, false},
    {"symm", SAME, "oo12aABbC", "mm1212", "C", symm_flops, symm_touched, false},
    {"hemm", SAME, "oo12aABbC", "mm1212", "C", symm_flops, symm_touched, false},
    {"syrk", SAME, "oo12aAbC", "12  11", "C", syrk_flops, syrk_touched, false},
    {"herk", SAME, "oo12aAbC", "12  11", "C", syrk_flops, syrk_touched, false},
    {"syr2k", SAME, "oo12aABbC", "121211", "C", syr2k_flops, syr2k_touched, false},
    {"her2k", SAME, "oo12aABbC", "121211", "C", syr2k_flops, syr2k_touched, false},
    {"gemmt", SAME, "ooo12aABbC", "122111", "C", gemmt_flops, gemmt_touched, false},
    {"trmm", SAME, "oooo12aAB", "mm12", "B", triangle_flops, triangle_touched, false},
    {"trsm", SAME, "oooo12aAB", "mm12", "B", triangle_flops, triangle_touched, false},
    {"potrf", SAME, "o1Ai", "11", "A", third_flops, half_changed, true},
    {"getrf", SAME, "12AIi", "12", "A", lu_twice, matrix_changed, true},
    {"trtri", SAME, "oo1Ai", "11", "A", third_flops, half_changed, true},
    {"lauum", SAME, "o1Ai", "11", "A", third_flops, half_changed, true},
};
const int bench_blas_routine_count = sizeof bench_blas_routines / sizeof bench_blas_routines[0];

void bench_blas_name(const struct bench_blas *call, char *text, size_t size) {
  const struct bench_blas_routine *r = &bench_blas_routines[call->routine];
  if (r->names[call->letter])
    snprintf(text, size, "%s", r->names[call->letter]);
  else
    snprintf(text, size, "%c%s", "sdcz"[call->letter], r->name);
}

static bool is_complex(enum bench_letter letter) { return letter >= BENCH_C; }

int bench_blas_element(enum bench_letter letter) { return letter == BENCH_S ? 4 : letter == BENCH_Z ? 16 : 8; }

double bench_blas_flops(const struct bench_blas *call) {
  return bench_blas_routines[call->routine].flops(call) * (is_complex(call->letter) ? 4 : 1);
}

double bench_blas_bytes(const struct bench_blas *call) {
  return bench_blas_routines[call->routine].elements(call) * bench_blas_element(call->letter);
}

static int routine_of(const char *name) {
  for (int i = 0; i < bench_blas_routine_count; i++)
    if (strcmp(bench_blas_routines[i].name, name) == 0) return i;
  return -1;
}

static int count_of(const char *text, const char *letters) {
  int count = 0;
  for (; *text; text++) count += strchr(letters, *text) != NULL;
  return count;
}

static int append(struct bench_blas_calls *calls, const struct bench_blas *call) {
  struct bench_blas *grown = realloc(calls->call, (size_t)(calls->count + 1) * sizeof *grown);
  if (!grown) return -1;
  calls->call = grown;
  grown[calls->count++] = *call;
  return 0;
}

/* `name types options sizes`, options being - where there are none. */
static int take_line(struct bench_blas_calls *calls, const char *line) {
  struct bench_blas call = {0};
  char name[16], types[8], options[8];
  long long size[3] = {0};
  int got = sscanf(line, "%15s %7s %7s %lld %lld %lld", name, types, options, &size[0], &size[1], &size[2]);
  call.routine = got >= 4 ? routine_of(name) : -1;
  if (call.routine < 0) return -1;
  const char *arguments = bench_blas_routines[call.routine].arguments;
  int wanted = strchr(arguments, '3') ? 3 : strchr(arguments, '2') ? 2 : 1;
  if (got != 3 + wanted || count_of(arguments, "o") != (*options == '-' ? 0 : (int)strlen(options))) return -1;
  for (int i = 0; i < wanted; i++)
    if (size[i] < 1 || size[i] > 100000000) return -1;
  if (*options != '-') snprintf(call.options, sizeof call.options, "%s", options);
  call.m = size[0], call.n = size[1], call.k = size[2];
  for (const char *t = types; *t; t++) {
    const char *at = strchr("sdcz", *t);
    if (!at) return -1;
    call.letter = (enum bench_letter)(at - "sdcz");
    if (append(calls, &call) != 0) return -1;
  }
  return 0;
}

int bench_blas_read(struct bench_blas_calls *calls, const char *path, const char *section) {
  char line[256], now[32] = "";
  FILE *file = fopen(path, "r");
  int number = 0, status = file ? 0 : -1;
  if (!file) fprintf(stderr, "tessera-bench: cannot read %s\n", path);
  while (status == 0 && fgets(line, sizeof line, file)) {
    number++;
    line[strcspn(line, "#\n")] = 0;
    if (sscanf(line, " [%31[^]]]", now) == 1 || strspn(line, " \t") == strlen(line)) continue;
    if (section && strcmp(section, now) != 0) continue;
    status = take_line(calls, line);
    if (status != 0)
      fprintf(stderr, "tessera-bench: %s:%d: expected `name types options sizes`, as in `gemv sdcz N 1000 1000`\n",
              path, number);
  }
  if (file) fclose(file);
  return status;
}
