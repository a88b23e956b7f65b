/* Tuning convolution on a CPU: the bench it is measured on. */
#include <stdlib.h>
#include <unistd.h>

#include "src/conv/space.h"
#include "src/core/trace.h"

/* A run is repeated for so long: the clock and the pauses of a busy machine weigh less. */
#define LEAST_SECONDS 100e-6

enum { OPERANDS = 3 };
struct block {
  char *at;
  size_t bytes;
};
struct bench {
  tsr_context *context;
  tsr_conv_desc desc;
  struct tsr_conv_problem p;
  int threads;
  char *memory;
  struct block packed, workspace;
  int packed_units;
  enum tsr_conv_lanes packed_lanes; /* what the weights are packed for */
};

void tsr_conv_bench_close(void *given) {
  struct bench *bench = given;
  free(bench->memory);
  free(bench->packed.at);
  free(bench->workspace.at);
  free(bench);
}

/* Small numbers of a type. */
static void fill(tsr_type type, char *to, int64_t bytes) {
  for (int64_t i = 0; type == TSR_F32 && i < bytes / 4; i++) ((float *)to)[i] = (float)(i % 1013) / 1013 - 0.5f;
  for (int64_t i = 0; type == TSR_F64 && i < bytes / 8; i++) ((double *)to)[i] = (double)(i % 1013) / 1013 - 0.5;
  /* 0x3c and 0x38 on top: f16 of 1 to 2, or 0.5 to 1; bf16 of a hundredth or so */
  for (int64_t i = 0; (type == TSR_F16 || type == TSR_BF16) && i < bytes / 2; i++)
    ((uint16_t *)to)[i] = (uint16_t)((i & 1 ? 0x3c00 : 0xb800) + i % 509);
}

/* More would be taken from other programs, or thrash. */
static bool fits_memory(double bytes) {
  return bytes / (double)sysconf(_SC_PAGESIZE) < (double)sysconf(_SC_PHYS_PAGES) / 2;
}

/* Takes the operands' memory in whole pages and a line more: they are not to compete for the same lines. */
static bool take_operands(struct bench *bench) {
  const tsr_conv_desc *d = &bench->desc;
  struct tsr_conv_amount amount;
  tsr_conv_amount_of(d, &amount);
  if (!fits_memory(amount.bytes_x + 2 * amount.bytes_w + amount.bytes_y)) return false;
  const tsr_type type[OPERANDS] = {d->type_x, d->type_w, tsr_conv_type_of_y(d)};
  const int64_t elements[OPERANDS] = {tsr_conv_elements_of_x(d), tsr_conv_elements_of_w(d), tsr_conv_elements_of_y(d)};
  int64_t bytes[OPERANDS], all = 0;
  char *at[OPERANDS];
  void *memory;
  for (int i = 0; i < OPERANDS; i++) all += bytes[i] = tsr_round_up(elements[i] * tsr_size_of(type[i]), 4096) + 64;
  if (posix_memalign(&memory, 4096, (size_t)all) != 0) return false;
  bench->memory = at[0] = memory;
  for (int i = 1; i < OPERANDS; i++) at[i] = at[i - 1] + bytes[i - 1];
  for (int i = 0; i < OPERANDS; i++) fill(type[i], at[i], bytes[i]);
  tsr_conv_normalise(d, at[0], at[1], NULL, NULL, at[2], &bench->p);
  return true;
}

void *tsr_conv_bench_open(tsr_context *context, const struct tsr_values *shape) {
  if (!tsr_conv_shape_in_range(context, shape, NULL)) return NULL;
  struct bench *bench = calloc(1, sizeof *bench);
  if (!bench) return NULL;
  bench->context = context;
  bench->threads = (int)shape->at[TSR_CONV_THREADS];
  tsr_conv_desc_of(shape, &bench->desc);
  if (take_operands(bench)) return bench;
  free(bench);
  return NULL;
}

static bool take(struct block *block, size_t bytes) {
  void *memory;
  if (bytes <= block->bytes) return true;
  free(block->at);
  *block = (struct block){NULL, 0};
  if (posix_memalign(&memory, 4096, bytes) != 0) return false;
  *block = (struct block){memory, bytes};
  return true;
}

static bool get_ready(struct bench *bench, const struct tsr_conv_way *way, struct tsr_conv_job *job) {
  tsr_conv_job_of(bench->context, &bench->p, way, job);
  bool again = bench->packed_units == way->units && bench->packed_lanes == way->lanes;
  bench->packed_units = 0;
  if (!take(&bench->packed, (size_t)tsr_conv_packed_bytes(job))) return false;
  if (!take(&bench->workspace, tsr_conv_workspace_bytes(job))) return false;
  if (again) tsr_conv_use_packed(job, bench->packed.at);
  else tsr_conv_pack(bench->context, job, bench->packed.at);
  bench->packed_units = way->units;
  bench->packed_lanes = way->lanes;
  return true;
}

double tsr_conv_bench_run(void *given, const struct tsr_values *values) {
  struct bench *bench = given;
  struct tsr_conv_way way;
  struct tsr_conv_job job;
  tsr_conv_way_of(bench->context, &bench->p, bench->threads, values, &way);
  if (!get_ready(bench, &way, &job)) return 0;
  tsr_conv_run_all(bench->context, &job, bench->workspace.at);
  double start = tsr_trace_now(), seconds;
  int runs = 0;
  do {
    tsr_conv_run_all(bench->context, &job, bench->workspace.at);
    runs++;
  } while ((seconds = tsr_trace_now() - start) < LEAST_SECONDS);
  return seconds / runs;
}
