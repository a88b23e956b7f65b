/* Source text: errors, words, room. */
#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/accel_sim/sim/asm.h"

enum { NEAR = 40 }; /* characters of offending text that are shown */

static void report(struct assembler *a, int line, int column, struct asm_word near, const char *format, va_list args) {
  char what[512], text[NEAR + 1];
  vsnprintf(what, sizeof what, format, args);
  int length = near.length < NEAR ? near.length : NEAR;
  for (int i = 0; i < length; i++) text[i] = isprint((unsigned char)near.text[i]) ? near.text[i] : '?';
  text[length] = 0;
  const char *file = a->program->nfiles ? a->program->files[a->source->file] : "";
  if (length)
    snprintf(a->error, (size_t)a->error_size, "%s:%d:%d: %s, near '%s'", file, line, column, what, text);
  else
    snprintf(a->error, (size_t)a->error_size, "%s:%d:%d: %s, at the end of the line", file, line, column, what);
}

bool asm_fail_at(struct assembler *a, int line, int column, struct asm_word near, const char *format, ...) {
  va_list args;
  va_start(args, format);
  report(a, line, column, near, format, args);
  va_end(args);
  return false;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_' || c == '.'; }

static struct asm_word word_at(const char *at, const char *end) {
  struct asm_word word = {at, 0};
  while (at + word.length < end && is_word(at[word.length])) word.length++;
  return word;
}

bool asm_fail(struct assembler *a, const char *at, const char *format, ...) {
  struct asm_source *s = a->source;
  while (at < s->end && is_blank(*at)) at++;
  struct asm_word near = word_at(at, s->end);
  if (!near.length && at < s->end) near.length = 1;
  va_list args;
  va_start(args, format);
  report(a, s->line, (int)(at - s->start) + 1, near, format, args);
  va_end(args);
  return false;
}

void *asm_grow(struct assembler *a, void *array, int used, int *room, size_t element) {
  if (used < *room) return array;
  int more = *room ? *room * 2 : 16;
  void *grown = realloc(array, (size_t)more * element);
  if (grown) *room = more;
  else asm_fail(a, a->source->at, "out of memory");
  return grown;
}

void asm_skip_blanks(struct assembler *a) {
  struct asm_source *s = a->source;
  while (s->at < s->end && is_blank(*s->at)) s->at++;
}

bool asm_at_end(struct assembler *a) {
  asm_skip_blanks(a);
  return a->source->at == a->source->end;
}

bool asm_take(struct assembler *a, char c) {
  if (asm_at_end(a) || *a->source->at != c) return false;
  a->source->at++;
  return true;
}

struct asm_word asm_peek_word(struct assembler *a) {
  asm_skip_blanks(a);
  return word_at(a->source->at, a->source->end);
}

struct asm_word asm_take_word(struct assembler *a) {
  struct asm_word word = asm_peek_word(a);
  a->source->at += word.length;
  return word;
}

bool asm_same(struct asm_word word, const char *text) {
  return strncmp(word.text, text, (size_t)word.length) == 0 && text[word.length] == 0;
}

bool asm_is_name(struct asm_word word) {
  if (!word.length || isdigit((unsigned char)word.text[0])) return false;
  return !memchr(word.text, '.', (size_t)word.length);
}
