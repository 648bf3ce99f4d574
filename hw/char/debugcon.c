/*
 * isa-debugcon: a port that writes bytes to a character device and answers a fixed value when read.
 * Firmware looks for its value (0xe9) at its port (0xe9) before it logs there, as on Bochs.
 */
#include "chardev/chardev.h"
#include "hw/isa.h"

struct debugcon {
	struct isa_device isa;
	struct region port;
	struct chardev *chr;
	struct chardev_frontend *fe;
	uint32_t iobase, readback;
};

static struct debugcon *debugcon_of(struct device *dev)
{
	return container_of(dev, struct debugcon, isa.dev);
}

static uint64_t debugcon_read(void *opaque, uint64_t offset, unsigned size)
{
	struct debugcon *d = opaque;

	return d->readback;
}

static void debugcon_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct debugcon *d = opaque;
	uint8_t byte = value;

	chardev_write_all(d->fe, &byte, 1);
}

static const struct io_ops debugcon_ops = {
	.read = debugcon_read,
	.write = debugcon_write,
	.valid = {.min = 1, .max = 1},
	.impl = {.min = 1, .max = 1},
};

static bool debugcon_realize(struct device *dev, GError **errp)
{
	static const struct chardev_handlers handlers = {};
	struct debugcon *d = debugcon_of(dev);

	if (!d->chr) {
		error_set(errp, "Can't create debugcon device, empty char device");
		return false;
	}
	d->fe = chardev_attach(d->chr, &handlers, d, NULL, errp);
	if (!d->fe)
		return false;
	region_init_io(&d->port, dev, "isa-debugcon", &debugcon_ops, d, 1);
	isa_add_ports(&d->isa, &d->port, d->iobase);
	return true;
}

static void debugcon_unrealize(struct device *dev)
{
	struct debugcon *d = debugcon_of(dev);

	region_cleanup(&d->port);
	chardev_detach(d->fe);
}

static const struct field debugcon_props[] = {
	PROP_UINT(struct debugcon, iobase, "iobase", 0xe9, 0xffff, "I/O port"),
	PROP_LINK(struct debugcon, chr, "chardev", &chardev_link,
		  "Character device the bytes go to"),
	PROP_UINT(struct debugcon, readback, "readback", 0xe9, 0, "Value a read returns"),
	FIELD_ROW_END,
};

const struct device_type debugcon_type = {
	.name = "isa-debugcon",
	.help = "Debug console port",
	.base = &isa_device_type,
	.size = sizeof(struct debugcon),
	.flags = TYPE_USER_CREATABLE | STATE_NONE,
	.props = debugcon_props,
	.realize = debugcon_realize,
	.unrealize = debugcon_unrealize,
};
