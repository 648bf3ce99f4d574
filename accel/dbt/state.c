/*
 * The architectural state of a vCPU, out and in.
 */
#include "accel.h"
#include "debug.h"
#include "desc.h"
#include "host.h"
#include "msr.h"

/* ---- Events ---- */

static void get_events(struct dbt_cpu *cpu, struct x86_events *e)
{
	*e = cpu->inject ? *cpu->inject : (struct x86_events){0};
	e->interrupt_shadow = cpu->shadow;
	e->nmi_pending = cpu->nmi_pending;
	e->nmi_masked = cpu->nmi_masked;
	e->in_smm = cpu->in_smm;
	e->smi_pending = cpu->smi_pending;
	e->smm_inside_nmi = cpu->smm_inside_nmi;
	e->triple_fault_pending = cpu->shut_down;
}

static void put_events(struct dbt_cpu *cpu, const struct x86_events *e, bool full)
{
	g_clear_pointer(&cpu->inject, g_free);
	if (e->exception_pending || e->exception_injected || e->interrupt_injected ||
	    e->nmi_injected)
		cpu->inject = g_memdup2(e, sizeof(*e));
	cpu->shadow = e->interrupt_shadow;
	cpu->nmi_masked = e->nmi_masked;
	cpu->in_smm = e->in_smm;
	cpu->smm_inside_nmi = e->smm_inside_nmi;
	cpu->shut_down = e->triple_fault_pending;
	/* They may have arrived since the state was read. */
	cpu->nmi_pending = e->nmi_pending || (!full && cpu->nmi_pending);
	cpu->smi_pending = e->smi_pending || (!full && cpu->smi_pending);
	cpu->delivering = cpu->alone = cpu->debug_hit = false;
	cpu->db_pending = 0;
}

/* ---- The local APIC's two ---- */

static void get_apic(struct dbt_cpu *cpu, struct x86_state *s)
{
	const struct accel_intr_ops *intr = cpu->acc->intr;
	void *opaque = cpu->acc->intr_opaque;

	if (intr && intr->get_tpr)
		s->cr8 = intr->get_tpr(opaque);
	if (intr && intr->get_base)
		cpu->apic_base = intr->get_base(opaque);
	s->apic_base = cpu->apic_base;
}

static void put_apic(struct dbt_cpu *cpu, const struct x86_state *s)
{
	const struct accel_intr_ops *intr = cpu->acc->intr;
	void *opaque = cpu->acc->intr_opaque;

	cpu->apic_base = s->apic_base;
	if (intr && intr->sync && intr->get_tpr)
		intr->sync(opaque, intr->get_tpr(opaque), s->apic_base);
}

/* ---- All ---- */

bool dbt_get_state(struct accel_cpu *acc, GError **errp)
{
	struct dbt_cpu *cpu = dbt_cpu_of(acc);
	struct x86_state *s = &acc->state;

	memcpy(s->gpr, cpu->gpr, sizeof(s->gpr));
	s->rip = cpu->rip;
	s->rflags = dbt_rflags(cpu);
	memcpy(s->seg, cpu->seg, sizeof(s->seg));
	s->gdt = cpu->gdt;
	s->idt = cpu->idt;
	s->cr0 = cpu->cr0;
	s->cr2 = cpu->cr2;
	s->cr3 = cpu->cr3;
	s->cr4 = cpu->cr4;
	s->efer = cpu->efer;
	s->xcr0 = cpu->xcr0;
	memcpy(s->dr, cpu->dr, sizeof(s->dr));
	s->dr[4] = s->dr[6];
	s->dr[5] = s->dr[7];
	memcpy(s->pdptr, cpu->pdptr, sizeof(s->pdptr));
	s->pdptrs_valid = (cpu->cr0 & CR0_PG) && (cpu->cr4 & CR4_PAE) && !(cpu->efer & EFER_LMA);
	s->mp_state = cpu->mp_state == MP_RUNNABLE && cpu->halted ? MP_HALTED : cpu->mp_state;
	host_store_xsave(cpu, s->xsave);
	get_apic(cpu, s);
	get_events(cpu, &s->events);
	msrs_get(cpu, s);
	return true;
}

static void put_registers(struct dbt_cpu *cpu, const struct x86_state *s)
{
	memcpy(cpu->gpr, s->gpr, sizeof(s->gpr));
	cpu->gpr[GPR_ZERO] = 0;
	cpu->rip = s->rip;
	memcpy(cpu->seg, s->seg, sizeof(cpu->seg));
	cpu->gdt = s->gdt;
	cpu->idt = s->idt;
	cpu->cr0 = s->cr0 | CR0_ET;
	cpu->cr2 = s->cr2;
	cpu->cr3 = s->cr3;
	cpu->cr4 = s->cr4;
	cpu->efer = s->efer;
	cpu->xcr0 = s->xcr0 | 1;
	memcpy(cpu->dr, s->dr, sizeof(cpu->dr));
	cpu->dr[6] = s->dr[6] | DR6_FIXED;
	cpu->dr[7] = s->dr[7] | DR7_FIXED;
	memcpy(cpu->pdptr, s->pdptr, sizeof(cpu->pdptr));
}

bool dbt_put_state(struct accel_cpu *acc, GError **errp)
{
	struct dbt_cpu *cpu = dbt_cpu_of(acc);
	const struct x86_state *s = &acc->state;

	put_registers(cpu, s);
	put_events(cpu, &s->events, acc->state_full);
	cpu->halted = s->mp_state == MP_HALTED;
	cpu->mp_state = s->mp_state == MP_HALTED ? MP_RUNNABLE : s->mp_state;
	dbt_set_rflags(cpu, s->rflags, UINT32_MAX);
	cpu->cpl = in_real_mode(cpu) ? 0 : in_vm86(cpu) ? 3 : ATTR_DPL(cpu->seg[S_SS].attr);
	host_load_xsave(cpu, s->xsave);
	msrs_put(cpu, s, acc->state_full);
	put_apic(cpu, s);
	debug_changed(cpu);
	if (acc->state_full) /* with it memory may have changed in ways nobody told us of */
		block_flush_all(cpu);
	return true;
}
