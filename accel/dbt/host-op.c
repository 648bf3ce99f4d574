/*
 * Operations that call a stub.
 *
 *	op->data	the stub		op->dst	bytes of the memory operand
 *	op->src		low address bits that must be 0	op->flags	HOST_OP_*
 */
#include "ea.h"
#include "flags.h"
#include "host-row.h"

#define HOST_OP_X87 BIT(0) /* has MMX operands: the x87 registers have to be there */

static inline host_stub_fn *stub_of(struct dbt_cpu *cpu, const struct op *op)
{
	cpu->op = op; /* for a fault in the stub */
	if (unlikely((op->flags & HOST_OP_X87) && !cpu->host->x87_live))
		host_x87_load(cpu->host);
	return (host_stub_fn *)op->data;
}

static const struct op *op_host(struct dbt_cpu *cpu, const struct op *op)
{
	stub_of(cpu, op)(cpu, NULL);
	NEXT(cpu, op);
}

static const struct op *op_host_flags(struct dbt_cpu *cpu, const struct op *op)
{
	flags_set_status(cpu, stub_of(cpu, op)(cpu, NULL));
	NEXT(cpu, op);
}

static uint64_t operand_address(struct dbt_cpu *cpu, const struct op *op, bool is_write)
{
	uint64_t lin = op_linear(cpu, op, op->dst, is_write);

	if (unlikely(lin & op->src))
		dbt_fault_code(cpu, op, EXC_GP, 0);
	return lin;
}

/* The operand in host memory, or a copy of it in @copy. */
static inline void *operand_read(struct dbt_cpu *cpu, const struct op *op, uint64_t lin,
				 struct vec *copy)
{
	const struct tlb_entry *e = &cpu->tlb[cpu->mmu_index][TLB_INDEX(lin)];

	if (likely(e->read == PAGE_OF(lin + op->dst - 1)))
		return (void *)(lin + e->to_host);
	mmu_read(cpu, op, cpu->mmu_index, lin, copy, op->dst);
	return copy;
}

static uint64_t load_and_run(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t lin = operand_address(cpu, op, false);
	struct vec copy;
	void *p = operand_read(cpu, op, lin, &copy);

	return stub_of(cpu, op)(cpu, p);
}

static const struct op *op_host_load(struct dbt_cpu *cpu, const struct op *op)
{
	load_and_run(cpu, op);
	NEXT(cpu, op);
}

static const struct op *op_host_load_flags(struct dbt_cpu *cpu, const struct op *op)
{
	flags_set_status(cpu, load_and_run(cpu, op));
	NEXT(cpu, op);
}

static void store_by_copy(struct dbt_cpu *cpu, const struct op *op, uint64_t lin)
{
	struct vec copy;

	mmu_probe(cpu, op, cpu->mmu_index, lin, op->dst, ACCESS_WRITE);
	stub_of(cpu, op)(cpu, &copy);
	mmu_write(cpu, op, cpu->mmu_index, lin, &copy, op->dst);
}

static const struct op *op_host_store(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t lin = operand_address(cpu, op, true);
	const struct tlb_entry *e = &cpu->tlb[cpu->mmu_index][TLB_INDEX(lin)];

	if (likely(e->write == PAGE_OF(lin + op->dst - 1)))
		stub_of(cpu, op)(cpu, (void *)(lin + e->to_host));
	else
		store_by_copy(cpu, op, lin);
	NEXT(cpu, op);
}

/* ---- What the control registers forbid ---- */

const struct op *host_no_device(struct dbt_cpu *cpu, const struct op *op)
{
	dbt_fault(cpu, op, EXC_NM);
}

const struct op *host_undefined(struct dbt_cpu *cpu, const struct op *op)
{
	dbt_fault(cpu, op, EXC_UD);
}

/* SDM vol. 3, table 2-2 and 14.1.3; x87 knows no #UD by EM but #NM. */
op_fn *host_unavailable(const struct dbt_cpu *cpu, bool is_x87, bool is_mmx)
{
	if (is_x87)
		return cpu->mode & (MODE_EM | MODE_TS) ? host_no_device : NULL;
	if ((cpu->mode & MODE_EM) || (!is_mmx && !(cpu->mode & MODE_FXSR)))
		return host_undefined;
	return cpu->mode & MODE_TS ? host_no_device : NULL;
}

static op_fn *vector_unavailable(const struct dbt_cpu *cpu, const struct insn *insn)
{
	bool is_mmx = host_reg_kind(insn) == OPERAND_MMX && host_rm_kind(insn) != OPERAND_XMM;

	if (insn->vex) /* MODE_AVX: the decoder has seen to it */
		return cpu->mode & MODE_TS ? host_no_device : NULL;
	return host_unavailable(cpu, false, is_mmx);
}

static uint8_t alignment(const struct insn *insn, unsigned size)
{
	const struct host_row *row = insn->host;

	if (size < 16)
		return 0;
	if (insn->vex)
		return row->flags & HOST_VALIGNED ? size - 1 : 0;
	return row->flags & HOST_UNALIGNED ? 0 : 15;
}

static op_fn *function(const struct insn *insn)
{
	bool flags = insn->host->flags & HOST_FLAGS;

	if (!insn->is_mem)
		return flags ? op_host_flags : op_host;
	if (insn->host->flags & HOST_STORE)
		return op_host_store;
	return flags ? op_host_load_flags : op_host_load;
}

bool op_select_host(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op)
{
	op_fn *unavailable;

	if (insn->op != OP_HOST)
		return false;
	unavailable = vector_unavailable(cpu, insn);
	if (unavailable) {
		op->fn = unavailable;
		return true;
	}
	if (insn->host->flags & HOST_SPECIAL)
		return op_select_masked(cpu, insn, op);
	op->data = host_stub_get(insn);
	op->fn = op->data ? function(insn) : host_undefined;
	op->dst = insn->is_mem ? host_mem_size(insn) : 0;
	op->src = alignment(insn, op->dst);
	op->flags = 0;
	if (host_reg_kind(insn) == OPERAND_MMX ||
	    (!insn->is_mem && host_rm_kind(insn) == OPERAND_MMX) ||
	    (insn->opcode == 0x2a && insn->map == MAP_0F && host_rm_kind(insn) == OPERAND_MMX))
		op->flags = HOST_OP_X87;
	return true;
}
