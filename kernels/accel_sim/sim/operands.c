/* Operands: counts, and addresses with all that is reached from them. */
#include <stdarg.h>
#include <stdio.h>

#include "kernels/accel_sim/sim/operation.h"

int64_t accel_times(int64_t a, int64_t b) {
  int64_t product;
  return __builtin_mul_overflow(a, b, &product) || product > INT64_MAX / 2 ? INT64_MAX / 2 : product;
}

/* "operand 2 (src) is 4711: " and what is wrong with it. */
static bool fail(struct operation *o, enum accel_fault_kind kind, int i, const char *name, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
static bool fail(struct operation *o, enum accel_fault_kind kind, int i, const char *name, const char *format, ...) {
  char what[256];
  va_list list;
  va_start(list, format);
  vsnprintf(what, sizeof what, format, list);
  va_end(list);
  bool address = kind == ACCEL_MISALIGNED || kind == ACCEL_OUT_OF_RANGE;
  unsigned long long bits = (unsigned long long)o->value[i];
  if (address) return accel_fail(o->m, kind, &o->site, "operand %d (%s) is 0x%llx: %s", i + 1, name, bits, what);
  return accel_fail(o->m, kind, &o->site, "operand %d (%s) is %lld: %s", i + 1, name, (long long)bits, what);
}

int64_t accel_count(struct operation *o, int i, const char *name) {
  int64_t value = o->value[i];
  if (value >= 0 && value <= INT32_MAX) return value;
  fail(o, ACCEL_BAD_OPERAND, i, name, "counts are 0 .. %d", INT32_MAX);
  return 0;
}

int64_t accel_pitch(struct operation *o, int i, const char *name) {
  int64_t value = o->value[i];
  if (value >= 0) return value;
  fail(o, ACCEL_BAD_OPERAND, i, name, "rows are 0 or more bytes apart");
  return 0;
}

/* Ranges. */

static bool aligned(struct operation *o, int i, const char *name, const struct accel_range *range, int64_t element) {
  int64_t align = (int64_t)o->m->params.align[range->buffer];
  if (range->buffer == ACCEL_GM && align < element) align = element;
  const char *buffer = accel_buffer_names[range->buffer];
  if (range->address % (uint64_t)align)
    return fail(o, ACCEL_MISALIGNED, i, name, "here, addresses in %s are multiples of %lld", buffer, (long long)align);
  if (range->rows > 1 && range->pitch % align)
    return fail(o, ACCEL_MISALIGNED, i, name, "its rows are %lld bytes apart, but begin at multiples of %lld in %s",
                (long long)range->pitch, (long long)align, buffer);
  return true;
}

static bool fail_global(struct operation *o, int i, const char *name, uint64_t address, int64_t extent) {
  const struct allocation *near = accel_gm_find(&o->m->gm, address, 0), *freed = accel_gm_freed(&o->m->gm, address);
  if (near)
    return fail(o, ACCEL_OUT_OF_RANGE, i, name, "%lld bytes from there go beyond the allocation of %zu bytes at 0x%llx",
                (long long)extent, near->bytes, (unsigned long long)near->address);
  if (freed)
    return fail(o, ACCEL_OUT_OF_RANGE, i, name, "in the allocation of %zu bytes at 0x%llx, which was freed",
                freed->bytes, (unsigned long long)freed->address);
  return fail(o, ACCEL_OUT_OF_RANGE, i, name, "not in any allocation of global memory");
}

static unsigned char *locate(struct operation *o, int i, const char *name, const struct accel_range *range) {
  int64_t extent = accel_times(range->rows - 1, range->pitch) + range->bytes;
  if (range->buffer == ACCEL_GM) {
    const struct allocation *a = accel_gm_find(&o->m->gm, range->address, (size_t)extent);
    if (a) return a->host + (range->address - a->address);
    fail_global(o, i, name, range->address, extent);
    return NULL;
  }
  size_t bytes = o->m->params.bytes[range->buffer];
  if (range->address <= bytes && (size_t)extent <= bytes - range->address)
    return o->m->options.no_data ? NULL : o->core->buffer[range->buffer] + range->address;
  fail(o, ACCEL_OUT_OF_RANGE, i, name, "%lld bytes from there go beyond the %zu of %s", (long long)extent, bytes,
       accel_buffer_names[range->buffer]);
  return NULL;
}

static unsigned char *access_range(struct operation *o, int i, const char *name, enum access_mode mode,
                                   struct accel_range range, int64_t element) {
  if (o->m->fault.kind || !aligned(o, i, name, &range, element)) return NULL;
  unsigned char *host = locate(o, i, name, &range);
  if (mode != WRITE) o->access[o->count++] = (struct access){range, false};
  if (mode != READ) o->access[o->count++] = (struct access){range, true};
  return host;
}

unsigned char *accel_access_rows(struct operation *o, int i, const char *name, enum accel_buffer buffer,
                                 enum access_mode mode, int64_t rows, int64_t bytes, int64_t pitch, int64_t element) {
  bool may_overlap = rows == 1 || (buffer == ACCEL_GM && mode == READ); /* a row for all: one that is read again */
  if (pitch < bytes && !may_overlap)
    fail(o, ACCEL_BAD_OPERAND, i, name, "its rows of %lld bytes are only %lld apart", (long long)bytes,
         (long long)pitch);
  struct accel_range range = {buffer, (uint64_t)o->value[i], rows, bytes, rows == 1 ? bytes : pitch};
  return access_range(o, i, name, mode, range, element);
}

unsigned char *accel_access_bytes(struct operation *o, int i, const char *name, enum accel_buffer buffer,
                                  enum access_mode mode, int64_t bytes) {
  return access_range(o, i, name, mode, (struct accel_range){buffer, (uint64_t)o->value[i], 1, bytes, bytes}, 1);
}

unsigned char *accel_access_fractals(struct operation *o, int i, const char *name, enum accel_buffer buffer,
                                     enum access_mode mode, int64_t high, int64_t wide, int64_t blocks) {
  int64_t fractal = buffer == ACCEL_L0C ? L0C_FRACTAL : FRACTAL;
  if (wide > 1 && blocks < high)
    fail(o, ACCEL_BAD_OPERAND, i, name, "its columns of %lld fractals are only %lld apart", (long long)high,
         (long long)blocks);
  int64_t pitch = (wide > 1 ? blocks : high) * fractal;
  struct accel_range range = {buffer, (uint64_t)o->value[i], wide, high * fractal, pitch};
  return access_range(o, i, name, mode, range, 1);
}
