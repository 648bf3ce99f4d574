/* Descriptors in protected mode: what may be loaded, and what may be done with what was loaded. */
// needs: hardware
// lab cannot: it does not check the limits of segments
#include "guest.inc"
#define GDT	0x35000
#define NUMBER	0x8020	/* of the check that is being made */

/* Vector and error code of a fault. */
.macro FAULTS number, vector, code, insn:vararg
	movb	$\number, NUMBER
	THROWS	\vector, \insn
	cmpl	$\code, ERROR_CODE
	jne	failed
.endm

.macro LOAD selector, reg=fs
	mov	$\selector, %eax
	mov	%eax, %\reg
.endm

.macro CHECK number, condition
	movb	$\number, NUMBER
	j\condition	7783f
	jmp	failed
7783:
.endm

	GUEST32
	mov	$gdt_tests, %esi
	mov	$GDT, %edi
	mov	$((gdt_tests_end - gdt_tests) / 4), %ecx
	rep movsl
	lgdt	gdt_tests_pointer

	/* Loads */
	mov	$0x43, %eax		/* RPL 3 for data of level 0 */
	FAULTS	1, 13, 0x40, mov %eax, %fs
	mov	$0x48, %eax		/* not present */
	FAULTS	2, 11, 0x48, mov %eax, %fs
	FAULTS	3, 12, 0x48, mov %eax, %ss
	mov	$0x50, %eax		/* code that cannot be read */
	FAULTS	4, 13, 0x50, mov %eax, %fs
	mov	$0x58, %eax		/* data that cannot be written */
	FAULTS	5, 13, 0x58, mov %eax, %ss
	LOAD	0x58
	xor	%eax, %eax
	FAULTS	6, 13, 0, mov %eax, %ss
	mov	$0x60, %eax		/* of the system */
	FAULTS	7, 13, 0x60, mov %eax, %fs
	mov	$0x404, %eax		/* there is no LDT */
	FAULTS	8, 13, 0x404, mov %eax, %fs
	testb	$1, GDT + 0x58 + 5	/* the one that could be loaded was accessed */
	CHECK	9, nz
	testb	$1, GDT + 0x48 + 5
	CHECK	10, z

	/* Null */
	xor	%eax, %eax
	mov	%eax, %fs
	FAULTS	11, 13, 0, mov %fs:0, %al
	mov	$3, %eax
	mov	%eax, %fs

	/* Rights */
	LOAD	0x58
	mov	%fs:SCRATCH, %al
	FAULTS	12, 13, 0, mov %al, %fs:SCRATCH
	LOAD	8
	mov	%fs:SCRATCH, %al
	FAULTS	13, 13, 0, mov %al, %fs:SCRATCH

	/* Limits: 4 KiB at SCRATCH */
	LOAD	0x68
	movl	$0x12345678, %fs:0xffc
	FAULTS	14, 13, 0, mov %eax, %fs:0xffd
	FAULTS	15, 13, 0, mov %eax, %fs:0x1000
	cmpl	$0x12345678, SCRATCH + 0xffc
	CHECK	16, e

	/* Expand-down: from 4 KiB up, 16 bits */
	LOAD	0x70
	mov	%al, %fs:0x1000
	mov	%eax, %fs:0xfffc
	FAULTS	17, 13, 0, mov %al, %fs:0xfff
	FAULTS	18, 13, 0, mov %eax, %fs:0xfffd

	/* The stack's own fault */
	mov	$0x68, %eax
	mov	%eax, %ss
	mov	$0x800, %esp
	FAULTS	19, 12, 0, mov %ss:0x1000, %al
	mov	$16, %eax
	mov	%eax, %ss
	mov	$STACK, %esp

	/* LAR, LSL, VERR, VERW */
	mov	$0x68, %ecx
	lsl	%ecx, %eax
	CHECK	20, z
	cmp	$0xfff, %eax
	CHECK	21, e
	mov	$16, %ecx
	lsl	%ecx, %eax
	cmp	$0xffffffff, %eax
	CHECK	22, e
	lar	%ecx, %eax
	CHECK	23, z
	cmp	$0xcf9300, %eax
	CHECK	24, e
	mov	$0x43, %ecx		/* RPL 3 */
	lar	%ecx, %eax
	CHECK	25, nz
	mov	$0x60, %ecx		/* an interrupt gate is not for LAR */
	lar	%ecx, %eax
	CHECK	26, nz
	mov	$0x58, %ecx
	verr	%cx
	CHECK	27, z
	verw	%cx
	CHECK	28, nz
	mov	$0x50, %ecx
	verr	%cx
	CHECK	29, nz
	xor	%ecx, %ecx
	verr	%cx
	CHECK	30, nz
	mov	$8, %ecx
	mov	$3, %edx
	arpl	%dx, %cx
	CHECK	31, z
	cmp	$11, %ecx
	CHECK	32, e

	/* Far transfers */
	FAULTS	33, 13, 0, ljmp $0, $0
	FAULTS	34, 13, 0x10, ljmp $0x10, $0
	FAULTS	35, 13, 0x78, ljmp $0x78, $0	/* level 3 */
	FAULTS	36, 13, 0, ljmp $0x80, $0x1000	/* beyond the limit */
	ljmp	$0x88, $1f			/* conforming: stays at level 0 */
1:	mov	%cs, %eax
	cmp	$0x88, %eax
	CHECK	37, e
	ljmp	$8, $1f
1:	PASS
failed:
	mov	NUMBER, %al
	out	%al, $PORT_EXIT

	.balign	8
gdt_tests:
	.quad	0
	.quad	0x00cf9b000000ffff	/* 8: code */
	.quad	0x00cf93000000ffff	/* 16: data */
	.quad	0
	.quad	0, 0, 0, 0
	.quad	0x00cf93000000ffff	/* 40: data of level 0 */
	.quad	0x00cf12000000ffff	/* 48: not present */
	.quad	0x00cf99000000ffff	/* 50: code, execute only */
	.quad	0x00cf90000000ffff	/* 58: data, read only */
	.quad	0x00008e0000080000	/* 60: an interrupt gate */
	.quad	0x0040930800000fff	/* 68: 4 KiB at SCRATCH */
	.quad	0x0000970800000fff	/* 70: expand-down at SCRATCH */
	.quad	0x00cffb000000ffff	/* 78: code of level 3 */
	.quad	0x00409b0000000fff	/* 80: code of 4 KiB */
	.quad	0x00cf9f000000ffff	/* 88: conforming code */
gdt_tests_end:
gdt_tests_pointer:
	.word	gdt_tests_end - gdt_tests - 1
	.long	GDT
