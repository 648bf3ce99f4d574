/*
 * Port 61h, "system control port B", as the board shows it where no PIT answers in its place: the
 * speaker gate and data bits, the refresh toggle software times delays with, and the output of the
 * PIT's channel 2 in its state after power-on (high). A PIT that lives in the kernel handles the
 * port itself. Source: PIIX3 data sheet (290550-002), 2.5.3.
 */
#include "hw/isa.h"

struct pcspk {
	struct isa_device isa;
	struct region port;
	uint32_t iobase;
	uint8_t gates;
	bool refresh;
};

enum {
	PCSPK_GATES = 0x03,
	PCSPK_REFRESH = 0x10,
	PCSPK_OUT = 0x20,
};

static struct pcspk *pcspk_of(struct device *dev)
{
	return container_of(dev, struct pcspk, isa.dev);
}

static uint64_t pcspk_read(void *opaque, uint64_t offset, unsigned size)
{
	struct pcspk *p = opaque;

	p->refresh = !p->refresh;
	return p->gates | (p->refresh ? PCSPK_REFRESH : 0) | PCSPK_OUT;
}

static void pcspk_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct pcspk *p = opaque;

	p->gates = value & PCSPK_GATES;
}

static const struct io_ops pcspk_ops = {
	.read = pcspk_read,
	.write = pcspk_write,
	.impl = {.min = 1, .max = 1},
};

static bool pcspk_realize(struct device *dev, GError **errp)
{
	struct pcspk *p = pcspk_of(dev);

	region_init_io(&p->port, dev, "pcspk", &pcspk_ops, p, 1);
	isa_add_ports(&p->isa, &p->port, p->iobase);
	return true;
}

static void pcspk_unrealize(struct device *dev)
{
	region_cleanup(&pcspk_of(dev)->port);
}

static void pcspk_reset(struct device *dev)
{
	pcspk_of(dev)->gates = 0;
}

static const struct field pcspk_props[] = {
	PROP_UINT(struct pcspk, iobase, "iobase", 0x61, 0xffff, "I/O port"),
	FIELD_ROW_END,
};

static const struct field pcspk_state[] = {
	SAVE_UINT(struct pcspk, gates),
	SAVE_BOOL(struct pcspk, refresh),
	FIELD_ROW_END,
};

const struct device_type pcspk_type = {
	.name = "isa-pcspk",
	.help = "System control port B: speaker gate and refresh toggle",
	.base = &isa_device_type,
	.category = CATEGORY_SOUND,
	.size = sizeof(struct pcspk),
	.props = pcspk_props,
	.state = pcspk_state,
	.realize = pcspk_realize,
	.unrealize = pcspk_unrealize,
	.reset = pcspk_reset,
};
