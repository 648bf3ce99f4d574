/*
 * INTx: from a device's pin over the bridges to a line of the root bus.
 *
 * Each bridge rotates the pins by the slot of the device behind it (PCI-to-PCI Bridge Architecture
 * 1.2, table 9-1). Lines are shared, so a root counts who asserts each; it is high while any does.
 */
#include "base/trace.h"
#include "hw/bus/pci/internal.h"

TRACE_DEFINE(pci_intx, "%s line %u level %d");

static unsigned intx_route(struct pci_device *pci, struct pci_bus **root)
{
	unsigned pin = pci->config[PCI_INTERRUPT_PIN] - 1;
	struct pci_bus *bus = pci_bus_of(pci);

	while (bus->bridge) {
		pin = (pin + PCI_SLOT(pci->devfn)) % 4;
		pci = bus->bridge;
		bus = pci_bus_of(pci);
	}
	*root = bus;
	return bus->map_intx ? bus->map_intx(bus->intx_opaque, pci, pin) : pin;
}

void pci_intx_update(struct pci_device *pci)
{
	bool enabled = !(pci_get16(pci, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE);
	bool level = pci->intx_level && enabled && pci->config[PCI_INTERRUPT_PIN];
	struct pci_bus *root;
	unsigned line;

	if (level == pci->intx_counted)
		return;
	line = intx_route(pci, &root);
	if (!level) /* the line it was counted on, whatever routing says now */
		line = pci->intx_line;
	pci->intx_line = line;
	pci->intx_counted = level;
	root->line_count[line] += level ? 1 : -1;
	trace(pci_intx, device_label(&pci->dev), line, level);
	if (root->set_intx)
		root->set_intx(root->intx_opaque, line, root->line_count[line]);
}

void pci_set_irq(struct pci_device *pci, bool level)
{
	uint16_t status = pci_get16(pci, PCI_STATUS) & ~PCI_STATUS_INTERRUPT;

	pci->intx_level = level;
	pci_set16(pci, PCI_STATUS, status | (level ? PCI_STATUS_INTERRUPT : 0));
	pci_intx_update(pci);
}

bool pci_line_level(const struct pci_bus *root, unsigned line)
{
	return root->line_count[line] != 0;
}
