/* The instruction set of the simulated chips: isa.def's list, the 16-byte word, and a program as the assembler leaves
 * it. Semantics: doc/accel-isa.md. */
#ifndef ACCEL_ISA_H
#define ACCEL_ISA_H

#include <stdint.h>

enum accel_pipe {
  ACCEL_S, ACCEL_M, ACCEL_V, ACCEL_MTE1, ACCEL_MTE2, ACCEL_MTE3, ACCEL_FIX, ACCEL_PIPES, ACCEL_ALL = ACCEL_PIPES
};

/* Suffixes: the element type (one of them), then modifiers. An instruction's `suffix` holds those it has. */
enum accel_suffix {
  ACCEL_F16 = 1, ACCEL_BF16 = 2, ACCEL_F32 = 4, ACCEL_S8 = 8, ACCEL_S32 = 16,
  ACCEL_B8 = 32, ACCEL_B16 = 64, ACCEL_B32 = 128,
  ACCEL_T = 256,    /* .t: the source lies transposed */
  ACCEL_INIT = 512, /* .init: from zero, not from what L0C holds */
  ACCEL_RELU = 1024, /* .relu: what is below 0 becomes 0 */
  ACCEL_TYPES = 255 /* those of which an instruction has one, if any */
};
#define ACCEL_SUFFIXES 11

enum accel_opcode {
#define ACCEL_OP(name, mnemonic, pipe, operands, types) ACCEL_##name,
#include "kernels/accel_sim/sim/isa.def"
#undef ACCEL_OP
  ACCEL_OPCODES
};

#define ACCEL_REGISTERS 64 /* scalar, 64 bits each; r0 is always 0 */
#define ACCEL_FLAGS 8      /* of each ordered pair of pipes */
#define ACCEL_ARGS 32      /* 64-bit words a launch hands to its program */
#define ACCEL_LOOPS 8      /* hardware loops may nest so deep */
#define ACCEL_MAP 4        /* words of set.map */

/* One instruction, 16 bytes as stored: little-endian, fields in this order. Register operands fill r[] in the order
 * they are written. A flag number in a register: flag = ACCEL_FLAG_IN_REGISTER and its register in r[0]. */
struct accel_word {
  uint8_t opcode;
  uint8_t r[6];    /* six register numbers */
  uint8_t pipes;   /* set_flag, wait_flag: from | to << 4; pipe_barrier: the pipe */
  uint16_t suffix; /* enum accel_suffix */
  uint8_t flag;
  uint8_t zero;
  int32_t imm;     /* constant; label: index of the instruction. A wider constant is in the constant pool, see `wide` */
};
#define ACCEL_FLAG_IN_REGISTER 0xff
#define ACCEL_WIDE 1 /* in `zero` of li: imm is an index into the program's constants */

/* What is known of an opcode. */
struct accel_op {
  const char *name, *mnemonic, *operands;
  enum accel_pipe pipe;
  unsigned types;
};
extern const struct accel_op accel_ops[ACCEL_OPCODES];
extern const char *const accel_pipe_names[ACCEL_PIPES + 1]; /* "s", "m", "v", "mte1", "mte2", "mte3", "fix", "all" */
extern const char *const accel_suffix_names[ACCEL_SUFFIXES]; /* of bit i: "f16", "bf16", ... without the dot */

struct accel_line {
  int file, line; /* index into `files`; from 1 */
};

/* A program: code, where each instruction was written, and the wide constants. */
struct accel_program {
  char *name;
  struct accel_word *code;
  struct accel_line *lines;
  int64_t *constants;
  char **files;
  int ncode, nconstants, nfiles;
};

/* Assembles the text of `file`. Included files are read from its folder through `read` (NULL: none may be included),
 * which returns text from malloc, or NULL. 0, or -1 with "file:line:column: what was wrong, near 'text'" in error and
 * the program empty. */
typedef char *accel_read(void *user, const char *path);
int accel_assemble(const char *text, const char *file, accel_read *read, void *user, struct accel_program *program,
                   char *error, int error_size);
void accel_program_free(struct accel_program *program);

/* One instruction as it could be written; returns the characters it takes (like snprintf). */
int accel_disassemble(const struct accel_program *program, int index, char *text, int size);
/* A whole program with its labels, which assembles to the same words; free() it. NULL: no memory. */
char *accel_disassemble_program(const struct accel_program *program);

#endif
