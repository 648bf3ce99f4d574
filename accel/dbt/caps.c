/*
 * What CPUs there can be: what the engine carries out itself, and what the host's units do.
 */
#include "accel.h"
#include "host.h"

struct feature {
	uint8_t word;
	const char *names; /* as -cpu has them */
};

/* Carried out here, whatever the host is. */
static const struct feature own[] = {
	{FEAT_1_EDX,
	 "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush "
	 "acpi fxsr"},
	{FEAT_1_ECX, "monitor cx16 pcid x2apic movbe popcnt tsc-deadline xsave rdrand hypervisor"},
	{FEAT_7_0_EBX, "fsgsbase tsc_adjust bmi1 smep bmi2 erms invpcid rdseed adx smap clflushopt "
		       "clwb"},
	{FEAT_7_0_ECX, "umip rdpid movdiri"},
	{FEAT_8000_0001_EDX, "syscall nx pdpe1gb rdtscp lm"},
	{FEAT_8000_0001_ECX, "lahf_lm cr8legacy abm 3dnowprefetch"},
	{FEAT_XSAVE, "xsaveopt xsavec xgetbv1 xsaves"},
	{FEAT_6_EAX, "arat"},
};

#define XCR0_X87_SSE 3
#define XCR0_AVX     4
#define ECX_AVX      BIT(28) /* of leaf 1 */

/* Bits of leaf 1 EDX that AMD repeats in 80000001 EDX (APM vol. 3, E.4.2). */
#define EDX_ALIASES 0x0183f3ff

#define PHYS_BITS 40
#define TSC_KHZ   1000000

static void add_names(uint64_t words[FEAT_WORDS], const struct feature *f)
{
	g_auto(GStrv) names = g_strsplit(f->names, " ", 0);

	for (char **name = names; *name; name++) {
		enum feature_word word;
		unsigned bit;

		if (cpu_feature_find(*name, &word, &bit))
			words[word] |= BIT64(bit);
	}
}

/* Leaves of which cpu_build_cpuid() wants to know what the accelerator says: the state components. */
static void add_leaf(struct cpuid_table *t, uint32_t leaf, uint32_t subleaf, uint32_t eax,
		     uint32_t ebx, uint32_t ecx)
{
	t->leaf[t->count++] = (struct cpuid_leaf){.leaf = leaf,
						  .subleaf = subleaf,
						  .has_subleaf = true,
						  .eax = eax,
						  .ebx = ebx,
						  .ecx = ecx};
}

void dbt_capabilities(struct accel *a, struct cpu_capabilities *caps)
{
	memset(caps, 0, sizeof(*caps));
	for (unsigned w = 0; w < FEAT_WORDS; w++)
		caps->words[w] = host_features(w);
	for (size_t i = 0; i < G_N_ELEMENTS(own); i++)
		add_names(caps->words, &own[i]);
	caps->words[FEAT_8000_0001_EDX] |= caps->words[FEAT_1_EDX] & EDX_ALIASES;
	caps->words[FEAT_XSAVE_XCR0_LO] =
		XCR0_X87_SSE | (caps->words[FEAT_1_ECX] & ECX_AVX ? XCR0_AVX : 0);
	add_leaf(&caps->host, 0xd, 0, caps->words[FEAT_XSAVE_XCR0_LO], 832, 832);
	add_leaf(&caps->host, 0xd, 2, 256, 576, 0); /* AVX */
	caps->phys_bits = PHYS_BITS;
	caps->tsc_khz = TSC_KHZ;
}
