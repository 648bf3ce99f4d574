/*
 * The stack: SDM vol. 1, 6.2 and 5.1.1. Handlers with 8 in their name are for 64-bit code.
 */
#include "block.h"
#include "flags.h"
#include "forms.h"

/* The whole of RSP after it moved by @delta. */
static inline uint64_t stack_moved(const struct dbt_cpu *cpu, int64_t delta)
{
	uint64_t mask = stack_mask(cpu), rsp = cpu->gpr[R_SP];

	return (rsp & ~mask) | ((rsp + delta) & mask);
}

static void push(struct dbt_cpu *cpu, const struct op *op, unsigned size, uint64_t value)
{
	uint64_t rsp = cpu->gpr[R_SP] - size;

	stack_store(cpu, op, rsp, size, value);
	stack_set(cpu, rsp);
}

/* ---- PUSH: op->flags is the operand size ---- */

OP_HANDLER(push_reg)
{
	push(cpu, op, op->flags, cpu->gpr[op->src]);
	NEXT(cpu, op);
}

OP_HANDLER(push_reg8)
{
	Q_AT(8, cpu->gpr[R_SP] - 8, push_reg, write);
	*_p = cpu->gpr[op->src];
	cpu->gpr[R_SP] -= 8;
	NEXT(cpu, op);
}

OP_HANDLER(push_imm)
{
	push(cpu, op, op->flags, op->imm);
	NEXT(cpu, op);
}

OP_HANDLER(push_mem)
{
	unsigned size = op->flags;
	uint64_t lin = op_linear(cpu, op, size, false);

	push(cpu, op, size,
	     size == 2   ? ld2(cpu, op, lin)
	     : size == 4 ? ld4(cpu, op, lin)
			 : ld8(cpu, op, lin));
	NEXT(cpu, op);
}

/* ---- POP ---- */

OP_HANDLER(pop_reg)
{
	unsigned size = op->flags;
	uint64_t value = stack_load(cpu, op, cpu->gpr[R_SP], size);

	stack_set(cpu, cpu->gpr[R_SP] + size);
	reg_set(cpu, op->dst, size, value);
	NEXT(cpu, op);
}

OP_HANDLER(pop_reg8)
{
	Q_AT(8, cpu->gpr[R_SP], pop_reg, read);
	uint64_t value = *_p;

	cpu->gpr[R_SP] += 8;
	cpu->gpr[op->dst] = value;
	NEXT(cpu, op);
}

/* An address made with RSP is made with what it is afterwards. */
OP_HANDLER(pop_mem)
{
	unsigned size = op->flags;
	uint64_t value = stack_load(cpu, op, cpu->gpr[R_SP], size);
	uint64_t rsp = stack_moved(cpu, size), offset = op_offset(cpu, op), lin;

	if (op->base == R_SP)
		offset = (offset + rsp - cpu->gpr[R_SP]) & op_address_mask(op);
	lin = op_segment_linear(cpu, op, op->seg, offset, size, true);
	if (size == 2)
		st2(cpu, op, lin, value);
	else if (size == 4)
		st4(cpu, op, lin, value);
	else
		st8(cpu, op, lin, value);
	stack_set(cpu, rsp);
	NEXT(cpu, op);
}

/* ---- PUSHA, POPA ---- */

OP_HANDLER(pusha)
{
	unsigned size = op->flags;
	uint64_t rsp = cpu->gpr[R_SP];

	for (unsigned i = 0; i < 8; i++)
		stack_store(cpu, op, rsp - (i + 1) * size, size, cpu->gpr[i]);
	stack_set(cpu, rsp - 8 * size);
	NEXT(cpu, op);
}

static void pop_all(struct dbt_cpu *cpu, const struct op *op)
{
	unsigned size = op->flags;
	uint64_t rsp = cpu->gpr[R_SP], value[8];

	for (unsigned i = 0; i < 8; i++)
		value[7 - i] = stack_load(cpu, op, rsp + i * size, size);
	for (unsigned i = 0; i < 8; i++) {
		if (i != R_SP)
			reg_set(cpu, i, size, value[i]);
	}
	stack_set(cpu, rsp + 8 * size);
}

OP_HANDLER(popa)
{
	pop_all(cpu, op);
	NEXT(cpu, op);
}

/* ---- ENTER, LEAVE: op->sub is the level ---- */

static void enter(struct dbt_cpu *cpu, const struct op *op)
{
	unsigned size = op->flags, level = op->sub & 31;
	uint64_t rsp = cpu->gpr[R_SP] - size, rbp = cpu->gpr[R_BP], frame = rsp;

	stack_store(cpu, op, rsp, size, rbp);
	for (unsigned i = 1; i < level; i++) {
		rbp -= size;
		rsp -= size;
		stack_store(cpu, op, rsp, size, stack_load(cpu, op, rbp, size));
	}
	if (level) {
		rsp -= size;
		stack_store(cpu, op, rsp, size, frame);
	}
	rsp -= op->imm;
	/* The new top of the stack has to be writable. */
	mmu_probe(cpu, op, cpu->mmu_index, stack_linear(cpu, op, rsp, 1, true), 1, ACCESS_WRITE);
	if (cpu->mode & MODE_CS64 && size == 8)
		cpu->gpr[R_BP] = frame;
	else
		reg_set(cpu, R_BP, size, frame & stack_mask(cpu));
	stack_set(cpu, rsp);
}

OP_HANDLER(enter_op)
{
	enter(cpu, op);
	NEXT(cpu, op);
}

OP_HANDLER(leave)
{
	unsigned size = op->flags;
	uint64_t rbp = cpu->gpr[R_BP], value = stack_load(cpu, op, rbp, size);

	stack_set(cpu, rbp + size);
	reg_set(cpu, R_BP, size, value);
	NEXT(cpu, op);
}

OP_HANDLER(leave8)
{
	Q_AT(8, cpu->gpr[R_BP], leave, read);
	uint64_t value = *_p;

	cpu->gpr[R_SP] = cpu->gpr[R_BP] + 8;
	cpu->gpr[R_BP] = value;
	NEXT(cpu, op);
}

/* ---- PUSHF, POPF (SDM vol. 2; vol. 3, 21.2.3 and 21.3 for virtual-8086 mode) ---- */

#define CR4_VME BIT64(0)

/* Virtual-8086 mode with an IOPL below 3: IF is VIF with CR4.VME and 16 bits, else #GP. */
static bool flags_are_virtual(struct dbt_cpu *cpu, const struct op *op)
{
	if (!(cpu->mode & MODE_VM) || (cpu->flags & FLAG_IOPL) == FLAG_IOPL)
		return false;
	if (!(cpu->cr4 & CR4_VME) || op->flags != 2)
		dbt_fault_code(cpu, op, EXC_GP, 0);
	return true;
}

OP_HANDLER(pushf)
{
	uint32_t flags = dbt_rflags(cpu) & ~(FLAG_RF | FLAG_VM);

	if (flags_are_virtual(cpu, op)) {
		flags = (flags & ~FLAG_IF) | FLAG_IOPL;
		if (cpu->flags & FLAG_VIF)
			flags |= FLAG_IF;
	}
	push(cpu, op, op->flags, flags);
	NEXT(cpu, op);
}

/* The bits POPF changes, besides VIF. */
static uint32_t popf_mask(const struct dbt_cpu *cpu, unsigned size)
{
	uint32_t mask = FLAGS_STATUS | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_AC | FLAG_ID;

	if (cpu->cpl == 0)
		mask |= FLAG_IOPL;
	if (cpu->cpl <= (cpu->flags & FLAG_IOPL) >> 12)
		mask |= FLAG_IF;
	return size == 2 ? mask & UINT16_MAX : mask | FLAG_RF;
}

static void popf_virtual(struct dbt_cpu *cpu, const struct op *op, uint32_t value)
{
	if ((value & FLAG_TF) || ((value & FLAG_IF) && (cpu->flags & FLAG_VIP)))
		dbt_fault_code(cpu, op, EXC_GP, 0);
	if (value & FLAG_IF)
		value |= FLAG_VIF;
	dbt_set_rflags(cpu, value, (popf_mask(cpu, 2) & ~(FLAG_IF | FLAG_IOPL)) | FLAG_VIF);
}

/* What it changes of interrupts and the mode is for the loop to see. */
OP_HANDLER(popf)
{
	unsigned size = op->flags;
	uint32_t old = cpu->flags, mode = cpu->mode;
	uint64_t rsp = cpu->gpr[R_SP];
	bool is_virtual = flags_are_virtual(cpu, op);
	uint32_t value = stack_load(cpu, op, rsp, size);
	uint32_t changed;

	if (is_virtual)
		popf_virtual(cpu, op, value);
	else
		dbt_set_rflags(cpu, value & ~FLAG_RF, popf_mask(cpu, size));
	stack_set(cpu, rsp + size);
	changed = (old ^ cpu->flags) & (FLAG_IF | FLAG_VIF | FLAG_TF);
	if (mode == cpu->mode && !(changed & (cpu->flags | FLAG_TF)))
		NEXT(cpu, op);
	return block_leave(cpu, op_next_rip(cpu, op));
}

/* ---- Selection ---- */

static void select_push(const struct insn *insn, struct op *op)
{
	op->src = insn->rm;
	if (insn->is_mem)
		op->fn = push_mem;
	else if (insn->imm_size)
		op->fn = push_imm;
	else
		op->fn = insn->osize == 8 ? push_reg8 : push_reg;
}

static void select_pop(const struct insn *insn, struct op *op)
{
	op->dst = insn->rm;
	if (insn->is_mem)
		op->fn = pop_mem;
	else
		op->fn = insn->osize == 8 ? pop_reg8 : pop_reg;
}

bool op_select_stack(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op)
{
	static op_fn *const fns[] = {
		[OP_PUSHA - OP_PUSH] = pusha,    [OP_POPA - OP_PUSH] = popa,
		[OP_PUSHF - OP_PUSH] = pushf,    [OP_POPF - OP_PUSH] = popf,
		[OP_ENTER - OP_PUSH] = enter_op, [OP_LEAVE - OP_PUSH] = leave,
	};

	if (insn->op < OP_PUSH || insn->op > OP_LEAVE)
		return false;
	op->flags = insn->osize;
	op->sub = insn->imm2;
	if (!insn->is_mem)
		op->seg = S_SS;
	if (insn->op == OP_PUSH)
		select_push(insn, op);
	else if (insn->op == OP_POP)
		select_pop(insn, op);
	else
		op->fn =
			insn->op == OP_LEAVE && insn->osize == 8 ? leave8 : fns[insn->op - OP_PUSH];
	return true;
}
