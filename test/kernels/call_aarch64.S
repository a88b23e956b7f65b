/* void call_kernel(tsr_run *run, const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c, struct probe *probe)
 *
 * Fills the callee-saved registers (and x18, which no kernel may use) from probe->in, calls run(step, a, b, c) and
 * stores in probe->out what it left. The stack below our own frame is a known pattern, so a kernel that writes above
 * its stack pointer at entry is seen. */
#define OUT 192
#define FPCR_SLOT 160
#define SP_SLOT 168
#define STACK_SLOT 176
#define PATTERN_BYTES 256
#define SAVED_BYTES 160

.macro load_all from
  ldp x18, x19, [\from]
  ldp x20, x21, [\from, #16]
  ldp x22, x23, [\from, #32]
  ldp x24, x25, [\from, #48]
  ldp x26, x27, [\from, #64]
  ldp x28, x29, [\from, #80]
  ldp d8, d9, [\from, #96]
  ldp d10, d11, [\from, #112]
  ldp d12, d13, [\from, #128]
  ldp d14, d15, [\from, #144]
.endm

.macro store_all to
  stp x18, x19, [\to]
  stp x20, x21, [\to, #16]
  stp x22, x23, [\to, #32]
  stp x24, x25, [\to, #48]
  stp x26, x27, [\to, #64]
  stp x28, x29, [\to, #80]
  stp d8, d9, [\to, #96]
  stp d10, d11, [\to, #112]
  stp d12, d13, [\to, #128]
  stp d14, d15, [\to, #144]
.endm

.text
.p2align 4
.globl call_kernel
.type call_kernel, %function
call_kernel:
  .cfi_startproc
  sub sp, sp, #(SAVED_BYTES + 16)
  store_all sp
  str x30, [sp, #SAVED_BYTES]
  sub sp, sp, #PATTERN_BYTES
  adrp x9, saved
  add x9, x9, :lo12:saved
  mov x10, sp
  stp x5, x10, [x9]

  mov x11, #PATTERN_BYTES
  mov x12, #0x5aa5
  movk x12, #0xa55a, lsl #32
1:
  sub x11, x11, #8
  str x12, [x10, x11]
  cbnz x11, 1b
  mrs x12, fpcr
  str x12, [x5, #FPCR_SLOT]
  mov x9, x0
  mov x0, x1
  mov x1, x2
  mov x2, x3
  mov x3, x4
  load_all x5
  blr x9

  adrp x9, saved
  add x9, x9, :lo12:saved
  ldp x5, x10, [x9]
  add x5, x5, #OUT
  store_all x5
  mov x11, sp
  sub x11, x11, x10
  mov sp, x10
  mrs x12, fpcr
  str x12, [x5, #FPCR_SLOT]
  str x11, [x5, #SP_SLOT]
  mov x11, #PATTERN_BYTES
  mov x12, #0x5aa5
  movk x12, #0xa55a, lsl #32
  mov x13, #0
2:
  sub x11, x11, #8
  ldr x14, [x10, x11]
  eor x14, x14, x12
  orr x13, x13, x14
  cbnz x11, 2b
  str x13, [x5, #STACK_SLOT]

  add sp, sp, #PATTERN_BYTES
  ldr x30, [sp, #SAVED_BYTES]
  load_all sp
  add sp, sp, #(SAVED_BYTES + 16)
  ret
  .cfi_endproc
.size call_kernel, . - call_kernel

.local saved
.comm saved, 16, 8
.section .note.GNU-stack, "", %progbits
