/* The few things a thread asks of its core: a pause for spinning, and the floating-point state. */
#ifndef TSR_CPU_H
#define TSR_CPU_H

#include <stdint.h>

/* Control: rounding, denormals, masks. Flags: the sticky exceptions. */
struct tsr_fp {
  uint32_t control, flags;
};

#if defined(__x86_64__)

static inline void tsr_cpu_relax(void) { __builtin_ia32_pause(); }

static inline struct tsr_fp tsr_fp_get(void) {
  uint32_t mxcsr = __builtin_ia32_stmxcsr();
  return (struct tsr_fp){mxcsr & ~0x3fu, mxcsr & 0x3fu};
}

static inline void tsr_fp_set(struct tsr_fp fp) { __builtin_ia32_ldmxcsr(fp.control | fp.flags); }

#elif defined(__aarch64__)

/* isb waits some tens of cycles; yield does nothing on most cores. */
static inline void tsr_cpu_relax(void) { __asm__ volatile("isb" ::: "memory"); }

static inline struct tsr_fp tsr_fp_get(void) {
  uint64_t control, status;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  __asm__ volatile("mrs %0, fpsr" : "=r"(status));
  return (struct tsr_fp){(uint32_t)control, (uint32_t)status};
}

static inline void tsr_fp_set(struct tsr_fp fp) {
  uint64_t control = fp.control, status = fp.flags;
  __asm__ volatile("msr fpcr, %0" ::"r"(control));
  __asm__ volatile("msr fpsr, %0" ::"r"(status));
}

#else

#include <fenv.h>

static inline void tsr_cpu_relax(void) {}

static inline struct tsr_fp tsr_fp_get(void) {
  return (struct tsr_fp){(uint32_t)fegetround(), (uint32_t)fetestexcept(FE_ALL_EXCEPT)};
}

static inline void tsr_fp_set(struct tsr_fp fp) {
  fesetround((int)fp.control);
  feclearexcept(FE_ALL_EXCEPT);
  feraiseexcept((int)fp.flags);
}

#endif
#endif
