/*
 * From block to block.
 *
 * An operation that ends a block at a known address calls op_go_to(): if the block that was found there
 * last time is still right, and nobody wants anything of this vCPU, it is entered at once. Otherwise the
 * loop in run.c looks around, finds the block, and notes it in the link.
 */
#ifndef DBT_RUN_H
#define DBT_RUN_H

#include "ea.h"

enum block_link { LINK_TAKEN, LINK_NEXT };

/* Where the instruction behind @op's begins, cut to what the code segment's size leaves. */
static inline uint64_t op_next_rip(const struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t rip = cpu->gpr[GPR_BLOCK] + op->ip + op->len;

	return cpu->mode & MODE_CS64 ? rip : (uint32_t)rip;
}

static inline const struct op *op_go_to(struct dbt_cpu *cpu, uint64_t rip, enum block_link link)
{
	struct block *from = cpu->block, *to = from->link[link].to;

	if (likely(from->link[link].epoch == cpu->map_epoch && from->link[link].rip == rip &&
		   !__atomic_load_n(&cpu->acc->exit_request, __ATOMIC_RELAXED))) {
		cpu->block = to;
		cpu->gpr[GPR_BLOCK] = rip;
		OP_GO(cpu, to->ops);
	}
	cpu->rip = rip;
	cpu->link_from = from;
	cpu->link_epoch = cpu->map_epoch;
	cpu->link = link;
	return NULL;
}

/* Goes on behind the last instruction of a block that does not leave by itself. translate.c */
op_fn op_continue;

#endif
