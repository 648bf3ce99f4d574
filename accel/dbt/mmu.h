/*
 * What mmu.c knows of each entry of the TLB beyond the tags of the fast path.
 *
 * An entry that was filled says here whose page it is, what may be done with it, and where it leads:
 * memory, or registers. Its tags then are at most that: some kinds of access are kept from the fast path
 * (registers; writes to pages of code; breakpoints in the page; alignment checks), but do not need
 * another walk. All entries that were filled are in a list, so a flush costs what was used.
 */
#ifndef DBT_MMU_H
#define DBT_MMU_H

#include "mem.h"

enum page_kind {
	PAGE_RAM,
	PAGE_ROM, /* is read like RAM; a write goes through the memory space, mostly to be lost */
	PAGE_IO,
};

struct mmu_page {
	uint64_t lin; /* of the page; TLB_NONE: not filled */
	uint8_t rights;
	uint8_t kind; /* enum page_kind */
	uint8_t shift;
	bool global;
	bool listed;
};

struct mmu_pages {
	struct mmu_page page[MMU_INDEXES][TLB_SIZE];
	uint16_t list[MMU_INDEXES * TLB_SIZE];
	unsigned count;
};

void mmu_init(struct dbt_cpu *cpu);
void mmu_cleanup(struct dbt_cpu *cpu);
void mmu_flush_local(struct dbt_cpu *cpu); /* all but global pages: CR3 was loaded */
/* The next write to any page goes the slow way. */
void mmu_drop_writes(struct dbt_cpu *cpu);

#endif
