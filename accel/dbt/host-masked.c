/*
 * Vector instructions whose memory operand is picked by a mask or by a vector of indices, and the two
 * that clear upper halves. Only the elements that are picked are accessed, and can fault; the rest of
 * the work is the same for all of them, so it is done here, element by element.
 *
 *	op->dst	ModRM.reg	op->src	VEX.vvvv	op->sub	bytes of an element
 *	op->imm	count of elements; gathers: and the index register << 8, bytes of an index << 16
 */
#include "ea.h"
#include "host-row.h"

/* Bits of element @i; the top one is what masks say. */
static uint64_t element(const struct vec *v, unsigned i, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, v->b + i * size, size);
	return value;
}

static bool picked(const struct vec *mask, unsigned i, unsigned size)
{
	return mask->b[i * size + size - 1] & 0x80;
}

static void element_set(struct vec *v, unsigned i, unsigned size, uint64_t value)
{
	memcpy(v->b + i * size, &value, size);
}

static uint64_t load(struct dbt_cpu *cpu, const struct op *op, uint64_t lin, unsigned size)
{
	return size == 4 ? ld4(cpu, op, lin) : ld8(cpu, op, lin);
}

/* VMASKMOVPS/PD, VPMASKMOVD/Q from memory */
static const struct op *op_masked_load(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t lin = op_linear(cpu, op, 1, false);
	const struct vec *mask = &cpu->vec[op->src];
	unsigned count = op->imm & 0xff;
	struct vec result = {{0}};

	for (unsigned i = 0; i < count; i++) {
		if (picked(mask, i, op->sub))
			element_set(&result, i, op->sub, load(cpu, op, lin + i * op->sub, op->sub));
	}
	cpu->vec[op->dst] = result;
	NEXT(cpu, op);
}

static void probe_picked(struct dbt_cpu *cpu, const struct op *op, uint64_t lin,
			 const struct vec *mask, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (picked(mask, i, op->sub))
			mmu_probe(cpu, op, cpu->mmu_index, lin + i * op->sub, op->sub,
				  ACCESS_WRITE);
	}
}

static void store_picked(struct dbt_cpu *cpu, const struct op *op, uint64_t lin,
			 const struct vec *mask, unsigned count)
{
	const struct vec *value = &cpu->vec[op->dst];

	probe_picked(cpu, op, lin, mask, count);
	for (unsigned i = 0; i < count; i++) {
		if (picked(mask, i, op->sub))
			mmu_write(cpu, op, cpu->mmu_index, lin + i * op->sub,
				  value->b + i * op->sub, op->sub);
	}
}

static const struct op *op_masked_store(struct dbt_cpu *cpu, const struct op *op)
{
	store_picked(cpu, op, op_linear(cpu, op, 1, true), &cpu->vec[op->src], op->imm & 0xff);
	NEXT(cpu, op);
}

/* MASKMOVDQU: bytes at [rDI]; translate.c has made that its memory operand. */
static const struct op *op_maskmovdqu(struct dbt_cpu *cpu, const struct op *op)
{
	store_picked(cpu, op, op_linear(cpu, op, 1, true), &cpu->vec[op->src], 16);
	NEXT(cpu, op);
}

/* MASKMOVQ, of MMX registers; they are in the host's until they are saved. */
static const struct op *op_maskmovq(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t lin = op_linear(cpu, op, 1, true);
	struct host_state *h = cpu->host;
	const uint8_t *value, *mask;

	host_x87_save(h);
	value = h->x87.st[op->dst];
	mask = h->x87.st[op->src];
	for (unsigned i = 0; i < 8; i++) {
		if (mask[i] & 0x80)
			mmu_probe(cpu, op, cpu->mmu_index, lin + i, 1, ACCESS_WRITE);
	}
	for (unsigned i = 0; i < 8; i++) {
		if (mask[i] & 0x80)
			st1(cpu, op, lin + i, value[i]);
	}
	/* An MMX instruction: all registers valid, top of stack 0. */
	h->x87.ftw = 0xff;
	h->x87.fsw &= ~0x3800;
	NEXT(cpu, op);
}

/*
 * VGATHERxxx, VPGATHERxx: an element that was loaded has its mask cleared, so after a fault the
 * instruction goes on where it was.
 */
static const struct op *op_gather(struct dbt_cpu *cpu, const struct op *op)
{
	unsigned count = op->imm & 0xff, index = op->imm >> 8 & 0xff, width = op->imm >> 16;
	struct vec *dst = &cpu->vec[op->dst], *mask = &cpu->vec[op->src];
	uint64_t base = op_offset(cpu, op);

	for (unsigned i = 0; i < count; i++) {
		uint64_t at = element(&cpu->vec[index], i, width), offset;

		if (!picked(mask, i, op->sub))
			continue;
		offset = (base + ((width == 4 ? (uint64_t)(int32_t)at : at) << op->scale)) &
			 op_address_mask(op);
		element_set(dst, i, op->sub,
			    load(cpu, op,
				 op_segment_linear(cpu, op, op->seg, offset, op->sub, false),
				 op->sub));
		element_set(mask, i, op->sub, 0);
	}
	memset(mask, 0, sizeof(*mask));
	memset(dst->b + count * op->sub, 0, sizeof(*dst) - count * op->sub);
	NEXT(cpu, op);
}

static const struct op *op_vzeroupper(struct dbt_cpu *cpu, const struct op *op)
{
	unsigned count = cpu->mode & MODE_CS64 ? 16 : 8;

	for (unsigned i = 0; i < count; i++)
		memset(cpu->vec[i].b + 16, 0, 16);
	NEXT(cpu, op);
}

static const struct op *op_vzeroall(struct dbt_cpu *cpu, const struct op *op)
{
	memset(cpu->vec, 0, (cpu->mode & MODE_CS64 ? 16 : 8) * sizeof(struct vec));
	NEXT(cpu, op);
}

static void select_gather(const struct insn *insn, struct op *op, unsigned length)
{
	unsigned width = insn->opcode & 1 ? 8 : 4; /* of an index */
	unsigned count = length / MAX(width, op->sub);
	/* VSIB: ModRM must have a SIB byte, whose index is a vector register, number 4 too. */
	uint8_t sib = insn->modrm & 7;
	unsigned index = insn->index == BASE_NONE ? R_SP : insn->index;

	op->fn = op_gather;
	if (sib != R_SP || insn->asize == 2 || index == insn->reg || index == insn->vvvv ||
	    insn->reg == insn->vvvv)
		op->fn = host_undefined;
	op->index = GPR_ZERO;
	op->imm = count | index << 8 | width << 16;
}

static void select_maskmov_string(const struct insn *insn, struct op *op)
{
	op->base = R_DI;
	op->index = GPR_ZERO;
	op->disp = 0;
	op->sub = 1;
	op->src = insn->rm & (insn->pp == PP_NONE ? 7 : 15);
	op->dst = insn->reg & (insn->pp == PP_NONE ? 7 : 15);
	op->fn = insn->pp == PP_NONE ? op_maskmovq : op_maskmovdqu;
}

bool op_select_masked(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op)
{
	unsigned length = insn->vex_l ? 32 : 16;
	bool is_int = insn->opcode >= 0x80;

	op->dst = insn->reg;
	op->src = insn->vvvv;
	op->sub = (is_int ? insn->vex_w : insn->opcode & 1) ? 8 : 4;
	op->imm = length / op->sub;
	if (insn->map == MAP_0F && insn->opcode == 0x77)
		op->fn = insn->vex_l ? op_vzeroall : op_vzeroupper;
	else if (insn->map == MAP_0F)
		select_maskmov_string(insn, op);
	else if (insn->opcode >= 0x90)
		select_gather(insn, op, length);
	else if (insn->opcode == 0x8e || insn->opcode == 0x2e || insn->opcode == 0x2f)
		op->fn = op_masked_store;
	else
		op->fn = op_masked_load;
	return true;
}
