/*
 * Segment registers, and the mode that follows from them and the control registers.
 */
#include "debug.h"
#include "desc.h"

#define REAL_ATTR 0x93 /* present, writable, accessed data */
#define VM86_ATTR 0xf3 /* the same with DPL 3 */
#define LIMIT_MAX UINT32_MAX

/* ---- Descriptors ---- */

bool desc_read(struct dbt_cpu *cpu, const struct op *op, uint16_t selector, struct desc *d)
{
	const struct x86_segment *ldt = &cpu->seg[S_LDT];
	uint64_t base = cpu->gdt.base, limit = cpu->gdt.limit;

	if (selector & 4) {
		if ((ldt->attr & SEG_ATTR_UNUSABLE) || selector_is_null(ldt->selector))
			return false;
		base = ldt->base;
		limit = ldt->limit;
	}
	if ((selector | 7) > limit)
		return false;
	*d = (struct desc){.lin = base + (selector & ~7), .selector = selector};
	if (!in_long_mode(cpu))
		d->lin &= UINT32_MAX;
	d->low = ldx8(cpu, op, mmu_system_index(cpu), d->lin);
	d->attr = d->low >> 40 & 0xf0ff;
	return true;
}

bool desc_read_high(struct dbt_cpu *cpu, const struct op *op, struct desc *d)
{
	const struct x86_segment *ldt = &cpu->seg[S_LDT];
	uint64_t limit = d->selector & 4 ? ldt->limit : cpu->gdt.limit;

	if ((uint64_t)(d->selector & ~7) + 15 > limit)
		return false;
	d->high = ldx8(cpu, op, mmu_system_index(cpu), d->lin + 8);
	return !(d->high >> 40 & 0x1f);
}

uint64_t desc_base(const struct desc *d)
{
	return (d->low >> 16 & 0xffffff) | (d->low >> 56) << 24 | d->high << 32;
}

uint32_t desc_limit(const struct desc *d)
{
	uint32_t limit = (d->low & 0xffff) | (d->low >> 32 & 0xf0000);

	return d->attr & SEG_ATTR_G ? limit << 12 | 0xfff : limit;
}

void desc_to_segment(const struct desc *d, struct x86_segment *seg)
{
	seg->base = desc_base(d);
	seg->limit = desc_limit(d);
	seg->attr = d->attr;
	seg->selector = d->selector;
}

void desc_set_accessed(struct dbt_cpu *cpu, const struct op *op, struct desc *d)
{
	if (d->attr & ATTR_ACCESSED)
		return;
	d->attr |= ATTR_ACCESSED;
	stx1(cpu, op, mmu_system_index(cpu), d->lin + 5, d->attr);
}

void desc_set_busy(struct dbt_cpu *cpu, const struct op *op, uint64_t lin, bool busy)
{
	uint8_t type = ldx1(cpu, op, mmu_system_index(cpu), lin + 5);

	type = busy ? type | TSS_BUSY : type & ~TSS_BUSY;
	stx1(cpu, op, mmu_system_index(cpu), lin + 5, type);
}

static uint32_t code_of(uint16_t selector, uint32_t ext)
{
	return (selector & ~3) | ext;
}

void desc_check_stack(struct dbt_cpu *cpu, const struct op *op, uint16_t selector, unsigned cpl,
		      unsigned vector, uint32_t ext, struct desc *d)
{
	if (selector_is_null(selector) || !desc_read(cpu, op, selector, d) ||
	    (selector & 3) != cpl || !desc_is_writable_data(d) || ATTR_DPL(d->attr) != cpl)
		dbt_fault_code(cpu, op, vector, code_of(selector, ext));
	if (!(d->attr & SEG_ATTR_P))
		dbt_fault_code(cpu, op, EXC_SS, code_of(selector, ext));
}

void desc_check_data(struct dbt_cpu *cpu, const struct op *op, uint16_t selector, unsigned cpl,
		     unsigned vector, uint32_t ext, struct desc *d)
{
	unsigned rpl = selector & 3;
	bool conforming;

	if (!desc_read(cpu, op, selector, d) || !(d->attr & ATTR_S) ||
	    (desc_is_code(d) && !(d->attr & ATTR_RW)))
		dbt_fault_code(cpu, op, vector, code_of(selector, ext));
	conforming = desc_is_code(d) && (d->attr & ATTR_DC);
	if (!conforming && MAX(rpl, cpl) > ATTR_DPL(d->attr))
		dbt_fault_code(cpu, op, vector, code_of(selector, ext));
	if (!(d->attr & SEG_ATTR_P))
		dbt_fault_code(cpu, op, EXC_NP, code_of(selector, ext));
}

/* ---- Loads ---- */

void load_checked(struct dbt_cpu *cpu, enum x86_seg seg, const struct desc *d, uint16_t selector)
{
	desc_to_segment(d, &cpu->seg[seg]);
	cpu->seg[seg].selector = selector;
}

void segment_set_null(struct dbt_cpu *cpu, enum x86_seg seg, uint16_t selector)
{
	cpu->seg[seg] = (struct x86_segment){.selector = selector, .attr = SEG_ATTR_UNUSABLE};
	if (seg == S_SS)
		cpu->seg[seg].attr |= (selector & 3) << 5;
}

void segment_set_flat(struct dbt_cpu *cpu, enum x86_seg seg, uint16_t selector, unsigned cpl,
		      bool long64)
{
	uint32_t attr = REAL_ATTR | cpl << 5 | SEG_ATTR_G;

	if (seg == S_CS)
		attr |= ATTR_CODE | (long64 ? SEG_ATTR_L : SEG_ATTR_DB);
	else
		attr |= SEG_ATTR_DB;
	cpu->seg[seg] =
		(struct x86_segment){.selector = selector, .limit = LIMIT_MAX, .attr = attr};
}

void dbt_set_segment_real(struct dbt_cpu *cpu, enum x86_seg seg, uint16_t selector)
{
	struct x86_segment *s = &cpu->seg[seg];

	s->selector = selector;
	s->base = (uint32_t)selector << 4;
	if (in_vm86(cpu)) {
		s->limit = 0xffff;
		s->attr = VM86_ATTR;
	} else if ((s->attr & SEG_ATTR_UNUSABLE) || !(s->attr & SEG_ATTR_P)) {
		/* The limit stays as it was, which makes "unreal" mode; unless there is none. */
		s->limit = 0xffff;
		s->attr = REAL_ATTR;
	}
}

static void load_stack(struct dbt_cpu *cpu, const struct op *op, uint16_t selector)
{
	struct desc d;

	if (selector_is_null(selector) && (cpu->mode & MODE_CS64) && cpu->cpl < 3 &&
	    (selector & 3) == cpu->cpl) {
		segment_set_null(cpu, S_SS, selector);
		return;
	}
	desc_check_stack(cpu, op, selector, cpu->cpl, EXC_GP, 0, &d);
	desc_set_accessed(cpu, op, &d);
	load_checked(cpu, S_SS, &d, selector);
}

void dbt_load_segment(struct dbt_cpu *cpu, const struct op *op, enum x86_seg seg, uint16_t selector)
{
	struct desc d;

	if (in_real_mode(cpu) || in_vm86(cpu)) {
		dbt_set_segment_real(cpu, seg, selector);
	} else if (seg == S_SS) {
		load_stack(cpu, op, selector);
	} else if (selector_is_null(selector)) {
		segment_set_null(cpu, seg, selector);
	} else {
		desc_check_data(cpu, op, selector, cpu->cpl, EXC_GP, 0, &d);
		desc_set_accessed(cpu, op, &d);
		load_checked(cpu, seg, &d, selector);
	}
	dbt_update_mode(cpu);
}

void segments_drop_inner(struct dbt_cpu *cpu)
{
	static const enum x86_seg data[] = {S_ES, S_DS, S_FS, S_GS};

	for (size_t i = 0; i < G_N_ELEMENTS(data); i++) {
		struct x86_segment *s = &cpu->seg[data[i]];
		bool conforming = (s->attr & ATTR_CODE) && (s->attr & ATTR_DC);

		if (!(s->attr & SEG_ATTR_UNUSABLE) && !conforming && ATTR_DPL(s->attr) < cpu->cpl)
			segment_set_null(cpu, data[i], 0);
	}
}

/* ---- Memory operands ---- */

static bool is_allowed(const struct dbt_cpu *cpu, const struct x86_segment *s, bool is_write)
{
	if (in_real_mode(cpu) || in_vm86(cpu))
		return true;
	if ((s->attr & SEG_ATTR_UNUSABLE) || !(s->attr & SEG_ATTR_P))
		return false;
	if (s->attr & ATTR_CODE)
		return !is_write && (s->attr & ATTR_RW);
	return !is_write || (s->attr & ATTR_RW);
}

static bool is_within(const struct x86_segment *s, uint64_t offset, unsigned size)
{
	uint64_t last = offset + size - 1;

	if ((s->attr & (ATTR_S | ATTR_CODE | ATTR_DC)) == (ATTR_S | ATTR_DC))
		return offset > s->limit &&
		       last <= (s->attr & SEG_ATTR_DB ? UINT32_MAX : UINT16_MAX);
	return last <= s->limit;
}

uint64_t dbt_segment_linear(struct dbt_cpu *cpu, const struct op *op, unsigned seg, uint64_t offset,
			    unsigned size, bool is_write)
{
	const struct x86_segment *s = &cpu->seg[seg];

	if (cpu->mode & MODE_CS64)
		return offset + cpu->seg_base[seg];
	if (!is_allowed(cpu, s, is_write) || !is_within(s, offset, size))
		dbt_fault_code(cpu, op, seg == S_SS ? EXC_SS : EXC_GP, 0);
	return (s->base + offset) & UINT32_MAX;
}

/* ---- Stacks ---- */

void stack_current(const struct dbt_cpu *cpu, struct stack *s)
{
	*s = (struct stack){
		.ss = &cpu->seg[S_SS],
		.sp = cpu->gpr[R_SP],
		.index = cpu->mmu_index,
		.long64 = cpu->mode & MODE_CS64,
	};
	s->mask = s->long64 ? UINT64_MAX : s->ss->attr & SEG_ATTR_DB ? UINT32_MAX : UINT16_MAX;
}

static uint64_t stack_linear(struct dbt_cpu *cpu, const struct op *op, const struct stack *s,
			     unsigned size)
{
	uint64_t offset = s->sp & s->mask;

	if (s->long64) {
		if (!is_canonical(offset) || !is_canonical(offset + size - 1))
			dbt_fault_code(cpu, op, EXC_SS, s->error_code);
		return offset;
	}
	if (!is_within(s->ss, offset, size))
		dbt_fault_code(cpu, op, EXC_SS, s->error_code);
	return (s->ss->base + offset) & UINT32_MAX;
}

static void stack_move(struct stack *s, int64_t by)
{
	s->sp = (s->sp & ~s->mask) | ((s->sp + by) & s->mask);
}

void stack_push(struct dbt_cpu *cpu, const struct op *op, struct stack *s, unsigned size,
		uint64_t value)
{
	uint64_t lin;

	stack_move(s, -(int64_t)size);
	lin = stack_linear(cpu, op, s, size);
	if (size == 8)
		stx8(cpu, op, s->index, lin, value);
	else if (size == 4)
		stx4(cpu, op, s->index, lin, value);
	else
		stx2(cpu, op, s->index, lin, value);
}

uint64_t stack_pop(struct dbt_cpu *cpu, const struct op *op, struct stack *s, unsigned size)
{
	uint64_t lin = stack_linear(cpu, op, s, size);

	stack_move(s, size);
	if (size == 8)
		return ldx8(cpu, op, s->index, lin);
	if (size == 4)
		return ldx4(cpu, op, s->index, lin);
	return ldx2(cpu, op, s->index, lin);
}

void stack_commit(struct dbt_cpu *cpu, const struct stack *s)
{
	uint64_t *sp = &cpu->gpr[R_SP];

	if (s->mask == UINT32_MAX) /* in long mode a 32-bit result clears the upper half */
		*sp = (uint32_t)s->sp;
	else
		*sp = (*sp & ~s->mask) | (s->sp & s->mask);
}

/* ---- Mode ---- */

static bool is_flat(const struct x86_segment *s, uint32_t want)
{
	uint32_t look = SEG_ATTR_P | SEG_ATTR_UNUSABLE | ATTR_S | ATTR_CODE | ATTR_RW;

	if (!(want & ATTR_CODE))
		look |= ATTR_DC;
	return !s->base && s->limit == UINT32_MAX && (s->attr & look) == want;
}

static bool all_flat(const struct dbt_cpu *cpu)
{
	uint32_t data = SEG_ATTR_P | ATTR_S | ATTR_RW;

	return !in_real_mode(cpu) && !in_vm86(cpu) && is_flat(&cpu->seg[S_CS], data | ATTR_CODE) &&
	       is_flat(&cpu->seg[S_DS], data) && is_flat(&cpu->seg[S_ES], data) &&
	       is_flat(&cpu->seg[S_SS], data);
}

static uint32_t mode_of_segments(const struct dbt_cpu *cpu)
{
	uint32_t cs = cpu->seg[S_CS].attr, mode = 0;

	if (in_long_mode(cpu))
		mode |= MODE_LONG;
	if (in_long_mode(cpu) && (cs & SEG_ATTR_L))
		return mode | MODE_CS64 | MODE_FLAT | MODE_PE;
	mode |= cs & SEG_ATTR_DB ? MODE_CS32 : 0;
	mode |= cpu->seg[S_SS].attr & SEG_ATTR_DB ? MODE_SS32 : 0;
	mode |= all_flat(cpu) ? MODE_FLAT : 0;
	mode |= in_real_mode(cpu) ? 0 : MODE_PE;
	return mode | (in_vm86(cpu) ? MODE_VM : 0);
}

static uint32_t mode_of_controls(const struct dbt_cpu *cpu)
{
	static const struct {
		uint64_t bit;
		uint32_t mode;
	} cr0[] = {{CR0_TS, MODE_TS}, {CR0_EM, MODE_EM}, {CR0_MP, MODE_MP}},
	  cr4[] = {{CR4_OSFXSR, MODE_FXSR},
		   {CR4_OSXSAVE, MODE_XSAVE},
		   {CR4_UMIP, MODE_UMIP},
		   {CR4_FSGSBASE, MODE_FSGS}};
	uint32_t mode = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(cr0); i++)
		mode |= cpu->cr0 & cr0[i].bit ? cr0[i].mode : 0;
	for (size_t i = 0; i < G_N_ELEMENTS(cr4); i++)
		mode |= cpu->cr4 & cr4[i].bit ? cr4[i].mode : 0;
	if ((mode & MODE_XSAVE) && (cpu->xcr0 & 6) == 6)
		mode |= MODE_AVX;
	return mode | (cpu->in_smm ? MODE_SMM : 0);
}

static uint32_t mode_of_level(const struct dbt_cpu *cpu)
{
	uint32_t mode = 0;

	if (cpu->cpl == 3) {
		mode |= MODE_CPL3;
		if ((cpu->cr0 & CR0_AM) && (cpu->flags & FLAG_AC))
			mode |= MODE_ALIGN;
	}
	if (cpu->cpl <= (cpu->flags & FLAG_IOPL) >> 12)
		mode |= MODE_IOPL3;
	return mode;
}

void dbt_update_mode(struct dbt_cpu *cpu)
{
	uint32_t old = cpu->mode;
	bool smap = (cpu->cr4 & CR4_SMAP) && !(cpu->flags & FLAG_AC);

	cpu->mode = mode_of_segments(cpu) | mode_of_controls(cpu) | mode_of_level(cpu) |
		    debug_mode(cpu);
	cpu->mmu_index = cpu->cpl == 3 ? MMU_USER : smap ? MMU_KERNEL_SMAP : MMU_KERNEL;
	for (unsigned i = 0; i < S_COUNT; i++)
		cpu->seg_base[i] = cpu->seg[i].base;
	if (cpu->mode & MODE_CS64)
		cpu->seg_base[S_ES] = cpu->seg_base[S_CS] = cpu->seg_base[S_SS] =
			cpu->seg_base[S_DS] = 0;
	if ((old ^ cpu->mode) & MODE_ALIGN) /* its tags are kept off */
		mmu_flush(cpu);
}
