/*
 * System management mode: entry by SMI, return by RSM, with the state save area of AMD64 processors
 * (AMD APM vol. 2, 10.2.3; Intel SDM vol. 3, chapter 31).
 */
#include "desc.h"
#include "msr.h"
#include "mmu.h"
#include "walk.h"

#define SAVE_AREA     0xfe00 /* from SMBASE on; below, offsets from there */
#define SAVE_SIZE     0x200
#define REVISION      0x20064 /* SMBASE can be moved; the 64-bit layout */
#define HANDLER       0x8000
#define SAVE_SEGMENTS 0x000 /* ES CS SS DS FS GS */
#define SAVE_GDTR     0x060
#define SAVE_LDTR     0x070
#define SAVE_IDTR     0x080
#define SAVE_TR       0x090
#define SAVE_HALT     0x0c9
#define SAVE_EFER     0x0d0
#define SAVE_REVISION 0x0fc
#define SAVE_SMBASE   0x100
#define SAVE_CR4      0x148
#define SAVE_CR3      0x150
#define SAVE_CR0      0x158
#define SAVE_DR7      0x160
#define SAVE_DR6      0x168
#define SAVE_RFLAGS   0x170
#define SAVE_RIP      0x178
#define SAVE_RAX      0x1f8 /* and downwards: RCX RDX RBX RSP RBP RSI RDI R8-R15 */

static uint64_t get(const uint8_t *area, unsigned at, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, area + at, size);
	return value;
}

static void put(uint8_t *area, unsigned at, unsigned size, uint64_t value)
{
	memcpy(area + at, &value, size);
}

static void save_segment(uint8_t *area, unsigned at, const struct x86_segment *s)
{
	put(area, at, 2, s->selector);
	put(area, at + 2, 2, (s->attr & 0xff) | (s->attr >> 4 & 0xf00));
	put(area, at + 4, 4, s->limit);
	put(area, at + 8, 8, s->base);
}

static void load_segment(const uint8_t *area, unsigned at, struct x86_segment *s)
{
	uint32_t attr = get(area, at + 2, 2);

	s->selector = get(area, at, 2);
	s->attr = (attr & 0xff) | (attr & 0xf00) << 4;
	if (!(attr & SEG_ATTR_P))
		s->attr |= SEG_ATTR_UNUSABLE;
	s->limit = get(area, at + 4, 4);
	s->base = get(area, at + 8, 8);
}

static void save(struct dbt_cpu *cpu, uint8_t *area)
{
	for (unsigned i = S_ES; i <= S_GS; i++)
		save_segment(area, SAVE_SEGMENTS + i * 16, &cpu->seg[i]);
	save_segment(area, SAVE_LDTR, &cpu->seg[S_LDT]);
	save_segment(area, SAVE_TR, &cpu->seg[S_TR]);
	put(area, SAVE_GDTR + 4, 4, cpu->gdt.limit);
	put(area, SAVE_GDTR + 8, 8, cpu->gdt.base);
	put(area, SAVE_IDTR + 4, 4, cpu->idt.limit);
	put(area, SAVE_IDTR + 8, 8, cpu->idt.base);
	put(area, SAVE_HALT, 1, cpu->halted);
	put(area, SAVE_EFER, 8, cpu->efer);
	put(area, SAVE_REVISION, 4, REVISION);
	put(area, SAVE_SMBASE, 4, cpu->msrs->smbase);
	put(area, SAVE_CR4, 8, cpu->cr4);
	put(area, SAVE_CR3, 8, cpu->cr3);
	put(area, SAVE_CR0, 8, cpu->cr0);
	put(area, SAVE_DR7, 8, cpu->dr[7]);
	put(area, SAVE_DR6, 8, cpu->dr[6]);
	put(area, SAVE_RFLAGS, 8, dbt_rflags(cpu));
	put(area, SAVE_RIP, 8, cpu->rip);
	for (unsigned i = 0; i < 16; i++)
		put(area, SAVE_RAX - i * 8, 8, cpu->gpr[i]);
}

static void transfer(struct dbt_cpu *cpu, uint8_t *area, bool is_write)
{
	uint64_t addr = (uint32_t)(cpu->msrs->smbase + SAVE_AREA);

	dbt_go_outside(cpu);
	if (is_write)
		as_write(dbt_memory(cpu), addr, area, SAVE_SIZE);
	else
		as_read(dbt_memory(cpu), addr, area, SAVE_SIZE);
	dbt_go_inside(cpu);
}

void dbt_enter_smm(struct dbt_cpu *cpu)
{
	uint8_t area[SAVE_SIZE] = {0};

	cpu->smi_pending = false;
	save(cpu, area);
	cpu->in_smm = true;
	cpu->smm_inside_nmi = cpu->nmi_masked;
	cpu->nmi_masked = true;
	cpu->halted = cpu->shadow = false;
	mmu_flush(cpu);
	transfer(cpu, area, true);
	cpu->cr0 &= ~(CR0_PE | CR0_EM | CR0_TS | CR0_PG);
	cpu->cr4 = cpu->efer = 0;
	cpu->dr[7] = DR7_FIXED;
	cpu->cpl = 0;
	cpu->rip = HANDLER;
	for (unsigned i = S_ES; i <= S_GS; i++)
		cpu->seg[i] = (struct x86_segment){.limit = UINT32_MAX, .attr = 0x93 | SEG_ATTR_G};
	cpu->seg[S_CS].selector = cpu->msrs->smbase >> 4;
	cpu->seg[S_CS].base = cpu->msrs->smbase;
	dbt_set_rflags(cpu, 0, UINT32_MAX);
	dbt_update_mode(cpu);
	mmu_flush(cpu);
}

/* What no processor would resume, ends in a shutdown. */
static bool is_sane(const uint8_t *area)
{
	uint64_t cr0 = get(area, SAVE_CR0, 8), efer = get(area, SAVE_EFER, 8);

	return !(cr0 >> 32) && !((cr0 & CR0_PG) && !(cr0 & CR0_PE)) &&
	       !((efer & EFER_LMA) && !(get(area, SAVE_CR4, 8) & CR4_PAE));
}

static void restore(struct dbt_cpu *cpu, const uint8_t *area)
{
	for (unsigned i = S_ES; i <= S_GS; i++)
		load_segment(area, SAVE_SEGMENTS + i * 16, &cpu->seg[i]);
	load_segment(area, SAVE_LDTR, &cpu->seg[S_LDT]);
	load_segment(area, SAVE_TR, &cpu->seg[S_TR]);
	cpu->gdt = (struct x86_dtable){get(area, SAVE_GDTR + 8, 8), get(area, SAVE_GDTR + 4, 2)};
	cpu->idt = (struct x86_dtable){get(area, SAVE_IDTR + 8, 8), get(area, SAVE_IDTR + 4, 2)};
	cpu->efer = get(area, SAVE_EFER, 8);
	cpu->cr0 = get(area, SAVE_CR0, 8) | CR0_ET;
	cpu->cr3 = get(area, SAVE_CR3, 8);
	cpu->cr4 = get(area, SAVE_CR4, 8);
	cpu->dr[6] = get(area, SAVE_DR6, 8);
	cpu->dr[7] = get(area, SAVE_DR7, 8);
	cpu->rip = get(area, SAVE_RIP, 8);
	for (unsigned i = 0; i < 16; i++)
		cpu->gpr[i] = get(area, SAVE_RAX - i * 8, 8);
	dbt_set_rflags(cpu, get(area, SAVE_RFLAGS, 8), UINT32_MAX);
	cpu->cpl = in_real_mode(cpu) ? 0 : in_vm86(cpu) ? 3 : ATTR_DPL(cpu->seg[S_SS].attr);
}

void dbt_leave_smm(struct dbt_cpu *cpu, const struct op *op)
{
	uint8_t area[SAVE_SIZE];

	transfer(cpu, area, false);
	cpu->in_smm = false;
	cpu->nmi_masked = cpu->smm_inside_nmi;
	if (!is_sane(area)) {
		cpu->shut_down = true;
		return;
	}
	restore(cpu, area);
	cpu->msrs->smbase = get(area, SAVE_SMBASE, 4);
	cpu->halted = get(area, SAVE_HALT, 1) & 1;
	dbt_update_mode(cpu);
	mmu_flush(cpu);
}
