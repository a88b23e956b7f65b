/* tessera tune --calibrate: measures what steps cost on this machine, and keeps it for the model. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "src/tune/costs.h"
#include "src/tune/database.h"
#include "tune.h"

static void print_costs(const struct tsr_costs *shipped, const char *family, const struct tsr_costs *own) {
  printf("%-13s %12s %12s   (shipped: %s)\n", "", "shipped", "measured", family);
#define F(name)                                                                                       \
  if (shipped->name != own->name)                                                                     \
    printf("%-13s %12.4g %12.4g   %+.0f %%\n", #name, shipped->name, own->name, 100 * own->name / shipped->name - 100);
  TSR_COSTS(F)
#undef F
}

static tsr_status store(const char *machine, const struct tsr_costs *costs, char *path, size_t size) {
  char text[TSR_COSTS_TEXT];
  tsr_costs_print(costs, text, sizeof text);
  struct tsr_batch batch = {.costs_machine = machine, .costs = text, .costs_when = time(NULL)};
  tsr_status status = tsr_database_path(path, size);
  return status == TSR_OK ? tsr_database_write(path, &batch, NULL) : status;
}

int tune_calibrate(tsr_context *context, bool dry_run) {
  struct tsr_costs shipped, own;
  char machine[TSR_KEY_TEXT], path[4096];
  tsr_machine_key(context, machine);
  const char *family = tsr_costs_of_family(machine, &shipped);
  own = shipped;
  double start = tune_now();
  tsr_calibrate(context, &own);
  double took = tune_now() - start;
  printf("machine %s\n", machine);
  print_costs(&shipped, family, &own);
  printf("measured in %.0f ms; times in seconds, of a byte or a step\n", 1e3 * took);
  if (dry_run) return 0;
  if (store(machine, &own, path, sizeof path) != TSR_OK) {
    fprintf(stderr, "tessera tune: nothing is recorded: %s\n", tsr_last_error());
    return 1;
  }
  printf("recorded in %s\n", path);
  return 0;
}
