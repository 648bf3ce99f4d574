/*
 * The cache of blocks of one vCPU.
 */
#ifndef DBT_BLOCK_H
#define DBT_BLOCK_H

#include "dbt.h"

#define BLOCK_INSNS_MAX 64

/* In struct block.mode beside MODE_*: the block has one instruction. */
#define BLOCK_ALONE BIT(31)
#define NO_PAGE     UINT64_MAX

/* Room for a block of @ops operations; all blocks go if there is no other way. */
struct block *block_alloc(struct dbt_cpu *cpu, unsigned ops);
/* Gives back what the block that was allocated last does not need. */
void block_trim(struct dbt_cpu *cpu, struct block *b, unsigned ops);
void block_insert(struct dbt_cpu *cpu, struct block *b);

/* translate.c: the block at linear address @lin, not in the cache yet; faults. */
struct block *block_translate(struct dbt_cpu *cpu, uint64_t lin, uint64_t phys, const uint8_t *host,
			      uint32_t mode);

#endif
