/* The gauge loops for x86-64: FMA in registers and reads from memory, for AVX-512, AVX2 + FMA and plain SSE2.
 *
 *   void bench_fma_<type>_<isa>(int64_t iterations)      12 or 24 independent accumulators, enough to cover the latency
 *   void bench_dot_u8_avx512(int64_t iterations)         the same of four products of bytes a lane (VNNI)
 *   void bench_read_<isa>(int64_t bytes, const void *p)  bytes is a multiple of 512
 *
 * Registers: rdi = iterations or bytes left, rsi = p. All accumulators start at 1, so no lane meets a denormal. */
#if defined(__x86_64__)
.intel_syntax noprefix
.altmacro

.macro begin name
  .text
  .p2align 6
  .globl \name
  .hidden \name
  .type \name, @function
\name:
  .cfi_startproc
  endbr64
.endm

.macro end name
  .cfi_endproc
  .size \name, . - \name
.endm

/* reg_<first> .. reg_<first + count - 1> = 1 in every lane, by way of general register eax or rax. */
.macro fma_one vreg, reg, op, multiplier
  \op \vreg\reg, \vreg\multiplier, \vreg\multiplier
.endm

.macro copy_one vreg, reg, op, from
  \op \vreg\reg, \vreg\from
.endm

.macro fma_loop vreg, fma, copy, count, multiplier
  .set r, 0
  .rept \count
    copy_one \vreg, %r, \copy, \multiplier
    .set r, r + 1
  .endr
  .p2align 6
1:
  .set r, 0
  .rept \count
    fma_one \vreg, %r, \fma, \multiplier
    .set r, r + 1
  .endr
  dec rdi
  jnz 1b
.endm

begin bench_fma_f32_avx512
  mov eax, 0x3f800000
  vpbroadcastd zmm31, eax
  fma_loop zmm, vfmadd231ps, vmovaps, 24, 31
  vzeroupper
  ret
end bench_fma_f32_avx512

begin bench_fma_f64_avx512
  mov rax, 0x3ff0000000000000
  vpbroadcastq zmm31, rax
  fma_loop zmm, vfmadd231pd, vmovapd, 24, 31
  vzeroupper
  ret
end bench_fma_f64_avx512

begin bench_dot_u8_avx512
  mov eax, 0x01010101
  vpbroadcastd zmm31, eax
  fma_loop zmm, vpdpbusd, vmovdqa64, 24, 31
  vzeroupper
  ret
end bench_dot_u8_avx512

begin bench_fma_f32_avx2
  mov eax, 0x3f800000
  vmovd xmm15, eax
  vbroadcastss ymm15, xmm15
  fma_loop ymm, vfmadd231ps, vmovaps, 12, 15
  vzeroupper
  ret
end bench_fma_f32_avx2

begin bench_fma_f64_avx2
  mov rax, 0x3ff0000000000000
  vmovq xmm15, rax
  vbroadcastsd ymm15, xmm15
  fma_loop ymm, vfmadd231pd, vmovapd, 12, 15
  vzeroupper
  ret
end bench_fma_f64_avx2

/* Without FMA the best a CPU can do is a multiplication and an addition side by side. */
.macro mul_add_loop type
  .set r, 0
  .rept 14
    copy_one xmm, %r, movaps, 15
    .set r, r + 1
  .endr
  .p2align 6
1:
  .set r, 0
  .rept 7
    mul_one %r, mul\type
    .set r, r + 1
  .endr
  .rept 7
    mul_one %r, add\type
    .set r, r + 1
  .endr
  dec rdi
  jnz 1b
  ret
.endm

.macro mul_one reg, op
  \op xmm\reg, xmm15
.endm

begin bench_fma_f32_sse2
  mov eax, 0x3f800000
  movd xmm15, eax
  shufps xmm15, xmm15, 0
  mul_add_loop ps
end bench_fma_f32_sse2

begin bench_fma_f64_sse2
  mov rax, 0x3ff0000000000000
  movq xmm15, rax
  unpcklpd xmm15, xmm15
  mul_add_loop pd
end bench_fma_f64_sse2

.macro read_loop vreg, mov, step
  .p2align 6
1:
  .set o, 0
  .rept 512 / \step
    read_one \vreg, \mov, %o
    .set o, o + \step
  .endr
  add rsi, 512
  sub rdi, 512
  ja 1b
.endm

.macro read_one vreg, mov, offset
  \mov \vreg\()0, [rsi + \offset]
.endm

begin bench_read_avx512
  read_loop zmm, vmovups, 64
  vzeroupper
  ret
end bench_read_avx512

begin bench_read_avx2
  read_loop ymm, vmovups, 32
  vzeroupper
  ret
end bench_read_avx2

begin bench_read_sse2
  read_loop xmm, movups, 16
  ret
end bench_read_sse2

#endif

.section .note.GNU-stack, "", %progbits
