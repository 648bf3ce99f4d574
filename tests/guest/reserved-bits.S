/* Reserved bits of page table entries: the error code says so, and that the entry was present. */
// needs: hardware
// lab cannot: it leaves out bit 0 of the error code
#include "guest.inc"
#define PAGE	0x40000000
#define PTE	0x30000

.macro FAULTS code, entry, where, insn:vararg
	mov	$\entry, %rax
	mov	%rax, \where
	mov	%cr3, %rax
	mov	%rax, %cr3
	THROWS	14, \insn
	cmpl	$\code, ERROR_CODE
	jne	failed
	mov	%cr2, %rbx
	cmp	$PAGE, %rbx
	jne	failed
.endm

	GUEST64
	movq	$(PTE + 7), PD + 0x1000
	FAULTS	9, (0x4000000000000 + SCRATCH + 7), PTE, mov PAGE, %al	/* beyond MAXPHYADDR */
	FAULTS	11, (0x4000000000000 + SCRATCH + 7), PTE, mov %al, PAGE
	FAULTS	9, (0x8000000000000000 + SCRATCH + 7), PTE, mov PAGE, %al	/* NX without EFER.NXE */
	FAULTS	9, 0x402087, PD + 0x1000, mov PAGE, %al	/* a page of 2 MiB: bit 13 */
	FAULTS	0, 0x402086, PD + 0x1000, mov PAGE, %al	/* what is not present has none */
	PASS
failed:
	FAIL	1
