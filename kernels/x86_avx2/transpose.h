/* A piece of a matrix that lies along k, four k of one vector of rows, turned into vectors of rows in registers.
 *
 * The includer defines ROW0 .. ROW7 (f32) or ROW0 .. ROW3 (f64), address expressions of the rows at this k, and PART,
 * where it keeps a mask (mask_lanes) of the k of a part-filled piece. A vector's lower and upper half are loaded apart
 * (128-bit loads and inserts), which leaves the shuffle units half the work.
 * Result: ymm0 .. ymm3 = k, k + 1, k + 2, k + 3. Scratch: ymm4 .. ymm7. */
#include "kernels/x86_avx2/lanes.h"

#define PER 4                  /* k in a piece */
#define PIECE_BYTES (PER*SIZE)
#define LINE_PIECES (64/PIECE_BYTES)

#define LOAD(reg, low, high, offset) \
  vmov xmm##reg, [low + offset]; vinsertf128 ymm##reg, ymm##reg, xmmword ptr [high + offset], 1
#define LOAD_PART(reg, low, high, offset, mask, scratch) \
  vmask xmm##reg, mask, [low + offset]; vmask xmm##scratch, mask, [high + offset]; \
  vinsertf128 ymm##reg, ymm##reg, xmm##scratch, 1

#if defined(TSR_ELEMENT_F32)

.macro load_piece
  LOAD(0, ROW0, ROW4, 0)
  LOAD(1, ROW1, ROW5, 0)
  LOAD(2, ROW2, ROW6, 0)
  LOAD(3, ROW3, ROW7, 0)
.endm

/* The first of the four k, as many as PART says; the rest are zeros. */
.macro load_part
  vmovdqu xmm7, PART
  LOAD_PART(0, ROW0, ROW4, 0, xmm7, 4)
  LOAD_PART(1, ROW1, ROW5, 0, xmm7, 4)
  LOAD_PART(2, ROW2, ROW6, 0, xmm7, 4)
  LOAD_PART(3, ROW3, ROW7, 0, xmm7, 4)
.endm

.macro transpose_piece
  vunpcklps ymm4, ymm0, ymm1
  vunpckhps ymm5, ymm0, ymm1
  vunpcklps ymm6, ymm2, ymm3
  vunpckhps ymm7, ymm2, ymm3
  vunpcklpd ymm0, ymm4, ymm6
  vunpckhpd ymm1, ymm4, ymm6
  vunpcklpd ymm2, ymm5, ymm7
  vunpckhpd ymm3, ymm5, ymm7
.endm

#else

.macro load_piece
  LOAD(4, ROW0, ROW2, 0)
  LOAD(5, ROW1, ROW3, 0)
  LOAD(6, ROW0, ROW2, 16)
  LOAD(7, ROW1, ROW3, 16)
.endm

.macro load_part
  vmovdqu ymm2, PART
  vextractf128 xmm3, ymm2, 1
  LOAD_PART(4, ROW0, ROW2, 0, xmm2, 0)
  LOAD_PART(5, ROW1, ROW3, 0, xmm2, 0)
  LOAD_PART(6, ROW0, ROW2, 16, xmm3, 0)
  LOAD_PART(7, ROW1, ROW3, 16, xmm3, 0)
.endm

.macro transpose_piece
  vunpcklpd ymm0, ymm4, ymm5
  vunpckhpd ymm1, ymm4, ymm5
  vunpcklpd ymm2, ymm6, ymm7
  vunpckhpd ymm3, ymm6, ymm7
.endm

#endif
