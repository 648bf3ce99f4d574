/* Registers after RESET (SDM vol. 3, table 10-1). */
#include "guest.inc"
	.code16
guest_start:
	pushf
	pop	%bx
	cmp	$2, %bx
	jne	flags
	test	%eax, %eax
	jnz	regs
	cmp	$0, %sp
	jne	regs
	mov	%edx, %ebx
	shr	$8, %ebx
	and	$15, %bl		/* the family: not before the 486 */
	cmp	$4, %bl
	jb	family
	mov	%cr0, %eax
	cmp	$0x60000010, %eax	/* CD, NW, ET */
	jne	cr0
	mov	%ds, %ax
	or	%ax, 0x7000		/* DS is 0: this is RAM */
	PASS
flags:	FAIL	1
regs:	FAIL	2
family:	FAIL	3
cr0:	FAIL	4
