/*
 * What answers on a PC's ports beside its chips: 80h, where firmware writes how far it came, and F0h,
 * which clears the coprocessor's error (there is none to clear: x87 errors arrive as exceptions
 * with every accelerator here). Both read as a bus that nobody drives. And the DMA controllers.
 */
#include "base/trace.h"
#include "hw/dma.h"
#include "hw/pc/pc.h"

TRACE_DEFINE(pc_post_code, "0x%02x");

#define PORT_DIAGNOSTIC  0x80
#define PORT_COPROCESSOR 0xf0

static uint64_t port_read(void *opaque, uint64_t offset, unsigned size)
{
	return UINT64_MAX;
}

static void diagnostic_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	trace(pc_post_code, (unsigned)value);
}

static void coprocessor_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
}

static const struct io_ops diagnostic_ops = {
	.read = port_read,
	.write = diagnostic_write,
	.impl = {.min = 1, .max = 1},
	.lock = LOCK_NONE,
};

static const struct io_ops coprocessor_ops = {
	.read = port_read,
	.write = coprocessor_write,
	.impl = {.min = 1, .max = 1},
	.lock = LOCK_NONE,
};

bool pc_make_ports(struct pc_machine *pc, GError **errp)
{
	struct region *io = &pc->m.io_root;

	region_init_io(&pc->diagnostic_port, pc, "ioport80", &diagnostic_ops, pc, 1);
	region_add(io, PORT_DIAGNOSTIC, &pc->diagnostic_port, 0);
	region_init_io(&pc->coprocessor_port, pc, "ioportF0", &coprocessor_ops, pc, 1);
	region_add(io, PORT_COPROCESSOR, &pc->coprocessor_port, 0);
	for (unsigned i = 0; i < 2; i++) {
		struct device *dev = i8237_new(&pc->m.memory, i == 1);

		if (!device_realize(dev, NULL, NULL, &pc->isa->bus, errp)) {
			device_unref(dev);
			return false;
		}
	}
	return true;
}
