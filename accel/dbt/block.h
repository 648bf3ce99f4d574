/*
 * A vCPU's blocks, how operations go from one to the next, and what translate.c, block.c and run.c
 * share.
 *
 * The next block is found by the block's own link if the target is an old acquaintance; by the jump
 * cache where it comes from a register or from memory; by physical address in the hash; else it is
 * decoded. The first two are done inside an operation and only while cpu->map_epoch is what it was;
 * everything else is the loop's. An operation that goes on looks at exit_request first: that is how a
 * vCPU is stopped, interrupted or asked for something.
 */
#ifndef DBT_BLOCK_H
#define DBT_BLOCK_H

#include "ea.h"

#define JUMP_BITS    12
#define HASH_BITS    14
#define PAGE_BITS    10
#define BLOCK_INSNS  64 /* at most */
#define BLOCK_ROOM   (sizeof(struct block) + (BLOCK_INSNS + 1) * sizeof(struct op))
#define LINK_TAKEN   0
#define LINK_THROUGH 1

struct jump_entry {
	uint64_t lin, epoch;
	struct block *to;
	uint32_t mode;
};

struct block_cache {
	/* The linear address of an instruction is rip + code_base; 0 in 64-bit code. */
	uint64_t code_base;
	struct jump_entry jump[1u << JUMP_BITS];

	/* The block whose link the loop fills in; NULL: none. */
	struct block *from;
	unsigned from_slot;
	uint64_t from_epoch, from_rip;

	struct block *hash[1u << HASH_BITS];
	/* By the page of the first byte, and by page2. Blocks of several pages share a list. */
	struct block *page[1u << PAGE_BITS], *page2[1u << PAGE_BITS];

	uint8_t *arena; /* blocks, one behind the other: given back all at once */
	uint64_t size, used;
	struct block *lone; /* room for a block that runs once and is in no list */
	uint64_t cs_base;   /* what links and the jump cache take for granted */
	uint32_t cs_limit;
};

/* Decodes at cpu->rip, which is at physical address @phys and @host (NULL: not RAM), into @b, at most
 * @max instructions. Faults if there is not one. translate.c */
void block_translate(struct dbt_cpu *cpu, struct block *b, uint64_t phys, const uint8_t *host,
		     unsigned max);

static inline struct jump_entry *block_jump_entry(struct block_cache *cache, uint64_t lin)
{
	return &cache->jump[(lin ^ lin >> JUMP_BITS) & ((1u << JUMP_BITS) - 1)];
}

static inline bool block_must_stop(const struct dbt_cpu *cpu)
{
	return unlikely(__atomic_load_n(&cpu->acc->exit_request, __ATOMIC_RELAXED));
}

/* ---- The ends of operations that leave the block ---- */

/* To @rip by way of the loop. */
static inline const struct op *block_leave(struct dbt_cpu *cpu, uint64_t rip)
{
	cpu->rip = rip;
	return NULL;
}

/* Returns from the operation to @rip, remembered in link @slot. Checked for canonical and limit. */
#define BLOCK_GO(cpu, slot, rip_)                                                                  \
	do {                                                                                       \
		struct block *_from = (cpu)->block, *_to = _from->link[slot].to;                   \
		uint64_t _rip = (rip_);                                                            \
		if (unlikely(_from->link[slot].epoch != (cpu)->map_epoch ||                        \
			     _from->link[slot].rip != _rip || block_must_stop(cpu)))               \
			return block_miss(cpu, slot, _rip);                                        \
		(cpu)->block = _to;                                                                \
		(cpu)->gpr[GPR_BLOCK] = _rip;                                                      \
		OP_GO(cpu, _to->ops);                                                              \
	} while (0)
static inline const struct op *block_miss(struct dbt_cpu *cpu, unsigned slot, uint64_t rip)
{
	struct block_cache *cache = cpu->cache;

	cache->from = cpu->block;
	cache->from_slot = slot;
	cache->from_epoch = cpu->map_epoch;
	cache->from_rip = rip;
	return block_leave(cpu, rip);
}

/* The same to a place that changes. */
#define BLOCK_JUMP(cpu, rip_)                                                                      \
	do {                                                                                       \
		uint64_t _rip = (rip_), _at = _rip + (cpu)->cache->code_base;                      \
		const struct jump_entry *_j = block_jump_entry((cpu)->cache, _at);                 \
		if (unlikely(_j->lin != _at || _j->epoch != (cpu)->map_epoch ||                    \
			     _j->mode != (cpu)->mode || block_must_stop(cpu)))                     \
			return block_leave(cpu, _rip);                                             \
		(cpu)->block = _j->to;                                                             \
		(cpu)->gpr[GPR_BLOCK] = _rip;                                                      \
		OP_GO(cpu, _j->to->ops);                                                           \
	} while (0)

/* Address of the operation's instruction, and of the one behind it. */
static inline uint64_t op_rip(const struct dbt_cpu *cpu, const struct op *op)
{
	return cpu->gpr[GPR_BLOCK] + op->ip;
}
static inline uint64_t op_next_rip(const struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t rip = cpu->gpr[GPR_BLOCK] + op->ip + op->len;

	return cpu->mode & MODE_CS64 ? rip : (uint32_t)rip;
}

static inline bool is_canonical_rip(uint64_t rip)
{
	return (uint64_t)((int64_t)(rip << 16) >> 16) == rip;
}

/* #GP for a target that is not canonical or beyond the limit of CS. */
static inline void branch_check(struct dbt_cpu *cpu, const struct op *op, uint64_t rip)
{
	if (cpu->mode & MODE_CS64 ? !is_canonical_rip(rip) : rip > cpu->seg[S_CS].limit)
		dbt_fault_code(cpu, op, EXC_GP, 0);
}

/* Where @rip leads with an operand size of @size. */
static inline uint64_t branch_target(uint64_t rip, unsigned size)
{
	return size == 2 ? (uint16_t)rip : size == 4 ? (uint32_t)rip : rip;
}

/*
 * Between the two no other vCPU runs guest code: for LOCKed accesses that no host instruction can make.
 * begin() returns so, or leaves the block to try again when another one was first; leaving or faulting
 * in between ends it. run.c
 */
void dbt_exclusive_begin(struct dbt_cpu *cpu, const struct op *op);
void dbt_exclusive_end(struct dbt_cpu *cpu);

/* Of the end of a block that does not branch: on to the next. op-branch.c */
op_fn op_go_on;

#endif
