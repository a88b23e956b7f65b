#include "bench/shapes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST (1 << 24) /* of one size: beyond it a line is more likely a mistake than a wish */

static int append(struct bench_shapes *shapes, struct bench_shape shape) {
  struct bench_shape *grown = realloc(shapes->shape, (size_t)(shapes->count + 1) * sizeof shape);
  if (!grown) return -1;
  shapes->shape = grown;
  shapes->shape[shapes->count++] = shape;
  return 0;
}

static int is_trans(const char *letter) { return letter[0] == 'T' && !letter[1]; }
static int is_letter(const char *letter) { return is_trans(letter) || (letter[0] == 'N' && !letter[1]); }

/* 1: a shape, 0: nothing but space or a comment, -1: not understood. */
static int parse(char *line, struct bench_shape *s) {
  char ta[8], tb[8], more[2];
  char *comment = strchr(line, '#');
  if (comment) *comment = 0;
  if (line[strspn(line, " \t\r\n")] == 0) return 0;
  long long m, n, k;
  if (sscanf(line, "%lld %lld %lld %7s %7s %1s", &m, &n, &k, ta, tb, more) != 5) return -1;
  if (m < 1 || n < 1 || k < 1 || m > LARGEST || n > LARGEST || k > LARGEST) return -1;
  if (!is_letter(ta) || !is_letter(tb)) return -1;
  *s = (struct bench_shape){m, n, k, is_trans(ta), is_trans(tb)};
  return 1;
}

int bench_shapes_read(struct bench_shapes *shapes, const char *path) {
  char line[256];
  FILE *file = fopen(path, "r");
  if (!file) {
    fprintf(stderr, "tessera-bench: cannot read shapes from %s: %s\n", path, strerror(errno));
    return -1;
  }
  int status = 0;
  for (int number = 1; status == 0 && fgets(line, sizeof line, file); number++) {
    struct bench_shape shape;
    int found = parse(line, &shape);
    if (found > 0) status = append(shapes, shape);
    if (found < 0) {
      fprintf(stderr, "tessera-bench: %s:%d: expected `m n k N|T N|T`, sizes from 1 to %d\n", path, number, LARGEST);
      status = -1;
    }
  }
  fclose(file);
  return status;
}
