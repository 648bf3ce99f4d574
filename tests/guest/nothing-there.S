/* Where nothing is, memory reads as zeroes and ports as ones; writes vanish. */
#include "guest.inc"
#define HOLE 0xd0000000
	GUEST32
	movl	$0x12345678, HOLE
	cmpl	$0, HOLE
	jne	1f
	cmpw	$0, HOLE + 3
	jne	1f
	cmpb	$0, HOLE + 0xfff
	jne	1f
	mov	$0x540, %edx
	mov	$0, %eax
	out	%eax, (%dx)
	in	(%dx), %eax
	cmp	$-1, %eax
	jne	2f
	xor	%eax, %eax
	in	(%dx), %ax
	cmp	$0xffff, %eax
	jne	2f
	xor	%eax, %eax
	in	(%dx), %al
	cmp	$0xff, %eax
	jne	2f
	/* A fetch of ones is not tried: no processor says what it does. */
	PASS
1:	FAIL	1
2:	FAIL	2
