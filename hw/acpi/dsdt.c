/*
 * The name space of a PC with i440FX and PIIX: the PCI host bridge and how its interrupts are
 * routed, the devices behind the ISA bridge, sleep states.
 *
 * Interrupts of PCI. A slot's four pins go to the PIIX's inputs PIRQ A to D, rotated by the slot's
 * number so that the INTA of neighbours differ. Registers 0x60 to 0x63 of the ISA bridge route each
 * input to a line of the ISA bus, or nowhere when bit 7 is set. That is what the four link devices
 * LNKA to LNKD (PNP0C0F) do: _PRS says which lines there are to choose from, _SRS writes the register,
 * _CRS reads it. _PRT (6.2.13) ties slot and pin to a link. The I/O APIC sees the same lines under
 * the same numbers, so nothing depends on whether the guest uses it. The power management
 * function in slot 1 has its interrupt wired to the SCI, whatever the registers say: LNKS.
 */
#include "hw/acpi/dsdt.h"

#define ISA_BRIDGE      "S08"
#define ISA_BRIDGE_SLOT 1
#define PIRQ_REGISTERS  0x60
#define PIRQ_DISABLED   0x80
#define PCI_SLOTS       32
#define PCI_PINS        4

/* _STA (6.3.7) */
#define STA_PRESENT_UNUSED 0x09 /* there, and in order, but decodes nothing */
#define STA_HIDDEN         0x0b /* works, not for the user's eyes */
#define STA_WORKS          0x0f

#define CONFIG_ADDRESS 0xcf8

/* ---- Interrupt links ---- */

static const char *const link_names[PCI_PINS] = {"LNKA", "LNKB", "LNKC", "LNKD"};
static const char *const pirq_names[PCI_PINS] = {"PRQ0", "PRQ1", "PRQ2", "PRQ3"};

static char *pirq_path(unsigned link)
{
	return g_strdup_printf("\\_SB.PCI0." ISA_BRIDGE ".%s", pirq_names[link]);
}

/* What is common to the links: their state, and their resources from a register's value. */
static struct aml *link_helpers(void)
{
	static const uint32_t none[] = {0};

	return aml_list(aml_method("IQST", 1,
				   aml_if(aml_and(aml_arg(0), aml_int(PIRQ_DISABLED), aml_path("")),
					  aml_return(aml_int(STA_PRESENT_UNUSED))),
				   aml_return(aml_int(STA_HIDDEN))),
			aml_method_serialized(
				"IQCR", 1,
				aml_store(aml_resources(aml_interrupts(none, 1)), aml_local(0)),
				aml_create_dword_field(aml_local(0), aml_int(AML_INTERRUPTS_FIRST),
						       aml_path("LINE")),
				aml_if(aml_lless(aml_arg(0), aml_int(PIRQ_DISABLED)),
				       aml_store(aml_arg(0), aml_path("LINE"))),
				aml_return(aml_local(0))));
}

static struct aml *link_device(unsigned link)
{
	static const uint32_t lines[] = {5, 10, 11};
	g_autofree char *pirq = pirq_path(link);

	return aml_device(
		link_names[link], aml_name("_HID", aml_eisaid("PNP0C0F")),
		aml_name("_UID", aml_int(link)),
		aml_name("_PRS", aml_resources(aml_interrupts(lines, G_N_ELEMENTS(lines)))),
		aml_method("_STA", 0, aml_return(aml_call("IQST", aml_path(pirq)))),
		aml_method("_DIS", 0,
			   aml_or(aml_path(pirq), aml_int(PIRQ_DISABLED), aml_path(pirq))),
		aml_method("_CRS", 0, aml_return(aml_call("IQCR", aml_path(pirq)))),
		aml_method_serialized("_SRS", 1,
				      aml_create_dword_field(aml_arg(0),
							     aml_int(AML_INTERRUPTS_FIRST),
							     aml_path("LINE")),
				      aml_store(aml_path("LINE"), aml_path(pirq))));
}

static struct aml *sci_link_device(uint32_t sci)
{
	return aml_device("LNKS", aml_name("_HID", aml_eisaid("PNP0C0F")),
			  aml_name("_UID", aml_int(PCI_PINS)),
			  aml_name("_PRS", aml_resources(aml_interrupts(&sci, 1))),
			  aml_name("_STA", aml_int(STA_HIDDEN)), aml_method("_DIS", 0),
			  aml_name("_CRS", aml_resources(aml_interrupts(&sci, 1))),
			  aml_method("_SRS", 1));
}

static struct aml *routing_entry(unsigned slot, unsigned pin)
{
	unsigned pirq = (slot + pin + PCI_PINS - 1) % PCI_PINS;
	bool is_pm = slot == ISA_BRIDGE_SLOT && pin == 0;

	return aml_package(aml_int(slot << 16 | 0xffff), aml_int(pin),
			   aml_path(is_pm ? "LNKS" : link_names[pirq]), aml_int(0));
}

static struct aml *routing_table(void)
{
	struct aml *entries = aml_list();

	for (unsigned slot = 0; slot < PCI_SLOTS; slot++)
		for (unsigned pin = 0; pin < PCI_PINS; pin++)
			aml_add(entries, routing_entry(slot, pin));
	return aml_name("_PRT", aml_package_of(entries));
}

/* ---- Devices on the ISA bus ---- */

static struct aml *isa_resources(const struct acpi_isa_device *d)
{
	switch (d->kind) {
	case ACPI_ISA_KEYBOARD: /* data, and four ports on command and status */
		return aml_list(aml_io(d->port, 1, 1), aml_io(d->port + 4, 1, 1));
	case ACPI_ISA_SERIAL:
		return aml_io(d->port, 0, 8);
	case ACPI_ISA_PARALLEL:
		return aml_io(d->port, 8, 8);
	case ACPI_ISA_RTC:
		return aml_io(d->port, 1, 8);
	case ACPI_ISA_PVPANIC:
		return aml_io(d->port, 1, 1);
	default:
		return aml_list();
	}
}

static const struct {
	const char *name, *hid;
	bool numbered;
} isa_kinds[] = {
	[ACPI_ISA_KEYBOARD] = {"KBD", "PNP0303", false},
	[ACPI_ISA_MOUSE] = {"MOU", "PNP0F13", false},
	[ACPI_ISA_SERIAL] = {"COM", "PNP0501", true},
	[ACPI_ISA_PARALLEL] = {"LPT", "PNP0400", true},
	[ACPI_ISA_PVPANIC] = {"PEVT", NULL, false},
	[ACPI_ISA_RTC] = {"RTC", "PNP0B00", false},
};

/* Methods read and write the port: which events it knows, and which one happened. */
static struct aml *panic_device(const struct acpi_isa_device *d)
{
	static const struct aml_unit port[] = {{"PEPT", 8}, {}};

	return aml_device(isa_kinds[d->kind].name, aml_name("_HID", aml_string("QEMU0001")),
			  aml_name("_CRS", aml_resources(isa_resources(d))),
			  aml_region("PEOR", AML_SPACE_IO, d->port, 1),
			  aml_field("PEOR", AML_ACCESS_BYTE, port),
			  aml_name("_STA", aml_int(STA_WORKS)),
			  aml_method("RDPT", 0, aml_return(aml_path("PEPT"))),
			  aml_method("WRPT", 1, aml_store(aml_arg(0), aml_path("PEPT"))));
}

static struct aml *isa_device(const struct acpi_isa_device *d)
{
	const char *kind = isa_kinds[d->kind].name;
	bool numbered = isa_kinds[d->kind].numbered;
	g_autofree char *name = NULL;

	if (d->kind == ACPI_ISA_PVPANIC)
		return panic_device(d);
	name = numbered ? g_strdup_printf("%s%u", kind, d->index + 1) : g_strdup(kind);

	return aml_device(name, aml_name("_HID", aml_eisaid(isa_kinds[d->kind].hid)),
			  numbered ? aml_name("_UID", aml_int(d->index + 1)) : aml_list(),
			  aml_name("_CRS", aml_resources(isa_resources(d), aml_irq(d->irq))));
}

static struct aml *isa_bridge(const struct acpi_machine *m)
{
	static const struct aml_unit pirqs[] = {
		{"PRQ0", 8}, {"PRQ1", 8}, {"PRQ2", 8}, {"PRQ3", 8}, {},
	};
	struct aml *devices = aml_list();

	for (unsigned i = 0; i < m->isa_count; i++)
		aml_add(devices, isa_device(&m->isa[i]));
	return aml_device(ISA_BRIDGE, aml_name("_ADR", aml_int(ISA_BRIDGE_SLOT << 16)),
			  aml_region("P40C", AML_SPACE_PCI_CONFIG, PIRQ_REGISTERS, PCI_PINS),
			  aml_field("P40C", AML_ACCESS_BYTE, pirqs), devices);
}

/* ---- The host bridge ---- */

static struct aml *window(const struct acpi_window *w)
{
	if (w->kind == ACPI_WINDOW_PORTS)
		return aml_io_window(w->base, w->base + w->size - 1);
	return aml_memory_window(w->base, w->base + w->size - 1, w->cacheable);
}

static struct aml *host_resources(const struct acpi_machine *m)
{
	struct aml *windows = aml_list();

	for (unsigned i = 0; i < m->window_count; i++)
		aml_add(windows, window(&m->windows[i]));
	return aml_resources(aml_bus_window(0, 0xff), aml_io(CONFIG_ADDRESS, 1, 8), windows);
}

/* Ports that the operating system must leave alone. */
static struct aml *reserved_ports(const char *name, const char *uid, uint16_t port, uint8_t length)
{
	return aml_device(name, aml_name("_HID", aml_string("PNP0A06")),
			  aml_name("_UID", aml_string(uid)), aml_name("_STA", aml_int(STA_HIDDEN)),
			  aml_name("_CRS", aml_resources(aml_io(port, 1, length))));
}

static struct aml *fw_cfg_device(uint16_t port)
{
	return aml_device("FWCF", aml_name("_HID", aml_string("QEMU0002")),
			  aml_name("_STA", aml_int(STA_HIDDEN)),
			  aml_name("_CRS", aml_resources(aml_io(port, 1, 12))));
}

static struct aml *host_bridge(const struct acpi_machine *m)
{
	return aml_device("PCI0", aml_name("_HID", aml_eisaid("PNP0A03")),
			  aml_name("_ADR", aml_int(0)), aml_name("_UID", aml_int(m->root_uid)),
			  aml_name("_CRS", host_resources(m)), routing_table(), isa_bridge(m),
			  m->gpe0 ? reserved_ports("GPE0", "GPE0 resources", m->gpe0, m->gpe0_len)
				  : aml_list(),
			  m->fw_cfg ? fw_cfg_device(m->fw_cfg) : aml_list());
}

/* ---- HPET, sleep states ---- */

static struct aml *hpet_device(uint32_t base)
{
	return aml_device("HPET", aml_name("_HID", aml_eisaid("PNP0103")),
			  aml_name("_UID", aml_int(0)),
			  aml_name("_CRS", aml_resources(aml_memory32(base, 0x400))));
}

/* The values of SLP_TYP for PM1a and PM1b control; the PIIX4 knows 0 (soft off), 1 and 2. */
static struct aml *sleep_state(const char *name, uint8_t value)
{
	return aml_name(name, aml_package(aml_int(value), aml_int(value), aml_int(0), aml_int(0)));
}

struct aml *dsdt_build(const struct acpi_machine *m)
{
	struct aml *links = aml_list();

	for (unsigned i = 0; i < PCI_PINS; i++)
		aml_add(links, link_device(i));
	return aml_list(aml_scope("\\_SB", link_helpers(), links, sci_link_device(m->sci),
				  host_bridge(m), m->hpet ? hpet_device(m->hpet) : aml_list()),
			dsdt_processors(m), m->s3 ? sleep_state("\\_S3", 1) : aml_list(),
			m->s4 ? sleep_state("\\_S4", m->s4_value) : aml_list(),
			sleep_state("\\_S5", 0));
}
