/*
 * Where RAM ends below 4 GiB: devices need room for their registers there. Guests with more RAM than
 * fits get a full GiB less below, so that huge pages and their page tables come out even.
 */
#include "hw/pc/pc.h"

#define PC_RAM_BELOW_4G      0xe0000000ULL
#define PC_RAM_BELOW_4G_EVEN 0xc0000000ULL

uint64_t pc_ram_split(const struct pc_machine *pc)
{
	uint64_t limit = pc->max_ram_below_4g ? pc->max_ram_below_4g : PC_RAM_BELOW_4G;

	if (pc->m.ram_size < limit)
		return limit;
	limit = MIN(limit, PC_RAM_BELOW_4G_EVEN);
	if (limit % GIB)
		warn_report("Large machine and max_ram_below_4g (%" PRIu64
			    ") not a multiple of 1G; possible bad performance.",
			    limit);
	return limit;
}
