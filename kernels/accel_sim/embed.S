/* Chip parameters and kernels in the chips' assembly, as files the library carries: a table of struct accel_file
 * (embed.h). A new file is one line below; meson reads these lines too, to build this anew when a file changes. */
#if defined(__has_include)
#if __has_include("kernels/accel_sim/embedded_files.h")
#include "kernels/accel_sim/embedded_files.h" /* empty, and younger than any file below */
#endif
#endif
#ifdef __aarch64__
#include "kernels/arm_asm.h" /* its BTI note: a file without one takes the mark from the whole library */
#endif

/* 1 to 2: the text, 3: its name. */
#define ACCEL_FILE(name, path) \
  .pushsection .rodata; 1: .incbin path; 2: .byte 0; 3: .asciz name; .popsection; .quad 3b, 1b, 2b - 1b

.section .data.rel.ro, "aw", %progbits
.p2align 3
.globl accel_files
.hidden accel_files
.type accel_files, %object
accel_files:
ACCEL_FILE("310p.chip", "kernels/accel_sim/chips/310p.chip")
ACCEL_FILE("910b.chip", "kernels/accel_sim/chips/910b.chip")
ACCEL_FILE("systolic.chip", "kernels/accel_sim/chips/systolic.chip")
ACCEL_FILE("attend.s", "kernels/accel_sim/asm/attend.s")
ACCEL_FILE("attend_keys.s", "kernels/accel_sim/asm/attend_keys.s")
ACCEL_FILE("attend_load.s", "kernels/accel_sim/asm/attend_load.s")
ACCEL_FILE("attend_out.s", "kernels/accel_sim/asm/attend_out.s")
ACCEL_FILE("attend_scores.s", "kernels/accel_sim/asm/attend_scores.s")
ACCEL_FILE("attend_start.s", "kernels/accel_sim/asm/attend_start.s")
ACCEL_FILE("attend_sums.s", "kernels/accel_sim/asm/attend_sums.s")
ACCEL_FILE("attend_tile.s", "kernels/accel_sim/asm/attend_tile.s")
ACCEL_FILE("attend_values.s", "kernels/accel_sim/asm/attend_values.s")
ACCEL_FILE("attend_weights.s", "kernels/accel_sim/asm/attend_weights.s")
ACCEL_FILE("conv.s", "kernels/accel_sim/asm/conv.s")
ACCEL_FILE("conv_sums.s", "kernels/accel_sim/asm/conv_sums.s")
ACCEL_FILE("conv_weights.s", "kernels/accel_sim/asm/conv_weights.s")
ACCEL_FILE("conv_window.s", "kernels/accel_sim/asm/conv_window.s")
ACCEL_FILE("fence.s", "kernels/accel_sim/asm/fence.s")
ACCEL_FILE("gemm.s", "kernels/accel_sim/asm/gemm.s")
ACCEL_FILE("pack.s", "kernels/accel_sim/asm/pack.s")
ACCEL_FILE("start.s", "kernels/accel_sim/asm/start.s")
ACCEL_FILE("systolic_gemm.s", "kernels/accel_sim/asm/systolic_gemm.s")
ACCEL_FILE("update.s", "kernels/accel_sim/asm/update.s")
.quad 0, 0, 0
.size accel_files, . - accel_files

.section .note.GNU-stack, "", %progbits
