/* The timer's line by way of the IOAPIC (pin 2), level and edge seen by its registers. */
// output: p
// needs: hardware
#include "guest.inc"
#define IOAPIC 0xfec00000
	GUEST32
	GATE	0x50, pin
	SET_UP_PICS
	movl	$0x10000, LAPIC + 0x350	/* the PIC has no say */
	movl	$1, IOAPIC		/* version: 24 entries */
	mov	IOAPIC + 0x10, %eax
	shr	$16, %eax
	cmp	$23, %al
	jne	bad
	movl	$0x15, IOAPIC		/* pin 2: to APIC 0, vector 50h, edge */
	movl	$0, IOAPIC + 0x10
	movl	$0x14, IOAPIC
	movl	$0x50, IOAPIC + 0x10
	mov	$0x34, %al
	out	%al, $0x43
	mov	$0xa9, %al
	out	%al, $0x40
	mov	$0x04, %al
	out	%al, $0x40
	sti
wait:	hlt
	cmpb	$0, SCRATCH
	je	wait
	PASS
bad:	FAIL	1
pin:	movl	$0x14, IOAPIC
	movl	$0x10050, IOAPIC + 0x10	/* once is enough */
	cmpb	$0, SCRATCH
	jne	done
	TEXT	'p'
	incb	SCRATCH
done:	movl	$0, LAPIC + 0xb0
	iret
