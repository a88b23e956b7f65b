/* tessera info: what the library found on this machine and what it makes of it. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "command.h"
#include "measure.h"
#include "src/core/core.h"
#include "src/core/topology.h"

/* The value of the first line of /proc/cpuinfo that begins with `key`; "" when there is none. */
static void cpuinfo(const char *key, char *value, size_t size) {
  char line[512];
  FILE *file = fopen("/proc/cpuinfo", "r");
  value[0] = 0;
  while (file && !value[0] && fgets(line, sizeof line, file)) {
    char *colon = strchr(line, ':');
    if (!colon || strncmp(line, key, strlen(key)) != 0) continue;
    line[strcspn(line, "\n")] = 0;
    snprintf(value, size, "%s", colon + 1 + strspn(colon + 1, " "));
  }
  if (file) fclose(file);
}

static void print_cpu(void) {
  char model[256], part[64];
  struct utsname system;
  cpuinfo("model name", model, sizeof model);
  cpuinfo("CPU part", part, sizeof part);
  uname(&system);
  if (model[0]) printf("CPU        %s (%s)\n", model, system.machine);
  else if (part[0]) printf("CPU        part %s (%s)\n", part, system.machine);
  else printf("CPU        %s\n", system.machine);
}

static void print_isas(const struct tsr_context *context) {
  int n;
  const struct tsr_chip *const *chips = tsr_chips(&n);
  for (int i = 0; i < n; i++) {
    char why[TSR_WHY] = "";
    bool usable = chips[i]->usable(why), used = strcmp(chips[i]->isa, context->isa) == 0;
    const char *forced = getenv("TESSERA_ISA");
    printf("%-10s %-8s ", i ? "" : "ISA", chips[i]->isa);
    if (used) printf("in use: %s\n", forced && *forced ? "TESSERA_ISA asks for it" : "the best that this CPU and system can run");
    else if (usable) printf("usable\n");
    else printf("not usable: %s\n", why);
  }
}

static void print_caches(const struct tsr_topology *t) {
  for (int i = 0; i < t->nlevels; i++)
    printf("%-10s L%d %6zu KiB, %2d ways, lines of %zu bytes, shared by %d\n", i ? "" : "caches", i + 1,
           t->level[i].bytes >> 10, t->level[i].ways, t->level[i].line, t->level[i].cores_sharing);
  printf("           as told by %s\n", t->source);
}

static void print_threads(const struct tsr_topology *t) {
  printf("threads    %d: ", tsr_get_num_threads(NULL));
  for (const char *const *name = (const char *const[]){"TESSERA_NUM_THREADS", "OMP_NUM_THREADS", NULL}; *name; name++)
    if (getenv(*name)) printf("%s=%s, ", *name, getenv(*name));
  printf("%d CPUs in the affinity mask, ", t->cpus_in_mask);
  if (t->quota > 0) printf("cgroup quota of %.2f CPUs\n", t->quota);
  else printf("no cgroup quota\n");
}

static void print_tile(const char *what, const struct tsr_tiles *tiles) {
  if (!tiles->mu) return;
  const struct tsr_kernel *k = tiles->tile[tiles->units][tiles->columns];
  int shapes = 0;
  for (int u = 0; u <= TSR_MAX_UNITS; u++)
    for (int c = 0; c <= TSR_MAX_COLUMNS; c++) shapes += tiles->tile[u][c] != NULL;
  printf("           %-13s %dx%d, one of %d tiles: %s\n", what, tiles->units * tiles->mu, tiles->columns, shapes, k->symbol);
}

static const struct tsr_kernel *first(const struct tsr_kernel *const *by_width) {
  for (int w = 0; w <= TSR_MAX_WIDTH; w++)
    if (by_width[w]) return by_width[w];
  return NULL;
}

static void print_kernel(const char *what, const struct tsr_kernel *k) {
  if (k) printf("           %-13s %s\n", what, k->symbol);
}

static void print_kernels(const struct tsr_context *context, tsr_type type, const char *name) {
  const struct tsr_kernels *kernels = &context->kernels[type];
  printf("%s kernels from kernels/%s, vectors of %zu bits\n", name, kernels->chip->name, 8 * kernels->chip->vector_bytes());
  print_tile("rows", &kernels->gemm);
  print_tile("along k", &kernels->gemm_at);
  print_kernel("pack rows", first(kernels->pack_n));
  print_kernel("pack along k", first(kernels->pack_t));
  print_kernel("update", kernels->update);
  print_kernel("update across", kernels->update_t);
  print_kernel("scale", kernels->scale);
}

/* What a device offers: its own words, then its kernels. */
static int info_of_device(const char *name) {
  static const char *const ops[TSR_OP_COUNT] = {[TSR_OP_GEMM] = "gemm", [TSR_OP_PACK_N] = "pack rows",
                                                [TSR_OP_PACK_T] = "pack along k", [TSR_OP_UPDATE] = "update",
                                                [TSR_OP_SCALE] = "scale", [TSR_OP_ATTEND] = "attend"};
  static const char *const types[] = {"", "f32", "f64", "f16", "bf16", "s8", "s32"};
  tsr_context *context = NULL;
  char text[1024];
  if (tsr_context_create(name, &context) != TSR_OK || !context->device) {
    fprintf(stderr, "tessera info: %s\n", context ? "that is not a device" : tsr_last_error());
    return EXIT_FAILURE;
  }
  const struct tsr_device_chip *chip = context->device->chip;
  chip->describe(context->device, text, sizeof text);
  printf("Tessera    %s\n%skernels from kernels/%s\n", tsr_version(), text, chip->name);
  for (int i = 0; i < chip->nkernels; i++)
    printf("           %-13s %s x %s -> %s: %s\n", ops[chip->kernel[i].op], types[chip->kernel[i].ta],
           types[chip->kernel[i].tb], types[chip->kernel[i].tc], chip->kernel[i].symbol);
  tsr_context_destroy(context);
  return 0;
}

static int info(int argc, char **argv) {
  static const struct option options[] = {{"measure", no_argument, 0, 'm'}, {"device", required_argument, 0, 'd'}, {0}};
  bool measure = false;
  const char *device = NULL;
  for (int option; (option = getopt_long(argc, argv, "md:", options, NULL)) != -1;) {
    if (option == 'd')
      device = optarg;
    else if (option == 'm')
      measure = true;
    else
      return command_misused(&command_info);
  }
  if (optind < argc || (measure && device)) return command_misused(&command_info);
  if (device) return info_of_device(device);
  tsr_context *context;
  if (tsr_context_get(NULL, &context) != TSR_OK) {
    fprintf(stderr, "tessera info: %s\n", tsr_last_error());
    return EXIT_FAILURE;
  }
  printf("Tessera    %s\n", tsr_version());
  print_cpu();
  print_isas(context);
  print_caches(tsr_topology_get());
  print_threads(tsr_topology_get());
  print_kernels(context, TSR_F32, "f32");
  print_kernels(context, TSR_F64, "f64");
  print_kernels(context, TSR_C32, "c32");
  print_kernels(context, TSR_C64, "c64");
  return measure ? measure_print() : 0;
}

const struct command command_info = {"info", "info [--measure | --device NAME]",
                                     "what this machine, or a device such as accel:910b, offers and which kernels are "
                                     "used", info};
