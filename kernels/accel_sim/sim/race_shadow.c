/* Buffers in granules of 64 bytes, each with a pointer to its history. The granules of one tile have the same history,
 * so an access works it out once and then only changes pointers. What an access supersedes (it came later, and clashes
 * with whatever the superseded would clash with) is dropped: a write drops all before it, a read the reads that it has
 * heard of. After FastTrack (Flanagan and Freund, 2009), with masks of bytes. */
#include "kernels/accel_sim/sim/race_shadow.h"

#include <stdlib.h>

enum { GRANULE = 64, PAGE = 4096, GRANULES = PAGE / GRANULE, STEPS = 32 };

/* Bytes of a granule that an access touched last. */
struct cell {
  uint64_t bytes;
  struct accel_access by;
};
struct history {
  uint64_t granules; /* and steps that point here */
  int count;
  struct cell cell[];
};
struct page {
  uint64_t key;
  struct history *granule[GRANULES];
};
struct accel_shadow {
  struct page **table; /* open addressing, `room` a power of two */
  uint64_t pages, room;
  struct history untouched; /* of every granule at first; never freed */
};

/* What the present access makes of a history. */
struct step {
  struct history *from, *to;
  uint64_t bytes;
  bool clashes;
};
struct walk {
  struct accel_shadow *shadow;
  const struct accel_access *access;
  const struct accel_heard *heard;
  struct history *all; /* of a granule overwritten as a whole */
  struct step step[STEPS];
  uint32_t used; /* a bit a step */
  bool failed;
  int count;
  struct accel_clash *clash;
};

struct accel_shadow *accel_shadow_create(void) {
  struct accel_shadow *shadow = calloc(1, sizeof *shadow);
  if (!shadow) return NULL;
  shadow->room = 1024;
  shadow->untouched.granules = 1;
  shadow->table = calloc(shadow->room, sizeof *shadow->table);
  if (shadow->table) return shadow;
  free(shadow);
  return NULL;
}

static void drop(struct history *history) {
  if (!--history->granules) free(history);
}

static void drop_page(struct page *page) {
  for (int i = 0; i < GRANULES; i++) drop(page->granule[i]);
  free(page);
}

void accel_shadow_destroy(struct accel_shadow *shadow) {
  if (!shadow) return;
  for (uint64_t i = 0; i < shadow->room; i++)
    if (shadow->table[i]) drop_page(shadow->table[i]);
  free(shadow->table);
  free(shadow);
}

static struct page **slot_of(struct page **table, uint64_t room, uint64_t key) {
  uint64_t i = (key * 0x9e3779b97f4a7c15u) >> 20;
  while (table[i & (room - 1)] && table[i & (room - 1)]->key != key) i++;
  return &table[i & (room - 1)];
}

static bool double_table(struct accel_shadow *shadow) {
  struct page **table = calloc(2 * shadow->room, sizeof *table);
  if (!table) return false;
  for (uint64_t i = 0; i < shadow->room; i++)
    if (shadow->table[i]) *slot_of(table, 2 * shadow->room, shadow->table[i]->key) = shadow->table[i];
  free(shadow->table);
  shadow->table = table;
  shadow->room *= 2;
  return true;
}

static struct page *new_page(struct accel_shadow *shadow, uint64_t key) {
  if (2 * shadow->pages >= shadow->room && !double_table(shadow)) return NULL;
  struct page *page = malloc(sizeof *page);
  if (!page) return NULL;
  page->key = key;
  for (int i = 0; i < GRANULES; i++) page->granule[i] = &shadow->untouched;
  shadow->untouched.granules += GRANULES;
  shadow->pages++;
  return *slot_of(shadow->table, shadow->room, key) = page;
}

static struct page *page_of(struct accel_shadow *shadow, uint64_t key) {
  struct page *page = *slot_of(shadow->table, shadow->room, key);
  return page ? page : new_page(shadow, key);
}

static bool is_ordered(const struct walk *walk, const struct accel_access *earlier) {
  const struct accel_access *now = walk->access;
  const struct accel_heard *heard = walk->heard;
  if (earlier->core == now->core) return heard->own[earlier->pipe] >= earlier->when;
  return heard->others[earlier->core * ACCEL_PIPES + earlier->pipe] >= earlier->when;
}

static bool is_clash(const struct walk *walk, const struct cell *cell, uint64_t bytes) {
  return (cell->bytes & bytes) && (cell->by.write || walk->access->write) && !is_ordered(walk, &cell->by);
}

static bool is_superseded(const struct walk *walk, const struct accel_access *earlier) {
  return walk->access->write || (!earlier->write && is_ordered(walk, earlier));
}

static struct accel_clash *clash_with(struct walk *walk, const struct accel_access *earlier) {
  for (int i = 0; i < walk->count; i++) {
    const struct accel_access *other = &walk->clash[i].earlier;
    if (other->program == earlier->program && other->index == earlier->index) return &walk->clash[i];
  }
  if (walk->count == ACCEL_CLASHES) return NULL;
  walk->clash[walk->count] = (struct accel_clash){*earlier, UINT64_MAX, 0};
  return &walk->clash[walk->count++];
}

/* Whether anything in the granule at `address` clashes; where, is added to the list. */
static bool note_clashes(struct walk *walk, const struct history *history, uint64_t bytes, uint64_t address) {
  bool found = false;
  for (int i = 0; i < history->count; i++) {
    const struct cell *cell = &history->cell[i];
    if (!is_clash(walk, cell, bytes)) continue;
    found = true;
    struct accel_clash *clash = clash_with(walk, &cell->by);
    if (!clash) continue;
    uint64_t first = address + (uint64_t)__builtin_ctzll(cell->bytes & bytes);
    uint64_t last = address + 63 - (uint64_t)__builtin_clzll(cell->bytes & bytes);
    if (first < clash->first) clash->first = first;
    if (last > clash->last) clash->last = last;
  }
  return found;
}

static void add_access(struct history *history, const struct accel_access *access, uint64_t bytes) {
  for (int i = 0; i < history->count; i++) {
    struct cell *cell = &history->cell[i];
    if (cell->by.core == access->core && cell->by.pipe == access->pipe && cell->by.when == access->when &&
        cell->by.write == access->write) {
      cell->bytes |= bytes;
      return;
    }
  }
  history->cell[history->count++] = (struct cell){bytes, *access};
}

static struct history *successor(const struct walk *walk, const struct history *from, uint64_t bytes) {
  struct history *to = malloc(sizeof *to + ((size_t)from->count + 1) * sizeof to->cell[0]);
  if (!to) return NULL;
  to->granules = to->count = 0;
  for (int i = 0; i < from->count; i++) {
    struct cell cell = from->cell[i];
    if (is_superseded(walk, &cell.by)) cell.bytes &= ~bytes;
    if (cell.bytes) to->cell[to->count++] = cell;
  }
  add_access(to, walk->access, bytes);
  return to;
}

/* Granules that are overwritten as a whole share one history, whatever theirs were. */
static struct history *next_history(struct walk *walk, const struct history *from, uint64_t bytes) {
  if (!walk->access->write || bytes != UINT64_MAX) return successor(walk, from, bytes);
  if (!walk->all && (walk->all = successor(walk, from, bytes))) walk->all->granules++;
  return walk->all;
}

static void forget_step(struct step *step) {
  drop(step->from);
  drop(step->to);
}

/* A step holds what it points to: otherwise the next history could lie where a dropped one did and be taken for it. */
static struct step *new_step(struct walk *walk, int i, struct history *from, uint64_t bytes, uint64_t address) {
  struct history *to = next_history(walk, from, bytes);
  if (!to) return NULL;
  from->granules++;
  to->granules++;
  if (walk->used >> i & 1) forget_step(&walk->step[i]);
  walk->used |= (uint32_t)1 << i;
  walk->step[i] = (struct step){from, to, bytes, note_clashes(walk, from, bytes, address)};
  return &walk->step[i];
}

static struct step *step_from(struct walk *walk, struct history *from, uint64_t bytes, uint64_t address) {
  int i = (int)((((uintptr_t)from >> 4) * 0x9e3779b97f4a7c15u ^ bytes * 0xd6e8feb86659fd93u) >> 59);
  struct step *step = &walk->step[i];
  if (!(walk->used >> i & 1) || step->from != from || step->bytes != bytes)
    return new_step(walk, i, from, bytes, address);
  if (step->clashes) note_clashes(walk, from, bytes, address);
  return step;
}

static void visit(struct walk *walk, struct history **granule, uint64_t bytes, uint64_t address) {
  struct step *step = step_from(walk, *granule, bytes, address);
  if (!step) {
    walk->failed = true;
    return;
  }
  struct history *from = *granule;
  *granule = step->to;
  step->to->granules++;
  drop(from);
}

/* Bits of the `count` bytes from `address` on in its granule. */
static uint64_t bytes_of(uint64_t address, uint64_t count) {
  return count == GRANULE ? UINT64_MAX : (((uint64_t)1 << count) - 1) << address % GRANULE;
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

static void walk_page(struct walk *walk, struct page *page, uint64_t address, uint64_t end) {
  while (address < end && !walk->failed) {
    uint64_t granule = address / GRANULE, next = least(end, (granule + 1) * GRANULE);
    visit(walk, &page->granule[granule % GRANULES], bytes_of(address, next - address), granule * GRANULE);
    address = next;
  }
}

static void walk_row(struct walk *walk, uint64_t place, uint64_t address, uint64_t bytes) {
  uint64_t end = address + bytes;
  while (address < end && !walk->failed) {
    uint64_t next = least(end, (address / PAGE + 1) * PAGE);
    struct page *page = page_of(walk->shadow, place | address / PAGE);
    walk->failed = !page;
    if (page) walk_page(walk, page, address, next);
    address = next;
  }
}

/* Pages of all buffers are in one table: their keys begin with the buffer and the core, 0 for GM, which all share. */
static void walk_range(struct walk *walk, const struct accel_range *range) {
  uint64_t place = (uint64_t)range->buffer << 61;
  if (range->buffer != ACCEL_GM) place |= (uint64_t)walk->access->core << 52;
  int64_t rows = range->rows, bytes = range->bytes;
  if (bytes <= 0) return;
  if (rows > 0 && bytes == range->pitch) bytes *= rows, rows = 1;
  for (int64_t row = 0; row < rows && !walk->failed; row++)
    walk_row(walk, place, range->address + (uint64_t)(row * range->pitch), (uint64_t)bytes);
}

int accel_shadow_access(struct accel_shadow *shadow, const struct accel_access *access, const struct accel_heard *heard,
                        const struct accel_range *range, struct accel_clash clashes[ACCEL_CLASHES]) {
  struct walk walk;
  walk.shadow = shadow, walk.access = access, walk.heard = heard, walk.clash = clashes;
  walk.all = NULL, walk.used = 0, walk.failed = false, walk.count = 0;
  walk_range(&walk, range);
  for (; walk.used; walk.used &= walk.used - 1) forget_step(&walk.step[__builtin_ctz(walk.used)]);
  if (walk.all) drop(walk.all);
  return walk.failed ? -1 : walk.count;
}
