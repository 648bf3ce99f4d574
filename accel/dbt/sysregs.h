/*
 * Bits of control registers, descriptors and error codes, for the files of the system part.
 */
#ifndef DBT_SYSREGS_H
#define DBT_SYSREGS_H

#include "dbt.h"

#define CR0_EM BIT64(2)
#define CR0_TS BIT64(3)
#define CR0_AM BIT64(18)

#define CR4_VME        BIT64(0)
#define CR4_PVI        BIT64(1)
#define CR4_TSD        BIT64(2)
#define CR4_DE         BIT64(3)
#define CR4_PSE        BIT64(4)
#define CR4_MCE        BIT64(6)
#define CR4_PGE        BIT64(7)
#define CR4_PCE        BIT64(8)
#define CR4_OSXMMEXCPT BIT64(10)
#define CR4_UMIP       BIT64(11)
#define CR4_FSGSBASE   BIT64(16)
#define CR4_PCIDE      BIT64(17)
#define CR4_OSXSAVE    BIT64(18)
#define CR4_SMEP       BIT64(20)
#define CR4_SMAP       BIT64(21)

#define EFER_FFXSR BIT64(14)

#define DR6_FIXED 0xffff0ff0ULL
#define DR6_BD    BIT64(13)
#define DR6_BS    BIT64(14)
#define DR6_BT    BIT64(15)
#define DR7_FIXED BIT64(10)
#define DR7_GD    BIT64(13)

static inline bool dbt_has(const struct dbt_cpu *cpu, enum feature_word word, uint64_t bit)
{
	return cpu->acc->features.words[word] & bit;
}

static inline bool dbt_is_intel(const struct dbt_cpu *cpu)
{
	return !strcmp(cpu->acc->features.vendor, "GenuineIntel");
}

static inline bool is_canonical(uint64_t addr)
{
	return (uint64_t)((int64_t)(addr << 16) >> 16) == addr;
}

#endif
