/* Faults on the way to the handler of a fault: which become double faults, and which are served in turn. */
// needs: hardware
// lab cannot: it leaves out bit 0 (EXT) of error codes
#include "guest.inc"
#define NUMBER	0x8020

/* The gate of @vector is not present: what is delivered there is #NP instead, or a double fault. */
.macro ABSENT vector
	movw	$0x0e00, IDT + \vector * 8 + 4
.endm
.macro PRESENT vector
	movw	$0x8e00, IDT + \vector * 8 + 4
.endm
.macro GIVES number, vector, code, insn:vararg
	movb	$\number, NUMBER
	THROWS	\vector, \insn
	cmpl	$\code, ERROR_CODE
	jne	failed
.endm

	GUEST32
	/* Benign, then contributory: the second is delivered. Its code: vector, IDT, EXT. */
	ABSENT	6
	GIVES	1, 11, (6*8+3), ud2
	PRESENT	6
	ABSENT	3
	GIVES	2, 11, (3*8+2), int3		/* EXT is 0: software asked for it */
	PRESENT	3
	/* Contributory twice */
	ABSENT	0
	xor	%ecx, %ecx
	xor	%edx, %edx
	GIVES	3, 8, 0, div %ecx
	PRESENT	0
	ABSENT	13
	mov	$0x1000, %ebx
	GIVES	4, 8, 0, mov %ebx, %fs
	PRESENT	13
	/* Beyond the limit of the IDT: #GP, whose gate is there */
	GIVES	5, 13, (0x90*8+2), int $0x90
	/* A gate that leads to data */
	movw	$16, IDT + 6 * 8 + 2
	GIVES	6, 13, 0x11, ud2
	movw	$0x1000, IDT + 6 * 8 + 2	/* and to nowhere */
	GIVES	7, 13, 0x1001, ud2
	movw	$0, IDT + 6 * 8 + 2
	GIVES	8, 13, 1, ud2
	movw	$8, IDT + 6 * 8 + 2
	movw	$0x8200, IDT + 6 * 8 + 4	/* no kind of gate */
	GIVES	9, 13, (6*8+3), ud2
	PRESENT	6

	/* Paging: the IDT's second half is in a page that is not there */
	mov	$0x40000, %edi
	mov	$0x83, %eax			/* 4 MiB pages, and a table for the first */
	mov	$1024, %ecx
1:	mov	%eax, (%edi)
	add	$0x400000, %eax
	add	$4, %edi
	loop	1b
	mov	$0x41000, %edi
	mov	$3, %eax
	mov	$1024, %ecx
1:	mov	%eax, (%edi)
	add	$0x1000, %eax
	add	$4, %edi
	loop	1b
	movl	$0x41003, 0x40000
	mov	%cr4, %eax
	or	$0x10, %eax			/* PSE */
	mov	%eax, %cr4
	mov	$0x40000, %eax
	mov	%eax, %cr3
	mov	%cr0, %eax
	or	$0x80010000, %eax
	mov	%eax, %cr0
	mov	$IDT, %esi			/* the IDT ends with #DF's gate at the end of a page */
	mov	$(0x51000 - 9 * 8), %edi
	mov	$64, %ecx
	rep movsl
	lidt	idt_split
	movl	$0, 0x41000 + 0x51 * 4		/* from vector 9 on: not there */
	mov	%cr3, %eax
	mov	%eax, %cr3
	GIVES	10, 8, 0, mov 0x51000, %al	/* page fault, then page fault */
	mov	%cr2, %eax
	cmp	$(0x51000 + 5 * 8), %eax
	jne	failed
	GIVES	11, 8, 0, mov %ebx, %fs		/* #GP, whose gate gives a page fault, whose gate ... */
	PASS
failed:
	mov	NUMBER, %al
	out	%al, $PORT_EXIT

idt_split:
	.word	32 * 8 - 1
	.long	0x51000 - 9 * 8
