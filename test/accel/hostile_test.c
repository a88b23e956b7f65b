/* Programs of random instructions with operands that mean nothing: each run ends, with success or a fault that says
 * what was wrong, and the machine can be used afterwards. */
#include "test/accel/machine_support.h"

#include <math.h>

enum { PROGRAMS = 1500, PARTS = 8, GM_BYTES = 65536 };

/* What registers r1 to r24 begin with: first what may pass for an address or a count. */
static const char *const values[] = {
    "512", "1024", "4096", "32", "64", "16", "1", "0x100000000000", "2", "3", "17", "128", "0x8000", "0x7ffe0",
    "0x2ffe0", "-1", "0x7fffffff", "0x80000000", "0x7fffffffffffffff", "0x8000000000000000", "0x100000000040",
    "0x10000000fff0", "8", "5"};
enum { SANE = 8, VALUES = sizeof values / sizeof values[0] };

struct text {
  char at[16384];
  int used;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *text, const char *format, ...) {
  va_list list;
  va_start(list, format);
  text->used += vsnprintf(text->at + text->used, sizeof text->at - (size_t)text->used, format, list);
  va_end(list);
}

static int draw(uint64_t *seed, int n) { return (int)((next_random(seed) >> 33) % (uint64_t)n); }

static void add_suffixes(struct text *text, uint64_t *seed, unsigned types) {
  int count = __builtin_popcount(types & ACCEL_TYPES), chosen = count ? draw(seed, count) : -1;
  for (int i = 0; i < ACCEL_SUFFIXES; i++) {
    if (!(types >> i & 1)) continue;
    bool type = ACCEL_TYPES >> i & 1;
    if (type ? chosen-- == 0 : draw(seed, 2)) add(text, ".%s", accel_suffix_names[i]);
  }
}

/* The label of `loop` stands behind it. */
static void add_operand(struct text *text, uint64_t *seed, char kind, int opcode, int part) {
  int first = opcode == ACCEL_LOOP ? part + 1 : 0, pipes = ACCEL_PIPES + (opcode == ACCEL_PIPE_BARRIER);
  switch (kind) {
    case 'p': add(text, "%s", accel_pipe_names[draw(seed, pipes)]); break;
    case 'l': add(text, "l%d", first + draw(seed, PARTS + 1 - first)); break;
    case 'f': add(text, "%d", draw(seed, ACCEL_FLAGS)); break;
    case 'i': add(text, "%d", draw(seed, 32)); break;
    case 'd': add(text, "r%d", VALUES + 1 + draw(seed, 8)); break;
    default: add(text, "r%d", draw(seed, 16) ? draw(seed, SANE + 1) : draw(seed, VALUES + 9)); /* a register */
  }
}

static void add_instruction(struct text *text, uint64_t *seed, int part) {
  int opcode = draw(seed, ACCEL_OPCODES);
  const struct accel_op *op = &accel_ops[opcode];
  if (opcode == ACCEL_HALT && draw(seed, 4)) return;
  add(text, "%s", op->mnemonic);
  add_suffixes(text, seed, op->types);
  for (const char *o = op->operands; *o; o++) {
    add(text, o == op->operands ? " " : ", ");
    add_operand(text, seed, *o, opcode, part);
  }
  add(text, "\n");
}

static struct accel_program random_program(uint64_t *seed) {
  static struct text text;
  text.used = 0;
  for (int i = 0; i < VALUES; i++) add(&text, "li r%d, %s\n", i + 1, values[i]);
  for (int part = 0; part < PARTS; part++) {
    add(&text, "l%d:\n", part);
    for (int i = 0; i < 8; i++) add_instruction(&text, seed, part);
  }
  add(&text, "l%d:\nhalt\n", PARTS);
  return assembled(text.at);
}

static void check_sums(const struct accel_machine *m, const struct accel_params *params) {
  struct accel_stats s = stats_of(m);
  for (int pipe = 0; pipe < ACCEL_PIPES; pipe++) {
    double sum = s.busy[pipe];
    for (int i = 0; i < ACCEL_STALLS; i++) sum += s.stall[pipe][i];
    assert_true(fabs(sum - s.cycles * params->cores) <= 1e-6 * (1 + s.cycles * params->cores));
  }
}

/* The program on two cores, one after the other, and once more; what comes of it, and that all is well behind it. */
static enum accel_fault_kind survive(const struct accel_program *program, const struct accel_program *good,
                                     const char *name, struct accel_options options) {
  struct accel_params params = chip(name);
  if (params.cores > 3) params.cores = 3;
  struct accel_machine *m = machine_of(&params, options);
  struct accel_fault fault;
  uint64_t gm = accel_gm_alloc(m, GM_BYTES), token = launch(m, 0, program, gm);
  if (params.cores > 1) accel_machine_launch(m, 1, program, &gm, 1, &token, 1);
  launch(m, 0, program, gm);
  int result = accel_machine_run(m, &fault);
  assert_int_equal(result, fault.kind ? -1 : 0);
  assert_true(fault.kind == ACCEL_NO_FAULT || strlen(fault.text) > 20);
  check_sums(m, &params);
  launch(m, 0, good, 0);
  run(m);
  accel_machine_destroy(m);
  return fault.kind;
}

static void every_run_ends(void **state) {
  (void)state;
  static const char *const chips[] = {"310p", "910b", "systolic"};
  uint64_t seed = 20250611;
  int kinds[ACCEL_UNSUPPORTED + 1] = {0};
  struct accel_program good = assembled("li r1, 1024\nv.dup.f32 r0, r0, r1\npipe_barrier all\nhalt\n");
  for (int i = 0; i < PROGRAMS; i++) {
    struct accel_program program = random_program(&seed);
    struct accel_options options = {.cycle_limit = 3000, .races = i % 4 == 0, .trace = i % 5 == 0,
                                    .no_data = i % 7 == 0, .shuffle = i % 8 == 0 ? (uint64_t)i + 1 : 0};
    kinds[survive(&program, &good, chips[i % 3], options)]++;
    accel_program_free(&program);
  }
  int seen = 0;
  for (int i = 0; i <= ACCEL_UNSUPPORTED; i++) seen += kinds[i] > 0;
  assert_in_range(seen, 8, ACCEL_UNSUPPORTED + 1); /* random programs come to most kinds of end */
  accel_program_free(&good);
}

/* The fields of a map at random, mostly small, and places and counts that may pass. */
static void add_map(struct text *text, uint64_t *seed) {
  static const char *const counts[] = {"0", "1", "2", "7", "16", "17", "64", "0x7fffffff", "-1", "0x100000000"};
  for (int word = 0; word < 4; word++) {
    uint64_t bits = 0;
    for (int at = 0; at < 64; at += word == 1 ? 8 : 16)
      bits |= (draw(seed, 12) ? (uint64_t)draw(seed, word == 1 ? 4 : 8) : next_random(seed) & 0xff) << at;
    if (draw(seed, 9) == 0) bits = next_random(seed);
    add(text, "li r%d, 0x%llx\n", word + 1, (unsigned long long)bits);
  }
  add(text, "set.map r1, r2, r3, r4\n");
  for (int i = 5; i < 11; i++) add(text, "li r%d, %s\n", i, i < 7 ? "0" : counts[draw(seed, draw(seed, 3) ? 6 : 10)]);
  add(text, "load3d.l0a.b%d r5, r6, r7, r8, r9, r10\n", 8 << draw(seed, 3));
}

static void maps_that_mean_nothing(void **state) {
  (void)state;
  enum { MAPS = 6000 };
  static struct text text;
  uint64_t seed = 20250612;
  int ended = 0;
  struct accel_program good = assembled("li r1, 1024\nv.dup.f32 r0, r0, r1\npipe_barrier all\nhalt\n");
  for (int i = 0; i < MAPS; i++) {
    text.used = 0;
    add_map(&text, &seed);
    add(&text, "halt\n");
    struct accel_program program = assembled(text.at);
    struct accel_options options = {.cycle_limit = 3000, .races = i % 4 == 0, .no_data = i % 7 == 0};
    ended += survive(&program, &good, i % 2 ? "310p" : "910b", options) == ACCEL_NO_FAULT;
    accel_program_free(&program);
  }
  assert_in_range(ended, MAPS / 50, MAPS - MAPS / 10);
  accel_program_free(&good);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_run_ends), cmocka_unit_test(maps_that_mean_nothing)};
  return cmocka_run_group_tests_name("hostile programs", tests, NULL, NULL);
}
