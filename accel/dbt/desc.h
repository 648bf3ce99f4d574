/*
 * Descriptors, and stacks as far transfers and the delivery of events use them.
 *
 * Source: Intel SDM vol. 3, chapters 3, 5, 6, 8; AMD APM vol. 2, chapter 4.
 */
#ifndef DBT_DESC_H
#define DBT_DESC_H

#include "mem.h"
#include "sysregs.h"

/* Bits of x86_segment.attr and of descriptors' byte 5. */
#define ATTR_ACCESSED BIT(0)
#define ATTR_RW       BIT(1) /* code: readable; data: writable */
#define ATTR_DC       BIT(2) /* code: conforming; data: expand-down */
#define ATTR_CODE     BIT(3)
#define ATTR_S        BIT(4) /* code or data, not of the system */
#define ATTR_DPL(_a)  (((_a) >> 5) & 3)
#define ATTR_TYPE(_a) ((_a)&15)
#define TSS_BUSY      BIT(1) /* in the type of a TSS */

enum system_type {
	DESC_TSS16 = 1,
	DESC_LDT = 2,
	DESC_TSS16_BUSY = 3,
	DESC_CALL16 = 4,
	DESC_TASK_GATE = 5,
	DESC_INT16 = 6,
	DESC_TRAP16 = 7,
	DESC_TSS = 9, /* 32-bit, or 64-bit in long mode */
	DESC_TSS_BUSY = 11,
	DESC_CALL = 12,
	DESC_INT = 14,
	DESC_TRAP = 15,
};

/* A descriptor as it stands in its table. */
struct desc {
	uint64_t low, high; /* high: of the 16-byte ones of long mode, else 0 */
	uint64_t lin;       /* where */
	uint32_t attr;      /* as x86_segment.attr */
	uint16_t selector;
};

static inline bool selector_is_null(uint16_t selector)
{
	return !(selector & ~3);
}
static inline bool desc_is_code(const struct desc *d)
{
	return (d->attr & (ATTR_S | ATTR_CODE)) == (ATTR_S | ATTR_CODE);
}
static inline bool desc_is_writable_data(const struct desc *d)
{
	return (d->attr & (ATTR_S | ATTR_CODE | ATTR_RW)) == (ATTR_S | ATTR_RW);
}

static inline bool in_real_mode(const struct dbt_cpu *cpu)
{
	return !(cpu->cr0 & CR0_PE);
}
static inline bool in_vm86(const struct dbt_cpu *cpu)
{
	return (cpu->cr0 & CR0_PE) && (cpu->flags & FLAG_VM);
}
static inline bool in_long_mode(const struct dbt_cpu *cpu)
{
	return cpu->efer & EFER_LMA;
}

/* Reads the descriptor of @selector, 8 bytes; false: beyond its table's limit. */
bool desc_read(struct dbt_cpu *cpu, const struct op *op, uint16_t selector, struct desc *d);
/* The upper 8 bytes, too; false: beyond the limit, or the type in it is not 0. */
bool desc_read_high(struct dbt_cpu *cpu, const struct op *op, struct desc *d);
/* A TSS or LDT, or a call gate in long mode has 16 bytes. */
void desc_to_segment(const struct desc *d, struct x86_segment *seg);
uint64_t desc_base(const struct desc *d);
uint32_t desc_limit(const struct desc *d);
/* Sets the accessed bit in the table, if it is not set, and in @d. */
void desc_set_accessed(struct dbt_cpu *cpu, const struct op *op, struct desc *d);
void desc_set_busy(struct dbt_cpu *cpu, const struct op *op, uint64_t lin, bool busy);

/*
 * The checks of a stack segment for privilege level @cpl; faults with @vector (#GP, or #TS for an inner
 * stack and a task switch), #SS if it is not present. @ext is or'ed into the error code.
 */
void desc_check_stack(struct dbt_cpu *cpu, const struct op *op, uint16_t selector, unsigned cpl,
		      unsigned vector, uint32_t ext, struct desc *d);
/* DS, ES, FS, GS: the checks of a load at @cpl. Not for null. @np_vector if it is not present. */
void desc_check_data(struct dbt_cpu *cpu, const struct op *op, uint16_t selector, unsigned cpl,
		     unsigned vector, uint32_t ext, struct desc *d);

/* After a return to an outer level: segment registers it may not have become null. */
void segments_drop_inner(struct dbt_cpu *cpu);
void segment_set_null(struct dbt_cpu *cpu, enum x86_seg seg, uint16_t selector);
/* CS of long mode, as SYSCALL and the like load it; SS. @cpl is its DPL. */
void segment_set_flat(struct dbt_cpu *cpu, enum x86_seg seg, uint16_t selector, unsigned cpl,
		      bool long64);

/* ---- A stack while something is pushed or popped; the registers change when all has worked ---- */
struct stack {
	const struct x86_segment *ss;
	uint64_t sp;
	uint64_t mask;       /* which bits of it count */
	unsigned index;      /* enum mmu_index */
	uint32_t error_code; /* of #SS when it is full */
	bool long64;
};
void stack_current(const struct dbt_cpu *cpu, struct stack *s);
void stack_push(struct dbt_cpu *cpu, const struct op *op, struct stack *s, unsigned size,
		uint64_t value);
uint64_t stack_pop(struct dbt_cpu *cpu, const struct op *op, struct stack *s, unsigned size);
/* SP, ESP or RSP becomes the stack's. */
void stack_commit(struct dbt_cpu *cpu, const struct stack *s);

/* Stack pointer (and selector, but in 64-bit TSSes) of level @cpl in the TSS. */
struct tss_stack {
	uint64_t sp;
	uint16_t ss;
};
void tss_read_stack(struct dbt_cpu *cpu, const struct op *op, unsigned cpl, uint32_t ext,
		    struct tss_stack *out);
/* Slot 0-2 RSPn, 3 + n ISTn (n from 1) of a 64-bit TSS. */
uint64_t tss_read_rsp(struct dbt_cpu *cpu, const struct op *op, unsigned slot, uint32_t ext);

/* Changes CPL with CS and SS loaded from descriptors that were checked. */
void load_checked(struct dbt_cpu *cpu, enum x86_seg seg, const struct desc *d, uint16_t selector);

#endif
