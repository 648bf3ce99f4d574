/* isa-debug-exit: a guest's write of VALUE ends the process with status (VALUE << 1) | 1. */
#include "hw/isa.h"
#include "machine/runstate.h"

struct debug_exit {
	struct isa_device isa;
	struct region ports;
	uint32_t iobase, iosize;
};

static struct debug_exit *debug_exit_of(struct device *dev)
{
	return container_of(dev, struct debug_exit, isa.dev);
}

static uint64_t debug_exit_read(void *opaque, uint64_t offset, unsigned size)
{
	return 0;
}

static void debug_exit_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	system_shutdown_with_code(SHUTDOWN_GUEST_SHUTDOWN, (int)(((uint32_t)value << 1) | 1));
}

static const struct io_ops debug_exit_ops = {
	.read = debug_exit_read,
	.write = debug_exit_write,
	.valid = {.min = 1, .max = 4},
};

static bool debug_exit_realize(struct device *dev, GError **errp)
{
	struct debug_exit *d = debug_exit_of(dev);

	if (!d->iosize) {
		error_set(errp, "isa-debug-exit: iosize must be at least 1");
		return false;
	}
	region_init_io(&d->ports, dev, "isa-debug-exit", &debug_exit_ops, d, d->iosize);
	isa_add_ports(&d->isa, &d->ports, d->iobase);
	return true;
}

static void debug_exit_unrealize(struct device *dev)
{
	region_cleanup(&debug_exit_of(dev)->ports);
}

static const struct field debug_exit_props[] = {
	PROP_UINT(struct debug_exit, iobase, "iobase", 0x501, 0xffff, "First I/O port"),
	PROP_UINT(struct debug_exit, iosize, "iosize", 2, 0xffff, "Number of ports"),
	FIELD_ROW_END,
};

const struct device_type debug_exit_type = {
	.name = "isa-debug-exit",
	.help = "Lets the guest end the process with a status of its choice",
	.base = &isa_device_type,
	.size = sizeof(struct debug_exit),
	.flags = TYPE_USER_CREATABLE | STATE_NONE,
	.props = debug_exit_props,
	.realize = debug_exit_realize,
	.unrealize = debug_exit_unrealize,
};
