/* The assembler and the disassembler of the simulated chips. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/accel_sim/sim/isa.h"

enum { ERROR = 600 };

/* Files that can be included, by path; text NULL ends the list. */
struct file {
  const char *path, *text;
};

static char *read_file(void *user, const char *path) {
  for (const struct file *f = user; f->text; f++)
    if (strcmp(f->path, path) == 0) return strdup(f->text);
  return NULL;
}

static int assemble(const char *text, const struct file *files, struct accel_program *program, char error[ERROR]) {
  error[0] = 0;
  return accel_assemble(text, "dir/main.s", files ? read_file : NULL, (void *)files, program, error, ERROR);
}

static void assert_assembles(const char *text, const struct file *files, struct accel_program *program) {
  char error[ERROR];
  if (assemble(text, files, program, error) != 0) fail_msg("%s", error);
}

static void assert_refused_with(const char *text, const struct file *files, const char *expected) {
  struct accel_program program;
  char error[ERROR];
  assert_int_equal(assemble(text, files, &program, error), -1);
  assert_string_equal(error, expected);
  assert_null(program.code);
  accel_program_free(&program);
}

static void assert_same_program(const struct accel_program *x, const struct accel_program *y) {
  assert_int_equal(x->ncode, y->ncode);
  assert_int_equal(x->nconstants, y->nconstants);
  if (x->ncode) assert_memory_equal(x->code, y->code, (size_t)x->ncode * sizeof *x->code);
  if (x->nconstants) assert_memory_equal(x->constants, y->constants, (size_t)x->nconstants * sizeof *x->constants);
}

static void assert_round_trip(const struct accel_program *program) {
  struct accel_program again;
  char *text = accel_disassemble_program(program);
  assert_non_null(text);
  assert_assembles(text, NULL, &again);
  assert_same_program(program, &again);
  assert_string_equal(program->name, again.name);
  accel_program_free(&again);
  free(text);
}

static char *repeated(const char *part, size_t times) {
  size_t length = strlen(part);
  char *text = malloc(length * times + 1);
  for (size_t i = 0; i < times; i++) memcpy(text + i * length, part, length);
  text[length * times] = 0;
  return text;
}

static uint64_t state_of_random;

static uint64_t random64(void) {
  state_of_random += 0x9e3779b97f4a7c15u;
  uint64_t z = state_of_random;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static int below(int n) { return (int)(random64() % (uint64_t)n); }

/* Every suffix an opcode may be written with, by number; 0xffff past the last. */
static unsigned legal_suffix(const struct accel_op *op, int number) {
  for (unsigned suffix = 0; suffix < 1u << ACCEL_SUFFIXES; suffix++) {
    unsigned types = suffix & ACCEL_TYPES;
    bool one_type = types && !(types & (types - 1)), legal = op->types ? one_type : !suffix;
    if (legal && !(suffix & ~op->types) && number-- == 0) return suffix;
  }
  return 0xffff;
}

static void random_flag(struct accel_word *word) {
  if (random64() & 1) word->flag = (uint8_t)below(ACCEL_FLAGS);
  else word->flag = ACCEL_FLAG_IN_REGISTER, word->r[0] = (uint8_t)below(ACCEL_REGISTERS);
}

static void random_constant(struct accel_program *p, struct accel_word *word) {
  word->imm = (int32_t)random64();
  if (word->opcode == ACCEL_SHLI || word->opcode == ACCEL_SHRI) word->imm = below(64);
  if (word->opcode == ACCEL_ARG) word->imm = below(ACCEL_ARGS);
  if (word->opcode != ACCEL_LI || random64() & 1) return;
  word->zero = ACCEL_WIDE, word->imm = p->nconstants;
  p->constants[p->nconstants++] = (int64_t)(random64() | (uint64_t)1 << 40);
}

static void random_word(struct accel_program *p, int opcode, unsigned suffix, int ncode) {
  struct accel_word word = {.opcode = (uint8_t)opcode, .suffix = (uint16_t)suffix};
  const char *operands = accel_ops[opcode].operands;
  int registers = 0, pipes = 0, all = operands[0] == 'p' && !operands[1];
  for (const char *c = operands; *c; c++) {
    if (*c == 'd' || *c == 's') word.r[registers++] = (uint8_t)below(ACCEL_REGISTERS);
    if (*c == 'p') word.pipes |= (uint8_t)(below(ACCEL_PIPES + all) << 4 * pipes++);
    if (*c == 'f') random_flag(&word);
    if (*c == 'i') random_constant(p, &word);
    if (*c == 'l') word.imm = opcode == ACCEL_LOOP ? p->ncode + 1 + below(ncode - p->ncode) : below(ncode + 1);
  }
  p->code[p->ncode++] = word;
}

static void every_instruction_round_trips(void **state) {
  (void)state;
  enum { ROUNDS = 30, MOST = 200 * ROUNDS };
  struct accel_program p = {.name = "all", .code = malloc(MOST * sizeof *p.code),
                            .constants = malloc(MOST * sizeof *p.constants)};
  int ncode = 0;
  for (int op = 0; op < ACCEL_OPCODES; op++)
    for (int i = 0; legal_suffix(&accel_ops[op], i) != 0xffff; i++) ncode += ROUNDS;
  assert_in_range(ncode, 100 * ROUNDS, MOST);
  for (int round = 0; round < ROUNDS; round++)
    for (int op = 0; op < ACCEL_OPCODES; op++)
      for (int i = 0; legal_suffix(&accel_ops[op], i) != 0xffff; i++)
        random_word(&p, op, legal_suffix(&accel_ops[op], i), ncode);
  assert_int_equal(p.ncode, ncode);
  assert_round_trip(&p);
  free(p.code);
  free(p.constants);
}

static void pipes_and_suffixes_have_their_names(void **state) {
  (void)state;
  assert_string_equal(accel_pipe_names[ACCEL_MTE2], "mte2");
  assert_string_equal(accel_pipe_names[ACCEL_ALL], "all");
  for (int i = 0; i < ACCEL_SUFFIXES; i++) assert_non_null(accel_suffix_names[i]);
  assert_string_equal(accel_ops[ACCEL_MAD].mnemonic, "mad");
  assert_string_equal(accel_ops[ACCEL_MAD].name, "MAD");
  assert_int_equal(accel_ops[ACCEL_MAD].pipe, ACCEL_M);
  assert_int_equal(accel_ops[ACCEL_ST_UB_L1].pipe, ACCEL_MTE3);
}

static const char whole[] =
    "; A program with all there is.\n"
    ".program gemm_f16 # its name\n"
    ".const TILE = 4 * (1 << 5)   // 128\n"
    ".const HALF = TILE / 2 - 0x10 % 3\n"
    ".reg count = r7\n"
    ".reg bits = r63\n"
    ".include \"inc/load.s\"\n"
    "\n"
    "start: li count, TILE | 1\n"
    "\tli r2, 0x1234567890abcdef\r\n"
    "  li bits, f32(-1.5)\n"
    "  loop count, done ; a loop\n"
    "    mad.f16.init r1, r2, r3, r4, r5, r6\n"
    "    load2d.l0b.b16.t r10,r11,r12,r13,r14\n"
    "    set_flag mte2, fix, 3\n"
    "    wait_flag m, s, count\n"
    "done: also: pipe_barrier all\n"
    "  v.fmas.f32 r1, r2, bits, r4\n"
    "  beq r1, r0, start\n"
    "  jmp end\n"
    "  addi r1, r1, -HALF\n"
    "  halt\n"
    "end:";

static const struct file whole_files[] = {
    {"dir/inc/load.s", "start: ld.gm.l1.b16 r1, r2, r3, r4, r5, count\n.include \"more.s\"\n jmp start"},
    {"dir/inc/more.s", "arg r9, TILE / 32\n"},
    {NULL, NULL}};

static void a_whole_program(void **state) {
  (void)state;
  static const struct accel_word expected[] = {
      {.opcode = ACCEL_LD_GM_L1, .r = {1, 2, 3, 4, 5, 7}, .suffix = ACCEL_B16},
      {.opcode = ACCEL_ARG, .r = {9}, .imm = 4},
      {.opcode = ACCEL_JMP, .imm = 0},
      {.opcode = ACCEL_LI, .r = {7}, .imm = 129},
      {.opcode = ACCEL_LI, .r = {2}, .zero = ACCEL_WIDE, .imm = 0},
      {.opcode = ACCEL_LI, .r = {63}, .zero = ACCEL_WIDE, .imm = 1},
      {.opcode = ACCEL_LOOP, .r = {7}, .imm = 11},
      {.opcode = ACCEL_MAD, .r = {1, 2, 3, 4, 5, 6}, .suffix = ACCEL_F16 | ACCEL_INIT},
      {.opcode = ACCEL_LOAD2D_L0B, .r = {10, 11, 12, 13, 14}, .suffix = ACCEL_B16 | ACCEL_T},
      {.opcode = ACCEL_SET_FLAG, .pipes = ACCEL_MTE2 | ACCEL_FIX << 4, .flag = 3},
      {.opcode = ACCEL_WAIT_FLAG, .pipes = ACCEL_M | ACCEL_S << 4, .flag = ACCEL_FLAG_IN_REGISTER, .r = {7}},
      {.opcode = ACCEL_PIPE_BARRIER, .pipes = ACCEL_ALL},
      {.opcode = ACCEL_V_FMAS, .r = {1, 2, 63, 4}, .suffix = ACCEL_F32},
      {.opcode = ACCEL_BEQ, .r = {1, 0}, .imm = 3},
      {.opcode = ACCEL_JMP, .imm = 17},
      {.opcode = ACCEL_ADDI, .r = {1, 1}, .imm = -63},
      {.opcode = ACCEL_HALT}};
  static const int lines[] = {1, 1, 3, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22};
  enum { N = sizeof expected / sizeof expected[0] };
  struct accel_program p;
  assert_assembles(whole, whole_files, &p);
  assert_string_equal(p.name, "gemm_f16");
  assert_int_equal(p.ncode, N);
  for (int i = 0; i < N; i++) {
    assert_memory_equal(&p.code[i], &expected[i], sizeof expected[i]);
    assert_int_equal(p.lines[i].line, lines[i]);
    assert_string_equal(p.files[p.lines[i].file],
                        i > 2 ? "dir/main.s" : i == 1 ? "dir/inc/more.s" : "dir/inc/load.s");
  }
  assert_int_equal(p.nconstants, 2);
  assert_int_equal(p.constants[0], 0x1234567890abcdef);
  assert_int_equal(p.constants[1], 0xbfc00000);
  assert_round_trip(&p);
  accel_program_free(&p);
  assert_null(p.code);
  accel_program_free(&p);
}

static void a_program_without_a_name_takes_its_files(void **state) {
  (void)state;
  static const char *const names[][2] = {
      {"a/b.c/gemm-f16.s", "gemm_f16"}, {"x", "x"}, {"3.s", "_"}, {"a/", "program"}, {"", "program"}};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    struct accel_program p;
    char error[ERROR];
    assert_int_equal(accel_assemble("", names[i][0], NULL, NULL, &p, error, sizeof error), 0);
    assert_string_equal(p.name, names[i][1]);
    assert_int_equal(p.ncode, 0);
    assert_round_trip(&p);
    accel_program_free(&p);
  }
}

static void constants(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t value;
  } table[] = {{"1 + 2 * 3", 7},
               {"(1 + 2) * 3", 9},
               {"7 - 2 - 1", 4},
               {"-7 / 2", -3},
               {"-7 % 3", -1},
               {"--5", 5},
               {"- +5", -5},
               {"1 << 4 + 1", 32},
               {"-16 >> 2", -4},
               {"1 | 6 & 4", 5},
               {"0xffffffffffffffff", -1},
               {"0X1F", 31},
               {"1 << 63", INT64_MIN},
               {"9223372036854775807", INT64_MAX},
               {"-9223372036854775807 - 1", INT64_MIN},
               {"f32(1.5)", 0x3fc00000},
               {"f32( -0.0 ) >> 28", 8},
               {"f32(0x1p-126)", 0x00800000},
               {"f32(inf)", 0x7f800000},
               {"f32(1e-60)", 0},
               {"TWO * TWO", 4}};
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    struct accel_program p;
    char text[160];
    snprintf(text, sizeof text, ".const TWO = 2\nli r1, %s", table[i].text);
    assert_assembles(text, NULL, &p);
    assert_int_equal(p.code[0].zero ? p.constants[p.code[0].imm] : p.code[0].imm, table[i].value);
    accel_program_free(&p);
  }
}

static void only_constants_that_do_not_fit_are_pooled(void **state) {
  (void)state;
  struct accel_program p;
  assert_assembles("li r1, 0x7fffffff\nli r1, -0x80000000\nli r1, 0x80000000\nli r1, -0x80000001", NULL, &p);
  assert_int_equal(p.nconstants, 2);
  for (int i = 0; i < 4; i++) assert_int_equal(p.code[i].zero, i < 2 ? 0 : ACCEL_WIDE);
  assert_int_equal(p.constants[0], 0x80000000);
  assert_int_equal(p.constants[1], -0x80000001ll);
  accel_program_free(&p);
}

/* {program, error after "dir/main.s:"} */
static const char *const errors[][2] = {
    {"ad r1, r2", "1:1: unknown mnemonic (did you mean 'add'?), near 'ad'"},
    {"\n\n\t mda.f16 r1", "3:3: unknown mnemonic (did you mean 'mad'?), near 'mda.f16'"},
    {"frobnicate", "1:1: unknown mnemonic, near 'frobnicate'"},
    {"ld.gm", "1:1: unknown mnemonic (did you mean 'ld.gm.l1'?), near 'ld.gm'"},
    {"@", "1:1: an instruction, a directive or a label expected, near '@'"},
    {"mad.f64 r1", "1:4: mad takes one type of .f16 .bf16 .f32 .s8, then .init if wanted, near '.f64'"},
    {"mad r1", "1:1: mad takes one type of .f16 .bf16 .f32 .s8, then .init if wanted, near 'mad'"},
    {"mad.init.f16", "1:4: mad takes one type of .f16 .bf16 .f32 .s8, then .init if wanted, near '.init.f16'"},
    {"mad.f16.s8", "1:8: mad takes one type of .f16 .bf16 .f32 .s8, then .init if wanted, near '.s8'"},
    {"mad.f16.init.init", "1:13: mad takes one type of .f16 .bf16 .f32 .s8, then .init if wanted, near '.init'"},
    {"load2d.l0a.b16.init", "1:15: load2d.l0a takes one type of .b8 .b16 .b32, then .t if wanted, near '.init'"},
    {"v.add. r1", "1:6: v.add takes one type of .f16 .f32 .s32, near '.'"},
    {"ld.gm.l1.linear.b8", "1:16: ld.gm.l1.linear takes no suffix, near '.b8'"},
    {"add r1, r2", "1:11: add takes 3 operands: register, register, register, at the end of the line"},
    {"add r1, ; r2", "1:9: add takes 3 operands: register, register, register, at the end of the line"},
    {"add r1, r2, r3, r4", "1:15: add takes 3 operands: register, register, register, near ','"},
    {"wait_flag m, v", "1:15: wait_flag takes 3 operands: pipe, pipe, flag, at the end of the line"},
    {"jmp", "1:4: jmp takes 1 operand: label, at the end of the line"},
    {"halt r1", "1:6: halt takes no operands, near 'r1'"},
    {"add r1 r2", "1:8: ',' expected, near 'r2'"},
    {"add r1,, r2", "1:8: a register expected: r0 .. r63 or a .reg name, near ','"},
    {"add r1, r64, r2", "1:9: no such register: r0 .. r63, near 'r64'"},
    {"core r99999999999999999999", "1:6: no such register: r0 .. r63, near 'r99999999999999999999'"},
    {".reg count = r1\nmov r1, coumt",
     "2:9: a register expected: r0 .. r63 or a .reg name (did you mean 'count'?), near 'coumt'"},
    {".const N = 1\nmov r1, N", "2:9: a register expected: r0 .. r63 or a .reg name, near 'N'"},
    {"li r1, r2", "1:8: a constant expected, not a register, near 'r2'"},
    {".const SIZE = 1\nli r1, SISE", "2:8: unknown constant (did you mean 'SIZE'?), near 'SISE'"},
    {"li r1,", "1:7: li takes 2 operands: register, constant, at the end of the line"},
    {"li r1, *", "1:8: a constant expected: a number, a .const name or '(', near '*'"},
    {"addi r1, r2, 1 << 31", "1:14: constant 2147483648 is out of range: -2147483648 .. 2147483647, near '1'"},
    {"shli r1, r2, 64", "1:14: constant 64 is out of range: 0 .. 63, near '64'"},
    {"arg r1, 32", "1:9: constant 32 is out of range: 0 .. 31, near '32'"},
    {"li r1, 12x", "1:8: not a number: decimal, 0x... or f32(...) expected, near '12x'"},
    {"li r1, 0x", "1:8: not a number: decimal, 0x... or f32(...) expected, near '0x'"},
    {"li r1, 9223372036854775808", "1:8: a number beyond 64 bits, near '9223372036854775808'"},
    {"li r1, 0x10000000000000000", "1:8: a number beyond 64 bits, near '0x10000000000000000'"},
    {"li r1, 1 << 62 << 0 | 0x7fffffffffffffff + 1", "1:42: the value is beyond 64 bits, near '+'"},
    {"li r1, -(1 << 63)", "1:8: the value is beyond 64 bits, near '-'"},
    {"li r1, (1 << 63) / -1", "1:18: the value is beyond 64 bits, near '/'"},
    {"li r1, 5 % (2 - 2)", "1:10: division by zero, near '%'"},
    {"li r1, 1 << 64", "1:10: a shift by 64: 0 .. 63 is possible, near '<'"},
    {"li r1, 1 < 2", "1:10: the end of the line expected, near '<'"},
    {"li r1, (1 + 2", "1:14: ')' expected, at the end of the line"},
    {"li r1, f32(x)", "1:12: not a floating-point number, near 'x'"},
    {"li r1, f32(1e39)", "1:12: a number beyond f32, near '1e39'"},
    {"li r1, f32(1", "1:12: f32( ends with a number and ')' expected, near '1'"},
    {"set_flag all, m, 3", "1:10: a pipe expected: s, m, v, mte1, mte2, mte3, fix, near 'all'"},
    {"pipe_barrier x", "1:14: a pipe expected: s, m, v, mte1, mte2, mte3, fix or all, near 'x'"},
    {"set_flag s, m, 8", "1:16: flag 8: 0 .. 7 or a register, near '8'"},
    {"set_flag s, m, 0 - 1", "1:16: flag -1: 0 .. 7 or a register, near '0'"},
    {"jmp lop\nloop: nop", "1:5: unknown label in this file (did you mean 'loop'?), near 'lop'"},
    {"jmp 3", "1:5: a label expected, near '3'"},
    {"a: loop r1, a", "1:13: a loop ends at a label behind it, near 'a'"},
    {"x: nop\nnop\nx:", "3:1: this name is a label already, defined at dir/main.s:1, near 'x'"},
    {"x: x: nop", "1:4: this name is a label already, defined at dir/main.s:1, near 'x'"},
    {"a.b: nop", "1:1: a label is letters, digits and _, then ':', near 'a.b'"},
    {": nop", "1:1: a label is letters, digits and _, then ':', near ':'"},
    {".const A = 1\n.const A = 2", "2:8: this name is a constant already, defined at dir/main.s:1, near 'A'"},
    {".reg A = r1\n.const A = 1", "2:8: this name is a register already, defined at dir/main.s:1, near 'A'"},
    {".const r5 = 1", "1:8: this name is taken by the language, near 'r5'"},
    {".const A 1", "1:10: '=' expected, near '1'"},
    {".const = 1", "1:8: a name expected: letters, digits and _, near '='"},
    {".reg a = 5", "1:10: a register expected: r0 .. r63 or a .reg name, near '5'"},
    {".const A = 1 2", "1:14: the end of the line expected, near '2'"},
    {".program a\n.program b", "2:10: the program is named already: 'a', near 'b'"},
    {".macro", "1:1: unknown directive: .program, .const, .reg and .include are known, near '.macro'"},
    {".include \"x ; y", "1:10: the string has no end: '\"' is missing, near '\"'"},
    {".include x", "1:10: a file name in quotes expected, near 'x'"},
    {".include \"\"", "1:10: an empty file name, near '\"'"},
    {".include \"x\"", "1:11: no file may be included here, near 'x'"},
    {"nop \x01", "1:5: nop takes no operands, near '?'"}};

static void errors_say_where_and_what(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
    char expected[ERROR];
    snprintf(expected, sizeof expected, "dir/main.s:%s", errors[i][1]);
    assert_refused_with(errors[i][0], NULL, expected);
  }
}

static void a_short_error_buffer(void **state) {
  (void)state;
  struct accel_program p;
  char error[10] = "123456789";
  assert_int_equal(accel_assemble("bad", "file.s", NULL, NULL, &p, error, 8), -1);
  assert_string_equal(error, "file.s:");
  assert_int_equal(error[8], '9');
  assert_int_equal(accel_assemble("bad", "file.s", NULL, NULL, &p, NULL, 0), -1);
}

static void labels_belong_to_their_file(void **state) {
  (void)state;
  static const struct file files[] = {{"dir/body.s", "again: mov r1, x\nbne r1, r0, again\n"}, {NULL, NULL}};
  struct accel_program p;
  assert_assembles(".reg x = r9\nagain:\n.include \"body.s\"\n.include \"body.s\"\njmp again", files, &p);
  assert_int_equal(p.ncode, 5);
  assert_int_equal(p.code[1].imm, 0);
  assert_int_equal(p.code[3].imm, 2);
  assert_int_equal(p.code[4].imm, 0);
  assert_int_equal(p.code[0].r[1], 9);
  assert_int_equal(p.nfiles, 2);
  assert_round_trip(&p);
  accel_program_free(&p);
  assert_refused_with(".include \"body.s\"\n", files,
                      "dir/body.s:1:16: a register expected: r0 .. r63 or a .reg name, near 'x'");
  assert_refused_with(".reg x = r1\n.include \"body.s\"\njmp again", files,
                      "dir/main.s:3:5: unknown label in this file, near 'again'");
}

static void many_inclusions_keep_their_labels_apart(void **state) {
  (void)state;
  enum { N = 1000 };
  static const struct file files[] = {{"dir/a#;//.s", "again: jmp end\njmp again\nend:\n"}, {NULL, NULL}};
  struct accel_program p;
  char *includes = repeated(".include \"a#;//.s\" ; a\n", N), *text = malloc(strlen(includes) + 64);
  sprintf(text, "jmp end\nagain: nop\n%send: jmp again\n", includes);
  assert_assembles(text, files, &p);
  assert_int_equal(p.ncode, 2 * N + 3);
  assert_int_equal(p.code[0].imm, 2 * N + 2);
  assert_int_equal(p.code[2 * N + 2].imm, 1);
  for (int i = 0; i < N; i++) {
    assert_int_equal(p.code[2 * i + 2].imm, 2 * i + 4);
    assert_int_equal(p.code[2 * i + 3].imm, 2 * i + 2);
  }
  accel_program_free(&p);
  free(text);
  free(includes);
}

static void includes_that_fail(void **state) {
  (void)state;
  static const struct file files[] = {{"dir/a.s", "\n  .include \"b.s\""},
                                      {"dir/b.s", ".include \"a.s\" ; back"},
                                      {"dir/self.s", ".include \"./self.s\""},
                                      {"dir/main.s", "nop"},
                                      {"/abs/c.s", "oops"},
                                      {NULL, NULL}};
  assert_refused_with(".include \"a.s\"", files, "dir/b.s:1:11: 'dir/a.s' includes itself, near 'a.s'");
  assert_refused_with(".include \"main.s\"", files, "dir/main.s:1:11: 'dir/main.s' includes itself, near 'main.s'");
  assert_refused_with(".include \"none.s\"", files, "dir/main.s:1:11: cannot read 'dir/none.s', near 'none.s'");
  assert_refused_with(".include \"/abs/c.s\"", files, "/abs/c.s:1:1: unknown mnemonic, near 'oops'");
}

/* Any path gives a file that includes another one, deeper; "wide" one that is included often. */
static char *read_endless(void *user, const char *path) {
  (void)path;
  return strdup(*(const char *const *)user);
}

static void assert_bounded(const char *text, const char *included, const char *expected) {
  struct accel_program p;
  char error[ERROR];
  assert_int_equal(accel_assemble(text, "main.s", read_endless, &included, &p, error, sizeof error), -1);
  if (!strstr(error, expected)) fail_msg("%s", error);
}

static void hostile_sizes_end_in_errors(void **state) {
  (void)state;
  assert_bounded(".include \"d/x\"", ".include \"d/x\"", "files included more than 16 deep");
  static const struct {
    const char *before, *part;
    size_t times;
    const char *expected;
  } table[] = {{"", "nop\n", (1 << 20) + 1, "main.s:1048577:1: more than 1048576 instructions"},
               {"", ".include \"x\"\n", 1025, "main.s:1025:11: more than 1024 files included"},
               {"li r1, ", "(", 1000, "main.s:1:72: more than 64 parentheses deep"},
               {"li r1, ", "-", 1000000, "main.s:1:1000008: a constant expected"},
               {"", "\n", (64 << 20) + 1, "main.s:1:1: more than 64 MiB of text"},
               {"", "x", 1 << 20, "main.s:1:1: unknown mnemonic, near 'xxx"},
               {"jmp ", "x", 1 << 20, "main.s:1:5: unknown label in this file, near 'xxx"}};
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    char *many = repeated(table[i].part, table[i].times), *text = malloc(strlen(many) + 32);
    sprintf(text, "%s%s", table[i].before, many);
    assert_bounded(text, "", table[i].expected);
    free(text);
    free(many);
  }
}

static void a_long_expression(void **state) {
  (void)state;
  enum { N = 1000000 };
  struct accel_program p;
  char *text = repeated("+1", N + 3);
  memcpy(text, "li r1,", 6);
  assert_assembles(text, NULL, &p);
  assert_int_equal(p.code[0].imm, N);
  accel_program_free(&p);
  free(text);
}

static void many_labels(void **state) {
  (void)state;
  enum { N = 100000 };
  char *text = malloc(N * 32);
  size_t used = 0;
  for (int i = 0; i < N; i++) used += (size_t)sprintf(text + used, "l%d: jmp l%d\n", i, (i + 1) % N);
  struct accel_program p;
  assert_assembles(text, NULL, &p);
  assert_int_equal(p.ncode, N);
  for (int i = 0; i < N; i++) assert_int_equal(p.code[i].imm, (i + 1) % N);
  accel_program_free(&p);
  free(text);
}

static void disassembly_counts_like_snprintf(void **state) {
  (void)state;
  struct accel_program p;
  char text[64] = "";
  static const char line[] = "mad.f16.init r1, r2, r3, r4, r5, r6";
  assert_assembles(line, NULL, &p);
  for (int size = 0; size <= (int)sizeof text; size++) {
    memset(text, '#', sizeof text);
    assert_int_equal(accel_disassemble(&p, 0, text, size), strlen(line));
    if (size < (int)sizeof text) assert_int_equal(text[size], '#');
    if (size) assert_int_equal(strncmp(text, line, (size_t)size - 1), 0);
    if (size) assert_int_equal(strlen(text), size - 1 < (int)strlen(line) ? size - 1 : (int)strlen(line));
  }
  assert_int_equal(accel_disassemble(&p, 1, text, sizeof text), 0);
  assert_int_equal(accel_disassemble(&p, -1, text, sizeof text), 0);
  assert_string_equal(text, "");
  accel_program_free(&p);
}

static void any_word_disassembles(void **state) {
  (void)state;
  struct accel_word word;
  struct accel_program p = {.code = &word, .ncode = 1};
  char text[128];
  for (int i = 0; i < 20000; i++) {
    uint64_t bits[2] = {random64(), random64()};
    memcpy(&word, bits, sizeof word);
    if (i & 1) word.opcode %= ACCEL_OPCODES;
    assert_in_range(accel_disassemble(&p, 0, text, sizeof text), 1, sizeof text - 1);
  }
}

/* Changes a few bytes: other characters, pieces moved, doubled or left out. */
static void mutate(char *text, size_t room) {
  static const char alphabet[] = "\n\n,:;#/\"()+-*%<>&|.=_ \t0123456789abcdfilmnoprstuvx\x01\x7f\xff";
  for (int n = 1 + below(6); n > 0; n--) {
    size_t length = strlen(text), at = length ? (size_t)below((int)length) : 0, span = (size_t)below(12);
    if (at + span > length) span = length - at;
    char piece[16];
    switch (below(4)) {
      case 0:
        if (length) text[at] = alphabet[below(sizeof alphabet - 1)];
        break;
      case 1: memmove(text + at, text + at + span, length - at - span + 1); break;
      case 2:
        if (length + span >= room) break;
        memcpy(piece, text + below((int)(length - span) + 1), span);
        memmove(text + at + span, text + at, length - at + 1);
        memcpy(text + at, piece, span);
        break;
      default:
        if (length && random64() % 8 == 0) text[at] = 0;
        break;
    }
  }
}

static void assert_error_has_place(const char *error) {
  int line, column;
  const char *colon = strchr(error, ':');
  assert_non_null(colon);
  assert_int_equal(sscanf(colon, ":%d:%d: ", &line, &column), 2);
  assert_in_range(line, 1, 100);
  assert_in_range(column, 1, 400);
}

static void mutations(void **state) {
  (void)state;
  enum { TIMES = 20000 };
  int accepted = 0;
  for (int i = 0; i < TIMES; i++) {
    char main_text[sizeof whole + 256], load[512], error[ERROR];
    struct file files[] = {{whole_files[0].path, load}, whole_files[1], {NULL, NULL}};
    struct accel_program p;
    strcpy(main_text, whole);
    strcpy(load, whole_files[0].text);
    if (below(4)) mutate(main_text, sizeof main_text);
    else mutate(load, sizeof load);
    if (assemble(main_text, files, &p, error) == 0) {
      accepted++;
      assert_round_trip(&p);
    } else {
      assert_error_has_place(error);
      assert_null(p.code);
    }
    accel_program_free(&p);
  }
  assert_in_range(accepted, TIMES / 50, TIMES - TIMES / 5);
}

/* The table's row of a mnemonic: "| `mnemonic..." to the end of the line; NULL: none. */
static bool find_row(const char *doc, const char *mnemonic, char row[600]) {
  char start[64];
  snprintf(start, sizeof start, "\n| `%s", mnemonic);
  for (const char *at = doc; (at = strstr(at, start)); at++) {
    char next = at[strlen(start)];
    if (!strchr(" `[", next) && strncmp(at + strlen(start), ".T", 2) != 0) continue;
    snprintf(row, 600, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
    return true;
  }
  return false;
}

static void assert_row_fits(const char *row, const struct accel_op *op) {
  int commas = 0;
  const char *code_end = strchr(row + 3, '`');
  assert_non_null(code_end);
  for (const char *c = row; c < code_end; c++) commas += *c == ',';
  const char *operands = strchr(row + 3, ' ');
  int noperands = operands && operands < code_end ? commas + 1 : 0;
  if (noperands != (int)strlen(op->operands)) fail_msg("operands of %s in: %s", op->mnemonic, row);
  char pipe[16];
  snprintf(pipe, sizeof pipe, "| %s |", accel_pipe_names[op->pipe]);
  if (!strstr(row, pipe)) fail_msg("pipe of %s in: %s", op->mnemonic, row);
  char type_cell[80] = "";
  sscanf(code_end, "` | %79[^|]", type_cell);
  for (int i = 0; i < 8; i++) {
    bool listed = false;
    for (char copy[80], *rest = strcpy(copy, type_cell), *word; (word = strtok_r(rest, " ", &rest));)
      listed |= strcmp(word, accel_suffix_names[i]) == 0;
    if (listed != (op->types >> i & 1)) fail_msg("type %s of %s in: %s", accel_suffix_names[i], op->mnemonic, row);
  }
  if ((strstr(row, "[.t]") && strstr(row, "[.t]") < code_end) != !!(op->types & ACCEL_T)) fail_msg("%s", row);
  if ((strstr(row, "[.init]") && strstr(row, "[.init]") < code_end) != !!(op->types & ACCEL_INIT)) fail_msg("%s", row);
  if ((strstr(row, "[.relu]") && strstr(row, "[.relu]") < code_end) != !!(op->types & ACCEL_RELU)) fail_msg("%s", row);
}

static char *read_reference(void) {
  enum { MOST = 1 << 18 };
  FILE *file = fopen(SOURCE_ROOT "/doc/accel-isa.md", "r");
  assert_non_null(file);
  char *doc = calloc(1, MOST);
  assert_in_range(fread(doc, 1, MOST - 1, file), 1000, MOST - 2);
  fclose(file);
  return doc;
}

static void the_references_program_assembles(void **state) {
  (void)state;
  char *doc = read_reference(), *start = strstr(doc, "```\n; "), *end = start ? strstr(start + 4, "```\n") : NULL;
  assert_non_null(end);
  *end = 0;
  struct accel_program p;
  assert_assembles(start + 4, NULL, &p);
  assert_in_range(p.ncode, 5, 100);
  accel_program_free(&p);
  free(doc);
}

static void the_reference_lists_every_instruction(void **state) {
  (void)state;
  char *doc = read_reference(), row[600];
  for (int i = 0; i < ACCEL_OPCODES; i++) {
    if (!find_row(doc, accel_ops[i].mnemonic, row)) fail_msg("no row for %s", accel_ops[i].mnemonic);
    assert_row_fits(row, &accel_ops[i]);
  }
  free(doc);
}

int main(void) {
  const char *seed = getenv("TESSERA_TEST_SEED");
  state_of_random = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
  printf("seed %llu (set TESSERA_TEST_SEED to have it again)\n", (unsigned long long)state_of_random);
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_instruction_round_trips),
                                     cmocka_unit_test(pipes_and_suffixes_have_their_names),
                                     cmocka_unit_test(a_whole_program),
                                     cmocka_unit_test(a_program_without_a_name_takes_its_files),
                                     cmocka_unit_test(constants),
                                     cmocka_unit_test(only_constants_that_do_not_fit_are_pooled),
                                     cmocka_unit_test(errors_say_where_and_what),
                                     cmocka_unit_test(a_short_error_buffer),
                                     cmocka_unit_test(labels_belong_to_their_file),
                                     cmocka_unit_test(many_inclusions_keep_their_labels_apart),
                                     cmocka_unit_test(includes_that_fail),
                                     cmocka_unit_test(hostile_sizes_end_in_errors),
                                     cmocka_unit_test(a_long_expression),
                                     cmocka_unit_test(many_labels),
                                     cmocka_unit_test(disassembly_counts_like_snprintf),
                                     cmocka_unit_test(any_word_disassembles),
                                     cmocka_unit_test(mutations),
                                     cmocka_unit_test(the_references_program_assembles),
                                     cmocka_unit_test(the_reference_lists_every_instruction)};
  return cmocka_run_group_tests_name("assembler", tests, NULL, NULL);
}
