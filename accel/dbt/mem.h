/*
 * The CPU's access to guest memory, by linear address.
 *
 * The fast path is here: a look into the TLB of the access's rights, and a host access of the same
 * width. Everything else is mmu.c's: page walks, faults, registers (MMIO), accesses across pages,
 * pages of code, data breakpoints, alignment checks. An access that lies across two pages misses
 * because the tag is compared with the page of its last byte.
 *
 * @op is the operation on whose behalf it happens: a fault finds the instruction through it. NULL while
 * an event is delivered.
 */
#ifndef DBT_MEM_H
#define DBT_MEM_H

#include "dbt.h"

#define PAGE_OF(_lin)   ((_lin) & ~0xfffULL)
#define TLB_INDEX(_lin) (((_lin) >> 12) & (TLB_SIZE - 1))

enum mem_access { ACCESS_READ, ACCESS_WRITE, ACCESS_EXEC };

/* ---- mmu.c ---- */
uint64_t mmu_load_slow(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
		       unsigned size);
void mmu_store_slow(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
		    unsigned size, uint64_t value);
/* Faults unless the whole range may be accessed so; afterwards the access itself will not fault. */
void mmu_probe(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
	       uint64_t size, enum mem_access access);
/* A host pointer to [lin, lin + size) for an access of the kind, if it is RAM in one piece; else NULL
 * (registers, page crossing, page of code on write). Faults like the access. */
void *mmu_host(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
	       unsigned size, enum mem_access access);
/* Bytes of any length, crossing anything. A write checks all before the first byte is written. */
void mmu_read(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin, void *buf,
	      unsigned size);
void mmu_write(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
	       const void *buf, unsigned size);
/* Physical address for a fetch at @lin (faults), and how to read it; host NULL: not RAM. */
uint64_t mmu_fetch(struct dbt_cpu *cpu, uint64_t lin, const uint8_t **host);
/* For the debugger: no fault, no accessed bits. */
bool mmu_translate(struct dbt_cpu *cpu, uint64_t lin, uint64_t *phys);
void mmu_flush(struct dbt_cpu *cpu);                    /* all, global pages too */
void mmu_flush_page(struct dbt_cpu *cpu, uint64_t lin); /* INVLPG */
/* Writes to pages of code must be seen: drops write tags to this host page. */
void mmu_watch_host_page(struct dbt_cpu *cpu, const uint8_t *host);

/* The rights of what the CPU does by itself: descriptor tables, TSS, stacks of inner levels. */
static inline unsigned mmu_system_index(const struct dbt_cpu *cpu)
{
	return cpu->cr4 & BIT64(21) ? MMU_KERNEL_SMAP : MMU_KERNEL;
}

/* ld1..ld8, st1..st8: with the program's rights; ldx and stx with those of @index. */
#define DBT_ACCESSORS(_size, _type)                                                                \
	static inline _type ldx##_size(struct dbt_cpu *cpu, const struct op *op, unsigned index,   \
				       uint64_t lin)                                               \
	{                                                                                          \
		const struct tlb_entry *e = &cpu->tlb[index][TLB_INDEX(lin)];                      \
                                                                                                   \
		if (__builtin_expect(e->read == PAGE_OF(lin + (_size)-1), 1))                      \
			return *(volatile _type *)(lin + e->to_host);                              \
		return mmu_load_slow(cpu, op, index, lin, _size);                                  \
	}                                                                                          \
	static inline void stx##_size(struct dbt_cpu *cpu, const struct op *op, unsigned index,    \
				      uint64_t lin, _type value)                                   \
	{                                                                                          \
		const struct tlb_entry *e = &cpu->tlb[index][TLB_INDEX(lin)];                      \
                                                                                                   \
		if (__builtin_expect(e->write == PAGE_OF(lin + (_size)-1), 1))                     \
			*(volatile _type *)(lin + e->to_host) = value;                             \
		else                                                                               \
			mmu_store_slow(cpu, op, index, lin, _size, value);                         \
	}                                                                                          \
	static inline _type ld##_size(struct dbt_cpu *cpu, const struct op *op, uint64_t lin)      \
	{                                                                                          \
		return ldx##_size(cpu, op, cpu->mmu_index, lin);                                   \
	}                                                                                          \
	static inline void st##_size(struct dbt_cpu *cpu, const struct op *op, uint64_t lin,       \
				     _type value)                                                  \
	{                                                                                          \
		stx##_size(cpu, op, cpu->mmu_index, lin, value);                                   \
	}
/* Guests access memory unaligned; the host's CPU can do that too. */
typedef uint16_t __attribute__((aligned(1), may_alias)) mem16;
typedef uint32_t __attribute__((aligned(1), may_alias)) mem32;
typedef uint64_t __attribute__((aligned(1), may_alias)) mem64;
DBT_ACCESSORS(1, uint8_t)
DBT_ACCESSORS(2, mem16)
DBT_ACCESSORS(4, mem32)
DBT_ACCESSORS(8, mem64)

#endif
