/*
 * From what was asked for and what can be had to what the guest gets.
 */
#include "internal.h"

/* What KVM guests get besides, and what KVM guests do not get, unless -cpu says otherwise. */
static const struct {
	enum feature_word word;
	const char *name;
	bool on;
} kvm_defaults[] = {
	{FEAT_KVM, "kvmclock", true},       {FEAT_KVM, "kvm-nopiodelay", true},
	{FEAT_KVM, "kvm-asyncpf", true},    {FEAT_KVM, "kvm-steal-time", true},
	{FEAT_KVM, "kvm-pv-eoi", true},     {FEAT_KVM, "kvmclock-stable-bit", true},
	{FEAT_1_ECX, "x2apic", true},       {FEAT_KVM, "kvm-msi-ext-dest-id", false},
	{FEAT_1_EDX, "acpi", false},        {FEAT_1_ECX, "monitor", false},
	{FEAT_8000_0001_ECX, "svm", false},
};

/* Without any bit of the first, the second has no meaning and is dropped in silence. */
static const struct {
	enum feature_word from;
	const char *from_name; /* NULL: any bit of the word */
	enum feature_word to;
	uint64_t to_mask;
} dependencies[] = {
	{FEAT_7_0_EDX, "arch-capabilities", FEAT_ARCH_CAPABILITIES, ~0ULL},
	{FEAT_7_0_EDX, "core-capability", FEAT_CORE_CAPABILITY, ~0ULL},
	{FEAT_1_ECX, "pdcm", FEAT_PERF_CAPABILITIES, ~0ULL},
	{FEAT_1_ECX, "vmx", FEAT_VMX_PROCBASED_CTLS, ~0ULL},
	{FEAT_1_ECX, "vmx", FEAT_VMX_PINBASED_CTLS, ~0ULL},
	{FEAT_1_ECX, "vmx", FEAT_VMX_EXIT_CTLS, ~0ULL},
	{FEAT_1_ECX, "vmx", FEAT_VMX_ENTRY_CTLS, ~0ULL},
	{FEAT_1_ECX, "vmx", FEAT_VMX_MISC, ~0ULL},
	{FEAT_1_ECX, "vmx", FEAT_VMX_BASIC, ~0ULL},
	{FEAT_VMX_PROCBASED_CTLS, "vmx-secondary-ctls", FEAT_VMX_SECONDARY_CTLS, ~0ULL},
	{FEAT_VMX_SECONDARY_CTLS, "vmx-ept", FEAT_VMX_EPT_VPID_CAPS, 0xffffffffULL},
	{FEAT_VMX_SECONDARY_CTLS, "vmx-vpid", FEAT_VMX_EPT_VPID_CAPS, 0xffffffffULL << 32},
	{FEAT_VMX_SECONDARY_CTLS, "vmx-vmfunc", FEAT_VMX_VMFUNC, ~0ULL},
	{FEAT_VMX_SECONDARY_CTLS, "vmx-ept", FEAT_VMX_SECONDARY_CTLS, BIT64(7)}, /* unrestricted */
	{FEAT_8000_0001_EDX, "rdtscp", FEAT_VMX_SECONDARY_CTLS, BIT64(3)},
	{FEAT_1_ECX, "rdrand", FEAT_VMX_SECONDARY_CTLS, BIT64(11)},
	{FEAT_7_0_EBX, "invpcid", FEAT_VMX_SECONDARY_CTLS, BIT64(12)},
	{FEAT_7_0_EBX, "rdseed", FEAT_VMX_SECONDARY_CTLS, BIT64(16)},
	{FEAT_XSAVE, "xsaves", FEAT_VMX_SECONDARY_CTLS, BIT64(20)},
	{FEAT_7_0_EBX, "intel-pt", FEAT_14_0_ECX, ~0ULL},
	{FEAT_7_0_EBX, "sgx", FEAT_SGX_12_0_EAX, ~0ULL},
	{FEAT_7_0_EBX, "sgx", FEAT_SGX_12_0_EBX, ~0ULL},
	{FEAT_7_0_EBX, "sgx", FEAT_SGX_12_1_EAX, ~0ULL},
	{FEAT_8000_0001_ECX, "svm", FEAT_SVM, ~0ULL},
};

/* State components of XSAVE and the features that bring them. */
static const struct {
	unsigned component;
	enum feature_word word;
	const char *name;
} components[] = {
	{2, FEAT_1_ECX, "avx"},         {3, FEAT_7_0_EBX, "mpx"},
	{4, FEAT_7_0_EBX, "mpx"},       {5, FEAT_7_0_EBX, "avx512f"},
	{6, FEAT_7_0_EBX, "avx512f"},   {7, FEAT_7_0_EBX, "avx512f"},
	{9, FEAT_7_0_ECX, "pku"},       {17, FEAT_7_0_EDX, "amx-tile"},
	{18, FEAT_7_0_EDX, "amx-tile"},
};

#define LBR_FMT_MASK 0x3fULL /* of IA32_PERF_CAPABILITIES */

static bool has(const uint64_t words[FEAT_WORDS], enum feature_word word, const char *name)
{
	return words[word] & cpu_feature_mask(word, name);
}

static void apply_kvm_defaults(const struct cpu_config *cfg, uint64_t words[FEAT_WORDS])
{
	for (size_t i = 0; i < G_N_ELEMENTS(kvm_defaults); i++) {
		enum feature_word word = kvm_defaults[i].word;
		uint64_t mask = cpu_feature_mask(word, kvm_defaults[i].name);

		if (kvm_defaults[i].on)
			words[word] |= mask;
		else
			words[word] &= ~mask;
	}
	if (!cfg->kvm)
		words[FEAT_KVM] = words[FEAT_KVM_HINTS] = 0;
}

static void drop_dependent(uint64_t words[FEAT_WORDS])
{
	for (size_t i = 0; i < G_N_ELEMENTS(dependencies); i++) {
		if (!has(words, dependencies[i].from, dependencies[i].from_name))
			words[dependencies[i].to] &= ~dependencies[i].to_mask;
	}
}

static void set_xsave_components(const struct cpu_capabilities *caps, uint64_t words[FEAT_WORDS])
{
	uint64_t xcr0 = 3; /* x87 and SSE are always there */

	words[FEAT_XSAVE_XCR0_LO] = words[FEAT_XSAVE_XCR0_HI] = 0;
	if (!has(words, FEAT_1_ECX, "xsave"))
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(components); i++) {
		if (has(words, components[i].word, components[i].name))
			xcr0 |= BIT64(components[i].component);
	}
	words[FEAT_XSAVE_XCR0_LO] = xcr0 & caps->words[FEAT_XSAVE_XCR0_LO];
	words[FEAT_XSAVE_XCR0_HI] = (xcr0 >> 32) & caps->words[FEAT_XSAVE_XCR0_HI];
}

static uint64_t wanted_word(const struct cpu_config *cfg, enum feature_word w, uint64_t base)
{
	return (base | cfg->plus[w]) & ~cfg->minus[w];
}

/* What has no name may mean anything on another host; a TSC's rate is its own. */
static void keep_migratable(uint64_t words[FEAT_WORDS])
{
	for (unsigned w = 0; w < FEAT_WORDS; w++) {
		for (unsigned b = 0; b < 64; b++) {
			if (!cpu_feature_name(w, b))
				words[w] &= ~BIT64(b);
		}
	}
	words[FEAT_8000_0007_EDX] &= ~cpu_feature_mask(FEAT_8000_0007_EDX, "invtsc");
}

static void collect_wanted(const struct cpu_config *cfg, const struct cpu_capabilities *caps,
			   uint64_t words[FEAT_WORDS])
{
	memset(words, 0, sizeof(uint64_t) * FEAT_WORDS);
	if (cfg->model->from_host) {
		memcpy(words, caps->words, sizeof(uint64_t) * FEAT_WORDS);
		/* A promise about the host's scheduling, and a topology that guests then expect
		 * in AMD's way: only on request. */
		words[FEAT_KVM_HINTS] = 0;
		words[FEAT_8000_0001_ECX] &= ~cpu_feature_mask(FEAT_8000_0001_ECX, "topoext");
		if (cfg->migratable)
			keep_migratable(words);
		if (!cfg->kvm)
			words[FEAT_KVM] = 0;
	} else {
		cpu_model_features(cfg->model, words);
		cpu_model_vmx(cfg->model, words);
		if (caps->is_kvm && !cfg->model->is_empty)
			apply_kvm_defaults(cfg, words);
		else if (!(caps->words[FEAT_8000_0001_ECX] &
			   cpu_feature_mask(FEAT_8000_0001_ECX, "svm")))
			/* Models of emulated CPUs have it, which no translator of ours does. */
			words[FEAT_8000_0001_ECX] &= ~cpu_feature_mask(FEAT_8000_0001_ECX, "svm");
	}
	if (!cfg->model->is_empty)
		words[FEAT_1_ECX] |= cpu_feature_mask(FEAT_1_ECX, "hypervisor");
	for (unsigned w = 0; w < FEAT_WORDS; w++)
		words[w] = wanted_word(cfg, w, words[w]);
	if (cfg->lbr_fmt != CPU_LBR_FMT_NONE)
		words[FEAT_PERF_CAPABILITIES] =
			(words[FEAT_PERF_CAPABILITIES] & ~LBR_FMT_MASK) | cfg->lbr_fmt;
	drop_dependent(words);
}

/* Last branch records are the host's own: a guest cannot have another format of them. */
static bool check_lbr(const struct cpu_config *cfg, const struct cpu_capabilities *caps,
		      GError **errp)
{
	unsigned host = caps->words[FEAT_PERF_CAPABILITIES] & LBR_FMT_MASK;

	if (!caps->is_kvm || cfg->lbr_fmt == CPU_LBR_FMT_NONE || !cfg->lbr_fmt)
		return true;
	if (!cfg->pmu) {
		error_set(errp, "vPMU: LBR is unsupported without pmu=on");
		return false;
	}
	if (cfg->lbr_fmt == host)
		return true;
	error_set(errp, "vPMU: the lbr-fmt value (0x%x) does not match the host value (0x%x).",
		  (unsigned)cfg->lbr_fmt, host);
	return false;
}

static void warn_missing(const struct cpu_features *feat, const char *who)
{
	for (unsigned w = 0; w < FEAT_WORDS; w++) {
		for (unsigned b = 0; b < 64; b++) {
			const char *name = cpu_feature_name(w, b);

			if (feat->unavailable[w] & BIT64(b))
				warn_report("%s doesn't support requested feature: %s%s%s [bit %u]",
					    who, feature_words[w].name, name ? "." : "",
					    name ? name : "", b);
		}
	}
}

static bool filter(const struct cpu_config *cfg, const struct cpu_capabilities *caps,
		   struct cpu_features *feat, GError **errp)
{
	bool missing = false;

	for (unsigned w = 0; w < FEAT_WORDS; w++) {
		uint64_t have = caps->words[w];

		if (cfg->force_features)
			have = ~0ULL;
		feat->unavailable[w] = feat->words[w] & ~have;
		feat->words[w] &= have;
		missing |= feat->unavailable[w] != 0;
	}
	if (missing && (cfg->check || cfg->enforce))
		warn_missing(feat, caps->is_kvm ? "host" : "TCG");
	if (missing && cfg->enforce) {
		error_set(errp, "%s doesn't support requested features",
			  caps->is_kvm ? "Host" : "TCG");
		return false;
	}
	return true;
}

static const struct cpuid_leaf *host_leaf(const struct cpu_capabilities *caps, uint32_t leaf)
{
	static const struct cpuid_leaf none;
	const struct cpuid_leaf *l = cpuid_find(&caps->host, leaf, 0);

	return l ? l : &none;
}

static void put_text(char *out, const struct cpuid_leaf *l, const char *regs)
{
	for (; *regs; regs++, out += 4) {
		uint32_t v = *regs == 'a'   ? l->eax
			     : *regs == 'b' ? l->ebx
			     : *regs == 'c' ? l->ecx
					    : l->edx;

		memcpy(out, &v, 4);
	}
}

static void identify_host(const struct cpu_capabilities *caps, struct cpu_features *feat)
{
	uint32_t sig = host_leaf(caps, 1)->eax;

	feat->stepping = sig & 0xf;
	feat->cpu_model = (sig >> 4 & 0xf) | (sig >> 12 & 0xf0);
	feat->family = (sig >> 8 & 0xf) + ((sig >> 8 & 0xf) == 0xf ? sig >> 20 & 0xff : 0);
	put_text(feat->vendor, host_leaf(caps, 0), "bdc");
	for (unsigned i = 0; i < 3; i++)
		put_text(feat->model_id + 16 * i, host_leaf(caps, 0x80000002 + i), "abcd");
	feat->level = host_leaf(caps, 0)->eax;
	feat->xlevel = host_leaf(caps, 0x80000000)->eax;
}

static void identify_max(const struct cpu_capabilities *caps, struct cpu_features *feat)
{
	identify_host(caps, feat);
	if (caps->is_kvm)
		return;
	/* An emulated CPU is not the host's: it says what it is. */
	feat->family = 15;
	feat->cpu_model = 107;
	feat->stepping = 1;
	g_strlcpy(feat->vendor, "AuthenticAMD", sizeof(feat->vendor));
	g_strlcpy(feat->model_id, "QEMU TCG CPU version 2.5+", sizeof(feat->model_id));
}

/* Under KVM the guest sees the host's vendor whatever the model: the host's quirks are the guest's. */
static void identify_model(const struct cpu_config *cfg, const struct cpu_capabilities *caps,
			   struct cpu_features *feat)
{
	struct cpu_model m = cpu_model_effective(cfg->model);

	feat->family = m.family;
	feat->cpu_model = m.model;
	feat->stepping = m.stepping;
	feat->level = m.level;
	feat->xlevel = m.xlevel;
	g_strlcpy(feat->vendor, m.vendor, sizeof(feat->vendor));
	if (caps->is_kvm && !cfg->model->is_empty)
		put_text(feat->vendor, host_leaf(caps, 0), "bdc");
	g_strlcpy(feat->model_id, m.model_id, sizeof(feat->model_id));
}

static void raise_level(uint32_t *level, bool needed, uint32_t min)
{
	if (needed && *level < min)
		*level = min;
}

/* The highest leaves must cover the features shown. */
static void adjust_levels(const struct cpu_config *cfg, struct cpu_features *f)
{
	const uint64_t *w = f->words;

	if (!cfg->full_cpuid_auto_level)
		return;
	raise_level(&f->level, w[FEAT_6_EAX], 6);
	raise_level(&f->level,
		    w[FEAT_7_0_EBX] || w[FEAT_7_0_ECX] || w[FEAT_7_0_EDX] || w[FEAT_7_1_EAX], 7);
	raise_level(&f->level, w[FEAT_XSAVE], 0xd);
	raise_level(&f->level, cfg->intel_pt_auto_level && has(w, FEAT_7_0_EBX, "intel-pt"), 0x14);
	raise_level(&f->level, has(w, FEAT_7_0_EBX, "sgx"), 0x12);
	raise_level(&f->level, has(w, FEAT_7_0_EDX, "amx-tile"), 0x1e);
	raise_level(&f->xlevel, w[FEAT_8000_0001_EDX] || w[FEAT_8000_0001_ECX], 0x80000001);
	raise_level(&f->xlevel, w[FEAT_8000_0007_EDX], 0x80000007);
	raise_level(&f->xlevel, w[FEAT_8000_0008_EBX], 0x80000008);
	raise_level(&f->xlevel, has(w, FEAT_8000_0001_ECX, "svm"), 0x8000000a);
	raise_level(&f->xlevel, has(w, FEAT_8000_0001_ECX, "topoext"), 0x8000001e);
}

static void apply_overrides(const struct cpu_config *cfg, struct cpu_features *f)
{
	if (cfg->family >= 0)
		f->family = cfg->family;
	if (cfg->cpu_model >= 0)
		f->cpu_model = cfg->cpu_model;
	if (cfg->stepping >= 0)
		f->stepping = cfg->stepping;
	f->level = MAX(f->level, cfg->min_level);
	f->xlevel = MAX(f->xlevel, cfg->min_xlevel);
	if (cfg->level >= 0)
		f->level = cfg->level;
	if (cfg->xlevel >= 0)
		f->xlevel = cfg->xlevel;
	if (cfg->vendor)
		g_strlcpy(f->vendor, cfg->vendor, sizeof(f->vendor));
	if (cfg->model_id) {
		memset(f->model_id, 0, sizeof(f->model_id));
		g_strlcpy(f->model_id, cfg->model_id, sizeof(f->model_id));
	}
}

static bool set_phys_bits(const struct cpu_config *cfg, const struct cpu_capabilities *caps,
			  struct cpu_features *f, GError **errp)
{
	if (!has(f->words, FEAT_8000_0001_EDX, "lm")) {
		if (cfg->phys_bits) {
			error_set(errp, "phys-bits is not user-configurable in 32 bit");
			return false;
		}
		f->phys_bits = has(f->words, FEAT_1_EDX, "pse36") ? 36 : 32;
		return true;
	}
	f->phys_bits = cfg->phys_bits;
	if (cfg->host_phys_bits && caps->phys_bits) {
		f->phys_bits = caps->phys_bits;
		if (cfg->host_phys_bits_limit)
			f->phys_bits = MIN(f->phys_bits, cfg->host_phys_bits_limit);
	}
	if (!f->phys_bits)
		f->phys_bits = 40;
	if (f->phys_bits < 32) {
		error_set(errp, "phys-bits should be between 32 and 52  (but is %u)", f->phys_bits);
		return false;
	}
	if (caps->phys_bits && f->phys_bits > caps->phys_bits && cfg->phys_bits)
		warn_report("Host physical bits (%u) does not match phys-bits property (%u)",
			    caps->phys_bits, f->phys_bits);
	return true;
}

static bool settle(const struct cpu_config *cfg, const struct cpu_capabilities *caps,
		   struct cpu_features *out, GError **errp)
{
	drop_dependent(out->words);
	set_xsave_components(caps, out->words);
	if (!strcmp(cfg->model->name, "max"))
		identify_max(caps, out);
	else if (cfg->model->from_host)
		identify_host(caps, out);
	else
		identify_model(cfg, caps, out);
	adjust_levels(cfg, out);
	apply_overrides(cfg, out);
	return set_phys_bits(cfg, caps, out, errp);
}

/* What is neither in a leaf nor in a word. */
static void set_extras(const struct cpu_config *cfg, const struct cpu_capabilities *caps,
		       struct cpu_features *out)
{
	out->lmce = cfg->lmce;
	out->enforce_kvm_cpuid = cfg->kvm_pv_enforce_cpuid;
	out->ucode_rev = cfg->ucode_rev;
	if (!out->ucode_rev && cfg->model->from_host)
		out->ucode_rev = caps->ucode_rev;
}

bool cpu_resolve(const struct cpu_config *cfg, const struct cpu_capabilities *caps,
		 struct cpu_features *out, GError **errp)
{
	memset(out, 0, sizeof(*out));
	if (cfg->model->needs_host && !caps->is_kvm) {
		error_set(errp, "CPU model '%s' requires KVM", cfg->model->name);
		return false;
	}
	collect_wanted(cfg, caps, out->words);
	set_extras(cfg, caps, out);
	return check_lbr(cfg, caps, errp) && filter(cfg, caps, out, errp) &&
	       settle(cfg, caps, out, errp) && cpu_hyperv_resolve(cfg, caps, &out->hv, errp);
}

bool cpu_expand(const struct cpu_config *cfg, const struct cpu_capabilities *caps,
		struct cpu_features *out, GError **errp)
{
	memset(out, 0, sizeof(*out));
	collect_wanted(cfg, caps, out->words);
	return settle(cfg, caps, out, errp);
}

uint32_t cpu_signature(const struct cpu_features *f)
{
	uint32_t family = f->family > 0xf ? 0xf00 | (f->family - 0xf) << 20 : f->family << 8;

	return family | (f->cpu_model & 0xf) << 4 | (f->cpu_model >> 4) << 16 | f->stepping;
}
