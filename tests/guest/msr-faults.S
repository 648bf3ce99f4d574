/* Registers that do not exist, and values that are not allowed. */
// needs: hardware
#include "guest.inc"
	GUEST32
	mov	$0x12345, %ecx
	THROWS	13, rdmsr
	THROWS	13, wrmsr
	mov	$0xc0000080, %ecx	/* EFER: a reserved bit */
	mov	$0x80000000, %eax
	mov	$0, %edx
	THROWS	13, wrmsr
	mov	$0x277, %ecx		/* PAT: no such memory type */
	mov	$0x02, %eax
	THROWS	13, wrmsr
	mov	$0x277, %ecx
	mov	$0x00070406, %eax
	mov	$0x00070406, %edx
	wrmsr
	xor	%eax, %eax
	rdmsr
	cmp	$0x00070406, %eax
	jne	1f
	PASS
1:	FAIL	1
