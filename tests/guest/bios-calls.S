/*
 * A boot program as those of old: it runs in real mode and knows the machine by what the BIOS tells.
 * A bootstrap entry vector in an option ROM (see pc-bios/rom.inc) is where it starts.
 *
 * It writes through INT 10h, a line for each call of the BIOS, and wants SeaBIOS to show that on the
 * serial port (-machine graphics=off). What is wrong is a line with '!' in it. Keys are read until 'q'.
 */
#include "../../pc-bios/rom.inc"

	ROM_HEADER "BIOS calls"

	.set	SMAP, 0x534d4150
	.set	MAP_ENTRY, 0x6000
	.set	PROBE, 0x0500
	.set	PROBE_HIGH, 0x0510	/* FFFF:0510h + 10h is 1 MiB higher */

	.macro	say text
	mov	$7777f, %si
	call	print
	jmp	7778f
7777:	.asciz	"\text"
7778:
	.endm

	/* Says so when the condition does not hold. */
	.macro	want condition, what
	j\condition	7779f
	say	" \what! "
7779:
	.endm

boot:
	rom_begin
	say	"BIOS calls\r\n"

	/* CMOS: what to boot from, a nibble each: 1 floppy, 2 hard disk, 3 CD-ROM, 4 network. */
	say	"cmos order "
	mov	$0x38, %al
	out	%al, $0x70
	in	$0x71, %al
	mov	%al, %ah
	mov	$0x3d, %al
	out	%al, $0x70
	in	$0x71, %al
	movzwl	%ax, %eax
	call	number_hex
	say	"\r\n"

	/* INT 10h: the mode, and where the cursor is after it has been set. */
	mov	$0x0f, %ah
	int	$0x10
	say	"int10 columns "
	movzbl	%ah, %eax
	call	number_hex
	say	"\r\n"

	/* INT 11h, 12h: equipment, KiB below 640 KiB. */
	int	$0x11
	test	$0x02, %al		/* a coprocessor */
	want	nz, "no coprocessor"
	int	$0x12
	movzwl	%ax, %eax
	say	"int12 "
	call	number_hex
	say	"\r\n"

	/* INT 13h: a reset of drive 80h, and parameters of a drive that is not there. */
	say	"int13"
	mov	$0x00, %ah
	mov	$0x80, %dl
	int	$0x13
	want	c, "reset of a missing drive"
	mov	$0x08, %ah
	mov	$0x80, %dl
	xor	%di, %di
	int	$0x13
	want	c, "parameters of a missing drive"
	mov	$0x41, %ah		/* extensions */
	mov	$0x55aa, %bx
	mov	$0x80, %dl
	int	$0x13
	want	c, "extensions of a missing drive"
	say	" none\r\n"

	/* INT 15h: all of the memory map; then how much there is, the way of 1994 and of 1987. */
	xor	%ebx, %ebx
1:	mov	$0xe820, %eax
	mov	$SMAP, %edx
	mov	$20, %ecx
	xor	%di, %di
	mov	%di, %es
	mov	$MAP_ENTRY, %di
	int	$0x15
	want	nc, "no memory map"
	cmp	$SMAP, %eax
	want	e, "no signature"
	say	"e820 "
	mov	MAP_ENTRY + 4, %eax
	call	number_hex
	mov	MAP_ENTRY, %eax
	call	number_hex
	say	" "
	mov	MAP_ENTRY + 12, %eax
	call	number_hex
	mov	MAP_ENTRY + 8, %eax
	call	number_hex
	say	" "
	mov	MAP_ENTRY + 16, %eax
	call	number_hex
	say	"\r\n"
	test	%ebx, %ebx
	jnz	1b
	mov	$0xe801, %ax
	int	$0x15
	want	nc, "E801h failed"
	say	"e801 "
	movzwl	%ax, %eax
	call	number_hex
	say	"\r\n"
	mov	$0x88, %ah
	int	$0x15
	movzwl	%ax, %eax
	say	"int15-88 "
	call	number_hex
	say	"\r\n"

	/* INT 15h, 24h: A20 on and off, seen in memory. */
	mov	$0xffff, %ax
	mov	%ax, %fs
	say	"a20"
	mov	$0x2401, %ax
	int	$0x15
	want	nc, "cannot be switched on"
	mov	$0x2402, %ax
	int	$0x15
	cmp	$1, %al
	want	e, "is not said to be on"
	movw	$0x1234, PROBE
	movw	$0x5678, %fs:PROBE_HIGH
	cmpw	$0x1234, PROBE
	want	e, "wraps while on"
	mov	$0x2400, %ax
	int	$0x15
	want	nc, "cannot be switched off"
	mov	$0x2402, %ax
	int	$0x15
	cmp	$0, %al
	want	e, "is not said to be off"
	mov	$0x2401, %ax
	int	$0x15
	say	" works\r\n"

	/* INT 1Ah: the clock ticks. */
	say	"int1a"
	mov	$0x00, %ah
	int	$0x1a
	mov	%dx, %bp
1:	hlt
	mov	$0x00, %ah
	int	$0x1a
	cmp	%dx, %bp
	je	1b
	say	" ticks\r\n"

	/* INT 16h: what is typed comes back, until 'q'. */
	say	"keys: "
1:	mov	$0x00, %ah
	int	$0x16
	call	teletype
	cmp	$'q', %al
	jne	1b
	say	"\r\nBIOS calls done\r\n"
	int	$0x18

/* The text at cs:si; keeps eax. */
print:
	push	%ax
1:	cs lodsb
	test	%al, %al
	jz	2f
	call	teletype
	jmp	1b
2:	pop	%ax
	ret

teletype:
	pusha
	mov	$0x0e, %ah
	mov	$7, %bx
	int	$0x10
	popa
	ret

/* eax in eight digits. */
number_hex:
	pushal
	mov	$8, %cx
1:	rol	$4, %eax
	push	%eax
	and	$0x0f, %al
	cmp	$10, %al
	sbb	$0x69, %al
	das
	call	teletype
	pop	%eax
	loop	1b
	popal
	ret

	DMA_CODE
