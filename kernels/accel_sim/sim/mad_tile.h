/* The cube's loops for one kind of vector: VECTOR of LANES floats, LOAD, STORE, SPREAD (a number to all lanes),
 * FMA(a, b, c) = a * b + c, WIDEN (LANES f16 to f32). A tile is HEIGHT rows of a fractal, up to WIDTH fractals wide.
 * mad.c includes this once a kind, with the functions' names in full. */

/* One chain an element: lanes run over columns, p over k in order. `fractals` is a constant where this is inlined, but
 * not yet where clang unrolls: hence the constant bounds. */
TARGET static inline __attribute__((always_inline)) void TILE(unsigned char *c, int64_t pitch, const float *a,
                                                              const float *b, int64_t k, bool init, int fractals) {
  enum { PARTS = SIDE / LANES };
  VECTOR s[HEIGHT][WIDTH * PARTS];
#pragma GCC unroll 8
  for (int i = 0; i < HEIGHT; i++)
#pragma GCC unroll 16
    for (int j = 0; j < WIDTH * PARTS; j++)
      if (j < fractals * PARTS)
        s[i][j] = init ? SPREAD(0) : LOAD((const float *)(c + j / PARTS * pitch + i * ROW_C) + j % PARTS * LANES);
  for (int64_t p = 0; p < k; p++) {
    VECTOR right[WIDTH * PARTS];
#pragma GCC unroll 16
    for (int j = 0; j < WIDTH * PARTS; j++)
      if (j < fractals * PARTS) right[j] = LOAD(b + j / PARTS * PANEL_B + p * SIDE + j % PARTS * LANES);
#pragma GCC unroll 8
    for (int i = 0; i < HEIGHT; i++) {
      VECTOR left = SPREAD(a[i * K_CHUNK + p]);
#pragma GCC unroll 16
      for (int j = 0; j < WIDTH * PARTS; j++)
        if (j < fractals * PARTS) s[i][j] = FMA(left, right[j], s[i][j]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < HEIGHT; i++)
#pragma GCC unroll 16
    for (int j = 0; j < WIDTH * PARTS; j++)
      if (j < fractals * PARTS) STORE((float *)(c + j / PARTS * pitch + i * ROW_C) + j % PARTS * LANES, s[i][j]);
}

/* One fractal high, `fractals` wide. */
TARGET static void TILES(unsigned char *c, int64_t pitch, const float *a, const float *b, int64_t k, bool init,
                         int fractals) {
  for (int j = 0; j < fractals; j += WIDTH, b += WIDTH * PANEL_B, c += WIDTH * pitch)
    for (int i = 0; i < SIDE; i += HEIGHT) {
      if (WIDTH >= 3 && fractals - j >= 3)
        TILE(c + i * ROW_C, pitch, a + i * K_CHUNK, b, k, init, 3);
      else if (WIDTH >= 2 && fractals - j >= 2)
        TILE(c + i * ROW_C, pitch, a + i * K_CHUNK, b, k, init, 2);
      else
        TILE(c + i * ROW_C, pitch, a + i * K_CHUNK, b, k, init, 1);
    }
}

TARGET static void WIDEN_F16(float *to, int64_t pitch, const unsigned char *from) {
  for (int i = 0; i < SIDE; i++, to += pitch, from += ROW_BYTES)
    for (int j = 0; j < ROW_BYTES / 2; j += LANES) STORE(to + j, WIDEN(from + 2 * j));
}

#undef TARGET
#undef LANES
#undef HEIGHT
#undef WIDTH
#undef VECTOR
#undef LOAD
#undef STORE
#undef SPREAD
#undef FMA
#undef WIDEN
#undef TILE
#undef TILES
#undef WIDEN_F16
