/* A page that is not there, and one that may not be written: CR2 and the error code say which. */
#include "guest.inc"
#define ABSENT 0x40000000
	GUEST64
	movq	$0, PD + 0x1000		/* the 2 MiB from 1 GiB on */
	mov	%cr3, %rax
	mov	%rax, %cr3
	THROWS	14, movb $1, ABSENT + 0x123
	cmpl	$2, ERROR_CODE		/* write, not present */
	jne	1f
	mov	%cr2, %rax
	cmp	$(ABSENT + 0x123), %rax
	jne	2f
	movq	$0x400085, PD + 0x10	/* 4 MiB: read-only */
	mov	%cr3, %rax
	mov	%rax, %cr3
	mov	0x400000, %al
	THROWS	14, movb $1, 0x400000
	cmpl	$3, ERROR_CODE		/* write, protection */
	jne	1f
	mov	$0x8000000000000, %rbx	/* not canonical */
	THROWS	13, mov (%rbx), %al
	PASS
1:	FAIL	1
2:	FAIL	2
