/*
 * The generated test: every type of hw/types.c that a guest can meet is made, reset, and taken through
 * a round trip of its state, on the real binary.
 *
 * Types that users create get a run of their own, on a machine that has their bus. The rest
 * must turn up in the tree of one of the machines; a type that turns up nowhere fails the test,
 * because nothing tests it.
 */
#include <unistd.h>
#include "hw/types.h"
#include "libqtest.h"

/* What a type cannot do without. A new row is needed only for a type with properties that must be
 * given; everything else is derived from the type. */
struct need {
	const char *type;
	const char *options; /* of the device, in JSON: ",\"chardev\":\"c\"" */
	const char *args;    /* of the process; NULL: none */
};

static const struct need needs[] = {
	{"isa-debugcon", ",'chardev':'c'", "-chardev null,id=c"},
	{"isa-parallel", ",'chardev':'c'", "-chardev null,id=c"},
	{"isa-serial", ",'chardev':'c'", "-chardev null,id=c"},
	{"pci-bridge", ",'chassis_nr':1", NULL},
	{"virtconsole", ",'chardev':'c'", "-device virtio-serial-pci -chardev null,id=c"},
	{"virtserialport", ",'chardev':'c'", "-device virtio-serial-pci -chardev null,id=c"},
	{"rng-egd", ",'chardev':'c'", "-chardev null,id=c"},
	{"secret", ",'data':'x'", NULL},
	{"memory-backend-ram", ",'size':1048576", NULL},
	{"memory-backend-memfd", ",'size':1048576", NULL},
	{"memory-backend-file", ",'size':1048576,'mem-path':'/tmp'", NULL},
};

/* Objects that stand for files or keys of the host; tests/interop/test-credentials makes them. */
static const char *const of_the_host[] = {"secret_keyring", "tls-creds-psk", "tls-creds-x509",
					  NULL};

static GHashTable *met; /* names of types that were in a tree */

static const struct need *need_of(const char *type)
{
	for (size_t i = 0; i < G_N_ELEMENTS(needs); i++) {
		if (!strcmp(needs[i].type, type))
			return &needs[i];
	}
	return NULL;
}

/* The machine on which a type is tried: the first that has no objection. */
static const char *machine_for(const struct device_type *type)
{
	return device_type_bus(type) ? "pc" : "none";
}

/* ---- Walking the tree ---- */

static void meet(struct qts *s, const char *path)
{
	json_object *list = qts_qmp(s, "{'execute':'qom-list','arguments':{'path':'%s'}}", path);

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *entry = json_object_array_get_idx(list, i);
		const char *name = json_object_get_string(json_object_object_get(entry, "name"));
		const char *type = json_object_get_string(json_object_object_get(entry, "type"));

		if (!g_str_has_prefix(type, "child<"))
			continue;
		g_hash_table_add(met, g_strndup(type + 6, strlen(type) - 7));
		g_autofree char *below =
			g_strdup_printf("%s/%s", strcmp(path, "/") ? path : "", name);
		meet(s, below);
	}
	json_object_put(list);
}

/* The PIIX4's power management ports, where firmware puts them. */
#define PM_BASE 0x600
static const uint16_t pm_ports[] =
	{
		PM_BASE,     PM_BASE + 1,  PM_BASE + 2, PM_BASE + 3, PM_BASE + 8,
		PM_BASE + 9, PM_BASE + 10, /* events and timer, not control: that would be soft-off */
		0xafe0,      0xafe1,       0xafe2,      0xafe3,      0xae00,
		0xae04,      0xae08,       0xae10, /* general purpose events, PCI hotplug */
};

static void map_pm(struct qts *s)
{
	int devfn = qts_pci_find(s, 0x8086, 0x7113);

	if (devfn < 0)
		return;
	qts_pci_writel(s, 0, devfn, 0x40, PM_BASE | 1);
	qts_pci_writeb(s, 0, devfn, 0x80, 1);
}

/*
 * Registers as no driver leaves them, so that the state is not just what reset makes: pseudo-random
 * bytes to every port below 0x400, the CMOS behind ports 70h and 71h, power management, then the
 * configuration space of what is on PCI bus 0. Only what resets the machine is spared. No port is written after
 * the configuration, which may have put the soft-off register anywhere. Returns what port 3ffh got.
 */
static uint8_t scribble(struct qts *s)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(42);
	uint8_t last = 0;

	for (unsigned port = 0; port < 0x400; port++) {
		/* Commands of the keyboard controller from 0xf0 on, and bit 0 of port 92h. */
		uint8_t spared = port == 0x64 ? 0x80 : port == 0x92 ? 0x01 : 0;

		last = g_rand_int(rand) & ~spared;
		qts_outb(s, port, last);
	}
	for (unsigned index = 0; index < 128; index++) {
		/* Registers A and B: the clock runs, with its periodic interrupt. */
		uint8_t value = index == 0x0a ? 0x26 : index == 0x0b ? 0x42 : g_rand_int(rand);

		qts_outb(s, 0x70, index);
		qts_outb(s, 0x71, value);
	}
	map_pm(s);
	for (size_t i = 0; i < G_N_ELEMENTS(pm_ports); i++)
		qts_outb(s, pm_ports[i], g_rand_int(rand));
	for (unsigned devfn = 0; devfn < 256; devfn++) {
		if (qts_pci_readl(s, 0, devfn, 0) == ~0U)
			continue;
		for (unsigned offset = 4; offset < 256; offset += 4)
			qts_pci_writel(s, 0, devfn, offset, g_rand_int(rand));
	}
	return last;
}

static void round_trips(struct qts *s)
{
	meet(s, "/");
	qts_roundtrip(s);
	qts_reset(s);
	qts_roundtrip(s);
}

static void exercise(struct qts *s)
{
	round_trips(s);
	scribble(s);
	qts_roundtrip(s);
	/* Timers that were armed, or survived the resets, fire. */
	qts_clock_step(s, 1000000000);
	qts_roundtrip(s);
	qts_reset(s);
	qts_roundtrip(s);
	qts_quit(s);
}

/* ---- One test a type ---- */

static void test_device(gconstpointer data)
{
	const struct device_type *type = data;
	const struct need *need = need_of(type->name);
	g_autofree char *args =
		g_strdup_printf("-machine %s %s -device \"{'driver':'%s'%s}\"", machine_for(type),
				need && need->args ? need->args : "", type->name,
				need ? need->options : "");

	exercise(qts_start(args));
}

static void test_object(gconstpointer data)
{
	const struct device_type *type = data;
	const struct need *need = need_of(type->name);
	g_autofree char *args = NULL;

	if (g_strv_contains(of_the_host, type->name)) {
		g_test_skip("needs files or keys of the host");
		return;
	}
	args = g_strdup_printf("-machine none %s -object \"{'qom-type':'%s','id':'o'%s}\"",
			       need && need->args ? need->args : "", type->name,
			       need ? need->options : "");

	exercise(qts_start(args));
}

static void test_machine(gconstpointer data)
{
	const struct device_type *type = data;
	g_autofree char *name = g_strndup(type->name, strlen(type->name) - strlen("-machine"));
	g_autofree char *args = g_strdup_printf("-machine %s -m 16M", name);

	exercise(qts_start(args));
}

/* Everything that ports, CMOS and configuration space show, and what reading changes about them. */
static GString *all_registers(struct qts *s)
{
	GString *out = g_string_new("");

	for (unsigned n = 0; n < 2 * 0x400; n++)
		g_string_append_printf(out, "port %03x: %02x\n", n % 0x400, qts_inb(s, n % 0x400));
	for (unsigned index = 0; index < 128; index++) {
		qts_outb(s, 0x70, index);
		g_string_append_printf(out, "cmos %02x: %02x\n", index, qts_inb(s, 0x71));
	}
	for (unsigned devfn = 0; devfn < 256; devfn++) {
		for (unsigned offset = 0; offset < 256; offset += 4)
			g_string_append_printf(out, "pci %02x %02x: %08x\n", devfn, offset,
					       qts_pci_readl(s, 0, devfn, offset));
	}
	map_pm(s);
	for (size_t i = 0; i < G_N_ELEMENTS(pm_ports); i++)
		g_string_append_printf(out, "port %03x: %02x\n", pm_ports[i],
				       qts_inb(s, pm_ports[i]));
	return out;
}

static struct qts *start_pc(void)
{
	return qts_start("-machine pc -m 16M -rtc base=2020-01-01,clock=vm -chardev null,id=c "
			 "-chardev null,id=d -serial chardev:c -device isa-debugcon,chardev=d");
}

/*
 * A register that no row saves is invisible to the round trip, which compares rows. So the state of
 * a machine with a history is loaded into a fresh one; then a guest must see no difference.
 */
static void test_nothing_forgotten(void)
{
	struct qts *old = start_pc(), *new = start_pc();
	uint8_t last = scribble(old);

	/* The scratch register has kept it: nothing reset the machine meanwhile. */
	g_assert_cmphex(qts_inb(old, 0x3ff), ==, last);
	g_assert_cmphex(qts_pci_readl(old, 0, 0, 0), ==, 0x12378086);
	qts_clock_set(new, qts_clock_step(old, 700000000));
	g_autofree char *state = qts_state_save(old);
	qts_state_load(new, state);
	qts_clock_step(old, 700000000);
	qts_clock_step(new, 700000000);

	g_autoptr(GString) before = all_registers(old), after = all_registers(new);
	g_auto(GStrv) a = g_strsplit(before->str, "\n", 0);
	g_auto(GStrv) b = g_strsplit(after->str, "\n", 0);
	for (size_t i = 0; a[i] && b[i]; i++) {
		if (strcmp(a[i], b[i])) {
			g_test_message("%s, but after save and load %s", a[i], b[i]);
			g_test_fail();
		}
	}
	qts_quit(old);
	qts_quit(new);
}

static bool has_kvm(void)
{
	return access("/dev/kvm", R_OK | W_OK) == 0;
}

/* Chips that are in the kernel exist under KVM only. */
static void test_kvm(void)
{
	if (!has_kvm()) {
		g_test_skip("/dev/kvm cannot be opened");
		return;
	}
	struct qts *s = qts_start_accel("kvm", "-S -machine pc -m 16M");

	round_trips(s);
	qts_quit(s);
}

/* Types that no machine has. The row goes when one does. */
static const char *const no_machine[] = {
	"cfi.pflash01", /* comes with an image: see test-pflash.c */
	"fw_cfg_mem",   /* for boards without ports */
	NULL,
};

/* After the others: has everything been met? */
static void test_all_met(void)
{
	for (const struct device_type *const *t = hw_types(); *t; t++) {
		bool device = (*t)->category < CATEGORY_BACKEND && (*t)->category != CATEGORY_CPU;
		bool possible = has_kvm() || !g_str_has_prefix((*t)->name, "kvm");

		if (!device || !possible || ((*t)->flags & TYPE_ABSTRACT))
			continue;
		bool has = g_hash_table_contains(met, (*t)->name);
		if (has != !g_strv_contains(no_machine, (*t)->name)) {
			g_test_message(has ? "a machine has a '%s' now: it is no exception"
					   : "no machine has a '%s', and no user can make one",
				       (*t)->name);
			g_test_fail();
		}
	}
}

static GTestDataFunc test_for(const struct device_type *type)
{
	if (type->flags & TYPE_ABSTRACT)
		return NULL;
	if (type->category == CATEGORY_MACHINE)
		return test_machine;
	if (!(type->flags & TYPE_USER_CREATABLE) || type->category == CATEGORY_CPU)
		return NULL;
	/* Met on their PCI cards. */
	if (!g_strcmp0(device_type_bus(type), "virtio-bus"))
		return NULL;
	return type->category == CATEGORY_BACKEND ? test_object : test_device;
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	met = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (const struct device_type *const *t = hw_types(); *t; t++) {
		g_autofree char *path = g_strdup_printf("/types/%s", (*t)->name);

		if (test_for(*t))
			g_test_add_data_func(path, *t, test_for(*t));
	}
	g_test_add_func("/types/nothing-forgotten", test_nothing_forgotten);
	g_test_add_func("/types/kvm", test_kvm);
	g_test_add_func("/types/all-met", test_all_met);
	return g_test_run();
}
