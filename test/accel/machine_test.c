/* The machine: what programs compute, in what order, in what time; memory that cores share; the books that it keeps. */
#include "test/accel/machine_support.h"

#include <math.h>

#include "kernels/accel_sim/sim/move.h"

/* Scalar unit. */

/* Each word of r20 .. comes out through UB: 64 bits in two s32. */
static void scalar_results(const char *text, int64_t *result, int count) {
  struct accel_machine *m = machine((struct accel_options){0});
  char program[8192];
  uint64_t gm = accel_gm_alloc(m, 4096);
  int used = snprintf(program, sizeof program, "%s\narg r1, 0\nli r2, 1\nli r3, 4\nli r5, 0\nli r7, 32\n", text);
  for (int i = 0; i < count; i++)
    for (int half = 0; half < 2; half++)
      used += snprintf(program + used, sizeof program - (size_t)used,
                       "shri r4, r%d, %d\nv.dup.s32 r5, r4, r2\nset_flag v, mte3, 0\nwait_flag v, mte3, 0\n"
                       "st.ub.gm r1, r5, r2, r3, r3, r3\npipe_barrier all\naddi r1, r1, 4\n", 20 + i, 32 * half);
  snprintf(program + used, sizeof program - (size_t)used, "halt\n");
  run_text(m, 5, program, gm);
  memcpy(result, accel_gm_view(m, gm, 4096), (size_t)count * 8);
  accel_machine_destroy(m);
}

static void arithmetic(void **state) {
  (void)state;
  int64_t r[16];
  scalar_results("li r10, -7\nli r11, 3\nli r12, 0x7fffffffffffffff\nli r13, 0x8000000000000000\n"
                 "add r20, r12, r11\nsub r21, r13, r11\nmul r22, r12, r11\ndiv r23, r10, r11\nrem r24, r10, r11\n"
                 "li r14, -1\ndiv r25, r13, r14\nrem r26, r13, r14\nand r27, r10, r12\nor r28, r10, r11\n"
                 "xor r29, r10, r11\n"
                 "shli r30, r10, 60\nshri r31, r10, 1\nmin r32, r10, r11\nmax r33, r10, r11\nandi r34, r10, -2\n"
                 "core r35\n",
                 r, 16);
  const int64_t expected[16] = {INT64_MIN + 2, INT64_MAX - 2, INT64_MAX - 2, -2, -1, INT64_MIN, 0, INT64_MAX - 6,
                                -7 | 3, -7 ^ 3, INT64_MIN + ((int64_t)1 << 60), -4, -7, 3, -8, 5};
  for (int i = 0; i < 16; i++)
    if (r[i] != expected[i]) fail_msg("r%d is %lld, not %lld", 20 + i, (long long)r[i], (long long)expected[i]);
}

static void operands_and_constants(void **state) {
  (void)state;
  int64_t r[6];
  scalar_results("li r20, 0x123456789abcdef\nli r0, 5\nmov r21, r0\nmov r22, r20\naddi r23, r22, -1\n"
                 "muli r24, r22, -2\n"
                 "arg r25, 0\n", r, 6);
  const int64_t expected[6] = {0x123456789abcdef, 0, 0x123456789abcdef, 0x123456789abcdee, -0x2468acf13579bde,
                               (int64_t)ACCEL_GM_BASE};
  for (int i = 0; i < 6; i++) assert_int_equal(r[i], expected[i]);
}

static void branches_and_loops(void **state) {
  (void)state;
  int64_t r[8];
  scalar_results("li r10, 5\nloop r10, a\naddi r20, r20, 1\nloop r10, b\naddi r21, r21, 1\nb:\n"
                 "a:\n" /* end together: 5, 25 */
                 "loop r0, c\naddi r22, r22, 1\nc:\nli r11, -3\nloop r11, d\naddi r22, r22, 1\nd:\n" /* none */
                 "loop r10, e\naddi r23, r23, 1\nli r12, 3\nbeq r23, r12, out\naddi r24, r24, 1\ne:\nnop\n"
                 "out:\n" /* 3, 2 */
                 "loop r10, f\naddi r25, r25, 1\nandi r13, r25, 1\nbeq r13, r0, f\naddi r26, r26, 1\nf:\n" /* 5, 3 */
                 "li r14, 4\nback:\naddi r27, r27, 1\nblt r27, r14, back\nbge r27, r14, over\naddi r27, r27, 100\n"
                 "over:\n"
                 "bne r27, r14, over2\naddi r27, r27, 1\nover2:\n", r, 8);
  const int64_t expected[8] = {5, 25, 0, 3, 2, 5, 3, 5};
  for (int i = 0; i < 8; i++)
    if (r[i] != expected[i]) fail_msg("r%d is %lld, not %lld", 20 + i, (long long)r[i], (long long)expected[i]);
}

/* Loops cost nothing a round: li, loop, 100 nops, halt. Eight may be open at once. */
static void loops_are_free(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){0});
  run_text(m, 0, "li r1, 100\nloop r1, end\nnop\nend:\nhalt\n", 0);
  assert_near(stats_of(m).cycles, 103);
  accel_machine_reset_stats(m);
  run_text(m, 0,
           "li r1, 2\nloop r1, e\nloop r1, e\nloop r1, e\nloop r1, e\nloop r1, e\nloop r1, e\nloop r1, e\nloop r1, e\n"
                 "nop\ne:\nhalt\n", 0);
  assert_near(stats_of(m).cycles, 2 + 255 + 256);
  accel_machine_destroy(m);
}

/* Products. */

/* One product, whole, on one core: operands row by row in GM, B as k x n. With `lost` set_flags left out. */
static const char product[] =
    "arg r1, 0\narg r2, 1\narg r3, 2\narg r4, 3\narg r5, 4\narg r6, 5\n" /* a, b, c, m, k, n */
    "addi r7, r4, 15\nshri r7, r7, 4\naddi r8, r5, 15\nshri r8, r8, 4\naddi r9, r6, 15\nshri r9, r9, 4\n"
    "shli r10, r5, 1\nshli r11, r6, 1\nshli r12, r6, 2\nli r13, 0x40000\n"
    "ld.gm.l1.b16 r0, r1, r4, r5, r10, r7\nld.gm.l1.b16 r13, r2, r5, r6, r11, r8\n"
    "set_flag mte2, mte1, 0\nwait_flag mte2, mte1, 0\n"
    "load2d.l0a.b16 r0, r0, r7, r8, r7\nload2d.l0b.b16.t r0, r13, r9, r8, r8\n"
    "set_flag mte1, m, 1\nwait_flag mte1, m, 1\n"
    "mad.f16.init r0, r0, r0, r4, r5, r6\n"
    "set_flag m, fix, 2\nwait_flag m, fix, 2\n"
    "fixp.gm.f32 r3, r0, r4, r6, r12, r7\nhalt\n";

enum { M = 37, K = 50, N = 70 };

static void fill_product(struct accel_machine *m, uint64_t *args) {
  uint64_t bytes[3] = {M * K * 2, K * N * 2, M * N * 4};
  for (int i = 0; i < 3; i++) args[i] = accel_gm_alloc(m, bytes[i]);
  args[3] = M, args[4] = K, args[5] = N;
  uint64_t seed = 9;
  for (int i = 0; i < 2; i++) {
    uint16_t *x = accel_gm_view(m, args[i], bytes[i]);
    for (size_t j = 0; j < bytes[i] / 2; j++) x[j] = accel_f32_to_f16((float)(next_random(&seed) % 2001) / 1000 - 1);
  }
}

/* The bits of the chain of fma. */
static bool product_is_right(struct accel_machine *m, const uint64_t *args) {
  const uint16_t *a = accel_gm_view(m, args[0], M * K * 2), *b = accel_gm_view(m, args[1], K * N * 2);
  const float *c = accel_gm_view(m, args[2], M * N * 4);
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) {
      float sum = 0;
      for (int k = 0; k < K; k++) sum = fmaf(accel_f16_to_f32(a[i * K + k]), accel_f16_to_f32(b[k * N + j]), sum);
      if (memcmp(&sum, &c[i * N + j], 4) != 0) return false;
    }
  return true;
}

/* Runs a product of `text`, if need be with a fault; whether the result is right. */
static bool run_product(const char *text, struct accel_options options) {
  struct accel_machine *m = machine(options);
  struct accel_program program = assembled(text);
  uint64_t args[6];
  fill_product(m, args);
  accel_machine_launch(m, 1, &program, args, 6, NULL, 0);
  run(m);
  bool right = product_is_right(m, args);
  accel_program_free(&program);
  accel_machine_destroy(m);
  return right;
}

static void a_product(void **state) {
  (void)state;
  assert_true(run_product(product, (struct accel_options){0}));
  assert_true(run_product(product, (struct accel_options){.races = true, .trace = true}));
  assert_false(run_product(product, (struct accel_options){.no_data = true}));
}

static void copy_without(char *to, const char *from, const char *line) {
  const char *at = strstr(from, line);
  assert_non_null(at);
  sprintf(to, "%.*s%s", (int)(at - from), from, at + strlen(line));
}

/* Any legal order gives the same bits; where a pair of flags is missing, some order gives others and the detector tells
 * in any of them. */
static void shuffled_products(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 40; seed++)
    assert_true(run_product(product, (struct accel_options){.shuffle = seed, .races = seed % 2}));
  const char *pairs[] = {"set_flag mte2, mte1, 0\nwait_flag mte2, mte1, 0\n",
                         "set_flag mte1, m, 1\nwait_flag mte1, m, 1\n",
                         "set_flag m, fix, 2\nwait_flag m, fix, 2\n"};
  for (int pair = 0; pair < 3; pair++) {
    char text[sizeof product];
    copy_without(text, product, pairs[pair]);
    int wrong = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
      wrong += !run_product(text, (struct accel_options){.shuffle = seed});
      assert_int_equal(run_product(text, (struct accel_options){.shuffle = seed}),
                       run_product(text, (struct accel_options){.shuffle = seed}));
    }
    assert_in_range(wrong, 1, 40);
    struct accel_machine *m = machine((struct accel_options){.races = true});
    struct accel_program program = assembled(text);
    struct accel_fault fault;
    uint64_t args[6];
    fill_product(m, args);
    accel_machine_launch(m, 1, &program, args, 6, NULL, 0);
    assert_int_equal(accel_machine_run(m, &fault), -1);
    assert_int_equal(fault.kind, ACCEL_RACE);
    accel_program_free(&program);
    accel_machine_destroy(m);
  }
}

/* fixp.l1, the vector unit and the ways through UB: (2 A) with A f16, 20 x 24, from GM by L0C and L1 and back. */
static void other_routes(void **state) {
  (void)state;
  struct accel_params params = chip("310p");
  struct accel_machine *m = machine_of(&params, (struct accel_options){0});
  uint64_t gm = accel_gm_alloc(m, 20 * 24 * 2 + 24 * 24 * 2 + 20 * 24 * 4);
  uint16_t *a = accel_gm_view(m, gm, 1), *unit = a + 20 * 24;
  float *c = (float *)(unit + 24 * 24);
  for (int i = 0; i < 20 * 24; i++) a[i] = accel_f32_to_f16((float)i / 8);
  for (int i = 0; i < 24; i++) unit[i * 24 + i] = accel_f32_to_f16(1);
  run_text(m, 7,
           "arg r1, 0\naddi r2, r1, 960\naddi r3, r2, 1152\nli r4, 20\nli r5, 24\nli r6, 48\nli r7, 2\nli r8, 0x10000\n"
           "ld.gm.l1.b16 r0, r1, r4, r5, r6, r7\nld.gm.l1.b16 r8, r2, r5, r5, r6, r7\npipe_barrier all\n"
           "load2d.l0a.b16 r0, r0, r7, r7, r7\nload2d.l0b.b16 r0, r8, r7, r7, r7\npipe_barrier all\n"
           "mad.f16.init r0, r0, r0, r4, r5, r5\npipe_barrier all\n"
           "li r9, 0x20000\nfixp.l1.f16 r9, r0, r4, r5, r7, r7\npipe_barrier all\n"
           "load2d.l0a.b16 r0, r9, r7, r7, r7\npipe_barrier all\nmad.f16 r0, r0, r0, r4, r5, r5\npipe_barrier all\n"
           "li r10, 96\nfixp.ub.f32 r0, r0, r4, r5, r10, r7\npipe_barrier all\n" /* 2 A */
           "li r11, 480\nli r12, 0x40000000\nv.muls.f32 r0, r0, r12, r11\npipe_barrier all\n"
           "li r13, 1920\nst.ub.l1 r0, r0, r13\npipe_barrier all\nli r14, 0x8000\nld.l1.ub r14, r0, r13\n"
           "pipe_barrier all\n"
           "st.ub.gm r3, r14, r4, r10, r10, r10\nhalt\n", gm);
  for (int i = 0; i < 20 * 24; i++) assert_true(c[i] == (float)i / 2);
  accel_machine_destroy(m);
}

/* fixp.l1 fills the last fractals with 0, as ld.gm.l1 does. */
static void padding_is_zero(void **state) {
  (void)state;
  struct accel_params params = chip("310p");
  struct accel_machine *m = machine_of(&params, (struct accel_options){0});
  uint64_t gm = accel_gm_alloc(m, 2048);
  uint16_t *x = accel_gm_view(m, gm, 2048);
  const char *texts[] = {"fixp.l1.f16 r0, r0, r2, r3, r4, r4", "ld.gm.l1.b16 r0, r1, r2, r3, r5, r4"};
  for (int i = 0; i < 2; i++) {
    char text[512];
    memset(x, 0x77, 2048);
    snprintf(text, sizeof text, "arg r1, 0\nli r2, 5\nli r3, 18\nli r4, 1\nli r5, 36\nli r6, 2048\nli r7, 16\n"
             "li r8, 32\nld.gm.l1.linear r0, r1, r6\npipe_barrier all\n"
             "mad.f16.init r0, r0, r0, r7, r7, r8\npipe_barrier all\n"
             "%s\npipe_barrier all\nld.l1.ub r0, r0, r6\npipe_barrier all\n"
             "li r2, 1\nst.ub.gm r1, r0, r2, r6, r6, r6\nhalt\n", texts[i]);
    run_text(m, 0, text, gm);
    for (int j = 0; j < 512; j++) {
      int row = j % 256 / 16, col = j / 256 * 16 + j % 16;
      if (row >= 5 || col >= 18) assert_int_equal(x[j], 0);
    }
    assert_int_equal(x[512], 0x7777);
  }
  accel_machine_destroy(m);
}

/* A row that is read again and again (pitch 0), and rows that are spread out. */
static void rows_of_bytes(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){0});
  uint64_t gm = accel_gm_alloc(m, 4096);
  unsigned char *view = accel_gm_view(m, gm, 4096);
  for (int i = 0; i < 20; i++) view[i] = (unsigned char)(i + 1);
  run_text(m, 0, "arg r1, 0\nli r2, 3\nli r3, 20\nli r4, 64\nld.gm.ub r0, r1, r2, r3, r0, r4\npipe_barrier all\n"
                 "addi r1, r1, 100\nli r5, 30\nst.ub.gm r1, r0, r2, r3, r5, r4\nhalt\n", gm);
  for (int row = 0; row < 3; row++) {
    assert_memory_equal(view + 100 + row * 30, view, 20);
    for (int i = 20; i < 30; i++) assert_int_equal(view[100 + row * 30 + i], 0);
  }
  accel_machine_destroy(m);
}

/* Commands. */

static const char increments[] = /* word 0 of GM, `arg 1` times, through UB */
    "arg r1, 0\narg r2, 1\nli r3, 1\nli r4, 4\nli r5, 32\nloop r2, end\nld.gm.ub r0, r1, r3, r4, r4, r4\n"
    "set_flag mte2, v, 0\nwait_flag mte2, v, 0\nv.adds.s32 r0, r0, r3, r3\nset_flag v, mte3, 0\nwait_flag v, mte3, 0\n"
    "st.ub.gm r1, r0, r3, r4, r4, r4\nset_flag mte3, mte2, 0\nwait_flag mte3, mte2, 0\nend:\nhalt\n";

/* A chain of commands over all cores, each after the one before: nothing is lost in any order. */
static void tokens(void **state) {
  (void)state;
  struct accel_program program = assembled(increments);
  for (uint64_t shuffle = 0; shuffle < 10; shuffle++) {
    struct accel_machine *m = machine((struct accel_options){.shuffle = shuffle, .races = true});
    uint64_t args[2] = {accel_gm_alloc(m, 4), 3}, token = 0;
    for (int i = 0; i < 50; i++) {
      token = accel_machine_launch(m, i * 7 % 24, &program, args, 2, &token, i > 0);
      assert_int_not_equal(token, 0);
    }
    run(m);
    assert_int_equal(*(int32_t *)accel_gm_view(m, args[0], 4), 150);
    /* Tokens of runs that are over hold nobody up. */
    accel_machine_launch(m, 3, &program, args, 2, &token, 1);
    run(m);
    assert_int_equal(*(int32_t *)accel_gm_view(m, args[0], 4), 153);
    accel_machine_destroy(m);
  }
  accel_program_free(&program);
}

static void launches_that_cannot_be(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){0});
  struct accel_program program = assembled("halt\n");
  uint64_t args[ACCEL_ARGS + 1] = {0};
  assert_int_equal(accel_machine_launch(m, -1, &program, NULL, 0, NULL, 0), 0);
  assert_int_equal(accel_machine_launch(m, 24, &program, NULL, 0, NULL, 0), 0);
  assert_int_equal(accel_machine_launch(m, 0, &program, args, ACCEL_ARGS + 1, NULL, 0), 0);
  assert_int_not_equal(accel_machine_launch(m, 0, &program, args, ACCEL_ARGS, NULL, 0), 0);
  run(m);
  run(m); /* nothing to do */
  accel_program_free(&program);
  accel_machine_destroy(m);
}

/* A command begins with registers of 0 and no loop open. */
static void commands_begin_afresh(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){0});
  struct accel_program first = assembled("li r10, 5\nli r11, 3\nloop r11, end\nhalt\nnop\nend:\nhalt\n");
  struct accel_program second = assembled("arg r1, 0\nli r2, 1\nli r3, 32\nnop\nnop\nv.dup.s32 r0, r10, r3\n"
                                          "pipe_barrier v\nst.ub.gm r1, r0, r2, r3, r3, r3\nhalt\n");
  uint64_t gm = accel_gm_alloc(m, 32);
  int32_t *word = accel_gm_view(m, gm, 32);
  *word = 77;
  launch(m, 0, &first, 0);
  launch(m, 0, &second, gm);
  run(m);
  assert_int_equal(*word, 0);
  assert_int_equal(stats_of(m).instructions[ACCEL_NOP], 2);
  accel_program_free(&first);
  accel_program_free(&second);
  accel_machine_destroy(m);
}

/* A command's end does not drain: the cube goes on while the next command's loads begin. A token does drain. */
static void ends_do_not_drain(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){0});
  struct accel_program cube = assembled("li r1, 128\nmad.f16 r0, r0, r0, r1, r1, r1\nhalt\n");
  struct accel_program vector = assembled("li r1, 1024\nv.dup.f32 r0, r0, r1\nhalt\n");
  launch(m, 0, &cube, 0);
  launch(m, 0, &vector, 0);
  run(m);
  assert_near(stats_of(m).cycles, 2 + 530.5);
  accel_machine_reset_stats(m);
  uint64_t token = launch(m, 0, &cube, 0);
  accel_machine_launch(m, 0, &vector, NULL, 0, &token, 1);
  run(m);
  struct accel_stats s = stats_of(m);
  assert_near(s.cycles, 2 + 530.5 + 2 + 23);
  assert_near(s.stall[ACCEL_S][ACCEL_STALL_TOKEN], 2 + 530.5 - 3);
  accel_program_free(&cube);
  accel_program_free(&vector);
  accel_machine_destroy(m);
}

/* Commands of a core end in their order: the short one behind the long one ends with it. */
static void commands_end_in_order(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){0});
  struct accel_program cube = assembled("li r1, 128\nmad.f16 r0, r0, r0, r1, r1, r1\nhalt\n");
  struct accel_program nothing = assembled("halt\n");
  launch(m, 0, &cube, 0);
  uint64_t token = launch(m, 0, &nothing, 0);
  accel_machine_launch(m, 1, &nothing, NULL, 0, &token, 1);
  run(m);
  assert_near(stats_of(m).cycles, 2 + 530.5 + 1);
  accel_program_free(&cube);
  accel_program_free(&nothing);
  accel_machine_destroy(m);
}

static void a_full_queue_holds_the_scalar_unit(void **state) {
  (void)state;
  struct accel_params params = chip("910b");
  params.queue = 2;
  struct accel_machine *m = machine_of(&params, (struct accel_options){0});
  run_text(m, 0, "li r1, 1024\nli r2, 10\nloop r2, end\nv.dup.f32 r0, r0, r1\nend:\nhalt\n", 0);
  struct accel_stats s = stats_of(m);
  assert_near(s.cycles, 4 + 230); /* in the queue at cycle 4; 23 each */
  /* Of ten, the last finds room when the eighth begins, at 4 + 7 * 23. */
  assert_near(s.stall[ACCEL_S][ACCEL_STALL_QUEUE], 4 + 7 * 23 - 3 - 9);
  accel_machine_destroy(m);
}

/* Shared memory. */

/* Every core reads `bytes` from its own place `times` times. */
static void read_all(struct accel_machine *m, int cores, uint64_t gm, uint64_t bytes, uint64_t times) {
  struct accel_program program = assembled("arg r1, 0\narg r2, 1\narg r3, 2\nloop r3, end\n"
                                           "ld.gm.l1.linear r0, r1, r2\nend:\nhalt\n");
  for (int core = 0; core < cores; core++) {
    uint64_t args[3] = {gm + (uint64_t)core * bytes, bytes, times};
    assert_int_not_equal(accel_machine_launch(m, core, &program, args, 3, NULL, 0), 0);
  }
  run(m);
  accel_program_free(&program);
}

static void cores_share_hbm_and_l2(void **state) {
  (void)state;
  enum { BYTES = 1 << 18 };
  const double hbm = 1.6e12 / 1.85e9;
  struct accel_machine *m = machine((struct accel_options){.no_data = true});
  uint64_t gm = accel_gm_alloc(m, 24 * BYTES);
  read_all(m, 24, gm, BYTES, 1); /* cold: 24 share HBM */
  struct accel_stats cold = stats_of(m);
  assert_near(cold.cycles, 5 + 24 * BYTES / hbm);
  assert_int_equal(cold.hbm_bytes, 24 * BYTES);
  assert_int_equal(cold.l2_bytes, 2 * 24 * BYTES);
  assert_near(cold.contended, 24 * (24 * BYTES / hbm - BYTES / 110.0));
  accel_machine_reset_stats(m);
  read_all(m, 24, gm, BYTES, 1); /* in L2: 24 share 2064 B/cycle */
  struct accel_stats warm = stats_of(m);
  assert_near(warm.cycles, 5 + BYTES / 86.0);
  assert_int_equal(warm.hbm_bytes, 0);
  assert_int_equal(warm.l2_bytes, 24 * BYTES);
  accel_machine_reset_stats(m);
  read_all(m, 18, gm, BYTES, 1); /* 18 do not need to share: their own 110 */
  assert_near(stats_of(m).cycles, 5 + BYTES / 110.0);
  assert_near(stats_of(m).contended, 0);
  accel_machine_destroy(m);
}

/* Who needs less than an equal share leaves the rest to others: L2 gives 300 here. */
static void shares_are_fair(void **state) {
  (void)state;
  struct accel_params params = chip("910b");
  params.l2_rate = 300;
  struct accel_machine *m = machine_of(&params, (struct accel_options){.no_data = true});
  uint64_t gm = accel_gm_alloc(m, 1 << 20);
  read_all(m, 4, gm, 1 << 16, 1);
  read_all(m, 4, gm, 1 << 16, 1);
  struct accel_program slow = assembled("arg r1, 0\nli r2, 16\nli r3, 4096\nld.gm.ub r0, r1, r2, r3, r3, r3\nhalt\n");
  struct accel_program fast = assembled("arg r1, 0\nli r2, 0\nli r3, 65536\nld.gm.l1.linear r0, r1, r3\nhalt\n");
  accel_machine_reset_stats(m);
  launch(m, 0, &slow, gm); /* 59, 110 and 110 of 300 */
  launch(m, 1, &fast, gm + (1 << 16));
  launch(m, 2, &fast, gm + (2 << 16));
  run(m);
  assert_near(stats_of(m).cycles, 4 + 65536 / 59.0);
  assert_near(stats_of(m).contended, 0);
  accel_machine_reset_stats(m);
  launch(m, 0, &slow, gm); /* 59, and (300 - 59) / 3 for each of three, then 100 for each */
  for (int i = 1; i < 4; i++) launch(m, i, &fast, gm + ((uint64_t)i << 16));
  run(m);
  double fast_end = 65536 / (241 / 3.0);
  assert_near(stats_of(m).cycles, 4 + 65536 / 59.0);
  assert_near(stats_of(m).contended, 3 * (fast_end - 65536 / 110.0));
  accel_program_free(&slow);
  accel_program_free(&fast);
  accel_machine_destroy(m);
}

/* Writes do not slow reads down where they have a path of their own. */
static void reads_and_writes_have_paths(void **state) {
  (void)state;
  enum { BYTES = 1 << 16 };
  struct accel_program in = assembled("arg r1, 0\nli r2, 0\nli r3, 65536\nld.gm.l1.linear r0, r1, r3\nhalt\n");
  struct accel_program out = assembled("arg r1, 0\nli r2, 16\nli r3, 4096\nst.ub.gm r1, r0, r2, r3, r3, r3\nhalt\n");
  for (int split = 0; split < 2; split++) {
    struct accel_params params = chip("910b");
    params.l2_rate = 100;
    params.l2_write_rate = split ? 50 : 0;
    struct accel_machine *m = machine_of(&params, (struct accel_options){.no_data = true});
    uint64_t gm = accel_gm_alloc(m, 2 * BYTES);
    read_all(m, 1, gm, BYTES, 1);
    accel_machine_reset_stats(m);
    launch(m, 0, &in, gm);
    launch(m, 1, &out, gm + BYTES);
    run(m);
    struct accel_stats s = stats_of(m);
    assert_near(s.cycles, 4 + BYTES / 50.0); /* each half of 100; or 100 and 50 */
    double in_flight = BYTES / 50.0 + (split ? BYTES / 100.0 : BYTES / 50.0);
    assert_near(s.contended, in_flight - BYTES / 110.0 - BYTES / 109.0);
    assert_int_equal(s.l2_written, BYTES);
    accel_machine_destroy(m);
  }
  accel_program_free(&in);
  accel_program_free(&out);
}

/* What the vector unit wrote decides where the program goes. */
static void the_scalar_unit_reads_ub(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){.races = true});
  uint64_t gm = accel_gm_alloc(m, 64);
  run_text(m, 0, "arg r1, 0\nli r2, 0x12345678\nli r3, 16\nli r4, 32\nv.dup.s32 r4, r2, r3\npipe_barrier v\n"
                 "ld.ub.b32 r5, r4\nld.ub.b16 r6, r4\nadd r5, r5, r6\nv.dup.s32 r0, r5, r3\nset_flag v, mte3, 0\n"
                 "wait_flag v, mte3, 0\nli r2, 1\nst.ub.gm r1, r0, r2, r4, r4, r4\nhalt\n", gm);
  uint32_t *got = accel_gm_view(m, gm, 4);
  assert_int_equal(*got, 0x12345678 + 0x5678);
  struct accel_program program = assembled("li r3, 16\nv.dup.s32 r0, r0, r3\nld.ub.b32 r5, r0\nhalt\n");
  struct accel_fault fault;
  launch(m, 0, &program, 0);
  assert_int_equal(accel_machine_run(m, &fault), -1);
  assert_int_equal(fault.kind, ACCEL_RACE);
  accel_program_free(&program);
  program = assembled("li r1, 8\nld.ub.b32 r5, r1\nhalt\n");
  launch(m, 0, &program, 0);
  assert_int_equal(accel_machine_run(m, &fault), -1);
  assert_int_equal(fault.kind, ACCEL_MISALIGNED);
  accel_program_free(&program);
  accel_machine_destroy(m);
}

static void l2_keeps_the_latest(void **state) {
  (void)state;
  struct accel_params params = chip("910b");
  params.l2_bytes = 1 << 20;
  struct accel_machine *m = machine_of(&params, (struct accel_options){.no_data = true});
  uint64_t gm = accel_gm_alloc(m, 4 << 20);
  enum { BYTES = 1 << 18 };
  for (uint64_t i = 0; i < 4; i++) read_all(m, 1, gm + i * BYTES, BYTES, 1); /* fills it */
  read_all(m, 1, gm, BYTES, 1);                                             /* the first is the youngest now */
  assert_int_equal(stats_of(m).hbm_bytes, 4 * BYTES);
  read_all(m, 1, gm + 4 * BYTES, BYTES, 1); /* in place of the second */
  read_all(m, 1, gm, BYTES, 1);
  assert_int_equal(stats_of(m).hbm_bytes, 5 * BYTES);
  read_all(m, 1, gm + BYTES, BYTES, 1);
  assert_int_equal(stats_of(m).hbm_bytes, 6 * BYTES);
  /* What is freed and allocated again is not in it. */
  accel_machine_reset_stats(m);
  assert_true(accel_gm_free(m, gm));
  assert_int_equal(accel_gm_alloc(m, 4 << 20), gm);
  read_all(m, 1, gm, BYTES, 1);
  assert_int_equal(stats_of(m).hbm_bytes, BYTES);
  accel_machine_destroy(m);
}

/* Short rows fetch sectors of 64 bytes, not blocks; what is written goes to HBM when it is replaced. */
static void sectors_and_writes(void **state) {
  (void)state;
  struct accel_params params = chip("910b");
  params.l2_bytes = 1 << 20;
  struct accel_machine *m = machine_of(&params, (struct accel_options){.no_data = true});
  uint64_t gm = accel_gm_alloc(m, 4 << 20);
  run_text(m, 0, "arg r1, 0\nli r2, 8\nli r3, 16\nli r4, 8192\nli r5, 32\nld.gm.ub r0, r1, r2, r3, r4, r5\nhalt\n", gm);
  assert_int_equal(stats_of(m).hbm_bytes, 8 * 64);
  assert_int_equal(stats_of(m).bytes_read[ACCEL_GM], 8 * 16);
  accel_machine_reset_stats(m);
  run_text(m, 0, "arg r1, 0\nli r2, 16\nli r3, 4096\nst.ub.gm r1, r0, r2, r3, r3, r3\nhalt\n", gm);
  assert_int_equal(stats_of(m).hbm_bytes, 0);
  assert_int_equal(stats_of(m).l2_bytes, 1 << 16);
  for (uint64_t i = 1; i < 9; i++) read_all(m, 1, gm + (i << 18), 1 << 18, 1);
  assert_int_equal(stats_of(m).hbm_bytes, (8 << 18) + (1 << 16));
  accel_machine_destroy(m);
}

static void allocations(void **state) {
  (void)state;
  struct accel_params params = chip("910b");
  params.bytes[ACCEL_GM] = 1 << 20;
  struct accel_machine *m = machine_of(&params, (struct accel_options){0});
  assert_int_equal(accel_gm_alloc(m, (1 << 20) + 1), 0);
  assert_int_equal(accel_gm_alloc(m, SIZE_MAX), 0);
  uint64_t a[4];
  for (int i = 0; i < 4; i++) assert_int_not_equal(a[i] = accel_gm_alloc(m, 1 << 18), 0);
  assert_int_equal(accel_gm_alloc(m, 1), 0); /* exhausted */
  for (int i = 0; i < 4; i++) {
    memset(accel_gm_view(m, a[i], 1 << 18), i, 1 << 18);
    assert_int_equal(a[i] % 512, 0);
    assert_null(accel_gm_view(m, a[i], (1 << 18) + 1));
    assert_null(accel_gm_view(m, a[i] + (1 << 18), 1));
    assert_null(accel_gm_view(m, a[i] - 1, 2));
    assert_int_equal(*(unsigned char *)accel_gm_view(m, a[i] + 77, 3), i);
  }
  assert_false(accel_gm_free(m, a[1] + 512));
  assert_false(accel_gm_free(m, 0));
  assert_true(accel_gm_free(m, a[1]));
  assert_false(accel_gm_free(m, a[1]));
  assert_null(accel_gm_view(m, a[1], 1));
  assert_int_equal(accel_gm_alloc(m, 1 << 17), a[1]); /* first fit */
  assert_int_equal(*(unsigned char *)accel_gm_view(m, a[1], 1), 0);
  assert_int_equal(accel_gm_alloc(m, (1 << 17) + 1), 0);
  uint64_t zero = accel_gm_alloc(m, 0);
  assert_int_not_equal(zero, 0);
  assert_true(accel_gm_free(m, zero));
  accel_machine_destroy(m);
}

/* All 64 GiB can be had: the host gives only what is touched. */
static void memory_is_lazy(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){0});
  uint64_t bytes = (uint64_t)64 << 30, gm = accel_gm_alloc(m, bytes);
  assert_int_not_equal(gm, 0);
  *(int *)accel_gm_view(m, gm + bytes - 4, 4) = 5;
  accel_machine_destroy(m);
}

/* The books. */

/* A random program whose flags are each raised before they are waited for: it cannot stop. */
static void random_program(uint64_t *seed, char *text, size_t size) {
  static const char *const work[] = {
      "load2d.l0a.b16 r0, r0, r2, r2, r2", "load2d.l0b.b16 r0, r0, r2, r2, r2", "mad.f16 r0, r0, r0, r3, r3, r3",
      "mad.f16.init r0, r0, r0, r3, r2, r3", "v.add.f32 r0, r0, r0, r3", "v.exp.f32 r0, r0, r4", "nop",
      "addi r9, r9, 1",
      "fixp.gm.f32 r1, r0, r3, r3, r4, r2", "st.ub.gm r1, r0, r2, r4, r4, r4", "ld.gm.ub r0, r1, r2, r4, r4, r4",
      "ld.gm.l1.b16 r0, r1, r3, r3, r4, r2", "ld.gm.l1.linear r0, r1, r4", "pipe_barrier m", "pipe_barrier all"};
  static const char *const pipes[] = {"s", "m", "v", "mte1", "mte2", "mte3", "fix"};
  int used = snprintf(text, size, "arg r1, 0\nli r2, 4\nli r3, 50\nli r4, 256\nli r5, 3\nloop r5, end\n");
  for (int part = 0; part < 3; part++) {
    for (int i = 0; i < 20; i++) {
      uint64_t draw = next_random(seed);
      const char *a = pipes[draw % 7], *b = pipes[draw / 7 % 7];
      used += snprintf(text + used, size - (size_t)used, "%s\n", work[draw / 49 % (sizeof work / sizeof work[0])]);
      if (i < 8 && draw / 1000 % 2)
        used += snprintf(text + used, size - (size_t)used, "set_flag %s, %s, %d\n"
                                                           "wait_flag %s, %s, %d\n", a, b, i, a, b, i);
    }
    used += snprintf(text + used, size - (size_t)used, "pipe_barrier all\n");
  }
  snprintf(text + used, size - (size_t)used, "end:\nhalt\n");
}

static void check_sums(const struct accel_stats *s, int cores) {
  for (int pipe = 0; pipe < ACCEL_PIPES; pipe++) {
    double sum = s->busy[pipe], expected = s->cycles * cores;
    for (int i = 0; i < ACCEL_STALLS; i++) {
      assert_true(s->stall[pipe][i] >= 0);
      sum += s->stall[pipe][i];
    }
    if (!(s->busy[pipe] >= 0) || fabs(sum - expected) > 1e-6 * expected)
      fail_msg("%s: %.9g of %.9g", accel_pipe_names[pipe], sum, expected);
  }
}

static void times_sum_up(void **state) {
  (void)state;
  uint64_t seed = 88172645463325252u;
  for (int round = 0; round < 60; round++) {
    struct accel_params params = chip("910b");
    params.cores = 1 + (int)(next_random(&seed) % 24);
    params.queue = 1 + (int)(next_random(&seed) % 8);
    struct accel_machine *m = machine_of(&params, (struct accel_options){.no_data = round % 2, .trace = round % 3});
    uint64_t gm = accel_gm_alloc(m, 1 << 20), token = 0;
    struct accel_program program[8];
    for (int i = 0; i < 8; i++) {
      char text[8192];
      random_program(&seed, text, sizeof text);
      program[i] = assembled(text);
      int core = (int)(next_random(&seed) % (uint64_t)params.cores), after = token && next_random(&seed) % 2;
      token = accel_machine_launch(m, core, &program[i], &gm, 1, &token, after);
      if (i == 4) run(m), token = 0;
    }
    run(m);
    struct accel_stats s = stats_of(m);
    check_sums(&s, params.cores);
    assert_true(s.busy[ACCEL_M] > 0 && s.cycles > 0);
    for (int i = 0; i < 8; i++) accel_program_free(&program[i]);
    accel_machine_destroy(m);
  }
}

/* li, mad, then in pipe_barrier from cycle 2 until 16 cycles after the mad, halt. */
static void reasons_are_right(void **state) {
  (void)state;
  struct accel_params params = chip("910b");
  params.cores = 1;
  struct accel_machine *m = machine_of(&params, (struct accel_options){0});
  run_text(m, 0, "li r1, 128\nmad.f16 r0, r0, r0, r1, r1, r1\npipe_barrier all\nhalt\n", 0);
  struct accel_stats s = stats_of(m);
  assert_near(s.busy[ACCEL_S], 3);
  assert_near(s.stall[ACCEL_S][ACCEL_STALL_BARRIER], 546.5);
  assert_near(s.stall[ACCEL_V][ACCEL_STALL_EMPTY], 3);
  assert_near(s.stall[ACCEL_V][ACCEL_STALL_BARRIER], 546.5);
  assert_near(s.stall[ACCEL_M][ACCEL_STALL_EMPTY], 3);
  assert_near(s.stall[ACCEL_M][ACCEL_STALL_BARRIER], 16);
  accel_machine_destroy(m);
}

/* Also when a fault cuts the run short, and a scalar unit had run ahead. */
static void times_sum_up_after_faults(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){0});
  struct accel_program ahead = assembled("li r1, 10000\nloop r1, end\nnop\nend:\nhalt\n");
  struct accel_program wrong = assembled("li r1, 100\nmad.f16 r0, r0, r0, r1, r1, r1\nv.dup.f32 r1, r1, r1\nhalt\n");
  struct accel_fault fault;
  launch(m, 0, &ahead, 0);
  launch(m, 1, &wrong, 0);
  assert_int_equal(accel_machine_run(m, &fault), -1);
  assert_int_equal(fault.kind, ACCEL_MISALIGNED);
  struct accel_stats s = stats_of(m);
  for (int pipe = 0; pipe < ACCEL_PIPES; pipe++) {
    double sum = s.busy[pipe];
    for (int i = 0; i < ACCEL_STALLS; i++) sum += s.stall[pipe][i];
    assert_near(sum, s.cycles * 24);
  }
  accel_program_free(&ahead);
  accel_program_free(&wrong);
  accel_machine_destroy(m);
}

static void counts_and_energy(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){.no_data = true});
  uint64_t gm = accel_gm_alloc(m, 1 << 20);
  run_text(m, 3, "arg r1, 0\nli r2, 50\nli r3, 4\nli r4, 256\nld.gm.l1.b16 r0, r1, r2, r2, r4, r3\npipe_barrier all\n"
                 "load2d.l0a.b16 r0, r0, r3, r3, r3\nload2d.l0b.b16 r0, r0, r3, r3, r3\npipe_barrier all\n"
                 "mad.f16.init r0, r0, r0, r2, r2, r2\nmad.s8 r0, r0, r0, r2, r2, r2\nv.add.f32 r0, r0, r0, r2\n"
                 "halt\n", gm);
  struct accel_stats s = stats_of(m);
  const double fractals = 16 * 512, l0c = 16 * 1024, halves = 8 * 512; /* s8: half as many along k */
  assert_int_equal(s.macs[0], 50 * 50 * 50);
  assert_int_equal(s.macs[3], 50 * 50 * 50);
  assert_int_equal(s.vector_elements, 50);
  assert_int_equal(s.bytes_read[ACCEL_GM], 50 * 100);
  assert_int_equal(s.bytes_written[ACCEL_L1], fractals);
  assert_int_equal(s.bytes_read[ACCEL_L1], 2 * fractals);
  assert_int_equal(s.bytes_read[ACCEL_L0A], fractals + halves);
  assert_int_equal(s.bytes_written[ACCEL_L0B], fractals);
  assert_int_equal(s.bytes_read[ACCEL_L0C], l0c);
  assert_int_equal(s.bytes_written[ACCEL_L0C], 2 * l0c);
  assert_int_equal(s.bytes_read[ACCEL_UB], 400);
  assert_int_equal(s.instructions[ACCEL_LI], 3);
  assert_int_equal(s.instructions[ACCEL_MAD], 2);
  assert_near(s.energy_pj[ACCEL_GM], 44.0 * (double)s.hbm_bytes);
  assert_near(s.energy_pj[ACCEL_L1], 1.5 * 3 * fractals);
  assert_near(s.energy_pj[ACCEL_L0A], 2 * fractals + halves);
  assert_near(s.energy_pj[ACCEL_L0C], 3 * l0c);
  assert_near(s.energy_pj[ACCEL_UB], 600);
  assert_near(s.energy_pj[ACCEL_BUFFERS], 8.0 * (double)s.l2_bytes);
  assert_near(s.energy_pj[ACCEL_BUFFERS + 1], 125000 * (0.72 + 0.10));
  assert_near(s.energy_pj[ACCEL_BUFFERS + 2], 50 * 1.1);
  assert_near(s.energy_pj[ACCEL_BUFFERS + 3], 13 * 5.0);
  accel_machine_reset_stats(m);
  s = stats_of(m);
  assert_near(s.cycles + s.busy[ACCEL_M] + s.energy_pj[ACCEL_BUFFERS + 1] + (double)s.macs[0], 0);
  accel_machine_destroy(m);
}

/* v writes from 0 and mte2 at the same time to a place 16 banks of 32 bytes on: the same bank; then to another. What v
 * does later meets nobody. */
static void bank_conflicts(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){.no_data = true});
  const char *text = "arg r1, 0\nli r2, 1\nli r3, 4096\nli r4, %d\nld.gm.ub r4, r1, r2, r3, r3, r3\n"
                     "v.add.f32 r0, r0, r0, r3\npipe_barrier all\nv.dup.f32 r0, r0, r3\nhalt\n";
  uint64_t gm = accel_gm_alloc(m, 1 << 20);
  char program[256];
  snprintf(program, sizeof program, text, 131072);
  run_text(m, 0, program, gm);
  assert_int_equal(stats_of(m).bank_conflicts[ACCEL_UB], 1);
  assert_int_equal(stats_of(m).bank_conflicts[ACCEL_L1], 0);
  snprintf(program, sizeof program, text, 131072 + 32);
  run_text(m, 0, program, gm);
  assert_int_equal(stats_of(m).bank_conflicts[ACCEL_UB], 1);
  accel_machine_destroy(m);
}

static void a_trace_has_every_instruction(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){.trace = true});
  struct accel_program program = assembled("li r1, 128\nmad.f16 r0, r0, r0, r1, r1, r1\nset_flag m, fix, 0\n"
                                           "wait_flag m, fix, 0\npipe_barrier all\nli r2, 3\nloop r2, end\nnop\nend:\n"
                                           "halt\n");
  launch(m, 4, &program, 0);
  run(m);
  int64_t count, stalls = 0;
  const struct accel_event *e = accel_machine_events(m, &count);
  struct accel_stats s = stats_of(m);
  for (int i = 0; i < ACCEL_OPCODES; i++) count -= (int64_t)s.instructions[i];
  assert_int_equal(count, 0);
  accel_machine_events(m, &count);
  assert_int_equal(count, 11);
  for (int64_t i = 0; i < count; i++) {
    assert_true(e[i].program == &program && e[i].core == 4 && e[i].end >= e[i].start && e[i].end <= s.cycles);
    stalls += e[i].stall;
    enum accel_opcode opcode = (enum accel_opcode)program.code[e[i].index].opcode;
    if (opcode == ACCEL_MAD) assert_near(e[i].start, 2), assert_near(e[i].end, 532.5);
    if (opcode == ACCEL_WAIT_FLAG) assert_true(e[i].stall && e[i].pipe == ACCEL_FIX && e[i].end == 534.5);
    if (opcode == ACCEL_PIPE_BARRIER) assert_true(e[i].stall && e[i].pipe == ACCEL_S && e[i].end == 550.5);
  }
  assert_int_equal(stalls, 2);
  accel_machine_reset_stats(m);
  accel_machine_events(m, &count);
  assert_int_equal(count, 0);
  accel_program_free(&program);
  accel_machine_destroy(m);
}

/* Time goes on from run to run; what is in buffers and flags stays. */
static void runs_follow_each_other(void **state) {
  (void)state;
  struct accel_machine *m = machine((struct accel_options){.trace = true});
  run_text(m, 0, "set_flag v, mte3, 2\nli r1, 16\nli r2, 7\nv.dup.s32 r0, r2, r1\nhalt\n", 0);
  double before = stats_of(m).cycles;
  uint64_t gm = accel_gm_alloc(m, 64);
  int64_t count, first;
  accel_machine_events(m, &first);
  struct accel_program program = assembled("arg r1, 0\nli r2, 1\nli r3, 64\nwait_flag v, mte3, 2\n"
                                           "st.ub.gm r1, r0, r2, r3, r3, r3\nhalt\n");
  launch(m, 0, &program, gm);
  run(m);
  assert_int_equal(((int32_t *)accel_gm_view(m, gm, 64))[15], 7);
  assert_near(accel_machine_events(m, &count)[first].start, before);
  accel_program_free(&program);
  accel_machine_destroy(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arithmetic),
      cmocka_unit_test(operands_and_constants),
      cmocka_unit_test(branches_and_loops),
      cmocka_unit_test(loops_are_free),
      cmocka_unit_test(a_product),
      cmocka_unit_test(shuffled_products),
      cmocka_unit_test(other_routes),
      cmocka_unit_test(padding_is_zero),
      cmocka_unit_test(rows_of_bytes),
      cmocka_unit_test(tokens),
      cmocka_unit_test(launches_that_cannot_be),
      cmocka_unit_test(commands_begin_afresh),
      cmocka_unit_test(ends_do_not_drain),
      cmocka_unit_test(commands_end_in_order),
      cmocka_unit_test(a_full_queue_holds_the_scalar_unit),
      cmocka_unit_test(cores_share_hbm_and_l2),
      cmocka_unit_test(shares_are_fair),
      cmocka_unit_test(reads_and_writes_have_paths),
      cmocka_unit_test(the_scalar_unit_reads_ub),
      cmocka_unit_test(l2_keeps_the_latest),
      cmocka_unit_test(sectors_and_writes),
      cmocka_unit_test(allocations),
      cmocka_unit_test(memory_is_lazy),
      cmocka_unit_test(times_sum_up),
      cmocka_unit_test(reasons_are_right),
      cmocka_unit_test(times_sum_up_after_faults),
      cmocka_unit_test(counts_and_energy),
      cmocka_unit_test(bank_conflicts),
      cmocka_unit_test(a_trace_has_every_instruction),
      cmocka_unit_test(runs_follow_each_other),
  };
  return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
