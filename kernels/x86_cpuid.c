#include "kernels/x86_cpuid.h"

#include <cpuid.h>
#include <stdint.h>
#include <stdio.h>

#include "kernels/kernel.h"

/* Intel SDM vol. 1, 13.2 and 14.3: the OS enables register state bit by bit in XCR0. */
#define XCR0_AVX 0x6u     /* SSE and AVX state */
#define XCR0_AVX512 0xe6u /* and opmask, upper ZMM, high ZMM */

static const struct {
  unsigned feature;
  const char *name;
  unsigned leaf;
  char reg;
  int bit;
  unsigned xcr0;
} features[] = {
    {TSR_X86_FMA, "FMA", 1, 'c', 12, XCR0_AVX},
    {TSR_X86_AVX2, "AVX2", 7, 'b', 5, XCR0_AVX},
    {TSR_X86_BMI2, "BMI2", 7, 'b', 8, 0},
    {TSR_X86_AVX512F, "AVX512F", 7, 'b', 16, XCR0_AVX512},
    {TSR_X86_AVX512VL, "AVX512VL", 7, 'b', 31, XCR0_AVX512},
    {TSR_X86_AVX512BW, "AVX512BW", 7, 'b', 30, XCR0_AVX512},
    {TSR_X86_AVX512DQ, "AVX512DQ", 7, 'b', 17, XCR0_AVX512},
    {TSR_X86_AVX512VNNI, "AVX512_VNNI", 7, 'c', 11, XCR0_AVX512},
};

static unsigned xcr0(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return 0;
  __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
  return a;
}

bool tsr_x86_has(char *why, unsigned wanted) {
  unsigned enabled = xcr0();
  for (size_t i = 0; i < sizeof features / sizeof features[0]; i++) {
    if (!(wanted & features[i].feature)) continue;
    unsigned a = 0, b = 0, c = 0, d = 0;
    __get_cpuid_count(features[i].leaf, 0, &a, &b, &c, &d);
    unsigned reg = features[i].reg == 'b' ? b : c;
    if (!(reg >> features[i].bit & 1)) {
      snprintf(why, TSR_WHY, "this CPU has no %s", features[i].name);
      return false;
    }
    if ((enabled & features[i].xcr0) != features[i].xcr0) {
      snprintf(why, TSR_WHY, "the operating system does not enable the registers of %s", features[i].name);
      return false;
    }
  }
  return true;
}
