/* What the files of the firmware configuration device share. */
#ifndef HW_NVRAM_FW_CFG_H
#define HW_NVRAM_FW_CFG_H

#include "hw/fw_cfg.h"

#define FW_CFG_FILE_SLOTS_MIN 0x10

#define FW_CFG_NOTHING 0xffff /* a key that was not there has been selected */

struct fw_cfg_item {
	GBytes *content;   /* NULL: empty */
	uint8_t *writable; /* content of a file firmware may write; else NULL */
	const uint8_t *data;
	size_t len;
	char *name; /* files */
	void (*selected)(void *opaque);
	void (*written)(void *opaque, const uint8_t *data, size_t offset, size_t len);
	void *opaque;
};

struct fw_cfg {
	struct device dev;
	struct fw_cfg_config config;
	uint32_t file_slots;
	bool dma_enabled;

	struct region selector, data, dma;
	GHashTable *items; /* key -> struct fw_cfg_item, owned */
	GPtrArray *files;  /* struct fw_cfg_item, owned, by name: their keys follow their order */
	uint16_t key;      /* selected */
	uint32_t offset;   /* in it */
	uint64_t dma_addr;
};

static inline struct fw_cfg *fw_cfg_of(struct device *dev)
{
	return container_of(dev, struct fw_cfg, dev);
}

void fw_cfg_select(struct fw_cfg *f, uint16_t key);
/* The selected item, or NULL. */
struct fw_cfg_item *fw_cfg_selected(struct fw_cfg *f);
uint8_t fw_cfg_next_byte(struct fw_cfg *f);

/* Abstract base of both forms. */
extern const struct device_type fw_cfg_type;

/* fw_cfg-dma.c */
extern const struct io_ops fw_cfg_dma_ops; /* opaque: struct fw_cfg */

#endif
