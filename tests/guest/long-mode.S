/* 64-bit code, its registers, RIP-relative data, SSE. */
// needs: hardware
#include "guest.inc"
	GUEST64
	mov	$0x123456789abcdef0, %r15
	mov	%r15, SCRATCH
	cmp	SCRATCH, %r15
	jne	1f
	lea	data(%rip), %rax
	cmpq	$0x600d, (%rax)
	jne	2f
	movq	%r15, %xmm9
	paddq	%xmm9, %xmm9
	movq	%xmm9, %rax
	add	%r15, %r15
	cmp	%rax, %r15
	jne	3f
	PASS
1:	FAIL	1
2:	FAIL	2
3:	FAIL	3
	.balign	8
data:	.quad	0x600d
