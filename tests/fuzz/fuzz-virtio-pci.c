/* The virtio PCI transport and the core: a malicious driver by the modern and the legacy interface. */
#include "virtio-player.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VICTIMS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct victim victims[VICTIMS];

	if (!victims[0].v) {
		victim_card(&victims[0], &virtio_rng_pci_type,
			    PLAYER_ALL_FEATURES ",modern-pio-notify=on,page-per-vq=on",
			    VDRV_MODERN);
		victim_card(&victims[1], &virtio_rng_pci_type, PLAYER_ALL_FEATURES ",vectors=2",
			    VDRV_LEGACY);
		victim_card(&victims[2], &virtio_serial_pci_type,
			    PLAYER_ALL_FEATURES ",max_ports=1", VDRV_MODERN);
		victim_card(&victims[3], &virtio_balloon_pci_type,
			    PLAYER_ALL_FEATURES ",disable-legacy=on,iommu_platform=on",
			    VDRV_MODERN);
	}
	if (size)
		player_play(&victims[data[0] % VICTIMS], data[0] & 0x80, data + 1, size - 1);
	return 0;
}
