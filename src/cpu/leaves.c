/*
 * The CPUID leaves a guest sees.
 *
 * One function for each leaf or group of leaves, listed in a table at the end. Layouts: SDM vol. 2A,
 * CPUID; AMD APM vol. 3, appendix E.
 */
#include "caches.h"
#include "internal.h"

struct build {
	const struct cpu_config *cfg;
	const struct cpu_capabilities *caps;
	const struct cpu_features *feat;
	const struct cpu_topology *topo;
	const struct cpu_place *place;
	struct cpuid_table *out;
	unsigned per_die; /* logical processors; what older leaves call a package */
	unsigned thread_bits, core_bits,
		die_bits; /* shifts of the APIC ID: to core, to die, to package */
};

static struct cpuid_leaf *add(struct build *b, uint32_t leaf)
{
	struct cpuid_leaf *l;

	g_assert(b->out->count < CPUID_LEAVES_MAX);
	l = &b->out->leaf[b->out->count++];
	*l = (struct cpuid_leaf){.leaf = leaf};
	return l;
}

static struct cpuid_leaf *add_sub(struct build *b, uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_leaf *l = add(b, leaf);

	l->subleaf = subleaf;
	l->has_subleaf = true;
	return l;
}

const struct cpuid_leaf *cpuid_find(const struct cpuid_table *t, uint32_t leaf, uint32_t subleaf)
{
	for (unsigned i = 0; i < t->count; i++) {
		const struct cpuid_leaf *l = &t->leaf[i];

		if (l->leaf == leaf && (!l->has_subleaf || l->subleaf == subleaf))
			return l;
	}
	return NULL;
}

static unsigned bits_for(unsigned count)
{
	return count <= 1 ? 0 : 32 - __builtin_clz(count - 1);
}

static bool is_vendor(const struct build *b, const char *vendor)
{
	return !strcmp(b->feat->vendor, vendor);
}

static bool is_amd(const struct build *b)
{
	return is_vendor(b, "AuthenticAMD") || is_vendor(b, "HygonGenuine");
}

static uint32_t word_at(const char *text, unsigned n)
{
	uint32_t v;

	memcpy(&v, text + 4 * n, 4);
	return v;
}

static void put_vendor(struct build *b, struct cpuid_leaf *l)
{
	l->ebx = word_at(b->feat->vendor, 0);
	l->edx = word_at(b->feat->vendor, 1);
	l->ecx = word_at(b->feat->vendor, 2);
}

/* ---- Basic leaves ---- */

/* Leaf 1FH is Intel's. */
static bool has_dies(const struct build *b)
{
	return b->topo->dies > 1 && is_vendor(b, "GenuineIntel");
}

static uint32_t max_level(const struct build *b)
{
	uint32_t level = b->feat->level;

	return has_dies(b) && level < 0x1f ? 0x1f : level;
}

static void leaf_0(struct build *b)
{
	struct cpuid_leaf *l = add(b, 0);

	l->eax = max_level(b);
	put_vendor(b, l);
}

static void leaf_1(struct build *b)
{
	struct cpuid_leaf *l = add(b, 1);

	l->eax = cpu_signature(b->feat);
	l->ebx = (b->place->apic_id & 0xff) << 24 | 8 << 8; /* CLFLUSH line: 8 quadwords */
	l->ecx = b->feat->words[FEAT_1_ECX];
	l->edx = b->feat->words[FEAT_1_EDX];
	if (b->per_die > 1) {
		l->ebx |= MIN(b->per_die, 255) << 16;
		l->edx |= BIT(28); /* HTT */
	}
}

/* Descriptors: 64-byte lines; 2C data L1 32 KiB 8-way, 30 code L1, 7D L2 2 MiB 8-way, 4D L3 16 MiB. */
static void leaf_2(struct build *b)
{
	struct cpuid_leaf *l = add(b, 2);

	if (is_amd(b) && b->cfg->vendor_cpuid_only)
		return;
	l->eax = 1;
	l->ecx = b->cfg->l3_cache ? 0x4d : 0;
	l->edx = 0x2c307d;
}

static void cache_leaf(struct cpuid_leaf *l, const struct cpu_cache *c, unsigned sharing,
		       unsigned cores)
{
	l->eax = c->kind | c->level << 5 | (c->self_init ? BIT(8) : 0) | (sharing - 1) << 14 |
		 (MIN(cores, 64) - 1) << 26;
	l->ebx = (c->line - 1) | 0 << 12 | (uint32_t)(c->ways - 1) << 22;
	l->ecx = c->sets - 1;
	l->edx = (c->no_invd_sharing ? BIT(0) : 0) | (c->inclusive ? BIT(1) : 0) |
		 (c->complex_indexing ? BIT(2) : 0);
}

static const struct cpu_cache *own_caches(const struct build *b)
{
	return b->cfg->legacy_cache ? NULL : cpu_model_caches(b->cfg->model->name);
}

static void copy_host(struct build *b, uint32_t leaf)
{
	for (unsigned i = 0; i < b->caps->host.count; i++) {
		if (b->caps->host.leaf[i].leaf == leaf)
			b->out->leaf[b->out->count++] = b->caps->host.leaf[i];
	}
}

static void leaf_4(struct build *b)
{
	const struct cpu_cache *c = own_caches(b) ? own_caches(b) : intel_caches;
	unsigned caches = b->cfg->l3_cache ? 4 : 3;

	if (b->cfg->host_cache_info) {
		copy_host(b, 4);
		return;
	}
	if (is_amd(b) && b->cfg->vendor_cpuid_only) {
		add_sub(b, 4, 0);
		return;
	}
	for (unsigned i = 0; i < caches; i++) {
		/* The first levels are a core's own, the last is shared by the die. */
		unsigned sharing = i == CACHE_L3 ? 1U << b->die_bits : b->topo->threads;

		if (i == CACHE_L3)
			sharing = 1U << (b->thread_bits + b->core_bits);
		cache_leaf(add_sub(b, 4, i), &c[i], sharing, b->topo->cores);
	}
	add_sub(b, 4, caches);
}

static void leaf_5(struct build *b)
{
	add(b, 5)->ecx = 3; /* MONITOR extensions; interrupts break MWAIT */
}

static void leaf_6(struct build *b)
{
	add(b, 6)->eax = b->feat->words[FEAT_6_EAX];
}

static void leaf_7(struct build *b)
{
	struct cpuid_leaf *l = add_sub(b, 7, 0);
	bool one = b->feat->words[FEAT_7_1_EAX];

	l->eax = b->cfg->level_func7 >= 0 ? b->cfg->level_func7 : one;
	l->ebx = b->feat->words[FEAT_7_0_EBX];
	l->ecx = b->feat->words[FEAT_7_0_ECX];
	l->edx = b->feat->words[FEAT_7_0_EDX];
	if (one)
		add_sub(b, 7, 1)->eax = b->feat->words[FEAT_7_1_EAX];
}

static void leaf_a(struct build *b)
{
	if (b->cfg->pmu)
		copy_host(b, 0xa);
	else
		add(b, 0xa);
}

static void topology_level(struct build *b, uint32_t leaf, uint32_t sub, unsigned type,
			   unsigned shift, unsigned count)
{
	struct cpuid_leaf *l = add_sub(b, leaf, sub);

	l->eax = shift;
	l->ebx = count;
	l->ecx = sub | type << 8;
	l->edx = b->place->apic_id;
}

enum { LEVEL_INVALID, LEVEL_SMT, LEVEL_CORE, LEVEL_DIE = 5 };

static void leaf_b(struct build *b)
{
	if (!b->cfg->cpuid_0xb) {
		add_sub(b, 0xb, 0);
		return;
	}
	topology_level(b, 0xb, 0, LEVEL_SMT, b->thread_bits, b->topo->threads);
	topology_level(b, 0xb, 1, LEVEL_CORE, b->thread_bits + b->core_bits + b->die_bits,
		       b->per_die);
	topology_level(b, 0xb, 2, LEVEL_INVALID, 0, 0);
}

/*
 * XSAVE. Sizes and offsets of state components are the host's, because the host's instructions use
 * them; the total is what the components offered need.
 */
static void leaf_d(struct build *b)
{
	uint64_t xcr0 = b->feat->words[FEAT_XSAVE_XCR0_LO] | b->feat->words[FEAT_XSAVE_XCR0_HI]
								     << 32;
	struct cpuid_leaf *l;
	uint32_t size = 0x240; /* legacy area and header */

	if (!xcr0) {
		add_sub(b, 0xd, 0);
		return;
	}
	for (unsigned i = 2; i < 63; i++) {
		const struct cpuid_leaf *host = cpuid_find(&b->caps->host, 0xd, i);

		if ((xcr0 & BIT64(i)) && host)
			size = MAX(size, host->eax + host->ebx);
	}
	l = add_sub(b, 0xd, 0);
	l->eax = xcr0;
	l->edx = xcr0 >> 32;
	l->ebx = l->ecx = size;
	l = add_sub(b, 0xd, 1);
	l->eax = b->feat->words[FEAT_XSAVE];
	if (b->feat->words[FEAT_XSAVE] & BIT(1))
		l->ebx = size;
	for (unsigned i = 2; i < 63; i++) {
		const struct cpuid_leaf *host = cpuid_find(&b->caps->host, 0xd, i);

		if ((xcr0 & BIT64(i)) && host)
			*add_sub(b, 0xd, i) = *host;
	}
}

static void leaf_amx(struct build *b)
{
	if (b->feat->words[FEAT_7_0_EDX] & BIT(24)) {
		copy_host(b, 0x1d);
		copy_host(b, 0x1e);
	}
}

static void leaf_1f(struct build *b)
{
	if (!has_dies(b))
		return;
	topology_level(b, 0x1f, 0, LEVEL_SMT, b->thread_bits, b->topo->threads);
	topology_level(b, 0x1f, 1, LEVEL_CORE, b->thread_bits + b->core_bits,
		       b->topo->cores * b->topo->threads);
	topology_level(b, 0x1f, 2, LEVEL_DIE, b->thread_bits + b->core_bits + b->die_bits,
		       b->per_die);
	topology_level(b, 0x1f, 3, LEVEL_INVALID, 0, 0);
}

/* ---- Hypervisor leaves ---- */

/* Where KVM's leaves go when Hyper-V's are in their place. */
#define KVM_LEAVES_MOVED 0x100

static void signature(struct build *b, uint32_t leaf, uint32_t highest, const char *text)
{
	struct cpuid_leaf *l = add(b, leaf);

	l->eax = highest;
	l->ebx = word_at(text, 0);
	l->ecx = word_at(text, 1);
	l->edx = word_at(text, 2);
}

static void leaf_kvm(struct build *b)
{
	uint32_t base = b->feat->hv.on ? 0x40000000 + KVM_LEAVES_MOVED : 0x40000000;
	/* TSC and APIC bus frequency in kHz: only worth telling if the TSC keeps it. What is not known
	 * yet, the accelerator fills in. Guests look for it in one place only. */
	bool timing = b->cfg->vmware_cpuid_freq && !b->feat->hv.on &&
		      (b->feat->words[FEAT_8000_0007_EDX] & BIT(8) || b->cfg->tsc_freq);
	struct cpuid_leaf *l;

	if (!b->cfg->kvm)
		return;
	signature(b, base, timing ? 0x40000010 : base + 1, "KVMKVMKVM\0\0\0");
	l = add(b, base + 1);
	l->eax = b->feat->words[FEAT_KVM];
	l->edx = b->feat->words[FEAT_KVM_HINTS];
	if (timing) {
		l = add(b, 0x40000010);
		l->eax = b->cfg->tsc_freq ? b->cfg->tsc_freq / 1000 : b->caps->tsc_khz;
		l->ebx = 1000000;
	}
}

static void leaf_hypervisor(struct build *b)
{
	if (b->caps->is_kvm) {
		cpu_hyperv_leaves(&b->feat->hv, b->out);
		leaf_kvm(b);
	} else if (b->cfg->tcg_cpuid) {
		signature(b, 0x40000000, 0x40000001, "TCGTCGTCGTCG");
		add(b, 0x40000001);
	}
}

/* ---- Extended leaves ---- */

static void leaf_80000000(struct build *b)
{
	struct cpuid_leaf *l = add(b, 0x80000000);

	l->eax = b->feat->xlevel;
	put_vendor(b, l);
}

/* The bits of 1:EDX that AMD repeats in 80000001:EDX. */
#define AMD_ALIASES 0x183f3ff

static void leaf_80000001(struct build *b)
{
	struct cpuid_leaf *l = add(b, 0x80000001);

	l->eax = cpu_signature(b->feat);
	l->ecx = b->feat->words[FEAT_8000_0001_ECX];
	l->edx = b->feat->words[FEAT_8000_0001_EDX];
	if (is_amd(b))
		l->edx |= b->feat->words[FEAT_1_EDX] & AMD_ALIASES;
	if (b->per_die > 1 && !is_vendor(b, "GenuineIntel"))
		l->ecx |= BIT(1); /* CmpLegacy */
}

static void leaf_brand(struct build *b)
{
	char text[48] = {0};

	memcpy(text, b->feat->model_id, MIN(strlen(b->feat->model_id), 48));
	for (unsigned i = 0; i < 3; i++) {
		struct cpuid_leaf *l = add(b, 0x80000002 + i);

		l->eax = word_at(text, 4 * i);
		l->ebx = word_at(text, 4 * i + 1);
		l->ecx = word_at(text, 4 * i + 2);
		l->edx = word_at(text, 4 * i + 3);
	}
}

static uint32_t amd_l1(const struct cpu_cache *c)
{
	return c->size_kib << 24 | (uint32_t)c->ways << 16 | c->lines_per_tag << 8 | c->line;
}

static uint32_t amd_ways(unsigned ways)
{
	static const uint8_t codes[][2] = {
		{1, 1}, {2, 2}, {4, 4}, {8, 6}, {16, 8}, {32, 0xa}, {48, 0xb},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
		if (codes[i][0] == ways)
			return codes[i][1];
	}
	return 0xf; /* fully associative */
}

static void leaf_amd_caches(struct build *b)
{
	const struct cpu_cache *c = own_caches(b) ? own_caches(b) : amd_caches;
	struct cpuid_leaf *l = add(b, 0x80000005);

	l->eax = 0x01ff01ff; /* TLBs: 255 entries, direct mapped */
	l->ebx = 0x01ff01ff;
	l->ecx = amd_l1(&c[CACHE_L1D]);
	l->edx = amd_l1(&c[CACHE_L1I]);
	l = add(b, 0x80000006);
	l->ebx = 0x42004200; /* L2 TLBs: 512 entries, 4-way, for 4 KiB pages */
	l->ecx = c[CACHE_L2].size_kib << 16 | amd_ways(c[CACHE_L2].ways) << 12 |
		 c[CACHE_L2].lines_per_tag << 8 | c[CACHE_L2].line;
	if (b->cfg->l3_cache)
		l->edx = c[CACHE_L3].size_kib / 512 << 18 | amd_ways(c[CACHE_L3].ways) << 12 |
			 c[CACHE_L3].lines_per_tag << 8 | c[CACHE_L3].line;
}

static void leaf_80000007(struct build *b)
{
	add(b, 0x80000007)->edx = b->feat->words[FEAT_8000_0007_EDX];
}

static void leaf_80000008(struct build *b)
{
	struct cpuid_leaf *l = add(b, 0x80000008);

	l->eax = b->feat->phys_bits;
	if (b->feat->words[FEAT_8000_0001_EDX] & BIT(29))
		l->eax |= (b->feat->words[FEAT_7_0_ECX] & BIT(16) ? 57 : 48) << 8;
	l->ebx = b->feat->words[FEAT_8000_0008_EBX];
	if (b->per_die > 1)
		l->ecx = (b->die_bits + b->core_bits + b->thread_bits) << 12 | (b->per_die - 1);
}

static void leaf_8000000a(struct build *b)
{
	struct cpuid_leaf *l = add(b, 0x8000000a);

	if (!(b->feat->words[FEAT_8000_0001_ECX] & BIT(2)))
		return;
	l->eax = 1;    /* SVM revision */
	l->ebx = 0x10; /* ASIDs */
	l->edx = b->feat->words[FEAT_SVM];
}

static void leaf_topoext(struct build *b)
{
	const struct cpu_cache *c = own_caches(b) ? own_caches(b) : amd_caches;
	struct cpuid_leaf *l;

	for (unsigned i = 0; i < CACHES; i++) {
		unsigned sharing =
			i == CACHE_L3 ? b->topo->cores * b->topo->threads : b->topo->threads;

		l = add_sub(b, 0x8000001d, i);
		cache_leaf(l, &c[i], sharing, 1);
	}
	add_sub(b, 0x8000001d, CACHES);
	l = add(b, 0x8000001e);
	l->eax = b->place->apic_id;
	l->ebx = (b->topo->threads - 1) << 8 | (b->place->apic_id >> b->thread_bits & 0xff);
	l->ecx = (MIN(b->topo->dies, 8) - 1) << 8 |
		 (b->place->apic_id >> (b->thread_bits + b->core_bits) & 0xff);
}

/* The leaves by the number that must not be above the highest one shown. */
static const struct {
	uint32_t first;
	void (*build)(struct build *b);
} leaves[] = {
	{0, leaf_0},
	{1, leaf_1},
	{2, leaf_2},
	{4, leaf_4},
	{5, leaf_5},
	{6, leaf_6},
	{7, leaf_7},
	{0xa, leaf_a},
	{0xb, leaf_b},
	{0xd, leaf_d},
	{0x1d, leaf_amx},
	{0x1f, leaf_1f},
	{0x40000000, leaf_hypervisor},
	{0x80000000, leaf_80000000},
	{0x80000001, leaf_80000001},
	{0x80000002, leaf_brand},
	{0x80000005, leaf_amd_caches},
	{0x80000007, leaf_80000007},
	{0x80000008, leaf_80000008},
	{0x8000000a, leaf_8000000a},
	{0x8000001d, leaf_topoext},
};

void cpu_build_cpuid(const struct cpu_config *cfg, const struct cpu_capabilities *caps,
		     const struct cpu_features *feat, const struct cpu_topology *topo,
		     const struct cpu_place *place, struct cpuid_table *out)
{
	struct build b = {
		.cfg = cfg,
		.caps = caps,
		.feat = feat,
		.topo = topo,
		.place = place,
		.out = out,
		.per_die = topo->cores * topo->threads,
		.thread_bits = bits_for(topo->threads),
		.core_bits = bits_for(topo->cores),
		.die_bits = bits_for(topo->dies),
	};

	out->count = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(leaves); i++) {
		uint32_t first = leaves[i].first;
		uint32_t highest = first >= 0x80000000   ? feat->xlevel
				   : first >= 0x40000000 ? UINT32_MAX
							 : max_level(&b);

		if (first <= highest)
			leaves[i].build(&b);
	}
}
