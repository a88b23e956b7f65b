/* The assembler: files, lines, labels and directives. The language: doc/accel-isa.md. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/accel_sim/sim/asm.h"

static bool assemble_text(struct assembler *a, const char *text, int file, const struct asm_source *from);

/* The index of a file's name in the program, which is added; -1: no memory, reported. */
static int file_index(struct assembler *a, const char *path) {
  struct accel_program *p = a->program;
  for (int i = 0; i < p->nfiles; i++)
    if (strcmp(p->files[i], path) == 0) return i;
  char **grown = asm_grow(a, p->files, p->nfiles, &a->file_room, sizeof *grown);
  if (!grown) return -1;
  p->files = grown;
  p->files[p->nfiles] = strdup(path);
  if (p->files[p->nfiles]) return p->nfiles++;
  asm_fail(a, a->source->at, "out of memory");
  return -1;
}

/* "name" in quotes, as its word. */
static bool string(struct assembler *a, struct asm_word *word) {
  asm_skip_blanks(a);
  const char *at = a->source->at;
  if (!asm_take(a, '"')) return asm_fail(a, at, "a file name in quotes expected");
  const char *close = memchr(at + 1, '"', (size_t)(a->source->end - at - 1));
  if (!close) return asm_fail(a, at, "the string has no end: '\"' is missing");
  if (close == at + 1) return asm_fail(a, at, "an empty file name");
  *word = (struct asm_word){at + 1, (int)(close - at - 1)};
  a->source->at = close + 1;
  return true;
}

/* The path of an included file: beside the one that includes it, unless absolute. */
static char *path_of(struct assembler *a, struct asm_word name) {
  const char *includer = a->program->files[a->source->file], *slash = strrchr(includer, '/');
  size_t folder = slash && name.text[0] != '/' ? (size_t)(slash - includer) + 1 : 0;
  char *path = malloc(folder + (size_t)name.length + 1);
  if (!path) return NULL;
  memcpy(path, includer, folder);
  memcpy(path + folder, name.text, (size_t)name.length);
  path[folder + (size_t)name.length] = 0;
  return path;
}

static bool keep_text(struct assembler *a, char *text) {
  char **grown = asm_grow(a, a->texts, a->ntexts, &a->text_room, sizeof *grown);
  if (grown) {
    a->texts = grown;
    a->texts[a->ntexts++] = text;
    return true;
  }
  free(text);
  return false;
}

static bool include_path(struct assembler *a, struct asm_word name, const char *path) {
  int file = file_index(a, path);
  if (file < 0) return false;
  for (const struct asm_source *s = a->source; s; s = s->from)
    if (s->file == file) return asm_fail(a, name.text, "'%s' includes itself", path);
  char *text = a->read(a->user, path);
  if (!text) return asm_fail(a, name.text, "cannot read '%s'", path);
  return keep_text(a, text) && assemble_text(a, text, file, a->source);
}

static bool directive_include(struct assembler *a) {
  struct asm_word name = {0};
  if (!string(a, &name)) return false;
  if (!asm_at_end(a)) return asm_fail(a, a->source->at, "the end of the line expected");
  if (!a->read) return asm_fail(a, name.text, "no file may be included here");
  if (a->source->depth == ASM_MOST_DEPTH)
    return asm_fail(a, name.text, "files included more than %d deep", ASM_MOST_DEPTH);
  if (a->ntexts == ASM_MOST_INCLUDES) return asm_fail(a, name.text, "more than %d files included", ASM_MOST_INCLUDES);
  char *path = path_of(a, name);
  if (!path) return asm_fail(a, name.text, "out of memory");
  bool done = include_path(a, name, path);
  free(path);
  return done;
}

/* A new name and '='. */
static bool new_name(struct assembler *a, struct asm_word *name) {
  *name = asm_take_word(a);
  if (!asm_is_name(*name)) return asm_fail(a, name->text, "a name expected: letters, digits and _");
  if (asm_is_register(*name) || asm_same(*name, "f32"))
    return asm_fail(a, name->text, "this name is taken by the language");
  return asm_take(a, '=') || asm_fail(a, a->source->at, "'=' expected");
}

static bool directive_const(struct assembler *a) {
  struct asm_word name = {0};
  int64_t value = 0;
  return new_name(a, &name) && asm_expression(a, &value) && asm_define(a, name, 0, ASM_CONSTANT, value);
}

static bool directive_reg(struct assembler *a) {
  struct asm_word name = {0};
  uint8_t number = 0;
  return new_name(a, &name) && asm_register(a, &number) && asm_define(a, name, 0, ASM_REGISTER, number);
}

static bool directive_program(struct assembler *a) {
  struct asm_word name = asm_take_word(a);
  if (!asm_is_name(name)) return asm_fail(a, name.text, "a name expected: letters, digits and _");
  if (a->program->name) return asm_fail(a, name.text, "the program is named already: '%.80s'", a->program->name);
  a->program->name = strndup(name.text, (size_t)name.length);
  return a->program->name || asm_fail(a, name.text, "out of memory");
}

static bool directive(struct assembler *a) {
  static const struct {
    const char *name;
    bool (*run)(struct assembler *a);
  } directives[] = {{".const", directive_const}, {".reg", directive_reg}, {".include", directive_include},
                    {".program", directive_program}};
  struct asm_word word = asm_take_word(a);
  for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++) {
    if (!asm_same(word, directives[i].name)) continue;
    if (!directives[i].run(a)) return false;
    return asm_at_end(a) || asm_fail(a, a->source->at, "the end of the line expected");
  }
  return asm_fail(a, word.text, "unknown directive: .program, .const, .reg and .include are known");
}

/* Takes a label if the line goes on with one; *taken tells. */
static bool label(struct assembler *a, bool *taken) {
  struct asm_word word = asm_peek_word(a);
  const char *colon = word.text + word.length;
  while (colon < a->source->end && (*colon == ' ' || *colon == '\t')) colon++;
  *taken = colon < a->source->end && *colon == ':';
  if (!*taken) return true;
  if (!asm_is_name(word)) return asm_fail(a, word.text, "a label is letters, digits and _, then ':'");
  a->source->at = colon + 1;
  return asm_define(a, word, a->source->scope, ASM_LABEL, a->program->ncode);
}

static bool line(struct assembler *a) {
  bool taken = true;
  while (taken)
    if (!label(a, &taken)) return false;
  if (asm_at_end(a)) return true;
  return *a->source->at == '.' ? directive(a) : asm_instruction(a);
}

/* Where the line's text ends: at its comment, or at the newline. */
static const char *end_of(const char *start) {
  bool quoted = false;
  const char *c = start;
  for (; *c && *c != '\n'; c++) {
    if (*c == '"') quoted = !quoted;
    if (!quoted && (*c == ';' || *c == '#' || (*c == '/' && c[1] == '/'))) break;
  }
  return c;
}

static bool assemble_lines(struct assembler *a, const char *text) {
  struct asm_source *s = a->source;
  for (const char *next = text; *next;) {
    s->start = s->at = next;
    s->end = end_of(next);
    s->line++;
    if (!line(a)) return false;
    next = s->end + strcspn(s->end, "\n");
    next += *next == '\n';
  }
  return true;
}

static bool assemble_text(struct assembler *a, const char *text, int file, const struct asm_source *from) {
  struct asm_source source = {.from = from, .depth = from ? from->depth + 1 : 0, .scope = a->ntexts + 1, .file = file,
                              .start = text, .at = text, .end = text};
  struct asm_source *includer = a->source;
  int uses = a->nuses;
  size_t length = strlen(text);
  a->source = &source;
  if (length > ASM_MOST_BYTES - a->bytes) {
    source.line = 1;
    return asm_fail(a, text, "more than %d MiB of text", ASM_MOST_BYTES >> 20);
  }
  a->bytes += length;
  bool done = assemble_lines(a, text) && asm_resolve(a, uses);
  a->source = includer;
  return done;
}

/* Without .program: the file's name, without its folder and ending, made a name. */
static bool name_program(struct assembler *a) {
  struct accel_program *p = a->program;
  if (p->name) return true;
  const char *slash = strrchr(p->files[0], '/'), *base = slash ? slash + 1 : p->files[0];
  size_t length = strcspn(base, ".");
  p->name = length ? strndup(base, length) : strdup("program");
  if (!p->name) return asm_fail(a, a->source->at, "out of memory");
  for (char *c = p->name; *c; c++)
    if (!isalnum((unsigned char)*c)) *c = '_';
  if (isdigit((unsigned char)p->name[0])) p->name[0] = '_';
  return true;
}

int accel_assemble(const char *text, const char *file, accel_read *read, void *user, struct accel_program *program,
                   char *error, int error_size) {
  struct asm_source outside = {.start = file, .at = file, .end = file};
  struct assembler a = {.program = program, .read = read, .user = user, .error = error, .error_size = error_size,
                        .source = &outside};
  memset(program, 0, sizeof *program);
  bool done = file_index(&a, file) == 0 && assemble_text(&a, text, 0, NULL) && name_program(&a);
  for (int i = 0; i < a.ntexts; i++) free(a.texts[i]);
  free(a.texts);
  free(a.names);
  free(a.slots);
  free(a.uses);
  if (!done) accel_program_free(program);
  return done ? 0 : -1;
}

void accel_program_free(struct accel_program *program) {
  for (int i = 0; i < program->nfiles; i++) free(program->files[i]);
  free(program->files);
  free(program->constants);
  free(program->lines);
  free(program->code);
  free(program->name);
  memset(program, 0, sizeof *program);
}
