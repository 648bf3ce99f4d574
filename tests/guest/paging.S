/* What a page fault says: error code and CR2; NX, WP, SMEP, SMAP; accessed and dirty. */
// args: -cpu max
// needs: hardware
#include "guest.inc"
#define PAGE	0x40000000	/* one page of 4 KiB, whose entry is at PTE */
#define PTE	0x30000
#define TSS	0x34000
#define GDT	0x35000
#define P	0x001
#define W	0x002
#define U	0x004
#define NX	0x8000000000000000

.macro MAP bits
	mov	$(SCRATCH + (\bits)), %rax
	mov	%rax, PTE
	mov	%cr3, %rax
	mov	%rax, %cr3
.endm

/* The instruction faults with this error code at PAGE. */
.macro FAULTS number, code, insn:vararg
	xor	%eax, %eax
	mov	%rax, %cr2
	THROWS	14, \insn
	mov	$\number, %al
	cmpl	$\code, ERROR_CODE
	jne	failed
	mov	%cr2, %rbx
	cmp	$PAGE, %rbx
	mov	$\number, %al
	jne	failed
.endm

/* The same of code at @label, run at level 3. */
.macro USER_FAULTS number, code, label
	movl	$7881f, RESUME
	movl	$0, RESUME + 4
	mov	%esp, RESUME_SP
	movl	$0, RESUME_SP + 4
	pushq	$(48 | 3)
	pushq	$STACK - 0x1000
	pushq	$2
	pushq	$(40 | 3)
	mov	$\label, %eax
	push	%rax
	iretq
7881:	movl	$0, RESUME
	mov	$\number, %al
	cmpl	$14, VECTOR
	jne	failed
	cmpl	$\code, ERROR_CODE
	jne	failed
.endm

	GUEST64
	mov	$0xc0000080, %ecx	/* EFER.NXE */
	rdmsr
	or	$0x800, %eax
	wrmsr
	movq	$(PTE + 7), PD + 0x1000
	mov	$gdt_user, %esi
	mov	$GDT, %edi
	mov	$9, %ecx
	rep movsq
	lgdt	gdt_user_pointer
	movl	$STACK - 0x2000, TSS + 4
	mov	$56, %eax
	ltr	%ax
	mov	$PAGE, %ebx
	movb	$0xc3, SCRATCH		/* ret */

	MAP	0
	FAULTS	1, 0, mov PAGE, %al
	FAULTS	2, 2, mov %al, PAGE
	FAULTS	3, 0x10, call *%rbx

	MAP	P | W | U		/* accessed by a read, dirty by a write */
	mov	PAGE, %al
	mov	PTE, %rax
	and	$0x60, %eax
	cmp	$0x20, %eax
	mov	$4, %al
	jne	failed
	movb	$0xc3, PAGE
	testb	$0x40, PTE
	mov	$5, %al
	jz	failed
	mov	$PAGE, %ebx
	call	*%rbx

	MAP	P | U			/* WP is on */
	FAULTS	6, 3, mov %al, PAGE
	mov	%cr0, %rax
	btr	$16, %rax
	mov	%rax, %cr0
	movb	$0xc3, PAGE
	mov	%cr0, %rax
	bts	$16, %rax
	mov	%rax, %cr0

	MAP	P | W | U | NX
	mov	PAGE, %al
	mov	$PAGE, %ebx
	FAULTS	7, 0x11, call *%rbx

	andb	$~U, PD			/* SMEP: only the page under test is a user's */
	mov	%cr4, %rax
	bts	$20, %rax
	mov	%rax, %cr4
	MAP	P | W | U
	mov	PAGE, %al
	mov	$PAGE, %ebx
	FAULTS	10, 0x11, call *%rbx
	mov	%cr4, %rax		/* SMAP */
	btr	$20, %rax
	bts	$21, %rax
	mov	%rax, %cr4
	FAULTS	16, 1, mov PAGE, %al
	FAULTS	17, 3, mov %al, PAGE
	stac
	movb	$0xc3, PAGE
	clac
	FAULTS	18, 1, mov PAGE, %al
	mov	$PAGE, %ebx
	call	*%rbx			/* fetches are SMEP's */
	mov	%cr4, %rax
	btr	$21, %rax
	mov	%rax, %cr4
	orb	$U, PD
	jmp	1f

	.balign	16
user_read:
	mov	PAGE, %al
	hlt
user_write:
	mov	%al, PAGE
	hlt
user_run:
	mov	$PAGE, %ebx
	jmp	*%rbx
user_privileged:
	cli

1:	MAP	P | W
	USER_FAULTS 11, 5, user_read
	USER_FAULTS 12, 7, user_write
	USER_FAULTS 13, 0x15, user_run
	MAP	P | U
	USER_FAULTS 14, 7, user_write
	MAP	0
	USER_FAULTS 15, 4, user_read
	PASS
failed:
	out	%al, $PORT_EXIT

	.balign	8
gdt_user:
	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
	.quad	0x00af9b000000ffff
	.quad	0
	.quad	0x00affb000000ffff	/* 40: code, 64 bits, level 3 */
	.quad	0x00cff3000000ffff	/* 48: data, level 3 */
	.quad	0x0000890340000067	/* 56: TSS */
	.quad	0
gdt_user_pointer:
	.word	71
	.quad	GDT
