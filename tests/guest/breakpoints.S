/* Debug registers: code and data breakpoints, single steps, RF, GD, what DR6 says. */
// needs: hardware
// lab cannot: it lacks some of the debug registers' conditions
#include "guest.inc"
#define NUMBER	0x8020
#define after	(SCRATCH + 0x100)

.macro CHECK number, condition
	movb	$\number, NUMBER
	j\condition	7783f
	jmp	failed
7783:
.endm
.macro DR6_IS number, bits
	mov	%dr6, %eax
	and	$0xe00f, %eax
	cmp	$\bits, %eax
	CHECK	\number, e
	xor	%eax, %eax
	mov	%eax, %dr6
.endm

	GUEST32
	xor	%eax, %eax
	mov	%eax, %dr6
	/* Code: a fault, before the instruction */
	mov	$here, %eax
	mov	%eax, %dr0
	mov	$0x402, %eax
	mov	%eax, %dr7
	xor	%ebx, %ebx
	movb	$1, NUMBER
	THROWS	1, call breaks
	test	%ebx, %ebx
	CHECK	2, z
	DR6_IS	3, 1
	/* RF lets the instruction pass */
	pushf
	orl	$0x10000, (%esp)
	push	%cs
	push	$here
	movl	$back, after
	iret
back:	cmp	$1, %ebx
	CHECK	4, e
	/* Data: a trap, behind the instruction */
	mov	$SCRATCH, %eax
	mov	%eax, %dr1
	mov	$0xd00408, %eax		/* DR1: writes of 4 bytes */
	mov	%eax, %dr7
	movl	$5, SCRATCH + 4
	mov	SCRATCH, %eax
	movb	$5, NUMBER
	THROWS	1, movl $0x55, SCRATCH
	cmpl	$0x55, SCRATCH
	CHECK	6, e
	DR6_IS	7, 2
	movb	$8, NUMBER
	THROWS	1, movb $1, SCRATCH + 3
	DR6_IS	9, 2
	mov	$0xf00408, %eax		/* reads, too */
	mov	%eax, %dr7
	movb	$10, NUMBER
	THROWS	1, mov SCRATCH, %al
	DR6_IS	11, 2
	movb	$12, NUMBER
	THROWS	1, incl SCRATCH
	DR6_IS	13, 2
	mov	$0x400, %eax
	mov	%eax, %dr7
	incl	SCRATCH
	/* TF */
	movb	$14, NUMBER
	THROWS	1, call steps
	DR6_IS	15, 0x4000
	cmp	$1, %ecx
	CHECK	16, e
	/* GD: the registers are not to be touched */
	mov	$0x2400, %eax
	mov	%eax, %dr7
	movb	$17, NUMBER
	THROWS	1, mov %dr0, %eax
	mov	%dr7, %eax		/* it is cleared for the handler */
	test	$0x2000, %eax
	CHECK	18, z
	DR6_IS	19, 0x2000
	/* INT1 */
	movb	$20, NUMBER
	THROWS	1, .byte 0xf1
	DR6_IS	21, 0
	PASS
failed:
	mov	NUMBER, %al
	out	%al, $PORT_EXIT

breaks:	nop
here:	inc	%ebx
	jmp	*after
steps:	xor	%ecx, %ecx
	pushf
	orl	$0x100, (%esp)
	popf
	inc	%ecx
	inc	%ecx
	ret
