/*
 * Task state segments and hardware task switches (SDM vol. 3, chapter 7).
 */
#include "debug.h"
#include "desc.h"

/* ---- Stacks of inner levels ---- */

static bool is_wide_tss(const struct x86_segment *tr)
{
	return tr->attr & 8;
}

void tss_read_stack(struct dbt_cpu *cpu, const struct op *op, unsigned cpl, uint32_t ext,
		    struct tss_stack *out)
{
	const struct x86_segment *tr = &cpu->seg[S_TR];
	unsigned index = mmu_system_index(cpu), size = is_wide_tss(tr) ? 4 : 2;
	unsigned at = size + cpl * size * 2;

	if (at + size + 1 > tr->limit)
		dbt_fault_code(cpu, op, EXC_TS, (tr->selector & ~3) | ext);
	if (size == 4)
		out->sp = ldx4(cpu, op, index, tr->base + at);
	else
		out->sp = ldx2(cpu, op, index, tr->base + at);
	out->ss = ldx2(cpu, op, index, tr->base + at + size);
}

uint64_t tss_read_rsp(struct dbt_cpu *cpu, const struct op *op, unsigned slot, uint32_t ext)
{
	const struct x86_segment *tr = &cpu->seg[S_TR];
	unsigned at = 4 + slot * 8;
	uint64_t rsp;

	if (at + 7 > tr->limit)
		dbt_fault_code(cpu, op, EXC_TS, (tr->selector & ~3) | ext);
	rsp = ldx8(cpu, op, mmu_system_index(cpu), tr->base + at);
	if (!is_canonical(rsp))
		dbt_fault_code(cpu, op, EXC_SS, ext);
	return rsp;
}

/* ---- The two layouts ---- */

struct tss_layout {
	unsigned size; /* of a slot */
	unsigned cr3;  /* 0: none */
	unsigned ip, flags, gpr, seg, segs, ldt, limit;
};
static const struct tss_layout layout16 = {2, 0, 14, 16, 18, 34, 4, 42, 43};
static const struct tss_layout layout32 = {4, 28, 32, 36, 40, 72, 6, 96, 103};
#define TSS_TRAP 100 /* 32-bit */

static const enum x86_seg seg_order[] = {S_ES, S_CS, S_SS, S_DS, S_FS, S_GS};

struct task {
	uint64_t cr3, ip, flags, gpr[8];
	uint16_t seg[6], ldt;
	bool trap;
};

static const struct tss_layout *layout_of(uint32_t attr)
{
	return attr & 8 ? &layout32 : &layout16;
}

static uint32_t tss_get(struct dbt_cpu *cpu, const struct op *op, unsigned size, uint64_t lin)
{
	unsigned index = mmu_system_index(cpu);

	return size == 4 ? ldx4(cpu, op, index, lin) : ldx2(cpu, op, index, lin);
}

static void tss_put(struct dbt_cpu *cpu, const struct op *op, unsigned size, uint64_t lin,
		    uint32_t value)
{
	if (size == 4)
		stx4(cpu, op, mmu_system_index(cpu), lin, value);
	else
		stx2(cpu, op, mmu_system_index(cpu), lin, value);
}

static void task_read(struct dbt_cpu *cpu, const struct op *op, const struct desc *d,
		      struct task *t)
{
	const struct tss_layout *l = layout_of(d->attr);
	uint64_t base = desc_base(d);

	*t = (struct task){.ip = tss_get(cpu, op, l->size, base + l->ip),
			   .flags = tss_get(cpu, op, l->size, base + l->flags),
			   .ldt = tss_get(cpu, op, 2, base + l->ldt)};
	if (l->cr3) {
		t->cr3 = tss_get(cpu, op, 4, base + l->cr3);
		t->trap = tss_get(cpu, op, 2, base + TSS_TRAP) & 1;
	}
	for (unsigned i = 0; i < 8; i++)
		t->gpr[i] = tss_get(cpu, op, l->size, base + l->gpr + i * l->size);
	for (unsigned i = 0; i < l->segs; i++)
		t->seg[i] = tss_get(cpu, op, 2, base + l->seg + i * l->size);
}

static void task_save(struct dbt_cpu *cpu, const struct op *op, uint64_t rip, uint64_t flags)
{
	const struct x86_segment *tr = &cpu->seg[S_TR];
	const struct tss_layout *l = layout_of(tr->attr);

	tss_put(cpu, op, l->size, tr->base + l->ip, rip);
	tss_put(cpu, op, l->size, tr->base + l->flags, flags);
	for (unsigned i = 0; i < 8; i++)
		tss_put(cpu, op, l->size, tr->base + l->gpr + i * l->size, cpu->gpr[i]);
	for (unsigned i = 0; i < l->segs; i++)
		tss_put(cpu, op, 2, tr->base + l->seg + i * l->size,
			cpu->seg[seg_order[i]].selector);
}

/* ---- The new task ---- */

_Noreturn static void bad_task(struct dbt_cpu *cpu, unsigned vector, uint16_t selector)
{
	dbt_fault_code(cpu, NULL, vector, selector & ~3);
}

static void load_ldt(struct dbt_cpu *cpu, uint16_t selector)
{
	struct desc d;

	segment_set_null(cpu, S_LDT, selector);
	if (selector_is_null(selector))
		return;
	if ((selector & 4) || !desc_read(cpu, NULL, selector, &d) || (d.attr & ATTR_S) ||
	    ATTR_TYPE(d.attr) != DESC_LDT || !(d.attr & SEG_ATTR_P))
		bad_task(cpu, EXC_TS, selector);
	load_checked(cpu, S_LDT, &d, selector);
}

static void load_code(struct dbt_cpu *cpu, uint16_t selector)
{
	unsigned rpl = selector & 3;
	struct desc d;
	bool ok;

	if (selector_is_null(selector) || !desc_read(cpu, NULL, selector, &d) || !desc_is_code(&d))
		bad_task(cpu, EXC_TS, selector);
	ok = d.attr & ATTR_DC ? ATTR_DPL(d.attr) <= rpl : ATTR_DPL(d.attr) == rpl;
	if (!ok)
		bad_task(cpu, EXC_TS, selector);
	if (!(d.attr & SEG_ATTR_P))
		bad_task(cpu, EXC_NP, selector);
	desc_set_accessed(cpu, NULL, &d);
	load_checked(cpu, S_CS, &d, selector);
}

static void load_data(struct dbt_cpu *cpu, enum x86_seg seg, uint16_t selector)
{
	struct desc d;

	if (selector_is_null(selector))
		return;
	if (seg == S_SS)
		desc_check_stack(cpu, NULL, selector, cpu->cpl, EXC_TS, 0, &d);
	else
		desc_check_data(cpu, NULL, selector, cpu->cpl, EXC_TS, 0, &d);
	desc_set_accessed(cpu, NULL, &d);
	load_checked(cpu, seg, &d, selector);
}

/* From here on faults are the new task's: its registers are in place, segments not yet valid. */
static void load_segments(struct dbt_cpu *cpu, const struct task *t)
{
	bool vm86 = cpu->flags & FLAG_VM;

	cpu->cpl = vm86 ? 3 : t->seg[1] & 3;
	for (unsigned i = 0; i < G_N_ELEMENTS(seg_order); i++) {
		segment_set_null(cpu, seg_order[i], t->seg[i]);
		if (vm86)
			dbt_set_segment_real(cpu, seg_order[i], t->seg[i]);
	}
	dbt_update_mode(cpu);
	load_ldt(cpu, t->ldt);
	if (vm86)
		return;
	load_code(cpu, t->seg[1]);
	if (selector_is_null(t->seg[2]))
		bad_task(cpu, EXC_TS, t->seg[2]);
	load_data(cpu, S_SS, t->seg[2]);
	load_data(cpu, S_ES, t->seg[0]);
	load_data(cpu, S_DS, t->seg[3]);
	load_data(cpu, S_FS, t->seg[4]);
	load_data(cpu, S_GS, t->seg[5]);
	dbt_update_mode(cpu);
}

static void task_load(struct dbt_cpu *cpu, const struct desc *d, const struct task *t, bool nested)
{
	bool wide = d->attr & 8;
	uint32_t keep = wide ? 0 : 0xffff0000;

	load_checked(cpu, S_TR, d, d->selector);
	cpu->seg[S_TR].attr |= TSS_BUSY;
	for (unsigned i = 0; i < 8; i++)
		cpu->gpr[i] = wide ? t->gpr[i] : (cpu->gpr[i] & keep) | t->gpr[i];
	cpu->rip = t->ip;
	cpu->op = NULL;
	if (wide && (cpu->cr0 & CR0_PG))
		dbt_set_cr3(cpu, NULL, t->cr3);
	dbt_set_rflags(cpu, t->flags | (nested ? FLAG_NT : 0), wide ? UINT32_MAX : 0xffff);
	if (!wide)
		dbt_set_rflags(cpu, 0, FLAG_VM | FLAG_RF);
	cpu->cr0 |= CR0_TS;
	cpu->dr[7] &= ~0x55ULL; /* the local breakpoints */
	load_segments(cpu, t);
	if (t->trap)
		cpu->db_pending |= DR6_BT;
	debug_changed(cpu);
}

/* ---- The switch ---- */

/* Both TSSes must be there in whole before the first byte changes. */
static void probe(struct dbt_cpu *cpu, const struct op *op, uint64_t base, uint32_t attr,
		  enum mem_access access)
{
	mmu_probe(cpu, op, mmu_system_index(cpu), base, layout_of(attr)->limit + 1, access);
}

static void read_tss(struct dbt_cpu *cpu, const struct op *op, uint16_t selector,
		     enum task_reason reason, uint32_t ext, struct desc *d)
{
	unsigned vector = reason == TASK_IRET ? EXC_TS : EXC_GP;
	uint32_t code = (selector & ~3) | ext;

	if (selector_is_null(selector) || (selector & 4) || !desc_read(cpu, op, selector, d) ||
	    (d->attr & ATTR_S) || (d->attr & 5) != 1 ||
	    !(d->attr & TSS_BUSY) != (reason != TASK_IRET))
		dbt_fault_code(cpu, op, vector, code);
	if (!(d->attr & SEG_ATTR_P))
		dbt_fault_code(cpu, op, EXC_NP, code);
	if (desc_limit(d) < layout_of(d->attr)->limit)
		dbt_fault_code(cpu, op, EXC_TS, code);
	probe(cpu, op, desc_base(d), d->attr, ACCESS_READ);
}

/* @selector may be that of a task gate, whose own checks were made. */
static uint16_t through_gate(struct dbt_cpu *cpu, const struct op *op, uint16_t selector)
{
	struct desc d;

	if (selector_is_null(selector) || !desc_read(cpu, op, selector, &d) || (d.attr & ATTR_S) ||
	    ATTR_TYPE(d.attr) != DESC_TASK_GATE)
		return selector;
	return d.low >> 16;
}

static void push_code(struct dbt_cpu *cpu, bool wide, uint32_t code)
{
	struct stack s;

	stack_current(cpu, &s);
	stack_push(cpu, NULL, &s, wide ? 4 : 2, code);
	stack_commit(cpu, &s);
}

void dbt_task_switch(struct dbt_cpu *cpu, const struct op *op, uint16_t selector,
		     enum task_reason reason, uint64_t next_rip, const uint32_t *error_code)
{
	uint64_t flags = dbt_rflags(cpu), old_desc;
	uint16_t old_selector = cpu->seg[S_TR].selector;
	uint32_t ext = reason == TASK_EVENT && cpu->delivering;
	bool nested = reason == TASK_CALL || reason == TASK_EVENT;
	struct desc d;
	struct task t;

	selector = through_gate(cpu, op, selector);
	read_tss(cpu, op, selector, reason, ext, &d);
	probe(cpu, op, cpu->seg[S_TR].base, cpu->seg[S_TR].attr, ACCESS_WRITE);
	task_read(cpu, op, &d, &t);
	if (nested)
		mmu_probe(cpu, op, mmu_system_index(cpu), desc_base(&d), 2, ACCESS_WRITE);
	if (reason == TASK_IRET)
		flags &= ~(uint64_t)FLAG_NT;
	old_desc = cpu->gdt.base + (old_selector & ~7);
	if (!nested)
		desc_set_busy(cpu, op, old_desc, false);
	task_save(cpu, op, next_rip, flags);
	if (nested)
		tss_put(cpu, op, 2, desc_base(&d), old_selector);
	if (reason != TASK_IRET)
		desc_set_busy(cpu, op, d.lin, true);
	task_load(cpu, &d, &t, nested);
	if (error_code)
		push_code(cpu, d.attr & 8, *error_code);
	if (cpu->rip > cpu->seg[S_CS].limit)
		dbt_fault_code(cpu, NULL, EXC_GP, 0);
}
