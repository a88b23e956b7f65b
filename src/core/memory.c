#include "src/core/memory.h"

#include <stdlib.h>

#include "tessera/tessera.h"

static _Thread_local struct { void *base; size_t bytes; } arena[TSR_SCRATCH_COUNT];

void *tsr_scratch_get(enum tsr_scratch slot, size_t bytes) {
  if (bytes > arena[slot].bytes) {
    free(arena[slot].base);
    arena[slot].base = aligned_alloc(4096, (bytes + 4095) & ~(size_t)4095);
    arena[slot].bytes = arena[slot].base ? bytes : 0;
  }
  return arena[slot].base;
}

void tsr_release(void) {
  for (int i = 0; i < TSR_SCRATCH_COUNT; i++) {
    free(arena[i].base);
    arena[i].base = NULL;
    arena[i].bytes = 0;
  }
}
