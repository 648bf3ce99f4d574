/* Virtual-8086 mode: segments of 16 bytes' steps, what IOPL forbids, ports, interrupts out of it. */
// needs: hardware
#include "guest.inc"
#define GDT	0x35000
#define TSS	0x36000
#define NUMBER	0x8020
#define CODE	0x90000		/* where the 16-bit code is copied to: 9000:0000 */
#define TR	0x18

.macro CHECK number, condition
	movb	$\number, NUMBER
	j\condition	7783f
	jmp	failed
7783:
.endm

/* Into virtual-8086 mode at 9000:@label; a fault there comes back here, in level 0. */
.macro VM86 number, label, flags
	movb	$\number, NUMBER
	movl	$7781f, RESUME
	mov	%esp, RESUME_SP
	push	$0x8044			/* GS FS DS ES SS SP flags CS IP */
	push	$0x8033
	push	$0x8000
	push	$0x8022
	push	$0x6000
	push	$0x1000
	push	$(0x20002 | \flags)
	push	$(CODE >> 4)
	push	$(\label - vm86_code)
	iretl
7781:	movl	$0, RESUME
	movb	$\number, NUMBER
.endm

.macro EXPECT vector, code, label
	cmpl	$\vector, VECTOR
	jne	failed
	cmpl	$\code, ERROR_CODE
	jne	failed
	cmpl	$\label - vm86_code, SCRATCH + 0x100	/* where it happened */
	jne	failed
.endm

	GUEST32
	mov	$gdt_vm86, %esi
	mov	$GDT, %edi
	mov	$((gdt_vm86_end - gdt_vm86) / 4), %ecx
	rep movsl
	lgdt	gdt_vm86_pointer
	mov	$TSS, %edi
	xor	%eax, %eax
	mov	$0x80, %ecx
	rep stosl
	movl	$STACK - 0x2000, TSS + 4
	movl	$16, TSS + 8
	movw	$0x68, TSS + 102
	movw	$0xffff, TSS + 0x68 + 0x100 / 8
	mov	$TR, %eax
	ltr	%ax
	mov	$vm86_code, %esi
	mov	$CODE, %edi
	mov	$(vm86_end - vm86_code), %ecx
	rep movsb
	/* The stubs of all exceptions have an address in their gates; those two note more. */
	mov	$IDT, %edi
	mov	$note_gp, %eax
	mov	%ax, 13 * 8(%edi)
	shr	$16, %eax
	mov	%ax, 13 * 8 + 6(%edi)
	mov	$note_ud, %eax
	mov	%ax, 6 * 8(%edi)
	shr	$16, %eax
	mov	%ax, 6 * 8 + 6(%edi)
	lidt	idt_vm86
	movl	$0, IDT + 0x41 * 8
	mov	$int41, %eax
	mov	%ax, IDT + 0x41 * 8
	shr	$16, %eax
	mov	%ax, IDT + 0x41 * 8 + 6
	movw	$8, IDT + 0x41 * 8 + 2
	movw	$0xee00, IDT + 0x41 * 8 + 4

	VM86	1, v_store, 0
	EXPECT	6, 0, v_store_end
	cmpw	$0x4321, 0x80010
	CHECK	2, e
	cmpw	$0x8022, 0x80012		/* ES read back */
	CHECK	3, e
	cmpw	$0x1111, 0x80330 + 4		/* by FS */
	CHECK	4, e

	VM86	5, v_cli, 0
	EXPECT	13, 0, v_cli
	VM86	6, v_cli, 0x3000
	EXPECT	6, 0, v_cli_end
	VM86	7, v_pushf, 0
	EXPECT	13, 0, v_pushf
	VM86	8, v_int, 0
	EXPECT	13, 0, v_int
	VM86	9, v_int, 0x3000		/* IOPL 3: through the IDT */
	EXPECT	6, 0, v_int_end
	cmpl	$0x9000, SCRATCH + 0x104	/* CS as it was pushed */
	CHECK	10, e
	testl	$0x20000, SCRATCH + 0x108	/* VM in the flags as they were pushed */
	CHECK	11, nz
	cmpl	$0x8000, SCRATCH + 0x10c	/* DS as it was pushed */
	CHECK	12, e
	cmpl	$0, SCRATCH + 0x110		/* DS as the handler has it */
	CHECK	13, e
	VM86	14, v_hlt, 0x3000
	EXPECT	13, 0, v_hlt
	VM86	15, v_in, 0x3000		/* the bitmap counts whatever IOPL is */
	EXPECT	13, 0, v_in_bad
	VM86	16, v_limit, 0
	EXPECT	13, 0, v_limit_bad
	VM86	17, v_lldt, 0x3000		/* not recognized */
	EXPECT	6, 0, v_lldt
	PASS
failed:
	mov	$16, %eax
	mov	%eax, %ds
	mov	NUMBER, %al
	out	%al, $PORT_EXIT

note_gp:
	push	$13
	jmp	note
note_ud:
	push	$0
	push	$6
note:	mov	$16, %eax
	mov	%eax, %ds
	mov	8(%esp), %eax
	mov	%eax, SCRATCH + 0x100
	jmp	caught_32

int41:	push	%eax
	push	%ebx
	mov	%ds, %ebx
	mov	$16, %eax
	mov	%eax, %ds
	mov	%ebx, SCRATCH + 0x110
	mov	12(%esp), %eax
	mov	%eax, SCRATCH + 0x104
	mov	16(%esp), %eax
	mov	%eax, SCRATCH + 0x108
	mov	32(%esp), %eax
	mov	%eax, SCRATCH + 0x10c
	pop	%ebx
	pop	%eax
	iret

	.code16
vm86_code:
v_store:
	mov	$0x4321, %ax
	mov	%ax, 0x10
	mov	%es, %ax
	mov	%ax, 0x12
	movw	$0x1111, %fs:4
v_store_end:
	ud2
v_cli:	cli
v_cli_end:
	ud2
v_pushf:
	pushf
	ud2
v_int:	int	$0x41
v_int_end:
	ud2
v_hlt:	hlt
	ud2
v_in:	in	$0x80, %al
	mov	$0x100, %dx
v_in_bad:
	in	%dx, %al
	ud2
v_limit:
	mov	$0xffff, %si
	mov	(%si), %al
v_limit_bad:
	mov	(%si), %ax
	ud2
v_lldt:	lldt	%ax
vm86_end:
	.code32

	.balign	8
gdt_vm86:
	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
	.quad	0x00008903600001ff
gdt_vm86_end:
gdt_vm86_pointer:
	.word	gdt_vm86_end - gdt_vm86 - 1
	.long	GDT
idt_vm86:
	.word	256 * 8 - 1
	.long	IDT
