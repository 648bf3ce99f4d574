/*
 * Operands of operations: registers by slot, memory by its address.
 *
 * Functions and macros are named by the operand's width in bytes. A register operand is a slot of
 * cpu->gpr, except of byte operations: there it is an offset in bytes into it, so that AH..BH are like
 * any other. A 32-bit result clears the upper half, narrower ones leave the rest alone.
 *
 * Memory comes in two forms. Handlers named q are for EA_64, the everyday kind in 64-bit code: the
 * address, the look into the TLB and the access are inline; on a miss they hand over to g, as a jump,
 * so that they call nothing and save no registers. Those named g are for all kinds of addresses.
 */
#ifndef DBT_EA_H
#define DBT_EA_H

#include "dbt.h"
#include "mem.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* X(width in bytes, unsigned type, signed type, log2 of the width) */
#define OP_SIZES(X)                                                                                \
	X(1, uint8_t, int8_t, 0)                                                                   \
	X(2, uint16_t, int16_t, 1) X(4, uint32_t, int32_t, 2) X(8, uint64_t, int64_t, 3)
#define OP_SIZES_248(X)                                                                            \
	X(2, uint16_t, int16_t, 1) X(4, uint32_t, int32_t, 2) X(8, uint64_t, int64_t, 3)
#define OP_SIZES_48(X) X(4, uint32_t, int32_t, 2) X(8, uint64_t, int64_t, 3)

/* Index of a width in tables of functions. */
static inline unsigned op_size_index(unsigned size)
{
	return size == 8 ? 3 : size >> 1;
}

/* ---- Registers ---- */

static inline uint8_t reg_get1(const struct dbt_cpu *cpu, unsigned slot)
{
	return ((const uint8_t *)cpu->gpr)[slot];
}
static inline uint16_t reg_get2(const struct dbt_cpu *cpu, unsigned slot)
{
	return cpu->gpr[slot];
}
static inline uint32_t reg_get4(const struct dbt_cpu *cpu, unsigned slot)
{
	return cpu->gpr[slot];
}
static inline uint64_t reg_get8(const struct dbt_cpu *cpu, unsigned slot)
{
	return cpu->gpr[slot];
}
static inline void reg_set1(struct dbt_cpu *cpu, unsigned slot, uint8_t value)
{
	((uint8_t *)cpu->gpr)[slot] = value;
}
static inline void reg_set2(struct dbt_cpu *cpu, unsigned slot, uint16_t value)
{
	*(uint16_t *)&cpu->gpr[slot] = value;
}
static inline void reg_set4(struct dbt_cpu *cpu, unsigned slot, uint32_t value)
{
	cpu->gpr[slot] = value;
}
static inline void reg_set8(struct dbt_cpu *cpu, unsigned slot, uint64_t value)
{
	cpu->gpr[slot] = value;
}
/* By a width that is known at run time only; for a byte the slot is an offset. */
static inline void reg_set(struct dbt_cpu *cpu, unsigned slot, unsigned size, uint64_t value)
{
	switch (size) {
	case 1:
		reg_set1(cpu, slot, value);
		break;
	case 2:
		reg_set2(cpu, slot, value);
		break;
	case 4:
		reg_set4(cpu, slot, value);
		break;
	default:
		reg_set8(cpu, slot, value);
	}
}

/* What op->dst or op->src has to be for register @reg of an instruction, in an operand of @size. */
static inline uint8_t op_slot(const struct insn *insn, unsigned reg, unsigned size)
{
	if (size > 1)
		return reg;
	return reg >= 4 && reg < 8 && !insn->rex ? (reg - 4) * 8 + 1 : reg * 8;
}

/* ---- Addresses ---- */

static inline uint64_t op_offset64(const struct dbt_cpu *cpu, const struct op *op)
{
	return cpu->gpr[op->base] + (cpu->gpr[op->index] << op->scale) + op->disp;
}

/* The operand's address within its segment, as LEA gives it. */
static inline uint64_t op_offset(const struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t offset = op_offset64(cpu, op);

	switch (op->ea) {
	case EA_FLAT32:
	case EA_SLOW32:
		return (uint32_t)offset;
	case EA_SLOW16:
		return (uint16_t)offset;
	case EA_SLOW64:
		return offset + op->ip + op->len;
	default:
		return offset;
	}
}

/* What an address has to be cut to where it has moved on from op_offset(). */
static inline uint64_t op_address_mask(const struct op *op)
{
	switch (op->ea) {
	case EA_FLAT32:
	case EA_SLOW32:
		return UINT32_MAX;
	case EA_SLOW16:
		return UINT16_MAX;
	default:
		return UINT64_MAX;
	}
}

/* The linear address of @offset in segment @seg, checked; faults. */
static inline uint64_t op_segment_linear(struct dbt_cpu *cpu, const struct op *op, unsigned seg,
					 uint64_t offset, unsigned size, bool is_write)
{
	if (cpu->mode & MODE_CS64)
		return seg >= S_FS ? offset + cpu->seg_base[seg] : offset;
	return dbt_segment_linear(cpu, op, seg, offset, size, is_write);
}

/*
 * Of BT and its kin with memory and a bit number in a register: the number is signed and reaches
 * beyond the operand, of 1 << @log bytes.
 */
static inline uint64_t op_bit_linear(struct dbt_cpu *cpu, const struct op *op, int64_t bit,
				     unsigned log, bool is_write)
{
	uint64_t offset = op_offset(cpu, op) + ((uint64_t)(bit >> (log + 3)) << log);

	return op_segment_linear(cpu, op, op->seg, offset & op_address_mask(op), 1u << log,
				 is_write);
}

/* op_linear() for the kinds that are not fast. ea.c */
uint64_t op_linear_slow(struct dbt_cpu *cpu, const struct op *op, unsigned size, bool is_write);

/* The linear address of the memory operand, of @size bytes; checks the segment where there is a need. */
static inline uint64_t op_linear(struct dbt_cpu *cpu, const struct op *op, unsigned size,
				 bool is_write)
{
	if (op->ea == EA_64)
		return op_offset64(cpu, op);
	if (op->ea == EA_FLAT32)
		return (uint32_t)op_offset64(cpu, op);
	if (op->ea == EA_64_SEG)
		return op_offset64(cpu, op) + cpu->seg_base[op->seg];
	return op_linear_slow(cpu, op, size, is_write);
}

/*
 * The start of a q handler: declares _p, the operand in host memory, or leaves it to handler @g. The
 * operand can be written if it is a Q_WRITE (and read: no page is only writable).
 */
#define Q_READ(size, g)  Q_AT(size, op_offset64(cpu, op), g, read)
#define Q_WRITE(size, g) Q_AT(size, op_offset64(cpu, op), g, write)
#define Q_AT(size, address, g, tag)                                                                \
	uint64_t _lin = (address);                                                                 \
	const struct tlb_entry *_e = &cpu->tlb[cpu->mmu_index][TLB_INDEX(_lin)];                   \
	volatile OP_MEM_##size *_p = (OP_MEM_##size *)(_lin + _e->to_host);                        \
                                                                                                   \
	if (unlikely(_e->tag != PAGE_OF(_lin + size - 1)))                                         \
	return g(cpu, op)

/* ---- Read, modify, write ---- */

/* The slow part of op_rmw(): ea.c */
void *op_rmw_slow(struct dbt_cpu *cpu, const struct op *op, uint64_t lin, unsigned size);

/*
 * Where to read and write [lin, lin + size) directly; NULL: go through ld and st, of which the write
 * may still leave the block (not fault), so nothing may have changed before it.
 */
static inline void *op_rmw(struct dbt_cpu *cpu, const struct op *op, uint64_t lin, unsigned size)
{
	const struct tlb_entry *e = &cpu->tlb[cpu->mmu_index][TLB_INDEX(lin)];

	if (likely(e->write == PAGE_OF(lin + size - 1)))
		return (void *)(lin + e->to_host);
	return op_rmw_slow(cpu, op, lin, size);
}

/*
 * Replaces the @size bytes at @lin by @result, an expression of their old value `_a` that may set the
 * lazy flags and nothing else. OP_RMW(): of the memory operand.
 */
#define OP_RMW(size, result) OP_RMW_AT(size, op_linear(cpu, op, size, true), result)
#define OP_RMW_AT(size, lin, result)                                                               \
	do {                                                                                       \
		uint64_t _lin = (lin);                                                             \
		OP_MEM_##size *_p = op_rmw(cpu, op, _lin, size);                                   \
		if (likely(_p != NULL)) {                                                          \
			OP_TYPE_##size _a = *(volatile OP_MEM_##size *)_p;                         \
			*(volatile OP_MEM_##size *)_p = (result);                                  \
		} else {                                                                           \
			uint64_t _dst = cpu->cc_dst, _src = cpu->cc_src;                           \
			uint32_t _cc = cpu->cc_op;                                                 \
			OP_TYPE_##size _a = ld##size(cpu, op, _lin);                               \
			OP_TYPE_##size _r = (result);                                              \
			uint64_t _new_dst = cpu->cc_dst, _new_src = cpu->cc_src;                   \
			uint32_t _new_cc = cpu->cc_op;                                             \
			cpu->cc_dst = _dst, cpu->cc_src = _src, cpu->cc_op = _cc;                  \
			st##size(cpu, op, _lin, _r);                                               \
			cpu->cc_dst = _new_dst, cpu->cc_src = _new_src;                            \
			cpu->cc_op = _new_cc;                                                      \
		}                                                                                  \
	} while (0)
#define OP_TYPE_1 uint8_t
#define OP_TYPE_2 uint16_t
#define OP_TYPE_4 uint32_t
#define OP_TYPE_8 uint64_t
#define OP_MEM_1  uint8_t
#define OP_MEM_2  mem16
#define OP_MEM_4  mem32
#define OP_MEM_8  mem64

/* ---- The stack ---- */

/* What of RSP counts. */
static inline uint64_t stack_mask(const struct dbt_cpu *cpu)
{
	if (cpu->mode & MODE_CS64)
		return UINT64_MAX;
	return cpu->mode & MODE_SS32 ? UINT32_MAX : UINT16_MAX;
}

/* RSP with the part that counts replaced. */
static inline void stack_set(struct dbt_cpu *cpu, uint64_t rsp)
{
	if (cpu->mode & MODE_CS64)
		cpu->gpr[R_SP] = rsp;
	else if (cpu->mode & MODE_SS32)
		cpu->gpr[R_SP] = (uint32_t)rsp;
	else
		*(uint16_t *)&cpu->gpr[R_SP] = rsp;
}

/* The linear address of @size bytes at stack address @rsp; faults with #SS. */
static inline uint64_t stack_linear(struct dbt_cpu *cpu, const struct op *op, uint64_t rsp,
				    unsigned size, bool is_write)
{
	if (cpu->mode & MODE_CS64)
		return rsp;
	if ((cpu->mode & (MODE_SS32 | MODE_FLAT)) == (MODE_SS32 | MODE_FLAT))
		return (uint32_t)rsp;
	return dbt_segment_linear(cpu, op, S_SS, rsp & stack_mask(cpu), size, is_write);
}

/* Stores below @rsp, or loads at it, @size bytes (2, 4, 8); RSP itself is the caller's. ea.c */
void stack_store(struct dbt_cpu *cpu, const struct op *op, uint64_t rsp, unsigned size,
		 uint64_t value);
uint64_t stack_load(struct dbt_cpu *cpu, const struct op *op, uint64_t rsp, unsigned size);

#endif
