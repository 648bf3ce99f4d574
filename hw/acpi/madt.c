/* The MADT (ACPI 6.4, 5.2.12): processors, the I/O APIC, and how ISA's lines arrive at it. */
#include "hw/acpi/tables.h"

#include "abi/acpi.h"
#include "hw/acpi/dsdt.h"

#define LOCAL_APIC_ADDRESS 0xfee00000
#define IOAPIC_PINS        24

void madt_add_cpu(GByteArray *madt, const struct acpi_machine *m, unsigned index, bool enabled)
{
	const struct acpi_cpu *cpu = &m->cpus[index];
	uint32_t flags = enabled ? ACPI_MADT_ENABLED : 0;

	if (acpi_cpu_is_wide(m, index)) {
		struct acpi_madt_x2apic e = {
			.type = 9,
			.length = sizeof(e),
			.apic_id = cpu->apic_id,
			.flags = flags,
			.uid = index,
		};
		g_byte_array_append(madt, (uint8_t *)&e, sizeof(e));
	} else {
		struct acpi_madt_local_apic e = {
			.type = 0,
			.length = sizeof(e),
			.uid = index,
			.apic_id = cpu->apic_id,
			.flags = flags,
		};
		g_byte_array_append(madt, (uint8_t *)&e, sizeof(e));
	}
}

/* NMI arrives at LINT1 of every local APIC. */
static void add_nmi(GByteArray *madt, bool wide)
{
	struct acpi_madt_x2apic_nmi x2apic = {
		.type = 10,
		.length = sizeof(x2apic),
		.uid = UINT32_MAX,
		.lint = 1,
	};
	struct acpi_madt_nmi nmi = {.type = 4, .length = sizeof(nmi), .uid = 0xff, .lint = 1};

	if (wide)
		g_byte_array_append(madt, (uint8_t *)&x2apic, sizeof(x2apic));
	else
		g_byte_array_append(madt, (uint8_t *)&nmi, sizeof(nmi));
}

/*
 * ISA's lines are GSIs of the same number, edge triggered and active high, but for these: the
 * timer is wired to pin 2, and what PCI uses is level triggered.
 */
static void add_overrides(GByteArray *madt)
{
	static const struct {
		uint8_t irq, gsi;
		uint16_t flags;
	} overrides[] = {
		{0, 2, ACPI_INTI_AS_BUS},
		{5, 5, ACPI_INTI_ACTIVE_HIGH_LEVEL},
		{9, 9, ACPI_INTI_ACTIVE_HIGH_LEVEL},
		{10, 10, ACPI_INTI_ACTIVE_HIGH_LEVEL},
		{11, 11, ACPI_INTI_ACTIVE_HIGH_LEVEL},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(overrides); i++) {
		struct acpi_madt_override e = {
			.type = 2,
			.length = sizeof(e),
			.source = overrides[i].irq,
			.gsi = overrides[i].gsi,
			.flags = overrides[i].flags,
		};
		g_byte_array_append(madt, (uint8_t *)&e, sizeof(e));
	}
}

static void add_ioapic(GByteArray *madt, uint8_t id, uint32_t address, uint32_t gsi_base)
{
	struct acpi_madt_io_apic e = {
		.type = 1,
		.length = sizeof(e),
		.id = id,
		.address = address,
		.gsi_base = gsi_base,
	};

	if (address)
		g_byte_array_append(madt, (uint8_t *)&e, sizeof(e));
}

uint32_t madt_add(struct acpi_tables *t, const struct acpi_machine *m)
{
	g_autoptr(GByteArray) madt = g_byte_array_new();
	struct acpi_madt fixed = {
		.local_apic = LOCAL_APIC_ADDRESS,
		.flags = ACPI_MADT_PCAT_COMPAT,
	};
	bool wide = false;

	g_byte_array_append(madt, (uint8_t *)&fixed, sizeof(fixed));
	for (unsigned i = 0; i < m->cpu_count; i++) {
		madt_add_cpu(madt, m, i, m->cpus[i].present);
		wide |= acpi_cpu_is_wide(m, i);
	}
	add_ioapic(madt, 0, m->ioapic, 0);
	add_ioapic(madt, 1, m->ioapic2, IOAPIC_PINS);
	if (m->ioapic && !m->ged.events)
		add_overrides(madt);
	add_nmi(madt, wide);
	return tables_add(t, m, "APIC", 1, madt->data, madt->len);
}
