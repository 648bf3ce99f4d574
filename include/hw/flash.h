/*
 * Parallel flash chips.
 */
#ifndef HW_FLASH_H
#define HW_FLASH_H

#include "device/device.h"
#include "machine/flash-store.h"

extern const struct device_type pflash_cfi01_type;

struct pflash_config {
	struct flash_store *store; /* its size is that of the chip */
	const char *name;          /* of the memory: "system.flash0"; borrowed */
	uint32_t sector_size;      /* a power of two of which the size is a multiple */
};

/* Before realize; the device takes the store over. */
void pflash_configure(struct device *dev, const struct pflash_config *config);
/* After realize: to be mapped by the board. */
struct region *pflash_region(struct device *dev);

#endif
