/* Masks: looked at as they lie, and written down as what is added to scores where that is needed. */
#include <math.h>
#include <string.h>

#include "src/attention/attention.h"

static bool has_slopes(const struct tsr_attention_problem *p) { return p->d.alibi && p->d.alibi_scales_mask; }

/* The mask of row r of the item's head from a key on. */
static tsr_mem mask_at(const struct tsr_attention_problem *p, const struct tsr_attention_item *item, int64_t r,
                       int64_t from) {
  int64_t head = item->head * p->group + r % p->group;
  return (tsr_mem)p->d.mask + (tsr_mem)(item->seq.b * p->step_mask[TSR_BATCH] + head * p->step_mask[TSR_HEAD] +
                                        r / p->group * p->step_mask[TSR_ROW] + from * tsr_size_of(p->d.mask_type));
}

/* Whether all n elements have this value in the bits that count. */
static bool all_8(tsr_mem at, int64_t n, uint8_t bits, uint8_t value) {
  uint8_t differ = 0;
  for (int64_t j = 0; j < n; j++) differ |= (((const uint8_t *)at)[j] & bits) ^ value;
  return differ == 0;
}
static bool all_16(tsr_mem at, int64_t n, uint16_t bits, uint16_t value) {
  typedef uint16_t loose __attribute__((aligned(1), may_alias));
  uint16_t differ = 0;
  for (int64_t j = 0; j < n; j++) differ |= (((const loose *)at)[j] & bits) ^ value;
  return differ == 0;
}
static bool all_32(tsr_mem at, int64_t n, uint32_t bits, uint32_t value) {
  typedef uint32_t loose __attribute__((aligned(1), may_alias));
  uint32_t differ = 0;
  for (int64_t j = 0; j < n; j++) differ |= (((const loose *)at)[j] & bits) ^ value;
  return differ == 0;
}
static bool none_is_0(tsr_mem at, int64_t n) { return !memchr((const void *)at, 0, (size_t)n); }

static bool shows_all(tsr_type type, tsr_mem at, int64_t n) {
  if (type == TSR_BOOL) return none_is_0(at, n);
  return type == TSR_F32 ? all_32(at, n, 0x7fffffff, 0) : all_16(at, n, 0x7fff, 0);
}

static bool hides_all(tsr_type type, tsr_mem at, int64_t n) {
  if (type == TSR_BOOL) return all_8(at, n, 0xff, 0);
  return type == TSR_F32 ? all_32(at, n, 0xffffffff, 0xff800000)
                         : all_16(at, n, 0xffff, type == TSR_F16 ? 0xfc00 : 0xff80);
}

/* What a row does to n keys: hides or shows them all, else LOADED. +0 and -0 add nothing. */
static enum tsr_attention_mask kind_of(tsr_type type, tsr_mem at, int64_t n) {
  if (shows_all(type, at, 1)) return shows_all(type, at, n) ? TSR_MASK_SHOWS : TSR_MASK_LOADED;
  return hides_all(type, at, n) ? TSR_MASK_HIDES : TSR_MASK_LOADED;
}

/* What all rows do alike; heads of one query are looked at once where they share its mask. */
static enum tsr_attention_mask look(const struct tsr_attention_problem *p, const struct tsr_attention_item *item,
                                    int64_t r0, int64_t rows, int64_t from, int64_t n) {
  enum tsr_attention_mask all = kind_of(p->d.mask_type, mask_at(p, item, r0, from), n);
  bool shared = p->step_mask[TSR_HEAD] == 0;
  for (int64_t r = r0; r < r0 + rows && all != TSR_MASK_LOADED; r += shared ? p->group - r % p->group : 1)
    if (kind_of(p->d.mask_type, mask_at(p, item, r, from), n) != all) all = TSR_MASK_LOADED;
  return all;
}

/* One row as what is added to scores: times log2(e) and the head's slope. */
static void load_row(struct tsr_attention_worker *w, const struct tsr_attention_item *item, int64_t r, int64_t from,
                     int64_t n, float *to) {
  const struct tsr_attention_problem *p = w->problem;
  tsr_mem mask = mask_at(p, item, r, from);
  double alpha = (has_slopes(p) ? p->d.alibi[item->head * p->group + r % p->group] : 1) * TSR_LOG2_E;
  if (p->d.mask_type == TSR_BOOL) {
    const uint8_t *seen = (const uint8_t *)mask;
    for (int64_t j = 0; j < n; j++) to[j] = seen[j] ? 0 : -INFINITY;
    return;
  }
  tsr_attention_convert(w, p->d.mask_type, TSR_F32, alpha != 0 ? (float)alpha : 1, n, 1, mask, 0, (tsr_mem)to, 0);
  for (int64_t j = 0; alpha == 0 && j < n; j++) to[j] = to[j] == -INFINITY ? -INFINITY : 0;
  for (int64_t j = 0; alpha < 0 && j < n; j++) to[j] = to[j] == INFINITY ? -INFINITY : to[j]; /* was -inf */
}

enum tsr_attention_mask tsr_attention_load_mask(struct tsr_attention_worker *w, const struct tsr_attention_item *item,
                                                int64_t r0, int64_t rows, int64_t *from, int64_t *to) {
  int64_t base = *from, n = *to - *from, first = n, last = 0;
  enum tsr_attention_mask kind = has_slopes(w->problem) ? TSR_MASK_LOADED : look(w->problem, item, r0, rows, base, n);
  if (kind != TSR_MASK_LOADED) return kind;
  for (int64_t r = 0; r < rows; r++) {
    float *bias = w->bias + r * TSR_CHUNK;
    load_row(w, item, r0 + r, base, n, bias);
    int64_t low = 0, high = n;
    while (low < first && bias[low] == -INFINITY) low++;
    while (high > last && bias[high - 1] == -INFINITY) high--;
    first = tsr_min(first, low);
    last = tsr_max(last, high);
  }
  *from = base + first;
  *to = base + last;
  return first < last ? TSR_MASK_LOADED : TSR_MASK_HIDES;
}
