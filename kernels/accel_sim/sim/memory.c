/* Global memory: a first-fit allocator of addresses, each allocation backed by pages that the host gives when they are
 * touched. A gap after each keeps small overruns from landing in the next. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/accel_sim/sim/state.h"

enum { GRAIN = 512, GAP = 512 };

unsigned char *accel_pages(size_t bytes) {
  void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return pages == MAP_FAILED ? NULL : pages;
}

static size_t round_up(size_t bytes) { return (bytes + GRAIN - 1) / GRAIN * GRAIN; }

/* Index of the last allocation at or before an address; -1: none. */
static int find_before(const struct gm *gm, uint64_t address) {
  int low = -1, high = gm->count;
  while (high - low > 1) {
    int middle = low + (high - low) / 2;
    if (gm->list[middle].address <= address)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* The allocation that holds [address, address + bytes), or NULL. */
const struct allocation *accel_gm_find(const struct gm *gm, uint64_t address, size_t bytes) {
  int i = find_before(gm, address);
  if (i < 0) return NULL;
  const struct allocation *a = &gm->list[i];
  uint64_t offset = address - a->address;
  return offset <= a->bytes && bytes <= a->bytes - offset ? a : NULL;
}

/* The allocation freed lately that held the address, or NULL. */
const struct allocation *accel_gm_freed(const struct gm *gm, uint64_t address) {
  for (int i = gm->nfreed - 1; i >= 0 && i >= gm->nfreed - FREED; i--) {
    const struct allocation *a = &gm->freed[i % FREED];
    if (address >= a->address && address - a->address < a->bytes) return a;
  }
  return NULL;
}

static bool grow(struct gm *gm) {
  if (gm->count < gm->capacity) return true;
  int capacity = gm->capacity ? 2 * gm->capacity : 64;
  struct allocation *list = realloc(gm->list, (size_t)capacity * sizeof *list);
  if (!list) return false;
  gm->list = list, gm->capacity = capacity;
  return true;
}

/* The first place with room; *index is where it goes in the list. Addresses never run out before bytes do. */
static uint64_t first_fit(const struct gm *gm, size_t bytes, int *index) {
  uint64_t address = ACCEL_GM_BASE;
  int i = 0;
  for (; i < gm->count && gm->list[i].address - address < bytes + GAP; i++)
    address = gm->list[i].address + round_up(gm->list[i].bytes) + GAP;
  *index = i;
  return address;
}

uint64_t accel_gm_alloc(struct accel_machine *m, size_t bytes) {
  struct gm *gm = &m->gm;
  size_t limit = m->params.bytes[ACCEL_GM] - gm->used;
  if (bytes == 0) bytes = 1;
  if (bytes > limit || round_up(bytes) > limit || !grow(gm)) return 0;
  unsigned char *host = accel_pages(bytes);
  if (!host) return 0;
  int i;
  uint64_t address = first_fit(gm, round_up(bytes), &i);
  memmove(gm->list + i + 1, gm->list + i, (size_t)(gm->count - i) * sizeof *gm->list);
  gm->list[i] = (struct allocation){address, bytes, host};
  gm->count++, gm->used += round_up(bytes);
  return address;
}

bool accel_gm_free(struct accel_machine *m, uint64_t address) {
  struct gm *gm = &m->gm;
  int i = find_before(gm, address);
  if (i < 0 || gm->list[i].address != address) return false;
  struct allocation a = gm->list[i];
  munmap(a.host, a.bytes);
  accel_l2_forget(&m->l2, a.address, a.bytes);
  gm->freed[gm->nfreed % FREED] = a;
  if (++gm->nfreed == 2 * FREED) gm->nfreed = FREED;
  gm->count--, gm->used -= round_up(a.bytes);
  memmove(gm->list + i, gm->list + i + 1, (size_t)(gm->count - i) * sizeof *gm->list);
  return true;
}

void *accel_gm_view(struct accel_machine *m, uint64_t address, size_t bytes) {
  const struct allocation *a = accel_gm_find(&m->gm, address, bytes);
  return a ? a->host + (address - a->address) : NULL;
}

void accel_gm_release(struct gm *gm) {
  for (int i = 0; i < gm->count; i++) munmap(gm->list[i].host, gm->list[i].bytes);
  free(gm->list);
  *gm = (struct gm){0};
}
