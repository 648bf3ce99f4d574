/*
 * System management mode: the first handler moves the second's base to SMRAM, where the second runs, unseen
 * by others; a lock keeps it so.
 */
// output: 12
// args: -machine smm=on
// needs: hardware
#include "guest.inc"
#define MARK	0x6000
#define SMRAM	0x72	/* of 00.0 */
#define SMBASE	0xff00	/* of the state saved by a CPU with long mode, from the base on */

/* Byte @reg of 00.0; destroys eax, dx */
.macro CONFIG bdf, reg
	mov	$(0x80000000 | \bdf << 8 | (\reg & ~3)), %eax
	mov	$0xcf8, %dx
	out	%eax, %dx
	mov	$(0xcfc + (\reg & 3)), %dx
.endm

.macro SET_SMRAM value
	CONFIG	0, SMRAM
	mov	$\value, %al
	out	%al, %dx
.endm

	GUEST16
	movb	$0, MARK
	SET_SMRAM 0x4a			/* enabled, open */
	mov	$0x3000, %ax
	mov	$(first - ROM), %si
	call	put_handler
	mov	$0xa000, %ax
	mov	$(second - ROM), %si
	call	put_handler
	SET_SMRAM 0x0a			/* closed: the others see what is on PCI */
	mov	$0xa000, %ax
	mov	%ax, %es
	mov	%es:0x8000, %eax
	cmp	%cs:(second - ROM), %eax
	je	1f

	CONFIG	0x0b, 0x5b		/* commands of port B2h are interrupts */
	mov	$2, %al
	out	%al, %dx
	mov	$1, %bl
	call	interrupt
	mov	$2, %bl
	call	interrupt

	SET_SMRAM 0x5a			/* locked, which closes it */
	SET_SMRAM 0x4a
	in	%dx, %al
	cmp	$0x1a, %al
	jne	2f
	PASS
1:	FAIL	1
2:	FAIL	2

put_handler:				/* @si in the ROM to @ax:8000h */
	mov	%ax, %es
	mov	$0x8000, %di
	mov	$(end - second), %cx
	cmp	$(second - ROM), %si
	je	1f
	mov	$(second - first), %cx
1:	rep movsb %cs:(%si), %es:(%di)
	ret

interrupt:				/* and wait until the handler has left @bl */
	mov	%bl, %al
	out	%al, $0xb2
1:	cmp	%bl, MARK
	jne	1b
	in	$0xb2, %al
	cmp	%bl, %al
	jne	2b
	ret

first:
	movl	$0xa0000, %cs:SMBASE
	xor	%ax, %ax
	mov	%ax, %ds
	movb	$1, MARK
	TEXT	'1'
	rsm
second:
	xor	%ax, %ax
	mov	%ax, %ds
	movb	$2, MARK
	TEXT	'2'
	rsm
end:
