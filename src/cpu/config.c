/*
 * Parsing -cpu NAME[,+feat][,-feat][,feat=on|off][,prop=value].
 */
#include "api/codec.h"
#include "caches.h"
#include "internal.h"

#define HV(_feature, _name, _help) PROP_BOOL(struct cpu_config, hv[_feature], _name, false, _help)

const struct field cpu_config_rows[] = {
	PROP_BOOL(struct cpu_config, check, "check", true,
		  "Warn about features that cannot be had"),
	PROP_BOOL(struct cpu_config, enforce, "enforce", false,
		  "Refuse to start without a feature asked for"),
	PROP_BOOL(struct cpu_config, migratable, "migratable", true,
		  "Leave out features that bind the guest to this host (host, max)"),
	PROP_BOOL(struct cpu_config, host_phys_bits, "host-phys-bits", false,
		  "Physical address width of the host"),
	PROP_BOOL(struct cpu_config, kvm, "kvm", true, "Show the KVM signature and its features"),
	PROP_BOOL(struct cpu_config, l3_cache, "l3-cache", true, "Report a level 3 cache"),
	PROP_BOOL(struct cpu_config, host_cache_info, "host-cache-info", false,
		  "Report the host's caches"),
	PROP_BOOL(struct cpu_config, pmu, "pmu", false, "Offer a performance monitoring unit"),
	PROP_BOOL(struct cpu_config, fill_mtrr_mask, "fill-mtrr-mask", true,
		  "Variable MTRR masks cover all physical bits"),
	PROP_BOOL(struct cpu_config, full_cpuid_auto_level, "full-cpuid-auto-level", true,
		  "Raise the highest leaf to cover all features"),
	PROP_BOOL(struct cpu_config, legacy_cache, "legacy-cache", true,
		  "Report the caches of old QEMU processors"),
	PROP_BOOL(struct cpu_config, vmware_cpuid_freq, "vmware-cpuid-freq", true,
		  "Report TSC and APIC frequency in leaf 40000010H"),
	PROP_BOOL(struct cpu_config, force_features, "x-force-features", false,
		  "Keep features the accelerator does not offer"),
	PROP_BOOL(struct cpu_config, cpuid_0xb, "cpuid-0xb", true, "Offer the topology leaf BH"),
	PROP_BOOL(struct cpu_config, lmce, "lmce", false,
		  "Machine checks for one CPU alone, where the host has them"),
	PROP_BOOL(struct cpu_config, hv_passthrough, "hv-passthrough", false,
		  "Offer every Hyper-V enlightenment of the host"),
	PROP_UINT(struct cpu_config, phys_bits, "phys-bits", 0, 52,
		  "Physical address width; 0: the default"),
	PROP_UINT(struct cpu_config, host_phys_bits_limit, "host-phys-bits-limit", 0, 52,
		  "Upper limit of host-phys-bits; 0: none"),
	PROP_SIZE(struct cpu_config, tsc_freq, "tsc-frequency", 0,
		  "TSC frequency in Hz; 0: the host's"),
	PROP_INT(struct cpu_config, level, "level", -1, -1, UINT32_MAX, "Highest basic leaf"),
	PROP_INT(struct cpu_config, xlevel, "xlevel", -1, -1, UINT32_MAX, "Highest extended leaf"),
	PROP_UINT(struct cpu_config, min_level, "min-level", 0, UINT32_MAX,
		  "Lower limit of the highest basic leaf"),
	PROP_UINT(struct cpu_config, min_xlevel, "min-xlevel", 0, UINT32_MAX,
		  "Lower limit of the highest extended leaf"),
	PROP_INT(struct cpu_config, xlevel2, "xlevel2", -1, -1, UINT32_MAX, "Highest Centaur leaf"),
	PROP_INT(struct cpu_config, family, "family", -1, -1, 0xff + 0xf, "Processor family"),
	PROP_INT(struct cpu_config, cpu_model, "model", -1, -1, 0xff, "Processor model"),
	PROP_INT(struct cpu_config, stepping, "stepping", -1, -1, 0xf, "Processor stepping"),
	PROP_STRING(struct cpu_config, vendor, "vendor", NULL, "Vendor, 12 characters"),
	PROP_STRING(struct cpu_config, model_id, "model-id", NULL,
		    "Brand string, up to 48 characters"),
	PROP_UINT(struct cpu_config, min_xlevel2, "min-xlevel2", 0, UINT32_MAX,
		  "Lower limit of the highest Centaur leaf"),
	PROP_INT(struct cpu_config, level_func7, "level-func7", -1, -1, UINT32_MAX,
		 "Highest subleaf of leaf 7"),
	PROP_UINT(struct cpu_config, ucode_rev, "ucode-rev", 0, UINT64_MAX,
		  "Microcode revision; 0: the vendor's usual"),
	PROP_UINT(struct cpu_config, lbr_fmt, "lbr-fmt", CPU_LBR_FMT_NONE, UINT64_MAX,
		  "Format of last branch records, which must be the host's"),
	PROP_BOOL(struct cpu_config, tcg_cpuid, "tcg-cpuid", true,
		  "Show a signature where the CPU is emulated"),
	PROP_BOOL(struct cpu_config, kvm_pv_enforce_cpuid, "kvm-pv-enforce-cpuid", false,
		  "KVM refuses what its features leaf does not offer"),
	PROP_BOOL(struct cpu_config, intel_pt_auto_level, "x-intel-pt-auto-level", true,
		  "Raise the highest leaf for processor trace"),
	PROP_BOOL(struct cpu_config, vendor_cpuid_only, "x-vendor-cpuid-only", true,
		  "Leave out cache leaves of other vendors"),
	PROP_BOOL(struct cpu_config, migrate_smi_count, "x-migrate-smi-count", true,
		  "Save the count of system management interrupts"),
	PROP_BOOL(struct cpu_config, no_smi_migration, "kvm-no-smi-migration", false,
		  "Leave pending system management interrupts out of what is saved"),
	PROP_BOOL(struct cpu_config, powered_off, "start-powered-off", false,
		  "Without effect on this architecture"),
	HV(HV_RELAXED, "hv-relaxed", "No watchdogs in the guest"),
	HV(HV_VAPIC, "hv-vapic", "APIC registers as MSRs, assist page"),
	HV(HV_TIME, "hv-time", "Reference time counter and TSC page"),
	HV(HV_CRASH, "hv-crash", "Guest tells of its crash"),
	HV(HV_RESET, "hv-reset", "Reset by an MSR"),
	HV(HV_VPINDEX, "hv-vpindex", "Number of a virtual processor"),
	HV(HV_RUNTIME, "hv-runtime", "Time a virtual processor has run"),
	HV(HV_SYNIC, "hv-synic", "Synthetic interrupt controller"),
	HV(HV_STIMER, "hv-stimer", "Synthetic timers"),
	HV(HV_STIMER_DIRECT, "hv-stimer-direct", "Synthetic timers that interrupt directly"),
	HV(HV_FREQUENCIES, "hv-frequencies", "TSC and APIC frequency"),
	HV(HV_REENLIGHTENMENT, "hv-reenlightenment", "Notice of a changed TSC frequency"),
	HV(HV_TLBFLUSH, "hv-tlbflush", "TLB flush by hypercall"),
	HV(HV_TLBFLUSH_EXT, "hv-tlbflush-ext", "TLB flush of ranges by hypercall"),
	HV(HV_TLBFLUSH_DIRECT, "hv-tlbflush-direct", "TLB flush for nested guests"),
	HV(HV_EVMCS, "hv-evmcs", "Enlightened VMCS for nested guests"),
	HV(HV_IPI, "hv-ipi", "Interprocessor interrupts by hypercall"),
	HV(HV_AVIC, "hv-avic", "Hardware virtualizes the APIC: no automatic EOI"),
	HV(HV_AVIC, "hv-apicv", "The same as hv-avic"),
	HV(HV_XMM_INPUT, "hv-xmm-input", "Hypercall arguments in XMM registers"),
	HV(HV_EMSR_BITMAP, "hv-emsr-bitmap", "Enlightened MSR bitmap for nested guests"),
	HV(HV_SYNDBG, "hv-syndbg", "Synthetic kernel debugger"),
	PROP_BOOL(struct cpu_config, hv_enforce_cpuid, "hv-enforce-cpuid", false,
		  "KVM refuses enlightenments that are not on"),
	PROP_ENUM(struct cpu_config, hv_no_nonarch_coresharing, "hv-no-nonarch-coresharing",
		  onoffauto_names, ONOFFAUTO_OFF,
		  "Virtual processors share a core only where the topology says so"),
	PROP_BOOL(struct cpu_config, hv_synic_kvm_only, "x-hv-synic-kvm-only", false,
		  "No messages and events from outside KVM"),
	PROP_INT(struct cpu_config, hv_max_vps, "x-hv-max-vps", -1, INT32_MIN, INT32_MAX,
		 "Virtual processors the hypervisor supports; -1: the default"),
	PROP_UINT(struct cpu_config, hv_version.build, "hv-version-id-build", 14393, UINT32_MAX,
		  "Build number of the hypervisor"),
	PROP_UINT(struct cpu_config, hv_version.major, "hv-version-id-major", 10, UINT16_MAX,
		  "Major version of the hypervisor"),
	PROP_UINT(struct cpu_config, hv_version.minor, "hv-version-id-minor", 0, UINT16_MAX,
		  "Minor version of the hypervisor"),
	PROP_UINT(struct cpu_config, hv_version.service_pack, "hv-version-id-spack", 0, UINT32_MAX,
		  "Service pack of the hypervisor"),
	PROP_UINT(struct cpu_config, hv_version.service_branch, "hv-version-id-sbranch", 0,
		  UINT8_MAX, "Service branch of the hypervisor"),
	PROP_UINT(struct cpu_config, hv_version.service_number, "hv-version-id-snumber", 0,
		  UINT32_MAX, "Service number of the hypervisor"),
	PROP_UINT(struct cpu_config, hv_spinlocks, "hv-spinlocks", UINT32_MAX, UINT32_MAX,
		  "Spin retries before a Hyper-V guest yields"),
	PROP_STRING(struct cpu_config, hv_vendor_id, "hv-vendor-id", NULL,
		    "Hyper-V vendor, up to 12 characters"),
	FIELD_ROW_END,
};

void cpu_config_clear(struct cpu_config *cfg)
{
	fields_clear(cpu_config_rows, cfg);
}

static void collect_name(const char *name, enum feature_word word, unsigned bit, void *opaque)
{
	g_ptr_array_add(opaque, (void *)name);
}

static void unknown_property(const char *model, const char *name, GError **errp)
{
	g_autoptr(GPtrArray) known = g_ptr_array_new();
	const char *near;

	cpu_feature_foreach(collect_name, known);
	FIELDS_FOREACH (row, cpu_config_rows)
		g_ptr_array_add(known, (void *)row->name);
	g_ptr_array_add(known, NULL);
	near = nearest_name(name, (const char *const *)known->pdata);
	error_set(errp, "Property '%s-x86_64-cpu.%s' not found", model, name);
	if (near)
		error_add_hint(errp, "Did you mean '%s'?", near);
}

/* A later mention of a feature overrides an earlier one. */
static void set_feature(struct cpu_config *cfg, enum feature_word word, unsigned bit, bool on)
{
	uint64_t mask = cpu_feature_mask(word, cpu_feature_name(word, bit));

	cfg->plus[word] &= ~mask;
	cfg->minus[word] &= ~mask;
	if (on)
		cfg->plus[word] |= mask;
	else
		cfg->minus[word] |= mask;
}

static bool parse_switch(const char *value, bool *on, const char *name, GError **errp)
{
	struct {
		bool b;
	} tmp = {false};
	const struct field row = {
		.name = name,
		.kind = FIELD_BOOL,
		.width = 1,
		.flags = FIELD_OPTIONAL,
	};

	if (!codec_parse_field(&row, value, &tmp, errp))
		return false;
	*on = tmp.b;
	return true;
}

static bool parse_assignment(struct cpu_config *cfg, const char *model, const char *name,
			     const char *value, GError **errp)
{
	g_autofree char *plain = g_strdelimit(g_strdup(name), "_", '-');
	const struct field *row;
	enum feature_word word;
	unsigned bit;
	bool on;

	if (cpu_feature_find(name, &word, &bit)) {
		if (!parse_switch(value, &on, name, errp))
			return false;
		set_feature(cfg, word, bit, on);
		return true;
	}
	/* "tsc-freq=2.5G" is how people write it. */
	row = fields_find(cpu_config_rows, !strcmp(plain, "tsc-freq") ? "tsc-frequency" : plain);
	if (!row) {
		unknown_property(model, name, errp);
		return false;
	}
	return codec_parse_field(row, value, cfg, errp);
}

static bool parse_item(struct cpu_config *cfg, const char *model, char *item, GError **errp)
{
	enum feature_word word;
	unsigned bit;
	char *eq;

	if (*item == '+' || *item == '-') {
		if (!cpu_feature_find(item + 1, &word, &bit)) {
			unknown_property(model, item + 1, errp);
			return false;
		}
		set_feature(cfg, word, bit, *item == '+');
		return true;
	}
	eq = strchr(item, '=');
	if (eq)
		*eq++ = '\0';
	return parse_assignment(cfg, model, item, eq ? eq : "on", errp);
}

static bool check_values(const struct cpu_config *cfg, GError **errp)
{
	if (cfg->vendor && strlen(cfg->vendor) != 12) {
		error_set(errp, "Property '.vendor' doesn't take value '%s'", cfg->vendor);
		error_add_hint(errp, "A vendor has exactly 12 characters, this has %zu",
			       strlen(cfg->vendor));
		return false;
	}
	if (cfg->model_id && strlen(cfg->model_id) > 48) {
		error_set(errp, "model-id has %zu characters, at most 48 fit",
			  strlen(cfg->model_id));
		return false;
	}
	if (cfg->lbr_fmt != CPU_LBR_FMT_NONE && cfg->lbr_fmt > 0x3f) {
		error_set(errp, "invalid lbr-fmt");
		return false;
	}
	if (cfg->hv_vendor_id && strlen(cfg->hv_vendor_id) > 12)
		warn_report("hv-vendor-id truncated to 12 characters");
	return true;
}

static void set_model(struct cpu_config *cfg, const struct cpu_model *model)
{
	memset(cfg, 0, sizeof(*cfg));
	fields_set_defaults(cpu_config_rows, cfg);
	cfg->model = model;
	if (!model)
		return;
	cfg->pmu = cfg->host_phys_bits = model->from_host;
	cfg->legacy_cache = !cpu_model_caches(model->name);
}

static bool set_json(struct cpu_config *cfg, const char *model, const char *name,
		     json_object *value, GError **errp)
{
	const struct field *row = fields_find(cpu_config_rows, name);
	enum feature_word word;
	unsigned bit;

	if (cpu_feature_find(name, &word, &bit)) {
		if (json_object_get_type(value) != json_type_boolean) {
			error_set(errp, "Invalid parameter type for '%s', expected: boolean", name);
			return false;
		}
		set_feature(cfg, word, bit, json_object_get_boolean(value));
		return true;
	}
	if (!row) {
		error_set(errp, "Property '%s-x86_64-cpu.%s' not found", model, name);
		return false;
	}
	return codec_decode_field(row, value, cfg, false, errp);
}

bool cpu_config_from_json(const char *model, json_object *props, struct cpu_config *cfg,
			  GError **errp)
{
	set_model(cfg, cpu_model_find(model));
	if (!cfg->model) {
		error_set(errp, "CPU model '%s' not found", model);
		return false;
	}
	if (props) {
		json_object_object_foreach(props, name, value)
		{
			if (!set_json(cfg, model, name, value, errp))
				goto fail;
		}
	}
	if (check_values(cfg, errp))
		return true;
fail:
	cpu_config_clear(cfg);
	return false;
}

void cpu_config_copy(struct cpu_config *to, const struct cpu_config *from)
{
	*to = *from;
	to->vendor = g_strdup(from->vendor);
	to->model_id = g_strdup(from->model_id);
	to->hv_vendor_id = g_strdup(from->hv_vendor_id);
}

bool cpu_config_parse(const char *text, struct cpu_config *cfg, GError **errp)
{
	g_auto(GStrv) items = g_strsplit(text, ",", -1);

	set_model(cfg, items[0] ? cpu_model_find(items[0]) : NULL);
	if (!cfg->model) {
		g_autoptr(GPtrArray) known = g_ptr_array_new();
		const char *near;

		for (const struct cpu_model *m = NULL; (m = cpu_model_next(m));)
			g_ptr_array_add(known, (void *)m->name);
		g_ptr_array_add(known, NULL);
		near = nearest_name(items[0] ? items[0] : "", (const char *const *)known->pdata);
		error_set(errp, "unable to find CPU model '%s'", items[0] ? items[0] : "");
		if (near)
			error_add_hint(errp, "Did you mean '%s'?", near);
		return false;
	}
	for (char **item = items + 1; *item; item++) {
		if (**item && !parse_item(cfg, items[0], *item, errp))
			goto fail;
	}
	if (check_values(cfg, errp))
		return true;
fail:
	cpu_config_clear(cfg);
	return false;
}
