/* The parts of operand access that are too big or too rare to be inline: ea.h. */
#include "ea.h"

uint64_t op_linear_slow(struct dbt_cpu *cpu, const struct op *op, unsigned size, bool is_write)
{
	return op_segment_linear(cpu, op, op->seg, op_offset(cpu, op), size, is_write);
}

/* An operand that is to be written faults like a write, even if reading it would fault too. */
void *op_rmw_slow(struct dbt_cpu *cpu, const struct op *op, uint64_t lin, unsigned size)
{
	void *host = mmu_host(cpu, op, cpu->mmu_index, lin, size, ACCESS_WRITE);

	if (!host)
		mmu_probe(cpu, op, cpu->mmu_index, lin, size, ACCESS_WRITE);
	return host;
}

void stack_store(struct dbt_cpu *cpu, const struct op *op, uint64_t rsp, unsigned size,
		 uint64_t value)
{
	uint64_t lin = stack_linear(cpu, op, rsp, size, true);

	if (size == 2)
		st2(cpu, op, lin, value);
	else if (size == 4)
		st4(cpu, op, lin, value);
	else
		st8(cpu, op, lin, value);
}

uint64_t stack_load(struct dbt_cpu *cpu, const struct op *op, uint64_t rsp, unsigned size)
{
	uint64_t lin = stack_linear(cpu, op, rsp, size, false);

	if (size == 2)
		return ld2(cpu, op, lin);
	if (size == 4)
		return ld4(cpu, op, lin);
	return ld8(cpu, op, lin);
}
