/* Faults of the processor, with vector and error code. */
#include "guest.inc"
	GUEST32
	THROWS	6, ud2
	xor	%edx, %edx
	xor	%ecx, %ecx
	THROWS	0, div %ecx
	mov	$0x1230, %ebx
	THROWS	13, mov %ebx, %fs	/* beyond the GDT */
	cmpl	$0x1230, ERROR_CODE
	jne	1f
	THROWS	13, lldt %bx
	THROWS	11, ljmp $32, $0	/* a descriptor that is not present */
	cmpl	$32, ERROR_CODE
	jne	1f
	PASS
1:	FAIL	1
