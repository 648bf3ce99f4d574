/*
 * What the ACPI tables of this board say: read off the board as it was built.
 */
#include "api/json.h"
#include "hw/guest-info.h"
#include "hw/i440fx.h"
#include "hw/pc/pc.h"
#include "hw/piix.h"
#include "machine/numa.h"

#define FW_CFG_PORT   0x510
#define SMI_PORT      0xb2
#define ACPI_ENABLE   0xf1
#define ACPI_DISABLE  0xf0
#define PM_BASE       0x600
#define GPE0_BASE     0xafe0
#define GPE0_LEN      4
#define CPU_HOTPLUG   0xaf00
#define MECHANISM1    0xcf8
#define VGA_HOLE      0xa0000
#define VGA_HOLE_SIZE 0x20000
#define HOLE64_SIZE   (2 * GIB)

/* Devices on the ISA bus that have an object in the DSDT. Properties say where they are, if they have
 * some; a keyboard controller brings the mouse. */
static const struct {
	const char *type;
	enum acpi_isa_kind kind;
	uint16_t port;
	uint8_t irq;
} isa_kinds[] = {
	{"isa-serial", ACPI_ISA_SERIAL, 0, 0}, {"isa-parallel", ACPI_ISA_PARALLEL, 0, 0},
	{"pvpanic", ACPI_ISA_PVPANIC, 0, 0},   {"mc146818rtc", ACPI_ISA_RTC, 0x70, 8},
	{"i8042", ACPI_ISA_KEYBOARD, 0x60, 1}, {"i8042", ACPI_ISA_MOUSE, 0x60, 12},
};

static uint64_t prop_number(struct device *dev, const char *name, uint64_t otherwise)
{
	g_autoptr(json_object) value = NULL;

	if (!device_type_prop(dev->type, name))
		return otherwise;
	value = device_get_json(dev, name, NULL);
	return value ? json_object_get_uint64(value) : otherwise;
}

static void describe_isa_device(struct device *dev, GArray *out)
{
	for (size_t i = 0; i < G_N_ELEMENTS(isa_kinds); i++) {
		struct acpi_isa_device isa = {
			.kind = isa_kinds[i].kind,
			.index = prop_number(dev, "index", 0),
			.port = prop_number(dev, "iobase",
					    prop_number(dev, "ioport", isa_kinds[i].port)),
			.irq = prop_number(dev, "irq", isa_kinds[i].irq),
		};

		if (!strcmp(dev->type->name, isa_kinds[i].type))
			g_array_append_val(out, isa);
	}
}

GArray *pc_describe_cpus(const struct machine *m)
{
	GArray *cpus = g_array_new(false, false, sizeof(struct acpi_cpu));

	for (unsigned i = 0; i < m->topo.maxcpus; i++) {
		struct acpi_cpu cpu = {
			.apic_id = cpu_place_of_index(&m->topo, i).apic_id,
			.node = m->numa ? m->numa->cpu_node[i] : 0,
			.present = m->cpus[i] != NULL,
		};

		g_array_append_val(cpus, cpu);
	}
	return cpus;
}

static GArray *describe_windows(const struct pc_machine *pc)
{
	const struct machine *m = &pc->m;
	const struct acpi_window fixed[] = {
		{ACPI_WINDOW_PORTS, 0, MECHANISM1, false},
		{ACPI_WINDOW_PORTS, MECHANISM1 + 8, 0x10000 - (MECHANISM1 + 8), false},
		{ACPI_WINDOW_MEMORY, VGA_HOLE, VGA_HOLE_SIZE, true},
		{ACPI_WINDOW_MEMORY, m->below_4g, IOAPIC_BASE - m->below_4g, false},
		{ACPI_WINDOW_MEMORY, ROUND_UP(4 * GIB + m->above_4g, GIB), HOLE64_SIZE, true},
	};
	GArray *windows = g_array_new(false, false, sizeof(struct acpi_window));

	/* The last is the one above 4 GiB. */
	g_array_append_vals(windows, fixed,
			    G_N_ELEMENTS(fixed) - pc_has_quirk(pc, PC_QUIRK_NO_HOLE64));
	return windows;
}

/* The part of a node's memory that lies in the @size bytes at @base of the guest. @at: where that memory
 * begins in all of RAM, and @start where the guest's part does. */
static void add_memory(GArray *out, unsigned node, uint64_t at, uint64_t size, uint64_t start,
		       uint64_t length, uint64_t base)
{
	uint64_t first = MAX(at, start), end = MIN(at + size, start + length);
	struct acpi_memory memory = {.node = node, .base = base + (first - start)};

	if (first >= end)
		return;
	memory.size = end - first;
	g_array_append_val(out, memory);
}

/* Memory by nodes. What lies behind the hole for video memory and ROMs is no memory of anyone. */
static GArray *describe_memory(const struct machine *m)
{
	GArray *out = g_array_new(false, false, sizeof(struct acpi_memory));
	uint64_t at = 0;

	for (unsigned i = 0; m->numa && i < m->numa->count; i++) {
		uint64_t size = m->numa->node[i].size;

		add_memory(out, i, at, size, 0, VGA_HOLE, 0);
		add_memory(out, i, at, size, MIB, m->below_4g - MIB, MIB);
		add_memory(out, i, at, size, m->below_4g, m->above_4g, 4 * GIB);
		at += size;
	}
	return out;
}

static GByteArray *describe_distances(const struct machine *m)
{
	GByteArray *out = g_byte_array_new();

	for (unsigned i = 0; m->numa && m->numa->has_distances && i < m->numa->count; i++)
		g_byte_array_append(out, m->numa->node[i].distance, m->numa->count);
	return out;
}

struct acpi_tables *pc_describe(struct pc_machine *pc)
{
	const struct piix4_pm_facts pm = piix4_pm_facts(pc->pm);
	g_autoptr(GArray) isa = g_array_new(false, false, sizeof(struct acpi_isa_device));
	g_autoptr(GArray) cpus = pc_describe_cpus(&pc->m);
	g_autoptr(GArray) windows = describe_windows(pc);
	g_autoptr(GArray) memory = describe_memory(&pc->m);
	g_autoptr(GByteArray) distances = describe_distances(&pc->m);
	struct acpi_machine acpi = {
		.oem_id = pc->oem_id,
		.oem_table_id = pc->oem_table_id,
		.root_uid = pc_has_quirk(pc, PC_QUIRK_ROOT_UID_1),
		.ioapic = IOAPIC_BASE,
		.pm_base = PM_BASE,
		.sci = 9,
		.gpe0 = GPE0_BASE,
		.gpe0_len = GPE0_LEN,
		.smi_port = SMI_PORT,
		.acpi_enable = ACPI_ENABLE,
		.acpi_disable = ACPI_DISABLE,
		.s3 = pm.s3,
		.s4 = pm.s4,
		.s4_value = pm.s4_value,
		.fw_cfg = FW_CFG_PORT,
		.cpu_hotplug = CPU_HOTPLUG,
		.hpet = pc->hpet ? HPET_BASE : 0,
	};

	uint8_t page[VMGENID_PAGE_SIZE];

	if (pc->vmgenid) {
		vmgenid_fill_page(pc->vmgenid, page);
		acpi.generation_page = page;
		acpi.generation_size = sizeof(page);
		acpi.generation_offset = VMGENID_GUID_OFFSET;
	}
	for (guint i = 0; i < pc->isa->bus.devices->len; i++)
		describe_isa_device(pc->isa->bus.devices->pdata[i], isa);
	acpi.cpus = (struct acpi_cpu *)cpus->data;
	acpi.cpu_count = cpus->len;
	acpi.windows = (struct acpi_window *)windows->data;
	acpi.window_count = windows->len;
	acpi.nodes = pc->m.numa ? pc->m.numa->count : 0;
	acpi.memory = (struct acpi_memory *)memory->data;
	acpi.memory_count = memory->len;
	acpi.distances = distances->len ? distances->data : NULL;
	acpi.isa = (struct acpi_isa_device *)isa->data;
	acpi.isa_count = isa->len;
	return acpi_tables_new(&acpi);
}
