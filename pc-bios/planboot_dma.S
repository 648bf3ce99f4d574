/*
 * Option ROM that boots a kernel which wants protected mode (multiboot, PVH) from the firmware
 * configuration device: see rom.inc for what it has in common with the others.
 *
 * The host has decided what goes where. Item 11h (kernel data) is a list to be carried out: the
 * registers EIP, EAX, EBX, ESP and the number of segments, then each segment as address, size, bytes.
 * All numbers have 32 bits. The first half of the 64 KiB below 8000h is left alone by it.
 */
#include "rom.inc"

	ROM_HEADER "Kernel loader"

	.set	KERNEL_DATA, 0x11
	.set	REGISTERS, 0x7b00
	.set	COUNT, REGISTERS + 16
	.set	SEGMENT, REGISTERS + 20

boot:
	rom_begin
	mov	$REGISTERS, %edi
	mov	$20, %ecx
	item_read KERNEL_DATA
next:
	decl	COUNT
	js	enter
	mov	$SEGMENT, %edi
	mov	$8, %ecx
	mov	$DMA_READ, %eax
	call	dma
	mov	SEGMENT, %edi
	mov	SEGMENT + 4, %ecx
	mov	$DMA_READ, %eax
	call	dma
	jmp	next

	/* Flat segments of 4 GiB, no paging, interrupts off. The descriptor table is copied, because where
	 * this ROM lies is the firmware's choice. */
enter:
	cli
	xor	%eax, %eax
	mov	%cs, %ax
	shl	$4, %eax
	add	$protected, %eax
	mov	%eax, TARGET
	movw	$CODE, TARGET + 4
	mov	$gdt, %si
	mov	$GDT, %di
	mov	$(gdt_end - gdt) / 2, %cx
	rep movsw %cs:(%si), %es:(%di)
	lgdtl	GDT
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	*TARGET

	.set	GDT, 0x7b20
	.set	TARGET, 0x7b50
	.set	CODE, 0x10
	.set	DATA, 0x18

	.code32
protected:
	mov	$DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	mov	REGISTERS + 4, %eax
	mov	REGISTERS + 8, %ebx
	mov	REGISTERS + 12, %esp
	jmp	*REGISTERS
	.code16

	.balign	8
gdt:	/* the unused first descriptor says where the table is */
	.word	gdt_end - gdt - 1
	.long	GDT
	.word	0
	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gdt_end:

	DMA_CODE
