/* Identification: a vendor, an APIC ID of 0, a hypervisor, no leaf past the last. */
#include "guest.inc"
	GUEST32
	xor	%eax, %eax
	cpuid
	test	%eax, %eax
	jz	1f
	test	%ebx, %ebx
	jz	1f
	mov	$1, %eax
	cpuid
	shr	$24, %ebx
	jnz	2f
	bt	$31, %ecx
	jnc	3f
	bt	$0, %edx		/* FPU */
	jnc	4f
	bt	$9, %edx		/* APIC */
	jnc	4f
	mov	$0x80000000, %eax
	cpuid
	cmp	$0x80000004, %eax
	jb	1f
	PASS
1:	FAIL	1
2:	FAIL	2
3:	FAIL	3
4:	FAIL	4
