/*
 * What Intel processors offer for nested guests, by model.
 *
 * Generations build on one another, so a set is another one and what is different; names are those of
 * the features without "vmx-". Models that are not listed have their parent's, or nothing. Facts about
 * processors, observed at QEMU 7.2's interface (query-cpu-model-expansion).
 */
#include "internal.h"

/* clang-format off */
enum vmx_set {
	NONE, CORE, KVM64, MEROM, PENRYN, NEHALEM, WESTMERE, SANDY_BRIDGE, IVY_BRIDGE, SKYLAKE_CLIENT,
	SKYLAKE_CLIENT_XSAVES, ICELAKE, HASWELL, DENVERTON, SKYLAKE_SERVER, DENVERTON_XSAVES,
	BROADWELL, SERVER_XSAVES, SERVER_PAGE_WALK_5,
};

static const struct {
	enum vmx_set from;
	const char *changes;
} sets[] = {
	[CORE] = {NONE,
		"+activity-hlt +exit-ack-intr +hlt-exit +intr-exit +invlpg-exit +io-bitmap +io-exit "
		"+monitor-exit +movdr-exit +msr-bitmap +mwait-exit +nmi-exit +pause-exit "
		"+rdpmc-exit +rdtsc-exit +tsc-offset +vintr-pending"},
	[KVM64] = {CORE,
		"+cr8-load-exit +cr8-store-exit +entry-ia32e-mode +flexpriority -msr-bitmap"},
	[MEROM] = {KVM64,
		"+apicv-xapic +ins-outs +msr-bitmap +secondary-ctls +vnmi +vnmi-pending"},
	[PENRYN] = {MEROM,
		"+entry-load-perf-global-ctrl +exit-load-perf-global-ctrl +wbinvd-exit"},
	[NEHALEM] = {PENRYN,
		"+apicv-x2apic +cr3-load-noexit +cr3-store-noexit +desc-exit +entry-load-efer "
		"+entry-load-pat +entry-noload-debugctl +ept +ept-1gb +ept-2mb +ept-execonly "
		"+exit-load-efer +exit-load-pat +exit-nosave-debugctl +exit-save-efer "
		"+exit-save-pat +exit-save-preemption-timer +invept +invept-all-context "
		"+invept-single-context +invept-single-context-noglobals +invvpid "
		"+invvpid-all-context +invvpid-single-addr +mtf +page-walk-4 +preemption-timer "
		"+true-ctls +vpid"},
	[WESTMERE] = {NEHALEM,
		"+store-lma +unrestricted-guest"},
	[SANDY_BRIDGE] = {WESTMERE,
		"+rdtscp-exit"},
	[IVY_BRIDGE] = {SANDY_BRIDGE,
		"+apicv-register +apicv-vid +posted-intr +rdrand-exit"},
	[SKYLAKE_CLIENT] = {SANDY_BRIDGE,
		"+eptad +eptp-switching +invpcid-exit +pml +rdrand-exit +rdseed-exit +shadow-vmcs "
		"+vmfunc +vmwrite-vmexit-fields -apicv-x2apic"},
	[SKYLAKE_CLIENT_XSAVES] = {SKYLAKE_CLIENT,
		"+xsaves"},
	[ICELAKE] = {IVY_BRIDGE,
		"+eptad +invpcid-exit +shadow-vmcs +vmfunc +vmwrite-vmexit-fields"},
	[HASWELL] = {ICELAKE,
		"+eptp-switching"},
	[DENVERTON] = {HASWELL,
		"+pml +rdseed-exit -invpcid-exit"},
	[SKYLAKE_SERVER] = {ICELAKE,
		"+pml +rdseed-exit"},
	[DENVERTON_XSAVES] = {DENVERTON,
		"+xsaves"},
	[BROADWELL] = {DENVERTON,
		"+invpcid-exit"},
	[SERVER_XSAVES] = {DENVERTON_XSAVES,
		"+invpcid-exit"},
	[SERVER_PAGE_WALK_5] = {SERVER_XSAVES,
		"+page-walk-5"},
};

static const struct {
	const char *model;
	enum vmx_set set;
} models[] = {
	{"Broadwell-v1", BROADWELL},
	{"Cascadelake-Server-v1", SKYLAKE_SERVER},
	{"Cascadelake-Server-v4", BROADWELL},
	{"Cascadelake-Server-v5", SERVER_XSAVES},
	{"Conroe-v1", MEROM},
	{"Cooperlake-v1", BROADWELL},
	{"Cooperlake-v2", SERVER_XSAVES},
	{"core2duo-v1", MEROM},
	{"coreduo-v1", CORE},
	{"Denverton-v1", DENVERTON},
	{"Denverton-v3", DENVERTON_XSAVES},
	{"Haswell-v1", HASWELL},
	{"Icelake-Server-v1", ICELAKE},
	{"Icelake-Server-v4", BROADWELL},
	{"Icelake-Server-v5", SERVER_XSAVES},
	{"Icelake-Server-v6", SERVER_PAGE_WALK_5},
	{"IvyBridge-v1", IVY_BRIDGE},
	{"kvm32-v1", CORE},
	{"kvm64-v1", KVM64},
	{"Nehalem-v1", NEHALEM},
	{"Penryn-v1", PENRYN},
	{"SandyBridge-v1", SANDY_BRIDGE},
	{"Skylake-Client-v1", SKYLAKE_CLIENT},
	{"Skylake-Client-v4", SKYLAKE_CLIENT_XSAVES},
	{"Skylake-Server-v1", SKYLAKE_SERVER},
	{"Skylake-Server-v4", BROADWELL},
	{"Skylake-Server-v5", SERVER_XSAVES},
	{"Snowridge-v1", DENVERTON},
	{"Snowridge-v3", DENVERTON_XSAVES},
	{"Westmere-v1", WESTMERE},
};
/* clang-format on */

static void add_set(enum vmx_set set, uint64_t words[FEAT_WORDS])
{
	g_auto(GStrv) changes = NULL;

	if (set == NONE)
		return;
	add_set(sets[set].from, words);
	changes = g_strsplit(sets[set].changes, " ", -1);
	for (char **change = changes; *change; change++) {
		g_autofree char *name = g_strconcat("vmx-", *change + 1, NULL);

		cpu_feature_switch(words, name, **change == '+');
	}
}

void cpu_model_vmx(const struct cpu_model *model, uint64_t words[FEAT_WORDS])
{
	for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
		if (!strcmp(models[i].model, model->name)) {
			add_set(models[i].set, words);
			return;
		}
	}
	if (model->parent)
		cpu_model_vmx(cpu_model_find(model->parent), words);
}
