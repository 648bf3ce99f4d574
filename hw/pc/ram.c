/*
 * Where RAM ends below 4 GiB: devices need room for their registers there. Guests with more RAM than
 * fits get a full GiB less below, so that huge pages and their page tables come out even.
 *
 * AMD's processors with 40 and more bits of address have the last 12 GiB below 1 TiB for HyperTransport:
 * there guests are told so too, as they may put devices where they have seen no RAM.
 */
#include "hw/pc/pc.h"

#define PC_RAM_BELOW_4G      0xe0000000ULL
#define PC_RAM_BELOW_4G_EVEN 0xc0000000ULL
#define HT_START             0xfd00000000ULL
#define HT_SIZE              0x300000000ULL
#define HT_PHYS_BITS         40

uint64_t pc_ram_split(const struct pc_machine *pc)
{
	uint64_t limit = pc->max_ram_below_4g ? pc->max_ram_below_4g : PC_RAM_BELOW_4G;

	if (pc->m.ram_size < limit)
		return limit;
	if (!pc_has_quirk(pc, PC_QUIRK_ALL_BELOW_4G))
		limit = MIN(limit, PC_RAM_BELOW_4G_EVEN);
	if (limit % GIB)
		warn_report("Large machine and max_ram_below_4g (%" PRIu64
			    ") not a multiple of 1G; possible bad performance.",
			    limit);
	return limit;
}

void pc_memory_map(const struct pc_machine *pc, struct e820_table *map)
{
	const struct cpu_features *cpu = &pc->m.features;

	e820_add_board(map, pc->m.below_4g, pc->m.above_4g);
	if (!pc_has_quirk(pc, PC_QUIRK_NO_HT_HOLE) && !strcmp(cpu->vendor, "AuthenticAMD") &&
	    cpu->phys_bits >= HT_PHYS_BITS)
		e820_set(map, HT_START, HT_SIZE, E820_RESERVED);
}
