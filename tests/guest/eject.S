/*
 * Cards with back ends are ejected by the CPU while it uses them: at once they are not on the bus any more,
 * and what follows in the main loop disturbs nobody.
 */
// args: -chardev pty,id=a -chardev pty,id=b -device pci-serial,addr=5,chardev=a -device virtio-serial-pci,id=v,addr=6 -device virtconsole,bus=v.0,chardev=b
#include "guest.inc"
#define PORTS	0xc000	/* BAR 0 of the serial card, and of the other */
#define EJECT	0xae08
#define MANY	200

.macro CONFIG slot, reg
	mov	$(0x80000000 + (\slot << 11) + \reg), %eax
	mov	$0xcf8, %dx
	out	%eax, %dx
	mov	$0xcfc, %dx
.endm

.macro USE
	mov	$MANY, %cx
	mov	$PORTS, %dx
1:	mov	$'x', %al
	out	%al, %dx
	in	%dx, %al
	loop	1b
.endm

.macro EJECT_SLOT slot
	CONFIG	\slot, 0
	in	%dx, %eax
	cmp	$-1, %eax
	jne	1f
	FAIL	1			/* it was not there to begin with */
1:	CONFIG	\slot, 0x10
	mov	$PORTS, %eax
	out	%eax, %dx
	CONFIG	\slot, 4
	mov	$1, %ax
	out	%ax, %dx
	USE
	mov	$EJECT, %dx
	mov	$(1 << \slot), %eax
	out	%eax, %dx
	CONFIG	\slot, 0
	in	%dx, %eax
	cmp	$-1, %eax
	je	1f
	FAIL	2
1:	USE
	cmp	$0xff, %al
	je	1f
	FAIL	3			/* its ports still answer */
1:
.endm

	GUEST16
	EJECT_SLOT 5
	EJECT_SLOT 6
	PASS
