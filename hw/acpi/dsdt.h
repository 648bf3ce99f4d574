/* The DSDT's code: everything of the machine that is not in a table of its own. */
#ifndef ACPI_DSDT_H
#define ACPI_DSDT_H

#include "hw/acpi.h"
#include "hw/acpi/aml.h"

struct aml *dsdt_build(const struct acpi_machine *m);
struct aml *dsdt_build_reduced(const struct acpi_machine *m);
/* cpus.c: the processors, at the root of the name space. */
struct aml *dsdt_processors(const struct acpi_machine *m);

/* A CPU that 8-bit numbers cannot name: it is a device, and has an x2APIC entry in the MADT. */
static inline bool acpi_cpu_is_wide(const struct acpi_machine *m, unsigned index)
{
	return m->cpus[index].apic_id >= 0xff;
}

#endif
