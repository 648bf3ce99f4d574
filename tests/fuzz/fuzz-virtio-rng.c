/* virtio-rng with a rate limit: buffers of all kinds, resets while the source gathers. */
#include "virtio-player.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct victim victim;

	if (!victim.v)
		victim_card(&victim, &virtio_rng_pci_type,
			    PLAYER_ALL_FEATURES ",max-bytes=300,period=1000", VDRV_MODERN);
	player_play(&victim, true, data, size);
	return 0;
}
