/*
 * Page walks: from a linear address, by the tables in guest memory, to a physical one.
 *
 * Source: Intel SDM vol. 3, chapter 4; AMD APM vol. 2, chapter 5.
 */
#ifndef DBT_WALK_H
#define DBT_WALK_H

#include "mem.h"

/* Bits of a page fault's error code. */
#define PF_PRESENT  BIT(0) /* the entry was there, the access was not allowed */
#define PF_WRITE    BIT(1)
#define PF_USER     BIT(2)
#define PF_RESERVED BIT(3)
#define PF_FETCH    BIT(4)

struct walk {
	/* What is asked */
	uint64_t lin;
	unsigned index; /* enum mmu_index */
	enum mem_access access;
	bool quiet; /* for the debugger: any rights will do, no accessed or dirty bits */

	/* The answer */
	uint64_t phys;  /* of the page of 4 KiB */
	uint8_t rights; /* BIT(enum mem_access) of the index; no write until the page is dirty */
	uint8_t shift;  /* log2 of the page's size as the tables have it */
	bool global;
	uint32_t error; /* of the page fault, when page_walk() says false */
};

bool page_walk(struct dbt_cpu *cpu, struct walk *w);

/* CR3 was loaded under PAE paging, or PAE paging begins: the four directory pointers. False: one of
 * them has reserved bits, and nothing was loaded. */
bool page_load_pdptrs(struct dbt_cpu *cpu, uint64_t cr3);

/* What the CPU sees as memory now: in SMM it may see more. */
static inline struct address_space *dbt_memory(const struct dbt_cpu *cpu)
{
	const struct accel_machine *m = &cpu->machine->accel.machine;

	return cpu->in_smm && m->smm_memory ? m->smm_memory : m->memory;
}
static inline struct space_hint *dbt_memory_hint(struct dbt_cpu *cpu)
{
	return cpu->in_smm ? NULL : &cpu->acc->mem_hint;
}

#endif
