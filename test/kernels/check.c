#include "test/kernels/check.h"

#include <fenv.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define ARENA_BYTES ((size_t)16 << 20)
#define SAY(...) snprintf(bench->what, sizeof bench->what, __VA_ARGS__)

/* Where a case's operands lie for one call. */
struct placed {
  enum place place;
  unsigned char *a, *b, *c;
  struct tsr_step *step, before;
};

void bench_create(struct bench *bench) {
  memset(bench, 0, sizeof *bench);
  bench->a = arena_create(ARENA_BYTES);
  bench->b = arena_create(ARENA_BYTES);
  bench->c = arena_create(ARENA_BYTES);
  bench->step = arena_create(1 << 16);
#if defined(__x86_64__)
  bench->has_avx = __builtin_cpu_supports("avx");
#endif
}

static unsigned char *put(const struct arena *arena, const struct image *image, enum place place, size_t slack) {
  unsigned char *at = arena_place(arena, image->bytes, place, slack);
  margins_paint(arena, at, image->bytes);
  if (image->bytes > 0) memcpy(at, image->data, image->bytes);
  return at;
}

/* Slack keeps an operand off its page only by less than an element at the end, so that one element too many faults. */
static void place_operands(struct bench *bench, const struct test_case *tc, enum place place, struct placed *pl) {
  size_t slack = place == PLACE_END ? tc->slack % (size_t)tc->size : tc->slack;
  pl->place = place;
  pl->a = put(&bench->a, &tc->a, place, place == PLACE_END ? slack % (size_t)tc->a_size : slack);
  pl->b = put(&bench->b, &tc->b, place, slack);
  pl->c = put(&bench->c, &tc->c, place, slack);
  pl->step = (struct tsr_step *)arena_place(&bench->step, sizeof *pl->step, place, 0);
  pl->before = tc->step;
  memcpy(pl->step, &pl->before, sizeof *pl->step);
}

/* "4 bytes after the end of A", if the address is near an operand. */
static bool name_address(const struct arena *arena, const char *name, const unsigned char *operand, size_t bytes,
                         uintptr_t address, char *text, size_t size) {
  uintptr_t start = (uintptr_t)operand, end = start + bytes;
  if (address < (uintptr_t)arena->base - GUARD_BYTES || address >= (uintptr_t)arena->base + arena->bytes + GUARD_BYTES)
    return false;
  if (address < start)
    snprintf(text, size, "%zu bytes before the start of %s", (size_t)(start - address), name);
  else if (address >= end)
    snprintf(text, size, "%zu bytes after the end of %s", (size_t)(address - end), name);
  else
    snprintf(text, size, "%zu bytes into %s", (size_t)(address - start), name);
  return true;
}

static enum finding report_fault(struct bench *bench, const struct test_case *tc, const struct placed *pl,
                                 struct fault fault) {
  char where[96];
  if (fault.signal == SIGALRM) SAY("did not return");
  if (fault.signal == SIGILL) SAY("executed an instruction this machine does not have");
  if (fault.signal == SIGFPE) SAY("trapped on an arithmetic exception");
  if (fault.signal != SIGSEGV && fault.signal != SIGBUS) return FOUND_FAULT;
  if (!name_address(&bench->a, "A", pl->a, tc->a.bytes, fault.address, where, sizeof where) &&
      !name_address(&bench->b, "B", pl->b, tc->b.bytes, fault.address, where, sizeof where) &&
      !name_address(&bench->c, "C", pl->c, tc->c.bytes, fault.address, where, sizeof where) &&
      !name_address(&bench->step, "the step", (unsigned char *)pl->step, sizeof *pl->step, fault.address, where,
                    sizeof where))
    snprintf(where, sizeof where, "address %#llx, far from every operand", (unsigned long long)fault.address);
  SAY("touched memory %s", where);
  return FOUND_FAULT;
}

static enum finding check_registers(struct bench *bench, const struct probe *probe) {
  static const char *const names[] = PROBE_NAMES;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (bench->plain_c && strcmp(names[i], "x18") == 0) continue;
    if (probe->in[i] == probe->out[i]) continue;
    SAY("did not preserve %s: %#llx went in, %#llx came out", names[i], (unsigned long long)probe->in[i],
        (unsigned long long)probe->out[i]);
    return FOUND_REGISTER;
  }
  return FOUND_NOTHING;
}

static void name_flags(int flags, char *text, size_t size) {
  static const struct {
    int flag;
    const char *name;
  } all[] = {{FE_INVALID, "invalid"}, {FE_DIVBYZERO, "division by zero"}, {FE_OVERFLOW, "overflow"},
             {FE_UNDERFLOW, "underflow"}, {FE_INEXACT, "inexact"}};
  size_t used = 0;
  snprintf(text, size, "nothing");
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    if (flags & all[i].flag) used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", all[i].name);
}

static bool packs(const struct test_case *tc) { return tc->op == TSR_OP_PACK_N || tc->op == TSR_OP_PACK_T; }

/* What a conversion raises is the machine's affair. */
static bool converts(const struct test_case *tc) {
  return tc->op == TSR_OP_CONVERT || (packs(tc) && tc->a_type != tc->type);
}

static enum finding check_flags(struct bench *bench, const struct test_case *tc, int flags) {
  char raised[80], expected[80];
  if (converts(tc)) return FOUND_NOTHING;
  if (flags == tc->flags) return FOUND_NOTHING;
  name_flags(flags, raised, sizeof raised);
  name_flags(tc->flags, expected, sizeof expected);
  SAY("raised %s where the loop raises %s", raised, expected);
  return FOUND_FLAG;
}

static enum finding check_input(struct bench *bench, const struct test_case *tc, const struct placed *pl) {
  const char *changed = NULL;
  if (tc->a.bytes > 0 && memcmp(pl->a, tc->a.data, tc->a.bytes) != 0) changed = "A";
  if (tc->b.bytes > 0 && memcmp(pl->b, tc->b.data, tc->b.bytes) != 0) changed = "B";
  if (memcmp(pl->step, &pl->before, sizeof pl->before) != 0) changed = "the step";
  if (!changed) return FOUND_NOTHING;
  SAY("changed %s", changed);
  return FOUND_INPUT;
}

static enum finding check_margins(struct bench *bench, const char *name, const struct arena *arena,
                                  const unsigned char *operand, size_t bytes) {
  int64_t at = margins_check(arena, operand, bytes);
  if (at == 0) return FOUND_NOTHING;
  if (at < 0)
    SAY("wrote %lld bytes before the start of %s", (long long)-at, name);
  else
    SAY("wrote %lld bytes after the end of %s", (long long)at - (long long)bytes, name);
  return FOUND_STRAY;
}

static enum finding check_surroundings(struct bench *bench, const struct test_case *tc, const struct placed *pl) {
  enum finding found = tc->c.bytes > 0 ? check_margins(bench, "C", &bench->c, pl->c, tc->c.bytes) : FOUND_NOTHING;
  if (!found && tc->a.bytes > 0) found = check_margins(bench, "A", &bench->a, pl->a, tc->a.bytes);
  if (!found && tc->b.bytes > 0) found = check_margins(bench, "B", &bench->b, pl->b, tc->b.bytes);
  return found;
}

/* A packing kernel copies, so its bits count even in a NaN. */
static bool same(const struct test_case *tc, uint64_t x, uint64_t y) {
  bool copied = packs(tc) && tc->a_type == tc->type;
  return x == y || (!copied && bits_are_nan(tc->part, x) && bits_are_nan(tc->part, y));
}

static void name_element(const struct test_case *tc, int64_t at, char *text, size_t size) {
  if (packs(tc)) {
    int64_t panel = at / tc->step.dc, in = at % tc->step.dc / tc->size;
    snprintf(text, size, "panel %lld, step %lld, row %lld", (long long)panel, (long long)(in / tc->step.n),
             (long long)(in % tc->step.n));
  } else {
    snprintf(text, size, "element %lld from the start of C (column stride %lld)", (long long)(at / tc->size),
             (long long)(tc->step.csc / tc->size));
  }
}

static enum finding report_difference(struct bench *bench, const struct test_case *tc, int64_t at, uint64_t was,
                                      uint64_t want, bool live) {
  char where[128];
  name_element(tc, at, where, sizeof where);
  SAY("%s is %#llx (%g), %s %#llx (%g)", where, (unsigned long long)was, value_of_bits(tc->part, was),
      live ? "the loop gives" : "a gap that held", (unsigned long long)want, value_of_bits(tc->part, want));
  return live ? FOUND_VALUE : FOUND_STRAY;
}

/* Gaps first: a stray write is worse than a wrong number. */
static enum finding check_result(struct bench *bench, const struct test_case *tc, const struct placed *pl) {
  if (tc->c.bytes == 0 || memcmp(pl->c, tc->expected.data, tc->c.bytes) == 0) return FOUND_NOTHING;
  for (int live = 0; live < 2; live++)
    for (size_t at = 0; at < tc->c.bytes; at += (size_t)bytes_of(tc->part, 1)) {
      uint64_t was = get_bits(pl->c + at, tc->part), want = get_bits(tc->expected.data + at, tc->part);
      if (tc->live.data[at / (size_t)tc->size] != live || (live ? same(tc, was, want) : was == want)) continue;
      return report_difference(bench, tc, (int64_t)at, was, want, live);
    }
  return FOUND_NOTHING;
}

/* Operands an operator does not use point at a forbidden page. */
static struct fault call(struct bench *bench, const struct test_case *tc, const struct placed *pl,
                         struct probe *probe, int *flags) {
  bool uses_b = tc->op == TSR_OP_GEMM || tc->op == TSR_OP_GEMM_AT, uses_a = tc->op != TSR_OP_SCALE;
  tsr_mem nowhere = (tsr_mem)(bench->step.base - GUARD_BYTES / 2);
  feclearexcept(FE_ALL_EXCEPT);
  struct fault fault = guarded_call(tc->kernel->run, pl->step, uses_a ? (tsr_mem)pl->a : nowhere,
                                    uses_b ? (tsr_mem)pl->b : nowhere, (tsr_mem)pl->c, probe);
  *flags = fetestexcept(FE_ALL_EXCEPT);
  return fault;
}

static enum finding check_placed(struct bench *bench, const struct test_case *tc, enum place place) {
  struct placed pl;
  struct probe probe = {.check_upper = bench->has_avx && !bench->plain_c};
  int flags;
  for (int i = 0; i < PROBE_REGISTERS; i++) probe.in[i] = UINT64_C(0xdeadbeef00000000) + (uint64_t)(i + 1) * 0x01010101;
  place_operands(bench, tc, place, &pl);
  struct fault fault = call(bench, tc, &pl, &probe, &flags);
  if (fault.signal) {
    fesetenv(FE_DFL_ENV);
    return report_fault(bench, tc, &pl, fault);
  }
  enum finding found = check_registers(bench, &probe);
  if (found) fesetenv(FE_DFL_ENV);
  if (!found) found = check_input(bench, tc, &pl);
  if (!found) found = check_surroundings(bench, tc, &pl);
  if (!found) found = check_result(bench, tc, &pl);
  if (!found) found = check_flags(bench, tc, flags);
  return found;
}

enum finding check_case(struct bench *bench, const struct test_case *tc) {
  enum finding found = FOUND_NOTHING;
  bench->what[0] = 0;
  for (int place = 0; !found && place < PLACE_COUNT; place++) found = check_placed(bench, tc, (enum place)place);
  return found;
}
