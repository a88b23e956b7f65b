#include "shapes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attention.h"
#include "conv.h"
#include "src/core/threads.h"
#include "src/gemm/device_space.h"
#include "src/gemm/space.h"

/* Of one size: beyond it a text is more likely a mistake than a wish. On a device so many plans take too long. */
#define LARGEST (1 << 24)
#define LARGEST_ON_DEVICE (1 << 20)

int64_t shape_field(const struct tsr_operator *op, const struct tsr_values *shape, const char *name) {
  for (int i = 0; i < op->nshape; i++)
    if (strcmp(op->shape[i].name, name) == 0) return shape->at[i];
  return 0;
}

/* --- the list ----------------------------------------------------------------------------------------------------- */

static int find_slot(const struct shapes *s, const struct tsr_values *values) {
  uint64_t h = 0;
  for (int i = 0; i < TSR_MOST_FIELDS; i++) h = (h ^ (uint64_t)values->at[i]) * 0x9e3779b97f4a7c15u, h ^= h >> 29;
  int i = (int)(h & (uint64_t)(s->slots - 1));
  while (s->slot[i] && memcmp(&s->shape[s->slot[i] - 1].values, values, sizeof *values) != 0)
    i = (i + 1) & (s->slots - 1);
  return i;
}

static bool grow(struct shapes *s) {
  int slots = s->slots ? 2 * s->slots : 64;
  int *slot = calloc((size_t)slots, sizeof *slot);
  struct shape *shape = slot ? realloc(s->shape, (size_t)slots / 2 * sizeof *shape) : NULL;
  if (!shape) {
    free(slot);
    return false;
  }
  free(s->slot);
  s->shape = shape, s->room = slots / 2;
  s->slot = slot, s->slots = slots;
  for (int i = 0; i < s->n; i++) s->slot[find_slot(s, &s->shape[i].values)] = i + 1;
  return true;
}

static bool add(struct shapes *s, const struct tsr_values *values, double weight, char *why) {
  if (s->n == s->room && !grow(s)) {
    snprintf(why, TSR_WHY_TEXT, "there is no memory for more shapes");
    return false;
  }
  int slot = find_slot(s, values);
  if (!s->slot[slot]) {
    s->shape[s->n] = (struct shape){.values = *values};
    s->slot[slot] = ++s->n;
  }
  s->shape[s->slot[slot] - 1].weight += weight;
  return true;
}

static int heavier(const void *x, const void *y) {
  const struct shape *a = x, *b = y;
  if (a->weight == b->weight) return a->order - b->order;
  return a->weight < b->weight ? 1 : -1;
}

void shapes_sort(struct shapes *s) {
  for (int i = 0; i < s->n; i++) s->shape[i].order = i;
  if (s->n > 0) qsort(s->shape, (size_t)s->n, sizeof *s->shape, heavier);
  memset(s->slot, 0, (size_t)s->slots * sizeof *s->slot);
  for (int i = 0; i < s->n; i++) s->slot[find_slot(s, &s->shape[i].values)] = i + 1;
}

void shapes_free(struct shapes *s) {
  free(s->shape);
  free(s->slot);
  s->shape = NULL, s->slot = NULL;
  s->n = s->room = s->slots = 0;
}

/* --- one shape ---------------------------------------------------------------------------------------------------- */

static bool check_sizes(const struct shapes *s, const struct tsr_values *shape, char *why) {
  static const char *const sizes[] = {"m", "n", "k"};
  int64_t most = s->context->device ? LARGEST_ON_DEVICE : LARGEST;
  for (int i = 0; i < 3; i++) {
    int64_t size = shape_field(s->op, shape, sizes[i]);
    if (size >= 1 && size <= most) continue;
    snprintf(why, TSR_WHY_TEXT, "%s is %lld: sizes are from 1 to %lld", sizes[i], (long long)size, (long long)most);
    return false;
  }
  return true;
}

/* "n" or "t", in any case. */
static bool read_layout(const char *text, tsr_trans *trans) {
  *trans = strcmp(text, "T") == 0 || strcmp(text, "t") == 0 ? TSR_TRANS : TSR_NO_TRANS;
  return *trans == TSR_TRANS || strcmp(text, "N") == 0 || strcmp(text, "n") == 0;
}

static bool read_numbers(const char *text, tsr_gemm_desc *d, char *why) {
  char ta[8] = "N", tb[8] = "N", more[2];
  long long m, n, k;
  int got = sscanf(text, "%lld %lld %lld %7s %7s %1s", &m, &n, &k, ta, tb, more);
  if ((got == 3 || got == 5) && read_layout(ta, &d->trans_a) && read_layout(tb, &d->trans_b)) {
    d->m = m, d->n = n, d->k = k;
    if (m >= 1 && n >= 1 && k >= 1 && m <= LARGEST && n <= LARGEST && k <= LARGEST) return true;
    snprintf(why, TSR_WHY_TEXT, "\"%.40s\": sizes are from 1 to %d", text, LARGEST);
    return false;
  }
  snprintf(why, TSR_WHY_TEXT, "\"%.40s\" is no shape: expected m n k and perhaps N|T N|T, or m=... n=... k=...", text);
  return false;
}

static bool shape_of_numbers(const struct shapes *s, tsr_gemm_desc d, tsr_type type, struct tsr_values *shape,
                             char *why) {
  struct tsr_gemm_problem problem;
  char words[TSR_VALUES_TEXT];
  d.type = type;
  if (s->context->device && type != TSR_S8) d.type_c = TSR_F32;
  d.lda = d.trans_a == TSR_TRANS ? d.m : d.k;
  d.ldb = d.trans_b == TSR_TRANS ? d.k : d.n;
  d.ldc = d.n;
  if (tsr_gemm_check(s->context, &d) != TSR_OK) {
    snprintf(why, TSR_WHY_TEXT, "%.*s", TSR_WHY_TEXT - 1, tsr_last_error());
    return false;
  }
  tsr_gemm_normalise(&d, NULL, NULL, NULL, &problem);
  tsr_gemm_words(s->context, &problem, words);
  return tsr_values_parse(s->op->shape, s->op->nshape, words, shape, why);
}

/* Missing words as for a call with strides as short as can be. */
static void complete_on_cpu(const struct shapes *s, struct tsr_values *shape) {
  int64_t *at = shape->at, size = tsr_size_of(tsr_gemm_type_at(shape));
  if (!at[TSR_SHAPE_A]) at[TSR_SHAPE_A] = 1;
  if (!at[TSR_SHAPE_B]) at[TSR_SHAPE_B] = 1;
  if (!at[TSR_SHAPE_THREADS]) at[TSR_SHAPE_THREADS] = tsr_threads_available(s->context);
  int64_t lda = at[TSR_SHAPE_A] == 1 ? at[TSR_SHAPE_M] : at[TSR_SHAPE_K];
  int64_t ldb = at[TSR_SHAPE_B] == 1 ? at[TSR_SHAPE_K] : at[TSR_SHAPE_N];
  int in_a_page = (int)(4096 / size);
  if (!at[TSR_SHAPE_PAGES])
    at[TSR_SHAPE_PAGES] =
        1 + (lda % in_a_page == 0) + 2 * (ldb % in_a_page == 0) + 4 * (at[TSR_SHAPE_M] % in_a_page == 0);
}

static void complete_on_device(struct tsr_values *shape) {
  int64_t *at = shape->at;
  if (!at[TSR_DEVICE_TO]) at[TSR_DEVICE_TO] = at[TSR_DEVICE_TYPE] == TSR_S8 ? TSR_S32 : TSR_F32;
  if (!at[TSR_DEVICE_A]) at[TSR_DEVICE_A] = 1;
  if (!at[TSR_DEVICE_B]) at[TSR_DEVICE_B] = 1;
  if (!at[TSR_DEVICE_SUMS]) at[TSR_DEVICE_SUMS] = 1;
}

static bool fields_in_range(const struct shapes *s, const struct tsr_values *shape, char *why) {
  int64_t pages = shape_field(s->op, shape, "pages"), threads = shape_field(s->op, shape, "threads");
  if (pages > 8) snprintf(why, TSR_WHY_TEXT, "pages is %lld: it is from 1 to 8", (long long)pages);
  else if (threads > TSR_MAX_THREADS)
    snprintf(why, TSR_WHY_TEXT, "threads is %lld: at most %d can be used", (long long)threads, TSR_MAX_THREADS);
  else return true;
  return false;
}

static bool shape_of_words(const struct shapes *s, const char *text, tsr_type type, struct tsr_values *shape,
                           char *why) {
  struct tsr_values one;
  if (!tsr_values_parse(s->op->shape, s->op->nshape, text, shape, why) || !check_sizes(s, shape, why)) return false;
  if (!shape->at[0]) shape->at[0] = type; /* the first field of every operator's shapes */
  if (s->context->device) complete_on_device(shape);
  else complete_on_cpu(s, shape);
  if (!tsr_shape_is_whole(s->op, shape, why) || !fields_in_range(s, shape, why)) return false;
  if (s->op->candidates(s->context, shape, &one, 1) > 0) return true;
  snprintf(why, TSR_WHY_TEXT, "there is no plan for this shape here: its type may be one that has no kernels");
  return false;
}

bool shapes_add_text(struct shapes *s, const char *text, double weight, char *why) {
  struct tsr_values shape[2];
  if (is_attention(s->op))
    return attention_shape_of_text(s->context, text, &shape[0], why) && add(s, &shape[0], weight, why);
  if (is_conv(s->op)) return conv_shape_of_text(s->context, text, &shape[0], why) && add(s, &shape[0], weight, why);
  tsr_gemm_desc d = TSR_GEMM_DESC;
  bool words = strchr(text, '=') != NULL;
  int n = 0;
  if (!words && !read_numbers(text, &d, why)) return false;
  for (; n < 2 && s->types[n]; n++) {
    tsr_type type = (tsr_type)s->types[n];
    if (words ? !shape_of_words(s, text, type, &shape[n], why)
              : !shape_of_numbers(s, d, type, &shape[n], why) || !check_sizes(s, &shape[n], why))
      return false;
  }
  if (n == 2 && memcmp(&shape[0], &shape[1], sizeof *shape) == 0) n = 1; /* the words name the type */
  for (int i = 0; i < n; i++)
    if (!add(s, &shape[i], weight, why)) return false;
  return true;
}

/* --- files -------------------------------------------------------------------------------------------------------- */

static FILE *open_to_read(const char *command, const char *path) {
  FILE *file = fopen(path, "re");
  if (!file) fprintf(stderr, "%s: %s cannot be read: %s\n", command, path, strerror(errno));
  return file;
}

static bool end_of_reading(FILE *file, char *line, const char *command, const char *path) {
  bool readable = !ferror(file);
  if (!readable) fprintf(stderr, "%s: %s cannot be read: %s\n", command, path, strerror(errno));
  fclose(file);
  free(line);
  return readable;
}

/* Or "[section]", as lists of convolutions have them. */
static bool is_blank(const char *line) {
  line += strspn(line, " \t\r\n");
  return *line == 0 || *line == '[';
}

bool shapes_add_file(struct shapes *s, const char *command, const char *path) {
  char why[TSR_WHY_TEXT], *line = NULL;
  size_t size = 0;
  bool good = true;
  FILE *file = open_to_read(command, path);
  if (!file) return false;
  for (long number = 1; good && getline(&line, &size, file) >= 0; number++) {
    line[strcspn(line, "#\r\n")] = 0;
    good = is_blank(line) || shapes_add_text(s, line, 0, why);
    if (!good) fprintf(stderr, "%s: %s:%ld: %s\n", command, path, number, why);
  }
  return end_of_reading(file, line, command, path) && good;
}

/* The seconds in "... 612.3 us ...". */
static double seconds_of(const char *line) {
  const char *unit = strstr(line, " us "), *number = unit;
  while (number && number > line && number[-1] != ' ') number--;
  double us = number ? strtod(number, NULL) : 0;
  return us > 0 && us < 1e12 ? 1e-6 * us : 0;
}

/* The line ends with "{gemm type=... }"; it says its threads and its type. */
static bool add_line(struct shapes *s, char *line) {
  char why[TSR_WHY_TEXT];
  char *open = strrchr(line, '{'), *close = open ? strchr(open, '}') : NULL;
  size_t length = strlen(s->op->name);
  if (!close || strncmp(open + 1, s->op->name, length) != 0 || open[1 + length] != ' ') return false;
  double seconds = seconds_of(line);
  *close = 0;
  return strchr(open, '=') && shapes_add_text(s, open + 1 + length, seconds, why);
}

bool shapes_add_trace(struct shapes *s, const char *command, const char *path, struct shapes_traced *traced) {
  char *line = NULL;
  size_t size = 0;
  FILE *file = open_to_read(command, path);
  if (!file) return false;
  while (getline(&line, &size, file) >= 0) {
    if (add_line(s, line)) traced->calls++;
    else if (!is_blank(line)) traced->others++;
  }
  return end_of_reading(file, line, command, path);
}
