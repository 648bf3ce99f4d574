/*
 * The board's and the loaders' side of the firmware configuration device: numbered items and named
 * files that firmware, and kernels, read through a pair of ports or by DMA.
 *
 * Items are added while the machine is built and stay for its life. Data is copied unless it comes as
 * GBytes, which is kept by reference: kernels and initrds are large. A file may have a callback that
 * runs whenever firmware selects it, to bring its contents up to date (ACPI tables after the BARs are
 * set), and be writable by DMA.
 */
#ifndef HW_FW_CFG_H
#define HW_FW_CFG_H

#include "abi/fw_cfg.h"
#include "device/device.h"
#include "mem/space.h"

extern const struct device_type fw_cfg_io_type;  /* ports 510h, 511h, 514h */
extern const struct device_type fw_cfg_mem_type; /* data, selector, DMA address in memory */

/* Before realize: where the registers are mapped (@addr in @root), and what DMA sees. */
struct fw_cfg_config {
	struct region *root;
	uint64_t addr;
	struct address_space *dma;
};
void fw_cfg_configure(struct device *dev, const struct fw_cfg_config *config);

/* Numbered items; adding one again replaces it. @width bytes, little-endian, for numbers. */
void fw_cfg_add_bytes(struct device *dev, uint16_t key, const void *data, size_t len);
void fw_cfg_add_uint(struct device *dev, uint16_t key, uint64_t value, unsigned width);
void fw_cfg_add_string(struct device *dev, uint16_t key, const char *text); /* with its NUL */
void fw_cfg_add_gbytes(struct device *dev, uint16_t key, GBytes *content);

struct fw_cfg_file {
	const char *name; /* copied; at most 55 bytes */
	GBytes *content;  /* a reference is taken */
	bool writable;    /* the device then has a copy of its own */
	/* Firmware is about to read it: may call fw_cfg_set_file(). */
	void (*selected)(void *opaque);
	/* Firmware wrote [offset, offset+len) of @data. */
	void (*written)(void *opaque, const uint8_t *data, size_t offset, size_t len);
	void *opaque;
};

/* False with an error: the name is taken or too long, or there are too many files. */
bool fw_cfg_add_file(struct device *dev, const struct fw_cfg_file *file, GError **errp);
/* The common case: plain bytes, copied. */
bool fw_cfg_add_file_bytes(struct device *dev, const char *name, const void *data, size_t len,
			   GError **errp);
/* New contents for a file that exists (made if it does not). The size may change. */
bool fw_cfg_set_file(struct device *dev, const char *name, GBytes *content, GError **errp);
/* What a writable file holds now; NULL if there is no such file. Borrowed until it is changed. */
const uint8_t *fw_cfg_file_data(struct device *dev, const char *name, size_t *len);

#endif
