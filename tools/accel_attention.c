/* tessera accel attention: one call of the library on a simulated device, and where its time went. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accel.h"
#include "kernels/accel_sim/device.h"
#include "src/core/core.h"

struct job {
  const char *device, *trace, *html;
  bool roofline;
  tsr_attention_desc d;
  char name[320]; /* the device with its options */
};

static const char *const type_names[] = {"", "f32", "f64", "f16", "bf16"};

static bool read_type(const char *text, tsr_type *type) {
  for (int t = TSR_F32; t <= TSR_BF16; t++)
    if (!strcmp(text, type_names[t])) return *type = (tsr_type)t, true;
  fprintf(stderr, "tessera accel: there is no type \"%s\": use f16 or bf16, and f32 for the result if wanted\n", text);
  return false;
}

static bool read_causal(const char *text, tsr_causal *causal) {
  *causal = !strcmp(text, "top-left") ? TSR_CAUSAL_TOP_LEFT : TSR_CAUSAL_BOTTOM_RIGHT;
  if (*causal == TSR_CAUSAL_TOP_LEFT || !strcmp(text, "bottom-right")) return true;
  fprintf(stderr, "tessera accel: \"%s\" is no corner: use top-left or bottom-right\n", text);
  return false;
}

static bool read_option(struct job *job, int option, const char *value) {
  switch (option) {
    case 'd': job->device = value; return true;
    case 't': return read_type(value, &job->d.type_q);
    case 'o': return read_type(value, &job->d.type_out);
    case 'k': return accel_read_size(value, &job->d.heads_kv);
    case 'b': return accel_read_size(value, &job->d.batch);
    case 'c': return read_causal(value, &job->d.causal);
    case 'p': job->d.plan = value; return true;
    case 'T': job->trace = value; return true;
    case 'h': job->html = value; return true;
    case 'r': job->roofline = true; return true;
    default: return false;
  }
}

static int read_sizes(struct job *job, int n, char **text) {
  tsr_attention_desc *d = &job->d;
  int64_t *size[] = {&d->len_q, &d->len_kv, &d->heads_q, &d->d_qk, &d->d_v};
  if (n < 4 || n > 5) return command_misused(&accel_command_attention);
  for (int i = 0; i < n; i++)
    if (!accel_read_size(text[i], size[i])) return EXIT_USAGE;
  if (n == 4) d->d_v = d->d_qk;
  if (!d->heads_kv) d->heads_kv = d->heads_q;
  d->type_k = d->type_v = d->type_q;
  if (!d->type_out) d->type_out = d->type_q;
  if (d->heads_q % d->heads_kv == 0) return 0;
  fprintf(stderr, "tessera accel: %lld heads cannot share %lld of keys equally\n", (long long)d->heads_q,
          (long long)d->heads_kv);
  return EXIT_USAGE;
}

static int read_command_line(struct job *job, int argc, char **argv) {
  static const struct option options[] = {
      {"device", required_argument, 0, 'd'}, {"type", required_argument, 0, 't'},
      {"to", required_argument, 0, 'o'},     {"batch", required_argument, 0, 'b'},
      {"causal", required_argument, 0, 'c'}, {"kv-heads", required_argument, 0, 'k'},
      {"plan", required_argument, 0, 'p'},   {"trace", required_argument, 0, 'T'},
      {"html", required_argument, 0, 'h'},   {"roofline", no_argument, 0, 'r'},
      {0}};
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    if (option == '?') return command_misused(&accel_command_attention);
    if (!read_option(job, option, optarg)) return EXIT_USAGE;
  }
  int status = read_sizes(job, argc - optind, argv + optind);
  if (status) return status;
  if (!strchr(job->device, ':')) {
    fprintf(stderr, "tessera accel: \"%s\" is not a device: use a name like accel:910b\n", job->device);
    return EXIT_USAGE;
  }
  snprintf(job->name, sizeof job->name, "%.256s,time-only%s", job->device, job->trace ? ",trace" : "");
  return 0;
}

/* The call, on tensors that nobody fills: without data nothing is computed again (doc/attention-devices.md). */
static tsr_status attend(tsr_context *context, tsr_attention_desc *d) {
  void *q, *k, *v, *out;
  int64_t rows = d->batch * d->heads_q * d->len_q, keys = d->batch * d->heads_kv * d->len_kv;
  int64_t size = tsr_size_of(d->type_q);
  tsr_attention_set_sizes(d, d->batch, d->heads_q, d->heads_kv, d->len_q, d->len_kv, d->d_qk, d->d_v);
  tsr_status status = tsr_device_alloc(context, (size_t)(rows * d->d_qk * size), &q);
  if (status == TSR_OK) status = tsr_device_alloc(context, (size_t)(keys * d->d_qk * size), &k);
  if (status == TSR_OK) status = tsr_device_alloc(context, (size_t)(keys * d->d_v * size), &v);
  if (status == TSR_OK) status = tsr_device_alloc(context, (size_t)(rows * d->d_v * tsr_size_of(d->type_out)), &out);
  if (status == TSR_OK) status = tsr_attention(context, d, q, k, v, out, NULL);
  return status == TSR_OK ? tsr_synchronize(context) : status;
}

static int attention(int argc, char **argv) {
  struct job job = {.device = "accel:910b", .d = TSR_ATTENTION_DESC};
  tsr_attention_desc *d = &job.d;
  tsr_context *context = NULL;
  char title[160];
  d->type_q = TSR_F16;
  d->type_out = (tsr_type)0;
  d->batch = 1;
  int status = read_command_line(&job, argc, argv);
  if (status) return status;
  if (tsr_context_create(job.name, &context) != TSR_OK || attend(context, d) != TSR_OK) {
    fprintf(stderr, "tessera accel: %s\n", tsr_last_error());
    tsr_context_destroy(context);
    return EXIT_FAILURE;
  }
  snprintf(title, sizeof title, "attention %lldx%lld, %lld heads of %lld, %s", (long long)d->len_q,
           (long long)d->len_kv, (long long)(d->batch * d->heads_q), (long long)d->d_qk, type_names[d->type_q]);
  struct accel_machine *machine = accel_device_machine(context->device);
  struct accel_outputs outputs = {title, job.trace, job.html, job.roofline ? accel_report_roofline : accel_report_text};
  bool told = accel_write_reports(&outputs, machine, accel_machine_params(machine), 0);
  tsr_context_destroy(context);
  return told ? 0 : EXIT_FAILURE;
}

const struct command accel_command_attention = {
    "attention",
    "accel attention QUERIES KEYS HEADS D [D_V] [--device NAME] [--type f16|bf16] [--to TYPE] [--batch N] "
    "[--kv-heads N] [--causal top-left|bottom-right] [--plan WORDS] [--roofline] [--trace OUT.json] [--html OUT.html]",
    "run the library's attention on a device and tell where the time went", attention};
