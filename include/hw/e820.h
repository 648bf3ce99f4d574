/*
 * The one table of what lies where in guest-physical memory: RAM, what is reserved, ACPI's tables.
 *
 * A board fills it once. From it come the zero page of Linux, the memory maps of PVH and multiboot,
 * fw_cfg's "etc/e820", and the places where the loader may put things. A plain value without ownership.
 */
#ifndef HW_E820_H
#define HW_E820_H

#include "abi/e820.h"
#include "base/common.h"

#define E820_MAX 128 /* what a zero page has room for */

struct e820_range {
	uint64_t start, size;
	enum e820_type type;
};

struct e820_table {
	unsigned count;
	struct e820_range range[E820_MAX]; /* by start; they neither overlap nor could be joined */
};

/*
 * Says what [start, start + size) is, whatever was said before; @type 0 makes a hole. The range must
 * not wrap; size 0 says nothing. A board's own doing, so more than E820_MAX ranges are a bug.
 */
void e820_set(struct e820_table *t, uint64_t start, uint64_t size, enum e820_type type);

/* What every PC has: RAM below and above 4 GiB, and the pages KVM wants for itself on Intel CPUs. */
void e820_add_board(struct e820_table *t, uint64_t below_4g, uint64_t above_4g);

/*
 * What firmware reserves on a PC: its data at the end of the first 640 KiB, adapters and firmware
 * between there and 1 MiB, the ROM at the end of 4 GiB. For boots without firmware, on top of the above.
 */
void e820_add_firmware(struct e820_table *t);

/* Where the piece of RAM that @start lies in ends; 0: it lies in none. */
uint64_t e820_ram_end(const struct e820_table *t, uint64_t start);

/* All of [start, start + size) is RAM, and @start itself is even when size is 0. */
bool e820_is_ram(const struct e820_table *t, uint64_t start, uint64_t size);

#endif
