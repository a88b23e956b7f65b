/* Every way a program can be wrong: the run ends with the right kind of fault and a text that says where, what and what
 * would be right; the machine can be used afterwards. */
#include "test/accel/machine_support.h"

#define GM ACCEL_GM_BASE
enum { GM_BYTES = 65536 };

static struct accel_fault fault;

/* Runs `text` on core 2 of a machine; it must fail as `kind` with all of `words`, separated by '|', in its text. */
static void expect_with(struct accel_options options, enum accel_fault_kind kind, const char *words, const char *text) {
  struct accel_machine *m = machine(options);
  struct accel_program program = assembled(text), good = assembled("nop\nhalt\n");
  assert_int_equal(accel_gm_alloc(m, GM_BYTES), GM);
  launch(m, 2, &program, 7);
  assert_int_equal(accel_machine_run(m, &fault), -1);
  if (fault.kind != kind) fail_msg("kind %d: %s", fault.kind, fault.text);
  char copy[512];
  snprintf(copy, sizeof copy, "%s", words);
  for (char *word = strtok(copy, "|"); word; word = strtok(NULL, "|"))
    if (!strstr(fault.text, word)) fail_msg("'%s' is not in: %s", word, fault.text);
  launch(m, 2, &good, 0);
  run(m);
  accel_program_free(&program);
  accel_program_free(&good);
  accel_machine_destroy(m);
}

static void expect(enum accel_fault_kind kind, const char *words, const char *text) {
  expect_with((struct accel_options){0}, kind, words, text);
  expect_with((struct accel_options){.no_data = true}, kind, words, text);
  expect_with((struct accel_options){.shuffle = 1}, kind, words, text);
  expect_with((struct accel_options){.races = true, .trace = true}, kind, words, text);
}

static void misaligned(void **state) {
  (void)state;
  expect(ACCEL_MISALIGNED, "t.s:4|core 2|mte2|operand 1 (dst) is 0x10|l1|multiples of 32",
         "li r1, 16\nli r2, 0x100000000000\nli r3, 64\nld.gm.l1.linear r1, r2, r3\nhalt\n");
  expect(ACCEL_MISALIGNED, "operand 2 (src)|0x100000000001|gm|multiples of 2",
         "li r1, 0\nli r2, 0x100000000001\nli r3, 16\nld.gm.l1.b16 r1, r2, r3, r3, r3, r3\nhalt\n");
  expect(ACCEL_MISALIGNED, "operand 2 (src)|17 bytes apart|multiples of 2",
         "li r2, 0x100000000000\nli r3, 16\nli r4, 17\nld.gm.l1.b16 r0, r2, r3, r3, r4, r3\nhalt\n");
  expect(ACCEL_MISALIGNED, "mte1|operand 1|l0a|multiples of 512",
         "li r1, 256\nli r3, 1\nload2d.l0a.b16 r1, r0, r3, r3, r3\nhalt\n");
  expect(ACCEL_MISALIGNED, "mte1|operand 2|l1|multiples of 32", "li r1, 1\nload2d.l0b.b16 r0, r1, r1, r1, r1\nhalt\n");
  expect(ACCEL_MISALIGNED, "core 2, m:|operand 1 (l0c)|multiples of 64",
         "li r1, 32\nmad.f16 r1, r0, r0, r1, r1, r1\nhalt\n");
  expect(ACCEL_MISALIGNED, "core 2, v:|operand 3 (b)|ub|multiples of 32",
         "li r1, 4\nli r2, 64\nv.add.f32 r0, r2, r1, r1\nhalt\n");
  expect(ACCEL_MISALIGNED, "mte3|operand 2 (src)|48 bytes apart",
         "li r2, 0x100000000000\nli r3, 2\nli r4, 48\nst.ub.gm r2, r0, r3, r4, r4, r4\nhalt\n");
}

static void out_of_range(void **state) {
  (void)state;
  expect(ACCEL_OUT_OF_RANGE, "t.s:4|mte2|operand 1 (dst) is 0x7ffe0|64 bytes|beyond the 524288 of l1",
         "li r1, 0x7ffe0\nli r2, 0x100000000000\nli r3, 64\nld.gm.l1.linear r1, r2, r3\nhalt\n");
  expect(ACCEL_OUT_OF_RANGE, "operand 1 (dst)|of l1", "li r1, -32\nli r2, 0x100000000000\nli r3, 32\n"
         "ld.gm.l1.linear r1, r2, r3\nhalt\n");
  expect(ACCEL_OUT_OF_RANGE, "operand 2 (src)|65 bytes|beyond the allocation of 65536 bytes at 0x100000000000",
         "li r2, 0x10000000ffc0\nli r3, 65\nld.gm.l1.linear r0, r2, r3\nhalt\n");
  expect(ACCEL_OUT_OF_RANGE, "operand 2 (src)|not in any allocation", "li r3, 64\nld.gm.l1.linear r0, r0, r3\nhalt\n");
  expect(ACCEL_OUT_OF_RANGE, "operand 2 (src)|not in any allocation",
         "li r3, 64\nli r2, 0x100000010001\nld.gm.l1.linear r0, r2, r3\nhalt\n");
  expect(ACCEL_OUT_OF_RANGE, "operand 1 (l0c)|of l0c", "li r1, 256\nli r2, 16\nmad.f16 r0, r0, r0, r1, r2, r1\nhalt\n");
  expect(ACCEL_OUT_OF_RANGE, "operand 2 (l0a)|of l0a",
         "li r1, 1024\nli r2, 64\nmad.f16 r0, r0, r0, r1, r2, r2\nhalt\n");
  expect(ACCEL_OUT_OF_RANGE, "operand 1 (dst)|of l0b", "li r1, 12\nload2d.l0b.b16 r0, r0, r1, r1, r1\nhalt\n");
  expect(ACCEL_OUT_OF_RANGE, "operand 2 (a)|of ub",
         "li r1, 0x2fff0\nli r2, 0x2ffe0\nli r3, 16\nv.sqrt.f32 r0, r2, r3\nhalt\n");
  /* Counts whose products do not fit 64 bits. */
  expect(ACCEL_OUT_OF_RANGE, "operand 2", "li r1, 0x7fffffff\nli r2, 0x100000000000\nli r3, 0x7ffffffffffffffe\n"
         "ld.gm.l1.b16 r0, r2, r1, r1, r3, r1\nhalt\n");
  expect(ACCEL_OUT_OF_RANGE, "of l1", "li r1, 0x7fffffff\nload2d.l0a.b16 r0, r0, r1, r1, r1\nhalt\n");
  expect(ACCEL_OUT_OF_RANGE, "of l0", "li r1, 0x7fffffff\nmad.s8 r0, r0, r0, r1, r1, r1\nhalt\n");
  expect(ACCEL_OUT_OF_RANGE, "of l0c",
         "li r1, 0x7fffffff\nli r2, 0x100000000000\nfixp.gm.f32 r2, r0, r1, r1, r1, r1\nhalt\n");
}

static void use_after_free(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){0});
  struct accel_program program = assembled("arg r1, 0\nli r2, 64\nld.gm.l1.linear r0, r1, r2\nhalt\n");
  uint64_t a = accel_gm_alloc(m, 1000), b = accel_gm_alloc(m, 1000);
  assert_true(accel_gm_free(m, a));
  launch(m, 0, &program, b);
  run(m);
  launch(m, 0, &program, a);
  assert_int_equal(accel_machine_run(m, &fault), -1);
  assert_int_equal(fault.kind, ACCEL_OUT_OF_RANGE);
  assert_non_null(strstr(fault.text, "allocation of 1000 bytes at 0x100000000000, which was freed"));
  accel_program_free(&program);
  accel_machine_destroy(m);
}

static void bad_counts(void **state) {
  (void)state;
  expect(ACCEL_BAD_OPERAND, "operand 3 (bytes) is -1|0 .. 2147483647", "li r1, -1\nld.gm.l1.linear r0, r0, r1\nhalt\n");
  expect(ACCEL_BAD_OPERAND, "operand 3 (rows) is 4294967296",
         "li r1, 0x100000000\nld.gm.ub r0, r0, r1, r0, r0, r0\nhalt\n");
  expect(ACCEL_BAD_OPERAND, "operand 5 (pitch) is -2", "li r1, -2\nld.gm.l1.b16 r0, r0, r0, r0, r1, r0\nhalt\n");
  expect(ACCEL_BAD_OPERAND, "operand 6 (n) is -5", "li r1, -5\nmad.f16 r0, r0, r0, r0, r0, r1\nhalt\n");
  expect(ACCEL_BAD_OPERAND, "operand 4 (n) is -1", "li r1, -1\nv.fma.f32 r0, r0, r0, r1\nhalt\n");
  expect(ACCEL_BAD_OPERAND, "operand 3 (n) is -1", "li r1, -1\nv.dup.f32 r0, r0, r1\nhalt\n");
  expect(ACCEL_BAD_OPERAND, "operand 3 (rows) is -1", "li r1, -1\nfixp.l1.f16 r0, r0, r1, r0, r0, r0\nhalt\n");
  expect(ACCEL_BAD_OPERAND, "operand 1 (dst)|columns of 2 fractals are only 1 apart",
         "li r1, 32\nli r2, 0x100000000000\nli r3, 64\nli r4, 1\nld.gm.l1.b16 r0, r2, r1, r1, r3, r4\nhalt\n");
  expect(ACCEL_BAD_OPERAND, "operand 1 (dst)|rows of 64 bytes are only 32 apart",
         "li r1, 2\nli r2, 0x100000000000\nli r3, 64\nli r4, 32\nst.ub.gm r2, r0, r1, r3, r4, r3\nhalt\n");
  expect(ACCEL_BAD_OPERAND, "operand 2 overlaps with the result",
         "li r1, 32\nli r2, 64\nv.sqrt.f32 r0, r1, r2\nhalt\n");
  expect(ACCEL_BAD_OPERAND, "operand 2 overlaps with the result", "li r2, 64\nv.to_f32.f16 r0, r0, r2\nhalt\n");
  expect(ACCEL_BAD_OPERAND, "t.s:1|argument 1 of a launch with 1", "arg r1, 1\nhalt\n");
}

static void scalar_faults(void **state) {
  (void)state;
  expect(ACCEL_DIVIDE_BY_ZERO, "t.s:2|core 2, s:|5 divided by zero", "li r1, 5\ndiv r2, r1, r0\nhalt\n");
  expect(ACCEL_DIVIDE_BY_ZERO, "t.s:2|core 2, s:|5 divided by zero", "li r1, 5\nrem r2, r1, r0\nhalt\n");
  expect(ACCEL_RAN_OFF, "t.s:2|halt is missing", "nop\nnop\n");
  expect(ACCEL_RAN_OFF, "t.s:2|halt is missing", "jmp out\nhalt\nout:\n");
  expect(ACCEL_BAD_OPERAND, "t.s:10|nested deeper than 8",
         "li r1, 2\nloop r1, e\nloop r1, e\nloop r1, e\nloop r1, e\nloop r1, e\nloop r1, e\nloop r1, e\nloop r1, e\n"
         "loop r1, e\nnop\ne:\nhalt\n");
  struct accel_program empty = {.name = (char *)"nothing"};
  struct accel_machine *m = machine((struct accel_options){0});
  launch(m, 0, &empty, 0);
  assert_int_equal(accel_machine_run(m, &fault), -1);
  assert_int_equal(fault.kind, ACCEL_RAN_OFF);
  accel_machine_destroy(m);
}

static void unsupported(void **state) {
  (void)state;
  expect(ACCEL_UNSUPPORTED, "mte1|chip 910b has no such route", "li r1, 32\nld.l1.ub r0, r0, r1\nhalt\n");
  expect(ACCEL_UNSUPPORTED, "mte3|chip 910b has no such route", "li r1, 32\nst.ub.l1 r0, r0, r1\nhalt\n");
  expect(ACCEL_UNSUPPORTED, "fix|chip 910b has no such route", "li r1, 16\nfixp.ub.f32 r0, r0, r1, r1, r1, r1\nhalt\n");
}

static void bad_flags(void **state) {
  (void)state;
  expect(ACCEL_BAD_FLAG, "t.s:2|core 2, mte1|flag mte1, m, 5 is still up since the set_flag of line 1|signal is lost",
         "set_flag mte1, m, 5\nset_flag mte1, m, 5\nhalt\n");
  expect(ACCEL_BAD_FLAG, "t.s:2|core 2, s|flag s, m, 5 is still up|line 1",
         "set_flag s, m, 5\nset_flag s, m, 5\nhalt\n");
  expect(ACCEL_BAD_FLAG, "t.s:2|flag 8|0 .. 7", "li r1, 8\nset_flag mte1, m, r1\nhalt\n");
  expect(ACCEL_BAD_FLAG, "t.s:2|flag -1|0 .. 7", "li r1, -1\nwait_flag mte1, m, r1\nhalt\n");
}

static void deadlocks(void **state) {
  (void)state;
  expect(ACCEL_DEADLOCK, "deadlock|core 2: m waits at t.s:1 for flag mte1, m, 3|only mte1 can set it|queue is empty",
         "wait_flag mte1, m, 3\nhalt\n");
  expect(ACCEL_DEADLOCK, "core 2: s waits at t.s:1 for flag v, s, 0|only v can set it", "wait_flag v, s, 0\nhalt\n");
  /* A circle. */
  expect(ACCEL_DEADLOCK, "m waits at t.s:1 for flag v, m, 0|which has that queued (t.s:4) behind a wait of its own|"
         "v waits at t.s:2 for flag m, v, 0|which has that queued (t.s:3)",
         "wait_flag v, m, 0\nwait_flag m, v, 0\nset_flag m, v, 0\nset_flag v, m, 0\nhalt\n");
  expect(ACCEL_DEADLOCK, "s waits at t.s:2 for all to drain", "wait_flag v, m, 0\npipe_barrier all\nhalt\n");
  expect(ACCEL_DEADLOCK, "s waits at t.s:4 for room in the queue of m|m waits at t.s:2",
         "li r1, 100\nwait_flag v, m, 0\nloop r1, end\nmad.f16 r0, r0, r0, r0, r0, r0\nend:\nhalt\n");
}

/* Commands that wait for each other, and for one that nobody launches. */
static void token_deadlocks(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){0});
  struct accel_program program = assembled(".program round\nhalt\n");
  uint64_t first = launch(m, 0, &program, 0), second = first + 2, third = first + 1;
  assert_int_equal(accel_machine_launch(m, 1, &program, NULL, 0, &second, 1), first + 1);
  assert_int_equal(accel_machine_launch(m, 2, &program, NULL, 0, &third, 1), first + 2);
  assert_int_equal(accel_machine_run(m, &fault), -1);
  assert_int_equal(fault.kind, ACCEL_DEADLOCK);
  assert_non_null(strstr(fault.text, "core 1: s waits for token 3 (round on core 2)"));
  assert_non_null(strstr(fault.text, "core 2: s waits for token 2 (round on core 1)"));
  uint64_t unknown = 1000;
  accel_machine_launch(m, 1, &program, NULL, 0, &unknown, 1);
  assert_int_equal(accel_machine_run(m, &fault), -1);
  assert_non_null(strstr(fault.text, "token 1000 (no such command)"));
  /* The cause is said before what follows from it, each once. */
  struct accel_program stuck = assembled(".program stuck\nwait_flag v, s, 0\nhalt\n");
  uint64_t token = launch(m, 5, &stuck, 0);
  accel_machine_launch(m, 1, &program, NULL, 0, &token, 1);
  assert_int_equal(accel_machine_run(m, &fault), -1);
  assert_int_equal(fault.core, 5);
  const char *cause = strstr(fault.text, "core 5: s waits at t.s:2 for flag v, s, 0");
  const char *effect = strstr(fault.text, "core 1: s waits for token");
  assert_true(cause && effect && cause < effect && !strstr(effect + 1, "core 1:") && !strstr(cause + 1, "core 5: s"));
  accel_program_free(&stuck);
  accel_program_free(&program);
  accel_machine_destroy(m);
}

static void cycle_limit(void **state) {
  (void)state;
  const char *endless[] = {
      "again:\njmp again\n", "li r1, 0x7fffffffffffffff\nloop r1, end\npipe_barrier all\nend:\nhalt\n",
      "li r1, 0x7fffffffffffffff\nloop r1, end\nset_flag s, s, 0\nwait_flag s, s, 0\nend:\nhalt\n",
      "li r1, 0x7fffffffffffffff\nloop r1, end\nv.dup.f32 r0, r0, r0\nend:\nhalt\n",
      "li r1, 0x7fffffffffffffff\nloop r1, a\nloop r1, a\nloop r1, a\na:\nhalt\n"};
  for (size_t i = 0; i < sizeof endless / sizeof endless[0]; i++)
    for (uint64_t shuffle = 0; shuffle < 2; shuffle++)
      expect_with((struct accel_options){.cycle_limit = 20000, .shuffle = shuffle}, ACCEL_CYCLE_LIMIT,
                  "cycle limit of 20000 reached|core 2 is at t.s:", endless[i]);
  /* Chip C's flags and barriers cost nothing in its parameters. */
  struct accel_params params = chip("systolic");
  struct accel_machine *m = machine_of(&params, (struct accel_options){.cycle_limit = 20000});
  for (int i = 0; i < 5; i++) {
    struct accel_program program = assembled(endless[i]);
    launch(m, 0, &program, 0);
    assert_int_equal(accel_machine_run(m, &fault), -1);
    assert_int_equal(fault.kind, ACCEL_CYCLE_LIMIT);
    accel_program_free(&program);
  }
  accel_machine_destroy(m);
}

/* The limit is of one run, and a program that keeps to it may run again and again. */
static void limit_of_each_run(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){.cycle_limit = 1000});
  for (int i = 0; i < 5; i++) run_text(m, 0, "li r1, 900\nloop r1, end\nnop\nend:\nhalt\n", 0);
  accel_machine_destroy(m);
}

/* A map of 4 x 4 pixels of two columns, one fractal apart, 3 x 3 taps, 4 x 4 outputs, all 16 pixels in L1. */
#define MAP_IN "0x0001000200040004"
#define MAP_WINDOW "0x0101010101010303"
#define MAP_OUT "0x0000000000040004"
#define MAP_PLACE "0x0000001000000000"

static void expect_map(enum accel_fault_kind kind, const char *words, const char *in, const char *window,
                       const char *out, const char *place, const char *operands) {
  char text[600];
  snprintf(text, sizeof text, "li r1, %s\nli r2, %s\nli r3, %s\nli r4, %s\nset.map r1, r2, r3, r4\nli r5, 1\n"
           "li r6, 16\nli r7, 17\nli r8, 0x7fffffff\nli r9, 0x7fe00\nli r11, 2\nload3d.l0a.b16 %s\nhalt\n", in,
           window, out, place, operands);
  expect(kind, words, text);
}

static void maps(void **state) {
  (void)state;
  static const char *const good = "r0, r0, r0, r6, r0, r7";
  struct accel_machine *m = machine((struct accel_options){.races = true});
  run_text(m, 0, "li r1, " MAP_IN "\nli r2, " MAP_WINDOW "\nli r3, " MAP_OUT "\nli r4, " MAP_PLACE "\n"
                 "set.map r1, r2, r3, r4\nset.map r1, r2, r3, r4\nli r6, 16\nli r7, 17\n"
                 "load3d.l0a.b16 r0, r0, r0, r6, r0, r7\nset.map r0, r0, r0, r0\nhalt\n", 0);
  accel_machine_destroy(m);
  expect(ACCEL_BAD_OPERAND, "set.map gave a size of 0, or there was none",
         "li r6, 16\nload3d.l0a.b16 r0, r0, r0, r6, r0, r6\nhalt\n");
  expect_map(ACCEL_BAD_OPERAND, "a size of 0", "0x0001000000040004", MAP_WINDOW, MAP_OUT, MAP_PLACE, good);
  expect_map(ACCEL_BAD_OPERAND, "a kernel of 0", MAP_IN, "0x0101010101010300", MAP_OUT, MAP_PLACE, good);
  expect_map(ACCEL_BAD_OPERAND, "a stride of 0", MAP_IN, "0x0101010100010303", MAP_OUT, MAP_PLACE, good);
  expect_map(ACCEL_BAD_OPERAND, "a dilation of 0", MAP_IN, "0x0101000101010303", MAP_OUT, MAP_PLACE, good);
  expect_map(ACCEL_BAD_OPERAND, "a result of 0", MAP_IN, MAP_WINDOW, "0x0000000000000004", MAP_PLACE, good);
  expect_map(ACCEL_BAD_OPERAND, "columns of 17 pixels are only 1 fractals apart", MAP_IN, MAP_WINDOW, MAP_OUT,
             "0x0000001100000000", good);
  expect_map(ACCEL_BAD_OPERAND, "(k, cols) are 2 and 17|18 columns", MAP_IN, MAP_WINDOW, MAP_OUT, MAP_PLACE,
             "r0, r0, r0, r6, r11, r7");
  expect_map(ACCEL_OUT_OF_RANGE, "pixels 0 to 15|holds 0 to 14", MAP_IN, MAP_WINDOW, MAP_OUT,
             "0x0000000f00000000", good);
  expect_map(ACCEL_OUT_OF_RANGE, "pixels 0 to 15|holds 1 to 16", MAP_IN, MAP_WINDOW, MAP_OUT,
             "0x0000001000000001", good);
  expect_map(ACCEL_OUT_OF_RANGE, "pixels 0 to 21|holds 0 to 15", MAP_IN, MAP_WINDOW, MAP_OUT, MAP_PLACE,
             "r0, r0, r0, r7, r0, r7");
  expect_map(ACCEL_OUT_OF_RANGE, "of l0a", MAP_IN, MAP_WINDOW, MAP_OUT, MAP_PLACE, "r0, r0, r0, r8, r0, r7");
  expect_map(ACCEL_OUT_OF_RANGE, "of l1", MAP_IN, MAP_WINDOW, MAP_OUT, MAP_PLACE, "r0, r9, r0, r6, r0, r7");
  expect_map(ACCEL_MISALIGNED, "l1|multiples of 32", MAP_IN, MAP_WINDOW, MAP_OUT, MAP_PLACE, "r0, r5, r0, r6, r0, r7");
  expect_map(ACCEL_MISALIGNED, "l0a|multiples of 512", MAP_IN, MAP_WINDOW, MAP_OUT, MAP_PLACE,
             "r6, r0, r0, r6, r0, r7");
  expect_map(ACCEL_BAD_OPERAND, "operand 3 (first)|beyond any memory", "0x00010001ffffffff", MAP_WINDOW,
             "0x0000000000010001", MAP_PLACE, "r0, r0, r8, r6, r0, r5");
}

static void races_of_maps(void **state) {
  (void)state;
  const char *text = "li r1, " MAP_IN "\nli r2, " MAP_WINDOW "\nli r3, " MAP_OUT "\nli r4, " MAP_PLACE "\n"
                     "set.map r1, r2, r3, r4\nli r5, 0x100000000000\nli r6, 16\nli r7, %d\nli r8, 512\nli r9, 1\n"
                     "ld.gm.l1.linear r%d, r5, r8\nload3d.l0a.b16 r0, r0, r0, r6, r0, r7\nhalt\n";
  char program[600];
  /* The second column of pixels is not read where only the first of a tap is. */
  snprintf(program, sizeof program, text, 2, 8);
  expect_with((struct accel_options){.races = true}, ACCEL_RACE, "t.s:11|t.s:12|load3d|l1", program);
  snprintf(program, sizeof program, text, 1, 8);
  struct accel_machine *m = machine((struct accel_options){.races = true});
  accel_gm_alloc(m, GM_BYTES);
  run_text(m, 2, program, 0);
  accel_machine_destroy(m);
}

static void races(void **state) {
  (void)state;
  const char *text = "li r1, 0x100000000000\nli r2, 512\nli r3, 1\nld.gm.l1.linear r0, r1, r2\n%s\n"
                     "load2d.l0a.b16 r0, r0, r3, r3, r3\nhalt\n";
  char program[512];
  snprintf(program, sizeof program, text, "");
  expect_with((struct accel_options){.races = true}, ACCEL_RACE, "t.s:4|t.s:6|l1", program);
  expect_with((struct accel_options){.races = true, .shuffle = 3}, ACCEL_RACE, "t.s:4|t.s:6|l1", program);
  const char *remedy[] = {"set_flag mte2, mte1, 0\nwait_flag mte2, mte1, 0", "pipe_barrier mte2", "pipe_barrier all",
                          "set_flag mte2, s, 0\nwait_flag mte2, s, 0"};
  for (size_t i = 0; i < sizeof remedy / sizeof remedy[0]; i++) {
    struct accel_machine *m = machine((struct accel_options){.races = true});
    accel_gm_alloc(m, GM_BYTES);
    snprintf(program, sizeof program, text, remedy[i]);
    run_text(m, 2, program, 0);
    accel_machine_destroy(m);
  }
}

/* Two chunks, each with a place of its own, and one flag for both: mte2 may raise it again before mte1 has taken it
 * down, which happens in some orders only. */
static void races_of_flags(void **state) {
  (void)state;
  const char *text = "li r1, 0x100000000000\nli r2, 4096\nli r3, 8192\nli r4, 2\n"
                     "ld.gm.l1.linear r0, r1, r2\nset_flag mte2, mte1, 0\n"
                     "ld.gm.l1.linear r3, r1, r2\nset_flag mte2, mte1, %d\n"
                     "wait_flag mte2, mte1, 0\nload2d.l0a.b16 r0, r0, r4, r4, r4\n"
                     "wait_flag mte2, mte1, %d\nload2d.l0a.b16 r3, r3, r4, r4, r4\nhalt\n";
  char one_flag[512], two_flags[512];
  snprintf(one_flag, sizeof one_flag, text, 0, 0);
  snprintf(two_flags, sizeof two_flags, text, 1, 1);
  expect_with((struct accel_options){.races = true}, ACCEL_RACE,
              "race on flag mte2, mte1, 0 of core 2|by t.s:9 'wait_flag|on mte1|by t.s:8 'set_flag|on mte2", one_flag);
  expect_with((struct accel_options){.shuffle = 1}, ACCEL_BAD_FLAG, "t.s:8|up since the set_flag of line 6", one_flag);
  const char *right[] = {two_flags, "li r1, 9\nset_flag mte1, mte2, 7\nloop r1, end\nwait_flag mte1, mte2, 7\n"
                                    "set_flag mte2, mte1, 0\nwait_flag mte2, mte1, 0\nset_flag mte1, mte2, 7\n"
                                    "end:\nhalt\n"};
  for (int i = 0; i < 2; i++) {
    struct accel_machine *m = machine((struct accel_options){.races = true});
    accel_gm_alloc(m, GM_BYTES);
    run_text(m, 2, right[i], 0);
    accel_machine_destroy(m);
  }
}

/* What one command wrote and another reads needs a token, on another core; a run orders what comes after it. */
static void races_of_commands(void **state) {
  (void)state;
  struct accel_program write = assembled("arg r1, 0\nli r2, 1\nli r3, 64\nst.ub.gm r1, r0, r2, r3, r3, r3\nhalt\n");
  struct accel_program read = assembled("arg r1, 0\nli r3, 64\nld.gm.l1.linear r0, r1, r3\nhalt\n");
  struct accel_machine *m = machine((struct accel_options){.races = true});
  uint64_t gm = accel_gm_alloc(m, GM_BYTES), token;
  token = launch(m, 0, &write, gm);
  launch(m, 1, &read, gm);
  assert_int_equal(accel_machine_run(m, &fault), -1);
  assert_int_equal(fault.kind, ACCEL_RACE);
  token = launch(m, 0, &write, gm);
  assert_int_not_equal(accel_machine_launch(m, 1, &read, &gm, 1, &token, 1), 0);
  run(m);
  launch(m, 2, &write, gm);
  run(m);
  launch(m, 3, &read, gm);
  run(m);
  accel_program_free(&write);
  accel_program_free(&read);
  accel_machine_destroy(m);
}

/* Flags that are up when a run fails are down in the next. */
static void faults_lower_flags(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){0});
  struct accel_program program = assembled("set_flag v, m, 0\npipe_barrier all\ndiv r1, r1, r0\nhalt\n");
  for (int i = 0; i < 2; i++) {
    launch(m, 0, &program, 0);
    assert_int_equal(accel_machine_run(m, &fault), -1);
    assert_int_equal(fault.kind, ACCEL_DIVIDE_BY_ZERO);
  }
  accel_program_free(&program);
  accel_machine_destroy(m);
}

/* A fault leaves memory as it was, and says what came first. */
static void nothing_is_half_done(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){0});
  uint64_t gm = accel_gm_alloc(m, 4096);
  unsigned char *view = accel_gm_view(m, gm, 4096), expected[4096];
  memset(view, 0x5a, 4096);
  memset(expected, 0x5a, 4096);
  struct accel_program program = assembled("arg r1, 0\nli r2, 64\nli r3, 65\nst.ub.gm r1, r0, r3, r2, r2, r2\nhalt\n");
  launch(m, 0, &program, gm);
  assert_int_equal(accel_machine_run(m, &fault), -1);
  assert_int_equal(fault.kind, ACCEL_OUT_OF_RANGE);
  assert_memory_equal(view, expected, 4096);
  accel_program_free(&program);
  accel_machine_destroy(m);
}

static void expect_no_machine(struct accel_params params, const char *word) {
  char error[256] = "";
  assert_null(accel_machine_create(&params, &(struct accel_options){0}, error, sizeof error));
  if (!strstr(error, word)) fail_msg("'%s' is not in: %s", word, error);
}

static void bad_parameters(void **state) {
  (void)state;
  struct accel_params p = chip("910b");
  p.cores = 0, expect_no_machine(p, "cores"), p = chip("910b");
  p.queue = 0, expect_no_machine(p, "queue"), p = chip("910b");
  p.l2_rate = 0, expect_no_machine(p, "rates"), p = chip("910b");
  p.bank_bytes = 0, expect_no_machine(p, "banks"), p = chip("910b");
  p.align[ACCEL_L0A] = 0, expect_no_machine(p, "alignment"), p = chip("910b");
  p.bytes[ACCEL_UB] = (size_t)1 << 60, expect_no_machine(p, "memory"), p = chip("910b");
  p.l2_bytes = (size_t)1 << 62, expect_no_machine(p, "memory");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(misaligned),
      cmocka_unit_test(out_of_range),
      cmocka_unit_test(use_after_free),
      cmocka_unit_test(bad_counts),
      cmocka_unit_test(scalar_faults),
      cmocka_unit_test(unsupported),
      cmocka_unit_test(bad_flags),
      cmocka_unit_test(deadlocks),
      cmocka_unit_test(token_deadlocks),
      cmocka_unit_test(cycle_limit),
      cmocka_unit_test(limit_of_each_run),
      cmocka_unit_test(maps), cmocka_unit_test(races_of_maps), cmocka_unit_test(races),
      cmocka_unit_test(races_of_flags),
      cmocka_unit_test(races_of_commands),
      cmocka_unit_test(faults_lower_flags),
      cmocka_unit_test(nothing_is_half_done),
      cmocka_unit_test(bad_parameters),
  };
  return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
