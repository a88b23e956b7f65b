/* The simulated accelerator as a device of the library: opens a machine, and turns each step of the loops into a launch
 * of the program that serves its kernel. */
#include "kernels/accel_sim/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/accel_sim/conv.h"
#include "kernels/accel_sim/embed.h"
#include "kernels/accel_sim/sim/move.h"
#include "src/core/core.h"

extern const struct tsr_device_chip tsr_device_accel_sim;

static const struct tsr_kernel kernels[] = {
#define TSR_KERNEL(symbol, op, ta, tb, tc, mr, nr, mu, per_vector) \
  {#symbol, TSR_OP_##op, TSR_##ta, TSR_##tb, TSR_##tc, mr, nr, mu, per_vector, NULL},
#include "kernels/accel_sim/kernels.def"
#undef TSR_KERNEL
};

enum program {
  PROGRAM_START, PROGRAM_FENCE, PROGRAM_PACK, PROGRAM_GEMM, PROGRAM_UPDATE, PROGRAM_ATTEND_START, PROGRAM_ATTEND,
  PROGRAM_CONV, PROGRAM_CONV_SUMS, PROGRAMS
};
static const char *const program_files[PROGRAMS] = {"start.s",  "fence.s",        "pack.s",  "gemm.s",
                                                    "update.s", "attend_start.s", "attend.s", "conv.s", "conv_sums.s"};

#define MOST_CORES 256
/* Launches that wait in the host's memory; when there are more, those so far are run. */
#define MOST_QUEUED (4 << 20)
/* A program of the library that runs this long has lost its way. */
#define CYCLE_LIMIT 10000000000

/* What the host knows of a core. */
struct core {
  uint64_t last;  /* the token of its newest command, 0 if none runs */
  int half;       /* of L0 that the next step of k takes */
  bool started;   /* start.s was launched */
  bool attends;   /* and attend_start.s, for attention and convolution */
  bool fenced;    /* its next command must wait for the fence */
};

struct device {
  struct tsr_device base;
  struct accel_params params;
  struct accel_machine *machine;
  struct accel_program program[PROGRAMS];
  struct core *core;
  uint64_t *fence; /* tokens that commands behind the fence wait for */
  int nfence;
  int64_t queued;  /* launches since the last run */
  tsr_mem attend;  /* mask tables, then each core's scratch memory; 0: no ATTEND step so far */
  tsr_mem conv;    /* a 1 of f32, and from CONV_SUMS on sums of CONV steps in several chains; 0: no CONV step so far */
  size_t conv_bytes;
  char fault[512]; /* not empty: the device stopped */
};

struct accel_machine *accel_device_machine(struct tsr_device *device) { return ((struct device *)device)->machine; }

static void close_device(struct tsr_device *base) {
  struct device *device = (struct device *)base;
  if (device->machine) accel_machine_destroy(device->machine);
  for (int i = 0; i < PROGRAMS; i++) accel_program_free(&device->program[i]);
  free(device->core);
  free(device->fence);
  free(device);
}

/* A file that a program includes. */
static char *read_embedded(void *user, const char *path) {
  const struct accel_file *file = accel_embedded(path);
  (void)user;
  return file ? strdup(file->text) : NULL;
}

static tsr_status assemble(struct device *device) {
  char error[400];
  for (int i = 0; i < PROGRAMS; i++) {
    const struct accel_file *file = accel_embedded(program_files[i]);
    if (!file) return tsr_fail(TSR_UNSUPPORTED, "the library lacks the program %s", program_files[i]);
    if (accel_assemble(file->text, file->name, read_embedded, NULL, &device->program[i], error, sizeof error) != 0)
      return tsr_fail(TSR_UNSUPPORTED, "%s", error);
  }
  return TSR_OK;
}

/* "model,option,...": what is behind the model's name. */
static tsr_status parse_options(char *text, struct accel_options *options) {
  for (char *word = strtok_r(text, ",", &text); word; word = strtok_r(NULL, ",", &text)) {
    char *end = word;
    if (!strcmp(word, "races")) {
      options->races = true;
    } else if (!strcmp(word, "trace")) {
      options->trace = true;
    } else if (!strcmp(word, "time-only")) {
      options->no_data = true;
    } else if (!strncmp(word, "shuffle=", 8) && (options->shuffle = strtoull(word + 8, &end, 0)) && !*end) {
      continue;
    } else if (!strncmp(word, "cycles=", 7) && (options->cycle_limit = strtoull(word + 7, &end, 0)) && !*end) {
      continue;
    } else {
      return tsr_fail(TSR_INVALID_ARGUMENT,
                      "device option \"%.64s\" is unknown: use races, trace, time-only, shuffle=SEED or cycles=LIMIT",
                      word);
    }
  }
  return TSR_OK;
}

static tsr_status load_model(struct device *device, const char *model, struct accel_options *options) {
  char name[256], error[400];
  if (strlen(model) >= sizeof name) return tsr_fail(TSR_INVALID_ARGUMENT, "the name of the device is too long");
  strcpy(name, model);
  char *comma = strchr(name, ',');
  if (comma) *comma = 0;
  tsr_status status = comma ? parse_options(comma + 1, options) : TSR_OK;
  if (status != TSR_OK) return status;
  if (accel_params_load(name, &device->params, error, sizeof error) != 0)
    return tsr_fail(TSR_INVALID_ARGUMENT, "%s", error);
  if (device->params.cores > MOST_CORES)
    return tsr_fail(TSR_UNSUPPORTED, "the chip \"%s\" has %d cores; the library drives %d", name, device->params.cores,
                    MOST_CORES);
  if (device->params.systolic)
    return tsr_fail(TSR_UNSUPPORTED, "the chip \"%s\" is for programs of its own, not for the library", name);
  return TSR_OK;
}

/* Bytes of k that gemm.s takes through L0 in a round: its K_BLOCKS fractals. */
#define ROUND_BYTES 128

static void describe(struct device *device) {
  const struct accel_params *p = &device->params;
  size_t half = (p->bytes[ACCEL_L0A] < p->bytes[ACCEL_L0B] ? p->bytes[ACCEL_L0A] : p->bytes[ACCEL_L0B]) / 2;
  device->base.cores = p->cores;
  device->base.hertz = p->ghz * 1e9;
  device->base.panels = (struct tsr_level){.bytes = p->bytes[ACCEL_L1], .line = p->align[ACCEL_L1], .cores_sharing = 1};
  device->base.sums = (struct tsr_level){.bytes = p->bytes[ACCEL_L0C], .line = p->align[ACCEL_L0C], .cores_sharing = 1};
  device->base.shared = (struct tsr_level){.bytes = p->l2_bytes, .cores_sharing = p->cores};
  device->base.streamed = p->hbm_rate / (p->ghz * 1e9);
  device->base.unit = 16;
  device->base.most = (int)(half / ROUND_BYTES < 4096 ? half / ROUND_BYTES : 4096);
  device->base.loaded = p->rate[ACCEL_GM_L1];
  device->base.cached = p->l2_rate;
}

/* Makes the machine from the device's parameters, and all that drives it. */
static tsr_status complete(struct device *device, const struct accel_options *options) {
  char error[400];
  device->machine = accel_machine_create(&device->params, options, error, sizeof error);
  if (!device->machine) return tsr_fail(TSR_OUT_OF_MEMORY, "%s", error);
  describe(device);
  device->core = calloc((size_t)device->params.cores, sizeof *device->core);
  device->fence = calloc((size_t)device->params.cores, sizeof *device->fence);
  if (!device->core || !device->fence) return tsr_fail(TSR_OUT_OF_MEMORY, "no memory for a device");
  return assemble(device);
}

/* By the model's name, or (NULL) like another device. */
static tsr_status open_as(const char *model, const struct device *like, struct tsr_device **opened) {
  struct accel_options options = {.cycle_limit = CYCLE_LIMIT, .no_data = like != NULL};
  struct device *device = calloc(1, sizeof *device);
  if (!device) return tsr_fail(TSR_OUT_OF_MEMORY, "no memory for a device");
  device->base.chip = &tsr_device_accel_sim;
  if (like) device->params = like->params;
  tsr_status status = like ? TSR_OK : load_model(device, model, &options);
  if (status == TSR_OK) status = complete(device, &options);
  if (status == TSR_OK)
    *opened = &device->base;
  else
    close_device(&device->base);
  return status;
}

static tsr_status open_device(const char *model, struct tsr_device **opened) { return open_as(model, NULL, opened); }

static tsr_status open_twin(const struct tsr_device *device, struct tsr_device **twin) {
  return open_as(NULL, (const struct device *)device, twin);
}

static tsr_status stopped(const struct device *device) {
  if (!device->fault[0]) return TSR_OK;
  return tsr_fail(TSR_DEVICE_FAULT, "the device stopped: %s", device->fault);
}

static tsr_status drain(struct tsr_device *base) {
  struct device *device = (struct device *)base;
  struct accel_fault fault;
  if (device->fault[0]) return stopped(device);
  if (accel_machine_run(device->machine, &fault) != 0) snprintf(device->fault, sizeof device->fault, "%s", fault.text);
  for (int i = 0; i < device->base.cores; i++) {
    device->core[i].last = 0;
    device->core[i].fenced = false;
  }
  device->nfence = 0;
  device->queued = 0;
  return stopped(device);
}

static tsr_status fence(struct tsr_device *base) {
  struct device *device = (struct device *)base;
  device->nfence = 0;
  for (int i = 0; i < device->base.cores; i++)
    if (device->core[i].last) device->fence[device->nfence++] = device->core[i].last;
  for (int i = 0; i < device->base.cores; i++) device->core[i].fenced = device->nfence > 0;
  return stopped(device);
}

static tsr_status alloc(struct tsr_device *base, size_t bytes, tsr_mem *address) {
  struct device *device = (struct device *)base;
  uint64_t found = accel_gm_alloc(device->machine, bytes ? bytes : 1);
  if (!found)
    return tsr_fail(TSR_OUT_OF_MEMORY, "the device has no %zu bytes left of its %zu", bytes,
                    device->params.bytes[ACCEL_GM]);
  *address = (tsr_mem)found;
  return TSR_OK;
}

static tsr_status release(struct tsr_device *base, tsr_mem address) {
  if (accel_gm_free(((struct device *)base)->machine, address)) return TSR_OK;
  return tsr_fail(TSR_INVALID_ARGUMENT, "%#llx was not allocated on this device, or was freed before",
                  (unsigned long long)address);
}

static void *view(struct tsr_device *base, tsr_mem address, size_t bytes) {
  void *found = accel_gm_view(((struct device *)base)->machine, address, bytes);
  if (!found)
    tsr_fail(TSR_INVALID_ARGUMENT, "%zu bytes at %#llx are not inside one allocation of this device", bytes,
             (unsigned long long)address);
  return found;
}

static tsr_status check(struct tsr_device *base, tsr_mem address, size_t bytes) {
  return view(base, address, bytes) ? TSR_OK : TSR_INVALID_ARGUMENT;
}

static tsr_status copy_in(struct tsr_device *base, tsr_mem to, const void *from, size_t bytes) {
  void *at = view(base, to, bytes);
  if (!at) return TSR_INVALID_ARGUMENT;
  memcpy(at, from, bytes);
  return TSR_OK;
}

static tsr_status copy_out(struct tsr_device *base, void *to, tsr_mem from, size_t bytes) {
  const void *at = view(base, from, bytes);
  if (!at) return TSR_INVALID_ARGUMENT;
  memcpy(to, at, bytes);
  return TSR_OK;
}

static tsr_token launch(struct device *device, int index, enum program program, const uint64_t *args, int nargs,
                        const tsr_token *after, int nafter) {
  struct core *core = &device->core[index];
  if (device->queued >= MOST_QUEUED) drain(&device->base);
  if (device->fault[0]) return 0;
  device->queued++;
  if (!core->started) {
    core->started = true;
    launch(device, index, PROGRAM_START, NULL, 0, NULL, 0);
  }
  if (core->fenced) { /* a program without work carries the fence's tokens: a launch may need others as well */
    core->fenced = false;
    accel_machine_launch(device->machine, index, &device->program[PROGRAM_FENCE], NULL, 0, device->fence,
                         device->nfence);
  }
  core->last = accel_machine_launch(device->machine, index, &device->program[program], args, nargs, after, nafter);
  if (!core->last) snprintf(device->fault, sizeof device->fault, "core %d took no command: out of memory", index);
  return core->last;
}

/* Fractals in a column of fractals of a panel: whole squares of 32 x 32, which is what load2d transposes of bytes. */
static int64_t blocks_of(int64_t rows) { return (rows + 31) / 32 * 2; }

static tsr_token issue_pack(struct device *device, int core, const struct tsr_kernel *kernel,
                            const struct tsr_step *step, tsr_mem a, tsr_mem c, const tsr_token *after, int nafter) {
  bool along_k = kernel->op == TSR_OP_PACK_T;
  int64_t rows = along_k ? step->m : step->k, cols = along_k ? step->k : step->m;
  uint64_t args[] = {c, a, (uint64_t)rows, (uint64_t)cols, (uint64_t)(along_k ? step->rsa : step->csa),
                     (uint64_t)blocks_of(rows), (uint64_t)tsr_size_of(kernel->ta)};
  return launch(device, core, PROGRAM_PACK, args, 7, after, nafter);
}

/* gemm.s's codes. */
static uint64_t operand_code(tsr_type type) { return type == TSR_F16 ? 0 : type == TSR_BF16 ? 1 : 2; }
static uint64_t result_code(tsr_type type) { return type == TSR_F16 ? 1 : type == TSR_BF16 ? 2 : 0; }

static tsr_token issue_gemm(struct device *device, int core, const struct tsr_kernel *kernel,
                            const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c, const tsr_token *after,
                            int nafter) {
  int64_t size = tsr_size_of(kernel->ta), k_block = 32 / size, steps = (step->k + 4 * k_block - 1) / (4 * k_block);
  bool a_by_k = step->rsa != size, b_by_k = step->rsb == size;
  uint64_t flags = (a_by_k ? 1u : 0u) | (b_by_k ? 2u : 0u) | (step->flags & TSR_GO_ON ? 4u : 0u) |
                   (step->flags & TSR_MORE_K ? 8u : 0u);
  uint64_t args[] = {a, b, c, (uint64_t)step->m, (uint64_t)step->n, (uint64_t)step->k, (uint64_t)step->csc,
                     (uint64_t)blocks_of(a_by_k ? step->m : step->k), (uint64_t)blocks_of(b_by_k ? step->n : step->k),
                     flags, (uint64_t)k_block, (uint64_t)device->core[core].half, operand_code(kernel->ta),
                     result_code(kernel->tc), device->params.bytes[ACCEL_L0A] / 2};
  device->core[core].half ^= steps & 1;
  return launch(device, core, PROGRAM_GEMM, args, 15, after, nafter);
}

/* update.s's codes. */
static uint64_t value_code(tsr_type type) {
  return type == TSR_F32 ? 0 : type == TSR_F16 ? 1 : type == TSR_BF16 ? 2 : 3;
}

/* A scalar as the vector unit reads it. */
static uint64_t scalar_bits(tsr_type type, double value) {
  float f = (float)value;
  uint32_t bits;
  if (type == TSR_S32) return (uint32_t)(int64_t)value;
  memcpy(&bits, &f, sizeof bits);
  return bits;
}

/* Rows that pass through UB at a time. */
#define UPDATE_ROWS 2048

static tsr_token issue_update(struct device *device, int core, const struct tsr_kernel *kernel,
                              const struct tsr_step *step, tsr_mem sums, tsr_mem y, tsr_mem c, const tsr_token *after,
                              int nafter) {
  bool update = kernel->op == TSR_OP_UPDATE;
  int64_t size_y = tsr_size_of(kernel->tb), size_c = tsr_size_of(kernel->tc);
  int64_t buffer = (int64_t)device->params.bytes[ACCEL_UB] / 5 * 2 / 64 * 64;
  uint64_t flags = (update ? 1u : 0u) | (step->beta != 0 ? 2u : 0u);
  tsr_token token = 0;
  for (int64_t i = 0; i < step->m; i += UPDATE_ROWS) {
    int64_t rows = step->m - i < UPDATE_ROWS ? step->m - i : UPDATE_ROWS, pitch = (rows * 4 + 63) / 64 * 64;
    uint64_t args[] = {update ? sums + (tsr_mem)(i * 4) : 0, (uint64_t)step->csa,
                       (update ? y : c) + (tsr_mem)(i * size_y), (uint64_t)(update ? step->rsb : step->csc),
                       value_code(kernel->tb), c + (tsr_mem)(i * size_c), (uint64_t)step->csc, value_code(kernel->tc),
                       (uint64_t)rows, (uint64_t)step->n, scalar_bits(kernel->tc, step->alpha),
                       scalar_bits(kernel->tc, step->beta), flags, (uint64_t)(buffer / pitch), (uint64_t)pitch,
                       (uint64_t)buffer};
    token = launch(device, core, PROGRAM_UPDATE, args, 16, after, nafter);
  }
  return token;
}

/* attend.s: bytes of each core's scratch memory, and of the tables behind those of all cores: 2 x 128 rows of 160 in
 * f16 and in f32, one row of 32 in each, and zeros. */
#define ATTEND_SCRATCH 327680
#define ATTEND_TABLES 245760
#define ATTEND_ZEROS 2048
#define ATTEND_TILES 64
/* Elements of a block of scores, and bytes of a tile's sums of values. */
#define ATTEND_SCORES 8192
#define ATTEND_VALUES 131072

/* Element x of row r of a table: x - 16 keys behind the diagonal of row 0. */
static bool masked(int table, int r, int x) { return table ? x < r + 16 : x > r + 16; }

static void put_mask(unsigned char *tables, int64_t element, bool minus_infinity) {
  const uint16_t narrow = minus_infinity ? 0xfc00 : 0;
  const uint32_t wide = minus_infinity ? 0xff800000 : 0;
  memcpy(tables + element * 2, &narrow, sizeof narrow);
  memcpy(tables + ATTEND_TABLES / 3 + element * 4, &wide, sizeof wide);
}

static void fill_tables(unsigned char *tables) {
  const uint16_t narrow = 0xfc00;
  const uint32_t wide = 0xff800000;
  for (int table = 0; table < 2; table++)
    for (int r = 0; r < 128; r++)
      for (int x = 0; x < 160; x++) put_mask(tables, (table * 128 + r) * 160 + x, masked(table, r, x));
  unsigned char *edge = tables + ATTEND_TABLES;
  memset(edge, 0, 192 + ATTEND_ZEROS);
  for (int x = 16; x < 32; x++) {
    memcpy(edge + x * 2, &narrow, sizeof narrow);
    memcpy(edge + 64 + x * 4, &wide, sizeof wide);
  }
}

static tsr_status alloc_attend(struct device *device) {
  size_t scratch = (size_t)device->base.cores * ATTEND_SCRATCH, tables = ATTEND_TABLES + 192 + ATTEND_ZEROS;
  if (device->attend) return TSR_OK;
  tsr_status status = alloc(&device->base, scratch + tables, &device->attend);
  if (status == TSR_OK) fill_tables((unsigned char *)view(&device->base, device->attend + scratch, tables));
  return status;
}

/* Rows of a tile and keys of a block, as much as the core's buffers hold; attend.s says what is where. */
struct attend_blocks {
  int64_t rows, keys;
};

static bool fits(const struct accel_params *p, const struct tsr_attend *attend, const struct attend_blocks *b) {
  int64_t kt = (attend->d_qk + 31) / 16, nv = (attend->d_v + 15) / 16, rows = b->rows / 16, keys = b->keys / 16;
  int64_t l1 = kt * rows + 4 * kt * keys + 3 * nv * keys + 3 * rows * keys;
  return b->rows * b->keys <= ATTEND_SCORES && b->rows * nv * 64 <= ATTEND_VALUES &&
         l1 * 512 <= (int64_t)p->bytes[ACCEL_L1] && (kt + keys) * rows * 512 <= (int64_t)p->bytes[ACCEL_L0A] &&
         3 * 9 * keys * 512 <= (int64_t)p->bytes[ACCEL_L0B] &&
         (nv + 2 * keys) * rows * 1024 <= (int64_t)p->bytes[ACCEL_L0C] && p->bytes[ACCEL_UB] >= 196608;
}

static bool find_blocks(const struct accel_params *p, const struct tsr_attend *attend, struct attend_blocks *found) {
  for (found->keys = 64; found->keys >= 32; found->keys /= 2)
    for (found->rows = 128; found->rows >= 32; found->rows -= 16)
      if (fits(p, attend, found)) return true;
  return false;
}

/* Whether scores go from the cube to the vector unit and back without passing memory. Where they pass it, memory is
 * what limits, and f16 is worth what it costs in exactness: doc/attention-devices.md. */
static bool is_direct(const struct device *device) {
  return device->params.rate[ACCEL_L0C_UB] > 0 && device->params.rate[ACCEL_UB_L1] > 0;
}

static tsr_status prepare_attend(struct tsr_device *base, const struct tsr_kernel *kernel,
                                 const struct tsr_attend *attend, struct tsr_attend_limits *limits) {
  struct device *device = (struct device *)base;
  struct attend_blocks blocks;
  (void)kernel;
  bool in_range = attend->scale >= 0x1p-14f && attend->scale <= 0x1p15f;
  if (attend->narrow && !in_range)
    return tsr_fail(TSR_UNSUPPORTED, "scale is %g, beyond f16: use softmax=f32 for it", (double)attend->scale);
  if (!find_blocks(&device->params, attend, &blocks))
    return tsr_fail(TSR_UNSUPPORTED, "d_qk and d_v are %lld and %lld: the chip's buffers have no room for such heads",
                    (long long)attend->d_qk, (long long)attend->d_v);
  *limits = (struct tsr_attend_limits){blocks.rows, ATTEND_TILES, in_range && !is_direct(device)};
  return alloc_attend(device);
}

static uint64_t attend_flags(const struct device *device, const struct tsr_kernel *kernel,
                             const struct tsr_attend *attend) {
  bool direct = is_direct(device);
  return (attend->pairs ? 1u : 0u) | (attend->upper ? 2u : 0u) | (direct ? 4u : 0u) | (attend->narrow ? 0u : 8u) |
         (kernel->ta == TSR_BF16 ? 16u : 0u) | (kernel->tc == TSR_F16 ? 32u : 0u) |
         (kernel->tc == TSR_BF16 ? 64u : 0u) | (attend->lower ? 256u : 0u);
}

/* The scale as f32 and, above it, as f16. */
static uint64_t attend_scale(const struct tsr_attend *attend) {
  uint32_t scale;
  memcpy(&scale, &attend->scale, sizeof scale);
  return scale | (attend->narrow ? (uint64_t)accel_f32_to_f16(attend->scale) << 32 : 0);
}

/* No keys at all: one key that nobody sees. */
static void stand_in(struct tsr_attend *attend, tsr_mem zeros) {
  static const int64_t nowhere[3];
  attend->keys = 1;
  attend->k = attend->v = zeros;
  memcpy(attend->step_k, nowhere, sizeof nowhere);
  memcpy(attend->step_v, nowhere, sizeof nowhere);
  attend->upper = true;
  attend->lower = false;
  attend->diagonal = INT64_MIN / 4;
}

/* Blocks of a tile's keys by which its rows' references are estimated, where any will do for all rows. */
#define ESTIMATE_BLOCKS 4

static tsr_token issue_attend(struct device *device, int core, const struct tsr_kernel *kernel,
                              const struct tsr_attend *attend, const tsr_token *after, int nafter) {
  tsr_mem scratch = device->attend + (tsr_mem)core * ATTEND_SCRATCH;
  tsr_mem tables = device->attend + (tsr_mem)device->base.cores * ATTEND_SCRATCH;
  struct tsr_attend at = *attend;
  struct attend_blocks blocks;
  find_blocks(&device->params, attend, &blocks);
  if (at.keys == 0) stand_in(&at, tables + ATTEND_TABLES + 192);
  int64_t tiles = (at.queries + at.rows - 1) / at.rows, sizes = at.d_qk | at.d_v << 16 | at.rows << 32;
  int64_t words[] = {(int64_t)at.q, (int64_t)at.k, (int64_t)at.v, (int64_t)at.out, (int64_t)at.lse,
                     at.step_q[TSR_BATCH], at.step_q[TSR_HEAD], at.step_q[TSR_ROW],
                     at.step_k[TSR_BATCH], at.step_k[TSR_HEAD], at.step_k[TSR_ROW],
                     at.step_v[TSR_BATCH], at.step_v[TSR_HEAD], at.step_v[TSR_ROW],
                     at.step_out[TSR_BATCH], at.step_out[TSR_HEAD], at.step_out[TSR_ROW],
                     at.heads, at.group, at.queries, at.keys, sizes | blocks.keys << 48, at.diagonal, at.before,
                     (int64_t)attend_flags(device, kernel, &at) | (at.pairs ? 2 * at.count : at.count) << 16,
                     at.lower ? 0 : ESTIMATE_BLOCKS, at.first, at.stride, at.pairs ? (tiles + 1) / 2 : tiles,
                     (int64_t)attend_scale(&at), (int64_t)scratch, (int64_t)tables};
  uint64_t args[sizeof words / sizeof words[0]];
  memcpy(args, words, sizeof words);
  if (!device->core[core].attends) launch(device, core, PROGRAM_ATTEND_START, NULL, 0, NULL, 0);
  device->core[core].attends = true;
  return launch(device, core, PROGRAM_ATTEND, args, (int)(sizeof args / sizeof args[0]), after, nafter);
}

#define CONV_SUMS 512

/* Bytes from the sums of one chain to those of the next: all filters of a call. */
static int64_t conv_next(const struct tsr_conv_part *part) {
  return part->batch * part->out[0] * part->out[1] * part->all * 4;
}

/* A step's own place there: the filters before have theirs, and its pixels before. */
static tsr_mem conv_sums(const struct device *device, const struct tsr_conv_part *part) {
  int64_t before = part->first * part->batch * part->out[0] * part->out[1] + part->begin * part->filters;
  return device->conv + CONV_SUMS + (tsr_mem)(before * 4);
}

static tsr_status prepare_conv(struct tsr_device *base, const struct tsr_kernel *kernel,
                               const struct tsr_conv_part *part) {
  struct device *device = (struct device *)base;
  const float one = 1;
  (void)kernel;
  tsr_status status = accel_conv_check(part);
  if (status != TSR_OK) return status;
  int64_t chains = (part->kernel[0] * part->kernel[1] * part->channels + part->kb - 1) / part->kb;
  size_t bytes = CONV_SUMS + (chains > 1 ? (size_t)(chains * conv_next(part)) : 0);
  if (bytes <= device->conv_bytes) return TSR_OK;
  status = device->conv ? drain(base) : TSR_OK;
  if (status == TSR_OK && device->conv) status = release(base, device->conv);
  device->conv = 0, device->conv_bytes = 0;
  if (status == TSR_OK) status = alloc(base, bytes, &device->conv);
  if (status != TSR_OK) return status;
  device->conv_bytes = bytes;
  return copy_in(base, device->conv, &one, sizeof one);
}

static double conv_cycles(const struct tsr_device *base, const struct tsr_kernel *kernel,
                          const struct tsr_conv_part *part) {
  const struct accel_params *params = &((const struct device *)base)->params;
  struct accel_conv conv;
  (void)kernel;
  return accel_conv_lay_out(params, part, &conv) ? accel_conv_cycles(params, part, &conv) : -1;
}

static tsr_token issue_conv(struct device *device, int core, const struct tsr_kernel *kernel,
                            const struct tsr_conv_part *part, const tsr_token *after, int nafter) {
  struct accel_conv conv;
  uint64_t args[ACCEL_CONV_ARGS], sums_args[ACCEL_CONV_SUMS_ARGS];
  if (!accel_conv_lay_out(&device->params, part, &conv)) {
    snprintf(device->fault, sizeof device->fault, "a step of a convolution does not fit the cores' buffers");
    return 0;
  }
  tsr_mem sums = conv_sums(device, part);
  accel_conv_args(&conv, part, kernel, device->conv, sums, conv_next(part), args);
  if (!device->core[core].attends) launch(device, core, PROGRAM_ATTEND_START, NULL, 0, NULL, 0);
  device->core[core].attends = true;
  tsr_token token = launch(device, core, PROGRAM_CONV, args, ACCEL_CONV_ARGS, after, nafter);
  if (!token || conv.chains == 1) return token;
  accel_conv_sums_args(&device->params, &conv, part, kernel, sums, conv_next(part), sums_args);
  return launch(device, core, PROGRAM_CONV_SUMS, sums_args, ACCEL_CONV_SUMS_ARGS, &token, 1);
}

static tsr_token issue(struct tsr_device *base, int core, const struct tsr_kernel *kernel, const struct tsr_step *step,
                       tsr_mem a, tsr_mem b, tsr_mem c, const tsr_token *after, int nafter) {
  struct device *device = (struct device *)base;
  switch (kernel->op) {
    case TSR_OP_PACK_N:
    case TSR_OP_PACK_T: return issue_pack(device, core, kernel, step, a, c, after, nafter);
    case TSR_OP_GEMM: return issue_gemm(device, core, kernel, step, a, b, c, after, nafter);
    case TSR_OP_CONV: return issue_conv(device, core, kernel, (const struct tsr_conv_part *)b, after, nafter);
    case TSR_OP_ATTEND:
      return issue_attend(device, core, kernel, (const struct tsr_attend *)b, after, nafter);
    default: return issue_update(device, core, kernel, step, a, b, c, after, nafter);
  }
}

/* gemm.s and update.s in numbers; the scalar instructions before the first that is a mover's are counted by hand. */
static void step_costs(const struct tsr_device *base, tsr_type type, int64_t m, int64_t n, int64_t k,
                       struct tsr_step_costs *costs) {
  const struct accel_params *p = &((const struct device *)base)->params;
  double blocks_m = (double)((m + 15) / 16), blocks_n = (double)((n + 15) / 16), elements = (double)m * (double)n;
  double blocks_k = (double)((k * tsr_size_of(type) + 31) / 32);
  costs->rounds = (double)((k * tsr_size_of(type) + ROUND_BYTES - 1) / ROUND_BYTES);
  blocks_k /= costs->rounds;
  costs->issue = 40;
  costs->issue_pack = 12;
  costs->multiply = p->mad_overhead + blocks_k * blocks_m * blocks_n;
  costs->fill = p->startup[ACCEL_L1_L0A] + p->startup[ACCEL_L1_L0B] + 2 * p->flag_cycles +
                512 * blocks_k * (blocks_n / p->rate[ACCEL_L1_L0A] + blocks_m / p->rate[ACCEL_L1_L0B]);
  costs->out = p->startup[ACCEL_L0C_GM] + 2 * elements / p->rate[ACCEL_L0C_GM];
  costs->update = elements * (8 / p->rate[ACCEL_GM_UB] + 4 / p->rate[ACCEL_UB_GM] +
                              8 * p->vector[ACCEL_COST_SCALAR].slope / 256);
}

/* A launch that does nothing, behind the last of every core. */
static int64_t mark(struct tsr_device *base) {
  struct device *device = (struct device *)base;
  uint64_t last[MOST_CORES];
  int n = 0;
  if (device->fault[0]) return -1;
  for (int i = 0; i < base->cores; i++)
    if (device->core[i].last) last[n++] = device->core[i].last;
  return accel_machine_watch(device->machine, launch(device, 0, PROGRAM_FENCE, NULL, 0, last, n));
}

static double reached(const struct tsr_device *base, int64_t number) {
  const struct device *device = (const struct device *)base;
  return accel_machine_watched(device->machine, (int)number) / (device->params.ghz * 1e9);
}

static int describe_device(const struct tsr_device *base, char *text, size_t size) {
  const struct accel_params *p = &((const struct device *)base)->params;
  double hbm = p->hbm_rate / (p->ghz * 1e9);
  return snprintf(text, size,
                  "chip       %s: %s\n"
                  "cores      %d at %.2f GHz, %.1f TFLOP/s in f16 and bf16, %.1f TOP/s in s8\n"
                  "a core     L1 %zu KiB, L0A %zu, L0B %zu, L0C %zu, UB %zu KiB; GM to L1 %.0f bytes a cycle\n"
                  "memory     %zu GiB; %.2f TB/s, %.1f bytes a cycle a core; L2 %zu MiB, %.0f bytes a cycle for all\n"
                  "simulated  one launch takes %.0f us before its first instruction\n",
                  p->name, p->description, p->cores, p->ghz, p->cores * p->ghz * 2 * 4096e-3,
                  p->cores * p->ghz * 2 * 8192e-3, p->bytes[ACCEL_L1] >> 10, p->bytes[ACCEL_L0A] >> 10,
                  p->bytes[ACCEL_L0B] >> 10, p->bytes[ACCEL_L0C] >> 10, p->bytes[ACCEL_UB] >> 10,
                  p->rate[ACCEL_GM_L1], p->bytes[ACCEL_GM] >> 30, p->hbm_rate * 1e-12,
                  hbm / p->cores, p->l2_bytes >> 20, p->l2_rate, p->launch_seconds * 1e6);
}

const struct tsr_device_chip tsr_device_accel_sim = {
    "accel_sim", "accel", kernels, (int)(sizeof kernels / sizeof kernels[0]), open_device, close_device, alloc,
    release, check, copy_in, copy_out, issue, fence, drain, prepare_attend, step_costs, open_twin, mark, reached,
    describe_device, conv_cycles, prepare_conv};
