/* Code that is written while it runs: the next instruction, another page, by way of an alias, by DMA's kin. */
#include "guest.inc"
#define CODE	0x40000
#define NUMBER	0x8020

.macro CHECK number, condition
	movb	$\number, NUMBER
	j\condition	7783f
	jmp	failed
7783:
.endm

	GUEST64
	mov	$code, %esi
	mov	$CODE, %edi
	mov	$(code_end - code), %ecx
	rep movsb

	/* The very next instruction, in the same block */
	mov	$(CODE + next_insn - code), %ebx
	call	*%rbx
	cmp	$2, %eax
	CHECK	1, e
	/* A loop that changes its own constant each time round: 1 + 2 + ... + 100 */
	mov	$(CODE + summing - code), %ebx
	call	*%rbx
	cmp	$5050, %eax
	CHECK	2, e
	/* A function that was run before, patched from outside, many times */
	mov	$(CODE + constant - code), %ebx
	xor	%ebp, %ebp
1:	mov	%ebp, 1(%rbx)
	call	*%rbx
	cmp	%ebp, %eax
	CHECK	3, e
	inc	%ebp
	cmp	$1000, %ebp
	jb	1b
	/* By another linear address of the same page: 1 GiB above */
	movq	$0x87, PD + 0x1000
	mov	%cr3, %rax
	mov	%rax, %cr3
	movl	$77, 0x40000001(%rbx)
	call	*%rbx
	cmp	$77, %eax
	CHECK	4, e
	/* REP MOVSB over it, and over itself */
	movl	$0x12345678, SCRATCH
	mov	$SCRATCH, %esi
	lea	1(%rbx), %edi
	mov	$4, %ecx
	rep movsb
	call	*%rbx
	cmp	$0x12345678, %eax
	CHECK	5, e
	mov	$(CODE + eraser - code), %ebx
	call	*%rbx
	cmp	$3, %eax
	CHECK	6, e
	/* An instruction that lies in two pages, of which one and then the other is written */
	mov	$(CODE + 0xffe), %ebx
	movl	$0x000000b8, CODE + 0xffe	/* mov $imm, %eax */
	movl	$0xc30000, CODE + 0x1001	/* the rest, ret */
	movl	$0x11, CODE + 0xfff
	call	*%rbx
	cmp	$0x11, %eax
	CHECK	7, e
	movb	$0x22, CODE + 0xfff
	call	*%rbx
	cmp	$0x22, %eax
	CHECK	8, e
	movb	$0x33, CODE + 0x1001
	call	*%rbx
	cmp	$0x330022, %eax
	CHECK	9, e
	/* A page is mapped to another one */
	movl	$0xc3, 0x600000			/* ret */
	movl	$0xc340c031, 0x800000		/* xor, inc, ret: in 64-bit code a REX prefix */
	movl	$0xc0ffc031, 0x800000
	movb	$0xc3, 0x800004
	mov	$0x600000, %ebx
	mov	$9, %eax
	call	*%rbx
	cmp	$9, %eax
	CHECK	10, e
	movq	$0x800087, PD + 0x18
	invlpg	0x600000
	call	*%rbx
	cmp	$1, %eax
	CHECK	11, e
	PASS
failed:
	mov	NUMBER, %al
	out	%al, $PORT_EXIT

code:
next_insn:
	movb	$2, 1f + 1 - code + CODE
1:	mov	$1, %eax
	ret
summing:
	xor	%eax, %eax
1:	add	$1, %eax
	incb	1b + 2 - code + CODE
	cmpb	$101, 1b + 2 - code + CODE
	jne	1b
	ret
constant:
	mov	$0, %eax
	ret
	/* REP STOSB turns what follows into NOPs, itself not included */
eraser:	mov	$(1f - code + CODE), %edi
	mov	$0x90, %al
	mov	$5, %ecx
	rep stosb
1:	jmp	2f
	.byte	0xcc, 0xcc, 0xcc
	mov	$3, %eax
	ret
2:	mov	$4, %eax
	ret
code_end:
