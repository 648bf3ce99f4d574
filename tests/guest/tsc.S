/* The time stamp counter counts up, and a written value is what it counts on from. */
#include "guest.inc"
	GUEST32
	rdtsc
	mov	%eax, %esi
	mov	%edx, %edi
	mov	$1000, %ecx
1:	loop	1b
	rdtsc
	sub	%esi, %eax
	sbb	%edi, %edx
	js	2f
	or	%eax, %edx
	jz	2f
	PASS
2:	FAIL	1
