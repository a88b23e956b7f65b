/* From a descriptor to the normalised problem. */
#include "src/conv/conv.h"
#include "src/gemm/gemm.h"

/* Strides of a tensor [image][channel] with the sizes in[] or out[] of p->dim. */
static void set_strides(struct tsr_conv_tensor *t, bool last, int64_t channels, const int64_t *sizes) {
  int64_t size = tsr_size_of(t->type), pixel = last ? channels * size : size;
  t->dim[2] = pixel;
  t->dim[1] = t->dim[2] * sizes[2];
  t->dim[0] = t->dim[1] * sizes[1];
  int64_t plane = t->dim[0] * sizes[0];
  t->channel = last ? size : plane;
  t->image = last ? plane : plane * channels;
}

static bool mixes_pixels(const struct tsr_conv_dim *dim) {
  return dim->kernel != 1 || dim->stride != 1 || dim->in != dim->out;
}

/* Pixels that do not mix are one long row, over all images if channels lie last on both sides. */
static void join_pixels(struct tsr_conv_problem *p) {
  for (int i = 0; i < 3; i++)
    if (mixes_pixels(&p->dim[i])) return;
  struct tsr_conv_dim *row = &p->dim[2];
  row->in = row->out = p->dim[0].in * p->dim[1].in * row->in;
  if (p->x_last && p->y_last) {
    row->in = row->out = row->in * p->batch;
    p->batch = 1;
  }
  p->dim[0] = p->dim[1] = (struct tsr_conv_dim){1, 1, 1, 1, 1, 0};
}

/* A row of one pixel is no row: what varies moves to the last place. */
static void drop_last(struct tsr_conv_problem *p) {
  for (int i = 0; i < 2; i++) {
    const struct tsr_conv_dim *last = &p->dim[2];
    if (last->in != 1 || last->out != 1 || last->kernel != 1) return;
    for (int k = 2; k > 0; k--) {
      p->dim[k] = p->dim[k - 1];
      p->x.dim[k] = p->x.dim[k - 1];
      p->y.dim[k] = p->y.dim[k - 1];
    }
    p->dim[0] = (struct tsr_conv_dim){1, 1, 1, 1, 1, 0};
  }
}

static struct tsr_conv_weights strides_of_w(const struct tsr_conv_problem *p) {
  int64_t kernel = p->taps / p->cg;
  bool last = p->d->layout_w == TSR_CHANNELS_LAST;
  if (p->transposed)
    return (struct tsr_conv_weights){p->cg * kernel * p->kg, last ? 1 : kernel, kernel * p->kg, last ? p->kg : 1};
  return (struct tsr_conv_weights){p->kg * p->taps, p->taps, last ? 1 : kernel, last ? p->cg : 1};
}

void tsr_conv_normalise(const tsr_conv_desc *d, const void *x, const void *w, const void *bias, const void *add, void *y,
                        struct tsr_conv_problem *p) {
  int64_t in[3], out[3];
  *p = (struct tsr_conv_problem){.d = d, .transposed = d->transposed, .batch = d->batch, .groups = d->groups,
                                 .alpha = 1};
  p->type = tsr_conv_is_integer(d) ? TSR_S8 : d->type_x == TSR_F64 ? TSR_F64 : TSR_F32;
  p->cg = d->channels / d->groups;
  p->kg = d->filters / d->groups;
  p->taps = p->cg;
  for (int i = 0; i < 3; i++) {
    int at = i - (3 - d->dims);
    p->dim[i] = at < 0 ? (struct tsr_conv_dim){1, 1, 1, 1, 1, 0}
                       : (struct tsr_conv_dim){d->in[at], d->out[at], d->kernel[at], d->stride[at], d->dilation[at],
                                               d->pad_begin[at]};
    in[i] = p->dim[i].in;
    out[i] = p->dim[i].out;
    p->taps *= p->dim[i].kernel;
  }
  p->kb = tsr_gemm_kb(d->type_x == TSR_U8 ? TSR_S8 : d->type_x);
  p->x = (struct tsr_conv_tensor){.type = d->type_x, .at = (tsr_mem)x};
  p->y = (struct tsr_conv_tensor){.type = tsr_conv_type_of_y(d), .at = (tsr_mem)y};
  p->w = (tsr_mem)w;
  p->bias = (tsr_mem)bias;
  p->add = (tsr_mem)add;
  p->x_last = d->layout_x == TSR_CHANNELS_LAST || d->channels == 1;
  p->y_last = d->layout_y == TSR_CHANNELS_LAST || d->filters == 1;
  p->w_strides = strides_of_w(p);
  set_strides(&p->x, p->x_last, d->channels, in);
  set_strides(&p->y, p->y_last, d->filters, out);
  join_pixels(p);
  drop_last(p);
}

int64_t tsr_conv_work(const struct tsr_conv_problem *p) {
  int64_t work = tsr_saturating(p->batch * p->groups * p->kg, p->taps);
  for (int i = 0; i < 3; i++) work = tsr_saturating(work, p->dim[i].out);
  return work;
}
