/*
 * PCI-to-PCI bridges: what all of them share. A bridge type embeds struct pci_bridge first, has
 * pci_bridge_base_type as its base, and calls pci_bridge_config_written() as, or from, its own.
 *
 * Behind a bridge are a memory and a port space of their own; its base and limit registers open windows
 * onto them in the spaces of the bus it sits on: ports, memory, prefetchable memory, and those of VGA.
 * Windows are open while the bridge's command register says so. As on the machine this one stands in
 * for, ports have 16 bits, the ISA mode and the upstream direction of bus mastering are not enforced, and
 * the secondary bus is reset when the bit in the bridge control register rises.
 *
 * Source: PCI-to-PCI Bridge Architecture Specification 1.2, 3.2.5.
 */
#ifndef HW_PCI_BRIDGE_H
#define HW_PCI_BRIDGE_H

#include "hw/pci.h"

enum pci_window {
	PCI_WINDOW_PORTS,
	PCI_WINDOW_MEMORY,
	PCI_WINDOW_PREFETCH,
	PCI_WINDOW_VGA_MEMORY,
	PCI_WINDOW_VGA_LOW,
	PCI_WINDOW_VGA_HIGH,
	PCI_WINDOWS
};

struct pci_bridge {
	struct pci_device pci;
	struct pci_bus bus;
	struct region memory, io; /* behind it */
	struct region windows[PCI_WINDOWS];
	bool in_reset; /* the secondary bus, as the control register said last */
};

/* Abstract. */
extern const struct device_type pci_bridge_base_type;

void pci_bridge_config_written(struct pci_device *pci, unsigned offset, unsigned len);

/* What a window passes on: false if it is closed by its registers (whatever the command register says). */
bool pci_bridge_window(const struct pci_device *pci, enum pci_window window, uint64_t *base,
		       uint64_t *limit);

#endif
