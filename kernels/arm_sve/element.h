/* The two element types behind one set of names. A file defines TSR_ELEMENT_F32 or TSR_ELEMENT_F64 first and, for an A
 * of 16 bits with all else in f32, also TSR_A_F16 or TSR_A_BF16; for a C of 16 bits, kept in lanes of 32, TSR_C_16. */
#if defined(TSR_ELEMENT_F32)
#define SIZE 4
#define SHIFT 2
#define T s
#define LOAD ld1w
#define STORE st1w
#define LOAD_ONE ld1rw       /* one element to every lane */
#define LOAD_QUAD ld1rqw     /* 16 bytes to every 128 bits */
#define PER_QUAD 4
#define LAST_INDEXED 7       /* FMLA by element takes z0 to z7 as its last operand */
#define COUNT cntw
#define INCREMENT incw
#define SCALAR1 s1
#define GPR(number) w##number  /* a general register as wide as an element */
#define SCATTER sxtw #2
#define load_scalar(reg, field) ldr d##reg, [x0, field]; fcvt s##reg, d##reg
#elif defined(TSR_ELEMENT_F64)
#define SIZE 8
#define SHIFT 3
#define T d
#define LOAD ld1d
#define STORE st1d
#define LOAD_ONE ld1rd
#define LOAD_QUAD ld1rqd
#define PER_QUAD 2
#define LAST_INDEXED 15
#define COUNT cntd
#define INCREMENT incd
#define SCALAR1 d1
#define GPR(number) x##number
#define SCATTER lsl #3
#define load_scalar(reg, field) ldr d##reg, [x0, field]
#endif

#if defined(TSR_C_16)
#undef STORE
#define STORE st1h
#define C_SHIFT 1
#else
#define C_SHIFT SHIFT
#endif

.arch armv8.2-a+sve

/* z<reg> = elements of A at `address`, made elements of T; p0 = all lanes. An address that steps by the element size
 * shifts by A_SHIFT, and one in vector lengths counts the bytes that a vector of A takes. */
#if defined(TSR_A_F16) || defined(TSR_A_BF16)
#define A_SHIFT 1
.macro load_a reg, mask, address:vararg
  ld1h {z\reg\().s}, \mask/z, \address
#if defined(TSR_A_F16)
  fcvt z\reg\().s, p0/m, z\reg\().h
#else
  lsl z\reg\().s, z\reg\().s, #16
#endif
.endm
#else
#define A_SHIFT SHIFT
.macro load_a reg, mask, address:vararg
  LOAD {z\reg\().T}, \mask/z, \address
.endm
#endif
