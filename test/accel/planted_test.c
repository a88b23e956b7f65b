/* Mistakes planted in the shipped programs and in how they are launched: each is caught, and by whom. What passes is
 * right in every order. */
#include "test/accel/planted_support.h"

static const struct accel_options watched = {.races = true};

static struct outcome shuffled(const struct plant *plant, uint64_t seed) {
  return run_planted(plant, (struct accel_options){.shuffle = seed});
}

static bool is_right(const struct outcome *o) { return !o->fault.kind && o->right; }

/* Both instructions of a race. */
static bool names_two(const char *text) {
  const char *first = strstr(text, " by ");
  const char *second = first ? strstr(first + 1, " by ") : NULL;
  const char *end = second ? strstr(second, "; no flag") : NULL;
  int lines[2];
  const char *place = " by %*[a-z].s:%d ";
  return end && sscanf(first, place, &lines[0]) == 1 && sscanf(second, place, &lines[1]) == 1;
}

/* Of 20 random orders one at least goes wrong. */
static void expect_wrong_order(const struct plant *plant, const char *what) {
  char seeds[128] = "";
  for (uint64_t seed = 1; seed <= 20; seed++) {
    struct outcome o = shuffled(plant, seed);
    if (!is_right(&o)) sprintf(seeds + strlen(seeds), " %d%s", (int)seed, o.fault.kind ? "f" : "");
  }
  print_message("%s: wrong (f: a fault) with seeds%s\n", what, seeds);
  if (!*seeds) fail_msg("%s: right in 20 orders", what);
}

/* Source lines. */

/* Copies line number `line`; false: there is none. */
static bool get_line(int program, int line, char text[256]) {
  const char *at = accel_embedded(files[program])->text;
  while (--line && at) at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL;
  if (!at || !*at) return false;
  snprintf(text, 256, "%.*s", (int)strcspn(at, "\n"), at);
  return true;
}

static void replace(struct plant *plant, int program, const char *from, const char *to) {
  char text[256];
  int line = 1, i = 0;
  while (get_line(program, line, text) && strncmp(text, from, strlen(from)) != 0) line++;
  if (!get_line(program, line, text)) fail_msg("%s has no line '%s'", files[program], from);
  while (plant->edit[i].line) i++;
  plant->edit[i].program = program, plant->edit[i].line = line, plant->edit[i].text = to;
}

/* The program's next set_flag or wait_flag from `line` on, or 0; its flag as "fix, m, " without the number. */
static int next_flag(int program, int line, bool *set, char flag[32]) {
  char text[256], word[16], from[8], to[8];
  for (; get_line(program, line, text); line++) {
    if (sscanf(text, " %15[a-z_] %7[a-z0-9], %7[a-z0-9],", word, from, to) != 3) continue;
    *set = !strcmp(word, "set_flag");
    if (!*set && strcmp(word, "wait_flag") != 0) continue;
    snprintf(flag, 32, "%s, %s, ", from, to);
    return line;
  }
  return 0;
}

/* Tests. */

static void the_shipped_programs(void **state) {
  (void)state;
  const struct plant none = {.token = 0};
  struct outcome o = run_planted(&none, watched);
  if (!is_right(&o)) fail_msg("wrong: %s", o.fault.text);
  for (uint64_t seed = 1; seed <= 50; seed++) {
    o = run_planted(&none, (struct accel_options){.shuffle = seed, .races = seed % 2});
    if (!is_right(&o)) fail_msg("wrong with seed %d: %s", (int)seed, o.fault.text);
  }
  print_message("right in the timed order and with seeds 1 .. 50\n");
}

/* Without a set_flag nobody goes on. Without a wait_flag two instructions race, or the next set_flag finds the flag
 * still up. */
static void each_flag_instruction(void **state) {
  (void)state;
  int count[2] = {0};
  bool set;
  char flag[32], what[64];
  for (int program = 0; program < PROGRAMS; program++)
    for (int line = 1; (line = next_flag(program, line, &set, flag)); line++) {
      const struct plant plant = {.edit = {{program, line, ""}}};
      struct outcome o = run_planted(&plant, watched);
      const char *named = strstr(o.fault.text, flag);
      bool lost = o.fault.kind == ACCEL_BAD_FLAG && strstr(o.fault.text, "signal is lost");
      bool raced = o.fault.kind == ACCEL_RACE && names_two(o.fault.text);
      bool stuck = o.fault.kind == ACCEL_DEADLOCK && named && strstr(o.fault.text, " waits at ");
      snprintf(what, sizeof what, "%s:%d, %s flag %s", files[program], line, set ? "set" : "wait", flag);
      if (set ? !stuck : !lost && !raced) fail_msg("%s removed: kind %d, %s", what, o.fault.kind, o.fault.text);
      if (!set) expect_wrong_order(&plant, what);
      count[set]++;
    }
  assert_in_range(count[0], 8, 100);
  assert_in_range(count[1], 8, 100);
}

/* Removes all that sets or waits for the flag. */
static struct plant without_flag(int program, const char *flag) {
  struct plant plant = {.token = 0};
  char other[32];
  bool set;
  for (int line = 1, i = 0; (line = next_flag(program, line, &set, other)); line++)
    if (!strcmp(flag, other)) {
      assert_in_range(i, 0, 6);
      plant.edit[i].program = program, plant.edit[i].line = line, plant.edit[i++].text = "";
    }
  return plant;
}

/* Nothing stops then: two instructions race, or a pipe runs so far ahead that another flag is lost. */
static void each_flag(void **state) {
  (void)state;
  int races = 0;
  bool set;
  char flag[32], what[64];
  for (int program = GEMM; program <= UPDATE; program++)
    for (int line = 1; (line = next_flag(program, line, &set, flag)); line++) {
      if (!set) continue;
      const struct plant plant = without_flag(program, flag);
      struct outcome o = run_planted(&plant, watched);
      bool lost = o.fault.kind == ACCEL_BAD_FLAG && strstr(o.fault.text, "signal is lost");
      bool raced = o.fault.kind == ACCEL_RACE && names_two(o.fault.text);
      snprintf(what, sizeof what, "%s without flag %s", files[program], flag);
      if (!lost && !raced) fail_msg("%s: kind %d, %s", what, o.fault.kind, o.fault.text);
      expect_wrong_order(&plant, what);
      races += raced;
    }
  print_message("%d of them races in the timed order\n", races);
  assert_in_range(races, 3, 20);
}

/* A launch that waits for one token less races, unless its core waits anyhow for that command or a later one of that
 * one's core: then nothing has changed. */
static void each_token(void **state) {
  (void)state;
  struct plant plant = {.token = 0};
  int tokens = run_planted(&plant, watched).tokens, needed = 0;
  while (plant.token++ < tokens) {
    struct outcome o = run_planted(&plant, watched);
    bool caught = o.fault.kind == ACCEL_RACE && names_two(o.fault.text);
    if (o.implied ? !is_right(&o) : !caught) fail_msg("token %d: kind %d, %s", plant.token, o.fault.kind, o.fault.text);
    needed += !o.implied;
  }
  print_message("%d tokens, %d of them needed\n", tokens, needed);
  assert_in_range(needed, 40, tokens);
}

struct wrong {
  struct { int program; const char *from, *to; } line[2];
  enum accel_fault_kind kind; /* ACCEL_NO_FAULT: C is wrong */
  const char *words;
};

static void wrong_flags_and_halves(void **state) {
  (void)state;
  const struct wrong list[] = {
      {{{GEMM, "  set_flag mte1, m, half", "set_flag mte1, m, 2"}}, ACCEL_BAD_FLAG, "flag mte1, m, 2 is still up"},
      {{{GEMM, "  wait_flag m, fix, 0", "wait_flag m, fix, 3"}}, ACCEL_DEADLOCK, "for flag m, fix, 3; only m"},
      {{{GEMM, "  wait_flag mte1, m, half", "wait_flag mte1, fix, half"}}, ACCEL_BAD_FLAG,
       "flag m, mte1, 1 is still up"},
      {{{GEMM, "  set_flag mte1, m, half", "set_flag mte1, m, 0"},
        {GEMM, "  wait_flag mte1, m, half", "wait_flag mte1, m, 0"}}, ACCEL_BAD_FLAG, "flag mte1, m, 0 is still up"},
      {{{GEMM, "  wait_flag m, mte1, half", "xor t, half, one\nwait_flag m, mte1, t"}}, ACCEL_BAD_FLAG,
       "flag m, mte1, 0 is still up"},
      {{{GEMM, "  mul l0, half, half_bytes", "mul l0, one, half_bytes"}}, ACCEL_RACE, "race on l0"},
      {{{GEMM, "  mul l0, half, half_bytes", "muli l0, half, 1024"}}, ACCEL_RACE, "race on l0"},
      {{{UPDATE, "  add h_ub, y_ub, y_ub", "li h_ub, 512"}}, ACCEL_NO_FAULT, ""},
      {{{UPDATE, "  set_flag v, mte3, 0", "li t, 8\nset_flag v, mte3, t"}}, ACCEL_BAD_FLAG, "flag 8: "},
  };
  for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
    struct plant plant = {.token = 0};
    for (int j = 0; j < 2 && list[i].line[j].from; j++)
      replace(&plant, list[i].line[j].program, list[i].line[j].from, list[i].line[j].to);
    struct outcome o = run_planted(&plant, watched);
    if (o.fault.kind != list[i].kind || !strstr(o.fault.text, list[i].words) || is_right(&o))
      fail_msg("number %zu, '%s': kind %d, %s", i, list[i].line[0].to, o.fault.kind, o.fault.text);
  }
}

/* Panels that reach into each other, in a fixed order: C is wrong. The third chunk's panel of A, written and read where
 * the first one's lies, which is still in use: C may be right, in the timed order. */
static void overlapping_panels(void **state) {
  (void)state;
  const struct plant into_the_next = {.overlap = 512};
  struct outcome o = run_planted(&into_the_next, watched);
  assert_false(is_right(&o));
  const int64_t two_slots = 2 * (32 + 64) * 96 * 2;
  const struct plant same_slot = {.change = {{PACK, 5, 0, -two_slots}, {GEMM, 3, 0, -two_slots}}};
  o = run_planted(&same_slot, watched);
  assert_int_equal(o.fault.kind, ACCEL_RACE);
  assert_true(names_two(o.fault.text) && strstr(o.fault.text, "race on l1 of core 0, bytes 0x0.."));
  expect_wrong_order(&same_slot, "one slot for two chunks");
}

struct bad_argument {
  int program, launch, arg;
  int64_t add;
  enum accel_fault_kind kind;
  const char *words[3];
};

static void bad_arguments(void **state) {
  (void)state;
  const enum accel_fault_kind off = ACCEL_MISALIGNED, out = ACCEL_OUT_OF_RANGE;
  const struct bad_argument list[] = {
      {PACK, 2, 0, 16, off, {"pack.s:", "core 0, mte2: operand 1 (dst) is 0x1810", "l1 are multiples of 32"}},
      {PACK, 2, 1, 1, off, {"pack.s:", "core 0, mte2: operand 2 (src) is", "gm are multiples of 2"}},
      {GEMM, 2, 0, 8, off, {"gemm.s:", "core 0, mte1: operand 2 (src)", "l1 are multiples of 32"}},
      {GEMM, 2, 14, 256, off, {"gemm.s:", "core 0, mte1: operand 1 (dst)", "l0a are multiples of 512"}},
      {UPDATE, 2, 15, 8, off, {"update.s:", "core 0, mte2: operand 1 (dst) is 0x8008", "ub are multiples of 32"}},
      {PACK, 2, 0, 1 << 19, out, {"pack.s:", "core 0, mte2: operand 1 (dst)", "beyond the 524288 of l1"}},
      {PACK, 4, 1, 1 << 20, out, {"pack.s:", "core 0, mte2: operand 2 (src)", "not in any allocation"}},
      {PACK, 1, 3, 6000, out, {"pack.s:", "core 0, mte2: operand 2 (src)", "beyond the allocation of 19200 bytes"}},
      {PACK, 1, 5, 100000, out, {"pack.s:", "core 0, mte2: operand 1 (dst) is 0x0", "beyond the 524288 of l1"}},
      {GEMM, 2, 5, 20000, out, {"gemm.s:", "core 0, mte1: operand 2 (src)", "beyond the 524288 of l1"}}, /* k */
      {GEMM, 2, 14, 32768, out, {"gemm.s:", "core 0, mte1: operand 1 (dst) is 0x10000", "beyond the 65536 of l0a"}},
      {GEMM, 3, 6, 20000, out, {"gemm.s:", "core 0, fix: operand 1 (dst)", "beyond the allocation of 8320 bytes"}},
      {UPDATE, 2, 14, 1 << 16, out, {"update.s:", "core 0, mte2: operand 1 (dst)", "beyond the 196608 of ub"}},
  };
  for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
    const struct bad_argument *bad = &list[i];
    const struct plant plant = {.change = {{bad->program, bad->launch, bad->arg, bad->add}}};
    for (int watch = 0; watch < 2; watch++) {
      struct outcome o = run_planted(&plant, (struct accel_options){.races = watch, .no_data = !watch});
      bool named = true;
      for (int j = 0; j < 3; j++) named = named && strstr(o.fault.text, bad->words[j]);
      if (o.fault.kind != bad->kind || !named) fail_msg("number %zu: kind %d, %s", i, o.fault.kind, o.fault.text);
    }
  }
}

/* MTE2 fills panels while MTE1 reads others, all from bank 0 on; behind barriers it cannot. In UB the flags of update.s
 * keep the pipes apart. */
static void bank_conflicts(void **state) {
  (void)state;
  struct plant plant = {.token = 0};
  struct outcome o = run_planted(&plant, watched);
  assert_in_range(o.stats.bank_conflicts[ACCEL_L1], 1, 1000);
  assert_int_equal(o.stats.bank_conflicts[ACCEL_UB], 0);
  replace(&plant, PACK, "  halt", "pipe_barrier all\nhalt");
  replace(&plant, GEMM, "  halt", "pipe_barrier all\nhalt");
  o = run_planted(&plant, watched);
  assert_true(is_right(&o));
  assert_int_equal(o.stats.bank_conflicts[ACCEL_L1], 0);
  replace(&plant, UPDATE, "  set_flag mte2, v, 0", "");
  replace(&plant, UPDATE, "  wait_flag mte2, v, 0", "");
  o = run_planted(&plant, watched);
  assert_int_equal(o.stats.bank_conflicts[ACCEL_L1], 0);
  assert_in_range(o.stats.bank_conflicts[ACCEL_UB], 1, 1000);
}

static void limits(void **state) {
  (void)state;
  struct plant plant = {.token = 0};
  struct accel_options options[] = {{.cycle_limit = 300}, {.cycle_limit = 300, .shuffle = 7}};
  for (int endless = 0; endless < 2; endless++) {
    for (int i = 0; i < 2; i++) {
      struct outcome o = run_planted(&plant, options[i]);
      char reached[64];
      snprintf(reached, sizeof reached, "cycle limit of %d reached; core ", (int)options[i].cycle_limit);
      assert_int_equal(o.fault.kind, ACCEL_CYCLE_LIMIT);
      if (!strstr(o.fault.text, reached)) fail_msg("%s", o.fault.text);
      assert_non_null(strstr(o.fault.text, endless ? " is at update.s:" : ".s:"));
      assert_in_range(o.stats.cycles, 0, options[i].cycle_limit + 256);
      options[i].cycle_limit = 100000;
    }
    replace(&plant, UPDATE, "  li three, 3", "again:\njmp again");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_shipped_programs), cmocka_unit_test(each_flag_instruction), cmocka_unit_test(each_flag),
      cmocka_unit_test(each_token),           cmocka_unit_test(wrong_flags_and_halves),
      cmocka_unit_test(overlapping_panels),   cmocka_unit_test(bad_arguments),
      cmocka_unit_test(bank_conflicts),       cmocka_unit_test(limits),
  };
  return cmocka_run_group_tests_name("planted", tests, NULL, NULL);
}
