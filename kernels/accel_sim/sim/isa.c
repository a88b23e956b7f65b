/* The tables of the instruction set. */
#include "kernels/accel_sim/sim/isa.h"

#include <assert.h>

static_assert(sizeof(struct accel_word) == 16, "an instruction is 16 bytes");

const struct accel_op accel_ops[ACCEL_OPCODES] = {
#define ACCEL_OP(name, mnemonic, pipe, operands, types) \
  [ACCEL_##name] = {#name, mnemonic, operands, ACCEL_##pipe, types},
#include "kernels/accel_sim/sim/isa.def"
#undef ACCEL_OP
};

const char *const accel_pipe_names[ACCEL_PIPES + 1] = {"s", "m", "v", "mte1", "mte2", "mte3", "fix", "all"};

const char *const accel_suffix_names[ACCEL_SUFFIXES] = {"f16", "bf16", "f32", "s8", "s32",
                                                        "b8",  "b16",  "b32", "t",  "init", "relu"};
