/*
 * The memory map as PC firmware hands it to an operating system: an array of these.
 *
 * Source: ACPI specification 6.4, chapter 15.1 (INT 15H, E820H). Packed, little-endian. Linux's zero
 * page and fw_cfg's "etc/e820" hold the entries in the same form.
 */
#ifndef ABI_E820_H
#define ABI_E820_H

#include <assert.h>
#include <stdint.h>

enum e820_type {
	E820_RAM = 1,
	E820_RESERVED = 2,
	E820_ACPI = 3, /* tables; RAM again when the guest has read them */
	E820_NVS = 4,
	E820_UNUSABLE = 5,
};

struct e820_entry {
	uint64_t start;
	uint64_t size;
	uint32_t type;
} __attribute__((packed));
static_assert(sizeof(struct e820_entry) == 20, "e820_entry");

#endif
