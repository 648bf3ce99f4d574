/*
 * MXCSR, and floating point and vector state as a whole: FXSAVE, XSAVE and their kin (SDM vol. 1,
 * chapters 10.5 and 13).
 *
 * Every component of state counts as in use (XINUSE), which the architecture allows. The x87 registers
 * are taken out of the host's for a save and for a restore.
 */
#include "ea.h"
#include "host-row.h"

#define MXCSR_VALID   0xffffu
#define FX_SIZE       416 /* what FXSAVE writes; 96 bytes behind are the program's */
#define FX_SIZE_32    288 /* without XMM8-15 */
#define FX_MXCSR      24
#define FX_ST         32
#define FX_XMM        160
#define XSAVE_HEADER  512
#define XSAVE_YMM     576
#define XSAVE_YMM_LEN 256
#define XSAVE_MIN     576

#define STATE_X87 BIT64(0)
#define STATE_SSE BIT64(1)
#define STATE_AVX BIT64(2)
#define COMPACTED BIT64(63)

struct xsave_header {
	uint64_t xstate_bv, xcomp_bv, reserved[6];
};

/* ---- The legacy region ---- */

static unsigned vector_count(const struct dbt_cpu *cpu)
{
	return cpu->mode & MODE_CS64 ? 16 : 8;
}

/* Pointers have 64 bits with REX.W, else 32 and a selector that is no longer kept. */
static void fill_image(struct dbt_cpu *cpu, const struct op *op, struct fx_image *image)
{
	struct host_state *h = cpu->host;

	host_x87_save(h);
	*image = h->x87;
	if (op->sub != 8) {
		image->fip = (uint32_t)image->fip;
		image->fdp = (uint32_t)image->fdp;
	}
	asm volatile("stmxcsr %0" : "=m"(image->mxcsr));
	image->mxcsr_mask = MXCSR_VALID;
	for (unsigned i = 0; i < 16; i++)
		memcpy(image->xmm[i], cpu->vec[i].b, 16);
}

static void take_x87(struct dbt_cpu *cpu, const struct op *op, const struct fx_image *image)
{
	struct host_state *h = cpu->host;
	uint64_t mask = op->sub == 8 ? UINT64_MAX : UINT32_MAX;

	host_x87_save(h);
	h->x87 = *image;
	h->fip = image->fip & mask;
	h->fdp = image->fdp & mask;
	h->fop = image->fop;
}

static void init_x87(struct dbt_cpu *cpu, const struct op *op)
{
	static const struct fx_image initial = {.fcw = 0x37f};

	take_x87(cpu, op, &initial);
}

static void take_xmm(struct dbt_cpu *cpu, const struct fx_image *image)
{
	for (unsigned i = 0; i < vector_count(cpu); i++)
		memcpy(cpu->vec[i].b, image->xmm[i], 16);
}

static void take_mxcsr(uint32_t value)
{
	asm volatile("ldmxcsr %0" : : "m"(value));
}

static void check_mxcsr(struct dbt_cpu *cpu, const struct op *op, uint32_t value)
{
	if (value & ~MXCSR_VALID)
		dbt_fault_code(cpu, op, EXC_GP, 0);
}

static uint64_t area_address(struct dbt_cpu *cpu, const struct op *op, unsigned size,
			     unsigned align, bool is_write)
{
	uint64_t lin = op_linear(cpu, op, size, is_write);

	if (lin & (align - 1))
		dbt_fault_code(cpu, op, EXC_GP, 0);
	return lin;
}

static const struct op *op_fxsave(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t lin = area_address(cpu, op, FX_SIZE, 16, true);
	bool xmm = cpu->mode & MODE_FXSR;
	unsigned size = !xmm ? FX_XMM : vector_count(cpu) == 16 ? FX_SIZE : FX_SIZE_32;
	struct fx_image image;

	mmu_probe(cpu, op, cpu->mmu_index, lin, size, ACCESS_WRITE);
	fill_image(cpu, op, &image);
	mmu_write(cpu, op, cpu->mmu_index, lin, &image, size);
	NEXT(cpu, op);
}

static const struct op *op_fxrstor(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t lin = area_address(cpu, op, FX_SIZE, 16, false);
	struct fx_image image;

	mmu_read(cpu, op, cpu->mmu_index, lin, &image, FX_SIZE);
	check_mxcsr(cpu, op, image.mxcsr);
	take_x87(cpu, op, &image);
	take_mxcsr(image.mxcsr);
	if (cpu->mode & MODE_FXSR)
		take_xmm(cpu, &image);
	NEXT(cpu, op);
}

/* ---- XSAVE ---- */

/* RFBM: what the program asks for of what XCR0 has. */
static uint64_t requested(const struct dbt_cpu *cpu)
{
	uint64_t mask = (uint32_t)cpu->gpr[R_AX] | cpu->gpr[R_DX] << 32;

	return mask & cpu->xcr0;
}

static unsigned area_size(uint64_t parts)
{
	return parts & STATE_AVX ? XSAVE_YMM + XSAVE_YMM_LEN : XSAVE_MIN;
}

static void put(struct dbt_cpu *cpu, const struct op *op, uint64_t lin, unsigned offset,
		const void *data, unsigned size)
{
	mmu_write(cpu, op, cpu->mmu_index, lin + offset, data, size);
}

static void save_parts(struct dbt_cpu *cpu, const struct op *op, uint64_t lin, uint64_t parts,
		       bool mxcsr)
{
	uint8_t ymm[XSAVE_YMM_LEN];
	struct fx_image image;
	const uint8_t *bytes = (const uint8_t *)&image;

	fill_image(cpu, op, &image);
	if (parts & STATE_X87) {
		put(cpu, op, lin, 0, bytes, FX_MXCSR);
		put(cpu, op, lin, FX_ST, bytes + FX_ST, FX_XMM - FX_ST);
	}
	if (mxcsr)
		put(cpu, op, lin, FX_MXCSR, bytes + FX_MXCSR, 8);
	if (parts & STATE_SSE)
		put(cpu, op, lin, FX_XMM, bytes + FX_XMM, 16 * vector_count(cpu));
	if (parts & STATE_AVX) {
		for (unsigned i = 0; i < 16; i++)
			memcpy(ymm + 16 * i, cpu->vec[i].b + 16, 16);
		put(cpu, op, lin, XSAVE_YMM, ymm, 16 * vector_count(cpu));
	}
}

/* XSAVE, XSAVEOPT: standard format. Of the header only XSTATE_BV's bits that were asked for change. */
static const struct op *op_xsave(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t parts = requested(cpu), present;
	uint64_t lin = area_address(cpu, op, area_size(parts), 64, true);

	mmu_probe(cpu, op, cpu->mmu_index, lin, area_size(parts), ACCESS_WRITE);
	present = ld8(cpu, op, lin + XSAVE_HEADER);
	save_parts(cpu, op, lin, parts, parts & (STATE_SSE | STATE_AVX));
	st8(cpu, op, lin + XSAVE_HEADER, present | parts);
	NEXT(cpu, op);
}

/* XSAVEC, XSAVES: compacted; with these parts YMM lies where it does in the standard format. */
static const struct op *op_xsavec(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t parts = requested(cpu);
	uint64_t lin = area_address(cpu, op, area_size(parts), 64, true);
	uint64_t header[2] = {parts, parts | COMPACTED};

	mmu_probe(cpu, op, cpu->mmu_index, lin, area_size(parts), ACCESS_WRITE);
	save_parts(cpu, op, lin, parts, parts & STATE_SSE);
	put(cpu, op, lin, XSAVE_HEADER, header, sizeof(header));
	NEXT(cpu, op);
}

static void check_header(struct dbt_cpu *cpu, const struct op *op, const struct xsave_header *h,
			 bool compacted_only)
{
	uint64_t parts = h->xcomp_bv & ~COMPACTED;
	bool bad;

	if (h->xcomp_bv & COMPACTED)
		bad = (parts & ~cpu->xcr0) || (h->xstate_bv & ~parts);
	else
		bad = compacted_only || h->xcomp_bv || (h->xstate_bv & ~cpu->xcr0) ||
		      h->reserved[0];
	for (unsigned i = (h->xcomp_bv & COMPACTED) ? 0 : 1; i < 6; i++)
		bad |= (h->xcomp_bv & COMPACTED) && h->reserved[i];
	if (bad)
		dbt_fault_code(cpu, op, EXC_GP, 0);
}

static void restore_ymm(struct dbt_cpu *cpu, const uint8_t *ymm)
{
	for (unsigned i = 0; i < vector_count(cpu); i++)
		memcpy(cpu->vec[i].b + 16, ymm + 16 * i, 16);
}

static void restore(struct dbt_cpu *cpu, const struct op *op, bool compacted_only)
{
	static const uint8_t zeros[XSAVE_YMM_LEN];
	static const struct fx_image no_vectors;
	uint64_t parts = requested(cpu), from;
	uint64_t lin = area_address(cpu, op, XSAVE_MIN, 64, false);
	struct xsave_header header;
	struct fx_image image;
	uint8_t ymm[XSAVE_YMM_LEN];
	bool compacted, mxcsr;

	mmu_read(cpu, op, cpu->mmu_index, lin + XSAVE_HEADER, &header, sizeof(header));
	check_header(cpu, op, &header, compacted_only);
	compacted = header.xcomp_bv & COMPACTED;
	from = parts & header.xstate_bv;
	mmu_read(cpu, op, cpu->mmu_index, lin, &image, FX_SIZE);
	if (from & STATE_AVX)
		mmu_read(cpu, op, cpu->mmu_index, lin + XSAVE_YMM, ymm, sizeof(ymm));
	mxcsr = compacted ? from & STATE_SSE : parts & (STATE_SSE | STATE_AVX);
	if (mxcsr)
		check_mxcsr(cpu, op, image.mxcsr);
	if (mxcsr)
		take_mxcsr(image.mxcsr);
	else if (compacted && (parts & STATE_SSE))
		take_mxcsr(0x1f80);
	if (from & STATE_X87)
		take_x87(cpu, op, &image);
	else if (parts & STATE_X87)
		init_x87(cpu, op);
	if (parts & STATE_SSE)
		take_xmm(cpu, from & STATE_SSE ? &image : &no_vectors);
	if (parts & STATE_AVX)
		restore_ymm(cpu, from & STATE_AVX ? ymm : zeros);
}

static const struct op *op_xrstor(struct dbt_cpu *cpu, const struct op *op)
{
	restore(cpu, op, false);
	NEXT(cpu, op);
}

static const struct op *op_xrstors(struct dbt_cpu *cpu, const struct op *op)
{
	if (cpu->cpl)
		dbt_fault_code(cpu, op, EXC_GP, 0);
	restore(cpu, op, true);
	NEXT(cpu, op);
}

static const struct op *op_xsaves(struct dbt_cpu *cpu, const struct op *op)
{
	if (cpu->cpl)
		dbt_fault_code(cpu, op, EXC_GP, 0);
	return op_xsavec(cpu, op);
}

/* ---- MXCSR ---- */

static const struct op *op_ldmxcsr(struct dbt_cpu *cpu, const struct op *op)
{
	uint32_t value = ld4(cpu, op, op_linear(cpu, op, 4, false));

	check_mxcsr(cpu, op, value);
	take_mxcsr(value);
	NEXT(cpu, op);
}

static const struct op *op_stmxcsr(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t lin = op_linear(cpu, op, 4, true);
	uint32_t value;

	asm volatile("stmxcsr %0" : "=m"(value));
	st4(cpu, op, lin, value);
	NEXT(cpu, op);
}

static const struct {
	uint16_t op;
	op_fn *fn;
} functions[] = {
	{OP_FXSAVE, op_fxsave},   {OP_FXRSTOR, op_fxrstor}, {OP_XSAVE, op_xsave},
	{OP_XSAVEOPT, op_xsave},  {OP_XSAVEC, op_xsavec},   {OP_XSAVES, op_xsaves},
	{OP_XRSTOR, op_xrstor},   {OP_XRSTORS, op_xrstors}, {OP_LDMXCSR, op_ldmxcsr},
	{OP_STMXCSR, op_stmxcsr},
};

/* FXSAVE and FXRSTOR are x87 instructions, MXCSR is SSE's; XSAVE only looks at TS. */
static op_fn *unavailable(const struct dbt_cpu *cpu, const struct insn *insn)
{
	if (insn->op == OP_FXSAVE || insn->op == OP_FXRSTOR)
		return host_unavailable(cpu, true, false);
	if ((insn->op == OP_LDMXCSR || insn->op == OP_STMXCSR) && !insn->vex)
		return host_unavailable(cpu, false, false);
	return cpu->mode & MODE_TS ? host_no_device : NULL;
}

bool op_select_state(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(functions); i++) {
		if (functions[i].op != insn->op)
			continue;
		op->fn = unavailable(cpu, insn) ?: functions[i].fn;
		op->sub = insn->osize;
		return true;
	}
	return false;
}
