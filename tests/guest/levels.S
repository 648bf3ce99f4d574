/* Levels of privilege in 32-bit mode: call gates, far returns, interrupts from level 3, IOPL, ports. */
// needs: hardware
#include "guest.inc"
#define GDT	0x35000
#define TSS	0x36000
#define USTACK	0x6f000
#define NUMBER	0x8020
#define TR	0x40
#define UCODE	(0x48 | 3)
#define UDATA	(0x50 | 3)
#define GATE	(0x58 | 3)
#define GATE0	0x60		/* for level 0 only */
#define CONF	0x70

.macro NEXT number
	movb	$\number, NUMBER
.endm

/* Enters level 3 at @label with @flags; what faults there comes back behind this with VECTOR set. */
.macro USER number, label, flags=2
	movb	$\number, NUMBER
	movl	$7781f, RESUME
	mov	%esp, RESUME_SP
	mov	$UDATA, %eax		/* the handlers use it, too */
	mov	%eax, %ds
	mov	%eax, %es
	push	$UDATA
	push	$USTACK
	pushl	$\flags
	push	$UCODE
	push	$\label
	iret
7781:	movl	$0, RESUME
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
.endm

.macro EXPECT vector, code
	cmpl	$\vector, VECTOR
	jne	failed
	cmpl	$\code, ERROR_CODE
	jne	failed
.endm

	GUEST32
	mov	$gdt_levels, %esi
	mov	$GDT, %edi
	mov	$((gdt_levels_end - gdt_levels) / 4), %ecx
	rep movsl
	lgdt	gdt_levels_pointer
	mov	$TSS, %edi
	xor	%eax, %eax
	mov	$0x80, %ecx
	rep stosl
	movl	$STACK - 0x2000, TSS + 4
	movl	$16, TSS + 8
	movw	$0x68, TSS + 102	/* the bitmap of ports */
	movw	$0xffff, TSS + 0x68 + 0x200 / 8
	mov	$gate_entry, %eax
	mov	%ax, GDT + 0x58
	shr	$16, %eax
	mov	%ax, GDT + 0x5e
	mov	$gate_entry, %eax
	mov	%ax, GDT + 0x60
	shr	$16, %eax
	mov	%ax, GDT + 0x66
	mov	$TR, %eax
	ltr	%ax
	testb	$2, GDT + TR + 5	/* busy */
	NEXT	1
	jz	failed
	THROWS	13, ltr %ax		/* so it cannot be loaded again */
	cmpl	$TR, ERROR_CODE
	jne	failed
	movl	$int80, IDT + 0x80 * 8
	movl	$int80, IDT + 0x80 * 8 + 4
	movw	$8, IDT + 0x80 * 8 + 2
	movw	$0xee00, IDT + 0x80 * 8 + 4	/* DPL 3 */
	lidt	idt_all

	/* INT n: DPL 3 lets in, DPL 0 does not */
	USER	2, user_int80
	EXPECT	6, 0
	cmpl	$0x1234, SCRATCH
	jne	failed
	USER	3, user_int0
	EXPECT	13, 2

	/* What level 3 may not */
	USER	4, user_cli
	EXPECT	13, 0
	USER	5, user_hlt
	EXPECT	13, 0
	USER	6, user_cr
	EXPECT	13, 0
	USER	7, user_cli, 0x3002	/* IOPL 3 lets it */
	EXPECT	6, 0
	USER	8, user_in_ok
	EXPECT	6, 0
	USER	9, user_in_bad
	EXPECT	13, 0
	USER	10, user_in_bad, 0x3002
	EXPECT	6, 0
	USER	11, user_load
	EXPECT	13, 0x10
	USER	12, user_popf		/* IF does not change, nothing faults */
	EXPECT	6, 0
	testb	$2, SCRATCH + 1
	jnz	failed

	/* Call gates: two parameters are copied, the return drops them and inner segments */
	USER	13, user_call
	EXPECT	6, 0
	cmpl	$0x1111, SCRATCH
	jne	failed
	cmpl	$0x2222, SCRATCH + 4
	jne	failed
	cmpl	$UCODE, SCRATCH + 8
	jne	failed
	cmpl	$USTACK - 8, SCRATCH + 12
	jne	failed
	cmpl	$USTACK, SCRATCH + 16	/* after the return */
	jne	failed
	cmpl	$0, SCRATCH + 20	/* DS */
	jne	failed
	USER	14, user_call0		/* not for level 3 */
	EXPECT	13, GATE0
	USER	15, user_jmp_gate	/* a jump does not change the level */
	EXPECT	13, 8
	USER	16, user_conforming
	EXPECT	6, 0
	cmpl	$(CONF | 3), SCRATCH
	jne	failed
	USER	17, user_retf_inner	/* nor does a return go inwards */
	EXPECT	13, 8
	PASS
failed:
	mov	$16, %eax
	mov	%eax, %ds
	mov	NUMBER, %al
	out	%al, $PORT_EXIT

int80:	mov	$16, %eax
	mov	%eax, %ds
	movl	$0x1234, SCRATCH
	mov	$UDATA, %eax
	mov	%eax, %ds
	iret

user_int80:
	mov	$UDATA, %eax
	mov	%eax, %ds
	int	$0x80
	ud2
user_int0:
	int	$0
	ud2
user_cli:
	cli
	ud2
user_hlt:
	hlt
user_cr:
	mov	%cr0, %eax
user_in_ok:
	mov	$0x80, %edx
	in	%dx, %al
	ud2
user_in_bad:
	mov	$0x1ff, %edx
	in	%dx, %ax
	ud2
user_load:
	mov	$16, %eax
	mov	%eax, %fs
	ud2
user_popf:
	mov	$UDATA, %eax
	mov	%eax, %ds
	push	$0x202
	popf
	pushf
	pop	SCRATCH
	ud2
user_call:
	mov	$UDATA, %eax
	mov	%eax, %ds
	push	$0x2222
	push	$0x1111
	lcall	$GATE, $0
	mov	%ds, %ebx
	mov	$UDATA, %eax
	mov	%eax, %ds
	mov	%esp, SCRATCH + 16
	mov	%ebx, SCRATCH + 20
	ud2
gate_entry:
	mov	$16, %eax
	mov	%eax, %ds
	mov	8(%esp), %eax
	mov	%eax, SCRATCH
	mov	12(%esp), %eax
	mov	%eax, SCRATCH + 4
	mov	4(%esp), %eax
	mov	%eax, SCRATCH + 8
	mov	16(%esp), %eax
	mov	%eax, SCRATCH + 12
	lret	$8
user_call0:
	lcall	$GATE0, $0
	ud2
user_jmp_gate:
	ljmp	$GATE, $0
	ud2
user_conforming:
	ljmp	$CONF, $1f
1:	mov	$UDATA, %eax
	mov	%eax, %ds
	mov	%cs, %eax
	mov	%eax, SCRATCH
	ud2
user_retf_inner:
	push	$8
	push	$0
	lret

	.balign	8
gdt_levels:
	.quad	0
	.quad	0x00cf9b000000ffff	/* 8: code */
	.quad	0x00cf93000000ffff	/* 10: data */
	.quad	0, 0, 0, 0, 0
	.quad	0x00008903600001ff	/* 40: TSS */
	.quad	0x00cffb000000ffff	/* 48: code of level 3 */
	.quad	0x00cff3000000ffff	/* 50: data of level 3 */
	.quad	0x0000ec0200080000	/* 58: call gate, two parameters */
	.quad	0x00008c0200080000	/* 60: the same for level 0 */
	.quad	0			/* 68 */
	.quad	0x00cf9f000000ffff	/* 70: conforming code */
gdt_levels_end:
gdt_levels_pointer:
	.word	gdt_levels_end - gdt_levels - 1
	.long	GDT
idt_all:
	.word	256 * 8 - 1
	.long	IDT
