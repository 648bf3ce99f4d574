/*
 * CPUs and interrupt lines of a machine without ACPI, as a MultiProcessor table: a pure function from a
 * description to bytes. Layouts: abi/mptable.h.
 */
#ifndef HW_MPTABLE_H
#define HW_MPTABLE_H

#include "base/common.h"

/* Borrowed for the time of the call. */
struct mp_machine {
	const uint8_t *apic_ids; /* the boot CPU's first */
	unsigned cpus;
	uint8_t apic_version, ioapic_version;
	uint32_t signature, features; /* CPUID 1 EAX, EDX */
	uint32_t ioapic;              /* address */
	uint16_t level_lines;         /* ISA lines whose interrupts are levels */
};

/* To be written to @addr, which is a multiple of 16 (caller owns). */
GByteArray *mp_table_new(const struct mp_machine *m, uint32_t addr);

#endif
