/* virtio-serial: control messages, data both ways, peers that come, go and do not read. */
#include "virtio-player.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct victim victim;

	if (!victim.v) {
		victim_card(&victim, &virtio_serial_pci_type, PLAYER_ALL_FEATURES ",max_ports=4",
			    VDRV_MODERN);
		victim_serial_ports(&victim);
	}
	player_play(&victim, true, data, size);
	return 0;
}
