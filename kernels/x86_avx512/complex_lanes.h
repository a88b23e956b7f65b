/* Complex numbers along the lanes: the real part in the even lane, the imaginary part in the odd one.
 * Beside lanes.h. */
#if defined(TSR_ELEMENT_F32)
#define vswap vpermilps
#define SWAP 0xb1
#define vxor vxorps
#define vaddsub vfmaddsub213ps      /* a = a * b - c in even lanes, + c in odd ones */
#define vsubadd vfmsubadd213ps      /* a = a * b + c in even lanes, - c in odd ones */
#define vsubadd_from vfmsubadd231ps /* a = b * c + a in even lanes, - a in odd ones */
#define vbroadcast_pair vbroadcastsd
#else
#define vswap vpermilpd
#define SWAP 0x55
#define vxor vxorpd
#define vaddsub vfmaddsub213pd
#define vsubadd vfmsubadd213pd
#define vsubadd_from vfmsubadd231pd
#define vbroadcast_pair vbroadcastf64x2
#endif

#define STEP_CONJ_A 256
#define STEP_CONJ_B 512

.section .rodata
.p2align 4
#if defined(TSR_ELEMENT_F32)
.Lone:
  .float 1
  .p2align 3
.Leven_signs:
  .long 0x80000000, 0
.Lodd_signs:
  .long 0, 0x80000000
#else
.Lone:
  .double 1
  .p2align 4
.Leven_signs:
  .quad 0x8000000000000000, 0
.Lodd_signs:
  .quad 0, 0x8000000000000000
#endif
.text

/* zmm<reg> = (-x, x) in every pair of lanes, x the field of the step: what a swapped vector is multiplied by.
 * zmm<free> is overwritten. */
.macro load_turn reg, field, free
  load_scalar(xmm\reg, \field)
  vbcast zmm\reg, xmm\reg
  vbroadcast_pair zmm\free, [rip + .Leven_signs]
  vxor zmm\reg, zmm\reg, zmm\free
.endm
