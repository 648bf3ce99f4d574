/* INT3 and INTO are traps, TF stops behind the instruction. */
// needs: hardware
#include "guest.inc"
	GUEST32
	THROWS	3, int3
	mov	$0x7fffffff, %eax
	inc	%eax
	THROWS	4, into
	THROWS	1, call step
	mov	%dr6, %eax
	test	$0x4000, %eax		/* BS */
	jz	1f
	PASS
1:	FAIL	1
step:	pushf
	orl	$0x100, (%esp)
	popf
	nop
	ret
