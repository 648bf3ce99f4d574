/*
 * Far jumps, calls and returns: real mode, code segments, call gates, tasks (SDM vol. 3, 5.8).
 *
 * All checks and all pushes come before the first register changes.
 */
#include "desc.h"

_Noreturn static void refuse(struct dbt_cpu *cpu, const struct op *op, unsigned vector,
			     uint16_t selector)
{
	dbt_fault_code(cpu, op, vector, selector & ~3);
}

static bool by_real_rules(const struct dbt_cpu *cpu)
{
	return in_real_mode(cpu) || in_vm86(cpu);
}

/* ---- Checks ---- */

/* Where execution goes on must be in the segment. */
static void check_target(struct dbt_cpu *cpu, const struct op *op, const struct desc *cs,
			 uint64_t offset)
{
	bool ok = in_long_mode(cpu) && (cs->attr & SEG_ATTR_L) ? is_canonical(offset)
							       : offset <= desc_limit(cs);

	if (!ok)
		dbt_fault_code(cpu, op, EXC_GP, 0);
}

static void check_long_bits(struct dbt_cpu *cpu, const struct op *op, const struct desc *cs)
{
	if (in_long_mode(cpu) && (cs->attr & SEG_ATTR_L) && (cs->attr & SEG_ATTR_DB))
		refuse(cpu, op, EXC_GP, cs->selector);
}

/* A code segment that is called or jumped to directly. */
static void check_direct(struct dbt_cpu *cpu, const struct op *op, const struct desc *cs)
{
	unsigned dpl = ATTR_DPL(cs->attr), rpl = cs->selector & 3;

	if (cs->attr & ATTR_DC ? dpl > cpu->cpl : rpl > cpu->cpl || dpl != cpu->cpl)
		refuse(cpu, op, EXC_GP, cs->selector);
	check_long_bits(cpu, op, cs);
	if (!(cs->attr & SEG_ATTR_P))
		refuse(cpu, op, EXC_NP, cs->selector);
}

/* Any descriptor a far jump or call may name. */
static void read_named(struct dbt_cpu *cpu, const struct op *op, uint16_t selector, struct desc *d)
{
	if (selector_is_null(selector))
		refuse(cpu, op, EXC_GP, 0);
	if (!desc_read(cpu, op, selector, d))
		refuse(cpu, op, EXC_GP, selector);
}

static bool is_call_gate(const struct dbt_cpu *cpu, const struct desc *d)
{
	unsigned type = ATTR_TYPE(d->attr);

	return !(d->attr & ATTR_S) &&
	       (type == DESC_CALL || (type == DESC_CALL16 && !in_long_mode(cpu)));
}

static bool is_task(const struct dbt_cpu *cpu, const struct desc *d)
{
	unsigned type = ATTR_TYPE(d->attr);

	return !(d->attr & ATTR_S) && !in_long_mode(cpu) &&
	       (type == DESC_TASK_GATE || type == DESC_TSS || type == DESC_TSS16);
}

static void check_gate_rights(struct dbt_cpu *cpu, const struct op *op, const struct desc *d)
{
	unsigned dpl = ATTR_DPL(d->attr);

	if (dpl < cpu->cpl || dpl < (d->selector & 3u))
		refuse(cpu, op, EXC_GP, d->selector);
	if (!(d->attr & SEG_ATTR_P))
		refuse(cpu, op, EXC_NP, d->selector);
}

/* ---- Call gates ---- */

struct call_gate {
	uint64_t offset;
	unsigned size; /* of what is pushed */
	unsigned params;
	struct desc cs;
};

static void read_call_gate(struct dbt_cpu *cpu, const struct op *op, struct desc *d,
			   struct call_gate *gate)
{
	uint16_t selector;

	check_gate_rights(cpu, op, d);
	if (in_long_mode(cpu) && !desc_read_high(cpu, op, d))
		refuse(cpu, op, EXC_GP, d->selector);
	selector = d->low >> 16;
	gate->offset = (d->low & 0xffff) | (d->low >> 32 & 0xffff0000) | d->high << 32;
	gate->size = in_long_mode(cpu) ? 8 : ATTR_TYPE(d->attr) & 8 ? 4 : 2;
	gate->params = d->low >> 32 & 31;
	if (gate->size == 2)
		gate->offset &= 0xffff;
	if (selector_is_null(selector))
		refuse(cpu, op, EXC_GP, 0);
	if (!desc_read(cpu, op, selector, &gate->cs) || !desc_is_code(&gate->cs) ||
	    ATTR_DPL(gate->cs.attr) > cpu->cpl)
		refuse(cpu, op, EXC_GP, selector);
	if (in_long_mode(cpu) && (gate->cs.attr & (SEG_ATTR_L | SEG_ATTR_DB)) != SEG_ATTR_L)
		refuse(cpu, op, EXC_GP, selector);
	if (!(gate->cs.attr & SEG_ATTR_P))
		refuse(cpu, op, EXC_NP, selector);
}

static void enter(struct dbt_cpu *cpu, const struct op *op, struct desc *cs, unsigned cpl,
		  uint64_t offset)
{
	load_checked(cpu, S_CS, cs, (cs->selector & ~3) | cpl);
	cpu->cpl = cpl;
	cpu->rip = offset;
	dbt_update_mode(cpu);
}

/* ---- JMP ---- */

static uint64_t cut(uint64_t offset, unsigned osize)
{
	return osize == 2 ? offset & UINT16_MAX : osize == 4 ? offset & UINT32_MAX : offset;
}

static void jump_real(struct dbt_cpu *cpu, const struct op *op, uint16_t selector, uint64_t offset)
{
	if (offset > cpu->seg[S_CS].limit)
		dbt_fault_code(cpu, op, EXC_GP, 0);
	dbt_set_segment_real(cpu, S_CS, selector);
	cpu->rip = offset;
	dbt_update_mode(cpu);
}

static void jump_gate(struct dbt_cpu *cpu, const struct op *op, struct desc *d)
{
	struct call_gate gate;

	read_call_gate(cpu, op, d, &gate);
	if (!(gate.cs.attr & ATTR_DC) && ATTR_DPL(gate.cs.attr) != cpu->cpl)
		refuse(cpu, op, EXC_GP, gate.cs.selector);
	check_target(cpu, op, &gate.cs, gate.offset);
	desc_set_accessed(cpu, op, &gate.cs);
	enter(cpu, op, &gate.cs, cpu->cpl, gate.offset);
}

void dbt_jump_far(struct dbt_cpu *cpu, const struct op *op, uint16_t selector, uint64_t offset,
		  unsigned osize)
{
	struct desc d;

	offset = cut(offset, osize);
	if (by_real_rules(cpu)) {
		jump_real(cpu, op, selector, offset);
		return;
	}
	read_named(cpu, op, selector, &d);
	if (desc_is_code(&d)) {
		check_direct(cpu, op, &d);
		check_target(cpu, op, &d, offset);
		desc_set_accessed(cpu, op, &d);
		enter(cpu, op, &d, cpu->cpl, offset);
	} else if (is_call_gate(cpu, &d)) {
		jump_gate(cpu, op, &d);
	} else if (is_task(cpu, &d)) {
		check_gate_rights(cpu, op, &d);
		dbt_task_switch(cpu, op, selector, TASK_JUMP,
				cpu->gpr[GPR_BLOCK] + op->ip + op->len, NULL);
	} else {
		refuse(cpu, op, EXC_GP, selector);
	}
}

/* ---- CALL ---- */

static void push_return(struct dbt_cpu *cpu, const struct op *op, struct stack *s, unsigned size,
			uint64_t rip)
{
	stack_push(cpu, op, s, size, cpu->seg[S_CS].selector);
	stack_push(cpu, op, s, size, rip);
}

static void call_real(struct dbt_cpu *cpu, const struct op *op, uint16_t selector, uint64_t offset,
		      unsigned osize, uint64_t return_rip)
{
	struct stack s;

	stack_current(cpu, &s);
	push_return(cpu, op, &s, osize, return_rip);
	if (offset > cpu->seg[S_CS].limit)
		dbt_fault_code(cpu, op, EXC_GP, 0);
	stack_commit(cpu, &s);
	dbt_set_segment_real(cpu, S_CS, selector);
	cpu->rip = offset;
	dbt_update_mode(cpu);
}

/* The stack of an inner level, in legacy modes, with the parameters copied to it. */
static void inner_stack(struct dbt_cpu *cpu, const struct op *op, const struct call_gate *gate,
			unsigned cpl, struct stack *s, struct x86_segment *ss)
{
	struct tss_stack inner;
	struct stack old;
	uint32_t params[32];
	struct desc d;

	tss_read_stack(cpu, op, cpl, 0, &inner);
	if (selector_is_null(inner.ss))
		refuse(cpu, op, EXC_TS, 0);
	desc_check_stack(cpu, op, inner.ss, cpl, EXC_TS, 0, &d);
	desc_set_accessed(cpu, op, &d);
	desc_to_segment(&d, ss);
	stack_current(cpu, &old);
	for (unsigned i = 0; i < gate->params; i++)
		params[i] = stack_pop(cpu, op, &old, gate->size);
	*s = (struct stack){
		.ss = ss,
		.sp = inner.sp,
		.mask = d.attr & SEG_ATTR_DB ? UINT32_MAX : UINT16_MAX,
		.index = mmu_system_index(cpu),
		.error_code = inner.ss & ~3,
	};
	stack_push(cpu, op, s, gate->size, cpu->seg[S_SS].selector);
	stack_push(cpu, op, s, gate->size, cpu->gpr[R_SP]);
	for (unsigned i = gate->params; i-- > 0;)
		stack_push(cpu, op, s, gate->size, params[i]);
}

static void inner_stack_long(struct dbt_cpu *cpu, const struct op *op, unsigned cpl,
			     struct stack *s)
{
	*s = (struct stack){
		.sp = tss_read_rsp(cpu, op, cpl, 0),
		.mask = UINT64_MAX,
		.index = mmu_system_index(cpu),
		.long64 = true,
	};
	stack_push(cpu, op, s, 8, cpu->seg[S_SS].selector);
	stack_push(cpu, op, s, 8, cpu->gpr[R_SP]);
}

static void call_gate(struct dbt_cpu *cpu, const struct op *op, struct desc *d, uint64_t return_rip)
{
	struct x86_segment ss = cpu->seg[S_SS];
	bool is_long = in_long_mode(cpu);
	struct call_gate gate;
	unsigned cpl = cpu->cpl;
	struct stack s;

	read_call_gate(cpu, op, d, &gate);
	if (!(gate.cs.attr & ATTR_DC))
		cpl = ATTR_DPL(gate.cs.attr);
	stack_current(cpu, &s);
	s.long64 = s.long64 || is_long;
	if (is_long)
		s.mask = UINT64_MAX;
	if (cpl != cpu->cpl && is_long)
		inner_stack_long(cpu, op, cpl, &s);
	else if (cpl != cpu->cpl)
		inner_stack(cpu, op, &gate, cpl, &s, &ss);
	push_return(cpu, op, &s, gate.size, return_rip);
	check_target(cpu, op, &gate.cs, gate.offset);
	desc_set_accessed(cpu, op, &gate.cs);
	stack_commit(cpu, &s);
	if (cpl != cpu->cpl && is_long)
		segment_set_null(cpu, S_SS, cpl);
	else
		cpu->seg[S_SS] = ss;
	enter(cpu, op, &gate.cs, cpl, gate.offset);
}

void dbt_call_far(struct dbt_cpu *cpu, const struct op *op, uint16_t selector, uint64_t offset,
		  unsigned osize, uint64_t return_rip)
{
	struct stack s;
	struct desc d;

	offset = cut(offset, osize);
	if (by_real_rules(cpu)) {
		call_real(cpu, op, selector, offset, osize, return_rip);
		return;
	}
	read_named(cpu, op, selector, &d);
	if (desc_is_code(&d)) {
		check_direct(cpu, op, &d);
		stack_current(cpu, &s);
		push_return(cpu, op, &s, osize, return_rip);
		check_target(cpu, op, &d, offset);
		desc_set_accessed(cpu, op, &d);
		stack_commit(cpu, &s);
		enter(cpu, op, &d, cpu->cpl, offset);
	} else if (is_call_gate(cpu, &d)) {
		call_gate(cpu, op, &d, return_rip);
	} else if (is_task(cpu, &d)) {
		check_gate_rights(cpu, op, &d);
		dbt_task_switch(cpu, op, selector, TASK_CALL, return_rip, NULL);
	} else {
		refuse(cpu, op, EXC_GP, selector);
	}
}

/* ---- Returns ---- */

/* What a far return and IRET take off the stack. */
struct frame {
	uint64_t rip, rsp;
	uint16_t cs, ss;
	unsigned cpl;
	bool has_stack;
	struct desc cs_desc, ss_desc;
	bool ss_null;
};

static void check_return_code(struct dbt_cpu *cpu, const struct op *op, struct frame *f)
{
	struct desc *d = &f->cs_desc;
	unsigned rpl = f->cs & 3;

	if (selector_is_null(f->cs))
		refuse(cpu, op, EXC_GP, 0);
	if (!desc_read(cpu, op, f->cs, d) || !desc_is_code(d) || rpl < cpu->cpl ||
	    (d->attr & ATTR_DC ? ATTR_DPL(d->attr) > rpl : ATTR_DPL(d->attr) != rpl))
		refuse(cpu, op, EXC_GP, f->cs);
	check_long_bits(cpu, op, d);
	if (!(d->attr & SEG_ATTR_P))
		refuse(cpu, op, EXC_NP, f->cs);
	f->cpl = rpl;
}

static void check_return_stack(struct dbt_cpu *cpu, const struct op *op, struct frame *f)
{
	bool to64 = in_long_mode(cpu) && (f->cs_desc.attr & SEG_ATTR_L);

	f->ss_null = selector_is_null(f->ss);
	if (f->ss_null) {
		if (!to64 || f->cpl == 3 || (f->ss & 3u) != f->cpl)
			refuse(cpu, op, EXC_GP, f->ss);
		return;
	}
	desc_check_stack(cpu, op, f->ss, f->cpl, EXC_GP, 0, &f->ss_desc);
}

/* All is checked. @sp: the stack as it is after the pops, for returns without a new one. */
static void return_to(struct dbt_cpu *cpu, const struct op *op, struct frame *f,
		      const struct stack *sp, unsigned pop)
{
	bool outer = f->cpl != cpu->cpl;

	desc_set_accessed(cpu, op, &f->cs_desc);
	if (f->has_stack && !f->ss_null)
		desc_set_accessed(cpu, op, &f->ss_desc);
	load_checked(cpu, S_CS, &f->cs_desc, f->cs);
	cpu->cpl = f->cpl;
	cpu->rip = f->rip;
	if (f->has_stack) {
		if (f->ss_null)
			segment_set_null(cpu, S_SS, f->ss);
		else
			load_checked(cpu, S_SS, &f->ss_desc, f->ss);
		dbt_update_mode(cpu);
		struct stack s;

		stack_current(cpu, &s);
		s.sp = f->rsp + pop;
		stack_commit(cpu, &s);
	} else {
		stack_commit(cpu, sp);
	}
	if (outer)
		segments_drop_inner(cpu);
	dbt_update_mode(cpu);
}

static void stack_skip(struct stack *s, unsigned bytes)
{
	s->sp = (s->sp & ~s->mask) | ((s->sp + bytes) & s->mask);
}

static void return_real(struct dbt_cpu *cpu, const struct op *op, unsigned osize, unsigned pop)
{
	struct stack s;
	uint64_t rip;
	uint16_t cs;

	stack_current(cpu, &s);
	rip = stack_pop(cpu, op, &s, osize);
	cs = stack_pop(cpu, op, &s, osize);
	if (rip > cpu->seg[S_CS].limit)
		dbt_fault_code(cpu, op, EXC_GP, 0);
	stack_skip(&s, pop);
	stack_commit(cpu, &s);
	dbt_set_segment_real(cpu, S_CS, cs);
	cpu->rip = rip;
	dbt_update_mode(cpu);
}

void dbt_return_far(struct dbt_cpu *cpu, const struct op *op, unsigned osize, unsigned pop)
{
	struct frame f = {0};
	struct stack s;

	if (by_real_rules(cpu)) {
		return_real(cpu, op, osize, pop);
		return;
	}
	stack_current(cpu, &s);
	f.rip = stack_pop(cpu, op, &s, osize);
	f.cs = stack_pop(cpu, op, &s, osize);
	check_return_code(cpu, op, &f);
	stack_skip(&s, pop);
	f.has_stack = f.cpl != cpu->cpl;
	if (f.has_stack) {
		f.rsp = stack_pop(cpu, op, &s, osize);
		f.ss = stack_pop(cpu, op, &s, osize);
		check_return_stack(cpu, op, &f);
	}
	check_target(cpu, op, &f.cs_desc, f.rip);
	return_to(cpu, op, &f, &s, f.has_stack ? pop : 0);
}

/* ---- IRET ---- */

#define IRET_FLAGS (FLAGS_STATUS | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_RF | FLAG_AC | FLAG_ID)

/* RF only means something to breakpoints; where there are none nobody would take it away. */
static void take_flags(struct dbt_cpu *cpu, uint64_t flags, uint64_t mask, unsigned osize)
{
	if (osize == 2)
		mask &= UINT16_MAX;
	dbt_set_rflags(cpu, flags, mask);
	if (!(cpu->mode & MODE_STEP))
		cpu->flags &= ~FLAG_RF;
}

static void iret_real(struct dbt_cpu *cpu, const struct op *op, unsigned osize)
{
	bool vm86 = in_vm86(cpu), iopl3 = (cpu->flags & FLAG_IOPL) == FLAG_IOPL;
	uint64_t rip, flags, mask = IRET_FLAGS | FLAG_IF | FLAG_IOPL;
	struct stack s;
	uint16_t cs;

	if (vm86 && !iopl3 && (!(cpu->cr4 & CR4_VME) || osize != 2))
		dbt_fault_code(cpu, op, EXC_GP, 0);
	stack_current(cpu, &s);
	rip = stack_pop(cpu, op, &s, osize);
	cs = stack_pop(cpu, op, &s, osize);
	flags = stack_pop(cpu, op, &s, osize);
	if (rip > cpu->seg[S_CS].limit)
		dbt_fault_code(cpu, op, EXC_GP, 0);
	if (vm86)
		mask &= ~FLAG_IOPL;
	if (vm86 && !iopl3) {
		mask &= ~FLAG_IF;
		if ((flags & FLAG_TF) || ((flags & FLAG_IF) && (cpu->flags & FLAG_VIP)))
			dbt_fault_code(cpu, op, EXC_GP, 0);
		cpu->flags &= ~FLAG_VIF;
		cpu->flags |= flags & FLAG_IF ? FLAG_VIF : 0;
	}
	stack_commit(cpu, &s);
	dbt_set_segment_real(cpu, S_CS, cs);
	cpu->rip = rip;
	take_flags(cpu, flags, mask, osize);
	dbt_update_mode(cpu);
}

/* From level 0 into virtual-8086 mode: @s has the rest of the frame. */
static void iret_to_vm86(struct dbt_cpu *cpu, const struct op *op, struct stack *s, uint64_t rip,
			 uint16_t cs, uint64_t flags)
{
	static const enum x86_seg order[] = {S_SS, S_ES, S_DS, S_FS, S_GS};
	uint64_t esp = stack_pop(cpu, op, s, 4);
	uint16_t selector[G_N_ELEMENTS(order)];

	for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
		selector[i] = stack_pop(cpu, op, s, 4);
	if (rip > UINT16_MAX)
		dbt_fault_code(cpu, op, EXC_GP, 0);
	dbt_set_rflags(cpu, flags,
		       IRET_FLAGS | FLAG_IF | FLAG_IOPL | FLAG_VM | FLAG_VIF | FLAG_VIP);
	cpu->cpl = 3;
	dbt_set_segment_real(cpu, S_CS, cs);
	for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
		dbt_set_segment_real(cpu, order[i], selector[i]);
	cpu->gpr[R_SP] = esp;
	cpu->rip = rip;
	dbt_update_mode(cpu);
}

static uint64_t iret_mask(const struct dbt_cpu *cpu)
{
	uint64_t mask = IRET_FLAGS;

	if (cpu->cpl <= (cpu->flags & FLAG_IOPL) >> 12)
		mask |= FLAG_IF;
	if (!cpu->cpl)
		mask |= FLAG_IOPL | FLAG_VIF | FLAG_VIP;
	return mask;
}

static void iret_nested(struct dbt_cpu *cpu, const struct op *op)
{
	const struct x86_segment *tr = &cpu->seg[S_TR];
	uint16_t link;

	if (in_long_mode(cpu))
		dbt_fault_code(cpu, op, EXC_GP, 0);
	link = ldx2(cpu, op, mmu_system_index(cpu), tr->base);
	dbt_task_switch(cpu, op, link, TASK_IRET, cpu->gpr[GPR_BLOCK] + op->ip + op->len, NULL);
}

static void iret_protected(struct dbt_cpu *cpu, const struct op *op, unsigned osize)
{
	uint64_t flags, mask = iret_mask(cpu);
	struct frame f = {0};
	struct stack s;

	stack_current(cpu, &s);
	f.rip = stack_pop(cpu, op, &s, osize);
	f.cs = stack_pop(cpu, op, &s, osize);
	flags = stack_pop(cpu, op, &s, osize);
	if ((flags & FLAG_VM) && osize == 4 && !cpu->cpl && !in_long_mode(cpu)) {
		iret_to_vm86(cpu, op, &s, f.rip, f.cs, flags);
		return;
	}
	check_return_code(cpu, op, &f);
	f.has_stack = f.cpl != cpu->cpl || (cpu->mode & MODE_CS64);
	if (f.has_stack) {
		f.rsp = stack_pop(cpu, op, &s, osize);
		f.ss = stack_pop(cpu, op, &s, osize);
		check_return_stack(cpu, op, &f);
	}
	check_target(cpu, op, &f.cs_desc, f.rip);
	return_to(cpu, op, &f, &s, 0);
	take_flags(cpu, flags, mask, osize);
}

void dbt_iret(struct dbt_cpu *cpu, const struct op *op, unsigned osize)
{
	if (by_real_rules(cpu))
		iret_real(cpu, op, osize);
	else if (cpu->flags & FLAG_NT)
		iret_nested(cpu, op);
	else
		iret_protected(cpu, op, osize);
	cpu->nmi_masked = false;
}
