#include "bench/conv_shapes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST (1 << 20) /* of one size: beyond it a line is more likely a mistake than a wish */

const char *const bench_conv_types[BENCH_CONV_TYPES] = {"f32", "f16", "bf16", "u8"};
const char *const bench_formats[BENCH_FORMATS] = {"nhwc", "nchw", "any"};

/* --- Sizes -------------------------------------------------------------------------------------------------------- */

static double product(const int64_t *sizes, int count) {
  double p = 1;
  for (int i = 0; i < count; i++) p *= (double)sizes[i];
  return p;
}

double bench_conv_x(const struct bench_conv *c) { return (double)(c->batch * c->channels) * product(c->in, c->dims); }
double bench_conv_y(const struct bench_conv *c) { return (double)(c->batch * c->filters) * product(c->out, c->dims); }

double bench_conv_w(const struct bench_conv *c) {
  return (double)(c->filters * (c->channels / c->groups)) * product(c->kernel, c->dims);
}

double bench_conv_flops(const struct bench_conv *c) {
  const int64_t *pixels = c->transposed ? c->in : c->out; /* each of which is multiplied by all weights */
  return 2 * bench_conv_w(c) * (double)c->batch * product(pixels, c->dims);
}

/* Padding that keeps the size at a stride of 1. */
static int64_t usual_pad(const struct bench_conv *c, int i) { return (c->kernel[i] - 1) / 2 * c->dilation[i]; }

/* Outputs follow from the rest; false if the sizes do not go together. */
static bool complete(struct bench_conv *c) {
  if (c->channels % c->groups || c->filters % c->groups) return false;
  for (int i = 0; i < c->dims; i++) {
    int64_t reach = c->dilation[i] * (c->kernel[i] - 1), pads = c->pad_begin[i] + c->pad_end[i];
    if (c->pad_begin[i] > reach || c->pad_end[i] > reach) return false;
    c->out[i] = c->transposed ? (c->in[i] - 1) * c->stride[i] - pads + reach + 1
                              : (c->in[i] + pads - reach - 1) / c->stride[i] + 1;
    if (c->in[i] + pads < reach + 1 || c->out[i] < 1) return false;
  }
  return true;
}

/* --- Lines -------------------------------------------------------------------------------------------------------- */

static bool number(char **at, int64_t *value) {
  char *end;
  long long n = strtoll(*at, &end, 10);
  if (end == *at || n < 0 || n > LARGEST) return false;
  *at = end;
  *value = n;
  return true;
}

/* "3" or "3x5": 1 to 3 numbers. How many, 0: none. */
static int numbers(char **at, int64_t *values) {
  int count = 0;
  do {
    if (count == 3 || !number(at, &values[count])) return 0;
    count++;
  } while (**at == 'x' && (*at)++);
  return count;
}

/* The same, where one number stands for all. */
static bool sizes(char **at, int dims, int64_t least, int64_t *values) {
  int count = numbers(at, values);
  if (count != 1 && count != dims) return false;
  for (int i = 0; i < dims; i++) {
    if (count == 1) values[i] = values[0];
    if (values[i] < least) return false;
  }
  return true;
}

/* A word behind the kernel. */
static bool take_word(char *word, struct bench_conv *c, bool *padded) {
  char *at = word + 1;
  for (int i = 1; i < BENCH_CONV_TYPES; i++)
    if (strcmp(word, bench_conv_types[i]) == 0) return c->type = (enum bench_conv_type)i, true;
  switch (*word) {
    case 'T': c->transposed = 1; break;
    case 'g': if (!number(&at, &c->groups) || c->groups < 1) return false; break;
    case 'N': if (!number(&at, &c->batch) || c->batch < 1) return false; break;
    case 'd': if (!sizes(&at, c->dims, 1, c->dilation)) return false; break;
    case 'p':
      *padded = true;
      if (!sizes(&at, c->dims, 0, c->pad_begin)) return false;
      memcpy(c->pad_end, c->pad_begin, sizeof c->pad_end);
      if (*at == ':' && (at++, !sizes(&at, c->dims, 0, c->pad_end))) return false;
      break;
    default: return false;
  }
  return *at == 0;
}

/* "C->K@in" */
static bool take_image(char *at, struct bench_conv *c, int *images) {
  if (!number(&at, &c->channels) || strncmp(at, "->", 2) != 0) return false;
  at += 2;
  if (!number(&at, &c->filters) || *at++ != '@') return false;
  *images = numbers(&at, c->in);
  return *images && *at == 0 && c->channels > 0 && c->filters > 0;
}

/* "RxS/stride" */
static bool take_kernel(char *at, struct bench_conv *c, int images) {
  c->dims = numbers(&at, c->kernel);
  if (!c->dims || (images != 1 && images != c->dims)) return false;
  for (int i = 0; i < c->dims; i++) {
    if (images == 1) c->in[i] = c->in[0];
    if (c->kernel[i] < 1 || c->in[i] < 1) return false;
  }
  return *at == 0 || (*at++ == '/' && sizes(&at, c->dims, 1, c->stride) && *at == 0);
}

static bool parse(char *line, struct bench_conv *c) {
  static const char space[] = " \t\r\n";
  char *rest, *image = strtok_r(line, space, &rest), *kernel = strtok_r(NULL, space, &rest), *word;
  bool padded = false;
  int images;
  *c = (struct bench_conv){.groups = 1};
  for (int i = 0; i < 3; i++) c->in[i] = c->out[i] = c->kernel[i] = c->stride[i] = c->dilation[i] = 1;
  if (!image || !kernel || !take_image(image, c, &images) || !take_kernel(kernel, c, images)) return false;
  while ((word = strtok_r(NULL, space, &rest)))
    if (!take_word(word, c, &padded)) return false;
  for (int i = 0; i < c->dims && !padded; i++) c->pad_begin[i] = c->pad_end[i] = usual_pad(c, i);
  return complete(c);
}

static int append(struct bench_convs *shapes, const struct bench_conv *c) {
  struct bench_conv *grown = realloc(shapes->shape, (size_t)(shapes->count + 1) * sizeof *c);
  if (!grown) return -1;
  shapes->shape = grown;
  shapes->shape[shapes->count++] = *c;
  return 0;
}

int bench_convs_read(struct bench_convs *shapes, const char *path, const char *section) {
  char line[256], name[64] = "";
  FILE *file = fopen(path, "r");
  int status = file ? 0 : -1;
  if (!file) fprintf(stderr, "tessera-bench: cannot read shapes from %s: %s\n", path, strerror(errno));
  for (int at = 1; status == 0 && fgets(line, sizeof line, file); at++) {
    struct bench_conv c;
    line[strcspn(line, "#\n")] = 0;
    if (line[strspn(line, " \t\r")] == 0 || sscanf(line, " [%63[a-z0-9]]", name) == 1) continue;
    if (section && strcmp(section, name) != 0) continue;
    status = parse(line, &c) ? append(shapes, &c) : -1;
    if (status != 0)
      fprintf(stderr, "tessera-bench: %s:%d: expected `C->K@SIZE RxS[/stride] [pBEGIN[:END]] [dDILATION] [gGROUPS] [T] "
                      "[NBATCH] [f16|bf16|u8]`, see bench/shapes/conv.txt\n", path, at);
  }
  if (file) fclose(file);
  return status;
}

/* --- Labels ------------------------------------------------------------------------------------------------------- */

static bool all_equal(const int64_t *values, int count) {
  for (int i = 1; i < count; i++)
    if (values[i] != values[0]) return false;
  return true;
}

static size_t put(char *text, size_t size, size_t used, const char *before, const int64_t *values, int count) {
  for (int i = 0; i < count && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%s%lld", i ? "x" : before, (long long)values[i]);
  return used;
}

/* One number where all are equal. */
static size_t put_short(char *text, size_t size, size_t used, const char *before, const int64_t *values, int count) {
  return put(text, size, used, before, values, all_equal(values, count) ? 1 : count);
}

static bool all_are(const int64_t *values, int count, int64_t what) {
  return all_equal(values, count) && values[0] == what;
}

static bool usually_padded(const struct bench_conv *c) {
  for (int i = 0; i < c->dims; i++)
    if (c->pad_begin[i] != usual_pad(c, i) || c->pad_end[i] != usual_pad(c, i)) return false;
  return true;
}

void bench_conv_label(const struct bench_conv *c, char *text, size_t size) {
  size_t used = (size_t)snprintf(text, size, "%lld->%lld", (long long)c->channels, (long long)c->filters);
  used = put_short(text, size, used, "@", c->in, c->dims);
  used = put(text, size, used, " ", c->kernel, c->dims);
  if (!all_are(c->stride, c->dims, 1)) used = put_short(text, size, used, "/", c->stride, c->dims);
  if (!usually_padded(c)) {
    used = put_short(text, size, used, " p", c->pad_begin, c->dims);
    if (memcmp(c->pad_begin, c->pad_end, sizeof c->pad_end) != 0)
      used = put_short(text, size, used, ":", c->pad_end, c->dims);
  }
  if (!all_are(c->dilation, c->dims, 1)) used = put_short(text, size, used, " d", c->dilation, c->dims);
  if (c->groups > 1) used = put(text, size, used, " g", &c->groups, 1);
  if (used < size) used += (size_t)snprintf(text + used, size - used, "%s", c->transposed ? " T" : "");
  if (c->batch > 1) used = put(text, size, used, " N", &c->batch, 1);
  if (c->type != BENCH_CONV_F32 && used < size) snprintf(text + used, size - used, " %s", bench_conv_types[c->type]);
}

/* --- A corpus ----------------------------------------------------------------------------------------------------- */

static uint64_t state;

static int64_t below(int64_t n) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return (int64_t)(state >> 33) % n;
}

static int64_t one_of(const int64_t *values, int count) { return values[below(count)]; }
#define ONE_OF(...) one_of((const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

enum kind { PLAIN, POINTWISE, DEPTHWISE, GROUPED, LINE, SOLID, TRANSPOSED, DILATED, WIDE, FIRST, FEW, STRIPES, KINDS };

static void set_all(int64_t *values, int64_t value) { values[0] = values[1] = values[2] = value; }

static int64_t some_channels(void) {
  return below(4) ? ONE_OF(16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024) : 1 + below(400);
}

static void draw_groups(struct bench_conv *c, enum kind kind) {
  if (kind == DEPTHWISE) {
    c->groups = c->channels;
    c->filters = c->channels * ONE_OF(1, 1, 1, 2);
    set_all(c->kernel, ONE_OF(3, 3, 5, 7));
  } else {
    c->groups = ONE_OF(2, 4, 8, 32);
    c->channels = c->groups * ONE_OF(4, 8, 12, 16, 32);
    c->filters = c->groups * ONE_OF(4, 8, 16, 32);
  }
}

static void draw_first(struct bench_conv *c) {
  c->channels = ONE_OF(1, 2, 3, 4);
  c->in[0] = c->in[1] = 96 + below(160);
  set_all(c->kernel, ONE_OF(3, 4, 5, 7));
  set_all(c->stride, ONE_OF(1, 2, 4));
}

/* What tells the kinds apart; everything else is drawn for all alike. */
static void draw_kind(struct bench_conv *c, enum kind kind) {
  switch (kind) {
    case POINTWISE: set_all(c->kernel, 1); break;
    case DEPTHWISE:
    case GROUPED: draw_groups(c, kind); break;
    case LINE: c->dims = 1, c->in[0] = 64 + below(8000), set_all(c->kernel, ONE_OF(3, 5, 7, 15, 31)); break;
    case SOLID: c->dims = 3, c->in[0] = 4 + below(12), c->in[1] = c->in[2] = 7 + below(24); break;
    case TRANSPOSED:
      c->transposed = 1;
      set_all(c->stride, ONE_OF(1, 2, 2, 2));
      set_all(c->kernel, ONE_OF(2, 3, 4, 5));
      break;
    case DILATED: set_all(c->dilation, ONE_OF(2, 4, 6)), set_all(c->kernel, 3); break;
    case WIDE: set_all(c->kernel, ONE_OF(5, 7, 9, 11)); break;
    case FIRST: draw_first(c); break;
    case FEW: c->filters = 1 + below(8); break;
    case STRIPES: c->kernel[0] = ONE_OF(1, 1, 3), c->kernel[1] = ONE_OF(3, 5, 7); break;
    default: break;
  }
}

static void draw(struct bench_conv *c, enum kind kind) {
  *c = (struct bench_conv){.dims = 2, .batch = ONE_OF(1, 1, 1, 2, 8), .groups = 1, .channels = some_channels(),
                           .filters = some_channels()};
  set_all(c->dilation, 1);
  set_all(c->kernel, 3);
  set_all(c->stride, ONE_OF(1, 1, 1, 2));
  c->in[0] = below(2) ? ONE_OF(7, 14, 28, 56) : 1 + below(112);
  c->in[1] = below(2) ? c->in[0] : 1 + below(112);
  c->in[2] = 1;
  draw_kind(c, kind);
  for (int i = 0; i < c->dims; i++) c->pad_begin[i] = c->pad_end[i] = below(5) ? usual_pad(c, i) : 0;
}

/* Some milliseconds at most, and not so little that nothing but a call's overhead is seen. */
static bool is_fit(const struct bench_conv *c) {
  double flops = bench_conv_flops(c), most = bench_conv_x(c) + bench_conv_w(c) + bench_conv_y(c);
  return flops >= 2e5 && flops <= 6e8 && most <= 8e6;
}

int bench_convs_draw(struct bench_convs *shapes, int count, unsigned seed) {
  state = 0x9e3779b97f4a7c15u * (seed + 1u);
  for (int i = 0; i < count;) {
    struct bench_conv c;
    draw(&c, (enum kind)(i % KINDS));
    if (!complete(&c) || !is_fit(&c)) continue;
    if (append(shapes, &c) != 0) return -1;
    i++;
  }
  return 0;
}
