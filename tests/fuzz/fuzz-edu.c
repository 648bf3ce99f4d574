/* edu: random registers, transfers to and from guest memory, time. */
#include "../unit/trial-bench.h"

extern const struct device_type edu_type;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct device *edu;
	struct bench *b = bench();
	const struct bench_window windows[] = {{&b->memory, 0xe0000000, 0xa8}};

	if (!edu)
		edu = device_create(&edu_type, &b->pci.bus);
	device_reset(&b->dev);
	pci_config_write(pci_device_of(edu), PCI_BAR0, 0xe0000000, 4);
	pci_config_write(pci_device_of(edu), PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
			 2);
	bench_play(windows, 1, data, size);
	return 0;
}
