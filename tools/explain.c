/* tessera explain: why a call takes the plan it takes, what the plan does, and how far that is from what the machine
 * allows. */
#include "explain.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "attention.h"
#include "command.h"
#include "conv.h"
#include "shapes.h"
#include "src/core/threads.h"
#include "src/attention/space.h"
#include "src/conv/space.h"
#include "src/gemm/device_space.h"
#include "src/gemm/fused.h"
#include "src/gemm/space.h"
#include "src/gemm/tiles.h"
#include "src/tune/database.h"

__attribute__((format(printf, 1, 2))) static bool wrong(const char *format, ...);
static bool wrong(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "tessera explain: ");
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  return false;
}

/* --- how the plan was come by ------------------------------------------------------------------------------------- */

/* What the user's database says of a shape. */
struct asked {
  const struct explain *e;
  char kernels[TSR_KEY_TEXT];
  long rows; /* of this machine and operator */
  enum { NO_ROW, OTHER_KERNELS, NOT_LEGAL, USED } found;
  char why[TSR_WHY_TEXT];
  double median, by_default;
};

static void look_at_row(void *arg, const struct tsr_row *row) {
  struct asked *asked = arg;
  const struct explain *e = asked->e;
  struct tsr_values shape, plan;
  char why[TSR_WHY_TEXT] = "";
  if (strcmp(row->operator_name, e->op->name) != 0) return;
  asked->rows++;
  if (!tsr_values_parse(e->op->shape, e->op->nshape, row->shape, &shape, why)) return;
  if (memcmp(&shape, &e->shape, sizeof shape) != 0) return;
  asked->found = OTHER_KERNELS;
  snprintf(asked->why, sizeof asked->why, "%s", row->kernels);
  if (strcmp(row->kernels, asked->kernels) != 0) return;
  bool legal = tsr_values_parse(e->op->plan, e->op->nplan, row->plan, &plan, why) &&
               e->op->check(e->context, &e->shape, &plan, why);
  asked->found = legal ? USED : NOT_LEGAL;
  asked->median = row->median, asked->by_default = row->by_default;
  snprintf(asked->why, sizeof asked->why, "%s", why);
}

static void tell_row(struct explain *e, const struct asked *asked, const char *path) {
  switch (asked->found) {
    case NO_ROW:
      explain_say(&e->trail, 0, "your database: no row for this shape (%.120s has %ld of this machine)", path,
                  asked->rows);
      break;
    case OTHER_KERNELS:
      explain_say(&e->trail, 0, "your database: its row was measured with other kernels (%s); tune the shape again",
                  asked->why);
      break;
    case NOT_LEGAL: explain_say(&e->trail, 0, "your database: its row is not legal: %s", asked->why); break;
    case USED:
      explain_say(&e->trail, 0, "your database: a row in %.120s: measured %s, the default %s", path,
                  explain_seconds(asked->median).text, explain_seconds(asked->by_default).text);
  }
}

static void ask_database(struct explain *e) {
  static const struct tsr_visitor visitor = {.row = look_at_row};
  struct asked asked = {.e = e};
  char path[4096], machine[TSR_KEY_TEXT];
  if (!tsr_tune_reads()) {
    explain_say(&e->trail, 0, "your database: not read, since TESSERA_TUNE is off");
    return;
  }
  tsr_machine_key(e->context, machine);
  tsr_kernels_key(e->context, e->op, asked.kernels);
  if (tsr_database_path(path, sizeof path) != TSR_OK)
    explain_say(&e->trail, 0, "your database: there is none: %s", tsr_last_error());
  else if (access(path, F_OK) != 0 && errno == ENOENT)
    explain_say(&e->trail, 0, "your database: %.120s does not exist", path);
  else if (tsr_database_read(path, machine, &visitor, &asked) != TSR_OK)
    explain_say(&e->trail, 0, "your database: not used: %s", tsr_last_error());
  else
    tell_row(e, &asked, path);
}

/* What calls would take without the user's row. */
static void ask_shipped(struct explain *e) {
  struct tsr_values plan;
  struct tsr_choice about;
  tsr_choose_without_user(e->op, e->context, &e->shape, &plan, &about);
  if (about.source == TSR_FROM_SHIPPED)
    explain_say(&e->trail, 0, "rows shipped with the library: one for this shape, measured %s",
                explain_seconds(about.known.median).text);
  else
    explain_say(&e->trail, 0, "rows shipped with the library: none for this shape");
}

static void tell_choice(struct explain *e) {
  const struct tsr_choice *c = &e->choice;
  if (c->source == TSR_FROM_MODEL)
    explain_say(&e->trail, 0, "cost model: the best of %d plans, predicted %.2f x as fast as the rule's", c->considered,
                c->rule_predicted / c->predicted);
  else if (c->source == TSR_FROM_RULE && e->op->weighing > 0)
    explain_say(&e->trail, 0, "cost model: compared %d plan%s; none promises %.0f %% over the rule's", c->considered,
                c->considered == 1 ? "" : "s", 100 - 100 * TSR_WORTH_WHILE);
  else if (c->source == TSR_FROM_RULE && is_conv(e->op))
    explain_say(&e->trail, 0, "cost model: not asked, since calls without a row take the rule's plan");
  else if (c->source == TSR_FROM_RULE)
    explain_say(&e->trail, 0, "cost model: the rule's plan is the best of its space");
  explain_say(&e->trail, 0, "-> %s", tsr_source_names[c->source]);
  if (tsr_tune_writes()) explain_say(&e->trail, 0, "TESSERA_TUNE is write: calls of a program also try other plans");
}

static tsr_status check_plan(struct explain *e) {
  if (is_attention(e->op)) return tsr_attention_check_plan(e->context, &e->attention);
  if (is_conv(e->op)) return tsr_conv_check_plan(e->context, &e->conv);
  e->p.plan = e->plan_words;
  return tsr_gemm_check_plan(e->context, &e->p);
}

static bool take_words(struct explain *e) {
  char why[TSR_WHY_TEXT];
  tsr_status status = check_plan(e);
  if (status != TSR_OK) return wrong("%s", tsr_last_error());
  if (!tsr_values_parse(e->op->plan, e->op->nplan, e->plan_words, &e->plan.values, why)) return wrong("%s", why);
  e->op->complete(e->context, &e->shape, &e->plan.values);
  e->choice.source = TSR_FROM_CALL;
  explain_say(&e->trail, 0, "the call's own plan: \"%s\", completed by the rule of thumb", e->plan_words);
  explain_say(&e->trail, 0, "-> %s", tsr_source_names[TSR_FROM_CALL]);
  return true;
}

static bool is_looked_up(const struct explain *e) {
  if (is_attention(e->op)) return tsr_attention_is_looked_up(&e->attention);
  if (is_conv(e->op)) return tsr_conv_is_looked_up(&e->conv);
  return e->context->device || tsr_gemm_is_looked_up(&e->p);
}

/* Calls that no plan is made for, or none that could be chosen. */
static bool takes_no_plan(struct explain *e) {
  if (is_conv(e->op) && tsr_conv_is_integer(&e->conv_desc)) {
    e->choice.source = TSR_FROM_RULE;
    explain_say(&e->trail, 0, "-> convolutions of integers have one way each, which follows from the shape");
  } else if (!e->context->device && !is_attention(e->op) && !is_conv(e->op) && explain_small(e)) {
    explain_say(&e->trail, 0, "-> the small path: a few tiles and one block of k are computed before any plan is made");
  } else {
    return false;
  }
  return e->small = true;
}

/* In the order in which a call looks. */
static bool decide(struct explain *e) {
  if (e->plan_words) return take_words(e);
  explain_say(&e->trail, 0, "the call's own plan: none");
  if (takes_no_plan(e)) return true;
  if (!is_looked_up(e)) {
    e->op->complete(e->context, &e->shape, &e->plan.values);
    e->choice = (struct tsr_choice){.source = TSR_FROM_RULE, .considered = 1};
    explain_say(&e->trail, 0, "nothing is looked up for so small a %s",
                is_attention(e->op) || is_conv(e->op) ? "call" : "product");
    explain_say(&e->trail, 0, "-> %s", tsr_source_names[TSR_FROM_RULE]);
    return true;
  }
  ask_database(e);
  ask_shipped(e);
  tsr_choose(e->op, e->context, &e->shape, &e->plan.values, &e->choice);
  tell_choice(e);
  for (int i = 0; i < EARLY; i++) tsr_choose(e->op, e->context, &e->shape, &e->early[i].values, NULL);
  char why[TSR_WHY_TEXT];
  return e->op->check(e->context, &e->shape, &e->plan.values, why) ||
         wrong("there is no plan for this shape: %s", why);
}

/* --- the command line --------------------------------------------------------------------------------------------- */

struct request {
  const char *device, *to;
  int threads;
  int64_t lda, ldb, ldc;
};

static bool read_number(const char *what, const char *text, int64_t most, int64_t *number) {
  char *end;
  errno = 0;
  *number = strtoll(text, &end, 10);
  return (end != text && !*end && !errno && *number >= 1 && *number <= most) ||
         wrong("%s is \"%s\": it must be a number from 1 to %lld", what, text, (long long)most);
}

static bool read_type(const char *text, tsr_type *type) {
  static const char *const names[] = {"f32", "f64", "f16", "bf16", "s8", "s32", [TSR_C32 - 1] = "c32", "c64"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (names[i] && strcmp(text, names[i]) == 0) return *type = (tsr_type)(i + 1), true;
  return false;
}

/* "512x4096x1000" */
static bool read_sizes(const char *text, tsr_gemm_desc *d) {
  static const char *const names[] = {"m", "n", "k"};
  int64_t *sizes[] = {&d->m, &d->n, &d->k};
  char one[24];
  for (int i = 0; i < 3; i++, text += strcspn(text, "xX") + (i < 3)) {
    size_t length = strcspn(text, "xX");
    if (length >= sizeof one) length = sizeof one - 1;
    memcpy(one, text, length);
    one[length] = 0;
    if (!read_number(names[i], one, 1 << 24, sizes[i])) return false;
    if (i == 2) return text[length] == 0 || wrong("a product has three sizes: MxNxK");
    if (text[length] == 0) return wrong("sizes are written as MxNxK, such as 512x4096x1000");
  }
  return true;
}

static bool read_layouts(const char *text, tsr_gemm_desc *d) {
  if (strlen(text) != 2 || strspn(text, "NTnt") != 2) return false;
  d->trans_a = strchr("Tt", text[0]) ? TSR_TRANS : TSR_NO_TRANS;
  d->trans_b = strchr("Tt", text[1]) ? TSR_TRANS : TSR_NO_TRANS;
  return true;
}

/* A shape in the tuner's words, as tessera db list shows it. */
static bool take_shape_words(struct explain *e, const char *words, tsr_type type) {
  struct shapes shapes = {.context = e->context, .op = e->op, .types = {(int)type}};
  char why[TSR_WHY_TEXT];
  bool good = shapes_add_text(&shapes, words, 0, why) || wrong("%s", why);
  if (good) e->shape = shapes.shape[0].values;
  shapes_free(&shapes);
  if (!good) return false;
  if (!e->context->device) {
    tsr_gemm_problem_of(&e->shape, &e->p);
    tsr_set_num_threads(e->context, (int)e->shape.at[TSR_SHAPE_THREADS]);
    return true;
  }
  const int64_t *s = e->shape.at; /* the device's loops look at no stride but whether it is one element */
  int64_t size = tsr_size_of((tsr_type)s[TSR_DEVICE_TYPE]);
  e->p = (struct tsr_gemm_problem){.type = (tsr_type)s[TSR_DEVICE_TYPE], .type_c = (tsr_type)s[TSR_DEVICE_TO],
                                   .m = s[TSR_DEVICE_M], .n = s[TSR_DEVICE_N], .k = s[TSR_DEVICE_K], .alpha = 1,
                                   .beta = s[TSR_DEVICE_SUMS] == 2, .rsa = s[TSR_DEVICE_A] == 1 ? size : 2 * size,
                                   .rsb = s[TSR_DEVICE_B] == 1 ? size : 2 * size};
  return true;
}

static bool take_desc(struct explain *e, const struct request *r) {
  tsr_gemm_desc *d = &e->desc;
  if (e->context->device && d->type != TSR_S8) d->type_c = TSR_F32;
  if (r->to && !read_type(r->to, &d->type_c)) return wrong("--to is \"%s\": there is no such type", r->to);
  d->lda = r->lda ? r->lda : d->trans_a == TSR_TRANS ? d->m : d->k;
  d->ldb = r->ldb ? r->ldb : d->trans_b == TSR_TRANS ? d->k : d->n;
  d->ldc = r->ldc ? r->ldc : d->n;
  if (tsr_gemm_check(e->context, d) != TSR_OK) return wrong("%s", tsr_last_error());
  if (!e->context->device && tsr_gemm_is_fused(d))
    return wrong("on a CPU use type f32 or f64: products of 16 bits and of integers are convolutions of one tap, which "
                 "`tessera explain conv %s '%lld->%lld@%lld' 1` explains",
                 d->type == TSR_F16 ? "f16" : d->type == TSR_BF16 ? "bf16" : "s8:s32", (long long)d->k,
                 (long long)d->n, (long long)d->m);
  tsr_gemm_normalise(d, NULL, NULL, NULL, &e->p);
  if (e->context->device) tsr_gemm_device_shape(&e->p, &e->shape);
  else tsr_gemm_shape_of(&e->p, tsr_threads_available(e->context), &e->shape);
  return true;
}

/* Operands 1 to n - 1 in one text. */
static bool join(int n, char **operand, char *text, size_t size) {
  size_t used = 0;
  text[0] = 0;
  for (int at = 1; at < n; at++) {
    used += (size_t)snprintf(text + used, size - used, "%s%s", used ? " " : "", operand[at]);
    if (used >= size) return wrong("the shape is too long");
  }
  return true;
}

/* attention, and a shape as attention.h reads them. */
static bool read_attention(struct explain *e, const struct request *r, int n, char **operand) {
  char text[TSR_VALUES_TEXT], why[TSR_WHY_TEXT];
  if (n == 1)
    return wrong("which shape? Say batch x heads / those of keys x queries x keys x size: 1x32/8x1024x1024x128");
  if (r->lda || r->ldb || r->ldc || r->to) return wrong("--lda, --ldb, --ldc and --to are for gemm");
  if (!join(n, operand, text, sizeof text)) return false;
  if (!attention_shape_of_text(e->context, text, &e->shape, why)) return wrong("%s", why);
  tsr_set_num_threads(e->context, (int)e->shape.at[TSR_ATTENTION_THREADS]);
  e->desc.size = 0;
  explain_take_attention(e);
  return true;
}

/* conv, and a shape as conv.h reads them. */
static bool read_conv(struct explain *e, const struct request *r, int n, char **operand) {
  char text[TSR_VALUES_TEXT], why[TSR_WHY_TEXT];
  if (n == 1) return wrong("which shape? Say channels->filters@size kernel/stride: 64->128@56 3x3/2");
  if (r->lda || r->ldb || r->ldc || r->to) return wrong("--lda, --ldb, --ldc and --to are for gemm");
  if (!join(n, operand, text, sizeof text)) return false;
  if (!conv_shape_of_text(e->context, text, &e->shape, why)) return wrong("%s", why);
  tsr_set_num_threads(e->context, (int)e->shape.at[TSR_CONV_THREADS]);
  e->desc.size = 0;
  explain_take_conv(e);
  return true;
}

/* gemm [TYPE] MxNxK [NN|NT|TN|TT], or gemm [TYPE] WORD=... */
static bool read_operands(struct explain *e, const struct request *r, int n, char **operand) {
  char words[TSR_VALUES_TEXT] = "";
  tsr_gemm_desc *d = &e->desc;
  int at = 1;
  if (strcmp(operand[0], "attention") == 0) return read_attention(e, r, n, operand);
  if (strcmp(operand[0], "conv") == 0) return read_conv(e, r, n, operand);
  if (strcmp(operand[0], "gemm") != 0)
    return wrong("there is no operator \"%s\": use gemm, attention or conv", operand[0]);
  d->type = e->context->device ? TSR_F16 : TSR_F32;
  if (at < n && read_type(operand[at], &d->type)) at++;
  if (at == n) return wrong("which product? Say its sizes, such as 512x4096x1000");
  if (!strchr(operand[at], '=')) {
    if (!read_sizes(operand[at++], d)) return false;
    if (at < n && !read_layouts(operand[at++], d))
      return wrong("\"%s\" is no layout: use NN, NT, TN or TT", operand[at - 1]);
    return at < n ? wrong("\"%s\" is too much", operand[at]) : take_desc(e, r);
  }
  for (size_t used = 0; at < n; at++) {
    used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", used ? " " : "", operand[at]);
    if (used >= sizeof words) return wrong("the shape is too long");
  }
  d->size = 0;
  if (r->lda || r->ldb || r->ldc) return wrong("--lda, --ldb and --ldc go with sizes: a shape in words has \"pages\"");
  return take_shape_words(e, words, d->type);
}

enum option_code { THREADS = 256, PLAN, LDA, LDB, LDC, MEASURE, DEVICE, TO, JSON };

static bool read_option(struct explain *e, struct request *r, int option, const char *value) {
  int64_t threads = 0;
  switch (option) {
    case THREADS:
      if (!read_number("--threads", value, TSR_MAX_THREADS, &threads)) return false;
      r->threads = (int)threads;
      return true;
    case PLAN: e->plan_words = value; return true;
    case LDA: return read_number("--lda", value, (int64_t)1 << 40, &r->lda);
    case LDB: return read_number("--ldb", value, (int64_t)1 << 40, &r->ldb);
    case LDC: return read_number("--ldc", value, (int64_t)1 << 40, &r->ldc);
    case MEASURE: e->measure = true; return true;
    case DEVICE: r->device = value; return true;
    case TO: r->to = value; return true;
    default: e->json = true; return true;
  }
}

static int read_command_line(struct explain *e, struct request *r, int argc, char **argv) {
  static const struct option options[] = {
      {"threads", required_argument, NULL, THREADS}, {"plan", required_argument, NULL, PLAN},
      {"lda", required_argument, NULL, LDA},         {"ldb", required_argument, NULL, LDB},
      {"ldc", required_argument, NULL, LDC},         {"measure", no_argument, NULL, MEASURE},
      {"device", required_argument, NULL, DEVICE},   {"to", required_argument, NULL, TO},
      {"json", no_argument, NULL, JSON},             {0}};
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    if (option == '?') return command_misused(&command_explain);
    if (!read_option(e, r, option, optarg)) return EXIT_USAGE;
  }
  return optind < argc ? 0 : command_misused(&command_explain);
}

static bool open_context(struct explain *e, const struct request *r, const char *operator_name) {
  if (r->device && !strchr(r->device, ':'))
    return wrong("\"%s\" is not a device: use a name like accel:910b", r->device);
  tsr_status status = r->device ? tsr_context_create(r->device, &e->context) : tsr_context_get(NULL, &e->context);
  if (status != TSR_OK) return wrong("%s", tsr_last_error());
  if (r->threads) tsr_set_num_threads(e->context, r->threads);
  e->op = tsr_operator_of(e->context, operator_name);
  if (!e->op && r->device && (strcmp(operator_name, "attention") == 0 || strcmp(operator_name, "conv") == 0))
    return wrong("%s's blocks on a device are not chosen from plans: tessera accel tells of its runs",
                 operator_name);
  return e->op || wrong("there is no operator \"%s\": use gemm, attention or conv", operator_name);
}

static void tell_loops(struct explain *e) {
  if (is_conv(e->op)) explain_loops_of_conv(e);
  else if (is_attention(e->op)) explain_loops_of_attention(e);
  else if (e->context->device) explain_loops_of_device(e);
  else explain_loops(e);
}

static int tell(struct explain *e) {
  if (!decide(e)) return EXIT_USAGE;
  if (!e->small || is_conv(e->op)) tell_loops(e);
  if (!e->small) explain_predict(e);
  if (is_attention(e->op)) explain_limits_of_attention(e);
  else if (is_conv(e->op)) explain_limits_of_conv(e);
  else explain_limits(e);
  if (e->measure && !explain_measure(e)) return EXIT_FAILURE;
  if (e->json) explain_print_json(e);
  else explain_print(e);
  return 0;
}

static int explain(int argc, char **argv) {
  static struct explain e; /* large */
  struct request request = {0};
  e.desc = (tsr_gemm_desc)TSR_GEMM_DESC;
  int status = read_command_line(&e, &request, argc, argv);
  if (status) return status;
  status = EXIT_USAGE;
  bool asked = open_context(&e, &request, argv[optind]) &&
               read_operands(&e, &request, argc - optind, argv + optind);
  if (asked) status = tell(&e);
  if (request.device) tsr_context_destroy(e.context);
  return status;
}

const struct command command_explain = {
    "explain",
    "explain gemm [f32|f64] MxNxK [NN|NT|TN|TT] [--threads N] [--plan \"path=packed ...\"] [--lda N] [--ldb N] "
    "[--ldc N] [--device NAME [--to TYPE]] [--measure] [--json] | explain attention [f16] "
    "BATCHxHEADS[/KV_HEADS]xQUERIESxKEYSxSIZE[/SIZE_V] [causal] [mask] [panels] [--threads N] "
    "[--plan \"lanes=keys ...\"] [--measure] [--json] | explain conv [f32] CHANNELS->FILTERS@SIZE KERNEL[/STRIDE] "
    "[pPAD[:END]] [dDILATION] [gGROUPS] [T] [NBATCH] [nhwc|nchw] [--threads N] [--plan \"order=panels ...\"] "
    "[--measure] [--json]",
    "why a product, attention or a convolution takes the plan it takes, what the plan does, and how far that is from "
    "what the machine allows",
    explain};
