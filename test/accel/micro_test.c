/* A microbenchmark an instruction: what the program's run takes is what is documented for chip A, number by number. */
#include "test/accel/machine_support.h"

enum { SCALAR = ACCEL_S, CUBE = ACCEL_M, VECTOR = ACCEL_V, IN = ACCEL_MTE2, LOAD = ACCEL_MTE1, OUT = ACCEL_MTE3,
      FIXP = ACCEL_FIX };
#define GM ((int64_t)ACCEL_GM_BASE)

struct row {
  const char *text; /* the mnemonic; of scalar instructions the whole line */
  int pipe;
  double cycles;
  int64_t value[6];
};

static const struct row rows[] = {
    {"nop", SCALAR, 1, {0}},
    {"halt", SCALAR, 1, {0}},
    {"li r1, 0x123456789abcdef", SCALAR, 1, {0}},
    {"mov r1, r2", SCALAR, 1, {0}},
    {"add r1, r2, r3", SCALAR, 1, {0}},
    {"addi r1, r2, 3", SCALAR, 1, {0}},
    {"sub r1, r2, r3", SCALAR, 1, {0}},
    {"mul r1, r2, r3", SCALAR, 1, {0}},
    {"muli r1, r2, 3", SCALAR, 1, {0}},
    {"div r1, r2, r60", SCALAR, 1, {0}},
    {"rem r1, r2, r60", SCALAR, 1, {0}},
    {"and r1, r2, r3", SCALAR, 1, {0}},
    {"andi r1, r2, 3", SCALAR, 1, {0}},
    {"or r1, r2, r3", SCALAR, 1, {0}},
    {"xor r1, r2, r3", SCALAR, 1, {0}},
    {"shli r1, r2, 3", SCALAR, 1, {0}},
    {"shri r1, r2, 3", SCALAR, 1, {0}},
    {"min r1, r2, r3", SCALAR, 1, {0}},
    {"max r1, r2, r3", SCALAR, 1, {0}},
    {"arg r1, 0", SCALAR, 1, {0}},
    {"core r1", SCALAR, 1, {0}},
    {"jmp next\nnext:", SCALAR, 1, {0}},
    {"beq r1, r1, next\nnext:", SCALAR, 1, {0}},
    {"bne r1, r60, next\nnext:", SCALAR, 1, {0}},
    {"blt r1, r60, next\nnext:", SCALAR, 1, {0}},
    {"bge r60, r1, next\nnext:", SCALAR, 1, {0}},
    {"loop r60, next\nnext:", SCALAR, 1, {0}},
    {"pipe_barrier all", SCALAR, 16, {0}},
    {"ld.ub.b32 r1, r2", SCALAR, 16, {0}},
    {"set_flag s, s, 0", SCALAR, 1, {0}},
    {"wait_flag s, s, 1", SCALAR, 1, {0}},
    /* Bytes / rate; GM to L1 alone 110 B/cycle. */
    {"ld.gm.l1.b16", IN, 128 * 256 * 2 / 110.0, {0, GM, 128, 256, 512, 8}},
    {"ld.gm.l1.b16", IN, 5 * 7 * 2 / 110.0, {0, GM, 5, 7, 512, 8}},
    {"ld.gm.l1.b8", IN, 33 * 65 / 110.0, {32, GM + 1, 33, 65, 100, 3}},
    {"ld.gm.l1.b32", IN, 16 * 16 * 4 / 110.0, {0, GM, 16, 16, 64, 1}},
    {"ld.gm.l1.linear", IN, 4096 / 110.0, {0, GM, 4096}},
    {"ld.gm.ub", IN, 16 * 128 / 59.0, {0, GM, 16, 128, 256, 160}},
    {"load2d.l0a.b16", LOAD, 46 + 8 * 4 * 512 / 256.0, {0, 0, 8, 4, 8}},
    {"load2d.l0a.b16.t", LOAD, 46 + 8 * 4 * 512 / 256.0, {0, 0, 8, 4, 8}},
    {"set.map r1, r2, r3, r4", SCALAR, 1, {0}},
    {"load2d.l0b.b16", LOAD, 46 + 8 * 4 * 512 / 128.0, {0, 0, 8, 4, 8}},
    {"load2d.l0b.b8.t", LOAD, 46 + 2 * 2 * 512 / 128.0, {0, 0, 2, 2, 8}},
    /* 6 in an empty pipe + 12.5 + cubes of 16 x 16 x 32 bytes. */
    {"mad.f16.init", CUBE, 6 + 12.5 + 512, {0, 0, 0, 128, 64, 256}},
    {"mad.f16", CUBE, 6 + 12.5 + 512, {0, 0, 0, 128, 64, 256}},
    {"mad.bf16.init", CUBE, 6 + 12.5 + 1, {0, 0, 0, 1, 1, 1}},
    {"mad.bf16.init", CUBE, 6 + 12.5 + 2 * 2 * 2, {0, 0, 0, 17, 17, 17}},
    {"mad.s8.init", CUBE, 6 + 12.5 + 256, {0, 0, 0, 128, 64, 256}},
    {"mad.f32.init", CUBE, 6 + 12.5 + 2 * 8 * 8 * 16, {0, 0, 0, 128, 64, 256}},
    /* 200 + elements / 20.5, whatever their type. */
    {"fixp.gm.f32", FIXP, 200 + 128 * 256 / 20.5, {GM, 0, 128, 256, 1024, 8}},
    {"fixp.gm.f16", FIXP, 200 + 128 * 256 / 20.5, {GM, 0, 128, 256, 1024, 8}},
    {"fixp.gm.s32", FIXP, 200 + 3 * 5 / 20.5, {GM, 0, 3, 5, 1024, 8}},
    {"fixp.l1.f16", FIXP, 64 * 64 * 2 / 74.0, {0, 0, 64, 64, 4, 4}},
    {"st.ub.gm", OUT, 16 * 128 / 109.0, {GM, 0, 16, 128, 256, 128}},
    /* Startup + slope * repeats of 256 bytes. */
    {"v.add.f32", VECTOR, 5.9 + 2.07 * 16, {0, 4096, 8192, 1024}},
    {"v.add.f16", VECTOR, 5.9 + 2.07 * 8, {0, 4096, 8192, 1024}},
    {"v.sub.f32", VECTOR, 5.9 + 2.07 * 1, {0, 4096, 8192, 1}},
    {"v.mul.f32", VECTOR, 6.9 + 2.13 * 2, {0, 4096, 8192, 65}},
    {"v.div.f32", VECTOR, 13 + 4 * 16, {0, 4096, 8192, 1024}},
    {"v.max.f32", VECTOR, 4 + 2 * 16, {0, 4096, 8192, 1024}},
    {"v.min.s32", VECTOR, 4 + 2 * 16, {0, 4096, 8192, 1024}},
    {"v.fma.f32", VECTOR, 6.9 + 2.13 * 16, {0, 4096, 8192, 1024}},
    {"v.adds.f32", VECTOR, 7 + 16, {0, 4096, 1, 1024}},
    {"v.muls.f16", VECTOR, 7 + 8, {0, 4096, 1, 1024}},
    {"v.fmas.f32", VECTOR, 7 + 16, {0, 4096, 1, 1024}},
    {"v.dup.f32", VECTOR, 7 + 16, {0, 1, 1024}},
    {"v.bcast.f32", VECTOR, 5 + 32, {0, 8192, 256}},
    {"v.bcast.f16", VECTOR, 5 + 2, {0, 8192, 10}},
    {"v.exp.f32", VECTOR, 12 + 2 * 16, {0, 4096, 1024}},
    {"v.exp.f16", VECTOR, 12 + 4 * 8, {0, 4096, 1024}},
    {"v.sqrt.f32", VECTOR, 13 + 2 * 16, {0, 4096, 1024}},
    {"v.gmax.f32", VECTOR, 5 + 16, {0, 4096, 1024}},
    {"v.gadd.f32", VECTOR, 12 + 16, {0, 4096, 1024}},
    {"v.rmax.f32", VECTOR, 8 + 7 * 16, {0, 4096, 1024}},
    {"v.radd.f32", VECTOR, 20 + 7 * 16, {0, 4096, 1024}},
    {"v.to_f32.f16", VECTOR, 7 + 16, {0, 4096, 1024}},
    {"v.from_f32.bf16", VECTOR, 7 + 16, {0, 4096, 1024}},
    /* Nothing to do costs what does not depend on size. */
    {"mad.f16", CUBE, 6 + 12.5, {0, 0, 0, 0, 64, 256}},
    {"load2d.l0a.b16", LOAD, 46, {0, 0, 0, 4, 8}},
    {"load3d.l0a.b16", LOAD, 46, {0, 0, 0, 16, 0, 0}},
    {"v.add.f32", VECTOR, 5.9, {0, 4096, 8192, 0}},
};

/* Routes that only chip B has. */
static const struct row rows_b[] = {
    {"ld.l1.ub", LOAD, 4096 / 128.0, {0, 0, 4096}},
    {"st.ub.l1", OUT, 4096 / 256.0, {0, 0, 4096}},
    {"fixp.ub.f32", FIXP, 64 * 64 * 4 / 256.0, {0, 0, 64, 64, 256, 4}},
    {"fixp.ub.f16", FIXP, 64 * 64 * 2 / 256.0, {0, 0, 64, 64, 128, 4}},
    {"fixp.gm.f32", FIXP, 200 + 128 * 256 / 20.5, {GM, 0, 128, 256, 1024, 8}},
    {"ld.gm.l1.linear", IN, 4096 / 114.0, {0, GM, 4096}},
};

/* Operands in r1 to r6, the instruction last; r60 is 1 and flag s, s, 1 is up. */
static void write_program(const struct row *row, char *text, size_t size) {
  int operands = 0, used = snprintf(text, size, "li r60, 1\nset_flag s, s, 1\n");
  for (int i = 0; i < ACCEL_OPCODES && row->pipe; i++) {
    size_t length = strlen(accel_ops[i].mnemonic);
    const char *rest = row->text + length;
    if (strncmp(row->text, accel_ops[i].mnemonic, length) != 0 || (*rest && *rest != '.')) continue;
    operands = (int)strlen(accel_ops[i].operands);
  }
  for (int i = 0; i < operands; i++)
    used += snprintf(text + used, size - (size_t)used, "li r%d, %lld\n", i + 1, (long long)row->value[i]);
  used += snprintf(text + used, size - (size_t)used, "%s ", row->text);
  for (int i = 0; i < operands; i++) used += snprintf(text + used, size - (size_t)used, "%sr%d", i ? ", " : "", i + 1);
  snprintf(text + used, size - (size_t)used, "\nhalt\n");
}

static double time_of(const struct accel_stats *s, int pipe) {
  return pipe ? s->busy[pipe] : s->busy[pipe] + s->stall[pipe][ACCEL_STALL_FLAG] + s->stall[pipe][ACCEL_STALL_BARRIER];
}

static void measure(const char *chip_name, const struct row *row, bool *seen) {
  struct accel_params params = chip(chip_name);
  struct accel_machine *m = machine_of(&params, (struct accel_options){0});
  assert_int_equal(accel_gm_alloc(m, 1 << 20), GM);
  char text[1024];
  write_program(row, text, sizeof text);
  run_text(m, 0, text, 7);
  struct accel_stats s = stats_of(m);
  double others = row->pipe ? 0 : strcmp(row->text, "halt") == 0 ? 2 : 3; /* li, set_flag, halt */
  double took = time_of(&s, row->pipe) - others;
  if (took < row->cycles - 1e-6 || took > row->cycles + 1e-6) fail_msg("%s: %g cycles, not %g", text, took,
                                                                       row->cycles);
  for (int i = 0; i < ACCEL_OPCODES; i++) seen[i] |= s.instructions[i] > 0;
  accel_machine_destroy(m);
}

static void every_instruction_costs_what_is_documented(void **state) {
  (void)state;
  bool seen[ACCEL_OPCODES] = {0};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) measure("910b", &rows[i], seen);
  for (size_t i = 0; i < sizeof rows_b / sizeof rows_b[0]; i++) measure("310p", &rows_b[i], seen);
  for (int i = 0; i < ACCEL_OPCODES; i++)
    if (!seen[i]) fail_msg("%s is not measured", accel_ops[i].mnemonic);
}

/* The 6 cycles are paid by the first of three; each pays 12.5 and its cubes. */
static void only_an_empty_cube_starts_up(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){0});
  run_text(m, 0, "li r1, 128\nmad.f16 r0, r0, r0, r1, r1, r1\nmad.f16 r0, r0, r0, r1, r1, r1\n"
                 "mad.f16 r0, r0, r0, r1, r1, r1\nhalt\n", 0);
  assert_near(stats_of(m).busy[ACCEL_M], 6 + 3 * (12.5 + 512));
  /* Flags that are up in time do not empty it; a barrier does, and so does a flag that comes late. */
  accel_machine_reset_stats(m);
  run_text(m, 0, "li r1, 128\nset_flag s, m, 0\nmad.f16 r0, r0, r0, r1, r1, r1\nset_flag m, fix, 0\n"
                 "wait_flag m, fix, 0\nwait_flag s, m, 0\nmad.f16 r0, r0, r0, r1, r1, r1\nhalt\n", 0);
  assert_near(stats_of(m).busy[ACCEL_M], 6 + 2 * (12.5 + 512));
  accel_machine_reset_stats(m);
  run_text(m, 0, "li r1, 128\nmad.f16 r0, r0, r0, r1, r1, r1\npipe_barrier m\nmad.f16 r0, r0, r0, r1, r1, r1\n"
                 "wait_flag s, m, 0\nmad.f16 r0, r0, r0, r1, r1, r1\npipe_barrier mte1\nli r2, 2000\n"
                 "loop r2, late\nnop\nlate:\nset_flag s, m, 0\nhalt\n", 0);
  assert_near(stats_of(m).busy[ACCEL_M], 3 * (6 + 12.5 + 512));
  accel_machine_destroy(m);
}

/* set_flag and wait_flag in pipes: a cycle each, counted as waiting for flags. */
static void flags_cost_a_cycle(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){.trace = true});
  run_text(m, 0, "set_flag mte1, m, 3\nwait_flag mte1, m, 3\nhalt\n", 0);
  struct accel_stats s = stats_of(m);
  assert_near(s.stall[ACCEL_MTE1][ACCEL_STALL_FLAG], 1);
  assert_near(s.stall[ACCEL_M][ACCEL_STALL_FLAG], 1);
  /* Dispatched in cycle 0, in mte1 in cycle 1, up from 2 on, when the wait has just come to m. */
  int64_t count;
  const struct accel_event *events = accel_machine_events(m, &count);
  for (int64_t i = 0; i < count; i++) {
    if (events[i].pipe == ACCEL_MTE1) assert_near(events[i].start, 1), assert_near(events[i].end, 2);
    if (events[i].pipe == ACCEL_M) assert_near(events[i].start, 2), assert_near(events[i].end, 3);
  }
  assert_near(s.cycles, 3);
  accel_machine_destroy(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_instruction_costs_what_is_documented),
                                     cmocka_unit_test(only_an_empty_cube_starts_up),
                                     cmocka_unit_test(flags_cost_a_cycle)};
  return cmocka_run_group_tests_name("costs of instructions", tests, NULL, NULL);
}
