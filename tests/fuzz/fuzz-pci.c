/*
 * PCI configuration mechanism #1, BARs, MSI and MSI-X: random accesses to the ports, to configuration
 * space of a card and of a bridge, and to where their registers may have gone.
 */
#include "../unit/trial-bench.h"
#include "hw/pci/bridge.h"

extern const struct device_type i82801_bridge_type;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pci_device *plug(const struct device_type *type, struct pci_bus *bus)
{
	return pci_device_of(device_create(type, &bus->bus));
}

static struct pci_device *card, *bridge, *behind;

static void set_up(void)
{
	struct bench *b = bench();

	if (card)
		return;
	card = plug(&bench_card_type, &b->pci);
	bridge = plug(&i82801_bridge_type, &b->pci);
	behind = plug(&bench_card_type, &container_of(bridge, struct pci_bridge, pci)->bus);
}

/* Ports and memory for half of the input; the other half goes straight to configuration space. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	set_up();

	struct bench *b = bench();
	const struct bench_window windows[] = {
		{&b->io, 0xcf8, 8},
		{&b->io, 0xc000, 0x1000},
		{&b->memory, 0xe0000000, 0x20000},
		{&b->memory, 0, 0x2000},
	};
	struct pci_device *targets[] = {card, bridge, behind};

	device_reset(&b->dev);
	while (size >= 8) {
		struct pci_device *pci = targets[data[0] % 3];

		pci_config_write(pci, data[1], get_le32(data + 2), 1 << data[6] % 3);
		pci_config_read(pci, data[1], 1 << data[6] % 3);
		pci_set_irq(pci, data[7] & 1);
		if (data[7] & 2)
			pci_msix_notify(pci, data[7] >> 4);
		if ((data[7] & 4) && pci_msi_enabled(pci))
			pci_msi_notify(pci, data[7] >> 4);
		if (data[7] & 8)
			bench_play(windows, G_N_ELEMENTS(windows), data, MIN(size, 64));
		data += 8;
		size -= 8;
	}
	/* The lines are the sum of those who assert them, whatever happened. */
	for (unsigned line = 0; line < 4; line++) {
		unsigned count = 0;

		for (unsigned i = 0; i < G_N_ELEMENTS(targets); i++)
			count += targets[i]->intx_counted && targets[i]->intx_line == line;
		g_assert_cmpuint(count, ==, b->pci.line_count[line]);
		g_assert_cmpint(!!count, ==, b->intx >> line & 1);
	}
	return 0;
}
