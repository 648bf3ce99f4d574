/*
 * Model specific registers (SDM vol. 4; AMD APM vol. 2, appendix A).
 */
#ifndef DBT_MSR_H
#define DBT_MSR_H

#include "dbt.h"

#define MTRR_VARIABLE 8
#define MCE_BANKS     10

struct dbt_msrs {
	uint64_t tsc_offset; /* what is added to the time since the guest began */
	uint64_t tsc_adjust;
	uint64_t tsc_aux;
	uint64_t pat, misc_enable, debugctl, feature_control, microcode, smbase;
	uint64_t star, lstar, cstar, fmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t mtrr_def_type, mtrr_fixed[11], mtrr_base[MTRR_VARIABLE], mtrr_mask[MTRR_VARIABLE];
	uint64_t mcg_status, mcg_ctl, mce_bank[MCE_BANKS * 4];
	uint64_t spec_ctrl, virt_spec_ctrl;
};

void msrs_init(struct dbt_cpu *cpu);
void msrs_cleanup(struct dbt_cpu *cpu);
/* What travels with the state: into and out of x86_state.msrs. @full: as accel_cpu.state_full. */
void msrs_get(struct dbt_cpu *cpu, struct x86_state *s);
void msrs_put(struct dbt_cpu *cpu, const struct x86_state *s, bool full);

/* Something may have let an interrupt of the local APIC in, or kept it out. */
void dbt_recheck_interrupts(struct dbt_cpu *cpu);
/* CPUID as the guest sees it now: out[0-3] is EAX to EDX. cpuid.c */
void dbt_cpuid(const struct dbt_cpu *cpu, uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
uint64_t dbt_tsc_hz(const struct dbt_cpu *cpu);

#endif
