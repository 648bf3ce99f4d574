/* pc-testdev and pci-testdev: random accesses to all they have. */
#include "../unit/trial-bench.h"

extern const struct device_type pc_testdev_type, pci_testdev_type;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct device *card;
	struct bench *b = bench();
	const struct bench_window windows[] = {
		{&b->memory, 0xe0000000, 0x20}, {&b->memory, 0xe0000800, 4},
		{&b->io, 0xc000, 0x88},         {&b->io, 0xe0, 12},
		{&b->memory, 0xff00fff8, 0x10}, {&b->io, 0x2000, 26},
	};

	if (!card) {
		card = device_create(&pci_testdev_type, &b->pci.bus);
		device_create(&pc_testdev_type, &b->isa.bus);
	}
	device_reset(&b->dev);
	pci_config_write(pci_device_of(card), PCI_BAR0, 0xe0000000, 4);
	pci_config_write(pci_device_of(card), PCI_BAR0 + 4, 0xc000, 4);
	pci_config_write(pci_device_of(card), PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 2);
	bench_play(windows, G_N_ELEMENTS(windows), data, size);
	return 0;
}
