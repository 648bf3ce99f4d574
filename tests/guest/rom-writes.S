/* The firmware is ROM, below 1 MiB and below 4 GiB. */
#include "guest.inc"
	GUEST32
	mov	word, %eax
	cmp	%eax, word + 0xfff00000
	jne	1f
	movl	$0, word
	cmp	%eax, word
	jne	2f
	movl	$0, word + 0xfff00000
	cmp	%eax, word + 0xfff00000
	jne	2f
	lock incl word			/* read, modify, and nothing is written */
	cmp	%eax, word
	jne	3f
	PASS
1:	FAIL	1
2:	FAIL	2
3:	FAIL	3
	.balign	4
word:	.long	0x600df00d
