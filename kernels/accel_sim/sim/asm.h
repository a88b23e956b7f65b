/* The assembler's parts, which share its state: asm_text.c reads words and reports errors, asm_names.c keeps names,
 * asm_expression.c computes constants, asm_instruction.c encodes, asm.c does the rest. A function that returns bool has
 * reported its error when it returns false. */
#ifndef ACCEL_ASM_H
#define ACCEL_ASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/accel_sim/sim/isa.h"

/* What a program may have at most, so that hostile input ends in an error soon. */
enum {
  ASM_MOST_INSTRUCTIONS = 1 << 20,
  ASM_MOST_NAMES = 1 << 20,
  ASM_MOST_INCLUDES = 1024,
  ASM_MOST_DEPTH = 16,   /* of includes */
  ASM_MOST_NESTING = 64, /* of parentheses */
  ASM_MOST_BYTES = 64 << 20
};

/* A piece of the source text; length 0: none was there. */
struct asm_word {
  const char *text;
  int length;
};

enum asm_kind { ASM_CONSTANT, ASM_REGISTER, ASM_LABEL };

struct asm_name {
  struct asm_word word;
  enum asm_kind kind;
  int scope;      /* labels: the inclusion they are in; others: 0, the whole program */
  int file, line; /* of the definition */
  int64_t value;
};

/* A label that an instruction names, resolved at the end of the file. */
struct asm_use {
  struct asm_word label;
  int index, line, column;
};

/* One inclusion of a file, and where in it the assembler is. */
struct asm_source {
  const struct asm_source *from; /* the file that includes it */
  int depth, scope, file, line;
  const char *start, *at, *end; /* of the line without its comment */
};

struct assembler {
  struct accel_program *program;
  accel_read *read;
  void *user;
  char *error;
  int error_size;
  struct asm_source *source;
  char **texts; /* of included files: names point into them */
  struct asm_name *names;
  int *slots; /* hash table: index of a name + 1 */
  struct asm_use *uses;
  size_t bytes;
  int ntexts, nnames, nslots, nuses;
  int code_room, line_room, constant_room, file_room, text_room, name_room, use_room;
};

/* Reports an error at `at`, a position of the current line, and returns false. */
bool asm_fail(struct assembler *a, const char *at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same for a line that has been left. */
bool asm_fail_at(struct assembler *a, int line, int column, struct asm_word near, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The array with room for one more than `used`; NULL: out of memory, reported, and the array is as it was. */
void *asm_grow(struct assembler *a, void *array, int used, int *room, size_t element);

void asm_skip_blanks(struct assembler *a);
bool asm_at_end(struct assembler *a);
/* Takes `c` if it is next. */
bool asm_take(struct assembler *a, char c);
/* Looks at or takes the letters, digits, _ and . that are next. */
struct asm_word asm_peek_word(struct assembler *a);
struct asm_word asm_take_word(struct assembler *a);
bool asm_same(struct asm_word word, const char *text);
/* Letters, digits and _, not a digit first. */
bool asm_is_name(struct asm_word word);

const struct asm_name *asm_find(const struct assembler *a, struct asm_word word, int scope);
/* Constants and registers may be defined again as what they are. */
bool asm_define(struct assembler *a, struct asm_word word, int scope, enum asm_kind kind, int64_t value);
/* " (did you mean 'x'?)" in text if some name of the kind and scope resembles the word, else "". */
void asm_suggest_name(const struct assembler *a, struct asm_word word, enum asm_kind kind, int scope, char text[80]);
void asm_suggest_mnemonic(struct asm_word word, char text[80]);

bool asm_expression(struct assembler *a, int64_t *value);
/* r0 .. r63 or a name for one. */
bool asm_register(struct assembler *a, uint8_t *number);
/* Whether the word looks like r0, r1, ...: not to be redefined. */
bool asm_is_register(struct asm_word word);

bool asm_instruction(struct assembler *a);
/* Fills in the labels used since `first`. */
bool asm_resolve(struct assembler *a, int first);

#endif
