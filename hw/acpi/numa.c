/* SRAT and SLIT (ACPI 6.4, 5.2.16 and 5.2.17): what is near what. */
#include "hw/acpi/tables.h"

#include "abi/acpi.h"
#include "hw/acpi/dsdt.h"

static void add_cpu(GByteArray *srat, const struct acpi_machine *m, unsigned index)
{
	const struct acpi_cpu *cpu = &m->cpus[index];

	if (acpi_cpu_is_wide(m, index)) {
		struct acpi_srat_x2apic e = {
			.type = 2,
			.length = sizeof(e),
			.domain = cpu->node,
			.apic_id = cpu->apic_id,
			.flags = ACPI_SRAT_ENABLED,
		};
		g_byte_array_append(srat, (uint8_t *)&e, sizeof(e));
	} else {
		struct acpi_srat_cpu e = {
			.type = 0,
			.length = sizeof(e),
			.domain_low = cpu->node,
			.apic_id = cpu->apic_id,
			.flags = ACPI_SRAT_ENABLED,
		};
		g_byte_array_append(srat, (uint8_t *)&e, sizeof(e));
	}
}

static void add_memory(GByteArray *srat, const struct acpi_memory *memory)
{
	struct acpi_srat_memory e = {.type = 1, .length = sizeof(e)};

	if (memory) {
		e.domain = memory->node;
		e.base = memory->base;
		e.size = memory->size;
		e.flags = ACPI_SRAT_ENABLED;
	}
	g_byte_array_append(srat, (uint8_t *)&e, sizeof(e));
}

/*
 * Each node can have two pieces of memory more than one, around the holes at 640 KiB and below
 * 4 GiB: the table has room for them all, whatever the sizes, and what is not used is not enabled.
 */
uint32_t srat_add(struct acpi_tables *t, const struct acpi_machine *m)
{
	g_autoptr(GByteArray) srat = g_byte_array_new();
	struct acpi_srat fixed = {.reserved1 = 1};

	g_byte_array_append(srat, (uint8_t *)&fixed, sizeof(fixed));
	for (unsigned i = 0; i < m->cpu_count; i++)
		add_cpu(srat, m, i);
	for (unsigned i = 0; i < MAX(m->memory_count, m->nodes + 2); i++)
		add_memory(srat, i < m->memory_count ? &m->memory[i] : NULL);
	return tables_add(t, m, "SRAT", 1, srat->data, srat->len);
}

uint32_t slit_add(struct acpi_tables *t, const struct acpi_machine *m)
{
	g_autoptr(GByteArray) slit = g_byte_array_new();
	struct acpi_slit fixed = {.count = m->nodes};

	g_byte_array_append(slit, (uint8_t *)&fixed, sizeof(fixed));
	g_byte_array_append(slit, m->distances, m->nodes * m->nodes);
	return tables_add(t, m, "SLIT", 1, slit->data, slit->len);
}
