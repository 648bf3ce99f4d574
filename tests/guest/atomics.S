/* Locked instructions up to 16 bytes. */
// needs: hardware
#include "guest.inc"
	GUEST64
	movq	$5, SCRATCH
	mov	$3, %rax
	lock xadd %rax, SCRATCH
	cmp	$5, %rax
	jne	1f
	cmpq	$8, SCRATCH
	jne	1f
	movq	$1, SCRATCH
	movq	$2, SCRATCH + 8
	mov	$1, %rax
	mov	$2, %rdx
	mov	$3, %rbx
	mov	$4, %rcx
	lock cmpxchg16b SCRATCH
	jnz	2f
	cmpq	$3, SCRATCH
	jne	2f
	cmpq	$4, SCRATCH + 8
	jne	2f
	lock cmpxchg16b SCRATCH		/* does not match any more */
	jz	3f
	cmp	$3, %rax
	jne	3f
	PASS
1:	FAIL	1
2:	FAIL	2
3:	FAIL	3
