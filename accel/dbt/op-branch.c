/*
 * Near transfers, software interrupts, BOUND: SDM vol. 1, 5.1.7, and vol. 2. Handlers with 64 in their
 * name are for 64-bit code and operands; op->imm is a relative target, counted from the block's start.
 */
#include "block.h"
#include "flags.h"
#include "forms.h"

const struct op *op_go_on(struct dbt_cpu *cpu, const struct op *op)
{
	BLOCK_GO(cpu, LINK_THROUGH, op_rip(cpu, op));
}

/* Where a relative branch of another mode leads, checked. */
static inline uint64_t relative_target(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t rip = branch_target(cpu->gpr[GPR_BLOCK] + op->imm, op->flags);

	branch_check(cpu, op, rip);
	return rip;
}

/* ---- JMP ---- */

OP_HANDLER(jmp_any)
{
	BLOCK_GO(cpu, LINK_TAKEN, relative_target(cpu, op));
}

OP_HANDLER(jmp64)
{
	uint64_t rip = cpu->gpr[GPR_BLOCK] + op->imm;

	if (unlikely(!is_canonical_rip(rip)))
		return jmp_any(cpu, op);
	BLOCK_GO(cpu, LINK_TAKEN, rip);
}

static uint64_t indirect_target(struct dbt_cpu *cpu, const struct op *op, bool is_mem)
{
	unsigned size = op->flags;
	uint64_t rip, lin;

	if (!is_mem) {
		rip = branch_target(cpu->gpr[op->src], size);
	} else {
		lin = op_linear(cpu, op, size, false);
		rip = size == 2   ? ld2(cpu, op, lin)
		      : size == 4 ? ld4(cpu, op, lin)
				  : ld8(cpu, op, lin);
	}
	branch_check(cpu, op, rip);
	return rip;
}

OP_HANDLER(jmp_reg)
{
	BLOCK_JUMP(cpu, indirect_target(cpu, op, false));
}

OP_HANDLER(jmp_mem)
{
	BLOCK_JUMP(cpu, indirect_target(cpu, op, true));
}

OP_HANDLER(jmp_reg64)
{
	uint64_t rip = cpu->gpr[op->src];

	if (unlikely(!is_canonical_rip(rip)))
		return jmp_reg(cpu, op);
	BLOCK_JUMP(cpu, rip);
}

/* ---- CALL, RET ---- */

static void push_return(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t rsp = cpu->gpr[R_SP] - op->flags;

	stack_store(cpu, op, rsp, op->flags, op_next_rip(cpu, op));
	stack_set(cpu, rsp);
}

OP_HANDLER(call_any)
{
	uint64_t rip = relative_target(cpu, op);

	push_return(cpu, op);
	BLOCK_GO(cpu, LINK_TAKEN, rip);
}

OP_HANDLER(call64)
{
	uint64_t start = cpu->gpr[GPR_BLOCK], rip = start + op->imm;

	Q_AT(8, cpu->gpr[R_SP] - 8, call_any, write);
	if (unlikely(!is_canonical_rip(rip)))
		return call_any(cpu, op);
	*_p = start + op->ip + op->len;
	cpu->gpr[R_SP] -= 8;
	BLOCK_GO(cpu, LINK_TAKEN, rip);
}

OP_HANDLER(call_reg)
{
	uint64_t rip = indirect_target(cpu, op, false);

	push_return(cpu, op);
	BLOCK_JUMP(cpu, rip);
}

OP_HANDLER(call_mem)
{
	uint64_t rip = indirect_target(cpu, op, true);

	push_return(cpu, op);
	BLOCK_JUMP(cpu, rip);
}

OP_HANDLER(ret_any)
{
	unsigned size = op->flags;
	uint64_t rip = stack_load(cpu, op, cpu->gpr[R_SP], size);

	branch_check(cpu, op, rip);
	stack_set(cpu, cpu->gpr[R_SP] + size + op->imm);
	BLOCK_JUMP(cpu, rip);
}

OP_HANDLER(ret64)
{
	Q_AT(8, cpu->gpr[R_SP], ret_any, read);
	uint64_t rip = *_p;

	if (unlikely(!is_canonical_rip(rip)))
		return ret_any(cpu, op);
	cpu->gpr[R_SP] += 8 + op->imm;
	BLOCK_JUMP(cpu, rip);
}

/* ---- Jcc ---- */

OP_HANDLER(jcc_any)
{
	if (!flags_condition(cpu, op->sub))
		BLOCK_GO(cpu, LINK_THROUGH, op_next_rip(cpu, op));
	BLOCK_GO(cpu, LINK_TAKEN, relative_target(cpu, op));
}

/* op->disp is where it goes on if it does not jump. */
#define DEF_JCC(_cc)                                                                               \
	OP_HANDLER(jcc64_##_cc)                                                                    \
	{                                                                                          \
		int yes = flags_try(cpu, _cc);                                                     \
		uint64_t start = cpu->gpr[GPR_BLOCK];                                              \
                                                                                                   \
		if (unlikely(yes < 0))                                                             \
			return jcc_any(cpu, op);                                                   \
		if (!yes)                                                                          \
			BLOCK_GO(cpu, LINK_THROUGH, start + op->disp);                             \
		if (unlikely(!is_canonical_rip(start + op->imm)))                                  \
			return jcc_any(cpu, op);                                                   \
		BLOCK_GO(cpu, LINK_TAKEN, start + op->imm);                                        \
	}
FLAGS_CONDITIONS(DEF_JCC)

static op_fn *const jcc64_fns[16] = {
#define ROW(_cc) jcc64_##_cc,
	FLAGS_CONDITIONS(ROW)
#undef ROW
};

/* ---- LOOP, LOOPE, LOOPNE, JCXZ: the counter is as wide as addresses are ---- */

static inline void set_counter(struct dbt_cpu *cpu, const struct op *op, uint64_t value)
{
	if (op_address_mask(op) == UINT16_MAX)
		reg_set2(cpu, R_CX, value);
	else
		reg_set8(cpu, R_CX, value & op_address_mask(op));
}

static inline const struct op *count_down(struct dbt_cpu *cpu, const struct op *op, bool condition)
{
	uint64_t count = (cpu->gpr[R_CX] - 1) & op_address_mask(op);
	bool taken = count && condition;
	uint64_t rip = taken ? relative_target(cpu, op) : op_next_rip(cpu, op);

	set_counter(cpu, op, count);
	if (taken)
		BLOCK_GO(cpu, LINK_TAKEN, rip);
	BLOCK_GO(cpu, LINK_THROUGH, rip);
}

OP_HANDLER(loop)
{
	return count_down(cpu, op, true);
}

OP_HANDLER(loopcc)
{
	return count_down(cpu, op, flags_condition(cpu, op->sub));
}

OP_HANDLER(jcxz)
{
	if (cpu->gpr[R_CX] & op_address_mask(op))
		BLOCK_GO(cpu, LINK_THROUGH, op_next_rip(cpu, op));
	BLOCK_GO(cpu, LINK_TAKEN, relative_target(cpu, op));
}

/* ---- Software interrupts ---- */

static void interrupt(struct dbt_cpu *cpu, const struct op *op, enum event_kind kind,
		      uint8_t vector)
{
	struct dbt_fault fault = {.vector = vector};

	cpu->op = op;
	cpu->rip = op_next_rip(cpu, op);
	dbt_deliver(cpu, kind, &fault);
}

OP_HANDLER(int_op)
{
	interrupt(cpu, op, EVENT_SOFT, op->imm);
	return NULL;
}

OP_HANDLER(int1)
{
	interrupt(cpu, op, EVENT_INT1, EXC_DB);
	return NULL;
}

/* The debugger's breakpoint stops before it; the guest's own is a trap. */
OP_HANDLER(int3)
{
	if (cpu->debug.sw_breakpoints && !cpu->debug.reinject_bp) {
		cpu->debug_stop = (struct debug_stop){.pc = op_rip(cpu, op), .exception = EXC_BP};
		cpu->debug_hit = true;
		return block_leave(cpu, op_rip(cpu, op));
	}
	cpu->debug.reinject_bp = false;
	interrupt(cpu, op, EVENT_SOFT_INT3, EXC_BP);
	return NULL;
}

OP_HANDLER(into)
{
	if (!(flags_status(cpu) & FLAG_OF))
		BLOCK_GO(cpu, LINK_THROUGH, op_next_rip(cpu, op));
	interrupt(cpu, op, EVENT_SOFT_INT3, EXC_OF);
	return NULL;
}

OP_HANDLER(bound2)
{
	uint64_t lin = op_linear(cpu, op, 4, false);
	int16_t index = cpu->gpr[op->dst], low = ld2(cpu, op, lin), high = ld2(cpu, op, lin + 2);

	if (index < low || index > high)
		dbt_fault(cpu, op, EXC_BR);
	NEXT(cpu, op);
}

OP_HANDLER(bound4)
{
	uint64_t lin = op_linear(cpu, op, 8, false);
	int32_t index = cpu->gpr[op->dst], low = ld4(cpu, op, lin), high = ld4(cpu, op, lin + 4);

	if (index < low || index > high)
		dbt_fault(cpu, op, EXC_BR);
	NEXT(cpu, op);
}

/* ---- Selection ---- */

static void select_near(const struct insn *insn, struct op *op, bool is_64)
{
	switch (insn->op) {
	case OP_JMP:
		op->fn = is_64 ? jmp64 : jmp_any;
		break;
	case OP_CALL:
		op->fn = is_64 ? call64 : call_any;
		break;
	case OP_JCC:
		op->sub = insn->sub;
		op->disp = op->ip + op->len;
		op->fn = is_64 ? jcc64_fns[insn->sub] : jcc_any;
		break;
	case OP_LOOP:
		op->fn = loop;
		break;
	case OP_LOOPCC:
		op->sub = insn->sub;
		op->fn = loopcc;
		break;
	default:
		op->fn = jcxz;
	}
	op->imm = insn->imm + op->ip + op->len;
}

static void select_indirect(const struct insn *insn, struct op *op, bool is_64)
{
	op->src = insn->rm;
	if (insn->op == OP_CALL_IND)
		op->fn = insn->is_mem ? call_mem : call_reg;
	else
		op->fn = insn->is_mem ? jmp_mem : is_64 ? jmp_reg64 : jmp_reg;
}

bool op_select_branch(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op)
{
	bool is_64 = (cpu->mode & MODE_CS64) && insn->osize == 8;

	op->flags = insn->osize;
	if (!insn->is_mem)
		op->seg = S_SS; /* CALL, RET */
	switch (insn->op) {
	case OP_JMP:
	case OP_CALL:
	case OP_JCC:
	case OP_LOOP:
	case OP_LOOPCC:
	case OP_JCXZ:
		select_near(insn, op, is_64);
		return true;
	case OP_JMP_IND:
	case OP_CALL_IND:
		select_indirect(insn, op, is_64);
		return true;
	case OP_RET:
		op->fn = is_64 ? ret64 : ret_any;
		return true;
	case OP_INT:
		op->fn = int_op;
		return true;
	case OP_INT1:
		op->fn = int1;
		return true;
	case OP_INT3:
		op->fn = int3;
		return true;
	case OP_INTO:
		op->fn = into;
		return true;
	case OP_BOUND:
		op->dst = insn->reg;
		op->fn = insn->osize == 2 ? bound2 : bound4;
		return true;
	default:
		op->flags = 0;
		op->seg = insn->seg;
		return false;
	}
}
