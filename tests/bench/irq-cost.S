/*
 * What an interrupt costs: COUNT of each kind, one after the other is taken. Assembled once for each KIND:
 * 0: a local APIC's interrupt to itself, 1: its timer, as short as it gets, 2: an ISA line through the IOAPIC
 * (the 16550's transmitter is empty each time it is asked), 3: an MSI of an edu card in slot 4.
 * Prints the TSC's cycles for each, in hexadecimal.
 */
#include "../guest/guest.inc"
#define COUNT	2000
#define IOAPIC	0xfec00000
#define EDU	0xe0000000

.macro PCI_WRITE offset, value
	mov	$(0x80002000 + \offset), %eax
	mov	$0xcf8, %dx
	out	%eax, %dx
	mov	$\value, %eax
	mov	$0xcfc, %dx
	out	%eax, %dx
.endm

	GUEST32
	GATE	0x40, taken
	SET_UP_PICS
	movl	$0, SCRATCH
	movl	$0x0b, LAPIC + 0x3e0
	movl	$0x40, LAPIC + 0x320
	movl	$0x18, IOAPIC
	movl	$0x40, IOAPIC + 0x10
	mov	$0x3fc, %dx
	mov	$0x08, %al
	out	%al, %dx
#if KIND == 3
	PCI_WRITE 0x10, EDU
	PCI_WRITE 0x04, 0x00000006
	PCI_WRITE 0x44, 0xfee00000
	PCI_WRITE 0x48, 0
	PCI_WRITE 0x4c, 0x40
	PCI_WRITE 0x40, 0x00810005
#endif
	sti
	call	one			/* the first one is dear */
	rdtsc
	mov	%eax, %esi
	mov	%edx, %edi
	mov	$COUNT, %ecx
next:	call	one
	dec	%ecx
	jnz	next
	rdtsc
	sub	%esi, %eax
	sbb	%edi, %edx
	mov	$COUNT, %ecx
	div	%ecx
	mov	%eax, %ebx
	mov	$8, %ecx
digit:	rol	$4, %ebx
	mov	%bl, %al
	and	$15, %al
	cmp	$10, %al
	sbb	$0x69, %al
	das
	out	%al, $PORT_TEXT
	dec	%ecx
	jnz	digit
	PASS

one:	mov	SCRATCH, %ebp
	inc	%ebp
#if KIND == 0
	movl	$0x44040, LAPIC + 0x300
#elif KIND == 1
	movl	$1, LAPIC + 0x380
#elif KIND == 2
	mov	$0x3f9, %dx
	mov	$0, %al
	out	%al, %dx
	mov	$2, %al
	out	%al, %dx
#else
	movl	$1, EDU + 0x60
#endif
1:	cmp	%ebp, SCRATCH
	jne	1b
	ret

taken:	incl	SCRATCH
#if KIND == 3
	movl	$1, EDU + 0x64
#endif
	movl	$0, LAPIC + 0xb0
	iret
