/* tessera accel conv: one convolution of the library on a simulated device, and where its time went. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accel.h"
#include "kernels/accel_sim/device.h"
#include "src/conv/device.h"

static const char *const type_names[] = {"", "f32", "f64", "f16", "bf16"};

struct job {
  const char *device, *trace, *html;
  bool roofline, bias;
  tsr_conv_desc d;
  int64_t pad; /* below 0: half of the kernel's reach */
  char name[320]; /* the device with its options */
};

static bool read_type(const char *text, tsr_type *type) {
  for (int t = TSR_F32; t <= TSR_BF16; t++)
    if (!strcmp(text, type_names[t])) return *type = (tsr_type)t, true;
  fprintf(stderr, "tessera accel: there is no type \"%s\": use f16 or bf16, and f32 for the result if wanted\n", text);
  return false;
}

static bool read_pad(const char *text, int64_t *pad) {
  char *end;
  *pad = strtoll(text, &end, 10);
  if (end != text && !*end && *pad >= 0 && *pad < 1 << 15) return true;
  fprintf(stderr, "tessera accel: the padding \"%s\" is not a number from 0 to 32767\n", text);
  return false;
}

static bool read_both(const char *text, int64_t *sizes) {
  bool good = accel_read_size(text, &sizes[0]);
  sizes[1] = sizes[0];
  return good;
}

static bool read_option(struct job *job, int option, const char *value) {
  tsr_conv_desc *d = &job->d;
  switch (option) {
    case 'D': job->device = value; return true;
    case 't': return read_type(value, &d->type_x);
    case 'o': return read_type(value, &d->type_y);
    case 'b': return accel_read_size(value, &d->batch);
    case 'g': return accel_read_size(value, &d->groups);
    case 's': return read_both(value, d->stride);
    case 'd': return read_both(value, d->dilation);
    case 'p': return read_pad(value, &job->pad);
    case 'B': job->bias = true; return true;
    case 'R': d->post.activation = TSR_RELU; return true;
    case 'T': job->trace = value; return true;
    case 'h': job->html = value; return true;
    case 'r': job->roofline = true; return true;
    default: return false;
  }
}

static int read_sizes(struct job *job, int n, char **text) {
  tsr_conv_desc *d = &job->d;
  int64_t *size[] = {&d->channels, &d->filters, &d->in[0], &d->in[1], &d->kernel[0], &d->kernel[1]};
  if (n != 6) return command_misused(&accel_command_conv);
  for (int i = 0; i < n; i++)
    if (!accel_read_size(text[i], size[i])) return EXIT_USAGE;
  d->type_w = d->type_x;
  for (int i = 0; i < 2; i++)
    d->pad_begin[i] = d->pad_end[i] = job->pad < 0 ? d->dilation[i] * (d->kernel[i] - 1) / 2 : job->pad;
  if (tsr_conv_set_out(d) == TSR_OK) return 0;
  fprintf(stderr, "tessera accel: %s\n", tsr_last_error());
  return EXIT_USAGE;
}

static int read_command_line(struct job *job, int argc, char **argv) {
  static const struct option options[] = {
      {"device", required_argument, 0, 'D'}, {"type", required_argument, 0, 't'},
      {"to", required_argument, 0, 'o'},     {"batch", required_argument, 0, 'b'},
      {"groups", required_argument, 0, 'g'}, {"stride", required_argument, 0, 's'},
      {"dilation", required_argument, 0, 'd'}, {"pad", required_argument, 0, 'p'},
      {"bias", no_argument, 0, 'B'},         {"relu", no_argument, 0, 'R'},
      {"trace", required_argument, 0, 'T'},  {"html", required_argument, 0, 'h'},
      {"roofline", no_argument, 0, 'r'},     {0}};
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    if (option == '?') return command_misused(&accel_command_conv);
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

/* The call, on tensors that nobody fills: time does not depend on them. */
static tsr_status convolve(tsr_context *context, const struct job *job) {
  const tsr_conv_desc *d = &job->d;
  void *x, *w, *y, *bias = NULL;
  size_t size = (size_t)tsr_size_of(d->type_x), plane = (size_t)(d->in[0] * d->in[1]);
  size_t pixels = (size_t)(d->batch * d->out[0] * d->out[1]);
  size_t taps = (size_t)(d->kernel[0] * d->kernel[1] * d->channels / d->groups), filters = (size_t)d->filters;
  tsr_status status = tsr_device_alloc(context, (size_t)(d->batch * d->channels) * plane * size, &x);
  if (status == TSR_OK) status = tsr_device_alloc(context, filters * taps * size, &w);
  if (status == TSR_OK) status = tsr_device_alloc(context, pixels * filters * 4, &y);
  if (status == TSR_OK && job->bias) status = tsr_device_alloc(context, filters * 4, &bias);
  if (status == TSR_OK) status = tsr_conv_on_device(context, d, x, w, bias, y);
  return status == TSR_OK ? tsr_synchronize(context) : status;
}

static int conv(int argc, char **argv) {
  struct job job = {.device = "accel:910b", .d = TSR_CONV_DESC, .pad = -1};
  tsr_conv_desc *d = &job.d;
  tsr_context *context = NULL;
  char title[200];
  d->type_x = TSR_F16;
  int status = read_command_line(&job, argc, argv);
  if (status) return status;
  if (tsr_context_create(job.name, &context) != TSR_OK || convolve(context, &job) != TSR_OK) {
    fprintf(stderr, "tessera accel: %s\n", tsr_last_error());
    tsr_context_destroy(context);
    return EXIT_FAILURE;
  }
  snprintf(title, sizeof title, "convolution %lld to %lld channels, %lld x %lldx%lld by %lldx%lld/%lld, %s",
           (long long)d->channels, (long long)d->filters, (long long)d->batch, (long long)d->in[0],
           (long long)d->in[1], (long long)d->kernel[0], (long long)d->kernel[1], (long long)d->stride[0],
           type_names[d->type_x]);
  struct accel_machine *machine = accel_device_machine(context->device);
  struct accel_outputs outputs = {title, job.trace, job.html, job.roofline ? accel_report_roofline : accel_report_text};
  bool told = accel_write_reports(&outputs, machine, accel_machine_params(machine), 0);
  tsr_context_destroy(context);
  return told ? 0 : EXIT_FAILURE;
}

const struct command accel_command_conv = {
    "conv",
    "accel conv CHANNELS FILTERS HEIGHT WIDTH KERNEL_H KERNEL_W [--device NAME] [--type f16|bf16] [--to TYPE] "
    "[--batch N] [--groups N] [--stride N] [--dilation N] [--pad N] [--bias] [--relu] [--roofline] "
    "[--trace OUT.json] [--html OUT.html]",
    "run the library's convolution on a device and tell where the time went", conv};
