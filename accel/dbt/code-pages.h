/*
 * Pages of code, and what vCPUs ask of one another.
 *
 * Blocks and TLBs belong to one vCPU. Each page of RAM has flags, which all of them and DMA look at:
 *
 *	RAM_PAGE_CODE	some vCPU has, or is about to have, blocks decoded from the page
 *	PAGE_WRITTEN	some vCPU has, or is about to have, a tag that lets it write to the page
 *	PAGE_CLEARING	CODE was taken away; not everybody has been told yet
 *
 * Who wants to write sets WRITTEN, then looks at CODE; who wants to decode sets CODE, then looks at
 * WRITTEN: one of them sees the other. The decoder makes everybody drop the tag and waits until they
 * have. The writer takes CODE away, tells everybody to forget the page's blocks, and does not wait: a
 * CPU that runs code another one writes must go by an interrupt or a serializing instruction to be sure
 * of what it runs (SDM vol. 3, 8.1.3), and looks at its requests before that. What was decoded while the
 * flag went away is in a block when the request is served, so it goes too.
 *
 * While a decoder waits it has cleared WRITTEN already, though tags exist; until it has done
 * `droppers` makes other decoders wait for themselves.
 *
 * Requests are noted under dbt_machine.lock. A change of the TLB's is also served by whoever comes back
 * inside in the middle of an instruction; blocks are only forgotten between blocks.
 */
#ifndef DBT_CODE_PAGES_H
#define DBT_CODE_PAGES_H

#include "mem.h"
#include "mem/ram.h"

#define PAGE_WRITTEN  2
#define PAGE_CLEARING 4

/* A store of @size bytes to physical address @phys, whose page is @ram: when it returns the store may
 * be made, and so may others. Does not return if the store would change the block that runs. */
void code_page_write(struct dbt_cpu *cpu, const struct op *op, const struct as_ram *ram,
		     uint64_t phys, unsigned size);

void code_pages_init(struct dbt_machine *m);
void code_pages_cleanup(struct dbt_machine *m);
void requests_add_cpu(struct dbt_cpu *cpu);
void requests_remove_cpu(struct dbt_cpu *cpu);

#endif
