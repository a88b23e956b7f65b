/* What rows of the database belong to: machines, and kernels. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "src/core/topology.h"
#include "src/tune/tune.h"

/* Of an operator that has kernels of its own; "": of the others. */
static const struct {
  const char *chip, *operator, *sum;
} fingerprints[] = {
#define TSR_FINGERPRINT(chip, operator, sum) {chip, operator, sum},
#include "fingerprints.def"
#undef TSR_FINGERPRINT
    {NULL, NULL, "0"}};

static const char *fingerprint_of(const char *chip, const char *operator) {
  int i = 0;
  for (; fingerprints[i].chip; i++)
    if (strcmp(fingerprints[i].chip, chip) == 0 &&
        (!*fingerprints[i].operator || strcmp(fingerprints[i].operator, operator) == 0))
      break;
  return fingerprints[i].sum;
}

/* The CPU as /proc/cpuinfo names it, by numbers: on x86 vendor, family and model, on Arm implementer and part. */
static char cpu[64];
static pthread_once_t cpu_once = PTHREAD_ONCE_INIT;

static void note_value(const char *line, const char *key) {
  const char *colon = strchr(line, ':');
  size_t length = strlen(key), used = strlen(cpu);
  if (!colon || strncmp(line, key, length) != 0 || (line[length] != '\t' && line[length] != ' ')) return;
  if (strspn(line + length, " \t") != (size_t)(colon - line) - length) return;
  snprintf(cpu + used, sizeof cpu - used, "%s%s", used ? "-" : "", colon + 1 + strspn(colon + 1, " \t"));
  cpu[strcspn(cpu, "\n")] = 0;
}

static void read_cpu(void) {
  static const char *const keys[] = {"vendor_id", "cpu family", "model", "CPU implementer", "CPU part"};
  char line[256];
  FILE *file = fopen("/proc/cpuinfo", "re");
  cpu[0] = 0; /* a child forked in the midst of this begins again */
  /* The first CPU's paragraph ends with an empty line. */
  while (file && fgets(line, sizeof line, file) && *line != '\n')
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) note_value(line, keys[i]);
  if (file) fclose(file);
  if (!cpu[0]) snprintf(cpu, sizeof cpu, "unknown");
}

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
static uint64_t hash(const char *text) {
  uint64_t h = 0xcbf29ce484222325u;
  for (; *text; text++) h = (h ^ (unsigned char)*text) * 0x100000001b3u;
  return h;
}

static void device_key(const struct tsr_device *device, char *text) {
  char about[1024] = "";
  device->chip->describe(device, about, sizeof about);
  snprintf(text, TSR_KEY_TEXT, "%s %016llx", device->chip->isa, (unsigned long long)hash(about));
}

void tsr_machine_key(const tsr_context *context, char *text) {
  if (context->device) {
    device_key(context->device, text);
    return;
  }
  const struct tsr_topology *t = tsr_topology_get();
  pthread_once(&cpu_once, read_cpu);
  int used = snprintf(text, TSR_KEY_TEXT, "%s %s-%zu", cpu, context->isa, 8 * context->kernels->chip->vector_bytes());
  for (int i = 0; i < t->nlevels && used < TSR_KEY_TEXT; i++)
    used += snprintf(text + used, TSR_KEY_TEXT - (size_t)used, " L%d=%zuK", i + 1, t->level[i].bytes >> 10);
}

void tsr_kernels_key(const tsr_context *context, const struct tsr_operator *op, char *text) {
  const char *chip = context->device ? context->device->chip->name : context->kernels->chip->name;
  snprintf(text, TSR_KEY_TEXT, "%s-%s %s-%d", chip, fingerprint_of(chip, op->name), op->name, op->rule);
}
