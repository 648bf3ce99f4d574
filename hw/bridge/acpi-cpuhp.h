/*
 * The register block through which ACPI methods hot-plug CPUs: which of them came, which shall go, a
 * register that ejects, and what the operating system says of how it went.
 *
 * An interface of QEMU's (docs/specs/acpi_cpu_hotplug), not of a chip. It begins as the old one, a
 * bitmap of the APIC IDs present; writing 0 to its first four bytes turns it into the new one, which
 * works on a selected CPU, numbered as in the DSDT.
 */
#ifndef HW_BRIDGE_ACPI_CPUHP_H
#define HW_BRIDGE_ACPI_CPUHP_H

#include "hw/bridge/acpi-pm.h"
#include "machine/machine.h"

#define ACPI_CPUHP_MAX         256
#define ACPI_CPUHP_LEGACY_SIZE 32
#define ACPI_CPUHP_SIZE        12

struct acpi_cpuhp {
	struct acpi_pm *pm; /* whose event tells the guest */
	struct machine *machine;
	struct region legacy_regs, regs;
	bool modern;
	uint32_t selected;
	uint8_t command;
	uint8_t flags[ACPI_CPUHP_MAX];                                  /* see acpi-cpuhp.c */
	uint32_t ost_event[ACPI_CPUHP_MAX], ost_status[ACPI_CPUHP_MAX]; /* ACPI 6.4, 6.3.5 */
};

extern const struct field_set acpi_cpuhp_state;

/* Maps both forms of the registers at @port of @io. */
void acpi_cpuhp_init(struct acpi_cpuhp *hp, struct device *owner, struct acpi_pm *pm,
		     struct machine *machine, struct region *io, uint64_t port);
void acpi_cpuhp_cleanup(struct acpi_cpuhp *hp);
void acpi_cpuhp_post_load(struct acpi_cpuhp *hp);

/* CPU @index has come; it shall go. */
void acpi_cpuhp_plugged(struct acpi_cpuhp *hp, unsigned index);
void acpi_cpuhp_unplug(struct acpi_cpuhp *hp, unsigned index);

#endif
