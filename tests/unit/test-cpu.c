/*
 * Models, features, topology and leaves.
 */
#include "cpu/cpuid.h"
#include "cpu/x86.h"
#include "src/cpu/internal.h"

static struct cpu_capabilities everything(bool is_kvm)
{
	struct cpu_capabilities caps = {.phys_bits = 48, .is_kvm = is_kvm};

	memset(caps.words, 0xff, sizeof(caps.words));
	caps.host.leaf[caps.host.count++] = (struct cpuid_leaf){
		.eax = 0xd,
		.ebx = 0x756e6547,
		.ecx = 0x6c65746e,
		.edx = 0x49656e69, /* GenuineIntel */
	};
	return caps;
}

/* Every row can be resolved: each of its feature names exists, each parent too. */
static void test_models(void)
{
	const struct cpu_capabilities caps = everything(false);

	for (const struct cpu_model *m = NULL; (m = cpu_model_next(m));) {
		struct cpu_config cfg;
		struct cpu_features feat;
		g_autoptr(GError) err = NULL;
		bool ok;

		g_assert_true(cpu_config_parse(cpu_model_name(m), &cfg, &err));
		g_assert_true(cpu_model_find(cpu_model_name(m)) == m);
		ok = cpu_resolve(&cfg, &caps, &feat, &err);
		g_assert_cmpint(ok, ==, !cpu_model_needs_host(m));
		cpu_config_clear(&cfg);
	}
}

static bool has_feature(const struct cpu_features *feat, const char *name)
{
	enum feature_word word;
	unsigned bit;

	g_assert_true(cpu_feature_find(name, &word, &bit));
	return feat->words[word] >> bit & 1;
}

static void resolve(const char *text, const struct cpu_capabilities *caps,
		    struct cpu_features *feat)
{
	struct cpu_config cfg;
	g_autoptr(GError) err = NULL;

	cpu_config_parse(text, &cfg, &err);
	g_assert_no_error(err);
	cpu_resolve(&cfg, caps, feat, &err);
	g_assert_no_error(err);
	cpu_config_clear(&cfg);
}

static void test_features(void)
{
	const struct cpu_capabilities emulated = everything(false), kvm = everything(true);
	struct cpu_features feat;

	resolve("qemu64", &emulated, &feat);
	g_assert_cmpuint(cpu_signature(&feat), ==, 0x60fb1);
	g_assert_cmpstr(feat.vendor, ==, "AuthenticAMD");
	g_assert_true(has_feature(&feat, "svm") && has_feature(&feat, "hypervisor"));
	resolve("qemu64", &kvm, &feat);
	g_assert_true(!has_feature(&feat, "svm") && has_feature(&feat, "kvmclock"));
	g_assert_true(has_feature(&feat, "x2apic"));
	resolve("qemu64,kvm=off", &kvm, &feat);
	g_assert_false(has_feature(&feat, "kvmclock"));
	resolve("Haswell,-avx,+sse4_1,rdrand=off", &emulated, &feat);
	/* What builds on a feature stays: nobody asked for less. */
	g_assert_true(!has_feature(&feat, "avx") && has_feature(&feat, "avx2"));
	g_assert_true(has_feature(&feat, "sse4.1") && !has_feature(&feat, "rdrand"));
	g_assert_true(has_feature(&feat, "rtm"));
	resolve("Haswell-noTSX", &emulated, &feat);
	g_assert_false(has_feature(&feat, "rtm"));
	resolve("Haswell,-xsave", &emulated, &feat);
	g_assert_true(has_feature(&feat, "xsaveopt"));
	g_assert_cmpuint(feat.words[FEAT_XSAVE_XCR0_LO], ==, 0);
	resolve("EPYC-Rome", &emulated, &feat);
	g_assert_cmpuint(feat.words[FEAT_XSAVE_XCR0_LO], ==, 7);
	resolve("max", &kvm, &feat);
	g_assert_false(has_feature(&feat, "invtsc"));
	resolve("max,migratable=off", &kvm, &feat);
	g_assert_true(has_feature(&feat, "invtsc"));
}

static void test_mistakes(void)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"nonesuch", "unable to find CPU model 'nonesuch'"},
		{"", "unable to find CPU model ''"},
		{"qemu64,+foo", "Property 'qemu64-x86_64-cpu.foo' not found"},
		{"qemu64,vendor=abc", "Property '.vendor' doesn't take value 'abc'"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct cpu_config cfg;
		g_autoptr(GError) err = NULL;

		g_assert_false(cpu_config_parse(cases[i].text, &cfg, &err));
		g_assert_cmpstr(err->message, ==, cases[i].message);
	}
}

static void test_enforce(void)
{
	struct cpu_capabilities caps = everything(false);
	struct cpu_features feat;
	struct cpu_config cfg;
	g_autoptr(GError) err = NULL;

	caps.words[FEAT_1_ECX] = 0;
	g_assert_true(cpu_config_parse("Nehalem,enforce,check=off", &cfg, NULL));
	g_assert_false(cpu_resolve(&cfg, &caps, &feat, &err));
	g_assert_cmpstr(err->message, ==, "TCG doesn't support requested features");
	cpu_config_clear(&cfg);
}

static void test_topology(void)
{
	static const struct {
		struct cpu_topology in;
		const char *message; /* how it starts; NULL: it is legal */
		struct cpu_topology out;
	} cases[] = {
		{{0}, NULL, {1, 1, 1, 1, 1, 1}},
		{{.cpus = 4}, NULL, {4, 4, 1, 1, 4, 1}},
		{{.cpus = 4, .sockets = 2}, NULL, {4, 4, 2, 1, 2, 1}},
		{{.cpus = 8, .cores = 2, .threads = 2}, NULL, {8, 8, 2, 1, 2, 2}},
		{{.cpus = 2, .maxcpus = 8, .sockets = 2, .dies = 2, .cores = 2},
		 NULL,
		 {2, 8, 2, 2, 2, 1}},
		{{.sockets = 2, .cores = 3}, NULL, {6, 6, 2, 1, 3, 1}},
		{{.cpus = 4, .sockets = 3},
		 "Invalid CPU topology: product of the hierarchy must match maxcpus"},
		{{.cpus = 4, .maxcpus = 2},
		 "Invalid CPU topology: maxcpus must be equal to or greater"},
		{{.cpus = 300},
		 "Invalid SMP CPUs 300. The max CPUs supported by machine 'm' is 255"},
		{{.cpus = 1, .sockets = 0xffffffff, .dies = 0xffffffff, .cores = 0xffffffff},
		 "Invalid CPU topology: product"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct cpu_topology topo = cases[i].in;
		g_autoptr(GError) err = NULL;
		bool ok = cpu_topology_complete(&topo, 255, "m", &err);

		g_assert_cmpint(ok, ==, !cases[i].message);
		if (ok)
			g_assert_cmpmem(&topo, sizeof(topo), &cases[i].out, sizeof(topo));
		else
			g_assert_true(g_str_has_prefix(err->message, cases[i].message));
	}
}

static void test_apic_ids(void)
{
	const struct cpu_topology topo = {12, 12, 2, 1, 3, 2};

	g_assert_cmpuint(cpu_place_of_index(&topo, 0).apic_id, ==, 0);
	g_assert_cmpuint(cpu_place_of_index(&topo, 1).apic_id, ==, 1);
	g_assert_cmpuint(cpu_place_of_index(&topo, 5).apic_id, ==, 5);
	g_assert_cmpuint(cpu_place_of_index(&topo, 6).apic_id, ==, 8);
	g_assert_cmpuint(cpu_place_of_index(&topo, 11).socket, ==, 1);
}

static void test_leaves(void)
{
	const struct cpu_capabilities caps = everything(true);
	const struct cpu_topology topo = {4, 4, 1, 1, 2, 2};
	const struct cpu_place place = cpu_place_of_index(&topo, 3);
	struct cpu_features feat;
	struct cpu_config cfg;
	struct cpuid_table t;

	g_assert_true(cpu_config_parse("Skylake-Client", &cfg, NULL));
	g_assert_true(cpu_resolve(&cfg, &caps, &feat, NULL));
	cpu_build_cpuid(&cfg, &caps, &feat, &topo, &place, &t);
	g_assert_cmpuint(cpuid_find(&t, 0, 0)->ebx, ==, 0x756e6547); /* "Genu" */
	g_assert_cmpuint(cpuid_find(&t, 1, 0)->ebx >> 24, ==, 3);
	g_assert_cmpuint(cpuid_find(&t, 1, 0)->ebx >> 16 & 0xff, ==, 4);
	g_assert_cmpuint(cpuid_find(&t, 0xb, 0)->ebx, ==, 2);
	g_assert_cmpuint(cpuid_find(&t, 0xb, 1)->eax, ==, 2);
	g_assert_cmpuint(cpuid_find(&t, 0xb, 1)->edx, ==, 3);
	g_assert_cmpuint(cpuid_find(&t, 0x40000000, 0)->ebx, ==, 0x4b4d564b); /* "KVMK" */
	g_assert_cmpuint(cpuid_find(&t, 4, 3)->eax & 0x1f, ==, 3);
	g_assert_cmpuint(cpuid_find(&t, 4, 4)->eax, ==, 0);
	cpu_config_clear(&cfg);
}

/* The names of a bit and of its word agree both ways. */
static void check_name(const char *name, enum feature_word word, unsigned bit, void *opaque)
{
	enum feature_word w;
	unsigned b;

	g_assert_true(cpu_feature_find(name, &w, &b));
	g_assert_cmpstr(cpu_feature_name(w, b), ==, name);
	(*(unsigned *)opaque)++;
}

static void test_names(void)
{
	unsigned count = 0;

	cpu_feature_foreach(check_name, &count);
	g_assert_cmpuint(count, >, 300);
}

static void test_reset(void)
{
	g_autofree struct x86_state *s = g_new(struct x86_state, 1);
	g_autofree char *problems = NULL;
	const struct field_set set = {"x86_state", sizeof(*s), x86_state_rows};

	x86_state_reset(s, true, 0x663);
	g_assert_cmpuint(s->seg[S_CS].base + s->rip, ==, 0xfffffff0);
	g_assert_cmpuint(s->gpr[R_DX], ==, 0x663);
	g_assert_true(s->apic_base & APIC_BASE_BSP);
	x86_state_reset(s, false, 0x663);
	g_assert_cmpint(s->mp_state, ==, MP_UNINITIALIZED);
	problems = fields_check_state(&set);
	g_assert_cmpstr(problems, ==, NULL);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cpu/models", test_models);
	g_test_add_func("/cpu/features", test_features);
	g_test_add_func("/cpu/mistakes", test_mistakes);
	g_test_add_func("/cpu/enforce", test_enforce);
	g_test_add_func("/cpu/topology", test_topology);
	g_test_add_func("/cpu/apic-ids", test_apic_ids);
	g_test_add_func("/cpu/leaves", test_leaves);
	g_test_add_func("/cpu/names", test_names);
	g_test_add_func("/cpu/reset", test_reset);
	return g_test_run();
}
