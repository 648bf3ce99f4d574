/*
 * Where the firmware configuration device's registers are: ports on a PC, memory elsewhere.
 *
 * As ports the selector and the data register overlap: a word written to the first port selects
 * (little-endian), a byte at either reads on. In memory the selector is big-endian, and the data
 * register may be read 8 bytes at a time.
 */
#include "hw/nvram/fw_cfg.h"

static uint64_t fw_cfg_read_byte(void *opaque, uint64_t offset, unsigned size)
{
	return fw_cfg_next_byte(opaque);
}

static void port_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	/* Bytes written to the data register have gone nowhere for long. */
	if (size == 2)
		fw_cfg_select(opaque, value);
}

static bool port_accepts(void *opaque, uint64_t offset, unsigned size, bool is_write)
{
	return size == 1 || (is_write && size == 2 && !offset);
}

static const struct io_ops port_ops = {
	.read = fw_cfg_read_byte,
	.write = port_write,
	.valid = {.min = 1, .max = 2, .accepts = port_accepts},
	.impl = {.min = 1, .max = 2},
};

static bool fw_cfg_io_realize(struct device *dev, GError **errp)
{
	struct fw_cfg *f = fw_cfg_of(dev);

	region_init_io(&f->selector, dev, "fwcfg", &port_ops, f, 2);
	region_add(f->config.root, f->config.addr, &f->selector, 0);
	if (f->dma_enabled) {
		region_init_io(&f->dma, dev, "fwcfg.dma", &fw_cfg_dma_ops, f, 8);
		region_add(f->config.root, f->config.addr + 4, &f->dma, 0);
	}
	return true;
}

static void fw_cfg_bus_unrealize(struct device *dev)
{
	struct fw_cfg *f = fw_cfg_of(dev);

	region_cleanup(&f->selector);
	if (f->data.ops)
		region_cleanup(&f->data);
	if (f->dma_enabled)
		region_cleanup(&f->dma);
}

const struct device_type fw_cfg_io_type = {
	.name = "fw_cfg_io",
	.help = "Firmware configuration device at I/O ports",
	.base = &fw_cfg_type,
	.size = sizeof(struct fw_cfg),
	.realize = fw_cfg_io_realize,
	.unrealize = fw_cfg_bus_unrealize,
};

/* ---- In memory ---- */

static uint64_t data_read(void *opaque, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	/* The bytes in the order they are, whatever the width. */
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)fw_cfg_next_byte(opaque) << (8 * i);
	return value;
}

static void data_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
}

static const struct io_ops data_ops = {
	.read = data_read,
	.write = data_write,
	.valid = {.min = 1, .max = 8},
	.impl = {.min = 1, .max = 8},
};

static uint64_t selector_read(void *opaque, uint64_t offset, unsigned size)
{
	return 0;
}

static void selector_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	fw_cfg_select(opaque, GUINT16_SWAP_LE_BE((uint16_t)value));
}

static bool selector_accepts(void *opaque, uint64_t offset, unsigned size, bool is_write)
{
	return is_write && size == 2;
}

static const struct io_ops selector_ops = {
	.read = selector_read,
	.write = selector_write,
	.valid = {.min = 2, .max = 2, .accepts = selector_accepts},
	.impl = {.min = 2, .max = 2},
};

static bool fw_cfg_mem_realize(struct device *dev, GError **errp)
{
	struct fw_cfg *f = fw_cfg_of(dev);

	region_init_io(&f->data, dev, "fwcfg.data", &data_ops, f, 8);
	region_init_io(&f->selector, dev, "fwcfg.ctl", &selector_ops, f, 2);
	region_add(f->config.root, f->config.addr, &f->data, 0);
	region_add(f->config.root, f->config.addr + 8, &f->selector, 0);
	if (f->dma_enabled) {
		region_init_io(&f->dma, dev, "fwcfg.dma", &fw_cfg_dma_ops, f, 8);
		region_add(f->config.root, f->config.addr + 16, &f->dma, 0);
	}
	return true;
}

const struct device_type fw_cfg_mem_type = {
	.name = "fw_cfg_mem",
	.help = "Firmware configuration device in memory",
	.base = &fw_cfg_type,
	.size = sizeof(struct fw_cfg),
	.realize = fw_cfg_mem_realize,
	.unrealize = fw_cfg_bus_unrealize,
};
