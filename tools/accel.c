/* tessera accel: the simulated accelerator's assembler, disassembler and chips. Programs are run by accel_run.c. */
#include "accel.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/accel_sim/embed.h"
#include "kernels/accel_sim/sim/params.h"

static const struct command command_asm, command_disasm, command_chips;

#define SOURCE_MOST (16 << 20)

/* The whole file, for the caller to free; NULL with errno. */
static char *read_text(const char *path) {
  FILE *file = fopen(path, "r");
  char *text = file ? malloc(SOURCE_MOST + 1) : NULL;
  size_t n = text ? fread(text, 1, SOURCE_MOST + 1, file) : 0;
  bool bad = !text || ferror(file) || n > SOURCE_MOST;
  int error = n > SOURCE_MOST ? EFBIG : errno;
  if (file) fclose(file);
  if (bad) {
    free(text);
    errno = error;
    return NULL;
  }
  text[n] = 0;
  char *fitted = realloc(text, n + 1);
  return fitted ? fitted : text;
}

static char *read_source(void *user, const char *path) {
  (void)user;
  char *text = read_text(path);
  const struct accel_file *file = text ? NULL : accel_embedded(path);
  return file ? strdup(file->text) : text;
}

/* Names of the files that the library carries and that end so. */
static void print_carried(FILE *to, const char *end) {
  const char *before = "";
  for (const struct accel_file *file = accel_embedded_all(); file->name; file++) {
    const char *dot = strrchr(file->name, '.');
    if (!dot || strcmp(dot, end) != 0) continue;
    fprintf(to, "%s%s", before, file->name);
    before = ", ";
  }
}

bool accel_open_program(const char *name, struct accel_program *program) {
  char error[600];
  char *text = read_source(NULL, name);
  if (!text) {
    fprintf(stderr, "tessera accel: %s: %s; the library carries ", name, strerror(errno));
    print_carried(stderr, ".s");
    fprintf(stderr, "\n");
    return false;
  }
  int status = accel_assemble(text, name, read_source, NULL, program, error, sizeof error);
  free(text);
  if (status != 0) fprintf(stderr, "%s\n", error);
  return status == 0;
}

/* The one operand of a subcommand without options; NULL if it is not that. */
static const char *only_operand(int argc, char **argv) {
  static const struct option none[] = {{0}};
  return getopt_long(argc, argv, "", none, NULL) == -1 && argc - optind == 1 ? argv[optind] : NULL;
}

static void print_word(const struct accel_program *program, int i) {
  const unsigned char *bytes = (const unsigned char *)&program->code[i];
  char text[256];
  printf("%6d  ", i);
  for (int b = 0; b < (int)sizeof program->code[i]; b++) printf("%02x%s", bytes[b], b == 7 ? " " : "");
  accel_disassemble(program, i, text, sizeof text);
  printf("  %-44s ; %s:%d\n", text, program->files[program->lines[i].file], program->lines[i].line);
}

static int assemble(int argc, char **argv) {
  const char *name = only_operand(argc, argv);
  struct accel_program program;
  if (!name) return command_misused(&command_asm);
  if (!accel_open_program(name, &program)) return EXIT_FAILURE;
  printf("; %s: %d words of 16 bytes, %d wide constants\n", name, program.ncode, program.nconstants);
  for (int i = 0; i < program.ncode; i++) print_word(&program, i);
  accel_program_free(&program);
  return 0;
}

static int disassemble(int argc, char **argv) {
  const char *name = only_operand(argc, argv);
  struct accel_program program;
  if (!name) return command_misused(&command_disasm);
  if (!accel_open_program(name, &program)) return EXIT_FAILURE;
  char *text = accel_disassemble_program(&program);
  if (text) fputs(text, stdout);
  else fprintf(stderr, "tessera accel disasm: out of memory\n");
  free(text);
  accel_program_free(&program);
  return text ? 0 : EXIT_FAILURE;
}

static int chips(int argc, char **argv) {
  (void)argv;
  if (argc > 1) return command_misused(&command_chips);
  int status = 0;
  for (const struct accel_file *file = accel_embedded_all(); file->name; file++) {
    struct accel_params params;
    char error[300];
    const char *dot = strrchr(file->name, '.');
    if (!dot || strcmp(dot, ".chip") != 0) continue;
    if (accel_params_parse(file->text, file->name, &params, error, sizeof error) == 0) {
      printf("%-10s %s\n", params.name, params.description);
    } else {
      fprintf(stderr, "%s\n", error);
      status = EXIT_FAILURE;
    }
  }
  return status;
}

static const struct command command_asm = {"asm", "accel asm FILE", "assemble and list the words", assemble};
static const struct command command_disasm = {
    "disasm", "accel disasm FILE", "assemble and print what the words say, which assembles again", disassemble};
static const struct command command_chips = {"chips", "accel chips", "list the chips that can be simulated", chips};

static const struct command *const subcommands[] = {&command_asm,         &command_disasm,         &accel_command_run,
                                                    &accel_command_trace, &accel_command_roofline, &accel_command_gemm,
                                                    &accel_command_attention, &accel_command_conv,
                                                    &command_chips};
enum { SUBCOMMANDS = sizeof subcommands / sizeof subcommands[0] };

static int accel(int argc, char **argv) {
  for (int i = 0; argc > 1 && i < SUBCOMMANDS; i++)
    if (strcmp(argv[1], subcommands[i]->name) == 0) {
      optind = 0;
      return subcommands[i]->run(argc - 1, argv + 1);
    }
  if (argc > 1) fprintf(stderr, "tessera accel: there is no command \"%s\"\n\n", argv[1]);
  fprintf(stderr, "The simulated accelerator:\n");
  for (int i = 0; i < SUBCOMMANDS; i++)
    fprintf(stderr, "  tessera %s\n      %s\n", subcommands[i]->usage, subcommands[i]->help);
  return EXIT_USAGE;
}

const struct command command_accel = {"accel", "accel asm|disasm|run|trace|roofline|chips ...",
                                      "assemble, run and look into programs of the simulated accelerator", accel};

bool accel_read_size(const char *text, int64_t *size) {
  char *end;
  *size = strtoll(text, &end, 10);
  if (end != text && !*end && *size > 0 && *size <= 1 << 20) return true;
  fprintf(stderr, "tessera accel: the size \"%s\" is not a number from 1 to 1048576\n", text);
  return false;
}
