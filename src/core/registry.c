/* Contexts and the kernels they use: the lists of the chips in this build, sorted into tables for the loops. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/core.h"

#define TSR_CHIP(name) extern const struct tsr_chip tsr_chip_##name;
#include "chips.def"
#undef TSR_CHIP
#define TSR_DEVICE(name) extern const struct tsr_device_chip tsr_device_##name;
#include "devices.def"
#undef TSR_DEVICE

static const struct tsr_chip *const chips[] = {
#define TSR_CHIP(name) &tsr_chip_##name,
#include "chips.def"
#undef TSR_CHIP
};
enum { NCHIPS = sizeof chips / sizeof chips[0] };

const struct tsr_chip *const *tsr_chips(int *n) {
  *n = NCHIPS;
  return chips;
}

/* One table for each chip that this machine can run, filled when a context is first made. */
static struct tsr_kernels tables[NCHIPS][TSR_TYPES];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void add_tile(struct tsr_tiles *tiles, const struct tsr_kernel *k, int lanes) {
  int units = k->mr / k->mu, scale = k->per_vector ? lanes : 1;
  tiles->mu = k->mu * scale;
  if (!tiles->units) tiles->units = units, tiles->columns = k->nr;
  if (!tiles->units_for[k->nr]) tiles->units_for[k->nr] = units;
  if (k->nr > tiles->max_columns[units]) tiles->max_columns[units] = k->nr;
  if (!tiles->tile[units][k->nr]) tiles->tile[units][k->nr] = k;
}

static void add_pack(const struct tsr_kernel **by_width, const struct tsr_kernel *k, int lanes) {
  by_width[k->mr * (k->per_vector ? lanes : 1)] = k;
}

static void add_kernel(struct tsr_kernels *table, const struct tsr_kernel *k) {
  int lanes = (int)(table->chip->vector_bytes() / (size_t)tsr_size_of(k->tc));
  switch (k->op) {
    case TSR_OP_GEMM: add_tile(&table->gemm, k, lanes); break;
    case TSR_OP_GEMM_AT: add_tile(&table->gemm_at, k, lanes); break;
    case TSR_OP_SOLVE: add_tile(&table->solve, k, lanes); break;
    case TSR_OP_MULTIPLY: add_tile(&table->multiply, k, lanes); break;
    case TSR_OP_PACK_N: add_pack(table->pack_n, k, lanes); break;
    case TSR_OP_PACK_T: add_pack(table->pack_t, k, lanes); break;
    case TSR_OP_UPDATE: table->update = k; break;
    case TSR_OP_UPDATE_T: table->update_t = k; break;
    case TSR_OP_SCALE: table->scale = k; break;
    case TSR_OP_CONVERT: table->convert[k->tc] = k; break;
    case TSR_OP_CONV: add_tile(k->tb == TSR_U8 ? &table->conv_u8 : &table->conv, k, lanes); break;
    case TSR_OP_CONV_LANES: add_tile(k->tb == TSR_U8 ? &table->conv_lanes_u8 : &table->conv_lanes, k, lanes); break;
    case TSR_OP_TURN: table->turn[k->tc] = k; break;
    case TSR_OP_POST: table->post[k->tc] = k; break;
    case TSR_OP_SOFTMAX: table->softmax = k; break;
    case TSR_OP_SOFTMAX_T: table->softmax_t = k; break;
    case TSR_OP_MERGE: table->merge = k; break;
    case TSR_OP_SOFTMAX_GRAD: table->softmax_grad = k; break;
    case TSR_OP_LEVEL2_GEMV_N: table->level2_gemv_n = k; break;
    case TSR_OP_LEVEL2_GEMV_T: table->level2_gemv_t = k; break;
    case TSR_OP_LEVEL2_SYMV: table->level2_symv = k; break;
    case TSR_OP_LEVEL2_GER: table->level2_ger = k; break;
    case TSR_OP_LEVEL2_SOLVE: table->level2_solve = k; break;
    case TSR_OP_LEVEL2_LU: table->level2_lu = k; break;
    case TSR_OP_LEVEL2_CHOLESKY: table->level2_cholesky = k; break;
    case TSR_OP_LEVEL1_TABLE: k->run(NULL, 0, 0, (tsr_mem)&table->level1); break;
  }
}

/* What a chip does not list beside GEMM it takes from the weakest one: that works on any machine. */
static void borrow(struct tsr_kernels *table, const struct tsr_chip *weaker, tsr_type type) {
  struct tsr_kernels other = {.chip = weaker};
  for (int i = 0; i < weaker->nkernels; i++)
    if (weaker->kernel[i].ta == type) add_kernel(&other, &weaker->kernel[i]);
  if (!table->gemm.mu && (type == TSR_C32 || type == TSR_C64)) table->gemm = other.gemm;
  if (!table->solve.mu) table->solve = other.solve;
  if (!table->multiply.mu) table->multiply = other.multiply;
  if (!table->pack_n[0]) table->pack_n[0] = other.pack_n[0];
  if (!table->pack_t[0]) table->pack_t[0] = other.pack_t[0];
  if (!table->update) table->update = other.update;
  if (!table->update_t) table->update_t = other.update_t;
  if (!table->scale) table->scale = other.scale;
  if (!table->softmax) table->softmax = other.softmax;
  if (!table->softmax_t) table->softmax_t = other.softmax_t;
  if (!table->merge) table->merge = other.merge;
  if (!table->softmax_grad) table->softmax_grad = other.softmax_grad;
  if (!table->level2_gemv_n) table->level2_gemv_n = other.level2_gemv_n;
  if (!table->level2_gemv_t) table->level2_gemv_t = other.level2_gemv_t;
  if (!table->level2_symv) table->level2_symv = other.level2_symv;
  if (!table->level2_ger) table->level2_ger = other.level2_ger;
  if (!table->level2_solve) table->level2_solve = other.level2_solve;
  if (!table->level2_lu) table->level2_lu = other.level2_lu;
  if (!table->level2_cholesky) table->level2_cholesky = other.level2_cholesky;
  if (!table->level1.f32.copy) table->level1 = other.level1;
  if (!table->conv.mu) table->conv = other.conv;
  if (!table->conv_lanes.mu) table->conv_lanes = other.conv_lanes;
  if (!table->conv_u8.mu) table->conv_u8 = other.conv_u8;
  if (!table->conv_lanes_u8.mu) table->conv_lanes_u8 = other.conv_lanes_u8;
  for (int c = 0; c < TSR_TYPES; c++) {
    if (!table->convert[c]) table->convert[c] = other.convert[c];
    if (!table->turn[c]) table->turn[c] = other.turn[c];
    if (!table->post[c]) table->post[c] = other.post[c];
  }
}

static void fill_table(int chip) {
  struct tsr_kernels *table = tables[chip];
  char why[TSR_WHY];
  if (!chips[chip]->usable(why)) return;
  for (int t = 0; t < TSR_TYPES; t++) table[t].chip = chips[chip];
  for (int i = 0; i < chips[chip]->nkernels; i++)
    if (!chips[chip]->runs || chips[chip]->runs(&chips[chip]->kernel[i]))
      add_kernel(&table[chips[chip]->kernel[i].ta], &chips[chip]->kernel[i]);
  for (int t = TSR_F32; t < TSR_TYPES; t++) borrow(&table[t], chips[NCHIPS - 1], (tsr_type)t);
}

static void fill_tables(void) {
  for (int chip = 0; chip < NCHIPS; chip++) fill_table(chip);
}

static const struct tsr_kernels *table_of(int chip) {
  pthread_once(&tables_once, fill_tables);
  return tables[chip];
}

static void list_isas(char *text, size_t size) {
  size_t used = 0;
  text[0] = 0;
  for (int i = 0; i < NCHIPS && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", chips[i]->isa);
}

/* The chip a name asks for; without a name the first that this machine can run. */
static tsr_status choose_chip(const char *isa, int *chip) {
  char why[TSR_WHY] = "", valid[128];
  for (int i = 0; i < NCHIPS; i++) {
    if (isa && strcmp(isa, chips[i]->isa) != 0) continue;
    *chip = i;
    if (chips[i]->usable(why)) return TSR_OK;
    if (isa) return tsr_fail(TSR_UNSUPPORTED, "the kernels \"%s\" cannot run here: %s", isa, why);
  }
  list_isas(valid, sizeof valid);
  return tsr_fail(TSR_INVALID_ARGUMENT, "no kernels are named \"%s\"; this build has: %s", isa, valid);
}

static const struct tsr_device_chip *const device_chips[] = {
#define TSR_DEVICE(name) &tsr_device_##name,
#include "devices.def"
#undef TSR_DEVICE
    NULL};
enum { NDEVICES = sizeof device_chips / sizeof device_chips[0] - 1 };

const struct tsr_device_chip *const *tsr_device_chips(int *n) {
  *n = NDEVICES;
  return device_chips;
}

static _Atomic uint64_t devices_opened = 1;

/* "kind:model" names a device. */
static tsr_status open_device(tsr_context *context, const char *name) {
  size_t kind = (size_t)(strchr(name, ':') - name);
  memset(context, 0, sizeof *context);
  for (int i = 0; i < NDEVICES; i++) {
    if (strlen(device_chips[i]->isa) != kind || strncmp(name, device_chips[i]->isa, kind) != 0) continue;
    context->isa = device_chips[i]->isa;
    tsr_status status = device_chips[i]->open(name + kind + 1, &context->device);
    if (status == TSR_OK) context->device->serial = atomic_fetch_add(&devices_opened, 1);
    return status;
  }
  return tsr_fail(TSR_INVALID_ARGUMENT, "no kind of device is named \"%.*s\" in this build%s%s", (int)kind, name,
                  NDEVICES ? "; there is " : "", NDEVICES ? device_chips[0]->isa : "");
}

static tsr_status fill_context(tsr_context *context, const char *isa) {
  int chip = 0;
  if (isa && strchr(isa, ':')) return open_device(context, isa);
  tsr_status status = choose_chip(isa, &chip);
  if (status != TSR_OK) return status;
  memset(context, 0, sizeof *context);
  context->kernels = table_of(chip);
  context->isa = chips[chip]->isa;
  return TSR_OK;
}

tsr_status tsr_context_create(const char *isa, tsr_context **context) {
  if (!context) return tsr_fail(TSR_INVALID_ARGUMENT, "context is NULL: pass the address of a tsr_context pointer");
  tsr_context *created = malloc(sizeof *created);
  if (!created) return tsr_fail(TSR_OUT_OF_MEMORY, "no memory for a context");
  tsr_status status = fill_context(created, isa);
  if (status == TSR_OK)
    *context = created;
  else
    free(created);
  return status;
}

/* A context whose device is gone stays behind as a shell, so that a late call on it is an error and not a crash. */
static void bury(tsr_context *context) {
  static tsr_context *graveyard;
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  struct tsr_device *device = context->device;
  if (device == &tsr_closed_device) return;
  context->device = &tsr_closed_device;
  device->chip->close(device);
  pthread_mutex_lock(&lock);
  context->parallel_user = graveyard;
  graveyard = context;
  pthread_mutex_unlock(&lock);
}

void tsr_context_destroy(tsr_context *context) {
  if (context && context->device)
    bury(context);
  else
    free(context);
}

tsr_context *tsr_context_ready;
static tsr_context default_context;
static tsr_status default_status;
static char default_error[256];
static pthread_once_t default_once = PTHREAD_ONCE_INIT;

static void make_default(void) {
  const char *isa = getenv("TESSERA_ISA");
  if (isa && !*isa) isa = NULL;
  if (isa && strchr(isa, ':')) {
    default_status = TSR_BAD_ENVIRONMENT;
    snprintf(default_error, sizeof default_error, "TESSERA_ISA is \"%.64s\": a device needs a context of its own", isa);
    return;
  }
  default_status = fill_context(&default_context, isa);
  if (default_status == TSR_OK) {
    __atomic_store_n(&tsr_context_ready, &default_context, __ATOMIC_RELEASE);
    return;
  }
  snprintf(default_error, sizeof default_error, "TESSERA_ISA: %s", tsr_last_error());
  default_status = TSR_BAD_ENVIRONMENT;
}

tsr_status tsr_context_get_default(tsr_context **context) {
  pthread_once(&default_once, make_default);
  if (default_status != TSR_OK) return tsr_fail(default_status, "%s", default_error);
  *context = &default_context;
  return TSR_OK;
}

const char *tsr_context_isa(const tsr_context *context) {
  tsr_context *found;
  return tsr_context_get((tsr_context *)context, &found) == TSR_OK ? found->isa : "none";
}
