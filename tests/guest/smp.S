/* INIT and SIPI start another CPU in real mode at the page named; it reports and halts. */
// args: -smp 2
// output: b
#include "guest.inc"
	GUEST32
	mov	$ap_start, %esi		/* its code goes to 9000h: start-up vector 9 */
	mov	$0x9000, %edi
	mov	$(ap_end - ap_start), %ecx
	rep movsb
	movl	$0, SCRATCH
	movl	$0x1ff, LAPIC + 0xf0
	movl	$0xc4500, LAPIC + 0x300	/* INIT to all but self */
	movl	$0xc4609, LAPIC + 0x300	/* start-up */
	movl	$0xc4609, LAPIC + 0x300
1:	pause
	cmpl	$0, SCRATCH
	je	1b
	cmpl	$0x01000001, SCRATCH
	jne	2f
	PASS
2:	FAIL	1
	.code16
ap_start:
	mov	$PORT_TEXT, %dx
	mov	$'b', %al
	out	%al, (%dx)
	mov	$1, %eax
	cpuid
	and	$0xff000000, %ebx	/* its APIC ID */
	inc	%ebx
	mov	$(SCRATCH >> 4), %ax
	mov	%ax, %ds
	mov	%ebx, 0
1:	cli
	hlt
	jmp	1b
ap_end:
