/* The two element types behind one set of names. A file defines TSR_ELEMENT_F32 or TSR_ELEMENT_F64 first; with f32 it
 * may define TSR_A_F16, TSR_A_BF16, TSR_A_Q8_0 or TSR_A_Q4_0, of which A's vectors are made. */
#if defined(TSR_ELEMENT_F32)
#define SIZE 4
#define LANES 16
#define ELEMENT dword
#define ALL_LANES 1to16
#define vmov vmovups
#define vbcast vbroadcastss
#define vfma vfmadd231ps
#define vfma_end vfmadd213ps
#define vmulv vmulps
#define vlane vbroadcastf32x4
#define vhalf vbroadcastf32x8
#define UPPER_HALF 0xff00
#define HALF_LANES 1to8
#define load_scalar(reg, field) vcvtsd2ss reg, reg, qword ptr [rdi + field]
#define vmov_scalar vmovss
#elif defined(TSR_ELEMENT_F64)
#define SIZE 8
#define LANES 8
#define ELEMENT qword
#define ALL_LANES 1to8
#define vmov vmovupd
#define vbcast vbroadcastsd
#define vfma vfmadd231pd
#define vfma_end vfmadd213pd
#define vmulv vmulpd
#define vlane vbroadcastf64x2
#define vhalf vbroadcastf64x4
#define UPPER_HALF 0xf0
#define HALF_LANES 1to4
#define load_scalar(reg, field) vmovsd reg, qword ptr [rdi + field]
#define vmov_scalar vmovsd
#endif

/* A vector of A from memory into a register; `mask` is empty or {k}{z}. load_a_halves: the lanes k5 of the lower half
 * from `low`, the lanes k2 of the upper half from `high`. */
#if defined(TSR_A_F16)
#define A_SIZE 2
#define load_a(reg, mask, at) vcvtph2ps reg mask, at
#define load_a_halves(reg, low, high) vcvtph2ps ymm##reg{k5}{z}, [low]; vcvtph2ps zmm##reg{k2}, [high - 16]
#elif defined(TSR_A_BF16)
#define A_SIZE 2
#define load_a(reg, mask, at) vpmovzxwd reg mask, at; vpslld reg, reg, 16
#define load_a_halves(reg, low, high) \
  vpmovzxwd ymm##reg{k5}{z}, [low]; vpmovzxwd zmm##reg{k2}, [high - 16]; vpslld zmm##reg, zmm##reg, 16
#elif defined(TSR_A_Q8_0) || defined(TSR_A_Q4_0)
#include "kernels/x86_avx512/blocks.h"
#else
#define A_SIZE SIZE
#define load_a(reg, mask, at) vmov reg mask, at
#define load_a_halves(reg, low, high) vmov ymm##reg{k5}{z}, [low]; vhalf zmm##reg{k2}, [high]
#endif
#if !defined(A_BLOCK)
#define A_VECTOR (LANES*A_SIZE)
#endif
