/*
 * Hyper-V enlightenments: which can be had, and the leaves that tell of them.
 *
 * A guest made for Hyper-V finds CPUID leaves from 40000000H on where KVM's own would be, which move
 * up by 100H. A feature is one or two fields of bits in them; which ones: Hyper-V Top Level Functional
 * Specification, Feature and Interface Discovery.
 */
#include "base/checked.h"
#include "internal.h"

enum {
	LEAF_VENDOR = 0x40000000,
	LEAF_INTERFACE,
	LEAF_VERSION,
	LEAF_FEATURES,
	LEAF_ADVICE,
	LEAF_LIMITS,
	LEAF_NESTED = 0x4000000a,
	LEAF_DEBUG_VENDOR = 0x40000080,
	LEAF_DEBUG_INTERFACE,
	LEAF_DEBUG_PLATFORM,
};
enum { EAX, EBX, ECX, EDX };

#define FEATURE_HYPERCALL      BIT(5)  /* LEAF_FEATURES EAX */
#define FEATURE_POST_MESSAGES  BIT(4)  /* EBX */
#define FEATURE_SIGNAL_EVENTS  BIT(5)  /* EBX */
#define FEATURE_CPU_PARTITIONS BIT(3)  /* EDX: CPUs may be plugged in */
#define ADVICE_APIC_MSRS       BIT(3)  /* LEAF_ADVICE EAX */
#define ADVICE_NO_CORESHARING  BIT(18) /* EAX */
#define ADVICE_PROCESSOR_MASKS BIT(11) /* EAX: more than 64 processors */
#define DEBUG_ALLOW_KERNEL     BIT(1)  /* LEAF_DEBUG_PLATFORM EAX */
#define LOGICAL_PROCESSORS     64

struct hv_bits {
	uint32_t leaf;
	uint8_t reg;
	uint32_t bits;
};

static const struct {
	const char *desc; /* as messages have it */
	struct hv_bits bits[2];
	uint32_t needs; /* other features, by bit */
} features[HV_FEATURES] = {
	[HV_RELAXED] = {"relaxed timing (hv-relaxed)", {{LEAF_ADVICE, EAX, BIT(5)}}},
	[HV_VAPIC] = {"virtual APIC (hv-vapic)", {{LEAF_FEATURES, EAX, BIT(4)}}},
	[HV_TIME] = {"clocksources (hv-time)", {{LEAF_FEATURES, EAX, BIT(1) | BIT(9)}}},
	[HV_CRASH] = {"crash MSRs (hv-crash)", {{LEAF_FEATURES, EDX, BIT(10)}}},
	[HV_RESET] = {"reset MSR (hv-reset)", {{LEAF_FEATURES, EAX, BIT(7)}}},
	[HV_VPINDEX] = {"VP_INDEX MSR (hv-vpindex)", {{LEAF_FEATURES, EAX, BIT(6)}}},
	[HV_RUNTIME] = {"VP_RUNTIME MSR (hv-runtime)", {{LEAF_FEATURES, EAX, BIT(0)}}},
	[HV_SYNIC] = {"synthetic interrupt controller (hv-synic)", {{LEAF_FEATURES, EAX, BIT(2)}}},
	[HV_STIMER] = {"synthetic timers (hv-stimer)",
		       {{LEAF_FEATURES, EAX, BIT(3)}},
		       BIT(HV_SYNIC) | BIT(HV_TIME)},
	[HV_FREQUENCIES] = {"frequency MSRs (hv-frequencies)",
			    {{LEAF_FEATURES, EAX, BIT(11)}, {LEAF_FEATURES, EDX, BIT(8)}}},
	[HV_REENLIGHTENMENT] = {"reenlightenment MSRs (hv-reenlightenment)",
				{{LEAF_FEATURES, EAX, BIT(13)}}},
	[HV_TLBFLUSH] = {"paravirtualized TLB flush (hv-tlbflush)",
			 {{LEAF_ADVICE, EAX, BIT(2) | ADVICE_PROCESSOR_MASKS}},
			 BIT(HV_VPINDEX)},
	[HV_EVMCS] = {"enlightened VMCS (hv-evmcs)", {{LEAF_ADVICE, EAX, BIT(14)}}, BIT(HV_VAPIC)},
	[HV_IPI] = {"paravirtualized IPI (hv-ipi)",
		    {{LEAF_ADVICE, EAX, BIT(10) | ADVICE_PROCESSOR_MASKS}},
		    BIT(HV_VPINDEX)},
	[HV_STIMER_DIRECT] = {"direct mode synthetic timers (hv-stimer-direct)",
			      {{LEAF_FEATURES, EDX, BIT(19)}},
			      BIT(HV_STIMER)},
	[HV_AVIC] = {"AVIC/APICv support (hv-avic/hv-apicv)", {{LEAF_ADVICE, EAX, BIT(9)}}},
	[HV_SYNDBG] = {"Enable synthetic kernel debugger channel (hv-syndbg)",
		       {{LEAF_FEATURES, EDX, BIT(11)}},
		       BIT(HV_SYNIC) | BIT(HV_RELAXED)},
	[HV_EMSR_BITMAP] = {"enlightened MSR-Bitmap (hv-emsr-bitmap)",
			    {{LEAF_NESTED, EAX, BIT(19)}}},
	[HV_XMM_INPUT] = {"XMM fast hypercall input (hv-xmm-input)",
			  {{LEAF_FEATURES, EDX, BIT(4)}}},
	[HV_TLBFLUSH_EXT] = {"Extended gva ranges for TLB flush hypercalls (hv-tlbflush-ext)",
			     {{LEAF_FEATURES, EDX, BIT(14)}},
			     BIT(HV_TLBFLUSH)},
	[HV_TLBFLUSH_DIRECT] = {"direct TLB flush (hv-tlbflush-direct)",
				{{LEAF_NESTED, EAX, BIT(17)}},
				BIT(HV_VAPIC)},
};

static uint32_t host_reg(const struct cpu_capabilities *caps, uint32_t leaf, unsigned reg)
{
	const struct cpuid_leaf *l = cpuid_find(&caps->hyperv, leaf, 0);
	const uint32_t regs[] = {l ? l->eax : 0, l ? l->ebx : 0, l ? l->ecx : 0, l ? l->edx : 0};

	return regs[reg];
}

static bool supported(const struct cpu_capabilities *caps, enum hv_feature feature)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct hv_bits *b = &features[feature].bits[i];

		if ((host_reg(caps, b->leaf, b->reg) & b->bits) != b->bits)
			return false;
	}
	return true;
}

static bool wanted(const struct cpu_config *cfg)
{
	bool any = cfg->hv_passthrough || cfg->hv_spinlocks != HV_SPINLOCKS_NEVER;

	for (unsigned f = 0; f < HV_FEATURES; f++)
		any |= cfg->hv[f];
	return any;
}

static bool requires(enum hv_feature feature, enum hv_feature other, GError **errp)
{
	error_set(errp, "Hyper-V %s requires Hyper-V %s", features[feature].desc,
		  features[other].desc);
	return false;
}

static bool check(const struct cpu_hyperv *hv, const struct cpu_capabilities *caps,
		  enum hv_feature feature, GError **errp)
{
	if (!supported(caps, feature)) {
		error_set(errp, "Hyper-V %s is not supported by kernel", features[feature].desc);
		return false;
	}
	for (unsigned other = 0; other < HV_FEATURES; other++) {
		if ((features[feature].needs & BIT(other)) && !hv->have[other])
		return requires(feature, other, errp);
	}
	return true;
}

static void set_identity(const struct cpu_config *cfg, struct cpu_hyperv *hv)
{
	const struct hv_version *v = &cfg->hv_version;
	const char *vendor = cfg->hv_vendor_id ? cfg->hv_vendor_id : "Microsoft Hv";

	memcpy(hv->vendor, vendor, MIN(strlen(vendor), sizeof(hv->vendor)));
	memcpy(hv->interface, "Hv#1", 4);
	hv->version[EAX] = v->build;
	hv->version[EBX] = (uint32_t)v->major << 16 | v->minor;
	hv->version[ECX] = v->service_pack;
	hv->version[EDX] = (uint32_t)v->service_branch << 24 | (v->service_number & 0xffffff);
	hv->limits[EAX] = cfg->hv_max_vps;
	hv->limits[EBX] = LOGICAL_PROCESSORS;
	hv->apic_msrs_advised = cfg->hv[HV_VAPIC];
	hv->spinlocks = cfg->hv_spinlocks;
}

/* Everything as the host's kernel would have it, advice that is no feature left out. */
static void pass_through(const struct cpu_capabilities *caps, struct cpu_hyperv *hv)
{
	for (unsigned i = 0; i < 3; i++) {
		uint32_t v = host_reg(caps, LEAF_VENDOR, EBX + i);

		memcpy(hv->vendor + 4 * i, &v, 4);
	}
	for (unsigned i = 0; i < 4; i++) {
		hv->interface[i] = host_reg(caps, LEAF_INTERFACE, i);
		hv->version[i] = host_reg(caps, LEAF_VERSION, i);
		hv->limits[i] = host_reg(caps, LEAF_LIMITS, i);
	}
	hv->spinlocks = host_reg(caps, LEAF_ADVICE, EBX);
	for (unsigned f = 0; f < HV_FEATURES; f++)
		hv->have[f] = supported(caps, f);
}

bool cpu_hyperv_resolve(const struct cpu_config *cfg, const struct cpu_capabilities *caps,
			struct cpu_hyperv *hv, GError **errp)
{
	uint32_t host = host_reg(caps, LEAF_ADVICE, EAX);

	if (!caps->is_kvm || !wanted(cfg))
		return true;
	if (cfg->hv[HV_VPINDEX] && !caps->hyperv_vpindex) {
		error_set(errp, "kernel doesn't allow setting HyperV VP_INDEX");
		return false;
	}
	if (!caps->hyperv.count) {
		warn_report("This host's KVM has no Hyper-V enlightenments; hv-* are ignored");
		return true;
	}
	hv->on = true;
	hv->synic_kvm_only = cfg->hv_synic_kvm_only;
	hv->enforce_cpuid = cfg->hv_enforce_cpuid;
	set_identity(cfg, hv);
	memcpy(hv->have, cfg->hv, sizeof(hv->have));
	if (cfg->hv_passthrough)
		pass_through(caps, hv);
	hv->no_nonarch_coresharing = cfg->hv_no_nonarch_coresharing == ONOFFAUTO_ON ||
				     (cfg->hv_no_nonarch_coresharing == ONOFFAUTO_AUTO &&
				      (host & ADVICE_NO_CORESHARING));
	for (unsigned f = 0; f < HV_FEATURES; f++) {
		if (hv->have[f] && !check(hv, caps, f, errp))
			return false;
	}
	if (hv->have[HV_SYNIC] && !hv->synic_kvm_only && !hv->have[HV_VPINDEX])
	return requires(HV_SYNIC, HV_VPINDEX, errp);
	return true;
}

/* ---- Leaves ---- */

static uint32_t bits_of(const struct cpu_hyperv *hv, uint32_t leaf, unsigned reg)
{
	uint32_t bits = 0;

	for (unsigned f = 0; f < HV_FEATURES; f++) {
		for (unsigned i = 0; hv->have[f] && i < 2; i++) {
			const struct hv_bits *b = &features[f].bits[i];

			if (b->leaf == leaf && b->reg == reg)
				bits |= b->bits;
		}
	}
	return bits;
}

static struct cpuid_leaf *add(struct cpuid_table *out, uint32_t leaf)
{
	struct cpuid_leaf *l = &out->leaf[out->count++];

	g_assert(out->count <= CPUID_LEAVES_MAX);
	*l = (struct cpuid_leaf){.leaf = leaf};
	return l;
}

static void add_text(struct cpuid_table *out, uint32_t leaf, uint32_t highest, const char *text)
{
	struct cpuid_leaf *l = add(out, leaf);

	l->eax = highest;
	l->ebx = get_le32(text);
	l->ecx = get_le32(text + 4);
	l->edx = get_le32(text + 8);
}

static void add_regs(struct cpuid_table *out, uint32_t leaf, const uint32_t regs[4])
{
	*add(out, leaf) = (struct cpuid_leaf){
		.leaf = leaf,
		.eax = regs[EAX],
		.ebx = regs[EBX],
		.ecx = regs[ECX],
		.edx = regs[EDX],
	};
}

static void add_features(const struct cpu_hyperv *hv, struct cpuid_table *out)
{
	struct cpuid_leaf *l = add(out, LEAF_FEATURES);

	l->eax = bits_of(hv, LEAF_FEATURES, EAX) | FEATURE_HYPERCALL;
	l->ebx = bits_of(hv, LEAF_FEATURES, EBX);
	l->edx = bits_of(hv, LEAF_FEATURES, EDX) | FEATURE_CPU_PARTITIONS;
	if (hv->have[HV_SYNIC] && !hv->synic_kvm_only)
		l->ebx |= FEATURE_POST_MESSAGES | FEATURE_SIGNAL_EVENTS;
	l = add(out, LEAF_ADVICE);
	l->eax = bits_of(hv, LEAF_ADVICE, EAX);
	l->ebx = hv->spinlocks;
	if (hv->apic_msrs_advised)
		l->eax |= ADVICE_APIC_MSRS;
	if (hv->no_nonarch_coresharing)
		l->eax |= ADVICE_NO_CORESHARING;
}

static void add_debugger(struct cpuid_table *out)
{
	add_text(out, LEAF_DEBUG_VENDOR, 0, "Microsoft VS");
	add(out, LEAF_DEBUG_INTERFACE)->eax = get_le32("VS#1");
	add(out, LEAF_DEBUG_PLATFORM)->eax = DEBUG_ALLOW_KERNEL;
}

void cpu_hyperv_leaves(const struct cpu_hyperv *hv, struct cpuid_table *out)
{
	uint32_t nested = bits_of(hv, LEAF_NESTED, EAX);
	uint32_t highest;

	if (!hv->on)
		return;
	if (hv->have[HV_EVMCS])
		nested |= HV_EVMCS_VERSION;
	highest = nested ? LEAF_NESTED : LEAF_LIMITS;
	add_text(out, LEAF_VENDOR, hv->have[HV_SYNDBG] ? LEAF_DEBUG_PLATFORM : highest, hv->vendor);
	add_regs(out, LEAF_INTERFACE, hv->interface);
	add_regs(out, LEAF_VERSION, hv->version);
	add_features(hv, out);
	add_regs(out, LEAF_LIMITS, hv->limits);
	if (nested) {
		for (uint32_t leaf = LEAF_LIMITS + 1; leaf < LEAF_NESTED; leaf++)
			add(out, leaf);
		add(out, LEAF_NESTED)->eax = nested;
	}
	if (hv->have[HV_SYNDBG])
		add_debugger(out);
}
