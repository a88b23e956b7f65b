/* tessera accel gemm: one product of the library on a simulated device, and where its time went. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accel.h"
#include "kernels/accel_sim/device.h"
#include "src/core/core.h"

static const char *const type_names[] = {"", "f32", "f64", "f16", "bf16", "s8", "s32"};

struct job {
  const char *device, *trace, *html;
  bool roofline;
  tsr_gemm_desc d;
  char name[320]; /* the device with its options */
};

static bool read_type(const char *text, tsr_type *type) {
  for (int t = TSR_F32; t <= TSR_S32; t++)
    if (!strcmp(text, type_names[t])) return *type = (tsr_type)t, true;
  fprintf(stderr, "tessera accel: there is no type \"%s\": use f16, bf16, s8, and f32 or s32 for the result\n", text);
  return false;
}

static bool read_option(struct job *job, int option, const char *value) {
  switch (option) {
    case 'd': job->device = value; return true;
    case 't': return read_type(value, &job->d.type);
    case 'c': return read_type(value, &job->d.type_c);
    case 'A': job->d.trans_a = TSR_TRANS; return true;
    case 'B': job->d.trans_b = TSR_TRANS; return true;
    case 'T': job->trace = value; return true;
    case 'h': job->html = value; return true;
    case 'r': job->roofline = true; return true;
    default: return false;
  }
}

static int read_command_line(struct job *job, int argc, char **argv) {
  static const struct option options[] = {
      {"device", required_argument, 0, 'd'}, {"type", required_argument, 0, 't'},  {"to", required_argument, 0, 'c'},
      {"trans-a", no_argument, 0, 'A'},      {"trans-b", no_argument, 0, 'B'},     {"trace", required_argument, 0, 'T'},
      {"html", required_argument, 0, 'h'},   {"roofline", no_argument, 0, 'r'},    {0}};
  tsr_gemm_desc *d = &job->d;
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    if (option == '?') return command_misused(&accel_command_gemm);
    if (!read_option(job, option, optarg)) return EXIT_USAGE;
  }
  if (argc - optind != 3) return command_misused(&accel_command_gemm);
  if (!accel_read_size(argv[optind], &d->m) || !accel_read_size(argv[optind + 1], &d->n) || !accel_read_size(argv[optind + 2], &d->k))
    return EXIT_USAGE;
  if (!strchr(job->device, ':')) {
    fprintf(stderr, "tessera accel: \"%s\" is not a device: use a name like accel:910b\n", job->device);
    return EXIT_USAGE;
  }
  if (!d->type_c && d->type != TSR_S8) d->type_c = TSR_F32;
  d->lda = d->trans_a == TSR_TRANS ? d->m : d->k;
  d->ldb = d->trans_b == TSR_TRANS ? d->k : d->n;
  d->ldc = d->n;
  snprintf(job->name, sizeof job->name, "%.256s,time-only%s", job->device, job->trace ? ",trace" : "");
  return 0;
}

/* The product, on operands that nobody fills: time does not depend on them. */
static tsr_status multiply(tsr_context *context, const tsr_gemm_desc *d) {
  void *a, *b, *c;
  tsr_status status = tsr_device_alloc(context, (size_t)(d->m * d->k * tsr_size_of(d->type)), &a);
  if (status == TSR_OK) status = tsr_device_alloc(context, (size_t)(d->n * d->k * tsr_size_of(d->type)), &b);
  if (status == TSR_OK) status = tsr_device_alloc(context, (size_t)(d->m * d->n * 4), &c);
  if (status == TSR_OK) status = tsr_gemm(context, d, a, b, c);
  return status == TSR_OK ? tsr_synchronize(context) : status;
}

static int gemm(int argc, char **argv) {
  struct job job = {.device = "accel:910b", .d = TSR_GEMM_DESC};
  tsr_context *context = NULL;
  char title[160];
  job.d.type = TSR_F16;
  int status = read_command_line(&job, argc, argv);
  if (status) return status;
  if (tsr_context_create(job.name, &context) != TSR_OK || multiply(context, &job.d) != TSR_OK) {
    fprintf(stderr, "tessera accel: %s\n", tsr_last_error());
    tsr_context_destroy(context);
    return EXIT_FAILURE;
  }
  snprintf(title, sizeof title, "gemm %lldx%lldx%lld %s", (long long)job.d.m, (long long)job.d.n, (long long)job.d.k,
           type_names[job.d.type]);
  struct accel_machine *machine = accel_device_machine(context->device);
  struct accel_outputs outputs = {title, job.trace, job.html, job.roofline ? accel_report_roofline : accel_report_text};
  bool told = accel_write_reports(&outputs, machine, accel_machine_params(machine), 0);
  tsr_context_destroy(context);
  return told ? 0 : EXIT_FAILURE;
}

const struct command accel_command_gemm = {
    "gemm",
    "accel gemm M N K [--device NAME] [--type f16|bf16|s8] [--to TYPE] [--trans-a] [--trans-b] [--roofline] "
    "[--trace OUT.json] [--html OUT.html]",
    "run the library's product on a device and tell where the time went", gemm};
