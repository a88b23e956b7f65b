/* Programs as text again. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels/accel_sim/sim/isa.h"

struct output {
  char *text;
  int size, used;
};

/* Counts what does not fit, like snprintf. */
static void put(struct output *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct output *to, const char *format, ...) {
  bool full = to->used >= to->size;
  va_list args;
  va_start(args, format);
  to->used += vsnprintf(full ? NULL : to->text + to->used, full ? 0 : (size_t)(to->size - to->used), format, args);
  va_end(args);
}

static void put_constant(struct output *to, const struct accel_program *program, const struct accel_word *word) {
  bool wide = word->opcode == ACCEL_LI && word->zero == ACCEL_WIDE && word->imm >= 0 && word->imm < program->nconstants;
  if (wide) put(to, "0x%" PRIx64, (uint64_t)program->constants[word->imm]);
  else put(to, "%" PRId32, word->imm);
}

static void put_pipe(struct output *to, int pipe) { put(to, "%s", pipe <= ACCEL_ALL ? accel_pipe_names[pipe] : "?"); }

static void put_operand(struct output *to, const struct accel_program *program, const struct accel_word *word,
                        char letter, int *registers, int *pipes) {
  switch (letter) {
    case 'i': put_constant(to, program, word); break;
    case 'l': put(to, "L%" PRId32, word->imm); break;
    case 'p': put_pipe(to, word->pipes >> 4 * (*pipes)++ & 15); break;
    case 'f':
      if (word->flag == ACCEL_FLAG_IN_REGISTER) put(to, "r%d", word->r[0]);
      else put(to, "%d", word->flag);
      break;
    default: put(to, "r%d", word->r[(*registers)++]);
  }
}

int accel_disassemble(const struct accel_program *program, int index, char *text, int size) {
  struct output to = {text, size, 0};
  int registers = 0, pipes = 0;
  if (size > 0) text[0] = 0;
  if (index < 0 || index >= program->ncode) return 0;
  const struct accel_word *word = &program->code[index];
  if (word->opcode >= ACCEL_OPCODES) {
    put(&to, "; no instruction has opcode %d", word->opcode);
    return to.used;
  }
  const struct accel_op *op = &accel_ops[word->opcode];
  put(&to, "%s", op->mnemonic);
  for (int i = 0; i < ACCEL_SUFFIXES; i++)
    if (word->suffix >> i & 1) put(&to, ".%s", accel_suffix_names[i]);
  for (int i = 0; op->operands[i]; i++) {
    put(&to, "%s", i ? ", " : " ");
    put_operand(&to, program, word, op->operands[i], &registers, &pipes);
  }
  return to.used;
}

static bool has_label(const struct accel_word *word) {
  const char *c = word->opcode < ACCEL_OPCODES ? accel_ops[word->opcode].operands : "";
  while (*c && *c != 'l') c++;
  return *c == 'l';
}

/* Which instructions labels point at, with room for the label at the end; NULL: no memory. */
static bool *targets(const struct accel_program *program) {
  bool *is_target = calloc((size_t)program->ncode + 1, sizeof *is_target);
  if (!is_target) return NULL;
  for (int i = 0; i < program->ncode; i++) {
    const struct accel_word *word = &program->code[i];
    if (has_label(word) && word->imm >= 0 && word->imm <= program->ncode) is_target[word->imm] = true;
  }
  return is_target;
}

char *accel_disassemble_program(const struct accel_program *program) {
  char *text = NULL, line[160];
  size_t size;
  bool *is_target = targets(program);
  FILE *to = is_target ? open_memstream(&text, &size) : NULL;
  if (to) {
    if (program->name) fprintf(to, ".program %s\n", program->name);
    for (int i = 0; i <= program->ncode; i++) {
      if (is_target[i]) fprintf(to, "L%d:\n", i);
      if (i == program->ncode) break;
      accel_disassemble(program, i, line, sizeof line);
      fprintf(to, "  %s\n", line);
    }
    if (fclose(to) != 0) {
      free(text);
      text = NULL;
    }
  }
  free(is_target);
  return text;
}
