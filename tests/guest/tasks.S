/* Hardware task switches: JMP, CALL, IRET, a task gate of an interrupt, a fault that arrives in a task. */
// needs: hardware
#include "guest.inc"
#define GDT	0x35000
#define TSS_A	0x36000
#define TSS_B	0x36100
#define TSS_C	0x36200
#define NUMBER	0x8020
#define A	0x40
#define B	0x48
#define C	0x50
#define GATE	0x58

.macro CHECK number, condition
	movb	$\number, NUMBER
	j\condition	7783f
	jmp	failed
7783:
.endm

/* A task at @entry with its stack at @stack. */
.macro TASK tss, entry, stack
	movl	$\entry, \tss + 32
	movl	$2, \tss + 36
	movl	$0x1234, \tss + 40
	movl	$\stack, \tss + 56
	movl	$16, \tss + 72
	movl	$8, \tss + 76
	movl	$16, \tss + 80
	movl	$16, \tss + 84
	movw	$0x68, \tss + 102
.endm

	GUEST32
	mov	$gdt_tasks, %esi
	mov	$GDT, %edi
	mov	$((gdt_tasks_end - gdt_tasks) / 4), %ecx
	rep movsl
	lgdt	gdt_tasks_pointer
	mov	$TSS_A, %edi
	xor	%eax, %eax
	mov	$0xc0, %ecx
	rep stosl
	TASK	TSS_B, task_b, 0x6e000
	TASK	TSS_C, task_c, 0x6d000
	mov	$A, %eax
	ltr	%ax

	/* JMP there and back */
	mov	$0x77, %ebx
	ljmp	$B, $0
	cmp	$0x77, %ebx
	CHECK	1, e
	str	%ax
	cmp	$A, %ax
	CHECK	2, e
	testb	$2, GDT + A + 5
	CHECK	3, nz
	testb	$2, GDT + B + 5
	CHECK	4, z
	cmpl	$0x1235, SCRATCH
	CHECK	5, e

	/* CALL, which IRET ends: both are busy meanwhile */
	lcall	$C, $0
	cmpl	$A, SCRATCH + 4		/* the back link */
	CHECK	7, e
	testl	$0x4000, SCRATCH + 8	/* NT */
	CHECK	8, nz
	testb	$2, SCRATCH + 12	/* A was busy */
	CHECK	9, nz
	testb	$2, GDT + C + 5
	CHECK	10, z
	pushf
	pop	%eax
	test	$0x4000, %eax
	CHECK	11, z

	/* By a gate in the IDT; the task goes on behind its IRET */
	movl	$0, IDT + 0x40 * 8
	movw	$C, IDT + 0x40 * 8 + 2
	movl	$0x8500, IDT + 0x40 * 8 + 4
	lidt	idt_tasks
	int	$0x40
	cmpl	$2, SCRATCH + 16
	CHECK	12, e
	/* And by one in the GDT */
	lcall	$GATE, $0
	cmpl	$3, SCRATCH + 16
	CHECK	13, e

	/* What is refused */
	movb	$14, NUMBER
	THROWS	13, ljmp $A, $0		/* busy */
	cmpl	$A, ERROR_CODE
	jne	failed
	movb	$15, NUMBER
	movw	$0x66, GDT + B		/* too short */
	THROWS	10, ljmp $B, $0
	cmpl	$B, ERROR_CODE
	jne	failed
	str	%ax
	cmp	$A, %ax
	CHECK	16, e
	movw	$0x67, GDT + B

	/* A segment of the new task that is bad is its fault, not the old one's */
	TASK	TSS_B, task_b, 0x6e000
	movl	$0x1000, TSS_B + 88	/* FS */
	movb	$17, NUMBER
	movw	$2, TSS_B + 36
	THROWS	10, ljmp $B, $0
	mov	$16, %eax
	mov	%eax, %ds
	cmpl	$0x1000, ERROR_CODE
	jne	failed
	str	%ax
	cmp	$B, %ax
	CHECK	18, e
	PASS
failed:
	mov	$16, %eax
	mov	%eax, %ds
	mov	NUMBER, %al
	out	%al, $PORT_EXIT

task_b:
	inc	%eax
	mov	%eax, SCRATCH
	mov	$0x88, %ebx
	ljmp	$A, $0

task_c:
	movzwl	TSS_C, %eax
	mov	%eax, SCRATCH + 4
	pushf
	pop	SCRATCH + 8
	mov	GDT + A + 5, %al
	mov	%al, SCRATCH + 12
	incl	SCRATCH + 16
	iret
	jmp	task_c

	.balign	8
gdt_tasks:
	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
	.quad	0, 0, 0, 0, 0
	.quad	0x0000890360000067	/* 40 */
	.quad	0x0000890361000067	/* 48 */
	.quad	0x0000890362000067	/* 50 */
	.quad	0x0000850000500000	/* 58: gate to C */
gdt_tasks_end:
gdt_tasks_pointer:
	.word	gdt_tasks_end - gdt_tasks - 1
	.long	GDT
idt_tasks:
	.word	256 * 8 - 1
	.long	IDT
