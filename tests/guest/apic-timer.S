/* The local APIC's timer wakes from HLT; an IPI to oneself arrives. */
// output: ti
// needs: hardware
#include "guest.inc"
	GUEST32
	GATE	0x40, timer
	GATE	0x41, ipi
	SET_UP_PICS
	movl	$0x0b, LAPIC + 0x3e0	/* divide by 1 */
	movl	$0x40, LAPIC + 0x320	/* one shot, vector 40h */
	movl	$100000, LAPIC + 0x380
	sti
	hlt
	movl	$0x44041, LAPIC + 0x300	/* to self, vector 41h */
wait:	pause
	cmpl	$2, SCRATCH
	jne	wait
	cmpl	$0, LAPIC + 0x390	/* the timer stands at 0 */
	jne	bad
	PASS
bad:	FAIL	1
timer:	TEXT	't'
	jmp	done
ipi:	TEXT	'i'
done:	incl	SCRATCH
	movl	$0, LAPIC + 0xb0	/* end of interrupt */
	iret
