/* What all cores share: L2, a cache of global memory with its bandwidth, and HBM behind it.
 *
 * The cache replaces the least recently used block of 512 bytes; in a block, sectors of 64 bytes are valid or dirty one
 * by one, so that a tile's short rows do not fetch what nobody asked for. Writes allocate without a fill; dirty sectors
 * go to HBM when their block is replaced, at the expense of the transfer that replaces it.
 *
 * Transfers on their way are a fluid: each moves at its own route's rate or at its fair share of HBM, then of L2, if
 * that is less; the shares are computed anew when one begins or ends. Fills cost L2 bandwidth too. */
#include <stdlib.h>
#include <string.h>

#include "kernels/accel_sim/sim/state.h"

enum { L2_BLOCK = 512, L2_SECTOR = 64, NONE = -1 };

bool accel_l2_create(struct l2 *l2, size_t bytes) {
  size_t capacity = bytes / L2_BLOCK;
  *l2 = (struct l2){.newest = NONE, .oldest = NONE, .unused = NONE, .buckets = 1};
  if (capacity == 0) return true;
  if (capacity > INT32_MAX) return false;
  while (l2->buckets < capacity) l2->buckets *= 2;
  l2->block = malloc(capacity * sizeof *l2->block);
  l2->bucket = malloc(l2->buckets * sizeof *l2->bucket);
  if (!l2->block || !l2->bucket) return false;
  l2->capacity = (int)capacity;
  memset(l2->bucket, 0xff, l2->buckets * sizeof *l2->bucket);
  return true;
}

void accel_l2_destroy(struct l2 *l2) {
  free(l2->block);
  free(l2->bucket);
}

static int *bucket_of(struct l2 *l2, uint64_t number) {
  return &l2->bucket[(number * 0x9e3779b97f4a7c15u >> 32) & (l2->buckets - 1)];
}

static void unlink_age(struct l2 *l2, int i) {
  struct l2_block *b = &l2->block[i];
  if (b->newer == NONE)
    l2->newest = b->older;
  else
    l2->block[b->newer].older = b->older;
  if (b->older == NONE)
    l2->oldest = b->newer;
  else
    l2->block[b->older].newer = b->newer;
}

static void make_newest(struct l2 *l2, int i) {
  struct l2_block *b = &l2->block[i];
  b->newer = NONE, b->older = l2->newest;
  if (l2->newest == NONE)
    l2->oldest = i;
  else
    l2->block[l2->newest].newer = i;
  l2->newest = i;
}

static void unlink_hash(struct l2 *l2, int i) {
  int *at = bucket_of(l2, l2->block[i].number);
  while (*at != i) at = &l2->block[*at].next;
  *at = l2->block[i].next;
}

static uint64_t sector_bytes(uint64_t mask) { return (uint64_t)__builtin_popcountll(mask) * L2_SECTOR; }

/* A block to use: a forgotten one, one never used, or the oldest. */
static int take_block(struct l2 *l2, struct traffic *traffic) {
  int i = l2->unused;
  if (i != NONE) {
    l2->unused = l2->block[i].next;
    return i;
  }
  if (l2->count < l2->capacity) return l2->count++;
  i = l2->oldest;
  traffic->writebacks += sector_bytes(l2->block[i].dirty);
  unlink_age(l2, i);
  unlink_hash(l2, i);
  return i;
}

/* The block as the newest, empty if it was not there. */
static struct l2_block *touch(struct l2 *l2, uint64_t number, struct traffic *traffic) {
  int *bucket = bucket_of(l2, number), i = *bucket;
  while (i != NONE && l2->block[i].number != number) i = l2->block[i].next;
  if (i != NONE) {
    if (i == l2->newest) return &l2->block[i];
    unlink_age(l2, i);
  } else {
    i = take_block(l2, traffic);
    l2->block[i] = (struct l2_block){.number = number, .next = *bucket};
    *bucket = i;
  }
  make_newest(l2, i);
  return &l2->block[i];
}

static void access_run(struct l2 *l2, uint64_t address, uint64_t bytes, bool writes, struct traffic *traffic) {
  for (uint64_t end = address + bytes; address < end;) {
    uint64_t number = address / L2_BLOCK, stop = (number + 1) * L2_BLOCK < end ? (number + 1) * L2_BLOCK : end;
    int first = (int)(address % L2_BLOCK / L2_SECTOR), last = (int)((stop - 1) % L2_BLOCK / L2_SECTOR);
    uint64_t mask = (~(uint64_t)0 >> (63 - last)) & (~(uint64_t)0 << first);
    if (l2->capacity) {
      struct l2_block *block = touch(l2, number, traffic);
      if (!writes) traffic->fills += sector_bytes(mask & ~block->valid);
      block->valid |= mask;
      if (writes) block->dirty |= mask;
    } else {
      *(writes ? &traffic->writebacks : &traffic->fills) += sector_bytes(mask);
    }
    address = stop;
  }
}

void accel_l2_access(struct l2 *l2, const struct accel_range *range, bool writes, struct traffic *traffic) {
  traffic->bytes += (uint64_t)range->rows * (uint64_t)range->bytes;
  if (range->pitch == range->bytes) {
    access_run(l2, range->address, (uint64_t)range->rows * (uint64_t)range->bytes, writes, traffic);
    return;
  }
  for (int64_t row = 0; row < range->rows; row++)
    access_run(l2, range->address + (uint64_t)(row * range->pitch), (uint64_t)range->bytes, writes, traffic);
}

static void forget_block(struct l2 *l2, int i) {
  unlink_age(l2, i);
  unlink_hash(l2, i);
  l2->block[i].next = l2->unused;
  l2->unused = i;
}

/* Drops what was of freed memory: what is allocated there next begins cold. */
void accel_l2_forget(struct l2 *l2, uint64_t address, size_t bytes) {
  for (int i = l2->newest; i != NONE;) {
    int older = l2->block[i].older;
    uint64_t begin = l2->block[i].number * L2_BLOCK;
    if (begin < address + bytes && begin + L2_BLOCK > address) forget_block(l2, i);
    i = older;
  }
}

/* Transfers on their way. */

void accel_flows_advance(struct flows *flows, double time) {
  for (int i = 0; i < flows->count; i++) {
    struct flow *flow = &flows->flow[i];
    flow->left -= flow->rate * (time - flows->time);
    if (flow->left < 0) flow->left = 0;
  }
  flows->time = time;
}

/* L2_OUT: where reads and writes have a path each, that of the writes. */
enum resource { HBM, L2, L2_OUT };

static double cost_of(const struct flows *flows, const struct flow *flow, enum resource resource) {
  bool out = flow->writes && flows->l2_write_rate > 0;
  if (resource == HBM) return flow->hbm;
  return out == (resource == L2_OUT) ? flow->l2 : 0;
}

/* Lowers the rates so that what they use of one resource is at most `total`, in fair shares: who needs less than its
 * share leaves the rest to the others. */
static void limit(struct flows *flows, enum resource resource, double total) {
  double share = 0;
  for (int before = -1;;) {
    double rest = total;
    int over = 0;
    for (int i = 0; i < flows->count; i++) {
      const struct flow *flow = &flows->flow[i];
      double use = flow->rate * cost_of(flows, flow, resource);
      if (before >= 0 && use <= share)
        rest -= use;
      else
        over++;
    }
    if (over == 0) return;
    if (over == before) break;
    share = rest / over, before = over;
  }
  for (int i = 0; i < flows->count; i++) {
    struct flow *flow = &flows->flow[i];
    double cost = cost_of(flows, flow, resource);
    if (flow->rate * cost > share) flow->rate = share / cost;
  }
}

void accel_flows_share(struct flows *flows) {
  for (int i = 0; i < flows->count; i++) flows->flow[i].rate = flows->flow[i].alone;
  limit(flows, HBM, flows->hbm_rate);
  limit(flows, L2, flows->l2_rate);
  if (flows->l2_write_rate > 0) limit(flows, L2_OUT, flows->l2_write_rate);
  flows->next = INFINITY;
  for (int i = 0; i < flows->count; i++) {
    double end = flows->time + flows->flow[i].left / flows->flow[i].rate;
    if (end < flows->next) flows->next = end;
  }
  flows->changed = false;
}
