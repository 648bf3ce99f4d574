/* The virtio MMIO transport of both versions, with malicious drivers. */
#include "virtio-player.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WINDOW 0xfeb00000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct victim modern, legacy;

	if (!modern.v) {
		victim_window(&modern, &virtio_rng_type, PLAYER_ALL_FEATURES ",iommu_platform=on",
			      WINDOW, false);
		victim_window(&legacy, &virtio_rng_type, PLAYER_ALL_FEATURES,
			      WINDOW + VIRTIO_MMIO_SIZE, true);
	}
	if (size)
		player_play(data[0] & 1 ? &modern : &legacy, data[0] & 0x80, data + 1, size - 1);
	return 0;
}
