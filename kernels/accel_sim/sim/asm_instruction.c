/* One instruction: mnemonic, suffixes, operands. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernels/accel_sim/sim/asm.h"

/* The opcode with the longest mnemonic that the word begins with, up to its end or a dot. */
static int find_opcode(struct asm_word word) {
  int found = -1, longest = 0;
  for (int i = 0; i < ACCEL_OPCODES; i++) {
    int length = (int)strlen(accel_ops[i].mnemonic);
    if (length <= longest || length > word.length || strncmp(word.text, accel_ops[i].mnemonic, (size_t)length) != 0)
      continue;
    if (length == word.length || word.text[length] == '.') found = i, longest = length;
  }
  return found;
}

static void list_suffixes(unsigned suffixes, char *text, size_t size) {
  size_t used = 0;
  text[0] = 0;
  for (int i = 0; i < ACCEL_SUFFIXES; i++)
    if (suffixes >> i & 1 && used < size)
      used += (size_t)snprintf(text + used, size - used, " .%s", accel_suffix_names[i]);
}

static bool bad_suffix(struct assembler *a, const struct accel_op *op, const char *at) {
  char types[80], modifiers[80];
  list_suffixes(op->types & ACCEL_TYPES, types, sizeof types);
  list_suffixes(op->types & ~(unsigned)ACCEL_TYPES, modifiers, sizeof modifiers);
  if (!op->types) return asm_fail(a, at, "%s takes no suffix", op->mnemonic);
  return asm_fail(a, at, "%s takes one type of%s%s%s%s", op->mnemonic, types, modifiers[0] ? ", then" : "", modifiers,
                  modifiers[0] ? " if wanted" : "");
}

static unsigned suffix_bit(struct asm_word word) {
  for (int i = 0; i < ACCEL_SUFFIXES; i++)
    if (asm_same(word, accel_suffix_names[i])) return 1u << i;
  return 0;
}

/* What follows the mnemonic in the word: ".type" and modifiers, each at most once and in this order. */
static bool suffixes(struct assembler *a, const struct accel_op *op, const char *mnemonic, struct asm_word rest,
                     uint16_t *suffix) {
  unsigned all = 0;
  const char *start = rest.text, *end = rest.text + rest.length;
  while (start < end) {
    const char *dot = memchr(start + 1, '.', (size_t)(end - start - 1));
    if (!dot) dot = end;
    unsigned bit = suffix_bit((struct asm_word){start + 1, (int)(dot - start - 1)});
    bool in_order = bit & ACCEL_TYPES ? !all : all && !(all & bit);
    if (!(bit & op->types) || !in_order) return bad_suffix(a, op, start);
    all |= bit;
    start = dot;
  }
  if (op->types && !all) return bad_suffix(a, op, mnemonic);
  *suffix = (uint16_t)all;
  return true;
}

bool asm_is_register(struct asm_word word) {
  int digits = 0;
  if (word.length < 2 || word.text[0] != 'r') return false;
  while (digits < word.length - 1 && isdigit((unsigned char)word.text[digits + 1])) digits++;
  return digits == word.length - 1;
}

static bool register_of(struct assembler *a, struct asm_word word, uint8_t *number) {
  int n = 0;
  for (int i = 1; i < word.length && n < ACCEL_REGISTERS; i++) n = n * 10 + (word.text[i] - '0');
  if (n >= ACCEL_REGISTERS) return asm_fail(a, word.text, "no such register: r0 .. r%d", ACCEL_REGISTERS - 1);
  *number = (uint8_t)n;
  return true;
}

bool asm_register(struct assembler *a, uint8_t *number) {
  char hint[80];
  struct asm_word word = asm_take_word(a);
  if (asm_is_register(word)) return register_of(a, word, number);
  const struct asm_name *name = word.length ? asm_find(a, word, 0) : NULL;
  if (name && name->kind == ASM_REGISTER) {
    *number = (uint8_t)name->value;
    return true;
  }
  asm_suggest_name(a, word, ASM_REGISTER, 0, hint);
  return asm_fail(a, word.text, "a register expected: r0 .. r%d or a .reg name%s", ACCEL_REGISTERS - 1, hint);
}

static bool pipe_operand(struct assembler *a, bool all, uint8_t *pipe) {
  struct asm_word word = asm_take_word(a);
  for (uint8_t p = 0; p < ACCEL_PIPES + all; p++)
    if (asm_same(word, accel_pipe_names[p])) {
      *pipe = p;
      return true;
    }
  return asm_fail(a, word.text, "a pipe expected: s, m, v, mte1, mte2, mte3, fix%s", all ? " or all" : "");
}

/* A number 0 .. 7, or a register that will hold it. */
static bool flag_operand(struct assembler *a, struct accel_word *word) {
  struct asm_word text = asm_peek_word(a);
  const struct asm_name *name = text.length ? asm_find(a, text, 0) : NULL;
  if (asm_is_register(text) || (name && name->kind == ASM_REGISTER)) {
    word->flag = ACCEL_FLAG_IN_REGISTER;
    return asm_register(a, &word->r[0]);
  }
  int64_t value = 0;
  if (!asm_expression(a, &value)) return false;
  if (value < 0 || value >= ACCEL_FLAGS)
    return asm_fail(a, text.text, "flag %" PRId64 ": 0 .. %d or a register", value, ACCEL_FLAGS - 1);
  word->flag = (uint8_t)value;
  return true;
}

static bool wide(struct assembler *a, int64_t value, struct accel_word *word) {
  struct accel_program *p = a->program;
  int64_t *grown = asm_grow(a, p->constants, p->nconstants, &a->constant_room, sizeof *grown);
  if (!grown) return false;
  p->constants = grown;
  word->imm = p->nconstants;
  word->zero = ACCEL_WIDE;
  p->constants[p->nconstants++] = value;
  return true;
}

/* The constants an opcode takes. */
static void range_of(int opcode, int64_t *low, int64_t *high) {
  *low = INT32_MIN, *high = INT32_MAX;
  if (opcode == ACCEL_SHLI || opcode == ACCEL_SHRI) *low = 0, *high = 63;
  if (opcode == ACCEL_ARG) *low = 0, *high = ACCEL_ARGS - 1;
}

static bool constant_operand(struct assembler *a, struct accel_word *word) {
  int64_t value = 0, low, high;
  asm_skip_blanks(a);
  const char *at = a->source->at;
  if (!asm_expression(a, &value)) return false;
  range_of(word->opcode, &low, &high);
  if (value < low || value > high) {
    if (word->opcode == ACCEL_LI) return wide(a, value, word);
    return asm_fail(a, at, "constant %" PRId64 " is out of range: %" PRId64 " .. %" PRId64, value, low, high);
  }
  word->imm = (int32_t)value;
  return true;
}

static bool label_operand(struct assembler *a) {
  struct asm_source *s = a->source;
  struct asm_word label = asm_take_word(a);
  if (!asm_is_name(label)) return asm_fail(a, label.text, "a label expected");
  struct asm_use *grown = asm_grow(a, a->uses, a->nuses, &a->use_room, sizeof *grown);
  if (!grown) return false;
  a->uses = grown;
  a->uses[a->nuses++] = (struct asm_use){label, a->program->ncode, s->line, (int)(label.text - s->start) + 1};
  return true;
}

static bool operand(struct assembler *a, char letter, int *registers, int *pipes, struct accel_word *word) {
  const char *letters = accel_ops[word->opcode].operands;
  uint8_t pipe = 0;
  switch (letter) {
    case 'i': return constant_operand(a, word);
    case 'l': return label_operand(a);
    case 'f': return flag_operand(a, word);
    case 'p':
      if (!pipe_operand(a, letters[1] == 0, &pipe)) return false;
      word->pipes |= (uint8_t)(pipe << 4 * (*pipes)++);
      return true;
    default: return asm_register(a, &word->r[(*registers)++]);
  }
}

static const char *operand_name(char letter) {
  switch (letter) {
    case 'i': return "constant";
    case 'l': return "label";
    case 'f': return "flag";
    case 'p': return "pipe";
    default: return "register";
  }
}

static bool bad_count(struct assembler *a, const struct accel_op *op) {
  char list[80] = "";
  size_t used = 0;
  int n = (int)strlen(op->operands);
  for (int i = 0; i < n; i++)
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : ": ", operand_name(op->operands[i]));
  if (!n) return asm_fail(a, a->source->at, "%s takes no operands", op->mnemonic);
  return asm_fail(a, a->source->at, "%s takes %d operand%s%s", op->mnemonic, n, n == 1 ? "" : "s", list);
}

static bool operands(struct assembler *a, struct accel_word *word) {
  const struct accel_op *op = &accel_ops[word->opcode];
  int registers = 0, pipes = 0;
  for (int i = 0; op->operands[i]; i++) {
    if (asm_at_end(a)) return bad_count(a, op);
    if (i && !asm_take(a, ',')) return asm_fail(a, a->source->at, "',' expected");
    if (asm_at_end(a)) return bad_count(a, op);
    if (!operand(a, op->operands[i], &registers, &pipes, word)) return false;
  }
  if (asm_at_end(a)) return true;
  bool more = *a->source->at == ',' || !op->operands[0];
  return more ? bad_count(a, op) : asm_fail(a, a->source->at, "the end of the line expected");
}

/* Room for an instruction and its line. */
static bool room(struct assembler *a, const char *at) {
  struct accel_program *p = a->program;
  if (p->ncode == ASM_MOST_INSTRUCTIONS)
    return asm_fail(a, at, "more than %d instructions", ASM_MOST_INSTRUCTIONS);
  struct accel_word *code = asm_grow(a, p->code, p->ncode, &a->code_room, sizeof *code);
  if (!code) return false;
  p->code = code;
  struct accel_line *lines = asm_grow(a, p->lines, p->ncode, &a->line_room, sizeof *lines);
  if (!lines) return false;
  p->lines = lines;
  return true;
}

bool asm_instruction(struct assembler *a) {
  char hint[80];
  struct accel_program *p = a->program;
  struct accel_word word = {0};
  struct asm_word text = asm_take_word(a);
  if (!text.length) return asm_fail(a, text.text, "an instruction, a directive or a label expected");
  int opcode = find_opcode(text);
  if (opcode < 0) {
    asm_suggest_mnemonic(text, hint);
    return asm_fail(a, text.text, "unknown mnemonic%s", hint);
  }
  word.opcode = (uint8_t)opcode;
  int length = (int)strlen(accel_ops[opcode].mnemonic);
  struct asm_word rest = {text.text + length, text.length - length};
  if (!room(a, text.text) || !suffixes(a, &accel_ops[opcode], text.text, rest, &word.suffix) || !operands(a, &word))
    return false;
  p->lines[p->ncode] = (struct accel_line){a->source->file, a->source->line};
  p->code[p->ncode++] = word;
  return true;
}

static bool resolve(struct assembler *a, const struct asm_use *use) {
  char hint[80];
  struct accel_word *word = &a->program->code[use->index];
  const struct asm_name *name = asm_find(a, use->label, a->source->scope);
  if (!name) {
    asm_suggest_name(a, use->label, ASM_LABEL, a->source->scope, hint);
    return asm_fail_at(a, use->line, use->column, use->label, "unknown label in this file%s", hint);
  }
  if (word->opcode == ACCEL_LOOP && name->value <= use->index)
    return asm_fail_at(a, use->line, use->column, use->label, "a loop ends at a label behind it");
  word->imm = (int32_t)name->value;
  return true;
}

bool asm_resolve(struct assembler *a, int first) {
  for (int i = first; i < a->nuses; i++)
    if (!resolve(a, &a->uses[i])) return false;
  a->nuses = first;
  return true;
}
