/*
 * Switching stacks on x86-64.
 *
 * To the compiler context_swap() is a function like any other, so everything the calling convention
 * lets a function destroy is dead or saved by the caller already (System V ABI for AMD64, 3.2.1).
 * What a function must preserve is little: rbx, rbp, r12 to r15, the stack pointer, and the control
 * bits of MXCSR and the x87 control word (rounding, masks). They are pushed onto the old stack, the
 * stack pointer is exchanged, and the same is popped from the new one; `ret` then takes the
 * return address that lies there, which is where the new context once called context_swap() itself.
 *
 *	higher	return address
 *		rbp rbx r12 r13 r14 r15
 *	sp ->	MXCSR (4 bytes), x87 control word (2), unused (2)
 *
 * A fresh stack is laid out as if it had been left just before its first instruction: the return
 * address is that of context_entry(), and rbx and r12 hold what it shall call. The stack there is
 * aligned to 16 bytes as the ABI wants it before a call, and the frame chain ends (rbp is 0; the
 * unwinder is told that there is no return address), so debuggers stop at the right place.
 *
 * AddressSanitizer keeps the bounds of the current stack, and a fake stack for use-after-return;
 * both have to be announced before and after each switch.
 */
#include "context.h"

#if defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN 1
#endif
#endif

void context_swap(void **save, void *load);
void context_entry(void);

__asm__(".text\n"
	".globl context_swap\n"
	".hidden context_swap\n"
	".type context_swap, @function\n"
	".p2align 4\n"
	"context_swap:\n"
	".cfi_startproc\n"
	"	pushq %rbp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset rbp, 0\n"
	"	pushq %rbx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset rbx, 0\n"
	"	pushq %r12\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset r12, 0\n"
	"	pushq %r13\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset r13, 0\n"
	"	pushq %r14\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset r14, 0\n"
	"	pushq %r15\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset r15, 0\n"
	"	subq $8, %rsp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	stmxcsr (%rsp)\n"
	"	fnstcw 4(%rsp)\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	ldmxcsr (%rsp)\n"
	"	fldcw 4(%rsp)\n"
	"	addq $8, %rsp\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %r15\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %r14\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %r13\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %r12\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %rbx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %rbp\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	ret\n"
	".cfi_endproc\n"
	".size context_swap, . - context_swap\n"
	"\n"
	".globl context_entry\n"
	".hidden context_entry\n"
	".type context_entry, @function\n"
	".p2align 4\n"
	"context_entry:\n"
	".cfi_startproc\n"
	"	.cfi_undefined rip\n"
	"	movq %rbx, %rdi\n"
	"	callq *%r12\n"
	"	ud2\n"
	".cfi_endproc\n"
	".size context_entry, . - context_entry\n");

#ifdef ASAN

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>

/* Frames that were left for good on an earlier life of the stack never took their red zones away. */
static void stack_unpoison(void *stack, size_t size)
{
	__asan_unpoison_memory_region(stack, size);
}

#else

static void stack_unpoison(void *stack, size_t size)
{
}

#endif

/* What context_swap() finds on a stack, from the stack pointer upwards. */
struct saved_frame {
	uint32_t mxcsr;
	uint16_t x87_control;
	uint16_t unused;
	uint64_t r15, r14, r13, r12, rbx, rbp;
	uint64_t return_address;
};

void context_init(struct context *context, void *stack, size_t size, void (*fn)(void *opaque),
		  void *opaque)
{
	uintptr_t top = ROUND_DOWN((uintptr_t)stack + size, 16);
	struct saved_frame *frame = (struct saved_frame *)(top - sizeof(*frame));

	stack_unpoison(stack, size);
	*frame = (struct saved_frame){
		.r12 = (uintptr_t)fn,
		.rbx = (uintptr_t)opaque,
		.return_address = (uintptr_t)context_entry,
	};
	__asm__ volatile("stmxcsr %0" : "=m"(frame->mxcsr));
	__asm__ volatile("fnstcw %0" : "=m"(frame->x87_control));
	*context = (struct context){.sp = frame, .stack = stack, .stack_size = size};
}

#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>

#ifdef ASAN

static __thread struct context *left; /* by the last switch */

void context_entered(void)
{
	__sanitizer_finish_switch_fiber(NULL, &left->stack, &left->stack_size);
}

static void announced_switch(struct context *from, struct context *to, bool last)
{
	void *fake_stack = NULL;

	left = from;
	__sanitizer_start_switch_fiber(last ? NULL : &fake_stack, to->stack, to->stack_size);
	context_swap(&from->sp, to->sp);
	__sanitizer_finish_switch_fiber(fake_stack, &left->stack, &left->stack_size);
}

void context_switch(struct context *from, struct context *to)
{
	announced_switch(from, to, false);
}

void context_leave(struct context *from, struct context *to)
{
	announced_switch(from, to, true);
	__builtin_unreachable();
}

void context_stack_mapped(void *stack, size_t size)
{
	__lsan_register_root_region(stack, size);
}

void context_stack_unmapped(void *stack, size_t size)
{
	__lsan_unregister_root_region(stack, size);
}

#else

void context_entered(void)
{
}

void context_switch(struct context *from, struct context *to)
{
	context_swap(&from->sp, to->sp);
}

void context_leave(struct context *from, struct context *to)
{
	context_swap(&from->sp, to->sp);
	__builtin_unreachable();
}

void context_stack_mapped(void *stack, size_t size)
{
}

void context_stack_unmapped(void *stack, size_t size)
{
}

#endif
