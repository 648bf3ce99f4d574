/*
 * The board's side of the Intel PIIX: the ISA bridge (PIIX3) and the power management function
 * (PIIX4's, as every i440FX machine of this family has it).
 */
#ifndef HW_PIIX_H
#define HW_PIIX_H

#include "hw/isa.h"
#include "hw/pci.h"

extern const struct device_type piix3_type;    /* function 01.0; provides "isa.0" */
extern const struct device_type piix4_pm_type; /* function 01.3 */

/* Before realize: the spaces of the ISA bus, and the sixteen lines its IRQs go to. */
struct piix3_config {
	struct region *memory, *io;
	struct irq *irqs[ISA_IRQS];
};
void piix3_configure(struct device *dev, const struct piix3_config *config);
struct isa_bus *piix3_isa(struct device *dev);

/*
 * Before realize: the lines of the system control interrupt, and of the system management interrupt (pulsed;
 * NULL: there is no SMM); the space of ports. Its inputs "gpe" are general-purpose events: a rise sets the
 * status bit.
 */
struct piix4_pm_config {
	struct irq *sci, *smi;
	struct region *io;
	struct machine *machine; /* whose CPUs come and go; NULL: they stay */
};
void piix4_pm_configure(struct device *dev, const struct piix4_pm_config *config);

/* After all devices exist: registers that tell firmware which ports answer on the ISA bus. */
struct piix4_pm_ports {
	bool parallel, serial1, serial2;
};
void piix4_pm_set_ports(struct device *dev, const struct piix4_pm_ports *ports);

/* CPU hot-plug: tell the guest. */
void piix4_pm_cpu_plugged(struct device *dev, unsigned index);
void piix4_pm_cpu_unplug(struct device *dev, unsigned index);

/* What the ACPI tables must say about it. */
struct piix4_pm_facts {
	bool s3, s4;
	uint8_t s4_value;    /* sleep type of S4 */
	bool root_hotplug;   /* slots of pci.0 are hot-pluggable */
	bool bridge_hotplug; /* those behind bridges too */
};
struct piix4_pm_facts piix4_pm_facts(struct device *dev);

#endif
