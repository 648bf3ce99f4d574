/*
 * Segment registers and descriptor tables; far transfers.
 */
#include "block.h"
#include "desc.h"
#include "flags.h"

#define OPERAND_MEM BIT(7) /* in op->flags; the rest is the operand size in bytes */

#define OP_HANDLER(name) static const struct op *name(struct dbt_cpu *cpu, const struct op *op)

static unsigned size_of(const struct op *op)
{
	return op->flags & ~OPERAND_MEM;
}

static uint64_t load_sized(struct dbt_cpu *cpu, const struct op *op, uint64_t lin, unsigned size)
{
	return size == 2 ? ld2(cpu, op, lin) : size == 4 ? ld4(cpu, op, lin) : ld8(cpu, op, lin);
}

static const struct op *next(struct dbt_cpu *cpu, const struct op *op)
{
	return block_leave(cpu, op_next_rip(cpu, op));
}

/* A selector from a register or two bytes of memory. */
static uint16_t read_selector(struct dbt_cpu *cpu, const struct op *op)
{
	if (op->flags & OPERAND_MEM)
		return ld2(cpu, op, op_linear(cpu, op, 2, false));
	return cpu->gpr[op->src];
}

/* Memory takes two bytes; a register as many as the operand has, zeros above the selector. */
static void write_selector(struct dbt_cpu *cpu, const struct op *op, uint16_t value)
{
	if (op->flags & OPERAND_MEM)
		st2(cpu, op, op_linear(cpu, op, 2, true), value);
	else
		reg_set(cpu, op->src, size_of(op), value);
}

/* ---- MOV, PUSH, POP, LDS ... ---- */

OP_HANDLER(mov_from_seg)
{
	write_selector(cpu, op, cpu->seg[op->sub].selector);
	NEXT(cpu, op);
}

static void load(struct dbt_cpu *cpu, const struct op *op, uint16_t selector)
{
	dbt_load_segment(cpu, op, op->sub, selector);
	if (op->sub == S_SS)
		cpu->shadow = true;
}

OP_HANDLER(mov_to_seg)
{
	load(cpu, op, read_selector(cpu, op));
	return next(cpu, op);
}

OP_HANDLER(push_seg)
{
	unsigned size = size_of(op);
	uint64_t rsp = cpu->gpr[R_SP] - size;

	stack_store(cpu, op, rsp, size, cpu->seg[op->sub].selector);
	stack_set(cpu, rsp);
	NEXT(cpu, op);
}

OP_HANDLER(pop_seg)
{
	unsigned size = size_of(op);
	uint64_t rsp = cpu->gpr[R_SP];
	uint16_t selector = stack_load(cpu, op, rsp, size);
	uint64_t old_mask = stack_mask(cpu);

	load(cpu, op, selector);
	/* POP SS: the increment is that of the stack it was popped from. */
	if (old_mask == UINT16_MAX)
		*(uint16_t *)&cpu->gpr[R_SP] = rsp + size;
	else
		cpu->gpr[R_SP] = (rsp + size) & old_mask;
	return next(cpu, op);
}

OP_HANDLER(load_far_pointer)
{
	unsigned size = size_of(op);
	uint64_t lin = op_linear(cpu, op, size + 2, false);
	uint64_t offset = load_sized(cpu, op, lin, size);

	load(cpu, op, ld2(cpu, op, lin + size));
	cpu->shadow = false;
	reg_set(cpu, op->dst, size, offset);
	return next(cpu, op);
}

/* ---- Far transfers ---- */

OP_HANDLER(jump_far)
{
	dbt_jump_far(cpu, op, op->dst | op->src << 8, op->imm, size_of(op));
	return NULL;
}

OP_HANDLER(call_far)
{
	dbt_call_far(cpu, op, op->dst | op->src << 8, op->imm, size_of(op), op_next_rip(cpu, op));
	return NULL;
}

static uint64_t read_far_pointer(struct dbt_cpu *cpu, const struct op *op, uint16_t *selector)
{
	unsigned size = size_of(op);
	uint64_t lin = op_linear(cpu, op, size + 2, false);

	*selector = ld2(cpu, op, lin + size);
	return load_sized(cpu, op, lin, size);
}

OP_HANDLER(jump_far_mem)
{
	uint16_t selector;
	uint64_t offset = read_far_pointer(cpu, op, &selector);

	dbt_jump_far(cpu, op, selector, offset, size_of(op));
	return NULL;
}

OP_HANDLER(call_far_mem)
{
	uint16_t selector;
	uint64_t offset = read_far_pointer(cpu, op, &selector);

	dbt_call_far(cpu, op, selector, offset, size_of(op), op_next_rip(cpu, op));
	return NULL;
}

OP_HANDLER(ret_far)
{
	dbt_return_far(cpu, op, size_of(op), op->imm);
	return NULL;
}

OP_HANDLER(iret)
{
	dbt_iret(cpu, op, size_of(op));
	return NULL;
}

/* ---- LAR, LSL, VERR, VERW, ARPL ---- */

static void set_zero_flag(struct dbt_cpu *cpu, bool on)
{
	flags_set_status(cpu, (flags_status(cpu) & ~FLAG_ZF) | (on ? FLAG_ZF : 0));
}

/* Whether the descriptor can be seen at this level; types of the system by @system_types. */
static bool can_see(struct dbt_cpu *cpu, const struct op *op, uint16_t selector,
		    uint32_t system_types, struct desc *d)
{
	unsigned least = MAX(cpu->cpl, selector & 3u);

	if (selector_is_null(selector) || !desc_read(cpu, op, selector, d))
		return false;
	if (!(d->attr & ATTR_S))
		return (system_types & BIT(ATTR_TYPE(d->attr))) && ATTR_DPL(d->attr) >= least;
	return (desc_is_code(d) && (d->attr & ATTR_DC)) || ATTR_DPL(d->attr) >= least;
}

#define LSL_TYPES                                                                                  \
	(BIT(DESC_TSS16) | BIT(DESC_LDT) | BIT(DESC_TSS16_BUSY) | BIT(DESC_TSS) |                  \
	 BIT(DESC_TSS_BUSY))
#define LAR_TYPES  (LSL_TYPES | BIT(DESC_CALL16) | BIT(DESC_TASK_GATE) | BIT(DESC_CALL))
#define LONG_TYPES (BIT(DESC_LDT) | BIT(DESC_TSS) | BIT(DESC_TSS_BUSY))

OP_HANDLER(lar)
{
	uint16_t selector = read_selector(cpu, op);
	uint32_t types = in_long_mode(cpu) ? LONG_TYPES | BIT(DESC_CALL) : LAR_TYPES;
	struct desc d;
	bool ok = can_see(cpu, op, selector, types, &d);

	if (ok)
		reg_set(cpu, op->dst, size_of(op), d.low >> 32 & 0xffff00);
	set_zero_flag(cpu, ok);
	OP_LOOP(cpu, op);
}

OP_HANDLER(lsl)
{
	uint16_t selector = read_selector(cpu, op);
	struct desc d;
	bool ok = can_see(cpu, op, selector, in_long_mode(cpu) ? LONG_TYPES : LSL_TYPES, &d);

	if (ok)
		reg_set(cpu, op->dst, size_of(op), desc_limit(&d));
	set_zero_flag(cpu, ok);
	OP_LOOP(cpu, op);
}

OP_HANDLER(verr)
{
	struct desc d;
	bool ok = can_see(cpu, op, read_selector(cpu, op), 0, &d);

	set_zero_flag(cpu, ok && (!desc_is_code(&d) || (d.attr & ATTR_RW)));
	OP_LOOP(cpu, op);
}

OP_HANDLER(verw)
{
	struct desc d;
	bool ok = can_see(cpu, op, read_selector(cpu, op), 0, &d);

	set_zero_flag(cpu, ok && desc_is_writable_data(&d));
	OP_LOOP(cpu, op);
}

OP_HANDLER(arpl)
{
	bool is_mem = op->flags & OPERAND_MEM;
	uint64_t lin = is_mem ? op_linear(cpu, op, 2, true) : 0;
	uint16_t to = is_mem ? ld2(cpu, op, lin) : cpu->gpr[op->src], from = cpu->gpr[op->dst];
	bool adjust = (to & 3) < (from & 3);

	if (adjust) {
		to = (to & ~3) | (from & 3);
		if (is_mem)
			st2(cpu, op, lin, to);
		else
			reg_set2(cpu, op->src, to);
	}
	set_zero_flag(cpu, adjust);
	NEXT(cpu, op);
}

/* ---- LLDT, LTR, SLDT, STR ---- */

static void check_level_0(struct dbt_cpu *cpu, const struct op *op)
{
	if (cpu->cpl)
		dbt_fault_code(cpu, op, EXC_GP, 0);
}

static void check_umip(struct dbt_cpu *cpu, const struct op *op)
{
	if ((cpu->mode & MODE_UMIP) && cpu->cpl)
		dbt_fault_code(cpu, op, EXC_GP, 0);
}

/* A descriptor of the system in the GDT, whole. */
static void read_system(struct dbt_cpu *cpu, const struct op *op, uint16_t selector, uint32_t types,
			struct desc *d)
{
	uint32_t code = selector & ~3;

	if ((selector & 4) || !desc_read(cpu, op, selector, d) || (d->attr & ATTR_S) ||
	    !(types & BIT(ATTR_TYPE(d->attr))))
		dbt_fault_code(cpu, op, EXC_GP, code);
	if (!(d->attr & SEG_ATTR_P))
		dbt_fault_code(cpu, op, EXC_NP, code);
	if (!in_long_mode(cpu))
		return;
	if (!desc_read_high(cpu, op, d) || !is_canonical(desc_base(d)))
		dbt_fault_code(cpu, op, EXC_GP, code);
}

OP_HANDLER(lldt)
{
	uint16_t selector;
	struct desc d;

	check_level_0(cpu, op);
	selector = read_selector(cpu, op);
	if (selector_is_null(selector)) {
		segment_set_null(cpu, S_LDT, selector);
	} else {
		read_system(cpu, op, selector, BIT(DESC_LDT), &d);
		load_checked(cpu, S_LDT, &d, selector);
	}
	return next(cpu, op);
}

OP_HANDLER(ltr)
{
	uint32_t types = in_long_mode(cpu) ? BIT(DESC_TSS) : BIT(DESC_TSS) | BIT(DESC_TSS16);
	uint16_t selector;
	struct desc d;

	check_level_0(cpu, op);
	selector = read_selector(cpu, op);
	if (selector_is_null(selector))
		dbt_fault_code(cpu, op, EXC_GP, 0);
	read_system(cpu, op, selector, types, &d);
	desc_set_busy(cpu, op, d.lin, true);
	load_checked(cpu, S_TR, &d, selector);
	cpu->seg[S_TR].attr |= TSS_BUSY;
	return next(cpu, op);
}

OP_HANDLER(sldt)
{
	check_umip(cpu, op);
	write_selector(cpu, op, cpu->seg[S_LDT].selector);
	NEXT(cpu, op);
}

OP_HANDLER(str)
{
	check_umip(cpu, op);
	write_selector(cpu, op, cpu->seg[S_TR].selector);
	NEXT(cpu, op);
}

/* ---- LGDT, LIDT, SGDT, SIDT ---- */

/* The base has 24 bits with a 16-bit operand, when it is loaded. */
static void load_table(struct dbt_cpu *cpu, const struct op *op, struct x86_dtable *table)
{
	bool long64 = cpu->mode & MODE_CS64;
	uint64_t lin, base;
	uint16_t limit;

	check_level_0(cpu, op);
	lin = op_linear(cpu, op, long64 ? 10 : 6, false);
	limit = ld2(cpu, op, lin);
	base = long64 ? ld8(cpu, op, lin + 2) : ld4(cpu, op, lin + 2);
	if (!long64 && size_of(op) == 2)
		base &= 0xffffff;
	if (long64 && !is_canonical(base))
		dbt_fault_code(cpu, op, EXC_GP, 0);
	*table = (struct x86_dtable){base, limit};
}

static void store_table(struct dbt_cpu *cpu, const struct op *op, const struct x86_dtable *table)
{
	bool long64 = cpu->mode & MODE_CS64;
	uint64_t lin;

	check_umip(cpu, op);
	lin = op_linear(cpu, op, long64 ? 10 : 6, true);
	mmu_probe(cpu, op, cpu->mmu_index, lin, long64 ? 10 : 6, ACCESS_WRITE);
	st2(cpu, op, lin, table->limit);
	if (long64)
		st8(cpu, op, lin + 2, table->base);
	else
		st4(cpu, op, lin + 2, table->base);
}

OP_HANDLER(lgdt)
{
	load_table(cpu, op, &cpu->gdt);
	return next(cpu, op);
}

OP_HANDLER(lidt)
{
	load_table(cpu, op, &cpu->idt);
	return next(cpu, op);
}

OP_HANDLER(sgdt)
{
	store_table(cpu, op, &cpu->gdt);
	NEXT(cpu, op);
}

OP_HANDLER(sidt)
{
	store_table(cpu, op, &cpu->idt);
	NEXT(cpu, op);
}

/* ---- Bases of FS and GS ---- */

OP_HANDLER(rdfsbase)
{
	reg_set(cpu, op->src, size_of(op), cpu->seg[S_FS].base);
	NEXT(cpu, op);
}

OP_HANDLER(rdgsbase)
{
	reg_set(cpu, op->src, size_of(op), cpu->seg[S_GS].base);
	NEXT(cpu, op);
}

static const struct op *write_base(struct dbt_cpu *cpu, const struct op *op, enum x86_seg seg)
{
	uint64_t base = cpu->gpr[op->src];

	if (size_of(op) == 4)
		base &= UINT32_MAX;
	if (!is_canonical(base))
		dbt_fault_code(cpu, op, EXC_GP, 0);
	cpu->seg[seg].base = cpu->seg_base[seg] = base;
	return next(cpu, op);
}

OP_HANDLER(wrfsbase)
{
	return write_base(cpu, op, S_FS);
}

OP_HANDLER(wrgsbase)
{
	return write_base(cpu, op, S_GS);
}

/* ---- Selection ---- */

static const struct {
	uint16_t op;
	op_fn *fn;
} rows[] = {
	{OP_MOV_FROM_SEG, mov_from_seg},
	{OP_MOV_TO_SEG, mov_to_seg},
	{OP_PUSH_SEG, push_seg},
	{OP_POP_SEG, pop_seg},
	{OP_LDS, load_far_pointer},
	{OP_JMP_FAR, jump_far},
	{OP_CALL_FAR, call_far},
	{OP_JMP_FAR_IND, jump_far_mem},
	{OP_CALL_FAR_IND, call_far_mem},
	{OP_RET_FAR, ret_far},
	{OP_IRET, iret},
	{OP_LAR, lar},
	{OP_LSL, lsl},
	{OP_VERR, verr},
	{OP_VERW, verw},
	{OP_ARPL, arpl},
	{OP_LLDT, lldt},
	{OP_LTR, ltr},
	{OP_SLDT, sldt},
	{OP_STR, str},
	{OP_LGDT, lgdt},
	{OP_LIDT, lidt},
	{OP_SGDT, sgdt},
	{OP_SIDT, sidt},
	{OP_RDFSBASE, rdfsbase},
	{OP_RDGSBASE, rdgsbase},
	{OP_WRFSBASE, wrfsbase},
	{OP_WRGSBASE, wrgsbase},
};

bool op_select_segment(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (rows[i].op != insn->op)
			continue;
		op->fn = rows[i].fn;
		op->dst = insn->reg;
		op->src = insn->rm;
		op->flags = insn->osize | (insn->is_mem ? OPERAND_MEM : 0);
		if ((insn->op == OP_LGDT || insn->op == OP_LIDT) && !(cpu->mode & MODE_CS64) &&
		    !(cpu->mode & MODE_CS32) == (insn->pp != PP_66))
			op->flags = OPERAND_MEM | 2; /* bases of 24 bits */
		if (insn->op == OP_JMP_FAR || insn->op == OP_CALL_FAR) {
			op->dst = insn->imm2; /* the selector, in two pieces */
			op->src = insn->imm2 >> 8;
		}
		return true;
	}
	return false;
}
