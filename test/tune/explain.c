/* `tessera explain` as a user meets it. The program to test is the first argument. */
#include <math.h>
#include <unistd.h>

#include "src/gemm/tiles.h"
#include "test/command.h"
#include "test/tune/runtime_support.h"


__attribute__((format(printf, 2, 3))) static void expect(int status, const char *format, ...) {
  va_list rest;
  va_start(rest, format);
  tell_command("explain", status, format, rest);
  va_end(rest);
}

static tsr_context *context;

static int open_context(void **state) {
  (void)state;
  return tsr_context_create(NULL, &context) == TSR_OK && tsr_set_num_threads(context, 2) == TSR_OK ? 0 : -1;
}

static int close_context(void **state) {
  (void)state;
  tsr_context_destroy(context);
  return 0;
}

/* The shape that `explain gemm SIZES NN --threads 2` is about, sizes row-major. */
static struct tsr_values shape_of(tsr_type type, int64_t m, int64_t n, int64_t k) {
  tsr_gemm_desc d = TSR_GEMM_DESC;
  struct tsr_gemm_problem problem;
  struct tsr_values shape = {{0}};
  d.type = type, d.m = m, d.n = n, d.k = k, d.lda = k, d.ldb = d.ldc = n;
  tsr_gemm_normalise(&d, NULL, NULL, NULL, &problem);
  tsr_gemm_shape_of(&problem, 2, &shape);
  return shape;
}

/* A legal plan that nobody would choose for a product of this size. */
static struct tsr_values odd_plan(const struct tsr_values *shape) {
  struct tsr_values plan;
  char why[TSR_WHY_TEXT];
  assert_true(tsr_values_parse(GEMM->plan, GEMM->nplan, "path=packed threads=1 nc=64 pack=ab", &plan, why));
  GEMM->complete(context, shape, &plan);
  if (!GEMM->check(context, shape, &plan, why)) fail_msg("%s", why);
  return plan;
}

#define PRODUCT "gemm 300x310x320 --threads 2"
static struct tsr_values product(void) { return shape_of(TSR_F32, 300, 310, 320); }

static void usage(void **state) {
  (void)state;
  static const struct { const char *arguments, *sentence; } wrong[] = {
      {"", "usage: tessera explain gemm"},
      {"--frobnicate", "usage: tessera explain gemm"},
      {"pool 1x2x3", "there is no operator \"pool\""},
      {"gemm", "which product?"},
      {"gemm f32", "which product?"},
      {"gemm 12", "MxNxK"},
      {"gemm 12x13", "MxNxK"},
      {"gemm 12x13x", "k is \"\""},
      {"gemm 12x13x14x15", "three sizes"},
      {"gemm 12x-1x4", "n is \"-1\""},
      {"gemm 0x13x14", "m is \"0\""},
      {"gemm 12x13x99999999999999999999999999999999", "k is \"99999"},
      {"gemm 12xax14", "n is \"a\""},
      {"gemm 12x13x14 NX", "\"NX\" is no layout"},
      {"gemm 12x13x14 NN f32", "\"f32\" is too much"},
      {"gemm bf16 12x13x14", "tessera explain conv bf16 '14->13@12' 1"},
      {"gemm s8 12x13x14", "tessera explain conv s8:s32 '14->13@12' 1"},
      {"gemm 12x13x14 --threads 0", "--threads is \"0\""},
      {"gemm 12x13x14 --threads two", "--threads is \"two\""},
      {"gemm 120x130x140 --lda 13", "lda is 13"},
      {"gemm 12x13x14 --lda x", "--lda is \"x\""},
      {"gemm 12x13x14 --device cpu", "\"cpu\" is not a device"},
      {"gemm 12x13x14 --device accel:nonsense", "nonsense"},
      {"gemm f32 12x13x14 --device accel:910b", "on a device use"},
      {"gemm 12x13x14 --to f31 --device accel:910b", "--to is \"f31\""},
      {"gemm m=12 n=13", "k"},
      {"gemm m=12 n=13 k=14 q=3", "q=3"},
      {"gemm m=12 n=13 k=14 --lda 100", "go with sizes"},
      {PRODUCT " --plan nothing", "plan: \"nothing\" is no field=value"},
      {PRODUCT " --plan path=fast", "path cannot be \"fast\""},
      {PRODUCT " --plan 'path=packed mc=7'", "mc is 7: it must be a multiple of"},
      {PRODUCT " --plan threads=3", "threads is 3: it must be 1 to 2"},
      {PRODUCT " --plan units=1000000", "units is 1000000"},
      {"gemm 256x256x256 --device accel:910b --plan mc=7", "plan: mc is 7 but must be a multiple of"},
      {"attention", "which shape?"},
      {"attention 1x8x10x10", "is no shape"},
      {"attention 1x8/3x10x10x64", "heads is 8, which kv_heads, 3, does not divide"},
      {"attention 1x8x10/2x10x64", "is no shape"},
      {"attention f64 1x8x10x10x64", "is no shape"},
      {"attention q8_0 1x8x10x10x40", "multiples of 32"},
      {"attention q8_0 1x8x10x10x64 panels", "keys in panels are"},
      {"attention heads=8 q=10 kv=10", "no d"},
      {"attention 1x8x10x99999999999x64", "kv is 99999999999"},
      {"attention 1x8x10x10x64 --lda 3", "are for gemm"},
      {"attention 1x8x100x1000x64 --plan lanes=up", "lanes cannot be \"up\""},
      {"attention 1x8x100x1000x64 --threads 2 --plan threads=3", "threads is 3: it must be 1 to 2"},
      {"conv", "which shape?"},
      {"conv 64", "is no shape"},
      {"conv '64->64@56'", "is no shape"},
      {"conv '64->64@56 3x3 p9'", "pad_begin[0] is 9"},
      {"conv '64->64@56x56x56 3x3'", "is no shape"},
      {"conv '64->64@56 3x3 q1'", "is no shape"},
      {"conv '64->64@56 3x3/0'", "stride[0] is 0"},
      {"conv '64->60@56 3x3 g7'", "channels is 64, which is no multiple of groups, 7"},
      {"conv '64->64@99999999 3x3'", "is no shape"},
      {"conv '1->1@1 3x3 p0'", "no output fits"},
      {"conv channels=64 filters=64 kernel=3x3", "is no shape"},
      {"conv channels=64 filters=64 in=56x56 kernel=3x3 stride=up", "stride cannot be \"up\""},
      {"conv '64->64@56 3x3' --lda 5", "are for gemm"},
      {"conv '64->64@56 3x3' --plan lanes=groups", "lanes cannot be groups: there is one group"},
      {"conv '64->64@56 3x3' --plan rows=57", "rows is 57: y has 56"},
      {"conv '64->64@56 3x3' --threads 2 --plan threads=3", "threads is 3: it must be 1 to 2"},
      {"conv '64->64@56 3x3 nchw' --plan band=no", "band cannot be no"},
      {"conv 'u8 64->64@56 3x3' --plan rows=5", "convolutions of integers have none to choose from"},
      {"conv '64->64@56 3x3' --device accel:910b", "conv's blocks on a device"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    expect(2, "%s", wrong[i].arguments);
    says(wrong[i].sentence);
    says_not("predicted");
  }
}

/* --- where the plan came from ------------------------------------------------------------------------------------- */

static void from_model_or_rule(void **state) {
  (void)state;
  struct tsr_values shape = product(), plan, first;
  struct tsr_choice about;
  char text[TSR_VALUES_TEXT + 16];
  tsr_choose(GEMM, context, &shape, &first, NULL);
  tsr_choose(GEMM, context, &shape, &plan, &about);
  expect(0, PRODUCT);
  says("tune.db does not exist");
  says("the call's own plan: none");
  snprintf(text, sizeof text, "-> %s\n", tsr_source_names[about.source]);
  says(text);
  snprintf(text, sizeof text, "plan        %s\n", plan_text(GEMM, &plan));
  says(text);
  says(shape_text(GEMM, &shape));
  if (memcmp(&first, &plan, sizeof plan) != 0) {
    says("a process's first call weighs fewer plans");
    says(plan_text(GEMM, &first));
  } else {
    says_not("first call");
  }
}

/* Attention: its shape in three ways of writing, the way of a call, kernels and limits; rows of the database. */
static void attention(void **state) {
  (void)state;
  static const char words[] = "type=f16 batch=1 heads=32 kv_heads=8 q=1024 kv=1024 d=128 dv=128 causal=bottom-right "
                              "mask=no keys=rows threads=2";
  expect(0, "attention f16 1x32/8x1024x1000x128 causal --threads 2");
  says(words); /* 1000 keys count as 1024 */
  says("your database: ");
  says("-> ");
  says("plan        lanes=queries");
  says("for each 256 keys, from the first");
  says("softmax: tsr_softmax_f32_");
  says("predicted");
  says("FMA, 2 threads");
  says("in the pruned space");
  expect(0, "attention '1 32 8 1024 1024 128 128 1 f16' --threads 2");
  says(words);
  expect(0, "attention heads=32 kv_heads=8 q=1024 kv=1024 d=128 causal=bottom-right threads=2");
  says(words);
  expect(0, "attention bf16 1x32/8x1x4096x128 panels --threads 2 --json");
  says("\"plan\": \"lanes=keys ");
  says("\"source\": ");
  expect(0, "attention 1x1x1x64x64");
  says("nothing is looked up for so small a call");
  expect(0, "attention 1x8x200x300x64 --plan 'lanes=keys rows=50' --threads 2");
  says("-> the call itself");
  says("plan        lanes=keys threads=2 rows=50 width=50");
  const struct tsr_operator *op = tsr_operator_of(context, "attention");
  struct tsr_values shape, plan;
  assert_true(tsr_values_parse(op->shape, op->nshape, words, &shape, NULL));
  assert_true(tsr_values_parse(op->plan, op->nplan, "lanes=keys threads=1 rows=100 width=100 split=no", &plan, NULL));
  put_row(context, op, &shape, &plan);
  expect(0, "attention f16 1x32/8x1024x1000x128 causal --threads 2");
  says("-> the user's database");
  says("plan        lanes=keys threads=1 rows=100 width=100 split=no");
}

/* Convolution: its shape in two ways of writing, what is missing chosen, the way of a call, kernels, limits, rows. */
static void conv(void **state) {
  (void)state;
  static const char words[] = "type=f32 to=f32 x=last y=last batch=8 channels=64 filters=128 groups=1 in=56x56 "
                              "out=28x28 kernel=3x3 stride=2x2 dilation=1x1 pad=1x1 transposed=no threads=2";
  char text[TSR_VALUES_TEXT + 16];
  expect(0, "conv N8 '64->128@56' 3x3/2 --threads 2");
  says(words);
  says("your database: ");
  says("-> the rule of thumb");
  says("plan        lanes=filters order=");
  says("x is read in place");
  says("tsr_conv_f32_");
  says("of each of the 8 images");
  says("FMA, 2 threads");
  says("in the pruned space");
  expect(0, "conv batch=8 channels=64 filters=128 in=56 kernel=3x3 stride=2 threads=2");
  says(words);
  snprintf(text, sizeof text, "conv %s", words);
  expect(0, "%s", text);
  says(words);
  expect(0, "conv f16:f32 nchw:nhwc '128->64@28x20' 4x4/2x1 p1:2 d1 T --threads 1");
  says("type=f16 to=f32 x=first y=last batch=1 channels=128 filters=64 groups=1 in=28x20 out=55x20 kernel=4x4 "
       "stride=2x1 dilation=1x1 pad=1x1 transposed=yes threads=1");
  says("into a band, since its type is converted");
  says("x: channels and pixels exchanged");
  expect(0, "conv '128->128@56' 3x3 g128 --threads 1 --json");
  says("\"plan\": \"lanes=groups ");
  says("\"source\": \"the rule of thumb\"");
  expect(0, "conv '4->4@5' 3 --threads 1");
  says("nothing is looked up for so small a call");
  says("in=5 out=5 kernel=3 ");
  expect(0, "conv u8 '64->64@56' 3x3 --threads 1 --measure");
  says("convolutions of integers have one way each");
  says("none to choose from");
  says("measured");
  expect(0, "conv '64->64@56' 3x3 --threads 1 --plan 'order=panels rows=7' --measure");
  says("-> the call itself");
  says("order=panels threads=1");
  says("rows=7");
  says("the rule's plan");
}

static void conv_rows(void **state) {
  (void)state;
  static const char words[] = "type=f32 to=f32 x=last y=last batch=1 channels=64 filters=64 groups=1 in=56x56 "
                              "out=56x56 kernel=3x3 stride=1x1 dilation=1x1 pad=1x1 transposed=no threads=2";
  const struct tsr_operator *op = tsr_operator_of(context, "conv");
  struct tsr_values shape, plan;
  assert_true(tsr_values_parse(op->shape, op->nshape, words, &shape, NULL));
  assert_true(tsr_values_parse(op->plan, op->nplan, "order=panels threads=1 rows=5", &plan, NULL));
  op->complete(context, &shape, &plan);
  put_row(context, op, &shape, &plan);
  expect(0, "conv '64->64@56' 3x3 --threads 2");
  says("-> the user's database");
  says(plan_text(op, &plan));
  expect(0, "conv '64->64@57' 3x3 --threads 2");
  says("no row for this shape");
}

static void from_user(void **state) {
  (void)state;
  struct tsr_values shape = product(), plan = odd_plan(&shape), other = shape_of(TSR_F32, 300, 310, 321);
  char text[TSR_VALUES_TEXT + 16];
  put_row(context, GEMM, &shape, &plan);
  expect(0, PRODUCT);
  says("your database: a row in ");
  says("-> the user's database");
  snprintf(text, sizeof text, "plan        %s\n", plan_text(GEMM, &plan));
  says(text);
  expect(0, "gemm 300x310x321 --threads 2");
  says("your database: no row for this shape");
  says("has 1 of this machine");
  put_row(context, GEMM, &other, &plan);
  expect(0, "gemm 300x310x321 --threads 2");
  says("-> the user's database");
  expect(0, "gemm f64 300x310x321 --threads 2");
  says("no row for this shape");
  says("has 2 of this machine");
  assert_int_equal(setenv("TESSERA_TUNE", "off", 1), 0);
  expect(0, PRODUCT);
  says("not read, since TESSERA_TUNE is off");
  says_not("-> the user's database");
  assert_int_equal(unsetenv("TESSERA_TUNE"), 0);
}

static void rows_that_cannot_be_used(void **state) {
  (void)state;
  struct tsr_values shape = product(), plan = odd_plan(&shape);
  const char *words = shape_text(GEMM, &shape);
  put_text(context, GEMM, NULL, NULL, words, "path=packed threads=1 units=1 columns=4 mc=7 nc=64 pack=ab groups=1",
           1e-4);
  expect(0, PRODUCT);
  says("its row is not legal: mc is 7");
  says_not("-> the user's database");
  put_text(context, GEMM, NULL, "older kernels", words, plan_text(GEMM, &plan), 1e-4);
  expect(0, PRODUCT);
  says("measured with other kernels (older kernels)");
  says_not("-> the user's database");
}

static void rows_of_other_machines(void **state) {
  (void)state;
  struct tsr_values shape = product(), plan = odd_plan(&shape);
  put_text(context, GEMM, "elsewhere", NULL, shape_text(GEMM, &shape), plan_text(GEMM, &plan), 1e-4);
  expect(0, PRODUCT);
  says("your database: no row for this shape");
  says("has 0 of this machine");
}

static void databases_that_cannot_be_read(void **state) {
  (void)state;
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fprintf(file, "this is no database, but it is long enough to be taken for one: %0600d\n", 0);
  fclose(file);
  expect(0, PRODUCT);
  says("your database: not used: ");
  says("predicted ");
  setenv("TESSERA_DB", "", 1);
  unsetenv("XDG_CACHE_HOME");
  setenv("HOME", "", 1);
  expect(0, PRODUCT);
  says("your database: there is none: ");
}

static void from_call(void **state) {
  (void)state;
  struct tsr_values shape = product(), plan = odd_plan(&shape), legal = {{0}};
  char arguments[400], text[TSR_VALUES_TEXT + 16], why[TSR_WHY_TEXT];
  put_row(context, GEMM, &shape, &plan);
  expect(0, PRODUCT " --plan 'path=direct threads=1'");
  says("-> the call itself");
  assert_true(tsr_values_parse(GEMM->plan, GEMM->nplan, "path=direct threads=1", &legal, why));
  GEMM->complete(context, &shape, &legal);
  snprintf(text, sizeof text, "plan        %s\n", plan_text(GEMM, &legal));
  says(text);
  snprintf(arguments, sizeof arguments, "gemm '%s' --plan '%s'", shape_text(GEMM, &shape), plan_text(GEMM, &plan));
  expect(0, "%s", arguments); /* words in, words out */
  snprintf(text, sizeof text, "shape       %s\n", shape_text(GEMM, &shape));
  says(text);
  snprintf(text, sizeof text, "plan        %s\n", plan_text(GEMM, &plan));
  says(text);
}

/* On both sides of what the small path takes, and of what is looked up. */
static void small(void **state) {
  (void)state;
  struct tsr_values shape = shape_of(TSR_F32, 65, 10, 20), plan = odd_plan(&shape);
  put_row(context, GEMM, &shape, &plan);
  expect(0, "gemm 64x64x384");
  says("-> the small path");
  says("none: the small path");
  says("tsr_gemm_");
  says_not("predicted");
  expect(0, "gemm 64x64x385");
  says_not("-> the small path");
  expect(0, "gemm 64x64x64 --plan path=packed");
  says("-> the call itself");
  expect(0, "gemm 65x10x20 --threads 2"); /* its row is not asked for */
  says("nothing is looked up for so small a product");
  says("-> the rule of thumb");
  expect(0, "gemm 20x20x20 --measure");
  says("the call ");
}

/* --- what the plan does ------------------------------------------------------------------------------------------- */

/* How many tiles of each height cover rows as tsr_gemm_pack_a and tsr_gemm_multiply go. */
static void count_heights(const struct tsr_tiles *tiles, const struct tsr_values *plan, int64_t rows, int64_t *counts) {
  for (int64_t left = tsr_ceil_div(rows, tiles->mu), u; left > 0; left -= u, counts[u]++)
    u = tsr_next_units(tiles, (int)plan->at[TSR_PLAN_UNITS], left, (int)plan->at[TSR_PLAN_COLUMNS]);
}

static void says_tiles(const struct tsr_tiles *tiles, const struct tsr_values *plan, int64_t m, int64_t n) {
  int64_t heights[TSR_MAX_UNITS + 1] = {0}, widths[TSR_MAX_COLUMNS + 1] = {0};
  int most = tiles->max_columns[plan->at[TSR_PLAN_UNITS]];
  char text[200];
  count_heights(tiles, plan, m, heights);
  for (int64_t left = n, w; left > 0; left -= w, widths[w]++)
    w = tsr_next_columns(left, (int)plan->at[TSR_PLAN_COLUMNS], most);
  for (int u = 1; u <= TSR_MAX_UNITS; u++)
    for (int w = 1; w <= TSR_MAX_COLUMNS; w++) {
      if (heights[u] * widths[w] == 0) continue;
      snprintf(text, sizeof text, " %s: %lld tile", tiles->tile[u][w]->symbol, (long long)(heights[u] * widths[w]));
      says(text);
    }
}

/* Packed on one thread, all of m in one block and all of n in another: what the library's own cover says. */
static void kernels_that_cover(void **state) {
  (void)state;
  static const int64_t sizes[][2] = {{480, 480}, {481, 487}, {517, 130}, {333, 100}, {100, 777}, {75, 69}};
  static const tsr_type types[] = {TSR_F32, TSR_F64};
  for (size_t i = 0; i < 2 * sizeof sizes / sizeof sizes[0]; i++) {
    tsr_type type = types[i % 2];
    int64_t m = sizes[i / 2][0], n = sizes[i / 2][1]; /* of the turned problem */
    const struct tsr_tiles *tiles = &context->kernels[type].gemm;
    struct tsr_values shape = shape_of(type, n, m, 700), plan;
    char arguments[200], words[100], why[TSR_WHY_TEXT], side[64];
    int64_t mc = tsr_ceil_div(m, tiles->mu) * tiles->mu, nc = tsr_ceil_div(n, tiles->columns) * tiles->columns;
    snprintf(words, sizeof words, "path=packed threads=1 pack=ab units=%d columns=%d mc=%lld nc=%lld", tiles->units,
             tiles->columns, (long long)mc, (long long)nc);
    snprintf(arguments, sizeof arguments, "gemm %s %lldx%lldx700 --threads 2 --plan '%s'",
             type == TSR_F32 ? "f32" : "f64", (long long)n, (long long)m, words);
    assert_true(tsr_values_parse(GEMM->plan, GEMM->nplan, words, &plan, why));
    GEMM->complete(context, &shape, &plan);
    expect(0, "%s", arguments);
    says_tiles(tiles, &plan, m, n);
    snprintf(side, sizeof side, "tiles       m: %lld = ", (long long)m);
    says(side);
    says("pack A into panels");
    says("pack B into panels");
  }
}

/* Of all plans of a shape: shares add up to 100 %, and no tile lies wholly beyond the edge. */
static void shares_add_up(void **state) {
  (void)state;
  struct rng rng = {.state = 5};
  struct tsr_values shape = shape_of(TSR_F32, 123, 777, 500);
  for (int i = 0; i < 12; i++) {
    struct tsr_values plan = random_plan(&rng, context, &shape);
    char arguments[400];
    double sum = 0, share, rows = 0;
    snprintf(arguments, sizeof arguments, "gemm 123x777x500 --threads 2 --plan '%s'", plan_text(GEMM, &plan));
    expect(0, "%s", arguments);
    for (const char *at = output; (at = strstr(at, " tile")); at++) {
      if (sscanf(at, " tile, %lf", &share) == 1 || sscanf(at, " tiles, %lf", &share) == 1) sum += share;
    }
    const char *of = strstr(output, "% of their rows");
    if (of)
      while (of[-2] != ' ' || of[-1] == ' ') of--;
    if (of) rows = atof(of - 1);
    if (fabs(sum - 100) > 1) fail_msg("%s: %g %%\n%s", arguments, sum, output);
    if (rows < 60 || rows > 100) fail_msg("%s: %g %% of the rows\n%s", arguments, rows, output);
  }
}

static void loops(void **state) {
  (void)state;
  expect(0, "gemm 4x5000x900 --threads 2 --plan path=across");
  says("turned over into C");
  expect(0, "gemm 16x16x8000 --threads 2 --plan path=k-split");
  says("adds the blocks' sums");
  expect(0, "gemm 1000x1000x1000 --threads 2 --plan 'path=packed pack=a'");
  says("pack A into panels");
  says_not("pack B into panels");
  expect(0, "gemm 1000x1000x1000 --threads 2 --plan 'path=packed pack=ab groups=1 threads=2'");
  says("barrier of 2 threads");
  expect(0, "gemm 16000000x16000000x16000000 --threads 2");
  says("too many tiles to list");
}

/* --- limits, JSON, devices, measuring ----------------------------------------------------------------------------- */

/* The number after "NAME": in JSON. */
static double number(const char *name) {
  char key[64];
  snprintf(key, sizeof key, "\"%s\": ", name);
  const char *at = strstr(output, key);
  if (!at) fail_msg("%s is not in:\n%s", key, output);
  return at ? atof(at + strlen(key)) : 0;
}

static void json_is_well_formed(void) {
  int depth = 0, least = 1;
  bool quoted = false;
  for (const char *c = output; *c; c++) {
    if (*c == '\\') c++;
    else if (*c == '"') quoted = !quoted;
    else if (!quoted && strchr("{[", *c)) depth++;
    else if (!quoted && strchr("}]", *c)) depth--;
    if (c != output && c[1] && c[2] && depth < least) least = depth;
  }
  assert_false(quoted);
  assert_int_equal(depth, 0);
  assert_int_equal(least, 1); /* nothing before or after the object */
}

static void roofline(void **state) {
  (void)state;
  expect(0, "gemm f64 1000x800x600 --threads 2 --json");
  json_is_well_formed();
  says("\"limit\": \"FMA, 2 threads\"");
  assert_true(number("flops") == 2.0 * 1000 * 800 * 600);
  assert_true(number("bytes") == 8.0 * (1000 * 600 + 600 * 800 + 1000 * 800));
  double sum = number("computing") + number("reading") + number("packing") + number("threads");
  assert_true(fabs(sum / number("predicted") - 1) < 1e-6);
  says("\"loops\": [");
  const struct tsr_costs *costs = tsr_table_costs(tsr_table_of(context, GEMM));
  assert_true(fabs(number("seconds") / (number("flops") * costs->flop_f64 / 2) - 1) < 1e-6); /* the first: FMA */
  expect(0, "gemm f64 1000x800x600 --plan path=packed --json");
  json_is_well_formed(); /* the words stand there in quotes */
  says("plan: \\\"path=packed\\\"");
  expect(0, "gemm 1x8000x8000 --threads 2 --json");
  says("\"limit\": \"reading from memory\"");
  expect(0, "gemm 8x8x8 --json");
  json_is_well_formed();
  says("\"source\": \"the small path\"");
}

static void devices(void **state) {
  (void)state;
  expect(0, "gemm 1000x900x5000 --device accel:910b --measure");
  says("cores, a block of C each");
  says("panels in a core: ");
  says("accel_gemm");
  says("multiplying, 24 cores");
  says("after the block: UPDATE");
  says("of 1 run");
  expect(0, "gemm s8 640x640x640 TN --device accel:310p --json");
  json_is_well_formed();
  says("type=s8 to=s32");
  expect(0, "gemm 640x640x640 --device accel:910b --plan 'mc=64 nc=64'");
  says("mc=64 nc=64");
  says("-> the call itself");
}

static void measures(void **state) {
  (void)state;
  double start = seconds_now();
  expect(0, "gemm 500x500x500 --threads 2 --plan 'path=packed threads=1' --measure");
  assert_true(seconds_now() - start < 10);
  says("measured    the plan");
  says("the rule's plan  best");
  says("% of the limit");
  says("x the prediction");
  expect(0, "gemm 500x500x500 --threads 2 --measure --json");
  json_is_well_formed();
  says("\"what\": \"the plan\"");
  double best = number("best"), predicted = number("predicted");
  assert_true(best > predicted / 20 && best < predicted * 20);
  expect(1, "gemm 16000000x16000000x16000000 --measure");
  says("no memory for matrices of this size");
}

int main(int argc, char **argv) {
  tessera = argc > 1 ? argv[1] : "tessera";
  unsetenv("TESSERA_NUM_THREADS");
  const struct CMUnitTest tests[] = {
      RUN(usage), RUN(from_model_or_rule), RUN(attention), RUN(conv), RUN(conv_rows), RUN(from_user),
      RUN(rows_that_cannot_be_used), RUN(rows_of_other_machines),
      RUN(from_call), RUN(small), RUN(kernels_that_cover), RUN(shares_add_up), RUN(loops), RUN(roofline), RUN(devices),
      RUN(measures), RUN(databases_that_cannot_be_read)};
  return cmocka_run_group_tests(tests, open_context, close_context);
}
