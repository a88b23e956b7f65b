/* The names a program defines: a hash table, and which name a misspelt one may have meant. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/accel_sim/sim/asm.h"

/* The slot of a name, or the empty one where it would go. */
static int slot_of(const struct assembler *a, struct asm_word word, int scope) {
  uint32_t hash = 2166136261u ^ (uint32_t)scope;
  for (int i = 0; i < word.length; i++) hash = (hash ^ (unsigned char)word.text[i]) * 16777619u;
  for (int slot = (int)(hash % (uint32_t)a->nslots);; slot = (slot + 1) % a->nslots) {
    if (!a->slots[slot]) return slot;
    const struct asm_name *name = &a->names[a->slots[slot] - 1];
    if (name->scope == scope && name->word.length == word.length &&
        memcmp(name->word.text, word.text, (size_t)word.length) == 0)
      return slot;
  }
}

const struct asm_name *asm_find(const struct assembler *a, struct asm_word word, int scope) {
  int slot = a->nslots ? a->slots[slot_of(a, word, scope)] : 0;
  return slot ? &a->names[slot - 1] : NULL;
}

/* Keeps at least half of the slots empty. */
static bool grow_slots(struct assembler *a) {
  if (a->nnames * 2 < a->nslots) return true;
  int *old = a->slots, nold = a->nslots;
  int *grown = calloc(nold ? (size_t)nold * 2 : 64, sizeof *grown);
  if (!grown) return asm_fail(a, a->source->at, "out of memory");
  a->slots = grown;
  a->nslots = nold ? nold * 2 : 64;
  for (int i = 0; i < a->nnames; i++) a->slots[slot_of(a, a->names[i].word, a->names[i].scope)] = i + 1;
  free(old);
  return true;
}

static bool define_again(struct assembler *a, struct asm_word word, const struct asm_name *name, enum asm_kind kind,
                         int64_t value) {
  static const char *const kinds[] = {"a constant", "a register", "a label"};
  if (name->kind == kind && kind != ASM_LABEL && name->value == value) return true;
  return asm_fail(a, word.text, "this name is %s already, defined at %s:%d", kinds[name->kind],
                  a->program->files[name->file], name->line);
}

bool asm_define(struct assembler *a, struct asm_word word, int scope, enum asm_kind kind, int64_t value) {
  const struct asm_name *old = asm_find(a, word, scope);
  if (old) return define_again(a, word, old, kind, value);
  if (a->nnames == ASM_MOST_NAMES) return asm_fail(a, word.text, "more than %d names", ASM_MOST_NAMES);
  struct asm_name *grown = asm_grow(a, a->names, a->nnames, &a->name_room, sizeof *grown);
  if (!grown) return false;
  a->names = grown;
  if (!grow_slots(a)) return false;
  a->slots[slot_of(a, word, scope)] = a->nnames + 1;
  a->names[a->nnames++] = (struct asm_name){word, kind, scope, a->source->file, a->source->line, value};
  return true;
}

enum { LONGEST = 32 }; /* words that are compared */

static int least(int x, int y) { return x < y ? x : y; }

/* Edit distance: characters inserted, left out, changed or swapped with the next. Beyond LONGEST: large. */
static int distance(struct asm_word x, struct asm_word y) {
  unsigned char d[LONGEST + 1][LONGEST + 1];
  if (x.length > LONGEST || y.length > LONGEST || abs(x.length - y.length) > 3) return LONGEST;
  for (int i = 0; i <= x.length; i++) d[i][0] = (unsigned char)i;
  for (int j = 0; j <= y.length; j++) d[0][j] = (unsigned char)j;
  for (int i = 1; i <= x.length; i++)
    for (int j = 1; j <= y.length; j++) {
      char p = x.text[i - 1], q = y.text[j - 1];
      int best = least(d[i - 1][j - 1] + (p != q), least(d[i - 1][j], d[i][j - 1]) + 1);
      bool swapped = i > 1 && j > 1 && p == y.text[j - 2] && q == x.text[i - 2];
      d[i][j] = (unsigned char)(swapped ? least(best, d[i - 2][j - 2] + 1) : best);
    }
  return d[x.length][y.length];
}

static void suggest(struct asm_word best, int nearest, int length, char text[80]) {
  text[0] = 0;
  if (nearest < LONGEST && nearest <= 1 + length / 5)
    snprintf(text, 80, " (did you mean '%.*s'?)", best.length, best.text);
}

void asm_suggest_name(const struct assembler *a, struct asm_word word, enum asm_kind kind, int scope, char text[80]) {
  struct asm_word best = {"", 0};
  int nearest = LONGEST;
  for (int i = 0; i < a->nnames; i++) {
    if (a->names[i].kind != kind || a->names[i].scope != scope) continue;
    int d = distance(word, a->names[i].word);
    if (d < nearest) nearest = d, best = a->names[i].word;
  }
  suggest(best, nearest, word.length, text);
}

/* The word up to as many dots as the mnemonic has: what follows are its suffixes. */
static struct asm_word without_suffixes(struct asm_word word, const char *mnemonic) {
  int dots = 0, length = 0;
  for (const char *c = mnemonic; *c; c++) dots += *c == '.';
  while (length < word.length && (word.text[length] != '.' || dots-- > 0)) length++;
  return (struct asm_word){word.text, length};
}

void asm_suggest_mnemonic(struct asm_word word, char text[80]) {
  struct asm_word best = {"", 0};
  int nearest = LONGEST;
  for (int i = 0; i < ACCEL_OPCODES; i++) {
    struct asm_word mnemonic = {accel_ops[i].mnemonic, (int)strlen(accel_ops[i].mnemonic)};
    bool begun = mnemonic.length > word.length && mnemonic.text[word.length] == '.' &&
                 strncmp(mnemonic.text, word.text, (size_t)word.length) == 0;
    int d = begun ? 0 : distance(without_suffixes(word, mnemonic.text), mnemonic);
    if (d < nearest) nearest = d, best = mnemonic;
  }
  suggest(best, nearest, word.length, text);
}
