/*
 * Option ROM that boots a Linux kernel from the firmware configuration device: see rom.inc for what it
 * has in common with the others.
 *
 * The host has put what is needed where numbered items say: an address, a size, the bytes. The ROM
 * copies command line, initrd, kernel and real mode part, and enters the latter as the boot protocol
 * wants (Linux, Documentation/arch/x86/boot.rst, "Running the kernel").
 */
#include "rom.inc"

	ROM_HEADER "Linux loader"

	/* Item keys: address, size, bytes. */
	.macro load address, size, bytes
	item_number \address
	mov	%eax, %esi
	item_number \size
	mov	%eax, %ecx
	mov	%esi, %edi
	item_read \bytes
	.endm

	.set	CMDLINE_ADDR, 0x13
	.set	SETUP_ADDR, 0x16

boot:
	rom_begin
	load	0x0a, 0x0b, 0x12	/* initrd */
	load	0x07, 0x08, 0x11	/* kernel */
	load	CMDLINE_ADDR, 0x14, 0x15
	load	SETUP_ADDR, 0x17, 0x18	/* real mode part */

	/* All segments where that part is, the stack below the command line. */
	item_number CMDLINE_ADDR
	mov	%eax, %ebx
	item_number SETUP_ADDR
	sub	%eax, %ebx
	sub	$16, %ebx
	shr	$4, %eax
	cli
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %fs
	mov	%ax, %gs
	mov	%ax, %ss
	mov	%ebx, %esp
	add	$0x20, %ax
	push	%ax
	push	$0
	lret

	DMA_CODE
