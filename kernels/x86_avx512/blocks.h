/* Vectors of f32 from A in blocks of 32 elements (tessera.h): an f16 scale and then, in q8_0, 32 signed bytes; in q4_0
 * 16 bytes whose low halves are elements 0 .. 15 and whose high halves are 16 .. 31, each plus 8. An element counts as
 * f32(scale) * integer, which is exact. A file defines TSR_A_Q8_0 or TSR_A_Q4_0 first.
 *
 * load_integers fills a register with the integers of q4_0 by their four bits. load_block wants them in zmm7 and
 * overwrites zmm6. */
#if defined(TSR_A_Q8_0)
#define A_BLOCK 34
#else
#define A_BLOCK 18
#endif
#define A_SIZE 1 /* at most: an element has no bytes of its own */
#define A_VECTOR (A_BLOCK/2)

.altmacro

#if defined(TSR_A_Q8_0)
.macro load_integers reg
.endm

.macro load_block first, second, at
  vpbroadcastw ymm6, word ptr [\at]
  vpmovsxbd zmm\first, [\at + 2]
  vpmovsxbd zmm\second, [\at + 18]
  vcvtph2ps zmm6, ymm6
  vcvtdq2ps zmm\first, zmm\first
  vcvtdq2ps zmm\second, zmm\second
  vmulps zmm\first, zmm\first, zmm6
  vmulps zmm\second, zmm\second, zmm6
.endm
#else
.section .rodata
.p2align 6
.Lintegers:
  .float -8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7
.text

.macro load_integers reg
  vmovaps zmm\reg, [rip + .Lintegers]
.endm

/* vpermps looks at the lowest four bits of an index only. */
.macro load_block first, second, at
  vpbroadcastw ymm6, word ptr [\at]
  vpmovzxbd zmm\second, [\at + 2]
  vcvtph2ps zmm6, ymm6
  vpermps zmm\first, zmm\second, zmm7
  vpsrld zmm\second, zmm\second, 4
  vpermps zmm\second, zmm\second, zmm7
  vmulps zmm\first, zmm\first, zmm6
  vmulps zmm\second, zmm\second, zmm6
.endm
#endif
