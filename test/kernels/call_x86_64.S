/* void call_kernel(tsr_run *run, const struct tsr_step *step, tsr_mem a, tsr_mem b, tsr_mem c, struct probe *probe)
 *
 * Fills the callee-saved registers from probe->in, calls run(step, a, b, c) and stores in probe->out what it left.
 * The stack below our own frame is a known pattern, so a kernel that writes above its return address is seen. */
.intel_syntax noprefix

#define IN 0
#define OUT 192
#define CHECK_UPPER 384
#define MXCSR_CONTROL 0xffc0
#define DIRECTION 0x400
#define PATTERN_WORDS 32
#define FRAME (PATTERN_WORDS * 8 + 8) /* and a spare word; keeps rsp on 16 bytes at the call */

.macro load_all
  mov rbx, [r9 + IN]
  mov rbp, [r9 + IN + 8]
  mov r12, [r9 + IN + 16]
  mov r13, [r9 + IN + 24]
  mov r14, [r9 + IN + 32]
  mov r15, [r9 + IN + 40]
.endm

.macro store_all
  mov [r11 + OUT], rbx
  mov [r11 + OUT + 8], rbp
  mov [r11 + OUT + 16], r12
  mov [r11 + OUT + 24], r13
  mov [r11 + OUT + 32], r14
  mov [r11 + OUT + 40], r15
.endm

.macro mxcsr_control to
  stmxcsr [rsp + PATTERN_WORDS*8]
  mov \to, [rsp + PATTERN_WORDS*8]
  and \to, MXCSR_CONTROL
.endm

.text
.p2align 4
.globl call_kernel
.type call_kernel, @function
call_kernel:
  .cfi_startproc
  endbr64
  push rbx
  push rbp
  push r12
  push r13
  push r14
  push r15
  sub rsp, FRAME
  mov [rip + saved_probe], r9
  mov [rip + saved_rsp], rsp

  mov rax, 0x5a5aa5a55a5aa5a5
  lea r10, [rsp + PATTERN_WORDS*8]
.Lpaint:
  sub r10, 8
  mov [r10], rax
  cmp r10, rsp
  jne .Lpaint
  mxcsr_control eax
  mov [r9 + IN + 48], rax
  cmp qword ptr [r9 + CHECK_UPPER], 0
  je .Lready
  vzeroupper
.Lready:
  load_all
  mov rax, rdi
  mov rdi, rsi
  mov rsi, rdx
  mov rdx, rcx
  mov rcx, r8
  mov r8, 0x1111111111111111
  mov r9, r8
  mov r10, r8
  mov r11, r8
  call rax

  mov r11, [rip + saved_probe]
  store_all
  mov rax, rsp
  mov rsp, [rip + saved_rsp]
  sub rax, rsp
  mov [r11 + OUT + 64], rax
  pushfq
  pop rax
  and eax, DIRECTION
  mov [r11 + OUT + 56], rax
  cld
  mxcsr_control eax
  mov [r11 + OUT + 48], rax

  mov rax, 0x5a5aa5a55a5aa5a5
  lea r10, [rsp + PATTERN_WORDS*8]
  xor ecx, ecx
.Lcompare:
  sub r10, 8
  mov rdx, [r10]
  xor rdx, rax
  or rcx, rdx
  cmp r10, rsp
  jne .Lcompare
  mov [r11 + OUT + 72], rcx

  xor eax, eax
  cmp [r11 + CHECK_UPPER], rax
  je .Ldone
  vextractf128 xmm0, ymm0, 1
  .irp i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vextractf128 xmm\i, ymm\i, 1
    vorps xmm0, xmm0, xmm\i
  .endr
  vpackssdw xmm0, xmm0, xmm0
  vmovq rax, xmm0
  vzeroupper
.Ldone:
  mov [r11 + OUT + 80], rax
  add rsp, FRAME
  pop r15
  pop r14
  pop r13
  pop r12
  pop rbp
  pop rbx
  ret
  .cfi_endproc
.size call_kernel, . - call_kernel

.local saved_probe, saved_rsp
.comm saved_probe, 8, 8
.comm saved_rsp, 8, 8
.section .note.GNU-stack, "", @progbits
