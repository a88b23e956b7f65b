/* The race detector, driven by hand-made schedules: each missing edge is caught and each right schedule is clean.
 * Random schedules are in race_random_test.c. */
#include "kernels/accel_sim/sim/race.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/core/support.h"

enum { CORES = 3, CODE = 512 };
enum { S, M, V, MTE1, MTE2, MTE3, FIX }; /* the pipes, as isa.h orders them */

/* Instruction i is in line i + 1 of t.s. */
static struct accel_word code[CODE];
static struct accel_line lines[CODE];
static char *files[] = {"t.s"};
static struct accel_program program = {"t", code, lines, NULL, files, CODE, 0, 1};
static struct accel_race *race;

static int set_up(void **state) {
  (void)state;
  for (int i = 0; i < CODE; i++) {
    lines[i].line = i + 1;
    code[i] = (struct accel_word){.opcode = ACCEL_LD_GM_L1_LINEAR, .r = {(uint8_t)(i % 60), 1, 2}};
  }
  race = accel_race_create(CORES);
  return race ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  accel_race_destroy(race);
  return 0;
}

/* An instruction of a core's pipe is dispatched and begins. */
static struct accel_site start(int core, int pipe, int index) {
  struct accel_site site = {&program, index, core, (enum accel_pipe)pipe};
  accel_race_dispatch(race, core, site.pipe);
  accel_race_begin(race, &site);
  return site;
}

static struct accel_range rows(enum accel_buffer buffer, uint64_t address, int64_t rows, int64_t bytes, int64_t pitch) {
  return (struct accel_range){buffer, address, rows, bytes, pitch};
}

static void reads(int core, int pipe, int index, struct accel_range range) {
  struct accel_site site = start(core, pipe, index);
  accel_race_read(race, &site, &range);
}

static void writes(int core, int pipe, int index, struct accel_range range) {
  struct accel_site site = start(core, pipe, index);
  accel_race_write(race, &site, &range);
}

static void set(int core, int from, int to, int flag) {
  if (from != S) accel_race_dispatch(race, core, (enum accel_pipe)from);
  accel_race_set(race, core, (enum accel_pipe)from, (enum accel_pipe)to, flag);
}

static void waits(int core, int from, int to, int flag) {
  if (to != S) accel_race_dispatch(race, core, (enum accel_pipe)to);
  accel_race_wait(race, core, (enum accel_pipe)from, (enum accel_pipe)to, flag);
}

static void flag(int core, int from, int to, int id) {
  set(core, from, to, id);
  waits(core, from, to, id);
}

static void barrier(int core, int pipe) { accel_race_barrier(race, core, (enum accel_pipe)pipe); }

static const struct accel_range l1 = {ACCEL_L1, 0x8000, 1, 512, 512}, gm = {ACCEL_GM, (uint64_t)1 << 44, 1, 512, 512};

/* What has been seen since the last call is clean, or is one race of these two lines. */
static void expect_clean(void) {
  if (accel_race_count(race)) print_error("%s\n", accel_race_report(race, 0));
  assert_int_equal(accel_race_count(race), 0);
  assert_null(accel_race_report(race, 0));
  accel_race_start_run(race);
}

static void expect_race(int first, int second) {
  char one[32], two[32];
  snprintf(one, sizeof one, "by t.s:%d '", first + 1);
  snprintf(two, sizeof two, "by t.s:%d '", second + 1);
  assert_int_equal(accel_race_count(race), 1);
  const char *text = accel_race_report(race, 0);
  assert_non_null(strstr(text, one));
  assert_non_null(strstr(strstr(text, one), two));
  accel_race_start_run(race);
}

static void flags_order(void **state) {
  (void)state;
  for (int kinds = 1; kinds < 4; kinds++)
    for (int with = 0; with < 2; with++) {
      (kinds & 1 ? writes : reads)(1, MTE2, 4, l1);
      if (with) flag(1, MTE2, MTE1, 3);
      (kinds & 2 ? writes : reads)(1, MTE1, 7, l1);
      with ? expect_clean() : expect_race(4, 7);
    }
  reads(1, MTE2, 4, l1);
  reads(1, MTE1, 7, l1);
  expect_clean();
}

static void only_the_waiting_pipe_is_ordered(void **state) {
  (void)state;
  writes(0, MTE2, 1, l1);
  flag(0, MTE2, V, 0);
  reads(0, MTE1, 2, l1);
  expect_race(1, 2);
  set(0, MTE2, MTE1, 0);
  writes(0, MTE2, 1, l1); /* after the flag went up */
  waits(0, MTE2, MTE1, 0);
  reads(0, MTE1, 2, l1);
  expect_race(1, 2);
  writes(0, MTE2, 1, l1);
  set(0, MTE2, MTE1, 0);
  reads(0, MTE1, 2, l1); /* before it waits */
  waits(0, MTE2, MTE1, 0);
  expect_race(1, 2);
  writes(0, MTE2, 1, l1);
  set(0, MTE2, MTE1, 0);
  waits(0, MTE2, MTE1, 1); /* another flag, up since some time */
  reads(0, MTE1, 2, l1);
  expect_race(1, 2);
  writes(0, MTE2, 1, l1);
  set(0, MTE2, MTE1, 0);
  waits(1, MTE2, MTE1, 0); /* another core's */
  reads(0, MTE1, 2, l1);
  expect_race(1, 2);
}

static void flags_carry_on(void **state) {
  (void)state;
  writes(0, MTE2, 1, l1);
  flag(0, MTE2, MTE1, 0);
  flag(0, MTE1, M, 5);
  flag(0, M, FIX, 7);
  writes(0, FIX, 2, l1);
  expect_clean();
}

static void the_scalar_unit_passes_on(void **state) {
  (void)state;
  writes(0, MTE2, 1, l1);
  flag(0, MTE2, S, 0);
  reads(0, MTE1, 2, l1);
  expect_clean();
  writes(0, MTE2, 1, l1);
  flag(0, MTE2, S, 0);
  flag(0, S, MTE1, 2);
  reads(0, MTE1, 2, l1);
  expect_clean();
  struct accel_site early = {&program, 2, 0, ACCEL_MTE1};
  writes(0, MTE2, 1, l1);
  accel_race_dispatch(race, 0, ACCEL_MTE1); /* before the scalar unit waits, even if it begins later */
  flag(0, MTE2, S, 0);
  accel_race_begin(race, &early);
  accel_race_read(race, &early, &l1);
  expect_race(1, 2);
}

/* Each instruction of a long queue has what the scalar unit knew when it was dispatched. */
static void queues_grow(void **state) {
  (void)state;
  struct accel_site site = {&program, 2, 0, ACCEL_V};
  for (int early = 1; early < 40; early++)
    for (int reader = early - 1; reader <= early; reader++) {
      for (int i = 0; i < 11; i++) reads(0, V, 3, rows(ACCEL_UB, 0, 1, 64, 0));
      writes(0, MTE2, 1, l1);
      for (int i = 0; i < 40; i++) {
        if (i == early) flag(0, MTE2, S, 0);
        accel_race_dispatch(race, 0, ACCEL_V);
      }
      for (int i = 0; i <= reader; i++) accel_race_begin(race, &site);
      accel_race_read(race, &site, &l1);
      reader < early ? expect_race(1, 2) : expect_clean();
    }
}

static void barriers_order(void **state) {
  (void)state;
  const int barriers[] = {MTE2, ACCEL_ALL, MTE1, S};
  for (int i = 0; i < 4; i++) {
    writes(0, MTE2, 1, l1);
    barrier(0, barriers[i]);
    reads(0, MTE1, 2, l1);
    i < 2 ? expect_clean() : expect_race(1, 2);
  }
  struct accel_site early = {&program, 2, 0, ACCEL_V};
  writes(0, MTE2, 1, l1);
  accel_race_dispatch(race, 0, ACCEL_V); /* before the barrier */
  barrier(0, MTE2);
  accel_race_begin(race, &early);
  accel_race_read(race, &early, &l1);
  expect_race(1, 2);
}

static void start_after(int core, uint64_t token) { accel_race_start_command(race, core, &token, token != 0); }

static void tokens_order_cores(void **state) {
  (void)state;
  for (int with = 0; with < 2; with++) {
    start_after(0, 0);
    writes(0, MTE3, 1, gm);
    uint64_t token = accel_race_end_command(race, 0);
    assert_true(token != 0);
    start_after(2, with ? token : 0);
    reads(2, MTE2, 2, gm);
    with ? expect_clean() : expect_race(1, 2);
  }
  start_after(0, 0);
  writes(0, MTE3, 1, gm);
  start_after(1, accel_race_end_command(race, 0));
  start_after(2, accel_race_end_command(race, 1)); /* through core 1 */
  writes(2, FIX, 2, gm);
  start_after(0, accel_race_end_command(race, 2)); /* and back */
  reads(0, MTE2, 3, gm);
  expect_clean();
}

/* The next command's instructions may be under way when a command ends; its token does not cover them. */
static void a_token_covers_its_command_only(void **state) {
  (void)state;
  for (int covered = 0; covered < 2; covered++) {
    start_after(0, 0);
    if (covered) writes(0, MTE3, 1, gm);
    start_after(0, 0);
    if (!covered) writes(0, MTE3, 1, gm);
    start_after(0, 0);
    reads(0, MTE3, 3, l1);
    uint64_t first = accel_race_end_command(race, 0), second = accel_race_end_command(race, 0);
    assert_true(first != second);
    start_after(1, first);
    reads(1, MTE2, 2, gm);
    covered ? expect_clean() : expect_race(1, 2);
  }
}

static void tokens_drain_their_own_core(void **state) {
  (void)state;
  for (int with = 0; with < 2; with++) {
    start_after(0, 0);
    writes(0, MTE2, 1, l1);
    uint64_t token = accel_race_end_command(race, 0);
    start_after(0, with ? token : 0);
    reads(0, MTE1, 2, l1);
    with ? expect_clean() : expect_race(1, 2);
  }
}

/* A flag goes up and down and up again; what stands between the wait and the second set decides. */
enum { NOTHING, ANOTHER_FLAG, ANOTHER_FLAG_LATE, A_BARRIER, A_TOKEN, A_RUN, WAYS };

static void raise_again(int from, int to, int way) {
  struct accel_site wait = {&program, 7, 1, (enum accel_pipe)to}, again = {&program, 9, 1, (enum accel_pipe)from};
  start_after(1, 0);
  set(1, from, to, 3);
  if (way == ANOTHER_FLAG_LATE) set(1, to, from, 0);
  waits(1, from, to, 3);
  if (way == ANOTHER_FLAG) set(1, to, from, 0);
  if (way == ANOTHER_FLAG || way == ANOTHER_FLAG_LATE) waits(1, to, from, 0);
  if (way == A_BARRIER) barrier(1, to);
  uint64_t token = accel_race_end_command(race, 1);
  if (way == A_RUN) accel_race_start_run(race);
  start_after(1, way == A_TOKEN ? token : 0);
  set(1, from, to, 3);
  accel_race_reuse(race, &wait, &again, 3);
}

static void flags_that_are_raised_again(void **state) {
  (void)state;
  for (int from = 0; from < ACCEL_PIPES; from++)
    for (int to = 0; to < ACCEL_PIPES; to++)
      for (int way = 0; way < WAYS && from != to; way++) {
        raise_again(from, to, way);
        bool lost = to != S && (way == NOTHING || way == ANOTHER_FLAG_LATE); /* S waits, then dispatches the set */
        char text[64];
        snprintf(text, sizeof text, "race on flag %s, %s, 3 of core 1: ", accel_pipe_names[from], accel_pipe_names[to]);
        if (lost) assert_non_null(strstr(accel_race_report(race, 0), text));
        lost ? expect_race(7, 9) : expect_clean();
      }
}

static void runs_order(void **state) {
  (void)state;
  start_after(0, 0);
  writes(0, MTE3, 1, gm);
  uint64_t old = accel_race_end_command(race, 0);
  accel_race_start_run(race);
  start_after(1, old);
  reads(1, MTE2, 2, gm);
  expect_clean();
  start_after(1, 0);
  reads(1, MTE2, 2, gm);
  start_after(0, old);
  writes(0, MTE3, 1, gm);
  expect_race(2, 1);
  for (int i = 0; i < 9; i++) reads(0, MTE2, 3, l1);
  set(0, MTE2, MTE1, 0); /* stays up */
  accel_race_start_run(race);
  writes(0, MTE2, 1, l1);
  waits(0, MTE2, MTE1, 0);
  reads(0, MTE1, 2, l1);
  expect_race(1, 2);
}

static void buffers_are_apart(void **state) {
  (void)state;
  writes(0, MTE2, 1, l1);
  writes(1, MTE1, 2, l1);
  writes(2, V, 3, l1);
  writes(0, V, 4, rows(ACCEL_UB, 0x8000, 1, 512, 0));
  writes(0, FIX, 5, rows(ACCEL_L0C, 0x8000, 1, 512, 0));
  writes(0, M, 6, rows(ACCEL_L0A, 0x8000, 1, 512, 0));
  writes(0, MTE3, 7, rows(ACCEL_L0B, 0x8000, 1, 512, 0));
  writes(1, MTE3, 8, rows(ACCEL_GM, 0x8000, 1, 512, 0));
  expect_clean();
  writes(0, MTE2, 1, gm);
  writes(1, MTE2, 2, gm);
  expect_race(1, 2);
}

/* MTE2 fills two buffers that MTE1 empties. */
static void tile(int buffer, bool wait_free, bool set_free) {
  const struct accel_range half = rows(ACCEL_L1, 0x1000 * (uint64_t)buffer, 16, 128, 256);
  if (wait_free) waits(0, MTE1, MTE2, buffer);
  writes(0, MTE2, 10 + buffer, half);
  flag(0, MTE2, MTE1, buffer);
  reads(0, MTE1, 20 + buffer, half);
  if (set_free) set(0, MTE1, MTE2, buffer);
}

static void double_buffers(void **state) {
  (void)state;
  set(0, MTE1, MTE2, 0);
  set(0, MTE1, MTE2, 1);
  for (int i = 0; i < 20; i++) tile(i % 2, true, true);
  expect_clean();
  set(0, MTE1, MTE2, 0);
  for (int i = 0; i < 20; i++) tile(i % 2, i % 2 == 0, i % 2 == 0); /* one id for both */
  expect_race(21, 11);
}

static void ranges_that_do_not_touch(void **state) {
  (void)state;
  const struct accel_range pairs[][2] = {
      {rows(ACCEL_GM, 0, 100, 128, 256), rows(ACCEL_GM, 128, 100, 128, 256)}, /* columns of one matrix */
      {rows(ACCEL_GM, 6, 5000, 2, 10), rows(ACCEL_GM, 8, 5000, 8, 10)},
      {rows(ACCEL_GM, 4096 - 96, 1, 32, 0), rows(ACCEL_GM, 4096 - 64, 3, 96, 96)},
      {rows(ACCEL_GM, 64, 1, 32, 0), rows(ACCEL_GM, 96, 1, 32, 0)}, /* halves of a granule */
      {rows(ACCEL_GM, 64, 1, 1, 0), rows(ACCEL_GM, 65, 1, 1, 0)},
      {rows(ACCEL_GM, 127, 1, 1, 0), rows(ACCEL_GM, 128, 1, 1, 0)},
      {rows(ACCEL_GM, 64, 0, 64, 64), rows(ACCEL_GM, 64, 1, 64, 64)}, /* nothing */
      {rows(ACCEL_GM, 64, 1, 0, 0), rows(ACCEL_GM, 64, 1, 64, 64)},
      {rows(ACCEL_GM, 1024, 3, 64, -128), rows(ACCEL_GM, 1024 - 64, 2, 64, -128)},
  };
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
    for (int first = 0; first < 2; first++) {
      writes(0, MTE3, 1, pairs[i][first]);
      writes(1, MTE3, 2, pairs[i][!first]);
      expect_clean();
    }
}

static void expect_bytes(struct accel_range a, struct accel_range b, unsigned first, unsigned last) {
  char text[64];
  snprintf(text, sizeof text, ", bytes 0x%x..0x%x: ", first, last);
  for (int order = 0; order < 2; order++) {
    writes(0, MTE3, 1 + order, order ? b : a);
    writes(1, MTE3, 2 - order, order ? a : b);
    assert_non_null(strstr(accel_race_report(race, 0), text));
    expect_race(1 + order, 2 - order);
  }
}

static void bytes_that_touch(void **state) {
  (void)state;
  expect_bytes(rows(ACCEL_GM, 0, 1, 64, 0), rows(ACCEL_GM, 63, 1, 2, 0), 63, 63);
  expect_bytes(rows(ACCEL_GM, 0, 100, 128, 256), rows(ACCEL_GM, 127, 100, 129, 256), 127, 99 * 256 + 127);
  expect_bytes(rows(ACCEL_GM, 100, 1, 100000, 0), rows(ACCEL_GM, 5000, 3, 10, 5000), 5000, 15009);
  expect_bytes(rows(ACCEL_GM, 4090, 1, 12, 0), rows(ACCEL_GM, 0, 1, 8192, 0), 4090, 4101);
  expect_bytes(rows(ACCEL_GM, 0, 4, 64, 0), rows(ACCEL_GM, 32, 9, 4, 0), 32, 35);
}

/* A race is found among the readers that nothing has ordered, even when many others were. */
static void all_readers_count(void **state) {
  (void)state;
  const int pipes[] = {MTE1, V, MTE2, FIX, M};
  writes(0, MTE3, 1, l1);
  for (int i = 0; i < 5; i++) {
    flag(0, MTE3, pipes[i], 0);
    for (int again = 0; again < 3; again++) reads(0, pipes[i], 10 + i, l1);
    if (i != 2) flag(0, pipes[i], MTE3, 0);
  }
  writes(0, MTE3, 2, rows(ACCEL_L1, 0x8000 + 100, 1, 1, 0));
  expect_race(12, 2);
}

static void reports_say_all(void **state) {
  (void)state;
  char first[64], second[64], text[512];
  struct accel_program other = program;
  char *names[] = {"x.s", "inc/gemm.s"};
  lines[9].file = 1;
  other.files = names;
  accel_disassemble(&program, 40, first, sizeof first);
  accel_disassemble(&other, 9, second, sizeof second);
  assert_true(strlen(first) > 0 && strcmp(first, second) != 0);
  writes(2, MTE2, 40, l1);
  struct accel_site site = {&other, 9, 2, ACCEL_MTE1};
  accel_race_begin(race, &site);
  accel_race_read(race, &site, &l1);
  snprintf(text, sizeof text, "race on %s of core 2, bytes 0x8000..0x81ff: written by t.s:41 '%s' on mte2, "
           "read by inc/gemm.s:10 '%s' on mte1; no flag, barrier or token orders them", accel_buffer_names[ACCEL_L1],
           first, second);
  assert_string_equal(accel_race_report(race, 0), text);
  lines[9].file = 0;
  accel_race_start_run(race);
  reads(0, MTE2, 40, gm);
  writes(1, FIX, 40, gm);
  snprintf(text, sizeof text, "race on %s, bytes 0x100000000000..0x1000000001ff: read by t.s:41 '%s' on mte2 "
           "of core 0, written by t.s:41 '%s' on fix of core 1; no flag, barrier or token orders them",
           accel_buffer_names[ACCEL_GM], first, first);
  assert_string_equal(accel_race_report(race, 0), text);
  other.lines = NULL;
  site.core = 1;
  accel_race_begin(race, &site);
  accel_race_read(race, &site, &gm);
  assert_non_null(strstr(accel_race_report(race, 1), ", read by instruction 9 '"));
  accel_race_start_run(race);
}

static void one_report_a_pair(void **state) {
  (void)state;
  for (int again = 0; again < 5; again++) {
    writes(0, MTE2, 1, l1);
    reads(0, MTE1, 2, l1);
    writes(1, MTE2, 1, l1);
    reads(1, MTE1, 2, l1);
  }
  assert_int_equal(accel_race_count(race), 1);
  for (int i = 0; i < 2 * ACCEL_RACES; i++) writes(0, i % 2 ? V : M, 10 + i, l1);
  assert_int_equal(accel_race_count(race), ACCEL_RACES);
  for (int i = 0; i < ACCEL_RACES; i++)
    for (int j = 0; j < i; j++) assert_string_not_equal(accel_race_report(race, i), accel_race_report(race, j));
  assert_null(accel_race_report(race, ACCEL_RACES));
  assert_null(accel_race_report(race, -1));
  accel_race_start_run(race);
  expect_clean();
}

/* The last core of a big chip, and gigabytes apart. */
static void far_apart(void **state) {
  (void)state;
  struct accel_race *small = race;
  race = accel_race_create(48);
  writes(47, MTE3, 1, rows(ACCEL_GM, ((uint64_t)1 << 44) + 4096, 1, 8, 0));
  for (uint64_t i = 0; i < 5000; i++) reads((int)i % 47, MTE2, 2, rows(ACCEL_GM, i << 24, 2, 8, 4096));
  assert_int_equal(accel_race_count(race), 0);
  reads(46, MTE2, 2, rows(ACCEL_GM, ((uint64_t)1 << 44) + 4096, 1, 8, 0));
  expect_race(1, 2);
  accel_race_destroy(race);
  race = small;
}

static void starve(void) {
  struct rlimit limit = {(rlim_t)256 << 20, (rlim_t)256 << 20};
  setrlimit(RLIMIT_AS, &limit);
  for (int i = 0; i < 4096 && !accel_race_count(race); i++) {
    writes(0, MTE3, i % CODE, rows(ACCEL_GM, (uint64_t)i << 20, 1, 1 << 20, 0));
    start_after(0, accel_race_end_command(race, 0));
  }
  const char *text = accel_race_report(race, 0);
  _exit(text && strstr(text, "no memory") && accel_race_end_command(race, 0) == 0 ? 0 : 1);
}

static void without_memory_it_says_so(void **state) {
  (void)state;
  if (UNDER_ASAN || UNDER_TSAN) skip(); /* they need the address space */
  int status = -1;
  pid_t child = fork();
  if (!child) starve();
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(flags_order),
      cmocka_unit_test(only_the_waiting_pipe_is_ordered),
      cmocka_unit_test(flags_carry_on),
      cmocka_unit_test(the_scalar_unit_passes_on),
      cmocka_unit_test(queues_grow),
      cmocka_unit_test(barriers_order),
      cmocka_unit_test(tokens_order_cores),
      cmocka_unit_test(a_token_covers_its_command_only),
      cmocka_unit_test(tokens_drain_their_own_core),
      cmocka_unit_test(flags_that_are_raised_again),
      cmocka_unit_test(runs_order),
      cmocka_unit_test(buffers_are_apart),
      cmocka_unit_test(double_buffers),
      cmocka_unit_test(ranges_that_do_not_touch),
      cmocka_unit_test(bytes_that_touch),
      cmocka_unit_test(all_readers_count),
      cmocka_unit_test(reports_say_all),
      cmocka_unit_test(one_report_a_pair),
      cmocka_unit_test(far_apart),
      cmocka_unit_test(without_memory_it_says_so),
  };
  return cmocka_run_group_tests_name("races", tests, set_up, tear_down);
}
