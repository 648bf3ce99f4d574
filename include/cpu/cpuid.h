/*
 * What a vCPU says of itself: features by name, models, topology, CPUID leaves.
 *
 * Pure data and functions over it. A model is a row of a table (src/cpu/models.c); a feature is a bit
 * of a word with a name (src/cpu/features.c). `-cpu NAME,+feat,feat=off,prop=value` is parsed into
 * struct cpu_config; cpu_resolve() combines it with what the accelerator can do, and
 * cpu_build_cpuid() yields the leaves a guest sees. Names, defaults, contents: QEMU 7.2's.
 */
#ifndef CPU_CPUID_H
#define CPU_CPUID_H

#include "api/json.h"
#include "base/common.h"
#include "base/error.h"
#include "base/field.h"

/* -smp. Zero means "not given" until cpu_topology_complete() has run. */
struct cpu_topology {
	unsigned cpus, maxcpus;
	unsigned sockets, dies, cores, threads;
};

/* Fills in what was left out (cores before sockets, as QEMU since 6.2) and checks, with QEMU's texts. */
bool cpu_topology_complete(struct cpu_topology *topo, unsigned machine_max,
			   const char *machine_name, GError **errp);

/* Place of a CPU, and the APIC ID that encodes it: each field padded to a power of two. */
struct cpu_place {
	unsigned socket, die, core, thread;
	uint32_t apic_id;
};
struct cpu_place cpu_place_of_index(const struct cpu_topology *topo, unsigned index);

struct cpuid_leaf {
	uint32_t leaf, subleaf;
	bool has_subleaf; /* subleaf is significant */
	uint32_t eax, ebx, ecx, edx;
};
#define CPUID_LEAVES_MAX 256
struct cpuid_table {
	unsigned count;
	struct cpuid_leaf leaf[CPUID_LEAVES_MAX];
};
const struct cpuid_leaf *cpuid_find(const struct cpuid_table *t, uint32_t leaf, uint32_t subleaf);

/* Words of feature bits: CPUID registers, and MSRs whose bits are features. */
enum feature_word {
	FEAT_1_EDX,
	FEAT_1_ECX,
	FEAT_7_0_EBX,
	FEAT_7_0_ECX,
	FEAT_7_0_EDX,
	FEAT_7_1_EAX,
	FEAT_8000_0001_EDX,
	FEAT_8000_0001_ECX,
	FEAT_8000_0007_EDX,
	FEAT_8000_0008_EBX,
	FEAT_C000_0001_EDX,
	FEAT_KVM,
	FEAT_KVM_HINTS,
	FEAT_SVM,
	FEAT_XSAVE,
	FEAT_6_EAX,
	FEAT_XSAVE_XCR0_LO,
	FEAT_XSAVE_XCR0_HI,
	FEAT_XSAVE_XSS_LO,
	FEAT_XSAVE_XSS_HI,
	FEAT_ARCH_CAPABILITIES,
	FEAT_CORE_CAPABILITY,
	FEAT_PERF_CAPABILITIES,
	FEAT_14_0_ECX,
	FEAT_SGX_12_0_EAX,
	FEAT_SGX_12_0_EBX,
	FEAT_SGX_12_1_EAX,
	FEAT_VMX_PROCBASED_CTLS,
	FEAT_VMX_SECONDARY_CTLS,
	FEAT_VMX_PINBASED_CTLS,
	FEAT_VMX_EXIT_CTLS,
	FEAT_VMX_ENTRY_CTLS,
	FEAT_VMX_MISC,
	FEAT_VMX_EPT_VPID_CAPS,
	FEAT_VMX_BASIC,
	FEAT_VMX_VMFUNC,
	FEAT_WORDS
};

/* Where a word lives. */
struct feature_word_info {
	const char *name; /* for messages: "CPUID.01H:EDX" or "MSR(10AH)" as QEMU writes it */
	bool is_msr;
	uint32_t leaf, subleaf; /* or MSR index in leaf */
	bool has_subleaf;
	uint8_t reg; /* 0 EAX, 1 EBX, 2 ECX, 3 EDX */
};
extern const struct feature_word_info feature_words[FEAT_WORDS];

/* What an accelerator can offer. */
struct cpu_capabilities {
	uint64_t words[FEAT_WORDS];
	struct cpuid_table
		host; /* the leaves as the accelerator reports them: `host`, `max` copy from here */
	unsigned phys_bits;
	unsigned tsc_khz;
	bool is_kvm; /* the guest may be told so; otherwise the CPU is emulated */
	/* Hyper-V's leaves as the accelerator offers them; count 0: it knows no enlightenments. */
	struct cpuid_table hyperv;
	bool hyperv_vpindex; /* a virtual processor's number can be chosen */
	uint64_t ucode_rev;  /* microcode revision of the host; 0: not known */
};

/*
 * Hyper-V enlightenments: what a guest made for Hyper-V finds, leaf by leaf and register by register,
 * as the Hyper-V Top Level Functional Specification has it. The order is that in which they are
 * checked.
 */
enum hv_feature {
	HV_RELAXED,
	HV_VAPIC,
	HV_TIME,
	HV_CRASH,
	HV_RESET,
	HV_VPINDEX,
	HV_RUNTIME,
	HV_SYNIC,
	HV_STIMER,
	HV_FREQUENCIES,
	HV_REENLIGHTENMENT,
	HV_TLBFLUSH,
	HV_EVMCS,
	HV_IPI,
	HV_STIMER_DIRECT,
	HV_AVIC,
	HV_SYNDBG,
	HV_EMSR_BITMAP,
	HV_XMM_INPUT,
	HV_TLBFLUSH_EXT,
	HV_TLBFLUSH_DIRECT,
	HV_FEATURES
};
#define HV_SPINLOCKS_NEVER UINT32_MAX /* do not tell the hypervisor of long spinning */

/* hv-version-id-*: what the guest takes the hypervisor for. */
struct hv_version {
	uint32_t build, service_pack, service_number;
	uint16_t major, minor;
	uint8_t service_branch;
};

struct cpu_model;

/* Outcome of parsing -cpu. Strings are owned. */
struct cpu_config {
	const struct cpu_model *model;
	uint64_t plus[FEAT_WORDS], minus[FEAT_WORDS];
	/* Properties that are no feature bits; their rows are cpu_config_rows. */
	bool check, enforce, migratable, host_phys_bits, kvm, l3_cache, host_cache_info, pmu;
	bool fill_mtrr_mask, full_cpuid_auto_level, legacy_cache, vmware_cpuid_freq, force_features;
	bool cpuid_0xb, hv_passthrough, lmce;
	uint32_t phys_bits; /* 0: the model's or host's */
	uint32_t host_phys_bits_limit;
	uint32_t min_level, min_xlevel;                              /* 0: the model's */
	uint64_t tsc_freq;                                           /* Hz, 0: the host's */
	int64_t level, xlevel, xlevel2, family, cpu_model, stepping; /* -1: the model's */
	char *vendor, *model_id;
	bool tcg_cpuid, kvm_pv_enforce_cpuid, intel_pt_auto_level, vendor_cpuid_only;
	uint64_t ucode_rev;  /* 0: as the processor's vendor has it */
	uint64_t lbr_fmt;    /* CPU_LBR_FMT_NONE: no last branch records */
	int64_t level_func7; /* -1: as needed */
	uint32_t min_xlevel2;
	/* Of the format of a snapshot, or of a machine that is off: they change nothing here. */
	bool migrate_smi_count, no_smi_migration, powered_off;

	bool hv[HV_FEATURES];
	bool hv_enforce_cpuid, hv_synic_kvm_only;
	int hv_no_nonarch_coresharing; /* enum onoffauto */
	uint32_t hv_spinlocks;
	int32_t hv_max_vps; /* -1: as many as there are by default */
	struct hv_version hv_version;
	char *hv_vendor_id;
};
#define CPU_LBR_FMT_NONE (~0x3fULL)
extern const struct field cpu_config_rows[];

/* Parses "NAME[,+feat][,-feat][,feat=on|off][,prop=value]"; @text is -cpu's argument. */
bool cpu_config_parse(const char *text, struct cpu_config *cfg, GError **errp);
void cpu_config_clear(struct cpu_config *cfg);
/* From a model and JSON: {"avx":true,"level":13}. Booleans and numbers are JSON's. */
bool cpu_config_from_json(const char *model, json_object *props, struct cpu_config *cfg,
			  GError **errp);
/* A copy with strings of its own. */
void cpu_config_copy(struct cpu_config *to, const struct cpu_config *from);

/* Enlightenments as they were settled. */
struct cpu_hyperv {
	bool on;
	bool have[HV_FEATURES];
	bool synic_kvm_only, enforce_cpuid, no_nonarch_coresharing, apic_msrs_advised;
	uint32_t spinlocks;
	char vendor[12]; /* not terminated */
	uint32_t interface[4], version[4], limits[4];
};
/* Version of enlightened VMCSs: the lowest and highest are 1. */
#define HV_EVMCS_VERSION 0x0101

/* Final features: the model, the user, dependencies and the accelerator have had their say. */
struct cpu_features {
	uint64_t words[FEAT_WORDS];
	uint64_t unavailable[FEAT_WORDS]; /* asked for, not to be had */
	uint32_t family, cpu_model, stepping, level, xlevel, phys_bits;
	char vendor[13];
	char model_id[49];
	struct cpu_hyperv hv;
	uint64_t ucode_rev; /* 0: the accelerator knows */
	bool lmce, enforce_kvm_cpuid;
};

/* `check` warns about what is missing (a line each, QEMU's wording), `enforce` makes it an error. */
bool cpu_resolve(const struct cpu_config *cfg, const struct cpu_capabilities *caps,
		 struct cpu_features *out, GError **errp);
/* The same without the accelerator's say: what was asked for, had or not. */
bool cpu_expand(const struct cpu_config *cfg, const struct cpu_capabilities *caps,
		struct cpu_features *out, GError **errp);

/* The leaves of the CPU at @place. */
void cpu_build_cpuid(const struct cpu_config *cfg, const struct cpu_capabilities *caps,
		     const struct cpu_features *feat, const struct cpu_topology *topo,
		     const struct cpu_place *place, struct cpuid_table *out);

/* CPUID 1 EAX of the features: EDX after reset. */
uint32_t cpu_signature(const struct cpu_features *feat);

/* ---- Listing ---- */
const struct cpu_model *cpu_model_next(
	const struct cpu_model *model); /* NULL: the first; NULL at the end */
const struct cpu_model *cpu_model_find(const char *name);
const char *cpu_model_name(const struct cpu_model *model);
const char *cpu_model_description(const struct cpu_model *model);
bool cpu_model_needs_host(const struct cpu_model *model); /* "host" */
bool cpu_model_from_host(const struct cpu_model *model);  /* "host", "max" */
bool cpu_model_is_empty(const struct cpu_model *model); /* "base": the same everywhere, for ever */
const char *cpu_model_alias_of(const struct cpu_model *model); /* NULL: no alias */
void cpu_print_help(GString *out);                             /* -cpu help */

/* A bit's name, or NULL; and the reverse ('_' for '-' and old spellings accepted). */
const char *cpu_feature_name(enum feature_word word, unsigned bit);
bool cpu_feature_find(const char *name, enum feature_word *word, unsigned *bit);
void cpu_feature_foreach(void (*fn)(const char *name, enum feature_word word, unsigned bit,
				    void *opaque),
			 void *opaque);
/* The same for spellings of old that are shown beside those of today: "sse3", "lahf_lm". */
void cpu_feature_foreach_alias(void (*fn)(const char *name, enum feature_word word, unsigned bit,
					  void *opaque),
			       void *opaque);

/* ---- As clients see it ---- */

/*
 * What a model comes to, as an object of properties (caller owns). Not @full: what is enough to make
 * the same CPU from "base"; @full: everything -cpu takes.
 */
json_object *cpu_expansion(const struct cpu_config *cfg, const struct cpu_features *feat,
			   bool full);
/* Names of the bits set in @words (borrowed; caller frees the array). */
GPtrArray *cpu_feature_names(const uint64_t words[FEAT_WORDS]);

#endif
