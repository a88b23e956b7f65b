#include "conv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/conv/space.h"
#include "src/core/threads.h"

bool is_conv(const struct tsr_operator *op) { return op == &tsr_conv_operator; }

static bool wrong(char *why, const char *text) {
  snprintf(why, TSR_WHY_TEXT, "\"%.40s\" is no shape: expected C->K@SIZE RxS[/STRIDE] [pN[:N]] [dN] [gN] [T] [NBATCH] "
           "[type] [layout], or words", text);
  return false;
}

/* The value of a word of a field; 0: there is no such word. */
static int64_t word_of(int field, const char *word, size_t length) {
  const char *const *words = tsr_conv_operator.shape[field].words;
  for (int64_t i = 0; words[i]; i++)
    if (strlen(words[i]) == length && memcmp(words[i], word, length) == 0) return i + 1;
  return 0;
}

/* --- the short form ------------------------------------------------------------------------------------------------ */

static bool read_number(const char **at, int64_t *value) {
  char *end;
  if (**at < '0' || **at > '9') return false;
  long long number = strtoll(*at, &end, 10);
  *at = end;
  *value = number;
  return number <= TSR_MOST_SIZE;
}

/* "3x5": one to three sizes, packed. */
static bool read_sizes(const char **at, int64_t *packed) {
  int64_t sizes[TSR_MOST_SIZES];
  int n = 0;
  do {
    if (n == TSR_MOST_SIZES || !read_number(at, &sizes[n])) return false;
    n++;
  } while (**at == 'x' && (*at)++);
  *packed = tsr_sizes_pack(sizes, n);
  return true;
}

static bool read_image(const char *word, int64_t *at) {
  if (!read_number(&word, &at[TSR_CONV_CHANNELS]) || strncmp(word, "->", 2) != 0) return false;
  word += 2;
  if (!read_number(&word, &at[TSR_CONV_FILTER_COUNT]) || *word++ != '@') return false;
  return read_sizes(&word, &at[TSR_CONV_IN]) && !*word;
}

static bool read_kernel(const char *word, int64_t *at) {
  if (!read_sizes(&word, &at[TSR_CONV_KERNEL])) return false;
  if (*word == '/' && (word++, !read_sizes(&word, &at[TSR_CONV_STRIDE]))) return false;
  return *word == 0;
}

/* "f16" or "f16:f32", "nchw" or "nchw:nhwc". */
static bool read_pair(const char *word, int64_t *at) {
  static const char *const layouts[] = {"nhwc", "nchw"};
  const char *second = strchr(word, ':');
  size_t length = second ? (size_t)(second - word) : strlen(word);
  second = second ? second + 1 : NULL;
  int64_t type = word_of(TSR_CONV_TYPE, word, length);
  if (type) {
    at[TSR_CONV_TYPE] = type;
    at[TSR_CONV_TO] = second ? word_of(TSR_CONV_TO, second, strlen(second)) : 0;
    return !second || at[TSR_CONV_TO];
  }
  for (int i = 0; i < 2; i++) {
    if (length == 4 && memcmp(word, layouts[i], 4) == 0) at[TSR_CONV_X] = at[TSR_CONV_Y] = 1 + i, type = 1;
  }
  if (!type || !second) return type != 0;
  at[TSR_CONV_Y] = strcmp(second, layouts[0]) == 0 ? 1 : strcmp(second, layouts[1]) == 0 ? 2 : 0;
  return at[TSR_CONV_Y] != 0;
}

static bool read_word(const char *word, int64_t *at, int64_t *pad_end) {
  const char *rest = word + 1;
  if (strstr(word, "->")) return read_image(word, at);
  if (*word >= '0' && *word <= '9') return read_kernel(word, at);
  switch (*word) {
    case 'T': at[TSR_CONV_TRANSPOSED] = 2; return !*rest;
    case 'g': return read_number(&rest, &at[TSR_CONV_GROUP_COUNT]) && !*rest;
    case 'N': return read_number(&rest, &at[TSR_CONV_BATCH]) && !*rest;
    case 'd': return read_sizes(&rest, &at[TSR_CONV_DILATION]) && !*rest;
    case 'p':
      if (!read_sizes(&rest, &at[TSR_CONV_PAD])) return false;
      return !*rest || (*rest++ == ':' && read_sizes(&rest, pad_end) && !*rest);
    default: return read_pair(word, at);
  }
}

static bool shape_of_short_form(const char *text, int64_t *at, int64_t *pad_end, char *why) {
  char copy[TSR_VALUES_TEXT], *rest = NULL;
  snprintf(copy, sizeof copy, "%s", text);
  for (char *word = strtok_r(copy, " \t,\r\n", &rest); word; word = strtok_r(NULL, " \t,\r\n", &rest))
    if (!read_word(word, at, pad_end)) return wrong(why, text);
  return (at[TSR_CONV_IN] && at[TSR_CONV_KERNEL]) || wrong(why, text);
}

/* --- what is missing ----------------------------------------------------------------------------------------------- */

static int sizes_in(int64_t packed) {
  int64_t sizes[TSR_MOST_SIZES];
  return tsr_sizes_unpack(packed, sizes);
}

/* One size for all dimensions, or `usual` ones where none is given. */
static bool spread(int64_t *packed, int dims, const int64_t *usual) {
  int64_t sizes[TSR_MOST_SIZES];
  int n = tsr_sizes_unpack(*packed, sizes);
  if (n > 1 && n != dims) return false;
  for (int i = n; i < dims; i++) sizes[i] = n ? sizes[0] : usual[i];
  *packed = tsr_sizes_pack(sizes, dims);
  return true;
}

static bool spread_sizes(int64_t *at, int64_t *pad_end, int dims) {
  static const int64_t ones[TSR_MOST_SIZES] = {1, 1, 1};
  int64_t kernel[TSR_MOST_SIZES], dilation[TSR_MOST_SIZES], pad[TSR_MOST_SIZES];
  if (!at[TSR_CONV_IN] || !spread(&at[TSR_CONV_IN], dims, ones) || !spread(&at[TSR_CONV_KERNEL], dims, ones) ||
      !spread(&at[TSR_CONV_STRIDE], dims, ones) || !spread(&at[TSR_CONV_DILATION], dims, ones) ||
      (at[TSR_CONV_OUT] && !spread(&at[TSR_CONV_OUT], dims, ones)))
    return false;
  tsr_sizes_unpack(at[TSR_CONV_KERNEL], kernel);
  tsr_sizes_unpack(at[TSR_CONV_DILATION], dilation);
  for (int i = 0; i < dims; i++) pad[i] = tsr_max(0, kernel[i] - 1) / 2 * dilation[i];
  if (!spread(&at[TSR_CONV_PAD], dims, pad)) return false;
  tsr_sizes_unpack(at[TSR_CONV_PAD], pad);
  return spread(pad_end, dims, pad);
}

static bool take_last_error(char *why) {
  snprintf(why, TSR_WHY_TEXT, "%.*s", TSR_WHY_TEXT - 1, tsr_last_error());
  return false;
}

/* Sets `out` from the paddings. */
static bool set_out(struct tsr_values *shape, int64_t pad_end, char *why) {
  tsr_conv_desc d;
  int64_t *at = shape->at;
  if (at[TSR_CONV_OUT]) return true;
  at[TSR_CONV_OUT] = at[TSR_CONV_IN]; /* until it is known */
  tsr_conv_desc_of(shape, &d);
  tsr_sizes_unpack(pad_end, d.pad_end);
  if (tsr_conv_set_out(&d) != TSR_OK) return take_last_error(why);
  for (int i = 0; i < d.dims; i++)
    if (d.out[i] > TSR_MOST_SIZE) return wrong(why, "y of such a size");
  at[TSR_CONV_OUT] = tsr_sizes_pack(d.out, d.dims);
  return true;
}

static bool complete(const tsr_context *context, struct tsr_values *shape, int64_t pad_end, const char *text,
                     char *why) {
  int64_t *at = shape->at;
  static const int to_one[] = {TSR_CONV_TYPE, TSR_CONV_X, TSR_CONV_Y, TSR_CONV_BATCH, TSR_CONV_GROUP_COUNT,
                               TSR_CONV_TRANSPOSED};
  for (size_t i = 0; i < sizeof to_one / sizeof to_one[0]; i++)
    if (!at[to_one[i]]) at[to_one[i]] = 1;
  if (!at[TSR_CONV_TO]) at[TSR_CONV_TO] = conv_is_integer(shape) ? word_of(TSR_CONV_TO, "u8", 2) : at[TSR_CONV_TYPE];
  if (!at[TSR_CONV_THREADS]) at[TSR_CONV_THREADS] = tsr_threads_available(context);
  int dims = sizes_in(at[TSR_CONV_IN]), more = sizes_in(at[TSR_CONV_KERNEL]);
  if (more > dims) dims = more;
  if (!spread_sizes(at, &pad_end, dims)) return wrong(why, text);
  if (at[TSR_CONV_CHANNELS] == 0 || at[TSR_CONV_FILTER_COUNT] == 0) return wrong(why, text);
  return set_out(shape, pad_end, why);
}

bool conv_shape_of_text(const tsr_context *context, const char *text, struct tsr_values *shape, char *why) {
  const struct tsr_operator *op = &tsr_conv_operator;
  int64_t pad_end = 0;
  *shape = (struct tsr_values){{0}};
  bool read = strchr(text, '=') ? tsr_values_parse(op->shape, op->nshape, text, shape, why)
                                : shape_of_short_form(text, shape->at, &pad_end, why);
  if (!read || !complete(context, shape, pad_end, text, why)) return false;
  return tsr_shape_is_whole(op, shape, why) && tsr_conv_shape_in_range(context, shape, why);
}

/* --- what a shape is ----------------------------------------------------------------------------------------------- */

static struct tsr_conv_amount amount_of(const struct tsr_values *shape) {
  tsr_conv_desc d;
  struct tsr_conv_amount amount;
  tsr_conv_desc_of(shape, &d);
  tsr_conv_amount_of(&d, &amount);
  return amount;
}

double conv_flops(const struct tsr_values *shape) { return amount_of(shape).flops; }

double conv_bytes(const struct tsr_values *shape) {
  struct tsr_conv_amount amount = amount_of(shape);
  return amount.bytes_x + amount.bytes_w + amount.bytes_y;
}

bool conv_is_integer(const struct tsr_values *shape) {
  return shape->at[TSR_CONV_TYPE] >= word_of(TSR_CONV_TYPE, "u8", 2);
}

bool conv_is_small(const struct tsr_values *shape) {
  tsr_conv_desc d;
  struct tsr_conv_problem p;
  tsr_conv_desc_of(shape, &d);
  tsr_conv_normalise(&d, NULL, NULL, NULL, NULL, NULL, &p);
  return !tsr_conv_is_looked_up(&p);
}
