/* What the scalar unit executes itself: arithmetic, branches and hardware loops. */
#include "kernels/accel_sim/sim/state.h"

static int64_t shift_left(int64_t a, int by) { return (int64_t)((uint64_t)a << (by & 63)); }
static int64_t wrap_add(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }
static int64_t wrap_multiply(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }

static bool divide(struct accel_machine *m, struct core *core, bool remainder, int64_t a, int64_t b, int64_t *result) {
  if (b == 0) {
    struct accel_site site = accel_scalar_site(m, core);
    return accel_fail(m, ACCEL_DIVIDE_BY_ZERO, &site, "%lld divided by zero", (long long)a);
  }
  if (b == -1) /* the host traps where the quotient wraps */
    *result = remainder ? 0 : wrap_multiply(a, -1);
  else
    *result = remainder ? a % b : a / b;
  return true;
}

static bool load_constant(struct accel_machine *m, struct core *core, const struct accel_word *word, int64_t *result) {
  const struct accel_program *program = core->command->program;
  *result = word->imm;
  if (word->zero != ACCEL_WIDE) return true;
  if (word->imm >= 0 && word->imm < program->nconstants) {
    *result = program->constants[word->imm];
    return true;
  }
  struct accel_site site = accel_scalar_site(m, core);
  return accel_fail(m, ACCEL_BAD_OPERAND, &site, "constant %d of %d", word->imm, program->nconstants);
}

static bool load_argument(struct accel_machine *m, struct core *core, int i, int64_t *result) {
  const struct command *command = core->command;
  if (i >= 0 && i < command->nargs) {
    *result = (int64_t)command->args[i];
    return true;
  }
  struct accel_site site = accel_scalar_site(m, core);
  return accel_fail(m, ACCEL_BAD_OPERAND, &site, "argument %d of a launch with %d", i, command->nargs);
}

/* A jump out of a loop's body ends the loop; to its end, the round. */
static void jump(struct core *core, int target) {
  while (core->depth && (target < core->loop[core->depth - 1].begin || target > core->loop[core->depth - 1].end))
    core->depth--;
  core->pc = target;
}

static bool enter_loop(struct accel_machine *m, struct core *core, int64_t rounds, int end) {
  struct accel_site site = accel_scalar_site(m, core);
  int begin = core->pc + 1;
  if (end < begin) return accel_fail(m, ACCEL_BAD_OPERAND, &site, "the loop's end lies before it");
  if (rounds <= 0 || end == begin) {
    core->pc = end;
    return true;
  }
  if (core->depth == ACCEL_LOOPS)
    return accel_fail(m, ACCEL_BAD_OPERAND, &site, "loops are nested deeper than %d", ACCEL_LOOPS);
  core->loop[core->depth++] = (struct loop){begin, end, rounds};
  core->pc = begin;
  return true;
}

static bool branches(enum accel_opcode opcode, int64_t a, int64_t b) {
  switch (opcode) {
    case ACCEL_JMP: return true;
    case ACCEL_BEQ: return a == b;
    case ACCEL_BNE: return a != b;
    case ACCEL_BLT: return a < b;
    default: return a >= b; /* bge */
  }
}

static int64_t arithmetic(enum accel_opcode opcode, int64_t a, int64_t b, int32_t i) {
  switch (opcode) {
    case ACCEL_MOV: return a;
    case ACCEL_ADD: return wrap_add(a, b);
    case ACCEL_ADDI: return wrap_add(a, i);
    case ACCEL_SUB: return (int64_t)((uint64_t)a - (uint64_t)b);
    case ACCEL_MUL: return wrap_multiply(a, b);
    case ACCEL_MULI: return wrap_multiply(a, i);
    case ACCEL_AND: return a & b;
    case ACCEL_ANDI: return a & i;
    case ACCEL_OR: return a | b;
    case ACCEL_XOR: return a ^ b;
    case ACCEL_SHLI: return shift_left(a, i);
    case ACCEL_SHRI: return a >> (i & 63);
    case ACCEL_MIN: return a < b ? a : b;
    default: return a > b ? a : b; /* max */
  }
}

bool accel_scalar_instruction(struct accel_machine *m, struct core *core, const struct accel_word *word) {
  enum accel_opcode opcode = (enum accel_opcode)word->opcode;
  int64_t result = 0, a = accel_register(core, word, 1), b = accel_register(core, word, 2);
  switch (opcode) {
    case ACCEL_NOP: core->pc++; return true;
    case ACCEL_JMP: jump(core, word->imm); return true;
    case ACCEL_BEQ: case ACCEL_BNE: case ACCEL_BLT: case ACCEL_BGE:
      jump(core, branches(opcode, accel_register(core, word, 0), a) ? word->imm : core->pc + 1);
      return true;
    case ACCEL_SET_MAP:
      for (int i = 0; i < ACCEL_MAP; i++) core->map[i] = accel_register(core, word, i);
      core->pc++;
      return true;
    case ACCEL_LOOP: return enter_loop(m, core, accel_register(core, word, 0), word->imm);
    case ACCEL_LI: if (!load_constant(m, core, word, &result)) return false; break;
    case ACCEL_ARG: if (!load_argument(m, core, word->imm, &result)) return false; break;
    case ACCEL_CORE: result = accel_core_number(m, core); break;
    case ACCEL_DIV: case ACCEL_REM: if (!divide(m, core, opcode == ACCEL_REM, a, b, &result)) return false; break;
    default: result = arithmetic(opcode, a, b, word->imm);
  }
  core->reg[word->r[0] % ACCEL_REGISTERS] = result;
  core->reg[0] = 0;
  core->pc++;
  return true;
}

/* The next instruction, after the hardware loops that end here; NULL: a fault. */
const struct accel_word *accel_fetch(struct accel_machine *m, struct core *core) {
  while (core->depth && core->pc == core->loop[core->depth - 1].end) {
    struct loop *loop = &core->loop[core->depth - 1];
    if (--loop->left > 0)
      core->pc = loop->begin;
    else
      core->depth--;
  }
  const struct accel_program *program = core->command->program;
  if (core->pc >= 0 && core->pc < program->ncode) {
    const struct accel_word *word = &program->code[core->pc];
    if (word->opcode < ACCEL_OPCODES) return word;
    struct accel_site site = accel_scalar_site(m, core);
    accel_fail(m, ACCEL_BAD_OPERAND, &site, "no instruction has the opcode %d", word->opcode);
    return NULL;
  }
  struct accel_site site = accel_scalar_site(m, core);
  site.index = program->ncode - 1;
  accel_fail(m, ACCEL_RAN_OFF, &site, "the program runs off its end behind this: halt is missing");
  return NULL;
}

