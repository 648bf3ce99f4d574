/*
 * CPUID: the leaves that were built for the vCPU, with what changes while it runs.
 */
#include "msr.h"
#include "sysregs.h"

#define CPUID_1_ECX_OSXSAVE BIT(27)
#define CPUID_1_EDX_APIC    BIT(9)
#define LEAF_XSTATE         0xd
#define XSAVE_LEGACY        576 /* x87, SSE and the header */

enum { EAX, EBX, ECX, EDX };

static const struct cpuid_leaf *find(const struct dbt_cpu *cpu, uint32_t leaf, uint32_t subleaf)
{
	return cpuid_find(&cpu->acc->cpuid, leaf, subleaf);
}

/* A leaf beyond the last basic one reads as that one (SDM vol. 2, CPUID). */
static uint32_t clamp_leaf(const struct dbt_cpu *cpu, uint32_t leaf)
{
	uint32_t base = leaf >= 0xc0000000   ? 0xc0000000
			: leaf >= 0x80000000 ? 0x80000000
			: leaf >= 0x40000000 ? 0x40000000
					     : 0;
	const struct cpuid_leaf *first = find(cpu, base, 0), *basic = find(cpu, 0, 0);

	if (first && leaf <= first->eax)
		return leaf;
	return basic ? basic->eax : 0;
}

/* Bytes of the area for components @mask, as XSAVE lays it out or, @compact, as XSAVEC does. */
static uint32_t xsave_size(const struct dbt_cpu *cpu, uint64_t mask, bool compact)
{
	uint32_t size = XSAVE_LEGACY;

	for (unsigned i = 2; i < 63; i++) {
		const struct cpuid_leaf *l = mask & BIT64(i) ? find(cpu, LEAF_XSTATE, i) : NULL;

		if (l)
			size = compact ? size + l->eax : MAX(size, l->ebx + l->eax);
	}
	return size;
}

static void fix_xstate(const struct dbt_cpu *cpu, uint32_t subleaf, uint32_t out[4])
{
	if (subleaf == 0)
		out[EBX] = xsave_size(cpu, cpu->xcr0, false);
	else if (subleaf == 1)
		out[EBX] = xsave_size(cpu, cpu->xcr0 | cpu->xss, true);
}

void dbt_cpuid(const struct dbt_cpu *cpu, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	const struct cpuid_leaf *l;

	leaf = clamp_leaf(cpu, leaf);
	l = find(cpu, leaf, subleaf);
	memset(out, 0, 4 * sizeof(*out));
	if (l) {
		out[EAX] = l->eax;
		out[EBX] = l->ebx;
		out[ECX] = l->ecx;
		out[EDX] = l->edx;
	}
	switch (leaf) {
	case 1:
		out[ECX] &= ~CPUID_1_ECX_OSXSAVE;
		out[ECX] |= cpu->cr4 & CR4_OSXSAVE ? CPUID_1_ECX_OSXSAVE : 0;
		if (!(cpu->apic_base & APIC_BASE_ENABLE))
			out[EDX] &= ~CPUID_1_EDX_APIC;
		break;
	case LEAF_XSTATE:
		if (l && (subleaf > 1 || dbt_has(cpu, FEAT_1_ECX, BIT(26))))
			fix_xstate(cpu, subleaf, out);
		break;
	case 0x80000001:
		if (!(cpu->apic_base & APIC_BASE_ENABLE))
			out[EDX] &= ~CPUID_1_EDX_APIC;
		break;
	}
}
