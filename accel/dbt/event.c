/*
 * Delivery of exceptions and interrupts (SDM vol. 3, chapter 6 and 20.1.4; AMD APM vol. 2, chapter 8).
 *
 * A fault while an event is delivered comes back here by way of the loop, with `delivering` still set:
 * what it makes of the two, or of the third, is decided in dbt_deliver_fault().
 *
 * Faults of INT n and its kin belong to the instruction, which cpu->op still names; those of all other
 * events to cpu->rip.
 */
#include "base/trace.h"
#include "desc.h"

TRACE_DEFINE(int_dbt_event,
	     "cpu %u: kind %d vector 0x%02x code 0x%x at 0x%" PRIx64 " cr2 0x%" PRIx64);
TRACE_DEFINE(cpu_reset_dbt_triple_fault, "cpu %u at 0x%" PRIx64);

#define VECTOR_NONE 0xff /* being delivered: no exception */

struct delivery {
	enum event_kind kind;
	uint8_t vector;
	bool has_code;
	uint32_t code, ext;  /* ext: bit 0 of the error code of what goes wrong */
	uint64_t flags;      /* as they are pushed */
	const struct op *op; /* whose faults these are; NULL: cpu->rip's */
};

static bool is_soft(enum event_kind kind)
{
	return kind == EVENT_SOFT || kind == EVENT_SOFT_INT3;
}

static uint32_t vector_code(const struct delivery *e)
{
	return e->vector * 8 + 2 + e->ext;
}

_Noreturn static void refuse(struct dbt_cpu *cpu, const struct delivery *e, unsigned vector,
			     uint32_t code)
{
	dbt_fault_code(cpu, e->op, vector, code);
}

/* ---- Real mode, and virtual-8086 mode's own interrupts: the table of vectors ---- */

static void enter_by_table(struct dbt_cpu *cpu, const struct delivery *e, uint64_t table,
			   unsigned index, uint32_t clear)
{
	uint32_t entry = ldx4(cpu, e->op, index, table + e->vector * 4);
	struct stack s;

	stack_current(cpu, &s);
	stack_push(cpu, e->op, &s, 2, e->flags);
	stack_push(cpu, e->op, &s, 2, cpu->seg[S_CS].selector);
	stack_push(cpu, e->op, &s, 2, cpu->rip);
	stack_commit(cpu, &s);
	dbt_set_segment_real(cpu, S_CS, entry >> 16);
	cpu->rip = entry & 0xffff;
	cpu->flags &= ~clear;
}

static void deliver_real(struct dbt_cpu *cpu, const struct delivery *e)
{
	if (e->vector * 4u + 3 > cpu->idt.limit)
		refuse(cpu, e, EXC_GP, vector_code(e));
	enter_by_table(cpu, e, cpu->idt.base, MMU_KERNEL, FLAG_IF | FLAG_TF | FLAG_RF | FLAG_AC);
}

/* ---- Virtual-8086 mode: INT n below IOPL 3, the redirection bitmap of CR4.VME ---- */

static bool is_redirected(struct dbt_cpu *cpu, const struct delivery *e)
{
	const struct x86_segment *tr = &cpu->seg[S_TR];
	unsigned index = mmu_system_index(cpu);
	uint32_t map;

	if (!(cpu->cr4 & CR4_VME) || tr->limit < 103)
		return false;
	map = ldx2(cpu, e->op, index, tr->base + 102);
	if (map < 32 || map - 32 + e->vector / 8 > tr->limit)
		return false;
	return !(ldx1(cpu, e->op, index, tr->base + map - 32 + e->vector / 8) & BIT(e->vector & 7));
}

static void deliver_redirected(struct dbt_cpu *cpu, struct delivery *e)
{
	bool iopl3 = (cpu->flags & FLAG_IOPL) == FLAG_IOPL;

	if (!iopl3) {
		e->flags = (e->flags & ~FLAG_IF) | FLAG_IOPL;
		e->flags |= cpu->flags & FLAG_VIF ? FLAG_IF : 0;
	}
	enter_by_table(cpu, e, 0, MMU_USER, FLAG_TF | FLAG_RF | (iopl3 ? FLAG_IF : FLAG_VIF));
}

/* ---- Gates ---- */

struct gate {
	unsigned type;
	uint16_t selector;
	uint64_t offset;
	unsigned size; /* of what is pushed */
	unsigned ist;
};

static bool is_legal_gate(const struct dbt_cpu *cpu, unsigned type)
{
	switch (type) {
	case DESC_INT:
	case DESC_TRAP:
		return true;
	case DESC_INT16:
	case DESC_TRAP16:
	case DESC_TASK_GATE:
		return !in_long_mode(cpu);
	default:
		return false;
	}
}

static void read_gate(struct dbt_cpu *cpu, const struct delivery *e, struct gate *gate)
{
	unsigned index = mmu_system_index(cpu), size = in_long_mode(cpu) ? 16 : 8;
	uint64_t at = cpu->idt.base + e->vector * size, low, high = 0;
	uint32_t attr;

	if (e->vector * size + size - 1 > cpu->idt.limit)
		refuse(cpu, e, EXC_GP, vector_code(e));
	low = ldx8(cpu, e->op, index, at);
	if (size == 16)
		high = ldx8(cpu, e->op, index, at + 8);
	attr = low >> 40 & 0xff;
	gate->type = ATTR_TYPE(attr);
	if ((attr & ATTR_S) || !is_legal_gate(cpu, gate->type) ||
	    (is_soft(e->kind) && ATTR_DPL(attr) < cpu->cpl))
		refuse(cpu, e, EXC_GP, vector_code(e));
	if (!(attr & SEG_ATTR_P))
		refuse(cpu, e, EXC_NP, vector_code(e));
	gate->selector = low >> 16;
	gate->offset = (low & 0xffff) | (low >> 32 & 0xffff0000) | high << 32;
	gate->size = size == 16 ? 8 : gate->type & 8 ? 4 : 2;
	gate->ist = size == 16 ? low >> 32 & 7 : 0;
	if (gate->size == 2)
		gate->offset &= 0xffff;
}

/* The code segment behind the gate; the level it will run at. */
static unsigned read_target(struct dbt_cpu *cpu, const struct delivery *e, const struct gate *gate,
			    struct desc *cs)
{
	uint32_t code = (gate->selector & ~3) | e->ext;
	unsigned cpl;

	if (selector_is_null(gate->selector))
		refuse(cpu, e, EXC_GP, e->ext);
	if (!desc_read(cpu, e->op, gate->selector, cs) || !desc_is_code(cs) ||
	    ATTR_DPL(cs->attr) > cpu->cpl)
		refuse(cpu, e, EXC_GP, code);
	if (in_long_mode(cpu) && (cs->attr & (SEG_ATTR_L | SEG_ATTR_DB)) != SEG_ATTR_L)
		refuse(cpu, e, EXC_GP, code);
	if (!(cs->attr & SEG_ATTR_P))
		refuse(cpu, e, EXC_NP, code);
	cpl = cs->attr & ATTR_DC ? cpu->cpl : ATTR_DPL(cs->attr);
	if (in_vm86(cpu) && cpl)
		refuse(cpu, e, EXC_GP, code);
	return cpl;
}

/* Where the event is pushed in legacy modes: this stack, or that of an inner level. */
static void choose_stack(struct dbt_cpu *cpu, const struct delivery *e, unsigned cpl,
			 struct stack *s, struct x86_segment *ss)
{
	struct tss_stack inner;
	struct desc d;

	stack_current(cpu, s);
	s->index = cpl == 3 ? MMU_USER : mmu_system_index(cpu);
	s->error_code = e->ext;
	if (cpl == cpu->cpl)
		return;
	tss_read_stack(cpu, e->op, cpl, e->ext, &inner);
	if (selector_is_null(inner.ss))
		refuse(cpu, e, EXC_TS, e->ext);
	desc_check_stack(cpu, e->op, inner.ss, cpl, EXC_TS, e->ext, &d);
	desc_set_accessed(cpu, e->op, &d);
	desc_to_segment(&d, ss);
	s->ss = ss;
	s->sp = inner.sp;
	s->mask = d.attr & SEG_ATTR_DB ? UINT32_MAX : UINT16_MAX;
	s->error_code = (inner.ss & ~3) | e->ext;
}

static void push_vm86_segments(struct dbt_cpu *cpu, const struct delivery *e, struct stack *s,
			       unsigned size)
{
	static const enum x86_seg order[] = {S_GS, S_FS, S_DS, S_ES};

	for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
		stack_push(cpu, e->op, s, size, cpu->seg[order[i]].selector);
}

static void push_frame(struct dbt_cpu *cpu, const struct delivery *e, struct stack *s,
		       unsigned size, bool with_stack)
{
	if (with_stack) {
		stack_push(cpu, e->op, s, size, cpu->seg[S_SS].selector);
		stack_push(cpu, e->op, s, size, cpu->gpr[R_SP]);
	}
	stack_push(cpu, e->op, s, size, e->flags);
	stack_push(cpu, e->op, s, size, cpu->seg[S_CS].selector);
	stack_push(cpu, e->op, s, size, cpu->rip);
	if (e->has_code)
		stack_push(cpu, e->op, s, size, e->code);
}

/* All that can fail has been done. */
static void enter_handler(struct dbt_cpu *cpu, const struct gate *gate, const struct desc *cs,
			  unsigned cpl)
{
	load_checked(cpu, S_CS, cs, (gate->selector & ~3) | cpl);
	cpu->cpl = cpl;
	cpu->rip = gate->offset;
	cpu->flags &= ~(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM);
	if (!(gate->type & 1))
		cpu->flags &= ~FLAG_IF;
}

static void deliver_protected(struct dbt_cpu *cpu, const struct delivery *e)
{
	struct x86_segment ss = cpu->seg[S_SS];
	bool from_vm86 = in_vm86(cpu);
	struct gate gate;
	struct desc cs;
	struct stack s;
	unsigned cpl;

	read_gate(cpu, e, &gate);
	if (gate.type == DESC_TASK_GATE) {
		dbt_task_switch(cpu, e->op, gate.selector, TASK_EVENT, cpu->rip,
				e->has_code ? &e->code : NULL);
		return;
	}
	cpl = read_target(cpu, e, &gate, &cs);
	choose_stack(cpu, e, cpl, &s, &ss);
	if (gate.offset > desc_limit(&cs))
		refuse(cpu, e, EXC_GP, e->ext);
	if (from_vm86)
		push_vm86_segments(cpu, e, &s, gate.size);
	push_frame(cpu, e, &s, gate.size, cpl != cpu->cpl);
	desc_set_accessed(cpu, e->op, &cs);
	if (from_vm86) {
		segment_set_null(cpu, S_GS, 0);
		segment_set_null(cpu, S_FS, 0);
		segment_set_null(cpu, S_DS, 0);
		segment_set_null(cpu, S_ES, 0);
	}
	stack_commit(cpu, &s);
	cpu->seg[S_SS] = ss;
	enter_handler(cpu, &gate, &cs, cpl);
}

static void deliver_long(struct dbt_cpu *cpu, const struct delivery *e)
{
	struct stack s = {.mask = UINT64_MAX, .long64 = true, .error_code = e->ext};
	struct gate gate;
	struct desc cs;
	unsigned cpl;

	read_gate(cpu, e, &gate);
	cpl = read_target(cpu, e, &gate, &cs);
	s.index = cpl == 3 ? MMU_USER : mmu_system_index(cpu);
	if (gate.ist)
		s.sp = tss_read_rsp(cpu, e->op, 3 + gate.ist, e->ext);
	else if (cpl != cpu->cpl)
		s.sp = tss_read_rsp(cpu, e->op, cpl, e->ext);
	else
		s.sp = cpu->gpr[R_SP];
	s.sp &= ~15ULL;
	if (!is_canonical(gate.offset))
		refuse(cpu, e, EXC_GP, e->ext);
	push_frame(cpu, e, &s, 8, true);
	desc_set_accessed(cpu, e->op, &cs);
	if (cpl != cpu->cpl)
		segment_set_null(cpu, S_SS, cpl);
	cpu->gpr[R_SP] = s.sp;
	enter_handler(cpu, &gate, &cs, cpl);
}

/* ---- One event ---- */

/* Faults say "do not break here again" when they return; what comes after an instruction does not. */
static uint64_t pushed_flags(struct dbt_cpu *cpu, enum event_kind kind, unsigned vector)
{
	uint64_t flags = dbt_rflags(cpu);

	if (kind == EVENT_FAULT && vector != EXC_DB)
		return flags | FLAG_RF;
	return flags;
}

static void note_registers(struct dbt_cpu *cpu, enum event_kind kind, const struct dbt_fault *fault)
{
	if (is_soft(kind) || kind == EVENT_EXTERNAL)
		return;
	if (fault->vector == EXC_PF)
		cpu->cr2 = fault->cr2;
	if (fault->vector == EXC_DB) {
		cpu->dr[6] |= fault->dr6;
		cpu->dr[7] &= ~DR7_GD;
	}
	if (kind == EVENT_NMI)
		cpu->nmi_masked = true;
}

static bool is_exception(enum event_kind kind)
{
	return kind == EVENT_FAULT || kind == EVENT_TRAP;
}

void dbt_deliver(struct dbt_cpu *cpu, enum event_kind kind, const struct dbt_fault *fault)
{
	struct delivery e = {
		.kind = kind,
		.vector = fault->vector,
		.has_code = fault->has_code,
		.code = fault->code,
		.ext = is_soft(kind) ? 0 : 1,
		.flags = pushed_flags(cpu, kind, fault->vector),
		.op = is_soft(kind) || kind == EVENT_INT1 ? cpu->op : NULL,
	};

	trace(int_dbt_event, cpu->acc->index, kind, e.vector, e.code, cpu->rip, fault->cr2);
	note_registers(cpu, kind, fault);
	if (!is_soft(kind)) {
		cpu->delivering = true;
		cpu->delivering_vector = is_exception(kind) ? e.vector : VECTOR_NONE;
	}
	if (in_real_mode(cpu)) {
		deliver_real(cpu, &e);
	} else if (in_vm86(cpu) && kind == EVENT_SOFT && is_redirected(cpu, &e)) {
		deliver_redirected(cpu, &e);
	} else {
		if (in_vm86(cpu) && kind == EVENT_SOFT && (cpu->flags & FLAG_IOPL) != FLAG_IOPL)
			dbt_fault_code(cpu, e.op, EXC_GP, 0);
		if (in_long_mode(cpu))
			deliver_long(cpu, &e);
		else
			deliver_protected(cpu, &e);
	}
	cpu->delivering = false;
	cpu->shadow = false;
	dbt_update_mode(cpu);
}

/* ---- One fault upon another (SDM vol. 3, table 6-5) ---- */

enum fault_class { CLASS_BENIGN, CLASS_CONTRIBUTORY, CLASS_PAGE_FAULT, CLASS_DOUBLE };

static enum fault_class class_of(unsigned vector)
{
	switch (vector) {
	case EXC_DE:
	case EXC_TS:
	case EXC_NP:
	case EXC_SS:
	case EXC_GP:
		return CLASS_CONTRIBUTORY;
	case EXC_PF:
		return CLASS_PAGE_FAULT;
	case EXC_DF:
		return CLASS_DOUBLE;
	default:
		return CLASS_BENIGN;
	}
}

void dbt_deliver_fault(struct dbt_cpu *cpu)
{
	struct dbt_fault fault = cpu->fault;
	enum fault_class second = class_of(fault.vector), first = CLASS_BENIGN;

	if (cpu->delivering)
		first = class_of(cpu->delivering_vector);
	cpu->op = NULL;
	if (first == CLASS_DOUBLE && second != CLASS_BENIGN) {
		trace(cpu_reset_dbt_triple_fault, cpu->acc->index, cpu->rip);
		cpu->delivering = false;
		cpu->shut_down = true;
		return;
	}
	if ((first == CLASS_CONTRIBUTORY && second == CLASS_CONTRIBUTORY) ||
	    (first == CLASS_PAGE_FAULT && second != CLASS_BENIGN)) {
		if (fault.vector == EXC_PF)
			cpu->cr2 = fault.cr2;
		fault = (struct dbt_fault){.vector = EXC_DF, .has_code = true};
	}
	/* What runs into a breakpoint of its own has RF already. */
	dbt_deliver(cpu, EVENT_FAULT, &fault);
}

void dbt_deliver_injected(struct dbt_cpu *cpu)
{
	struct x86_events e = *cpu->inject;
	struct dbt_fault fault = {.vector = e.exception_vector,
				  .has_code = e.exception_has_code,
				  .code = e.exception_code,
				  .cr2 = cpu->cr2};

	g_clear_pointer(&cpu->inject, g_free);
	cpu->op = NULL;
	if (e.exception_has_payload && fault.vector == EXC_PF)
		fault.cr2 = e.exception_payload;
	if (e.exception_has_payload && fault.vector == EXC_DB)
		fault.dr6 = e.exception_payload;
	if (e.exception_injected || e.exception_pending) {
		dbt_deliver(cpu, EVENT_FAULT, &fault);
	} else if (e.interrupt_injected) {
		fault = (struct dbt_fault){.vector = e.interrupt_vector};
		dbt_deliver(cpu, EVENT_EXTERNAL, &fault);
	} else if (e.nmi_injected) {
		fault = (struct dbt_fault){.vector = EXC_NMI};
		dbt_deliver(cpu, EVENT_NMI, &fault);
	}
}
