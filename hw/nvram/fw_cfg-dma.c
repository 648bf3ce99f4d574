/*
 * The DMA interface of the firmware configuration device.
 *
 * Firmware writes the address of a request, high half first, the write of the low half starts it; it is
 * done when that write returns. Data moves only between an item and RAM.
 */
#include "base/checked.h"
#include "base/trace.h"
#include "hw/nvram/fw_cfg.h"

TRACE_DEFINE(fw_cfg_dma, "request at 0x%" PRIx64 ": control 0x%x length 0x%x address 0x%" PRIx64);

/* Moves @len bytes between guest RAM and @data (NULL: zeros go in). False where there is no RAM. */
static bool dma_move(struct fw_cfg *f, uint64_t addr, uint8_t *data, uint64_t len, bool to_guest)
{
	while (len) {
		struct as_mapping map;
		uint64_t part = len;
		uint8_t *host = as_map(f->config.dma, addr, &part, to_guest, &map);

		if (!host)
			return false;
		if (!to_guest)
			memcpy(data, host, part);
		else if (data)
			memcpy(host, data, part);
		else
			memset(host, 0, part);
		as_unmap(&map, to_guest ? part : 0);
		data = data ? data + part : NULL;
		len -= part;
		if (ADD_OVERFLOWS(addr, part, &addr) && len)
			return false;
	}
	return true;
}

/* Beyond the end of an item, or where there is none, zeros are read. */
static bool dma_read(struct fw_cfg *f, uint64_t addr, uint32_t len)
{
	const struct fw_cfg_item *item = fw_cfg_selected(f);
	uint64_t there = item && f->offset < item->len ? item->len - f->offset : 0;
	uint64_t from_item = MIN(len, there);

	if (from_item && !dma_move(f, addr, (uint8_t *)item->data + f->offset, from_item, true))
		return false;
	f->offset += from_item;
	return len == from_item || dma_move(f, addr + from_item, NULL, len - from_item, true);
}

static bool dma_write(struct fw_cfg *f, uint64_t addr, uint32_t len)
{
	struct fw_cfg_item *item = fw_cfg_selected(f);
	uint32_t offset = f->offset;

	if (!item || !item->writable || !range_fits(offset, len, item->len))
		return false;
	if (!dma_move(f, addr, item->writable + offset, len, false))
		return false;
	f->offset += len;
	if (item->written)
		item->written(item->opaque, item->data, offset, len);
	return true;
}

static void dma_skip(struct fw_cfg *f, uint32_t len)
{
	const struct fw_cfg_item *item = fw_cfg_selected(f);
	uint64_t there = item && f->offset < item->len ? item->len - f->offset : 0;

	f->offset += MIN(len, there);
}

static bool dma_run(struct fw_cfg *f, const struct fw_cfg_dma_access *access)
{
	uint32_t control = GUINT32_FROM_BE(access->control);
	uint32_t len = GUINT32_FROM_BE(access->length);
	uint64_t addr = GUINT64_FROM_BE(access->address);

	trace(fw_cfg_dma, f->dma_addr, control, len, addr);
	if (control & FW_CFG_DMA_SELECT)
		fw_cfg_select(f, control >> 16);
	if (control & FW_CFG_DMA_READ)
		return dma_read(f, addr, len);
	if (control & FW_CFG_DMA_WRITE)
		return dma_write(f, addr, len);
	if (control & FW_CFG_DMA_SKIP)
		dma_skip(f, len);
	return true;
}

static void dma_start(struct fw_cfg *f)
{
	struct fw_cfg_dma_access access;
	uint64_t addr = f->dma_addr;
	uint32_t result;
	bool ok;

	ok = as_read(f->config.dma, addr, &access, sizeof(access)) == MEM_OK && dma_run(f, &access);
	f->dma_addr = 0;
	result = GUINT32_TO_BE(ok ? 0 : FW_CFG_DMA_ERROR);
	as_write(f->config.dma, addr, &result, sizeof(result));
}

static uint64_t dma_addr_read(void *opaque, uint64_t offset, unsigned size)
{
	/* The register is big-endian: its first byte is the signature's first letter. */
	uint8_t bytes[8];

	put_be64(bytes, FW_CFG_DMA_SIGNATURE);
	return get_le(bytes + offset, size);
}

static void dma_addr_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct fw_cfg *f = opaque;

	if (size == 8) {
		f->dma_addr = GUINT64_SWAP_LE_BE(value);
		dma_start(f);
	} else if (!offset) {
		f->dma_addr = (uint64_t)GUINT32_SWAP_LE_BE((uint32_t)value) << 32;
	} else {
		f->dma_addr |= GUINT32_SWAP_LE_BE((uint32_t)value);
		dma_start(f);
	}
}

static bool dma_addr_accepts(void *opaque, uint64_t offset, unsigned size, bool is_write)
{
	return !is_write || (size == 4 && offset % 4 == 0) || (size == 8 && !offset);
}

const struct io_ops fw_cfg_dma_ops = {
	.read = dma_addr_read,
	.write = dma_addr_write,
	.valid = {.min = 1, .max = 8, .accepts = dma_addr_accepts},
	.impl = {.min = 1, .max = 8},
};
