/* What was found out, for people and as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "conv.h"
#include "explain.h"

static const char *const type_names[] = {"", "f32", "f64", "f16", "bf16", "s8", "s32",
                                         [TSR_C32] = "c32", "c64"};

static void words_of_plan(const struct explain *e, const struct tsr_values *plan, char *text) {
  tsr_values_print(e->op->plan, e->op->nplan, plan, text);
}

static void words_of_shape(const struct explain *e, char *text) {
  tsr_values_print(e->op->shape, e->op->nshape, &e->shape, text);
}

/* Where the model's coefficients come from. */
static void costs_source(const struct explain *e, char *text, size_t size) {
  const char *source = e->context->device ? "" : tsr_table_costs_source(tsr_table_of(e->context, e->op));
  if (e->context->device) snprintf(text, size, "the device's own parameters");
  else if (strcmp(source, "calibration") == 0)
    snprintf(text, size, "measured on this machine by tessera tune --calibrate");
  else if (strcmp(source, "defaults") == 0)
    snprintf(text, size, "defaults, since this CPU is not known: tessera tune --calibrate measures it");
  else snprintf(text, size, "shipped for the CPU family %s", source);
}

/* "f32 512 x 4096 x 1000 NT", "" when the shape was given in the tuner's words. */
static void product(const struct explain *e, char *text, size_t size) {
  const tsr_gemm_desc *d = &e->desc;
  text[0] = 0;
  if (!d->size) return;
  snprintf(text, size, "%s %" PRId64 " x %" PRId64 " x %" PRId64 " %c%c", type_names[d->type], d->m, d->n, d->k,
           d->trans_a == TSR_TRANS ? 'T' : 'N', d->trans_b == TSR_TRANS ? 'T' : 'N');
}

/* --- for people --------------------------------------------------------------------------------------------------- */

static void print_lines(const char *title, const struct explain_lines *lines) {
  for (int i = 0; i < lines->n; i++)
    printf("%-11s %*s%s\n", i ? "" : title, 2 * lines->at[i].depth, "", lines->at[i].text);
}

static void print_question(const struct explain *e) {
  char text[TSR_VALUES_TEXT], key[TSR_KEY_TEXT];
  product(e, text, sizeof text);
  if (*text)
    printf("%-11s %s, row-major: computed as its transpose, so that m is the %" PRId64 " columns of C\n", "product",
           text, e->desc.n);
  words_of_shape(e, text);
  printf("%-11s %s\n", "shape", text);
  tsr_machine_key(e->context, key);
  printf("%-11s %s\n", "machine", key);
  tsr_kernels_key(e->context, e->op, key);
  costs_source(e, text, sizeof text);
  printf("%-11s %s\n%-11s %s\n", "kernels", key, "costs", text);
}

static void print_prediction(const struct explain *e) {
  char text[TSR_VALUES_TEXT];
  printf("\n%-11s %s", "predicted", explain_seconds(e->plan.predicted).text);
  for (int i = 0; i < PARTS; i++)
    if (e->parts[PART_COMPUTING] > 0)
      printf("%s %s %s", i ? "," : ":", explain_parts[i], explain_seconds(e->parts[i]).text);
  printf("\n");
  words_of_plan(e, &e->rule.values, text);
  printf("%-11s %s by the rule's plan: %s\n", "", explain_seconds(e->rule.predicted).text, text);
  for (int i = 0; i < e->nnext; i++) {
    words_of_plan(e, &e->next[i].values, text);
    printf("%-11s %s %s: %s\n", "", explain_seconds(e->next[i].predicted).text, i ? "then" : "by the next best", text);
  }
  printf("%-11s of %d candidate%s in the pruned space\n", "", e->candidates, e->candidates == 1 ? "" : "s");
}

static void print_limits(const struct explain *e) {
  printf("\n%-11s %.4g Gflop on %s of operands, each once: %.3g flops a byte\n", "limits", 1e-9 * e->flops,
         explain_bytes(e->bytes).text, e->flops / e->bytes);
  double limit = e->limits[e->bound].seconds;
  for (int i = 0; i < e->nlimits; i++) {
    printf("%-11s %-34s %10s", "", e->limits[i].what, explain_seconds(e->limits[i].seconds).text);
    if (i == e->bound) printf("  <- the limit: %.1f GFLOP/s\n", 1e-9 * e->flops / limit);
    else printf("  %.0f %% of that\n", 100 * e->limits[i].seconds / limit);
  }
  printf("%-11s %s\n", "so", e->verdict);
}

static double predicted_of(const struct explain *e, int i) {
  const struct tsr_values *plan = e->times[i].plan;
  if (!plan) return 0;
  if (plan == &e->plan.values) return e->plan.predicted;
  return plan == &e->rule.values ? e->rule.predicted : e->next[0].predicted;
}

static void print_times(const struct explain *e) {
  printf("\n");
  for (int i = 0; i < e->ntimes; i++) {
    const struct explain_times *t = &e->times[i];
    double limit = e->limits[e->bound].seconds, predicted = predicted_of(e, i);
    if (t->runs == 0) continue;
    printf("%-11s %-16s best %s, median %s of %d run%s: %.1f GFLOP/s, %.0f %% of the limit", i ? "" : "measured",
           t->name, explain_seconds(t->best).text, explain_seconds(t->median).text, t->runs, t->runs > 1 ? "s" : "",
           1e-9 * e->flops / t->best, 100 * limit / t->best);
    if (predicted > 0) printf(", %.2f x the prediction", t->best / predicted);
    printf("\n");
  }
}

void explain_print(const struct explain *e) {
  char text[TSR_VALUES_TEXT];
  print_question(e);
  printf("\n");
  print_lines("why", &e->trail);
  printf("\n");
  if (e->small) {
    printf("%-11s none%s\n", "plan", is_conv(e->op) ? " to choose from" : ": the small path");
  } else {
    words_of_plan(e, &e->plan.values, text);
    printf("%-11s %s\n", "plan", text);
  }
  print_lines("loops", &e->loops);
  print_lines("tiles", &e->kernels);
  if (!e->small) print_prediction(e);
  print_limits(e);
  if (e->ntimes > 0) print_times(e);
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

static void put_string(const char *text) {
  putchar('"');
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\') printf("\\%c", c);
    else if (c < 0x20) printf("\\u%04x", c);
    else putchar(c);
  }
  putchar('"');
}

static void put(const char *name, const char *text) {
  printf("  \"%s\": ", name);
  put_string(text);
  printf(",\n");
}

static void put_lines(const char *name, const struct explain_lines *lines) {
  printf("  \"%s\": [", name);
  for (int i = 0; i < lines->n; i++) {
    printf("%s\n    {\"depth\": %d, \"text\": ", i ? "," : "", lines->at[i].depth);
    put_string(lines->at[i].text);
    printf("}");
  }
  printf("],\n");
}

static void put_plan(const struct explain *e, const struct explain_plan *plan) {
  char text[TSR_VALUES_TEXT];
  words_of_plan(e, &plan->values, text);
  printf("{\"plan\": ");
  put_string(text);
  printf(", \"predicted\": %.9g}", plan->predicted);
}

static void put_prediction(const struct explain *e) {
  printf("  \"chosen\": ");
  put_plan(e, &e->plan);
  printf(",\n  \"rule\": ");
  put_plan(e, &e->rule);
  printf(",\n  \"next\": [");
  for (int i = 0; i < e->nnext; i++) {
    printf("%s", i ? ", " : "");
    put_plan(e, &e->next[i]);
  }
  printf("],\n  \"considered\": %d,\n  \"candidates\": %d,\n", e->choice.considered, e->candidates);
  if (e->parts[PART_COMPUTING] <= 0) return;
  printf("  \"parts\": {");
  for (int i = 0; i < PARTS; i++) printf("%s\"%s\": %.9g", i ? ", " : "", explain_parts[i], e->parts[i]);
  printf("},\n");
}

static void put_limits(const struct explain *e) {
  printf("  \"flops\": %.17g,\n  \"bytes\": %.17g,\n  \"limits\": [", e->flops, e->bytes);
  for (int i = 0; i < e->nlimits; i++) {
    printf("%s\n    {\"what\": ", i ? "," : "");
    put_string(e->limits[i].what);
    printf(", \"seconds\": %.9g}", e->limits[i].seconds);
  }
  printf("],\n");
  put("limit", e->limits[e->bound].what);
}

static void put_times(const struct explain *e) {
  printf("  \"measured\": [");
  for (int i = 0; i < e->ntimes; i++)
    printf("%s\n    {\"what\": \"%s\", \"best\": %.9g, \"median\": %.9g, \"runs\": %d}", i ? "," : "", e->times[i].name,
           e->times[i].best, e->times[i].median, e->times[i].runs);
  printf("],\n");
}

void explain_print_json(const struct explain *e) {
  char text[TSR_VALUES_TEXT], key[TSR_KEY_TEXT];
  printf("{\n");
  product(e, text, sizeof text);
  put("product", text);
  words_of_shape(e, text);
  put("shape", text);
  tsr_machine_key(e->context, key);
  put("machine", key);
  tsr_kernels_key(e->context, e->op, key);
  put("kernels", key);
  costs_source(e, text, sizeof text);
  put("costs", text);
  put("source", e->small && !is_conv(e->op) ? "the small path" : tsr_source_names[e->choice.source]);
  put_lines("why", &e->trail);
  if (!e->small) {
    put_lines("loops", &e->loops);
    put_prediction(e);
  }
  put_lines("tiles", &e->kernels);
  put_limits(e);
  if (e->ntimes > 0) put_times(e);
  printf("  \"verdict\": ");
  put_string(e->verdict);
  printf("\n}\n");
}
