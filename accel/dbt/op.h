/*
 * Blocks of operations: what the interpreter runs.
 *
 * A block is a straight piece of guest code that was decoded once: an array of operations, one for
 * each instruction, the last of which leaves the block. Operations are run by threaded dispatch: each
 * ends by handing over to the next (NEXT), in optimised builds as a jump. The function of an operation
 * is the truth about an instruction; a native code generator may put a faster one in its place.
 *
 * Rules for an operation's function:
 *  - Either it does the whole instruction, or it faults (dbt_fault) and nothing the guest can see has
 *    changed but accessed and dirty bits: memory first, registers and flags last.
 *  - cpu->rip is not kept up to date. The address of an operation's instruction is
 *    cpu->block_rip + op->ip. Whoever leaves the block sets cpu->rip.
 *  - What changes the mode, the mapping of addresses, or whether interrupts are let in, ends the
 *    block (returns NULL, rip set): the decoder of blocks (translate.c) knows these operations.
 *
 * Blocks are a vCPU's own: no locks, nothing that outlives an invalidation. They are found by physical
 * address and mode, and hang on their page for invalidation. A block lies in one page; only its last
 * instruction may reach into the next one, then page2 says which that was and is compared at entry.
 * Jumps from block to block are remembered in block->link and hold while cpu->map_epoch is the same;
 * every flush of a mapping and every invalidation counts it up, so a link is never followed to where
 * it must not lead. (docs/devel/dbt.md tells how pages of code are watched.)
 */
#ifndef DBT_OP_H
#define DBT_OP_H

#include "base/common.h"

struct dbt_cpu;
struct op;
struct insn;

/* Returns the operation to go on with; NULL: back to the loop (cpu->rip is set). */
typedef const struct op *op_fn(struct dbt_cpu *cpu, const struct op *op);

/* How the address of a memory operand comes about; see op_ea() in ea.h. */
enum op_ea_kind {
	EA_64,     /* 64-bit addresses, no segment base */
	EA_64_SEG, /* the same with FS's or GS's base */
	EA_FLAT32, /* 32-bit addresses, all segments flat (MODE_FLAT) */
	EA_SLOW16, /* anything else, by address size: limits, bases, types */
	EA_SLOW32,
	EA_SLOW64, /* RIP-relative where disp does not fit: disp is the encoded one */
};

struct op {
	op_fn *fn;
	union {
		uint64_t imm;
		const void *data; /* of host units: the stub */
	};
	int32_t disp;
	uint8_t base, index; /* slots of cpu->gpr */
	uint8_t scale, seg;
	uint8_t dst, src; /* slots of cpu->gpr; of byte operations: byte offsets into it */
	uint8_t ea, sub;
	uint16_t ip; /* instruction's offset from the block's start */
	uint8_t len;
	uint8_t flags; /* family's own */
};

struct block {
	struct block *hash_next, *page_next, *page2_next;
	uint64_t phys;  /* physical address of the first byte */
	uint64_t page2; /* physical page of what lies behind the page's end; UINT64_MAX: nothing */
	uint32_t mode;
	uint16_t size;  /* bytes of guest code */
	uint16_t count; /* instructions; 1: it runs alone (dbt_cpu.alone) */
	struct {
		struct block *to;
		uint64_t epoch, rip; /* it holds in this epoch, for this target */
	} link[2];                   /* taken; fallen through */
	struct op ops[]; /* one for each instruction; one that goes on to the next block if the last
			  * does not leave by itself */
};

/*
 * Sanitizers and debug builds have no tail calls: there the loop in run.c goes from op to op. It does
 * so for any function that returns an operation; a function that has a local variable whose address
 * is taken must end with OP_LOOP(), as the compiler makes no tail call of its NEXT().
 */
#if defined(__OPTIMIZE__) && defined(__GNUC__) && !defined(__clang__) &&                           \
	!defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define DBT_TAIL_CALLS 1
#define OP_GO(cpu, op) return (op)->fn(cpu, op)
#else
#define OP_GO(cpu, op) return op
#endif
#define NEXT(cpu, op)    OP_GO(cpu, (op) + 1)
#define OP_LOOP(cpu, op) return (op) + 1

/*
 * A family of instructions: from decoded form to operation. Fills in fn and what its functions read
 * beyond the operands that translate.c fills in for all (ea, base, index, scale, disp, seg, imm, ip,
 * len). False: not mine.
 */
typedef bool op_select_fn(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op);
op_select_fn op_select_alu, op_select_shift, op_select_bits, op_select_muldiv, op_select_move,
	op_select_stack, op_select_string, op_select_branch, op_select_atomic, op_select_system,
	op_select_segment, op_select_x87, op_select_host, op_select_state;

#endif
