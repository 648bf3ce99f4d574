/* virtio-balloon: pages given and taken back, statistics, hints in and out of rounds, reports, poison. */
#include "virtio-player.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct victim victim;

	if (!victim.v) {
		victim_card(&victim, &virtio_balloon_pci_type,
			    PLAYER_ALL_FEATURES ",free-page-hint=on,free-page-reporting=on,"
						"guest-stats-polling-interval=2",
			    VDRV_MODERN);
		victim_balloon(&victim);
	}
	player_play(&victim, true, data, size);
	return 0;
}
