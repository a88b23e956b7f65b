/* The shipped programs under the library's loops, on a machine that the test holds: what device.c does, with mistakes
 * planted on the way. Two products follow one another on two cores, which exchange their parts of C in between:
 *
 *   C = A1 B1, stored as f16 by FIX;   C = f16(alpha * s2 + (alpha * s1 + beta * C))
 *
 * where s1 and s2 are the sums over the first 128 and the other 72 of k of A2 B2. */
#ifndef ACCEL_PLANTED_SUPPORT_H
#define ACCEL_PLANTED_SUPPORT_H

#include "test/accel/machine_support.h"

#include <math.h>

#include "kernels/accel_sim/embed.h"
#include "kernels/accel_sim/sim/move.h"
#include "src/gemm/walk.h"

enum { ROWS = 48, COLS = 80, DEPTH = 200, KB = 128, CORES = 2, SLOTS = 3, PITCH = 104, SUMS_PITCH = 192 };
enum { START, FENCE, PACK, GEMM, UPDATE, PROGRAMS };
static const char *const files[PROGRAMS] = {"start.s", "fence.s", "pack.s", "gemm.s", "update.s"};
static const float alpha = 0.5f, beta = 2;

/* A mistake, or several. */
struct plant {
  struct { int program, line; const char *text; } edit[8];      /* lines that read otherwise; line 0: no more */
  struct { int program, launch, arg; int64_t add; } change[2];  /* an argument of a launch, from 1; launch 0: no more */
  int token;                                                    /* of all that launches wait for, left out; from 1 */
  int64_t overlap;                                              /* bytes that a panel reaches into the next */
};

struct outcome {
  struct accel_fault fault;
  struct accel_stats stats;
  bool right;   /* C has the bits that it must have */
  int tokens;   /* that launches waited for, the one left out counted too */
  bool implied; /* the core waited anyhow for the command of that token, or a later one of its core */
};

enum { TOKENS = 1024 };

struct planted {
  struct tsr_device device;
  struct accel_machine *machine;
  struct accel_program program[PROGRAMS];
  const struct plant *plant;
  struct { int half; bool started; uint64_t last, heard[CORES]; } core[CORES];
  int owner[TOKENS], launches[PROGRAMS], tokens;
  bool implied;
  uint64_t c, sums, y;
};

/* The source of a program with the edits of a plant; free it. Lines keep their numbers. */
static inline char *source_of(int program, const struct plant *plant) {
  const char *at = accel_embedded(files[program])->text;
  char *text = malloc(strlen(at) + 1024), *to = text;
  for (int line = 1; *at; line++) {
    size_t length = strcspn(at, "\n");
    const char *with = NULL;
    for (int i = 0; plant->edit[i].line; i++)
      if (plant->edit[i].program == program && plant->edit[i].line == line) with = plant->edit[i].text;
    to += with ? sprintf(to, "%s\n", with) : sprintf(to, "%.*s\n", (int)length, at);
    at += length + (at[length] == '\n');
  }
  *to = 0;
  return text;
}

/* Leaves out the token that is to be forgotten, if it is among these; whether the core waits for it all the same. */
static inline int forget(struct planted *p, int core, uint64_t *after, int n) {
  uint64_t *heard = p->core[core].heard, forgotten = 0;
  int kept = 0;
  for (int i = 0; i < n; i++) {
    if (++p->tokens == p->plant->token)
      forgotten = after[i];
    else
      after[kept++] = after[i];
  }
  for (int i = 0; i < kept; i++)
    if (after[i] > heard[p->owner[after[i]]]) heard[p->owner[after[i]]] = after[i];
  if (forgotten) p->implied = heard[p->owner[forgotten]] >= forgotten;
  return kept;
}

static inline uint64_t launch_planted(struct planted *p, int core, int program, const uint64_t *args, int nargs,
                                      const uint64_t *after, int nafter) {
  uint64_t words[ACCEL_ARGS] = {0}, tokens[CORES + 1] = {0};
  for (int i = 0; i < nargs; i++) words[i] = args[i];
  for (int i = 0; i < nafter; i++) tokens[i] = after[i];
  p->launches[program]++;
  for (int i = 0; i < 2 && p->plant->change[i].launch; i++)
    if (p->plant->change[i].program == program && p->plant->change[i].launch == p->launches[program])
      words[p->plant->change[i].arg] += (uint64_t)p->plant->change[i].add;
  nafter = forget(p, core, tokens, nafter);
  uint64_t token = accel_machine_launch(p->machine, core, &p->program[program], words, nargs, tokens, nafter);
  assert_in_range(token, 1, TOKENS - 1);
  p->owner[token] = core;
  return p->core[core].last = token;
}

static inline uint64_t blocks_of(int64_t rows) { return (uint64_t)(rows + 31) / 32 * 2; }

static inline uint64_t pack_planted(struct planted *p, int core, const struct tsr_kernel *kernel,
                                    const struct tsr_step *s, uint64_t from, uint64_t to, const uint64_t *after,
                                    int n) {
  bool along_k = kernel->op == TSR_OP_PACK_T;
  int64_t rows = along_k ? s->m : s->k, cols = along_k ? s->k : s->m;
  const uint64_t args[] = {to, from, (uint64_t)rows, (uint64_t)cols, (uint64_t)(along_k ? s->rsa : s->csa),
                           blocks_of(rows), 2};
  return launch_planted(p, core, PACK, args, 7, after, n);
}

static inline uint64_t gemm_planted(struct planted *p, int core, const struct tsr_kernel *kernel,
                                    const struct tsr_step *s, uint64_t a, uint64_t b, uint64_t c, const uint64_t *after,
                                    int n) {
  bool a_by_k = s->rsa != 2, b_by_k = s->rsb == 2;
  uint64_t flags = (uint64_t)a_by_k | (uint64_t)b_by_k << 1 | (s->flags & TSR_GO_ON ? 4 : 0) |
                   (s->flags & TSR_MORE_K ? 8 : 0);
  const uint64_t args[] = {a, b, c, (uint64_t)s->m, (uint64_t)s->n, (uint64_t)s->k, (uint64_t)s->csc,
                           blocks_of(a_by_k ? s->m : s->k), blocks_of(b_by_k ? s->n : s->k), flags, 16,
                           (uint64_t)p->core[core].half, 0, kernel->tc == TSR_F16, 32768};
  p->core[core].half ^= (s->k + 63) / 64 & 1;
  return launch_planted(p, core, GEMM, args, 15, after, n);
}

static inline uint64_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}

/* 16 columns a batch: several batches. */
static inline uint64_t update_planted(struct planted *p, int core, const struct tsr_kernel *kernel,
                                      const struct tsr_step *s, uint64_t sums, uint64_t y, uint64_t c,
                                      const uint64_t *after, int n) {
  const uint64_t args[] = {sums, (uint64_t)s->csa, y, (uint64_t)s->rsb, kernel->tb == TSR_F16, c, (uint64_t)s->csc,
                           kernel->tc == TSR_F16, (uint64_t)s->m, (uint64_t)s->n, bits_of((float)s->alpha),
                           bits_of((float)s->beta), 3, 16, blocks_of(s->m) * 64, 0x8000};
  return launch_planted(p, core, UPDATE, args, 16, after, n);
}

static inline tsr_token issue_planted(struct tsr_device *device, int core, const struct tsr_kernel *kernel,
                                      const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c,
                                      const tsr_token *after, int n) {
  struct planted *p = (struct planted *)device;
  if (!p->core[core].started) launch_planted(p, core, START, NULL, 0, NULL, 0);
  p->core[core].started = true;
  if (kernel->op == TSR_OP_GEMM) return gemm_planted(p, core, kernel, step, a, b, c, after, n);
  if (kernel->op == TSR_OP_UPDATE) return update_planted(p, core, kernel, step, a, b, c, after, n);
  return pack_planted(p, core, kernel, step, a, c, after, n);
}

static const struct tsr_device_chip device_chip = {.issue = issue_planted};
static const struct tsr_kernel pack_n = {.op = TSR_OP_PACK_N}, pack_t = {.op = TSR_OP_PACK_T};
static const struct tsr_kernel gemm = {.op = TSR_OP_GEMM, .tc = TSR_F32};
static const struct tsr_kernel gemm_to_c = {.op = TSR_OP_GEMM, .tc = TSR_F16};
static const struct tsr_kernel update[2][2] = {{{.op = TSR_OP_UPDATE, .tb = TSR_F32, .tc = TSR_F32},
                                                {.op = TSR_OP_UPDATE, .tb = TSR_F32, .tc = TSR_F16}},
                                               {{.op = TSR_OP_UPDATE, .tb = TSR_F16, .tc = TSR_F32},
                                                {.op = TSR_OP_UPDATE, .tb = TSR_F16, .tc = TSR_F16}}};
static const struct tsr_device_kernels kernels = {&pack_n, &pack_t, &gemm, &gemm_to_c, NULL,
                                                  {{&update[0][0], &update[0][1]}, {&update[1][0], &update[1][1]}}};

/* A part of C, all rows of 48 or 32 columns, on a core, by the library's loops. */
static inline void walk_planted(struct planted *p, const struct tsr_gemm_problem *pr, const struct tsr_gemm_way *plan,
                                int core, int part) {
  struct tsr_gemm_job job = {.problem = pr, .plan = plan, .size = 2};
  struct tsr_gemm_walker w = {.job = &job, .device = &p->device, .kernels = &kernels, .core = core,
                              .sums_csc = SUMS_PITCH};
  uint64_t at = 0;
  if (pr->alpha != 1) w.sums = p->sums, w.y = p->y;
  for (int i = 0; i < 2 * SLOTS; i++) {
    (i % 2 ? w.b : w.a)[i / 2].at = at;
    at += (uint64_t)((i % 2 ? 64 : 32) * plan->kc * 2 - p->plant->overlap);
  }
  for (int i = 0; i < ROWS; i += 32) {
    struct tsr_gemm_piece piece = {i, tsr_min(32, ROWS - i), 48 * part, part ? 32 : 48};
    tsr_walk_block(&w, &piece, true);
  }
  tsr_walk_finish(&w);
}

static inline uint64_t operand(struct accel_machine *m, int64_t elements, uint64_t seed) {
  uint64_t address = accel_gm_alloc(m, (size_t)elements * 2);
  uint16_t *x = accel_gm_view(m, address, (size_t)elements * 2);
  for (int64_t i = 0; i < elements; i++) x[i] = accel_f32_to_f16((float)(next_random(&seed) % 2001) / 1000 - 1);
  return address;
}

/* Commands of the second product wait for those of the first, as behind device.c's fence. */
static inline void queue_products(struct planted *p, const uint64_t *a, const uint64_t *b) {
  const struct tsr_gemm_problem first = {TSR_F16, TSR_F16, ROWS, COLS, DEPTH, a[0], b[0], p->c, 2, ROWS * 2, 2,
                                         DEPTH * 2, PITCH, 1, 0, .turned = false};
  const struct tsr_gemm_problem second = {TSR_F16, TSR_F16, ROWS, COLS, DEPTH, a[1], b[1], p->c, DEPTH * 2, 2, COLS * 2,
                                          2, PITCH, alpha, beta, .turned = false};
  const struct tsr_gemm_way long_chunks = {.kb = 4096, .kc = 96, .slots = SLOTS, .pack_a = true};
  const struct tsr_gemm_way short_chunks = {.kb = KB, .kc = 64, .slots = SLOTS, .pack_a = true};
  for (int core = 0; core < CORES; core++) walk_planted(p, &first, &long_chunks, core, core);
  uint64_t fence[CORES] = {p->core[0].last, p->core[1].last};
  for (int core = 0; core < CORES; core++) {
    launch_planted(p, core, FENCE, NULL, 0, fence, CORES);
    walk_planted(p, &second, &short_chunks, core, !core);
  }
}

static inline float f16(const uint16_t *x, int64_t i) { return accel_f16_to_f32(x[i]); }

/* C by the loops that define it. */
static inline void expect_c(struct accel_machine *m, const uint64_t *a, const uint64_t *b, uint16_t *c) {
  const uint16_t *a1 = accel_gm_view(m, a[0], 1), *a2 = accel_gm_view(m, a[1], 1);
  const uint16_t *b1 = accel_gm_view(m, b[0], 1), *b2 = accel_gm_view(m, b[1], 1);
  for (int i = 0; i < ROWS; i++)
    for (int j = 0; j < COLS; j++) {
      float sum = 0;
      for (int k = 0; k < DEPTH; k++) sum = fmaf(f16(a1, k * ROWS + i), f16(b1, j * DEPTH + k), sum);
      float y = beta * accel_f16_to_f32(accel_f32_to_f16(sum));
      for (int k0 = 0; k0 < DEPTH; k0 += KB) {
        sum = 0;
        for (int k = k0; k < DEPTH && k < k0 + KB; k++) sum = fmaf(f16(a2, i * DEPTH + k), f16(b2, k * COLS + j), sum);
        y = fmaf(alpha, sum, y);
      }
      c[j * ROWS + i] = accel_f32_to_f16(y);
    }
}

static inline bool c_is(const unsigned char *c, const uint16_t *expected) {
  for (int j = 0; j < COLS; j++)
    if (memcmp(c + j * PITCH, expected + j * ROWS, ROWS * 2) != 0) return false;
  return true;
}

static inline struct outcome run_planted(const struct plant *plant, struct accel_options options) {
  static uint16_t expected[ROWS * COLS];
  static bool known;
  struct planted p = {.device.chip = &device_chip, .plant = plant};
  struct outcome outcome = {.right = false};
  struct accel_params params = chip("910b");
  char error[512];
  params.cores = CORES;
  p.machine = machine_of(&params, options);
  for (int i = 0; i < PROGRAMS; i++) {
    char *text = source_of(i, plant);
    if (accel_assemble(text, files[i], NULL, NULL, &p.program[i], error, sizeof error) != 0) fail_msg("%s", error);
    free(text);
  }
  const uint64_t a[] = {operand(p.machine, ROWS * DEPTH, 1), operand(p.machine, ROWS * DEPTH, 2)};
  const uint64_t b[] = {operand(p.machine, DEPTH * COLS, 3), operand(p.machine, DEPTH * COLS, 4)};
  p.c = accel_gm_alloc(p.machine, PITCH * COLS);
  p.sums = accel_gm_alloc(p.machine, SUMS_PITCH * COLS);
  p.y = accel_gm_alloc(p.machine, SUMS_PITCH * COLS);
  if (!known) expect_c(p.machine, a, b, expected);
  known = true;
  queue_products(&p, a, b);
  accel_machine_run(p.machine, &outcome.fault);
  outcome.right = c_is(accel_gm_view(p.machine, p.c, PITCH * COLS), expected);
  outcome.stats = stats_of(p.machine);
  outcome.tokens = p.tokens;
  outcome.implied = p.implied;
  for (int i = 0; i < PROGRAMS; i++) accel_program_free(&p.program[i]);
  accel_machine_destroy(p.machine);
  return outcome;
}

#endif
