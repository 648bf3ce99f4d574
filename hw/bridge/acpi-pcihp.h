/*
 * The register block through which ACPI methods hot-plug PCI devices: which slots of a selected bus
 * got a device, which shall be emptied, and a register that ejects.
 *
 * An interface of QEMU's (docs/specs/acpi_pci_hotplug), not of a chip.
 */
#ifndef HW_BRIDGE_ACPI_PCIHP_H
#define HW_BRIDGE_ACPI_PCIHP_H

#include "hw/bridge/acpi-pm.h"
#include "hw/pci.h"

#define ACPI_PCIHP_SIZE 0x18

struct acpi_pcihp {
	struct acpi_pm *pm;  /* whose event tells the guest */
	struct pci_bus *bus; /* bus number 0 of the interface */
	struct region regs;
	uint32_t selected, up, down;
};

extern const struct field_set acpi_pcihp_state;

/* Takes hot-plug of @bus over. The owner maps hp->regs. */
void acpi_pcihp_init(struct acpi_pcihp *hp, struct device *owner, struct acpi_pm *pm,
		     struct pci_bus *bus);
void acpi_pcihp_cleanup(struct acpi_pcihp *hp);
void acpi_pcihp_reset(struct acpi_pcihp *hp);

#endif
