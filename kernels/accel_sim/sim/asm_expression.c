/* Constants: 64-bit integers with C's operators and precedence; overflow is an error. */
#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/accel_sim/sim/asm.h"

/* Hexadecimal gives all 64 bits, decimal up to the largest positive value. */
static bool number(struct assembler *a, struct asm_word word, int64_t *value) {
  char digits[32], *end;
  if (word.length >= (int)sizeof digits) return asm_fail(a, word.text, "a number with too many digits");
  memcpy(digits, word.text, (size_t)word.length);
  digits[word.length] = 0;
  bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
  errno = 0;
  unsigned long long bits = strtoull(digits, &end, hex ? 16 : 10);
  if (*end || end == digits) return asm_fail(a, word.text, "not a number: decimal, 0x... or f32(...) expected");
  if (errno || (!hex && bits > INT64_MAX)) return asm_fail(a, word.text, "a number beyond 64 bits");
  *value = (int64_t)bits;
  return true;
}

/* f32(1.5): the bits of the nearest f32. The decimal point is a point in any locale. */
static bool float_bits(struct assembler *a, int64_t *value) {
  const char *start = a->source->at, *close = memchr(start, ')', (size_t)(a->source->end - start));
  char digits[64], *end;
  if (!close || close - start >= (int)sizeof digits)
    return asm_fail(a, start, "f32( ends with a number and ')' expected");
  memcpy(digits, start, (size_t)(close - start));
  digits[close - start] = 0;
  locale_t plain = newlocale(LC_ALL_MASK, "C", NULL);
  if (!plain) return asm_fail(a, start, "out of memory");
  float x = strtof_l(digits, &end, plain);
  freelocale(plain);
  while (*end == ' ') end++;
  if (*end || end == digits) return asm_fail(a, start, "not a floating-point number");
  if (isinf(x) && !strpbrk(digits, "iI")) return asm_fail(a, start, "a number beyond f32");
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  *value = bits;
  a->source->at = close + 1;
  return true;
}

static bool named(struct assembler *a, struct asm_word word, int64_t *value) {
  char hint[80];
  const struct asm_name *name = asm_find(a, word, 0);
  if (asm_is_register(word) || (name && name->kind == ASM_REGISTER))
    return asm_fail(a, word.text, "a constant expected, not a register");
  if (!name) {
    asm_suggest_name(a, word, ASM_CONSTANT, 0, hint);
    return asm_fail(a, word.text, "unknown constant%s", hint);
  }
  *value = name->value;
  return true;
}

static bool binary(struct assembler *a, int level, int depth, int64_t *value);

static bool primary(struct assembler *a, int depth, int64_t *value) {
  const char *at = a->source->at;
  if (asm_take(a, '(')) {
    if (depth == ASM_MOST_NESTING) return asm_fail(a, at, "more than %d parentheses deep", ASM_MOST_NESTING);
    if (!binary(a, 0, depth + 1, value)) return false;
    return asm_take(a, ')') || asm_fail(a, a->source->at, "')' expected");
  }
  struct asm_word word = asm_take_word(a);
  if (!word.length) return asm_fail(a, word.text, "a constant expected: a number, a .const name or '('");
  if (isdigit((unsigned char)word.text[0])) return number(a, word, value);
  if (asm_same(word, "f32") && asm_take(a, '(')) return float_bits(a, value);
  return named(a, word, value);
}

static bool unary(struct assembler *a, int depth, int64_t *value) {
  bool negative = false;
  asm_skip_blanks(a);
  const char *at = a->source->at;
  for (;;) {
    if (asm_take(a, '-')) negative = !negative;
    else if (!asm_take(a, '+')) break;
  }
  if (!primary(a, depth, value)) return false;
  if (negative && __builtin_sub_overflow(0, *value, value)) return asm_fail(a, at, "the value is beyond 64 bits");
  return true;
}

static bool shift(struct assembler *a, const char *at, char op, int64_t x, int64_t y, int64_t *value) {
  if (y < 0 || y > 63) return asm_fail(a, at, "a shift by %lld: 0 .. 63 is possible", (long long)y);
  *value = op == '<' ? (int64_t)((uint64_t)x << y) : x >> y;
  return true;
}

static bool divide(struct assembler *a, const char *at, char op, int64_t x, int64_t y, int64_t *value) {
  if (y == 0) return asm_fail(a, at, "division by zero");
  if (x == INT64_MIN && y == -1) return asm_fail(a, at, "the value is beyond 64 bits");
  *value = op == '/' ? x / y : x % y;
  return true;
}

static bool apply(struct assembler *a, const char *at, char op, int64_t x, int64_t y, int64_t *value) {
  bool beyond = false;
  switch (op) {
    case '|': *value = x | y; break;
    case '&': *value = x & y; break;
    case '+': beyond = __builtin_add_overflow(x, y, value); break;
    case '-': beyond = __builtin_sub_overflow(x, y, value); break;
    case '*': beyond = __builtin_mul_overflow(x, y, value); break;
    case '/':
    case '%': return divide(a, at, op, x, y, value);
    default: return shift(a, at, op, x, y, value);
  }
  return beyond ? asm_fail(a, at, "the value is beyond 64 bits") : true;
}

/* Operators from the weakest level to the strongest; < and > stand for << and >>. */
static const char *const levels[] = {"|", "&", "<>", "+-", "*/%"};
enum { LEVELS = sizeof levels / sizeof levels[0] };

static char take_operator(struct assembler *a, int level) {
  if (asm_at_end(a) || !strchr(levels[level], *a->source->at)) return 0;
  struct asm_source *s = a->source;
  char op = *s->at;
  if (op == '<' || op == '>') {
    if (s->at + 1 == s->end || s->at[1] != op) return 0;
    s->at++;
  }
  s->at++;
  return op;
}

static bool binary(struct assembler *a, int level, int depth, int64_t *value) {
  if (level == LEVELS) return unary(a, depth, value);
  if (!binary(a, level + 1, depth, value)) return false;
  for (;;) {
    int64_t right = 0;
    asm_skip_blanks(a);
    const char *at = a->source->at;
    char op = take_operator(a, level);
    if (!op) return true;
    if (!binary(a, level + 1, depth, &right) || !apply(a, at, op, *value, right, value)) return false;
  }
}

bool asm_expression(struct assembler *a, int64_t *value) { return binary(a, 0, 0, value); }
