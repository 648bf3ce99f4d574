/*
 * Control registers and EFER: what may be written, and what follows (SDM vol. 3, 2.5; 4.1).
 */
#include "mmu.h"
#include "sysregs.h"
#include "walk.h"

#define CR0_LEGAL                                                                                  \
	(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | \
	 CR0_PG)

static _Noreturn void refuse(struct dbt_cpu *cpu, const struct op *op)
{
	dbt_fault_code(cpu, op, EXC_GP, 0);
}

static bool has_pae_paging(uint64_t cr0, uint64_t cr4, uint64_t efer)
{
	return (cr0 & CR0_PG) && (cr4 & CR4_PAE) && !(efer & EFER_LMA);
}

static void load_pdptrs(struct dbt_cpu *cpu, const struct op *op, uint64_t cr3)
{
	if (!page_load_pdptrs(cpu, cr3))
		refuse(cpu, op);
}

/* Paging begins: in long mode, if EFER says so. */
static void check_paging(struct dbt_cpu *cpu, const struct op *op, uint64_t cr0)
{
	if (!(cr0 & CR0_PE))
		refuse(cpu, op);
	if (cpu->efer & EFER_LME) {
		if (!(cpu->cr4 & CR4_PAE) || (cpu->seg[S_CS].attr & SEG_ATTR_L))
			refuse(cpu, op);
	} else if (cpu->cr4 & CR4_PAE) {
		load_pdptrs(cpu, op, cpu->cr3);
	}
}

void dbt_set_cr0(struct dbt_cpu *cpu, const struct op *op, uint64_t value)
{
	uint64_t old = cpu->cr0;

	if (value >> 32 || (value & (CR0_NW | CR0_CD)) == CR0_NW)
		refuse(cpu, op);
	value = (value & CR0_LEGAL) | CR0_ET;
	if ((value & CR0_PG) && !(old & CR0_PG))
		check_paging(cpu, op, value);
	else if ((value & (CR0_PG | CR0_PE)) == CR0_PG)
		refuse(cpu, op);
	if (!(value & CR0_PG) && (old & CR0_PG)) {
		if ((cpu->mode & MODE_CS64) || (cpu->cr4 & CR4_PCIDE))
			refuse(cpu, op);
		cpu->efer &= ~EFER_LMA;
	} else if ((value & CR0_PG) && (cpu->efer & EFER_LME)) {
		cpu->efer |= EFER_LMA;
	}
	cpu->cr0 = value;
	if (!(value & CR0_PE))
		cpu->cpl = 0;
	dbt_update_mode(cpu);
	if ((old ^ value) & (CR0_PG | CR0_WP | CR0_PE))
		mmu_flush(cpu);
}

void dbt_set_cr3(struct dbt_cpu *cpu, const struct op *op, uint64_t value)
{
	if (cpu->cr4 & CR4_PCIDE)
		value &= ~BIT64(63);
	if (cpu->mode & MODE_LONG) {
		if (value & ~cpu->phys_mask)
			refuse(cpu, op);
	} else {
		value &= UINT32_MAX;
	}
	if (has_pae_paging(cpu->cr0, cpu->cr4, cpu->efer))
		load_pdptrs(cpu, op, value);
	cpu->cr3 = value;
	mmu_flush_local(cpu);
}

/* The bits that this CPU has by its features. */
static uint64_t cr4_legal(const struct dbt_cpu *cpu)
{
	static const struct {
		uint64_t cr4;
		enum feature_word word;
		uint8_t bit;
	} rows[] = {
		{CR4_VME | CR4_PVI, FEAT_1_EDX, 1}, {CR4_DE, FEAT_1_EDX, 2},
		{CR4_PSE, FEAT_1_EDX, 3},           {CR4_TSD, FEAT_1_EDX, 4},
		{CR4_PAE, FEAT_1_EDX, 6},           {CR4_MCE, FEAT_1_EDX, 7},
		{CR4_PGE, FEAT_1_EDX, 13},          {CR4_OSFXSR, FEAT_1_EDX, 24},
		{CR4_OSXMMEXCPT, FEAT_1_EDX, 25},   {CR4_UMIP, FEAT_7_0_ECX, 2},
		{CR4_FSGSBASE, FEAT_7_0_EBX, 0},    {CR4_PCIDE, FEAT_1_ECX, 17},
		{CR4_OSXSAVE, FEAT_1_ECX, 26},      {CR4_SMEP, FEAT_7_0_EBX, 7},
		{CR4_SMAP, FEAT_7_0_EBX, 20},
	};
	uint64_t legal = CR4_PCE;

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (dbt_has(cpu, rows[i].word, BIT64(rows[i].bit)))
			legal |= rows[i].cr4;
	}
	return legal;
}

void dbt_set_cr4(struct dbt_cpu *cpu, const struct op *op, uint64_t value)
{
	uint64_t old = cpu->cr4, changed = old ^ value;

	if (value & ~cr4_legal(cpu))
		refuse(cpu, op);
	if ((changed & CR4_PAE) && (cpu->efer & EFER_LMA))
		refuse(cpu, op);
	if ((value & changed & CR4_PCIDE) && (!(cpu->efer & EFER_LMA) || (cpu->cr3 & 0xfff)))
		refuse(cpu, op);
	if ((changed & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP)) &&
	    has_pae_paging(cpu->cr0, value, cpu->efer))
		load_pdptrs(cpu, op, cpu->cr3);
	cpu->cr4 = value;
	dbt_update_mode(cpu);
	if (changed & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP | CR4_SMAP | CR4_PCIDE))
		mmu_flush(cpu);
}

void dbt_set_efer(struct dbt_cpu *cpu, const struct op *op, uint64_t value)
{
	uint64_t legal = EFER_LMA, old = cpu->efer;

	legal |= dbt_has(cpu, FEAT_8000_0001_EDX, BIT(11)) ? EFER_SCE : 0;
	legal |= dbt_has(cpu, FEAT_8000_0001_EDX, BIT(20)) ? EFER_NX : 0;
	legal |= dbt_has(cpu, FEAT_8000_0001_EDX, BIT(25)) ? EFER_FFXSR : 0;
	legal |= dbt_has(cpu, FEAT_8000_0001_EDX, BIT(29)) ? EFER_LME : 0;
	if (value & ~legal)
		refuse(cpu, op);
	if (((old ^ value) & EFER_LME) && (cpu->cr0 & CR0_PG))
		refuse(cpu, op);
	cpu->efer = (value & ~EFER_LMA) | (old & EFER_LMA);
	dbt_update_mode(cpu);
	if ((old ^ value) & EFER_NX)
		mmu_flush(cpu);
}
