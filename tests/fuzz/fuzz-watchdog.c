/* Watchdogs: random accesses to their registers, and time. The user's choice is that nothing happens. */
#include "../unit/trial-bench.h"
#include "machine/runstate.h"
#include "state/state.h"

extern const struct device_type i6300esb_type, ib700_type;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REGISTERS 0xe0000000

static struct pci_device *esb;

static void set_up(void)
{
	struct bench *b = bench();

	if (esb)
		return;
	run_actions()->watchdog = WATCHDOG_NONE;
	esb = pci_device_of(device_create(&i6300esb_type, &b->pci.bus));
	device_create(&ib700_type, &b->isa.bus);
}

static void map(void)
{
	pci_config_write(esb, PCI_BAR0, REGISTERS, 4);
	pci_config_write(esb, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
}

/* Four bytes at a time to configuration space, the rest to ports and memory. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GByteArray) saved = g_byte_array_new();
	g_autoptr(GError) err = NULL;

	set_up();

	struct bench *b = bench();
	const struct bench_window windows[] = {
		{&b->memory, REGISTERS, 16},
		{&b->memory, REGISTERS + 12, 2},
		{&b->io, 0x440, 4},
	};

	device_reset(&b->dev);
	map();
	while (size >= 4) {
		pci_config_write(esb, 0x60 + data[0] % 12, get_le16(data + 1), 1 << data[3] % 2);
		bench_play(windows, G_N_ELEMENTS(windows), data, MIN(size, 32));
		map();
		data += 4;
		size -= 4;
	}
	state_save_device(&esb->dev, saved);
	device_reset(&esb->dev);
	state_load_device(&esb->dev, saved->data, saved->len, &err);
	g_assert_no_error(err);
	return 0;
}
