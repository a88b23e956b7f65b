/* The gauge loops for AArch64: FMA in registers and reads from memory, for SVE and NEON.
 *
 *   void bench_fma_<type>_<isa>(int64_t iterations)      24 independent accumulators, enough to cover the latency
 *   void bench_read_<isa>(int64_t bytes, const void *p)  bytes is a multiple of 512
 *
 * Registers: x0 = iterations or bytes left, x1 = p. v8 .. v15 are saved, as the procedure call standard asks. */
#if defined(__aarch64__)
.arch armv8.2-a+sve
.altmacro

.macro begin name
  .text
  .p2align 6
  .globl \name
  .hidden \name
  .type \name, %function
\name:
  .cfi_startproc
  hint #34
.endm

.macro end name
  .cfi_endproc
  .size \name, . - \name
.endm

.macro save
  stp d8, d9, [sp, #-64]!
  stp d10, d11, [sp, #16]
  stp d12, d13, [sp, #32]
  stp d14, d15, [sp, #48]
.endm

.macro restore
  ldp d10, d11, [sp, #16]
  ldp d12, d13, [sp, #32]
  ldp d14, d15, [sp, #48]
  ldp d8, d9, [sp], #64
.endm

.macro set_neon reg, size
  fmov v\reg\().\size, #1.0
.endm
.macro fma_neon reg, size
  fmla v\reg\().\size, v31.\size, v31.\size
.endm
.macro set_sve reg, size
  fmov z\reg\().\size, #1.0
.endm
.macro fma_sve reg, size
  fmla z\reg\().\size, p0/m, z31.\size, z31.\size
.endm

.macro fma_loop set, fma, size
  save
  \set 31, \size
  .set r, 0
  .rept 24
    \set %r, \size
    .set r, r + 1
  .endr
  .p2align 6
1:
  .set r, 0
  .rept 24
    \fma %r, \size
    .set r, r + 1
  .endr
  subs x0, x0, #1
  b.ne 1b
  restore
  ret
.endm

begin bench_fma_f32_neon
  fma_loop set_neon, fma_neon, 4s
end bench_fma_f32_neon

begin bench_fma_f64_neon
  fma_loop set_neon, fma_neon, 2d
end bench_fma_f64_neon

begin bench_fma_f32_sve
  ptrue p0.b
  fma_loop set_sve, fma_sve, s
end bench_fma_f32_sve

begin bench_fma_f64_sve
  ptrue p0.b
  fma_loop set_sve, fma_sve, d
end bench_fma_f64_sve

begin bench_read_neon
1:
  .set o, 0
  .rept 16
    ldp q0, q1, [x1, #o]
    .set o, o + 32
  .endr
  add x1, x1, #512
  subs x0, x0, #512
  b.hi 1b
  ret
end bench_read_neon

#endif

.section .note.GNU-stack, "", %progbits
