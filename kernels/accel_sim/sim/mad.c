/* mad: operands become panels of f32 once, then tiles of C run over k in the host's widest vectors. s8 goes the same
 * way: sums of a panel's k are exact in f32, and panels are added in 32 bits. All rows and columns of the last fractals
 * are computed, as the cube does. */
#include "kernels/accel_sim/sim/mad.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "kernels/accel_sim/sim/convert.h"
#include "kernels/accel_sim/sim/move.h"
#include "kernels/accel_sim/sim/transpose.h"

enum {
  SIDE = 16,       /* rows of any fractal; columns of L0C's */
  ROW_BYTES = 32,  /* of k */
  FRACTAL = SIDE * ROW_BYTES,
  ROW_C = SIDE * 4,
  FRACTAL_C = SIDE * ROW_C,
  K_CHUNK = 128,   /* a multiple of every fractal's k; s8: 128 * 2^14 < 2^24 */
  M_CHUNK = 12,    /* fractals whose rows of A are panels at a time: 96 KB */
  GROUP = 3,       /* fractals whose columns of B are: 24 KB, near the cube in L1 */
  PANEL_A = SIDE * K_CHUNK, /* numbers of one fractal's rows, row by row */
  PANEL_B = K_CHUNK * SIDE, /* of one fractal's columns, k by k */
};

#ifdef __x86_64__
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl")))
#define LANES 16
#define HEIGHT 8
#define WIDTH 3
#define VECTOR __m512
#define LOAD _mm512_loadu_ps
#define STORE _mm512_storeu_ps
#define SPREAD _mm512_set1_ps
#define FMA _mm512_fmadd_ps
#define WIDEN(at) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(at)))
#define TILE tile_avx512
#define TILES tiles_avx512
#define WIDEN_F16 widen_f16_avx512
#include "kernels/accel_sim/sim/mad_tile.h"

#define TARGET __attribute__((target("avx2,fma,f16c")))
#define LANES 8
#define HEIGHT 4
#define WIDTH 1
#define VECTOR __m256
#define LOAD _mm256_loadu_ps
#define STORE _mm256_storeu_ps
#define SPREAD _mm256_set1_ps
#define FMA _mm256_fmadd_ps
#define WIDEN(at) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(at)))
#define TILE tile_avx2
#define TILES tiles_avx2
#define WIDEN_F16 widen_f16_avx2
#include "kernels/accel_sim/sim/mad_tile.h"

static bool have_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
/* Every CPU with AVX2 has F16C, which clang cannot be asked for. */
static bool have_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#endif

#ifdef __aarch64__
#include <arm_neon.h>

#define TARGET
#define LANES 4
#define HEIGHT 4
#define WIDTH 1
#define VECTOR float32x4_t
#define LOAD vld1q_f32
#define STORE vst1q_f32
#define SPREAD vdupq_n_f32
#define FMA(a, b, c) vfmaq_f32(c, a, b)
#define WIDEN(at) vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(at)))
#define TILE tile_neon
#define TILES tiles_neon
#define WIDEN_F16 widen_f16_neon
#include "kernels/accel_sim/sim/mad_tile.h"
#endif

static float load_one(const void *at) {
  float x;
  memcpy(&x, at, sizeof x);
  return x;
}
static void store_one(void *at, float x) { memcpy(at, &x, sizeof x); }
static float widen_one(const unsigned char *at) { return accel_widen_f16((uint16_t)(at[0] | at[1] << 8)); }

#define TARGET
#define LANES 1
#define HEIGHT 1
#define WIDTH 1
#define VECTOR float
#define LOAD load_one
#define STORE store_one
#define SPREAD(x) (x)
#define FMA __builtin_fmaf
#define WIDEN widen_one
#define TILE tile_portable
#define TILES tiles_portable
#define WIDEN_F16 widen_f16_portable
#include "kernels/accel_sim/sim/mad_tile.h"

static bool always(void) { return true; }

/* A fractal's 16 rows of 32 bytes to rows of f32, `pitch` numbers apart. */
typedef void widen_rows(float *to, int64_t pitch, const unsigned char *from);

struct host {
  const char *name;
  bool (*usable)(void);
  void (*tiles)(unsigned char *c, int64_t pitch, const float *a, const float *b, int64_t k, bool init, int fractals);
  widen_rows *widen_f16;
};

static const struct host hosts[] = {
#ifdef __x86_64__
    {"avx512", have_avx512, tiles_avx512, widen_f16_avx512},
    {"avx2", have_avx2, tiles_avx2, widen_f16_avx2},
#endif
#ifdef __aarch64__
    {"neon", always, tiles_neon, widen_f16_neon},
#endif
    {"portable", always, tiles_portable, widen_f16_portable},
};
enum { NHOSTS = sizeof hosts / sizeof hosts[0] };

static const struct host *_Atomic chosen;

const char *accel_mad_use(int index) {
  for (int i = 0; i < NHOSTS; i++)
    if (hosts[i].usable() && index-- == 0) {
      atomic_store_explicit(&chosen, &hosts[i], memory_order_relaxed);
      return hosts[i].name;
    }
  return NULL;
}

static const struct host *get_host(void) {
  const struct host *host = atomic_load_explicit(&chosen, memory_order_relaxed);
  if (host) return host;
  accel_mad_use(0);
  return atomic_load_explicit(&chosen, memory_order_relaxed);
}

static void widen_bf16(float *to, int64_t pitch, const unsigned char *from) {
  for (int i = 0; i < SIDE; i++, to += pitch, from += ROW_BYTES) {
    uint16_t x[ROW_BYTES / 2];
    memcpy(x, from, sizeof x);
    for (int j = 0; j < ROW_BYTES / 2; j++) to[j] = accel_widen_bf16(x[j]);
  }
}

static void widen_s8(float *to, int64_t pitch, const unsigned char *from) {
  for (int i = 0; i < SIDE; i++, to += pitch, from += ROW_BYTES)
    for (int j = 0; j < ROW_BYTES; j++) to[j] = (float)(int8_t)from[j];
}

static void copy_f32(float *to, int64_t pitch, const unsigned char *from) {
  for (int i = 0; i < SIDE; i++, to += pitch, from += ROW_BYTES) memcpy(to, from, ROW_BYTES);
}

/* One mad: its operands and how they become f32. Counts of fractals, and of k in one. */
struct mad {
  unsigned char *c;
  const unsigned char *a, *b;
  int64_t mb, kb, nb;
  int size, unit;
  bool s8;
  widen_rows *widen;
  const struct host *host;
};

/* Rows from fractal i on, k from fractal p on, and so many of each. */
static void fill_a(const struct mad *mad, float *panel, int64_t i, int64_t rows, int64_t p, int64_t count) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t q = 0; q < count; q++)
      mad->widen(panel + r * PANEL_A + q * mad->unit, K_CHUNK, mad->a + ((i + r) * mad->kb + p + q) * FRACTAL);
}

static void fill_b(const struct mad *mad, float *panel, int64_t j, int64_t columns, int64_t p, int64_t count) {
  const int side = 16 / mad->size;
  for (int64_t c = 0; c < columns; c++)
    for (int64_t q = 0; q < count; q++) {
      const unsigned char *fractal = mad->b + ((p + q) * mad->nb + j + c) * FRACTAL;
      unsigned char turned[FRACTAL];
      for (int n = 0; n < SIDE; n += side)
        for (int half = 0; half < 2; half++)
          accel_transpose(turned + (half * side * SIDE + n) * mad->size, SIDE * mad->size,
                          fractal + n * ROW_BYTES + half * 16, ROW_BYTES, mad->size);
      mad->widen(panel + c * PANEL_B + q * mad->unit * SIDE, mad->unit, turned);
    }
}

/* Exact sums in f32 to L0C's wrapping integers. */
static void add_sums(unsigned char *c, int64_t pitch, const float *sums, int64_t columns, bool init) {
  for (int64_t j = 0; j < columns; j++, c += pitch, sums += SIDE * SIDE) {
    uint32_t x[SIDE * SIDE];
    memcpy(x, c, sizeof x);
    for (int i = 0; i < SIDE * SIDE; i++) x[i] = (uint32_t)(int32_t)sums[i] + (init ? 0 : x[i]);
    memcpy(c, x, sizeof x);
  }
}

static void multiply(const struct mad *mad, const float *a, const float *b, int64_t i, int64_t j, int64_t columns,
                     int64_t k, bool init) {
  unsigned char *c = mad->c + (j * mad->mb + i) * FRACTAL_C;
  int64_t pitch = mad->mb * FRACTAL_C;
  if (mad->s8) {
    float sums[GROUP * SIDE * SIDE];
    mad->host->tiles((unsigned char *)sums, FRACTAL_C, a, b, k, true, (int)columns);
    add_sums(c, pitch, sums, columns, init);
  } else {
    mad->host->tiles(c, pitch, a, b, k, init, (int)columns);
  }
}

/* Two and two run faster than three and one. */
static int64_t group_of(int64_t left) { return left == 4 ? 2 : left < GROUP ? left : GROUP; }

/* All of m and n for one chunk of k, `count` fractals from p on. */
static void run_chunk(const struct mad *mad, int64_t p, int64_t count, int64_t k, bool init) {
  _Alignas(64) float a[M_CHUNK * PANEL_A], b[GROUP * PANEL_B];
  for (int64_t i = 0; i < mad->mb; i += M_CHUNK) {
    int64_t rows = mad->mb - i < M_CHUNK ? mad->mb - i : M_CHUNK, columns;
    fill_a(mad, a, i, rows, p, count);
    for (int64_t j = 0; j < mad->nb; j += columns) {
      columns = group_of(mad->nb - j);
      fill_b(mad, b, j, columns, p, count);
      for (int64_t r = 0; r < rows; r++) multiply(mad, a + r * PANEL_A, b, i + r, j, columns, k, init);
    }
  }
}

static widen_rows *widen_of(const struct host *host, unsigned type) {
  switch (type) {
    case ACCEL_F16: return host->widen_f16;
    case ACCEL_BF16: return widen_bf16;
    case ACCEL_S8: return widen_s8;
    default: return copy_f32;
  }
}

void accel_mad(unsigned char *l0c, const unsigned char *l0a, const unsigned char *l0b, int64_t m, int64_t k, int64_t n,
               unsigned type, bool init) {
  if (m <= 0 || n <= 0) return;
  const struct host *host = get_host();
  int size = type == ACCEL_S8 ? 1 : type == ACCEL_F32 ? 4 : 2, unit = ROW_BYTES / size;
  struct mad mad = {l0c, l0a, l0b, (m + SIDE - 1) / SIDE, (k + unit - 1) / unit, (n + SIDE - 1) / SIDE, size, unit,
                    type == ACCEL_S8, widen_of(host, type), host};
  for (int64_t p = 0; p < k; p += K_CHUNK) {
    int64_t left = k - p < K_CHUNK ? k - p : K_CHUNK;
    run_chunk(&mad, p / unit, (left + unit - 1) / unit, left, init && p == 0);
  }
}
