/*
 * Feature bits by name.
 *
 * Sources: Intel SDM vol. 2A, CPUID, and vol. 3D, appendix A (VMX capability MSRs); AMD APM vol. 3,
 * appendix E; the KVM documentation's cpuid page for the paravirtual leaf. Names are those users of
 * -cpu know. Bits of 80000001H:EDX that only repeat 1:EDX have no name here.
 */
#include "cpu/cpuid.h"
#include "internal.h"

const struct feature_word_info feature_words[FEAT_WORDS] = {
	[FEAT_1_EDX] = {"CPUID.01H:EDX", false, 1, 0, false, 3},
	[FEAT_1_ECX] = {"CPUID.01H:ECX", false, 1, 0, false, 2},
	[FEAT_7_0_EBX] = {"CPUID.07H:EBX", false, 7, 0, true, 1},
	[FEAT_7_0_ECX] = {"CPUID.07H:ECX", false, 7, 0, true, 2},
	[FEAT_7_0_EDX] = {"CPUID.07H:EDX", false, 7, 0, true, 3},
	[FEAT_7_1_EAX] = {"CPUID.07H:EAX", false, 7, 1, true, 0},
	[FEAT_8000_0001_EDX] = {"CPUID.80000001H:EDX", false, 0x80000001, 0, false, 3},
	[FEAT_8000_0001_ECX] = {"CPUID.80000001H:ECX", false, 0x80000001, 0, false, 2},
	[FEAT_8000_0007_EDX] = {"CPUID.80000007H:EDX", false, 0x80000007, 0, false, 3},
	[FEAT_8000_0008_EBX] = {"CPUID.80000008H:EBX", false, 0x80000008, 0, false, 1},
	[FEAT_C000_0001_EDX] = {"CPUID.C0000001H:EDX", false, 0xc0000001, 0, false, 3},
	[FEAT_KVM] = {"CPUID.40000001H:EAX", false, 0x40000001, 0, false, 0},
	[FEAT_KVM_HINTS] = {"CPUID.40000001H:EDX", false, 0x40000001, 0, false, 3},
	[FEAT_SVM] = {"CPUID.8000000AH:EDX", false, 0x8000000a, 0, false, 3},
	[FEAT_XSAVE] = {"CPUID.0DH:EAX", false, 0xd, 1, true, 0},
	[FEAT_6_EAX] = {"CPUID.06H:EAX", false, 6, 0, false, 0},
	[FEAT_XSAVE_XCR0_LO] = {"CPUID.0DH:EAX", false, 0xd, 0, true, 0},
	[FEAT_XSAVE_XCR0_HI] = {"CPUID.0DH:EDX", false, 0xd, 0, true, 3},
	[FEAT_XSAVE_XSS_LO] = {"CPUID.0DH:ECX", false, 0xd, 1, true, 2},
	[FEAT_XSAVE_XSS_HI] = {"CPUID.0DH:EDX", false, 0xd, 1, true, 3},
	[FEAT_ARCH_CAPABILITIES] = {"MSR(10AH)", true, 0x10a},
	[FEAT_CORE_CAPABILITY] = {"MSR(CFH)", true, 0xcf},
	[FEAT_PERF_CAPABILITIES] = {"MSR(345H)", true, 0x345},
	[FEAT_14_0_ECX] = {"CPUID.14H:ECX", false, 0x14, 0, true, 2},
	[FEAT_SGX_12_0_EAX] = {"CPUID.12H:EAX", false, 0x12, 0, true, 0},
	[FEAT_SGX_12_0_EBX] = {"CPUID.12H:EBX", false, 0x12, 0, true, 1},
	[FEAT_SGX_12_1_EAX] = {"CPUID.12H:EAX", false, 0x12, 1, true, 0},
	[FEAT_VMX_PROCBASED_CTLS] = {"MSR(48EH)", true, 0x48e},
	[FEAT_VMX_SECONDARY_CTLS] = {"MSR(48BH)", true, 0x48b},
	[FEAT_VMX_PINBASED_CTLS] = {"MSR(48DH)", true, 0x48d},
	[FEAT_VMX_EXIT_CTLS] = {"MSR(48FH)", true, 0x48f},
	[FEAT_VMX_ENTRY_CTLS] = {"MSR(490H)", true, 0x490},
	[FEAT_VMX_MISC] = {"MSR(485H)", true, 0x485},
	[FEAT_VMX_EPT_VPID_CAPS] = {"MSR(48CH)", true, 0x48c},
	[FEAT_VMX_BASIC] = {"MSR(480H)", true, 0x480},
	[FEAT_VMX_VMFUNC] = {"MSR(491H)", true, 0x491},
};

/* clang-format off */
static const char *const names[FEAT_WORDS][64] = {
	[FEAT_1_EDX] = {
		"fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce",
		"cx8", "apic", [11] = "sep", "mtrr", "pge", "mca", "cmov",
		"pat", "pse36", "pn", "clflush", [21] = "ds", "acpi", "mmx",
		"fxsr", "sse", "sse2", "ss", "ht", "tm", "ia64", "pbe",
	},
	[FEAT_1_ECX] = {
		"pni", "pclmulqdq", "dtes64", "monitor", "ds-cpl", "vmx", "smx", "est",
		"tm2", "ssse3", "cid", [12] = "fma", "cx16", "xtpr", "pdcm",
		[17] = "pcid", "dca", "sse4.1", "sse4.2", "x2apic", "movbe", "popcnt",
		"tsc-deadline", "aes", "xsave", [28] = "avx", "f16c", "rdrand", "hypervisor",
	},
	[FEAT_7_0_EBX] = {
		"fsgsbase", "tsc-adjust", "sgx", "bmi1", "hle", "avx2", [7] = "smep",
		"bmi2", "erms", "invpcid", "rtm", [14] = "mpx",
		[16] = "avx512f", "avx512dq", "rdseed", "adx", "smap", "avx512ifma", "pcommit", "clflushopt",
		"clwb", "intel-pt", "avx512pf", "avx512er", "avx512cd", "sha-ni", "avx512bw", "avx512vl",
	},
	[FEAT_7_0_ECX] = {
		[1] = "avx512vbmi", "umip", "pku", [5] = "waitpkg", "avx512vbmi2",
		[8] = "gfni", "vaes", "vpclmulqdq", "avx512vnni", "avx512bitalg",
		[14] = "avx512-vpopcntdq", [16] = "la57", [22] = "rdpid", [24] = "bus-lock-detect",
		"cldemote", [27] = "movdiri", "movdir64b", [30] = "sgxlc", "pks",
	},
	[FEAT_7_0_EDX] = {
		[2] = "avx512-4vnniw", "avx512-4fmaps", "fsrm", [8] = "avx512-vp2intersect",
		[10] = "md-clear", [14] = "serialize", [16] = "tsx-ldtrk", [19] = "arch-lbr",
		[22] = "amx-bf16", "avx512-fp16", "amx-tile", "amx-int8", "spec-ctrl", "stibp",
		[29] = "arch-capabilities", "core-capability", "ssbd",
	},
	[FEAT_7_1_EAX] = { [4] = "avx-vnni", "avx512-bf16" },
	[FEAT_8000_0001_EDX] = {
		[11] = "syscall", [20] = "nx", [22] = "mmxext", [25] = "fxsr-opt", "pdpe1gb", "rdtscp",
		[29] = "lm", "3dnowext", "3dnow",
	},
	[FEAT_8000_0001_ECX] = {
		"lahf-lm", "cmp-legacy", "svm", "extapic", "cr8legacy", "abm", "sse4a", "misalignsse",
		"3dnowprefetch", "osvw", "ibs", "xop", "skinit", "wdt", [15] = "lwp",
		"fma4", "tce", [19] = "nodeid-msr", [21] = "tbm", "topoext", "perfctr-core", "perfctr-nb",
	},
	[FEAT_8000_0007_EDX] = { [8] = "invtsc" },
	[FEAT_8000_0008_EBX] = {
		"clzero", [2] = "xsaveerptr", [9] = "wbnoinvd", [12] = "ibpb", [14] = "ibrs", "amd-stibp",
		[24] = "amd-ssbd", "virt-ssbd", "amd-no-ssb",
	},
	[FEAT_C000_0001_EDX] = {
		[2] = "xstore", "xstore-en", [6] = "xcrypt", "xcrypt-en", "ace2", "ace2-en", "phe", "phe-en",
		"pmm", "pmm-en",
	},
	[FEAT_KVM] = {
		"kvmclock", "kvm-nopiodelay", "kvm-mmu", "kvmclock", "kvm-asyncpf", "kvm-steal-time",
		"kvm-pv-eoi", "kvm-pv-unhalt", [9] = "kvm-pv-tlb-flush", [11] = "kvm-pv-ipi",
		"kvm-poll-control", "kvm-pv-sched-yield", "kvm-asyncpf-int", "kvm-msi-ext-dest-id",
		[24] = "kvmclock-stable-bit",
	},
	[FEAT_KVM_HINTS] = { "kvm-hint-dedicated" },
	[FEAT_SVM] = {
		"npt", "lbrv", "svm-lock", "nrip-save", "tsc-scale", "vmcb-clean", "flushbyasid",
		"decodeassists", [10] = "pause-filter", [12] = "pfthreshold", "avic",
		[15] = "v-vmsave-vmload", "vgif", [28] = "svme-addr-chk",
	},
	[FEAT_XSAVE] = { "xsaveopt", "xsavec", "xgetbv1", "xsaves", "xfd" },
	[FEAT_6_EAX] = { [2] = "arat" },
	[FEAT_ARCH_CAPABILITIES] = {
		"rdctl-no", "ibrs-all", "rsba", "skip-l1dfl-vmentry", "ssb-no", "mds-no", "pschange-mc-no",
		"tsx-ctrl", "taa-no",
	},
	[FEAT_CORE_CAPABILITY] = { [5] = "split-lock-detect" },
	[FEAT_PERF_CAPABILITIES] = { [13] = "full-width-write" },
	[FEAT_14_0_ECX] = { [31] = "intel-pt-lip" },
	[FEAT_SGX_12_0_EAX] = { "sgx1", "sgx2" },
	[FEAT_SGX_12_0_EBX] = { "sgx-exinfo" },
	[FEAT_SGX_12_1_EAX] = {
		[1] = "sgx-debug", "sgx-mode64", [4] = "sgx-provisionkey", "sgx-tokenkey", [7] = "sgx-kss",
	},
	[FEAT_VMX_PROCBASED_CTLS] = {
		[2] = "vmx-vintr-pending", "vmx-tsc-offset", [7] = "vmx-hlt-exit", [9] = "vmx-invlpg-exit",
		"vmx-mwait-exit", "vmx-rdpmc-exit", "vmx-rdtsc-exit", [15] = "vmx-cr3-load-noexit",
		"vmx-cr3-store-noexit", [19] = "vmx-cr8-load-exit", "vmx-cr8-store-exit", "vmx-flexpriority",
		"vmx-vnmi-pending", "vmx-movdr-exit", "vmx-io-exit", "vmx-io-bitmap", [27] = "vmx-mtf",
		"vmx-msr-bitmap", "vmx-monitor-exit", "vmx-pause-exit", "vmx-secondary-ctls",
	},
	[FEAT_VMX_SECONDARY_CTLS] = {
		"vmx-apicv-xapic", "vmx-ept", "vmx-desc-exit", "vmx-rdtscp-exit", "vmx-apicv-x2apic", "vmx-vpid",
		"vmx-wbinvd-exit", "vmx-unrestricted-guest", "vmx-apicv-register", "vmx-apicv-vid", "vmx-ple",
		"vmx-rdrand-exit", "vmx-invpcid-exit", "vmx-vmfunc", "vmx-shadow-vmcs", "vmx-encls-exit",
		"vmx-rdseed-exit", "vmx-pml", [20] = "vmx-xsaves", [25] = "vmx-tsc-scaling",
	},
	[FEAT_VMX_PINBASED_CTLS] = {
		"vmx-intr-exit", [3] = "vmx-nmi-exit", [5] = "vmx-vnmi", "vmx-preemption-timer", "vmx-posted-intr",
	},
	[FEAT_VMX_EXIT_CTLS] = {
		[2] = "vmx-exit-nosave-debugctl", [12] = "vmx-exit-load-perf-global-ctrl",
		[15] = "vmx-exit-ack-intr", [18] = "vmx-exit-save-pat", "vmx-exit-load-pat",
		"vmx-exit-save-efer", "vmx-exit-load-efer", "vmx-exit-save-preemption-timer",
		"vmx-exit-clear-bndcfgs", [25] = "vmx-exit-clear-rtit-ctl", [29] = "vmx-exit-load-pkrs",
	},
	[FEAT_VMX_ENTRY_CTLS] = {
		[2] = "vmx-entry-noload-debugctl", [9] = "vmx-entry-ia32e-mode",
		[13] = "vmx-entry-load-perf-global-ctrl", "vmx-entry-load-pat", "vmx-entry-load-efer",
		"vmx-entry-load-bndcfgs", [18] = "vmx-entry-load-rtit-ctl", [22] = "vmx-entry-load-pkrs",
	},
	[FEAT_VMX_MISC] = {
		[5] = "vmx-store-lma", "vmx-activity-hlt", "vmx-activity-shutdown", "vmx-activity-wait-sipi",
		[29] = "vmx-vmwrite-vmexit-fields", "vmx-zero-len-inject",
	},
	[FEAT_VMX_EPT_VPID_CAPS] = {
		"vmx-ept-execonly", [6] = "vmx-page-walk-4", "vmx-page-walk-5", [16] = "vmx-ept-2mb", "vmx-ept-1gb",
		[20] = "vmx-invept", "vmx-eptad", "vmx-ept-advanced-exitinfo", [25] = "vmx-invept-single-context",
		"vmx-invept-all-context", [32] = "vmx-invvpid", [40] = "vmx-invvpid-single-addr",
		"vmx-invept-single-context", "vmx-invvpid-all-context", "vmx-invept-single-context-noglobals",
	},
	[FEAT_VMX_BASIC] = { [54] = "vmx-ins-outs", "vmx-true-ctls" },
	[FEAT_VMX_VMFUNC] = { "vmx-eptp-switching" },
};
/* clang-format on */

/* Other spellings; '_' for '-' needs no row. */
struct alias {
	const char *alias, *name;
};
static const struct alias aliases[] = {
	{"sse3", "pni"},       {"pclmuldq", "pclmulqdq"},
	{"sse4-1", "sse4.1"},  {"sse4-2", "sse4.2"},
	{"xd", "nx"},          {"i64", "lm"},
	{"ffxsr", "fxsr-opt"}, {"kvm-clock", "kvmclock"},
};

/* Spellings of old that are still shown beside those of today. */
static const struct alias shown_aliases[] = {
	{"sse3", "pni"},
	{"pclmuldq", "pclmulqdq"},
	{"sse4-1", "sse4.1"},
	{"sse4_1", "sse4.1"},
	{"sse4-2", "sse4.2"},
	{"sse4_2", "sse4.2"},
	{"xd", "nx"},
	{"i64", "lm"},
	{"ffxsr", "fxsr-opt"},
	{"fxsr_opt", "fxsr-opt"},
	{"cmp_legacy", "cmp-legacy"},
	{"ds_cpl", "ds-cpl"},
	{"lahf_lm", "lahf-lm"},
	{"nodeid_msr", "nodeid-msr"},
	{"nrip_save", "nrip-save"},
	{"pause_filter", "pause-filter"},
	{"perfctr_core", "perfctr-core"},
	{"perfctr_nb", "perfctr-nb"},
	{"svm_lock", "svm-lock"},
	{"tsc_adjust", "tsc-adjust"},
	{"tsc_scale", "tsc-scale"},
	{"vmcb_clean", "vmcb-clean"},
	{"kvm_asyncpf", "kvm-asyncpf"},
	{"kvm_asyncpf_int", "kvm-asyncpf-int"},
	{"kvm_mmu", "kvm-mmu"},
	{"kvm_nopiodelay", "kvm-nopiodelay"},
	{"kvm_poll_control", "kvm-poll-control"},
	{"kvm_pv_eoi", "kvm-pv-eoi"},
	{"kvm_pv_unhalt", "kvm-pv-unhalt"},
	{"kvm_steal_time", "kvm-steal-time"},
};

const char *cpu_feature_name(enum feature_word word, unsigned bit)
{
	return bit < 64 ? names[word][bit] : NULL;
}

bool cpu_feature_find(const char *name, enum feature_word *word, unsigned *bit)
{
	g_autofree char *plain = g_strdelimit(g_strdup(name), "_", '-');
	const char *wanted = plain;

	for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++) {
		if (!strcmp(plain, aliases[i].alias))
			wanted = aliases[i].name;
	}
	for (unsigned w = 0; w < FEAT_WORDS; w++) {
		for (unsigned b = 0; b < 64; b++) {
			if (names[w][b] && !strcmp(names[w][b], wanted)) {
				*word = w;
				*bit = b;
				return true;
			}
		}
	}
	return false;
}

/* Two bits may share a name (both generations of kvmclock): they are switched together. */
uint64_t cpu_feature_mask(enum feature_word word, const char *name)
{
	uint64_t mask = 0;

	for (unsigned b = 0; b < 64; b++) {
		if (names[word][b] && !strcmp(names[word][b], name))
			mask |= BIT64(b);
	}
	return mask;
}

void cpu_feature_foreach(void (*fn)(const char *name, enum feature_word word, unsigned bit,
				    void *opaque),
			 void *opaque)
{
	for (unsigned w = 0; w < FEAT_WORDS; w++) {
		for (unsigned b = 0; b < 64; b++) {
			/* The lowest bit of a name stands for it. */
			if (names[w][b] && !(cpu_feature_mask(w, names[w][b]) & (BIT64(b) - 1)))
				fn(names[w][b], w, b, opaque);
		}
	}
}

void cpu_feature_foreach_alias(void (*fn)(const char *name, enum feature_word word, unsigned bit,
					  void *opaque),
			       void *opaque)
{
	for (size_t i = 0; i < G_N_ELEMENTS(shown_aliases); i++) {
		enum feature_word word;
		unsigned bit;

		if (cpu_feature_find(shown_aliases[i].name, &word, &bit))
			fn(shown_aliases[i].alias, word, bit, opaque);
	}
}
